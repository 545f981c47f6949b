//! Known-key feeds: what authorities tell each other of the keys they have met, by fingerprint alone
//! (DOMAIN 8.5).
//!
//! A feed names no holder and no certificate. Deliberately not here: the signature over it, and what
//! a key that is named means for whoever brings it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::key::{Fingerprint, KeyState, words};
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

/// The version of the format.
pub const VERSION: u8 = 1;

/// Days after which a feed is too old to be taken.
pub const FRESH_DAYS: i64 = 7;

/// Seconds by which another authority's clock may be ahead.
const AHEAD_SECONDS: i64 = 300;

/// The name of an authority towards others: `[a-z0-9][a-z0-9.-]{0,62}`, such as a domain name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FeedAuthority(String);

impl FeedAuthority {
    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let first = text.bytes().next().is_some_and(plain);
        let rest = text.bytes().all(|b| plain(b) || b == b'-' || b == b'.');
        if first && rest && text.len() <= 63 {
            return Ok(Self(text.to_owned()));
        }
        Err(Refusal::new(RefusalCode::NameInvalid, "8.5")
            .with("problem", "code")
            .with("code", text))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FeedAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for FeedAuthority {
    type Error = Refusal;
    fn try_from(text: String) -> Result<Self, Refusal> {
        Self::parse(&text)
    }
}

impl From<FeedAuthority> for String {
    fn from(authority: FeedAuthority) -> String {
        authority.0
    }
}

words! {
    /// What a feed says of a key.
    FeedState {
        /// It may still be used.
        Live = "live",
        /// It is out of use.
        Ended = "ended",
        /// It is exposed.
        Compromised = "compromised",
    }
}

impl FeedState {
    /// What others are told of a key in a state; one that is blocked is exposed.
    pub const fn of(state: KeyState, blocked: bool) -> Self {
        match state {
            _ if blocked => Self::Compromised,
            KeyState::Compromised => Self::Compromised,
            KeyState::Ordered
            | KeyState::Generated
            | KeyState::Presented
            | KeyState::Proven
            | KeyState::Bound
            | KeyState::Retiring => Self::Live,
            KeyState::DestructionDue | KeyState::Destroyed | KeyState::Lost => Self::Ended,
        }
    }
}

/// A key in a feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedKey {
    /// What it is recognised by.
    pub fingerprint: Fingerprint,
    /// What is said of it.
    pub state: FeedState,
    /// The day on which the authority first met it, `YYYY-MM-DD`.
    pub first_seen: String,
}

/// A feed: everything that an authority knows at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feed {
    /// Version of the format.
    pub v: u8,
    /// Whose it is.
    pub authority: FeedAuthority,
    /// When it was made; RFC 3339.
    #[serde(with = "crate::time::text")]
    pub issued_at: Timestamp,
    /// Rises with every feed of the authority.
    pub sequence: i64,
    /// The keys, by fingerprint, each once.
    pub keys: Vec<FeedKey>,
}

/// An authority whose feed is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedSource {
    /// Its name.
    pub authority: FeedAuthority,
    /// The key that must sign, SubjectPublicKeyInfo (DER).
    #[serde(skip)]
    pub public_key: Vec<u8>,
    /// The sequence of the last feed taken; 0 before the first.
    pub sequence: i64,
    /// When that feed was made.
    pub issued_at: Option<Timestamp>,
    /// Since when it is trusted.
    pub trusted_at: Timestamp,
    /// Since when no more.
    pub ended_at: Option<Timestamp>,
}

impl FeedSource {
    /// Whether a feed that this source's key signed is taken now.
    ///
    /// # Errors
    /// The source is ended; the feed is another authority's or of another version; its sequence does
    /// not rise; it is too old, or of the future; a key is named twice or with an impossible day.
    pub fn check(&self, feed: &Feed, now: Timestamp) -> Result<(), Refusal> {
        let refused = |code, problem: &str| {
            Err(Refusal::new(code, "8.5")
                .with("problem", problem)
                .with("authority", &self.authority))
        };
        if self.ended_at.is_some() {
            return refused(RefusalCode::StateConflict, "feed-source-ended");
        }
        if feed.v != VERSION || feed.authority != self.authority {
            return refused(RefusalCode::IdentifierMismatch, "feed-authority");
        }
        if feed.sequence <= self.sequence {
            return refused(RefusalCode::StateConflict, "feed-sequence");
        }
        let future = feed.issued_at > now.plus_seconds(AHEAD_SECONDS);
        let earlier = self.issued_at.is_some_and(|last| feed.issued_at < last);
        if future || earlier || feed.issued_at.plus_days(FRESH_DAYS) < now {
            return refused(RefusalCode::StateConflict, "feed-stale");
        }
        let rising = feed.keys.iter().zip(feed.keys.iter().skip(1));
        let ordered = rising.into_iter().all(|(one, next)| one.fingerprint < next.fingerprint);
        let dated = feed.keys.iter().all(|key| first_seen(&key.first_seen).is_some());
        if !ordered || !dated {
            return refused(RefusalCode::IdentifierMismatch, "feed-malformed");
        }
        Ok(())
    }
}

/// The instant at which a day of a feed begins; `None` for a text that is no day.
pub fn first_seen(day: &str) -> Option<Timestamp> {
    (day.len() == 10).then(|| Timestamp::parse(&format!("{day}T00:00:00Z"))).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::Digest;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_371_000);

    fn source() -> FeedSource {
        FeedSource {
            authority: FeedAuthority::parse("ca.other.example").unwrap(),
            public_key: Vec::new(),
            sequence: 4,
            issued_at: Some(NOW.plus_days(-1)),
            trusted_at: NOW.plus_days(-30),
            ended_at: None,
        }
    }

    fn key(text: &[u8]) -> FeedKey {
        FeedKey {
            fingerprint: Fingerprint(Digest::of(text)),
            state: FeedState::Live,
            first_seen: "2026-11-22".to_owned(),
        }
    }

    fn feed() -> Feed {
        let mut keys = vec![key(b"a"), key(b"b")];
        keys.sort_by_key(|key| key.fingerprint);
        Feed { v: VERSION, authority: source().authority, issued_at: NOW, sequence: 5, keys }
    }

    fn check(feed: &Feed, problem: &str) {
        let refused = source().check(feed, NOW).unwrap_err();
        assert_eq!((refused.facts["problem"].as_str(), refused.rule.as_str()), (problem, "8.5"));
    }

    #[test]
    fn a_feed_is_taken_when_it_is_the_next_and_fresh() {
        assert_eq!(source().check(&feed(), NOW), Ok(()));
        check(&Feed { sequence: 4, ..feed() }, "feed-sequence");
        check(&Feed { issued_at: NOW.plus_days(-8), ..feed() }, "feed-stale");
        check(&Feed { issued_at: NOW.plus_days(-2), ..feed() }, "feed-stale");
        check(&Feed { issued_at: NOW.plus_seconds(301), ..feed() }, "feed-stale");
        let other = FeedAuthority::parse("ca.third.example").unwrap();
        check(&Feed { authority: other, ..feed() }, "feed-authority");
        check(&Feed { v: 2, ..feed() }, "feed-authority");
    }

    #[test]
    fn a_feed_names_each_key_once_in_order_with_a_day() {
        let mut twice = feed();
        twice.keys.push(twice.keys[1].clone());
        check(&twice, "feed-malformed");
        let mut dayless = feed();
        dayless.keys[0].first_seen = "2026-13-01".to_owned();
        check(&dayless, "feed-malformed");
    }

    #[test]
    fn a_blocked_key_is_told_as_exposed_whatever_its_state() {
        for state in KeyState::ALL {
            assert_eq!(FeedState::of(*state, true), FeedState::Compromised);
        }
        assert_eq!(FeedState::of(KeyState::Bound, false), FeedState::Live);
        assert_eq!(FeedState::of(KeyState::Destroyed, false), FeedState::Ended);
    }
}

//! How often may be tried: per account and source, and per source.
//!
//! Failures are counted for the pair of account and source address. Whoever guesses closes the
//! account for their own address only; the holder, coming from elsewhere, is not locked out. A
//! guess needs password and one-time code together, so many sources gain nothing but the rate
//! below. IPv6 sources count by their /64, which is what one subscriber has.
//!
//! The counts live in memory: each node of an installation counts for itself, and a restart
//! forgets. Not here: the words, and the audit record of a closed pair.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use tenkoku_domain::account::lock_seconds;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::time::Timestamp;

/// Attempts of one source within [`WINDOW_SECONDS`], over all accounts and links.
pub const ATTEMPTS_PER_WINDOW: u32 = 30;
/// Length of the window, in seconds.
pub const WINDOW_SECONDS: i64 = 60;
/// Entries kept at most; the idlest go first.
const MAX_ENTRIES: usize = 10_000;
/// Entries idle for longer are forgotten, in seconds.
const FORGET_SECONDS: i64 = 3600;

/// Where a request comes from, as far as counting is concerned.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source(String);

impl Source {
    /// The source of an address.
    pub fn of(address: Option<IpAddr>) -> Self {
        Self(match address.map(|address| address.to_canonical()) {
            None => "unknown".to_owned(),
            Some(IpAddr::V4(v4)) => v4.to_string(),
            Some(IpAddr::V6(v6)) => {
                let [a, b, c, d, ..] = v6.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        })
    }

    /// The source as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Refused for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("closed until {until}")]
pub struct Closed {
    /// Until when.
    pub until: Timestamp,
    /// How long that is from now, in seconds: one at least.
    pub wait_seconds: i64,
}

impl Closed {
    fn until(until: Timestamp, now: Timestamp) -> Self {
        Self { until, wait_seconds: (until.seconds() - now.seconds()).max(1) }
    }
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: i32,
    closed_until: Timestamp,
    last: Timestamp,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    begun: Timestamp,
    count: u32,
}

/// How many requests of a key are let in within [`WINDOW_SECONDS`].
#[derive(Debug)]
pub struct Rate<K> {
    most: u32,
    windows: Mutex<HashMap<K, Window>>,
}

impl<K: Clone + Eq + Hash> Rate<K> {
    /// Lets `most` in within a window.
    pub fn new(most: u32) -> Self {
        Self { most, windows: Mutex::default() }
    }

    /// Lets a request in, or says until when not.
    pub fn admit(&self, key: &K, now: Timestamp) -> Result<(), Closed> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        trim(&mut windows, |window| window.begun, now);
        let window = windows.entry(key.clone()).or_insert(Window { begun: now, count: 0 });
        if window.begun.plus_seconds(WINDOW_SECONDS) <= now {
            *window = Window { begun: now, count: 0 };
        }
        if window.count >= self.most {
            return Err(Closed::until(window.begun.plus_seconds(WINDOW_SECONDS), now));
        }
        window.count += 1;
        Ok(())
    }
}

/// The counts.
#[derive(Debug)]
pub struct Throttle {
    pairs: Mutex<HashMap<(Digest, Source), Failures>>,
    sources: Rate<Source>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self { pairs: Mutex::default(), sources: Rate::new(ATTEMPTS_PER_WINDOW) }
    }
}

/// An attempt that was let in. It counts as failed until [`Throttle::succeeded`] says otherwise,
/// so that attempts made at the same instant cannot slip past the count.
#[derive(Debug)]
#[must_use]
pub struct Attempt {
    pair: (Digest, Source),
    /// Set when this attempt, should it fail, closes the pair until then.
    pub closes_until: Option<Timestamp>,
}

impl Throttle {
    /// Lets a request of a source in, or says until when not.
    pub fn admit(&self, source: &Source, now: Timestamp) -> Result<(), Closed> {
        self.sources.admit(source, now)
    }

    /// Begins an attempt on an account, or says until when the pair is closed.
    pub fn begin(&self, account: &str, source: &Source, now: Timestamp) -> Result<Attempt, Closed> {
        let pair = (Digest::of(account.as_bytes()), source.clone());
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        trim(&mut pairs, |failures| failures.last, now);
        let entry = pairs.entry(pair.clone()).or_insert(Failures {
            count: 0,
            closed_until: now,
            last: now,
        });
        if entry.closed_until > now {
            return Err(Closed::until(entry.closed_until, now));
        }
        entry.count = entry.count.saturating_add(1);
        entry.last = now;
        let seconds = lock_seconds(entry.count);
        entry.closed_until = now.plus_seconds(seconds);
        Ok(Attempt { pair, closes_until: (seconds > 0).then_some(entry.closed_until) })
    }

    /// The attempt was right: the pair's failures are forgotten.
    pub fn succeeded(&self, attempt: Attempt) {
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        pairs.remove(&attempt.pair);
    }
}

/// Forgets what is long idle, and the idlest half when there is still too much.
fn trim<K: Clone + Eq + Hash, V>(
    entries: &mut HashMap<K, V>,
    last: impl Fn(&V) -> Timestamp,
    now: Timestamp,
) {
    if entries.len() < MAX_ENTRIES {
        return;
    }
    entries.retain(|_, entry| last(entry).plus_seconds(FORGET_SECONDS) > now);
    if entries.len() < MAX_ENTRIES {
        return;
    }
    let mut times: Vec<Timestamp> = entries.values().map(&last).collect();
    times.sort_unstable();
    let middle = times.get(times.len() / 2).copied().unwrap_or(now);
    entries.retain(|_, entry| last(entry) > middle);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_000_000 + seconds)
    }

    fn source(text: &str) -> Source {
        Source::of(Some(text.parse().unwrap()))
    }

    #[test]
    fn a_rate_lets_so_many_in_and_tells_how_long_to_wait() {
        let rate = Rate::new(2);
        assert!(rate.admit(&"a", at(0)).is_ok() && rate.admit(&"a", at(10)).is_ok());
        let closed = rate.admit(&"a", at(15)).unwrap_err();
        assert_eq!((closed.until, closed.wait_seconds), (at(60), 45));
        assert!(rate.admit(&"b", at(15)).is_ok(), "another key has its own count");
        assert!(rate.admit(&"a", at(60)).is_ok(), "a new window");
    }

    #[test]
    fn the_fifth_failure_closes_the_pair_and_nobody_else() {
        let throttle = Throttle::default();
        let attacker = source("203.0.113.9");
        for _ in 0..4 {
            let attempt = throttle.begin("megumi", &attacker, at(0)).unwrap();
            assert_eq!(attempt.closes_until, None);
        }
        let fifth = throttle.begin("megumi", &attacker, at(0)).unwrap();
        assert_eq!(fifth.closes_until, Some(at(30)));
        assert_eq!(throttle.begin("megumi", &attacker, at(29)).unwrap_err().until, at(30));
        assert!(throttle.begin("megumi", &source("198.51.100.7"), at(29)).is_ok());
        assert!(throttle.begin("ryo", &attacker, at(29)).is_ok());
        let sixth = throttle.begin("megumi", &attacker, at(30)).unwrap();
        assert_eq!(sixth.closes_until, Some(at(90)));
    }

    #[test]
    fn success_forgets_the_failures() {
        let throttle = Throttle::default();
        let home = source("198.51.100.7");
        for _ in 0..3 {
            let _failed = throttle.begin("megumi", &home, at(0)).unwrap();
        }
        let attempt = throttle.begin("megumi", &home, at(1)).unwrap();
        throttle.succeeded(attempt);
        for _ in 0..4 {
            assert_eq!(throttle.begin("megumi", &home, at(2)).unwrap().closes_until, None);
        }
    }

    #[test]
    fn a_source_has_a_rate_over_all_accounts() {
        let throttle = Throttle::default();
        let one = source("2001:db8::1");
        for _ in 0..ATTEMPTS_PER_WINDOW {
            throttle.admit(&one, at(0)).unwrap();
        }
        assert_eq!(throttle.admit(&source("2001:db8::2"), at(5)).unwrap_err().until, at(60));
        assert!(throttle.admit(&source("2001:db8:0:1::2"), at(5)).is_ok());
        assert!(throttle.admit(&one, at(60)).is_ok());
    }

    #[test]
    fn the_memory_is_bounded() {
        let throttle = Throttle::default();
        for number in 0..30_000 {
            let account = format!("account-{number}");
            let _failed = throttle.begin(&account, &source("192.0.2.1"), at(number)).unwrap();
        }
        assert!(throttle.pairs.lock().unwrap().len() <= MAX_ENTRIES);
    }
}

//! Service accounts: systems of an organisation that call the API, and the tokens they do it with
//! (DOMAIN 2).
//!
//! A service account is an account whose only role is [`Role::ServiceAccount`]; it has no factors and
//! never signs in. How a token is read from a request is not here.

use std::collections::BTreeSet;

use crate::access::{Permission, Role};
use crate::account::Account;
use crate::canonical::Digest;
use crate::id::{TokenId, UserId};
use crate::key::{Fingerprint, words};
use crate::name::plain_text;
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

/// Longest life of a token, in days.
pub const LONGEST_DAYS: i64 = 365;

/// Longest time between the making of a signed token and its end, in seconds.
pub const SIGNED_SECONDS: i64 = 300;

/// How far the clocks of two machines may be apart, in seconds.
const SKEW_SECONDS: i64 = 30;

words! {
    /// With which algorithm a system signs its tokens (RFC 7518, 3.1; RFC 8037, 3.1).
    TokenAlgorithm {
        /// ECDSA on P-256 with SHA-256.
        Es256 = "ES256",
        /// Ed25519.
        EdDsa = "EdDSA",
    }
}

/// The public key of a system. The private key never leaves the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenKey {
    /// How it signs.
    pub algorithm: TokenAlgorithm,
    /// SubjectPublicKeyInfo (DER).
    pub public_key: Vec<u8>,
    /// What the key is known by (DOMAIN 8.1).
    pub fingerprint: Fingerprint,
}

/// What shows that a request comes from the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenProof {
    /// A secret that was shown once; its SHA-256 is kept.
    Secret(Digest),
    /// Short-lived tokens, signed with this key (JWS, RFC 7515).
    Key(TokenKey),
}

impl TokenProof {
    /// `secret` or `key`, as audit records and tables say it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Secret(_) => "secret",
            Self::Key(_) => "key",
        }
    }

    /// What actors are recorded as having shown.
    pub const fn authenticator(&self) -> &'static str {
        match self {
            Self::Secret(_) => "api-token",
            Self::Key(_) => "signed-token",
        }
    }
}

/// What a service account calls the API with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceToken {
    /// Identifier; `kid` of signed tokens.
    pub id: TokenId,
    /// Whose.
    pub user: UserId,
    /// What people call it.
    pub label: String,
    /// What shows that a request is its holder's.
    pub proof: TokenProof,
    /// What may be done with it; never more than the account's role allows.
    pub permissions: BTreeSet<Permission>,
    /// When it was given.
    pub created_at: Timestamp,
    /// The first instant at which it is no longer good.
    pub until: Timestamp,
    /// When it was ended before its time.
    pub ended_at: Option<Timestamp>,
}

impl ServiceToken {
    /// Checks a new token: a label, at least one permission and none beyond the role, an end within
    /// [`LONGEST_DAYS`].
    pub fn check(self) -> Result<Self, Refusal> {
        let label = plain_text(&self.label)?;
        let allowed = Role::ServiceAccount.permissions();
        if let Some(other) = self.permissions.iter().find(|one| !allowed.contains(one)) {
            return Err(Refusal::new(RefusalCode::NotAuthorised, "2").with("permission", other));
        }
        let longest = self.created_at.plus_days(LONGEST_DAYS);
        let lives = self.created_at < self.until && self.until <= longest;
        if self.permissions.is_empty() || !lives {
            let problem = if lives { "token-empty" } else { "token-life" };
            return Err(Refusal::new(RefusalCode::NotAuthorised, "2").with("problem", problem));
        }
        Ok(Self { label, ..self })
    }

    /// Whether it is good now.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.until
    }
}

/// Whether the times of a signed token allow its use: it lives for [`SIGNED_SECONDS`] at most, has
/// begun, and is not over.
pub fn is_timely(issued_at: Timestamp, expires_at: Timestamp, now: Timestamp) -> bool {
    issued_at < expires_at
        && expires_at <= issued_at.plus_seconds(SIGNED_SECONDS)
        && issued_at <= now.plus_seconds(SKEW_SECONDS)
        && now.plus_seconds(-SKEW_SECONDS) < expires_at
}

impl Account {
    /// Whether it is a system's account, which never signs in.
    pub fn is_service(&self) -> bool {
        self.roles.iter().any(|grant| grant.role == Role::ServiceAccount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Entropy;

    struct Zero;
    impl Entropy for Zero {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    const NOW: Timestamp = Timestamp::from_seconds(1_795_371_000);

    fn token(permissions: &[Permission], days: i64) -> ServiceToken {
        ServiceToken {
            id: TokenId::new(NOW, &Zero),
            user: UserId::new(NOW, &Zero),
            label: "renewal".to_owned(),
            proof: TokenProof::Secret(Digest([0; 32])),
            permissions: permissions.iter().copied().collect(),
            created_at: NOW,
            until: NOW.plus_days(days),
            ended_at: None,
        }
    }

    fn check(permissions: &[Permission], days: i64, expected: bool) {
        let checked = token(permissions, days).check();
        assert_eq!(checked.is_ok(), expected, "{permissions:?} {days}: {checked:?}");
    }

    #[test]
    fn a_token_is_bounded_in_time_and_in_what_it_may() {
        let [view, apply] = [Permission::ViewRegistry, Permission::Apply];
        check(&[view, apply], 1, true);
        check(&[view, apply], 365, true);
        check(&[view, apply], 366, false);
        check(&[view], 0, false);
        check(&[], 1, false);
        check(&[view, Permission::Issue], 1, false);
        check(&[Permission::Confirm], 1, false);
        let ended = ServiceToken { ended_at: Some(NOW), ..token(&[view], 1) };
        assert!(token(&[view], 1).is_alive(NOW) && !ended.is_alive(NOW));
        assert!(!token(&[view], 1).is_alive(NOW.plus_days(1)));
    }

    #[test]
    fn a_signed_token_lives_for_minutes() {
        let at = |seconds| NOW.plus_seconds(seconds);
        assert!(is_timely(NOW, at(300), NOW));
        assert!(is_timely(NOW, at(300), at(329)));
        assert!(!is_timely(NOW, at(300), at(330)), "over");
        assert!(!is_timely(NOW, at(301), NOW), "too long");
        assert!(is_timely(at(30), at(60), NOW), "a clock that is ahead");
        assert!(!is_timely(at(31), at(60), NOW), "not yet");
        assert!(!is_timely(NOW, NOW, NOW));
        assert!(!is_timely(at(10), NOW, NOW));
    }
}

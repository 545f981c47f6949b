//! Accounts of people, their factors, and the rules of signing in (DOMAIN 2).

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use crate::access::RoleGrant;
use crate::canonical::Digest;
use crate::id::{PersonId, SessionId, UserId};
use crate::notice::EmailAddress;
use crate::organisation::Language;
use crate::person::Party;
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

/// A person's account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Identifier.
    pub id: UserId,
    /// The name typed at sign-in; lower-case letters, digits, `.`, `-`, `_`.
    pub login: String,
    /// The name shown.
    pub display_name: String,
    /// The person behind it. Two accounts of one person count as one (I-6).
    pub person: PersonId,
    /// Language of pages and letters.
    pub language: Language,
    /// Where letters go.
    #[serde(default)]
    pub email: Option<EmailAddress>,
    /// Roles held.
    pub roles: Vec<RoleGrant>,
    /// Who registered it and on what evidence (the administrator lineage).
    pub registered_by: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was disabled.
    pub disabled_at: Option<Timestamp>,
}

impl Account {
    /// Who counts behind the account (I-6).
    pub fn party(&self) -> Party {
        Party::Person(self.person.clone())
    }

    /// How decisions of earlier releases name the person behind the account: by the name shown.
    pub fn former_person(&self) -> String {
        let plain = self.display_name.nfkc().filter(|c| c.is_alphanumeric());
        format!("person:{}", plain.flat_map(char::to_lowercase).collect::<String>())
    }

    /// Checks a sign-in name.
    pub fn parse_login(text: &str) -> Result<String, Refusal> {
        let fine = (2..=40).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_".contains(&b));
        if fine {
            return Ok(text.to_owned());
        }
        Err(Refusal::new(RefusalCode::NameInvalid, "2").with("problem", "login").with("name", text))
    }
}

/// What an account signs in with. Secrets are kept by the store; this is what rules need.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Factors {
    /// The argon2id hash of the password (PHC string).
    pub password: Option<String>,
    /// The wrapped secret of the time-based one-time password (RFC 6238).
    pub totp: Option<Vec<u8>>,
    /// The last time step whose code was used; a code is good once.
    pub totp_step: i64,
    /// Passkeys, as the WebAuthn library stores them (JSON).
    pub passkeys: Vec<Passkey>,
    /// Certificates that are shown in TLS, beside the password.
    pub certificates: Vec<ClientCertificate>,
    /// Failed attempts in a row.
    pub failures: i32,
    /// Attempts are refused until then.
    pub locked_until: Option<Timestamp>,
}

impl Factors {
    /// Whether somebody can sign in with them: two factors are there (DOMAIN 2). A passkey is two by
    /// itself.
    pub fn suffice(&self) -> bool {
        let second = self.totp.is_some() || !self.certificates.is_empty();
        (self.password.is_some() && second) || !self.passkeys.is_empty()
    }
}

/// A certificate that an account signs in with, beside its password (DOMAIN 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// SHA-256 of the certificate, DER.
    pub fingerprint: Digest,
    /// The subject for people.
    pub subject: String,
    /// The end of its validity.
    pub not_after: Timestamp,
    /// When it was bound to the account.
    pub created_at: Timestamp,
}

/// A registered passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// The credential identifier, base64url.
    pub credential: String,
    /// What people call it.
    pub label: String,
    /// The library's own record, JSON.
    pub record: String,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// A one-time enrolment link: valid for a time, for a few attempts, void after use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolmentCode {
    /// SHA-256 of the secret in the link. The secret itself is never stored.
    pub digest: Digest,
    /// The account to be enrolled.
    pub user: UserId,
    /// Good until.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
    /// Failed attempts.
    pub attempts: i32,
}

impl EnrolmentCode {
    /// Attempts after which a code is void (DOMAIN 2).
    pub const MAX_ATTEMPTS: i32 = 5;

    /// Whether the code may be used now.
    pub fn may_use(&self, now: Timestamp) -> Result<(), Refusal> {
        let fresh =
            self.used_at.is_none() && self.expires_at > now && self.attempts < Self::MAX_ATTEMPTS;
        if fresh {
            return Ok(());
        }
        Err(Refusal::new(RefusalCode::NotAuthorised, "2").with("problem", "code-void"))
    }
}

/// A session of a signed-in person. Ends on time, on idleness, or by the server's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Identifier.
    pub id: SessionId,
    /// SHA-256 of the secret in the cookie.
    pub digest: Digest,
    /// Whose.
    pub user: UserId,
    /// What was proved at sign-in: `password+totp`, `password+certificate` or `passkey`.
    pub authenticator: String,
    /// The token that every changing form carries.
    pub csrf: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used.
    pub seen_at: Timestamp,
    /// When a second factor was last shown.
    pub factor_at: Timestamp,
    /// When it was ended.
    pub ended_at: Option<Timestamp>,
}

impl Session {
    /// Longest life, in seconds: 12 hours.
    pub const LIFE_SECONDS: i64 = 12 * 3600;
    /// Longest idleness, in seconds: 30 minutes.
    pub const IDLE_SECONDS: i64 = 30 * 60;
    /// How long a second factor counts as fresh, in seconds: 5 minutes.
    pub const FRESH_SECONDS: i64 = 5 * 60;

    /// Whether the session is alive.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.ended_at.is_none()
            && self.created_at.plus_seconds(Self::LIFE_SECONDS) > now
            && self.seen_at.plus_seconds(Self::IDLE_SECONDS) > now
    }

    /// Whether a second factor was shown within the last five minutes.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        self.factor_at.plus_seconds(Self::FRESH_SECONDS) > now
    }
}

/// How long sign-in stays closed after `failures` failed attempts in a row: nothing for four, then
/// 30 seconds, doubling to at most 15 minutes.
pub fn lock_seconds(failures: i32) -> i64 {
    match failures {
        ..=4 => 0,
        5 => 30,
        6 => 60,
        7 => 120,
        8 => 240,
        9 => 480,
        _ => 900,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_factors_let_somebody_in() {
        let password = Some("hash".to_owned());
        let totp = Some(vec![1]);
        let passkeys = vec![Passkey {
            credential: "c".to_owned(),
            label: "l".to_owned(),
            record: "{}".to_owned(),
            created_at: Timestamp::from_seconds(0),
        }];
        let certificates = vec![ClientCertificate {
            fingerprint: Digest::of(b"c"),
            subject: "CN=c".to_owned(),
            not_after: Timestamp::from_seconds(1),
            created_at: Timestamp::from_seconds(0),
        }];
        let none = Factors::default();
        let one = Factors { password, ..Factors::default() };
        for (factors, expected) in [
            (none.clone(), false),
            (one.clone(), false),
            (Factors { totp: totp.clone(), ..none.clone() }, false),
            (Factors { certificates: certificates.clone(), ..none.clone() }, false),
            (Factors { totp, ..one.clone() }, true),
            (Factors { certificates, ..one }, true),
            (Factors { passkeys, ..none }, true),
        ] {
            assert_eq!(factors.suffice(), expected, "{factors:?}");
        }
    }
}

//! Authorities: the CAs operated on the platform.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::certificate::{Serial, Validity};
use crate::id::{AuthorityId, KeyId};
use crate::identifier::OrganizationIdentifier;
use crate::key::{KeyAlgorithm, words};
use crate::level::Level;
use crate::name::Name;
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

/// The short name of an authority in addresses (`/ocsp/seal-l2-g1`). Unique for ever.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AuthorityCode(String);

impl AuthorityCode {
    /// Reads a code: lower-case letters, digits and hyphens, 1 to 40 of them.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let fine = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fine && !text.is_empty() && text.len() <= 40 && !text.starts_with('-') {
            return Ok(Self(text.to_owned()));
        }
        Err(Refusal::new(RefusalCode::NameInvalid, "3").with("problem", "code").with("code", text))
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AuthorityCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for AuthorityCode {
    type Error = Refusal;
    fn try_from(text: String) -> Result<Self, Refusal> {
        Self::parse(&text)
    }
}

impl From<AuthorityCode> for String {
    fn from(code: AuthorityCode) -> String {
        code.0
    }
}

/// Kind of an authority, with what belongs to the kind (DOMAIN 12.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuthorityKind {
    /// Issues authorities and list signers.
    Root,
    /// Issues seals of one level and its own OCSP signers.
    Issuing(Level),
}

impl AuthorityKind {
    /// `root` or `issuing`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Issuing(_) => "issuing",
        }
    }

    /// The level that an issuing authority serves.
    pub const fn level(self) -> Option<Level> {
        match self {
            Self::Root => None,
            Self::Issuing(level) => Some(level),
        }
    }

    /// Longest validity of the authority's certificate, in days.
    pub const fn validity_days(self) -> i64 {
        match self {
            Self::Root => 7300,
            Self::Issuing(_) => 3650,
        }
    }

    /// How long a CRL is good for, in days (DOMAIN 13).
    pub const fn crl_days(self) -> i64 {
        match self {
            Self::Root => 180,
            Self::Issuing(_) => 3,
        }
    }
}

words! {
    /// State of an authority (DOMAIN 6.7).
    AuthorityState {
        /// Decided on.
        Planned = "planned",
        /// Its key is being made.
        Ceremony = "ceremony",
        /// Has its certificate.
        Certified = "certified",
        /// Issues.
        Active = "active",
        /// On hold.
        Suspended = "suspended",
        /// No new issue; CRL and OCSP continue.
        Retiring = "retiring",
        /// Ended.
        Ended = "ended",
    }
}

/// The names in an authority's subject: C, O, organizationIdentifier, CN (DOMAIN 12.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorityName {
    /// Two-letter country.
    pub country: String,
    /// The operator's legal name.
    pub organisation: Name,
    /// The operator's identifier.
    pub identifier: OrganizationIdentifier,
    /// Common name, with the generation (`… Root CA G1`).
    pub common_name: Name,
}

/// A CA operated on the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authority {
    /// Identifier.
    pub id: AuthorityId,
    /// Short name in addresses.
    pub code: AuthorityCode,
    /// Kind.
    pub kind: AuthorityKind,
    /// Generation, 1 for the first (RO-4).
    pub generation: i32,
    /// Names in the subject.
    pub name: AuthorityName,
    /// The authority that issued it; `None` for a root.
    pub issuer: Option<AuthorityId>,
    /// Its key.
    pub key: KeyId,
    /// Algorithm of its key.
    pub algorithm: KeyAlgorithm,
    /// The certificate's serial number.
    pub serial: Serial,
    /// The certificate's validity.
    pub validity: Validity,
    /// The certificate (DER); `None` until certified.
    #[serde(skip)]
    pub certificate: Option<Vec<u8>>,
    /// State.
    pub state: AuthorityState,
    /// When it was decided on.
    pub created_at: Timestamp,
}

impl Authority {
    /// Whether the authority issues now: active, certified, inside its validity. Gives the
    /// certificate.
    pub fn may_issue(&self, now: Timestamp) -> Result<&[u8], Refusal> {
        let refused = || {
            Refusal::new(RefusalCode::AuthorityNotActive, "6.7")
                .with("authority", &self.code)
                .with("state", self.state)
        };
        match self.state {
            AuthorityState::Active if self.validity.contains(now) => {
                self.certificate.as_deref().ok_or_else(refused)
            }
            AuthorityState::Planned
            | AuthorityState::Ceremony
            | AuthorityState::Certified
            | AuthorityState::Active
            | AuthorityState::Suspended
            | AuthorityState::Retiring
            | AuthorityState::Ended => Err(refused()),
        }
    }
}

//! Credentials: serial numbers, validity, states of DOMAIN 6.4.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::canonical::Digest;
use crate::id::{
    ApplicationId, AuthorityId, BranchId, CertificateId, Entropy, InstanceId, KeyId, OrganisationId,
};
use crate::key::words;
use crate::level::Level;
use crate::revocation::Revocation;
use crate::time::Timestamp;

/// A certificate serial number: positive, 8 to 20 octets, unique per authority (I-4).
///
/// Kept as the content octets of the INTEGER without a leading zero; written in upper-case
/// hexadecimal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Serial(Vec<u8>);

/// Why a text or octets are no serial number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a serial number is 1 to 20 octets in hexadecimal and positive")]
pub struct SerialError;

impl Serial {
    /// Octets of a serial number that this platform makes.
    pub const LENGTH: usize = 16;

    /// A new serial number: 126 random bits. The first two bits are 01, so the encoding always has
    /// 16 octets and is positive.
    pub fn random(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; Self::LENGTH];
        entropy.fill(&mut bytes);
        if let Some(first) = bytes.first_mut() {
            *first = (*first & 0x3F) | 0x40;
        }
        Self(bytes.to_vec())
    }

    /// From the content octets of a DER INTEGER: leading zero octets are taken off; a negative or
    /// zero number or one over 20 octets is refused (RFC 5280, 4.1.2.2).
    pub fn from_integer(octets: &[u8]) -> Result<Self, SerialError> {
        if octets.first().is_some_and(|b| *b >= 0x80) || octets.len() > 20 {
            return Err(SerialError);
        }
        let bytes: Vec<u8> = octets.iter().copied().skip_while(|b| *b == 0).collect();
        if bytes.is_empty() { Err(SerialError) } else { Ok(Self(bytes)) }
    }

    /// From the magnitude of a number that is not negative: 1 to 20 octets, no leading zero.
    pub fn from_octets(octets: &[u8]) -> Result<Self, SerialError> {
        let fits = (1..=20).contains(&octets.len()) && octets.first() != Some(&0);
        if fits { Ok(Self(octets.to_vec())) } else { Err(SerialError) }
    }

    /// Reads hexadecimal digits; spaces, colons and lower case are accepted.
    pub fn parse(text: &str) -> Result<Self, SerialError> {
        let digits: String = text.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
        let even = if digits.len() % 2 == 1 { format!("0{digits}") } else { digits };
        let bytes = hex::decode(even).map_err(|_| SerialError)?;
        let bytes: Vec<u8> = bytes.into_iter().skip_while(|b| *b == 0).collect();
        let too_long = bytes.len() > 20 || (bytes.len() == 20 && bytes.first() >= Some(&0x80));
        if bytes.is_empty() || too_long { Err(SerialError) } else { Ok(Self(bytes)) }
    }

    /// The number's octets, big-endian, without leading zeros.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode_upper(&self.0))
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Serial({self})")
    }
}

impl TryFrom<String> for Serial {
    type Error = SerialError;
    fn try_from(text: String) -> Result<Self, SerialError> {
        Self::parse(&text)
    }
}

impl From<Serial> for String {
    fn from(serial: Serial) -> String {
        serial.to_string()
    }
}

/// The validity of a certificate, both ends included (RFC 5280, 4.1.2.5); whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validity {
    /// First second.
    pub not_before: Timestamp,
    /// Last second.
    pub not_after: Timestamp,
}

impl Validity {
    /// `days` days from `from`: the last second is `from + days − 1 s` (DOMAIN 12.1).
    pub fn days(from: Timestamp, days: i64) -> Self {
        let not_before = from.floor();
        Self { not_before, not_after: not_before.plus_days(days).plus_seconds(-1) }
    }

    /// The same validity, ending no later than `limit` (I-8).
    #[must_use]
    pub fn capped(self, limit: Timestamp) -> Self {
        Self { not_after: self.not_after.min(limit.floor()), ..self }
    }

    /// Whether `at` lies inside.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.not_before <= at && at.floor() <= self.not_after
    }
}

words! {
    /// The profile a certificate was made by (DOMAIN 12). Stored with its version.
    Profile {
        /// Root authority.
        Root = "root",
        /// Policy authority, between a root and issuing authorities.
        Policy = "policy",
        /// One root's key, certified by the root of another generation.
        Cross = "cross",
        /// Issuing authority.
        Issuing = "issuing",
        /// Issuing authority for one large organisation, with name constraints.
        Dedicated = "issuing-dedicated",
        /// Issuing authority of time-stamping units.
        TimeStampingAuthority = "issuing-tsa",
        /// Issuing authority of the platform's own certificates.
        InternalAuthority = "issuing-internal",
        /// Seal of level 1.
        Seal1 = "seal-1",
        /// Seal of level 2.
        Seal2 = "seal-2",
        /// Seal of level 3.
        Seal3 = "seal-3",
        /// Seal of level 1, valid for a day at most and never revoked.
        Seal1Short = "seal-1s",
        /// Seal of level 2, valid for a day at most and never revoked.
        Seal2Short = "seal-2s",
        /// Seal of level 3, valid for a day at most and never revoked.
        Seal3Short = "seal-3s",
        /// Signer of OCSP answers.
        OcspSigner = "ocsp-signer",
        /// Signer of trusted lists.
        ListSigner = "list-signer",
        /// Time-stamping unit.
        TimeStamping = "tsa",
        /// Client certificate of an administrator.
        Administrator = "administrator",
        /// Signer of the audit chain's checkpoints.
        AuditSigner = "audit-signer",
    }
}

impl Profile {
    /// The seal profile of a level.
    pub const fn seal(level: Level) -> Self {
        match level {
            Level::One => Self::Seal1,
            Level::Two => Self::Seal2,
            Level::Three => Self::Seal3,
        }
    }

    /// The short-lived seal profile of a level (DOMAIN 12.3).
    pub const fn short_seal(level: Level) -> Self {
        match level {
            Level::One => Self::Seal1Short,
            Level::Two => Self::Seal2Short,
            Level::Three => Self::Seal3Short,
        }
    }

    /// Whether certificates of it belong to seals.
    pub const fn is_seal(self) -> bool {
        matches!(
            self,
            Self::Seal1
                | Self::Seal2
                | Self::Seal3
                | Self::Seal1Short
                | Self::Seal2Short
                | Self::Seal3Short
        )
    }

    /// The version of every profile as this program writes it.
    pub const VERSION: i32 = 1;
}

/// Days in which the new key of a certificate must sign a fresh challenge (DOMAIN 6.4).
pub const ACKNOWLEDGEMENT_DAYS: i64 = 14;

/// State of a certificate (DOMAIN 6.4), with what belongs to the state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum CertificateState {
    /// What will be signed is recorded; the signature is not. Counts as issued.
    Pending,
    /// Signed and released; waits for acknowledgement.
    Issued,
    /// Signed and released; told as on hold until its key acknowledges it (`initial_hold`).
    Held(Revocation),
    /// In use.
    Active,
    /// On hold.
    Suspended(Revocation),
    /// The key no longer seals; status stays good.
    Retired,
    /// Revoked, for ever.
    Revoked(Revocation),
}

impl CertificateState {
    /// The stored word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Issued | Self::Held(_) => "issued",
            Self::Active => "active",
            Self::Suspended(_) => "suspended",
            Self::Retired => "retired",
            Self::Revoked(_) => "revoked",
        }
    }

    /// The revocation or suspension, where there is one.
    pub const fn revocation(&self) -> Option<&Revocation> {
        match self {
            Self::Held(revocation) | Self::Suspended(revocation) | Self::Revoked(revocation) => {
                Some(revocation)
            }
            Self::Pending | Self::Issued | Self::Active | Self::Retired => None,
        }
    }
}

/// What a certificate was issued to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealBinding {
    /// The organisation.
    pub organisation: OrganisationId,
    /// The branch office.
    pub branch: BranchId,
    /// The instance of the branch's seal.
    pub instance: InstanceId,
    /// The application it rests on (I-9).
    pub application: ApplicationId,
}

/// A certificate that the platform issued, or is about to.
///
/// Its identity is (authority, serial); everything but the state is fixed once set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Identifier of the record.
    pub id: CertificateId,
    /// The issuing authority.
    pub authority: AuthorityId,
    /// The serial number.
    pub serial: Serial,
    /// The profile.
    pub profile: Profile,
    /// The certified key.
    pub key: KeyId,
    /// What it was issued to; `None` for certificates of authorities and services.
    pub seal: Option<SealBinding>,
    /// Common name of the subject, for people.
    pub common_name: String,
    /// Validity.
    pub validity: Validity,
    /// The last instant at which the key may seal; `None` where there is no such rule.
    pub sealing_not_after: Option<Timestamp>,
    /// The digest of the key-management policy it was decided under.
    pub policy: Digest,
    /// The to-be-signed bytes (DER), recorded before the key moves.
    #[serde(skip)]
    pub tbs: Vec<u8>,
    /// The certificate (DER); `None` while pending or when the signature was lost.
    #[serde(skip)]
    pub der: Option<Vec<u8>>,
    /// State.
    pub state: CertificateState,
    /// When it was decided.
    pub created_at: Timestamp,
}

impl Certificate {
    /// Whether the validity has ended (`expired` of DOMAIN 6.4 follows from the clock).
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.validity.not_after < now.floor()
    }

    /// Whether it occupies its instance (I-3): issued, active or suspended, and not expired.
    pub fn is_live(&self, now: Timestamp) -> bool {
        let live = match self.state {
            CertificateState::Pending
            | CertificateState::Issued
            | CertificateState::Held(_)
            | CertificateState::Active
            | CertificateState::Suspended(_) => true,
            CertificateState::Retired | CertificateState::Revoked(_) => false,
        };
        live && !self.is_expired(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Ones;
    impl Entropy for Ones {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0xFF);
        }
    }

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(Serial::parse(text).ok().map(|s| s.to_string()).as_deref(), expected, "{text}");
    }

    #[test]
    fn serials_are_read_as_people_write_them() {
        check("7f:00 a1", Some("7F00A1"));
        check("0f0", Some("F0"));
        check("00", None);
        check("", None);
        check("xy", None);
        check(&"ff".repeat(20), None);
        check(&"7f".repeat(20), Some(&"7F".repeat(20)));
    }

    #[test]
    fn made_serials_are_positive_and_have_sixteen_octets() {
        let serial = Serial::random(&Ones);
        assert_eq!(serial.to_string(), format!("7F{}", "FF".repeat(15)));
        assert_eq!(Serial::from_integer(serial.octets()), Ok(serial));
    }

    #[test]
    fn validity_counts_both_ends() {
        let from = Timestamp::parse("2026-11-22T10:00:00.500Z").unwrap();
        let validity = Validity::days(from, 1);
        assert_eq!(validity.not_before.to_string(), "2026-11-22T10:00:00Z");
        assert_eq!(validity.not_after.to_string(), "2026-11-23T09:59:59Z");
        assert!(validity.contains(Timestamp::parse("2026-11-23T09:59:59.900Z").unwrap()));
        assert!(!validity.contains(Timestamp::parse("2026-11-23T10:00:00Z").unwrap()));
    }
}

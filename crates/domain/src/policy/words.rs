//! The words, dates and small values that a policy document is written with.
//!
//! Stored, and part of every digest: add words, never change one.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::key::words;
use crate::time::{Civil, Timestamp};

words! {
    /// A curve for ECDSA.
    Curve {
        /// NIST P-256.
        P256 = "P-256",
        /// NIST P-384.
        P384 = "P-384",
        /// NIST P-521.
        P521 = "P-521",
    }
}

words! {
    /// An Edwards curve.
    EdwardsCurve {
        /// Ed25519.
        Ed25519 = "Ed25519",
        /// Ed448.
        Ed448 = "Ed448",
    }
}

words! {
    /// A parameter set of ML-DSA (RFC 9881).
    MlDsaSet {
        /// ML-DSA-65.
        MlDsa65 = "ML-DSA-65",
        /// ML-DSA-87.
        MlDsa87 = "ML-DSA-87",
    }
}

words! {
    /// A hash function under a signature (US-3: never below 256 bits).
    SignatureHash {
        /// SHA-256.
        Sha256 = "SHA-256",
        /// SHA-384.
        Sha384 = "SHA-384",
        /// SHA-512.
        Sha512 = "SHA-512",
    }
}

words! {
    /// When all RSA moduli are searched for shared factors (KM-3).
    FactorScan {
        /// Every night.
        Nightly = "nightly",
    }
}

words! {
    /// Where a key may occur once only (I-2).
    UniquenessScope {
        /// Over all authorities, organisations, roles and time.
        Platform = "platform",
    }
}

words! {
    /// Whether a renewal may keep its key (KM-11).
    SameKeyRenewal {
        /// Never: a renewal means a new key.
        Refuse = "refuse",
        /// Once at level 1, never across a revocation for compromise; never at levels 2 and 3.
        OnceAtLevel1 = "once-at-level-1",
    }
}

words! {
    /// What follows when a key is met that belongs to another holder (DOMAIN 8.3).
    HitEffect {
        /// Live credentials of the key are suspended, both holders are asked.
        SuspendAndInvestigate = "suspend-and-investigate",
        /// Both holders are asked.
        Investigate = "investigate",
    }
}

words! {
    /// How possession of a private key may be shown (DOMAIN 8.4).
    PossessionMethod {
        /// A PKCS #10 request with the challenge in it.
        Pkcs10Challenge = "pkcs10-challenge",
        /// The challenge signed as CMS.
        CmsChallenge = "cms-challenge",
        /// The platform's own session with its HSM.
        HsmSession = "hsm-session",
    }
}

words! {
    /// What follows when a sealing period ends without successor (DOMAIN 10).
    LateRotation {
        /// Sealing is refused.
        StopSealing = "stop-sealing",
    }
}

words! {
    /// What follows when a copy of a key is suspected (DOMAIN 8.6).
    CopySuspicion {
        /// The credential is suspended.
        Suspend = "suspend",
        /// The custodian is asked.
        Investigate = "investigate",
    }
}

words! {
    /// Class of evidence that a key was destroyed (DOMAIN 11).
    DestructionClass {
        /// Deletion in the platform's HSM, searched before and after.
        D1 = "D1",
        /// The device's own signed or attested log.
        D2 = "D2",
        /// A witnessed act.
        D3 = "D3",
        /// The custodian's signed statement.
        D4 = "D4",
        /// A disposer's certificate, cross-signed by the custodian.
        D5 = "D5",
    }
}

words! {
    /// What follows when evidence of destruction is missing on its due day (KM-17).
    MissingEvidence {
        /// The certificate is revoked as superseded, the key marked not evidenced.
        RevokeSuperseded = "revoke-superseded",
    }
}

words! {
    /// Export of the keys of party-type seals (KM-18, I-11).
    PartyTypeExport {
        /// Never.
        Never = "never",
    }
}

words! {
    /// How often a key may be delivered as PKCS #12 (KM-18).
    Delivery {
        /// Once.
        Once = "once",
        /// Never.
        Never = "never",
    }
}

words! {
    /// How an HSM's keys may be backed up.
    HsmBackup {
        /// Wrapped, inside one vendor's domain, by two custodians together.
        WrappedTwoCustodians = "wrapped, same vendor domain, two custodians",
        /// Not at all.
        Never = "never",
    }
}

/// A day in UTC, written `2030-12-31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(Timestamp);

/// Why a text is not a day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a day, written 2030-12-31")]
pub struct DayError(pub String);

impl Day {
    /// The day on which an instant lies.
    pub fn of(instant: Timestamp) -> Self {
        let civil = Civil { hour: 0, minute: 0, second: 0, millisecond: 0, ..instant.civil() };
        Self(Timestamp::from_civil(civil).unwrap_or(Timestamp::EPOCH))
    }

    /// Reads `2030-12-31`.
    pub fn parse(text: &str) -> Result<Self, DayError> {
        let first = Timestamp::parse(&format!("{text}T00:00:00Z"));
        first.map(Self).ok_or_else(|| DayError(text.to_owned()))
    }

    /// Its last whole second.
    pub const fn end(self) -> Timestamp {
        self.0.plus_seconds(86_399)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_date())
    }
}

impl TryFrom<String> for Day {
    type Error = DayError;
    fn try_from(text: String) -> Result<Self, DayError> {
        Self::parse(&text)
    }
}

impl From<Day> for String {
    fn from(day: Day) -> String {
        day.to_string()
    }
}

/// How many holders of shares must come together, of how many: `2 of 3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sharing {
    /// Shares needed.
    pub needed: i64,
    /// Shares made.
    pub made: i64,
}

/// Why a text is no sharing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not written like \"2 of 3\"")]
pub struct SharingError(pub String);

impl Sharing {
    /// Reads `2 of 3`: at least two are needed, at most as many as were made.
    pub fn parse(text: &str) -> Result<Self, SharingError> {
        let wrong = || SharingError(text.to_owned());
        let (needed, made) = text.split_once(" of ").ok_or_else(wrong)?;
        let number = |part: &str| {
            let plain = part.bytes().all(|b| b.is_ascii_digit()) && !part.starts_with('0');
            plain.then(|| part.parse::<u8>().ok()).flatten().map(i64::from).ok_or_else(wrong)
        };
        let (needed, made) = (number(needed)?, number(made)?);
        if needed < 2 || needed > made {
            return Err(wrong());
        }
        Ok(Self { needed, made })
    }
}

impl fmt::Display for Sharing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.needed, self.made)
    }
}

impl TryFrom<String> for Sharing {
    type Error = SharingError;
    fn try_from(text: String) -> Result<Self, SharingError> {
        Self::parse(&text)
    }
}

impl From<Sharing> for String {
    fn from(sharing: Sharing) -> String {
        sharing.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_with_its_last_second() {
        let day = Day::parse("2030-12-31").unwrap();
        assert_eq!(day.end().to_string(), "2030-12-31T23:59:59Z");
        assert_eq!(Day::of(day.end()), day);
        assert_eq!(day.to_string(), "2030-12-31");
        assert!(Day::parse("2030-02-30").is_err());
    }

    #[test]
    fn a_sharing_needs_two_and_has_enough() {
        assert_eq!(Sharing::parse("2 of 3").unwrap(), Sharing { needed: 2, made: 3 });
        for text in ["1 of 3", "4 of 3", "2of3", "2 of 03", "", "+2 of 3"] {
            assert!(Sharing::parse(text).is_err(), "{text}");
        }
    }
}

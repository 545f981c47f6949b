//! The key-management policy: what it allows, and its digest (DOMAIN 7).
//!
//! The document that operators write comes later; this is its parsed form, and the two documents
//! that every installation starts from.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::canonical::{CanonicalError, Digest};
use crate::key::{KeyAlgorithm, OriginClass, words};
use crate::level::Level;
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

words! {
    /// What an installation is for.
    Installation {
        /// To try it out: marked everywhere, one person may do everything, keys in files.
        Evaluation = "evaluation",
        /// For real.
        Production = "production",
    }
}

/// What the policy says about one level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelPolicy {
    /// Allowed algorithms and sizes (KM-1).
    pub algorithms: Vec<KeyAlgorithm>,
    /// The last instant at which RSA 2048 is allowed, where it is listed.
    pub rsa_2048_until: Option<Timestamp>,
    /// Longest validity of a certificate, in days (KM-12).
    pub validity_days: i64,
    /// How long a key may seal, in days from activation.
    pub sealing_days: i64,
    /// Lowest origin class of a key (KM-8).
    pub origin: OriginClass,
}

/// A key-management policy in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPolicy {
    /// Identifier of the document.
    pub id: String,
    /// Version of the document.
    pub version: String,
    /// Level 1.
    pub level1: LevelPolicy,
    /// Level 2.
    pub level2: LevelPolicy,
    /// Level 3.
    pub level3: LevelPolicy,
    /// Live instances of one seal (KM-14).
    pub max_instances: i64,
    /// Validity of an OCSP signer, in days.
    pub ocsp_signer_days: i64,
    /// Days after which an OCSP signer gets a successor with a new key.
    pub ocsp_signer_rotation_days: i64,
    /// Validity of a list signer, in days.
    pub list_signer_days: i64,
    /// Proofing records a level needs before anything is issued (DOMAIN 16): the highest level
    /// that the operator's own register look-up (P1) suffices for.
    pub register_lookup_suffices: Level,
}

impl KeyPolicy {
    /// The policy that an installation starts from.
    ///
    /// The evaluation policy takes keys of unknown origin and the operator's register look-up at
    /// every level; such certificates name an authority that calls itself an evaluation.
    pub fn initial(installation: Installation) -> Self {
        use KeyAlgorithm::{P256, P384, P521, Rsa2048, Rsa3072, Rsa4096};
        let level =
            |algorithms: &[KeyAlgorithm], validity_days, sealing_days, origin| LevelPolicy {
                algorithms: algorithms.to_vec(),
                rsa_2048_until: algorithms
                    .contains(&Rsa2048)
                    .then_some(Timestamp::from_seconds(1_924_991_999)), // 2030-12-31T23:59:59Z
                validity_days,
                sealing_days,
                origin: match installation {
                    Installation::Evaluation => OriginClass::K0,
                    Installation::Production => origin,
                },
            };
        let all = [Rsa2048, Rsa3072, Rsa4096, P256, P384, P521];
        Self {
            id: format!("kmp-{installation}"),
            version: "2026.11".to_owned(),
            level1: level(&all, 1095, 1095, OriginClass::K0),
            level2: level(&[Rsa3072, Rsa4096, P256, P384, P521], 825, 730, OriginClass::K1),
            level3: level(&[Rsa3072, Rsa4096, P256, P384], 825, 395, OriginClass::K2),
            max_instances: 20,
            ocsp_signer_days: 30,
            ocsp_signer_rotation_days: 14,
            list_signer_days: 730,
            register_lookup_suffices: match installation {
                Installation::Evaluation => Level::Three,
                Installation::Production => Level::One,
            },
        }
    }

    /// What it says about a level.
    pub const fn level(&self, level: Level) -> &LevelPolicy {
        match level {
            Level::One => &self.level1,
            Level::Two => &self.level2,
            Level::Three => &self.level3,
        }
    }

    /// The digest of its canonical JSON (RFC 8785), named by every certificate and refusal.
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        Digest::of_json(&json!(self))
    }

    /// KM-1: algorithm and size are in the level's list, and RSA 2048 is not past its date.
    pub fn check_algorithm(
        &self,
        level: Level,
        algorithm: KeyAlgorithm,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let rules = self.level(level);
        let late =
            algorithm == KeyAlgorithm::Rsa2048 && rules.rsa_2048_until.is_none_or(|t| t < now);
        if rules.algorithms.contains(&algorithm) && !late {
            return Ok(());
        }
        let allowed: Vec<_> = rules.algorithms.iter().map(|a| a.name()).collect();
        Err(Refusal::new(RefusalCode::KeyAlgorithm, "KM-1")
            .with("algorithm", algorithm)
            .with("level", level)
            .with("allowed", allowed.join(", ")))
    }

    /// KM-8: the origin of the key is shown as far as the level needs. K2, K3 and K4 satisfy the
    /// same demands; K1 ranks above K0 (DOMAIN 9).
    pub fn check_origin(&self, level: Level, origin: OriginClass) -> Result<(), Refusal> {
        let rank = |class: OriginClass| match class {
            OriginClass::K0 => 0,
            OriginClass::K1 => 1,
            OriginClass::K2 | OriginClass::K3 | OriginClass::K4 => 2,
        };
        let needed = self.level(level).origin;
        if rank(origin) >= rank(needed) {
            return Ok(());
        }
        Err(Refusal::new(RefusalCode::OriginInsufficient, "KM-8")
            .with("origin", origin)
            .with("needed", needed)
            .with("level", level))
    }

    /// KM-12: the requested validity is positive and within the level's maximum.
    pub fn check_validity(&self, level: Level, days: i64) -> Result<(), Refusal> {
        let most = self.level(level).validity_days;
        if (1..=most).contains(&days) {
            return Ok(());
        }
        Err(Refusal::new(RefusalCode::ValidityExceeded, "KM-12")
            .with("days", days)
            .with("most", most)
            .with("level", level))
    }

    /// DOMAIN 16: the proofing at hand suffices for the level. What is at hand now is the
    /// operator's register look-up made when the organisation was recorded.
    pub fn check_proofing(&self, level: Level) -> Result<(), Refusal> {
        if level <= self.register_lookup_suffices {
            return Ok(());
        }
        Err(Refusal::new(RefusalCode::ProofingMissing, "16").with("level", level))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_371_000);

    fn policy() -> KeyPolicy {
        KeyPolicy::initial(Installation::Production)
    }

    #[test]
    fn km_1_refuses_what_the_level_does_not_list() {
        assert!(policy().check_algorithm(Level::One, KeyAlgorithm::Rsa2048, NOW).is_ok());
        let after = Timestamp::parse("2031-01-01T00:00:00Z").unwrap();
        for (level, algorithm, now) in [
            (Level::One, KeyAlgorithm::Rsa2048, after),
            (Level::Two, KeyAlgorithm::Rsa2048, NOW),
            (Level::Three, KeyAlgorithm::P521, NOW),
        ] {
            let refused = policy().check_algorithm(level, algorithm, now).unwrap_err();
            assert_eq!(refused.code, RefusalCode::KeyAlgorithm);
        }
    }

    #[test]
    fn km_8_refuses_an_origin_below_the_level() {
        assert!(policy().check_origin(Level::One, OriginClass::K0).is_ok());
        assert!(policy().check_origin(Level::Three, OriginClass::K4).is_ok());
        let refused = policy().check_origin(Level::Three, OriginClass::K1).unwrap_err();
        assert_eq!(refused.code, RefusalCode::OriginInsufficient);
    }

    #[test]
    fn km_12_refuses_a_validity_beyond_the_level() {
        assert!(policy().check_validity(Level::Two, 825).is_ok());
        for days in [0, -1, 826] {
            let refused = policy().check_validity(Level::Two, days).unwrap_err();
            assert_eq!(refused.code, RefusalCode::ValidityExceeded);
        }
    }

    #[test]
    fn production_needs_more_than_a_register_look_up_from_level_2() {
        assert!(policy().check_proofing(Level::One).is_ok());
        let refused = policy().check_proofing(Level::Two).unwrap_err();
        assert_eq!(refused.code, RefusalCode::ProofingMissing);
    }

    #[test]
    fn the_digest_changes_with_the_policy() {
        let evaluation = KeyPolicy::initial(Installation::Evaluation);
        assert_ne!(evaluation.digest().unwrap(), policy().digest().unwrap());
    }
}

//! The policies that release 0.1 stored, before there was a document.
//!
//! Certificates and applications name them by their digest, so they keep it for ever. What they
//! did not say is filled in from the document that this release starts from.

use serde::Deserialize;

use super::sections::LevelAlgorithms;
use super::words::{Curve, Day};
use super::{Installation, KeyPolicy};
use crate::canonical::Digest;
use crate::key::{KeyAlgorithm, OriginClass};
use crate::level::Level;
use crate::time::Timestamp;

// Stored. Never change it.
#[derive(Deserialize)]
struct FormerLevel {
    algorithms: Vec<KeyAlgorithm>,
    rsa_2048_until: Option<Timestamp>,
    validity_days: i64,
    sealing_days: i64,
    origin: OriginClass,
}

// Stored. Never change it.
#[derive(Deserialize)]
pub(super) struct FormerPolicy {
    id: String,
    version: String,
    level1: FormerLevel,
    level2: FormerLevel,
    level3: FormerLevel,
    max_instances: i64,
    ocsp_signer_days: i64,
    list_signer_days: i64,
    register_lookup_suffices: Level,
}

impl FormerPolicy {
    /// The policy as a document, under the digest that it always had.
    pub(super) fn filled(self, digest: Digest) -> KeyPolicy {
        let installation = match self.register_lookup_suffices {
            Level::One | Level::Two => Installation::Production,
            Level::Three => Installation::Evaluation,
        };
        let mut policy = KeyPolicy::initial(installation);
        policy.id = self.id;
        policy.version = self.version;
        policy.instances.max_per_seal = self.max_instances;
        policy.validity.ocsp_signer = self.ocsp_signer_days;
        policy.validity.list_signer = self.list_signer_days;
        policy.validity.level1 = self.level1.validity_days;
        policy.validity.level2 = self.level2.validity_days;
        policy.validity.level3 = self.level3.validity_days;
        policy.sealing_period.level1 = self.level1.sealing_days;
        policy.sealing_period.level2 = self.level2.sealing_days;
        policy.sealing_period.level3 = self.level3.sealing_days;
        policy.origin.level1 = self.level1.origin;
        policy.origin.level2 = self.level2.origin;
        policy.origin.level3 = self.level3.origin;
        policy.algorithms.level1 = self.level1.algorithms();
        policy.algorithms.level2 = self.level2.algorithms();
        policy.algorithms.level3 = self.level3.algorithms();
        policy.former = Some(digest);
        policy
    }
}

impl FormerLevel {
    fn algorithms(&self) -> LevelAlgorithms {
        let names = || self.algorithms.iter().map(|algorithm| algorithm.name());
        LevelAlgorithms {
            rsa_bits: names().filter_map(|name| name.strip_prefix("RSA-")?.parse().ok()).collect(),
            rsa_2048_until: self.rsa_2048_until.map(Day::of),
            ec_curves: names().filter_map(Curve::from_word).collect(),
            eddsa: Vec::new(),
            ml_dsa: Vec::new(),
        }
    }
}

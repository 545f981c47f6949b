//! The key-management policy: one declarative document, what it allows, and its digest (DOMAIN 7).
//!
//! A field's path here is the key's path in the document: `policy.rotation.open_days`. How a draft
//! is approved and comes into force is not here.

pub mod document;
pub mod draft;
mod former;
mod reader;
mod rules;
mod sections;
mod words;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use self::rules::Rule;
pub use self::sections::{
    Algorithms, AuthorityAlgorithms, Ceremony, Clock, Deliveries, Destruction, Evidence,
    ExportAndBackup, Instances, LevelAlgorithms, Origin, Possession, Presence, Rotation,
    SealingPeriod, Uniqueness, Validity, WeakKeys,
};
use self::sections::{Document, Header};
pub use self::words::{
    CopySuspicion, Curve, Day, DayError, Delivery, DestructionClass, EdwardsCurve, FactorScan,
    HitEffect, HsmBackup, LateRotation, MissingEvidence, MlDsaSet, PartyTypeExport,
    PossessionMethod, SameKeyRenewal, Sharing, SharingError, SignatureHash, UniquenessScope,
};
use crate::canonical::{CanonicalError, Digest, canonical};
use crate::container::Container;
use crate::key::{KeyAlgorithm, OriginClass, words};
use crate::level::Level;
use crate::name::comparable;
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

impl Installation {
    /// The text of the policy document that an installation starts from.
    pub const fn policy_text(self) -> &'static str {
        match self {
            Self::Evaluation => include_str!("policy/evaluation.toml"),
            Self::Production => include_str!("policy/production.toml"),
        }
    }
}

/// What the policy says about one level, taken together from its sections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelPolicy {
    /// Allowed algorithms and sizes that this program knows (KM-1).
    pub algorithms: Vec<KeyAlgorithm>,
    /// The last instant at which RSA 2048 is allowed, where it is listed.
    pub rsa_2048_until: Option<Timestamp>,
    /// Longest validity of a certificate, in days (KM-12).
    pub validity_days: i64,
    /// How long a key may seal, in days from activation.
    pub sealing_days: i64,
    /// Lowest origin class of a key (KM-8).
    pub origin: OriginClass,
    /// Classes of evidence that a key was destroyed which suffice (KM-17).
    pub destruction: Vec<DestructionClass>,
}

/// A key-management policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPolicy {
    /// `policy.id`: identifier of the document.
    pub id: String,
    /// `policy.version`: version of the document.
    pub version: String,
    /// `policy.effective_from`: from when it holds.
    pub effective_from: Timestamp,
    /// `policy.authorities`: codes of the authorities it holds for; `*` for all.
    pub authorities: Vec<String>,
    /// `policy.approvals_required`: approvals that its successor needs, by others than the author.
    pub approvals_required: i64,
    /// `policy.cooling_off_hours`: hours between the last approval and effect.
    pub cooling_off_hours: i64,
    /// `[algorithms]`
    pub algorithms: Algorithms,
    /// `[weak_keys]`
    pub weak_keys: WeakKeys,
    /// `[uniqueness]`
    pub uniqueness: Uniqueness,
    /// `[possession]`
    pub possession: Possession,
    /// `[origin]`
    pub origin: Origin,
    /// `[validity]`
    pub validity: Validity,
    /// `[sealing_period]`
    pub sealing_period: SealingPeriod,
    /// `[rotation]`
    pub rotation: Rotation,
    /// `[instances]`
    pub instances: Instances,
    /// `[destruction]`
    pub destruction: Destruction,
    /// `[export_and_backup]`
    pub export_and_backup: ExportAndBackup,
    /// `[ceremony]`
    pub ceremony: Ceremony,
    /// `[clock]`
    pub clock: Clock,
    /// `[evidence]`
    pub evidence: Evidence,
    /// The digest of a policy that was stored before there were documents.
    former: Option<Digest>,
}

/// Why a stored policy cannot be read back.
#[derive(Debug, thiserror::Error)]
#[error("the stored policy cannot be read")]
pub struct StoredPolicyError(#[from] serde_json::Error);

impl From<Document> for KeyPolicy {
    fn from(document: Document) -> Self {
        let Header {
            id,
            version,
            effective_from,
            authorities,
            approvals_required,
            cooling_off_hours,
        } = document.policy;
        Self {
            id,
            version,
            effective_from,
            authorities,
            approvals_required,
            cooling_off_hours,
            algorithms: document.algorithms,
            weak_keys: document.weak_keys,
            uniqueness: document.uniqueness,
            possession: document.possession,
            origin: document.origin,
            validity: document.validity,
            sealing_period: document.sealing_period,
            rotation: document.rotation,
            instances: document.instances,
            destruction: document.destruction,
            export_and_backup: document.export_and_backup,
            ceremony: document.ceremony,
            clock: document.clock,
            evidence: document.evidence,
            former: None,
        }
    }
}

/// Its JSON has the structure of the document.
impl Serialize for KeyPolicy {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.document().serialize(to)
    }
}

impl KeyPolicy {
    /// The policy that an installation starts from.
    ///
    /// The evaluation policy takes keys of unknown origin at every level; such certificates name an
    /// authority that calls itself an evaluation.
    ///
    /// # Panics
    /// Never: the two documents are part of the program, and a test reads both.
    #[expect(clippy::panic, reason = "the two texts are part of the program; a test reads both")]
    pub fn initial(installation: Installation) -> Self {
        match document::parse(installation.policy_text(), installation) {
            Ok(policy) => policy,
            Err(errors) => panic!("the policy document that is built in is wrong: {errors:?}"),
        }
    }

    /// The document's own structure.
    fn document(&self) -> Document {
        Document {
            policy: Header {
                id: self.id.clone(),
                version: self.version.clone(),
                effective_from: self.effective_from,
                authorities: self.authorities.clone(),
                approvals_required: self.approvals_required,
                cooling_off_hours: self.cooling_off_hours,
            },
            algorithms: self.algorithms.clone(),
            weak_keys: self.weak_keys.clone(),
            uniqueness: self.uniqueness.clone(),
            possession: self.possession.clone(),
            origin: self.origin.clone(),
            validity: self.validity.clone(),
            sealing_period: self.sealing_period.clone(),
            rotation: self.rotation.clone(),
            instances: self.instances.clone(),
            destruction: self.destruction.clone(),
            export_and_backup: self.export_and_backup.clone(),
            ceremony: self.ceremony.clone(),
            clock: self.clock.clone(),
            evidence: self.evidence.clone(),
        }
    }

    /// What it says about a level.
    pub fn level(&self, level: Level) -> LevelPolicy {
        let rules = self.algorithms.level(level);
        LevelPolicy {
            algorithms: rules.known(),
            rsa_2048_until: rules.rsa_2048_until.map(Day::end),
            validity_days: *self.validity.level(level),
            sealing_days: *self.sealing_period.level(level),
            origin: *self.origin.level(level),
            destruction: self.destruction.level(level).clone(),
        }
    }

    /// Days after which an OCSP signer gets a successor with a new key: two days before its key may
    /// no longer sign, so that a failed run can be repeated (DOMAIN 12.5).
    pub fn ocsp_signer_rotation_days(&self) -> i64 {
        self.sealing_period.ocsp_signer.saturating_sub(2).max(1)
    }

    /// Whether it holds for an authority, by its code.
    pub fn holds_for(&self, authority: &str) -> bool {
        self.authorities.iter().any(|code| code == "*" || code == authority)
    }

    /// Whether another that comes into force takes its place: the next version of the document, or
    /// a document for the same authorities.
    pub fn is_superseded_by(&self, next: &Self) -> bool {
        self.id == next.id || self.authorities == next.authorities
    }

    /// The canonical JSON of the document (RFC 8785): what is digested, and what is stored.
    pub fn canonical_json(&self) -> Result<String, CanonicalError> {
        canonical(&json!(self))
    }

    /// The digest of its canonical JSON (RFC 8785), named by every certificate and refusal.
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        match self.former {
            Some(digest) => Ok(digest),
            None => Ok(Digest::of(self.canonical_json()?.as_bytes())),
        }
    }

    /// Reads back what was stored: the canonical JSON of a document, or a policy as release 0.1
    /// stored it, which keeps the digest it had.
    pub fn from_stored(text: &str) -> Result<Self, StoredPolicyError> {
        let stored: Value = serde_json::from_str(text)?;
        if stored.get("policy").is_some() {
            return Ok(Document::deserialize(stored)?.into());
        }
        let former = former::FormerPolicy::deserialize(stored)?;
        Ok(former.filled(Digest::of(text.as_bytes())))
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
        let needed = self.level(level).origin;
        if rank(origin) >= rank(needed) {
            return Ok(());
        }
        Err(Refusal::new(RefusalCode::OriginInsufficient, "KM-8")
            .with("origin", origin)
            .with("needed", needed)
            .with("level", level))
    }

    /// KM-8: at level 3, where the policy wants more than a declaration, the model of a container is
    /// one that the policy lists or, where it lists none, its certification is recorded.
    pub fn check_container(&self, level: Level, container: &Container) -> Result<(), Refusal> {
        let listed = &self.origin.container_models_level3;
        let fits = if listed.is_empty() {
            !container.certification.is_empty()
        } else {
            listed.iter().any(|model| comparable(model) == comparable(&container.model))
        };
        let demanded =
            level == Level::Three && rank(self.level(level).origin) > rank(OriginClass::K1);
        if fits || !demanded {
            return Ok(());
        }
        let problem = if listed.is_empty() { "container-certification" } else { "container-model" };
        Err(Refusal::new(RefusalCode::OriginInsufficient, "KM-8")
            .with("problem", problem)
            .with("model", &container.model)
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

    /// KM-12: a sealing period is within the level's maximum. `days` counts begun days.
    pub fn check_sealing_period(&self, level: Level, days: i64) -> Result<(), Refusal> {
        let most = *self.sealing_period.level(level);
        // The period ends at an instant that still belongs to it.
        if days <= most.saturating_add(1) {
            return Ok(());
        }
        Err(Refusal::new(RefusalCode::ValidityExceeded, "KM-12")
            .with("days", days)
            .with("most", most)
            .with("level", level))
    }

    /// KM-14: a seal with `live` instances has room for another.
    pub fn check_instances(&self, live: i64) -> Result<(), Refusal> {
        let most = self.instances.max_per_seal;
        if live < most {
            return Ok(());
        }
        Err(Refusal::new(RefusalCode::InstancesExceeded, "KM-14")
            .with("live", live)
            .with("most", most))
    }
}

impl LevelAlgorithms {
    /// The algorithms that this program knows, in the order of the document.
    pub fn known(&self) -> Vec<KeyAlgorithm> {
        let rsa = self.rsa_bits.iter().map(|bits| format!("RSA-{bits}"));
        let ec = self.ec_curves.iter().map(ToString::to_string);
        let ml_dsa = self.ml_dsa.iter().map(ToString::to_string);
        let names = rsa.chain(ec).chain(ml_dsa);
        names.filter_map(|name| KeyAlgorithm::parse(&name).ok()).collect()
    }
}

impl AuthorityAlgorithms {
    /// The algorithms that this program knows, in the order of the document.
    pub fn known(&self) -> Vec<KeyAlgorithm> {
        let rsa = self.rsa_bits.iter().map(|bits| format!("RSA-{bits}"));
        let ec = self.ec_curves.iter().map(ToString::to_string);
        let ml_dsa = self.ml_dsa.iter().flatten().map(ToString::to_string);
        let names = rsa.chain(ec).chain(ml_dsa);
        names.filter_map(|name| KeyAlgorithm::parse(&name).ok()).collect()
    }
}

/// How much a class of origin shows: K2, K3 and K4 satisfy the same demands (DOMAIN 9).
const fn rank(class: OriginClass) -> u8 {
    match class {
        OriginClass::K0 => 0,
        OriginClass::K1 => 1,
        OriginClass::K2 | OriginClass::K3 | OriginClass::K4 => 2,
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
    fn the_digest_changes_with_the_policy() {
        let evaluation = KeyPolicy::initial(Installation::Evaluation);
        assert_ne!(evaluation.digest().unwrap(), policy().digest().unwrap());
    }
}

//! The sections of a policy document: each key of DOMAIN 7, once, with its type.
//!
//! From this one description come the strict reader, the list of known keys, the writer, and the
//! canonical JSON whose digest names the policy. What a combination of values may be is decided in
//! [`super::rules`].

use serde::{Deserialize, Serialize};

use super::reader::{Field, Reader, Section, Spot, joined};
use super::words::{
    CopySuspicion, Curve, Day, Delivery, DestructionClass, EdwardsCurve, FactorScan, HitEffect,
    HsmBackup, LateRotation, MissingEvidence, MlDsaSet, PartyTypeExport, PossessionMethod,
    SameKeyRenewal, Sharing, SignatureHash, UniquenessScope,
};
use crate::key::OriginClass;
use crate::level::Level;
use crate::time::Timestamp;

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($(#[$key_doc:meta])* $key:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name { $($(#[$key_doc])* pub $key: $kind,)* }

        impl Section for $name {
            fn entries(&self) -> Vec<(&'static str, String)> {
                let all = [$((stringify!($key), Field::written(&self.$key)),)*];
                all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
            }
        }

        impl Field for $name {
            fn keys(path: &str, known: &mut Vec<String>) {
                $(<$kind as Field>::keys(&joined(path, stringify!($key)), known);)*
            }

            fn read(reader: &mut Reader<'_>, spot: &Spot<'_>) -> Option<Self> {
                let table = reader.table(spot, &[$(stringify!($key)),*])?;
                $(let $key = reader.key::<$kind>(spot, table, stringify!($key));)*
                Some(Self { $($key: $key?,)* })
            }

            fn written(&self) -> Option<String> {
                let entries = self.entries().into_iter();
                let entries: Vec<_> = entries.map(|(key, value)| format!("{key} = {value}")).collect();
                Some(format!("{{ {} }}", entries.join(", ")))
            }
        }
    };
}

section! {
    /// `[policy]`: which document this is, for whom, and what its approval needs.
    Header {
        /// Identifier of the document.
        id: String,
        /// Version of the document.
        version: String,
        /// From when it holds.
        #[serde(with = "crate::time::text")]
        effective_from: Timestamp,
        /// Codes of the authorities it holds for; `*` for all.
        authorities: Vec<String>,
        /// Approvals that the next version needs, by others than its author.
        approvals_required: i64,
        /// Hours between the last approval and effect.
        cooling_off_hours: i64,
    }
}

section! {
    /// `[algorithms.levelN]`: what keys of seals may be (KM-1).
    LevelAlgorithms {
        /// Sizes of RSA moduli, in bits.
        rsa_bits: Vec<i64>,
        /// The last day of RSA 2048, where that is listed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rsa_2048_until: Option<Day>,
        /// Curves for ECDSA.
        ec_curves: Vec<Curve>,
        /// Edwards curves.
        eddsa: Vec<EdwardsCurve>,
        /// Parameter sets of ML-DSA.
        ml_dsa: Vec<MlDsaSet>,
    }
}

section! {
    /// `[algorithms.authority]`: what keys and signatures of authorities may be.
    AuthorityAlgorithms {
        /// Sizes of RSA moduli, in bits.
        rsa_bits: Vec<i64>,
        /// Curves for ECDSA.
        ec_curves: Vec<Curve>,
        /// Parameter sets of ML-DSA; none where the key is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ml_dsa: Option<Vec<MlDsaSet>>,
        /// Hash functions under signatures.
        signature_hashes: Vec<SignatureHash>,
    }
}

section! {
    /// `[algorithms]`: algorithms and sizes (KM-1).
    Algorithms {
        /// Level 1.
        level1: LevelAlgorithms,
        /// Level 2.
        level2: LevelAlgorithms,
        /// Level 3.
        level3: LevelAlgorithms,
        /// Authorities.
        authority: AuthorityAlgorithms,
    }
}

section! {
    /// `[weak_keys]`: what a public key is searched for (KM-2 to KM-5).
    WeakKeys {
        /// The one exponent allowed.
        rsa_exponent: i64,
        /// No prime factor below this number.
        rsa_small_factor_below: i64,
        /// Rounds of Fermat's factorisation that a modulus must withstand.
        rsa_fermat_rounds: i64,
        /// Whether the ROCA pattern is searched.
        rsa_roca: bool,
        /// Lists of keys of the broken Debian generator.
        rsa_debian_lists: Vec<String>,
        /// When all known moduli are searched for shared factors.
        rsa_shared_factor_scan: FactorScan,
        /// Whether points are fully validated.
        ec_full_validation: bool,
        /// Lists of keys whose private half is published.
        published_key_lists: Vec<String>,
        /// Whether keys that were blocked here are refused.
        blocked_key_store: bool,
    }
}

section! {
    /// `[uniqueness]`: one key, one instance, for ever (KM-6, KM-11).
    Uniqueness {
        /// Where a key may occur once only.
        scope: UniquenessScope,
        /// Whether imported feeds of other authorities count.
        include_other_authorities: bool,
        /// Whether keys count that passed possession but were never certified.
        include_unissued: bool,
        /// Whether a renewal may keep its key.
        same_key_renewal: SameKeyRenewal,
        /// What follows when a key of another holder is met.
        on_hit_other_holder: HitEffect,
    }
}

section! {
    /// `[possession]`: how possession of the private key is shown (KM-7).
    Possession {
        /// Minutes for which a challenge is fresh.
        fresh_challenge_minutes: i64,
        /// Ways to answer it.
        methods: Vec<PossessionMethod>,
    }
}

section! {
    /// `[origin]`: how far the origin of a key must be shown (KM-8, KM-9).
    Origin {
        /// Lowest class at level 1.
        level1: OriginClass,
        /// Lowest class at level 2.
        level2: OriginClass,
        /// Lowest class at level 3.
        level3: OriginClass,
        /// Vendors whose attestation is accepted.
        vendor_roots: Vec<String>,
        /// Oldest attestation accepted, in days.
        attestation_max_age_days: i64,
        /// Models of containers at level 3; empty: any model with recorded certification.
        container_models_level3: Vec<String>,
    }
}

section! {
    /// `[validity]`: longest validity of certificates, in days (KM-12).
    Validity {
        /// Seals of level 1.
        level1: i64,
        /// Seals of level 2.
        level2: i64,
        /// Seals of level 3.
        level3: i64,
        /// OCSP signers.
        ocsp_signer: i64,
        /// Time-stamping units.
        tsa: i64,
        /// Signers of trusted lists.
        list_signer: i64,
        /// Administrators.
        administrator: i64,
    }
}

section! {
    /// `[sealing_period]`: how long a key may sign, in days from activation (KM-12, KM-13).
    SealingPeriod {
        /// Seals of level 1.
        level1: i64,
        /// Seals of level 2.
        level2: i64,
        /// Seals of level 3.
        level3: i64,
        /// Time-stamping units.
        tsa: i64,
        /// Signers of trusted lists.
        list_signer: i64,
        /// OCSP signers.
        ocsp_signer: i64,
    }
}

section! {
    /// `[rotation]`: when a key gets its successor (DOMAIN 10).
    Rotation {
        /// Days before the end of the sealing period at which the first reminder goes out.
        lead_days: i64,
        /// Days before the end of the sealing period from which a successor may be issued.
        open_days: i64,
        /// Longest time for which predecessor and successor both seal, in days.
        overlap_days_max: i64,
        /// What follows when there is no successor in time.
        late: LateRotation,
        /// Hours within which an emergency rotation is to be done.
        emergency_hours: i64,
    }
}

section! {
    /// `[instances]`: keys of one seal (KM-14).
    Instances {
        /// Live instances of one seal.
        max_per_seal: i64,
        /// Days within which containers that can count must report their use.
        usage_report_days: i64,
        /// What follows when a copy is suspected.
        copy_suspicion: CopySuspicion,
    }
}

section! {
    /// `[destruction]`: evidence that retired keys are gone (KM-17, DOMAIN 11).
    Destruction {
        /// Days after retirement on which evidence is due.
        due_days_after_retiring: i64,
        /// Days after compromise on which evidence is due.
        due_days_after_compromise: i64,
        /// Classes that suffice at level 1.
        level1: Vec<DestructionClass>,
        /// Classes that suffice at level 2.
        level2: Vec<DestructionClass>,
        /// Classes that suffice at level 3.
        level3: Vec<DestructionClass>,
        /// Classes that suffice for keys of authorities.
        authority: Vec<DestructionClass>,
        /// What follows when evidence is missing.
        missing: MissingEvidence,
        /// Whether every copy must be accounted for (DE-1).
        backup_inventory_required: bool,
    }
}

section! {
    /// `pkcs12_delivery`: how often a key may be handed over as a file (KM-18).
    Deliveries {
        /// Level 1.
        level1: Delivery,
        /// Level 2.
        level2: Delivery,
        /// Level 3.
        level3: Delivery,
    }
}

section! {
    /// `[export_and_backup]`: what may leave a container (KM-18, I-11).
    ExportAndBackup {
        /// Export of party-type keys.
        party_type_export: PartyTypeExport,
        /// Delivery as PKCS #12.
        pkcs12_delivery: Deliveries,
        /// Backup of HSM keys.
        hsm_backup: HsmBackup,
    }
}

section! {
    /// Who must be present at an act with an authority's key (KM-19).
    Presence {
        /// Persons with a share in the act.
        persons: i64,
        /// Witnesses besides; none where the key is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        witness: Option<i64>,
        /// Whether an auditor or a recording must be there; no where the key is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        auditor_or_recording: Option<bool>,
    }
}

section! {
    /// `[ceremony]`: acts with keys of authorities (KM-19).
    Ceremony {
        /// Making a key.
        authority_key_generation: Presence,
        /// Activating a key.
        authority_key_activation: Presence,
        /// Destroying a key.
        authority_key_destruction: Presence,
        /// How the secret that guards a key is shared.
        secret_sharing: Sharing,
    }
}

section! {
    /// `[clock]`: how far the clock may be off (KM-20).
    Clock {
        /// Largest offset, in milliseconds.
        max_offset_ms: i64,
        /// Longest time between two checks, in hours.
        sync_check_hours: i64,
    }
}

section! {
    /// `[evidence]`: how long records are kept (DOMAIN 18).
    Evidence {
        /// Years after the expiry of the last certificate concerned.
        retention_years_after_expiry: i64,
        /// Whether checkpoints of the audit trail are time-stamped.
        timestamp_checkpoints: bool,
    }
}

section! {
    /// The whole document, as it is written, digested and stored.
    Document {
        /// `[policy]`.
        policy: Header,
        /// `[algorithms]`.
        algorithms: Algorithms,
        /// `[weak_keys]`.
        weak_keys: WeakKeys,
        /// `[uniqueness]`.
        uniqueness: Uniqueness,
        /// `[possession]`.
        possession: Possession,
        /// `[origin]`.
        origin: Origin,
        /// `[validity]`.
        validity: Validity,
        /// `[sealing_period]`.
        sealing_period: SealingPeriod,
        /// `[rotation]`.
        rotation: Rotation,
        /// `[instances]`.
        instances: Instances,
        /// `[destruction]`.
        destruction: Destruction,
        /// `[export_and_backup]`.
        export_and_backup: ExportAndBackup,
        /// `[ceremony]`.
        ceremony: Ceremony,
        /// `[clock]`.
        clock: Clock,
        /// `[evidence]`.
        evidence: Evidence,
    }
}

macro_rules! by_level {
    ($($name:ident: $kind:ty,)*) => {$(
        impl $name {
            /// What it says about a level.
            pub const fn level(&self, level: Level) -> &$kind {
                match level {
                    Level::One => &self.level1,
                    Level::Two => &self.level2,
                    Level::Three => &self.level3,
                }
            }
        }
    )*};
}

by_level! {
    Algorithms: LevelAlgorithms,
    Origin: OriginClass,
    Validity: i64,
    SealingPeriod: i64,
    Destruction: Vec<DestructionClass>,
    Deliveries: Delivery,
}

impl Presence {
    /// Witnesses needed.
    pub fn witnesses(&self) -> i64 {
        self.witness.unwrap_or(0)
    }

    /// Whether an auditor or a recording is needed.
    pub fn is_observed(&self) -> bool {
        self.auditor_or_recording.unwrap_or(false)
    }
}

impl Document {
    /// The document as TOML, without comments; reading it gives the same document.
    pub(super) fn to_toml(&self) -> String {
        let algorithms = &self.algorithms;
        let blocks = [
            ("policy", self.policy.entries()),
            ("algorithms.level1", algorithms.level1.entries()),
            ("algorithms.level2", algorithms.level2.entries()),
            ("algorithms.level3", algorithms.level3.entries()),
            ("algorithms.authority", algorithms.authority.entries()),
            ("weak_keys", self.weak_keys.entries()),
            ("uniqueness", self.uniqueness.entries()),
            ("possession", self.possession.entries()),
            ("origin", self.origin.entries()),
            ("validity", self.validity.entries()),
            ("sealing_period", self.sealing_period.entries()),
            ("rotation", self.rotation.entries()),
            ("instances", self.instances.entries()),
            ("destruction", self.destruction.entries()),
            ("export_and_backup", self.export_and_backup.entries()),
            ("ceremony", self.ceremony.entries()),
            ("clock", self.clock.entries()),
            ("evidence", self.evidence.entries()),
        ];
        let written = blocks.map(|(name, entries)| {
            let lines = entries.iter().map(|(key, value)| format!("{key} = {value}"));
            format!("[{name}]\n{}\n", lines.collect::<Vec<_>>().join("\n"))
        });
        written.join("\n")
    }
}

//! The life of authorities: generations, cross-certificates, ceremonies (DOMAIN 6.7, 10).

use serde_json::json;

use super::{AuditCode, Facts, SignedCrl, authority_facts, certificate_facts, facts, key_facts};
use crate::authority::{Authority, AuthorityCode};
use crate::canonical::Digest;
use crate::ceremony::record::{CeremonyRecord, StepRecord};
use crate::certificate::Certificate;
use crate::exchange::{BundleKind, CompareCode};
use crate::id::{AuthorityId, CeremonyId, ExchangeId};
use crate::key::{Fingerprint, Key};
use crate::revocation::Revocation;
use crate::time::Timestamp;

/// The life of authorities: generations, cross-certificates, ceremonies (DOMAIN 6.7, 10).
#[derive(Clone, Debug, PartialEq)]
pub enum AuthorityEvent {
    /// An authority was decided on: its code is taken, its key not made yet.
    Planned {
        /// The plan.
        plan: AuthorityPlan,
    },
    /// An authority got its certificate and does not issue yet.
    Certified {
        /// The authority, with certificate.
        authority: Authority,
    },
    /// The root of an offline installation became known here by its certificate.
    RootReceived {
        /// What was received.
        root: Box<ReceivedRoot>,
    },
    /// An authority was put on hold.
    Suspended {
        /// The authority as it is now.
        authority: Authority,
        /// Why.
        reason: String,
    },
    /// A hold was lifted.
    Resumed {
        /// The authority as it is now.
        authority: Authority,
    },
    /// An authority got its next generation (RO-4).
    Renewed {
        /// The former generation.
        authority: Authority,
        /// The new one.
        successor: AuthorityId,
    },
    /// One root certified another.
    CrossCertified {
        /// The root that is certified.
        certified: AuthorityId,
        /// The cross-certificate.
        certificate: Certificate,
    },
    /// An authority stopped issuing for good.
    Retired {
        /// The authority as it is now.
        authority: Authority,
    },
    /// The key of an authority was destroyed.
    KeyDestroyed {
        /// Whose.
        authority: Authority,
        /// The fingerprint of the key.
        fingerprint: Fingerprint,
    },
    /// An authority ended: everything is expired or revoked, the last CRL issued, the key gone.
    Ended {
        /// The authority as it is now.
        authority: Authority,
    },
    /// A ceremony was opened.
    CeremonyOpened {
        /// The record, without steps.
        record: Box<CeremonyRecord>,
    },
    /// A step was done.
    CeremonyStep {
        /// Of which ceremony.
        ceremony: CeremonyId,
        /// The step.
        step: StepRecord,
    },
    /// A step went otherwise than the script says.
    CeremonyDeviated {
        /// Of which ceremony.
        ceremony: CeremonyId,
        /// At which step.
        step: i32,
    },
    /// A ceremony was closed.
    CeremonyClosed {
        /// The whole record.
        record: Box<CeremonyRecord>,
    },
    /// A bundle was sealed, or came in and was believed.
    Exchanged {
        /// The bundle.
        exchange: Box<Exchange>,
    },
    /// What would be done was rehearsed; nothing was changed.
    EmergencyRehearsed {
        /// The authority of the plan.
        authority: AuthorityId,
        /// How many certificates would be revoked.
        certificates: i64,
        /// The digest of the plan.
        plan: Digest,
        /// The plan as it was shown, JSON.
        document: String,
    },
    /// An authority was compromised and its certificate revoked by two persons (DOMAIN 14).
    Compromised {
        /// What was decided.
        compromise: Box<Compromise>,
    },
    /// A certificate that an offline key signed came in.
    CertificateReceived {
        /// The certificate.
        certificate: Certificate,
    },
    /// The key of another installation's authority became known here, to be certified.
    KeyReceived {
        /// The key.
        key: Key,
    },
    /// A CRL that an offline key signed came in.
    CrlReceived {
        /// The CRL.
        crl: SignedCrl,
    },
}

/// An authority that was decided on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorityPlan {
    /// The code that it will have.
    pub code: AuthorityCode,
    /// The ceremony that will make it.
    pub ceremony: CeremonyId,
    /// When it was decided on.
    pub at: Timestamp,
}

/// A root whose key is in an installation of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedRoot {
    /// The root.
    pub authority: Authority,
    /// Its key.
    pub key: Key,
    /// Its certificate.
    pub certificate: Certificate,
}

/// What was decided about an authority whose key was exposed.
#[derive(Clone, Debug, PartialEq)]
pub struct Compromise {
    /// The authority as it is now.
    pub authority: Authority,
    /// Its own certificates as they were, cross-certificates included.
    pub certificates: Vec<Certificate>,
    /// What relying parties are told.
    pub revocation: Revocation,
    /// The second person.
    pub confirmed_by: String,
}

/// A bundle on its way between two installations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The request's identifier.
    pub id: ExchangeId,
    /// Request or answer.
    pub kind: BundleKind,
    /// The root that signs.
    pub root: AuthorityCode,
    /// The digest of the bundle.
    pub digest: Digest,
    /// The code that people compared.
    pub code: CompareCode,
    /// The fingerprint of the key that sealed it.
    pub signer: Digest,
    /// The sealed bundle, JSON.
    pub document: String,
    /// When.
    pub at: Timestamp,
}

impl AuthorityEvent {
    /// What the record says beyond who, when and where from.
    pub(super) fn facts(&self) -> Facts {
        match self {
            Self::Planned { plan } => facts(
                AuditCode::CaPlanned,
                "ceremony",
                &plan.ceremony,
                json!({ "code": plan.code }),
            ),
            Self::Certified { authority } => authority_facts(AuditCode::CaCertified, authority),
            Self::RootReceived { root } => authority_facts(AuditCode::CaActivated, &root.authority),
            Self::Suspended { authority, reason } => {
                let mut facts = authority_facts(AuditCode::CaSuspended, authority);
                facts.detail.insert("reason".to_owned(), json!(reason));
                facts
            }
            Self::Resumed { authority } => authority_facts(AuditCode::CaActivated, authority),
            Self::Renewed { authority, successor } => {
                let mut facts = authority_facts(AuditCode::CaRenewed, authority);
                facts.detail.insert("successor".to_owned(), json!(successor));
                facts
            }
            Self::CrossCertified { certified, certificate } => certificate_facts(
                AuditCode::CaCrossCertified,
                certificate,
                json!({ "certified": certified }),
            ),
            Self::Retired { authority } => authority_facts(AuditCode::CaRetiring, authority),
            Self::KeyDestroyed { authority, fingerprint } => {
                let mut facts = authority_facts(AuditCode::CaKeyDestroyed, authority);
                facts.detail.insert("fingerprint".to_owned(), json!(fingerprint));
                facts
            }
            Self::Ended { authority } => authority_facts(AuditCode::CaEnded, authority),
            Self::CeremonyOpened { .. }
            | Self::CeremonyStep { .. }
            | Self::CeremonyDeviated { .. }
            | Self::CeremonyClosed { .. } => self.ceremony_facts(),
            Self::Exchanged { exchange } => facts(
                AuditCode::CaKeyUsedOffline,
                "exchange",
                &exchange.id,
                json!({
                    "bundle": exchange.kind,
                    "root": exchange.root,
                    "digest": exchange.digest,
                    "signer": exchange.signer,
                }),
            ),
            Self::EmergencyRehearsed { authority, certificates, plan, .. } => facts(
                AuditCode::CeremonyClosed,
                "authority",
                authority,
                json!({ "rehearsal": true, "certificates": certificates, "plan": plan }),
            ),
            Self::Compromised { compromise } => {
                let mut facts = authority_facts(AuditCode::CertRevoked, &compromise.authority);
                facts.detail.insert("cause".to_owned(), json!(compromise.revocation.cause));
                facts.detail.insert("confirmed-by".to_owned(), json!(compromise.confirmed_by));
                facts
            }
            Self::CertificateReceived { certificate } => {
                certificate_facts(AuditCode::CertIssued, certificate, json!({ "offline": true }))
            }
            Self::KeyReceived { key } => key_facts(AuditCode::KeyPresented, key),
            Self::CrlReceived { crl } => facts(
                AuditCode::CrlIssued,
                "authority",
                &crl.authority,
                json!({ "number": crl.number, "entries": crl.entries, "offline": true }),
            ),
        }
    }

    fn ceremony_facts(&self) -> Facts {
        match self {
            Self::CeremonyOpened { record } => facts(
                AuditCode::CeremonyOpened,
                "ceremony",
                &record.ceremony.id,
                json!({ "kind": record.ceremony.kind, "script": record.script }),
            ),
            Self::CeremonyStep { ceremony, step } => facts(
                AuditCode::CeremonyStep,
                "ceremony",
                ceremony,
                json!({ "step": step.number, "ticks": step.ticks.len() }),
            ),
            Self::CeremonyDeviated { ceremony, step } => {
                facts(AuditCode::CeremonyDeviation, "ceremony", ceremony, json!({ "step": step }))
            }
            Self::CeremonyClosed { record } => facts(
                AuditCode::CeremonyClosed,
                "ceremony",
                &record.ceremony.id,
                json!({
                    "kind": record.ceremony.kind,
                    "record": record.digest().ok(),
                    "evaluation": record.is_evaluation(),
                }),
            ),
            Self::Planned { .. }
            | Self::Certified { .. }
            | Self::RootReceived { .. }
            | Self::Suspended { .. }
            | Self::Resumed { .. }
            | Self::Renewed { .. }
            | Self::CrossCertified { .. }
            | Self::Retired { .. }
            | Self::KeyDestroyed { .. }
            | Self::Ended { .. }
            | Self::Exchanged { .. }
            | Self::EmergencyRehearsed { .. }
            | Self::Compromised { .. }
            | Self::CertificateReceived { .. }
            | Self::KeyReceived { .. }
            | Self::CrlReceived { .. } => self.facts(),
        }
    }
}

//! The life of containers, instances and keys: rotation, retirement, destruction (DOMAIN 10, 11).

use serde_json::{Value, json};

use super::{AuditCode, Facts, Outcome, certificate_facts, facts, key_facts};
use crate::canonical::Digest;
use crate::certificate::Certificate;
use crate::container::{Container, ContainerState};
use crate::destruction::{Decision, Evidence, EvidenceState};
use crate::id::{ApplicationId, BranchId, ContainerId, OrderId, OrganisationId};
use crate::key::Key;
use crate::policy::DestructionClass;
use crate::revocation::Revocation;
use crate::suspension::Suspension;
use crate::time::Timestamp;

/// The life of containers, instances and keys: rotation, retirement, destruction (DOMAIN 10, 11).
#[derive(Clone, Debug, PartialEq)]
pub enum LifeEvent {
    /// A certificate was put on hold.
    Suspended {
        /// The certificate as it was before.
        certificate: Certificate,
        /// The hold.
        suspension: Suspension,
        /// The requester's words.
        comment: String,
    },
    /// The one extension of a hold was asked for, or granted.
    SuspensionExtended {
        /// The certificate.
        certificate: Certificate,
        /// The hold as it is now.
        suspension: Suspension,
    },
    /// A hold was lifted.
    Released {
        /// The certificate as it was before.
        certificate: Certificate,
        /// The officer's words.
        comment: String,
    },
    /// A certificate was delivered with a challenge that its new key must sign.
    Delivered {
        /// The certificate.
        certificate: Certificate,
        /// The challenge.
        challenge: Digest,
        /// Until when it may be answered.
        until: Timestamp,
    },
    /// The new key signed the challenge: the certificate is in use.
    Acknowledged {
        /// The certificate as it was before.
        certificate: Certificate,
    },
    /// No acknowledgement came in time.
    NotAccepted {
        /// The certificate as it was before.
        certificate: Certificate,
        /// What relying parties are told.
        revocation: Revocation,
    },
    /// A successor may be issued from now on.
    RotationOpened {
        /// The certificate.
        certificate: Certificate,
    },
    /// The sealing period ended without a successor in use.
    RotationLate {
        /// The certificate.
        certificate: Certificate,
    },
    /// A certificate stopped sealing, and its key with it; the status stays good (RO-1).
    Retired {
        /// The certificate as it was before.
        certificate: Certificate,
        /// When evidence of destruction is due.
        due: Timestamp,
    },
    /// The validity of a certificate ended.
    Expired {
        /// The certificate.
        certificate: Certificate,
    },
    /// Evidence of destruction is awaited.
    DestructionDue {
        /// The key as it was before.
        key: Key,
        /// Whose.
        organisation: OrganisationId,
        /// When it is due.
        due: Timestamp,
    },
    /// Evidence is missing on its day: the key is marked as not evidenced (KM-17).
    NotEvidenced {
        /// The key.
        key: Key,
        /// Whose.
        organisation: OrganisationId,
    },
    /// The platform is about to destroy a key in its own key store: what it planned and what it saw
    /// are kept before the key moves.
    DestructionBegun {
        /// The planned evidence; its report is the search before.
        evidence: Evidence,
        /// Whose key.
        organisation: OrganisationId,
    },
    /// A destruction that was begun did not happen: the key is still there.
    DestructionBrokenOff {
        /// The planned evidence.
        evidence: Evidence,
        /// Whose key.
        organisation: OrganisationId,
    },
    /// Evidence was handed in.
    EvidenceHanded {
        /// The evidence.
        evidence: Evidence,
        /// Whose key.
        organisation: OrganisationId,
    },
    /// One officer decided on evidence.
    EvidenceDecided {
        /// The evidence.
        evidence: Evidence,
        /// Whose key.
        organisation: OrganisationId,
        /// Who decided.
        person: String,
        /// How.
        decision: Decision,
        /// Why.
        reason: String,
        /// The state of the evidence after it.
        state: EvidenceState,
    },
    /// A key is destroyed, with accepted evidence.
    Destroyed {
        /// The key as it was before.
        key: Key,
        /// Whose.
        organisation: OrganisationId,
        /// The class of the evidence.
        class: DestructionClass,
        /// When the last copy ended.
        at: Timestamp,
    },
    /// The container of a key is gone without evidence.
    Lost {
        /// The key as it was before.
        key: Key,
        /// Whose.
        organisation: OrganisationId,
        /// What happened.
        comment: String,
    },
    /// A seal by a destroyed key has a later proven time (DE-5).
    SeenAfterDestruction {
        /// The certificate.
        certificate: Certificate,
        /// When the key was destroyed.
        destroyed: Timestamp,
        /// The proven time of the seal.
        seen: Timestamp,
    },
    /// A container counted the uses of a key.
    UsageReported {
        /// The key.
        key: Key,
        /// Whose.
        organisation: OrganisationId,
        /// The count.
        uses: i64,
        /// The serial number of the device that counted.
        device: String,
    },
    /// Something hints at a copy of a key (DOMAIN 8.6).
    CopySuspected {
        /// The key.
        key: Key,
        /// Whose.
        organisation: OrganisationId,
        /// What: `other-container`, `counter-backwards`, `counter-jump`, `late-seal`, `reported`.
        signal: String,
    },
    /// A container was registered.
    ContainerRegistered {
        /// The container.
        container: Container,
    },
    /// A container was checked, and its state led on.
    ContainerVerified {
        /// The container as it is now.
        container: Container,
        /// The digest of the evidence.
        evidence: Digest,
    },
    /// A container got another custodian.
    CustodianChanged {
        /// The container as it is now.
        container: Container,
    },
    /// A container moved to another state: quarantined, back in use, retired.
    ContainerMoved {
        /// The container as it is now.
        container: Container,
    },
    /// A container was disposed of.
    ContainerDisposed {
        /// The container as it is now.
        container: Container,
        /// The digest of the disposal record.
        evidence: Digest,
    },
    /// A key was recorded as living in a container, for its whole life (I-1).
    KeyPlaced {
        /// The key.
        key: Key,
        /// Whose.
        organisation: OrganisationId,
        /// Where.
        container: ContainerId,
    },
    /// Several instances were ordered at once, each with its own application.
    InstancesOrdered {
        /// The order.
        order: OrderId,
        /// Whose.
        organisation: OrganisationId,
        /// For which branch.
        branch: BranchId,
        /// The applications, in the order of their instances.
        applications: Vec<ApplicationId>,
    },
}

impl LifeEvent {
    /// What the record says beyond who, when and where from.
    #[expect(clippy::too_many_lines, reason = "one arm for each event")]
    pub(super) fn facts(&self) -> Facts {
        match self {
            Self::Suspended { certificate, suspension, comment } => {
                let more = json!({
                    "because": suspension.because,
                    "until": suspension.until.to_string(),
                    "comment": comment,
                });
                certificate_facts(AuditCode::CertSuspended, certificate, more)
            }
            Self::SuspensionExtended { certificate, suspension } => {
                let more = json!({
                    "until": suspension.until.to_string(),
                    "asked_by": suspension.extension_asked_by,
                    "extended": suspension.extended_at.is_some(),
                });
                certificate_facts(AuditCode::CertSuspended, certificate, more)
            }
            Self::Released { certificate, comment } => {
                let more = json!({ "comment": comment });
                certificate_facts(AuditCode::CertReleased, certificate, more)
            }
            Self::Delivered { certificate, until, .. } => {
                let more = json!({ "until": until.to_string() });
                certificate_facts(AuditCode::CertDelivered, certificate, more)
            }
            Self::Acknowledged { certificate } => {
                certificate_facts(AuditCode::CertAcknowledged, certificate, json!({}))
            }
            Self::NotAccepted { certificate, revocation } => {
                let more = json!({ "cause": revocation.cause, "acknowledged": false });
                certificate_facts(AuditCode::CertNotAccepted, certificate, more)
            }
            Self::RotationOpened { certificate } => {
                certificate_facts(AuditCode::CertRotationOpened, certificate, json!({}))
            }
            Self::RotationLate { certificate } => {
                certificate_facts(AuditCode::CertRotationLate, certificate, json!({}))
            }
            Self::Retired { certificate, due } => {
                let more = json!({ "destruction_due": due.to_string() });
                certificate_facts(AuditCode::CertRetired, certificate, more)
            }
            Self::Expired { certificate } => {
                certificate_facts(AuditCode::CertExpired, certificate, json!({}))
            }
            Self::SeenAfterDestruction { certificate, destroyed, seen } => {
                let more = json!({ "destroyed": destroyed.to_string(), "seen": seen.to_string() });
                let facts =
                    certificate_facts(AuditCode::KeySeenAfterDestruction, certificate, more);
                Facts { outcome: Outcome::Failed, ..facts }
            }
            Self::DestructionDue { key, organisation, due } => {
                let more = json!({ "due": due.to_string() });
                told(AuditCode::KeyDestructionDue, key, organisation, more)
            }
            Self::NotEvidenced { key, organisation } => {
                let more = json!({ "evidenced": false });
                let facts = told(AuditCode::KeyDestructionDue, key, organisation, more);
                Facts { outcome: Outcome::Failed, ..facts }
            }
            Self::Destroyed { key, organisation, class, at } => {
                let more = json!({ "class": class, "at": at.to_string() });
                told(AuditCode::KeyDestroyed, key, organisation, more)
            }
            Self::Lost { key, organisation, comment } => {
                let more = json!({ "comment": comment });
                told(AuditCode::KeyLost, key, organisation, more)
            }
            Self::UsageReported { key, organisation, uses, device } => {
                let more = json!({ "uses": uses, "device": device });
                told(AuditCode::KeyUsageReported, key, organisation, more)
            }
            Self::CopySuspected { key, organisation, signal } => {
                let more = json!({ "signal": signal });
                told(AuditCode::KeyCopySuspected, key, organisation, more)
            }
            Self::KeyPlaced { key, organisation, container } => {
                let more = json!({ "container": container });
                told(AuditCode::KeyPresented, key, organisation, more)
            }
            Self::DestructionBegun { evidence, organisation } => {
                let more = json!({ "report": evidence.report, "begun": true });
                evidence_facts(AuditCode::KeyDestructionEvidence, evidence, more).of(organisation)
            }
            Self::DestructionBrokenOff { evidence, organisation } => {
                let more = json!({ "report": evidence.report, "begun": false });
                let facts = evidence_facts(AuditCode::KeyDestructionEvidence, evidence, more);
                Facts { outcome: Outcome::Failed, ..facts.of(organisation) }
            }
            Self::EvidenceHanded { evidence, organisation } => {
                evidence_facts(AuditCode::KeyDestructionEvidence, evidence, json!({}))
                    .of(organisation)
            }
            Self::EvidenceDecided { evidence, organisation, person, decision, reason, state } => {
                let code = match decision {
                    Decision::Accept => AuditCode::KeyDestructionEvidence,
                    Decision::More | Decision::Refuse => AuditCode::KeyEvidenceRefused,
                };
                let more = json!({
                    "person": person,
                    "decision": decision,
                    "reason": reason,
                    "state": state,
                });
                evidence_facts(code, evidence, more).of(organisation)
            }
            Self::ContainerRegistered { container } => {
                container_facts(AuditCode::ContainerRegistered, container, None)
            }
            Self::ContainerVerified { container, evidence } => {
                container_facts(AuditCode::ContainerVerified, container, Some(evidence))
            }
            Self::CustodianChanged { container } => {
                container_facts(AuditCode::ContainerCustodianChanged, container, None)
            }
            Self::ContainerMoved { container } => {
                let code = match container.state {
                    ContainerState::Retired => AuditCode::HsmRetired,
                    ContainerState::Registered
                    | ContainerState::Verified
                    | ContainerState::InUse
                    | ContainerState::Quarantined
                    | ContainerState::Disposed => AuditCode::ContainerQuarantined,
                };
                container_facts(code, container, None)
            }
            Self::ContainerDisposed { container, evidence } => {
                container_facts(AuditCode::ContainerDisposed, container, Some(evidence))
            }
            Self::InstancesOrdered { order, organisation, branch, applications } => {
                let detail = json!({ "branch": branch, "applications": applications });
                facts(AuditCode::KeyOrdered, "order", order, detail).of(organisation)
            }
        }
    }
}

fn told(code: AuditCode, key: &Key, organisation: &OrganisationId, more: Value) -> Facts {
    let mut facts = key_facts(code, key).of(organisation);
    if let Value::Object(more) = more {
        facts.detail.extend(more);
    }
    facts
}

fn evidence_facts(code: AuditCode, evidence: &Evidence, more: Value) -> Facts {
    let mut detail = json!({
        "key": evidence.key,
        "class": evidence.class,
        "copies": evidence.lines.len(),
        "attachments": evidence.attachments,
    });
    if let (Value::Object(all), Value::Object(more)) = (&mut detail, more) {
        all.extend(more);
    }
    facts(code, "evidence", &evidence.id, detail)
}

/// Devices and places, no people: the custodian is named in the container's own row.
fn container_facts(code: AuditCode, container: &Container, evidence: Option<&Digest>) -> Facts {
    let detail = json!({
        "kind": container.kind,
        "model": container.model,
        "serial": container.serial,
        "partition": container.partition,
        "state": container.state,
        "copies": container.inventory.len(),
        "evidence": evidence,
    });
    facts(code, "container", &container.id, detail).of(&container.organisation)
}

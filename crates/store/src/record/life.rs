//! The life of containers, instances and keys: rotation, retirement, destruction (DOMAIN 10, 11).

use tenkoku_domain::access::Origin;
use tenkoku_domain::audit::LifeEvent;
use tenkoku_domain::certificate::CertificateState;
use tenkoku_domain::destruction::EvidenceState;
use tenkoku_domain::key::KeyState;
use tenkoku_domain::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;

impl Tx<'_> {
    /// The rows of the objects that an event is about.
    pub(super) fn apply_life(
        &mut self,
        _origin: &Origin,
        at: Timestamp,
        event: &LifeEvent,
    ) -> Result<(), StoreError> {
        match event {
            LifeEvent::Suspended { certificate, suspension, .. } => {
                let held = CertificateState::Suspended(suspension.told());
                self.move_certificate(certificate, &["active"], &held)?;
                self.insert_suspension(suspension)
            }
            LifeEvent::SuspensionExtended { suspension, .. } => self.extend_suspension(suspension),
            LifeEvent::Released { certificate, .. } => {
                self.move_certificate(certificate, &["suspended"], &CertificateState::Active)?;
                self.end_suspensions(&certificate.id, at)
            }
            LifeEvent::Delivered { certificate, challenge, until } => {
                self.set_challenge(&certificate.id, challenge, *until)
            }
            LifeEvent::Acknowledged { certificate } => {
                self.move_certificate(certificate, &["issued"], &CertificateState::Active)?;
                self.end_acknowledgement(&certificate.id, at)?;
                self.activate_key(&certificate.key, at)
            }
            LifeEvent::NotAccepted { certificate, revocation } => {
                self.revoke_certificate(certificate, revocation)?;
                self.end_acknowledgement(&certificate.id, at)
            }
            LifeEvent::RotationOpened { certificate } => {
                self.insert_mark(certificate.id.as_str(), "rotation-opened", at)
            }
            LifeEvent::RotationLate { certificate } => {
                self.insert_mark(certificate.id.as_str(), "rotation-late", at)
            }
            LifeEvent::Expired { certificate } => {
                self.insert_mark(certificate.id.as_str(), "expired", at)
            }
            LifeEvent::Retired { certificate, due } => {
                self.retire_certificate(certificate, *due, at)
            }
            LifeEvent::DestructionDue { key, due, .. } => self.set_destruction_due(key, *due),
            LifeEvent::NotEvidenced { key, .. } => self.set_not_evidenced(&key.id, at),
            LifeEvent::DestructionBegun { evidence, .. } => {
                self.insert_destruction_intent(evidence, at)
            }
            LifeEvent::DestructionBrokenOff { evidence, .. } => {
                self.end_destruction_intent(&evidence.id, at)
            }
            LifeEvent::EvidenceHanded { evidence, .. } => {
                self.insert_evidence(evidence)?;
                self.end_destruction_intent(&evidence.id, at)
            }
            LifeEvent::EvidenceDecided { evidence, person, decision, reason, state, .. } => {
                self.insert_evidence_decision(&evidence.id, (person, *decision, reason), at)?;
                match state {
                    EvidenceState::Handed => Ok(()),
                    EvidenceState::MoreNeeded
                    | EvidenceState::Accepted
                    | EvidenceState::Refused => self.move_evidence(&evidence.id, *state),
                }
            }
            LifeEvent::Destroyed { key, class, at, .. } => self.set_destroyed(&key.id, *class, *at),
            LifeEvent::Lost { key, .. } => self.set_key_state(&key.id, KeyState::Lost),
            LifeEvent::UsageReported { key, uses, .. } => self.set_uses(&key.id, *uses, at),
            LifeEvent::SeenAfterDestruction { .. } | LifeEvent::CopySuspected { .. } => Ok(()),
            LifeEvent::ContainerRegistered { container } => self.insert_container(container),
            LifeEvent::ContainerVerified { container, evidence }
            | LifeEvent::ContainerDisposed { container, evidence } => {
                self.update_container(container, Some(evidence))
            }
            LifeEvent::CustodianChanged { container } => {
                self.update_container(container, None)?;
                self.close_custodian_tasks(&container.id, at)
            }
            LifeEvent::ContainerMoved { container } => self.update_container(container, None),
            LifeEvent::KeyPlaced { key, container, .. } => self.place_key(&key.id, container),
            LifeEvent::InstancesOrdered { order, applications, .. } => {
                self.insert_instance_order(order, applications)
            }
        }
    }

    /// What an event sets off: its place among the changes of status, and jobs.
    pub(super) fn follow_life(
        &mut self,
        at: Timestamp,
        event: &LifeEvent,
    ) -> Result<(), StoreError> {
        match event {
            LifeEvent::Suspended { certificate, suspension, .. } => {
                self.log_status(certificate, Some(&suspension.told()), at);
                self.queue_job("refresh-status", certificate.authority.as_str(), at)
            }
            LifeEvent::NotAccepted { certificate, revocation } => {
                self.log_status(certificate, Some(revocation), at);
                self.queue_job("refresh-status", certificate.authority.as_str(), at)
            }
            LifeEvent::Acknowledged { certificate } => {
                if certificate.state.revocation().is_none() {
                    return Ok(());
                }
                self.log_release(certificate, at);
                self.queue_job("refresh-status", certificate.authority.as_str(), at)
            }
            LifeEvent::SuspensionExtended { .. }
            | LifeEvent::Delivered { .. }
            | LifeEvent::RotationOpened { .. }
            | LifeEvent::RotationLate { .. }
            | LifeEvent::Expired { .. }
            | LifeEvent::Retired { .. }
            | LifeEvent::DestructionDue { .. }
            | LifeEvent::NotEvidenced { .. }
            | LifeEvent::DestructionBegun { .. }
            | LifeEvent::DestructionBrokenOff { .. }
            | LifeEvent::EvidenceHanded { .. }
            | LifeEvent::EvidenceDecided { .. }
            | LifeEvent::Destroyed { .. }
            | LifeEvent::Lost { .. }
            | LifeEvent::SeenAfterDestruction { .. }
            | LifeEvent::UsageReported { .. }
            | LifeEvent::CopySuspected { .. }
            | LifeEvent::ContainerRegistered { .. }
            | LifeEvent::ContainerVerified { .. }
            | LifeEvent::CustodianChanged { .. }
            | LifeEvent::ContainerMoved { .. }
            | LifeEvent::ContainerDisposed { .. }
            | LifeEvent::KeyPlaced { .. }
            | LifeEvent::InstancesOrdered { .. } => Ok(()),
            LifeEvent::Released { certificate, .. } => {
                self.log_release(certificate, at);
                self.queue_job("refresh-status", certificate.authority.as_str(), at)
            }
        }
    }
}

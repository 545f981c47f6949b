//! The life of containers, instances and keys: rotation, retirement, destruction (DOMAIN 10, 11).

use tenkoku_domain::access::Origin;
use tenkoku_domain::audit::LifeEvent;
use tenkoku_domain::certificate::CertificateState;
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
                self.log_status(certificate, Some(&suspension.told()), at)?;
                self.queue_job("refresh-status", certificate.authority.as_str(), at)
            }
            LifeEvent::SuspensionExtended { .. } => Ok(()),
            LifeEvent::Released { certificate, .. } => {
                self.log_release(certificate, at)?;
                self.queue_job("refresh-status", certificate.authority.as_str(), at)
            }
        }
    }
}

//! What happens to status as a whole: many certificates at once.

use tenkoku_domain::audit::{BulkStep, StatusEvent};
use tenkoku_domain::bulk::{BulkRevocation, BulkState};
use tenkoku_domain::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;

impl Tx<'_> {
    /// The rows of the objects that an event is about.
    pub(super) fn apply_status(
        &mut self,
        at: Timestamp,
        event: &StatusEvent,
    ) -> Result<(), StoreError> {
        match event {
            StatusEvent::Seeded { seed } => self.insert_seed(seed, at),
            StatusEvent::Bulk { bulk, step: BulkStep::Asked } => self.insert_bulk(bulk),
            StatusEvent::Bulk { bulk, .. } => self.update_bulk(bulk),
            StatusEvent::BulkRevoked { certificate, revocation, .. } => {
                self.revoke_certificate(certificate, revocation)?;
                self.end_suspensions(&certificate.id, at)
            }
            StatusEvent::Inconsistent { .. } => Ok(()),
        }
    }

    /// What an event sets off: its places among the changes of status, and jobs.
    pub(super) fn follow_status(
        &mut self,
        at: Timestamp,
        event: &StatusEvent,
    ) -> Result<(), StoreError> {
        match event {
            StatusEvent::Seeded { seed } => {
                self.log_seed(seed, at)?;
                self.queue_job("refresh-status", seed.authority.as_str(), at)
            }
            StatusEvent::Bulk { bulk, .. } => self.follow_bulk(bulk, at),
            // One list for all of them, when the last is revoked.
            StatusEvent::BulkRevoked { certificate, revocation, .. } => {
                self.log_status(certificate, Some(revocation), at);
                Ok(())
            }
            StatusEvent::Inconsistent { .. } => Ok(()),
        }
    }

    fn follow_bulk(&mut self, bulk: &BulkRevocation, at: Timestamp) -> Result<(), StoreError> {
        match bulk.state {
            BulkState::Approved => {
                self.queue_job("bulk-revocation", bulk.id.as_str(), bulk.due.unwrap_or(at).max(at))
            }
            // What was revoked until now is told, also where it stops half-way.
            BulkState::Done | BulkState::Paused => {
                for authority in self.list_authorities()? {
                    if authority.certificate.is_some() {
                        self.queue_job("refresh-status", authority.id.as_str(), at)?;
                    }
                }
                Ok(())
            }
            BulkState::Asked | BulkState::Rejected | BulkState::Cancelled => Ok(()),
        }
    }
}

//! What happens to status as a whole: many certificates at once.

use tenkoku_domain::audit::StatusEvent;
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
        }
    }
}

//! The life of containers, instances and keys: rotation, retirement, destruction (DOMAIN 10, 11).

use tenkoku_domain::access::Origin;
use tenkoku_domain::audit::LifeEvent;
use tenkoku_domain::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;

impl Tx<'_> {
    /// The rows of the objects that an event is about.
    pub(super) fn apply_life(
        &mut self,
        _origin: &Origin,
        _at: Timestamp,
        event: &LifeEvent,
    ) -> Result<(), StoreError> {
        match *event {}
    }

    /// What an event sets off: its place among the changes of status, and jobs.
    pub(super) fn follow_life(
        &mut self,
        _at: Timestamp,
        event: &LifeEvent,
    ) -> Result<(), StoreError> {
        match *event {}
    }
}

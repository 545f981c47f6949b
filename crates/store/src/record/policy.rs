//! The life of policy documents: drafted, approved, in force, superseded (DOMAIN 7).

use tenkoku_domain::access::Origin;
use tenkoku_domain::audit::PolicyEvent;
use tenkoku_domain::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;

impl Tx<'_> {
    /// The rows of the objects that an event is about.
    pub(super) fn apply_policy(
        &mut self,
        _origin: &Origin,
        _at: Timestamp,
        event: &PolicyEvent,
    ) -> Result<(), StoreError> {
        match *event {}
    }

    /// What an event sets off: its place among the changes of status, and jobs.
    pub(super) fn follow_policy(
        &mut self,
        _at: Timestamp,
        event: &PolicyEvent,
    ) -> Result<(), StoreError> {
        match *event {}
    }
}

//! The identity of keys: challenges, proofs, known-key feeds, incidents (DOMAIN 8, 9).

use tenkoku_domain::access::Origin;
use tenkoku_domain::audit::IdentityEvent;
use tenkoku_domain::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;

impl Tx<'_> {
    /// The rows of the objects that an event is about.
    pub(super) fn apply_identity(
        &mut self,
        _origin: &Origin,
        _at: Timestamp,
        event: &IdentityEvent,
    ) -> Result<(), StoreError> {
        match *event {}
    }

    /// What an event sets off: its place among the changes of status, and jobs.
    pub(super) fn follow_identity(
        &mut self,
        _at: Timestamp,
        event: &IdentityEvent,
    ) -> Result<(), StoreError> {
        match *event {}
    }
}

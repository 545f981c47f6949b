//! The life of authorities: generations, cross-certificates, ceremonies (DOMAIN 6.7, 10).

use tenkoku_domain::access::Origin;
use tenkoku_domain::audit::AuthorityEvent;
use tenkoku_domain::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;

impl Tx<'_> {
    /// The rows of the objects that an event is about.
    pub(super) fn apply_authority(
        &mut self,
        _origin: &Origin,
        _at: Timestamp,
        event: &AuthorityEvent,
    ) -> Result<(), StoreError> {
        match *event {}
    }

    /// What an event sets off: its place among the changes of status, and jobs.
    pub(super) fn follow_authority(
        &mut self,
        _at: Timestamp,
        event: &AuthorityEvent,
    ) -> Result<(), StoreError> {
        match *event {}
    }
}

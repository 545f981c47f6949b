//! What the use cases over people, grants, proofing and approvals share: why an act was refused, and
//! the record of the refusal.

use tenkoku_domain::access::Origin;
use tenkoku_domain::audit::{AuditCode, ObjectRef};
use tenkoku_domain::canonical::CanonicalError;
use tenkoku_domain::id::OrganisationId;
use tenkoku_domain::refusal::Refusal;
use tenkoku_ports::{Attempt, Env};
use tenkoku_store::StoreError;

/// Why an act was not done.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// A rule refuses it; the refusal is in the audit trail.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What is decided on has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// The store did not answer, or holds no such thing within the permit's scope.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A file that is handed in as evidence; it is kept under its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceFile {
    /// Media type.
    pub media_type: String,
    /// Content.
    pub content: Vec<u8>,
}

/// Records a refusal under the code of the act; any other error is handed on.
pub(crate) fn told<T>(
    env: &Env,
    origin: &Origin,
    (code, object): (AuditCode, ObjectRef),
    organisation: Option<OrganisationId>,
    result: Result<T, ActError>,
) -> Result<T, ActError> {
    result.or_else(|error| match error {
        ActError::Refused(refusal) => {
            let attempt = Attempt { code, object, organisation, policy: None };
            Err(env.refuse(origin, env.clock.now(), attempt, refusal)?.into())
        }
        ActError::Canonical(_) | ActError::Store(_) => Err(error),
    })
}

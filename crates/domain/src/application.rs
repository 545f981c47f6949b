//! Applications for credentials, and what must hold before anything is signed (DOMAIN 6.3, I-9).

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::access::Actor;
use crate::canonical::{CanonicalError, Digest};
use crate::id::{ApplicationId, BranchId, CertificateId, InstanceId, KeyId, OrganisationId};
use crate::key::{Fingerprint, words};
use crate::level::Level;
use crate::refusal::{Refusal, RefusalCode};
use crate::subject::SealSubject;
use crate::time::Timestamp;

words! {
    /// State of an application (DOMAIN 6.3).
    ApplicationState {
        /// Being written.
        Draft = "draft",
        /// Handed in.
        Submitted = "submitted",
        /// Identities are being checked.
        Proofing = "proofing",
        /// Decisions are awaited.
        Approval = "approval",
        /// The key is awaited.
        KeyProof = "key-proof",
        /// Everything is there; it may be issued.
        Ready = "ready",
        /// Issued.
        Issued = "issued",
        /// Refused.
        Rejected = "rejected",
        /// Taken back.
        Withdrawn = "withdrawn",
        /// Given up for lack of progress.
        Lapsed = "lapsed",
    }
}

/// A request for a credential, with everything decided about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// Identifier.
    pub id: ApplicationId,
    /// The organisation.
    pub organisation: OrganisationId,
    /// The branch office.
    pub branch: BranchId,
    /// The level.
    pub level: Level,
    /// The instance of the branch's seal.
    pub instance: InstanceId,
    /// Its number, from 1.
    pub instance_number: i32,
    /// Requested validity in days.
    pub validity_days: i64,
    /// The key, claimed for this application.
    pub key: KeyId,
    /// What the key is recognised by.
    pub fingerprint: Fingerprint,
    /// The certification request (PKCS#10, DER).
    #[serde(skip)]
    pub request: Vec<u8>,
    /// The digest of the policy frozen at submission.
    pub policy: Digest,
    /// The digest of what is decided on; see [`application_digest`].
    pub digest: Digest,
    /// Who applied.
    pub applicant: Actor,
    /// State.
    pub state: ApplicationState,
    /// The certificate, once issued.
    pub certificate: Option<CertificateId>,
    /// When it was submitted.
    pub created_at: Timestamp,
}

/// The digest of everything that the certificate will say and rest on: the subject, the level, the
/// key, the validity and the policy. Approvers see it; issuance recomputes it (I-9).
pub fn application_digest(
    subject: &SealSubject,
    level: Level,
    fingerprint: &Fingerprint,
    validity_days: i64,
    policy: &Digest,
) -> Result<Digest, CanonicalError> {
    Digest::of_json(&json!({
        "v": 1,
        "subject": subject,
        "level": level,
        "fingerprint": fingerprint,
        "validity_days": validity_days,
        "policy": policy,
    }))
}

impl Application {
    /// I-9: it may be issued now, and what would be signed is what was decided on.
    pub fn may_issue(&self, digest: &Digest) -> Result<(), Refusal> {
        match self.state {
            ApplicationState::Ready => {}
            ApplicationState::Draft
            | ApplicationState::Submitted
            | ApplicationState::Proofing
            | ApplicationState::Approval
            | ApplicationState::KeyProof
            | ApplicationState::Issued
            | ApplicationState::Rejected
            | ApplicationState::Withdrawn
            | ApplicationState::Lapsed => {
                return Err(Refusal::new(RefusalCode::StateConflict, "6.3")
                    .with("application", &self.id)
                    .with("state", self.state));
            }
        }
        if self.digest == *digest {
            return Ok(());
        }
        Err(Refusal::new(RefusalCode::StateConflict, "I-9")
            .with("application", &self.id)
            .with("state", "changed"))
    }
}

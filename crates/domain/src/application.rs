//! Applications for credentials, and what must hold before anything is signed (DOMAIN 6.3, I-9).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::access::Actor;
use crate::canonical::{CanonicalError, Digest};
use crate::id::{
    ApplicationId, BranchId, CertificateId, GrantId, InstanceId, KeyId, OrganisationId,
};
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
    /// The key, claimed for this application; empty until possession was shown.
    pub key: Option<AppliedKey>,
    /// The certification request (PKCS#10, DER): the one that possession was shown with, or before
    /// that the one attached for the early checks. Empty where neither was handed in.
    #[serde(skip)]
    pub request: Option<Vec<u8>>,
    /// The digest of the policy frozen at submission.
    pub policy: Digest,
    /// The digest of what is decided on; see [`application_digest`].
    pub digest: Digest,
    /// The grant it was made under, with the digest of its terms (DG-3); none where the
    /// representative applied in person, and in an evaluation.
    pub grant: Option<AppliedGrant>,
    /// Who applied.
    pub applicant: Actor,
    /// State.
    pub state: ApplicationState,
    /// The certificate, once issued.
    pub certificate: Option<CertificateId>,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// When it last made progress; see [`Application::lapses_at`].
    pub changed_at: Timestamp,
}

/// The key of an application, once possession of it was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedKey {
    /// The key.
    pub id: KeyId,
    /// What it is recognised by.
    pub fingerprint: Fingerprint,
}

/// The grant of an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedGrant {
    /// The grant.
    pub id: GrantId,
    /// The digest of its terms as they were signed.
    pub digest: Digest,
}

/// Days after which an application that waits for its key lapses (DOMAIN 6.3).
pub const KEY_PROOF_DAYS: i64 = 10;
/// Days after which an application in any other open state lapses (DOMAIN 6.3).
pub const PROGRESS_DAYS: i64 = 30;

/// What is decided on: the subject, the level, the validity, the policy and the grant. Approvers
/// see it and its digest; issuance writes it again (I-9).
///
/// The key is not in it, because it is handed in after the decision; it is bound to the
/// application by its claim. Without a grant the document is that of version 2, as it always was.
pub fn application_document(
    subject: &SealSubject,
    level: Level,
    validity_days: i64,
    policy: &Digest,
    grant: Option<&AppliedGrant>,
) -> Value {
    let mut document = json!({
        "v": if grant.is_some() { 3 } else { 2 },
        "subject": subject,
        "level": level,
        "validity_days": validity_days,
        "policy": policy,
    });
    if let (Some(grant), Some(members)) = (grant, document.as_object_mut()) {
        members.insert("grant".to_owned(), json!(grant));
    }
    document
}

/// The digest of [`application_document`].
pub fn application_digest(
    subject: &SealSubject,
    level: Level,
    validity_days: i64,
    policy: &Digest,
    grant: Option<&AppliedGrant>,
) -> Result<Digest, CanonicalError> {
    Digest::of_json(&application_document(subject, level, validity_days, policy, grant))
}

impl Application {
    /// Whether it may move to a state (DOMAIN 6.3). What is not listed there is refused.
    pub fn may_move(&self, to: ApplicationState) -> Result<(), Refusal> {
        use ApplicationState as S;
        let open = self.lapses_at().is_some();
        let known = match to {
            S::Draft => false,
            // Any change after submission, while nothing was issued.
            S::Submitted => open,
            S::Proofing => self.state == S::Submitted,
            S::Approval => self.state == S::Proofing,
            S::KeyProof => self.state == S::Approval,
            S::Ready => self.state == S::KeyProof,
            S::Issued => self.state == S::Ready,
            S::Rejected | S::Withdrawn | S::Lapsed => open,
        };
        if known {
            return Ok(());
        }
        Err(Refusal::new(RefusalCode::StateConflict, "6.3")
            .with("application", &self.id)
            .with("state", self.state))
    }

    /// When it lapses unless it makes progress; `None` where it has ended.
    pub fn lapses_at(&self) -> Option<Timestamp> {
        match self.state {
            ApplicationState::KeyProof => Some(self.changed_at.plus_days(KEY_PROOF_DAYS)),
            ApplicationState::Draft
            | ApplicationState::Submitted
            | ApplicationState::Proofing
            | ApplicationState::Approval
            | ApplicationState::Ready => Some(self.changed_at.plus_days(PROGRESS_DAYS)),
            ApplicationState::Issued
            | ApplicationState::Rejected
            | ApplicationState::Withdrawn
            | ApplicationState::Lapsed => None,
        }
    }

    /// DOMAIN 6.3: it waits for its key, and has not lapsed. The job that marks lapsed
    /// applications may be late.
    pub fn may_prove(&self, now: Timestamp) -> Result<(), Refusal> {
        let conflict = |state: ApplicationState| {
            Refusal::new(RefusalCode::StateConflict, "6.3")
                .with("application", &self.id)
                .with("state", state)
        };
        if self.state != ApplicationState::KeyProof {
            return Err(conflict(self.state));
        }
        match self.lapses_at() {
            Some(end) if end <= now => Err(conflict(ApplicationState::Lapsed)),
            Some(_) | None => Ok(()),
        }
    }

    /// I-9: it may be issued now, and what would be signed is what was decided on. Gives the key.
    pub fn may_issue(&self, digest: &Digest) -> Result<&AppliedKey, Refusal> {
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
        match &self.key {
            Some(key) if self.digest == *digest => Ok(key),
            Some(_) | None => Err(Refusal::new(RefusalCode::StateConflict, "I-9")
                .with("application", &self.id)
                .with("state", "changed")),
        }
    }
}

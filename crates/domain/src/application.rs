//! Applications for credentials, and what must hold before anything is signed (DOMAIN 6.3, I-9).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::access::Actor;
use crate::accreditation::ClaimKind;
use crate::canonical::{CanonicalError, Digest};
use crate::certificate::Profile;
use crate::id::{
    ApplicationId, BranchId, CertificateId, GrantId, InstanceId, KeyId, OrganisationId,
};
use crate::identifier::Lei;
use crate::key::{Fingerprint, words};
use crate::level::Level;
use crate::refusal::{Refusal, RefusalCode};
use crate::subject::{SealForm, SealSubject};
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
    /// What is asked for beyond the ordinary seal of the branch.
    #[serde(default)]
    pub wishes: Wishes,
}

/// Whose key it will be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SealKind {
    /// The organisation's own.
    #[default]
    Party,
    /// The service's, sealing on instruction; not at level 3.
    Witness,
}

/// How long a seal's certificate is meant to live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SealTerm {
    /// As the policy says; its status can be asked for.
    #[default]
    Regular,
    /// A day at most, without revocation information.
    Short,
}

/// The picture of a seal: the digest of what is kept, and the https address it is published at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImprintWish {
    /// SHA-256 of the picture.
    pub digest: Digest,
    /// Where it is published.
    pub address: String,
}

/// What an application asks for beyond the ordinary seal of its branch (DOMAIN 12.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wishes {
    /// Whose key it is.
    pub kind: SealKind,
    /// How long it lives.
    pub term: SealTerm,
    /// What is claimed; needs an accreditation at issue (PR-2).
    pub claim: ClaimKind,
    /// The organisation's LEI, which must have been proofed.
    pub lei: Option<Lei>,
    /// The imprint.
    pub imprint: Option<ImprintWish>,
    /// The certificate of the same seal under a key of another family.
    pub twin: Option<CertificateId>,
}

impl Wishes {
    /// What may be asked for at a level: no witness at level 3 (DOMAIN 5), no twin at level 1
    /// (DOMAIN 12.3), a claim at level 3 only, a day at most for a short life.
    pub fn check(&self, level: Level, validity_days: i64) -> Result<(), Refusal> {
        if self.kind == SealKind::Witness {
            SealForm::Witness.check_level(level)?;
        }
        let refused = |rule: &str, wish: &str| {
            Err(Refusal::new(RefusalCode::LevelNotAllowed, rule)
                .with("level", level)
                .with("wish", wish))
        };
        if self.twin.is_some() && level == Level::One {
            return refused("12.3", "twin");
        }
        if self.claim != ClaimKind::None && level != Level::Three {
            return refused("12.7", self.claim.word());
        }
        if self.term == SealTerm::Short && validity_days > 1 {
            return Err(Refusal::new(RefusalCode::ValidityExceeded, "KM-12")
                .with("days", validity_days)
                .with("limit", 1));
        }
        Ok(())
    }

    /// The profile that such a seal is made by.
    pub const fn profile(&self, level: Level) -> Profile {
        match self.term {
            SealTerm::Regular => Profile::seal(level),
            SealTerm::Short => Profile::short_seal(level),
        }
    }
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

/// What is decided on: the subject, the level, the validity, the policy, the grant, and what is
/// asked for beyond an ordinary seal. Approvers see it and its digest; issuance writes it again
/// (I-9).
///
/// The key is not in it, because it is handed in after the decision; it is bound to the
/// application by its claim. Without a grant the document is that of version 2, as it always was.
pub fn application_document(
    subject: &SealSubject,
    level: Level,
    validity_days: i64,
    policy: &Digest,
    (grant, wishes): (Option<&AppliedGrant>, &Wishes),
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
    // An ordinary seal keeps the digest it always had.
    if let (Some(members), true) = (document.as_object_mut(), *wishes != Wishes::default()) {
        members.insert("wishes".to_owned(), json!(wishes));
    }
    document
}

/// The digest of [`application_document`].
pub fn application_digest(
    subject: &SealSubject,
    level: Level,
    validity_days: i64,
    policy: &Digest,
    (grant, wishes): (Option<&AppliedGrant>, &Wishes),
) -> Result<Digest, CanonicalError> {
    let decided = application_document(subject, level, validity_days, policy, (grant, wishes));
    Digest::of_json(&decided)
}

impl Application {
    /// Whether it may move to a state (DOMAIN 6.3). What is not listed there is refused.
    pub fn may_move(&self, to: ApplicationState) -> Result<(), Refusal> {
        use ApplicationState as S;
        let open = self.lapses_at().is_some();
        let known = match to {
            S::Draft => false,
            S::Proofing => self.state == S::Submitted,
            S::Approval => self.state == S::Proofing,
            S::KeyProof => self.state == S::Approval,
            S::Ready => self.state == S::KeyProof,
            S::Issued => self.state == S::Ready,
            // Submitted anew: any change after submission, while nothing was issued.
            S::Submitted | S::Rejected | S::Withdrawn | S::Lapsed => open,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wishes: &Wishes, level: Level, days: i64, rule: Option<&str>) {
        let refused = wishes.check(level, days).err().map(|refusal| refusal.rule);
        assert_eq!(refused.as_deref(), rule, "{wishes:?} {level}");
    }

    #[test]
    fn a_level_has_wishes_of_its_own() {
        let witness = Wishes { kind: SealKind::Witness, ..Wishes::default() };
        check(&witness, Level::Two, 825, None);
        check(&witness, Level::Three, 825, Some("5"));
        let claim = Wishes { claim: ClaimKind::Accredited, ..Wishes::default() };
        check(&claim, Level::Three, 825, None);
        check(&claim, Level::Two, 825, Some("12.7"));
        let short = Wishes { term: SealTerm::Short, ..Wishes::default() };
        check(&short, Level::One, 1, None);
        check(&short, Level::One, 2, Some("KM-12"));
        assert_eq!(short.profile(Level::One), Profile::Seal1Short);
    }

    #[test]
    fn wishes_are_read_back_and_unknown_ones_refused() {
        let wishes = Wishes { kind: SealKind::Witness, ..Wishes::default() };
        let text = json!(wishes).to_string();
        assert_eq!(serde_json::from_str::<Wishes>(&text).unwrap(), wishes);
        assert_eq!(serde_json::from_str::<Wishes>("{}").unwrap(), Wishes::default());
        assert!(serde_json::from_str::<Wishes>("{\"colour\":\"red\"}").is_err());
    }
}

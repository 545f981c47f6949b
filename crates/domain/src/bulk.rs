//! Revocation of many certificates at once (RV-4), now or at a future time (RV-5): which ones, why,
//! who asked, who approved.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::canonical::{CanonicalError, Digest};
use crate::id::{AuthorityId, BranchId, BulkId, CertificateId, ContainerId, OrganisationId};
use crate::key::{KeyAlgorithm, words};
use crate::refusal::{Refusal, RefusalCode};
use crate::revocation::Cause;
use crate::time::Timestamp;

/// Approvals that a bulk revocation needs, by two persons who did not ask for it (DOMAIN 17).
pub const APPROVALS_NEEDED: usize = 2;
/// Days after which nobody may approve it any more (DOMAIN 17).
const APPROVAL_DAYS: i64 = 14;

/// Which certificates of seals: all that everything given here is true of. Something must be given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BulkSelection {
    /// Issued by this authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<AuthorityId>,
    /// Held by this organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<OrganisationId>,
    /// Held by this branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<BranchId>,
    /// Over a key in this container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<ContainerId>,
    /// Over a key of this algorithm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<KeyAlgorithm>,
    /// Decided at this instant or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Decided before this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
}

impl BulkSelection {
    /// Refused where nothing is given: everything is never meant.
    pub fn check(&self) -> Result<(), Refusal> {
        if *self == Self::default() {
            return Err(Refusal::new(RefusalCode::StateConflict, "RV-4").with("problem", "all"));
        }
        Ok(())
    }
}

words! {
    /// Where a bulk revocation stands.
    BulkState {
        /// It waits for approvals.
        Asked = "asked",
        /// It is approved: it runs, or waits for its time.
        Approved = "approved",
        /// It was approved and waits until somebody lets it go on.
        Paused = "paused",
        /// Every certificate was dealt with.
        Done = "done",
        /// Somebody rejected it.
        Rejected = "rejected",
        /// It was taken back before its time.
        Cancelled = "cancelled",
    }
}

/// One approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkApproval {
    /// The person.
    pub person: String,
    /// When.
    pub at: Timestamp,
}

/// A revocation of many certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkRevocation {
    /// Identifier.
    pub id: BulkId,
    /// Which certificates, of those decided before it was asked for.
    pub selection: BulkSelection,
    /// Why.
    pub cause: Cause,
    /// The words of whoever asked, for every record.
    pub comment: String,
    /// When it is carried out; at once where there is no time.
    pub due: Option<Timestamp>,
    /// How many certificates there were when it was asked for.
    pub matched: i64,
    /// The person who asked.
    pub asked_by: String,
    /// When.
    pub asked_at: Timestamp,
    /// Who approved.
    pub approvals: Vec<BulkApproval>,
    /// State.
    pub state: BulkState,
    /// The last certificate that was dealt with.
    pub cursor: Option<CertificateId>,
    /// How many were revoked.
    pub revoked: i64,
    /// How many could not be, because they had changed meanwhile.
    pub skipped: i64,
}

/// Whether this cause may be given for many, now or at a time. RV-5: an exposed key is revoked at once.
pub fn check_bulk(cause: Cause, due: Option<Timestamp>, now: Timestamp) -> Result<(), Refusal> {
    let refused = |problem: &str| {
        Err(Refusal::new(RefusalCode::StateConflict, "RV-5").with("problem", problem))
    };
    if !Cause::OFFERED.contains(&cause) {
        return refused("cause");
    }
    match due {
        Some(_) if cause == Cause::KeyExposed => refused("exposed"),
        Some(due) if due <= now => refused("past"),
        Some(_) | None => Ok(()),
    }
}

impl BulkRevocation {
    /// What an approver saw and decides on (I-9): which certificates, how many, why, when.
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        Digest::of_json(&json!({
            "id": self.id,
            "selection": self.selection,
            "cause": self.cause,
            "comment": self.comment,
            "due": self.due.map(|due| due.to_string()),
            "matched": self.matched,
            "asked_at": self.asked_at.to_string(),
        }))
    }

    /// The same with one approval more. Nobody approves what they asked for, and nobody twice (I-6);
    /// after 14 days nobody does.
    pub fn approve(&self, person: &str, digest: &Digest, now: Timestamp) -> Result<Self, Refusal> {
        self.expect(&[BulkState::Asked])?;
        if self.asked_at.plus_days(APPROVAL_DAYS) < now {
            let until = self.asked_at.plus_days(APPROVAL_DAYS);
            return Err(Refusal::new(RefusalCode::ApprovalExpired, "17").with("until", until));
        }
        if self.digest().ok().as_ref() != Some(digest) {
            return Err(self.conflict("changed"));
        }
        if self.asked_by == person {
            return Err(Refusal::new(RefusalCode::SelfApproval, "RV-4").with("bulk", &self.id));
        }
        if self.approvals.iter().any(|approval| approval.person == person) {
            return Err(Refusal::new(RefusalCode::DualControl, "I-6").with("bulk", &self.id));
        }
        let mut next = self.clone();
        next.approvals.push(BulkApproval { person: person.to_owned(), at: now });
        if next.approvals.len() >= APPROVALS_NEEDED {
            next.state = BulkState::Approved;
        }
        Ok(next)
    }

    /// The same in another state that a person brought it to.
    pub fn turn(&self, to: BulkState) -> Result<Self, Refusal> {
        let from: &[BulkState] = match to {
            BulkState::Rejected => &[BulkState::Asked],
            BulkState::Paused => &[BulkState::Approved],
            BulkState::Approved => &[BulkState::Paused],
            // What was begun is finished: half of a list is nobody's decision.
            BulkState::Cancelled if self.cursor.is_none() => {
                &[BulkState::Asked, BulkState::Approved, BulkState::Paused]
            }
            BulkState::Asked | BulkState::Done | BulkState::Cancelled => &[],
        };
        self.expect(from)?;
        Ok(Self { state: to, ..self.clone() })
    }

    /// Whether it is to be worked on now.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.state == BulkState::Approved && self.due.is_none_or(|due| due <= now)
    }

    fn expect(&self, states: &[BulkState]) -> Result<(), Refusal> {
        if states.contains(&self.state) { Ok(()) } else { Err(self.conflict(self.state.word())) }
    }

    fn conflict(&self, state: &str) -> Refusal {
        Refusal::new(RefusalCode::StateConflict, "RV-4").with("bulk", &self.id).with("state", state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Entropy;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_371_000);

    struct Zero;
    impl Entropy for Zero {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn asked() -> BulkRevocation {
        BulkRevocation {
            id: BulkId::new(NOW, &Zero),
            selection: BulkSelection { from: Some(NOW), ..BulkSelection::default() },
            cause: Cause::Replaced,
            comment: String::new(),
            due: None,
            matched: 7,
            asked_by: "one".to_owned(),
            asked_at: NOW,
            approvals: Vec::new(),
            state: BulkState::Asked,
            cursor: None,
            revoked: 0,
            skipped: 0,
        }
    }

    fn approve(bulk: &BulkRevocation, person: &str) -> Result<BulkRevocation, RefusalCode> {
        let digest = bulk.digest().unwrap();
        bulk.approve(person, &digest, NOW).map_err(|refusal| refusal.code)
    }

    #[test]
    fn rv_4_two_others_approve_what_was_asked() {
        let first = approve(&asked(), "two").unwrap();
        assert_eq!(first.state, BulkState::Asked);
        assert_eq!(approve(&first, "one"), Err(RefusalCode::SelfApproval));
        assert_eq!(approve(&first, "two"), Err(RefusalCode::DualControl));
        let second = approve(&first, "three").unwrap();
        assert!(second.is_due(NOW));
        assert_eq!(approve(&second, "four"), Err(RefusalCode::StateConflict));
    }

    #[test]
    fn rv_4_nobody_approves_what_they_did_not_see_or_too_late() {
        let digest = BulkRevocation { matched: 8, ..asked() }.digest().unwrap();
        let unseen = asked().approve("two", &digest, NOW).unwrap_err();
        assert_eq!(unseen.code, RefusalCode::StateConflict);
        let digest = asked().digest().unwrap();
        let late = asked().approve("two", &digest, NOW.plus_days(15)).unwrap_err();
        assert_eq!(late.code, RefusalCode::ApprovalExpired);
        assert!(BulkSelection::default().check().is_err());
    }

    #[test]
    fn rv_5_an_exposed_key_is_not_scheduled() {
        let later = Some(NOW.plus_days(3));
        assert_eq!(check_bulk(Cause::OfficeClosed, later, NOW), Ok(()));
        assert!(check_bulk(Cause::KeyExposed, later, NOW).is_err());
        assert_eq!(check_bulk(Cause::KeyExposed, None, NOW), Ok(()));
        assert!(check_bulk(Cause::OfficeClosed, Some(NOW), NOW).is_err());
        assert!(check_bulk(Cause::Suspended, None, NOW).is_err());
    }

    #[test]
    fn what_was_begun_is_paused_and_not_taken_back() {
        let approved = BulkRevocation { state: BulkState::Approved, ..asked() };
        assert!(approved.turn(BulkState::Cancelled).is_ok());
        let cursor = Some(CertificateId::new(NOW, &Zero));
        let begun = BulkRevocation { cursor, ..approved };
        assert!(begun.turn(BulkState::Cancelled).is_err());
        let paused = begun.turn(BulkState::Paused).unwrap();
        assert!(!paused.is_due(NOW));
        assert!(paused.turn(BulkState::Approved).unwrap().is_due(NOW));
    }
}

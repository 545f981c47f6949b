//! The life of a policy document: drafted, approved by two others, in force, superseded (DOMAIN 7,
//! 17; KM-22).
//!
//! A draft is known by the digest of its canonical JSON, so an approval can never fall on a text
//! that was changed. How it is stored, and who asks, is not here.

use crate::access::Actor;
use crate::canonical::Digest;
use crate::key::words;
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

use super::KeyPolicy;

/// Days for which a draft may be approved (DOMAIN 17).
pub const APPROVAL_DAYS: i64 = 14;

/// Approvals that no policy can go below (KM-22).
const LEAST_APPROVALS: i64 = 2;

words! {
    /// State of a policy draft. Stored: add, never change one.
    DraftState {
        /// Waits for approvals.
        Drafted = "drafted",
        /// Approved; waits for its day and the end of the cooling-off.
        Approved = "approved",
        /// In force.
        InForce = "in-force",
        /// A newer version is in force.
        Superseded = "superseded",
        /// One person rejected it.
        Rejected = "rejected",
        /// Its author drafted the same version anew.
        Replaced = "replaced",
    }
}

words! {
    /// What a person decided about a draft.
    Verdict {
        /// Approved.
        Approved = "approved",
        /// Rejected; one rejection ends the request.
        Rejected = "rejected",
    }
}

/// What one person decided about a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyDecision {
    /// The person: one person counts once, whatever number of accounts that person has (I-6).
    pub person: String,
    /// What was decided.
    pub verdict: Verdict,
    /// When.
    pub at: Timestamp,
    /// Why; empty only for an approval.
    pub reason: String,
    /// Who acted, and what the account proved itself with.
    pub actor: Actor,
}

/// A policy document on its way, with its whole history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyDraft {
    /// The digest of its canonical JSON.
    pub digest: Digest,
    /// The document.
    pub policy: KeyPolicy,
    /// The text as it was handed in.
    pub text: String,
    /// The person who wrote it.
    pub author: String,
    /// When it was handed in.
    pub drafted_at: Timestamp,
    /// State.
    pub state: DraftState,
    /// What was decided, oldest first.
    pub decisions: Vec<PolicyDecision>,
}

/// KM-22: a document is never effective in the past.
pub fn check_effect(policy: &KeyPolicy, now: Timestamp) -> Result<(), Refusal> {
    if policy.effective_from >= now {
        return Ok(());
    }
    Err(Refusal::new(RefusalCode::PolicyApproval, "KM-22")
        .with("problem", "past")
        .with("effective", policy.effective_from)
        .with("now", now))
}

impl PolicyDraft {
    /// Whether a person may decide about it now.
    pub fn may_be_decided(&self, person: &str, now: Timestamp) -> Result<(), Refusal> {
        if self.state != DraftState::Drafted {
            return Err(self.wrong_state("17"));
        }
        if self.expires_at() < now {
            return Err(
                Refusal::new(RefusalCode::ApprovalExpired, "17").with("until", self.expires_at())
            );
        }
        if self.author == person {
            return Err(Refusal::new(RefusalCode::SelfApproval, "17").with("policy", self.digest));
        }
        if self.decisions.iter().any(|decision| decision.person == person) {
            return Err(Refusal::new(RefusalCode::DualControl, "I-6").with("policy", self.digest));
        }
        Ok(())
    }

    /// Until when it may be approved.
    pub const fn expires_at(&self) -> Timestamp {
        self.drafted_at.plus_days(APPROVAL_DAYS)
    }

    /// Persons who approved it; each counts once, the author never (I-6).
    pub fn approvals(&self) -> i64 {
        let approved = |decision: &&PolicyDecision| {
            decision.verdict == Verdict::Approved && decision.person != self.author
        };
        let people: std::collections::BTreeSet<&str> =
            self.decisions.iter().filter(approved).map(|d| d.person.as_str()).collect();
        i64::try_from(people.len()).unwrap_or(i64::MAX)
    }

    /// Approvals it needs: what the policy in force asks or what it asks itself, whichever is more,
    /// and never less than two.
    pub fn approvals_needed(&self, in_force: &KeyPolicy) -> i64 {
        let asked = in_force.approvals_required.max(self.policy.approvals_required);
        asked.max(LEAST_APPROVALS)
    }

    /// When it comes into force: on its own date, and not before the cooling-off after the last
    /// approval has passed. KM-22: refused while approvals are missing.
    pub fn may_take_effect(&self, in_force: &KeyPolicy) -> Result<Timestamp, Refusal> {
        match self.state {
            DraftState::Drafted | DraftState::Approved => {}
            DraftState::InForce
            | DraftState::Superseded
            | DraftState::Rejected
            | DraftState::Replaced => return Err(self.wrong_state("7")),
        }
        let (found, needed) = (self.approvals(), self.approvals_needed(in_force));
        let last = self.decisions.iter().map(|decision| decision.at).max();
        let Some(last) = last.filter(|_| found >= needed) else {
            return Err(Refusal::new(RefusalCode::PolicyApproval, "KM-22")
                .with("problem", "approvals")
                .with("approvals", found)
                .with("needed", needed));
        };
        let hours = in_force.cooling_off_hours.max(self.policy.cooling_off_hours);
        Ok(self.policy.effective_from.max(last.plus_seconds(hours.saturating_mul(3600))))
    }

    fn wrong_state(&self, rule: &str) -> Refusal {
        Refusal::new(RefusalCode::StateConflict, rule)
            .with("policy", self.digest)
            .with("state", self.state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Installation;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_371_000);

    fn draft(people: &[&str]) -> PolicyDraft {
        let mut policy = KeyPolicy::initial(Installation::Production);
        policy.effective_from = NOW.plus_days(10);
        let decided = |person: &&str| PolicyDecision {
            person: (*person).to_owned(),
            verdict: Verdict::Approved,
            at: NOW,
            reason: String::new(),
            actor: Actor::system("test"),
        };
        PolicyDraft {
            digest: policy.digest().unwrap(),
            text: String::new(),
            author: "author".to_owned(),
            drafted_at: NOW,
            state: DraftState::Drafted,
            decisions: people.iter().map(decided).collect(),
            policy,
        }
    }

    fn in_force() -> KeyPolicy {
        KeyPolicy::initial(Installation::Production)
    }

    fn check(draft: &PolicyDraft, person: &str, days: i64, code: RefusalCode) {
        let refused = draft.may_be_decided(person, NOW.plus_days(days)).unwrap_err();
        assert_eq!(refused.code, code);
    }

    #[test]
    fn km_22_refuses_a_document_without_two_approvers() {
        for people in [&[][..], &["one"], &["one", "one"], &["one", "author"]] {
            let refused = draft(people).may_take_effect(&in_force()).unwrap_err();
            assert_eq!(
                (refused.code, refused.rule.as_str()),
                (RefusalCode::PolicyApproval, "KM-22")
            );
        }
        let at = draft(&["one", "two"]).may_take_effect(&in_force()).unwrap();
        assert_eq!(at, NOW.plus_days(10));
    }

    #[test]
    fn km_22_no_document_lowers_the_bar_for_itself() {
        let mut strict = in_force();
        strict.approvals_required = 3;
        assert!(draft(&["one", "two"]).may_take_effect(&strict).is_err());
        let mut lax = draft(&["one"]);
        lax.policy.approvals_required = 1;
        strict.approvals_required = 1;
        assert_eq!(lax.may_take_effect(&strict).unwrap_err().code, RefusalCode::PolicyApproval);
    }

    #[test]
    fn km_22_refuses_a_document_that_is_effective_in_the_past() {
        let policy = draft(&[]).policy;
        assert!(check_effect(&policy, NOW.plus_days(10)).is_ok());
        let refused = check_effect(&policy, NOW.plus_days(10).plus_seconds(1)).unwrap_err();
        assert_eq!(refused.code, RefusalCode::PolicyApproval);
    }

    #[test]
    fn a_document_waits_for_the_cooling_off() {
        let mut soon = draft(&["one", "two"]);
        soon.policy.effective_from = NOW.plus_seconds(60);
        assert_eq!(soon.may_take_effect(&in_force()).unwrap(), NOW.plus_days(1));
    }

    #[test]
    fn i_6_one_person_counts_once_and_the_author_never() {
        check(&draft(&[]), "author", 0, RefusalCode::SelfApproval);
        check(&draft(&["one"]), "one", 0, RefusalCode::DualControl);
        assert!(draft(&["one"]).may_be_decided("two", NOW).is_ok());
    }

    #[test]
    fn approvals_end_after_14_days_and_with_the_draft() {
        assert!(draft(&[]).may_be_decided("one", NOW.plus_days(14)).is_ok());
        check(&draft(&[]), "one", 15, RefusalCode::ApprovalExpired);
        for state in [DraftState::Rejected, DraftState::Replaced, DraftState::InForce] {
            let ended = PolicyDraft { state, ..draft(&["one", "two"]) };
            check(&ended, "three", 0, RefusalCode::StateConflict);
            assert_eq!(
                ended.may_take_effect(&in_force()).unwrap_err().code,
                RefusalCode::StateConflict
            );
        }
    }
}

//! Approvals: which act needs how many, by whom and by whom not; one request with its decisions
//! (DOMAIN 17, I-6).
//!
//! A request carries the digest of what was shown and the organisation it belongs to, so that an
//! approval can fall on nothing else (AB-7, AB-13). What happens when a request is complete is not
//! here.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::access::Actor;
use crate::audit::ObjectRef;
use crate::canonical::Digest;
use crate::id::{ApprovalId, OrganisationId};
use crate::key::words;
use crate::level::Level;
use crate::person::Party;
pub use crate::policy::draft::{APPROVAL_DAYS, Verdict};
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

/// An act that may need approvals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approvable {
    /// Issue the first credential of an instance.
    Issue(Level, Footing),
    /// Issue a successor: renewal or rotation.
    Succeed(Level, Footing),
    /// Record an organisation.
    NewOrganisation,
    /// Apply for a whole list.
    List,
    /// Take a grant on paper.
    PaperGrant,
    /// Revoke at the holder's word.
    RevokeForHolder,
    /// Revoke against the holder.
    RevokeAgainstHolder,
    /// Revoke many against their holders.
    RevokeInBulk,
    /// Lift a suspension.
    Release(Level),
    /// Accept evidence of destruction.
    Destruction(Level),
    /// Policy, profile, scheme, vendor root, trusted issuer.
    Policy,
    /// Create, activate, renew, cross-certify or end an authority.
    Authority,
    /// Give a role with power over issuance.
    PowerfulRole,
    /// Restore a backup, change a retention.
    Restore,
}

/// On what an application stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Footing {
    /// A grant, whose representative confirms what the conditions say.
    Grant(Conditions),
    /// The representative applies in person.
    InPerson,
}

/// What a grant demands beyond its scope (DOMAIN 15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conditions {
    /// The representative confirms each issue at level 3.
    pub confirm_level_3: bool,
    /// A second delegate of the organisation confirms each application.
    pub second_delegate: bool,
}

impl Default for Conditions {
    fn default() -> Self {
        Self { confirm_level_3: true, second_delegate: false }
    }
}

words! {
    /// Which place a decision fills. The organisation's come first, the authority's after them.
    Step {
        /// A second delegate of the organisation.
        Delegate = "delegate",
        /// The organisation's representative.
        Representative = "representative",
        /// An officer of the platform.
        Officer = "officer",
    }
}

words! {
    /// Who may not decide, besides whoever decided already.
    Bar {
        /// Whoever asked: applicant, author, proposer.
        Asker = "asker",
        /// Anybody of the organisation concerned.
        Organisation = "organisation",
    }
}

/// What an act needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    /// Confirmations by a second delegate.
    pub delegates: i64,
    /// Confirmations by the representative.
    pub representatives: i64,
    /// Approvals by officers.
    pub officers: i64,
    /// Which officers may not.
    pub bars: Vec<Bar>,
}

impl Needs {
    fn officers(officers: i64, bars: &[Bar]) -> Self {
        Self { delegates: 0, representatives: 0, officers, bars: bars.to_vec() }
    }

    /// How many decisions a step needs.
    pub const fn of(&self, step: Step) -> i64 {
        match step {
            Step::Delegate => self.delegates,
            Step::Representative => self.representatives,
            Step::Officer => self.officers,
        }
    }

    /// How many decisions there must be altogether.
    pub const fn total(&self) -> i64 {
        self.delegates + self.representatives + self.officers
    }
}

/// The approval matrix of DOMAIN 17.
pub fn needs(act: Approvable) -> Needs {
    use Bar::{Asker, Organisation};
    match act {
        Approvable::Issue(level, footing) => issue(level, footing),
        Approvable::Succeed(level, Footing::Grant(conditions)) => Needs {
            delegates: i64::from(conditions.second_delegate),
            ..Needs::officers(i64::from(level == Level::Three), &[Asker, Organisation])
        },
        // Outside a grant a successor is as good as a first one.
        Approvable::Succeed(level, Footing::InPerson) => issue(level, Footing::InPerson),
        Approvable::RevokeForHolder => Needs::officers(0, &[]),
        Approvable::NewOrganisation => Needs::officers(1, &[]),
        Approvable::List => Needs::officers(1, &[Asker, Organisation]),
        Approvable::RevokeAgainstHolder | Approvable::PowerfulRole => Needs::officers(1, &[Asker]),
        Approvable::RevokeInBulk
        | Approvable::Policy
        | Approvable::Authority
        | Approvable::Restore => Needs::officers(2, &[Asker]),
        Approvable::PaperGrant => Needs::officers(2, &[Organisation]),
        Approvable::Release(level) | Approvable::Destruction(level) => {
            Needs::officers(if level == Level::Three { 2 } else { 1 }, &[Asker, Organisation])
        }
    }
}

fn issue(level: Level, footing: Footing) -> Needs {
    let officers = match (level, footing) {
        (Level::One, Footing::Grant(_)) => 0,
        (Level::One, Footing::InPerson) | (Level::Two, _) => 1,
        (Level::Three, _) => 2,
    };
    let (delegates, representatives) = match footing {
        Footing::Grant(conditions) => (
            i64::from(conditions.second_delegate),
            i64::from(conditions.confirm_level_3 && level == Level::Three),
        ),
        // The representative's own application is the confirmation.
        Footing::InPerson => (0, 0),
    };
    let bars = vec![Bar::Asker, Bar::Organisation];
    Needs { delegates, representatives, officers, bars }
}

words! {
    /// State of a request for approvals. Stored: add, never change one.
    ApprovalState {
        /// Waits for decisions.
        Open = "open",
        /// Every place is filled.
        Approved = "approved",
        /// One person rejected it; that ends it.
        Rejected = "rejected",
        /// What was shown changed, or its object ended.
        Void = "void",
    }
}

/// One decision by one person on one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The place it fills.
    pub step: Step,
    /// What was decided.
    pub verdict: Verdict,
    /// The person.
    pub person: Party,
    /// When.
    pub at: Timestamp,
    /// Why; empty for an approval only.
    pub reason: String,
    /// Who acted, and what the account proved itself with.
    pub actor: Actor,
    /// The digest of what was shown.
    pub digest: Digest,
}

/// A request for approvals, with its decisions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRequest {
    /// Identifier.
    pub id: ApprovalId,
    /// What is to be approved.
    pub object: ObjectRef,
    /// Whose it is; empty for what belongs to the platform.
    pub organisation: Option<OrganisationId>,
    /// The document that is shown.
    pub shown: Value,
    /// The digest of its canonical form.
    pub digest: Digest,
    /// Who asked; whoever is in here never decides where [`Bar::Asker`] is set.
    pub askers: BTreeSet<Party>,
    /// What it needs.
    pub needs: Needs,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// State.
    pub state: ApprovalState,
    /// What was decided, oldest first.
    pub decisions: Vec<Approval>,
}

/// Who is about to decide.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    /// The person.
    pub person: &'a Party,
    /// The place that the decision would fill.
    pub step: Step,
    /// Whether the person is of the organisation concerned.
    pub of_organisation: bool,
}

impl ApprovalRequest {
    /// Until when it may be decided.
    pub const fn expires_at(&self) -> Timestamp {
        self.opened_at.plus_days(APPROVAL_DAYS)
    }

    /// Whether somebody may decide about what was shown, now.
    pub fn may_decide(
        &self,
        judge: &Judge<'_>,
        shown: &Digest,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if self.state != ApprovalState::Open {
            return Err(Refusal::new(RefusalCode::StateConflict, "17").with("state", self.state));
        }
        if self.expires_at() < now {
            return Err(
                Refusal::new(RefusalCode::ApprovalExpired, "17").with("until", self.expires_at())
            );
        }
        if *shown != self.digest {
            return Err(Refusal::new(RefusalCode::StateConflict, "I-9").with("state", "changed"));
        }
        if self.is_asker(judge.person) && self.needs.bars.contains(&Bar::Asker) {
            return Err(Refusal::new(RefusalCode::SelfApproval, "17"));
        }
        let outsider = judge.step != Step::Officer || !judge.of_organisation;
        if self.needs.bars.contains(&Bar::Organisation) && !outsider {
            return Err(
                Refusal::new(RefusalCode::SelfApproval, "2").with("problem", "organisation")
            );
        }
        if self.decisions.iter().any(|decision| decision.person == *judge.person) {
            return Err(Refusal::new(RefusalCode::DualControl, "I-6"));
        }
        if self.open(judge.step) < 1 {
            return Err(Refusal::new(RefusalCode::StateConflict, "17").with("state", "filled"));
        }
        Ok(())
    }

    /// Places of a step that are not filled yet.
    pub fn open(&self, step: Step) -> i64 {
        self.needs.of(step) - self.given(step)
    }

    /// Places of a step that are filled.
    pub fn given(&self, step: Step) -> i64 {
        let approved = |one: &&Approval| one.step == step && one.verdict == Verdict::Approved;
        let people: BTreeSet<&Party> =
            self.decisions.iter().filter(approved).map(|one| &one.person).collect();
        i64::try_from(people.len()).unwrap_or(i64::MAX)
    }

    /// Adds a decision; one rejection ends the request, the last approval completes it.
    #[must_use]
    pub fn with(mut self, decision: Approval) -> Self {
        let verdict = decision.verdict;
        self.decisions.push(decision);
        self.state = match verdict {
            Verdict::Rejected => ApprovalState::Rejected,
            Verdict::Approved if Step::ALL.iter().all(|step| self.open(*step) < 1) => {
                ApprovalState::Approved
            }
            Verdict::Approved => ApprovalState::Open,
        };
        self
    }

    fn is_asker(&self, person: &Party) -> bool {
        self.askers.contains(person)
    }
}

/// A reason as it is kept: one line of plain text. A rejection needs one.
pub fn checked_reason(reason: &str, verdict: Verdict) -> Result<String, Refusal> {
    let reason = reason.trim();
    if reason.is_empty() {
        return match verdict {
            Verdict::Approved => Ok(String::new()),
            Verdict::Rejected => {
                Err(Refusal::new(RefusalCode::StateConflict, "17").with("state", "reason"))
            }
        };
    }
    crate::name::plain_text(reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Entropy, PersonId};

    const NOW: Timestamp = Timestamp::from_seconds(1_795_371_000);
    const SHOWN: Digest = Digest([7; 32]);

    struct Numbered(u8);
    impl Entropy for Numbered {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    fn person(number: u8) -> Party {
        Party::Person(PersonId::new(NOW, &Numbered(number)))
    }

    fn grant() -> Footing {
        Footing::Grant(Conditions::default())
    }

    fn request(act: Approvable) -> ApprovalRequest {
        ApprovalRequest {
            id: ApprovalId::new(NOW, &Numbered(0)),
            object: ObjectRef::new("application", "app"),
            organisation: None,
            shown: Value::Null,
            digest: SHOWN,
            askers: BTreeSet::from([person(9)]),
            needs: needs(act),
            opened_at: NOW,
            state: ApprovalState::Open,
            decisions: Vec::new(),
        }
    }

    fn decision(number: u8, step: Step, verdict: Verdict) -> Approval {
        Approval {
            step,
            verdict,
            person: person(number),
            at: NOW,
            reason: String::new(),
            actor: Actor::system("test"),
            digest: SHOWN,
        }
    }

    fn check(act: Approvable, delegates: i64, representatives: i64, officers: i64) {
        let found = needs(act);
        let found = (found.delegates, found.representatives, found.officers);
        assert_eq!(found, (delegates, representatives, officers), "{act:?}");
    }

    #[test]
    fn the_matrix_is_that_of_domain_17() {
        check(Approvable::Issue(Level::One, grant()), 0, 0, 0);
        check(Approvable::Issue(Level::One, Footing::InPerson), 0, 0, 1);
        check(Approvable::Issue(Level::Two, grant()), 0, 0, 1);
        check(Approvable::Issue(Level::Three, grant()), 0, 1, 2);
        check(Approvable::Issue(Level::Three, Footing::InPerson), 0, 0, 2);
        let waived = Conditions { confirm_level_3: false, second_delegate: true };
        check(Approvable::Issue(Level::Three, Footing::Grant(waived)), 1, 0, 2);
        check(Approvable::Succeed(Level::Two, grant()), 0, 0, 0);
        check(Approvable::Succeed(Level::Three, grant()), 0, 0, 1);
        check(Approvable::Succeed(Level::Three, Footing::InPerson), 0, 0, 2);
        check(Approvable::NewOrganisation, 0, 0, 1);
        check(Approvable::PaperGrant, 0, 0, 2);
        check(Approvable::RevokeForHolder, 0, 0, 0);
        check(Approvable::RevokeAgainstHolder, 0, 0, 1);
        check(Approvable::RevokeInBulk, 0, 0, 2);
        check(Approvable::Release(Level::Two), 0, 0, 1);
        check(Approvable::Release(Level::Three), 0, 0, 2);
        check(Approvable::Destruction(Level::One), 0, 0, 1);
        check(Approvable::Destruction(Level::Three), 0, 0, 2);
        check(Approvable::Policy, 0, 0, 2);
        check(Approvable::Authority, 0, 0, 2);
        check(Approvable::PowerfulRole, 0, 0, 1);
        check(Approvable::Restore, 0, 0, 2);
    }

    fn check_refused(
        request: &ApprovalRequest,
        (number, step, of_organisation): (u8, Step, bool),
        (days, shown): (i64, Digest),
        expected: Option<RefusalCode>,
    ) {
        let person = person(number);
        let judge = Judge { person: &person, step, of_organisation };
        let found = request.may_decide(&judge, &shown, NOW.plus_days(days)).err();
        assert_eq!(found.map(|refusal| refusal.code), expected);
    }

    #[test]
    fn i_6_one_person_decides_once_and_never_about_their_own() {
        use RefusalCode as C;
        let fresh = request(Approvable::Issue(Level::Three, grant()));
        let officer = |number| (number, Step::Officer, false);
        check_refused(&fresh, officer(1), (0, SHOWN), None);
        check_refused(&fresh, officer(9), (0, SHOWN), Some(C::SelfApproval));
        check_refused(&fresh, (1, Step::Officer, true), (0, SHOWN), Some(C::SelfApproval));
        check_refused(&fresh, (1, Step::Representative, true), (0, SHOWN), None);
        let one = fresh.with(decision(1, Step::Officer, Verdict::Approved));
        check_refused(&one, officer(1), (0, SHOWN), Some(C::DualControl));
        check_refused(&one, (1, Step::Representative, true), (0, SHOWN), Some(C::DualControl));
        check_refused(&one, officer(2), (0, SHOWN), None);
        check_refused(&one, (2, Step::Delegate, true), (0, SHOWN), Some(C::StateConflict));
    }

    #[test]
    fn ab_13_an_approval_falls_on_what_was_shown() {
        let fresh = request(Approvable::Issue(Level::Two, grant()));
        let other = (0, Digest([8; 32]));
        check_refused(&fresh, (1, Step::Officer, false), other, Some(RefusalCode::StateConflict));
    }

    #[test]
    fn approvals_end_after_14_days_and_with_one_rejection() {
        use RefusalCode as C;
        let fresh = request(Approvable::Issue(Level::Two, grant()));
        check_refused(&fresh, (1, Step::Officer, false), (14, SHOWN), None);
        check_refused(&fresh, (1, Step::Officer, false), (15, SHOWN), Some(C::ApprovalExpired));
        let rejected = fresh.with(decision(1, Step::Officer, Verdict::Rejected));
        assert_eq!(rejected.state, ApprovalState::Rejected);
        check_refused(&rejected, (2, Step::Officer, false), (0, SHOWN), Some(C::StateConflict));
    }

    #[test]
    fn a_request_is_complete_when_every_place_is_filled() {
        let mut one = request(Approvable::Issue(Level::Three, grant()));
        for (number, step) in [(1, Step::Representative), (2, Step::Officer), (3, Step::Officer)] {
            assert_eq!(one.state, ApprovalState::Open);
            one = one.with(decision(number, step, Verdict::Approved));
        }
        assert_eq!(one.state, ApprovalState::Approved);
    }

    #[test]
    fn a_rejection_needs_a_reason() {
        assert!(checked_reason("", Verdict::Approved).is_ok());
        assert!(checked_reason(" ", Verdict::Rejected).is_err());
        assert!(checked_reason("a\u{202E}b", Verdict::Approved).is_err());
        assert_eq!(checked_reason(" 期間が短い ", Verdict::Rejected).unwrap(), "期間が短い");
    }
}

//! Decisions of people: opened over a digest, ruled on by one person at a time, and what follows for
//! an application (DOMAIN 17).
//!
//! That an approval came from a fresh second factor is the console's to check.

use std::collections::BTreeSet;

use serde_json::Value;
use tenkoku_domain::access::{Actor, Apply, Confirm, Issue, Origin, Permit, Scope};
use tenkoku_domain::application::{Application, ApplicationState};
use tenkoku_domain::approval::{
    Approval, ApprovalRequest, ApprovalState, Judge, Needs, Step, Verdict, checked_reason,
};
use tenkoku_domain::audit::{AuditCode, DelegationEvent, ObjectRef};
use tenkoku_domain::canonical::{CanonicalError, Digest};
use tenkoku_domain::id::{ApplicationId, ApprovalId, Entropy, OrganisationId};
use tenkoku_domain::person::Party;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use crate::act::{ActError, told};
use crate::office::record;
use crate::progress::{advance, changed_meanwhile, release_quota};

/// A request to be opened.
pub(crate) struct Opening {
    pub(crate) object: ObjectRef,
    pub(crate) organisation: Option<OrganisationId>,
    pub(crate) shown: Value,
    pub(crate) askers: BTreeSet<Party>,
    pub(crate) needs: Needs,
}

/// What a person decides about what was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The digest that was shown.
    pub shown: Digest,
    /// The decision.
    pub verdict: Verdict,
    /// Why; may be empty for an approval only.
    pub reason: String,
}

/// A request for approvals; the event that opens it records it.
pub(crate) fn open(
    entropy: &dyn Entropy,
    opening: Opening,
    now: Timestamp,
) -> Result<ApprovalRequest, CanonicalError> {
    let Opening { object, organisation, shown, askers, needs } = opening;
    Ok(ApprovalRequest {
        id: ApprovalId::new(now, entropy),
        object,
        organisation,
        digest: Digest::of_json(&shown)?,
        shown,
        askers,
        needs,
        opened_at: now,
        state: ApprovalState::Open,
        decisions: Vec::new(),
    })
}

/// Records one person's decision, or refuses it. Gives the request as it is then.
pub(crate) fn rule(
    tx: &mut Tx<'_>,
    origin: &Origin,
    request: ApprovalRequest,
    (step, of_organisation): (Step, bool),
    ruling: &Ruling,
    now: Timestamp,
) -> Result<ApprovalRequest, ActError> {
    let person = tx.party(&origin.actor)?;
    let judge = Judge { person: &person, step, of_organisation };
    request.may_decide(&judge, &ruling.shown, now)?;
    let decision = Approval {
        step,
        verdict: ruling.verdict,
        reason: checked_reason(&ruling.reason, ruling.verdict)?,
        person,
        at: now,
        actor: origin.actor.clone(),
        digest: ruling.shown,
    };
    let request = request.with(decision.clone());
    let event = DelegationEvent::Decided { request: Box::new(request.clone()), decision };
    record(tx, origin, now, event)?;
    Ok(request)
}

/// Whether somebody is of an organisation: represents it, is its delegate, or has an account with a
/// role of its people.
pub(crate) fn is_of_organisation(
    tx: &mut Tx<'_>,
    party: &Party,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Party::Person(person) = party else { return Ok(false) };
    if tx.find_representative(organisation, person, now)?.is_some() {
        return Ok(true);
    }
    let delegates = tx.list_delegates(&Scope::Platform, organisation)?;
    if delegates.iter().any(|one| one.person == *person && one.holds(now)) {
        return Ok(true);
    }
    let branches = tx.branch_ids(organisation)?;
    let accounts = tx.accounts_of_person(person)?;
    let mut roles = accounts.iter().flat_map(|account| &account.roles);
    Ok(roles.any(|grant| {
        grant.until > now
            && grant.role.is_of_organisation()
            && match &grant.scope {
                Scope::Platform | Scope::Authorities(_) => false,
                Scope::Within { organisations, branches: own } => {
                    organisations.contains(organisation)
                        || branches.iter().any(|branch| own.contains(branch))
                }
            }
    }))
}

/// An officer's decision about an application. The last approval that is needed lets it go on; one
/// rejection ends it.
pub fn approve_application(
    env: &Env,
    permit: &Permit<Issue>,
    id: &ApplicationId,
    ruling: &Ruling,
) -> Result<Application, ActError> {
    decide(env, permit.origin(), permit.scope(), id, ruling, |_, _, _| Ok(Ok(Step::Officer)))
}

/// The organisation's word about an application: that of the representative, or of a second
/// delegate.
pub fn confirm_application(
    env: &Env,
    permit: &Permit<Confirm>,
    id: &ApplicationId,
    ruling: &Ruling,
) -> Result<Application, ActError> {
    let now = env.clock.now();
    decide(env, permit.origin(), permit.scope(), id, ruling, |tx, person, organisation| {
        let Party::Person(person) = person else { return Ok(Err(not_theirs())) };
        if tx.find_representative(organisation, person, now)?.is_some() {
            return Ok(Ok(Step::Representative));
        }
        let delegates = tx.list_delegates(&Scope::Platform, organisation)?;
        let is_one = delegates.iter().any(|one| one.person == *person && one.holds(now));
        Ok(if is_one { Ok(Step::Delegate) } else { Err(not_theirs()) })
    })
}

/// Which open place somebody could fill now, if any: what a page offers.
pub fn open_step(
    tx: &mut Tx<'_>,
    actor: &Actor,
    application: &Application,
    request: &ApprovalRequest,
    (officer, confirms): (bool, bool),
    now: Timestamp,
) -> Result<Option<Step>, StoreError> {
    let party = tx.party(actor)?;
    let organisation = &application.organisation;
    let of_organisation = is_of_organisation(tx, &party, organisation, now)?;
    let mut steps = Vec::new();
    if let (true, Party::Person(person)) = (confirms, &party) {
        if tx.find_representative(organisation, person, now)?.is_some() {
            steps.push(Step::Representative);
        } else if of_organisation {
            steps.push(Step::Delegate);
        }
    }
    if officer {
        steps.push(Step::Officer);
    }
    let fits = |step: &Step| {
        let judge = Judge { person: &party, step: *step, of_organisation };
        request.may_decide(&judge, &request.digest, now).is_ok()
    };
    Ok(steps.into_iter().find(fits))
}

fn not_theirs() -> Refusal {
    Refusal::new(RefusalCode::NotAuthorised, "17").with("permission", "confirm")
}

fn decide(
    env: &Env,
    origin: &Origin,
    scope: &Scope,
    id: &ApplicationId,
    ruling: &Ruling,
    step: impl Fn(&mut Tx<'_>, &Party, &OrganisationId) -> Result<Result<Step, Refusal>, StoreError>,
) -> Result<Application, ActError> {
    let now = env.clock.now();
    let seen = env.store.read(|tx| tx.load_application(scope, id))?;
    let done = env.store.write(|tx| {
        let application = tx.lock_application(scope, id)?;
        let party = tx.party(&origin.actor)?;
        let step = step(tx, &party, &application.organisation)??;
        decide_within(env, tx, origin, application, (step, &party), ruling, now)
    });
    let code = match ruling.verdict {
        Verdict::Approved => AuditCode::AppApprovalGiven,
        Verdict::Rejected => AuditCode::AppApprovalRefused,
    };
    let decided = told(
        env,
        origin,
        (code, ObjectRef::new("application", id)),
        Some(seen.organisation),
        done,
    )?;
    match decided {
        Decided::Done(application) => Ok(application),
        // AB-13: what was shown is not what is there; the approvals are void, and that is kept.
        Decided::Changed(refusal) => {
            let act = (code, ObjectRef::new("application", id));
            told(env, origin, act, None, Err(refusal.into()))
        }
    }
}

#[expect(clippy::large_enum_variant, reason = "one value, taken apart at once")]
enum Decided {
    Done(Application),
    Changed(Refusal),
}

fn decide_within(
    env: &Env,
    tx: &mut Tx<'_>,
    origin: &Origin,
    application: Application,
    (step, party): (Step, &Party),
    ruling: &Ruling,
    now: Timestamp,
) -> Result<Decided, ActError> {
    let waiting = |state| {
        Refusal::new(RefusalCode::StateConflict, "6.3")
            .with("application", &application.id)
            .with("state", state)
    };
    if application.state != ApplicationState::Approval {
        return Err(waiting(application.state).into());
    }
    let object = ObjectRef::new("application", &application.id);
    let request = tx.find_approval_request(&object)?.ok_or_else(|| waiting(application.state))?;
    // AB-7: an approval belongs to the organisation whose application it is.
    if request.organisation.as_ref() != Some(&application.organisation) {
        return Err(StoreError::NotFound { what: "approval request" }.into());
    }
    if changed_meanwhile(tx, origin, &application, now)?.is_some() {
        return Ok(Decided::Changed(
            Refusal::new(RefusalCode::StateConflict, "I-9")
                .with("application", &application.id)
                .with("state", "changed"),
        ));
    }
    let of_organisation = is_of_organisation(tx, party, &application.organisation, now)?;
    let request = rule(tx, origin, request, (step, of_organisation), ruling, now)?;
    match request.state {
        ApprovalState::Rejected => {
            let reason = checked_reason(&ruling.reason, ruling.verdict)?;
            Ok(Decided::Done(decline(tx, origin, application, Some(request.id), reason, now)?))
        }
        ApprovalState::Approved => Ok(Decided::Done(advance(env, tx, origin, application, now)?)),
        ApprovalState::Open | ApprovalState::Void => Ok(Decided::Done(application)),
    }
}

fn decline(
    tx: &mut Tx<'_>,
    origin: &Origin,
    application: Application,
    request: Option<ApprovalId>,
    reason: String,
    now: Timestamp,
) -> Result<Application, ActError> {
    application.may_move(ApplicationState::Rejected)?;
    let event =
        DelegationEvent::ApplicationDeclined { application: application.clone(), request, reason };
    record(tx, origin, now, event)?;
    release_quota(tx, origin, &application, now)?;
    Ok(Application { state: ApplicationState::Rejected, ..application })
}

/// An officer rejects an application that waits for something else than approvals, such as records
/// of proofing that cannot be had. A reason is needed.
pub fn reject_application(
    env: &Env,
    permit: &Permit<Issue>,
    id: &ApplicationId,
    reason: &str,
) -> Result<Application, ActError> {
    let now = env.clock.now();
    let origin = permit.origin();
    let seen = env.store.read(|tx| tx.load_application(permit.scope(), id))?;
    let done = env.store.write(|tx| {
        let application = tx.lock_application(permit.scope(), id)?;
        let reason = checked_reason(reason, Verdict::Rejected)?;
        let party = tx.party(&origin.actor)?;
        if is_of_organisation(tx, &party, &application.organisation, now)? {
            let refusal = Refusal::new(RefusalCode::SelfApproval, "2");
            return Err(refusal.with("problem", "organisation").into());
        }
        let voided = void(tx, &application)?;
        if voided.is_some() {
            return Err(Refusal::new(RefusalCode::StateConflict, "6.3")
                .with("application", &application.id)
                .with("state", application.state)
                .into());
        }
        decline(tx, origin, application, None, reason, now)
    });
    let act = (AuditCode::AppRejected, ObjectRef::new("application", id));
    told(env, origin, act, Some(seen.organisation), done)
}

/// The request about an application that would become void, where one is open.
fn void(tx: &mut Tx<'_>, application: &Application) -> Result<Option<ApprovalId>, StoreError> {
    let object = ObjectRef::new("application", &application.id);
    let request = tx.find_approval_request(&object)?;
    Ok(request.filter(|one| one.state == ApprovalState::Open).map(|one| one.id))
}

/// The applicant takes an application back, at any time before it is issued.
pub fn withdraw_application(
    env: &Env,
    permit: &Permit<Apply>,
    id: &ApplicationId,
) -> Result<Application, ActError> {
    let now = env.clock.now();
    let origin = permit.origin();
    let seen = env.store.read(|tx| tx.load_application(permit.scope(), id))?;
    let done = env.store.write(|tx| {
        let application = tx.lock_application(permit.scope(), id)?;
        application.may_move(ApplicationState::Withdrawn)?;
        let being_issued = tx.list_pending()?.into_iter().any(|certificate| {
            certificate.seal.is_some_and(|seal| seal.application == application.id)
        });
        if being_issued {
            return Err(Refusal::new(RefusalCode::StateConflict, "6.3")
                .with("application", id)
                .with("state", "being-issued")
                .into());
        }
        let voided = void(tx, &application)?;
        let event =
            DelegationEvent::ApplicationWithdrawn { application: application.clone(), voided };
        record(tx, origin, now, event)?;
        release_quota(tx, origin, &application, now)?;
        Ok(Application { state: ApplicationState::Withdrawn, ..application })
    });
    let act = (AuditCode::AppWithdrawn, ObjectRef::new("application", id));
    told(env, origin, act, Some(seen.organisation), done)
}

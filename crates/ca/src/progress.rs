//! The way of an application from submission to the proof of its key: on what it stands, what it
//! still needs, and the next step (DOMAIN 6.3).
//!
//! In an evaluation one person does everything, so an application waits for its key at once.

use std::collections::BTreeSet;

use tenkoku_domain::access::{Actor, ActorKind, Apply, Origin, Permission, Permit, Role, Scope};
use tenkoku_domain::application::{
    Application, ApplicationState, AppliedGrant, application_document,
};
use tenkoku_domain::approval::{Approvable, ApprovalState, Conditions, Footing, needs};
use tenkoku_domain::audit::{AuditCode, DelegationEvent, Event, IdentityEvent, ObjectRef};
use tenkoku_domain::branch::Branch;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::certificate::{Certificate, Profile};
use tenkoku_domain::challenge::Challenge;
use tenkoku_domain::grant::{Grant, GrantAction, GrantUsage, GrantUse};
use tenkoku_domain::id::{
    ApplicationId, BranchId, GrantId, InstanceId, OrganisationId, PersonId, UserId,
};
use tenkoku_domain::level::Level;
use tenkoku_domain::organisation::Organisation;
use tenkoku_domain::person::Party;
use tenkoku_domain::policy::Installation;
use tenkoku_domain::proofing::{self, Authority, SourceCap};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::subject::SealSubject;
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use crate::act::{ActError, told};
use crate::approval::{Opening, open};
use crate::office::record;
use crate::policy::policy_of_level;
use crate::wishes;

/// On what an application stands.
#[derive(Clone, Debug)]
pub(crate) enum Standing {
    /// On the installation being an evaluation.
    Evaluation,
    /// On a grant.
    Grant(Box<Grant>),
    /// On the applicant being a representative.
    InPerson(PersonId),
}

impl Standing {
    pub(crate) fn grant(&self) -> Result<Option<AppliedGrant>, ActError> {
        match self {
            Self::Grant(grant) => {
                let digest = grant.terms.digest()?;
                Ok(Some(AppliedGrant { id: grant.terms.id.clone(), digest }))
            }
            Self::Evaluation | Self::InPerson(_) => Ok(None),
        }
    }

    fn footing(&self) -> Footing {
        match self {
            Self::Grant(grant) => Footing::Grant(grant.terms.conditions),
            // Nobody else is asked in an evaluation.
            Self::Evaluation => {
                Footing::Grant(Conditions { confirm_level_3: false, second_delegate: false })
            }
            Self::InPerson(_) => Footing::InPerson,
        }
    }
}

/// What is applied for, as far as a grant must cover it.
pub(crate) struct Wanted<'a> {
    pub(crate) organisation: &'a OrganisationId,
    pub(crate) branch: &'a Branch,
    pub(crate) level: Level,
    pub(crate) instance: &'a InstanceId,
    /// The application, where it was submitted before and is counted already.
    pub(crate) application: Option<&'a ApplicationId>,
}

/// Whether an instance gets its first credential or a successor. What one application was answered
/// with before, and nobody received, is not what it succeeds.
fn action(
    tx: &mut Tx<'_>,
    instance: &InstanceId,
    application: Option<&ApplicationId>,
) -> Result<GrantAction, StoreError> {
    let earlier = tx
        .certificates_of_instance(instance)?
        .into_iter()
        .any(|one| one.seal.is_none_or(|seal| Some(&seal.application) != application));
    Ok(if earlier { GrantAction::Rotate } else { GrantAction::Apply })
}

/// On what a new application stands: the grant it names, or the applicant's own. DG-1: the grant is
/// locked and must cover it; what is used of it with this application stays inside its quota.
pub(crate) fn stand(
    env: &Env,
    tx: &mut Tx<'_>,
    actor: &Actor,
    wanted: &Wanted<'_>,
    named: Option<&GrantId>,
    now: Timestamp,
) -> Result<Standing, ActError> {
    if let Some(id) = named {
        let grant = tx.load_grant(&Scope::Platform, id)?;
        let theirs = actor.kind == ActorKind::System || grant.terms.grantee.as_str() == actor.id;
        if grant.organisation != *wanted.organisation || !theirs {
            return Err(StoreError::NotFound { what: "grant" }.into());
        }
        check_grant(tx, &grant, wanted, now)?;
        return Ok(Standing::Grant(Box::new(grant)));
    }
    if env.settings.installation == Installation::Evaluation {
        return Ok(Standing::Evaluation);
    }
    if let Party::Person(person) = tx.party(actor)?
        && tx.find_representative(wanted.organisation, &person, now)?.is_some()
    {
        return Ok(Standing::InPerson(person));
    }
    let missing = || Refusal::new(RefusalCode::GrantMissing, "DG-1").with("part", "grant");
    let grantee = UserId::parse(&actor.id).map_err(|_| missing())?;
    let mut refused = None;
    for grant in tx.grants_of(wanted.organisation, &grantee)? {
        let grant = tx.load_grant(&Scope::Platform, &grant.terms.id)?;
        match check_grant(tx, &grant, wanted, now) {
            Ok(()) => return Ok(Standing::Grant(Box::new(grant))),
            Err(ActError::Refused(refusal)) => refused = refused.or(Some(refusal)),
            Err(other) => return Err(other),
        }
    }
    Err(refused.unwrap_or_else(missing).into())
}

/// What somebody does with a credential, or for an organisation, that is there already.
pub(crate) struct Deed<'a> {
    pub(crate) permission: Permission,
    pub(crate) action: GrantAction,
    pub(crate) organisation: &'a OrganisationId,
    /// The seal that it is done with; none for what concerns the organisation as a whole.
    pub(crate) seal: Option<(&'a BranchId, Level)>,
}

/// DG-1 for everything but applications: whoever acts for an organisation by a grant alone needs
/// one that covers the action, the branch, the level and the date, up the chain. Quotas count new
/// credentials only. Nothing is asked of officers, of the organisation's own administrators,
/// custodians and representatives, and in an evaluation.
pub(crate) fn within_grant(
    env: &Env,
    tx: &mut Tx<'_>,
    actor: &Actor,
    deed: &Deed<'_>,
    now: Timestamp,
) -> Result<Result<(), Refusal>, StoreError> {
    let missing = || Refusal::new(RefusalCode::GrantMissing, "DG-1").with("part", "grant");
    if env.settings.installation == Installation::Evaluation || actor.kind == ActorKind::System {
        return Ok(Ok(()));
    }
    let Ok(user) = UserId::parse(&actor.id) else { return Ok(Err(missing())) };
    let account = tx.load_account(&user)?;
    let covers = |scope: &Scope| match deed.seal {
        Some((branch, _)) => scope.covers(deed.organisation, branch),
        None => scope.covers_organisation(deed.organisation),
    };
    let by_right = account.roles.iter().any(|grant| {
        !matches!(grant.role, Role::Delegate | Role::ServiceAccount)
            && grant.until > now
            && grant.role.permissions().contains(&deed.permission)
            && covers(&grant.scope)
    });
    if by_right {
        return Ok(Ok(()));
    }
    let seal = match deed.seal {
        Some((branch, level)) => Some((tx.load_branch(&Scope::Platform, branch)?.code, level)),
        None => None,
    };
    let check = |grant: &Grant| match &seal {
        Some((branch, level)) => {
            let profile = Profile::seal(*level);
            grant.check(&GrantUse { action: deed.action, branch, level: *level, profile }, now)
        }
        None => grant.check_action(deed.action, now),
    };
    let mut refused = None;
    for grant in tx.grants_of(deed.organisation, &user)? {
        let parent = match &grant.terms.parent {
            Some(parent) => Some(tx.load_grant(&Scope::Platform, parent)?),
            None => None,
        };
        match check(&grant).and_then(|()| parent.as_ref().map_or(Ok(()), check)) {
            Ok(()) => return Ok(Ok(())),
            Err(refusal) => refused = refused.or(Some(refusal)),
        }
    }
    Ok(Err(refused.unwrap_or_else(missing)))
}

/// The same about the seal of a certificate; anything else is nobody's to hold by a grant.
pub(crate) fn seal_within_grant(
    env: &Env,
    tx: &mut Tx<'_>,
    actor: &Actor,
    certificate: &Certificate,
    action: GrantAction,
    now: Timestamp,
) -> Result<Result<(), Refusal>, StoreError> {
    let Some(seal) = &certificate.seal else { return Ok(Ok(())) };
    let Some((_, level, _)) = tx.find_instance(&seal.instance)? else { return Ok(Ok(())) };
    let deed = Deed {
        permission: Permission::Revoke,
        action,
        organisation: &seal.organisation,
        seal: Some((&seal.branch, level)),
    };
    within_grant(env, tx, actor, &deed, now)
}

/// DG-1 for a grant and, where it is a sub-grant, for its parent.
fn check_grant(
    tx: &mut Tx<'_>,
    grant: &Grant,
    wanted: &Wanted<'_>,
    now: Timestamp,
) -> Result<(), ActError> {
    check_one(tx, grant, wanted, now)?;
    if let Some(parent) = &grant.terms.parent {
        let parent = tx.load_grant(&Scope::Platform, parent)?;
        check_one(tx, &parent, wanted, now)?;
    }
    Ok(())
}

fn check_one(
    tx: &mut Tx<'_>,
    grant: &Grant,
    wanted: &Wanted<'_>,
    now: Timestamp,
) -> Result<(), ActError> {
    let wish = GrantUse {
        action: action(tx, wanted.instance, wanted.application)?,
        branch: &wanted.branch.code,
        level: wanted.level,
        profile: Profile::seal(wanted.level),
    };
    grant.check(&wish, now)?;
    let used = tx.grant_usage(&grant.terms.id, now)?;
    let used = if wanted.application.is_some() { used } else { with_one_more(used) };
    Ok(grant.terms.quota.check(&used)?)
}

const fn with_one_more(used: GrantUsage) -> GrantUsage {
    GrantUsage { active: used.active + 1, today: used.today + 1, total: used.total + 1 }
}

/// What an application stood on when it was submitted, checked anew (DG-1 at issue).
pub(crate) fn stand_again(
    env: &Env,
    tx: &mut Tx<'_>,
    application: &Application,
    branch: &Branch,
    now: Timestamp,
) -> Result<Standing, ActError> {
    if let Some(applied) = &application.grant {
        let grant = tx.load_grant(&Scope::Platform, &applied.id)?;
        if grant.terms.digest()? != applied.digest {
            return Err(Refusal::new(RefusalCode::StateConflict, "DG-3")
                .with("application", &application.id)
                .with("state", "changed")
                .into());
        }
        let wanted = Wanted {
            organisation: &application.organisation,
            branch,
            level: application.level,
            instance: &application.instance,
            application: Some(&application.id),
        };
        check_grant(tx, &grant, &wanted, now)?;
        return Ok(Standing::Grant(Box::new(grant)));
    }
    if env.settings.installation == Installation::Evaluation {
        return Ok(Standing::Evaluation);
    }
    if let Party::Person(person) = tx.party(&application.applicant)?
        && tx.find_representative(&application.organisation, &person, now)?.is_some()
    {
        return Ok(Standing::InPerson(person));
    }
    Err(Refusal::new(RefusalCode::GrantMissing, "DG-1").with("part", "grant").into())
}

/// DOMAIN 16: every record that the level needs is there now. Gives until when a certificate may be
/// valid because of them (I-8); nothing limits an evaluation.
pub(crate) fn check_proofing(
    env: &Env,
    tx: &mut Tx<'_>,
    application: &Application,
    standing: &Standing,
    now: Timestamp,
) -> Result<Option<Timestamp>, ActError> {
    if env.settings.installation == Installation::Evaluation {
        return Ok(None);
    }
    let person = match standing {
        Standing::Evaluation => return Ok(None),
        Standing::Grant(grant) => representative_of(tx, grant)?,
        Standing::InPerson(person) => person.clone(),
    };
    let authority = match standing {
        Standing::InPerson(_) => Authority::InPerson(&person),
        Standing::Evaluation | Standing::Grant(_) => Authority::Grant(&person),
    };
    let records = tx.list_proofings(&Scope::Platform, &application.organisation)?;
    let cap = source_cap(env);
    let (level, branch) = (application.level, &application.branch);
    Ok(proofing::check(level, branch, authority, &records, cap, now)?.until)
}

/// The person whose authority a grant is a part of.
fn representative_of(tx: &mut Tx<'_>, grant: &Grant) -> Result<PersonId, StoreError> {
    let office = tx.load_representative(&Scope::Platform, &grant.representative)?;
    Ok(office.person)
}

/// What the installation's scheme says about derived credentials; one that is not shipped says
/// nothing, so they end with their source.
fn source_cap(env: &Env) -> SourceCap {
    let shipped = tenkoku_domain::scheme::SchemeFile::shipped().unwrap_or_default();
    let own = shipped.into_iter().find(|scheme| scheme.code == env.settings.scheme.code);
    own.map_or(SourceCap::Capped, |scheme| scheme.source_cap())
}

/// The subject that an application asks for, as things are now.
fn subject(
    organisation: &Organisation,
    branch: &Branch,
    application: &Application,
) -> Result<SealSubject, Refusal> {
    wishes::subject(organisation, branch, application.instance_number, &application.wishes)
}

/// The document that is decided on, as things are now.
fn document(
    tx: &mut Tx<'_>,
    application: &Application,
) -> Result<(serde_json::Value, Digest), ActError> {
    let organisation = tx.load_organisation(&Scope::Platform, &application.organisation)?;
    let branch = tx.load_branch(&Scope::Platform, &application.branch)?;
    let document = application_document(
        &subject(&organisation, &branch, application)?,
        application.level,
        application.validity_days,
        &application.policy,
        (application.grant.as_ref(), &application.wishes),
    );
    let digest = Digest::of_json(&document)?;
    Ok((document, digest))
}

/// Takes an application, locked by the caller, as far as it goes by itself: to proofing, on to
/// approval when every record is there, on to the proof of its key when nobody has to approve or
/// everybody did.
pub(crate) fn advance(
    env: &Env,
    tx: &mut Tx<'_>,
    origin: &Origin,
    mut application: Application,
    now: Timestamp,
) -> Result<Application, ActError> {
    use ApplicationState as S;
    loop {
        application = match application.state {
            S::Submitted => step(tx, origin, application, (S::Proofing, None), now)?,
            S::Proofing => match after_proofing(env, tx, origin, application.clone(), now) {
                Ok(moved) => moved,
                // It waits; the page says for what.
                Err(ActError::Refused(_)) => return Ok(application),
                Err(other) => return Err(other),
            },
            S::Approval => {
                let object = ObjectRef::new("application", &application.id);
                let request = tx.find_approval_request(&object)?;
                let open = request.is_some_and(|one| one.state == ApprovalState::Open);
                if open {
                    return Ok(application);
                }
                to_key_proof(env, tx, origin, application, now)?
            }
            S::KeyProof if application.key.is_some() => {
                step(tx, origin, application, (S::Ready, None), now)?
            }
            S::Draft
            | S::KeyProof
            | S::Ready
            | S::Issued
            | S::Rejected
            | S::Withdrawn
            | S::Lapsed => return Ok(application),
        };
    }
}

fn step(
    tx: &mut Tx<'_>,
    origin: &Origin,
    application: Application,
    (to, request): (ApplicationState, Option<Box<tenkoku_domain::approval::ApprovalRequest>>),
    now: Timestamp,
) -> Result<Application, ActError> {
    application.may_move(to)?;
    let event = DelegationEvent::ApplicationMoved { application: application.clone(), to, request };
    record(tx, origin, now, event)?;
    Ok(Application { state: to, changed_at: now, ..application })
}

fn after_proofing(
    env: &Env,
    tx: &mut Tx<'_>,
    origin: &Origin,
    application: Application,
    now: Timestamp,
) -> Result<Application, ActError> {
    let branch = tx.load_branch(&Scope::Platform, &application.branch)?;
    let standing = stand_again(env, tx, &application, &branch, now)?;
    check_proofing(env, tx, &application, &standing, now)?;
    let footing = standing.footing();
    let asked = action(tx, &application.instance, Some(&application.id))?;
    let act = if asked == GrantAction::Rotate {
        Approvable::Succeed(application.level, footing)
    } else {
        Approvable::Issue(application.level, footing)
    };
    let needed = needs(act);
    let request = if needed.total() == 0 {
        None
    } else {
        let (shown, _) = document(tx, &application)?;
        let opening = Opening {
            object: ObjectRef::new("application", &application.id),
            organisation: Some(application.organisation.clone()),
            shown,
            askers: BTreeSet::from([tx.party(&application.applicant)?]),
            needs: needed,
        };
        Some(Box::new(open(&*env.entropy, opening, now)?))
    };
    step(tx, origin, application, (ApplicationState::Approval, request), now)
}

/// The applicant gets a challenge that is fresh.
fn to_key_proof(
    env: &Env,
    tx: &mut Tx<'_>,
    origin: &Origin,
    application: Application,
    now: Timestamp,
) -> Result<Application, ActError> {
    let moved = step(tx, origin, application, (ApplicationState::KeyProof, None), now)?;
    if moved.key.is_none() && !tx.current_challenge(&moved.id)?.is_fresh(now) {
        let minutes = policy_of_level(tx, moved.level, now)?.possession.fresh_challenge_minutes;
        let challenge = Challenge::new(moved.id.clone(), now, minutes, &*env.entropy);
        let organisation = moved.organisation.clone();
        let issued = IdentityEvent::ChallengeIssued { challenge, organisation };
        tx.record(origin, now, &Event::Identity(issued))?;
    }
    Ok(moved)
}

/// Records that an application is not any more what was decided on: approvals are void, and it is
/// submitted anew with what is there now (scenario 9). `None` where nothing changed.
pub(crate) fn changed_meanwhile(
    tx: &mut Tx<'_>,
    origin: &Origin,
    application: &Application,
    now: Timestamp,
) -> Result<Option<Application>, ActError> {
    let (_, digest) = document(tx, application)?;
    if digest == application.digest {
        return Ok(None);
    }
    let changed = Application { digest, ..application.clone() };
    submit_anew(tx, origin, (application.state, changed), now).map(Some)
}

fn submit_anew(
    tx: &mut Tx<'_>,
    origin: &Origin,
    (from, changed): (ApplicationState, Application),
    now: Timestamp,
) -> Result<Application, ActError> {
    let object = ObjectRef::new("application", &changed.id);
    let request = tx.find_approval_request(&object)?;
    let standing = [ApprovalState::Open, ApprovalState::Approved];
    let voided = request.filter(|one| standing.contains(&one.state)).map(|one| one.id);
    let application =
        Application { state: ApplicationState::Submitted, changed_at: now, ..changed };
    let event =
        DelegationEvent::ApplicationChanged { application: application.clone(), from, voided };
    record(tx, origin, now, event)?;
    Ok(application)
}

/// Submits an application anew that fell back to *submitted*, or that waits for records which are
/// there by now.
pub fn resume_application(
    env: &Env,
    permit: &Permit<Apply>,
    id: &ApplicationId,
) -> Result<Application, ActError> {
    changing(env, permit, id, |tx, application, now| {
        let application = match changed_meanwhile(tx, permit.origin(), &application, now)? {
            Some(changed) => changed,
            None if is_too_late(tx, &application, now)? => {
                let from = application.state;
                submit_anew(tx, permit.origin(), (from, application), now)?
            }
            None => application,
        };
        let branch = tx.load_branch(permit.scope(), &application.branch)?;
        stand_again(env, tx, &application, &branch, now)?;
        advance(env, tx, permit.origin(), application, now)
    })
}

/// Whether the time for approvals ran out.
fn is_too_late(
    tx: &mut Tx<'_>,
    application: &Application,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if application.state != ApplicationState::Approval {
        return Ok(false);
    }
    let request = tx.find_approval_request(&ObjectRef::new("application", &application.id))?;
    Ok(request.is_some_and(|one| one.state == ApprovalState::Open && one.expires_at() < now))
}

/// Asks for another validity. Approvals given so far are void; the application starts over.
pub fn change_validity(
    env: &Env,
    permit: &Permit<Apply>,
    id: &ApplicationId,
    validity_days: i64,
) -> Result<Application, ActError> {
    changing(env, permit, id, |tx, application, now| {
        application.may_move(ApplicationState::Submitted)?;
        let policy = policy_of_level(tx, application.level, now)?;
        policy.check_validity(application.level, validity_days)?;
        let from = application.state;
        let mut changed = Application { validity_days, policy: policy.digest()?, ..application };
        changed.digest = document(tx, &changed)?.1;
        let submitted = submit_anew(tx, permit.origin(), (from, changed), now)?;
        advance(env, tx, permit.origin(), submitted, now)
    })
}

fn changing(
    env: &Env,
    permit: &Permit<Apply>,
    id: &ApplicationId,
    change: impl FnOnce(&mut Tx<'_>, Application, Timestamp) -> Result<Application, ActError>,
) -> Result<Application, ActError> {
    let now = env.clock.now();
    let seen = env.store.read(|tx| tx.load_application(permit.scope(), id))?;
    let done = env.store.write(|tx| {
        let application = tx.lock_application(permit.scope(), id)?;
        change(tx, application, now)
    });
    let act = (AuditCode::AppChanged, ObjectRef::new("application", id));
    told(env, permit.origin(), act, Some(seen.organisation), done)
}

/// What an application still needs before its key is asked for, as a refusal says it; `None` where
/// it needs no record.
pub fn missing_records(
    env: &Env,
    tx: &mut Tx<'_>,
    application: &Application,
    now: Timestamp,
) -> Result<Option<Refusal>, ActError> {
    let branch = tx.load_branch(&Scope::Platform, &application.branch)?;
    let found = stand_again(env, tx, application, &branch, now)
        .and_then(|standing| check_proofing(env, tx, application, &standing, now));
    match found {
        Ok(_) => Ok(None),
        Err(ActError::Refused(refusal)) => Ok(Some(refusal)),
        Err(other) => Err(other),
    }
}

/// DG-2: an application takes its place in the quota. Recorded with what is used then.
pub(crate) fn reserve_quota(
    tx: &mut Tx<'_>,
    origin: &Origin,
    application: &Application,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(applied) = &application.grant else { return Ok(()) };
    let usage = tx.grant_usage(&applied.id, now)?;
    let event = DelegationEvent::QuotaReserved {
        grant: applied.id.clone(),
        organisation: application.organisation.clone(),
        application: application.id.clone(),
        usage,
    };
    record(tx, origin, now, event)
}

/// DG-2: an application that ended without certificate gives its place back.
pub(crate) fn release_quota(
    tx: &mut Tx<'_>,
    origin: &Origin,
    application: &Application,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(applied) = &application.grant else { return Ok(()) };
    let event = DelegationEvent::QuotaReleased {
        grant: applied.id.clone(),
        organisation: application.organisation.clone(),
        application: application.id.clone(),
    };
    record(tx, origin, now, event)
}

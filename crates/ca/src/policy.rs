//! Policy documents: drafted, approved by two others, brought into force on their day; what a draft
//! would refuse, asked before it is in force.
//!
//! Not here: the rules of the life of a document, which stand in `domain::policy::draft`, and the
//! reading of its text. That an approval came from a fresh second factor is the console's to check.

mod trial;

use tenkoku_domain::access::{Actor, ApprovePolicy, DraftPolicy, Permit};
use tenkoku_domain::account::Account;
use tenkoku_domain::audit::{AuditCode, Event, ObjectRef, PolicyEvent};
use tenkoku_domain::authority::AuthorityKind;
use tenkoku_domain::canonical::{CanonicalError, Digest};
use tenkoku_domain::id::UserId;
use tenkoku_domain::level::Level;
use tenkoku_domain::person::Party;
use tenkoku_domain::policy::KeyPolicy;
use tenkoku_domain::policy::document::{self, DocumentError};
use tenkoku_domain::policy::draft::{
    DraftState, PolicyDecision, PolicyDraft, Verdict, check_effect,
};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::{Attempt, Env};
use tenkoku_store::{StoreError, Tx};

use crate::revoke::checked_comment;

pub use self::trial::{Check, Specimen, Violation, dry_run, test_key};

/// Why a policy did not go on its way.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// A rule refuses it; the refusal is in the audit trail.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The document is wrong; every mistake is told.
    #[error("the policy document has {} mistakes", .0.len())]
    Document(Vec<DocumentError>),
    /// The document has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// The store did not answer, or holds no such draft.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a person decides about a draft: it is named by the digest of what was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyVerdict {
    /// The digest that was shown.
    pub digest: Digest,
    /// Why; may be empty for an approval only.
    pub reason: String,
}

/// Takes a new document. The same version with another content is refused, unless it is the same
/// author's draft that nobody has finished approving: then the former is void, and so are its
/// approvals.
pub fn draft_policy(
    env: &Env,
    permit: &Permit<DraftPolicy>,
    text: &str,
) -> Result<PolicyDraft, PolicyError> {
    let now = env.clock.now();
    let policy = document::parse(text, env.settings.installation).map_err(PolicyError::Document)?;
    let digest = policy.digest()?;
    let taken = env.store.write(|tx| {
        check_effect(&policy, now)?;
        let author = person(tx, &permit.origin().actor)?;
        let draft = PolicyDraft {
            digest,
            policy: policy.clone(),
            text: text.to_owned(),
            author,
            drafted_at: now,
            state: DraftState::Drafted,
            decisions: Vec::new(),
        };
        replace_former(tx, permit, &draft, now)?;
        let event = PolicyEvent::Drafted { draft: Box::new(draft.clone()) };
        tx.record(permit.origin(), now, &Event::Policy(event))?;
        Ok(draft)
    });
    refused(env, permit, AuditCode::PolicyDrafted, digest, now, taken)
}

/// A version names one content for ever.
fn replace_former(
    tx: &mut Tx<'_>,
    permit: &Permit<DraftPolicy>,
    draft: &PolicyDraft,
    now: Timestamp,
) -> Result<(), PolicyError> {
    let same =
        |policy: &KeyPolicy| policy.id == draft.policy.id && policy.version == draft.policy.version;
    let taken = |state: &str| {
        Refusal::new(RefusalCode::StateConflict, "7")
            .with("policy", format!("{} {}", draft.policy.id, draft.policy.version))
            .with("state", state)
    };
    if tx.list_policy_history(now)?.iter().any(|found| same(&found.policy)) {
        return Err(taken(DraftState::InForce.word()).into());
    }
    for former in tx.list_drafts()?.into_iter().filter(|former| same(&former.policy)) {
        match former.state {
            DraftState::Drafted
                if former.author == draft.author && former.digest != draft.digest =>
            {
                let event = PolicyEvent::Replaced { digest: former.digest, by: draft.digest };
                tx.record(permit.origin(), now, &Event::Policy(event))?;
            }
            DraftState::Rejected | DraftState::Replaced if former.digest != draft.digest => {}
            DraftState::Drafted
            | DraftState::Approved
            | DraftState::InForce
            | DraftState::Superseded
            | DraftState::Rejected
            | DraftState::Replaced => return Err(taken(former.state.word()).into()),
        }
    }
    Ok(())
}

/// Approves a draft as one person. Gives the draft as it is now.
pub fn approve_policy(
    env: &Env,
    permit: &Permit<ApprovePolicy>,
    verdict: &PolicyVerdict,
) -> Result<PolicyDraft, PolicyError> {
    decide(env, permit, verdict, Verdict::Approved)
}

/// Rejects a draft; that ends it. A reason is needed.
pub fn reject_policy(
    env: &Env,
    permit: &Permit<ApprovePolicy>,
    verdict: &PolicyVerdict,
) -> Result<PolicyDraft, PolicyError> {
    decide(env, permit, verdict, Verdict::Rejected)
}

fn decide(
    env: &Env,
    permit: &Permit<ApprovePolicy>,
    order: &PolicyVerdict,
    verdict: Verdict,
) -> Result<PolicyDraft, PolicyError> {
    let now = env.clock.now();
    let decided = env.store.write(|tx| {
        let mut draft = tx.lock_draft(&order.digest)?;
        let person = person(tx, &permit.origin().actor)?;
        draft.may_be_decided(&person, now)?;
        if let Some(former) = former_person(tx, &permit.origin().actor)? {
            draft.may_be_decided(&former, now)?;
        }
        let in_force = predecessor(tx, &draft.policy, now)?;
        let decision = PolicyDecision {
            person,
            verdict,
            at: now,
            reason: checked_reason(&order.reason, verdict)?,
            actor: permit.origin().actor.clone(),
        };
        draft.decisions.push(decision.clone());
        let complete = draft.approvals() >= draft.approvals_needed(&in_force);
        draft.state = match verdict {
            Verdict::Rejected => DraftState::Rejected,
            Verdict::Approved if complete => DraftState::Approved,
            Verdict::Approved => DraftState::Drafted,
        };
        if verdict == Verdict::Approved {
            check_effect(&draft.policy, now)?;
        }
        let event = PolicyEvent::Decided { digest: draft.digest, decision, complete };
        tx.record(permit.origin(), now, &Event::Policy(event))?;
        Ok(draft)
    });
    refused(env, permit, AuditCode::PolicyApproved, order.digest, now, decided)
}

/// Brings one document into force, where its day has come. Gives when it takes effect.
///
/// # Errors
/// KM-22: approvals are missing. Nothing changes before the day.
pub fn activate_policy(
    env: &Env,
    permit: &Permit<DraftPolicy>,
    digest: &Digest,
) -> Result<Timestamp, PolicyError> {
    let now = env.clock.now();
    let activated = env.store.write(|tx| {
        let draft = tx.lock_draft(digest)?;
        let in_force = predecessor(tx, &draft.policy, now)?;
        let effective = draft.may_take_effect(&in_force)?;
        if effective > now {
            return Ok(effective);
        }
        let former = tx.list_policies(now)?;
        let former = former.into_iter().map(|found| found.policy);
        let superseded = former.filter(|policy| policy.is_superseded_by(&draft.policy));
        let superseded: Vec<_> =
            superseded.map(|policy| policy.digest()).collect::<Result<_, _>>()?;
        let policy = Box::new(draft.policy.clone());
        let event = PolicyEvent::Activated { policy, digest: draft.digest };
        tx.record(permit.origin(), now, &Event::Policy(event))?;
        for former in superseded {
            let event = PolicyEvent::Superseded { digest: former, by: draft.digest };
            tx.record(permit.origin(), now, &Event::Policy(event))?;
        }
        Ok(now)
    });
    refused(env, permit, AuditCode::PolicyActivated, *digest, now, activated)
}

/// Brings every approved document into force whose day has come. Gives how many.
pub fn activate_due_policies(
    env: &Env,
    permit: &Permit<DraftPolicy>,
) -> Result<usize, PolicyError> {
    let now = env.clock.now();
    let mut drafts = env.store.read(|tx| tx.list_drafts())?;
    // Oldest first, so that the newest is in force in the end.
    drafts.retain(|draft| draft.state == DraftState::Approved);
    drafts.sort_by_key(|draft| (draft.policy.effective_from, draft.drafted_at));
    let mut activated = 0;
    for draft in drafts {
        if activate_policy(env, permit, &draft.digest)? <= now {
            activated += 1;
        }
    }
    Ok(activated)
}

/// The policy that rules at a level: that of its newest issuing authority, else the one for all.
pub(crate) fn policy_of_level(
    tx: &mut Tx<'_>,
    level: Level,
    now: Timestamp,
) -> Result<KeyPolicy, StoreError> {
    let serving = tx.list_authorities()?.into_iter();
    let serving = serving.filter(|a| a.kind == AuthorityKind::Issuing(level));
    let serving = serving.filter(|a| a.may_issue(now).is_ok());
    match serving.max_by_key(|authority| authority.generation) {
        Some(authority) => tx.current_policy_for(authority.code.as_str(), now),
        None => tx.current_policy(now),
    }
}

/// The policy whose approval rules a draft has to meet: the version it follows, else the one in
/// force for all.
fn predecessor(
    tx: &mut Tx<'_>,
    policy: &KeyPolicy,
    now: Timestamp,
) -> Result<KeyPolicy, StoreError> {
    let found = tx.list_policies(now)?.into_iter().find(|found| found.policy.id == policy.id);
    match found {
        Some(found) => Ok(found.policy),
        None => tx.current_policy(now),
    }
}

/// Who counts in an approval (I-6).
pub(crate) fn person(tx: &mut Tx<'_>, actor: &Actor) -> Result<String, StoreError> {
    Ok(tx.party(actor)?.to_string())
}

/// Who counts behind what earlier releases kept: the person of an account, or what was kept.
pub(crate) fn counted(tx: &mut Tx<'_>, kept: &str) -> Result<String, StoreError> {
    match UserId::parse(kept) {
        Ok(id) => Ok(tx.load_account(&id)?.party().to_string()),
        Err(_) => Ok(kept.to_owned()),
    }
}

/// Decisions of earlier releases name people by what their accounts are called.
fn former_person(tx: &mut Tx<'_>, actor: &Actor) -> Result<Option<String>, StoreError> {
    match tx.party(actor)? {
        Party::Shell => Ok(None),
        Party::Person(person) => {
            let accounts = tx.accounts_of_person(&person)?;
            Ok(accounts.iter().find(|one| one.id.as_str() == actor.id).map(Account::former_person))
        }
    }
}

pub(crate) fn checked_reason(reason: &str, verdict: Verdict) -> Result<String, Refusal> {
    let reason = checked_comment(reason)?;
    if reason.is_empty() && verdict == Verdict::Rejected {
        return Err(Refusal::new(RefusalCode::PolicyApproval, "17").with("problem", "reason"));
    }
    Ok(reason)
}

/// Writes a refusal of a rule to the audit trail.
fn refused<A: tenkoku_domain::access::Act, T>(
    env: &Env,
    permit: &Permit<A>,
    code: AuditCode,
    digest: Digest,
    now: Timestamp,
    result: Result<T, PolicyError>,
) -> Result<T, PolicyError> {
    match result {
        Err(PolicyError::Refused(refusal)) => {
            let object = ObjectRef::new("policy", digest);
            let policy = env.store.read(|tx| tx.current_policy(now))?.digest()?;
            let attempt = Attempt { code, object, organisation: None, policy: Some(policy) };
            Err(env.refuse(permit.origin(), now, attempt, refusal)?.into())
        }
        other => other,
    }
}

//! Acts that one person proposes and others agree to (DOMAIN 17): in an evaluation they are carried
//! out at once, in production when enough others have agreed, in the transaction of the last
//! agreement.
//!
//! Policy documents have their own way, in [`crate::policy`].

use tenkoku_domain::access::{Act, ApprovePolicy, OperateAuthority, Origin, Permit};
use tenkoku_domain::access::{RecordOrganisation, Scope};
use tenkoku_domain::audit::{Event, ObjectRef, ProposalEvent};
use tenkoku_domain::canonical::{CanonicalError, Digest};
use tenkoku_domain::id::ProposalId;
use tenkoku_domain::policy::Installation;
use tenkoku_domain::policy::draft::{PolicyDecision, Verdict};
use tenkoku_domain::proposal::{Proposal, ProposalState, ProposedAct, digest};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::{Attempt, Env};
use tenkoku_store::{StoreError, Tx};

use crate::policy::person;
use crate::revoke::checked_comment;
use crate::{block, claim, closing, feed, followed};

/// Why nothing was proposed, or agreed to.
#[derive(Debug, thiserror::Error)]
pub enum ProposalError {
    /// A rule refuses it; the refusal is in the audit trail.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The act has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// The store did not answer, or holds no such thing.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a person decides about a proposal: it is named with the digest of what was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposalVerdict {
    /// The proposal.
    pub proposal: ProposalId,
    /// The digest that was shown.
    pub shown: Digest,
    /// What is decided.
    pub verdict: Verdict,
    /// Why; may be empty for an agreement only.
    pub reason: String,
}

/// Proposes an act of the platform's officers: blocking a key, taking the feed of another authority,
/// recording an accreditation.
pub fn propose(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    act: ProposedAct,
    reason: &str,
) -> Result<Proposal, ProposalError> {
    match act {
        ProposedAct::BlockKey { .. }
        | ProposedAct::TrustFeed { .. }
        | ProposedAct::EndFeed { .. }
        | ProposedAct::RecordClaim { .. }
        | ProposedAct::EndClaim { .. }
        | ProposedAct::TrustList { .. }
        | ProposedAct::EndList { .. }
        | ProposedAct::TakeAnchors { .. } => put_forward(env, permit, act, reason),
        ProposedAct::CloseOrganisation { .. } | ProposedAct::WaiveEvidence { .. } => {
            Err(misplaced())
        }
    }
}

/// Proposes the end of an organisation.
pub fn propose_closing(
    env: &Env,
    permit: &Permit<RecordOrganisation>,
    act: ProposedAct,
    reason: &str,
) -> Result<Proposal, ProposalError> {
    match act {
        ProposedAct::CloseOrganisation { .. } | ProposedAct::WaiveEvidence { .. } => {
            put_forward(env, permit, act, reason)
        }
        ProposedAct::BlockKey { .. }
        | ProposedAct::TrustFeed { .. }
        | ProposedAct::EndFeed { .. }
        | ProposedAct::RecordClaim { .. }
        | ProposedAct::EndClaim { .. }
        | ProposedAct::TrustList { .. }
        | ProposedAct::EndList { .. }
        | ProposedAct::TakeAnchors { .. } => Err(misplaced()),
    }
}

fn misplaced() -> ProposalError {
    Refusal::new(RefusalCode::NotAuthorised, "2").into()
}

fn put_forward<A: Act>(
    env: &Env,
    permit: &Permit<A>,
    act: ProposedAct,
    reason: &str,
) -> Result<Proposal, ProposalError> {
    let now = env.clock.now();
    let code = act.audit_code();
    let installation = env.settings.installation;
    let proposed = env.store.write(|tx| {
        platform_only(permit.scope())?;
        let reason = needed_reason(reason)?;
        check(tx, &act, now)?;
        let at_once = act.approvals_needed(installation) == 0;
        let proposal = Proposal {
            id: ProposalId::new(now, &*env.entropy),
            digest: digest(&act, &reason)?,
            act: act.clone(),
            reason,
            author: person(tx, &permit.origin().actor)?,
            proposed_at: now,
            state: if at_once { ProposalState::Done } else { ProposalState::Open },
            decisions: Vec::new(),
        };
        if at_once {
            carry_out(env, tx, permit.origin(), &proposal, now)?;
        }
        let event = ProposalEvent::Proposed { proposal: proposal.clone() };
        tx.record(permit.origin(), now, &Event::Proposal(event))?;
        Ok(proposal)
    });
    proposed.or_else(|error| match error {
        ProposalError::Refused(refusal) => {
            let object = ObjectRef::new("act", act.word());
            let attempt = Attempt { code, object, organisation: None, policy: None };
            Err(env.refuse(permit.origin(), now, attempt, refusal)?.into())
        }
        ProposalError::Canonical(_) | ProposalError::Store(_) => Err(error),
    })
}

/// Agrees to a proposal as one person, or rejects it. What enough persons agreed to is done.
pub fn decide_proposal(
    env: &Env,
    permit: &Permit<ApprovePolicy>,
    order: &ProposalVerdict,
) -> Result<Proposal, ProposalError> {
    let now = env.clock.now();
    let mut code = None;
    let decided = env.store.write(|tx| {
        platform_only(permit.scope())?;
        let mut proposal = tx.lock_proposal(&order.proposal)?;
        code = Some(proposal.act.audit_code());
        let person = person(tx, &permit.origin().actor)?;
        proposal.may_be_decided(&person, &order.shown, now)?;
        let reason = match order.verdict {
            Verdict::Approved => checked_comment(&order.reason)?,
            Verdict::Rejected => needed_reason(&order.reason)?,
        };
        let actor = permit.origin().actor.clone();
        let decision = PolicyDecision { person, verdict: order.verdict, at: now, reason, actor };
        proposal.decisions.push(decision.clone());
        let agreed = proposal.is_agreed(env.settings.installation);
        proposal.state = match order.verdict {
            Verdict::Rejected => ProposalState::Rejected,
            Verdict::Approved if agreed => ProposalState::Done,
            Verdict::Approved => ProposalState::Open,
        };
        if proposal.state == ProposalState::Done {
            check(tx, &proposal.act, now)?;
            carry_out(env, tx, permit.origin(), &proposal, now)?;
        }
        let event = ProposalEvent::Decided { proposal: proposal.clone(), decision };
        tx.record(permit.origin(), now, &Event::Proposal(event))?;
        Ok(proposal)
    });
    match (decided, code) {
        (Err(ProposalError::Refused(refusal)), Some(code)) => {
            let object = ObjectRef::new("proposal", &order.proposal);
            let attempt = Attempt { code, object, organisation: None, policy: None };
            Err(env.refuse(permit.origin(), now, attempt, refusal)?.into())
        }
        (decided, _) => decided,
    }
}

/// Whether something was done at once, or waits for others: for the words of whoever proposed it.
pub const fn is_done(proposal: &Proposal) -> bool {
    matches!(proposal.state, ProposalState::Done)
}

/// How many others must agree to an act in an installation.
pub const fn others_needed(act: &ProposedAct, installation: Installation) -> usize {
    act.approvals_needed(installation)
}

/// Proposals concern the platform; whoever has a narrower reach sees none.
fn platform_only(scope: &Scope) -> Result<(), StoreError> {
    if *scope == Scope::Platform {
        return Ok(());
    }
    Err(StoreError::NotFound { what: "proposal" })
}

fn needed_reason(reason: &str) -> Result<String, Refusal> {
    let reason = checked_comment(reason)?;
    if reason.is_empty() {
        return Err(Refusal::new(RefusalCode::NameInvalid, "4.4").with("problem", "empty"));
    }
    Ok(reason)
}

/// Whether an act could be carried out now; asked when it is proposed and again before it is done.
fn check(tx: &mut Tx<'_>, act: &ProposedAct, now: Timestamp) -> Result<(), ProposalError> {
    match act {
        ProposedAct::BlockKey { fingerprint } => block::check(tx, fingerprint)?,
        ProposedAct::TrustFeed { authority, public_key } => {
            feed::check_trust(tx, authority, &public_key.0)?
        }
        ProposedAct::EndFeed { authority } => feed::check_end(tx, authority)?,
        ProposedAct::RecordClaim { record } => claim::check_record(tx, record)?,
        ProposedAct::EndClaim { accreditation } => claim::check_end(tx, accreditation)?,
        ProposedAct::CloseOrganisation { organisation, cause } => {
            closing::check_closing(tx, organisation, *cause)?
        }
        ProposedAct::WaiveEvidence { organisation } => {
            closing::check_waiver(tx, organisation, now)?
        }
        ProposedAct::TrustList { code, location, trust } => {
            followed::check_trust(tx, (code, location, trust))?
        }
        ProposedAct::EndList { code } => followed::check_end(tx, code)?,
        ProposedAct::TakeAnchors { code, trust } => followed::check_anchors_of(tx, (code, trust))?,
    }?;
    Ok(())
}

fn carry_out(
    env: &Env,
    tx: &mut Tx<'_>,
    origin: &Origin,
    proposal: &Proposal,
    now: Timestamp,
) -> Result<(), StoreError> {
    let reason = proposal.reason.as_str();
    match &proposal.act {
        ProposedAct::BlockKey { fingerprint } => {
            block::block(env, tx, origin, (fingerprint, reason), now)
        }
        ProposedAct::TrustFeed { authority, public_key } => {
            feed::trust(tx, origin, (authority, &public_key.0), now)
        }
        ProposedAct::EndFeed { authority } => feed::end(tx, origin, authority, now),
        ProposedAct::RecordClaim { record } => claim::record(env, tx, origin, record, now),
        ProposedAct::EndClaim { accreditation } => claim::end(tx, origin, accreditation, now),
        ProposedAct::CloseOrganisation { organisation, cause } => {
            closing::close_organisation(tx, origin, organisation, (*cause, reason), now)
        }
        ProposedAct::WaiveEvidence { organisation } => {
            closing::finish_waived(tx, origin, organisation, reason, now)
        }
        ProposedAct::TrustList { code, location, trust } => {
            followed::trust(tx, origin, (code, location, trust), now)
        }
        ProposedAct::EndList { code } => followed::end(tx, origin, code, now),
        ProposedAct::TakeAnchors { code, trust } => {
            followed::take_anchors(tx, origin, (code, trust), now)
        }
    }
}

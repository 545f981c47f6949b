//! The states of branch offices and organisations (DOMAIN 6.1, 6.2): a pause puts their seals on
//! hold, an end revokes them, and nothing is closed while a credential is left that is not revoked,
//! expired or ended (I-10).

use tenkoku_domain::access::Scope;
use tenkoku_domain::access::{OperateAuthority, Origin, Permit, RecordBranch, RecordOrganisation};
use tenkoku_domain::application::ApplicationState;
use tenkoku_domain::audit::{AuditCode, Event, IdentityEvent, ObjectRef, RegistryEvent};
use tenkoku_domain::branch::{Branch, BranchState};
use tenkoku_domain::certificate::{Certificate, CertificateState};
use tenkoku_domain::id::{BranchId, OrganisationId};
use tenkoku_domain::organisation::{Organisation, OrganisationState};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::revocation::{self, Cause, RevocationOrder};
use tenkoku_domain::suspension::HoldCause;
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::{Attempt, Env};
use tenkoku_store::{ApplicationFilter, StoreError, Tx};

use crate::revoke::checked_comment;
use crate::suspend::{SuspendError, release_within, suspend_within};

/// Applications read in one go.
const PAGE: i64 = 200;

/// Why a branch or an organisation did not move.
#[derive(Debug, thiserror::Error)]
pub enum ClosingError {
    /// A rule refuses it; the refusal is in the audit trail.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store did not answer, or holds no such thing within the permit's scope.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where a branch is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BranchStep {
    /// Its active seals are put on hold.
    Pause,
    /// What the pause put on hold is lifted, while its limit is not reached (RV-1).
    Reopen,
    /// Its seals are revoked for a cause, and its open applications end.
    Close(Cause),
    /// It is closed for good, once nothing is left (I-10).
    Finish,
}

impl BranchStep {
    const fn to(self) -> BranchState {
        match self {
            Self::Pause => BranchState::Paused,
            Self::Reopen => BranchState::Open,
            Self::Close(_) => BranchState::Closing,
            Self::Finish => BranchState::Closed,
        }
    }

    const fn code(self) -> AuditCode {
        match self {
            Self::Pause => AuditCode::BranchPaused,
            Self::Reopen | Self::Close(_) => AuditCode::BranchChanged,
            Self::Finish => AuditCode::BranchClosed,
        }
    }
}

/// Moves a branch and gives it as it is now.
pub fn move_branch(
    env: &Env,
    permit: &Permit<RecordBranch>,
    id: &BranchId,
    (step, comment): (BranchStep, &str),
) -> Result<Branch, ClosingError> {
    let now = env.clock.now();
    let organisation = env.store.read(|tx| tx.load_branch(permit.scope(), id))?.organisation;
    let moved = env.store.write(|tx| {
        let branch = tx.lock_branch(permit.scope(), id)?;
        let comment = checked_comment(comment)?;
        if let BranchStep::Close(cause) = step {
            check_cause(cause)?;
        }
        take_step(tx, permit.origin(), &branch, (step, &comment), now)
    });
    let act = (step.code(), ObjectRef::new("branch", id));
    told(env, permit.origin(), act, organisation, moved, now)
}

fn told<T>(
    env: &Env,
    origin: &Origin,
    (code, object): (AuditCode, ObjectRef),
    organisation: OrganisationId,
    result: Result<T, ClosingError>,
    now: Timestamp,
) -> Result<T, ClosingError> {
    result.or_else(|error| match error {
        ClosingError::Refused(refusal) => {
            let organisation = Some(organisation);
            let attempt = Attempt { code, object, organisation, policy: None };
            Err(env.refuse(origin, now, attempt, refusal)?.into())
        }
        ClosingError::Store(_) => Err(error),
    })
}

/// A closing is told to relying parties as the end of an office or as a change of names.
fn check_cause(cause: Cause) -> Result<(), Refusal> {
    match cause {
        Cause::OfficeClosed | Cause::NameChanged => Ok(()),
        Cause::KeyExposed
        | Cause::AuthorityCompromised
        | Cause::Replaced
        | Cause::Suspended
        | Cause::RightWithdrawn => {
            Err(Refusal::new(RefusalCode::StateConflict, "6.1").with("problem", "closing-cause"))
        }
    }
}

/// The effects of a step, then its record. Rows are locked before anything is recorded.
fn take_step(
    tx: &mut Tx<'_>,
    origin: &Origin,
    branch: &Branch,
    (step, comment): (BranchStep, &str),
    now: Timestamp,
) -> Result<Branch, ClosingError> {
    let moved = branch.moved(step.to())?;
    let mut locked = Vec::new();
    for open in tx.open_certificates_of_branch(&branch.id, now)? {
        locked.push(tx.lock_certificate(&Scope::Platform, &open.id)?);
    }
    match step {
        BranchStep::Pause => pause(tx, origin, &locked, comment, now)?,
        BranchStep::Reopen => reopen(tx, origin, &locked, now)?,
        BranchStep::Close(cause) => {
            end_applications(tx, origin, branch, now)?;
            end_certificates(tx, origin, locked, (cause, comment), now)?;
        }
        BranchStep::Finish => check_nothing_left(locked.len())?,
    }
    let comment = comment.to_owned();
    let event = RegistryEvent::BranchMoved { branch: moved.clone(), from: branch.state, comment };
    tx.record(origin, now, &Event::Registry(event))?;
    Ok(moved)
}

/// I-10.
fn check_nothing_left(left: usize) -> Result<(), Refusal> {
    if left == 0 {
        return Ok(());
    }
    Err(Refusal::new(RefusalCode::StateConflict, "I-10")
        .with("problem", "credentials-left")
        .with("count", left))
}

fn pause(
    tx: &mut Tx<'_>,
    origin: &Origin,
    open: &[Certificate],
    comment: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    for certificate in open.iter().filter(|one| one.state == CertificateState::Active) {
        match suspend_within(tx, origin, &certificate.id, (HoldCause::BranchPaused, comment), now) {
            Ok(_) | Err(SuspendError::Refused(_)) => {}
            Err(SuspendError::Store(error)) => return Err(error),
        }
    }
    Ok(())
}

fn reopen(
    tx: &mut Tx<'_>,
    origin: &Origin,
    open: &[Certificate],
    now: Timestamp,
) -> Result<(), StoreError> {
    for certificate in open {
        match release_within(tx, origin, certificate, HoldCause::BranchPaused, now) {
            // A hold that reached its limit is lifted by nobody (RV-1).
            Ok(()) | Err(SuspendError::Refused(_)) => {}
            Err(SuspendError::Store(error)) => return Err(error),
        }
    }
    Ok(())
}

/// What nobody answered yet is not answered any more. A certificate that is being signed for one of
/// them is not released, because its application has ended, and is withdrawn by `settle`.
fn end_applications(
    tx: &mut Tx<'_>,
    origin: &Origin,
    branch: &Branch,
    now: Timestamp,
) -> Result<(), StoreError> {
    for state in [ApplicationState::KeyProof, ApplicationState::Ready] {
        loop {
            let filter = ApplicationFilter {
                state: Some(state),
                branch: Some(branch.id.clone()),
                organisation: None,
            };
            let page = tx.list_applications(&Scope::Platform, &filter, None, PAGE)?;
            if page.items.is_empty() {
                break;
            }
            for application in page.items {
                let reason = RefusalCode::BranchClosed;
                let event = IdentityEvent::ApplicationRejected { application, reason };
                tx.record(origin, now, &Event::Identity(event))?;
            }
        }
    }
    Ok(())
}

fn end_certificates(
    tx: &mut Tx<'_>,
    origin: &Origin,
    open: Vec<Certificate>,
    (cause, comment): (Cause, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    for certificate in open {
        let comment = comment.to_owned();
        let order = RevocationOrder { cause, invalid_since: None, comment: comment.clone() };
        // What is being signed at this moment is withdrawn by itself: it finds its branch closing.
        if let Ok(revocation) = revocation::revoke(&certificate, &order, now) {
            let event = Event::CertificateRevoked { certificate, revocation, comment };
            tx.record(origin, now, &event)?;
        }
    }
    Ok(())
}

/// Closes for good what is closing and has nothing left, branches and then their organisations.
/// Gives their number. Called by the nightly checks; an organisation whose keys lack evidence waits.
pub(crate) fn finish_closing(
    env: &Env,
    permit: &Permit<OperateAuthority>,
) -> Result<usize, StoreError> {
    let now = env.clock.now();
    let mut closed = 0;
    for branch in env.store.read(|tx| tx.list_branches_in(BranchState::Closing))? {
        let finished = env.store.write(|tx| {
            let branch = tx.lock_branch(&Scope::Platform, &branch.id)?;
            take_step(tx, permit.origin(), &branch, (BranchStep::Finish, ""), now)
        });
        match finished {
            Ok(_) => closed += 1,
            // Something is still being withdrawn; the next run finds it gone.
            Err(ClosingError::Refused(_)) => {}
            Err(ClosingError::Store(error)) => return Err(error),
        }
    }
    Ok(closed)
}

/// No new applications; what is sealed stays (DOMAIN 6.1).
pub fn restrict_organisation(
    env: &Env,
    permit: &Permit<RecordOrganisation>,
    id: &OrganisationId,
    comment: &str,
) -> Result<Organisation, ClosingError> {
    move_plainly(env, permit, id, (OrganisationState::Restricted, comment))
}

/// A restricted organisation may apply again.
pub fn lift_restriction(
    env: &Env,
    permit: &Permit<RecordOrganisation>,
    id: &OrganisationId,
    comment: &str,
) -> Result<Organisation, ClosingError> {
    move_plainly(env, permit, id, (OrganisationState::Active, comment))
}

/// Closes an organisation for good: everything of it is revoked, expired or ended (I-10), and every
/// key of it is shown to be destroyed. Evidence that will never come is waived by two officers, by a
/// proposal.
pub fn finish_organisation(
    env: &Env,
    permit: &Permit<RecordOrganisation>,
    id: &OrganisationId,
    comment: &str,
) -> Result<Organisation, ClosingError> {
    let now = env.clock.now();
    let finished = env.store.write(|tx| {
        let organisation = tx.lock_organisation(permit.scope(), id)?;
        let comment = checked_comment(comment)?;
        organisation.moved(OrganisationState::Closed)?;
        finish_branches(tx, permit.origin(), &organisation, &comment, now)?;
        let without = tx.count_keys_without_evidence(id)?;
        if without > 0 {
            return Err(Refusal::new(RefusalCode::EvidenceIncomplete, "6.1")
                .with("count", without)
                .into());
        }
        record_move(tx, permit.origin(), &organisation, (OrganisationState::Closed, &comment), now)
    });
    let act = (AuditCode::OrgClosed, ObjectRef::new("organisation", id));
    told(env, permit.origin(), act, id.clone(), finished, now)
}

fn move_plainly(
    env: &Env,
    permit: &Permit<RecordOrganisation>,
    id: &OrganisationId,
    (to, comment): (OrganisationState, &str),
) -> Result<Organisation, ClosingError> {
    let now = env.clock.now();
    let moved = env.store.write(|tx| {
        let organisation = tx.lock_organisation(permit.scope(), id)?;
        let comment = checked_comment(comment)?;
        record_move(tx, permit.origin(), &organisation, (to, &comment), now)
    });
    let act = (AuditCode::OrgChanged, ObjectRef::new("organisation", id));
    told(env, permit.origin(), act, id.clone(), moved, now)
}

fn record_move(
    tx: &mut Tx<'_>,
    origin: &Origin,
    organisation: &Organisation,
    (to, comment): (OrganisationState, &str),
    now: Timestamp,
) -> Result<Organisation, ClosingError> {
    let moved = organisation.moved(to)?;
    let event = RegistryEvent::OrganisationMoved {
        organisation: moved.clone(),
        from: organisation.state,
        comment: comment.to_owned(),
    };
    tx.record(origin, now, &Event::Registry(event))?;
    Ok(moved)
}

/// Every branch of a closing organisation is closed, or was never open.
fn finish_branches(
    tx: &mut Tx<'_>,
    origin: &Origin,
    organisation: &Organisation,
    comment: &str,
    now: Timestamp,
) -> Result<(), ClosingError> {
    for branch in tx.lock_branches(&Scope::Platform, &organisation.id)? {
        match branch.state {
            BranchState::Closed | BranchState::Planned => {}
            BranchState::Closing | BranchState::Open | BranchState::Paused => {
                take_step(tx, origin, &branch, (BranchStep::Finish, comment), now)?;
            }
        }
    }
    Ok(())
}

/// Whether an organisation may end for a cause: asked before people agree to it.
pub(crate) fn check_closing(
    tx: &mut Tx<'_>,
    id: &OrganisationId,
    cause: Cause,
) -> Result<Result<(), Refusal>, StoreError> {
    let organisation = tx.load_organisation(&Scope::Platform, id)?;
    Ok(check_cause(cause).and_then(|()| organisation.moved(OrganisationState::Closing).map(drop)))
}

/// Whether the evidence that is missing may be waived: everything else is done (I-10).
pub(crate) fn check_waiver(
    tx: &mut Tx<'_>,
    id: &OrganisationId,
    now: Timestamp,
) -> Result<Result<(), Refusal>, StoreError> {
    let organisation = tx.load_organisation(&Scope::Platform, id)?;
    let mut left = 0;
    for branch in tx.lock_branches(&Scope::Platform, id)? {
        left += tx.open_certificates_of_branch(&branch.id, now)?.len();
    }
    Ok(organisation.moved(OrganisationState::Closed).and_then(|_| check_nothing_left(left)))
}

/// Carries out what people agreed to: the organisation and its branches are closing, everything they
/// hold is revoked.
pub(crate) fn close_organisation(
    tx: &mut Tx<'_>,
    origin: &Origin,
    id: &OrganisationId,
    (cause, reason): (Cause, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    let organisation = tx.lock_organisation(&Scope::Platform, id)?;
    let branches = tx.lock_branches(&Scope::Platform, id)?;
    for branch in &branches {
        for open in tx.open_certificates_of_branch(&branch.id, now)? {
            tx.lock_certificate(&Scope::Platform, &open.id)?;
        }
    }
    for branch in branches {
        match branch.state {
            BranchState::Open | BranchState::Paused => {
                let step = (BranchStep::Close(cause), reason);
                carried(take_step(tx, origin, &branch, step, now))?;
            }
            BranchState::Planned | BranchState::Closing | BranchState::Closed => {}
        }
    }
    let closing = (OrganisationState::Closing, reason);
    carried(record_move(tx, origin, &organisation, closing, now))
}

/// Carries out what people agreed to: an organisation is closed without the evidence that is missing.
pub(crate) fn finish_waived(
    tx: &mut Tx<'_>,
    origin: &Origin,
    id: &OrganisationId,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let organisation = tx.lock_organisation(&Scope::Platform, id)?;
    carried(finish_branches(tx, origin, &organisation, reason, now))?;
    carried(record_move(tx, origin, &organisation, (OrganisationState::Closed, reason), now))
}

/// What was checked in the same transaction is refused no more, unless the rows moved in between.
fn carried<T>(result: Result<T, ClosingError>) -> Result<(), StoreError> {
    match result {
        Ok(_) => Ok(()),
        Err(ClosingError::Refused(_)) => Err(StoreError::Conflict { what: "organisation" }),
        Err(ClosingError::Store(error)) => Err(error),
    }
}

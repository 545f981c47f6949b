//! Revokes many certificates at once: previewed with counts, approved by two others, carried out in
//! slices by a job (RV-4), at once or at its time (RV-5).
//!
//! Each slice is one transaction: its certificates are revoked, each with its own record, and the
//! place is noted from which the next goes on. A crash between two slices loses and repeats nothing.

use std::collections::BTreeMap;

use tenkoku_domain::access::{OperateAuthority, Permit, Revoke, Scope};
use tenkoku_domain::audit::{AuditCode, BulkStep, Event, ObjectRef, StatusEvent};
use tenkoku_domain::bulk::{BulkRevocation, BulkSelection, BulkState, check_bulk};
use tenkoku_domain::canonical::{CanonicalError, Digest};
use tenkoku_domain::id::BulkId;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::revocation::{self, Cause, RevocationOrder};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::{Attempt, Env};
use tenkoku_store::StoreError;

use crate::policy::person;
use crate::revoke::checked_comment;

/// Certificates that one transaction revokes.
const SLICE: i64 = 100;

/// Why a bulk revocation did not go on.
#[derive(Debug, thiserror::Error)]
pub enum BulkError {
    /// A rule refuses it; the refusal is in the audit trail.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What approvers see has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// The store did not answer, or there is no such bulk revocation.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkOrder {
    /// Which certificates.
    pub selection: BulkSelection,
    /// Why.
    pub cause: Cause,
    /// When; at once where there is no time.
    pub due: Option<Timestamp>,
    /// The words of whoever asks; may be empty, at most 500 characters.
    pub comment: String,
}

/// Only who may revoke everywhere revokes in bulk: a holder asks for certificates one by one.
fn check_reach(permit: &Permit<Revoke>) -> Result<(), Refusal> {
    match permit.scope() {
        Scope::Platform => Ok(()),
        Scope::Within { .. } | Scope::Authorities(_) => {
            Err(Refusal::new(RefusalCode::NotAuthorised, "RV-4").with("permission", "revoke"))
        }
    }
}

/// How many certificates would be revoked, by their state. Changes nothing.
pub fn preview_bulk(
    env: &Env,
    permit: &Permit<Revoke>,
    order: &BulkOrder,
) -> Result<BTreeMap<String, i64>, BulkError> {
    let now = env.clock.now();
    check_reach(permit)?;
    order.selection.check()?;
    check_bulk(order.cause, order.due, now)?;
    Ok(env.store.read(|tx| tx.count_selected(permit.scope(), &order.selection, now))?)
}

/// Asks for a bulk revocation; it waits for two others.
pub fn ask_bulk(
    env: &Env,
    permit: &Permit<Revoke>,
    order: &BulkOrder,
) -> Result<BulkRevocation, BulkError> {
    let now = env.clock.now();
    let asked = (|| {
        let counts = preview_bulk(env, permit, order)?;
        let comment = checked_comment(&order.comment)?;
        let matched = counts.values().sum();
        if matched == 0 {
            let empty = Refusal::new(RefusalCode::StateConflict, "RV-4").with("problem", "none");
            return Err(empty.into());
        }
        Ok::<_, BulkError>(env.store.write(|tx| {
            let bulk = BulkRevocation {
                id: BulkId::new(now, &*env.entropy),
                selection: order.selection.clone(),
                cause: order.cause,
                comment,
                due: order.due,
                matched,
                asked_by: person(tx, &permit.origin().actor)?,
                asked_at: now,
                approvals: Vec::new(),
                state: BulkState::Asked,
                cursor: None,
                revoked: 0,
                skipped: 0,
            };
            let event = StatusEvent::Bulk { bulk: Box::new(bulk.clone()), step: BulkStep::Asked };
            tx.record(permit.origin(), now, &Event::Status(event))?;
            Ok::<_, StoreError>(bulk)
        })?)
    })();
    recorded(env, permit, "new", asked)
}

/// Approves what was seen under this digest. With the second approval it is due, or waits for its
/// time.
pub fn approve_bulk(
    env: &Env,
    permit: &Permit<Revoke>,
    id: &BulkId,
    digest: &Digest,
) -> Result<BulkRevocation, BulkError> {
    let now = env.clock.now();
    let approved = env.store.write(|tx| {
        check_reach(permit)?;
        let bulk = tx.lock_bulk(id)?;
        let next = bulk.approve(&person(tx, &permit.origin().actor)?, digest, now)?;
        let event = StatusEvent::Bulk { bulk: Box::new(next.clone()), step: BulkStep::Approved };
        tx.record(permit.origin(), now, &Event::Status(event))?;
        Ok::<_, BulkError>(next)
    });
    recorded(env, permit, id.as_str(), approved)
}

/// Rejects, cancels, pauses or resumes: any one who may revoke everywhere can.
pub fn turn_bulk(
    env: &Env,
    permit: &Permit<Revoke>,
    id: &BulkId,
    step: BulkStep,
) -> Result<BulkRevocation, BulkError> {
    let now = env.clock.now();
    let turned = env.store.write(|tx| {
        check_reach(permit)?;
        let to = match step {
            BulkStep::Rejected => BulkState::Rejected,
            BulkStep::Cancelled => BulkState::Cancelled,
            BulkStep::Paused => BulkState::Paused,
            BulkStep::Resumed => BulkState::Approved,
            BulkStep::Asked | BulkStep::Approved | BulkStep::Done => BulkState::Asked,
        };
        let next = tx.lock_bulk(id)?.turn(to)?;
        let event = StatusEvent::Bulk { bulk: Box::new(next.clone()), step };
        tx.record(permit.origin(), now, &Event::Status(event))?;
        Ok::<_, BulkError>(next)
    });
    recorded(env, permit, id.as_str(), turned)
}

/// Carries out the next slice. Gives the bulk revocation as it is after it; one that is not due
/// comes back unchanged.
pub fn work_bulk(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    id: &BulkId,
) -> Result<BulkRevocation, BulkError> {
    let now = env.clock.now();
    env.store.write(|tx| {
        let mut bulk = tx.lock_bulk(id)?;
        if !bulk.is_due(now) {
            return Ok(bulk);
        }
        let slice = tx.next_selected(&bulk, now, SLICE)?;
        let Some(last) = slice.last().map(|certificate| certificate.id.clone()) else {
            bulk.state = BulkState::Done;
            let event = StatusEvent::Bulk { bulk: Box::new(bulk.clone()), step: BulkStep::Done };
            tx.record(permit.origin(), now, &Event::Status(event))?;
            return Ok(bulk);
        };
        let order = RevocationOrder {
            cause: bulk.cause,
            invalid_since: None,
            comment: bulk.comment.clone(),
        };
        for certificate in slice {
            match revocation::revoke(&certificate, &order, now) {
                Ok(revocation) => {
                    let event = StatusEvent::BulkRevoked {
                        certificate: Box::new(certificate),
                        revocation,
                        bulk: bulk.id.clone(),
                    };
                    tx.record(permit.origin(), now, &Event::Status(event))?;
                    bulk.revoked += 1;
                }
                // It changed since the slice was chosen; the count says so.
                Err(_) => bulk.skipped += 1,
            }
        }
        bulk.cursor = Some(last);
        tx.advance_bulk(&bulk)?;
        Ok(bulk)
    })
}

fn recorded<T>(
    env: &Env,
    permit: &Permit<Revoke>,
    object: &str,
    result: Result<T, BulkError>,
) -> Result<T, BulkError> {
    result.or_else(|error| match error {
        BulkError::Refused(refusal) => {
            let attempt = Attempt {
                code: AuditCode::CertRevocationRefused,
                object: ObjectRef::new("bulk-revocation", object),
                organisation: None,
                policy: None,
            };
            let now = env.clock.now();
            Err(env.refuse(permit.origin(), now, attempt, refusal)?.into())
        }
        other @ (BulkError::Canonical(_) | BulkError::Store(_)) => Err(other),
    })
}

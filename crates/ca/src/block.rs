//! Blocks keys for ever and ends what rests on them (KM-5, DOMAIN 8.3).

use tenkoku_domain::access::{Origin, Scope};
use tenkoku_domain::audit::{Event, IdentityEvent};
use tenkoku_domain::certificate::Certificate;
use tenkoku_domain::id::{BranchId, OrganisationId};
use tenkoku_domain::incident::IncidentKind;
use tenkoku_domain::key::{BlockList, BlockedKey, Fingerprint, Key, KeyHolder};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use crate::incident::{Met, open_incident};

/// A key that is blocked already cannot be blocked again.
pub(crate) fn check(
    tx: &mut Tx<'_>,
    fingerprint: &Fingerprint,
) -> Result<Result<(), Refusal>, StoreError> {
    Ok(match tx.find_blocked_key(fingerprint)? {
        None => Ok(()),
        Some(_) => Err(Refusal::new(RefusalCode::StateConflict, "KM-5").with("state", "blocked")),
    })
}

/// Blocks a key that officers know to be exposed, whether the platform has met it or not. What is
/// live of it is revoked.
pub(crate) fn block(
    env: &Env,
    tx: &mut Tx<'_>,
    origin: &Origin,
    (fingerprint, reason): (&Fingerprint, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    let resting = lock_resting(tx, fingerprint)?;
    let blocked = BlockedKey {
        fingerprint: *fingerprint,
        list: BlockList::Operator,
        reason: reason.to_owned(),
        since: now,
    };
    tx.record(origin, now, &Event::Identity(IdentityEvent::KeyBlocked { blocked }))?;
    end_resting(env, tx, origin, resting, now)
}

/// What rests on a key that the platform knows: its holder and its open certificates, locked.
pub(crate) struct Resting {
    fingerprint: Fingerprint,
    holder: Option<(OrganisationId, BranchId)>,
    held: Vec<Certificate>,
}

/// Locks what rests on a key, before anything is recorded.
pub(crate) fn lock_resting(
    tx: &mut Tx<'_>,
    fingerprint: &Fingerprint,
) -> Result<Resting, StoreError> {
    let mut resting = Resting { fingerprint: *fingerprint, holder: None, held: Vec::new() };
    let Some(key) = tx.find_key_by_fingerprint(fingerprint)? else { return Ok(resting) };
    resting.holder = holder_of(tx, &key)?;
    for open in tx.list_open_certificates_of_key(&key.id)? {
        resting.held.push(tx.lock_certificate(&Scope::Platform, &open.id)?);
    }
    Ok(resting)
}

/// Revokes what rests on an exposed key and opens the incident, where there is anything. The
/// certificates of authorities end by a ceremony (KM-19); the incident says that their key was
/// found.
pub(crate) fn end_resting(
    env: &Env,
    tx: &mut Tx<'_>,
    origin: &Origin,
    resting: Resting,
    now: Timestamp,
) -> Result<(), StoreError> {
    meet(env, tx, origin, resting, IncidentKind::BlockedKey, now)
}

/// Opens an incident over a key that rests here, where anything does.
pub(crate) fn meet(
    env: &Env,
    tx: &mut Tx<'_>,
    origin: &Origin,
    resting: Resting,
    kind: IncidentKind,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Resting { fingerprint, holder, held } = resting;
    if held.is_empty() {
        return Ok(());
    }
    open_incident(env, tx, origin, now, Met { kind, fingerprint, application: None, holder, held })
}

fn holder_of(tx: &mut Tx<'_>, key: &Key) -> Result<Option<(OrganisationId, BranchId)>, StoreError> {
    let KeyHolder::Instance(instance) = &key.holder else { return Ok(None) };
    let Some((branch, _, _)) = tx.find_instance(instance)? else { return Ok(None) };
    let branch = tx.load_branch(&Scope::Platform, &branch)?;
    Ok(Some((branch.organisation, branch.id)))
}

//! Rotation: the dates of each key of a branch (RO-3), whether a successor may be ordered (RO-2,
//! I-3), and the retirement of a predecessor (RO-1).

use tenkoku_domain::access::{Apply, ManageKeys, Origin, Permit, Scope, ViewRegistry};
use tenkoku_domain::application::Wishes;
use tenkoku_domain::audit::{AuditCode, Event, LifeEvent, ObjectRef};
use tenkoku_domain::certificate::{Certificate, CertificateState, Serial};
use tenkoku_domain::id::{AuthorityId, BranchId, InstanceId, KeyId};
use tenkoku_domain::key::KeyState;
use tenkoku_domain::policy::KeyPolicy;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::rotation::{self, RotationKind, Rules, Timeline};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::{CertificateFilter, StoreError, Tx};

use crate::apply::{Applied, ApplyError, ApplyOrder, apply_for_seal};
use crate::life::{LifeError, SealKey, load_seal_key, told};

/// What a custodian sees of one key (RO-3).
#[derive(Clone, Debug)]
pub struct KeyDates {
    /// The key and its certificate.
    pub key: SealKey,
    /// Days since it began to seal.
    pub age_days: i64,
    /// Its dates.
    pub timeline: Timeline,
    /// What is missing now, as words of the platform: `acknowledgement`, `successor`, `custodian`,
    /// `container`, `destruction-evidence`.
    pub missing: Vec<&'static str>,
}

impl KeyDates {
    /// Whole days from `now` to each date: lead, opening, end of sealing, evidence due, expiry.
    pub fn days_left(&self, now: Timestamp) -> [i64; 5] {
        let dates = &self.timeline;
        [dates.lead, dates.opens, dates.sealing_ends, dates.destruction_due, dates.expires]
            .map(|date| now.floor().days_until(date))
    }
}

/// The dates of a seal's key under the policy in force.
pub(crate) fn dates_of(policy: &KeyPolicy, found: &SealKey) -> Timeline {
    rotation::timeline(
        &Rules::of(policy, found.level),
        found.activated_at(),
        found.certificate.sealing_not_after,
        found.certificate.validity.not_after,
    )
}

/// RO-3: every key of a branch that is not destroyed, newest first.
pub fn branch_keys(
    env: &Env,
    permit: &Permit<ViewRegistry>,
    branch: &BranchId,
) -> Result<Vec<KeyDates>, StoreError> {
    let now = env.clock.now();
    env.store.read(|tx| {
        tx.load_branch(permit.scope(), branch)?;
        let policy = tx.current_policy(now)?;
        let filter =
            CertificateFilter { branch: Some(branch.clone()), ..CertificateFilter::default() };
        let page = tx.list_certificates(permit.scope(), &filter, None, 1000)?;
        let mut keys = Vec::new();
        for certificate in page.items {
            // A certificate that is being signed at this moment has no dates yet.
            if certificate.state == CertificateState::Pending {
                continue;
            }
            let found = load_seal_key(tx, permit.scope(), &certificate.key)?;
            if found.certificate.id != certificate.id || found.key.state == KeyState::Destroyed {
                continue;
            }
            keys.push(dated(tx, &policy, found, now)?);
        }
        Ok(keys)
    })
}

/// RO-3 for one key, whatever its state.
pub fn key_dates(
    env: &Env,
    permit: &Permit<ViewRegistry>,
    key: &KeyId,
) -> Result<KeyDates, StoreError> {
    let now = env.clock.now();
    env.store.read(|tx| {
        let policy = tx.current_policy(now)?;
        let found = load_seal_key(tx, permit.scope(), key)?;
        dated(tx, &policy, found, now)
    })
}

fn dated(
    tx: &mut Tx<'_>,
    policy: &KeyPolicy,
    found: SealKey,
    now: Timestamp,
) -> Result<KeyDates, StoreError> {
    let timeline = dates_of(policy, &found);
    let mut missing = missing(tx, &found, &timeline, now)?;
    if tx.load_branch(&Scope::Platform, &found.seal.branch)?.custodian.is_none() {
        missing.push("custodian");
    }
    let age_days = found.activated_at().days_until(now);
    Ok(KeyDates { key: found, age_days, timeline, missing })
}

/// The successor of a key: an application for the same instance, which waits for the new key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuccessorOrder {
    /// The key that is to be succeeded.
    pub key: KeyId,
    /// Validity in days; the policy's maximum where none is asked for.
    pub validity_days: Option<i64>,
}

/// RO-1, RO-2: orders the successor of a key. The guards are those of every application, and the
/// window of the rotation; a predecessor that was suspended or revoked opens it at once.
pub fn order_successor(
    env: &Env,
    permit: &Permit<Apply>,
    order: &SuccessorOrder,
) -> Result<Applied, ApplyError> {
    let (found, earlier) = env.store.read(|tx| {
        let found = load_seal_key(tx, permit.scope(), &order.key)?;
        Ok::<_, StoreError>((found, tx.find_application_by_key(&order.key)?))
    })?;
    let order = ApplyOrder {
        branch: found.seal.branch,
        level: found.level,
        validity_days: order.validity_days,
        request: None,
        instance: Some(found.seal.instance),
        // The same kind of seal; a twin is of one certificate only.
        wishes: earlier.map(|earlier| Wishes { twin: None, ..earlier.wishes }).unwrap_or_default(),
    };
    apply_for_seal(env, permit, &order)
}

fn missing(
    tx: &mut Tx<'_>,
    found: &SealKey,
    timeline: &Timeline,
    now: Timestamp,
) -> Result<Vec<&'static str>, StoreError> {
    let mut missing = Vec::new();
    match &found.certificate.state {
        CertificateState::Issued | CertificateState::Held(_) => missing.push("acknowledgement"),
        CertificateState::Active if timeline.opens <= now => {
            if successor(tx, found)?.is_none() {
                missing.push("successor");
            }
        }
        CertificateState::Active
        | CertificateState::Pending
        | CertificateState::Suspended(_)
        | CertificateState::Retired
        | CertificateState::Revoked(_) => {}
    }
    if found.life.container.is_none() {
        missing.push("container");
    }
    match found.key.state {
        KeyState::Retiring | KeyState::DestructionDue | KeyState::Compromised | KeyState::Lost => {
            missing.push("destruction-evidence");
        }
        KeyState::Ordered
        | KeyState::Generated
        | KeyState::Presented
        | KeyState::Proven
        | KeyState::Bound
        | KeyState::Destroyed => {}
    }
    Ok(missing)
}

/// The active certificate that came after a key's on the same instance.
pub(crate) fn successor(
    tx: &mut Tx<'_>,
    found: &SealKey,
) -> Result<Option<Certificate>, StoreError> {
    let all = tx.certificates_of_instance(&found.seal.instance)?;
    Ok(all.into_iter().find(|later| {
        later.id > found.certificate.id
            && later.key != found.key.id
            && later.state == CertificateState::Active
    }))
}

/// RO-2 and I-3: whether an instance may have a successor to its key now. Asked when a successor is
/// applied for and again when it is issued.
pub fn check_successor(
    tx: &mut Tx<'_>,
    instance: &InstanceId,
    now: Timestamp,
) -> Result<Result<RotationKind, Refusal>, StoreError> {
    let all = tx.certificates_of_instance(instance)?;
    let occupying: Vec<_> = all.iter().filter(|one| one.is_live(now)).cloned().collect();
    if let Err(refusal) = rotation::has_room(&occupying) {
        return Ok(Err(refusal));
    }
    // The newest that counts; what was withdrawn before anybody received it does not.
    let Some(predecessor) = occupying.into_iter().next().or_else(|| all.into_iter().next()) else {
        return Ok(Ok(RotationKind::Planned));
    };
    if predecessor.state == CertificateState::Pending {
        return Ok(Err(rotation::not_ready(&predecessor)));
    }
    let found = load_seal_key(tx, &Scope::Platform, &predecessor.key)?;
    let policy = tx.current_policy(now)?;
    Ok(rotation::may_succeed(&predecessor, &dates_of(&policy, &found), now))
}

/// Retires a certificate by order of its custodian, before its time. The status stays good.
pub fn retire_certificate(
    env: &Env,
    permit: &Permit<ManageKeys>,
    (authority, serial): (&AuthorityId, &Serial),
) -> Result<Certificate, LifeError> {
    let now = env.clock.now();
    let none = || StoreError::NotFound { what: "certificate" };
    let seen = env
        .store
        .read(|tx| tx.find_certificate(permit.scope(), authority, serial))?
        .ok_or_else(none)?;
    let retired = env.store.write(|tx| {
        let certificate = tx.lock_certificate(permit.scope(), &seen.id)?;
        if certificate.state != CertificateState::Active || certificate.seal.is_none() {
            let refusal = Refusal::new(RefusalCode::StateConflict, "6.4")
                .with("serial", &certificate.serial)
                .with("state", certificate.state.word());
            return Err(LifeError::from(refusal));
        }
        let policy = tx.current_policy(now)?;
        let due = now.floor().plus_days(policy.destruction.due_days_after_retiring);
        retire(tx, permit.origin(), &certificate, due, now)?;
        Ok(Certificate { state: CertificateState::Retired, ..certificate })
    });
    let organisation = seen.seal.as_ref().map(|seal| seal.organisation.clone());
    let act = (AuditCode::CertRetired, ObjectRef::new("certificate", &seen.id));
    told(env, permit.origin(), act, organisation, retired)
}

/// Records a retirement.
pub(crate) fn retire(
    tx: &mut Tx<'_>,
    origin: &Origin,
    certificate: &Certificate,
    due: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let event = LifeEvent::Retired { certificate: certificate.clone(), due };
    tx.record(origin, now, &Event::Life(event))?;
    Ok(())
}

/// KM-13: whether a seal's key may seal now; whoever seals asks this each time.
pub fn may_seal(
    env: &Env,
    permit: &Permit<ViewRegistry>,
    (authority, serial): (&AuthorityId, &Serial),
) -> Result<(), LifeError> {
    let now = env.clock.now();
    let found = env.store.read(|tx| {
        let certificate = tx
            .find_certificate(permit.scope(), authority, serial)?
            .ok_or(StoreError::NotFound { what: "certificate" })?;
        let key = tx.load_key(&certificate.key)?;
        Ok::<_, StoreError>((certificate, key))
    })?;
    let (certificate, key) = found;
    let allowed = rotation::may_seal(&certificate, &key, now).map_err(LifeError::from);
    let organisation = certificate.seal.as_ref().map(|seal| seal.organisation.clone());
    let act = (AuditCode::KeyActivated, ObjectRef::new("certificate", &certificate.id));
    told(env, permit.origin(), act, organisation, allowed)
}

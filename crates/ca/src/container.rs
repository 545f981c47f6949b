//! Containers of keys: registered, verified, given to another custodian, taken out of use, disposed
//! of (DOMAIN 6.6); keys placed in them for life (I-1, KM-15), and what they count (DOMAIN 8.6).

use tenkoku_domain::access::{ManageKeys, Origin, Permit};
use tenkoku_domain::audit::{AuditCode, Event, LifeEvent, ObjectRef};
use tenkoku_domain::branch::Custodian;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::certificate::CertificateState;
use tenkoku_domain::container::{BackupCopy, Container, ContainerKind, ContainerState};
use tenkoku_domain::id::{BranchId, ContainerId, KeyId, OrganisationId};
use tenkoku_domain::key::Key;
use tenkoku_domain::level::Level;
use tenkoku_domain::name::plain_text;
use tenkoku_domain::policy::CopySuspicion;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::suspension::HoldCause;
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use crate::life::{LifeError, SealKey, load_seal_key, told};
use crate::suspend::{SuspendError, suspend_within};

/// What is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerOrder {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// The one branch that uses it; `None` where several do.
    pub branch: Option<BranchId>,
    /// Kind.
    pub kind: ContainerKind,
    /// Model.
    pub model: String,
    /// Serial number of the device.
    pub serial: String,
    /// Firmware.
    pub firmware: String,
    /// Text of its certification.
    pub certification: String,
    /// Partition, slot or applet; empty where there is none.
    pub partition: String,
    /// Who answers for it: name and e-mail address.
    pub custodian: (String, String),
    /// Where it stands.
    pub location: String,
    /// Every backup of what is in it.
    pub inventory: Vec<BackupCopy>,
}

/// Registers a container. A device of another organisation is refused without naming it (KM-15).
pub fn register_container(
    env: &Env,
    permit: &Permit<ManageKeys>,
    order: &ContainerOrder,
) -> Result<Container, LifeError> {
    let now = env.clock.now();
    let organisation =
        env.store.read(|tx| tx.load_organisation(permit.scope(), &order.organisation))?.id;
    let registered = read_order(env, order).and_then(|container| {
        env.store.write(|tx| {
            if let Some(branch) = &order.branch {
                let branch = tx.load_branch(permit.scope(), branch)?;
                if branch.organisation != container.organisation {
                    return Err(StoreError::NotFound { what: "branch" }.into());
                }
            }
            container.may_register(&tx.find_container(&container.serial)?)?;
            let event = LifeEvent::ContainerRegistered { container: container.clone() };
            tx.record(permit.origin(), now, &Event::Life(event))?;
            Ok::<_, LifeError>(())
        })?;
        Ok(container)
    });
    let act = (AuditCode::ContainerRegistered, ObjectRef::new("organisation", &organisation));
    told(env, permit.origin(), act, Some(organisation), registered)
}

fn read_order(env: &Env, order: &ContainerOrder) -> Result<Container, LifeError> {
    let now = env.clock.now();
    let optional = |text: &str| {
        if text.trim().is_empty() { Ok(String::new()) } else { plain_text(text) }
    };
    let (name, email) = &order.custodian;
    Ok(Container {
        id: ContainerId::new(now, &*env.entropy),
        organisation: order.organisation.clone(),
        branch: order.branch.clone(),
        kind: order.kind,
        model: plain_text(&order.model)?,
        serial: plain_text(&order.serial)?,
        firmware: optional(&order.firmware)?,
        certification: optional(&order.certification)?,
        partition: optional(&order.partition)?,
        custodian: Custodian::parse(name, email)?,
        location: plain_text(&order.location)?,
        inventory: order.inventory.clone(),
        state: ContainerState::Registered,
        registered_at: now,
    })
}

/// Records that model, serial number and custodian were checked, with the evidence.
pub fn verify_container(
    env: &Env,
    permit: &Permit<ManageKeys>,
    id: &ContainerId,
    evidence: &[u8],
) -> Result<Container, LifeError> {
    change(env, permit, id, AuditCode::ContainerVerified, |tx, container, live| {
        container.may_become(ContainerState::Verified, live)?;
        let container = Container { state: ContainerState::Verified, ..container };
        let evidence = tx.keep_attachment("application/octet-stream", evidence)?;
        Ok(LifeEvent::ContainerVerified { container, evidence })
    })
}

/// Gives a container to another custodian.
pub fn change_custodian(
    env: &Env,
    permit: &Permit<ManageKeys>,
    id: &ContainerId,
    (name, email): (&str, &str),
) -> Result<Container, LifeError> {
    change(env, permit, id, AuditCode::ContainerCustodianChanged, |_, container, _| {
        if container.state == ContainerState::Disposed {
            let refusal = Refusal::new(RefusalCode::StateConflict, "6.6");
            return Err(refusal.with("state", container.state).into());
        }
        let custodian = Custodian::parse(name, email)?;
        Ok(LifeEvent::CustodianChanged { container: Container { custodian, ..container } })
    })
}

/// Quarantines a container, takes it back into use, or retires it.
pub fn move_container(
    env: &Env,
    permit: &Permit<ManageKeys>,
    id: &ContainerId,
    to: ContainerState,
) -> Result<Container, LifeError> {
    change(env, permit, id, AuditCode::ContainerQuarantined, |_, container, live| {
        container.may_become(to, live)?;
        Ok(LifeEvent::ContainerMoved { container: Container { state: to, ..container } })
    })
}

/// Records the disposal of a retired container, with its record.
pub fn dispose_container(
    env: &Env,
    permit: &Permit<ManageKeys>,
    id: &ContainerId,
    evidence: &[u8],
) -> Result<Container, LifeError> {
    change(env, permit, id, AuditCode::ContainerDisposed, |tx, container, live| {
        container.may_become(ContainerState::Disposed, live)?;
        let container = Container { state: ContainerState::Disposed, ..container };
        let evidence: Digest = tx.keep_attachment("application/octet-stream", evidence)?;
        Ok(LifeEvent::ContainerDisposed { container, evidence })
    })
}

fn change(
    env: &Env,
    permit: &Permit<ManageKeys>,
    id: &ContainerId,
    code: AuditCode,
    act: impl FnOnce(&mut Tx<'_>, Container, usize) -> Result<LifeEvent, LifeError>,
) -> Result<Container, LifeError> {
    let now = env.clock.now();
    let seen = env.store.read(|tx| tx.load_container(permit.scope(), id))?;
    let changed = env.store.write(|tx| {
        let container = tx.load_container(permit.scope(), id)?;
        let live = tx.branches_in_container(id)?.len();
        let event = act(tx, container, live)?;
        tx.record(permit.origin(), now, &Event::Life(event))?;
        Ok::<_, LifeError>(tx.load_container(permit.scope(), id)?)
    });
    let object = ObjectRef::new("container", id);
    told(env, permit.origin(), (code, object), Some(seen.organisation), changed)
}

/// Records in which container a key lives: once, for its whole life (I-1), and never beside a key
/// of another branch at level 3 (KM-15).
pub fn place_key(
    env: &Env,
    permit: &Permit<ManageKeys>,
    key: &KeyId,
    id: &ContainerId,
) -> Result<(), LifeError> {
    let now = env.clock.now();
    let seen = env.store.read(|tx| load_seal_key(tx, permit.scope(), key))?;
    let placed = env.store.write(|tx| {
        let found = load_seal_key(tx, permit.scope(), key)?;
        let container = tx.load_container(permit.scope(), id)?;
        if found.life.container.is_some() {
            let refusal = Refusal::new(RefusalCode::StateConflict, "I-1");
            return Err(LifeError::from(refusal.with("state", "placed")));
        }
        let seal = (&found.seal.organisation, &found.seal.branch, found.level);
        Ok(place_within(tx, permit.origin(), found.key, seal, container, now)??)
    });
    let act = (AuditCode::KeyPresented, ObjectRef::new("key", key));
    told(env, permit.origin(), act, Some(seen.seal.organisation), placed)
}

/// Records within a transaction that a key lives in a container, if the container may hold it; the
/// first key brings the container into use.
pub(crate) fn place_within(
    tx: &mut Tx<'_>,
    origin: &Origin,
    key: Key,
    (organisation, branch, level): (&OrganisationId, &BranchId, Level),
    container: Container,
    now: Timestamp,
) -> Result<Result<(), Refusal>, StoreError> {
    let neighbours = tx.branches_in_container(&container.id)?;
    if let Err(refusal) = container.may_hold(organisation, branch, level, &neighbours) {
        return Ok(Err(refusal));
    }
    let (organisation, id) = (organisation.clone(), container.id.clone());
    let event = LifeEvent::KeyPlaced { key, organisation, container: id };
    tx.record(origin, now, &Event::Life(event))?;
    if container.state == ContainerState::Verified {
        let container = Container { state: ContainerState::InUse, ..container };
        let event = LifeEvent::ContainerMoved { container };
        tx.record(origin, now, &Event::Life(event))?;
    }
    Ok(Ok(()))
}

/// What a report of use came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reported {
    /// Kept.
    Fine,
    /// Kept, and it hints at a copy: the signal.
    CopySuspected(&'static str),
}

/// More uses between two reports than this are a jump, as a multiple of the uses before.
const JUMP_FACTOR: i64 = 100;

/// Takes a container's count of the uses of a key. A count that goes backwards or jumps, or comes
/// from another device, hints at a copy; what follows is the policy's (DOMAIN 8.6).
pub fn report_usage(
    env: &Env,
    permit: &Permit<ManageKeys>,
    key: &KeyId,
    (uses, device): (i64, &str),
) -> Result<Reported, LifeError> {
    let now = env.clock.now();
    let device = plain_text(device)?;
    env.store.write(|tx| {
        let found = load_seal_key(tx, permit.scope(), key)?;
        let known = match &found.life.container {
            Some(id) => Some(tx.load_container(permit.scope(), id)?.serial),
            None => None,
        };
        let signal = match (known, found.life.uses) {
            (Some(serial), _) if serial != device => Some("other-container"),
            (_, Some(before)) if uses < before => Some("counter-backwards"),
            (_, Some(before)) if before > 0 && uses > before.saturating_mul(JUMP_FACTOR) => {
                Some("counter-jump")
            }
            _ => None,
        };
        let organisation = found.seal.organisation.clone();
        let event = LifeEvent::UsageReported { key: found.key.clone(), organisation, uses, device };
        tx.record(permit.origin(), now, &Event::Life(event))?;
        match signal {
            None => Ok(Reported::Fine),
            Some(signal) => {
                suspect_copy(tx, permit.origin(), &found, signal, now)?;
                Ok(Reported::CopySuspected(signal))
            }
        }
    })
}

/// Records that a copy is suspected; at level 3 the certificate is put on hold where the policy
/// says so, else people look into it (DOMAIN 8.6).
fn suspect_copy(
    tx: &mut Tx<'_>,
    origin: &Origin,
    found: &SealKey,
    signal: &str,
    now: Timestamp,
) -> Result<(), LifeError> {
    let event = LifeEvent::CopySuspected {
        key: found.key.clone(),
        organisation: found.seal.organisation.clone(),
        signal: signal.to_owned(),
    };
    tx.record(origin, now, &Event::Life(event))?;
    let policy = tx.current_policy(now)?;
    let suspends = policy.instances.copy_suspicion == CopySuspicion::Suspend;
    let active = found.certificate.state == CertificateState::Active;
    if !(suspends && active && found.level == Level::Three) {
        return Ok(());
    }
    let why = (HoldCause::CopySuspected, signal);
    match suspend_within(tx, origin, &found.certificate.id, why, now) {
        Ok(_) => Ok(()),
        Err(SuspendError::Refused(refusal)) => Err(refusal.into()),
        Err(SuspendError::Store(error)) => Err(error.into()),
    }
}

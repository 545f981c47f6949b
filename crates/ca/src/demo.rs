//! Fills an evaluation with serial numbers, for tests under load.

use tenkoku_domain::access::{OperateAuthority, Permit};
use tenkoku_domain::audit::{Event, StatusEvent};
use tenkoku_domain::authority::{Authority, AuthorityCode};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::certificate::{Profile, Serial, Validity};
use tenkoku_domain::id::CertificateId;
use tenkoku_domain::key::{Key, KeyAlgorithm, KeyHolder, KeyRole, KeyState};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::revocation::{Cause, Revocation};
use tenkoku_domain::seed::{Seed, SeedRow, check_seeding};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::StoreError;

use crate::authority::{AuthorityError, generate};

/// Serial numbers written in one transaction, each transaction with one audit record.
const BATCH: usize = 20_000;
/// The causes that take turns. An exposed key would block the one key that all of them name.
const CAUSES: [Cause; 4] =
    [Cause::OfficeClosed, Cause::NameChanged, Cause::Replaced, Cause::RightWithdrawn];

/// How much is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeedOrder {
    /// The authority; it issues seals.
    pub authority: AuthorityCode,
    /// How many serial numbers.
    pub issued: usize,
    /// How many of them are revoked.
    pub revoked: usize,
}

/// Writes the serial numbers in batches, revoked ones evenly between the others. After each batch
/// that is in the store `written` gets its rows.
///
/// All certificates name one key, made for this and destroyed at once, so its fingerprint is
/// claimed once (I-2) and nobody can seal with it.
pub fn seed<E: From<AuthorityError>>(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    order: &SeedOrder,
    mut written: impl FnMut(&[SeedRow]) -> Result<(), E>,
) -> Result<(), E> {
    let (authority, profile) = seeded_authority(env, order)?;
    let key = demo_key(env, permit, &authority)?;
    let now = env.clock.now();
    let policy = env.store.read(|tx| tx.current_policy(now)).map_err(AuthorityError::from)?;
    let policy = policy.digest().map_err(AuthorityError::from)?;
    for from in (0..order.issued).step_by(BATCH) {
        let numbers = from..order.issued.min(from + BATCH);
        let rows = numbers.map(|number| row(env, order, number)).collect();
        let seed = batch(&authority, profile, &key, policy, rows, env.clock.now());
        let event = Event::Status(StatusEvent::Seeded { seed: Box::new(seed.clone()) });
        let at = env.clock.now();
        env.store
            .write(|tx| tx.record(permit.origin(), at, &event))
            .map_err(AuthorityError::from)?;
        written(&seed.rows)?;
    }
    Ok(())
}

fn seeded_authority(env: &Env, order: &SeedOrder) -> Result<(Authority, Profile), AuthorityError> {
    check_seeding(env.settings.installation)?;
    let found = env.store.read(|tx| tx.find_authority(order.authority.as_str()))?;
    let authority = found.ok_or(StoreError::NotFound { what: "authority" })?;
    authority.may_issue(env.clock.now())?;
    let level = authority.kind.level().ok_or_else(|| {
        Refusal::new(RefusalCode::LevelNotAllowed, "12.4").with("authority", &authority.code)
    })?;
    Ok((authority, Profile::seal(level)))
}

/// The key that the certificates name. Its private half is destroyed before anything names it.
fn demo_key(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    authority: &Authority,
) -> Result<Key, AuthorityError> {
    let holder = KeyHolder::Authority(authority.id.clone());
    let made = generate(env, permit.origin(), KeyRole::Seal, holder, KeyAlgorithm::P256)?.key;
    env.keys.destroy(&made.id)?;
    let key = Key { state: KeyState::Bound, ..made };
    let event = Event::KeyGenerated { key: key.clone() };
    env.store.write(|tx| tx.record(permit.origin(), env.clock.now(), &event))?;
    Ok(key)
}

/// Number `number` of an order; as many as ordered are revoked, spread evenly.
fn row(env: &Env, order: &SeedOrder, number: usize) -> SeedRow {
    let now = env.clock.now();
    let before = |number: usize| number.saturating_mul(order.revoked) / order.issued.max(1);
    let nth = before(number);
    let revoked = before(number + 1) > nth;
    SeedRow {
        id: CertificateId::new(now, &*env.entropy),
        serial: Serial::random(&*env.entropy),
        revocation: revoked.then(|| Revocation {
            cause: CAUSES.get(nth % CAUSES.len()).copied().unwrap_or(Cause::OfficeClosed),
            at: now.floor(),
            invalid_since: None,
        }),
    }
}

fn batch(
    authority: &Authority,
    profile: Profile,
    key: &Key,
    policy: Digest,
    rows: Vec<SeedRow>,
    now: Timestamp,
) -> Seed {
    Seed {
        authority: authority.id.clone(),
        profile,
        key: key.id.clone(),
        policy,
        validity: Validity::days(now, 365).capped(authority.validity.not_after),
        common_name: "Demonstration seal".to_owned(),
        rows,
    }
}

//! The nightly search among the keys that are known already: for those that a list or a check has
//! learnt to refuse since (KM-3, KM-5), and for RSA moduli that share a factor.
//!
//! A key that is found is blocked and its live credentials are revoked as exposed, in one
//! transaction. A key that is blocked is passed over, so a second run finds nothing. The search for
//! shared factors takes minutes and holds no transaction; run it beside other jobs, not before them.

use std::collections::BTreeMap;

use tenkoku_domain::access::{OperateAuthority, Permit};
use tenkoku_domain::audit::{AuditCode, Event, ObjectRef};
use tenkoku_domain::id::KeyId;
use tenkoku_domain::key::{BlockList, BlockedKey, Key};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::key::PresentedKey;
use tenkoku_pki::weak::shared::shared_factors;
use tenkoku_pki::weak::{self, Weakness};
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use crate::block::{end_resting, lock_resting};

/// Keys read in one transaction.
const PAGE: i64 = 1000;

/// Asks KM-3 and KM-5 again of every key that is known. Gives the number of keys newly blocked.
pub fn scan_listed(env: &Env, permit: &Permit<OperateAuthority>) -> Result<usize, StoreError> {
    let now = env.clock.now();
    let rules = crate::weak::rules(&env.store.read(|tx| tx.current_policy(now))?);
    let mut found = Vec::new();
    each_key(env, |key, presented| {
        if let Err(refusal) = weak::check(presented, &rules) {
            found.push((key.id.clone(), refusal));
        }
    })?;
    condemn_all(env, permit, found, now)
}

/// KM-3: searches all RSA moduli ever known for shared factors. Gives the number of keys newly
/// blocked.
pub fn scan_shared_factors(
    env: &Env,
    permit: &Permit<OperateAuthority>,
) -> Result<usize, StoreError> {
    let now = env.clock.now();
    let mut moduli = BTreeMap::new();
    each_key(env, |key, presented| {
        if let Some(modulus) = presented.rsa_modulus() {
            moduli.insert(key.id.clone(), modulus.to_vec());
        }
    })?;
    let (keys, moduli): (Vec<_>, Vec<_>) = moduli.into_iter().unzip();
    let shared = shared_factors(&moduli);
    let found = shared.iter().filter_map(|shared| keys.get(shared.index));
    let refusal = Weakness::SharedFactor.refusal();
    condemn_all(env, permit, found.map(|key| (key.clone(), refusal.clone())).collect(), now)
}

/// Shows every key that reads as one, page by page.
fn each_key(env: &Env, mut show: impl FnMut(&Key, &PresentedKey)) -> Result<(), StoreError> {
    let mut last: Option<KeyId> = None;
    loop {
        let keys = env.store.read(|tx| tx.list_keys(last.as_ref(), PAGE))?;
        for key in &keys {
            if let Ok(presented) = PresentedKey::parse(&key.public_key) {
                show(key, &presented);
            }
        }
        match keys.last() {
            Some(key) => last = Some(key.id.clone()),
            None => return Ok(()),
        }
    }
}

fn condemn_all(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    found: Vec<(KeyId, Refusal)>,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let mut blocked = 0;
    for (key, refusal) in found {
        let found = (&key, &refusal);
        let new = env.store.write(|tx| condemn(env, tx, permit, found, now))?;
        blocked += usize::from(new);
    }
    Ok(blocked)
}

/// Blocks a key, revokes what is live of it and opens the incident; false where it was blocked
/// before.
fn condemn(
    env: &Env,
    tx: &mut Tx<'_>,
    permit: &Permit<OperateAuthority>,
    (key, refusal): (&KeyId, &Refusal),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let weak = refusal.code == RefusalCode::KeyWeak;
    let fingerprint = tx.load_key(key)?.fingerprint;
    let resting = lock_resting(tx, &fingerprint)?;
    let blocked = BlockedKey {
        fingerprint,
        list: if weak { BlockList::Weak } else { BlockList::Published },
        reason: refusal.facts.get("problem").cloned().unwrap_or_else(|| "published".to_owned()),
        since: now,
    };
    if !tx.block_key(&blocked)? {
        return Ok(false);
    }
    let event = Event::Refused {
        code: if weak { AuditCode::KeyWeak } else { AuditCode::KeyBlocked },
        object: ObjectRef::new("key", key),
        organisation: None,
        policy: None,
        refusal: refusal.clone(),
    };
    tx.record(permit.origin(), now, &event)?;
    end_resting(env, tx, permit.origin(), resting, now)?;
    Ok(true)
}

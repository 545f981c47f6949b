//! Destroys keys in the platform's own key store, as evidence of class D1 (DOMAIN 11).
//!
//! What will be destroyed is recorded before the key moves, with what a search found of it; what a
//! search finds afterwards completes the report. A power cut in between is settled at start.

use serde_json::json;
use tenkoku_domain::access::{ManageKeys, OperateAuthority, Origin, Permit, Scope};
use tenkoku_domain::audit::{AuditCode, Event, LifeEvent, ObjectRef};
use tenkoku_domain::canonical::{Digest, canonical};
use tenkoku_domain::container::PRIMARY;
use tenkoku_domain::destruction::{CopyLine, Evidence, Method, Signatory, SignerRole};
use tenkoku_domain::id::{EvidenceId, KeyId};
use tenkoku_domain::name::plain_text;
use tenkoku_domain::policy::DestructionClass;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_keys::{Destruction, KeyError, Search, Sighting};
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use super::check;
use crate::life::{LifeError, SealKey, load_seal_key, told};
use crate::policy::person;

/// How long a destruction may take before it counts as cut short, in seconds. Another process may
/// be at it at this moment.
const DESTRUCTION_SECONDS: i64 = 60;

/// Destroys a key in the platform's own key store before a witness and hands in what the store
/// reports as evidence of class D1.
pub fn destroy_in_store(
    env: &Env,
    permit: &Permit<ManageKeys>,
    key: &KeyId,
    witness: &str,
) -> Result<Evidence, LifeError> {
    let found = env.store.read(|tx| load_seal_key(tx, permit.scope(), key))?;
    let done = begin(env, permit, &found, witness).and_then(|(planned, seen)| {
        let report = env.keys.destroy(key)?;
        finish(env, permit.origin(), planned, &seen.followed_by(report.after))
    });
    let act = (AuditCode::KeyEvidenceRefused, ObjectRef::new("key", key));
    told(env, permit.origin(), act, Some(found.seal.organisation), done)
}

/// Everything that can be refused is refused before the key is gone; then the intent is recorded.
fn begin(
    env: &Env,
    permit: &Permit<ManageKeys>,
    found: &SealKey,
    witness: &str,
) -> Result<(Evidence, Sighting), LifeError> {
    let now = env.clock.now();
    let seen = env.keys.search(&found.key.id)?;
    if seen.found.private == 0 {
        let refusal = Refusal::new(RefusalCode::EvidenceInsufficient, "11");
        return Err(refusal.with("lacking", "key-in-store").into());
    }
    let text = canonical(&json!(seen))?;
    let operator = env.store.read(|tx| person(tx, &permit.origin().actor))?;
    let named = |name: String, role| Signatory { name, role, key: found.key.fingerprint };
    let planned = Evidence {
        id: EvidenceId::new(now, &*env.entropy),
        key: found.key.id.clone(),
        class: DestructionClass::D1,
        lines: vec![CopyLine {
            copy: PRIMARY.to_owned(),
            method: Some(Method::Delete),
            at: Some(now),
        }],
        serials: Vec::new(),
        signatories: vec![
            named(operator.clone(), SignerRole::Operator),
            named(plain_text(witness)?, SignerRole::Witness),
        ],
        attachments: Vec::new(),
        report: Some(Digest::of(text.as_bytes())),
        last_act: None,
        handed_by: operator,
        handed_at: now,
    };
    env.store.write(|tx| {
        // Of two at once, the second finds the first.
        tx.lock_certificate(&Scope::Platform, &found.certificate.id)?;
        let found = load_seal_key(tx, permit.scope(), &planned.key)?;
        if tx.open_destruction_intents()?.iter().any(|one| one.key == planned.key) {
            let refusal = Refusal::new(RefusalCode::StateConflict, "11");
            return Err(LifeError::from(refusal.with("state", "being-destroyed")));
        }
        check(tx, &found, &planned)?;
        tx.keep_attachment("application/json", text.as_bytes())?;
        let organisation = found.seal.organisation;
        let event = LifeEvent::DestructionBegun { evidence: planned.clone(), organisation };
        Ok(tx.record(permit.origin(), now, &Event::Life(event))?)
    })?;
    Ok((planned, seen))
}

/// Hands in the report of a destruction that was begun.
fn finish(
    env: &Env,
    origin: &Origin,
    planned: Evidence,
    report: &Destruction,
) -> Result<Evidence, LifeError> {
    if !report.is_complete() {
        let refusal = Refusal::new(RefusalCode::EvidenceIncomplete, "DE-1");
        return Err(refusal.with("open", PRIMARY).into());
    }
    let now = env.clock.now();
    let text = canonical(&json!(report))?;
    let evidence = Evidence { report: Some(Digest::of(text.as_bytes())), ..planned };
    env.store.write(|tx| {
        let found = load_seal_key(tx, &Scope::Platform, &evidence.key)?;
        tx.keep_attachment("application/json", text.as_bytes())?;
        let organisation = found.seal.organisation;
        let event = LifeEvent::EvidenceHanded { evidence: evidence.clone(), organisation };
        Ok::<_, LifeError>(tx.record(origin, now, &Event::Life(event))?)
    })?;
    Ok(evidence)
}

/// Settles destructions that a power cut interrupted: where the key is gone, the report is completed
/// with a search of today and handed in; where it is still there, the destruction is told as broken
/// off and may be ordered again. Gives their number; a second run finds none.
pub fn settle_destructions(
    env: &Env,
    permit: &Permit<OperateAuthority>,
) -> Result<usize, LifeError> {
    let now = env.clock.now();
    let mut settled = 0;
    for planned in env.store.read(|tx| tx.open_destruction_intents())? {
        if planned.handed_at.plus_seconds(DESTRUCTION_SECONDS) > now {
            continue;
        }
        let seen = env.store.read(|tx| sighting(tx, &planned))?;
        let after = left_of(env, &planned.key)?;
        if after.is_empty() {
            finish(env, permit.origin(), planned, &seen.followed_by(after))?;
        } else {
            env.store.write(|tx| broken_off(tx, permit.origin(), planned, now))?;
        }
        settled += 1;
    }
    Ok(settled)
}

/// What the search before found, as it was recorded with the intent.
fn sighting(tx: &mut Tx<'_>, planned: &Evidence) -> Result<Sighting, LifeError> {
    let none = || StoreError::NotFound { what: "attachment" };
    let digest = planned.report.ok_or_else(none)?;
    let (_, content) = tx.find_attachment(&digest)?.ok_or_else(none)?;
    let corrupt = |error| StoreError::Database(Box::new(error));
    Ok(serde_json::from_slice(&content).map_err(corrupt)?)
}

/// What is left of a key. Where the private half is gone already, its leftovers go too.
fn left_of(env: &Env, key: &KeyId) -> Result<Search, KeyError> {
    let left = env.keys.search(key)?.found;
    if left.private > 0 || left.is_empty() {
        return Ok(left);
    }
    match env.keys.destroy(key) {
        Ok(_) | Err(KeyError::NotFound(_)) => {}
        Err(other) => return Err(other),
    }
    Ok(env.keys.search(key)?.found)
}

fn broken_off(
    tx: &mut Tx<'_>,
    origin: &Origin,
    evidence: Evidence,
    now: Timestamp,
) -> Result<(), StoreError> {
    let found = load_seal_key(tx, &Scope::Platform, &evidence.key)?;
    let organisation = found.seal.organisation;
    let event = LifeEvent::DestructionBrokenOff { evidence, organisation };
    tx.record(origin, now, &Event::Life(event))?;
    Ok(())
}

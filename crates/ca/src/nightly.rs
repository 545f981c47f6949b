//! The nightly checks over keys and certificates: rotations opened and late, retirements, evidence
//! due and missing, acknowledgements and suspensions that ran out, keys and custodians that the
//! policy no longer takes. Every step asks the stored state first, so that a second run changes
//! nothing.

use std::collections::BTreeMap;

use tenkoku_domain::access::{OperateAuthority, Origin, Permit, Scope};
use tenkoku_domain::audit::{AuditCode, Event, LifeEvent, ObjectRef};
use tenkoku_domain::certificate::{Certificate, CertificateState, Profile};
use tenkoku_domain::container::check_custodian;
use tenkoku_domain::destruction::{EvidenceState, TsaDuty, tsa_duty};
use tenkoku_domain::id::CertificateId;
use tenkoku_domain::key::{Key, KeyState};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::revocation::{Cause, Revocation};
use tenkoku_domain::rotation::{Rules, is_to_retire};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use crate::closing::finish_closing;
use crate::destroy::revoke_if_live;
use crate::grant::settle_grants;
use crate::life::{SealKey, load_seal_key};
use crate::rotate::{dates_of, retire, successor};
use crate::suspend::settle_suspensions;

/// How many of what was done, by the word of the step.
pub type Counts = BTreeMap<String, usize>;

/// The word of the run in the table of runs.
pub const NIGHTLY: &str = "nightly";
/// Seconds after which a run that did not happen counts as missed: it is due every hour.
const MISSED_SECONDS: i64 = 3 * 3600;

/// Whether the nightly checks run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunWatch {
    /// The last one was done in time.
    Fine {
        /// When it began; `None` on the first day, before the first run.
        at: Option<Timestamp>,
    },
    /// The last one did not work.
    Failed {
        /// When it began.
        at: Timestamp,
    },
    /// None was done for three hours.
    Missed {
        /// When the last one began; `None` where none ever was done.
        last: Option<Timestamp>,
    },
}

/// Looks whether the nightly checks ran: a run that did not happen is noticed by whoever asks.
pub fn watch_runs(tx: &mut Tx<'_>, now: Timestamp) -> Result<RunWatch, StoreError> {
    let overdue = now.plus_seconds(-MISSED_SECONDS);
    let last = tx.last_done_run(NIGHTLY)?.map(|run| run.started_at);
    // A new installation is given the same three hours from its first policy on.
    let since = match last {
        Some(at) => Some(at),
        None => tx.list_authorities()?.iter().map(|one| one.created_at).min(),
    };
    if since.is_some_and(|since| since <= overdue) {
        return Ok(RunWatch::Missed { last });
    }
    let latest = tx.list_job_runs(NIGHTLY, 2)?.into_iter().find(|run| run.ended_at.is_some());
    match latest {
        Some(run) if run.outcome == "failed" => Ok(RunWatch::Failed { at: run.started_at }),
        Some(_) | None => Ok(RunWatch::Fine { at: last }),
    }
}

/// Certificates that are looked at in one transaction at most.
const PAGE: i64 = 200;

/// Runs every nightly check.
pub fn run_nightly(env: &Env, permit: &Permit<OperateAuthority>) -> Result<Counts, StoreError> {
    let mut counts = Counts::new();
    let mut add = |word: &str, number: usize| {
        *counts.entry(word.to_owned()).or_default() += number;
    };
    add("suspensions-final", settle_suspensions(env, permit)?);
    add("not-accepted", settle_acknowledgements(env, permit)?);
    let [ended, paused, held] = settle_grants(env, permit)?;
    add("grants-ended", ended);
    add("grants-paused", paused);
    add("custodian-missing", held);
    add("branches-closed", finish_closing(env, permit)?);
    let mut after = String::new();
    loop {
        let page = env.store.read(|tx| tx.live_seals_after(&after, PAGE))?;
        let Some(last) = page.last() else { break };
        after = last.id.to_string();
        for certificate in &page {
            for word in env.store.write(|tx| watch(env, tx, permit.origin(), &certificate.id))? {
                add(word, 1);
            }
        }
    }
    for certificate in env.store.read(|tx| tx.live_of_profile(Profile::TimeStamping))? {
        if let Some(word) =
            env.store.write(|tx| watch_tsa(env, tx, permit.origin(), &certificate))?
        {
            add(word, 1);
        }
    }
    let ended = [KeyState::Retiring, KeyState::DestructionDue, KeyState::Compromised];
    for key in env.store.read(|tx| tx.list_seal_keys_in(&ended))? {
        if let Some(word) = env.store.write(|tx| follow_up(env, tx, permit.origin(), &key))? {
            add(word, 1);
        }
    }
    Ok(counts)
}

/// DOMAIN 6.4: certificates that their keys did not acknowledge in time are revoked as not accepted.
pub fn settle_acknowledgements(
    env: &Env,
    permit: &Permit<OperateAuthority>,
) -> Result<usize, StoreError> {
    let now = env.clock.now();
    let late = env.store.read(|tx| tx.list_unacknowledged(now))?;
    let mut settled = 0;
    for id in late {
        settled += env.store.write(|tx| {
            let certificate = tx.lock_certificate(permit.scope(), &id)?;
            let at = match &certificate.state {
                CertificateState::Held(hold) => hold.at,
                CertificateState::Issued => now.floor(),
                CertificateState::Pending
                | CertificateState::Active
                | CertificateState::Suspended(_)
                | CertificateState::Retired
                | CertificateState::Revoked(_) => return Ok::<_, StoreError>(0),
            };
            let revocation = Revocation { cause: Cause::OfficeClosed, at, invalid_since: None };
            let event = LifeEvent::NotAccepted { certificate, revocation };
            tx.record(permit.origin(), now, &Event::Life(event))?;
            Ok(1)
        })?;
    }
    Ok(settled)
}

/// What the day brings for one certificate.
fn watch(
    env: &Env,
    tx: &mut Tx<'_>,
    origin: &Origin,
    id: &CertificateId,
) -> Result<Vec<&'static str>, StoreError> {
    let now = env.clock.now();
    let certificate = tx.lock_certificate(&Scope::Platform, id)?;
    if certificate.is_expired(now) {
        let event = LifeEvent::Expired { certificate };
        return Ok(once(tx, origin, (id, "expired"), event, now)?.into_iter().collect());
    }
    let found = load_seal_key(tx, &Scope::Platform, &certificate.key)?;
    let mut words = check_live(tx, origin, &found, now)?;
    if certificate.state != CertificateState::Active || found.certificate.id != certificate.id {
        return Ok(words);
    }
    let policy = tx.current_policy(now)?;
    let rules = Rules::of(&policy, found.level);
    let dates = dates_of(&policy, &found);
    if now >= dates.opens {
        let event = LifeEvent::RotationOpened { certificate: certificate.clone() };
        words.extend(once(tx, origin, (id, "rotation-opened"), event, now)?);
    }
    let next = successor(tx, &found)?;
    if now >= dates.sealing_ends && next.is_none() {
        let event = LifeEvent::RotationLate { certificate: certificate.clone() };
        words.extend(once(tx, origin, (id, "rotation-late"), event, now)?);
    }
    let since = match &next {
        Some(later) => Some(active_since(tx, later)?),
        None => None,
    };
    if is_to_retire(&dates, &rules, since, now) {
        let due = dates.sealing_ends.min(now.floor()).plus_days(rules.due_days);
        retire(tx, origin, &certificate, due, now)?;
        words.push("retired");
    }
    Ok(words)
}

fn active_since(tx: &mut Tx<'_>, certificate: &Certificate) -> Result<Timestamp, StoreError> {
    let life = tx.load_key_life(&certificate.key)?;
    Ok(life.activated_at.unwrap_or(certificate.validity.not_before))
}

/// Records an event about a certificate unless it was recorded before.
fn once(
    tx: &mut Tx<'_>,
    origin: &Origin,
    (id, word): (&CertificateId, &'static str),
    event: LifeEvent,
    now: Timestamp,
) -> Result<Option<&'static str>, StoreError> {
    if tx.find_mark(id.as_str(), word)?.is_some() {
        return Ok(None);
    }
    tx.record(origin, now, &Event::Life(event))?;
    Ok(Some(word))
}

/// KM-1 and KM-16 over live credentials: what no longer holds is recorded once as a refusal.
fn check_live(
    tx: &mut Tx<'_>,
    origin: &Origin,
    found: &SealKey,
    now: Timestamp,
) -> Result<Vec<&'static str>, StoreError> {
    let policy = tx.current_policy(now)?;
    let branch = tx.load_branch(&Scope::Platform, &found.seal.branch)?;
    let code = branch.code.as_str();
    let findings = [
        ("km-1", policy.check_algorithm(found.level, found.key.algorithm, now)),
        ("km-16", check_custodian(branch.custodian.as_ref(), code)),
    ];
    let mut words = Vec::new();
    for (word, finding) in findings {
        if let Err(refusal) = finding {
            let told = (AuditCode::KeyWeak, word, refusal);
            words.extend(note(tx, origin, &found.certificate, told, now)?);
        }
    }
    Ok(words)
}

/// Records once what no longer holds of a certificate.
fn note(
    tx: &mut Tx<'_>,
    origin: &Origin,
    certificate: &Certificate,
    (code, word, refusal): (AuditCode, &'static str, Refusal),
    now: Timestamp,
) -> Result<Option<&'static str>, StoreError> {
    let id = &certificate.id;
    if tx.find_mark(id.as_str(), word)?.is_some() {
        return Ok(None);
    }
    let event = Event::Refused {
        code,
        object: ObjectRef::new("certificate", id),
        organisation: certificate.seal.as_ref().map(|seal| seal.organisation.clone()),
        policy: Some(certificate.policy),
        refusal,
    };
    tx.record(origin, now, &event)?;
    tx.insert_mark(id.as_str(), word, now)?;
    Ok(Some(word))
}

/// DE-7: the key of a time-stamping unit stops after 15 months and is gone within 18; each is told
/// once, and two persons carry it out.
fn watch_tsa(
    env: &Env,
    tx: &mut Tx<'_>,
    origin: &Origin,
    certificate: &Certificate,
) -> Result<Option<&'static str>, StoreError> {
    let now = env.clock.now();
    let word = match tsa_duty(certificate.validity.not_before, &tx.current_policy(now)?, now) {
        TsaDuty::Use => return Ok(None),
        TsaDuty::Stop => "tsa-stop",
        TsaDuty::Remove => "tsa-remove",
    };
    let refusal = Refusal::new(RefusalCode::SealingNotAllowed, "DE-7").with("state", word);
    note(tx, origin, certificate, (AuditCode::KeyRetired, word, refusal), now)
}

/// What the day brings for a key that no longer seals: evidence becomes due, or is missing (KM-17).
fn follow_up(
    env: &Env,
    tx: &mut Tx<'_>,
    origin: &Origin,
    key: &Key,
) -> Result<Option<&'static str>, StoreError> {
    let now = env.clock.now();
    let found = load_seal_key(tx, &Scope::Platform, &key.id)?;
    let organisation = found.seal.organisation.clone();
    let due = match found.life.due_at {
        Some(due) if found.key.state != KeyState::Retiring => due,
        known => {
            let policy = tx.current_policy(now)?;
            let days = if found.key.state == KeyState::Compromised {
                policy.destruction.due_days_after_compromise
            } else {
                policy.destruction.due_days_after_retiring
            };
            let due = known.unwrap_or_else(|| now.floor().plus_days(days));
            let event = LifeEvent::DestructionDue { key: found.key.clone(), organisation, due };
            tx.record(origin, now, &Event::Life(event))?;
            if now < due {
                return Ok(Some("destruction-due"));
            }
            return missing(tx, origin, key, now);
        }
    };
    if now < due || found.life.not_evidenced_at.is_some() {
        return Ok(None);
    }
    missing(tx, origin, key, now)
}

/// KM-17: nothing was handed in by the due day, or what was handed in was refused.
fn missing(
    tx: &mut Tx<'_>,
    origin: &Origin,
    key: &Key,
    now: Timestamp,
) -> Result<Option<&'static str>, StoreError> {
    let handed = tx.evidence_of_key(&key.id)?;
    if handed.iter().any(|(_, state)| *state == EvidenceState::Handed) {
        return Ok(None);
    }
    let found = load_seal_key(tx, &Scope::Platform, &key.id)?;
    revoke_if_live(tx, origin, &found, (Cause::Replaced, None), now)?;
    let organisation = found.seal.organisation;
    let event = LifeEvent::NotEvidenced { key: found.key, organisation };
    tx.record(origin, now, &Event::Life(event))?;
    Ok(Some("not-evidenced"))
}

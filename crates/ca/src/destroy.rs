//! Destruction of keys: evidence handed in, decided by officers of another organisation, lost keys,
//! and the key that is seen again (DOMAIN 11).
//!
//! Deliberately not here: the due dates, which `nightly` watches; keys in the platform's own key
//! store, which [`in_store`] destroys.

pub mod in_store;
pub mod open;
pub mod package;

use serde_json::json;
use tenkoku_domain::access::{DecideEvidence, ManageKeys, Permit, Revoke, Scope};
use tenkoku_domain::audit::{AuditCode, Event, LifeEvent, ObjectRef};
use tenkoku_domain::canonical::{CanonicalError, Digest, canonical};
use tenkoku_domain::certificate::{CertificateState, Serial};
use tenkoku_domain::container::PRIMARY;
use tenkoku_domain::destruction::{
    CopyLine, Decider, Decision, DestructionNote, Evidence, EvidenceState, Signatory, SignerRole,
    Standard, is_contradicted, may_decide,
};
use tenkoku_domain::id::{AuthorityId, EvidenceId, KeyId};
use tenkoku_domain::key::{Fingerprint, KeyState};
use tenkoku_domain::organisation::Organisation;
use tenkoku_domain::policy::DestructionClass;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::revocation::{self, Cause, RevocationOrder};
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::key::PublicKey;
use tenkoku_pki::signature::SignatureAlgorithm;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use crate::life::{LifeError, SealKey, load_seal_key, told};
use crate::policy::{counted, person};

/// A signature over the statement of [`statement`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Who.
    pub name: String,
    /// What they were.
    pub role: SignerRole,
    /// SubjectPublicKeyInfo of the key they signed with, DER.
    pub public_key: Vec<u8>,
    /// The signature: for ECDSA the DER of `ECDSA-Sig-Value`, for RSA PKCS #1 v1.5; with the hash
    /// that fits the key, as certificates use it.
    pub signature: Vec<u8>,
}

/// Evidence of destruction that is handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceOrder {
    /// The key.
    pub key: KeyId,
    /// The class that it claims.
    pub class: DestructionClass,
    /// One line for each copy.
    pub lines: Vec<CopyLine>,
    /// Serial numbers of the devices.
    pub serials: Vec<String>,
    /// Photographs, logs, certificates: media type and content.
    pub attachments: Vec<(String, Vec<u8>)>,
    /// The signatures over the statement.
    pub signatures: Vec<Signed>,
    /// A statement made with the key before deletion; proves nothing by itself.
    pub last_act: Option<Vec<u8>>,
}

/// What everybody signs: canonical JSON (RFC 8785) of the key's fingerprint, the class, the lines,
/// the serial numbers and the digests of the attachments.
pub fn statement(
    fingerprint: &Fingerprint,
    order: &EvidenceOrder,
) -> Result<String, CanonicalError> {
    let digests: Vec<_> =
        order.attachments.iter().map(|(_, content)| Digest::of(content)).collect();
    canonical(&json!({
        "v": 1,
        "statement": "destruction",
        "fingerprint": fingerprint,
        "class": order.class,
        "lines": order.lines,
        "serials": order.serials,
        "attachments": digests,
    }))
}

/// Hands in evidence. What does not reach the demands of its class is refused; the key then stays
/// where it is (DE-1).
pub fn hand_in_evidence(
    env: &Env,
    permit: &Permit<ManageKeys>,
    order: &EvidenceOrder,
) -> Result<Evidence, LifeError> {
    let found = env.store.read(|tx| load_seal_key(tx, permit.scope(), &order.key))?;
    let by = env.store.read(|tx| person(tx, &permit.origin().actor))?;
    let handed = verified(&found, order).and_then(|signatories| {
        let evidence = draft(env, order, signatories, by);
        env.store.write(|tx| hand_in(tx, permit, &evidence, order))?;
        Ok(evidence)
    });
    let act = (AuditCode::KeyEvidenceRefused, ObjectRef::new("key", &order.key));
    told(env, permit.origin(), act, Some(found.seal.organisation), handed)
}

fn draft(env: &Env, order: &EvidenceOrder, signatories: Vec<Signatory>, by: String) -> Evidence {
    let now = env.clock.now();
    Evidence {
        id: EvidenceId::new(now, &*env.entropy),
        key: order.key.clone(),
        class: order.class,
        lines: order.lines.clone(),
        serials: order.serials.clone(),
        signatories,
        attachments: order.attachments.iter().map(|(_, content)| Digest::of(content)).collect(),
        report: None,
        last_act: order.last_act.as_deref().map(Digest::of),
        handed_by: by,
        handed_at: now,
    }
}

/// Every signature verifies; one that does not is as good as none.
fn verified(found: &SealKey, order: &EvidenceOrder) -> Result<Vec<Signatory>, LifeError> {
    let statement = statement(&found.key.fingerprint, order)?;
    let read = |signed: &Signed| {
        let wrong =
            || Refusal::new(RefusalCode::EvidenceInsufficient, "DE-2").with("lacking", "signature");
        let key = PublicKey::parse(&signed.public_key).map_err(|_| wrong())?;
        let algorithm = SignatureAlgorithm::of_issuer(key.algorithm());
        key.verify(algorithm, statement.as_bytes(), &signed.signature).map_err(|_| wrong())?;
        let name = tenkoku_domain::name::plain_text(&signed.name)?;
        Ok::<_, Refusal>(Signatory { name, role: signed.role, key: key.fingerprint() })
    };
    Ok(order.signatures.iter().map(read).collect::<Result<_, _>>()?)
}

fn hand_in(
    tx: &mut Tx<'_>,
    permit: &Permit<ManageKeys>,
    evidence: &Evidence,
    order: &EvidenceOrder,
) -> Result<(), LifeError> {
    let found = load_seal_key(tx, permit.scope(), &evidence.key)?;
    check(tx, &found, evidence)?;
    for (media_type, content) in &order.attachments {
        tx.keep_attachment(media_type, content)?;
    }
    if let Some(last_act) = &order.last_act {
        tx.keep_attachment("application/octet-stream", last_act)?;
    }
    record_handed(tx, permit, &found, evidence)
}

fn check(tx: &mut Tx<'_>, found: &SealKey, evidence: &Evidence) -> Result<(), LifeError> {
    let policy = tx.current_policy(evidence.handed_at)?;
    let container = match &found.life.container {
        Some(id) => Some(tx.load_container(&Scope::Platform, id)?),
        None => None,
    };
    let copies = container.as_ref().map_or_else(|| vec![PRIMARY], |known| known.copies());
    let standard = Standard {
        policy: &policy,
        level: Some(found.level),
        key: &found.key,
        copies,
        device: container.as_ref().map(|known| known.serial.as_str()),
    };
    Ok(evidence.check(&standard)?)
}

fn record_handed(
    tx: &mut Tx<'_>,
    permit: &Permit<ManageKeys>,
    found: &SealKey,
    evidence: &Evidence,
) -> Result<(), LifeError> {
    let organisation = found.seal.organisation.clone();
    let event = LifeEvent::EvidenceHanded { evidence: evidence.clone(), organisation };
    tx.record(permit.origin(), evidence.handed_at, &Event::Life(event))?;
    Ok(())
}

/// One officer's decision on evidence. The last acceptance that is needed destroys the key.
pub fn decide_evidence(
    env: &Env,
    permit: &Permit<DecideEvidence>,
    id: &EvidenceId,
    (decision, reason): (Decision, &str),
) -> Result<EvidenceState, LifeError> {
    let (evidence, _) = env.store.read(|tx| tx.load_evidence(id))?;
    let found = env.store.read(|tx| load_seal_key(tx, permit.scope(), &evidence.key))?;
    let decided = env.store.write(|tx| decide(env, tx, permit, id, (decision, reason)));
    let act = (AuditCode::KeyEvidenceRefused, ObjectRef::new("evidence", id));
    told(env, permit.origin(), act, Some(found.seal.organisation), decided)
}

fn decide(
    env: &Env,
    tx: &mut Tx<'_>,
    permit: &Permit<DecideEvidence>,
    id: &EvidenceId,
    (decision, reason): (Decision, &str),
) -> Result<EvidenceState, LifeError> {
    let now = env.clock.now();
    let (evidence, state) = tx.load_evidence(id)?;
    let found = load_seal_key(tx, permit.scope(), &evidence.key)?;
    if state != EvidenceState::Handed {
        return Err(Refusal::new(RefusalCode::StateConflict, "11").with("state", state).into());
    }
    let owner = tx.load_organisation(&Scope::Platform, &found.seal.organisation)?;
    // I-6: a person counts once, whatever number of accounts that person has.
    let person = person(tx, &permit.origin().actor)?;
    let mut decided = tx.decided_by(id)?;
    for kept in &mut decided {
        *kept = counted(tx, kept)?;
    }
    let counting = Evidence { handed_by: counted(tx, &evidence.handed_by)?, ..evidence.clone() };
    let judge = Decider {
        person: &person,
        organisation: is_own_officer(env, permit.scope(), &owner).then_some(&owner.id),
    };
    may_decide(&counting, &owner.id, &judge, &decided)?;
    let enough = decided.len() + 1 >= Evidence::decisions_needed(Some(found.level));
    let state = match decision {
        Decision::Accept if enough => EvidenceState::Accepted,
        Decision::Accept => EvidenceState::Handed,
        Decision::More => EvidenceState::MoreNeeded,
        Decision::Refuse => EvidenceState::Refused,
    };
    let reason = tenkoku_domain::name::plain_text(reason)?;
    let organisation = owner.id;
    let event = LifeEvent::EvidenceDecided {
        evidence: evidence.clone(),
        organisation: organisation.clone(),
        person,
        decision,
        reason,
        state,
    };
    tx.record(permit.origin(), now, &Event::Life(event))?;
    if state == EvidenceState::Accepted {
        let at = evidence.destroyed_at();
        let event =
            LifeEvent::Destroyed { key: found.key, organisation, class: evidence.class, at };
        tx.record(permit.origin(), now, &Event::Life(event))?;
    }
    Ok(state)
}

/// Whether an officer is of the organisation whose key it is: one whose scope names it, or one of
/// the operator where the operator seals for itself.
fn is_own_officer(env: &Env, scope: &Scope, owner: &Organisation) -> bool {
    match scope {
        Scope::Platform | Scope::Authorities(_) => {
            env.settings.operator.identifier == owner.identifier
        }
        Scope::Within { .. } => true,
    }
}

/// A container is gone without evidence: the certificate is revoked, the claim stays, and the key
/// is shown as not evidenced for ever (DOMAIN 6.5).
pub fn declare_lost(
    env: &Env,
    permit: &Permit<ManageKeys>,
    key: &KeyId,
    comment: &str,
) -> Result<(), LifeError> {
    let now = env.clock.now();
    let seen = env.store.read(|tx| load_seal_key(tx, permit.scope(), key))?;
    let lost = env.store.write(|tx| {
        let found = load_seal_key(tx, permit.scope(), key)?;
        if matches!(found.key.state, KeyState::Destroyed | KeyState::Lost) {
            return Err(LifeError::from(
                Refusal::new(RefusalCode::StateConflict, "6.5").with("state", found.key.state),
            ));
        }
        let comment = crate::revoke::checked_comment(comment)?;
        let organisation = found.seal.organisation.clone();
        revoke_if_live(tx, permit.origin(), &found, (Cause::KeyExposed, None), now)?;
        let event = LifeEvent::Lost { key: found.key.clone(), organisation, comment };
        tx.record(permit.origin(), now, &Event::Life(event))?;
        Ok(())
    });
    let act = (AuditCode::KeyLost, ObjectRef::new("key", key));
    told(env, permit.origin(), act, Some(seen.seal.organisation), lost)
}

/// Revokes the certificate of a key where that is still possible; whether it was.
pub(crate) fn revoke_if_live(
    tx: &mut Tx<'_>,
    origin: &tenkoku_domain::access::Origin,
    found: &SealKey,
    (cause, invalid_since): (Cause, Option<Timestamp>),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let certificate = tx.lock_certificate(&Scope::Platform, &found.certificate.id)?;
    let order = RevocationOrder { cause, invalid_since, comment: String::new() };
    let Ok(revocation) = revocation::revoke(&certificate, &order, now) else {
        return Ok(false);
    };
    let comment = String::new();
    let event = Event::CertificateRevoked { certificate, revocation, comment };
    tx.record(origin, now, &event)?;
    Ok(true)
}

/// What a report of a seal with a proven time came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeenAs {
    /// Nothing contradicts it.
    Fine,
    /// The key no longer sealed at that time: a copy is suspected (DOMAIN 8.6).
    CopySuspected,
    /// The key was destroyed at that time: an incident of the highest class (DE-5).
    AfterDestruction,
}

/// Takes a report that a seal of a certificate has a proven time. A seal later than the key's
/// destruction revokes the certificate from the day of destruction on (DE-5).
pub fn report_seal_seen(
    env: &Env,
    permit: &Permit<Revoke>,
    (authority, serial): (&AuthorityId, &Serial),
    seen: Timestamp,
) -> Result<SeenAs, LifeError> {
    let now = env.clock.now();
    env.store.write(|tx| {
        let certificate = tx
            .find_certificate(permit.scope(), authority, serial)?
            .ok_or(StoreError::NotFound { what: "certificate" })?;
        let found = load_seal_key(tx, permit.scope(), &certificate.key)?;
        let organisation = found.seal.organisation.clone();
        if is_contradicted(found.life.destroyed_at, seen) {
            let destroyed = found.life.destroyed_at.unwrap_or(seen);
            let since = (Cause::KeyExposed, Some(destroyed));
            let event = LifeEvent::SeenAfterDestruction { certificate, destroyed, seen };
            tx.record(permit.origin(), now, &Event::Life(event))?;
            revoke_if_live(tx, permit.origin(), &found, since, now)?;
            return Ok(SeenAs::AfterDestruction);
        }
        let held = match &certificate.state {
            CertificateState::Suspended(hold) => Some(hold.at),
            CertificateState::Pending
            | CertificateState::Issued
            | CertificateState::Held(_)
            | CertificateState::Active
            | CertificateState::Retired
            | CertificateState::Revoked(_) => None,
        };
        let ended = found.life.retired_at.or(held);
        if ended.is_none_or(|end| seen <= end) {
            return Ok(SeenAs::Fine);
        }
        let signal = "late-seal".to_owned();
        let event = LifeEvent::CopySuspected { key: found.key, organisation, signal };
        tx.record(permit.origin(), now, &Event::Life(event))?;
        Ok(SeenAs::CopySuspected)
    })
}

/// DE-6: what the public is told about a destroyed key. `None` for every other key.
pub fn destruction_note(
    env: &Env,
    fingerprint: &Fingerprint,
) -> Result<Option<DestructionNote>, StoreError> {
    env.store.read(|tx| note_of(tx, fingerprint))
}

/// The same inside a transaction of the caller's.
pub fn note_of(
    tx: &mut Tx<'_>,
    fingerprint: &Fingerprint,
) -> Result<Option<DestructionNote>, StoreError> {
    let Some(key) = tx.find_key_by_fingerprint(fingerprint)? else { return Ok(None) };
    let life = tx.load_key_life(&key.id)?;
    Ok(life.class.zip(life.destroyed_at).map(|(class, at)| DestructionNote {
        fingerprint: key.fingerprint,
        class,
        date: at.to_date(),
    }))
}

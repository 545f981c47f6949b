//! Incidents over keys: opened where a key is met in a second hand, decided by a person
//! (DOMAIN 8.3).

use tenkoku_domain::access::{DecideEvidence, Origin, Permit, Scope};
use tenkoku_domain::application::Application;
use tenkoku_domain::audit::{AuditCode, Event, IdentityEvent, ObjectRef};
use tenkoku_domain::certificate::Certificate;
use tenkoku_domain::id::{BranchId, IncidentId, OrganisationId};
use tenkoku_domain::incident::{Incident, IncidentClosing, IncidentDecision, IncidentKind};
use tenkoku_domain::key::Fingerprint;
use tenkoku_domain::policy::HitEffect;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::revocation::{self, Cause, RevocationOrder};
use tenkoku_domain::suspension::HoldCause;
use tenkoku_domain::time::Timestamp;
use tenkoku_keys::KeyError;
use tenkoku_ports::{Attempt, Env};
use tenkoku_store::{StoreError, Tx};

use crate::revoke::checked_comment;
use crate::suspend::{SuspendError, release_within, suspend_within};

/// What was met, by whom, and whose it was before.
pub(crate) struct Met<'a> {
    pub(crate) kind: IncidentKind,
    pub(crate) fingerprint: Fingerprint,
    /// The application that met it; none where a list or a feed did.
    pub(crate) application: Option<&'a Application>,
    /// The first holder, where it is an instance of a seal.
    pub(crate) holder: Option<(OrganisationId, BranchId)>,
    /// The live certificates over the key, from [`lock_live`].
    pub(crate) held: Vec<Certificate>,
}

/// The live certificates over a key, locked. Rows of objects are locked before the audit chain, so
/// this comes before anything is recorded.
pub(crate) fn lock_live(
    tx: &mut Tx<'_>,
    fingerprint: &Fingerprint,
) -> Result<Vec<Certificate>, StoreError> {
    let live = tx.list_live_certificates_of_key(fingerprint)?;
    live.iter().map(|one| tx.lock_certificate(&Scope::Platform, &one.id)).collect()
}

/// Opens an incident; while one is open for the key, the hit belongs to that one. Its records come
/// after those of the refusal, in one transaction. What rests on a blocked or published key is
/// revoked at every hit (KM-5).
pub(crate) fn open_incident(
    env: &Env,
    tx: &mut Tx<'_>,
    origin: &Origin,
    now: Timestamp,
    met: Met<'_>,
) -> Result<(), StoreError> {
    let comment = "met on a list of blocked or published keys";
    let is_blocked = met.kind == IncidentKind::BlockedKey;
    if tx.find_open_incident(&met.fingerprint)?.is_some() {
        return if is_blocked { revoke_held(tx, origin, &met.held, comment, now) } else { Ok(()) };
    }
    let mut organisations: Vec<_> =
        met.application.iter().map(|application| application.organisation.clone()).collect();
    organisations.extend(met.holder.iter().map(|(organisation, _)| organisation.clone()));
    organisations.dedup();
    let incident = Incident {
        id: IncidentId::new(now, &*env.entropy),
        kind: met.kind,
        fingerprint: met.fingerprint,
        application: met.application.map(|application| application.id.clone()),
        certificates: met.held.iter().map(|certificate| certificate.id.clone()).collect(),
        told: told(&met, &organisations),
        organisations,
        opened_at: now,
        closed: None,
    };
    tx.record(origin, now, &Event::Identity(IdentityEvent::IncidentOpened { incident }))?;
    if is_blocked {
        return revoke_held(tx, origin, &met.held, comment, now);
    }
    suspend_held(tx, origin, now, &met)
}

/// DOMAIN 8.3: the key is exposed, so everything on it is. Certificates of authorities and their
/// signers end by a ceremony (KM-19).
fn revoke_held(
    tx: &mut Tx<'_>,
    origin: &Origin,
    held: &[Certificate],
    comment: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    for certificate in held {
        let comment = comment.to_owned();
        let order = RevocationOrder {
            cause: Cause::KeyExposed,
            invalid_since: None,
            comment: comment.clone(),
        };
        if let Ok(revocation) = revocation::revoke(certificate, &order, now) {
            let certificate = certificate.clone();
            let event = Event::CertificateRevoked { certificate, revocation, comment };
            tx.record(origin, now, &event)?;
        }
    }
    Ok(())
}

/// DOMAIN 8.3: while two strangers hold one key, its seals are on hold, if the policy says so. A
/// sibling's mistake puts nothing on hold.
fn suspend_held(
    tx: &mut Tx<'_>,
    origin: &Origin,
    now: Timestamp,
    met: &Met<'_>,
) -> Result<(), StoreError> {
    match (met.kind, tx.current_policy(now)?.uniqueness.on_hit_other_holder) {
        (
            IncidentKind::SiblingKey | IncidentKind::BlockedKey | IncidentKind::WrongAttributes,
            _,
        )
        | (_, HitEffect::Investigate) => return Ok(()),
        (IncidentKind::ForeignKey | IncidentKind::FeedKey, HitEffect::SuspendAndInvestigate) => {}
    }
    for certificate in &met.held {
        let order = (HoldCause::DuplicateKey, "");
        match suspend_within(tx, origin, &certificate.id, order, now) {
            // What is not active any more cannot be put on hold, and needs not.
            Ok(_) | Err(SuspendError::Refused(_)) => {}
            Err(SuspendError::Store(error)) => return Err(error),
        }
    }
    Ok(())
}

/// DOMAIN 8.3, 19: both custodians and the administrators of the organisations; where two holders
/// are strangers to each other, the platform's officers too.
fn told(met: &Met<'_>, organisations: &[OrganisationId]) -> Vec<String> {
    let mut told = Vec::new();
    if let Some(application) = met.application {
        told.push(format!("custodian/{}", application.branch));
    }
    if let Some((_, branch)) = &met.holder {
        told.push(format!("custodian/{branch}"));
    }
    told.extend(organisations.iter().map(|id| format!("organisation-administrator/{id}")));
    match met.kind {
        IncidentKind::SiblingKey => {}
        // It is about the platform's own device.
        IncidentKind::WrongAttributes => return vec!["ca-officer".to_owned()],
        IncidentKind::ForeignKey | IncidentKind::FeedKey | IncidentKind::BlockedKey => {
            told.extend(["registration-officer".to_owned(), "ca-officer".to_owned()]);
        }
    }
    told
}

/// KM-10: a key that the platform ordered from its key store is not held as it must be. It is gone
/// when this returns; the refusal is recorded, and an incident is opened over the device. Gives the
/// refusal; `None` for what merely went wrong.
pub(crate) fn refuse_misheld(
    env: &Env,
    origin: &Origin,
    error: &KeyError,
    application: Option<&Application>,
) -> Result<Option<Refusal>, StoreError> {
    let (KeyError::Attributes { id, fingerprint, .. }, Some(refusal)) = (error, error.refusal())
    else {
        return Ok(None);
    };
    // The store takes it away itself; what it left behind goes now. Nothing rests on it, and no
    // record names it: a store that keeps it all the same keeps a key that signs nothing.
    if env.keys.search(id).is_ok_and(|sighting| !sighting.found.is_empty()) {
        let _: Result<_, KeyError> = env.keys.destroy(id);
    }
    let now = env.clock.now();
    env.store.write(|tx| {
        let object = match application {
            Some(application) => ObjectRef::new("application", &application.id),
            None => ObjectRef::new("key", id),
        };
        let refused = Event::Refused {
            code: AuditCode::KeyOrdered,
            object,
            organisation: application.map(|application| application.organisation.clone()),
            policy: application.map(|application| application.policy),
            refusal: refusal.clone(),
        };
        tx.record(origin, now, &refused)?;
        let (kind, fingerprint) = (IncidentKind::WrongAttributes, *fingerprint);
        let met = Met { kind, fingerprint, application, holder: None, held: Vec::new() };
        open_incident(env, tx, origin, now, met)
    })?;
    Ok(Some(refusal))
}

/// How an incident is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseOrder {
    /// The incident.
    pub incident: IncidentId,
    /// The decision.
    pub decision: IncidentDecision,
    /// Why, in the words of whoever decides.
    pub reason: String,
}

/// Why an incident was not decided.
#[derive(Debug, thiserror::Error)]
pub enum CloseError {
    /// A rule refuses it; the refusal is in the audit trail.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store did not answer, or holds no such incident.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Decides an incident, once, and carries the decision out: what is exposed is revoked and its key
/// blocked for ever, what is explained is released from the hold of the incident.
pub fn close_incident(
    env: &Env,
    permit: &Permit<DecideEvidence>,
    order: &CloseOrder,
) -> Result<Incident, CloseError> {
    let now = env.clock.now();
    let decided = env.store.write(|tx| {
        if *permit.scope() != Scope::Platform {
            return Err(StoreError::NotFound { what: "incident" }.into());
        }
        let incident = tx.lock_incident(&order.incident)?;
        let held = lock_live(tx, &incident.fingerprint)?;
        let reason = checked_reason(&order.reason)?;
        let closing = IncidentClosing { decision: order.decision, reason, at: now };
        let incident = incident.close(closing)?;
        let closed = IdentityEvent::IncidentClosed { incident: incident.clone() };
        tx.record(permit.origin(), now, &Event::Identity(closed))?;
        carry_out(tx, permit.origin(), order.decision, &held, now)?;
        Ok::<_, CloseError>(incident)
    });
    match decided {
        Err(CloseError::Refused(refusal)) => {
            let attempt = Attempt {
                code: AuditCode::KeyCopySuspected,
                object: ObjectRef::new("incident", &order.incident),
                organisation: None,
                policy: None,
            };
            Err(env.refuse(permit.origin(), now, attempt, refusal)?.into())
        }
        other => other,
    }
}

/// A decision needs its reason.
fn checked_reason(reason: &str) -> Result<String, Refusal> {
    let reason = checked_comment(reason)?;
    if reason.is_empty() {
        return Err(Refusal::new(RefusalCode::NameInvalid, "4.4").with("problem", "empty"));
    }
    Ok(reason)
}

fn carry_out(
    tx: &mut Tx<'_>,
    origin: &Origin,
    decision: IncidentDecision,
    held: &[Certificate],
    now: Timestamp,
) -> Result<(), StoreError> {
    match decision {
        IncidentDecision::KeyExposed => {
            revoke_held(tx, origin, held, "decided in an incident", now)
        }
        IncidentDecision::NoCopy | IncidentDecision::Mistake => {
            for certificate in held {
                match release_within(tx, origin, certificate, HoldCause::DuplicateKey, now) {
                    // A hold that reached its limit is lifted by nobody (RV-1).
                    Ok(()) | Err(SuspendError::Refused(_)) => {}
                    Err(SuspendError::Store(error)) => return Err(error),
                }
            }
            Ok(())
        }
    }
}

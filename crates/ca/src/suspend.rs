//! Suspends a certificate and ends suspensions: lifted, extended once by two officers, or made
//! final at the limit (RV-1). Status services tell each change from the same transaction on.

use std::collections::BTreeSet;

use serde_json::json;
use tenkoku_domain::access::{DecideEvidence, OperateAuthority, Origin, Permit, Revoke, Scope};
use tenkoku_domain::approval::{Approvable, ApprovalRequest, ApprovalState, Step, needs};
use tenkoku_domain::audit::{AuditCode, DelegationEvent, Event, LifeEvent, ObjectRef};
use tenkoku_domain::certificate::{Certificate, CertificateState, Serial};
use tenkoku_domain::grant::GrantAction;
use tenkoku_domain::id::{ApprovalId, AuthorityId, CertificateId, UserId};
use tenkoku_domain::level::Level;
use tenkoku_domain::person::Party;
use tenkoku_domain::policy::Installation;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::suspension::{self, HoldCause, Suspension};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::{Attempt, Env};
use tenkoku_store::{StoreError, Tx};

use crate::act::{ActError, told};
use crate::approval::{Opening, Ruling, is_of_organisation, open, rule};
use crate::policy::{counted, person};
use crate::progress::seal_within_grant;
use crate::revoke::checked_comment;

/// What is to be put on hold, and why. A certificate is named by authority and serial (AB-1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuspendOrder {
    /// The issuing authority.
    pub authority: AuthorityId,
    /// The serial number.
    pub serial: Serial,
    /// Why.
    pub because: HoldCause,
    /// The requester's words; may be empty, at most 500 characters.
    pub comment: String,
}

/// Which hold is to be ended or extended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldOrder {
    /// The issuing authority.
    pub authority: AuthorityId,
    /// The serial number.
    pub serial: Serial,
    /// The officer's words; may be empty, at most 500 characters.
    pub comment: String,
}

/// Why a hold was not changed.
#[derive(Debug, thiserror::Error)]
pub enum SuspendError {
    /// A rule refuses it; the refusal is in the audit trail.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store did not answer, or holds no such certificate within the permit's scope.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Puts a certificate on hold and gives it back as it is now.
pub fn suspend_certificate(
    env: &Env,
    permit: &Permit<Revoke>,
    order: &SuspendOrder,
) -> Result<Certificate, SuspendError> {
    let now = env.clock.now();
    let mut found = None;
    let done = env.store.write(|tx| {
        let certificate = tx
            .find_certificate(permit.scope(), &order.authority, &order.serial)?
            .ok_or(StoreError::NotFound { what: "certificate" })?;
        found = Some(certificate.clone());
        let actor = &permit.origin().actor;
        seal_within_grant(env, tx, actor, &certificate, GrantAction::Suspend, now)??;
        let comment = checked_comment(&order.comment)?;
        suspend_within(tx, permit.origin(), &certificate.id, (order.because, &comment), now)
    });
    done.or_else(|error| {
        refused(env, permit.origin(), AuditCode::CertSuspended, found.as_ref(), error, now)
    })
}

/// The same inside a transaction of the caller's, whose permit must have covered the certificate: a
/// refusal is the caller's to record.
pub fn suspend_within(
    tx: &mut Tx<'_>,
    origin: &Origin,
    certificate: &CertificateId,
    (because, comment): (HoldCause, &str),
    now: Timestamp,
) -> Result<Certificate, SuspendError> {
    let certificate = tx.lock_certificate(&Scope::Platform, certificate)?;
    let suspension = suspension::suspend(&certificate, because, &origin.actor.id, now)?;
    let state = CertificateState::Suspended(suspension.told());
    let event = LifeEvent::Suspended {
        certificate: certificate.clone(),
        suspension,
        comment: comment.to_owned(),
    };
    tx.record(origin, now, &Event::Life(event))?;
    Ok(Certificate { state, ..certificate })
}

/// The kind of a request that is about the end of a hold; its object is the certificate.
pub const RELEASE: &str = "release";

/// What became of the wish to lift a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Release {
    /// It is lifted; the certificate as it is now.
    Lifted(Box<Certificate>),
    /// Officers must approve it first.
    Waits(Box<ApprovalRequest>),
}

/// Asks that a hold be lifted before its limit: an officer, or a delegate whose grant says so
/// (DOMAIN 15). Officers approve it, one or, at level 3, two, none of whom asked for it, put the
/// certificate on hold for a suspicion, or is of the organisation (DOMAIN 17). Who asks twice gets
/// the request that is open. Nobody else is asked in an evaluation: the hold is lifted at once.
pub fn release_certificate(
    env: &Env,
    permit: &Permit<Revoke>,
    order: &HoldOrder,
) -> Result<Release, SuspendError> {
    let now = env.clock.now();
    let (origin, scope) = (permit.origin(), permit.scope());
    on_hold(env, (origin, scope), order, AuditCode::CertReleased, |tx, certificate, hold| {
        seal_within_grant(env, tx, &origin.actor, &certificate, GrantAction::Release, now)??;
        let comment = checked_comment(&order.comment)?;
        hold.release(&certificate, now)?;
        let Some(seal) = &certificate.seal else {
            return Err(StoreError::NotFound { what: "certificate" }.into());
        };
        if env.settings.installation == Installation::Evaluation {
            let lifted = lift(tx, origin, certificate, comment, now)?;
            return Ok(Release::Lifted(Box::new(lifted)));
        }
        let object = ObjectRef::new(RELEASE, &certificate.id);
        let known = tx.find_approval_request(&object)?;
        if let Some(known) =
            known.filter(|one| one.state == ApprovalState::Open && now <= one.expires_at())
        {
            return Ok(Release::Waits(Box::new(known)));
        }
        let level = tx.find_instance(&seal.instance)?.map_or(Level::Three, |(_, level, _)| level);
        let mut askers = BTreeSet::from([tx.party(&origin.actor)?]);
        if hold.because.is_suspicion() {
            askers.extend(suspender(tx, &hold)?);
        }
        let opening = Opening {
            object,
            organisation: Some(seal.organisation.clone()),
            shown: json!({
                "v": 1,
                "authority": certificate.authority,
                "serial": certificate.serial,
                "holder": certificate.common_name,
                "because": hold.because,
                "from": hold.from.to_string(),
                "until": hold.until.to_string(),
                "comment": comment,
            }),
            askers,
            needs: needs(Approvable::Release(level)),
        };
        let request = open(&*env.entropy, opening, now)
            .map_err(|error| StoreError::Database(Box::new(error)))?;
        let request = Box::new(request);
        let event = DelegationEvent::ReleaseAsked {
            certificate: Box::new(certificate),
            request: request.clone(),
            comment,
        };
        tx.record(origin, now, &Event::Delegation(event))?;
        Ok(Release::Waits(request))
    })
}

/// Who put a certificate on hold, as a person; the platform itself is nobody.
fn suspender(tx: &mut Tx<'_>, hold: &Suspension) -> Result<Option<Party>, StoreError> {
    match UserId::parse(&hold.by) {
        Ok(user) => Ok(Some(Party::Person(tx.load_account(&user)?.person))),
        Err(_) => Ok(None),
    }
}

/// An officer's decision about the end of a hold; the last approval that is needed lifts it. Gives
/// the request as it is then.
pub fn decide_release(
    env: &Env,
    permit: &Permit<DecideEvidence>,
    id: &ApprovalId,
    ruling: &Ruling,
) -> Result<ApprovalRequest, ActError> {
    let now = env.clock.now();
    let origin = permit.origin();
    let seen = env.store.read(|tx| tx.load_approval_request(permit.scope(), id))?;
    let done = env.store.write(|tx| {
        let request = tx.load_approval_request(permit.scope(), id)?;
        let none = || StoreError::NotFound { what: "approval request" };
        let Some(organisation) = request.organisation.clone() else { return Err(none().into()) };
        let certificate = CertificateId::parse(&request.object.id).map_err(|_| none())?;
        let party = tx.party(&origin.actor)?;
        let own = is_of_organisation(tx, &party, &organisation, now)?;
        let request = rule(tx, origin, request, (Step::Officer, own), ruling, now)?;
        if request.state == ApprovalState::Approved {
            let certificate = tx.lock_certificate(&Scope::Platform, &certificate)?;
            let hold = tx.find_suspension(&certificate.id)?;
            let hold = hold.ok_or_else(|| not_held(&certificate))?;
            hold.release(&certificate, now)?;
            lift(tx, origin, certificate, ruling.reason.trim().to_owned(), now)?;
        }
        Ok(request)
    });
    told(env, origin, (AuditCode::CertReleaseAsked, seen.object), seen.organisation, done)
}

fn lift(
    tx: &mut Tx<'_>,
    origin: &Origin,
    certificate: Certificate,
    comment: String,
    now: Timestamp,
) -> Result<Certificate, StoreError> {
    let event = LifeEvent::Released { certificate: certificate.clone(), comment };
    tx.record(origin, now, &Event::Life(event))?;
    Ok(Certificate { state: CertificateState::Active, ..certificate })
}

/// Lifts the hold that a certificate, locked by the caller, is on for one cause; without such a
/// hold nothing happens. A refusal is the caller's to record.
pub(crate) fn release_within(
    tx: &mut Tx<'_>,
    origin: &Origin,
    certificate: &Certificate,
    because: HoldCause,
    now: Timestamp,
) -> Result<(), SuspendError> {
    let hold = tx.find_suspension(&certificate.id)?;
    if let Some(hold) = hold.filter(|hold| hold.because == because) {
        hold.release(certificate, now)?;
        let (certificate, comment) = (certificate.clone(), String::new());
        tx.record(origin, now, &Event::Life(LifeEvent::Released { certificate, comment }))?;
    }
    Ok(())
}

/// Asks for the one extension of a hold, or, called by a second officer, grants it (RV-1).
pub fn extend_suspension(
    env: &Env,
    permit: &Permit<DecideEvidence>,
    order: &HoldOrder,
) -> Result<Suspension, SuspendError> {
    let now = env.clock.now();
    let who = (permit.origin(), permit.scope());
    on_hold(env, who, order, AuditCode::CertSuspended, |tx, certificate, hold| {
        // I-6: the second officer is another person, not another account.
        let officer = person(tx, &permit.origin().actor)?;
        let mut hold = hold;
        if let Some(first) = &mut hold.extension_asked_by {
            *first = counted(tx, first)?;
        }
        let suspension = hold.extend(&certificate, &officer, now)?;
        let event = LifeEvent::SuspensionExtended { certificate, suspension: suspension.clone() };
        tx.record(permit.origin(), now, &Event::Life(event))?;
        Ok(suspension)
    })
}

/// RV-1: holds that reached their limit are made final, dated from their beginning. Gives their
/// number; a second run finds none.
pub fn settle_suspensions(
    env: &Env,
    permit: &Permit<OperateAuthority>,
) -> Result<usize, StoreError> {
    let now = env.clock.now();
    let over = env.store.read(|tx| tx.list_suspensions_over(now))?;
    let mut settled = 0;
    for hold in over {
        settled += env.store.write(|tx| {
            let certificate = tx.lock_certificate(permit.scope(), &hold.certificate)?;
            if !matches!(certificate.state, CertificateState::Suspended(_)) {
                return Ok::<_, StoreError>(0);
            }
            let event = Event::CertificateRevoked {
                certificate,
                revocation: hold.made_final(),
                comment: format!("suspended since {}: {}", hold.from, hold.because),
            };
            tx.record(permit.origin(), now, &event)?;
            Ok(1)
        })?;
    }
    Ok(settled)
}

fn on_hold<T>(
    env: &Env,
    (origin, scope): (&Origin, &Scope),
    order: &HoldOrder,
    code: AuditCode,
    act: impl FnOnce(&mut Tx<'_>, Certificate, Suspension) -> Result<T, SuspendError>,
) -> Result<T, SuspendError> {
    let now = env.clock.now();
    let mut seen = None;
    let done = env.store.write(|tx| {
        let found = tx
            .find_certificate(scope, &order.authority, &order.serial)?
            .ok_or(StoreError::NotFound { what: "certificate" })?;
        let certificate = tx.lock_certificate(scope, &found.id)?;
        seen = Some(certificate.clone());
        let hold = tx.find_suspension(&certificate.id)?;
        let hold = hold.ok_or_else(|| not_held(&certificate))?;
        act(tx, certificate, hold)
    });
    done.or_else(|error| refused(env, origin, code, seen.as_ref(), error, now))
}

fn not_held(certificate: &Certificate) -> Refusal {
    Refusal::new(RefusalCode::StateConflict, "6.4")
        .with("serial", &certificate.serial)
        .with("state", certificate.state.word())
}

fn refused<T>(
    env: &Env,
    origin: &Origin,
    code: AuditCode,
    certificate: Option<&Certificate>,
    error: SuspendError,
    now: Timestamp,
) -> Result<T, SuspendError> {
    match (error, certificate) {
        (SuspendError::Refused(refusal), Some(certificate)) => {
            let attempt = Attempt {
                code,
                object: ObjectRef::new("certificate", &certificate.id),
                organisation: certificate.seal.as_ref().map(|seal| seal.organisation.clone()),
                policy: Some(certificate.policy),
            };
            Err(env.refuse(origin, now, attempt, refusal)?.into())
        }
        (error, _) => Err(error),
    }
}

//! Applies for a credential: the request is read, possession shown, the key checked and claimed
//! for ever, and what will be certified is fixed by its digest.

use tenkoku_domain::access::{Apply, Permit};
use tenkoku_domain::application::{Application, ApplicationState, application_digest};
use tenkoku_domain::audit::{AuditCode, Event, ObjectRef};
use tenkoku_domain::branch::Branch;
use tenkoku_domain::canonical::{CanonicalError, Digest};
use tenkoku_domain::id::{ApplicationId, BranchId, InstanceId, KeyId};
use tenkoku_domain::key::{Key, KeyHolder, KeyRole, KeyState, OriginClass};
use tenkoku_domain::level::Level;
use tenkoku_domain::organisation::Organisation;
use tenkoku_domain::policy::KeyPolicy;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::subject::SealSubject;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::csr::{CsrError, Request};
use tenkoku_pki::oid;
use tenkoku_ports::{Attempt, Env};
use tenkoku_store::{StoreError, Tx};

use crate::policy::policy_of_level;

/// What is applied for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplyOrder {
    /// The branch office.
    pub branch: BranchId,
    /// The level of the seal.
    pub level: Level,
    /// Validity in days; the policy's maximum where none is asked for.
    pub validity_days: Option<i64>,
    /// The certification request (PKCS #10), PEM or DER.
    pub request: Vec<u8>,
}

/// Why an application was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A rule refuses it; the refusal is in the audit trail.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The application has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// The store did not answer, or holds no such branch within the permit's scope.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes an application and finds it ready to be issued.
///
/// Handing in the same request for the same branch and level again gives the application that is
/// already there. A key that is known in any other way is refused (KM-6), in parallel too: the
/// fingerprint is claimed under a unique constraint in the transaction that records the
/// application.
pub fn apply_for_seal(
    env: &Env,
    permit: &Permit<Apply>,
    order: &ApplyOrder,
) -> Result<Application, ApplyError> {
    let now = env.clock.now();
    let refuse = |code, branch: Option<&Branch>, refusal: Refusal| {
        let attempt = Attempt {
            code,
            object: ObjectRef::new("branch", &order.branch),
            organisation: branch.map(|branch| branch.organisation.clone()),
            policy: None,
        };
        env.refuse(permit.origin(), now, attempt, refusal)
    };
    let branch = env.store.read(|tx| tx.load_branch(permit.scope(), &order.branch))?;
    let request = match Request::parse(&order.request) {
        Ok(request) => request,
        Err(error) => {
            return Err(refuse(audit_code(&error), Some(&branch), error.refusal())?.into());
        }
    };
    let taken = env.store.write(|tx| submit(env, tx, permit, order, &request, now));
    let refusal = match taken {
        Ok(application) => return Ok(application),
        // Another application with this key committed first: the answer is that of KM-6.
        Err(ApplyError::Store(StoreError::Conflict { .. })) => {
            match env.store.read(|tx| known_key(tx, permit, order, &request)) {
                Ok(Some(application)) => return Ok(application),
                Ok(None) => return Err(StoreError::Busy.into()),
                Err(ApplyError::Refused(refusal)) => refusal,
                Err(other) => return Err(other),
            }
        }
        Err(ApplyError::Refused(refusal)) => refusal,
        Err(other) => return Err(other),
    };
    let known = [RefusalCode::KeyDuplicate, RefusalCode::KeyReuse];
    let unfit = [RefusalCode::KeyAlgorithm, RefusalCode::KeyParameters];
    let code = if known.contains(&refusal.code) {
        AuditCode::KeyDuplicate
    } else if unfit.contains(&refusal.code) {
        AuditCode::KeyPresented
    } else if refusal.code == RefusalCode::KeyWeak {
        AuditCode::KeyWeak
    } else if refusal.code == RefusalCode::KeyBlocked {
        AuditCode::KeyBlocked
    } else {
        AuditCode::AppSubmitted
    };
    Err(refuse(code, Some(&branch), refusal)?.into())
}

fn audit_code(error: &CsrError) -> AuditCode {
    match error {
        CsrError::Key(_) => AuditCode::KeyPresented,
        CsrError::TooLarge
        | CsrError::Pem(_)
        | CsrError::Structure(_)
        | CsrError::Version
        | CsrError::Algorithm(_)
        | CsrError::Signature => AuditCode::KeyPopFailed,
    }
}

/// Everything that must hold at submission, and again at issue (DOMAIN 6.3).
pub(crate) fn check_submission(
    policy: &KeyPolicy,
    organisation: &Organisation,
    branch: &Branch,
    level: Level,
    key: (tenkoku_domain::key::KeyAlgorithm, OriginClass),
    validity_days: i64,
    now: Timestamp,
) -> Result<(), Refusal> {
    organisation.may_apply()?;
    branch.may_apply()?;
    policy.check_algorithm(level, key.0, now)?;
    policy.check_origin(level, key.1)?;
    policy.check_validity(level, validity_days)
}

/// KM-14: the branch's seal has room for another live instance. Asked at issue too, because any
/// number of applications may wait.
pub(crate) fn check_instances(
    tx: &mut Tx<'_>,
    policy: &KeyPolicy,
    branch: &Branch,
    level: Level,
    now: Timestamp,
) -> Result<Result<(), Refusal>, StoreError> {
    let live = tx.count_live_instances(&branch.id, level, now)?;
    Ok(policy.check_instances(live))
}

fn submit(
    env: &Env,
    tx: &mut Tx<'_>,
    permit: &Permit<Apply>,
    order: &ApplyOrder,
    request: &Request,
    now: Timestamp,
) -> Result<Application, ApplyError> {
    if let Some(earlier) = known_key(tx, permit, order, request)? {
        return Ok(earlier);
    }
    let branch = tx.load_branch(permit.scope(), &order.branch)?;
    let organisation = tx.load_organisation(permit.scope(), &branch.organisation)?;
    let policy = policy_of_level(tx, order.level, now)?;
    let validity_days =
        order.validity_days.unwrap_or_else(|| policy.level(order.level).validity_days);
    let public = request.key();
    let origin = OriginClass::K0;
    let key = (public.algorithm(), origin);
    crate::weak::check_key(tx, &policy, public.presented())??;
    check_submission(&policy, &organisation, &branch, order.level, key, validity_days, now)?;
    env.settings.installation.check_proofing(order.level)?;
    check_asked_subject(request, &organisation)?;
    check_instances(tx, &policy, &branch, order.level, now)??;
    let instance = InstanceId::new(now, &*env.entropy);
    let number = tx.next_instance_number(&branch.id, order.level)?;
    let subject = SealSubject::of(&organisation, &branch, number)?;
    let digest = policy.digest()?;
    let key = Key {
        id: KeyId::new(now, &*env.entropy),
        role: KeyRole::Seal,
        holder: KeyHolder::Instance(instance.clone()),
        algorithm: public.algorithm(),
        fingerprint: public.fingerprint(),
        public_key: public.spki_der().to_vec(),
        origin,
        state: KeyState::Proven,
        created_at: now,
    };
    let application = Application {
        id: ApplicationId::new(now, &*env.entropy),
        organisation: organisation.id.clone(),
        branch: branch.id.clone(),
        level: order.level,
        instance,
        instance_number: number,
        validity_days,
        key: key.id.clone(),
        fingerprint: key.fingerprint,
        request: request.der().to_vec(),
        policy: digest,
        digest: decided(&subject, order.level, &key, validity_days, &digest)?,
        applicant: permit.origin().actor.clone(),
        state: ApplicationState::Ready,
        certificate: None,
        created_at: now,
    };
    let claimed = Event::KeyClaimed { key, organisation: organisation.id };
    tx.record(permit.origin(), now, &claimed)?;
    let submitted = Event::ApplicationSubmitted { application: application.clone() };
    tx.record(permit.origin(), now, &submitted)?;
    Ok(application)
}

fn decided(
    subject: &SealSubject,
    level: Level,
    key: &Key,
    validity_days: i64,
    policy: &Digest,
) -> Result<Digest, CanonicalError> {
    application_digest(subject, level, &key.fingerprint, validity_days, policy)
}

/// The subject in a request is compared, never copied (DOMAIN 12.1): an organizationIdentifier in
/// it must be the organisation's.
fn check_asked_subject(request: &Request, organisation: &Organisation) -> Result<(), Refusal> {
    match request.subject().first(oid::ORGANISATION_IDENTIFIER) {
        Some(asked) if asked != organisation.identifier.as_str() => {
            Err(Refusal::new(RefusalCode::IdentifierMismatch, "12.1")
                .with("asked", asked)
                .with("identifier", &organisation.identifier))
        }
        Some(_) | None => Ok(()),
    }
}

/// KM-6, DOMAIN 8.3: what is known about the key. `Ok(None)` for a new key, the application for a
/// retry, a refusal for everything else. A holder outside the permit's scope is never named.
fn known_key(
    tx: &mut Tx<'_>,
    permit: &Permit<Apply>,
    order: &ApplyOrder,
    request: &Request,
) -> Result<Option<Application>, ApplyError> {
    let Some(key) = tx.find_key_by_fingerprint(&request.key().fingerprint())? else {
        return Ok(None);
    };
    let duplicate = Refusal::new(RefusalCode::KeyDuplicate, "KM-6");
    let Some(holder) = tx.find_application_by_key(&key.id)? else {
        return Err(duplicate.with("holder", "other").into());
    };
    let same_place = holder.branch == order.branch && holder.level == order.level;
    let same_order = order.validity_days.is_none_or(|days| days == holder.validity_days);
    if same_place && same_order && holder.state == ApplicationState::Ready {
        return Ok(Some(holder));
    }
    if !permit.scope().covers(&holder.organisation, &holder.branch) {
        return Err(duplicate.with("holder", "other").into());
    }
    let branch = tx.load_branch(permit.scope(), &holder.branch)?;
    let named = if holder.branch == order.branch { "own-branch" } else { "branch" };
    Err(duplicate
        .with("holder", named)
        .with("branch", &branch.name)
        .with("code", &branch.code)
        .with("instance", holder.instance_number)
        .into())
}

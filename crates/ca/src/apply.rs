//! Applies for a credential: what will be certified is fixed by its digest, and the applicant gets
//! a challenge to show possession of a key with.
//!
//! Deliberately not here: the key. A request may be attached so that the applicant learns early
//! what is wrong with it, but it claims nothing; [`crate::prove`] does.

use tenkoku_domain::access::{Apply, Permit, Scope};
use tenkoku_domain::application::{
    Application, ApplicationState, SealTerm, Wishes, application_digest,
};
use tenkoku_domain::audit::{AuditCode, Event, IdentityEvent, ObjectRef};
use tenkoku_domain::branch::Branch;
use tenkoku_domain::canonical::CanonicalError;
use tenkoku_domain::challenge::Challenge;
use tenkoku_domain::id::{ApplicationId, BranchId, GrantId, InstanceId};
use tenkoku_domain::key::{KeyAlgorithm, OriginClass};
use tenkoku_domain::level::Level;
use tenkoku_domain::organisation::Organisation;
use tenkoku_domain::policy::{Installation, KeyPolicy};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::csr::{CsrError, PresentedRequest, Request};
use tenkoku_pki::oid;
use tenkoku_ports::{Attempt, Env};
use tenkoku_store::{StoreError, Tx};

use crate::act::ActError;
use crate::known::{Place, look_up};
use crate::policy::policy_of_level;
use crate::progress::{Wanted, advance, reserve_quota, stand};
use crate::rotate::check_successor;
use crate::wishes::{self, Whose};

/// What is applied for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplyOrder {
    /// The branch office.
    pub branch: BranchId,
    /// The level of the seal.
    pub level: Level,
    /// Validity in days; the policy's maximum where none is asked for.
    pub validity_days: Option<i64>,
    /// A certification request (PKCS #10), PEM or DER, for the early checks. It claims nothing;
    /// but where one is attached, possession is shown of its key and of no other.
    pub request: Option<Vec<u8>>,
    /// The instance that gets a successor key; a new instance where none is named.
    pub instance: Option<InstanceId>,
    /// What is asked for beyond the ordinary seal of the branch.
    pub wishes: Wishes,
}

/// An application that was taken. In an evaluation it waits for its key; otherwise for whatever it
/// needs first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The application.
    pub application: Application,
    /// What the key must sign, once the application waits for it.
    pub challenge: Challenge,
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

/// Takes an application. In production it stands on a grant of the applicant's that covers it, or
/// on the applicant's being a representative; it then goes as far as it can by itself.
pub fn apply_for_seal(
    env: &Env,
    permit: &Permit<Apply>,
    order: &ApplyOrder,
) -> Result<Applied, ApplyError> {
    apply(env, permit, order, None)
}

/// The same under a grant that is named: one of the applicant's, or, for the operator who enters
/// what a delegate handed in, any of the organisation's.
pub fn apply_under_grant(
    env: &Env,
    permit: &Permit<Apply>,
    order: &ApplyOrder,
    grant: &GrantId,
) -> Result<Applied, ApplyError> {
    apply(env, permit, order, Some(grant))
}

fn apply(
    env: &Env,
    permit: &Permit<Apply>,
    order: &ApplyOrder,
    grant: Option<&GrantId>,
) -> Result<Applied, ApplyError> {
    let now = env.clock.now();
    recorded(env, permit, &order.branch, |tx| submit(env, tx, permit, (order, grant), now))
}

/// Runs a submission for a branch in one transaction and records its refusal.
pub(crate) fn recorded<T>(
    env: &Env,
    permit: &Permit<Apply>,
    branch: &BranchId,
    submit: impl Fn(&mut Tx<'_>) -> Result<T, Taken>,
) -> Result<T, ApplyError> {
    let found = env.store.read(|tx| tx.load_branch(permit.scope(), branch))?;
    let taken = env.store.write(submit);
    taken.or_else(|error| {
        let Taken::Refused { code, refusal } = error else { return Err(error.into()) };
        let attempt = Attempt {
            code,
            object: ObjectRef::new("branch", branch),
            organisation: Some(found.organisation.clone()),
            policy: None,
        };
        Err(env.refuse(permit.origin(), env.clock.now(), attempt, refusal)?.into())
    })
}

/// Why nothing was taken, with the code under which a refusal is recorded.
pub(crate) enum Taken {
    Refused { code: AuditCode, refusal: Refusal },
    Other(ApplyError),
}

impl From<Refusal> for Taken {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { code: AuditCode::AppSubmitted, refusal }
    }
}

impl From<StoreError> for Taken {
    fn from(error: StoreError) -> Self {
        Self::Other(error.into())
    }
}

impl From<CanonicalError> for Taken {
    fn from(error: CanonicalError) -> Self {
        Self::Other(error.into())
    }
}

impl From<ActError> for Taken {
    fn from(error: ActError) -> Self {
        match error {
            ActError::Refused(refusal) => refusal.into(),
            ActError::Canonical(error) => error.into(),
            ActError::Store(error) => error.into(),
        }
    }
}

impl From<Taken> for ApplyError {
    fn from(taken: Taken) -> Self {
        match taken {
            Taken::Refused { refusal, .. } => refusal.into(),
            Taken::Other(error) => error,
        }
    }
}

/// Takes one application in the transaction of the caller.
pub(crate) fn submit(
    env: &Env,
    tx: &mut Tx<'_>,
    permit: &Permit<Apply>,
    (order, grant): (&ApplyOrder, Option<&GrantId>),
    now: Timestamp,
) -> Result<Applied, Taken> {
    // Instances of a branch are counted and numbered by one application at a time.
    let branch = tx.lock_branch(permit.scope(), &order.branch)?;
    let organisation = tx.load_organisation(permit.scope(), &branch.organisation)?;
    let policy = policy_of_level(tx, order.level, now)?;
    let most = match order.wishes.term {
        SealTerm::Regular => policy.level(order.level).validity_days,
        SealTerm::Short => 1,
    };
    let days = order.validity_days.unwrap_or(most);
    let request = match &order.request {
        Some(file) => Some(check_early(tx, permit.scope(), &policy, order, file, now)?),
        None => None,
    };
    check_submission(&policy, &organisation, &branch, order.level, days)?;
    let whose = Whose { organisation: &organisation, branch: &branch, level: order.level };
    wishes::check(env, tx, whose, (&order.wishes, days), now)??;
    if let Some(request) = &request {
        check_asked_subject(request, &organisation)?;
    }
    let (instance, number) = place(env, tx, &policy, &branch, order, now)?;
    let subject = wishes::subject(&organisation, &branch, number, &order.wishes)?;
    let wanted = Wanted {
        organisation: &organisation.id,
        branch: &branch,
        level: order.level,
        instance: &instance,
        application: None,
    };
    let actor = &permit.origin().actor;
    let grant = stand(env, tx, actor, &wanted, grant, now)?.grant()?;
    let digest = policy.digest()?;
    let application = Application {
        id: ApplicationId::new(now, &*env.entropy),
        organisation: organisation.id,
        branch: branch.id,
        level: order.level,
        instance,
        instance_number: number,
        validity_days: days,
        key: None,
        request: request.map(|request| request.der().to_vec()),
        policy: digest,
        digest: application_digest(
            &subject,
            order.level,
            days,
            &digest,
            (grant.as_ref(), &order.wishes),
        )?,
        grant,
        applicant: actor.clone(),
        state: match env.settings.installation {
            Installation::Evaluation => ApplicationState::KeyProof,
            Installation::Production => ApplicationState::Submitted,
        },
        certificate: None,
        created_at: now,
        changed_at: now,
        wishes: order.wishes.clone(),
    };
    let id = application.id.clone();
    let challenge =
        Challenge::new(id, now, policy.possession.fresh_challenge_minutes, &*env.entropy);
    let opened = IdentityEvent::ApplicationOpened {
        application: application.clone(),
        challenge: challenge.clone(),
    };
    tx.record(permit.origin(), now, &Event::Identity(opened))?;
    reserve_quota(tx, permit.origin(), &application, now)?;
    let application = advance(env, tx, permit.origin(), application, now)?;
    Ok(Applied { application, challenge })
}

/// The instance that the application is for, and its number.
fn place(
    env: &Env,
    tx: &mut Tx<'_>,
    policy: &KeyPolicy,
    branch: &Branch,
    order: &ApplyOrder,
    now: Timestamp,
) -> Result<(InstanceId, i32), Taken> {
    let Some(id) = &order.instance else {
        check_instances(tx, policy, branch, order.level, now)??;
        let number = tx.next_instance_number(&branch.id, order.level)?;
        return Ok((InstanceId::new(now, &*env.entropy), number));
    };
    match tx.find_instance(id)? {
        Some((of, level, number)) if of == branch.id && level == order.level => {
            check_successor(tx, id, now)??;
            Ok((id.clone(), number))
        }
        Some(_) | None => Err(StoreError::NotFound { what: "instance" }.into()),
    }
}

/// The checks of DOMAIN 6.3 that an attached request goes through: a known key under any label,
/// then the rules for keys, then the policy's list.
fn check_early(
    tx: &mut Tx<'_>,
    scope: &Scope,
    policy: &KeyPolicy,
    order: &ApplyOrder,
    file: &[u8],
    now: Timestamp,
) -> Result<Request, Taken> {
    let unreadable =
        |error: CsrError| Taken::Refused { code: csr_code(&error), refusal: error.refusal() };
    let presented = PresentedRequest::parse(file).map_err(unreadable)?;
    let place = Place { branch: &order.branch, instance: order.instance.as_ref() };
    if let Some(hit) = look_up(tx, scope, place, &presented.fingerprint(), now)? {
        return Err(Taken::Refused { code: hit.code(), refusal: hit.refusal });
    }
    let request = presented.accept().map_err(unreadable)?;
    crate::weak::check_key(tx, policy, request.key().presented())?
        .and_then(|()| policy.check_algorithm(order.level, request.key().algorithm(), now))
        .map_err(|refusal| Taken::Refused { code: key_code(&refusal), refusal })?;
    Ok(request)
}

/// The code under which the refusal of a key is recorded.
pub(crate) fn key_code(refusal: &Refusal) -> AuditCode {
    if refusal.code == RefusalCode::KeyWeak {
        AuditCode::KeyWeak
    } else if refusal.code == RefusalCode::KeyBlocked {
        AuditCode::KeyBlocked
    } else {
        AuditCode::KeyPresented
    }
}

pub(crate) fn csr_code(error: &CsrError) -> AuditCode {
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

/// Everything that must hold at submission whatever the key, and again at issue (DOMAIN 6.3).
pub(crate) fn check_submission(
    policy: &KeyPolicy,
    organisation: &Organisation,
    branch: &Branch,
    level: Level,
    validity_days: i64,
) -> Result<(), Refusal> {
    organisation.may_apply()?;
    branch.may_apply()?;
    policy.check_validity(level, validity_days)
}

/// Everything that must hold of the key when possession is shown, and again at issue.
pub(crate) fn check_key_rules(
    policy: &KeyPolicy,
    level: Level,
    (algorithm, origin): (KeyAlgorithm, OriginClass),
    now: Timestamp,
) -> Result<(), Refusal> {
    policy.check_algorithm(level, algorithm, now)?;
    policy.check_origin(level, origin)
}

/// KM-14: the branch's seal has room for another live instance. Asked at issue too, because any
/// number of applications may wait. The branch is locked by whoever asks.
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

/// The subject in a request is compared, never copied (DOMAIN 12.1): an organizationIdentifier in
/// it must be the organisation's.
pub(crate) fn check_asked_subject(
    request: &Request,
    organisation: &Organisation,
) -> Result<(), Refusal> {
    match request.subject().first(oid::ORGANISATION_IDENTIFIER) {
        Some(asked) if asked != organisation.identifier.as_str() => {
            Err(Refusal::new(RefusalCode::IdentifierMismatch, "12.1")
                .with("asked", asked)
                .with("identifier", &organisation.identifier))
        }
        Some(_) | None => Ok(()),
    }
}

//! Shows possession of an application's key over a fresh challenge: the fingerprint is claimed for
//! ever in the transaction that finds the application ready (DOMAIN 6.3, 8.4, KM-7).
//!
//! What is refused here may be an incident, because whoever answers the challenge holds the
//! private key.

use tenkoku_domain::access::{Apply, Permit};
use tenkoku_domain::application::{Application, ApplicationState, AppliedKey};
use tenkoku_domain::audit::{AuditCode, Event, IdentityEvent, ObjectRef};
use tenkoku_domain::canonical::CanonicalError;
use tenkoku_domain::challenge::Challenge;
use tenkoku_domain::id::{ApplicationId, KeyId};
use tenkoku_domain::key::{Fingerprint, Key, KeyHolder, KeyRole, KeyState, OriginClass};
use tenkoku_domain::policy::{KeyPolicy, PossessionMethod};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_keys::KeyError;
use tenkoku_pki::cms::{CmsError, DetachedSignature};
use tenkoku_pki::csr::{CsrError, PresentedRequest, Request};
use tenkoku_pki::key::{KeyError as PublicKeyError, PublicKey, SignatureError};
use tenkoku_ports::{Attempt, Env};
use tenkoku_store::{StoreError, Tx};

use crate::apply::{check_asked_subject, check_key_rules, check_submission, csr_code, key_code};
use crate::incident::{Met, lock_live, open_incident};
use crate::known::{Hit, Place, look_up};
use crate::origin::{Case, Exhibits, Made, WeighError, Weighed, weigh, weigh_made};
use crate::policy::policy_of_level;
use crate::progress::release_quota;

/// How possession is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A certification request (PKCS #10) whose challengePassword is the challenge; PEM or DER.
    Request(Vec<u8>),
    /// A detached CMS signature over the challenge; PEM or DER.
    Cms(Vec<u8>),
}

/// Why possession was not shown.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// A rule refuses it; the refusal is in the audit trail.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What is decided on has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// The key store did not make or use the key.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// What the key store made cannot be read back.
    #[error("a public key of the key store cannot be read: {0}")]
    PublicKey(#[from] PublicKeyError),
    /// What came back from the key store is no signature over the challenge.
    #[error("the key store's signature does not hold: {0}")]
    Signature(#[from] SignatureError),
    /// The store did not answer, or holds no such application within the permit's scope.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A key whose holder answered a challenge.
pub(crate) struct Shown {
    pub(crate) method: PossessionMethod,
    pub(crate) public: PublicKey,
    /// Where the platform made it.
    pub(crate) made: Option<Made>,
    /// The request that showed it, or none.
    pub(crate) request: Option<Request>,
}

/// Why a proof shows nothing: the refusal, and what it must be recorded as.
struct Fault {
    code: AuditCode,
    refusal: Refusal,
    hit: Option<Hit>,
}

impl Fault {
    fn of(code: AuditCode, refusal: Refusal) -> Self {
        Self { code, refusal, hit: None }
    }
}

/// What the transaction came to, if not to a ready application.
enum Outcome {
    Fault(Fault),
    Other(ProveError),
}

impl From<Fault> for Outcome {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<WeighError> for Outcome {
    fn from(error: WeighError) -> Self {
        match error {
            WeighError::Refused(refusal) => {
                let invalid = refusal.code == RefusalCode::AttestationInvalid;
                let code =
                    if invalid { AuditCode::KeyAttestationFailed } else { AuditCode::KeyPresented };
                Self::Fault(Fault::of(code, refusal))
            }
            WeighError::Canonical(error) => Self::Other(error.into()),
            WeighError::Store(error) => Self::Other(error.into()),
        }
    }
}

impl From<StoreError> for Outcome {
    fn from(error: StoreError) -> Self {
        Self::Other(error.into())
    }
}

/// Gives the challenge that an application's key must sign: the current one while it is fresh, a
/// new one after that. An earlier one is never accepted again.
pub fn request_challenge(
    env: &Env,
    permit: &Permit<Apply>,
    id: &ApplicationId,
) -> Result<Challenge, ProveError> {
    let now = env.clock.now();
    let given = env.store.write(|tx| {
        let application = tx.lock_application(permit.scope(), id)?;
        application.may_prove(now)?;
        let current = tx.current_challenge(id)?;
        if current.is_fresh(now) {
            return Ok(current);
        }
        let minutes =
            policy_of_level(tx, application.level, now)?.possession.fresh_challenge_minutes;
        let challenge = Challenge::new(id.clone(), now, minutes, &*env.entropy);
        let organisation = application.organisation;
        let issued = IdentityEvent::ChallengeIssued { challenge: challenge.clone(), organisation };
        tx.record(permit.origin(), now, &Event::Identity(issued))?;
        Ok(challenge)
    });
    match given {
        Err(ProveError::Refused(refusal)) => {
            let fault = Fault::of(AuditCode::AppChanged, refusal);
            Err(refuse(env, permit, id, fault, now)?.into())
        }
        other => other,
    }
}

/// Shows possession of the key of an application, which is then ready to be issued.
///
/// Handing in the proof again gives the application that is already ready. Of two applications
/// with one key one is ready and the other refused (KM-6), in parallel too: the fingerprint is
/// claimed under a unique constraint.
pub fn prove_possession(
    env: &Env,
    permit: &Permit<Apply>,
    id: &ApplicationId,
    proof: &Proof,
) -> Result<Application, ProveError> {
    prove_with_origin(env, permit, id, proof, Exhibits::default())
}

/// Shows possession, and where the key was made. The evidence is kept with the key; evidence that
/// can be verified and does not hold is refused (KM-9).
pub fn prove_with_origin(
    env: &Env,
    permit: &Permit<Apply>,
    id: &ApplicationId,
    proof: &Proof,
    exhibits: Exhibits,
) -> Result<Application, ProveError> {
    let now = env.clock.now();
    let challenge = env.store.read(|tx| {
        tx.load_application(permit.scope(), id)?;
        tx.current_challenge(id)
    })?;
    let answer = match proof {
        Proof::Request(file) => read_request(file),
        Proof::Cms(file) => read_cms(file, &challenge),
    };
    settle(env, permit, id, Answer { exhibits, ..answer }, now)
}

/// What a proof says before it is compared with the application: a key and the challenge that it
/// answers, or why it shows nothing. A key that is not accepted still has a fingerprint.
pub(crate) struct Answer {
    fingerprint: Option<Fingerprint>,
    answered: Option<String>,
    shown: Result<Shown, (AuditCode, Refusal)>,
    exhibits: Exhibits,
}

impl Answer {
    pub(crate) fn of(shown: Shown, challenge: &Challenge) -> Self {
        Self {
            fingerprint: Some(shown.public.fingerprint()),
            answered: Some(challenge.text.clone()),
            shown: Ok(shown),
            exhibits: Exhibits::default(),
        }
    }

    fn unreadable(fingerprint: Option<Fingerprint>, code: AuditCode, refusal: Refusal) -> Self {
        let exhibits = Exhibits::default();
        Self { fingerprint, answered: None, shown: Err((code, refusal)), exhibits }
    }
}

fn read_request(file: &[u8]) -> Answer {
    let fault = |fingerprint, error: &CsrError| {
        Answer::unreadable(fingerprint, csr_code(error), error.refusal())
    };
    let presented = match PresentedRequest::parse(file) {
        Ok(presented) => presented,
        Err(error) => return fault(None, &error),
    };
    let fingerprint = Some(presented.fingerprint());
    match presented.accept() {
        // Only a key that is not accepted is looked up in spite of that; a signature that does not
        // hold says nothing about any key.
        Err(error @ CsrError::Key(_)) => fault(fingerprint, &error),
        Err(error) => fault(None, &error),
        Ok(request) => Answer {
            fingerprint,
            answered: request.challenge().map(str::to_owned),
            shown: Ok(Shown {
                method: PossessionMethod::Pkcs10Challenge,
                public: request.key().clone(),
                made: None,
                request: Some(request),
            }),
            exhibits: Exhibits::default(),
        },
    }
}

fn read_cms(file: &[u8], challenge: &Challenge) -> Answer {
    let fault = |fingerprint, error: &CmsError| {
        let unfit = matches!(error, CmsError::Key(_));
        let code = if unfit { AuditCode::KeyPresented } else { AuditCode::KeyPopFailed };
        Answer::unreadable(fingerprint, code, error.refusal())
    };
    let presented = match DetachedSignature::parse(file) {
        Ok(presented) => presented,
        Err(error) => return fault(None, &error),
    };
    let fingerprint = Some(presented.fingerprint());
    match presented.verify(&challenge.text) {
        Err(error @ CmsError::Key(_)) => fault(fingerprint, &error),
        Err(error) => fault(None, &error),
        Ok(public) => Answer {
            fingerprint,
            answered: Some(challenge.text.clone()),
            shown: Ok(Shown {
                method: PossessionMethod::CmsChallenge,
                public,
                made: None,
                request: None,
            }),
            exhibits: Exhibits::default(),
        },
    }
}

/// Compares an answer with its application and claims the key, or records why not.
pub(crate) fn settle(
    env: &Env,
    permit: &Permit<Apply>,
    id: &ApplicationId,
    answer: Answer,
    now: Timestamp,
) -> Result<Application, ProveError> {
    let fault = match env.store.write(|tx| claim(env, tx, permit, id, &answer, now)) {
        Ok(application) => return Ok(application),
        Err(Outcome::Fault(fault)) => fault,
        // Another application with this key committed first: the answer is that of KM-6.
        Err(Outcome::Other(ProveError::Store(StoreError::Conflict { .. }))) => {
            let hit = env.store.read(|tx| {
                let application = tx.load_application(permit.scope(), id)?;
                hit_of(tx, permit, &application, answer.fingerprint.as_ref(), now)
            })?;
            match hit {
                Some(hit) => {
                    Fault { code: hit.code(), refusal: hit.refusal.clone(), hit: Some(hit) }
                }
                None => return Err(StoreError::Busy.into()),
            }
        }
        Err(Outcome::Other(other)) => return Err(other),
    };
    let met = answer.fingerprint.filter(|_| answer.shown.is_ok());
    Err(refuse_key(env, permit, id, fault, met, now)?.into())
}

fn claim(
    env: &Env,
    tx: &mut Tx<'_>,
    permit: &Permit<Apply>,
    id: &ApplicationId,
    answer: &Answer,
    now: Timestamp,
) -> Result<Application, Outcome> {
    let application = tx.lock_application(permit.scope(), id)?;
    let challenge = tx.current_challenge(id)?;
    let shown = match &answer.shown {
        Ok(shown) => shown,
        Err((code, refusal)) => {
            let hit = hit_of(tx, permit, &application, answer.fingerprint.as_ref(), now)?;
            return Err(match hit {
                Some(hit) => Fault::of(hit.code(), hit.refusal),
                None => Fault::of(*code, refusal.clone()),
            }
            .into());
        }
    };
    let fingerprint = shown.public.fingerprint();
    if is_retry(&application, &challenge, answer, &fingerprint) {
        return Ok(application);
    }
    let unproven = |refusal| Fault::of(AuditCode::KeyPopFailed, refusal);
    application.may_prove(now).map_err(unproven)?;
    challenge.check(answer.answered.as_deref(), now).map_err(unproven)?;
    check_attached(&application, &fingerprint).map_err(unproven)?;
    if let Some(hit) = hit_of(tx, permit, &application, Some(&fingerprint), now)? {
        let (code, refusal) = (hit.code(), hit.refusal.clone());
        return Err(Fault { code, refusal, hit: Some(hit) }.into());
    }
    let policy = policy_of_level(tx, application.level, now)?;
    let weighed = if let Some(made) = &shown.made {
        weigh_made(made)?
    } else {
        let case = Case {
            application: &application,
            challenge: &challenge.text,
            policy: &policy,
            key: &shown.public,
            now,
        };
        weigh(tx, &case, &answer.exhibits, shown.request.as_ref())?
    };
    check_rules(tx, permit, &application, (shown, weighed.class, &policy), now)?;
    Ok(record(env, tx, permit, (application, challenge), (shown, &weighed), now)?)
}

/// The same proof for the same application again.
fn is_retry(
    application: &Application,
    challenge: &Challenge,
    answer: &Answer,
    fingerprint: &Fingerprint,
) -> bool {
    let done = [ApplicationState::Ready, ApplicationState::Issued].contains(&application.state);
    let same_key = application.key.as_ref().is_some_and(|key| key.fingerprint == *fingerprint);
    done && same_key && answer.answered.as_ref() == Some(&challenge.text)
}

/// Where a request was attached, possession is shown of its key.
fn check_attached(application: &Application, fingerprint: &Fingerprint) -> Result<(), Refusal> {
    let attached = application.request.as_deref().map(PresentedRequest::parse);
    match attached {
        Some(Ok(attached)) if attached.fingerprint() != *fingerprint => {
            Err(Refusal::new(RefusalCode::PossessionNotShown, "KM-7").with("problem", "other-key"))
        }
        Some(Ok(_) | Err(_)) | None => Ok(()),
    }
}

fn hit_of(
    tx: &mut Tx<'_>,
    permit: &Permit<Apply>,
    application: &Application,
    fingerprint: Option<&Fingerprint>,
    now: Timestamp,
) -> Result<Option<Hit>, StoreError> {
    let Some(fingerprint) = fingerprint else { return Ok(None) };
    let place = Place { branch: &application.branch, instance: Some(&application.instance) };
    look_up(tx, permit.scope(), place, fingerprint, now)
}

/// Everything of submission again, and the rules for the key.
fn check_rules(
    tx: &mut Tx<'_>,
    permit: &Permit<Apply>,
    application: &Application,
    (shown, origin, policy): (&Shown, OriginClass, &KeyPolicy),
    now: Timestamp,
) -> Result<(), Outcome> {
    let organisation = tx.load_organisation(permit.scope(), &application.organisation)?;
    let branch = tx.load_branch(permit.scope(), &application.branch)?;
    let (level, days) = (application.level, application.validity_days);
    check_submission(policy, &organisation, &branch, level, days)
        .map_err(|refusal| Fault::of(AuditCode::AppReady, refusal))?;
    if !policy.possession.methods.contains(&shown.method) {
        let refusal = Refusal::new(RefusalCode::PossessionNotShown, "KM-7");
        let refusal = refusal.with("problem", "method-not-allowed").with("method", shown.method);
        return Err(Fault::of(AuditCode::KeyPopFailed, refusal).into());
    }
    crate::weak::check_key(tx, policy, shown.public.presented())?
        .and_then(|()| check_key_rules(policy, level, (shown.public.algorithm(), origin), now))
        .map_err(of_key_rule)?;
    if let Some(request) = &shown.request {
        check_asked_subject(request, &organisation)
            .map_err(|refusal| Fault::of(AuditCode::AppReady, refusal))?;
    }
    Ok(())
}

/// A published key is an incident as a blocked one is.
fn of_key_rule(refusal: Refusal) -> Fault {
    let is_blocked = refusal.code == RefusalCode::KeyBlocked;
    let hit = is_blocked.then(|| Hit::blocked(refusal.clone(), None));
    Fault { code: key_code(&refusal), refusal, hit }
}

/// Claims the key and finds the application ready.
fn record(
    env: &Env,
    tx: &mut Tx<'_>,
    permit: &Permit<Apply>,
    (application, challenge): (Application, Challenge),
    (shown, weighed): (&Shown, &Weighed),
    now: Timestamp,
) -> Result<Application, StoreError> {
    let made = shown.made.as_ref().map(|made| made.id.clone());
    let key = Key {
        id: made.unwrap_or_else(|| KeyId::new(now, &*env.entropy)),
        role: KeyRole::Seal,
        holder: KeyHolder::Instance(application.instance.clone()),
        algorithm: shown.public.algorithm(),
        fingerprint: shown.public.fingerprint(),
        public_key: shown.public.spki_der().to_vec(),
        origin: weighed.class,
        state: KeyState::Proven,
        created_at: now,
    };
    let request = shown.request.as_ref().map(|request| request.der().to_vec());
    let ready = Application {
        key: Some(AppliedKey { id: key.id.clone(), fingerprint: key.fingerprint }),
        request: request.or_else(|| application.request.clone()),
        state: ApplicationState::Ready,
        changed_at: now,
        ..application
    };
    let organisation = ready.organisation.clone();
    let mut events = vec![
        Event::Identity(IdentityEvent::PossessionShown {
            challenge,
            method: shown.method,
            key: key.id.clone(),
            organisation: organisation.clone(),
        }),
        Event::KeyClaimed { key: key.clone(), organisation: organisation.clone() },
    ];
    events.extend(weighed.kept(env, &key, now).into_iter().map(|evidence| {
        let (key, organisation) = (key.clone(), organisation.clone());
        Event::Identity(IdentityEvent::OriginShown { key, organisation, evidence })
    }));
    events.push(Event::Identity(IdentityEvent::ApplicationReady { application: ready.clone() }));
    for event in &events {
        tx.record(permit.origin(), now, event)?;
    }
    Ok(ready)
}

/// Records a refusal that concerns nobody else.
fn refuse(
    env: &Env,
    permit: &Permit<Apply>,
    id: &ApplicationId,
    fault: Fault,
    now: Timestamp,
) -> Result<Refusal, ProveError> {
    let application = env.store.read(|tx| tx.load_application(permit.scope(), id))?;
    let attempt = Attempt {
        code: fault.code,
        object: ObjectRef::new("application", id),
        organisation: Some(application.organisation),
        policy: Some(application.policy),
    };
    Ok(env.refuse(permit.origin(), now, attempt, fault.refusal)?)
}

/// Records a refusal; where possession was shown of somebody else's key, the application ends and
/// an incident is opened in the same transaction.
fn refuse_key(
    env: &Env,
    permit: &Permit<Apply>,
    id: &ApplicationId,
    fault: Fault,
    met: Option<Fingerprint>,
    now: Timestamp,
) -> Result<Refusal, ProveError> {
    let incident = fault.hit.as_ref().and_then(|hit| hit.incident);
    let (Some(kind), Some(fingerprint), Some(hit)) = (incident, met, fault.hit.clone()) else {
        return refuse(env, permit, id, fault, now);
    };
    let refusal = fault.refusal;
    env.store.write(|tx| {
        let application = tx.lock_application(permit.scope(), id)?;
        let held = lock_live(tx, &fingerprint)?;
        let refused = Event::Refused {
            code: fault.code,
            object: ObjectRef::new("application", id),
            organisation: Some(application.organisation.clone()),
            policy: Some(application.policy),
            refusal: refusal.clone(),
        };
        tx.record(permit.origin(), now, &refused)?;
        if application.state == ApplicationState::KeyProof {
            let reason = refusal.code;
            let rejected =
                IdentityEvent::ApplicationRejected { application: application.clone(), reason };
            tx.record(permit.origin(), now, &Event::Identity(rejected))?;
            release_quota(tx, permit.origin(), &application, now)?;
        }
        let holder = hit.holder.clone();
        let met = Met { kind, fingerprint, application: Some(&application), holder, held };
        open_incident(env, tx, permit.origin(), now, met)
    })?;
    Ok(refusal)
}

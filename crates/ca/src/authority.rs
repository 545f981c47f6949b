//! Creates authorities: the key in the key store, the certificate by the parent, and the audit
//! records of both (DOMAIN 6.7, 12.4).
//!
//! Every act with an authority's key needs a [`Consent`]: in production only a ceremony gives one
//! (KM-19). The steps stand alone, so that a ceremony may take them one by one and a power cut
//! between two leaves a state from which the next goes on.

mod life;
mod rollover;

use tenkoku_domain::access::{OperateAuthority, Origin, Permit};
use tenkoku_domain::audit::{
    AuditCode, AuthorityEvent, AuthorityPlan, Event, IdentityEvent, ObjectRef,
};
use tenkoku_domain::authority::{
    Authority, AuthorityAct, AuthorityCode, AuthorityKind, AuthorityName, AuthorityState, Custody,
    Dedication, ServiceKind,
};
use tenkoku_domain::ceremony::{CeremonyRules, Consent};
use tenkoku_domain::certificate::{Certificate, Serial, Validity};
use tenkoku_domain::id::{AuthorityId, CeremonyId, KeyId};
use tenkoku_domain::key::{Key, KeyAlgorithm, KeyHolder, KeyRole, KeyState};
use tenkoku_domain::origin::KeyEvidence;
use tenkoku_domain::policy::Installation;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::key::PublicKey;
use tenkoku_pki::name::DistinguishedName;
use tenkoku_pki::profile::{Content, Issuer, Order, Service};
use tenkoku_pki::scope::NameScope;
use tenkoku_ports::{Attempt, Env};
use tenkoku_store::StoreError;

pub use self::life::{
    LastCrl, end_authority, resume_authority, retire_authority, suspend_authority,
};
pub use self::rollover::{cross_certificates, cross_certify, renew_authority, successor_order};
use crate::incident::refuse_misheld;
use crate::origin::store_evidence;
pub use crate::signing::SigningError as AuthorityError;
use crate::signing::{Paper, issuer, repository, sign_certificate};
pub use tenkoku_domain::authority::AuthorityOrder;

/// The persons that the policy in force demands (KM-19).
pub fn ceremony_rules(env: &Env) -> Result<CeremonyRules, AuthorityError> {
    let now = env.clock.now();
    let policy = env.store.read(|tx| tx.current_policy(now))?;
    Ok(CeremonyRules::of_policy(&policy))
}

/// Creates an authority and brings it into service in one step: the built-in ceremony of an
/// evaluation installation, which its record says. In production it is refused (KM-19).
///
/// An authority whose creation was cut short is completed: the same order again goes on with the
/// key that was made. A finished one of the same code is refused with `state-conflict`.
pub fn create_authority(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    order: &AuthorityOrder,
) -> Result<Authority, AuthorityError> {
    recorded(env, permit, &order.code, AuditCode::CaCertified, || {
        let consent = Consent::evaluation(env.settings.installation)?;
        let made = establish(env, permit, order, &consent)?;
        crate::ceremony::record_evaluation(env, permit, &made)?;
        Ok(made)
    })
}

/// Creates an authority with the consent of a ceremony, in one go.
pub fn establish_authority(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    order: &AuthorityOrder,
    consent: &Consent,
) -> Result<Authority, AuthorityError> {
    recorded(env, permit, &order.code, AuditCode::CaCertified, || {
        establish(env, permit, order, consent)
    })
}

fn establish(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    order: &AuthorityOrder,
    consent: &Consent,
) -> Result<Authority, AuthorityError> {
    let planned = begin(env, permit, order, consent)?;
    let certified = match planned.state {
        AuthorityState::Ceremony => certify(env, permit, &planned, consent)?,
        AuthorityState::Certified => planned,
        AuthorityState::Planned
        | AuthorityState::Active
        | AuthorityState::Suspended
        | AuthorityState::Retiring
        | AuthorityState::Ended => return Err(taken(&order.code).into()),
    };
    activate(env, permit, &certified, consent)
}

/// Decides on an authority that a ceremony will make: its code is taken from now on.
pub fn plan_authority(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    order: &AuthorityOrder,
    ceremony: &CeremonyId,
) -> Result<AuthorityPlan, AuthorityError> {
    let now = env.clock.now();
    recorded(env, permit, &order.code, AuditCode::CaPlanned, || {
        check(env, order)?;
        parent(env, permit, order, now)?;
        let plans = env.store.read(|tx| tx.list_plans())?;
        let known = env.store.read(|tx| tx.find_authority(order.code.as_str()))?;
        if known.is_some() || plans.iter().any(|plan| plan.code == order.code) {
            return Err(taken(&order.code).into());
        }
        let plan = AuthorityPlan { code: order.code.clone(), ceremony: ceremony.clone(), at: now };
        let event = Event::Authority(AuthorityEvent::Planned { plan: plan.clone() });
        env.store.write(|tx| tx.record(permit.origin(), now, &event))?;
        Ok(plan)
    })
}

/// Makes the key of an authority: the state `ceremony`.
///
/// An order whose key was made already gives the authority as it is.
pub fn begin_authority(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    order: &AuthorityOrder,
    consent: &Consent,
) -> Result<Authority, AuthorityError> {
    recorded(env, permit, &order.code, AuditCode::CaKeyGenerated, || {
        begin(env, permit, order, consent)
    })
}

/// Signs the certificate of an authority with its parent's key: the state `certified`.
pub fn certify_authority(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    code: &AuthorityCode,
    consent: &Consent,
) -> Result<Authority, AuthorityError> {
    recorded(env, permit, code, AuditCode::CaCertified, || {
        let planned = load(env, permit, code)?;
        certify(env, permit, &planned, consent)
    })
}

/// Puts a certified authority into service: the state `active`.
pub fn activate_authority(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    code: &AuthorityCode,
    consent: &Consent,
) -> Result<Authority, AuthorityError> {
    recorded(env, permit, code, AuditCode::CaActivated, || {
        let certified = load(env, permit, code)?;
        activate(env, permit, &certified, consent)
    })
}

/// An authority of a code, where the permit covers it: what is only seen does not exist (AB-3).
pub(crate) fn load(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    code: &AuthorityCode,
) -> Result<Authority, AuthorityError> {
    let found = env.store.read(|tx| tx.find_authority(code.as_str()))?;
    found
        .filter(|authority| permit.scope().covers_authority(&authority.id))
        .ok_or_else(|| StoreError::NotFound { what: "authority" }.into())
}

/// Runs an act and writes its refusal into the audit trail (I-12).
pub(crate) fn recorded<T>(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    code: &AuthorityCode,
    act: AuditCode,
    run: impl FnOnce() -> Result<T, AuthorityError>,
) -> Result<T, AuthorityError> {
    let now = env.clock.now();
    run().or_else(|error| {
        let refusal = error.refused()?;
        let attempt = Attempt {
            code: act,
            object: ObjectRef::new("authority", code),
            organisation: None,
            policy: None,
        };
        Err(env.refuse(permit.origin(), now, attempt, refusal)?.into())
    })
}

fn taken(code: &AuthorityCode) -> Refusal {
    Refusal::new(RefusalCode::StateConflict, "6.7").with("problem", "taken").with("code", code)
}

fn check(env: &Env, order: &AuthorityOrder) -> Result<(), AuthorityError> {
    if env.settings.installation == Installation::Production && env.settings.arc.is_documentation()
    {
        return Err(Refusal::new(RefusalCode::LintFailed, "PR-1").into());
    }
    let now = env.clock.now();
    let known = env.store.read(|tx| tx.current_policy(now))?.algorithms.authority.known();
    if !known.contains(&order.algorithm) {
        let names: Vec<_> = known.iter().map(|algorithm| algorithm.name()).collect();
        return Err(Refusal::new(RefusalCode::KeyAlgorithm, "12.4")
            .with("algorithm", order.algorithm)
            .with("level", "authority")
            .with("allowed", names.join(", "))
            .into());
    }
    let all = env.store.read(|tx| tx.list_authorities())?;
    Ok(order.check(&all)?)
}

/// The authority that issues: in service, of a kind that issues the ordered one, and within the
/// permit (AB-3).
fn parent(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    order: &AuthorityOrder,
    now: Timestamp,
) -> Result<Option<(Authority, Issuer)>, AuthorityError> {
    let Some(code) = &order.issuer else {
        // Nobody stands above a root: whoever makes one needs the whole platform.
        let whole = permit.scope() == &tenkoku_domain::access::Scope::Platform;
        return if whole { Ok(None) } else { Err(not_covered()) };
    };
    let parent = load(env, permit, code)?;
    if !parent.kind.may_issue(order.kind) {
        return Err(StoreError::NotFound { what: "authority" }.into());
    }
    let issuer = issuer(parent.may_issue(now)?)?;
    Ok(Some((parent, issuer)))
}

fn not_covered() -> AuthorityError {
    Refusal::new(RefusalCode::NotAuthorised, "AB-3").with("permission", "operate-authority").into()
}

fn begin(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    order: &AuthorityOrder,
    _consent: &Consent,
) -> Result<Authority, AuthorityError> {
    let now = env.clock.now();
    check(env, order)?;
    let parent = parent(env, permit, order, now)?;
    match env.store.read(|tx| tx.find_authority(order.code.as_str()))? {
        Some(found) => match found.state {
            AuthorityState::Ceremony | AuthorityState::Certified => Ok(found),
            AuthorityState::Planned
            | AuthorityState::Active
            | AuthorityState::Suspended
            | AuthorityState::Retiring
            | AuthorityState::Ended => Err(taken(&order.code).into()),
        },
        None => plan(env, permit, order, parent.as_ref(), now),
    }
}

fn plan(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    order: &AuthorityOrder,
    parent: Option<&(Authority, Issuer)>,
    now: Timestamp,
) -> Result<Authority, AuthorityError> {
    let predecessor = match &order.predecessor {
        Some(code) => Some(load(env, permit, code)?),
        None => None,
    };
    let id = AuthorityId::new(now, &*env.entropy);
    let (role, holder) = (KeyRole::Authority, KeyHolder::Authority(id.clone()));
    let made = generate(env, permit.origin(), role, holder, order.algorithm)?;
    let authority = Authority {
        id,
        code: order.code.clone(),
        kind: order.kind,
        generation: order.generation,
        name: operator_name(env, order),
        issuer: parent.map(|(parent, _)| parent.id.clone()),
        key: made.key.id.clone(),
        algorithm: order.algorithm,
        serial: Serial::random(&*env.entropy),
        validity: validity(order, parent.map(|(_, issuer)| issuer), now),
        certificate: None,
        state: AuthorityState::Planned.after(AuthorityAct::Begin)?,
        created_at: now,
        custody: Custody::Online,
        dedicated: order.dedicated.as_ref().map(|d| d.organisation.clone()),
        predecessor: predecessor.as_ref().map(|former| former.id.clone()),
        crl_shards: order.crl_shards,
    };
    env.store.write(|tx| {
        tx.record(permit.origin(), now, &made.event())?;
        let planned = Event::AuthorityPlanned { authority: authority.clone() };
        tx.record(permit.origin(), now, &planned)?;
        if let Some(former) = &predecessor {
            let renewed = AuthorityEvent::Renewed {
                authority: former.clone(),
                successor: authority.id.clone(),
            };
            tx.record(permit.origin(), now, &Event::Authority(renewed))?;
        }
        Ok::<_, StoreError>(())
    })?;
    Ok(authority)
}

/// The names in the subject of an ordered authority: the operator's (DOMAIN 12.4).
pub(crate) fn operator_name(env: &Env, order: &AuthorityOrder) -> AuthorityName {
    let operator = &env.settings.operator;
    AuthorityName {
        country: operator.country.clone(),
        organisation: operator.name.clone(),
        identifier: operator.identifier.clone(),
        common_name: order.common_name.clone(),
    }
}

/// The validity of an ordered authority, inside its issuer's (I-8).
pub(crate) fn validity(
    order: &AuthorityOrder,
    issuer: Option<&Issuer>,
    now: Timestamp,
) -> Validity {
    let days = order.validity_days.unwrap_or(order.kind.validity_days());
    let validity = Validity::days(now, days);
    issuer.map_or(validity, |issuer| validity.capped(issuer.validity.not_after))
}

/// A key that the platform made for itself, of which nothing is recorded yet.
pub(crate) struct PlatformKey {
    pub(crate) key: Key,
    evidence: KeyEvidence,
}

impl PlatformKey {
    /// What records it: the key, and where its store says that it lies.
    pub(crate) fn event(&self) -> Event {
        let (key, evidence) = (self.key.clone(), self.evidence.clone());
        Event::Identity(IdentityEvent::KeyMade { key, evidence })
    }
}

/// Makes a key in the platform's key store. A key whose record is never written is an orphan that
/// signs nothing; it is not in the store's tables and so in no certificate.
pub(crate) fn generate(
    env: &Env,
    origin: &Origin,
    role: KeyRole,
    holder: KeyHolder,
    algorithm: KeyAlgorithm,
) -> Result<PlatformKey, AuthorityError> {
    let now = env.clock.now();
    let made = match env.keys.generate(&KeyId::new(now, &*env.entropy), algorithm) {
        Ok(made) => made,
        Err(error) => {
            refuse_misheld(env, origin, &error, None)?;
            return Err(error.into());
        }
    };
    let public = PublicKey::parse(&made.public_key)?;
    let key = Key {
        id: made.id,
        role,
        holder,
        algorithm,
        fingerprint: public.fingerprint(),
        public_key: made.public_key,
        origin: made.origin.class,
        state: KeyState::Generated,
        created_at: now,
    };
    Ok(PlatformKey { evidence: store_evidence(env, &key, &made.origin, now)?, key })
}

fn certify(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    planned: &Authority,
    _consent: &Consent,
) -> Result<Authority, AuthorityError> {
    let now = env.clock.now();
    let certified = planned.after(AuthorityAct::Certify)?;
    let signer = match &planned.issuer {
        Some(id) => {
            let parent = env.store.read(|tx| tx.load_authority(id))?;
            load(env, permit, &parent.code)?
        }
        None => planned.clone(),
    };
    signer.check_online()?;
    let policy = env.store.read(|tx| tx.current_policy(now))?.digest()?;
    let key = env.store.read(|tx| tx.load_key(&planned.key))?;
    let key = PublicKey::parse(&key.public_key)?;
    let subject = DistinguishedName::of_authority(&planned.name)?;
    let validity = planned.validity;
    let issuer = match &planned.issuer {
        Some(_) => issuer(signer.may_issue(now)?)?,
        None => Issuer { name: subject.clone(), key: key.clone(), validity, scope: None },
    };
    let dedication = dedication(env, permit, planned)?;
    let content = content(env, planned.kind, &planned.name, dedication.as_ref(), &signer)?;
    let paper = Paper {
        authority: signer.id.clone(),
        signing_key: signer.key.clone(),
        profile: content.profile(),
        key: planned.key.clone(),
        seal: None,
        common_name: planned.name.common_name.as_str().to_owned(),
        sealing_not_after: None,
        policy,
    };
    let order = |serial| Order {
        serial,
        validity,
        subject: subject.clone(),
        key: key.clone(),
        issuer: issuer.clone(),
        content: content.clone(),
    };
    let mut certified = certified;
    sign_certificate(
        env,
        permit.origin(),
        now,
        &paper,
        order,
        |_| Ok(()),
        |tx, certificate: &Certificate| {
            certified.certificate.clone_from(&certificate.der);
            certified.serial = certificate.serial.clone();
            let event = AuthorityEvent::Certified { authority: certified.clone() };
            tx.record(permit.origin(), now, &Event::Authority(event))?;
            Ok(())
        },
    )?;
    Ok(certified)
}

/// What differs between the profiles of authorities.
pub(crate) fn content(
    env: &Env,
    kind: AuthorityKind,
    names: &AuthorityName,
    dedication: Option<&Dedication>,
    signer: &Authority,
) -> Result<Content, AuthorityError> {
    let (level, arc) = match kind {
        AuthorityKind::Root => return Ok(Content::Root),
        AuthorityKind::Policy => {
            return Ok(Content::Policy { repository: repository(env, signer)? });
        }
        AuthorityKind::Service(kind) => {
            let service = match kind {
                ServiceKind::TimeStamping => Service::TimeStamping,
                ServiceKind::Internal => Service::Internal,
            };
            let (arc, repository) = (env.settings.arc, repository(env, signer)?);
            return Ok(Content::ServiceAuthority { service, arc, repository });
        }
        AuthorityKind::Issuing(level) => (level, env.settings.arc),
    };
    let repository = repository(env, signer)?;
    let Some(dedication) = dedication else {
        return Ok(Content::Issuing { level, arc, repository });
    };
    let scope = NameScope::of(
        &dedication.country,
        &dedication.name,
        dedication.latin.as_ref(),
        &dedication.identifier,
        names,
    )?;
    Ok(Content::Dedicated { level, scope, arc, repository })
}

/// The names of the organisation that an authority serves alone.
pub(crate) fn dedication(
    env: &Env,
    _permit: &Permit<OperateAuthority>,
    authority: &Authority,
) -> Result<Option<Dedication>, AuthorityError> {
    let Some(id) = &authority.dedicated else { return Ok(None) };
    let everywhere = tenkoku_domain::access::Scope::Platform;
    let organisation = env.store.read(|tx| tx.load_organisation(&everywhere, id))?;
    Ok(Some(dedication_of(&organisation)))
}

/// The permitted subtree of an organisation.
pub fn dedication_of(organisation: &tenkoku_domain::organisation::Organisation) -> Dedication {
    Dedication {
        organisation: organisation.id.clone(),
        country: organisation.address.country.clone(),
        name: organisation.legal_name.clone(),
        latin: organisation.latin_name.clone(),
        identifier: organisation.identifier.clone(),
    }
}

fn activate(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    certified: &Authority,
    _consent: &Consent,
) -> Result<Authority, AuthorityError> {
    let now = env.clock.now();
    env.store.write(|tx| {
        let locked = tx.lock_authority(&certified.id)?;
        let active = locked.after(AuthorityAct::Activate)?;
        let event = Event::AuthorityCertified { authority: active.clone() };
        tx.record(permit.origin(), now, &event)?;
        Ok(active)
    })
}

//! Creates authorities: the key in the key store, the certificate by the root, and the audit
//! records of both.

use tenkoku_domain::access::{OperateAuthority, Permit};
use tenkoku_domain::audit::{AuditCode, Event, ObjectRef};
use tenkoku_domain::authority::{
    Authority, AuthorityCode, AuthorityKind, AuthorityName, AuthorityState,
};
use tenkoku_domain::certificate::{Certificate, Profile, Serial, Validity};
use tenkoku_domain::id::{AuthorityId, KeyId};
use tenkoku_domain::key::{Key, KeyAlgorithm, KeyHolder, KeyRole, KeyState};
use tenkoku_domain::level::Level;
use tenkoku_domain::name::Name;
use tenkoku_domain::policy::Installation;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::key::PublicKey;
use tenkoku_pki::name::DistinguishedName;
use tenkoku_pki::profile::{Content, Issuer, Order};
use tenkoku_ports::{Attempt, Env};
use tenkoku_store::StoreError;

pub use crate::signing::SigningError as AuthorityError;
use crate::signing::{Paper, issuer, repository, sign_certificate};

/// What authority is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorityOrder {
    /// Short name in addresses.
    pub code: AuthorityCode,
    /// Kind, and for an issuing authority its level.
    pub kind: AuthorityKind,
    /// Generation.
    pub generation: i32,
    /// Common name; the generation's suffix (`… G1`) is part of it (RO-4).
    pub common_name: Name,
    /// Algorithm of its key: P-384 or RSA 4096 (DOMAIN 12.4).
    pub algorithm: KeyAlgorithm,
    /// Validity in days; the kind's maximum where none is asked for.
    pub validity_days: Option<i64>,
    /// The issuing root; none for a root.
    pub issuer: Option<AuthorityCode>,
}

/// Creates an authority and brings it into service.
///
/// An authority whose creation was cut short is completed: the same order again goes on with the
/// key that was made. A finished one of the same code is refused with `state-conflict`.
pub fn create_authority(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    order: &AuthorityOrder,
) -> Result<Authority, AuthorityError> {
    let now = env.clock.now();
    create(env, permit, order, now).or_else(|error| {
        let refusal = error.refused()?;
        let attempt = Attempt {
            code: AuditCode::CaCertified,
            object: ObjectRef::new("authority", &order.code),
            organisation: None,
            policy: None,
        };
        Err(env.refuse(permit.origin(), now, attempt, refusal)?.into())
    })
}

fn create(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    order: &AuthorityOrder,
    now: Timestamp,
) -> Result<Authority, AuthorityError> {
    check(env, order)?;
    let parent = parent(env, order, now)?;
    let planned = match env.store.read(|tx| tx.find_authority(order.code.as_str()))? {
        Some(found) if found.state == AuthorityState::Ceremony => found,
        Some(_) => {
            return Err(Refusal::new(RefusalCode::StateConflict, "6.7")
                .with("problem", "taken")
                .with("code", &order.code)
                .into());
        }
        None => plan(env, permit, order, parent.as_ref(), now)?,
    };
    certify(env, permit, &planned, parent.as_ref(), now)
}

fn check(env: &Env, order: &AuthorityOrder) -> Result<(), Refusal> {
    if env.settings.installation == Installation::Production && env.settings.arc.is_documentation()
    {
        return Err(Refusal::new(RefusalCode::LintFailed, "PR-1"));
    }
    if !matches!(order.algorithm, KeyAlgorithm::P384 | KeyAlgorithm::Rsa4096) {
        return Err(Refusal::new(RefusalCode::KeyAlgorithm, "12.4")
            .with("algorithm", order.algorithm)
            .with("level", "authority")
            .with("allowed", "P-384, RSA-4096"));
    }
    let most = order.kind.validity_days();
    let days = order.validity_days.unwrap_or(most);
    if !(1..=most).contains(&days) {
        return Err(Refusal::new(RefusalCode::ValidityExceeded, "12.4")
            .with("days", days)
            .with("most", most)
            .with("level", "authority"));
    }
    let generation = format!("G{}", order.generation);
    if !order.common_name.as_str().ends_with(&generation) {
        return Err(Refusal::new(RefusalCode::NameInvalid, "RO-4")
            .with("problem", "generation")
            .with("name", &order.common_name));
    }
    Ok(())
}

/// The root that issues, active and with its certificate.
fn parent(
    env: &Env,
    order: &AuthorityOrder,
    now: Timestamp,
) -> Result<Option<(Authority, Issuer)>, AuthorityError> {
    let code = match (order.kind, &order.issuer) {
        (AuthorityKind::Root, None) => return Ok(None),
        (AuthorityKind::Issuing(_), Some(code)) => code,
        (AuthorityKind::Root, Some(_)) | (AuthorityKind::Issuing(_), None) => {
            return Err(Refusal::new(RefusalCode::StateConflict, "12.4")
                .with("problem", "issuer")
                .into());
        }
    };
    let found = env.store.read(|tx| tx.find_authority(code.as_str()))?;
    let root = found
        .filter(|authority| authority.kind == AuthorityKind::Root)
        .ok_or(StoreError::NotFound { what: "authority" })?;
    let issuer = issuer(root.may_issue(now)?)?;
    Ok(Some((root, issuer)))
}

fn plan(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    order: &AuthorityOrder,
    parent: Option<&(Authority, Issuer)>,
    now: Timestamp,
) -> Result<Authority, AuthorityError> {
    let id = AuthorityId::new(now, &*env.entropy);
    let key = generate(env, KeyRole::Authority, KeyHolder::Authority(id.clone()), order.algorithm)?;
    let days = order.validity_days.unwrap_or(order.kind.validity_days());
    let validity = Validity::days(now, days);
    let operator = &env.settings.operator;
    let authority = Authority {
        id,
        code: order.code.clone(),
        kind: order.kind,
        generation: order.generation,
        name: AuthorityName {
            country: operator.country.clone(),
            organisation: operator.name.clone(),
            identifier: operator.identifier.clone(),
            common_name: order.common_name.clone(),
        },
        issuer: parent.map(|(root, _)| root.id.clone()),
        key: key.id.clone(),
        algorithm: order.algorithm,
        serial: Serial::random(&*env.entropy),
        validity: match parent {
            Some((_, issuer)) => validity.capped(issuer.validity.not_after),
            None => validity,
        },
        certificate: None,
        state: AuthorityState::Ceremony,
        created_at: now,
    };
    env.store.write(|tx| {
        tx.record(permit.origin(), now, &Event::KeyGenerated { key: key.clone() })?;
        let planned = Event::AuthorityPlanned { authority: authority.clone() };
        tx.record(permit.origin(), now, &planned)?;
        Ok::<_, StoreError>(())
    })?;
    Ok(authority)
}

/// Makes a key in the platform's key store. A key whose record is never written is an orphan that
/// signs nothing; it is not in the store's tables and so in no certificate.
pub(crate) fn generate(
    env: &Env,
    role: KeyRole,
    holder: KeyHolder,
    algorithm: KeyAlgorithm,
) -> Result<Key, AuthorityError> {
    let now = env.clock.now();
    let made = env.keys.generate(&KeyId::new(now, &*env.entropy), algorithm)?;
    let public = PublicKey::parse(&made.public_key)?;
    Ok(Key {
        id: made.id,
        role,
        holder,
        algorithm,
        fingerprint: public.fingerprint(),
        public_key: made.public_key,
        origin: made.origin.class,
        state: KeyState::Generated,
        created_at: now,
    })
}

fn certify(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    planned: &Authority,
    parent: Option<&(Authority, Issuer)>,
    now: Timestamp,
) -> Result<Authority, AuthorityError> {
    let policy = env.store.read(|tx| tx.current_policy(now))?.digest()?;
    let key = env.store.read(|tx| tx.load_key(&planned.key))?;
    let key = PublicKey::parse(&key.public_key)?;
    let subject = DistinguishedName::of_authority(&planned.name)?;
    let validity = planned.validity;
    let (profile, content) = match planned.kind {
        AuthorityKind::Root => (Profile::Root, Content::Root),
        AuthorityKind::Issuing(level) => (Profile::Issuing, issuing(env, level, parent)?),
    };
    let issuer = match parent {
        Some((_, issuer)) => issuer.clone(),
        None => Issuer { name: subject.clone(), key: key.clone(), validity, scope: None },
    };
    let signer = parent.map_or(planned, |(root, _)| root);
    let paper = Paper {
        authority: signer.id.clone(),
        signing_key: signer.key.clone(),
        profile,
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
    let mut active = planned.clone();
    sign_certificate(
        env,
        permit.origin(),
        now,
        &paper,
        order,
        |_| Ok(()),
        |tx, certificate: &Certificate| {
            active.certificate.clone_from(&certificate.der);
            active.serial = certificate.serial.clone();
            active.state = AuthorityState::Active;
            let certified = Event::AuthorityCertified { authority: active.clone() };
            tx.record(permit.origin(), now, &certified)?;
            Ok(())
        },
    )?;
    Ok(active)
}

fn issuing(
    env: &Env,
    level: Level,
    parent: Option<&(Authority, Issuer)>,
) -> Result<Content, AuthorityError> {
    let (root, _) = parent.ok_or(StoreError::NotFound { what: "authority" })?;
    Ok(Content::Issuing { level, arc: env.settings.arc, repository: repository(env, root)? })
}

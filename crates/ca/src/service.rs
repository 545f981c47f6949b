//! Certificates of services from their own authorities (DOMAIN 12.5): time-stamping units, signers of
//! the audit trail, and the client certificates of administrators.
//!
//! The keys of units and signers are made in the platform's key store; an administrator's key is the
//! administrator's, who shows possession by the request.

use tenkoku_domain::access::{ManageAccounts, OperateAuthority, Origin, Permit};
use tenkoku_domain::account::Account;
use tenkoku_domain::audit::{AuditCode, Event, ObjectRef};
use tenkoku_domain::authority::{
    Authority, AuthorityCode, AuthorityKind, AuthorityName, ServiceKind,
};
use tenkoku_domain::certificate::{Certificate, Validity};
use tenkoku_domain::id::{KeyId, UserId};
use tenkoku_domain::key::{Key, KeyAlgorithm, KeyHolder, KeyRole, KeyState, OriginClass};
use tenkoku_domain::name::Name;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::csr::Request;
use tenkoku_pki::key::PublicKey;
use tenkoku_pki::name::DistinguishedName;
use tenkoku_pki::profile::{Content, Order};
use tenkoku_pki::uri::HttpsUri;
use tenkoku_ports::{Attempt, Env};
use tenkoku_store::StoreError;

use crate::authority::generate;
pub use crate::signing::SigningError as ServiceError;
use crate::signing::{Paper, check_arc, issuer, repository, sign_certificate};

/// What a service with a key of the platform is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceUse {
    /// Signs time-stamps, for 15 months at most (DE-7).
    TimeStamping,
    /// Signs the checkpoints of the audit trail.
    AuditSigning,
}

impl ServiceUse {
    const fn role(self) -> KeyRole {
        match self {
            Self::TimeStamping => KeyRole::TimeStamping,
            Self::AuditSigning => KeyRole::AuditSigner,
        }
    }

    const fn issuer(self) -> ServiceKind {
        match self {
            Self::TimeStamping => ServiceKind::TimeStamping,
            Self::AuditSigning => ServiceKind::Internal,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::TimeStamping => "Time-Stamping Unit",
            Self::AuditSigning => "Audit Signer",
        }
    }
}

/// Days for which the certificate of an audit signer is good (DOMAIN 12.5).
const AUDIT_SIGNER_DAYS: i64 = 1095;

/// Makes the key of a service and certifies it.
///
/// # Errors
/// The authority is not of the kind that issues to such services, or does not issue now.
pub fn issue_service(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    authority: &AuthorityCode,
    service: ServiceUse,
) -> Result<Certificate, ServiceError> {
    let now = env.clock.now();
    recorded(env, permit.origin(), authority, now, || {
        let authority = crate::authority::load(env, permit, authority)?;
        serving(&authority, service.issuer(), now)?;
        check_arc(env)?;
        let algorithm = match authority.algorithm {
            // What a unit signs outlives today's curves where its authority does.
            post_quantum @ (KeyAlgorithm::MlDsa65 | KeyAlgorithm::MlDsa87) => post_quantum,
            KeyAlgorithm::Rsa2048
            | KeyAlgorithm::Rsa3072
            | KeyAlgorithm::Rsa4096
            | KeyAlgorithm::P256
            | KeyAlgorithm::P384
            | KeyAlgorithm::P521 => KeyAlgorithm::P384,
        };
        let holder = KeyHolder::Authority(authority.id.clone());
        let made = generate(env, permit.origin(), service.role(), holder, algorithm)?;
        env.store.write(|tx| tx.record(permit.origin(), now, &made.event()))?;
        let key = made.key;
        let policy = env.store.read(|tx| tx.current_policy(now))?;
        let (arc, repository) = (env.settings.arc, repository(env, &authority)?);
        let (content, days, uses_until) = match service {
            ServiceUse::TimeStamping => (
                Content::TimeStamping { arc, repository },
                policy.validity.tsa,
                Some(now.floor().plus_days(policy.sealing_period.tsa)),
            ),
            ServiceUse::AuditSigning => {
                (Content::AuditSigner { arc, repository }, AUDIT_SIGNER_DAYS, None)
            }
        };
        let day = now.to_date();
        let common_name = Name::parse(&format!("{} {} {day}", operator(env), service.title()))
            .or_else(|_| Name::parse(&format!("{} {day}", service.title())))?;
        certify(
            env,
            permit.origin(),
            &authority,
            (&key, content),
            (common_name, days, uses_until),
            now,
        )
    })
}

fn operator(env: &Env) -> &str {
    env.settings.operator.name.as_str()
}

/// Certifies the client key of an administrator: the account's address is in the certificate, the
/// request shows possession.
pub fn issue_administrator(
    env: &Env,
    permit: &Permit<ManageAccounts>,
    authority: &AuthorityCode,
    (user, request): (&UserId, &[u8]),
) -> Result<Certificate, ServiceError> {
    let now = env.clock.now();
    recorded(env, permit.origin(), authority, now, || {
        let everything = env.store.read(|tx| tx.find_authority(authority.as_str()))?;
        let authority = everything.ok_or(StoreError::NotFound { what: "authority" })?;
        serving(&authority, ServiceKind::Internal, now)?;
        check_arc(env)?;
        let account = env.store.read(|tx| tx.load_account(user))?;
        let request = Request::parse(request).map_err(|error| error.refusal())?;
        let key = claim(env, permit.origin(), &account, &request, now)?;
        let address = account_address(env, user)?;
        let (arc, repository) = (env.settings.arc, repository(env, &authority)?);
        let content = Content::Administrator { account: address, arc, repository };
        let days = env.store.read(|tx| tx.current_policy(now))?.validity.administrator;
        // Person names never appear in a certificate (DOMAIN 12.2): the sign-in name does.
        let common_name = Name::parse(&format!("Administrator {}", account.login))?;
        certify(env, permit.origin(), &authority, (&key, content), (common_name, days, None), now)
    })
}

/// The address that stands for an account in its certificate.
fn account_address(env: &Env, user: &UserId) -> Result<HttpsUri, ServiceError> {
    let base = env.settings.operator.website.trim_end_matches('/');
    Ok(HttpsUri::parse(&format!("{base}/accounts/{user}"))?)
}

/// I-2: the key of an administrator is one that nobody has shown before, and no weak one.
fn claim(
    env: &Env,
    origin: &Origin,
    account: &Account,
    request: &Request,
    now: Timestamp,
) -> Result<Key, ServiceError> {
    let public = request.key();
    let key = Key {
        id: KeyId::new(now, &*env.entropy),
        role: KeyRole::Administrator,
        holder: KeyHolder::Account(account.id.clone()),
        algorithm: public.algorithm(),
        fingerprint: public.fingerprint(),
        public_key: public.spki_der().to_vec(),
        origin: OriginClass::K0,
        state: KeyState::Proven,
        created_at: now,
    };
    let claimed = env.store.write(|tx| {
        let policy = tx.current_policy(now)?;
        crate::weak::check_key(tx, &policy, public.presented())??;
        crate::known::check_feeds(tx, &policy, &key.fingerprint)??;
        tx.record(origin, now, &Event::KeyGenerated { key: key.clone() })?;
        Ok::<_, ServiceError>(())
    });
    match claimed {
        Err(ServiceError::Store(StoreError::Conflict { what: "key fingerprint" })) => {
            let refusal = Refusal::new(RefusalCode::KeyDuplicate, "KM-6");
            Err(refusal.with("holder", "other").into())
        }
        Err(other) => Err(other),
        Ok(()) => Ok(key),
    }
}

/// Only an authority for such services issues to them (DOMAIN 12.5).
fn serving(authority: &Authority, kind: ServiceKind, now: Timestamp) -> Result<(), ServiceError> {
    if authority.kind != AuthorityKind::Service(kind) {
        let refusal = Refusal::new(RefusalCode::AuthorityNotActive, "12.5");
        return Err(refusal.with("problem", "service").into());
    }
    authority.may_issue(now)?;
    Ok(())
}

fn certify(
    env: &Env,
    origin: &Origin,
    authority: &Authority,
    (key, content): (&Key, Content),
    (common_name, days, uses_until): (Name, i64, Option<Timestamp>),
    now: Timestamp,
) -> Result<Certificate, ServiceError> {
    let operator = &env.settings.operator;
    let issuer = issuer(authority.may_issue(now)?)?;
    let policy = env.store.read(|tx| tx.current_policy(now))?.digest()?;
    let subject = DistinguishedName::of_authority(&AuthorityName {
        country: operator.country.clone(),
        organisation: operator.name.clone(),
        identifier: operator.identifier.clone(),
        common_name: common_name.clone(),
    })?;
    let public = PublicKey::parse(&key.public_key)?;
    let validity = Validity::days(now, days).capped(issuer.validity.not_after);
    let paper = Paper {
        authority: authority.id.clone(),
        signing_key: authority.key.clone(),
        profile: content.profile(),
        key: key.id.clone(),
        seal: None,
        common_name: common_name.as_str().to_owned(),
        sealing_not_after: uses_until,
        policy,
    };
    let order = |serial| Order {
        serial,
        validity,
        subject: subject.clone(),
        key: public.clone(),
        issuer: issuer.clone(),
        content: content.clone(),
    };
    sign_certificate(env, origin, now, &paper, order, |_| Ok(()), |_, _| Ok(()))
}

fn recorded<T>(
    env: &Env,
    origin: &Origin,
    authority: &AuthorityCode,
    now: Timestamp,
    run: impl FnOnce() -> Result<T, ServiceError>,
) -> Result<T, ServiceError> {
    run().or_else(|error| {
        let refusal = error.refused()?;
        let attempt = Attempt {
            code: AuditCode::CertIssued,
            object: ObjectRef::new("authority", authority),
            organisation: None,
            policy: None,
        };
        Err(env.refuse(origin, now, attempt, refusal)?.into())
    })
}

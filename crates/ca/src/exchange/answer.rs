//! The offline side answers: every want is checked as if it were ordered here, and signed with the
//! root's key under the consent of a ceremony.

use tenkoku_domain::access::{OperateAuthority, Permit, Scope};
use tenkoku_domain::audit::{AuthorityEvent, Event, SignedCrl};
use tenkoku_domain::authority::{Authority, AuthorityCode, AuthorityName, AuthorityOrder};
use tenkoku_domain::ceremony::Consent;
use tenkoku_domain::certificate::{Certificate, CertificateState, Profile, Validity};
use tenkoku_domain::exchange::{
    Answer, BundleKind, Given, Listed, Octets, Request, Sealed, VERSION, Want,
};
use tenkoku_domain::id::{AuthorityId, KeyId};
use tenkoku_domain::key::{Key, KeyHolder, KeyRole, KeyState, OriginClass};
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::cert;
use tenkoku_pki::key::PublicKey;
use tenkoku_pki::name::DistinguishedName;
use tenkoku_pki::profile::{Content, Order};
use tenkoku_ports::Env;
use tenkoku_store::StoreError;

use super::{believe, exchange, not_believed, replayed, seal};
use crate::authority::{AuthorityError, content, load, operator_name, validity};
use crate::signing::{Paper, issuer, repository, sign_certificate};

/// Makes a new CRL of an authority. CRLs are the status service's; whoever answers brings it.
pub type CrlMaker<'a> = &'a dyn Fn(&AuthorityCode) -> Result<SignedCrl, AuthorityError>;

/// Answers a request with the key of a root, once. `typed` is the code that was compared by voice.
pub fn answer_request(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    request: &Sealed<Request>,
    typed: &str,
    consent: &Consent,
    crl: CrlMaker<'_>,
) -> Result<Sealed<Answer>, AuthorityError> {
    let now = env.clock.now();
    let wanted = &request.bundle;
    let sealer = believe(request, BundleKind::Request, wanted.v, typed)?;
    check_request(env, wanted, &sealer)?;
    let root = load(env, permit, &wanted.root)?;
    root.check_online()?;
    let mut gives = Vec::new();
    for want in &wanted.wants {
        gives.push(give(env, permit, &root, want, consent, crl)?);
    }
    let answer = Answer {
        v: VERSION,
        id: wanted.id.clone(),
        request: request.digest()?,
        made_at: now,
        root: root.code.clone(),
        gives,
    };
    let key = env.store.read(|tx| tx.load_key(&root.key))?;
    let public = PublicKey::parse(&key.public_key)?;
    let bundle = seal(env, BundleKind::Answer, answer, (&key.id, &public))?;
    let received = exchange(request, &wanted.id, &root.code, &sealer, now)?;
    let given_out = exchange(&bundle, &wanted.id, &root.code, &public, now)?;
    env.store.write(|tx| {
        for exchange in [received, given_out] {
            let event = AuthorityEvent::Exchanged { exchange: Box::new(exchange) };
            tx.record(permit.origin(), now, &Event::Authority(event))?;
        }
        Ok::<_, StoreError>(())
    })?;
    Ok(bundle)
}

/// The same operator, the same sealer as ever, and not answered yet.
fn check_request(env: &Env, request: &Request, sealer: &PublicKey) -> Result<(), AuthorityError> {
    if request.operator != env.settings.operator.identifier.as_str() {
        return Err(not_believed("bundle-operator").into());
    }
    let first = env.store.read(|tx| tx.first_sealer(BundleKind::Request))?;
    if first.is_some_and(|first| first != sealer.fingerprint().to_string()) {
        return Err(not_believed("bundle-sealer").into());
    }
    let answered = env.store.read(|tx| tx.find_bundle(&request.id, BundleKind::Answer))?;
    if answered.is_some() { Err(replayed().into()) } else { Ok(()) }
}

fn give(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    root: &Authority,
    want: &Want,
    consent: &Consent,
    crl: CrlMaker<'_>,
) -> Result<Given, AuthorityError> {
    match want {
        Want::Root => Ok(Given::Root { certificate: Octets(own(root)?.to_vec()) }),
        Want::Crl { revoked } => {
            note_revoked(env, permit, root, revoked)?;
            Ok(Given::Crl { crl: Octets(crl(&root.code)?.der) })
        }
        Want::Certificate { order, names, public_key } => {
            authority(env, permit, root, order, names, public_key, consent)
        }
        Want::ListSigner { names, public_key, days } => {
            let signer =
                Content::ListSigner { arc: env.settings.arc, repository: repository(env, root)? };
            let now = env.clock.now();
            let wished = Wished {
                names,
                validity: Validity::days(now, *days),
                role: KeyRole::ListSigner,
                holder: root.id.clone(),
                content: signer,
            };
            certify(env, permit, root, public_key, wished)
        }
        Want::Cross { certificate } => cross(env, permit, root, certificate),
    }
}

fn own(root: &Authority) -> Result<&[u8], AuthorityError> {
    Ok(root.certificate.as_deref().ok_or(StoreError::NotFound { what: "authority" })?)
}

/// What the online side revoked under this root is revoked here too, so that the CRL lists it.
fn note_revoked(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    root: &Authority,
    revoked: &[Listed],
) -> Result<(), AuthorityError> {
    let now = env.clock.now();
    env.store.write(|tx| {
        for listed in revoked {
            let found = tx.find_certificate(&Scope::Platform, &root.id, &listed.serial)?;
            let Some(certificate) = found else {
                return Err(AuthorityError::from(not_believed("bundle-serial")));
            };
            if matches!(certificate.state, CertificateState::Revoked(_)) {
                continue;
            }
            let event = Event::CertificateRevoked {
                certificate,
                revocation: listed.revocation.clone(),
                comment: String::new(),
            };
            tx.record(permit.origin(), now, &event)?;
        }
        Ok(())
    })
}

fn authority(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    root: &Authority,
    order: &AuthorityOrder,
    names: &AuthorityName,
    public_key: &Octets,
    _consent: &Consent,
) -> Result<Given, AuthorityError> {
    let now = env.clock.now();
    let all = env.store.read(|tx| tx.list_authorities())?;
    order.check(&all)?;
    let ours = order.issuer.as_ref() == Some(&root.code) && root.kind.may_issue(order.kind);
    if !ours || *names != operator_name(env, order) {
        return Err(not_believed("bundle-operator").into());
    }
    let content = content(env, order.kind, names, order.dedicated.as_ref(), root)?;
    let issuing = issuer(root.may_issue(now)?)?;
    let wished = Wished {
        names,
        validity: validity(order, Some(&issuing), now),
        role: KeyRole::Authority,
        holder: AuthorityId::new(now, &*env.entropy),
        content,
    };
    certify(env, permit, root, public_key, wished)
}

/// A certificate for a key of the online installation.
struct Wished<'a> {
    names: &'a AuthorityName,
    validity: Validity,
    role: KeyRole,
    holder: AuthorityId,
    content: Content,
}

fn certify(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    root: &Authority,
    public_key: &Octets,
    wished: Wished<'_>,
) -> Result<Given, AuthorityError> {
    let now = env.clock.now();
    let public = PublicKey::parse(&public_key.0)?;
    let issuing = issuer(root.may_issue(now)?)?;
    let key = known_key(env, permit, &public, wished.role, wished.holder)?;
    let order = Order {
        serial: root.serial.clone(),
        validity: wished.validity.capped(issuing.validity.not_after),
        subject: DistinguishedName::of_authority(wished.names)?,
        key: public,
        issuer: issuing,
        content: wished.content,
    };
    let common_name = wished.names.common_name.as_str().to_owned();
    Ok(given(&sign(env, permit, root, key, common_name, &order)?))
}

fn given(certificate: &Certificate) -> Given {
    Given::Certificate { certificate: Octets(certificate.der.clone().unwrap_or_default()) }
}

/// The key under its claim: a key that received with an earlier request is the same key.
fn known_key(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    public: &PublicKey,
    role: KeyRole,
    holder: AuthorityId,
) -> Result<KeyId, AuthorityError> {
    let now = env.clock.now();
    let found = env.store.read(|tx| tx.find_key_by_fingerprint(&public.fingerprint()))?;
    if let Some(key) = found {
        // I-2: one key, one role.
        return if key.role == role { Ok(key.id) } else { Err(not_believed("bundle-key").into()) };
    }
    let key = Key {
        id: KeyId::new(now, &*env.entropy),
        role,
        holder: KeyHolder::Authority(holder),
        algorithm: public.algorithm(),
        fingerprint: public.fingerprint(),
        public_key: public.spki_der().to_vec(),
        origin: OriginClass::K0,
        state: KeyState::Proven,
        created_at: now,
    };
    let event = AuthorityEvent::KeyReceived { key: key.clone() };
    env.store.write(|tx| tx.record(permit.origin(), now, &Event::Authority(event)))?;
    Ok(key.id)
}

fn cross(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    root: &Authority,
    certificate: &Octets,
) -> Result<Given, AuthorityError> {
    let now = env.clock.now();
    let other = cert::Certificate::parse(&certificate.0)?.as_issuer()?;
    if let Some(made) = made_at_rollover(env, root, &other.key, now)? {
        return Ok(given(&made));
    }
    let issuing = issuer(root.may_issue(now)?)?;
    let holder = AuthorityId::new(now, &*env.entropy);
    let key = known_key(env, permit, &other.key, KeyRole::Authority, holder)?;
    let validity = Validity {
        not_before: now.floor().max(other.validity.not_before),
        not_after: other.validity.not_after.min(issuing.validity.not_after),
    };
    let order = Order {
        serial: root.serial.clone(),
        validity,
        subject: other.name.clone(),
        key: other.key,
        content: Content::Cross { own: other.validity, repository: repository(env, root)? },
        issuer: issuing,
    };
    let name = other.name.subject_line();
    Ok(given(&sign(env, permit, root, key, name, &order)?))
}

/// The cross-certificate that the root signed already, when it was rolled over: it is handed out
/// also by a root that issues no more.
fn made_at_rollover(
    env: &Env,
    root: &Authority,
    certified: &PublicKey,
    now: Timestamp,
) -> Result<Option<Certificate>, StoreError> {
    env.store.read(|tx| {
        let Some(key) = tx.find_key_by_fingerprint(&certified.fingerprint())? else {
            return Ok(None);
        };
        let crosses = |one: &Certificate| {
            one.profile == Profile::Cross && one.authority == root.id && one.is_live(now)
        };
        Ok(tx.certificates_of_key(&key.id)?.into_iter().find(crosses))
    })
}

fn sign(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    root: &Authority,
    key: KeyId,
    common_name: String,
    order: &Order,
) -> Result<Certificate, AuthorityError> {
    let now = env.clock.now();
    let paper = Paper {
        authority: root.id.clone(),
        signing_key: root.key.clone(),
        profile: order.content.profile(),
        key,
        seal: None,
        common_name,
        sealing_not_after: None,
        policy: env.store.read(|tx| tx.current_policy(now))?.digest()?,
    };
    let with_serial = |serial| Order { serial, ..order.clone() };
    sign_certificate(env, permit.origin(), now, &paper, with_serial, |_| Ok(()), |_, _| Ok(()))
}

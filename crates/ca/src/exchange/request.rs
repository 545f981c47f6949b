//! The online side asks: everything that waits for the root's key goes into one bundle.

use tenkoku_domain::access::{OperateAuthority, Permit};
use tenkoku_domain::audit::{AuthorityEvent, Event};
use tenkoku_domain::authority::{
    Authority, AuthorityCode, AuthorityKind, AuthorityName, AuthorityOrder, AuthorityState, Custody,
};
use tenkoku_domain::exchange::{BundleKind, Listed, Octets, Request, Sealed, VERSION, Want};
use tenkoku_domain::id::ExchangeId;
use tenkoku_domain::key::{Key, KeyAlgorithm, KeyHolder, KeyRole};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_pki::key::PublicKey;
use tenkoku_ports::Env;
use tenkoku_store::StoreError;

use super::{exchange, seal};
use crate::authority::{AuthorityError, dedication, generate, load};
use crate::signer::{WantedListSigner, list_signer_names, missing_list_signers};

/// What is asked of an offline root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestOrder {
    /// The root.
    pub root: AuthorityCode,
    /// Another root that it shall certify.
    pub cross: Option<AuthorityCode>,
}

/// Makes a request for everything that waits for the key of an offline root: certificates of
/// authorities whose key was made here, the list signer's, and a new CRL. A root that is not known
/// here yet is asked for its certificate.
pub fn request_signatures(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    order: &RequestOrder,
) -> Result<Sealed<Request>, AuthorityError> {
    let now = env.clock.now();
    let wants = match env.store.read(|tx| tx.find_authority(order.root.as_str()))? {
        Some(_) => {
            let root = load(env, permit, &order.root)?;
            if root.custody != Custody::Offline {
                return Err(Refusal::new(RefusalCode::StateConflict, "12.4")
                    .with("problem", "online")
                    .into());
            }
            wanted(env, permit, &root, order)?
        }
        None => vec![Want::Root, Want::Crl { revoked: Vec::new() }],
    };
    let key = exchange_key(env, permit)?;
    let public = PublicKey::parse(&key.public_key)?;
    let request = Request {
        v: VERSION,
        id: ExchangeId::new(now, &*env.entropy),
        made_at: now,
        operator: env.settings.operator.identifier.to_string(),
        root: order.root.clone(),
        wants,
    };
    let id = request.id.clone();
    let sealed = seal(env, BundleKind::Request, request, (&key.id, &public))?;
    let made = exchange(&sealed, &id, &order.root, &public, now)?;
    let event = AuthorityEvent::Exchanged { exchange: Box::new(made) };
    env.store.write(|tx| tx.record(permit.origin(), now, &Event::Authority(event)))?;
    Ok(sealed)
}

fn wanted(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    root: &Authority,
    order: &RequestOrder,
) -> Result<Vec<Want>, AuthorityError> {
    let all = env.store.read(|tx| tx.list_authorities())?;
    let mut wants = Vec::new();
    for waiting in all
        .iter()
        .filter(|a| a.issuer.as_ref() == Some(&root.id) && a.state == AuthorityState::Ceremony)
    {
        wants.push(certificate(env, permit, waiting, &all)?);
    }
    if is_newest_root(root, &all) {
        wants.extend(list_signers(env, permit, root)?);
    }
    if let Some(code) = &order.cross {
        let other = load(env, permit, code)?;
        let der = other.certificate.ok_or(StoreError::NotFound { what: "authority" })?;
        wants.push(Want::Cross { certificate: Octets(der) });
    }
    let revoked = env.store.read(|tx| tx.revoked_entries(&root.id))?;
    let listed =
        |e: tenkoku_store::RevokedEntry| Listed { serial: e.serial, revocation: e.revocation };
    wants.push(Want::Crl { revoked: revoked.into_iter().map(listed).collect() });
    Ok(wants)
}

/// The list is signed below the newest generation of roots; an earlier one may issue no more.
fn is_newest_root(root: &Authority, all: &[Authority]) -> bool {
    let roots = all.iter().filter(|a| a.kind == AuthorityKind::Root);
    roots.max_by_key(|a| a.generation).is_some_and(|newest| newest.id == root.id)
}

fn certificate(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    waiting: &Authority,
    all: &[Authority],
) -> Result<Want, AuthorityError> {
    let key = env.store.read(|tx| tx.load_key(&waiting.key))?;
    let code_of = |id: &Option<tenkoku_domain::id::AuthorityId>| {
        all.iter().find(|a| Some(&a.id) == id.as_ref()).map(|a| a.code.clone())
    };
    Ok(Want::Certificate {
        order: Box::new(AuthorityOrder {
            code: waiting.code.clone(),
            kind: waiting.kind,
            generation: waiting.generation,
            common_name: waiting.name.common_name.clone(),
            algorithm: waiting.algorithm,
            validity_days: None,
            issuer: code_of(&waiting.issuer),
            dedicated: dedication(env, permit, waiting)?,
            predecessor: None,
            crl_shards: waiting.crl_shards,
        }),
        names: waiting.name.clone(),
        public_key: Octets(key.public_key),
    })
}

/// The signers of trusted lists that are missing: their keys are made here.
fn list_signers(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    root: &Authority,
) -> Result<Vec<Want>, AuthorityError> {
    let now = env.clock.now();
    let missing = env.store.read(|tx| missing_list_signers(tx, root, now))?;
    let want = |signer: WantedListSigner| {
        let names: AuthorityName = list_signer_names(env, now, signer)?;
        let holder = KeyHolder::Authority(root.id.clone());
        let key = made(env, permit, KeyRole::ListSigner, holder)?;
        let public_key = Octets(key.public_key);
        Ok(Want::ListSigner { names, public_key, days: signer.days })
    };
    missing.into_iter().map(want).collect()
}

/// The key that seals this installation's requests; made with the first of them.
fn exchange_key(env: &Env, permit: &Permit<OperateAuthority>) -> Result<Key, AuthorityError> {
    if let Some(key) = env.store.read(|tx| tx.newest_key(KeyRole::Exchange))? {
        return Ok(key);
    }
    let holder = KeyHolder::Scheme(env.settings.scheme.code.clone());
    made(env, permit, KeyRole::Exchange, holder)
}

fn made(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    role: KeyRole,
    holder: KeyHolder,
) -> Result<Key, AuthorityError> {
    let now = env.clock.now();
    let made = generate(env, permit.origin(), role, holder, KeyAlgorithm::P384)?;
    env.store.write(|tx| tx.record(permit.origin(), now, &made.event()))?;
    Ok(made.key)
}

//! Signs the list and publishes it: composed, checked, signed, verified, recorded; live with the
//! record. The former sequence stays at its own address.

use serde_json::json;
use tenkoku_domain::access::{Permit, PublishList};
use tenkoku_domain::audit::Event;
use tenkoku_domain::authority::{Authority, AuthorityKind};
use tenkoku_domain::canonical::{CanonicalError, Digest};
use tenkoku_domain::certificate::{Certificate as Record, Profile};
use tenkoku_domain::time::Timestamp;
use tenkoku_domain::trusted_list::PublishedList;
use tenkoku_keys::{Body, KeyError};
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};
use tenkoku_tsl::algorithm::SignatureAlgorithm;
use tenkoku_tsl::certificate::{Certificate, CertificateError, KeyKind};
use tenkoku_tsl::rules::{Broken, lint};
use tenkoku_tsl::sign::{SignError, prepare};
use tenkoku_tsl::verify::{Refusal as ListRefusal, verify};

use crate::compose::{ComposeError, NEXT_UPDATE_DAYS, Since, compose, is_listed};

/// Days before NextUpdate at which a list without changes is issued again.
const REISSUE_LEAD_DAYS: i64 = 60;

/// Why no list was published; the former one stays live.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// There is no list signer that is valid now.
    #[error("there is no list signer that is valid now")]
    NoSigner,
    /// The signer's key is of a kind that lists are not signed with.
    #[error("the list signer's key is of a kind that lists are not signed with")]
    SignerKey,
    /// The parts do not make a list.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// The list breaks clauses of the standard.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// The list could not be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The key store did not sign.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// A stored certificate cannot be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The stored list cannot be read back.
    #[error("the list that is live cannot be read back: {0}")]
    Live(#[from] ListRefusal),
    /// The content has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the next list rests on.
struct Ground {
    authorities: Vec<Authority>,
    live: Option<PublishedList>,
    signer: Option<Record>,
}

/// Publishes a new sequence, whether or not anything changed.
pub fn publish_list(
    env: &Env,
    permit: &Permit<PublishList>,
) -> Result<PublishedList, PublishError> {
    let now = env.clock.now();
    let ground = env.store.read(|tx| load(env, tx, now))?;
    let list = sign(env, &ground, now)?;
    let event = Event::ListPublished { list: list.clone() };
    env.store.write(|tx| tx.record(permit.origin(), now, &event))?;
    Ok(list)
}

/// Publishes a new sequence when an authority is not yet as listed, or when NextUpdate is near;
/// gives it, or `None` when the live list still serves.
pub fn renew_list(
    env: &Env,
    permit: &Permit<PublishList>,
) -> Result<Option<PublishedList>, PublishError> {
    let now = env.clock.now();
    let ground = env.store.read(|tx| load(env, tx, now))?;
    let content = content(env, &ground.authorities)?;
    let serves = ground.live.is_some_and(|live| {
        live.content == content && live.next_update.plus_days(-REISSUE_LEAD_DAYS) > now
    });
    if serves { Ok(None) } else { publish_list(env, permit).map(Some) }
}

fn load(env: &Env, tx: &mut Tx<'_>, now: Timestamp) -> Result<Ground, StoreError> {
    let authorities = tx.list_authorities()?;
    let mut signer = None;
    for root in authorities.iter().filter(|a| a.kind == AuthorityKind::Root) {
        signer = signer.or(tx.current_signer(&root.id, Profile::ListSigner, now)?);
    }
    Ok(Ground { live: tx.latest_list(&env.settings.scheme.code)?, authorities, signer })
}

fn sign(env: &Env, ground: &Ground, now: Timestamp) -> Result<PublishedList, PublishError> {
    let record = ground.signer.as_ref().ok_or(PublishError::NoSigner)?;
    let signer = Certificate::from_der(record.der.as_deref().unwrap_or_default())?;
    let algorithm = match signer.key() {
        KeyKind::P256 => SignatureAlgorithm::EcdsaP256Sha256,
        KeyKind::P384 => SignatureAlgorithm::EcdsaP384Sha384,
        KeyKind::Rsa { .. } => SignatureAlgorithm::RsaSha512,
        KeyKind::P521 | KeyKind::Other => return Err(PublishError::SignerKey),
    };
    let sequence = ground.live.as_ref().map_or(1, |live| live.sequence + 1);
    // Two lists never carry the same instant: the second waits in time, not in the queue.
    let after = ground.live.as_ref().map_or(now, |live| live.issued_at.plus_seconds(1));
    let at = now.floor().max(after.floor());
    let number = u64::try_from(sequence).unwrap_or(1);
    let since = since(ground.live.as_ref())?;
    let list = lint(compose(env, &ground.authorities, &since, number, at)?)?;
    let prepared = prepare(list, signer, algorithm, at)?;
    let signature = env.keys.sign(&record.key, &Body::List(&prepared))?;
    let xml = prepared.finish(&signature)?;
    Ok(PublishedList {
        scheme: env.settings.scheme.code.clone(),
        sequence,
        issued_at: at,
        next_update: at.plus_days(NEXT_UPDATE_DAYS),
        signer: record.key.clone(),
        digest: Digest::of(&xml),
        content: content(env, &ground.authorities)?,
        xml,
    })
}

/// Since when each service has its status, as the live list says: a status is never made to begin
/// earlier or later by a reissue (TS 119 612, 5.5.5).
fn since(live: Option<&PublishedList>) -> Result<Since, ListRefusal> {
    let Some(live) = live else { return Ok(Since::new()) };
    let verified = verify(&live.xml)?;
    let starts = verified.list().services().flat_map(|(_, service)| {
        let start = service.status_start;
        service.identity.certificates().map(move |found| (found.der().to_vec(), start))
    });
    Ok(starts.collect())
}

/// The digest of what the list says about the scheme and its authorities.
fn content(env: &Env, authorities: &[Authority]) -> Result<Digest, CanonicalError> {
    let listed: Vec<_> = authorities
        .iter()
        .filter(|authority| is_listed(authority))
        .map(|authority| {
            let der = authority.certificate.as_deref().unwrap_or_default();
            json!({ "certificate": Digest::of(der), "state": authority.state })
        })
        .collect();
    let operator = &env.settings.operator;
    let scheme = &env.settings.scheme;
    Digest::of_json(&json!({
        "address": env.settings.public_address.as_str(),
        "authorities": listed,
        "operator": [operator.name.as_str(), operator.name_ja.as_str(), operator.name_latn.as_str(),
            operator.street, operator.locality, operator.postal_code, operator.email,
            operator.website],
        "scheme": [scheme.code, scheme.territory, scheme.name_en, scheme.name_ja, scheme.name_latn],
    }))
}

//! Discovery documents (RO-5): for an organisation, or a branch of one, every credential that is
//! live, retired or revoked, with its dates, so that whoever relies on it can follow a rotation
//! without being told. Signed by the signer of documents; no names of people.
//!
//! A document is signed when what it says has changed, or when half of its day is over.

use serde_json::{Value, json};
use tenkoku_domain::access::Scope;
use tenkoku_domain::branch::BranchCode;
use tenkoku_domain::canonical::{CanonicalError, Digest};
use tenkoku_domain::certificate::{Certificate, CertificateState, Profile};
use tenkoku_domain::id::AuthorityId;
use tenkoku_domain::time::Timestamp;
use tenkoku_keys::{Body, KeyError};
use tenkoku_pki::jws::{JwsError, lint};
use tenkoku_ports::Env;
use tenkoku_store::{CertificateFilter, Discovery, StoreError, Tx};

/// How long a document is good, in days.
const GOOD_DAYS: i64 = 1;
/// Seconds after which a document is signed anew though nothing changed: half of its time.
const RENEW_SECONDS: i64 = 43_200;
/// Certificates read at once.
const PAGE: i64 = 500;

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// There is no signer of documents that is valid now.
    #[error("there is no signer of documents that is valid now")]
    NoSigner,
    /// The document or its signer does not pass its checks.
    #[error(transparent)]
    Document(#[from] JwsError),
    /// The content has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// The key store did not sign.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whose credentials are asked for: an organisation by its identifier, and one of its branches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The organisation's identifier: `NTRJP-…`.
    pub organisation: String,
    /// The branch's code; `None` for the organisation with all its branches.
    pub branch: Option<String>,
}

/// Who signs, with the certificates up to the root, DER.
struct Signer {
    record: Certificate,
    chain: Vec<Vec<u8>>,
}

/// What a document rests on.
struct Ground {
    place: String,
    said: Value,
    cached: Option<Discovery>,
    signer: Option<Signer>,
}

/// The signed document of a place; `None` where there is no such organisation or branch.
pub fn discover(env: &Env, place: &Place) -> Result<Option<Discovery>, DiscoveryError> {
    let now = env.clock.now();
    let Some(ground) = env.store.read(|tx| load(env, tx, place, now))? else { return Ok(None) };
    let content = Digest::of_json(&ground.said)?;
    let serves =
        |one: &Discovery| one.content == content && one.issued_at.plus_seconds(RENEW_SECONDS) > now;
    if let Some(cached) = ground.cached.filter(serves) {
        return Ok(Some(cached));
    }
    let Signer { record, chain } = ground.signer.ok_or(DiscoveryError::NoSigner)?;
    let mut document = ground.said;
    if let Value::Object(members) = &mut document {
        members.insert("issued_at".to_owned(), json!(now.floor().to_string()));
        let next = now.floor().plus_days(GOOD_DAYS);
        members.insert("next_update".to_owned(), json!(next.to_string()));
    }
    let linted = lint(&document, &chain)?;
    let signature = env.keys.sign(&record.key, &Body::Document(&linted))?;
    let made = Discovery { content, issued_at: now, document: linted.assemble(&signature)? };
    env.store.write(|tx| tx.keep_discovery(&ground.place, &made))?;
    Ok(Some(made))
}

fn load(
    env: &Env,
    tx: &mut Tx<'_>,
    place: &Place,
    now: Timestamp,
) -> Result<Option<Ground>, StoreError> {
    let scope = Scope::Platform;
    let found = tx.find_organisation_by_identifier(&scope, &place.organisation)?;
    let Some(organisation) = found else { return Ok(None) };
    let mut filter = CertificateFilter {
        organisation: Some(organisation.id.clone()),
        ..CertificateFilter::default()
    };
    if let Some(code) = &place.branch {
        let Ok(code) = BranchCode::parse(code) else { return Ok(None) };
        let Some(branch) = tx.find_branch_by_code(&scope, &organisation.id, &code)? else {
            return Ok(None);
        };
        filter.branch = Some(branch.id);
    }
    let mut credentials = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = tx.list_certificates(&scope, &filter, after.as_deref(), PAGE)?;
        for certificate in &page.items {
            credentials.extend(credential(env, tx, certificate, now)?);
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let branch = place.branch.as_deref();
    let key = format!("{}/{}", place.organisation, branch.unwrap_or_default());
    Ok(Some(Ground {
        said: json!({
            "v": 1,
            "kind": "discovery",
            "issuer": env.settings.public_address.as_str(),
            "organisation": place.organisation,
            "branch": branch,
            "credentials": credentials,
        }),
        cached: tx.find_discovery(&key)?,
        signer: signer(tx, now)?,
        place: key,
    }))
}

/// One credential, as relying parties may see it: signed, and of a seal.
fn credential(
    env: &Env,
    tx: &mut Tx<'_>,
    certificate: &Certificate,
    now: Timestamp,
) -> Result<Option<Value>, StoreError> {
    let (Some(seal), Some(_)) = (&certificate.seal, &certificate.der) else { return Ok(None) };
    let Some((branch, level, number)) = tx.find_instance(&seal.instance)? else { return Ok(None) };
    let branch = tx.load_branch(&Scope::Platform, &branch)?;
    let authority = tx.load_authority(&certificate.authority)?;
    let key = tx.load_key(&certificate.key)?;
    let life = tx.load_key_life(&certificate.key)?;
    let state = match &certificate.state {
        CertificateState::Revoked(_) => "revoked",
        _ if certificate.is_expired(now) => "expired",
        CertificateState::Pending => return Ok(None),
        CertificateState::Issued => "issued",
        CertificateState::Held(_) | CertificateState::Suspended(_) => "suspended",
        CertificateState::Active => "live",
        CertificateState::Retired => "retired",
    };
    let revocation = certificate.state.revocation();
    let at = |at: Option<Timestamp>| at.map(|at| at.floor().to_string());
    let base = env.settings.public_address.as_str();
    Ok(Some(json!({
        "authority": authority.code,
        "serial": certificate.serial,
        "branch": branch.code,
        "instance": number,
        "level": level,
        "key": key.fingerprint,
        "state": state,
        "not_before": certificate.validity.not_before.to_string(),
        "not_after": certificate.validity.not_after.to_string(),
        "sealing_not_after": at(certificate.sealing_not_after),
        "retired_at": at(life.retired_at),
        "destroyed_at": at(life.destroyed_at),
        "revoked_at": at(revocation.map(|one| one.at)),
        "invalid_since": at(revocation.and_then(|one| one.invalid_since)),
        "reason": revocation.map(|one| one.cause.reason().name()),
        "certificate": format!("{base}/find/certificate/{}/{}.pem", authority.code, certificate.serial),
    })))
}

/// The signer of documents with the certificates above it.
fn signer(tx: &mut Tx<'_>, now: Timestamp) -> Result<Option<Signer>, StoreError> {
    for authority in tx.list_authorities()? {
        let Some(found) = tx.current_signer(&authority.id, Profile::AuditSigner, now)? else {
            continue;
        };
        let mut chain = vec![found.der.clone().unwrap_or_default()];
        let mut next: Option<AuthorityId> = Some(authority.id);
        while let Some(id) = next {
            let above = tx.load_authority(&id)?;
            chain.extend(above.certificate);
            // A hierarchy has three stages; five is more than any.
            next = above.issuer.filter(|_| chain.len() < 5);
        }
        return Ok(Some(Signer { record: found, chain }));
    }
    Ok(None)
}

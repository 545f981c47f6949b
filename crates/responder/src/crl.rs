//! Issues CRLs and keeps the newest one at hand.
//!
//! A list is stale when a status changed since it was made, or when its time is up; whoever asks
//! for it then gets a new one, so a revocation shows at once.

use tenkoku_domain::access::{Permit, PublishStatus};
use tenkoku_domain::audit::{Event, IssuedCrl};
use tenkoku_domain::authority::{Authority, AuthorityCode, AuthorityState, Custody, NEVER};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_keys::{Body, KeyError};
use tenkoku_pki::cert::{Certificate, CertificateError};
use tenkoku_pki::crl::{CrlOrder, EncodedEntry, Entry, draft, lint};
use tenkoku_pki::key::KeyError as PublicKeyError;
use tenkoku_pki::lint::LintFailed;
use tenkoku_pki::signed::AssembleError;
use tenkoku_ports::Env;
use tenkoku_store::StoreError;

/// A list is made anew every 24 hours (DOMAIN 13).
const REISSUE_DAYS: i64 = 1;
/// How often a list is signed again when another process was faster with an older one.
const ATTEMPTS: usize = 3;

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum CrlError {
    /// The authority has no certificate yet, or none of this name exists for the asker.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The list did not pass its lint.
    #[error(transparent)]
    Lint(#[from] LintFailed),
    /// The key store did not sign.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// What came back is no signature over the list.
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    /// The authority's stored certificate cannot be read.
    #[error("the authority's certificate cannot be read: {0}")]
    StoredCertificate(#[from] CertificateError),
    /// The authority's stored key cannot be read.
    #[error("the authority's key cannot be read: {0}")]
    StoredKey(#[from] PublicKeyError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The list of an authority as relying parties get it; a new one when the present one is stale.
///
/// When a new one cannot be made the present one is given as long as it is not expired: status
/// answers go on while a key store is away (DOMAIN 13).
pub fn current_crl(env: &Env, code: &AuthorityCode) -> Result<IssuedCrl, CrlError> {
    let now = env.clock.now();
    let authority = load(env, code)?;
    let (present, revision) = env.store.read(|tx| {
        let present = tx.latest_crl(&authority.id)?;
        Ok::<_, StoreError>((present, tx.revocation_revision(&authority.id)?))
    })?;
    let present = match present {
        // The last list of an authority that ended, or of one whose key is elsewhere.
        Some(crl) if is_given(&authority, &crl, now) => return Ok(crl),
        Some(crl) if !is_stale(&crl, revision, now) => return Ok(crl),
        present => present,
    };
    let permit = env.system("responder").permit::<PublishStatus>(now)?;
    match (issue_crl(env, &permit, code), present) {
        (Ok(crl), _) => Ok(crl),
        (Err(error), Some(crl)) if crl.next_update > now => {
            tracing::error!(authority = %code, %error, "the new CRL was not issued; the present one is served");
            Ok(crl)
        }
        (Err(error), _) => Err(error),
    }
}

/// Issues a new list now.
///
/// When another process issues one at the same time, its list is given if it tells as much.
pub fn issue_crl(
    env: &Env,
    permit: &Permit<PublishStatus>,
    code: &AuthorityCode,
) -> Result<IssuedCrl, CrlError> {
    let now = env.clock.now();
    let authority = load(env, code)?;
    authority.check_online()?;
    let next_update = now.floor().plus_days(authority.kind.crl_days());
    for _ in 0..ATTEMPTS {
        let crl = sign(env, &authority, now, next_update)?;
        let issued = Event::CrlIssued { crl: crl.clone() };
        match env.store.write(|tx| tx.record(permit.origin(), now, &issued)) {
            Ok(_) => return Ok(crl),
            Err(StoreError::Conflict { .. }) => {
                let other = env.store.read(|tx| tx.latest_crl(&authority.id))?;
                if let Some(other) = other.filter(|other| other.revision >= crl.revision) {
                    return Ok(other);
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Busy.into())
}

/// Whether there is nothing newer to be had here: the last list, good for ever, or the list that an
/// offline key signed, as long as it is good.
fn is_given(authority: &Authority, crl: &IssuedCrl, now: Timestamp) -> bool {
    crl.next_update == NEVER || (authority.custody == Custody::Offline && crl.next_update > now)
}

/// Issues the last list of an authority that is about to end: its nextUpdate never comes (DOMAIN
/// 13). One that is there already is given.
pub fn issue_last_crl(
    env: &Env,
    permit: &Permit<PublishStatus>,
    code: &AuthorityCode,
) -> Result<IssuedCrl, CrlError> {
    let now = env.clock.now();
    let authority = load(env, code)?;
    let present = env.store.read(|tx| tx.latest_crl(&authority.id))?;
    if let Some(last) = present.filter(|crl| crl.next_update == NEVER) {
        return Ok(last);
    }
    let crl = sign(env, &authority, now, NEVER)?;
    let issued = Event::CrlIssued { crl: crl.clone() };
    env.store.write(|tx| tx.record(permit.origin(), now, &issued))?;
    Ok(crl)
}

fn load(env: &Env, code: &AuthorityCode) -> Result<Authority, CrlError> {
    let found = env.store.read(|tx| tx.find_authority(code.as_str()))?;
    let authority = found.ok_or(StoreError::NotFound { what: "authority" })?;
    match authority.state {
        // The old generation keeps signing its lists (RO-4).
        // One that ended keeps its last list.
        AuthorityState::Active
        | AuthorityState::Suspended
        | AuthorityState::Retiring
        | AuthorityState::Ended => Ok(authority),
        AuthorityState::Planned | AuthorityState::Ceremony | AuthorityState::Certified => {
            Err(Refusal::new(RefusalCode::AuthorityNotActive, "6.7")
                .with("authority", code)
                .with("state", authority.state)
                .into())
        }
    }
}

fn is_stale(crl: &IssuedCrl, revision: i64, now: Timestamp) -> bool {
    crl.revision < revision || crl.this_update.plus_days(REISSUE_DAYS) <= now
}

fn sign(
    env: &Env,
    authority: &Authority,
    now: Timestamp,
    next_update: Timestamp,
) -> Result<IssuedCrl, CrlError> {
    let der = authority.certificate.as_deref().unwrap_or_default();
    let issuer = Certificate::parse(der)?.as_issuer()?;
    let (revision, entries, previous) = env.store.read(|tx| {
        // The revision is read first: a change in between is told early rather than lost.
        let revision = tx.revocation_revision(&authority.id)?;
        let entries = tx.revoked_entries(&authority.id)?;
        Ok::<_, StoreError>((revision, entries, tx.latest_crl(&authority.id)?))
    })?;
    let encoded: Vec<EncodedEntry> =
        entries.iter().map(|e| Entry::of(e.serial.clone(), &e.revocation).encode()).collect();
    let previous = previous.map_or(0, |crl| crl.number);
    let order = CrlOrder {
        issuer: &issuer,
        number: u64::try_from(previous + 1).unwrap_or_default(),
        previous: u64::try_from(previous).ok().filter(|number| *number > 0),
        this_update: now.floor(),
        next_update,
        // Expired certificates stay on the list, from the authority's first day.
        expired_since: Some(authority.validity.not_before),
        entries: &encoded,
    };
    let linted = lint(draft(&order), &order)?;
    let signature = env.keys.sign(&authority.key, &Body::Crl(&linted))?;
    let (this_update, next_update) = (order.this_update, order.next_update);
    Ok(IssuedCrl {
        authority: authority.id.clone(),
        number: previous + 1,
        this_update,
        next_update,
        revision,
        entries: i64::try_from(encoded.len()).unwrap_or(i64::MAX),
        der: linted.assemble(&signature)?,
    })
}

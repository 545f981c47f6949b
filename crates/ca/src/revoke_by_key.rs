//! Revokes at the word of the key itself, without signing in (RV-3): whoever signs the text
//! "revoke" with the certified key holds it, and whoever holds it may say that it is exposed.
//!
//! The text names the certificate and the instant at which it was asked for; the platform keeps
//! nothing until the signature is there. A text that is signed twice revokes once.

use serde_json::json;
use tenkoku_domain::access::{Permit, Principal, Revoke, Scope};
use tenkoku_domain::audit::{AuditCode, ObjectRef};
use tenkoku_domain::authority::{Authority, AuthorityCode};
use tenkoku_domain::canonical::{CanonicalError, canonical};
use tenkoku_domain::certificate::{Certificate, Serial};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::revocation::Cause;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::cms::DetachedSignature;
use tenkoku_ports::{Attempt, Env};
use tenkoku_store::{StoreError, Tx};

use crate::revoke::{RevokeError, RevokeOrder, revoke_certificate};

/// How long after it was given out a text may come back signed, in seconds: a day.
pub const GOOD_SECONDS: i64 = 86_400;
/// How far the signer's clock may be ahead, in seconds.
const SKEW_SECONDS: i64 = 300;

/// The word of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyWord {
    /// The code of the issuing authority.
    pub authority: String,
    /// The serial number.
    pub serial: Serial,
    /// The instant in the signed text.
    pub at: Timestamp,
    /// A detached signature over the text, with the certificate enclosed (CMS; PEM or DER).
    pub signature: Vec<u8>,
}

/// What the key must sign: canonical JSON (RFC 8785).
pub fn revocation_text(
    authority: &AuthorityCode,
    serial: &Serial,
    at: Timestamp,
) -> Result<String, CanonicalError> {
    canonical(&json!({
        "act": "revoke",
        "at": at.floor().to_string(),
        "authority": authority,
        "cause": Cause::KeyExposed,
        "serial": serial,
    }))
}

/// The certificate of a seal by authority and serial number (AB-1).
pub fn find_seal(
    tx: &mut Tx<'_>,
    authority: &str,
    serial: &Serial,
) -> Result<(Certificate, Authority), StoreError> {
    const MISSING: StoreError = StoreError::NotFound { what: "certificate" };
    let authority = tx.find_authority(authority)?.ok_or(MISSING)?;
    let found = tx.find_certificate(&Scope::Platform, &authority.id, serial)?;
    let seal = found.filter(|one| one.seal.is_some() && one.der.is_some());
    Ok((seal.ok_or(MISSING)?, authority))
}

/// Revokes a certificate because its key said that it is exposed. `source` is the address that the
/// request came from. A word that is not the key's is recorded and refused (RV-6).
pub fn revoke_by_key(
    env: &Env,
    source: Option<String>,
    word: &KeyWord,
) -> Result<Certificate, RevokeError> {
    let now = env.clock.now();
    let (certificate, authority) =
        env.store.read(|tx| find_seal(tx, &word.authority, &word.serial))?;
    let holder = Principal { source, ..env.system("key-holder") };
    let permit: Permit<Revoke> = holder.permit(now)?;
    if let Err(refusal) = check(env, &certificate, &authority, word, now) {
        let attempt = Attempt {
            code: AuditCode::CertRevocationRefused,
            object: ObjectRef::new("certificate", &certificate.id),
            organisation: certificate.seal.map(|seal| seal.organisation),
            policy: Some(certificate.policy),
        };
        let refusal = match refusal {
            RevokeError::Refused(refusal) => refusal,
            other @ RevokeError::Store(_) => return Err(other),
        };
        return Err(env.refuse(permit.origin(), now, attempt, refusal)?.into());
    }
    let order = RevokeOrder {
        authority: authority.id,
        serial: word.serial.clone(),
        cause: Cause::KeyExposed,
        invalid_since: None,
        comment: "RV-3".to_owned(),
    };
    revoke_certificate(env, &permit, &order)
}

fn check(
    env: &Env,
    certificate: &Certificate,
    authority: &Authority,
    word: &KeyWord,
    now: Timestamp,
) -> Result<(), RevokeError> {
    let refused = |problem: &str| {
        Refusal::new(RefusalCode::PossessionNotShown, "RV-3").with("problem", problem)
    };
    let fresh =
        now.plus_seconds(-GOOD_SECONDS) < word.at && word.at <= now.plus_seconds(SKEW_SECONDS);
    if !fresh {
        return Err(refused("word-stale").into());
    }
    let text = revocation_text(&authority.code, &word.serial, word.at)
        .map_err(|_| refused("not-a-signature"))?;
    let signer = DetachedSignature::parse(&word.signature)
        .and_then(|signature| signature.verify(&text))
        .map_err(|error| Refusal { rule: "RV-3".to_owned(), ..error.refusal() })?;
    let key = env.store.read(|tx| tx.load_key(&certificate.key))?;
    if signer.fingerprint() != key.fingerprint {
        return Err(refused("word-other-key").into());
    }
    Ok(())
}

//! Revokes at a signature, without signing in (RV-3): whoever signs the text "revoke" with the
//! certified key holds it, and whoever holds it may say that it is exposed. So may the organisation's
//! representative, or a delegate whose grant says so, with a certificate of a trusted issuer.
//!
//! The text names the certificate and the instant at which it was asked for; the platform keeps
//! nothing until the signature is there. A text that is signed twice revokes once.

use serde_json::json;
use tenkoku_domain::access::{Actor, Permit, Principal, Revoke, Scope};
use tenkoku_domain::audit::{AuditCode, ObjectRef};
use tenkoku_domain::authority::{Authority, AuthorityCode};
use tenkoku_domain::canonical::{CanonicalError, canonical};
use tenkoku_domain::certificate::{Certificate, Serial};
use tenkoku_domain::grant::GrantAction;
use tenkoku_domain::id::PersonId;
use tenkoku_domain::issuer::IssuerUse;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::revocation::Cause;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::cms::DetachedSignature;
use tenkoku_ports::{Attempt, Env};
use tenkoku_store::{StoreError, Tx};

use crate::issuer::{Signatory, SignedFile, judge};
use crate::progress::seal_within_grant;
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
    /// A detached signature over the text, with the certificate enclosed; for a person's certificate
    /// with what its path needs.
    pub signed: SignedFile,
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
    let checked = check(env, &certificate, &authority, word, now);
    if let Err(refusal) = checked {
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
    let comment = match checked? {
        Signer::Key => "RV-3".to_owned(),
        Signer::Person(person) => {
            let kept =
                |tx: &mut Tx<'_>| tx.keep_attachment("application/cms", &word.signed.signature);
            let evidence = env.store.write(kept)?;
            format!("RV-3 {person} sha256:{evidence}")
        }
    };
    let order = RevokeOrder {
        authority: authority.id,
        serial: word.serial.clone(),
        cause: Cause::KeyExposed,
        invalid_since: None,
        comment,
    };
    revoke_certificate(env, &permit, &order)
}

/// Who gave the word.
enum Signer {
    /// The certified key itself.
    Key,
    /// A person who may order the revocation.
    Person(PersonId),
}

fn check(
    env: &Env,
    certificate: &Certificate,
    authority: &Authority,
    word: &KeyWord,
    now: Timestamp,
) -> Result<Signer, RevokeError> {
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
    let signer = DetachedSignature::parse(&word.signed.signature)
        .and_then(|signature| signature.verify(&text))
        .map_err(|error| Refusal { rule: "RV-3".to_owned(), ..error.refusal() })?;
    let key = env.store.read(|tx| tx.load_key(&certificate.key))?;
    if signer.fingerprint() == key.fingerprint {
        return Ok(Signer::Key);
    }
    let person =
        env.store.read(|tx| find_person(env, tx, certificate, (&word.signed, &text), now))?;
    Ok(Signer::Person(person.ok_or_else(|| refused("word-other-key"))?))
}

/// Whoever signed with a certificate of a trusted issuer that names the organisation and him or her:
/// its representative, or a delegate who may revoke this seal.
fn find_person(
    env: &Env,
    tx: &mut Tx<'_>,
    certificate: &Certificate,
    signed: (&SignedFile, &str),
    now: Timestamp,
) -> Result<Option<PersonId>, StoreError> {
    let Some(seal) = &certificate.seal else { return Ok(None) };
    let organisation = tx.load_organisation(&Scope::Platform, &seal.organisation)?;
    let judged = judge(tx, IssuerUse::Representative, &organisation.id, signed, now)?;
    let Ok(Signatory { holder, .. }) = judged else { return Ok(None) };
    if !holder.is_of(organisation.identifier.as_str(), organisation.legal_name.as_str()) {
        return Ok(None);
    }
    for office in tx.list_representatives(&Scope::Platform, &organisation.id)? {
        let person = tx.load_person(&office.person)?;
        if office.holds(now) && holder.is_called(person.name.as_str()) {
            return Ok(Some(person.id));
        }
    }
    for office in tx.list_delegates(&Scope::Platform, &organisation.id)? {
        let person = tx.load_person(&office.person)?;
        if !office.holds(now) || !holder.is_called(person.name.as_str()) {
            continue;
        }
        for account in tx.accounts_of_person(&person.id)? {
            let actor = Actor::user(&account.id, "signature");
            let action = GrantAction::Revoke;
            if seal_within_grant(env, tx, &actor, certificate, action, now)?.is_ok() {
                return Ok(Some(person.id));
            }
        }
    }
    Ok(None)
}

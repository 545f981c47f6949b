//! Answers OCSP requests (RFC 6960, RFC 9654): the status is read from the store, the answer signed
//! by the authority's delegated signer.
//!
//! "Good" is said only of a serial number that the authority issued; of any other the responder
//! says `unauthorized` (RFC 9919: no record).

use tenkoku_domain::authority::{Authority, AuthorityCode};
use tenkoku_domain::certificate::{CertificateState, Profile, Serial};
use tenkoku_domain::time::Timestamp;
use tenkoku_keys::{Body, KeyError};
use tenkoku_pki::cert::{Certificate, CertificateError};
use tenkoku_pki::key::KeyError as PublicKeyError;
use tenkoku_pki::lint::LintFailed;
use tenkoku_pki::ocsp::{
    self, AnswerOrder, CertId, IssuerHashes, Request, Single, Status, draft, lint,
};
use tenkoku_pki::signed::AssembleError;
use tenkoku_ports::Env;
use tenkoku_store::StoreError;

/// How long an answer is good for, in seconds: 24 hours (DOMAIN 13).
const ANSWER_SECONDS: i64 = 24 * 3600;

/// An answer, with what HTTP caches need to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The OCSPResponse, DER.
    pub der: Vec<u8>,
    /// From when until when it may be cached; `None` for an answer with a nonce or an error.
    pub cacheable: Option<(Timestamp, Timestamp)>,
}

impl Answered {
    fn error(der: &[u8]) -> Self {
        Self { der: der.to_vec(), cacheable: None }
    }
}

/// Why no answer could be made; the client hears `tryLater` or `internalError`.
#[derive(Debug, thiserror::Error)]
enum AnswerError {
    #[error("the authority has no OCSP signer that is valid now")]
    NoSigner,
    #[error(transparent)]
    Lint(#[from] LintFailed),
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    #[error("a stored certificate cannot be read: {0}")]
    StoredCertificate(#[from] CertificateError),
    #[error("a stored key cannot be read: {0}")]
    StoredKey(#[from] PublicKeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Answers a request that came to the address of an authority. Always an OCSPResponse, never a
/// failure: what goes wrong inside is logged and told as `tryLater`.
pub fn answer(env: &Env, code: &AuthorityCode, request: &[u8]) -> Answered {
    let Ok(request) = Request::parse(request) else {
        return Answered::error(ocsp::MALFORMED_REQUEST);
    };
    let now = env.clock.now();
    match answer_request(env, code, &request, now) {
        Ok(Some(answered)) => answered,
        Ok(None) => Answered::error(ocsp::UNAUTHORIZED),
        Err(error) => {
            tracing::error!(authority = %code, %error, "no OCSP answer could be made");
            Answered::error(ocsp::TRY_LATER)
        }
    }
}

/// `None` when one of the certificates asked about is not one of this authority's.
fn answer_request(
    env: &Env,
    code: &AuthorityCode,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Option<Answered>, AnswerError> {
    let Some(authority) = env.store.read(|tx| tx.find_authority(code.as_str()))? else {
        return Ok(None);
    };
    // A root has no responder: its CRL tells the status of authorities (DOMAIN 12.4).
    let (Some(_), Some(der)) = (authority.kind.level(), authority.certificate.as_deref()) else {
        return Ok(None);
    };
    let issuer = Certificate::parse(der)?;
    let key = issuer.public_key()?;
    let mut singles = Vec::new();
    let this_update = now.floor();
    for cert_id in request.cert_ids() {
        let Some(serial) = own_serial(cert_id, &issuer, &key) else {
            return Ok(None);
        };
        let Some(state) = env.store.read(|tx| tx.status_of(&authority.id, &serial))? else {
            return Ok(None);
        };
        singles.push(Single {
            cert_id: cert_id.der().to_vec(),
            status: told(&state),
            this_update,
            next_update: this_update.plus_seconds(ANSWER_SECONDS),
            archive_cutoff: Some(authority.validity.not_before),
        });
    }
    sign(env, &authority, &singles, request.nonce(), now).map(Some)
}

/// The serial number, when the CertID names this issuer under the hash it was asked with.
fn own_serial(
    cert_id: &CertId<'_>,
    issuer: &Certificate,
    key: &tenkoku_pki::key::PublicKey,
) -> Option<Serial> {
    let hashes = IssuerHashes::of(cert_id.algorithm()?, issuer.subject(), key);
    if cert_id.is_of(&hashes) { cert_id.serial() } else { None }
}

fn told(state: &CertificateState) -> Status {
    match state {
        CertificateState::Active
        | CertificateState::Issued
        | CertificateState::Retired
        | CertificateState::Pending => Status::Good,
        CertificateState::Held(revocation)
        | CertificateState::Suspended(revocation)
        | CertificateState::Revoked(revocation) => Status::of(revocation),
    }
}

fn sign(
    env: &Env,
    authority: &Authority,
    singles: &[Single],
    nonce: Option<&[u8]>,
    now: Timestamp,
) -> Result<Answered, AnswerError> {
    let signer = env
        .store
        .read(|tx| tx.current_signer(&authority.id, Profile::OcspSigner, now))?
        .ok_or(AnswerError::NoSigner)?;
    let certificate = Certificate::parse(signer.der.as_deref().unwrap_or_default())?;
    let signer_key = certificate.public_key()?;
    let order = AnswerOrder {
        signer: &certificate,
        signer_key: &signer_key,
        produced_at: now.floor(),
        singles,
        nonce,
    };
    let linted = lint(draft(&order), &order)?;
    let signature = env.keys.sign(&signer.key, &Body::Answer(&linted))?;
    let cacheable = match nonce {
        Some(_) => None,
        None => Some((now.floor(), now.floor().plus_seconds(ANSWER_SECONDS))),
    };
    Ok(Answered { der: linted.assemble(&signature)?, cacheable })
}

//! Makes and signs OCSP answers (RFC 6960, RFC 9654), and answers one request straight from the
//! store: for the command line and for checks. What a server answers with is
//! [`crate::responder::Responder`], which keeps the status in memory.
//!
//! "Good" is said only of a serial number that the authority issued; of any other `unauthorized`
//! (RFC 9919: no record) or, by setting, `revoked` with the extended-revoke extension.

use tenkoku_domain::authority::AuthorityCode;
use tenkoku_domain::certificate::CertificateState;
use tenkoku_domain::time::Timestamp;
use tenkoku_keys::{Body, KeyError};
use tenkoku_pki::cert::CertificateError;
use tenkoku_pki::key::KeyError as PublicKeyError;
use tenkoku_pki::lint::LintFailed;
use tenkoku_pki::ocsp::{self, AnswerOrder, Request, Single, Status, draft, lint};
use tenkoku_pki::signed::AssembleError;
use tenkoku_ports::Env;
use tenkoku_ports::settings::Unissued;
use tenkoku_store::StoreError;

use crate::index::Known;
use crate::issuer::{Issuer, Signer};

/// Why no answer could be made; the client hears `tryLater`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AnswerError {
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

/// Who receives an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// It is kept and given to many; the signature is verified first.
    Many,
    /// One client, which verifies it at once.
    One,
}

/// What is told about one certificate, as it was asked for.
pub(crate) fn single(
    issuer: &Issuer,
    signer: &Signer,
    cert_id: Vec<u8>,
    status: Status,
    this_update: Timestamp,
) -> Single {
    let this_update = this_update.floor();
    let status = match status {
        // A node whose clock is behind that of the deciding node says no date of the future.
        Status::Revoked { at, reason } => Status::Revoked { at: at.min(this_update), reason },
        Status::Good | Status::NeverIssued | Status::Unknown => status,
    };
    Single {
        cert_id,
        status,
        this_update,
        next_update: signer.answers_until(this_update),
        archive_cutoff: Some(issuer.since),
    }
}

/// Signs an answer. Nothing is signed that did not pass the lint.
pub(crate) fn sign(
    env: &Env,
    signer: &Signer,
    singles: &[Single],
    nonce: Option<&[u8]>,
    now: Timestamp,
    audience: Audience,
) -> Result<Vec<u8>, AnswerError> {
    let order = AnswerOrder { signer: &signer.answers, produced_at: now.floor(), singles, nonce };
    let linted = lint(draft(&order), &order)?;
    let signature = env.keys.sign(&signer.key, &Body::Answer(&linted))?;
    match audience {
        Audience::Many => Ok(linted.assemble(&signature)?),
        Audience::One => Ok(linted.assemble_for_one(&signature)),
    }
}

/// The status of what is known; `None` where nothing may be said.
pub(crate) const fn status_of(known: Option<Known>, unissued: Unissued) -> Option<Status> {
    match (known, unissued) {
        (Some(Known::Good), _) => Some(Status::Good),
        (Some(Known::Revoked { reason, at }), _) => Some(Status::Revoked { at, reason }),
        (None, Unissued::Revoked) => Some(Status::NeverIssued),
        (None, Unissued::Unauthorized) => None,
    }
}

/// Answers a request that came to the address of an authority, from the store as it is now. Always
/// an OCSPResponse, DER, never a failure: what goes wrong inside is logged and told as `tryLater`.
pub fn answer(env: &Env, code: &AuthorityCode, request: &[u8]) -> Vec<u8> {
    let Ok(request) = Request::parse(request) else {
        return ocsp::MALFORMED_REQUEST.to_vec();
    };
    let now = env.clock.now();
    match answer_request(env, code, &request, now) {
        Ok(Some(answered)) => answered,
        Ok(None) => ocsp::UNAUTHORIZED.to_vec(),
        Err(error) => {
            tracing::error!(authority = %code, %error, "no OCSP answer could be made");
            ocsp::TRY_LATER.to_vec()
        }
    }
}

/// `None` when one of the certificates asked about is not one of this authority's.
fn answer_request(
    env: &Env,
    code: &AuthorityCode,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Option<Vec<u8>>, AnswerError> {
    let Some(authority) = env.store.read(|tx| tx.find_authority(code.as_str()))? else {
        return Ok(None);
    };
    let Some(issuer) = Issuer::of(&authority, 0)? else {
        return Ok(None);
    };
    let mut told = Vec::new();
    for cert_id in request.cert_ids() {
        if !issuer.is_named(cert_id) {
            return Ok(None);
        }
        let state = match cert_id.serial() {
            Some(serial) => env.store.read(|tx| tx.status_of(&authority.id, &serial))?,
            None => None,
        };
        let known = state.as_ref().map(known_from);
        let Some(status) = status_of(known, env.settings.status.unissued) else {
            return Ok(None);
        };
        told.push((cert_id.der().to_vec(), status));
    }
    let signer = issuer.signer(env, now)?;
    let singles: Vec<Single> = told
        .into_iter()
        .map(|(cert_id, status)| single(&issuer, &signer, cert_id, status, now))
        .collect();
    sign(env, &signer, &singles, request.nonce(), now, Audience::Many).map(Some)
}

fn known_from(state: &CertificateState) -> Known {
    match state {
        CertificateState::Active
        | CertificateState::Issued
        | CertificateState::Retired
        | CertificateState::Pending => Known::Good,
        CertificateState::Held(revocation)
        | CertificateState::Suspended(revocation)
        | CertificateState::Revoked(revocation) => {
            Known::Revoked { reason: revocation.cause.reason(), at: revocation.at }
        }
    }
}

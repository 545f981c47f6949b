//! An offline root reached by bundles (UX 4.2): the online installation asks, the offline one
//! answers, the online one imports the answer.
//!
//! Every bundle is signed and has a short code that people compare. A request is answered once and
//! an answer imported once; an answer answers exactly the request it names.

mod answer;
mod import;
mod request;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tenkoku_domain::audit::Exchange;
use tenkoku_domain::authority::AuthorityCode;
use tenkoku_domain::exchange::{BundleKind, Octets, Sealed, VERSION, signed_text};
use tenkoku_domain::id::{ExchangeId, KeyId};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_keys::Body;
use tenkoku_pki::bundle;
use tenkoku_pki::key::PublicKey;
use tenkoku_ports::Env;

pub use self::answer::{CrlMaker, answer_request};
pub use self::import::{Imported, import_answer};
pub use self::request::{RequestOrder, request_signatures};
use crate::authority::AuthorityError;

/// Longest bundle, in octets.
pub const LIMIT_OCTETS: usize = 4 * 1024 * 1024;

/// Reads the file of a bundle. Whatever is wrong with it, it is not believed.
pub fn read_bundle<T: DeserializeOwned>(text: &str) -> Result<Sealed<T>, Refusal> {
    if text.len() > LIMIT_OCTETS {
        return Err(not_believed("bundle-malformed"));
    }
    serde_json::from_str(text).map_err(|_| not_believed("bundle-malformed"))
}

/// Writes the file of a bundle.
pub fn write_bundle<T: Serialize>(sealed: &Sealed<T>) -> String {
    let mut text = serde_json::json!(sealed).to_string();
    text.push('\n');
    text
}

fn not_believed(problem: &str) -> Refusal {
    Refusal::new(RefusalCode::IdentifierMismatch, "KM-19").with("problem", problem)
}

fn replayed() -> Refusal {
    Refusal::new(RefusalCode::StateConflict, "KM-19").with("problem", "bundle-replayed")
}

/// Signs a bundle with a key of this installation.
fn seal<T: Serialize>(
    env: &Env,
    kind: BundleKind,
    bundle: T,
    key: (&KeyId, &PublicKey),
) -> Result<Sealed<T>, AuthorityError> {
    let signer = Octets(key.1.spki_der().to_vec());
    let prepared = bundle::prepare(&signed_text(kind, &bundle, &signer)?, key.1);
    let signature = Octets(env.keys.sign(key.0, &Body::Bundle(&prepared))?);
    Ok(Sealed { kind, bundle, signer, signature })
}

/// Believes a bundle: the kind, the version, the signature, and the code that a person typed.
fn believe<T: Serialize>(
    sealed: &Sealed<T>,
    kind: BundleKind,
    version: u8,
    typed: &str,
) -> Result<PublicKey, AuthorityError> {
    if sealed.kind != kind || version != VERSION {
        return Err(not_believed("bundle-malformed").into());
    }
    let text = sealed.signed_text()?;
    let key = bundle::verify(&text, &sealed.signer, &sealed.signature)
        .map_err(|_| not_believed("bundle-signature"))?;
    sealed.code()?.check(typed)?;
    Ok(key)
}

/// What is written down about a bundle.
fn exchange<T: Serialize>(
    sealed: &Sealed<T>,
    id: &ExchangeId,
    root: &AuthorityCode,
    signer: &PublicKey,
    at: Timestamp,
) -> Result<Exchange, AuthorityError> {
    Ok(Exchange {
        id: id.clone(),
        kind: sealed.kind,
        root: root.clone(),
        digest: sealed.digest()?,
        code: sealed.code()?,
        signer: signer.fingerprint().0,
        document: write_bundle(sealed),
        at,
    })
}

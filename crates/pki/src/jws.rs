//! JSON documents that the platform signs for relying parties (RFC 7515), in the flattened JSON form
//! with the signer's certificate chain beside the signature.
//!
//! The octets that are signed begin with the base64url of `{"alg"`, as no certificate, CRL, answer,
//! list or bundle begins, so a signature over a document is never one over anything else.
//! [`compact`] is the form for other machines. Deliberately not here: what a document says.

pub mod compact;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tenkoku_domain::canonical::{CanonicalError, canonical};
use tenkoku_domain::key::KeyAlgorithm;

use crate::asn1::{DerError, read};
use crate::cert::{Certificate, CertificateError};
use crate::key::{KeyError, PublicKey};
use crate::oid;
use crate::signature::SignatureAlgorithm;
use crate::signed::{AssembleError, Signable, sealed};

/// The media type in the protected header (RFC 7515, 4.1.9).
const TYPE: &str = "tenkoku-discovery+jws";
/// keyUsage with digitalSignature alone (RFC 5280, 4.2.1.3).
const DIGITAL_SIGNATURE: [u8; 4] = [0x03, 0x02, 0x07, 0x80];

/// Why a document is not signed.
#[derive(Debug, thiserror::Error)]
pub enum JwsError {
    /// There is no chain to put beside the signature.
    #[error("there is no certificate of the signer")]
    NoChain,
    /// A certificate of the chain cannot be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The signer's key cannot be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The signer's certificate is not one for such documents.
    #[error("the signer's certificate does not allow signatures over documents")]
    Usage,
    /// The key is of a kind that is not used here.
    #[error("documents are signed with P-256 or P-384, not {0}")]
    Algorithm(KeyAlgorithm),
    /// The document is no JSON object that says what it is.
    #[error("the document lacks {0}")]
    Lacking(&'static str),
    /// The document has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// What came back does not fit.
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    /// What came back is no ECDSA-Sig-Value.
    #[error(transparent)]
    Der(#[from] DerError),
}

/// A document that may be signed. Only [`lint`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct LintedDocument {
    protected: String,
    payload: String,
    octets: Vec<u8>,
    algorithm: SignatureAlgorithm,
    signer: PublicKey,
    half: usize,
}

impl sealed::Sealed for LintedDocument {}

impl Signable for LintedDocument {
    fn to_be_signed(&self) -> &[u8] {
        &self.octets
    }

    fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    fn signer(&self) -> &PublicKey {
        &self.signer
    }
}

/// Checks a document and its signer: the document says its version, kind and issue, the certificate
/// allows digital signatures and nothing narrower, the key is one of ES256 or ES384. `chain` is the
/// signer's certificate and those above it, DER.
pub fn lint(document: &Value, chain: &[Vec<u8>]) -> Result<LintedDocument, JwsError> {
    for member in ["v", "kind", "issued_at", "next_update"] {
        if document.get(member).is_none() {
            return Err(JwsError::Lacking(member));
        }
    }
    let signer = Certificate::parse(chain.first().ok_or(JwsError::NoChain)?)?;
    let usage = signer.extension(oid::KEY_USAGE) == Some(&DIGITAL_SIGNATURE[..]);
    if !usage || signer.extension(oid::EXT_KEY_USAGE).is_some() {
        return Err(JwsError::Usage);
    }
    let key = signer.public_key()?;
    let (name, half) = match key.algorithm() {
        KeyAlgorithm::P256 => ("ES256", 32),
        KeyAlgorithm::P384 => ("ES384", 48),
        other @ (KeyAlgorithm::Rsa2048
        | KeyAlgorithm::Rsa3072
        | KeyAlgorithm::Rsa4096
        | KeyAlgorithm::P521
        | KeyAlgorithm::MlDsa65
        | KeyAlgorithm::MlDsa87) => return Err(JwsError::Algorithm(other)),
    };
    let chain: Vec<_> = chain.iter().map(|der| STANDARD.encode(der)).collect();
    let header = canonical(&json!({ "alg": name, "typ": TYPE, "x5c": chain }))?;
    let protected = URL_SAFE_NO_PAD.encode(header);
    let payload = URL_SAFE_NO_PAD.encode(canonical(document)?);
    Ok(LintedDocument {
        octets: format!("{protected}.{payload}").into_bytes(),
        algorithm: SignatureAlgorithm::of_issuer(key.algorithm()),
        signer: key,
        protected,
        payload,
        half,
    })
}

impl LintedDocument {
    /// Verifies the signature that came back, DER, and puts it to its document: the flattened JSON
    /// form (RFC 7515, 7.2.2).
    pub fn assemble(&self, signature: &[u8]) -> Result<String, JwsError> {
        self.signer
            .verify(self.algorithm, &self.octets, signature)
            .map_err(|_| AssembleError::Signature)?;
        let mut value = read::sequence(signature)?;
        let mut raw = Vec::with_capacity(self.half * 2);
        for _ in 0..2 {
            let number = value.unsigned()?;
            let start = number.iter().position(|b| *b != 0).unwrap_or(number.len());
            let digits: Vec<u8> = number.iter().skip(start).copied().collect();
            raw.extend(std::iter::repeat_n(0, self.half.saturating_sub(digits.len())));
            raw.extend(digits);
        }
        let signature = URL_SAFE_NO_PAD.encode(raw);
        let Self { protected, payload, .. } = self;
        Ok(canonical(
            &json!({ "payload": payload, "protected": protected, "signature": signature }),
        )?)
    }
}

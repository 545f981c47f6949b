//! A list of trusted entities signed with JAdES, level B-B, compact (TS 119 182-1, TS 119 602 6.8).
//!
//! The header names the signer by its certificate (`x5c`, `x5t#S256`) and the signing time (`iat`).
//! Deliberately not here: keys, and detached or JSON-serialised signatures.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tenkoku_domain::time::Timestamp;
use thiserror::Error;

use super::{LoteError, to_json};
use crate::algorithm::{DigestAlgorithm, ForeignAlgorithm, SignatureAlgorithm};
use crate::certificate::Certificate;
use crate::rules::LintedList;
use crate::sign::{SignError, check_signer, signature_value};

/// A list in JSON that only lacks its signature value.
#[derive(Debug)]
#[must_use]
pub struct PreparedLote {
    signer: Certificate,
    algorithm: SignatureAlgorithm,
    /// Header and payload, each in base64url, with a full stop between them.
    to_be_signed: String,
}

/// A signed list in JSON whose signature holds.
#[derive(Clone, Debug)]
pub struct VerifiedLote {
    /// The certificate whose key made the signature.
    pub signer: Certificate,
    /// When the signer says that the list was signed.
    pub signing_time: Timestamp,
    /// What was signed.
    pub list: Value,
}

/// Why a signed list in JSON is refused.
#[derive(Debug, Error)]
pub enum LoteRefusal {
    /// Not three parts in base64url, or parts that are no JSON.
    #[error("it is not a signed document in compact form")]
    Form,
    /// The header lacks what it must say or says what nobody here understands.
    #[error("the header of the signature is not as JAdES prescribes")]
    Header,
    /// The algorithm is unknown, too weak, or needs a shared secret.
    #[error("the signature uses the algorithm \"{0}\"")]
    Algorithm(String),
    /// The signature was not made with the certificate's key over this header and list.
    #[error("the signature was not made with the key of its certificate")]
    Signature,
}

/// The name of an algorithm in JSON signatures (RFC 7518, 3.1).
const fn name(algorithm: SignatureAlgorithm) -> &'static str {
    match algorithm {
        SignatureAlgorithm::EcdsaP256Sha256 => "ES256",
        SignatureAlgorithm::EcdsaP384Sha384 => "ES384",
        SignatureAlgorithm::RsaSha256 => "RS256",
        SignatureAlgorithm::RsaSha512 => "RS512",
    }
}

fn by_name(wanted: &str) -> Option<SignatureAlgorithm> {
    SignatureAlgorithm::ALL.into_iter().find(|algorithm| name(*algorithm) == wanted)
}

/// Prepares the JSON form of a list for its signature; `at` becomes the signing time.
///
/// # Errors
///
/// As for the XML form: a signer that 5.7.1 refuses, an algorithm that its key does not have; and a
/// closed list, which has no JSON form.
pub fn prepare(
    list: &LintedList,
    signer: Certificate,
    algorithm: SignatureAlgorithm,
    at: Timestamp,
) -> Result<PreparedLote, SignError> {
    check_signer(list, &signer, at)?;
    if !algorithm.fits(signer.key()) {
        return Err(SignError::Algorithm);
    }
    let header = json!({
        "alg": name(algorithm),
        "cty": "json",
        "iat": at.seconds(),
        "x5c": [STANDARD.encode(signer.der())],
        "x5t#S256": URL_SAFE_NO_PAD.encode(DigestAlgorithm::Sha256.digest(signer.der())),
    });
    let payload = to_json(list.list()).map_err(|LoteError::Closed| SignError::ClosedInJson)?;
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let to_be_signed = format!("{}.{}", encode(&header), encode(&payload));
    Ok(PreparedLote { signer, algorithm, to_be_signed })
}

impl PreparedLote {
    /// The exact bytes that the signer's key signs.
    pub fn to_be_signed(&self) -> &[u8] {
        self.to_be_signed.as_bytes()
    }

    /// The algorithm that the key must use; it hashes the bytes itself.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The certificate whose key must sign.
    pub fn signer(&self) -> &Certificate {
        &self.signer
    }

    /// Puts the signature in, as a key store returns it, and verifies the finished document.
    ///
    /// # Errors
    ///
    /// [`SignError::SignatureForm`], and [`SignError::UnacceptableJson`] when the signature is not
    /// by the signer's key.
    pub fn finish(self, signature: &[u8]) -> Result<String, SignError> {
        let value = signature_value(self.algorithm, signature)?;
        let document = format!("{}.{}", self.to_be_signed, URL_SAFE_NO_PAD.encode(value));
        verify(&document)?;
        Ok(document)
    }
}

/// Verifies a signed list in JSON. Who may sign it is the caller's question.
///
/// # Errors
///
/// The [`LoteRefusal`] that names what is wrong.
pub fn verify(document: &str) -> Result<VerifiedLote, LoteRefusal> {
    let (covered, value) = document.rsplit_once('.').ok_or(LoteRefusal::Form)?;
    let (header, payload) = covered.split_once('.').ok_or(LoteRefusal::Form)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| LoteRefusal::Form);
    let parse = |bytes: Vec<u8>| serde_json::from_slice(&bytes).map_err(|_| LoteRefusal::Form);
    let header: Value = parse(decode(header)?)?;
    // An extension that must be understood is not understood here.
    if header.get("crit").is_some() {
        return Err(LoteRefusal::Header);
    }
    let named = header.get("alg").and_then(Value::as_str).ok_or(LoteRefusal::Header)?;
    let algorithm = by_name(named).ok_or_else(|| LoteRefusal::Algorithm(named.to_owned()))?;
    let chain = header.get("x5c").and_then(Value::as_array).ok_or(LoteRefusal::Header)?;
    let [Value::String(der)] = chain.as_slice() else { return Err(LoteRefusal::Header) };
    let der = STANDARD.decode(der).map_err(|_| LoteRefusal::Header)?;
    let thumbprint = URL_SAFE_NO_PAD.encode(DigestAlgorithm::Sha256.digest(&der));
    if header.get("x5t#S256").and_then(Value::as_str) != Some(thumbprint.as_str()) {
        return Err(LoteRefusal::Header);
    }
    let signer = Certificate::from_der(&der).map_err(|_| LoteRefusal::Header)?;
    let signing_time = header.get("iat").and_then(Value::as_i64).ok_or(LoteRefusal::Header)?;
    let algorithm = ForeignAlgorithm::Ours(algorithm);
    if !algorithm.verifies(&signer, covered.as_bytes(), &decode(value)?) {
        return Err(LoteRefusal::Signature);
    }
    let list = parse(decode(payload)?)?;
    Ok(VerifiedLote { signer, signing_time: Timestamp::from_seconds(signing_time), list })
}

//! Signed JSON: JWS in compact form (RFC 7515) with ES256 or ES384 (RFC 7518, 3.4).
//!
//! What is signed begins with the letters of `{"`, which neither a certificate, a CRL, an OCSP
//! answer, a list nor a bundle begins with, so a signature over one is never one over another.
//! Deliberately not here: what the JSON says.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Map, Value, json};
use tenkoku_domain::canonical::{Digest, canonical};
use tenkoku_domain::key::KeyAlgorithm;

use crate::asn1::{read, write};
use crate::key::PublicKey;
use crate::signature::SignatureAlgorithm;
use crate::signed::{AssembleError, Signable, sealed};

/// Longest text that is read, in octets.
pub const LIMIT_OCTETS: usize = 64 * 1024 * 1024;

/// The types of signed JSON that the platform writes, as `typ` of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwsType {
    /// A feed of known keys for other authorities.
    KeyFeed,
    /// The manifest of an evidence pack.
    EvidencePack,
}

impl JwsType {
    const fn word(self) -> &'static str {
        match self {
            Self::KeyFeed => "tenkoku-key-feed+jws",
            Self::EvidencePack => "tenkoku-evidence-pack+jws",
        }
    }
}

/// JSON that may be signed. Only [`prepare`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct PreparedJws {
    input: String,
    curve: Curve,
    signer: PublicKey,
}

impl sealed::Sealed for PreparedJws {}

impl Signable for PreparedJws {
    fn to_be_signed(&self) -> &[u8] {
        self.input.as_bytes()
    }

    fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.curve.signature()
    }

    fn signer(&self) -> &PublicKey {
        &self.signer
    }
}

/// Why JSON is not signed, or not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// Only keys on P-256 and P-384 sign here.
    #[error("signed JSON needs a key on P-256 or P-384")]
    Key,
    /// It is too long, is not three parts of base64url, or its header or payload is no JSON object.
    #[error("this is no signed JSON in compact form")]
    Form,
    /// The header names another type or algorithm, or demands something that is not understood.
    #[error("the signed JSON is of another type or algorithm")]
    Header,
    /// The signature is not by the key.
    #[error("the signed JSON was changed, or signed by another key")]
    Signature,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Curve {
    P256,
    P384,
}

impl Curve {
    const fn of(key: &PublicKey) -> Option<Self> {
        match key.algorithm() {
            KeyAlgorithm::P256 => Some(Self::P256),
            KeyAlgorithm::P384 => Some(Self::P384),
            KeyAlgorithm::Rsa2048
            | KeyAlgorithm::Rsa3072
            | KeyAlgorithm::Rsa4096
            | KeyAlgorithm::P521
            | KeyAlgorithm::MlDsa65
            | KeyAlgorithm::MlDsa87 => None,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::P256 => "ES256",
            Self::P384 => "ES384",
        }
    }

    const fn signature(self) -> SignatureAlgorithm {
        match self {
            Self::P256 => SignatureAlgorithm::EcdsaSha256,
            Self::P384 => SignatureAlgorithm::EcdsaSha384,
        }
    }

    /// Octets of each half of a signature.
    const fn half(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }
}

/// Prepares JSON for its signer. `payload` is written as it is; it should be canonical.
pub fn prepare(kind: JwsType, payload: &str, signer: &PublicKey) -> Result<PreparedJws, JwsError> {
    let curve = Curve::of(signer).ok_or(JwsError::Key)?;
    let named = Digest::of(signer.spki_der());
    let header = canonical(&json!({ "alg": curve.word(), "kid": named, "typ": kind.word() }))
        .map_err(|_| JwsError::Form)?;
    let input = format!("{}.{}", BASE64.encode(header), BASE64.encode(payload));
    Ok(PreparedJws { input, curve, signer: signer.clone() })
}

impl PreparedJws {
    /// Puts the signature in, which is verified first: the compact form.
    pub fn finish(&self, signature: &[u8]) -> Result<String, AssembleError> {
        let wrong = |_| AssembleError::Signature;
        self.signer
            .verify(self.curve.signature(), self.to_be_signed(), signature)
            .map_err(wrong)?;
        let halves = halves(signature, self.curve.half()).ok_or(AssembleError::Signature)?;
        Ok(format!("{}.{}", self.input, BASE64.encode(halves)))
    }
}

/// `ECDSA-Sig-Value` as two numbers of fixed length behind each other.
fn halves(signature: &[u8], half: usize) -> Option<Vec<u8>> {
    let mut reader = read::sequence(signature).ok()?;
    let numbers = [reader.unsigned().ok()?, reader.unsigned().ok()?];
    reader.finish().ok()?;
    let mut out = Vec::new();
    for number in numbers {
        let start = number.iter().position(|b| *b != 0).unwrap_or(number.len());
        let digits = number.get(start..)?;
        out.extend(std::iter::repeat_n(0, half.checked_sub(digits.len())?));
        out.extend_from_slice(digits);
    }
    Some(out)
}

/// The payload of signed JSON, without asking who signed it: to find out whose it claims to be.
pub fn unverified_payload(text: &str) -> Result<String, JwsError> {
    let (_, payload, _) = parts(text)?;
    decoded(payload)
}

/// The payload of signed JSON that `key` signed as of a type.
///
/// # Errors
/// Anything but the type and the algorithm that goes with the key is refused, and so is a header
/// that demands extensions (RFC 7515, 4.1.11).
pub fn verify(text: &str, kind: JwsType, key: &PublicKey) -> Result<String, JwsError> {
    let curve = Curve::of(key).ok_or(JwsError::Key)?;
    let (header, payload, signature) = parts(text)?;
    let members: Map<String, Value> =
        serde_json::from_str(&decoded(header)?).map_err(|_| JwsError::Form)?;
    let says = |name: &str, value: &str| members.get(name).and_then(Value::as_str) == Some(value);
    let known = members.keys().all(|name| ["alg", "kid", "typ"].contains(&name.as_str()));
    if !says("alg", curve.word()) || !says("typ", kind.word()) || !known {
        return Err(JwsError::Header);
    }
    let raw = BASE64.decode(signature).map_err(|_| JwsError::Form)?;
    if raw.len() != 2 * curve.half() {
        return Err(JwsError::Signature);
    }
    let (r, s) = raw.split_at(curve.half());
    let der = write::sequence(&[write::unsigned(r), write::unsigned(s)]);
    let input = format!("{header}.{payload}");
    key.verify(curve.signature(), input.as_bytes(), &der).map_err(|_| JwsError::Signature)?;
    decoded(payload)
}

fn parts(text: &str) -> Result<(&str, &str, &str), JwsError> {
    let text = text.trim();
    if text.len() > LIMIT_OCTETS {
        return Err(JwsError::Form);
    }
    let mut parts = text.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(payload), Some(signature), None) => Ok((header, payload, signature)),
        _ => Err(JwsError::Form),
    }
}

fn decoded(part: &str) -> Result<String, JwsError> {
    let octets = BASE64.decode(part).map_err(|_| JwsError::Form)?;
    String::from_utf8(octets).map_err(|_| JwsError::Form)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7515, A.3: the key on P-256 and what it signed.
    const SPKI: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200047fcdce2770f6c45d4183cbee6fdb4b7b580733357be9ef13bacf6e3c7bd15445c7f144cd1bbd9b7e872cdfedb9eeb9f4b3695d6ea90b24ad8a4623288588e5ad";
    const RFC: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

    fn key() -> PublicKey {
        PublicKey::parse(&hex::decode(SPKI).unwrap()).unwrap()
    }

    #[test]
    fn the_halves_of_a_signature_have_their_length() {
        let der = hex::decode("30080202008002020001").unwrap();
        assert_eq!(halves(&der, 4), None, "an integer that is not minimal");
        let der = hex::decode("300702020080020101").unwrap();
        assert_eq!(halves(&der, 4).unwrap(), [0, 0, 0, 0x80, 0, 0, 0, 1]);
        assert_eq!(halves(&der, 0), None);
    }

    #[test]
    fn the_signature_of_rfc_7515_holds_and_the_missing_type_is_refused() {
        assert_eq!(verify(RFC, JwsType::KeyFeed, &key()), Err(JwsError::Header));
        let (header, payload, signature) = parts(RFC).unwrap();
        let raw = BASE64.decode(signature).unwrap();
        let (r, s) = raw.split_at(32);
        let der = write::sequence(&[write::unsigned(r), write::unsigned(s)]);
        let input = format!("{header}.{payload}");
        key().verify(SignatureAlgorithm::EcdsaSha256, input.as_bytes(), &der).unwrap();
        assert_eq!(halves(&der, 32).unwrap(), raw);
    }

    #[test]
    fn what_is_no_signed_json_is_refused() {
        for text in ["", "a", "a.b", "a.b.c.d", "!.!.!", "eyJ9.e30.AA"] {
            assert!(verify(text, JwsType::KeyFeed, &key()).is_err(), "{text}");
        }
        for header in [
            r#"{"alg":"none","typ":"tenkoku-key-feed+jws"}"#,
            r#"{"alg":"HS256","typ":"tenkoku-key-feed+jws"}"#,
            r#"{"alg":"ES384","typ":"tenkoku-key-feed+jws"}"#,
            r#"{"alg":"ES256","typ":"other"}"#,
            r#"{"alg":"ES256","crit":["b64"],"b64":false,"typ":"tenkoku-key-feed+jws"}"#,
            r#"{"alg":"ES256","jwk":{},"typ":"tenkoku-key-feed+jws"}"#,
        ] {
            let text = format!("{}.e30.{}", BASE64.encode(header), BASE64.encode([0; 64]));
            assert_eq!(verify(&text, JwsType::KeyFeed, &key()), Err(JwsError::Header), "{header}");
        }
    }
}

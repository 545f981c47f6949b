//! Certificates as a trusted list needs them: the bytes, the key, the names.
//!
//! The bytes are kept as they came and never encoded again.
//! Deliberately not in this module: paths, revocation, trust.

use std::fmt;

use der::asn1::{ObjectIdentifier, PrintableStringRef, TeletexStringRef, Utf8StringRef};
use der::{Decode, Encode};
use thiserror::Error;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectKeyIdentifier};

use tenkoku_domain::time::Timestamp;

const COUNTRY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.6");
const ORGANISATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
const EC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const RSA_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// Why bytes are not taken for a certificate.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// Not strict DER, or not a certificate.
    #[error("the certificate cannot be read")]
    Unreadable(#[from] der::Error),
}

/// The kind of a public key, as far as signatures of lists are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// An elliptic curve key on P-256.
    P256,
    /// An elliptic curve key on P-384.
    P384,
    /// An RSA key and the length of its modulus.
    Rsa {
        /// Length of the modulus in bits.
        bits: usize,
    },
    /// Any other key; a listed service may have one.
    Other,
}

/// A certificate and the bytes it came in.
#[derive(Clone)]
pub struct Certificate {
    der: Vec<u8>,
    parsed: x509_cert::Certificate,
    spki: Vec<u8>,
}

impl Certificate {
    /// Reads a certificate from strict DER.
    ///
    /// # Errors
    ///
    /// Refuses bytes that are not exactly one certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let parsed = x509_cert::Certificate::from_der(der)?;
        let spki = parsed.tbs_certificate().subject_public_key_info().to_der()?;
        Ok(Self { der: der.to_vec(), parsed, spki })
    }

    /// The certificate, byte for byte as it came.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The `SubjectPublicKeyInfo` in DER; equal bytes are the same key.
    pub fn public_key(&self) -> &[u8] {
        &self.spki
    }

    /// The kind of the key.
    pub fn key(&self) -> KeyKind {
        let info = self.parsed.tbs_certificate().subject_public_key_info();
        let curve = || info.algorithm.parameters.as_ref()?.decode_as::<ObjectIdentifier>().ok();
        match info.algorithm.oid {
            EC_KEY if curve() == Some(P256) => KeyKind::P256,
            EC_KEY if curve() == Some(P384) => KeyKind::P384,
            RSA_KEY => {
                modulus_bits(self.key_bits()).map_or(KeyKind::Other, |bits| KeyKind::Rsa { bits })
            }
            _ => KeyKind::Other,
        }
    }

    /// The key as its `BIT STRING` holds it: a point, or a PKCS#1 `RSAPublicKey`.
    pub(crate) fn key_bits(&self) -> &[u8] {
        self.parsed.tbs_certificate().subject_public_key_info().subject_public_key.raw_bytes()
    }

    /// The subject as text (RFC 4514).
    pub fn subject(&self) -> String {
        self.parsed.tbs_certificate().subject().to_string()
    }

    /// Whether both certificates name the same subject, in the same encoding.
    pub fn has_same_subject(&self, other: &Self) -> bool {
        self.parsed.tbs_certificate().subject() == other.parsed.tbs_certificate().subject()
    }

    /// Every `C=` of the subject.
    pub fn countries(&self) -> Vec<String> {
        self.subject_values(COUNTRY)
    }

    /// Every `O=` of the subject.
    pub fn organisations(&self) -> Vec<String> {
        self.subject_values(ORGANISATION)
    }

    /// The subjectKeyIdentifier, when the certificate carries one.
    pub fn key_identifier(&self) -> Option<Vec<u8>> {
        self.extension::<SubjectKeyIdentifier>().map(|identifier| identifier.0.as_bytes().to_vec())
    }

    /// The key identifier of RFC 5280, 4.2.1.2, method 1: SHA-1 of the key bits.
    pub fn computed_key_identifier(&self) -> Vec<u8> {
        use aws_lc_rs::digest;
        digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, self.key_bits()).as_ref().to_vec()
    }

    /// The key usage, when the certificate limits it.
    pub(crate) fn key_usage(&self) -> Option<KeyUsage> {
        self.extension()
    }

    /// Whether the extended key usage names this purpose.
    pub(crate) fn has_purpose(&self, purpose: ObjectIdentifier) -> bool {
        self.extension::<ExtendedKeyUsage>().is_some_and(|usage| usage.0.contains(&purpose))
    }

    /// What basicConstraints says about being an authority, when it is there.
    pub(crate) fn is_authority(&self) -> Option<bool> {
        self.extension::<BasicConstraints>().map(|constraints| constraints.ca)
    }

    /// Whether `at` lies in the validity period, both ends included.
    pub fn is_valid_at(&self, at: Timestamp) -> bool {
        let validity = self.parsed.tbs_certificate().validity();
        let seconds = |time: x509_cert::time::Time| {
            i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
        };
        (seconds(validity.not_before)..=seconds(validity.not_after)).contains(&at.seconds())
    }

    fn extension<'a, T>(&'a self) -> Option<T>
    where
        T: Decode<'a, Error = der::Error> + der::oid::AssociatedOid,
    {
        self.parsed.tbs_certificate().get_extension::<T>().ok().flatten().map(|(_, value)| value)
    }

    fn subject_values(&self, kind: ObjectIdentifier) -> Vec<String> {
        let subject = self.parsed.tbs_certificate().subject();
        subject
            .iter()
            .filter(|part| part.oid == kind)
            .filter_map(|part| text(&part.value))
            .collect()
    }
}

/// A certificate is shown by its subject; its bytes would say nothing to a reader.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.subject())
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Certificate {}

/// A string of whichever type the issuer chose.
fn text(value: &der::Any) -> Option<String> {
    let utf8 = value.decode_as::<Utf8StringRef>().map(|text| text.as_str().to_owned());
    utf8.or_else(|_| value.decode_as::<PrintableStringRef>().map(|text| text.as_str().to_owned()))
        .or_else(|_| value.decode_as::<TeletexStringRef>().map(|text| text.as_str().to_owned()))
        .ok()
}

fn modulus_bits(key: &[u8]) -> Option<usize> {
    #[derive(der::Sequence)]
    struct RsaPublicKey<'a> {
        modulus: der::asn1::UintRef<'a>,
        exponent: der::asn1::UintRef<'a>,
    }
    let RsaPublicKey { modulus, exponent: _ } = RsaPublicKey::from_der(key).ok()?;
    let bytes = modulus.as_bytes();
    let leading = usize::try_from(bytes.first()?.leading_zeros()).ok()?;
    (bytes.len() * 8).checked_sub(leading)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example_signer() -> Certificate {
        let der = include_bytes!("../../../tests/data/tsl/example-signer.der");
        Certificate::from_der(der).unwrap()
    }

    #[test]
    fn a_signer_s_certificate_gives_its_names_key_and_limits() {
        let signer = example_signer();
        assert_eq!(signer.key(), KeyKind::P256);
        assert_eq!(signer.countries(), ["JP"]);
        assert_eq!(signer.organisations(), ["Example Seal Scheme Operator"]);
        assert_eq!(signer.key_identifier(), Some(signer.computed_key_identifier()));
        assert_eq!(signer.is_authority(), Some(false));
        assert!(signer.is_valid_at(Timestamp::parse("2026-11-20T00:00:05Z").unwrap()));
        assert!(!signer.is_valid_at(Timestamp::parse("2030-01-01T00:00:00Z").unwrap()));
    }

    #[test]
    fn bytes_that_are_not_one_certificate_are_refused() {
        let mut trailing = example_signer().der().to_vec();
        trailing.push(0);
        for bytes in [&b""[..], b"\x30\x00", &trailing] {
            assert!(Certificate::from_der(bytes).is_err());
        }
    }
}

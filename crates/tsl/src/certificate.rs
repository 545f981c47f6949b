//! Certificates as a trusted list needs them: the bytes, the key, the names.
//!
//! The bytes are kept as they came and never encoded again. Lists carry certificates that are not
//! strict DER, so only the frame is walked here; what a name or an extension says is decoded when
//! somebody asks.
//! Deliberately not in this module: paths, revocation, trust.

use std::fmt;
use std::ops::Range;

use der::asn1::{ObjectIdentifier, PrintableStringRef, TeletexStringRef, Utf8StringRef};
use der::{Decode, Encode};
use thiserror::Error;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectKeyIdentifier,
};
use x509_cert::name::Name;
use x509_cert::spki::SubjectPublicKeyInfoRef;
use x509_cert::time::Validity;

use tenkoku_domain::time::Timestamp;

mod frame;

const COUNTRY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.6");
const ORGANISATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
const EC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const QC_STATEMENTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.3");
const RSA_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// Why bytes are not taken for a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// Not the frame of a certificate, or something follows it.
    #[error("the certificate cannot be read")]
    Unreadable,
}

/// The kind of a public key, as far as signatures of lists are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// An elliptic curve key on P-256.
    P256,
    /// An elliptic curve key on P-384.
    P384,
    /// An elliptic curve key on P-521.
    P521,
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
    der: Box<[u8]>,
    frame: frame::Frame,
}

/// A statement of a qualified certificate.
#[derive(Clone, Debug, PartialEq, Eq, der::Sequence)]
pub(crate) struct Statement {
    /// Which one.
    pub(crate) id: ObjectIdentifier,
    /// What it says.
    info: Option<der::Any>,
}

impl Statement {
    /// The types that it names, where it is a QcType.
    pub(crate) fn types(&self) -> Option<Vec<ObjectIdentifier>> {
        self.info.as_ref()?.decode_as().ok()
    }

    /// The countries that it names, where it is a QcCClegislation.
    pub(crate) fn countries(&self) -> Option<Vec<String>> {
        let values: Vec<der::Any> = self.info.as_ref()?.decode_as().ok()?;
        values.iter().map(text).collect()
    }
}

impl Certificate {
    /// Reads a certificate.
    ///
    /// # Errors
    ///
    /// Refuses bytes that are not exactly one certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        Self::from_bytes(der.to_vec()).map_err(|_| CertificateError::Unreadable)
    }

    /// Reads a certificate, or gives the bytes back.
    pub(crate) fn from_bytes(der: Vec<u8>) -> Result<Self, Vec<u8>> {
        match frame::Frame::of(&der) {
            Some(frame) => Ok(Self { der: der.into_boxed_slice(), frame }),
            None => Err(der),
        }
    }

    /// The certificate, byte for byte as it came.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether every part of it is strict DER, as a list of ours must have it.
    pub fn is_strict(&self) -> bool {
        let read = x509_cert::Certificate::from_der(&self.der);
        read.and_then(|certificate| certificate.to_der()).is_ok_and(|again| *again == *self.der)
    }

    /// The `SubjectPublicKeyInfo` in DER; equal bytes are the same key.
    pub fn public_key(&self) -> &[u8] {
        self.part(&self.frame.key)
    }

    /// The kind of the key.
    pub fn key(&self) -> KeyKind {
        let Ok(info) = SubjectPublicKeyInfoRef::from_der(self.public_key()) else {
            return KeyKind::Other;
        };
        let curve = || info.algorithm.parameters.as_ref()?.decode_as::<ObjectIdentifier>().ok();
        match info.algorithm.oid {
            EC_KEY if curve() == Some(P256) => KeyKind::P256,
            EC_KEY if curve() == Some(P384) => KeyKind::P384,
            EC_KEY if curve() == Some(P521) => KeyKind::P521,
            RSA_KEY => {
                modulus_bits(self.key_bits()).map_or(KeyKind::Other, |bits| KeyKind::Rsa { bits })
            }
            _ => KeyKind::Other,
        }
    }

    /// The key as its `BIT STRING` holds it: a point, or a PKCS#1 `RSAPublicKey`.
    pub(crate) fn key_bits(&self) -> &[u8] {
        self.part(&self.frame.key_bits)
    }

    /// The issuer's `Name` as it is encoded.
    pub fn issuer_name(&self) -> &[u8] {
        self.part(&self.frame.issuer)
    }

    /// The subject's `Name` as it is encoded.
    pub fn subject_name(&self) -> &[u8] {
        self.part(&self.frame.subject)
    }

    /// The subject as text (RFC 4514); empty when it cannot be read.
    pub fn subject(&self) -> String {
        Name::from_der(self.subject_name()).map(|name| name.to_string()).unwrap_or_default()
    }

    /// Whether both certificates name the same subject, in the same encoding.
    pub fn has_same_subject(&self, other: &Self) -> bool {
        self.subject_name() == other.subject_name()
    }

    /// Every `C=` of the subject.
    pub fn countries(&self) -> Vec<String> {
        name_values(self.subject_name(), COUNTRY)
    }

    /// Every `O=` of the subject.
    pub fn organisations(&self) -> Vec<String> {
        name_values(self.subject_name(), ORGANISATION)
    }

    /// Every `O=` of the issuer.
    pub fn issuer_organisations(&self) -> Vec<String> {
        name_values(self.issuer_name(), ORGANISATION)
    }

    /// The subjectKeyIdentifier, when the certificate carries one.
    pub fn key_identifier(&self) -> Option<Vec<u8>> {
        self.extension::<SubjectKeyIdentifier>().map(|identifier| identifier.0.as_bytes().to_vec())
    }

    /// The identifier of the issuer's key, when the certificate carries one.
    pub fn authority_key_identifier(&self) -> Option<Vec<u8>> {
        let identifier = self.extension::<AuthorityKeyIdentifier>()?.key_identifier?;
        Some(identifier.as_bytes().to_vec())
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

    /// The purposes of the extended key usage, none when there is no such extension.
    pub(crate) fn purposes(&self) -> Vec<ObjectIdentifier> {
        self.extension::<ExtendedKeyUsage>().map(|usage| usage.0).unwrap_or_default()
    }

    /// What basicConstraints says about being an authority, when it is there.
    pub(crate) fn is_authority(&self) -> Option<bool> {
        self.extension::<BasicConstraints>().map(|constraints| constraints.ca)
    }

    /// Whether `at` lies in the validity period, both ends included.
    pub fn is_valid_at(&self, at: Timestamp) -> bool {
        self.validity()
            .is_some_and(|(from, to)| (from.seconds()..=to.seconds()).contains(&at.seconds()))
    }

    /// The validity period; `None` when it cannot be read.
    pub fn validity(&self) -> Option<(Timestamp, Timestamp)> {
        let validity: Validity = Validity::from_der(self.part(&self.frame.validity)).ok()?;
        let instant = |time: x509_cert::time::Time| {
            i64::try_from(time.to_unix_duration().as_secs()).ok().map(Timestamp::from_seconds)
        };
        Some((instant(validity.not_before)?, instant(validity.not_after)?))
    }

    /// The value of an extension; `None` when it is missing or cannot be read.
    pub(crate) fn extension<'a, T>(&'a self) -> Option<T>
    where
        T: Decode<'a, Error = der::Error> + der::oid::AssociatedOid,
    {
        let extensions = self.part(self.frame.extensions.as_ref()?);
        T::from_der(frame::extension(extensions, T::OID.as_bytes())?).ok()
    }

    /// The statements of a qualified certificate (EN 319 412-5), none when there is no such extension;
    /// `None` when it cannot be read.
    pub(crate) fn statements(&self) -> Option<Vec<Statement>> {
        let Some(extensions) = &self.frame.extensions else { return Some(Vec::new()) };
        match frame::extension(self.part(extensions), QC_STATEMENTS.as_bytes()) {
            Some(der) => Vec::<Statement>::from_der(der).ok(),
            None => Some(Vec::new()),
        }
    }

    fn part(&self, range: &Range<usize>) -> &[u8] {
        self.der.get(range.clone()).unwrap_or_default()
    }

    /// The types of the subject's attributes.
    pub(crate) fn subject_attributes(&self) -> Vec<ObjectIdentifier> {
        let name = Name::from_der(self.subject_name());
        name.map(|name| name.iter().map(|part| part.oid).collect()).unwrap_or_default()
    }
}

fn name_values(name: &[u8], kind: ObjectIdentifier) -> Vec<String> {
    let Ok(name) = Name::from_der(name) else { return Vec::new() };
    name.iter().filter(|part| part.oid == kind).filter_map(|part| text(&part.value)).collect()
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
    fn a_certificate_of_ours_is_strict_and_a_long_length_is_not() {
        let signer = example_signer();
        assert!(signer.is_strict());
        // The same certificate with its outer length in three bytes instead of two.
        let der = signer.der();
        let mut long = vec![0x30, 0x83, 0, der[2], der[3]];
        long.extend_from_slice(&der[4..]);
        let loose = Certificate::from_der(&long).unwrap();
        assert!(!loose.is_strict());
        assert_eq!(loose.public_key(), signer.public_key());
        assert_eq!(loose.subject(), signer.subject());
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

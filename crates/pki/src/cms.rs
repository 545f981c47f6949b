//! Detached CMS signatures (RFC 5652), as far as they show possession of a key: one signer, whose
//! certificate is enclosed.
//!
//! Deliberately not here: whether the certificate means anything. It only carries the key; a
//! self-signed one is as good as any.

use aws_lc_rs::digest;
use tenkoku_domain::key::Fingerprint;
use tenkoku_domain::refusal::{Refusal, RefusalCode};

use crate::asn1::read::{self, Reader};
use crate::asn1::{DerError, tag, write};
use crate::key::{KeyError, PresentedKey, PublicKey};
use crate::oid;
use crate::pem::{self, PemError};
use crate::signature::{SignatureAlgorithm, SignatureAlgorithmError, with_null};

/// Largest file that is read, in octets.
pub const MAX_OCTETS: usize = 64 * 1024;

const LABELS: &[&str] = &["CMS", "PKCS7"];

/// Line ends that a tool or an editor may have put behind the text that was signed.
const ENDS: [&[u8]; 3] = [b"", b"\n", b"\r\n"];

/// Why a file is not a signature that shows possession.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CmsError {
    /// More than [`MAX_OCTETS`].
    #[error("the file is larger than 64 KiB; a signature has a few KiB")]
    TooLarge,
    /// Not the PEM block of a signature.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// Not the structure of a signature.
    #[error("this is not a CMS signature: {0}")]
    Structure(#[from] DerError),
    /// The signed text is enclosed.
    #[error("the signature is not detached from what was signed")]
    Enclosed,
    /// None, or several.
    #[error("there is not exactly one signer")]
    Signers,
    /// The signer's certificate is not enclosed, so the key is not known.
    #[error("the signer's certificate is not enclosed")]
    NoCertificate,
    /// The key is not acceptable.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The signature algorithm is not accepted.
    #[error(transparent)]
    Algorithm(#[from] SignatureAlgorithmError),
    /// The digest algorithm is not accepted.
    #[error("the digest algorithm {0} is not accepted")]
    Digest(String),
    /// The signature does not fit the key, or something else was signed.
    #[error("the signature was not made by this key over this challenge")]
    Signature,
}

impl CmsError {
    /// The refusal of DOMAIN 21.
    pub fn refusal(&self) -> Refusal {
        let problem = match self {
            Self::Key(key) => return key.refusal(),
            Self::Pem(PemError::Empty) => "empty",
            Self::Pem(PemError::Truncated(_)) | Self::Structure(DerError::Truncated) => "truncated",
            Self::Signature => "signature",
            Self::TooLarge => "too-large",
            Self::Pem(_)
            | Self::Structure(_)
            | Self::Enclosed
            | Self::Signers
            | Self::NoCertificate
            | Self::Algorithm(_)
            | Self::Digest(_) => "not-a-signature",
        };
        Refusal::new(RefusalCode::PossessionNotShown, "KM-7")
            .with("problem", problem)
            .with("detail", self)
    }
}

/// A detached signature with the key that it names; nothing is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetachedSignature {
    key: PresentedKey,
    certificate: Vec<u8>,
    certificates: Vec<Vec<u8>>,
    digest: Vec<u8>,
    attributes: Option<Vec<u8>>,
    algorithm: Vec<u8>,
    signature: Vec<u8>,
}

impl DetachedSignature {
    /// Reads a SignedData without content and with one signer, PEM or DER (RFC 5652, 5.1).
    pub fn parse(input: &[u8]) -> Result<Self, CmsError> {
        if input.len() > MAX_OCTETS {
            return Err(CmsError::TooLarge);
        }
        let der = pem::decode(input, LABELS)?;
        let mut info = read::sequence(&der)?;
        if info.oid()? != oid::CMS_SIGNED_DATA {
            return Err(DerError::Value("it holds no signed data").into());
        }
        let mut wrapped = info.enter(tag::context(0))?;
        info.finish()?;
        let mut data = wrapped.enter(tag::SEQUENCE)?;
        wrapped.finish()?;
        data.unsigned()?;
        data.content(tag::SET)?;
        let mut content = data.enter(tag::SEQUENCE)?;
        if content.oid()? != oid::CMS_DATA || !content.is_empty() {
            return Err(CmsError::Enclosed);
        }
        let certificates = data.enter_optional(tag::context(0))?.ok_or(CmsError::NoCertificate)?;
        data.enter_optional(tag::context(1))?;
        let mut signers = data.enter(tag::SET)?;
        data.finish()?;
        if signers.is_empty() {
            return Err(CmsError::Signers);
        }
        let signer = signers.enter(tag::SEQUENCE)?;
        if !signers.is_empty() {
            return Err(CmsError::Signers);
        }
        Self::of_signer(signer, certificates)
    }

    /// SignerInfo (RFC 5652, 5.3).
    fn of_signer(mut signer: Reader<'_>, certificates: Reader<'_>) -> Result<Self, CmsError> {
        signer.unsigned()?;
        let (key, certificate, certificates) = signer_key(signer.any()?, certificates)?;
        let digest = signer.element(tag::SEQUENCE)?.content.to_vec();
        let attributes = if signer.next_is(tag::context(0)) {
            Some(signer.content(tag::context(0))?.to_vec())
        } else {
            None
        };
        let algorithm = signer.element(tag::SEQUENCE)?.whole.to_vec();
        let signature = signer.content(tag::OCTET_STRING)?.to_vec();
        Ok(Self { key, certificate, certificates, digest, attributes, algorithm, signature })
    }

    /// The certificate that the signer names, DER. Nothing is known of it yet.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Every certificate that is enclosed, DER, in the order of the file.
    pub fn certificates(&self) -> &[Vec<u8>] {
        &self.certificates
    }

    /// What the key is recognised by.
    pub fn fingerprint(&self) -> Fingerprint {
        self.key.fingerprint()
    }

    /// Accepts the key (KM-1, KM-2, KM-4) and verifies that it signed this text. A line end after
    /// the text is forgiven, because tools add one.
    pub fn verify(self, text: &str) -> Result<PublicKey, CmsError> {
        let hash = hash(&self.digest)?;
        let algorithm = self.signature_algorithm()?;
        let key = self.key.accept()?;
        let signed = |end: &[u8]| {
            let content = [text.as_bytes(), end].concat();
            let message = match &self.attributes {
                None => content,
                Some(attributes) => {
                    let expected = digest::digest(hash, &content);
                    if !attests(attributes, expected.as_ref()) {
                        return false;
                    }
                    // Signed is the SET OF, not the implicit tag (RFC 5652, 5.4).
                    write::tlv(tag::SET, attributes)
                }
            };
            key.verify(algorithm, &message, &self.signature).is_ok()
        };
        if ENDS.into_iter().any(signed) { Ok(key) } else { Err(CmsError::Signature) }
    }

    /// For RSA the identifier may be that of the key alone (RFC 3370, 3.2).
    fn signature_algorithm(&self) -> Result<SignatureAlgorithm, CmsError> {
        if self.algorithm != with_null(&oid::RSA_ENCRYPTION) {
            return Ok(SignatureAlgorithm::parse(&self.algorithm)?);
        }
        match Reader::new(&self.digest).oid()? {
            oid::SHA256 => Ok(SignatureAlgorithm::RsaSha256),
            oid::SHA384 => Ok(SignatureAlgorithm::RsaSha384),
            oid::SHA512 => Ok(SignatureAlgorithm::RsaSha512),
            other => Err(CmsError::Digest(other.to_string())),
        }
    }
}

fn hash(identifier: &[u8]) -> Result<&'static digest::Algorithm, CmsError> {
    match Reader::new(identifier).oid()? {
        oid::SHA256 => Ok(&digest::SHA256),
        oid::SHA384 => Ok(&digest::SHA384),
        oid::SHA512 => Ok(&digest::SHA512),
        other => Err(CmsError::Digest(other.to_string())),
    }
}

/// The signed attributes name plain data and this digest, once each (RFC 5652, 11).
fn attests(attributes: &[u8], expected: &[u8]) -> bool {
    let mut reader = Reader::new(attributes);
    let (mut types, mut digests) = (Vec::new(), Vec::new());
    while !reader.is_empty() {
        let Ok((name, value)) = attribute(&mut reader) else { return false };
        match name {
            oid::CMS_CONTENT_TYPE => types.push(value),
            oid::CMS_MESSAGE_DIGEST => digests.push(value),
            _ => {}
        }
    }
    types == [write::oid(&oid::CMS_DATA)] && digests == [write::octets(expected)]
}

/// An attribute and all its values.
fn attribute(reader: &mut Reader<'_>) -> Result<(const_oid::ObjectIdentifier, Vec<u8>), DerError> {
    let mut attribute = reader.enter(tag::SEQUENCE)?;
    let name = attribute.oid()?;
    let values = attribute.content(tag::SET)?;
    attribute.finish()?;
    Ok((name, values.to_vec()))
}

/// The signer's key, its certificate, and every certificate that is enclosed, DER.
type SignerKey = (PresentedKey, Vec<u8>, Vec<Vec<u8>>);

/// The key and the certificate that the signer names: by issuer and serial number, or, where it is
/// named by a key identifier, the only one enclosed; and all that are enclosed.
fn signer_key(
    named: read::Element<'_>,
    mut certificates: Reader<'_>,
) -> Result<SignerKey, CmsError> {
    let (mut found, mut all) = (None, Vec::new());
    while !certificates.is_empty() {
        let certificate = certificates.element(tag::SEQUENCE)?.whole;
        let (identity, spki) = identity(certificate)?;
        all.push(certificate.to_vec());
        if named.tag != tag::SEQUENCE || identity == named.content {
            found = Some((spki, certificate.to_vec()));
        }
    }
    match found {
        Some((spki, certificate)) if named.tag == tag::SEQUENCE || all.len() == 1 => {
            Ok((PresentedKey::parse(&spki)?, certificate, all))
        }
        Some(_) | None => Err(CmsError::NoCertificate),
    }
}

/// Issuer and serial number of a certificate, as a signer names them, and its key.
fn identity(certificate: &[u8]) -> Result<(Vec<u8>, Vec<u8>), DerError> {
    let mut body = read::sequence(certificate)?.enter(tag::SEQUENCE)?;
    body.enter_optional(tag::context(0))?;
    let serial = body.element(tag::INTEGER)?.whole;
    body.element(tag::SEQUENCE)?;
    let issuer = body.element(tag::SEQUENCE)?.whole;
    body.element(tag::SEQUENCE)?;
    body.element(tag::SEQUENCE)?;
    let spki = body.element(tag::SEQUENCE)?.whole;
    Ok(([issuer, serial].concat(), spki.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "tYq1uT8mWc3v5Xz7B9dEfGhIjKlMnOpQrStUvWxYz01";

    fn file(name: &str) -> Vec<u8> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/pki");
        std::fs::read(folder.join("signatures").join(name)).unwrap()
    }

    fn check(name: &str, text: &str, expected: Result<(), CmsError>) {
        let signature = DetachedSignature::parse(&file(name)).unwrap();
        let fingerprint = signature.fingerprint();
        let verified = signature.verify(text);
        assert_eq!(verified.map(|key| assert_eq!(key.fingerprint(), fingerprint)), expected);
    }

    #[test]
    fn signatures_of_openssl_show_possession() {
        for name in ["p256.pem", "p384.der", "rsa.pem", "no-attributes.pem", "line-end.pem"] {
            check(name, TEXT, Ok(()));
        }
    }

    #[test]
    fn km_7_takes_no_signature_over_something_else() {
        check("p256.pem", "another challenge", Err(CmsError::Signature));
        check("no-attributes.pem", "another challenge", Err(CmsError::Signature));
    }

    #[test]
    fn what_is_no_detached_signature_is_refused() {
        let refused = |bytes: &[u8]| DetachedSignature::parse(bytes).unwrap_err();
        assert_eq!(refused(&file("enclosed.pem")), CmsError::Enclosed);
        assert_eq!(refused(&file("no-certificate.pem")), CmsError::NoCertificate);
        let whole = file("p384.der");
        for cut in [0, 1, 10, whole.len() / 2, whole.len() - 1] {
            assert_eq!(
                refused(whole.get(..cut).unwrap()).refusal().code,
                RefusalCode::PossessionNotShown
            );
        }
    }
}

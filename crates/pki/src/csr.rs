//! Certification requests (PKCS #10, RFC 2986), PEM or DER.
//!
//! A [`Request`] shows possession of its private key: it cannot be made without a self-signature
//! that verifies over the received octets. Whether the possession is fresh (KM-7), the level's list
//! of algorithms and everything about the applicant are not decided here. What the request asks
//! for is compared with the application, never copied.

use tenkoku_domain::key::Fingerprint;
use tenkoku_domain::refusal::{Refusal, RefusalCode};

use crate::asn1::read::{self, Reader};
use crate::asn1::{DerError, tag, write};
use crate::key::{KeyError, PresentedKey, PublicKey, SignatureError};
use crate::name::{DistinguishedName, StringType};
use crate::oid;
use crate::pem::{self, PemError};
use crate::signature::{SignatureAlgorithm, SignatureAlgorithmError};

/// Largest file that is read, in octets.
pub const MAX_OCTETS: usize = 64 * 1024;

/// The label of a request, and the older one that some tools still write.
const LABELS: &[&str] = &["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];

/// A request as it was handed in: it names a key, and nothing is verified.
///
/// What the key is recognised by is known before anything else about it is judged, because a known
/// key is known under every label (DOMAIN 8.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentedRequest {
    der: Vec<u8>,
    info: Vec<u8>,
    subject: Vec<u8>,
    key: PresentedKey,
    challenge: Option<String>,
    attestation: Option<Vec<u8>>,
    signature_algorithm: Vec<u8>,
    signature: Vec<u8>,
}

impl PresentedRequest {
    /// Reads a request, PEM or DER.
    pub fn parse(input: &[u8]) -> Result<Self, CsrError> {
        if input.len() > MAX_OCTETS {
            return Err(CsrError::TooLarge);
        }
        let der = pem::decode(input, LABELS)?;
        let parts = Parts::read(&der)?;
        Ok(Self {
            info: parts.info.to_vec(),
            subject: parts.subject.to_vec(),
            key: PresentedKey::parse(parts.spki)?,
            challenge: parts.asked.challenge,
            attestation: parts.asked.attestation.map(<[u8]>::to_vec),
            signature_algorithm: parts.signature_algorithm.to_vec(),
            signature: parts.signature.to_vec(),
            der,
        })
    }

    /// What the key is recognised by.
    pub fn fingerprint(&self) -> Fingerprint {
        self.key.fingerprint()
    }

    /// Accepts the key (KM-1, KM-2, KM-4) and verifies that it signed the request.
    pub fn accept(self) -> Result<Request, CsrError> {
        let key = self.key.accept()?;
        let signature_algorithm = SignatureAlgorithm::parse(&self.signature_algorithm)?;
        key.verify(signature_algorithm, &self.info, &self.signature)
            .map_err(|_| CsrError::Signature)?;
        let subject = DistinguishedName::parse(&self.subject)?;
        let (challenge, attestation) = (self.challenge, self.attestation);
        Ok(Request { der: self.der, subject, key, signature_algorithm, challenge, attestation })
    }
}

/// A request whose self-signature was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    der: Vec<u8>,
    subject: DistinguishedName,
    key: PublicKey,
    signature_algorithm: SignatureAlgorithm,
    challenge: Option<String>,
    attestation: Option<Vec<u8>>,
}

/// Why a file is not an acceptable request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CsrError {
    /// More than [`MAX_OCTETS`].
    #[error("the file is larger than 64 KiB; a request has about 1 KiB")]
    TooLarge,
    /// Not the PEM block of a request.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// Not the structure of a request.
    #[error("this is not a certification request: {0}")]
    Structure(#[from] DerError),
    /// A version other than 1 (which is written 0).
    #[error("this is not a certification request of version 1")]
    Version,
    /// The public key is not acceptable (KM-1, KM-2, KM-4).
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The request is signed with an algorithm that is not accepted.
    #[error(transparent)]
    Algorithm(#[from] SignatureAlgorithmError),
    /// The signature does not verify with the key in the request.
    #[error("the request is not signed by the key it names, or was changed afterwards")]
    Signature,
}

impl CsrError {
    /// A word for what is wrong, stable, for the three-part messages of the catalogue.
    pub const fn problem(&self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::Pem(PemError::Empty) => "empty",
            Self::Pem(PemError::Neither) => "neither-pem-nor-der",
            Self::Pem(PemError::Truncated(_)) | Self::Structure(DerError::Truncated) => "truncated",
            Self::Pem(PemError::Label { .. }) => "wrong-label",
            Self::Pem(PemError::Several) => "several-blocks",
            Self::Pem(PemError::Base64) => "damaged",
            Self::Structure(DerError::Trailing) => "trailing-data",
            Self::Structure(DerError::Length | DerError::Tag { .. } | DerError::Value(_))
            | Self::Version => "not-a-request",
            Self::Key(_) => "key",
            Self::Algorithm(SignatureAlgorithmError::WeakHash(_)) => "weak-hash",
            Self::Algorithm(
                SignatureAlgorithmError::Unknown(_)
                | SignatureAlgorithmError::Parameters
                | SignatureAlgorithmError::PreHash
                | SignatureAlgorithmError::Der(_),
            ) => "signature-algorithm",
            Self::Signature => "signature",
        }
    }

    /// The refusal of DOMAIN 21: that of the key, `hash-not-allowed` for SHA-1 and MD5, and
    /// otherwise `possession-not-shown`, because an unreadable request shows nothing.
    pub fn refusal(&self) -> Refusal {
        let refusal = match self {
            Self::Key(key) => return key.refusal(),
            Self::Algorithm(SignatureAlgorithmError::WeakHash(hash)) => {
                Refusal::new(RefusalCode::HashNotAllowed, "KM-7").with("hash", hash)
            }
            Self::Pem(PemError::Label { found, .. }) => {
                Refusal::new(RefusalCode::PossessionNotShown, "KM-7").with("label", found)
            }
            Self::TooLarge
            | Self::Pem(_)
            | Self::Structure(_)
            | Self::Version
            | Self::Algorithm(_)
            | Self::Signature => Refusal::new(RefusalCode::PossessionNotShown, "KM-7"),
        };
        refusal.with("problem", self.problem()).with("detail", self)
    }
}

impl Request {
    /// Reads a request and verifies that it was signed by the key in it.
    pub fn parse(input: &[u8]) -> Result<Self, CsrError> {
        PresentedRequest::parse(input)?.accept()
    }

    /// The request, DER, as received.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The key whose possession is shown.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The subject that the request asks for; to be compared, not copied (DOMAIN 12.1).
    pub const fn subject(&self) -> &DistinguishedName {
        &self.subject
    }

    /// The algorithm of the self-signature.
    pub const fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.signature_algorithm
    }

    /// The text of the challengePassword attribute (DOMAIN 9, `pkcs10-challenge`).
    pub fn challenge(&self) -> Option<&str> {
        self.challenge.as_deref()
    }

    /// The AttestationBundle of the `id-aa-attestation` attribute, DER, not judged (DOMAIN 9).
    pub fn attestation(&self) -> Option<&[u8]> {
        self.attestation.as_deref()
    }
}

/// The body of a request that asks for no particular subject and carries a challenge: what a key
/// signs to show possession (RFC 2986, 4.1; RFC 2985, 5.4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestBody {
    info: Vec<u8>,
    signer: PublicKey,
}

impl RequestBody {
    /// The body for a key and a challenge.
    pub fn new(signer: &PublicKey, challenge: &str) -> Self {
        let attribute = write::sequence(&[
            write::oid(&oid::CHALLENGE_PASSWORD),
            write::set_of_one(&write::utf8(challenge)),
        ]);
        let info = write::sequence(&[
            write::unsigned(&[]),
            write::sequence::<&[u8]>(&[]),
            signer.spki_der().to_vec(),
            write::context(0, &attribute),
        ]);
        Self { info, signer: signer.clone() }
    }

    /// The octets to be signed.
    pub fn to_be_signed(&self) -> &[u8] {
        &self.info
    }

    /// The key that must sign.
    pub const fn signer(&self) -> &PublicKey {
        &self.signer
    }

    /// The algorithm that the signature must be made with.
    pub const fn signature_algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::of_issuer(self.signer.algorithm())
    }

    /// The request, DER, once the signature is there; it is verified.
    pub fn assemble(&self, signature: &[u8]) -> Result<Vec<u8>, SignatureError> {
        let algorithm = self.signature_algorithm();
        self.signer.verify(algorithm, &self.info, signature)?;
        Ok(write::sequence(&[self.info.clone(), algorithm.identifier(), write::bits(signature)]))
    }
}

/// CertificationRequest, cut into its parts (RFC 2986, 4).
struct Parts<'a> {
    info: &'a [u8],
    subject: &'a [u8],
    spki: &'a [u8],
    asked: Attributes<'a>,
    signature_algorithm: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Parts<'a> {
    fn read(der: &'a [u8]) -> Result<Self, CsrError> {
        let mut outer = read::sequence(der)?;
        let info = outer.element(tag::SEQUENCE)?;
        let signature_algorithm = outer.element(tag::SEQUENCE)?.whole;
        let signature = outer.whole_bits()?;
        outer.finish()?;
        let mut inner = Reader::new(info.content);
        if !inner.unsigned()?.is_empty() {
            return Err(CsrError::Version);
        }
        let subject = inner.element(tag::SEQUENCE)?.whole;
        let spki = inner.element(tag::SEQUENCE)?.whole;
        let asked = Attributes::read(inner.enter(tag::context(0))?)?;
        inner.finish()?;
        Ok(Self { info: info.whole, subject, spki, asked, signature_algorithm, signature })
    }
}

/// What a request carries besides the key.
#[derive(Default)]
struct Attributes<'a> {
    challenge: Option<String>,
    attestation: Option<&'a [u8]>,
}

impl<'a> Attributes<'a> {
    /// challengePassword (RFC 2985, 5.4.1) and id-aa-attestation, each at most once with one value;
    /// what else is asked for is passed over.
    fn read(mut attributes: Reader<'a>) -> Result<Self, DerError> {
        let mut found = Self::default();
        while !attributes.is_empty() {
            let mut attribute = attributes.enter(tag::SEQUENCE)?;
            let oid = attribute.oid()?;
            let mut values = attribute.enter(tag::SET)?;
            attribute.finish()?;
            match oid {
                oid::CHALLENGE_PASSWORD => {
                    const WRONG: DerError =
                        DerError::Value("the challenge password is not one text");
                    let value = values.any()?;
                    let (string_type, text) = crate::name::text_of(value.tag, value.content)?;
                    let is_text = !matches!(string_type, StringType::Other(_));
                    if !values.is_empty() || found.challenge.is_some() || !is_text {
                        return Err(WRONG);
                    }
                    found.challenge = Some(text);
                }
                oid::ATTESTATION => {
                    let bundle = values.any()?.whole;
                    if !values.is_empty() || found.attestation.replace(bundle).is_some() {
                        return Err(DerError::Value("the attestation is not one bundle"));
                    }
                }
                _ => {}
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests;

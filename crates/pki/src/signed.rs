//! What may be signed, and how body, algorithm and signature become a signed object.
//!
//! Only the lints of this crate make a [`Signable`]; nobody else can, so there is no way to ask a
//! key for a signature over loose octets.

use tenkoku_domain::key::KeyAlgorithm;

use crate::asn1::{tag, write};
use crate::key::PublicKey;
use crate::signature::SignatureAlgorithm;

pub(crate) mod sealed {
    /// Keeps [`super::Signable`] to the kinds of this crate.
    pub trait Sealed {}
}

/// A body that passed its lint: a certificate, a CRL or an OCSP answer.
pub trait Signable: sealed::Sealed {
    /// The octets to be signed, DER.
    fn to_be_signed(&self) -> &[u8];

    /// The algorithm that the body names, and that the signature must be made with. ECDSA signatures
    /// are handed in as the DER of `ECDSA-Sig-Value`.
    fn signature_algorithm(&self) -> SignatureAlgorithm;

    /// The key that must make the signature.
    fn signer(&self) -> &PublicKey;
}

/// Why a signature does not complete a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AssembleError {
    /// It does not verify with the key that the body was linted for.
    #[error("the signature that came back does not fit the body and the signer's key")]
    Signature,
}

/// A body, its algorithm and its signature (RFC 5280, 4.1.1; RFC 5280, 5.1.1).
pub(crate) fn signed(body: &[u8], algorithm: SignatureAlgorithm, signature: &[u8]) -> Vec<u8> {
    write::sequence(&[body, &algorithm.identifier(), &write::bits(signature)])
}

/// Verifies the signature that came back and puts it to its body.
pub(crate) fn assemble(linted: &impl Signable, signature: &[u8]) -> Result<Vec<u8>, AssembleError> {
    let (body, algorithm) = (linted.to_be_signed(), linted.signature_algorithm());
    linted.signer().verify(algorithm, body, signature).map_err(|_| AssembleError::Signature)?;
    Ok(signed(body, algorithm, signature))
}

/// Like [`assemble`], in the octets of the body: a list of a million is not copied.
pub(crate) fn assemble_in_place(
    linted: impl Signable + Into<Vec<u8>>,
    signature: &[u8],
) -> Result<Vec<u8>, AssembleError> {
    let algorithm = linted.signature_algorithm();
    let verified = linted.signer().verify(algorithm, linted.to_be_signed(), signature);
    verified.map_err(|_| AssembleError::Signature)?;
    let mut whole: Vec<u8> = linted.into();
    whole.extend_from_slice(&algorithm.identifier());
    whole.extend_from_slice(&write::bits(signature));
    let mut header = Vec::new();
    write::push_header(&mut header, tag::SEQUENCE, whole.len());
    whole.splice(0..0, header);
    Ok(whole)
}

/// A signature by a throw-away key, for the lint (DOMAIN 12.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Throwaway {
    /// SubjectPublicKeyInfo of the throw-away key, DER.
    pub spki: Vec<u8>,
    /// The signature; for ECDSA the DER of `ECDSA-Sig-Value`.
    pub signature: Vec<u8>,
}

/// The throw-away key could not be made or did not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the throw-away key did not sign: {0}")]
pub struct ThrowawayError(pub String);

/// Signs what is to be linted with a key that is never used for anything else.
pub trait ThrowawaySigner {
    /// Signs `message` with a throw-away key of type `key` and with `algorithm`. One key may serve
    /// many lints; it must not be a key of the platform.
    fn sign_throwaway(
        &self,
        key: KeyAlgorithm,
        algorithm: SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Throwaway, ThrowawayError>;
}

//! Whether a signature over received octets holds, for the algorithms of the world that still
//! prove something.
//!
//! SHA-1, MD5, DSA and RSA keys below 2048 bits are refused as algorithms, never tried.

use aws_lc_rs::signature as lc;
use const_oid::ObjectIdentifier;

use super::certificate::Envelope;
use crate::asn1::read::{Reader, sequence};
use crate::asn1::{DerError, tag};
use crate::key::PublicKey;
use crate::oid;
use crate::signature::SignatureAlgorithm;

/// How a signature over a certificate or CRL turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Holds,
    Broken,
    /// The algorithm, the key, or their combination is not accepted.
    Refused,
}

/// Checks the signature of `envelope` with a SubjectPublicKeyInfo.
pub(crate) fn check(envelope: &Envelope, spki: &[u8]) -> Outcome {
    match scheme(&envelope.algorithm, spki) {
        Ok(Some((algorithm, key))) => {
            let key = lc::UnparsedPublicKey::new(algorithm, key);
            match key.verify(&envelope.body, &envelope.signature) {
                Ok(()) => Outcome::Holds,
                Err(_) => Outcome::Broken,
            }
        }
        Ok(None) => check_as_ours(envelope, spki),
        Err(_) => Outcome::Refused,
    }
}

/// Keys and algorithms that only our own profiles know.
fn check_as_ours(envelope: &Envelope, spki: &[u8]) -> Outcome {
    let Ok(algorithm) = SignatureAlgorithm::parse(&envelope.algorithm) else {
        return Outcome::Refused;
    };
    let Ok(key) = PublicKey::parse(spki) else { return Outcome::Refused };
    match key.verify(algorithm, &envelope.body, &envelope.signature) {
        Ok(()) => Outcome::Holds,
        Err(_) => Outcome::Broken,
    }
}

type Scheme<'k> = (&'static dyn lc::VerificationAlgorithm, &'k [u8]);

/// The algorithm of the library and the key as it wants it.
fn scheme<'k>(algorithm: &[u8], spki: &'k [u8]) -> Result<Option<Scheme<'k>>, DerError> {
    let mut outer = sequence(spki)?;
    let mut key = outer.enter(tag::SEQUENCE)?;
    let key_bits = outer.whole_bits()?;
    outer.finish()?;
    let kind = key.oid()?;
    let found = match kind {
        oid::RSA_ENCRYPTION => pkcs1(algorithm)?.or_else(|| pss(algorithm)),
        oid::RSASSA_PSS => pss(algorithm),
        oid::EC_PUBLIC_KEY => ecdsa(key.oid()?, bare(algorithm)?),
        oid::ED25519 => ed25519(bare(algorithm)?),
        _ => None,
    };
    Ok(found.map(|found| (found, key_bits)))
}

/// The identifier of an algorithm that has no parameters.
fn bare(algorithm: &[u8]) -> Result<ObjectIdentifier, DerError> {
    let mut reader = sequence(algorithm)?;
    let kind = reader.oid()?;
    reader.finish()?;
    Ok(kind)
}

/// PKCS #1 v1.5; the NULL is sometimes forgotten.
fn pkcs1(algorithm: &[u8]) -> Result<Option<&'static dyn lc::VerificationAlgorithm>, DerError> {
    let mut reader = sequence(algorithm)?;
    let kind = reader.oid()?;
    Ok(match kind {
        oid::RSA_SHA256 => without_parameters(reader, &lc::RSA_PKCS1_2048_8192_SHA256),
        oid::RSA_SHA384 => without_parameters(reader, &lc::RSA_PKCS1_2048_8192_SHA384),
        oid::RSA_SHA512 => without_parameters(reader, &lc::RSA_PKCS1_2048_8192_SHA512),
        _ => None,
    })
}

fn without_parameters(
    mut parameters: Reader<'_>,
    algorithm: &'static dyn lc::VerificationAlgorithm,
) -> Option<&'static dyn lc::VerificationAlgorithm> {
    let absent = parameters.is_empty();
    let null = parameters.content(tag::NULL).is_ok_and(<[u8]>::is_empty);
    ((absent || null) && parameters.is_empty()).then_some(algorithm)
}

/// RSASSA-PSS with the same hash throughout and a salt of its length.
fn pss(algorithm: &[u8]) -> Option<&'static dyn lc::VerificationAlgorithm> {
    let found = SignatureAlgorithm::parse(algorithm).ok()?;
    let known: [(SignatureAlgorithm, &'static dyn lc::VerificationAlgorithm); 3] = [
        (SignatureAlgorithm::PssSha256, &lc::RSA_PSS_2048_8192_SHA256),
        (SignatureAlgorithm::PssSha384, &lc::RSA_PSS_2048_8192_SHA384),
        (SignatureAlgorithm::PssSha512, &lc::RSA_PSS_2048_8192_SHA512),
    ];
    known.into_iter().find(|(name, _)| *name == found).map(|(_, algorithm)| algorithm)
}

fn ecdsa(
    curve: ObjectIdentifier,
    kind: ObjectIdentifier,
) -> Option<&'static dyn lc::VerificationAlgorithm> {
    Some(match (curve, kind) {
        (oid::P256, oid::ECDSA_SHA256) => &lc::ECDSA_P256_SHA256_ASN1,
        (oid::P256, oid::ECDSA_SHA384) => &lc::ECDSA_P256_SHA384_ASN1,
        (oid::P256, oid::ECDSA_SHA512) => &lc::ECDSA_P256_SHA512_ASN1,
        (oid::P384, oid::ECDSA_SHA256) => &lc::ECDSA_P384_SHA256_ASN1,
        (oid::P384, oid::ECDSA_SHA384) => &lc::ECDSA_P384_SHA384_ASN1,
        (oid::P384, oid::ECDSA_SHA512) => &lc::ECDSA_P384_SHA512_ASN1,
        (oid::P521, oid::ECDSA_SHA256) => &lc::ECDSA_P521_SHA256_ASN1,
        (oid::P521, oid::ECDSA_SHA384) => &lc::ECDSA_P521_SHA384_ASN1,
        (oid::P521, oid::ECDSA_SHA512) => &lc::ECDSA_P521_SHA512_ASN1,
        _ => return None,
    })
}

fn ed25519(kind: ObjectIdentifier) -> Option<&'static dyn lc::VerificationAlgorithm> {
    if kind == oid::ED25519 { Some(&lc::ED25519) } else { None }
}

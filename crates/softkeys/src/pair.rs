//! Key pairs in memory: made, read from PKCS #8, and signing with the algorithm a body names.
//!
//! Deliberately not here: where they are kept. Neither type nor error shows private parts.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _, ML_DSA_65_SIGNING, ML_DSA_87_SIGNING,
    PqdsaKeyPair, PqdsaSigningAlgorithm, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
    RsaEncoding,
};
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_pki::key::PublicKey;
use tenkoku_pki::signature::SignatureAlgorithm;
use zeroize::Zeroizing;

/// Why a key pair was not made, read or used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PairError {
    /// The key and what is to be signed do not fit.
    #[error("{signature} was asked for, which a {key} key does not make here")]
    Misfit { key: KeyAlgorithm, signature: &'static str },
    /// Not a private key of the type expected.
    #[error("the private key is not a {0} key")]
    Rejected(KeyAlgorithm),
    /// The public half of a key pair is not one that the platform uses.
    #[error(transparent)]
    Public(#[from] tenkoku_pki::key::KeyError),
    /// The library refused.
    #[error("the cryptographic library refused to work")]
    Library,
}

impl From<Unspecified> for PairError {
    fn from(_: Unspecified) -> Self {
        Self::Library
    }
}

/// The private key in the form the library signs with, which wipes itself.
enum Private {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    MlDsa(PqdsaKeyPair),
}

/// A key pair that signs. It cannot be shown.
pub(crate) struct KeyPair {
    public: PublicKey,
    private: Private,
}

/// The families; each algorithm belongs to one.
enum Family {
    Ec(&'static EcdsaSigningAlgorithm),
    Rsa(KeySize),
    MlDsa(&'static PqdsaSigningAlgorithm),
}

impl Family {
    const fn of(algorithm: KeyAlgorithm) -> Self {
        match algorithm {
            KeyAlgorithm::P256 => Self::Ec(&ECDSA_P256_SHA256_ASN1_SIGNING),
            KeyAlgorithm::P384 => Self::Ec(&ECDSA_P384_SHA384_ASN1_SIGNING),
            KeyAlgorithm::P521 => Self::Ec(&ECDSA_P521_SHA512_ASN1_SIGNING),
            KeyAlgorithm::Rsa2048 => Self::Rsa(KeySize::Rsa2048),
            KeyAlgorithm::Rsa3072 => Self::Rsa(KeySize::Rsa3072),
            KeyAlgorithm::Rsa4096 => Self::Rsa(KeySize::Rsa4096),
            KeyAlgorithm::MlDsa65 => Self::MlDsa(&ML_DSA_65_SIGNING),
            KeyAlgorithm::MlDsa87 => Self::MlDsa(&ML_DSA_87_SIGNING),
        }
    }
}

impl KeyPair {
    /// Makes a key pair from the library's own generator, which no test can seed.
    pub(crate) fn generate(algorithm: KeyAlgorithm) -> Result<Self, PairError> {
        let private = match Family::of(algorithm) {
            Family::Ec(curve) => Private::Ec(EcdsaKeyPair::generate(curve)?),
            Family::Rsa(size) => Private::Rsa(RsaKeyPair::generate(size)?),
            Family::MlDsa(set) => Private::MlDsa(PqdsaKeyPair::generate(set)?),
        };
        Self::new(algorithm, private)
    }

    /// Reads a PKCS #8 document of exactly this algorithm.
    pub(crate) fn from_pkcs8(algorithm: KeyAlgorithm, pkcs8: &[u8]) -> Result<Self, PairError> {
        let rejected = |_: KeyRejected| PairError::Rejected(algorithm);
        let private = match Family::of(algorithm) {
            Family::Ec(curve) => {
                Private::Ec(EcdsaKeyPair::from_pkcs8(curve, pkcs8).map_err(rejected)?)
            }
            Family::Rsa(_) => Private::Rsa(RsaKeyPair::from_pkcs8(pkcs8).map_err(rejected)?),
            Family::MlDsa(set) => {
                Private::MlDsa(PqdsaKeyPair::from_pkcs8(set, pkcs8).map_err(rejected)?)
            }
        };
        Self::new(algorithm, private)
    }

    /// Reads a document of exactly this algorithm: PKCS #8, SEC 1 or PKCS #1.
    pub(crate) fn from_der(algorithm: KeyAlgorithm, der: &[u8]) -> Result<Self, PairError> {
        let rejected = |_: KeyRejected| PairError::Rejected(algorithm);
        let private = match Family::of(algorithm) {
            Family::Ec(curve) => {
                let pair = EcdsaKeyPair::from_private_key_der(curve, der);
                Private::Ec(pair.map_err(rejected)?)
            }
            Family::Rsa(_) => {
                let pair = RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der));
                Private::Rsa(pair.map_err(rejected)?)
            }
            Family::MlDsa(set) => {
                Private::MlDsa(PqdsaKeyPair::from_pkcs8(set, der).map_err(rejected)?)
            }
        };
        Self::new(algorithm, private)
    }

    fn new(algorithm: KeyAlgorithm, private: Private) -> Result<Self, PairError> {
        let bits = match &private {
            Private::Ec(pair) => pair.public_key().as_ref(),
            Private::Rsa(pair) => pair.public_key().as_ref(),
            Private::MlDsa(pair) => pair.public_key().as_ref(),
        };
        let public = PublicKey::from_raw(algorithm, bits)?;
        if public.algorithm() != algorithm {
            return Err(PairError::Rejected(algorithm));
        }
        Ok(Self { public, private })
    }

    /// The PKCS #8 document (RFC 5958), wiped when it goes.
    pub(crate) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, PairError> {
        Ok(Zeroizing::new(match &self.private {
            Private::Ec(pair) => pair.to_pkcs8v1()?.as_ref().to_vec(),
            Private::Rsa(pair) => pair.as_der()?.as_ref().to_vec(),
            Private::MlDsa(pair) => pair.to_pkcs8v1()?.as_ref().to_vec(),
        }))
    }

    /// The public half.
    pub(crate) const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs a message with this algorithm, and with no other than the key is for.
    pub(crate) fn sign(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, PairError> {
        let key = self.public.algorithm();
        let misfit = PairError::Misfit { key, signature: algorithm.name() };
        // The library takes a generator for form's sake and uses its own.
        let random = SystemRandom::new();
        match &self.private {
            Private::Ec(pair) if algorithm == SignatureAlgorithm::of_issuer(key) => {
                Ok(pair.sign(&random, message)?.as_ref().to_vec())
            }
            Private::MlDsa(pair) if algorithm == SignatureAlgorithm::of_issuer(key) => {
                let mut signature = vec![0; pair.algorithm().signature_len()];
                let length = pair.sign(message, &mut signature)?;
                signature.truncate(length);
                Ok(signature)
            }
            Private::Ec(_) | Private::MlDsa(_) => Err(misfit),
            Private::Rsa(pair) => {
                let encoding = rsa_encoding(algorithm).ok_or(misfit)?;
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, message, &mut signature)?;
                Ok(signature)
            }
        }
    }
}

/// PKCS #1 v1.5 with the hash named; the platform signs with nothing else.
fn rsa_encoding(signature: SignatureAlgorithm) -> Option<&'static dyn RsaEncoding> {
    match signature {
        SignatureAlgorithm::RsaSha256 => Some(&RSA_PKCS1_SHA256),
        SignatureAlgorithm::RsaSha384 => Some(&RSA_PKCS1_SHA384),
        SignatureAlgorithm::RsaSha512 => Some(&RSA_PKCS1_SHA512),
        SignatureAlgorithm::PssSha256
        | SignatureAlgorithm::PssSha384
        | SignatureAlgorithm::PssSha512
        | SignatureAlgorithm::EcdsaSha256
        | SignatureAlgorithm::EcdsaSha384
        | SignatureAlgorithm::EcdsaSha512
        | SignatureAlgorithm::MlDsa65
        | SignatureAlgorithm::MlDsa87 => None,
    }
}

//! Signature algorithms: their identifiers, which of them an issuer uses, and verification.
//!
//! Nothing here signs. SHA-1 and MD5 are known only to be refused by name.

use aws_lc_rs::signature as lc;
use const_oid::ObjectIdentifier;
use tenkoku_domain::key::KeyAlgorithm;

use crate::asn1::{DerError, read, write};
use crate::oid;

/// A signature algorithm with its hash and all its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignatureAlgorithm {
    /// ECDSA with SHA-256. Signatures are the DER of `ECDSA-Sig-Value`.
    EcdsaSha256,
    /// ECDSA with SHA-384.
    EcdsaSha384,
    /// ECDSA with SHA-512.
    EcdsaSha512,
    /// RSA PKCS #1 v1.5 with SHA-256.
    RsaSha256,
    /// RSA PKCS #1 v1.5 with SHA-384.
    RsaSha384,
    /// RSA PKCS #1 v1.5 with SHA-512.
    RsaSha512,
    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256, salt of 32 octets.
    PssSha256,
    /// RSASSA-PSS with SHA-384, MGF1 with SHA-384, salt of 48 octets.
    PssSha384,
    /// RSASSA-PSS with SHA-512, MGF1 with SHA-512, salt of 64 octets.
    PssSha512,
    /// ML-DSA-65 over the message itself, with an empty context (RFC 9881, 3).
    MlDsa65,
    /// ML-DSA-87 over the message itself, with an empty context.
    MlDsa87,
}

/// Why an algorithm identifier is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureAlgorithmError {
    /// SHA-1 or MD5.
    #[error("the signature uses {0}, which no longer proves anything")]
    WeakHash(&'static str),
    /// ML-DSA over a hash, which X.509 does not take (RFC 9881, 8.3).
    #[error("the signature is pre-hashed ML-DSA, which certificates do not use")]
    PreHash,
    /// Not known here.
    #[error("the signature algorithm {0} is not known here")]
    Unknown(String),
    /// Known, with parameters that do not belong to it.
    #[error("the parameters of the signature algorithm are not the ones demanded")]
    Parameters,
    /// Not DER.
    #[error(transparent)]
    Der(#[from] DerError),
}

impl SignatureAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 11] = [
        Self::EcdsaSha256,
        Self::EcdsaSha384,
        Self::EcdsaSha512,
        Self::RsaSha256,
        Self::RsaSha384,
        Self::RsaSha512,
        Self::PssSha256,
        Self::PssSha384,
        Self::PssSha512,
        Self::MlDsa65,
        Self::MlDsa87,
    ];

    /// What a key of the platform signs with (DOMAIN 12.1).
    pub const fn of_issuer(key: KeyAlgorithm) -> Self {
        match key {
            KeyAlgorithm::P256 => Self::EcdsaSha256,
            KeyAlgorithm::P384 => Self::EcdsaSha384,
            KeyAlgorithm::P521 => Self::EcdsaSha512,
            KeyAlgorithm::Rsa2048 | KeyAlgorithm::Rsa3072 => Self::RsaSha256,
            KeyAlgorithm::Rsa4096 => Self::RsaSha384,
            KeyAlgorithm::MlDsa65 => Self::MlDsa65,
            KeyAlgorithm::MlDsa87 => Self::MlDsa87,
        }
    }

    /// The name for people: `ECDSA with SHA-384`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EcdsaSha256 => "ECDSA with SHA-256",
            Self::EcdsaSha384 => "ECDSA with SHA-384",
            Self::EcdsaSha512 => "ECDSA with SHA-512",
            Self::RsaSha256 => "RSA with SHA-256",
            Self::RsaSha384 => "RSA with SHA-384",
            Self::RsaSha512 => "RSA with SHA-512",
            Self::PssSha256 => "RSASSA-PSS with SHA-256",
            Self::PssSha384 => "RSASSA-PSS with SHA-384",
            Self::PssSha512 => "RSASSA-PSS with SHA-512",
            Self::MlDsa65 => "ML-DSA-65",
            Self::MlDsa87 => "ML-DSA-87",
        }
    }

    /// The AlgorithmIdentifier, DER: parameters absent for ECDSA (RFC 5758, 3.2) and ML-DSA
    /// (RFC 9881, 2), NULL for RSA (RFC 4055, 5), the full set for PSS (RFC 4055, 3.1).
    pub fn identifier(self) -> Vec<u8> {
        match self {
            Self::EcdsaSha256 => write::sequence(&[write::oid(&oid::ECDSA_SHA256)]),
            Self::EcdsaSha384 => write::sequence(&[write::oid(&oid::ECDSA_SHA384)]),
            Self::EcdsaSha512 => write::sequence(&[write::oid(&oid::ECDSA_SHA512)]),
            Self::RsaSha256 => with_null(&oid::RSA_SHA256),
            Self::RsaSha384 => with_null(&oid::RSA_SHA384),
            Self::RsaSha512 => with_null(&oid::RSA_SHA512),
            Self::PssSha256 => pss(&with_null(&oid::SHA256), 32),
            Self::PssSha384 => pss(&with_null(&oid::SHA384), 48),
            Self::PssSha512 => pss(&with_null(&oid::SHA512), 64),
            Self::MlDsa65 => write::sequence(&[write::oid(&oid::ML_DSA_65)]),
            Self::MlDsa87 => write::sequence(&[write::oid(&oid::ML_DSA_87)]),
        }
    }

    /// Reads an AlgorithmIdentifier. The octets must be those that [`Self::identifier`] writes;
    /// for PSS the hash may also stand without NULL.
    pub fn parse(der: &[u8]) -> Result<Self, SignatureAlgorithmError> {
        if let Some(known) = Self::ALL.into_iter().find(|a| a.identifier() == der) {
            return Ok(known);
        }
        if let Some(known) = pss_without_null(der) {
            return Ok(known);
        }
        let found = read::sequence(der)?.oid()?;
        Err(why_not(&found))
    }
}

fn why_not(found: &ObjectIdentifier) -> SignatureAlgorithmError {
    let is_known = SignatureAlgorithm::ALL
        .iter()
        .any(|a| read::sequence(&a.identifier()).and_then(|mut r| r.oid()) == Ok(*found));
    if is_known {
        SignatureAlgorithmError::Parameters
    } else if *found == oid::RSA_SHA1 || *found == oid::ECDSA_SHA1 {
        SignatureAlgorithmError::WeakHash("SHA-1")
    } else if *found == oid::RSA_MD5 {
        SignatureAlgorithmError::WeakHash("MD5")
    } else if [oid::HASH_ML_DSA_44, oid::HASH_ML_DSA_65, oid::HASH_ML_DSA_87].contains(found) {
        SignatureAlgorithmError::PreHash
    } else {
        SignatureAlgorithmError::Unknown(found.to_string())
    }
}

/// An AlgorithmIdentifier with NULL parameters.
pub(crate) fn with_null(algorithm: &ObjectIdentifier) -> Vec<u8> {
    write::sequence(&[write::oid(algorithm), write::null()])
}

/// RSASSA-PSS-params with the same hash for the message and for MGF1 (RFC 4055, 3.1).
fn pss(hash: &[u8], salt_octets: u8) -> Vec<u8> {
    let mgf1 = write::sequence(&[write::oid(&oid::MGF1).as_slice(), hash]);
    let parameters = write::sequence(&[
        write::context(0, hash),
        write::context(1, &mgf1),
        write::context(2, &write::unsigned(&[salt_octets])),
    ]);
    write::sequence(&[write::oid(&oid::RSASSA_PSS), parameters])
}

fn pss_without_null(der: &[u8]) -> Option<SignatureAlgorithm> {
    let bare = |hash: &ObjectIdentifier| write::sequence(&[write::oid(hash)]);
    [
        (SignatureAlgorithm::PssSha256, pss(&bare(&oid::SHA256), 32)),
        (SignatureAlgorithm::PssSha384, pss(&bare(&oid::SHA384), 48)),
        (SignatureAlgorithm::PssSha512, pss(&bare(&oid::SHA512), 64)),
    ]
    .into_iter()
    .find_map(|(algorithm, identifier)| (identifier == der).then_some(algorithm))
}

/// The verifier for a key and an algorithm; `None` where the two do not belong together.
pub(crate) fn verifier(
    key: KeyAlgorithm,
    algorithm: SignatureAlgorithm,
) -> Option<&'static dyn lc::VerificationAlgorithm> {
    use KeyAlgorithm as K;
    use SignatureAlgorithm as S;
    Some(match (key, algorithm) {
        (K::P256, S::EcdsaSha256) => &lc::ECDSA_P256_SHA256_ASN1,
        (K::P256, S::EcdsaSha384) => &lc::ECDSA_P256_SHA384_ASN1,
        (K::P256, S::EcdsaSha512) => &lc::ECDSA_P256_SHA512_ASN1,
        (K::P384, S::EcdsaSha256) => &lc::ECDSA_P384_SHA256_ASN1,
        (K::P384, S::EcdsaSha384) => &lc::ECDSA_P384_SHA384_ASN1,
        (K::P384, S::EcdsaSha512) => &lc::ECDSA_P384_SHA512_ASN1,
        (K::P521, S::EcdsaSha256) => &lc::ECDSA_P521_SHA256_ASN1,
        (K::P521, S::EcdsaSha384) => &lc::ECDSA_P521_SHA384_ASN1,
        (K::P521, S::EcdsaSha512) => &lc::ECDSA_P521_SHA512_ASN1,
        (K::Rsa2048 | K::Rsa3072 | K::Rsa4096, S::RsaSha256) => &lc::RSA_PKCS1_2048_8192_SHA256,
        (K::Rsa2048 | K::Rsa3072 | K::Rsa4096, S::RsaSha384) => &lc::RSA_PKCS1_2048_8192_SHA384,
        (K::Rsa2048 | K::Rsa3072 | K::Rsa4096, S::RsaSha512) => &lc::RSA_PKCS1_2048_8192_SHA512,
        (K::Rsa2048 | K::Rsa3072 | K::Rsa4096, S::PssSha256) => &lc::RSA_PSS_2048_8192_SHA256,
        (K::Rsa2048 | K::Rsa3072 | K::Rsa4096, S::PssSha384) => &lc::RSA_PSS_2048_8192_SHA384,
        (K::Rsa2048 | K::Rsa3072 | K::Rsa4096, S::PssSha512) => &lc::RSA_PSS_2048_8192_SHA512,
        (K::MlDsa65, S::MlDsa65) => &lc::ML_DSA_65,
        (K::MlDsa87, S::MlDsa87) => &lc::ML_DSA_87,
        (
            K::P256 | K::P384 | K::P521 | K::MlDsa65 | K::MlDsa87,
            S::RsaSha256 | S::RsaSha384 | S::RsaSha512 | S::PssSha256 | S::PssSha384 | S::PssSha512,
        )
        | (
            K::Rsa2048 | K::Rsa3072 | K::Rsa4096 | K::MlDsa65 | K::MlDsa87,
            S::EcdsaSha256 | S::EcdsaSha384 | S::EcdsaSha512,
        )
        | (
            K::Rsa2048 | K::Rsa3072 | K::Rsa4096 | K::P256 | K::P384 | K::P521,
            S::MlDsa65 | S::MlDsa87,
        )
        | (K::MlDsa65, S::MlDsa87)
        | (K::MlDsa87, S::MlDsa65) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hex_text: &str, expected: Result<SignatureAlgorithm, SignatureAlgorithmError>) {
        assert_eq!(SignatureAlgorithm::parse(&hex::decode(hex_text).unwrap()), expected);
    }

    #[test]
    fn every_algorithm_reads_back() {
        for algorithm in SignatureAlgorithm::ALL {
            check(&hex::encode(algorithm.identifier()), Ok(algorithm));
        }
    }

    #[test]
    fn parameters_must_be_exact() {
        // ecdsa-with-SHA256 with NULL, and sha256WithRSAEncryption without it.
        check("300c06082a8648ce3d0403020500", Err(SignatureAlgorithmError::Parameters));
        check("300b06092a864886f70d01010b", Err(SignatureAlgorithmError::Parameters));
    }

    #[test]
    fn ml_dsa_signs_the_message_itself_and_has_no_parameters() {
        check("300b0609608648016503040312", Ok(SignatureAlgorithm::MlDsa65));
        check("300b0609608648016503040313", Ok(SignatureAlgorithm::MlDsa87));
        check("300d06096086480165030403120500", Err(SignatureAlgorithmError::Parameters));
        for pre_hash in ["20", "21", "22"] {
            let identifier = format!("300b06096086480165030403{pre_hash}");
            check(&identifier, Err(SignatureAlgorithmError::PreHash));
        }
    }

    #[test]
    fn old_hashes_are_refused_by_name() {
        check("300d06092a864886f70d0101050500", Err(SignatureAlgorithmError::WeakHash("SHA-1")));
        check("300906072a8648ce3d0401", Err(SignatureAlgorithmError::WeakHash("SHA-1")));
        check("300d06092a864886f70d0101040500", Err(SignatureAlgorithmError::WeakHash("MD5")));
        check("300506032b6570", Err(SignatureAlgorithmError::Unknown("1.3.101.112".to_owned())));
    }
}

//! The signature and digest algorithms of a trusted list, each with its address.
//!
//! Only what TS 119 312 holds good for three years is here, so what is not here cannot be used.
//! Deliberately not in this module: keys that sign.

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::certificate::{Certificate, KeyKind};

/// How a list is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    /// ECDSA on P-256 with SHA-256.
    EcdsaP256Sha256,
    /// ECDSA on P-384 with SHA-384.
    EcdsaP384Sha384,
    /// RSA PKCS#1 v1.5 with SHA-256.
    RsaSha256,
    /// RSA PKCS#1 v1.5 with SHA-512.
    RsaSha512,
}

impl SignatureAlgorithm {
    const ALL: [Self; 4] =
        [Self::EcdsaP256Sha256, Self::EcdsaP384Sha384, Self::RsaSha256, Self::RsaSha512];

    /// The address that XML Signature uses (RFC 9231, 2.3).
    pub const fn uri(self) -> &'static str {
        match self {
            Self::EcdsaP256Sha256 => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
            Self::EcdsaP384Sha384 => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
            Self::RsaSha256 => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            Self::RsaSha512 => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
        }
    }

    /// The algorithm with this address.
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.uri() == uri)
    }

    /// The digest algorithm that is used beside this signature algorithm.
    pub const fn digest(self) -> DigestAlgorithm {
        match self {
            Self::EcdsaP256Sha256 | Self::RsaSha256 => DigestAlgorithm::Sha256,
            Self::EcdsaP384Sha384 => DigestAlgorithm::Sha384,
            Self::RsaSha512 => DigestAlgorithm::Sha512,
        }
    }

    /// Whether a key of this kind can make and check such a signature.
    pub const fn fits(self, key: KeyKind) -> bool {
        match self {
            Self::EcdsaP256Sha256 => matches!(key, KeyKind::P256),
            Self::EcdsaP384Sha384 => matches!(key, KeyKind::P384),
            Self::RsaSha256 | Self::RsaSha512 => matches!(key, KeyKind::Rsa { .. }),
        }
    }

    /// Bytes of one ECDSA coordinate, or `None` for RSA.
    pub(crate) const fn coordinate_bytes(self) -> Option<usize> {
        match self {
            Self::EcdsaP256Sha256 => Some(32),
            Self::EcdsaP384Sha384 => Some(48),
            Self::RsaSha256 | Self::RsaSha512 => None,
        }
    }

    /// Whether `value`, as XML Signature writes it (ECDSA: r and s concatenated), signs `message`.
    pub(crate) fn verifies(self, signer: &Certificate, message: &[u8], value: &[u8]) -> bool {
        let algorithm: &'static dyn VerificationAlgorithm = match self {
            Self::EcdsaP256Sha256 => &signature::ECDSA_P256_SHA256_FIXED,
            Self::EcdsaP384Sha384 => &signature::ECDSA_P384_SHA384_FIXED,
            Self::RsaSha256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Self::RsaSha512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        };
        self.fits(signer.key())
            && UnparsedPublicKey::new(algorithm, signer.key_bits()).verify(message, value).is_ok()
    }
}

/// How a digest is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl DigestAlgorithm {
    const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// The address that XML Signature uses (RFC 9231, 2.1).
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Sha256 => "http://www.w3.org/2001/04/xmlenc#sha256",
            Self::Sha384 => "http://www.w3.org/2001/04/xmldsig-more#sha384",
            Self::Sha512 => "http://www.w3.org/2001/04/xmlenc#sha512",
        }
    }

    /// The algorithm with this address.
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.uri() == uri)
    }

    /// The digest of `bytes`.
    pub fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_its_algorithm_and_a_weak_one_names_none() {
        for algorithm in SignatureAlgorithm::ALL {
            assert_eq!(SignatureAlgorithm::from_uri(algorithm.uri()), Some(algorithm));
        }
        for algorithm in DigestAlgorithm::ALL {
            assert_eq!(DigestAlgorithm::from_uri(algorithm.uri()), Some(algorithm));
        }
        for weak in [
            "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
            "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
            "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
            "",
        ] {
            assert_eq!(SignatureAlgorithm::from_uri(weak), None);
        }
        assert_eq!(DigestAlgorithm::from_uri("http://www.w3.org/2000/09/xmldsig#sha1"), None);
    }
}

//! The signature and digest algorithms of a trusted list, each with its address.
//!
//! Only what TS 119 312 holds good for three years is here, so what is not here cannot be used. Lists
//! of ours are signed with a [`SignatureAlgorithm`]; what other operators use besides is a
//! [`ForeignAlgorithm`], which is only verified.
//! Deliberately not in this module: keys that sign.

use aws_lc_rs::digest::{self, Context};
use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};

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
    pub(crate) const ALL: [Self; 4] =
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
}

/// How somebody's list is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignAlgorithm {
    /// As lists of ours are.
    Ours(SignatureAlgorithm),
    /// ECDSA on P-521 with SHA-512.
    EcdsaP521Sha512,
    /// RSA PKCS#1 v1.5 with SHA-384.
    RsaSha384,
    /// RSA PSS with MGF1 of the same digest and a salt as long as the digest (RFC 9231, 2.3.10).
    RsaPss(DigestAlgorithm),
}

impl ForeignAlgorithm {
    /// The address that XML Signature uses (RFC 9231, 2.3).
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Ours(algorithm) => algorithm.uri(),
            Self::EcdsaP521Sha512 => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
            Self::RsaSha384 => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
            Self::RsaPss(DigestAlgorithm::Sha256) => {
                "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"
            }
            Self::RsaPss(DigestAlgorithm::Sha384) => {
                "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1"
            }
            Self::RsaPss(DigestAlgorithm::Sha512) => {
                "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1"
            }
        }
    }

    /// The algorithm with this address.
    pub fn from_uri(uri: &str) -> Option<Self> {
        let pss = DigestAlgorithm::ALL.map(Self::RsaPss);
        SignatureAlgorithm::ALL
            .into_iter()
            .map(Self::Ours)
            .chain([Self::EcdsaP521Sha512, Self::RsaSha384])
            .chain(pss)
            .find(|algorithm| algorithm.uri() == uri)
    }

    /// Whether a key of this kind can make such a signature.
    pub const fn fits(self, key: KeyKind) -> bool {
        match self {
            Self::Ours(algorithm) => algorithm.fits(key),
            Self::EcdsaP521Sha512 => matches!(key, KeyKind::P521),
            Self::RsaSha384 | Self::RsaPss(_) => matches!(key, KeyKind::Rsa { .. }),
        }
    }

    /// Whether `value`, as XML Signature writes it (ECDSA: r and s concatenated), signs `message`.
    /// RSA keys have 2048 to 8192 bits.
    pub(crate) fn verifies(self, signer: &Certificate, message: &[u8], value: &[u8]) -> bool {
        use SignatureAlgorithm as S;
        let algorithm: &'static dyn VerificationAlgorithm = match self {
            Self::Ours(S::EcdsaP256Sha256) => &signature::ECDSA_P256_SHA256_FIXED,
            Self::Ours(S::EcdsaP384Sha384) => &signature::ECDSA_P384_SHA384_FIXED,
            Self::Ours(S::RsaSha256) => &signature::RSA_PKCS1_2048_8192_SHA256,
            Self::Ours(S::RsaSha512) => &signature::RSA_PKCS1_2048_8192_SHA512,
            Self::EcdsaP521Sha512 => &signature::ECDSA_P521_SHA512_FIXED,
            Self::RsaSha384 => &signature::RSA_PKCS1_2048_8192_SHA384,
            Self::RsaPss(DigestAlgorithm::Sha256) => &signature::RSA_PSS_2048_8192_SHA256,
            Self::RsaPss(DigestAlgorithm::Sha384) => &signature::RSA_PSS_2048_8192_SHA384,
            Self::RsaPss(DigestAlgorithm::Sha512) => &signature::RSA_PSS_2048_8192_SHA512,
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
        digest::digest(self.implementation(), bytes).as_ref().to_vec()
    }

    fn implementation(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }
}

/// The digests of a document that is still being read, so that it need not be kept.
pub(crate) struct Digesters(Vec<(DigestAlgorithm, Context)>);

impl Digesters {
    /// Every algorithm that `document` names; only one that it names can have been used. When it
    /// names none in plain letters, all of them.
    pub(crate) fn for_document(document: &str) -> Self {
        let named = |algorithm: &DigestAlgorithm| {
            memchr::memmem::rfind(document.as_bytes(), algorithm.uri().as_bytes()).is_some()
        };
        let named: Vec<_> = DigestAlgorithm::ALL.into_iter().filter(named).collect();
        let chosen = if named.is_empty() { DigestAlgorithm::ALL.to_vec() } else { named };
        let context = |algorithm: DigestAlgorithm| Context::new(algorithm.implementation());
        Self(chosen.into_iter().map(|algorithm| (algorithm, context(algorithm))).collect())
    }

    /// Takes the next bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        for (_, context) in &mut self.0 {
            context.update(bytes);
        }
    }

    /// The digests of all that was taken.
    pub(crate) fn finish(self) -> ListDigests {
        let finish = |(algorithm, context): (DigestAlgorithm, Context)| {
            (algorithm, context.finish().as_ref().to_vec())
        };
        ListDigests(self.0.into_iter().map(finish).collect())
    }
}

/// What [`Digesters`] found.
pub(crate) struct ListDigests(Vec<(DigestAlgorithm, Vec<u8>)>);

impl ListDigests {
    /// The digest made this way, if it was made.
    pub(crate) fn by(&self, algorithm: DigestAlgorithm) -> Option<&[u8]> {
        self.0.iter().find(|(made, _)| *made == algorithm).map(|(_, digest)| digest.as_slice())
    }
}

/// SHA-1, which old lists use to name the signing certificate and nothing else.
pub(crate) const SHA1_URI: &str = "http://www.w3.org/2000/09/xmldsig#sha1";

/// The SHA-1 digest of a certificate.
pub(crate) fn sha1(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().to_vec()
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
        let foreign = [
            "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
            "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
        ];
        for uri in foreign {
            assert_eq!(ForeignAlgorithm::from_uri(uri).map(ForeignAlgorithm::uri), Some(uri));
            assert_eq!(SignatureAlgorithm::from_uri(uri), None);
        }
        for weak in [
            "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
            "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
            "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
            "",
        ] {
            assert_eq!(SignatureAlgorithm::from_uri(weak), None);
            assert_eq!(ForeignAlgorithm::from_uri(weak), None);
        }
        assert_eq!(DigestAlgorithm::from_uri("http://www.w3.org/2000/09/xmldsig#sha1"), None);
    }
}

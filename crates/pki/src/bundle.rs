//! Bundles that go between an online and an offline installation: what is signed over them.
//!
//! The octets begin with a word that no certificate, CRL, OCSP answer or list begins with, so a
//! signature over a bundle is never one over anything else. Deliberately not here: what a bundle
//! says.

use tenkoku_domain::exchange::Octets;

use crate::key::{KeyError, PublicKey, SignatureError};
use crate::signature::SignatureAlgorithm;
use crate::signed::{Signable, sealed};

/// What the signed octets begin with.
const DOMAIN: &[u8] = b"tenkoku-bundle-v1\0";

/// A bundle that may be signed. Only [`prepare`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct PreparedBundle {
    octets: Vec<u8>,
    algorithm: SignatureAlgorithm,
    signer: PublicKey,
}

impl sealed::Sealed for PreparedBundle {}

impl Signable for PreparedBundle {
    fn to_be_signed(&self) -> &[u8] {
        &self.octets
    }

    fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    fn signer(&self) -> &PublicKey {
        &self.signer
    }
}

/// Why the signature over a bundle is not believed.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The key that is said to have sealed it cannot be read.
    #[error("the key that sealed the bundle cannot be read: {0}")]
    Key(#[from] KeyError),
    /// The signature does not fit.
    #[error("the bundle was changed, or sealed by another key: {0}")]
    Signature(#[from] SignatureError),
}

/// Prepares the canonical text of a bundle for its signer.
pub fn prepare(text: &str, signer: &PublicKey) -> PreparedBundle {
    PreparedBundle {
        octets: [DOMAIN, text.as_bytes()].concat(),
        algorithm: SignatureAlgorithm::of_issuer(signer.algorithm()),
        signer: signer.clone(),
    }
}

/// Verifies the signature over a bundle's canonical text and gives the key that made it.
pub fn verify(text: &str, signer: &Octets, signature: &Octets) -> Result<PublicKey, BundleError> {
    let key = PublicKey::parse(&signer.0)?;
    let prepared = prepare(text, &key);
    key.verify(prepared.algorithm, &prepared.octets, &signature.0)?;
    Ok(key)
}

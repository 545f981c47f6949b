//! Keys that sign and never leave: the contract that every key store keeps.
//!
//! A key store makes keys, signs bodies that passed their lint, and destroys keys. There is no way
//! to ask it for a signature over loose bytes, and no way to take a private key out. Deliberately
//! not in this crate: any store; `softkeys` keeps keys in files, hardware comes beside it.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod body;
pub mod contract;

use tenkoku_domain::id::KeyId;
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_pki::signed::ThrowawaySigner;

pub use crate::body::Body;

/// A key pair whose private half stays in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedKey {
    /// The name under which the store keeps it.
    pub id: KeyId,
    /// Algorithm and size.
    pub algorithm: KeyAlgorithm,
    /// SubjectPublicKeyInfo, DER.
    pub public_key: Vec<u8>,
}

/// Where private keys live.
pub trait KeyStore: Send + Sync {
    /// Makes a key pair under a name. A name that is taken is refused; nothing is overwritten.
    fn generate(&self, id: &KeyId, algorithm: KeyAlgorithm) -> Result<GeneratedKey, KeyError>;

    /// The public half of a kept key.
    fn load_public(&self, id: &KeyId) -> Result<GeneratedKey, KeyError>;

    /// Signs a body once, with the algorithm that the body names: ECDSA with the hash that fits
    /// the curve (P-256 SHA-256, P-384 SHA-384, P-521 SHA-512), as DER `SEQUENCE { r, s }`; RSA as
    /// PKCS #1 v1.5 with SHA-256, SHA-384 or SHA-512. A body that names an algorithm the key does
    /// not make, or was checked for another key, is [`KeyError::Signing`].
    fn sign(&self, id: &KeyId, body: &Body<'_>) -> Result<Vec<u8>, KeyError>;

    /// Signs certificate bodies with keys that are thrown away, so that the whole can be checked
    /// before the real key moves (DOMAIN 12.8).
    fn throwaway(&self) -> &dyn ThrowawaySigner;

    /// The names of all keys kept.
    fn list(&self) -> Result<Vec<KeyId>, KeyError>;

    /// Destroys a private key. Destroying what is not there is [`KeyError::NotFound`].
    fn destroy(&self, id: &KeyId) -> Result<(), KeyError>;
}

/// Why a key store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is no key of this name.
    #[error("the key store has no key {0}")]
    NotFound(KeyId),
    /// The name is taken.
    #[error("the key store already has a key {0}")]
    Exists(KeyId),
    /// There is no store there.
    #[error("there is no key store at {place}")]
    Absent {
        /// Where one was looked for.
        place: String,
    },
    /// A new store was wanted where there is one, or something else.
    #[error("no key store can be made at {place}, because there is something already")]
    Occupied {
        /// Where one was to be made.
        place: String,
    },
    /// An empty passphrase, which protects nothing.
    #[error("the passphrase of the key store is empty")]
    EmptyPassphrase,
    /// The passphrase does not open the store.
    #[error("the passphrase does not open the key store at {place}")]
    WrongPassphrase {
        /// Which store.
        place: String,
    },
    /// A kept key cannot be read back.
    #[error("the key {id} in the key store is damaged: {problem}")]
    Damaged {
        /// Which key.
        id: KeyId,
        /// What is wrong with it.
        problem: String,
    },
    /// The store cannot be reached.
    #[error("the key store at {place} cannot be used: {problem}")]
    Unreachable {
        /// Which store.
        place: String,
        /// What went wrong.
        problem: String,
    },
    /// The store does not make or use such keys.
    #[error("the key store does not use {algorithm} keys here")]
    Unsupported {
        /// The algorithm.
        algorithm: KeyAlgorithm,
    },
    /// The signing operation failed.
    #[error("signing with the key {id} failed: {problem}")]
    Signing {
        /// Which key.
        id: KeyId,
        /// What went wrong.
        problem: String,
    },
}

//! Keys that sign and never leave: the contract that every key store keeps.
//!
//! A key store makes keys, signs bodies that passed their lint, and destroys keys. There is no way
//! to ask it for a signature over loose bytes, and no way to take a private key out. Deliberately
//! not in this crate: any store; `softkeys` keeps keys in files, hardware comes beside it.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod body;
pub mod contract;
mod origin;
pub mod trial;

use tenkoku_domain::id::KeyId;
use tenkoku_domain::key::{Fingerprint, KeyAlgorithm};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_pki::signed::ThrowawaySigner;

pub use crate::body::Body;
pub use crate::origin::{Container, Destruction, Origin, Search, Sighting, StoreKind};

/// A key pair whose private half stays in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedKey {
    /// The name under which the store keeps it.
    pub id: KeyId,
    /// Algorithm and size.
    pub algorithm: KeyAlgorithm,
    /// SubjectPublicKeyInfo, DER.
    pub public_key: Vec<u8>,
    /// Where it was made and how far that is shown (DOMAIN 9).
    pub origin: Origin,
}

/// Where private keys live.
pub trait KeyStore: Send + Sync {
    /// In files or in hardware.
    fn kind(&self) -> StoreKind;

    /// Shows that the store could sign now: that it is reached and open. Signs nothing.
    fn check(&self) -> Result<(), KeyError>;

    /// Makes a key pair under a name. A name that is taken is refused; nothing is overwritten.
    /// A key that does not have the attributes of KM-10 when it is read back is destroyed at once,
    /// and [`KeyError::Attributes`].
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

    /// Searches for the objects of a key without touching them. A key that is not there is an empty
    /// search, not an error.
    fn search(&self, id: &KeyId) -> Result<Sighting, KeyError>;

    /// Destroys a key, its private and its public half, and reports what a search found before
    /// and after (evidence class D1, DOMAIN 11; who, and when, the caller adds). Destroying what is
    /// not there is [`KeyError::NotFound`].
    fn destroy(&self, id: &KeyId) -> Result<Destruction, KeyError>;
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
    /// The container does not hold the key in the way that KM-10 demands.
    #[error("the key {id} is not held as it must be: {problem}")]
    Attributes {
        /// Which key.
        id: KeyId,
        /// What it is known by, for ever.
        fingerprint: Fingerprint,
        /// Which attributes are wrong.
        problem: String,
    },
    /// The module of a hardware store cannot be loaded.
    #[error("the module {module} cannot be used: {problem}")]
    Module {
        /// The file.
        module: String,
        /// What went wrong.
        problem: String,
    },
    /// No slot has the token; it was never there, or it was taken away.
    #[error("there is no token {token} in any slot of {module}")]
    TokenAbsent {
        /// The label or serial looked for.
        token: String,
        /// The module asked.
        module: String,
    },
    /// The PIN does not open the token. It is not tried again, so that the token is not locked.
    #[error("the PIN does not open the token {token}; it was tried once and is not tried again")]
    WrongPin {
        /// Which token.
        token: String,
    },
    /// One wrong PIN more would lock the token, so this program does not try its own.
    #[error("one wrong PIN more locks the token {token}, so none is tried")]
    FinalTry {
        /// Which token.
        token: String,
    },
    /// The token refuses every PIN until its security officer unlocks it.
    #[error("the PIN of the token {token} is locked")]
    PinLocked {
        /// Which token.
        token: String,
    },
    /// There is no room for another key.
    #[error("the token {token} has no room for another key")]
    Full {
        /// Which token.
        token: String,
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

impl KeyError {
    /// The refusal that this is, where a rule of DOMAIN forbids it; `None` for what went wrong.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Attributes { problem, .. } => Some(
                Refusal::new(RefusalCode::ContainerAttributes, "KM-10").with("problem", problem),
            ),
            Self::NotFound(_)
            | Self::Exists(_)
            | Self::Absent { .. }
            | Self::Occupied { .. }
            | Self::EmptyPassphrase
            | Self::WrongPassphrase { .. }
            | Self::Damaged { .. }
            | Self::Unreachable { .. }
            | Self::Unsupported { .. }
            | Self::Module { .. }
            | Self::TokenAbsent { .. }
            | Self::WrongPin { .. }
            | Self::FinalTry { .. }
            | Self::PinLocked { .. }
            | Self::Full { .. }
            | Self::Signing { .. } => None,
        }
    }
}

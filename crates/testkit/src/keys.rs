//! A key store that can be told to stop signing, as one whose network or device is gone.

use std::sync::atomic::{AtomicBool, Ordering};

use tenkoku_domain::id::KeyId;
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_keys::{Body, Destruction, GeneratedKey, KeyError, KeyStore, StoreKind};
use tenkoku_pki::signed::ThrowawaySigner;
use tenkoku_softkeys::SoftKeys;

/// Software keys behind a switch.
#[derive(Debug)]
pub struct BreakableKeys {
    inner: SoftKeys,
    broken: AtomicBool,
}

impl BreakableKeys {
    /// A store that works.
    pub const fn new(inner: SoftKeys) -> Self {
        Self { inner, broken: AtomicBool::new(false) }
    }

    /// Signs nothing from now on.
    pub fn fail(&self) {
        self.broken.store(true, Ordering::SeqCst);
    }

    fn reached(&self) -> Result<(), KeyError> {
        if self.broken.load(Ordering::SeqCst) {
            let problem = "its cable is cut".to_owned();
            return Err(KeyError::Unreachable { place: "the test".to_owned(), problem });
        }
        Ok(())
    }

    /// Signs again.
    pub fn recover(&self) {
        self.broken.store(false, Ordering::SeqCst);
    }
}

impl KeyStore for BreakableKeys {
    fn kind(&self) -> StoreKind {
        self.inner.kind()
    }

    fn check(&self) -> Result<(), KeyError> {
        self.reached()?;
        self.inner.check()
    }

    fn generate(&self, id: &KeyId, algorithm: KeyAlgorithm) -> Result<GeneratedKey, KeyError> {
        self.inner.generate(id, algorithm)
    }

    fn load_public(&self, id: &KeyId) -> Result<GeneratedKey, KeyError> {
        self.inner.load_public(id)
    }

    fn sign(&self, id: &KeyId, body: &Body<'_>) -> Result<Vec<u8>, KeyError> {
        self.reached()?;
        self.inner.sign(id, body)
    }

    fn throwaway(&self) -> &dyn ThrowawaySigner {
        self.inner.throwaway()
    }

    fn list(&self) -> Result<Vec<KeyId>, KeyError> {
        self.inner.list()
    }

    fn destroy(&self, id: &KeyId) -> Result<Destruction, KeyError> {
        self.inner.destroy(id)
    }
}

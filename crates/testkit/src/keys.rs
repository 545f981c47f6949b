//! A key store that can be told to stop signing, as one whose network or device is gone.

use std::sync::{Mutex, PoisonError};

use tenkoku_domain::id::KeyId;
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_keys::{Body, Destruction, GeneratedKey, KeyError, KeyStore, Sighting, StoreKind};
use tenkoku_pki::key::PublicKey;
use tenkoku_pki::signed::ThrowawaySigner;
use tenkoku_softkeys::SoftKeys;

/// What does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Nothing,
    Everything,
    /// The power fails before a key is destroyed, or after.
    BeforeDestroying,
    AfterDestroying,
    /// New keys are not held as KM-10 demands, and are left where they are.
    Loose,
}

/// Software keys behind a switch.
#[derive(Debug)]
pub struct BreakableKeys {
    inner: SoftKeys,
    fault: Mutex<Fault>,
}

impl BreakableKeys {
    /// A store that works.
    pub const fn new(inner: SoftKeys) -> Self {
        Self { inner, fault: Mutex::new(Fault::Nothing) }
    }

    fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// Signs nothing from now on.
    pub fn fail(&self) {
        self.set(Fault::Everything);
    }

    /// From now on a destruction stops before the key is touched.
    pub fn fail_before_destroying(&self) {
        self.set(Fault::BeforeDestroying);
    }

    /// From now on a destruction is done, and nobody hears of it.
    pub fn fail_after_destroying(&self) {
        self.set(Fault::AfterDestroying);
    }

    /// From now on the device makes keys that could leave it, and leaves them there.
    pub fn make_loose(&self) {
        self.set(Fault::Loose);
    }

    fn is(&self, fault: Fault) -> bool {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) == fault
    }

    fn hits(&self, fault: Fault) -> Result<(), KeyError> {
        if self.is(fault) {
            let problem = "its cable is cut".to_owned();
            return Err(KeyError::Unreachable { place: "the test".to_owned(), problem });
        }
        Ok(())
    }

    fn reached(&self) -> Result<(), KeyError> {
        self.hits(Fault::Everything)
    }

    /// Works again.
    pub fn recover(&self) {
        self.set(Fault::Nothing);
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
        let made = self.inner.generate(id, algorithm)?;
        if self.is(Fault::Loose) {
            let public = PublicKey::parse(&made.public_key).expect("a public key");
            let (fingerprint, problem) = (public.fingerprint(), "it can be taken out".to_owned());
            return Err(KeyError::Attributes { id: id.clone(), fingerprint, problem });
        }
        Ok(made)
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

    fn search(&self, id: &KeyId) -> Result<Sighting, KeyError> {
        self.reached()?;
        self.inner.search(id)
    }

    fn destroy(&self, id: &KeyId) -> Result<Destruction, KeyError> {
        self.reached()?;
        self.hits(Fault::BeforeDestroying)?;
        let report = self.inner.destroy(id)?;
        self.hits(Fault::AfterDestroying)?;
        Ok(report)
    }
}

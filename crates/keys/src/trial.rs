//! A trial of a key store: a key is made, used and destroyed, and each step is reported.
//!
//! For the operator who sets a store up. The contract tests ask more; this asks what a first key
//! needs, and leaves nothing behind.

use tenkoku_domain::id::KeyId;
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_pki::key::PublicKey;
use tenkoku_pki::signature::SignatureAlgorithm;

use crate::contract::specimen;
use crate::{Body, Destruction, GeneratedKey, KeyError, KeyStore};

/// What a trial has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The store is reached and open.
    Reached,
    /// A key was made, and its origin read back.
    Made(Box<GeneratedKey>),
    /// It signed, and the signature verifies.
    Signed,
    /// What was checked for another key was not signed.
    RefusedForeign,
    /// It was destroyed.
    Destroyed(Destruction),
}

/// Tries a store with a key of this name, which it must not have. A key that was made is destroyed
/// whatever happens after.
pub fn try_out(
    store: &dyn KeyStore,
    id: &KeyId,
    algorithm: KeyAlgorithm,
    shown: &mut dyn FnMut(Step),
) -> Result<(), KeyError> {
    store.check()?;
    shown(Step::Reached);
    let made = store.generate(id, algorithm)?;
    shown(Step::Made(Box::new(made.clone())));
    let used = use_once(store, &made, shown);
    let destroyed = store.destroy(id);
    used?;
    shown(Step::Destroyed(destroyed?));
    Ok(())
}

fn use_once(
    store: &dyn KeyStore,
    made: &GeneratedKey,
    shown: &mut dyn FnMut(Step),
) -> Result<(), KeyError> {
    let wrong = |problem: String| KeyError::Signing { id: made.id.clone(), problem };
    let key = PublicKey::parse(&made.public_key).map_err(|err| wrong(err.to_string()))?;
    let crl = specimen::crl(&key).map_err(wrong)?;
    let body = Body::Crl(&crl);
    let signature = store.sign(&made.id, &body)?;
    key.verify(body.signature_algorithm(), body.octets(), &signature)
        .map_err(|err| wrong(err.to_string()))?;
    shown(Step::Signed);
    let other = store
        .throwaway()
        .sign_throwaway(KeyAlgorithm::P256, SignatureAlgorithm::EcdsaSha256, b"another key")
        .map_err(|err| wrong(err.0))?;
    let other = PublicKey::parse(&other.spki).map_err(|err| wrong(err.to_string()))?;
    let foreign = specimen::crl(&other).map_err(wrong)?;
    match store.sign(&made.id, &Body::Crl(&foreign)) {
        Err(KeyError::Signing { .. }) => shown(Step::RefusedForeign),
        Ok(_) => return Err(wrong("a body for another key was signed".to_owned())),
        Err(other) => return Err(other),
    }
    Ok(())
}

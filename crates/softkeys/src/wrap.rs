//! Wrapping: AES-256-GCM under a key that comes from a passphrase or from another wrap.
//!
//! Every sealing takes a fresh random nonce of 96 bits from the library, never from outside: a
//! nonce used twice would give the key away. Deliberately not here: files, and what is sealed.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::error::Unspecified;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tenkoku_domain::id::Entropy;
use zeroize::Zeroizing;

use crate::octets::Octets;

/// Octets of an AES-256 key.
const KEY_OCTETS: usize = 32;
/// Octets of the tag that GCM appends.
const TAG_OCTETS: usize = 16;
/// Octets of a salt (RFC 9106, 3.1: 16 are recommended).
const SALT_OCTETS: usize = 16;

/// How costly it is to try a passphrase. Stored, so that it can rise without a new format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cost {
    /// Memory in KiB.
    memory_kib: u32,
    /// Passes over the memory.
    passes: u32,
    /// Lanes computed side by side.
    lanes: u32,
}

impl Cost {
    /// What a new store gets: 19 MiB, two passes, one lane (OWASP's first choice for Argon2id).
    const NEW: Self = Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 };
    /// What a stored file may ask for at most, so that a damaged one cannot eat the machine.
    const MOST: Self = Self { memory_kib: 1024 * 1024, passes: 64, lanes: 16 };

    fn params(self) -> Result<Params, WrapError> {
        let is_sane = self.memory_kib <= Self::MOST.memory_kib
            && self.passes <= Self::MOST.passes
            && self.lanes <= Self::MOST.lanes;
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(KEY_OCTETS));
        params.ok().filter(|_| is_sane).ok_or(WrapError::Cost)
    }
}

/// How the wrapping key comes from the passphrase: Argon2id version 0x13 (RFC 9106).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Derivation {
    function: Function,
    cost: Cost,
    salt: Octets,
}

/// The function that makes a key of a passphrase. Stored. Add variants, never change one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Function {
    Argon2id,
}

impl Derivation {
    /// Today's cost and a fresh salt.
    pub(crate) fn new(entropy: &dyn Entropy) -> Self {
        let mut salt = [0_u8; SALT_OCTETS];
        entropy.fill(&mut salt);
        Self { function: Function::Argon2id, cost: Cost::NEW, salt: Octets(salt.to_vec()) }
    }

    /// Derives the wrap that a passphrase stands for. The working memory is wiped.
    pub(crate) fn derive(&self, passphrase: &SecretString) -> Result<Wrap, WrapError> {
        let Function::Argon2id = self.function;
        let params = self.cost.params()?;
        let mut memory = Zeroizing::new(vec![Block::default(); params.block_count()]);
        let mut key = Zeroizing::new([0_u8; KEY_OCTETS]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(
                passphrase.expose_secret().as_bytes(),
                &self.salt.0,
                &mut *key,
                memory.as_mut_slice(),
            )
            .map_err(|_| WrapError::Cost)?;
        Wrap::under(&key)
    }
}

/// What came out of sealing. Safe to show: without the key it says nothing but its length.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sealed {
    nonce: Octets,
    /// The ciphertext and the tag of 16 octets behind it.
    sealed: Octets,
}

/// Why something was not sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WrapError {
    /// The stored cost cannot be met.
    #[error("the stored settings of the key derivation are out of bounds")]
    Cost,
    /// Another key, another binding, or changed octets; the three cannot be told apart.
    #[error("the sealed part does not open: it was changed, or belongs to another file")]
    Closed,
    /// The library refused.
    #[error("the cryptographic library refused to work")]
    Library,
}

/// A key that seals and opens. It never leaves; its memory is wiped by the library.
pub(crate) struct Wrap(RandomizedNonceKey);

impl Wrap {
    fn under(key: &[u8; KEY_OCTETS]) -> Result<Self, WrapError> {
        RandomizedNonceKey::new(&AES_256_GCM, key).map(Self).map_err(|_| WrapError::Library)
    }

    /// Makes a fresh wrap, and its key sealed under this one.
    pub(crate) fn make_inner(
        &self,
        bound: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<(Self, Sealed), WrapError> {
        let mut key = Zeroizing::new([0_u8; KEY_OCTETS]);
        entropy.fill(&mut *key);
        Ok((Self::under(&key)?, self.seal(&*key, bound)?))
    }

    /// Opens a wrap that [`Self::make_inner`] made.
    pub(crate) fn open_inner(&self, sealed: &Sealed, bound: &[u8]) -> Result<Self, WrapError> {
        let key = self.open(sealed, bound)?;
        Self::under(key.as_slice().try_into().map_err(|_| WrapError::Closed)?)
    }

    /// Seals, bound to what is not secret but must stay with it.
    pub(crate) fn seal(&self, plain: &[u8], bound: &[u8]) -> Result<Sealed, WrapError> {
        // Room for the tag, so that no copy of the plain octets is left behind by a reallocation.
        let mut text = Zeroizing::new(Vec::with_capacity(plain.len() + TAG_OCTETS));
        text.extend_from_slice(plain);
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(bound), &mut *text)
            .map_err(|_| WrapError::Library)?;
        Ok(Sealed { nonce: Octets(nonce.as_ref().to_vec()), sealed: Octets(text.to_vec()) })
    }

    /// Opens what was sealed with the same binding.
    pub(crate) fn open(
        &self,
        sealed: &Sealed,
        bound: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, WrapError> {
        let mut text = Zeroizing::new(sealed.sealed.0.clone());
        let length = Nonce::try_assume_unique_for_key(&sealed.nonce.0)
            .and_then(|nonce| Ok(self.0.open_in_place(nonce, Aad::from(bound), &mut text)?.len()))
            .map_err(|Unspecified| WrapError::Closed)?;
        text.truncate(length);
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    fn wrap() -> Wrap {
        Wrap::under(&[7; KEY_OCTETS]).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_with_its_binding_only() {
        let sealed = wrap().seal(b"plain", b"bound").unwrap();
        assert_eq!(wrap().open(&sealed, b"bound").unwrap().as_slice(), b"plain");
        assert_eq!(wrap().open(&sealed, b"other"), Err(WrapError::Closed));
        let stranger = Wrap::under(&[8; KEY_OCTETS]).unwrap();
        assert_eq!(stranger.open(&sealed, b"bound"), Err(WrapError::Closed));
    }

    #[test]
    fn any_changed_octet_is_noticed() {
        let sealed = wrap().seal(b"plain", b"bound").unwrap();
        for place in 0..sealed.sealed.0.len() {
            let mut changed = sealed.clone();
            changed.sealed.0[place] ^= 1;
            assert_eq!(wrap().open(&changed, b"bound"), Err(WrapError::Closed));
        }
        let short = Sealed { sealed: Octets(vec![1, 2, 3]), ..sealed.clone() };
        assert_eq!(wrap().open(&short, b"bound"), Err(WrapError::Closed));
        let odd = Sealed { nonce: Octets(vec![1, 2, 3]), ..sealed };
        assert_eq!(wrap().open(&odd, b"bound"), Err(WrapError::Closed));
    }

    #[test]
    fn the_same_octets_are_sealed_differently_each_time() {
        let first = wrap().seal(b"plain", b"").unwrap();
        assert_ne!(first, wrap().seal(b"plain", b"").unwrap());
    }

    #[test]
    fn a_passphrase_opens_what_it_sealed() {
        let derivation = Derivation::new(&Fixed(1));
        let outer = derivation.derive(&"correct horse".into()).unwrap();
        let (inner, key) = outer.make_inner(b"store", &Fixed(2)).unwrap();
        let sealed = inner.seal(b"plain", b"").unwrap();
        let again = derivation.derive(&"correct horse".into()).unwrap();
        let inner = again.open_inner(&key, b"store").unwrap();
        assert_eq!(inner.open(&sealed, b"").unwrap().as_slice(), b"plain");
        let wrong = derivation.derive(&"correct house".into()).unwrap();
        assert_eq!(wrong.open_inner(&key, b"store").err(), Some(WrapError::Closed));
    }

    #[test]
    fn a_stored_cost_out_of_bounds_is_refused_before_any_memory_is_taken() {
        for cost in [
            Cost { memory_kib: u32::MAX, ..Cost::NEW },
            Cost { memory_kib: 0, ..Cost::NEW },
            Cost { passes: u32::MAX, ..Cost::NEW },
            Cost { lanes: 0, ..Cost::NEW },
        ] {
            let derivation = Derivation { cost, ..Derivation::new(&Fixed(1)) };
            let refused = derivation.derive(&"correct horse".into()).err();
            assert_eq!(refused, Some(WrapError::Cost), "{cost:?}");
        }
    }
}

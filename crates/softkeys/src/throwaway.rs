//! Throw-away keys: what is to be certified is signed with one of these first and linted.
//!
//! Such a key is made here, lives in memory only, and signs nothing that leaves the process.

use std::sync::{Arc, Mutex, PoisonError};

use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_pki::signature::SignatureAlgorithm;
use tenkoku_pki::signed::{Throwaway, ThrowawayError, ThrowawaySigner};

use crate::pair::{KeyPair, PairError};

/// Signs with throw-away keys. An EC or ML-DSA key is fresh for every call. An RSA key is made once per size
/// and process and used again: making one takes up to seconds, which would be most of the time an
/// issuance takes, and the lint looks at the form of the signature, which is the same for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThrowawayKeys;

impl ThrowawaySigner for ThrowawayKeys {
    fn sign_throwaway(
        &self,
        key: KeyAlgorithm,
        algorithm: SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Throwaway, ThrowawayError> {
        let failed = |err: PairError| ThrowawayError(err.to_string());
        let pair = pair(key).map_err(failed)?;
        let signature = pair.sign(algorithm, message).map_err(failed)?;
        Ok(Throwaway { spki: pair.public().spki_der().to_vec(), signature })
    }
}

/// A key pair that is made when it is first wanted.
type Kept = Mutex<Option<Arc<KeyPair>>>;

static RSA_2048: Kept = Mutex::new(None);
static RSA_3072: Kept = Mutex::new(None);
static RSA_4096: Kept = Mutex::new(None);

fn pair(algorithm: KeyAlgorithm) -> Result<Arc<KeyPair>, PairError> {
    let kept = match algorithm {
        KeyAlgorithm::P256
        | KeyAlgorithm::P384
        | KeyAlgorithm::P521
        | KeyAlgorithm::MlDsa65
        | KeyAlgorithm::MlDsa87 => {
            return KeyPair::generate(algorithm).map(Arc::new);
        }
        KeyAlgorithm::Rsa2048 => &RSA_2048,
        KeyAlgorithm::Rsa3072 => &RSA_3072,
        KeyAlgorithm::Rsa4096 => &RSA_4096,
    };
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pair) = &*kept {
        return Ok(Arc::clone(pair));
    }
    let pair = Arc::new(KeyPair::generate(algorithm)?);
    *kept = Some(Arc::clone(&pair));
    Ok(pair)
}

#[cfg(test)]
mod tests {
    use tenkoku_pki::key::PublicKey;

    use super::*;

    fn sign(key: KeyAlgorithm) -> Throwaway {
        let algorithm = SignatureAlgorithm::of_issuer(key);
        let made = ThrowawayKeys.sign_throwaway(key, algorithm, b"body").unwrap();
        let public = PublicKey::parse(&made.spki).unwrap();
        assert_eq!(public.algorithm(), key);
        public.verify(algorithm, b"body", &made.signature).unwrap();
        made
    }

    #[test]
    fn every_type_of_key_signs_and_verifies() {
        for key in KeyAlgorithm::ALL {
            sign(key);
        }
    }

    #[test]
    fn an_ec_key_is_fresh_each_time_and_an_rsa_key_is_not() {
        assert_ne!(sign(KeyAlgorithm::P256).spki, sign(KeyAlgorithm::P256).spki);
        assert_eq!(sign(KeyAlgorithm::Rsa2048).spki, sign(KeyAlgorithm::Rsa2048).spki);
    }

    #[test]
    fn an_algorithm_of_another_type_is_refused() {
        let refused = ThrowawayKeys
            .sign_throwaway(KeyAlgorithm::P256, SignatureAlgorithm::RsaSha256, b"body")
            .unwrap_err();
        assert!(refused.to_string().contains("RSA with SHA-256"), "{refused}");
    }
}

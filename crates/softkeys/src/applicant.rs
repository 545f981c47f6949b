//! The key of an applicant in a file of their own: made or read, and used once to answer a
//! challenge.
//!
//! For whoever applies on this machine. Such a key is not the platform's: it stays in the
//! applicant's file, and nothing here keeps it.

use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_pki::csr::RequestBody;
use tenkoku_pki::key::{PublicKey, SignatureError};
use tenkoku_pki::pem;
use tenkoku_pki::signature::SignatureAlgorithm;
use zeroize::Zeroizing;

use crate::pair::{KeyPair, PairError};

/// Labels of private keys that are not encrypted: PKCS #8, SEC 1, PKCS #1.
const LABELS: [&str; 3] = ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"];

/// A private key of an applicant, in memory.
pub struct ApplicantKey(KeyPair);

/// Why an applicant's key was not made, read or used.
#[derive(Debug, thiserror::Error)]
pub enum ApplicantKeyError {
    /// Not the file of a private key, or of one that is encrypted.
    #[error("the file holds no private key in PEM that is not encrypted")]
    Unreadable,
    /// The library refused, or the key is of a kind that is not certified.
    #[error("{0}")]
    Refused(String),
    /// What was signed does not verify.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl From<PairError> for ApplicantKeyError {
    fn from(error: PairError) -> Self {
        Self::Refused(error.to_string())
    }
}

impl std::fmt::Debug for ApplicantKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ApplicantKey").field(&self.0.public().algorithm()).finish()
    }
}

impl ApplicantKey {
    /// A new key.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, ApplicantKeyError> {
        Ok(Self(KeyPair::generate(algorithm)?))
    }

    /// Reads a key as `openssl genpkey`, `ecparam -genkey` and `genrsa` write it.
    pub fn read(file: &[u8]) -> Result<Self, ApplicantKeyError> {
        let text = std::str::from_utf8(file).map_err(|_| ApplicantKeyError::Unreadable)?;
        let block = LABELS.iter().find_map(|label| block(text, label));
        let block = Zeroizing::new(block.ok_or(ApplicantKeyError::Unreadable)?);
        let der = pem::decode(block.as_bytes(), &LABELS);
        let der = Zeroizing::new(der.map_err(|_| ApplicantKeyError::Unreadable)?);
        KeyAlgorithm::ALL
            .into_iter()
            .find_map(|algorithm| KeyPair::from_der(algorithm, &der).ok())
            .map(Self)
            .ok_or(ApplicantKeyError::Unreadable)
    }

    /// The file to keep: PKCS #8 in PEM, not encrypted.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, ApplicantKeyError> {
        let der = self.0.to_pkcs8()?;
        Ok(Zeroizing::new(pem::encode("PRIVATE KEY", &der)))
    }

    /// The public half.
    pub const fn public(&self) -> &PublicKey {
        self.0.public()
    }

    /// A signature over a text with the algorithm that certificates of the key are signed with: for
    /// the custodian's statement.
    pub fn sign_text(&self, text: &str) -> Result<Vec<u8>, ApplicantKeyError> {
        let algorithm = SignatureAlgorithm::of_issuer(self.public().algorithm());
        Ok(self.0.sign(algorithm, text.as_bytes())?)
    }

    /// The request that answers a challenge, DER.
    pub fn answer(&self, challenge: &str) -> Result<Vec<u8>, ApplicantKeyError> {
        let body = RequestBody::new(self.public(), challenge);
        let signature = self.0.sign(body.signature_algorithm(), body.to_be_signed())?;
        Ok(body.assemble(&signature)?)
    }
}

/// The one block of a label, with its first and last line; other blocks may stand around it.
fn block(text: &str, label: &str) -> Option<String> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let (_, after) = text.split_once(&begin)?;
    let (content, _) = after.split_once(&end)?;
    Some(format!("{begin}{content}{end}\n"))
}

#[cfg(test)]
mod tests {
    use tenkoku_pki::csr::Request;

    use super::*;

    fn check(file: &[u8], algorithm: KeyAlgorithm) {
        let key = ApplicantKey::read(file).unwrap();
        assert_eq!(key.public().algorithm(), algorithm);
        let request = Request::parse(&key.answer("a challenge").unwrap()).unwrap();
        assert_eq!(request.challenge(), Some("a challenge"));
        assert_eq!(request.key(), key.public());
    }

    #[test]
    fn a_key_answers_a_challenge_and_reads_back() {
        for algorithm in [KeyAlgorithm::P256, KeyAlgorithm::P384, KeyAlgorithm::P521] {
            let key = ApplicantKey::generate(algorithm).unwrap();
            check(key.to_pem().unwrap().as_bytes(), algorithm);
        }
    }

    #[test]
    fn keys_of_openssl_are_read() {
        // `openssl ecparam -name prime256v1 -genkey`: parameters first, then SEC 1.
        let sec1 = include_bytes!("../../../tests/data/pki/keys/throwaway-sec1.pem");
        check(sec1, KeyAlgorithm::P256);
        let pkcs1 = include_bytes!("../../../tests/data/pki/keys/throwaway-pkcs1.pem");
        check(pkcs1, KeyAlgorithm::Rsa2048);
    }

    #[test]
    fn what_is_no_private_key_is_refused() {
        for file in [&b""[..], b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"] {
            assert!(matches!(ApplicantKey::read(file), Err(ApplicantKeyError::Unreadable)));
        }
    }
}

//! What goes between an online and an offline installation on a removable medium: requests and
//! answers, and the short code by which people compare them (UX 4.2).
//!
//! Deliberately not here: signatures over bundles, and files.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::authority::{AuthorityCode, AuthorityName, AuthorityOrder};
use crate::canonical::{CanonicalError, Digest, canonical};
use crate::certificate::Serial;
use crate::id::ExchangeId;
use crate::key::words;
use crate::refusal::{Refusal, RefusalCode};
use crate::revocation::Revocation;
use crate::time::Timestamp;

/// The version of the bundles.
pub const VERSION: u8 = 1;

/// Octets, in JSON as hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Octets(pub Vec<u8>);

impl TryFrom<String> for Octets {
    type Error = hex::FromHexError;
    fn try_from(text: String) -> Result<Self, hex::FromHexError> {
        hex::decode(text).map(Self)
    }
}

impl From<Octets> for String {
    fn from(octets: Octets) -> String {
        hex::encode(octets.0)
    }
}

/// A certificate that the root's next CRL shall list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// Its serial number.
    pub serial: Serial,
    /// Why and since when.
    pub revocation: Revocation,
}

/// One thing that the offline installation is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Want {
    /// The certificate of the root, and its present CRL: the first exchange.
    Root,
    /// A CRL that lists at least these.
    Crl {
        /// What it must list.
        revoked: Vec<Listed>,
    },
    /// The certificate of an authority whose key was made online.
    Certificate {
        /// What authority.
        order: Box<AuthorityOrder>,
        /// The names in its subject.
        names: AuthorityName,
        /// Its key, SubjectPublicKeyInfo.
        public_key: Octets,
    },
    /// The certificate of the signer of trusted lists.
    ListSigner {
        /// The names in its subject.
        names: AuthorityName,
        /// Its key, SubjectPublicKeyInfo.
        public_key: Octets,
        /// Its validity in days.
        days: i64,
    },
    /// A cross-certificate for another root.
    Cross {
        /// The other root's own certificate, DER.
        certificate: Octets,
    },
}

/// What is asked of an offline root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Version of the format.
    pub v: u8,
    /// Identifier: an answer names it, and it is answered once.
    pub id: ExchangeId,
    /// When it was made.
    pub made_at: Timestamp,
    /// The operator's identifier.
    pub operator: String,
    /// The root that shall sign.
    pub root: AuthorityCode,
    /// What is wanted.
    pub wants: Vec<Want>,
}

/// One thing that was given, in the order of the wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Given {
    /// The root's certificate.
    Root {
        /// DER.
        certificate: Octets,
    },
    /// A CRL.
    Crl {
        /// DER.
        crl: Octets,
    },
    /// A certificate.
    Certificate {
        /// DER.
        certificate: Octets,
    },
}

/// What an offline root answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Version of the format.
    pub v: u8,
    /// The request.
    pub id: ExchangeId,
    /// The digest of the sealed request: it answers exactly this one.
    pub request: Digest,
    /// When it was made.
    pub made_at: Timestamp,
    /// The root that signed.
    pub root: AuthorityCode,
    /// What is given.
    pub gives: Vec<Given>,
}

words! {
    /// Which of the two a bundle is.
    BundleKind {
        /// From online to offline.
        Request = "request",
        /// And back.
        Answer = "answer",
    }
}

/// A bundle with the signature over it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed<T> {
    /// Which kind.
    pub kind: BundleKind,
    /// What is said.
    pub bundle: T,
    /// Whose key signed it, SubjectPublicKeyInfo.
    pub signer: Octets,
    /// The signature over the canonical JSON of the three above.
    pub signature: Octets,
}

impl<T: Serialize> Sealed<T> {
    /// The canonical text that is signed: kind, bundle, signer.
    pub fn signed_text(&self) -> Result<String, CanonicalError> {
        signed_text(self.kind, &self.bundle, &self.signer)
    }

    /// The digest of what is signed.
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        Ok(Digest::of(self.signed_text()?.as_bytes()))
    }

    /// The code to be compared.
    pub fn code(&self) -> Result<CompareCode, CanonicalError> {
        Ok(CompareCode::of(&self.digest()?))
    }
}

/// The canonical text of a bundle before it is signed.
pub fn signed_text(
    kind: BundleKind,
    bundle: &impl Serialize,
    signer: &Octets,
) -> Result<String, CanonicalError> {
    canonical(&json!({ "kind": kind, "bundle": bundle, "signer": signer }))
}

/// The alphabet of the code: no letter that sounds or looks like another.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Four groups of four characters that two people compare by eye and by voice: 80 bits of the
/// digest of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompareCode(String);

impl CompareCode {
    /// The code of a digest.
    pub fn of(digest: &Digest) -> Self {
        let value = digest.0.iter().take(10).fold(0_u128, |sum, b| (sum << 8) | u128::from(*b));
        let mut text = String::new();
        for place in (0..16_u32).rev() {
            let index = usize::try_from((value >> (5 * place)) & 31).unwrap_or_default();
            text.push(char::from(ALPHABET.get(index).copied().unwrap_or(b'0')));
            if place % 4 == 0 && place > 0 {
                text.push('-');
            }
        }
        Self(text)
    }

    /// Whether this is what a person typed; case, spaces and hyphens do not matter, and the letters
    /// that the code does not use are read as the digits they look like.
    pub fn check(&self, typed: &str) -> Result<(), Refusal> {
        let plain = |text: &str| -> String {
            text.chars()
                .filter(char::is_ascii_alphanumeric)
                .map(|c| match c.to_ascii_uppercase() {
                    'O' => '0',
                    'I' | 'L' => '1',
                    other => other,
                })
                .collect()
        };
        if plain(typed) == plain(&self.0) {
            return Ok(());
        }
        Err(Refusal::new(RefusalCode::IdentifierMismatch, "KM-19").with("problem", "compare-code"))
    }

    /// The four groups.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CompareCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_four_groups_and_is_compared_as_people_type_it() {
        let code = CompareCode::of(&Digest::of(b"bundle"));
        assert_eq!(code.as_str().split('-').map(str::len).collect::<Vec<_>>(), [4; 4]);
        assert!(code.check(&code.as_str().to_lowercase().replace('-', " ")).is_ok());
        let other = CompareCode::of(&Digest::of(b"bundel"));
        let refused = code.check(other.as_str()).unwrap_err();
        assert_eq!(refused.code, RefusalCode::IdentifierMismatch);
    }

    #[test]
    fn a_code_follows_the_first_eighty_bits() {
        let mut digest = Digest([0; 32]);
        digest.0[9] = 1;
        digest.0[10] = 0xFF;
        assert_eq!(CompareCode::of(&digest).as_str(), "0000-0000-0000-0001");
    }
}

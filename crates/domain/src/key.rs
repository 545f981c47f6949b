//! Keys: algorithms, fingerprints, states, and the classes of proof of their origin.
//!
//! What a key *is* is decided here; how it is stored and used is the key stores' matter.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::canonical::Digest;
use crate::id::{AuthorityId, InstanceId, KeyId, UserId};
use crate::time::Timestamp;

/// Algorithm and size of a key pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum KeyAlgorithm {
    /// RSA with a modulus of 2048 bits.
    Rsa2048,
    /// RSA with a modulus of 3072 bits.
    Rsa3072,
    /// RSA with a modulus of 4096 bits.
    Rsa4096,
    /// ECDSA on NIST P-256.
    P256,
    /// ECDSA on NIST P-384.
    P384,
    /// ECDSA on NIST P-521.
    P521,
    /// ML-DSA-65 (FIPS 204), without pre-hashing.
    MlDsa65,
    /// ML-DSA-87 (FIPS 204), without pre-hashing.
    MlDsa87,
}

/// Why a text names no key algorithm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a key algorithm; known are RSA-2048, RSA-3072, RSA-4096, P-256, P-384, P-521, ML-DSA-65, ML-DSA-87"
)]
pub struct KeyAlgorithmError(pub String);

impl KeyAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 8] = [
        Self::Rsa2048,
        Self::Rsa3072,
        Self::Rsa4096,
        Self::P256,
        Self::P384,
        Self::P521,
        Self::MlDsa65,
        Self::MlDsa87,
    ];

    /// The name in policies, tables and messages: `P-256`, `RSA-3072`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rsa2048 => "RSA-2048",
            Self::Rsa3072 => "RSA-3072",
            Self::Rsa4096 => "RSA-4096",
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
            Self::MlDsa65 => "ML-DSA-65",
            Self::MlDsa87 => "ML-DSA-87",
        }
    }

    /// Reads a name as [`KeyAlgorithm::name`] writes it.
    pub fn parse(text: &str) -> Result<Self, KeyAlgorithmError> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == text)
            .ok_or_else(|| KeyAlgorithmError(text.to_owned()))
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl TryFrom<String> for KeyAlgorithm {
    type Error = KeyAlgorithmError;
    fn try_from(text: String) -> Result<Self, KeyAlgorithmError> {
        Self::parse(&text)
    }
}

impl From<KeyAlgorithm> for String {
    fn from(algorithm: KeyAlgorithm) -> String {
        algorithm.name().to_owned()
    }
}

/// The part of a public key that identifies the private key behind it (DOMAIN 8.1).
///
/// The same private key has several encodings; all of them meet the same material.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyMaterial<'a> {
    /// RSA, any algorithm identifier, any exponent: the modulus, big-endian. Leading zeros are
    /// taken off here.
    Rsa {
        /// The modulus, big-endian.
        modulus: &'a [u8],
    },
    /// EC on a named curve: the x coordinate, big-endian, padded to the field length. A
    /// compressed point and the mirrored point (private key n − d) have the same x.
    Ec {
        /// The curve's object identifier in dotted form.
        curve: &'a str,
        /// The x coordinate, padded to the field length.
        x: &'a [u8],
    },
    /// Ed25519: the encoded key; the sign bit is cleared here.
    Ed25519(&'a [u8; 32]),
    /// Ed448: the encoded key; the sign bit is cleared here.
    Ed448(&'a [u8; 57]),
    /// ML-DSA: the encoded public key.
    MlDsa {
        /// 44, 65 or 87.
        set: u8,
        /// The encoded public key.
        key: &'a [u8],
    },
}

/// What a key is recognised by, for ever and in every encoding (DOMAIN 8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub Digest);

impl Fingerprint {
    /// `SHA-256("seal-key-v1" || 0 || type || 0 || material)`.
    pub fn of(material: &KeyMaterial<'_>) -> Self {
        let (kind, bytes) = match material {
            KeyMaterial::Rsa { modulus } => {
                let start = modulus.iter().position(|b| *b != 0).unwrap_or(modulus.len());
                ("rsa".to_owned(), modulus.iter().skip(start).copied().collect())
            }
            KeyMaterial::Ec { curve, x } => (format!("ec:{curve}"), x.to_vec()),
            KeyMaterial::Ed25519(key) => ("ed25519".to_owned(), without_sign_bit(*key)),
            KeyMaterial::Ed448(key) => ("ed448".to_owned(), without_sign_bit(*key)),
            KeyMaterial::MlDsa { set, key } => (format!("ml-dsa-{set}"), key.to_vec()),
        };
        Self(Digest::of(&[b"seal-key-v1\0", kind.as_bytes(), b"\0", &bytes].concat()))
    }
}

fn without_sign_bit(key: &[u8]) -> Vec<u8> {
    let mut bytes = key.to_vec();
    if let Some(last) = bytes.last_mut() {
        *last &= 0x7F;
    }
    bytes
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word stored and shown for this value. Stored: never change one.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Reads a word back; `None` for a word that is not in the table.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.word() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.word())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let word = <String as serde::Deserialize>::deserialize(from)?;
                Self::from_word(&word).ok_or_else(|| {
                    serde::de::Error::custom(format!("unknown {} {word:?}", stringify!($name)))
                })
            }
        }
    };
}
pub(crate) use words;

words! {
    /// How far the origin of a key is shown (DOMAIN 9).
    OriginClass {
        /// Unknown: proof of possession only.
        K0 = "K0",
        /// Declared by the custodian.
        K1 = "K1",
        /// Made by the platform in its HSM.
        K2 = "K2",
        /// Attested by the device.
        K3 = "K3",
        /// Witnessed.
        K4 = "K4",
    }
}

words! {
    /// State of a key (DOMAIN 6.5).
    KeyState {
        /// Ordered from the platform's key store.
        Ordered = "ordered",
        /// Generated by the platform.
        Generated = "generated",
        /// Handed in by the applicant.
        Presented = "presented",
        /// Possession shown; fingerprint claimed.
        Proven = "proven",
        /// In a certificate.
        Bound = "bound",
        /// Sealing forbidden, a destruction statement still allowed.
        Retiring = "retiring",
        /// Evidence of destruction is awaited.
        DestructionDue = "destruction-due",
        /// Destroyed, with evidence.
        Destroyed = "destroyed",
        /// Exposed.
        Compromised = "compromised",
        /// Container gone without evidence.
        Lost = "lost",
    }
}

words! {
    /// What a key is for. Fingerprints are unique over all roles (I-2).
    KeyRole {
        /// The key of a seal's instance.
        Seal = "seal",
        /// Signs certificates and CRLs of an authority.
        Authority = "authority",
        /// Signs OCSP answers of an authority.
        OcspSigner = "ocsp-signer",
        /// Signs trusted lists.
        ListSigner = "list-signer",
        /// Signs documents of the platform: the audit signer of DOMAIN 12.5.
        AuditSigner = "audit-signer",
        /// Seals the bundles that go to an offline installation.
        Exchange = "exchange",
        /// Signs the known-key feed for other authorities.
        Feed = "feed",
        /// Signs time-stamps.
        TimeStamping = "tsa",
        /// The key of an administrator's client certificate, which the administrator holds.
        Administrator = "administrator",
    }
}

/// Who a key belongs to, for its whole life (I-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyHolder {
    /// An instance of a seal.
    Instance(InstanceId),
    /// An authority: its own key, or the key of one of its service signers.
    Authority(AuthorityId),
    /// A scheme's list, by the scheme's code.
    Scheme(String),
    /// A person's account: the key of a client certificate.
    Account(UserId),
}

words! {
    /// What brought a key among those that are never accepted again (KM-5).
    BlockList {
        /// A certificate of it was revoked because the key was exposed.
        Exposed = "exposed",
        /// Found weak while it was known already (KM-3).
        Weak = "weak",
        /// On a list of published keys.
        Published = "published",
        /// Blocked by the platform's officers.
        Operator = "operator",
    }
}

/// A key that is never accepted again (KM-5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedKey {
    /// What the key is recognised by.
    pub fingerprint: Fingerprint,
    /// What brought it here.
    pub list: BlockList,
    /// Why, in a word: `key-exposed`, `shared-factor`.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
}

/// A key known to the platform. The fingerprint is claimed for ever (DOMAIN 8.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Identifier; also the name under which the platform's key store keeps the private key.
    pub id: KeyId,
    /// What the key is for.
    pub role: KeyRole,
    /// Who it belongs to.
    pub holder: KeyHolder,
    /// Algorithm and size.
    pub algorithm: KeyAlgorithm,
    /// What the key is recognised by.
    pub fingerprint: Fingerprint,
    /// SubjectPublicKeyInfo, DER.
    #[serde(skip)]
    pub public_key: Vec<u8>,
    /// How far its origin is shown.
    pub origin: OriginClass,
    /// State.
    pub state: KeyState,
    /// When the platform first knew it.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(material: &KeyMaterial<'_>, expected: &str) {
        assert_eq!(Fingerprint::of(material).to_string(), expected);
    }

    #[test]
    fn fingerprints_follow_the_vectors_of_domain_22() {
        let p256 = hex::decode("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296")
            .unwrap();
        check(
            &KeyMaterial::Ec { curve: "1.2.840.10045.3.1.7", x: &p256 },
            "d18f006b1501e3a537f6b5331460c49f7752a3d9e778faa357051ebc524c5dd5",
        );
        let p384 = hex::decode(
            "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
        )
        .unwrap();
        check(
            &KeyMaterial::Ec { curve: "1.3.132.0.34", x: &p384 },
            "df650bbc7ac69630f5db973dfd35f191e87dda4284c963ba30a4bf243367fef9",
        );
        let ed25519: [u8; 32] =
            hex::decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
                .unwrap()
                .try_into()
                .unwrap();
        check(
            &KeyMaterial::Ed25519(&ed25519),
            "fef4a06f3fd2b4b2cedf75903eae9f27ca945aa1d18568d1429d79d8082d1544",
        );
        check(
            &KeyMaterial::Rsa { modulus: &[0x00, 0x0C, 0xA1] },
            "9dad952a1dc29b4c44ef1179f8e70d2c48701b1a8f4b65825a80a0eaf58af482",
        );
    }

    #[test]
    fn words_read_back() {
        for state in KeyState::ALL {
            assert_eq!(KeyState::from_word(state.word()), Some(*state));
        }
        assert_eq!(KeyState::from_word("gone"), None);
    }
}

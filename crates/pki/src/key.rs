//! Public keys, read strictly from SubjectPublicKeyInfo.
//!
//! Two steps, because a key that may not be certified still has an identity: [`PresentedKey`] is
//! whatever was handed in and knows its fingerprint (DOMAIN 8.1); [`PublicKey`] is one that passed
//! KM-1, KM-2 and KM-4. Weak moduli (KM-3), lists (KM-5) and the level's list are not decided here.

use aws_lc_rs::digest;
use aws_lc_rs::signature::{ParsedPublicKey, UnparsedPublicKey};
use const_oid::ObjectIdentifier;
use tenkoku_domain::key::{Fingerprint, KeyAlgorithm, KeyMaterial};
use tenkoku_domain::refusal::{Refusal, RefusalCode};

use crate::asn1::read::{self, Reader};
use crate::asn1::{DerError, tag, write};
use crate::oid;
use crate::signature::{SignatureAlgorithm, verifier, with_null};

/// The only exponent allowed (KM-2): 65537.
const EXPONENT: &[u8] = &[1, 0, 1];

/// Why a public key is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a SubjectPublicKeyInfo.
    #[error("the public key cannot be read: {0}")]
    Encoding(#[from] DerError),
    /// An algorithm or size that is not known here (KM-1).
    #[error("keys of type {0} are not accepted")]
    Algorithm(String),
    /// RSA with an exponent other than 65537 (KM-2).
    #[error("the RSA exponent is not 65537")]
    Exponent,
    /// RSA with an even modulus (KM-2).
    #[error("the RSA modulus is an even number")]
    EvenModulus,
    /// RSA with a modulus that is nearly, but not exactly, of a listed size (KM-2).
    #[error("the RSA modulus has {0} bits, which is not exactly 2048, 3072 or 4096")]
    ModulusBits(usize),
    /// RSA parameters other than NULL (KM-2).
    #[error("the RSA key carries parameters that do not belong there")]
    RsaParameters,
    /// ML-DSA with parameters (RFC 9881, 2).
    #[error("the ML-DSA key carries parameters, which must be absent")]
    MlDsaParameters,
    /// A key for signatures over a hash only, which X.509 does not take (RFC 9881, 8.3).
    #[error("keys for pre-hashed ML-DSA are not accepted")]
    PreHash,
    /// EC with parameters written out, or without any (KM-4).
    #[error("the curve is not given by its name")]
    ExplicitCurve,
    /// The point at infinity, one off the curve, or a coordinate out of range (KM-4).
    #[error("the point is not a public key on its curve")]
    Point,
}

impl KeyError {
    /// The refusal of DOMAIN 7.1 for this.
    pub fn refusal(&self) -> Refusal {
        let (code, rule) = match self {
            Self::Algorithm(_) | Self::PreHash => (RefusalCode::KeyAlgorithm, "KM-1"),
            Self::Encoding(_)
            | Self::Exponent
            | Self::EvenModulus
            | Self::ModulusBits(_)
            | Self::RsaParameters
            | Self::MlDsaParameters => (RefusalCode::KeyParameters, "KM-2"),
            Self::ExplicitCurve | Self::Point => (RefusalCode::KeyParameters, "KM-4"),
        };
        Refusal::new(code, rule).with("problem", self)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    fn of(name: &ObjectIdentifier) -> Result<Self, KeyError> {
        match *name {
            oid::P256 => Ok(Self::P256),
            oid::P384 => Ok(Self::P384),
            oid::P521 => Ok(Self::P521),
            other => Err(KeyError::Algorithm(format!("EC on curve {other}"))),
        }
    }

    /// Octets of a coordinate.
    const fn octets(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    const fn dotted(self) -> &'static str {
        match self {
            Self::P256 => "1.2.840.10045.3.1.7",
            Self::P384 => "1.3.132.0.34",
            Self::P521 => "1.3.132.0.35",
        }
    }

    const fn algorithm(self) -> KeyAlgorithm {
        match self {
            Self::P256 => KeyAlgorithm::P256,
            Self::P384 => KeyAlgorithm::P384,
            Self::P521 => KeyAlgorithm::P521,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8>, identifier: Vec<u8> },
    Ec { curve: Curve, x: Vec<u8> },
    Ed25519([u8; 32]),
    Ed448([u8; 57]),
    MlDsa(ParameterSet),
}

/// The parameter sets of ML-DSA (FIPS 204, 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ParameterSet {
    Set44,
    Set65,
    Set87,
}

impl ParameterSet {
    const fn number(self) -> u8 {
        match self {
            Self::Set44 => 44,
            Self::Set65 => 65,
            Self::Set87 => 87,
        }
    }

    /// Octets of an encoded public key (FIPS 204, table 2).
    const fn octets(self) -> usize {
        match self {
            Self::Set44 => 1312,
            Self::Set65 => 1952,
            Self::Set87 => 2592,
        }
    }

    fn accept(self) -> Result<KeyAlgorithm, KeyError> {
        match self {
            Self::Set44 => Err(KeyError::Algorithm("ML-DSA-44".to_owned())),
            Self::Set65 => Ok(KeyAlgorithm::MlDsa65),
            Self::Set87 => Ok(KeyAlgorithm::MlDsa87),
        }
    }
}

/// A public key as it was handed in: it has an identity, but was not accepted for anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentedKey {
    spki: Vec<u8>,
    bits: Vec<u8>,
    content: Content,
}

impl PresentedKey {
    /// Reads a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7), DER, with nothing after it.
    pub fn parse(spki: &[u8]) -> Result<Self, KeyError> {
        let mut outer = read::sequence(spki)?;
        let identifier = outer.element(tag::SEQUENCE)?;
        let bits = outer.whole_bits()?;
        outer.finish()?;
        let mut algorithm = Reader::new(identifier.content);
        let content = match algorithm.oid()? {
            oid::RSA_ENCRYPTION | oid::RSASSA_PSS => rsa(bits, identifier.whole)?,
            oid::EC_PUBLIC_KEY => ec(algorithm, bits)?,
            oid::ED25519 => Content::Ed25519(fixed(bits)?),
            oid::ED448 => Content::Ed448(fixed(bits)?),
            oid::ML_DSA_44 => ml_dsa(ParameterSet::Set44, &algorithm, bits)?,
            oid::ML_DSA_65 => ml_dsa(ParameterSet::Set65, &algorithm, bits)?,
            oid::ML_DSA_87 => ml_dsa(ParameterSet::Set87, &algorithm, bits)?,
            oid::HASH_ML_DSA_44 | oid::HASH_ML_DSA_65 | oid::HASH_ML_DSA_87 => {
                return Err(KeyError::PreHash);
            }
            other => return Err(KeyError::Algorithm(other.to_string())),
        };
        Ok(Self { spki: spki.to_vec(), bits: bits.to_vec(), content })
    }

    /// What the private key behind it is recognised by, in whatever encoding (DOMAIN 8.1).
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&match &self.content {
            Content::Rsa { modulus, .. } => KeyMaterial::Rsa { modulus },
            Content::Ec { curve, x } => KeyMaterial::Ec { curve: curve.dotted(), x },
            Content::Ed25519(key) => KeyMaterial::Ed25519(key),
            Content::Ed448(key) => KeyMaterial::Ed448(key),
            Content::MlDsa(set) => KeyMaterial::MlDsa { set: set.number(), key: &self.bits },
        })
    }

    /// The modulus of an RSA key, big-endian without leading zeros, whatever it is labelled as.
    pub fn rsa_modulus(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Rsa { modulus, .. } => Some(modulus),
            Content::Ec { .. } | Content::Ed25519(_) | Content::Ed448(_) | Content::MlDsa(_) => {
                None
            }
        }
    }

    /// Applies KM-1, KM-2 and KM-4.
    pub fn accept(self) -> Result<PublicKey, KeyError> {
        let algorithm = match &self.content {
            Content::Rsa { modulus, exponent, identifier } => {
                accept_rsa(modulus, exponent, identifier)?
            }
            Content::Ec { curve, .. } => accept_point(*curve, &self.bits)?,
            Content::Ed25519(_) => return Err(KeyError::Algorithm("Ed25519".to_owned())),
            Content::Ed448(_) => return Err(KeyError::Algorithm("Ed448".to_owned())),
            Content::MlDsa(set) => set.accept()?,
        };
        Ok(PublicKey { algorithm, presented: self })
    }
}

/// RSAPublicKey (RFC 8017, A.1.1).
fn rsa(bits: &[u8], identifier: &[u8]) -> Result<Content, KeyError> {
    let mut key = read::sequence(bits)?;
    let modulus = key.unsigned()?.to_vec();
    let exponent = key.unsigned()?.to_vec();
    key.finish()?;
    Ok(Content::Rsa { modulus, exponent, identifier: identifier.to_vec() })
}

/// ECParameters must be a named curve (RFC 5480, 2.1.1); the point is compressed or not
/// (SEC 1, 2.3.3), never hybrid.
fn ec(mut parameters: Reader<'_>, bits: &[u8]) -> Result<Content, KeyError> {
    if !parameters.next_is(tag::OID) {
        return Err(KeyError::ExplicitCurve);
    }
    let curve = Curve::of(&parameters.oid()?)?;
    parameters.finish()?;
    let size = curve.octets();
    match bits.split_first() {
        Some((2 | 3, x)) if x.len() == size => Ok(Content::Ec { curve, x: x.to_vec() }),
        Some((4, xy)) if xy.len() == 2 * size => {
            Ok(Content::Ec { curve, x: xy.iter().take(size).copied().collect() })
        }
        Some(_) | None => Err(KeyError::Point),
    }
}

/// Parameters are absent; the BIT STRING holds the encoded key as it is (RFC 9881, 4).
fn ml_dsa(set: ParameterSet, parameters: &Reader<'_>, bits: &[u8]) -> Result<Content, KeyError> {
    if !parameters.is_empty() {
        return Err(KeyError::MlDsaParameters);
    }
    if bits.len() != set.octets() {
        return Err(DerError::Value("the key has another length than its type").into());
    }
    Ok(Content::MlDsa(set))
}

fn fixed<const N: usize>(bits: &[u8]) -> Result<[u8; N], KeyError> {
    bits.try_into().map_err(|_| DerError::Value("the key has another length than its type").into())
}

fn accept_rsa(
    modulus: &[u8],
    exponent: &[u8],
    identifier: &[u8],
) -> Result<KeyAlgorithm, KeyError> {
    let algorithm = rsa_size(modulus)?;
    if modulus.last().is_none_or(|b| b % 2 == 0) {
        return Err(KeyError::EvenModulus);
    }
    if exponent != EXPONENT {
        return Err(KeyError::Exponent);
    }
    if read::sequence(identifier)?.oid()? == oid::RSASSA_PSS {
        return Err(KeyError::Algorithm("RSASSA-PSS".to_owned()));
    }
    if identifier != with_null(&oid::RSA_ENCRYPTION) {
        return Err(KeyError::RsaParameters);
    }
    Ok(algorithm)
}

/// A size that fills as many octets as a listed one but misses its bits is a wrong parameter
/// (KM-2); any other size is a wrong algorithm (KM-1).
fn rsa_size(modulus: &[u8]) -> Result<KeyAlgorithm, KeyError> {
    let spare = modulus.first().map_or(0, |b| b.leading_zeros());
    let bits = (modulus.len() * 8).saturating_sub(usize::try_from(spare).unwrap_or(0));
    match (bits, modulus.len()) {
        (2048, _) => Ok(KeyAlgorithm::Rsa2048),
        (3072, _) => Ok(KeyAlgorithm::Rsa3072),
        (4096, _) => Ok(KeyAlgorithm::Rsa4096),
        (_, 256 | 384 | 512) => Err(KeyError::ModulusBits(bits)),
        (_, _) => Err(KeyError::Algorithm(format!("RSA-{bits}"))),
    }
}

/// On the curve and not at infinity; on these curves that is the full validation, because their
/// cofactor is 1 (SEC 1, 3.2.2.1).
fn accept_point(curve: Curve, point: &[u8]) -> Result<KeyAlgorithm, KeyError> {
    let algorithm = curve.algorithm();
    let verifier = verifier(algorithm, SignatureAlgorithm::of_issuer(algorithm));
    let parsed = verifier.map(|v| ParsedPublicKey::new(v, point));
    if matches!(parsed, Some(Ok(_))) { Ok(algorithm) } else { Err(KeyError::Point) }
}

/// A public key that may be certified or may verify: RSA of 2048, 3072 or 4096 bits with exponent
/// 65537, a point on P-256, P-384 or P-521, or ML-DSA-65 or ML-DSA-87.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    algorithm: KeyAlgorithm,
    presented: PresentedKey,
}

/// The signature was not made by this key over this message with this algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not fit the key and the data")]
pub struct SignatureError;

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo and applies KM-1, KM-2 and KM-4.
    pub fn parse(spki: &[u8]) -> Result<Self, KeyError> {
        PresentedKey::parse(spki)?.accept()
    }

    /// Wraps an RSAPublicKey, an EC point or an ML-DSA key, as key stores hand them out, into a key.
    pub fn from_raw(algorithm: KeyAlgorithm, bits: &[u8]) -> Result<Self, KeyError> {
        let ec = |curve| write::sequence(&[write::oid(&oid::EC_PUBLIC_KEY), write::oid(&curve)]);
        let identifier = match algorithm {
            KeyAlgorithm::P256 => ec(oid::P256),
            KeyAlgorithm::P384 => ec(oid::P384),
            KeyAlgorithm::P521 => ec(oid::P521),
            KeyAlgorithm::Rsa2048 | KeyAlgorithm::Rsa3072 | KeyAlgorithm::Rsa4096 => {
                with_null(&oid::RSA_ENCRYPTION)
            }
            KeyAlgorithm::MlDsa65 => write::sequence(&[write::oid(&oid::ML_DSA_65)]),
            KeyAlgorithm::MlDsa87 => write::sequence(&[write::oid(&oid::ML_DSA_87)]),
        };
        Self::parse(&write::sequence(&[identifier, write::bits(bits)]))
    }

    /// Algorithm and size.
    pub const fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// What the private key behind it is recognised by (DOMAIN 8.1).
    pub fn fingerprint(&self) -> Fingerprint {
        self.presented.fingerprint()
    }

    /// The key as it was handed in.
    pub const fn presented(&self) -> &PresentedKey {
        &self.presented
    }

    /// SHA-1 of the BIT STRING's content: method 1 of RFC 5280, 4.2.1.2, and the byKey responder
    /// id of RFC 6960, 4.2.1.
    pub fn key_identifier(&self) -> [u8; 20] {
        let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &self.presented.bits);
        hash.as_ref().try_into().unwrap_or_default()
    }

    /// The SubjectPublicKeyInfo, DER, as it was handed in.
    pub fn spki_der(&self) -> &[u8] {
        &self.presented.spki
    }

    /// The content of the BIT STRING: an RSAPublicKey, an EC point or an ML-DSA key.
    pub fn bits(&self) -> &[u8] {
        &self.presented.bits
    }

    /// Verifies a signature; for ECDSA the DER of `ECDSA-Sig-Value`.
    pub fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let verifier = verifier(self.algorithm, algorithm).ok_or(SignatureError)?;
        UnparsedPublicKey::new(verifier, self.bits())
            .verify(message, signature)
            .map_err(|_| SignatureError)
    }
}

#[cfg(test)]
mod tests;

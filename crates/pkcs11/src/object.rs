//! The objects of a key: how they are made, found, judged and destroyed.
//!
//! Both halves carry the key's id as CKA_ID and CKA_LABEL, in ASCII. Deliberately not here:
//! sessions, and what is signed.

use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, SessionState};
use cryptoki::types::Ulong;
use der::Encode as _;
use tenkoku_domain::id::KeyId;
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_keys::{KeyError, Search};
use tenkoku_pki::key::PublicKey;

use crate::encoding::{self, Curve};
use crate::trouble::Trouble;

/// The RSA exponent that KM-2 allows: 65537.
const EXPONENT: [u8; 3] = [1, 0, 1];

/// How a key of an algorithm is asked for. Tokens of today make no ML-DSA keys (PKCS #11 3.2 is
/// the first to name them), so none is asked for.
enum Wish {
    Ec(Curve),
    Rsa(u16),
}

impl Wish {
    fn of(algorithm: KeyAlgorithm) -> Result<Self, Trouble> {
        match algorithm {
            KeyAlgorithm::P256 => Ok(Self::Ec(Curve::P256)),
            KeyAlgorithm::P384 => Ok(Self::Ec(Curve::P384)),
            KeyAlgorithm::P521 => Ok(Self::Ec(Curve::P521)),
            KeyAlgorithm::Rsa2048 => Ok(Self::Rsa(2048)),
            KeyAlgorithm::Rsa3072 => Ok(Self::Rsa(3072)),
            KeyAlgorithm::Rsa4096 => Ok(Self::Rsa(4096)),
            KeyAlgorithm::MlDsa65 | KeyAlgorithm::MlDsa87 => {
                Err(KeyError::Unsupported { algorithm }.into())
            }
        }
    }

    fn mechanism(&self) -> Mechanism<'static> {
        match self {
            Self::Ec(_) => Mechanism::EccKeyPairGen,
            Self::Rsa(_) => Mechanism::RsaPkcsKeyPairGen,
        }
    }

    fn parameters(&self) -> Result<Vec<Attribute>, Trouble> {
        match self {
            Self::Ec(curve) => {
                let name = curve.name().to_der().map_err(|err| Trouble::Other(err.to_string()))?;
                Ok(vec![Attribute::EcParams(name)])
            }
            Self::Rsa(bits) => Ok(vec![
                Attribute::ModulusBits(Ulong::new(u64::from(*bits))),
                Attribute::PublicExponent(EXPONENT.to_vec()),
            ]),
        }
    }
}

/// CKA_ID of a key.
pub(crate) fn name(id: &KeyId) -> Vec<u8> {
    id.as_str().as_bytes().to_vec()
}

/// What both halves of a key are called.
fn named(id: &KeyId) -> [Attribute; 3] {
    [Attribute::Token(true), Attribute::Id(name(id)), Attribute::Label(name(id))]
}

/// Makes a key pair in the token, with the attributes of KM-10.
pub(crate) fn make(session: &Session, id: &KeyId, algorithm: KeyAlgorithm) -> Result<(), Trouble> {
    let wish = Wish::of(algorithm)?;
    let mut public = named(id).to_vec();
    public.extend(wish.parameters()?);
    public.extend([Attribute::Private(false), Attribute::Verify(true)]);
    public.extend([Attribute::Encrypt(false), Attribute::Wrap(false)]);
    let mut private = named(id).to_vec();
    private.extend([Attribute::Private(true), Attribute::Sensitive(true)]);
    private.extend([Attribute::Extractable(false), Attribute::Sign(true)]);
    private.extend([Attribute::Decrypt(false), Attribute::Unwrap(false)]);
    private.extend([Attribute::Derive(false)]);
    let without = private.clone();
    private.push(Attribute::Copyable(false));
    let made = session.generate_key_pair(&wish.mechanism(), &public, &private);
    match made.map_err(Trouble::from) {
        // CKA_COPYABLE is younger than many tokens; one that knows it is held to it below.
        Err(Trouble::Unknown(_)) => {
            session.generate_key_pair(&wish.mechanism(), &public, &without)?;
            Ok(())
        }
        done => done.map(drop),
    }
}

/// The private key of this name; `None` when there is none.
pub(crate) fn find_private(session: &Session, id: &KeyId) -> Result<Option<ObjectHandle>, Trouble> {
    one(id, &find(session, id, ObjectClass::PRIVATE_KEY)?)
}

fn find(session: &Session, id: &KeyId, class: ObjectClass) -> Result<Vec<ObjectHandle>, Trouble> {
    look_for(session, &[Attribute::Class(class), Attribute::Id(name(id))])
}

/// A search. One that finds nothing counts only while we are logged in, because without that a
/// token hides its private objects and says nothing of it.
fn look_for(session: &Session, template: &[Attribute]) -> Result<Vec<ObjectHandle>, Trouble> {
    let found = session.find_objects(template)?;
    if found.is_empty() {
        match session.get_session_info()?.session_state() {
            SessionState::RwUser | SessionState::RoUser => {}
            SessionState::RoPublic | SessionState::RwPublic | SessionState::RwSecurityOfficer => {
                return Err(Trouble::Lost("the log-in ended".to_owned()));
            }
        }
    }
    Ok(found)
}

fn one(id: &KeyId, found: &[ObjectHandle]) -> Result<Option<ObjectHandle>, Trouble> {
    match found {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        [_, _, ..] => Err(damaged(id, "several objects have its name")),
    }
}

fn damaged(id: &KeyId, problem: impl ToString) -> Trouble {
    KeyError::Damaged { id: id.clone(), problem: problem.to_string() }.into()
}

/// The ids of all private keys that are named like ours.
pub(crate) fn list(session: &Session) -> Result<Vec<KeyId>, Trouble> {
    let mut ids = Vec::new();
    for object in look_for(session, &[Attribute::Class(ObjectClass::PRIVATE_KEY)])? {
        for attribute in session.get_attributes(object, &[AttributeType::Id])? {
            let Attribute::Id(octets) = attribute else { continue };
            let text = std::str::from_utf8(&octets).ok();
            ids.extend(text.and_then(|text| KeyId::parse(text).ok()));
        }
    }
    ids.sort();
    ids.dedup();
    Ok(ids)
}

/// What KM-10 demands of a private key: the attribute, and what it must be.
const DEMANDED: [(AttributeType, bool, &str); 5] = [
    (AttributeType::Local, true, "it was not made in the token (CKA_LOCAL)"),
    (AttributeType::Sensitive, true, "it can be read in clear (CKA_SENSITIVE)"),
    (AttributeType::AlwaysSensitive, true, "it could once be read in clear (CKA_ALWAYS_SENSITIVE)"),
    (AttributeType::NeverExtractable, true, "it could once be taken out (CKA_NEVER_EXTRACTABLE)"),
    (AttributeType::Extractable, false, "it can be taken out (CKA_EXTRACTABLE)"),
];
/// What must not be, where the token knows the attribute.
const FORBIDDEN: [(AttributeType, &str); 4] = [
    (AttributeType::Copyable, "it can be copied (CKA_COPYABLE)"),
    (AttributeType::Unwrap, "it opens wrapped keys (CKA_UNWRAP)"),
    (AttributeType::Decrypt, "it decrypts (CKA_DECRYPT)"),
    (AttributeType::Derive, "it derives other keys (CKA_DERIVE)"),
];

/// Reads the attributes back and refuses a key that is not held as KM-10 demands. What a token
/// does not tell of the demanded ones counts as wrong.
pub(crate) fn judge(
    session: &Session,
    id: &KeyId,
    (key, public): (ObjectHandle, &PublicKey),
) -> Result<(), Trouble> {
    let asked: Vec<AttributeType> = (DEMANDED.iter().map(|(kind, ..)| *kind))
        .chain(FORBIDDEN.iter().map(|(kind, _)| *kind))
        .chain([AttributeType::Token, AttributeType::Private, AttributeType::Sign])
        .collect();
    let read = session.get_attributes(key, &asked)?;
    let is =
        |kind: AttributeType, value: bool| read.iter().any(|one| flag(one) == Some((kind, value)));
    let demanded = DEMANDED.iter().filter(|(kind, must, _)| !is(*kind, *must));
    let forbidden = FORBIDDEN.iter().filter(|(kind, _)| is(*kind, true));
    let wrong: Vec<&str> =
        demanded.map(|(.., said)| *said).chain(forbidden.map(|(_, said)| *said)).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let (fingerprint, problem) = (public.fingerprint(), wrong.join("; "));
    Err(KeyError::Attributes { id: id.clone(), fingerprint, problem }.into())
}

#[expect(clippy::wildcard_enum_match_arm, reason = "no other attribute is asked for")]
fn flag(attribute: &Attribute) -> Option<(AttributeType, bool)> {
    let value = match attribute {
        Attribute::Local(value)
        | Attribute::Sensitive(value)
        | Attribute::AlwaysSensitive(value)
        | Attribute::NeverExtractable(value)
        | Attribute::Extractable(value)
        | Attribute::Copyable(value)
        | Attribute::Unwrap(value)
        | Attribute::Decrypt(value)
        | Attribute::Derive(value) => *value,
        _ => return None,
    };
    Some((attribute.attribute_type(), value))
}

/// The public half, read from the public object and checked (KM-1, KM-2, KM-4).
pub(crate) fn read_public(session: &Session, id: &KeyId) -> Result<PublicKey, Trouble> {
    let found = one(id, &find(session, id, ObjectClass::PUBLIC_KEY)?)?;
    let object = found.ok_or_else(|| damaged(id, "its public half is missing"))?;
    let read = |asked: &[AttributeType]| session.get_attributes(object, asked);
    let known = match read(&[AttributeType::KeyType])?.as_slice() {
        [Attribute::KeyType(KeyType::EC)] => {
            match read(&[AttributeType::EcParams, AttributeType::EcPoint])?.as_slice() {
                [Attribute::EcParams(curve), Attribute::EcPoint(point)] => {
                    encoding::ec_point(curve, point)
                }
                _ => None,
            }
        }
        [Attribute::KeyType(KeyType::RSA)] => {
            match read(&[AttributeType::Modulus, AttributeType::PublicExponent])?.as_slice() {
                [Attribute::Modulus(modulus), Attribute::PublicExponent(exponent)] => {
                    encoding::rsa_public(modulus, exponent)
                }
                _ => None,
            }
        }
        _ => None,
    };
    let (algorithm, bits) =
        known.ok_or_else(|| damaged(id, "its public half is of no type that is made here"))?;
    PublicKey::from_raw(algorithm, &bits).map_err(|err| damaged(id, err))
}

/// Counts what is there of a key. A wrapped copy would be a secret key or a data object.
pub(crate) fn search(session: &Session, id: &KeyId) -> Result<Search, Trouble> {
    let wrapped = find(session, id, ObjectClass::SECRET_KEY)?;
    let data = [Attribute::Class(ObjectClass::DATA), Attribute::Label(name(id))];
    let data = look_for(session, &data)?;
    Ok(Search {
        private: find(session, id, ObjectClass::PRIVATE_KEY)?.len(),
        public: find(session, id, ObjectClass::PUBLIC_KEY)?.len(),
        wrapped: wrapped.len() + data.len(),
    })
}

/// Destroys both halves, the private one first. What is gone already is passed over.
pub(crate) fn destroy(session: &Session, id: &KeyId) -> Result<(), Trouble> {
    for class in [ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY] {
        for object in find(session, id, class)? {
            match session.destroy_object(object).map_err(Trouble::from) {
                Ok(()) | Err(Trouble::Handle) => {}
                Err(other) => return Err(other),
            }
        }
    }
    Ok(())
}

/// Shows that the token answers and holds its objects open to us; a search that finds nothing is
/// answer enough.
pub(crate) fn probe(session: &Session) -> Result<(), Trouble> {
    let nobody = [Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Id(vec![0])];
    look_for(session, &nobody).map(drop)
}

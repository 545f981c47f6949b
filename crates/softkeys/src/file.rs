//! The two kinds of file: `store.json`, how the passphrase opens the store, and one
//! `<key id>.key` per key.
//!
//! Both are JSON and begin with their kind and version, so that a file of another program or of a
//! newer version is called that, and not damaged. Deliberately not here: reading and writing files.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tenkoku_domain::id::{Entropy, KeyId};
use tenkoku_domain::key::KeyAlgorithm;

use crate::octets::Octets;
use crate::pair::{KeyPair, PairError};
use crate::wrap::{Derivation, Sealed, Wrap, WrapError};

/// The name of the file that describes the store.
pub(crate) const STORE: &str = "store.json";
/// The ending of a key's file.
const KEY_ENDING: &str = ".key";
/// The version that is written, and the only one there has been.
const VERSION: u32 = 1;
const STORE_KIND: &str = "tenkoku-softkeys";
const KEY_KIND: &str = "tenkoku-softkey";

/// The name of a key's file.
pub(crate) fn name_of(id: &KeyId) -> String {
    format!("{id}{KEY_ENDING}")
}

/// The key whose file has this name; `None` for other files.
pub(crate) fn id_of(name: &str) -> Option<KeyId> {
    name.strip_suffix(KEY_ENDING).and_then(|id| KeyId::parse(id).ok())
}

/// Why a file is not what it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("the file is not complete or not JSON of the right form: {0}")]
    Form(#[from] serde_json::Error),
    #[error("the file says it is {found:?}, not {expected:?}")]
    Kind { found: String, expected: &'static str },
    #[error("the file is of version {found}, this program reads version {VERSION}")]
    Version { found: u32 },
    #[error("the file is the one of {found}")]
    Name { found: KeyId },
    #[error("the private key does not belong to the public key in the file")]
    Pair,
    #[error(transparent)]
    Wrap(#[from] WrapError),
    #[error(transparent)]
    Key(#[from] PairError),
}

/// What every file begins with.
#[derive(Serialize, Deserialize)]
struct Heading {
    kind: String,
    version: u32,
}

/// Reads a file of this kind; the heading is judged before the rest.
fn read<'a, T: Deserialize<'a>>(content: &'a [u8], expected: &'static str) -> Result<T, FileError> {
    let heading: Heading = serde_json::from_slice(content)?;
    if heading.kind != expected {
        return Err(FileError::Kind { found: heading.kind, expected });
    }
    if heading.version != VERSION {
        return Err(FileError::Version { found: heading.version });
    }
    Ok(serde_json::from_slice(content)?)
}

fn write(file: &impl Serialize) -> Result<Vec<u8>, FileError> {
    let mut content = serde_json::to_vec_pretty(file)?;
    content.push(b'\n');
    Ok(content)
}

/// `store.json`. Stored. Add a version, never change one.
///
/// The passphrase opens a random key, and that key the others; so a new passphrase or a higher
/// cost rewrites this file and no other.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoreFile {
    kind: String,
    version: u32,
    passphrase: Derivation,
    key: Sealed,
}

impl StoreFile {
    /// What the store's key is bound to.
    const BOUND: &[u8] = b"tenkoku-softkeys 1 key";

    /// A new store: its file, and the wrap that its keys are kept under.
    pub(crate) fn make(
        passphrase: &SecretString,
        entropy: &dyn Entropy,
    ) -> Result<(Vec<u8>, Wrap), FileError> {
        let derivation = Derivation::new(entropy);
        let (wrap, key) = derivation.derive(passphrase)?.make_inner(Self::BOUND, entropy)?;
        let kind = STORE_KIND.to_owned();
        let file = Self { kind, version: VERSION, passphrase: derivation, key };
        Ok((write(&file)?, wrap))
    }

    /// Reads the file.
    pub(crate) fn read(content: &[u8]) -> Result<Self, FileError> {
        read(content, STORE_KIND)
    }

    /// Opens the wrap that the keys are kept under; [`WrapError::Closed`] is a wrong passphrase.
    pub(crate) fn open(&self, passphrase: &SecretString) -> Result<Wrap, WrapError> {
        self.passphrase.derive(passphrase)?.open_inner(&self.key, Self::BOUND)
    }
}

/// `<key id>.key`. Stored. Add a version, never change one.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyFile {
    kind: String,
    version: u32,
    id: KeyId,
    algorithm: KeyAlgorithm,
    /// SubjectPublicKeyInfo, DER.
    public_key: Octets,
    /// PKCS #8 (RFC 5958), DER, sealed.
    private_key: Sealed,
}

impl KeyFile {
    /// Seals a key pair into a file.
    pub(crate) fn seal(id: &KeyId, pair: &KeyPair, wrap: &Wrap) -> Result<Vec<u8>, FileError> {
        let (algorithm, public_key) = (pair.public().algorithm(), pair.public().spki_der());
        let private_key = wrap.seal(&pair.to_pkcs8()?, &bound(id, algorithm, public_key))?;
        write(&Self {
            kind: KEY_KIND.to_owned(),
            version: VERSION,
            id: id.clone(),
            algorithm,
            public_key: Octets(public_key.to_vec()),
            private_key,
        })
    }

    /// Opens the file of this key. A file that was swapped, renamed or changed does not open.
    pub(crate) fn open(content: &[u8], id: &KeyId, wrap: &Wrap) -> Result<KeyPair, FileError> {
        let file: Self = read(content, KEY_KIND)?;
        if file.id != *id {
            return Err(FileError::Name { found: file.id });
        }
        let bound = bound(id, file.algorithm, &file.public_key.0);
        let pkcs8 = wrap.open(&file.private_key, &bound)?;
        let pair = KeyPair::from_pkcs8(file.algorithm, &pkcs8)?;
        if pair.public().spki_der() == file.public_key.0 { Ok(pair) } else { Err(FileError::Pair) }
    }
}

/// What a private key is bound to. Only the last part may hold a NUL, so no two keys share one.
fn bound(id: &KeyId, algorithm: KeyAlgorithm, public_key: &[u8]) -> Vec<u8> {
    let head = format!("{KEY_KIND} 1\0{id}\0{algorithm}\0");
    [head.as_bytes(), public_key].concat()
}

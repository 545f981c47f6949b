//! Keys in hardware: made, used and destroyed in a token behind a PKCS #11 module.
//!
//! A key is made with the attributes of KM-10 and they are read back; a private key that does not
//! have them, because it was imported or the token works otherwise, is refused whenever it is
//! looked at. Deliberately not here: where the PIN comes from, and any way to take a key out.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod connection;
mod encoding;
mod module;
mod object;
mod token;
mod trouble;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use cryptoki::mechanism::Mechanism;
use cryptoki::object::ObjectHandle;
use secrecy::{ExposeSecret as _, SecretString};
use tenkoku_domain::id::KeyId;
use tenkoku_domain::key::{KeyAlgorithm, OriginClass};
use tenkoku_keys::{
    Body, Container, Destruction, GeneratedKey, KeyError, KeyStore, Origin, Sighting, StoreKind,
};
use tenkoku_pki::key::PublicKey;
use tenkoku_pki::signed::ThrowawaySigner;

use crate::connection::{Connection, Lent};
use crate::encoding::Scheme;
use crate::module::Module;
pub use crate::token::TokenChoice;
use crate::trouble::Trouble;

/// How a token is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSettings {
    /// The maker's PKCS #11 module, a shared library.
    pub module: PathBuf,
    /// Which token of it.
    pub token: TokenChoice,
    /// Sessions at most, at least 1: so many signatures are made at once.
    pub sessions: usize,
}

/// Signs what is only linted; made in software, also beside hardware.
pub type Throwaway = Box<dyn ThrowawaySigner + Send + Sync>;

/// A key store in a token. It can be shared by threads, and the token by processes.
pub struct TokenKeys {
    connection: Connection,
    throwaway: Throwaway,
    /// Private keys that were found and judged.
    known: Mutex<HashMap<KeyId, Arc<Known>>>,
    /// Held alone while a key is made or destroyed, and shared by whoever looks: some modules lose
    /// their way when one thread reads a token's objects while another changes them. It is taken
    /// before a session is, never the other way round.
    objects: RwLock<()>,
}

impl fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKeys").field("connection", &self.connection).finish_non_exhaustive()
    }
}

/// A private key in the token, and its public half.
struct Known {
    object: ObjectHandle,
    /// The handle is good in this epoch of the connection only.
    epoch: u64,
    public: PublicKey,
    container: Container,
}

impl TokenKeys {
    /// Loads the module. The token is looked for, and logged in to, when it is first needed, so
    /// that a program can start and tell what it knows while its token is away; see
    /// [`KeyStore::check`]. The PIN is tried once; see [`KeyError::WrongPin`].
    ///
    /// `throwaway` signs what is linted before a key of the token moves.
    pub fn open(
        settings: &TokenSettings,
        pin: SecretString,
        throwaway: Throwaway,
    ) -> Result<Self, KeyError> {
        if pin.expose_secret().is_empty() {
            return Err(KeyError::EmptyPassphrase);
        }
        let module = Module::load(&settings.module)?;
        let connection = Connection::new(module, settings.token.clone(), pin, settings.sessions);
        Ok(Self { connection, throwaway, known: Mutex::default(), objects: RwLock::default() })
    }

    /// Looks at a key that is in the token already, made there or not, and refuses one that is not
    /// held as KM-10 demands: an imported key is [`KeyError::Attributes`].
    pub fn inspect(&self, id: &KeyId) -> Result<GeneratedKey, KeyError> {
        let _shared = self.shared();
        self.connection.run(|lent| self.look(lent, id)).map(|known| described(id, &known))
    }

    fn shared(&self) -> RwLockReadGuard<'_, ()> {
        self.objects.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn alone(&self) -> RwLockWriteGuard<'_, ()> {
        self.objects.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<KeyId, Arc<Known>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key, as it was found in this epoch or is found now.
    fn recall(&self, lent: &Lent<'_>, id: &KeyId) -> Result<Arc<Known>, Trouble> {
        let known = self.known().get(id).cloned();
        match known.filter(|known| known.epoch == lent.epoch) {
            Some(known) => Ok(known),
            None => self.look(lent, id),
        }
    }

    /// Finds and judges a key, and remembers it.
    fn look(&self, lent: &Lent<'_>, id: &KeyId) -> Result<Arc<Known>, Trouble> {
        self.known().remove(id);
        let found = object::find_private(&lent.session, id)?;
        let object = found.ok_or_else(|| KeyError::NotFound(id.clone()))?;
        let public = object::read_public(&lent.session, id)?;
        object::judge(&lent.session, id, (object, &public))?;
        let known = Arc::new(Known {
            object,
            epoch: lent.epoch,
            public,
            container: lent.container.clone(),
        });
        self.known().insert(id.clone(), Arc::clone(&known));
        Ok(known)
    }

    /// Makes and judges a key. One that does not stand is destroyed before it can be used.
    fn make(
        &self,
        lent: &Lent<'_>,
        id: &KeyId,
        algorithm: KeyAlgorithm,
    ) -> Result<Arc<Known>, Trouble> {
        match object::make(&lent.session, id, algorithm) {
            Err(Trouble::Unknown(_)) => return Err(KeyError::Unsupported { algorithm }.into()),
            made => made?,
        }
        let known = self.look(lent, id).and_then(|known| {
            if known.public.algorithm() == algorithm {
                return Ok(known);
            }
            let problem = format!("it is a {} key", known.public.algorithm());
            let fingerprint = known.public.fingerprint();
            Err(KeyError::Attributes { id: id.clone(), fingerprint, problem }.into())
        });
        if matches!(known, Err(Trouble::Refused(_))) {
            self.known().remove(id);
            object::destroy(&lent.session, id)?;
        }
        known
    }

    fn sign_in(&self, lent: &Lent<'_>, id: &KeyId, body: &Body<'_>) -> Result<Vec<u8>, Trouble> {
        let known = self.recall(lent, id)?;
        body.check_signer(id, &known.public)?;
        let (key, algorithm) = (known.public.algorithm(), body.signature_algorithm());
        let (scheme, octets) = encoding::to_be_signed(key, algorithm, body.octets())
            .ok_or_else(|| misfit(id, key, algorithm.name()))?;
        let session = &lent.session;
        match scheme {
            Scheme::Rsa => Ok(session.sign(&Mechanism::RsaPkcs, known.object, &octets)?),
            Scheme::Ecdsa => {
                let raw = session.sign(&Mechanism::Ecdsa, known.object, &octets)?;
                let odd = || Trouble::Other("the token gave no ECDSA signature".to_owned());
                encoding::ecdsa_value(&raw).ok_or_else(odd)
            }
        }
    }
}

impl KeyStore for TokenKeys {
    fn kind(&self) -> StoreKind {
        StoreKind::Hardware
    }

    fn check(&self) -> Result<(), KeyError> {
        let _shared = self.shared();
        self.connection.run(|lent| {
            lent.check_token()?;
            object::probe(&lent.session)
        })
    }

    fn generate(&self, id: &KeyId, algorithm: KeyAlgorithm) -> Result<GeneratedKey, KeyError> {
        let _alone = self.alone();
        // This also finds a session that works: making a key is not done twice.
        let is_taken = |lent: &Lent<'_>| Ok(!object::search(&lent.session, id)?.is_empty());
        if self.connection.run(is_taken)? {
            return Err(KeyError::Exists(id.clone()));
        }
        let known = self.connection.run_once(|lent| self.make(lent, id, algorithm))?;
        Ok(described(id, &known))
    }

    fn load_public(&self, id: &KeyId) -> Result<GeneratedKey, KeyError> {
        self.inspect(id)
    }

    fn sign(&self, id: &KeyId, body: &Body<'_>) -> Result<Vec<u8>, KeyError> {
        let _shared = self.shared();
        self.connection.run(|lent| match self.sign_in(lent, id, body) {
            // The handle is of a key that another process destroyed, or made anew.
            Err(Trouble::Handle) => {
                self.known().remove(id);
                self.sign_in(lent, id, body)
            }
            done => done,
        })
    }

    fn throwaway(&self) -> &dyn ThrowawaySigner {
        &*self.throwaway
    }

    fn list(&self) -> Result<Vec<KeyId>, KeyError> {
        let _shared = self.shared();
        self.connection.run(|lent| object::list(&lent.session))
    }

    fn search(&self, id: &KeyId) -> Result<Sighting, KeyError> {
        let _shared = self.shared();
        let (found, container) = self
            .connection
            .run(|lent| Ok((object::search(&lent.session, id)?, lent.container.clone())))?;
        Ok(Sighting { id: id.clone(), container, object: hex::encode(object::name(id)), found })
    }

    fn destroy(&self, id: &KeyId) -> Result<Destruction, KeyError> {
        let _alone = self.alone();
        let (before, container) = self.connection.run(|lent| {
            self.known().remove(id);
            Ok((object::search(&lent.session, id)?, lent.container.clone()))
        })?;
        if before.private == 0 && before.public == 0 {
            return Err(KeyError::NotFound(id.clone()));
        }
        let after = self.connection.run(|lent| {
            object::destroy(&lent.session, id)?;
            object::search(&lent.session, id)
        })?;
        let object = hex::encode(object::name(id));
        Ok(Destruction { id: id.clone(), container, object, before, after })
    }
}

fn described(id: &KeyId, known: &Known) -> GeneratedKey {
    GeneratedKey {
        id: id.clone(),
        algorithm: known.public.algorithm(),
        public_key: known.public.spki_der().to_vec(),
        origin: Origin {
            class: OriginClass::K2,
            container: known.container.clone(),
            object: hex::encode(object::name(id)),
        },
    }
}

fn misfit(id: &KeyId, key: KeyAlgorithm, signature: &str) -> Trouble {
    let problem = format!("{signature} was asked for, which a {key} key does not make here");
    KeyError::Signing { id: id.clone(), problem }.into()
}

/// A token that a module shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundToken {
    /// The number of its slot today.
    pub slot: u64,
    /// What it says of itself.
    pub container: Container,
    /// Whether its PIN is locked.
    pub is_locked: bool,
}

/// The tokens that a module shows, without logging in to any. Unlike the stores, this asks a
/// module that was loaded before what it knew then.
pub fn list_tokens(module: &Path) -> Result<Vec<FoundToken>, KeyError> {
    let loaded = Module::load(module)?;
    let entered = loaded.enter();
    let told = |trouble: Trouble| trouble.told("any", loaded.name());
    let library = entered.get_library_info().map_err(|err| told(err.into()))?;
    let found = token::list(&entered).map_err(told)?;
    Ok(found
        .into_iter()
        .map(|(slot, token)| FoundToken {
            slot: slot.id(),
            container: token::container(&token, &library),
            is_locked: token.user_pin_locked(),
        })
        .collect())
}

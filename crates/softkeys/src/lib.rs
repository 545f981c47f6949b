//! Keys in software: wrapped in files at rest, opened in memory when they sign.
//!
//! A store is a folder. A random key seals every private key with AES-256-GCM, and a key derived
//! from the passphrase with Argon2id seals that random key. What is in the folder tells who has
//! the passphrase everything, and others only the public keys. Deliberately not here: where the
//! passphrase comes from, and any way to take a private key out.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod applicant;
mod file;
mod folder;
mod octets;
mod pair;
mod throwaway;
mod wrap;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use secrecy::{ExposeSecret, SecretString};
use tenkoku_domain::id::{Entropy, KeyId};
use tenkoku_domain::key::{KeyAlgorithm, OriginClass};
use tenkoku_keys::{
    Body, Container, Destruction, GeneratedKey, KeyError, KeyStore, Origin, Search, Sighting,
    StoreKind,
};
use tenkoku_pki::signed::ThrowawaySigner;

use crate::file::{KeyFile, STORE, StoreFile};
use crate::folder::Folder;
use crate::pair::KeyPair;
pub use crate::throwaway::ThrowawayKeys;
use crate::wrap::{Wrap, WrapError};

/// A key store in a folder. It can be shared by threads, and its folder by processes.
pub struct SoftKeys {
    folder: Folder,
    wrap: Wrap,
    /// Private keys that were used since the store was opened.
    opened: RwLock<HashMap<KeyId, Arc<KeyPair>>>,
}

impl fmt::Debug for SoftKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoftKeys").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl SoftKeys {
    /// Makes an empty store in a folder of its own, which is made too (mode 0700) if its parent is
    /// there. `entropy` gives the salt and the sealing key; nonces and private keys come from the
    /// cryptographic library.
    ///
    /// A folder that holds anything already is [`KeyError::Occupied`] and stays as it is.
    pub fn create(
        folder: &Path,
        passphrase: &SecretString,
        entropy: &dyn Entropy,
    ) -> Result<Self, KeyError> {
        refuse_empty(passphrase)?;
        let folder = Folder::make(folder).map_err(|err| unusable(&Folder::at(folder), &err))?;
        let (content, wrap) =
            StoreFile::make(passphrase, entropy).map_err(|err| unusable(&folder, &err))?;
        let is_new = write_store(&folder, &content).map_err(|err| unusable(&folder, &err))?;
        if is_new { Ok(Self::with(folder, wrap)) } else { Err(occupied(&folder)) }
    }

    /// Opens the store in a folder. Keys are opened when they first sign, so one damaged key does
    /// not keep the others from working.
    ///
    /// [`KeyError::Absent`] without a store, [`KeyError::WrongPassphrase`] with another passphrase.
    pub fn open(folder: &Path, passphrase: &SecretString) -> Result<Self, KeyError> {
        refuse_empty(passphrase)?;
        let folder = Folder::at(folder);
        let content = folder
            .read(STORE)
            .map_err(|err| unusable(&folder, &err))?
            .ok_or_else(|| KeyError::Absent { place: folder.place() })?;
        let file = StoreFile::read(&content).map_err(|err| unusable(&folder, &err))?;
        let wrap = file.open(passphrase).map_err(|err| match err {
            WrapError::Closed => KeyError::WrongPassphrase { place: folder.place() },
            WrapError::Cost | WrapError::Library => unusable(&folder, &err),
        })?;
        sweep(&folder).map_err(|err| unusable(&folder, &err))?;
        Ok(Self::with(folder, wrap))
    }

    /// Makes a folder hold some of the keys and no others, sealed as they are here and opened by the
    /// same passphrase: for a node that signs status answers and nothing else. Gives how many keys
    /// it holds. Keys that it held before and that are not named any more are destroyed there.
    ///
    /// [`KeyError::NotFound`] for a key that is not here, [`KeyError::Occupied`] for a folder that
    /// is another store.
    pub fn copy_sealed(&self, ids: &[KeyId], to: &Path) -> Result<usize, KeyError> {
        let read = |name: &str| self.folder.read(name).map_err(|err| unusable(&self.folder, &err));
        let store = read(STORE)?.ok_or_else(|| KeyError::Absent { place: self.folder.place() })?;
        let mut wanted = Vec::new();
        for id in ids {
            let name = file::name_of(id);
            let content = read(&name)?.ok_or_else(|| KeyError::NotFound(id.clone()))?;
            wanted.push((name, content));
        }
        let target = Folder::make(to).map_err(|err| unusable(&Folder::at(to), &err))?;
        match target.read(STORE).map_err(|err| unusable(&target, &err))? {
            Some(there) if there != store => return Err(occupied(&target)),
            Some(_) => {}
            None => {
                let is_new = write_store(&target, &store).map_err(|err| unusable(&target, &err))?;
                if !is_new {
                    return Err(occupied(&target));
                }
            }
        }
        fill(&target, &wanted).map_err(|err| unusable(&target, &err))?;
        Ok(wanted.len())
    }

    fn with(folder: Folder, wrap: Wrap) -> Self {
        Self { folder, wrap, opened: RwLock::default() }
    }

    /// The key pair, from memory or from its file. The file decides whether there is a key, so
    /// that one destroyed by another process signs no more.
    fn load_pair(&self, id: &KeyId) -> Result<Arc<KeyPair>, KeyError> {
        let known = self.opened.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        if let Some(pair) = known
            && self.holds(id)?
        {
            return Ok(pair);
        }
        // Held while the file is read, so that a key destroyed meanwhile is not remembered.
        let mut opened = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        opened.remove(id);
        let pair = Arc::new(self.read_pair(id)?);
        opened.insert(id.clone(), Arc::clone(&pair));
        Ok(pair)
    }

    fn read_pair(&self, id: &KeyId) -> Result<KeyPair, KeyError> {
        let content = self
            .folder
            .read(&file::name_of(id))
            .map_err(|err| unusable(&self.folder, &err))?
            .ok_or_else(|| KeyError::NotFound(id.clone()))?;
        KeyFile::open(&content, id, &self.wrap)
            .map_err(|err| KeyError::Damaged { id: id.clone(), problem: err.to_string() })
    }

    fn described(&self, id: &KeyId, pair: &KeyPair) -> GeneratedKey {
        let public = pair.public();
        GeneratedKey {
            id: id.clone(),
            algorithm: public.algorithm(),
            public_key: public.spki_der().to_vec(),
            origin: Origin {
                class: OriginClass::K1,
                container: self.container(),
                object: file::name_of(id),
            },
        }
    }

    fn container(&self) -> Container {
        Container::Files { place: self.folder.place() }
    }

    fn holds(&self, id: &KeyId) -> Result<bool, KeyError> {
        self.folder.holds(&file::name_of(id)).map_err(|err| unusable(&self.folder, &err))
    }
}

impl KeyStore for SoftKeys {
    fn kind(&self) -> StoreKind {
        StoreKind::Software
    }

    fn check(&self) -> Result<(), KeyError> {
        match self.folder.holds(STORE) {
            Ok(true) => Ok(()),
            Ok(false) => Err(KeyError::Absent { place: self.folder.place() }),
            Err(err) => Err(unusable(&self.folder, &err)),
        }
    }

    fn generate(&self, id: &KeyId, algorithm: KeyAlgorithm) -> Result<GeneratedKey, KeyError> {
        // Asked before too, because making an RSA key to throw it away takes seconds.
        if self.holds(id)? {
            return Err(KeyError::Exists(id.clone()));
        }
        let pair = KeyPair::generate(algorithm).map_err(|err| unusable(&self.folder, &err))?;
        let content =
            KeyFile::seal(id, &pair, &self.wrap).map_err(|err| unusable(&self.folder, &err))?;
        let is_new = self
            .folder
            .lock()
            .and_then(|locked| locked.write_new(&file::name_of(id), &content))
            .map_err(|err| unusable(&self.folder, &err))?;
        if is_new { Ok(self.described(id, &pair)) } else { Err(KeyError::Exists(id.clone())) }
    }

    fn load_public(&self, id: &KeyId) -> Result<GeneratedKey, KeyError> {
        self.load_pair(id).map(|pair| self.described(id, &pair))
    }

    fn sign(&self, id: &KeyId, body: &Body<'_>) -> Result<Vec<u8>, KeyError> {
        let pair = self.load_pair(id)?;
        body.check_signer(id, pair.public())?;
        pair.sign(body.signature_algorithm(), body.octets())
            .map_err(|err| KeyError::Signing { id: id.clone(), problem: err.to_string() })
    }

    fn throwaway(&self) -> &dyn ThrowawaySigner {
        &ThrowawayKeys
    }

    fn list(&self) -> Result<Vec<KeyId>, KeyError> {
        let names = self.folder.names().map_err(|err| unusable(&self.folder, &err))?;
        Ok(names.iter().filter_map(|name| file::id_of(name)).collect())
    }

    fn search(&self, id: &KeyId) -> Result<Sighting, KeyError> {
        let found = search(&self.folder, id).map_err(|err| unusable(&self.folder, &err))?;
        let (id, object, container) = (id.clone(), file::name_of(id), self.container());
        Ok(Sighting { id, container, object, found })
    }

    fn destroy(&self, id: &KeyId) -> Result<Destruction, KeyError> {
        let mut opened = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        opened.remove(id);
        let (before, after) =
            destroy_file(&self.folder, id).map_err(|err| unusable(&self.folder, &err))?;
        if before.private == 0 {
            return Err(KeyError::NotFound(id.clone()));
        }
        let (id, object, container) = (id.clone(), file::name_of(id), self.container());
        Ok(Destruction { id, container, object, before, after })
    }
}

/// Overwrites and removes a key's file; gives what was there before and after.
fn destroy_file(folder: &Folder, id: &KeyId) -> std::io::Result<(Search, Search)> {
    let locked = folder.lock()?;
    let before = search(folder, id)?;
    locked.destroy(&file::name_of(id))?;
    Ok((before, search(folder, id)?))
}

/// One file holds both halves of a key; its leftovers would be copies.
fn search(folder: &Folder, id: &KeyId) -> std::io::Result<Search> {
    let (name, names) = (file::name_of(id), folder.names()?);
    let files = names.iter().filter(|found| **found == name).count();
    let leftovers = names.iter().filter(|found| found.contains(&name)).count() - files;
    Ok(Search { private: files, public: files, wrapped: leftovers })
}

/// Writes the file that makes a folder a store; `false` when the folder is not empty.
fn write_store(folder: &Folder, content: &[u8]) -> std::io::Result<bool> {
    let locked = folder.lock()?;
    Ok(locked.settle()? && locked.write_new(STORE, content)?)
}

/// Makes a store hold these key files and no others.
fn fill(target: &Folder, wanted: &[(String, Vec<u8>)]) -> std::io::Result<()> {
    let locked = target.lock()?;
    for (name, content) in wanted {
        // A name that is there has the same content: a key is never written twice.
        locked.write_new(name, content)?;
    }
    for name in target.names()? {
        let is_wanted = wanted.iter().any(|(wanted, _)| *wanted == name);
        if file::id_of(&name).is_some() && !is_wanted {
            locked.destroy(&name)?;
        }
    }
    Ok(())
}

fn sweep(folder: &Folder) -> std::io::Result<()> {
    folder.lock()?.sweep()
}

fn refuse_empty(passphrase: &SecretString) -> Result<(), KeyError> {
    if passphrase.expose_secret().is_empty() { Err(KeyError::EmptyPassphrase) } else { Ok(()) }
}

fn occupied(folder: &Folder) -> KeyError {
    KeyError::Occupied { place: folder.place() }
}

fn unusable(folder: &Folder, problem: &dyn fmt::Display) -> KeyError {
    KeyError::Unreachable { place: folder.place(), problem: problem.to_string() }
}

#[cfg(test)]
mod tests;

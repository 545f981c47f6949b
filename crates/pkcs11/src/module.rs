//! Modules: each is loaded and initialised once a process, however many stores are behind it.
//!
//! `C_Initialize` and `C_Finalize` are calls of the whole process, so whoever uses a module enters
//! it, and it is started again only while nobody is inside. Sessions and handles of before are then
//! void; the generation tells. Deliberately not here: slots, tokens and sessions.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use tenkoku_keys::KeyError;

/// The modules of this process, by the file they were loaded from.
static LOADED: Mutex<BTreeMap<PathBuf, Arc<Module>>> = Mutex::new(BTreeMap::new());

/// A loaded PKCS #11 module.
pub(crate) struct Module {
    path: PathBuf,
    context: Pkcs11,
    /// How often it was started again.
    generation: RwLock<u64>,
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Leave to call the module; it is not started again while this lives. A thread enters once at a
/// time.
pub(crate) struct Entered<'a> {
    context: &'a Pkcs11,
    generation: RwLockReadGuard<'a, u64>,
}

impl Entered<'_> {
    /// How often the module was started again.
    pub(crate) fn generation(&self) -> u64 {
        *self.generation
    }
}

impl Deref for Entered<'_> {
    type Target = Pkcs11;
    fn deref(&self) -> &Pkcs11 {
        self.context
    }
}

impl Module {
    /// The module in this file, loaded now or before.
    pub(crate) fn load(path: &Path) -> Result<Arc<Self>, KeyError> {
        let unusable =
            |problem: String| KeyError::Module { module: path.display().to_string(), problem };
        let file = path.canonicalize().map_err(|err| unusable(err.to_string()))?;
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = loaded.get(&file) {
            return Ok(Arc::clone(module));
        }
        let context = Pkcs11::new(&file).map_err(|err| unusable(err.to_string()))?;
        // Some do not start while their device is away. The first call tries again, and tells.
        drop(initialise(&context));
        let module = Arc::new(Self { path: path.to_owned(), context, generation: RwLock::new(0) });
        loaded.insert(file, Arc::clone(&module));
        Ok(module)
    }

    /// The file as it was named, for messages.
    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Waits until the module can be called.
    pub(crate) fn enter(&self) -> Entered<'_> {
        let generation = self.generation.read().unwrap_or_else(PoisonError::into_inner);
        Entered { context: &self.context, generation }
    }

    /// Ends and begins the module anew, which is how many of them notice a device that came back;
    /// nothing is done when somebody else did it since `seen`.
    pub(crate) fn restart(&self, seen: u64) -> Result<(), Error> {
        let mut generation = self.generation.write().unwrap_or_else(PoisonError::into_inner);
        if *generation != seen {
            return Ok(());
        }
        *generation += 1;
        // That it is not running is what is wanted.
        drop(self.context.clone().finalize());
        initialise(&self.context)
    }
}

/// Threads of ours call at once, with the locks of the system.
fn initialise(context: &Pkcs11) -> Result<(), Error> {
    match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(()),
        done => done,
    }
}

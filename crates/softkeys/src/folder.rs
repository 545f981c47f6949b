//! The folder: files that appear whole or not at all, and survive a power cut.
//!
//! Writers hold a lock on the folder itself, so two processes never work on one name. A file is
//! written under a hidden name, flushed, renamed, and the folder flushed. Readers take no lock:
//! what they see under a real name is complete. Deliberately not here: what the files say.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The ending of a file that is being written.
const PART: &str = ".part";
/// The ending of a file that is being destroyed.
const DOOMED: &str = ".doomed";
/// No file here comes near this; what is longer was not written by this crate.
const MAX_OCTETS: u64 = 64 * 1024;

/// A folder of small files, for its owner's eyes only.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// A folder that may exist already.
    pub(crate) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Makes the folder, mode 0700, unless it is there.
    pub(crate) fn make(path: &Path) -> io::Result<Self> {
        match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => sync_parent(path)?,
            Err(err) if err.kind() == ErrorKind::AlreadyExists => {}
            Err(err) => return Err(err),
        }
        Ok(Self::at(path))
    }

    /// Where it is, for messages.
    pub(crate) fn place(&self) -> String {
        self.0.display().to_string()
    }

    /// Whether there is a file of this name.
    pub(crate) fn holds(&self, name: &str) -> io::Result<bool> {
        self.0.join(name).try_exists()
    }

    /// The content of a file; `None` when there is no such file.
    pub(crate) fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let file = match File::open(self.0.join(name)) {
            Ok(file) => file,
            Err(err) if err.kind() == ErrorKind::NotFound => return Ok(None),
            Err(err) => return Err(err),
        };
        let mut content = Vec::new();
        file.take(MAX_OCTETS).read_to_end(&mut content)?;
        Ok(Some(content))
    }

    /// The names in it that are UTF-8, hidden ones too, in order.
    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            names.extend(entry?.file_name().into_string());
        }
        names.sort();
        Ok(names)
    }

    /// Waits for the folder's lock, which ends when the value goes or the process dies.
    pub(crate) fn lock(&self) -> io::Result<Locked<'_>> {
        let handle = File::open(&self.0)?;
        handle.lock()?;
        Ok(Locked { folder: self, handle })
    }
}

/// A folder that no other process or thread is changing.
pub(crate) struct Locked<'a> {
    folder: &'a Folder,
    handle: File,
}

impl Locked<'_> {
    /// Writes a new file, mode 0600. A name that is taken is left alone and answered `false`.
    pub(crate) fn write_new(&self, name: &str, content: &[u8]) -> io::Result<bool> {
        if self.folder.holds(name)? {
            return Ok(false);
        }
        let part = self.hidden(name, PART);
        remove_if_there(&part)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&part, self.folder.0.join(name))?;
        self.handle.sync_all()?;
        Ok(true)
    }

    /// Destroys a file; `false` when there is none. The name goes first, so that nothing half
    /// wiped is ever found under it; then the content is overwritten and the rest removed.
    pub(crate) fn destroy(&self, name: &str) -> io::Result<bool> {
        let doomed = self.hidden(name, DOOMED);
        match fs::rename(self.folder.0.join(name), &doomed) {
            Ok(()) => self.handle.sync_all()?,
            Err(err) if err.kind() == ErrorKind::NotFound => return Ok(false),
            Err(err) => return Err(err),
        }
        self.wipe(&doomed)?;
        Ok(true)
    }

    /// Wipes what a power cut left behind: files half written and files half destroyed.
    pub(crate) fn sweep(&self) -> io::Result<()> {
        for name in self.folder.names()?.iter().filter(|name| is_leftover(name)) {
            self.wipe(&self.folder.0.join(name))?;
        }
        Ok(())
    }

    /// Takes a folder that holds nothing but leftovers into use: mode 0700 and swept. Any other
    /// folder is left as it is and answered `false`.
    pub(crate) fn settle(&self) -> io::Result<bool> {
        if !self.folder.names()?.iter().all(|name| is_leftover(name)) {
            return Ok(false);
        }
        self.handle.set_permissions(Permissions::from_mode(0o700))?;
        self.sweep()?;
        Ok(true)
    }

    fn hidden(&self, name: &str, ending: &str) -> PathBuf {
        self.folder.0.join(format!(".{name}{ending}"))
    }

    fn wipe(&self, path: &Path) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).open(path)?;
        let length = file.metadata()?.len();
        io::copy(&mut io::repeat(0).take(length), &mut file)?;
        file.sync_all()?;
        fs::remove_file(path)?;
        self.handle.sync_all()
    }
}

/// Whether a file of this name is one that was being written or destroyed.
fn is_leftover(name: &str) -> bool {
    name.starts_with('.') && (name.ends_with(PART) || name.ends_with(DOOMED))
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(err) if err.kind() != ErrorKind::NotFound => Err(err),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => File::open(".")?.sync_all(),
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::make(&home.path().join("keys")).unwrap();
        (home, folder)
    }

    #[test]
    fn a_name_that_is_taken_is_left_alone() {
        let (_home, folder) = folder();
        assert!(folder.lock().unwrap().write_new("a", b"first").unwrap());
        assert!(!folder.lock().unwrap().write_new("a", b"second").unwrap());
        assert_eq!(folder.read("a").unwrap().unwrap(), b"first");
        assert_eq!(folder.names().unwrap(), ["a"]);
    }

    #[test]
    fn what_is_destroyed_leaves_nothing() {
        let (_home, folder) = folder();
        let locked = folder.lock().unwrap();
        locked.write_new("a", b"content").unwrap();
        assert!(locked.destroy("a").unwrap());
        assert!(!locked.destroy("a").unwrap());
        assert!(folder.names().unwrap().is_empty());
        assert_eq!(folder.read("a").unwrap(), None);
    }

    #[test]
    fn leftovers_of_a_power_cut_are_swept_and_stand_in_nobodys_way() {
        let (_home, folder) = folder();
        fs::write(folder.0.join(".a.part"), b"hal").unwrap();
        fs::write(folder.0.join(".b.doomed"), b"hal").unwrap();
        fs::write(folder.0.join("c"), b"whole").unwrap();
        assert!(folder.lock().unwrap().write_new("a", b"whole").unwrap());
        folder.lock().unwrap().sweep().unwrap();
        assert_eq!(folder.names().unwrap(), ["a", "c"]);
        assert_eq!(folder.read("a").unwrap().unwrap(), b"whole");
    }

    #[test]
    fn a_lock_keeps_others_out_until_it_goes() {
        let (_home, folder) = folder();
        let locked = folder.lock().unwrap();
        assert!(File::open(&folder.0).unwrap().try_lock().is_err());
        drop(locked);
        assert!(File::open(&folder.0).unwrap().try_lock().is_ok());
    }
}

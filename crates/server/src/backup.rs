//! A backup is one file: a line of JSON that says what it is, and after it an encrypted stream, the
//! gzip of a tar archive.
//!
//! In the archive stand the configuration, the rows of the database out of one consistent state,
//! the wrapped keys of the platform, and last a manifest with the digest of each. The keys of seals
//! are not in it: they never leave the place they were made in (DOMAIN I-11, KM-18).
//!
//! The row format belongs to no engine, so a backup of SQLite is restored into PostgreSQL as well.

pub(crate) mod pack;
mod seal;
pub(crate) mod unpack;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Read, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::time::Timestamp;

use self::seal::Derivation;

/// What this program writes and reads.
const FORMAT: &str = "tenkoku-backup/1";
/// The configuration, in the archive.
const CONFIGURATION: &str = "tenkoku.toml";
/// The folder of the rows, in the archive.
const ROWS: &str = "database";
/// The folder of the wrapped keys, in the archive.
const KEYS: &str = "keys";
/// The last entry of the archive.
const MANIFEST: &str = "manifest.json";
/// Octets of the first line at most.
const MOST_HEADER: u64 = 64 * 1024;
/// Octets of one entry at most; what is longer was not written by this program.
const MOST_ENTRY: u64 = 256 * 1024 * 1024;

/// The first line: readable by anybody, and changed by nobody, because what follows depends on it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    format: String,
    /// The version of the program that wrote it.
    pub(crate) program: String,
    /// The instant whose state it holds.
    #[serde(with = "tenkoku_domain::time::text")]
    pub(crate) made_at: Timestamp,
    /// `evaluation` or `production`.
    pub(crate) installation: String,
    /// The versions of the schema that the rows are of.
    pub(crate) versions: BTreeSet<String>,
    derivation: Derivation,
}

/// What stands in the archive, told at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// Rows by table.
    pub(crate) rows: BTreeMap<String, u64>,
    /// The digest of each entry.
    entries: BTreeMap<String, Digest>,
}

impl Manifest {
    /// Rows of all tables.
    pub(crate) fn all_rows(&self) -> u64 {
        self.rows.values().sum()
    }

    /// Entries that hold no rows: configuration and keys.
    pub(crate) fn files(&self) -> u64 {
        let rows = format!("{ROWS}/");
        let files = self.entries.keys().filter(|name| !name.starts_with(&rows)).count();
        u64::try_from(files).unwrap_or(u64::MAX)
    }
}

/// Why a backup cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    /// It is something else, or of another version of the format.
    #[error("it is no backup of this program")]
    NotABackup,
    /// The passphrase is another one, or the first line was changed.
    #[error("the passphrase does not open it")]
    Passphrase,
    /// It was cut short or changed.
    #[error("it was cut short or changed: {0}")]
    Damaged(String),
    /// The file system.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Passes octets on and digests them.
struct Digesting<T> {
    inner: T,
    state: Sha256,
}

impl<T> Digesting<T> {
    fn new(inner: T) -> Self {
        Self { inner, state: Sha256::new() }
    }

    fn digest(self) -> Digest {
        Digest(self.state.finalize().into())
    }
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(octets)?;
        self.state.update(octets.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.state.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

/// Reads the first line and gives its octets with it.
fn read_header(from: &mut impl BufRead) -> Result<(Header, Vec<u8>), BackupError> {
    let mut line = Vec::new();
    from.by_ref().take(MOST_HEADER).read_until(b'\n', &mut line)?;
    let header: Header = serde_json::from_slice(&line).map_err(|_| BackupError::NotABackup)?;
    if header.format != FORMAT {
        return Err(BackupError::NotABackup);
    }
    Ok((header, line))
}

//! Reads a backup into an empty place.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::read::GzDecoder;
use secrecy::SecretString;
use tenkoku_domain::audit::BackupSummary;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::time::Clock as _;
use tenkoku_store::{Filler, Store, Table, Tx};

use super::seal::Opening;
use super::{
    BackupError, CONFIGURATION, Digesting, Header, KEYS, MANIFEST, MOST_ENTRY, Manifest, ROWS,
    read_header,
};
use crate::clock::WallClock;
use crate::command::init::{private_folder, write_private};
use crate::config::{Config, KeyPlace};
use crate::failure::Failure;
use crate::wire;

/// Rows that are handed to the database at once.
const ROWS_AT_ONCE: usize = 500;

/// What was restored.
pub(crate) struct Restored {
    /// The configuration of the restored installation.
    pub(crate) config: Config,
    /// Its database.
    pub(crate) store: Store,
    /// What it came from.
    pub(crate) backup: BackupSummary,
}

/// Where the rows go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Into the database and the folder that the configuration names.
    Configured,
    /// Into files beside the configuration, whatever it names.
    Scratch,
}

/// A backup whose first line was read and whose passphrase is right.
pub(crate) struct Backup<'a> {
    header: Header,
    digest: Digest,
    archive: tar::Archive<GzDecoder<Opening<BufReader<&'a File>>>>,
}

impl<'a> Backup<'a> {
    /// Opens a file.
    pub(crate) fn open(file: &'a File, passphrase: &SecretString) -> Result<Self, BackupError> {
        use std::io::Seek as _;
        // The whole file first: what is restored is named by its digest.
        let mut whole = Digesting::new(file);
        io::copy(&mut whole, &mut io::sink())?;
        let digest = whole.digest();
        let mut rewound = file;
        rewound.rewind()?;
        let mut from = BufReader::new(file);
        let (header, line) = read_header(&mut from)?;
        let key = header.derivation.key(passphrase)?;
        let opening = Opening::new(from, key, Digest::of(&line))?;
        Ok(Self { header, digest, archive: tar::Archive::new(GzDecoder::new(opening)) })
    }

    /// Restores into a folder that is not there yet; `last` is done in the transaction that fills
    /// the database.
    pub(crate) fn restore(
        mut self,
        (folder, target): (&Path, Target),
        last: impl FnOnce(&mut Tx<'_>, &Config, &BackupSummary) -> Result<(), Failure>,
    ) -> Result<Restored, Failure> {
        let (made_at, digest) = (self.header.made_at, self.digest);
        let mut entries = self.archive.entries().map_err(BackupError::from)?;
        let mut next = || entries.next().map(|entry| content(entry?)).transpose();

        let (name, octets) = next()?.ok_or_else(|| damaged("it is empty"))?;
        let text = String::from_utf8(octets).ok().filter(|_| name == CONFIGURATION);
        let text = text.ok_or_else(|| damaged("the configuration is missing"))?;
        let mut intake = Intake::default();
        intake.note(&name, text.as_bytes());
        let config = place(&text, (folder, target))?;

        let store = wire::open(&config)?;
        let summary = |manifest: &Manifest| BackupSummary {
            made_at,
            digest,
            rows: manifest.all_rows(),
            files: manifest.files(),
        };
        let manifest = store.fill(
            &self.header.versions,
            (&wire::shell_origin(), WallClock.now()),
            |filler| {
                loop {
                    let (name, octets) =
                        next()?.ok_or_else(|| damaged("the manifest is missing"))?;
                    if name != MANIFEST {
                        intake.take(filler, &name, octets)?;
                        continue;
                    }
                    let told = serde_json::from_slice::<Manifest>(&octets).ok();
                    if told.as_ref() != Some(&intake.found) || next()?.is_some() {
                        return Err(damaged("the manifest tells of other entries").into());
                    }
                    return Ok(std::mem::take(&mut intake.found));
                }
            },
            |tx, manifest| last(tx, &config, &summary(manifest)),
        )?;
        put_keys(&config, &intake.keys)?;
        Ok(Restored { config, store, backup: summary(&manifest) })
    }
}

/// Writes the configuration into the new folder, and reads it.
fn place(text: &str, (folder, target): (&Path, Target)) -> Result<Config, Failure> {
    let file = folder.join(CONFIGURATION);
    private_folder(folder)?;
    write_private(&file, text)?;
    let mut config = Config::parse(&file, text)?;
    if target == Target::Scratch {
        config.database_url = format!("sqlite:{}", folder.join("scratch.db").display());
        if let KeyPlace::Files(keys) = &mut config.keys {
            *keys = folder.join(KEYS);
        }
    }
    Ok(config)
}

/// What was found so far.
#[derive(Default)]
struct Intake {
    found: Manifest,
    /// The wrapped keys: names and contents.
    keys: Vec<(String, Vec<u8>)>,
}

impl Intake {
    fn note(&mut self, name: &str, octets: &[u8]) {
        self.found.entries.insert(name.to_owned(), Digest::of(octets));
    }

    fn take(
        &mut self,
        filler: &mut Filler<'_, '_>,
        name: &str,
        octets: Vec<u8>,
    ) -> Result<(), Failure> {
        self.note(name, &octets);
        match name.split_once('/') {
            Some((ROWS, _)) => self.rows(filler, name, &octets),
            Some((KEYS, file)) if is_plain(file) => {
                self.keys.push((file.to_owned(), octets));
                Ok(())
            }
            Some(_) | None => Err(damaged(name).into()),
        }
    }

    fn rows(
        &mut self,
        filler: &mut Filler<'_, '_>,
        name: &str,
        octets: &[u8],
    ) -> Result<(), Failure> {
        let text = std::str::from_utf8(octets).map_err(|_| damaged(name))?;
        let mut lines = text.lines();
        let table: Option<Table> = lines.next().and_then(|line| serde_json::from_str(line).ok());
        let table = table.ok_or_else(|| damaged(name))?;
        let lines: Vec<&str> = lines.collect();
        for some in lines.chunks(ROWS_AT_ONCE) {
            filler.take(&table, &some.join(","))?;
        }
        let rows = self.found.rows.entry(table.name).or_default();
        *rows += u64::try_from(lines.len()).map_err(Failure::internal)?;
        Ok(())
    }
}

/// The name and the content of an entry.
fn content(mut entry: tar::Entry<'_, impl Read>) -> Result<(String, Vec<u8>), BackupError> {
    let name = entry.path()?.to_str().map(str::to_owned).ok_or_else(|| damaged("a name"))?;
    if !entry.header().entry_type().is_file() || entry.size() > MOST_ENTRY {
        return Err(damaged(&name));
    }
    let mut octets = Vec::new();
    entry.read_to_end(&mut octets)?;
    Ok((name, octets))
}

fn damaged(what: &str) -> BackupError {
    BackupError::Damaged(what.to_owned())
}

/// Whether a name is one of a file, not of a path, and not hidden.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0'])
}

/// Writes the wrapped keys where the configuration says. Nothing is written over.
fn put_keys(config: &Config, keys: &[(String, Vec<u8>)]) -> Result<(), Failure> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let KeyPlace::Files(folder) = &config.keys else { return Ok(()) };
    private_folder(folder)?;
    for (name, octets) in keys {
        let path = folder.join(name);
        let problem = |error: io::Error| Failure::file(path.display(), &error);
        let mut file = std::fs::OpenOptions::new();
        let mut file =
            file.write(true).create_new(true).mode(0o600).open(&path).map_err(problem)?;
        file.write_all(octets).and_then(|()| file.sync_all()).map_err(problem)?;
    }
    let folder_handle = File::open(folder).and_then(|handle| handle.sync_all());
    folder_handle.map_err(|error| Failure::file(folder.display(), &error))
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        use crate::failure::exit::REFUSED;
        match &error {
            BackupError::NotABackup => Self::problem("backup-unknown", REFUSED),
            BackupError::Passphrase => Self::problem("backup-passphrase", REFUSED),
            BackupError::Damaged(_) => Self::problem("backup-damaged", REFUSED).because(&error),
            BackupError::Io(cause) => Self::problem("backup-damaged", REFUSED).because(cause),
        }
    }
}

//! Writes a backup.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use secrecy::SecretString;
use tenkoku_domain::audit::BackupSummary;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::KeyId;
use tenkoku_domain::key::KeyRole;
use tenkoku_domain::time::Clock as _;
use tenkoku_store::{Store, Table};

use super::seal::{Derivation, Sealing};
use super::{CONFIGURATION, Digesting, FORMAT, Header, KEYS, MANIFEST, Manifest, ROWS};
use crate::clock::WallClock;
use crate::config::{Config, KeyPlace};
use crate::entropy::SystemEntropy;
use crate::failure::Failure;

/// Octets of the rows that one entry of the archive holds, about.
const SHEET: usize = 4 * 1024 * 1024;

/// Writes a backup of a running or resting installation to a new file. A file that could not be
/// written whole goes again.
pub(crate) fn write(
    config: &Config,
    store: &Store,
    passphrase: &SecretString,
    file: &Path,
) -> Result<BackupSummary, Failure> {
    let problem = |error: io::Error| Failure::file(file.display(), &error);
    let out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let out = out.map_err(problem)?;
    let written = pack(config, store, passphrase, &out).and_then(|summary| {
        out.sync_all().map_err(problem)?;
        Ok(summary)
    });
    if written.is_err() {
        let _ = std::fs::remove_file(file);
    }
    written
}

fn pack(
    config: &Config,
    store: &Store,
    passphrase: &SecretString,
    out: &File,
) -> Result<BackupSummary, Failure> {
    let header = Header {
        format: FORMAT.to_owned(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: WallClock.now(),
        installation: config.settings.installation.to_string(),
        versions: store.versions()?,
        derivation: Derivation::fresh(&SystemEntropy),
    };
    let mut line = serde_json::to_vec(&header).map_err(Failure::internal)?;
    line.push(b'\n');
    let mut out = Digesting::new(io::BufWriter::new(out));
    out.write_all(&line).map_err(Failure::internal)?;
    let key = header.derivation.key(passphrase)?;
    let sealing = Sealing::new(out, key, Digest::of(&line)).map_err(Failure::internal)?;
    let mut archive = Archive {
        tar: tar::Builder::new(GzEncoder::new(sealing, Compression::fast())),
        manifest: Manifest::default(),
        at: header.made_at.millis() / 1000,
    };
    let text = std::fs::read(&config.file);
    let text = text.map_err(|error| Failure::file(config.file.display(), &error))?;
    archive.add(CONFIGURATION, &text)?;
    rows(store, &mut archive)?;
    keys(config, store, &mut archive)?;
    let (rows, files) = (archive.manifest.all_rows(), archive.manifest.files());
    let out = archive.finish().map_err(Failure::internal)?;
    Ok(BackupSummary { made_at: header.made_at, digest: out.digest(), rows, files })
}

/// The archive that is being written.
struct Archive<W: Write> {
    tar: tar::Builder<GzEncoder<Sealing<W>>>,
    manifest: Manifest,
    /// Seconds since 1970, the time of every entry.
    at: i64,
}

impl<W: Write> Archive<W> {
    fn add(&mut self, name: &str, content: &[u8]) -> Result<(), Failure> {
        self.manifest.entries.insert(name.to_owned(), Digest::of(content));
        self.append(name, content).map_err(Failure::internal)
    }

    fn append(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_size(u64::try_from(content.len()).map_err(io::Error::other)?);
        header.set_mode(0o600);
        header.set_mtime(u64::try_from(self.at).unwrap_or_default());
        self.tar.append_data(&mut header, name, content)
    }

    fn finish(mut self) -> io::Result<W> {
        let manifest = serde_json::to_vec_pretty(&self.manifest)?;
        self.append(MANIFEST, &manifest)?;
        self.tar.into_inner()?.finish()?.finish()
    }
}

/// The rows of the database, each table in sheets of a few megabytes.
fn rows<W: Write>(store: &Store, archive: &mut Archive<W>) -> Result<(), Failure> {
    let mut sheet: Option<Sheet> = None;
    store.dump(|table, row| {
        let full = |sheet: &Sheet| sheet.table != *table || sheet.text.len() > SHEET;
        if sheet.as_ref().is_some_and(full) {
            let number = turn(sheet.take(), table, archive)?;
            sheet = Some(Sheet::new(table, number)?);
        }
        let sheet = match &mut sheet {
            Some(sheet) => sheet,
            none => none.insert(Sheet::new(table, 1)?),
        };
        sheet.text.push_str(row);
        sheet.text.push('\n');
        *archive.manifest.rows.entry(table.name.clone()).or_default() += 1;
        Ok::<_, Failure>(())
    })?;
    if let Some(last) = sheet {
        last.close(archive)?;
    }
    Ok(())
}

/// Closes a sheet and gives the number of the next.
fn turn<W: Write>(
    sheet: Option<Sheet>,
    next: &Table,
    archive: &mut Archive<W>,
) -> Result<u32, Failure> {
    let Some(sheet) = sheet else { return Ok(1) };
    let number = if sheet.table == *next { sheet.number + 1 } else { 1 };
    sheet.close(archive)?;
    Ok(number)
}

/// Some rows of a table: a line that says which, then a line for each row.
struct Sheet {
    table: Table,
    number: u32,
    text: String,
}

impl Sheet {
    fn new(table: &Table, number: u32) -> Result<Self, Failure> {
        let mut text = serde_json::to_string(table).map_err(Failure::internal)?;
        text.push('\n');
        Ok(Self { table: table.clone(), number, text })
    }

    fn close<W: Write>(self, archive: &mut Archive<W>) -> Result<(), Failure> {
        let name = format!("{ROWS}/{}/{:06}.jsonl", self.table.name, self.number);
        archive.add(&name, self.text.as_bytes())
    }
}

/// The wrapped keys of the platform, where they are files; keys of seals stay where they are.
fn keys<W: Write>(config: &Config, store: &Store, archive: &mut Archive<W>) -> Result<(), Failure> {
    let KeyPlace::Files(folder) = &config.keys else { return Ok(()) };
    let problem = |error: io::Error| Failure::file(folder.display(), &error);
    let entries = std::fs::read_dir(folder).map_err(problem)?;
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.map_err(problem)?.file_name().into_string());
    }
    names.sort();
    // What begins with a dot is being written.
    for name in names.iter().filter(|name| !name.starts_with('.')) {
        if is_of_seal(store, name)? {
            continue;
        }
        match std::fs::read(folder.join(name)) {
            Ok(content) => archive.add(&format!("{KEYS}/{name}"), &content)?,
            // Destroyed since the folder was read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(problem(error)),
        }
    }
    Ok(())
}

/// Whether a file holds the key of a seal.
fn is_of_seal(store: &Store, name: &str) -> Result<bool, Failure> {
    let stem = name.split('.').next().unwrap_or(name);
    let Ok(id) = KeyId::parse(stem) else { return Ok(false) };
    match store.read(|tx| tx.load_key(&id)) {
        Ok(key) => Ok(key.role == KeyRole::Seal),
        // Generated and not recorded yet: nothing refers to it.
        Err(tenkoku_store::StoreError::NotFound { .. }) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

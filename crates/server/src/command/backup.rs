//! `tenkoku backup` and `tenkoku restore`: everything in one encrypted file, and back.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tenkoku_ca::restore::{ask_again, record_backup, record_restored};
use tenkoku_domain::audit::{BackupEvent, BackupSummary};
use tenkoku_domain::id::{Entropy, KeyId};
use tenkoku_domain::time::Clock as _;
use tenkoku_keys::KeyStore as _;
use tenkoku_softkeys::SoftKeys;
use tenkoku_store::Store;

use super::user::{request_json, request_text};
use super::{Place, audit};
use crate::backup::pack;
use crate::backup::unpack::{Backup, Restored, Target};
use crate::clock::WallClock;
use crate::command::init::write_private;
use crate::config::{Config, KeyPlace, Secret};
use crate::entropy::SystemEntropy;
use crate::failure::{Failure, exit};
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku backup`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tenkoku backup /backup/tenkoku-2026-11-29.backup
  tenkoku restore --check /backup/tenkoku-2026-11-29.backup

The installation may be serving. The file holds the configuration, the database and the wrapped keys
of the platform; keys of seals never leave their place, so restored seals get new keys.")]
pub(crate) struct BackupArgs {
    /// The file to write; one that is there is not written over
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A file with the passphrase to encrypt with [default: the installation's]
    #[arg(long, value_name = "FILE")]
    encrypt_with: Option<PathBuf>,
}

/// `tenkoku restore`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tenkoku restore --check /backup/tenkoku-2026-11-29.backup
  TENKOKU_DATA=/var/lib/tenkoku tenkoku restore /backup/tenkoku-2026-11-29.backup
  TENKOKU_DATABASE_URL=postgres://tenkoku@db.example/tenkoku tenkoku restore tenkoku.backup

The data folder must be missing or empty, and so must the database. In production nothing is issued
until two administrators accept the restored installation on the console.")]
pub(crate) struct RestoreArgs {
    /// The backup
    #[arg(value_name = "FILE", required_unless_present = "ask_again")]
    file: Option<PathBuf>,
    /// Rehearse: restore into a scratch place, verify, and leave everything as it is
    #[arg(long)]
    check: bool,
    /// The file with the passphrase it was encrypted with [default: the installation's]
    #[arg(long, value_name = "FILE")]
    encrypted_with: Option<PathBuf>,
    /// Ask anew for the acceptance of an installation that was restored
    #[arg(long, conflicts_with_all = ["file", "check"])]
    ask_again: bool,
}

pub(crate) fn run_backup(
    args: &BackupArgs,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    if args.file.exists() {
        return Err(Failure::problem("backup-exists", exit::REFUSED).at(args.file.display()));
    }
    let env = wire::env(config)?;
    let passphrase = match &args.encrypt_with {
        Some(file) => wire::passphrase_in(file)?,
        None => wire::passphrase(config)?,
    };
    let backup = pack::write(config, &env.store, &passphrase, &args.file)?;
    record_backup(&env, &wire::shell_origin(), BackupEvent::Made { backup: backup.clone() })?;
    output.result("backup", summary_json(&backup), || summary_text(&backup));
    Ok(())
}

pub(crate) fn run_restore(
    args: &RestoreArgs,
    place: &Place,
    output: &Output,
) -> Result<(), Failure> {
    let Some(file) = &args.file else {
        let env = wire::env(&Config::load(&place.file)?)?;
        let request = ask_again(&env, &wire::shell_origin())?;
        output.result("restore-request", request_json(&request), || request_text(&request));
        return Ok(());
    };
    if args.check {
        return rehearse(file, args.encrypted_with.as_deref(), place, output);
    }
    restore(file, args.encrypted_with.as_deref(), place, output)
}

/// Restores into a scratch folder, which goes again.
fn rehearse(
    file: &Path,
    encrypted_with: Option<&Path>,
    place: &Place,
    output: &Output,
) -> Result<(), Failure> {
    let config = Config::load(&place.file)?;
    let env = wire::env(&config)?;
    let passphrase = match encrypted_with {
        Some(file) => wire::passphrase_in(file)?,
        None => wire::passphrase(&config)?,
    };
    let scratch = Scratch(place.data.join(format!("restore-check-{}", std::process::id())));
    let restored = open(file, &passphrase, |backup| {
        backup.restore((&scratch.0, Target::Scratch), |_, _, _| Ok(()))
    })?;
    let records = match audit::walk(&restored.store)? {
        Ok(records) => records,
        Err(broken) => {
            return Err(Failure::problem("backup-damaged", exit::REFUSED)
                .at(file.display())
                .because(broken));
        }
    };
    let keys = try_keys(&restored, &wire::passphrase(&config)?)?;
    let backup = restored.backup.clone();
    drop(restored);
    let rehearsed = BackupEvent::Rehearsed { backup: backup.clone() };
    record_backup(&env, &wire::shell_origin(), rehearsed)?;
    let mut value = summary_json(&backup);
    if let Value::Object(all) = &mut value {
        all.insert("audit_records".to_owned(), json!(records));
        all.insert("keys_opened".to_owned(), json!(keys));
    }
    output.result("restore-check", value, || {
        let more = facts(&[
            ("audit records", format!("{records}, intact")),
            ("keys opened", keys.to_string()),
        ]);
        format!("{}{more}", summary_text(&backup))
    });
    Ok(())
}

/// A folder that goes again.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn open<T>(
    file: &Path,
    passphrase: &SecretString,
    then: impl FnOnce(Backup<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let opened = File::open(file).map_err(|error| Failure::file(file.display(), &error))?;
    let backup = Backup::open(&opened, passphrase).map_err(Failure::from);
    backup.and_then(then).map_err(|failure| failure.at(file.display()))
}

/// Opens every key file and compares it with the database; gives how many there are.
fn try_keys(restored: &Restored, passphrase: &SecretString) -> Result<usize, Failure> {
    let KeyPlace::Files(folder) = &restored.config.keys else { return Ok(0) };
    let keys = SoftKeys::open(folder, passphrase)?;
    let ids = keys.list()?;
    for id in &ids {
        compare(&keys, &restored.store, id)?;
    }
    Ok(ids.len())
}

fn compare(keys: &SoftKeys, store: &Store, id: &KeyId) -> Result<(), Failure> {
    let wrapped = keys.load_public(id)?.public_key;
    let recorded = store.read(|tx| tx.load_key(id))?.public_key;
    if wrapped == recorded {
        return Ok(());
    }
    Err(Failure::problem("backup-damaged", exit::REFUSED).because(format!("the key {id}")))
}

fn restore(
    file: &Path,
    encrypted_with: Option<&Path>,
    place: &Place,
    output: &Output,
) -> Result<(), Failure> {
    let used = place.data.read_dir().is_ok_and(|mut entries| entries.next().is_some());
    if used {
        return Err(Failure::problem("restore-not-empty", exit::REFUSED).at(place.data.display()));
    }
    let passphrase = match encrypted_with {
        Some(file) => wire::passphrase_in(file)?,
        None => {
            wire::secret(&Secret::passphrase(place.data.join("passphrase")), "passphrase-missing")?
        }
    };
    // Beside the folder first: it appears whole or not at all.
    let mut name = place.data.clone().into_os_string();
    name.push(".restoring");
    let scratch = Scratch(PathBuf::from(name));
    let restored = open(file, &passphrase, |backup| {
        backup.restore((&scratch.0, Target::Configured), |tx, config, backup| {
            let who: (_, &dyn Entropy) = (config.settings.installation, &SystemEntropy);
            let (origin, now) = (wire::shell_origin(), WallClock.now());
            record_restored(tx, who, &origin, backup.clone(), now)?;
            Ok(())
        })
    })?;
    // An evaluation keeps its passphrase beside its keys.
    if restored.config.is_evaluation() && encrypted_with.is_none() {
        write_private(&scratch.0.join("passphrase"), passphrase.expose_secret())?;
    }
    let backup = restored.backup.clone();
    drop(restored);
    fs::rename(&scratch.0, &place.data)
        .map_err(|error| Failure::file(place.data.display(), &error))?;
    let config = Config::load(&place.file)?;
    let waiting = wire::store(&config)?.read(|tx| tx.open_approval_requests("restore"))?;
    let mut value = summary_json(&backup);
    if let Value::Object(all) = &mut value {
        let requests: Vec<Value> = waiting.iter().map(request_json).collect();
        all.insert("waiting".to_owned(), json!(requests));
    }
    output.result("restore", value, || {
        let requests: String = waiting.iter().map(request_text).collect();
        format!("{}{requests}", summary_text(&backup))
    });
    Ok(())
}

fn summary_json(backup: &BackupSummary) -> Value {
    json!({
        "made_at": backup.made_at.to_string(),
        "digest": backup.digest,
        "rows": backup.rows,
        "files": backup.files,
    })
}

fn summary_text(backup: &BackupSummary) -> String {
    facts(&[
        ("state of", backup.made_at.to_string()),
        ("SHA-256", backup.digest.to_string()),
        ("rows", backup.rows.to_string()),
        ("files", backup.files.to_string()),
    ])
}

//! `[keys]`: the software key store and where its passphrase comes from.

use std::fs;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Deserialize;

use super::environment;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct KeysToml {
    folder: PathBuf,
    passphrase_file: PathBuf,
}

impl Default for KeysToml {
    fn default() -> Self {
        Self { folder: PathBuf::from("keys"), passphrase_file: PathBuf::from("passphrase") }
    }
}

impl KeysToml {
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn passphrase(&self, data: &Path) -> Passphrase {
        let file = environment("TENKOKU_PASSPHRASE_FILE").map(PathBuf::from);
        Passphrase { file: file.unwrap_or_else(|| data.join(&self.passphrase_file)) }
    }
}

/// Where the passphrase of the key store comes from: `TENKOKU_PASSPHRASE`, else a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Passphrase {
    /// The file.
    pub(crate) file: PathBuf,
}

impl Passphrase {
    /// Reads it; the end of line is not part of it. `None` when there is neither variable nor file.
    pub(crate) fn read(&self) -> std::io::Result<Option<SecretString>> {
        if let Some(passphrase) = environment("TENKOKU_PASSPHRASE") {
            return Ok(Some(SecretString::from(passphrase)));
        }
        match fs::read_to_string(&self.file) {
            Ok(text) => {
                Ok(Some(SecretString::from(text.trim_end_matches(['\r', '\n']).to_owned())))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

//! `[keys]`: where keys live, and where what opens them comes from.

use std::fs;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tenkoku_pkcs11::{TokenChoice, TokenSettings};

use super::{ConfigProblem, environment};

/// Sessions with a token at most; more wait for no device that we know.
const MOST_SESSIONS: usize = 256;

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct KeysToml {
    store: String,
    folder: PathBuf,
    passphrase_file: PathBuf,
    module: Option<PathBuf>,
    token: Option<String>,
    serial: Option<String>,
    pin_file: PathBuf,
    sessions: usize,
}

impl Default for KeysToml {
    fn default() -> Self {
        Self {
            store: "files".to_owned(),
            folder: PathBuf::from("keys"),
            passphrase_file: PathBuf::from("passphrase"),
            module: None,
            token: None,
            serial: None,
            pin_file: PathBuf::from("pin"),
            sessions: 4,
        }
    }
}

/// Where keys live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyPlace {
    /// In a folder of protected files.
    Files(PathBuf),
    /// In a token.
    Token(TokenPlace),
}

/// A token, and where its PIN comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TokenPlace {
    /// How it is reached.
    pub(crate) settings: TokenSettings,
    /// Its PIN.
    pub(crate) pin: Secret,
}

impl KeysToml {
    pub(super) fn place(&self, data: &Path) -> Result<KeyPlace, ConfigProblem> {
        let store = environment("TENKOKU_KEYS_STORE").unwrap_or_else(|| self.store.clone());
        match store.as_str() {
            "files" => Ok(KeyPlace::Files(data.join(&self.folder))),
            "pkcs11" => self.token(data).map(KeyPlace::Token),
            other => Err(ConfigProblem::value(
                "keys.store",
                format!("{other:?} is no key store; write \"files\" or \"pkcs11\""),
            )),
        }
    }

    fn token(&self, data: &Path) -> Result<TokenPlace, ConfigProblem> {
        let module = environment("TENKOKU_HSM_MODULE").map(PathBuf::from);
        let module = module.or_else(|| self.module.clone()).ok_or_else(|| {
            ConfigProblem::value("keys.module", "a key device needs the path of its module")
        })?;
        let label = environment("TENKOKU_HSM_TOKEN").or_else(|| self.token.clone());
        let token = match (label, &self.serial) {
            (Some(label), None) => TokenChoice::Label(label),
            (None, Some(serial)) => TokenChoice::Serial(serial.clone()),
            (None, None) | (Some(_), Some(_)) => {
                let problem = "a token is named by its label (token) or by its serial number \
                               (serial), and by one of them only";
                return Err(ConfigProblem::value("keys.token", problem));
            }
        };
        if !(1..=MOST_SESSIONS).contains(&self.sessions) {
            let problem = format!("must be 1 to {MOST_SESSIONS}");
            return Err(ConfigProblem::value("keys.sessions", problem));
        }
        Ok(TokenPlace {
            settings: TokenSettings { module, token, sessions: self.sessions },
            pin: Secret::pin(data.join(&self.pin_file)),
        })
    }

    pub(super) fn passphrase(&self, data: &Path) -> Secret {
        Secret::passphrase(data.join(&self.passphrase_file))
    }
}

/// Where a secret comes from: a variable of the environment, else a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Secret {
    variable: &'static str,
    /// The file.
    pub(crate) file: PathBuf,
}

impl Secret {
    /// The passphrase of an installation whose configuration is not there yet: the variable, else
    /// the file that `TENKOKU_PASSPHRASE_FILE` names, else this one.
    pub(crate) fn passphrase(file: PathBuf) -> Self {
        let named = environment("TENKOKU_PASSPHRASE_FILE").map(PathBuf::from);
        Self { variable: "TENKOKU_PASSPHRASE", file: named.unwrap_or(file) }
    }

    /// The PIN of a token: `TENKOKU_HSM_PIN`, else the file that `TENKOKU_HSM_PIN_FILE` names,
    /// else this one.
    pub(crate) fn pin(file: PathBuf) -> Self {
        let named = environment("TENKOKU_HSM_PIN_FILE").map(PathBuf::from);
        Self::pin_in(named.unwrap_or(file))
    }

    /// The PIN of a token: `TENKOKU_HSM_PIN`, else this file.
    pub(crate) const fn pin_in(file: PathBuf) -> Self {
        Self { variable: "TENKOKU_HSM_PIN", file }
    }

    /// The password of the mail server: `TENKOKU_MAIL_PASSWORD`, else the file that
    /// `TENKOKU_MAIL_PASSWORD_FILE` names, else this one.
    pub(crate) fn mail_password(file: PathBuf) -> Self {
        let named = environment("TENKOKU_MAIL_PASSWORD_FILE").map(PathBuf::from);
        Self { variable: "TENKOKU_MAIL_PASSWORD", file: named.unwrap_or(file) }
    }

    /// Reads it; the end of line is not part of it. `None` when there is neither variable nor file.
    pub(crate) fn read(&self) -> std::io::Result<Option<SecretString>> {
        if let Some(secret) = environment(self.variable) {
            return Ok(Some(SecretString::from(secret)));
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

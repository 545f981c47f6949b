//! What can be wrong with a configuration, told by file, line and key.

use std::path::{Path, PathBuf};

/// Every key of the file, for the suggestion beside an unknown one.
const KEYS: &[&str] = &[
    "installation",
    "kind",
    "policy_arc",
    "database",
    "url",
    "listen",
    "public",
    "console",
    "operations",
    "address",
    "behind_proxy",
    "certificate_file",
    "key_file",
    "least",
    "client_ca_files",
    "client_crl_files",
    "clock",
    "servers",
    "keys",
    "store",
    "folder",
    "passphrase_file",
    "module",
    "token",
    "serial",
    "pin_file",
    "sessions",
    "operator",
    "name",
    "name_ja",
    "name_latn",
    "identifier",
    "country",
    "street",
    "locality",
    "postal_code",
    "email",
    "website",
    "language",
    "scheme",
    "code",
    "territory",
    "name_en",
    "mail",
    "via",
    "from",
    "host",
    "port",
    "tls",
    "user",
    "password_file",
    "ca_file",
    "timeout_seconds",
    "reader",
    "follow",
    "allow_hosts",
    "log",
    "format",
    "level",
];

/// Why a configuration is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConfigProblem {
    /// There is no file.
    #[error("there is no configuration at {}", file.display())]
    Missing {
        /// Where it was looked for.
        file: PathBuf,
    },
    /// The file cannot be read.
    #[error("{} cannot be read: {problem}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        problem: String,
    },
    /// A key that nobody knows.
    #[error("{}:{line}: the key {key} is not known{}", file.display(), nearest.as_ref().map(|n| format!("; did you mean {n}?")).unwrap_or_default())]
    UnknownKey {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The key.
        key: String,
        /// The nearest known key.
        nearest: Option<String>,
    },
    /// The file is not TOML, a key is missing, or a value is of the wrong type.
    #[error("{}:{line}: {problem}", file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// A value that breaks a rule.
    #[error("{key}: {problem}")]
    Value {
        /// The key, with its section.
        key: &'static str,
        /// What is wrong, and what would be right.
        problem: String,
    },
}

impl ConfigProblem {
    pub(super) fn value(key: &'static str, problem: impl ToString) -> Self {
        Self::Value { key, problem: problem.to_string() }
    }

    /// The stable code and the facts under which the words stand in the catalogue.
    pub(crate) fn told(&self) -> (&'static str, Vec<(&'static str, String)>) {
        match self {
            Self::Missing { file } => ("config-missing", vec![("file", shown(file))]),
            Self::Unreadable { file, problem } => {
                ("input-missing", vec![("file", shown(file)), ("detail-text", problem.clone())])
            }
            Self::UnknownKey { file, line, key, nearest } => {
                let mut facts = vec![("file", shown(file)), ("line", line.to_string())];
                facts.push(("key", key.clone()));
                facts.extend(nearest.clone().map(|nearest| ("nearest", nearest)));
                ("config-unknown-key", facts)
            }
            Self::Malformed { file, line, problem } => (
                "config-malformed",
                vec![
                    ("file", shown(file)),
                    ("line", line.to_string()),
                    ("detail-text", problem.clone()),
                ],
            ),
            Self::Value { key, problem } => (
                "config-malformed",
                vec![("key", (*key).to_owned()), ("detail-text", problem.clone())],
            ),
        }
    }
}

fn shown(file: &Path) -> String {
    file.display().to_string()
}

/// Tells what the TOML reader found in the operator's words.
pub(super) fn of_toml(file: &Path, text: &str, error: &toml::de::Error) -> ConfigProblem {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or_default();
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let message = error.message();
    let unknown = message.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
    match unknown {
        Some(key) => ConfigProblem::UnknownKey {
            file: file.to_owned(),
            line,
            key: key.to_owned(),
            nearest: nearest(key),
        },
        None => ConfigProblem::Malformed {
            file: file.to_owned(),
            line,
            problem: message.replace('\n', " "),
        },
    }
}

fn nearest(key: &str) -> Option<String> {
    KEYS.iter()
        .map(|known| (strsim::damerau_levenshtein(known, key), *known))
        .min()
        .filter(|(distance, _)| *distance <= 3)
        .map(|(_, known)| known.to_owned())
}

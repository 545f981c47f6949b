//! `tenkoku.toml`: one file, every key known, checked once and handed on as typed parts.
//!
//! Only this module reads the environment.

mod clock;
mod console;
mod database;
mod installation;
mod key_feed;
mod keys;
mod limits;
mod listen;
mod log;
mod mail;
mod operator;
mod problem;
mod public;
mod reader;
mod scheme;
mod shown;
mod starter;
mod status;
mod tls;

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use tenkoku_domain::policy::Installation;
use tenkoku_ports::settings::{Acknowledgement, Settings};
use tenkoku_responder::gate::Limits;

pub(crate) use self::console::Callers;
pub(crate) use self::installation::parse_arc;
pub(crate) use self::keys::{KeyPlace, Secret, TokenPlace};
pub(crate) use self::listen::Listen;
pub(crate) use self::log::{Log, LogFormat};
pub(crate) use self::mail::{Mail, Way};
pub(crate) use self::problem::ConfigProblem;
pub(crate) use self::reader::ReaderConfig;
pub(crate) use self::shown::{Setting, Source, settings};
pub(crate) use self::starter::{SAMPLE_OPERATOR, Starter, starter_text};
pub(crate) use self::tls::{TlsPlace, TlsVersion};

/// The name of the configuration file in the data folder.
pub(crate) const FILE_NAME: &str = "tenkoku.toml";

/// The file, as written. Unknown keys are refused.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct ConfigToml {
    installation: installation::InstallationToml,
    #[serde(default)]
    database: database::DatabaseToml,
    #[serde(default)]
    listen: listen::ListenToml,
    public: public::PublicToml,
    #[serde(default)]
    console: console::ConsoleToml,
    #[serde(default)]
    tls: tls::TlsToml,
    #[serde(default)]
    clock: clock::ClockToml,
    #[serde(default)]
    status: status::StatusToml,
    #[serde(default)]
    limits: limits::LimitsToml,
    #[serde(default)]
    keys: keys::KeysToml,
    #[serde(default)]
    key_feed: key_feed::KeyFeedToml,
    operator: operator::OperatorToml,
    scheme: scheme::SchemeToml,
    #[serde(default)]
    mail: mail::MailToml,
    #[serde(default)]
    reader: reader::ReaderToml,
    #[serde(default)]
    identifier_scheme: Vec<scheme::IdentifierToml>,
    #[serde(default)]
    log: log::LogToml,
}

/// A checked configuration.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Where the file is.
    pub(crate) file: PathBuf,
    /// The data folder: relative paths start here.
    pub(crate) data: PathBuf,
    /// What the use cases need.
    pub(crate) settings: Settings,
    /// The database's URL; may hold a password, so it is never shown whole.
    pub(crate) database_url: String,
    /// Where to listen.
    pub(crate) listen: Listen,
    /// The nodes that answer beside this one, each `host:port`.
    pub(crate) nodes: Vec<String>,
    /// What one address may take of the public listener.
    pub(crate) limits: Limits,
    /// The console's address as browsers see it.
    pub(crate) console_address: String,
    /// Whose address a request of the console comes from.
    pub(crate) callers: Callers,
    /// The console's own TLS; `None` where it speaks plain HTTP.
    pub(crate) tls: Option<TlsPlace>,
    /// Where keys live.
    pub(crate) keys: KeyPlace,
    /// Where the passphrase comes from that opens the key files, and from which the installation's
    /// other secrets are derived.
    pub(crate) passphrase: Secret,
    /// How letters leave.
    pub(crate) mail: Mail,
    /// How the lists of others are fetched.
    pub(crate) reader: ReaderConfig,
    /// How to log.
    pub(crate) log: Log,
}

impl Config {
    /// Reads and checks the file of a data folder.
    pub(crate) fn load(file: &Path) -> Result<Self, ConfigProblem> {
        let text = fs::read_to_string(file).map_err(|error| {
            let file = file.to_owned();
            if error.kind() == std::io::ErrorKind::NotFound {
                return ConfigProblem::Missing { file };
            }
            ConfigProblem::Unreadable { file, problem: error.to_string() }
        })?;
        Self::parse(file, &text)
    }

    /// Checks the text of a file.
    pub(crate) fn parse(file: &Path, text: &str) -> Result<Self, ConfigProblem> {
        let toml: ConfigToml =
            toml::from_str(text).map_err(|error| problem::of_toml(file, text, &error))?;
        let data = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let kind = toml.installation.kind()?;
        let listen = toml.listen.checked()?;
        let callers = toml.console.callers();
        let tls = toml.tls.checked(data, callers)?;
        let arc = toml.installation.arc(kind)?;
        let operator = toml.operator.checked()?;
        let mail = toml.mail.checked(data, kind, &operator.email)?;
        let settings = Settings {
            installation: kind,
            acknowledgement: Acknowledgement::of(kind),
            public_address: toml.public.address()?,
            arc,
            clock: toml.clock.watch(kind),
            status: toml.status.checked()?,
            key_feed: toml.key_feed.checked()?,
            follows_lists: toml.reader.follows(),
            sends_letters: mail.way != Way::Off,
            operator,
            scheme: toml.scheme.checked()?,
            identifier_schemes: toml
                .identifier_scheme
                .iter()
                .map(scheme::IdentifierToml::checked)
                .collect::<Result<_, _>>()?,
        };
        Ok(Self {
            file: file.to_owned(),
            data: data.to_owned(),
            database_url: toml.database.url(data),
            listen,
            nodes: toml.status.nodes()?,
            limits: toml.limits.checked()?,
            console_address: toml.console.address(listen.console, tls.is_some())?,
            callers,
            tls,
            keys: toml.keys.place(data)?,
            passphrase: toml.keys.passphrase(data),
            mail,
            reader: toml.reader.checked(data, kind)?,
            log: toml.log.checked()?,
            settings,
        })
    }

    /// Whether everything carries the evaluation mark.
    pub(crate) fn is_evaluation(&self) -> bool {
        self.settings.installation == Installation::Evaluation
    }
}

/// The data folder: `TENKOKU_DATA`, else `var`.
pub(crate) fn default_data() -> PathBuf {
    environment("TENKOKU_DATA").map_or_else(|| PathBuf::from("var"), PathBuf::from)
}

/// A variable of the environment; empty counts as absent.
#[expect(clippy::disallowed_methods, reason = "the one door to the environment")]
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests;

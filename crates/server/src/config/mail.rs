//! `[mail]`: which way letters take.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tenkoku_domain::notice::EmailAddress;
use tenkoku_domain::policy::Installation;
use tenkoku_mail::Tls;

use super::{ConfigProblem, Secret, environment};

/// Seconds that a step with the mail server may take, at most: a claim on a letter holds longer.
const MOST_SECONDS: u64 = 120;

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct MailToml {
    via: Option<String>,
    folder: PathBuf,
    from: Option<String>,
    host: Option<String>,
    port: Option<u16>,
    tls: String,
    user: Option<String>,
    password_file: PathBuf,
    ca_file: Option<PathBuf>,
    timeout_seconds: u64,
}

impl Default for MailToml {
    fn default() -> Self {
        Self {
            via: None,
            folder: PathBuf::from("mail"),
            from: None,
            host: None,
            port: None,
            tls: "starttls".to_owned(),
            user: None,
            password_file: PathBuf::from("mail-password"),
            ca_file: None,
            timeout_seconds: 30,
        }
    }
}

/// How letters leave, and under whose address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mail {
    /// The sender's address; answers go there.
    pub(crate) from: EmailAddress,
    /// The way.
    pub(crate) way: Way,
}

/// The way letters take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// None: letters wait.
    Off,
    /// They become files.
    Files(PathBuf),
    /// A mail server takes them.
    Smtp(ServerPlace),
}

/// A mail server, and where what it wants comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerPlace {
    /// Its name or address.
    pub(crate) host: String,
    /// Its port.
    pub(crate) port: u16,
    /// How the connection is protected.
    pub(crate) tls: Tls,
    /// The name to sign in with, and where the password comes from.
    pub(crate) sign_in: Option<(String, Secret)>,
    /// The file of the authorities that the server's certificate must come from.
    pub(crate) ca_file: Option<PathBuf>,
    /// How long a step may take.
    pub(crate) timeout: Duration,
}

impl MailToml {
    /// The way letters take. Where the file does not say, an evaluation writes files, and a
    /// production installation keeps letters until it does.
    pub(super) fn checked(
        &self,
        data: &Path,
        kind: Installation,
        operator: &str,
    ) -> Result<Mail, ConfigProblem> {
        let given = self.from.as_deref().unwrap_or(operator);
        let from = EmailAddress::parse(given)
            .map_err(|problem| ConfigProblem::value("mail.from", problem))?;
        let via = environment("TENKOKU_MAIL_VIA").or_else(|| self.via.clone());
        let way = match (via.as_deref(), kind) {
            (Some("files"), _) | (None, Installation::Evaluation) => {
                Way::Files(data.join(&self.folder))
            }
            (Some("off"), _) | (None, Installation::Production) => Way::Off,
            (Some("smtp"), _) => Way::Smtp(self.server(data)?),
            (Some(other), _) => {
                let problem = format!("{other:?} is no way; write \"smtp\", \"files\" or \"off\"");
                return Err(ConfigProblem::value("mail.via", problem));
            }
        };
        Ok(Mail { from, way })
    }

    fn server(&self, data: &Path) -> Result<ServerPlace, ConfigProblem> {
        let host = environment("TENKOKU_MAIL_HOST").or_else(|| self.host.clone());
        let host = host.ok_or_else(|| {
            ConfigProblem::value("mail.host", "a mail server needs its name: \"mail.example.jp\"")
        })?;
        let (tls, port) = match self.tls.as_str() {
            "starttls" => (Tls::StartTls, 587),
            "implicit" => (Tls::Implicit, 465),
            "none" if is_here(&host) => (Tls::None, 25),
            "none" => {
                let problem = "without TLS only to this machine (localhost, 127.0.0.1 or ::1)";
                return Err(ConfigProblem::value("mail.tls", problem));
            }
            other => {
                let problem =
                    format!("{other:?} is not known; write \"starttls\", \"implicit\" or \"none\"");
                return Err(ConfigProblem::value("mail.tls", problem));
            }
        };
        if !(1..=MOST_SECONDS).contains(&self.timeout_seconds) {
            let problem = format!("must be 1 to {MOST_SECONDS}");
            return Err(ConfigProblem::value("mail.timeout_seconds", problem));
        }
        let password = || Secret::mail_password(data.join(&self.password_file));
        Ok(ServerPlace {
            host,
            port: self.port.unwrap_or(port),
            tls,
            sign_in: self.user.clone().map(|user| (user, password())),
            ca_file: self.ca_file.as_ref().map(|file| data.join(file)),
            timeout: Duration::from_secs(self.timeout_seconds),
        })
    }
}

fn is_here(host: &str) -> bool {
    ["localhost", "127.0.0.1", "::1"].contains(&host)
}

//! `[tls]`: TLS of the console, and the certificates that people sign in with.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::console::Callers;
use super::{ConfigProblem, environment};

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TlsToml {
    certificate_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
    least: String,
    client_ca_files: Vec<PathBuf>,
    client_crl_files: Vec<PathBuf>,
}

impl Default for TlsToml {
    fn default() -> Self {
        Self {
            certificate_file: None,
            key_file: None,
            least: "1.2".to_owned(),
            client_ca_files: Vec::new(),
            client_crl_files: Vec::new(),
        }
    }
}

/// The oldest version of TLS that is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    V1_2,
    /// TLS 1.3 (RFC 8446).
    V1_3,
}

/// Where the console's certificate and key lie, and whose certificates people may sign in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsPlace {
    /// The certificate with those between it and its authority, its own first (PEM).
    pub(crate) certificate: PathBuf,
    /// Its key (PEM).
    pub(crate) key: PathBuf,
    /// The oldest version that is spoken.
    pub(crate) least: TlsVersion,
    /// The authorities of people's certificates; without any, none is asked for.
    pub(crate) client_authorities: Vec<PathBuf>,
    /// Their revocation lists.
    pub(crate) client_lists: Vec<PathBuf>,
}

impl TlsToml {
    /// The place of the files; `None` where the console speaks no TLS itself.
    pub(super) fn checked(
        self,
        data: &Path,
        callers: Callers,
    ) -> Result<Option<TlsPlace>, ConfigProblem> {
        let named = |variable, written: Option<PathBuf>| {
            environment(variable).map(PathBuf::from).or(written).map(|file| data.join(file))
        };
        let certificate = named("TENKOKU_TLS_CERTIFICATE_FILE", self.certificate_file);
        let key = named("TENKOKU_TLS_KEY_FILE", self.key_file);
        let least = match self.least.as_str() {
            "1.2" => TlsVersion::V1_2,
            "1.3" => TlsVersion::V1_3,
            other => {
                let problem = format!("{other:?} is not spoken; write \"1.2\" or \"1.3\"");
                return Err(ConfigProblem::value("tls.least", problem));
            }
        };
        let asks = !self.client_ca_files.is_empty();
        if !asks && !self.client_crl_files.is_empty() {
            let problem = "revocation lists need the authorities they are of (client_ca_files)";
            return Err(ConfigProblem::value("tls.client_crl_files", problem));
        }
        match (certificate, key) {
            (None, None) if asks => {
                let problem = "certificates of people arrive by the console's own TLS only; set \
                               certificate_file and key_file";
                Err(ConfigProblem::value("tls.client_ca_files", problem))
            }
            (None, None) => Ok(None),
            (Some(_), Some(_)) if asks && callers == Callers::BehindProxy => {
                let problem = "behind a proxy that ends TLS no certificate of a person arrives, and \
                               no header stands in for one; let browsers connect to the console \
                               itself, without behind_proxy";
                Err(ConfigProblem::value("tls.client_ca_files", problem))
            }
            (Some(certificate), Some(key)) => Ok(Some(TlsPlace {
                certificate,
                key,
                least,
                client_authorities: below(data, self.client_ca_files),
                client_lists: below(data, self.client_crl_files),
            })),
            (Some(_), None) => Err(ConfigProblem::value("tls.key_file", "the key is not named")),
            (None, Some(_)) => {
                Err(ConfigProblem::value("tls.certificate_file", "the certificate is not named"))
            }
        }
    }
}

fn below(data: &Path, files: Vec<PathBuf>) -> Vec<PathBuf> {
    files.into_iter().map(|file| data.join(file)).collect()
}

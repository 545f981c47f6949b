//! `[reader]`: the trusted lists of others. Off by default.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tenkoku_domain::policy::Installation;
use tenkoku_fetch::{Allowed, Limits};
use tenkoku_tsl::xml::MAX_BYTES;

use super::ConfigProblem;

/// Seconds that a document may take, at most.
const MOST_SECONDS: u64 = 300;
/// Redirects that are followed. A list has none (TS 119 612, 6.1), but some have.
const REDIRECTS: usize = 3;

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ReaderToml {
    follow: bool,
    allow_hosts: Vec<String>,
    ca_file: Option<PathBuf>,
    timeout_seconds: u64,
}

impl Default for ReaderToml {
    fn default() -> Self {
        Self { follow: false, allow_hosts: Vec::new(), ca_file: None, timeout_seconds: 30 }
    }
}

/// How the lists of others are fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReaderConfig {
    /// Hosts that need not be public: in an evaluation only.
    pub(crate) allowed: Allowed,
    /// The file of the authorities that servers' certificates must come from, instead of those that
    /// browsers trust.
    pub(crate) ca_file: Option<PathBuf>,
    /// How much is taken on.
    pub(crate) limits: Limits,
}

impl ReaderToml {
    /// Whether lists are looked at by the clock.
    pub(super) const fn follows(&self) -> bool {
        self.follow
    }

    pub(super) fn checked(
        &self,
        data: &Path,
        kind: Installation,
    ) -> Result<ReaderConfig, ConfigProblem> {
        if kind == Installation::Production && !self.allow_hosts.is_empty() {
            let problem = "hosts that are not public are for an evaluation; remove the key";
            return Err(ConfigProblem::value("reader.allow_hosts", problem));
        }
        if !(1..=MOST_SECONDS).contains(&self.timeout_seconds) {
            let problem = format!("must lie between 1 and {MOST_SECONDS}");
            return Err(ConfigProblem::value("reader.timeout_seconds", problem));
        }
        Ok(ReaderConfig {
            allowed: Allowed::hosts(&self.allow_hosts),
            ca_file: self.ca_file.as_ref().map(|file| data.join(file)),
            limits: limits(Duration::from_secs(self.timeout_seconds)),
        })
    }
}

impl Default for ReaderConfig {
    /// What holds where there is no installation.
    fn default() -> Self {
        let limits = limits(Duration::from_secs(ReaderToml::default().timeout_seconds));
        Self { allowed: Allowed::default(), ca_file: None, limits }
    }
}

const fn limits(time: Duration) -> Limits {
    Limits { octets: MAX_BYTES, time, redirects: REDIRECTS }
}

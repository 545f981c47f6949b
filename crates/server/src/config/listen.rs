//! `[listen]`: the three listeners.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::{ConfigProblem, environment};

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ListenToml {
    public: String,
    console: String,
    operations: String,
}

impl Default for ListenToml {
    fn default() -> Self {
        Self {
            public: "127.0.0.1:8080".to_owned(),
            console: "127.0.0.1:8081".to_owned(),
            operations: "127.0.0.1:8082".to_owned(),
        }
    }
}

/// Where to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listen {
    /// Pages, OCSP, CRLs, lists.
    pub(crate) public: SocketAddr,
    /// The console.
    pub(crate) console: SocketAddr,
    /// Health and metrics.
    pub(crate) operations: SocketAddr,
}

impl ListenToml {
    pub(super) fn checked(&self) -> Result<Listen, ConfigProblem> {
        Ok(Listen {
            public: socket("listen.public", "TENKOKU_LISTEN_PUBLIC", &self.public)?,
            console: socket("listen.console", "TENKOKU_LISTEN_CONSOLE", &self.console)?,
            operations: socket("listen.operations", "TENKOKU_LISTEN_OPERATIONS", &self.operations)?,
        })
    }
}

fn socket(key: &'static str, variable: &str, written: &str) -> Result<SocketAddr, ConfigProblem> {
    let text = environment(variable).unwrap_or_else(|| written.to_owned());
    text.parse().map_err(|_| {
        ConfigProblem::value(key, format!("{text:?} is not ADDRESS:PORT, like 127.0.0.1:8080"))
    })
}

//! `[console]`: the console's address as browsers see it.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::ConfigProblem;

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ConsoleToml {
    address: Option<String>,
    behind_proxy: bool,
}

/// Whose address a request of the console comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Callers {
    /// The peer of the connection.
    Direct,
    /// The last entry that the operator's own proxy writes into `X-Forwarded-For`.
    BehindProxy,
}

impl ConsoleToml {
    pub(super) const fn callers(&self) -> Callers {
        if self.behind_proxy { Callers::BehindProxy } else { Callers::Direct }
    }

    /// The address, without a trailing slash; `localhost` and the listener's port where none is
    /// given, because passkeys need a host name. A console that speaks TLS has no plain address.
    pub(super) fn address(&self, listen: SocketAddr, tls: bool) -> Result<String, ConfigProblem> {
        let Some(address) = &self.address else {
            let scheme = if tls { "https" } else { "http" };
            return Ok(format!("{scheme}://localhost:{}", listen.port()));
        };
        let address = address.trim_end_matches('/');
        if tls && !address.starts_with("https://") {
            return Err(ConfigProblem::value(
                "console.address",
                "must begin with https://, because [tls] is set",
            ));
        }
        let host = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
        let plain = |b: u8| b.is_ascii_alphanumeric() || b".-:[]".contains(&b);
        match host {
            Some(host) if !host.is_empty() && host.bytes().all(plain) => Ok(address.to_owned()),
            Some(_) | None => Err(ConfigProblem::value(
                "console.address",
                "must be https://HOST or http://HOST:PORT, without a path",
            )),
        }
    }
}

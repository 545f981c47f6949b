//! `[console]`: the console's address as browsers see it.

use serde::Deserialize;

use super::ConfigProblem;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ConsoleToml {
    address: String,
}

impl Default for ConsoleToml {
    fn default() -> Self {
        Self { address: "http://localhost:8081".to_owned() }
    }
}

impl ConsoleToml {
    /// The address, without a trailing slash.
    pub(super) fn address(&self) -> Result<String, ConfigProblem> {
        let address = self.address.trim_end_matches('/');
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

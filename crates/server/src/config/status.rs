//! `[status]`: how OCSP answers are given, and how much of this machine they may take.

use serde::{Deserialize, Serialize};
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_ports::settings::{StatusSettings, Unissued};

use super::ConfigProblem;

/// Least and most of what the operator may choose.
const CACHE_MIB: (usize, usize) = (1, 1 << 20);
const FRESHNESS: (i64, i64) = (1, 86_400);
const WAITING: (usize, usize) = (1, 512);

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct StatusToml {
    unissued: String,
    cache_mib: usize,
    live_per_second: u32,
    live_per_address: u32,
    freshness_seconds: i64,
    waiting_signatures: usize,
    signer_key: String,
    nodes: Vec<String>,
}

impl Default for StatusToml {
    fn default() -> Self {
        let settings = StatusSettings::default();
        Self {
            unissued: "unauthorized".to_owned(),
            cache_mib: settings.cache_octets >> 20,
            live_per_second: settings.live_per_second,
            live_per_address: settings.live_per_address,
            freshness_seconds: settings.freshness_seconds,
            waiting_signatures: settings.waiting_signatures,
            signer_key: settings.signer_key.name().to_owned(),
            nodes: Vec::new(),
        }
    }
}

impl StatusToml {
    /// The nodes that answer beside this one, each `host:port`.
    pub(super) fn nodes(&self) -> Result<Vec<String>, ConfigProblem> {
        let checked = self.nodes.iter().map(|text| {
            let parts = text.rsplit_once(':');
            let known =
                parts.filter(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
            let problem =
                || ConfigProblem::value("status.nodes", format!("{text:?} is not HOST:PORT"));
            known.map(|_| text.clone()).ok_or_else(problem)
        });
        checked.collect()
    }

    pub(super) fn checked(&self) -> Result<StatusSettings, ConfigProblem> {
        let unissued = match self.unissued.as_str() {
            "unauthorized" => Unissued::Unauthorized,
            "revoked" => Unissued::Revoked,
            other => {
                let problem =
                    format!("{other:?} is no answer; write \"unauthorized\" or \"revoked\"");
                return Err(ConfigProblem::value("status.unissued", problem));
            }
        };
        let signer_key = KeyAlgorithm::parse(&self.signer_key)
            .map_err(|error| ConfigProblem::value("status.signer_key", error))?;
        Ok(StatusSettings {
            unissued,
            cache_octets: within("status.cache_mib", self.cache_mib, CACHE_MIB)? << 20,
            live_per_second: self.live_per_second,
            live_per_address: self.live_per_address,
            freshness_seconds: within(
                "status.freshness_seconds",
                self.freshness_seconds,
                FRESHNESS,
            )?,
            waiting_signatures: within(
                "status.waiting_signatures",
                self.waiting_signatures,
                WAITING,
            )?,
            signer_key,
        })
    }
}

fn within<T: PartialOrd + std::fmt::Display>(
    key: &'static str,
    value: T,
    (least, most): (T, T),
) -> Result<T, ConfigProblem> {
    if least <= value && value <= most {
        return Ok(value);
    }
    Err(ConfigProblem::value(key, format!("must be {least} to {most}")))
}

//! `[limits]`: what one address may take of the public listener.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use tenkoku_responder::gate::Limits;

use super::ConfigProblem;

/// Least of what the operator may choose: a browser opens six connections.
const LEAST: u32 = 8;

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LimitsToml {
    connections: u32,
    requests_per_second: u32,
    exempt: Vec<String>,
}

impl Default for LimitsToml {
    fn default() -> Self {
        let exempt = ["127.0.0.1", "::1"].map(str::to_owned).to_vec();
        Self { connections: 256, requests_per_second: 2_000, exempt }
    }
}

impl LimitsToml {
    pub(super) fn checked(&self) -> Result<Limits, ConfigProblem> {
        let counts = [
            ("limits.connections", self.connections),
            ("limits.requests_per_second", self.requests_per_second),
        ];
        if let Some((key, _)) = counts.iter().find(|(_, count)| *count < LEAST) {
            return Err(ConfigProblem::value(key, format!("must be {LEAST} or more")));
        }
        let exempt = self.exempt.iter().map(|text| {
            let address = text.parse::<IpAddr>().map(|address| address.to_canonical());
            address
                .map_err(|error| ConfigProblem::value("limits.exempt", format!("{text}: {error}")))
        });
        Ok(Limits {
            connections: self.connections,
            requests_per_second: self.requests_per_second,
            exempt: exempt.collect::<Result<_, _>>()?,
        })
    }
}

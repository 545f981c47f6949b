//! `[clock]`: the time servers that the clock is compared with (DOMAIN KM-20).

use serde::{Deserialize, Serialize};
use tenkoku_domain::policy::Installation;
use tenkoku_ports::settings::ClockWatch;

use super::environment;

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ClockToml {
    servers: Vec<String>,
}

impl ClockToml {
    /// The servers from the environment, else from the file. A production installation without
    /// any is watched all the same, and so issues nothing.
    pub(super) fn watch(self, kind: Installation) -> ClockWatch {
        let words = |text: String| text.split(',').map(|word| word.trim().to_owned()).collect();
        let mut servers = environment("TENKOKU_CLOCK_SERVERS").map_or(self.servers, words);
        servers.retain(|server| !server.is_empty());
        if kind == Installation::Evaluation && servers.is_empty() {
            return ClockWatch::Unwatched;
        }
        ClockWatch::Watched { servers }
    }
}

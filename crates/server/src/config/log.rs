//! `[log]`: how to log.

use serde::{Deserialize, Serialize};

use super::{ConfigProblem, environment};

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LogToml {
    format: String,
    level: String,
}

impl Default for LogToml {
    fn default() -> Self {
        Self { format: "auto".to_owned(), level: "info".to_owned() }
    }
}

/// How to log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Log {
    /// The form of a line.
    pub(crate) format: LogFormat,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub(crate) level: String,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// Text.
    Text,
    /// One JSON object a line.
    Json,
}

impl LogToml {
    pub(super) fn checked(&self) -> Result<Log, ConfigProblem> {
        let format = match self.format.as_str() {
            "auto" => LogFormat::Auto,
            "text" => LogFormat::Text,
            "json" => LogFormat::Json,
            other => {
                return Err(ConfigProblem::value(
                    "log.format",
                    format!("{other:?} is not a format; write \"auto\", \"text\" or \"json\""),
                ));
            }
        };
        let level = environment("TENKOKU_LOG_LEVEL").unwrap_or_else(|| self.level.clone());
        if !["error", "warn", "info", "debug", "trace"].contains(&level.as_str()) {
            return Err(ConfigProblem::value(
                "log.level",
                format!("{level:?} is not a level; write error, warn, info, debug or trace"),
            ));
        }
        Ok(Log { format, level })
    }
}

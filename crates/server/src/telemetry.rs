//! Log lines: one an event, to standard error; text on a terminal, JSON otherwise.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Starts logging. A second start in one process changes nothing.
pub(crate) fn start(log: &Log) {
    let filter = EnvFilter::new(format!(
        "{},actix_server=warn,actix_web=warn,tokio_cron_scheduler=warn",
        log.level
    ));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let json = match log.format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !io::stderr().is_terminal(),
    };
    // The only failure is that logging was started before.
    let _ = if json { lines.json().try_init() } else { lines.try_init() };
}

//! Log lines: one an event, to standard error; text on a terminal, JSON otherwise.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Sets the level anew, while lines are written.
pub(crate) type SetLevel = Box<dyn Fn(&Log)>;

fn filter(log: &Log) -> EnvFilter {
    EnvFilter::new(format!(
        "{},actix_server=warn,actix_web=warn,tokio_cron_scheduler=warn",
        log.level
    ))
}

/// Starts logging. A second start in one process changes nothing.
pub(crate) fn start(log: &Log) -> SetLevel {
    let json = match log.format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !io::stderr().is_terminal(),
    };
    let lines = || tracing_subscriber::fmt().with_writer(io::stderr);
    // The only failure of a start is that logging was started before; of a new level, that it ended.
    if json {
        let lines = lines().json().with_env_filter(filter(log)).with_filter_reloading();
        let level = lines.reload_handle();
        let _ = lines.try_init();
        return Box::new(move |log| drop(level.reload(filter(log))));
    }
    let lines = lines().with_env_filter(filter(log)).with_filter_reloading();
    let level = lines.reload_handle();
    let _ = lines.try_init();
    Box::new(move |log| drop(level.reload(filter(log))))
}

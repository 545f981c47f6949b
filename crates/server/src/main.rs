//! The one binary: reads arguments, environment, clock and randomness, wires everything, starts.
//!
//! It knows everybody, so it holds no rules.
#![forbid(unsafe_code)]

mod backup;
mod clock;
mod command;
mod config;
mod entropy;
mod failure;
mod follower;
mod jobs;
mod letters;
mod listeners;
mod nodes;
mod operations;
mod output;
mod sntp;
mod telemetry;
mod watch;
mod wire;

use std::process::ExitCode;

use clap::Parser as _;

use crate::command::Cli;
use crate::output::Output;

/// Answers are small and many; the C library's allocator takes a tenth of the time of each.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => {
            let wanted = !usage.use_stderr();
            // Nothing can be done when the terminal is gone.
            let _ = usage.print();
            return ExitCode::from(if wanted { 0 } else { 2 });
        }
    };
    let output = Output::of(&cli.global);
    match command::run(cli, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.exit)
        }
    }
}

//! `tenkoku demo`: material for tests of an evaluation.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, Subcommand};
use serde_json::json;
use tenkoku_ca::demo::{SeedOrder, seed};
use tenkoku_domain::seed::SeedRow;

use super::authority;
use crate::config::Config;
use crate::failure::{Failure, exit};
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku demo`
#[derive(Debug, Subcommand)]
pub(crate) enum DemoCommand {
    /// Fill the store with serial numbers, for tests under load
    Seed(SeedArgs),
}

/// `tenkoku demo seed`
#[derive(Debug, Args)]
pub(crate) struct SeedArgs {
    /// How many serial numbers are issued
    #[arg(long)]
    issued: usize,
    /// How many of them are revoked
    #[arg(long, default_value_t = 0)]
    revoked: usize,
    /// The authority: code or id
    #[arg(long)]
    authority: String,
    /// Where the serial numbers are written, one a line with its status [default: serials-CODE.txt]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) fn run(command: &DemoCommand, config: &Config, output: &Output) -> Result<(), Failure> {
    match command {
        DemoCommand::Seed(args) => run_seed(args, config, output),
    }
}

fn run_seed(args: &SeedArgs, config: &Config, output: &Output) -> Result<(), Failure> {
    if args.revoked > args.issued {
        return Err(Failure::problem("word-unknown", exit::USAGE)
            .with("word", args.revoked)
            .with("allowed", format!("0 to {}", args.issued)));
    }
    let env = wire::env(config)?;
    let authority = authority::find(&env.store, &args.authority)?.code;
    let permit = wire::shell().permit(env.clock.now())?;
    let file = args.out.clone().unwrap_or_else(|| format!("serials-{authority}.txt").into());
    let wrong = |error: std::io::Error| Failure::file(file.display(), &error);
    let mut serials = BufWriter::new(File::create(&file).map_err(wrong)?);
    let order = SeedOrder { authority, issued: args.issued, revoked: args.revoked };
    #[expect(clippy::disallowed_methods, reason = "tells how long it took; no date")]
    let begun = Instant::now();
    let mut done = 0;
    seed(&env, &permit, &order, |rows: &[SeedRow]| {
        for row in rows {
            let status = if row.revocation.is_some() { "revoked" } else { "good" };
            writeln!(serials, "{} {status}", row.serial).map_err(wrong)?;
        }
        done += rows.len();
        output.progress(&format!("{done} of {} serial numbers", order.issued));
        Ok::<_, Failure>(())
    })?;
    serials.flush().map_err(wrong)?;
    let seconds = begun.elapsed().as_secs_f64();
    let value = json!({
        "authority": order.authority,
        "issued": order.issued,
        "revoked": order.revoked,
        "serials": file,
        "seconds": seconds,
    });
    output.result("demo-seed", value, || {
        facts(&[
            ("authority", order.authority.to_string()),
            ("issued", order.issued.to_string()),
            ("revoked", order.revoked.to_string()),
            ("serial numbers", file.display().to_string()),
            ("seconds", format!("{seconds:.1}")),
        ])
    });
    Ok(())
}

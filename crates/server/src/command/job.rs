//! `tenkoku job`: the runs of the nightly checks, and the run that did not happen.

use clap::Subcommand;
use serde_json::{Value, json};
use tenkoku_ca::nightly::{NIGHTLY, RunWatch, watch_runs};
use tenkoku_domain::time::Clock as _;
use tenkoku_store::JobRun;

use crate::clock::WallClock;
use crate::config::Config;
use crate::failure::{Failure, exit};
use crate::operations::run_check;
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku job`
#[derive(Debug, Subcommand)]
pub(crate) enum JobCommand {
    /// List the last runs, newest first, and say whether one is missing
    List {
        /// At most so many
        #[arg(long, default_value_t = 20)]
        limit: i64,
    },
    /// Show the last run and what it did
    Show,
}

pub(crate) fn run(command: &JobCommand, config: &Config, output: &Output) -> Result<(), Failure> {
    let store = wire::store(config)?;
    let now = WallClock.now();
    let limit = match command {
        JobCommand::List { limit } => (*limit).max(1),
        JobCommand::Show => 1,
    };
    let (runs, watch, waiting) = store.read(|tx| {
        let runs = tx.list_job_runs(NIGHTLY, limit)?;
        Ok::<_, tenkoku_store::StoreError>((runs, watch_runs(tx, now)?, tx.count_jobs()?))
    })?;
    let check = run_check(&watch);
    let fine = matches!(watch, RunWatch::Fine { .. });
    match command {
        JobCommand::List { .. } => {
            let all: Vec<Value> = runs.iter().map(run_json).collect();
            let value =
                json!({ "runs": all, "waiting": waiting, "ok": fine, "found": check.found });
            output.result("job-list", value, || {
                let lines: String = runs.iter().map(run_line).collect();
                format!("{lines}{waiting} jobs in the queue\n{}: {}", check.name, check.found)
            });
        }
        JobCommand::Show => {
            let Some(last) = runs.first() else {
                return Err(Failure::nothing("run", NIGHTLY));
            };
            output.result("job", run_json(last), || run_text(last));
        }
    }
    if fine {
        return Ok(());
    }
    Err(Failure::problem("check-not-held", exit::REFUSED).with("thing", check.name))
}

fn run_json(run: &JobRun) -> Value {
    json!({
        "kind": run.kind,
        "node": run.node,
        "started_at": run.started_at.to_string(),
        "ended_at": run.ended_at.map(|at| at.to_string()),
        "outcome": run.outcome,
        "counts": run.counts,
    })
}

fn run_line(run: &JobRun) -> String {
    let done: usize = run.counts.values().sum();
    format!("{}  {}  {}  {}  {done} done\n", run.started_at, run.kind, run.node, run.outcome)
}

fn run_text(run: &JobRun) -> String {
    let ended = run.ended_at.map_or_else(|| "not yet".to_owned(), |at| at.to_string());
    let mut rows = vec![
        ("kind", run.kind.clone()),
        ("node", run.node.clone()),
        ("started", run.started_at.to_string()),
        ("ended", ended),
        ("outcome", run.outcome.clone()),
    ];
    let counted = run.counts.iter().filter(|(_, number)| **number > 0);
    rows.extend(counted.map(|(word, number)| (word.as_str(), number.to_string())));
    facts(&rows)
}

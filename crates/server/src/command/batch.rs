//! `tenkoku batch`: lists of branch offices that are applied for as a whole.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tenkoku_ca::batch::{
    BATCH, BatchOrder, Faulty, decide_batch, hand_in_proofs, load_batch, retry_row, rows_as_csv,
    turn_batch,
};
use tenkoku_domain::access::Scope;
use tenkoku_domain::approval::Verdict;
use tenkoku_domain::audit::ObjectRef;
use tenkoku_domain::batch::{Batch, BatchState};
use tenkoku_domain::id::{BatchId, GrantId};
use tenkoku_domain::level::Level;
use tenkoku_ports::Env;
use tenkoku_store::StoreError;

use super::registry::find_organisation;
use super::user::ruling;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{Output, facts};
use crate::wire;

/// Batches that are listed.
const LISTED: i64 = 100;

/// `tenkoku batch`
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  tenkoku batch load branches.csv --org NTRJP-7123456789012 --level 1
  tenkoku batch rows bat_01J… > challenges.csv
  tenkoku batch proofs bat_01J… requests.csv")]
pub(crate) enum BatchCommand {
    /// Check a list as a whole and ask for its approval
    Load(LoadArgs),
    /// List the batches of an organisation, newest first
    List {
        /// The organisation: identifier, corporate number or id
        #[arg(long)]
        org: String,
    },
    /// Show how far a batch is
    Show {
        /// The batch
        batch: String,
    },
    /// Print every row with its state, its application and the challenge for its key, as CSV
    Rows {
        /// The batch
        batch: String,
    },
    /// Hand in requests that show possession: CSV with the columns branch and request, or JSON
    Proofs {
        /// The batch
        batch: String,
        /// The file
        file: PathBuf,
    },
    /// Try a row again that was refused
    Retry {
        /// The batch
        batch: String,
        /// The line of the row
        line: i64,
    },
    /// Approve the list under the digest that was shown
    Approve {
        /// The batch
        batch: String,
        /// The digest that was shown
        #[arg(long)]
        digest: String,
    },
    /// Reject the list
    Reject {
        /// The batch
        batch: String,
        /// The digest that was shown
        #[arg(long)]
        digest: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Let it wait
    Pause {
        /// The batch
        batch: String,
    },
    /// Let it go on
    Resume {
        /// The batch
        batch: String,
    },
    /// Take it back; what was applied for stays
    Cancel {
        /// The batch
        batch: String,
    },
}

/// `tenkoku batch load`
#[derive(Debug, Args)]
pub(crate) struct LoadArgs {
    /// CSV with the column branch, or a JSON array of objects with that member
    file: PathBuf,
    /// The organisation: identifier, corporate number or id
    #[arg(long)]
    org: String,
    /// The level of the seals
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=3))]
    level: u8,
    /// Validity in days [default: the longest that the policy allows]
    #[arg(long)]
    days: Option<i64>,
    /// The grant that every application is made under
    #[arg(long)]
    grant: Option<String>,
    /// Take the rows that are right, and leave the others out
    #[arg(long)]
    valid_lines_only: bool,
}

fn read(file: &PathBuf) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|error| Failure::file(file.display(), &error))
}

fn parse(text: &str) -> Result<BatchId, Failure> {
    BatchId::parse(text).map_err(|_| Failure::nothing("batch", text))
}

pub(crate) fn run(command: &BatchCommand, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let now = env.clock.now();
    let shell = wire::shell();
    let turned = |text: &str, to| {
        let batch = turn_batch(&env, &shell.permit(now)?, &parse(text)?, to)?;
        show(&env, &batch, output)
    };
    let decided = |text: &str, digest: &str, verdict, reason: &str| {
        let ruling = ruling(digest, verdict, reason)?;
        let batch = decide_batch(&env, &shell.permit(now)?, &parse(text)?, &ruling)?;
        show(&env, &batch, output)
    };
    match command {
        BatchCommand::Load(args) => load(&env, args, output),
        BatchCommand::List { org } => {
            let organisation = find_organisation(&env.store, org)?;
            let all =
                env.store.read(|tx| tx.list_batches(&Scope::Platform, &organisation.id, LISTED))?;
            let values: Vec<Value> =
                all.iter().map(|one| value(&env, one)).collect::<Result<_, _>>()?;
            output.result("batch-list", json!({ "batches": values }), || {
                all.iter().fold(String::new(), |text, one| {
                    text + &format!("{}  {}  {}\n", one.id, one.state, one.rows)
                })
            });
            Ok(())
        }
        BatchCommand::Show { batch } => {
            let id = parse(batch)?;
            let batch = env.store.read(|tx| tx.load_batch(&Scope::Platform, &id))?;
            show(&env, &batch, output)
        }
        BatchCommand::Rows { batch } => rows(&env, &parse(batch)?, output),
        BatchCommand::Proofs { batch, file } => {
            let id = parse(batch)?;
            hand_in_proofs(&env, &shell.permit(now)?, &id, &read(file)?)?;
            let batch = env.store.read(|tx| tx.load_batch(&Scope::Platform, &id))?;
            show(&env, &batch, output)
        }
        BatchCommand::Retry { batch, line } => {
            let id = parse(batch)?;
            retry_row(&env, &shell.permit(now)?, &id, *line)?;
            let batch = env.store.read(|tx| tx.load_batch(&Scope::Platform, &id))?;
            show(&env, &batch, output)
        }
        BatchCommand::Approve { batch, digest } => decided(batch, digest, Verdict::Approved, ""),
        BatchCommand::Reject { batch, digest, reason } => {
            decided(batch, digest, Verdict::Rejected, reason)
        }
        BatchCommand::Pause { batch } => turned(batch, BatchState::Paused),
        BatchCommand::Resume { batch } => turned(batch, BatchState::Approved),
        BatchCommand::Cancel { batch } => turned(batch, BatchState::Cancelled),
    }
}

fn load(env: &Env, args: &LoadArgs, output: &Output) -> Result<(), Failure> {
    let grant = match &args.grant {
        None => None,
        Some(text) => Some(GrantId::parse(text).map_err(|_| Failure::nothing("grant", text))?),
    };
    let order = BatchOrder {
        organisation: find_organisation(&env.store, &args.org)?.id,
        level: Level::try_from(args.level).map_err(Failure::internal)?,
        validity_days: args.days,
        grant,
        list: read(&args.file)?,
        faulty: if args.valid_lines_only { Faulty::LeaveOut } else { Faulty::Refuse },
    };
    let permit = wire::shell().permit(env.clock.now())?;
    let loaded = load_batch(env, &permit, &order)?;
    for row in &loaded.left_out {
        output.progress(&format!("line {}: {}", row.line, row.refusal));
    }
    show(env, &loaded.batch, output)
}

fn value(env: &Env, batch: &Batch) -> Result<Value, StoreError> {
    let (progress, request) = env.store.read(|tx| {
        let object = ObjectRef::new(BATCH, &batch.id);
        Ok::<_, StoreError>((tx.batch_progress(&batch.id)?, tx.find_approval_request(&object)?))
    })?;
    Ok(json!({
        "id": batch.id,
        "organisation": batch.organisation,
        "level": batch.level,
        "grant": batch.grant,
        "digest": batch.digest,
        "rows": batch.rows,
        "state": batch.state,
        "progress": progress,
        "approval": request.map(|request| request.state),
    }))
}

fn show(env: &Env, batch: &Batch, output: &Output) -> Result<(), Failure> {
    let value = value(env, batch)?;
    let progress = env.store.read(|tx| tx.batch_progress(&batch.id))?;
    output.result("batch", value, || {
        facts(&[
            ("batch", batch.id.to_string()),
            ("digest", batch.digest.to_string()),
            ("state", batch.state.to_string()),
            ("rows", batch.rows.to_string()),
            ("waiting", progress.waiting.to_string()),
            ("applied", progress.applied.to_string()),
            ("issued", progress.issued.to_string()),
            ("failed", progress.failed.to_string()),
        ])
    });
    Ok(())
}

fn rows(env: &Env, id: &BatchId, output: &Output) -> Result<(), Failure> {
    output.raw(rows_as_csv(env, &Scope::Platform, id)?.as_bytes());
    Ok(())
}

//! `tenkoku bulk`: revocations of many certificates (RV-4). Whoever sits at the shell counts as one
//! person, so approvals from here alone never suffice.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tenkoku_ca::bulk::{BulkOrder, approve_bulk, ask_bulk, preview_bulk, turn_bulk};
use tenkoku_domain::audit::BulkStep;
use tenkoku_domain::bulk::{BulkRevocation, BulkSelection};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::BulkId;
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::revocation::Cause;
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;

use super::authority;
use super::registry::{find_branch, find_organisation};
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku bulk`
#[derive(Debug, Subcommand)]
pub(crate) enum BulkCommand {
    /// List bulk revocations, newest first
    List {
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: i64,
    },
    /// Show one
    Show {
        /// The bulk revocation
        bulk: String,
    },
    /// Approve what was seen
    Approve {
        /// The bulk revocation
        bulk: String,
        /// The digest that was shown
        digest: String,
    },
    /// Reject it before it is approved
    Reject {
        /// The bulk revocation
        bulk: String,
    },
    /// Take it back before its time
    Cancel {
        /// The bulk revocation
        bulk: String,
    },
    /// Let it wait
    Pause {
        /// The bulk revocation
        bulk: String,
    },
    /// Let it go on
    Resume {
        /// The bulk revocation
        bulk: String,
    },
}

/// Which certificates `tenkoku revoke --bulk` is about: all that everything given is true of.
#[derive(Debug, Args)]
pub(crate) struct SelectionArgs {
    /// Revoke all certificates that are chosen by --ca, --org, --branch, --container, --algorithm,
    /// --from and --to: two others approve it
    #[arg(long)]
    pub(crate) bulk: bool,
    /// Held by this organisation: identifier or id
    #[arg(long, requires = "bulk")]
    org: Option<String>,
    /// Held by this branch: code or id
    #[arg(long, requires = "org")]
    branch: Option<String>,
    /// Over a key in this container: serial number of the device
    #[arg(long, requires = "bulk")]
    container: Option<String>,
    /// Over a key of this algorithm
    #[arg(long, requires = "bulk")]
    algorithm: Option<String>,
    /// Decided at this instant or later
    #[arg(long, requires = "bulk")]
    from: Option<String>,
    /// Decided before this instant
    #[arg(long, requires = "bulk")]
    to: Option<String>,
    /// When it is carried out; at once where no time is given
    #[arg(long, requires = "bulk")]
    at: Option<String>,
}

fn instant(text: Option<&String>) -> Result<Option<Timestamp>, Failure> {
    let read = |text: &String| {
        Timestamp::parse(text).ok_or_else(|| Failure::word(text, &["2026-11-22T00:00:00Z"]))
    };
    text.map(read).transpose()
}

/// `tenkoku revoke --bulk`: shows how many, and with `--yes` asks for it.
pub(crate) fn ask(
    args: &SelectionArgs,
    ca: Option<&str>,
    (cause, comment, yes): (Cause, &str, bool),
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let order = BulkOrder {
        selection: selection(&env, args, ca)?,
        cause,
        due: instant(args.at.as_ref())?,
        comment: comment.to_owned(),
    };
    let permit = wire::shell().permit(env.clock.now())?;
    let counts = preview_bulk(&env, &permit, &order)?;
    for (state, count) in &counts {
        output.progress(&format!("{count} {state}"));
    }
    if !yes {
        let total: i64 = counts.values().sum();
        output.result("bulk-preview", json!({ "counts": counts, "total": total }), || {
            format!(
                "{total} certificates; --yes asks for their revocation, which two others approve"
            )
        });
        return Ok(());
    }
    show(&ask_bulk(&env, &permit, &order)?, output)
}

fn selection(env: &Env, args: &SelectionArgs, ca: Option<&str>) -> Result<BulkSelection, Failure> {
    let organisation =
        args.org.as_deref().map(|name| find_organisation(&env.store, name)).transpose()?;
    let branch = match (&args.branch, &organisation) {
        (Some(code), Some(organisation)) => {
            Some(find_branch(&env.store, code, Some(organisation.identifier.as_str()))?.id)
        }
        _ => None,
    };
    let container = match &args.container {
        None => None,
        Some(serial) => {
            let found = env.store.read(|tx| tx.find_container(serial))?;
            let first = found.into_iter().next();
            Some(first.ok_or_else(|| Failure::nothing("container", serial))?.id)
        }
    };
    let algorithm = args.algorithm.as_deref().map(|name| {
        KeyAlgorithm::parse(name).map_err(|_| Failure::word(name, &["P-256", "P-384", "RSA-3072"]))
    });
    Ok(BulkSelection {
        authority: ca.map(|name| authority::find(&env.store, name)).transpose()?.map(|a| a.id),
        organisation: organisation.map(|organisation| organisation.id),
        branch,
        container,
        algorithm: algorithm.transpose()?,
        from: instant(args.from.as_ref())?,
        to: instant(args.to.as_ref())?,
    })
}

pub(crate) fn run(command: &BulkCommand, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let id =
        |text: &str| BulkId::parse(text).map_err(|_| Failure::nothing("bulk revocation", text));
    let permit = wire::shell().permit(env.clock.now())?;
    let turned = |text: &str, step| Ok::<_, Failure>(turn_bulk(&env, &permit, &id(text)?, step)?);
    let bulk = match command {
        BulkCommand::List { limit } => {
            let all = env.store.read(|tx| tx.list_bulks(*limit))?;
            let rows: Vec<Value> = all.iter().map(value).collect::<Result<_, _>>()?;
            let lines: Vec<String> = all.iter().map(line).collect();
            output.result("bulk-list", json!({ "bulks": rows }), || lines.join("\n"));
            return Ok(());
        }
        BulkCommand::Show { bulk } => {
            let id = id(bulk)?;
            env.store.read(|tx| tx.load_bulk(&id))?
        }
        BulkCommand::Approve { bulk, digest } => {
            let digest = Digest::parse(digest).map_err(Failure::internal)?;
            approve_bulk(&env, &permit, &id(bulk)?, &digest)?
        }
        BulkCommand::Reject { bulk } => turned(bulk, BulkStep::Rejected)?,
        BulkCommand::Cancel { bulk } => turned(bulk, BulkStep::Cancelled)?,
        BulkCommand::Pause { bulk } => turned(bulk, BulkStep::Paused)?,
        BulkCommand::Resume { bulk } => turned(bulk, BulkStep::Resumed)?,
    };
    show(&bulk, output)
}

fn value(bulk: &BulkRevocation) -> Result<Value, Failure> {
    Ok(json!({
        "id": bulk.id,
        "digest": bulk.digest()?,
        "selection": bulk.selection,
        "cause": bulk.cause,
        "due": bulk.due.map(|due| due.to_string()),
        "matched": bulk.matched,
        "state": bulk.state,
        "approvals": bulk.approvals.len(),
        "revoked": bulk.revoked,
        "skipped": bulk.skipped,
    }))
}

fn line(bulk: &BulkRevocation) -> String {
    format!("{}  {}  {} of {}", bulk.id, bulk.state, bulk.revoked, bulk.matched)
}

fn show(bulk: &BulkRevocation, output: &Output) -> Result<(), Failure> {
    let value = value(bulk)?;
    let digest = bulk.digest()?;
    output.result("bulk", value, || {
        facts(&[
            ("bulk revocation", bulk.id.to_string()),
            ("digest", digest.to_string()),
            ("certificates", bulk.matched.to_string()),
            ("cause", bulk.cause.to_string()),
            ("state", bulk.state.to_string()),
            ("approvals", bulk.approvals.len().to_string()),
            ("revoked", bulk.revoked.to_string()),
        ])
    });
    Ok(())
}

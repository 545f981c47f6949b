//! `tenkoku key`: the life of a seal's key after its certificate (DOMAIN 10, 11).
//!
//! There is no way to copy or export a key here, and `key export` says so (KM-18).

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tenkoku_ca::container::{Reported, report_usage};
use tenkoku_ca::destroy::in_store::destroy_in_store;
use tenkoku_ca::destroy::{declare_lost, destruction_note};
use tenkoku_ca::life::export_key;
use tenkoku_ca::rotate::{
    KeyDates, SuccessorOrder, branch_keys, key_dates, may_seal, order_successor, retire_certificate,
};
use tenkoku_ca::suspend::{SuspendOrder, suspend_certificate};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::KeyId;
use tenkoku_domain::key::{Fingerprint, KeyState};
use tenkoku_domain::suspension::HoldCause;
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;

use super::block::{self, BlockArgs};
use super::certificate::{certificate_json, certificate_text};
use super::danger::confirm;
use super::evidence::{self, EvidenceCommand};
use super::order::print_applied;
use super::proof::{KeyArgs, prove_here};
use super::registry::find_branch;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku key`
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// List the keys of a branch with their dates, or every key whose destruction is not shown yet
    #[command(after_help = "Examples:
  tenkoku key list --branch BR-0002
  tenkoku key list --awaiting-proof")]
    List(ListArgs),
    /// Show one key: its age, its dates, what is missing
    Show {
        /// The key
        key: String,
    },
    /// Ask whether a key may seal now: exit code 0, or 1 with the reason (KM-13)
    #[command(after_help = "Example, before a document is sealed on your own server:
  tenkoku key check key_01J… && seal-document contract.pdf")]
    Check {
        /// The key
        key: String,
    },
    /// Order the successor of a key: an application for the same instance, with a new key
    Rotate(RotateArgs),
    /// End sealing with a key before its time; its certificate stays good
    Retire {
        /// The key
        key: String,
        /// Do it without asking
        #[arg(long)]
        yes: bool,
    },
    /// Report that the container of a key is gone: its certificate is revoked
    Lost {
        /// The key
        key: String,
        /// What happened
        #[arg(long)]
        comment: String,
        /// Do it without asking
        #[arg(long)]
        yes: bool,
    },
    /// Hand in a container's count of the uses of a key
    #[command(after_help = "Example:
  tenkoku key usage key_01J… --uses 1204 --device SN-1")]
    Usage {
        /// The key
        key: String,
        /// How often the container used it
        #[arg(long)]
        uses: i64,
        /// The serial number of the device that counted
        #[arg(long)]
        device: String,
    },
    /// Destroy a key in the platform's own key store, as evidence of class D1
    #[command(after_help = "Example:
  tenkoku key destroy key_01J… --witness 'Takahashi Hana'")]
    Destroy {
        /// The key
        key: String,
        /// Who saw it; somebody else than whoever does it
        #[arg(long)]
        witness: String,
        /// Do it without asking
        #[arg(long)]
        yes: bool,
    },
    /// Evidence of destruction: what is signed, what was handed in, what is decided
    #[command(subcommand)]
    Evidence(EvidenceCommand),
    /// Show the public note of destruction: fingerprint, class, date, no names
    #[command(after_help = "Examples:
  tenkoku key proof key_01J…
  tenkoku key proof d18f006b1501e3a537f6b5331460c49f7752a3d9e778faa357051ebc524c5dd5")]
    Proof {
        /// The key, or its fingerprint in hexadecimal
        key: String,
    },
    /// Never accept a key again, and revoke what is live of it. In production a second person agrees
    /// in the console
    Block(BlockArgs),
    /// Always refused: no key of a seal leaves its container
    Export {
        /// The key
        key: String,
    },
}

/// `tenkoku key list`
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// The branch office: code or id
    #[arg(long, required_unless_present = "awaiting_proof")]
    branch: Option<String>,
    /// The organisation, where several have a branch of this code
    #[arg(long)]
    org: Option<String>,
    /// Keys whose destruction is not shown yet, the one that is due first at the top
    #[arg(long, conflicts_with = "branch")]
    awaiting_proof: bool,
}

/// `tenkoku key rotate`
#[derive(Debug, Args)]
#[command(after_help = "The predecessor retires by itself when the successor is in use and the \
overlap is over; it is not revoked.

Examples:
  tenkoku key rotate key_01J… --key next.key      then: tenkoku issue app_01J… --out next.pem
  tenkoku key rotate key_01J…                     then: tenkoku application request app_01J… …
  tenkoku key rotate key_01J… --emergency --comment 'the device failed'")]
pub(crate) struct RotateArgs {
    /// The key that is to be succeeded
    #[arg(value_name = "KEY")]
    predecessor: String,
    #[command(flatten)]
    keys: KeyArgs,
    /// Validity in days [default: the most that the policy allows]
    #[arg(long)]
    days: Option<i64>,
    /// Put the present certificate on hold first, so that the successor need not wait (RO-2)
    #[arg(long)]
    emergency: bool,
    /// Your words, for the record of the hold
    #[arg(long, default_value = "")]
    comment: String,
    /// Put on hold without asking
    #[arg(long)]
    yes: bool,
}

pub(crate) fn run(command: KeyCommand, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    match command {
        KeyCommand::List(args) => list(&args, &env, output),
        KeyCommand::Show { key } => show(&env, &key, output),
        KeyCommand::Check { key } => check(&env, &key, output),
        KeyCommand::Rotate(args) => rotate(&args, &env, output),
        KeyCommand::Retire { key, yes } => retire(&env, &key, yes, output),
        KeyCommand::Lost { key, comment, yes } => {
            let id = parse_key(&key)?;
            confirm("key-lost", &key, yes, output)?;
            let permit = wire::shell().permit(env.clock.now())?;
            declare_lost(&env, &permit, &id, &comment).map_err(|e| named(e, &key))?;
            show(&env, &key, output)
        }
        KeyCommand::Usage { key, uses, device } => usage(&env, &key, (uses, &device), output),
        KeyCommand::Destroy { key, witness, yes } => {
            let id = parse_key(&key)?;
            confirm("key-destroy", &key, yes, output)?;
            let permit = wire::shell().permit(env.clock.now())?;
            let handed = destroy_in_store(&env, &permit, &id, &witness);
            let handed = handed.map_err(|e| named(e, &key))?;
            evidence::print_handed(&handed, output);
            Ok(())
        }
        KeyCommand::Evidence(command) => evidence::run(command, &env, output),
        KeyCommand::Proof { key } => proof(&env, &key, output),
        KeyCommand::Block(args) => block::run(&args, config, output),
        KeyCommand::Export { key } => {
            let permit = wire::shell().permit(env.clock.now())?;
            match export_key(&env, &permit, &parse_key(&key)?) {
                Ok(never) => match never {},
                Err(error) => Err(named(error, &key)),
            }
        }
    }
}

/// Says which key was not found.
pub(crate) fn named(error: impl Into<Failure>, key: &str) -> Failure {
    error.into().named(key)
}

pub(crate) fn parse_key(text: &str) -> Result<KeyId, Failure> {
    KeyId::parse(text).map_err(|_| Failure::nothing("key", text))
}

/// A key with its dates.
pub(crate) fn dates(env: &Env, key: &str) -> Result<KeyDates, Failure> {
    let id = parse_key(key)?;
    let permit = wire::shell().permit(env.clock.now())?;
    key_dates(env, &permit, &id).map_err(|error| named(error, key))
}

fn list(args: &ListArgs, env: &Env, output: &Output) -> Result<(), Failure> {
    let permit = wire::shell().permit(env.clock.now())?;
    let Some(branch) = &args.branch else {
        return evidence::list_open(env, output);
    };
    let branch = find_branch(&env.store, branch, args.org.as_deref())?;
    let keys = branch_keys(env, &permit, &branch.id)?;
    let now = env.clock.now();
    let all: Vec<Value> = keys.iter().map(|one| key_json(one, now)).collect();
    output.result("key-list", json!({ "keys": all }), || {
        let line = |one: &KeyDates| {
            let (id, state) = (&one.key.key.id, one.key.key.state);
            let (level, serial) = (one.key.level, &one.key.certificate.serial);
            let ends = one.timeline.sealing_ends.to_date();
            let missing = one.missing.join(", ");
            format!("{id}  level {level}  {state}  seals until {ends}  {serial}  {missing}\n")
        };
        keys.iter().map(line).collect()
    });
    Ok(())
}

fn show(env: &Env, key: &str, output: &Output) -> Result<(), Failure> {
    let found = dates(env, key)?;
    let now = env.clock.now();
    output.result("key", key_json(&found, now), || key_text(&found, now));
    Ok(())
}

fn check(env: &Env, key: &str, output: &Output) -> Result<(), Failure> {
    let found = dates(env, key)?;
    let certificate = &found.key.certificate;
    let permit = wire::shell().permit(env.clock.now())?;
    may_seal(env, &permit, (&certificate.authority, &certificate.serial))?;
    let until = found.timeline.sealing_ends;
    let value = json!({
        "key": found.key.key.id,
        "serial": certificate.serial,
        "may_seal": true,
        "until": until.to_string(),
    });
    output.result("key-check", value, || format!("may seal until {until}"));
    Ok(())
}

fn rotate(args: &RotateArgs, env: &Env, output: &Output) -> Result<(), Failure> {
    let found = dates(env, &args.predecessor)?;
    if args.emergency {
        let certificate = &found.key.certificate;
        confirm("key-emergency", &args.predecessor, args.yes, output)?;
        let order = SuspendOrder {
            authority: certificate.authority.clone(),
            serial: certificate.serial.clone(),
            because: HoldCause::EmergencyRotation,
            comment: args.comment.clone(),
        };
        suspend_certificate(env, &wire::shell().permit(env.clock.now())?, &order)?;
        output.progress(&format!("{} is on hold", certificate.serial));
    }
    let order = SuccessorOrder { key: found.key.key.id, validity_days: args.days };
    let permit = wire::shell().permit(env.clock.now())?;
    let applied = order_successor(env, &permit, &order).map_err(|e| named(e, &args.predecessor))?;
    let ready = prove_here(env, &applied, &args.keys)?;
    print_applied(env, &applied, ready.as_ref(), output)
}

fn retire(env: &Env, key: &str, yes: bool, output: &Output) -> Result<(), Failure> {
    let certificate = dates(env, key)?.key.certificate;
    confirm("key-retire", key, yes, output)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let name = (&certificate.authority, &certificate.serial);
    let retired = retire_certificate(env, &permit, name)?;
    output.result("certificate", certificate_json(&retired), || certificate_text(&retired));
    Ok(())
}

fn usage(env: &Env, key: &str, count: (i64, &str), output: &Output) -> Result<(), Failure> {
    let id = parse_key(key)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let reported = report_usage(env, &permit, &id, count).map_err(|e| named(e, key))?;
    let signal = match reported {
        Reported::Fine => None,
        Reported::CopySuspected(signal) => Some(signal),
    };
    let value = json!({ "key": id, "uses": count.0, "copy_suspected": signal });
    output.result("key-usage", value, || match signal {
        None => "kept".to_owned(),
        Some(signal) => format!("kept; a copy is suspected: {signal}"),
    });
    Ok(())
}

fn proof(env: &Env, key: &str, output: &Output) -> Result<(), Failure> {
    let fingerprint = if let Ok(digest) = Digest::parse(key) {
        Fingerprint(digest)
    } else {
        let id = parse_key(key)?;
        env.store.read(|tx| tx.load_key(&id)).map_err(|e| named(e, key))?.fingerprint
    };
    let note = destruction_note(env, &fingerprint)?;
    let note = note.ok_or_else(|| Failure::nothing("destruction note", key))?;
    output.result("destruction-note", json!(note), || {
        facts(&[
            ("fingerprint", note.fingerprint.to_string()),
            ("class", note.class.to_string()),
            ("destroyed on", note.date.clone()),
        ])
    });
    Ok(())
}

fn key_json(found: &KeyDates, now: Timestamp) -> Value {
    let (key, life, dates) = (&found.key.key, &found.key.life, &found.timeline);
    let [lead, opens, sealing, due, expiry] = found.days_left(now);
    let at = |at: Option<Timestamp>| at.map(|at| at.to_string());
    json!({
        "id": key.id,
        "state": key.state,
        "level": found.key.level,
        "algorithm": key.algorithm,
        "origin": key.origin,
        "fingerprint": key.fingerprint,
        "organisation": found.key.seal.organisation,
        "branch": found.key.seal.branch,
        "instance": found.key.seal.instance,
        "certificate": certificate_json(&found.key.certificate),
        "container": life.container,
        "age_days": found.age_days,
        "dates": {
            "activated": dates.activated.to_string(),
            "lead": dates.lead.to_string(),
            "successor_from": dates.opens.to_string(),
            "sealing_ends": dates.sealing_ends.to_string(),
            "destruction_due": life.due_at.unwrap_or(dates.destruction_due).to_string(),
            "expires": dates.expires.to_string(),
        },
        "days_left": {
            "lead": lead, "successor_from": opens, "sealing_ends": sealing,
            "destruction_due": due, "expires": expiry,
        },
        "retired_at": at(life.retired_at),
        "destroyed_at": at(life.destroyed_at),
        "class": life.class,
        "not_evidenced_at": at(life.not_evidenced_at),
        "uses": life.uses,
        "missing": found.missing,
    })
}

fn key_text(found: &KeyDates, now: Timestamp) -> String {
    let (key, life) = (&found.key.key, &found.key.life);
    let mut rows = vec![
        ("key", key.id.to_string()),
        ("name", found.key.certificate.common_name.clone()),
        ("certificate", found.key.certificate.serial.to_string()),
        ("status", found.key.certificate.state.word().to_owned()),
        ("state", key.state.to_string()),
        ("level", found.key.level.to_string()),
        ("age", format!("{} days", found.age_days)),
    ];
    if key.state == KeyState::Bound {
        let [_, opens, sealing, _, _] = found.days_left(now);
        let dates = &found.timeline;
        rows.push(("successor from", format!("{} ({opens} days)", dates.opens.to_date())));
        rows.push(("seals until", format!("{} ({sealing} days)", dates.sealing_ends.to_date())));
    }
    rows.extend(life.due_at.map(|at| ("proof due", at.to_date())));
    rows.extend(life.destroyed_at.map(|at| ("destroyed", at.to_date())));
    rows.extend(life.not_evidenced_at.map(|at| ("not evidenced", at.to_date())));
    rows.extend(life.uses.map(|uses| ("uses", uses.to_string())));
    rows.push(("fingerprint", key.fingerprint.to_string()));
    if !found.missing.is_empty() {
        rows.push(("missing", found.missing.join(", ")));
    }
    facts(&rows)
}

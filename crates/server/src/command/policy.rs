//! `tenkoku policy`: check, show, try and approve key-management policies.
//!
//! Whoever sits at the shell counts as one person, so approvals from here alone never suffice.

use std::fs;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tenkoku_ca::policy::{
    Check, PolicyError, PolicyVerdict, Specimen, Violation, activate_policy, approve_policy,
    draft_policy, dry_run, reject_policy, test_key,
};
use tenkoku_console::text::Words;
use tenkoku_console::text::policy::{mistake, sentences};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::level::Level;
use tenkoku_domain::policy::KeyPolicy;
use tenkoku_domain::policy::document::{DocumentError, parse, write};
use tenkoku_domain::policy::draft::PolicyDraft;
use tenkoku_ports::Env;

use crate::config::Config;
use crate::failure::{Failure, exit};
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku policy`
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Say everything that is wrong with a document, or what it means
    Check {
        /// The document, TOML
        file: PathBuf,
    },
    /// Show the policy in force, or one of its versions
    Show(ShowArgs),
    /// The policies in force, and the drafts on their way
    List,
    /// Try a request or a certificate under a policy: what each rule says
    Test(TestArgs),
    /// Say which live credentials a document would refuse
    DryRun {
        /// The document, TOML
        file: PathBuf,
    },
    /// Hand in a document for approval
    Draft {
        /// The document, TOML
        file: PathBuf,
    },
    /// Approve a draft that another wrote
    Approve(VerdictArgs),
    /// Reject a draft; that ends it
    Reject(VerdictArgs),
    /// Bring an approved draft into force, where its day has come
    Activate {
        /// The digest of the draft
        digest: String,
    },
}

/// `tenkoku policy show`
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The version; the one in force where none is given
    #[arg(id = "of", value_name = "VERSION")]
    version: Option<String>,
    /// As a TOML document
    #[arg(long)]
    toml: bool,
}

/// `tenkoku policy test`
#[derive(Debug, Args)]
#[group(id = "specimen", required = true, multiple = false)]
pub(crate) struct TestArgs {
    /// A certification request
    #[arg(long, group = "specimen", value_name = "FILE")]
    csr: Option<PathBuf>,
    /// A certificate
    #[arg(long, group = "specimen", value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// The level: 1, 2 or 3
    #[arg(long)]
    level: u8,
    /// A document that is not in force
    #[arg(long, value_name = "FILE")]
    draft: Option<PathBuf>,
}

/// `tenkoku policy approve` and `reject`
#[derive(Debug, Args)]
pub(crate) struct VerdictArgs {
    /// The digest that was read
    digest: String,
    /// Why; needed for a rejection
    #[arg(long, default_value = "")]
    reason: String,
}

pub(crate) fn run(command: PolicyCommand, config: &Config, output: &Output) -> Result<(), Failure> {
    match command {
        PolicyCommand::Check { file } => check(&file, config, output),
        PolicyCommand::Show(args) => show(&args, config, output),
        PolicyCommand::List => list(config, output),
        PolicyCommand::Test(args) => test(&args, config, output),
        PolicyCommand::DryRun { file } => try_all(&file, config, output),
        PolicyCommand::Draft { file } => {
            let text = read(&file)?;
            let env = wire::env(config)?;
            let permit = wire::shell().permit(env.clock.now())?;
            let draft = draft_policy(&env, &permit, &text);
            show_draft(&draft.map_err(|error| failure(error, output))?, &env, output)
        }
        PolicyCommand::Approve(args) => {
            let env = wire::env(config)?;
            let permit = wire::shell().permit(env.clock.now())?;
            let draft = approve_policy(&env, &permit, &verdict(args)?);
            show_draft(&draft.map_err(|error| failure(error, output))?, &env, output)
        }
        PolicyCommand::Reject(args) => {
            let env = wire::env(config)?;
            let permit = wire::shell().permit(env.clock.now())?;
            let draft = reject_policy(&env, &permit, &verdict(args)?);
            show_draft(&draft.map_err(|error| failure(error, output))?, &env, output)
        }
        PolicyCommand::Activate { digest } => {
            let env = wire::env(config)?;
            let permit = wire::shell().permit(env.clock.now())?;
            let digest = parse_digest(&digest)?;
            let effective = activate_policy(&env, &permit, &digest);
            let effective = effective.map_err(|error| failure(error, output))?;
            let value = json!({ "digest": digest, "effective": effective.to_string() });
            output.result("policy-activation", value, || {
                facts(&[("policy", digest.to_string()), ("in force from", effective.to_string())])
            });
            Ok(())
        }
    }
}

fn read(file: &PathBuf) -> Result<String, Failure> {
    fs::read_to_string(file).map_err(|error| Failure::file(file.display(), &error))
}

fn verdict(args: VerdictArgs) -> Result<PolicyVerdict, Failure> {
    Ok(PolicyVerdict { digest: parse_digest(&args.digest)?, reason: args.reason })
}

fn parse_digest(text: &str) -> Result<Digest, Failure> {
    Digest::parse(text).map_err(|_| Failure::nothing("policy", text))
}

/// A refusal in words; the mistakes of a document one by one.
fn failure(error: PolicyError, output: &Output) -> Failure {
    match error {
        PolicyError::Document(errors) => mistakes(&errors, output),
        other @ (PolicyError::Refused(_) | PolicyError::Canonical(_) | PolicyError::Store(_)) => {
            other.into()
        }
    }
}

fn mistakes(errors: &[DocumentError], output: &Output) -> Failure {
    let words = Words::of(output.language);
    let told: Vec<Value> = errors
        .iter()
        .map(|error| {
            json!({
                "line": error.line,
                "key": error.key,
                "problem": error.problem.code(),
                "nearest": error.nearest,
                "told": mistake(words, error),
            })
        })
        .collect();
    let lines: Vec<_> = errors.iter().map(|error| mistake(words, error)).collect();
    output.result("policy-mistakes", json!({ "mistakes": told }), || lines.join("\n") + "\n");
    Failure::problem("policy-malformed", exit::REFUSED).with("count", errors.len())
}

fn document(file: &PathBuf, config: &Config, output: &Output) -> Result<KeyPolicy, Failure> {
    let text = read(file)?;
    parse(&text, config.settings.installation)
        .map_err(|errors| mistakes(&errors, output).at(file.display()))
}

fn check(file: &PathBuf, config: &Config, output: &Output) -> Result<(), Failure> {
    let policy = document(file, config, output)?;
    explain(&policy, output)
}

fn explain(policy: &KeyPolicy, output: &Output) -> Result<(), Failure> {
    let told = sentences(Words::of(output.language), policy);
    let digest = policy.digest()?;
    let value = json!({ "digest": digest, "policy": policy, "sentences": told });
    output.result("policy", value, || {
        let head = facts(&[
            ("policy", format!("{} {}", policy.id, policy.version)),
            ("digest", digest.to_string()),
        ]);
        format!("{head}\n{}\n", told.join("\n"))
    });
    Ok(())
}

fn show(args: &ShowArgs, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let now = env.clock.now();
    let policy = match &args.version {
        None => env.store.read(|tx| tx.current_policy(now))?,
        Some(version) => {
            let history = env.store.read(|tx| tx.list_policy_history(now))?;
            let drafts = env.store.read(|tx| tx.list_drafts())?;
            let all = history.into_iter().map(|found| found.policy);
            let mut all = all.chain(drafts.into_iter().map(|draft| draft.policy));
            all.find(|policy| policy.version == *version)
                .ok_or_else(|| Failure::nothing("policy", version))?
        }
    };
    if args.toml {
        output.raw(write(&policy).as_bytes());
        return Ok(());
    }
    explain(&policy, output)
}

fn list(config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let now = env.clock.now();
    let history = env.store.read(|tx| tx.list_policy_history(now))?;
    let in_force = env.store.read(|tx| tx.list_policies(now))?;
    let mut rows = Vec::new();
    for found in &history {
        let state = if in_force.contains(found) { "in-force" } else { "superseded" };
        rows.push((found.policy.digest()?, &found.policy, state, 0));
    }
    let drafts = env.store.read(|tx| tx.list_drafts())?;
    let known: Vec<_> = rows.iter().map(|row| row.0).collect();
    for draft in drafts.iter().filter(|draft| !known.contains(&draft.digest)) {
        rows.push((draft.digest, &draft.policy, draft.state.word(), draft.approvals()));
    }
    let all: Vec<Value> = rows
        .iter()
        .map(|(digest, policy, state, approvals)| {
            json!({
                "digest": digest, "id": policy.id, "version": policy.version, "state": state,
                "effective_from": policy.effective_from.to_string(), "approvals": approvals,
            })
        })
        .collect();
    output.result("policy-list", json!({ "policies": all }), || {
        let line = |(digest, policy, state, _): &(Digest, &KeyPolicy, &str, i64)| {
            format!("{digest}  {} {}  {state}\n", policy.id, policy.version)
        };
        rows.iter().map(line).collect()
    });
    Ok(())
}

fn show_draft(draft: &PolicyDraft, env: &Env, output: &Output) -> Result<(), Failure> {
    let now = env.clock.now();
    let in_force = env.store.read(|tx| tx.current_policy(now))?;
    let needed = draft.approvals_needed(&in_force);
    let value = json!({
        "digest": draft.digest,
        "id": draft.policy.id,
        "version": draft.policy.version,
        "state": draft.state,
        "approvals": draft.approvals(),
        "needed": needed,
        "effective_from": draft.policy.effective_from.to_string(),
        "until": draft.expires_at().to_string(),
    });
    output.result("policy-draft", value, || {
        facts(&[
            ("policy", format!("{} {}", draft.policy.id, draft.policy.version)),
            ("digest", draft.digest.to_string()),
            ("state", draft.state.to_string()),
            ("approvals", format!("{} / {needed}", draft.approvals())),
            ("effective from", draft.policy.effective_from.to_string()),
            ("approve until", draft.expires_at().to_string()),
        ])
    });
    Ok(())
}

fn test(args: &TestArgs, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let now = env.clock.now();
    let level = Level::try_from(args.level)
        .map_err(|_| Failure::word(&args.level.to_string(), &["1", "2", "3"]))?;
    let policy = match &args.draft {
        Some(file) => document(file, config, output)?,
        None => env.store.read(|tx| tx.current_policy(now))?,
    };
    let bytes =
        |file: &PathBuf| fs::read(file).map_err(|error| Failure::file(file.display(), &error));
    let permit = wire::shell().permit(now)?;
    let checks = match (&args.csr, &args.certificate) {
        (Some(file), _) => {
            test_key(&env, &permit, &policy, level, Specimen::Request(&bytes(file)?))?
        }
        (None, Some(file)) => {
            test_key(&env, &permit, &policy, level, Specimen::Certificate(&bytes(file)?))?
        }
        (None, None) => Vec::new(),
    };
    let all: Vec<Value> = checks
        .iter()
        .map(|check| json!({ "rule": check.rule, "refusal": check.refusal }))
        .collect();
    let value = json!({ "policy": policy.digest()?, "level": level, "checks": all });
    output.result("policy-test", value, || {
        let line = |check: &Check| {
            let said = check.refusal.as_ref().map_or("ok", |refusal| refusal.code.word());
            format!("{:6}  {said}\n", check.rule)
        };
        checks.iter().map(line).collect()
    });
    match checks.into_iter().find_map(|check| check.refusal) {
        Some(refusal) => Err(refusal.into()),
        None => Ok(()),
    }
}

fn try_all(file: &PathBuf, config: &Config, output: &Output) -> Result<(), Failure> {
    let policy = document(file, config, output)?;
    let env = wire::env(config)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let found = dry_run(&env, &permit, &policy)?;
    let codes = |one: &Violation| {
        one.refusals.iter().map(|refusal| refusal.code.word()).collect::<Vec<_>>()
    };
    let all: Vec<Value> = found
        .iter()
        .map(|one| {
            json!({
                "certificate": one.certificate.id, "serial": one.certificate.serial.to_string(),
                "name": one.certificate.common_name, "level": one.level, "refusals": codes(one),
            })
        })
        .collect();
    let value = json!({ "policy": policy.digest()?, "count": found.len(), "credentials": all });
    output.result("policy-dry-run", value, || {
        let line = |one: &Violation| {
            let (serial, name) = (&one.certificate.serial, &one.certificate.common_name);
            format!("{serial}  {}  {name}  {}\n", one.level, codes(one).join(", "))
        };
        let lines: String = found.iter().map(line).collect();
        format!("{lines}{}", facts(&[("credentials", found.len().to_string())]))
    });
    Ok(())
}

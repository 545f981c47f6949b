//! `tenkoku branch pause|reopen|close|finish` and `tenkoku org restrict|lift|close|finish|lei`: the
//! states of branch offices and organisations.

use std::path::PathBuf;

use clap::Args;
use tenkoku_ca::closing::{
    BranchStep, finish_organisation, lift_restriction, move_branch, restrict_organisation,
};
use tenkoku_ca::identify::proof_lei;
use tenkoku_ca::proposal::propose_closing;
use tenkoku_domain::branch::Branch;
use tenkoku_domain::identifier::Lei;
use tenkoku_domain::organisation::Organisation;
use tenkoku_domain::proposal::ProposedAct;
use tenkoku_domain::revocation::Cause;
use tenkoku_store::{BranchFilter, Store};

use super::danger::confirm;
use super::proposal;
use super::registry::{
    branch_json, branch_text, find_branch, find_organisation, organisation_json, read,
};
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku branch pause|reopen|finish`
#[derive(Debug, Args)]
pub(crate) struct MoveBranchArgs {
    /// Code or id
    branch: String,
    /// The organisation, where several have a branch of this code
    #[arg(long)]
    org: Option<String>,
    /// Why, for the record
    #[arg(long, default_value = "")]
    reason: String,
}

/// `tenkoku branch close`
#[derive(Debug, Args)]
#[command(after_help = "Causes: office-closed (cessationOfOperation), name-changed \
                        (affiliationChanged: merged into another branch)

Example:
  tenkoku branch close BR-0002 --org NTRJP-5010401067252 --reason 'closed on 30 November'")]
pub(crate) struct CloseBranchArgs {
    #[command(flatten)]
    branch: MoveBranchArgs,
    /// What relying parties are told
    #[arg(long, default_value = "office-closed")]
    cause: String,
    /// Do not ask for the code to be typed
    #[arg(long)]
    yes: bool,
}

/// `tenkoku org restrict|lift`
#[derive(Debug, Args)]
pub(crate) struct MoveOrgArgs {
    /// Identifier, corporate number, or id
    organisation: String,
    /// Why, for the record
    #[arg(long, default_value = "")]
    reason: String,
}

/// `tenkoku org close`
#[derive(Debug, Args)]
#[command(after_help = "Causes: office-closed (cessationOfOperation), name-changed \
                        (affiliationChanged: merged into another organisation)

Example:
  tenkoku org close NTRJP-5010401067252 --reason 'dissolved on 30 November'")]
pub(crate) struct CloseOrgArgs {
    /// Identifier, corporate number, or id
    organisation: String,
    /// What relying parties are told
    #[arg(long, default_value = "office-closed")]
    cause: String,
    /// Why
    #[arg(long)]
    reason: String,
    /// Do not ask for the identifier to be typed
    #[arg(long)]
    yes: bool,
}

/// `tenkoku org finish`
#[derive(Debug, Args)]
pub(crate) struct FinishOrgArgs {
    /// Identifier, corporate number, or id
    organisation: String,
    /// Do without evidence of destruction that will never come; in production a second officer
    /// agrees in the console
    #[arg(long, requires = "reason")]
    waive_evidence: bool,
    /// Why
    #[arg(long, default_value = "")]
    reason: String,
}

/// `tenkoku org lei`
#[derive(Debug, Args)]
#[command(
    after_help = "The entry is the answer of the register of LEIs (GLEIF, /lei-records/LEI), \
                        JSON. It must be issued, active and fully corroborated.

Example:
  tenkoku org lei NTRJP-5010401067252 5299000J2N45DDNE4Y28 --entry lei-record.json"
)]
pub(crate) struct LeiArgs {
    /// Identifier, corporate number, or id
    organisation: String,
    /// Its LEI
    lei: String,
    /// The entry as it was found; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    entry: PathBuf,
}

pub(crate) fn step(
    args: &MoveBranchArgs,
    step: BranchStep,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let branch = find_branch(&env.store, &args.branch, args.org.as_deref())?;
    let permit = wire::shell().permit(env.clock.now())?;
    let moved = move_branch(&env, &permit, &branch.id, (step, &args.reason))?;
    show_branch(&moved, output);
    Ok(())
}

pub(crate) fn close_branch(
    args: &CloseBranchArgs,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    let cause = closing_cause(&args.cause)?;
    let env = wire::env(config)?;
    let MoveBranchArgs { branch, org, reason } = &args.branch;
    let found = find_branch(&env.store, branch, org.as_deref())?;
    let open = env.store.read(|tx| tx.open_certificates_of_branch(&found.id, env.clock.now()))?;
    output.progress(&format!("{} live credentials will be revoked", open.len()));
    confirm("close-branch", found.code.as_str(), args.yes, output)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let moved = move_branch(&env, &permit, &found.id, (BranchStep::Close(cause), reason))?;
    show_branch(&moved, output);
    Ok(())
}

fn closing_cause(word: &str) -> Result<Cause, Failure> {
    let causes = [Cause::OfficeClosed, Cause::NameChanged];
    Cause::parse(word)
        .filter(|cause| causes.contains(cause))
        .ok_or_else(|| Failure::word(word, &causes.map(Cause::word)))
}

fn show_branch(branch: &Branch, output: &Output) {
    output.result("branch", branch_json(branch), || branch_text(branch));
}

fn show_organisation(
    store: &Store,
    organisation: &Organisation,
    output: &Output,
) -> Result<(), Failure> {
    let everywhere = tenkoku_domain::access::Scope::Platform;
    let branches = store.read(|tx| tx.count_branches(&everywhere, &organisation.id))?;
    output.result("organisation", organisation_json(organisation, branches), || {
        facts(&[
            ("organisation", organisation.legal_name.to_string()),
            ("identifier", organisation.identifier.to_string()),
            ("state", organisation.state.to_string()),
        ])
    });
    Ok(())
}

pub(crate) fn restrict(
    args: &MoveOrgArgs,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let found = find_organisation(&env.store, &args.organisation)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let moved = restrict_organisation(&env, &permit, &found.id, &args.reason)?;
    show_organisation(&env.store, &moved, output)
}

pub(crate) fn lift(args: &MoveOrgArgs, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let found = find_organisation(&env.store, &args.organisation)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let moved = lift_restriction(&env, &permit, &found.id, &args.reason)?;
    show_organisation(&env.store, &moved, output)
}

pub(crate) fn close_organisation(
    args: &CloseOrgArgs,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    let cause = closing_cause(&args.cause)?;
    let env = wire::env(config)?;
    let found = find_organisation(&env.store, &args.organisation)?;
    output.progress(&format!(
        "{} live credentials of {} branch offices will be revoked",
        count_open(&env.store, &found, env.clock.now())?,
        count_branches(&env.store, &found)?,
    ));
    confirm("close-organisation", found.identifier.as_str(), args.yes, output)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let act = ProposedAct::CloseOrganisation { organisation: found.id, cause };
    let proposed = propose_closing(&env, &permit, act, &args.reason)?;
    proposal::show(&proposed, &env, output);
    Ok(())
}

fn count_branches(store: &Store, organisation: &Organisation) -> Result<i64, Failure> {
    let everywhere = tenkoku_domain::access::Scope::Platform;
    Ok(store.read(|tx| tx.count_branches(&everywhere, &organisation.id))?)
}

fn count_open(
    store: &Store,
    organisation: &Organisation,
    now: tenkoku_domain::time::Timestamp,
) -> Result<usize, Failure> {
    let everywhere = tenkoku_domain::access::Scope::Platform;
    Ok(store.read(|tx| {
        let all = tx.list_branches(
            &everywhere,
            &organisation.id,
            &BranchFilter::default(),
            None,
            i64::from(i32::MAX),
        )?;
        let mut open = 0;
        for one in all.items {
            open += tx.open_certificates_of_branch(&one.branch.id, now)?.len();
        }
        Ok::<_, tenkoku_store::StoreError>(open)
    })?)
}

pub(crate) fn finish(
    args: &FinishOrgArgs,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let found = find_organisation(&env.store, &args.organisation)?;
    let permit = wire::shell().permit(env.clock.now())?;
    if args.waive_evidence {
        let act = ProposedAct::WaiveEvidence { organisation: found.id };
        let proposed = propose_closing(&env, &permit, act, &args.reason)?;
        proposal::show(&proposed, &env, output);
        return Ok(());
    }
    let moved = finish_organisation(&env, &permit, &found.id, &args.reason)?;
    show_organisation(&env.store, &moved, output)
}

pub(crate) fn lei(args: &LeiArgs, config: &Config, output: &Output) -> Result<(), Failure> {
    let lei = Lei::parse(&args.lei)?;
    let env = wire::env(config)?;
    let found = find_organisation(&env.store, &args.organisation)?;
    let permit = wire::shell().permit(env.clock.now())?;
    proof_lei(&env, &permit, &found.id, (&lei, &read(&args.entry)?))?;
    show_organisation(&env.store, &found, output)
}

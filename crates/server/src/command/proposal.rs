//! `tenkoku proposal`: acts that wait for other persons, and what they say to them.
//!
//! Whoever sits at the shell counts as one person, so what was proposed here is agreed to in the
//! console.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tenkoku_ca::proposal::{ProposalVerdict, decide_proposal, is_done, others_needed};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::ProposalId;
use tenkoku_domain::policy::draft::Verdict;
use tenkoku_domain::proposal::{Proposal, ProposalState};
use tenkoku_ports::Env;

use crate::config::Config;
use crate::failure::Failure;
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku proposal`
#[derive(Debug, Subcommand)]
pub(crate) enum ProposalCommand {
    /// List proposals, newest first
    List {
        /// Only those that are open, done or rejected
        #[arg(long)]
        state: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: i64,
    },
    /// Show one proposal
    Show {
        /// Its id
        proposal: String,
    },
    /// Agree to what another person proposed
    Approve(VerdictArgs),
    /// Reject a proposal; that ends it
    Reject(VerdictArgs),
}

/// `tenkoku proposal approve|reject`
#[derive(Debug, Args)]
pub(crate) struct VerdictArgs {
    /// Its id
    proposal: String,
    /// The digest that was shown, so that nothing else is decided
    #[arg(long)]
    digest: String,
    /// Why; needed to reject
    #[arg(long, default_value = "")]
    reason: String,
}

pub(crate) fn run(
    command: ProposalCommand,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        ProposalCommand::List { state, limit } => list(state.as_deref(), limit, config, output),
        ProposalCommand::Show { proposal } => {
            let env = wire::env(config)?;
            let id = parse(&proposal)?;
            let found = env.store.read(|tx| tx.load_proposal(&id));
            show(&found.map_err(|error| Failure::from(error).named(&proposal))?, &env, output);
            Ok(())
        }
        ProposalCommand::Approve(args) => decide(&args, Verdict::Approved, config, output),
        ProposalCommand::Reject(args) => decide(&args, Verdict::Rejected, config, output),
    }
}

fn parse(text: &str) -> Result<ProposalId, Failure> {
    ProposalId::parse(text).map_err(|_| Failure::nothing("proposal", text))
}

fn list(state: Option<&str>, limit: i64, config: &Config, output: &Output) -> Result<(), Failure> {
    let words: Vec<_> = ProposalState::ALL.iter().map(|state| state.word()).collect();
    let state = match state {
        None => None,
        Some(word) => {
            Some(ProposalState::from_word(word).ok_or_else(|| Failure::word(word, &words))?)
        }
    };
    let page = wire::store(config)?.read(|tx| tx.list_proposals(state, None, limit.max(1)))?;
    let all: Vec<Value> = page.items.iter().map(proposal_json).collect();
    let value = json!({ "proposals": all, "more": page.next.is_some() });
    output.result("proposal-list", value, || {
        let line = |one: &Proposal| {
            let (id, at, act, state) = (&one.id, one.proposed_at, one.act.word(), one.state);
            format!("{id}  {at}  {state}  {act}\n")
        };
        page.items.iter().map(line).collect()
    });
    Ok(())
}

fn decide(
    args: &VerdictArgs,
    verdict: Verdict,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    let proposal = parse(&args.proposal)?;
    let shown = Digest::parse(&args.digest);
    let shown = shown.map_err(|_| Failure::word(&args.digest, &["a digest of 64 digits"]))?;
    let env = wire::env(config)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let order = ProposalVerdict { proposal, shown, verdict, reason: args.reason.clone() };
    let decided = decide_proposal(&env, &permit, &order);
    show(&decided.map_err(|error| Failure::from(error).named(&args.proposal))?, &env, output);
    Ok(())
}

/// What was proposed, and how it goes on.
pub(crate) fn show(proposal: &Proposal, env: &Env, output: &Output) {
    let installation = env.settings.installation;
    if proposal.state == ProposalState::Open {
        let others = others_needed(&proposal.act, installation);
        output.progress(&format!(
            "Nothing is done yet: {others} other(s) must agree in the console before {}",
            proposal.expires_at()
        ));
    }
    output.result("proposal", proposal_json(proposal), || proposal_text(proposal));
}

fn proposal_json(proposal: &Proposal) -> Value {
    json!({
        "id": proposal.id,
        "act": proposal.act,
        "digest": proposal.digest,
        "reason": proposal.reason,
        "state": proposal.state,
        "done": is_done(proposal),
        "proposed_at": proposal.proposed_at.to_string(),
        "until": proposal.expires_at().to_string(),
        "decisions": proposal.decisions.iter().map(|one| json!({
            "verdict": one.verdict,
            "at": one.at.to_string(),
            "by": one.actor,
            "reason": one.reason,
        })).collect::<Vec<_>>(),
    })
}

fn proposal_text(proposal: &Proposal) -> String {
    let mut rows = vec![
        ("proposal", proposal.id.to_string()),
        ("act", proposal.act.word().to_owned()),
        ("what", json!(proposal.act).to_string()),
        ("reason", proposal.reason.clone()),
        ("state", proposal.state.to_string()),
        ("digest", proposal.digest.to_string()),
    ];
    rows.extend(
        proposal
            .decisions
            .iter()
            .map(|one| ("decision", format!("{} {} {}", one.verdict, one.at, one.reason))),
    );
    facts(&rows)
}

//! `tenkoku delegation`: grants of a representative's authority.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use tenkoku_ca::grant::{
    GrantOrder, GrantPart, Reach, decide_paper, draft_grant, end_grant, hand_in_paper,
    sign_with_certificate, signing_text,
};
use tenkoku_domain::access::Scope;
use tenkoku_domain::approval::{ApprovalRequest, Conditions, Verdict};
use tenkoku_domain::audit::ObjectRef;
use tenkoku_domain::branch::BranchCode;
use tenkoku_domain::grant::{Grant, GrantAction, GrantQuota, GrantUsage};
use tenkoku_domain::id::{GrantId, RepresentativeId};
use tenkoku_domain::level::Level;
use tenkoku_ports::Env;
use tenkoku_store::StoreError;

use super::person::{evidence, instant};
use super::proofing::SignedArgs;
use super::registry::find_organisation;
use super::user::{request_json, request_text, ruling};
use crate::config::Config;
use crate::failure::{Failure, exit};
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku delegation`
#[derive(Debug, Subcommand)]
pub(crate) enum DelegationCommand {
    /// Draft a grant
    Set(SetArgs),
    /// Print what the representative signs
    Text {
        /// The grant
        grant: String,
    },
    /// Hand in the representative's signature, or a signed paper, or an officer's decision about one
    Confirm(ConfirmArgs),
    /// Show a grant, what is used of it and what it waits for
    Show {
        /// The grant
        grant: String,
    },
    /// List the grants of an organisation
    List {
        /// The organisation: identifier, corporate number or id
        #[arg(long)]
        org: String,
    },
    /// End a grant now; certificates that exist are kept
    End {
        /// The grant
        grant: String,
        /// End it without asking
        #[arg(long)]
        yes: bool,
    },
}

/// `tenkoku delegation set`
#[derive(Debug, Args)]
#[command(after_help = "Actions: apply, renew, rotate, suspend, release, revoke, add-branch,
manage-instances, name-custodian, sub-grant.

Example:
  tenkoku delegation set --org NTRJP-7123456789012 --representative rep_… --to hanako \\
    --actions apply,rotate --branches BR-0001,BR-0002 --levels 1,2 --live 4 --per-day 2 --total 12
  tenkoku delegation text grt_… > grant.json
  openssl cms -sign -binary -in grant.json -signer boss.pem -inkey boss.key -outform PEM -out grant.p7s
  tenkoku delegation confirm grt_… --signature grant.p7s --crl register.crl")]
#[expect(clippy::struct_excessive_bools, reason = "one flag each on the command line")]
pub(crate) struct SetArgs {
    /// The organisation: identifier, corporate number or id
    #[arg(long)]
    org: String,
    /// Who signs: rep_…
    #[arg(long)]
    representative: String,
    /// The delegate's account, by sign-in name
    #[arg(long)]
    to: String,
    /// What may be done, several with commas
    #[arg(long, value_delimiter = ',', required = true)]
    actions: Vec<String>,
    /// For which branches, codes with commas
    #[arg(long, value_delimiter = ',', required_unless_present = "everywhere")]
    branches: Vec<String>,
    /// For every branch there is now
    #[arg(long, conflicts_with = "branches")]
    everywhere: bool,
    /// And for branches that are recorded later
    #[arg(long, requires = "everywhere")]
    follow_new_branches: bool,
    /// At which levels, with commas
    #[arg(long, value_delimiter = ',', required = true,
        value_parser = clap::value_parser!(u8).range(1..=3))]
    levels: Vec<u8>,
    /// Certificates alive at one time
    #[arg(long)]
    live: i64,
    /// New certificates in a day
    #[arg(long)]
    per_day: i64,
    /// New certificates altogether
    #[arg(long)]
    total: i64,
    /// From when: 2026-12-01T00:00:00Z [default: now]
    #[arg(long)]
    from: Option<String>,
    /// Until when: 2027-11-30T23:59:59Z [default: the longest that the levels allow]
    #[arg(long)]
    until: Option<String>,
    /// The delegate may give a part of it on, once
    #[arg(long)]
    give_on: bool,
    /// The representative does not confirm each issue at level 3
    #[arg(long)]
    no_confirmation: bool,
    /// A second delegate confirms each application
    #[arg(long)]
    second_delegate: bool,
}

/// `tenkoku delegation confirm`
#[derive(Debug, Args)]
pub(crate) struct ConfirmArgs {
    /// The grant
    grant: String,
    #[command(flatten)]
    signed: SignedArgs,
    /// The scan of a signed paper
    #[arg(long, value_name = "FILE", requires = "call_back", conflicts_with = "signature")]
    scan: Option<PathBuf>,
    /// The record of the call back to the representative
    #[arg(long, value_name = "FILE", requires = "scan")]
    call_back: Option<PathBuf>,
    /// Approve the paper: the digest that was shown
    #[arg(long, value_name = "DIGEST", conflicts_with_all = ["signature", "scan"])]
    approve: Option<String>,
    /// Refuse the paper: the digest that was shown
    #[arg(long, value_name = "DIGEST", requires = "reason",
        conflicts_with_all = ["signature", "scan", "approve"])]
    refuse: Option<String>,
    /// Why
    #[arg(long, default_value = "")]
    reason: String,
}

pub(crate) fn run(
    command: DelegationCommand,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let now = env.clock.now();
    match command {
        DelegationCommand::Set(args) => {
            let order = order(&env, &args)?;
            let grant = draft_grant(&env, &wire::shell().permit(now)?, &order)?;
            told(&env, &grant, output)?;
        }
        DelegationCommand::Text { grant } => {
            let found = find(&env, &grant)?;
            output.raw(signing_text(&found)?.as_bytes());
        }
        DelegationCommand::Confirm(args) => {
            let id = parse(&args.grant)?;
            let grant = confirm(&env, &id, &args)?;
            told(&env, &grant, output)?;
        }
        DelegationCommand::Show { grant } => told(&env, &find(&env, &grant)?, output)?,
        DelegationCommand::List { org } => {
            let organisation = find_organisation(&env.store, &org)?.id;
            let all = env.store.read(|tx| tx.list_grants(&Scope::Platform, &organisation))?;
            output.result("grant-list", json!({ "grants": all }), || {
                let line = |one: &Grant| {
                    let terms = &one.terms;
                    format!(
                        "{}  {}  {}  {}\n",
                        terms.id, terms.grantee_name, one.state, terms.not_after
                    )
                };
                all.iter().map(line).collect()
            });
        }
        DelegationCommand::End { grant, yes } => {
            let id = parse(&grant)?;
            if !yes {
                return Err(Failure::problem("flag-missing", exit::USAGE).with("flag", "--yes"));
            }
            let ended = end_grant(&env, &wire::shell().permit(now)?, &id)
                .map_err(|error| Failure::from(error).named(&id))?;
            output.result("grant-list", json!({ "grants": ended }), || {
                let lines = ended.iter().map(|one| format!("{}  {}", one.terms.id, one.state));
                lines.collect::<Vec<_>>().join("\n") + "\n"
            });
        }
    }
    Ok(())
}

fn parse(text: &str) -> Result<GrantId, Failure> {
    GrantId::parse(text).map_err(|_| Failure::nothing("grant", text))
}

fn find(env: &Env, text: &str) -> Result<Grant, Failure> {
    let id = parse(text)?;
    let found = env.store.read(|tx| tx.load_grant(&Scope::Platform, &id));
    found.map_err(|error| Failure::from(error).named(&id))
}

fn order(env: &Env, args: &SetArgs) -> Result<GrantOrder, Failure> {
    let words: Vec<_> = GrantAction::ALL.iter().map(|action| action.word()).collect();
    let action =
        |word: &String| GrantAction::from_word(word).ok_or_else(|| Failure::word(word, &words));
    let account = env.store.read(|tx| tx.find_account_by_login(&args.to))?;
    let codes = || {
        let codes = args.branches.iter().map(|code| BranchCode::parse(code));
        codes.collect::<Result<BTreeSet<_>, _>>()
    };
    let reach = match (args.everywhere, args.follow_new_branches) {
        (false, _) => Reach::Branches(codes()?),
        (true, false) => Reach::Everywhere,
        (true, true) => Reach::EverywhereAndLater,
    };
    let levels = args.levels.iter().map(|level| Level::try_from(*level));
    Ok(GrantOrder {
        organisation: find_organisation(&env.store, &args.org)?.id,
        representative: RepresentativeId::parse(&args.representative)
            .map_err(|_| Failure::nothing("representative", &args.representative))?,
        part: GrantPart {
            grantee: account.ok_or_else(|| Failure::nothing("account", &args.to))?.id,
            actions: args.actions.iter().map(action).collect::<Result<_, _>>()?,
            reach,
            levels: levels.collect::<Result<_, _>>().map_err(Failure::internal)?,
            quota: GrantQuota { active: args.live, per_day: args.per_day, total: args.total },
            not_before: match &args.from {
                Some(from) => instant(from)?,
                None => env.clock.now().floor(),
            },
            not_after: args.until.as_deref().map(instant).transpose()?,
            subgrant_depth: i64::from(args.give_on),
            conditions: Conditions {
                confirm_level_3: !args.no_confirmation,
                second_delegate: args.second_delegate,
            },
        },
    })
}

fn confirm(env: &Env, id: &GrantId, args: &ConfirmArgs) -> Result<Grant, Failure> {
    let now = env.clock.now();
    let shell = wire::shell();
    if let Some(signed) = args.signed.load()? {
        return Ok(sign_with_certificate(env, &shell.permit(now)?, id, &signed)?);
    }
    if let (Some(scan), Some(call_back)) = (&args.scan, &args.call_back) {
        let (scan, call_back) = (evidence(scan)?, evidence(call_back)?);
        return Ok(hand_in_paper(env, &shell.permit(now)?, id, (&scan, &call_back))?);
    }
    let ruling = match (&args.approve, &args.refuse) {
        (Some(digest), _) => ruling(digest, Verdict::Approved, &args.reason)?,
        (None, Some(digest)) => ruling(digest, Verdict::Rejected, &args.reason)?,
        (None, None) => {
            return Err(Failure::problem("flag-missing", exit::USAGE)
                .with("flag", "--signature, --scan or --approve"));
        }
    };
    Ok(decide_paper(env, &shell.permit(now)?, id, &ruling)?)
}

/// A grant with what is used of it, and what it waits for.
fn told(env: &Env, grant: &Grant, output: &Output) -> Result<(), Failure> {
    let id = &grant.terms.id;
    let (used, request) = env.store.read(|tx| {
        let used = tx.grant_usage(id, env.clock.now())?;
        Ok::<_, StoreError>((used, tx.find_approval_request(&ObjectRef::new("grant", id))?))
    })?;
    let digest = grant.terms.digest()?;
    let value = json!({
        "grant": grant,
        "digest": digest,
        "used": used,
        "request": request.as_ref().map(request_json),
    });
    output.result("grant", value, || text(grant, &digest.to_string(), used, request.as_ref()));
    Ok(())
}

fn text(
    grant: &Grant,
    digest: &str,
    used: GrantUsage,
    request: Option<&ApprovalRequest>,
) -> String {
    let terms = &grant.terms;
    let levels: Vec<_> = terms.scope.levels.iter().map(ToString::to_string).collect();
    let quota = terms.quota;
    let own = facts(&[
        ("grant", terms.id.to_string()),
        ("from", terms.grantor.to_string()),
        ("to", terms.grantee_name.to_string()),
        ("branches", terms.scope.branches.len().to_string()),
        ("levels", levels.join(", ")),
        ("live", format!("{} of {}", used.active, quota.active)),
        ("today", format!("{} of {}", used.today, quota.per_day)),
        ("total", format!("{} of {}", used.total, quota.total)),
        ("not before", terms.not_before.to_string()),
        ("not after", terms.not_after.to_string()),
        ("digest", digest.to_owned()),
        ("state", grant.state.to_string()),
    ]);
    format!("{own}{}", request.map(request_text).unwrap_or_default())
}

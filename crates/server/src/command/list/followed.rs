//! `tenkoku trustlist source|refresh|snapshots`: the lists of others that this installation believes.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tenkoku_ca::proposal::propose;
use tenkoku_domain::exchange::Octets;
use tenkoku_domain::followed::{FollowedList, ListCode, ListSource, ListTrust};
use tenkoku_domain::proposal::ProposedAct;

use super::super::path::{CERTIFICATE, several};
use super::super::proposal;
use crate::config::Config;
use crate::failure::{Failure, exit};
use crate::jobs::refresh_now;
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku trustlist source`
#[derive(Debug, Subcommand)]
pub(crate) enum SourceCommand {
    /// Believe a list, or a list of lists. In production two other persons agree in the console
    Add(AddArgs),
    /// Take over other certificates, such as those of a newer publication in the journal
    Anchors(AnchorArgs),
    /// Believe a list no more; its snapshots are kept
    End {
        /// Its code
        code: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// List what is believed, and how each list stands
    List,
}

/// What belief rests on.
#[derive(Debug, Args)]
pub(crate) struct TrustArgs {
    /// For a list of lists: the address of the publication in the official journal, as the list
    /// writes it
    #[arg(long, value_name = "URL", requires = "anchor", conflicts_with = "signer")]
    journal: Option<String>,
    /// A certificate that the journal published, DER or PEM; may stand several times
    #[arg(long, value_name = "FILE", requires = "journal")]
    anchor: Vec<PathBuf>,
    /// For a single list: a certificate that may sign it, DER or PEM; may stand several times
    #[arg(long, value_name = "FILE", required_unless_present = "journal")]
    signer: Vec<PathBuf>,
}

/// `tenkoku trustlist source add`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  tenkoku trustlist source add eu https://ec.europa.eu/tools/lotl/eu-lotl.xml \\
    --journal https://eur-lex.europa.eu/eli/C/2026/1944/oj --anchor lotl-1.pem --anchor lotl-2.pem \\
    --reason 'compared with the journal by two persons'")]
pub(crate) struct AddArgs {
    /// What it shall be called: eu, jp, …
    code: String,
    /// Where it is
    location: String,
    #[command(flatten)]
    trust: TrustArgs,
    /// Why it is believed
    #[arg(long)]
    reason: String,
}

/// `tenkoku trustlist source anchors`
#[derive(Debug, Args)]
pub(crate) struct AnchorArgs {
    /// The code of the list
    code: String,
    #[command(flatten)]
    trust: TrustArgs,
    /// Why
    #[arg(long)]
    reason: String,
}

pub(super) fn run(command: SourceCommand, config: &Config, output: &Output) -> Result<(), Failure> {
    let (act, reason) = match command {
        SourceCommand::List => return list(config, output),
        SourceCommand::Add(AddArgs { code, location, trust, reason }) => {
            let (code, trust) = (ListCode::parse(&code)?, trust.read()?);
            (ProposedAct::TrustList { code, location, trust }, reason)
        }
        SourceCommand::Anchors(AnchorArgs { code, trust, reason }) => {
            let (code, trust) = (ListCode::parse(&code)?, trust.read()?);
            (ProposedAct::TakeAnchors { code, trust }, reason)
        }
        SourceCommand::End { code, reason } => {
            (ProposedAct::EndList { code: ListCode::parse(&code)? }, reason)
        }
    };
    let env = wire::env(config)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let proposed = propose(&env, &permit, act, &reason);
    proposal::show(&proposed.map_err(Failure::from)?, &env, output);
    Ok(())
}

impl TrustArgs {
    fn read(self) -> Result<ListTrust, Failure> {
        let read = |files: &[PathBuf]| {
            Ok::<_, Failure>(several(files, CERTIFICATE)?.into_iter().map(Octets).collect())
        };
        Ok(match self.journal {
            Some(address) => ListTrust::Journal { address, certificates: read(&self.anchor)? },
            None => ListTrust::Signers { certificates: read(&self.signer)? },
        })
    }
}

fn list(config: &Config, output: &Output) -> Result<(), Failure> {
    let (sources, lists) = wire::store(config)?
        .read(|tx| Ok::<_, Failure>((tx.list_list_sources()?, tx.list_followed()?)))?;
    let value = json!({
        "sources": sources.iter().map(source_json).collect::<Value>(),
        "lists": lists.iter().map(list_json).collect::<Value>(),
    });
    output.result("list-sources", value, || {
        if sources.is_empty() {
            return "no list of others is believed: tenkoku trustlist source add".to_owned();
        }
        lists.iter().map(list_line).collect()
    });
    Ok(())
}

fn source_json(source: &ListSource) -> Value {
    let journal = match &source.trust {
        ListTrust::Journal { address, .. } => Some(address),
        ListTrust::Signers { .. } => None,
    };
    let anchors = source.trust.anchors().iter();
    json!({
        "code": source.code,
        "journal": journal,
        "anchors": anchors.map(|one| tenkoku_tsl::write::sha2(&one.0)).collect::<Vec<_>>(),
        "trusted_at": source.trusted_at.to_string(),
        "ended_at": source.ended_at.map(|at| at.to_string()),
    })
}

fn list_json(list: &FollowedList) -> Value {
    json!({
        "code": list.code,
        "source": list.source,
        "territory": list.territory,
        "location": list.location,
        "snapshot": list.snapshot,
        "checked_at": list.checked_at.map(|at| at.to_string()),
        "confirmed_at": list.confirmed_at.map(|at| at.to_string()),
        "problem": list.fault.as_ref().map(|fault| fault.problem),
        "detail": list.fault.as_ref().map(|fault| &fault.detail),
        "since": list.fault.as_ref().map(|fault| fault.since.to_string()),
        "dropped_at": list.dropped_at.map(|at| at.to_string()),
    })
}

fn list_line(list: &FollowedList) -> String {
    let state = match (&list.dropped_at, &list.fault, &list.snapshot) {
        (Some(at), _, _) => format!("dropped {at}"),
        (None, Some(fault), _) => {
            format!("{} since {}: {}", fault.problem, fault.since, fault.detail)
        }
        (None, None, Some(_)) => "good".to_owned(),
        (None, None, None) => "not looked at yet".to_owned(),
    };
    let kept = list.snapshot.as_ref().map_or_else(String::new, |id| format!("  {id}"));
    format!("{}  {state}{kept}\n", list.code)
}

/// Looks at every list that is believed, now.
pub(super) fn refresh(config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let Some(counts) = refresh_now(&env, &wire::webs(config)?)? else {
        return Err(Failure::problem("list-refresh-running", exit::REFUSED));
    };
    let lists = env.store.read(|tx| tx.list_followed())?;
    let value = json!({
        "counts": counts,
        "lists": lists.iter().map(list_json).collect::<Value>(),
    });
    output.result("list-refresh", value, || lists.iter().map(list_line).collect());
    let troubled = lists.iter().filter(|list| list.dropped_at.is_none() && list.fault.is_some());
    let codes: Vec<_> = troubled.map(|list| list.code.to_string()).collect();
    if codes.is_empty() {
        return Ok(());
    }
    Err(Failure::problem("list-troubled", exit::UNCONFIRMED).with("lists", codes.join(", ")))
}

/// Lists the snapshots of a list, the newest first.
pub(super) fn snapshots(code: &str, config: &Config, output: &Output) -> Result<(), Failure> {
    let list = ListCode::parse(code)?;
    let heads = wire::store(config)?.read(|tx| tx.list_snapshots(&list))?;
    if heads.is_empty() {
        return Err(Failure::nothing("followed-list", code));
    }
    let rows = heads.iter().map(|head| {
        json!({
            "id": head.id,
            "list": head.list,
            "address": head.address,
            "sequence": head.sequence,
            "issued": head.issued_at.to_string(),
            "next_update": head.next_update.map(|at| at.to_string()),
            "signer_sha256": head.signer,
            "sha256": head.digest,
            "taken_at": head.taken_at.to_string(),
        })
    });
    output.result("list-snapshots", json!({ "snapshots": rows.collect::<Value>() }), || {
        let texts = heads.iter().map(|head| {
            facts(&[
                ("snapshot", head.id.to_string()),
                ("sequence", head.sequence.to_string()),
                ("issued", head.issued_at.to_string()),
                ("sha256", head.digest.to_string()),
                ("taken", head.taken_at.to_string()),
            ])
        });
        texts.collect::<Vec<_>>().join("\n")
    });
    Ok(())
}

//! `tenkoku incident`: what people must look into because of a key, and what they decide.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tenkoku_ca::incident::{CloseOrder, close_incident};
use tenkoku_domain::id::IncidentId;
use tenkoku_domain::incident::{Incident, IncidentDecision, IncidentState};

use crate::config::Config;
use crate::failure::Failure;
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku incident`
#[derive(Debug, Subcommand)]
pub(crate) enum IncidentCommand {
    /// List incidents, newest first
    List {
        /// Only those that are open, or closed
        #[arg(long)]
        state: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: i64,
    },
    /// Show one incident
    Show {
        /// The incident
        incident: String,
    },
    /// Decide an incident and carry the decision out
    Close(CloseArgs),
}

/// `tenkoku incident close`
#[derive(Debug, Args)]
#[command(after_help = "Decisions:
  key-exposed  the key is blocked for ever, everything on it is revoked
  no-copy      one holder and no copy: its holds are lifted
  mistake      a mistake of the applicant: holds are lifted

Examples:
  tenkoku incident close inc_… --decision mistake --reason 'wrong file, asked by telephone'")]
pub(crate) struct CloseArgs {
    /// The incident
    incident: String,
    /// The decision: key-exposed, no-copy or mistake
    #[arg(long)]
    decision: String,
    /// Why
    #[arg(long)]
    reason: String,
}

pub(crate) fn run(
    command: IncidentCommand,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        IncidentCommand::List { state, limit } => list(state.as_deref(), limit, config, output),
        IncidentCommand::Show { incident } => {
            let id = parse(&incident)?;
            let found = wire::store(config)?.read(|tx| tx.load_incident(&id));
            show(&found.map_err(|error| Failure::from(error).named(&incident))?, output);
            Ok(())
        }
        IncidentCommand::Close(args) => close(&args, config, output),
    }
}

fn parse(text: &str) -> Result<IncidentId, Failure> {
    IncidentId::parse(text).map_err(|_| Failure::nothing("incident", text))
}

fn list(state: Option<&str>, limit: i64, config: &Config, output: &Output) -> Result<(), Failure> {
    let words: Vec<_> = IncidentState::ALL.iter().map(|state| state.word()).collect();
    let state = match state {
        None => None,
        Some(word) => {
            Some(IncidentState::from_word(word).ok_or_else(|| Failure::word(word, &words))?)
        }
    };
    let page = wire::store(config)?.read(|tx| tx.list_incidents(state, None, limit.max(1)))?;
    let all: Vec<Value> = page.items.iter().map(incident_json).collect();
    let value = json!({ "incidents": all, "more": page.next.is_some() });
    output.result("incident-list", value, || {
        let line = |one: &Incident| {
            let (id, opened, state) = (&one.id, one.opened_at, one.state());
            format!("{id}  {opened}  {state}  {}\n", one.kind)
        };
        page.items.iter().map(line).collect()
    });
    Ok(())
}

fn close(args: &CloseArgs, config: &Config, output: &Output) -> Result<(), Failure> {
    let words: Vec<_> = IncidentDecision::ALL.iter().map(|decision| decision.word()).collect();
    let decision = IncidentDecision::from_word(&args.decision)
        .ok_or_else(|| Failure::word(&args.decision, &words))?;
    let incident = parse(&args.incident)?;
    let env = wire::env(config)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let order = CloseOrder { incident, decision, reason: args.reason.clone() };
    let closed = close_incident(&env, &permit, &order);
    show(&closed.map_err(|error| Failure::from(error).named(&args.incident))?, output);
    Ok(())
}

fn show(incident: &Incident, output: &Output) {
    output.result("incident", incident_json(incident), || incident_text(incident));
}

fn incident_json(incident: &Incident) -> Value {
    json!({
        "id": incident.id,
        "kind": incident.kind,
        "state": incident.state(),
        "fingerprint": incident.fingerprint,
        "application": incident.application,
        "organisations": incident.organisations,
        "certificates": incident.certificates,
        "told": incident.told,
        "opened_at": incident.opened_at.to_string(),
        "closed": incident.closed.as_ref().map(|closing| json!({
            "decision": closing.decision,
            "reason": closing.reason,
            "at": closing.at.to_string(),
        })),
    })
}

fn incident_text(incident: &Incident) -> String {
    let mut rows = vec![
        ("incident", incident.id.to_string()),
        ("kind", incident.kind.to_string()),
        ("state", incident.state().to_string()),
        ("opened", incident.opened_at.to_string()),
        ("key", incident.fingerprint.to_string()),
    ];
    rows.extend(incident.application.iter().map(|id| ("application", id.to_string())));
    rows.extend(incident.certificates.iter().map(|id| ("certificate", id.to_string())));
    rows.extend(incident.told.iter().map(|whom| ("told", whom.clone())));
    if let Some(closing) = &incident.closed {
        rows.push(("decision", format!("{} ({})", closing.decision, closing.at)));
        rows.push(("reason", closing.reason.clone()));
    }
    facts(&rows)
}

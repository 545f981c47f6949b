//! `tenkoku person`: the register of persons, and who represents an organisation or may be given a
//! part of its authority.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tenkoku_ca::act::EvidenceFile;
use tenkoku_ca::office::{
    DelegateOrder, PersonOrder, RepresentativeOrder, add_delegate, end_representative,
    record_representative, remove_delegate, take_person,
};
use tenkoku_domain::access::Scope;
use tenkoku_domain::id::{DelegateId, PersonId, RepresentativeId};
use tenkoku_domain::person::{Delegate, Person, Representative};
use tenkoku_domain::time::Timestamp;

use super::registry::{find_branch, find_organisation, read};
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku person`
#[derive(Debug, Subcommand)]
pub(crate) enum PersonCommand {
    /// List persons
    List,
    /// Record a person
    Add {
        /// Name
        name: String,
        /// E-mail address
        #[arg(long, default_value = "")]
        contact: String,
        /// A new person, although there is one of this name
        #[arg(long)]
        another: bool,
    },
    /// List the representatives and delegates of an organisation
    Offices {
        /// The organisation: identifier, corporate number or id
        #[arg(long)]
        org: String,
    },
    /// Record that a person represents an organisation
    Represent(RepresentArgs),
    /// A representative leaves: the grants wait thirty days for the successor's word
    Resign {
        /// The office: rep_…
        representative: String,
    },
    /// Name a person who may be given a grant
    Delegate(DelegateArgs),
    /// A delegate leaves: the person's grants end now
    Remove {
        /// The office: dlg_…
        delegate: String,
    },
}

/// Whom an office is for.
#[derive(Debug, Args)]
pub(crate) struct WhoArgs {
    /// The organisation: identifier, corporate number or id
    #[arg(long)]
    org: String,
    /// The person: per_…
    #[arg(long, required_unless_present = "name")]
    person: Option<String>,
    /// The person's name; recorded where there is none of this name
    #[arg(long, conflicts_with = "person")]
    name: Option<String>,
    /// The person's e-mail address
    #[arg(long, default_value = "")]
    contact: String,
}

/// `tenkoku person represent`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  tenkoku person represent --org NTRJP-7123456789012 --name '見本 太郎' --capacity 代表取締役 \\
    --evidence register-extract.pdf")]
pub(crate) struct RepresentArgs {
    #[command(flatten)]
    who: WhoArgs,
    /// In which capacity, as the register says it
    #[arg(long)]
    capacity: String,
    /// What shows that the capacity is current
    #[arg(long, value_name = "FILE")]
    evidence: PathBuf,
    /// From when: 2026-11-22T00:00:00Z [default: now]
    #[arg(long)]
    from: Option<String>,
}

/// `tenkoku person delegate`
#[derive(Debug, Args)]
pub(crate) struct DelegateArgs {
    #[command(flatten)]
    who: WhoArgs,
    /// The only branch: code or id [default: the whole organisation]
    #[arg(long)]
    branch: Option<String>,
    /// Until when: 2027-11-22T00:00:00Z
    #[arg(long)]
    until: String,
}

impl WhoArgs {
    fn order(&self) -> Result<PersonOrder, Failure> {
        match (&self.person, &self.name) {
            (Some(id), _) => Ok(PersonOrder::Known(parse_person(id)?)),
            (None, name) => Ok(PersonOrder::Named {
                name: name.clone().unwrap_or_default(),
                contact: self.contact.clone(),
            }),
        }
    }
}

pub(crate) fn parse_person(text: &str) -> Result<PersonId, Failure> {
    PersonId::parse(text).map_err(|_| Failure::nothing("person", text))
}

/// An instant of the command line.
pub(crate) fn instant(text: &str) -> Result<Timestamp, Failure> {
    Timestamp::parse(text).ok_or_else(|| Failure::word(text, &["2026-11-22T00:00:00Z"]))
}

/// A file of evidence; its media type follows from its name.
pub(crate) fn evidence(file: &std::path::Path) -> Result<EvidenceFile, Failure> {
    let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let media_type = match ending.to_ascii_lowercase().as_str() {
        "pdf" => "application/pdf",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "json" => "application/json",
        "xml" => "application/xml",
        "txt" => "text/plain",
        _ => "application/octet-stream",
    };
    Ok(EvidenceFile { media_type: media_type.to_owned(), content: read(file)? })
}

pub(crate) fn run(command: PersonCommand, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let now = env.clock.now();
    match command {
        PersonCommand::List => {
            let all = env.store.read(|tx| tx.list_persons())?;
            let rows: Vec<Value> = all.iter().map(|one| json!(one)).collect();
            output.result("person-list", json!({ "persons": rows }), || {
                let line = |one: &Person| format!("{}  {}  {}\n", one.id, one.name, one.contact);
                all.iter().map(line).collect::<Vec<_>>().concat()
            });
        }
        PersonCommand::Add { name, contact, another } => {
            let order = if another {
                PersonOrder::New { name, contact }
            } else {
                PersonOrder::Named { name, contact }
            };
            let origin = wire::shell().origin();
            let taken = env.store.write(|tx| take_person(&env, tx, &origin, &order, now));
            let person = taken?;
            output.result("person", json!(person), || person_text(&person));
        }
        PersonCommand::Offices { org } => {
            let organisation = find_organisation(&env.store, &org)?.id;
            let (representatives, delegates) = env.store.read(|tx| {
                let all = Scope::Platform;
                Ok::<_, tenkoku_store::StoreError>((
                    tx.list_representatives(&all, &organisation)?,
                    tx.list_delegates(&all, &organisation)?,
                ))
            })?;
            let value = json!({ "representatives": representatives, "delegates": delegates });
            output.result("office-list", value, || {
                let represents = representatives.iter().map(representative_text);
                represents.chain(delegates.iter().map(delegate_text)).collect()
            });
        }
        PersonCommand::Represent(args) => {
            let order = RepresentativeOrder {
                organisation: find_organisation(&env.store, &args.who.org)?.id,
                person: args.who.order()?,
                capacity: args.capacity.clone(),
                evidence: evidence(&args.evidence)?,
                from: args.from.as_deref().map(instant).transpose()?,
            };
            let one = record_representative(&env, &wire::shell().permit(now)?, &order)?;
            output.result("representative", json!(one), || representative_text(&one));
        }
        PersonCommand::Resign { representative } => {
            let id = RepresentativeId::parse(&representative)
                .map_err(|_| Failure::nothing("representative", &representative))?;
            let one = end_representative(&env, &wire::shell().permit(now)?, &id)
                .map_err(|error| Failure::from(error).named(&id))?;
            output.result("representative", json!(one), || representative_text(&one));
        }
        PersonCommand::Delegate(args) => {
            let branch = match &args.branch {
                Some(branch) => Some(find_branch(&env.store, branch, Some(&args.who.org))?.id),
                None => None,
            };
            let order = DelegateOrder {
                organisation: find_organisation(&env.store, &args.who.org)?.id,
                person: args.who.order()?,
                branch,
                until: instant(&args.until)?,
            };
            let one = add_delegate(&env, &wire::shell().permit(now)?, &order)?;
            output.result("delegate", json!(one), || delegate_text(&one));
        }
        PersonCommand::Remove { delegate } => {
            let id = DelegateId::parse(&delegate)
                .map_err(|_| Failure::nothing("delegate", &delegate))?;
            let ended = remove_delegate(&env, &wire::shell().permit(now)?, &id)
                .map_err(|error| Failure::from(error).named(&id))?;
            let ids: Vec<_> = ended.iter().map(|one| one.terms.id.to_string()).collect();
            output.result("delegate-removed", json!({ "ended_grants": ids }), || {
                facts(&[("grants ended", ids.len().to_string())])
            });
        }
    }
    Ok(())
}

fn person_text(person: &Person) -> String {
    facts(&[
        ("person", person.id.to_string()),
        ("name", person.name.to_string()),
        ("contact", person.contact.clone()),
    ])
}

fn representative_text(one: &Representative) -> String {
    let until = one.until.map_or_else(String::new, |until| until.to_string());
    facts(&[
        ("representative", one.id.to_string()),
        ("person", one.person.to_string()),
        ("capacity", one.capacity.to_string()),
        ("from", one.from.to_string()),
        ("until", until),
    ])
}

fn delegate_text(one: &Delegate) -> String {
    let branch = one.branch.as_ref().map_or_else(|| "all".to_owned(), ToString::to_string);
    facts(&[
        ("delegate", one.id.to_string()),
        ("person", one.person.to_string()),
        ("branch", branch),
        ("until", one.until.to_string()),
    ])
}

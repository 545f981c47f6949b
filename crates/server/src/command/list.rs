//! `tenkoku trustlist`: draft, check, agree to, publish, show and export this installation's lists;
//! verify, show and compare anybody's; believe and follow those of others.

use clap::Subcommand;
use serde_json::{Value, json};
use tenkoku_ca::signer::renew_list_signers;
use tenkoku_domain::policy::draft::Verdict;
use tenkoku_domain::trusted_list::PublishedList;
use tenkoku_publisher::publish::publish_list;

use crate::config::Config;
use crate::failure::Failure;
use crate::output::{Output, facts};
use crate::wire;

mod deliveries;
mod drafts;
mod followed;
mod foreign;

/// `tenkoku trustlist`
#[derive(Debug, Subcommand)]
pub(crate) enum ListCommand {
    /// Sign and publish a new sequence: of what the live list says, or of a draft that was agreed to
    Publish {
        /// The draft
        draft: Option<String>,
    },
    /// Open a draft of the next list
    Draft(drafts::OpenArgs),
    /// List drafts, newest first
    Drafts,
    /// Change a part of a draft, or print what it says
    Edit(drafts::EditArgs),
    /// Give a service another status; the former one goes into the history
    Status(drafts::StatusArgs),
    /// Close the list with this draft: no other follows
    Close {
        /// The draft
        draft: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Say what is wrong with a draft, what it changes and whom that concerns
    Check {
        /// The draft
        draft: String,
    },
    /// Ask others to agree to a draft
    Submit {
        /// The draft
        draft: String,
    },
    /// Agree to a draft; the last agreement publishes it
    Approve(drafts::VerdictArgs),
    /// Send a draft back
    Reject(drafts::VerdictArgs),
    /// Give a draft up
    Abandon {
        /// The draft
        draft: String,
    },
    /// Propose to list an authority, or to change what the list says of it
    Propose {
        /// The authority
        authority: String,
    },
    /// Show who signs the list, and who will
    Signers {
        /// The code of the scheme
        #[arg(long)]
        scheme: Option<String>,
    },
    /// Hand over to the next signer and publish a new sequence
    HandOver {
        /// The code of the scheme
        #[arg(long)]
        scheme: Option<String>,
    },
    /// Show a list, signed or not; without a file, the sequences of this installation's list
    Show {
        /// The list, a file or an address of the web; `-` reads standard input
        list: Option<foreign::ListPlace>,
    },
    /// Print the live list, or a draft as it would be, unsigned
    Export {
        /// The draft
        draft: Option<String>,
    },
    /// Verify a list and say what it holds
    #[command(
        after_help = "Exit codes: 0 confirmed, 1 refused, 2 usage, 3 not confirmed: nobody said who \
                      may sign, or the next list is overdue."
    )]
    Verify(foreign::VerifyArgs),
    /// Say what changed from one list to another, and what of it the standard forbids
    Diff {
        /// The list before
        before: foreign::ListPlace,
        /// The list after
        after: foreign::ListPlace,
    },
    /// Whose lists are believed
    #[command(subcommand)]
    Source(followed::SourceCommand),
    /// Look at every list that is believed, now
    #[command(
        after_help = "Exit codes: 0 every list is good, 1 refused, 3 something is wrong with a \
                            list: what was in force stays."
    )]
    Refresh,
    /// Fetch every public address of this installation's lists and say what each serves
    #[command(
        after_help = "Exit codes: 0 every address serves the list in force, 1 refused, 3 an address \
                      serves something else or nothing."
    )]
    Delivery,
    /// List what was fetched of a list
    Snapshots {
        /// The list's code, as in `trustlist source list`
        code: String,
    },
}

/// Runs a command; what is done on files needs no installation, so the configuration is loaded late.
pub(crate) fn run(
    command: ListCommand,
    config: impl FnOnce() -> Result<Config, Failure>,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        ListCommand::Publish { draft: None } => publish(&config()?, output),
        ListCommand::Publish { draft: Some(draft) } => drafts::publish(&draft, &config()?, output),
        ListCommand::Draft(args) => drafts::open(&args, &config()?, output),
        ListCommand::Drafts => drafts::list(&config()?, output),
        ListCommand::Edit(args) => drafts::edit(&args, &config()?, output),
        ListCommand::Status(args) => drafts::status(args, &config()?, output),
        ListCommand::Close { draft, reason } => drafts::close(&draft, reason, &config()?, output),
        ListCommand::Check { draft } => drafts::check(&draft, &config()?, output),
        ListCommand::Submit { draft } => drafts::submit(&draft, &config()?, output),
        ListCommand::Approve(args) => drafts::decide(args, Verdict::Approved, &config()?, output),
        ListCommand::Reject(args) => drafts::decide(args, Verdict::Rejected, &config()?, output),
        ListCommand::Abandon { draft } => drafts::abandon(&draft, &config()?, output),
        ListCommand::Propose { authority } => drafts::propose(&authority, &config()?, output),
        ListCommand::Signers { scheme } => drafts::signers(scheme.as_deref(), &config()?, output),
        ListCommand::HandOver { scheme } => {
            drafts::hand_over_now(scheme.as_deref(), &config()?, output)
        }
        ListCommand::Export { draft: None } => export(&config()?, output),
        ListCommand::Export { draft: Some(draft) } => drafts::export(&draft, &config()?, output),
        ListCommand::Verify(args) => {
            foreign::verify_list(&args, &foreign::OpenWeb::of(config), output)
        }
        ListCommand::Show { list: Some(list) } => {
            foreign::show_list(&list, &foreign::OpenWeb::of(config), output)
        }
        ListCommand::Diff { before, after } => {
            foreign::compare(&before, &after, &foreign::OpenWeb::of(config), output)
        }
        ListCommand::Source(command) => followed::run(command, &config()?, output),
        ListCommand::Delivery => deliveries::show(&config()?, output),
        ListCommand::Refresh => followed::refresh(&config()?, output),
        ListCommand::Snapshots { code } => followed::snapshots(&code, &config()?, output),
        ListCommand::Show { list: None } => show(&config()?, output),
    }
}

fn publish(config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let now = env.clock.now();
    renew_list_signers(&env, &wire::shell().permit(now)?)?;
    let list = publish_list(&env, &wire::shell().permit(now)?)?;
    output.result("list", list_json(&list, config), || list_text(&list, config));
    Ok(())
}

fn show(config: &Config, output: &Output) -> Result<(), Failure> {
    let scheme = &config.settings.scheme.code;
    let lists = wire::store(config)?.read(|tx| tx.list_sequences(scheme))?;
    let all: Vec<Value> = lists.iter().map(|list| list_json(list, config)).collect();
    output.result("list-sequences", json!({ "lists": all }), || {
        lists.iter().map(|list| list_text(list, config)).collect::<Vec<_>>().join("\n")
    });
    Ok(())
}

fn export(config: &Config, output: &Output) -> Result<(), Failure> {
    let scheme = &config.settings.scheme.code;
    let live = wire::store(config)?.read(|tx| tx.latest_list(scheme))?;
    let live = live.ok_or_else(|| Failure::nothing("list", scheme))?;
    output.raw(&live.xml);
    Ok(())
}

fn list_json(list: &PublishedList, config: &Config) -> Value {
    json!({
        "scheme": list.scheme,
        "sequence": list.sequence,
        "issued": list.issued_at.to_string(),
        "next_update": list.next_update.map(|next| next.to_string()),
        "sha256": list.digest,
        "address": config.settings.public_address.list(&list.scheme),
    })
}

fn list_text(list: &PublishedList, config: &Config) -> String {
    facts(&[
        ("list", format!("{} sequence {}", list.scheme, list.sequence)),
        ("issued", list.issued_at.to_string()),
        (
            "next update",
            list.next_update.map_or_else(|| "closed".to_owned(), |next| next.to_string()),
        ),
        ("address", config.settings.public_address.list(&list.scheme)),
    ])
}

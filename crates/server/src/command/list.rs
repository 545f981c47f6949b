//! `tenkoku trustlist`: publish, show and export this installation's list; verify, show and compare
//! anybody's; believe and follow those of others.

use clap::Subcommand;
use serde_json::{Value, json};
use tenkoku_ca::signer::renew_list_signer;
use tenkoku_domain::trusted_list::PublishedList;
use tenkoku_publisher::publish::publish_list;

use crate::config::Config;
use crate::failure::Failure;
use crate::output::{Output, facts};
use crate::wire;

mod followed;
mod foreign;

/// `tenkoku trustlist`
#[derive(Debug, Subcommand)]
pub(crate) enum ListCommand {
    /// Sign and publish a new sequence
    Publish,
    /// Show a list, signed or not; without a file, the sequences of this installation's list
    Show {
        /// The list, a file or an address of the web; `-` reads standard input
        list: Option<foreign::ListPlace>,
    },
    /// Print the live list
    Export,
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
        ListCommand::Refresh => followed::refresh(&config()?, output),
        ListCommand::Snapshots { code } => followed::snapshots(&code, &config()?, output),
        ListCommand::Publish => publish(&config()?, output),
        ListCommand::Show { list: None } => show(&config()?, output),
        ListCommand::Export => export(&config()?, output),
    }
}

fn publish(config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let now = env.clock.now();
    renew_list_signer(&env, &wire::shell().permit(now)?)?;
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
        "next_update": list.next_update.to_string(),
        "sha256": list.digest,
        "address": config.settings.public_address.list(&list.scheme),
    })
}

fn list_text(list: &PublishedList, config: &Config) -> String {
    facts(&[
        ("list", format!("{} sequence {}", list.scheme, list.sequence)),
        ("issued", list.issued_at.to_string()),
        ("next update", list.next_update.to_string()),
        ("address", config.settings.public_address.list(&list.scheme)),
    ])
}

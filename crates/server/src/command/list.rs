//! `tenkoku trustlist`: publish, show, export and verify trusted lists.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};
use tenkoku_ca::signer::renew_list_signer;
use tenkoku_domain::trusted_list::PublishedList;
use tenkoku_publisher::publish::publish_list;
use tenkoku_tsl::model::NextUpdate;
use tenkoku_tsl::verify::verify;

use super::registry::read;
use crate::config::Config;
use crate::failure::{Failure, exit};
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku trustlist`
#[derive(Debug, Subcommand)]
pub(crate) enum ListCommand {
    /// Sign and publish a new sequence
    Publish,
    /// Show the sequences of this installation's list, newest first
    Show,
    /// Print the live list
    Export,
    /// Verify the signature of a list and say what it holds
    Verify {
        /// The list; `-` reads standard input
        file: PathBuf,
    },
}

pub(crate) fn run(command: ListCommand, config: &Config, output: &Output) -> Result<(), Failure> {
    let scheme = config.settings.scheme.code.clone();
    match command {
        ListCommand::Publish => {
            let env = wire::env(config)?;
            let now = env.clock.now();
            renew_list_signer(&env, &wire::shell().permit(now)?)?;
            let list = publish_list(&env, &wire::shell().permit(now)?)?;
            output.result("list", list_json(&list, config), || list_text(&list, config));
        }
        ListCommand::Show => {
            let lists = wire::store(config)?.read(|tx| tx.list_sequences(&scheme))?;
            let all: Vec<Value> = lists.iter().map(|list| list_json(list, config)).collect();
            output.result("list-sequences", json!({ "lists": all }), || {
                lists.iter().map(|list| list_text(list, config)).collect::<Vec<_>>().join("\n")
            });
        }
        ListCommand::Export => {
            let live = wire::store(config)?.read(|tx| tx.latest_list(&scheme))?;
            let live = live.ok_or_else(|| Failure::nothing("list", &scheme))?;
            output.raw(&live.xml);
        }
        ListCommand::Verify { file } => verify_file(&file, output)?,
    }
    Ok(())
}

fn verify_file(file: &Path, output: &Output) -> Result<(), Failure> {
    let verified = verify(&read(file)?).map_err(|refusal| {
        let mut failure =
            Failure::problem("list-refused", exit::REFUSED).with("detail-text", &refusal);
        failure.place = Some(file.display().to_string());
        failure
    })?;
    let scheme = &verified.list().scheme;
    let name = scheme.scheme_name.entries().first().map_or("", |name| name.value.as_str());
    let next = match scheme.next_update {
        NextUpdate::By(at) => Some(at.to_string()),
        NextUpdate::Closed => None,
    };
    let services = verified.list().services().count();
    let signer = tenkoku_pki::cert::Certificate::parse(verified.signer().der())
        .map_or_else(|_| verified.signer().subject(), |read| read.subject().subject_line());
    let value = json!({
        "scheme": name,
        "territory": scheme.territory.as_str(),
        "sequence": scheme.sequence_number,
        "issued": scheme.issue.to_string(),
        "next_update": next,
        "services": services,
        "signer": signer,
        "signing_time": verified.signing_time().to_string(),
    });
    output.result("list-verified", value, || {
        facts(&[
            ("signature", "holds".to_owned()),
            ("signer", signer),
            ("scheme", name.to_owned()),
            ("sequence", scheme.sequence_number.to_string()),
            ("issued", scheme.issue.to_string()),
            ("next update", next.unwrap_or_else(|| "closed".to_owned())),
            ("services", services.to_string()),
        ])
    });
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

//! `tenkoku instance`: further places of use of a seal, each with a key of its own (DOMAIN 10.2).

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tenkoku_ca::apply::Applied;
use tenkoku_ca::instance::{InstancesOrder, order_instances};
use tenkoku_domain::application::Application;
use tenkoku_domain::level::Level;

use super::order::application_json;
use super::proof::{KeyArgs, prove_here};
use super::registry::find_branch;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::Output;
use crate::wire;

/// `tenkoku instance`
#[derive(Debug, Subcommand)]
pub(crate) enum InstanceCommand {
    /// Order several instances of a seal at once: one application for each, as a whole or not at all
    Add(AddArgs),
}

/// `tenkoku instance add`
#[derive(Debug, Args)]
#[command(
    after_help = "Ten servers need ten instances. A receiver sees one seal; one instance ends without \
the others. No key is copied.

Examples:
  tenkoku instance add --branch BR-0002 --level 2 --count 10
  tenkoku instance add --branch BR-0002 --level 2 --count 3 --keys keys/      makes the keys here
  tenkoku issue --all-ready --out certificates/"
)]
pub(crate) struct AddArgs {
    /// The branch office: code or id
    #[arg(long)]
    branch: String,
    /// The organisation, where several have a branch of this code
    #[arg(long)]
    org: Option<String>,
    /// The level of the seal
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3))]
    level: u8,
    /// How many instances
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1000))]
    count: u16,
    /// Validity in days [default: the most that the policy allows]
    #[arg(long)]
    days: Option<i64>,
    /// Make a key for each in this folder, APPLICATION.key, and show possession of it at once
    #[arg(long, value_name = "FOLDER", conflicts_with = "hsm")]
    keys: Option<PathBuf>,
    /// The platform makes the keys in its own key store
    #[arg(long)]
    hsm: bool,
    /// What kind of keys are made
    #[arg(long, default_value = "P-256", value_name = "ALGORITHM")]
    key_type: String,
}

pub(crate) fn run(
    command: InstanceCommand,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    let InstanceCommand::Add(args) = command;
    let env = wire::env(config)?;
    let order = InstancesOrder {
        branch: find_branch(&env.store, &args.branch, args.org.as_deref())?.id,
        level: Level::try_from(args.level).map_err(Failure::internal)?,
        validity_days: args.days,
        count: args.count,
    };
    let permit = wire::shell().permit(env.clock.now())?;
    let ordered = order_instances(&env, &permit, &order)
        .map_err(|error| Failure::from(error).at(&args.branch))?;
    if let Some(folder) = &args.keys {
        std::fs::create_dir_all(folder).map_err(|error| Failure::file(folder.display(), &error))?;
    }
    let mut all = Vec::new();
    for applied in ordered.applied {
        let file = |folder: &PathBuf| folder.join(format!("{}.key", applied.application.id));
        let keys = KeyArgs {
            key: args.keys.as_ref().map(file),
            hsm: args.hsm,
            key_type: args.key_type.clone(),
        };
        let ready = prove_here(&env, &applied, &keys)?;
        output.progress(&format!("instance {}", applied.application.instance_number));
        all.push((applied, ready));
    }
    let rows: Vec<Value> = all.iter().map(|(one, ready)| row(one, ready.as_ref())).collect();
    let value = json!({ "order": ordered.order, "applications": rows });
    output.result("instance-order", value, || {
        let line = |(applied, ready): &(Applied, Option<Application>)| {
            let shown = ready.as_ref().unwrap_or(&applied.application);
            let (id, number, state) = (&shown.id, shown.instance_number, shown.state);
            let challenge = if ready.is_some() { "" } else { &*applied.challenge.text };
            format!("{id}  instance {number}  {state}  {challenge}\n")
        };
        let lines: String = all.iter().map(line).collect();
        format!("order {}\n{lines}", ordered.order)
    });
    Ok(())
}

fn row(applied: &Applied, ready: Option<&Application>) -> Value {
    let mut value = application_json(ready.unwrap_or(&applied.application));
    if let (Value::Object(members), None) = (&mut value, ready) {
        members.insert("challenge".to_owned(), json!(applied.challenge.text));
        let until = applied.challenge.expires_at.to_string();
        members.insert("challenge_until".to_owned(), json!(until));
    }
    value
}

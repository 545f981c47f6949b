//! `tenkoku container`: devices, tokens and files that keys of seals live in (DOMAIN 6.6).

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tenkoku_ca::container::{
    ContainerOrder, change_custodian, dispose_container, move_container, register_container,
    verify_container,
};
use tenkoku_domain::access::Scope;
use tenkoku_domain::container::{BackupCopy, Container, ContainerKind, ContainerState};
use tenkoku_domain::id::ContainerId;
use tenkoku_ports::Env;

use super::registry::{find_branch, find_organisation, read};
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku container`
#[derive(Debug, Subcommand)]
pub(crate) enum ContainerCommand {
    /// Register a container
    Register(Box<RegisterArgs>),
    /// Record that model, serial number and custodian were checked
    Verify(EvidenceArgs),
    /// List containers, newest first
    List,
    /// Show one container
    Show {
        /// Its id
        container: String,
    },
    /// Nothing new goes in
    Quarantine {
        /// Its id
        container: String,
    },
    /// Take a container in quarantine back into use
    Release {
        /// Its id
        container: String,
    },
    /// Take a container out of use that holds no live key
    Retire {
        /// Its id
        container: String,
    },
    /// Record the disposal of a retired container
    Dispose(EvidenceArgs),
    /// Give a container to another custodian
    Custodian {
        /// Its id
        container: String,
        /// The new custodian's name
        #[arg(long)]
        name: String,
        /// The new custodian's e-mail address
        #[arg(long)]
        email: String,
    },
}

/// `tenkoku container verify` and `dispose`
#[derive(Debug, Args)]
pub(crate) struct EvidenceArgs {
    /// Its id
    container: String,
    /// The record: photograph, protocol, certificate of disposal
    #[arg(long, value_name = "FILE")]
    evidence: PathBuf,
}

/// `tenkoku container register`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  tenkoku container register --org NTRJP-7123456789012 --branch BR-0002 --kind hsm --model 'YubiHSM 2' \\
    --serial 0007550140 --certification 'FIPS 140-3 level 3' --location 'Osaka, safe 2' \\
    --custodian-name '見本 花子' --custodian-email hanako@sample.example --backup 'card A=Tokyo, safe 1'")]
pub(crate) struct RegisterArgs {
    /// The organisation: identifier, corporate number or id
    #[arg(long)]
    org: String,
    /// The one branch that uses it; left out where several do
    #[arg(long)]
    branch: Option<String>,
    /// hsm, token, card, tpm or file
    #[arg(long)]
    kind: String,
    /// Model, as the maker writes it
    #[arg(long)]
    model: String,
    /// Serial number, as it is written on the device
    #[arg(long)]
    serial: String,
    /// Firmware
    #[arg(long, default_value = "")]
    firmware: String,
    /// Text of its certification; level 3 needs one, unless the policy lists the model
    #[arg(long, default_value = "")]
    certification: String,
    /// Partition, slot or applet
    #[arg(long, default_value = "")]
    partition: String,
    /// Where it stands
    #[arg(long)]
    location: String,
    /// Who answers for it
    #[arg(long)]
    custodian_name: String,
    /// The e-mail address of whoever answers for it
    #[arg(long)]
    custodian_email: String,
    /// A backup of what is in it: LABEL=LOCATION
    #[arg(long, value_name = "LABEL=LOCATION")]
    backup: Vec<String>,
}

pub(crate) fn run(
    command: ContainerCommand,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let into = |container: &str, state| {
        let id = parse_container(container)?;
        let moved = move_container(&env, &permit, &id, state);
        moved.map_err(|error| Failure::from(error).named(&id))
    };
    let found = match command {
        ContainerCommand::List => return list(&env, output),
        ContainerCommand::Register(args) => {
            let order = order(&env, &args)?;
            let made = register_container(&env, &permit, &order);
            made.map_err(|error| Failure::from(error).at(&args.serial))?
        }
        ContainerCommand::Show { container } => {
            let id = parse_container(&container)?;
            let found = env.store.read(|tx| tx.load_container(&Scope::Platform, &id));
            found.map_err(|error| Failure::from(error).named(&id))?
        }
        ContainerCommand::Verify(args) => {
            let id = parse_container(&args.container)?;
            let done = verify_container(&env, &permit, &id, &read(&args.evidence)?);
            done.map_err(|error| Failure::from(error).named(&id))?
        }
        ContainerCommand::Dispose(args) => {
            let id = parse_container(&args.container)?;
            let done = dispose_container(&env, &permit, &id, &read(&args.evidence)?);
            done.map_err(|error| Failure::from(error).named(&id))?
        }
        ContainerCommand::Quarantine { container } => {
            into(&container, ContainerState::Quarantined)?
        }
        ContainerCommand::Release { container } => into(&container, ContainerState::InUse)?,
        ContainerCommand::Retire { container } => into(&container, ContainerState::Retired)?,
        ContainerCommand::Custodian { container, name, email } => {
            let id = parse_container(&container)?;
            let done = change_custodian(&env, &permit, &id, (&name, &email));
            done.map_err(|error| Failure::from(error).named(&id))?
        }
    };
    output.result("container", container_json(&found), || container_text(&found));
    Ok(())
}

fn list(env: &Env, output: &Output) -> Result<(), Failure> {
    let all = env.store.read(|tx| tx.list_containers(&Scope::Platform))?;
    let rows: Vec<Value> = all.iter().map(container_json).collect();
    output.result("container-list", json!({ "containers": rows }), || {
        let line = |one: &Container| {
            format!("{}  {}  {}  {}  {}\n", one.id, one.kind, one.model, one.serial, one.state)
        };
        all.iter().map(line).collect()
    });
    Ok(())
}

/// The id of a container.
pub(crate) fn parse_container(text: &str) -> Result<ContainerId, Failure> {
    ContainerId::parse(text).map_err(|_| Failure::nothing("container", text))
}

fn order(env: &Env, args: &RegisterArgs) -> Result<ContainerOrder, Failure> {
    let kinds: Vec<_> = ContainerKind::ALL.iter().map(|kind| kind.word()).collect();
    let kind = ContainerKind::from_word(&args.kind);
    let branch = args.branch.as_deref();
    let branch = branch.map(|code| find_branch(&env.store, code, Some(&args.org))).transpose()?;
    Ok(ContainerOrder {
        organisation: find_organisation(&env.store, &args.org)?.id,
        branch: branch.map(|branch| branch.id),
        kind: kind.ok_or_else(|| Failure::word(&args.kind, &kinds))?,
        model: args.model.clone(),
        serial: args.serial.clone(),
        firmware: args.firmware.clone(),
        certification: args.certification.clone(),
        partition: args.partition.clone(),
        custodian: (args.custodian_name.clone(), args.custodian_email.clone()),
        location: args.location.clone(),
        inventory: args.backup.iter().map(|text| backup(text)).collect::<Result<_, _>>()?,
    })
}

fn backup(text: &str) -> Result<BackupCopy, Failure> {
    let (label, location) =
        text.split_once('=').ok_or_else(|| Failure::word(text, &["LABEL=LOCATION"]))?;
    Ok(BackupCopy { label: label.trim().to_owned(), location: location.trim().to_owned() })
}

fn container_json(one: &Container) -> Value {
    json!({
        "id": one.id,
        "organisation": one.organisation,
        "branch": one.branch,
        "kind": one.kind,
        "model": one.model,
        "serial": one.serial,
        "firmware": one.firmware,
        "certification": one.certification,
        "partition": one.partition,
        "custodian": one.custodian,
        "location": one.location,
        "inventory": one.inventory,
        "state": one.state,
        "registered_at": one.registered_at.to_string(),
    })
}

fn container_text(one: &Container) -> String {
    facts(&[
        ("container", one.id.to_string()),
        ("kind", one.kind.to_string()),
        ("model", one.model.clone()),
        ("serial", one.serial.clone()),
        ("certification", one.certification.clone()),
        ("partition", one.partition.clone()),
        ("custodian", one.custodian.name.clone()),
        ("location", one.location.clone()),
        ("state", one.state.to_string()),
    ])
}

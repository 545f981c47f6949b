//! `tenkoku org` and `tenkoku branch`: record and look up organisations and their branch offices.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};
use tenkoku_ca::closing::BranchStep;
use tenkoku_ca::import::{ImportError, ImportReport, import_branches, import_organisations};
use tenkoku_domain::access::Scope;
use tenkoku_domain::branch::{Branch, BranchCode};
use tenkoku_domain::organisation::Organisation;
use tenkoku_store::{BranchFilter, Store};

use super::closing::{
    self, CloseBranchArgs, CloseOrgArgs, FinishOrgArgs, LeiArgs, MoveBranchArgs, MoveOrgArgs,
};
use crate::config::Config;
use crate::failure::{Failure, exit};
use crate::output::{Output, facts};
use crate::wire;

/// Rows that one look-up of a page brings.
const PAGE: i64 = 500;

/// `tenkoku org`
#[derive(Debug, Subcommand)]
pub(crate) enum OrgCommand {
    /// Record organisations from a CSV file: as a whole or not at all
    #[command(after_help = "Columns: identifier, legal_name, country; also kana, latin_name, \
                            postal_code, region, locality, street, language, custodian_name, \
                            custodian_email. UTF-8, header row. `-` reads standard input.")]
    Import {
        /// The file
        file: PathBuf,
    },
    /// List organisations
    List {
        /// Part of a name, or an identifier
        #[arg(long, default_value = "")]
        search: String,
    },
    /// Show one organisation
    Show {
        /// Identifier (NTRJP-…), corporate number, or id
        organisation: String,
    },
    /// Take no new applications; what is sealed stays
    Restrict(MoveOrgArgs),
    /// Let a restricted organisation apply again
    Lift(MoveOrgArgs),
    /// Begin the end of an organisation: everything it holds is revoked. In production a second
    /// person agrees in the console
    Close(CloseOrgArgs),
    /// Close an organisation for good, once every key of it is shown to be destroyed
    Finish(FinishOrgArgs),
    /// Record that its LEI was looked up
    Lei(LeiArgs),
}

/// `tenkoku branch`
#[derive(Debug, Subcommand)]
pub(crate) enum BranchCommand {
    /// Put the seals of a branch on hold for a while
    Pause(MoveBranchArgs),
    /// End a pause
    Reopen(MoveBranchArgs),
    /// Begin the end of a branch: its seals are revoked, its open applications end
    Close(CloseBranchArgs),
    /// Close a branch for good, once nothing of it is left
    Finish(MoveBranchArgs),
    /// Record branch offices from a CSV file: as a whole or not at all
    #[command(after_help = "Columns: code, name, custodian_name, custodian_email; also \
                            organisation (unless --org), kind, latin_name, country, postal_code, \
                            region, locality, street. UTF-8, header row. `-` reads standard input.")]
    Import {
        /// The file
        file: PathBuf,
        /// The organisation that all rows belong to
        #[arg(long)]
        org: Option<String>,
    },
    /// List the branch offices of an organisation
    List {
        /// Identifier, corporate number, or id
        #[arg(long)]
        org: String,
        /// Part of a name or code
        #[arg(long, default_value = "")]
        search: String,
    },
    /// Show one branch office
    Show {
        /// Code or id
        branch: String,
        /// The organisation, where several have a branch of this code
        #[arg(long)]
        org: Option<String>,
    },
}

pub(crate) fn run_org(
    command: OrgCommand,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        OrgCommand::Import { file } => {
            let env = wire::env(config)?;
            let permit = wire::shell().permit(env.clock.now())?;
            let report = import_organisations(&env, &permit, &read(&file)?);
            imported(report, &file, "organisations", output)
        }
        OrgCommand::Restrict(args) => closing::restrict(&args, config, output),
        OrgCommand::Lift(args) => closing::lift(&args, config, output),
        OrgCommand::Close(args) => closing::close_organisation(&args, config, output),
        OrgCommand::Finish(args) => closing::finish(&args, config, output),
        OrgCommand::Lei(args) => closing::lei(&args, config, output),
        OrgCommand::List { search } => list_organisations(&search, config, output),
        OrgCommand::Show { organisation } => {
            let store = wire::store(config)?;
            let found = find_organisation(&store, &organisation)?;
            let branches = store.read(|tx| tx.count_branches(&Scope::Platform, &found.id))?;
            output.result("organisation", organisation_json(&found, branches), || {
                facts(&[
                    ("organisation", found.legal_name.to_string()),
                    ("identifier", found.identifier.to_string()),
                    ("id", found.id.to_string()),
                    ("state", found.state.to_string()),
                    ("branch offices", branches.to_string()),
                ])
            });
            Ok(())
        }
    }
}

pub(crate) fn run_branch(
    command: BranchCommand,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        BranchCommand::Pause(args) => closing::step(&args, BranchStep::Pause, config, output),
        BranchCommand::Reopen(args) => closing::step(&args, BranchStep::Reopen, config, output),
        BranchCommand::Finish(args) => closing::step(&args, BranchStep::Finish, config, output),
        BranchCommand::Close(args) => closing::close_branch(&args, config, output),
        BranchCommand::Import { file, org } => {
            let env = wire::env(config)?;
            let permit = wire::shell().permit(env.clock.now())?;
            let org = match org {
                Some(org) => Some(find_organisation(&env.store, &org)?.identifier.to_string()),
                None => None,
            };
            let report = import_branches(&env, &permit, org.as_deref(), &read(&file)?);
            imported(report, &file, "branches", output)
        }
        BranchCommand::List { org, search } => list_branches(&org, &search, config, output),
        BranchCommand::Show { branch, org } => {
            let store = wire::store(config)?;
            let found = find_branch(&store, &branch, org.as_deref())?;
            output.result("branch", branch_json(&found), || branch_text(&found));
            Ok(())
        }
    }
}

/// A file's octets; `-` is standard input.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let wrong = |error: std::io::Error| Failure::file(file.display(), &error);
    if file.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin(), &mut bytes).map_err(wrong)?;
        return Ok(bytes);
    }
    fs::read(file).map_err(wrong)
}

fn imported(
    report: Result<ImportReport, ImportError>,
    file: &Path,
    what: &str,
    output: &Output,
) -> Result<(), Failure> {
    let report = report.map_err(|error| Failure::from(error).at(file.display()))?;
    let value = json!({ "file": file, "recorded": report.recorded, "what": what });
    output.result("import", value, || format!("{} {what} recorded", report.recorded));
    Ok(())
}

fn list_organisations(search: &str, config: &Config, output: &Output) -> Result<(), Failure> {
    let store = wire::store(config)?;
    let mut found = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = store
            .read(|tx| tx.list_organisations(&Scope::Platform, search, after.as_deref(), PAGE))?;
        found.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let all: Vec<Value> =
        found.iter().map(|row| organisation_json(&row.organisation, row.branches)).collect();
    output.result("organisation-list", json!({ "organisations": all }), || {
        let line = |row: &tenkoku_store::OrganisationSummary| {
            let Organisation { identifier, legal_name, state, .. } = &row.organisation;
            format!("{identifier}  {legal_name}  {state}  {} branches\n", row.branches)
        };
        found.iter().map(line).collect()
    });
    Ok(())
}

fn list_branches(org: &str, search: &str, config: &Config, output: &Output) -> Result<(), Failure> {
    let store = wire::store(config)?;
    let organisation = find_organisation(&store, org)?;
    let filter = BranchFilter { search: search.to_owned() };
    let mut found = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = store.read(|tx| {
            let id = &organisation.id;
            tx.list_branches(&Scope::Platform, id, &filter, after.as_deref(), PAGE)
        })?;
        found.extend(page.items.into_iter().map(|row| row.branch));
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let all: Vec<Value> = found.iter().map(branch_json).collect();
    output.result("branch-list", json!({ "branches": all }), || {
        let line = |branch: &Branch| {
            let latin = branch.latin_name.as_ref().map_or("", |name| name.as_str());
            format!("{}  {}  {latin}  {}\n", branch.code, branch.name, branch.state)
        };
        found.iter().map(line).collect()
    });
    Ok(())
}

/// An organisation by identifier, corporate number or id.
pub(crate) fn find_organisation(store: &Store, name: &str) -> Result<Organisation, Failure> {
    if let Ok(id) = tenkoku_domain::id::OrganisationId::parse(name) {
        return store
            .read(|tx| tx.load_organisation(&Scope::Platform, &id))
            .map_err(|error| Failure::from(error).named(name));
    }
    let number = name.len() == 13 && name.bytes().all(|b| b.is_ascii_digit());
    let identifier = if number { format!("NTRJP-{name}") } else { name.to_owned() };
    let found =
        store.read(|tx| tx.find_organisation_by_identifier(&Scope::Platform, &identifier))?;
    found.ok_or_else(|| Failure::nothing("organisation", name))
}

/// A branch by id, or by code within an organisation; without one the code must be the only one.
pub(crate) fn find_branch(store: &Store, name: &str, org: Option<&str>) -> Result<Branch, Failure> {
    if let Ok(id) = tenkoku_domain::id::BranchId::parse(name) {
        return store
            .read(|tx| tx.load_branch(&Scope::Platform, &id))
            .map_err(|error| Failure::from(error).named(name));
    }
    let code = BranchCode::parse(name)?;
    let mut found = match org {
        Some(org) => {
            let organisation = find_organisation(store, org)?;
            let branch = store
                .read(|tx| tx.find_branch_by_code(&Scope::Platform, &organisation.id, &code))?;
            branch.into_iter().collect()
        }
        None => store.read(|tx| tx.find_branches_by_code(&Scope::Platform, &code))?,
    };
    match (found.pop(), found.len()) {
        (Some(branch), 0) => Ok(branch),
        (None, _) => Err(Failure::nothing("branch", name)),
        (Some(_), others) => Err(Failure::problem("word-unknown", exit::USAGE)
            .with("word", name)
            .with("allowed", format!("{} branches have this code: add --org", others + 1))),
    }
}

pub(crate) fn organisation_json(organisation: &Organisation, branches: i64) -> Value {
    json!({
        "id": organisation.id,
        "identifier": organisation.identifier,
        "legal_name": organisation.legal_name,
        "latin_name": organisation.latin_name,
        "state": organisation.state,
        "branches": branches,
    })
}

pub(crate) fn branch_json(branch: &Branch) -> Value {
    json!({
        "id": branch.id,
        "organisation": branch.organisation,
        "code": branch.code,
        "kind": branch.kind,
        "name": branch.name,
        "latin_name": branch.latin_name,
        "custodian": branch.custodian,
        "address": branch.address,
        "state": branch.state,
    })
}

pub(crate) fn branch_text(branch: &Branch) -> String {
    let custodian =
        branch.custodian.as_ref().map_or("-".to_owned(), |c| format!("{} <{}>", c.name, c.email));
    facts(&[
        ("branch", format!("{} {}", branch.code, branch.name)),
        ("id", branch.id.to_string()),
        ("state", branch.state.to_string()),
        ("custodian", custodian),
    ])
}

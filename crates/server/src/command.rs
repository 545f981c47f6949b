//! The command line: `tenkoku` + noun + verb (UX 12). Each command parses, calls one use case,
//! prints.

mod audit;
mod authority;
mod backup;
mod batch;
mod block;
mod bulk;
mod ceremony;
mod certificate;
mod claim;
mod closing;
mod config;
mod container;
mod crl;
mod danger;
mod database;
mod delegation;
mod demo;
mod doctor;
mod emergency;
mod evidence;
mod explain;
mod hold;
mod hsm;
mod incident;
pub(crate) mod init;
mod instance;
mod job;
mod key;
mod keyfeed;
mod list;
mod mail;
mod manual;
mod ocsp;
mod order;
mod pack;
pub(crate) mod path;
mod person;
mod policy;
mod proof;
mod proofing;
mod proposal;
mod registry;
pub(crate) mod serve;
mod service;
mod user;
mod vendor_root;
mod wishes;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tenkoku_domain::organisation::Language;

use crate::config::{Config, FILE_NAME, default_data};
use crate::failure::Failure;
use crate::output::Output;

/// Electronic seals: certificate authority, status service and trusted lists.
#[derive(Debug, Parser)]
#[command(name = "tenkoku", version, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "Examples:
  tenkoku init --evaluation
  tenkoku org import organisations.csv
  tenkoku issue --branch BR-0002 --org NTRJP-7123456789012 --level 2 --key branch.key --out branch.pem
  tenkoku revoke 4F00…A1 --reason key-exposed --yes
  tenkoku serve

Exit codes: 0 done, 1 refused or failed, 2 usage, 4 nothing found, 5 needs a second person, 70 internal.")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command understands.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The data folder [default: var]
    #[arg(long, global = true, env = "TENKOKU_DATA", value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// The configuration file [default: tenkoku.toml in the data folder]
    #[arg(long, global = true, env = "TENKOKU_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// For people or for machines
    #[arg(long, global = true, env = "TENKOKU_FORMAT", value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
    /// No progress on standard error
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Language of messages [default: from the locale]
    #[arg(long, global = true, env = "TENKOKU_LANG", value_enum)]
    pub(crate) lang: Option<Lang>,
}

/// The form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Human,
    /// For machines; the schema is named and versioned.
    Json,
}

/// The language of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    /// Japanese.
    Ja,
    /// English.
    En,
}

impl Lang {
    pub(crate) const fn language(self) -> Language {
        match self {
            Self::Ja => Language::Ja,
            Self::En => Language::En,
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an installation: configuration, database, key store
    Init(init::InitArgs),
    /// Serve the public pages, the status services and the console
    Serve {
        /// What this node does: everything, or OCSP answers only
        #[arg(long, value_enum, default_value_t = serve::Role::All)]
        role: serve::Role,
    },
    /// Check configuration, database, keys, lists and listeners
    Doctor,
    /// Certificate authorities
    #[command(subcommand)]
    Ca(authority::CaCommand),
    /// Key ceremonies, and the bundles of an offline root
    #[command(subcommand)]
    Ceremony(ceremony::CeremonyCommand),
    /// What is done when an authority's key is exposed
    #[command(subcommand)]
    Emergency(emergency::EmergencyCommand),
    /// Organisations
    #[command(subcommand)]
    Org(registry::OrgCommand),
    /// Branch offices
    #[command(subcommand)]
    Branch(registry::BranchCommand),
    /// Persons, representatives and delegates
    #[command(subcommand)]
    Person(person::PersonCommand),
    /// Grants of a representative's authority
    #[command(subcommand)]
    Delegation(delegation::DelegationCommand),
    /// How identities were checked
    #[command(subcommand)]
    Proofing(proofing::ProofingCommand),
    /// Whose certificates and statements about people are believed
    #[command(subcommand)]
    Issuer(proofing::IssuerCommand),
    /// Apply for a branch's certificate; possession of the key is shown afterwards
    Apply(order::ApplyArgs),
    /// Applications
    #[command(subcommand)]
    Application(order::ApplicationCommand),
    /// Issue the certificate of an application, or apply, show possession and issue in one step
    Issue(order::IssueArgs),
    /// Revoke a certificate
    Revoke(order::RevokeArgs),
    /// Put a certificate on hold
    Suspend(hold::SuspendArgs),
    /// Lift a hold before its limit
    Release(hold::ReleaseArgs),
    /// Bring a certificate into use: its new key answers a challenge
    #[command(subcommand)]
    Acknowledge(hold::AcknowledgeCommand),
    /// Keys of seals: their dates, rotation, retirement, loss, destruction
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Further places of use of a seal, each with its own key
    #[command(subcommand)]
    Instance(instance::InstanceCommand),
    /// Lists of branch offices that are applied for as a whole
    #[command(subcommand)]
    Batch(batch::BatchCommand),
    /// Revocations of many certificates
    #[command(subcommand)]
    Bulk(bulk::BulkCommand),
    /// Certificates
    #[command(subcommand)]
    Certificate(certificate::CertificateCommand),
    /// Certificate revocation lists
    #[command(subcommand)]
    Crl(crl::CrlCommand),
    /// OCSP answers
    #[command(subcommand)]
    Ocsp(ocsp::OcspCommand),
    /// The key-management policy
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Containers of keys: devices, tokens, files
    #[command(subcommand)]
    Container(container::ContainerCommand),
    /// Roots of vendors whose key devices attest keys
    #[command(subcommand)]
    VendorRoot(vendor_root::VendorRootCommand),
    /// Trusted lists
    #[command(subcommand, visible_alias = "list")]
    Trustlist(list::ListCommand),
    /// Certification paths
    #[command(subcommand)]
    Path(path::PathCommand),
    /// What people must look into because of a key
    #[command(subcommand)]
    Incident(incident::IncidentCommand),
    /// The runs of the nightly checks
    #[command(subcommand)]
    Job(job::JobCommand),
    /// Known-key feeds between authorities
    #[command(subcommand)]
    Keyfeed(keyfeed::KeyfeedCommand),
    /// Accreditations that certificates may claim
    #[command(subcommand)]
    Claim(claim::ClaimCommand),
    /// Acts that wait for other persons
    #[command(subcommand)]
    Proposal(proposal::ProposalCommand),
    /// Packs of evidence about one credential
    #[command(subcommand)]
    Evidence(pack::PackCommand),
    /// The audit trail
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Accounts of the console
    #[command(subcommand)]
    User(user::UserCommand),
    /// Service accounts: tokens that systems call the API with
    #[command(subcommand)]
    Service(service::ServiceCommand),
    /// Letters
    #[command(subcommand)]
    Mail(mail::MailCommand),
    /// The configuration
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// The database
    #[command(subcommand)]
    Db(database::DbCommand),
    /// Write everything into one encrypted file, also while serving
    Backup(backup::BackupArgs),
    /// Restore a backup into an empty place, or rehearse it
    Restore(backup::RestoreArgs),
    /// Material for tests of an evaluation
    #[command(subcommand)]
    Demo(demo::DemoCommand),
    /// Key devices (HSM)
    #[command(subcommand)]
    Hsm(hsm::HsmCommand),
    /// Print the completion of a shell
    Completion(manual::CompletionArgs),
    /// Write the manual pages of every command into a folder
    Man(manual::ManArgs),
    /// Explain an error code
    Explain(explain::ExplainArgs),
}

/// Where the installation is.
pub(crate) struct Place {
    /// The data folder.
    pub(crate) data: PathBuf,
    /// The configuration file.
    pub(crate) file: PathBuf,
}

impl Global {
    fn place(&self) -> Place {
        let data = self.data.clone().unwrap_or_else(default_data);
        let file = self.config.clone().unwrap_or_else(|| data.join(FILE_NAME));
        Place { data, file }
    }
}

/// Runs a command.
pub(crate) fn run(cli: Cli, output: &Output) -> Result<(), Failure> {
    let place = cli.global.place();
    let config = || Config::load(&place.file).map_err(Failure::from);
    match cli.command {
        Command::Init(args) => init::run(&args, &place, output),
        Command::Explain(args) => explain::run(&args, output),
        Command::Completion(args) => {
            manual::run_completion(&args, output);
            Ok(())
        }
        Command::Man(args) => manual::run_man(&args, output),
        Command::Path(command) => path::run(&command, output),
        Command::Config(command) => config::run(&command, &place, output),
        Command::Hsm(command) => hsm::run(&command, &place, output),
        Command::Serve { role } => serve::run(config()?, role, output),
        Command::Doctor => doctor::run(&config()?, output),
        Command::Ca(command) => authority::run(command, &config()?, output),
        Command::Ceremony(command) => ceremony::run(command, &config()?, output),
        Command::Emergency(command) => emergency::run(&command, &config()?, output),
        Command::Org(command) => registry::run_org(command, &config()?, output),
        Command::Branch(command) => registry::run_branch(command, &config()?, output),
        Command::Person(command) => person::run(command, &config()?, output),
        Command::Delegation(command) => delegation::run(command, &config()?, output),
        Command::Proofing(command) => proofing::run_proofing(command, &config()?, output),
        Command::Issuer(command) => proofing::run_issuer(command, &config()?, output),
        Command::Apply(args) => order::run_apply(&args, &config()?, output),
        Command::Application(command) => order::run_application(command, &config()?, output),
        Command::Issue(args) => order::run_issue(&args, &config()?, output),
        Command::Revoke(args) => order::run_revoke(&args, &config()?, output),
        Command::Suspend(args) => hold::run_suspend(&args, &config()?, output),
        Command::Release(args) => hold::run_release(&args, &config()?, output),
        Command::Acknowledge(command) => hold::run_acknowledge(command, &config()?, output),
        Command::Key(command) => key::run(command, &config()?, output),
        Command::Instance(command) => instance::run(command, &config()?, output),
        Command::Job(command) => job::run(&command, &config()?, output),
        Command::Batch(command) => batch::run(&command, &config()?, output),
        Command::Bulk(command) => bulk::run(&command, &config()?, output),
        Command::Certificate(command) => certificate::run(command, &config()?, output),
        Command::Crl(command) => crl::run(command, &config()?, output),
        Command::Ocsp(command) => ocsp::run(command, &config()?, output),
        Command::Policy(command) => policy::run(command, &config()?, output),
        Command::Trustlist(command) => list::run(command, config, output),
        Command::Container(command) => container::run(command, &config()?, output),
        Command::VendorRoot(command) => vendor_root::run(command, &config()?, output),
        Command::Incident(command) => incident::run(command, &config()?, output),
        Command::Keyfeed(command) => keyfeed::run(command, &config()?, output),
        Command::Claim(command) => claim::run(command, &config()?, output),
        Command::Proposal(command) => proposal::run(command, &config()?, output),
        Command::Evidence(command) => pack::run(&command, config, output),
        Command::Audit(command) => audit::run(command, &config()?, output),
        Command::User(command) => user::run(command, &config()?, output),
        Command::Service(command) => service::run(&command, &config()?, output),
        Command::Mail(command) => mail::run(command, &config()?, output),
        Command::Db(command) => database::run(&command, &config()?, output),
        Command::Backup(args) => backup::run_backup(&args, &config()?, output),
        Command::Restore(args) => backup::run_restore(&args, &place, output),
        Command::Demo(command) => demo::run(&command, &config()?, output),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// What contradicts itself in a command is found here, and not by whoever types it.
    #[test]
    fn every_command_s_words_fit_together() {
        Cli::command().debug_assert();
    }
}

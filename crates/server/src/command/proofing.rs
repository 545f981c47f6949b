//! `tenkoku proofing` and `tenkoku issuer`: how identities were checked, and whose certificates and
//! statements are believed.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tenkoku_ca::issuer::{IssuerOrder, SignedFile, decide_issuer, end_issuer, propose_issuer};
use tenkoku_ca::proofing::{Finding, ProofingOrder, record_proofing, statement};
use tenkoku_domain::access::Scope;
use tenkoku_domain::approval::Verdict;
use tenkoku_domain::audit::ObjectRef;
use tenkoku_domain::id::IssuerId;
use tenkoku_domain::issuer::{IssuerUse, TrustedIssuer};
use tenkoku_domain::level::Level;
use tenkoku_domain::proofing::{Method, ProofingRecord, Subject};
use tenkoku_pki::pem;
use tenkoku_ports::Env;

use super::person::{evidence, instant, parse_person};
use super::registry::{find_branch, find_organisation, read};
use super::user::{request_json, request_text, ruling};
use crate::config::Config;
use crate::failure::{Failure, exit};
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku proofing`
#[derive(Debug, Subcommand)]
pub(crate) enum ProofingCommand {
    /// Record that an identity was checked; applications that waited for it go on
    Add(AddArgs),
    /// List the records of an organisation
    List {
        /// The organisation: identifier, corporate number or id
        #[arg(long)]
        org: String,
    },
    /// Print the text that a representative or a trusted issuer signs about a person
    Text {
        /// The organisation: identifier, corporate number or id
        #[arg(long)]
        org: String,
        /// The person: per_…
        #[arg(long)]
        person: String,
    },
}

/// `tenkoku proofing add`
#[derive(Debug, Args)]
#[command(after_help = "Methods: P1 register look-up, P2 register extract, P3 certificate of the
representative, P4 statement of a trusted issuer, P5 restricted post or in person, P6 LEI entry,
P7 attestation letter, P8 control of a mailbox, P9 evidence about a branch.

Examples:
  tenkoku proofing add --org NTRJP-7123456789012 --method P2 --file extract.pdf
  tenkoku proofing add --org NTRJP-7123456789012 --branch BR-0002 --method P9 --file lease.pdf
  tenkoku proofing text --org NTRJP-7123456789012 --person per_… > statement.json
  tenkoku proofing add --org NTRJP-7123456789012 --person per_… --method P3 \\
    --signature statement.p7s --crl register.crl")]
pub(crate) struct AddArgs {
    /// The organisation: identifier, corporate number or id
    #[arg(long)]
    org: String,
    /// A person: per_…
    #[arg(long, conflicts_with = "branch")]
    person: Option<String>,
    /// A branch office: code or id
    #[arg(long)]
    branch: Option<String>,
    /// The method: P1 to P9
    #[arg(long)]
    method: String,
    /// The level reached [default: the highest that the method can reach]
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=3))]
    level: Option<u8>,
    /// Until when: 2027-11-22T00:00:00Z [default: as long as the method allows]
    #[arg(long)]
    until: Option<String>,
    /// What was seen; may stand several times
    #[arg(long, value_name = "FILE")]
    file: Vec<PathBuf>,
    #[command(flatten)]
    signed: SignedArgs,
}

/// A signature with a certificate, and what its path needs.
#[derive(Debug, Args)]
pub(crate) struct SignedArgs {
    /// A detached CMS signature, PEM or DER
    #[arg(long, value_name = "FILE")]
    pub(crate) signature: Option<PathBuf>,
    /// A certificate between signer and issuer; may stand several times
    #[arg(long, value_name = "FILE")]
    intermediate: Vec<PathBuf>,
    /// A revocation list; may stand several times
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
}

impl SignedArgs {
    /// The files, read.
    pub(crate) fn load(&self) -> Result<Option<SignedFile>, Failure> {
        let Some(signature) = &self.signature else { return Ok(None) };
        let der = |files: &[PathBuf], label: &'static str| -> Result<Vec<Vec<u8>>, Failure> {
            files.iter().map(|file| decoded(file, label)).collect()
        };
        Ok(Some(SignedFile {
            signature: read(signature)?,
            intermediates: der(&self.intermediate, "CERTIFICATE")?,
            crls: der(&self.crl, "X509 CRL")?,
        }))
    }
}

/// The DER of a file that is PEM or DER.
fn decoded(file: &std::path::Path, label: &'static str) -> Result<Vec<u8>, Failure> {
    pem::decode(&read(file)?, &[label])
        .map_err(|error| Failure::word(&file.display().to_string(), &[label]).because(&error))
}

pub(crate) fn run_proofing(
    command: ProofingCommand,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    let env = wire::env(config)?;
    match command {
        ProofingCommand::Add(args) => {
            let order = order(&env, &args)?;
            let permit = wire::shell().permit(env.clock.now())?;
            let record = record_proofing(&env, &permit, &order)?;
            output.result("proofing", json!(record), || record_text(&record));
        }
        ProofingCommand::List { org } => {
            let organisation = find_organisation(&env.store, &org)?.id;
            let all = env.store.read(|tx| tx.list_proofings(&Scope::Platform, &organisation))?;
            output.result("proofing-list", json!({ "records": all }), || {
                all.iter().map(record_text).collect()
            });
        }
        ProofingCommand::Text { org, person } => {
            let organisation = find_organisation(&env.store, &org)?;
            let id = parse_person(&person)?;
            let person = env
                .store
                .read(|tx| tx.load_person(&id))
                .map_err(|error| Failure::from(error).named(&id))?;
            output.raw(statement(&organisation, &person)?.as_bytes());
        }
    }
    Ok(())
}

fn order(env: &Env, args: &AddArgs) -> Result<ProofingOrder, Failure> {
    let words: Vec<_> = Method::ALL.iter().map(|method| method.word()).collect();
    let method = Method::from_word(&args.method.to_ascii_uppercase())
        .ok_or_else(|| Failure::word(&args.method, &words))?;
    let subject = match (&args.person, &args.branch) {
        (Some(person), _) => Subject::Person(parse_person(person)?),
        (None, Some(branch)) => {
            Subject::Branch(find_branch(&env.store, branch, Some(&args.org))?.id)
        }
        (None, None) => Subject::Organisation,
    };
    let missing = || Failure::problem("flag-missing", exit::USAGE).with("flag", "--signature");
    let finding = match (method, args.signed.load()?) {
        (Method::P3, Some(signed)) => Finding::Certificate(signed),
        (Method::P4, Some(signed)) => Finding::Issuer(signed),
        (Method::P3 | Method::P4, None) => return Err(missing()),
        (method, _) => {
            let files = args.file.iter().map(|file| evidence(file)).collect::<Result<_, _>>()?;
            Finding::Files { method, files }
        }
    };
    Ok(ProofingOrder {
        organisation: find_organisation(&env.store, &args.org)?.id,
        subject,
        finding,
        level: args.level.map(Level::try_from).transpose().map_err(Failure::internal)?,
        valid_until: args.until.as_deref().map(instant).transpose()?,
    })
}

fn record_text(record: &ProofingRecord) -> String {
    let subject = match &record.subject {
        Subject::Organisation => "organisation".to_owned(),
        Subject::Person(id) => id.to_string(),
        Subject::Branch(id) => id.to_string(),
    };
    facts(&[
        ("proofing", record.id.to_string()),
        ("subject", subject),
        ("method", record.method.to_string()),
        ("level", record.level.to_string()),
        ("performed", record.performed_at.to_string()),
        ("valid until", record.valid_until.to_string()),
    ])
}

/// `tenkoku issuer`
#[derive(Debug, Subcommand)]
pub(crate) enum IssuerCommand {
    /// Propose an issuer whose certificates or statements are to be believed
    Add(IssuerArgs),
    /// List issuers
    List,
    /// Show what is to be approved about an issuer
    Show {
        /// The issuer
        issuer: String,
    },
    /// Approve an issuer that somebody else proposed
    Approve {
        /// The issuer
        issuer: String,
        /// The digest that was shown
        #[arg(long)]
        digest: String,
    },
    /// Refuse an issuer that somebody else proposed
    Refuse {
        /// The issuer
        issuer: String,
        /// The digest that was shown
        #[arg(long)]
        digest: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Believe an issuer no longer
    End {
        /// The issuer
        issuer: String,
    },
}

/// `tenkoku issuer add`
#[derive(Debug, Args)]
pub(crate) struct IssuerArgs {
    /// Its certificate, PEM or DER
    certificate: PathBuf,
    /// What people call it
    #[arg(long)]
    name: String,
    /// What it is believed for: representative, statement; several with commas
    #[arg(long, value_delimiter = ',', required = true)]
    uses: Vec<String>,
    /// The only organisation about whose people it is believed
    #[arg(long)]
    org: Option<String>,
    /// Until when: 2027-11-22T00:00:00Z
    #[arg(long)]
    until: String,
}

pub(crate) fn run_issuer(
    command: IssuerCommand,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let now = env.clock.now();
    let told = |issuer: &TrustedIssuer| {
        output.result("trusted-issuer", json!(issuer), || issuer_text(issuer));
    };
    match command {
        IssuerCommand::Add(args) => {
            let words: Vec<_> = IssuerUse::ALL.iter().map(|used| used.word()).collect();
            let used = |word: &String| {
                IssuerUse::from_word(word).ok_or_else(|| Failure::word(word, &words))
            };
            let organisation = match &args.org {
                Some(org) => Some(find_organisation(&env.store, org)?.id),
                None => None,
            };
            let order = IssuerOrder {
                name: args.name.clone(),
                certificate: decoded(&args.certificate, "CERTIFICATE")?,
                uses: args.uses.iter().map(used).collect::<Result<BTreeSet<_>, _>>()?,
                organisation,
                until: instant(&args.until)?,
            };
            told(&propose_issuer(&env, &wire::shell().permit(now)?, &order)?);
        }
        IssuerCommand::List => {
            let all = env.store.read(|tx| tx.list_issuers())?;
            let rows: Vec<Value> = all.iter().map(|one| json!(one)).collect();
            output.result("trusted-issuer-list", json!({ "issuers": rows }), || {
                all.iter().map(issuer_text).collect()
            });
        }
        IssuerCommand::Show { issuer } => {
            let id = parse_issuer(&issuer)?;
            let object = ObjectRef::new("trusted-issuer", &id);
            let request = env.store.read(|tx| tx.find_approval_request(&object))?;
            let request = request.ok_or_else(|| Failure::nothing("request", &issuer))?;
            output.result("approval-request", request_json(&request), || request_text(&request));
        }
        IssuerCommand::Approve { issuer, digest } => {
            let ruling = ruling(&digest, Verdict::Approved, "")?;
            let id = parse_issuer(&issuer)?;
            told(&decide_issuer(&env, &wire::shell().permit(now)?, &id, &ruling)?);
        }
        IssuerCommand::Refuse { issuer, digest, reason } => {
            let ruling = ruling(&digest, Verdict::Rejected, &reason)?;
            let id = parse_issuer(&issuer)?;
            told(&decide_issuer(&env, &wire::shell().permit(now)?, &id, &ruling)?);
        }
        IssuerCommand::End { issuer } => {
            told(&end_issuer(&env, &wire::shell().permit(now)?, &parse_issuer(&issuer)?)?);
        }
    }
    Ok(())
}

fn parse_issuer(text: &str) -> Result<IssuerId, Failure> {
    IssuerId::parse(text).map_err(|_| Failure::nothing("issuer", text))
}

fn issuer_text(issuer: &TrustedIssuer) -> String {
    let uses: Vec<_> = issuer.uses.iter().map(|one| one.word()).collect();
    facts(&[
        ("issuer", issuer.id.to_string()),
        ("name", issuer.name.to_string()),
        ("uses", uses.join(", ")),
        ("until", issuer.until.to_string()),
        ("state", issuer.state.to_string()),
    ])
}

//! `tenkoku ceremony`: the file of a ceremony, the ceremony itself, and the bundles that go to an
//! offline root and back.

mod attend;
mod report;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tenkoku_ca::authority::{AuthorityError, ceremony_rules};
use tenkoku_ca::ceremony::{Deeds, run_ceremony};
use tenkoku_ca::exchange::{
    RequestOrder, answer_request, import_answer, read_bundle, request_signatures, write_bundle,
};
use tenkoku_console::text::Words;
use tenkoku_domain::access::{OperateAuthority, Permit};
use tenkoku_domain::authority::{AuthorityCode, Custody, ServiceKind, ShardCount};
use tenkoku_domain::ceremony::record::{CeremonyRecord, Output as Outcome};
use tenkoku_domain::ceremony::script::{self, ScriptError};
use tenkoku_domain::ceremony::template::{OfflineIssuer, Wish, script as make_script};
use tenkoku_domain::ceremony::{
    Ceremony, CeremonyKind, CeremonyRole, Consent, CrossWish, NewAuthority, Participant, Subject,
};
use tenkoku_domain::exchange::{Answer, Request, Sealed};
use tenkoku_domain::id::CeremonyId;
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::level::Level;
use tenkoku_domain::name::Name;
use tenkoku_domain::organisation::Language;
use tenkoku_ports::Env;
use tenkoku_publisher::publish::renew_lists;
use tenkoku_responder::crl::{current_crl, issue_crl};

use self::attend::Attending;
use super::authority::{find, last_crl, of_crl, write_certificates};
use super::container::parse_container;
use super::order::parse_id;
use crate::config::{Config, SAMPLE_OPERATOR};
use crate::failure::{Failure, exit};
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku ceremony`
#[derive(Debug, Subcommand)]
pub(crate) enum CeremonyCommand {
    /// Print the file of a new ceremony
    New(Box<NewArgs>),
    /// Read a ceremony's file and explain it in words
    Check {
        /// The file
        file: PathBuf,
    },
    /// Hold a ceremony, step by step
    Run {
        /// The file
        file: PathBuf,
        /// Ticks prepared in a file, instead of the terminal
        #[arg(long)]
        ticks: Option<PathBuf>,
        /// key-generation-witnessed: the request of the key, where it will lie when the key is made
        #[arg(long, value_name = "FILE")]
        csr: Option<PathBuf>,
    },
    /// List the ceremonies and the requests that wait for an answer
    List,
    /// Ask an offline root: writes a request bundle for a removable medium
    Request {
        /// Code of the root
        #[arg(long)]
        root: String,
        /// Another root that it shall certify
        #[arg(long)]
        cross: Option<String>,
        /// Where the bundle goes
        #[arg(long)]
        out: PathBuf,
    },
    /// Answer a request bundle with the offline root, in an offline-sign ceremony
    Answer(AnswerArgs),
    /// Import the answer of an offline root
    Import {
        /// The answer bundle
        bundle: PathBuf,
        /// The code that was compared by voice
        #[arg(long)]
        code: String,
    },
    /// Print the record of a ceremony, as JSON or as a page to print
    Report {
        /// The ceremony's id
        id: String,
        /// Write a page to print into this file
        #[arg(long)]
        html: Option<PathBuf>,
    },
}

/// `tenkoku ceremony answer`
#[derive(Debug, Args)]
pub(crate) struct AnswerArgs {
    /// The request bundle
    bundle: PathBuf,
    /// The code that was compared by voice
    #[arg(long)]
    code: String,
    /// The file of the offline-sign ceremony
    #[arg(long)]
    ceremony: PathBuf,
    /// Ticks prepared in a file, instead of the terminal
    #[arg(long)]
    ticks: Option<PathBuf>,
    /// Where the answer goes
    #[arg(long)]
    out: PathBuf,
}

/// `tenkoku ceremony new`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tenkoku ceremony new --kind root-generation --code root-g1 --name 'Sample Root CA G1' \\
      --leader 'Sato Megumi' --officer 'Suzuki Ichiro' --witness 'Takahashi Hana' \\
      --auditor 'Tanaka Minoru' > root.toml
  tenkoku ceremony new --kind issuing-generation --service tsa --code tsa-g1 --issuer root-g1 \
      --name 'Sample TSA Issuing CA G1' --leader … > tsa.toml
  tenkoku ceremony new --kind rollover --authority seal-l2-g1 --leader … > rollover.toml
  tenkoku ceremony new --kind key-generation-witnessed --application app_01J… \
      --container ctr_01J… --leader 'Sato Megumi' --auditor 'Tanaka Minoru' > key.toml
  tenkoku ceremony run key.toml --csr proof.csr
  tenkoku application prove app_01J… --csr proof.csr --ceremony crm_01J…")]
pub(crate) struct NewArgs {
    /// Kind: root-generation, issuing-generation, rollover, cross-certify, offline-sign,
    /// destruction, activation, key-generation-witnessed
    #[arg(long)]
    kind: String,
    /// Who leads
    #[arg(long)]
    leader: String,
    /// Who acts besides the leader
    #[arg(long)]
    officer: Vec<String>,
    /// Who watches
    #[arg(long)]
    witness: Vec<String>,
    /// The auditor
    #[arg(long)]
    auditor: Vec<String>,
    /// Where the recording is kept
    #[arg(long)]
    recording: Option<String>,
    /// Code of a new authority
    #[arg(long)]
    code: Option<String>,
    /// Common name of a new authority, ending with its generation
    #[arg(long)]
    name: Option<String>,
    /// Level of a new issuing authority; without it and --service, a policy authority is made
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=3))]
    level: Option<u8>,
    /// Whom a new service authority issues to: tsa (time-stamping units) or internal
    /// (administrators and audit signers)
    #[arg(long, value_name = "SERVICE", conflicts_with_all = ["level", "organisation"])]
    service: Option<String>,
    /// Generation of a new authority
    #[arg(long, default_value_t = 1)]
    generation: i32,
    /// Algorithm of a new key: P-384 or RSA-4096
    #[arg(long, default_value = "P-384")]
    key: String,
    /// Validity in days [default: the most for its kind]
    #[arg(long)]
    days: Option<i64>,
    /// The authority that issues a new one
    #[arg(long)]
    issuer: Option<String>,
    /// Into how many lists the CRL of a new authority is cut: 1, 2, 4, 8 … 1024
    #[arg(long, value_name = "N", default_value = "1", value_parser = super::authority::shard_count)]
    crl_shards: ShardCount,
    /// The one organisation that a new issuing authority serves
    #[arg(long = "for", value_name = "ORG")]
    organisation: Option<String>,
    /// The authority that the ceremony is about
    #[arg(long)]
    authority: Option<String>,
    /// The application whose key is made before witnesses
    #[arg(long)]
    application: Option<String>,
    /// The registered container that it is made in
    #[arg(long)]
    container: Option<String>,
    /// The root that signs a cross-certificate
    #[arg(long)]
    by: Option<String>,
    /// Rollover of a root: certify each other in both directions
    #[arg(long)]
    cross: bool,
}

pub(crate) fn run(
    command: CeremonyCommand,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        CeremonyCommand::New(args) => new(&args, config, output),
        CeremonyCommand::Check { file } => check(&file, config, output),
        CeremonyCommand::Run { file, ticks, csr } => {
            hold(&file, ticks.as_deref(), csr, config, output)
        }
        CeremonyCommand::List => list(config, output),
        CeremonyCommand::Request { root, cross, out } => {
            request(&root, cross.as_deref(), &out, config, output)
        }
        CeremonyCommand::Answer(args) => answer(&args, config, output),
        CeremonyCommand::Import { bundle, code } => import(&bundle, &code, config, output),
        CeremonyCommand::Report { id, html } => report(&id, html.as_deref(), config, output),
    }
}

fn missing(flag: &str) -> Failure {
    Failure::problem("flag-missing", exit::USAGE).with("flag", flag)
}

fn code_of(flag: &str, text: Option<&String>) -> Result<AuthorityCode, Failure> {
    Ok(AuthorityCode::parse(text.ok_or_else(|| missing(flag))?)?)
}

fn new(args: &NewArgs, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let words: Vec<&str> = CeremonyKind::ALL.iter().map(|kind| kind.word()).collect();
    let kind =
        CeremonyKind::from_word(&args.kind).ok_or_else(|| Failure::word(&args.kind, &words))?;
    let subject = subject(kind, args)?;
    let ceremony = make_script(Wish {
        id: CeremonyId::new(env.clock.now(), &*env.entropy),
        kind,
        language: output.language,
        installation: config.settings.installation,
        roles: roles(args)?,
        recording: args.recording.clone(),
        offline_issuer: issuer_place(&env, &subject)?,
        subject,
    });
    ceremony.check_persons(&ceremony_rules(&env)?)?;
    output.raw(script::write(&ceremony).map_err(|e| wrong("-", &e))?.as_bytes());
    Ok(())
}

fn roles(args: &NewArgs) -> Result<Vec<Participant>, Failure> {
    let leader = std::slice::from_ref(&args.leader);
    let groups = [
        (CeremonyRole::Leader, leader),
        (CeremonyRole::Officer, &args.officer[..]),
        (CeremonyRole::Witness, &args.witness[..]),
        (CeremonyRole::Auditor, &args.auditor[..]),
    ];
    let mut roles = Vec::new();
    for (role, names) in groups {
        for name in names {
            roles.push(Participant { role, person: Name::parse(name)? });
        }
    }
    Ok(roles)
}

fn subject(kind: CeremonyKind, args: &NewArgs) -> Result<Subject, Failure> {
    use tenkoku_domain::authority::AuthorityKind;
    let authority = || code_of("--authority", args.authority.as_ref());
    match kind {
        CeremonyKind::RootGeneration | CeremonyKind::IssuingGeneration => {
            let made = match (kind, args.level, &args.service) {
                (CeremonyKind::RootGeneration, _, _) => AuthorityKind::Root,
                (_, Some(level), _) => {
                    AuthorityKind::Issuing(Level::try_from(level).map_err(Failure::internal)?)
                }
                (_, None, Some(service)) => AuthorityKind::Service(parse_service(service)?),
                (_, None, None) => AuthorityKind::Policy,
            };
            Ok(Subject::Create(Box::new(NewAuthority {
                code: code_of("--code", args.code.as_ref())?,
                kind: made,
                generation: args.generation,
                name: Name::parse(args.name.as_ref().ok_or_else(|| missing("--name"))?)?,
                algorithm: KeyAlgorithm::parse(&args.key)
                    .map_err(|_| Failure::word(&args.key, &["P-384", "RSA-4096"]))?,
                days: args.days,
                issuer: args.issuer.as_deref().map(AuthorityCode::parse).transpose()?,
                organisation: args.organisation.clone(),
                crl_shards: args.crl_shards,
            })))
        }
        CeremonyKind::Rollover => {
            let cross = if args.cross { CrossWish::Both } else { CrossWish::None };
            Ok(Subject::Rollover { authority: authority()?, cross })
        }
        CeremonyKind::CrossCertify => {
            Ok(Subject::Cross { certified: authority()?, by: code_of("--by", args.by.as_ref())? })
        }
        CeremonyKind::OfflineSign | CeremonyKind::Destruction | CeremonyKind::Activation => {
            Ok(Subject::Authority { authority: authority()? })
        }
        CeremonyKind::WitnessedKey => {
            let named = |flag, value: &Option<String>| value.clone().ok_or_else(|| missing(flag));
            Ok(Subject::SealKey {
                application: parse_id(&named("--application", &args.application)?)?,
                container: parse_container(&named("--container", &args.container)?)?,
            })
        }
    }
}

fn parse_service(text: &str) -> Result<ServiceKind, Failure> {
    let words: Vec<&str> = ServiceKind::ALL.iter().map(|kind| kind.word()).collect();
    ServiceKind::from_word(text).ok_or_else(|| Failure::word(text, &words))
}

pub(crate) fn parse_ceremony(id: &str) -> Result<CeremonyId, Failure> {
    CeremonyId::parse(id).map_err(|_| Failure::nothing("ceremony", id))
}

/// Where the key is that will sign the new authority's certificate.
fn issuer_place(env: &Env, subject: &Subject) -> Result<OfflineIssuer, Failure> {
    let issuer = match subject {
        Subject::Create(new) => new.issuer.as_ref().map(|code| code.as_str().to_owned()),
        Subject::Rollover { authority, .. } => {
            find(&env.store, authority.as_str())?.issuer.map(|id| id.to_string())
        }
        Subject::Cross { .. } | Subject::Authority { .. } | Subject::SealKey { .. } => None,
    };
    let Some(issuer) = issuer else { return Ok(OfflineIssuer::Here) };
    let found = find(&env.store, &issuer)?;
    Ok(match found.custody {
        Custody::Online => OfflineIssuer::Here,
        Custody::Offline => OfflineIssuer::Elsewhere,
    })
}

/// Reads a file that people wrote.
fn read(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file).map_err(|error| Failure::file(file.display(), &error))
}

fn wrong(file: impl std::fmt::Display, error: &ScriptError) -> Failure {
    let failure = Failure::problem("config-malformed", exit::REFUSED);
    match error {
        ScriptError::UnknownKey { line, key, nearest } => {
            let failure = Failure::problem("config-unknown-key", exit::REFUSED)
                .with("file", file)
                .with("line", line)
                .with("key", key);
            nearest.iter().fold(failure, |failure, nearest| failure.with("nearest", nearest))
        }
        ScriptError::Malformed { line, problem } => {
            failure.with("file", file).with("line", line).with("detail-text", problem)
        }
        ScriptError::Value { key, problem } => {
            failure.with("key", key).with("detail-text", problem)
        }
        ScriptError::TooLarge => {
            Failure::problem("too-large", exit::REFUSED).with("limit", "256 KiB")
        }
    }
}

fn load(file: &Path) -> Result<Ceremony, Failure> {
    script::read(&read(file)?).map_err(|error| wrong(file.display(), &error))
}

fn check(file: &Path, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let ceremony = load(file)?;
    ceremony.check_persons(&ceremony_rules(&env)?)?;
    let value = json!({ "ceremony": ceremony, "digest": ceremony.digest()? });
    output.result("ceremony", value, || explained(&ceremony, output.language));
    Ok(())
}

/// The ceremony in words, in the reader's language; the steps as the file has them.
fn explained(ceremony: &Ceremony, language: Language) -> String {
    let w = Words::of(language);
    let role = |role: CeremonyRole| w.word("cli-ceremony.role", role.word()).to_owned();
    let head = w
        .say("cli-ceremony.head")
        .with("title", &ceremony.title)
        .with("kind", w.word("cli-ceremony.kind", ceremony.kind.word()))
        .with("steps", ceremony.steps.len())
        .text();
    let people = ceremony
        .roles
        .iter()
        .map(|participant| format!("  {}: {}", role(participant.role), participant.person));
    let steps = ceremony.steps.iter().map(|step| {
        let (number, who) = (step.number, role(step.who));
        format!("{number:>3}. {} ({who})\n     → {}", step.instruction, step.expect)
    });
    std::iter::once(head).chain(people).chain(steps).collect::<Vec<_>>().join("\n")
}

/// A production installation whose operator is still the sample's makes no authority.
fn refuse_sample(config: &Config) -> Result<(), Failure> {
    let sample = config.settings.operator.identifier.as_str() == SAMPLE_OPERATOR;
    if sample && !config.is_evaluation() {
        return Err(Failure::problem("config-malformed", exit::REFUSED)
            .with("key", "operator.identifier")
            .with("detail-text", "this is the sample's; write your own [operator] and [scheme]"));
    }
    Ok(())
}

/// What a ceremony needs besides authorities: CRLs, the answer to a request, and the request of a
/// key that is made before witnesses.
struct Bench<'a> {
    env: &'a Env,
    answer: Option<AnswerCase<'a>>,
    csr: Option<PathBuf>,
}

/// The request that is answered, and where the answer goes.
struct AnswerCase<'a> {
    permit: &'a Permit<OperateAuthority>,
    request: &'a Sealed<Request>,
    code: &'a str,
    out: &'a Path,
}

impl Deeds for Bench<'_> {
    fn first_crl(&self, code: &AuthorityCode) -> Result<Vec<Outcome>, AuthorityError> {
        let crl = current_crl(self.env, code).map_err(of_crl)?;
        Ok(vec![Outcome::new("crl", crl.number), Outcome::new("next-update", crl.next_update)])
    }

    fn last_crl(&self, code: &AuthorityCode) -> Result<Vec<Outcome>, AuthorityError> {
        let crl = last_crl(self.env, code)?;
        Ok(vec![Outcome::new("crl", crl.number), Outcome::new("next-update", crl.next_update)])
    }

    fn answer(&self, consent: &Consent) -> Result<Vec<Outcome>, AuthorityError> {
        let Some(case) = &self.answer else {
            return Err(tenkoku_store::StoreError::NotFound { what: "request bundle" }.into());
        };
        let crl = |code: &AuthorityCode| {
            let permit = wire::shell().permit(self.env.clock.now())?;
            issue_crl(self.env, &permit, code).map_err(of_crl)
        };
        let sealed = answer_request(self.env, case.permit, case.request, case.code, consent, &crl)?;
        // The answer is in the database too; a medium that fails is written again from there.
        if let Err(error) = fs::write(case.out, write_bundle(&sealed)) {
            tracing::error!(file = %case.out.display(), %error, "the answer was not written");
        }
        Ok(vec![
            Outcome::new("request-code", case.request.code()?),
            Outcome::new("answer-code", sealed.code()?),
        ])
    }

    fn request(&self) -> Result<Vec<u8>, AuthorityError> {
        // It is read when the step is taken: the key was made a minute ago.
        let nothing = tenkoku_store::StoreError::NotFound { what: "certification request" };
        self.csr.as_ref().and_then(|file| fs::read(file).ok()).ok_or_else(|| nothing.into())
    }
}

fn hold(
    file: &Path,
    ticks: Option<&Path>,
    csr: Option<PathBuf>,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    refuse_sample(config)?;
    let env = wire::env(config)?;
    let ceremony = load(file)?;
    if ceremony.kind == CeremonyKind::WitnessedKey && csr.is_none() {
        return Err(missing("--csr"));
    }
    let bench = Bench { env: &env, answer: None, csr };
    let record = held(&env, ceremony, ticks, &bench, output)?;
    write_certificates(&env.store, config)?;
    told(&record, output);
    Ok(())
}

fn held(
    env: &Env,
    ceremony: Ceremony,
    ticks: Option<&Path>,
    bench: &Bench<'_>,
    output: &Output,
) -> Result<CeremonyRecord, Failure> {
    let permit = wire::shell().permit(env.clock.now())?;
    let mut attending = match ticks {
        Some(file) => {
            let ticks = script::read_ticks(&read(file)?).map_err(|e| wrong(file.display(), &e))?;
            Attending::written(ticks)
        }
        None => Attending::terminal(ceremony.clone(), output.language),
    };
    Ok(run_ceremony(env, &permit, ceremony, &mut attending, bench)?)
}

fn told(record: &CeremonyRecord, output: &Output) {
    let digest = record.digest().map(|digest| digest.to_string()).unwrap_or_default();
    let value = json!({ "record": record, "sha256": digest });
    output.result("ceremony-record", value, || {
        let mut rows = vec![
            ("ceremony", record.ceremony.title.clone()),
            ("id", record.ceremony.id.to_string()),
        ];
        let outputs = record.steps.iter().flat_map(|step| &step.outputs);
        rows.extend(outputs.map(|o| (o.name.as_str(), o.value.clone())));
        rows.push(("record", digest.clone()));
        facts(&rows)
    });
}

fn list(config: &Config, output: &Output) -> Result<(), Failure> {
    let store = wire::store(config)?;
    let ceremonies = store.read(|tx| tx.list_ceremonies())?;
    let open = store.read(|tx| tx.open_requests())?;
    let plans = store.read(|tx| tx.list_plans())?;
    let value = json!({
        "ceremonies": ceremonies.iter().map(summary).collect::<Vec<_>>(),
        "planned": plans.iter().map(|plan| &plan.code).collect::<Vec<_>>(),
        "requests": open
            .iter()
            .map(|(id, root, code)| json!({ "id": id, "root": root, "code": code }))
            .collect::<Vec<_>>(),
    });
    output.result("ceremonies", value, || {
        let mut lines: Vec<String> = ceremonies
            .iter()
            .map(|record| {
                let (done, all) = (record.steps.len(), record.ceremony.steps.len());
                format!("{}  {done}/{all}  {}", record.ceremony.id, record.ceremony.title)
            })
            .collect();
        lines.extend(open.iter().map(|(id, root, code)| format!("{id}  {root}  {code}")));
        lines.join("\n")
    });
    Ok(())
}

fn summary(record: &CeremonyRecord) -> Value {
    json!({
        "id": record.ceremony.id,
        "kind": record.ceremony.kind,
        "title": record.ceremony.title,
        "steps": record.ceremony.steps.len(),
        "done": record.steps.len(),
        "closed": record.closed_at.is_some(),
    })
}

fn request(
    root: &str,
    cross: Option<&str>,
    out: &Path,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    refuse_sample(config)?;
    let env = wire::env(config)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let order = RequestOrder {
        root: AuthorityCode::parse(root)?,
        cross: cross.map(AuthorityCode::parse).transpose()?,
    };
    let sealed = request_signatures(&env, &permit, &order)?;
    write_out(out, &write_bundle(&sealed))?;
    let code = sealed.code()?;
    let wants = sealed.bundle.wants.len();
    let value =
        json!({ "id": sealed.bundle.id, "code": code.as_str(), "wants": wants, "file": out });
    output.result("request", value, || {
        facts(&[
            ("request", sealed.bundle.id.to_string()),
            ("compare", code.to_string()),
            ("file", out.display().to_string()),
        ])
    });
    Ok(())
}

fn write_out(file: &Path, text: &str) -> Result<(), Failure> {
    fs::write(file, text).map_err(|error| Failure::file(file.display(), &error))
}

fn bundle<T: DeserializeOwned>(file: &Path) -> Result<Sealed<T>, Failure> {
    Ok(read_bundle(&read(file)?)?)
}

fn answer(args: &AnswerArgs, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let sealed: Sealed<Request> = bundle(&args.bundle)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let case = AnswerCase { permit: &permit, request: &sealed, code: &args.code, out: &args.out };
    let bench = Bench { env: &env, answer: Some(case), csr: None };
    let ceremony = load(&args.ceremony)?;
    let record = held(&env, ceremony, args.ticks.as_deref(), &bench, output)?;
    told(&record, output);
    Ok(())
}

fn import(file: &Path, code: &str, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let sealed: Sealed<Answer> = bundle(file)?;
    let shell = wire::shell();
    let permit = shell.permit(env.clock.now())?;
    let imported = import_answer(&env, &permit, &sealed, code)?;
    let now = env.clock.now();
    tenkoku_ca::signer::renew_ocsp_signers(&env, &shell.permit(now)?)?;
    for authority in &imported.authorities {
        current_crl(&env, authority)?;
    }
    if imported.list_signer {
        renew_lists(&env, &shell.permit(now)?)?;
    }
    write_certificates(&env.store, config)?;
    let value = json!({
        "root": imported.root,
        "authorities": imported.authorities,
        "list_signer": imported.list_signer,
        "cross_certificates": imported.cross,
        "crl": imported.crl,
    });
    output.result("imported", value, || {
        let authorities: Vec<String> =
            imported.authorities.iter().map(ToString::to_string).collect();
        facts(&[
            ("root", imported.root.as_ref().map_or_else(String::new, ToString::to_string)),
            ("in service", authorities.join(", ")),
            ("CRL", imported.crl.map_or_else(String::new, |number| number.to_string())),
        ])
    });
    Ok(())
}

fn report(id: &str, html: Option<&Path>, config: &Config, output: &Output) -> Result<(), Failure> {
    let store = wire::store(config)?;
    let parsed = parse_ceremony(id)?;
    let record = store.read(|tx| tx.find_ceremony(&parsed))?;
    let record = record.ok_or_else(|| Failure::nothing("ceremony", id))?;
    if let Some(file) = html {
        write_out(file, &report::page(&record, Words::of(output.language))?)?;
    }
    told(&record, output);
    Ok(())
}

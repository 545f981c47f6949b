//! `tenkoku apply`, `application`, `issue`, `revoke`: the life of a branch's certificate.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tenkoku_ca::act::ActError;
use tenkoku_ca::apply::{Applied, ApplyOrder, apply_for_seal, apply_under_grant};
use tenkoku_ca::approval::{Ruling, approve_application, reject_application, withdraw_application};
use tenkoku_ca::issue::{IssueError, issue_certificate};
use tenkoku_ca::progress::{missing_records, resume_application};
use tenkoku_ca::revoke::{RevokeOrder, revoke_certificate};
use tenkoku_ca::revoke_by_key::{KeyWord, revocation_text, revoke_by_key};
use tenkoku_ca::settle::settle_pending;
use tenkoku_console::text::explain;
use tenkoku_domain::access::{Issue, Permit, Scope};
use tenkoku_domain::application::{Application, ApplicationState};
use tenkoku_domain::approval::Verdict;
use tenkoku_domain::audit::ObjectRef;
use tenkoku_domain::certificate::Certificate;
use tenkoku_domain::id::{ApplicationId, GrantId};
use tenkoku_domain::level::Level;
use tenkoku_domain::revocation::Cause;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::pem;
use tenkoku_ports::Env;
use tenkoku_responder::crl::current_list;
use tenkoku_store::{ApplicationFilter, StoreError};

use super::bulk::SelectionArgs;
use super::certificate::{certificate_json, certificate_text, find_certificate};
use super::proof::{
    ChallengeArgs, KeyArgs, ProveArgs, RequestFileArgs, StatementArgs, prove_here, run_challenge,
    run_prove, run_request, run_statement,
};
use super::proofing::SignedArgs;
use super::registry::{find_branch, read};
use super::user::{request_json, request_text, ruling};
use super::wishes::WishArgs;
use crate::clock;
use crate::config::Config;
use crate::failure::{Failure, exit};
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku apply`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  tenkoku apply --branch BR-0002 --org NTRJP-7123456789012 --level 2
  tenkoku application request app_01J… --key branch.key --out proof.csr
  tenkoku application prove app_01J… --csr proof.csr
  tenkoku issue app_01J… --out branch.pem")]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    request: RequestArgs,
    #[command(flatten)]
    keys: KeyArgs,
    /// A certification request (PKCS #10), PEM or DER, for early checks; `-` reads standard input.
    /// Possession is shown afterwards, of the same key
    #[arg(long, value_name = "FILE")]
    csr: Option<PathBuf>,
}

/// What an application says.
#[derive(Debug, Args)]
pub(crate) struct RequestArgs {
    /// The branch office: code or id
    #[arg(long)]
    branch: Option<String>,
    /// The organisation: identifier, corporate number or id; needed where several have this code
    #[arg(long)]
    org: Option<String>,
    /// The level of the seal
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3))]
    level: u8,
    /// Validity in days [default: the most that the policy allows]
    #[arg(long)]
    days: Option<i64>,
    /// The grant that the organisation applies under; needed in production
    #[arg(long, value_name = "ID")]
    grant: Option<String>,
    #[command(flatten)]
    wishes: WishArgs,
}

/// `tenkoku application`
#[derive(Debug, Subcommand)]
pub(crate) enum ApplicationCommand {
    /// List applications
    List {
        /// Only those in this state: ready, issued …
        #[arg(long)]
        state: Option<String>,
    },
    /// Show one application
    Show {
        /// Its id
        application: String,
    },
    /// Give the challenge that its key must sign; a new one where the last has expired
    Challenge(ChallengeArgs),
    /// Make the request that answers the challenge, with a key on this machine
    Request(RequestFileArgs),
    /// Write the custodian's statement of where its key was made
    Statement(StatementArgs),
    /// Show possession of its key
    Prove(ProveArgs),
    /// Approve an application, as it was shown
    Approve {
        /// Its id
        application: String,
        /// The digest that was shown
        #[arg(long)]
        digest: String,
    },
    /// Reject an application; one rejection ends it
    Reject {
        /// Its id
        application: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Take an application back
    Withdraw {
        /// Its id
        application: String,
    },
    /// Submit an application anew that changed, or whose approvals came too late
    Resume {
        /// Its id
        application: String,
    },
}

/// `tenkoku issue`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tenkoku issue app_01J… --out branch.pem
  tenkoku issue --branch BR-0002 --level 2 --key branch.key --out branch.pem
  tenkoku issue --all-ready")]
pub(crate) struct IssueArgs {
    /// The application
    #[arg(conflicts_with_all = ["branch", "key", "hsm", "all_ready"])]
    application: Option<String>,
    #[command(flatten)]
    request: RequestArgs,
    #[command(flatten)]
    keys: KeyArgs,
    /// Issue every application that is ready
    #[arg(long, conflicts_with_all = ["branch", "key", "hsm"])]
    all_ready: bool,
    /// Where the certificate goes, PEM [default: standard output]; with --all-ready the folder for
    /// SERIAL.pem [default: none is written]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// `tenkoku revoke`
#[derive(Debug, Args)]
#[command(
    after_help = "Reasons: key-exposed (keyCompromise), office-closed (cessationOfOperation), \
                        name-changed (affiliationChanged), replaced (superseded), right-withdrawn \
                        (privilegeWithdrawn).

At a signature (RV-3), by the seal's own key, or by a representative or delegate with a certificate:
  tenkoku revoke 4F00…A1 --text > revoke.json
  openssl cms -sign -binary -in revoke.json -signer seal.pem -inkey seal.key -outform PEM -out word.pem
  tenkoku revoke 4F00…A1 --signature word.pem --signed-text revoke.json"
)]
pub(crate) struct RevokeArgs {
    /// The serial number, hexadecimal; or a file with the certificate
    #[arg(required_unless_present = "bulk", conflicts_with = "bulk")]
    serial: Option<String>,
    #[command(flatten)]
    selection: SelectionArgs,
    /// The authority, where several issued this serial number
    #[arg(long)]
    ca: Option<String>,
    /// Why
    #[arg(long, required_unless_present_any = ["text", "signature"])]
    reason: Option<String>,
    /// Print the words that revoke when they are signed; they are good for a day
    #[arg(long, conflicts_with_all = ["reason", "bulk"])]
    text: bool,
    /// The words that were signed
    #[arg(long, value_name = "FILE", requires = "signature")]
    signed_text: Option<PathBuf>,
    #[command(flatten)]
    signed: SignedArgs,
    /// Since when the key must be taken as exposed: 2026-11-22T00:00:00Z
    #[arg(long)]
    since: Option<String>,
    /// Your words, for the record
    #[arg(long, default_value = "")]
    comment: String,
    /// Revoke without asking
    #[arg(long)]
    yes: bool,
    /// Leave the list to the server, which issues it within a second
    #[arg(long)]
    no_wait: bool,
}

pub(crate) fn run_apply(args: &ApplyArgs, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let applied = apply(&env, &args.request, args.csr.as_deref())?;
    let ready = prove_here(&env, &applied, &args.keys)?;
    print_applied(&env, &applied, ready.as_ref(), output)
}

/// Shows an application and what comes next: to issue it where it is ready, else to show possession
/// of its key.
pub(crate) fn print_applied(
    env: &Env,
    applied: &Applied,
    ready: Option<&Application>,
    output: &Output,
) -> Result<(), Failure> {
    if let Some(ready) = ready {
        output.result("application", application_json(ready), || {
            format!("{}next         tenkoku issue {}", application_text(ready), ready.id)
        });
        return Ok(());
    }
    let Applied { application, challenge } = applied;
    if application.state != ApplicationState::KeyProof {
        return told(env, application, output);
    }
    let mut value = application_json(application);
    if let Value::Object(members) = &mut value {
        members.insert("challenge".to_owned(), json!(challenge.text));
        members.insert("challenge_until".to_owned(), json!(challenge.expires_at.to_string()));
    }
    output.result("application", value, || {
        format!(
            "{}challenge    {}\nuntil        {}\nnext         tenkoku application request {} \
             --key branch.key --out proof.csr",
            application_text(application),
            challenge.text,
            challenge.expires_at,
            application.id
        )
    });
    Ok(())
}

fn apply(env: &Env, args: &RequestArgs, csr: Option<&Path>) -> Result<Applied, Failure> {
    let missing = |flag: &str| Failure::problem("flag-missing", exit::USAGE).with("flag", flag);
    let branch = args.branch.as_deref().ok_or_else(|| missing("--branch"))?;
    let order = ApplyOrder {
        branch: find_branch(&env.store, branch, args.org.as_deref())?.id,
        level: Level::try_from(args.level).map_err(Failure::internal)?,
        validity_days: args.days,
        request: csr.map(read).transpose()?,
        instance: None,
        wishes: args.wishes.read(env)?,
    };
    let permit = wire::shell().permit(env.clock.now())?;
    let place = csr.map_or_else(|| branch.to_owned(), |file| file.display().to_string());
    let applied = match &args.grant {
        None => apply_for_seal(env, &permit, &order),
        Some(grant) => {
            let id = GrantId::parse(grant).map_err(|_| Failure::nothing("grant", grant))?;
            apply_under_grant(env, &permit, &order, &id)
        }
    };
    applied.map_err(|error| Failure::from(error).at(place))
}

pub(crate) fn run_application(
    command: ApplicationCommand,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    let store = wire::store(config)?;
    match command {
        ApplicationCommand::List { state } => {
            let state = state.as_deref().map(parse_state).transpose()?;
            let found = list(&store, state)?;
            let all: Vec<Value> = found.iter().map(application_json).collect();
            output.result("application-list", json!({ "applications": all }), || {
                let line = |a: &Application| {
                    format!("{}  {}  level {}  {}\n", a.id, a.branch, a.level, a.state)
                };
                found.iter().map(line).collect()
            });
        }
        ApplicationCommand::Challenge(args) => run_challenge(&args, &wire::env(config)?, output)?,
        ApplicationCommand::Request(args) => run_request(&args, &wire::env(config)?, output)?,
        ApplicationCommand::Statement(args) => run_statement(&args, &wire::env(config)?, output)?,
        ApplicationCommand::Prove(args) => run_prove(&args, &wire::env(config)?, output)?,
        ApplicationCommand::Show { application } => {
            let id = parse_id(&application)?;
            let found = store
                .read(|tx| tx.load_application(&Scope::Platform, &id))
                .map_err(|error| Failure::from(error).named(&id))?;
            told(&wire::env(config)?, &found, output)?;
        }
        ApplicationCommand::Approve { application, digest } => {
            let env = wire::env(config)?;
            let id = parse_id(&application)?;
            let ruling = ruling(&digest, Verdict::Approved, "")?;
            let permit = wire::shell().permit(env.clock.now())?;
            let decided = approve_application(&env, &permit, &id, &ruling);
            told(&env, &decided.map_err(|error| Failure::from(error).named(&id))?, output)?;
        }
        ApplicationCommand::Reject { application, reason } => {
            let env = wire::env(config)?;
            let id = parse_id(&application)?;
            let decided = reject(&env, &id, &reason);
            told(&env, &decided?, output)?;
        }
        ApplicationCommand::Withdraw { application } => {
            let env = wire::env(config)?;
            let id = parse_id(&application)?;
            let permit = wire::shell().permit(env.clock.now())?;
            let done = withdraw_application(&env, &permit, &id);
            told(&env, &done.map_err(|error| Failure::from(error).named(&id))?, output)?;
        }
        ApplicationCommand::Resume { application } => {
            let env = wire::env(config)?;
            let id = parse_id(&application)?;
            let permit = wire::shell().permit(env.clock.now())?;
            let done = resume_application(&env, &permit, &id);
            told(&env, &done.map_err(|error| Failure::from(error).named(&id))?, output)?;
        }
    }
    Ok(())
}

/// Rejects what waits for approvals by the digest it has now, and anything else as it is.
fn reject(env: &Env, id: &ApplicationId, reason: &str) -> Result<Application, Failure> {
    let permit = wire::shell().permit(env.clock.now())?;
    let (found, request) = env
        .store
        .read(|tx| {
            let found = tx.load_application(&Scope::Platform, id)?;
            let object = ObjectRef::new("application", id);
            Ok::<_, StoreError>((found, tx.find_approval_request(&object)?))
        })
        .map_err(|error| Failure::from(error).named(id))?;
    let decided = match request.filter(|_| found.state == ApplicationState::Approval) {
        Some(request) => {
            let (verdict, reason) = (Verdict::Rejected, reason.to_owned());
            let ruling = Ruling { shown: request.digest, verdict, reason };
            approve_application(env, &permit, id, &ruling)
        }
        None => reject_application(env, &permit, id, reason),
    };
    Ok(decided?)
}

/// An application with what it waits for.
fn told(env: &Env, application: &Application, output: &Output) -> Result<(), Failure> {
    let open = application.state == ApplicationState::Proofing;
    let (request, missing) = env.store.read(|tx| {
        let object = ObjectRef::new("application", &application.id);
        let missing =
            if open { missing_records(env, tx, application, env.clock.now())? } else { None };
        Ok::<_, ActError>((tx.find_approval_request(&object)?, missing))
    })?;
    let mut value = application_json(application);
    if let Value::Object(members) = &mut value {
        members.insert("request".to_owned(), json!(request.as_ref().map(request_json)));
        members.insert("missing".to_owned(), json!(missing.as_ref().map(|one| &one.facts)));
    }
    output.result("application", value, || {
        let request = request.as_ref().map(request_text).unwrap_or_default();
        let missing = missing.map(|refusal| explain::refusal(output.language, &refusal).what);
        let missing = missing.map(|what| facts(&[("missing", what)])).unwrap_or_default();
        format!("{}{missing}{request}", application_text(application))
    });
    Ok(())
}

fn parse_state(word: &str) -> Result<ApplicationState, Failure> {
    let words: Vec<_> = ApplicationState::ALL.iter().map(|state| state.word()).collect();
    ApplicationState::from_word(word).ok_or_else(|| Failure::word(word, &words))
}

pub(crate) fn parse_id(text: &str) -> Result<ApplicationId, Failure> {
    ApplicationId::parse(text).map_err(|_| Failure::nothing("application", text))
}

fn list(
    store: &tenkoku_store::Store,
    state: Option<ApplicationState>,
) -> Result<Vec<Application>, Failure> {
    let filter = ApplicationFilter { state, branch: None, organisation: None };
    let mut found = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = store
            .read(|tx| tx.list_applications(&Scope::Platform, &filter, after.as_deref(), 500))?;
        found.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(found),
        }
    }
}

pub(crate) fn run_issue(args: &IssueArgs, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    clock::compare_if_old(&env)?;
    let shell = wire::shell();
    let now = env.clock.now();
    settle_pending(&env, &shell.permit(now)?)?;
    let permit = shell.permit(now)?;
    if args.all_ready {
        return issue_all(&env, &permit, args.out.as_deref(), output);
    }
    let application = match &args.application {
        Some(id) => parse_id(id)?,
        None if args.keys.key.is_none() && !args.keys.hsm => {
            let missing = Failure::problem("flag-missing", exit::USAGE);
            return Err(missing.with("flag", "--key"));
        }
        None => {
            let applied = apply(&env, &args.request, None)?;
            prove_here(&env, &applied, &args.keys)?.map_or(applied.application.id, |one| one.id)
        }
    };
    let certificate = issue_certificate(&env, &permit, &application)
        .map_err(|error| Failure::from(error).named(&application))?;
    release(&certificate, args.out.as_deref(), output)
}

/// Issues everything that is ready. What is refused holds up nobody else and is told at the end.
fn issue_all(
    env: &Env,
    permit: &Permit<Issue>,
    folder: Option<&Path>,
    output: &Output,
) -> Result<(), Failure> {
    if let Some(folder) = folder {
        fs::create_dir_all(folder).map_err(|error| Failure::file(folder.display(), &error))?;
    }
    let (mut issued, mut refused) = (Vec::new(), Vec::new());
    for application in list(&env.store, Some(ApplicationState::Ready))? {
        match issue_certificate(env, permit, &application.id) {
            Ok(certificate) => {
                if let Some(folder) = folder {
                    write_pem(&folder.join(format!("{}.pem", certificate.serial)), &certificate)?;
                }
                output.progress(&format!("{}  {}", certificate.serial, certificate.common_name));
                issued.push(certificate_json(&certificate));
            }
            Err(IssueError::Refused(refusal)) => refused.push((application.id, refusal)),
            // Another process was faster with this one.
            Err(IssueError::Store(StoreError::Conflict { .. })) => {}
            Err(other) => return Err(Failure::from(other).at(&application.id)),
        }
    }
    let rows: Vec<Value> = refused
        .iter()
        .map(|(id, refusal)| json!({ "application": id, "code": refusal.code }))
        .collect();
    let counts = format!("{} issued, {} refused", issued.len(), refused.len());
    output.result("issue-list", json!({ "certificates": issued, "refused": rows }), || counts);
    match refused.into_iter().next() {
        None => Ok(()),
        Some((id, refusal)) => Err(Failure::from(refusal).at(id)),
    }
}

/// Writes a certificate as PEM: whole or not at all.
fn write_pem(file: &Path, certificate: &Certificate) -> Result<(), Failure> {
    let wrong = |error: std::io::Error| Failure::file(file.display(), &error);
    let pem = pem::encode("CERTIFICATE", certificate.der.as_deref().unwrap_or_default());
    let draft = file.with_extension("new");
    fs::write(&draft, pem).and_then(|()| fs::rename(&draft, file)).map_err(wrong)
}

fn release(certificate: &Certificate, out: Option<&Path>, output: &Output) -> Result<(), Failure> {
    let pem = pem::encode("CERTIFICATE", certificate.der.as_deref().unwrap_or_default());
    if let Some(file) = out {
        write_pem(file, certificate)?;
    }
    let mut value = certificate_json(certificate);
    if let Value::Object(members) = &mut value {
        members.insert("pem".to_owned(), json!(pem));
    }
    match out {
        None if !output.is_json() => {
            output.progress(&certificate_text(certificate));
            output.raw(pem.as_bytes());
        }
        _ => output.result("certificate", value, || certificate_text(certificate)),
    }
    Ok(())
}

/// How long a revocation takes to be known to every process that answers.
const SEEN_EVERYWHERE: Duration = Duration::from_millis(1_200);

/// Prints the words that revoke when they are signed, or takes their signature (RV-3).
fn at_a_signature(args: &RevokeArgs, config: &Config, output: &Output) -> Result<(), Failure> {
    #[derive(serde::Deserialize)]
    struct Said {
        at: String,
    }
    let env = wire::env(config)?;
    let serial = args.serial.as_deref().unwrap_or_default();
    let found = find_certificate(&env.store, serial, args.ca.as_deref())?;
    let authority = env.store.read(|tx| tx.load_authority(&found.authority))?.code;
    let (Some(file), Some(signed)) = (&args.signed_text, args.signed.load()?) else {
        let text = revocation_text(&authority, &found.serial, env.clock.now());
        output.raw(text.map_err(Failure::internal)?.as_bytes());
        return Ok(());
    };
    let unsaid = || Failure::word(&file.display().to_string(), &["tenkoku revoke … --text"]);
    let said: Said = serde_json::from_slice(&read(file)?).map_err(|_| unsaid())?;
    let at = Timestamp::parse(&said.at).ok_or_else(unsaid)?;
    let word = KeyWord { authority: authority.to_string(), serial: found.serial, at, signed };
    let revoked = revoke_by_key(&env, None, &word)?;
    output.result("certificate", certificate_json(&revoked), || certificate_text(&revoked));
    Ok(())
}

pub(crate) fn run_revoke(
    args: &RevokeArgs,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    if args.text || args.signed_text.is_some() {
        return at_a_signature(args, config, output);
    }
    let reason = args.reason.as_deref().unwrap_or_default();
    let words: Vec<_> = Cause::OFFERED.iter().map(|cause| cause.word()).collect();
    let cause = Cause::parse(reason)
        .filter(|cause| Cause::OFFERED.contains(cause))
        .ok_or_else(|| Failure::word(reason, &words))?;
    if args.selection.bulk {
        let how = (cause, args.comment.as_str(), args.yes);
        return super::bulk::ask(&args.selection, args.ca.as_deref(), how, config, output);
    }
    let since = |text: &String| {
        Timestamp::parse(text).ok_or_else(|| Failure::word(text, &["2026-11-22T00:00:00Z"]))
    };
    let invalid_since = args.since.as_ref().map(since).transpose()?;
    let env = wire::env(config)?;
    let found = find_certificate(
        &env.store,
        args.serial.as_deref().unwrap_or_default(),
        args.ca.as_deref(),
    )?;
    confirm(args, &found)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let order = RevokeOrder {
        authority: found.authority.clone(),
        serial: found.serial.clone(),
        cause,
        invalid_since,
        comment: args.comment.clone(),
    };
    let revoked = revoke_certificate(&env, &permit, &order)?;
    if !args.no_wait {
        let authority = env.store.read(|tx| tx.load_authority(&revoked.authority))?;
        let serial = revoked.serial.clone();
        let crl = current_list(&env, &authority.code, |a| a.crl_shards.list_of(&serial))?;
        // Other processes look into the log several times a second, and at lists once: what is
        // acknowledged here is told everywhere.
        std::thread::park_timeout(SEEN_EVERYWHERE);
        output.progress(&format!("OCSP answers revoked; CRL {} lists it", crl.number));
    }
    output.result("certificate", certificate_json(&revoked), || certificate_text(&revoked));
    Ok(())
}

/// Asks for the last eight characters of the serial number, unless `--yes` was given.
fn confirm(args: &RevokeArgs, certificate: &Certificate) -> Result<(), Failure> {
    use std::io::Write as _;
    if args.yes {
        return Ok(());
    }
    let serial = certificate.serial.to_string();
    let tail = serial.get(serial.len().saturating_sub(8)..).unwrap_or(&serial);
    let _ = write!(
        std::io::stderr(),
        "Revoke {} ({serial})? It cannot be undone. Type {tail} to go on: ",
        certificate.common_name
    );
    let mut typed = String::new();
    let read = std::io::stdin().read_line(&mut typed);
    if read.is_ok() && typed.trim().eq_ignore_ascii_case(tail) {
        return Ok(());
    }
    Err(Failure::problem("word-unknown", exit::USAGE)
        .with("word", typed.trim())
        .with("allowed", format!("{tail}, or --yes")))
}

pub(crate) fn application_json(application: &Application) -> Value {
    json!({
        "id": application.id,
        "organisation": application.organisation,
        "branch": application.branch,
        "level": application.level,
        "instance": application.instance_number,
        "state": application.state,
        "validity_days": application.validity_days,
        "grant": application.grant,
        "fingerprint": application.key.as_ref().map(|key| key.fingerprint),
        "digest": application.digest,
        "policy": application.policy,
        "certificate": application.certificate,
        "created_at": application.created_at.to_string(),
    })
}

pub(crate) fn application_text(application: &Application) -> String {
    facts(&[
        ("application", application.id.to_string()),
        ("branch", application.branch.to_string()),
        ("level", application.level.to_string()),
        ("instance", application.instance_number.to_string()),
        (
            "key",
            application.key.as_ref().map_or_else(String::new, |key| key.fingerprint.to_string()),
        ),
        ("state", application.state.to_string()),
    ])
}

//! `tenkoku suspend`, `release`, `acknowledge`: certificates that are on hold, or wait for their key.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use tenkoku_ca::acknowledge::{acknowledge, ask_challenge};
use tenkoku_ca::prove::Proof;
use tenkoku_ca::suspend::{
    HoldOrder, RELEASE, Release, SuspendOrder, decide_release, extend_suspension,
    release_certificate, suspend_certificate,
};
use tenkoku_domain::access::Scope;
use tenkoku_domain::approval::{ApprovalState, Verdict};
use tenkoku_domain::audit::ObjectRef;
use tenkoku_domain::certificate::Certificate;
use tenkoku_domain::suspension::HoldCause;
use tenkoku_ports::Env;
use tenkoku_responder::crl::current_crl;

use super::certificate::{certificate_json, certificate_text, find_certificate};
use super::danger::confirm;
use super::proof::{applicant_answer, openssl_config, write};
use super::registry::read;
use super::user::{request_json, request_text, ruling};
use crate::config::Config;
use crate::failure::{Failure, exit};
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku suspend`
#[derive(Debug, Args)]
#[command(
    after_help = "A hold has a limit: 14 days at level 3, else 30. Then the certificate is revoked, \
dated from the beginning of the hold.

Reasons: unclear-facts, copy-suspected, duplicate-key, custodian-gone, emergency-rotation

Examples:
  tenkoku suspend 4F00…A1 --reason copy-suspected --comment 'reported by telephone'
  tenkoku suspend 4F00…A1 --extend        asks for the one extension; a second officer grants it"
)]
pub(crate) struct SuspendArgs {
    /// The serial number, hexadecimal; or a file with the certificate
    serial: String,
    /// The authority, where several issued this serial number
    #[arg(long)]
    ca: Option<String>,
    /// Why
    #[arg(long, required_unless_present = "extend")]
    reason: Option<String>,
    /// Ask for the one extension of a hold, or grant what another officer asked for
    #[arg(long, conflicts_with = "reason")]
    extend: bool,
    /// Your words, for the record
    #[arg(long, default_value = "")]
    comment: String,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

/// `tenkoku release`
#[derive(Debug, Args)]
#[command(
    after_help = "In production other officers approve it: one, two at level 3, and never who \
put the certificate on hold for a suspicion.

Examples:
  tenkoku release 4F00…A1 --comment 'the device was found, its seal unbroken'
  tenkoku release 4F00…A1 --approve 1f3a…"
)]
pub(crate) struct ReleaseArgs {
    /// The serial number, hexadecimal; or a file with the certificate
    serial: String,
    /// The authority, where several issued this serial number
    #[arg(long)]
    ca: Option<String>,
    /// Your words, for the record
    #[arg(long, default_value = "")]
    comment: String,
    /// Approve what somebody else asked for: the digest that was shown
    #[arg(long, value_name = "DIGEST", conflicts_with = "reject")]
    approve: Option<String>,
    /// Refuse what somebody else asked for: the digest that was shown; say why with --comment
    #[arg(long, value_name = "DIGEST", requires = "comment")]
    reject: Option<String>,
}

/// `tenkoku acknowledge`
#[derive(Debug, Subcommand)]
pub(crate) enum AcknowledgeCommand {
    /// Give a fresh challenge that the new key must answer; an earlier one is void
    #[command(after_help = "Example:
  tenkoku acknowledge challenge branch.pem --openssl answer.cnf
  openssl req -new -key branch.key -config answer.cnf -out answer.csr
  tenkoku acknowledge answer branch.pem --csr answer.csr")]
    Challenge {
        /// The serial number, hexadecimal; or a file with the certificate
        serial: String,
        /// The authority, where several issued this serial number
        #[arg(long)]
        ca: Option<String>,
        /// Write a configuration for `openssl req -new -config` that carries the challenge
        #[arg(long, value_name = "FILE")]
        openssl: Option<PathBuf>,
    },
    /// Hand in the answer: the certificate is then in use
    #[command(after_help = "Examples:
  tenkoku acknowledge answer branch.pem --csr answer.csr
  tenkoku acknowledge answer branch.pem --cms answer.p7s
  tenkoku acknowledge answer branch.pem --key branch.key      where the key is on this machine")]
    Answer(AnswerArgs),
}

/// `tenkoku acknowledge answer`
#[derive(Debug, Args)]
pub(crate) struct AnswerArgs {
    /// The serial number, hexadecimal; or a file with the certificate
    serial: String,
    /// The authority, where several issued this serial number
    #[arg(long)]
    ca: Option<String>,
    /// A certification request (PKCS #10) whose challengePassword is the challenge
    #[arg(long, value_name = "FILE", required_unless_present_any = ["cms", "key"])]
    csr: Option<PathBuf>,
    /// A detached CMS signature over the challenge
    #[arg(long, value_name = "FILE", conflicts_with = "csr")]
    cms: Option<PathBuf>,
    /// The key itself (PEM), where it is on this machine: asks for a challenge and answers it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["csr", "cms"])]
    key: Option<PathBuf>,
}

pub(crate) fn run_suspend(
    args: &SuspendArgs,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let found = find_certificate(&env.store, &args.serial, args.ca.as_deref())?;
    let Some(reason) = &args.reason else {
        return extend(&env, &found, &args.comment, output);
    };
    let words: Vec<_> = HoldCause::ALL.iter().map(|cause| cause.word()).collect();
    let because = HoldCause::from_word(reason).ok_or_else(|| Failure::word(reason, &words))?;
    confirm("certificate-suspend", &found.serial.to_string(), args.yes, output)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let order = SuspendOrder {
        authority: found.authority.clone(),
        serial: found.serial,
        because,
        comment: args.comment.clone(),
    };
    let held = suspend_certificate(&env, &permit, &order)?;
    told(&env, &held, output)
}

fn hold_order(found: &Certificate, comment: &str) -> HoldOrder {
    HoldOrder {
        authority: found.authority.clone(),
        serial: found.serial.clone(),
        comment: comment.to_owned(),
    }
}

fn extend(env: &Env, found: &Certificate, comment: &str, output: &Output) -> Result<(), Failure> {
    let permit = wire::shell().permit(env.clock.now())?;
    let hold = extend_suspension(env, &permit, &hold_order(found, comment))?;
    let value = json!({
        "serial": found.serial,
        "from": hold.from.to_string(),
        "until": hold.until.to_string(),
        "because": hold.because,
        "extended": hold.extended_at.is_some(),
    });
    output.result("suspension", value, || {
        let granted =
            hold.extended_at.map_or("asked for; a second officer grants it", |_| "granted");
        facts(&[
            ("certificate", found.serial.to_string()),
            ("on hold until", hold.until.to_string()),
            ("extension", granted.to_owned()),
        ])
    });
    Ok(())
}

pub(crate) fn run_release(
    args: &ReleaseArgs,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let found = find_certificate(&env.store, &args.serial, args.ca.as_deref())?;
    let now = env.clock.now();
    let ruling = match (&args.approve, &args.reject) {
        (Some(digest), _) => Some(ruling(digest, Verdict::Approved, &args.comment)?),
        (None, Some(digest)) => Some(ruling(digest, Verdict::Rejected, &args.comment)?),
        (None, None) => None,
    };
    let request = match ruling {
        None => {
            let permit = wire::shell().permit(now)?;
            match release_certificate(&env, &permit, &hold_order(&found, &args.comment))? {
                Release::Lifted(released) => return told(&env, &released, output),
                Release::Waits(request) => *request,
            }
        }
        Some(ruling) => {
            let object = ObjectRef::new(RELEASE, &found.id);
            let request = env.store.read(|tx| tx.find_approval_request(&object))?;
            let request = request.ok_or_else(|| Failure::nothing("request", &args.serial))?;
            let decided = decide_release(&env, &wire::shell().permit(now)?, &request.id, &ruling)?;
            if decided.state == ApprovalState::Approved {
                let released =
                    env.store.read(|tx| tx.load_certificate(&Scope::Platform, &found.id))?;
                return told(&env, &released, output);
            }
            decided
        }
    };
    output.result("approval-request", request_json(&request), || request_text(&request));
    Ok(())
}

/// Shows a certificate whose status changed just now, with the CRL that tells it.
fn told(env: &Env, certificate: &Certificate, output: &Output) -> Result<(), Failure> {
    let authority = env.store.read(|tx| tx.load_authority(&certificate.authority))?;
    let crl = current_crl(env, &authority.code)?;
    output.progress(&format!("OCSP answers with it; CRL {} tells the same", crl.number));
    output.result("certificate", certificate_json(certificate), || certificate_text(certificate));
    Ok(())
}

pub(crate) fn run_acknowledge(
    command: AcknowledgeCommand,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let args = match command {
        AcknowledgeCommand::Answer(args) => args,
        AcknowledgeCommand::Challenge { serial, ca, openssl } => {
            let found = find_certificate(&env.store, &serial, ca.as_deref())?;
            let permit = wire::shell().permit(env.clock.now())?;
            let challenge = ask_challenge(&env, &permit, (&found.authority, &found.serial))?;
            if let Some(file) = openssl {
                write(&file, openssl_config(&challenge.text).as_bytes())?;
            }
            let until = challenge.until.to_string();
            let value =
                json!({ "serial": found.serial, "challenge": challenge.text, "until": until });
            output.result("acknowledgement", value, || {
                facts(&[
                    ("certificate", found.serial.to_string()),
                    ("challenge", challenge.text.clone()),
                    ("until", until.clone()),
                ])
            });
            return Ok(());
        }
    };
    let found = find_certificate(&env.store, &args.serial, args.ca.as_deref())?;
    let name = (&found.authority, &found.serial);
    let permit = wire::shell().permit(env.clock.now())?;
    let proof = match (&args.csr, &args.cms, &args.key) {
        (Some(file), _, _) => Proof::Request(read(file)?),
        (None, Some(file), _) => Proof::Cms(read(file)?),
        (None, None, Some(file)) => {
            let challenge = ask_challenge(&env, &permit, name)?;
            Proof::Request(applicant_answer(file, &challenge.text)?)
        }
        (None, None, None) => {
            return Err(Failure::problem("flag-missing", exit::USAGE).with("flag", "--csr"));
        }
    };
    let active = acknowledge(&env, &permit, name, &proof)?;
    told(&env, &active, output)
}

//! `tenkoku application challenge|request|prove`: shows possession of an application's key.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use tenkoku_ca::apply::Applied;
use tenkoku_ca::platform_key::make_platform_key;
use tenkoku_ca::prove::{Proof, prove_possession, request_challenge};
use tenkoku_domain::application::Application;
use tenkoku_domain::challenge::Challenge;
use tenkoku_domain::id::ApplicationId;
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_pki::pem;
use tenkoku_ports::Env;
use tenkoku_softkeys::applicant::{ApplicantKey, ApplicantKeyError};

use super::order::{application_json, application_text, parse_id};
use super::registry::read;
use crate::failure::{Failure, exit};
use crate::output::{Output, facts};
use crate::wire;

/// Which key an application gets on this machine.
#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    /// The key is in this file (PEM); it is made there, mode 0600, where it is missing
    #[arg(long, value_name = "FILE", conflicts_with = "hsm")]
    pub(crate) key: Option<PathBuf>,
    /// The platform makes the key in its own key store
    #[arg(long)]
    pub(crate) hsm: bool,
    /// What kind of key is made
    #[arg(long, default_value = "P-256", value_name = "ALGORITHM")]
    pub(crate) key_type: String,
}

/// `tenkoku application challenge`
#[derive(Debug, Args)]
pub(crate) struct ChallengeArgs {
    /// The application
    application: String,
    /// Write a configuration for `openssl req -new -config` that carries the challenge
    #[arg(long, value_name = "FILE")]
    openssl: Option<PathBuf>,
}

/// `tenkoku application request`
#[derive(Debug, Args)]
pub(crate) struct RequestFileArgs {
    /// The application
    application: String,
    /// The key (PEM); it is made, mode 0600, where it is missing
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// What kind of key is made
    #[arg(long, default_value = "P-256", value_name = "ALGORITHM")]
    key_type: String,
    /// Where the request goes
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// `tenkoku application prove`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  tenkoku application challenge app_01J… --openssl proof.cnf
  openssl req -new -key branch.key -config proof.cnf -out proof.csr
  tenkoku application prove app_01J… --csr proof.csr")]
pub(crate) struct ProveArgs {
    /// The application
    application: String,
    /// A certification request (PKCS #10) whose challengePassword is the challenge
    #[arg(long, value_name = "FILE", required_unless_present_any = ["cms", "hsm"])]
    csr: Option<PathBuf>,
    /// A detached CMS signature over the challenge
    #[arg(long, value_name = "FILE", conflicts_with = "csr")]
    cms: Option<PathBuf>,
    /// The platform makes the key in its own key store
    #[arg(long, conflicts_with_all = ["csr", "cms"])]
    hsm: bool,
    /// What kind of key the platform makes
    #[arg(long, default_value = "P-256", value_name = "ALGORITHM")]
    key_type: String,
}

pub(crate) fn run_challenge(
    args: &ChallengeArgs,
    env: &Env,
    output: &Output,
) -> Result<(), Failure> {
    let challenge = challenge(env, &parse_id(&args.application)?)?;
    if let Some(file) = &args.openssl {
        write(file, openssl_config(&challenge.text).as_bytes())?;
    }
    output.result("challenge", challenge_json(&challenge), || challenge_text(&challenge));
    Ok(())
}

pub(crate) fn run_request(
    args: &RequestFileArgs,
    env: &Env,
    output: &Output,
) -> Result<(), Failure> {
    let id = parse_id(&args.application)?;
    let challenge = challenge(env, &id)?;
    let key = applicant_key(&args.key, &args.key_type)?;
    let der = key.answer(&challenge.text).map_err(|error| key_failure(&args.key, &error))?;
    write(&args.out, pem::encode("CERTIFICATE REQUEST", &der).as_bytes())?;
    output.result("challenge", challenge_json(&challenge), || {
        format!(
            "{}next         tenkoku application prove {id} --csr {}",
            challenge_text(&challenge),
            args.out.display()
        )
    });
    Ok(())
}

pub(crate) fn run_prove(args: &ProveArgs, env: &Env, output: &Output) -> Result<(), Failure> {
    let id = parse_id(&args.application)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let (proof, place) = match (&args.csr, &args.cms) {
        (Some(file), _) => (Some(Proof::Request(read(file)?)), file.display().to_string()),
        (None, Some(file)) => (Some(Proof::Cms(read(file)?)), file.display().to_string()),
        (None, None) => (None, id.to_string()),
    };
    let shown = match proof {
        Some(proof) => prove_possession(env, &permit, &id, &proof),
        None => make_platform_key(env, &permit, &id, parse_algorithm(&args.key_type)?),
    };
    let application = shown.map_err(|error| Failure::from(error).named(&id).at(place))?;
    output.result("application", application_json(&application), || {
        format!("{}next         tenkoku issue {id}", application_text(&application))
    });
    Ok(())
}

/// Shows possession of a key that is on this machine, for a new application.
pub(crate) fn prove_here(
    env: &Env,
    applied: &Applied,
    keys: &KeyArgs,
) -> Result<Option<Application>, Failure> {
    let id = &applied.application.id;
    let permit = wire::shell().permit(env.clock.now())?;
    let shown = match &keys.key {
        Some(file) => {
            let key = applicant_key(file, &keys.key_type)?;
            let answer = key.answer(&applied.challenge.text);
            let answer = answer.map_err(|error| key_failure(file, &error))?;
            prove_possession(env, &permit, id, &Proof::Request(answer))
        }
        None if keys.hsm => make_platform_key(env, &permit, id, parse_algorithm(&keys.key_type)?),
        None => return Ok(None),
    };
    let place = keys.key.as_ref().map_or_else(|| id.to_string(), |file| file.display().to_string());
    Ok(Some(shown.map_err(|error| Failure::from(error).at(place))?))
}

fn challenge(env: &Env, id: &ApplicationId) -> Result<Challenge, Failure> {
    let permit = wire::shell().permit(env.clock.now())?;
    request_challenge(env, &permit, id).map_err(|error| Failure::from(error).named(id))
}

pub(crate) fn challenge_json(challenge: &Challenge) -> Value {
    json!({
        "application": challenge.application,
        "challenge": challenge.text,
        "until": challenge.expires_at.to_string(),
    })
}

fn challenge_text(challenge: &Challenge) -> String {
    facts(&[
        ("application", challenge.application.to_string()),
        ("challenge", challenge.text.clone()),
        ("until", challenge.expires_at.to_string()),
    ])
}

fn openssl_config(challenge: &str) -> String {
    format!(
        "[req]\nprompt = no\ndistinguished_name = name\nattributes = challenge\n\
         [name]\nCN = seal\n[challenge]\nchallengePassword = {challenge}\n"
    )
}

fn parse_algorithm(text: &str) -> Result<KeyAlgorithm, Failure> {
    let names: Vec<_> = KeyAlgorithm::ALL.iter().map(|algorithm| algorithm.name()).collect();
    KeyAlgorithm::parse(text).map_err(|_| Failure::word(text, &names))
}

/// The key in a file; made there where the file is missing.
fn applicant_key(file: &Path, key_type: &str) -> Result<ApplicantKey, Failure> {
    let wrong = |error: ApplicantKeyError| key_failure(file, &error);
    if file.exists() {
        return ApplicantKey::read(&read(file)?).map_err(wrong);
    }
    let key = ApplicantKey::generate(parse_algorithm(key_type)?).map_err(wrong)?;
    let text = key.to_pem().map_err(wrong)?;
    let unwritable = |error: std::io::Error| Failure::file(file.display(), &error);
    let mut options = fs::OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(0o600).open(file);
    opened.and_then(|mut new| new.write_all(text.as_bytes())).map_err(unwritable)?;
    Ok(key)
}

fn key_failure(file: &Path, error: &ApplicantKeyError) -> Failure {
    Failure::problem("key-unusable", exit::REFUSED).at(file.display()).because(error)
}

fn write(file: &Path, content: &[u8]) -> Result<(), Failure> {
    fs::write(file, content).map_err(|error| Failure::file(file.display(), &error))
}

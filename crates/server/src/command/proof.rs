//! `tenkoku application challenge|request|prove`: shows possession of an application's key.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use tenkoku_ca::apply::Applied;
use tenkoku_ca::origin::{Exhibits, draft_statement};
use tenkoku_ca::platform_key::make_platform_key;
use tenkoku_ca::prove::{Proof, prove_possession, prove_with_origin, request_challenge};
use tenkoku_domain::application::Application;
use tenkoku_domain::challenge::Challenge;
use tenkoku_domain::id::ApplicationId;
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_pki::csr::PresentedRequest;
use tenkoku_pki::pem;
use tenkoku_ports::Env;
use tenkoku_softkeys::applicant::{ApplicantKey, ApplicantKeyError};

use super::ceremony::parse_ceremony;
use super::container::parse_container;
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
  tenkoku application prove app_01J… --csr proof.csr
  tenkoku application prove app_01J… --csr proof.csr --attestation key.pem --attestation device.pem
  tenkoku application prove app_01J… --csr proof.csr --statement statement.json
  tenkoku application prove app_01J… --csr proof.csr --ceremony crm_01J…")]
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
    /// What the key device says of the key: certificates (PEM or DER), CMS or JSON
    #[arg(long, value_name = "FILE", conflicts_with = "hsm")]
    attestation: Vec<PathBuf>,
    /// The custodian's signed statement
    #[arg(long, value_name = "FILE", conflicts_with = "hsm")]
    statement: Option<PathBuf>,
    /// The ceremony at which the key was made before witnesses
    #[arg(long, value_name = "CEREMONY", conflicts_with = "hsm")]
    ceremony: Option<String>,
    /// The registered container that the key is in
    #[arg(long, value_name = "CONTAINER", conflicts_with = "hsm")]
    container: Option<String>,
}

/// `tenkoku application statement`
#[derive(Debug, Args)]
#[command(
    after_help = "The text is signed with the key of the seal itself: ECDSA or RSA PKCS #1 with the \
                        hash that certificates of the key use.

Examples:
  tenkoku application statement app_01J… --container ctr_01J… --generated 2026-11-22 --key branch.key --out statement.json
  tenkoku application statement app_01J… --container ctr_01J… --generated 2026-11-22 --csr proof.csr --out statement.txt
  tenkoku application statement app_01J… --container ctr_01J… --generated 2026-11-22 --csr proof.csr --signature statement.sig --out statement.json"
)]
pub(crate) struct StatementArgs {
    /// The application
    application: String,
    /// The registered container that the key was made in
    #[arg(long, value_name = "CONTAINER")]
    container: String,
    /// The day on which it was made: 2026-11-22
    #[arg(long, value_name = "DAY")]
    generated: String,
    /// Sign with the key in this file (PEM)
    #[arg(long, value_name = "FILE", required_unless_present = "csr", conflicts_with = "csr")]
    key: Option<PathBuf>,
    /// A request of the key: the text is written, to be signed where the key is
    #[arg(long, value_name = "FILE")]
    csr: Option<PathBuf>,
    /// The signature over the text, as the device gave it: the finished statement is written
    #[arg(long, value_name = "FILE", requires = "csr")]
    signature: Option<PathBuf>,
    /// Where it goes
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
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
        Some(proof) => prove_with_origin(env, &permit, &id, &proof, exhibits(args)?),
        None => make_platform_key(env, &permit, &id, parse_algorithm(&args.key_type)?),
    };
    let application = shown.map_err(|error| Failure::from(error).named(&id).at(place))?;
    output.result("application", application_json(&application), || {
        format!("{}next         tenkoku issue {id}", application_text(&application))
    });
    Ok(())
}

fn exhibits(args: &ProveArgs) -> Result<Exhibits, Failure> {
    Ok(Exhibits {
        attestations: args.attestation.iter().map(|file| read(file)).collect::<Result<_, _>>()?,
        statement: args.statement.as_deref().map(read).transpose()?,
        ceremony: args.ceremony.as_deref().map(parse_ceremony).transpose()?,
        container: args.container.as_deref().map(parse_container).transpose()?,
    })
}

pub(crate) fn run_statement(
    args: &StatementArgs,
    env: &Env,
    output: &Output,
) -> Result<(), Failure> {
    let id = parse_id(&args.application)?;
    let container = parse_container(&args.container)?;
    let key = match &args.key {
        Some(file) => Some((file, held_key(file)?)),
        None => None,
    };
    let fingerprint = match (&key, &args.csr) {
        (Some((_, key)), _) => key.public().fingerprint(),
        (None, Some(file)) => {
            let request = PresentedRequest::parse(&read(file)?);
            let request = request.map_err(|error| Failure::from(error.refusal()));
            request.map_err(|failure| failure.at(file.display()))?.fingerprint()
        }
        (None, None) => {
            return Err(Failure::problem("flag-missing", exit::USAGE).with("flag", "--key"));
        }
    };
    let permit = wire::shell().permit(env.clock.now())?;
    let of = (&container, fingerprint, args.generated.as_str());
    let statement = draft_statement(env, &permit, &id, of).map_err(Failure::from);
    let statement = statement.map_err(|failure| failure.named(&id))?;
    let text = statement.text()?;
    let signature = match (&key, &args.signature) {
        (Some((file, key)), _) => {
            Some(key.sign_text(&text).map_err(|error| key_failure(file, &error))?)
        }
        (None, Some(file)) => Some(read(file)?),
        (None, None) => None,
    };
    let written = match &signature {
        Some(signature) => statement.signed(signature)?,
        None => text.clone(),
    };
    write(&args.out, written.as_bytes())?;
    let value = json!({
        "application": id, "container": container, "fingerprint": fingerprint, "text": text,
        "signed": signature.is_some(),
    });
    output.result("custodian-statement", value, || {
        let next = match signature {
            Some(_) => {
                format!("tenkoku application prove {id} --csr … --statement {}", args.out.display())
            }
            None => format!(
                "sign {} with the key, then run this again with --signature",
                args.out.display()
            ),
        };
        facts(&[
            ("application", id.to_string()),
            ("container", container.to_string()),
            ("fingerprint", fingerprint.to_string()),
            ("next", next),
        ])
    });
    Ok(())
}

/// A key that is there already; none is made.
fn held_key(file: &Path) -> Result<ApplicantKey, Failure> {
    ApplicantKey::read(&read(file)?).map_err(|error| key_failure(file, &error))
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

/// What `openssl req -new -config` needs to answer a challenge.
pub(crate) fn openssl_config(challenge: &str) -> String {
    format!(
        "[req]\nprompt = no\ndistinguished_name = name\nattributes = challenge\n\
         [name]\nCN = seal\n[challenge]\nchallengePassword = {challenge}\n"
    )
}

fn parse_algorithm(text: &str) -> Result<KeyAlgorithm, Failure> {
    let names: Vec<_> = KeyAlgorithm::ALL.iter().map(|algorithm| algorithm.name()).collect();
    KeyAlgorithm::parse(text).map_err(|_| Failure::word(text, &names))
}

/// The request with which a key that is in a file answers a challenge.
pub(crate) fn applicant_answer(file: &Path, challenge: &str) -> Result<Vec<u8>, Failure> {
    let wrong = |error: ApplicantKeyError| key_failure(file, &error);
    ApplicantKey::read(&read(file)?).and_then(|key| key.answer(challenge)).map_err(wrong)
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

pub(crate) fn write(file: &Path, content: &[u8]) -> Result<(), Failure> {
    fs::write(file, content).map_err(|error| Failure::file(file.display(), &error))
}

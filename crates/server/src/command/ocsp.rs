//! `tenkoku ocsp`: ask this installation's own responder, and see its signers.

use clap::Subcommand;
use serde_json::{Value, json};
use tenkoku_domain::certificate::Profile;
use tenkoku_pki::cert::Certificate;
use tenkoku_pki::ocsp::{Answer, AnswerStatus, HashAlgorithm, IssuerHashes, encode_request};
use tenkoku_responder::answer::answer;

use super::certificate::find_certificate;
use crate::config::Config;
use crate::failure::{Failure, exit};
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku ocsp`
#[derive(Debug, Subcommand)]
pub(crate) enum OcspCommand {
    /// What the responder answers for a certificate
    Query {
        /// Serial number, or a file with the certificate
        serial: String,
        /// The authority, where several issued this serial number
        #[arg(long)]
        ca: Option<String>,
    },
    /// The signers of the responder
    Status,
}

pub(crate) fn run(command: OcspCommand, config: &Config, output: &Output) -> Result<(), Failure> {
    match command {
        OcspCommand::Query { serial, ca } => query(&serial, ca.as_deref(), config, output),
        OcspCommand::Status => status(config, output),
    }
}

fn query(name: &str, ca: Option<&str>, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let found = find_certificate(&env.store, name, ca)?;
    let authority = env.store.read(|tx| tx.load_authority(&found.authority))?;
    let issuer = Certificate::parse(authority.certificate.as_deref().unwrap_or_default())
        .map_err(Failure::internal)?;
    let key = issuer.public_key().map_err(Failure::internal)?;
    let hashes = IssuerHashes::of(HashAlgorithm::Sha256, issuer.subject(), &key);
    let request = encode_request(&[hashes.cert_id(&found.serial)], None);
    let answered = answer(&env, &authority.code, &request);
    let answer = Answer::parse(&answered)
        .map_err(|error| Failure::problem("not-ready", exit::REFUSED).with("thing", error))?;
    let single = answer.singles().first().ok_or_else(|| Failure::nothing("answer", name))?;
    let (status, revoked) = match single.status {
        AnswerStatus::Good => ("good", None),
        AnswerStatus::Revoked { at, reason } => ("revoked", Some((at, reason))),
        AnswerStatus::Unknown => ("unknown", None),
    };
    let value = json!({
        "serial": found.serial,
        "authority": authority.code,
        "status": status,
        "revoked_at": revoked.map(|(at, _)| at.to_string()),
        "reason_code": revoked.and_then(|(_, reason)| reason),
        "this_update": single.this_update.to_string(),
        "next_update": single.next_update.map(|at| at.to_string()),
    });
    output.result("ocsp-answer", value, || {
        facts(&[
            ("certificate", found.serial.to_string()),
            ("status", status.to_owned()),
            ("as of", single.this_update.to_string()),
        ])
    });
    Ok(())
}

fn status(config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let now = env.clock.now();
    let mut rows = Vec::new();
    for authority in env.store.read(|tx| tx.list_authorities())? {
        if authority.kind.level().is_none() {
            continue;
        }
        let signer =
            env.store.read(|tx| tx.current_signer(&authority.id, Profile::OcspSigner, now))?;
        rows.push((authority.code, signer.map(|signer| signer.validity.not_after)));
    }
    let all: Vec<Value> = rows
        .iter()
        .map(|(code, until)| {
            json!({ "authority": code, "signer_until": until.map(|at| at.to_string()) })
        })
        .collect();
    output.result("ocsp-status", json!({ "signers": all }), || {
        let line = |(code, until): &(_, Option<tenkoku_domain::time::Timestamp>)| {
            let until = until.map_or_else(|| "no signer".to_owned(), |at| format!("until {at}"));
            format!("{code}  {until}\n")
        };
        rows.iter().map(line).collect()
    });
    Ok(())
}

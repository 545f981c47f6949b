//! `tenkoku ocsp`: ask this installation's own responder, and see its signers.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};
use tenkoku_domain::certificate::Profile;
use tenkoku_pki::cert::Certificate;
use tenkoku_pki::ocsp::{Answer, AnswerStatus, HashAlgorithm, IssuerHashes, encode_request};
use tenkoku_responder::answer::answer;
use tenkoku_softkeys::SoftKeys;

use super::certificate::find_certificate;
use crate::config::{Config, KeyPlace};
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
    /// Copies the keys of the OCSP signers, and no others, into a folder for a node that answers
    Keys {
        /// The folder; keys that are not needed any more are destroyed in it
        #[arg(long)]
        to: PathBuf,
    },
}

pub(crate) fn run(command: OcspCommand, config: &Config, output: &Output) -> Result<(), Failure> {
    match command {
        OcspCommand::Query { serial, ca } => query(&serial, ca.as_deref(), config, output),
        OcspCommand::Status => status(config, output),
        OcspCommand::Keys { to } => copy_keys(&to, config, output),
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

/// A node that answers needs the keys of every signer that is valid, and no other. Keys in a device
/// are not copied: the node is given a device, or a partition, of its own.
fn copy_keys(to: &Path, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let now = env.clock.now();
    let mut ids = Vec::new();
    for authority in env.store.read(|tx| tx.list_authorities())? {
        if authority.kind.level().is_some() {
            let all =
                env.store.read(|tx| tx.list_signers(&authority.id, Profile::OcspSigner, now))?;
            ids.extend(all.into_iter().map(|signer| signer.key));
        }
    }
    let KeyPlace::Files(folder) = &config.keys else {
        return Err(Failure::problem("not-ready", exit::REFUSED)
            .with("thing", "a key device gives no keys away; a node that answers needs its own"));
    };
    let count = SoftKeys::open(folder, &wire::passphrase(config)?)?.copy_sealed(&ids, to)?;
    output.result("ocsp-keys", json!({ "folder": to, "keys": count }), || {
        facts(&[("folder", to.display().to_string()), ("keys", count.to_string())])
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

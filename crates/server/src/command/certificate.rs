//! `tenkoku certificate`: look up and export certificates.

use std::fs;

use clap::Subcommand;
use serde_json::{Value, json};
use tenkoku_domain::access::Scope;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::certificate::{Certificate, Serial};
use tenkoku_pki::pem;
use tenkoku_store::{CertificateFilter, Store};

use super::authority;
use crate::config::Config;
use crate::failure::{Failure, exit};
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku certificate`
#[derive(Debug, Subcommand)]
pub(crate) enum CertificateCommand {
    /// List seal certificates, newest first
    List {
        /// Beginning of a serial number, or part of a name
        #[arg(long, default_value = "")]
        search: String,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: i64,
    },
    /// Show one certificate
    Show {
        /// Serial number, or a file with the certificate
        serial: String,
        /// The authority, where several issued this serial number
        #[arg(long)]
        ca: Option<String>,
    },
    /// Print a certificate as PEM
    Export {
        /// Serial number
        serial: String,
        /// The authority, where several issued this serial number
        #[arg(long)]
        ca: Option<String>,
    },
}

pub(crate) fn run(
    command: CertificateCommand,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    let store = wire::store(config)?;
    match command {
        CertificateCommand::List { search, limit } => {
            let filter = CertificateFilter { search, ..CertificateFilter::default() };
            let page = store
                .read(|tx| tx.list_certificates(&Scope::Platform, &filter, None, limit.max(1)))?;
            let all: Vec<Value> = page.items.iter().map(certificate_json).collect();
            let value = json!({ "certificates": all, "more": page.next.is_some() });
            output.result("certificate-list", value, || {
                let line = |c: &Certificate| {
                    format!("{}  {}  {}\n", c.serial, c.state.word(), c.common_name)
                };
                page.items.iter().map(line).collect()
            });
        }
        CertificateCommand::Show { serial, ca } => {
            let found = find_certificate(&store, &serial, ca.as_deref())?;
            output.result("certificate", certificate_json(&found), || certificate_text(&found));
        }
        CertificateCommand::Export { serial, ca } => {
            let found = find_certificate(&store, &serial, ca.as_deref())?;
            let der = found.der.ok_or_else(|| Failure::nothing("certificate", serial))?;
            output.raw(pem::encode("CERTIFICATE", &der).as_bytes());
        }
    }
    Ok(())
}

/// A certificate by serial number, or by a file that holds it.
pub(crate) fn find_certificate(
    store: &Store,
    name: &str,
    ca: Option<&str>,
) -> Result<Certificate, Failure> {
    let from_file = fs::read(name)
        .ok()
        .and_then(|bytes| tenkoku_pki::cert::Certificate::parse(&bytes).ok())
        .and_then(|certificate| certificate.serial().ok());
    let serial = match from_file {
        Some(serial) => serial,
        None => Serial::parse(name).map_err(|_| Failure::nothing("certificate", name))?,
    };
    let mut found = match ca {
        Some(ca) => {
            let authority = authority::find(store, ca)?;
            let one =
                store.read(|tx| tx.find_certificate(&Scope::Platform, &authority.id, &serial))?;
            one.into_iter().collect()
        }
        None => store.read(|tx| tx.find_certificates_by_serial(&Scope::Platform, &serial))?,
    };
    match (found.pop(), found.len()) {
        (Some(certificate), 0) => Ok(certificate),
        (None, _) => Err(Failure::nothing("certificate", name)),
        (Some(_), _) => Err(Failure::problem("word-unknown", exit::USAGE)
            .with("word", name)
            .with("allowed", "add --ca CODE")),
    }
}

pub(crate) fn certificate_json(certificate: &Certificate) -> Value {
    let revocation = certificate.state.revocation();
    json!({
        "id": certificate.id,
        "authority": certificate.authority,
        "serial": certificate.serial,
        "profile": certificate.profile,
        "common_name": certificate.common_name,
        "organisation": certificate.seal.as_ref().map(|seal| &seal.organisation),
        "branch": certificate.seal.as_ref().map(|seal| &seal.branch),
        "application": certificate.seal.as_ref().map(|seal| &seal.application),
        "key": certificate.key,
        "not_before": certificate.validity.not_before.to_string(),
        "not_after": certificate.validity.not_after.to_string(),
        "sealing_not_after": certificate.sealing_not_after.map(|at| at.to_string()),
        "policy": certificate.policy,
        "sha256": certificate.der.as_deref().map(Digest::of),
        "state": certificate.state.word(),
        "revocation": revocation.map(|revocation| json!({
            "cause": revocation.cause,
            "reason": revocation.cause.reason().name(),
            "at": revocation.at.to_string(),
            "invalid_since": revocation.invalid_since.map(|at| at.to_string()),
        })),
    })
}

pub(crate) fn certificate_text(certificate: &Certificate) -> String {
    let mut rows = vec![
        ("certificate", certificate.serial.to_string()),
        ("name", certificate.common_name.clone()),
        ("profile", certificate.profile.to_string()),
        ("valid until", certificate.validity.not_after.to_string()),
        ("state", certificate.state.word().to_owned()),
    ];
    if let Some(revocation) = certificate.state.revocation() {
        rows.push(("revoked", format!("{} ({})", revocation.at, revocation.cause)));
    }
    facts(&rows)
}

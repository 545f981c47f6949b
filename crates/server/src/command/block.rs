//! `tenkoku key block`: keys that are never accepted again.

use std::path::PathBuf;

use clap::Args;
use tenkoku_ca::proposal::propose;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::key::Fingerprint;
use tenkoku_domain::proposal::ProposedAct;
use tenkoku_pki::cert::Certificate;
use tenkoku_pki::csr::PresentedRequest;
use tenkoku_pki::key::PublicKey;
use tenkoku_pki::pem;

use super::proposal;
use super::registry::read;
use crate::config::Config;
use crate::failure::{Failure, exit};
use crate::output::Output;
use crate::wire;

/// `tenkoku key block`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tenkoku key block d18f006b… --reason 'the private key lies in a public repository'
  tenkoku key block --cert found.pem --reason 'stolen with the device SN-7'")]
pub(crate) struct BlockArgs {
    /// What the key is recognised by: 64 hexadecimal digits
    #[arg(required_unless_present_any = ["csr", "cert"], conflicts_with_all = ["csr", "cert"])]
    fingerprint: Option<String>,
    /// A certification request (PKCS #10) with the key, PEM or DER
    #[arg(long, value_name = "FILE", conflicts_with = "cert")]
    csr: Option<PathBuf>,
    /// A certificate with the key, PEM or DER
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,
    /// Why
    #[arg(long)]
    reason: String,
}

pub(crate) fn run(args: &BlockArgs, config: &Config, output: &Output) -> Result<(), Failure> {
    let fingerprint = fingerprint(args)?;
    let env = wire::env(config)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let act = ProposedAct::BlockKey { fingerprint };
    proposal::show(&propose(&env, &permit, act, &args.reason)?, &env, output);
    Ok(())
}

fn fingerprint(args: &BlockArgs) -> Result<Fingerprint, Failure> {
    let unusable = |error: &dyn std::fmt::Display| {
        Failure::problem("key-unusable", exit::REFUSED).because(error)
    };
    if let Some(file) = &args.csr {
        let request = PresentedRequest::parse(&read(file)?);
        return request
            .map(|request| request.fingerprint())
            .map_err(|error| unusable(&error).at(file.display()));
    }
    if let Some(file) = &args.cert {
        let at = |failure: Failure| failure.at(file.display());
        let der = pem::decode(&read(file)?, &["CERTIFICATE"]).map_err(|e| at(unusable(&e)))?;
        let certificate = Certificate::parse(&der).map_err(|e| at(unusable(&e)))?;
        let key: PublicKey = certificate.public_key().map_err(|e| at(unusable(&e)))?;
        return Ok(key.fingerprint());
    }
    let text = args.fingerprint.as_deref().unwrap_or_default();
    let digest = Digest::parse(text);
    digest.map(Fingerprint).map_err(|_| Failure::word(text, &["64 hexadecimal digits"]))
}

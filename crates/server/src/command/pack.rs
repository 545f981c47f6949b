//! `tenkoku evidence`: packs of evidence about one credential, and their check on any machine.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use tenkoku_ca::evidence_pack::{audit_signer, pack_evidence, verify_pack};
use tenkoku_console::evidence_pack::summary;
use tenkoku_pki::cert::Certificate;
use tenkoku_pki::key::PublicKey;
use tenkoku_pki::pem;

use super::certificate::find_certificate;
use crate::config::Config;
use crate::failure::{Failure, exit};
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku evidence`
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  tenkoku evidence pack 4F00…A1 --out pack.zip
  tenkoku evidence key --out audit.pem
  tenkoku evidence verify pack.zip --key audit.pem")]
pub(crate) enum PackCommand {
    /// Put everything about one certificate into one signed archive
    Pack(PackArgs),
    /// Check an archive with nothing but the audit public key; needs no installation
    Verify(VerifyArgs),
    /// Print the certificate of the key with which archives are signed
    Key {
        /// Where it goes [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// `tenkoku evidence pack`
#[derive(Debug, Args)]
pub(crate) struct PackArgs {
    /// The serial number, or a file with the certificate
    serial: String,
    /// The code of the issuing authority, where two have this serial number
    #[arg(long)]
    ca: Option<String>,
    /// Where the archive goes
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// `tenkoku evidence verify`
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The archive
    file: PathBuf,
    /// The audit public key: PEM of the key, or of the signer's certificate
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(file).map_err(|error| Failure::file(file.display(), &error))
}

pub(crate) fn run(
    command: &PackCommand,
    config: impl Fn() -> Result<Config, Failure>,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        PackCommand::Pack(args) => pack(args, &config()?, output),
        PackCommand::Verify(args) => verify(args, output),
        PackCommand::Key { out } => {
            let env = wire::env(&config()?)?;
            let permit = wire::shell().permit(env.clock.now())?;
            let signer = audit_signer(&env, &permit)?;
            let text = pem::encode("CERTIFICATE", &signer.der.unwrap_or_default());
            match out {
                None => output.raw(text.as_bytes()),
                Some(file) => write(file, text.as_bytes())?,
            }
            Ok(())
        }
    }
}

fn write(file: &Path, content: &[u8]) -> Result<(), Failure> {
    fs::write(file, content).map_err(|error| Failure::file(file.display(), &error))
}

fn pack(args: &PackArgs, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let certificate = find_certificate(&env.store, &args.serial, args.ca.as_deref())?;
    let permit = wire::shell().permit(env.clock.now())?;
    let made = pack_evidence(&env, &permit, &certificate.id, summary)?;
    write(&args.out, &made.octets)?;
    let value = json!({
        "file": args.out.display().to_string(),
        "octets": made.octets.len(),
        "manifest": made.manifest,
    });
    output.result("evidence-pack", value, || {
        facts(&[
            ("certificate", made.manifest.serial.clone()),
            ("file", args.out.display().to_string()),
            ("files inside", made.manifest.files.len().to_string()),
            ("audit records up to", made.manifest.chain.size.to_string()),
        ])
    });
    Ok(())
}

/// A public key, or that of a certificate.
fn read_key(file: &Path) -> Result<PublicKey, Failure> {
    let octets = read(file)?;
    let unusable = || Failure::problem("key-unusable", exit::REFUSED);
    if let Ok(certificate) = Certificate::parse(&octets) {
        return certificate.public_key().map_err(|_| unusable());
    }
    let der = pem::decode(&octets, &["PUBLIC KEY"]).map_err(|_| unusable())?;
    PublicKey::parse(&der).map_err(|_| unusable())
}

fn verify(args: &VerifyArgs, output: &Output) -> Result<(), Failure> {
    let key = read_key(&args.key)?;
    let verified = verify_pack(&read(&args.file)?, &key).map_err(|problem| {
        Failure::problem("pack-refused", exit::REFUSED).with("detail-text", problem)
    })?;
    let value = json!({ "manifest": verified.manifest, "records": verified.records });
    output.result("evidence-pack-verified", value, || {
        facts(&[
            ("the pack is", "as it was signed".to_owned()),
            ("certificate", verified.manifest.serial.clone()),
            ("made", verified.manifest.made_at.clone()),
            ("by", verified.manifest.platform.clone()),
            ("files", verified.manifest.files.len().to_string()),
            ("audit records proven", verified.records.to_string()),
        ])
    });
    Ok(())
}

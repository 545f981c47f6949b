//! `tenkoku path check`: is there a valid path to a certificate (RFC 5280, 6)? It needs no
//! installation.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use const_oid::ObjectIdentifier;
use serde_json::json;
use tenkoku_console::text::Words;
use tenkoku_domain::time::{Clock as _, Timestamp};
use tenkoku_pki::path::{
    Budget, Fault, PolicyDemands, Question, Revocation, ValidPath, ValidPolicies, Verdict, validate,
};
use tenkoku_pki::pem;

use crate::clock::WallClock;
use crate::failure::{Failure, exit};
use crate::output::Output;

/// What is larger is not read; nothing that takes part in a path is.
const LARGEST_BYTES: u64 = 10 << 20;

/// `tenkoku path`
#[derive(Debug, Subcommand)]
pub(crate) enum PathCommand {
    /// Judge whether there is a valid path to a certificate
    #[command(after_help = "Exit codes: 0 valid, 1 not valid, 2 usage.")]
    Check(CheckArgs),
}

/// `tenkoku path check`
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "these are the switches of the command line")]
pub(crate) struct CheckArgs {
    /// The certificate, DER or PEM
    leaf: PathBuf,
    /// A trust anchor; may stand several times
    #[arg(long, value_name = "FILE", required = true)]
    anchor: Vec<PathBuf>,
    /// A certificate that may stand between; may stand several times, in any order
    #[arg(long, value_name = "FILE")]
    intermediate: Vec<PathBuf>,
    /// A revocation list, complete or delta; may stand several times
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
    /// The instant of the judgement, as in 2026-11-22T00:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    at: Option<Timestamp>,
    /// A policy that is accepted; may stand several times [default: any]
    #[arg(long, value_name = "OID", value_parser = identifier)]
    policy: Vec<ObjectIdentifier>,
    /// The path must be valid for an accepted policy
    #[arg(long)]
    require_explicit_policy: bool,
    /// Policies are not mapped
    #[arg(long)]
    inhibit_policy_mapping: bool,
    /// anyPolicy stands for nothing
    #[arg(long)]
    inhibit_any_policy: bool,
    /// Do not look at revocation
    #[arg(long)]
    no_revocation: bool,
}

pub(super) fn instant(text: &str) -> Result<Timestamp, &'static str> {
    Timestamp::parse(text).ok_or("an instant is written 2026-11-22T00:00:00Z")
}

fn identifier(text: &str) -> Result<ObjectIdentifier, &'static str> {
    ObjectIdentifier::new(text).map_err(|_| "an object identifier is written 1.2.392.1")
}

pub(crate) fn run(command: &PathCommand, output: &Output) -> Result<(), Failure> {
    let PathCommand::Check(args) = command;
    match check(args)? {
        Verdict::Valid(path) => {
            tell(&path, output);
            Ok(())
        }
        Verdict::Invalid(fault) => Err(failure(&fault).at(args.leaf.display())),
    }
}

fn check(args: &CheckArgs) -> Result<Verdict, Failure> {
    let policies = PolicyDemands {
        acceptable: args.policy.clone(),
        require_explicit: args.require_explicit_policy,
        inhibit_mapping: args.inhibit_policy_mapping,
        inhibit_any: args.inhibit_any_policy,
    };
    let leaf = match all(&args.leaf, CERTIFICATE)?.as_slice() {
        [leaf] => leaf.clone(),
        _ => Vec::new(),
    };
    Ok(validate(&Question {
        anchors: &several(&args.anchor, CERTIFICATE)?,
        intermediates: &several(&args.intermediate, CERTIFICATE)?,
        crls: &several(&args.crl, REVOCATION_LIST)?,
        leaf: &leaf,
        at: args.at.unwrap_or_else(|| WallClock.now()),
        policies: &policies,
        revocation: if args.no_revocation { Revocation::Ignored } else { Revocation::Required },
        budget: Budget::default(),
    }))
}

/// The labels of certificates in PEM.
pub(crate) const CERTIFICATE: &[&str] = &["CERTIFICATE", "X509 CERTIFICATE"];
pub(crate) const REVOCATION_LIST: &[&str] = &["X509 CRL"];

/// Everything that files hold: certificates or lists, DER or PEM.
pub(crate) fn several(files: &[PathBuf], labels: &[&'static str]) -> Result<Vec<Vec<u8>>, Failure> {
    let mut found = Vec::new();
    for file in files {
        found.extend(all(file, labels)?);
    }
    Ok(found)
}

/// What a file holds: DER, or any number of PEM blocks. What is neither, or too large, holds
/// nothing.
fn all(file: &Path, labels: &[&'static str]) -> Result<Vec<Vec<u8>>, Failure> {
    let wrong = |error| {
        let mut failure = Failure::file(file.display(), &error);
        failure.exit = exit::USAGE;
        failure
    };
    let mut octets = Vec::new();
    let opened = File::open(file).map_err(wrong)?;
    opened.take(LARGEST_BYTES + 1).read_to_end(&mut octets).map_err(wrong)?;
    if u64::try_from(octets.len()).is_ok_and(|length| length > LARGEST_BYTES) {
        return Ok(Vec::new());
    }
    if octets.first() == Some(&0x30) {
        return Ok(vec![octets]);
    }
    let text = String::from_utf8(octets).unwrap_or_default();
    let blocks = text.split("-----BEGIN ").skip(1);
    let blocks = blocks.map(|block| format!("-----BEGIN {block}"));
    Ok(blocks.filter_map(|block| pem::decode(block.as_bytes(), labels).ok()).collect())
}

fn tell(path: &ValidPath, output: &Output) {
    let policies: Vec<String> = match &path.policies {
        ValidPolicies::Any => vec!["any".to_owned()],
        ValidPolicies::These(policies) => policies.iter().map(ToString::to_string).collect(),
    };
    let value = json!({ "valid": true, "path": path.subjects, "policies": policies });
    output.result("path", value, || {
        let words = Words::of(output.language);
        words.say("path.valid").with("path", path.subjects.join(" → ")).text()
    });
}

fn failure(fault: &Fault) -> Failure {
    let failure = Failure::problem(&format!("path-{}", fault.reason.word()), exit::REFUSED);
    let failure = failure.with("certificate", &fault.about);
    match fault.at {
        Some(at) => failure.with("at", at),
        None => failure,
    }
}

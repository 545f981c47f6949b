//! `tenkoku vendor-root`: the roots of vendors whose key devices attest keys.
//!
//! Whoever sits at the shell counts as one person, so in production approvals from here alone never
//! suffice; the console gives the others.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tenkoku_ca::vendor_root::{add_vendor_root, decide_vendor_root, end_vendor_root};
use tenkoku_domain::policy::draft::Verdict;
use tenkoku_domain::vendor_root::VendorRoot;

use super::registry::read;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku vendor-root`
#[derive(Debug, Subcommand)]
pub(crate) enum VendorRootCommand {
    /// Propose a root; the policy lists it by its code
    #[command(after_help = "Example:
  tenkoku vendor-root add yubico-hsm --certificate yubihsm2-attest-ca-crt.pem")]
    Add {
        /// The code: small letters, digits and -
        code: String,
        /// Its certificate, PEM or DER
        #[arg(long, value_name = "FILE")]
        certificate: PathBuf,
    },
    /// List the roots
    List,
    /// Agree to the change of a root that another asked for
    Approve(DecisionArgs),
    /// Reject the change of a root
    Reject(DecisionArgs),
    /// Ask for the end of a root; nothing is verified with it from now on
    End {
        /// The code
        code: String,
    },
}

/// `tenkoku vendor-root approve` and `reject`
#[derive(Debug, Args)]
pub(crate) struct DecisionArgs {
    /// The code
    code: String,
    /// Why; needed for a rejection
    #[arg(long, default_value = "")]
    reason: String,
}

pub(crate) fn run(
    command: VendorRootCommand,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let decide = |args: &DecisionArgs, verdict| {
        decide_vendor_root(&env, &permit, &args.code, (verdict, &args.reason))
            .map_err(|error| Failure::from(error).named(&args.code))
    };
    let root = match command {
        VendorRootCommand::List => {
            let all = env.store.read(|tx| tx.list_vendor_roots())?;
            let rows: Vec<Value> = all.iter().map(root_json).collect();
            output.result("vendor-root-list", json!({ "roots": rows }), || {
                let line =
                    |root: &VendorRoot| format!("{}  {}  {}\n", root.code, root.state, root.digest);
                all.iter().map(line).collect()
            });
            return Ok(());
        }
        VendorRootCommand::Add { code, certificate } => {
            let added = add_vendor_root(&env, &permit, &code, &read(&certificate)?);
            added.map_err(|error| Failure::from(error).at(certificate.display()))?
        }
        VendorRootCommand::Approve(args) => decide(&args, Verdict::Approved)?,
        VendorRootCommand::Reject(args) => decide(&args, Verdict::Rejected)?,
        VendorRootCommand::End { code } => end_vendor_root(&env, &permit, &code)
            .map_err(|error| Failure::from(error).named(&code))?,
    };
    output.result("vendor-root", root_json(&root), || {
        facts(&[
            ("root", root.code.clone()),
            ("certificate", root.digest.to_string()),
            ("state", root.state.to_string()),
            ("approvals open", root.approvals_open().to_string()),
        ])
    });
    Ok(())
}

fn root_json(root: &VendorRoot) -> Value {
    json!({
        "code": root.code,
        "digest": root.digest,
        "state": root.state,
        "approvals_open": root.approvals_open(),
        "asked_at": root.asked_at.to_string(),
    })
}

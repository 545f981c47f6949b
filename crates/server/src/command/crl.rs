//! `tenkoku crl`: issue, show and export revocation lists.

use clap::Subcommand;
use serde_json::json;
use tenkoku_domain::audit::IssuedCrl;
use tenkoku_domain::authority::Authority;
use tenkoku_pki::pem;
use tenkoku_responder::crl::{current_crl, issue_crl};

use super::authority;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku crl`
#[derive(Debug, Subcommand)]
pub(crate) enum CrlCommand {
    /// Issue a new list now
    Issue {
        /// The authority: code or id
        ca: String,
    },
    /// Show the present list
    Show {
        /// The authority: code or id
        ca: String,
    },
    /// Print the present list as PEM
    Export {
        /// The authority: code or id
        ca: String,
    },
}

pub(crate) fn run(command: CrlCommand, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    match command {
        CrlCommand::Issue { ca } => {
            let authority = authority::find(&env.store, &ca)?;
            let permit = wire::shell().permit(env.clock.now())?;
            let crl = issue_crl(&env, &permit, &authority.code)?;
            show(&crl, &authority, output);
        }
        CrlCommand::Show { ca } => {
            let authority = authority::find(&env.store, &ca)?;
            let crl = current_crl(&env, &authority.code)?;
            show(&crl, &authority, output);
        }
        CrlCommand::Export { ca } => {
            let authority = authority::find(&env.store, &ca)?;
            let crl = current_crl(&env, &authority.code)?;
            output.raw(pem::encode("X509 CRL", &crl.der).as_bytes());
        }
    }
    Ok(())
}

fn show(crl: &IssuedCrl, authority: &Authority, output: &Output) {
    let value = json!({
        "authority": authority.id,
        "code": authority.code,
        "number": crl.number,
        "this_update": crl.this_update.to_string(),
        "next_update": crl.next_update.to_string(),
        "entries": crl.entries,
        "bytes": crl.octets,
    });
    output.result("crl", value, || {
        facts(&[
            ("authority", authority.code.to_string()),
            ("CRL number", crl.number.to_string()),
            ("issued", crl.this_update.to_string()),
            ("next at the latest", crl.next_update.to_string()),
            ("entries", crl.entries.to_string()),
        ])
    });
}

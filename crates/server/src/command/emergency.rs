//! `tenkoku emergency`: what is done when an authority's key is exposed (DOMAIN 14, UX 4.13): the
//! plan, its rehearsal, and the declaration, which the shell refuses.
//!
//! Not in here: the real run. Two different people who are signed in declare it in the console.

use clap::Subcommand;
use serde_json::json;
use tenkoku_ca::emergency::{
    EmergencyPlan, declare_compromise, plan_emergency, rehearse_emergency,
};
use tenkoku_domain::authority::AuthorityCode;

use crate::config::Config;
use crate::failure::Failure;
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku emergency`
#[derive(Debug, Subcommand)]
pub(crate) enum EmergencyCommand {
    /// Show what would be done if an authority's key were exposed
    Plan {
        /// Code of the authority
        authority: String,
    },
    /// Write down that the plan was rehearsed; nothing else is changed
    Rehearse {
        /// Code of the authority
        authority: String,
    },
    /// Declare an authority's key exposed: two people do that in the console
    Declare {
        /// Code of the authority
        authority: String,
    },
}

pub(crate) fn run(
    command: &EmergencyCommand,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let named = |e, code: &str| Failure::from(e).named(code);
    match command {
        EmergencyCommand::Plan { authority: code } => {
            let plan = plan_emergency(&env, &permit, &AuthorityCode::parse(code)?);
            tell(&plan.map_err(|e| named(e, code))?, "planned", output);
        }
        EmergencyCommand::Rehearse { authority: code } => {
            let plan = rehearse_emergency(&env, &permit, &AuthorityCode::parse(code)?);
            tell(&plan.map_err(|e| named(e, code))?, "rehearsed", output);
        }
        EmergencyCommand::Declare { authority: code } => {
            // The shell is one person, however often it is asked: refused, and written down.
            let second = wire::shell().permit(env.clock.now())?;
            declare_compromise(&env, &permit, &second, &AuthorityCode::parse(code)?)
                .map_err(|e| in_the_console(named(e, code)))?;
        }
    }
    Ok(())
}

/// Where the second person is missing, says where two people are asked.
fn in_the_console(failure: Failure) -> Failure {
    if failure.code == "dual-control" {
        failure.with("problem", "emergency-console")
    } else {
        failure
    }
}

fn tell(plan: &EmergencyPlan, done: &str, output: &Output) {
    let value = json!({ "plan": plan, "rehearsed": done == "rehearsed" });
    output.result("emergency-plan", value, || {
        let affected: Vec<String> = plan.affected.iter().map(|a| a.code.to_string()).collect();
        let lists: Vec<String> = plan.lists.iter().map(ToString::to_string).collect();
        facts(&[
            ("authority", plan.authority.to_string()),
            ("stop issuing", affected.join(", ")),
            ("revoke", format!("{} certificates", plan.certificates)),
            ("new CRLs", lists.join(", ")),
            ("done", done.to_owned()),
        ])
    });
}

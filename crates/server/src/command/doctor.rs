//! `tenkoku doctor`: everything that must hold, one line each, with a remedy where it does not.

use serde_json::{Value, json};

use super::audit;
use crate::clock;
use crate::config::Config;
use crate::failure::{Failure, exit};
use crate::operations::{Check, State, checks};
use crate::output::Output;
use crate::wire;

pub(crate) fn run(config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    clock::compare(&env)?;
    let mut all = vec![Check {
        name: "configuration".to_owned(),
        state: State::Fine,
        found: config.file.display().to_string(),
    }];
    all.extend(checks(&env));
    all.push(match audit::walk(&env.store)? {
        Ok(records) => Check {
            name: "audit trail".to_owned(),
            state: State::Fine,
            found: format!("{records} records, intact"),
        },
        Err(broken) => {
            Check { name: "audit trail".to_owned(), state: State::Wrong, found: broken.to_string() }
        }
    });
    let wrong = all.iter().filter(|check| check.state == State::Wrong).count();
    let rows: Vec<Value> = all
        .iter()
        .map(|check| {
            let ok = check.state == State::Fine;
            json!({ "name": check.name, "ok": ok, "found": check.found, "remedy": remedy(check) })
        })
        .collect();
    output.result("doctor", json!({ "ok": wrong == 0, "checks": rows }), || {
        all.iter().map(line).collect()
    });
    if wrong == 0 {
        return Ok(());
    }
    let first = all.iter().find(|check| check.state == State::Wrong);
    let name = first.map_or_else(String::new, |check| check.name.clone());
    Err(Failure::problem("check-not-held", exit::REFUSED).with("thing", name))
}

fn line(check: &Check) -> String {
    match check.state {
        State::Fine => format!("✔ {}: {}\n", check.name, check.found),
        State::Wrong => format!("✘ {}: {}\n    {}\n", check.name, check.found, remedy(check)),
    }
}

fn remedy(check: &Check) -> &'static str {
    if check.state == State::Fine {
        return "";
    }
    match check.name.split(' ').next() {
        Some("crl") => "tenkoku crl issue CODE; then look why the server's job did not",
        Some("ocsp") => "start tenkoku serve: it renews signers within ten minutes",
        Some("list") => "tenkoku trustlist publish",
        Some("keys") => "look after the key folder and its permissions, or run: tenkoku hsm test",
        Some("clock") => {
            "look after time synchronisation and [clock] servers; OCSP goes on meanwhile"
        }
        Some("audit") => {
            "keep the database as it is and restore a copy beside it; tell the auditor"
        }
        Some(_) | None => "look after the database: is it running, is the disk full?",
    }
}

//! `tenkoku doctor`: everything that must hold, one line each, with a remedy where it does not.

use serde_json::{Value, json};
use tenkoku_ca::restore::{BackupTimes, backup_times};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;

use super::audit;
use crate::clock;
use crate::config::{Config, Way};
use crate::failure::{Failure, exit};
use crate::operations::{Check, State, checks, tls_check};
use crate::output::Output;
use crate::tls::ConsoleTls;
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
    all.extend(tls(config, &env));
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
    all.push(mail(config, &env)?);
    all.push(backup(config, &env)?);
    let wrong = all.iter().filter(|check| check.state == State::Wrong).count();
    let rows: Vec<Value> = all
        .iter()
        .map(|check| {
            let ok = check.state != State::Wrong;
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

/// Whether the console's own TLS can be spoken: its files are read as a start would.
fn tls(config: &Config, env: &Env) -> Option<Check> {
    match ConsoleTls::load(config) {
        Ok(None) => None,
        Ok(Some(tls)) => Some(tls_check(&tls.told.material(), env.clock.now())),
        Err(failure) => {
            let problem = failure.facts.get("problem").unwrap_or(&failure.code);
            let found = format!("{}: {problem}", failure.place.as_deref().unwrap_or("[tls]"));
            Some(Check { name: "tls certificate".to_owned(), state: State::Wrong, found })
        }
    }
}

/// Whether letters leave: the way is tried, and nothing was given up.
fn mail(config: &Config, env: &Env) -> Result<Check, Failure> {
    let stand = env.store.read(|tx| tx.letter_figures())?;
    let waiting = format!("{} letters wait, {} were given up", stand.waiting, stand.given_up);
    let name = "mail".to_owned();
    let way = match &config.mail.way {
        Way::Off if stand.waiting == 0 => Ok("not set up; no letter waits".to_owned()),
        Way::Off | Way::Files(_) | Way::Smtp(_) => wire::mailer(&config.mail)
            .map_err(|failure| failure.cause.unwrap_or(failure.code))
            .and_then(|mailer| mailer.check().map_err(|error| error.to_string())),
    };
    Ok(match way {
        Ok(found) if stand.given_up == 0 => {
            Check { name, state: State::Fine, found: format!("{found}; {waiting}") }
        }
        Ok(found) | Err(found) => {
            Check { name, state: State::Wrong, found: format!("{found}; {waiting}") }
        }
    })
}

/// Days for which a backup is fresh.
const BACKUP_DAYS: i64 = 7;

/// Whether everything was saved within a week; an evaluation needs no backup.
fn backup(config: &Config, env: &Env) -> Result<Check, Failure> {
    let BackupTimes { made, rehearsed } = backup_times(env)?;
    let now = env.clock.now();
    let fresh = made.is_some_and(|at| at.days_until(now) < BACKUP_DAYS);
    let told = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), |at| at.to_string());
    Ok(Check {
        name: "backup".to_owned(),
        state: if fresh || config.is_evaluation() { State::Fine } else { State::Wrong },
        found: format!("made {}, rehearsed {}", told(made), told(rehearsed)),
    })
}

fn line(check: &Check) -> String {
    match check.state {
        State::Fine => format!("✔ {}: {}\n", check.name, check.found),
        State::Soon => format!("! {}: {}\n    {}\n", check.name, check.found, remedy(check)),
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
        Some("nightly") => {
            "start tenkoku serve, it runs the checks at start and every hour; its log says what failed"
        }
        Some("list") if check.name.starts_with("list of others") => {
            "tenkoku trustlist refresh; then tenkoku trustlist source list says what is wrong"
        }
        Some("anchors") => "tenkoku trustlist source add, or follow = false under [reader]",
        Some("list") => "tenkoku trustlist publish",
        Some("keys") => "look after the key folder and its permissions, or run: tenkoku hsm test",
        Some("tls") => {
            "put a new certificate and its key where [tls] names them, then: kill -HUP, or \
             systemctl reload tenkoku"
        }
        Some("clock") => {
            "look after time synchronisation and [clock] servers; OCSP goes on meanwhile"
        }
        Some("backup") => "tenkoku backup FILE, then tenkoku restore --check FILE",
        Some("mail") => {
            "correct [mail], try: tenkoku mail test --to ADDRESS, then: tenkoku mail retry"
        }
        Some("audit") => {
            "keep the database as it is and restore a copy beside it; tell the auditor"
        }
        Some(_) | None => "look after the database: is it running, is the disk full?",
    }
}

//! The operations listener: alive, ready, metrics. For the machine's operator, on loopback.

use std::fmt::Write as _;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{self, Data};
use serde_json::{Map, Value, json};
use tenkoku_ca::clock::clock_trust;
use tenkoku_ca::nightly::{RunWatch, watch_runs};
use tenkoku_console::session::tls::{Material, Tls};
use tenkoku_domain::access::Scope;
use tenkoku_domain::certificate::Profile;
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_ports::settings::ClockWatch;
use tenkoku_responder::figures::{Count, DURATION_CLASSES};
use tenkoku_responder::responder::Responder;
use tenkoku_store::{JobRun, StoreError, Tx};

use crate::command::serve::Role;
use crate::jobs::{COMPARE_STATUS, DIFFERING};

/// Mounts the addresses.
pub(crate) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/healthz", web::get().to(healthz))
        .route("/readyz", web::get().to(readyz))
        .route("/metrics", web::get().to(metrics));
}

/// The process is alive.
async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "alive": true }))
}

/// The console's own TLS, where it speaks any.
type OwnTls = Data<Option<Arc<Tls>>>;

async fn readyz(
    env: Data<Env>,
    responder: Data<Responder>,
    role: Data<Role>,
    tls: OwnTls,
) -> HttpResponse {
    let all = move || {
        let mut all = match **role {
            Role::All => checks(&env),
            Role::Status => vec![keys_check(&env)],
        };
        all.push(responder_check(&responder, env.clock.now()));
        all.extend(tls.as_ref().as_ref().map(|tls| tls_check(&tls.material(), env.clock.now())));
        all
    };
    let Ok(checks) = web::block(all).await else {
        return HttpResponse::ServiceUnavailable().finish();
    };
    let ready = checks.iter().all(|check| check.state != State::Wrong);
    let all: Map<String, Value> =
        checks.iter().map(|check| (check.name.clone(), check.json())).collect();
    let body = json!({ "ready": ready, "checks": all });
    if ready {
        HttpResponse::Ok().json(body)
    } else {
        HttpResponse::ServiceUnavailable().json(body)
    }
}

/// One thing that must hold for the platform to be ready.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    /// What is checked: `database`, `crl seal-l1-g1` …
    pub(crate) name: String,
    /// Whether it holds.
    pub(crate) state: State,
    /// What was found.
    pub(crate) found: String,
}

/// Whether something holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It does.
    Fine,
    /// It does, but not for long: somebody has to act.
    Soon,
    /// It does not.
    Wrong,
}

impl Check {
    fn new(name: impl Into<String>, fine: bool, found: impl Into<String>) -> Self {
        let state = if fine { State::Fine } else { State::Wrong };
        Self { name: name.into(), state, found: found.into() }
    }

    fn json(&self) -> Value {
        json!({ "ok": self.state != State::Wrong, "found": self.found })
    }
}

/// Everything that must hold, each by name.
pub(crate) fn checks(env: &Env) -> Vec<Check> {
    let now = env.clock.now();
    let mut all = vec![keys_check(env)];
    all.push(clock_check(env));
    match status_checks(env, now) {
        Ok(checks) => {
            all.push(Check::new("database", true, "answers"));
            all.extend(checks);
        }
        Err(error) => all.push(Check::new("database", false, error.to_string())),
    }
    all
}

fn keys_check(env: &Env) -> Check {
    match env.keys.check().and_then(|()| env.keys.list()) {
        Ok(keys) => Check::new("keys", true, format!("{} keys", keys.len())),
        Err(error) => Check::new("keys", false, error.to_string()),
    }
}

/// Whether the responder answers: it read the status log lately.
fn responder_check(responder: &Responder, now: Timestamp) -> Check {
    let standing = responder.standing();
    let found = match standing.synced_at {
        Some(at) => {
            let lag = (now.millis() - at.millis()).max(0);
            format!("change {} as of {at}, {lag} ms ago", standing.revision)
        }
        None => "the status log was not read yet".to_owned(),
    };
    Check::new("responder", standing.is_fresh, found)
}

/// Whether the console's own certificate is good, and for long enough to get the next one.
pub(crate) fn tls_check(material: &Material, now: Timestamp) -> Check {
    let until = material.not_after;
    let mut check = fresh("tls certificate".to_owned(), Some(until), now);
    if check.state == State::Fine && material.ends_soon(now) {
        check.state = State::Soon;
    }
    check
}

/// KM-20. A clock that cannot be trusted stops issuance; status answers go on.
fn clock_check(env: &Env) -> Check {
    match clock_trust(env) {
        Ok(Ok(())) => match env.settings.clock {
            ClockWatch::Watched { .. } => Check::new("clock", true, "compared with a time server"),
            ClockWatch::Unwatched => Check::new("clock", true, "taken as it is: an evaluation"),
        },
        Ok(Err(refusal)) => Check::new("clock", false, refusal.to_string()),
        Err(error) => Check::new("clock", false, error.to_string()),
    }
}

fn status_checks(env: &Env, now: Timestamp) -> Result<Vec<Check>, StoreError> {
    env.store.read(|tx| {
        let mut checks = Vec::new();
        for authority in tx.list_authorities()? {
            if authority.certificate.is_none() {
                continue;
            }
            let code = &authority.code;
            let crl = tx.latest_crl(&authority.id)?;
            let until = crl.map(|crl| crl.next_update);
            checks.push(fresh(format!("crl {code}"), until, now));
            if authority.kind.level().is_some() {
                let signer = tx.current_signer(&authority.id, Profile::OcspSigner, now)?;
                let until = signer.map(|signer| signer.validity.not_after);
                checks.push(fresh(format!("ocsp signer {code}"), until, now));
            }
        }
        let list = tx.latest_list(&env.settings.scheme.code)?;
        if let Some(list) = list.filter(|list| list.next_update.is_some()) {
            checks.push(fresh(format!("list {}", list.scheme), list.next_update, now));
        }
        checks.push(run_check(&watch_runs(tx, now)?));
        if env.settings.follows_lists {
            checks.extend(followed_checks(tx, now)?);
        }
        checks.push(agreement_check(tx.last_run(COMPARE_STATUS)?.as_ref()));
        Ok(checks)
    })
}

/// Whether the lists of others can be rested on: people decided to believe one, and each that they
/// believe was good, and is not overdue. A list that they point at is told, but one country in
/// trouble does not stop the others.
fn followed_checks(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<Check>, StoreError> {
    let lists = tx.list_followed()?;
    let sources = lists.iter().filter(|list| list.dropped_at.is_none() && list.is_source());
    let mut checks = Vec::new();
    for list in sources {
        let name = format!("list of others {}", list.code);
        let head = match &list.snapshot {
            Some(id) => tx.find_snapshot_head(id)?,
            None => None,
        };
        checks.push(match (head, &list.fault) {
            (None, None) => Check::new(name, false, "not looked at yet"),
            (None, Some(fault)) => {
                Check::new(name, false, format!("never good: {}", fault.problem))
            }
            (Some(head), _) if head.next_update.is_some_and(|until| until <= now) => {
                Check::new(name, false, "its next update has passed")
            }
            (Some(head), Some(fault)) => {
                let found =
                    format!("{} since {}; sequence {}", fault.problem, fault.since, head.sequence);
                Check::new(name, true, found)
            }
            (Some(head), None) => Check::new(name, true, format!("sequence {}", head.sequence)),
        });
    }
    if checks.is_empty() {
        checks.push(Check::new("anchors", false, "no list of others is believed"));
    }
    Ok(checks)
}

/// Whether OCSP answers and lists say what is recorded, as of the last comparison.
fn agreement_check(last: Option<&JobRun>) -> Check {
    let name = "status agrees";
    match last {
        None => Check::new(name, true, "the first comparison is still to come"),
        Some(run) if run.outcome == "failed" => {
            Check::new(name, false, format!("nothing could be compared at {}", run.started_at))
        }
        Some(run) => {
            let differing = run.counts.get(DIFFERING).copied().unwrap_or_default();
            let found = format!("{differing} certificates differ as of {}", run.started_at);
            Check::new(name, differing == 0, found)
        }
    }
}

/// Whether the nightly checks run: without them nothing retires, and no date is kept.
pub(crate) fn run_check(watch: &RunWatch) -> Check {
    let name = "nightly run";
    match watch {
        RunWatch::Fine { at: Some(at) } => Check::new(name, true, format!("done at {at}")),
        RunWatch::Fine { at: None } => Check::new(name, true, "the first one is still to come"),
        RunWatch::Failed { at } => Check::new(name, false, format!("did not work at {at}")),
        RunWatch::Missed { last: Some(at) } => {
            Check::new(name, false, format!("missed: the last one was at {at}"))
        }
        RunWatch::Missed { last: None } => Check::new(name, false, "missed: there was none yet"),
    }
}

fn fresh(name: String, until: Option<Timestamp>, now: Timestamp) -> Check {
    match until {
        Some(until) => Check::new(name, until > now, format!("good until {until}")),
        None => Check::new(name, false, "missing"),
    }
}

async fn metrics(
    env: Data<Env>,
    responder: Data<Responder>,
    role: Data<Role>,
    tls: OwnTls,
) -> HttpResponse {
    let all = move || {
        let now = env.clock.now();
        let mut status = status_figures(&responder, now);
        if let Some(tls) = tls.as_ref() {
            let left = tls.material().not_after.seconds() - now.seconds();
            // Writing to a string does not fail.
            let _ = writeln!(
                status,
                "# HELP tenkoku_tls_certificate_seconds Seconds to the end of the console's \
                 certificate\n# TYPE tenkoku_tls_certificate_seconds gauge\n\
                 tenkoku_tls_certificate_seconds {left}"
            );
        }
        match **role {
            Role::All => figures(&env).map(|text| text + &status),
            Role::Status => Ok(status),
        }
    };
    match web::block(all).await {
        Ok(Ok(text)) => HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(text),
        Ok(Err(error)) => {
            tracing::error!(%error, "no metrics could be read");
            HttpResponse::ServiceUnavailable().finish()
        }
        Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}

/// The responder's numbers: counters, a histogram, and how it stands.
fn status_figures(responder: &Responder, now: Timestamp) -> String {
    let (figures, standing) = (responder.figures(), responder.standing());
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "# HELP tenkoku_ocsp_answers_total OCSP answers by what they say\n\
         # TYPE tenkoku_ocsp_answers_total counter"
    );
    for (count, name) in Count::ALL.iter().filter(|(count, _)| count.is_answer()) {
        let value = figures.get(*count);
        let _ = writeln!(text, "tenkoku_ocsp_answers_total{{says=\"{name}\"}} {value}");
    }
    let _ = writeln!(
        text,
        "# HELP tenkoku_ocsp_work_total What the answers took\n\
         # TYPE tenkoku_ocsp_work_total counter"
    );
    for (count, name) in Count::ALL.iter().filter(|(count, _)| !count.is_answer()) {
        let value = figures.get(*count);
        let _ = writeln!(text, "tenkoku_ocsp_work_total{{kind=\"{name}\"}} {value}");
    }
    let _ = writeln!(
        text,
        "# HELP tenkoku_ocsp_duration_seconds From the request read to the answer made\n\
         # TYPE tenkoku_ocsp_duration_seconds histogram"
    );
    let (classes, sum) = figures.durations();
    let mut until_here = 0;
    let seconds = |micros: u64| format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    let ends = DURATION_CLASSES.iter().map(|micros| seconds(*micros)).chain(["+Inf".to_owned()]);
    for (end, count) in ends.zip(&classes) {
        until_here += count;
        let _ = writeln!(text, "tenkoku_ocsp_duration_seconds_bucket{{le=\"{end}\"}} {until_here}");
    }
    let _ = writeln!(text, "tenkoku_ocsp_duration_seconds_sum {}", seconds(sum));
    let _ = writeln!(text, "tenkoku_ocsp_duration_seconds_count {until_here}");
    let lag = standing.synced_at.map_or(-1, |at| (now.millis() - at.millis()).max(0));
    let number = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
    let gauges = [
        ("status_revision", "The last change of status that is known", standing.revision),
        ("status_lag_milliseconds", "Since the log was known whole; -1 before", lag),
        ("status_fresh", "Whether answers are given", i64::from(standing.is_fresh)),
        ("status_authorities", "Authorities answered for", number(standing.authorities)),
        ("status_certificates", "Certificates in the index", number(standing.certificates)),
        ("status_index_octets", "Memory of the index", number(standing.index_octets)),
        ("ocsp_kept", "Answers kept", number(standing.kept)),
        ("ocsp_kept_octets", "Memory of the answers kept", number(standing.kept_octets)),
        ("ocsp_waiting", "Signatures waited for", number(standing.waiting)),
    ];
    for (name, help, value) in gauges {
        let _ = writeln!(
            text,
            "# HELP tenkoku_{name} {help}\n# TYPE tenkoku_{name} gauge\ntenkoku_{name} {value}"
        );
    }
    text
}

/// The figures in the text form of Prometheus. No label names an organisation.
fn figures(env: &Env) -> Result<String, StoreError> {
    let now = env.clock.now();
    let (registry, head, jobs) = env.store.read(|tx| {
        let registry = tx.registry_figures(&Scope::Platform, now)?;
        Ok::<_, StoreError>((registry, tx.audit_head()?, tx.count_jobs()?))
    })?;
    let mut text = String::new();
    let mut gauge = |name: &str, help: &str, rows: &[(String, i64)]| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "# HELP tenkoku_{name} {help}\n# TYPE tenkoku_{name} gauge");
        for (labels, value) in rows {
            let _ = writeln!(text, "tenkoku_{name}{labels} {value}");
        }
    };
    let state = |state: &str| format!("{{state=\"{state}\"}}");
    gauge(
        "certificates",
        "Seal certificates by state",
        &[
            (state("valid"), registry.certificates_valid),
            (state("suspended"), registry.certificates_suspended),
            (state("revoked"), registry.certificates_revoked),
        ],
    );
    let plain = |value| [(String::new(), value)];
    gauge("organisations", "Organisations", &plain(registry.organisations));
    gauge("branches", "Branch offices", &plain(registry.branches));
    gauge("audit_records", "Records of the audit chain", &plain(head.map_or(0, |(seq, _)| seq)));
    gauge("jobs_waiting", "Jobs in the queue", &plain(jobs));
    let backups = tenkoku_ca::restore::backup_times(env)?;
    let age = |at: Option<Timestamp>| -> Vec<_> {
        at.into_iter().map(|at| (String::new(), now.seconds() - at.seconds())).collect()
    };
    gauge("backup_age_seconds", "Seconds since the last backup", &age(backups.made));
    gauge(
        "backup_rehearsal_age_seconds",
        "Seconds since a backup was last restored into a scratch place",
        &age(backups.rehearsed),
    );
    let letters = env.store.read(|tx| tx.letter_figures())?;
    gauge(
        "letters",
        "Letters that have not left",
        &[(state("waiting"), letters.waiting), (state("given-up"), letters.given_up)],
    );
    let followed = env.store.read(|tx| tx.list_followed())?;
    let live = followed.iter().filter(|list| list.dropped_at.is_none());
    let (troubled, good): (Vec<_>, Vec<_>) = live.partition(|list| list.fault.is_some());
    let count = |lists: &[_]| i64::try_from(lists.len()).unwrap_or(i64::MAX);
    gauge(
        "followed_lists",
        "Trusted lists of others",
        &[(state("good"), count(&good)), (state("troubled"), count(&troubled))],
    );
    let until = next_updates(env, now)?;
    gauge("next_update_seconds", "Seconds to the next update of CRLs and lists", &until);
    Ok(text)
}

fn next_updates(env: &Env, now: Timestamp) -> Result<Vec<(String, i64)>, StoreError> {
    env.store.read(|tx| {
        let mut rows = Vec::new();
        let left = |until: Timestamp| until.seconds() - now.seconds();
        for authority in tx.list_authorities()? {
            if let Some(crl) = tx.latest_crl(&authority.id)? {
                let labels = format!("{{kind=\"crl\",name=\"{}\"}}", authority.code);
                rows.push((labels, left(crl.next_update)));
            }
        }
        if let Some(list) = tx.latest_list(&env.settings.scheme.code)? {
            let labels = format!("{{kind=\"list\",name=\"{}\"}}", list.scheme);
            rows.extend(list.next_update.map(|next| (labels, left(next))));
        }
        for list in tx.list_followed()?.iter().filter(|list| list.dropped_at.is_none()) {
            let Some(id) = &list.snapshot else { continue };
            let until = tx.find_snapshot_head(id)?.and_then(|head| head.next_update);
            let labels = format!("{{kind=\"list-of-others\",name=\"{}\"}}", list.code);
            rows.extend(until.map(|until| (labels, left(until))));
        }
        Ok(rows)
    })
}

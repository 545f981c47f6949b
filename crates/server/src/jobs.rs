//! Jobs: a clock that puts rows into the queue, and a worker that takes them out.
//!
//! A job only triggers: it calls a use case like a handler does, with the permit of a named part of
//! the platform, and may run twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tenkoku_ca::bulk::work_bulk;
use tenkoku_ca::destroy::in_store::settle_destructions;
use tenkoku_ca::lapse::lapse_applications;
use tenkoku_ca::nightly::{NIGHTLY, run_nightly};
use tenkoku_ca::notices::collect_notices;
use tenkoku_ca::policy::activate_due_policies;
use tenkoku_ca::settle::settle_pending;
use tenkoku_ca::signer::{renew_document_signer, renew_list_signer, renew_ocsp_signers};
use tenkoku_ca::weak_scan::{scan_listed, scan_shared_factors};
use tenkoku_domain::access::{OperateAuthority, Permit};
use tenkoku_domain::authority::AuthorityCode;
use tenkoku_domain::id::{AuthorityId, BulkId};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_ports::settings::crl_file;
use tenkoku_publisher::publish::renew_list;
use tenkoku_responder::consistency::{Compared, compare_status};
use tenkoku_responder::crl::{CrlError, Lists};
use tenkoku_responder::responder::Responder;
use tenkoku_store::{Job, Lane, StoreError};
use tokio_cron_scheduler::{Job as CronJob, JobScheduler};

use crate::clock;
use crate::failure::Failure;
use crate::watch::{BulkWatch, CrlWatch};

/// What the clock puts into the queue, and when (second, minute, hour, day, month, weekday).
const TIMETABLE: [(&str, &str); 12] = [
    (ACTIVATE_POLICIES, "0 * * * * *"),
    (SETTLE, "*/10 * * * * *"),
    (SETTLE_DESTRUCTIONS, "40 * * * * *"),
    (COMPARE_CLOCK, "20 */10 * * * *"),
    (RENEW_SIGNERS, "0 */10 * * * *"),
    (RENEW_CRLS, "30 */10 * * * *"),
    (RENEW_LIST, "0 5 * * * *"),
    (LAPSE, "0 20 * * * *"),
    // Hourly, so that a date is never missed by a day; a second run of the same day finds nothing to
    // do.
    (NIGHTLY, "0 10 * * * *"),
    (NOTICES, "0 */10 * * * *"),
    (SEARCH_KEYS, "0 40 * * * *"),
    (COMPARE_STATUS, "0 50 * * * *"),
];

const ACTIVATE_POLICIES: &str = "activate-policies";
const SETTLE: &str = "settle";
const SETTLE_DESTRUCTIONS: &str = "settle-destructions";
const COMPARE_CLOCK: &str = "compare-clock";
const RENEW_SIGNERS: &str = "renew-signers";
const RENEW_CRLS: &str = "renew-crls";
const RENEW_LIST: &str = "renew-list";
const LAPSE: &str = "lapse-applications";
/// Writes the letters whose step has come.
const NOTICES: &str = "collect-notices";
/// The search among all known keys for weak and published ones, and for shared factors. Asked for
/// hourly, so that a night is never missed, and run once a day.
pub(crate) const SEARCH_KEYS: &str = "search-keys";
/// Hours after a search in which no other begins.
const SEARCH_HOURS: i64 = 20;
/// Hours after which a search that did not end is taken as broken off.
const SEARCH_BROKEN_HOURS: i64 = 3;

/// Compares the status services with the record (DOMAIN 13).
pub(crate) const COMPARE_STATUS: &str = "compare-status";

/// Queued by the store with every change of status.
const REFRESH_STATUS: &str = "refresh-status";

/// Queued by whoever wants the lists of an authority at once.
const ISSUE_CRLS: &str = "issue-crls";
/// Queued by the store when a bulk revocation was approved.
const BULK_REVOCATION: &str = "bulk-revocation";

/// How long a turn of work that is done in slices lasts.
const TURN: Duration = Duration::from_secs(15);
/// How long a worker waits when the queue is empty.
const IDLE: Duration = Duration::from_millis(200);
/// How long the worker of CRLs waits after each round, so that what is revoked meanwhile stands in
/// one list.
const COALESCE: Duration = Duration::from_millis(500);
/// When a job that did not work is tried again, in seconds.
const RETRY_SECONDS: i64 = 30;

/// The running clock and workers.
pub(crate) struct Jobs {
    scheduler: JobScheduler,
    workers: Vec<(Sender<()>, JoinHandle<()>)>,
}

impl Jobs {
    /// Starts the clock and a worker for each lane; everything on the timetable runs once at the
    /// start.
    pub(crate) async fn start(env: &Arc<Env>, responder: &Arc<Responder>) -> Result<Self, Failure> {
        let scheduler = JobScheduler::new().await.map_err(Failure::internal)?;
        for (kind, when) in TIMETABLE {
            enqueue(env, kind);
            let shared = Arc::clone(env);
            let job = CronJob::new(when, move |_, _| enqueue(&shared, kind));
            scheduler.add(job.map_err(Failure::internal)?).await.map_err(Failure::internal)?;
        }
        scheduler.start().await.map_err(Failure::internal)?;
        let services =
            Arc::new(Services { lists: Lists::default(), responder: Arc::clone(responder) });
        let lanes = [Lane::Status, Lane::Long, Lane::Rest];
        let workers = lanes.map(|lane| start_worker(env, &services, lane));
        let workers = workers.into_iter().collect::<Result<_, _>>()?;
        Ok(Self { scheduler, workers })
    }

    /// Stops them; the jobs under way are finished.
    pub(crate) async fn stop(mut self) {
        if let Err(error) = self.scheduler.shutdown().await {
            tracing::warn!(%error, "the scheduler did not stop in order");
        }
        for (stop, _) in &self.workers {
            // A worker that is gone needs no word.
            let _ = stop.send(());
        }
        for (_, worker) in self.workers {
            if worker.join().is_err() {
                tracing::error!("a worker of the jobs had stopped before");
            }
        }
    }
}

/// What tells status.
struct Services {
    lists: Lists,
    responder: Arc<Responder>,
}

fn start_worker(
    env: &Arc<Env>,
    services: &Arc<Services>,
    lane: Lane,
) -> Result<(Sender<()>, JoinHandle<()>), Failure> {
    let (stop, stopped) = channel();
    let (env, services) = (Arc::clone(env), Arc::clone(services));
    let worker = std::thread::Builder::new()
        .name(format!("jobs-{lane:?}").to_lowercase())
        .spawn(move || {
            loop {
                let wait = match (work(&env, &services, lane), lane) {
                    (true, Lane::Status) => COALESCE,
                    (true, Lane::Long | Lane::Rest) => Duration::ZERO,
                    (false, _) => IDLE,
                };
                match stopped.recv_timeout(wait) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        })
        .map_err(Failure::internal)?;
    Ok((stop, worker))
}

fn enqueue(env: &Env, kind: &str) {
    let now = env.clock.now();
    let queued = env.store.write(|tx| tx.enqueue_job(kind, "platform", now));
    if let Err(error) = queued {
        tracing::error!(kind, %error, "a job could not be queued");
    }
}

/// Takes what is due in a lane, one job, or all CRLs that are due; whether there was anything.
fn work(env: &Env, services: &Services, lane: Lane) -> bool {
    let any = work_once(env, services, lane);
    while any && lane == Lane::Status && work_once(env, services, lane) {}
    any
}

fn work_once(env: &Env, services: &Services, lane: Lane) -> bool {
    let now = env.clock.now();
    let job = match env.store.write(|tx| tx.claim_job_in(lane, now)) {
        Ok(Some(job)) => job,
        Ok(None) => return false,
        Err(error) => {
            tracing::error!(%error, "the queue of jobs cannot be read");
            return false;
        }
    };
    let done = match run(env, services, &job) {
        Ok(()) => env.store.write(|tx| tx.finish_job(job.id)),
        Err(failure) => {
            let cause = failure.cause.as_deref().unwrap_or(&failure.code);
            tracing::error!(kind = %job.kind, object = %job.object, cause, "a job did not work");
            let later = env.clock.now().plus_seconds(RETRY_SECONDS);
            env.store.write(|tx| tx.postpone_job(job.id, later))
        }
    };
    if let Err(error) = done {
        tracing::error!(kind = %job.kind, %error, "the end of a job could not be recorded");
    }
    true
}

fn run(env: &Env, services: &Services, job: &Job) -> Result<(), Failure> {
    let lists = &services.lists;
    let now = env.clock.now();
    let scheduler = env.system("scheduler");
    match job.kind.as_str() {
        SETTLE => {
            let settled = settle_pending(env, &scheduler.permit(now)?)?;
            if settled > 0 {
                tracing::warn!(
                    settled,
                    "certificates whose signing did not complete were withdrawn"
                );
            }
        }
        SETTLE_DESTRUCTIONS => {
            let settled = settle_destructions(env, &scheduler.permit(now)?)?;
            if settled > 0 {
                tracing::warn!(settled, "destructions of keys that were cut short were settled");
            }
        }
        COMPARE_CLOCK => clock::compare(env)?,
        ACTIVATE_POLICIES => {
            let activated = activate_due_policies(env, &scheduler.permit(now)?)?;
            if activated > 0 {
                tracing::info!(activated, "key-management policies came into force");
            }
        }
        RENEW_SIGNERS => {
            renew_ocsp_signers(env, &scheduler.permit(now)?)?;
            if has_issuer(env)? {
                renew_document_signer(env, &scheduler.permit(now)?)?;
            }
        }
        RENEW_CRLS => {
            let authorities = env.store.read(|tx| tx.list_authorities())?;
            let certified = authorities.iter().filter(|a| a.certificate.is_some());
            // One authority that fails does not keep the others waiting.
            let issued: Vec<_> = certified.map(|a| refresh(env, lists, &a.code)).collect();
            issued.into_iter().collect::<Result<(), _>>()?;
        }
        RENEW_LIST => {
            if has_root(env)? {
                renew_list_signer(env, &scheduler.permit(now)?)?;
                renew_list(env, &scheduler.permit(now)?)?;
            }
        }
        LAPSE => {
            lapse_applications(env, &scheduler.permit(now)?)?;
        }
        NOTICES => {
            let written = collect_notices(env, &scheduler.permit(now)?)?;
            if written > 0 {
                tracing::info!(written, "letters were written");
            }
        }
        NIGHTLY => nightly(env, &scheduler.permit(now)?)?,
        SEARCH_KEYS => search_keys(env)?,
        COMPARE_STATUS => compare(env, &services.responder)?,
        REFRESH_STATUS => {
            let id = AuthorityId::parse(&job.object).map_err(Failure::internal)?;
            let authority = env.store.read(|tx| tx.load_authority(&id))?;
            refresh(env, lists, &authority.code)?;
        }
        ISSUE_CRLS => {
            let id = AuthorityId::parse(&job.object).map_err(Failure::internal)?;
            let authority = env.store.read(|tx| tx.load_authority(&id))?;
            let mut watch = CrlWatch::new(env);
            let issued = lists.issue_all(
                env,
                &scheduler.permit(now)?,
                &authority.code,
                &mut |authority, list, phase| {
                    watch.step(&crl_file(&authority.code, list), phase);
                },
            );
            watch.end(issued.is_ok());
            issued?;
        }
        BULK_REVOCATION => bulk(env, &job.object)?,
        other => tracing::warn!(kind = other, "a job of a kind that this program does not know"),
    }
    Ok(())
}

/// Compares the status services with the record and keeps what was found for `/readyz`.
fn compare(env: &Env, responder: &Responder) -> Result<(), Failure> {
    let started = env.clock.now();
    env.store.write(|tx| tx.begin_job_run(COMPARE_STATUS, started))?;
    let permit = env.system("scheduler").permit(started)?;
    let compared = compare_status(env, &permit, responder);
    let (outcome, counts) = match &compared {
        Ok(Compared { certificates, differing }) => {
            let counts = [("certificates", *certificates), (DIFFERING, *differing)];
            ("done", counts.map(|(name, count)| (name.to_owned(), count)).into())
        }
        Err(_) => ("failed", BTreeMap::new()),
    };
    let ended = env.clock.now();
    env.store.write(|tx| tx.end_job_run((COMPARE_STATUS, started), outcome, &counts, ended))?;
    compared?;
    Ok(())
}

/// What of a comparison is counted that should be none.
pub(crate) const DIFFERING: &str = "differing";

/// Begins the search among all keys on a thread of its own: it takes minutes, and the other jobs do
/// not wait for it. At most one runs a day, whatever the number of nodes; one that is cut off by a
/// stop is begun anew, and finds what it found before blocked.
fn search_keys(env: &Env) -> Result<(), Failure> {
    let now = env.clock.now();
    let hours = |hours: i64| now.plus_seconds(-3600 * hours);
    let begun = env.store.write(|tx| {
        // Of two nodes the second finds the run of the first.
        let due = match tx.last_run(SEARCH_KEYS)? {
            Some(run) if run.outcome == "running" => run.started_at < hours(SEARCH_BROKEN_HOURS),
            Some(run) if run.outcome == "done" => run.started_at < hours(SEARCH_HOURS),
            Some(_) | None => true,
        };
        if due {
            tx.begin_job_run(SEARCH_KEYS, now)?;
        }
        Ok::<_, StoreError>(due)
    })?;
    if !begun {
        return Ok(());
    }
    let shared = env.clone();
    let spawned = std::thread::Builder::new()
        .name("search-keys".to_owned())
        .spawn(move || searched(&shared, now));
    spawned.map(drop).map_err(Failure::internal)
}

/// Runs the search and records how it ended.
fn searched(env: &Env, started: Timestamp) {
    let scheduler = env.system("scheduler");
    let ran = scheduler.permit(started).map_err(Failure::from).and_then(|permit| {
        let listed = scan_listed(env, &permit)?;
        let shared = scan_shared_factors(env, &permit)?;
        Ok(BTreeMap::from([("listed".to_owned(), listed), ("shared-factor".to_owned(), shared)]))
    });
    let (outcome, counts) = match &ran {
        Ok(counts) => ("done", counts.clone()),
        Err(failure) => {
            let cause = failure.cause.as_deref().unwrap_or(&failure.code);
            tracing::error!(cause, "the search among all keys did not work");
            ("failed", BTreeMap::new())
        }
    };
    let found: usize = counts.values().sum();
    if found > 0 {
        tracing::error!(found, "keys in use were found weak or published: see the incidents");
    }
    let ended = env.clock.now();
    let run = (SEARCH_KEYS, started);
    if let Err(error) = env.store.write(|tx| tx.end_job_run(run, outcome, &counts, ended)) {
        tracing::error!(%error, "the end of the search among all keys could not be recorded");
    }
}

/// Works on a bulk revocation for a while, and queues what is left, so that others get their turn
/// and a claim is never older than its 60 seconds.
fn bulk(env: &Env, object: &str) -> Result<(), Failure> {
    let id = BulkId::parse(object).map_err(Failure::internal)?;
    let permit = env.system("scheduler").permit(env.clock.now())?;
    let mut watch = BulkWatch::new(env, &id);
    #[expect(clippy::disallowed_methods, reason = "how long a turn lasts; no date")]
    let begun = Instant::now();
    loop {
        let bulk = work_bulk(env, &permit, &id)?;
        watch.step(&bulk);
        let now = env.clock.now();
        if !bulk.is_due(now) {
            return Ok(());
        }
        if begun.elapsed() >= TURN {
            env.store.write(|tx| tx.enqueue_job(BULK_REVOCATION, object, now))?;
            return Ok(());
        }
    }
}

/// Brings the lists of an authority up to date. What takes long enough is a task to be watched.
fn refresh(env: &Env, lists: &Lists, code: &AuthorityCode) -> Result<(), Failure> {
    let mut watch = CrlWatch::new(env);
    let refreshed = lists.refresh(env, code, &mut |authority, list, phase| {
        watch.step(&crl_file(&authority.code, list), phase);
    });
    watch.end(refreshed.is_ok());
    match refreshed {
        // An authority that is not in service has no lists yet; an offline one makes its own.
        Err(CrlError::Refused(refusal)) => {
            tracing::debug!(authority = %code, code = %refusal.code, "no list is made here");
            Ok(())
        }
        refreshed => Ok(refreshed.map(drop)?),
    }
}

/// Runs the checks and records the run, so that one that did not happen is noticed.
fn nightly(env: &Env, permit: &Permit<OperateAuthority>) -> Result<(), Failure> {
    let started = env.clock.now();
    env.store.write(|tx| tx.begin_job_run(NIGHTLY, started))?;
    let ran = run_nightly(env, permit);
    let (outcome, counts) = match &ran {
        Ok(counts) => ("done", counts.clone()),
        Err(_) => ("failed", BTreeMap::new()),
    };
    let ended = env.clock.now();
    env.store.write(|tx| tx.end_job_run((NIGHTLY, started), outcome, &counts, ended))?;
    ran?;
    Ok(())
}

fn has_issuer(env: &Env) -> Result<bool, StoreError> {
    let now = env.clock.now();
    let authorities = env.store.read(|tx| tx.list_authorities())?;
    Ok(authorities.iter().any(|a| {
        a.kind.level().is_some()
            && a.dedicated.is_none()
            && a.may_issue(now).is_ok()
            && a.check_online().is_ok()
    }))
}

fn has_root(env: &Env) -> Result<bool, StoreError> {
    let now = env.clock.now();
    let authorities = env.store.read(|tx| tx.list_authorities())?;
    Ok(authorities.iter().any(|a| a.kind.level().is_none() && a.may_issue(now).is_ok()))
}

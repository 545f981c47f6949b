//! Jobs: a clock that puts rows into the queue, and a worker that takes them out.
//!
//! A job only triggers: it calls a use case like a handler does, with the permit of a named part of
//! the platform, and may run twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tenkoku_ca::batch::work_batch;
use tenkoku_ca::bulk::work_bulk;
use tenkoku_ca::destroy::in_store::settle_destructions;
use tenkoku_ca::lapse::lapse_applications;
use tenkoku_ca::nightly::{NIGHTLY, run_nightly};
use tenkoku_ca::notices::collect_notices;
use tenkoku_ca::policy::activate_due_policies;
use tenkoku_ca::settle::settle_pending;
use tenkoku_ca::signer::{renew_document_signer, renew_list_signers, renew_ocsp_signers};
use tenkoku_ca::weak_scan::{scan_listed, scan_shared_factors};
use tenkoku_domain::access::{OperateAuthority, Permit};
use tenkoku_domain::authority::AuthorityCode;
use tenkoku_domain::batch::BatchState;
use tenkoku_domain::id::{AuthorityId, BatchId, BulkId};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_ports::settings::crl_file;
use tenkoku_publisher::draft::publish_due_drafts;
use tenkoku_publisher::publish::renew_lists;
use tenkoku_reader::delivery::{Which, check_deliveries};
use tenkoku_reader::refresh::refresh_lists;
use tenkoku_responder::consistency::{Compared, compare_status};
use tenkoku_responder::crl::{CrlError, Lists};
use tenkoku_responder::responder::Responder;
use tenkoku_store::{Job, Lane, StoreError};
use tokio_cron_scheduler::{Job as CronJob, JobScheduler};

use crate::clock;
use crate::failure::Failure;
use crate::watch::{BatchWatch, BulkWatch, CrlWatch};
use crate::wire::Webs;

/// What the clock puts into the queue, and when (second, minute, hour, day, month, weekday).
const TIMETABLE: [(&str, &str); 14] = [
    (CHECK_DELIVERY, "50 * * * * *"),
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
    (REFRESH_LISTS, "0 50 * * * *"),
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
/// The same for a look at the lists of others, in seconds: longer than all of them may take.
const REFRESH_BROKEN_SECONDS: i64 = 3600;

/// Looks at the trusted lists of others: hourly, and when people decided about them.
pub(crate) const REFRESH_LISTS: &str = tenkoku_domain::followed::REFRESH_JOB;

/// Looks whether the public addresses of the own lists serve them: those that are due, every minute.
const CHECK_DELIVERY: &str = tenkoku_reader::delivery::JOB;

/// Compares the status services with the record (DOMAIN 13).
pub(crate) const COMPARE_STATUS: &str = "compare-status";

/// Queued by the store with every change of status.
const REFRESH_STATUS: &str = "refresh-status";

/// Queued by whoever wants the lists of an authority at once.
const ISSUE_CRLS: &str = "issue-crls";
/// Queued by the store when a list of applications was approved, and when keys were handed in.
const BATCH: &str = tenkoku_ca::batch::JOB;
/// Queued by the store when a bulk revocation was approved.
const BULK_REVOCATION: &str = "bulk-revocation";

/// How long a turn of work that is done in slices lasts.
const TURN: Duration = Duration::from_secs(15);
/// How long a worker waits when the queue is empty.
const IDLE: Duration = Duration::from_millis(200);
/// How long the worker of CRLs waits after each round, so that what is revoked meanwhile stands in
/// one list.
const COALESCE: Duration = Duration::from_millis(300);
/// When a job that did not work is tried again, in seconds.
const RETRY_SECONDS: i64 = 30;
/// When a list of applications that waits for something else is looked at again, in seconds.
const LOOK_AGAIN_SECONDS: i64 = 60;

/// What jobs share beside the environment.
struct Parts {
    lists: Lists,
    responder: Arc<Responder>,
    webs: Arc<Webs>,
}

/// The running clock and workers.
pub(crate) struct Jobs {
    scheduler: JobScheduler,
    workers: Vec<(Sender<()>, JoinHandle<()>)>,
}

impl Jobs {
    /// Starts the clock and a worker for each lane; everything on the timetable runs once at the
    /// start.
    pub(crate) async fn start(
        env: &Arc<Env>,
        responder: &Arc<Responder>,
        webs: Webs,
    ) -> Result<Self, Failure> {
        let scheduler = JobScheduler::new().await.map_err(Failure::internal)?;
        for (kind, when) in TIMETABLE {
            enqueue(env, kind);
            let shared = Arc::clone(env);
            let job = CronJob::new(when, move |_, _| enqueue(&shared, kind));
            scheduler.add(job.map_err(Failure::internal)?).await.map_err(Failure::internal)?;
        }
        scheduler.start().await.map_err(Failure::internal)?;
        let parts = Arc::new(Parts {
            lists: Lists::default(),
            responder: Arc::clone(responder),
            webs: Arc::new(webs),
        });
        take_up_batches(env)?;
        let lanes = [Lane::Status, Lane::Long, Lane::Rest];
        let workers = lanes.map(|lane| start_worker(env, &parts, lane));
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

fn start_worker(
    env: &Arc<Env>,
    parts: &Arc<Parts>,
    lane: Lane,
) -> Result<(Sender<()>, JoinHandle<()>), Failure> {
    let (stop, stopped) = channel();
    let (env, parts) = (Arc::clone(env), Arc::clone(parts));
    let worker = std::thread::Builder::new()
        .name(format!("jobs-{lane:?}").to_lowercase())
        .spawn(move || {
            loop {
                let wait = match (work(&env, &parts, lane), lane) {
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

/// Lists that a program was killed over go on at once, not when its claim ends.
fn take_up_batches(env: &Env) -> Result<(), StoreError> {
    let now = env.clock.now();
    env.store.write(|tx| {
        for id in tx.working_batches()? {
            tx.enqueue_job(BATCH, id.as_str(), now)?;
        }
        Ok(())
    })
}

fn enqueue(env: &Env, kind: &str) {
    let now = env.clock.now();
    let queued = env.store.write(|tx| tx.enqueue_job(kind, "platform", now));
    if let Err(error) = queued {
        tracing::error!(kind, %error, "a job could not be queued");
    }
}

/// Takes what is due in a lane, one job, or all CRLs that are due; whether there was anything.
fn work(env: &Env, parts: &Parts, lane: Lane) -> bool {
    let any = work_once(env, parts, lane);
    while any && lane == Lane::Status && work_once(env, parts, lane) {}
    any
}

fn work_once(env: &Env, parts: &Parts, lane: Lane) -> bool {
    let now = env.clock.now();
    let job = match env.store.write(|tx| tx.claim_job_in(lane, now)) {
        Ok(Some(job)) => job,
        Ok(None) => return false,
        Err(error) => {
            tracing::error!(%error, "the queue of jobs cannot be read");
            return false;
        }
    };
    let done = match run(env, parts, &job) {
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

fn run(env: &Env, parts: &Parts, job: &Job) -> Result<(), Failure> {
    let lists = &parts.lists;
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
                renew_list_signers(env, &scheduler.permit(now)?)?;
                publish_due_drafts(env, &scheduler.permit(now)?)?;
                renew_lists(env, &scheduler.permit(now)?)?;
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
        SEARCH_KEYS => begin(env, &parts.webs, KEY_SEARCH)?,
        REFRESH_LISTS if env.settings.follows_lists => begin(env, &parts.webs, LIST_REFRESH)?,
        REFRESH_LISTS => {}
        CHECK_DELIVERY => begin(env, &parts.webs, DELIVERY_CHECK)?,
        COMPARE_STATUS => compare(env, &parts.responder)?,
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
        BATCH => batch(env, &job.object)?,
        other => tracing::warn!(kind = other, "a job of a kind that this program does not know"),
    }
    Ok(())
}

/// What a long run does: how much of what was done.
type Work = fn(&Env, &Webs, Timestamp) -> Result<Counts, Failure>;
/// How much of what was done, by name.
type Counts = BTreeMap<String, usize>;

/// Work that takes minutes: it runs on a thread of its own, so that the other jobs do not wait for
/// it, at most once at a time whatever the number of nodes. A run that is cut off by a stop is begun
/// anew; each finds what the one before it did.
#[derive(Clone, Copy)]
struct LongRun {
    kind: &'static str,
    /// How long after a run that was done no other begins, in seconds.
    rest: i64,
    /// After how long a run that did not end is taken as broken off, in seconds.
    broken: i64,
    work: Work,
}

/// The search among all known keys: once a day.
const KEY_SEARCH: LongRun = LongRun {
    kind: SEARCH_KEYS,
    rest: 3600 * SEARCH_HOURS,
    broken: 3600 * SEARCH_BROKEN_HOURS,
    work: searched,
};

/// The look at the lists of others: whenever it is asked for.
const LIST_REFRESH: LongRun =
    LongRun { kind: REFRESH_LISTS, rest: 0, broken: REFRESH_BROKEN_SECONDS, work: refreshed };

/// The look at the own public addresses: it takes those that are due.
const DELIVERY_CHECK: LongRun =
    LongRun { kind: CHECK_DELIVERY, rest: 0, broken: REFRESH_BROKEN_SECONDS, work: delivered };

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

/// Begins a long run, if it is due.
fn begin(env: &Env, webs: &Arc<Webs>, run: LongRun) -> Result<(), Failure> {
    let now = env.clock.now();
    if !claim_run(env, &run, now)? {
        return Ok(());
    }
    let (env, webs) = (env.clone(), Arc::clone(webs));
    let spawned = std::thread::Builder::new().name(run.kind.to_owned()).spawn(move || {
        if let Err(failure) = carry_out(&env, &webs, run, now) {
            let cause = failure.cause.as_deref().unwrap_or(&failure.code);
            tracing::error!(kind = run.kind, cause, "a job did not work");
        }
    });
    spawned.map(drop).map_err(Failure::internal)
}

/// Whether the run is due and nobody else is at it; it is ours then.
fn claim_run(env: &Env, run: &LongRun, now: Timestamp) -> Result<bool, StoreError> {
    env.store.write(|tx| {
        // Of two nodes the second finds the run of the first.
        let due = match tx.last_run(run.kind)? {
            Some(last) if last.outcome == "running" => {
                last.started_at < now.plus_seconds(-run.broken)
            }
            Some(last) if last.outcome == "done" => last.started_at < now.plus_seconds(-run.rest),
            Some(_) | None => true,
        };
        if due {
            tx.begin_job_run(run.kind, now)?;
        }
        Ok(due)
    })
}

/// Does the work and records how it ended.
fn carry_out(env: &Env, webs: &Webs, run: LongRun, started: Timestamp) -> Result<Counts, Failure> {
    let ran = (run.work)(env, webs, started);
    let (outcome, counts) = match &ran {
        Ok(counts) => ("done", counts.clone()),
        Err(_) => ("failed", BTreeMap::new()),
    };
    let ended = env.clock.now();
    let recorded =
        env.store.write(|tx| tx.end_job_run((run.kind, started), outcome, &counts, ended));
    let counts = ran?;
    recorded?;
    Ok(counts)
}

/// Searches all keys, and tells what was found.
fn searched(env: &Env, _: &Webs, now: Timestamp) -> Result<Counts, Failure> {
    let permit = env.system("scheduler").permit(now)?;
    let listed = scan_listed(env, &permit)?;
    let shared = scan_shared_factors(env, &permit)?;
    let found = listed + shared;
    if found > 0 {
        tracing::error!(found, "keys in use were found weak or published: see the incidents");
    }
    Ok(BTreeMap::from([("listed".to_owned(), listed), ("shared-factor".to_owned(), shared)]))
}

/// Looks at the lists of others, and tells how many are in trouble.
fn refreshed(env: &Env, webs: &Webs, now: Timestamp) -> Result<Counts, Failure> {
    let done = refresh_lists(env, &env.system("scheduler").permit(now)?, &webs.others)?;
    if done.troubled > 0 {
        let troubled = done.troubled;
        tracing::error!(troubled, "lists of others are in trouble: see the trusted lists");
    }
    Ok(done.counts())
}

/// Looks at the own public addresses that are due, and tells how many serve something else than what
/// is live.
fn delivered(env: &Env, webs: &Webs, now: Timestamp) -> Result<Counts, Failure> {
    let permit = env.system("scheduler").permit(now)?;
    let (looked, wrong) = check_deliveries(env, &permit, &webs.own, Which::Due)?;
    if wrong > 0 {
        tracing::warn!(wrong, "addresses of trusted lists do not serve what is live");
    }
    Ok(BTreeMap::from([("looked".to_owned(), looked), ("wrong".to_owned(), wrong)]))
}

/// Looks at the lists of others now, unless somebody is at it.
pub(crate) fn refresh_now(env: &Env, webs: &Webs) -> Result<Option<Counts>, Failure> {
    let now = env.clock.now();
    if !claim_run(env, &LIST_REFRESH, now)? {
        return Ok(None);
    }
    carry_out(env, webs, LIST_REFRESH, now).map(Some)
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

/// Works on a list of applications for a while, and queues what is left.
fn batch(env: &Env, object: &str) -> Result<(), Failure> {
    let id = BatchId::parse(object).map_err(Failure::internal)?;
    let permit = env.system("scheduler").permit(env.clock.now())?;
    let mut watch = BatchWatch::new(env, &id);
    #[expect(clippy::disallowed_methods, reason = "how long a turn lasts; no date")]
    let begun = Instant::now();
    let mut after = 0;
    loop {
        let turn = work_batch(env, &permit, &id, after)?;
        watch.step(&turn);
        let Some(next) = turn.next else {
            // What waits for approvals, or for a certificate to be settled, is looked at again.
            let approved = turn.batch.state == BatchState::Approved;
            let waits = approved && !env.store.read(|tx| tx.due_batch_rows(&id, 0, 1))?.is_empty();
            if waits {
                let later = env.clock.now().plus_seconds(LOOK_AGAIN_SECONDS);
                env.store.write(|tx| tx.enqueue_job(BATCH, object, later))?;
            }
            return Ok(());
        };
        after = next;
        if begun.elapsed() >= TURN {
            env.store.write(|tx| tx.enqueue_job(BATCH, object, env.clock.now()))?;
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

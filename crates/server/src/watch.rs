//! Keeps the progress of long work for whoever watches it.
#![expect(clippy::disallowed_methods, reason = "how long ago something was written; no date")]

use std::time::{Duration, Instant};

use tenkoku_ca::batch::Turn;
use tenkoku_domain::batch::BatchState;
use tenkoku_domain::bulk::{BulkRevocation, BulkState};
use tenkoku_domain::id::{BatchId, BulkId, JobId};
use tenkoku_domain::task::{Task, TaskKind, TaskPhase, TaskState};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_responder::crl::CrlPhase;
use tenkoku_store::StoreError;

/// Entries from which a list is worth watching.
const WORTH: i64 = 10_000;
/// How often progress within a phase is written down.
const EVERY: Duration = Duration::from_millis(500);

/// The progress of the lists of one authority, one after the other.
pub(crate) struct CrlWatch<'a> {
    env: &'a Env,
    task: Option<Task>,
    /// How many entries the list before had, to know how many there will be.
    known: i64,
    written: Instant,
}

impl<'a> CrlWatch<'a> {
    pub(crate) fn new(env: &'a Env) -> Self {
        Self { env, task: None, known: 0, written: Instant::now() }
    }

    /// A step of the list in this file.
    pub(crate) fn step(&mut self, file: &str, phase: CrlPhase) {
        let (phase, count) = match phase {
            CrlPhase::Collect(count) => (TaskPhase::Collect, count),
            CrlPhase::Encode(count) => (TaskPhase::Encode, count),
            CrlPhase::Sign(count) => (TaskPhase::Sign, count),
            CrlPhase::Publish(count) => (TaskPhase::Publish, count),
        };
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        if self.task.as_ref().is_some_and(|task| task.object != file) && count >= WORTH {
            self.end(true);
        }
        if self.task.is_none() && count < WORTH {
            return;
        }
        let now = self.env.clock.now();
        let id = || JobId::new(now, &*self.env.entropy);
        let fresh = || Task::begin(id(), TaskKind::Crl, file, phase, now);
        let task = self.task.get_or_insert_with(fresh);
        let is_new = task.phase != phase || task.done == 0;
        self.known = self.known.max(count);
        task.step(phase, (count, self.known), now);
        if is_new || self.written.elapsed() >= EVERY {
            self.written = Instant::now();
            self.write();
        }
    }

    /// The end of the list.
    pub(crate) fn end(&mut self, worked: bool) {
        let now = self.env.clock.now();
        if let Some(task) = &mut self.task {
            task.end(if worked { TaskState::Done } else { TaskState::Failed }, now);
            self.write();
        }
        self.task = None;
    }

    /// Progress that cannot be written stops nothing.
    fn write(&self) {
        let Some(task) = &self.task else { return };
        if let Err(error) = self.env.store.write(|tx| tx.keep_task(task)) {
            tracing::warn!(%error, "the progress of a task was not written");
        }
    }
}

/// The task of an object that has a number of its own: the same number under another prefix, so that
/// there is one task over all turns.
fn task_of(id: &str, prefix: &str) -> Option<JobId> {
    JobId::parse(&format!("{}{}", JobId::PREFIX, id.trim_start_matches(prefix))).ok()
}

/// Keeps a task as it is after a step; the first time it is made.
fn keep(env: &Env, fresh: impl Fn(Timestamp) -> Task, step: impl Fn(&mut Task, Timestamp)) {
    let now = env.clock.now();
    let begun = fresh(now);
    let kept = env.store.write(|tx| {
        let mut task = match tx.load_task(&begun.id) {
            Ok(task) => task,
            Err(StoreError::NotFound { .. }) => begun.clone(),
            Err(error) => return Err(error),
        };
        task.state = TaskState::Running;
        step(&mut task, now);
        tx.keep_task(&task)
    });
    if let Err(error) = kept {
        tracing::warn!(%error, "the progress of a task was not written");
    }
}

/// The progress of one bulk revocation, over all its turns.
pub(crate) struct BulkWatch<'a> {
    env: &'a Env,
    id: Option<JobId>,
    written: Option<Instant>,
}

impl<'a> BulkWatch<'a> {
    pub(crate) fn new(env: &'a Env, bulk: &BulkId) -> Self {
        Self { env, id: task_of(bulk.as_str(), BulkId::PREFIX), written: None }
    }

    /// A slice was done.
    pub(crate) fn step(&mut self, bulk: &BulkRevocation) {
        let Some(id) = &self.id else { return };
        let over = bulk.state != BulkState::Approved;
        if !over && self.written.is_some_and(|written| written.elapsed() < EVERY) {
            return;
        }
        self.written = Some(Instant::now());
        let (kind, phase) = (TaskKind::BulkRevocation, TaskPhase::Revoke);
        let fresh = |now| Task::begin(id.clone(), kind, bulk.id.as_str(), phase, now);
        keep(self.env, fresh, |task, now| {
            task.step(phase, (bulk.revoked + bulk.skipped, bulk.matched), now);
            match bulk.state {
                BulkState::Done => task.end(TaskState::Done, now),
                BulkState::Paused => task.state = TaskState::Paused,
                BulkState::Asked
                | BulkState::Approved
                | BulkState::Rejected
                | BulkState::Cancelled => {}
            }
        });
    }
}

/// The progress of one list of applications, over all its turns.
pub(crate) struct BatchWatch<'a> {
    env: &'a Env,
    id: Option<JobId>,
    written: Option<Instant>,
}

impl<'a> BatchWatch<'a> {
    pub(crate) fn new(env: &'a Env, batch: &BatchId) -> Self {
        Self { env, id: task_of(batch.as_str(), BatchId::PREFIX), written: None }
    }

    /// A slice was done.
    pub(crate) fn step(&mut self, turn: &Turn) {
        let Some(id) = &self.id else { return };
        let over = turn.next.is_none();
        if !over && self.written.is_some_and(|written| written.elapsed() < EVERY) {
            return;
        }
        self.written = Some(Instant::now());
        let (kind, phase) = (TaskKind::Batch, TaskPhase::Issue);
        let fresh = |now| Task::begin(id.clone(), kind, turn.batch.id.as_str(), phase, now);
        keep(self.env, fresh, |task, now| {
            task.step(phase, (turn.progress.issued, turn.batch.rows), now);
            match turn.batch.state {
                BatchState::Done => task.end(TaskState::Done, now),
                BatchState::Cancelled => task.end(TaskState::Failed, now),
                // Nothing goes on by itself until somebody hands keys or corrections in.
                BatchState::Paused => task.state = TaskState::Paused,
                BatchState::Approved if over => task.state = TaskState::Paused,
                BatchState::Asked | BatchState::Approved | BatchState::Rejected => {}
            }
        });
    }
}

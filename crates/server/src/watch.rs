//! Keeps the progress of long work for whoever watches it.
#![expect(clippy::disallowed_methods, reason = "how long ago something was written; no date")]

use std::time::{Duration, Instant};

use tenkoku_domain::bulk::{BulkRevocation, BulkState};
use tenkoku_domain::id::{BulkId, JobId};
use tenkoku_domain::task::{Task, TaskKind, TaskPhase, TaskState};
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

/// The progress of one bulk revocation, over all its turns.
pub(crate) struct BulkWatch<'a> {
    env: &'a Env,
    id: Option<JobId>,
    written: Option<Instant>,
}

impl<'a> BulkWatch<'a> {
    pub(crate) fn new(env: &'a Env, bulk: &BulkId) -> Self {
        // One task for one bulk revocation: the same number under another prefix.
        let number = bulk.as_str().trim_start_matches(BulkId::PREFIX);
        let id = JobId::parse(&format!("{}{number}", JobId::PREFIX)).ok();
        Self { env, id, written: None }
    }

    /// A slice was done.
    pub(crate) fn step(&mut self, bulk: &BulkRevocation) {
        let Some(id) = &self.id else { return };
        let over = bulk.state != BulkState::Approved;
        if !over && self.written.is_some_and(|written| written.elapsed() < EVERY) {
            return;
        }
        self.written = Some(Instant::now());
        let now = self.env.clock.now();
        let kept = self.env.store.write(|tx| {
            let known = match tx.load_task(id) {
                Ok(task) => Some(task),
                Err(StoreError::NotFound { .. }) => None,
                Err(error) => return Err(error),
            };
            let fresh = || {
                let (kind, phase) = (TaskKind::BulkRevocation, TaskPhase::Revoke);
                Task::begin(id.clone(), kind, bulk.id.as_str(), phase, now)
            };
            let mut task = known.unwrap_or_else(fresh);
            task.state = TaskState::Running;
            task.step(TaskPhase::Revoke, (bulk.revoked + bulk.skipped, bulk.matched), now);
            match bulk.state {
                BulkState::Done => task.end(TaskState::Done, now),
                BulkState::Paused => task.state = TaskState::Paused,
                BulkState::Asked
                | BulkState::Approved
                | BulkState::Rejected
                | BulkState::Cancelled => {}
            }
            tx.keep_task(&task)
        });
        if let Err(error) = kept {
            tracing::warn!(%error, "the progress of a task was not written");
        }
    }
}

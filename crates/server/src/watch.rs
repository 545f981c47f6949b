//! Keeps the progress of long work for whoever watches it.

use std::time::{Duration, Instant};

use tenkoku_domain::id::JobId;
use tenkoku_domain::task::{Task, TaskKind, TaskPhase, TaskState};
use tenkoku_ports::Env;
use tenkoku_responder::crl::CrlPhase;

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

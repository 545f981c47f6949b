//! Work that takes long enough to be watched, with how far it is.

use serde_json::{Map, Value};

use crate::id::JobId;
use crate::key::words;
use crate::time::Timestamp;

words! {
    /// What kind of work.
    TaskKind {
        /// A CRL of many entries.
        Crl = "crl",
        /// The revocation of many certificates.
        BulkRevocation = "bulk-revocation",
        /// The applications of a list.
        Batch = "batch-applications",
    }
}

words! {
    /// Where it stands.
    TaskState {
        /// It goes on by itself.
        Running = "running",
        /// It waits until somebody lets it go on.
        Paused = "paused",
        /// It is done.
        Done = "done",
        /// It did not work.
        Failed = "failed",
    }
}

words! {
    /// The step that is under way.
    TaskPhase {
        /// What it is about is read.
        Collect = "collect",
        /// The list is put together and checked.
        Encode = "encode",
        /// It is signed.
        Sign = "sign",
        /// It is stored and served.
        Publish = "publish",
        /// Certificates are revoked.
        Revoke = "revoke",
        /// Applications are made, keys are proven, certificates are issued.
        Issue = "issue",
    }
}

/// Work that takes long enough to be watched.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Identifier.
    pub id: JobId,
    /// What kind of work.
    pub kind: TaskKind,
    /// What it is done on: an authority's list, a bulk revocation.
    pub object: String,
    /// Where it stands.
    pub state: TaskState,
    /// The step that is under way.
    pub phase: TaskPhase,
    /// How many objects of the step are done.
    pub done: i64,
    /// How many there are; 0 while nobody knows.
    pub total: i64,
    /// When it began.
    pub started_at: Timestamp,
    /// When the step began.
    pub phase_at: Timestamp,
    /// When it was last heard of.
    pub changed_at: Timestamp,
    /// What came of it, for the page: numbers by name.
    pub detail: Map<String, Value>,
}

impl Task {
    /// Work that begins.
    pub fn begin(
        id: JobId,
        kind: TaskKind,
        object: &str,
        phase: TaskPhase,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            kind,
            object: object.to_owned(),
            state: TaskState::Running,
            phase,
            done: 0,
            total: 0,
            started_at: now,
            phase_at: now,
            changed_at: now,
            detail: Map::new(),
        }
    }

    /// The same work further on. A step that ends leaves how long it took, in milliseconds.
    pub fn step(&mut self, phase: TaskPhase, (done, total): (i64, i64), now: Timestamp) {
        if phase != self.phase {
            let took = now.millis().saturating_sub(self.phase_at.millis());
            self.detail.insert(format!("{}_ms", self.phase), took.into());
            (self.phase, self.phase_at) = (phase, now);
        }
        (self.done, self.total, self.changed_at) = (done, total, now);
    }

    /// The same work at its end.
    pub fn end(&mut self, state: TaskState, now: Timestamp) {
        let took = now.millis().saturating_sub(self.phase_at.millis());
        self.detail.insert(format!("{}_ms", self.phase), took.into());
        (self.state, self.changed_at) = (state, now);
    }

    /// Objects a second since it began; `None` in the first instant.
    pub fn per_second(&self) -> Option<i64> {
        let took = self.changed_at.millis().saturating_sub(self.phase_at.millis());
        let done = if self.phase == TaskPhase::Publish { self.total } else { self.done };
        (took > 0).then(|| done.saturating_mul(1000) / took)
    }

    /// Whether nothing more happens to it by itself.
    pub const fn is_over(&self) -> bool {
        matches!(self.state, TaskState::Done | TaskState::Failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Entropy;

    struct Zero;
    impl Entropy for Zero {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    #[test]
    fn a_step_that_ends_leaves_how_long_it_took() {
        let at = Timestamp::from_millis;
        let id = JobId::new(at(0), &Zero);
        let mut task = Task::begin(id, TaskKind::Crl, "seal-l1-g1", TaskPhase::Collect, at(0));
        assert_eq!(task.per_second(), None);
        task.step(TaskPhase::Collect, (500, 1000), at(250));
        assert_eq!(task.per_second(), Some(2000));
        task.step(TaskPhase::Sign, (1000, 1000), at(400));
        task.end(TaskState::Done, at(450));
        assert_eq!(task.detail["collect_ms"], 400);
        assert_eq!(task.detail["sign_ms"], 50);
        assert!(task.is_over());
    }
}

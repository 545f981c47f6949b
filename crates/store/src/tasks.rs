//! Table `tasks`: how far long work is. Progress is no event: what the work does is recorded by
//! the work.

use diesel::prelude::*;
use tenkoku_domain::id::JobId;
use tenkoku_domain::task::{Task, TaskKind, TaskPhase, TaskState};
use tenkoku_domain::time::Timestamp;

use crate::column::Place;
use crate::error::StoreError;
use crate::schema::tasks;
use crate::tx::{Tx, one};

#[derive(AsChangeset, Insertable, Queryable, Selectable)]
#[diesel(table_name = tasks)]
struct TaskRow {
    id: String,
    kind: String,
    object: String,
    state: String,
    phase: String,
    done: i64,
    total: i64,
    started_at: i64,
    phase_at: i64,
    changed_at: i64,
    detail: String,
}

impl From<&Task> for TaskRow {
    fn from(task: &Task) -> Self {
        Self {
            id: task.id.to_string(),
            kind: task.kind.to_string(),
            object: task.object.clone(),
            state: task.state.to_string(),
            phase: task.phase.to_string(),
            done: task.done,
            total: task.total,
            started_at: task.started_at.millis(),
            phase_at: task.phase_at.millis(),
            changed_at: task.changed_at.millis(),
            detail: serde_json::Value::Object(task.detail.clone()).to_string(),
        }
    }
}

impl TaskRow {
    fn read(self) -> Result<Task, StoreError> {
        let place = Place::new("task", &self.id);
        Ok(Task {
            id: place.ok("id", JobId::parse(&self.id))?,
            kind: place.some("kind", TaskKind::from_word(&self.kind))?,
            object: self.object,
            state: place.some("state", TaskState::from_word(&self.state))?,
            phase: place.some("phase", TaskPhase::from_word(&self.phase))?,
            done: self.done,
            total: self.total,
            started_at: Timestamp::from_millis(self.started_at),
            phase_at: Timestamp::from_millis(self.phase_at),
            changed_at: Timestamp::from_millis(self.changed_at),
            detail: place.ok("detail", serde_json::from_str(&self.detail))?,
        })
    }
}

impl Tx<'_> {
    /// Keeps a task as it is now; the first time it is made.
    pub fn keep_task(&mut self, task: &Task) -> Result<(), StoreError> {
        self.change(|tx| {
            let row = TaskRow::from(task);
            let known = diesel::update(tasks::table.find(task.id.as_str()));
            if known.set(&row).execute(tx.conn)? == 0 {
                diesel::insert_into(tasks::table).values(row).execute(tx.conn)?;
            }
            Ok(())
        })
    }

    /// Lets a task that runs wait, or one that waits go on.
    pub fn set_task_state(
        &mut self,
        id: &JobId,
        from: TaskState,
        to: TaskState,
    ) -> Result<(), StoreError> {
        self.change(|tx| {
            let standing = tasks::table.find(id.as_str()).filter(tasks::state.eq(from.word()));
            let rows = diesel::update(standing).set(tasks::state.eq(to.word())).execute(tx.conn)?;
            one(rows, "task state")
        })
    }

    /// A task.
    pub fn load_task(&mut self, id: &JobId) -> Result<Task, StoreError> {
        let found = tasks::table.find(id.as_str()).select(TaskRow::as_select()).first(self.conn);
        found.optional()?.ok_or(StoreError::NotFound { what: "task" })?.read()
    }

    /// Tasks, newest first.
    pub fn list_tasks(&mut self, limit: i64) -> Result<Vec<Task>, StoreError> {
        let rows = tasks::table
            .order(tasks::id.desc())
            .limit(limit)
            .select(TaskRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(TaskRow::read).collect()
    }
}

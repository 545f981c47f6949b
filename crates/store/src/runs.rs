//! Table `job_runs`: every run of a job, so that one that did not happen is noticed.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde_json::json;
use tenkoku_domain::time::Timestamp;

use crate::column::{Place, instant};
use crate::error::StoreError;
use crate::schema::job_runs;
use crate::tx::{Tx, one};

/// A run of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRun {
    /// Kind of the work.
    pub kind: String,
    /// When it began.
    pub started_at: Timestamp,
    /// On which node.
    pub node: String,
    /// When it ended; `None` while it runs, and for ever when it broke off.
    pub ended_at: Option<Timestamp>,
    /// `running`, `done` or `failed`.
    pub outcome: String,
    /// How much of what was done.
    pub counts: BTreeMap<String, usize>,
}

type RunColumns = (String, i64, String, Option<i64>, String, String);

fn read(row: RunColumns) -> Result<JobRun, StoreError> {
    let (kind, started_at, node, ended_at, outcome, counts) = row;
    let counts = Place::new("job run", &kind).ok("counts", serde_json::from_str(&counts))?;
    Ok(JobRun {
        kind,
        started_at: Timestamp::from_millis(started_at),
        node,
        ended_at: instant(ended_at),
        outcome,
        counts,
    })
}

const COLUMNS: (
    job_runs::kind,
    job_runs::started_at,
    job_runs::node,
    job_runs::ended_at,
    job_runs::outcome,
    job_runs::counts,
) = (
    job_runs::kind,
    job_runs::started_at,
    job_runs::node,
    job_runs::ended_at,
    job_runs::outcome,
    job_runs::counts,
);

impl Tx<'_> {
    /// The last runs of a kind, newest first.
    pub fn list_job_runs(&mut self, kind: &str, limit: i64) -> Result<Vec<JobRun>, StoreError> {
        let rows = job_runs::table
            .filter(job_runs::kind.eq(kind))
            .order((job_runs::started_at.desc(), job_runs::node))
            .limit(limit)
            .select(COLUMNS)
            .load::<RunColumns>(self.conn)?;
        rows.into_iter().map(read).collect()
    }

    /// The last run of a kind that was done.
    pub fn last_done_run(&mut self, kind: &str) -> Result<Option<JobRun>, StoreError> {
        job_runs::table
            .filter(job_runs::kind.eq(kind).and(job_runs::outcome.eq("done")))
            .order(job_runs::started_at.desc())
            .select(COLUMNS)
            .first::<RunColumns>(self.conn)
            .optional()?
            .map(read)
            .transpose()
    }

    /// The last run of a kind, whatever came of it.
    pub fn last_run(&mut self, kind: &str) -> Result<Option<JobRun>, StoreError> {
        job_runs::table
            .filter(job_runs::kind.eq(kind))
            .order(job_runs::started_at.desc())
            .select(COLUMNS)
            .first::<RunColumns>(self.conn)
            .optional()?
            .map(read)
            .transpose()
    }

    /// A run begins. Two at one instant on one node are a conflict.
    pub fn begin_job_run(&mut self, kind: &str, at: Timestamp) -> Result<(), StoreError> {
        self.change(|tx| {
            diesel::insert_into(job_runs::table)
                .values((
                    job_runs::kind.eq(kind),
                    job_runs::started_at.eq(at.millis()),
                    job_runs::node.eq(tx.node),
                    job_runs::outcome.eq("running"),
                    job_runs::counts.eq("{}"),
                ))
                .execute(tx.conn)?;
            Ok(())
        })
    }

    /// A run ended.
    pub fn end_job_run(
        &mut self,
        (kind, started_at): (&str, Timestamp),
        outcome: &str,
        counts: &BTreeMap<String, usize>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.change(|tx| {
            let id = (kind, started_at.millis(), tx.node);
            let rows = diesel::update(job_runs::table.find(id))
                .set((
                    job_runs::ended_at.eq(at.millis()),
                    job_runs::outcome.eq(outcome),
                    job_runs::counts.eq(json!(counts).to_string()),
                ))
                .execute(tx.conn)?;
            one(rows, "job run")
        })
    }
}

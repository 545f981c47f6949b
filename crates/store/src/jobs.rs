//! Table `jobs`: work to do. A job may run twice; an order given while it runs is not lost.

use diesel::prelude::*;
use tenkoku_domain::time::Timestamp;

use crate::connection::AnyBackend;
use crate::error::StoreError;
use crate::ledger::Entry;
use crate::schema::jobs;
use crate::tx::Tx;

/// How long a claim holds, in seconds; then others may claim the job.
const CLAIM_SECONDS: i64 = 60;

/// Who does which work: what takes long holds nobody else up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// CRLs.
    Status,
    /// Work on thousands of objects, done in slices.
    Long,
    /// Everything else.
    Rest,
}

const STATUS: [&str; 3] = ["refresh-status", "renew-crls", "issue-crls"];
const LONG: [&str; 2] = ["bulk-revocation", "batch-applications"];

/// A claimed job.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = jobs)]
pub struct Job {
    /// The order's number.
    pub id: i64,
    /// Kind of the work.
    pub kind: String,
    /// What it is to be done on.
    pub object: String,
    /// How often it was claimed since the order, this time included.
    pub attempts: i32,
}

impl Tx<'_> {
    /// Orders work. There is one row per kind and object: a second order while one waits makes
    /// that one due no later; while one runs, it will run again.
    pub fn enqueue_job(
        &mut self,
        kind: &str,
        object: &str,
        due_at: Timestamp,
    ) -> Result<(), StoreError> {
        let (kind, object) = (kind.to_owned(), object.to_owned());
        self.ledger.note(Entry::Job { kind, object, due_at });
        // Who only reads learns at once that nothing can be ordered.
        if self.writes() { Ok(()) } else { self.settle() }
    }

    /// Claims the job that is due longest, if any. The claim holds for 60 seconds.
    pub fn claim_job(&mut self, now: Timestamp) -> Result<Option<Job>, StoreError> {
        self.claim(now, None)
    }

    /// Claims the job of a lane that is due longest, if any.
    pub fn claim_job_in(&mut self, lane: Lane, now: Timestamp) -> Result<Option<Job>, StoreError> {
        self.claim(now, Some(lane))
    }

    fn claim(&mut self, now: Timestamp, lane: Option<Lane>) -> Result<Option<Job>, StoreError> {
        self.settle()?;
        loop {
            let mut open = jobs::table
                .filter(jobs::due_at.le(now.millis()).and(jobs::claimable_at.le(now.millis())))
                .into_boxed::<AnyBackend>();
            open = match lane {
                None => open,
                Some(Lane::Status) => open.filter(jobs::kind.eq_any(STATUS)),
                Some(Lane::Long) => open.filter(jobs::kind.eq_any(LONG)),
                Some(Lane::Rest) => {
                    open.filter(jobs::kind.ne_all(STATUS)).filter(jobs::kind.ne_all(LONG))
                }
            };
            let due = open
                .order((jobs::due_at, jobs::id))
                .select(jobs::id)
                .first::<i64>(self.conn)
                .optional()?;
            let Some(id) = due else {
                return Ok(None);
            };
            // Another worker may have been quicker: then no row is touched, and we look again.
            let free = jobs::table.find(id).filter(jobs::claimable_at.le(now.millis()));
            let claimed = diesel::update(free)
                .set((
                    jobs::claimable_at.eq(now.plus_seconds(CLAIM_SECONDS).millis()),
                    jobs::attempts.eq(jobs::attempts + 1),
                ))
                .execute(self.conn)?;
            if claimed == 1 {
                return Ok(Some(jobs::table.find(id).select(Job::as_select()).first(self.conn)?));
            }
        }
    }

    /// A claimed job is done. Nothing happens when it was ordered anew meanwhile.
    pub fn finish_job(&mut self, id: i64) -> Result<(), StoreError> {
        diesel::delete(jobs::table.find(id)).execute(self.conn)?;
        Ok(())
    }

    /// A claimed job did not succeed; it is due again later.
    pub fn postpone_job(&mut self, id: i64, due_at: Timestamp) -> Result<(), StoreError> {
        diesel::update(jobs::table.find(id))
            .set((jobs::due_at.eq(due_at.millis()), jobs::claimable_at.eq(0_i64)))
            .execute(self.conn)?;
        Ok(())
    }

    /// How many jobs wait or run.
    pub fn count_jobs(&mut self) -> Result<i64, StoreError> {
        self.settle()?;
        Ok(jobs::table.count().get_result(self.conn)?)
    }

    /// Orders work, the end of the chain being locked. The counter's lock orders two orders for
    /// the same object.
    pub(crate) fn queue_job(
        &mut self,
        kind: &str,
        object: &str,
        due_at: Timestamp,
    ) -> Result<(), StoreError> {
        let id = self.next_number("jobs")?;
        let same = jobs::table.filter(jobs::kind.eq(kind).and(jobs::object.eq(object)));
        let known = diesel::update(same)
            .set((jobs::id.eq(id), jobs::claimable_at.eq(0_i64), jobs::attempts.eq(0)))
            .execute(self.conn)?;
        if known == 0 {
            diesel::insert_into(jobs::table)
                .values((
                    jobs::id.eq(id),
                    jobs::kind.eq(kind),
                    jobs::object.eq(object),
                    jobs::due_at.eq(due_at.millis()),
                    jobs::claimable_at.eq(0_i64),
                    jobs::attempts.eq(0),
                ))
                .execute(self.conn)?;
            return Ok(());
        }
        diesel::update(jobs::table.find(id).filter(jobs::due_at.gt(due_at.millis())))
            .set(jobs::due_at.eq(due_at.millis()))
            .execute(self.conn)?;
        Ok(())
    }
}

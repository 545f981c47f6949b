//! Table `status_load`: how many OCSP answers each node gave, by the hour.

use diesel::prelude::*;
use tenkoku_domain::time::Timestamp;

use crate::error::StoreError;
use crate::schema::status_load;
use crate::tx::Tx;

/// Milliseconds of an hour.
const HOUR: i64 = 3_600_000;
/// How long hours are kept, in milliseconds: 31 days.
const KEPT: i64 = 31 * 24 * HOUR;

/// What was answered in some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusLoad {
    /// Answers given.
    pub answers: i64,
    /// Signatures made for them.
    pub signed: i64,
    /// Signatures that did not come.
    pub failed: i64,
}

impl Tx<'_> {
    /// Adds to this node's present hour. Hours of more than 31 days ago go.
    pub fn add_status_load(&mut self, now: Timestamp, more: StatusLoad) -> Result<(), StoreError> {
        self.change(|tx| {
            let hour = now.millis() - now.millis().rem_euclid(HOUR);
            let present = diesel::update(status_load::table.find((tx.node, hour)));
            let added = present.set((
                status_load::answers.eq(status_load::answers + more.answers),
                status_load::signed.eq(status_load::signed + more.signed),
                status_load::failed.eq(status_load::failed + more.failed),
            ));
            if added.execute(tx.conn)? == 0 {
                let first = (
                    status_load::node.eq(tx.node),
                    status_load::hour.eq(hour),
                    status_load::answers.eq(more.answers),
                    status_load::signed.eq(more.signed),
                    status_load::failed.eq(more.failed),
                );
                diesel::insert_into(status_load::table).values(first).execute(tx.conn)?;
                let old = status_load::table.filter(status_load::hour.lt(hour - KEPT));
                diesel::delete(old).execute(tx.conn)?;
            }
            Ok(())
        })
    }

    /// The load of all nodes by the hour, from an instant on; hours without any are left out.
    pub fn list_status_load(
        &mut self,
        since: Timestamp,
    ) -> Result<Vec<(Timestamp, StatusLoad)>, StoreError> {
        let rows: Vec<(String, i64, i64, i64, i64)> = status_load::table
            .filter(status_load::hour.ge(since.millis()))
            .order(status_load::hour)
            .load(self.conn)?;
        let read = |(_, hour, answers, signed, failed)| {
            (Timestamp::from_millis(hour), StatusLoad { answers, signed, failed })
        };
        Ok(rows.into_iter().map(read).collect())
    }
}

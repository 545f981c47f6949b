//! Table `clock_checks`: how far each node's clock was off when it was last compared (KM-20).

use diesel::prelude::*;
use tenkoku_domain::clock::ClockCheck;
use tenkoku_domain::time::Timestamp;

use crate::error::StoreError;
use crate::schema::clock_checks;
use crate::tx::Tx;

#[derive(Insertable, Queryable, Selectable, AsChangeset)]
#[diesel(table_name = clock_checks)]
struct ClockCheckRow {
    node: String,
    source: String,
    offset_millis: i64,
    at: i64,
}

impl Tx<'_> {
    /// The last comparison of this node's clock.
    pub fn find_clock_check(&mut self) -> Result<Option<ClockCheck>, StoreError> {
        let row = clock_checks::table
            .find(self.node)
            .select(ClockCheckRow::as_select())
            .first(self.conn)
            .optional()?;
        Ok(row.map(|row| ClockCheck {
            source: row.source,
            offset_millis: row.offset_millis,
            at: Timestamp::from_millis(row.at),
        }))
    }

    /// Keeps a comparison of this node's clock in place of the one before.
    pub fn keep_clock_check(&mut self, check: &ClockCheck) -> Result<(), StoreError> {
        let row = ClockCheckRow {
            node: self.node.to_owned(),
            source: check.source.clone(),
            offset_millis: check.offset_millis,
            at: check.at.millis(),
        };
        self.change(|tx| {
            let kept = diesel::update(clock_checks::table.find(tx.node)).set(&row);
            if kept.execute(tx.conn)? == 0 {
                diesel::insert_into(clock_checks::table).values(&row).execute(tx.conn)?;
            }
            Ok(())
        })
    }
}

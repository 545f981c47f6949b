//! Table `counters`: rising numbers, handed out under the lock of their row.

use diesel::prelude::*;

use crate::error::StoreError;
use crate::schema::counters;
use crate::tx::{Tx, one};

impl Tx<'_> {
    /// The next number. Whoever asks after us waits until our transaction has ended, so numbers
    /// rise in the order of the commits.
    pub(crate) fn next_number(&mut self, name: &str) -> Result<i64, StoreError> {
        let rows = diesel::update(counters::table.find(name))
            .set(counters::value.eq(counters::value + 1))
            .execute(self.conn)?;
        one(rows, "counter")?;
        self.last_number(name)
    }

    /// The last number that was handed out; 0 before the first.
    pub(crate) fn last_number(&mut self, name: &str) -> Result<i64, StoreError> {
        let last =
            counters::table.find(name).select(counters::value).first(self.conn).optional()?;
        Ok(last.unwrap_or(0))
    }
}

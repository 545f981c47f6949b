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

    /// Takes `count` numbers at once and gives the one before the first of them.
    pub(crate) fn take_numbers(&mut self, name: &str, count: usize) -> Result<i64, StoreError> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let rows = diesel::update(counters::table.find(name))
            .set(counters::value.eq(counters::value + count))
            .execute(self.conn)?;
        one(rows, "counter")?;
        Ok(self.last_number(name)? - count)
    }

    /// The last number that was handed out; 0 before the first.
    pub(crate) fn last_number(&mut self, name: &str) -> Result<i64, StoreError> {
        let last =
            counters::table.find(name).select(counters::value).first(self.conn).optional()?;
        Ok(last.unwrap_or(0))
    }
}

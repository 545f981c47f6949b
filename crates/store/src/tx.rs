//! One transaction. What it can do stands in the file of each table.

use diesel::connection::{AnsiTransactionManager, Connection, TransactionManager as _};

use crate::connection::{Access, AnyConnection};
use crate::error::StoreError;
use crate::ledger::{Ledger, Mark};
use crate::status::StatusChange;

/// An open transaction of [`Store::read`](crate::Store::read) or
/// [`Store::write`](crate::Store::write).
///
/// When a change fails, the whole transaction must be given up, also when the caller does not pass
/// the error on: PostgreSQL would keep nothing of it, so SQLite does not either.
pub struct Tx<'c> {
    pub(crate) conn: &'c mut AnyConnection,
    pub(crate) node: &'c str,
    /// What was recorded so far.
    pub(crate) ledger: Ledger,
    access: Access,
    abandoned: bool,
}

type Manager = <AnyConnection as Connection>::TransactionManager;

impl<'c> Tx<'c> {
    /// Begins a transaction: on SQLite a writer takes the file at once, on PostgreSQL a reader
    /// sees one state throughout.
    pub(crate) fn begin(
        conn: &'c mut AnyConnection,
        node: &'c str,
        access: Access,
    ) -> Result<Self, StoreError> {
        match (&mut *conn, access) {
            (AnyConnection::Sqlite(c), Access::Read) => {
                AnsiTransactionManager::begin_transaction_sql(c, "BEGIN")?;
            }
            (AnyConnection::Sqlite(c), Access::Write) => {
                AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE")?;
            }
            (AnyConnection::Postgresql(c), Access::Read) => {
                let sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                AnsiTransactionManager::begin_transaction_sql(c, sql)?;
            }
            (AnyConnection::Postgresql(c), Access::Write) => {
                let sql = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
                AnsiTransactionManager::begin_transaction_sql(c, sql)?;
            }
        }
        Ok(Self { conn, node, ledger: Ledger::default(), access, abandoned: false })
    }

    /// Goes on with a transaction that others began and that will be committed for all together:
    /// a part of it that can be taken back alone.
    pub(crate) fn join(
        conn: &'c mut AnyConnection,
        node: &'c str,
        ledger: Ledger,
    ) -> Result<(Self, Mark), StoreError> {
        Manager::begin_transaction(conn)?;
        let mark = ledger.mark();
        Ok((Self { conn, node, ledger, access: Access::Write, abandoned: false }, mark))
    }

    /// Ends one's part of a transaction, kept or taken back, and hands over what was recorded.
    pub(crate) fn leave(mut self, mark: Mark, keeps: bool) -> Result<(Ledger, bool), StoreError> {
        let keeps = keeps && !self.abandoned;
        if keeps {
            Manager::commit_transaction(self.conn)?;
        } else {
            Manager::rollback_transaction(self.conn)?;
            self.ledger.go_back(mark);
        }
        Ok((self.ledger, keeps))
    }

    /// The whole transaction again, to be committed.
    pub(crate) fn whole(conn: &'c mut AnyConnection, node: &'c str, ledger: Ledger) -> Self {
        Self { conn, node, ledger, access: Access::Write, abandoned: false }
    }

    /// Keeps what was done; gives the changes of status in it.
    pub(crate) fn commit(mut self) -> Result<Vec<StatusChange>, StoreError> {
        if self.abandoned {
            self.roll_back();
            return Err(StoreError::Abandoned);
        }
        if let Err(error) = self.settle() {
            self.roll_back();
            return Err(error);
        }
        Manager::commit_transaction(self.conn)?;
        Ok(self.ledger.into_changes())
    }

    /// Keeps nothing. A connection that cannot even roll back is thrown away by its pool.
    pub(crate) fn roll_back(self) {
        drop(Manager::rollback_transaction(self.conn));
    }

    /// Whether rows that are read here are about to be written.
    pub(crate) fn writes(&self) -> bool {
        self.access == Access::Write
    }

    /// Makes a change; when it fails, the transaction will not be kept.
    pub(crate) fn change<T>(
        &mut self,
        change: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let changed = change(self);
        self.abandoned |= changed.is_err();
        changed
    }
}

/// Locks one row until the end of the transaction. On SQLite the writer is alone anyway.
macro_rules! lock_row {
    ($tx:expr, $table:ident, $id:expr) => {
        $crate::tx::lock_row!($tx, $table.id, $id)
    };
    ($tx:expr, $table:ident . $key:ident, $id:expr) => {
        if let $crate::connection::AnyConnection::Postgresql(conn) = &mut *$tx.conn {
            let row = $table::table.find($id).select($table::$key).for_update();
            diesel::OptionalExtension::optional(diesel::RunQueryDsl::first::<String>(row, conn))?;
        }
    };
}
pub(crate) use lock_row;

/// Inserts rows: a server gets many in one statement, SQLite one after the other, which is the
/// quickest there.
macro_rules! insert_all {
    ($tx:expr, $table:ident, $rows:expr) => {
        match &mut *$tx.conn {
            $crate::connection::AnyConnection::Sqlite(conn) => {
                for row in &$rows {
                    diesel::insert_into($table::table).values(row).execute(conn)?;
                }
            }
            $crate::connection::AnyConnection::Postgresql(conn) => {
                for rows in $rows.chunks($crate::tx::ROWS_AT_ONCE) {
                    diesel::insert_into($table::table).values(rows).execute(conn)?;
                }
            }
        }
    };
}
pub(crate) use insert_all;

/// Rows of one statement: a server takes 65,535 values, and a row has fewer than 30.
pub(crate) const ROWS_AT_ONCE: usize = 1_000;

/// Passes when a change touched exactly one row.
pub(crate) fn one(rows: usize, what: &'static str) -> Result<(), StoreError> {
    if rows == 1 { Ok(()) } else { Err(StoreError::Conflict { what }) }
}

//! Every row of the database as lines of JSON, out of one consistent state and back into an empty
//! database, whichever engine either is: for backups.
//!
//! The schema knows three types of columns only, so a row is the array of its values in the order
//! of the columns: text, whole numbers, octets as hexadecimal text, or null.

use std::collections::BTreeSet;

use diesel::connection::DefaultLoadingMode;
use diesel::migration::Migration;
use diesel::pg::PgRowByRowLoadingMode;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_migrations::MigrationHarness;
use serde::{Deserialize, Serialize};
use tenkoku_domain::access::Origin;
use tenkoku_domain::time::Timestamp;

use crate::connection::{Access, AnyConnection};
use crate::error::StoreError;
use crate::setup::{MIGRATIONS, SchemaState};
use crate::store::Store;
use crate::tx::Tx;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColumnKind {
    /// Text.
    Text,
    /// A whole number of at most 64 bits.
    Integer,
    /// Octets.
    Bytes,
}

impl ColumnKind {
    /// From the type that either engine names.
    fn of(declared: &str) -> Option<Self> {
        match declared.to_ascii_lowercase().as_str() {
            "text" => Some(Self::Text),
            "bigint" | "integer" | "smallint" => Some(Self::Integer),
            "bytea" => Some(Self::Bytes),
            _ => None,
        }
    }
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
}

/// A table and its columns, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<Column>,
}

impl Table {
    /// `column, column` with each column written as `write` says.
    fn list(&self, write: impl Fn((usize, &Column)) -> String) -> String {
        self.columns.iter().enumerate().map(write).collect::<Vec<_>>().join(", ")
    }

    fn damaged(&self, column: &'static str) -> StoreError {
        StoreError::Corrupt { what: "table of the backup", id: self.name.clone(), column }
    }
}

#[derive(QueryableByName)]
struct ColumnRow {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    kind: String,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

const SQLITE_COLUMNS: &str = r"
    SELECT t.name AS table_name, c.name AS column_name, c.type AS kind
    FROM sqlite_schema t JOIN pragma_table_info(t.name) c
    WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\'
        AND t.name NOT LIKE '\_\_diesel\_%' ESCAPE '\'
    ORDER BY t.name, c.cid";

const POSTGRESQL_COLUMNS: &str = r"
    SELECT table_name::text AS table_name, column_name::text AS column_name, data_type::text AS kind
    FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name NOT LIKE '\_\_diesel\_%'
    ORDER BY table_name, ordinal_position";

impl Store {
    /// The versions of the schema, which rows are of.
    pub fn versions(&self) -> Result<BTreeSet<String>, StoreError> {
        self.read(|tx| tx.applied_versions())
    }

    /// Hands out every row of one consistent state, table by table; writers are not kept waiting.
    pub fn dump<E: From<StoreError>>(
        &self,
        mut row: impl FnMut(&Table, &str) -> Result<(), E>,
    ) -> Result<(), E> {
        self.read(|tx| {
            for table in tx.tables()? {
                tx.dump_table(&table, &mut row)?;
            }
            Ok(())
        })
    }

    /// Fills an empty database, in one transaction: brings it to the versions that the rows are of,
    /// takes the rows in, runs the migrations that came since, and does what comes `last`.
    ///
    /// Refused with [`StoreError::Conflict`] where the database is not empty, with
    /// [`StoreError::Newer`] where this program does not know a version.
    pub fn fill<T, E: From<StoreError>>(
        &self,
        versions: &BTreeSet<String>,
        (origin, at): (&Origin, Timestamp),
        rows: impl FnOnce(&mut Filler<'_, '_>) -> Result<T, E>,
        last: impl FnOnce(&mut Tx<'_>, &T) -> Result<(), E>,
    ) -> Result<T, E> {
        self.forget_schema();
        self.transaction(Access::Write, |tx| {
            tx.prepare(versions)?;
            let tables = tx.tables()?;
            let mut filler = Filler { tx, tables };
            let done = rows(&mut filler)?;
            tx.settle_constraints()?;
            tx.migrate(origin, at)?;
            last(tx, &done)?;
            Ok(done)
        })
    }
}

/// An empty database that takes rows in.
pub struct Filler<'a, 'c> {
    tx: &'a mut Tx<'c>,
    tables: Vec<Table>,
}

impl Filler<'_, '_> {
    /// Takes rows of a table in: `rows` are their lines, separated by commas. A table that this
    /// version of the schema has otherwise is refused with [`StoreError::Corrupt`].
    pub fn take(&mut self, table: &Table, rows: &str) -> Result<(), StoreError> {
        if !self.tables.contains(table) {
            return Err(table.damaged("columns"));
        }
        let array = format!("[{rows}]");
        let names = table.list(|(_, column)| format!("\"{}\"", column.name));
        let name = &table.name;
        self.tx.change(|tx| {
            match &mut *tx.conn {
                AnyConnection::Sqlite(conn) => {
                    let values = table.list(|(at, column)| match column.kind {
                        ColumnKind::Text | ColumnKind::Integer => format!("r.value ->> {at}"),
                        ColumnKind::Bytes => format!("unhex(r.value ->> {at})"),
                    });
                    let insert = format!(
                        "INSERT INTO \"{name}\" ({names}) SELECT {values} FROM json_each(?) AS r"
                    );
                    diesel::sql_query(insert).bind::<Text, _>(array).execute(conn)?
                }
                AnyConnection::Postgresql(conn) => {
                    let values = table.list(|(at, column)| match column.kind {
                        ColumnKind::Text => format!("r.value ->> {at}"),
                        ColumnKind::Integer => format!("(r.value ->> {at})::bigint"),
                        ColumnKind::Bytes => format!("decode(r.value ->> {at}, 'hex')"),
                    });
                    let insert = format!(
                        "INSERT INTO \"{name}\" ({names}) \
                         SELECT {values} FROM json_array_elements($1::json) AS r"
                    );
                    diesel::sql_query(insert).bind::<Text, _>(array).execute(conn)?
                }
            };
            Ok(())
        })
    }
}

impl Tx<'_> {
    /// Every table but the one of the migrations.
    fn tables(&mut self) -> Result<Vec<Table>, StoreError> {
        let rows: Vec<ColumnRow> = match &mut *self.conn {
            AnyConnection::Sqlite(conn) => diesel::sql_query(SQLITE_COLUMNS).load(conn)?,
            AnyConnection::Postgresql(conn) => diesel::sql_query(POSTGRESQL_COLUMNS).load(conn)?,
        };
        let mut tables: Vec<Table> = Vec::new();
        for ColumnRow { table_name, column_name, kind } in rows {
            let Some(kind) = ColumnKind::of(&kind) else {
                let what = "schema";
                return Err(StoreError::Corrupt { what, id: table_name, column: "type" });
            };
            let column = Column { name: column_name, kind };
            match tables.last_mut().filter(|table| table.name == table_name) {
                Some(table) => table.columns.push(column),
                None => tables.push(Table { name: table_name, columns: vec![column] }),
            }
        }
        Ok(tables)
    }

    fn dump_table<E: From<StoreError>>(
        &mut self,
        table: &Table,
        row: &mut impl FnMut(&Table, &str) -> Result<(), E>,
    ) -> Result<(), E> {
        let name = &table.name;
        match &mut *self.conn {
            AnyConnection::Sqlite(conn) => {
                let values = table.list(|(_, column)| match column.kind {
                    ColumnKind::Text | ColumnKind::Integer => format!("\"{}\"", column.name),
                    // hex() of nothing is an empty text.
                    ColumnKind::Bytes => {
                        format!("iif(\"{0}\" IS NULL, NULL, hex(\"{0}\"))", column.name)
                    }
                });
                let select = format!("SELECT json_array({values}) AS line FROM \"{name}\"");
                let lines = diesel::sql_query(select)
                    .load_iter::<Line, DefaultLoadingMode>(conn)
                    .map_err(StoreError::from)?;
                for line in lines {
                    row(table, &line.map_err(StoreError::from)?.line)?;
                }
            }
            AnyConnection::Postgresql(conn) => {
                let values = table.list(|(_, column)| match column.kind {
                    ColumnKind::Text | ColumnKind::Integer => format!("\"{}\"", column.name),
                    ColumnKind::Bytes => format!("encode(\"{}\", 'hex')", column.name),
                });
                let select =
                    format!("SELECT json_build_array({values})::text AS line FROM \"{name}\"");
                let lines = diesel::sql_query(select)
                    .load_iter::<Line, PgRowByRowLoadingMode>(conn)
                    .map_err(StoreError::from)?;
                for line in lines {
                    row(table, &line.map_err(StoreError::from)?.line)?;
                }
            }
        }
        Ok(())
    }

    /// Brings an empty database to the versions that rows are of; rows that migrations made go.
    fn prepare(&mut self, versions: &BTreeSet<String>) -> Result<(), StoreError> {
        if self.schema_state()? != SchemaState::Empty {
            return Err(StoreError::Conflict { what: "database" });
        }
        match &mut *self.conn {
            AnyConnection::Sqlite(conn) => run_some(conn, versions)?,
            AnyConnection::Postgresql(conn) => run_some(conn, versions)?,
        }
        for table in self.tables()? {
            diesel::sql_query(format!("DELETE FROM \"{}\"", table.name)).execute(self.conn)?;
        }
        Ok(())
    }

    /// Has the constraints between tables checked now: PostgreSQL changes no table before that.
    fn settle_constraints(&mut self) -> Result<(), StoreError> {
        if let AnyConnection::Postgresql(conn) = &mut *self.conn {
            diesel::sql_query("SET CONSTRAINTS ALL IMMEDIATE").execute(conn)?;
            diesel::sql_query("SET CONSTRAINTS ALL DEFERRED").execute(conn)?;
        }
        Ok(())
    }
}

/// Runs the migrations of some versions.
fn run_some<DB: diesel::backend::Backend>(
    conn: &mut impl MigrationHarness<DB>,
    versions: &BTreeSet<String>,
) -> Result<(), StoreError> {
    let known = conn.pending_migrations(MIGRATIONS).map_err(StoreError::Database)?;
    let version = |one: &dyn Migration<DB>| one.name().version().to_string();
    let names: BTreeSet<String> = known.iter().map(|one| version(&**one)).collect();
    if let Some(found) = versions.difference(&names).last() {
        let known = names.last().cloned().unwrap_or_default();
        return Err(StoreError::Newer { found: found.clone(), known });
    }
    for migration in known.iter().filter(|one| versions.contains(&version(&***one))) {
        conn.run_migration(&**migration).map_err(StoreError::Database)?;
    }
    Ok(())
}

//! The version of the schema, and bringing a database to it.

use std::collections::BTreeSet;

use diesel::backend::Backend;
use diesel::migration::{Migration, MigrationSource as _};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use tenkoku_domain::access::Origin;
use tenkoku_domain::audit::Event;
use tenkoku_domain::time::Timestamp;

use crate::connection::{Access, AnyBackend, AnyConnection};
use crate::error::StoreError;
use crate::store::Store;
use crate::tx::Tx;

pub(crate) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// The advisory lock of PostgreSQL under which one node migrates: `tenkoku` in ASCII.
const LOCK: &str = "SELECT pg_advisory_xact_lock(32762622221708149)";

/// How the schema of a database relates to this program's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaState {
    /// Nothing was ever migrated.
    Empty,
    /// It is this program's.
    Current,
    /// Migrations are to be run.
    Older {
        /// How many.
        pending: usize,
    },
    /// A newer program has migrated it.
    Newer {
        /// Its last migration.
        found: String,
        /// The last migration this program knows.
        known: String,
    },
}

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    found: i64,
}

impl Store {
    /// How the schema relates to this program's.
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method's own path is bound to one lifetime"
    )]
    pub fn schema_state(&self) -> Result<SchemaState, StoreError> {
        self.transaction(Access::Read, |tx| tx.schema_state())
    }

    /// Brings the schema to this program's version and says so in the audit trail, in one
    /// transaction. Does nothing when it is there; refuses a newer one.
    pub fn migrate(&self, origin: &Origin, at: Timestamp) -> Result<(), StoreError> {
        self.transaction(Access::Write, |tx| tx.migrate(origin, at))
    }

    /// Takes every migration back. All data is lost; for tests of migrations.
    pub fn revert_all(&self) -> Result<(), StoreError> {
        self.forget_schema();
        self.transaction(Access::Write, |tx| match &mut *tx.conn {
            AnyConnection::Sqlite(conn) => revert(conn),
            AnyConnection::Postgresql(conn) => revert(conn),
        })
    }
}

impl Tx<'_> {
    pub(crate) fn schema_state(&mut self) -> Result<SchemaState, StoreError> {
        let known = known_versions()?;
        let applied = self.applied_versions()?;
        let last = |versions: &BTreeSet<String>| versions.last().cloned().unwrap_or_default();
        if let Some(found) = applied.difference(&known).last() {
            return Ok(SchemaState::Newer { found: found.clone(), known: last(&known) });
        }
        Ok(match (applied.len(), known.difference(&applied).count()) {
            (0, _) => SchemaState::Empty,
            (_, 0) => SchemaState::Current,
            (_, pending) => SchemaState::Older { pending },
        })
    }

    pub(crate) fn migrate(&mut self, origin: &Origin, at: Timestamp) -> Result<(), StoreError> {
        if let AnyConnection::Postgresql(conn) = &mut *self.conn {
            diesel::sql_query(LOCK).execute(conn)?;
        }
        match self.schema_state()? {
            SchemaState::Current => return Ok(()),
            SchemaState::Newer { found, known } => return Err(StoreError::Newer { found, known }),
            SchemaState::Empty | SchemaState::Older { .. } => {}
        }
        let from = self.applied_versions()?.pop_last().unwrap_or_default();
        match &mut *self.conn {
            AnyConnection::Sqlite(conn) => run(conn)?,
            AnyConnection::Postgresql(conn) => run(conn)?,
        }
        let to = self.applied_versions()?.pop_last().unwrap_or_default();
        self.record(origin, at, &Event::SchemaMigrated { from, to })?;
        Ok(())
    }

    /// The versions that were run, without making the table that keeps them.
    pub(crate) fn applied_versions(&mut self) -> Result<BTreeSet<String>, StoreError> {
        let there = match &*self.conn {
            AnyConnection::Sqlite(_) => {
                "SELECT count(*) AS found FROM sqlite_master \
                 WHERE name = '__diesel_schema_migrations'"
            }
            AnyConnection::Postgresql(_) => {
                "SELECT count(to_regclass('__diesel_schema_migrations')) AS found"
            }
        };
        let Found { found } = diesel::sql_query(there).get_result(self.conn)?;
        if found == 0 {
            return Ok(BTreeSet::new());
        }
        let versions = __diesel_schema_migrations::table
            .select(__diesel_schema_migrations::version)
            .load::<String>(self.conn)?;
        Ok(versions.into_iter().collect())
    }
}

/// The versions that this program brings.
fn known_versions() -> Result<BTreeSet<String>, StoreError> {
    let migrations: Vec<Box<dyn Migration<AnyBackend>>> =
        MIGRATIONS.migrations().map_err(StoreError::Database)?;
    Ok(migrations.iter().map(|migration| migration.name().version().to_string()).collect())
}

fn run<DB: Backend>(conn: &mut impl MigrationHarness<DB>) -> Result<(), StoreError> {
    conn.run_pending_migrations(MIGRATIONS).map_err(StoreError::Database)?;
    Ok(())
}

fn revert<DB: Backend>(conn: &mut impl MigrationHarness<DB>) -> Result<(), StoreError> {
    conn.revert_all_migrations(MIGRATIONS).map_err(StoreError::Database)?;
    Ok(())
}

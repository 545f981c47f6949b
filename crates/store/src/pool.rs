//! Connections kept open: for SQLite one writer and several readers, for PostgreSQL one pool.

use std::time::Duration;

use diesel::connection::{Connection, SimpleConnection as _, TransactionManager as _};
use diesel::r2d2::{ManageConnection, NopErrorHandler, Pool, PooledConnection};

use crate::connection::{Access, AnyConnection, PATIENCE_SECONDS, open};
use crate::error::StoreError;
use crate::location::Location;

/// Readers of SQLite.
const READERS: u32 = 8;
/// Connections to a server.
const CONNECTIONS: u32 = 16;

/// Opens and checks connections for a pool.
pub(crate) struct Manager {
    location: Location,
    access: Access,
}

impl ManageConnection for Manager {
    type Connection = AnyConnection;
    type Error = StoreError;

    fn connect(&self) -> Result<AnyConnection, StoreError> {
        open(&self.location, self.access)
    }

    fn is_valid(&self, conn: &mut AnyConnection) -> Result<(), StoreError> {
        match conn {
            AnyConnection::Sqlite(_) => Ok(()),
            AnyConnection::Postgresql(conn) => Ok(conn.batch_execute("SELECT 1")?),
        }
    }

    fn has_broken(&self, conn: &mut AnyConnection) -> bool {
        std::thread::panicking()
            || <AnyConnection as Connection>::TransactionManager::is_broken_transaction_manager(
                conn,
            )
    }
}

/// The connections of a store.
pub(crate) struct Pools {
    location: Location,
    readers: Pool<Manager>,
    writers: Pool<Manager>,
}

impl Pools {
    /// Opens one connection, so that a wrong address is known at once, and makes the pools.
    pub(crate) fn open(location: Location) -> Result<Self, StoreError> {
        drop(open(&location, Access::Write)?);
        let (readers, writers) = match &location {
            Location::Sqlite(_) => {
                (pool(&location, Access::Read, READERS), pool(&location, Access::Write, 1))
            }
            Location::Postgresql(_) => {
                let both = pool(&location, Access::Write, CONNECTIONS);
                (both.clone(), both)
            }
        };
        Ok(Self { location, readers, writers })
    }

    /// Whether the database is a file.
    pub(crate) const fn is_sqlite(&self) -> bool {
        matches!(self.location, Location::Sqlite(_))
    }

    /// A connection that no pool knows.
    pub(crate) fn connect_alone(&self) -> Result<AnyConnection, StoreError> {
        open(&self.location, Access::Read)
    }

    /// A connection for a transaction.
    pub(crate) fn take(&self, access: Access) -> Result<PooledConnection<Manager>, StoreError> {
        let pool = match access {
            Access::Read => &self.readers,
            Access::Write => &self.writers,
        };
        pool.get().map_err(|error| match &self.location {
            Location::Sqlite(_) => StoreError::Busy,
            Location::Postgresql(_) => StoreError::Unreachable {
                database: self.location.shown(),
                reason: self.location.scrubbed(&error.to_string()),
            },
        })
    }
}

fn pool(location: &Location, access: Access, most: u32) -> Pool<Manager> {
    Pool::builder()
        .max_size(most)
        .min_idle(Some(0))
        .connection_timeout(Duration::from_secs(PATIENCE_SECONDS))
        .error_handler(Box::new(NopErrorHandler))
        .build_unchecked(Manager { location: location.clone(), access })
}

//! One connection to either database, opened with a clear reason when it cannot be.
//!
//! The derived `establish` is never called: it would hide the cause.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::result::Error;

use crate::error::StoreError;
use crate::location::{Location, folder_of};

/// A connection to the database that the address names.
#[derive(diesel::MultiConnection)]
pub(crate) enum AnyConnection {
    /// Inside the process.
    Sqlite(SqliteConnection),
    /// A server.
    Postgresql(PgConnection),
}

/// The backend of [`AnyConnection`].
pub(crate) type AnyBackend = <AnyConnection as Connection>::Backend;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reading one consistent state.
    Read,
    /// Reading and writing.
    Write,
}

/// How long a writer of SQLite waits for another process, and anybody for a connection.
pub(crate) const PATIENCE_SECONDS: u64 = 10;

const PRAGMAS: &str = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; \
     PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;";

/// Opens a connection.
pub(crate) fn open(location: &Location, access: Access) -> Result<AnyConnection, StoreError> {
    match location {
        Location::Sqlite(path) => {
            prepare_file(path)?;
            let url = path.to_string_lossy();
            let mut conn =
                SqliteConnection::establish(&url).map_err(|error| refused(location, &error))?;
            conn.batch_execute(PRAGMAS).map_err(|error| damaged(path, error))?;
            if access == Access::Read {
                conn.batch_execute("PRAGMA query_only = ON")?;
            }
            Ok(AnyConnection::Sqlite(conn))
        }
        Location::Postgresql(url) => {
            let mut conn =
                PgConnection::establish(url).map_err(|error| refused(location, &error))?;
            conn.batch_execute("SET client_min_messages = warning")?;
            Ok(AnyConnection::Postgresql(conn))
        }
    }
}

/// Makes a new file that only its owner reads. An existing one is never opened here, not even to
/// look into it: closing it again would drop the locks of every connection of this process, and
/// another process would then take the log away under them (sqlite.org/howtocorrupt.html, 2.2).
fn prepare_file(path: &Path) -> Result<(), StoreError> {
    let folder = folder_of(path);
    if !folder.is_dir() {
        return Err(StoreError::NoFolder { folder: folder.display().to_string() });
    }
    if path.is_dir() {
        return Err(StoreError::NotADatabase { path: path.display().to_string() });
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::Unreachable {
            database: path.display().to_string(),
            reason: error.to_string(),
        }),
    }
}

/// SQLite looks into the file at the first statement only.
#[expect(clippy::wildcard_enum_match_arm, reason = "diesel's errors are not ours, and open")]
fn damaged(path: &Path, error: Error) -> StoreError {
    match error {
        Error::DatabaseError(_, info) if info.message() == "file is not a database" => {
            StoreError::NotADatabase { path: path.display().to_string() }
        }
        error => StoreError::from(error),
    }
}

fn refused(location: &Location, error: &ConnectionError) -> StoreError {
    let database = location.shown();
    let reason = location.scrubbed(&error.to_string());
    let sign_in = ["password authentication failed", "no password supplied", "authentication"]
        .iter()
        .any(|words| reason.contains(words));
    if sign_in {
        StoreError::SignIn { database, reason }
    } else {
        StoreError::Unreachable { database, reason }
    }
}

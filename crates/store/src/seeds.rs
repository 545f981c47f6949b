//! Many serial numbers at once, for tests under load: rows of `certificates` and `status_log`,
//! written by the database itself out of one parameter.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Integer, Text};
use tenkoku_domain::certificate::Profile;
use tenkoku_domain::name::comparable;
use tenkoku_domain::seed::{Seed, SeedRow};
use tenkoku_domain::time::Timestamp;

use crate::connection::AnyConnection;
use crate::error::StoreError;
use crate::status::{COUNTER, StatusChange, Told};
use crate::tx::{Tx, one};

/// A row as one text: identifier (30), serial number (32), and for a revoked one the instant (13
/// digits) and the cause.
fn packed(row: &SeedRow) -> String {
    let revocation = row.revocation.as_ref();
    let told = revocation.map(|told| format!("{:013}{}", told.at.millis(), told.cause));
    format!("{}{}{}", row.id, row.serial, told.unwrap_or_default())
}

const CERTIFICATES: &str = "INSERT INTO certificates (authority_id, profile, profile_version, \
     key_id, common_name, not_before, not_after, policy, tbs, created_at, searchable, id, serial, \
     state, cause, revoked_at) SELECT $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, \
     substr(v, 1, 30), substr(v, 31, 32), \
     CASE WHEN length(v) > 62 THEN 'revoked' ELSE 'active' END, NULLIF(substr(v, 76), ''), \
     CAST(NULLIF(substr(v, 63, 13), '') AS BIGINT) FROM ";
const GOOD: &str = "INSERT INTO status_log (authority_id, rev, serial, status, at) \
     SELECT $2, $3 + n, substr(v, 31, 32), 'good', $4 FROM ";
const REVOKED: &str = "INSERT INTO status_log (authority_id, rev, serial, status, at, reason, \
     revoked_at) SELECT $2, $3 + n, substr(v, 31, 32), 'revoked', $4, substr(v, 76), \
     CAST(substr(v, 63, 13) AS BIGINT) FROM ";
/// The first parameter as rows of a position from 1 and a text.
const SQLITE_ROWS: &str = "(SELECT key + 1 AS n, value AS v FROM json_each($1))";
const POSTGRESQL_ROWS: &str = "unnest($1) WITH ORDINALITY AS rows (v, n)";

/// Runs a statement over rows, with the parameters after the first.
macro_rules! run {
    ($tx:expr, $sql:expr, $rows:expr $(, $type:ty = $value:expr)*) => {
        match &mut *$tx.conn {
            AnyConnection::Sqlite(conn) => {
                let rows = serde_json::Value::from($rows.to_vec()).to_string();
                // SQLite numbers `$1` by its first use, `?1` by its name.
                let sql = format!("{}{SQLITE_ROWS}", $sql).replace('$', "?");
                diesel::sql_query(sql).bind::<Text, _>(rows)$(.bind::<$type, _>($value))*
                    .execute(conn)?
            }
            AnyConnection::Postgresql(conn) => {
                diesel::sql_query(format!("{}{POSTGRESQL_ROWS}", $sql))
                    .bind::<Array<Text>, _>($rows)$(.bind::<$type, _>($value))*
                    .execute(conn)?
            }
        }
    };
}

impl Tx<'_> {
    /// Writes the certificates of a seed.
    pub(crate) fn insert_seed(&mut self, seed: &Seed, at: Timestamp) -> Result<(), StoreError> {
        use diesel::connection::SimpleConnection as _;
        if let AnyConnection::Sqlite(conn) = &mut *self.conn {
            // Serial numbers are random: the pages of their indexes stay in memory (256 MiB).
            conn.batch_execute("PRAGMA cache_size = -262144")?;
        }
        let rows: Vec<String> = seed.rows.iter().map(packed).collect();
        let written = run!(
            self,
            CERTIFICATES,
            &rows,
            Text = seed.authority.as_str(),
            Text = seed.profile.word(),
            Integer = Profile::VERSION,
            Text = seed.key.as_str(),
            Text = &seed.common_name,
            BigInt = seed.validity.not_before.millis(),
            BigInt = seed.validity.not_after.millis(),
            Text = seed.policy.to_string(),
            Binary = Vec::<u8>::new(),
            BigInt = at.millis(),
            Text = comparable(&seed.common_name)
        );
        seeded(written, rows.len())
    }

    /// Writes the places of a seed among the changes of status: each was issued, and then some were
    /// revoked.
    pub(crate) fn log_seed(&mut self, seed: &Seed, at: Timestamp) -> Result<(), StoreError> {
        let revoked: Vec<&SeedRow> =
            seed.rows.iter().filter(|row| row.revocation.is_some()).collect();
        self.log_rows(seed, GOOD, &seed.rows.iter().collect::<Vec<_>>(), at, |_| Told::Issued)?;
        self.log_rows(seed, REVOKED, &revoked, at, |row| {
            row.revocation.clone().map_or(Told::Issued, Told::Revoked)
        })
    }

    fn log_rows(
        &mut self,
        seed: &Seed,
        sql: &str,
        rows: &[&SeedRow],
        at: Timestamp,
        told: impl Fn(&SeedRow) -> Told,
    ) -> Result<(), StoreError> {
        let before = self.take_numbers(COUNTER, rows.len())?;
        let packed: Vec<String> = rows.iter().map(|row| packed(row)).collect();
        let written = run!(
            self,
            sql,
            &packed,
            Text = seed.authority.as_str(),
            BigInt = before,
            BigInt = at.millis()
        );
        seeded(written, rows.len())?;
        let changes = (before + 1..).zip(rows).map(|(rev, row)| StatusChange {
            rev,
            authority: seed.authority.clone(),
            serial: row.serial.clone(),
            told: told(row),
            at,
        });
        self.announce(changes)
    }
}

fn seeded(written: usize, wanted: usize) -> Result<(), StoreError> {
    one(usize::from(written == wanted), "seed")
}

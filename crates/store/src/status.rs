//! Table `status_log`, and what status services ask: everything that changed after a number, the
//! state of a serial number, everything revoked, the revision up to which a CRL tells.
//!
//! The log is complete: folding it from its beginning gives the status of every certificate that was
//! ever issued. A pending certificate is not in it; `ca::settle` brings it in as revoked.

use std::sync::Weak;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use tenkoku_domain::certificate::{Certificate, CertificateState, Profile, Serial};
use tenkoku_domain::id::AuthorityId;
use tenkoku_domain::revocation::{Cause, Revocation};
use tenkoku_domain::time::Timestamp;

use crate::certificates::{StateColumns, read_state};
use crate::column::{Place, instant, millis};
use crate::connection::AnyConnection;
use crate::error::StoreError;
use crate::schema::{certificates, status_beats, status_log};
use crate::store::Store;
use crate::tx::{Tx, insert_all};

/// A certificate that a CRL lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedEntry {
    /// The serial number.
    pub serial: Serial,
    /// The revocation or suspension.
    pub revocation: Revocation,
}

/// What the log says about a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It was issued.
    Issued,
    /// It was issued to the authority's OCSP signer: responders sign with another key from now on.
    SignerIssued,
    /// It was revoked or put on hold.
    Revoked(Revocation),
    /// A hold was lifted: a delta CRL says removeFromCRL.
    Released,
}

impl Told {
    const fn word(&self) -> &'static str {
        match self {
            Self::Issued | Self::SignerIssued => "good",
            Self::Revoked(_) => "revoked",
            Self::Released => "released",
        }
    }

    /// The revocation or suspension, if that is what is told.
    pub const fn revocation(&self) -> Option<&Revocation> {
        match self {
            Self::Revoked(revocation) => Some(revocation),
            Self::Issued | Self::SignerIssued | Self::Released => None,
        }
    }
}

/// One entry of the status log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusChange {
    /// Its number: over all authorities, rising in the order of the commits.
    pub rev: i64,
    /// The authority.
    pub authority: AuthorityId,
    /// The certificate's serial number.
    pub serial: Serial,
    /// What became of it.
    pub told: Told,
    /// When this was decided.
    pub at: Timestamp,
}

/// A change that has no number yet.
#[derive(Debug)]
pub(crate) struct Change {
    authority: AuthorityId,
    serial: Serial,
    told: Told,
    at: Timestamp,
}

/// How far what is read here can be trusted to be complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusSource {
    /// The database itself: it holds everything that was committed.
    Original,
    /// A copy that follows the database. It holds at least everything up to the last sign of life
    /// that came through; `None` when none ever did.
    Copy(Option<Timestamp>),
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = status_log)]
struct StatusRow {
    rev: i64,
    authority_id: String,
    serial: String,
    status: String,
    reason: Option<String>,
    revoked_at: Option<i64>,
    invalid_since: Option<i64>,
    at: i64,
}

impl From<&StatusChange> for StatusRow {
    fn from(change: &StatusChange) -> Self {
        let revocation = change.told.revocation();
        Self {
            rev: change.rev,
            authority_id: change.authority.to_string(),
            serial: change.serial.to_string(),
            status: change.told.word().to_owned(),
            reason: match &change.told {
                Told::SignerIssued => Some(SIGNER.to_owned()),
                Told::Revoked(revocation) => Some(revocation.cause.word().to_owned()),
                Told::Issued | Told::Released => None,
            },
            revoked_at: revocation.map(|revocation| revocation.at.millis()),
            invalid_since: revocation.and_then(|revocation| millis(revocation.invalid_since)),
            at: change.at.millis(),
        }
    }
}

impl StatusRow {
    fn read(self) -> Result<StatusChange, StoreError> {
        let place = Place::new("status", &self.serial);
        let (reason, at) = (self.reason.as_deref(), instant(self.revoked_at));
        let told = match (self.status.as_str(), reason, at) {
            ("good", None, None) => Some(Told::Issued),
            ("good", Some(SIGNER), None) => Some(Told::SignerIssued),
            ("released", None, None) => Some(Told::Released),
            ("revoked", Some(reason), Some(at)) => Cause::from_word(reason).map(|cause| {
                let invalid_since = instant(self.invalid_since);
                Told::Revoked(Revocation { cause, at, invalid_since })
            }),
            _ => None,
        };
        Ok(StatusChange {
            rev: self.rev,
            authority: place.ok("authority_id", AuthorityId::parse(&self.authority_id))?,
            serial: place.ok("serial", Serial::parse(&self.serial))?,
            told: place.some("status", told)?,
            at: Timestamp::from_millis(self.at),
        })
    }
}

/// The counter of changes of status. Its row stays locked until the end of the transaction.
pub(crate) const COUNTER: &str = "status";
/// The word in `reason` for the issue of an OCSP signer.
const SIGNER: &str = "ocsp-signer";

type StateTuple = (String, Option<String>, Option<i64>, Option<i64>);

fn state_of(serial: &str, row: StateTuple) -> Result<CertificateState, StoreError> {
    let (state, cause, revoked_at, invalid_since) = row;
    let columns = StateColumns { state: &state, cause, revoked_at, invalid_since };
    read_state(Place::new("certificate", serial), columns)
}

impl Tx<'_> {
    /// The state of a certificate; `None` when it was never issued. A pending one was not.
    pub fn status_of(
        &mut self,
        authority: &AuthorityId,
        serial: &Serial,
    ) -> Result<Option<CertificateState>, StoreError> {
        let serial = serial.to_string();
        let row = certificates::table
            .filter(certificates::authority_id.eq(authority.as_str()))
            .filter(certificates::serial.eq(&serial))
            .filter(certificates::state.ne(CertificateState::Pending.word()))
            .select((
                certificates::state,
                certificates::cause,
                certificates::revoked_at,
                certificates::invalid_since,
            ))
            .first::<StateTuple>(self.conn)
            .optional()?;
        row.map(|row| state_of(&serial, row)).transpose()
    }

    /// The states of an authority's certificates in the order of their serial numbers as text,
    /// those after one where it is given; at most `limit`. A pending one was not issued.
    pub fn states_after(
        &mut self,
        authority: &AuthorityId,
        after: Option<&Serial>,
        limit: i64,
    ) -> Result<Vec<(Serial, CertificateState)>, StoreError> {
        let after = after.map(Serial::to_string).unwrap_or_default();
        let rows = certificates::table
            .filter(certificates::authority_id.eq(authority.as_str()))
            .filter(certificates::serial.gt(&after))
            .filter(certificates::state.ne(CertificateState::Pending.word()))
            .order(certificates::serial)
            .limit(limit)
            .select((
                certificates::serial,
                (
                    certificates::state,
                    certificates::cause,
                    certificates::revoked_at,
                    certificates::invalid_since,
                ),
            ))
            .load::<(String, StateTuple)>(self.conn)?;
        rows.into_iter()
            .map(|(serial, row)| {
                let state = state_of(&serial, row)?;
                let place = Place::new("certificate", &serial);
                Ok((place.ok("serial", Serial::parse(&serial))?, state))
            })
            .collect()
    }

    /// Everything that a CRL of the authority lists, by the time of revocation.
    pub fn revoked_entries(
        &mut self,
        authority: &AuthorityId,
    ) -> Result<Vec<RevokedEntry>, StoreError> {
        let rows = certificates::table
            .filter(certificates::authority_id.eq(authority.as_str()))
            .filter(certificates::state.eq_any(["issued", "suspended", "revoked"]))
            .filter(certificates::revoked_at.is_not_null())
            .order((certificates::revoked_at, certificates::serial))
            .select((
                certificates::serial,
                (
                    certificates::state,
                    certificates::cause,
                    certificates::revoked_at,
                    certificates::invalid_since,
                ),
            ))
            .load::<(String, StateTuple)>(self.conn)?;
        rows.into_iter()
            .map(|(serial, row)| {
                let place = Place::new("certificate", &serial);
                let state = state_of(&serial, row)?;
                Ok(RevokedEntry {
                    serial: place.ok("serial", Serial::parse(&serial))?,
                    revocation: place.some("state", state.revocation().cloned())?,
                })
            })
            .collect()
    }

    /// The number of the last change of status, over all authorities; 0 before the first.
    pub fn status_revision(&mut self) -> Result<i64, StoreError> {
        self.settle()?;
        self.last_number(COUNTER)
    }

    /// The changes of status after a number, in the order of their commits; at most `limit`. What
    /// is given is without a gap: a change that is not committed yet has a higher number.
    pub fn status_changes(
        &mut self,
        after: i64,
        limit: i64,
    ) -> Result<Vec<StatusChange>, StoreError> {
        self.settle()?;
        let rows = status_log::table
            .filter(status_log::rev.gt(after))
            .order(status_log::rev)
            .limit(limit)
            .select(StatusRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(StatusRow::read).collect()
    }

    /// Revocations, holds and releases of an authority after a number.
    pub(crate) fn changes_of(
        &mut self,
        authority: &AuthorityId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<StatusChange>, StoreError> {
        self.settle()?;
        let rows = status_log::table
            .filter(status_log::authority_id.eq(authority.as_str()))
            .filter(status_log::status.ne("good"))
            .filter(status_log::rev.gt(after))
            .order(status_log::rev)
            .limit(limit)
            .select(StatusRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(StatusRow::read).collect()
    }

    /// Whether the database that is read is the original, and if not, how far it has come.
    pub fn status_source(&mut self) -> Result<StatusSource, StoreError> {
        if let AnyConnection::Postgresql(conn) = &mut *self.conn {
            let Replaying { copy } =
                diesel::sql_query("SELECT pg_is_in_recovery() AS copy").get_result(conn)?;
            if copy {
                let last = status_beats::table.select(diesel::dsl::max(status_beats::at));
                let last: Option<i64> = last.first(conn)?;
                return Ok(StatusSource::Copy(instant(last)));
            }
        }
        Ok(StatusSource::Original)
    }

    /// Leaves a sign of life, so that who reads a copy knows how far it has come.
    pub fn beat_status(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.change(|tx| {
            let beat = diesel::update(status_beats::table.find(tx.node));
            if beat.set(status_beats::at.eq(now.millis())).execute(tx.conn)? == 0 {
                let first = (status_beats::node.eq(tx.node), status_beats::at.eq(now.millis()));
                diesel::insert_into(status_beats::table).values(first).execute(tx.conn)?;
            }
            Ok(())
        })
    }

    /// The revision of the last revocation, suspension or release: a CRL that tells it is complete. Zero when
    /// there was none.
    pub fn revocation_revision(&mut self, authority: &AuthorityId) -> Result<i64, StoreError> {
        use diesel::dsl::max;
        self.settle()?;
        let last: Option<i64> = status_log::table
            .filter(status_log::authority_id.eq(authority.as_str()))
            .filter(status_log::status.ne("good"))
            .select(max(status_log::rev))
            .first(self.conn)?;
        Ok(last.unwrap_or(0))
    }

    /// Notes that a hold was lifted. The next CRL must tell it, so it counts as a revision.
    pub(crate) fn log_release(&mut self, certificate: &Certificate, at: Timestamp) {
        self.log_as(certificate, Told::Released, at);
    }

    /// Notes a change of status; it gets its number when the transaction ends.
    pub(crate) fn log_status(
        &mut self,
        certificate: &Certificate,
        revocation: Option<&Revocation>,
        at: Timestamp,
    ) {
        let told = match revocation {
            Some(revocation) => Told::Revoked(revocation.clone()),
            None if certificate.profile == Profile::OcspSigner => Told::SignerIssued,
            None => Told::Issued,
        };
        self.log_as(certificate, told, at);
    }

    fn log_as(&mut self, certificate: &Certificate, told: Told, at: Timestamp) {
        let change = Change {
            authority: certificate.authority.clone(),
            serial: certificate.serial.clone(),
            told,
            at,
        };
        self.ledger.change(change);
    }

    /// Gives changes their numbers, in their order, and logs them.
    pub(crate) fn log_all(&mut self, changes: Vec<Change>) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let before = self.take_numbers(COUNTER, changes.len())?;
        let numbered: Vec<StatusChange> = (before + 1..)
            .zip(changes)
            .map(|(rev, Change { authority, serial, told, at })| StatusChange {
                rev,
                authority,
                serial,
                told,
                at,
            })
            .collect();
        let rows: Vec<StatusRow> = numbered.iter().map(StatusRow::from).collect();
        insert_all!(self, status_log, rows);
        self.announce(numbered)
    }

    /// Tells of changes that were logged, once they are committed.
    pub(crate) fn announce(
        &mut self,
        changes: impl IntoIterator<Item = StatusChange>,
    ) -> Result<(), StoreError> {
        if self.ledger.tells_nothing()
            && let AnyConnection::Postgresql(conn) = &mut *self.conn
        {
            // Heard by everybody who listens, at the moment of the commit.
            conn.batch_execute(NOTIFY)?;
        }
        self.ledger.tell(changes);
        Ok(())
    }
}

#[derive(QueryableByName)]
struct Replaying {
    #[diesel(sql_type = diesel::sql_types::Bool)]
    copy: bool,
}

const NOTIFY: &str = "NOTIFY tenkoku_status";

/// Who wants to know of changes of status as soon as they are committed in this process.
///
/// It is told in the thread of whoever changed it, before that thread goes on: what a use case has
/// done is known to the listener when the use case ends.
pub trait StatusListener: Send + Sync {
    /// These changes were committed, in one transaction.
    fn committed(&self, changes: &[StatusChange]);
}

/// Rings when a change of status is committed anywhere. A connection of its own.
pub struct StatusBell(PgConnection);

impl StatusBell {
    /// Whether it rang since it was last asked. Does not wait.
    pub fn rang(&mut self) -> Result<bool, StoreError> {
        let heard = self.0.notifications_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(!heard.is_empty())
    }
}

impl Store {
    /// Tells a listener of every change of status that is committed through this store or its
    /// clones, for as long as the listener lives.
    pub fn tell_status(&self, listener: Weak<dyn StatusListener>) {
        self.add_listener(listener);
    }

    /// A bell for changes by other processes. `None` where there is none to be had: a database
    /// in a file, or a copy, which passes no notifications on. There one looks again and again.
    pub fn status_bell(&self) -> Result<Option<StatusBell>, StoreError> {
        let AnyConnection::Postgresql(mut conn) = self.connect_alone()? else { return Ok(None) };
        let Replaying { copy } =
            diesel::sql_query("SELECT pg_is_in_recovery() AS copy").get_result(&mut conn)?;
        if copy {
            return Ok(None);
        }
        conn.batch_execute("LISTEN tenkoku_status")?;
        Ok(Some(StatusBell(conn)))
    }
}

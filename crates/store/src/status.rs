//! Table `status_log`, and what status services ask: the state of a serial number, everything
//! revoked, the revision up to which a CRL tells.

use diesel::prelude::*;
use tenkoku_domain::certificate::{Certificate, CertificateState, Serial};
use tenkoku_domain::id::AuthorityId;
use tenkoku_domain::revocation::Revocation;
use tenkoku_domain::time::Timestamp;

use crate::certificates::{StateColumns, read_state};
use crate::column::Place;
use crate::error::StoreError;
use crate::schema::{certificates, status_log};
use crate::tx::Tx;

/// A certificate that a CRL lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedEntry {
    /// The serial number.
    pub serial: Serial,
    /// The revocation or suspension.
    pub revocation: Revocation,
}

#[derive(Insertable)]
#[diesel(table_name = status_log)]
struct StatusRow<'a> {
    authority_id: &'a str,
    rev: i64,
    serial: String,
    status: &'a str,
    reason: Option<&'a str>,
    revoked_at: Option<i64>,
    at: i64,
}

/// The counter of an authority's changes of status.
pub(crate) fn revision_counter(authority: &AuthorityId) -> String {
    format!("status/{authority}")
}

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

    /// The last change of status of an authority's certificates; 0 before the first.
    pub fn status_revision(&mut self, authority: &AuthorityId) -> Result<i64, StoreError> {
        self.last_number(&revision_counter(authority))
    }

    /// The revision of the last revocation, suspension or release: a CRL that tells it is complete. Zero when
    /// there was none.
    pub fn revocation_revision(&mut self, authority: &AuthorityId) -> Result<i64, StoreError> {
        use diesel::dsl::max;
        let last: Option<i64> = status_log::table
            .filter(status_log::authority_id.eq(authority.as_str()))
            .filter(status_log::status.ne("good"))
            .select(max(status_log::rev))
            .first(self.conn)?;
        Ok(last.unwrap_or(0))
    }

    /// Notes that a hold was lifted. The next CRL must tell it, so it counts as a revision.
    pub(crate) fn log_release(
        &mut self,
        certificate: &Certificate,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.log_as(certificate, "released", None, at)
    }

    /// Notes a change of status under the authority's next revision.
    pub(crate) fn log_status(
        &mut self,
        certificate: &Certificate,
        revocation: Option<&Revocation>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let status = if revocation.is_some() { "revoked" } else { "good" };
        self.log_as(certificate, status, revocation, at)
    }

    fn log_as(
        &mut self,
        certificate: &Certificate,
        status: &str,
        revocation: Option<&Revocation>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let rev = self.next_number(&revision_counter(&certificate.authority))?;
        let row = StatusRow {
            authority_id: certificate.authority.as_str(),
            rev,
            serial: certificate.serial.to_string(),
            status,
            reason: revocation.map(|revocation| revocation.cause.word()),
            revoked_at: revocation.map(|revocation| revocation.at.millis()),
            at: at.millis(),
        };
        diesel::insert_into(status_log::table).values(row).execute(self.conn)?;
        Ok(())
    }
}

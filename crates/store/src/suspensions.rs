//! Table `suspensions`: every hold a certificate was put on, and how it ended.

use diesel::prelude::*;
use tenkoku_domain::id::CertificateId;
use tenkoku_domain::suspension::{HoldCause, Suspension};
use tenkoku_domain::time::Timestamp;

use crate::column::{Place, instant, millis};
use crate::error::StoreError;
use crate::schema::suspensions;
use crate::tx::{Tx, one};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = suspensions)]
struct SuspensionRow {
    certificate_id: String,
    from_at: i64,
    until_at: i64,
    because: String,
    by_actor: String,
    extension_asked_by: Option<String>,
    extended_at: Option<i64>,
    ended_at: Option<i64>,
}

impl From<&Suspension> for SuspensionRow {
    fn from(suspension: &Suspension) -> Self {
        Self {
            certificate_id: suspension.certificate.to_string(),
            from_at: suspension.from.millis(),
            until_at: suspension.until.millis(),
            because: suspension.because.to_string(),
            by_actor: suspension.by.clone(),
            extension_asked_by: suspension.extension_asked_by.clone(),
            extended_at: millis(suspension.extended_at),
            ended_at: millis(suspension.ended_at),
        }
    }
}

impl SuspensionRow {
    fn read(self) -> Result<Suspension, StoreError> {
        let place = Place::new("suspension", &self.certificate_id);
        Ok(Suspension {
            certificate: place.ok("certificate_id", CertificateId::parse(&self.certificate_id))?,
            from: Timestamp::from_millis(self.from_at),
            until: Timestamp::from_millis(self.until_at),
            because: place.some("because", HoldCause::from_word(&self.because))?,
            by: self.by_actor,
            extension_asked_by: self.extension_asked_by,
            extended_at: instant(self.extended_at),
            ended_at: instant(self.ended_at),
        })
    }
}

impl Tx<'_> {
    /// The hold that a certificate is on now.
    pub fn find_suspension(
        &mut self,
        certificate: &CertificateId,
    ) -> Result<Option<Suspension>, StoreError> {
        suspensions::table
            .filter(suspensions::certificate_id.eq(certificate.as_str()))
            .filter(suspensions::ended_at.is_null())
            .select(SuspensionRow::as_select())
            .first(self.conn)
            .optional()?
            .map(SuspensionRow::read)
            .transpose()
    }

    /// Holds that reached their limit and were neither lifted nor made final.
    pub fn list_suspensions_over(&mut self, now: Timestamp) -> Result<Vec<Suspension>, StoreError> {
        let rows = suspensions::table
            .filter(suspensions::ended_at.is_null())
            .filter(suspensions::until_at.le(now.millis()))
            .order(suspensions::until_at)
            .select(SuspensionRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(SuspensionRow::read).collect()
    }

    pub(crate) fn insert_suspension(&mut self, suspension: &Suspension) -> Result<(), StoreError> {
        let row = SuspensionRow::from(suspension);
        diesel::insert_into(suspensions::table).values(row).execute(self.conn)?;
        Ok(())
    }

    /// Keeps the question for an extension, or its answer.
    pub(crate) fn extend_suspension(&mut self, suspension: &Suspension) -> Result<(), StoreError> {
        let id = (suspension.certificate.as_str(), suspension.from.millis());
        let rows = diesel::update(suspensions::table.find(id))
            .set((
                suspensions::until_at.eq(suspension.until.millis()),
                suspensions::extension_asked_by.eq(suspension.extension_asked_by.as_deref()),
                suspensions::extended_at.eq(millis(suspension.extended_at)),
            ))
            .execute(self.conn)?;
        one(rows, "suspension")
    }

    /// Ends every hold of a certificate: it was lifted or made final.
    pub(crate) fn end_suspensions(
        &mut self,
        certificate: &CertificateId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let open = suspensions::table
            .filter(suspensions::certificate_id.eq(certificate.as_str()))
            .filter(suspensions::ended_at.is_null());
        diesel::update(open).set(suspensions::ended_at.eq(at.millis())).execute(self.conn)?;
        Ok(())
    }
}

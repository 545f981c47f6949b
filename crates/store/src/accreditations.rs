//! Table `accreditations`: what authorities were accredited for, without which no certificate claims
//! anything (PR-2).

use diesel::prelude::*;
use tenkoku_domain::accreditation::Accreditation;
use tenkoku_domain::id::{AccreditationId, AuthorityId};
use tenkoku_domain::time::Timestamp;

use crate::column::{Place, instant, millis};
use crate::error::StoreError;
use crate::schema::accreditations;
use crate::tx::{Tx, one};

type Columns = (String, String, i64, Option<i64>);

const COLUMNS: (
    accreditations::id,
    accreditations::record,
    accreditations::recorded_at,
    accreditations::ended_at,
) = (
    accreditations::id,
    accreditations::record,
    accreditations::recorded_at,
    accreditations::ended_at,
);

fn read((id, record, recorded_at, ended_at): Columns) -> Result<Accreditation, StoreError> {
    let place = Place::new("accreditation", &id);
    Ok(Accreditation {
        id: place.ok("id", AccreditationId::parse(&id))?,
        record: place.ok("record", serde_json::from_str(&record))?,
        recorded_at: Timestamp::from_millis(recorded_at),
        ended_at: instant(ended_at),
    })
}

impl Tx<'_> {
    /// Every accreditation, newest first.
    pub fn list_accreditations(&mut self) -> Result<Vec<Accreditation>, StoreError> {
        let rows = accreditations::table
            .order(accreditations::id.desc())
            .select(COLUMNS)
            .load::<Columns>(self.conn)?;
        rows.into_iter().map(read).collect()
    }

    /// The accreditations of an authority that were not ended.
    pub fn standing_accreditations(
        &mut self,
        authority: &AuthorityId,
    ) -> Result<Vec<Accreditation>, StoreError> {
        let rows = accreditations::table
            .filter(accreditations::authority_id.eq(authority.as_str()))
            .filter(accreditations::ended_at.is_null())
            .order(accreditations::id)
            .select(COLUMNS)
            .load::<Columns>(self.conn)?;
        rows.into_iter().map(read).collect()
    }

    /// An accreditation.
    pub fn load_accreditation(
        &mut self,
        id: &AccreditationId,
    ) -> Result<Accreditation, StoreError> {
        accreditations::table
            .find(id.as_str())
            .select(COLUMNS)
            .first::<Columns>(self.conn)
            .optional()?
            .ok_or(StoreError::NotFound { what: "accreditation" })
            .and_then(read)
    }

    pub(crate) fn insert_accreditation(
        &mut self,
        accreditation: &Accreditation,
    ) -> Result<(), StoreError> {
        diesel::insert_into(accreditations::table)
            .values((
                accreditations::id.eq(accreditation.id.as_str()),
                accreditations::authority_id.eq(accreditation.record.authority.as_str()),
                accreditations::record.eq(serde_json::json!(accreditation.record).to_string()),
                accreditations::recorded_at.eq(accreditation.recorded_at.millis()),
                accreditations::ended_at.eq(millis(accreditation.ended_at)),
            ))
            .execute(self.conn)?;
        Ok(())
    }

    /// An accreditation ends, once.
    pub(crate) fn end_accreditation(
        &mut self,
        accreditation: &Accreditation,
    ) -> Result<(), StoreError> {
        let standing = accreditations::table
            .find(accreditation.id.as_str())
            .filter(accreditations::ended_at.is_null());
        let rows = diesel::update(standing)
            .set(accreditations::ended_at.eq(millis(accreditation.ended_at)))
            .execute(self.conn)?;
        one(rows, "accreditation")
    }
}

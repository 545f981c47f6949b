//! Tables `ceremonies`, `authority_plans` and `rehearsals`: ceremonies with their record so far,
//! what they will make, and rehearsed emergencies.

use diesel::prelude::*;
use tenkoku_domain::audit::AuthorityPlan;
use tenkoku_domain::authority::AuthorityCode;
use tenkoku_domain::ceremony::record::{CeremonyRecord, StepRecord};
use tenkoku_domain::id::{AuthorityId, CeremonyId};
use tenkoku_domain::time::Timestamp;

use crate::column::Place;
use crate::error::StoreError;
use crate::schema::{authority_plans, ceremonies, rehearsals};
use crate::tx::{Tx, lock_row, one};

fn written(record: &CeremonyRecord) -> Result<String, StoreError> {
    let id = record.ceremony.id.as_str();
    Place::new("ceremony", id).ok("record", serde_json::to_string(record))
}

fn read(id: &str, record: &str) -> Result<CeremonyRecord, StoreError> {
    Place::new("ceremony", id).ok("record", serde_json::from_str(record))
}

impl Tx<'_> {
    /// Every ceremony, newest first.
    pub fn list_ceremonies(&mut self) -> Result<Vec<CeremonyRecord>, StoreError> {
        let rows: Vec<(String, String)> = ceremonies::table
            .order(ceremonies::id.desc())
            .select((ceremonies::id, ceremonies::record))
            .load(self.conn)?;
        rows.iter().map(|(id, record)| read(id, record)).collect()
    }

    /// A ceremony with its record so far.
    pub fn find_ceremony(&mut self, id: &CeremonyId) -> Result<Option<CeremonyRecord>, StoreError> {
        ceremonies::table
            .find(id.as_str())
            .select(ceremonies::record)
            .first::<String>(self.conn)
            .optional()?
            .map(|record| read(id.as_str(), &record))
            .transpose()
    }

    /// A ceremony, locked until the end of the transaction.
    pub fn lock_ceremony(&mut self, id: &CeremonyId) -> Result<CeremonyRecord, StoreError> {
        lock_row!(self, ceremonies, id.as_str());
        self.find_ceremony(id)?.ok_or(StoreError::NotFound { what: "ceremony" })
    }

    /// The authorities that were decided on and have no key yet.
    pub fn list_plans(&mut self) -> Result<Vec<AuthorityPlan>, StoreError> {
        let rows: Vec<(String, String, i64)> = authority_plans::table
            .order(authority_plans::code)
            .select((authority_plans::code, authority_plans::ceremony_id, authority_plans::at))
            .load(self.conn)?;
        rows.into_iter()
            .map(|(code, ceremony, at)| {
                let place = Place::new("authority plan", &code);
                Ok(AuthorityPlan {
                    ceremony: place.ok("ceremony_id", CeremonyId::parse(&ceremony))?,
                    code: place.ok("code", AuthorityCode::parse(&code))?,
                    at: Timestamp::from_millis(at),
                })
            })
            .collect()
    }

    /// The rehearsals of an emergency of an authority, newest first: instant and document.
    pub fn list_rehearsals(
        &mut self,
        authority: &AuthorityId,
    ) -> Result<Vec<(Timestamp, String)>, StoreError> {
        let rows: Vec<(i64, String)> = rehearsals::table
            .filter(rehearsals::authority_id.eq(authority.as_str()))
            .order(rehearsals::at.desc())
            .select((rehearsals::at, rehearsals::document))
            .load(self.conn)?;
        Ok(rows.into_iter().map(|(at, text)| (Timestamp::from_millis(at), text)).collect())
    }

    /// An authority was decided on.
    pub(crate) fn insert_plan(&mut self, plan: &AuthorityPlan) -> Result<(), StoreError> {
        diesel::insert_into(authority_plans::table)
            .values((
                authority_plans::code.eq(plan.code.as_str()),
                authority_plans::ceremony_id.eq(plan.ceremony.as_str()),
                authority_plans::at.eq(plan.at.millis()),
            ))
            .execute(self.conn)?;
        Ok(())
    }

    /// The authority of a code has its key; it is no longer only planned.
    pub(crate) fn drop_plan(&mut self, code: &AuthorityCode) -> Result<(), StoreError> {
        diesel::delete(authority_plans::table.find(code.as_str())).execute(self.conn)?;
        Ok(())
    }

    /// A ceremony begins.
    pub(crate) fn open_ceremony(&mut self, record: &CeremonyRecord) -> Result<(), StoreError> {
        diesel::insert_into(ceremonies::table)
            .values((
                ceremonies::id.eq(record.ceremony.id.as_str()),
                ceremonies::kind.eq(record.ceremony.kind.word()),
                ceremonies::script.eq(record.script.to_string()),
                ceremonies::record.eq(written(record)?),
                ceremonies::opened_at.eq(record.opened_at.millis()),
            ))
            .execute(self.conn)?;
        Ok(())
    }

    /// A step of an open ceremony was done.
    pub(crate) fn add_step(
        &mut self,
        ceremony: &CeremonyId,
        step: &StepRecord,
    ) -> Result<(), StoreError> {
        let mut record = self.lock_ceremony(ceremony)?;
        if record.next_step().map(|next| next.number) != Some(step.number) {
            return Err(StoreError::Conflict { what: "ceremony step" });
        }
        record.steps.push(step.clone());
        let open =
            ceremonies::table.find(ceremony.as_str()).filter(ceremonies::closed_at.is_null());
        let rows = diesel::update(open)
            .set(ceremonies::record.eq(written(&record)?))
            .execute(self.conn)?;
        one(rows, "ceremony")
    }

    /// A ceremony ends; its record is never changed again.
    pub(crate) fn close_ceremony(&mut self, record: &CeremonyRecord) -> Result<(), StoreError> {
        let id = record.ceremony.id.as_str();
        let digest = Place::new("ceremony", id).ok("record", record.digest())?;
        let open = ceremonies::table.find(id).filter(ceremonies::closed_at.is_null());
        let rows = diesel::update(open)
            .set((
                ceremonies::record.eq(written(record)?),
                ceremonies::record_digest.eq(digest.to_string()),
                ceremonies::closed_at.eq(record.closed_at.map(Timestamp::millis)),
            ))
            .execute(self.conn)?;
        one(rows, "ceremony")
    }

    /// A plan for an emergency was rehearsed.
    pub(crate) fn insert_rehearsal(
        &mut self,
        authority: &AuthorityId,
        at: Timestamp,
        document: &str,
    ) -> Result<(), StoreError> {
        diesel::insert_into(rehearsals::table)
            .values((
                rehearsals::authority_id.eq(authority.as_str()),
                rehearsals::at.eq(at.millis()),
                rehearsals::document.eq(document),
            ))
            .execute(self.conn)?;
        Ok(())
    }
}

//! Tables `destruction_evidence`, `destruction_intents`, `destruction_decisions` and `attachments`.

use diesel::prelude::*;
use serde_json::json;
use tenkoku_domain::canonical::{Digest, canonical};
use tenkoku_domain::destruction::{Decision, Evidence, EvidenceState};
use tenkoku_domain::id::{EvidenceId, KeyId};
use tenkoku_domain::time::Timestamp;

use crate::column::Place;
use crate::error::StoreError;
use crate::schema::{
    attachments, destruction_decisions, destruction_evidence, destruction_intents,
};
use crate::tx::{Tx, lock_row, one};

type EvidenceColumns = (String, String, String);

fn read(row: EvidenceColumns) -> Result<(Evidence, EvidenceState), StoreError> {
    let (id, record, state) = row;
    let place = Place::new("evidence", &id);
    Ok((
        place.ok("record", serde_json::from_str(&record))?,
        place.some("state", EvidenceState::from_word(&state))?,
    ))
}

const COLUMNS: (
    destruction_evidence::id,
    destruction_evidence::record,
    destruction_evidence::state,
) = (destruction_evidence::id, destruction_evidence::record, destruction_evidence::state);

impl Tx<'_> {
    /// Evidence with its state, locked when this transaction writes.
    pub fn load_evidence(
        &mut self,
        id: &EvidenceId,
    ) -> Result<(Evidence, EvidenceState), StoreError> {
        if self.writes() {
            lock_row!(self, destruction_evidence, id.as_str());
        }
        let row = destruction_evidence::table
            .find(id.as_str())
            .select(COLUMNS)
            .first::<EvidenceColumns>(self.conn)
            .optional()?;
        read(row.ok_or(StoreError::NotFound { what: "evidence" })?)
    }

    /// The evidence of a key, newest first.
    pub fn evidence_of_key(
        &mut self,
        key: &KeyId,
    ) -> Result<Vec<(Evidence, EvidenceState)>, StoreError> {
        let rows = destruction_evidence::table
            .filter(destruction_evidence::key_id.eq(key.as_str()))
            .order((destruction_evidence::handed_at.desc(), destruction_evidence::id.desc()))
            .select(COLUMNS)
            .load::<EvidenceColumns>(self.conn)?;
        rows.into_iter().map(read).collect()
    }

    /// Evidence in a state, oldest first.
    pub fn list_evidence(
        &mut self,
        state: EvidenceState,
    ) -> Result<Vec<(Evidence, EvidenceState)>, StoreError> {
        let rows = destruction_evidence::table
            .filter(destruction_evidence::state.eq(state.word()))
            .order((destruction_evidence::handed_at, destruction_evidence::id))
            .select(COLUMNS)
            .load::<EvidenceColumns>(self.conn)?;
        rows.into_iter().map(read).collect()
    }

    /// Destructions that were begun and not ended, oldest first: the planned evidence of each.
    pub fn open_destruction_intents(&mut self) -> Result<Vec<Evidence>, StoreError> {
        let rows = destruction_intents::table
            .filter(destruction_intents::ended_at.is_null())
            .order((destruction_intents::begun_at, destruction_intents::evidence_id))
            .select((destruction_intents::evidence_id, destruction_intents::record))
            .load::<(String, String)>(self.conn)?;
        rows.iter()
            .map(|(id, record)| {
                Place::new("destruction intent", id).ok("record", serde_json::from_str(record))
            })
            .collect()
    }

    pub(crate) fn insert_destruction_intent(
        &mut self,
        evidence: &Evidence,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let wrong = |error| StoreError::Database(Box::new(error));
        diesel::insert_into(destruction_intents::table)
            .values((
                destruction_intents::evidence_id.eq(evidence.id.as_str()),
                destruction_intents::key_id.eq(evidence.key.as_str()),
                destruction_intents::record.eq(canonical(&json!(evidence)).map_err(wrong)?),
                destruction_intents::begun_at.eq(at.millis()),
            ))
            .execute(self.conn)?;
        Ok(())
    }

    /// An intent ends once; evidence that nobody in the platform's own store began has none.
    pub(crate) fn end_destruction_intent(
        &mut self,
        id: &EvidenceId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let open = destruction_intents::table
            .find(id.as_str())
            .filter(destruction_intents::ended_at.is_null());
        diesel::update(open)
            .set(destruction_intents::ended_at.eq(at.millis()))
            .execute(self.conn)?;
        Ok(())
    }

    /// Who accepted evidence so far.
    pub fn decided_by(&mut self, id: &EvidenceId) -> Result<Vec<String>, StoreError> {
        Ok(destruction_decisions::table
            .filter(destruction_decisions::evidence_id.eq(id.as_str()))
            .order(destruction_decisions::decided_at)
            .select(destruction_decisions::person)
            .load(self.conn)?)
    }

    /// An attachment with its media type, by its digest.
    pub fn find_attachment(
        &mut self,
        digest: &Digest,
    ) -> Result<Option<(String, Vec<u8>)>, StoreError> {
        Ok(attachments::table
            .find(digest.to_string())
            .select((attachments::media_type, attachments::content))
            .first(self.conn)
            .optional()?)
    }

    /// Keeps an attachment under its digest; the same content is kept once. It says nothing until
    /// evidence names it, so it has no record of its own.
    pub fn keep_attachment(
        &mut self,
        media_type: &str,
        content: &[u8],
    ) -> Result<Digest, StoreError> {
        let digest = Digest::of(content);
        if self.find_attachment(&digest)?.is_some() {
            return Ok(digest);
        }
        self.change(|tx| {
            diesel::insert_into(attachments::table)
                .values((
                    attachments::digest.eq(digest.to_string()),
                    attachments::media_type.eq(media_type),
                    attachments::content.eq(content),
                ))
                .execute(tx.conn)?;
            Ok(())
        })?;
        Ok(digest)
    }

    pub(crate) fn insert_evidence(&mut self, evidence: &Evidence) -> Result<(), StoreError> {
        let wrong = |error| StoreError::Database(Box::new(error));
        diesel::insert_into(destruction_evidence::table)
            .values((
                destruction_evidence::id.eq(evidence.id.as_str()),
                destruction_evidence::key_id.eq(evidence.key.as_str()),
                destruction_evidence::class.eq(evidence.class.word()),
                destruction_evidence::record.eq(canonical(&json!(evidence)).map_err(wrong)?),
                destruction_evidence::state.eq(EvidenceState::Handed.word()),
                destruction_evidence::handed_at.eq(evidence.handed_at.millis()),
            ))
            .execute(self.conn)?;
        Ok(())
    }

    pub(crate) fn insert_evidence_decision(
        &mut self,
        id: &EvidenceId,
        (person, decision, reason): (&str, Decision, &str),
        at: Timestamp,
    ) -> Result<(), StoreError> {
        diesel::insert_into(destruction_decisions::table)
            .values((
                destruction_decisions::evidence_id.eq(id.as_str()),
                destruction_decisions::person.eq(person),
                destruction_decisions::decision.eq(decision.word()),
                destruction_decisions::reason.eq(reason),
                destruction_decisions::decided_at.eq(at.millis()),
            ))
            .execute(self.conn)?;
        Ok(())
    }

    pub(crate) fn move_evidence(
        &mut self,
        id: &EvidenceId,
        state: EvidenceState,
    ) -> Result<(), StoreError> {
        let standing = destruction_evidence::table
            .find(id.as_str())
            .filter(destruction_evidence::state.eq(EvidenceState::Handed.word()));
        let rows = diesel::update(standing)
            .set(destruction_evidence::state.eq(state.word()))
            .execute(self.conn)?;
        one(rows, "evidence")
    }
}

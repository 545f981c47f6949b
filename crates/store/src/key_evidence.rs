//! Table `key_evidence`: where keys were made, as it was shown.

use diesel::prelude::*;
use tenkoku_domain::id::{ContainerId, KeyEvidenceId, KeyId};
use tenkoku_domain::key::OriginClass;
use tenkoku_domain::origin::{EvidenceFormat, KeyEvidence};
use tenkoku_domain::time::Timestamp;

use crate::column::Place;
use crate::error::StoreError;
use crate::schema::key_evidence;
use crate::tx::Tx;

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = key_evidence)]
struct EvidenceRow {
    id: String,
    key_id: String,
    format: String,
    origin: String,
    device_serial: Option<String>,
    evidence: Vec<u8>,
    digest: String,
    at: i64,
    vendor: Option<String>,
    object_id: Option<String>,
    container_id: Option<String>,
}

impl EvidenceRow {
    fn read(self) -> Result<KeyEvidence, StoreError> {
        let place = Place::new("key evidence", &self.id);
        let container =
            self.container_id.map(|id| place.ok("container_id", ContainerId::parse(&id)));
        Ok(KeyEvidence {
            id: place.ok("id", KeyEvidenceId::parse(&self.id))?,
            key: place.ok("key_id", KeyId::parse(&self.key_id))?,
            format: place.some("format", EvidenceFormat::from_word(&self.format))?,
            class: place.some("origin", OriginClass::from_word(&self.origin))?,
            vendor: self.vendor,
            serial: self.device_serial,
            object: self.object_id,
            container: container.transpose()?,
            content: self.evidence,
            digest: place.digest("digest", &self.digest)?,
            at: Timestamp::from_millis(self.at),
        })
    }
}

impl Tx<'_> {
    /// The evidence of where a key was made, in the order in which it was taken.
    pub fn origin_of_key(&mut self, key: &KeyId) -> Result<Vec<KeyEvidence>, StoreError> {
        let rows = key_evidence::table
            .filter(key_evidence::key_id.eq(key.as_str()))
            .order((key_evidence::at, key_evidence::id))
            .select(EvidenceRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(EvidenceRow::read).collect()
    }

    pub(crate) fn insert_key_evidence(&mut self, one: &KeyEvidence) -> Result<(), StoreError> {
        let row = EvidenceRow {
            id: one.id.to_string(),
            key_id: one.key.to_string(),
            format: one.format.to_string(),
            origin: one.class.to_string(),
            device_serial: one.serial.clone(),
            evidence: one.content.clone(),
            digest: one.digest.to_string(),
            at: one.at.millis(),
            vendor: one.vendor.clone(),
            object_id: one.object.clone(),
            container_id: one.container.as_ref().map(ToString::to_string),
        };
        diesel::insert_into(key_evidence::table).values(row).execute(self.conn)?;
        Ok(())
    }
}

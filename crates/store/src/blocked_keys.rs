//! Table `blocked_keys`: keys that are never accepted again (KM-5), by their fingerprints.

use diesel::prelude::*;
use tenkoku_domain::id::KeyId;
use tenkoku_domain::incident::{Incident, IncidentDecision};
use tenkoku_domain::key::{BlockList, BlockedKey, Fingerprint};
use tenkoku_domain::time::Timestamp;

use crate::column::Place;
use crate::error::StoreError;
use crate::schema::blocked_keys;
use crate::tx::Tx;

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = blocked_keys)]
struct BlockedKeyRow {
    fingerprint: String,
    list: String,
    reason: String,
    since_at: i64,
}

impl BlockedKeyRow {
    fn read(self) -> Result<BlockedKey, StoreError> {
        let place = Place::new("blocked key", &self.fingerprint);
        Ok(BlockedKey {
            fingerprint: Fingerprint(place.digest("fingerprint", &self.fingerprint)?),
            list: place.some("list", BlockList::from_word(&self.list))?,
            reason: self.reason,
            since: Timestamp::from_millis(self.since_at),
        })
    }
}

impl Tx<'_> {
    /// Why a key is blocked, if it is.
    pub fn find_blocked_key(
        &mut self,
        fingerprint: &Fingerprint,
    ) -> Result<Option<BlockedKey>, StoreError> {
        blocked_keys::table
            .find(fingerprint.to_string())
            .select(BlockedKeyRow::as_select())
            .first(self.conn)
            .optional()?
            .map(BlockedKeyRow::read)
            .transpose()
    }

    /// Every blocked key, by fingerprint.
    pub fn list_blocked_keys(&mut self) -> Result<Vec<BlockedKey>, StoreError> {
        let rows = blocked_keys::table
            .order(blocked_keys::fingerprint)
            .select(BlockedKeyRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(BlockedKeyRow::read).collect()
    }

    /// Blocks a key for ever. Whether it was not blocked before; the earlier entry stays.
    pub fn block_key(&mut self, blocked: &BlockedKey) -> Result<bool, StoreError> {
        if self.find_blocked_key(&blocked.fingerprint)?.is_some() {
            return Ok(false);
        }
        let row = BlockedKeyRow {
            fingerprint: blocked.fingerprint.to_string(),
            list: blocked.list.to_string(),
            reason: blocked.reason.clone(),
            since_at: blocked.since.millis(),
        };
        self.change(|tx| {
            diesel::insert_into(blocked_keys::table).values(row).execute(tx.conn)?;
            Ok(true)
        })
    }

    /// A key that was found to be exposed in an incident is blocked, whether it is in a certificate
    /// or not.
    pub(crate) fn block_decided(
        &mut self,
        incident: &Incident,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let decision = incident.closed.as_ref().map(|closing| closing.decision);
        if decision == Some(IncidentDecision::KeyExposed) {
            let (fingerprint, reason) = (incident.fingerprint, "key-exposed".to_owned());
            let list = BlockList::Exposed;
            self.block_key(&BlockedKey { fingerprint, list, reason, since: at })?;
        }
        Ok(())
    }

    /// The key of a certificate that was revoked as exposed is blocked with it.
    pub(crate) fn block_exposed(&mut self, key: &KeyId, at: Timestamp) -> Result<(), StoreError> {
        let fingerprint = self.load_key(key)?.fingerprint;
        let reason = "key-exposed".to_owned();
        self.block_key(&BlockedKey { fingerprint, list: BlockList::Exposed, reason, since: at })?;
        Ok(())
    }
}

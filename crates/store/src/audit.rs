//! Tables `audit_events` and `audit_heads`: the hash chain of this node (DOMAIN 18).

use diesel::prelude::*;
use tenkoku_domain::access::{Origin, Scope};
use tenkoku_domain::audit::{AuditRecord, Event, GENESIS, ObjectRef, StoredRecord, chain_hash};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::OrganisationId;
use tenkoku_domain::time::Timestamp;

use crate::column::Place;
use crate::connection::{AnyBackend, AnyConnection};
use crate::error::StoreError;
use crate::schema::{audit_events, audit_heads};
use crate::scope::reach;
use crate::tx::{Tx, one};

/// The end of a chain: the last position, and its hash.
pub(crate) type Head = (i64, Digest);

#[derive(Insertable)]
#[diesel(table_name = audit_events)]
struct EventRow<'a> {
    chain: &'a str,
    seq: i64,
    code: &'a str,
    object_kind: &'a str,
    object_id: &'a str,
    organisation_id: Option<&'a str>,
    record: &'a str,
    prev: String,
    hash: String,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = audit_events)]
struct StoredRow {
    seq: i64,
    record: String,
    prev: String,
    hash: String,
}

impl StoredRow {
    fn read(self) -> Result<StoredRecord, StoreError> {
        let seq = self.seq.to_string();
        let place = Place::new("audit event", &seq);
        Ok(StoredRecord {
            seq: self.seq,
            record: self.record,
            prev: place.digest("prev", &self.prev)?,
            hash: place.digest("hash", &self.hash)?,
        })
    }
}

impl Tx<'_> {
    /// The end of this node's chain as it is kept beside the chain; `None` before the first record.
    pub fn audit_head(&mut self) -> Result<Option<(i64, Digest)>, StoreError> {
        let row = audit_heads::table
            .find(self.node)
            .select((audit_heads::seq, audit_heads::hash))
            .first::<(i64, String)>(self.conn)
            .optional()?;
        row.map(|(seq, hash)| Ok((seq, Place::new("audit head", self.node).digest("hash", &hash)?)))
            .transpose()
    }

    /// At most `limit` records of this node's chain after position `seq`, in order.
    pub fn audit_after(&mut self, seq: i64, limit: i64) -> Result<Vec<StoredRecord>, StoreError> {
        let rows = audit_events::table
            .filter(audit_events::chain.eq(self.node).and(audit_events::seq.gt(seq)))
            .order(audit_events::seq)
            .limit(limit)
            .select(StoredRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(StoredRow::read).collect()
    }

    /// The hashes of at most `limit` records of this node's chain after position `seq`, in order.
    pub fn audit_hashes_after(&mut self, seq: i64, limit: i64) -> Result<Vec<Digest>, StoreError> {
        let rows: Vec<(i64, String)> = audit_events::table
            .filter(audit_events::chain.eq(self.node).and(audit_events::seq.gt(seq)))
            .order(audit_events::seq)
            .limit(limit)
            .select((audit_events::seq, audit_events::hash))
            .load(self.conn)?;
        rows.into_iter()
            .map(|(seq, hash)| Place::new("audit event", &seq.to_string()).digest("hash", &hash))
            .collect()
    }

    /// At most `limit` records of this node's chain before position `before` (from the end when
    /// `None`), newest first: those of the scope's organisations, and of one object where given.
    pub fn audit_before(
        &mut self,
        scope: &Scope,
        before: Option<i64>,
        object: Option<&ObjectRef>,
        limit: i64,
    ) -> Result<Vec<StoredRecord>, StoreError> {
        let mut query = audit_events::table
            .filter(audit_events::chain.eq(self.node))
            .order(audit_events::seq.desc())
            .limit(limit)
            .select(StoredRow::as_select())
            .into_boxed::<AnyBackend>();
        if let Some(reach) = reach(scope) {
            query = query.filter(audit_events::organisation_id.eq_any(reach.organisations));
        }
        if let Some(before) = before {
            query = query.filter(audit_events::seq.lt(before));
        }
        if let Some(object) = object {
            let same = audit_events::object_kind.eq(&object.kind);
            query = query.filter(same.and(audit_events::object_id.eq(&object.id)));
        }
        query.load(self.conn)?.into_iter().map(StoredRow::read).collect()
    }

    /// The end of the chain, locked until the end of the transaction: whoever appends waits here,
    /// so the records of a chain are strictly ordered.
    pub(crate) fn lock_head(&mut self) -> Result<Head, StoreError> {
        if let AnyConnection::Postgresql(conn) = &mut *self.conn {
            let row = audit_heads::table.find(self.node).select(audit_heads::seq).for_update();
            row.first::<i64>(conn).optional()?;
        }
        if let Some(head) = self.audit_head()? {
            return Ok(head);
        }
        // Two first records at once meet at the primary key; the second is told to try again.
        let begun = diesel::insert_into(audit_heads::table)
            .values((
                audit_heads::chain.eq(self.node),
                audit_heads::seq.eq(0_i64),
                audit_heads::hash.eq(GENESIS.to_string()),
            ))
            .execute(self.conn);
        match begun.map_err(StoreError::from) {
            Err(StoreError::Conflict { .. }) => Err(StoreError::Busy),
            begun => begun.map(|_| (0, GENESIS)),
        }
    }

    /// Appends an event after the locked end of the chain. Gives its position.
    pub(crate) fn append(
        &mut self,
        (last, prev): Head,
        origin: &Origin,
        at: Timestamp,
        event: &Event,
    ) -> Result<i64, StoreError> {
        let seq = last + 1;
        let facts = event.facts(self.node);
        let entry = AuditRecord { seq, at, origin: origin.clone(), facts };
        let record = entry.canonical().map_err(|error| StoreError::Database(Box::new(error)))?;
        let hash = chain_hash(&prev, &record);
        let facts = entry.facts;
        let row = EventRow {
            chain: self.node,
            seq,
            code: facts.code.word(),
            object_kind: &facts.object.kind,
            object_id: &facts.object.id,
            organisation_id: facts.organisation.as_ref().map(OrganisationId::as_str),
            record: &record,
            prev: prev.to_string(),
            hash: hash.to_string(),
        };
        diesel::insert_into(audit_events::table).values(row).execute(self.conn)?;
        let rows = diesel::update(audit_heads::table.find(self.node))
            .set((audit_heads::seq.eq(seq), audit_heads::hash.eq(hash.to_string())))
            .execute(self.conn)?;
        one(rows, "audit head")?;
        Ok(seq)
    }
}

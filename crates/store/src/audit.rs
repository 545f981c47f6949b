//! Tables `audit_events` and `audit_heads`: the hash chain of this node (DOMAIN 18).

use diesel::prelude::*;
use tenkoku_domain::access::Scope;
use tenkoku_domain::audit::{AuditRecord, Facts, GENESIS, ObjectRef, StoredRecord, chain_hash};
use tenkoku_domain::canonical::Digest;

use crate::column::Place;
use crate::connection::{AnyBackend, AnyConnection};
use crate::error::StoreError;
use crate::ledger::Recorded;
use crate::schema::{audit_events, audit_heads};
use crate::scope::reach;
use crate::tx::{Tx, insert_all, one};

/// The end of a chain: the last position, and its hash.
pub(crate) type Head = (i64, Digest);

#[derive(Insertable)]
#[diesel(table_name = audit_events)]
struct EventRow<'a> {
    chain: &'a str,
    seq: i64,
    code: &'static str,
    object_kind: String,
    object_id: String,
    organisation_id: Option<String>,
    record: String,
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
        self.settle()?;
        self.kept_head()
    }

    fn kept_head(&mut self) -> Result<Option<Head>, StoreError> {
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
        self.settle()?;
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
        self.settle()?;
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
        if let Some(head) = self.kept_head()? {
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

    /// Appends what was recorded after the locked end of the chain.
    pub(crate) fn append<'a>(
        &mut self,
        (mut last, mut prev): Head,
        events: impl Iterator<Item = &'a Recorded>,
    ) -> Result<(), StoreError> {
        let mut rows = Vec::new();
        for Recorded { origin, at, event, .. } in events {
            last += 1;
            let facts = event.facts(self.node);
            let entry = AuditRecord { seq: last, at: *at, origin: origin.clone(), facts };
            let record =
                entry.canonical().map_err(|error| StoreError::Database(Box::new(error)))?;
            let hash = chain_hash(&prev, &record);
            let Facts { code, object, organisation, .. } = entry.facts;
            rows.push(EventRow {
                chain: self.node,
                seq: last,
                code: code.word(),
                object_kind: object.kind,
                object_id: object.id,
                organisation_id: organisation.map(|id| id.to_string()),
                record,
                prev: prev.to_string(),
                hash: hash.to_string(),
            });
            prev = hash;
        }
        if rows.is_empty() {
            return Ok(());
        }
        insert_all!(self, audit_events, rows);
        let rows = diesel::update(audit_heads::table.find(self.node))
            .set((audit_heads::seq.eq(last), audit_heads::hash.eq(prev.to_string())))
            .execute(self.conn)?;
        one(rows, "audit head")
    }
}

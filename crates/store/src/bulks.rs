//! Table `bulk_revocations`, and the certificates that one is about.

use std::collections::BTreeMap;

use diesel::dsl::count_star;
use diesel::prelude::*;
use tenkoku_domain::access::Scope;
use tenkoku_domain::bulk::{BulkRevocation, BulkSelection, BulkState};
use tenkoku_domain::certificate::{Certificate, CertificateState, Profile};
use tenkoku_domain::id::{BulkId, CertificateId};
use tenkoku_domain::revocation::Cause;
use tenkoku_domain::time::Timestamp;

use crate::certificates::{CertificateRow, OPEN};
use crate::column::{Place, instant, millis};
use crate::connection::AnyBackend;
use crate::error::StoreError;
use crate::schema::{bulk_revocations, certificates, key_lives, keys};
use crate::scope::within;
use crate::tx::{Tx, lock_row, one};

#[derive(AsChangeset, Insertable, Queryable, Selectable)]
#[diesel(table_name = bulk_revocations)]
#[diesel(treat_none_as_null = true)]
struct BulkRow {
    id: String,
    selection: String,
    cause: String,
    words: String,
    due_at: Option<i64>,
    matched: i64,
    asked_by: String,
    asked_at: i64,
    approvals: String,
    state: String,
    cursor_id: Option<String>,
    revoked: i64,
    skipped: i64,
}

impl BulkRow {
    fn of(bulk: &BulkRevocation) -> Result<Self, StoreError> {
        let json = |text: Result<String, serde_json::Error>| {
            text.map_err(|error| StoreError::Database(Box::new(error)))
        };
        Ok(Self {
            id: bulk.id.to_string(),
            selection: json(serde_json::to_string(&bulk.selection))?,
            cause: bulk.cause.to_string(),
            words: bulk.comment.clone(),
            due_at: millis(bulk.due),
            matched: bulk.matched,
            asked_by: bulk.asked_by.clone(),
            asked_at: bulk.asked_at.millis(),
            approvals: json(serde_json::to_string(&bulk.approvals))?,
            state: bulk.state.to_string(),
            cursor_id: bulk.cursor.as_ref().map(ToString::to_string),
            revoked: bulk.revoked,
            skipped: bulk.skipped,
        })
    }

    fn read(self) -> Result<BulkRevocation, StoreError> {
        let place = Place::new("bulk revocation", &self.id);
        let cursor = self.cursor_id.as_deref().map(CertificateId::parse).transpose();
        Ok(BulkRevocation {
            id: place.ok("id", BulkId::parse(&self.id))?,
            selection: place.ok("selection", serde_json::from_str(&self.selection))?,
            cause: place.some("cause", Cause::from_word(&self.cause))?,
            comment: self.words,
            due: instant(self.due_at),
            matched: self.matched,
            asked_by: self.asked_by,
            asked_at: Timestamp::from_millis(self.asked_at),
            approvals: place.ok("approvals", serde_json::from_str(&self.approvals))?,
            state: place.some("state", BulkState::from_word(&self.state))?,
            cursor: place.ok("cursor_id", cursor)?,
            revoked: self.revoked,
            skipped: self.skipped,
        })
    }
}

/// The profiles of seals.
const SEALS: [Profile; 6] = [
    Profile::Seal1,
    Profile::Seal2,
    Profile::Seal3,
    Profile::Seal1Short,
    Profile::Seal2Short,
    Profile::Seal3Short,
];

/// The certificates of a selection that were decided before an instant, as a boxed query. A pending
/// one is being signed: it is not among them.
macro_rules! selected {
    ($scope:expr, $selection:expr, $before:expr, $now:expr) => {{
        let selection: &BulkSelection = $selection;
        let mut query = within!(
            certificates::table.into_boxed::<AnyBackend>(),
            $scope,
            certificates::organisation_id,
            certificates::branch_id
        )
        .filter(certificates::profile.eq_any(SEALS.map(Profile::word)))
        .filter(certificates::state.eq_any(OPEN))
        .filter(certificates::state.ne(CertificateState::Pending.word()))
        .filter(certificates::not_after.ge($now.floor().millis()))
        .filter(certificates::created_at.le($before.millis()));
        if let Some(authority) = &selection.authority {
            query = query.filter(certificates::authority_id.eq(authority.as_str()));
        }
        if let Some(organisation) = &selection.organisation {
            query = query.filter(certificates::organisation_id.eq(organisation.as_str()));
        }
        if let Some(branch) = &selection.branch {
            query = query.filter(certificates::branch_id.eq(branch.as_str()));
        }
        if let Some(container) = &selection.container {
            let inside = key_lives::table
                .filter(key_lives::container_id.eq(container.as_str()))
                .select(key_lives::key_id);
            query = query.filter(certificates::key_id.eq_any(inside));
        }
        if let Some(algorithm) = &selection.algorithm {
            let of = keys::table.filter(keys::algorithm.eq(algorithm.to_string())).select(keys::id);
            query = query.filter(certificates::key_id.eq_any(of));
        }
        if let Some(from) = selection.from {
            query = query.filter(certificates::created_at.ge(from.millis()));
        }
        if let Some(to) = selection.to {
            query = query.filter(certificates::created_at.lt(to.millis()));
        }
        query
    }};
}

impl Tx<'_> {
    /// How many certificates a selection has now, within the scope, by their state.
    pub fn count_selected(
        &mut self,
        scope: &Scope,
        selection: &BulkSelection,
        now: Timestamp,
    ) -> Result<BTreeMap<String, i64>, StoreError> {
        let mut counts = BTreeMap::new();
        for state in OPEN {
            let query = selected!(scope, selection, now, now);
            let count: i64 = query
                .filter(certificates::state.eq(state))
                .select(count_star())
                .first(self.conn)?;
            if count > 0 {
                counts.insert(state.to_owned(), count);
            }
        }
        Ok(counts)
    }

    /// The next certificates of a bulk revocation, locked until the end of the transaction.
    pub fn next_selected(
        &mut self,
        bulk: &BulkRevocation,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<Certificate>, StoreError> {
        let after = bulk.cursor.as_ref().map_or("", CertificateId::as_str);
        let ids: Vec<String> = selected!(&Scope::Platform, &bulk.selection, bulk.asked_at, now)
            .filter(certificates::id.gt(after))
            .order(certificates::id)
            .limit(limit)
            .select(certificates::id)
            .load(self.conn)?;
        for id in &ids {
            lock_row!(self, certificates, id.as_str());
        }
        let rows = certificates::table
            .filter(certificates::id.eq_any(ids))
            .order(certificates::id)
            .select(CertificateRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(CertificateRow::read).collect()
    }

    /// A bulk revocation, locked until the end of the transaction.
    pub fn lock_bulk(&mut self, id: &BulkId) -> Result<BulkRevocation, StoreError> {
        lock_row!(self, bulk_revocations, id.as_str());
        self.load_bulk(id)
    }

    /// A bulk revocation.
    pub fn load_bulk(&mut self, id: &BulkId) -> Result<BulkRevocation, StoreError> {
        bulk_revocations::table
            .find(id.as_str())
            .select(BulkRow::as_select())
            .first(self.conn)
            .optional()?
            .ok_or(StoreError::NotFound { what: "bulk revocation" })?
            .read()
    }

    /// Bulk revocations, newest first.
    pub fn list_bulks(&mut self, limit: i64) -> Result<Vec<BulkRevocation>, StoreError> {
        let rows = bulk_revocations::table
            .order(bulk_revocations::id.desc())
            .limit(limit)
            .select(BulkRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(BulkRow::read).collect()
    }

    /// Approved ones whose time has come.
    pub fn list_due_bulks(&mut self, now: Timestamp) -> Result<Vec<BulkRevocation>, StoreError> {
        let due = bulk_revocations::due_at.is_null().or(bulk_revocations::due_at.le(now.millis()));
        let rows = bulk_revocations::table
            .filter(bulk_revocations::state.eq(BulkState::Approved.word()))
            .filter(due)
            .order(bulk_revocations::id)
            .select(BulkRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(BulkRow::read).collect()
    }

    /// Notes how far a bulk revocation is; its certificates are recorded one by one beside it.
    pub fn advance_bulk(&mut self, bulk: &BulkRevocation) -> Result<(), StoreError> {
        self.change(|tx| tx.update_bulk(bulk))
    }

    pub(crate) fn insert_bulk(&mut self, bulk: &BulkRevocation) -> Result<(), StoreError> {
        let row = BulkRow::of(bulk)?;
        diesel::insert_into(bulk_revocations::table).values(row).execute(self.conn)?;
        Ok(())
    }

    pub(crate) fn update_bulk(&mut self, bulk: &BulkRevocation) -> Result<(), StoreError> {
        let row = BulkRow::of(bulk)?;
        let known = diesel::update(bulk_revocations::table.find(bulk.id.as_str()));
        one(known.set(row).execute(self.conn)?, "bulk revocation")
    }
}

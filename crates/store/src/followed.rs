//! Tables `list_sources`, `followed_lists`, `list_snapshots` and `list_pivots`: trusted lists of
//! others, and what was fetched of them (TS 119 615).

use diesel::prelude::*;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::followed::{
    FollowedList, ListCode, ListFault, ListProblem, ListSource, Snapshot, SnapshotHead,
};
use tenkoku_domain::id::SnapshotId;
use tenkoku_domain::time::Timestamp;

use crate::column::{Place, instant, millis};
use crate::error::StoreError;
use crate::schema::{followed_lists, list_pivots, list_snapshots, list_sources};
use crate::tx::{Tx, lock_row, one};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = list_sources)]
struct SourceRow {
    code: String,
    location: String,
    trust: String,
    trusted_at: i64,
    ended_at: Option<i64>,
}

impl SourceRow {
    fn read(self) -> Result<ListSource, StoreError> {
        let place = Place::new("list source", &self.code);
        Ok(ListSource {
            code: place.ok("code", ListCode::parse(&self.code))?,
            trust: place.ok("trust", serde_json::from_str(&self.trust))?,
            location: self.location,
            trusted_at: Timestamp::from_millis(self.trusted_at),
            ended_at: instant(self.ended_at),
        })
    }
}

#[derive(Insertable, Queryable, Selectable, AsChangeset)]
#[diesel(table_name = followed_lists, primary_key(code), treat_none_as_null = true)]
struct FollowedRow {
    code: String,
    source: String,
    location: String,
    territory: Option<String>,
    snapshot: Option<String>,
    etag: Option<String>,
    last_modified: Option<String>,
    checked_at: Option<i64>,
    confirmed_at: Option<i64>,
    problem: Option<String>,
    detail: String,
    troubled_at: Option<i64>,
    dropped_at: Option<i64>,
}

impl From<&FollowedList> for FollowedRow {
    fn from(list: &FollowedList) -> Self {
        let fault = list.fault.as_ref();
        Self {
            code: list.code.to_string(),
            source: list.source.to_string(),
            location: list.location.clone(),
            territory: list.territory.clone(),
            snapshot: list.snapshot.as_ref().map(ToString::to_string),
            etag: list.etag.clone(),
            last_modified: list.last_modified.clone(),
            checked_at: millis(list.checked_at),
            confirmed_at: millis(list.confirmed_at),
            problem: fault.map(|fault| fault.problem.to_string()),
            detail: fault.map_or_else(String::new, |fault| fault.detail.clone()),
            troubled_at: fault.map(|fault| fault.since.millis()),
            dropped_at: millis(list.dropped_at),
        }
    }
}

impl FollowedRow {
    fn read(self) -> Result<FollowedList, StoreError> {
        let place = Place::new("followed list", &self.code);
        let fault = match (self.problem, self.troubled_at) {
            (Some(problem), Some(since)) => Some(ListFault {
                problem: place.some("problem", ListProblem::from_word(&problem))?,
                detail: self.detail,
                since: Timestamp::from_millis(since),
            }),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => place.some("problem", None)?,
        };
        let snapshot = self.snapshot.as_deref().map(SnapshotId::parse).transpose();
        Ok(FollowedList {
            code: place.ok("code", ListCode::parse(&self.code))?,
            source: place.ok("source", ListCode::parse(&self.source))?,
            location: self.location,
            territory: self.territory,
            snapshot: place.ok("snapshot", snapshot)?,
            etag: self.etag,
            last_modified: self.last_modified,
            checked_at: instant(self.checked_at),
            confirmed_at: instant(self.confirmed_at),
            fault,
            dropped_at: instant(self.dropped_at),
        })
    }
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = list_snapshots)]
struct HeadRow {
    id: String,
    list: String,
    address: String,
    sequence: i64,
    issued_at: i64,
    next_update: Option<i64>,
    signer: String,
    digest: String,
    taken_at: i64,
}

impl From<&SnapshotHead> for HeadRow {
    fn from(head: &SnapshotHead) -> Self {
        Self {
            id: head.id.to_string(),
            list: head.list.to_string(),
            address: head.address.clone(),
            sequence: head.sequence,
            issued_at: head.issued_at.millis(),
            next_update: millis(head.next_update),
            signer: head.signer.to_string(),
            digest: head.digest.to_string(),
            taken_at: head.taken_at.millis(),
        }
    }
}

impl HeadRow {
    fn read(self) -> Result<SnapshotHead, StoreError> {
        let place = Place::new("snapshot", &self.id);
        Ok(SnapshotHead {
            id: place.ok("id", SnapshotId::parse(&self.id))?,
            list: place.ok("list", ListCode::parse(&self.list))?,
            signer: place.digest("signer", &self.signer)?,
            digest: place.digest("digest", &self.digest)?,
            address: self.address,
            sequence: self.sequence,
            issued_at: Timestamp::from_millis(self.issued_at),
            next_update: instant(self.next_update),
            taken_at: Timestamp::from_millis(self.taken_at),
        })
    }
}

/// A snapshot's head, and its octets.
type SnapshotColumns = (HeadRow, Vec<u8>);

fn snapshot((head, xml): SnapshotColumns) -> Result<Snapshot, StoreError> {
    let head = head.read()?;
    // What was kept is what is handed out: nobody changes a snapshot unnoticed.
    let place = Place::new("snapshot", head.id.as_str());
    place.some("xml", (Digest::of(&xml) == head.digest).then_some(()))?;
    Ok(Snapshot { xml, head })
}

impl Tx<'_> {
    /// Every list that is or was believed, by code.
    pub fn list_list_sources(&mut self) -> Result<Vec<ListSource>, StoreError> {
        let rows = list_sources::table
            .order(list_sources::code)
            .select(SourceRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(SourceRow::read).collect()
    }

    /// The list of a code that is or was believed.
    pub fn find_list_source(&mut self, code: &ListCode) -> Result<Option<ListSource>, StoreError> {
        let row = list_sources::table.find(code.as_str()).select(SourceRow::as_select());
        row.first(self.conn).optional()?.map(SourceRow::read).transpose()
    }

    /// Every list that is looked at, by code; those that were dropped last.
    pub fn list_followed(&mut self) -> Result<Vec<FollowedList>, StoreError> {
        let rows = followed_lists::table
            .order((followed_lists::dropped_at.is_not_null(), followed_lists::code))
            .select(FollowedRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(FollowedRow::read).collect()
    }

    /// A list that is, or was, looked at.
    pub fn find_followed(&mut self, code: &ListCode) -> Result<Option<FollowedList>, StoreError> {
        let row = followed_lists::table.find(code.as_str()).select(FollowedRow::as_select());
        row.first(self.conn).optional()?.map(FollowedRow::read).transpose()
    }

    /// The same, locked until the end of the transaction.
    pub fn lock_followed(&mut self, code: &ListCode) -> Result<Option<FollowedList>, StoreError> {
        lock_row!(self, followed_lists.code, code.as_str());
        self.find_followed(code)
    }

    /// What a look found that changed nothing: when it was, and what the server said.
    pub fn note_look(&mut self, list: &FollowedList) -> Result<(), StoreError> {
        self.change(|tx| tx.put_followed(list))
    }

    /// The head of a snapshot.
    pub fn find_snapshot_head(
        &mut self,
        id: &SnapshotId,
    ) -> Result<Option<SnapshotHead>, StoreError> {
        let row = list_snapshots::table.find(id.as_str()).select(HeadRow::as_select());
        row.first(self.conn).optional()?.map(HeadRow::read).transpose()
    }

    /// A snapshot with its octets.
    pub fn load_snapshot(&mut self, id: &SnapshotId) -> Result<Snapshot, StoreError> {
        let found = list_snapshots::table
            .find(id.as_str())
            .select((HeadRow::as_select(), list_snapshots::xml))
            .first::<SnapshotColumns>(self.conn)
            .optional()?;
        snapshot(found.ok_or(StoreError::NotFound { what: "snapshot" })?)
    }

    /// The snapshot of a list with a sequence number.
    pub fn find_snapshot(
        &mut self,
        list: &ListCode,
        sequence: i64,
    ) -> Result<Option<Snapshot>, StoreError> {
        list_snapshots::table
            .filter(list_snapshots::list.eq(list.as_str()))
            .filter(list_snapshots::sequence.eq(sequence))
            .select((HeadRow::as_select(), list_snapshots::xml))
            .first::<SnapshotColumns>(self.conn)
            .optional()?
            .map(snapshot)
            .transpose()
    }

    /// Every snapshot of a list, the newest first, without octets.
    pub fn list_snapshots(&mut self, list: &ListCode) -> Result<Vec<SnapshotHead>, StoreError> {
        let rows = list_snapshots::table
            .filter(list_snapshots::list.eq(list.as_str()))
            .order(list_snapshots::sequence.desc())
            .select(HeadRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(HeadRow::read).collect()
    }

    /// The octets of a pivot that was kept.
    pub fn find_pivot(
        &mut self,
        source: &ListCode,
        address: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let row = list_pivots::table.find((source.as_str(), address)).select(list_pivots::xml);
        Ok(row.first(self.conn).optional()?)
    }

    pub(crate) fn insert_list_source(&mut self, source: &ListSource) -> Result<(), StoreError> {
        let row = SourceRow {
            code: source.code.to_string(),
            location: source.location.clone(),
            trust: trust_json(source),
            trusted_at: source.trusted_at.millis(),
            ended_at: millis(source.ended_at),
        };
        diesel::insert_into(list_sources::table).values(row).execute(self.conn)?;
        Ok(())
    }

    pub(crate) fn end_list_source(&mut self, source: &ListSource) -> Result<(), StoreError> {
        let standing =
            list_sources::table.find(source.code.as_str()).filter(list_sources::ended_at.is_null());
        let rows = diesel::update(standing)
            .set(list_sources::ended_at.eq(millis(source.ended_at)))
            .execute(self.conn)?;
        one(rows, "list source")
    }

    pub(crate) fn set_list_trust(&mut self, source: &ListSource) -> Result<(), StoreError> {
        let standing =
            list_sources::table.find(source.code.as_str()).filter(list_sources::ended_at.is_null());
        let rows = diesel::update(standing)
            .set(list_sources::trust.eq(trust_json(source)))
            .execute(self.conn)?;
        one(rows, "list source")
    }

    /// The lists of a source that is believed no more count no more.
    pub(crate) fn drop_followed_of(
        &mut self,
        source: &ListCode,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let standing = followed_lists::table
            .filter(followed_lists::source.eq(source.as_str()))
            .filter(followed_lists::dropped_at.is_null());
        diesel::update(standing)
            .set(followed_lists::dropped_at.eq(at.millis()))
            .execute(self.conn)?;
        Ok(())
    }

    pub(crate) fn put_followed(&mut self, list: &FollowedList) -> Result<(), StoreError> {
        let row = FollowedRow::from(list);
        let rows = diesel::update(followed_lists::table.find(list.code.as_str()))
            .set(&row)
            .execute(self.conn)?;
        if rows == 0 {
            diesel::insert_into(followed_lists::table).values(row).execute(self.conn)?;
        }
        Ok(())
    }

    pub(crate) fn insert_snapshot(&mut self, snapshot: &Snapshot) -> Result<(), StoreError> {
        diesel::insert_into(list_snapshots::table)
            .values((HeadRow::from(&snapshot.head), list_snapshots::xml.eq(&snapshot.xml)))
            .execute(self.conn)?;
        Ok(())
    }

    pub(crate) fn insert_pivot(
        &mut self,
        source: &ListCode,
        address: &str,
        xml: &[u8],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        diesel::insert_into(list_pivots::table)
            .values((
                list_pivots::source.eq(source.as_str()),
                list_pivots::address.eq(address),
                list_pivots::digest.eq(Digest::of(xml).to_string()),
                list_pivots::kept_at.eq(at.millis()),
                list_pivots::xml.eq(xml),
            ))
            .execute(self.conn)?;
        Ok(())
    }
}

/// Certificates in hexadecimal always have a JSON form.
fn trust_json(source: &ListSource) -> String {
    serde_json::to_string(&source.trust).unwrap_or_default()
}

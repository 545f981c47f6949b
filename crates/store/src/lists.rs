//! Table `lists`: trusted lists as published.

use diesel::prelude::*;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::KeyId;
use tenkoku_domain::time::Timestamp;
use tenkoku_domain::trusted_list::PublishedList;

use crate::column::Place;
use crate::error::StoreError;
use crate::schema::lists;
use crate::tx::Tx;

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = lists)]
struct ListRow {
    scheme: String,
    sequence: i64,
    issued_at: i64,
    next_update: i64,
    signer: String,
    digest: String,
    content: String,
    xml: Vec<u8>,
}

impl From<&PublishedList> for ListRow {
    fn from(list: &PublishedList) -> Self {
        Self {
            scheme: list.scheme.clone(),
            sequence: list.sequence,
            issued_at: list.issued_at.millis(),
            next_update: list.next_update.millis(),
            signer: list.signer.to_string(),
            digest: list.digest.to_string(),
            content: list.content.to_string(),
            xml: list.xml.clone(),
        }
    }
}

impl ListRow {
    fn read(self) -> Result<PublishedList, StoreError> {
        let place = Place::new("list", &self.scheme);
        Ok(PublishedList {
            sequence: self.sequence,
            issued_at: Timestamp::from_millis(self.issued_at),
            next_update: Timestamp::from_millis(self.next_update),
            signer: place.ok("signer", KeyId::parse(&self.signer))?,
            digest: place.digest("digest", &self.digest)?,
            content: place.digest("content", &self.content)?,
            xml: self.xml,
            scheme: self.scheme.clone(),
        })
    }
}

impl Tx<'_> {
    /// The list of a scheme with the highest sequence number.
    pub fn latest_list(&mut self, scheme: &str) -> Result<Option<PublishedList>, StoreError> {
        lists::table
            .filter(lists::scheme.eq(scheme))
            .order(lists::sequence.desc())
            .select(ListRow::as_select())
            .first(self.conn)
            .optional()?
            .map(ListRow::read)
            .transpose()
    }

    /// The sequence number and digest of the list in force, without its octets.
    pub fn latest_list_head(&mut self, scheme: &str) -> Result<Option<(i64, Digest)>, StoreError> {
        let found = lists::table
            .filter(lists::scheme.eq(scheme))
            .order(lists::sequence.desc())
            .select((lists::sequence, lists::digest))
            .first::<(i64, String)>(self.conn)
            .optional()?;
        let place = Place::new("list", scheme);
        found.map(|(sequence, digest)| Ok((sequence, place.digest("digest", &digest)?))).transpose()
    }

    /// The list of a scheme with a sequence number.
    pub fn find_list(
        &mut self,
        scheme: &str,
        sequence: i64,
    ) -> Result<Option<PublishedList>, StoreError> {
        lists::table
            .find((scheme, sequence))
            .select(ListRow::as_select())
            .first(self.conn)
            .optional()?
            .map(ListRow::read)
            .transpose()
    }

    /// Every list of a scheme, newest first.
    pub fn list_sequences(&mut self, scheme: &str) -> Result<Vec<PublishedList>, StoreError> {
        let rows = lists::table
            .filter(lists::scheme.eq(scheme))
            .order(lists::sequence.desc())
            .select(ListRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(ListRow::read).collect()
    }

    /// The sequence numbers of a scheme, newest first, and when each was issued.
    pub fn list_sequence_dates(
        &mut self,
        scheme: &str,
    ) -> Result<Vec<(i64, Timestamp)>, StoreError> {
        let rows = lists::table
            .filter(lists::scheme.eq(scheme))
            .order(lists::sequence.desc())
            .select((lists::sequence, lists::issued_at))
            .load::<(i64, i64)>(self.conn)?;
        let read = |(sequence, issued)| (sequence, Timestamp::from_millis(issued));
        Ok(rows.into_iter().map(read).collect())
    }

    /// The schemes that have a list, by code.
    pub fn list_schemes(&mut self) -> Result<Vec<String>, StoreError> {
        let query = lists::table.select(lists::scheme).distinct().order(lists::scheme);
        Ok(query.load(self.conn)?)
    }

    /// Keeps a published list. A sequence number is used once (TS 119 612, 5.3.2).
    pub(crate) fn insert_list(&mut self, list: &PublishedList) -> Result<(), StoreError> {
        diesel::insert_into(lists::table).values(ListRow::from(list)).execute(self.conn)?;
        Ok(())
    }
}

//! Tables `published_lists` and `listed_services`: trusted lists as published, and what the live ones
//! say of each key.

use diesel::prelude::*;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::{KeyId, ListDraftId};
use tenkoku_domain::key::Fingerprint;
use tenkoku_domain::time::Timestamp;
use tenkoku_domain::trusted_list::{ListedService, PublishedList, Standing};

use crate::column::Place;
use crate::error::StoreError;
use crate::schema::{listed_services, published_lists};
use crate::tx::Tx;

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = published_lists)]
struct ListRow {
    scheme: String,
    sequence: i64,
    issued_at: i64,
    next_update: Option<i64>,
    signer: String,
    digest: String,
    content: String,
    xml: Vec<u8>,
    json: Option<String>,
    draft_id: Option<String>,
}

impl From<&PublishedList> for ListRow {
    fn from(list: &PublishedList) -> Self {
        Self {
            scheme: list.scheme.clone(),
            sequence: list.sequence,
            issued_at: list.issued_at.millis(),
            next_update: list.next_update.map(Timestamp::millis),
            signer: list.signer.to_string(),
            digest: list.digest.to_string(),
            content: list.content.to_string(),
            xml: list.xml.clone(),
            json: list.json.clone(),
            draft_id: list.draft.as_ref().map(ToString::to_string),
        }
    }
}

impl ListRow {
    fn read(self) -> Result<PublishedList, StoreError> {
        let place = Place::new("list", &self.scheme);
        Ok(PublishedList {
            sequence: self.sequence,
            issued_at: Timestamp::from_millis(self.issued_at),
            next_update: self.next_update.map(Timestamp::from_millis),
            signer: place.ok("signer", KeyId::parse(&self.signer))?,
            digest: place.digest("digest", &self.digest)?,
            content: place.digest("content", &self.content)?,
            draft: self
                .draft_id
                .map(|id| place.ok("draft_id", ListDraftId::parse(&id)))
                .transpose()?,
            xml: self.xml,
            json: self.json,
            scheme: self.scheme.clone(),
        })
    }
}

#[derive(AsChangeset, Insertable, Queryable, Selectable)]
#[diesel(table_name = listed_services)]
#[diesel(primary_key(scheme, fingerprint))]
struct ServiceRow {
    scheme: String,
    fingerprint: String,
    name: String,
    status: String,
    since: i64,
    standing: String,
    sequence: i64,
}

impl From<&ListedService> for ServiceRow {
    fn from(service: &ListedService) -> Self {
        Self {
            scheme: service.scheme.clone(),
            fingerprint: service.fingerprint.to_string(),
            name: service.name.clone(),
            status: service.status.clone(),
            since: service.since.millis(),
            standing: service.standing.word().to_owned(),
            sequence: service.sequence,
        }
    }
}

impl ServiceRow {
    fn read(self) -> Result<ListedService, StoreError> {
        let place = Place::new("listed service", &self.fingerprint);
        Ok(ListedService {
            fingerprint: Fingerprint(place.digest("fingerprint", &self.fingerprint)?),
            since: Timestamp::from_millis(self.since),
            standing: place.some("standing", Standing::from_word(&self.standing))?,
            scheme: self.scheme,
            name: self.name,
            status: self.status,
            sequence: self.sequence,
        })
    }
}

impl Tx<'_> {
    /// The list of a scheme with the highest sequence number.
    pub fn latest_list(&mut self, scheme: &str) -> Result<Option<PublishedList>, StoreError> {
        published_lists::table
            .filter(published_lists::scheme.eq(scheme))
            .order(published_lists::sequence.desc())
            .select(ListRow::as_select())
            .first(self.conn)
            .optional()?
            .map(ListRow::read)
            .transpose()
    }

    /// The sequence number and digest of the list in force, without its octets.
    pub fn latest_list_head(&mut self, scheme: &str) -> Result<Option<(i64, Digest)>, StoreError> {
        let found = published_lists::table
            .filter(published_lists::scheme.eq(scheme))
            .order(published_lists::sequence.desc())
            .select((published_lists::sequence, published_lists::digest))
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
        published_lists::table
            .find((scheme, sequence))
            .select(ListRow::as_select())
            .first(self.conn)
            .optional()?
            .map(ListRow::read)
            .transpose()
    }

    /// Every list of a scheme, newest first.
    pub fn list_sequences(&mut self, scheme: &str) -> Result<Vec<PublishedList>, StoreError> {
        let rows = published_lists::table
            .filter(published_lists::scheme.eq(scheme))
            .order(published_lists::sequence.desc())
            .select(ListRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(ListRow::read).collect()
    }

    /// The sequence numbers of a scheme, newest first, and when each was issued.
    pub fn list_sequence_dates(
        &mut self,
        scheme: &str,
    ) -> Result<Vec<(i64, Timestamp)>, StoreError> {
        let rows = published_lists::table
            .filter(published_lists::scheme.eq(scheme))
            .order(published_lists::sequence.desc())
            .select((published_lists::sequence, published_lists::issued_at))
            .load::<(i64, i64)>(self.conn)?;
        let read = |(sequence, issued)| (sequence, Timestamp::from_millis(issued));
        Ok(rows.into_iter().map(read).collect())
    }

    /// The schemes that have a list, by code.
    pub fn list_schemes(&mut self) -> Result<Vec<String>, StoreError> {
        let query = published_lists::table
            .select(published_lists::scheme)
            .distinct()
            .order(published_lists::scheme);
        Ok(query.load(self.conn)?)
    }

    /// Keeps a published list. A sequence number is used once (TS 119 612, 5.3.2).
    pub(crate) fn insert_list(&mut self, list: &PublishedList) -> Result<(), StoreError> {
        let row = ListRow::from(list);
        diesel::insert_into(published_lists::table).values(row).execute(self.conn)?;
        Ok(())
    }

    /// What the live lists say of a key: one answer for each scheme that names it.
    pub fn services_of_key(
        &mut self,
        fingerprint: &Fingerprint,
    ) -> Result<Vec<ListedService>, StoreError> {
        let rows = listed_services::table
            .filter(listed_services::fingerprint.eq(fingerprint.to_string()))
            .order(listed_services::scheme)
            .select(ServiceRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(ServiceRow::read).collect()
    }

    /// Keeps what a list says of a key, in the place of what the list before it said.
    pub(crate) fn keep_listed_service(
        &mut self,
        service: &ListedService,
    ) -> Result<(), StoreError> {
        let row = ServiceRow::from(service);
        let key = (row.scheme.clone(), row.fingerprint.clone());
        let known =
            diesel::update(listed_services::table.find(key)).set(&row).execute(self.conn)?;
        if known == 0 {
            diesel::insert_into(listed_services::table).values(&row).execute(self.conn)?;
        }
        Ok(())
    }
}

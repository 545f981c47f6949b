//! Tables `crl_lists` and `crl_parts`: revocation lists as issued, and the octets of the present ones.

use diesel::prelude::*;
use tenkoku_domain::audit::{CrlList, IssuedCrl, SignedCrl};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::AuthorityId;
use tenkoku_domain::time::Timestamp;

use crate::column::Place;
use crate::connection::AnyConnection;
use crate::error::StoreError;
use crate::schema::{counters, crl_lists, crl_parts};
use crate::status::StatusChange;
use crate::tx::Tx;

/// Octets in one row of `crl_parts`: a list of a million is never bound, or read, in one piece.
const PART_OCTETS: usize = 1 << 20;

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = crl_lists)]
struct CrlRow {
    authority_id: String,
    list: String,
    number: i64,
    base: Option<i64>,
    this_update: i64,
    next_update: i64,
    revision: i64,
    entries: i64,
    octets: i64,
    digest: String,
}

impl From<&IssuedCrl> for CrlRow {
    fn from(crl: &IssuedCrl) -> Self {
        Self {
            authority_id: crl.authority.to_string(),
            list: crl.list.to_string(),
            number: crl.number,
            base: crl.base,
            this_update: crl.this_update.millis(),
            next_update: crl.next_update.millis(),
            revision: crl.revision,
            entries: crl.entries,
            octets: crl.octets,
            digest: crl.digest.to_string(),
        }
    }
}

impl CrlRow {
    fn read(self) -> Result<IssuedCrl, StoreError> {
        let place = Place::new("crl", &self.authority_id);
        Ok(IssuedCrl {
            authority: place.ok("authority_id", AuthorityId::parse(&self.authority_id))?,
            list: place.some("list", CrlList::parse(&self.list))?,
            base: self.base,
            number: self.number,
            this_update: Timestamp::from_millis(self.this_update),
            next_update: Timestamp::from_millis(self.next_update),
            revision: self.revision,
            entries: self.entries,
            octets: self.octets,
            // Lists of earlier versions have none.
            digest: match self.digest.as_str() {
                "" => Digest([0; 32]),
                digest => place.digest("digest", digest)?,
            },
        })
    }
}

/// The counter of an authority's CRL numbers.
fn number_counter(authority: &AuthorityId) -> String {
    format!("crl/{authority}")
}

impl Tx<'_> {
    /// The newest CRL of an authority, of everything or of one shard; deltas do not count.
    pub fn latest_crl(&mut self, authority: &AuthorityId) -> Result<Option<IssuedCrl>, StoreError> {
        crl_lists::table
            .filter(crl_lists::authority_id.eq(authority.as_str()))
            .filter(crl_lists::list.ne(CrlList::Delta.to_string()))
            .order(crl_lists::number.desc())
            .select(CrlRow::as_select())
            .first(self.conn)
            .optional()?
            .map(CrlRow::read)
            .transpose()
    }

    /// The newest CRL of one of an authority's lists.
    pub fn latest_crl_of(
        &mut self,
        authority: &AuthorityId,
        list: CrlList,
    ) -> Result<Option<IssuedCrl>, StoreError> {
        crl_lists::table
            .filter(crl_lists::authority_id.eq(authority.as_str()))
            .filter(crl_lists::list.eq(list.to_string()))
            .order(crl_lists::number.desc())
            .select(CrlRow::as_select())
            .first(self.conn)
            .optional()?
            .map(CrlRow::read)
            .transpose()
    }

    /// CRLs of an authority, newest first.
    pub fn list_crls(
        &mut self,
        authority: &AuthorityId,
        limit: i64,
    ) -> Result<Vec<IssuedCrl>, StoreError> {
        let rows = crl_lists::table
            .filter(crl_lists::authority_id.eq(authority.as_str()))
            .order((crl_lists::number.desc(), crl_lists::list))
            .limit(limit)
            .select(CrlRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(CrlRow::read).collect()
    }

    /// The list that a delta brings up to date: the newest of everything that was there at an
    /// instant, else the first that there was.
    pub fn crl_base(
        &mut self,
        authority: &AuthorityId,
        at: Timestamp,
    ) -> Result<Option<IssuedCrl>, StoreError> {
        let full = crl_lists::authority_id
            .eq(authority.as_str())
            .and(crl_lists::list.eq(CrlList::Full.to_string()));
        let before = crl_lists::table
            .filter(full.clone())
            .filter(crl_lists::this_update.le(at.millis()))
            .order(crl_lists::number.desc())
            .select(CrlRow::as_select())
            .first(self.conn)
            .optional()?;
        let base = match before {
            Some(base) => Some(base),
            None => crl_lists::table
                .filter(full)
                .order(crl_lists::number)
                .select(CrlRow::as_select())
                .first(self.conn)
                .optional()?,
        };
        base.map(CrlRow::read).transpose()
    }

    /// The octets of a CRL; `None` when a newer one took its place.
    pub fn load_crl(&mut self, crl: &IssuedCrl) -> Result<Option<Vec<u8>>, StoreError> {
        let octets = usize::try_from(crl.octets).unwrap_or_default();
        let mut der = Vec::with_capacity(octets);
        for part in 0_i32.. {
            let found: Option<Vec<u8>> = crl_parts::table
                .find((crl.authority.as_str(), crl.list.to_string(), crl.number, part))
                .select(crl_parts::der)
                .first(self.conn)
                .optional()?;
            match found {
                Some(more) => der.extend_from_slice(&more),
                None => break,
            }
        }
        Ok((der.len() == octets).then_some(der))
    }

    /// Takes the next CRL number of an authority for good: a list that is never finished leaves a
    /// gap, and no number is ever signed twice (RFC 5280, 5.2.3).
    pub fn reserve_crl_number(&mut self, authority: &AuthorityId) -> Result<i64, StoreError> {
        self.change(|tx| {
            let counter = number_counter(authority);
            let known = diesel::update(counters::table.find(&counter))
                .set(counters::value.eq(counters::value + 1))
                .execute(tx.conn)?;
            if known == 0 {
                let first = (counters::name.eq(&counter), counters::value.eq(1_i64));
                diesel::insert_into(counters::table).values(first).execute(tx.conn)?;
            }
            tx.last_number(&counter)
        })
    }

    /// Revocations, holds and releases of an authority after a number, in the order of their
    /// commits; at most `limit`.
    pub fn revocations_after(
        &mut self,
        authority: &AuthorityId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<StatusChange>, StoreError> {
        self.changes_of(authority, after, limit)
    }

    /// Keeps an issued CRL and lets go of the octets of the one before. A number is used once, and
    /// nothing takes the place of a list with a higher one.
    pub(crate) fn insert_crl(&mut self, crl: &SignedCrl) -> Result<(), StoreError> {
        let (authority, list) = (crl.authority.as_str(), crl.list.to_string());
        // Two that publish meet here.
        if let AnyConnection::Postgresql(conn) = &mut *self.conn {
            let counter = counters::table.find(number_counter(&crl.authority));
            counter.select(counters::value).for_update().first::<i64>(conn).optional()?;
        }
        let newest = self.latest_crl_of(&crl.authority, crl.list)?;
        if newest.is_some_and(|newest| newest.number >= crl.number) {
            return Err(StoreError::Conflict { what: "crl number" });
        }
        diesel::insert_into(crl_lists::table).values(CrlRow::from(&crl.head)).execute(self.conn)?;
        for (part, octets) in (0_i32..).zip(crl.der.chunks(PART_OCTETS)) {
            diesel::insert_into(crl_parts::table)
                .values((
                    crl_parts::authority_id.eq(authority),
                    crl_parts::list.eq(&list),
                    crl_parts::number.eq(crl.number),
                    crl_parts::part.eq(part),
                    crl_parts::der.eq(octets),
                ))
                .execute(self.conn)?;
        }
        let before = crl_parts::table
            .filter(crl_parts::authority_id.eq(authority))
            .filter(crl_parts::list.eq(&list))
            .filter(crl_parts::number.lt(crl.number));
        diesel::delete(before).execute(self.conn)?;
        Ok(())
    }
}

//! Table `crls`: revocation lists as issued.

use diesel::prelude::*;
use tenkoku_domain::audit::IssuedCrl;
use tenkoku_domain::id::AuthorityId;
use tenkoku_domain::time::Timestamp;

use crate::column::Place;
use crate::error::StoreError;
use crate::schema::crls;
use crate::tx::Tx;

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = crls)]
struct CrlRow {
    authority_id: String,
    number: i64,
    this_update: i64,
    next_update: i64,
    revision: i64,
    entries: i64,
    der: Vec<u8>,
}

impl From<&IssuedCrl> for CrlRow {
    fn from(crl: &IssuedCrl) -> Self {
        Self {
            authority_id: crl.authority.to_string(),
            number: crl.number,
            this_update: crl.this_update.millis(),
            next_update: crl.next_update.millis(),
            revision: crl.revision,
            entries: crl.entries,
            der: crl.der.clone(),
        }
    }
}

impl CrlRow {
    fn read(self) -> Result<IssuedCrl, StoreError> {
        let place = Place::new("crl", &self.authority_id);
        Ok(IssuedCrl {
            authority: place.ok("authority_id", AuthorityId::parse(&self.authority_id))?,
            number: self.number,
            this_update: Timestamp::from_millis(self.this_update),
            next_update: Timestamp::from_millis(self.next_update),
            revision: self.revision,
            entries: self.entries,
            der: self.der,
        })
    }
}

impl Tx<'_> {
    /// The CRL of an authority with the highest number.
    pub fn latest_crl(&mut self, authority: &AuthorityId) -> Result<Option<IssuedCrl>, StoreError> {
        crls::table
            .filter(crls::authority_id.eq(authority.as_str()))
            .order(crls::number.desc())
            .select(CrlRow::as_select())
            .first(self.conn)
            .optional()?
            .map(CrlRow::read)
            .transpose()
    }

    /// Keeps an issued CRL. A number is used once (RFC 5280, 5.2.3).
    pub(crate) fn insert_crl(&mut self, crl: &IssuedCrl) -> Result<(), StoreError> {
        diesel::insert_into(crls::table).values(CrlRow::from(crl)).execute(self.conn)?;
        Ok(())
    }
}

//! Table `trusted_issuers`: whose certificates and statements about people are believed (P3, P4).

use diesel::prelude::*;
use tenkoku_domain::id::{IssuerId, OrganisationId};
use tenkoku_domain::issuer::{IssuerState, IssuerUse, TrustedIssuer};
use tenkoku_domain::name::Name;
use tenkoku_domain::time::Timestamp;

use crate::column::Place;
use crate::error::StoreError;
use crate::schema::trusted_issuers;
use crate::tx::{Tx, lock_row, one};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = trusted_issuers)]
struct IssuerRow {
    id: String,
    name: String,
    certificate: Vec<u8>,
    uses: String,
    organisation_id: Option<String>,
    from_at: i64,
    until_at: i64,
    state: String,
}

impl IssuerRow {
    fn read(self) -> Result<TrustedIssuer, StoreError> {
        let place = Place::new("trusted issuer", &self.id);
        let organisation = self.organisation_id.as_deref().map(OrganisationId::parse).transpose();
        let uses = self.uses.split(',').map(IssuerUse::from_word).collect::<Option<_>>();
        Ok(TrustedIssuer {
            id: place.ok("id", IssuerId::parse(&self.id))?,
            name: place.ok("name", Name::parse(&self.name))?,
            certificate: self.certificate,
            uses: place.some("uses", uses)?,
            organisation: place.ok("organisation_id", organisation)?,
            from: Timestamp::from_millis(self.from_at),
            until: Timestamp::from_millis(self.until_at),
            state: place.some("state", IssuerState::from_word(&self.state))?,
        })
    }
}

impl Tx<'_> {
    /// Every issuer, oldest first, former and proposed ones too.
    pub fn list_issuers(&mut self) -> Result<Vec<TrustedIssuer>, StoreError> {
        let rows = trusted_issuers::table
            .order(trusted_issuers::id)
            .select(IssuerRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(IssuerRow::read).collect()
    }

    /// An issuer, locked when this transaction writes.
    pub fn load_issuer(&mut self, id: &IssuerId) -> Result<TrustedIssuer, StoreError> {
        if self.writes() {
            lock_row!(self, trusted_issuers, id.as_str());
        }
        trusted_issuers::table
            .find(id.as_str())
            .select(IssuerRow::as_select())
            .first(self.conn)
            .optional()?
            .ok_or(StoreError::NotFound { what: "trusted issuer" })?
            .read()
    }

    pub(crate) fn insert_issuer(&mut self, issuer: &TrustedIssuer) -> Result<(), StoreError> {
        let uses: Vec<_> = issuer.uses.iter().map(|one| one.word()).collect();
        let row = IssuerRow {
            id: issuer.id.to_string(),
            name: issuer.name.to_string(),
            certificate: issuer.certificate.clone(),
            uses: uses.join(","),
            organisation_id: issuer.organisation.as_ref().map(ToString::to_string),
            from_at: issuer.from.millis(),
            until_at: issuer.until.millis(),
            state: issuer.state.word().to_owned(),
        };
        diesel::insert_into(trusted_issuers::table).values(row).execute(self.conn)?;
        Ok(())
    }

    pub(crate) fn move_issuer(
        &mut self,
        id: &IssuerId,
        from: IssuerState,
        to: IssuerState,
    ) -> Result<(), StoreError> {
        let standing =
            trusted_issuers::table.find(id.as_str()).filter(trusted_issuers::state.eq(from.word()));
        let rows = diesel::update(standing)
            .set(trusted_issuers::state.eq(to.word()))
            .execute(self.conn)?;
        one(rows, "trusted issuer")
    }
}

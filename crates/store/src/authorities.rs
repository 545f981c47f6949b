//! Table `authorities`: the CAs operated on the platform.

use diesel::prelude::*;
use tenkoku_domain::authority::{
    Authority, AuthorityCode, AuthorityKind, AuthorityName, AuthorityState, Custody, ServiceKind,
    ShardCount, ShardCountError,
};
use tenkoku_domain::certificate::{Serial, Validity};
use tenkoku_domain::id::{AuthorityId, KeyId, OrganisationId};
use tenkoku_domain::identifier::OrganizationIdentifier;
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::name::Name;
use tenkoku_domain::time::Timestamp;

use crate::column::{Place, level_number};
use crate::error::StoreError;
use crate::schema::authorities;
use crate::tx::{Tx, lock_row, one};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = authorities)]
struct AuthorityRow {
    id: String,
    code: String,
    kind: String,
    level: Option<i16>,
    generation: i32,
    country: String,
    organisation: String,
    identifier: String,
    common_name: String,
    issuer: Option<String>,
    key_id: String,
    algorithm: String,
    serial: String,
    not_before: i64,
    not_after: i64,
    certificate: Option<Vec<u8>>,
    state: String,
    created_at: i64,
    custody: String,
    dedicated: Option<String>,
    predecessor: Option<String>,
    crl_shards: i32,
}

impl From<&Authority> for AuthorityRow {
    fn from(authority: &Authority) -> Self {
        Self {
            id: authority.id.to_string(),
            code: authority.code.to_string(),
            kind: authority.kind.word().to_owned(),
            level: authority.kind.level().map(level_number),
            generation: authority.generation,
            country: authority.name.country.clone(),
            organisation: authority.name.organisation.to_string(),
            identifier: authority.name.identifier.to_string(),
            common_name: authority.name.common_name.to_string(),
            issuer: authority.issuer.as_ref().map(ToString::to_string),
            key_id: authority.key.to_string(),
            algorithm: authority.algorithm.to_string(),
            serial: authority.serial.to_string(),
            not_before: authority.validity.not_before.millis(),
            not_after: authority.validity.not_after.millis(),
            certificate: authority.certificate.clone(),
            state: authority.state.to_string(),
            created_at: authority.created_at.millis(),
            custody: authority.custody.to_string(),
            dedicated: authority.dedicated.as_ref().map(ToString::to_string),
            predecessor: authority.predecessor.as_ref().map(ToString::to_string),
            crl_shards: i32::try_from(authority.crl_shards.get()).unwrap_or(1),
        }
    }
}

impl AuthorityRow {
    fn read(self) -> Result<Authority, StoreError> {
        let place = Place::new("authority", &self.id);
        let kind = match (self.kind.as_str(), self.level) {
            ("root", None) => Some(AuthorityKind::Root),
            ("policy", None) => Some(AuthorityKind::Policy),
            ("issuing", Some(level)) => Some(AuthorityKind::Issuing(place.level("level", level)?)),
            (word, None) => ServiceKind::from_word(word).map(AuthorityKind::Service),
            _ => None,
        };
        let issuer = self.issuer.as_deref().map(AuthorityId::parse).transpose();
        let predecessor = self.predecessor.as_deref().map(AuthorityId::parse).transpose();
        let dedicated = self.dedicated.as_deref().map(OrganisationId::parse).transpose();
        let identifier = OrganizationIdentifier::parse(&self.identifier);
        let crl_shards =
            u32::try_from(self.crl_shards).map_err(|_| ShardCountError).and_then(ShardCount::new);
        Ok(Authority {
            id: place.ok("id", AuthorityId::parse(&self.id))?,
            code: place.ok("code", AuthorityCode::parse(&self.code))?,
            kind: place.some("kind", kind)?,
            generation: self.generation,
            name: AuthorityName {
                country: self.country,
                organisation: place.ok("organisation", Name::parse(&self.organisation))?,
                identifier: place.ok("identifier", identifier)?,
                common_name: place.ok("common_name", Name::parse(&self.common_name))?,
            },
            issuer: place.ok("issuer", issuer)?,
            key: place.ok("key_id", KeyId::parse(&self.key_id))?,
            algorithm: place.ok("algorithm", KeyAlgorithm::parse(&self.algorithm))?,
            serial: place.ok("serial", Serial::parse(&self.serial))?,
            validity: Validity {
                not_before: Timestamp::from_millis(self.not_before),
                not_after: Timestamp::from_millis(self.not_after),
            },
            certificate: self.certificate,
            state: place.some("state", AuthorityState::from_word(&self.state))?,
            created_at: Timestamp::from_millis(self.created_at),
            custody: place.some("custody", Custody::from_word(&self.custody))?,
            dedicated: place.ok("dedicated", dedicated)?,
            predecessor: place.ok("predecessor", predecessor)?,
            crl_shards: place.ok("crl_shards", crl_shards)?,
        })
    }
}

impl Tx<'_> {
    /// Every authority: the roots first, then by level and generation.
    pub fn list_authorities(&mut self) -> Result<Vec<Authority>, StoreError> {
        let rows = authorities::table.select(AuthorityRow::as_select()).load(self.conn)?;
        let mut all: Vec<_> = rows.into_iter().map(AuthorityRow::read).collect::<Result<_, _>>()?;
        all.sort_by_cached_key(|a| (a.kind.level(), a.generation, a.code.clone()));
        Ok(all)
    }

    /// An authority.
    pub fn load_authority(&mut self, id: &AuthorityId) -> Result<Authority, StoreError> {
        self.find_authority(id.as_str())?.ok_or(StoreError::NotFound { what: "authority" })
    }

    /// An authority, locked until the end of the transaction.
    pub fn lock_authority(&mut self, id: &AuthorityId) -> Result<Authority, StoreError> {
        lock_row!(self, authorities, id.as_str());
        self.load_authority(id)
    }

    /// The authority with a code or an identifier.
    pub fn find_authority(&mut self, code_or_id: &str) -> Result<Option<Authority>, StoreError> {
        authorities::table
            .filter(authorities::code.eq(code_or_id).or(authorities::id.eq(code_or_id)))
            .select(AuthorityRow::as_select())
            .first(self.conn)
            .optional()?
            .map(AuthorityRow::read)
            .transpose()
    }

    /// Keeps a planned authority.
    pub(crate) fn insert_authority(&mut self, authority: &Authority) -> Result<(), StoreError> {
        let row = AuthorityRow::from(authority);
        diesel::insert_into(authorities::table).values(row).execute(self.conn)?;
        self.drop_plan(&authority.code)
    }

    /// An authority got its certificate.
    pub(crate) fn certify_authority(&mut self, authority: &Authority) -> Result<(), StoreError> {
        let rows = diesel::update(authorities::table.find(authority.id.as_str()))
            .set((
                authorities::serial.eq(authority.serial.to_string()),
                authorities::certificate.eq(authority.certificate.as_deref()),
                authorities::not_before.eq(authority.validity.not_before.millis()),
                authorities::not_after.eq(authority.validity.not_after.millis()),
                authorities::state.eq(authority.state.word()),
            ))
            .execute(self.conn)?;
        one(rows, "authority")
    }

    /// An authority reached another state.
    pub(crate) fn set_authority_state(&mut self, authority: &Authority) -> Result<(), StoreError> {
        let rows = diesel::update(authorities::table.find(authority.id.as_str()))
            .set(authorities::state.eq(authority.state.word()))
            .execute(self.conn)?;
        one(rows, "authority")
    }
}

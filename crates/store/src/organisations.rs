//! Table `organisations`: the subjects of seals.

use std::collections::BTreeMap;

use diesel::dsl::count_star;
use diesel::prelude::*;
use tenkoku_domain::access::Scope;
use tenkoku_domain::id::OrganisationId;
use tenkoku_domain::identifier::OrganizationIdentifier;
use tenkoku_domain::name::{Name, comparable};
use tenkoku_domain::organisation::{Address, Language, Organisation, OrganisationState};
use tenkoku_domain::time::Timestamp;

use crate::certificates::LIVE;
use crate::column::Place;
use crate::connection::AnyBackend;
use crate::error::StoreError;
use crate::page::{Page, containing};
use crate::schema::{branches, certificates, organisations};
use crate::scope::{reach, within};
use crate::tx::{Tx, lock_row, one};

/// An organisation in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganisationSummary {
    /// The organisation.
    pub organisation: Organisation,
    /// Its branch offices within the scope.
    pub branches: i64,
    /// Its certificates within the scope that are issued, active or suspended.
    pub live_certificates: i64,
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = organisations)]
struct OrganisationRow {
    id: String,
    identifier: String,
    legal_name: String,
    kana: Option<String>,
    latin_name: Option<String>,
    country: String,
    postal_code: Option<String>,
    region: Option<String>,
    locality: Option<String>,
    street: Option<String>,
    language: String,
    state: String,
    created_at: i64,
    searchable: String,
}

impl From<&Organisation> for OrganisationRow {
    fn from(organisation: &Organisation) -> Self {
        let text = |name: &Option<Name>| name.as_ref().map(ToString::to_string);
        let address = &organisation.address;
        let names = [&organisation.kana, &organisation.latin_name].into_iter().flatten();
        let searchable = names.fold(
            format!("{} {}", organisation.identifier, organisation.legal_name),
            |all, name| format!("{all} {name}"),
        );
        Self {
            id: organisation.id.to_string(),
            identifier: organisation.identifier.to_string(),
            legal_name: organisation.legal_name.to_string(),
            kana: text(&organisation.kana),
            latin_name: text(&organisation.latin_name),
            country: address.country.clone(),
            postal_code: address.postal_code.clone(),
            region: text(&address.region),
            locality: text(&address.locality),
            street: address.street.clone(),
            language: organisation.language.to_string(),
            state: organisation.state.to_string(),
            created_at: organisation.created_at.millis(),
            searchable: comparable(&searchable),
        }
    }
}

impl OrganisationRow {
    fn read(self) -> Result<Organisation, StoreError> {
        let place = Place::new("organisation", &self.id);
        let identifier = OrganizationIdentifier::parse(&self.identifier);
        Ok(Organisation {
            id: place.ok("id", OrganisationId::parse(&self.id))?,
            identifier: place.ok("identifier", identifier)?,
            legal_name: place.ok("legal_name", Name::parse(&self.legal_name))?,
            kana: place.name("kana", self.kana)?,
            latin_name: place.name("latin_name", self.latin_name)?,
            address: Address {
                country: self.country,
                postal_code: self.postal_code,
                region: place.name("region", self.region)?,
                locality: place.name("locality", self.locality)?,
                street: self.street,
            },
            language: place.some("language", Language::from_word(&self.language))?,
            state: place.some("state", OrganisationState::from_word(&self.state))?,
            created_at: Timestamp::from_millis(self.created_at),
        })
    }
}

/// The organisations within a scope, as a boxed query.
macro_rules! visible {
    ($scope:expr) => {{
        let query = organisations::table.into_boxed::<AnyBackend>();
        match reach($scope) {
            None => query,
            Some(reach) => {
                let own = branches::table
                    .filter(branches::id.eq_any(reach.branches))
                    .select(branches::organisation_id);
                let whole = organisations::id.eq_any(reach.organisations);
                query.filter(whole.or(organisations::id.eq_any(own)))
            }
        }
    }};
}
pub(crate) use visible;

impl Tx<'_> {
    /// The organisation with an identifier, within the scope.
    pub fn find_organisation_by_identifier(
        &mut self,
        scope: &Scope,
        identifier: &str,
    ) -> Result<Option<Organisation>, StoreError> {
        visible!(scope)
            .filter(organisations::identifier.eq(identifier))
            .select(OrganisationRow::as_select())
            .first(self.conn)
            .optional()?
            .map(OrganisationRow::read)
            .transpose()
    }

    /// An organisation within the scope. Whoever holds one of its branches sees it too: its name
    /// is on their seals.
    pub fn load_organisation(
        &mut self,
        scope: &Scope,
        id: &OrganisationId,
    ) -> Result<Organisation, StoreError> {
        visible!(scope)
            .filter(organisations::id.eq(id.as_str()))
            .select(OrganisationRow::as_select())
            .first(self.conn)
            .optional()?
            .ok_or(StoreError::NotFound { what: "organisation" })?
            .read()
    }

    /// Organisations within the scope whose names or identifier contain `search`, by identifier.
    pub fn list_organisations(
        &mut self,
        scope: &Scope,
        search: &str,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Page<OrganisationSummary>, StoreError> {
        let mut query = visible!(scope);
        if !search.trim().is_empty() {
            let pattern = containing(&comparable(search.trim()));
            query = query.filter(organisations::searchable.like(pattern).escape('\\'));
        }
        if let Some(after) = after {
            query = query.filter(organisations::identifier.gt(after.to_owned()));
        }
        let rows = query
            .order(organisations::identifier)
            .limit(limit.saturating_add(1))
            .select(OrganisationRow::as_select())
            .load(self.conn)?;
        let page = Page::of(rows, limit, |row| row.identifier.clone());
        let ids: Vec<String> = page.items.iter().map(|row| row.id.clone()).collect();
        let branches = self.count_branches_of(scope, &ids)?;
        let certificates = self.count_certificates_of(scope, &ids)?;
        let count = |counts: &BTreeMap<String, i64>, id: &str| counts.get(id).copied().unwrap_or(0);
        page.try_map(|row| {
            Ok(OrganisationSummary {
                branches: count(&branches, &row.id),
                live_certificates: count(&certificates, &row.id),
                organisation: row.read()?,
            })
        })
    }

    fn count_branches_of(
        &mut self,
        scope: &Scope,
        ids: &[String],
    ) -> Result<BTreeMap<String, i64>, StoreError> {
        let query = branches::table
            .group_by(branches::organisation_id)
            .filter(branches::organisation_id.eq_any(ids))
            .select((branches::organisation_id, count_star()))
            .into_boxed::<AnyBackend>();
        let query = within!(query, scope, branches::organisation_id, branches::id);
        Ok(query.load::<(String, i64)>(self.conn)?.into_iter().collect())
    }

    fn count_certificates_of(
        &mut self,
        scope: &Scope,
        ids: &[String],
    ) -> Result<BTreeMap<String, i64>, StoreError> {
        let query = certificates::table
            .group_by(certificates::organisation_id)
            .filter(certificates::organisation_id.eq_any(ids))
            .filter(certificates::state.eq_any(LIVE))
            .select((certificates::organisation_id.assume_not_null(), count_star()))
            .into_boxed::<AnyBackend>();
        let query = within!(query, scope, certificates::organisation_id, certificates::branch_id);
        Ok(query.load::<(String, i64)>(self.conn)?.into_iter().collect())
    }

    /// An organisation within the scope, locked until the end of the transaction. It is locked
    /// before its branches.
    pub fn lock_organisation(
        &mut self,
        scope: &Scope,
        id: &OrganisationId,
    ) -> Result<Organisation, StoreError> {
        lock_row!(self, organisations, id.as_str());
        self.load_organisation(scope, id)
    }

    /// An organisation moves to another state.
    pub(crate) fn move_organisation(
        &mut self,
        organisation: &Organisation,
        from: OrganisationState,
    ) -> Result<(), StoreError> {
        let standing = organisations::table
            .find(organisation.id.as_str())
            .filter(organisations::state.eq(from.word()));
        let rows = diesel::update(standing)
            .set(organisations::state.eq(organisation.state.word()))
            .execute(self.conn)?;
        one(rows, "organisation")
    }

    /// Keeps a new organisation.
    pub(crate) fn insert_organisation(
        &mut self,
        organisation: &Organisation,
    ) -> Result<(), StoreError> {
        let row = OrganisationRow::from(organisation);
        diesel::insert_into(organisations::table).values(row).execute(self.conn)?;
        Ok(())
    }
}

//! Table `branches`: branch offices.

use std::collections::BTreeSet;

use diesel::prelude::*;
use tenkoku_domain::access::Scope;
use tenkoku_domain::branch::{Branch, BranchCode, BranchKind, BranchState, Custodian};
use tenkoku_domain::certificate::Certificate;
use tenkoku_domain::id::{BranchId, OrganisationId};
use tenkoku_domain::name::{Name, comparable};
use tenkoku_domain::organisation::Address;
use tenkoku_domain::time::Timestamp;

use crate::column::Place;
use crate::connection::AnyBackend;
use crate::error::StoreError;
use crate::page::{Page, containing};
use crate::schema::branches;
use crate::scope::within;
use crate::tx::{Tx, lock_row, one};

/// Which branches a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BranchFilter {
    /// A part of the code or a name; empty for all.
    pub search: String,
}

/// A branch in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchSummary {
    /// The branch.
    pub branch: Branch,
    /// Its newest certificate, in whatever state.
    pub certificate: Option<Certificate>,
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = branches)]
struct BranchRow {
    id: String,
    organisation_id: String,
    code: String,
    kind: String,
    name: String,
    latin_name: Option<String>,
    custodian_name: Option<String>,
    custodian_email: Option<String>,
    country: String,
    postal_code: Option<String>,
    region: Option<String>,
    locality: Option<String>,
    street: Option<String>,
    state: String,
    opened_at: i64,
    searchable: String,
}

impl From<&Branch> for BranchRow {
    fn from(branch: &Branch) -> Self {
        let text = |name: &Option<Name>| name.as_ref().map(ToString::to_string);
        let latin = branch.latin_name.as_ref().map_or("", Name::as_str);
        let address = &branch.address;
        Self {
            id: branch.id.to_string(),
            organisation_id: branch.organisation.to_string(),
            code: branch.code.to_string(),
            kind: branch.kind.to_string(),
            name: branch.name.to_string(),
            latin_name: text(&branch.latin_name),
            custodian_name: branch.custodian.as_ref().map(|person| person.name.clone()),
            custodian_email: branch.custodian.as_ref().map(|person| person.email.clone()),
            country: address.country.clone(),
            postal_code: address.postal_code.clone(),
            region: text(&address.region),
            locality: text(&address.locality),
            street: address.street.clone(),
            state: branch.state.to_string(),
            opened_at: branch.opened_at.millis(),
            searchable: comparable(&format!("{} {} {latin}", branch.code, branch.name)),
        }
    }
}

impl BranchRow {
    fn read(self) -> Result<Branch, StoreError> {
        let place = Place::new("branch", &self.id);
        let custodian = match (self.custodian_name, self.custodian_email) {
            (Some(name), Some(email)) => Some(Some(Custodian { name, email })),
            (None, None) => Some(None),
            (Some(_), None) | (None, Some(_)) => None,
        };
        let organisation = OrganisationId::parse(&self.organisation_id);
        Ok(Branch {
            id: place.ok("id", BranchId::parse(&self.id))?,
            organisation: place.ok("organisation_id", organisation)?,
            code: place.ok("code", BranchCode::parse(&self.code))?,
            kind: place.some("kind", BranchKind::from_word(&self.kind))?,
            name: place.ok("name", Name::parse(&self.name))?,
            latin_name: place.name("latin_name", self.latin_name)?,
            custodian: place.some("custodian_email", custodian)?,
            address: Address {
                country: self.country,
                postal_code: self.postal_code,
                region: place.name("region", self.region)?,
                locality: place.name("locality", self.locality)?,
                street: self.street,
            },
            state: place.some("state", BranchState::from_word(&self.state))?,
            opened_at: Timestamp::from_millis(self.opened_at),
        })
    }
}

/// The branches within a scope, as a boxed query.
macro_rules! visible {
    ($scope:expr) => {
        within!(
            branches::table.into_boxed::<AnyBackend>(),
            $scope,
            branches::organisation_id,
            branches::id
        )
    };
}

impl Tx<'_> {
    /// The identifiers of an organisation's branches, closed ones too.
    pub fn branch_ids(
        &mut self,
        organisation: &OrganisationId,
    ) -> Result<BTreeSet<BranchId>, StoreError> {
        let ids: Vec<String> = branches::table
            .filter(branches::organisation_id.eq(organisation.as_str()))
            .select(branches::id)
            .load(self.conn)?;
        ids.into_iter().map(|id| Place::new("branch", &id).ok("id", BranchId::parse(&id))).collect()
    }

    /// The names of an organisation's branches that are not closed.
    pub fn branch_names(&mut self, organisation: &OrganisationId) -> Result<Vec<Name>, StoreError> {
        let names: Vec<(String, String)> = branches::table
            .filter(branches::organisation_id.eq(organisation.as_str()))
            .filter(branches::state.ne(BranchState::Closed.word()))
            .select((branches::id, branches::name))
            .load(self.conn)?;
        names
            .into_iter()
            .map(|(id, name)| Place::new("branch", &id).ok("name", Name::parse(&name)))
            .collect()
    }

    /// The codes of an organisation's branches, closed ones too.
    pub fn branch_codes(
        &mut self,
        organisation: &OrganisationId,
    ) -> Result<BTreeSet<BranchCode>, StoreError> {
        let codes: Vec<(String, String)> = branches::table
            .filter(branches::organisation_id.eq(organisation.as_str()))
            .select((branches::id, branches::code))
            .load(self.conn)?;
        codes
            .into_iter()
            .map(|(id, code)| Place::new("branch", &id).ok("code", BranchCode::parse(&code)))
            .collect()
    }

    /// The branch of an organisation with a code, within the scope.
    pub fn find_branch_by_code(
        &mut self,
        scope: &Scope,
        organisation: &OrganisationId,
        code: &BranchCode,
    ) -> Result<Option<Branch>, StoreError> {
        visible!(scope)
            .filter(branches::organisation_id.eq(organisation.as_str()))
            .filter(branches::code.eq(code.as_str()))
            .select(BranchRow::as_select())
            .first(self.conn)
            .optional()?
            .map(BranchRow::read)
            .transpose()
    }

    /// The branches with a code, over all organisations within the scope.
    pub fn find_branches_by_code(
        &mut self,
        scope: &Scope,
        code: &BranchCode,
    ) -> Result<Vec<Branch>, StoreError> {
        let rows = visible!(scope)
            .filter(branches::code.eq(code.as_str()))
            .order(branches::organisation_id)
            .select(BranchRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(BranchRow::read).collect()
    }

    /// A branch within the scope.
    pub fn load_branch(&mut self, scope: &Scope, id: &BranchId) -> Result<Branch, StoreError> {
        visible!(scope)
            .filter(branches::id.eq(id.as_str()))
            .select(BranchRow::as_select())
            .first(self.conn)
            .optional()?
            .ok_or(StoreError::NotFound { what: "branch" })?
            .read()
    }

    /// A branch within the scope, locked until the end of the transaction: whoever counts its
    /// instances decides alone (KM-14). An application is locked before its branch.
    pub fn lock_branch(&mut self, scope: &Scope, id: &BranchId) -> Result<Branch, StoreError> {
        lock_row!(self, branches, id.as_str());
        self.load_branch(scope, id)
    }

    /// Branches of an organisation within the scope, by code.
    pub fn list_branches(
        &mut self,
        scope: &Scope,
        organisation: &OrganisationId,
        filter: &BranchFilter,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Page<BranchSummary>, StoreError> {
        let mut query = visible!(scope).filter(branches::organisation_id.eq(organisation.as_str()));
        let search = filter.search.trim();
        if !search.is_empty() {
            let pattern = containing(&comparable(search));
            query = query.filter(branches::searchable.like(pattern).escape('\\'));
        }
        if let Some(after) = after {
            query = query.filter(branches::code.gt(after));
        }
        let rows = query
            .order(branches::code)
            .limit(limit.saturating_add(1))
            .select(BranchRow::as_select())
            .load(self.conn)?;
        let page = Page::of(rows, limit, |row| row.code.clone());
        let ids: Vec<&str> = page.items.iter().map(|row| row.id.as_str()).collect();
        let mut newest = self.newest_certificates(&ids)?;
        page.try_map(|row| {
            Ok(BranchSummary { certificate: newest.remove(&row.id), branch: row.read()? })
        })
    }

    /// How many branches of an organisation lie within the scope.
    pub fn count_branches(
        &mut self,
        scope: &Scope,
        organisation: &OrganisationId,
    ) -> Result<i64, StoreError> {
        let query = visible!(scope).filter(branches::organisation_id.eq(organisation.as_str()));
        Ok(query.count().get_result(self.conn)?)
    }

    /// The branches of an organisation within the scope, locked until the end of the transaction,
    /// in the order of their identifiers.
    pub fn lock_branches(
        &mut self,
        scope: &Scope,
        organisation: &OrganisationId,
    ) -> Result<Vec<Branch>, StoreError> {
        let ids = visible!(scope)
            .filter(branches::organisation_id.eq(organisation.as_str()))
            .order(branches::id)
            .select(branches::id)
            .load::<String>(self.conn)?;
        let place = Place::new("branch", organisation.as_str());
        ids.iter()
            .map(|id| self.lock_branch(scope, &place.ok("id", BranchId::parse(id))?))
            .collect()
    }

    /// Branches in a state, whoever's, in the order of their identifiers.
    pub fn list_branches_in(&mut self, state: BranchState) -> Result<Vec<Branch>, StoreError> {
        let rows = branches::table
            .filter(branches::state.eq(state.word()))
            .order(branches::id)
            .select(BranchRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(BranchRow::read).collect()
    }

    /// A branch moves to another state.
    pub(crate) fn move_branch(
        &mut self,
        branch: &Branch,
        from: BranchState,
    ) -> Result<(), StoreError> {
        let standing =
            branches::table.find(branch.id.as_str()).filter(branches::state.eq(from.word()));
        let rows = diesel::update(standing)
            .set(branches::state.eq(branch.state.word()))
            .execute(self.conn)?;
        one(rows, "branch")
    }

    /// Keeps a new branch.
    pub(crate) fn insert_branch(&mut self, branch: &Branch) -> Result<(), StoreError> {
        let row = BranchRow::from(branch);
        diesel::insert_into(branches::table).values(row).execute(self.conn)?;
        Ok(())
    }
}

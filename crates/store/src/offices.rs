//! Tables `representatives` and `delegates`: who may speak and act for an organisation, from when
//! until when.

use diesel::prelude::*;
use tenkoku_domain::access::Scope;
use tenkoku_domain::id::{BranchId, DelegateId, OrganisationId, PersonId, RepresentativeId};
use tenkoku_domain::name::Name;
use tenkoku_domain::person::{Delegate, Representative};
use tenkoku_domain::time::Timestamp;

use crate::column::{Place, instant, millis};
use crate::error::StoreError;
use crate::schema::{delegates, representatives};
use crate::tx::{Tx, lock_row, one};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = representatives)]
struct RepresentativeRow {
    id: String,
    organisation_id: String,
    person_id: String,
    capacity: String,
    evidence: String,
    from_at: i64,
    until_at: Option<i64>,
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = delegates)]
struct DelegateRow {
    id: String,
    organisation_id: String,
    person_id: String,
    branch_id: Option<String>,
    from_at: i64,
    until_at: i64,
}

impl RepresentativeRow {
    fn read(self) -> Result<Representative, StoreError> {
        let place = Place::new("representative", &self.id);
        let organisation = OrganisationId::parse(&self.organisation_id);
        Ok(Representative {
            id: place.ok("id", RepresentativeId::parse(&self.id))?,
            organisation: place.ok("organisation_id", organisation)?,
            person: place.ok("person_id", PersonId::parse(&self.person_id))?,
            capacity: place.ok("capacity", Name::parse(&self.capacity))?,
            evidence: place.digest("evidence", &self.evidence)?,
            from: Timestamp::from_millis(self.from_at),
            until: instant(self.until_at),
        })
    }
}

impl DelegateRow {
    fn read(self) -> Result<Delegate, StoreError> {
        let place = Place::new("delegate", &self.id);
        let organisation = OrganisationId::parse(&self.organisation_id);
        let branch = self.branch_id.as_deref().map(BranchId::parse).transpose();
        Ok(Delegate {
            id: place.ok("id", DelegateId::parse(&self.id))?,
            organisation: place.ok("organisation_id", organisation)?,
            person: place.ok("person_id", PersonId::parse(&self.person_id))?,
            branch: place.ok("branch_id", branch)?,
            from: Timestamp::from_millis(self.from_at),
            until: Timestamp::from_millis(self.until_at),
        })
    }
}

impl Tx<'_> {
    /// The representatives of an organisation within the scope, oldest first, former ones too.
    pub fn list_representatives(
        &mut self,
        scope: &Scope,
        organisation: &OrganisationId,
    ) -> Result<Vec<Representative>, StoreError> {
        self.load_organisation(scope, organisation)?;
        let rows = representatives::table
            .filter(representatives::organisation_id.eq(organisation.as_str()))
            .order((representatives::from_at, representatives::id))
            .select(RepresentativeRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(RepresentativeRow::read).collect()
    }

    /// A representative, locked when this transaction writes.
    pub fn load_representative(
        &mut self,
        scope: &Scope,
        id: &RepresentativeId,
    ) -> Result<Representative, StoreError> {
        if self.writes() {
            lock_row!(self, representatives, id.as_str());
        }
        let found = representatives::table
            .find(id.as_str())
            .select(RepresentativeRow::as_select())
            .first(self.conn)
            .optional()?
            .ok_or(StoreError::NotFound { what: "representative" })?
            .read()?;
        self.within(scope, &found.organisation, "representative")?;
        Ok(found)
    }

    /// The office in which a person represents an organisation at an instant.
    pub fn find_representative(
        &mut self,
        organisation: &OrganisationId,
        person: &PersonId,
        at: Timestamp,
    ) -> Result<Option<Representative>, StoreError> {
        let all = self.list_representatives(&Scope::Platform, organisation)?;
        Ok(all.into_iter().find(|one| one.person == *person && one.holds(at)))
    }

    /// The delegates of an organisation within the scope, oldest first, former ones too.
    pub fn list_delegates(
        &mut self,
        scope: &Scope,
        organisation: &OrganisationId,
    ) -> Result<Vec<Delegate>, StoreError> {
        self.load_organisation(scope, organisation)?;
        let rows = delegates::table
            .filter(delegates::organisation_id.eq(organisation.as_str()))
            .order((delegates::from_at, delegates::id))
            .select(DelegateRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(DelegateRow::read).collect()
    }

    /// A delegate.
    pub fn load_delegate(
        &mut self,
        scope: &Scope,
        id: &DelegateId,
    ) -> Result<Delegate, StoreError> {
        let found = delegates::table
            .find(id.as_str())
            .select(DelegateRow::as_select())
            .first(self.conn)
            .optional()?
            .ok_or(StoreError::NotFound { what: "delegate" })?
            .read()?;
        self.within(scope, &found.organisation, "delegate")?;
        Ok(found)
    }

    /// Passes when a whole organisation lies within the scope.
    #[expect(clippy::unused_self, reason = "asked like every other load of the transaction")]
    pub(crate) fn within(
        &mut self,
        scope: &Scope,
        organisation: &OrganisationId,
        what: &'static str,
    ) -> Result<(), StoreError> {
        if scope.covers_organisation(organisation) {
            return Ok(());
        }
        Err(StoreError::NotFound { what })
    }

    pub(crate) fn insert_representative(&mut self, one: &Representative) -> Result<(), StoreError> {
        let row = RepresentativeRow {
            id: one.id.to_string(),
            organisation_id: one.organisation.to_string(),
            person_id: one.person.to_string(),
            capacity: one.capacity.to_string(),
            evidence: one.evidence.to_string(),
            from_at: one.from.millis(),
            until_at: millis(one.until),
        };
        diesel::insert_into(representatives::table).values(row).execute(self.conn)?;
        Ok(())
    }

    /// A representative left: the last instant is known.
    pub(crate) fn end_representative(&mut self, ended: &Representative) -> Result<(), StoreError> {
        let open = representatives::table
            .find(ended.id.as_str())
            .filter(representatives::until_at.is_null());
        let rows = diesel::update(open)
            .set(representatives::until_at.eq(millis(ended.until)))
            .execute(self.conn)?;
        one(rows, "representative")
    }

    pub(crate) fn insert_delegate(&mut self, one: &Delegate) -> Result<(), StoreError> {
        let row = DelegateRow {
            id: one.id.to_string(),
            organisation_id: one.organisation.to_string(),
            person_id: one.person.to_string(),
            branch_id: one.branch.as_ref().map(ToString::to_string),
            from_at: one.from.millis(),
            until_at: one.until.millis(),
        };
        diesel::insert_into(delegates::table).values(row).execute(self.conn)?;
        Ok(())
    }

    /// A delegate left.
    pub(crate) fn end_delegate(&mut self, ended: &Delegate) -> Result<(), StoreError> {
        let open = delegates::table
            .find(ended.id.as_str())
            .filter(delegates::until_at.gt(ended.until.millis()));
        let rows = diesel::update(open)
            .set(delegates::until_at.eq(ended.until.millis()))
            .execute(self.conn)?;
        one(rows, "delegate")
    }
}

//! Tables `grants` and `custodian_tasks`: what representatives gave away, how much of it is used,
//! and the containers whose custodian lost the only grant.

use diesel::prelude::*;
use serde_json::json;
use tenkoku_domain::access::Scope;
use tenkoku_domain::application::ApplicationState;
use tenkoku_domain::canonical::canonical;
use tenkoku_domain::grant::{Grant, GrantState, GrantUsage};
use tenkoku_domain::id::{ContainerId, GrantId, OrganisationId, RepresentativeId, UserId};
use tenkoku_domain::time::Timestamp;

use crate::certificates::LIVE;
use crate::column::{Place, millis};
use crate::error::StoreError;
use crate::schema::{applications, certificates, custodian_tasks, grants};
use crate::tx::{Tx, lock_row, one};

/// States of applications that hold a reservation of their grant (DG-2).
const RESERVING: [ApplicationState; 5] = [
    ApplicationState::Submitted,
    ApplicationState::Proofing,
    ApplicationState::Approval,
    ApplicationState::KeyProof,
    ApplicationState::Ready,
];

/// A container that needs a new custodian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustodianTask {
    /// The container.
    pub container: ContainerId,
    /// Since when.
    pub opened_at: Timestamp,
    /// Until when; then its instances are suspended.
    pub due_at: Timestamp,
    /// The grant whose end it follows from.
    pub grant: GrantId,
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = grants)]
struct GrantRow {
    id: String,
    organisation_id: String,
    representative_id: String,
    grantee_id: String,
    parent_id: Option<String>,
    state: String,
    not_after: i64,
    review_until: Option<i64>,
    record: String,
}

impl GrantRow {
    fn of(grant: &Grant) -> Result<Self, StoreError> {
        let wrong = |error| StoreError::Database(Box::new(error));
        Ok(Self {
            id: grant.terms.id.to_string(),
            organisation_id: grant.organisation.to_string(),
            representative_id: grant.representative.to_string(),
            grantee_id: grant.terms.grantee.to_string(),
            parent_id: grant.terms.parent.as_ref().map(ToString::to_string),
            state: grant.state.word().to_owned(),
            not_after: grant.terms.not_after.millis(),
            review_until: millis(grant.review_until),
            record: canonical(&json!(grant)).map_err(wrong)?,
        })
    }

    fn read(self) -> Result<Grant, StoreError> {
        Place::new("grant", &self.id).ok("record", serde_json::from_str(&self.record))
    }
}

impl Tx<'_> {
    /// A grant of an organisation within the scope, locked when this transaction writes: whoever
    /// counts what is used of it counts alone (AB-10).
    pub fn load_grant(&mut self, scope: &Scope, id: &GrantId) -> Result<Grant, StoreError> {
        if self.writes() {
            lock_row!(self, grants, id.as_str());
        }
        let grant = grants::table
            .find(id.as_str())
            .select(GrantRow::as_select())
            .first(self.conn)
            .optional()?
            .ok_or(StoreError::NotFound { what: "grant" })?
            .read()?;
        self.within(scope, &grant.organisation, "grant")?;
        Ok(grant)
    }

    /// The grants of an organisation within the scope, newest first.
    pub fn list_grants(
        &mut self,
        scope: &Scope,
        organisation: &OrganisationId,
    ) -> Result<Vec<Grant>, StoreError> {
        self.load_organisation(scope, organisation)?;
        let rows = grants::table
            .filter(grants::organisation_id.eq(organisation.as_str()))
            .order(grants::id.desc())
            .select(GrantRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(GrantRow::read).collect()
    }

    /// The grants of a grantee in an organisation, newest first.
    pub fn grants_of(
        &mut self,
        organisation: &OrganisationId,
        grantee: &UserId,
    ) -> Result<Vec<Grant>, StoreError> {
        let rows = grants::table
            .filter(grants::organisation_id.eq(organisation.as_str()))
            .filter(grants::grantee_id.eq(grantee.as_str()))
            .order(grants::id.desc())
            .select(GrantRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(GrantRow::read).collect()
    }

    /// The grants that a representative gave and that have not ended, oldest first.
    pub fn grants_by(&mut self, office: &RepresentativeId) -> Result<Vec<Grant>, StoreError> {
        let rows = grants::table
            .filter(grants::representative_id.eq(office.as_str()))
            .filter(grants::state.ne(GrantState::Ended.word()))
            .order(grants::id)
            .select(GrantRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(GrantRow::read).collect()
    }

    /// The sub-grants of a grant, oldest first.
    pub fn subgrants_of(&mut self, id: &GrantId) -> Result<Vec<Grant>, StoreError> {
        let rows = grants::table
            .filter(grants::parent_id.eq(id.as_str()))
            .order(grants::id)
            .select(GrantRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(GrantRow::read).collect()
    }

    /// Grants whose period or whose review is over and that nobody ended or paused yet.
    pub fn list_due_grants(&mut self, now: Timestamp) -> Result<Vec<Grant>, StoreError> {
        let over =
            grants::state.ne(GrantState::Ended.word()).and(grants::not_after.lt(now.millis()));
        let unconfirmed = grants::state
            .eq(GrantState::Active.word())
            .and(grants::review_until.le(now.millis()).assume_not_null());
        let rows = grants::table
            .filter(over.or(unconfirmed))
            .order(grants::id)
            .select(GrantRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(GrantRow::read).collect()
    }

    /// What is used of a grant and its sub-grants (DG-2). To be counted while the grant is locked.
    pub fn grant_usage(&mut self, id: &GrantId, now: Timestamp) -> Result<GrantUsage, StoreError> {
        let mut under: Vec<String> = vec![id.to_string()];
        under.extend(self.subgrants_of(id)?.into_iter().map(|one| one.terms.id.to_string()));
        let reserving = RESERVING.map(ApplicationState::word);
        let issued = ApplicationState::Issued.word();
        let reserved: i64 = applications::table
            .filter(applications::grant_id.eq_any(&under))
            .filter(applications::state.eq_any(reserving))
            .count()
            .get_result(self.conn)?;
        let answered: i64 = applications::table
            .filter(applications::grant_id.eq_any(&under))
            .filter(applications::state.eq(issued))
            .count()
            .get_result(self.conn)?;
        let answered_ids = applications::table
            .filter(applications::grant_id.eq_any(&under))
            .filter(applications::state.eq(issued))
            .select(applications::id.nullable());
        let live: i64 = certificates::table
            .filter(certificates::application_id.eq_any(answered_ids))
            .filter(certificates::state.eq_any(LIVE))
            .filter(certificates::not_after.ge(now.floor().millis()))
            .count()
            .get_result(self.conn)?;
        let mut counting = reserving.to_vec();
        counting.push(issued);
        let today: i64 = applications::table
            .filter(applications::grant_id.eq_any(&under))
            .filter(applications::state.eq_any(counting))
            .filter(applications::created_at.ge(now.day().millis()))
            .count()
            .get_result(self.conn)?;
        Ok(GrantUsage { active: live + reserved, today, total: answered + reserved })
    }

    pub(crate) fn insert_grant(&mut self, grant: &Grant) -> Result<(), StoreError> {
        diesel::insert_into(grants::table).values(GrantRow::of(grant)?).execute(self.conn)?;
        Ok(())
    }

    /// Keeps a grant as it is now; its terms never change.
    pub(crate) fn move_grant(&mut self, from: GrantState, now: &Grant) -> Result<(), StoreError> {
        let row = GrantRow::of(now)?;
        let standing = grants::table.find(&row.id).filter(grants::state.eq(from.word()));
        let rows = diesel::update(standing)
            .set((
                grants::state.eq(&row.state),
                grants::representative_id.eq(&row.representative_id),
                grants::review_until.eq(row.review_until),
                grants::record.eq(&row.record),
            ))
            .execute(self.conn)?;
        one(rows, "grant")
    }

    /// Containers that need a new custodian, the most urgent first.
    pub fn list_custodian_tasks(&mut self) -> Result<Vec<CustodianTask>, StoreError> {
        let rows = custodian_tasks::table
            .filter(custodian_tasks::closed_at.is_null())
            .order((custodian_tasks::due_at, custodian_tasks::container_id))
            .select((
                custodian_tasks::container_id,
                custodian_tasks::opened_at,
                custodian_tasks::due_at,
                custodian_tasks::grant_id,
            ))
            .load::<(String, i64, i64, String)>(self.conn)?;
        rows.into_iter()
            .map(|(container, opened, due, grant)| {
                let place = Place::new("custodian task", &container);
                Ok(CustodianTask {
                    container: place.ok("container_id", ContainerId::parse(&container))?,
                    opened_at: Timestamp::from_millis(opened),
                    due_at: Timestamp::from_millis(due),
                    grant: place.ok("grant_id", GrantId::parse(&grant))?,
                })
            })
            .collect()
    }

    pub(crate) fn insert_custodian_task(
        &mut self,
        container: &ContainerId,
        grant: &GrantId,
        (opened, due): (Timestamp, Timestamp),
    ) -> Result<(), StoreError> {
        diesel::insert_into(custodian_tasks::table)
            .values((
                custodian_tasks::container_id.eq(container.as_str()),
                custodian_tasks::opened_at.eq(opened.millis()),
                custodian_tasks::due_at.eq(due.millis()),
                custodian_tasks::grant_id.eq(grant.as_str()),
            ))
            .execute(self.conn)?;
        Ok(())
    }

    /// A container has a new custodian, or its instances were suspended.
    pub(crate) fn close_custodian_tasks(
        &mut self,
        container: &ContainerId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        diesel::update(custodian_tasks::table)
            .filter(custodian_tasks::container_id.eq(container.as_str()))
            .filter(custodian_tasks::closed_at.is_null())
            .set(custodian_tasks::closed_at.eq(at.millis()))
            .execute(self.conn)?;
        Ok(())
    }
}

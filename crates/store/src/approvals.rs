//! Tables `approval_requests` and `approvals`: who decided what about which digest.

use diesel::prelude::*;
use serde_json::json;
use tenkoku_domain::access::Scope;
use tenkoku_domain::approval::{Approval, ApprovalRequest, ApprovalState, Step, Verdict};
use tenkoku_domain::audit::ObjectRef;
use tenkoku_domain::id::{ApprovalId, OrganisationId};
use tenkoku_domain::person::Party;
use tenkoku_domain::time::Timestamp;

use crate::column::Place;
use crate::error::StoreError;
use crate::schema::{approval_requests, approvals};
use crate::tx::{Tx, lock_row, one};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = approval_requests)]
struct RequestRow {
    id: String,
    object_kind: String,
    object_id: String,
    organisation_id: Option<String>,
    shown: String,
    digest: String,
    askers: String,
    needs: String,
    opened_at: i64,
    state: String,
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = approvals)]
struct ApprovalRow {
    request_id: String,
    person: String,
    step: String,
    verdict: String,
    decided_at: i64,
    reason: String,
    actor: String,
    digest: String,
}

impl RequestRow {
    fn of(request: &ApprovalRequest) -> Self {
        Self {
            id: request.id.to_string(),
            object_kind: request.object.kind.clone(),
            object_id: request.object.id.clone(),
            organisation_id: request.organisation.as_ref().map(ToString::to_string),
            shown: request.shown.to_string(),
            digest: request.digest.to_string(),
            askers: json!(request.askers).to_string(),
            needs: json!(request.needs).to_string(),
            opened_at: request.opened_at.millis(),
            state: request.state.word().to_owned(),
        }
    }

    fn read(self, decisions: Vec<ApprovalRow>) -> Result<ApprovalRequest, StoreError> {
        let place = Place::new("approval request", &self.id);
        let organisation = self.organisation_id.as_deref().map(OrganisationId::parse).transpose();
        Ok(ApprovalRequest {
            id: place.ok("id", ApprovalId::parse(&self.id))?,
            object: ObjectRef::new(&self.object_kind, &self.object_id),
            organisation: place.ok("organisation_id", organisation)?,
            shown: place.ok("shown", serde_json::from_str(&self.shown))?,
            digest: place.digest("digest", &self.digest)?,
            askers: place.ok("askers", serde_json::from_str(&self.askers))?,
            needs: place.ok("needs", serde_json::from_str(&self.needs))?,
            opened_at: Timestamp::from_millis(self.opened_at),
            state: place.some("state", ApprovalState::from_word(&self.state))?,
            decisions: decisions.into_iter().map(ApprovalRow::read).collect::<Result<_, _>>()?,
        })
    }
}

impl ApprovalRow {
    fn read(self) -> Result<Approval, StoreError> {
        let place = Place::new("approval", &self.request_id);
        Ok(Approval {
            step: place.some("step", Step::from_word(&self.step))?,
            verdict: place.some("verdict", Verdict::from_word(&self.verdict))?,
            person: place.some("person", Party::parse(&self.person))?,
            at: Timestamp::from_millis(self.decided_at),
            reason: self.reason,
            actor: place.ok("actor", serde_json::from_str(&self.actor))?,
            digest: place.digest("digest", &self.digest)?,
        })
    }
}

impl Tx<'_> {
    /// A request within the scope, locked when this transaction writes. What belongs to the
    /// platform is seen by those who reach everywhere (AB-7).
    pub fn load_approval_request(
        &mut self,
        scope: &Scope,
        id: &ApprovalId,
    ) -> Result<ApprovalRequest, StoreError> {
        if self.writes() {
            lock_row!(self, approval_requests, id.as_str());
        }
        let row = approval_requests::table
            .find(id.as_str())
            .select(RequestRow::as_select())
            .first(self.conn)
            .optional()?
            .ok_or(StoreError::NotFound { what: "approval request" })?;
        let request = self.with_approvals(row)?;
        match &request.organisation {
            Some(organisation) => self.within(scope, organisation, "approval request")?,
            None if *scope == Scope::Platform => {}
            None => return Err(StoreError::NotFound { what: "approval request" }),
        }
        Ok(request)
    }

    /// The request about an object that is not void, whoever asked: there is one at most. Locked when
    /// this transaction writes.
    pub fn find_approval_request(
        &mut self,
        object: &ObjectRef,
    ) -> Result<Option<ApprovalRequest>, StoreError> {
        let newest = approval_requests::table
            .filter(approval_requests::object_kind.eq(&object.kind))
            .filter(approval_requests::object_id.eq(&object.id))
            .filter(approval_requests::state.ne(ApprovalState::Void.word()))
            .order((approval_requests::opened_at.desc(), approval_requests::id.desc()))
            .select(approval_requests::id)
            .first::<String>(self.conn)
            .optional()?;
        let Some(id) = newest else { return Ok(None) };
        let id = Place::new("approval request", &id).ok("id", ApprovalId::parse(&id))?;
        self.load_approval_request(&Scope::Platform, &id).map(Some)
    }

    /// Every request about an object, oldest first, void ones too.
    pub fn approval_requests_of(
        &mut self,
        object: &ObjectRef,
    ) -> Result<Vec<ApprovalRequest>, StoreError> {
        let rows = approval_requests::table
            .filter(approval_requests::object_kind.eq(&object.kind))
            .filter(approval_requests::object_id.eq(&object.id))
            .order((approval_requests::opened_at, approval_requests::id))
            .select(RequestRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(|row| self.with_approvals(row)).collect()
    }

    /// Open requests about objects of a kind, oldest first.
    pub fn open_approval_requests(
        &mut self,
        kind: &str,
    ) -> Result<Vec<ApprovalRequest>, StoreError> {
        let rows = approval_requests::table
            .filter(approval_requests::object_kind.eq(kind))
            .filter(approval_requests::state.eq(ApprovalState::Open.word()))
            .order((approval_requests::opened_at, approval_requests::id))
            .select(RequestRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(|row| self.with_approvals(row)).collect()
    }

    /// The newest request about an object of a kind, whatever its state.
    pub fn last_approval_request(
        &mut self,
        kind: &str,
    ) -> Result<Option<ApprovalRequest>, StoreError> {
        let row = approval_requests::table
            .filter(approval_requests::object_kind.eq(kind))
            .order((approval_requests::opened_at.desc(), approval_requests::id.desc()))
            .select(RequestRow::as_select())
            .first(self.conn)
            .optional()?;
        row.map(|row| self.with_approvals(row)).transpose()
    }

    fn with_approvals(&mut self, row: RequestRow) -> Result<ApprovalRequest, StoreError> {
        let decisions = approvals::table
            .filter(approvals::request_id.eq(&row.id))
            .order((approvals::decided_at, approvals::person))
            .select(ApprovalRow::as_select())
            .load(self.conn)?;
        row.read(decisions)
    }

    pub(crate) fn insert_approval_request(
        &mut self,
        request: &ApprovalRequest,
    ) -> Result<(), StoreError> {
        diesel::insert_into(approval_requests::table)
            .values(RequestRow::of(request))
            .execute(self.conn)?;
        Ok(())
    }

    /// Keeps a decision, and the state that the request has with it.
    pub(crate) fn insert_approval(
        &mut self,
        request: &ApprovalRequest,
        decision: &Approval,
    ) -> Result<(), StoreError> {
        diesel::insert_into(approvals::table)
            .values(ApprovalRow {
                request_id: request.id.to_string(),
                person: decision.person.to_string(),
                step: decision.step.word().to_owned(),
                verdict: decision.verdict.word().to_owned(),
                decided_at: decision.at.millis(),
                reason: decision.reason.clone(),
                actor: json!(decision.actor).to_string(),
                digest: decision.digest.to_string(),
            })
            .execute(self.conn)?;
        self.move_approval_request(&request.id, &[ApprovalState::Open], request.state)
    }

    /// What was shown changed, or its object ended.
    pub(crate) fn void_approval_request(&mut self, id: &ApprovalId) -> Result<(), StoreError> {
        let from = [ApprovalState::Open, ApprovalState::Approved];
        self.move_approval_request(id, &from, ApprovalState::Void)
    }

    fn move_approval_request(
        &mut self,
        id: &ApprovalId,
        from: &[ApprovalState],
        to: ApprovalState,
    ) -> Result<(), StoreError> {
        let from: Vec<_> = from.iter().map(|state| state.word()).collect();
        let standing = approval_requests::table
            .find(id.as_str())
            .filter(approval_requests::state.eq_any(from));
        let rows = diesel::update(standing)
            .set(approval_requests::state.eq(to.word()))
            .execute(self.conn)?;
        one(rows, "approval request")
    }
}

//! Table `incidents`: what people must look into and decide.

use diesel::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tenkoku_domain::id::{ApplicationId, IncidentId};
use tenkoku_domain::incident::{
    Incident, IncidentClosing, IncidentDecision, IncidentKind, IncidentState,
};
use tenkoku_domain::key::Fingerprint;
use tenkoku_domain::time::Timestamp;

use crate::column::{Place, millis};
use crate::connection::AnyBackend;
use crate::error::StoreError;
use crate::page::Page;
use crate::schema::incidents;
use crate::tx::{Tx, lock_row, one};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = incidents)]
struct IncidentRow {
    id: String,
    kind: String,
    fingerprint: String,
    application_id: Option<String>,
    organisations: String,
    certificates: String,
    told: String,
    opened_at: i64,
    state: String,
    decision: Option<String>,
    reason: Option<String>,
    closed_at: Option<i64>,
}

fn json<T: Serialize>(list: &[T]) -> String {
    // Identifiers and words always have a JSON form.
    serde_json::to_string(list).unwrap_or_default()
}

fn list<T: DeserializeOwned>(
    place: Place<'_>,
    column: &'static str,
    text: &str,
) -> Result<Vec<T>, StoreError> {
    place.ok(column, serde_json::from_str(text))
}

impl From<&Incident> for IncidentRow {
    fn from(incident: &Incident) -> Self {
        let closed = incident.closed.as_ref();
        Self {
            id: incident.id.to_string(),
            kind: incident.kind.to_string(),
            fingerprint: incident.fingerprint.to_string(),
            application_id: incident.application.as_ref().map(ToString::to_string),
            organisations: json(&incident.organisations),
            certificates: json(&incident.certificates),
            told: json(&incident.told),
            opened_at: incident.opened_at.millis(),
            state: incident.state().to_string(),
            decision: closed.map(|closing| closing.decision.to_string()),
            reason: closed.map(|closing| closing.reason.clone()),
            closed_at: millis(closed.map(|closing| closing.at)),
        }
    }
}

impl IncidentRow {
    fn read(self) -> Result<Incident, StoreError> {
        let place = Place::new("incident", &self.id);
        let application = self.application_id.as_deref().map(ApplicationId::parse).transpose();
        let closed = match (self.decision.as_deref(), self.reason, self.closed_at) {
            (Some(decision), Some(reason), Some(at)) => Some(IncidentClosing {
                decision: place.some("decision", IncidentDecision::from_word(decision))?,
                reason,
                at: Timestamp::from_millis(at),
            }),
            _ => None,
        };
        Ok(Incident {
            id: place.ok("id", IncidentId::parse(&self.id))?,
            kind: place.some("kind", IncidentKind::from_word(&self.kind))?,
            fingerprint: Fingerprint(place.digest("fingerprint", &self.fingerprint)?),
            application: place.ok("application_id", application)?,
            organisations: list(place, "organisations", &self.organisations)?,
            certificates: list(place, "certificates", &self.certificates)?,
            told: list(place, "told", &self.told)?,
            opened_at: Timestamp::from_millis(self.opened_at),
            closed,
        })
    }
}

impl Tx<'_> {
    /// An incident. Incidents concern several organisations; only those who act for the platform
    /// see them.
    pub fn load_incident(&mut self, id: &IncidentId) -> Result<Incident, StoreError> {
        incidents::table
            .find(id.as_str())
            .select(IncidentRow::as_select())
            .first(self.conn)
            .optional()?
            .ok_or(StoreError::NotFound { what: "incident" })?
            .read()
    }

    /// An incident, locked until the end of the transaction.
    pub fn lock_incident(&mut self, id: &IncidentId) -> Result<Incident, StoreError> {
        lock_row!(self, incidents, id.as_str());
        self.load_incident(id)
    }

    /// The open incident over a key, if any.
    pub fn find_open_incident(
        &mut self,
        fingerprint: &Fingerprint,
    ) -> Result<Option<Incident>, StoreError> {
        incidents::table
            .filter(incidents::fingerprint.eq(fingerprint.to_string()))
            .filter(incidents::state.eq(IncidentState::Open.word()))
            .select(IncidentRow::as_select())
            .first(self.conn)
            .optional()?
            .map(IncidentRow::read)
            .transpose()
    }

    /// Incidents, newest first; of one state where one is given.
    pub fn list_incidents(
        &mut self,
        state: Option<IncidentState>,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Page<Incident>, StoreError> {
        let mut query = incidents::table.into_boxed::<AnyBackend>();
        if let Some(state) = state {
            query = query.filter(incidents::state.eq(state.word()));
        }
        if let Some(after) = after {
            query = query.filter(incidents::id.lt(after));
        }
        let rows = query
            .order(incidents::id.desc())
            .limit(limit.saturating_add(1))
            .select(IncidentRow::as_select())
            .load(self.conn)?;
        Page::of(rows, limit, |row| row.id.clone()).try_map(IncidentRow::read)
    }

    /// How many incidents are open.
    pub fn count_open_incidents(&mut self) -> Result<i64, StoreError> {
        Ok(incidents::table
            .filter(incidents::state.eq(IncidentState::Open.word()))
            .count()
            .get_result(self.conn)?)
    }

    /// Keeps a new incident; while one is open for the key, another is a conflict.
    pub(crate) fn insert_incident(&mut self, incident: &Incident) -> Result<(), StoreError> {
        let row = IncidentRow::from(incident);
        diesel::insert_into(incidents::table).values(row).execute(self.conn)?;
        Ok(())
    }

    /// An open incident was decided.
    pub(crate) fn close_incident(&mut self, incident: &Incident) -> Result<(), StoreError> {
        let row = IncidentRow::from(incident);
        let open = incidents::state.eq(IncidentState::Open.word());
        let rows = diesel::update(incidents::table.find(&row.id).filter(open))
            .set((
                incidents::state.eq(&row.state),
                incidents::decision.eq(&row.decision),
                incidents::reason.eq(&row.reason),
                incidents::closed_at.eq(row.closed_at),
            ))
            .execute(self.conn)?;
        one(rows, "incident")
    }
}

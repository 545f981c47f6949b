//! Table `proofing_records`: how identities were checked, by whom, on what evidence, and for how
//! long it holds (DOMAIN 16).

use diesel::prelude::*;
use serde_json::json;
use tenkoku_domain::access::{Actor, Scope};
use tenkoku_domain::audit::Proofing;
use tenkoku_domain::id::{BranchId, OrganisationId, PersonId, ProofingId};
use tenkoku_domain::identifier::Lei;
use tenkoku_domain::person::Party;
use tenkoku_domain::proofing::{Method, ProofingRecord, Subject};
use tenkoku_domain::time::Timestamp;

use crate::column::{Place, level_number};
use crate::error::StoreError;
use crate::schema::{leis, proofing_records};
use crate::tx::Tx;

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = proofing_records)]
struct ProofingRow {
    id: String,
    organisation_id: String,
    subject_kind: String,
    subject_id: String,
    method: String,
    level: i16,
    performed_by: String,
    performed_at: i64,
    valid_until: i64,
    evidence: String,
    source: Option<String>,
}

impl From<&ProofingRecord> for ProofingRow {
    fn from(record: &ProofingRecord) -> Self {
        let (kind, id) = match &record.subject {
            Subject::Organisation => ("organisation", String::new()),
            Subject::Person(id) => ("person", id.to_string()),
            Subject::Branch(id) => ("branch", id.to_string()),
        };
        Self {
            id: record.id.to_string(),
            organisation_id: record.organisation.to_string(),
            subject_kind: kind.to_owned(),
            subject_id: id,
            method: record.method.to_string(),
            level: level_number(record.level),
            performed_by: record.performed_by.to_string(),
            performed_at: record.performed_at.millis(),
            valid_until: record.valid_until.millis(),
            evidence: json!(record.evidence).to_string(),
            source: record.source.as_ref().map(|source| json!(source).to_string()),
        }
    }
}

impl ProofingRow {
    fn read(self) -> Result<ProofingRecord, StoreError> {
        let place = Place::new("proofing", &self.id);
        let organisation = OrganisationId::parse(&self.organisation_id);
        let subject = match self.subject_kind.as_str() {
            "organisation" => Some(Subject::Organisation),
            "person" => PersonId::parse(&self.subject_id).ok().map(Subject::Person),
            "branch" => BranchId::parse(&self.subject_id).ok().map(Subject::Branch),
            _ => None,
        };
        let source = self.source.as_deref().map(serde_json::from_str).transpose();
        Ok(ProofingRecord {
            id: place.ok("id", ProofingId::parse(&self.id))?,
            organisation: place.ok("organisation_id", organisation)?,
            subject: place.some("subject_id", subject)?,
            method: place.some("method", Method::from_word(&self.method))?,
            level: place.level("level", self.level)?,
            performed_by: place.some("performed_by", Party::parse(&self.performed_by))?,
            performed_at: Timestamp::from_millis(self.performed_at),
            valid_until: Timestamp::from_millis(self.valid_until),
            evidence: place.ok("evidence", serde_json::from_str(&self.evidence))?,
            source: place.ok("source", source)?,
        })
    }
}

impl Tx<'_> {
    /// The proofings of an organisation within the scope, oldest first.
    pub fn list_proofings(
        &mut self,
        scope: &Scope,
        organisation: &OrganisationId,
    ) -> Result<Vec<ProofingRecord>, StoreError> {
        self.load_organisation(scope, organisation)?;
        let rows = proofing_records::table
            .filter(proofing_records::organisation_id.eq(organisation.as_str()))
            .order((proofing_records::performed_at, proofing_records::id))
            .select(ProofingRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(ProofingRow::read).collect()
    }

    /// When an LEI was last proofed to be an organisation's; `None` where it never was.
    pub fn proofed_lei(
        &mut self,
        organisation: &OrganisationId,
        lei: &Lei,
    ) -> Result<Option<Timestamp>, StoreError> {
        let at = leis::table
            .find(lei.to_string())
            .filter(leis::organisation_id.eq(organisation.as_str()))
            .select(leis::proofed_at)
            .first(self.conn)
            .optional()?;
        Ok(at.map(Timestamp::from_millis))
    }

    /// The organisation that an LEI was proofed for.
    pub fn holder_of_lei(&mut self, lei: &Lei) -> Result<Option<OrganisationId>, StoreError> {
        let lei = lei.to_string();
        let place = Place::new("LEI", &lei);
        let holder: Option<String> =
            leis::table.find(&lei).select(leis::organisation_id).first(self.conn).optional()?;
        holder.map(|id| place.ok("organisation_id", OrganisationId::parse(&id))).transpose()
    }

    /// Keeps that an LEI was proofed; a later look-up renews it.
    pub(crate) fn keep_lei(
        &mut self,
        organisation: &OrganisationId,
        lei: &Lei,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let known = leis::table
            .find(lei.to_string())
            .filter(leis::organisation_id.eq(organisation.as_str()));
        let renewed =
            diesel::update(known).set(leis::proofed_at.eq(at.millis())).execute(self.conn)?;
        if renewed == 0 {
            diesel::insert_into(leis::table)
                .values((
                    leis::lei.eq(lei.to_string()),
                    leis::organisation_id.eq(organisation.as_str()),
                    leis::proofed_at.eq(at.millis()),
                ))
                .execute(self.conn)?;
        }
        Ok(())
    }

    /// Keeps a proofing.
    pub(crate) fn insert_proofing(&mut self, record: &ProofingRecord) -> Result<(), StoreError> {
        let row = ProofingRow::from(record);
        diesel::insert_into(proofing_records::table).values(row).execute(self.conn)?;
        Ok(())
    }

    /// Keeps the look-up with which an organisation was recorded: its first proofing.
    pub(crate) fn insert_first_proofing(
        &mut self,
        organisation: &OrganisationId,
        proofing: &Proofing,
        actor: &Actor,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let place = Place::new("proofing", organisation.as_str());
        let id = organisation.as_str().replacen(OrganisationId::PREFIX, ProofingId::PREFIX, 1);
        let method = place.some("method", Method::from_word(&proofing.method))?;
        let record = ProofingRecord {
            id: place.ok("id", ProofingId::parse(&id))?,
            organisation: organisation.clone(),
            subject: Subject::Organisation,
            method,
            level: method.reaches(),
            performed_by: match self.party(actor) {
                // Accounts are never deleted; what is recorded without one came from the machine.
                Err(StoreError::NotFound { .. }) => Party::Shell,
                known => known?,
            },
            performed_at: at,
            valid_until: at.plus_days(method.days()),
            evidence: vec![proofing.evidence],
            source: None,
        };
        self.insert_proofing(&record)
    }
}

//! Tables `batches` and `batch_rows`: lists that are applied for as a whole. How far a row is is no
//! event: what is done for it is recorded by the application.

use std::collections::BTreeMap;

use diesel::dsl::count_star;
use diesel::prelude::*;
use tenkoku_domain::access::Scope;
use tenkoku_domain::batch::{Batch, BatchProgress, BatchRow, BatchState, RowState};
use tenkoku_domain::branch::BranchCode;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::{
    ApplicationId, BatchId, BranchId, CertificateId, GrantId, OrganisationId,
};
use tenkoku_domain::time::Timestamp;

use crate::column::{Place, level_number};
use crate::error::StoreError;
use crate::schema::{batch_rows, batches};
use crate::tx::{Tx, lock_row, one};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = batches)]
struct BatchColumns {
    id: String,
    organisation_id: String,
    level: i16,
    validity_days: Option<i64>,
    grant_id: Option<String>,
    digest: String,
    row_count: i64,
    asked_by: String,
    asked_at: i64,
    state: String,
}

#[derive(AsChangeset, Insertable, Queryable, Selectable)]
#[diesel(table_name = batch_rows)]
#[diesel(treat_none_as_null = true)]
struct RowColumns {
    batch_id: String,
    line: i64,
    branch_id: String,
    code: String,
    state: String,
    application_id: Option<String>,
    proof: Option<Vec<u8>>,
    refusal: Option<String>,
    certificate_id: Option<String>,
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Database(Box::new(error)))
}

impl BatchColumns {
    fn of(batch: &Batch) -> Result<Self, StoreError> {
        Ok(Self {
            id: batch.id.to_string(),
            organisation_id: batch.organisation.to_string(),
            level: level_number(batch.level),
            validity_days: batch.validity_days,
            grant_id: batch.grant.as_ref().map(ToString::to_string),
            digest: batch.digest.to_string(),
            row_count: batch.rows,
            asked_by: json(&batch.asked_by)?,
            asked_at: batch.asked_at.millis(),
            state: batch.state.to_string(),
        })
    }

    fn read(self) -> Result<Batch, StoreError> {
        let place = Place::new("batch", &self.id);
        let grant = self.grant_id.as_deref().map(GrantId::parse).transpose();
        Ok(Batch {
            id: place.ok("id", BatchId::parse(&self.id))?,
            organisation: place
                .ok("organisation_id", OrganisationId::parse(&self.organisation_id))?,
            level: place.level("level", self.level)?,
            validity_days: self.validity_days,
            grant: place.ok("grant_id", grant)?,
            digest: place.ok("digest", Digest::parse(&self.digest))?,
            rows: self.row_count,
            asked_by: place.ok("asked_by", serde_json::from_str(&self.asked_by))?,
            asked_at: Timestamp::from_millis(self.asked_at),
            state: place.some("state", BatchState::from_word(&self.state))?,
        })
    }
}

impl RowColumns {
    fn of(row: &BatchRow) -> Result<Self, StoreError> {
        Ok(Self {
            batch_id: row.batch.to_string(),
            line: row.line,
            branch_id: row.branch.to_string(),
            code: row.code.to_string(),
            state: row.state.to_string(),
            application_id: row.application.as_ref().map(ToString::to_string),
            proof: row.proof.clone(),
            refusal: row.refusal.as_ref().map(json).transpose()?,
            certificate_id: row.certificate.as_ref().map(ToString::to_string),
        })
    }

    fn read(self) -> Result<BatchRow, StoreError> {
        let place = Place::new("row of a batch", &self.batch_id);
        let application = self.application_id.as_deref().map(ApplicationId::parse).transpose();
        let certificate = self.certificate_id.as_deref().map(CertificateId::parse).transpose();
        let refusal = self.refusal.as_deref().map(serde_json::from_str).transpose();
        Ok(BatchRow {
            batch: place.ok("batch_id", BatchId::parse(&self.batch_id))?,
            line: self.line,
            branch: place.ok("branch_id", BranchId::parse(&self.branch_id))?,
            code: place.ok("code", BranchCode::parse(&self.code))?,
            state: place.some("state", RowState::from_word(&self.state))?,
            application: place.ok("application_id", application)?,
            proof: self.proof,
            refusal: place.ok("refusal", refusal)?,
            certificate: place.ok("certificate_id", certificate)?,
        })
    }
}

impl Tx<'_> {
    /// A batch within the scope, locked when this transaction writes.
    pub fn load_batch(&mut self, scope: &Scope, id: &BatchId) -> Result<Batch, StoreError> {
        const MISSING: StoreError = StoreError::NotFound { what: "batch" };
        if self.writes() {
            lock_row!(self, batches, id.as_str());
        }
        let found = batches::table.find(id.as_str()).select(BatchColumns::as_select());
        let batch = found.first(self.conn).optional()?.ok_or(MISSING)?.read()?;
        if scope.covers_organisation(&batch.organisation) { Ok(batch) } else { Err(MISSING) }
    }

    /// The batches of an organisation within the scope, newest first.
    pub fn list_batches(
        &mut self,
        scope: &Scope,
        organisation: &OrganisationId,
        limit: i64,
    ) -> Result<Vec<Batch>, StoreError> {
        self.load_organisation(scope, organisation)?;
        if !scope.covers_organisation(organisation) {
            return Ok(Vec::new());
        }
        let rows = batches::table
            .filter(batches::organisation_id.eq(organisation.as_str()))
            .order(batches::id.desc())
            .limit(limit)
            .select(BatchColumns::as_select())
            .load(self.conn)?;
        rows.into_iter().map(BatchColumns::read).collect()
    }

    /// The batches that a job works on.
    pub fn working_batches(&mut self) -> Result<Vec<BatchId>, StoreError> {
        let ids: Vec<String> = batches::table
            .filter(batches::state.eq(BatchState::Approved.word()))
            .order(batches::id)
            .select(batches::id)
            .load(self.conn)?;
        ids.iter().map(|id| Place::new("batch", id).ok("id", BatchId::parse(id))).collect()
    }

    /// How far a batch is.
    pub fn batch_progress(&mut self, id: &BatchId) -> Result<BatchProgress, StoreError> {
        let counts: BTreeMap<String, i64> = batch_rows::table
            .group_by(batch_rows::state)
            .filter(batch_rows::batch_id.eq(id.as_str()))
            .select((batch_rows::state, count_star()))
            .load::<(String, i64)>(self.conn)?
            .into_iter()
            .collect();
        let count = |state: RowState| counts.get(state.word()).copied().unwrap_or(0);
        Ok(BatchProgress {
            waiting: count(RowState::Waiting),
            applied: count(RowState::Applied),
            issued: count(RowState::Issued),
            failed: count(RowState::Failed),
        })
    }

    /// Rows of a batch after a line, in the order of the list.
    pub fn batch_rows(
        &mut self,
        id: &BatchId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<BatchRow>, StoreError> {
        let rows = batch_rows::table
            .filter(batch_rows::batch_id.eq(id.as_str()))
            .filter(batch_rows::line.gt(after))
            .order(batch_rows::line)
            .limit(limit)
            .select(RowColumns::as_select())
            .load(self.conn)?;
        rows.into_iter().map(RowColumns::read).collect()
    }

    /// Rows after a line for which something can be done, in the order of the list.
    pub fn due_batch_rows(
        &mut self,
        id: &BatchId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<BatchRow>, StoreError> {
        let shown =
            batch_rows::state.eq(RowState::Applied.word()).and(batch_rows::proof.is_not_null());
        let rows = batch_rows::table
            .filter(batch_rows::batch_id.eq(id.as_str()))
            .filter(batch_rows::line.gt(after))
            .filter(batch_rows::state.eq(RowState::Waiting.word()).or(shown))
            .order(batch_rows::line)
            .limit(limit)
            .select(RowColumns::as_select())
            .load(self.conn)?;
        rows.into_iter().map(RowColumns::read).collect()
    }

    /// A row of a batch.
    pub fn load_batch_row(&mut self, id: &BatchId, line: i64) -> Result<BatchRow, StoreError> {
        batch_rows::table
            .find((id.as_str(), line))
            .select(RowColumns::as_select())
            .first(self.conn)
            .optional()?
            .ok_or(StoreError::NotFound { what: "row" })?
            .read()
    }

    /// Keeps how far a row is.
    pub fn keep_batch_row(&mut self, row: &BatchRow) -> Result<(), StoreError> {
        let columns = RowColumns::of(row)?;
        self.change(|tx| {
            let known = batch_rows::table.find((row.batch.as_str(), row.line));
            one(diesel::update(known).set(columns).execute(tx.conn)?, "row of a batch")
        })
    }

    pub(crate) fn insert_batch(
        &mut self,
        batch: &Batch,
        rows: &[BatchRow],
    ) -> Result<(), StoreError> {
        diesel::insert_into(batches::table).values(BatchColumns::of(batch)?).execute(self.conn)?;
        for row in rows {
            diesel::insert_into(batch_rows::table)
                .values(RowColumns::of(row)?)
                .execute(self.conn)?;
        }
        Ok(())
    }

    pub(crate) fn move_batch(&mut self, from: BatchState, batch: &Batch) -> Result<(), StoreError> {
        let there = batches::table.find(batch.id.as_str()).filter(batches::state.eq(from.word()));
        let rows =
            diesel::update(there).set(batches::state.eq(batch.state.word())).execute(self.conn)?;
        one(rows, "batch")
    }
}

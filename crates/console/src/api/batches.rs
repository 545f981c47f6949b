//! Lists of branch offices that are applied for as a whole (DOMAIN 15).

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Path, Query};
use serde::{Deserialize, Serialize};
use tenkoku_ca::batch::{self, BatchError, BatchOrder, Faulty};
use tenkoku_domain::access::{Apply, Scope, ViewRegistry};
use tenkoku_domain::application::ApplicationState;
use tenkoku_domain::batch::{Batch, BatchProgress, BatchRow, BatchState};
use tenkoku_domain::id::{BatchId, GrantId};
use tenkoku_domain::level::Level;
use tenkoku_ports::Env;
use tenkoku_store::{Page, StoreError};
use utoipa::ToSchema;

use super::BASE;
use super::answer::{PageQuery, Paged, done, made, one};
use super::door::{Call, Called};
use super::registry::organisation_id;
use crate::problem::Problem;
use crate::text::explain;
use crate::text::language::Asked;

/// Batches that are told of, newest first.
const LISTED: i64 = 100;

/// A list that is applied for as a whole.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Batch)]
pub struct BatchJson {
    /// Its identifier.
    id: String,
    /// Whose branch offices.
    organisation: String,
    /// The level of the seals.
    level: u8,
    /// The grant that every application is made under.
    grant: Option<String>,
    /// The digest of the list: what is approved.
    digest: String,
    /// `asked`, `approved`, `paused`, `done`, `rejected` or `cancelled`.
    state: String,
    /// How many rows it has.
    rows: i64,
    /// Rows of which nothing was done yet.
    waiting: i64,
    /// Rows that are applied for.
    applied: i64,
    /// Rows that are issued.
    issued: i64,
    /// Rows that wait for a correction.
    failed: i64,
    /// When it was asked for (RFC 3339, UTC).
    asked_at: String,
}

impl BatchJson {
    fn of(one: &Batch, progress: BatchProgress) -> Self {
        Self {
            id: one.id.to_string(),
            organisation: one.organisation.to_string(),
            level: one.level.number(),
            grant: one.grant.as_ref().map(ToString::to_string),
            digest: one.digest.to_string(),
            state: one.state.to_string(),
            rows: one.rows,
            waiting: progress.waiting,
            applied: progress.applied,
            issued: progress.issued,
            failed: progress.failed,
            asked_at: one.asked_at.to_string(),
        }
    }
}

/// A row of a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BatchRow)]
pub struct BatchRowJson {
    /// Its line.
    line: i64,
    /// The code of the branch office.
    branch: String,
    /// `waiting`, `applied`, `issued` or `failed`.
    state: String,
    /// The application, once it is made.
    application: Option<String>,
    /// What the key must sign, while the application waits for it.
    challenge: Option<String>,
    /// The code of the refusal.
    problem: Option<String>,
}

fn shown(env: &Env, scope: &Scope, id: &BatchId) -> Result<BatchJson, StoreError> {
    env.store.read(|tx| {
        let batch = tx.load_batch(scope, id)?;
        let progress = tx.batch_progress(id)?;
        Ok(BatchJson::of(&batch, progress))
    })
}

fn batch_id(text: &str) -> Result<BatchId, Problem> {
    BatchId::parse(text).map_err(|_| Problem::not_found())
}

/// `GET /organisations/{organisation}/batches`
pub async fn list_batches(
    called: Called<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = organisation_id(&id)?;
    let found = call
        .run(move |env| {
            env.store.read(|tx| {
                let mut found = Vec::new();
                for batch in tx.list_batches(permit.scope(), &id, LISTED)? {
                    let progress = tx.batch_progress(&batch.id)?;
                    found.push(BatchJson::of(&batch, progress));
                }
                Ok::<_, StoreError>(found)
            })
        })
        .await?;
    one(&call, &Paged::all(found))
}

/// `GET /batches/{batch}`
pub async fn show_batch(
    called: Called<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = batch_id(&id)?;
    let found = call.run(move |env| shown(env, permit.scope(), &id)).await?;
    one(&call, &found)
}

/// `GET /batches/{batch}/rows`
pub async fn list_batch_rows(
    called: Called<ViewRegistry>,
    id: Path<String>,
    page: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let (id, limit) = (batch_id(&id)?, page.limit()?);
    let after = match page.after()? {
        None => 0,
        Some(key) => key.parse::<i64>().map_err(|_| Problem::not_found())?,
    };
    let found = call
        .run(move |env| {
            env.store.read(|tx| {
                tx.load_batch(permit.scope(), &id)?;
                let mut found = Vec::new();
                for row in tx.batch_rows(&id, after, limit)? {
                    let challenge = match &row.application {
                        None => None,
                        Some(id) => {
                            let state = tx.load_application(&Scope::Platform, id)?.state;
                            let waits = state == ApplicationState::KeyProof;
                            if waits { Some(tx.current_challenge(id)?.text) } else { None }
                        }
                    };
                    found.push((row, challenge));
                }
                Ok::<_, StoreError>(found)
            })
        })
        .await?;
    let full = i64::try_from(found.len()).is_ok_and(|n| n == limit);
    let next = found.last().filter(|_| full).map(|(row, _)| row.line.to_string());
    let row = |(row, challenge): (BatchRow, Option<String>)| BatchRowJson {
        line: row.line,
        branch: row.code.to_string(),
        state: row.state.to_string(),
        application: row.application.map(|id| id.to_string()),
        challenge,
        problem: row.refusal.map(|refusal| refusal.code.to_string()),
    };
    one(&call, &Paged::of(Page { items: found, next }, row))
}

/// A list to be applied for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewBatch, example = json!({ "level": 1, "branches": ["HQ"] }))]
pub struct NewBatchJson {
    /// The level of the seals: 1, 2 or 3.
    #[schema(minimum = 1, maximum = 3)]
    level: u8,
    /// The codes of the branch offices, at most 10,000.
    #[schema(min_items = 1, max_items = 10000)]
    branches: Vec<String>,
    /// Validity in days; the policy's longest where none is asked for.
    #[serde(default)]
    #[schema(minimum = 1)]
    validity_days: Option<i64>,
    /// The grant that every application is made under.
    #[serde(default)]
    grant: Option<String>,
    /// Whether rows that are at fault are left out; else nothing is created where one is.
    #[serde(default)]
    valid_lines_only: bool,
}

/// What is wrong with rows, by their place in the document.
fn told(call: &Call, member: &str, error: BatchError) -> Problem {
    match error {
        BatchError::Act(error) => error.into(),
        BatchError::File(error) => Problem::new(StatusCode::BAD_REQUEST, "request-malformed")
            .with_field(&format!("/{member}"), error.to_string()),
        BatchError::Rows(rows) => {
            let language = call.known.account.language;
            let words = Asked::of(&call.request).words(None, language);
            let Some(first) = rows.first() else { return Problem::not_found() };
            rows.iter().fold(Problem::from_refusal(&first.refusal), |problem, row| {
                let pointer = format!("/{member}/{}", row.line.saturating_sub(1));
                let told = explain::refusal(words.language(), &row.refusal);
                problem.with_field(&pointer, told.what)
            })
        }
    }
}

fn list(rows: &[BTreeMap<&str, &str>]) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(rows).map_err(|error| Problem::internal(&error))
}

/// `POST /organisations/{organisation}/batches`
pub async fn load_batch(called: Called<Apply>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let new: NewBatchJson = call.json()?;
    let rows: Vec<_> =
        new.branches.iter().map(|code| BTreeMap::from([("branch", code.as_str())])).collect();
    let wrong = |pointer: &str, detail: &str| {
        Problem::new(StatusCode::BAD_REQUEST, "request-malformed").with_field(pointer, detail)
    };
    let order = BatchOrder {
        organisation: organisation_id(&id)?,
        level: Level::try_from(new.level).map_err(|_| wrong("/level", "1-3"))?,
        validity_days: new.validity_days,
        grant: match &new.grant {
            Some(id) => Some(GrantId::parse(id).map_err(|_| Problem::not_found())?),
            None => None,
        },
        list: list(&rows)?,
        faulty: if new.valid_lines_only { Faulty::LeaveOut } else { Faulty::Refuse },
    };
    let scope = permit.scope().clone();
    let loaded = call
        .run(move |env| Ok::<_, StoreError>(batch::load_batch(env, &permit, &order)))
        .await?
        .map_err(|error| told(&call, "branches", error))?;
    let id = loaded.batch.id;
    let found = call.run(move |env| shown(env, &scope, &id)).await?;
    made(&format!("{BASE}/batches/{}", found.id), &found)
}

/// Requests that show possession.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BatchProofs, example = json!({
    "proofs": [{
        "branch": "HQ",
        "request": "-----BEGIN CERTIFICATE REQUEST-----\n…\n-----END CERTIFICATE REQUEST-----\n"
    }]
}))]
pub struct BatchProofsJson {
    /// One for each row.
    #[schema(min_items = 1, max_items = 10000)]
    proofs: Vec<RowProofJson>,
}

/// What shows possession of the key of a row.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RowProof)]
pub struct RowProofJson {
    /// The code of the branch office.
    branch: String,
    /// A certification request (PEM) whose challengePassword is the row's challenge.
    request: String,
}

/// `POST /batches/{batch}/proofs`
pub async fn hand_in_proofs(
    called: Called<Apply>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = batch_id(&id)?;
    let BatchProofsJson { proofs } = call.json()?;
    let row = |proof: &RowProofJson| (proof.branch.clone(), proof.request.clone());
    let proofs: Vec<_> = proofs.iter().map(row).collect();
    let rows: Vec<_> = proofs
        .iter()
        .map(|(branch, request)| {
            BTreeMap::from([("branch", branch.as_str()), ("request", request.as_str())])
        })
        .collect();
    let file = list(&rows)?;
    let (scope, seen) = (permit.scope().clone(), id.clone());
    call.run(move |env| Ok::<_, StoreError>(batch::hand_in_proofs(env, &permit, &id, &file)))
        .await?
        .map_err(|error| told(&call, "proofs", error))?;
    done(&call.run(move |env| shown(env, &scope, &seen)).await?)
}

/// Where a batch goes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BatchMove, example = json!({ "step": "pause" }))]
pub struct BatchMoveJson {
    /// What is done.
    step: BatchStepJson,
}

/// A step of a batch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = BatchStep)]
pub enum BatchStepJson {
    /// It waits.
    Pause,
    /// It goes on.
    Resume,
    /// It is taken back; what was applied for stays.
    Cancel,
}

/// `POST /batches/{batch}/moves`
pub async fn turn_batch(called: Called<Apply>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = batch_id(&id)?;
    let BatchMoveJson { step } = call.json()?;
    let to = match step {
        BatchStepJson::Pause => BatchState::Paused,
        BatchStepJson::Resume => BatchState::Approved,
        BatchStepJson::Cancel => BatchState::Cancelled,
    };
    let (scope, seen) = (permit.scope().clone(), id.clone());
    call.run(move |env| batch::turn_batch(env, &permit, &id, to)).await?;
    done(&call.run(move |env| shown(env, &scope, &seen)).await?)
}

/// Which row.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RowChoice, example = json!({ "line": 1 }))]
pub struct RowChoiceJson {
    /// Its line.
    #[schema(minimum = 1)]
    line: i64,
}

/// `POST /batches/{batch}/retries`
pub async fn retry_row(called: Called<Apply>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = batch_id(&id)?;
    let RowChoiceJson { line } = call.json()?;
    let (scope, seen) = (permit.scope().clone(), id.clone());
    call.run(move |env| batch::retry_row(env, &permit, &id, line)).await?;
    done(&call.run(move |env| shown(env, &scope, &seen)).await?)
}

//! Lists of branch offices that are applied for as a whole: handed in, watched, paused, corrected.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Bytes, Path, Query};
use askama::Template;
use serde::Deserialize;
use tenkoku_ca::act::ActError;
use tenkoku_ca::batch::{
    BatchError, BatchOrder, Faulty, hand_in_proofs, load_batch, retry_row, rows_as_csv, turn_batch,
};
use tenkoku_domain::access::{Apply, Permission, Permit, ViewRegistry};
use tenkoku_domain::batch::{Batch, BatchProgress, BatchRow, BatchState, RowState};
use tenkoku_domain::grant::{Grant, GrantState};
use tenkoku_domain::id::{BatchId, GrantId, OrganisationId};
use tenkoku_domain::level::Level;
use tenkoku_domain::organisation::Organisation;
use tenkoku_domain::refusal::Refusal;
use tenkoku_ports::Env;
use tenkoku_store::StoreError;

use super::names::{self, application_href, organisation_href};
use super::tasks::TaskProgress;
use super::uploads;
use super::views::{Fact, ROWS, html, html_with, next_page, see_other};
use crate::fields::Fields;
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Chip, Crumb, FieldError, Tone};
use crate::problem::Problem;
use crate::text::{Words, explain};

const PATH: &str = "/console/batches";
/// Rows at fault that are told at once.
const TOLD_MOST: usize = 50;

/// A list in the table.
pub(super) struct BatchLine {
    pub(super) href: String,
    pub(super) id: String,
    pub(super) level: String,
    pub(super) state: Chip,
    pub(super) progress: String,
    pub(super) asked: String,
}

/// What a person hands in.
#[derive(Clone, Debug, Default)]
pub(super) struct BatchForm {
    /// Codes, one a line.
    pub(super) branches: String,
    /// A file in their place.
    file: Option<Bytes>,
    pub(super) level: String,
    pub(super) grant: String,
    pub(super) valid_lines_only: bool,
}

impl BatchForm {
    fn read(fields: &Fields) -> Result<Self, Problem> {
        Ok(Self {
            branches: fields.text("branches")?.to_owned(),
            file: fields.files("file").pop(),
            level: fields.text("level")?.to_owned(),
            grant: fields.text("grant")?.to_owned(),
            valid_lines_only: fields.text("valid-lines-only")? == "on",
        })
    }

    /// The field that holds the list.
    const fn list_field(&self) -> &'static str {
        if self.file.is_some() { "file" } else { "branches" }
    }
}

#[derive(Template)]
#[template(path = "admin/batches.html")]
pub(super) struct BatchesPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) action: String,
    pub(super) lines: Vec<BatchLine>,
    /// Number and name.
    pub(super) levels: Vec<(String, String)>,
    /// The grants of this person that are in force: identifier and name.
    pub(super) grants: Vec<(String, String)>,
    pub(super) form: BatchForm,
}

/// A row of a list.
pub(super) struct RowLine {
    pub(super) line: i64,
    pub(super) code: String,
    pub(super) state: Chip,
    /// Why it was refused.
    pub(super) problem: Option<String>,
    pub(super) application: Option<(String, String)>,
    pub(super) retry: bool,
}

#[derive(Template)]
#[template(path = "admin/batch.html")]
pub(super) struct BatchPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) running: bool,
    pub(super) href: String,
    pub(super) part: TaskProgress,
    pub(super) rows: Vec<RowLine>,
    pub(super) next: Option<String>,
    /// What may be done with it now: word and label.
    pub(super) steps: Vec<(&'static str, String)>,
    /// Whether requests that show possession are taken from this person now.
    pub(super) takes_proofs: bool,
}

fn organisation_id(text: &str) -> Result<OrganisationId, Problem> {
    OrganisationId::parse(text).map_err(|_| Problem::not_found())
}

fn batch_id(text: &str) -> Result<BatchId, Problem> {
    BatchId::parse(text).map_err(|_| Problem::not_found())
}

/// What the page of an organisation's lists is made of.
struct Ground {
    organisation: Organisation,
    batches: Vec<(Batch, BatchProgress)>,
    grants: Vec<Grant>,
}

/// `GET /console/organisations/{id}/batches`
pub async fn list_batches(
    granted: Granted<Apply>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let id = organisation_id(&id)?;
    html(&page(&visit, permit, &id, BatchForm::default(), Vec::new()).await?)
}

async fn page(
    visit: &Visit,
    permit: Permit<Apply>,
    id: &OrganisationId,
    form: BatchForm,
    errors: Vec<FieldError>,
) -> Result<BatchesPage, Problem> {
    let w = visit.words;
    let (wanted, grantee) = (id.clone(), visit.account.id.clone());
    let ground = visit
        .run(move |env| {
            env.store.read(|tx| {
                let organisation = tx.load_organisation(permit.scope(), &wanted)?;
                let mut batches = Vec::new();
                for batch in tx.list_batches(permit.scope(), &wanted, ROWS)? {
                    let progress = tx.batch_progress(&batch.id)?;
                    batches.push((batch, progress));
                }
                let grants = tx.grants_of(&wanted, &grantee)?;
                Ok::<_, StoreError>(Ground { organisation, batches, grants })
            })
        })
        .await?;
    let called = names::organisation(w, &ground.organisation);
    let title = w.t("admin.batch.title");
    let crumbs = vec![
        Crumb::link(w.t("admin.organisations.title"), "/console/organisations"),
        Crumb::link(called.name, organisation_href(id)),
        Crumb::here(title),
    ];
    let mut frame = visit.frame(title, crumbs);
    frame.has_errors = !errors.is_empty();
    let level = |level: Level| {
        let label = w.say("admin.applications.level").with("n", level).text();
        (level.to_string(), label)
    };
    let in_force = |grant: &&Grant| grant.state == GrantState::Active;
    let grant = |grant: &Grant| (grant.terms.id.to_string(), grant.terms.id.to_string());
    Ok(BatchesPage {
        w,
        frame,
        errors,
        action: format!("{}/batches", organisation_href(id)),
        lines: ground.batches.iter().map(|(batch, progress)| line(w, batch, *progress)).collect(),
        levels: Level::ALL.into_iter().map(level).collect(),
        grants: ground.grants.iter().filter(in_force).map(grant).collect(),
        form,
    })
}

fn line(w: Words, batch: &Batch, progress: BatchProgress) -> BatchLine {
    BatchLine {
        href: format!("{PATH}/{}", batch.id),
        id: batch.id.to_string(),
        level: w.say("admin.applications.level").with("n", batch.level).text(),
        state: chip(w, batch.state),
        progress: how_far(w, batch, progress),
        asked: format::date_time(batch.asked_at),
    }
}

fn how_far(w: Words, batch: &Batch, progress: BatchProgress) -> String {
    w.say("admin.batch.progress")
        .with("done", format::number(progress.issued))
        .with("total", format::number(batch.rows))
        .text()
}

fn chip(w: Words, state: BatchState) -> Chip {
    let tone = match state {
        BatchState::Asked | BatchState::Approved => Tone::Info,
        BatchState::Paused => Tone::Warn,
        BatchState::Done => Tone::Ok,
        BatchState::Rejected | BatchState::Cancelled => Tone::Mute,
    };
    Chip::new(tone, w.word("admin.batch.state", state.word()))
}

/// What was handed in, as an order: the file, or one branch code a line.
fn order(organisation: OrganisationId, form: &BatchForm) -> Result<BatchOrder, Problem> {
    let list = if let Some(file) = &form.file {
        file.to_vec()
    } else {
        let codes = form.branches.lines();
        let rows: Vec<_> = codes.map(|code| BTreeMap::from([("branch", code.trim())])).collect();
        serde_json::to_vec(&rows).map_err(|error| Problem::internal(&error))?
    };
    let number: u8 = form.level.parse().map_err(|_| Problem::not_found())?;
    let grant = Some(form.grant.as_str()).filter(|id| !id.is_empty());
    Ok(BatchOrder {
        organisation,
        level: Level::try_from(number).map_err(|_| Problem::not_found())?,
        validity_days: None,
        grant: grant.map(GrantId::parse).transpose().map_err(|_| Problem::not_found())?,
        list,
        faulty: if form.valid_lines_only { Faulty::LeaveOut } else { Faulty::Refuse },
    })
}

/// What is to be corrected, line by line; another failure is a problem of its own.
fn faults(w: Words, field: &str, error: BatchError) -> Result<Vec<FieldError>, Problem> {
    let said = |text: String| FieldError { field: field.to_owned(), text };
    let what = |refusal: &Refusal| explain::refusal(w.language(), refusal).what;
    match error {
        BatchError::File(error) => {
            Ok(vec![said(w.say("admin.batch.no-list").with("problem", error).text())])
        }
        BatchError::Act(ActError::Refused(refusal)) => Ok(vec![said(what(&refusal))]),
        BatchError::Act(error) => Err(error.into()),
        BatchError::Rows(rows) => {
            let row = |row: &tenkoku_ca::import::RowProblem| {
                let number = i64::try_from(row.line).unwrap_or(i64::MAX);
                w.say("admin.batch.at-line")
                    .with("line", format::number(number))
                    .with("problem", what(&row.refusal))
                    .text()
            };
            Ok(rows.iter().take(TOLD_MOST).map(row).map(said).collect())
        }
    }
}

/// `POST /console/organisations/{id}/batches`
pub async fn hand_in(granted: Granted<Apply>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let id = organisation_id(&id)?;
    let form = BatchForm::read(visit.fields())?;
    let (order, leave) = (order(id.clone(), &form)?, permit.clone());
    let loaded = visit.run(move |env| Ok::<_, StoreError>(load_batch(env, &leave, &order))).await?;
    match loaded {
        Ok(loaded) => Ok(see_other(&format!("{PATH}/{}", loaded.batch.id))),
        Err(error) => {
            let errors = faults(visit.words, form.list_field(), error)?;
            let page = page(&visit, permit, &id, form, errors).await?;
            html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// Which rows are shown.
#[derive(Debug, Deserialize)]
pub struct RowQuery {
    #[serde(default)]
    after: i64,
}

/// `GET /console/batches/{id}`
pub async fn show_batch(
    granted: Granted<ViewRegistry>,
    id: Path<String>,
    query: Query<RowQuery>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let id = batch_id(&id)?;
    html(&sheet(&visit, &permit, &id, query.after, Vec::new()).await?)
}

async fn sheet(
    visit: &Visit,
    permit: &Permit<ViewRegistry>,
    id: &BatchId,
    after: i64,
    errors: Vec<FieldError>,
) -> Result<BatchPage, Problem> {
    let w = visit.words;
    let (scope, wanted) = (permit.scope().clone(), id.clone());
    let (batch, progress, organisation, rows) = visit
        .run(move |env| {
            env.store.read(|tx| {
                let batch = tx.load_batch(&scope, &wanted)?;
                let organisation = tx.load_organisation(&scope, &batch.organisation)?;
                let progress = tx.batch_progress(&wanted)?;
                let rows = tx.batch_rows(&wanted, after, ROWS)?;
                Ok::<_, StoreError>((batch, progress, organisation, rows))
            })
        })
        .await?;
    let called = names::organisation(w, &organisation);
    let above = organisation_href(&organisation.id);
    let title = w.say("admin.jobs.batch").with("object", &batch.id).text();
    let crumbs = vec![
        Crumb::link(w.t("admin.organisations.title"), "/console/organisations"),
        Crumb::link(called.name, above.clone()),
        Crumb::here(&title),
    ];
    let mut frame = visit.frame(&title, crumbs);
    frame.has_errors = !errors.is_empty();
    let changes = visit.may(Permission::Apply);
    let full = i64::try_from(rows.len()).is_ok_and(|n| n == ROWS);
    let last = rows.last().filter(|_| full).map(|row| row.line.to_string());
    let href = format!("{PATH}/{id}");
    Ok(BatchPage {
        w,
        frame,
        errors,
        running: is_moving(&batch, progress),
        next: next_page(&href, &[], last.as_ref()),
        href,
        part: part(w, &batch, progress),
        rows: rows.iter().map(|row| row_line(w, row, changes)).collect(),
        steps: if changes { steps(w, batch.state) } else { Vec::new() },
        takes_proofs: changes
            && matches!(batch.state, BatchState::Approved | BatchState::Paused)
            && progress.issued < batch.rows,
    })
}

/// Whether the job has something to do of its own, or somebody is about to decide.
fn is_moving(batch: &Batch, progress: BatchProgress) -> bool {
    match batch.state {
        BatchState::Asked => true,
        BatchState::Approved => progress.waiting + progress.applied > 0,
        BatchState::Paused | BatchState::Done | BatchState::Rejected | BatchState::Cancelled => {
            false
        }
    }
}

fn part(w: Words, batch: &Batch, progress: BatchProgress) -> TaskProgress {
    let count = |state: RowState, n: i64| {
        Fact::new(w.word("admin.batch.row", state.word()), format::number(n))
    };
    let mut facts = vec![
        count(RowState::Waiting, progress.waiting),
        count(RowState::Applied, progress.applied),
        count(RowState::Issued, progress.issued),
        count(RowState::Failed, progress.failed),
        Fact::new(w.t("admin.batch.asked"), format::date_time(batch.asked_at)),
        Fact::mono(w.t("admin.batch.digest"), batch.digest.to_string()),
    ];
    if let Some(grant) = &batch.grant {
        let href = format!("/console/grants/{grant}");
        facts.push(Fact::link(w.t("admin.batch.grant"), grant.to_string(), href));
    }
    TaskProgress {
        state: chip(w, batch.state),
        done: progress.issued,
        total: batch.rows.max(1),
        progress: how_far(w, batch, progress),
        facts,
    }
}

fn row_line(w: Words, row: &BatchRow, changes: bool) -> RowLine {
    let tone = match row.state {
        RowState::Waiting => Tone::Mute,
        RowState::Applied => Tone::Info,
        RowState::Issued => Tone::Ok,
        RowState::Failed => Tone::Bad,
    };
    let told = |refusal: &Refusal| explain::refusal(w.language(), refusal);
    RowLine {
        line: row.line,
        code: row.code.to_string(),
        state: Chip::new(tone, w.word("admin.batch.row", row.state.word())),
        problem: row
            .refusal
            .as_ref()
            .map(told)
            .map(|told| format!("{} {}", told.what, told.remedy)),
        application: row.application.as_ref().map(|id| (application_href(id), id.to_string())),
        retry: changes && row.state == RowState::Failed,
    }
}

fn steps(w: Words, state: BatchState) -> Vec<(&'static str, String)> {
    let words: &[&'static str] = match state {
        BatchState::Asked => &["cancel"],
        BatchState::Approved => &["pause", "cancel"],
        BatchState::Paused => &["resume", "cancel"],
        BatchState::Done | BatchState::Rejected | BatchState::Cancelled => &[],
    };
    words.iter().map(|word| (*word, w.word("admin.batch.step", word).to_owned())).collect()
}

/// `GET /console/batches/{id}/progress`: the part that changes. 286 ends the asking.
pub async fn show_progress(
    granted: Granted<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let id = batch_id(&id)?;
    let (batch, progress) = visit
        .run(move |env| {
            env.store.read(|tx| {
                let batch = tx.load_batch(permit.scope(), &id)?;
                let progress = tx.batch_progress(&id)?;
                Ok::<_, StoreError>((batch, progress))
            })
        })
        .await?;
    let over = StatusCode::from_u16(286).unwrap_or(StatusCode::OK);
    let status = if is_moving(&batch, progress) { StatusCode::OK } else { over };
    html_with(status, &part(visit.words, &batch, progress))
}

/// What is done with a list, or with one of its rows.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StepForm {
    step: String,
    line: i64,
}

fn perform(
    env: &Env,
    permit: &Permit<Apply>,
    id: &BatchId,
    form: &StepForm,
) -> Result<(), ActError> {
    let to = match form.step.as_str() {
        "pause" => BatchState::Paused,
        "resume" => BatchState::Approved,
        "cancel" => BatchState::Cancelled,
        "retry" => return retry_row(env, permit, id, form.line).map(|_| ()),
        _ => return Err(StoreError::NotFound { what: "step" }.into()),
    };
    turn_batch(env, permit, id, to).map(|_| ())
}

/// `POST /console/batches/{id}`
pub async fn change_batch(
    granted: Granted<Apply>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let id = batch_id(&id)?;
    let form: StepForm = visit.form()?;
    let asked = id.clone();
    let done = visit
        .run(move |env| match perform(env, &permit, &asked, &form) {
            Err(ActError::Refused(refusal)) => Ok(Err(refusal)),
            other => other.map(Ok),
        })
        .await?;
    let Err(refusal) = done else { return Ok(see_other(&format!("{PATH}/{id}"))) };
    let text = explain::refusal(visit.words.language(), &refusal).what;
    corrected(&visit, &id, vec![FieldError { field: "h-rows".to_owned(), text }]).await
}

async fn corrected(
    visit: &Visit,
    id: &BatchId,
    errors: Vec<FieldError>,
) -> Result<HttpResponse, Problem> {
    let view: Permit<ViewRegistry> =
        visit.principal.permit(visit.now).map_err(|refusal| Problem::from_refusal(&refusal))?;
    let page = sheet(visit, &view, id, 0, errors).await?;
    html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// `GET /console/batches/{id}/rows`: every row with the challenge for its key, as CSV.
pub async fn download_rows(
    granted: Granted<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let id = batch_id(&id)?;
    let name = format!("attachment; filename=\"{id}.csv\"");
    let text = visit.run(move |env| rows_as_csv(env, permit.scope(), &id)).await?;
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, name))
        .body(text))
}

/// `POST /console/batches/{id}/proofs`: requests that show possession, as CSV or JSON.
pub async fn take_proofs(
    granted: Granted<Apply>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let id = batch_id(&id)?;
    let file = match uploads::file(visit.words, visit.fields(), "proofs") {
        Ok(file) => file,
        Err(error) => return corrected(&visit, &id, vec![error]).await,
    };
    let batch = id.clone();
    let taken = visit
        .run(move |env| Ok::<_, StoreError>(hand_in_proofs(env, &permit, &batch, &file)))
        .await?;
    match taken {
        Ok(_) => Ok(see_other(&format!("{PATH}/{id}"))),
        Err(error) => corrected(&visit, &id, faults(visit.words, "proofs", error)?).await,
    }
}

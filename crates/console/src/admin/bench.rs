//! The test bench: what the rules say about a request or a certificate before anybody hands it in.
//!
//! Nothing is kept of what is tried, and nothing is recorded.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;
use tenkoku_ca::policy::{Check, Specimen, test_key};
use tenkoku_domain::access::{Permit, ViewRegistry};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::level::Level;
use tenkoku_domain::policy::KeyPolicy;

use super::authorities::platform_only;
use super::policies::{PATH, name_of};
use super::views::{html, html_with};
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Chip, Crumb, FieldError, Tone};
use crate::problem::Problem;
use crate::text::{Words, explain};

/// A level to choose.
pub(super) struct LevelChoice {
    pub(super) word: String,
    pub(super) label: String,
    pub(super) chosen: bool,
}

/// What one rule says.
pub(super) struct CheckRow {
    pub(super) rule: &'static str,
    pub(super) about: String,
    pub(super) chip: Chip,
    pub(super) code: String,
    pub(super) what: String,
}

#[derive(Template)]
#[template(path = "admin/bench.html")]
pub(super) struct BenchPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) rules: String,
    pub(super) form: BenchForm,
    pub(super) levels: Vec<LevelChoice>,
    pub(super) rows: Option<Vec<CheckRow>>,
}

/// What is tried, and under which rules.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct BenchForm {
    /// The digest of a draft; empty for the document in force.
    #[serde(default)]
    pub draft: String,
    #[serde(default)]
    level: String,
    /// A request or a certificate, PEM.
    #[serde(default)]
    pub specimen: String,
}

impl BenchForm {
    fn level(&self) -> Level {
        let found = Level::ALL.into_iter().find(|level| level.to_string() == self.level);
        found.unwrap_or(Level::Two)
    }
}

async fn rules(visit: &Visit, draft: &str) -> Result<KeyPolicy, Problem> {
    let now = visit.now;
    if draft.is_empty() {
        return visit.run(move |env| env.store.read(|tx| tx.current_policy(now))).await;
    }
    let digest = Digest::parse(draft).map_err(|_| Problem::not_found())?;
    let found = visit.run(move |env| env.store.read(|tx| tx.load_draft(&digest))).await?;
    Ok(found.policy)
}

fn page(
    visit: &Visit,
    policy: &KeyPolicy,
    form: BenchForm,
    errors: Vec<FieldError>,
    rows: Option<Vec<CheckRow>>,
) -> BenchPage {
    let w = visit.words;
    let title = w.t("admin.bench.title");
    let crumbs = vec![Crumb::link(w.t("admin.policies.title"), PATH), Crumb::here(title)];
    let mut frame = visit.frame(title, crumbs);
    frame.has_errors = !errors.is_empty();
    let chosen = form.level();
    let levels = Level::ALL.into_iter().map(|level| LevelChoice {
        word: level.to_string(),
        label: w.word("admin.level", &level.to_string()).to_owned(),
        chosen: level == chosen,
    });
    BenchPage {
        w,
        frame,
        errors,
        rules: w.say("admin.bench.under").with("name", name_of(policy)).text(),
        levels: levels.collect(),
        form,
        rows,
    }
}

/// `GET /console/policies/test`
pub async fn show_form(
    granted: Granted<ViewRegistry>,
    query: Query<BenchForm>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    platform_only(&permit)?;
    let form = query.into_inner();
    let policy = rules(&visit, &form.draft).await?;
    html(&page(&visit, &policy, form, Vec::new(), None))
}

/// `POST /console/policies/test`
pub async fn try_out(granted: Granted<ViewRegistry>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    platform_only(&permit)?;
    let form: BenchForm = visit.form()?;
    let policy = rules(&visit, &form.draft).await?;
    let w = visit.words;
    if !form.specimen.contains("-----BEGIN CERTIFICATE") && !form.specimen.contains("REQUEST-----")
    {
        let text = w.t("admin.bench.specimen-missing").to_owned();
        let errors = vec![FieldError { field: "specimen".to_owned(), text }];
        let page = page(&visit, &policy, form, errors, None);
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let checks = checks(&visit, permit, &policy, &form).await?;
    let rows = checks.iter().map(|check| row(w, check)).collect();
    html(&page(&visit, &policy, form, Vec::new(), Some(rows)))
}

async fn checks(
    visit: &Visit,
    permit: Permit<ViewRegistry>,
    policy: &KeyPolicy,
    form: &BenchForm,
) -> Result<Vec<Check>, Problem> {
    let (policy, form) = (policy.clone(), form.clone());
    visit
        .run(move |env| {
            let text = form.specimen.replace("\r\n", "\n");
            let specimen = if text.contains("REQUEST-----") {
                Specimen::Request(text.as_bytes())
            } else {
                Specimen::Certificate(text.as_bytes())
            };
            test_key(env, &permit, &policy, form.level(), specimen)
        })
        .await
}

fn row(w: Words, check: &Check) -> CheckRow {
    let about = w.word("admin.bench-rule", check.rule).to_owned();
    match &check.refusal {
        None => CheckRow {
            rule: check.rule,
            about,
            chip: Chip::new(Tone::Ok, w.t("admin.bench.passes")),
            code: String::new(),
            what: String::new(),
        },
        Some(refusal) => CheckRow {
            rule: check.rule,
            about,
            chip: Chip::new(Tone::Bad, w.t("admin.bench.refuses")),
            code: refusal.code.word().to_owned(),
            what: explain::refusal(w.language(), refusal).what,
        },
    }
}

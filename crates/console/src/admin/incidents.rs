//! Incidents over keys: the list, one of them, and its decision (DOMAIN 8.3).
//!
//! Only those who see the whole platform see them: an incident names two holders.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Path, Query};
use askama::Template;
use serde::Deserialize;
use tenkoku_ca::incident::{CloseOrder, close_incident};
use tenkoku_domain::access::{DecideEvidence, Permission, Scope, ViewRegistry};
use tenkoku_domain::certificate::Certificate;
use tenkoku_domain::id::IncidentId;
use tenkoku_domain::incident::{Incident, IncidentDecision, IncidentState};
use tenkoku_store::StoreError;

use super::certificates::{self, CertificateRow};
use super::confirm::{Factor, factor_field, step_up};
use super::names::{application_href, organisation, organisation_href};
use super::views::{Fact, ROWS, html, html_with, next_page, see_other};
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Chip, Crumb, FieldError, Tone};
use crate::problem::Problem;
use crate::text::Words;

/// The address of the table.
const PATH: &str = "/console/incidents";
/// Longest reason, in characters.
const REASON_MAX_CHARS: usize = 500;

/// An incident in the table.
pub(super) struct IncidentRow {
    pub(super) kind: String,
    pub(super) href: String,
    pub(super) id: String,
    pub(super) opened: String,
    pub(super) state: Chip,
    pub(super) certificates: String,
}

#[derive(Template)]
#[template(path = "admin/incidents.html")]
pub(super) struct IncidentsPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) only_open: bool,
    pub(super) rows: Vec<IncidentRow>,
    pub(super) next: Option<String>,
}

/// Which incidents are looked for.
#[derive(Debug, Default, Deserialize)]
pub struct IncidentQuery {
    #[serde(default)]
    state: String,
    after: Option<String>,
}

/// What lies outside the platform's scope does not exist for its holder.
fn on_platform(scope: &Scope) -> Result<(), Problem> {
    if *scope == Scope::Platform { Ok(()) } else { Err(Problem::not_found()) }
}

/// `GET /console/incidents`
pub async fn list_incidents(
    granted: Granted<ViewRegistry>,
    query: Query<IncidentQuery>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    on_platform(permit.scope())?;
    let IncidentQuery { state, after } = query.into_inner();
    let wanted = IncidentState::from_word(&state);
    let page = visit
        .run(move |env| env.store.read(|tx| tx.list_incidents(wanted, after.as_deref(), ROWS)))
        .await?;
    let w = visit.words;
    let shown = wanted.map_or("", |state| state.word());
    html(&IncidentsPage {
        w,
        frame: visit.frame(w.t("admin.incidents.title"), Vec::new()),
        only_open: wanted == Some(IncidentState::Open),
        rows: page.items.iter().map(|one| row(w, one)).collect(),
        next: next_page(PATH, &[("state", shown)], page.next.as_ref()),
    })
}

fn href(id: &IncidentId) -> String {
    format!("{PATH}/{id}")
}

fn chip(w: Words, state: IncidentState) -> Chip {
    let tone = match state {
        IncidentState::Open => Tone::Bad,
        IncidentState::Closed => Tone::Mute,
    };
    Chip::new(tone, w.word("admin.incident-state", state.word()))
}

fn row(w: Words, one: &Incident) -> IncidentRow {
    IncidentRow {
        kind: w.word("admin.incident-kind", one.kind.word()).to_owned(),
        href: href(&one.id),
        id: one.id.to_string(),
        opened: format::date_time(one.opened_at),
        state: chip(w, one.state()),
        certificates: one.certificates.len().to_string(),
    }
}

#[derive(Template)]
#[template(path = "admin/incident.html")]
pub(super) struct IncidentPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) state: Chip,
    pub(super) sentence: String,
    pub(super) facts: Vec<Fact>,
    pub(super) fingerprint: String,
    pub(super) told: Vec<String>,
    pub(super) certificates: Vec<CertificateRow>,
    pub(super) closing: Vec<Fact>,
    pub(super) decides: bool,
    pub(super) decisions: Vec<(&'static str, String, String, bool)>,
    pub(super) reason: String,
    pub(super) factor: Factor,
    pub(super) action: String,
}

/// An incident with what rests on its key.
struct Ground {
    incident: Incident,
    certificates: Vec<Certificate>,
    organisations: Vec<(String, String)>,
}

async fn load(visit: &Visit, scope: &Scope, id: &str) -> Result<Ground, Problem> {
    on_platform(scope)?;
    let id = IncidentId::parse(id).map_err(|_| Problem::not_found())?;
    let w = visit.words;
    visit
        .run(move |env| {
            env.store.read(|tx| {
                let incident = tx.load_incident(&id)?;
                let mut certificates = Vec::new();
                for id in &incident.certificates {
                    certificates.push(tx.load_certificate(&Scope::Platform, id)?);
                }
                let mut organisations = Vec::new();
                for id in &incident.organisations {
                    let found = tx.load_organisation(&Scope::Platform, id)?;
                    organisations.push((organisation(w, &found).name, organisation_href(id)));
                }
                Ok::<_, StoreError>(Ground { incident, certificates, organisations })
            })
        })
        .await
}

/// What an officer enters.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ClosingForm {
    #[serde(default)]
    decision: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    code: String,
}

/// `GET /console/incidents/{id}`
pub async fn show_incident(
    granted: Granted<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let found = load(&visit, permit.scope(), &id).await?;
    html(&page(&visit, &found, &ClosingForm::default(), Vec::new()).await?)
}

async fn page(
    visit: &Visit,
    found: &Ground,
    form: &ClosingForm,
    errors: Vec<FieldError>,
) -> Result<IncidentPage, Problem> {
    let w = visit.words;
    let incident = &found.incident;
    let title = w.word("admin.incident-kind", incident.kind.word());
    let crumbs = vec![Crumb::link(w.t("admin.incidents.title"), PATH), Crumb::here(title)];
    let mut frame = visit.frame(title, crumbs);
    frame.has_errors = !errors.is_empty();
    let mut facts = vec![
        Fact::new(w.t("admin.incident.opened"), format::date_time(incident.opened_at)),
        Fact::mono(w.t("admin.incident.number"), incident.id.to_string()),
    ];
    for (name, href) in &found.organisations {
        facts.push(Fact::link(w.t("admin.certificate.organisation"), name.clone(), href.clone()));
    }
    if let Some(application) = &incident.application {
        let href = application_href(application);
        facts.push(Fact::link(w.t("admin.certificate.application"), application.as_str(), href));
    }
    let closing = incident.closed.as_ref().map_or_else(Vec::new, |closed| {
        let decision = w.word("admin.incident-decision", closed.decision.word());
        vec![
            Fact::new(w.t("admin.incident.decision"), decision),
            Fact::new(w.t("admin.incident.reason"), closed.reason.clone()),
            Fact::new(w.t("admin.incident.closed"), format::date_time(closed.at)),
        ]
    });
    let decides = incident.state() == IncidentState::Open && visit.may(Permission::DecideEvidence);
    let decision = |one: &IncidentDecision| {
        let word = one.word();
        let label = w.word("admin.incident-decision", word).to_owned();
        let hint = w.word("admin.incident-decision-hint", word).to_owned();
        (word, label, hint, form.decision == word)
    };
    Ok(IncidentPage {
        w,
        errors,
        state: chip(w, incident.state()),
        sentence: w.word("admin.incident-sentence", incident.kind.word()).to_owned(),
        facts,
        fingerprint: incident.fingerprint.to_string(),
        told: incident.told.iter().map(|whom| told(w, whom)).collect(),
        certificates: certificates::rows(w, &found.certificates, visit.now),
        closing,
        decides,
        decisions: IncidentDecision::ALL.iter().map(decision).collect(),
        reason: form.reason.clone(),
        factor: if decides { factor_field(visit).await? } else { Factor::default() },
        action: href(&incident.id),
        frame,
    })
}

/// Whom somebody must tell: a role and, where it has one, a place.
fn told(w: Words, whom: &str) -> String {
    match whom.split_once('/') {
        Some((role, place)) => format!("{} ({place})", w.word("admin.role", role)),
        None => w.word("admin.role", whom).to_owned(),
    }
}

/// `POST /console/incidents/{id}`
pub async fn decide(
    granted: Granted<DecideEvidence>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let form: ClosingForm = visit.form()?;
    let found = load(&visit, permit.scope(), &id).await?;
    let address = href(&found.incident.id);
    if found.incident.state() == IncidentState::Closed {
        return Ok(see_other(&address));
    }
    let error = match wrong(visit.words, &form) {
        Some(error) => Some(error),
        None => step_up(&visit, &form.code).await?,
    };
    let decision = match (error, IncidentDecision::from_word(&form.decision)) {
        (None, Some(decision)) => decision,
        (error, _) => {
            let page = page(&visit, &found, &form, error.into_iter().collect()).await?;
            return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let reason = form.reason.trim().to_owned();
    let order = CloseOrder { incident: found.incident.id, decision, reason };
    visit.run(move |env| close_incident(env, &permit, &order)).await?;
    Ok(see_other(&address))
}

fn wrong(w: Words, form: &ClosingForm) -> Option<FieldError> {
    let error = |field: &str, text: &str| {
        Some(FieldError { field: field.to_owned(), text: text.to_owned() })
    };
    if IncidentDecision::from_word(&form.decision).is_none() {
        error("decision", w.t("admin.proof.decision-missing"))
    } else if form.reason.trim().is_empty() {
        error("reason", w.t("admin.proof.reason-missing"))
    } else if form.reason.chars().count() > REASON_MAX_CHARS {
        error("reason", w.t("admin.revoke.comment-long"))
    } else {
        None
    }
}

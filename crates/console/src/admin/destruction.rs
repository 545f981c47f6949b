//! Proofs of destruction: what is awaited, what was handed in, and the decisions on it (DOMAIN 11).
//!
//! Evidence is packed and signed at the command line, where the files are; the console takes the
//! packed file as text.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use serde::Deserialize;
use tenkoku_ca::destroy::open::{OpenProof, open_proofs, proof};
use tenkoku_ca::destroy::{decide_evidence, hand_in_evidence, package};
use tenkoku_ca::life::load_seal_key;
use tenkoku_domain::access::{DecideEvidence, ManageKeys, Permission, ViewRegistry};
use tenkoku_domain::destruction::{Decision, Evidence, EvidenceState};
use tenkoku_domain::id::{EvidenceId, KeyId};
use tenkoku_domain::time::Timestamp;
use tenkoku_store::StoreError;

use super::confirm::{Factor, factor_field, step_up};
use super::keys;
use super::life::key_href;
use super::names::script;
use super::views::{Fact, html, html_with, see_other};
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Chip, Crumb, FieldError, Tone};
use crate::problem::Problem;
use crate::text::Words;

/// The address of the table.
pub(super) const PATH: &str = "/console/keys/destruction";
/// Longest reason, in characters.
const REASON_MAX_CHARS: usize = 500;

/// A key whose destruction is not shown yet.
pub(super) struct OpenRow {
    pub(super) name: String,
    pub(super) lang: &'static str,
    pub(super) href: String,
    pub(super) id: String,
    pub(super) state: Chip,
    pub(super) age: String,
    pub(super) due: String,
    pub(super) due_chip: Option<Chip>,
    pub(super) evidence: Option<(Chip, String)>,
    pub(super) action: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "admin/destruction.html")]
pub(super) struct DestructionPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) rows: Vec<OpenRow>,
}

/// `GET /console/keys/destruction`
pub async fn list_open(granted: Granted<ViewRegistry>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let open = visit.run(move |env| open_proofs(env, &permit)).await?;
    let w = visit.words;
    let title = w.t("admin.destruction.title");
    let crumbs = vec![Crumb::link(w.t("admin.keys.title"), keys::PATH), Crumb::here(title)];
    html(&DestructionPage {
        w,
        frame: visit.frame(title, crumbs),
        rows: open.iter().map(|one| row(&visit, one)).collect(),
    })
}

fn row(visit: &Visit, open: &OpenProof) -> OpenRow {
    let (w, now) = (visit.words, visit.now);
    let (key, life) = (&open.key.key, &open.key.life);
    let href = key_href(&key.id);
    let since = life.retired_at.unwrap_or(key.created_at);
    let latest = open.evidence.first();
    let decides = visit.may(Permission::DecideEvidence);
    let action = match open.waiting() {
        Some(waiting) => {
            let label = if decides {
                w.t("admin.destruction.decide")
            } else {
                w.t("admin.destruction.see")
            };
            Some((label.to_owned(), evidence_href(&waiting.id)))
        }
        None if visit.may(Permission::ManageKeys) => {
            Some((w.t("admin.destruction.hand-in").to_owned(), format!("{href}/evidence")))
        }
        None => None,
    };
    OpenRow {
        name: open.key.certificate.common_name.clone(),
        lang: script(&open.key.certificate.common_name),
        id: key.id.to_string(),
        state: keys::chip(w, key.state),
        age: w.count("time.days", since.days_until(now).max(0)).text(),
        due: life.due_at.map_or_else(|| "–".to_owned(), format::date),
        due_chip: due_chip(w, life.due_at, life.not_evidenced_at, now),
        evidence: latest
            .map(|(evidence, state)| (state_chip(w, *state), evidence_href(&evidence.id))),
        action,
        href,
    }
}

fn due_chip(
    w: Words,
    due: Option<Timestamp>,
    missed: Option<Timestamp>,
    now: Timestamp,
) -> Option<Chip> {
    match (missed, due) {
        (Some(_), _) => Some(Chip::new(Tone::Bad, w.t("admin.destruction.not-evidenced"))),
        (None, Some(due)) if due <= now => {
            Some(Chip::new(Tone::Bad, w.t("admin.destruction.overdue")))
        }
        (None, Some(due)) if due <= now.plus_days(7) => {
            Some(Chip::new(Tone::Warn, w.t("admin.destruction.soon")))
        }
        (None, _) => None,
    }
}

/// The state of evidence.
pub(super) fn state_chip(w: Words, state: EvidenceState) -> Chip {
    let tone = match state {
        EvidenceState::Handed => Tone::Info,
        EvidenceState::MoreNeeded => Tone::Warn,
        EvidenceState::Accepted => Tone::Ok,
        EvidenceState::Refused => Tone::Bad,
    };
    Chip::new(tone, w.word("admin.evidence-state", state.word()))
}

/// The address of evidence.
pub(super) fn evidence_href(id: &EvidenceId) -> String {
    format!("{PATH}/{id}")
}

/// A copy of a key, and what became of it.
pub(super) struct CopyRow {
    pub(super) copy: String,
    pub(super) method: String,
    pub(super) at: String,
}

#[derive(Template)]
#[template(path = "admin/evidence.html")]
pub(super) struct EvidencePage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) state: Chip,
    pub(super) facts: Vec<Fact>,
    pub(super) copies: Vec<CopyRow>,
    pub(super) people: Vec<Fact>,
    pub(super) files: Vec<Fact>,
    pub(super) decides: bool,
    pub(super) decisions: Vec<(&'static str, String, String, bool)>,
    pub(super) reason: String,
    pub(super) needed: String,
    pub(super) factor: Factor,
    pub(super) action: String,
    pub(super) back: String,
}

/// Evidence with the key that it is about.
struct Ground {
    evidence: Evidence,
    state: EvidenceState,
    open: OpenProof,
}

async fn load(
    visit: &Visit,
    scope: &tenkoku_domain::access::Scope,
    id: &str,
) -> Result<Ground, Problem> {
    let id = EvidenceId::parse(id).map_err(|_| Problem::not_found())?;
    let scope = scope.clone();
    visit
        .run(move |env| {
            env.store.read(|tx| {
                let (evidence, state) = tx.load_evidence(&id)?;
                let key = load_seal_key(tx, &scope, &evidence.key)?;
                let open = proof(tx, key)?;
                Ok::<_, StoreError>(Ground { evidence, state, open })
            })
        })
        .await
}

/// What an officer enters.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct DecisionForm {
    #[serde(default)]
    decision: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    code: String,
}

/// `GET /console/keys/destruction/{id}`
pub async fn show_evidence(
    granted: Granted<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let found = load(&visit, permit.scope(), &id).await?;
    html(&page(&visit, &found, &DecisionForm::default(), Vec::new()).await?)
}

async fn page(
    visit: &Visit,
    found: &Ground,
    form: &DecisionForm,
    errors: Vec<FieldError>,
) -> Result<EvidencePage, Problem> {
    let w = visit.words;
    let Ground { evidence, state, open } = found;
    let name = open.key.certificate.common_name.clone();
    let title = w.t("admin.proof.title");
    let crumbs = vec![
        Crumb::link(w.t("admin.keys.title"), keys::PATH),
        Crumb::link(w.t("admin.destruction.title"), PATH),
        Crumb::here(title),
    ];
    let mut frame = visit.frame(title, crumbs);
    frame.has_errors = !errors.is_empty();
    let decides = *state == EvidenceState::Handed && visit.may(Permission::DecideEvidence);
    let line = |line: &tenkoku_domain::destruction::CopyLine| CopyRow {
        copy: w.word("admin.evidence-copy", &line.copy).to_owned(),
        method: line.method.map_or_else(
            || w.t("admin.proof.open").to_owned(),
            |method| w.word("admin.evidence-method", method.word()).to_owned(),
        ),
        at: line.at.map_or_else(|| "–".to_owned(), format::date_time),
    };
    let decision = |one: &Decision| {
        let word = one.word();
        let label = w.word("admin.evidence-decision", word).to_owned();
        let hint = w.word("admin.evidence-decision-hint", word).to_owned();
        (word, label, hint, form.decision == word)
    };
    let needed = Evidence::decisions_needed(Some(open.key.level));
    let given = if *state == EvidenceState::Handed { open.decided.len() } else { needed };
    Ok(EvidencePage {
        w,
        frame,
        errors,
        state: state_chip(w, *state),
        facts: vec![
            Fact::link(w.t("admin.certificate.branch"), name, key_href(&evidence.key)),
            Fact::new(
                w.t("admin.proof.class"),
                w.word("admin.evidence-class", evidence.class.word()),
            ),
            Fact::new(w.t("admin.proof.serials"), listed(&evidence.serials)),
            Fact::new(w.t("admin.proof.handed"), format::date_time(evidence.handed_at)),
            Fact::mono(w.t("admin.proof.by"), evidence.handed_by.clone()),
            Fact::mono(w.t("admin.proof.number"), evidence.id.to_string()),
        ],
        copies: evidence.lines.iter().map(line).collect(),
        people: evidence
            .signatories
            .iter()
            .map(|who| Fact::new(w.word("admin.evidence-role", who.role.word()), who.name.clone()))
            .collect(),
        files: files(w, evidence),
        decides,
        decisions: Decision::ALL.iter().map(decision).collect(),
        reason: form.reason.clone(),
        needed: w
            .say("admin.proof.given")
            .with("given", given.min(needed))
            .with("needed", needed)
            .text(),
        factor: if decides { factor_field(visit).await? } else { Factor::default() },
        action: evidence_href(&evidence.id),
        back: PATH.to_owned(),
    })
}

fn listed(all: &[String]) -> String {
    if all.is_empty() { "–".to_owned() } else { all.join(", ") }
}

fn files(w: Words, evidence: &Evidence) -> Vec<Fact> {
    let digest = |label: &str, digest: &tenkoku_domain::canonical::Digest| {
        Fact::mono(label, format::grouped(&digest.to_string()))
    };
    let mut files: Vec<Fact> =
        evidence.attachments.iter().map(|one| digest(w.t("admin.proof.attachment"), one)).collect();
    files.extend(evidence.report.iter().map(|one| digest(w.t("admin.proof.report"), one)));
    files.extend(evidence.last_act.iter().map(|one| digest(w.t("admin.proof.last-act"), one)));
    files
}

/// `POST /console/keys/destruction/{id}`
pub async fn decide(
    granted: Granted<DecideEvidence>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let form: DecisionForm = visit.form()?;
    let found = load(&visit, permit.scope(), &id).await?;
    let href = evidence_href(&found.evidence.id);
    if found.state != EvidenceState::Handed {
        return Ok(see_other(&href));
    }
    let error = match wrong(visit.words, &form) {
        Some(error) => Some(error),
        None => step_up(&visit, &form.code).await?,
    };
    let decision = match (error, Decision::from_word(&form.decision)) {
        (None, Some(decision)) => decision,
        (error, _) => {
            let page = page(&visit, &found, &form, error.into_iter().collect()).await?;
            return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let (evidence, reason) = (found.evidence.id, form.reason.trim().to_owned());
    visit.run(move |env| decide_evidence(env, &permit, &evidence, (decision, &reason))).await?;
    Ok(see_other(&href))
}

fn wrong(w: Words, form: &DecisionForm) -> Option<FieldError> {
    let error = |field: &str, text: &str| {
        Some(FieldError { field: field.to_owned(), text: text.to_owned() })
    };
    let length = form.reason.chars().count();
    if Decision::from_word(&form.decision).is_none() {
        error("decision", w.t("admin.proof.decision-missing"))
    } else if form.reason.trim().is_empty() {
        error("reason", w.t("admin.proof.reason-missing"))
    } else if length > REASON_MAX_CHARS {
        error("reason", w.t("admin.revoke.comment-long"))
    } else {
        None
    }
}

#[derive(Template)]
#[template(path = "admin/evidence_form.html")]
pub(super) struct EvidenceFormPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) copies: Vec<String>,
    pub(super) commands: String,
    pub(super) package: String,
    pub(super) action: String,
    pub(super) back: String,
}

/// What a custodian pastes.
#[derive(Debug, Default, Deserialize)]
struct PackageForm {
    #[serde(default)]
    package: String,
}

/// `GET /console/keys/{id}/evidence`
pub async fn show_form(
    granted: Granted<ManageKeys>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    html(&form_page(&visit, permit.scope(), &id, String::new(), Vec::new()).await?)
}

async fn form_page(
    visit: &Visit,
    scope: &tenkoku_domain::access::Scope,
    id: &str,
    package: String,
    errors: Vec<FieldError>,
) -> Result<EvidenceFormPage, Problem> {
    let key = KeyId::parse(id).map_err(|_| Problem::not_found())?;
    let (scope, wanted) = (scope.clone(), key.clone());
    let (name, copies) = visit
        .run(move |env| {
            env.store.read(|tx| {
                let found = load_seal_key(tx, &scope, &wanted)?;
                let copies = match &found.life.container {
                    Some(id) => {
                        let held =
                            tx.load_container(&tenkoku_domain::access::Scope::Platform, id)?;
                        held.copies().iter().map(|copy| (*copy).to_owned()).collect()
                    }
                    None => vec![tenkoku_domain::container::PRIMARY.to_owned()],
                };
                Ok::<_, StoreError>((found.certificate.common_name, copies))
            })
        })
        .await?;
    let w = visit.words;
    let title = w.t("admin.proof.hand-in");
    let crumbs = vec![
        Crumb::link(w.t("admin.keys.title"), keys::PATH),
        Crumb::link(name, key_href(&key)),
        Crumb::here(title),
    ];
    let mut frame = visit.frame(title, crumbs);
    frame.has_errors = !errors.is_empty();
    let commands = "tenkoku key evidence text evidence.toml --out statement.json\n\
                    openssl dgst -sha256 -sign taro.key -out taro.sig statement.json\n\
                    tenkoku key evidence pack evidence.toml --out evidence.json";
    Ok(EvidenceFormPage {
        w,
        frame,
        errors,
        copies,
        commands: format!("# evidence.toml: key = \"{key}\"\n{commands}"),
        package,
        action: format!("{}/evidence", key_href(&key)),
        back: key_href(&key),
    })
}

/// `POST /console/keys/{id}/evidence`
pub async fn hand_in(
    granted: Granted<ManageKeys>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let form: PackageForm = visit.form()?;
    let w = visit.words;
    let wrong = |text: String| vec![FieldError { field: "package".to_owned(), text }];
    let order = match package::read(form.package.as_bytes()) {
        Ok(order) if order.key.as_str() == id.as_str() => Ok(order),
        Ok(_) => Err(wrong(w.t("admin.proof.other-key").to_owned())),
        Err(error) => Err(wrong(w.say("admin.proof.unreadable").with("why", error).text())),
    };
    let order = match order {
        Ok(order) => order,
        Err(errors) => {
            let page = form_page(&visit, permit.scope(), &id, form.package, errors).await?;
            return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let handed = visit.run(move |env| hand_in_evidence(env, &permit, &order)).await?;
    Ok(see_other(&evidence_href(&handed.id)))
}

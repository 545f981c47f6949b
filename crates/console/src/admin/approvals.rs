//! Requests for approvals that are no application: grants on paper, roles, trusted issuers, lists,
//! ends of holds, restored backups. Each is
//! shown as the very document whose digest is decided on.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use serde::Deserialize;
use tenkoku_ca::act::ActError;
use tenkoku_ca::approval::Ruling;
use tenkoku_ca::batch::{BATCH, decide_batch};
use tenkoku_ca::grant::decide_paper;
use tenkoku_ca::issuer::decide_issuer;
use tenkoku_ca::restore::{RESTORE, decide_restore};
use tenkoku_ca::role::{ROLE, decide_role};
use tenkoku_ca::suspend::{RELEASE, decide_release};
use tenkoku_domain::access::{
    ApprovePolicy, DecideEvidence, Issue, ManageAccounts, OwnAccount, Permit, Principal, Scope,
};
use tenkoku_domain::approval::{Approval, ApprovalRequest, ApprovalState, Bar, Step, Verdict};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::{ApprovalId, BatchId, GrantId, IssuerId};
use tenkoku_domain::person::Party;
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::StoreError;

use super::confirm::{Factor, factor_field, step_up};
use super::drafts::Place;
use super::views::{Fact, html, html_with, see_other};
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Crumb, FieldError, Tone};
use crate::problem::Problem;
use crate::text::Words;

const PATH: &str = "/console/approvals";

/// The kinds of objects whose requests are decided here.
pub(crate) const KINDS: [&str; 6] = ["grant", ROLE, "trusted-issuer", BATCH, RESTORE, RELEASE];

/// A request in the list.
pub(super) struct RequestRow {
    pub(super) href: String,
    pub(super) kind: String,
    pub(super) object: String,
    pub(super) opened: String,
    pub(super) until: String,
    pub(super) given: String,
}

#[derive(Template)]
#[template(path = "admin/approvals.html")]
pub(super) struct ApprovalsPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) rows: Vec<RequestRow>,
}

#[derive(Template)]
#[template(path = "admin/approval.html")]
pub(super) struct ApprovalPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) facts: Vec<Fact>,
    pub(super) shown: String,
    pub(super) digest: String,
    pub(super) places: Vec<Place>,
    pub(super) places_text: String,
    pub(super) may_decide: bool,
    pub(super) factor: Factor,
    pub(super) reason: String,
    pub(super) href: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct VerdictForm {
    #[serde(default)]
    verdict: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    shown: String,
    #[serde(default)]
    code: String,
}

/// Leave to decide on requests of a kind, if any: its scope.
pub(crate) fn scope_of(principal: &Principal, kind: &str, now: Timestamp) -> Option<Scope> {
    match kind {
        "grant" | BATCH => principal.permit::<Issue>(now).ok().map(|permit| permit.scope().clone()),
        "trusted-issuer" => {
            principal.permit::<ApprovePolicy>(now).ok().map(|permit| permit.scope().clone())
        }
        ROLE | RESTORE => {
            principal.permit::<ManageAccounts>(now).ok().map(|permit| permit.scope().clone())
        }
        RELEASE => {
            principal.permit::<DecideEvidence>(now).ok().map(|permit| permit.scope().clone())
        }
        _ => None,
    }
}

/// `GET /console/approvals`: what waits for this person, oldest first.
pub async fn list_requests(granted: Granted<OwnAccount>) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    let (principal, now) = (visit.principal.clone(), visit.now);
    let found = visit
        .run(move |env| {
            env.store.read(|tx| {
                let mut found = Vec::new();
                for kind in KINDS {
                    let Some(scope) = scope_of(&principal, kind, now) else { continue };
                    for request in tx.open_approval_requests(kind)? {
                        match tx.load_approval_request(&scope, &request.id) {
                            Ok(request) => found.push(request),
                            Err(StoreError::NotFound { .. }) => {}
                            Err(other) => return Err(other),
                        }
                    }
                }
                Ok::<_, StoreError>(found)
            })
        })
        .await?;
    let w = visit.words;
    let row = |one: &ApprovalRequest| RequestRow {
        href: format!("{PATH}/{}", one.id),
        kind: w.word("admin.approval-kind", &one.object.kind).to_owned(),
        object: one.object.id.clone(),
        opened: format::date_time(one.opened_at),
        until: format::date(one.expires_at()),
        given: places_text(w, one),
    };
    html(&ApprovalsPage {
        w,
        frame: visit.frame(w.t("admin.approvals.title"), Vec::new()),
        rows: found.iter().map(row).collect(),
    })
}

pub(super) fn places_text(w: Words, request: &ApprovalRequest) -> String {
    let given: i64 = Step::ALL.iter().map(|step| request.given(*step)).sum();
    w.say("admin.review.places").with("given", given).with("needed", request.needs.total()).text()
}

struct Ground {
    request: ApprovalRequest,
    names: Vec<(Party, String)>,
    own: Party,
}

/// A request that this person could decide on; no other exists for him or her.
async fn load(visit: &Visit, id: &str) -> Result<Ground, Problem> {
    let id = ApprovalId::parse(id).map_err(|_| Problem::not_found())?;
    let (principal, now) = (visit.principal.clone(), visit.now);
    visit
        .run(move |env| {
            env.store.read(|tx| {
                let none = || StoreError::NotFound { what: "approval request" };
                let found = tx.load_approval_request(&Scope::Platform, &id)?;
                let scope = scope_of(&principal, &found.object.kind, now).ok_or_else(none)?;
                let request = tx.load_approval_request(&scope, &id)?;
                let mut names = Vec::new();
                for party in request.decisions.iter().map(|one| &one.person).chain(&request.askers)
                {
                    if let Party::Person(person) = party {
                        let name = tx.load_person(person)?.name.to_string();
                        names.push((party.clone(), name));
                    }
                }
                let own = tx.party(&principal.actor)?;
                Ok::<_, StoreError>(Ground { request, names, own })
            })
        })
        .await
}

/// `GET /console/approvals/{id}`
pub async fn show_request(
    granted: Granted<OwnAccount>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    let ground = load(&visit, &id).await?;
    html(&page(&visit, &ground, (factor_field(&visit).await?, ""), Vec::new()))
}

fn page(
    visit: &Visit,
    ground: &Ground,
    (factor, reason): (Factor, &str),
    errors: Vec<FieldError>,
) -> ApprovalPage {
    let (w, request) = (visit.words, &ground.request);
    let kind = w.word("admin.approval-kind", &request.object.kind);
    let crumbs = vec![Crumb::link(w.t("admin.approvals.title"), PATH), Crumb::here(kind)];
    let mut frame = visit.frame(kind, crumbs);
    frame.has_errors = !errors.is_empty();
    let name = |party: &Party| {
        let known = ground.names.iter().find(|(known, _)| known == party);
        known.map_or_else(|| w.t("admin.draft.shell").to_owned(), |(_, name)| name.clone())
    };
    let asked: Vec<String> = request.askers.iter().map(name).collect();
    let decided = |decision: &Approval| {
        let (tone, title) = match decision.verdict {
            Verdict::Approved => (Tone::Ok, w.say("admin.draft.approved-by")),
            Verdict::Rejected => (Tone::Bad, w.say("admin.draft.rejected-by")),
        };
        let at = format::date_time(decision.at);
        Place {
            tone,
            title: title.with("name", name(&decision.person)).text(),
            text: format!("{at} {}", decision.reason).trim().to_owned(),
        }
    };
    let mut places: Vec<Place> = request.decisions.iter().map(decided).collect();
    if request.state == ApprovalState::Open {
        places.extend((0..request.open(Step::Officer)).map(|_| Place {
            tone: Tone::Mute,
            title: w.t("admin.draft.open-place").to_owned(),
            text: String::new(),
        }));
    }
    let is_own = request.askers.contains(&ground.own) && request.needs.bars.contains(&Bar::Asker);
    let decided = request.decisions.iter().any(|one| one.person == ground.own);
    ApprovalPage {
        w,
        frame,
        errors,
        facts: vec![
            Fact::new(w.t("admin.approvals.asked-by"), asked.join(", ")),
            Fact::new(w.t("admin.approvals.opened"), format::date_time(request.opened_at)),
            Fact::new(w.t("admin.approvals.until"), format::date(request.expires_at())),
        ],
        shown: serde_json::to_string_pretty(&request.shown).unwrap_or_default(),
        digest: request.digest.to_string(),
        places,
        places_text: places_text(w, request),
        may_decide: request.state == ApprovalState::Open
            && request.expires_at() >= visit.now
            && !is_own
            && !decided,
        factor,
        reason: reason.to_owned(),
        href: format!("{PATH}/{}", request.id),
    }
}

/// `POST /console/approvals/{id}`: approved or rejected by one person.
pub async fn decide(
    granted: Granted<OwnAccount>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    let ground = load(&visit, &id).await?;
    let form: VerdictForm = visit.form()?;
    let (w, verdict) = (visit.words, Verdict::from_word(&form.verdict));
    let wrong =
        |field: &str, text: &str| FieldError { field: field.to_owned(), text: text.to_owned() };
    let mut errors = Vec::new();
    if verdict.is_none() {
        errors.push(wrong("verdict", w.t("admin.draft.choose")));
    }
    if verdict == Some(Verdict::Rejected) && form.reason.trim().is_empty() {
        errors.push(wrong("reason", w.t("admin.draft.say-why")));
    }
    if errors.is_empty() {
        errors.extend(step_up(&visit, &form.code).await?);
    }
    let (Some(verdict), true) = (verdict, errors.is_empty()) else {
        let factor = factor_field(&visit).await?;
        let page = page(&visit, &ground, (factor, &form.reason), errors);
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    let shown = Digest::parse(&form.shown)
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "form-malformed"))?;
    let ruling = Ruling { shown, verdict, reason: form.reason };
    let (principal, now, request) = (visit.principal.clone(), visit.now, ground.request);
    visit.run(move |env| rule(env, &principal, &request, &ruling, now)).await?;
    Ok(see_other(PATH))
}

/// A decision about a request of any kind, under the leave that the kind needs.
pub(crate) fn rule(
    env: &Env,
    principal: &Principal,
    request: &ApprovalRequest,
    ruling: &Ruling,
    now: Timestamp,
) -> Result<(), ActError> {
    let none = || StoreError::NotFound { what: "approval request" };
    let object = &request.object;
    match object.kind.as_str() {
        "grant" => {
            let permit: Permit<Issue> = principal.permit(now)?;
            let id = GrantId::parse(&object.id).map_err(|_| none())?;
            decide_paper(env, &permit, &id, ruling).map(drop)
        }
        "trusted-issuer" => {
            let permit: Permit<ApprovePolicy> = principal.permit(now)?;
            let id = IssuerId::parse(&object.id).map_err(|_| none())?;
            decide_issuer(env, &permit, &id, ruling).map(drop)
        }
        BATCH => {
            let permit: Permit<Issue> = principal.permit(now)?;
            let id = BatchId::parse(&object.id).map_err(|_| none())?;
            decide_batch(env, &permit, &id, ruling).map(drop)
        }
        ROLE => {
            let permit: Permit<ManageAccounts> = principal.permit(now)?;
            decide_role(env, &permit, &request.id, ruling).map(drop)
        }
        RESTORE => {
            let permit: Permit<ManageAccounts> = principal.permit(now)?;
            decide_restore(env, &permit, &request.id, ruling).map(drop)
        }
        RELEASE => {
            let permit: Permit<DecideEvidence> = principal.permit(now)?;
            decide_release(env, &permit, &request.id, ruling).map(drop)
        }
        _ => Err(none().into()),
    }
}

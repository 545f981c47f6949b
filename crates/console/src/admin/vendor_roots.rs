//! Roots of vendors of key devices: the list, and one root with the change that waits for two
//! people (DOMAIN 9 and 17).
//!
//! Not here: proposing a root, which takes a file and is done at the command line.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use serde::Deserialize;
use tenkoku_ca::vendor_root::decide_vendor_root;
use tenkoku_domain::access::{DraftPolicy, Permission, ViewRegistry};
use tenkoku_domain::policy::draft::Verdict;
use tenkoku_domain::vendor_root::{VendorRoot, VendorRootState};

use super::authorities::platform_only;
use super::confirm::{Factor, factor_field, step_up};
use super::policies;
use super::views::{Fact, html, html_with, see_other};
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Chip, Crumb, FieldError, Tone};
use crate::problem::Problem;
use crate::text::Words;

/// The address of the list.
const PATH: &str = "/console/vendor-roots";

/// A root in the list.
pub(super) struct RootRow {
    pub(super) code: String,
    pub(super) href: String,
    pub(super) state: Chip,
    pub(super) digest: String,
}

#[derive(Template)]
#[template(path = "admin/vendor_roots.html")]
pub(super) struct RootsPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) rows: Vec<RootRow>,
}

#[derive(Template)]
#[template(path = "admin/vendor_root.html")]
pub(super) struct RootPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) state: Chip,
    pub(super) facts: Vec<Fact>,
    pub(super) digest: String,
    pub(super) href: String,
    pub(super) may_decide: bool,
    pub(super) factor: Factor,
    pub(super) reason: String,
}

#[derive(Debug, Default, Deserialize)]
struct VerdictForm {
    #[serde(default)]
    verdict: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    code: String,
}

fn chip(w: Words, state: VendorRootState) -> Chip {
    let tone = match state {
        VendorRootState::Trusted => Tone::Ok,
        VendorRootState::Proposed => Tone::Info,
        VendorRootState::Ending => Tone::Warn,
        VendorRootState::Ended | VendorRootState::Rejected => Tone::Mute,
    };
    Chip::new(tone, w.word("admin.vendor-root-state", state.word()))
}

fn href(root: &VendorRoot) -> String {
    format!("{PATH}/{}", root.code)
}

/// `GET /console/vendor-roots`
pub async fn list_roots(granted: Granted<ViewRegistry>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    platform_only(&permit)?;
    let found = visit.run(|env| env.store.read(|tx| tx.list_vendor_roots())).await?;
    let w = visit.words;
    let crumbs = vec![
        Crumb::link(w.t("admin.policies.title"), policies::PATH),
        Crumb::here(w.t("admin.vendor-roots.title")),
    ];
    let row = |root: &VendorRoot| RootRow {
        code: root.code.clone(),
        href: href(root),
        state: chip(w, root.state),
        digest: format::grouped(&root.digest.to_string()),
    };
    html(&RootsPage {
        w,
        frame: visit.frame(w.t("admin.vendor-roots.title"), crumbs),
        rows: found.iter().map(row).collect(),
    })
}

async fn load(visit: &Visit, code: String) -> Result<VendorRoot, Problem> {
    visit.run(move |env| env.store.read(|tx| tx.load_vendor_root(&code))).await
}

async fn page(
    visit: &Visit,
    root: &VendorRoot,
    reason: String,
    errors: Vec<FieldError>,
) -> Result<RootPage, Problem> {
    let w = visit.words;
    let crumbs =
        vec![Crumb::link(w.t("admin.vendor-roots.title"), PATH), Crumb::here(root.code.clone())];
    let mut frame = visit.frame(&root.code, crumbs);
    frame.has_errors = !errors.is_empty();
    let own = visit.account.party().to_string();
    let decided = root.decisions.iter().any(|decision| decision.person == own);
    let may_decide = visit.may(Permission::DraftPolicy)
        && root.approvals_open() > 0
        && root.author != own
        && !decided;
    let mut facts = vec![
        Fact::new(w.t("admin.vendor-roots.asked"), format::date_time(root.asked_at)),
        Fact::new(w.t("admin.vendor-roots.open"), root.approvals_open().to_string()),
    ];
    if root.approvals_open() > 0 {
        let until = format::date(root.expires_at());
        facts.push(Fact::new(w.t("admin.policies.until"), until));
    }
    Ok(RootPage {
        w,
        frame,
        errors,
        state: chip(w, root.state),
        facts,
        digest: root.digest.to_string(),
        href: href(root),
        may_decide,
        factor: if may_decide { factor_field(visit).await? } else { Factor::default() },
        reason,
    })
}

/// `GET /console/vendor-roots/{code}`
pub async fn show_root(
    granted: Granted<ViewRegistry>,
    code: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    platform_only(&permit)?;
    let root = load(&visit, code.into_inner()).await?;
    html(&page(&visit, &root, String::new(), Vec::new()).await?)
}

/// `POST /console/vendor-roots/{code}`: agreed to or rejected by one person.
pub async fn decide(
    granted: Granted<DraftPolicy>,
    code: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    platform_only(&permit)?;
    let form: VerdictForm = visit.form()?;
    let root = load(&visit, code.into_inner()).await?;
    // A second click finds the decision made.
    let own = visit.account.party().to_string();
    if root.decisions.iter().any(|decision| decision.person == own) {
        return Ok(see_other(&href(&root)));
    }
    let w = visit.words;
    let wrong =
        |field: &str, text: &str| FieldError { field: field.to_owned(), text: text.to_owned() };
    let verdict = Verdict::from_word(&form.verdict);
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
        let page = page(&visit, &root, form.reason, errors).await?;
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    let (name, reason) = (root.code.clone(), form.reason);
    visit.run(move |env| decide_vendor_root(env, &permit, &name, (verdict, &reason))).await?;
    Ok(see_other(&href(&root)))
}

//! Revocation as a whole: the state of every authority's lists, and revocations of many (RV-4).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use serde::Deserialize;
use tenkoku_ca::bulk::{BulkError, BulkOrder, approve_bulk, ask_bulk, preview_bulk, turn_bulk};
use tenkoku_domain::access::{PublishStatus, Revoke, ViewRegistry};
use tenkoku_domain::audit::{BulkStep, IssuedCrl};
use tenkoku_domain::authority::{Authority, AuthorityKind};
use tenkoku_domain::bulk::{APPROVALS_NEEDED, BulkRevocation, BulkSelection, BulkState};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::certificate::{Certificate, Profile};
use tenkoku_domain::id::BulkId;
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::revocation::Cause;
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use super::confirm::{Factor, factor_field, step_up};
use super::revoke::{Choice, local_time};
use super::tasks::platform_only;
use super::views::{Fact, ROWS, html, html_with, see_other};
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Chip, Crumb, FieldError, Tone};
use crate::problem::Problem;
use crate::text::Words;

const PATH: &str = "/console/revocation";
/// Lists of an authority in its history.
const HISTORY: i64 = 8;

/// One list of an authority.
pub(super) struct ListRow {
    pub(super) list: String,
    pub(super) number: String,
    pub(super) issued: String,
    pub(super) next: String,
    pub(super) entries: String,
    pub(super) size: String,
}

/// An authority with what it tells of status.
pub(super) struct Section {
    pub(super) id: String,
    pub(super) code: String,
    pub(super) facts: Vec<Fact>,
    pub(super) rows: Vec<ListRow>,
    pub(super) issues: bool,
}

/// A bulk revocation in the table.
pub(super) struct BulkRow {
    pub(super) href: String,
    pub(super) id: String,
    pub(super) cause: String,
    pub(super) state: Chip,
    pub(super) progress: String,
    pub(super) asked: String,
}

#[derive(Template)]
#[template(path = "admin/revocation.html")]
pub(super) struct RevocationPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) sections: Vec<Section>,
    pub(super) bulks: Vec<BulkRow>,
    pub(super) may_issue: bool,
    pub(super) may_revoke: bool,
}

struct Seen {
    authority: Authority,
    signer: Option<Certificate>,
    crls: Vec<IssuedCrl>,
}

fn seen(tx: &mut Tx<'_>, now: Timestamp) -> Result<(Vec<Seen>, Vec<BulkRevocation>), StoreError> {
    let mut all = Vec::new();
    for authority in tx.list_authorities()? {
        if authority.certificate.is_none() {
            continue;
        }
        all.push(Seen {
            signer: tx.current_signer(&authority.id, Profile::OcspSigner, now)?,
            crls: tx.list_crls(&authority.id, HISTORY)?,
            authority,
        });
    }
    Ok((all, tx.list_bulks(ROWS)?))
}

/// `GET /console/revocation`
pub async fn show_revocation(granted: Granted<ViewRegistry>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    platform_only(&permit)?;
    let now = visit.now;
    let (found, bulks) = visit.run(move |env| env.store.read(|tx| seen(tx, now))).await?;
    let w = visit.words;
    html(&RevocationPage {
        w,
        frame: visit.frame(w.t("admin.revocation.title"), Vec::new()),
        sections: found.iter().map(|one| section(w, one)).collect(),
        bulks: bulks.iter().map(|bulk| bulk_row(w, bulk)).collect(),
        may_issue: visit.may(tenkoku_domain::access::Permission::PublishStatus),
        may_revoke: visit.may(tenkoku_domain::access::Permission::Revoke),
    })
}

fn section(w: Words, seen: &Seen) -> Section {
    let ocsp = match (&seen.signer, seen.authority.kind) {
        (Some(signer), _) => w
            .say("admin.revocation.ocsp-until")
            .with("time", format::date_time(signer.validity.not_after))
            .text(),
        (None, AuthorityKind::Issuing(_)) => w.t("admin.revocation.ocsp-none").to_owned(),
        (None, AuthorityKind::Root | AuthorityKind::Policy | AuthorityKind::Service(_)) => {
            w.t("admin.revocation.ocsp-not").to_owned()
        }
    };
    let shards = i64::from(seen.authority.crl_shards.get());
    Section {
        id: seen.authority.id.to_string(),
        code: seen.authority.code.to_string(),
        facts: vec![
            Fact::new("OCSP", ocsp),
            Fact::new(w.t("admin.revocation.shards"), format::number(shards)),
        ],
        rows: seen.crls.iter().map(|crl| list_row(w, crl)).collect(),
        issues: seen.authority.check_online().is_ok(),
    }
}

fn list_row(w: Words, crl: &IssuedCrl) -> ListRow {
    ListRow {
        list: crl.list.to_string(),
        number: format::number(crl.number),
        issued: format::date_time(crl.this_update),
        next: format::date_time(crl.next_update),
        entries: format::number(crl.entries),
        size: format::size(w, usize::try_from(crl.octets).unwrap_or_default()),
    }
}

fn bulk_chip(w: Words, state: BulkState) -> Chip {
    let tone = match state {
        BulkState::Asked => Tone::Info,
        BulkState::Approved | BulkState::Paused => Tone::Warn,
        BulkState::Done => Tone::Ok,
        BulkState::Rejected | BulkState::Cancelled => Tone::Mute,
    };
    Chip::new(tone, w.word("admin.bulk.state", state.word()))
}

fn bulk_row(w: Words, bulk: &BulkRevocation) -> BulkRow {
    BulkRow {
        href: format!("{PATH}/bulk/{}", bulk.id),
        id: bulk.id.to_string(),
        cause: w.word("admin.cause-choice", bulk.cause.word()).to_owned(),
        state: bulk_chip(w, bulk.state),
        progress: progress(w, bulk),
        asked: format::date_time(bulk.asked_at),
    }
}

fn progress(w: Words, bulk: &BulkRevocation) -> String {
    w.say("admin.jobs.progress")
        .with("done", format::number(bulk.revoked))
        .with("total", format::number(bulk.matched))
        .text()
}

#[derive(Debug, Deserialize)]
struct IssueForm {
    #[serde(default)]
    authority: String,
}

/// `POST /console/revocation/issue`: the lists are issued by the job, not by this request.
pub async fn issue_now(granted: Granted<PublishStatus>) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    let IssueForm { authority } = visit.form()?;
    let now = visit.now;
    visit
        .run(move |env| {
            env.store.write(|tx| {
                let found = tx.find_authority(&authority)?;
                let found = found.ok_or(StoreError::NotFound { what: "authority" })?;
                tx.enqueue_job("issue-crls", found.id.as_str(), now)
            })
        })
        .await?;
    Ok(see_other(PATH))
}

/// What a person enters to revoke many.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct BulkForm {
    pub(super) authority: String,
    pub(super) organisation: String,
    pub(super) branch: String,
    pub(super) container: String,
    pub(super) algorithm: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) due: String,
    pub(super) cause: String,
    pub(super) comment: String,
    pub(super) code: String,
}

#[derive(Template)]
#[template(path = "admin/bulk_form.html")]
pub(super) struct BulkFormPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) causes: Vec<Choice>,
    pub(super) form: BulkForm,
}

#[derive(Template)]
#[template(path = "admin/bulk_consequence.html")]
pub(super) struct BulkConsequencePage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) points: Vec<String>,
    pub(super) facts: Vec<Fact>,
    pub(super) form: BulkForm,
    pub(super) factor: Factor,
}

#[derive(Template)]
#[template(path = "admin/bulk.html")]
pub(super) struct BulkPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) state: Chip,
    pub(super) done: i64,
    pub(super) total: i64,
    pub(super) progress: String,
    pub(super) facts: Vec<Fact>,
    pub(super) digest: String,
    pub(super) steps: Vec<(&'static str, String)>,
    pub(super) factor: Factor,
    pub(super) href: String,
}

fn frame(visit: &Visit, title: &str, errors: &[FieldError]) -> AdminFrame {
    let w = visit.words;
    let crumbs = vec![Crumb::link(w.t("admin.revocation.title"), PATH), Crumb::here(title)];
    let mut frame = visit.frame(title, crumbs);
    frame.has_errors = !errors.is_empty();
    frame
}

fn form_page(visit: &Visit, form: BulkForm, errors: Vec<FieldError>) -> BulkFormPage {
    let w = visit.words;
    let causes = Cause::OFFERED.into_iter().map(|cause| Choice {
        word: cause.word(),
        label: w.word("admin.cause-choice", cause.word()).to_owned(),
        hint: w.word("admin.cause-hint", cause.word()).to_owned(),
        chosen: form.cause == cause.word(),
    });
    BulkFormPage {
        w,
        frame: frame(visit, w.t("admin.bulk.title"), &errors),
        errors,
        causes: causes.collect(),
        form,
    }
}

/// `GET /console/revocation/bulk`
pub async fn show_form(granted: Granted<Revoke>) -> Result<HttpResponse, Problem> {
    html(&form_page(&granted.visit, BulkForm::default(), Vec::new()))
}

/// What was entered, as an order; what is wrong is said field by field.
fn read(
    env: &Env,
    w: Words,
    form: &BulkForm,
) -> Result<Result<BulkOrder, Vec<FieldError>>, StoreError> {
    let mut errors = Vec::new();
    let mut wrong = |field: &str, text: &str| {
        errors.push(FieldError { field: field.to_owned(), text: text.to_owned() });
    };
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let scope = tenkoku_domain::access::Scope::Platform;
    let mut selection = BulkSelection::default();
    if let Some(code) = given(&form.authority) {
        match env.store.read(|tx| tx.find_authority(&code))? {
            Some(found) => selection.authority = Some(found.id),
            None => wrong("authority", w.t("admin.bulk.unknown")),
        }
    }
    if let Some(identifier) = given(&form.organisation) {
        match env.store.read(|tx| tx.find_organisation_by_identifier(&scope, &identifier))? {
            Some(found) => selection.organisation = Some(found.id),
            None => wrong("organisation", w.t("admin.bulk.unknown")),
        }
    }
    match (given(&form.branch), &selection.organisation) {
        (None, _) => {}
        (Some(_), None) => wrong("branch", w.t("admin.bulk.branch-alone")),
        (Some(code), Some(organisation)) => {
            let code = tenkoku_domain::branch::BranchCode::parse(&code).ok();
            let found = match code {
                Some(code) => {
                    env.store.read(|tx| tx.find_branch_by_code(&scope, organisation, &code))?
                }
                None => None,
            };
            match found {
                Some(found) => selection.branch = Some(found.id),
                None => wrong("branch", w.t("admin.bulk.unknown")),
            }
        }
    }
    if let Some(serial) = given(&form.container) {
        match env.store.read(|tx| tx.find_container(&serial))?.into_iter().next() {
            Some(found) => selection.container = Some(found.id),
            None => wrong("container", w.t("admin.bulk.unknown")),
        }
    }
    if let Some(name) = given(&form.algorithm) {
        match KeyAlgorithm::parse(&name) {
            Ok(algorithm) => selection.algorithm = Some(algorithm),
            Err(_) => wrong("algorithm", w.t("admin.bulk.unknown")),
        }
    }
    let mut time = |field: &str, text: &str| {
        local_time(text).unwrap_or_else(|()| {
            wrong(field, w.t("admin.revoke.since-shape"));
            None
        })
    };
    selection.from = time("from", &form.from);
    selection.to = time("to", &form.to);
    let due = time("due", &form.due);
    let cause = Cause::OFFERED.into_iter().find(|cause| cause.word() == form.cause);
    if cause.is_none() {
        wrong("cause", w.t("admin.revoke.choose-cause"));
    }
    if selection == BulkSelection::default() {
        wrong("authority", w.t("admin.bulk.nothing-chosen"));
    }
    Ok(match cause {
        Some(cause) if errors.is_empty() => {
            Ok(BulkOrder { selection, cause, due, comment: form.comment.clone() })
        }
        Some(_) | None => Err(errors),
    })
}

async fn order(
    visit: &Visit,
    form: &BulkForm,
) -> Result<Result<BulkOrder, Vec<FieldError>>, Problem> {
    let (w, form) = (visit.words, form.clone());
    visit.run(move |env| read(env, w, &form)).await
}

/// `POST /console/revocation/bulk`
pub async fn show_consequence(granted: Granted<Revoke>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let form: BulkForm = visit.form()?;
    match order(&visit, &form).await? {
        Err(errors) => {
            html_with(StatusCode::UNPROCESSABLE_ENTITY, &form_page(&visit, form, errors))
        }
        Ok(order) => {
            let page = consequence(&visit, permit, form, order, Vec::new()).await?;
            html(&page)
        }
    }
}

async fn consequence(
    visit: &Visit,
    permit: tenkoku_domain::access::Permit<Revoke>,
    form: BulkForm,
    order: BulkOrder,
    errors: Vec<FieldError>,
) -> Result<BulkConsequencePage, Problem> {
    let w = visit.words;
    let shown = order.clone();
    let counts = visit.run(move |env| preview_bulk(env, &permit, &order)).await?;
    let total: i64 = counts.values().sum();
    let mut points = vec![w.count("admin.bulk.from-now", total).text()];
    points.push(w.t("admin.revoke.made-before").to_owned());
    points.push(w.say("admin.bulk.two-others").with("n", format::number(2)).text());
    points.push(w.t("admin.revoke.final").to_owned());
    let mut facts = vec![Fact::new(
        w.t("admin.certificate.cause"),
        w.word("admin.cause-choice", shown.cause.word()),
    )];
    for (state, count) in &counts {
        facts.push(Fact::new(w.word("admin.bulk.certificate", state), format::number(*count)));
    }
    if let Some(due) = shown.due {
        facts.push(Fact::new(w.t("admin.bulk.due"), format::date_time(due)));
    }
    Ok(BulkConsequencePage {
        w,
        frame: frame(visit, w.t("admin.revoke.check"), &errors),
        errors,
        points,
        facts,
        form,
        factor: factor_field(visit).await?,
    })
}

/// `POST /console/revocation/bulk/ask`
pub async fn ask(granted: Granted<Revoke>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let form: BulkForm = visit.form()?;
    let order = match order(&visit, &form).await? {
        Ok(order) => order,
        Err(errors) => {
            return html_with(StatusCode::UNPROCESSABLE_ENTITY, &form_page(&visit, form, errors));
        }
    };
    if let Some(error) = step_up(&visit, &form.code).await? {
        let page = consequence(&visit, permit, form, order, vec![error]).await?;
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let bulk = visit.run(move |env| ask_bulk(env, &permit, &order)).await?;
    Ok(see_other(&format!("{PATH}/bulk/{}", bulk.id)))
}

/// `GET /console/revocation/bulk/{id}`
pub async fn show_bulk(
    granted: Granted<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    platform_only(&granted.permit)?;
    let visit = granted.visit;
    let bulk = load(&visit, &id).await?;
    html(&bulk_page(&visit, &bulk, Vec::new()).await?)
}

async fn load(visit: &Visit, id: &str) -> Result<BulkRevocation, Problem> {
    let Ok(id) = BulkId::parse(id) else { return Err(Problem::not_found()) };
    visit.run(move |env| env.store.read(|tx| tx.load_bulk(&id))).await
}

async fn bulk_page(
    visit: &Visit,
    bulk: &BulkRevocation,
    errors: Vec<FieldError>,
) -> Result<BulkPage, Problem> {
    let w = visit.words;
    let mut facts = vec![
        Fact::new(w.t("admin.certificate.cause"), w.word("admin.cause-choice", bulk.cause.word())),
        Fact::new(w.t("admin.bulk.asked"), format::date_time(bulk.asked_at)),
        Fact::new(
            w.t("admin.bulk.approvals"),
            format!("{} / {APPROVALS_NEEDED}", bulk.approvals.len()),
        ),
        Fact::new(w.t("admin.bulk.skipped"), format::number(bulk.skipped)),
    ];
    if let Some(due) = bulk.due {
        facts.push(Fact::new(w.t("admin.bulk.due"), format::date_time(due)));
    }
    if !bulk.comment.is_empty() {
        facts.push(Fact::new(w.t("admin.revoke.comment"), &*bulk.comment));
    }
    let may = visit.may(tenkoku_domain::access::Permission::Revoke);
    let offered = match bulk.state {
        BulkState::Asked => vec!["approve", "reject", "cancel"],
        BulkState::Approved if bulk.cursor.is_none() => vec!["pause", "cancel"],
        BulkState::Approved => vec!["pause"],
        BulkState::Paused => vec!["resume"],
        BulkState::Done | BulkState::Rejected | BulkState::Cancelled => Vec::new(),
    };
    let steps = offered.into_iter().filter(|_| may);
    Ok(BulkPage {
        w,
        frame: frame(visit, w.t("admin.bulk.title"), &errors),
        errors,
        state: bulk_chip(w, bulk.state),
        done: bulk.revoked + bulk.skipped,
        total: bulk.matched.max(1),
        progress: progress(w, bulk),
        facts,
        digest: bulk.digest().map_err(BulkError::from)?.to_string(),
        steps: steps.map(|step| (step, w.word("admin.bulk.step", step).to_owned())).collect(),
        factor: factor_field(visit).await?,
        href: format!("{PATH}/bulk/{}", bulk.id),
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StepForm {
    step: String,
    digest: String,
    code: String,
}

/// `POST /console/revocation/bulk/{id}`
pub async fn decide(granted: Granted<Revoke>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let form: StepForm = visit.form()?;
    let bulk = load(&visit, &id).await?;
    if let Some(error) = step_up(&visit, &form.code).await? {
        let page = bulk_page(&visit, &bulk, vec![error]).await?;
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let step = match form.step.as_str() {
        "approve" => None,
        "reject" => Some(BulkStep::Rejected),
        "cancel" => Some(BulkStep::Cancelled),
        "pause" => Some(BulkStep::Paused),
        "resume" => Some(BulkStep::Resumed),
        _ => return Err(Problem::not_found()),
    };
    let href = format!("{PATH}/bulk/{}", bulk.id);
    visit
        .run(move |env| {
            if let Some(step) = step {
                return turn_bulk(env, &permit, &bulk.id, step).map(drop);
            }
            let digest = Digest::parse(&form.digest)
                .map_err(|_| StoreError::NotFound { what: "bulk revocation" })?;
            approve_bulk(env, &permit, &bulk.id, &digest).map(drop)
        })
        .await?;
    Ok(see_other(&href))
}

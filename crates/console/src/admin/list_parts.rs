//! The parts of a draft as forms: what the scheme, a pointer, a provider or a service says; the
//! status of a service with its date, reason and legal text; the end of the list (UX 4.12).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use serde::Deserialize;
use tenkoku_domain::access::PublishList;
use tenkoku_domain::access::{Permit, ViewRegistry};
use tenkoku_domain::time::Timestamp;
use tenkoku_domain::trusted_list::draft::{Fields, ListDraft, ListEdit, ListPart, StatusGround};
use tenkoku_publisher::check::Examination;
use tenkoku_publisher::draft::{DraftError, edit_draft, examine_draft};
use tenkoku_publisher::form::{self, FormField, Size};
use tenkoku_tsl::rules::Finding;

use super::list_drafts::{parse, shown, title};
use super::lists::{PATH, draft_href};
use super::views::{html, html_with, see_other};
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Crumb, FieldError};
use crate::problem::Problem;
use crate::text::{Words, list as words};

/// A field of the form, with what it says.
pub(super) struct Input {
    pub(super) id: &'static str,
    pub(super) label: String,
    pub(super) hint: String,
    pub(super) value: String,
    pub(super) many: bool,
    pub(super) fixed: bool,
}

/// A status that a service may be given.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
}

#[derive(Template)]
#[template(path = "admin/list_part.html")]
pub(super) struct PartPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) inputs: Vec<Input>,
    pub(super) href: String,
    pub(super) back: String,
    pub(super) shown: String,
    /// Whether the part is a service that has a status to be changed.
    pub(super) has_status: bool,
    pub(super) may_remove: bool,
    pub(super) may_close: bool,
    pub(super) status: StatusForm,
    pub(super) statuses: Vec<Choice>,
    pub(super) reason: String,
}

/// What is asked of a change of status.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct StatusForm {
    #[serde(default)]
    pub(super) shown: String,
    #[serde(default)]
    pub(super) status: String,
    #[serde(default)]
    pub(super) from: String,
    #[serde(default)]
    pub(super) reason: String,
    #[serde(default)]
    pub(super) legal_ja: String,
    #[serde(default)]
    pub(super) legal_en: String,
}

#[derive(Debug, Default, Deserialize)]
struct CloseForm {
    #[serde(default)]
    shown: String,
    #[serde(default)]
    reason: String,
}

/// A draft and the part of it that is looked at.
struct Ground {
    draft: ListDraft,
    seen: Examination,
    part: ListPart,
}

async fn load(visit: &Visit, path: &(String, String)) -> Result<Ground, Problem> {
    let (id, part) = (parse(&path.0)?, ListPart::parse(&path.1).ok_or_else(Problem::not_found)?);
    let permit = visit.principal.permit::<ViewRegistry>(visit.now);
    let permit = permit.map_err(|refusal| Problem::from_refusal(&refusal))?;
    let (draft, seen) = visit.run(move |env| examine_draft(env, &permit, &id)).await?;
    Ok(Ground { draft, seen, part })
}

/// `GET /console/lists/drafts/{draft}/{part}`
pub async fn show_part(
    granted: Granted<PublishList>,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    let ground = load(&visit, &path).await?;
    html(&page(&visit, &ground, None, StatusForm::default(), Vec::new()))
}

fn page(
    visit: &Visit,
    ground: &Ground,
    given: Option<&Fields>,
    status: StatusForm,
    errors: Vec<FieldError>,
) -> PartPage {
    let Ground { draft, seen, part } = ground;
    let w = visit.words;
    let said = form::show(&seen.list, *part);
    let name = match &said {
        Some(_) => words::place(w, &form::place(&seen.list, *part)),
        None => w.word("admin.list-part-new", part.kind()).to_owned(),
    };
    let crumbs = vec![
        Crumb::link(w.t("admin.lists.title"), PATH),
        Crumb::link(title(w, draft, &seen.list), draft_href(draft)),
        Crumb::here(&*name),
    ];
    let mut frame = visit.frame(&name, crumbs);
    frame.has_errors = !errors.is_empty();
    let is_service = matches!(part, ListPart::Service { .. });
    let is_live = seen.live.as_ref().is_some_and(|live| is_published(seen, live, *part));
    let values = given.cloned().or_else(|| said.clone()).unwrap_or_default();
    let input = |field: &FormField| Input {
        id: field.name,
        label: w.word("list-field", field.name).to_owned(),
        hint: w.word("list-field-hint", field.name).to_owned(),
        value: values.get(field.name).cloned().unwrap_or_default(),
        many: field.size == Size::Lines,
        fixed: is_live && matches!(field.name, "status" | "service-type"),
    };
    PartPage {
        w,
        frame,
        inputs: form::fields(*part).iter().map(input).collect(),
        href: format!("{}/{part}", draft_href(draft)),
        back: draft_href(draft),
        shown: draft.content.to_string(),
        has_status: is_service && said.is_some(),
        may_remove: said.is_some() && *part != ListPart::Scheme && !is_live,
        may_close: *part == ListPart::Scheme,
        statuses: statuses(w, &values),
        reason: status.reason.clone(),
        status,
        errors,
    }
}

/// Whether the live list has the service already.
fn is_published(
    seen: &Examination,
    live: &tenkoku_tsl::model::TrustedList,
    part: ListPart,
) -> bool {
    let ListPart::Service { provider, service } = part else { return false };
    let found = seen.list.providers.get(provider.saturating_sub(1));
    let found = found.and_then(|one| one.services.get(service.saturating_sub(1)));
    found.is_some_and(|service| {
        live.services().any(|(_, one)| tenkoku_tsl::rules::is_same_service(service, one))
    })
}

/// The two statuses of the scheme: beside the present one, the other of its kind.
fn statuses(w: Words, values: &Fields) -> Vec<Choice> {
    let present = values.get("status").map_or("", String::as_str);
    let (base, separator) = match present.rsplit_once(['#', '/']) {
        Some((base, word)) => (base, present.get(base.len()..present.len() - word.len())),
        None => (present, None),
    };
    let separator = separator.unwrap_or("#");
    let words = if present.ends_with("atnationallevel") {
        ["recognisedatnationallevel", "deprecatedatnationallevel"]
    } else {
        ["granted", "withdrawn"]
    };
    words
        .map(|word| Choice {
            value: format!("{base}{separator}{word}"),
            label: w.word("service-status", word).to_owned(),
        })
        .into()
}

/// What is wrong with a form, each at its field.
fn mistakes(w: Words, part: ListPart, findings: &[Finding]) -> Vec<FieldError> {
    let named = |finding: &Finding| {
        let field = form::fields(part).iter().find(|field| Some(field.field) == finding.field);
        FieldError {
            field: field.map_or("status", |field| field.name).to_owned(),
            text: words::finding(w, finding),
        }
    };
    findings.iter().map(named).collect()
}

/// Makes a change; what is wrong with it comes back.
async fn change(
    visit: &Visit,
    permit: Permit<PublishList>,
    ground: &Ground,
    seen: &str,
    edit: ListEdit,
) -> Result<Result<(), Vec<Finding>>, Problem> {
    let (id, shown) = (ground.draft.id.clone(), shown(seen)?);
    visit
        .run(move |env| match edit_draft(env, &permit, &id, &shown, &edit) {
            Ok(_) => Ok(Ok(())),
            Err(DraftError::Mistakes(mistakes)) => Ok(Err(mistakes)),
            Err(other) => Err(other),
        })
        .await
}

/// `POST /console/lists/drafts/{draft}/{part}`: what the part is to say; a new one where there was
/// none.
pub async fn save_part(
    granted: Granted<PublishList>,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let ground = load(&visit, &path).await?;
    let mut fields: Fields = visit.form()?;
    let seen = fields.remove("shown").unwrap_or_default();
    fields.retain(|name, _| form::fields(ground.part).iter().any(|field| field.name == name));
    let part = ground.part;
    let given = fields.clone();
    let edit = match form::show(&ground.seen.list, part) {
        Some(said) => {
            // A record of a change names what was changed, and nothing else.
            fields.retain(|name, value| {
                let plain = value.replace("\r\n", "\n");
                said.get(name).is_none_or(|said| said.trim() != plain.trim())
            });
            ListEdit::Change { part, fields }
        }
        None => ListEdit::Add { part, fields },
    };
    match change(&visit, permit, &ground, &seen, edit).await? {
        Ok(()) => Ok(see_other(&draft_href(&ground.draft))),
        Err(findings) => {
            let errors = mistakes(visit.words, part, &findings);
            let page = page(&visit, &ground, Some(&given), StatusForm::default(), errors);
            html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// `POST /console/lists/drafts/{draft}/{part}/removal`
pub async fn remove_part(
    granted: Granted<PublishList>,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let ground = load(&visit, &path).await?;
    let form: CloseForm = visit.form()?;
    let edit = ListEdit::Remove { part: ground.part };
    match change(&visit, permit, &ground, &form.shown, edit).await? {
        Ok(()) => Ok(see_other(&draft_href(&ground.draft))),
        Err(findings) => Err(DraftError::Mistakes(findings).into()),
    }
}

/// `POST /console/lists/drafts/{draft}/{part}/status`
pub async fn set_status(
    granted: Granted<PublishList>,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let ground = load(&visit, &path).await?;
    let form: StatusForm = visit.form()?;
    let w = visit.words;
    let wrong =
        |field: &str, text: &str| FieldError { field: field.to_owned(), text: text.to_owned() };
    let needed = [
        ("status", &form.status),
        ("reason", &form.reason),
        ("legal_ja", &form.legal_ja),
        ("legal_en", &form.legal_en),
    ];
    let mut errors: Vec<FieldError> = needed
        .iter()
        .filter(|(_, value)| value.trim().is_empty())
        .map(|(field, _)| wrong(field, w.t("admin.list-part.needed")))
        .collect();
    let from = match form.from.trim() {
        "" => None,
        text => {
            let at =
                Timestamp::parse(text).or_else(|| Timestamp::parse(&format!("{text}T00:00:00Z")));
            if at.is_none() {
                errors.push(wrong("from", w.t("admin.list-part.date-wrong")));
            }
            at
        }
    };
    if errors.is_empty() {
        let ground_of = StatusGround {
            reason: form.reason.clone(),
            legal_ja: form.legal_ja.clone(),
            legal_en: form.legal_en.clone(),
        };
        let edit = ListEdit::Status {
            part: ground.part,
            status: form.status.clone(),
            from,
            ground: ground_of,
        };
        match change(&visit, permit, &ground, &form.shown, edit).await? {
            Ok(()) => return Ok(see_other(&draft_href(&ground.draft))),
            Err(findings) => errors = mistakes(w, ground.part, &findings),
        }
    }
    let page = page(&visit, &ground, None, form, errors);
    html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// `POST /console/lists/drafts/{draft}/closing`: no other list follows.
pub async fn close_list(
    granted: Granted<PublishList>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let form: CloseForm = visit.form()?;
    let place = (id.into_inner(), ListPart::Scheme.to_string());
    let ground = load(&visit, &place).await?;
    if form.reason.trim().is_empty() {
        let text = visit.words.t("admin.list-part.needed").to_owned();
        let errors = vec![FieldError { field: "reason".to_owned(), text }];
        let page = page(&visit, &ground, None, StatusForm::default(), errors);
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let edit = ListEdit::Close { reason: form.reason };
    match change(&visit, permit, &ground, &form.shown, edit).await? {
        Ok(()) => Ok(see_other(&draft_href(&ground.draft))),
        Err(findings) => Err(DraftError::Mistakes(findings).into()),
    }
}

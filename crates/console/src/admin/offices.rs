//! Offices of an organisation: who represents it, and who may be given a part of its authority;
//! recorded on evidence, and ended.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use tenkoku_ca::office::{
    DelegateOrder, PersonOrder, RepresentativeOrder, add_delegate, end_representative,
    record_representative, remove_delegate,
};
use tenkoku_domain::access::{ManageGrants, RecordProofing, Scope};
use tenkoku_domain::id::{DelegateId, OrganisationId, RepresentativeId};
use tenkoku_domain::organisation::Organisation;
use tenkoku_domain::time::Timestamp;
use tenkoku_store::StoreError;

use super::acts::{DeedForm, DeedPage};
use super::confirm::{factor_field, step_up};
use super::entry::{Entered, Entry, Field, Input, refusable, refused};
use super::names::{self, organisation_href};
use super::uploads::{EVIDENCE, evidence};
use super::views::{Fact, html, html_with, see_other};
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{Crumb, FieldError};
use crate::problem::Problem;
use crate::text::Words;

/// How long a delegate's office is prefilled for, in days.
const OFFICE_DAYS: i64 = 365;

fn delegation_href(id: &OrganisationId) -> String {
    format!("{}/delegation", organisation_href(id))
}

fn crumbs(w: Words, organisation: &Organisation) -> Vec<Crumb> {
    vec![
        Crumb::link(names::organisation(w, organisation).name, organisation_href(&organisation.id)),
        Crumb::link(w.t("admin.delegation.title"), delegation_href(&organisation.id)),
    ]
}

/// An organisation that lies wholly within a scope.
async fn within(visit: &Visit, scope: &Scope, id: &str) -> Result<Organisation, Problem> {
    let id = OrganisationId::parse(id).map_err(|_| Problem::not_found())?;
    let scope = scope.clone();
    visit
        .run(move |env| {
            env.store.read(|tx| {
                let found = tx.load_organisation(&scope, &id)?;
                let covered = scope.covers_organisation(&id);
                covered.then_some(found).ok_or(StoreError::NotFound { what: "organisation" })
            })
        })
        .await
}

fn person_fields(w: Words) -> [Field; 2] {
    [
        Field::new("name", w.t("admin.drafting.name"), Input::Line("text"))
            .with_hint(w.t("admin.drafting.name-hint")),
        Field::new("contact", w.t("admin.drafting.contact"), Input::Line("email")),
    ]
}

/// The person that is entered, or what is to be corrected.
fn person(w: Words, entered: &Entered) -> Result<PersonOrder, FieldError> {
    let text = |field: &str| entered.get(field).cloned().unwrap_or_default();
    let name = text("name");
    if name.is_empty() {
        let text = w.t("admin.drafting.no-name").to_owned();
        return Err(FieldError { field: "name".to_owned(), text });
    }
    Ok(PersonOrder::Named { name, contact: text("contact") })
}

fn representative_form(w: Words, organisation: &Organisation) -> Entry {
    let mut fields = Vec::from(person_fields(w));
    fields.push(
        Field::new("capacity", w.t("admin.office.capacity"), Input::Line("text"))
            .with_hint(w.t("admin.office.capacity-hint")),
    );
    fields.push(
        Field::new("evidence", w.t("admin.office.evidence"), Input::File(EVIDENCE))
            .with_hint(w.t("admin.office.evidence-hint")),
    );
    Entry {
        title: w.t("admin.office.representative"),
        intro: w.t("admin.office.representative-intro").to_owned(),
        crumbs: crumbs(w, organisation),
        action: format!("{}/representatives/new", organisation_href(&organisation.id)),
        fields,
        button: w.t("admin.office.record"),
    }
}

/// `GET /console/organisations/{id}/representatives/new`
pub async fn new_representative(
    granted: Granted<RecordProofing>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let organisation = within(&visit, permit.scope(), &id).await?;
    representative_form(visit.words, &organisation).show(&visit, Entered::new())
}

/// `POST /console/organisations/{id}/representatives/new`
pub async fn create_representative(
    granted: Granted<RecordProofing>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let organisation = within(&visit, permit.scope(), &id).await?;
    let w = visit.words;
    let form = representative_form(w, &organisation);
    let entered = visit.fields().texts()?;
    let read = (person(w, &entered), evidence(w, visit.fields(), "evidence"));
    let (person, evidence) = match read {
        (Ok(person), Ok(evidence)) => (person, evidence),
        (person, evidence) => {
            let errors = person.err().into_iter().chain(evidence.err()).collect();
            return form.correct(&visit, errors);
        }
    };
    let order = RepresentativeOrder {
        organisation: organisation.id.clone(),
        person,
        capacity: entered.get("capacity").cloned().unwrap_or_default(),
        evidence,
        from: None,
    };
    let done = visit.run(move |env| refusable(record_representative(env, &permit, &order))).await?;
    match done {
        Ok(_) => Ok(see_other(&delegation_href(&organisation.id))),
        Err(refusal) => form.correct(&visit, vec![refused(w, "capacity", &refusal)]),
    }
}

fn delegate_form(w: Words, organisation: &Organisation) -> Entry {
    let mut fields = Vec::from(person_fields(w));
    fields.push(Field::new("until", w.t("admin.drafting.delegate-until"), Input::Line("date")));
    Entry {
        title: w.t("admin.drafting.delegate"),
        intro: w.t("admin.drafting.delegate-intro").to_owned(),
        crumbs: crumbs(w, organisation),
        action: format!("{}/delegates/new", organisation_href(&organisation.id)),
        fields,
        button: w.t("admin.drafting.name-delegate"),
    }
}

/// `GET /console/organisations/{id}/delegates/new`
pub async fn new_delegate(
    granted: Granted<ManageGrants>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let organisation = within(&visit, permit.scope(), &id).await?;
    let year = visit.now.plus_days(OFFICE_DAYS).to_date();
    let entered = Entered::from([("until".to_owned(), year)]);
    delegate_form(visit.words, &organisation).show(&visit, entered)
}

/// `POST /console/organisations/{id}/delegates/new`
pub async fn create_delegate(
    granted: Granted<ManageGrants>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let organisation = within(&visit, permit.scope(), &id).await?;
    let w = visit.words;
    let form = delegate_form(w, &organisation);
    let entered = visit.fields().texts()?;
    let until = entered.get("until").map_or("", String::as_str);
    let until = Timestamp::parse(&format!("{until}T23:59:59Z")).ok_or_else(|| FieldError {
        field: "until".to_owned(),
        text: w.t("admin.drafting.no-date").to_owned(),
    });
    let (person, until) = match (person(w, &entered), until) {
        (Ok(person), Ok(until)) => (person, until),
        (person, until) => {
            return form.correct(&visit, person.err().into_iter().chain(until.err()).collect());
        }
    };
    let order =
        DelegateOrder { organisation: organisation.id.clone(), person, branch: None, until };
    let done = visit.run(move |env| refusable(add_delegate(env, &permit, &order))).await?;
    match done {
        Ok(_) => Ok(see_other(&delegation_href(&organisation.id))),
        Err(refusal) => form.correct(&visit, vec![refused(w, "name", &refusal)]),
    }
}

/// An office that somebody is about to end.
struct Ending {
    organisation: Organisation,
    name: String,
    from: Timestamp,
    action: String,
    title: &'static str,
    follows: &'static str,
}

async fn ending_page(
    visit: &Visit,
    ending: &Ending,
    errors: Vec<FieldError>,
) -> Result<DeedPage, Problem> {
    let w = visit.words;
    let mut crumbs = crumbs(w, &ending.organisation);
    crumbs.push(Crumb::here(ending.title));
    let mut frame = visit.frame(ending.title, crumbs);
    frame.has_errors = !errors.is_empty();
    Ok(DeedPage {
        w,
        frame,
        errors,
        heading: w.t("admin.life.what-follows"),
        points: vec![ending.follows.to_owned()],
        numbers: vec![
            Fact::new(w.t("admin.drafting.name"), ending.name.clone()),
            Fact::new(w.t("admin.office.since"), format::date(ending.from)),
        ],
        blocked: None,
        demand: None,
        holds: false,
        reason_label: None,
        reason: String::new(),
        by_label: "",
        others: Vec::new(),
        chosen: String::new(),
        factor: factor_field(visit).await?,
        button: ending.title,
        action: ending.action.clone(),
        back: delegation_href(&ending.organisation.id),
        back_label: w.t("admin.office.back"),
        dangerous: true,
    })
}

async fn representative(
    visit: &Visit,
    scope: &Scope,
    id: &str,
) -> Result<(RepresentativeId, Ending), Problem> {
    let id = RepresentativeId::parse(id).map_err(|_| Problem::not_found())?;
    let (scope, wanted) = (scope.clone(), id.clone());
    let (office, name, organisation) = visit
        .run(move |env| {
            env.store.read(|tx| {
                let office = tx.load_representative(&scope, &wanted)?;
                let name = tx.load_person(&office.person)?.name.to_string();
                let organisation = tx.load_organisation(&scope, &office.organisation)?;
                Ok::<_, StoreError>((office, name, organisation))
            })
        })
        .await?;
    let w = visit.words;
    let ending = Ending {
        organisation,
        name: format!("{} {name}", office.capacity),
        from: office.from,
        action: format!("/console/representatives/{id}/end"),
        title: w.t("admin.office.end-representative"),
        follows: w.t("admin.office.end-representative-text"),
    };
    Ok((id, ending))
}

/// `GET /console/representatives/{id}/end`
pub async fn show_representative_end(
    granted: Granted<RecordProofing>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let (_, ending) = representative(&visit, permit.scope(), &id).await?;
    html(&ending_page(&visit, &ending, Vec::new()).await?)
}

/// `POST /console/representatives/{id}/end`
pub async fn end_representation(
    granted: Granted<RecordProofing>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let (id, ending) = representative(&visit, permit.scope(), &id).await?;
    let DeedForm { code, .. } = visit.form()?;
    if let Some(error) = step_up(&visit, &code).await? {
        let page = ending_page(&visit, &ending, vec![error]).await?;
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    visit.run(move |env| end_representative(env, &permit, &id)).await?;
    Ok(see_other(&delegation_href(&ending.organisation.id)))
}

async fn delegate(visit: &Visit, scope: &Scope, id: &str) -> Result<(DelegateId, Ending), Problem> {
    let id = DelegateId::parse(id).map_err(|_| Problem::not_found())?;
    let (scope, wanted) = (scope.clone(), id.clone());
    let (office, name, organisation) = visit
        .run(move |env| {
            env.store.read(|tx| {
                let office = tx.load_delegate(&scope, &wanted)?;
                let name = tx.load_person(&office.person)?.name.to_string();
                let organisation = tx.load_organisation(&scope, &office.organisation)?;
                Ok::<_, StoreError>((office, name, organisation))
            })
        })
        .await?;
    let w = visit.words;
    let ending = Ending {
        organisation,
        name,
        from: office.from,
        action: format!("/console/delegates/{id}/end"),
        title: w.t("admin.office.end-delegate"),
        follows: w.t("admin.office.end-delegate-text"),
    };
    Ok((id, ending))
}

/// `GET /console/delegates/{id}/end`
pub async fn show_delegate_end(
    granted: Granted<ManageGrants>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let (_, ending) = delegate(&visit, permit.scope(), &id).await?;
    html(&ending_page(&visit, &ending, Vec::new()).await?)
}

/// `POST /console/delegates/{id}/end`
pub async fn end_delegate(
    granted: Granted<ManageGrants>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let (id, ending) = delegate(&visit, permit.scope(), &id).await?;
    let DeedForm { code, .. } = visit.form()?;
    if let Some(error) = step_up(&visit, &code).await? {
        let page = ending_page(&visit, &ending, vec![error]).await?;
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    visit.run(move |env| remove_delegate(env, &permit, &id)).await?;
    Ok(see_other(&delegation_href(&ending.organisation.id)))
}

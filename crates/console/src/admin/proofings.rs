//! How the identities of an organisation, its people and its branch offices were checked: the
//! records, and the form that keeps another one (UX 4.3, DOMAIN 16).

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::Path;
use askama::Template;
use tenkoku_ca::proofing::{Finding, ProofingOrder, record_proofing, statement};
use tenkoku_domain::access::{Permission, Permit, RecordProofing, Scope, ViewRegistry};
use tenkoku_domain::branch::{Branch, BranchCode};
use tenkoku_domain::id::{OrganisationId, PersonId};
use tenkoku_domain::organisation::Organisation;
use tenkoku_domain::person::Person;
use tenkoku_domain::proofing::{Method, ProofingRecord, Subject};
use tenkoku_store::{StoreError, Tx};

use super::entry::{Entered, refusable, refused};
use super::names::{self, organisation_href};
use super::uploads::{all_evidence, signed};
use super::views::{html, html_with, see_other};
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Chip, Crumb, FieldError, Tone};
use crate::problem::Problem;
use crate::text::Words;

/// A record in the table.
pub(super) struct RecordRow {
    pub(super) subject: String,
    pub(super) method: String,
    pub(super) level: String,
    pub(super) performed: String,
    pub(super) until: String,
    pub(super) state: Chip,
}

/// The form that keeps a record.
pub(super) struct RecordForm {
    /// Value and label.
    pub(super) methods: Vec<(String, String)>,
    /// Identifier and name of the people of the organisation.
    pub(super) people: Vec<(String, String)>,
    /// Name of a person, and where the text is that is signed about him or her.
    pub(super) statements: Vec<(String, String)>,
    pub(super) entered: Entered,
}

impl RecordForm {
    fn value(&self, field: &str) -> &str {
        self.entered.get(field).map_or("", String::as_str)
    }
}

#[derive(Template)]
#[template(path = "admin/proofings.html")]
pub(super) struct ProofingsPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) rows: Vec<RecordRow>,
    pub(super) form: Option<RecordForm>,
    pub(super) here: String,
}

struct Ground {
    organisation: Organisation,
    records: Vec<(ProofingRecord, String)>,
    people: Vec<Person>,
}

fn subject_name(tx: &mut Tx<'_>, subject: &Subject) -> Result<Option<String>, StoreError> {
    Ok(match subject {
        Subject::Organisation => None,
        Subject::Person(id) => Some(tx.load_person(id)?.name.to_string()),
        Subject::Branch(id) => {
            let branch = tx.load_branch(&Scope::Platform, id)?;
            Some(format!("{} {}", branch.code, branch.name))
        }
    })
}

async fn load(visit: &Visit, scope: &Scope, id: &str) -> Result<Ground, Problem> {
    let id = OrganisationId::parse(id).map_err(|_| Problem::not_found())?;
    let scope = scope.clone();
    visit
        .run(move |env| {
            env.store.read(|tx| {
                let organisation = tx.load_organisation(&scope, &id)?;
                if !scope.covers_organisation(&id) {
                    return Err(StoreError::NotFound { what: "organisation" });
                }
                let mut records = Vec::new();
                for record in tx.list_proofings(&scope, &id)?.into_iter().rev() {
                    let name = subject_name(tx, &record.subject)?;
                    let name = name.unwrap_or_else(|| organisation.legal_name.to_string());
                    records.push((record, name));
                }
                let representatives = tx.list_representatives(&scope, &id)?;
                let delegates = tx.list_delegates(&scope, &id)?;
                let ids = representatives.into_iter().map(|one| one.person);
                let mut people: Vec<Person> = Vec::new();
                for person in ids.chain(delegates.into_iter().map(|one| one.person)) {
                    if people.iter().all(|known| known.id != person) {
                        people.push(tx.load_person(&person)?);
                    }
                }
                Ok::<_, StoreError>(Ground { organisation, records, people })
            })
        })
        .await
}

/// `GET /console/organisations/{id}/proofing`
pub async fn list_records(
    granted: Granted<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let ground = load(&visit, permit.scope(), &id).await?;
    html(&page(&visit, &ground, Entered::new(), Vec::new()))
}

fn page(
    visit: &Visit,
    ground: &Ground,
    entered: Entered,
    errors: Vec<FieldError>,
) -> ProofingsPage {
    let w = visit.words;
    let title = w.t("admin.checks.title");
    let above = organisation_href(&ground.organisation.id);
    let here = format!("{above}/proofing");
    let crumbs = vec![
        Crumb::link(w.t("admin.organisations.title"), "/console/organisations"),
        Crumb::link(names::organisation(w, &ground.organisation).name, above),
        Crumb::here(title),
    ];
    let mut frame = visit.frame(title, crumbs);
    frame.has_errors = !errors.is_empty();
    let method = |method: Method| w.word("admin.checks.method", method.word()).to_owned();
    let row = |(record, subject): &(ProofingRecord, String)| RecordRow {
        subject: subject.clone(),
        method: method(record.method),
        level: record.level.to_string(),
        performed: format::date(record.performed_at),
        until: format::date(record.valid_until),
        state: if record.valid_until < visit.now {
            Chip::new(Tone::Mute, w.t("admin.checks.over"))
        } else {
            Chip::new(Tone::Ok, w.t("admin.checks.valid"))
        },
    };
    let person = |one: &Person| (one.id.to_string(), one.name.to_string());
    let text = |one: &Person| (one.name.to_string(), format!("{here}/{}", one.id));
    let form = visit.may(Permission::RecordProofing).then(|| RecordForm {
        methods: Method::ALL.iter().map(|one| (one.to_string(), method(*one))).collect(),
        people: ground.people.iter().map(person).collect(),
        statements: ground.people.iter().map(text).collect(),
        entered,
    });
    let rows = ground.records.iter().map(row).collect();
    ProofingsPage { w, frame, errors, rows, form, here }
}

/// `GET /console/organisations/{id}/proofing/{person}`: what is signed about a person.
pub async fn download_statement(
    granted: Granted<ViewRegistry>,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let (id, person) = path.into_inner();
    let person = PersonId::parse(&person).map_err(|_| Problem::not_found())?;
    let ground = load(&visit, permit.scope(), &id).await?;
    let person = ground.people.iter().find(|one| one.id == person);
    let person = person.ok_or_else(Problem::not_found)?;
    let text =
        statement(&ground.organisation, person).map_err(|error| Problem::internal(&error))?;
    let name = format!("attachment; filename=\"{}.json\"", person.id);
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::CONTENT_DISPOSITION, name))
        .body(text))
}

/// `POST /console/organisations/{id}/proofing`
pub async fn keep_record(
    granted: Granted<RecordProofing>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let ground = load(&visit, permit.scope(), &id).await?;
    let w = visit.words;
    let entered = visit.fields().texts()?;
    let order = match read(&visit, &permit, &ground, &entered).await? {
        Ok(order) => order,
        Err(error) => {
            let page = page(&visit, &ground, entered, vec![error]);
            return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let done = visit.run(move |env| refusable(record_proofing(env, &permit, &order))).await?;
    match done {
        Ok(kept) => Ok(see_other(&format!("{}/proofing", organisation_href(&kept.organisation)))),
        Err(refusal) => {
            let error = refused(w, "method", &refusal);
            let page = page(&visit, &ground, entered, vec![error]);
            html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// What is entered, as an order; or what is to be corrected.
async fn read(
    visit: &Visit,
    permit: &Permit<RecordProofing>,
    ground: &Ground,
    entered: &Entered,
) -> Result<Result<ProofingOrder, FieldError>, Problem> {
    let w = visit.words;
    let text = |field: &str| entered.get(field).map_or("", String::as_str);
    let wrong = |field: &str, text: &str| {
        Ok(Err(FieldError { field: field.to_owned(), text: text.to_owned() }))
    };
    let Some(method) = Method::from_word(text("method")) else {
        return wrong("method", w.t("admin.checks.no-method"));
    };
    let subject = if method.fits(&Subject::Organisation) {
        Subject::Organisation
    } else if method == Method::P9 {
        match branch(visit, permit.scope(), ground, text("branch")).await? {
            Some(branch) => Subject::Branch(branch.id),
            None => return wrong("branch", w.t("admin.checks.no-branch")),
        }
    } else {
        let known = ground.people.iter().find(|one| one.id.as_str() == text("person"));
        match known {
            Some(person) => Subject::Person(person.id.clone()),
            None => return wrong("person", w.t("admin.checks.no-person")),
        }
    };
    let fields = visit.fields();
    let finding = match method {
        Method::P3 => signed(w, fields).map(Finding::Certificate),
        Method::P4 => signed(w, fields).map(Finding::Issuer),
        Method::P1
        | Method::P2
        | Method::P5
        | Method::P6
        | Method::P7
        | Method::P8
        | Method::P9 => {
            all_evidence(w, fields, "evidence").map(|files| Finding::Files { method, files })
        }
    };
    let organisation = ground.organisation.id.clone();
    Ok(finding.map(|finding| ProofingOrder {
        organisation,
        subject,
        finding,
        level: None,
        valid_until: None,
    }))
}

async fn branch(
    visit: &Visit,
    scope: &Scope,
    ground: &Ground,
    code: &str,
) -> Result<Option<Branch>, Problem> {
    let Ok(code) = BranchCode::parse(code) else { return Ok(None) };
    let (scope, organisation) = (scope.clone(), ground.organisation.id.clone());
    visit
        .run(move |env| env.store.read(|tx| tx.find_branch_by_code(&scope, &organisation, &code)))
        .await
}

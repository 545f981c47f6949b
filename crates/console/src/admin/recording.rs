//! Recording an organisation and its branch offices: one by one, or many from a CSV file that is
//! checked as a whole (UX 4.3, 4.5).

use actix_web::HttpResponse;
use actix_web::web::Path;
use tenkoku_ca::import::{ImportError, RowProblem, import_branches, import_organisations};
use tenkoku_domain::access::{Permit, RecordBranch, RecordOrganisation, Scope};
use tenkoku_domain::branch::BranchCode;
use tenkoku_domain::id::OrganisationId;
use tenkoku_domain::organisation::Organisation;
use tenkoku_store::StoreError;

use super::entry::{Entered, Entry, Field, Input, refused};
use super::names::{self, branch_href, organisation_href};
use super::uploads::{TABLES, file};
use super::views::see_other;
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{Crumb, FieldError};
use crate::problem::Problem;
use crate::text::Words;

/// Rows at fault that are told at once.
const TOLD_MOST: usize = 50;

/// What is entered, as the table of one row that the import reads.
fn table(fields: &[Field], entered: &Entered) -> Result<Vec<u8>, Problem> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let text = |field: &Field| entered.get(field.id).map_or("", String::as_str);
    writer
        .write_record(fields.iter().map(|field| field.id))
        .and_then(|()| writer.write_record(fields.iter().map(text)))
        .map_err(|error| Problem::internal(&error))?;
    writer.into_inner().map_err(|error| Problem::internal(error.error()))
}

/// What is to be corrected in a form of one row.
fn corrections(w: Words, fields: &[Field], rows: &[RowProblem]) -> Vec<FieldError> {
    let first = fields.first().map_or("", |field| field.id);
    let field = |row: &RowProblem| row.column.clone().unwrap_or_else(|| first.to_owned());
    rows.iter().map(|row| refused(w, &field(row), &row.refusal)).collect()
}

fn address_fields(w: Words) -> [Field; 4] {
    [
        Field::new("postal_code", w.t("admin.recording.postal-code"), Input::Line("text")),
        Field::new("region", w.t("admin.recording.region"), Input::Line("text")),
        Field::new("locality", w.t("admin.recording.locality"), Input::Line("text")),
        Field::new("street", w.t("admin.recording.street"), Input::Line("text")),
    ]
}

fn custodian_fields(w: Words) -> [Field; 2] {
    [
        Field::new("custodian_name", w.t("admin.recording.custodian"), Input::Line("text"))
            .with_hint(w.t("admin.recording.custodian-hint")),
        Field::new("custodian_email", w.t("admin.recording.custodian-email"), Input::Line("email")),
    ]
}

fn organisation_form(w: Words) -> Entry {
    let languages =
        vec![("ja".to_owned(), "日本語".to_owned()), ("en".to_owned(), "English".to_owned())];
    let mut fields = vec![
        Field::new("identifier", w.t("admin.organisation.identifier"), Input::Line("text"))
            .with_hint(w.t("admin.recording.identifier-hint")),
        Field::new("legal_name", w.t("admin.recording.legal-name"), Input::Line("text"))
            .with_hint(w.t("admin.recording.legal-name-hint")),
        Field::new("kana", w.t("admin.organisation.kana"), Input::Line("text")),
        Field::new("latin_name", w.t("admin.recording.latin-name"), Input::Line("text")),
        Field::new("country", w.t("admin.recording.country"), Input::Line("text")),
    ];
    fields.extend(address_fields(w));
    fields.push(Field::new("language", w.t("admin.recording.language"), Input::Choice(languages)));
    fields.extend(custodian_fields(w));
    Entry {
        title: w.t("admin.recording.organisation"),
        intro: w.t("admin.recording.organisation-intro").to_owned(),
        crumbs: vec![Crumb::link(w.t("admin.organisations.title"), "/console/organisations")],
        action: "/console/organisations/new".to_owned(),
        fields,
        button: w.t("admin.recording.save"),
    }
}

/// `GET /console/organisations/new`
pub async fn new_organisation(
    granted: Granted<RecordOrganisation>,
) -> Result<HttpResponse, Problem> {
    let entered = Entered::from([("country".to_owned(), "JP".to_owned())]);
    organisation_form(granted.visit.words).show(&granted.visit, entered)
}

/// `POST /console/organisations/new`
pub async fn record_organisation(
    granted: Granted<RecordOrganisation>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let form = organisation_form(visit.words);
    let entered = visit.fields().texts()?;
    let row = table(&form.fields, &entered)?;
    let identifier = entered.get("identifier").cloned().unwrap_or_default();
    let made = visit
        .run(move |env| match import_organisations(env, &permit, &row) {
            Ok(_) => env
                .store
                .read(|tx| tx.find_organisation_by_identifier(permit.scope(), &identifier))?
                .map(Ok)
                .ok_or(StoreError::NotFound { what: "organisation" }),
            Err(ImportError::Store(error)) => Err(error),
            Err(error) => Ok(Err(error)),
        })
        .await?;
    match made {
        Ok(organisation) => Ok(see_other(&organisation_href(&organisation.id))),
        Err(error) => {
            let errors = match &error {
                ImportError::Rows(rows) => corrections(visit.words, &form.fields, rows),
                ImportError::File(_) | ImportError::Store(_) => {
                    return Err(Problem::internal(&error));
                }
            };
            form.correct(&visit, errors)
        }
    }
}

fn crumbs(w: Words, organisation: &Organisation) -> Vec<Crumb> {
    vec![
        Crumb::link(w.t("admin.organisations.title"), "/console/organisations"),
        Crumb::link(names::organisation(w, organisation).name, organisation_href(&organisation.id)),
    ]
}

/// The organisation whose branch offices somebody may record.
async fn owner(
    visit: &Visit,
    permit: &Permit<RecordBranch>,
    id: &str,
) -> Result<Organisation, Problem> {
    let id = OrganisationId::parse(id).map_err(|_| Problem::not_found())?;
    let scope = permit.scope().clone();
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

fn branch_form(w: Words, organisation: &Organisation) -> Entry {
    let mut fields = vec![
        Field::new("code", w.t("admin.branch.code"), Input::Line("text"))
            .with_hint(w.t("admin.recording.code-hint")),
        Field::new("name", w.t("admin.recording.branch-name"), Input::Line("text"))
            .with_hint(w.t("admin.recording.legal-name-hint")),
        Field::new("latin_name", w.t("admin.recording.latin-name"), Input::Line("text")),
    ];
    fields.extend(custodian_fields(w));
    fields.extend(address_fields(w));
    Entry {
        title: w.t("admin.recording.branch"),
        intro: w.t("admin.recording.branch-intro").to_owned(),
        crumbs: crumbs(w, organisation),
        action: format!("{}/branches/new", organisation_href(&organisation.id)),
        fields,
        button: w.t("admin.recording.save"),
    }
}

/// `GET /console/organisations/{id}/branches/new`
pub async fn new_branch(
    granted: Granted<RecordBranch>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let owner = owner(&visit, &permit, &id).await?;
    branch_form(visit.words, &owner).show(&visit, Entered::new())
}

/// `POST /console/organisations/{id}/branches/new`
pub async fn record_branch(
    granted: Granted<RecordBranch>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let owner = owner(&visit, &permit, &id).await?;
    let form = branch_form(visit.words, &owner);
    let entered = visit.fields().texts()?;
    let row = table(&form.fields, &entered)?;
    let code = BranchCode::parse(entered.get("code").map_or("", String::as_str)).ok();
    let (whose, id) = (owner.identifier.clone(), owner.id.clone());
    let made = visit
        .run(move |env| match import_branches(env, &permit, Some(whose.as_str()), &row) {
            Ok(_) => {
                let found = env.store.read(|tx| match &code {
                    Some(code) => tx.find_branch_by_code(&Scope::Platform, &id, code),
                    None => Ok(None),
                })?;
                found.map(Ok).ok_or(StoreError::NotFound { what: "branch" })
            }
            Err(ImportError::Store(error)) => Err(error),
            Err(error) => Ok(Err(error)),
        })
        .await?;
    match made {
        Ok(branch) => Ok(see_other(&branch_href(&branch.organisation, &branch.id))),
        Err(ImportError::Rows(rows)) => {
            let errors = corrections(visit.words, &form.fields, &rows);
            form.correct(&visit, errors)
        }
        Err(error) => Err(Problem::internal(&error)),
    }
}

fn import_form(w: Words, organisation: &Organisation) -> Entry {
    Entry {
        title: w.t("admin.recording.many"),
        intro: w.t("admin.recording.many-intro").to_owned(),
        crumbs: crumbs(w, organisation),
        action: format!("{}/branches/import", organisation_href(&organisation.id)),
        fields: vec![
            Field::new("file", w.t("admin.recording.file"), Input::File(TABLES))
                .with_hint(w.t("admin.recording.file-hint")),
        ],
        button: w.t("admin.recording.import"),
    }
}

/// `GET /console/organisations/{id}/branches/import`
pub async fn new_branches(
    granted: Granted<RecordBranch>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let owner = owner(&visit, &permit, &id).await?;
    import_form(visit.words, &owner).show(&visit, Entered::new())
}

/// `POST /console/organisations/{id}/branches/import`
pub async fn record_branches(
    granted: Granted<RecordBranch>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let owner = owner(&visit, &permit, &id).await?;
    let (w, form) = (visit.words, import_form(visit.words, &owner));
    let rows = match file(w, visit.fields(), "file") {
        Ok(rows) => rows,
        Err(error) => return form.correct(&visit, vec![error]),
    };
    let whose = owner.identifier.clone();
    let made = visit
        .run(move |env| match import_branches(env, &permit, Some(whose.as_str()), &rows) {
            Err(ImportError::Store(error)) => Err(error),
            done => Ok(done),
        })
        .await?;
    match made {
        Ok(_) => Ok(see_other(&organisation_href(&owner.id))),
        Err(error) => form.correct(&visit, faults(w, &error)),
    }
}

/// What is to be corrected in a file, line by line.
fn faults(w: Words, error: &ImportError) -> Vec<FieldError> {
    let said = |text: String| FieldError { field: "file".to_owned(), text };
    let ImportError::Rows(rows) = error else {
        return vec![said(w.say("admin.recording.no-table").with("problem", error).text())];
    };
    let number = |number: usize| format::number(i64::try_from(number).unwrap_or(i64::MAX));
    let row = |row: &RowProblem| {
        let line = i64::try_from(row.line).unwrap_or(i64::MAX);
        let column = row.column.as_deref().unwrap_or("–");
        let said = w.say("admin.recording.at-line").with("line", format::number(line));
        said.with("column", column).with("problem", refused(w, "", &row.refusal).text).text()
    };
    let mut told: Vec<_> = rows.iter().take(TOLD_MOST).map(row).map(said).collect();
    if rows.len() > TOLD_MOST {
        let more = number(rows.len() - TOLD_MOST);
        told.push(said(w.say("admin.recording.more").with("n", more).text()));
    }
    told
}

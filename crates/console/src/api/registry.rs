//! Organisations and branch offices, and who calls.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Path, Query};
use serde::{Deserialize, Serialize};
use tenkoku_ca::closing::{self, move_branch as move_office};
use tenkoku_ca::import::{ImportError, import_branches, import_organisations};
use tenkoku_domain::access::{Permission, RecordBranch, RecordOrganisation, ViewRegistry};
use tenkoku_domain::branch::{Branch, BranchCode};
use tenkoku_domain::id::{BranchId, OrganisationId};
use tenkoku_domain::organisation::Organisation;
use tenkoku_store::{BranchFilter, StoreError};
use utoipa::ToSchema;

use super::BASE;
use super::answer::{PageQuery, Paged, done, made, one, unchanged, wanted};
use super::door::{Call, Called};
use crate::problem::Problem;
use crate::text::explain;
use crate::text::language::Asked;

/// Who calls.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Caller)]
pub struct CallerJson {
    /// The account.
    id: String,
    /// Its sign-in name.
    login: String,
    /// The name shown.
    name: String,
    /// What was shown: `api-token`, `signed-token`, `passkey`, `password+totp`.
    authenticator: Option<String>,
    /// What may be done.
    permissions: Vec<String>,
}

/// `GET /me`
pub async fn show_caller(called: Called<ViewRegistry>) -> Result<HttpResponse, Problem> {
    let Called { call, .. } = called;
    let (account, principal) = (&call.known.account, &call.known.principal);
    let may = Permission::ALL.iter().filter(|one| principal.may(**one, call.now));
    let shown = CallerJson {
        id: account.id.to_string(),
        login: account.login.clone(),
        name: account.display_name.clone(),
        authenticator: principal.actor.authenticator.clone(),
        permissions: may.map(ToString::to_string).collect(),
    };
    one(&call, &shown)
}

/// An organisation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Organisation)]
pub struct OrganisationJson {
    /// Its identifier here.
    id: String,
    /// Its organizationIdentifier.
    identifier: String,
    /// Its legal name, as registered.
    legal_name: String,
    /// The reading of the legal name.
    kana: Option<String>,
    /// The legal name in Latin script.
    latin_name: Option<String>,
    /// Two-letter country code.
    country: String,
    /// The language of letters.
    language: String,
    /// Its state (DOMAIN 6.1).
    state: String,
    /// When it was recorded (RFC 3339, UTC).
    created_at: String,
}

impl From<Organisation> for OrganisationJson {
    fn from(one: Organisation) -> Self {
        Self {
            id: one.id.to_string(),
            identifier: one.identifier.to_string(),
            legal_name: one.legal_name.to_string(),
            kana: one.kana.map(|name| name.to_string()),
            latin_name: one.latin_name.map(|name| name.to_string()),
            country: one.address.country,
            language: one.language.to_string(),
            state: one.state.to_string(),
            created_at: one.created_at.to_string(),
        }
    }
}

/// A branch office.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Branch)]
pub struct BranchJson {
    /// Its identifier here.
    id: String,
    /// The organisation.
    organisation: String,
    /// Its code.
    code: String,
    /// `head-office` or `branch`.
    kind: String,
    /// Its name, as registered.
    name: String,
    /// Its name in Latin script.
    latin_name: Option<String>,
    /// Who answers for its keys.
    custodian: Option<CustodianJson>,
    /// Its state (DOMAIN 6.2).
    state: String,
    /// When it was opened here (RFC 3339, UTC).
    opened_at: String,
}

/// Who answers for the keys of a branch office.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Custodian, example = json!({
    "name": "見本 花子",
    "email": "hanako@sample.example"
}))]
pub struct CustodianJson {
    /// The name.
    pub(super) name: String,
    /// The e-mail address.
    pub(super) email: String,
}

impl From<Branch> for BranchJson {
    fn from(one: Branch) -> Self {
        Self {
            id: one.id.to_string(),
            organisation: one.organisation.to_string(),
            code: one.code.to_string(),
            kind: one.kind.to_string(),
            name: one.name.to_string(),
            latin_name: one.latin_name.map(|name| name.to_string()),
            custodian: one
                .custodian
                .map(|custodian| CustodianJson { name: custodian.name, email: custodian.email }),
            state: one.state.to_string(),
            opened_at: one.opened_at.to_string(),
        }
    }
}

/// A list with a search.
#[derive(Debug, Default, Deserialize)]
pub struct SearchQuery {
    search: Option<String>,
}

/// `GET /organisations`
pub async fn list_organisations(
    called: Called<ViewRegistry>,
    search: Query<SearchQuery>,
    page: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let search = wanted(search.into_inner().search);
    let (after, limit) = (page.after()?, page.limit()?);
    let found = call
        .run(move |env| {
            env.store
                .read(|tx| tx.list_organisations(permit.scope(), &search, after.as_deref(), limit))
        })
        .await?;
    one(&call, &Paged::of(found, |summary| OrganisationJson::from(summary.organisation)))
}

/// The identifier in a path; what has not its shape does not exist.
pub(super) fn organisation_id(text: &str) -> Result<OrganisationId, Problem> {
    OrganisationId::parse(text).map_err(|_| Problem::not_found())
}

fn branch_id(text: &str) -> Result<BranchId, Problem> {
    BranchId::parse(text).map_err(|_| Problem::not_found())
}

/// `GET /organisations/{organisation}`
pub async fn show_organisation(
    called: Called<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = organisation_id(&id)?;
    let found =
        call.run(move |env| env.store.read(|tx| tx.load_organisation(permit.scope(), &id))).await?;
    one(&call, &OrganisationJson::from(found))
}

/// An organisation to be recorded, with its head office.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewOrganisation, example = json!({
    "identifier": "NTRJP-7000000990002",
    "legal_name": "架空商事株式会社",
    "latin_name": "Kaku Trading Co., Ltd.",
    "country": "JP",
    "custodian_name": "見本 花子",
    "custodian_email": "hanako@sample.example"
}))]
pub struct NewOrganisationJson {
    /// Its organizationIdentifier.
    identifier: String,
    /// Its legal name, as registered.
    legal_name: String,
    /// Two-letter country code.
    country: String,
    /// The reading of the legal name.
    #[serde(default)]
    kana: Option<String>,
    /// The legal name in Latin script.
    #[serde(default)]
    latin_name: Option<String>,
    /// Postal code.
    #[serde(default)]
    postal_code: Option<String>,
    /// Prefecture or state.
    #[serde(default)]
    region: Option<String>,
    /// City.
    #[serde(default)]
    locality: Option<String>,
    /// The rest of the address.
    #[serde(default)]
    street: Option<String>,
    /// The language of letters: `ja` or `en`.
    #[serde(default)]
    language: Option<String>,
    /// Who answers for the keys of the head office.
    #[serde(default)]
    custodian_name: Option<String>,
    /// The custodian's e-mail address.
    #[serde(default)]
    custodian_email: Option<String>,
}

/// A branch office to be recorded.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewBranch, example = json!({
    "code": "BR-0005",
    "name": "札幌支店",
    "latin_name": "Sapporo Branch",
    "custodian_name": "見本 太郎",
    "custodian_email": "taro@sample.example"
}))]
pub struct NewBranchJson {
    /// Its code, unique in the organisation for ever.
    code: String,
    /// Its name, as registered.
    name: String,
    /// Who answers for its keys.
    custodian_name: String,
    /// The custodian's e-mail address.
    custodian_email: String,
    /// Its name in Latin script.
    #[serde(default)]
    latin_name: Option<String>,
    /// Two-letter country code; the organisation's where none is given.
    #[serde(default)]
    country: Option<String>,
    /// Postal code.
    #[serde(default)]
    postal_code: Option<String>,
    /// Prefecture or state.
    #[serde(default)]
    region: Option<String>,
    /// City.
    #[serde(default)]
    locality: Option<String>,
    /// The rest of the address.
    #[serde(default)]
    street: Option<String>,
}

/// Documents as the table that the import reads.
fn table<T: Serialize>(rows: &[T]) -> Result<Vec<u8>, Problem> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).map_err(|error| Problem::internal(&error))?;
    }
    writer.into_inner().map_err(|error| Problem::internal(error.error()))
}

/// What is wrong with a row, by the member that it came from.
fn row_problem(call: &Call, error: ImportError) -> Problem {
    match error {
        ImportError::Store(error) => error.into(),
        ImportError::File(error) => Problem::new(StatusCode::BAD_REQUEST, "request-malformed")
            .with_field("", error.to_string()),
        ImportError::Rows(rows) => {
            let words = Asked::of(&call.request)
                .words(Some(call.known.account.language), call.known.account.language);
            let Some(first) = rows.first() else { return Problem::not_found() };
            rows.iter().fold(Problem::from_refusal(&first.refusal), |problem, row| {
                let pointer = row.column.as_ref().map_or_else(String::new, |c| format!("/{c}"));
                let told = explain::refusal(words.language(), &row.refusal);
                problem.with_field(&pointer, told.what)
            })
        }
    }
}

/// `POST /organisations`
pub async fn record_organisation(
    called: Called<RecordOrganisation>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let order: NewOrganisationJson = call.json()?;
    let file = table(std::slice::from_ref(&order))?;
    let made_one = call
        .run(move |env| {
            let found = match import_organisations(env, &permit, &file) {
                Ok(_) => env.store.read(|tx| {
                    tx.find_organisation_by_identifier(permit.scope(), order.identifier.trim())
                })?,
                Err(error) => return Ok(Err(error)),
            };
            found.map(Ok).ok_or(StoreError::NotFound { what: "organisation" })
        })
        .await?;
    let organisation = OrganisationJson::from(made_one.map_err(|error| row_problem(&call, error))?);
    made(&format!("{BASE}/organisations/{}", organisation.id), &organisation)
}

/// `GET /organisations/{organisation}/branches`
pub async fn list_branches(
    called: Called<ViewRegistry>,
    id: Path<String>,
    search: Query<SearchQuery>,
    page: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = organisation_id(&id)?;
    let filter = BranchFilter { search: wanted(search.into_inner().search) };
    let (after, limit) = (page.after()?, page.limit()?);
    let found = call
        .run(move |env| {
            env.store.read(|tx| {
                tx.load_organisation(permit.scope(), &id)?;
                tx.list_branches(permit.scope(), &id, &filter, after.as_deref(), limit)
            })
        })
        .await?;
    one(&call, &Paged::of(found, |summary| BranchJson::from(summary.branch)))
}

/// `POST /organisations/{organisation}/branches`
pub async fn record_branch(
    called: Called<RecordBranch>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = organisation_id(&id)?;
    let order: NewBranchJson = call.json()?;
    let file = table(std::slice::from_ref(&order))?;
    let recorded = call
        .run(move |env| {
            let owner = env.store.read(|tx| tx.load_organisation(permit.scope(), &id))?;
            let whose = Some(owner.identifier.as_str());
            if let Err(error) = import_branches(env, &permit, whose, &file) {
                return Ok(Err(error));
            }
            let code = BranchCode::parse(order.code.trim());
            let found = env.store.read(|tx| match &code {
                Ok(code) => tx.find_branch_by_code(permit.scope(), &id, code),
                Err(_) => Ok(None),
            })?;
            found.map(Ok).ok_or(StoreError::NotFound { what: "branch" })
        })
        .await?;
    let branch = BranchJson::from(recorded.map_err(|error| row_problem(&call, error))?);
    made(&format!("{BASE}/branches/{}", branch.id), &branch)
}

/// Branch offices to be recorded as a whole.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewBranches, example = json!({ "branches": [{
    "code": "BR-0006",
    "name": "函館支店",
    "custodian_name": "見本 太郎",
    "custodian_email": "taro@sample.example"
}] }))]
pub struct NewBranchesJson {
    /// The branch offices; nothing is recorded while one is at fault.
    #[schema(min_items = 1, max_items = 10000)]
    branches: Vec<NewBranchJson>,
}

/// What was recorded.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Recorded)]
pub struct RecordedJson {
    /// How many.
    recorded: usize,
}

/// `POST /organisations/{organisation}/branch-lists`
pub async fn record_branches(
    called: Called<RecordBranch>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = organisation_id(&id)?;
    let NewBranchesJson { branches } = call.json()?;
    let file = table(&branches)?;
    let path = format!("{BASE}/organisations/{id}/branches");
    let recorded = call
        .run(move |env| {
            let owner = env.store.read(|tx| tx.load_organisation(permit.scope(), &id))?;
            let whose = Some(owner.identifier.as_str());
            Ok::<_, StoreError>(import_branches(env, &permit, whose, &file))
        })
        .await?;
    let report = recorded.map_err(|error| row_problem(&call, error))?;
    made(&path, &RecordedJson { recorded: report.recorded })
}

/// `GET /branches/{branch}`
pub async fn show_branch(
    called: Called<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = branch_id(&id)?;
    let found =
        call.run(move |env| env.store.read(|tx| tx.load_branch(permit.scope(), &id))).await?;
    one(&call, &BranchJson::from(found))
}

/// Where a branch office goes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BranchMove, example = json!({ "step": "pause", "comment": "flood" }))]
pub struct BranchMoveJson {
    /// What is done.
    step: BranchStepJson,
    /// Why, for the audit trail.
    #[serde(default)]
    comment: String,
}

/// A step of a branch office (DOMAIN 6.2).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = BranchStep)]
pub enum BranchStepJson {
    /// Its seals are put on hold.
    Pause,
    /// They go on.
    Reopen,
    /// It ends: its seals are revoked, their keys are to be destroyed.
    Close,
    /// It has ended.
    Finish,
}

/// `POST /branches/{branch}/moves`
pub async fn move_branch(
    called: Called<RecordBranch>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = branch_id(&id)?;
    let BranchMoveJson { step, comment } = call.json()?;
    let step = match step {
        BranchStepJson::Pause => closing::BranchStep::Pause,
        BranchStepJson::Reopen => closing::BranchStep::Reopen,
        BranchStepJson::Close => {
            closing::BranchStep::Close(tenkoku_domain::revocation::Cause::OfficeClosed)
        }
        BranchStepJson::Finish => closing::BranchStep::Finish,
    };
    let (scope, seen) = (permit.scope().clone(), id.clone());
    let now = call.run(move |env| env.store.read(|tx| tx.load_branch(&scope, &seen))).await?;
    unchanged(&call, &BranchJson::from(now))?;
    let moved = call.run(move |env| move_office(env, &permit, &id, (step, &comment))).await?;
    done(&BranchJson::from(moved))
}

//! The platform as a whole: authorities, lists, long work, the audit trail, accounts. What is the
//! platform's does not exist for whoever sees a part of it.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use serde::Serialize;
use serde_json::Value;
use tenkoku_domain::access::{ManageAccounts, Scope, ViewAudit, ViewRegistry};
use tenkoku_domain::account::Account;
use tenkoku_domain::audit::StoredRecord;
use tenkoku_domain::authority::Authority;
use tenkoku_domain::id::JobId;
use tenkoku_domain::task::Task;
use tenkoku_domain::trusted_list::PublishedList;
use tenkoku_pki::pem;
use tenkoku_store::{Page, StoreError};
use utoipa::ToSchema;

use super::answer::{PageQuery, Paged, one};
use super::door::Called;
use crate::problem::Problem;

/// Long work that is told of, newest first.
const JOBS: i64 = 100;

pub(super) fn whole(scope: &Scope) -> Result<(), Problem> {
    match scope {
        Scope::Platform => Ok(()),
        Scope::Within { .. } | Scope::Authorities(_) => Err(Problem::not_found()),
    }
}

/// An authority.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Authority)]
pub struct AuthorityJson {
    /// Its code.
    code: String,
    /// `root`, `policy`, `issuing`, `tsa` or `internal`.
    kind: String,
    /// The level that it issues.
    level: Option<u8>,
    /// Its generation, from 1.
    generation: i32,
    /// Common name of its certificate.
    common_name: String,
    /// Its state (DOMAIN 6.7).
    state: String,
    /// The algorithm of its key.
    algorithm: String,
    /// The serial number of its certificate.
    serial: String,
    /// First second of its certificate (RFC 3339, UTC).
    not_before: String,
    /// Last second of its certificate (RFC 3339, UTC).
    not_after: String,
    /// Its certificate (PEM).
    pem: Option<String>,
}

impl From<Authority> for AuthorityJson {
    fn from(one: Authority) -> Self {
        Self {
            code: one.code.to_string(),
            kind: one.kind.word().to_owned(),
            level: one.kind.level().map(|level| level.number()),
            generation: one.generation,
            common_name: one.name.common_name.to_string(),
            state: one.state.to_string(),
            algorithm: one.algorithm.name().to_owned(),
            serial: one.serial.to_string(),
            not_before: one.validity.not_before.to_string(),
            not_after: one.validity.not_after.to_string(),
            pem: one.certificate.map(|der| pem::encode("CERTIFICATE", &der)),
        }
    }
}

/// `GET /authorities`
pub async fn list_authorities(called: Called<ViewRegistry>) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    whole(permit.scope())?;
    let found = call.run(|env| env.store.read(|tx| tx.list_authorities())).await?;
    one(&call, &Paged::all(found.into_iter().map(AuthorityJson::from).collect()))
}

/// `GET /authorities/{authority}`
pub async fn show_authority(
    called: Called<ViewRegistry>,
    code: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    whole(permit.scope())?;
    let found = call
        .run(move |env| {
            let all = env.store.read(|tx| tx.list_authorities())?;
            let one = all.into_iter().find(|one| one.code.as_str() == *code);
            one.ok_or(StoreError::NotFound { what: "authority" })
        })
        .await?;
    one(&call, &AuthorityJson::from(found))
}

/// A trusted list that was published.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrustedList)]
pub struct ListJson {
    /// The code of its scheme.
    scheme: String,
    /// Its sequence number.
    sequence: i64,
    /// When it was issued (RFC 3339, UTC).
    issued_at: String,
    /// When the next is due (RFC 3339, UTC); null for a list that is closed.
    next_update: Option<String>,
    /// SHA-256 of its octets.
    digest: String,
    /// Where the newest one is served.
    address: String,
}

impl ListJson {
    pub(super) fn of(list: PublishedList, address: &str) -> Self {
        Self {
            scheme: list.scheme,
            sequence: list.sequence,
            issued_at: list.issued_at.to_string(),
            next_update: list.next_update.map(|due| due.to_string()),
            digest: list.digest.to_string(),
            address: address.to_owned(),
        }
    }
}

/// `GET /lists`
pub async fn list_lists(called: Called<ViewRegistry>) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    whole(permit.scope())?;
    let scheme = call.env.settings.scheme.code.clone();
    let address = call.env.settings.public_address.list(&scheme);
    let lists = call.run(move |env| env.store.read(|tx| tx.list_sequences(&scheme))).await?;
    let shown = |list: PublishedList| ListJson::of(list, &address);
    one(&call, &Paged::all(lists.into_iter().map(shown).collect()))
}

/// Long work and how far it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Job)]
pub struct JobJson {
    /// Its identifier.
    id: String,
    /// What kind of work.
    kind: String,
    /// What it is done on.
    object: String,
    /// `running`, `paused`, `done` or `failed`.
    state: String,
    /// The step that is under way.
    phase: String,
    /// How many objects of the step are done.
    done: i64,
    /// How many there are; 0 while nobody knows.
    total: i64,
    /// When it began (RFC 3339, UTC).
    started_at: String,
    /// When it was last heard of (RFC 3339, UTC).
    changed_at: String,
}

impl From<Task> for JobJson {
    fn from(one: Task) -> Self {
        Self {
            id: one.id.to_string(),
            kind: one.kind.to_string(),
            object: one.object,
            state: one.state.to_string(),
            phase: one.phase.to_string(),
            done: one.done,
            total: one.total,
            started_at: one.started_at.to_string(),
            changed_at: one.changed_at.to_string(),
        }
    }
}

/// `GET /jobs`
pub async fn list_jobs(called: Called<ViewRegistry>) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    whole(permit.scope())?;
    let found = call.run(|env| env.store.read(|tx| tx.list_tasks(JOBS))).await?;
    one(&call, &Paged::all(found.into_iter().map(JobJson::from).collect()))
}

/// `GET /jobs/{job}`
pub async fn show_job(
    called: Called<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    whole(permit.scope())?;
    let id = JobId::parse(&id).map_err(|_| Problem::not_found())?;
    let found = call.run(move |env| env.store.read(|tx| tx.load_task(&id))).await?;
    one(&call, &JobJson::from(found))
}

/// An audit record with its place in the chain (DOMAIN 18).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditRecord)]
pub struct RecordJson {
    /// Its position.
    seq: i64,
    /// The record.
    #[schema(value_type = Object)]
    record: Value,
    /// The record as it is hashed (RFC 8785).
    canonical: String,
    /// The hash of the record before.
    prev: String,
    /// Its hash.
    hash: String,
}

impl From<StoredRecord> for RecordJson {
    fn from(one: StoredRecord) -> Self {
        Self {
            seq: one.seq,
            record: serde_json::from_str(&one.record).unwrap_or_default(),
            canonical: one.record,
            prev: one.prev.to_string(),
            hash: one.hash.to_string(),
        }
    }
}

/// `GET /audit`
pub async fn list_records(
    called: Called<ViewAudit>,
    page: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let limit = page.limit()?;
    let before = match page.after()? {
        None => None,
        Some(key) => Some(key.parse::<i64>().map_err(|_| Problem::not_found())?),
    };
    let found = call
        .run(move |env| env.store.read(|tx| tx.audit_before(permit.scope(), before, None, limit)))
        .await?;
    let full = i64::try_from(found.len()).is_ok_and(|n| n == limit);
    let next = found.last().filter(|one| full && one.seq > 1).map(|one| one.seq.to_string());
    one(&call, &Paged::of(Page { items: found, next }, RecordJson::from))
}

/// `GET /audit/{seq}`
pub async fn show_record(
    called: Called<ViewAudit>,
    seq: Path<i64>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let seq = seq.into_inner();
    let found = call
        .run(move |env| {
            let before = seq.checked_add(1);
            let found =
                env.store.read(|tx| tx.audit_before(permit.scope(), before, None, 1))?.pop();
            found
                .filter(|found| found.seq == seq)
                .ok_or(StoreError::NotFound { what: "audit record" })
        })
        .await?;
    one(&call, &RecordJson::from(found))
}

/// An account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
pub struct AccountJson {
    /// Its identifier.
    id: String,
    /// The sign-in name.
    login: String,
    /// The name shown.
    name: String,
    /// The person behind it.
    person: String,
    /// Its roles.
    roles: Vec<RoleJson>,
    /// When it was ended (RFC 3339, UTC).
    disabled_at: Option<String>,
}

/// A role that an account holds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoleGrant)]
pub struct RoleJson {
    /// The role (DOMAIN 2).
    role: String,
    /// Until when (RFC 3339, UTC).
    until: String,
}

impl From<Account> for AccountJson {
    fn from(one: Account) -> Self {
        let role = |grant: &tenkoku_domain::access::RoleGrant| RoleJson {
            role: grant.role.to_string(),
            until: grant.until.to_string(),
        };
        Self {
            id: one.id.to_string(),
            login: one.login,
            name: one.display_name,
            person: one.person.to_string(),
            roles: one.roles.iter().map(role).collect(),
            disabled_at: one.disabled_at.map(|at| at.to_string()),
        }
    }
}

/// `GET /accounts`
pub async fn list_accounts(called: Called<ManageAccounts>) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    whole(permit.scope())?;
    let found = call.run(|env| env.store.read(|tx| tx.list_accounts())).await?;
    one(&call, &Paged::all(found.into_iter().map(AccountJson::from).collect()))
}

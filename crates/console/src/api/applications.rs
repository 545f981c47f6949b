//! Applications: made, proved, decided, issued.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Path, Query};
use serde::{Deserialize, Serialize};
use tenkoku_ca::act::ActError;
use tenkoku_ca::apply::{ApplyOrder, apply_for_seal, apply_under_grant};
use tenkoku_ca::approval::{
    Ruling, approve_application, confirm_application, reject_application, withdraw_application,
};
use tenkoku_ca::issue;
use tenkoku_ca::progress::{missing_records, resume_application};
use tenkoku_ca::prove::{self, Proof};
use tenkoku_domain::access::{Apply, Confirm, Issue, Scope, ViewRegistry};
use tenkoku_domain::application::{Application, ApplicationState, Wishes};
use tenkoku_domain::approval::{ApprovalRequest, Verdict};
use tenkoku_domain::audit::ObjectRef;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::challenge::Challenge;
use tenkoku_domain::id::{ApplicationId, BranchId, GrantId, InstanceId, OrganisationId};
use tenkoku_domain::level::Level;
use tenkoku_domain::refusal::Refusal;
use tenkoku_ports::Env;
use tenkoku_store::ApplicationFilter;
use utoipa::ToSchema;

use super::BASE;
use super::answer::{PageQuery, Paged, done, made, one, unchanged};
use super::certificates::CertificateJson;
use super::door::{Call, Called};
use crate::problem::Problem;

/// An application.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Application)]
pub struct ApplicationJson {
    /// Its identifier.
    id: String,
    /// The organisation.
    organisation: String,
    /// The branch office.
    branch: String,
    /// The level.
    level: u8,
    /// The instance of the seal.
    instance: String,
    /// Its number, from 1.
    instance_number: i32,
    /// Requested validity in days.
    validity_days: i64,
    /// The digest of what is decided on.
    digest: String,
    /// The digest of the policy that was in force at submission.
    policy: String,
    /// The grant it was made under.
    grant: Option<String>,
    /// The account that applied.
    applicant: String,
    /// Its state (DOMAIN 6.3).
    state: String,
    /// Its key, once possession was shown.
    key: Option<String>,
    /// What the key must sign, while the application waits for it.
    challenge: Option<ChallengeJson>,
    /// What is decided on, while decisions are awaited.
    approval: Option<ApprovalJson>,
    /// The code of what is missing before it can go on.
    missing: Option<String>,
    /// The record of the certificate, once issued.
    certificate: Option<String>,
    /// When it was submitted (RFC 3339, UTC).
    created_at: String,
    /// When it last made progress (RFC 3339, UTC).
    changed_at: String,
}

/// What the key of an application must sign.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Challenge)]
pub struct ChallengeJson {
    /// 43 characters: the challengePassword of a certification request, or what a CMS signature
    /// is made over.
    text: String,
    /// The first instant at which it is no longer taken (RFC 3339, UTC).
    expires_at: String,
}

impl From<Challenge> for ChallengeJson {
    fn from(one: Challenge) -> Self {
        Self { text: one.text, expires_at: one.expires_at.to_string() }
    }
}

/// What is decided on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApprovalRequest)]
pub struct ApprovalJson {
    /// The digest of what is shown; a decision names it.
    digest: String,
    /// How many decisions are needed.
    needed: i64,
    /// How many were given.
    given: usize,
    /// Until when (RFC 3339, UTC).
    expires_at: String,
}

impl From<ApprovalRequest> for ApprovalJson {
    fn from(one: ApprovalRequest) -> Self {
        Self {
            digest: one.digest.to_string(),
            needed: one.needs.total(),
            given: one.decisions.len(),
            expires_at: one.expires_at().to_string(),
        }
    }
}

/// An application with what belongs to its state.
pub(super) struct Ground {
    application: Application,
    challenge: Option<Challenge>,
    request: Option<ApprovalRequest>,
    missing: Option<Refusal>,
}

impl ApplicationJson {
    pub(super) fn id(&self) -> &str {
        &self.id
    }
}

impl From<Ground> for ApplicationJson {
    fn from(ground: Ground) -> Self {
        let Ground { application: one, challenge, request, missing } = ground;
        Self {
            id: one.id.to_string(),
            organisation: one.organisation.to_string(),
            branch: one.branch.to_string(),
            level: one.level.number(),
            instance: one.instance.to_string(),
            instance_number: one.instance_number,
            validity_days: one.validity_days,
            digest: one.digest.to_string(),
            policy: one.policy.to_string(),
            grant: one.grant.map(|grant| grant.id.to_string()),
            applicant: one.applicant.id,
            state: one.state.to_string(),
            key: one.key.map(|key| key.id.to_string()),
            challenge: challenge.map(ChallengeJson::from),
            approval: request.map(ApprovalJson::from),
            missing: missing.map(|refusal| refusal.code.to_string()),
            certificate: one.certificate.map(|id| id.to_string()),
            created_at: one.created_at.to_string(),
            changed_at: one.changed_at.to_string(),
        }
    }
}

/// Loads what an answer about an application says.
fn ground(env: &Env, scope: &Scope, id: &ApplicationId) -> Result<Ground, ActError> {
    let now = env.clock.now();
    env.store.read(|tx| {
        let application = tx.load_application(scope, id)?;
        let (mut challenge, mut request, mut missing) = (None, None, None);
        match application.state {
            ApplicationState::KeyProof => challenge = Some(tx.current_challenge(id)?),
            ApplicationState::Approval => {
                request = tx.find_approval_request(&ObjectRef::new("application", id))?;
            }
            ApplicationState::Submitted | ApplicationState::Proofing => {
                missing = missing_records(env, tx, &application, now)?;
            }
            ApplicationState::Draft
            | ApplicationState::Ready
            | ApplicationState::Issued
            | ApplicationState::Rejected
            | ApplicationState::Withdrawn
            | ApplicationState::Lapsed => {}
        }
        Ok(Ground { application, challenge, request, missing })
    })
}

fn application_id(text: &str) -> Result<ApplicationId, Problem> {
    ApplicationId::parse(text).map_err(|_| Problem::not_found())
}

pub(super) async fn shown(
    call: &Call,
    scope: Scope,
    id: ApplicationId,
) -> Result<ApplicationJson, Problem> {
    let found = call.run(move |env| ground(env, &scope, &id)).await?;
    Ok(found.into())
}

/// What applications are narrowed to.
#[derive(Debug, Default, Deserialize)]
pub struct ApplicationQuery {
    state: Option<String>,
    organisation: Option<String>,
    branch: Option<String>,
}

/// A word of the query that is none narrows to nothing, which is refused.
pub(super) fn chosen<T, E>(
    text: Option<&String>,
    name: &str,
    read: impl Fn(&str) -> Result<T, E>,
) -> Result<Option<T>, Problem> {
    let wrong = |_| {
        Problem::new(StatusCode::BAD_REQUEST, "request-malformed")
            .with_field(&format!("/{name}"), "?")
    };
    text.map(|text| read(text).map_err(wrong)).transpose()
}

/// `GET /applications`
pub async fn list_applications(
    called: Called<ViewRegistry>,
    query: Query<ApplicationQuery>,
    page: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let state = |word: &str| ApplicationState::from_word(word).ok_or(());
    let filter = ApplicationFilter {
        state: chosen(query.state.as_ref(), "state", state)?,
        branch: chosen(query.branch.as_ref(), "branch", BranchId::parse)?,
        organisation: chosen(query.organisation.as_ref(), "organisation", OrganisationId::parse)?,
    };
    let (after, limit) = (page.after()?, page.limit()?);
    let found = call
        .run(move |env| {
            env.store
                .read(|tx| tx.list_applications(permit.scope(), &filter, after.as_deref(), limit))
        })
        .await?;
    let plain = |application| Ground { application, challenge: None, request: None, missing: None };
    one(&call, &Paged::of(found, |application| ApplicationJson::from(plain(application))))
}

/// `GET /applications/{application}`
pub async fn show_application(
    called: Called<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let found = shown(&call, permit.scope().clone(), application_id(&id)?).await?;
    one(&call, &found)
}

/// An application to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewApplication, example = json!({
    "branch": "brn_00000000000000000000000001",
    "level": 1
}))]
pub struct NewApplicationJson {
    /// The branch office.
    branch: String,
    /// The level: 1, 2 or 3.
    #[schema(minimum = 1, maximum = 3)]
    level: u8,
    /// Validity in days; the policy's longest where none is asked for.
    #[serde(default)]
    #[schema(minimum = 1)]
    validity_days: Option<i64>,
    /// A certification request (PEM) for the early checks; it claims nothing.
    #[serde(default)]
    request: Option<String>,
    /// The instance that gets a successor key; a new one where none is named.
    #[serde(default)]
    instance: Option<String>,
    /// The grant it is made under; the caller's own that covers it where none is named.
    #[serde(default)]
    grant: Option<String>,
}

fn wrong(pointer: &str, detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "request-malformed").with_field(pointer, detail)
}

/// `POST /applications`
pub async fn apply(called: Called<Apply>) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let new: NewApplicationJson = call.json()?;
    let order = ApplyOrder {
        branch: BranchId::parse(&new.branch).map_err(|_| Problem::not_found())?,
        level: Level::try_from(new.level).map_err(|_| wrong("/level", "1-3"))?,
        validity_days: new.validity_days,
        request: new.request.map(String::into_bytes),
        instance: match &new.instance {
            Some(id) => Some(InstanceId::parse(id).map_err(|_| Problem::not_found())?),
            None => None,
        },
        wishes: Wishes::default(),
    };
    let grant = match &new.grant {
        Some(id) => Some(GrantId::parse(id).map_err(|_| Problem::not_found())?),
        None => None,
    };
    let scope = permit.scope().clone();
    let applied = call
        .run(move |env| match &grant {
            Some(grant) => apply_under_grant(env, &permit, &order, grant),
            None => apply_for_seal(env, &permit, &order),
        })
        .await?;
    let found = shown(&call, scope, applied.application.id).await?;
    made(&format!("{BASE}/applications/{}", found.id), &found)
}

/// `POST /applications/{application}/challenge`
pub async fn request_challenge(
    called: Called<Apply>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = application_id(&id)?;
    let given = call.run(move |env| prove::request_challenge(env, &permit, &id)).await?;
    done(&ChallengeJson::from(given))
}

/// What shows possession of the key: one of the two.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Proof, example = json!({
    "request": "-----BEGIN CERTIFICATE REQUEST-----\n…\n-----END CERTIFICATE REQUEST-----\n"
}))]
pub struct ProofJson {
    /// A certification request (PEM) whose challengePassword is the challenge.
    #[serde(default)]
    request: Option<String>,
    /// A detached signature over the challenge (CMS, PEM).
    #[serde(default)]
    cms: Option<String>,
}

/// `POST /applications/{application}/proof`
pub async fn prove_possession(
    called: Called<Apply>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = application_id(&id)?;
    let proof = match call.json()? {
        ProofJson { request: Some(file), cms: None } => Proof::Request(file.into_bytes()),
        ProofJson { request: None, cms: Some(file) } => Proof::Cms(file.into_bytes()),
        ProofJson { .. } => return Err(wrong("", "request | cms")),
    };
    let scope = permit.scope().clone();
    let ready = call.run(move |env| prove::prove_possession(env, &permit, &id, &proof)).await?;
    done(&shown(&call, scope, ready.id).await?)
}

/// A decision about what was shown.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Ruling, example = json!({
    "shown": "0000000000000000000000000000000000000000000000000000000000000000",
    "verdict": "approved"
}))]
pub struct RulingJson {
    /// The digest that was shown.
    shown: String,
    /// `approved` or `rejected`.
    verdict: String,
    /// Why; needed to reject.
    #[serde(default)]
    reason: String,
}

impl RulingJson {
    fn read(self) -> Result<Ruling, Problem> {
        Ok(Ruling {
            shown: Digest::parse(&self.shown).map_err(|_| wrong("/shown", "SHA-256"))?,
            verdict: Verdict::from_word(&self.verdict)
                .ok_or_else(|| wrong("/verdict", "approved | rejected"))?,
            reason: self.reason,
        })
    }
}

async fn ruled(
    call: &Call,
    scope: Scope,
    id: &str,
    act: impl FnOnce(&Env, &ApplicationId, &Ruling) -> Result<Application, ActError> + Send + 'static,
) -> Result<HttpResponse, Problem> {
    call.by_person()?;
    let id = application_id(id)?;
    let ruling = call.json::<RulingJson>()?.read()?;
    unchanged(call, &shown(call, scope.clone(), id.clone()).await?)?;
    let decided = call.run(move |env| act(env, &id, &ruling)).await?;
    done(&shown(call, scope, decided.id).await?)
}

/// `POST /applications/{application}/decision`
pub async fn decide(called: Called<Issue>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let scope = permit.scope().clone();
    let act = move |env: &Env, id: &_, ruling: &_| approve_application(env, &permit, id, ruling);
    ruled(&call, scope, &id, act).await
}

/// `POST /applications/{application}/confirmation`
pub async fn confirm(called: Called<Confirm>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let scope = permit.scope().clone();
    let act = move |env: &Env, id: &_, ruling: &_| confirm_application(env, &permit, id, ruling);
    ruled(&call, scope, &id, act).await
}

/// Why something is done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Reason, example = json!({ "reason": "the register does not know this office" }))]
pub struct ReasonJson {
    /// The reason.
    reason: String,
}

/// `POST /applications/{application}/rejection`
pub async fn reject(called: Called<Issue>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    call.by_person()?;
    let id = application_id(&id)?;
    let ReasonJson { reason } = call.json()?;
    let scope = permit.scope().clone();
    let ended = call.run(move |env| reject_application(env, &permit, &id, &reason)).await?;
    done(&shown(&call, scope, ended.id).await?)
}

/// `POST /applications/{application}/withdrawal`
pub async fn withdraw(called: Called<Apply>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = application_id(&id)?;
    let scope = permit.scope().clone();
    unchanged(&call, &shown(&call, scope.clone(), id.clone()).await?)?;
    let ended = call.run(move |env| withdraw_application(env, &permit, &id)).await?;
    done(&shown(&call, scope, ended.id).await?)
}

/// `POST /applications/{application}/resumption`
pub async fn resume(called: Called<Apply>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = application_id(&id)?;
    let scope = permit.scope().clone();
    let anew = call.run(move |env| resume_application(env, &permit, &id)).await?;
    done(&shown(&call, scope, anew.id).await?)
}

/// `POST /applications/{application}/certificate`
pub async fn issue_certificate(
    called: Called<Issue>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    call.by_person()?;
    let id = application_id(&id)?;
    let issued = call.run(move |env| {
        let certificate = issue::issue_certificate(env, &permit, &id)?;
        let authority = env.store.read(|tx| tx.load_authority(&certificate.authority))?;
        Ok::<_, issue::IssueError>(CertificateJson::of(&certificate, &authority))
    });
    let issued = issued.await?;
    made(&issued.location(), &issued)
}

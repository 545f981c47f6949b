//! Requests for approvals that are no application (DOMAIN 17), and what other officers agree to:
//! policies, acts, makers' roots. Each is decided on by the digest that was shown.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Path, Query};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenkoku_ca::approval::Ruling;
use tenkoku_ca::policy::{self, PolicyVerdict};
use tenkoku_ca::proposal::{self, ProposalVerdict};
use tenkoku_ca::vendor_root;
use tenkoku_domain::access::{ApprovePolicy, DraftPolicy, OwnAccount, Scope, ViewRegistry};
use tenkoku_domain::approval::{ApprovalRequest, Verdict};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::{ApprovalId, ProposalId};
use tenkoku_domain::policy::draft::PolicyDraft;
use tenkoku_domain::proposal::Proposal;
use tenkoku_domain::vendor_root::VendorRoot;
use tenkoku_store::StoreError;
use utoipa::ToSchema;

use super::BASE;
use super::answer::{PageQuery, Paged, done, made, one};
use super::door::{Call, Called};
use super::platform::whole;
use crate::admin::approvals::{KINDS, rule, scope_of};
use crate::problem::Problem;

fn wrong(pointer: &str, detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "request-malformed").with_field(pointer, detail)
}

/// What a person decides about what was shown.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Verdict, example = json!({
    "verdict": "approved",
    "shown": "0000000000000000000000000000000000000000000000000000000000000000"
}))]
pub struct VerdictJson {
    /// `approved` or `rejected`.
    verdict: String,
    /// The digest of what was shown.
    shown: String,
    /// Why; needed for a rejection.
    #[serde(default)]
    reason: String,
}

impl VerdictJson {
    pub(super) fn read(self) -> Result<Ruling, Problem> {
        Ok(Ruling {
            verdict: Verdict::from_word(&self.verdict)
                .ok_or_else(|| wrong("/verdict", "approved, rejected"))?,
            shown: Digest::parse(&self.shown).map_err(|_| wrong("/shown", "SHA-256"))?,
            reason: self.reason,
        })
    }
}

/// A request for approvals.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApprovalRequest)]
pub struct ApprovalRequestJson {
    /// Its identifier.
    id: String,
    /// What kind of thing it is about: `grant`, `role`, `trusted-issuer`, `batch`, `restore`,
    /// `release`.
    kind: String,
    /// The identifier of that thing.
    object: String,
    /// Whose it is.
    organisation: Option<String>,
    /// The document that is decided on.
    shown: Value,
    /// SHA-256 of its canonical form; a decision names it.
    digest: String,
    /// `open`, `approved`, `rejected` or `void`.
    state: String,
    /// How many decisions are needed.
    needed: i64,
    /// How many were given.
    given: usize,
    /// When it was opened (RFC 3339, UTC).
    opened_at: String,
    /// Until when it may be decided (RFC 3339, UTC).
    expires_at: String,
}

impl From<ApprovalRequest> for ApprovalRequestJson {
    fn from(one: ApprovalRequest) -> Self {
        Self {
            id: one.id.to_string(),
            expires_at: one.expires_at().to_string(),
            kind: one.object.kind,
            object: one.object.id,
            organisation: one.organisation.map(|id| id.to_string()),
            shown: one.shown,
            digest: one.digest.to_string(),
            state: one.state.to_string(),
            needed: one.needs.total(),
            given: one.decisions.len(),
            opened_at: one.opened_at.to_string(),
        }
    }
}

/// `GET /approvals`
pub async fn list_approvals(called: Called<OwnAccount>) -> Result<HttpResponse, Problem> {
    let Called { call, .. } = called;
    let (principal, now) = (call.known.principal.clone(), call.now);
    let found = call
        .run(move |env| {
            env.store.read(|tx| {
                let mut found = Vec::new();
                for kind in KINDS {
                    let Some(scope) = scope_of(&principal, kind, now) else { continue };
                    for request in tx.open_approval_requests(kind)? {
                        match tx.load_approval_request(&scope, &request.id) {
                            Ok(request) => found.push(ApprovalRequestJson::from(request)),
                            Err(StoreError::NotFound { .. }) => {}
                            Err(other) => return Err(other),
                        }
                    }
                }
                Ok::<_, StoreError>(found)
            })
        })
        .await?;
    one(&call, &Paged::all(found))
}

/// A request that the caller could decide on; no other exists for whoever calls.
async fn load(call: &Call, id: &str) -> Result<ApprovalRequest, Problem> {
    let id = ApprovalId::parse(id).map_err(|_| Problem::not_found())?;
    let (principal, now) = (call.known.principal.clone(), call.now);
    call.run(move |env| {
        env.store.read(|tx| {
            let none = || StoreError::NotFound { what: "approval request" };
            let found = tx.load_approval_request(&Scope::Platform, &id)?;
            let scope = scope_of(&principal, &found.object.kind, now).ok_or_else(none)?;
            tx.load_approval_request(&scope, &id)
        })
    })
    .await
}

/// `GET /approvals/{approval}`
pub async fn show_approval(
    called: Called<OwnAccount>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { call, .. } = called;
    let found = load(&call, &id).await?;
    one(&call, &ApprovalRequestJson::from(found))
}

/// `POST /approvals/{approval}/decision`
pub async fn decide_approval(
    called: Called<OwnAccount>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { call, .. } = called;
    call.by_person()?;
    let ruling = call.json::<VerdictJson>()?.read()?;
    let request = load(&call, &id).await?;
    let (principal, now, id) = (call.known.principal.clone(), call.now, request.id.clone());
    call.run(move |env| rule(env, &principal, &request, &ruling, now)).await?;
    let decided = call
        .run(move |env| env.store.read(|tx| tx.load_approval_request(&Scope::Platform, &id)))
        .await?;
    done(&ApprovalRequestJson::from(decided))
}

/// A version of the key-management policy that waits for others, or waited.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyDraft)]
pub struct PolicyDraftJson {
    /// SHA-256 of its canonical form; a decision names it.
    digest: String,
    /// Its version.
    version: String,
    /// From when it would hold (RFC 3339, UTC).
    effective_from: String,
    /// Its state.
    state: String,
    /// When it was handed in (RFC 3339, UTC).
    drafted_at: String,
    /// How many decided so far.
    given: usize,
    /// The document (TOML).
    text: String,
}

impl From<PolicyDraft> for PolicyDraftJson {
    fn from(one: PolicyDraft) -> Self {
        Self {
            digest: one.digest.to_string(),
            version: one.policy.version,
            effective_from: one.policy.effective_from.to_string(),
            state: one.state.to_string(),
            drafted_at: one.drafted_at.to_string(),
            given: one.decisions.len(),
            text: one.text,
        }
    }
}

/// `GET /policy-drafts`
pub async fn list_policy_drafts(called: Called<ViewRegistry>) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    whole(permit.scope())?;
    let found = call.run(|env| env.store.read(|tx| tx.list_drafts())).await?;
    one(&call, &Paged::all(found.into_iter().map(PolicyDraftJson::from).collect()))
}

fn digest(text: &str) -> Result<Digest, Problem> {
    Digest::parse(text).map_err(|_| Problem::not_found())
}

/// `GET /policy-drafts/{digest}`
pub async fn show_policy_draft(
    called: Called<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    whole(permit.scope())?;
    let id = digest(&id)?;
    let found = call.run(move |env| env.store.read(|tx| tx.load_draft(&id))).await?;
    one(&call, &PolicyDraftJson::from(found))
}

/// A policy to be handed in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPolicyDraft, example = json!({ "text": "[policy]\nid = \"kmp-eseal\"\n…" }))]
pub struct NewPolicyDraftJson {
    /// The document (TOML).
    text: String,
}

/// `POST /policy-drafts`
pub async fn draft_policy(called: Called<DraftPolicy>) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    call.by_person()?;
    let NewPolicyDraftJson { text } = call.json()?;
    let drafted = call.run(move |env| policy::draft_policy(env, &permit, &text)).await?;
    let path = format!("{BASE}/policy-drafts/{}", drafted.digest);
    made(&path, &PolicyDraftJson::from(drafted))
}

/// `POST /policy-drafts/{digest}/decision`
pub async fn decide_policy(
    called: Called<ApprovePolicy>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    call.by_person()?;
    let id = digest(&id)?;
    let Ruling { shown, verdict, reason } = call.json::<VerdictJson>()?.read()?;
    if shown != id {
        return Err(wrong("/shown", &id.to_string()));
    }
    let order = PolicyVerdict { digest: id, reason };
    let decided = call
        .run(move |env| match verdict {
            Verdict::Approved => policy::approve_policy(env, &permit, &order),
            Verdict::Rejected => policy::reject_policy(env, &permit, &order),
        })
        .await?;
    done(&PolicyDraftJson::from(decided))
}

/// An act of the platform's officers that waits for others, or waited.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Proposal)]
pub struct ProposalJson {
    /// Its identifier.
    id: String,
    /// What shall be done.
    act: Value,
    /// SHA-256 of act and reason; a decision names it.
    digest: String,
    /// Why.
    reason: String,
    /// Its state.
    state: String,
    /// When it was proposed (RFC 3339, UTC).
    proposed_at: String,
    /// How many decided so far.
    given: usize,
}

impl ProposalJson {
    fn of(one: Proposal) -> Result<Self, Problem> {
        Ok(Self {
            id: one.id.to_string(),
            act: serde_json::to_value(&one.act).map_err(|error| Problem::internal(&error))?,
            digest: one.digest.to_string(),
            reason: one.reason,
            state: one.state.to_string(),
            proposed_at: one.proposed_at.to_string(),
            given: one.decisions.len(),
        })
    }
}

/// `GET /proposals`
pub async fn list_proposals(
    called: Called<ViewRegistry>,
    page: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    whole(permit.scope())?;
    let (after, limit) = (page.after()?, page.limit()?);
    let found = call
        .run(move |env| env.store.read(|tx| tx.list_proposals(None, after.as_deref(), limit)))
        .await?;
    let items = found.items.into_iter().map(ProposalJson::of).collect::<Result<Vec<_>, _>>()?;
    let page = tenkoku_store::Page { items, next: found.next };
    one(&call, &Paged::of(page, |item| item))
}

fn proposal_id(text: &str) -> Result<ProposalId, Problem> {
    ProposalId::parse(text).map_err(|_| Problem::not_found())
}

/// `GET /proposals/{proposal}`
pub async fn show_proposal(
    called: Called<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    whole(permit.scope())?;
    let id = proposal_id(&id)?;
    let found = call.run(move |env| env.store.read(|tx| tx.load_proposal(&id))).await?;
    one(&call, &ProposalJson::of(found)?)
}

/// `POST /proposals/{proposal}/decision`
pub async fn decide_proposal(
    called: Called<ApprovePolicy>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    call.by_person()?;
    let Ruling { shown, verdict, reason } = call.json::<VerdictJson>()?.read()?;
    let order = ProposalVerdict { proposal: proposal_id(&id)?, shown, verdict, reason };
    let decided = call.run(move |env| proposal::decide_proposal(env, &permit, &order)).await?;
    done(&ProposalJson::of(decided)?)
}

/// The root of a maker of key devices.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VendorRoot)]
pub struct VendorRootJson {
    /// The code under which policies list it.
    code: String,
    /// SHA-256 of its certificate; a decision names it.
    digest: String,
    /// Its state.
    state: String,
    /// When the change that waits, or waited last, was asked for (RFC 3339, UTC).
    asked_at: String,
    /// How many decided so far.
    given: usize,
}

impl From<VendorRoot> for VendorRootJson {
    fn from(one: VendorRoot) -> Self {
        Self {
            code: one.code,
            digest: one.digest.to_string(),
            state: one.state.to_string(),
            asked_at: one.asked_at.to_string(),
            given: one.decisions.len(),
        }
    }
}

/// `GET /vendor-roots`
pub async fn list_vendor_roots(called: Called<ViewRegistry>) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    whole(permit.scope())?;
    let found = call.run(|env| env.store.read(|tx| tx.list_vendor_roots())).await?;
    one(&call, &Paged::all(found.into_iter().map(VendorRootJson::from).collect()))
}

/// `POST /vendor-roots/{root}/decision`
pub async fn decide_vendor_root(
    called: Called<DraftPolicy>,
    code: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    call.by_person()?;
    let Ruling { shown, verdict, reason } = call.json::<VerdictJson>()?.read()?;
    let known = code.clone();
    let found = call.run(move |env| env.store.read(|tx| tx.load_vendor_root(&known))).await?;
    if found.digest != shown {
        return Err(wrong("/shown", &found.digest.to_string()));
    }
    let decided = call
        .run(move |env| vendor_root::decide_vendor_root(env, &permit, &code, (verdict, &reason)))
        .await?;
    done(&VendorRootJson::from(decided))
}

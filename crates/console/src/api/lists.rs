//! Trusted lists in the making: a draft is a copy of the live list or a whole list as a file, and is
//! agreed to by the digest of what it says.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Path, Query};
use serde::{Deserialize, Serialize};
use tenkoku_ca::approval::Ruling;
use tenkoku_domain::access::{PublishList, ViewRegistry};
use tenkoku_domain::authority::AuthorityCode;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::ListDraftId;
use tenkoku_domain::trusted_list::SchemeCode;
use tenkoku_domain::trusted_list::draft::ListDraft;
use tenkoku_publisher::draft::{self, Beginning, DraftVerdict};
use tenkoku_publisher::link::propose_authority as propose;
use tenkoku_publisher::publish;
use utoipa::ToSchema;

use super::BASE;
use super::answer::{PageQuery, Paged, done, made, one};
use super::approvals::VerdictJson;
use super::door::Called;
use super::offices::octets;
use super::platform::{ListJson, whole};
use crate::problem::Problem;

/// A draft of the next list of a scheme.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ListDraft)]
pub struct ListDraftJson {
    /// Its identifier.
    id: String,
    /// The code of the scheme.
    scheme: String,
    /// Its state.
    state: String,
    /// SHA-256 of the list as it would be; a decision names it.
    content: String,
    /// When it was opened (RFC 3339, UTC).
    opened_at: String,
    /// Since when others are asked (RFC 3339, UTC).
    submitted_at: Option<String>,
    /// How many decided so far.
    given: usize,
    /// The list as it would be, unsigned (XML).
    document: String,
}

impl From<ListDraft> for ListDraftJson {
    fn from(one: ListDraft) -> Self {
        Self {
            id: one.id.to_string(),
            scheme: one.scheme.to_string(),
            state: one.state.to_string(),
            content: one.content.to_string(),
            opened_at: one.opened_at.to_string(),
            submitted_at: one.submitted_at.map(|at| at.to_string()),
            given: one.decisions.len(),
            document: one.document,
        }
    }
}

fn draft_id(text: &str) -> Result<ListDraftId, Problem> {
    ListDraftId::parse(text).map_err(|_| Problem::not_found())
}

/// `GET /list-drafts`
pub async fn list_list_drafts(
    called: Called<ViewRegistry>,
    page: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    whole(permit.scope())?;
    let (after, limit) = (page.after()?, page.limit()?);
    let found = call
        .run(move |env| env.store.read(|tx| tx.list_list_drafts(after.as_deref(), limit)))
        .await?;
    one(&call, &Paged::of(found, ListDraftJson::from))
}

/// `GET /list-drafts/{draft}`
pub async fn show_list_draft(
    called: Called<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    whole(permit.scope())?;
    let id = draft_id(&id)?;
    let found = call.run(move |env| env.store.read(|tx| tx.load_list_draft(&id))).await?;
    one(&call, &ListDraftJson::from(found))
}

/// A draft to be opened.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewListDraft, example = json!({}))]
pub struct NewListDraftJson {
    /// The code of the scheme; the platform's own where none is named.
    #[serde(default)]
    scheme: Option<String>,
    /// A whole list (XML, base 64); what the live list says where none is given.
    #[serde(default)]
    document: Option<String>,
}

/// `POST /list-drafts`
pub async fn open_list_draft(called: Called<PublishList>) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let NewListDraftJson { scheme, document } = call.json()?;
    let scheme = scheme.unwrap_or_else(|| call.env.settings.scheme.code.clone());
    let beginning = match document {
        Some(text) => Beginning::File(octets(&text, "/document")?),
        None => Beginning::Live,
    };
    let opened = call
        .run(move |env| draft::open_draft(env, &permit, &SchemeCode::parse(&scheme)?, &beginning))
        .await?;
    made(&format!("{BASE}/list-drafts/{}", opened.id), &ListDraftJson::from(opened))
}

/// `POST /list-drafts/authorities/{authority}`
pub async fn propose_authority(
    called: Called<PublishList>,
    code: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let code = AuthorityCode::parse(&code).map_err(|_| Problem::not_found())?;
    let proposed = call.run(move |env| propose(env, &permit, &code)).await?;
    done(&ListDraftJson::from(proposed))
}

/// What of a draft was shown.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Shown, example = json!({
    "shown": "0000000000000000000000000000000000000000000000000000000000000000"
}))]
pub struct ShownJson {
    /// SHA-256 of the list as it would be.
    shown: String,
}

/// `POST /list-drafts/{draft}/submission`
pub async fn submit_list_draft(
    called: Called<PublishList>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = draft_id(&id)?;
    let ShownJson { shown } = call.json()?;
    let shown = Digest::parse(&shown).map_err(|_| {
        let problem = Problem::new(StatusCode::BAD_REQUEST, "request-malformed");
        problem.with_field("/shown", "SHA-256")
    })?;
    let submitted = call.run(move |env| draft::submit_draft(env, &permit, &id, &shown)).await?;
    done(&ListDraftJson::from(submitted))
}

/// `POST /list-drafts/{draft}/decision`
pub async fn decide_list_draft(
    called: Called<PublishList>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    call.by_person()?;
    let Ruling { shown, verdict, reason } = call.json::<VerdictJson>()?.read()?;
    let order = DraftVerdict { draft: draft_id(&id)?, shown, verdict, reason };
    let decided = call.run(move |env| draft::decide_draft(env, &permit, &order)).await?;
    done(&ListDraftJson::from(decided.draft))
}

/// `POST /list-drafts/{draft}/abandonment`
pub async fn abandon_list_draft(
    called: Called<PublishList>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = draft_id(&id)?;
    let abandoned = call.run(move |env| draft::abandon_draft(env, &permit, &id)).await?;
    done(&ListDraftJson::from(abandoned))
}

/// `POST /lists`
pub async fn publish_list(called: Called<PublishList>) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    call.by_person()?;
    let address = call.env.settings.public_address.list(&call.env.settings.scheme.code);
    let list = call.run(move |env| publish::publish_list(env, &permit)).await?;
    made(&address, &ListJson::of(list, &address))
}

/// `POST /lists/{scheme}/signers`
pub async fn hand_list_over(
    called: Called<PublishList>,
    code: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    call.by_person()?;
    let scheme = SchemeCode::parse(&code).map_err(|_| Problem::not_found())?;
    let address = call.env.settings.public_address.list(scheme.as_str());
    let list = call.run(move |env| publish::hand_over(env, &permit, &scheme)).await?;
    done(&ListJson::of(list, &address))
}

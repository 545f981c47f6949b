//! Representatives, delegates, and the grants between them (DOMAIN 15).

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use serde::{Deserialize, Serialize};
use tenkoku_ca::act::ActError;
use tenkoku_ca::grant::{
    GrantOrder, GrantPart, Reach, confirm_grant as keep, draft_grant as draft, end_grant as end,
    hand_in_paper as hand_in, sign_with_certificate, signing_text,
};
use tenkoku_domain::access::{Confirm, ManageGrants, RecordProofing, ViewRegistry};
use tenkoku_domain::approval::Conditions;
use tenkoku_domain::branch::BranchCode;
use tenkoku_domain::grant::{Grant, GrantAction, GrantQuota};
use tenkoku_domain::id::{GrantId, RepresentativeId, UserId};
use tenkoku_domain::level::Level;
use tenkoku_domain::person::{Delegate, Representative};
use tenkoku_domain::time::Timestamp;
use tenkoku_store::StoreError;
use utoipa::ToSchema;

use super::BASE;
use super::answer::{Paged, done, made, one, unchanged};
use super::door::Called;
use super::offices::{SignedJson, evidence};
use super::registry::organisation_id;
use crate::problem::Problem;

/// The people of an organisation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Persons)]
pub struct PersonsJson {
    /// Who represents it, or did.
    representatives: Vec<OfficeJson>,
    /// Whom it may give a part of its authority, or might.
    delegates: Vec<OfficeJson>,
}

/// An office of a person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Office)]
pub struct OfficeJson {
    /// The identifier of the office.
    id: String,
    /// The person.
    person: String,
    /// The person's name.
    name: String,
    /// The capacity of a representative, as the register says it.
    capacity: Option<String>,
    /// The only branch office of a delegate.
    branch: Option<String>,
    /// From when (RFC 3339, UTC).
    from: String,
    /// Until when (RFC 3339, UTC).
    until: Option<String>,
}

impl OfficeJson {
    pub(super) fn of_representative(office: &Representative, name: String) -> Self {
        Self {
            id: office.id.to_string(),
            person: office.person.to_string(),
            name,
            capacity: Some(office.capacity.to_string()),
            branch: None,
            from: office.from.to_string(),
            until: office.until.map(|until| until.to_string()),
        }
    }

    pub(super) fn of_delegate(office: &Delegate, name: String) -> Self {
        Self {
            id: office.id.to_string(),
            person: office.person.to_string(),
            name,
            capacity: None,
            branch: office.branch.as_ref().map(ToString::to_string),
            from: office.from.to_string(),
            until: Some(office.until.to_string()),
        }
    }
}

/// `GET /organisations/{organisation}/persons`
pub async fn list_persons(
    called: Called<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = organisation_id(&id)?;
    let persons = call
        .run(move |env| {
            env.store.read(|tx| {
                let mut persons =
                    PersonsJson { representatives: Vec::new(), delegates: Vec::new() };
                for office in tx.list_representatives(permit.scope(), &id)? {
                    let name = tx.load_person(&office.person)?.name.to_string();
                    persons.representatives.push(OfficeJson::of_representative(&office, name));
                }
                for office in tx.list_delegates(permit.scope(), &id)? {
                    let name = tx.load_person(&office.person)?.name.to_string();
                    persons.delegates.push(OfficeJson::of_delegate(&office, name));
                }
                Ok::<_, StoreError>(persons)
            })
        })
        .await?;
    one(&call, &persons)
}

/// A grant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Grant)]
pub struct GrantJson {
    /// Its identifier.
    id: String,
    /// The organisation.
    organisation: String,
    /// Its state (DOMAIN 6.8).
    state: String,
    /// The office from which it is given.
    representative: String,
    /// The account that may use it.
    grantee: String,
    /// SHA-256 of the canonical document.
    digest: String,
    /// The document that is signed, as it is signed (RFC 8785).
    document: String,
    /// Its first second (RFC 3339, UTC).
    not_before: String,
    /// Its last second (RFC 3339, UTC).
    not_after: String,
    /// Until when a new representative must confirm it (RFC 3339, UTC).
    review_until: Option<String>,
    /// Why it ended.
    end: Option<String>,
}

impl GrantJson {
    fn of(one: &Grant) -> Result<Self, ActError> {
        Ok(Self {
            id: one.terms.id.to_string(),
            organisation: one.organisation.to_string(),
            state: one.state.to_string(),
            representative: one.representative.to_string(),
            grantee: one.terms.grantee.to_string(),
            digest: one.terms.digest()?.to_string(),
            document: signing_text(one)?,
            not_before: one.terms.not_before.to_string(),
            not_after: one.terms.not_after.to_string(),
            review_until: one.review_until.map(|until| until.to_string()),
            end: one.end.map(|end| end.to_string()),
        })
    }

    pub(super) fn all(grants: &[Grant]) -> Result<Paged<Self>, ActError> {
        Ok(Paged::all(grants.iter().map(Self::of).collect::<Result<_, _>>()?))
    }
}

fn grant_id(text: &str) -> Result<GrantId, Problem> {
    GrantId::parse(text).map_err(|_| Problem::not_found())
}

/// `GET /organisations/{organisation}/grants`
pub async fn list_grants(
    called: Called<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = organisation_id(&id)?;
    let found =
        call.run(move |env| env.store.read(|tx| tx.list_grants(permit.scope(), &id))).await?;
    one(&call, &GrantJson::all(&found)?)
}

/// `GET /grants/{grant}`
pub async fn show_grant(
    called: Called<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = grant_id(&id)?;
    let found =
        call.run(move |env| env.store.read(|tx| tx.load_grant(permit.scope(), &id))).await?;
    one(&call, &GrantJson::of(&found)?)
}

/// A grant to be drafted (DOMAIN 15).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewGrant, example = json!({
    "representative": "rep_00000000000000000000000001",
    "grantee": "usr_00000000000000000000000001",
    "actions": ["apply", "rotate"],
    "branches": ["BR-0002"],
    "levels": [1],
    "quota": { "active": 4, "per_day": 2, "total": 12 },
    "not_before": "2026-12-01T00:00:00Z"
}))]
pub struct NewGrantJson {
    /// The office of whoever will sign it.
    representative: String,
    /// The account that may use it: that of a delegate, or a service account.
    grantee: String,
    /// What may be done.
    actions: Vec<String>,
    /// For which branch offices, by their codes; every one of today where none is named.
    #[serde(default)]
    branches: Option<BTreeSet<String>>,
    /// Whether branch offices that are recorded later are inside too.
    #[serde(default)]
    follow_new_branches: bool,
    /// At which levels.
    levels: BTreeSet<u8>,
    /// How much.
    quota: QuotaJson,
    /// Its first second (RFC 3339, UTC).
    not_before: String,
    /// Its last second (RFC 3339, UTC); the longest allowed where none is given.
    #[serde(default)]
    not_after: Option<String>,
    /// How often it may be given on: 0 or 1.
    #[serde(default)]
    subgrant_depth: u8,
    /// What it demands beyond.
    #[serde(default)]
    conditions: ConditionsJson,
}

/// What a grant demands beyond its scope (DOMAIN 15).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = GrantConditions)]
pub struct ConditionsJson {
    /// The representative confirms each issue at level 3; so it is where nothing is said.
    confirm_level_3: bool,
    /// A second delegate confirms each application.
    second_delegate: bool,
}

impl Default for ConditionsJson {
    fn default() -> Self {
        let Conditions { confirm_level_3, second_delegate } = Conditions::default();
        Self { confirm_level_3, second_delegate }
    }
}

/// The largest quota that is asked for here.
const QUOTA_MOST: i64 = 1_000_000;

/// How much a grant covers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Quota)]
pub struct QuotaJson {
    /// Credentials alive at one time.
    #[schema(minimum = 1, maximum = 1_000_000)]
    active: i64,
    /// New ones in a day.
    #[schema(minimum = 1, maximum = 1_000_000)]
    per_day: i64,
    /// New ones over its life.
    #[schema(minimum = 1, maximum = 1_000_000)]
    total: i64,
}

fn wrong(pointer: &str, detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "request-malformed").with_field(pointer, detail)
}

impl NewGrantJson {
    fn read(self) -> Result<(RepresentativeId, GrantPart), Problem> {
        let instant = |text: &str, pointer: &str| {
            Timestamp::parse(text).ok_or_else(|| wrong(pointer, "RFC 3339"))
        };
        let actions = self
            .actions
            .iter()
            .map(|word| GrantAction::from_word(word).ok_or_else(|| wrong("/actions", word)));
        let levels = self
            .levels
            .iter()
            .map(|number| Level::try_from(*number).map_err(|_| wrong("/levels", "1-3")));
        let reach = match (self.branches, self.follow_new_branches) {
            (Some(codes), false) => {
                let codes = codes.iter().map(|code| BranchCode::parse(code));
                let codes: Result<_, _> = codes.collect();
                Reach::Branches(codes.map_err(|refusal| Problem::from_refusal(&refusal))?)
            }
            (Some(_), true) => return Err(wrong("/follow_new_branches", "branches")),
            (None, false) => Reach::Everywhere,
            (None, true) => Reach::EverywhereAndLater,
        };
        let QuotaJson { active, per_day, total } = self.quota;
        if [active, per_day, total].iter().any(|one| !(1..=QUOTA_MOST).contains(one)) {
            return Err(wrong("/quota", "1-1000000"));
        }
        let part = GrantPart {
            grantee: UserId::parse(&self.grantee).map_err(|_| Problem::not_found())?,
            actions: actions.collect::<Result<_, _>>()?,
            reach,
            levels: levels.collect::<Result<_, _>>()?,
            quota: GrantQuota { active, per_day, total },
            not_before: instant(&self.not_before, "/not_before")?,
            not_after: match &self.not_after {
                Some(text) => Some(instant(text, "/not_after")?),
                None => None,
            },
            subgrant_depth: i64::from(self.subgrant_depth),
            conditions: Conditions {
                confirm_level_3: self.conditions.confirm_level_3,
                second_delegate: self.conditions.second_delegate,
            },
        };
        let office =
            RepresentativeId::parse(&self.representative).map_err(|_| Problem::not_found())?;
        Ok((office, part))
    }
}

/// `POST /organisations/{organisation}/grants`
pub async fn draft_grant(
    called: Called<ManageGrants>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let organisation = organisation_id(&id)?;
    let (representative, part) = call.json::<NewGrantJson>()?.read()?;
    let order = GrantOrder { organisation, representative, part };
    let drafted = call.run(move |env| draft(env, &permit, &order)).await?;
    let drafted = GrantJson::of(&drafted)?;
    made(&format!("{BASE}/grants/{}", drafted.id), &drafted)
}

/// `POST /grants/{grant}/signature`
pub async fn sign_grant(
    called: Called<ManageGrants>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = grant_id(&id)?;
    // What is not within reach does not exist, whatever was sent.
    let (scope, seen) = (permit.scope().clone(), id.clone());
    call.run(move |env| env.store.read(|tx| tx.load_grant(&scope, &seen))).await?;
    let signed = call.json::<SignedJson>()?.read()?;
    let signed = call.run(move |env| sign_with_certificate(env, &permit, &id, &signed)).await?;
    done(&GrantJson::of(&signed)?)
}

/// A grant that was signed on paper.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PaperGrant, example = json!({
    "scan": "JVBERi0xLjc=",
    "call_back": "Y2FsbGVkIGF0IG5vb24="
}))]
pub struct PaperJson {
    /// The scan of the paper (base 64).
    scan: String,
    /// The record of the call back to the representative (base 64).
    call_back: String,
}

/// `POST /grants/{grant}/paper`
pub async fn hand_in_paper(
    called: Called<RecordProofing>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = grant_id(&id)?;
    let PaperJson { scan, call_back } = call.json()?;
    let (scan, call_back) = (evidence(&scan, "/scan")?, evidence(&call_back, "/call_back")?);
    let handed_in = call.run(move |env| hand_in(env, &permit, &id, (&scan, &call_back))).await?;
    done(&GrantJson::of(&handed_in)?)
}

/// `POST /grants/{grant}/confirmation`
pub async fn confirm_grant(
    called: Called<Confirm>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    call.by_person()?;
    let id = grant_id(&id)?;
    let kept = call.run(move |env| keep(env, &permit, &id)).await?;
    done(&GrantJson::of(&kept)?)
}

/// `POST /grants/{grant}/end`
pub async fn end_grant(
    called: Called<ManageGrants>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    call.by_person()?;
    let id = grant_id(&id)?;
    let (scope, seen) = (permit.scope().clone(), id.clone());
    let now = call.run(move |env| env.store.read(|tx| tx.load_grant(&scope, &seen))).await?;
    unchanged(&call, &GrantJson::of(&now)?)?;
    let ended = call.run(move |env| end(env, &permit, &id)).await?;
    done(&GrantJson::all(&ended)?)
}

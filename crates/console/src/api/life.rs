//! The life of keys: containers, successors, evidence of destruction, incidents, holds that go on,
//! and the revocation of many.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Path, Query};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenkoku_ca::bulk::{self, BulkOrder};
use tenkoku_ca::container::{self, ContainerOrder};
use tenkoku_ca::destroy::{self, package};
use tenkoku_ca::incident::{self, CloseOrder};
use tenkoku_ca::rotate::{self, SuccessorOrder, key_dates};
use tenkoku_ca::suspend::{self, HoldOrder};
use tenkoku_domain::access::{
    Apply, DecideEvidence, ManageKeys, PublishStatus, Revoke, Scope, ViewRegistry,
};
use tenkoku_domain::audit::BulkStep;
use tenkoku_domain::branch::Custodian;
use tenkoku_domain::bulk::{BulkRevocation, BulkSelection};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::container::{BackupCopy, Container, ContainerKind, ContainerState};
use tenkoku_domain::destruction::{Decision, Evidence, EvidenceState};
use tenkoku_domain::id::{BranchId, BulkId, ContainerId, EvidenceId, IncidentId, KeyId};
use tenkoku_domain::incident::{Incident, IncidentDecision};
use tenkoku_domain::revocation::Cause;
use tenkoku_domain::suspension::Suspension;
use tenkoku_domain::time::Timestamp;
use tenkoku_store::StoreError;
use utoipa::ToSchema;

use super::BASE;
use super::answer::{PageQuery, Paged, done, made, one};
use super::certificates::{AuthorityQuery, CertificateJson, CommentJson, load as load_certificate};
use super::door::{Call, Called};
use super::offices::octets;
use super::platform::whole;
use super::registry::{CustodianJson, organisation_id};
use crate::problem::Problem;

/// Bulk revocations that are listed.
const LISTED: i64 = 100;

fn wrong(pointer: &str, detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "request-malformed").with_field(pointer, detail)
}

/// A backup of what is in a container.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BackupCopy)]
pub struct BackupCopyJson {
    /// What the copy is called.
    label: String,
    /// Where it is kept.
    location: String,
}

/// Where keys live.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Container)]
pub struct ContainerJson {
    /// Its identifier.
    id: String,
    /// Whose it is.
    organisation: String,
    /// The one branch office that uses it; null where several do.
    branch: Option<String>,
    /// `hsm`, `token`, `card`, `tpm` or `file`.
    kind: String,
    /// Its model.
    model: String,
    /// The serial number of the device.
    serial: String,
    /// Its firmware.
    firmware: String,
    /// Its certification.
    certification: String,
    /// Partition, slot or applet.
    partition: String,
    /// Who answers for it.
    custodian: CustodianJson,
    /// Where it stands.
    location: String,
    /// Every backup of what is in it.
    inventory: Vec<BackupCopyJson>,
    /// Its state (DOMAIN 6.6).
    state: String,
    /// When it was registered (RFC 3339, UTC).
    registered_at: String,
}

impl From<Container> for ContainerJson {
    fn from(one: Container) -> Self {
        let Custodian { name, email } = one.custodian;
        let copy = |copy: BackupCopy| BackupCopyJson { label: copy.label, location: copy.location };
        Self {
            id: one.id.to_string(),
            organisation: one.organisation.to_string(),
            branch: one.branch.map(|id| id.to_string()),
            kind: one.kind.to_string(),
            model: one.model,
            serial: one.serial,
            firmware: one.firmware,
            certification: one.certification,
            partition: one.partition,
            custodian: CustodianJson { name, email },
            location: one.location,
            inventory: one.inventory.into_iter().map(copy).collect(),
            state: one.state.to_string(),
            registered_at: one.registered_at.to_string(),
        }
    }
}

fn container_id(text: &str) -> Result<ContainerId, Problem> {
    ContainerId::parse(text).map_err(|_| Problem::not_found())
}

/// `GET /containers`
pub async fn list_containers(called: Called<ViewRegistry>) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let found =
        call.run(move |env| env.store.read(|tx| tx.list_containers(permit.scope()))).await?;
    one(&call, &Paged::all(found.into_iter().map(ContainerJson::from).collect()))
}

/// `GET /containers/{container}`
pub async fn show_container(
    called: Called<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = container_id(&id)?;
    let found =
        call.run(move |env| env.store.read(|tx| tx.load_container(permit.scope(), &id))).await?;
    one(&call, &ContainerJson::from(found))
}

/// A container to be registered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewContainer, example = json!({
    "kind": "token",
    "model": "SampleToken 5",
    "serial": "00123456",
    "location": "見本 1階 金庫",
    "custodian": { "name": "見本 太郎", "email": "taro@sample.example" }
}))]
pub struct NewContainerJson {
    /// The one branch office that uses it; several may where none is named.
    #[serde(default)]
    branch: Option<String>,
    /// `hsm`, `token`, `card`, `tpm` or `file`.
    kind: String,
    /// Its model, as the maker writes it.
    model: String,
    /// The serial number of the device.
    serial: String,
    /// Its firmware.
    #[serde(default)]
    firmware: String,
    /// Its certification.
    #[serde(default)]
    certification: String,
    /// Partition, slot or applet.
    #[serde(default)]
    partition: String,
    /// Who answers for it.
    custodian: CustodianJson,
    /// Where it stands.
    location: String,
    /// Every backup of what is in it.
    #[serde(default)]
    inventory: Vec<BackupCopyJson>,
}

/// `POST /organisations/{organisation}/containers`
pub async fn register_container(
    called: Called<ManageKeys>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let new: NewContainerJson = call.json()?;
    let branch = new.branch.as_deref().map(BranchId::parse).transpose();
    let copy = |copy: BackupCopyJson| BackupCopy { label: copy.label, location: copy.location };
    let order = ContainerOrder {
        organisation: organisation_id(&id)?,
        branch: branch.map_err(|_| Problem::not_found())?,
        kind: ContainerKind::from_word(&new.kind).ok_or_else(|| wrong("/kind", "?"))?,
        model: new.model,
        serial: new.serial,
        firmware: new.firmware,
        certification: new.certification,
        partition: new.partition,
        custodian: (new.custodian.name, new.custodian.email),
        location: new.location,
        inventory: new.inventory.into_iter().map(copy).collect(),
    };
    let registered =
        call.run(move |env| container::register_container(env, &permit, &order)).await?;
    let path = format!("{BASE}/containers/{}", registered.id);
    made(&path, &ContainerJson::from(registered))
}

/// What shows something about a container.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ContainerEvidence, example = json!({ "evidence": "JVBERi0xLjc=" }))]
pub struct ContainerEvidenceJson {
    /// The file (base 64).
    evidence: String,
}

/// `POST /containers/{container}/verification`
pub async fn verify_container(
    called: Called<ManageKeys>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = container_id(&id)?;
    let ContainerEvidenceJson { evidence } = call.json()?;
    let evidence = octets(&evidence, "/evidence")?;
    let verified =
        call.run(move |env| container::verify_container(env, &permit, &id, &evidence)).await?;
    done(&ContainerJson::from(verified))
}

/// Where a container goes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ContainerMove, example = json!({ "step": "quarantine" }))]
pub struct ContainerMoveJson {
    /// What is done.
    step: ContainerStepJson,
}

/// A step of a container (DOMAIN 6.6).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = ContainerStep)]
pub enum ContainerStepJson {
    /// Nothing new goes in.
    Quarantine,
    /// It is used again.
    Release,
    /// It holds no live key any more.
    Retire,
}

/// `POST /containers/{container}/moves`
pub async fn move_container(
    called: Called<ManageKeys>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = container_id(&id)?;
    let to = match call.json::<ContainerMoveJson>()?.step {
        ContainerStepJson::Quarantine => ContainerState::Quarantined,
        ContainerStepJson::Release => ContainerState::InUse,
        ContainerStepJson::Retire => ContainerState::Retired,
    };
    let moved = call.run(move |env| container::move_container(env, &permit, &id, to)).await?;
    done(&ContainerJson::from(moved))
}

/// `POST /containers/{container}/custodian`
pub async fn change_custodian(
    called: Called<ManageKeys>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = container_id(&id)?;
    let CustodianJson { name, email } = call.json()?;
    let changed = call
        .run(move |env| container::change_custodian(env, &permit, &id, (&name, &email)))
        .await?;
    done(&ContainerJson::from(changed))
}

/// `POST /containers/{container}/disposal`
pub async fn dispose_container(
    called: Called<ManageKeys>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = container_id(&id)?;
    let ContainerEvidenceJson { evidence } = call.json()?;
    let evidence = octets(&evidence, "/evidence")?;
    let gone =
        call.run(move |env| container::dispose_container(env, &permit, &id, &evidence)).await?;
    done(&ContainerJson::from(gone))
}

fn key_id(text: &str) -> Result<KeyId, Problem> {
    KeyId::parse(text).map_err(|_| Problem::not_found())
}

/// `POST /keys/{key}/successor`
pub async fn order_successor(
    called: Called<Apply>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let order = SuccessorOrder { key: key_id(&id)?, validity_days: None };
    let scope = permit.scope().clone();
    let applied = call.run(move |env| rotate::order_successor(env, &permit, &order)).await?;
    let found = super::applications::shown(&call, scope, applied.application.id).await?;
    made(&format!("{BASE}/applications/{}", found.id()), &found)
}

/// `POST /keys/{key}/retirement`
pub async fn retire_key(
    called: Called<ManageKeys>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    call.by_person()?;
    let id = key_id(&id)?;
    let view = call.permit::<ViewRegistry>()?;
    let found = call.run(move |env| key_dates(env, &view, &id)).await?.key.certificate;
    let (retired, authority) = call
        .run(move |env| {
            let name = (&found.authority, &found.serial);
            let retired = rotate::retire_certificate(env, &permit, name)?;
            let authority = env.store.read(|tx| tx.load_authority(&retired.authority))?;
            Ok::<_, tenkoku_ca::life::LifeError>((retired, authority))
        })
        .await?;
    done(&CertificateJson::of(&retired, &authority))
}

/// `POST /keys/{key}/loss`
pub async fn report_loss(
    called: Called<ManageKeys>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    call.by_person()?;
    let id = key_id(&id)?;
    let CommentJson { comment } = call.json()?;
    let (key, view) = (id.clone(), call.permit::<ViewRegistry>()?);
    call.run(move |env| destroy::declare_lost(env, &permit, &key, &comment)).await?;
    let found = call.run(move |env| key_dates(env, &view, &id)).await?;
    let (certificate, authority) = call
        .run(move |env| {
            env.store.read(|tx| {
                let authority = tx.load_authority(&found.key.certificate.authority)?;
                Ok::<_, StoreError>((found.key.certificate, authority))
            })
        })
        .await?;
    done(&CertificateJson::of(&certificate, &authority))
}

/// Evidence that a key is destroyed (DOMAIN 11).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DestructionEvidence)]
pub struct EvidenceJson {
    /// Its identifier.
    id: String,
    /// The key.
    key: String,
    /// The class that it claims: `D1` to `D5`.
    class: String,
    /// Its state.
    state: String,
    /// When it was handed in (RFC 3339, UTC).
    handed_at: String,
}

impl EvidenceJson {
    fn of(one: &Evidence, state: EvidenceState) -> Self {
        Self {
            id: one.id.to_string(),
            key: one.key.to_string(),
            class: one.class.to_string(),
            state: state.to_string(),
            handed_at: one.handed_at.to_string(),
        }
    }
}

/// `GET /destruction-evidence`
pub async fn list_evidence(called: Called<ViewRegistry>) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    whole(permit.scope())?;
    let found =
        call.run(|env| env.store.read(|tx| tx.list_evidence(EvidenceState::Handed))).await?;
    let items = found.iter().map(|(one, state)| EvidenceJson::of(one, *state)).collect();
    one(&call, &Paged::all(items))
}

/// The package that `tenkoku key evidence pack` writes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EvidencePackage, example = json!({ "package": { "v": 1 } }))]
pub struct PackageJson {
    /// The package, as it is.
    package: Value,
}

/// `POST /keys/{key}/evidence`
pub async fn hand_in_evidence(
    called: Called<ManageKeys>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = key_id(&id)?;
    // What is not within reach does not exist, whatever was sent.
    let (key, view) = (id.clone(), call.permit::<ViewRegistry>()?);
    call.run(move |env| key_dates(env, &view, &key)).await?;
    let PackageJson { package: content } = call.json()?;
    let content = content.to_string();
    let order =
        package::read(content.as_bytes()).map_err(|error| wrong("/package", &error.to_string()))?;
    if order.key != id {
        return Err(wrong("/package/key", id.as_str()));
    }
    let handed = call.run(move |env| destroy::hand_in_evidence(env, &permit, &order)).await?;
    let path = format!("{BASE}/destruction-evidence");
    made(&path, &EvidenceJson::of(&handed, EvidenceState::Handed))
}

/// What an officer decides about evidence.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EvidenceDecision, example = json!({ "decision": "accept", "reason": "" }))]
pub struct EvidenceDecisionJson {
    /// `accept`, `refuse` or `more-needed`.
    decision: String,
    /// Why.
    #[serde(default)]
    reason: String,
}

/// `POST /destruction-evidence/{evidence}/decision`
pub async fn decide_evidence(
    called: Called<DecideEvidence>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    call.by_person()?;
    let id = EvidenceId::parse(&id).map_err(|_| Problem::not_found())?;
    let EvidenceDecisionJson { decision, reason } = call.json()?;
    let words: Vec<_> = Decision::ALL.iter().map(|one| one.word()).collect();
    let decision =
        Decision::from_word(&decision).ok_or_else(|| wrong("/decision", &words.join(", ")))?;
    let known = id.clone();
    call.run(move |env| destroy::decide_evidence(env, &permit, &id, (decision, &reason))).await?;
    let (evidence, state) =
        call.run(move |env| env.store.read(|tx| tx.load_evidence(&known))).await?;
    done(&EvidenceJson::of(&evidence, state))
}

/// A key in two hands, or an exposed one (DOMAIN 8.3).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Incident)]
pub struct IncidentJson {
    /// Its identifier.
    id: String,
    /// What happened.
    kind: String,
    /// The fingerprint of the key.
    fingerprint: String,
    /// `open` or `closed`.
    state: String,
    /// The organisations concerned.
    organisations: Vec<String>,
    /// When it was opened (RFC 3339, UTC).
    opened_at: String,
    /// How it was decided.
    decision: Option<String>,
}

impl From<Incident> for IncidentJson {
    fn from(one: Incident) -> Self {
        Self {
            id: one.id.to_string(),
            kind: one.kind.to_string(),
            fingerprint: one.fingerprint.to_string(),
            state: one.state().to_string(),
            organisations: one.organisations.iter().map(ToString::to_string).collect(),
            opened_at: one.opened_at.to_string(),
            decision: one.closed.map(|closed| closed.decision.to_string()),
        }
    }
}

/// `GET /incidents`
pub async fn list_incidents(
    called: Called<ViewRegistry>,
    page: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    whole(permit.scope())?;
    let (after, limit) = (page.after()?, page.limit()?);
    let found = call
        .run(move |env| env.store.read(|tx| tx.list_incidents(None, after.as_deref(), limit)))
        .await?;
    one(&call, &Paged::of(found, IncidentJson::from))
}

fn incident_id(text: &str) -> Result<IncidentId, Problem> {
    IncidentId::parse(text).map_err(|_| Problem::not_found())
}

/// `GET /incidents/{incident}`
pub async fn show_incident(
    called: Called<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    whole(permit.scope())?;
    let id = incident_id(&id)?;
    let found = call.run(move |env| env.store.read(|tx| tx.load_incident(&id))).await?;
    one(&call, &IncidentJson::from(found))
}

/// How an incident ends.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = IncidentEnd, example = json!({
    "decision": "mistake",
    "reason": "the wrong file was sent"
}))]
pub struct IncidentEndJson {
    /// `key-exposed`, `no-copy` or `mistake`.
    decision: String,
    /// Why.
    reason: String,
}

/// `POST /incidents/{incident}/decision`
pub async fn decide_incident(
    called: Called<DecideEvidence>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    call.by_person()?;
    let IncidentEndJson { decision, reason } = call.json()?;
    let order = CloseOrder {
        incident: incident_id(&id)?,
        decision: IncidentDecision::from_word(&decision).ok_or_else(|| wrong("/decision", "?"))?,
        reason,
    };
    let closed = call.run(move |env| incident::close_incident(env, &permit, &order)).await?;
    done(&IncidentJson::from(closed))
}

/// A hold.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Hold)]
pub struct HoldJson {
    /// Since when (RFC 3339, UTC).
    from: String,
    /// Its limit (RFC 3339, UTC).
    until: String,
    /// Why.
    because: String,
    /// Whether a first officer asked for the one extension.
    extension_asked: bool,
    /// When a second officer granted it (RFC 3339, UTC).
    extended_at: Option<String>,
}

impl From<Suspension> for HoldJson {
    fn from(one: Suspension) -> Self {
        Self {
            from: one.from.to_string(),
            until: one.until.to_string(),
            because: one.because.to_string(),
            extension_asked: one.extension_asked_by.is_some(),
            extended_at: one.extended_at.map(|at| at.to_string()),
        }
    }
}

/// `POST /certificates/{serial}/extension`
pub async fn extend_hold(
    called: Called<DecideEvidence>,
    serial: Path<String>,
    query: Query<AuthorityQuery>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    call.by_person()?;
    let CommentJson { comment } = call.json()?;
    let named = query.into_inner().authority;
    let (found, _) = load_certificate(&call, permit.scope().clone(), &serial, named).await?;
    let order = HoldOrder { authority: found.authority, serial: found.serial, comment };
    let hold = call.run(move |env| suspend::extend_suspension(env, &permit, &order)).await?;
    done(&HoldJson::from(hold))
}

/// A list that is made anew.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewStatusList, example = json!({ "authority": "sample-l1-g1" }))]
pub struct NewStatusListJson {
    /// The code of the authority.
    authority: String,
}

/// What was queued.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatusListQueued)]
pub struct QueuedJson {
    /// The code of the authority whose lists are made within a second.
    authority: String,
}

/// `POST /status-lists`
pub async fn issue_status_list(called: Called<PublishStatus>) -> Result<HttpResponse, Problem> {
    let Called { call, .. } = called;
    let NewStatusListJson { authority } = call.json()?;
    let (now, code) = (call.now, authority.clone());
    call.run(move |env| {
        env.store.write(|tx| {
            let found = tx.find_authority(&code)?;
            let found = found.ok_or(StoreError::NotFound { what: "authority" })?;
            tx.enqueue_job("issue-crls", found.id.as_str(), now)
        })
    })
    .await?;
    Ok(HttpResponse::Accepted().json(QueuedJson { authority }))
}

/// A revocation of many certificates (RV-4).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BulkRevocation)]
pub struct BulkJson {
    /// Its identifier.
    id: String,
    /// SHA-256 of what is decided on.
    digest: String,
    /// Why.
    cause: String,
    /// Which certificates: all that everything given here is true of.
    selection: Value,
    /// When it is carried out; at once where there is no time (RFC 3339, UTC).
    due: Option<String>,
    /// Its state.
    state: String,
    /// How many certificates there were when it was asked for.
    matched: i64,
    /// How many were revoked.
    revoked: i64,
    /// How many had changed meanwhile.
    skipped: i64,
    /// How many approved it.
    given: usize,
}

impl BulkJson {
    fn of(one: &BulkRevocation) -> Result<Self, Problem> {
        let internal = |error: serde_json::Error| Problem::internal(&error);
        Ok(Self {
            id: one.id.to_string(),
            digest: one.digest().map_err(|error| Problem::internal(&error))?.to_string(),
            cause: one.cause.to_string(),
            selection: serde_json::to_value(&one.selection).map_err(internal)?,
            due: one.due.map(|due| due.to_string()),
            state: one.state.to_string(),
            matched: one.matched,
            revoked: one.revoked,
            skipped: one.skipped,
            given: one.approvals.len(),
        })
    }
}

fn bulk_id(text: &str) -> Result<BulkId, Problem> {
    BulkId::parse(text).map_err(|_| Problem::not_found())
}

/// `GET /bulk-revocations`
pub async fn list_bulks(called: Called<ViewRegistry>) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    whole(permit.scope())?;
    let found = call.run(|env| env.store.read(|tx| tx.list_bulks(LISTED))).await?;
    let items = found.iter().map(BulkJson::of).collect::<Result<_, _>>()?;
    one(&call, &Paged::all(items))
}

async fn load_bulk(call: &Call, scope: &Scope, id: &str) -> Result<BulkRevocation, Problem> {
    whole(scope)?;
    let id = bulk_id(id)?;
    call.run(move |env| env.store.read(|tx| tx.load_bulk(&id))).await
}

/// `GET /bulk-revocations/{bulk}`
pub async fn show_bulk(
    called: Called<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let found = load_bulk(&call, permit.scope(), &id).await?;
    one(&call, &BulkJson::of(&found)?)
}

/// Many certificates to be revoked. What is not given narrows nothing; something must be given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewBulkRevocation, example = json!({
    "organisation": "org_00000000000000000000000001",
    "cause": "office-closed",
    "comment": "the company is dissolved"
}))]
pub struct NewBulkJson {
    /// Issued by this authority, by its code.
    #[serde(default)]
    authority: Option<String>,
    /// Held by this organisation.
    #[serde(default)]
    organisation: Option<String>,
    /// Held by this branch office.
    #[serde(default)]
    branch: Option<String>,
    /// Over a key in this container.
    #[serde(default)]
    container: Option<String>,
    /// Why.
    cause: String,
    /// When; at once where no time is given (RFC 3339, UTC).
    #[serde(default)]
    due: Option<String>,
    /// Words for the audit trail.
    #[serde(default)]
    comment: String,
}

async fn bulk_order(call: &Call, new: NewBulkJson) -> Result<BulkOrder, Problem> {
    let authority = match new.authority {
        None => None,
        Some(code) => {
            let found = call.run(move |env| env.store.read(|tx| tx.find_authority(&code))).await?;
            Some(found.ok_or_else(Problem::not_found)?.id)
        }
    };
    let none = |_| Problem::not_found();
    let organisation = new.organisation.as_deref().map(organisation_id).transpose()?;
    let due = new.due.as_deref();
    let due = due.map(|due| Timestamp::parse(due).ok_or_else(|| wrong("/due", "RFC 3339")));
    Ok(BulkOrder {
        selection: BulkSelection {
            authority,
            organisation,
            branch: new.branch.as_deref().map(BranchId::parse).transpose().map_err(none)?,
            container: new.container.as_deref().map(container_id).transpose()?,
            ..BulkSelection::default()
        },
        cause: Cause::parse(&new.cause).ok_or_else(|| wrong("/cause", "?"))?,
        due: due.transpose()?,
        comment: new.comment,
    })
}

/// How many certificates would be revoked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BulkPreview)]
pub struct PreviewJson {
    /// By their state.
    counts: BTreeMap<String, i64>,
}

/// `POST /bulk-revocations/preview`
pub async fn preview_bulk(called: Called<Revoke>) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let order = bulk_order(&call, call.json()?).await?;
    let counts = call.run(move |env| bulk::preview_bulk(env, &permit, &order)).await?;
    done(&PreviewJson { counts })
}

/// `POST /bulk-revocations`
pub async fn ask_bulk(called: Called<Revoke>) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    call.by_person()?;
    let order = bulk_order(&call, call.json()?).await?;
    let asked = call.run(move |env| bulk::ask_bulk(env, &permit, &order)).await?;
    made(&format!("{BASE}/bulk-revocations/{}", asked.id), &BulkJson::of(&asked)?)
}

/// Where a bulk revocation goes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BulkMove, example = json!({ "step": "reject" }))]
pub struct BulkMoveJson {
    /// What is done.
    step: BulkStepJson,
    /// The digest of what was shown; needed for an approval.
    #[serde(default)]
    shown: Option<String>,
}

/// A step of a bulk revocation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = BulkStep)]
pub enum BulkStepJson {
    /// One of the two approvals.
    Approve,
    /// It ends.
    Reject,
    /// Whoever asked takes it back.
    Cancel,
    /// It waits.
    Pause,
    /// It goes on.
    Resume,
}

/// `POST /bulk-revocations/{bulk}/moves`
pub async fn move_bulk(called: Called<Revoke>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    call.by_person()?;
    let BulkMoveJson { step, shown } = call.json()?;
    let found = load_bulk(&call, permit.scope(), &id).await?;
    let shown = shown.as_deref().map(Digest::parse).transpose();
    let shown = shown.map_err(|_| wrong("/shown", "SHA-256"))?;
    let step = match (step, shown) {
        (BulkStepJson::Approve, Some(shown)) => Err(shown),
        (BulkStepJson::Approve, None) => return Err(wrong("/shown", "SHA-256")),
        (BulkStepJson::Reject, _) => Ok(BulkStep::Rejected),
        (BulkStepJson::Cancel, _) => Ok(BulkStep::Cancelled),
        (BulkStepJson::Pause, _) => Ok(BulkStep::Paused),
        (BulkStepJson::Resume, _) => Ok(BulkStep::Resumed),
    };
    let moved = call
        .run(move |env| match step {
            Ok(step) => bulk::turn_bulk(env, &permit, &found.id, step),
            Err(shown) => bulk::approve_bulk(env, &permit, &found.id, &shown),
        })
        .await?;
    done(&BulkJson::of(&moved)?)
}

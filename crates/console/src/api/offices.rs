//! Offices of an organisation and checks of identity: recorded on evidence, which comes in base 64.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tenkoku_ca::act::EvidenceFile;
use tenkoku_ca::issuer::SignedFile;
use tenkoku_ca::office::{self, DelegateOrder, PersonOrder, RepresentativeOrder};
use tenkoku_ca::proofing::{self, Finding, ProofingOrder};
use tenkoku_domain::access::{ManageGrants, RecordProofing, Scope, ViewRegistry};
use tenkoku_domain::id::{BranchId, DelegateId, PersonId, RepresentativeId};
use tenkoku_domain::person::{Delegate, Representative};
use tenkoku_domain::proofing::{Method, ProofingRecord, Subject};
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::pem;
use tenkoku_store::StoreError;
use utoipa::ToSchema;

use super::BASE;
use super::answer::{Paged, done, made, one};
use super::door::{Call, Called};
use super::grants::{GrantJson, OfficeJson};
use super::registry::organisation_id;
use crate::fields::media_type;
use crate::problem::Problem;

fn wrong(pointer: &str, detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "request-malformed").with_field(pointer, detail)
}

/// The octets of a file that came in base 64.
pub(super) fn octets(text: &str, pointer: &str) -> Result<Vec<u8>, Problem> {
    STANDARD.decode(text).map_err(|_| wrong(pointer, "base64"))
}

/// A file of evidence that came in base 64; its octets say of which type it is.
pub(super) fn evidence(text: &str, pointer: &str) -> Result<EvidenceFile, Problem> {
    let content = octets(text, pointer)?;
    if content.is_empty() {
        return Err(wrong(pointer, "base64"));
    }
    Ok(EvidenceFile { media_type: media_type(&content).to_owned(), content })
}

/// A signature with a certificate, and what its path needs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Signed, example = json!({
    "signature": "-----BEGIN CMS-----\n…\n-----END CMS-----\n",
    "crls": ["-----BEGIN X509 CRL-----\n…\n-----END X509 CRL-----\n"]
}))]
pub struct SignedJson {
    /// A detached signature over the text (CMS, PEM).
    signature: String,
    /// Certificates between signer and issuer that are not in the signature (PEM).
    #[serde(default)]
    intermediates: Vec<String>,
    /// A current revocation list for every certificate of the path (PEM).
    #[serde(default)]
    crls: Vec<String>,
}

impl SignedJson {
    pub(super) fn read(self) -> Result<SignedFile, Problem> {
        let decoded = |all: &[String], label: &'static str, pointer: &str| {
            let one = |text: &String| {
                pem::decode(text.as_bytes(), &[label]).map_err(|_| wrong(pointer, label))
            };
            all.iter().map(one).collect::<Result<Vec<_>, _>>()
        };
        Ok(SignedFile {
            intermediates: decoded(&self.intermediates, "CERTIFICATE", "/intermediates")?,
            crls: decoded(&self.crls, "X509 CRL", "/crls")?,
            signature: self.signature.into_bytes(),
        })
    }
}

async fn name_of(call: &Call, person: PersonId) -> Result<String, Problem> {
    let found = call.run(move |env| env.store.read(|tx| tx.load_person(&person))).await?;
    Ok(found.name.to_string())
}

async fn represents(call: &Call, office: Representative) -> Result<OfficeJson, Problem> {
    let name = name_of(call, office.person.clone()).await?;
    Ok(OfficeJson::of_representative(&office, name))
}

async fn is_delegate(call: &Call, office: Delegate) -> Result<OfficeJson, Problem> {
    let name = name_of(call, office.person.clone()).await?;
    Ok(OfficeJson::of_delegate(&office, name))
}

/// A representative to be recorded.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRepresentative, example = json!({
    "name": "見本 三郎",
    "contact": "saburo@sample.example",
    "capacity": "代表取締役",
    "evidence": "JVBERi0xLjc="
}))]
pub struct NewRepresentativeJson {
    /// The full name: the person of this name, or a new one.
    name: String,
    /// The e-mail address of a new person.
    #[serde(default)]
    contact: String,
    /// The capacity, as the register says it.
    capacity: String,
    /// What shows that the capacity is current (base 64).
    evidence: String,
}

/// `POST /organisations/{organisation}/representatives`
pub async fn record_representative(
    called: Called<RecordProofing>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let new: NewRepresentativeJson = call.json()?;
    let order = RepresentativeOrder {
        organisation: organisation_id(&id)?,
        person: PersonOrder::Named { name: new.name, contact: new.contact },
        capacity: new.capacity,
        evidence: evidence(&new.evidence, "/evidence")?,
        from: None,
    };
    let path = format!("{BASE}/organisations/{}/persons", order.organisation);
    let office = call.run(move |env| office::record_representative(env, &permit, &order)).await?;
    made(&path, &represents(&call, office).await?)
}

/// `POST /representatives/{office}/end`
pub async fn end_representative(
    called: Called<RecordProofing>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    call.by_person()?;
    let id = RepresentativeId::parse(&id).map_err(|_| Problem::not_found())?;
    let office = call.run(move |env| office::end_representative(env, &permit, &id)).await?;
    done(&represents(&call, office).await?)
}

/// A delegate to be named.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewDelegate, example = json!({
    "name": "見本 四郎",
    "contact": "shiro@sample.example",
    "until": "2027-06-30T23:59:59Z"
}))]
pub struct NewDelegateJson {
    /// The full name: the person of this name, or a new one.
    name: String,
    /// The e-mail address of a new person.
    #[serde(default)]
    contact: String,
    /// The only branch office; the whole organisation where none is named.
    #[serde(default)]
    branch: Option<String>,
    /// Until when (RFC 3339, UTC).
    until: String,
}

/// `POST /organisations/{organisation}/delegates`
pub async fn add_delegate(
    called: Called<ManageGrants>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let new: NewDelegateJson = call.json()?;
    let branch = new.branch.as_deref().map(BranchId::parse).transpose();
    let order = DelegateOrder {
        organisation: organisation_id(&id)?,
        person: PersonOrder::Named { name: new.name, contact: new.contact },
        branch: branch.map_err(|_| Problem::not_found())?,
        until: Timestamp::parse(&new.until).ok_or_else(|| wrong("/until", "RFC 3339"))?,
    };
    let path = format!("{BASE}/organisations/{}/persons", order.organisation);
    let office = call.run(move |env| office::add_delegate(env, &permit, &order)).await?;
    made(&path, &is_delegate(&call, office).await?)
}

/// `POST /delegates/{office}/end`
pub async fn end_delegate(
    called: Called<ManageGrants>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    call.by_person()?;
    let id = DelegateId::parse(&id).map_err(|_| Problem::not_found())?;
    let ended = call.run(move |env| office::remove_delegate(env, &permit, &id)).await?;
    done(&GrantJson::all(&ended)?)
}

/// A check of an identity (DOMAIN 16).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Proofing)]
pub struct ProofingJson {
    /// Its identifier.
    id: String,
    /// The organisation concerned.
    organisation: String,
    /// The person; null where it is none.
    person: Option<String>,
    /// The branch office; null where it is none.
    branch: Option<String>,
    /// The method: `P1` to `P9`.
    method: String,
    /// The level reached.
    level: u8,
    /// When (RFC 3339, UTC).
    performed_at: String,
    /// Until when it holds (RFC 3339, UTC).
    valid_until: String,
    /// What was seen, by its SHA-256.
    evidence: Vec<String>,
}

impl From<ProofingRecord> for ProofingJson {
    fn from(one: ProofingRecord) -> Self {
        let (person, branch) = match one.subject {
            Subject::Organisation => (None, None),
            Subject::Person(id) => (Some(id.to_string()), None),
            Subject::Branch(id) => (None, Some(id.to_string())),
        };
        Self {
            id: one.id.to_string(),
            organisation: one.organisation.to_string(),
            person,
            branch,
            method: one.method.to_string(),
            level: one.level.number(),
            performed_at: one.performed_at.to_string(),
            valid_until: one.valid_until.to_string(),
            evidence: one.evidence.iter().map(ToString::to_string).collect(),
        }
    }
}

/// `GET /organisations/{organisation}/proofings`
pub async fn list_proofings(
    called: Called<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = organisation_id(&id)?;
    let found = call
        .run(move |env| {
            let scope: &Scope = permit.scope();
            if !scope.covers_organisation(&id) {
                return Err(StoreError::NotFound { what: "organisation" });
            }
            env.store.read(|tx| tx.list_proofings(scope, &id))
        })
        .await?;
    one(&call, &Paged::all(found.into_iter().map(ProofingJson::from).collect()))
}

/// A check to be recorded.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewProofing, example = json!({ "method": "P2", "evidence": ["JVBERi0xLjc="] }))]
pub struct NewProofingJson {
    /// The method: `P1` to `P9`.
    method: String,
    /// The person, for P3, P4, P5 and P8.
    #[serde(default)]
    person: Option<String>,
    /// The branch office, for P9.
    #[serde(default)]
    branch: Option<String>,
    /// What was seen (base 64); for P3 and P4 `signed` stands in its place.
    #[serde(default)]
    evidence: Vec<String>,
    /// The signature of the representative (P3), or of the issuer (P4).
    #[serde(default)]
    signed: Option<SignedJson>,
}

/// `POST /organisations/{organisation}/proofings`
pub async fn record_proofing(
    called: Called<RecordProofing>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let new: NewProofingJson = call.json()?;
    let method = Method::from_word(&new.method).ok_or_else(|| wrong("/method", "P1-P9"))?;
    let subject = match (&new.person, &new.branch) {
        (None, None) => Subject::Organisation,
        (Some(id), None) => Subject::Person(PersonId::parse(id).map_err(|_| Problem::not_found())?),
        (None, Some(id)) => Subject::Branch(BranchId::parse(id).map_err(|_| Problem::not_found())?),
        (Some(_), Some(_)) => return Err(wrong("/branch", "person")),
    };
    let finding = match (method, new.signed) {
        (Method::P3, Some(signed)) => Finding::Certificate(signed.read()?),
        (Method::P4, Some(signed)) => Finding::Issuer(signed.read()?),
        (Method::P3 | Method::P4, None) | (_, Some(_)) => {
            return Err(wrong("/signed", "P3, P4"));
        }
        (method, None) => {
            let files = new.evidence.iter().map(|text| evidence(text, "/evidence"));
            Finding::Files { method, files: files.collect::<Result<_, _>>()? }
        }
    };
    let organisation = organisation_id(&id)?;
    let path = format!("{BASE}/organisations/{organisation}/proofings");
    let order = ProofingOrder { organisation, subject, finding, level: None, valid_until: None };
    let kept = call.run(move |env| proofing::record_proofing(env, &permit, &order)).await?;
    made(&path, &ProofingJson::from(kept))
}

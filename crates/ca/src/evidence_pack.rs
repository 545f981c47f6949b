//! Evidence packs: everything about one credential in one signed archive, and its check on another
//! machine with nothing but the audit public key (DOMAIN 18).
//!
//! Not here: the words of the summary, which whoever asks for a pack brings.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tenkoku_domain::access::{Permit, Scope, ViewAudit};
use tenkoku_domain::application::Application;
use tenkoku_domain::audit::{AccessEvent, Event, ObjectRef, StoredRecord};
use tenkoku_domain::canonical::{CanonicalError, Digest, canonical};
use tenkoku_domain::certificate::{Certificate, Profile, SealBinding};
use tenkoku_domain::evidence_pack::{ChainHead, ChainTree, Manifest, ProvenRecord, VERSION};
use tenkoku_domain::id::{AuthorityId, CertificateId};
use tenkoku_domain::organisation::Language;
use tenkoku_domain::proofing::Subject;
use tenkoku_domain::time::Timestamp;
use tenkoku_keys::{Body, KeyError as StoreKeyError};
use tenkoku_pki::archive::{self, ArchiveError, Files};
use tenkoku_pki::jws::compact::{self as jws, JwsError, JwsType};
use tenkoku_pki::key::{KeyError, PublicKey};
use tenkoku_pki::pem;
use tenkoku_pki::signed::AssembleError;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Told, Tx};

use crate::grant::signing_text;

/// The file that is signed.
pub const MANIFEST: &str = "manifest.jws";
/// The file of the audit records.
pub const RECORDS: &str = "audit/records.json";

/// Records about one object at most.
const RECORDS_MAX: i64 = 10_000;
/// Hashes read in one go.
const STRIDE: i64 = 10_000;
/// A hierarchy has three stages; five is more than any.
const STAGES_MAX: usize = 5;

/// Why no pack was made.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The store did not answer, or holds no such certificate within the permit's scope.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// There is no signer of documents yet.
    #[error("there is no signer of documents yet")]
    NoSigner,
    /// The stored key of the signer does not read.
    #[error(transparent)]
    StoredKey(#[from] KeyError),
    /// The signer's key cannot sign a manifest.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// The key store did not sign.
    #[error(transparent)]
    Keys(#[from] StoreKeyError),
    /// The signature that came back is not over the manifest.
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    /// There is too much of it.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

/// What the readable summary is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackContent {
    /// The certificate.
    pub certificate: Certificate,
    /// What it was issued to.
    pub seal: SealBinding,
    /// The code of the issuing authority.
    pub authority: String,
    /// The organisation's legal name.
    pub organisation: String,
    /// The branch office's name.
    pub branch: String,
    /// The application.
    pub application: Application,
    /// How many grants, records of proofing, decisions and audit records are inside.
    pub counts: BTreeMap<&'static str, usize>,
    /// When it was made.
    pub made_at: Timestamp,
    /// The files so far.
    pub files: Files,
    chain: ChainHead,
}

/// A pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    /// The archive.
    pub octets: Vec<u8>,
    /// What was signed.
    pub manifest: Manifest,
}

/// Makes the pack of one certificate. `summary` writes the readable summary of a language (HTML).
pub fn pack_evidence(
    env: &Env,
    permit: &Permit<ViewAudit>,
    certificate: &CertificateId,
    summary: impl Fn(Language, &PackContent) -> String,
) -> Result<Pack, PackError> {
    let now = env.clock.now();
    let mut content = env.store.read(|tx| gather(tx, permit.scope(), certificate, now))?;
    for language in Language::ALL {
        let text = summary(*language, &content);
        content.files.insert(format!("summary.{language}.html"), text.into_bytes());
    }
    let signer = env.store.read(|tx| signer(tx, now))?.ok_or(PackError::NoSigner)?;
    let manifest = Manifest {
        v: VERSION,
        kind: "evidence-pack".to_owned(),
        made_at: now.floor().to_string(),
        platform: env.settings.public_address.as_str().to_owned(),
        authority: content.authority.clone(),
        serial: content.certificate.serial.to_string(),
        files: content
            .files
            .iter()
            .map(|(name, octets)| (name.clone(), Digest::of(octets)))
            .collect(),
        chain: content.chain.clone(),
    };
    let text = canonical(&json!(manifest))?;
    let key = env.store.read(|tx| tx.load_key(&signer.key))?;
    let public = PublicKey::parse(&key.public_key)?;
    let prepared = jws::prepare(JwsType::EvidencePack, &text, &public)?;
    let event = AccessEvent::EvidencePacked {
        certificate: certificate.clone(),
        organisation: content.seal.organisation.clone(),
        manifest: Digest::of(text.as_bytes()),
    };
    env.store.write(|tx| tx.record(permit.origin(), now, &Event::Access(event)))?;
    let signature = env.keys.sign(&signer.key, &Body::Jws(&prepared))?;
    let mut files = content.files;
    files.insert(MANIFEST.to_owned(), prepared.finish(&signature)?.into_bytes());
    Ok(Pack { octets: archive::write(&files)?, manifest })
}

/// The certificate of the present signer of documents, with whose key packs are checked.
pub fn audit_signer(env: &Env, _permit: &Permit<ViewAudit>) -> Result<Certificate, PackError> {
    let now = env.clock.now();
    env.store.read(|tx| signer(tx, now))?.ok_or(PackError::NoSigner)
}

fn signer(tx: &mut Tx<'_>, now: Timestamp) -> Result<Option<Certificate>, StoreError> {
    for authority in tx.list_authorities()? {
        if let Some(found) = tx.current_signer(&authority.id, Profile::AuditSigner, now)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn put(files: &mut Files, name: &str, value: &Value) {
    files.insert(name.to_owned(), format!("{value:#}\n").into_bytes());
}

/// Puts kept files into the pack, under their digests.
fn attach(
    tx: &mut Tx<'_>,
    files: &mut Files,
    digests: impl IntoIterator<Item = Digest>,
) -> Result<(), StoreError> {
    for digest in digests {
        if let Some((_, content)) = tx.find_attachment(&digest)? {
            files.insert(format!("attachments/{digest}"), content);
        }
    }
    Ok(())
}

fn gather(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: &CertificateId,
    now: Timestamp,
) -> Result<PackContent, PackError> {
    const MISSING: StoreError = StoreError::NotFound { what: "certificate" };
    let certificate = tx.load_certificate(scope, id)?;
    let seal = certificate.seal.clone().ok_or(MISSING)?;
    let mut files = Files::new();
    let mut objects = vec![
        ObjectRef::new("certificate", &certificate.id),
        ObjectRef::new("application", &seal.application),
        ObjectRef::new("key", &certificate.key),
    ];
    let authority = put_certificate(tx, &mut files, &certificate)?;
    put_history(tx, &mut files, &certificate)?;
    let organisation = tx.load_organisation(&Scope::Platform, &seal.organisation)?;
    let branch = tx.load_branch(&Scope::Platform, &seal.branch)?;
    put(&mut files, "organisation.json", &json!(organisation));
    put(&mut files, "branch.json", &json!(branch));
    let application = tx.load_application(&Scope::Platform, &seal.application)?;
    put(&mut files, "application/application.json", &json!(application));
    if let Some(request) = &application.request {
        let text = pem::encode("CERTIFICATE REQUEST", request);
        files.insert("application/request.pem".to_owned(), text.into_bytes());
    }
    let (grants, people) = put_grants(tx, &mut files, &mut objects, &application)?;
    let decisions = put_approvals(tx, &mut files, &objects)?;
    let proofings = put_proofing(tx, &mut files, &mut objects, &seal, &people)?;
    put_key(tx, &mut files, &mut objects, &certificate)?;
    let (records, chain) = prove(tx, &objects)?;
    put(&mut files, RECORDS, &json!(records));
    let counts = BTreeMap::from([
        ("grants", grants),
        ("decisions", decisions),
        ("proofings", proofings),
        ("records", records.len()),
    ]);
    Ok(PackContent {
        seal,
        authority,
        organisation: organisation.legal_name.to_string(),
        branch: branch.name.to_string(),
        application,
        counts,
        made_at: now,
        files,
        chain,
        certificate,
    })
}

/// The certificate with those above it; gives the code of its issuer.
fn put_certificate(
    tx: &mut Tx<'_>,
    files: &mut Files,
    certificate: &Certificate,
) -> Result<String, StoreError> {
    put(files, "certificate/record.json", &json!(certificate));
    if let Some(der) = &certificate.der {
        let text = pem::encode("CERTIFICATE", der);
        files.insert("certificate/certificate.pem".to_owned(), text.into_bytes());
    }
    let issuer = tx.load_authority(&certificate.authority)?;
    let mut next: Option<AuthorityId> = Some(issuer.id);
    for stage in 1..STAGES_MAX {
        let Some(id) = next else { break };
        let above = tx.load_authority(&id)?;
        if let Some(der) = &above.certificate {
            let text = pem::encode("CERTIFICATE", der);
            files.insert(format!("certificate/issuer-{stage}.pem"), text.into_bytes());
        }
        next = above.issuer;
    }
    Ok(issuer.code.to_string())
}

/// What the status service told, change by change.
fn put_history(
    tx: &mut Tx<'_>,
    files: &mut Files,
    certificate: &Certificate,
) -> Result<(), StoreError> {
    let changes = tx.status_history(&certificate.authority, &certificate.serial)?;
    let told = changes.iter().map(|change| {
        let (status, revocation) = match &change.told {
            Told::Issued | Told::SignerIssued => ("good", None),
            Told::Revoked(revocation) => ("revoked", Some(revocation)),
            Told::Released => ("released", None),
        };
        json!({
            "rev": change.rev,
            "at": change.at.to_string(),
            "status": status,
            "revocation": revocation,
        })
    });
    let told: Vec<Value> = told.collect();
    put(files, "status.json", &json!(told));
    Ok(())
}

/// The grant of the application and what it is a part of; gives how many, and the grantors.
fn put_grants(
    tx: &mut Tx<'_>,
    files: &mut Files,
    objects: &mut Vec<ObjectRef>,
    application: &Application,
) -> Result<(usize, BTreeSet<tenkoku_domain::id::PersonId>), PackError> {
    let mut next = application.grant.as_ref().map(|grant| grant.id.clone());
    let (mut count, mut people) = (0, BTreeSet::new());
    while let Some(id) = next {
        let grant = tx.load_grant(&Scope::Platform, &id)?;
        let text = signing_text(&grant).map_err(|error| match error {
            crate::act::ActError::Canonical(error) => PackError::Canonical(error),
            crate::act::ActError::Store(error) => PackError::Store(error),
            crate::act::ActError::Refused(refusal) => {
                PackError::Store(StoreError::Database(Box::new(refusal)))
            }
        })?;
        files.insert(format!("grants/{id}.document.json"), text.into_bytes());
        put(files, &format!("grants/{id}.json"), &json!(grant));
        let kept = match &grant.form {
            Some(form) => json!(form),
            None => Value::Null,
        };
        attach(tx, files, digests_in(&kept))?;
        objects.push(ObjectRef::new("grant", &id));
        let office = tx.load_representative(&Scope::Platform, &grant.representative)?;
        attach(tx, files, [office.evidence])?;
        objects.push(ObjectRef::new("representative", &office.id));
        people.insert(office.person);
        next = grant.terms.parent;
        count += 1;
    }
    Ok((count, people))
}

/// Every digest that stands in a document.
fn digests_in(value: &Value) -> Vec<Digest> {
    match value {
        Value::String(text) => Digest::parse(text).into_iter().collect(),
        Value::Array(items) => items.iter().flat_map(digests_in).collect(),
        Value::Object(members) => members.values().flat_map(digests_in).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// Every request for approvals about these objects; gives how many decisions were made.
fn put_approvals(
    tx: &mut Tx<'_>,
    files: &mut Files,
    objects: &[ObjectRef],
) -> Result<usize, StoreError> {
    let mut requests = Vec::new();
    for object in objects {
        requests.extend(tx.approval_requests_of(object)?);
    }
    put(files, "approvals.json", &json!(requests));
    Ok(requests.iter().map(|request| request.decisions.len()).sum())
}

/// The records about the organisation, this branch, and those who gave the grants; none of others.
fn put_proofing(
    tx: &mut Tx<'_>,
    files: &mut Files,
    objects: &mut Vec<ObjectRef>,
    seal: &SealBinding,
    people: &BTreeSet<tenkoku_domain::id::PersonId>,
) -> Result<usize, StoreError> {
    let mut records = tx.list_proofings(&Scope::Platform, &seal.organisation)?;
    records.retain(|record| match &record.subject {
        Subject::Organisation => true,
        Subject::Branch(branch) => *branch == seal.branch,
        Subject::Person(person) => people.contains(person),
    });
    for record in &records {
        objects.push(ObjectRef::new("proofing", &record.id));
        attach(tx, files, record.evidence.iter().copied())?;
    }
    put(files, "proofing.json", &json!(records));
    Ok(records.len())
}

/// The key, the evidence of its origin, and the evidence of its destruction.
fn put_key(
    tx: &mut Tx<'_>,
    files: &mut Files,
    objects: &mut Vec<ObjectRef>,
    certificate: &Certificate,
) -> Result<(), StoreError> {
    let key = tx.load_key(&certificate.key)?;
    let life = tx.load_key_life(&key.id)?;
    let at = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let mut origins = Vec::new();
    for origin in tx.origin_of_key(&key.id)? {
        origins.push(json!({
            "id": origin.id,
            "format": origin.format,
            "class": origin.class,
            "vendor": origin.vendor,
            "device": origin.serial,
            "digest": origin.digest,
            "at": origin.at.to_string(),
        }));
        files.insert(format!("attachments/{}", origin.digest), origin.content);
    }
    put(
        files,
        "key/key.json",
        &json!({
            "key": key,
            "origin": origins,
            "container": life.container,
            "activated_at": at(life.activated_at),
            "retired_at": at(life.retired_at),
            "destruction_due_at": at(life.due_at),
            "destroyed_at": at(life.destroyed_at),
            "class": life.class,
        }),
    );
    let mut destruction = Vec::new();
    for (evidence, state) in tx.evidence_of_key(&key.id)? {
        let decided_by = tx.decided_by(&evidence.id)?;
        let kept = evidence.attachments.iter().chain(&evidence.report).chain(&evidence.last_act);
        attach(tx, files, kept.copied().collect::<Vec<_>>())?;
        objects.push(ObjectRef::new("evidence", &evidence.id));
        destruction.push(json!({
            "evidence": evidence,
            "state": state,
            "decided_by": decided_by,
        }));
    }
    put(files, "key/destruction.json", &json!(destruction));
    Ok(())
}

/// The records about these objects, each with its proof, and the chain that they belong to.
fn prove(
    tx: &mut Tx<'_>,
    objects: &[ObjectRef],
) -> Result<(Vec<ProvenRecord>, ChainHead), StoreError> {
    const MISSING: StoreError = StoreError::NotFound { what: "audit chain" };
    let (last, head) = tx.audit_head()?.ok_or(MISSING)?;
    let mut hashes: Vec<Digest> = Vec::new();
    loop {
        let seen = i64::try_from(hashes.len()).map_err(|_| MISSING)?;
        let more = tx.audit_hashes_after(seen, STRIDE.min(last.saturating_sub(seen)))?;
        if more.is_empty() {
            break;
        }
        hashes.extend(more);
    }
    let mut found: BTreeMap<i64, StoredRecord> = BTreeMap::new();
    for object in objects {
        let records = tx.audit_before(&Scope::Platform, None, Some(object), RECORDS_MAX)?;
        found.extend(records.into_iter().map(|record| (record.seq, record)));
    }
    let tree = ChainTree::over(&hashes).ok_or(MISSING)?;
    let proven = found.into_values().map(|one| {
        let seq = u64::try_from(one.seq).map_err(|_| MISSING)?;
        let path = tree.path(seq).ok_or(MISSING)?;
        Ok(ProvenRecord { seq, record: one.record, prev: one.prev, path })
    });
    let proven = proven.collect::<Result<_, StoreError>>()?;
    let size = u64::try_from(hashes.len()).map_err(|_| MISSING)?;
    Ok((proven, ChainHead { size, head, root: tree.root().ok_or(MISSING)? }))
}

/// Why a pack is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackProblem {
    /// The archive is none of the one form.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// There is no manifest, or it was changed or signed by another key.
    #[error("the manifest was changed, or signed by another key")]
    Manifest,
    /// The manifest is of another version or kind.
    #[error("the manifest is of a version that is not understood")]
    Version,
    /// A file that the manifest names is not there.
    #[error("the file {0} is missing")]
    Missing(String),
    /// A file that the manifest does not name is there.
    #[error("the file {0} does not belong to the pack")]
    Extra(String),
    /// A file is not what was signed.
    #[error("the file {0} was changed")]
    Changed(String),
    /// A record does not belong to the chain.
    #[error("the audit record {0} does not belong to the chain")]
    Record(u64),
    /// The records do not read, or there is none.
    #[error("the audit records do not read")]
    Records,
}

/// What a pack that is believed holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// What was signed.
    pub manifest: Manifest,
    /// How many audit records were proven.
    pub records: usize,
}

/// Checks a pack with the audit public key and nothing else: the signature, every file, and that
/// every audit record belongs to the signed chain.
pub fn verify_pack(octets: &[u8], key: &PublicKey) -> Result<Verified, PackProblem> {
    let mut files = archive::read(octets)?;
    let manifest = files.remove(MANIFEST).ok_or(PackProblem::Manifest)?;
    let manifest = String::from_utf8(manifest).map_err(|_| PackProblem::Manifest)?;
    let payload =
        jws::verify(&manifest, JwsType::EvidencePack, key).map_err(|_| PackProblem::Manifest)?;
    let manifest: Manifest = serde_json::from_str(&payload).map_err(|_| PackProblem::Version)?;
    if manifest.v != VERSION || manifest.kind != "evidence-pack" {
        return Err(PackProblem::Version);
    }
    if let Some(extra) = files.keys().find(|name| !manifest.files.contains_key(*name)) {
        return Err(PackProblem::Extra(extra.clone()));
    }
    for (name, digest) in &manifest.files {
        let content = files.get(name).ok_or_else(|| PackProblem::Missing(name.clone()))?;
        if Digest::of(content) != *digest {
            return Err(PackProblem::Changed(name.clone()));
        }
    }
    let records = files.get(RECORDS).ok_or(PackProblem::Records)?;
    let records: Vec<ProvenRecord> =
        serde_json::from_slice(records).map_err(|_| PackProblem::Records)?;
    if records.is_empty() {
        return Err(PackProblem::Records);
    }
    match records.iter().find(|record| !record.belongs_to(&manifest.chain)) {
        Some(record) => Err(PackProblem::Record(record.seq)),
        None => Ok(Verified { records: records.len(), manifest }),
    }
}

//! Weighs what is shown of the origin of a key when its possession is shown (DOMAIN 9, KM-9), and
//! ties the key to its registered container.
//!
//! Deliberately not here: whether the class is enough for the level (KM-8), which the policy says.

use tenkoku_domain::access::{Apply, Permit, Scope};
use tenkoku_domain::application::Application;
use tenkoku_domain::canonical::{CanonicalError, Digest, canonical};
use tenkoku_domain::ceremony::record::CeremonyRecord;
use tenkoku_domain::container::Container;
use tenkoku_domain::id::{ApplicationId, CeremonyId, ContainerId, KeyEvidenceId, KeyId};
use tenkoku_domain::key::{Fingerprint, Key, OriginClass};
use tenkoku_domain::origin::{EvidenceFormat, KeyEvidence, Statement};
use tenkoku_domain::policy::KeyPolicy;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_domain::vendor_root::VendorRootState;
use tenkoku_keys::Container as Place;
use tenkoku_pki::attestation::{Demands, Evidence, Finding, VendorRoot};
use tenkoku_pki::csr::Request;
use tenkoku_pki::key::PublicKey;
use tenkoku_pki::signature::SignatureAlgorithm;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

/// What is handed in about the origin of a key, besides what its request carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exhibits {
    /// Files of a device: certificates (PEM or DER), CMS, JSON.
    pub attestations: Vec<Vec<u8>>,
    /// The custodian's signed statement.
    pub statement: Option<Vec<u8>>,
    /// The ceremony at which the key was made before witnesses.
    pub ceremony: Option<CeremonyId>,
    /// The registered container that the key is in. Where none is named, it is found by the serial
    /// number in the evidence.
    pub container: Option<ContainerId>,
}

/// A key that the platform made: its name in the key store, and what the store reported.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) id: KeyId,
    pub(crate) origin: tenkoku_keys::Origin,
}

/// What was shown, for the key that is about to be claimed.
#[derive(Clone, Debug)]
pub(crate) struct Weighed {
    /// The highest class that was shown.
    pub(crate) class: OriginClass,
    evidence: Vec<Piece>,
}

/// One piece of evidence, before the key has its record.
#[derive(Clone, Debug)]
struct Piece {
    format: EvidenceFormat,
    class: OriginClass,
    vendor: Option<String>,
    serial: Option<String>,
    object: Option<String>,
    container: Option<ContainerId>,
    content: Vec<u8>,
}

impl Piece {
    fn of(format: EvidenceFormat, class: OriginClass, content: Vec<u8>) -> Self {
        Self { format, class, vendor: None, serial: None, object: None, container: None, content }
    }

    fn of_store(origin: &tenkoku_keys::Origin) -> Result<Self, CanonicalError> {
        let content = canonical(&serde_json::json!(origin))?.into_bytes();
        let serial = match &origin.container {
            Place::Token { serial, .. } => Some(serial.clone()),
            Place::Files { .. } => None,
        };
        let object = Some(origin.object.clone());
        let kind = EvidenceFormat::Platform;
        Ok(Self { serial, object, ..Self::of(kind, origin.class, content) })
    }

    fn kept(&self, env: &Env, key: &Key, now: Timestamp) -> KeyEvidence {
        KeyEvidence {
            id: KeyEvidenceId::new(now, &*env.entropy),
            key: key.id.clone(),
            format: self.format,
            class: self.class,
            vendor: self.vendor.clone(),
            serial: self.serial.clone(),
            object: self.object.clone(),
            container: self.container.clone(),
            digest: Digest::of(&self.content),
            content: self.content.clone(),
            at: now,
        }
    }
}

/// Why evidence was not weighed.
pub(crate) enum WeighError {
    Refused(Refusal),
    Canonical(CanonicalError),
    Store(StoreError),
}

impl From<Refusal> for WeighError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<CanonicalError> for WeighError {
    fn from(error: CanonicalError) -> Self {
        Self::Canonical(error)
    }
}

impl From<StoreError> for WeighError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The case that evidence belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case<'a> {
    pub(crate) application: &'a Application,
    /// The challenge that was answered.
    pub(crate) challenge: &'a str,
    pub(crate) policy: &'a KeyPolicy,
    pub(crate) key: &'a PublicKey,
    pub(crate) now: Timestamp,
}

fn wrong(problem: &str) -> Refusal {
    Refusal::new(RefusalCode::AttestationInvalid, "KM-9").with("problem", problem)
}

/// The platform made the key: what its key store reported is the evidence.
pub(crate) fn weigh_made(made: &Made) -> Result<Weighed, WeighError> {
    let piece = Piece::of_store(&made.origin)?;
    Ok(Weighed { class: piece.class, evidence: vec![piece] })
}

/// What is kept with a key that the platform made for itself: the token and the object in it.
pub(crate) fn store_evidence(
    env: &Env,
    key: &Key,
    origin: &tenkoku_keys::Origin,
    now: Timestamp,
) -> Result<KeyEvidence, CanonicalError> {
    Ok(Piece::of_store(origin)?.kept(env, key, now))
}

/// Weighs everything that was handed in. What cannot be verified counts as a declaration (K1);
/// what can be verified and does not hold is refused, whatever the level needs.
pub(crate) fn weigh(
    tx: &mut Tx<'_>,
    case: &Case<'_>,
    exhibits: &Exhibits,
    request: Option<&Request>,
) -> Result<Weighed, WeighError> {
    let named = match &exhibits.container {
        Some(id) => Some(load_container(tx, case, id)?),
        None => None,
    };
    let mut evidence = Vec::new();
    evidence.extend(weigh_device(tx, case, exhibits, request, named.as_ref())?);
    if let Some(file) = &exhibits.statement {
        evidence.push(weigh_statement(tx, case, file, named.as_ref())?);
    }
    if let Some(id) = &exhibits.ceremony {
        evidence.push(weigh_ceremony(tx, case, id)?);
    }
    if named.is_some() && evidence.is_empty() {
        return Err(wrong("nothing-shown").into());
    }
    let mut tied: Vec<&ContainerId> =
        evidence.iter().filter_map(|p| p.container.as_ref()).collect();
    tied.dedup();
    if tied.len() > 1 {
        return Err(wrong("other-device").into());
    }
    let class = evidence.iter().map(|piece| piece.class).max().unwrap_or(OriginClass::K0);
    Ok(Weighed { class, evidence })
}

fn weigh_device(
    tx: &mut Tx<'_>,
    case: &Case<'_>,
    exhibits: &Exhibits,
    request: Option<&Request>,
    named: Option<&Container>,
) -> Result<Option<Piece>, WeighError> {
    let refused = |fault: tenkoku_pki::attestation::Fault| fault.refusal();
    let evidence = Evidence::read(&exhibits.attestations, request).map_err(refused)?;
    if evidence.is_empty() {
        return Ok(None);
    }
    let origin = &case.policy.origin;
    let all = tx.list_vendor_roots()?;
    let roots: Vec<_> = all
        .iter()
        .filter(|root| root.state == VendorRootState::Trusted)
        .filter(|root| origin.vendor_roots.contains(&root.code))
        .map(|root| VendorRoot { code: &root.code, certificate: &root.certificate })
        .collect();
    let demands = Demands {
        roots: &roots,
        key: &case.key.fingerprint(),
        at: case.now,
        max_age_days: origin.attestation_max_age_days,
    };
    let mut content = exhibits.attestations.concat();
    content.extend_from_slice(request.and_then(Request::attestation).unwrap_or_default());
    match evidence.examine(&demands).map_err(refused)? {
        Finding::Unverified(format) => {
            let container = named.map(|container| container.id.clone());
            Ok(Some(Piece { container, ..Piece::of(format, OriginClass::K1, content) }))
        }
        Finding::Attested(attested) => {
            let container = match named {
                Some(named) if named.is_device(&attested.serial) => named.id.clone(),
                Some(_) => {
                    return Err(wrong("other-device").with("device", &attested.serial).into());
                }
                None => find_container(tx, case, &attested.serial)?,
            };
            Ok(Some(Piece {
                vendor: Some(attested.vendor),
                serial: Some(attested.serial),
                object: Some(attested.object),
                container: Some(container),
                ..Piece::of(EvidenceFormat::YubiHsm, OriginClass::K3, content)
            }))
        }
    }
}

/// The statement is signed with the seal key itself, over this application's challenge.
fn weigh_statement(
    tx: &mut Tx<'_>,
    case: &Case<'_>,
    file: &[u8],
    named: Option<&Container>,
) -> Result<Piece, WeighError> {
    let (statement, signature) = Statement::read(file)?;
    let container = match named {
        Some(named) => named.clone(),
        None => load_container(tx, case, &statement.container)?,
    };
    let about = (&case.application.id, case.challenge);
    statement.check(about, &case.key.fingerprint(), &container, case.now)?;
    let algorithm = SignatureAlgorithm::of_issuer(case.key.algorithm());
    let text = statement.text()?;
    let verified = case.key.verify(algorithm, text.as_bytes(), &signature);
    verified.map_err(|_| Statement::unsigned())?;
    Ok(Piece {
        serial: Some(container.serial.clone()),
        container: Some(container.id.clone()),
        ..Piece::of(EvidenceFormat::Statement, OriginClass::K1, file.to_vec())
    })
}

/// The record of a ceremony at which the key was made (K4). That of another application's ceremony
/// does not exist.
fn weigh_ceremony(tx: &mut Tx<'_>, case: &Case<'_>, id: &CeremonyId) -> Result<Piece, WeighError> {
    let record = tx.find_ceremony(id)?.ok_or_else(CeremonyRecord::unknown)?;
    let about = record.check_witnessed(&case.application.id, &case.key.fingerprint())?;
    let container = load_container(tx, case, about)?;
    let content = canonical(&serde_json::json!(record))?.into_bytes();
    Ok(Piece {
        serial: Some(container.serial),
        object: Some(id.to_string()),
        container: Some(container.id),
        ..Piece::of(EvidenceFormat::Ceremony, OriginClass::K4, content)
    })
}

/// A registered container of the applicant's organisation that may hold the key (6.6, KM-15). That
/// of another organisation does not exist.
fn load_container(
    tx: &mut Tx<'_>,
    case: &Case<'_>,
    id: &ContainerId,
) -> Result<Container, WeighError> {
    let scope = Scope::organisation(case.application.organisation.clone());
    let container = match tx.load_container(&scope, id) {
        Ok(container) => container,
        Err(StoreError::NotFound { .. }) => return Err(wrong("device-unregistered").into()),
        Err(error) => return Err(error.into()),
    };
    check_container(tx, case.policy, case.application, &container)??;
    Ok(container)
}

/// The container of a device, by its serial number: the first partition that may hold the key.
fn find_container(
    tx: &mut Tx<'_>,
    case: &Case<'_>,
    serial: &str,
) -> Result<ContainerId, WeighError> {
    let scope = Scope::organisation(case.application.organisation.clone());
    let mut told = wrong("device-unregistered").with("device", serial);
    for container in tx.list_containers(&scope)?.iter().filter(|one| one.is_device(serial)) {
        match check_container(tx, case.policy, case.application, container)? {
            Ok(()) => return Ok(container.id.clone()),
            Err(refusal) => told = refusal,
        }
    }
    Err(told.into())
}

fn check_container(
    tx: &mut Tx<'_>,
    policy: &KeyPolicy,
    application: &Application,
    container: &Container,
) -> Result<Result<(), Refusal>, StoreError> {
    let neighbours = tx.branches_in_container(&container.id)?;
    let (organisation, branch) = (&application.organisation, &application.branch);
    let held = container.may_hold(organisation, branch, application.level, &neighbours);
    Ok(held.and_then(|()| policy.check_container(application.level, container)))
}

impl Weighed {
    /// The evidence as it is kept with the key.
    pub(crate) fn kept(&self, env: &Env, key: &Key, now: Timestamp) -> Vec<KeyEvidence> {
        self.evidence.iter().map(|piece| piece.kept(env, key, now)).collect()
    }
}

/// The container that a key was tied to when its possession was shown.
pub(crate) fn tied_container(
    tx: &mut Tx<'_>,
    key: &KeyId,
) -> Result<Option<ContainerId>, StoreError> {
    Ok(tx.origin_of_key(key)?.into_iter().find_map(|one| one.container))
}

/// The statement that a custodian signs for the key of an application: what is registered of the
/// container, and the current challenge. Nothing is recorded.
pub fn draft_statement(
    env: &Env,
    permit: &Permit<Apply>,
    application: &ApplicationId,
    (container, fingerprint, generated): (&ContainerId, Fingerprint, &str),
) -> Result<Statement, StoreError> {
    env.store.read(|tx| {
        let application = tx.load_application(permit.scope(), application)?;
        let scope = Scope::organisation(application.organisation.clone());
        let container = tx.load_container(&scope, container)?;
        let challenge = tx.current_challenge(&application.id)?;
        Ok(Statement {
            application: application.id,
            challenge: challenge.text,
            fingerprint,
            container: container.id,
            model: container.model,
            serial: container.serial,
            custodian: container.custodian.name,
            generated: generated.to_owned(),
        })
    })
}

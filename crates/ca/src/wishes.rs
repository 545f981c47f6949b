//! What an application asks for beyond the ordinary seal of its branch (DOMAIN 12.3): checked when it
//! is handed in and again at issue, then written into the certificate.

use tenkoku_domain::access::Scope;
use tenkoku_domain::accreditation::back;
use tenkoku_domain::application::{Application, ImprintWish, SealKind, SealTerm, Wishes};
use tenkoku_domain::authority::Authority;
use tenkoku_domain::branch::{Branch, BranchKind};
use tenkoku_domain::certificate::{Certificate, CertificateState};
use tenkoku_domain::id::CertificateId;
use tenkoku_domain::identifier::Lei;
use tenkoku_domain::key::{Key, KeyAlgorithm};
use tenkoku_domain::level::Level;
use tenkoku_domain::organisation::Organisation;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::subject::SealSubject;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::cert;
use tenkoku_pki::qc::{Claim, Device};
use tenkoku_pki::seal::{Extras, ImprintType, Logotype, Term, Twin};
use tenkoku_pki::uri::HttpsUri;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use crate::identify::LEI_DAYS;
use crate::life::level_of;
use crate::signing::SigningError;

/// Whose seal it is, and at what level.
#[derive(Clone, Copy)]
pub(crate) struct Whose<'a> {
    pub(crate) organisation: &'a Organisation,
    pub(crate) branch: &'a Branch,
    pub(crate) level: Level,
}

/// The subject of such a seal.
pub(crate) fn subject(
    organisation: &Organisation,
    branch: &Branch,
    instance: i32,
    wishes: &Wishes,
) -> Result<SealSubject, Refusal> {
    match wishes.kind {
        SealKind::Party => SealSubject::of(organisation, branch, instance),
        SealKind::Witness => SealSubject::of_witness(organisation, instance),
    }
}

/// Everything that can be told before there is a key.
pub(crate) fn check(
    env: &Env,
    tx: &mut Tx<'_>,
    whose: Whose<'_>,
    (wishes, days): (&Wishes, i64),
    now: Timestamp,
) -> Result<Result<(), Refusal>, StoreError> {
    let plain =
        wishes.check(whose.level, days).and_then(|()| check_witness(env, whose, wishes.kind));
    if plain.is_err() {
        return Ok(plain);
    }
    if let Some(lei) = &wishes.lei
        && let Err(refusal) = check_lei(tx, whose.organisation, lei, now)?
    {
        return Ok(Err(refusal));
    }
    if let Some(imprint) = &wishes.imprint
        && let Err(refusal) = logotype(tx, imprint)?
    {
        return Ok(Err(refusal));
    }
    match &wishes.twin {
        Some(twin) => Ok(twin_of(tx, whose, twin, now)?.map(drop)),
        None => Ok(Ok(())),
    }
}

/// DOMAIN 12.2: a witness-type seal bears the names of the service, so only the operator's own head
/// office has one.
fn check_witness(env: &Env, whose: Whose<'_>, kind: SealKind) -> Result<(), Refusal> {
    let service = whose.organisation.identifier == env.settings.operator.identifier
        && whose.branch.kind == BranchKind::HeadOffice;
    match kind {
        SealKind::Witness if !service => {
            Err(Refusal::new(RefusalCode::NotAuthorised, "12.2").with("problem", "witness"))
        }
        SealKind::Witness | SealKind::Party => Ok(()),
    }
}

/// DOMAIN 12.3: the LEI stands in a certificate only if it was proofed, for 398 days (P6).
fn check_lei(
    tx: &mut Tx<'_>,
    organisation: &Organisation,
    lei: &Lei,
    now: Timestamp,
) -> Result<Result<(), Refusal>, StoreError> {
    if organisation.identifier.lei().as_ref() == Some(lei) {
        return Ok(Ok(()));
    }
    let proofed = tx.proofed_lei(&organisation.id, lei)?;
    let refused = |code| Err(Refusal::new(code, "12.3").with("identifier", lei));
    Ok(match proofed {
        Some(at) if at.plus_days(LEI_DAYS) > now => Ok(()),
        Some(_) => refused(RefusalCode::ProofingExpired),
        None => refused(RefusalCode::ProofingMissing),
    })
}

/// The imprint as it is written: the stored picture, whose digest the certificate has.
fn logotype(tx: &mut Tx<'_>, wish: &ImprintWish) -> Result<Result<Logotype, Refusal>, StoreError> {
    let wrong = |problem: &str| {
        Ok(Err(Refusal::new(RefusalCode::NameInvalid, "12.3").with("problem", problem)))
    };
    let Some((media_type, octets)) = tx.find_imprint(&wish.digest)? else {
        return wrong("imprint-unknown");
    };
    let picture = [ImprintType::Svg, ImprintType::Png]
        .into_iter()
        .find(|picture| picture.media_type() == media_type);
    match (picture, HttpsUri::parse(&wish.address)) {
        (Some(picture), Ok(address)) => Ok(Ok(Logotype { picture, octets, address })),
        (None, _) => wrong("imprint-type"),
        (_, Err(_)) => wrong("imprint-address"),
    }
}

/// The certificate that is named as twin: of the same seal, in use, and read back.
fn twin_of(
    tx: &mut Tx<'_>,
    whose: Whose<'_>,
    id: &CertificateId,
    now: Timestamp,
) -> Result<Result<(Certificate, KeyAlgorithm), Refusal>, StoreError> {
    let refused = || {
        let refusal = Refusal::new(RefusalCode::StateConflict, "12.3").with("problem", "twin");
        Ok(Err(refusal))
    };
    let twin = match tx.load_certificate(&Scope::branch(whose.branch.id.clone()), id) {
        Ok(twin) => twin,
        Err(StoreError::NotFound { .. }) => return refused(),
        Err(error) => return Err(error),
    };
    let in_use = twin.state == CertificateState::Active && !twin.is_expired(now);
    if !in_use || level_of(twin.profile) != Some(whose.level) {
        return refused();
    }
    let algorithm = tx.load_key(&twin.key)?.algorithm;
    Ok(Ok((twin, algorithm)))
}

/// Whether a key is of the family that quantum computers do not break.
const fn is_post_quantum(algorithm: KeyAlgorithm) -> bool {
    matches!(algorithm, KeyAlgorithm::MlDsa65 | KeyAlgorithm::MlDsa87)
}

/// What the certificate of an application carries besides, with everything checked anew.
pub(crate) fn extras(
    env: &Env,
    tx: &mut Tx<'_>,
    whose: Whose<'_>,
    (application, key): (&Application, &Key),
    now: Timestamp,
) -> Result<Extras, SigningError> {
    let wishes = &application.wishes;
    check(env, tx, whose, (wishes, application.validity_days), now)??;
    let logotype = match &wishes.imprint {
        Some(imprint) => Some(logotype(tx, imprint)??),
        None => None,
    };
    let twin = match &wishes.twin {
        Some(id) => {
            let (twin, algorithm) = twin_of(tx, whose, id, now)??;
            if is_post_quantum(algorithm) == is_post_quantum(key.algorithm) {
                let refusal = Refusal::new(RefusalCode::StateConflict, "12.3");
                return Err(refusal.with("problem", "twin-family").into());
            }
            let der = twin.der.ok_or(StoreError::NotFound { what: "certificate" })?;
            Some(Twin::of(&cert::Certificate::parse(&der)?))
        }
        None => None,
    };
    let term = match wishes.term {
        SealTerm::Regular => Term::Regular,
        SealTerm::Short => Term::Short,
    };
    Ok(Extras { term, lei: wishes.lei.clone(), logotype, twin, ..Extras::default() })
}

/// PR-2: what the certificate claims, backed by a record of the issuing authority that is valid now.
pub(crate) fn claim(
    tx: &mut Tx<'_>,
    authority: &Authority,
    (application, key): (&Application, &Key),
    now: Timestamp,
) -> Result<Claim, SigningError> {
    let wishes = &application.wishes;
    let standing = tx.standing_accreditations(&authority.id)?;
    let records: Vec<_> = standing.into_iter().map(|one| one.record).collect();
    let profile = wishes.profile(application.level);
    let backed = back(wishes.claim, &records, &authority.id, profile, now)?;
    let certification = match tx.load_key_life(&key.id)?.container {
        Some(container) => Some(tx.load_container(&Scope::Platform, &container)?.certification)
            .filter(|text| !text.is_empty()),
        None => None,
    };
    let device = Device::of(key.origin, certification.as_deref());
    let unfit =
        |_| Refusal::new(RefusalCode::ClaimNotBacked, "PR-2").with("problem", "disclosures");
    Ok(Claim::of(backed, device).map_err(unfit)?)
}

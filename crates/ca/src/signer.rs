//! Service signers: the OCSP signer of every issuing authority, the signers of trusted lists, the
//! signer of documents.

use tenkoku_domain::access::Origin;
use tenkoku_domain::access::{Permit, PublishList, PublishStatus};
use tenkoku_domain::audit::Event;
use tenkoku_domain::authority::{Authority, AuthorityKind, AuthorityName};
use tenkoku_domain::certificate::{Certificate, Profile, Validity};
use tenkoku_domain::key::{KeyAlgorithm, KeyHolder, KeyRole};
use tenkoku_domain::name::Name;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::key::PublicKey;
use tenkoku_pki::name::DistinguishedName;
use tenkoku_pki::profile::{Content, Order};
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use crate::authority::generate;
pub use crate::signing::SigningError as SignerError;
use crate::signing::{Paper, check_arc, issuer, repository, sign_certificate};

/// Days before its end at which a list signer gets a successor.
const LIST_SIGNER_LEAD_DAYS: i64 = 60;

/// Gives every issuing authority an OCSP signer where there is none, or where the present one has
/// served its days: 30 days valid, a new key every 14 (DOMAIN 12.5). Gives the number of new ones.
///
/// The former signer's answers stay good until their own end: its certificate is valid longer than
/// any of them.
pub fn renew_ocsp_signers(env: &Env, permit: &Permit<PublishStatus>) -> Result<usize, SignerError> {
    let now = env.clock.now();
    let policy = env.store.read(|tx| tx.current_policy(now))?;
    let (mut renewed, mut failed) = (0, None);
    for authority in env.store.read(|tx| tx.list_authorities())? {
        let AuthorityKind::Issuing(_) = authority.kind else { continue };
        // The old generation answers for its own certificates (RO-4).
        if authority.may_serve_status(now).is_err() || authority.check_online().is_err() {
            continue;
        }
        let signer =
            env.store.read(|tx| tx.current_signer(&authority.id, Profile::OcspSigner, now))?;
        let fresh = signer.is_some_and(|signer| {
            signer.created_at.plus_days(policy.ocsp_signer_rotation_days()) > now
        });
        if !fresh {
            // One authority that fails does not keep the others waiting.
            match renew_ocsp_signer(env, permit, &authority, policy.validity.ocsp_signer, now) {
                Ok(()) => renewed += 1,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
    }
    failed.map_or(Ok(renewed), Err)
}

/// The key of an authority's OCSP signer: what the operator chose, which is P-256 where nothing is
/// said. Below an ML-DSA authority an answer is signed with ML-DSA as well, or it would be the weak
/// link.
const fn ocsp_signer_key(authority: KeyAlgorithm, chosen: KeyAlgorithm) -> KeyAlgorithm {
    match authority {
        KeyAlgorithm::MlDsa65 | KeyAlgorithm::MlDsa87 => authority,
        KeyAlgorithm::Rsa2048
        | KeyAlgorithm::Rsa3072
        | KeyAlgorithm::Rsa4096
        | KeyAlgorithm::P256
        | KeyAlgorithm::P384
        | KeyAlgorithm::P521 => chosen,
    }
}

fn renew_ocsp_signer(
    env: &Env,
    permit: &Permit<PublishStatus>,
    authority: &Authority,
    days: i64,
    now: Timestamp,
) -> Result<(), SignerError> {
    let wanted = Wanted {
        role: KeyRole::OcspSigner,
        algorithm: ocsp_signer_key(authority.algorithm, env.settings.status.signer_key),
        content: Content::OcspSigner,
        organisation: authority.name.organisation.clone(),
        country: authority.name.country.clone(),
        common_name: service_name(&authority.name.common_name, "OCSP Signer", now)?,
        days,
    };
    let certificate = certify(env, permit.origin(), authority, &wanted, now)?;
    let event = Event::OcspSignerRotated { authority: authority.id.clone(), certificate };
    env.store.write(|tx| tx.record(permit.origin(), now, &event))?;
    Ok(())
}

/// Sees to it that two signers of trusted lists are announced, with shifted ends, so that one can
/// follow the other at any time (TS 119 612, A.2). C and O are the territory and the operator's name,
/// as 5.7.1 demands. Gives the number of new ones.
///
/// Below an offline root they come through bundles; one that is valid is enough to go on with.
pub fn renew_list_signers(env: &Env, permit: &Permit<PublishList>) -> Result<usize, SignerError> {
    let now = env.clock.now();
    let root = env
        .store
        .read(|tx| tx.list_authorities())?
        .into_iter()
        .filter(|a| a.kind == AuthorityKind::Root && a.may_issue(now).is_ok())
        .max_by_key(|root| root.generation)
        .ok_or(StoreError::NotFound { what: "authority" })?;
    let missing = env.store.read(|tx| missing_list_signers(tx, &root, now))?;
    let valid = env.store.read(|tx| tx.current_signer(&root.id, Profile::ListSigner, now))?;
    if missing.is_empty() || (valid.is_some() && root.check_online().is_err()) {
        return Ok(0);
    }
    root.check_online()?;
    for signer in &missing {
        let names = list_signer_names(env, now, *signer)?;
        let wanted = Wanted {
            role: KeyRole::ListSigner,
            algorithm: KeyAlgorithm::P384,
            content: Content::ListSigner {
                arc: env.settings.arc,
                repository: repository(env, &root)?,
            },
            organisation: names.organisation,
            country: names.country,
            common_name: names.common_name,
            days: signer.days,
        };
        certify(env, permit.origin(), &root, &wanted, now)?;
    }
    Ok(missing.len())
}

/// A list signer that is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WantedListSigner {
    /// The first or the second of two that are made together.
    number: usize,
    /// For how long it is certified.
    pub(crate) days: i64,
}

/// The list signers that are missing until two last. The first of two that are made together ends
/// when the second is half through, so that their ends stay apart.
pub(crate) fn missing_list_signers(
    tx: &mut Tx<'_>,
    root: &Authority,
    now: Timestamp,
) -> Result<Vec<WantedListSigner>, StoreError> {
    let days = tx.current_policy(now)?.validity.list_signer;
    let lasts = now.plus_days(LIST_SIGNER_LEAD_DAYS);
    let signers = tx.list_signers(&root.id, Profile::ListSigner, now)?;
    let lasting = signers.iter().filter(|signer| signer.validity.not_after > lasts).count();
    Ok(match lasting {
        0 => vec![
            WantedListSigner { number: 1, days: days / 2 },
            WantedListSigner { number: 2, days },
        ],
        1 => vec![WantedListSigner { number: 1, days }],
        _ => Vec::new(),
    })
}

/// Days before its end at which the signer of documents gets a successor.
const DOCUMENT_SIGNER_LEAD_DAYS: i64 = 60;
/// Days for which the signer of documents is certified (DOMAIN 12.5, audit signer).
const DOCUMENT_SIGNER_DAYS: i64 = 1095;

/// The signer of discovery documents: the present one, or a new one where there is none or the
/// present one is near its end. It has the profile of an audit signer and is certified by the issuing
/// authority of the lowest level, whose key is online wherever the root's is (docs/adr/0017).
pub fn renew_document_signer(
    env: &Env,
    permit: &Permit<PublishStatus>,
) -> Result<Certificate, SignerError> {
    let now = env.clock.now();
    let all = env.store.read(|tx| tx.list_authorities())?;
    let lasts = now.plus_days(DOCUMENT_SIGNER_LEAD_DAYS);
    for authority in &all {
        let present =
            env.store.read(|tx| tx.current_signer(&authority.id, Profile::AuditSigner, now))?;
        if let Some(signer) = present.filter(|signer| signer.validity.not_after > lasts) {
            return Ok(signer);
        }
    }
    let issues = |authority: &&Authority| {
        authority.kind.level().is_some()
            && authority.dedicated.is_none()
            && authority.may_issue(now).is_ok()
            && authority.check_online().is_ok()
    };
    let lowest = |authority: &&Authority| (authority.kind.level(), -authority.generation);
    let authority = all
        .iter()
        .filter(issues)
        .min_by_key(lowest)
        .ok_or(StoreError::NotFound { what: "authority" })?;
    let operator = &env.settings.operator;
    let wanted = Wanted {
        role: KeyRole::AuditSigner,
        algorithm: KeyAlgorithm::P256,
        content: Content::AuditSigner {
            arc: env.settings.arc,
            repository: repository(env, authority)?,
        },
        organisation: operator.name.clone(),
        country: operator.country.clone(),
        common_name: service_name(&operator.name, "Document Signer", now)?,
        days: DOCUMENT_SIGNER_DAYS,
    };
    certify(env, permit.origin(), authority, &wanted, now)
}

/// The names of a list signer: C and O are the territory and the operator's name.
pub(crate) fn list_signer_names(
    env: &Env,
    now: Timestamp,
    signer: WantedListSigner,
) -> Result<AuthorityName, SignerError> {
    let operator = &env.settings.operator;
    let what = match signer.number {
        1 => "Trusted List Signer".to_owned(),
        number => format!("Trusted List Signer {number}"),
    };
    Ok(AuthorityName {
        country: env.settings.scheme.territory.clone(),
        organisation: operator.name.clone(),
        identifier: operator.identifier.clone(),
        common_name: service_name(&operator.name, &what, now)?,
    })
}

/// What a service certificate is wanted for.
struct Wanted {
    role: KeyRole,
    algorithm: KeyAlgorithm,
    content: Content,
    organisation: Name,
    country: String,
    common_name: Name,
    days: i64,
}

/// A common name that tells two generations of a signer apart: whose, what, and the day.
fn service_name(whose: &Name, what: &str, now: Timestamp) -> Result<Name, SignerError> {
    let day = now.to_date();
    let full = Name::parse(&format!("{whose} {what} {day}"));
    Ok(full.or_else(|_| Name::parse(&format!("{what} {day}")))?)
}

fn certify(
    env: &Env,
    origin: &Origin,
    authority: &Authority,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<Certificate, SignerError> {
    check_arc(env)?;
    let holder = KeyHolder::Authority(authority.id.clone());
    let made = generate(env, origin, wanted.role, holder, wanted.algorithm)?;
    env.store.write(|tx| tx.record(origin, now, &made.event()))?;
    let key = made.key;
    let issuer = issuer(authority.may_serve_status(now)?)?;
    let policy = env.store.read(|tx| tx.current_policy(now))?.digest()?;
    let subject = DistinguishedName::of_authority(&AuthorityName {
        country: wanted.country.clone(),
        organisation: wanted.organisation.clone(),
        identifier: env.settings.operator.identifier.clone(),
        common_name: wanted.common_name.clone(),
    })?;
    let public = PublicKey::parse(&key.public_key)?;
    let validity = Validity::days(now, wanted.days).capped(issuer.validity.not_after);
    let paper = Paper {
        authority: authority.id.clone(),
        signing_key: authority.key.clone(),
        profile: wanted.content.profile(),
        key: key.id,
        seal: None,
        common_name: wanted.common_name.as_str().to_owned(),
        sealing_not_after: None,
        policy,
    };
    let order = |serial| Order {
        serial,
        validity,
        subject: subject.clone(),
        key: public.clone(),
        issuer: issuer.clone(),
        content: wanted.content.clone(),
    };
    sign_certificate(env, origin, now, &paper, order, |_| Ok(()), |_, _| Ok(()))
}

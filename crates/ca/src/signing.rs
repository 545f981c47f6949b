//! The order in which a certificate is signed so that a power cut loses nothing: record what will
//! be signed, sign, record the result, release. No transaction is open while the key moves.

use tenkoku_domain::access::Origin;
use tenkoku_domain::audit::{CrlList, Event};
use tenkoku_domain::authority::Authority;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::certificate::{
    Certificate, CertificateState, Profile, SealBinding, Serial, Validity,
};
use tenkoku_domain::id::{AuthorityId, CertificateId, KeyId};
use tenkoku_domain::policy::Installation;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::revocation::{Cause, Revocation};
use tenkoku_domain::time::Timestamp;
use tenkoku_keys::{Body, KeyError};
use tenkoku_pki::cert::CertificateError;
use tenkoku_pki::key::KeyError as PublicKeyError;
use tenkoku_pki::lint::{LintFailed, Linted, lint};
use tenkoku_pki::profile::{CrlPlaces, Issuer, Order, Repository, draft};
use tenkoku_pki::signed::AssembleError;
use tenkoku_pki::uri::{HttpUri, UriError};
use tenkoku_ports::Env;
use tenkoku_ports::settings::Acknowledgement;
use tenkoku_store::{StoreError, Tx};

use crate::act::ActError;

/// How often a serial number is drawn before giving up. Two draws of 126 bits never meet.
const SERIAL_DRAWS: usize = 3;

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// A rule refuses it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The lint found something; nothing was signed.
    #[error(transparent)]
    Lint(#[from] LintFailed),
    /// The key store did not sign.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// What came back from the key store is no signature over what was linted.
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    /// A stored certificate cannot be read back.
    #[error("a stored certificate cannot be read: {0}")]
    StoredCertificate(#[from] CertificateError),
    /// A stored key cannot be read back.
    #[error("a stored public key cannot be read: {0}")]
    StoredKey(#[from] PublicKeyError),
    /// The public address does not fit into a certificate.
    #[error(transparent)]
    Address(#[from] UriError),
    /// The policy has no canonical form.
    #[error(transparent)]
    Canonical(#[from] tenkoku_domain::canonical::CanonicalError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ActError> for SigningError {
    fn from(error: ActError) -> Self {
        match error {
            ActError::Refused(refusal) => refusal.into(),
            ActError::Canonical(error) => error.into(),
            ActError::Store(error) => error.into(),
        }
    }
}

impl SigningError {
    /// The refusal that goes into the audit trail; any other error comes back as it is.
    pub(crate) fn refused(self) -> Result<Refusal, Self> {
        match self {
            Self::Refused(refusal) => Ok(refusal),
            Self::Lint(failed) => Ok(failed.refusal()),
            Self::Store(StoreError::Conflict { what: "application" }) => {
                Ok(Refusal::new(RefusalCode::StateConflict, "6.3").with("state", "being-issued"))
            }
            // A key that the device does not hold as KM-10 demands; it is destroyed by now.
            Self::Keys(error) => error.refusal().ok_or(Self::Keys(error)),
            Self::Assemble(_)
            | Self::StoredCertificate(_)
            | Self::StoredKey(_)
            | Self::Address(_)
            | Self::Canonical(_)
            | Self::Store(_) => Err(self),
        }
    }
}

/// What is recorded about a certificate besides its body.
#[derive(Clone, Debug)]
pub(crate) struct Paper {
    pub(crate) authority: AuthorityId,
    /// The key of the authority.
    pub(crate) signing_key: KeyId,
    pub(crate) profile: Profile,
    /// The certified key.
    pub(crate) key: KeyId,
    pub(crate) seal: Option<SealBinding>,
    pub(crate) common_name: String,
    pub(crate) sealing_not_after: Option<Timestamp>,
    pub(crate) policy: Digest,
}

/// Where an authority's certificate and CRL lie.
pub(crate) fn repository(env: &Env, authority: &Authority) -> Result<Repository, UriError> {
    let address = &env.settings.public_address;
    Ok(Repository {
        certificate: HttpUri::parse(&address.certificate(&authority.code))?,
        crl: crl_places(env, authority)?,
    })
}

/// Where the lists of an authority lie.
fn crl_places(env: &Env, authority: &Authority) -> Result<CrlPlaces, UriError> {
    let address = |list| env.settings.public_address.crl_of(&authority.code, list);
    let lists = authority.crl_shards.lists().into_iter();
    let all: Vec<HttpUri> =
        lists.map(|list| HttpUri::parse(&address(list))).collect::<Result<_, _>>()?;
    match CrlPlaces::new(authority.crl_shards, all) {
        Some(places) => Ok(places),
        None => Ok(CrlPlaces::whole(HttpUri::parse(&address(CrlList::Full))?)),
    }
}

/// What of an authority's certificate enters the ones it issues.
pub(crate) fn issuer(certificate: &[u8]) -> Result<Issuer, SigningError> {
    Ok(tenkoku_pki::cert::Certificate::parse(certificate)?.as_issuer()?)
}

/// Lints, records, signs and records again. `order` is asked once per drawn serial number;
/// `before` runs in the transaction that records what will be signed, `after` in the one that
/// releases the certificate.
pub(crate) fn sign_certificate(
    env: &Env,
    origin: &Origin,
    now: Timestamp,
    paper: &Paper,
    order: impl Fn(Serial) -> Order,
    before: impl Fn(&mut Tx<'_>) -> Result<(), SigningError>,
    after: impl FnOnce(&mut Tx<'_>, &Certificate) -> Result<(), SigningError>,
) -> Result<Certificate, SigningError> {
    let (pending, linted) = record_pending(env, now, paper, order, before)?;
    let signature = env.keys.sign(&paper.signing_key, &Body::Certificate(&linted))?;
    let der = linted.assemble(&signature)?;
    let state = first_state(env, paper.profile, now);
    let certificate = Certificate { der: Some(der), state, ..pending };
    env.store.write(|tx| {
        let issued = Event::CertificateIssued { certificate: certificate.clone() };
        tx.record(origin, now, &issued)?;
        after(tx, &certificate)
    })?;
    Ok(certificate)
}

/// PR-1: a production installation certifies nothing under the documentation arc, whatever it is.
pub(crate) fn check_arc(env: &Env) -> Result<(), Refusal> {
    if env.settings.installation == Installation::Production && env.settings.arc.is_documentation()
    {
        return Err(Refusal::new(RefusalCode::LintFailed, "PR-1"));
    }
    Ok(())
}

/// DOMAIN 6.4: at level 3 a certificate is told as on hold until its key acknowledges it; every
/// other is in use at once.
fn first_state(env: &Env, profile: Profile, now: Timestamp) -> CertificateState {
    match env.settings.acknowledgement {
        Acknowledgement::Needed if profile == Profile::Seal3 => {
            let told = Revocation { cause: Cause::Suspended, at: now.floor(), invalid_since: None };
            CertificateState::Held(told)
        }
        Acknowledgement::Needed | Acknowledgement::Waived => CertificateState::Active,
    }
}

fn record_pending(
    env: &Env,
    now: Timestamp,
    paper: &Paper,
    order: impl Fn(Serial) -> Order,
    before: impl Fn(&mut Tx<'_>) -> Result<(), SigningError>,
) -> Result<(Certificate, Linted), SigningError> {
    check_arc(env)?;
    for _ in 0..SERIAL_DRAWS {
        let order = order(Serial::random(&*env.entropy));
        let linted = lint(draft(&order), &order, env.keys.throwaway())?;
        let certificate = pending(env, now, paper, &order, &linted);
        let recorded = env.store.write(|tx| {
            before(tx)?;
            tx.insert_pending(&certificate).map_err(SigningError::from)
        });
        match recorded {
            Ok(()) => return Ok((certificate, linted)),
            Err(SigningError::Store(StoreError::Conflict { what: "certificate serial" })) => {}
            Err(other) => return Err(other),
        }
    }
    Err(Refusal::new(RefusalCode::SerialExhausted, "I-4").into())
}

fn pending(
    env: &Env,
    now: Timestamp,
    paper: &Paper,
    order: &Order,
    linted: &Linted,
) -> Certificate {
    let Validity { not_before, not_after } = order.validity;
    Certificate {
        id: CertificateId::new(now, &*env.entropy),
        authority: paper.authority.clone(),
        serial: order.serial.clone(),
        profile: paper.profile,
        key: paper.key.clone(),
        seal: paper.seal.clone(),
        common_name: paper.common_name.clone(),
        validity: Validity { not_before, not_after },
        sealing_not_after: paper.sealing_not_after,
        policy: paper.policy,
        tbs: linted.tbs_der().to_vec(),
        der: None,
        state: CertificateState::Pending,
        created_at: now,
    }
}

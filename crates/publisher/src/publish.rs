//! Signs lists and publishes them: sealed, checked, recorded, signed, verified, recorded again; live
//! with the record, in XML and in JSON at once. Every former sequence stays at its own address.
//!
//! A list follows the live one unchanged when its end is near; changes come out of drafts alone.

use tenkoku_domain::access::{Permit, PublishList};
use tenkoku_domain::audit::{Event, ListEvent};
use tenkoku_domain::authority::Authority;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::ListDraftId;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_domain::trusted_list::{ListedService, PublishedList, SchemeCode, Standing};
use tenkoku_keys::{Body, KeyError};
use tenkoku_pki::key::PublicKey;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};
use tenkoku_tsl::algorithm::SignatureAlgorithm;
use tenkoku_tsl::certificate::{CertificateError, KeyKind};
use tenkoku_tsl::diff::Place;
use tenkoku_tsl::lote;
use tenkoku_tsl::model::{Entry, Identity, Language, Multilingual, Pointer, TrustedList, Uri};
use tenkoku_tsl::rules::{
    Broken, Finding, Weight, is_ended_status, is_list_of_lists, lint, succession,
};
use tenkoku_tsl::sign::{SignError, prepare};
use tenkoku_tsl::verify::{Refusal as ListRefusal, VerifiedList, verify};

use crate::compose::{ComposeError, compose, is_listed};
use crate::form::is_closed;
use crate::seal::{content_of, seal};
use crate::signers::{self, ListSigners, certificate, is_ending};

/// Days before NextUpdate at which a list without changes is issued again.
pub const REISSUE_LEAD_DAYS: i64 = 60;
/// How often the platform says that a list could not be issued: kind of the run that remembers it.
const ALARM: &str = "list-overdue";
/// Hours between two alarms.
const ALARM_HOURS: i64 = 20;

/// Why no list was published; the former one stays live.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// A rule refuses it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is no list signer that is valid now.
    #[error("there is no list signer that is valid now")]
    NoSigner,
    /// The signer's key is of a kind that lists are not signed with.
    #[error("the list signer's key is of a kind that lists are not signed with")]
    SignerKey,
    /// The parts do not make a list.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// The list breaks clauses of the standard.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// The list could not be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The key store did not sign.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// A stored certificate cannot be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The stored list cannot be read back.
    #[error("the list that is live cannot be read back: {0}")]
    Live(#[from] ListRefusal),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the next list of a scheme rests on.
pub(crate) struct Ground {
    pub(crate) scheme: SchemeCode,
    pub(crate) live: Option<PublishedList>,
    pub(crate) signers: Option<ListSigners>,
}

impl Ground {
    pub(crate) fn load(
        tx: &mut Tx<'_>,
        scheme: &SchemeCode,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let live = tx.latest_list(scheme.as_str())?;
        let signers = signers::load(tx, live.as_ref(), now)?;
        Ok(Self { scheme: scheme.clone(), live, signers })
    }

    /// What the live list says.
    pub(crate) fn live_list(&self) -> Result<Option<TrustedList>, ListRefusal> {
        self.live.as_ref().map(|live| verify(&live.xml).map(VerifiedList::into_list)).transpose()
    }

    /// The number of the next list.
    pub(crate) fn next(&self) -> i64 {
        self.live.as_ref().map_or(1, |live| live.sequence.saturating_add(1))
    }

    /// When the next list is issued if it is issued now. Two lists never carry the same instant: the
    /// second waits in time, not in the queue.
    pub(crate) fn issue(&self, now: Timestamp) -> Timestamp {
        let after = self.live.as_ref().map_or(now, |live| live.issued_at.plus_seconds(1));
        now.floor().max(after.floor())
    }
}

/// Publishes what the live list says in a new sequence, whether or not that is needed; the first
/// list of the platform's own scheme where there is none.
pub fn publish_list(
    env: &Env,
    permit: &Permit<PublishList>,
) -> Result<PublishedList, PublishError> {
    reissue(env, permit, &own_scheme(env)?)
}

/// Hands over to the signer that is announced beside the present one, and says so at once in a new
/// sequence. A list of lists that leads from the former signer to the new one becomes a pivot (TS 119
/// 615, 4.1.4).
///
/// # Errors
/// There is no other signer, or it was not announced for long enough.
pub fn hand_over(
    env: &Env,
    permit: &Permit<PublishList>,
    scheme: &SchemeCode,
) -> Result<PublishedList, PublishError> {
    let now = env.clock.now();
    let mut ground = env.store.read(|tx| Ground::load(tx, scheme, now))?;
    let signers = ground.signers.take().ok_or(PublishError::NoSigner)?;
    if !signers.may_hand_over(now) {
        let refusal = Refusal::new(RefusalCode::StateConflict, "A.2");
        return Err(refusal.with("state", "not-announced").into());
    }
    let list = ground.live_list()?.ok_or(StoreError::NotFound { what: "list" })?;
    ground.signers = signers.handed_over();
    issue(env, permit, &ground, list, None)
}

/// Publishes a new sequence of every list whose end, or whose signer's end, is near, and the first of
/// the platform's own scheme once there is an authority to be listed. Gives what was published.
///
/// One list that cannot be issued does not keep the others waiting.
pub fn renew_lists(
    env: &Env,
    permit: &Permit<PublishList>,
) -> Result<Vec<PublishedList>, PublishError> {
    let now = env.clock.now();
    let own = own_scheme(env)?;
    let (mut schemes, authorities) = env.store.read(|tx| {
        let schemes = tx.list_schemes()?;
        Ok::<_, StoreError>((schemes, tx.list_authorities()?))
    })?;
    if !schemes.iter().any(|scheme| scheme == own.as_str()) && authorities.iter().any(is_issuing) {
        schemes.push(own.to_string());
    }
    let (mut published, mut failed) = (Vec::new(), None);
    for scheme in schemes {
        let scheme = SchemeCode::parse(&scheme)?;
        let ground = env.store.read(|tx| Ground::load(tx, &scheme, now))?;
        if !is_due(&ground, now) {
            continue;
        }
        match reissue(env, permit, &scheme) {
            Ok(list) => published.push(list),
            Err(error) => {
                sound_alarm(env, permit, &ground, &error)?;
                failed = failed.or(Some(error));
            }
        }
    }
    failed.map_or(Ok(published), Err)
}

fn is_issuing(authority: &Authority) -> bool {
    is_listed(authority) && authority.kind.level().is_some()
}

/// Whether a list is to be issued again now; a closed one never is.
fn is_due(ground: &Ground, now: Timestamp) -> bool {
    let Some(live) = &ground.live else { return true };
    let Some(next) = live.next_update else { return false };
    // Whoever signs next is already another: the present signer's end is near.
    let handed_over = ground.signers.as_ref().is_some_and(|signers| {
        signers.signing.key != live.signer && !is_ending(&signers.signing, now)
    });
    next.plus_days(-REISSUE_LEAD_DAYS) <= now || handed_over
}

/// Says in the audit trail and to the people concerned that a list could not be issued, once a day.
fn sound_alarm(
    env: &Env,
    permit: &Permit<PublishList>,
    ground: &Ground,
    error: &PublishError,
) -> Result<(), StoreError> {
    let now = env.clock.now();
    let Some(live) = &ground.live else { return Ok(()) };
    let Some(next_update) = live.next_update else { return Ok(()) };
    let event = ListEvent::Overdue {
        scheme: ground.scheme.clone(),
        sequence: live.sequence,
        next_update,
        cause: error.to_string(),
    };
    env.store.write(|tx| {
        let last = tx.last_run(ALARM)?.map(|run| run.started_at);
        if last.is_some_and(|last| last.plus_seconds(ALARM_HOURS * 3600) > now) {
            return Ok(());
        }
        tx.begin_job_run(ALARM, now)?;
        tx.end_job_run((ALARM, now), "done", &std::collections::BTreeMap::new(), now)?;
        tx.record(permit.origin(), now, &Event::List(event))?;
        Ok(())
    })
}

pub(crate) fn own_scheme(env: &Env) -> Result<SchemeCode, Refusal> {
    SchemeCode::parse(&env.settings.scheme.code)
}

fn reissue(
    env: &Env,
    permit: &Permit<PublishList>,
    scheme: &SchemeCode,
) -> Result<PublishedList, PublishError> {
    let now = env.clock.now();
    let (ground, authorities) = env
        .store
        .read(|tx| Ok::<_, StoreError>((Ground::load(tx, scheme, now)?, tx.list_authorities()?)))?;
    let list = match ground.live_list()? {
        Some(live) if is_closed(&live) => return Err(closed(scheme).into()),
        Some(live) => live,
        None => compose(env, &authorities, now)?,
    };
    issue(env, permit, &ground, list, None)
}

/// A refusal because no list follows a closed one.
pub(crate) fn closed(scheme: &SchemeCode) -> Refusal {
    Refusal::new(RefusalCode::StateConflict, "5.3.15")
        .with("state", "closed")
        .with("list", scheme.as_str())
}

/// Seals, checks, signs and publishes what a list is to say next.
pub(crate) fn issue(
    env: &Env,
    permit: &Permit<PublishList>,
    ground: &Ground,
    list: TrustedList,
    draft: Option<ListDraftId>,
) -> Result<PublishedList, PublishError> {
    let now = env.clock.now();
    let signers = ground.signers.as_ref().ok_or(PublishError::NoSigner)?;
    let signer = certificate(&signers.signing)?;
    let algorithm = match signer.key() {
        KeyKind::P256 => SignatureAlgorithm::EcdsaP256Sha256,
        KeyKind::P384 => SignatureAlgorithm::EcdsaP384Sha384,
        KeyKind::Rsa { .. } => SignatureAlgorithm::RsaSha512,
        KeyKind::P521 | KeyKind::Other => return Err(PublishError::SignerKey),
    };
    let live = ground.live_list()?;
    let (sequence, at) = (ground.next(), ground.issue(now));
    let number = u64::try_from(sequence).unwrap_or(1);
    let mut list = seal(list, live.as_ref(), number, at);
    announce(&mut list, ground, signers)?;
    refuse_broken(live.as_ref().map_or_else(Vec::new, |live| succession(&list, live)))?;
    let linted = lint(list)?;
    let body = prepare(linted.clone(), signer.clone(), algorithm, at)?;
    let json = if is_closed(linted.list()) {
        None
    } else {
        Some(lote::prepare(&linted, signer, algorithm, at)?)
    };
    let key = &signers.signing.key;
    let mut bodies = vec![body.to_be_signed()];
    bodies.extend(json.as_ref().map(lote::PreparedLote::to_be_signed));
    env.store.write(|tx| {
        for octets in &bodies {
            let event = ListEvent::Signing {
                scheme: ground.scheme.clone(),
                sequence,
                body: Digest::of(octets),
                signer: key.clone(),
            };
            tx.record(permit.origin(), now, &Event::List(event))?;
        }
        Ok::<_, StoreError>(())
    })?;
    let signature = env.keys.sign(key, &Body::List(&body))?;
    let json = json
        .map(|json| {
            let signature = env.keys.sign(key, &Body::ListJson(&json))?;
            Ok::<_, PublishError>(json.finish(&signature)?)
        })
        .transpose()?;
    let xml = body.finish(&signature)?;
    let published = PublishedList {
        scheme: ground.scheme.to_string(),
        sequence,
        issued_at: at,
        next_update: match linted.list().scheme.next_update {
            tenkoku_tsl::model::NextUpdate::By(next) => Some(next),
            tenkoku_tsl::model::NextUpdate::Closed => None,
        },
        signer: key.clone(),
        digest: Digest::of(&xml),
        content: content_of(linted.list()),
        draft,
        xml,
        json,
    };
    let services = listed_services(&published, linted.list());
    let event = Event::ListPublished { list: published.clone(), services };
    env.store.write(|tx| tx.record(permit.origin(), now, &event))?;
    Ok(published)
}

/// Stops at whatever the standard forbids.
pub(crate) fn refuse_broken(mut findings: Vec<Finding>) -> Result<(), Broken> {
    findings.retain(|finding| finding.weight() == Weight::Refused);
    if findings.is_empty() { Ok(()) } else { Err(Broken(findings)) }
}

/// A list of lists names its own signers in the pointer to itself, and, where another signer takes
/// over, the list that announced it as the newest pivot, above all other pages.
fn announce(
    list: &mut TrustedList,
    ground: &Ground,
    signers: &ListSigners,
) -> Result<(), PublishError> {
    if !is_list_of_lists(list) {
        return Ok(());
    }
    let own = list.scheme.distribution_points.first().cloned();
    let is_own = |pointer: &&mut Pointer| own.as_ref() == Some(&pointer.location);
    if let Some(pointer) = list.scheme.pointers.iter_mut().find(is_own) {
        let all = signers.all().map(certificate).collect::<Result<Vec<_>, _>>()?;
        pointer.identities = all.into_iter().map(Identity::of).collect();
    }
    let (Some(own), Some(live)) = (own, &ground.live) else { return Ok(()) };
    if live.signer == signers.signing.key {
        return Ok(());
    }
    let base = own.as_str().strip_suffix(".xml").unwrap_or(own.as_str());
    let pivot = Uri::new(&format!("{base}/{}.xml", live.sequence)).map_err(ComposeError::from)?;
    let mut pages = vec![Entry { language: Language::english(), value: pivot }];
    pages.extend(list.scheme.information.entries().iter().cloned());
    list.scheme.information = Multilingual::new(pages).map_err(ComposeError::from)?;
    Ok(())
}

/// What a list says of each key. A key that stands under two types runs while one of them does.
fn listed_services(published: &PublishedList, list: &TrustedList) -> Vec<ListedService> {
    let mut services: Vec<ListedService> = Vec::new();
    for (provider, service) in list.services() {
        let key = service.identity.public_key().and_then(|key| PublicKey::parse(key).ok());
        let Some(key) = key else { continue };
        let name = match Place::of_service(provider, service) {
            Place::Service { service, .. } => service,
            Place::Scheme | Place::Pointer(_) | Place::Provider(_) => String::new(),
        };
        let ended = is_ended_status(&service.status);
        let said = ListedService {
            scheme: published.scheme.clone(),
            fingerprint: key.fingerprint(),
            name,
            status: service.status.to_string(),
            since: service.status_start,
            standing: if ended { Standing::Ended } else { Standing::Running },
            sequence: published.sequence,
        };
        match services.iter_mut().find(|one| one.fingerprint == said.fingerprint) {
            Some(known) if known.standing == Standing::Ended => *known = said,
            Some(_) => {}
            None => services.push(said),
        }
    }
    services
}

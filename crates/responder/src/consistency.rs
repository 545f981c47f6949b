//! Compares what is recorded, what the responder answers and what the published lists say (DOMAIN
//! 13): of every certificate of every authority. A difference older than what the timing allows is
//! recorded as `status.inconsistent`; nothing is mended here, because whoever is wrong may be the
//! record.

use std::collections::{HashMap, HashSet};

use tenkoku_domain::access::{Permit, PublishStatus};
use tenkoku_domain::audit::{Event, StatusEvent, StatusService};
use tenkoku_domain::authority::Authority;
use tenkoku_domain::certificate::Serial;
use tenkoku_domain::revocation::{ReasonCode, Revocation};
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::crl::{Crl, CrlError};
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use crate::index::{Known, SerialKey};
use crate::issuer::Issuer;
use crate::responder::Responder;

/// Certificates that are read at once.
const PAGE: i64 = 10_000;
/// How long a list may lag behind the record, in seconds: 60 minutes.
const LIST_SECONDS: i64 = 3_600;
/// Differences of one service that are told apart, at most; there is something very wrong long
/// before.
const MOST: usize = 1_000;

/// Why nothing could be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A published list cannot be read.
    #[error("a published list cannot be read: {0}")]
    List(#[from] CrlError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Certificates that were compared.
    pub certificates: usize,
    /// Certificates of which a service says something else than the record.
    pub differing: usize,
}

/// Compares all authorities, and records each service that disagrees with the record.
pub fn compare_status(
    env: &Env,
    permit: &Permit<PublishStatus>,
    responder: &Responder,
) -> Result<Compared, CompareError> {
    let now = env.clock.now();
    let mut all = Compared::default();
    for authority in env.store.read(|tx| tx.list_authorities())? {
        if authority.certificate.is_none() {
            continue;
        }
        let (certificates, found) = compare(env, responder, &authority, now)?;
        all.certificates += certificates;
        for (service, serials) in found {
            let Some(first) = serials.first().cloned() else { continue };
            all.differing += serials.len();
            tracing::error!(
                authority = %authority.code, service = %service, %first, differing = serials.len(),
                "a status service says something else than what is recorded"
            );
            let event = StatusEvent::Inconsistent {
                authority: authority.id.clone(),
                service,
                first,
                differing: serials.len(),
            };
            env.store.write(|tx| tx.record(permit.origin(), now, &Event::Status(event)))?;
        }
    }
    Ok(all)
}

type Found = [(StatusService, Vec<Serial>); 2];

/// Gives how many certificates there are, and which of them each service tells differently.
fn compare(
    env: &Env,
    responder: &Responder,
    authority: &Authority,
    now: Timestamp,
) -> Result<(usize, Found), CompareError> {
    // What changes from here on may be told either way.
    let (begun, mut listed) = env.store.read(|tx| {
        Ok::<_, CompareError>((tx.status_revision()?, Published::load(tx, authority)?))
    })?;
    responder.follow()?;
    let issuer = responder.issuer(&authority.id);
    let mut answered = Answered::of(issuer.as_deref());
    let (mut ocsp, mut crl) = (Vec::new(), Vec::new());
    let (mut after, mut count) = (None, 0);
    loop {
        let page = env.store.read(|tx| tx.states_after(&authority.id, after.as_ref(), PAGE))?;
        let Some((last, _)) = page.last() else { break };
        after = Some(last.clone());
        count += page.len();
        for (serial, state) in page {
            let revocation = state.revocation();
            if !answered.agrees(&serial, revocation) {
                ocsp.push(serial.clone());
            }
            if !listed.agrees(&serial, revocation) {
                crl.push(serial);
            }
        }
    }
    ocsp.extend(answered.rest());
    crl.extend(listed.rest());
    ocsp.truncate(MOST);
    crl.truncate(MOST);
    if !ocsp.is_empty() || !crl.is_empty() {
        let recent = recent_changes(env, authority, begun, listed.revision, now)?;
        ocsp.retain(|serial| recent.get(serial).is_none_or(|change| change.rev <= begun));
        crl.retain(|serial| recent.get(serial).is_none_or(|change| !change.may_be_unlisted));
    }
    Ok((count, [(StatusService::Ocsp, ocsp), (StatusService::Crl, crl)]))
}

/// A change of a certificate that a service need not know yet.
struct Recent {
    rev: i64,
    /// It is younger than what a list may lag behind.
    may_be_unlisted: bool,
}

/// What changed after the lists were made or the comparison began.
fn recent_changes(
    env: &Env,
    authority: &Authority,
    begun: i64,
    listed: i64,
    now: Timestamp,
) -> Result<HashMap<Serial, Recent>, StoreError> {
    let mut all = HashMap::new();
    let mut after = begun.min(listed);
    loop {
        let page = env.store.read(|tx| tx.status_changes(after, PAGE))?;
        let Some(last) = page.last() else { return Ok(all) };
        after = last.rev;
        for change in page.into_iter().filter(|change| change.authority == authority.id) {
            let may_be_unlisted = now < change.at.plus_seconds(LIST_SECONDS);
            all.insert(change.serial, Recent { rev: change.rev, may_be_unlisted });
        }
    }
}

/// What the responder answers, and which of it nobody asked about yet.
struct Answered<'a> {
    issuer: Option<&'a Issuer>,
    rest: HashSet<SerialKey>,
}

impl<'a> Answered<'a> {
    fn of(issuer: Option<&'a Issuer>) -> Self {
        Self { issuer, rest: issuer.map(|issuer| issuer.index.serials()).unwrap_or_default() }
    }

    fn agrees(&mut self, serial: &Serial, revocation: Option<&Revocation>) -> bool {
        let Some(issuer) = self.issuer else { return true };
        let Some(key) = SerialKey::of(serial.octets()) else { return false };
        self.rest.remove(&key);
        issuer.index.get(key) == Some(known(revocation))
    }

    /// What is answered though nothing is recorded.
    fn rest(&self) -> Vec<Serial> {
        self.rest
            .iter()
            .filter_map(|key| Serial::from_octets(&key.octets()).ok())
            .take(MOST)
            .collect()
    }
}

fn known(revocation: Option<&Revocation>) -> Known {
    match revocation {
        Some(told) => Known::Revoked { reason: told.cause.reason(), at: told.at },
        None => Known::Good,
    }
}

/// What the published lists of an authority say together, and which of it nobody asked about yet.
struct Published {
    /// There are lists: an authority that begins, or that is offline, has none.
    is_there: bool,
    entries: HashMap<SerialKey, (Option<ReasonCode>, Timestamp)>,
    /// Up to which change all of them are complete.
    revision: i64,
}

impl Published {
    fn load(tx: &mut Tx<'_>, authority: &Authority) -> Result<Self, CompareError> {
        let mut all = Self { is_there: true, entries: HashMap::new(), revision: i64::MAX };
        for list in authority.crl_shards.lists() {
            let head = tx.latest_crl_of(&authority.id, list)?;
            let der = match &head {
                Some(head) => tx.load_crl(head)?,
                None => None,
            };
            let (Some(head), Some(der)) = (head, der) else {
                return Ok(Self { is_there: false, ..all });
            };
            all.revision = all.revision.min(head.revision);
            for entry in Crl::parse(&der)?.entries() {
                let entry = entry?;
                if let Some(key) = SerialKey::of(entry.serial.octets()) {
                    all.entries.insert(key, (entry.reason, entry.at));
                }
            }
        }
        Ok(all)
    }

    fn agrees(&mut self, serial: &Serial, revocation: Option<&Revocation>) -> bool {
        if !self.is_there {
            return true;
        }
        let listed = SerialKey::of(serial.octets()).and_then(|key| self.entries.remove(&key));
        listed == revocation.map(|told| (Some(told.cause.reason()), told.at.floor()))
    }

    /// What is listed though nothing is recorded.
    fn rest(&self) -> Vec<Serial> {
        let keys = self.entries.keys().filter(|_| self.is_there);
        keys.filter_map(|key| Serial::from_octets(&key.octets()).ok()).take(MOST).collect()
    }
}

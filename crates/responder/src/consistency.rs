//! Compares what is recorded, what the responder answers and what the published lists say (DOMAIN
//! 13): of every certificate of every authority. A difference older than what the timing allows is
//! recorded as `status.inconsistent`; nothing is mended here, because whoever is wrong may be the
//! record.

use std::collections::HashMap;

use tenkoku_domain::access::{Permit, PublishStatus};
use tenkoku_domain::audit::{Event, StatusEvent, StatusService};
use tenkoku_domain::authority::Authority;
use tenkoku_domain::certificate::Serial;
use tenkoku_domain::revocation::{ReasonCode, Revocation};
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::crl::{CrlError, entries_of};
use tenkoku_ports::Env;
use tenkoku_store::StoreError;

use crate::index::{Known, Roll, SerialKey, StatusIndex};
use crate::responder::Responder;

/// Certificates that are read at once.
const PAGE: i64 = 10_000;
/// Entries of a list that are put into order at once.
const ENTRIES: usize = 100_000;
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
    let begun = env.store.read(|tx| tx.status_revision())?;
    let (published, listed) = published(env, authority)?;
    responder.follow()?;
    let issuer = responder.issuer(&authority.id);
    let mut answers = issuer.as_deref().map(|issuer| Said::of(&issuer.index));
    let mut lists = published.as_ref().map(Said::of);
    let (mut ocsp, mut crl) = (Vec::new(), Vec::new());
    let (mut after, mut count) = (None, 0);
    loop {
        let page = env.store.read(|tx| tx.states_after(&authority.id, after.as_ref(), PAGE))?;
        let Some((last, _)) = page.last() else { break };
        after = Some(last.clone());
        count += page.len();
        for (serial, state) in page {
            let revocation = state.revocation();
            if let Some(answers) = &mut answers
                && !answers.agrees(&serial, Some(known(revocation)))
            {
                ocsp.push(serial.clone());
            }
            if let Some(lists) = &mut lists
                && !lists.agrees(&serial, revocation.map(listed_as))
            {
                crl.push(serial);
            }
        }
    }
    ocsp.extend(answers.iter().flat_map(Said::rest));
    crl.extend(lists.iter().flat_map(Said::rest));
    ocsp.truncate(MOST);
    crl.truncate(MOST);
    if !ocsp.is_empty() || !crl.is_empty() {
        let recent = recent_changes(env, authority, begun, listed, now)?;
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

/// What a service says, and which of it nobody asked about yet.
struct Said<'a> {
    index: &'a StatusIndex,
    roll: Roll,
}

impl<'a> Said<'a> {
    fn of(index: &'a StatusIndex) -> Self {
        Self { index, roll: index.roll() }
    }

    /// Whether this is what is said of a certificate; `None` for nothing.
    fn agrees(&mut self, serial: &Serial, expected: Option<Known>) -> bool {
        let Some(key) = SerialKey::of(serial.octets()) else { return false };
        self.roll.tick(key);
        self.index.get(key) == expected
    }

    /// What is said though nothing is recorded.
    fn rest(&self) -> Vec<Serial> {
        let serials = self.roll.rest().filter_map(|key| Serial::from_octets(&key.octets()).ok());
        serials.take(MOST).collect()
    }
}

fn known(revocation: Option<&Revocation>) -> Known {
    match revocation {
        Some(told) => Known::Revoked { reason: told.cause.reason(), at: told.at },
        None => Known::Good,
    }
}

/// As a list tells it: in whole seconds.
fn listed_as(told: &Revocation) -> Known {
    Known::Revoked { reason: told.cause.reason(), at: told.at.floor() }
}

/// What the published lists of an authority say together, and up to which change all of them are
/// complete. `None` where there are no lists: of an authority that begins, or that is offline.
fn published(
    env: &Env,
    authority: &Authority,
) -> Result<(Option<StatusIndex>, i64), CompareError> {
    let (all, mut revision) = (StatusIndex::default(), i64::MAX);
    for list in authority.crl_shards.lists() {
        let found = env.store.read(|tx| {
            let Some(head) = tx.latest_crl_of(&authority.id, list)? else { return Ok(None) };
            Ok::<_, StoreError>(tx.load_crl(&head)?.map(|der| (head, der)))
        })?;
        let Some((head, der)) = found else { return Ok((None, revision)) };
        revision = revision.min(head.revision);
        let mut entries = entries_of(&der)?.peekable();
        while entries.peek().is_some() {
            let page: Result<Vec<_>, CrlError> = entries.by_ref().take(ENTRIES).collect();
            all.apply(page?.iter().filter_map(|entry| {
                // One without a reason agrees with no record: this platform always gives one.
                let reason = entry.reason.unwrap_or(ReasonCode::RemoveFromCrl);
                let said = Known::Revoked { reason, at: entry.at };
                Some((SerialKey::of(entry.serial.octets())?, said))
            }));
        }
    }
    Ok((Some(all), revision))
}

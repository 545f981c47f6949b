//! Issues CRLs: of everything, of shards, deltas.
//!
//! The entries lie in memory, encoded; a list is one copy, one lint and one signature. Its number is
//! taken for good before the key moves, so numbers rise through crashes and between processes. The
//! octets of the present list lie in the store, in the transaction that records it: until that is
//! committed everybody gets the one before.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tenkoku_domain::access::{Origin, Permit, PublishStatus};
use tenkoku_domain::audit::{CrlList, Event, IssuedCrl, SignedCrl};
use tenkoku_domain::authority::{
    Authority, AuthorityCode, AuthorityKind, AuthorityState, Custody, NEVER, ShardCount,
};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::AuthorityId;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_keys::{Body, KeyError};
use tenkoku_pki::cert::{Certificate, CertificateError};
use tenkoku_pki::crl::{CrlKind, CrlOrder, draft, lint};
use tenkoku_pki::key::KeyError as PublicKeyError;
use tenkoku_pki::lint::LintFailed;
use tenkoku_pki::signed::AssembleError;
use tenkoku_pki::uri::{HttpUri, UriError};
use tenkoku_ports::Env;
use tenkoku_store::StoreError;

use self::memory::{Memory, Shard, changes_since};

pub mod http;
mod memory;
pub mod served;

/// A list is made anew every 24 hours (DOMAIN 13).
const REISSUE_DAYS: i64 = 1;
/// Entries from which a delta is worth its while. Once there is one it goes on: lists that point to
/// it are about.
const DELTA_FROM: usize = 1_000;
/// Changes that a delta tells at most. Past that it brings the list before up to date, not that of a
/// day ago: who has neither fetches the whole list, which is hardly longer than such a delta.
const DELTA_MOST: usize = 10_000;
/// How often a list is signed again when another process was faster with an older one.
const ATTEMPTS: usize = 3;

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum CrlError {
    /// The authority has no certificate yet, or none of this name exists for the asker.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The list did not pass its lint.
    #[error(transparent)]
    Lint(#[from] LintFailed),
    /// The key store did not sign.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// What came back is no signature over the list.
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    /// The authority's stored certificate cannot be read.
    #[error("the authority's certificate cannot be read: {0}")]
    StoredCertificate(#[from] CertificateError),
    /// The authority's stored key cannot be read.
    #[error("the authority's key cannot be read: {0}")]
    StoredKey(#[from] PublicKeyError),
    /// The public address does not fit into a list.
    #[error(transparent)]
    Address(#[from] UriError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A step on the way to a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrlPhase {
    /// Changes of status are read; how many so far.
    Collect(usize),
    /// The list is put together; how many entries it has.
    Encode(usize),
    /// It is signed.
    Sign(usize),
    /// It is stored.
    Publish(usize),
}

/// Is told of every step.
pub type Progress<'a> = &'a mut dyn FnMut(&Authority, CrlList, CrlPhase);

/// Nobody listens.
fn silent(_: &Authority, _: CrlList, _: CrlPhase) {}

/// The entries of the lists of all authorities, in memory. One for a process that publishes; who
/// issues one list makes one for it.
#[derive(Debug, Default)]
pub struct Lists {
    authorities: Mutex<HashMap<AuthorityId, Arc<Mutex<Memory>>>>,
}

impl Lists {
    /// Brings the lists of an authority up to date: those that are stale are issued, the delta with
    /// them. Gives what was issued.
    pub fn refresh(
        &self,
        env: &Env,
        code: &AuthorityCode,
        progress: Progress<'_>,
    ) -> Result<Vec<IssuedCrl>, CrlError> {
        let now = env.clock.now();
        let authority = load(env, code)?;
        let stale = stale_lists(env, &authority, now)?;
        if stale.is_empty() {
            return Ok(Vec::new());
        }
        let permit = env.system("responder").permit::<PublishStatus>(now)?;
        authority.check_online()?;
        self.issue(env, permit.origin(), &authority, &stale, progress)
    }

    /// Issues every list of an authority now.
    pub fn issue_all(
        &self,
        env: &Env,
        permit: &Permit<PublishStatus>,
        code: &AuthorityCode,
        progress: Progress<'_>,
    ) -> Result<Vec<IssuedCrl>, CrlError> {
        let authority = load(env, code)?;
        authority.check_online()?;
        self.issue(env, permit.origin(), &authority, &authority.crl_shards.lists(), progress)
    }

    fn issue(
        &self,
        env: &Env,
        origin: &Origin,
        authority: &Authority,
        lists: &[CrlList],
        progress: Progress<'_>,
    ) -> Result<Vec<IssuedCrl>, CrlError> {
        let memory = self.memory(authority);
        let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
        let end = authority.kind.crl_days();
        let mut issued = Vec::new();
        for list in lists {
            let made = (0..ATTEMPTS).find_map(|_| {
                let attempt = Publication { env, origin, authority, list: *list };
                attempt.publish(&mut memory, Until::Days(end), progress).transpose()
            });
            issued.extend(made.unwrap_or(Err(StoreError::Busy.into()))?);
        }
        Ok(issued)
    }

    fn memory(&self, authority: &Authority) -> Arc<Mutex<Memory>> {
        let mut known = self.authorities.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Arc::new(Mutex::new(Memory::new(authority.crl_shards)));
        Arc::clone(known.entry(authority.id.clone()).or_insert_with(fresh))
    }
}

/// The list of an authority as relying parties get it, with those of its other shards brought up to
/// date; a new one when the present one is stale. Where there are shards it is the first.
///
/// When a new one cannot be made the present one is given as long as it is not expired: status
/// answers go on while a key store is away (DOMAIN 13).
pub fn current_crl(env: &Env, code: &AuthorityCode) -> Result<SignedCrl, CrlError> {
    let first = |authority: &Authority| match authority.crl_shards {
        ShardCount::ONE => CrlList::Full,
        _ => CrlList::Shard(0),
    };
    current_list(env, code, first)
}

/// One of the lists of an authority, as [`current_crl`] gives it.
pub fn current_list(
    env: &Env,
    code: &AuthorityCode,
    which: impl Fn(&Authority) -> CrlList,
) -> Result<SignedCrl, CrlError> {
    let now = env.clock.now();
    let authority = load(env, code)?;
    let refreshed = Lists::default().refresh(env, code, &mut silent);
    let present = present(env, &authority, which(&authority))?;
    match (refreshed, present) {
        (Ok(_), Some(crl)) => Ok(crl),
        (Err(error), Some(crl)) if crl.next_update > now => {
            tracing::error!(authority = %code, %error, "the new CRL was not issued; the present one is served");
            Ok(crl)
        }
        (Ok(_), None) => Err(StoreError::NotFound { what: "crl" }.into()),
        (Err(error), _) => Err(error),
    }
}

/// A list as it lies in the store, with its octets.
fn present(
    env: &Env,
    authority: &Authority,
    list: CrlList,
) -> Result<Option<SignedCrl>, StoreError> {
    env.store.read(|tx| {
        let Some(head) = tx.latest_crl_of(&authority.id, list)? else { return Ok(None) };
        Ok(tx.load_crl(&head)?.map(|der| SignedCrl { head, der }))
    })
}

/// Issues new lists now and gives the one of everything, or the first shard.
pub fn issue_crl(
    env: &Env,
    permit: &Permit<PublishStatus>,
    code: &AuthorityCode,
) -> Result<SignedCrl, CrlError> {
    Lists::default().issue_all(env, permit, code, &mut silent)?;
    current_crl(env, code)
}

/// Issues the last lists of an authority that is about to end: their nextUpdate never comes (DOMAIN
/// 13). Those that are there already stay. Gives the one of everything, or the first shard.
pub fn issue_last_crl(
    env: &Env,
    permit: &Permit<PublishStatus>,
    code: &AuthorityCode,
) -> Result<SignedCrl, CrlError> {
    let authority = load(env, code)?;
    let mut memory = Memory::new(authority.crl_shards);
    for list in authority.crl_shards.lists() {
        let there = env.store.read(|tx| tx.latest_crl_of(&authority.id, list))?;
        if there.is_none_or(|crl| crl.next_update != NEVER) {
            let origin = permit.origin();
            let last = Publication { env, origin, authority: &authority, list };
            last.publish(&mut memory, Until::Never, &mut silent)?;
        }
    }
    let first = *authority.crl_shards.lists().first().unwrap_or(&CrlList::Full);
    Ok(present(env, &authority, first)?.ok_or(StoreError::NotFound { what: "crl" })?)
}

fn load(env: &Env, code: &AuthorityCode) -> Result<Authority, CrlError> {
    let found = env.store.read(|tx| tx.find_authority(code.as_str()))?;
    let authority = found.ok_or(StoreError::NotFound { what: "authority" })?;
    match authority.state {
        // The old generation keeps signing its lists (RO-4).
        // One that ended keeps its last list.
        AuthorityState::Active
        | AuthorityState::Suspended
        | AuthorityState::Retiring
        | AuthorityState::Ended => Ok(authority),
        AuthorityState::Planned | AuthorityState::Ceremony | AuthorityState::Certified => {
            Err(Refusal::new(RefusalCode::AuthorityNotActive, "6.7")
                .with("authority", code)
                .with("state", authority.state)
                .into())
        }
    }
}

/// The lists of an authority that are missing, old, or do not tell the last change.
fn stale_lists(env: &Env, authority: &Authority, now: Timestamp) -> Result<Vec<CrlList>, CrlError> {
    let (heads, revisions) = env.store.read(|tx| {
        let lists = authority.crl_shards.lists();
        let heads = lists
            .into_iter()
            .map(|list| Ok((list, tx.latest_crl_of(&authority.id, list)?)))
            .collect::<Result<Vec<_>, StoreError>>()?;
        // One list: its revision tells. Several: what changed since the oldest of them, by shard.
        let from = heads.iter().map(|(_, head)| head.as_ref().map_or(0, |crl| crl.revision)).min();
        let mut revisions: HashMap<CrlList, i64> = HashMap::new();
        if authority.crl_shards == ShardCount::ONE {
            revisions.insert(CrlList::Full, tx.revocation_revision(&authority.id)?);
        } else {
            let mut after = from.unwrap_or_default();
            loop {
                let page = tx.revocations_after(&authority.id, after, 10_000)?;
                let Some(last) = page.last().map(|change| change.rev) else { break };
                for change in page {
                    let told_by = authority.crl_shards.list_of(&change.serial);
                    revisions.insert(told_by, change.rev);
                }
                after = last;
            }
        }
        Ok::<_, StoreError>((heads, revisions))
    })?;
    let stale = heads.into_iter().filter(|(list, head)| match head {
        // The last list of an authority that ended, or of one whose key is elsewhere.
        Some(crl) if is_given(authority, crl, now) => false,
        Some(crl) => {
            let last = revisions.get(list).copied().unwrap_or(0);
            crl.revision < last || crl.this_update.plus_days(REISSUE_DAYS) <= now
        }
        None => true,
    });
    Ok(stale.map(|(list, _)| list).collect())
}

/// Whether there is nothing newer to be had here: the last list, good for ever, or the list that an
/// offline key signed, as long as it is good.
fn is_given(authority: &Authority, crl: &IssuedCrl, now: Timestamp) -> bool {
    crl.next_update == NEVER || (authority.custody == Custody::Offline && crl.next_update > now)
}

/// How long a list is good for.
#[derive(Clone, Copy)]
enum Until {
    Days(i64),
    Never,
}

/// One list that is about to be issued.
struct Publication<'a> {
    env: &'a Env,
    origin: &'a Origin,
    authority: &'a Authority,
    list: CrlList,
}

/// What a list is put together from.
struct Material<'a> {
    shard: &'a Shard,
    number: i64,
    base: Option<&'a IssuedCrl>,
    this_update: Timestamp,
    next_update: Timestamp,
    previous: Option<&'a IssuedCrl>,
}

impl Publication<'_> {
    /// Issues the list, and the delta with it. `None` when another process was faster with a list
    /// that tells less: then it is tried again.
    fn publish(
        &self,
        memory: &mut Memory,
        until: Until,
        progress: Progress<'_>,
    ) -> Result<Option<Vec<IssuedCrl>>, CrlError> {
        let Self { env, origin, authority, list } = *self;
        let now = env.clock.now();
        memory.follow(env, authority, |read| progress(authority, list, CrlPhase::Collect(read)))?;
        let Some(shard) = memory.shard(shard_number(list)) else { return Ok(Some(Vec::new())) };
        let (previous, base) = env.store.read(|tx| {
            let previous = tx.latest_crl_of(&authority.id, list)?;
            let large = shard.entries.len() >= DELTA_FROM
                || tx.latest_crl_of(&authority.id, CrlList::Delta)?.is_some();
            let base = match (list, until, authority.kind) {
                (CrlList::Full, Until::Days(_), AuthorityKind::Issuing(_)) if large => {
                    tx.crl_base(&authority.id, now.plus_days(-REISSUE_DAYS))?
                }
                _ => None,
            };
            let base = match base {
                Some(base) if memory.changes_after(base.revision) > DELTA_MOST => previous.clone(),
                base => base,
            };
            Ok::<_, StoreError>((previous, base))
        })?;
        // Whatever the clock does: not before the list before, nor before what it tells.
        let this_update = now
            .floor()
            .max(previous.as_ref().map_or(Timestamp::EPOCH, |crl| crl.this_update))
            .max(shard.latest.unwrap_or(Timestamp::EPOCH));
        let next_update = match until {
            Until::Days(days) => this_update.plus_days(days),
            Until::Never => NEVER,
        };
        let number = env.store.write(|tx| tx.reserve_crl_number(&authority.id))?;
        let (previous, base) = (previous.as_ref(), base.as_ref());
        let material = Material { shard, number, base, this_update, next_update, previous };
        let complete = self.sign(&material, list, progress)?;
        let delta = match base {
            None => None,
            Some(base) => {
                let changes = changes_since(env, authority, base.revision, shard.revision)?;
                let previous =
                    env.store.read(|tx| tx.latest_crl_of(&authority.id, CrlList::Delta))?;
                let previous = previous.as_ref();
                let material = Material { shard: &changes, previous, ..material };
                Some(self.sign(&material, CrlList::Delta, progress)?)
            }
        };
        progress(authority, list, CrlPhase::Publish(shard.entries.len()));
        let revision = complete.revision;
        let issued: Vec<IssuedCrl> = [Some(&complete), delta.as_ref()]
            .into_iter()
            .flatten()
            .map(|c| c.head.clone())
            .collect();
        let events = [Some(complete), delta].into_iter().flatten();
        let events: Vec<Event> = events.map(|crl| Event::CrlIssued { crl }).collect();
        let stored = env.store.write(|tx| {
            events.iter().try_for_each(|event| tx.record(origin, now, event).map(drop))
        });
        match stored {
            Ok(()) => Ok(Some(issued)),
            Err(StoreError::Conflict { .. }) => {
                let other = env.store.read(|tx| tx.latest_crl_of(&authority.id, list))?;
                let other = other.filter(|other| other.revision >= revision);
                Ok(other.map(|other| vec![other]))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn sign(
        &self,
        material: &Material<'_>,
        list: CrlList,
        progress: Progress<'_>,
    ) -> Result<SignedCrl, CrlError> {
        let Self { env, authority, .. } = *self;
        let Material { shard, number, base, this_update, next_update, previous } = *material;
        let count = shard.entries.len();
        progress(authority, list, CrlPhase::Encode(count));
        let der = authority.certificate.as_deref().unwrap_or_default();
        let issuer = Certificate::parse(der)?.as_issuer()?;
        let address =
            |list| HttpUri::parse(&env.settings.public_address.crl_of(&authority.code, list));
        let unsigned = |number: i64| u64::try_from(number).unwrap_or_default();
        let freshest = address(CrlList::Delta)?;
        let (kind, shard_address) = match (list, base) {
            (CrlList::Delta, Some(base)) => (CrlKind::Delta { base: unsigned(base.number) }, None),
            (CrlList::Shard(_), _) => (CrlKind::Complete { freshest: None }, Some(address(list)?)),
            (CrlList::Full | CrlList::Delta, base) => {
                (CrlKind::Complete { freshest: base.map(|_| &freshest) }, None)
            }
        };
        let order = CrlOrder {
            issuer: &issuer,
            number: unsigned(number),
            previous: previous.map(|crl| unsigned(crl.number)),
            this_update,
            next_update,
            // Expired certificates stay on the list, from the authority's first day.
            expired_since: Some(authority.validity.not_before),
            kind,
            shard: shard_address.as_ref(),
            entries: &shard.entries,
        };
        let linted = lint(draft(&order), &order)?;
        progress(authority, list, CrlPhase::Sign(count));
        let signature = env.keys.sign(&authority.key, &Body::Crl(&linted))?;
        let der = linted.assemble(&signature)?;
        let head = IssuedCrl {
            authority: authority.id.clone(),
            list,
            base: base.filter(|_| list == CrlList::Delta).map(|base| base.number),
            number,
            this_update,
            next_update,
            revision: shard.revision,
            entries: i64::try_from(count).unwrap_or(i64::MAX),
            octets: i64::try_from(der.len()).unwrap_or(i64::MAX),
            digest: Digest::of(&der),
        };
        Ok(SignedCrl { head, der })
    }
}

/// The shard that a list is made of; that of everything is number 0.
const fn shard_number(list: CrlList) -> u32 {
    match list {
        CrlList::Full | CrlList::Delta => 0,
        CrlList::Shard(number) => number,
    }
}

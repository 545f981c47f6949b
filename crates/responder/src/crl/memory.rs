//! The entries of an authority's lists, encoded once and kept in memory. Read from the status log
//! page by page at first, and followed from there.

use std::collections::HashSet;

use tenkoku_domain::authority::{Authority, ShardCount};
use tenkoku_domain::certificate::Serial;
use tenkoku_domain::revocation::ReasonCode;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::crl::{Entry, EntryList};
use tenkoku_ports::Env;
use tenkoku_store::{StatusChange, StoreError, Told};

/// Changes read at once.
const PAGE: i64 = 10_000;

/// The entries of one list.
#[derive(Debug, Default)]
pub(super) struct Shard {
    pub(super) entries: EntryList,
    /// Those on hold: only their entries ever change or go.
    held: HashSet<Serial>,
    /// The last change that is in it.
    pub(super) revision: i64,
    /// The latest revocation date in it; a list cannot be older.
    pub(super) latest: Option<Timestamp>,
}

/// Everything revoked or on hold of one authority.
#[derive(Debug)]
pub(super) struct Memory {
    count: ShardCount,
    shards: Vec<Shard>,
    /// The last change that was followed.
    revision: i64,
    /// The numbers of all changes that were followed, rising.
    changes: Vec<i64>,
}

impl Memory {
    /// Nothing yet.
    pub(super) fn new(count: ShardCount) -> Self {
        let shards = count.lists().iter().map(|_| Shard::default()).collect();
        Self { count, shards, revision: 0, changes: Vec::new() }
    }

    /// Follows the log to its present end. `collected` is told how many changes were read so far.
    pub(super) fn follow(
        &mut self,
        env: &Env,
        authority: &Authority,
        mut collected: impl FnMut(usize),
    ) -> Result<(), StoreError> {
        let mut read = 0;
        loop {
            let after = self.revision;
            let page = env.store.read(|tx| tx.revocations_after(&authority.id, after, PAGE))?;
            let Some(last) = page.last().map(|change| change.rev) else { return Ok(()) };
            read += page.len();
            for change in page {
                self.apply(change);
            }
            self.revision = last;
            collected(read);
        }
    }

    /// How many changes came after one.
    pub(super) fn changes_after(&self, revision: i64) -> usize {
        self.changes.len() - self.changes.partition_point(|rev| *rev <= revision)
    }

    /// One shard by its number; the list of everything is shard 0.
    pub(super) fn shard(&self, number: u32) -> Option<&Shard> {
        self.shards.get(usize::try_from(number).ok()?)
    }

    fn apply(&mut self, change: StatusChange) {
        let StatusChange { rev, serial, told, .. } = change;
        self.changes.push(rev);
        let number = usize::try_from(self.count.shard_of(&serial)).unwrap_or_default();
        let Some(shard) = self.shards.get_mut(number) else { return };
        if shard.held.remove(&serial) {
            shard.entries.remove(&serial);
        }
        shard.revision = rev;
        if let Told::Revoked(revocation) = told {
            let entry = Entry::of(serial, &revocation);
            if entry.reason == ReasonCode::CertificateHold {
                shard.held.insert(entry.serial.clone());
            }
            shard.latest = shard.latest.max(Some(entry.at));
            shard.entries.push(&entry);
        }
    }
}

/// What changed after a list, each certificate once, with what is true of it now: the entries of a
/// delta (RFC 5280, 5.2.4).
pub(super) fn changes_since(
    env: &Env,
    authority: &Authority,
    base: i64,
    until: i64,
) -> Result<Shard, StoreError> {
    let mut last: Vec<(Serial, Entry)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    let mut after = base;
    loop {
        let page = env.store.read(|tx| tx.revocations_after(&authority.id, after, PAGE))?;
        let Some(end) = page.last().map(|change| change.rev) else { break };
        for StatusChange { serial, told, at, .. } in
            page.into_iter().filter(|change| change.rev <= until)
        {
            let entry = match told {
                Told::Revoked(revocation) => Entry::of(serial.clone(), &revocation),
                Told::Released | Told::Issued | Told::SignerIssued => {
                    Entry::removed(serial.clone(), at.floor())
                }
            };
            let place = *places.entry(serial.clone()).or_insert(last.len());
            match last.get_mut(place) {
                Some(known) => known.1 = entry,
                None => last.push((serial, entry)),
            }
        }
        after = end;
    }
    let mut shard = Shard { revision: until, ..Shard::default() };
    for (_, entry) in &last {
        shard.latest = shard.latest.max(Some(entry.at));
        shard.entries.push(entry);
    }
    Ok(shard)
}

//! What was recorded in a transaction and is written at its end: the audit records, the changes of
//! status, the letters and the jobs of all events together.
//!
//! The end of the chain and the counters are locked for that moment only, whatever the number of
//! events. What reads any of these tables in a transaction that also records calls
//! [`Tx::settle`] first.

use tenkoku_domain::access::Origin;
use tenkoku_domain::audit::Event;
use tenkoku_domain::time::Timestamp;

use crate::error::StoreError;
use crate::notices::Addressed;
use crate::status::{Change, StatusChange};
use crate::tx::Tx;

/// What is written at the end.
pub(crate) enum Entry {
    /// An event that was applied to the rows of its objects.
    Event(Box<Recorded>),
    /// Work that was ordered.
    Job { kind: String, object: String, due_at: Timestamp },
}

/// An event that was applied to the rows of its objects.
pub(crate) struct Recorded {
    pub(crate) origin: Origin,
    pub(crate) at: Timestamp,
    pub(crate) event: Event,
    pub(crate) letters: Vec<Addressed>,
}

/// What was recorded, in its order.
#[derive(Default)]
pub(crate) struct Ledger {
    entries: Vec<Entry>,
    /// How many of them are written.
    written: usize,
    /// Changes of status that wait for their numbers while entries are written.
    changes: Vec<Change>,
    /// The changes of status that were logged.
    logged: Vec<StatusChange>,
}

/// A place in a ledger to which it can go back.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    entries: usize,
    written: usize,
    logged: usize,
}

impl Ledger {
    /// Notes something to be written at the end.
    pub(crate) fn note(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Notes a change of status that follows from an event.
    pub(crate) fn change(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Whether no change of status was logged yet.
    pub(crate) fn tells_nothing(&self) -> bool {
        self.logged.is_empty()
    }

    /// Notes changes of status that were logged.
    pub(crate) fn tell(&mut self, changes: impl IntoIterator<Item = StatusChange>) {
        self.logged.extend(changes);
    }

    /// The changes of status that were logged.
    pub(crate) fn into_changes(self) -> Vec<StatusChange> {
        self.logged
    }

    /// Where the ledger is now.
    pub(crate) fn mark(&self) -> Mark {
        Mark { entries: self.entries.len(), written: self.written, logged: self.logged.len() }
    }

    /// Forgets what came after a mark; the database has taken it back too, what it had written of
    /// what came before included.
    pub(crate) fn go_back(&mut self, mark: Mark) {
        self.entries.truncate(mark.entries);
        self.written = mark.written;
        self.changes.clear();
        self.logged.truncate(mark.logged);
    }
}

impl Tx<'_> {
    /// Writes what was recorded so far. When it fails the transaction will not be kept.
    pub(crate) fn settle(&mut self) -> Result<(), StoreError> {
        let from = self.ledger.written;
        if from >= self.ledger.entries.len() {
            return Ok(());
        }
        self.change(|tx| {
            // Nothing is added to them meanwhile; they stay, for a part that is taken back later.
            let entries = std::mem::take(&mut tx.ledger.entries);
            let settled = tx.write_entries(entries.get(from..).unwrap_or_default());
            tx.ledger.written = entries.len();
            tx.ledger.entries = entries;
            settled
        })
    }

    fn write_entries(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        let head = self.lock_head()?;
        for entry in entries {
            match entry {
                Entry::Event(recorded) => {
                    self.follow(recorded.at, &recorded.event)?;
                    self.insert_notices(&recorded.letters, recorded.at)?;
                }
                Entry::Job { kind, object, due_at } => self.queue_job(kind, object, *due_at)?,
            }
        }
        let changes = std::mem::take(&mut self.ledger.changes);
        self.log_all(changes)?;
        let recorded = entries.iter().filter_map(|entry| match entry {
            Entry::Event(recorded) => Some(&**recorded),
            Entry::Job { .. } => None,
        });
        self.append(head, recorded)
    }
}

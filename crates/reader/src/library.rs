//! What is in force now, read once and asked often: this installation's own lists and those of
//! others, and which services they list for a certificate.
//!
//! Every list is cited by what it was read from: an own sequence, or a snapshot. Lists are read again
//! from their octets, and their signature verified, when they are first asked for; nothing else than
//! what was signed is ever shown.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tenkoku_domain::canonical::Digest;
use tenkoku_domain::followed::FollowedList;
use tenkoku_domain::id::SnapshotId;
use tenkoku_domain::time::Timestamp;
use tenkoku_store::{StoreError, Tx};
use tenkoku_tsl::certificate::Certificate;
use tenkoku_tsl::follow::Freshness;
use tenkoku_tsl::index::{Answer, Index};
use tenkoku_tsl::model::{TrustedList, Uri};
use tenkoku_tsl::verify::{Refusal, VerifiedList, verify};

/// Lists that are kept in memory beyond those in force: former sequences that people look at.
const FORMER: usize = 8;

/// Why a list is not shown.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// What was kept does not verify any more: somebody changed it.
    #[error("a list that was kept does not verify: {0}")]
    Kept(#[from] Refusal),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where a list was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Citation {
    /// What the list is called here: the code of the own scheme, or that of the followed list.
    pub list: String,
    /// Its sequence number.
    pub sequence: i64,
    /// The snapshot; nothing for an own list, which its sequence number identifies.
    pub snapshot: Option<SnapshotId>,
    /// SHA-256 of the octets.
    pub digest: Digest,
}

/// A list with its citation.
#[derive(Clone, Debug)]
pub struct Book {
    /// Where it was read from.
    pub citation: Citation,
    /// The size of its octets.
    pub octets: usize,
    /// Who signed it, when, and what it says.
    pub verified: Arc<VerifiedList>,
    /// How it stands, for a list of others.
    pub followed: Option<FollowedList>,
}

impl Book {
    /// What the list says.
    pub fn list(&self) -> &TrustedList {
        self.verified.list()
    }

    /// How current it is.
    pub fn freshness(&self, now: Timestamp) -> Freshness {
        Freshness::of(&self.list().scheme, now)
    }
}

/// The lists in force, and the index of what they list.
#[derive(Debug, Default)]
pub struct Shelf {
    books: Vec<Book>,
    index: Index,
}

impl Shelf {
    /// The lists, the installation's own first, then by code.
    pub fn books(&self) -> &[Book] {
        &self.books
    }

    /// The list that a place of an answer is in.
    pub fn book(&self, place: tenkoku_tsl::index::Place) -> Option<&Book> {
        self.books.get(place.list)
    }

    /// What is listed for a certificate at an instant, for services of the types that `wanted`
    /// accepts.
    pub fn standing(
        &self,
        certificate: &Certificate,
        at: Timestamp,
        wanted: impl Fn(&Uri) -> bool,
    ) -> Answer<'_> {
        self.index.standing(certificate, at, wanted)
    }
}

/// What was read, shared by all who ask.
#[derive(Debug, Default)]
pub struct Library {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    shelf: Arc<Shelf>,
    /// By digest: nothing is read twice while it is in force.
    read: BTreeMap<Digest, Arc<VerifiedList>>,
    /// Former lists, the last one asked for at the end.
    former: Vec<(Digest, Arc<VerifiedList>)>,
}

/// What is in force, before it is read.
struct Due {
    citation: Citation,
    followed: Option<FollowedList>,
}

impl Library {
    /// The lists in force now.
    ///
    /// # Errors
    /// [`LibraryError`]; one of the installation's own or kept lists that does not verify is a fault
    /// that nobody works around.
    pub fn shelf(&self, tx: &mut Tx<'_>) -> Result<Arc<Shelf>, LibraryError> {
        let due = in_force(tx)?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let unchanged = due.len() == state.shelf.books.len()
            && due
                .iter()
                .zip(&state.shelf.books)
                .all(|(due, book)| due.citation == book.citation && due.followed == book.followed);
        if unchanged {
            return Ok(Arc::clone(&state.shelf));
        }
        let mut books = Vec::new();
        for Due { citation, followed } in due {
            let known = state.read.get(&citation.digest).map(Arc::clone);
            let known = known.zip(octets_known(&state.shelf, &citation.digest));
            let (verified, octets) = if let Some(known) = known {
                known
            } else {
                let xml = octets(tx, &citation)?;
                (Arc::new(verify(&xml)?), xml.len())
            };
            books.push(Book { citation, octets, verified, followed });
        }
        state.read =
            books.iter().map(|book| (book.citation.digest, Arc::clone(&book.verified))).collect();
        let lists: Vec<_> = books.iter().map(|book| book.verified.shared_list()).collect();
        state.shelf = Arc::new(Shelf { index: Index::new(lists), books });
        Ok(Arc::clone(&state.shelf))
    }

    /// A list, in force or former, read from these octets.
    ///
    /// # Errors
    /// [`LibraryError::Kept`].
    pub fn read(&self, digest: Digest, xml: &[u8]) -> Result<Arc<VerifiedList>, LibraryError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = state.read.get(&digest) {
            return Ok(Arc::clone(known));
        }
        let found = match state.former.iter().position(|(known, _)| *known == digest) {
            Some(at) => state.former.remove(at).1,
            None => Arc::new(verify(xml)?),
        };
        state.former.push((digest, Arc::clone(&found)));
        let over = state.former.len().saturating_sub(FORMER);
        state.former.drain(..over);
        Ok(found)
    }
}

fn octets_known(shelf: &Shelf, digest: &Digest) -> Option<usize> {
    shelf.books.iter().find(|book| book.citation.digest == *digest).map(|book| book.octets)
}

/// What is in force: the own lists, then those of others that were good once and still count.
fn in_force(tx: &mut Tx<'_>) -> Result<Vec<Due>, StoreError> {
    let mut due = Vec::new();
    for scheme in tx.list_schemes()? {
        if let Some((sequence, digest)) = tx.latest_list_head(&scheme)? {
            let citation = Citation { list: scheme, sequence, snapshot: None, digest };
            due.push(Due { citation, followed: None });
        }
    }
    for list in tx.list_followed()?.into_iter().filter(|list| list.dropped_at.is_none()) {
        let Some(id) = &list.snapshot else { continue };
        let Some(head) = tx.find_snapshot_head(id)? else { continue };
        let citation = Citation {
            list: list.code.to_string(),
            sequence: head.sequence,
            snapshot: Some(head.id),
            digest: head.digest,
        };
        due.push(Due { citation, followed: Some(list) });
    }
    Ok(due)
}

fn octets(tx: &mut Tx<'_>, citation: &Citation) -> Result<Vec<u8>, StoreError> {
    let gone = StoreError::NotFound { what: "list" };
    match &citation.snapshot {
        Some(id) => Ok(tx.load_snapshot(id)?.xml),
        None => Ok(tx.find_list(&citation.list, citation.sequence)?.ok_or(gone)?.xml),
    }
}

//! From a certificate in an official journal to the lists that may be believed (TS 119 615, 4.1
//! and 4.2).
//!
//! A list of lists is believed when its signer leads back, pivot by pivot, to the certificates that
//! the journal published; a list that it points at is believed when one of the pointer's
//! certificates signed it. Every failure has its own name.
//! Deliberately not in this module: fetching; it is given bytes. Which addresses it needs is told by
//! [`pivots`].

use thiserror::Error;

use crate::certificate::Certificate;
use crate::model::{NextUpdate, Pointer, SchemeInformation, Uri};
use crate::verify::{Refusal, VerifiedList, verify};
use tenkoku_domain::time::Timestamp;

/// What was taken from an official journal, by a person, before the first list was read.
#[derive(Clone, Debug)]
pub struct Journal {
    /// The address of the publication, as the list of lists writes it.
    pub address: Uri,
    /// The certificates published there.
    pub certificates: Vec<Certificate>,
}

/// Why a list of lists is not believed.
#[derive(Debug, Error)]
pub enum LotlFault {
    /// The list of lists itself is refused.
    #[error("the list of lists is refused: {0}")]
    Refused(#[source] Refusal),
    /// It does not name the configured journal, so nothing leads from it to the anchors.
    #[error("the list of lists does not name the journal {0}")]
    JournalNotNamed(Uri),
    /// Something else than a pivot stands above the configured journal: a newer publication, which a
    /// person must look at before its certificates count.
    #[error(
        "the list of lists names a newer publication, {0}; a person must take its certificates over"
    )]
    NewJournal(Uri),
    /// A pivot is needed that was not given.
    #[error("the pivot {0} is missing")]
    PivotMissing(Uri),
    /// A pivot is refused.
    #[error("the pivot {address} is refused: {refusal}")]
    PivotRefused {
        /// The pivot.
        address: Uri,
        /// Why.
        #[source]
        refusal: Refusal,
    },
    /// A list of lists, or a pivot, does not point at the list of lists.
    #[error("{0} does not point at the list of lists")]
    NoPointerToItself(String),
    /// A signer is not among those that the next older pivot, or the list itself, announces.
    #[error("\"{signer}\" is not announced by {by}")]
    NotAnnounced {
        /// The signer's subject.
        signer: String,
        /// The list that should announce it.
        by: String,
    },
    /// The chain ends with a signer whom the journal did not publish.
    #[error("\"{0}\" is not among the certificates of the journal")]
    NotInJournal(String),
    /// The next list should have been there by then (PRO-4.1.4-13).
    #[error("the list of lists was to be replaced by {0}")]
    Stale(Timestamp),
    /// The list of lists is closed: it vouches for nothing any more.
    #[error("the list of lists is closed")]
    Closed,
}

/// A list of lists that is believed.
#[derive(Clone, Debug)]
pub struct ListOfLists {
    verified: VerifiedList,
}

/// Why a list that is pointed at is not believed.
#[derive(Debug, Error)]
pub enum PointedFault {
    /// No pointer for machines leads to that territory.
    #[error("no pointer leads to a list of {0}")]
    NoPointer(String),
    /// The list is refused, or somebody signed it whom the pointer does not name.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It is the list of another territory.
    #[error("the list is of {found}, and the pointer is to {expected}")]
    Territory {
        /// What the pointer says.
        expected: String,
        /// What the list says.
        found: String,
    },
}

/// A list that is pointed at and believed.
#[derive(Clone, Debug)]
pub struct PointedList {
    /// The list.
    pub verified: VerifiedList,
    /// How current it is; neither a stale nor a closed list is refused (PRO-4.2.4-10), but people
    /// are told.
    pub freshness: Freshness,
}

/// How current a list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Its next update lies ahead.
    Current,
    /// Its next update lies behind.
    Stale,
    /// There will be no next update.
    Closed,
}

impl Freshness {
    /// How current the list is at that time.
    pub fn of(scheme: &SchemeInformation, at: Timestamp) -> Self {
        match scheme.next_update {
            NextUpdate::Closed => Self::Closed,
            NextUpdate::By(next) if next < at => Self::Stale,
            NextUpdate::By(_) => Self::Current,
        }
    }
}

/// The pivots that lead from the list to the journal, the newest first, in document order.
///
/// # Errors
///
/// [`LotlFault::JournalNotNamed`] and [`LotlFault::NewJournal`].
pub fn pivots<'s>(scheme: &'s SchemeInformation, journal: &Uri) -> Result<Vec<&'s Uri>, LotlFault> {
    let mut pivots = Vec::new();
    for entry in scheme.information.entries() {
        let address = &entry.value;
        if address == journal {
            return Ok(pivots);
        }
        let ending = address.as_str().rsplit('.').next();
        if !(address.as_str().starts_with("https://") && ending == Some("xml")) {
            // Pages about the scheme stand below the journal; so this is another publication.
            let named = scheme.information.entries().iter().any(|entry| entry.value == *journal);
            return Err(if named {
                LotlFault::NewJournal(address.clone())
            } else {
                LotlFault::JournalNotNamed(journal.clone())
            });
        }
        pivots.push(address);
    }
    Err(LotlFault::JournalNotNamed(journal.clone()))
}

impl ListOfLists {
    /// Verifies a list of lists back to the journal. `fetched` gives the bytes of a pivot.
    ///
    /// # Errors
    ///
    /// The [`LotlFault`] that names what is wrong.
    pub fn verify<'b>(
        bytes: &[u8],
        fetched: impl Fn(&Uri) -> Option<&'b [u8]>,
        journal: &Journal,
        at: Timestamp,
    ) -> Result<Self, LotlFault> {
        let verified = verify(bytes).map_err(LotlFault::Refused)?;
        let scheme = &verified.list().scheme;
        let pivots = pivots(scheme, &journal.address)?;
        let mut signer = verified.signer().clone();
        if pivots.is_empty() {
            announced(&signer, scheme, "the list of lists itself")?;
        }
        for address in pivots {
            let missing = || LotlFault::PivotMissing(address.clone());
            let pivot = verify(fetched(address).ok_or_else(missing)?)
                .map_err(|refusal| LotlFault::PivotRefused { address: address.clone(), refusal })?;
            announced(&signer, &pivot.list().scheme, address.as_str())?;
            announced(pivot.signer(), &pivot.list().scheme, address.as_str())?;
            signer = pivot.signer().clone();
        }
        if !journal.certificates.contains(&signer) {
            return Err(LotlFault::NotInJournal(signer.subject()));
        }
        match scheme.next_update {
            NextUpdate::By(next) if next < at => Err(LotlFault::Stale(next)),
            NextUpdate::Closed => Err(LotlFault::Closed),
            NextUpdate::By(_) => Ok(Self { verified }),
        }
    }

    /// The list.
    pub fn verified(&self) -> &VerifiedList {
        &self.verified
    }

    /// The list, to be kept.
    pub fn into_verified(self) -> VerifiedList {
        self.verified
    }

    /// Where the list of lists says that it is; another address than the one in use moves it.
    pub fn location(&self) -> Option<&Uri> {
        pointer_to_itself(&self.verified.list().scheme).map(|pointer| &pointer.location)
    }

    /// The pointers for machines, each to the list of one territory.
    pub fn pointers(&self) -> impl Iterator<Item = &Pointer> {
        let scheme = &self.verified.list().scheme;
        scheme.pointers.iter().filter(|pointer| pointer.is_for_machines())
    }

    /// The pointer to the list of a territory.
    ///
    /// # Errors
    ///
    /// [`PointedFault::NoPointer`].
    pub fn pointer(&self, territory: &str) -> Result<&Pointer, PointedFault> {
        pointer_to(&self.verified.list().scheme, territory)
            .ok_or_else(|| PointedFault::NoPointer(territory.to_owned()))
    }
}

impl PointedList {
    /// Verifies a list against the pointer that led to it.
    ///
    /// # Errors
    ///
    /// The [`PointedFault`] that names what is wrong.
    pub fn verify(bytes: &[u8], pointer: &Pointer, at: Timestamp) -> Result<Self, PointedFault> {
        let signers: Vec<_> = pointer.signers().cloned().collect();
        let verified = verify(bytes)?;
        verified.require_signer(&signers)?;
        let scheme = &verified.list().scheme;
        if let Some(expected) = pointer.territory().filter(|place| **place != scheme.territory) {
            return Err(PointedFault::Territory {
                expected: expected.to_string(),
                found: scheme.territory.to_string(),
            });
        }
        let freshness = Freshness::of(scheme, at);
        Ok(Self { verified, freshness })
    }
}

/// The pointer for machines to the list of a territory.
pub fn pointer_to<'s>(scheme: &'s SchemeInformation, territory: &str) -> Option<&'s Pointer> {
    scheme.pointers.iter().find(|pointer| {
        pointer.is_for_machines()
            && pointer.territory().is_some_and(|found| found.as_str() == territory)
    })
}

/// The pointer of a list of lists at itself, which names its present and next signers.
fn pointer_to_itself(scheme: &SchemeInformation) -> Option<&Pointer> {
    scheme.pointers.iter().find(|pointer| {
        pointer.is_for_machines()
            && pointer.territory() == Some(&scheme.territory)
            && pointer.list_type() == Some(&scheme.list_type)
    })
}

fn announced(signer: &Certificate, scheme: &SchemeInformation, by: &str) -> Result<(), LotlFault> {
    let pointer =
        pointer_to_itself(scheme).ok_or_else(|| LotlFault::NoPointerToItself(by.to_owned()))?;
    if pointer.signers().any(|announced| announced == signer) {
        Ok(())
    } else {
        Err(LotlFault::NotAnnounced { signer: signer.subject(), by: by.to_owned() })
    }
}

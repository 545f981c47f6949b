//! Whether a document is the list that was asked for, and why not, in the words of
//! [`ListProblem`]. No web, no store.

use tenkoku_domain::followed::{ListProblem, ListTrust};
use tenkoku_domain::time::Timestamp;
use tenkoku_fetch::FetchError;
use tenkoku_tsl::certificate::Certificate;
use tenkoku_tsl::follow::{
    Freshness, Journal, ListOfLists, LotlFault, PointedFault, PointedList, pivots,
};
use tenkoku_tsl::model::{Pointer, Uri};
use tenkoku_tsl::verify::{Refusal, VerifiedList, verify};

/// Why a list does not count, or is to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) problem: ListProblem,
    pub(crate) detail: String,
}

impl Trouble {
    pub(crate) fn new(problem: ListProblem, detail: impl ToString) -> Self {
        Self { problem, detail: detail.to_string() }
    }
}

impl From<FetchError> for Trouble {
    fn from(error: FetchError) -> Self {
        let problem = match &error {
            FetchError::Forbidden { .. } => ListProblem::Forbidden,
            FetchError::TooLarge(_) => ListProblem::TooLarge,
            FetchError::TooSlow(_) => ListProblem::TooSlow,
            FetchError::Redirects(_)
            | FetchError::Status(_)
            | FetchError::Coding(_)
            | FetchError::UnknownHost
            | FetchError::Connection(_) => ListProblem::Unreachable,
        };
        Self::new(problem, error)
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        let problem = match &refusal {
            Refusal::UnexpectedSigner(_) => ListProblem::Signer,
            Refusal::Xml(_)
            | Refusal::NotAList(_)
            | Refusal::Version(_)
            | Refusal::CriticalExtension(_)
            | Refusal::NoSignature
            | Refusal::SeveralSignatures
            | Refusal::Wrapped(_)
            | Refusal::NotLast
            | Refusal::CommentInValue(_)
            | Refusal::Shape(_)
            | Refusal::ExternalReference(_)
            | Refusal::PartialReference(_)
            | Refusal::Transform(_)
            | Refusal::Canonicalisation(_)
            | Refusal::DigestAlgorithm(_)
            | Refusal::SignatureAlgorithm(_)
            | Refusal::CertificateCount(_)
            | Refusal::Certificate(_)
            | Refusal::CertificateReference
            | Refusal::OtherCertificate
            | Refusal::Digest(_)
            | Refusal::WeakKey
            | Refusal::Signature => ListProblem::Refused,
        };
        Self::new(problem, refusal)
    }
}

impl From<PointedFault> for Trouble {
    fn from(fault: PointedFault) -> Self {
        match fault {
            PointedFault::Refused(refusal) => refusal.into(),
            PointedFault::NoPointer(_) | PointedFault::Territory { .. } => {
                Self::new(ListProblem::Territory, fault)
            }
        }
    }
}

impl From<LotlFault> for Trouble {
    fn from(fault: LotlFault) -> Self {
        let problem = match &fault {
            LotlFault::Refused(_) => ListProblem::Refused,
            LotlFault::JournalNotNamed(_) | LotlFault::NotInJournal(_) => ListProblem::Journal,
            LotlFault::NewJournal(_) => ListProblem::NewJournal,
            LotlFault::PivotMissing(_) | LotlFault::PivotRefused { .. } => ListProblem::Pivot,
            LotlFault::NoPointerToItself(_) | LotlFault::NotAnnounced { .. } => ListProblem::Signer,
            LotlFault::Stale(_) => ListProblem::Stale,
            LotlFault::Closed => ListProblem::Closed,
        };
        Self::new(problem, fault)
    }
}

/// A list that counts, and what people must be told although it does.
pub(crate) struct Judged {
    pub(crate) verified: VerifiedList,
    pub(crate) warning: Option<Trouble>,
    /// Where it says that it is, if that is told.
    pub(crate) location: Option<String>,
}

/// What a source's list is judged by.
pub(crate) enum Ground {
    /// A list of lists and the journal.
    Journal(Journal),
    /// Certificates, one of which must have signed.
    Signers(Vec<Certificate>),
}

impl Ground {
    /// The ground that people agreed to. Anchors that cannot be read are none; they were read when
    /// they were agreed to.
    pub(crate) fn of(trust: &ListTrust) -> Result<Self, Trouble> {
        let certificates = trust.anchors().iter();
        let certificates: Vec<_> =
            certificates.filter_map(|der| Certificate::from_der(&der.0).ok()).collect();
        Ok(match trust {
            ListTrust::Signers { .. } => Self::Signers(certificates),
            ListTrust::Journal { address, .. } => {
                let address =
                    Uri::new(address).map_err(|error| Trouble::new(ListProblem::Journal, error))?;
                Self::Journal(Journal { address, certificates })
            }
        })
    }

    /// The pivots that are needed to believe a document; their addresses are as good as unread.
    pub(crate) fn pivots(&self, octets: &[u8]) -> Result<Vec<String>, Trouble> {
        let Self::Journal(journal) = self else { return Ok(Vec::new()) };
        let verified = verify(octets)?;
        let needed = pivots(&verified.list().scheme, &journal.address)?;
        Ok(needed.into_iter().map(ToString::to_string).collect())
    }

    /// Judges the document of a source; `kept` gives a pivot.
    pub(crate) fn judge<'k>(
        &self,
        octets: &[u8],
        kept: impl Fn(&str) -> Option<&'k [u8]>,
        now: Timestamp,
    ) -> Result<Judged, Trouble> {
        match self {
            Self::Journal(journal) => {
                let pivot = |address: &Uri| kept(address.as_str());
                let lists = ListOfLists::verify(octets, pivot, journal, now)?;
                let location = lists.location().map(ToString::to_string);
                Ok(Judged { verified: lists.into_verified(), warning: None, location })
            }
            Self::Signers(signers) => {
                let verified = verify(octets)?;
                verified.require_signer(signers)?;
                let freshness = Freshness::of(&verified.list().scheme, now);
                Ok(Judged { warning: warning(freshness), verified, location: None })
            }
        }
    }
}

/// Judges a list by the pointer that leads to it.
pub(crate) fn judge_pointed(
    octets: &[u8],
    pointer: &Pointer,
    now: Timestamp,
) -> Result<Judged, Trouble> {
    let PointedList { verified, freshness } = PointedList::verify(octets, pointer, now)?;
    Ok(Judged { verified, warning: warning(freshness), location: None })
}

/// A stale list is not refused (PRO-4.2.4-10), but people are told. A closed one is what its operator
/// wanted.
fn warning(freshness: Freshness) -> Option<Trouble> {
    match freshness {
        Freshness::Current | Freshness::Closed => None,
        Freshness::Stale => Some(Trouble::new(ListProblem::Stale, "its next update has passed")),
    }
}

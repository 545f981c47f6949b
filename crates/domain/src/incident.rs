//! Incidents: what people must look into, because two persons hold or seem to hold one private
//! key, or because a key is known to be exposed (DOMAIN 8.3, 8.5).

use serde::{Deserialize, Serialize};

use crate::id::{ApplicationId, CertificateId, IncidentId, OrganisationId};
use crate::key::{Fingerprint, words};
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

words! {
    /// What happened.
    IncidentKind {
        /// A branch showed possession of the key of another branch of its organisation.
        SiblingKey = "sibling-key",
        /// An applicant showed possession of the key of another organisation, of an authority or
        /// of a service.
        ForeignKey = "foreign-key",
        /// An applicant showed possession of a key that another authority's feed names.
        FeedKey = "feed-key",
        /// An applicant showed possession of a published or blocked key, or a key in use came
        /// onto such a list.
        BlockedKey = "blocked-key",
        /// The platform's key device did not hold a new key as KM-10 demands; the key was destroyed.
        WrongAttributes = "wrong-attributes",
    }
}

words! {
    /// State of an incident.
    IncidentState {
        /// Somebody must look into it.
        Open = "open",
        /// Decided.
        Closed = "closed",
    }
}

words! {
    /// How an incident was decided.
    IncidentDecision {
        /// The key is exposed; what rested on it was revoked.
        KeyExposed = "key-exposed",
        /// There is one holder and no copy; suspensions were lifted.
        NoCopy = "no-copy",
        /// A mistake of the applicant, without consequence for the first holder.
        Mistake = "mistake",
    }
}

/// An incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Identifier.
    pub id: IncidentId,
    /// What happened.
    pub kind: IncidentKind,
    /// The key.
    pub fingerprint: Fingerprint,
    /// The application that met it; empty where a list or a feed did.
    pub application: Option<ApplicationId>,
    /// The organisations concerned: the applicant's and the first holder's.
    pub organisations: Vec<OrganisationId>,
    /// Live certificates over the key when it was opened.
    pub certificates: Vec<CertificateId>,
    /// Who must be told, by role and place: `custodian/brn_…`, `organisation-administrator/org_…`,
    /// `registration-officer`, `ca-officer`. Letters are made from it.
    pub told: Vec<String>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// How and when it was decided, while it is closed.
    pub closed: Option<IncidentClosing>,
}

/// The end of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentClosing {
    /// The decision.
    pub decision: IncidentDecision,
    /// The words of whoever decided.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl Incident {
    /// Its state.
    pub const fn state(&self) -> IncidentState {
        match self.closed {
            None => IncidentState::Open,
            Some(_) => IncidentState::Closed,
        }
    }

    /// Decides it, once.
    pub fn close(&self, closing: IncidentClosing) -> Result<Self, Refusal> {
        match self.closed {
            None => Ok(Self { closed: Some(closing), ..self.clone() }),
            Some(_) => Err(Refusal::new(RefusalCode::StateConflict, "8.3")
                .with("incident", &self.id)
                .with("state", IncidentState::Closed)),
        }
    }
}

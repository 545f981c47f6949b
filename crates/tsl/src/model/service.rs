//! Trust services and their past states (TS 119 612, 5.5 and 5.6).
//!
//! Deliberately not here: qualifications and takeovers.

use super::{Identity, Language, Names, Pages, PastIdentity, Text, Uri};
use tenkoku_domain::time::Timestamp;

/// A service as it is now, and as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// What the service does (5.5.1).
    pub service_type: Uri,
    /// Its name (5.5.2).
    pub name: Names,
    /// Its key (5.5.3).
    pub identity: Identity,
    /// Its status (5.5.4).
    pub status: Uri,
    /// Since when it has this status, cut to the second (5.5.5).
    pub status_start: Timestamp,
    /// The operator's page on the service (5.5.6).
    pub scheme_definition: Option<Pages>,
    /// Where the service is reached (5.5.7).
    pub supply_points: Vec<SupplyPoint>,
    /// The provider's page on the service (5.5.8).
    pub provider_definition: Option<Pages>,
    /// What else is said about the service (5.5.9).
    pub extensions: Vec<Extension>,
    /// Former states, the newest first (5.5.10).
    pub history: Vec<PastState>,
}

/// A state that the service had before (5.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastState {
    /// What the service did (5.6.1).
    pub service_type: Uri,
    /// Its name then (5.6.2).
    pub name: Names,
    /// Its key, without certificate (5.6.3).
    pub identity: PastIdentity,
    /// Its status then (5.6.4).
    pub status: Uri,
    /// When that status began, cut to the second (5.6.5).
    pub status_start: Timestamp,
    /// What else was said about it (5.6.6).
    pub extensions: Vec<Extension>,
}

/// An address of the service (5.5.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupplyPoint {
    /// What is found there, such as `…/Svctype/Certstatus/OCSP` (list version 6).
    pub kind: Option<Uri>,
    /// The address.
    pub address: Uri,
}

/// What is said about a service beyond its status (5.5.9). None of these is critical.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extension {
    /// `AdditionalServiceInformation`: one value, such as `…/SvcInfoExt/ForeSeals` (5.5.9.4).
    AdditionalServiceInformation {
        /// The language of the page behind the address.
        language: Language,
        /// The value.
        uri: Uri,
        /// A code that narrows the value down.
        value: Option<Text>,
    },
    /// `ExpiredCertsRevocationInfo`: revocations of certificates that expired at or after this
    /// instant are still told (5.5.9.1).
    ExpiredCertsRevocationInfo(Timestamp),
}

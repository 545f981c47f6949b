//! The list as a whole and what it says about its scheme (TS 119 612, 5.3).
//!
//! Deliberately not here: the version; a list is written in version 6, whichever it was read in.

use super::{Address, Extension, Names, Pages, Pointer, Provider, Territory, Uri};
use tenkoku_domain::time::Timestamp;

/// A trusted list before it is checked and signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedList {
    /// What the list says about the scheme and about itself.
    pub scheme: SchemeInformation,
    /// The approved providers; none when nobody was ever approved (5.3.18).
    pub providers: Vec<Provider>,
}

/// `SchemeInformation` (5.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemeInformation {
    /// `TSLSequenceNumber`: 1 at the first release, higher at each (5.3.2).
    pub sequence_number: u64,
    /// `TSLType`, such as `…/TSLType/JPlist` (5.3.3).
    pub list_type: Uri,
    /// Formal name of who establishes, signs and maintains the list (5.3.4).
    pub operator_name: Names,
    /// Where the operator is reached (5.3.5).
    pub operator_address: Address,
    /// `CC:name` in every language (5.3.6).
    pub scheme_name: Names,
    /// Pages on the scheme: scope, approval, criteria, liability (5.3.7).
    pub information: Pages,
    /// How statuses are determined, such as `…/StatusDetn/JPdetermination` (5.3.8).
    pub status_determination: Uri,
    /// The rules under which services are approved (5.3.9).
    pub community_rules: Pages,
    /// Where the scheme applies (5.3.10).
    pub territory: Territory,
    /// Policy or legal notice (5.3.11).
    pub notice: Notice,
    /// `HistoricalInformationPeriod` in days; 65535 says that history is never removed (5.3.12).
    pub history_period: u32,
    /// Other lists, and who signs them (5.3.13).
    pub pointers: Vec<Pointer>,
    /// `ListIssueDateTime` (5.3.14).
    pub issue: Timestamp,
    /// By when the next list is issued (5.3.15).
    pub next_update: NextUpdate,
    /// Addresses that always give the newest list (5.3.16).
    pub distribution_points: Vec<Uri>,
    /// What else is said about the scheme (5.3.17).
    pub extensions: Vec<Extension>,
}

impl SchemeInformation {
    /// The history period of 5.3.12: history is never removed.
    pub const HISTORY_FOR_EVER: u32 = 65535;
}

impl TrustedList {
    /// Every service with its provider, in document order.
    pub fn services(&self) -> impl Iterator<Item = (&Provider, &super::Service)> {
        self.providers
            .iter()
            .flat_map(|provider| provider.services.iter().map(move |service| (provider, service)))
    }
}

/// `PolicyOrLegalNotice`: either addresses or texts, never both (5.3.11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Pages with the policy.
    Policy(Pages),
    /// The legal notice itself.
    Legal(Names),
}

/// `NextUpdate` (5.3.15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextUpdate {
    /// The next list is issued by then.
    By(Timestamp),
    /// The list is closed: there will be no other.
    Closed,
}

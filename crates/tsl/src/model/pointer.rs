//! Pointers to other lists (TS 119 612, 5.3.13).
//!
//! Deliberately not here: following them; that is [`crate::follow`].

use super::{Entry, Fragment, Identity, Names, Pages, Recognition, Territory, Text, Uri};
use crate::certificate::Certificate;

/// The media type of a list for machines (6.1).
const LIST_TYPE: &str = "application/vnd.etsi.tsl+xml";

/// Where another list is, and who may sign it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// Every certificate that may sign the list pointed to.
    pub identities: Vec<Identity>,
    /// `TSLLocation`.
    pub location: Uri,
    /// `AdditionalInformation`, in the order in which it is given.
    pub information: Vec<PointerInformation>,
}

/// One qualifier of a pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PointerInformation {
    /// `TextualInformation`.
    Text(Entry<Text>),
    /// `TSLType` of the list pointed to.
    ListType(Uri),
    /// `SchemeOperatorName` of the list pointed to.
    OperatorName(Names),
    /// `SchemeTypeCommunityRules` of the list pointed to.
    CommunityRules(Pages),
    /// `SchemeTerritory` of the list pointed to.
    Territory(Territory),
    /// `tslx:MimeType`.
    MimeType(Text),
    /// The Commission's `mra:MutualRecognitionAgreementInformation`: what of a third country's list
    /// counts as what.
    MutualRecognition(Box<Recognition>),
    /// Anything else.
    Other(Fragment),
}

impl Pointer {
    /// The certificates that may sign the list pointed to.
    pub fn signers(&self) -> impl Iterator<Item = &Certificate> {
        self.identities.iter().flat_map(Identity::certificates)
    }

    /// The territory of the list pointed to.
    pub fn territory(&self) -> Option<&Territory> {
        self.information.iter().find_map(|information| match information {
            PointerInformation::Territory(territory) => Some(territory),
            PointerInformation::Text(_)
            | PointerInformation::ListType(_)
            | PointerInformation::OperatorName(_)
            | PointerInformation::CommunityRules(_)
            | PointerInformation::MimeType(_)
            | PointerInformation::MutualRecognition(_)
            | PointerInformation::Other(_) => None,
        })
    }

    /// The type of the list pointed to.
    pub fn list_type(&self) -> Option<&Uri> {
        self.information.iter().find_map(|information| match information {
            PointerInformation::ListType(kind) => Some(kind),
            PointerInformation::Text(_)
            | PointerInformation::Territory(_)
            | PointerInformation::OperatorName(_)
            | PointerInformation::CommunityRules(_)
            | PointerInformation::MimeType(_)
            | PointerInformation::MutualRecognition(_)
            | PointerInformation::Other(_) => None,
        })
    }

    /// What of the list pointed to counts as what, where an agreement says so.
    pub fn recognition(&self) -> Option<&Recognition> {
        self.information.iter().find_map(|information| match information {
            PointerInformation::MutualRecognition(recognition) => Some(&**recognition),
            PointerInformation::Text(_)
            | PointerInformation::ListType(_)
            | PointerInformation::Territory(_)
            | PointerInformation::OperatorName(_)
            | PointerInformation::CommunityRules(_)
            | PointerInformation::MimeType(_)
            | PointerInformation::Other(_) => None,
        })
    }

    /// Whether it points at a list for machines; pointers at other forms stand beside it.
    pub fn is_for_machines(&self) -> bool {
        self.information.iter().any(|information| match information {
            PointerInformation::MimeType(kind) => kind.as_str() == LIST_TYPE,
            PointerInformation::Text(_)
            | PointerInformation::Territory(_)
            | PointerInformation::OperatorName(_)
            | PointerInformation::CommunityRules(_)
            | PointerInformation::ListType(_)
            | PointerInformation::MutualRecognition(_)
            | PointerInformation::Other(_) => false,
        })
    }
}

//! What is said about a scheme, a provider or a service beyond the fixed elements (TS 119 612,
//! 5.3.17, 5.4.5 and 5.5.9).
//!
//! Deliberately not here: which service may carry which extension; `rules` knows.

use super::{Entry, Fragment, Names, Qualification, Territory, Text, Uri};
use tenkoku_domain::time::Timestamp;

/// An extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Whoever does not understand a critical extension must not use the list (B.0).
    pub critical: bool,
    /// What it says.
    pub content: ExtensionContent,
}

/// What an extension says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExtensionContent {
    /// `AdditionalServiceInformation`: one value, such as `…/SvcInfoExt/ForeSeals` (5.5.9.4).
    AdditionalServiceInformation {
        /// The value, and the language of the page behind it.
        page: Entry<Uri>,
        /// A code that narrows the value down.
        value: Option<Text>,
        /// `OtherInformation`.
        other: Option<Fragment>,
    },
    /// `ExpiredCertsRevocationInfo`: revocations of certificates that expired at or after this
    /// instant are still told (5.5.9.1).
    ExpiredCertsRevocationInfo(Timestamp),
    /// `Qualifications`: what the service's certificates are, when they do not say it themselves
    /// (5.5.9.2).
    Qualifications(Vec<Qualification>),
    /// `TakenOverBy`: another provider took the service over (5.5.9.3).
    TakenOverBy(TakenOverBy),
    /// Anything else, which nobody here understands.
    Unknown(Fragment),
}

/// Who took a service over (5.5.9.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenOverBy {
    /// A page about it.
    pub page: Entry<Uri>,
    /// The provider that took it over.
    pub provider: Names,
    /// The operator of the scheme under which that provider is.
    pub operator: Names,
    /// The territory of that scheme.
    pub territory: Territory,
    /// `OtherQualifier`, each verbatim.
    pub other: Vec<Fragment>,
}

impl Extension {
    /// An extension that readers may ignore.
    pub fn new(content: ExtensionContent) -> Self {
        Self { critical: false, content }
    }

    /// `AdditionalServiceInformation` of one value, whose page is in English.
    pub fn information(uri: Uri) -> Self {
        let page = Entry { language: super::Language::english(), value: uri };
        Self::new(ExtensionContent::AdditionalServiceInformation { page, value: None, other: None })
    }

    /// The value of `AdditionalServiceInformation`.
    pub fn as_information(&self) -> Option<&Uri> {
        match &self.content {
            ExtensionContent::AdditionalServiceInformation { page, .. } => Some(&page.value),
            ExtensionContent::ExpiredCertsRevocationInfo(_)
            | ExtensionContent::Qualifications(_)
            | ExtensionContent::TakenOverBy(_)
            | ExtensionContent::Unknown(_) => None,
        }
    }

    /// Who took the service over.
    pub fn as_takeover(&self) -> Option<&TakenOverBy> {
        match &self.content {
            ExtensionContent::TakenOverBy(takeover) => Some(takeover),
            ExtensionContent::AdditionalServiceInformation { .. }
            | ExtensionContent::ExpiredCertsRevocationInfo(_)
            | ExtensionContent::Qualifications(_)
            | ExtensionContent::Unknown(_) => None,
        }
    }

    /// The qualifications; none when it says something else.
    pub fn as_qualifications(&self) -> &[Qualification] {
        match &self.content {
            ExtensionContent::Qualifications(qualifications) => qualifications,
            ExtensionContent::AdditionalServiceInformation { .. }
            | ExtensionContent::ExpiredCertsRevocationInfo(_)
            | ExtensionContent::TakenOverBy(_)
            | ExtensionContent::Unknown(_) => &[],
        }
    }
}

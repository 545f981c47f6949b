//! What of another party's list counts as what (the Commission's schema of mutual recognition, v2).
//!
//! The *pointing* party's list holds the pointer, the *pointed* party's is at its end; every
//! equivalence has both sides.
//! Deliberately not here: judging a certificate by it; whoever does asks for the terms of a time.

use super::{CriteriaList, Entry, Fragment, ObjectId, Text, Uri};
use tenkoku_domain::time::Timestamp;

/// `MutualRecognitionAgreementInformation`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognition {
    /// `technicalType`.
    pub technical_type: i64,
    /// `version`.
    pub version: i64,
    /// `MRADepth`.
    pub depth: i64,
    /// The law of both parties.
    pub legislation: Sides<Uri>,
    /// What is equivalent, one kind of service after the other.
    pub services: Vec<ServiceEquivalence>,
}

/// What both parties have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sides<T> {
    /// The party whose list points.
    pub pointing: T,
    /// The party whose list is pointed at.
    pub pointed: T,
}

/// `TrustServiceEquivalenceInformation`: services of one legal kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceEquivalence {
    /// `TrustServiceLegalIdentifier`, such as `QCForESeal`.
    pub legal_identifier: Text,
    /// What holds now.
    pub terms: Terms,
    /// What held before, the newest first; the schema allows several lists.
    pub history: Vec<Vec<Terms>>,
}

/// What is equivalent from an instant on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The types of services.
    pub types: Sides<Vec<ServiceKind>>,
    /// `TrustServiceEquivalenceStatus`: `…/mra/enacted`, `…/mra/repealed`.
    pub status: Uri,
    /// Since when.
    pub since: Timestamp,
    /// Statuses that mean that a service may be relied on.
    pub valid: Sides<Vec<Uri>>,
    /// Statuses that mean that it may not.
    pub invalid: Sides<Vec<Uri>>,
    /// What certificates say, matter by matter.
    pub contents: Vec<ContentEquivalence>,
    /// What the qualifiers of lists say.
    pub qualifiers: Option<QualifierEquivalence>,
}

/// A type of service, and what narrows it down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceKind {
    /// `ServiceTypeIdentifier`.
    pub service_type: Uri,
    /// `AdditionalServiceInformation`.
    pub information: Option<KindInformation>,
}

/// `AdditionalServiceInformation` of a type of service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindInformation {
    /// The value, and the language of the page behind it.
    pub page: Entry<Uri>,
    /// A code that narrows the value down.
    pub value: Option<Text>,
    /// `OtherInformation`.
    pub other: Option<Fragment>,
}

/// `CertificateContentReferenceEquivalence`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentEquivalence {
    /// What it is about: `…/mra/QcCompliance`, `…/mra/QcType`.
    pub context: Uri,
    /// What a certificate of each party must meet.
    pub declarations: Sides<CriteriaList>,
}

/// `TrustServiceTSLQualificationExtensionEquivalenceList`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QualifierEquivalence {
    /// What each party calls its extension.
    pub extension: Sides<Text>,
    /// Pairs of qualifiers; the schema allows several lists.
    pub lists: Vec<Vec<Sides<Uri>>>,
}

/// `QcStatement`: a statement that a certificate must make (EN 319 412-5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QcStatement {
    /// Which one.
    pub id: ObjectId,
    /// What it must say, where that matters.
    pub says: Option<QcStatementInfo>,
}

/// What a statement of a certificate must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QcStatementInfo {
    /// `QcType`: one of the types is this one.
    Type(ObjectId),
    /// `QcCClegislation`: one of the countries is this one.
    Legislation(String),
}

impl ServiceEquivalence {
    /// What was equivalent at an instant; `None` before the first terms.
    pub fn terms_at(&self, at: Timestamp) -> Option<&Terms> {
        let former = self.history.iter().flatten();
        std::iter::once(&self.terms).chain(former).find(|terms| terms.since <= at)
    }
}

impl Terms {
    /// Whether the agreement is in force under these terms.
    pub fn is_enacted(&self) -> bool {
        self.status.as_str().ends_with("/mra/enacted")
    }

    /// Whether a status of the party that is pointed at means that a service may be relied on;
    /// `None` for a status of which nothing is said.
    pub fn means_valid(&self, status: &Uri) -> Option<bool> {
        if self.valid.pointed.contains(status) {
            Some(true)
        } else if self.invalid.pointed.contains(status) {
            Some(false)
        } else {
            None
        }
    }
}

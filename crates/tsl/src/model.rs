//! A trusted list as a value (TS 119 612, clauses 5.3 to 5.6).
//!
//! Whoever composes a list builds values that a schema or character rule forbids nowhere: the
//! constructors refuse them. Lists that others signed break such rules, and what they say is kept as
//! it was found, so that it can be shown, compared and written again. [`crate::rules::lint`] judges
//! every value once more, and without it nothing is signed.
//! Deliberately not in this module: XML and signatures.

mod address;
mod criteria;
mod extension;
mod fragment;
mod identity;
mod multilingual;
mod place;
mod pointer;
mod provider;
mod recognition;
mod scheme;
mod service;
mod uri;

pub use address::{Address, PostalAddress};
pub use criteria::{Assertion, CriteriaList, Criterion, ObjectId, Qualification, Usage, UsageBit};
pub use extension::{Extension, ExtensionContent, TakenOverBy};
pub use fragment::Fragment;
pub use identity::{DigitalId, Identity};
pub use multilingual::{Entry, Language, Multilingual, Names, Pages, Text};
pub use place::{Country, Territory};
pub use pointer::{Pointer, PointerInformation};
pub use provider::{Provider, RegistrationIdentifier, TradeNames};
pub use recognition::{
    ContentEquivalence, KindInformation, QcStatement, QcStatementInfo, QualifierEquivalence,
    Recognition, ServiceEquivalence, ServiceKind, Sides, Terms,
};
pub use scheme::{NextUpdate, Notice, SchemeInformation, TrustedList};
pub use service::{PastState, Service, State, SupplyPoint};
pub use uri::Uri;

use tenkoku_domain::time::Timestamp;
use thiserror::Error;

/// Why a value cannot stand in a trusted list.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ModelError {
    /// A text without characters, or with space at its ends (Annex C schema, E.2).
    #[error("the text \"{0}\" is empty or begins or ends with space")]
    Blank(String),
    /// A character that E.2 forbids: control, private-use, tag or byte-order mark.
    #[error("the text contains the character U+{0:04X}, which a trusted list must not use")]
    ForbiddenCharacter(u32),
    /// Mark-up inside a text (E.2).
    #[error("the text \"{0}\" contains mark-up")]
    MarkUp(String),
    /// Not a language tag such as `en`, `ja` or `ja-Latn` (5.1.4, E.1).
    #[error("\"{0}\" is not a language tag such as en, ja or ja-Latn")]
    Language(String),
    /// A multilingual value without English (5.1.4).
    #[error("a multilingual value needs English")]
    EnglishMissing,
    /// Not an absolute URI (5.1.2, RFC 3986).
    #[error("\"{0}\" is not an absolute address")]
    Uri(String),
    /// Not a country or territory code (5.1.5).
    #[error("\"{0}\" is not a code of clause 5.1.5 (EL for Greece, UK for the United Kingdom)")]
    Place(String),
    /// Not a registration identifier (5.4.2).
    #[error("\"{0}\" is not a registration identifier such as NTRJP-7010001008844")]
    RegistrationIdentifier(String),
    /// A service identity without a certificate (5.5.3).
    #[error("a service needs at least one certificate")]
    CertificateMissing,
    /// Certificates of one service with different keys or subjects (5.5.3).
    #[error("all certificates of a service must have the same key and the same subject")]
    SeveralKeys,
    /// A status that begins no later than the one before it (5.5.5, 5.5.10).
    #[error("a new status begins after the present one, which began at {0}")]
    StatusStart(Timestamp),
    /// A change to the status that the service has.
    #[error("the service has the status {0} already")]
    StatusUnchanged(String),
    /// A key identifier of the wrong length (RFC 5280, 4.2.1.2).
    #[error("a key identifier has between 1 and 64 bytes")]
    KeyIdentifier,
}

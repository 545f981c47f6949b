//! Which certificates of a service are what (TS 119 612, 5.5.9.2).
//!
//! Deliberately not here: looking at a certificate; [`crate::index`] does.

use super::{Fragment, QcStatement, Uri};

/// `QualificationElement`: certificates that meet the criteria have these qualifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qualification {
    /// The qualifiers, such as `…/SvcInfoExt/QCForESeal`.
    pub qualifiers: Vec<Uri>,
    /// The criteria.
    pub criteria: CriteriaList,
}

/// How many of the criteria a certificate must meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assertion {
    /// Every one.
    All,
    /// One or more.
    AtLeastOne,
    /// Not one.
    None,
}

impl Assertion {
    const ALL: [Self; 3] = [Self::All, Self::AtLeastOne, Self::None];

    /// The value as lists write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::AtLeastOne => "atLeastOne",
            Self::None => "none",
        }
    }

    /// The assertion with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|assertion| assertion.as_str() == name)
    }
}

/// `CriteriaList` (5.5.9.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CriteriaList {
    /// How many must be met; some lists do not say.
    pub assertion: Option<Assertion>,
    /// The criteria in the order of the list.
    pub criteria: Vec<Criterion>,
    /// What the criteria are about, in English.
    pub description: Option<String>,
}

/// One criterion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Criterion {
    /// Every bit of the key usage has the value given (5.5.9.2.2.1).
    KeyUsage(Vec<UsageBit>),
    /// The certificate names every one of these policies (5.5.9.2.2.2).
    PolicySet(Vec<ObjectId>),
    /// A list within the list.
    List(CriteriaList),
    /// The extended key usage names every one of these purposes (5.5.9.2.2.3).
    ExtendedKeyUsage(Vec<ObjectId>),
    /// The subject has every one of these attributes (5.5.9.2.2.3).
    SubjectAttributes(Vec<ObjectId>),
    /// The certificate makes every one of these statements (mutual recognition).
    QcStatements(Vec<QcStatement>),
    /// A criterion of somebody else's design; no certificate is known to meet it.
    Unknown(Fragment),
}

/// A bit of the key usage and the value it must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageBit {
    /// Which bit.
    pub usage: Usage,
    /// Set or not.
    pub value: bool,
}

/// The bits of the key usage, in their order (RFC 5280, 4.2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// Bit 0.
    DigitalSignature,
    /// Bit 1.
    NonRepudiation,
    /// Bit 2.
    KeyEncipherment,
    /// Bit 3.
    DataEncipherment,
    /// Bit 4.
    KeyAgreement,
    /// Bit 5.
    KeyCertSign,
    /// Bit 6.
    CrlSign,
    /// Bit 7.
    EncipherOnly,
    /// Bit 8.
    DecipherOnly,
}

impl Usage {
    /// All bits in their order.
    pub const ALL: [Self; 9] = [
        Self::DigitalSignature,
        Self::NonRepudiation,
        Self::KeyEncipherment,
        Self::DataEncipherment,
        Self::KeyAgreement,
        Self::KeyCertSign,
        Self::CrlSign,
        Self::EncipherOnly,
        Self::DecipherOnly,
    ];

    /// The name that lists use; note `crlSign`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DigitalSignature => "digitalSignature",
            Self::NonRepudiation => "nonRepudiation",
            Self::KeyEncipherment => "keyEncipherment",
            Self::DataEncipherment => "dataEncipherment",
            Self::KeyAgreement => "keyAgreement",
            Self::KeyCertSign => "keyCertSign",
            Self::CrlSign => "crlSign",
            Self::EncipherOnly => "encipherOnly",
            Self::DecipherOnly => "decipherOnly",
        }
    }

    /// The bit with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|usage| usage.as_str() == name)
    }
}

/// `xades:ObjectIdentifier`: an OID as lists write it, and what is said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectId {
    /// The identifier as it is written: `1.2.3` or `urn:oid:1.2.3`.
    pub identifier: String,
    /// How it is written, such as `OIDAsURN`.
    pub qualifier: Option<String>,
    /// What it stands for.
    pub description: Option<String>,
    /// `DocumentationReferences`, verbatim.
    pub references: Option<Fragment>,
}

impl ObjectId {
    /// The identifier in dotted form, whichever way it is written.
    pub fn dotted(&self) -> &str {
        let written = self.identifier.trim();
        match written.split_at_checked("urn:oid:".len()) {
            Some((head, rest)) if head.eq_ignore_ascii_case("urn:oid:") => rest,
            Some(_) | None => written,
        }
    }
}

//! Whose certificate it is: what somebody who relies on a path compares with what is known.

use tenkoku_domain::canonical::Digest;
use tenkoku_domain::time::Timestamp;

use super::certificate::Foreign;
use super::extension::{self, KeyUsage};
use super::name::prepared;
use crate::oid;

/// The holder of anybody's certificate. Whether the certificate means anything is for
/// [`super::validate`] to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// SHA-256 of the certificate, DER.
    pub digest: Digest,
    /// The subject for people.
    pub subject: String,
    /// The beginning of its validity.
    pub not_before: Timestamp,
    /// The end of its validity.
    pub not_after: Timestamp,
    /// SubjectPublicKeyInfo, DER.
    pub key: Vec<u8>,
    identifiers: Vec<String>,
    organisations: Vec<String>,
    names: Vec<String>,
    signs: bool,
    authenticates: bool,
}

impl Holder {
    /// Reads a certificate; `None` where it is none.
    pub fn read(der: &[u8]) -> Option<Self> {
        let certificate = Foreign::read(der).ok()?;
        let usage = certificate.extensions.key_usage;
        let purposes = certificate.extensions.purposes.as_deref().map(extension::purposes);
        let purposes = purposes.transpose().ok()?;
        let for_clients = purposes.is_none_or(|purposes| {
            purposes.contains(&oid::CLIENT_AUTH) || purposes.contains(&extension::ANY_PURPOSE)
        });
        Some(Self {
            digest: Digest::of(der),
            not_after: certificate.not_after,
            identifiers: certificate.subject.texts(oid::ORGANISATION_IDENTIFIER),
            organisations: certificate.subject.texts(oid::ORGANISATION),
            names: certificate.subject.texts(oid::COMMON_NAME),
            signs: usage.is_none_or(KeyUsage::signs_documents),
            authenticates: for_clients && usage.is_none_or(KeyUsage::signs),
            subject: certificate.line,
            not_before: certificate.not_before,
            key: certificate.key,
        })
    }

    /// Whether its key may sign documents by what the certificate says of it.
    pub const fn signs_documents(&self) -> bool {
        self.signs
    }

    /// Whether its key may show in TLS who connects, by what the certificate says of it:
    /// digitalSignature where it names a usage, id-kp-clientAuth or any where it names purposes
    /// (RFC 5280, 4.2.1.3 and 4.2.1.12).
    pub const fn authenticates_clients(&self) -> bool {
        self.authenticates
    }

    /// Whether the subject names an organisation by this organizationIdentifier, or, where it has
    /// none, by this name.
    pub fn is_of(&self, identifier: &str, name: &str) -> bool {
        if self.identifiers.is_empty() {
            return self.organisations.contains(&prepared(name));
        }
        self.identifiers.contains(&prepared(identifier))
    }

    /// Whether the subject's commonName is this name.
    pub fn is_called(&self, name: &str) -> bool {
        self.names.contains(&prepared(name))
    }
}

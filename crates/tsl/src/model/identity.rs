//! Which key a service is (TS 119 612, 5.5.3 and 5.6.3).
//!
//! Deliberately not here: services without keys.

use super::ModelError;
use crate::certificate::Certificate;

/// The digital identity of a service: one key and one subject name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    first: Certificate,
    further: Vec<Certificate>,
}

impl Identity {
    /// The identity that one certificate gives, as 5.5.3 prefers.
    pub fn of(certificate: Certificate) -> Self {
        Self { first: certificate, further: Vec::new() }
    }

    /// The identity that several certificates of one key and one subject give.
    ///
    /// # Errors
    ///
    /// [`ModelError::CertificateMissing`] for none, [`ModelError::SeveralKeys`] when they differ.
    pub fn new(certificates: Vec<Certificate>) -> Result<Self, ModelError> {
        let mut certificates = certificates.into_iter();
        let first = certificates.next().ok_or(ModelError::CertificateMissing)?;
        let further: Vec<_> = certificates.collect();
        let same = |other: &Certificate| {
            other.public_key() == first.public_key() && other.has_same_subject(&first)
        };
        if further.iter().all(same) {
            Ok(Self { first, further })
        } else {
            Err(ModelError::SeveralKeys)
        }
    }

    /// The certificates, at least one.
    pub fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        std::iter::once(&self.first).chain(&self.further)
    }

    /// The first certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.first
    }

    /// The key as `SubjectPublicKeyInfo`; equal bytes are the same key.
    pub fn public_key(&self) -> &[u8] {
        self.first.public_key()
    }

    /// The key identifier: the certificate's, or one computed by RFC 5280 method 1.
    pub fn key_identifier(&self) -> Vec<u8> {
        self.first.key_identifier().unwrap_or_else(|| self.first.computed_key_identifier())
    }

    /// The same identity as the history keeps it: name and key identifier, no certificate (5.6.3).
    pub fn to_past(&self) -> PastIdentity {
        PastIdentity { subject: Some(self.first.subject()), key_identifier: self.key_identifier() }
    }
}

/// The identity of a former state: never a certificate (5.6.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastIdentity {
    subject: Option<String>,
    key_identifier: Vec<u8>,
}

impl PastIdentity {
    /// An identity by key identifier and, perhaps, subject name (RFC 4514).
    ///
    /// # Errors
    ///
    /// [`ModelError::KeyIdentifier`] unless the identifier has 1 to 64 bytes.
    pub fn new(subject: Option<String>, key_identifier: Vec<u8>) -> Result<Self, ModelError> {
        if (1..=64).contains(&key_identifier.len()) {
            Ok(Self { subject, key_identifier })
        } else {
            Err(ModelError::KeyIdentifier)
        }
    }

    /// The subject name.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The key identifier.
    pub fn key_identifier(&self) -> &[u8] {
        &self.key_identifier
    }
}

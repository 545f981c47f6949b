//! Which key a service is, or which address where it has none (TS 119 612, 5.5.3 and 5.6.3).
//!
//! Deliberately not here: what an identity must hold where; `rules` asks for it.

use super::{Fragment, ModelError, Uri};
use crate::certificate::Certificate;
use crate::ns;

/// One way to name the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DigitalId {
    /// `X509Certificate`.
    Certificate(Certificate),
    /// `X509Certificate` whose bytes are no certificate that can be read; they are kept.
    Unreadable(Vec<u8>),
    /// `X509SubjectName` as it is written.
    SubjectName(String),
    /// `ds:KeyValue`.
    KeyValue(Fragment),
    /// `X509SKI`.
    KeyIdentifier(Vec<u8>),
    /// `Other`.
    Other(Fragment),
}

/// The digital identity of a service: one key and one subject name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity(Vec<DigitalId>);

impl Identity {
    /// The identity that one certificate gives, as 5.5.3 prefers.
    pub fn of(certificate: Certificate) -> Self {
        Self::with_names(vec![certificate])
    }

    /// The identity that several certificates of one key and one subject give.
    ///
    /// # Errors
    ///
    /// [`ModelError::CertificateMissing`] for none, [`ModelError::SeveralKeys`] when they differ.
    pub fn new(certificates: Vec<Certificate>) -> Result<Self, ModelError> {
        let first = certificates.first().ok_or(ModelError::CertificateMissing)?;
        let same = |other: &Certificate| {
            other.public_key() == first.public_key() && other.has_same_subject(first)
        };
        if certificates.iter().all(same) {
            Ok(Self::with_names(certificates))
        } else {
            Err(ModelError::SeveralKeys)
        }
    }

    /// The identity of a service without a key: an address that stands for it (5.5.3).
    pub fn by_address(address: &Uri) -> Self {
        Self(vec![DigitalId::Other(Fragment::of_text(ns::TSL, "Other", address.as_str()))])
    }

    /// The identity of a former state: subject name (RFC 4514) and key identifier (5.6.3).
    ///
    /// # Errors
    ///
    /// [`ModelError::KeyIdentifier`] unless the identifier has 1 to 64 bytes.
    pub fn past(subject: Option<String>, key_identifier: Vec<u8>) -> Result<Self, ModelError> {
        if !(1..=64).contains(&key_identifier.len()) {
            return Err(ModelError::KeyIdentifier);
        }
        let mut ids: Vec<_> = subject.map(DigitalId::SubjectName).into_iter().collect();
        ids.push(DigitalId::KeyIdentifier(key_identifier));
        Ok(Self(ids))
    }

    /// The identity that somebody's list gives.
    pub(crate) fn as_found(ids: Vec<DigitalId>) -> Self {
        Self(ids)
    }

    /// The certificates, then the subject name and the key identifier of the first.
    fn with_names(certificates: Vec<Certificate>) -> Self {
        let first = certificates.first();
        let subject = first.map(Certificate::subject).filter(|subject| !subject.is_empty());
        // 5.5.3: a key identifier must agree with the certificate, so it is the certificate's own.
        let identifier = first.and_then(Certificate::key_identifier);
        let mut ids: Vec<_> = certificates.into_iter().map(DigitalId::Certificate).collect();
        ids.extend(subject.map(DigitalId::SubjectName));
        ids.extend(identifier.map(DigitalId::KeyIdentifier));
        Self(ids)
    }

    /// Every way in which the key is named, in the order of the list.
    pub fn ids(&self) -> &[DigitalId] {
        &self.0
    }

    /// The certificates that can be read.
    pub fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.0.iter().filter_map(|id| match id {
            DigitalId::Certificate(certificate) => Some(certificate),
            DigitalId::Unreadable(_)
            | DigitalId::SubjectName(_)
            | DigitalId::KeyValue(_)
            | DigitalId::KeyIdentifier(_)
            | DigitalId::Other(_) => None,
        })
    }

    /// The first certificate.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.certificates().next()
    }

    /// The key as `SubjectPublicKeyInfo`, when there is a certificate; equal bytes are the same key.
    pub fn public_key(&self) -> Option<&[u8]> {
        self.certificate().map(Certificate::public_key)
    }

    /// The key identifiers that the identity gives itself.
    pub fn key_identifiers(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().filter_map(|id| match id {
            DigitalId::KeyIdentifier(identifier) => Some(identifier.as_slice()),
            DigitalId::Certificate(_)
            | DigitalId::Unreadable(_)
            | DigitalId::SubjectName(_)
            | DigitalId::KeyValue(_)
            | DigitalId::Other(_) => None,
        })
    }

    /// The subject name that the identity gives itself.
    pub fn subject_name(&self) -> Option<&str> {
        self.0.iter().find_map(|id| match id {
            DigitalId::SubjectName(name) => Some(name.as_str()),
            DigitalId::Certificate(_)
            | DigitalId::Unreadable(_)
            | DigitalId::KeyIdentifier(_)
            | DigitalId::KeyValue(_)
            | DigitalId::Other(_) => None,
        })
    }

    /// The address that stands for a service without a key.
    pub fn address(&self) -> Option<Uri> {
        self.0.iter().find_map(|id| match id {
            DigitalId::Other(fragment) => Uri::new(fragment.text()?.trim()).ok(),
            DigitalId::Certificate(_)
            | DigitalId::Unreadable(_)
            | DigitalId::SubjectName(_)
            | DigitalId::KeyValue(_)
            | DigitalId::KeyIdentifier(_) => None,
        })
    }

    /// The key identifier: the certificate's, the identity's own, or one computed from the
    /// certificate's key by RFC 5280 method 1.
    pub fn key_identifier(&self) -> Option<Vec<u8>> {
        let certificate = self.certificate();
        certificate
            .and_then(Certificate::key_identifier)
            .or_else(|| self.key_identifiers().next().map(<[u8]>::to_vec))
            .or_else(|| certificate.map(Certificate::computed_key_identifier))
    }

    /// The same identity as the history keeps it: name and key identifier, no certificate (5.6.3).
    #[must_use]
    pub fn to_past(&self) -> Self {
        let subject = self.certificate().map(Certificate::subject);
        let subject = subject.or_else(|| self.subject_name().map(str::to_owned));
        let mut ids: Vec<_> = subject
            .filter(|subject| !subject.is_empty())
            .map(DigitalId::SubjectName)
            .into_iter()
            .collect();
        ids.extend(self.key_identifier().map(DigitalId::KeyIdentifier));
        if ids.is_empty() {
            ids.extend(self.0.iter().filter(|id| matches!(id, DigitalId::Other(_))).cloned());
        }
        Self(ids)
    }
}

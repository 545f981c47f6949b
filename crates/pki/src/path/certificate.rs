//! Reading anybody's certificate, tolerantly but safely (RFC 5280, 4): what path validation needs,
//! kept over the octets that were received.
//!
//! Unlike [`crate::cert`], which reads our own profiles, this reader lets pass what the world's
//! certificates hold: negative and long serial numbers, old string types, any key. It refuses what
//! two readers could understand differently.

use const_oid::ObjectIdentifier;
use tenkoku_domain::time::Timestamp;

use super::constraints::NameConstraints;
use super::extension::{self, Authority, KeyUsage, PolicyLimits};
use super::general::{DistributionPoint, GeneralName};
use super::name::{self, DistinguishedName};
use crate::asn1::read::{Reader, sequence};
use crate::asn1::{DerError, tag};
use crate::oid;

/// A certificate of anybody.
#[derive(Clone, Debug)]
pub(crate) struct Foreign {
    pub(crate) der: Vec<u8>,
    pub(crate) envelope: Envelope,
    /// The content of the INTEGER.
    pub(crate) serial: Vec<u8>,
    pub(crate) issuer: DistinguishedName,
    pub(crate) subject: DistinguishedName,
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
    /// SubjectPublicKeyInfo, DER.
    pub(crate) key: Vec<u8>,
    pub(crate) extensions: Extensions,
    /// The subject for people.
    pub(crate) line: String,
}

/// What is signed, how, and the signature: the same for certificates and CRLs.
#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    pub(crate) body: Vec<u8>,
    /// AlgorithmIdentifier, DER.
    pub(crate) algorithm: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

/// The extensions that take part in path validation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extensions {
    pub(crate) authority: Option<Authority>,
    pub(crate) key_usage: Option<KeyUsage>,
    /// The content of extKeyUsage; who relies on the key reads it.
    pub(crate) purposes: Option<Vec<u8>>,
    /// `None` without certificatePolicies.
    pub(crate) policies: Option<Vec<ObjectIdentifier>>,
    /// issuerDomainPolicy and subjectDomainPolicy.
    pub(crate) mappings: Vec<(ObjectIdentifier, ObjectIdentifier)>,
    pub(crate) limits: PolicyLimits,
    pub(crate) names: Vec<GeneralName>,
    pub(crate) constraints: Option<NameConstraints>,
    pub(crate) points: Vec<DistributionPoint>,
    pub(crate) subject_key: Option<Vec<u8>>,
    pub(crate) issuer_key: Option<Vec<u8>>,
    /// A critical extension that is not processed here.
    pub(crate) unprocessed: Option<ObjectIdentifier>,
}

impl Envelope {
    /// Opens `SEQUENCE { body, algorithm, signature }`.
    pub(crate) fn read(der: &[u8]) -> Result<Self, DerError> {
        let mut outer = sequence(der)?;
        let body = outer.element(tag::SEQUENCE)?.whole.to_vec();
        let algorithm = outer.element(tag::SEQUENCE)?.whole.to_vec();
        // One that is not of whole octets cannot hold; which is for the verification to say.
        let signature = match outer.content(tag::BIT_STRING)?.split_first() {
            Some((0, octets)) => octets.to_vec(),
            Some(_) | None => Vec::new(),
        };
        outer.finish()?;
        Ok(Self { body, algorithm, signature })
    }

    /// The algorithm inside the body must be the one outside (4.1.1.2).
    pub(crate) fn expect(&self, inner: &[u8]) -> Result<(), DerError> {
        if inner == self.algorithm {
            Ok(())
        } else {
            Err(DerError::Value("the two signature algorithms differ"))
        }
    }
}

impl Foreign {
    /// Reads a certificate.
    pub(crate) fn read(der: &[u8]) -> Result<Self, DerError> {
        let envelope = Envelope::read(der)?;
        let mut body = sequence(&envelope.body)?;
        let version = version(&mut body)?;
        let serial = body.integer()?.to_vec();
        envelope.expect(body.element(tag::SEQUENCE)?.whole)?;
        let issuer = DistinguishedName::read(&mut body)?;
        let mut validity = body.enter(tag::SEQUENCE)?;
        let (not_before, not_after) = (validity.time()?, validity.time()?);
        validity.finish()?;
        let subject_der = body.element(tag::SEQUENCE)?.whole;
        let subject = DistinguishedName::read(&mut Reader::new(subject_der))?;
        let key = body.element(tag::SEQUENCE)?.whole.to_vec();
        let extensions = Extensions::read(rest(body, version)?)?;
        if issuer.is_empty() || (subject.is_empty() && extensions.names.is_empty()) {
            return Err(DerError::Value("a name is empty"));
        }
        let line = name::line(subject_der);
        let der = der.to_vec();
        Ok(Self {
            der,
            envelope,
            serial,
            issuer,
            subject,
            not_before,
            not_after,
            key,
            extensions,
            line,
        })
    }

    /// Whether subject and issuer are the same name: a CA that certifies itself (6.1).
    pub(crate) fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    /// Whether it may sign certificates by what it says of itself (6.1.4 k).
    pub(crate) fn is_authority(&self) -> bool {
        self.extensions.authority.is_some_and(|authority| authority.is_authority)
    }

    /// Whether its key usage lets it sign certificates (6.1.4 n).
    pub(crate) fn signs_certificates(&self) -> bool {
        self.extensions.key_usage.is_none_or(KeyUsage::signs_certificates)
    }

    /// Whether its key usage lets it sign CRLs (6.3.3 f).
    pub(crate) fn signs_lists(&self) -> bool {
        self.extensions.key_usage.is_none_or(KeyUsage::signs_lists)
    }
}

/// Version 1 to 3, as a number.
fn version(body: &mut Reader<'_>) -> Result<u8, DerError> {
    let Some(mut explicit) = body.enter_optional(tag::context(0))? else { return Ok(1) };
    let number = explicit.unsigned()?;
    explicit.finish()?;
    match number {
        [] => Ok(1),
        [1] => Ok(2),
        [2] => Ok(3),
        _ => Err(DerError::Value("the version is unknown")),
    }
}

/// Skips the unique identifiers; the extensions of a version 3 certificate, or nothing.
fn rest(mut body: Reader<'_>, version: u8) -> Result<Option<Reader<'_>>, DerError> {
    for identifier in [tag::primitive(1), tag::primitive(2)] {
        if body.next_is(identifier) && version > 1 {
            body.any()?;
        }
    }
    let extensions = if version == 3 { body.enter_optional(tag::context(3))? } else { None };
    body.finish()?;
    Ok(extensions)
}

impl Extensions {
    fn read(explicit: Option<Reader<'_>>) -> Result<Self, DerError> {
        let mut all = Self::default();
        if let Some(explicit) = explicit {
            for found in extension::list(explicit)? {
                all.take(&found)?;
            }
        }
        Ok(all)
    }

    /// Sorts one extension in.
    fn take(&mut self, found: &extension::Raw<'_>) -> Result<(), DerError> {
        let value = found.value;
        match found.kind {
            oid::BASIC_CONSTRAINTS => self.authority = Some(Authority::read(value)?),
            oid::KEY_USAGE => self.key_usage = Some(KeyUsage::read(value)?),
            oid::CERTIFICATE_POLICIES => self.policies = Some(extension::policies(found)?),
            extension::POLICY_MAPPINGS => self.mappings = extension::mappings(value)?,
            extension::POLICY_CONSTRAINTS => self.limits.read_constraints(value)?,
            extension::INHIBIT_ANY_POLICY => self.limits.read_any_policy(value)?,
            oid::SUBJECT_ALT_NAME => self.names = GeneralName::several(sequence(value)?)?,
            extension::NAME_CONSTRAINTS => self.constraints = Some(NameConstraints::read(value)?),
            oid::CRL_DISTRIBUTION_POINTS => self.points = DistributionPoint::several(value)?,
            oid::SUBJECT_KEY_IDENTIFIER if !found.critical => {
                self.subject_key = Some(extension::octets(value)?);
            }
            oid::AUTHORITY_KEY_IDENTIFIER if !found.critical => {
                self.issuer_key = extension::authority_key(value)?;
            }
            // What a key is for is the question of whoever relies on it, not of the path.
            oid::EXT_KEY_USAGE => self.purposes = Some(value.to_vec()),
            extension::ISSUER_ALT_NAME => {}
            _ if found.critical => self.unprocessed = Some(found.kind),
            _ => {}
        }
        Ok(())
    }
}

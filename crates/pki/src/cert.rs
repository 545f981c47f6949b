//! Reading certificates: for pages, for the trusted list, and for the lint.
//!
//! The reader is strict in form and takes any content; what is not understood is left as octets.
//! Path validation is not here.

use aws_lc_rs::digest;
use const_oid::ObjectIdentifier;
use tenkoku_domain::certificate::{Serial, SerialError, Validity};

use crate::asn1::read::{self, Reader};
use crate::asn1::{DerError, tag};
use crate::key::{KeyError, PublicKey};
use crate::name::DistinguishedName;
use crate::oid;
use crate::pem::{self, PemError};
use crate::profile::Issuer;
use crate::scope::NameScope;

/// Largest file that is read, in octets.
pub const MAX_OCTETS: usize = 64 * 1024;

const LABEL: &str = "CERTIFICATE";

/// Why a file is not a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// More than [`MAX_OCTETS`].
    #[error("the file is larger than 64 KiB")]
    TooLarge,
    /// Not the PEM block of a certificate.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// Not the structure of a certificate.
    #[error("this is not a certificate: {0}")]
    Structure(#[from] DerError),
    /// The serial number is negative, zero or too long.
    #[error(transparent)]
    Serial(#[from] SerialError),
    /// The public key cannot be used here.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// One extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Its type.
    pub oid: ObjectIdentifier,
    /// Whether it is critical.
    pub critical: bool,
    /// Its value: the content of the OCTET STRING.
    pub value: Vec<u8>,
}

/// A certificate, cut into its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    tbs: Vec<u8>,
    version: Vec<u8>,
    serial: Vec<u8>,
    inner_algorithm: Vec<u8>,
    outer_algorithm: Vec<u8>,
    issuer: DistinguishedName,
    subject: DistinguishedName,
    validity: Validity,
    validity_tags: [Option<u8>; 2],
    spki: Vec<u8>,
    extensions: Vec<Extension>,
    signature: Vec<u8>,
}

impl Certificate {
    /// Reads a certificate from PEM or DER.
    pub fn parse(input: &[u8]) -> Result<Self, CertificateError> {
        if input.len() > MAX_OCTETS {
            return Err(CertificateError::TooLarge);
        }
        Ok(Self::parse_der(&pem::decode(input, &[LABEL])?)?)
    }

    /// Certificate of RFC 5280, 4.1. Unique identifiers are refused: nobody uses them.
    pub(crate) fn parse_der(der: &[u8]) -> Result<Self, DerError> {
        let mut outer = read::sequence(der)?;
        let tbs = outer.element(tag::SEQUENCE)?;
        let outer_algorithm = outer.element(tag::SEQUENCE)?.whole.to_vec();
        let signature = outer.whole_bits()?.to_vec();
        outer.finish()?;
        let mut body = Reader::new(tbs.content);
        let mut version = body.enter(tag::context(0))?;
        let number = version.unsigned()?.to_vec();
        version.finish()?;
        let serial = body.integer()?.to_vec();
        let inner_algorithm = body.element(tag::SEQUENCE)?.whole.to_vec();
        let issuer = DistinguishedName::parse(body.element(tag::SEQUENCE)?.whole)?;
        let (validity, validity_tags) = read_validity(body.enter(tag::SEQUENCE)?)?;
        let subject = DistinguishedName::parse(body.element(tag::SEQUENCE)?.whole)?;
        let spki = body.element(tag::SEQUENCE)?.whole.to_vec();
        let mut wrapper = body.enter(tag::context(3))?;
        let extensions = read_extensions(wrapper.enter(tag::SEQUENCE)?)?;
        wrapper.finish()?;
        body.finish()?;
        Ok(Self {
            der: der.to_vec(),
            tbs: tbs.whole.to_vec(),
            version: number,
            serial,
            inner_algorithm,
            outer_algorithm,
            issuer,
            subject,
            validity,
            validity_tags,
            spki,
            extensions,
            signature,
        })
    }

    /// The certificate, DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate as PEM text.
    pub fn to_pem(&self) -> String {
        pem::encode(LABEL, &self.der)
    }

    /// SHA-256 over the certificate, as people compare it.
    pub fn sha256(&self) -> [u8; 32] {
        let hash = digest::digest(&digest::SHA256, &self.der);
        hash.as_ref().try_into().unwrap_or_default()
    }

    /// The to-be-signed octets.
    pub fn tbs(&self) -> &[u8] {
        &self.tbs
    }

    /// The signature.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The version field: empty for v1, else the number less one.
    pub(crate) fn version(&self) -> &[u8] {
        &self.version
    }

    /// The AlgorithmIdentifier inside the body and the one outside.
    pub(crate) fn algorithms(&self) -> [&[u8]; 2] {
        [&self.inner_algorithm, &self.outer_algorithm]
    }

    /// The types with which the two dates are written.
    pub(crate) const fn validity_tags(&self) -> [Option<u8>; 2] {
        self.validity_tags
    }

    /// The serial number.
    pub fn serial(&self) -> Result<Serial, SerialError> {
        Serial::from_integer(&self.serial)
    }

    /// The issuer.
    pub const fn issuer(&self) -> &DistinguishedName {
        &self.issuer
    }

    /// The subject.
    pub const fn subject(&self) -> &DistinguishedName {
        &self.subject
    }

    /// The validity, both ends included.
    pub const fn validity(&self) -> Validity {
        self.validity
    }

    /// The SubjectPublicKeyInfo, DER.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The public key.
    pub fn public_key(&self) -> Result<PublicKey, KeyError> {
        PublicKey::parse(&self.spki)
    }

    /// Itself as an issuer of certificates, CRLs or answers.
    pub fn as_issuer(&self) -> Result<Issuer, KeyError> {
        let scope = self.name_scope();
        let (name, validity) = (self.subject.clone(), self.validity);
        Ok(Issuer { name, key: self.public_key()?, validity, scope })
    }

    /// The extensions in order.
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// The value of the first extension of a type.
    pub fn extension(&self, oid: ObjectIdentifier) -> Option<&[u8]> {
        self.extensions.iter().find(|e| e.oid == oid).map(|e| e.value.as_slice())
    }

    /// subjectKeyIdentifier.
    pub fn subject_key_identifier(&self) -> Option<&[u8]> {
        let mut value = Reader::new(self.extension(oid::SUBJECT_KEY_IDENTIFIER)?);
        let identifier = value.content(tag::OCTET_STRING).ok()?;
        value.finish().ok().map(|()| identifier)
    }

    /// keyIdentifier of authorityKeyIdentifier.
    pub fn authority_key_identifier(&self) -> Option<&[u8]> {
        let mut value = read::sequence(self.extension(oid::AUTHORITY_KEY_IDENTIFIER)?).ok()?;
        value.content(tag::primitive(0)).ok()
    }

    /// The policies.
    pub fn policies(&self) -> Vec<ObjectIdentifier> {
        let value = self.extension(oid::CERTIFICATE_POLICIES).unwrap_or_default();
        each_sequence(value, Reader::oid).unwrap_or_default()
    }

    /// Addresses under an access method of authorityInfoAccess, for example [`oid::OCSP`].
    pub fn access_addresses(&self, method: ObjectIdentifier) -> Vec<String> {
        let value = self.extension(oid::AUTHORITY_INFO_ACCESS).unwrap_or_default();
        let all = each_sequence(value, |description| {
            Ok((description.oid()?, text(description.content(tag::primitive(6))?)))
        });
        let matching = all.unwrap_or_default().into_iter().filter(|(found, _)| *found == method);
        matching.map(|(_, address)| address).collect()
    }

    /// Addresses of cRLDistributionPoints.
    pub fn crl_addresses(&self) -> Vec<String> {
        let value = self.extension(oid::CRL_DISTRIBUTION_POINTS).unwrap_or_default();
        let all = each_sequence(value, |point| {
            let mut full_name = point.enter(tag::context(0))?.enter(tag::context(0))?;
            Ok(text(full_name.content(tag::primitive(6))?))
        });
        all.unwrap_or_default()
    }

    /// The permitted directory names of nameConstraints. Constraints of any other form permit
    /// nothing here: we certify no names but directory names.
    pub fn name_scope(&self) -> Option<NameScope> {
        let value = self.extension(oid::NAME_CONSTRAINTS)?;
        Some(NameScope::parse(value).unwrap_or_else(|_| NameScope::nothing()))
    }

    /// The uniformResourceIdentifiers of subjectAltName.
    pub fn alternative_addresses(&self) -> Vec<String> {
        let value = self.extension(oid::SUBJECT_ALT_NAME).unwrap_or_default();
        let Ok(mut names) = read::sequence(value) else { return Vec::new() };
        let mut found = Vec::new();
        while let Ok(name) = names.any() {
            if name.tag == tag::primitive(6) {
                found.push(text(name.content));
            }
        }
        found
    }

    /// The first directoryName of subjectAltName.
    pub fn alternative_directory_name(&self) -> Option<DistinguishedName> {
        let mut names = read::sequence(self.extension(oid::SUBJECT_ALT_NAME)?).ok()?;
        while !names.is_empty() {
            let name = names.any().ok()?;
            if name.tag == tag::context(4) {
                return DistinguishedName::parse(name.content).ok();
            }
        }
        None
    }
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// Reads a SEQUENCE OF SEQUENCE, of each of which `read` takes what it wants.
fn each_sequence<'a, T>(
    value: &'a [u8],
    mut read: impl FnMut(&mut Reader<'a>) -> Result<T, DerError>,
) -> Result<Vec<T>, DerError> {
    let mut outer = read::sequence(value)?;
    let mut all = Vec::new();
    while !outer.is_empty() {
        all.push(read(&mut outer.enter(tag::SEQUENCE)?)?);
    }
    Ok(all)
}

fn read_validity(mut pair: Reader<'_>) -> Result<(Validity, [Option<u8>; 2]), DerError> {
    let (first, not_before) = (pair.peek(), pair.time()?);
    let (second, not_after) = (pair.peek(), pair.time()?);
    pair.finish()?;
    Ok((Validity { not_before, not_after }, [first, second]))
}

/// Extensions (RFC 5280, 4.1): of a certificate, a CRL, an entry or an OCSP message.
pub(crate) fn read_extensions(mut list: Reader<'_>) -> Result<Vec<Extension>, DerError> {
    let mut extensions = Vec::new();
    while !list.is_empty() {
        let mut extension = list.enter(tag::SEQUENCE)?;
        let oid = extension.oid()?;
        let critical = extension.default_false()?;
        let value = extension.content(tag::OCTET_STRING)?.to_vec();
        extension.finish()?;
        extensions.push(Extension { oid, critical, value });
    }
    Ok(extensions)
}

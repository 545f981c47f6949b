//! Reading CRLs of version 2: our own for the lint, and those shown by `crl show`.

use tenkoku_domain::certificate::{Serial, SerialError};
use tenkoku_domain::revocation::ReasonCode;
use tenkoku_domain::time::Timestamp;

use crate::asn1::read::{self, Reader};
use crate::asn1::{DerError, tag};
use crate::cert::{Extension, read_extensions};
use crate::key::{PublicKey, SignatureError};
use crate::name::DistinguishedName;
use crate::oid;
use crate::pem::{self, PemError};
use crate::signature::SignatureAlgorithm;

const LABEL: &str = "X509 CRL";

/// Why a file is not a CRL that is understood here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CrlError {
    /// Not the PEM block of a CRL.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// Not the structure of a CRL of version 2.
    #[error("this is not a CRL: {0}")]
    Structure(#[from] DerError),
    /// A serial number is negative, zero or too long.
    #[error(transparent)]
    Serial(#[from] SerialError),
    /// A reason code that this platform never gives.
    #[error("the reason code {0} is not used")]
    Reason(u8),
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlEntry {
    /// The serial number.
    pub serial: Serial,
    /// The revocation date.
    pub at: Timestamp,
    /// The reason; `None` where the entry gives none.
    pub reason: Option<ReasonCode>,
    /// Since when the key must be taken as exposed.
    pub invalid_since: Option<Timestamp>,
}

/// A CRL, cut into its parts; the entries are read one by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crl {
    tbs: Vec<u8>,
    outer_algorithm: Vec<u8>,
    signature: Vec<u8>,
    fields: Fields,
}

/// TBSCertList without its entries (RFC 5280, 5.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) version: Vec<u8>,
    pub(super) algorithm: Vec<u8>,
    pub(super) issuer: DistinguishedName,
    pub(super) this_update: Timestamp,
    pub(super) next_update: Timestamp,
    /// The types with which the two dates are written.
    pub(super) date_tags: [Option<u8>; 2],
    pub(super) extensions: Vec<Extension>,
}

impl Fields {
    /// The fields, and the content of revokedCertificates; `None` where it is absent.
    pub(super) fn read(tbs: &[u8]) -> Result<(Self, Option<&[u8]>), DerError> {
        let mut body = read::sequence(tbs)?;
        let version = body.unsigned()?.to_vec();
        let algorithm = body.element(tag::SEQUENCE)?.whole.to_vec();
        let issuer = DistinguishedName::parse(body.element(tag::SEQUENCE)?.whole)?;
        let (first, this_update) = (body.peek(), body.time()?);
        let (second, next_update) = (body.peek(), body.time()?);
        let date_tags = [first, second];
        let revoked = body.next_is(tag::SEQUENCE);
        let entries = if revoked { Some(body.content(tag::SEQUENCE)?) } else { None };
        let mut wrapper = body.enter(tag::context(0))?;
        let extensions = read_extensions(wrapper.enter(tag::SEQUENCE)?)?;
        wrapper.finish()?;
        body.finish()?;
        let fields =
            Self { version, algorithm, issuer, this_update, next_update, date_tags, extensions };
        Ok((fields, entries))
    }

    fn extension(&self, oid: const_oid::ObjectIdentifier) -> Option<&[u8]> {
        self.extensions.iter().find(|e| e.oid == oid).map(|e| e.value.as_slice())
    }
}

impl Crl {
    /// Reads a CRL from PEM or DER. The signature is not verified here.
    pub fn parse(input: &[u8]) -> Result<Self, CrlError> {
        let der = pem::decode(input, &[LABEL])?;
        let mut outer = read::sequence(&der)?;
        let tbs = outer.element(tag::SEQUENCE)?.whole.to_vec();
        let outer_algorithm = outer.element(tag::SEQUENCE)?.whole.to_vec();
        let signature = outer.whole_bits()?.to_vec();
        outer.finish()?;
        let (fields, _) = Fields::read(&tbs)?;
        Ok(Self { tbs, outer_algorithm, signature, fields })
    }

    /// Verifies the signature over the received octets.
    pub fn verify(&self, issuer: &PublicKey) -> Result<(), SignatureError> {
        if self.outer_algorithm != self.fields.algorithm {
            return Err(SignatureError);
        }
        let algorithm =
            SignatureAlgorithm::parse(&self.outer_algorithm).map_err(|_| SignatureError)?;
        issuer.verify(algorithm, &self.tbs, &self.signature)
    }

    /// Who issued it.
    pub const fn issuer(&self) -> &DistinguishedName {
        &self.fields.issuer
    }

    /// When it was issued.
    pub const fn this_update(&self) -> Timestamp {
        self.fields.this_update
    }

    /// When the next one is there at the latest.
    pub const fn next_update(&self) -> Timestamp {
        self.fields.next_update
    }

    /// Its number; `None` where it has none, or one above 64 bits.
    pub fn number(&self) -> Option<u64> {
        number(self.fields.extension(oid::CRL_NUMBER)?)
    }

    /// In a delta list, the number of the complete list that it brings up to date.
    pub fn base(&self) -> Option<u64> {
        number(self.fields.extension(oid::DELTA_CRL_INDICATOR)?)
    }

    /// The address of the shard that it tells of; `None` where it tells of every certificate.
    pub fn shard(&self) -> Option<String> {
        let value = self.fields.extension(oid::ISSUING_DISTRIBUTION_POINT)?;
        let mut point = read::sequence(value).ok()?.enter(tag::context(0)).ok()?;
        let address = point.enter(tag::context(0)).ok()?.content(tag::primitive(6)).ok()?;
        String::from_utf8(address.to_vec()).ok()
    }

    /// Since when expired certificates stay on the list.
    pub fn expired_since(&self) -> Option<Timestamp> {
        Reader::new(self.fields.extension(oid::EXPIRED_CERTS_ON_CRL)?).generalized_time().ok()
    }

    /// The extensions in order.
    pub fn extensions(&self) -> &[Extension] {
        &self.fields.extensions
    }

    /// The entries in order; an unreadable entry ends the list with an error.
    pub fn entries(&self) -> impl Iterator<Item = Result<CrlEntry, CrlError>> {
        // Read again rather than kept: a list of a million is not there twice.
        let entries = Fields::read(&self.tbs).ok().and_then(|(_, entries)| entries);
        RawEntries::new(entries.unwrap_or_default()).map(|raw| raw?.read())
    }
}

/// The entries of a CRL, DER, one by one and without copying the list. Neither the signature nor what
/// stands beside the entries is looked at.
pub fn entries_of(
    der: &[u8],
) -> Result<impl Iterator<Item = Result<CrlEntry, CrlError>>, CrlError> {
    let tbs = read::sequence(der)?.element(tag::SEQUENCE)?.whole;
    let (_, entries) = Fields::read(tbs)?;
    Ok(RawEntries::new(entries.unwrap_or_default()).map(|raw| raw?.read()))
}

/// A number of at most 64 bits.
fn number(value: &[u8]) -> Option<u64> {
    let mut reader = Reader::new(value);
    let magnitude = reader.unsigned().ok()?;
    reader.finish().ok()?;
    let fits = magnitude.len() <= 8;
    fits.then(|| magnitude.iter().fold(0, |sum, b| (sum << 8) | u64::from(*b)))
}

/// An entry as it stands, read without copying.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawEntry<'a> {
    /// The octets of the serial number without leading zeros.
    pub(super) serial: &'a [u8],
    pub(super) at: Timestamp,
    pub(super) reason: Option<ReasonCode>,
    pub(super) invalid_since: Option<Timestamp>,
    /// The octets of the whole entry.
    pub(super) length: usize,
}

impl RawEntry<'_> {
    fn read(self) -> Result<CrlEntry, CrlError> {
        let Self { serial, at, reason, invalid_since, .. } = self;
        Ok(CrlEntry { serial: Serial::from_octets(serial)?, at, reason, invalid_since })
    }
}

/// The entries, one after the other.
pub(super) struct RawEntries<'a> {
    rest: Reader<'a>,
}

impl<'a> RawEntries<'a> {
    /// Reads the content of revokedCertificates.
    pub(super) const fn new(content: &'a [u8]) -> Self {
        Self { rest: Reader::new(content) }
    }
}

impl<'a> Iterator for RawEntries<'a> {
    type Item = Result<RawEntry<'a>, CrlError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let entry = entry(&mut self.rest);
        if entry.is_err() {
            self.rest = Reader::new(&[]);
        }
        Some(entry)
    }
}

fn entry<'a>(list: &mut Reader<'a>) -> Result<RawEntry<'a>, CrlError> {
    let element = list.element(tag::SEQUENCE)?;
    let mut entry = Reader::new(element.content);
    let serial = entry.unsigned()?;
    if serial.is_empty() || serial.len() > 20 {
        return Err(SerialError.into());
    }
    let at = entry.time()?;
    let mut found =
        RawEntry { serial, at, reason: None, invalid_since: None, length: element.whole.len() };
    if let Some(mut extensions) = entry.enter_optional(tag::SEQUENCE)? {
        while !extensions.is_empty() {
            extension(extensions.enter(tag::SEQUENCE)?, &mut found)?;
        }
    }
    entry.finish()?;
    Ok(found)
}

fn extension(mut one: Reader<'_>, found: &mut RawEntry<'_>) -> Result<(), CrlError> {
    let oid = one.oid()?;
    let critical = one.default_false()?;
    let value = one.content(tag::OCTET_STRING)?;
    one.finish()?;
    match oid {
        oid::CRL_REASON => found.reason = Some(reason(value)?),
        oid::INVALIDITY_DATE => {
            found.invalid_since = Some(Reader::new(value).generalized_time()?);
        }
        _ if critical => {
            Err(DerError::Value("an entry has a critical extension that is not known"))?;
        }
        _ => {}
    }
    Ok(())
}

fn reason(value: &[u8]) -> Result<ReasonCode, CrlError> {
    let mut reader = Reader::new(value);
    let number = match reader.content(tag::ENUMERATED)? {
        [number] => *number,
        _ => return Err(DerError::Value("a reason is not one octet").into()),
    };
    reader.finish()?;
    let known = ReasonCode::ALL.into_iter().find(|reason| reason.number() == number);
    known.ok_or(CrlError::Reason(number))
}

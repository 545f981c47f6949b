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
    body: Body,
}

/// TBSCertList (RFC 5280, 5.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) version: Vec<u8>,
    pub(super) algorithm: Vec<u8>,
    pub(super) issuer: DistinguishedName,
    pub(super) this_update: Timestamp,
    pub(super) next_update: Timestamp,
    /// The types with which the two dates are written.
    pub(super) date_tags: [Option<u8>; 2],
    /// Content of revokedCertificates; `None` where it is absent.
    pub(super) entries: Option<Vec<u8>>,
    pub(super) extensions: Vec<Extension>,
}

impl Body {
    pub(super) fn read(tbs: &[u8]) -> Result<Self, DerError> {
        let mut body = read::sequence(tbs)?;
        let version = body.unsigned()?.to_vec();
        let algorithm = body.element(tag::SEQUENCE)?.whole.to_vec();
        let issuer = DistinguishedName::parse(body.element(tag::SEQUENCE)?.whole)?;
        let (first, this_update) = (body.peek(), body.time()?);
        let (second, next_update) = (body.peek(), body.time()?);
        let date_tags = [first, second];
        let revoked = body.next_is(tag::SEQUENCE);
        let entries = if revoked { Some(body.content(tag::SEQUENCE)?.to_vec()) } else { None };
        let mut wrapper = body.enter(tag::context(0))?;
        let extensions = read_extensions(wrapper.enter(tag::SEQUENCE)?)?;
        wrapper.finish()?;
        body.finish()?;
        Ok(Self {
            version,
            algorithm,
            issuer,
            this_update,
            next_update,
            date_tags,
            entries,
            extensions,
        })
    }

    pub(super) fn entries(&self) -> Entries<'_> {
        Entries { rest: Reader::new(self.entries.as_deref().unwrap_or_default()) }
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
        let body = Body::read(&tbs)?;
        Ok(Self { tbs, outer_algorithm, signature, body })
    }

    /// Verifies the signature over the received octets.
    pub fn verify(&self, issuer: &PublicKey) -> Result<(), SignatureError> {
        if self.outer_algorithm != self.body.algorithm {
            return Err(SignatureError);
        }
        let algorithm =
            SignatureAlgorithm::parse(&self.outer_algorithm).map_err(|_| SignatureError)?;
        issuer.verify(algorithm, &self.tbs, &self.signature)
    }

    /// Who issued it.
    pub const fn issuer(&self) -> &DistinguishedName {
        &self.body.issuer
    }

    /// When it was issued.
    pub const fn this_update(&self) -> Timestamp {
        self.body.this_update
    }

    /// When the next one is there at the latest.
    pub const fn next_update(&self) -> Timestamp {
        self.body.next_update
    }

    /// Its number; `None` where it has none, or one above 64 bits.
    pub fn number(&self) -> Option<u64> {
        self.body.extension(oid::CRL_NUMBER).and_then(|value| {
            let mut reader = Reader::new(value);
            let magnitude = reader.unsigned().ok()?;
            reader.finish().ok()?;
            let fits = magnitude.len() <= 8;
            fits.then(|| magnitude.iter().fold(0, |sum, b| (sum << 8) | u64::from(*b)))
        })
    }

    /// Since when expired certificates stay on the list.
    pub fn expired_since(&self) -> Option<Timestamp> {
        Reader::new(self.body.extension(oid::EXPIRED_CERTS_ON_CRL)?).generalized_time().ok()
    }

    /// The extensions in order.
    pub fn extensions(&self) -> &[Extension] {
        &self.body.extensions
    }

    /// The entries in order; an unreadable entry ends the list with an error.
    pub fn entries(&self) -> impl Iterator<Item = Result<CrlEntry, CrlError>> {
        self.body.entries()
    }
}

impl Body {
    fn extension(&self, oid: const_oid::ObjectIdentifier) -> Option<&[u8]> {
        self.extensions.iter().find(|e| e.oid == oid).map(|e| e.value.as_slice())
    }
}

/// The entries, one after the other.
pub(super) struct Entries<'a> {
    rest: Reader<'a>,
}

impl Iterator for Entries<'_> {
    type Item = Result<CrlEntry, CrlError>;

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

fn entry(list: &mut Reader<'_>) -> Result<CrlEntry, CrlError> {
    let mut entry = list.enter(tag::SEQUENCE)?;
    let serial = Serial::from_integer(entry.integer()?)?;
    let at = entry.time()?;
    let extensions = match entry.enter_optional(tag::SEQUENCE)? {
        Some(list) => read_extensions(list)?,
        None => Vec::new(),
    };
    entry.finish()?;
    let mut found = CrlEntry { serial, at, reason: None, invalid_since: None };
    for Extension { oid, critical, value } in extensions {
        match oid {
            oid::CRL_REASON => found.reason = Some(reason(&value)?),
            oid::INVALIDITY_DATE => {
                found.invalid_since = Some(Reader::new(&value).generalized_time()?);
            }
            _ if critical => {
                Err(DerError::Value("an entry has a critical extension that is not known"))?;
            }
            _ => {}
        }
    }
    Ok(found)
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

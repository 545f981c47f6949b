//! Reading requests: strict, bounded, borrowed from the received octets.

use tenkoku_domain::certificate::Serial;

use super::{HashAlgorithm, IssuerHashes, plain};
use crate::asn1::read::{self, Reader};
use crate::asn1::{DerError, tag, write};
use crate::oid;

/// Largest request that is read, in octets.
pub const MAX_REQUEST_OCTETS: usize = 4096;
/// Most certificates that one request may ask about.
pub const MAX_REQUESTS: usize = 8;
/// Longest nonce (RFC 9654, 2.1).
const MAX_NONCE_OCTETS: usize = 128;

/// Why a request is malformed. The client only ever hears `malformedRequest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// More than [`MAX_REQUEST_OCTETS`].
    #[error("the request is larger than 4096 octets")]
    TooLarge,
    /// Not the structure of a request.
    #[error("this is not an OCSP request: {0}")]
    Structure(#[from] DerError),
    /// No certificate asked about, or more than [`MAX_REQUESTS`].
    #[error("the request does not ask about 1 to 8 certificates")]
    Count,
    /// The hashes do not have the length of their algorithm.
    #[error("a certificate is named with hashes of the wrong length")]
    HashLength,
    /// A nonce that is not 1 to 128 octets, or more than one.
    #[error("the nonce does not have 1 to 128 octets")]
    Nonce,
    /// A critical extension that is not known here.
    #[error("the request has a critical extension that is not known here")]
    Critical,
}

/// A request: what it asks about, and its nonce. The requestor's name and signature are ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    cert_ids: Vec<CertId<'a>>,
    nonce: Option<&'a [u8]>,
}

/// How a client names a certificate (RFC 6960, 4.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertId<'a> {
    der: &'a [u8],
    algorithm: Option<HashAlgorithm>,
    name_hash: &'a [u8],
    key_hash: &'a [u8],
    serial: &'a [u8],
}

impl<'a> CertId<'a> {
    /// The octets, to be echoed in the answer.
    pub const fn der(&self) -> &'a [u8] {
        self.der
    }

    /// The hash algorithm; `None` for one that nobody is known under.
    pub const fn algorithm(&self) -> Option<HashAlgorithm> {
        self.algorithm
    }

    /// The serial number; `None` for a number that no certificate can have.
    pub fn serial(&self) -> Option<Serial> {
        Serial::from_integer(self.serial).ok()
    }

    /// Whether the certificate is one of this issuer's.
    pub fn is_of(&self, issuer: &IssuerHashes) -> bool {
        self.algorithm == Some(issuer.algorithm)
            && self.name_hash == issuer.name
            && self.key_hash == issuer.key
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self, RequestError> {
        let whole = reader.element(tag::SEQUENCE)?;
        let mut fields = Reader::new(whole.content);
        let algorithm = hash_algorithm(fields.enter(tag::SEQUENCE)?)?;
        let name_hash = fields.content(tag::OCTET_STRING)?;
        let key_hash = fields.content(tag::OCTET_STRING)?;
        let serial = fields.integer()?;
        fields.finish()?;
        let length = algorithm.map(HashAlgorithm::octets);
        let fits = length.is_none_or(|n| name_hash.len() == n && key_hash.len() == n);
        if !fits {
            return Err(RequestError::HashLength);
        }
        Ok(Self { der: whole.whole, algorithm, name_hash, key_hash, serial })
    }
}

impl HashAlgorithm {
    const fn octets(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// The parameters are absent or NULL.
fn hash_algorithm(mut identifier: Reader<'_>) -> Result<Option<HashAlgorithm>, DerError> {
    let oid = identifier.oid()?;
    let known = HashAlgorithm::ALL.into_iter().find(|algorithm| algorithm.oid() == oid);
    if known.is_some() {
        let null = identifier.next_is(tag::NULL).then(|| identifier.content(tag::NULL));
        if null.transpose()?.is_some_and(|content| !content.is_empty()) {
            return Err(DerError::Value("NULL is not empty"));
        }
        identifier.finish()?;
    }
    Ok(known)
}

impl<'a> Request<'a> {
    /// Reads an OCSPRequest (RFC 6960, 4.1.1).
    pub fn parse(der: &'a [u8]) -> Result<Self, RequestError> {
        if der.len() > MAX_REQUEST_OCTETS {
            return Err(RequestError::TooLarge);
        }
        let mut outer = read::sequence(der)?;
        let mut body = outer.enter(tag::SEQUENCE)?;
        // The requestor's signature, which is ignored.
        outer.enter_optional(tag::context(0))?;
        outer.finish()?;
        // The requestor's name, which is ignored. A version is not written, because 1 is the default.
        body.enter_optional(tag::context(1))?;
        let cert_ids = cert_ids(body.enter(tag::SEQUENCE)?)?;
        let nonce = match body.enter_optional(tag::context(2))? {
            Some(wrapper) => nonce(wrapper)?,
            None => None,
        };
        body.finish()?;
        Ok(Self { cert_ids, nonce })
    }

    /// What is asked about: at least one, at most [`MAX_REQUESTS`].
    pub fn cert_ids(&self) -> &[CertId<'a>] {
        &self.cert_ids
    }

    /// The nonce, 1 to 128 octets.
    pub const fn nonce(&self) -> Option<&'a [u8]> {
        self.nonce
    }
}

fn cert_ids(mut list: Reader<'_>) -> Result<Vec<CertId<'_>>, RequestError> {
    let mut cert_ids = Vec::with_capacity(1);
    while !list.is_empty() {
        if cert_ids.len() == MAX_REQUESTS {
            return Err(RequestError::Count);
        }
        let mut request = list.enter(tag::SEQUENCE)?;
        cert_ids.push(CertId::read(&mut request)?);
        if let Some(mut wrapper) = request.enter_optional(tag::context(0))? {
            each_extension(wrapper.enter(tag::SEQUENCE)?, |_, _| Ok(false))?;
            wrapper.finish()?;
        }
        request.finish()?;
    }
    if cert_ids.is_empty() { Err(RequestError::Count) } else { Ok(cert_ids) }
}

fn nonce(mut wrapper: Reader<'_>) -> Result<Option<&[u8]>, RequestError> {
    let mut found = None;
    each_extension(wrapper.enter(tag::SEQUENCE)?, |oid, value| {
        if oid != oid::OCSP_NONCE {
            return Ok(false);
        }
        let mut reader = Reader::new(value);
        let nonce = reader.content(tag::OCTET_STRING).map_err(|_| RequestError::Nonce)?;
        let single = reader.is_empty() && found.is_none();
        if !single || !(1..=MAX_NONCE_OCTETS).contains(&nonce.len()) {
            return Err(RequestError::Nonce);
        }
        found = Some(nonce);
        Ok(true)
    })?;
    wrapper.finish()?;
    Ok(found)
}

/// Reads extensions without copying. `known` says whether it understood one; a critical one that
/// nobody understands is refused (RFC 6960, 4.4).
fn each_extension<'a>(
    mut list: Reader<'a>,
    mut known: impl FnMut(const_oid::ObjectIdentifier, &'a [u8]) -> Result<bool, RequestError>,
) -> Result<(), RequestError> {
    if list.is_empty() {
        return Err(DerError::Value("a list of extensions is empty").into());
    }
    while !list.is_empty() {
        let mut extension = list.enter(tag::SEQUENCE)?;
        let oid = extension.oid()?;
        let critical = extension.default_false()?;
        let value = extension.content(tag::OCTET_STRING)?;
        extension.finish()?;
        if !known(oid, value)? && critical {
            return Err(RequestError::Critical);
        }
    }
    Ok(())
}

/// Encodes a request for the given CertIDs, as a client: for self-checks and `ocsp query`.
pub fn encode_request(cert_ids: &[Vec<u8>], nonce: Option<&[u8]>) -> Vec<u8> {
    let list: Vec<Vec<u8>> = cert_ids.iter().map(|id| write::sequence(&[id])).collect();
    let mut body = vec![write::sequence(&list)];
    body.extend(nonce.map(|nonce| {
        let extension = plain(&oid::OCSP_NONCE, &write::octets(nonce));
        write::context(2, &write::sequence(&[extension]))
    }));
    write::sequence(&[write::sequence(&body)])
}

//! Reading requests: strict, bounded, borrowed from the received octets, without any allocation.

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
    cert_ids: CertIds<'a>,
    nonce: Option<&'a [u8]>,
}

/// How a client names a certificate (RFC 6960, 4.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertId<'a> {
    der: &'a [u8],
    algorithm: Option<HashAlgorithm>,
    /// Whether the parameters of the algorithm are NULL rather than absent.
    null: bool,
    name_hash: &'a [u8],
    key_hash: &'a [u8],
    serial: &'a [u8],
}

/// The certificates asked about, kept in place.
#[derive(Clone, Debug, PartialEq, Eq)]
struct CertIds<'a> {
    all: [CertId<'a>; MAX_REQUESTS],
    count: usize,
}

impl<'a> CertIds<'a> {
    const NONE: CertId<'static> = CertId {
        der: &[],
        algorithm: None,
        null: false,
        name_hash: &[],
        key_hash: &[],
        serial: &[],
    };

    const fn new() -> Self {
        Self { all: [Self::NONE; MAX_REQUESTS], count: 0 }
    }

    fn push(&mut self, cert_id: CertId<'a>) -> Result<(), RequestError> {
        *self.all.get_mut(self.count).ok_or(RequestError::Count)? = cert_id;
        self.count += 1;
        Ok(())
    }

    fn as_slice(&self) -> &[CertId<'a>] {
        self.all.get(..self.count).unwrap_or_default()
    }
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

    /// Whether the parameters of the hash algorithm are written as NULL; otherwise they are absent.
    /// Together with issuer, algorithm and serial number this determines [`Self::der`].
    pub const fn has_null_parameters(&self) -> bool {
        self.null
    }

    /// The content octets of the serial number, an INTEGER in the fewest octets.
    pub const fn serial_octets(&self) -> &'a [u8] {
        self.serial
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
        let (algorithm, null) = hash_algorithm(fields.enter(tag::SEQUENCE)?)?;
        let name_hash = fields.content(tag::OCTET_STRING)?;
        let key_hash = fields.content(tag::OCTET_STRING)?;
        let serial = fields.integer()?;
        fields.finish()?;
        let length = algorithm.map(HashAlgorithm::octets);
        let fits = length.is_none_or(|n| name_hash.len() == n && key_hash.len() == n);
        if !fits {
            return Err(RequestError::HashLength);
        }
        Ok(Self { der: whole.whole, algorithm, null, name_hash, key_hash, serial })
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

/// The algorithm, and whether its parameters are NULL; otherwise they are absent.
fn hash_algorithm(mut identifier: Reader<'_>) -> Result<(Option<HashAlgorithm>, bool), DerError> {
    let oid = identifier.oid()?;
    let Some(known) = HashAlgorithm::ALL.into_iter().find(|algorithm| algorithm.oid() == oid)
    else {
        return Ok((None, false));
    };
    let null = identifier.next_is(tag::NULL);
    if null && !identifier.content(tag::NULL)?.is_empty() {
        return Err(DerError::Value("NULL is not empty"));
    }
    identifier.finish()?;
    Ok((Some(known), null))
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
        self.cert_ids.as_slice()
    }

    /// The nonce, 1 to 128 octets.
    pub const fn nonce(&self) -> Option<&'a [u8]> {
        self.nonce
    }
}

fn cert_ids(mut list: Reader<'_>) -> Result<CertIds<'_>, RequestError> {
    let mut cert_ids = CertIds::new();
    while !list.is_empty() {
        let mut request = list.enter(tag::SEQUENCE)?;
        cert_ids.push(CertId::read(&mut request)?)?;
        if let Some(mut wrapper) = request.enter_optional(tag::context(0))? {
            each_extension(wrapper.enter(tag::SEQUENCE)?, |_, _| Ok(false))?;
            wrapper.finish()?;
        }
        request.finish()?;
    }
    if cert_ids.count == 0 { Err(RequestError::Count) } else { Ok(cert_ids) }
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

//! OCSP messages (RFC 6960): strict requests in, answers out.
//!
//! What the status of a certificate is, and which answers are kept, is the responder's matter.

use aws_lc_rs::digest;

use crate::asn1::write;
use crate::key::PublicKey;
use crate::name::DistinguishedName;
use crate::signature::with_null;
use crate::{asn1::tag, oid};

mod answer;
mod lint;
mod read;
mod request;

pub use self::answer::{AnswerDraft, AnswerOrder, AnswerSigner, Single, Status, draft};
pub use self::lint::{LintedAnswer, lint};
pub use self::read::{Answer, AnswerError, AnswerSingle, AnswerStatus};
pub use self::request::{
    CertId, MAX_REQUEST_OCTETS, MAX_REQUESTS, Request, RequestError, encode_request,
};

/// The answer to a request that cannot be read (RFC 6960, 4.2.1: malformedRequest).
pub const MALFORMED_REQUEST: &[u8] = &[0x30, 0x03, 0x0A, 0x01, 0x01];
/// The answer when something broke inside (internalError).
pub const INTERNAL_ERROR: &[u8] = &[0x30, 0x03, 0x0A, 0x01, 0x02];
/// The answer when the client should come back later (tryLater).
pub const TRY_LATER: &[u8] = &[0x30, 0x03, 0x0A, 0x01, 0x03];
/// The answer for certificates that this responder does not speak for (unauthorized).
pub const UNAUTHORIZED: &[u8] = &[0x30, 0x03, 0x0A, 0x01, 0x06];

/// A hash algorithm of a CertID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashAlgorithm {
    /// SHA-1, which old clients still use to name a certificate; nothing rests on its strength.
    Sha1,
    /// SHA-256 (RFC 9919).
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl HashAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 4] = [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512];

    /// Its place in [`Self::ALL`].
    pub const fn place(self) -> usize {
        match self {
            Self::Sha1 => 0,
            Self::Sha256 => 1,
            Self::Sha384 => 2,
            Self::Sha512 => 3,
        }
    }

    const fn oid(self) -> const_oid::ObjectIdentifier {
        match self {
            Self::Sha1 => oid::SHA1,
            Self::Sha256 => oid::SHA256,
            Self::Sha384 => oid::SHA384,
            Self::Sha512 => oid::SHA512,
        }
    }

    fn digest(self, data: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, data).as_ref().to_vec()
    }
}

/// How requests name an issuer under one hash algorithm.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuerHashes {
    /// The algorithm.
    pub algorithm: HashAlgorithm,
    /// Hash of the issuer's name, DER.
    pub name: Vec<u8>,
    /// Hash of the content of the issuer's BIT STRING.
    pub key: Vec<u8>,
}

impl IssuerHashes {
    /// The hashes of an issuer, to be computed once (RFC 6960, 4.1.1).
    pub fn of(algorithm: HashAlgorithm, name: &DistinguishedName, key: &PublicKey) -> Self {
        Self { algorithm, name: algorithm.digest(name.der()), key: algorithm.digest(key.bits()) }
    }

    /// A CertID under this issuer, for pre-produced answers and own questions. Parameters are NULL,
    /// as the clients that we know write them.
    pub fn cert_id(&self, serial: &tenkoku_domain::certificate::Serial) -> Vec<u8> {
        write::sequence(&[
            with_null(&self.algorithm.oid()),
            write::octets(&self.name),
            write::octets(&self.key),
            write::unsigned(serial.octets()),
        ])
    }
}

/// An extension that is not critical.
fn plain(oid: &const_oid::ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    write::sequence(&[write::oid(oid), write::tlv(tag::OCTET_STRING, value)])
}

#[cfg(test)]
mod tests;

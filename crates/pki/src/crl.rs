//! CRLs: full lists of version 2, for roots and issuing authorities alike (RFC 5280, 5).
//!
//! Entries are encoded once and kept; a list of many is then one concatenation. Not here: delta
//! lists, shards (issuing distribution points), indirect lists, and how long a list is good for.

use tenkoku_domain::certificate::Serial;
use tenkoku_domain::revocation::{ReasonCode, Revocation};
use tenkoku_domain::time::Timestamp;

use crate::asn1::{tag, write};
use crate::oid;
use crate::profile::Issuer;
use crate::signature::SignatureAlgorithm;

mod lint;
mod read;

pub use self::lint::{LintedCrl, lint};
pub use self::read::{Crl, CrlEntry, CrlError};

/// One revoked or suspended certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its serial number.
    pub serial: Serial,
    /// The revocation date.
    pub at: Timestamp,
    /// The reason.
    pub reason: ReasonCode,
    /// Since when the key must be taken as exposed (RFC 5280, 5.3.2).
    pub invalid_since: Option<Timestamp>,
}

impl Entry {
    /// The entry of a decided revocation or suspension.
    pub fn of(serial: Serial, revocation: &Revocation) -> Self {
        let Revocation { cause, at, invalid_since } = *revocation;
        Self { serial, at, reason: cause.reason(), invalid_since }
    }

    /// Encodes the entry once, to be used in many lists.
    pub fn encode(&self) -> EncodedEntry {
        let reason = write::tlv(tag::ENUMERATED, &[self.reason.number()]);
        let mut extensions = vec![plain(&oid::CRL_REASON, &reason)];
        extensions.extend(
            self.invalid_since
                .map(|since| plain(&oid::INVALIDITY_DATE, &write::generalized_time(since))),
        );
        EncodedEntry(write::sequence(&[
            write::unsigned(self.serial.octets()),
            write::time(self.at),
            write::sequence(&extensions),
        ]))
    }
}

/// An entry, DER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedEntry(Vec<u8>);

impl EncodedEntry {
    /// The octets.
    pub fn der(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for EncodedEntry {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Everything decided about one list.
#[derive(Clone, Debug)]
pub struct CrlOrder<'a> {
    /// Who signs: the authority itself.
    pub issuer: &'a Issuer,
    /// The number of this list.
    pub number: u64,
    /// The number of the list before, which must be lower; `None` for the first.
    pub previous: Option<u64>,
    /// When it is issued.
    pub this_update: Timestamp,
    /// When the next one is there at the latest.
    pub next_update: Timestamp,
    /// Since when expired certificates stay on the list (X.509, 9.5.2.8); `None` when they do not.
    pub expired_since: Option<Timestamp>,
    /// The entries in the order in which they shall stand.
    pub entries: &'a [EncodedEntry],
}

impl CrlOrder<'_> {
    /// The algorithm that the issuer's key signs with.
    pub const fn signature_algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::of_issuer(self.issuer.key.algorithm())
    }
}

/// A list before the lint. It cannot be signed; [`lint()`] turns it into one that can.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct CrlDraft(Vec<u8>);

impl CrlDraft {
    /// Octets that claim to be a TBSCertList.
    pub const fn from_der(tbs: Vec<u8>) -> Self {
        Self(tbs)
    }

    /// The octets.
    pub fn der(&self) -> &[u8] {
        &self.0
    }
}

/// Encodes an order as TBSCertList (RFC 5280, 5.1). Without entries, revokedCertificates is absent.
pub fn draft(order: &CrlOrder<'_>) -> CrlDraft {
    parts(order).draft()
}

/// The fields of TBSCertList, each encoded.
#[derive(Clone, Debug)]
struct Parts {
    version: Vec<u8>,
    algorithm: Vec<u8>,
    issuer: Vec<u8>,
    this_update: Vec<u8>,
    next_update: Vec<u8>,
    /// Empty or one SEQUENCE.
    revoked: Vec<u8>,
    extensions: Vec<Vec<u8>>,
}

impl Parts {
    fn draft(&self) -> CrlDraft {
        CrlDraft(write::sequence(&[
            self.version.as_slice(),
            &self.algorithm,
            &self.issuer,
            &self.this_update,
            &self.next_update,
            &self.revoked,
            &write::context(0, &write::sequence(&self.extensions)),
        ]))
    }
}

fn parts(order: &CrlOrder<'_>) -> Parts {
    let entries = order.entries;
    Parts {
        version: write::unsigned(&[1]),
        algorithm: order.signature_algorithm().identifier(),
        issuer: order.issuer.name.der().to_vec(),
        this_update: write::time(order.this_update),
        next_update: write::time(order.next_update),
        revoked: if entries.is_empty() { Vec::new() } else { write::sequence(entries) },
        extensions: extensions(order),
    }
}

/// authorityKeyIdentifier, cRLNumber, ExpiredCertsOnCRL; none of them critical.
fn extensions(order: &CrlOrder<'_>) -> Vec<Vec<u8>> {
    let identifier = write::tlv(tag::primitive(0), &order.issuer.key.key_identifier());
    let mut list = vec![
        plain(&oid::AUTHORITY_KEY_IDENTIFIER, &write::sequence(&[identifier])),
        plain(&oid::CRL_NUMBER, &write::unsigned(&order.number.to_be_bytes())),
    ];
    list.extend(
        order
            .expired_since
            .map(|since| plain(&oid::EXPIRED_CERTS_ON_CRL, &write::generalized_time(since))),
    );
    list
}

fn plain(oid: &const_oid::ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    write::sequence(&[write::oid(oid), write::octets(value)])
}

#[cfg(test)]
mod tests;

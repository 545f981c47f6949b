//! CRLs of version 2, for roots and issuing authorities alike (RFC 5280, 5): complete or delta, of
//! everything that an authority issued or of one shard of it.
//!
//! Entries are encoded once and kept one after the other, so a list of a million is one copy and one
//! signature. Not here: indirect lists, and how long a list is good for.

use std::borrow::Cow;

use tenkoku_domain::certificate::Serial;
use tenkoku_domain::revocation::{ReasonCode, Revocation};
use tenkoku_domain::time::Timestamp;

use crate::asn1::{tag, write};
use crate::oid;
use crate::profile::Issuer;
use crate::signature::SignatureAlgorithm;
use crate::uri::HttpUri;

mod entries;
mod lint;
mod read;

pub use self::entries::EntryList;
pub use self::lint::{LintedCrl, lint};
pub use self::read::{Crl, CrlEntry, CrlError, entries_of};

/// One revoked or suspended certificate; in a delta list also one whose hold was lifted.
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

    /// The entry of a hold that was lifted. It stands in delta lists only (RFC 5280, 5.3.1).
    pub const fn removed(serial: Serial, at: Timestamp) -> Self {
        Self { serial, at, reason: ReasonCode::RemoveFromCrl, invalid_since: None }
    }

    /// The entry, DER.
    fn encode(&self) -> Vec<u8> {
        let reason = write::tlv(tag::ENUMERATED, &[self.reason.number()]);
        let mut extensions = vec![plain(&oid::CRL_REASON, &reason)];
        extensions.extend(
            self.invalid_since
                .map(|since| plain(&oid::INVALIDITY_DATE, &write::generalized_time(since))),
        );
        write::sequence(&[
            write::unsigned(self.serial.octets()),
            write::time(self.at),
            write::sequence(&extensions),
        ])
    }
}

/// What a list tells of its certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrlKind<'a> {
    /// Every one that is revoked or on hold.
    Complete {
        /// Where the delta list to it lies; `None` where there is none.
        freshest: Option<&'a HttpUri>,
    },
    /// What changed since a complete list (RFC 5280, 5.2.4).
    Delta {
        /// The number of that list.
        base: u64,
    },
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
    /// Complete or delta.
    pub kind: CrlKind<'a>,
    /// The address of the shard that it tells of, as the certificates of the shard name it; `None`
    /// where it tells of every certificate.
    pub shard: Option<&'a HttpUri>,
    /// The entries in the order in which they shall stand.
    pub entries: &'a EntryList,
}

impl CrlOrder<'_> {
    /// The algorithm that the issuer's key signs with.
    pub const fn signature_algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::of_issuer(self.issuer.key.algorithm())
    }

    /// The extensions as they must stand: what each is, whether it is critical, its value.
    fn demanded(&self) -> Vec<(const_oid::ObjectIdentifier, bool, Vec<u8>)> {
        let identifier = write::tlv(tag::primitive(0), &self.issuer.key.key_identifier());
        let number = write::unsigned(&self.number.to_be_bytes());
        let mut list = vec![
            (oid::AUTHORITY_KEY_IDENTIFIER, false, write::sequence(&[identifier])),
            (oid::CRL_NUMBER, false, number),
        ];
        if let CrlKind::Delta { base } = self.kind {
            let base = write::unsigned(&base.to_be_bytes());
            list.push((oid::DELTA_CRL_INDICATOR, true, base));
        }
        if let Some(address) = self.shard {
            let point = write::context(0, &full_name(address));
            list.push((oid::ISSUING_DISTRIBUTION_POINT, true, write::sequence(&[point])));
        }
        if let CrlKind::Complete { freshest: Some(address) } = self.kind {
            let point = write::sequence(&[write::context(0, &full_name(address))]);
            list.push((oid::FRESHEST_CRL, false, write::sequence(&[point])));
        }
        if let Some(since) = self.expired_since {
            list.push((oid::EXPIRED_CERTS_ON_CRL, false, write::generalized_time(since)));
        }
        list
    }
}

/// One address as fullName of a DistributionPointName (RFC 5280, 4.2.1.13).
fn full_name(address: &HttpUri) -> Vec<u8> {
    write::context(0, &write::tlv(tag::primitive(6), address.as_str().as_bytes()))
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

/// Room for the signature, its algorithm and the headers around, so that a list of a million is not
/// copied once more when it is put together. The longest signature is that of ML-DSA-87: 4627.
const ROOM_OCTETS: usize = 5_000;

/// The fields of TBSCertList, each encoded.
#[derive(Clone, Debug)]
struct Parts<'a> {
    version: Vec<u8>,
    algorithm: Vec<u8>,
    issuer: Vec<u8>,
    this_update: Vec<u8>,
    next_update: Vec<u8>,
    /// The content of revokedCertificates; `None` where it is absent.
    revoked: Option<Cow<'a, [u8]>>,
    extensions: Vec<Vec<u8>>,
}

impl Parts<'_> {
    fn draft(&self) -> CrlDraft {
        let head =
            [&self.version, &self.algorithm, &self.issuer, &self.this_update, &self.next_update];
        let head = write::concat(&head);
        let tail = write::context(0, &write::sequence(&self.extensions));
        let mut revoked = Vec::new();
        if let Some(content) = &self.revoked {
            write::push_header(&mut revoked, tag::SEQUENCE, content.len());
        }
        let content = self.revoked.as_deref().unwrap_or_default();
        let length = head.len() + revoked.len() + content.len() + tail.len();
        let mut out = Vec::with_capacity(length + ROOM_OCTETS);
        write::push_header(&mut out, tag::SEQUENCE, length);
        for part in [&head[..], &revoked, content, &tail] {
            out.extend_from_slice(part);
        }
        CrlDraft(out)
    }
}

fn parts<'a>(order: &CrlOrder<'a>) -> Parts<'a> {
    let entries = order.entries;
    let extension = |(oid, critical, value): (_, bool, Vec<u8>)| {
        if critical { sharp(&oid, &value) } else { plain(&oid, &value) }
    };
    Parts {
        version: write::unsigned(&[1]),
        algorithm: order.signature_algorithm().identifier(),
        issuer: order.issuer.name.der().to_vec(),
        this_update: write::time(order.this_update),
        next_update: write::time(order.next_update),
        revoked: (!entries.is_empty()).then(|| Cow::Borrowed(entries.der())),
        extensions: order.demanded().into_iter().map(extension).collect(),
    }
}

fn plain(oid: &const_oid::ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    write::sequence(&[write::oid(oid), write::octets(value)])
}

/// A critical extension.
fn sharp(oid: &const_oid::ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    write::sequence(&[write::oid(oid), vec![tag::BOOLEAN, 1, 0xFF], write::octets(value)])
}

#[cfg(test)]
mod tests;

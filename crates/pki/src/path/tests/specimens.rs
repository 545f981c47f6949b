//! Certificates and lists made to order, signed with Ed25519 keys from small seeds.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use const_oid::ObjectIdentifier;
use tenkoku_domain::time::Timestamp;

use super::super::extension as id;
use crate::asn1::{tag, write};
use crate::oid;

/// The instant of every judgement here.
pub(super) const AT: Timestamp = Timestamp::from_seconds(1_795_305_600);

/// Somebody with a name and a key.
#[derive(Clone, Debug)]
pub(super) struct Party {
    pub(super) name: String,
    pub(super) seed: u32,
}

pub(super) fn party(name: &str, seed: u32) -> Party {
    Party { name: name.to_owned(), seed }
}

impl Party {
    fn pair(&self) -> Ed25519KeyPair {
        let mut seed = [7; 32];
        seed[..4].copy_from_slice(&self.seed.to_be_bytes());
        Ed25519KeyPair::from_seed_unchecked(&seed).unwrap()
    }

    pub(super) fn dn(&self) -> Vec<u8> {
        write::sequence(&[attribute(&self.name)])
    }

    fn spki(&self) -> Vec<u8> {
        write::sequence(&[algorithm(), write::bits(self.pair().public_key().as_ref())])
    }

    fn sign(&self, body: &[u8]) -> Vec<u8> {
        let signature = write::bits(self.pair().sign(body).as_ref());
        write::sequence(&[body.to_vec(), algorithm(), signature])
    }
}

/// A SET with a common name.
pub(super) fn attribute(name: &str) -> Vec<u8> {
    let value = [write::oid(&oid::COMMON_NAME), write::utf8(name)];
    write::set_of_one(&write::sequence(&value))
}

fn algorithm() -> Vec<u8> {
    write::sequence(&[write::oid(&oid::ED25519)])
}

/// One extension.
pub(super) fn extension(kind: ObjectIdentifier, critical: bool, value: &[u8]) -> Vec<u8> {
    let mut parts = vec![write::oid(&kind)];
    if critical {
        parts.push(write::tlv(tag::BOOLEAN, &[0xFF]));
    }
    parts.push(write::octets(value));
    write::sequence(&parts)
}

/// basicConstraints and keyUsage of an authority that also signs lists.
pub(super) fn authority() -> Vec<Vec<u8>> {
    let basic = write::sequence(&[write::tlv(tag::BOOLEAN, &[0xFF])]);
    vec![
        extension(oid::BASIC_CONSTRAINTS, true, &basic),
        extension(oid::KEY_USAGE, true, &[3, 2, 1, 0x06]),
    ]
}

/// keyUsage of a signer of lists.
pub(super) fn list_signer() -> Vec<Vec<u8>> {
    vec![extension(oid::KEY_USAGE, true, &[3, 2, 1, 0x02])]
}

pub(super) fn policies(policies: &[ObjectIdentifier]) -> Vec<u8> {
    let all: Vec<_> = policies.iter().map(|p| write::sequence(&[write::oid(p)])).collect();
    extension(oid::CERTIFICATE_POLICIES, false, &write::sequence(&all))
}

pub(super) fn mappings(pairs: &[(ObjectIdentifier, ObjectIdentifier)]) -> Vec<u8> {
    let all: Vec<_> =
        pairs.iter().map(|(a, b)| write::sequence(&[write::oid(a), write::oid(b)])).collect();
    extension(id::POLICY_MAPPINGS, true, &write::sequence(&all))
}

/// subjectAltName with these host names.
pub(super) fn hosts(names: &[String]) -> Vec<u8> {
    let all: Vec<_> = names.iter().map(|name| write::tlv(0x82, name.as_bytes())).collect();
    extension(oid::SUBJECT_ALT_NAME, false, &write::sequence(&all))
}

/// nameConstraints that exclude these host names.
pub(super) fn excluded(names: &[String]) -> Vec<u8> {
    let trees: Vec<_> =
        names.iter().map(|name| write::sequence(&[write::tlv(0x82, name.as_bytes())])).collect();
    let all = write::context(1, &write::concat(&trees));
    extension(id::NAME_CONSTRAINTS, true, &write::sequence(&[all]))
}

/// fullName with one directory name, inside its explicit tag.
pub(super) fn full(name: &[u8]) -> Vec<u8> {
    write::context(0, &write::context(0, &write::context(4, name)))
}

/// nameRelativeToCRLIssuer, inside its explicit tag.
pub(super) fn relative(name: &str) -> Vec<u8> {
    let set = attribute(name);
    write::context(0, &write::context(1, &set[2..]))
}

/// `reasons [1]` of a point or `onlySomeReasons [3]` of a scope: the octet of the named bits.
pub(super) fn reasons(n: u8, octet: u8) -> Vec<u8> {
    write::tlv(tag::primitive(n), &[0, octet, 0])
}

/// All reasons but keyCompromise and cACompromise.
pub(super) fn other_reasons(n: u8) -> Vec<u8> {
    write::tlv(tag::primitive(n), &[7, 0x1F, 0x80])
}

/// `cRLIssuer [2]` of a point.
pub(super) fn crl_issuer(party: &Party) -> Vec<u8> {
    write::context(2, &write::context(4, &party.dn()))
}

pub(super) fn points(points: &[Vec<Vec<u8>>]) -> Vec<u8> {
    let all: Vec<_> = points.iter().map(|parts| write::sequence(parts)).collect();
    extension(oid::CRL_DISTRIBUTION_POINTS, false, &write::sequence(&all))
}

pub(super) fn scope(parts: &[Vec<u8>]) -> Vec<u8> {
    extension(oid::ISSUING_DISTRIBUTION_POINT, true, &write::sequence(parts))
}

/// `indirectCRL [4] TRUE` of a scope.
pub(super) fn indirect() -> Vec<u8> {
    write::tlv(tag::primitive(4), &[0xFF])
}

pub(super) fn delta_of(base: u8) -> Vec<u8> {
    extension(oid::DELTA_CRL_INDICATOR, true, &write::unsigned(&[base]))
}

/// A certificate, valid for some days around [`AT`].
pub(super) fn certificate(
    issuer: &Party,
    subject: &Party,
    serial: u16,
    extensions: &[Vec<u8>],
) -> Vec<u8> {
    certificate_until(issuer, subject, serial, extensions, AT.plus_days(9))
}

pub(super) fn certificate_until(
    issuer: &Party,
    subject: &Party,
    serial: u16,
    extensions: &[Vec<u8>],
    until: Timestamp,
) -> Vec<u8> {
    let mut parts = vec![
        write::context(0, &write::unsigned(&[2])),
        write::unsigned(&serial.to_be_bytes()),
        algorithm(),
        issuer.dn(),
        write::sequence(&[write::time(AT.plus_days(-9)), write::time(until)]),
        subject.dn(),
        subject.spki(),
    ];
    if !extensions.is_empty() {
        parts.push(write::context(3, &write::sequence(extensions)));
    }
    issuer.sign(&write::sequence(&parts))
}

/// An entry of a list: serial number and extensions.
pub(super) fn entry(serial: u16, extensions: &[Vec<u8>]) -> Vec<u8> {
    let mut parts = vec![write::unsigned(&serial.to_be_bytes()), write::time(AT.plus_days(-2))];
    if !extensions.is_empty() {
        parts.push(write::sequence(extensions));
    }
    write::sequence(&parts)
}

pub(super) fn because(reason: u8) -> Vec<u8> {
    extension(oid::CRL_REASON, false, &write::tlv(tag::ENUMERATED, &[reason]))
}

pub(super) fn of_issuer(issuer: &Party) -> Vec<u8> {
    let names = write::sequence(&[write::context(4, &issuer.dn())]);
    extension(id::CERTIFICATE_ISSUER, true, &names)
}

/// A list with this number, issued as many hours before [`AT`] as the number is below 100.
pub(super) fn list(
    issuer: &Party,
    number: u8,
    entries: &[Vec<u8>],
    extensions: &[Vec<u8>],
) -> Vec<u8> {
    list_until(issuer, number, entries, extensions, AT.plus_days(1))
}

pub(super) fn list_until(
    issuer: &Party,
    number: u8,
    entries: &[Vec<u8>],
    extensions: &[Vec<u8>],
    until: Timestamp,
) -> Vec<u8> {
    let hours = i64::from(100 - number);
    let mut parts = vec![
        write::unsigned(&[1]),
        algorithm(),
        issuer.dn(),
        write::time(AT.plus_seconds(-3600 * hours)),
        write::time(until),
    ];
    if !entries.is_empty() {
        parts.push(write::sequence(entries));
    }
    let mut all = vec![extension(oid::CRL_NUMBER, false, &write::unsigned(&[number]))];
    all.extend_from_slice(extensions);
    parts.push(write::context(0, &write::sequence(&all)));
    issuer.sign(&write::sequence(&parts))
}

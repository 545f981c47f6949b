//! Extensions as the tables of DOMAIN 12.3 to 12.5 want them, each complete with its criticality.

use const_oid::ObjectIdentifier;
use tenkoku_domain::level::Level;

use super::{Repository, uri};
use crate::asn1::{tag, write};
use crate::key::PublicKey;
use crate::name::DistinguishedName;
use crate::oid;
use crate::policy::{PolicyArc, etsi_policy};
use crate::qc::{self, Claim, Semantics};
use crate::scope::NameScope;
use crate::uri::{HttpUri, HttpsUri};

/// A KeyUsage value: the number of unused bits and the bits (RFC 5280, 4.2.1.3).
type KeyUsage = [u8; 2];
pub(super) const DIGITAL_SIGNATURE: KeyUsage = [7, 0b1000_0000];
pub(super) const NON_REPUDIATION: KeyUsage = [6, 0b0100_0000];
/// keyCertSign and cRLSign.
pub(super) const AUTHORITY: KeyUsage = [1, 0b0000_0110];

const TRUE: [u8; 3] = [tag::BOOLEAN, 1, 0xFF];

fn critical(oid: &ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    write::sequence(&[write::oid(oid).as_slice(), &TRUE, &write::octets(value)])
}

fn plain(oid: &ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    write::sequence(&[write::oid(oid), write::octets(value)])
}

/// keyIdentifier only (RFC 5280, 4.2.1.1).
pub(super) fn authority_key_identifier(issuer: &PublicKey) -> Vec<u8> {
    let identifier = write::tlv(tag::primitive(0), &issuer.key_identifier());
    plain(&oid::AUTHORITY_KEY_IDENTIFIER, &write::sequence(&[identifier]))
}

/// Method 1 (RFC 5280, 4.2.1.2).
pub(super) fn subject_key_identifier(key: &PublicKey) -> Vec<u8> {
    plain(&oid::SUBJECT_KEY_IDENTIFIER, &write::octets(&key.key_identifier()))
}

pub(super) fn key_usage(usage: KeyUsage) -> Vec<u8> {
    critical(&oid::KEY_USAGE, &write::tlv(tag::BIT_STRING, &usage))
}

pub(super) fn ext_key_usage(purpose: &ObjectIdentifier) -> Vec<u8> {
    plain(&oid::EXT_KEY_USAGE, &write::sequence(&[write::oid(purpose)]))
}

/// Critical, as RFC 3161, 2.3 demands of time-stamping units.
pub(super) fn critical_ext_key_usage(purpose: &ObjectIdentifier) -> Vec<u8> {
    critical(&oid::EXT_KEY_USAGE, &write::sequence(&[write::oid(purpose)]))
}

/// The permitted subtrees, each a directoryName (RFC 5280, 4.2.1.10).
pub(super) fn name_constraints(scope: &NameScope) -> Vec<u8> {
    let subtrees: Vec<Vec<u8>> = scope
        .permitted()
        .iter()
        .map(|name| write::sequence(&[write::context(4, name.der())]))
        .collect();
    let permitted = write::context(0, &write::concat(&subtrees));
    critical(&oid::NAME_CONSTRAINTS, &write::sequence(&[permitted]))
}

/// An account as the only alternative name, a uniformResourceIdentifier (RFC 5280, 4.2.1.6).
pub(super) fn account(account: &HttpsUri) -> Vec<u8> {
    let name = write::tlv(tag::primitive(6), account.as_str().as_bytes());
    plain(&oid::SUBJECT_ALT_NAME, &write::sequence(&[name]))
}

/// basicConstraints of an authority (RFC 5280, 4.2.1.9).
pub(super) fn authority(path_length: Option<u8>) -> Vec<u8> {
    let mut value = vec![TRUE.to_vec()];
    value.extend(path_length.map(|length| write::unsigned(&[length])));
    critical(&oid::BASIC_CONSTRAINTS, &write::sequence(&value))
}

/// basicConstraints that say no: cA is false by default and so not written.
pub(super) fn end_entity() -> Vec<u8> {
    critical(&oid::BASIC_CONSTRAINTS, &write::sequence::<&[u8]>(&[]))
}

/// The operator's policy and that of EN 319 411-1.
pub(super) fn level_policies(arc: &PolicyArc, level: Level) -> [ObjectIdentifier; 2] {
    [arc.level(level), etsi_policy(level)]
}

pub(super) fn policies(policies: &[ObjectIdentifier]) -> Vec<u8> {
    let information: Vec<Vec<u8>> =
        policies.iter().map(|policy| write::sequence(&[write::oid(policy)])).collect();
    plain(&oid::CERTIFICATE_POLICIES, &write::sequence(&information))
}

/// The Latin form as a directoryName (RFC 5280, 4.2.1.6).
pub(super) fn alternative_name(latin: &DistinguishedName) -> Vec<u8> {
    plain(&oid::SUBJECT_ALT_NAME, &write::sequence(&[write::context(4, latin.der())]))
}

/// caIssuers first, then ocsp (RFC 5280, 4.2.2.1).
pub(super) fn information_access(repository: &Repository, ocsp: Option<&HttpUri>) -> Vec<u8> {
    let access = |method: &ObjectIdentifier, address: &HttpUri| {
        write::sequence(&[write::oid(method), uri(address)])
    };
    let mut descriptions = vec![access(&oid::CA_ISSUERS, &repository.certificate)];
    descriptions.extend(ocsp.map(|address| access(&oid::OCSP, address)));
    plain(&oid::AUTHORITY_INFO_ACCESS, &write::sequence(&descriptions))
}

/// One distribution point with one address in fullName (RFC 5280, 4.2.1.13).
pub(super) fn crl_distribution(repository: &Repository) -> Vec<u8> {
    let full_name = write::context(0, &uri(&repository.crl));
    let point = write::sequence(&[write::context(0, &full_name)]);
    plain(&oid::CRL_DISTRIBUTION_POINTS, &write::sequence(&[point]))
}

pub(super) fn qc_statements(claim: &Claim, semantics: Semantics) -> Option<Vec<u8>> {
    qc::statements(claim, semantics).map(|value| plain(&oid::QC_STATEMENTS, &value))
}

/// id-pkix-ocsp-nocheck (RFC 6960, 4.2.2.2.1).
pub(super) fn ocsp_nocheck() -> Vec<u8> {
    plain(&oid::OCSP_NOCHECK, &write::null())
}

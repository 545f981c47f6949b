//! Who may sign a list (TS 119 612, 5.7.1).
//!
//! Deliberately not here: whether the signer was announced to readers; that is the publisher's.

use der::asn1::ObjectIdentifier;
use x509_cert::ext::pkix::KeyUsages;

use super::{Finding, Rule};
use crate::certificate::{Certificate, KeyKind};
use crate::model::SchemeInformation;
use tenkoku_domain::time::Timestamp;

/// id-tsl-kp-tslSigning.
const SIGNING_OF_LISTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("0.4.0.2231.3.0");
/// The smallest RSA modulus for new lists (TS 119 312).
const RSA_BITS: usize = 3072;

pub(super) fn check(
    scheme: &SchemeInformation,
    signer: &Certificate,
    at: Timestamp,
    findings: &mut Vec<Finding>,
) {
    let territory = &scheme.territory;
    let mut offended = |wrong: bool, rule: Rule, values: Vec<String>| {
        if wrong {
            findings.push(Finding::of_scheme(rule, "5.7.1", values));
        }
    };
    let known = signer.countries().iter().any(|country| territory.is_country(country));
    offended(!known, Rule::SignerCountry, vec![territory.to_string()]);
    offended(!names_operator(scheme, signer), Rule::SignerOperator, Vec::new());
    offended(!signs_only(signer), Rule::SignerUsage, Vec::new());
    offended(!identifies_key(signer), Rule::SignerIdentifier, Vec::new());
    offended(signer.is_authority() != Some(false), Rule::SignerAuthority, Vec::new());
    offended(!signer.is_valid_at(at), Rule::SignerInvalid, vec![at.to_string()]);
    offended(!is_strong(signer.key()), Rule::SignerWeak, vec![RSA_BITS.to_string()]);
    let says = signer.purposes().contains(&SIGNING_OF_LISTS);
    offended(!says, Rule::SignerPurpose, Vec::new());
}

/// A name without differences in case and spacing.
pub(super) fn folded(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn names_operator(scheme: &SchemeInformation, signer: &Certificate) -> bool {
    let names = scheme.operator_name.entries();
    signer.organisations().iter().any(|organisation| {
        names.iter().any(|entry| folded(entry.value.as_str()) == folded(organisation))
    })
}

fn signs_only(signer: &Certificate) -> bool {
    let allowed = KeyUsages::DigitalSignature | KeyUsages::NonRepudiation;
    signer.key_usage().is_some_and(|usage| !usage.0.is_empty() && (usage.0 & !allowed).is_empty())
}

/// RFC 5280, 4.2.1.2: method 1 is SHA-1 of the key bits, method 2 four bits 0100 and its last 60.
fn identifies_key(signer: &Certificate) -> bool {
    let full = signer.computed_key_identifier();
    let mut short = full.iter().skip(12).copied().collect::<Vec<u8>>();
    if let Some(first) = short.first_mut() {
        *first = 0x40 | (*first & 0x0f);
    }
    signer.key_identifier().is_some_and(|identifier| identifier == full || identifier == short)
}

fn is_strong(key: KeyKind) -> bool {
    match key {
        KeyKind::P256 | KeyKind::P384 => true,
        KeyKind::Rsa { bits } => bits >= RSA_BITS,
        KeyKind::P521 | KeyKind::Other => false,
    }
}

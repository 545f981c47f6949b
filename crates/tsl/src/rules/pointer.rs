//! Pointers to other lists (TS 119 612, 5.3.13 and A.2).
//!
//! Deliberately not here: whether the list pointed to is signed by those named.

use super::known::ListKind;
use super::names::{check_names, check_pages, check_value};
use super::{Finding, Rule, Spot};
use crate::diff::{Field, Place};
use crate::model::{Identity, Pointer, PointerInformation, SchemeInformation};
use tenkoku_domain::time::Timestamp;

pub(super) fn check(scheme: &SchemeInformation, findings: &mut Vec<Finding>) {
    for pointer in &scheme.pointers {
        check_pointer(pointer, scheme.issue, findings);
    }
    let to_union = |pointer: &&Pointer| pointer.territory().is_some_and(|t| t.as_str() == "EU");
    let kind = ListKind::of(scheme);
    let none = |rule| Finding::of_scheme(rule, "5.3.13", Vec::new());
    if kind.is_european() && !scheme.pointers.iter().any(|pointer| to_union(&pointer)) {
        findings.push(none(Rule::PointerToUnion));
    }
    if kind.is_list_of_lists() && scheme.pointers.is_empty() {
        findings.push(none(Rule::PointerNone));
    }
}

fn check_pointer(pointer: &Pointer, issue: Timestamp, findings: &mut Vec<Finding>) {
    let place = Place::of_pointer(pointer);
    let here = Spot::at(&place);
    check_value(here.field(Field::Address), "5.3.13", pointer.location.check(), findings);
    if pointer.identities.is_empty()
        || pointer.identities.iter().any(|identity| identity.certificate().is_none())
    {
        findings.push(here.finding(Rule::PointerSignerMissing, "5.3.13", []));
    }
    let announced: Vec<_> = pointer.signers().collect();
    let valid = announced.iter().filter(|signer| signer.is_valid_at(issue)).count();
    if valid == 0 && !announced.is_empty() {
        findings.push(here.finding(Rule::PointerSignersInvalid, "5.3.13", []));
    } else if announced.len() == 1 {
        findings.push(here.finding(Rule::PointerOneSigner, "A.2", []));
    }
    check_information(here, pointer, findings);
}

/// Each of the five qualifiers is there once.
fn check_information(here: Spot<'_>, pointer: &Pointer, findings: &mut Vec<Finding>) {
    use PointerInformation as P;
    let (mut kinds, mut names, mut rules, mut territories, mut types) = (0, 0, 0, 0, 0);
    for information in &pointer.information {
        match information {
            P::ListType(kind) => {
                kinds += 1;
                check_value(here.field(Field::ListType), "5.3.13", kind.check(), findings);
            }
            P::OperatorName(operator) => {
                names += 1;
                check_names(here.field(Field::OperatorName), operator, findings);
            }
            P::CommunityRules(pages) => {
                rules += 1;
                check_pages(here.field(Field::CommunityRules), pages, findings);
            }
            P::Territory(territory) => {
                territories += 1;
                check_value(here.field(Field::Territory), "5.3.13", territory.check(), findings);
            }
            P::MimeType(_) => types += 1,
            P::Text(entry) => {
                check_value(here.field(Field::Qualifiers), "E.2", entry.value.check(), findings);
            }
            P::MutualRecognition(_) | P::Other(_) => {}
        }
    }
    for (count, name) in [
        (kinds, "TSLType"),
        (names, "SchemeOperatorName"),
        (rules, "SchemeTypeCommunityRules"),
        (territories, "SchemeTerritory"),
        (types, "MimeType"),
    ] {
        if count != 1 {
            let values = [name.to_owned(), count.to_string()];
            findings.push(here.finding(Rule::PointerQualifier, "5.3.13", values));
        }
    }
    let several = pointer.identities.iter().any(|identity: &Identity| {
        let first = identity.public_key();
        identity.certificates().any(|certificate| Some(certificate.public_key()) != first)
    });
    if several {
        findings.push(here.finding(Rule::PointerTwoKeys, "5.3.13", []));
    }
}

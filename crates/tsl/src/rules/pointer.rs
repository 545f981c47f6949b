//! Pointers to other lists (TS 119 612, 5.3.13 and A.2).
//!
//! Deliberately not here: whether the list pointed to is signed by those named.

use super::Finding;
use super::known::ListKind;
use super::names::{check_names, check_pages, check_value};
use crate::model::{Identity, Pointer, PointerInformation, SchemeInformation};
use tenkoku_domain::time::Timestamp;

pub(super) fn check(scheme: &SchemeInformation, findings: &mut Vec<Finding>) {
    for pointer in &scheme.pointers {
        check_pointer(pointer, scheme.issue, findings);
    }
    let to_union = |pointer: &&Pointer| pointer.territory().is_some_and(|t| t.as_str() == "EU");
    let kind = ListKind::of(scheme);
    if kind.is_european() && !scheme.pointers.iter().any(|pointer| to_union(&pointer)) {
        let sentence = "A list of the European Union points at the list of lists.";
        findings.push(Finding::refused("5.3.13", sentence));
    }
    if kind.is_list_of_lists() && scheme.pointers.is_empty() {
        let sentence = "A list of lists points at least at one list.";
        findings.push(Finding::refused("5.3.13", sentence));
    }
}

fn check_pointer(pointer: &Pointer, issue: Timestamp, findings: &mut Vec<Finding>) {
    let place = format!("the pointer to {}", pointer.location);
    check_value(&place, "5.3.13", pointer.location.check(), findings);
    if pointer.identities.is_empty()
        || pointer.identities.iter().any(|identity| identity.certificate().is_none())
    {
        let sentence = format!("{place} must name who signs that list, each by a certificate.");
        findings.push(Finding::refused("5.3.13", sentence));
    }
    let announced: Vec<_> = pointer.signers().collect();
    let valid = announced.iter().filter(|signer| signer.is_valid_at(issue)).count();
    if valid == 0 && !announced.is_empty() {
        let sentence = format!("No signer that {place} names is valid when this list is issued.");
        findings.push(Finding::refused("5.3.13", sentence));
    } else if announced.len() == 1 {
        let sentence =
            format!("{place} should name two signers, so that one can follow the other.");
        findings.push(Finding::advised("A.2", sentence));
    }
    check_information(&place, pointer, findings);
}

/// Each of the five qualifiers is there once.
fn check_information(place: &str, pointer: &Pointer, findings: &mut Vec<Finding>) {
    use PointerInformation as P;
    let (mut kinds, mut names, mut rules, mut territories, mut types) = (0, 0, 0, 0, 0);
    for information in &pointer.information {
        match information {
            P::ListType(kind) => {
                kinds += 1;
                check_value(place, "5.3.13", kind.check(), findings);
            }
            P::OperatorName(operator) => {
                names += 1;
                check_names(&format!("The operator named by {place}"), operator, findings);
            }
            P::CommunityRules(pages) => {
                rules += 1;
                check_pages(&format!("The rules named by {place}"), pages, findings);
            }
            P::Territory(territory) => {
                territories += 1;
                check_value(place, "5.3.13", territory.check(), findings);
            }
            P::MimeType(_) => types += 1,
            P::Text(entry) => check_value(place, "E.2", entry.value.check(), findings),
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
            let sentence = format!("{place} must give {name} once, and gives it {count} times.");
            findings.push(Finding::refused("5.3.13", sentence));
        }
    }
    let several = pointer.identities.iter().any(|identity: &Identity| {
        let first = identity.public_key();
        identity.certificates().any(|certificate| Some(certificate.public_key()) != first)
    });
    if several {
        let sentence = format!("{place} gives two keys as one identity.");
        findings.push(Finding::advised("5.3.13", sentence));
    }
}

//! What extensions say, and where they may say it (TS 119 612, 5.5.9 and B.0).
//!
//! Deliberately not here: whether a certificate meets criteria.

use super::Finding;
use super::known::{
    is_possible_qualifier, is_purpose, is_root_information, may_tell_of_expired, service_type,
};
use super::names::{check_names, check_value};
use crate::model::{
    CriteriaList, Criterion, Extension, ExtensionContent, Qualification, TakenOverBy, Uri,
};

/// No critical extension that nobody understands (B.0).
pub(super) fn check_understood(
    place: &str,
    clause: &'static str,
    extensions: &[Extension],
    findings: &mut Vec<Finding>,
) {
    for extension in extensions {
        if let (true, ExtensionContent::Unknown(unknown)) = (extension.critical, &extension.content)
        {
            let sentence = format!(
                "{place} carries the critical extension {}, which readers do not understand.",
                unknown.name()
            );
            findings.push(Finding::refused(clause, sentence));
        }
    }
}

/// The extensions of a service of this type, now or before.
pub(super) fn check(
    place: &str,
    kind: &Uri,
    extensions: &[Extension],
    findings: &mut Vec<Finding>,
) {
    check_understood(place, "B.0", extensions, findings);
    for (position, extension) in extensions.iter().enumerate() {
        if extensions.iter().take(position).any(|other| other.content == extension.content) {
            let sentence = format!("{place} says the same in two extensions.");
            findings.push(Finding::refused("5.5.9", sentence));
        }
        match &extension.content {
            ExtensionContent::AdditionalServiceInformation { page, value, .. } => {
                let what = format!("The additional information of {place}");
                check_value(&what, "5.1.2", page.value.check(), findings);
                check_value(&what, "5.1.4", page.language.check(), findings);
                if let Some(value) = value {
                    check_value(&what, "E.2", value.check(), findings);
                }
                check_information(place, kind, &page.value, findings);
            }
            ExtensionContent::ExpiredCertsRevocationInfo(_) => {
                check_expired(place, kind, extension.critical, findings);
            }
            ExtensionContent::Qualifications(qualifications) => {
                check_qualifications(place, kind, qualifications, findings);
            }
            ExtensionContent::TakenOverBy(takeover) => check_takeover(place, takeover, findings),
            ExtensionContent::Unknown(_) => {}
        }
    }
}

fn check_information(place: &str, kind: &Uri, value: &Uri, findings: &mut Vec<Finding>) {
    let kind = service_type(kind.as_str());
    if is_root_information(value.as_str()) && kind != Some("CA/QC") {
        let sentence = format!("{place} says RootCA-QC, which only CA/QC may say.");
        findings.push(Finding::refused("D.4", sentence));
    }
    let other = kind.is_some_and(|name| name.ends_with("CertsforOtherTypesOfTS"));
    if other && is_purpose(value.as_str()) {
        let sentence =
            format!("{place} is for other services, so it is not for signatures, seals or sites.");
        findings.push(Finding::refused("5.5.1.2", sentence));
    }
}

fn check_expired(place: &str, kind: &Uri, critical: bool, findings: &mut Vec<Finding>) {
    if !may_tell_of_expired(kind.as_str()) {
        let sentence = format!("{place} is of a type that does not issue certificates.");
        findings.push(Finding::refused("5.5.9.1", sentence));
    }
    if critical {
        let sentence = format!("ExpiredCertsRevocationInfo of {place} must not be critical.");
        findings.push(Finding::refused("5.5.9.1", sentence));
    }
}

fn check_takeover(place: &str, takeover: &TakenOverBy, findings: &mut Vec<Finding>) {
    check_names(&format!("The provider that took over {place}"), &takeover.provider, findings);
    check_names(&format!("The operator that took over {place}"), &takeover.operator, findings);
    let what = format!("The takeover of {place}");
    check_value(&what, "5.5.9.3", takeover.page.value.check(), findings);
    check_value(&what, "5.5.9.3", takeover.territory.check(), findings);
}

/// Only CA/QC has them, and each has qualifiers and criteria (5.5.9.2).
fn check_qualifications(
    place: &str,
    kind: &Uri,
    qualifications: &[Qualification],
    findings: &mut Vec<Finding>,
) {
    let mut refuse = |wrong: bool, clause: &'static str, sentence: String| {
        if wrong {
            findings.push(Finding::refused(clause, sentence));
        }
    };
    refuse(
        service_type(kind.as_str()).is_some_and(|name| name != "CA/QC"),
        "5.5.9.2",
        format!("{place} has qualifications, which only CA/QC may have."),
    );
    refuse(
        qualifications.is_empty() || qualifications.iter().any(|one| one.qualifiers.is_empty()),
        "5.5.9.2.1",
        format!("A qualification of {place} has no qualifier."),
    );
    for qualification in qualifications {
        for qualifier in &qualification.qualifiers {
            refuse(
                qualifier.check().is_err() || !is_possible_qualifier(qualifier.as_str()),
                "5.5.9.2.3",
                format!("{qualifier} of {place} is no registered qualifier."),
            );
        }
        refuse(
            !is_complete(&qualification.criteria),
            "5.5.9.2.2",
            format!("A criteria list of {place} lacks its criteria or says not how many count."),
        );
    }
}

/// Every list, nested ones included, says how many of its criteria count, and has some.
fn is_complete(list: &CriteriaList) -> bool {
    let filled = |criterion: &Criterion| match criterion {
        Criterion::KeyUsage(bits) => !bits.is_empty(),
        Criterion::PolicySet(ids)
        | Criterion::ExtendedKeyUsage(ids)
        | Criterion::SubjectAttributes(ids) => !ids.is_empty(),
        Criterion::QcStatements(statements) => !statements.is_empty(),
        Criterion::List(list) => is_complete(list),
        Criterion::Unknown(_) => true,
    };
    list.assertion.is_some() && !list.criteria.is_empty() && list.criteria.iter().all(filled)
}

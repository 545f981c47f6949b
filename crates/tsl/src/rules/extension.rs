//! What extensions say, and where they may say it (TS 119 612, 5.5.9 and B.0).
//!
//! Deliberately not here: whether a certificate meets criteria.

use super::known::{
    is_possible_qualifier, is_purpose, is_root_information, may_tell_of_expired, service_type,
};
use super::names::{check_names, check_value};
use super::{Finding, Rule, Spot};
use crate::diff::Field;
use crate::model::{
    CriteriaList, Criterion, Extension, ExtensionContent, Qualification, TakenOverBy, Uri,
};

/// No critical extension that nobody understands (B.0).
pub(super) fn check_understood(
    here: Spot<'_>,
    clause: &'static str,
    extensions: &[Extension],
    findings: &mut Vec<Finding>,
) {
    for extension in extensions {
        if let (true, ExtensionContent::Unknown(unknown)) = (extension.critical, &extension.content)
        {
            let values = [unknown.name().to_owned()];
            findings.push(here.finding(Rule::CriticalUnknown, clause, values));
        }
    }
}

/// The extensions of a service of this type, now or before.
pub(super) fn check(
    here: Spot<'_>,
    kind: &Uri,
    extensions: &[Extension],
    findings: &mut Vec<Finding>,
) {
    check_understood(here, "B.0", extensions, findings);
    for (position, extension) in extensions.iter().enumerate() {
        if extensions.iter().take(position).any(|other| other.content == extension.content) {
            findings.push(here.finding(Rule::ExtensionTwice, "5.5.9", []));
        }
        match &extension.content {
            ExtensionContent::AdditionalServiceInformation { page, value, .. } => {
                let said = here.field(Field::Extensions);
                check_value(said, "5.1.2", page.value.check(), findings);
                check_value(said, "5.1.4", page.language.check(), findings);
                if let Some(value) = value {
                    check_value(said, "E.2", value.check(), findings);
                }
                check_information(here, kind, &page.value, findings);
            }
            ExtensionContent::ExpiredCertsRevocationInfo(_) => {
                check_expired(here, kind, extension.critical, findings);
            }
            ExtensionContent::Qualifications(qualifications) => {
                check_qualifications(here, kind, qualifications, findings);
            }
            ExtensionContent::TakenOverBy(takeover) => check_takeover(here, takeover, findings),
            ExtensionContent::Unknown(_) => {}
        }
    }
}

fn check_information(here: Spot<'_>, kind: &Uri, value: &Uri, findings: &mut Vec<Finding>) {
    let kind = service_type(kind.as_str());
    if is_root_information(value.as_str()) && kind != Some("CA/QC") {
        findings.push(here.finding(Rule::RootInformation, "D.4", []));
    }
    let other = kind.is_some_and(|name| name.ends_with("CertsforOtherTypesOfTS"));
    if other && is_purpose(value.as_str()) {
        findings.push(here.finding(Rule::OtherPurpose, "5.5.1.2", []));
    }
}

fn check_expired(here: Spot<'_>, kind: &Uri, critical: bool, findings: &mut Vec<Finding>) {
    if !may_tell_of_expired(kind.as_str()) {
        findings.push(here.finding(Rule::ExpiredType, "5.5.9.1", []));
    }
    if critical {
        findings.push(here.finding(Rule::ExpiredCritical, "5.5.9.1", []));
    }
}

fn check_takeover(here: Spot<'_>, takeover: &TakenOverBy, findings: &mut Vec<Finding>) {
    let said = here.field(Field::Extensions);
    check_names(said, &takeover.provider, findings);
    check_names(said, &takeover.operator, findings);
    check_value(said, "5.5.9.3", takeover.page.value.check(), findings);
    check_value(said, "5.5.9.3", takeover.territory.check(), findings);
}

/// Only CA/QC has them, and each has qualifiers and criteria (5.5.9.2).
fn check_qualifications(
    here: Spot<'_>,
    kind: &Uri,
    qualifications: &[Qualification],
    findings: &mut Vec<Finding>,
) {
    if service_type(kind.as_str()).is_some_and(|name| name != "CA/QC") {
        findings.push(here.finding(Rule::QualificationsType, "5.5.9.2", []));
    }
    if qualifications.is_empty() || qualifications.iter().any(|one| one.qualifiers.is_empty()) {
        findings.push(here.finding(Rule::QualifierMissing, "5.5.9.2.1", []));
    }
    for qualification in qualifications {
        for qualifier in &qualification.qualifiers {
            if qualifier.check().is_err() || !is_possible_qualifier(qualifier.as_str()) {
                let values = [qualifier.to_string()];
                findings.push(here.finding(Rule::QualifierUnknown, "5.5.9.2.3", values));
            }
        }
        if !is_complete(&qualification.criteria) {
            findings.push(here.finding(Rule::CriteriaIncomplete, "5.5.9.2.2", []));
        }
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

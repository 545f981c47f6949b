//! What the list says about its scheme and itself (TS 119 612, 5.3).
//!
//! Deliberately not here: pointers, and comparing the list with the one before it.

use super::known::{ListKind, in_list};
use super::names::{check_address, check_names, check_pages, check_texts, check_value};
use super::{Finding, extension, pointer};
use crate::model::{NextUpdate, Notice, SchemeInformation, TrustedList, Uri};
use crate::ns;
use tenkoku_domain::time::{Civil, Timestamp};

pub(super) fn check(list: &TrustedList, findings: &mut Vec<Finding>) {
    let scheme = &list.scheme;
    if scheme.sequence_number == 0 {
        findings.push(Finding::refused("5.3.2", "The sequence number begins at 1."));
    }
    check_value("The list type", "5.1.2", scheme.list_type.check(), findings);
    let approach = &scheme.status_determination;
    check_value("The status determination approach", "5.1.2", approach.check(), findings);
    check_value("The territory", "5.3.10", scheme.territory.check(), findings);
    check_type(scheme, findings);
    check_names("The scheme operator's name", &scheme.operator_name, findings);
    check_address("The scheme operator", "5.3.5", &scheme.operator_address, findings);
    check_scheme_name(scheme, findings);
    check_web_pages(scheme, findings);
    check_approach(scheme, findings);
    if let Notice::Legal(names) = &scheme.notice {
        check_texts("The legal notice", names, findings);
        check_names_once("The legal notice", names, findings);
    }
    if scheme.history_period != SchemeInformation::HISTORY_FOR_EVER {
        let sentence = "The history period must be 65535: history is never removed.";
        findings.push(Finding::refused("5.3.12", sentence));
    }
    check_dates(list, findings);
    check_distribution(scheme, findings);
    pointer::check(scheme, findings);
    check_shape(list, findings);
}

/// What a list of this kind may hold.
fn check_shape(list: &TrustedList, findings: &mut Vec<Finding>) {
    let kind = ListKind::of(&list.scheme);
    if kind.is_list_of_lists() && !list.providers.is_empty() {
        let sentence = "A list of lists points at lists and has no providers of its own.";
        findings.push(Finding::refused("5.3.3", sentence));
    }
    if kind.is_european() && !list.scheme.extensions.is_empty() {
        let sentence = "A list of the European Union has no scheme extensions.";
        findings.push(Finding::refused("5.3.17", sentence));
    }
    extension::check_understood("The scheme", "5.3.17", &list.scheme.extensions, findings);
}

/// A notice is prose: each language once, but no transliteration.
fn check_names_once(what: &str, names: &crate::model::Names, findings: &mut Vec<Finding>) {
    let entries = names.entries();
    for (position, entry) in entries.iter().enumerate() {
        if entries.iter().take(position).any(|other| other.language == entry.language) {
            let sentence = format!("{what} is given more than once in {}.", entry.language);
            findings.push(Finding::refused("5.1.4", sentence));
        }
    }
}

fn is_own(uri: &Uri) -> bool {
    !uri.as_str().starts_with(ns::REGISTERED)
}

fn check_type(scheme: &SchemeInformation, findings: &mut Vec<Finding>) {
    if ListKind::of(scheme) == ListKind::Other && !is_own(&scheme.list_type) {
        let territory = scheme.territory.as_str();
        let sentence = format!(
            "The list type must be {base}{territory}list or {base}{territory}listofthelists, for \
             the European Union {base}EUgeneric or {base}EUlistofthelists, or an address of the \
             scheme's own.",
            base = format_args!("{}TSLType/", ns::TRUSTED_LIST),
        );
        findings.push(Finding::refused("5.3.3", sentence));
    }
}

fn check_scheme_name(scheme: &SchemeInformation, findings: &mut Vec<Finding>) {
    check_names("The scheme name", &scheme.scheme_name, findings);
    let prefix = format!("{}:", scheme.territory);
    for entry in scheme.scheme_name.entries() {
        let rest = entry.value.as_str().strip_prefix(&prefix);
        if rest.is_none_or(|name| name.trim().is_empty()) {
            let sentence =
                format!("The scheme name in {} must be \"{prefix}\" and a name.", entry.language);
            findings.push(Finding::refused("5.3.6", sentence));
        }
    }
}

fn check_web_pages(scheme: &SchemeInformation, findings: &mut Vec<Finding>) {
    check_pages("The scheme information", &scheme.information, findings);
    check_pages("The community rules", &scheme.community_rules, findings);
    if let Notice::Policy(pages) = &scheme.notice {
        check_pages("The policy", pages, findings);
    }
    for entry in scheme.information.entries() {
        if !entry.value.is_web() {
            let sentence = format!("The scheme information {} is no web page.", entry.value);
            findings.push(Finding::refused("5.3.7", sentence));
        }
    }
    if let Notice::Policy(pages) = &scheme.notice {
        for entry in pages.entries().iter().filter(|entry| !entry.value.is_web()) {
            let sentence = format!("The policy {} is no web page.", entry.value);
            findings.push(Finding::refused("5.3.11", sentence));
        }
    }
}

/// Approach and rules that ETSI registers for this kind of list, or the scheme's own (D.4, D.6).
fn check_approach(scheme: &SchemeInformation, findings: &mut Vec<Finding>) {
    let territory = scheme.territory.as_str();
    let (approach, rules) = match ListKind::of(scheme) {
        ListKind::EuropeanNational => {
            ("EUappropriate".to_owned(), vec!["EUcommon".to_owned(), territory.to_owned()])
        }
        ListKind::EuropeanListOfLists => {
            ("EUlistofthelists".to_owned(), vec!["EUlistofthelists".to_owned()])
        }
        ListKind::National | ListKind::ListOfLists | ListKind::Other => {
            (format!("{territory}determination"), vec![territory.to_owned()])
        }
    };
    let own_approach = is_own(&scheme.status_determination) && !ListKind::of(scheme).is_european();
    let given = in_list(scheme.status_determination.as_str(), "StatusDetn/");
    let lists = ListKind::of(scheme) == ListKind::ListOfLists
        && given == Some(format!("{territory}listofthelists").as_str());
    if given != Some(approach.as_str()) && !own_approach && !lists {
        let sentence = format!(
            "The status determination approach must be {}StatusDetn/{approach} or, outside the \
             European Union, an address of the scheme's own.",
            ns::TRUSTED_LIST
        );
        findings.push(Finding::refused("5.3.8", sentence));
    }
    let own_rules = !ListKind::of(scheme).is_european()
        && scheme.community_rules.entries().iter().any(|entry| is_own(&entry.value));
    for rule in rules {
        let named = |uri: &Uri| {
            let given = in_list(uri.as_str(), "schemerules/");
            given.and_then(|name| name.split('/').next()) == Some(rule.as_str())
        };
        let given = scheme.community_rules.entries();
        if !own_rules && !given.iter().any(|entry| named(&entry.value)) {
            let sentence = format!(
                "The community rules must name {}schemerules/{rule} or, outside the European \
                 Union, rules of the scheme's own.",
                ns::TRUSTED_LIST
            );
            findings.push(Finding::refused("5.3.9", sentence));
        }
    }
}

fn check_dates(list: &TrustedList, findings: &mut Vec<Finding>) {
    let issue = list.scheme.issue;
    match list.scheme.next_update {
        NextUpdate::By(next) if next.seconds() <= issue.seconds() => {
            findings.push(Finding::refused("5.3.15", "The next update must lie after the issue."));
        }
        NextUpdate::By(next) if next.seconds() > six_months_after(issue).seconds() => {
            let sentence = format!("The next update, {next}, is more than six months away.");
            findings.push(Finding::refused("5.3.15", sentence));
        }
        NextUpdate::By(_) => {}
        NextUpdate::Closed => check_closed(list, findings),
    }
}

fn check_closed(list: &TrustedList, findings: &mut Vec<Finding>) {
    let running = list
        .providers
        .iter()
        .flat_map(|provider| &provider.services)
        .filter(|service| {
            let status = service.status.as_str();
            !["withdrawn", "deprecatedatnationallevel", "expired"]
                .iter()
                .any(|end| status.ends_with(end))
        })
        .count();
    if running > 0 {
        let sentence = format!("A closed list has no running service, but {running} are running.");
        findings.push(Finding::refused("5.3.15", sentence));
    }
}

/// The same day and time six months later, or the last day of that month.
fn six_months_after(instant: Timestamp) -> Timestamp {
    let civil = instant.civil();
    let months = civil.month - 1 + 6;
    let (year, month) = (civil.year + months / 12, months % 12 + 1);
    (0..=3)
        .find_map(|fewer| {
            Timestamp::from_civil(Civil { year, month, day: civil.day - fewer, ..civil })
        })
        .unwrap_or(instant)
}

fn check_distribution(scheme: &SchemeInformation, findings: &mut Vec<Finding>) {
    for point in &scheme.distribution_points {
        let address = point.as_str().to_ascii_lowercase();
        let plain = !address.contains(['?', '#']);
        let ending = address.rsplit_once('.').map(|(_, ending)| ending);
        let named = matches!(ending, Some("xml" | "xtsl"));
        if !(point.is_web() && plain && named) {
            let sentence = format!(
                "The distribution point {point} must be a web address that ends in .xml or .xtsl."
            );
            findings.push(Finding::refused("5.3.16, 6.1", sentence));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_months_end_on_the_last_day_of_a_shorter_month() {
        for (from, to) in [
            ("2026-11-20T00:00:00Z", "2027-05-20T00:00:00Z"),
            ("2026-08-31T12:00:00Z", "2027-02-28T12:00:00Z"),
            ("2027-08-30T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("2026-12-31T00:00:00Z", "2027-06-30T00:00:00Z"),
        ] {
            let later = six_months_after(Timestamp::parse(from).unwrap());
            assert_eq!(later.to_string(), to);
        }
    }
}

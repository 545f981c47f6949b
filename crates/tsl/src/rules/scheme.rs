//! What the list says about its scheme and itself (TS 119 612, 5.3).
//!
//! Deliberately not here: pointers, and comparing the list with the one before it.

use super::known::{ListKind, in_list};
use super::names::{
    check_address, check_names, check_once, check_pages, check_texts, check_value, check_web,
};
use super::{Finding, Rule, Spot, extension, pointer};
use crate::diff::{Field, Place};
use crate::model::{NextUpdate, Notice, SchemeInformation, TrustedList, Uri};
use crate::ns;
use tenkoku_domain::time::{Civil, Timestamp};

/// Where everything of this module is.
const HERE: Spot<'static> = Spot { place: SCHEME, field: None };
const SCHEME: &Place = &Place::Scheme;

pub(super) fn check(list: &TrustedList, findings: &mut Vec<Finding>) {
    let scheme = &list.scheme;
    if scheme.sequence_number == 0 {
        findings.push(HERE.finding(Rule::SequenceBegins, "5.3.2", []));
    }
    check_value(HERE.field(Field::ListType), "5.1.2", scheme.list_type.check(), findings);
    let approach = &scheme.status_determination;
    check_value(HERE.field(Field::StatusDetermination), "5.1.2", approach.check(), findings);
    check_value(HERE.field(Field::Territory), "5.3.10", scheme.territory.check(), findings);
    check_type(scheme, findings);
    check_names(HERE.field(Field::OperatorName), &scheme.operator_name, findings);
    check_address(HERE, "5.3.5", &scheme.operator_address, findings);
    check_scheme_name(scheme, findings);
    check_said(scheme, findings);
    check_approach(scheme, findings);
    if scheme.history_period != SchemeInformation::HISTORY_FOR_EVER {
        findings.push(HERE.finding(Rule::HistoryPeriod, "5.3.12", []));
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
        findings.push(HERE.finding(Rule::ListOfListsProviders, "5.3.3", []));
    }
    if kind.is_european() && !list.scheme.extensions.is_empty() {
        findings.push(HERE.finding(Rule::EuropeanExtensions, "5.3.17", []));
    }
    extension::check_understood(HERE, "5.3.17", &list.scheme.extensions, findings);
}

fn is_own(uri: &Uri) -> bool {
    !uri.as_str().starts_with(ns::REGISTERED)
}

fn check_type(scheme: &SchemeInformation, findings: &mut Vec<Finding>) {
    if ListKind::of(scheme) == ListKind::Other && !is_own(&scheme.list_type) {
        let values = [format!("{}TSLType/", ns::TRUSTED_LIST), scheme.territory.to_string()];
        findings.push(HERE.finding(Rule::ListType, "5.3.3", values));
    }
}

fn check_scheme_name(scheme: &SchemeInformation, findings: &mut Vec<Finding>) {
    check_names(HERE.field(Field::SchemeName), &scheme.scheme_name, findings);
    let prefix = format!("{}:", scheme.territory);
    for entry in scheme.scheme_name.entries() {
        let rest = entry.value.as_str().strip_prefix(&prefix);
        if rest.is_none_or(|name| name.trim().is_empty()) {
            let values = [entry.language.to_string(), prefix.clone()];
            findings.push(HERE.finding(Rule::SchemeNamePrefix, "5.3.6", values));
        }
    }
}

/// Pages and notice. A notice is prose: each language once, but no transliteration.
fn check_said(scheme: &SchemeInformation, findings: &mut Vec<Finding>) {
    let information = HERE.field(Field::Information);
    check_pages(information, &scheme.information, findings);
    check_pages(HERE.field(Field::CommunityRules), &scheme.community_rules, findings);
    check_web(information, "5.3.7", &scheme.information, findings);
    let here = HERE.field(Field::Notice);
    match &scheme.notice {
        Notice::Policy(pages) => {
            check_pages(here, pages, findings);
            check_web(here, "5.3.11", pages, findings);
        }
        Notice::Legal(texts) => {
            check_texts(here, texts, findings);
            check_once(here, texts, findings);
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
        let wanted = format!("{}StatusDetn/{approach}", ns::TRUSTED_LIST);
        findings.push(HERE.finding(Rule::Approach, "5.3.8", [wanted]));
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
            let wanted = format!("{}schemerules/{rule}", ns::TRUSTED_LIST);
            findings.push(HERE.finding(Rule::CommunityRules, "5.3.9", [wanted]));
        }
    }
}

fn check_dates(list: &TrustedList, findings: &mut Vec<Finding>) {
    let issue = list.scheme.issue;
    match list.scheme.next_update {
        NextUpdate::By(next) if next.seconds() <= issue.seconds() => {
            findings.push(HERE.finding(Rule::NextBeforeIssue, "5.3.15", []));
        }
        NextUpdate::By(next) if next.seconds() > six_months_after(issue).seconds() => {
            findings.push(HERE.finding(Rule::NextTooLate, "5.3.15", [next.to_string()]));
        }
        NextUpdate::By(_) => {}
        NextUpdate::Closed => check_closed(list, findings),
    }
}

fn check_closed(list: &TrustedList, findings: &mut Vec<Finding>) {
    let running =
        list.services().filter(|(_, service)| !super::is_ended_status(&service.status)).count();
    if running > 0 {
        findings.push(HERE.finding(Rule::ClosedRunning, "5.3.15", [running.to_string()]));
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
            let values = vec![point.to_string()];
            findings.push(Finding::of_scheme(Rule::DistributionPoint, "5.3.16, 6.1", values));
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

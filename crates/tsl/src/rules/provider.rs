//! What the list says about a provider (TS 119 612, 5.4).
//!
//! Deliberately not here: the services.

use super::names::{check_address, check_entries, check_names, check_pages, check_value};
use super::{Finding, extension, service};
use crate::model::{Provider, TrustedList};

pub(super) fn check(provider: &Provider, list: &TrustedList, findings: &mut Vec<Finding>) {
    let place = place(provider);
    check_names(&format!("The name of {place}"), &provider.name, findings);
    check_trade_names(&place, provider, findings);
    check_address(&place, "5.4.3", &provider.address, findings);
    check_pages(&format!("The information page of {place}"), &provider.information, findings);
    extension::check_understood(&place, "5.4.5", &provider.extensions, findings);
    for entry in provider.information.entries().iter().filter(|entry| !entry.value.is_web()) {
        let sentence = format!("The information {} of {place} is no web page.", entry.value);
        findings.push(Finding::refused("5.4.4", sentence));
    }
    if provider.services.is_empty() {
        let sentence = format!("{place} has no service; a provider has at least one.");
        findings.push(Finding::refused("5.4.6", sentence));
    }
    for service in &provider.services {
        service::check(service, provider, list, findings);
    }
}

/// The first trade name is a registration identifier (5.4.2).
fn check_trade_names(place: &str, provider: &Provider, findings: &mut Vec<Finding>) {
    let entries = provider.trade_names.entries();
    let what = format!("A trade name of {place}");
    check_entries(&what, entries, findings);
    for entry in entries {
        check_value(&what, "5.1.4", entry.language.check(), findings);
    }
    if provider.trade_names.registration().is_none() {
        let sentence = format!(
            "{place} needs a registration identifier as a trade name, such as NTRJP-7010001008844."
        );
        findings.push(Finding::refused("5.4.2", sentence));
    }
}

/// The provider in a sentence.
pub(super) fn place(provider: &Provider) -> String {
    let name = provider.name.in_english().map(ToString::to_string).unwrap_or_default();
    format!("the provider \"{name}\"")
}

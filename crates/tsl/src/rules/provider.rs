//! What the list says about a provider (TS 119 612, 5.4).
//!
//! Deliberately not here: the registration identifier's form, which its type takes care of.

use super::names::{check_address, check_names};
use super::{Finding, service};
use crate::model::{Provider, TrustedList};

pub(super) fn check(provider: &Provider, list: &TrustedList, findings: &mut Vec<Finding>) {
    let place = place(provider);
    check_names(&format!("The name of {place}"), &provider.name, findings);
    check_address(&place, "5.4.3", &provider.address, findings);
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

/// The provider in a sentence.
pub(super) fn place(provider: &Provider) -> String {
    let name = provider.name.in_english().map(ToString::to_string).unwrap_or_default();
    format!("the provider \"{name}\"")
}

//! What the list says about a provider (TS 119 612, 5.4).
//!
//! Deliberately not here: the services.

use super::names::{
    check_address, check_entries, check_names, check_pages, check_value, check_web,
};
use super::{Finding, Rule, Spot, extension, service};
use crate::diff::{Field, Place};
use crate::model::{Provider, TrustedList};

pub(super) fn check(provider: &Provider, list: &TrustedList, findings: &mut Vec<Finding>) {
    let place = Place::of_provider(provider);
    let here = Spot::at(&place);
    check_names(here.field(Field::Name), &provider.name, findings);
    check_trade_names(here, provider, findings);
    check_address(here, "5.4.3", &provider.address, findings);
    check_pages(here.field(Field::Information), &provider.information, findings);
    check_web(here.field(Field::Information), "5.4.4", &provider.information, findings);
    extension::check_understood(here, "5.4.5", &provider.extensions, findings);
    if provider.services.is_empty() {
        findings.push(here.finding(Rule::ServiceMissing, "5.4.6", []));
    }
    for service in &provider.services {
        service::check(service, provider, list, findings);
    }
}

/// The first trade name is a registration identifier (5.4.2).
fn check_trade_names(here: Spot<'_>, provider: &Provider, findings: &mut Vec<Finding>) {
    let entries = provider.trade_names.entries();
    let named = here.field(Field::TradeNames);
    check_entries(named, entries, findings);
    for entry in entries {
        check_value(named, "5.1.4", entry.language.check(), findings);
    }
    if provider.trade_names.registration().is_none() {
        findings.push(here.finding(Rule::RegistrationMissing, "5.4.2", []));
    }
}

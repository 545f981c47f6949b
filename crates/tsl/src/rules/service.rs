//! What the list says about a service, now and before (TS 119 612, 5.5 and 5.6).
//!
//! Deliberately not here: the certificate's own path, and what extensions say.

use std::collections::BTreeMap;

use super::known::{
    ListKind, is_european_status, is_possible_service_type, is_possible_status, is_purpose,
    may_be_keyless, service_type,
};
use super::names::{check_names, check_pages, check_value};
use super::{Finding, extension};
use crate::model::{DigitalId, Identity, PastState, Provider, Service, TrustedList, Uri};

pub(super) fn check(
    service: &Service,
    provider: &Provider,
    list: &TrustedList,
    findings: &mut Vec<Finding>,
) {
    let place = place(service, provider);
    check_kind(&place, &service.service_type, &service.status, findings);
    check_names(&format!("The name of {place}"), &service.name, findings);
    check_identity(&place, service, findings);
    check_organisation(&place, service, provider, findings);
    check_addresses(&place, service, findings);
    let european = ListKind::of(&list.scheme).is_european();
    if european && !is_european_status(service.service_type.as_str(), service.status.as_str()) {
        let sentence = format!("{} is no status for the type of {place}.", service.status);
        findings.push(Finding::refused("5.5.4", sentence));
    }
    if service.status_start.seconds() > list.scheme.issue.seconds() {
        let sentence = format!("The status of {place} begins after the list is issued.");
        findings.push(Finding::refused("5.5.5", sentence));
    }
    let national_root = service_type(service.service_type.as_str()) == Some("NationalRootCA-QC");
    if national_root && service.provider_definition.is_none() {
        let sentence = format!("{place} needs the address of the provider's definition.");
        findings.push(Finding::refused("5.5.8", sentence));
    }
    extension::check(&place, &service.service_type, &service.extensions, findings);
    check_purpose(&place, service, findings);
    check_history(&place, service, findings);
}

/// One key is one service of a type; it may return only under another type (5.5.3).
pub(super) fn check_keys(list: &TrustedList, findings: &mut Vec<Finding>) {
    let mut seen = BTreeMap::new();
    for provider in &list.providers {
        for service in &provider.services {
            let Some(key) = service.identity.public_key() else { continue };
            let key = (service.service_type.as_str(), key);
            let here = place(service, provider);
            if let Some(there) = seen.insert(key, here.clone()) {
                let sentence = format!("{here} has the same key and type as {there}.");
                findings.push(Finding::refused("5.5.3", sentence));
            }
        }
    }
}

fn place(service: &Service, provider: &Provider) -> String {
    let name = service.name.in_english().map(ToString::to_string).unwrap_or_default();
    format!("the service \"{name}\" of {}", super::provider::place(provider))
}

fn check_kind(place: &str, kind: &Uri, status: &Uri, findings: &mut Vec<Finding>) {
    check_value(&format!("The type of {place}"), "5.1.2", kind.check(), findings);
    check_value(&format!("The status of {place}"), "5.1.2", status.check(), findings);
    if !is_possible_service_type(kind.as_str()) {
        let sentence = format!("{kind} of {place} is no registered service type.");
        findings.push(Finding::refused("5.5.1", sentence));
    }
    if !is_possible_status(status.as_str()) {
        let sentence = format!("{status} of {place} is no registered status.");
        findings.push(Finding::refused("5.5.4", sentence));
    }
}

fn holds_certificate(id: &DigitalId) -> bool {
    matches!(id, DigitalId::Certificate(_) | DigitalId::Unreadable(_))
}

/// One key and one subject, named by a certificate; or, without a key, by an address (5.5.3).
fn check_identity(place: &str, service: &Service, findings: &mut Vec<Finding>) {
    let mut refuse = |wrong: bool, sentence: String| {
        if wrong {
            findings.push(Finding::refused("5.5.3", sentence));
        }
    };
    let identity = &service.identity;
    let kind = service.service_type.as_str();
    let Some(first) = identity.certificate() else {
        let named = identity.ids().iter().any(|id| matches!(id, DigitalId::Other(_)));
        refuse(
            !(named && may_be_keyless(kind)),
            format!("{place} has no certificate that can be read."),
        );
        return;
    };
    refuse(
        service_type(kind).is_some_and(|name| name.ends_with("/nothavingPKIid")),
        format!("{place} is of a type without a key, but has a certificate."),
    );
    let same = identity
        .certificates()
        .all(|other| other.public_key() == first.public_key() && other.has_same_subject(first));
    refuse(!same, format!("The certificates of {place} have different keys or subjects."));
    refuse(
        !identity.certificates().all(crate::certificate::Certificate::is_strict)
            || identity.ids().iter().any(|id| matches!(id, DigitalId::Unreadable(_))),
        format!("A certificate of {place} is not encoded as DER prescribes."),
    );
    let computed = first.computed_key_identifier();
    let own = first.key_identifier().unwrap_or(computed);
    refuse(
        identity.key_identifiers().any(|identifier| identifier != own),
        format!("The key identifier of {place} is not the one of its certificate."),
    );
}

fn check_addresses(place: &str, service: &Service, findings: &mut Vec<Finding>) {
    for pages in [&service.scheme_definition, &service.provider_definition].into_iter().flatten() {
        check_pages(&format!("A definition of {place}"), pages, findings);
    }
    for point in &service.supply_points {
        let what = format!("A supply point of {place}");
        check_value(&what, "5.5.7", point.address.check(), findings);
        if let Some(kind) = &point.kind {
            check_value(&what, "5.5.7", kind.check(), findings);
        }
    }
}

/// The certificate's `O=` should be a name of the provider (5.5.3).
fn check_organisation(
    place: &str,
    service: &Service,
    provider: &Provider,
    findings: &mut Vec<Finding>,
) {
    let further = provider.trade_names.further();
    let known: Vec<String> = provider
        .name
        .entries()
        .iter()
        .chain(further)
        .map(|entry| super::signer::folded(entry.value.as_str()))
        .collect();
    let Some(certificate) = service.identity.certificate() else { return };
    let organisations = certificate.organisations();
    let named = organisations.iter().any(|name| known.contains(&super::signer::folded(name)));
    if let (false, Some(organisation)) = (named, organisations.first()) {
        let sentence = format!(
            "The certificate of {place} is made out to \"{organisation}\", which is no name of \
             the provider; list it as a trade name."
        );
        findings.push(Finding::advised("5.5.3", sentence));
    }
}

/// A CA of a registered type should say what its certificates are for (5.5.9.4).
fn check_purpose(place: &str, service: &Service, findings: &mut Vec<Finding>) {
    let issues = matches!(service_type(service.service_type.as_str()), Some("CA/QC" | "CA/PKC"));
    let values = service.extensions.iter().filter_map(|extension| extension.as_information());
    let says = values.into_iter().any(|value| is_purpose(value.as_str()));
    if issues && !says {
        let sentence = format!(
            "{place} should say whether its certificates are for signatures, seals or sites."
        );
        findings.push(Finding::advised("5.5.9.4", sentence));
    }
}

/// Newest first, no two states at one instant, the same key throughout (5.5.10, 5.6.3).
fn check_history(place: &str, service: &Service, findings: &mut Vec<Finding>) {
    let mut later = service.status_start;
    for state in &service.history {
        if state.status_start.seconds() == later.seconds() {
            let sentence = format!("Two states of {place} begin at {later}.");
            findings.push(Finding::refused("5.5.10", sentence));
        } else if state.status_start.seconds() > later.seconds() {
            let sentence = format!("The history of {place} must run from newest to oldest.");
            findings.push(Finding::refused("5.5.10", sentence));
        }
        later = state.status_start;
        check_past_state(place, service, state, findings);
    }
}

fn check_past_state(
    place: &str,
    service: &Service,
    state: &PastState,
    findings: &mut Vec<Finding>,
) {
    check_kind(place, &state.service_type, &state.status, findings);
    check_names(&format!("A former name of {place}"), &state.name, findings);
    extension::check(place, &state.service_type, &state.extensions, findings);
    if state.identity.ids().iter().any(holds_certificate) {
        let sentence = format!("A former state of {place} carries a certificate.");
        findings.push(Finding::refused("5.6.3", sentence));
    }
    let named = |identity: &Identity| identity.key_identifier();
    if service.identity.certificate().is_some() && named(&state.identity).is_none() {
        let sentence = format!("A former state of {place} lacks the key identifier.");
        findings.push(Finding::refused("5.6.3", sentence));
    } else if named(&state.identity) != named(&service.identity) {
        let sentence = format!("A former state of {place} has another key; that is a new service.");
        findings.push(Finding::refused("5.6.3", sentence));
    }
    if state.service_type != service.service_type {
        let sentence = format!("A former state of {place} has another service type.");
        findings.push(Finding::advised("5.6.1", sentence));
    }
}

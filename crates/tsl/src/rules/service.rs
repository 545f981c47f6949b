//! What the list says about a service, now and before (TS 119 612, 5.5 and 5.6).
//!
//! Deliberately not here: the certificate's own path, and services without keys.

use std::collections::BTreeMap;

use super::Finding;
use super::known::{
    is_possible_service_type, is_possible_status, is_purpose, is_root_information,
    may_tell_of_expired, service_type,
};
use super::names::check_names;
use crate::model::{Extension, PastState, Provider, Service, TrustedList, Uri};

pub(super) fn check(
    service: &Service,
    provider: &Provider,
    list: &TrustedList,
    findings: &mut Vec<Finding>,
) {
    let place = place(service, provider);
    check_kind(&place, &service.service_type, &service.status, findings);
    check_names(&format!("The name of {place}"), &service.name, findings);
    check_organisation(&place, service, provider, findings);
    if service.status_start.seconds() > list.scheme.issue.seconds() {
        let sentence = format!("The status of {place} begins after the list is issued.");
        findings.push(Finding::refused("5.5.5", sentence));
    }
    let national_root = service_type(service.service_type.as_str()) == Some("NationalRootCA-QC");
    if national_root && service.provider_definition.is_none() {
        let sentence = format!("{place} needs the address of the provider's definition.");
        findings.push(Finding::refused("5.5.8", sentence));
    }
    check_extensions(&place, &service.service_type, &service.extensions, findings);
    check_purpose(&place, service, findings);
    check_history(&place, service, findings);
}

/// One key is one service of a type; it may return only under another type (5.5.3).
pub(super) fn check_keys(list: &TrustedList, findings: &mut Vec<Finding>) {
    let mut seen = BTreeMap::new();
    for provider in &list.providers {
        for service in &provider.services {
            let key = (service.service_type.as_str(), service.identity.public_key());
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
    if !is_possible_service_type(kind.as_str()) {
        let sentence = format!("{kind} of {place} is no registered service type.");
        findings.push(Finding::refused("5.5.1", sentence));
    }
    if service_type(kind.as_str()).is_some_and(|name| name.ends_with("/nothavingPKIid")) {
        let sentence = format!("{place} is of a type without a key, but has a certificate.");
        findings.push(Finding::refused("5.5.3", sentence));
    }
    if !is_possible_status(status.as_str()) {
        let sentence = format!("{status} of {place} is no registered status.");
        findings.push(Finding::refused("5.5.4", sentence));
    }
}

/// The certificate's `O=` should be a name of the provider (5.5.3).
fn check_organisation(
    place: &str,
    service: &Service,
    provider: &Provider,
    findings: &mut Vec<Finding>,
) {
    let further = provider.trade_names.further.iter();
    let known: Vec<String> = provider
        .name
        .entries()
        .iter()
        .chain(further)
        .map(|entry| super::signer::folded(entry.value.as_str()))
        .collect();
    let organisations = service.identity.certificate().organisations();
    let named = organisations.iter().any(|name| known.contains(&super::signer::folded(name)));
    if let (false, Some(organisation)) = (named, organisations.first()) {
        let sentence = format!(
            "The certificate of {place} is made out to \"{organisation}\", which is no name of \
             the provider; list it as a trade name."
        );
        findings.push(Finding::advised("5.5.3", sentence));
    }
}

fn check_extensions(
    place: &str,
    kind: &Uri,
    extensions: &[Extension],
    findings: &mut Vec<Finding>,
) {
    for (position, extension) in extensions.iter().enumerate() {
        if extensions.iter().take(position).any(|other| other == extension) {
            let sentence = format!("{place} says the same in two extensions.");
            findings.push(Finding::refused("5.5.9", sentence));
        }
        match extension {
            Extension::AdditionalServiceInformation { uri, .. } => {
                check_information(place, kind, uri, findings);
            }
            Extension::ExpiredCertsRevocationInfo(_) if !may_tell_of_expired(kind.as_str()) => {
                let sentence = format!("{place} is of a type that does not issue certificates.");
                findings.push(Finding::refused("5.5.9.1", sentence));
            }
            Extension::ExpiredCertsRevocationInfo(_) => {}
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

/// A CA of a registered type should say what its certificates are for (5.5.9.4).
fn check_purpose(place: &str, service: &Service, findings: &mut Vec<Finding>) {
    let issues = matches!(service_type(service.service_type.as_str()), Some("CA/QC" | "CA/PKC"));
    let says = service.extensions.iter().any(|extension| match extension {
        Extension::AdditionalServiceInformation { uri, .. } => is_purpose(uri.as_str()),
        Extension::ExpiredCertsRevocationInfo(_) => false,
    });
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
    check_extensions(place, &state.service_type, &state.extensions, findings);
    if state.identity.key_identifier() != service.identity.key_identifier() {
        let sentence = format!("A former state of {place} has another key; that is a new service.");
        findings.push(Finding::refused("5.6.3", sentence));
    }
    if state.service_type != service.service_type {
        let sentence = format!("A former state of {place} has another service type.");
        findings.push(Finding::advised("5.6.1", sentence));
    }
}

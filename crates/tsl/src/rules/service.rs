//! What the list says about a service, now and before (TS 119 612, 5.5 and 5.6).
//!
//! Deliberately not here: the certificate's own path, and what extensions say.

use std::collections::BTreeMap;

use super::known::{
    ListKind, is_european_status, is_possible_service_type, is_possible_status, is_purpose,
    may_be_keyless, service_type,
};
use super::names::{check_names, check_pages, check_value};
use super::{Finding, Rule, Spot, extension};
use crate::diff::{Field, Place};
use crate::model::{DigitalId, Identity, PastState, Provider, Service, TrustedList, Uri};

pub(super) fn check(
    service: &Service,
    provider: &Provider,
    list: &TrustedList,
    findings: &mut Vec<Finding>,
) {
    let place = Place::of_service(provider, service);
    let here = Spot::at(&place);
    check_kind(here, &service.service_type, &service.status, findings);
    check_names(here.field(Field::Name), &service.name, findings);
    check_identity(here, service, findings);
    check_organisation(here, service, provider, findings);
    check_addresses(here, service, findings);
    let european = ListKind::of(&list.scheme).is_european();
    if european && !is_european_status(service.service_type.as_str(), service.status.as_str()) {
        let values = [service.status.to_string()];
        findings.push(here.finding(Rule::EuropeanStatus, "5.5.4", values));
    }
    if service.status_start.seconds() > list.scheme.issue.seconds() {
        findings.push(here.finding(Rule::StatusInFuture, "5.5.5", []));
    }
    let national_root = service_type(service.service_type.as_str()) == Some("NationalRootCA-QC");
    if national_root && service.provider_definition.is_none() {
        findings.push(here.finding(Rule::ProviderDefinition, "5.5.8", []));
    }
    extension::check(here, &service.service_type, &service.extensions, findings);
    check_purpose(here, service, findings);
    check_history(here, service, findings);
}

/// One key is one service of a type; it may return only under another type (5.5.3).
pub(super) fn check_keys(list: &TrustedList, findings: &mut Vec<Finding>) {
    let mut seen = BTreeMap::new();
    for (provider, service) in list.services() {
        let Some(key) = service.identity.public_key() else { continue };
        let former = seen.insert((service.service_type.as_str(), key), (provider, service));
        let Some((provider_before, before)) = former else { continue };
        if let Place::Service { provider: whose, service: which } =
            Place::of_service(provider_before, before)
        {
            let place = Place::of_service(provider, service);
            findings.push(Spot::at(&place).finding(Rule::SameKey, "5.5.3", [which, whose]));
        }
    }
}

fn check_kind(here: Spot<'_>, kind: &Uri, status: &Uri, findings: &mut Vec<Finding>) {
    check_value(here.field(Field::ServiceType), "5.1.2", kind.check(), findings);
    check_value(here.field(Field::Status), "5.1.2", status.check(), findings);
    if !is_possible_service_type(kind.as_str()) {
        findings.push(here.finding(Rule::TypeUnknown, "5.5.1", [kind.to_string()]));
    }
    if !is_possible_status(status.as_str()) {
        findings.push(here.finding(Rule::StatusUnknown, "5.5.4", [status.to_string()]));
    }
}

fn holds_certificate(id: &DigitalId) -> bool {
    matches!(id, DigitalId::Certificate(_) | DigitalId::Unreadable(_))
}

/// One key and one subject, named by a certificate; or, without a key, by an address (5.5.3).
fn check_identity(here: Spot<'_>, service: &Service, findings: &mut Vec<Finding>) {
    let mut refuse = |wrong: bool, rule: Rule| {
        if wrong {
            findings.push(here.finding(rule, "5.5.3", []));
        }
    };
    let identity = &service.identity;
    let kind = service.service_type.as_str();
    let Some(first) = identity.certificate() else {
        let named = identity.ids().iter().any(|id| matches!(id, DigitalId::Other(_)));
        refuse(!(named && may_be_keyless(kind)), Rule::CertificateMissing);
        return;
    };
    refuse(
        service_type(kind).is_some_and(|name| name.ends_with("/nothavingPKIid")),
        Rule::KeylessCertificate,
    );
    let same = identity
        .certificates()
        .all(|other| other.public_key() == first.public_key() && other.has_same_subject(first));
    refuse(!same, Rule::DifferentKeys);
    refuse(
        !identity.certificates().all(crate::certificate::Certificate::is_strict)
            || identity.ids().iter().any(|id| matches!(id, DigitalId::Unreadable(_))),
        Rule::NotDer,
    );
    let computed = first.computed_key_identifier();
    let own = first.key_identifier().unwrap_or(computed);
    refuse(identity.key_identifiers().any(|identifier| identifier != own), Rule::KeyIdentifier);
}

fn check_addresses(here: Spot<'_>, service: &Service, findings: &mut Vec<Finding>) {
    let definitions = [
        (Field::SchemeDefinition, &service.scheme_definition),
        (Field::ProviderDefinition, &service.provider_definition),
    ];
    for (field, pages) in definitions {
        if let Some(pages) = pages {
            check_pages(here.field(field), pages, findings);
        }
    }
    for point in &service.supply_points {
        let here = here.field(Field::SupplyPoints);
        check_value(here, "5.5.7", point.address.check(), findings);
        if let Some(kind) = &point.kind {
            check_value(here, "5.5.7", kind.check(), findings);
        }
    }
}

/// The certificate's `O=` should be a name of the provider (5.5.3).
fn check_organisation(
    here: Spot<'_>,
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
        let values = [organisation.clone()];
        findings.push(here.finding(Rule::OtherOrganisation, "5.5.3", values));
    }
}

/// A CA of a registered type should say what its certificates are for (5.5.9.4).
fn check_purpose(here: Spot<'_>, service: &Service, findings: &mut Vec<Finding>) {
    let issues = matches!(service_type(service.service_type.as_str()), Some("CA/QC" | "CA/PKC"));
    let values = service.extensions.iter().filter_map(|extension| extension.as_information());
    let says = values.into_iter().any(|value| is_purpose(value.as_str()));
    if issues && !says {
        findings.push(here.finding(Rule::PurposeMissing, "5.5.9.4", []));
    }
}

/// Newest first, no two states at one instant, the same key throughout (5.5.10, 5.6.3).
fn check_history(here: Spot<'_>, service: &Service, findings: &mut Vec<Finding>) {
    let mut later = service.status_start;
    for state in &service.history {
        if state.status_start.seconds() == later.seconds() {
            let values = [later.to_string()];
            findings.push(here.finding(Rule::HistorySameInstant, "5.5.10", values));
        } else if state.status_start.seconds() > later.seconds() {
            findings.push(here.finding(Rule::HistoryOrder, "5.5.10", []));
        }
        later = state.status_start;
        check_past_state(here, service, state, findings);
    }
}

fn check_past_state(
    here: Spot<'_>,
    service: &Service,
    state: &PastState,
    findings: &mut Vec<Finding>,
) {
    check_kind(here, &state.service_type, &state.status, findings);
    check_names(here.field(Field::History), &state.name, findings);
    extension::check(here, &state.service_type, &state.extensions, findings);
    if state.identity.ids().iter().any(holds_certificate) {
        findings.push(here.finding(Rule::PastCertificate, "5.6.3", []));
    }
    let named = |identity: &Identity| identity.key_identifier();
    if service.identity.certificate().is_some() && named(&state.identity).is_none() {
        findings.push(here.finding(Rule::PastKeyMissing, "5.6.3", []));
    } else if named(&state.identity) != named(&service.identity) {
        findings.push(here.finding(Rule::PastOtherKey, "5.6.3", []));
    }
    if state.service_type != service.service_type {
        findings.push(here.finding(Rule::PastOtherType, "5.6.1", []));
    }
}

//! What may change from one list to the next (TS 119 612, 5.3.2, 5.3.14, 5.5.5, 5.5.10, G.3).
//!
//! Deliberately not here: telling people what changed; that is [`crate::diff`].

use super::Finding;
use super::provider::place;
use crate::model::{Provider, Service, TrustedList};

pub(super) fn check(list: &TrustedList, before: &TrustedList, findings: &mut Vec<Finding>) {
    let (now, then) = (&list.scheme, &before.scheme);
    if now.sequence_number <= then.sequence_number {
        let sentence = format!(
            "The sequence number {} must be higher than {}, the one before.",
            now.sequence_number, then.sequence_number
        );
        findings.push(Finding::refused("5.3.2", sentence));
    }
    if now.issue.seconds() <= then.issue.seconds() {
        let sentence = format!("The list must be issued after {}, the one before.", then.issue);
        findings.push(Finding::refused("5.3.14", sentence));
    }
    if now.territory != then.territory || now.list_type != then.list_type {
        let sentence = "Territory and list type stay what they were.";
        findings.push(Finding::refused("5.3.3, 5.3.10", sentence));
    }
    for (provider, former) in before.services() {
        if let Some((_, service)) = list.services().find(|(_, service)| is_same(service, former)) {
            check_service(provider, former, service, [before, list], findings);
        } else {
            let sentence = format!("{} is no longer listed.", name(former, provider));
            findings.push(Finding::refused("5.4.6, 5.5.10", sentence));
        }
    }
}

/// The same service: its type in some state, and its key or what stands for it.
pub(super) fn is_same(service: &Service, former: &Service) -> bool {
    let key = service.identity.public_key();
    let same_key = match key {
        Some(_) => key == former.identity.public_key(),
        None => {
            former.identity.public_key().is_none()
                && (service.identity == former.identity || service.name == former.name)
        }
    };
    same_key && service.states().any(|state| *state.service_type == former.service_type)
}

fn name(service: &Service, provider: &Provider) -> String {
    let name = service.name.in_english().map(ToString::to_string).unwrap_or_default();
    format!("the service \"{name}\" of {}", place(provider))
}

fn check_service(
    provider: &Provider,
    former: &Service,
    service: &Service,
    [before, list]: [&TrustedList; 2],
    findings: &mut Vec<Finding>,
) {
    let place = name(service, provider);
    let same_state = service.status == former.status
        && service.service_type == former.service_type
        && service.status_start == former.status_start;
    if !same_state && service.status_start.seconds() < before.scheme.issue.seconds() {
        let sentence = format!(
            "The new status of {place} begins at {}, before the list that was in force until now.",
            service.status_start
        );
        findings.push(Finding::refused("5.5.5", sentence));
    }
    if !same_state && service.status_start.seconds() > list.scheme.issue.seconds() {
        let sentence = format!("The new status of {place} begins after the list is issued.");
        findings.push(Finding::refused("5.5.5", sentence));
    }
    // Every state that was told before is still told, at the same instant.
    for state in former.states() {
        let kept = service.states().any(|other| {
            other.since.seconds() == state.since.seconds()
                && other.status == state.status
                && other.service_type == state.service_type
        });
        if !kept {
            let sentence = format!(
                "The state {} of {place}, since {}, is lost.",
                state.status.as_str().rsplit('/').next().unwrap_or_default(),
                state.since
            );
            findings.push(Finding::refused("5.5.10", sentence));
        }
    }
}

//! What may change from one list to the next (TS 119 612, 5.3.2, 5.3.14, 5.5.5, 5.5.10, G.3).
//!
//! Deliberately not here: telling people what changed; that is [`crate::diff`].

use super::{Finding, Rule, Spot};
use crate::diff::Place;
use crate::model::{Provider, Service, TrustedList};

pub(super) fn check(list: &TrustedList, before: &TrustedList, findings: &mut Vec<Finding>) {
    let (now, then) = (&list.scheme, &before.scheme);
    if now.sequence_number <= then.sequence_number {
        let values = vec![now.sequence_number.to_string(), then.sequence_number.to_string()];
        findings.push(Finding::of_scheme(Rule::SequenceNotHigher, "5.3.2", values));
    }
    if now.issue.seconds() <= then.issue.seconds() {
        let values = vec![then.issue.to_string()];
        findings.push(Finding::of_scheme(Rule::IssueNotLater, "5.3.14", values));
    }
    if now.territory != then.territory || now.list_type != then.list_type {
        let changed = Finding::of_scheme(Rule::TerritoryChanged, "5.3.3, 5.3.10", Vec::new());
        findings.push(changed);
    }
    for (provider, former) in before.services() {
        if let Some((_, service)) = list.services().find(|(_, service)| is_same(service, former)) {
            check_service(provider, former, service, [before, list], findings);
        } else {
            let place = Place::of_service(provider, former);
            findings.push(Spot::at(&place).finding(Rule::ServiceLost, "5.4.6, 5.5.10", []));
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

fn check_service(
    provider: &Provider,
    former: &Service,
    service: &Service,
    [before, list]: [&TrustedList; 2],
    findings: &mut Vec<Finding>,
) {
    let place = Place::of_service(provider, former);
    let here = Spot::at(&place);
    let same_state = service.status == former.status
        && service.service_type == former.service_type
        && service.status_start == former.status_start;
    if !same_state && service.status_start.seconds() < before.scheme.issue.seconds() {
        let values = [service.status_start.to_string()];
        findings.push(here.finding(Rule::StatusRetroactive, "5.5.5", values));
    }
    if !same_state && service.status_start.seconds() > list.scheme.issue.seconds() {
        findings.push(here.finding(Rule::StatusInFuture, "5.5.5", []));
    }
    // Every state that was told before is still told, at the same instant.
    for state in former.states() {
        let kept = service.states().any(|other| {
            other.since.seconds() == state.since.seconds()
                && other.status == state.status
                && other.service_type == state.service_type
        });
        if !kept {
            let status = state.status.as_str().rsplit(['/', '#']).next().unwrap_or_default();
            let values = [status.to_owned(), state.since.to_string()];
            findings.push(here.finding(Rule::StateLost, "5.5.10", values));
        }
    }
}

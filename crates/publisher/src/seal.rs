//! What becomes of a draft in the instant of its publication, and what a list says beside its number
//! and its dates.

use tenkoku_domain::canonical::Digest;
use tenkoku_domain::time::Timestamp;
use tenkoku_tsl::model::{NextUpdate, Service, TrustedList};
use tenkoku_tsl::rules::is_same_service;
use tenkoku_tsl::write::to_xml;

use crate::compose::NEXT_UPDATE_DAYS;
use crate::form::is_closed;

/// The digest of what a list says, its number and dates aside: a reissue says the same.
pub(crate) fn content_of(list: &TrustedList) -> Digest {
    let mut plain = list.clone();
    plain.scheme.sequence_number = 1;
    plain.scheme.issue = Timestamp::from_seconds(0);
    if !is_closed(list) {
        plain.scheme.next_update = NextUpdate::By(Timestamp::from_seconds(0));
    }
    Digest::of(to_xml(&plain).as_bytes())
}

/// Gives a list its number and its dates. What a state that is new in it was asked to begin before
/// `at` begins at `at`: no status begins before the list that tells it is issued (TS 119 612, 5.5.5).
pub(crate) fn seal(
    mut list: TrustedList,
    live: Option<&TrustedList>,
    number: u64,
    at: Timestamp,
) -> TrustedList {
    let at = at.floor();
    list.scheme.sequence_number = number;
    list.scheme.issue = at;
    if !is_closed(&list) {
        list.scheme.next_update = NextUpdate::By(at.plus_days(NEXT_UPDATE_DAYS));
    }
    let services = list.providers.iter_mut().flat_map(|provider| provider.services.iter_mut());
    for service in services {
        if is_new_state(service, live) {
            service.status_start = service.status_start.max(at);
        }
    }
    list
}

/// When a list can be published at the earliest: when the last of the states that are new in it
/// begins.
pub(crate) fn earliest(
    list: &TrustedList,
    live: Option<&TrustedList>,
    now: Timestamp,
) -> Timestamp {
    let new = list.services().filter(|(_, service)| is_new_state(service, live));
    new.map(|(_, service)| service.status_start).fold(now, Timestamp::max)
}

/// The same service as the live list has it.
pub(crate) fn live_service<'l>(
    live: Option<&'l TrustedList>,
    service: &Service,
) -> Option<&'l Service> {
    live?.services().map(|(_, former)| former).find(|former| is_same_service(service, former))
}

/// Whether the live list does not yet tell the present state of a service.
fn is_new_state(service: &Service, live: Option<&TrustedList>) -> bool {
    live_service(live, service).is_none_or(|former| {
        former.status != service.status || former.status_start != service.status_start
    })
}

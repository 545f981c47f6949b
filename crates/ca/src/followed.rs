//! Whose trusted lists are believed: taking on a list, or a list of lists, of others, ending that,
//! and taking over the certificates of a newer publication (TS 119 615, 4.1).
//!
//! Everything here is agreed to by others first ([`crate::proposal`]). Deliberately not here:
//! fetching and reading lists, which the crate `reader` does.

use tenkoku_domain::access::Origin;
use tenkoku_domain::audit::{Event, FollowedEvent};
use tenkoku_domain::followed::{ListCode, ListSource, ListTrust, REFRESH_JOB, check_location};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_store::{StoreError, Tx};
use tenkoku_tsl::certificate::Certificate;
use tenkoku_tsl::model::Uri;

const RULE: &str = "TS 119 615, 4.1";

/// Whether a list may be believed from now on: under a code that is free, from an address of the
/// web, with certificates that can be read.
pub(crate) fn check_trust(
    tx: &mut Tx<'_>,
    (code, location, trust): (&ListCode, &str, &ListTrust),
) -> Result<Result<(), Refusal>, StoreError> {
    let own = tx.list_schemes()?.iter().any(|scheme| scheme == code.as_str());
    if own || tx.find_followed(code)?.is_some() {
        let taken = Refusal::new(RefusalCode::StateConflict, RULE).with("problem", "taken");
        return Ok(Err(taken.with("code", code)));
    }
    Ok(check_location(location).and_then(|()| check_anchors(trust)))
}

/// Whether other anchors may take the place of those that a list is believed by.
pub(crate) fn check_anchors_of(
    tx: &mut Tx<'_>,
    (code, trust): (&ListCode, &ListTrust),
) -> Result<Result<(), Refusal>, StoreError> {
    Ok(check_end(tx, code)?.and_then(|()| check_anchors(trust)))
}

fn check_anchors(trust: &ListTrust) -> Result<(), Refusal> {
    let refused = |problem| Refusal::new(RefusalCode::NameInvalid, RULE).with("problem", problem);
    let read = trust.anchors().iter().all(|der| Certificate::from_der(&der.0).is_ok());
    if trust.anchors().is_empty() || !read {
        return Err(refused("list-anchors"));
    }
    match trust {
        ListTrust::Journal { address, .. } if Uri::new(address).is_err() => {
            Err(refused("list-journal"))
        }
        ListTrust::Journal { .. } | ListTrust::Signers { .. } => Ok(()),
    }
}

/// Whether a list can be believed no more: it is believed.
pub(crate) fn check_end(
    tx: &mut Tx<'_>,
    code: &ListCode,
) -> Result<Result<(), Refusal>, StoreError> {
    match tx.find_list_source(code)? {
        Some(source) if source.ended_at.is_none() => Ok(Ok(())),
        Some(_) => {
            let ended = Refusal::new(RefusalCode::StateConflict, RULE);
            Ok(Err(ended.with("problem", "list-source-ended").with("code", code)))
        }
        None => Err(StoreError::NotFound { what: "list source" }),
    }
}

pub(crate) fn trust(
    tx: &mut Tx<'_>,
    origin: &Origin,
    (code, location, trust): (&ListCode, &str, &ListTrust),
    now: Timestamp,
) -> Result<(), StoreError> {
    let source = ListSource {
        code: code.clone(),
        location: location.to_owned(),
        trust: trust.clone(),
        trusted_at: now,
        ended_at: None,
    };
    record(tx, origin, FollowedEvent::SourceTrusted { source }, now)
}

pub(crate) fn end(
    tx: &mut Tx<'_>,
    origin: &Origin,
    code: &ListCode,
    now: Timestamp,
) -> Result<(), StoreError> {
    let source = ListSource { ended_at: Some(now), ..source(tx, code)? };
    record(tx, origin, FollowedEvent::SourceEnded { source }, now)
}

pub(crate) fn take_anchors(
    tx: &mut Tx<'_>,
    origin: &Origin,
    (code, trust): (&ListCode, &ListTrust),
    now: Timestamp,
) -> Result<(), StoreError> {
    let source = ListSource { trust: trust.clone(), ..source(tx, code)? };
    record(tx, origin, FollowedEvent::AnchorsTaken { source }, now)
}

fn source(tx: &mut Tx<'_>, code: &ListCode) -> Result<ListSource, StoreError> {
    tx.find_list_source(code)?.ok_or(StoreError::NotFound { what: "list source" })
}

fn record(
    tx: &mut Tx<'_>,
    origin: &Origin,
    event: FollowedEvent,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.record(origin, now, &Event::Followed(event))?;
    tx.enqueue_job(REFRESH_JOB, "platform", now)
}

//! One change to what a list is to say. The state machine writes the history: whatever changes the
//! state of a service that is published moves its former state to the top of the history, newest
//! first, never in the past, never twice at one instant, never lost.

use tenkoku_domain::time::Timestamp;
use tenkoku_domain::trusted_list::draft::{Fields, ListEdit, ListPart};
use tenkoku_tsl::diff::Field;
use tenkoku_tsl::model::{NextUpdate, Service, TrustedList, Uri};
use tenkoku_tsl::rules::{Finding, Rule};

use crate::form::{
    Found, apply, find, is_other_key, mistake, new_pointer, new_provider, new_service, place,
    says_otherwise,
};
use crate::seal::live_service;

/// Why a change is not made.
#[derive(Debug)]
pub(crate) enum EditError {
    /// The list has no such part.
    NoPart,
    /// What is said is wrong; all of it.
    Mistakes(Vec<Finding>),
    /// What was published once stays in every list that follows.
    Published,
}

impl From<Vec<Finding>> for EditError {
    fn from(mistakes: Vec<Finding>) -> Self {
        Self::Mistakes(mistakes)
    }
}

/// Makes one change.
pub(crate) fn edit(
    list: &mut TrustedList,
    live: Option<&TrustedList>,
    edit: &ListEdit,
    now: Timestamp,
) -> Result<(), EditError> {
    match edit {
        ListEdit::Change { part, fields } => change(list, live, *part, fields, now),
        ListEdit::Add { part, fields } => add(list, *part, fields, now),
        ListEdit::Remove { part } => remove(list, live, *part),
        ListEdit::Status { part, status, from, .. } => {
            set_status(list, live, *part, (status, *from), now)
        }
        ListEdit::Close { .. } => {
            list.scheme.next_update = NextUpdate::Closed;
            Ok(())
        }
    }
}

fn change(
    list: &mut TrustedList,
    live: Option<&TrustedList>,
    part: ListPart,
    fields: &Fields,
    now: Timestamp,
) -> Result<(), EditError> {
    let former = match find(list, part).ok_or(EditError::NoPart)? {
        Found::Service(_, service) => live_service(live, service).cloned(),
        Found::Scheme(_) | Found::Pointer(_) | Found::Provider(_) => None,
    };
    let mut fields = fields.clone();
    if former.is_some() {
        // A published service gets another status, or is another service.
        fields.remove("status");
        fields.remove("service-type");
    }
    apply(list, part, &fields)?;
    let place = place(list, part);
    let (Some(former), Some(service)) = (former, service_mut(list, part)) else { return Ok(()) };
    if is_other_key(&former, service) {
        let other = Finding {
            rule: Rule::PastOtherKey,
            clause: "5.5.3, G.4",
            place,
            field: Some(Field::Identity),
            values: Vec::new(),
        };
        return Err(EditError::Mistakes(vec![other]));
    }
    let untold = service.status_start == former.status_start;
    if untold && says_otherwise(&former, service) {
        // What counts from an instant on does not change what counted before.
        let extensions = std::mem::replace(&mut service.extensions, former.extensions.clone());
        let begun = service.begin_state(now.floor().max(former.status_start.plus_seconds(1)));
        service.extensions = extensions;
        begun.map_err(|error| EditError::Mistakes(vec![mistake(list, part, &error)]))?;
    }
    Ok(())
}

fn service_mut(list: &mut TrustedList, part: ListPart) -> Option<&mut Service> {
    let ListPart::Service { provider, service } = part else { return None };
    let provider = list.providers.get_mut(provider.checked_sub(1)?)?;
    provider.services.get_mut(service.checked_sub(1)?)
}

fn add(
    list: &mut TrustedList,
    part: ListPart,
    fields: &Fields,
    now: Timestamp,
) -> Result<(), EditError> {
    let is_next = |number: usize, there: usize| {
        if number == there + 1 { Ok(()) } else { Err(EditError::NoPart) }
    };
    match part {
        ListPart::Scheme => Err(EditError::NoPart),
        ListPart::Pointer(number) => {
            is_next(number, list.scheme.pointers.len())?;
            list.scheme.pointers.push(new_pointer(fields)?);
            Ok(())
        }
        ListPart::Provider(number) => {
            is_next(number, list.providers.len())?;
            list.providers.push(new_provider(fields)?);
            Ok(())
        }
        ListPart::Service { provider, service } => {
            let provider = list.providers.get_mut(provider.saturating_sub(1));
            let services = &mut provider.ok_or(EditError::NoPart)?.services;
            is_next(service, services.len())?;
            services.push(new_service(fields, now.floor())?);
            Ok(())
        }
    }
}

/// Takes out what no list told yet. A pointer may always go: it has no history.
fn remove(
    list: &mut TrustedList,
    live: Option<&TrustedList>,
    part: ListPart,
) -> Result<(), EditError> {
    match find(list, part).ok_or(EditError::NoPart)? {
        Found::Scheme(_) => return Err(EditError::NoPart),
        Found::Pointer(_) => {}
        Found::Provider(provider) => {
            if provider.services.iter().any(|service| live_service(live, service).is_some()) {
                return Err(EditError::Published);
            }
        }
        Found::Service(_, service) => {
            if live_service(live, service).is_some() {
                return Err(EditError::Published);
            }
        }
    }
    match part {
        ListPart::Scheme => {}
        ListPart::Pointer(number) => drop(list.scheme.pointers.remove(number.saturating_sub(1))),
        ListPart::Provider(number) => drop(list.providers.remove(number.saturating_sub(1))),
        ListPart::Service { provider, service } => {
            if let Some(provider) = list.providers.get_mut(provider.saturating_sub(1)) {
                drop(provider.services.remove(service.saturating_sub(1)));
            }
        }
    }
    Ok(())
}

/// Gives a service another status. A second change in the same draft takes the place of the first:
/// between two lists a service has one state.
fn set_status(
    list: &mut TrustedList,
    live: Option<&TrustedList>,
    part: ListPart,
    (status, from): (&str, Option<Timestamp>),
    now: Timestamp,
) -> Result<(), EditError> {
    let at = place(list, part);
    let wrong = |rule, values| {
        let field = Some(Field::Status);
        let finding = Finding { rule, clause: "5.5.5", place: at.clone(), field, values };
        Err(EditError::Mistakes(vec![finding]))
    };
    let uri = match Uri::new(status) {
        Ok(uri) => uri,
        Err(error) => return Err(EditError::Mistakes(vec![mistake(list, part, &error)])),
    };
    let now = now.floor();
    if let Some(from) = from.filter(|from| from.seconds() < now.seconds()) {
        return wrong(Rule::StatusPast, vec![from.to_string()]);
    }
    let Some(Found::Service(_, service)) = find(list, part) else { return Err(EditError::NoPart) };
    let former = live_service(live, service).cloned();
    let Some(service) = service_mut(list, part) else { return Err(EditError::NoPart) };
    let Some(former) = former else {
        if from.is_some() {
            return wrong(Rule::StatusBeforeIts, Vec::new());
        }
        service.status = uri;
        return Ok(());
    };
    service.status = former.status.clone();
    service.status_start = former.status_start;
    service.history.clone_from(&former.history);
    let said = std::mem::replace(&mut service.extensions, former.extensions.clone());
    let since = from.unwrap_or(now).max(former.status_start.plus_seconds(1));
    let changed = service.change_status(uri, since);
    service.extensions = said;
    changed.map_err(|error| EditError::Mistakes(vec![mistake(list, part, &error)]))
}

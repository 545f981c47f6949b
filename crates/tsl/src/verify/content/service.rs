//! `TSPService`, its state and its history (TS 119 612, 5.5 and 5.6).

use tenkoku_domain::time::Timestamp;

use super::super::Refusal;
use super::super::check::decode;
use super::super::cursor::Cursor;
use super::extension;
use super::values::{each, instant, local, local_in, missing, names, once, pages, unexpected, uri};
use crate::certificate::Certificate;
use crate::model::{
    DigitalId, Extension, Identity, Names, Pages, PastState, Service, SupplyPoint, Uri,
};
use crate::ns;
use crate::xml::Element;

pub(super) fn read(cursor: &mut Cursor, version: u32) -> Result<Service, Refusal> {
    let (mut present, mut history) = (None, None);
    while let Some(child) = cursor.child()? {
        match local(&child) {
            "ServiceInformation" => once(&mut present, &child, service(cursor, version)?)?,
            "ServiceHistory" => {
                let states =
                    each(cursor, "ServiceHistoryInstance", |cursor, _| past_state(cursor))?;
                once(&mut history, &child, states)?;
            }
            _ => return Err(unexpected(&child)),
        }
    }
    let present: Service = present.ok_or_else(|| missing("ServiceInformation"))?;
    Ok(Service { history: history.unwrap_or_default(), ..present })
}

/// What a present and a past state have in common.
#[derive(Default)]
struct Parts {
    service_type: Option<Uri>,
    name: Option<Names>,
    identity: Option<Identity>,
    status: Option<Uri>,
    start: Option<Timestamp>,
    extensions: Option<Vec<Extension>>,
}

impl Parts {
    /// Takes the child if it is one of the common ones.
    fn take(&mut self, cursor: &mut Cursor, child: &Element) -> Result<(), Refusal> {
        match local(child) {
            "ServiceTypeIdentifier" => once(&mut self.service_type, child, uri(cursor)?),
            "ServiceName" => once(&mut self.name, child, names(cursor)?),
            "ServiceDigitalIdentity" => once(&mut self.identity, child, identity(cursor)?),
            "ServiceStatus" => once(&mut self.status, child, uri(cursor)?),
            "StatusStartingTime" => {
                once(&mut self.start, child, instant(cursor, child.name.local)?)
            }
            "ServiceInformationExtensions" => {
                once(&mut self.extensions, child, extension::read_all(cursor)?)
            }
            _ => Err(unexpected(child)),
        }
    }

    fn finish(self) -> Result<PastState, Refusal> {
        Ok(PastState {
            service_type: self.service_type.ok_or_else(|| missing("ServiceTypeIdentifier"))?,
            name: self.name.ok_or_else(|| missing("ServiceName"))?,
            identity: self.identity.ok_or_else(|| missing("ServiceDigitalIdentity"))?,
            status: self.status.ok_or_else(|| missing("ServiceStatus"))?,
            status_start: self.start.ok_or_else(|| missing("StatusStartingTime"))?,
            extensions: self.extensions.unwrap_or_default(),
        })
    }
}

fn past_state(cursor: &mut Cursor) -> Result<PastState, Refusal> {
    let mut parts = Parts::default();
    while let Some(child) = cursor.child()? {
        parts.take(cursor, &child)?;
    }
    parts.finish()
}

fn service(cursor: &mut Cursor, version: u32) -> Result<Service, Refusal> {
    let mut parts = Parts::default();
    let (mut by_scheme, mut by_provider): (Option<Pages>, Option<Pages>) = (None, None);
    let mut points = None;
    while let Some(child) = cursor.child()? {
        match local(&child) {
            "SchemeServiceDefinitionURI" => once(&mut by_scheme, &child, pages(cursor)?)?,
            "TSPServiceDefinitionURI" => once(&mut by_provider, &child, pages(cursor)?)?,
            "ServiceSupplyPoints" => {
                let found = each(cursor, "ServiceSupplyPoint", |cursor, child| {
                    supply_point(cursor, child, version)
                })?;
                once(&mut points, &child, found)?;
            }
            _ => parts.take(cursor, &child)?,
        }
    }
    let state = parts.finish()?;
    Ok(Service {
        service_type: state.service_type,
        name: state.name,
        identity: state.identity,
        status: state.status,
        status_start: state.status_start,
        scheme_definition: by_scheme,
        supply_points: points.unwrap_or_default(),
        provider_definition: by_provider,
        extensions: state.extensions,
        history: Vec::new(),
    })
}

/// Version 5 knows no `type`; a list of that version which has one breaks its schema.
fn supply_point(
    cursor: &mut Cursor,
    child: &Element,
    version: u32,
) -> Result<SupplyPoint, Refusal> {
    let kind = child.attribute("type").map(|kind| Uri::as_found(kind.to_owned()));
    if kind.is_some() && version < 6 {
        let sentence = "version 5 does not know the type of a ServiceSupplyPoint";
        return Err(Refusal::NotAList(sentence.to_owned()));
    }
    Ok(SupplyPoint { kind, address: uri(cursor)? })
}

/// The `DigitalId`s of the current element.
pub(super) fn identity(cursor: &mut Cursor) -> Result<Identity, Refusal> {
    let mut ids = Vec::new();
    while let Some(child) = cursor.child()? {
        if local(&child) != "DigitalId" {
            return Err(unexpected(&child));
        }
        while let Some(child) = cursor.child()? {
            ids.push(digital_id(cursor, &child)?);
        }
    }
    Ok(Identity::as_found(ids))
}

fn digital_id<'a>(cursor: &mut Cursor<'a>, child: &Element<'a>) -> Result<DigitalId, Refusal> {
    match local(child) {
        "X509Certificate" => {
            let read = Certificate::from_bytes(bytes(cursor, child)?);
            Ok(read.map_or_else(DigitalId::Unreadable, DigitalId::Certificate))
        }
        "X509SubjectName" => Ok(DigitalId::SubjectName(cursor.text()?.into_owned())),
        "X509SKI" => Ok(DigitalId::KeyIdentifier(bytes(cursor, child)?)),
        "Other" => Ok(DigitalId::Other(cursor.fragment(child)?)),
        _ if local_in(child, ns::DS) == "KeyValue" => {
            Ok(DigitalId::KeyValue(cursor.fragment(child)?))
        }
        _ => Err(unexpected(child)),
    }
}

fn bytes(cursor: &mut Cursor, child: &Element) -> Result<Vec<u8>, Refusal> {
    decode(&cursor.text()?).ok_or_else(|| missing(child.name.local))
}

//! What a list says, as far as it is read today: the scheme's head and the services' states.
//!
//! The values are kept as they are written: other people's lists break rules of their own.
//! Deliberately not here: pointers, extensions and histories, which are passed over.

use super::Refusal;
use super::check::decode;
use super::cursor::Cursor;
use crate::ns;
use crate::xml::Element;
use tenkoku_domain::time::Timestamp;

/// A value and the language it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tagged {
    /// `xml:lang`, empty when it is missing.
    pub language: String,
    /// The value.
    pub value: String,
}

/// What a list says about its scheme, itself and its services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListContent {
    /// `TSLVersionIdentifier`.
    pub version: u32,
    /// `TSLSequenceNumber`.
    pub sequence_number: u64,
    /// `TSLType`.
    pub list_type: String,
    /// `SchemeTerritory`, empty when it is missing.
    pub territory: String,
    /// `SchemeOperatorName`.
    pub operator_names: Vec<Tagged>,
    /// `SchemeName`.
    pub scheme_names: Vec<Tagged>,
    /// `ListIssueDateTime`.
    pub issue: Timestamp,
    /// `NextUpdate`; a closed list has none.
    pub next_update: Option<Timestamp>,
    /// `DistributionPoints`.
    pub distribution_points: Vec<String>,
    /// The services of all providers, in document order.
    pub services: Vec<ServiceContent>,
}

/// What a list says about a service as it is now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceContent {
    /// `TSPName` of the provider.
    pub provider_names: Vec<Tagged>,
    /// `ServiceTypeIdentifier`.
    pub service_type: String,
    /// `ServiceName`.
    pub names: Vec<Tagged>,
    /// `ServiceStatus`.
    pub status: String,
    /// `StatusStartingTime`, when it is written as it must be.
    pub status_start: Option<Timestamp>,
    /// Every `X509Certificate` of the identity, in DER as it came.
    pub certificates: Vec<Vec<u8>>,
}

/// Gathers a list's content child by child.
#[derive(Default)]
pub(super) struct Builder {
    scheme: Option<ListContent>,
    services: Option<Vec<ServiceContent>>,
}

impl Builder {
    /// Takes a child of the root whose start tag was just read.
    pub(super) fn take(&mut self, cursor: &mut Cursor, child: &Element) -> Result<(), Refusal> {
        match (local(child), self.scheme.is_some(), self.services.is_some()) {
            (Some("SchemeInformation"), false, false) => self.scheme = Some(scheme(cursor)?),
            (Some("TrustServiceProviderList"), true, false) => {
                self.services = Some(providers(cursor)?);
            }
            _ => {
                let name = child.name.local;
                return Err(Refusal::NotAList(format!("unexpected element {name}")));
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<ListContent, Refusal> {
        let scheme = self.scheme.ok_or_else(|| missing("SchemeInformation"))?;
        Ok(ListContent { services: self.services.unwrap_or_default(), ..scheme })
    }
}

/// The name of an element of the list's own namespace.
fn local<'a>(element: &Element<'a>) -> Option<&'a str> {
    (&*element.name.namespace == ns::TSL).then_some(element.name.local)
}

fn missing(what: &str) -> Refusal {
    Refusal::NotAList(format!("{what} is missing or unreadable"))
}

/// The elements of `SchemeInformation` that are read, as they are written.
#[derive(Default)]
struct Head {
    version: String,
    sequence_number: String,
    list_type: String,
    territory: String,
    operator_names: Vec<Tagged>,
    scheme_names: Vec<Tagged>,
    issue: String,
    next_update: Vec<String>,
    distribution_points: Vec<String>,
}

fn scheme(cursor: &mut Cursor) -> Result<ListContent, Refusal> {
    let mut raw = Head::default();
    while let Some(child) = cursor.child()? {
        match local(&child).unwrap_or_default() {
            "TSLVersionIdentifier" => raw.version = cursor.text()?,
            "TSLSequenceNumber" => raw.sequence_number = cursor.text()?,
            "TSLType" => raw.list_type = cursor.text()?,
            "SchemeOperatorName" => raw.operator_names = tagged(cursor)?,
            "SchemeName" => raw.scheme_names = tagged(cursor)?,
            "SchemeTerritory" => raw.territory = cursor.text()?,
            "ListIssueDateTime" => raw.issue = cursor.text()?,
            "NextUpdate" => raw.next_update = texts(cursor)?,
            "DistributionPoints" => raw.distribution_points = texts(cursor)?,
            _ => cursor.skip()?,
        }
    }
    raw.read()
}

impl Head {
    fn read(self) -> Result<ListContent, Refusal> {
        let next_update = match self.next_update.as_slice() {
            [] => None,
            [at, ..] => Some(Timestamp::parse(at).ok_or_else(|| missing("NextUpdate"))?),
        };
        Ok(ListContent {
            version: self.version.parse().map_err(|_| missing("TSLVersionIdentifier"))?,
            sequence_number: self
                .sequence_number
                .parse()
                .map_err(|_| missing("TSLSequenceNumber"))?,
            list_type: self.list_type,
            territory: self.territory,
            operator_names: self.operator_names,
            scheme_names: self.scheme_names,
            issue: Timestamp::parse(&self.issue).ok_or_else(|| missing("ListIssueDateTime"))?,
            next_update,
            distribution_points: self.distribution_points,
            services: Vec::new(),
        })
    }
}

/// The children of the current element, each with its language.
fn tagged(cursor: &mut Cursor) -> Result<Vec<Tagged>, Refusal> {
    let mut values = Vec::new();
    while let Some(child) = cursor.child()? {
        let language = child.language().unwrap_or_default().to_owned();
        values.push(Tagged { language, value: cursor.text()? });
    }
    Ok(values)
}

/// The texts of the children of the current element.
fn texts(cursor: &mut Cursor) -> Result<Vec<String>, Refusal> {
    let mut values = Vec::new();
    while cursor.child()?.is_some() {
        values.push(cursor.text()?);
    }
    Ok(values)
}

/// Walks the children of the current element; those of the given name are read, others skipped.
fn each(
    cursor: &mut Cursor,
    name: &str,
    mut read: impl FnMut(&mut Cursor) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    while let Some(child) = cursor.child()? {
        if local(&child) == Some(name) {
            read(cursor)?;
        } else {
            cursor.skip()?;
        }
    }
    Ok(())
}

fn providers(cursor: &mut Cursor) -> Result<Vec<ServiceContent>, Refusal> {
    let mut services = Vec::new();
    each(cursor, "TrustServiceProvider", |cursor| provider(cursor, &mut services))?;
    Ok(services)
}

fn provider(cursor: &mut Cursor, services: &mut Vec<ServiceContent>) -> Result<(), Refusal> {
    let mut names = Vec::new();
    while let Some(child) = cursor.child()? {
        match local(&child).unwrap_or_default() {
            "TSPInformation" => each(cursor, "TSPName", |cursor| {
                names = tagged(cursor)?;
                Ok(())
            })?,
            "TSPServices" => each(cursor, "TSPService", |cursor| {
                each(cursor, "ServiceInformation", |cursor| {
                    let provider_names = names.clone();
                    services.push(ServiceContent { provider_names, ..service(cursor)? });
                    Ok(())
                })
            })?,
            _ => cursor.skip()?,
        }
    }
    Ok(())
}

fn service(cursor: &mut Cursor) -> Result<ServiceContent, Refusal> {
    let mut service = ServiceContent::default();
    while let Some(child) = cursor.child()? {
        match local(&child).unwrap_or_default() {
            "ServiceTypeIdentifier" => service.service_type = cursor.text()?,
            "ServiceName" => service.names = tagged(cursor)?,
            "ServiceStatus" => service.status = cursor.text()?,
            "StatusStartingTime" => service.status_start = Timestamp::parse(&cursor.text()?),
            "ServiceDigitalIdentity" => each(cursor, "DigitalId", |cursor| {
                each(cursor, "X509Certificate", |cursor| {
                    let der = decode(&cursor.text()?).ok_or_else(|| missing("X509Certificate"))?;
                    service.certificates.push(der);
                    Ok(())
                })
            })?,
            _ => cursor.skip()?,
        }
    }
    Ok(service)
}

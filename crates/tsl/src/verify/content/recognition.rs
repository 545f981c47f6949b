//! `MutualRecognitionAgreementInformation`, and the statements of certificates that criteria ask for
//! (the Commission's schema v2).
//!
//! What is not made as the schema prescribes is kept as it stands, and understood by nobody.

use super::super::Refusal;
use super::super::cursor::Cursor;
use super::criteria::{criteria_list, each, object_id};
use super::values::{instant, local, local_in, missing, once, text, unexpected, uri, uri_entry};
use crate::model::{
    ContentEquivalence, Fragment, KindInformation, QcStatement, QcStatementInfo,
    QualifierEquivalence, Recognition, ServiceEquivalence, ServiceKind, Sides, Terms, Uri,
};
use crate::ns;
use crate::xml::Element;

/// Reads what was kept of an element; `None` when it is not made as the schema prescribes.
pub(super) fn read(fragment: &Fragment) -> Option<Recognition> {
    within(fragment, recognition)
}

/// The same for `QcStatementSet`.
pub(super) fn read_statements(fragment: &Fragment) -> Option<Vec<QcStatement>> {
    within(fragment, |cursor, _| {
        each(cursor, ns::MRA, "QcStatement", |cursor, _| statement(cursor))
    })
}

fn within<T>(
    fragment: &Fragment,
    read: impl for<'a> FnOnce(&mut Cursor<'a>, &Element<'a>) -> Result<T, Refusal>,
) -> Option<T> {
    let mut cursor = Cursor::new(fragment.xml().as_bytes()).ok()?;
    let element = cursor.child().ok()??;
    read(&mut cursor, &element).ok()
}

/// The name of an element of the schema; empty for any other.
fn named<'a>(element: &Element<'a>) -> &'a str {
    local_in(element, ns::MRA)
}

fn number(element: &Element, name: &str) -> Result<i64, Refusal> {
    let written = element.attribute(name).and_then(|value| value.trim().parse().ok());
    written.ok_or_else(|| missing(name))
}

fn address(element: &Element, name: &str) -> Result<Uri, Refusal> {
    let written = element.attribute(name).ok_or_else(|| missing(name))?;
    Ok(Uri::as_found(written.trim().to_owned()))
}

fn recognition<'a>(cursor: &mut Cursor<'a>, element: &Element<'a>) -> Result<Recognition, Refusal> {
    Ok(Recognition {
        technical_type: number(element, "technicalType")?,
        version: number(element, "version")?,
        depth: number(element, "MRADepth")?,
        legislation: Sides {
            pointing: address(element, "pointingContractingPartyLegislation")?,
            pointed: address(element, "pointedContractingPartyLegislation")?,
        },
        services: each(cursor, ns::MRA, "TrustServiceEquivalenceInformation", |cursor, _| {
            service(cursor)
        })?,
    })
}

fn service(cursor: &mut Cursor) -> Result<ServiceEquivalence, Refusal> {
    let (mut identifier, mut parts, mut history) = (None, Parts::default(), Vec::new());
    while let Some(child) = cursor.child()? {
        match named(&child) {
            "TrustServiceLegalIdentifier" => once(&mut identifier, &child, text(cursor)?)?,
            "TrustServiceEquivalenceHistory" => {
                let name = "TrustServiceEquivalenceHistoryInstance";
                history.push(each(cursor, ns::MRA, name, |cursor, _| former(cursor))?);
            }
            _ => parts.take(cursor, &child)?,
        }
    }
    Ok(ServiceEquivalence {
        legal_identifier: identifier.ok_or_else(|| missing("TrustServiceLegalIdentifier"))?,
        terms: parts.finish()?,
        history,
    })
}

fn former(cursor: &mut Cursor) -> Result<Terms, Refusal> {
    let mut parts = Parts::default();
    while let Some(child) = cursor.child()? {
        parts.take(cursor, &child)?;
    }
    parts.finish()
}

/// Terms that are being read.
#[derive(Default)]
struct Parts {
    types: Option<Sides<Vec<ServiceKind>>>,
    status: Option<Uri>,
    since: Option<tenkoku_domain::time::Timestamp>,
    statuses: Option<[Sides<Vec<Uri>>; 2]>,
    contents: Option<Vec<ContentEquivalence>>,
    qualifiers: Option<QualifierEquivalence>,
}

impl Parts {
    fn take<'a>(&mut self, cursor: &mut Cursor<'a>, child: &Element<'a>) -> Result<(), Refusal> {
        match named(child) {
            "TrustServiceTSLTypeEquivalenceList" => {
                let sides = sides(cursor, "TrustServiceTSLTypeList", |cursor, _| {
                    each(cursor, ns::MRA, "TrustServiceTSLType", |cursor, _| kind(cursor))
                })?;
                once(&mut self.types, child, sides)
            }
            "TrustServiceEquivalenceStatus" => once(&mut self.status, child, uri(cursor)?),
            "TrustServiceEquivalenceStatusStartingTime" => {
                once(&mut self.since, child, instant(cursor, child.name.local)?)
            }
            "TrustServiceTSLStatusEquivalenceList" => {
                once(&mut self.statuses, child, statuses(cursor)?)
            }
            "CertificateContentReferencesEquivalenceList" => {
                let name = "CertificateContentReferenceEquivalence";
                let all = each(cursor, ns::MRA, name, |cursor, _| content(cursor))?;
                once(&mut self.contents, child, all)
            }
            "TrustServiceTSLQualificationExtensionEquivalenceList" => {
                once(&mut self.qualifiers, child, qualifiers(cursor)?)
            }
            _ => Err(unexpected(child)),
        }
    }

    fn finish(self) -> Result<Terms, Refusal> {
        let [valid, invalid] =
            self.statuses.ok_or_else(|| missing("TrustServiceTSLStatusEquivalenceList"))?;
        Ok(Terms {
            types: self.types.ok_or_else(|| missing("TrustServiceTSLTypeEquivalenceList"))?,
            status: self.status.ok_or_else(|| missing("TrustServiceEquivalenceStatus"))?,
            since: self
                .since
                .ok_or_else(|| missing("TrustServiceEquivalenceStatusStartingTime"))?,
            valid,
            invalid,
            contents: self.contents.unwrap_or_default(),
            qualifiers: self.qualifiers,
        })
    }
}

/// `…PointingParty` and `…PointedParty` of the current element.
fn sides<'a, T>(
    cursor: &mut Cursor<'a>,
    stem: &str,
    mut read: impl FnMut(&mut Cursor<'a>, &Element<'a>) -> Result<T, Refusal>,
) -> Result<Sides<T>, Refusal> {
    let (mut pointing, mut pointed) = (None, None);
    while let Some(child) = cursor.child()? {
        let value = match named(&child).strip_prefix(stem) {
            Some("PointingParty") => &mut pointing,
            Some("PointedParty") => &mut pointed,
            Some(_) | None => return Err(unexpected(&child)),
        };
        let found = read(cursor, &child)?;
        once(value, &child, found)?;
    }
    match (pointing, pointed) {
        (Some(pointing), Some(pointed)) => Ok(Sides { pointing, pointed }),
        _ => Err(missing(stem)),
    }
}

fn kind(cursor: &mut Cursor) -> Result<ServiceKind, Refusal> {
    let (mut service_type, mut narrowed) = (None, None);
    while let Some(child) = cursor.child()? {
        match local(&child) {
            "ServiceTypeIdentifier" => once(&mut service_type, &child, uri(cursor)?)?,
            "AdditionalServiceInformation" => once(&mut narrowed, &child, information(cursor)?)?,
            _ => return Err(unexpected(&child)),
        }
    }
    let service_type = service_type.ok_or_else(|| missing("ServiceTypeIdentifier"))?;
    Ok(ServiceKind { service_type, information: narrowed })
}

fn information(cursor: &mut Cursor) -> Result<KindInformation, Refusal> {
    let (mut page, mut value, mut other) = (None, None, None);
    while let Some(child) = cursor.child()? {
        match local(&child) {
            "URI" => once(&mut page, &child, uri_entry(cursor, &child)?)?,
            "InformationValue" => once(&mut value, &child, text(cursor)?)?,
            "OtherInformation" => once(&mut other, &child, cursor.fragment(&child)?)?,
            _ => return Err(unexpected(&child)),
        }
    }
    Ok(KindInformation { page: page.ok_or_else(|| missing("URI"))?, value, other })
}

/// The statuses that mean valid, then those that mean invalid.
fn statuses(cursor: &mut Cursor) -> Result<[Sides<Vec<Uri>>; 2], Refusal> {
    let (mut valid, mut invalid) = (None, None);
    while let Some(child) = cursor.child()? {
        let slot = match named(&child) {
            "TrustServiceTSLStatusValidEquivalence" => &mut valid,
            "TrustServiceTSLStatusInvalidEquivalence" => &mut invalid,
            _ => return Err(unexpected(&child)),
        };
        let found = sides(cursor, "TrustServiceTSLStatusList", |cursor, _| {
            each(cursor, ns::TSL, "ServiceStatus", |cursor, _| uri(cursor))
        })?;
        once(slot, &child, found)?;
    }
    match (valid, invalid) {
        (Some(valid), Some(invalid)) => Ok([valid, invalid]),
        _ => Err(missing("TrustServiceTSLStatusEquivalenceList")),
    }
}

fn content(cursor: &mut Cursor) -> Result<ContentEquivalence, Refusal> {
    let (mut context, mut pointing, mut pointed) = (None, None, None);
    while let Some(child) = cursor.child()? {
        match named(&child) {
            "CertificateContentReferenceEquivalenceContext" => {
                once(&mut context, &child, uri(cursor)?)?;
            }
            "CertificateContentDeclarationPointingParty" => {
                once(&mut pointing, &child, criteria_list(cursor, &child)?)?;
            }
            "CertificateContentDeclarationPointedParty" => {
                once(&mut pointed, &child, criteria_list(cursor, &child)?)?;
            }
            _ => return Err(unexpected(&child)),
        }
    }
    match (context, pointing, pointed) {
        (Some(context), Some(pointing), Some(pointed)) => {
            Ok(ContentEquivalence { context, declarations: Sides { pointing, pointed } })
        }
        _ => Err(missing("CertificateContentReferenceEquivalence")),
    }
}

fn qualifiers(cursor: &mut Cursor) -> Result<QualifierEquivalence, Refusal> {
    let (mut extension, mut lists) = (None, Vec::new());
    while let Some(child) = cursor.child()? {
        match named(&child) {
            "TrustServiceTSLQualificationExtensionName" => {
                let stem = "TrustServiceTSLQualificationExtensionName";
                let names = sides(cursor, stem, |cursor, _| text(cursor))?;
                once(&mut extension, &child, names)?;
            }
            "QualifierEquivalenceList" => {
                lists.push(each(cursor, ns::MRA, "QualifierEquivalence", |cursor, _| {
                    sides(cursor, "Qualifier", |cursor, child| {
                        let uri = address(child, "uri")?;
                        cursor.skip()?;
                        Ok(uri)
                    })
                })?);
            }
            _ => return Err(unexpected(&child)),
        }
    }
    let extension =
        extension.ok_or_else(|| missing("TrustServiceTSLQualificationExtensionName"))?;
    Ok(QualifierEquivalence { extension, lists })
}

fn statement(cursor: &mut Cursor) -> Result<QcStatement, Refusal> {
    let (mut id, mut says) = (None, None);
    while let Some(child) = cursor.child()? {
        match named(&child) {
            "QcStatementId" => once(&mut id, &child, object_id(cursor)?)?,
            "QcStatementInfo" => once(&mut says, &child, statement_info(cursor)?)?,
            _ => return Err(unexpected(&child)),
        }
    }
    Ok(QcStatement { id: id.ok_or_else(|| missing("QcStatementId"))?, says })
}

fn statement_info(cursor: &mut Cursor) -> Result<QcStatementInfo, Refusal> {
    let mut says = None;
    while let Some(child) = cursor.child()? {
        let found = match named(&child) {
            "QcType" => QcStatementInfo::Type(object_id(cursor)?),
            "QcCClegislation" => QcStatementInfo::Legislation(cursor.text()?.into_owned()),
            _ => return Err(unexpected(&child)),
        };
        once(&mut says, &child, found)?;
    }
    says.ok_or_else(|| missing("QcStatementInfo"))
}

//! `Qualifications` and their criteria (TS 119 612, 5.5.9.2).

use super::super::Refusal;
use super::super::cursor::Cursor;
use super::extension::boolean;
use super::recognition::read_statements;
use super::values::{local_in, missing, once, unexpected};
use crate::model::{
    Assertion, CriteriaList, Criterion, ObjectId, Qualification, Uri, Usage, UsageBit,
};
use crate::ns;
use crate::xml::Element;

/// Reads every child of the current element; all must have this name in this namespace.
pub(super) fn each<'a, T>(
    cursor: &mut Cursor<'a>,
    namespace: &str,
    name: &str,
    mut read: impl FnMut(&mut Cursor<'a>, &Element<'a>) -> Result<T, Refusal>,
) -> Result<Vec<T>, Refusal> {
    let mut values = Vec::new();
    while let Some(child) = cursor.child()? {
        if local_in(&child, namespace) != name {
            return Err(unexpected(&child));
        }
        values.push(read(cursor, &child)?);
    }
    Ok(values)
}

pub(super) fn qualifications(cursor: &mut Cursor) -> Result<Vec<Qualification>, Refusal> {
    each(cursor, ns::SIE, "QualificationElement", |cursor, _| qualification(cursor))
}

fn qualification(cursor: &mut Cursor) -> Result<Qualification, Refusal> {
    let (mut qualifiers, mut criteria) = (None, None);
    while let Some(child) = cursor.child()? {
        match local_in(&child, ns::SIE) {
            "Qualifiers" => {
                let found = each(cursor, ns::SIE, "Qualifier", |cursor, child| {
                    let uri = child.attribute("uri").ok_or_else(|| missing("uri of Qualifier"))?;
                    let uri = Uri::as_found(uri.trim().to_owned());
                    cursor.skip()?;
                    Ok(uri)
                })?;
                once(&mut qualifiers, &child, found)?;
            }
            "CriteriaList" => once(&mut criteria, &child, criteria_list(cursor, &child)?)?,
            _ => return Err(unexpected(&child)),
        }
    }
    Ok(Qualification {
        qualifiers: qualifiers.ok_or_else(|| missing("Qualifiers"))?,
        criteria: criteria.ok_or_else(|| missing("CriteriaList"))?,
    })
}

pub(super) fn criteria_list<'a>(
    cursor: &mut Cursor<'a>,
    element: &Element<'a>,
) -> Result<CriteriaList, Refusal> {
    let assertion = match element.attribute("assert") {
        None => None,
        Some(name) => Some(Assertion::from_name(name.trim()).ok_or_else(|| missing("assert"))?),
    };
    let mut criteria = Vec::new();
    let mut description = None;
    while let Some(child) = cursor.child()? {
        match local_in(&child, ns::SIE) {
            "KeyUsage" => {
                criteria.push(Criterion::KeyUsage(each(cursor, ns::SIE, "KeyUsageBit", bit)?));
            }
            "PolicySet" => {
                let ids = each(cursor, ns::SIE, "PolicyIdentifier", |cursor, _| object_id(cursor))?;
                criteria.push(Criterion::PolicySet(ids));
            }
            "CriteriaList" => criteria.push(Criterion::List(criteria_list(cursor, &child)?)),
            "Description" => once(&mut description, &child, cursor.text()?.into_owned())?,
            "otherCriteriaList" => {
                while let Some(child) = cursor.child()? {
                    criteria.push(other(cursor, &child)?);
                }
            }
            _ => return Err(unexpected(&child)),
        }
    }
    Ok(CriteriaList { assertion, criteria, description })
}

fn bit(cursor: &mut Cursor, element: &Element) -> Result<UsageBit, Refusal> {
    let usage = element.attribute("name").and_then(|name| Usage::from_name(name.trim()));
    let value = boolean(Some(&*cursor.text()?));
    match (usage, value) {
        (Some(usage), Some(value)) => Ok(UsageBit { usage, value }),
        _ => Err(missing("KeyUsageBit")),
    }
}

fn other<'a>(cursor: &mut Cursor<'a>, child: &Element<'a>) -> Result<Criterion, Refusal> {
    match local_in(child, ns::TSLX) {
        "ExtendedKeyUsage" => each(cursor, ns::TSLX, "KeyPurposeId", |cursor, _| object_id(cursor))
            .map(Criterion::ExtendedKeyUsage),
        "CertSubjectDNAttribute" => {
            each(cursor, ns::TSLX, "AttributeOID", |cursor, _| object_id(cursor))
                .map(Criterion::SubjectAttributes)
        }
        _ => {
            let kept = cursor.fragment(child)?;
            let statements = child.name.is(ns::MRA, "QcStatementSet");
            let read = statements.then(|| read_statements(&kept)).flatten();
            Ok(read.map_or(Criterion::Unknown(kept), Criterion::QcStatements))
        }
    }
}

/// `xades:ObjectIdentifierType`.
pub(super) fn object_id(cursor: &mut Cursor) -> Result<ObjectId, Refusal> {
    let (mut identifier, mut description, mut references) = (None, None, None);
    let mut qualifier = None;
    while let Some(child) = cursor.child()? {
        match local_in(&child, ns::XADES) {
            "Identifier" => {
                qualifier = child.attribute("Qualifier").map(str::to_owned);
                once(&mut identifier, &child, cursor.text()?.into_owned())?;
            }
            "Description" => once(&mut description, &child, cursor.text()?.into_owned())?,
            "DocumentationReferences" => once(&mut references, &child, cursor.fragment(&child)?)?,
            _ => return Err(unexpected(&child)),
        }
    }
    let identifier = identifier.ok_or_else(|| missing("Identifier"))?;
    Ok(ObjectId { identifier, qualifier, description, references })
}

//! Extensions of schemes, providers and services (TS 119 612, 5.3.17, 5.4.5, 5.5.9).

use super::super::Refusal;
use super::super::cursor::Cursor;
use super::criteria::qualifications;
use super::scheme::territory;
use super::values::{instant, local, local_in, missing, names, once, text, unexpected, uri_entry};
use crate::model::{Extension, ExtensionContent, TakenOverBy};
use crate::ns;
use crate::xml::Element;

/// The `Extension`s of the current element. One that says several things becomes several.
pub(super) fn read_all(cursor: &mut Cursor) -> Result<Vec<Extension>, Refusal> {
    let mut extensions = Vec::new();
    while let Some(child) = cursor.child()? {
        if local(&child) != "Extension" {
            return Err(unexpected(&child));
        }
        let critical = boolean(child.attribute("Critical")).ok_or_else(|| missing("Critical"))?;
        let before = extensions.len();
        while let Some(child) = cursor.child()? {
            let content = content(cursor, &child)?;
            if let (true, ExtensionContent::Unknown(fragment)) = (critical, &content) {
                return Err(Refusal::CriticalExtension(fragment.name().to_owned()));
            }
            extensions.push(Extension { critical, content });
        }
        if extensions.len() == before {
            return Err(Refusal::NotAList("an extension says nothing".to_owned()));
        }
    }
    Ok(extensions)
}

/// XML Schema, boolean.
pub(super) fn boolean(text: Option<&str>) -> Option<bool> {
    match text.map(str::trim) {
        Some("true" | "1") => Some(true),
        Some("false" | "0") => Some(false),
        Some(_) | None => None,
    }
}

fn content<'a>(cursor: &mut Cursor<'a>, child: &Element<'a>) -> Result<ExtensionContent, Refusal> {
    match (local(child), local_in(child, ns::TSLX), local_in(child, ns::SIE)) {
        ("AdditionalServiceInformation", _, _) => information(cursor),
        ("ExpiredCertsRevocationInfo", _, _) => {
            instant(cursor, child.name.local).map(ExtensionContent::ExpiredCertsRevocationInfo)
        }
        (_, "TakenOverBy", _) => takeover(cursor).map(ExtensionContent::TakenOverBy),
        (_, _, "Qualifications") => qualifications(cursor).map(ExtensionContent::Qualifications),
        _ => cursor.fragment(child).map(ExtensionContent::Unknown),
    }
}

fn information(cursor: &mut Cursor) -> Result<ExtensionContent, Refusal> {
    let (mut page, mut value, mut other) = (None, None, None);
    while let Some(child) = cursor.child()? {
        match local(&child) {
            "URI" => once(&mut page, &child, uri_entry(cursor, &child)?)?,
            "InformationValue" => once(&mut value, &child, text(cursor)?)?,
            "OtherInformation" => once(&mut other, &child, cursor.fragment(&child)?)?,
            _ => return Err(unexpected(&child)),
        }
    }
    let page = page.ok_or_else(|| missing("URI of AdditionalServiceInformation"))?;
    Ok(ExtensionContent::AdditionalServiceInformation { page, value, other })
}

fn takeover(cursor: &mut Cursor) -> Result<TakenOverBy, Refusal> {
    let (mut page, mut provider, mut operator, mut place) = (None, None, None, None);
    let mut other = Vec::new();
    while let Some(child) = cursor.child()? {
        // The schema puts the first two into the additional namespace, Annex C into either.
        let name = match local(&child) {
            "" => local_in(&child, ns::TSLX),
            name => name,
        };
        match name {
            "URI" => once(&mut page, &child, uri_entry(cursor, &child)?)?,
            "TSPName" => once(&mut provider, &child, names(cursor)?)?,
            "SchemeOperatorName" => once(&mut operator, &child, names(cursor)?)?,
            "SchemeTerritory" => once(&mut place, &child, territory(cursor)?)?,
            "OtherQualifier" => other.push(cursor.fragment(&child)?),
            _ => return Err(unexpected(&child)),
        }
    }
    Ok(TakenOverBy {
        page: page.ok_or_else(|| missing("URI of TakenOverBy"))?,
        provider: provider.ok_or_else(|| missing("TSPName of TakenOverBy"))?,
        operator: operator.ok_or_else(|| missing("SchemeOperatorName of TakenOverBy"))?,
        territory: place.ok_or_else(|| missing("SchemeTerritory of TakenOverBy"))?,
        other,
    })
}

//! `PointersToOtherTSL` (TS 119 612, 5.3.13).

use super::super::Refusal;
use super::super::cursor::Cursor;
use super::recognition;
use super::scheme::territory;
use super::service::identity;
use super::values::{
    each, local, local_in, missing, names, once, pages, text, text_entry, unexpected, uri,
};
use crate::model::{Pointer, PointerInformation};
use crate::ns;
use crate::xml::Element;

pub(super) fn read_all(cursor: &mut Cursor) -> Result<Vec<Pointer>, Refusal> {
    each(cursor, "OtherTSLPointer", |cursor, _| pointer(cursor))
}

fn pointer(cursor: &mut Cursor) -> Result<Pointer, Refusal> {
    let (mut identities, mut location, mut information) = (None, None, None);
    while let Some(child) = cursor.child()? {
        match local(&child) {
            "ServiceDigitalIdentities" => {
                let found = each(cursor, "ServiceDigitalIdentity", |cursor, _| identity(cursor))?;
                once(&mut identities, &child, found)?;
            }
            "TSLLocation" => once(&mut location, &child, uri(cursor)?)?,
            "AdditionalInformation" => once(&mut information, &child, additional(cursor)?)?,
            _ => return Err(unexpected(&child)),
        }
    }
    Ok(Pointer {
        identities: identities.unwrap_or_default(),
        location: location.ok_or_else(|| missing("TSLLocation"))?,
        information: information.unwrap_or_default(),
    })
}

fn additional(cursor: &mut Cursor) -> Result<Vec<PointerInformation>, Refusal> {
    let mut information = Vec::new();
    while let Some(child) = cursor.child()? {
        match local(&child) {
            "TextualInformation" => {
                information.push(PointerInformation::Text(text_entry(cursor, &child)?));
            }
            "OtherInformation" => {
                while let Some(child) = cursor.child()? {
                    information.push(other(cursor, &child)?);
                }
            }
            _ => return Err(unexpected(&child)),
        }
    }
    Ok(information)
}

fn other<'a>(cursor: &mut Cursor<'a>, child: &Element<'a>) -> Result<PointerInformation, Refusal> {
    use PointerInformation as P;
    match (local(child), local_in(child, ns::TSLX)) {
        ("TSLType", _) => uri(cursor).map(P::ListType),
        ("SchemeOperatorName", _) => names(cursor).map(P::OperatorName),
        ("SchemeTypeCommunityRules", _) => pages(cursor).map(P::CommunityRules),
        ("SchemeTerritory", _) => territory(cursor).map(P::Territory),
        (_, "MimeType") => text(cursor).map(P::MimeType),
        _ => {
            let kept = cursor.fragment(child)?;
            let agreement = child.name.is(ns::MRA, "MutualRecognitionAgreementInformation");
            let read = agreement.then(|| recognition::read(&kept)).flatten();
            Ok(read.map_or(P::Other(kept), |read| P::MutualRecognition(Box::new(read))))
        }
    }
}

//! `SchemeInformation` (TS 119 612, 5.3).

use tenkoku_domain::time::Timestamp;

use super::super::Refusal;
use super::super::cursor::Cursor;
use super::values::{
    each, instant, language, local, missing, names, once, pages, text, text_entry, unexpected, uri,
    uri_entry,
};
use super::{extension, pointer};
use crate::model::{
    Address, Country, Extension, Multilingual, Names, NextUpdate, Notice, Pages, Pointer,
    PostalAddress, SchemeInformation, Territory, Uri,
};

/// The elements in the order of the schema, as far as they were met.
#[derive(Default)]
struct Parts {
    version: Option<u32>,
    sequence_number: Option<u64>,
    list_type: Option<Uri>,
    operator_name: Option<Names>,
    operator_address: Option<Address>,
    scheme_name: Option<Names>,
    information: Option<Pages>,
    status_determination: Option<Uri>,
    community_rules: Option<Pages>,
    territory: Option<Territory>,
    notice: Option<Notice>,
    history_period: Option<u32>,
    pointers: Option<Vec<Pointer>>,
    issue: Option<Timestamp>,
    next_update: Option<NextUpdate>,
    distribution_points: Option<Vec<Uri>>,
    extensions: Option<Vec<Extension>>,
}

/// Reads the element that was just opened; gives the list version and the rest.
pub(super) fn read(cursor: &mut Cursor) -> Result<(u32, SchemeInformation), Refusal> {
    let mut parts = Parts::default();
    while let Some(child) = cursor.child()? {
        match local(&child) {
            "TSLVersionIdentifier" => once(&mut parts.version, &child, version(cursor)?)?,
            "TSLSequenceNumber" => {
                once(&mut parts.sequence_number, &child, number(cursor, child.name.local)?)?;
            }
            "TSLType" => once(&mut parts.list_type, &child, uri(cursor)?)?,
            "SchemeOperatorName" => once(&mut parts.operator_name, &child, names(cursor)?)?,
            "SchemeOperatorAddress" => once(&mut parts.operator_address, &child, address(cursor)?)?,
            "SchemeName" => once(&mut parts.scheme_name, &child, names(cursor)?)?,
            "SchemeInformationURI" => once(&mut parts.information, &child, pages(cursor)?)?,
            "StatusDeterminationApproach" => {
                once(&mut parts.status_determination, &child, uri(cursor)?)?;
            }
            "SchemeTypeCommunityRules" => once(&mut parts.community_rules, &child, pages(cursor)?)?,
            "SchemeTerritory" => once(&mut parts.territory, &child, territory(cursor)?)?,
            "PolicyOrLegalNotice" => once(&mut parts.notice, &child, notice(cursor)?)?,
            "HistoricalInformationPeriod" => {
                once(&mut parts.history_period, &child, number(cursor, child.name.local)?)?;
            }
            "PointersToOtherTSL" => once(&mut parts.pointers, &child, pointer::read_all(cursor)?)?,
            "ListIssueDateTime" => {
                once(&mut parts.issue, &child, instant(cursor, child.name.local)?)?;
            }
            "NextUpdate" => once(&mut parts.next_update, &child, next_update(cursor)?)?,
            "DistributionPoints" => {
                let points = each(cursor, "URI", |cursor, _| uri(cursor))?;
                once(&mut parts.distribution_points, &child, points)?;
            }
            "SchemeExtensions" => {
                once(&mut parts.extensions, &child, extension::read_all(cursor)?)?;
            }
            _ => return Err(unexpected(&child)),
        }
    }
    parts.finish()
}

impl Parts {
    fn finish(self) -> Result<(u32, SchemeInformation), Refusal> {
        let scheme = SchemeInformation {
            sequence_number: need(self.sequence_number, "TSLSequenceNumber")?,
            list_type: need(self.list_type, "TSLType")?,
            operator_name: need(self.operator_name, "SchemeOperatorName")?,
            operator_address: need(self.operator_address, "SchemeOperatorAddress")?,
            scheme_name: need(self.scheme_name, "SchemeName")?,
            information: need(self.information, "SchemeInformationURI")?,
            status_determination: need(self.status_determination, "StatusDeterminationApproach")?,
            // The schema lets the next three be missing; the rules do not.
            community_rules: self.community_rules.unwrap_or_else(none),
            territory: self.territory.unwrap_or_else(|| Territory::as_found(String::new())),
            notice: self.notice.unwrap_or_else(|| Notice::Policy(none())),
            history_period: need(self.history_period, "HistoricalInformationPeriod")?,
            pointers: self.pointers.unwrap_or_default(),
            issue: need(self.issue, "ListIssueDateTime")?,
            next_update: need(self.next_update, "NextUpdate")?,
            distribution_points: self.distribution_points.unwrap_or_default(),
            extensions: self.extensions.unwrap_or_default(),
        };
        Ok((need(self.version, "TSLVersionIdentifier")?, scheme))
    }
}

fn need<T>(value: Option<T>, name: &str) -> Result<T, Refusal> {
    value.ok_or_else(|| missing(name))
}

fn none<T>() -> Multilingual<T> {
    Multilingual::as_found(Vec::new())
}

/// Another version has another meaning, so nothing more of it is read.
fn version(cursor: &mut Cursor) -> Result<u32, Refusal> {
    let text = cursor.text()?;
    match &*text {
        "5" => Ok(5),
        "6" => Ok(6),
        other => Err(Refusal::Version(other.to_owned())),
    }
}

fn number<T: std::str::FromStr>(cursor: &mut Cursor, name: &str) -> Result<T, Refusal> {
    cursor.text()?.parse().map_err(|_| missing(name))
}

pub(super) fn territory(cursor: &mut Cursor) -> Result<Territory, Refusal> {
    Ok(Territory::as_found(cursor.text()?.into_owned()))
}

fn notice(cursor: &mut Cursor) -> Result<Notice, Refusal> {
    let (mut policies, mut texts) = (Vec::new(), Vec::new());
    while let Some(child) = cursor.child()? {
        match local(&child) {
            "TSLPolicy" => policies.push(uri_entry(cursor, &child)?),
            "TSLLegalNotice" => texts.push(text_entry(cursor, &child)?),
            _ => return Err(unexpected(&child)),
        }
    }
    match (policies.is_empty(), texts.is_empty()) {
        (_, true) => Ok(Notice::Policy(Multilingual::as_found(policies))),
        (true, false) => Ok(Notice::Legal(Multilingual::as_found(texts))),
        (false, false) => {
            Err(Refusal::NotAList("both a policy and a legal notice are given".to_owned()))
        }
    }
}

fn next_update(cursor: &mut Cursor) -> Result<NextUpdate, Refusal> {
    let found = each(cursor, "dateTime", |cursor, _| instant(cursor, "NextUpdate"))?;
    match found.as_slice() {
        [] => Ok(NextUpdate::Closed),
        [at] => Ok(NextUpdate::By(*at)),
        _ => Err(missing("NextUpdate")),
    }
}

/// A postal and an electronic address (5.3.5, 5.4.3).
pub(super) fn address(cursor: &mut Cursor) -> Result<Address, Refusal> {
    let (mut postal, mut electronic) = (None, None);
    while let Some(child) = cursor.child()? {
        match local(&child) {
            "PostalAddresses" => {
                let addresses = each(cursor, "PostalAddress", |cursor, child| {
                    postal_address(cursor, language(child))
                })?;
                once(&mut postal, &child, addresses)?;
            }
            "ElectronicAddress" => once(&mut electronic, &child, pages(cursor)?)?,
            _ => return Err(unexpected(&child)),
        }
    }
    let electronic = electronic.unwrap_or_else(none);
    Ok(Address::as_found(need(postal, "PostalAddresses")?, electronic))
}

fn postal_address(
    cursor: &mut Cursor,
    language: crate::model::Language,
) -> Result<PostalAddress, Refusal> {
    let (mut street, mut locality, mut state, mut code, mut country) =
        (None, None, None, None, None);
    while let Some(child) = cursor.child()? {
        let slot = match local(&child) {
            "StreetAddress" => &mut street,
            "Locality" => &mut locality,
            "StateOrProvince" => &mut state,
            "PostalCode" => &mut code,
            "CountryName" => {
                let name = Country::as_found(cursor.text()?.into_owned());
                once(&mut country, &child, name)?;
                continue;
            }
            _ => return Err(unexpected(&child)),
        };
        once(slot, &child, text(cursor)?)?;
    }
    Ok(PostalAddress {
        language,
        street: need(street, "StreetAddress")?,
        locality: need(locality, "Locality")?,
        state_or_province: state,
        postal_code: code,
        country: need(country, "CountryName")?,
    })
}

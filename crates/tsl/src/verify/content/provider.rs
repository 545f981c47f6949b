//! `TrustServiceProviderList` (TS 119 612, 5.3.18 and 5.4).

use super::super::Refusal;
use super::super::cursor::Cursor;
use super::scheme::address;
use super::values::{each, local, missing, names, once, pages, text_entry, unexpected};
use super::{extension, service};
use crate::model::{Multilingual, Provider, TradeNames};

pub(super) fn read_all(cursor: &mut Cursor, version: u32) -> Result<Vec<Provider>, Refusal> {
    each(cursor, "TrustServiceProvider", |cursor, _| provider(cursor, version))
}

fn provider(cursor: &mut Cursor, version: u32) -> Result<Provider, Refusal> {
    let (mut described, mut services) = (None, None);
    while let Some(child) = cursor.child()? {
        match local(&child) {
            "TSPInformation" => once(&mut described, &child, information(cursor)?)?,
            "TSPServices" => {
                let found = each(cursor, "TSPService", |cursor, _| service::read(cursor, version))?;
                once(&mut services, &child, found)?;
            }
            _ => return Err(unexpected(&child)),
        }
    }
    let described: Provider = described.ok_or_else(|| missing("TSPInformation"))?;
    Ok(Provider { services: services.unwrap_or_default(), ..described })
}

/// The provider without its services.
fn information(cursor: &mut Cursor) -> Result<Provider, Refusal> {
    let (mut name, mut trade_names, mut place) = (None, None, None);
    let (mut information, mut extensions) = (None, None);
    while let Some(child) = cursor.child()? {
        match local(&child) {
            "TSPName" => once(&mut name, &child, names(cursor)?)?,
            "TSPTradeName" => once(&mut trade_names, &child, each(cursor, "Name", text_entry)?)?,
            "TSPAddress" => once(&mut place, &child, address(cursor)?)?,
            "TSPInformationURI" => once(&mut information, &child, pages(cursor)?)?,
            "TSPInformationExtensions" => {
                once(&mut extensions, &child, extension::read_all(cursor)?)?;
            }
            _ => return Err(unexpected(&child)),
        }
    }
    Ok(Provider {
        name: name.ok_or_else(|| missing("TSPName"))?,
        trade_names: TradeNames::as_found(trade_names.unwrap_or_default()),
        address: place.ok_or_else(|| missing("TSPAddress"))?,
        information: information.unwrap_or_else(|| Multilingual::as_found(Vec::new())),
        extensions: extensions.unwrap_or_default(),
        services: Vec::new(),
    })
}

//! A trusted list as XML of list version 6 (TS 119 612, Annex C).
//!
//! Element order is the schema's; there is no white space between elements, no document type and
//! no comment. Deliberately not in this module: signatures, which `sign` adds, and rules.

use crate::algorithm::DigestAlgorithm;
use crate::markup::Markup;
use crate::model::{
    Address, Entry, Language, Multilingual, Names, Pages, PostalAddress, Recognition, Text,
    TrustedList, Uri,
};
use crate::ns;
use tenkoku_domain::time::Timestamp;

mod extension;
mod provider;
mod recognition;
mod scheme;

/// The version of the list that is written (5.3.1).
pub const VERSION: u32 = 6;

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// The list as an unsigned XML document in UTF-8, to be looked at or checked against the schema.
pub fn to_xml(list: &TrustedList) -> String {
    document(list, "")
}

/// The text of the `.sha2` file beside a published list: lower-case hexadecimal, no newline (6.1).
pub fn sha2(document: &[u8]) -> String {
    hex(&DigestAlgorithm::Sha256.digest(document))
}

/// An agreement as it would stand in a list, to be shown and compared.
pub fn recognition(agreement: &Recognition) -> String {
    let mut xml = Markup::default();
    recognition::write(&mut xml, agreement);
    xml.finish()
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// The document with `signature` as the last child of its root.
pub(crate) fn document(list: &TrustedList, signature: &str) -> String {
    let id = match list.scheme.territory.as_str() {
        "" => "TL".to_owned(),
        territory => format!("{territory}-TL"),
    };
    let attributes = [
        ("xmlns", ns::TSL),
        ("xmlns:tslx", ns::TSLX),
        ("Id", id.as_str()),
        ("TSLTag", ns::TSL_TAG),
    ];
    let mut xml = Markup::default();
    xml.markup(DECLARATION);
    xml.element("TrustServiceStatusList", &attributes, |xml| {
        xml.group("SchemeInformation", |xml| scheme::write(xml, &list.scheme));
        if !list.providers.is_empty() {
            xml.group("TrustServiceProviderList", |xml| {
                for entry in &list.providers {
                    xml.group("TrustServiceProvider", |xml| provider::write(xml, entry));
                }
            });
        }
        xml.markup(signature);
    });
    xml.finish()
}

fn address(xml: &mut Markup, name: &str, address: &Address) {
    xml.group(name, |xml| {
        xml.group("PostalAddresses", |xml| {
            address.postal().iter().for_each(|postal| postal_address(xml, postal));
        });
        pages(xml, "ElectronicAddress", address.electronic());
    });
}

fn postal_address(xml: &mut Markup, address: &PostalAddress) {
    xml.element("PostalAddress", lang(&address.language).as_slice(), |xml| {
        xml.text("StreetAddress", &[], address.street.as_str());
        xml.text("Locality", &[], address.locality.as_str());
        if let Some(state) = &address.state_or_province {
            xml.text("StateOrProvince", &[], state.as_str());
        }
        if let Some(code) = &address.postal_code {
            xml.text("PostalCode", &[], code.as_str());
        }
        xml.text("CountryName", &[], address.country.as_str());
    });
}

/// `xml:lang`, unless the list from which the value is gave none.
fn lang(language: &Language) -> Option<(&'static str, &str)> {
    Some(language.as_str()).filter(|tag| !tag.is_empty()).map(|tag| ("xml:lang", tag))
}

fn names(xml: &mut Markup, name: &str, names: &Names) {
    xml.group(name, |xml| each_name(xml, "Name", names.entries()));
}

fn each_name(xml: &mut Markup, name: &str, entries: &[Entry<Text>]) {
    for entry in entries {
        xml.text(name, lang(&entry.language).as_slice(), entry.value.as_str());
    }
}

/// A list of addresses; without any, no element.
fn pages(xml: &mut Markup, name: &str, pages: &Pages) {
    if !pages.entries().is_empty() {
        xml.group(name, |xml| each_page(xml, "URI", pages));
    }
}

fn optional_pages(xml: &mut Markup, name: &str, addresses: Option<&Pages>) {
    pages(xml, name, addresses.unwrap_or(&Multilingual::as_found(Vec::new())));
}

fn each_page(xml: &mut Markup, name: &str, pages: &Pages) {
    pages.entries().iter().for_each(|entry| page(xml, name, entry));
}

fn page(xml: &mut Markup, name: &str, entry: &Entry<Uri>) {
    xml.text(name, lang(&entry.language).as_slice(), entry.value.as_str());
}

fn uri(xml: &mut Markup, name: &str, uri: &Uri) {
    xml.text(name, &[], uri.as_str());
}

/// 5.1.3: `YYYY-MM-DDThh:mm:ssZ`, cut to the second.
fn instant(xml: &mut Markup, name: &str, at: Timestamp) {
    xml.text(name, &[], &at.to_string());
}

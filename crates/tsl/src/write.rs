//! A trusted list as XML of list version 6 (TS 119 612, Annex C).
//!
//! Element order is the schema's; there is no white space between elements, no document type and
//! no comment. Deliberately not in this module: signatures, which `sign` adds, and rules.

use crate::algorithm::DigestAlgorithm;
use crate::markup::Markup;
use crate::model::{
    Address, Entry, Extension, Identity, Names, NextUpdate, Notice, Pages, PastIdentity, PastState,
    PostalAddress, Provider, SchemeInformation, Service, SupplyPoint, Text, TradeNames,
    TrustedList, Uri,
};
use crate::ns;
use tenkoku_domain::time::Timestamp;

/// The version of the list that is written (5.3.1).
pub const VERSION: u32 = 6;
/// `HistoricalInformationPeriod`: history is never removed (5.3.12).
pub const HISTORY_PERIOD: u32 = 65535;

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// The list as an unsigned XML document in UTF-8, to be looked at or checked against the schema.
pub fn to_xml(list: &TrustedList) -> String {
    document(list, "")
}

/// The text of the `.sha2` file beside a published list: lower-case hexadecimal, no newline (6.1).
pub fn sha2(document: &[u8]) -> String {
    let digest = DigestAlgorithm::Sha256.digest(document);
    digest.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// The document with `signature` as the last child of its root.
pub(crate) fn document(list: &TrustedList, signature: &str) -> String {
    let id = format!("{}-TL", list.scheme.territory);
    let attributes = [
        ("xmlns", ns::TSL),
        ("xmlns:tslx", ns::TSLX),
        ("Id", id.as_str()),
        ("TSLTag", ns::TSL_TAG),
    ];
    let mut xml = Markup::default();
    xml.markup(DECLARATION);
    xml.element("TrustServiceStatusList", &attributes, |xml| {
        xml.group("SchemeInformation", |xml| scheme(xml, &list.scheme));
        if !list.providers.is_empty() {
            xml.group("TrustServiceProviderList", |xml| {
                for entry in &list.providers {
                    xml.group("TrustServiceProvider", |xml| provider(xml, entry));
                }
            });
        }
        xml.markup(signature);
    });
    xml.finish()
}

fn scheme(xml: &mut Markup, scheme: &SchemeInformation) {
    xml.text("TSLVersionIdentifier", &[], &VERSION.to_string());
    xml.text("TSLSequenceNumber", &[], &scheme.sequence_number.to_string());
    uri(xml, "TSLType", &scheme.list_type);
    names(xml, "SchemeOperatorName", &scheme.operator_name);
    address(xml, "SchemeOperatorAddress", &scheme.operator_address);
    names(xml, "SchemeName", &scheme.scheme_name);
    pages(xml, "SchemeInformationURI", &scheme.information);
    uri(xml, "StatusDeterminationApproach", &scheme.status_determination);
    pages(xml, "SchemeTypeCommunityRules", &scheme.community_rules);
    xml.text("SchemeTerritory", &[], scheme.territory.as_str());
    xml.group("PolicyOrLegalNotice", |xml| notice(xml, &scheme.notice));
    xml.text("HistoricalInformationPeriod", &[], &HISTORY_PERIOD.to_string());
    instant(xml, "ListIssueDateTime", scheme.issue);
    xml.group("NextUpdate", |xml| match scheme.next_update {
        NextUpdate::By(at) => instant(xml, "dateTime", at),
        NextUpdate::Closed => {}
    });
    if !scheme.distribution_points.is_empty() {
        xml.group("DistributionPoints", |xml| {
            scheme.distribution_points.iter().for_each(|point| uri(xml, "URI", point));
        });
    }
}

fn notice(xml: &mut Markup, notice: &Notice) {
    match notice {
        Notice::Policy(pages) => each_page(xml, "TSLPolicy", pages),
        Notice::Legal(names) => each_name(xml, "TSLLegalNotice", names.entries()),
    }
}

fn provider(xml: &mut Markup, provider: &Provider) {
    xml.group("TSPInformation", |xml| {
        names(xml, "TSPName", &provider.name);
        xml.group("TSPTradeName", |xml| trade_names(xml, &provider.trade_names));
        address(xml, "TSPAddress", &provider.address);
        pages(xml, "TSPInformationURI", &provider.information);
    });
    xml.group("TSPServices", |xml| {
        for entry in &provider.services {
            xml.group("TSPService", |xml| service(xml, entry));
        }
    });
}

fn trade_names(xml: &mut Markup, trade_names: &TradeNames) {
    xml.text("Name", &[("xml:lang", "en")], trade_names.registration.as_str());
    each_name(xml, "Name", &trade_names.further);
}

fn service(xml: &mut Markup, service: &Service) {
    xml.group("ServiceInformation", |xml| {
        uri(xml, "ServiceTypeIdentifier", &service.service_type);
        names(xml, "ServiceName", &service.name);
        identity(xml, &service.identity);
        uri(xml, "ServiceStatus", &service.status);
        instant(xml, "StatusStartingTime", service.status_start);
        optional_pages(xml, "SchemeServiceDefinitionURI", service.scheme_definition.as_ref());
        supply_points(xml, &service.supply_points);
        optional_pages(xml, "TSPServiceDefinitionURI", service.provider_definition.as_ref());
        extensions(xml, &service.extensions);
    });
    if !service.history.is_empty() {
        xml.group("ServiceHistory", |xml| {
            for state in &service.history {
                xml.group("ServiceHistoryInstance", |xml| past_state(xml, state));
            }
        });
    }
}

fn past_state(xml: &mut Markup, state: &PastState) {
    uri(xml, "ServiceTypeIdentifier", &state.service_type);
    names(xml, "ServiceName", &state.name);
    past_identity(xml, &state.identity);
    uri(xml, "ServiceStatus", &state.status);
    instant(xml, "StatusStartingTime", state.status_start);
    extensions(xml, &state.extensions);
}

fn identity(xml: &mut Markup, identity: &Identity) {
    xml.group("ServiceDigitalIdentity", |xml| {
        for certificate in identity.certificates() {
            xml.group("DigitalId", |xml| xml.base64("X509Certificate", certificate.der()));
        }
        subject(xml, &identity.certificate().subject());
        // 5.5.3: a key identifier must agree with the certificate, so it is the certificate's own.
        if let Some(identifier) = identity.certificate().key_identifier() {
            xml.group("DigitalId", |xml| xml.base64("X509SKI", &identifier));
        }
    });
}

fn past_identity(xml: &mut Markup, identity: &PastIdentity) {
    xml.group("ServiceDigitalIdentity", |xml| {
        if let Some(name) = identity.subject() {
            subject(xml, name);
        }
        xml.group("DigitalId", |xml| xml.base64("X509SKI", identity.key_identifier()));
    });
}

fn subject(xml: &mut Markup, name: &str) {
    if !name.is_empty() {
        xml.group("DigitalId", |xml| xml.text("X509SubjectName", &[], name));
    }
}

fn supply_points(xml: &mut Markup, points: &[SupplyPoint]) {
    if points.is_empty() {
        return;
    }
    xml.group("ServiceSupplyPoints", |xml| {
        for point in points {
            let kind = point.kind.as_ref().map(|kind| ("type", kind.as_str()));
            xml.text("ServiceSupplyPoint", kind.as_slice(), point.address.as_str());
        }
    });
}

fn extensions(xml: &mut Markup, extensions: &[Extension]) {
    if extensions.is_empty() {
        return;
    }
    xml.group("ServiceInformationExtensions", |xml| {
        for entry in extensions {
            xml.element("Extension", &[("Critical", "false")], |xml| extension(xml, entry));
        }
    });
}

fn extension(xml: &mut Markup, extension: &Extension) {
    match extension {
        Extension::AdditionalServiceInformation { language, uri, value } => {
            xml.group("AdditionalServiceInformation", |xml| {
                xml.text("URI", &[("xml:lang", language.as_str())], uri.as_str());
                if let Some(value) = value {
                    xml.text("InformationValue", &[], value.as_str());
                }
            });
        }
        Extension::ExpiredCertsRevocationInfo(since) => {
            instant(xml, "ExpiredCertsRevocationInfo", *since);
        }
    }
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
    xml.element("PostalAddress", &[("xml:lang", address.language.as_str())], |xml| {
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

fn names(xml: &mut Markup, name: &str, names: &Names) {
    xml.group(name, |xml| each_name(xml, "Name", names.entries()));
}

fn each_name(xml: &mut Markup, name: &str, entries: &[Entry<Text>]) {
    for entry in entries {
        xml.text(name, &[("xml:lang", entry.language.as_str())], entry.value.as_str());
    }
}

fn optional_pages(xml: &mut Markup, name: &str, addresses: Option<&Pages>) {
    if let Some(addresses) = addresses {
        pages(xml, name, addresses);
    }
}

fn pages(xml: &mut Markup, name: &str, pages: &Pages) {
    xml.group(name, |xml| each_page(xml, "URI", pages));
}

fn each_page(xml: &mut Markup, name: &str, pages: &Pages) {
    for entry in pages.entries() {
        xml.text(name, &[("xml:lang", entry.language.as_str())], entry.value.as_str());
    }
}

fn uri(xml: &mut Markup, name: &str, uri: &Uri) {
    xml.text(name, &[], uri.as_str());
}

/// 5.1.3: `YYYY-MM-DDThh:mm:ssZ`, cut to the second.
fn instant(xml: &mut Markup, name: &str, at: Timestamp) {
    xml.text(name, &[], &at.to_string());
}

//! Providers, services, identities (TS 119 612, 5.4 to 5.6).

use super::extension::extensions;
use super::{address, each_name, instant, names, optional_pages, pages, uri};
use crate::markup::Markup;
use crate::model::{DigitalId, Identity, PastState, Provider, Service, SupplyPoint};

pub(super) fn write(xml: &mut Markup, provider: &Provider) {
    xml.group("TSPInformation", |xml| {
        names(xml, "TSPName", &provider.name);
        let trade_names = provider.trade_names.entries();
        if !trade_names.is_empty() {
            xml.group("TSPTradeName", |xml| each_name(xml, "Name", trade_names));
        }
        address(xml, "TSPAddress", &provider.address);
        pages(xml, "TSPInformationURI", &provider.information);
        extensions(xml, "TSPInformationExtensions", &provider.extensions);
    });
    xml.group("TSPServices", |xml| {
        for entry in &provider.services {
            xml.group("TSPService", |xml| service(xml, entry));
        }
    });
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
        extensions(xml, "ServiceInformationExtensions", &service.extensions);
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
    identity(xml, &state.identity);
    uri(xml, "ServiceStatus", &state.status);
    instant(xml, "StatusStartingTime", state.status_start);
    extensions(xml, "ServiceInformationExtensions", &state.extensions);
}

pub(super) fn identity(xml: &mut Markup, identity: &Identity) {
    xml.group("ServiceDigitalIdentity", |xml| {
        for id in identity.ids() {
            xml.group("DigitalId", |xml| digital_id(xml, id));
        }
    });
}

fn digital_id(xml: &mut Markup, id: &DigitalId) {
    match id {
        DigitalId::Certificate(certificate) => xml.base64("X509Certificate", certificate.der()),
        DigitalId::Unreadable(bytes) => xml.base64("X509Certificate", bytes),
        DigitalId::SubjectName(name) => xml.text("X509SubjectName", &[], name),
        DigitalId::KeyIdentifier(identifier) => xml.base64("X509SKI", identifier),
        DigitalId::KeyValue(fragment) | DigitalId::Other(fragment) => xml.markup(fragment.xml()),
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

//! `SchemeInformation` and pointers (TS 119 612, 5.3).

use super::extension::extensions;
use super::provider::identity;
use super::recognition;
use super::{VERSION, address, each_name, each_page, instant, lang, names, pages, uri};
use crate::markup::Markup;
use crate::model::{NextUpdate, Notice, Pointer, PointerInformation, SchemeInformation};

pub(super) fn write(xml: &mut Markup, scheme: &SchemeInformation) {
    xml.text("TSLVersionIdentifier", &[], &VERSION.to_string());
    xml.text("TSLSequenceNumber", &[], &scheme.sequence_number.to_string());
    uri(xml, "TSLType", &scheme.list_type);
    names(xml, "SchemeOperatorName", &scheme.operator_name);
    address(xml, "SchemeOperatorAddress", &scheme.operator_address);
    names(xml, "SchemeName", &scheme.scheme_name);
    pages(xml, "SchemeInformationURI", &scheme.information);
    uri(xml, "StatusDeterminationApproach", &scheme.status_determination);
    pages(xml, "SchemeTypeCommunityRules", &scheme.community_rules);
    if !scheme.territory.as_str().is_empty() {
        xml.text("SchemeTerritory", &[], scheme.territory.as_str());
    }
    notice(xml, &scheme.notice);
    xml.text("HistoricalInformationPeriod", &[], &scheme.history_period.to_string());
    pointers(xml, &scheme.pointers);
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
    extensions(xml, "SchemeExtensions", &scheme.extensions);
}

fn notice(xml: &mut Markup, notice: &Notice) {
    match notice {
        Notice::Policy(pages) if pages.entries().is_empty() => {}
        Notice::Policy(pages) => {
            xml.group("PolicyOrLegalNotice", |xml| each_page(xml, "TSLPolicy", pages));
        }
        Notice::Legal(names) => xml.group("PolicyOrLegalNotice", |xml| {
            each_name(xml, "TSLLegalNotice", names.entries());
        }),
    }
}

fn pointers(xml: &mut Markup, pointers: &[Pointer]) {
    if pointers.is_empty() {
        return;
    }
    xml.group("PointersToOtherTSL", |xml| {
        for entry in pointers {
            xml.group("OtherTSLPointer", |xml| pointer(xml, entry));
        }
    });
}

fn pointer(xml: &mut Markup, pointer: &Pointer) {
    if !pointer.identities.is_empty() {
        xml.group("ServiceDigitalIdentities", |xml| {
            pointer.identities.iter().for_each(|entry| identity(xml, entry));
        });
    }
    uri(xml, "TSLLocation", &pointer.location);
    if !pointer.information.is_empty() {
        xml.group("AdditionalInformation", |xml| {
            pointer.information.iter().for_each(|entry| information(xml, entry));
        });
    }
}

fn information(xml: &mut Markup, information: &PointerInformation) {
    use PointerInformation as P;
    if let P::Text(entry) = information {
        let language = lang(&entry.language);
        xml.text("TextualInformation", language.as_slice(), entry.value.as_str());
        return;
    }
    xml.group("OtherInformation", |xml| match information {
        P::Text(_) => {}
        P::ListType(kind) => uri(xml, "TSLType", kind),
        P::OperatorName(operator) => names(xml, "SchemeOperatorName", operator),
        P::CommunityRules(rules) => pages(xml, "SchemeTypeCommunityRules", rules),
        P::Territory(territory) => xml.text("SchemeTerritory", &[], territory.as_str()),
        P::MimeType(kind) => xml.text("tslx:MimeType", &[], kind.as_str()),
        P::MutualRecognition(agreement) => recognition::write(xml, agreement),
        P::Other(fragment) => xml.markup(fragment.xml()),
    });
}

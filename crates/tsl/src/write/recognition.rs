//! `MutualRecognitionAgreementInformation` (the Commission's schema v2).

use super::extension::{criteria_list, object_id};
use super::{instant, page, uri};
use crate::markup::Markup;
use crate::model::{
    ContentEquivalence, QcStatement, QcStatementInfo, QualifierEquivalence, Recognition,
    ServiceEquivalence, ServiceKind, Sides, Terms, Uri,
};
use crate::ns;

pub(super) fn write(xml: &mut Markup, recognition: &Recognition) {
    let [kind, version, depth] =
        [recognition.technical_type, recognition.version, recognition.depth]
            .map(|number| number.to_string());
    let attributes = [
        // So that it can be read where it stands alone, too.
        ("xmlns", ns::TSL),
        ("xmlns:mra", ns::MRA),
        ("xmlns:sie", ns::SIE),
        ("xmlns:xades", ns::XADES),
        ("technicalType", &kind),
        ("version", &version),
        ("pointingContractingPartyLegislation", recognition.legislation.pointing.as_str()),
        ("pointedContractingPartyLegislation", recognition.legislation.pointed.as_str()),
        ("MRADepth", &depth),
    ];
    xml.element("mra:MutualRecognitionAgreementInformation", &attributes, |xml| {
        for entry in &recognition.services {
            xml.group("mra:TrustServiceEquivalenceInformation", |xml| service(xml, entry));
        }
    });
}

fn service(xml: &mut Markup, service: &ServiceEquivalence) {
    xml.text("mra:TrustServiceLegalIdentifier", &[], service.legal_identifier.as_str());
    terms(xml, &service.terms);
    for list in &service.history {
        xml.group("mra:TrustServiceEquivalenceHistory", |xml| {
            for former in list {
                xml.group("mra:TrustServiceEquivalenceHistoryInstance", |xml| terms(xml, former));
            }
        });
    }
}

fn terms(xml: &mut Markup, terms: &Terms) {
    xml.group("mra:TrustServiceTSLTypeEquivalenceList", |xml| {
        sides(xml, "mra:TrustServiceTSLTypeList", &terms.types, |xml, name, kinds| {
            xml.group(name, |xml| kinds.iter().for_each(|entry| kind(xml, entry)));
        });
    });
    uri(xml, "mra:TrustServiceEquivalenceStatus", &terms.status);
    instant(xml, "mra:TrustServiceEquivalenceStatusStartingTime", terms.since);
    xml.group("mra:TrustServiceTSLStatusEquivalenceList", |xml| {
        xml.group("mra:TrustServiceTSLStatusValidEquivalence", |xml| statuses(xml, &terms.valid));
        xml.group("mra:TrustServiceTSLStatusInvalidEquivalence", |xml| {
            statuses(xml, &terms.invalid);
        });
    });
    if !terms.contents.is_empty() {
        xml.group("mra:CertificateContentReferencesEquivalenceList", |xml| {
            terms.contents.iter().for_each(|entry| content(xml, entry));
        });
    }
    if let Some(found) = &terms.qualifiers {
        xml.group("mra:TrustServiceTSLQualificationExtensionEquivalenceList", |xml| {
            qualifiers(xml, found);
        });
    }
}

/// Both sides, each under its name.
fn sides<T>(xml: &mut Markup, stem: &str, sides: &Sides<T>, write: impl Fn(&mut Markup, &str, &T)) {
    write(xml, &format!("{stem}PointingParty"), &sides.pointing);
    write(xml, &format!("{stem}PointedParty"), &sides.pointed);
}

fn kind(xml: &mut Markup, kind: &ServiceKind) {
    xml.group("mra:TrustServiceTSLType", |xml| {
        uri(xml, "ServiceTypeIdentifier", &kind.service_type);
        if let Some(information) = &kind.information {
            xml.group("AdditionalServiceInformation", |xml| {
                page(xml, "URI", &information.page);
                if let Some(value) = &information.value {
                    xml.text("InformationValue", &[], value.as_str());
                }
                if let Some(other) = &information.other {
                    xml.markup(other.xml());
                }
            });
        }
    });
}

fn statuses(xml: &mut Markup, all: &Sides<Vec<Uri>>) {
    sides(xml, "mra:TrustServiceTSLStatusList", all, |xml, name, uris| {
        xml.group(name, |xml| uris.iter().for_each(|entry| uri(xml, "ServiceStatus", entry)));
    });
}

fn content(xml: &mut Markup, content: &ContentEquivalence) {
    xml.group("mra:CertificateContentReferenceEquivalence", |xml| {
        uri(xml, "mra:CertificateContentReferenceEquivalenceContext", &content.context);
        let stem = "mra:CertificateContentDeclaration";
        sides(xml, stem, &content.declarations, criteria_list);
    });
}

fn qualifiers(xml: &mut Markup, found: &QualifierEquivalence) {
    xml.group("mra:TrustServiceTSLQualificationExtensionName", |xml| {
        let stem = "mra:TrustServiceTSLQualificationExtensionName";
        sides(xml, stem, &found.extension, |xml, name, text| xml.text(name, &[], text.as_str()));
    });
    for list in &found.lists {
        xml.group("mra:QualifierEquivalenceList", |xml| {
            for pair in list {
                xml.group("mra:QualifierEquivalence", |xml| {
                    sides(xml, "mra:Qualifier", pair, |xml, name, uri| {
                        xml.element(name, &[("uri", uri.as_str())], |_| {});
                    });
                });
            }
        });
    }
}

/// `QcStatementSet`, which criteria of any list may hold.
pub(super) fn statements(xml: &mut Markup, statements: &[QcStatement]) {
    xml.element("mra:QcStatementSet", &[("xmlns:mra", ns::MRA)], |xml| {
        for statement in statements {
            xml.group("mra:QcStatement", |xml| {
                object_id(xml, "mra:QcStatementId", &statement.id);
                match &statement.says {
                    None => {}
                    Some(QcStatementInfo::Type(kind)) => {
                        xml.group("mra:QcStatementInfo", |xml| object_id(xml, "mra:QcType", kind));
                    }
                    Some(QcStatementInfo::Legislation(country)) => {
                        xml.group("mra:QcStatementInfo", |xml| {
                            xml.text("mra:QcCClegislation", &[], country);
                        });
                    }
                }
            });
        }
    });
}

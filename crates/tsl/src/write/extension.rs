//! Extensions and the criteria within them (TS 119 612, 5.5.9).

use super::recognition::statements;
use super::{instant, names, page};
use crate::markup::Markup;
use crate::model::{
    CriteriaList, Criterion, Extension, ExtensionContent, ObjectId, Qualification, TakenOverBy,
    UsageBit,
};
use crate::ns;

/// The extensions inside an element of this name; without any, no element.
pub(super) fn extensions(xml: &mut Markup, name: &str, extensions: &[Extension]) {
    if extensions.is_empty() {
        return;
    }
    xml.group(name, |xml| {
        for entry in extensions {
            let critical = if entry.critical { "true" } else { "false" };
            xml.element("Extension", &[("Critical", critical)], |xml| {
                content(xml, &entry.content);
            });
        }
    });
}

fn content(xml: &mut Markup, content: &ExtensionContent) {
    match content {
        ExtensionContent::AdditionalServiceInformation { page: entry, value, other } => {
            xml.group("AdditionalServiceInformation", |xml| {
                page(xml, "URI", entry);
                if let Some(value) = value {
                    xml.text("InformationValue", &[], value.as_str());
                }
                if let Some(other) = other {
                    xml.markup(other.xml());
                }
            });
        }
        ExtensionContent::ExpiredCertsRevocationInfo(since) => {
            instant(xml, "ExpiredCertsRevocationInfo", *since);
        }
        ExtensionContent::Qualifications(entries) => {
            let spaces = [("xmlns:sie", ns::SIE), ("xmlns:xades", ns::XADES)];
            xml.element("sie:Qualifications", &spaces, |xml| {
                for entry in entries {
                    qualification(xml, entry);
                }
            });
        }
        ExtensionContent::TakenOverBy(takeover) => taken_over_by(xml, takeover),
        ExtensionContent::Unknown(fragment) => xml.markup(fragment.xml()),
    }
}

fn taken_over_by(xml: &mut Markup, takeover: &TakenOverBy) {
    xml.group("tslx:TakenOverBy", |xml| {
        page(xml, "tslx:URI", &takeover.page);
        names(xml, "tslx:TSPName", &takeover.provider);
        names(xml, "SchemeOperatorName", &takeover.operator);
        xml.text("SchemeTerritory", &[], takeover.territory.as_str());
        takeover.other.iter().for_each(|other| xml.markup(other.xml()));
    });
}

fn qualification(xml: &mut Markup, qualification: &Qualification) {
    xml.group("sie:QualificationElement", |xml| {
        xml.group("sie:Qualifiers", |xml| {
            for qualifier in &qualification.qualifiers {
                xml.element("sie:Qualifier", &[("uri", qualifier.as_str())], |_| {});
            }
        });
        criteria_list(xml, "sie:CriteriaList", &qualification.criteria);
    });
}

/// Criteria, in an element of this name.
pub(super) fn criteria_list(xml: &mut Markup, name: &str, list: &CriteriaList) {
    let assertion = list.assertion.map(|assertion| ("assert", assertion.as_str()));
    xml.element(name, assertion.as_slice(), |xml| {
        list.criteria.iter().for_each(|entry| criterion(xml, entry));
        if let Some(description) = &list.description {
            xml.text("sie:Description", &[], description);
        }
        if list.criteria.iter().any(is_other) {
            xml.group("sie:otherCriteriaList", |xml| {
                list.criteria.iter().for_each(|entry| other_criterion(xml, entry));
            });
        }
    });
}

/// Whether the schema puts the criterion into `otherCriteriaList`.
fn is_other(criterion: &Criterion) -> bool {
    match criterion {
        Criterion::KeyUsage(_) | Criterion::PolicySet(_) | Criterion::List(_) => false,
        Criterion::ExtendedKeyUsage(_)
        | Criterion::SubjectAttributes(_)
        | Criterion::QcStatements(_)
        | Criterion::Unknown(_) => true,
    }
}

fn criterion(xml: &mut Markup, criterion: &Criterion) {
    match criterion {
        Criterion::KeyUsage(bits) => {
            xml.group("sie:KeyUsage", |xml| bits.iter().for_each(|entry| bit(xml, *entry)));
        }
        Criterion::PolicySet(ids) => {
            xml.group("sie:PolicySet", |xml| object_ids(xml, "sie:PolicyIdentifier", ids));
        }
        Criterion::List(list) => criteria_list(xml, "sie:CriteriaList", list),
        Criterion::ExtendedKeyUsage(_)
        | Criterion::SubjectAttributes(_)
        | Criterion::QcStatements(_)
        | Criterion::Unknown(_) => {}
    }
}

fn other_criterion(xml: &mut Markup, criterion: &Criterion) {
    match criterion {
        Criterion::KeyUsage(_) | Criterion::PolicySet(_) | Criterion::List(_) => {}
        Criterion::ExtendedKeyUsage(ids) => {
            xml.group("tslx:ExtendedKeyUsage", |xml| object_ids(xml, "tslx:KeyPurposeId", ids));
        }
        Criterion::SubjectAttributes(ids) => {
            xml.group("tslx:CertSubjectDNAttribute", |xml| {
                object_ids(xml, "tslx:AttributeOID", ids);
            });
        }
        Criterion::QcStatements(all) => statements(xml, all),
        Criterion::Unknown(fragment) => xml.markup(fragment.xml()),
    }
}

fn bit(xml: &mut Markup, bit: UsageBit) {
    let value = if bit.value { "true" } else { "false" };
    xml.text("sie:KeyUsageBit", &[("name", bit.usage.as_str())], value);
}

fn object_ids(xml: &mut Markup, name: &str, ids: &[ObjectId]) {
    for id in ids {
        object_id(xml, name, id);
    }
}

/// `xades:ObjectIdentifierType`, in an element of this name.
pub(super) fn object_id(xml: &mut Markup, name: &str, id: &ObjectId) {
    xml.group(name, |xml| {
        let qualifier = id.qualifier.as_ref().map(|value| ("Qualifier", value.as_str()));
        xml.text("xades:Identifier", qualifier.as_slice(), &id.identifier);
        if let Some(description) = &id.description {
            xml.text("xades:Description", &[], description);
        }
        if let Some(references) = &id.references {
            xml.markup(references.xml());
        }
    });
}

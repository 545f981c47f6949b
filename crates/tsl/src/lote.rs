//! The same list as a list of trusted entities in JSON (ETSI TS 119 602, Annex A.2.2).
//!
//! Every field of a TS 119 612 list has its place there. What the JSON schema leaves open, the
//! content of extensions, keeps the names of the XML; XML of somebody else's design stands as text.
//! Deliberately not in this module: reading such lists.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::model::{
    Address, CriteriaList, Criterion, DigitalId, Entry, Extension, ExtensionContent, Identity,
    NextUpdate, Notice, ObjectId, PastState, Pointer, PointerInformation, Provider,
    SchemeInformation, Service, Text, TrustedList, Uri,
};

mod sign;

pub use sign::{LoteRefusal, PreparedLote, VerifiedLote, prepare, verify};

/// The version of the form that is written (TS 119 602, 6.3.1).
pub const VERSION: u32 = 1;

/// Why a list has no JSON form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LoteError {
    /// The schema demands an instant for the next update, and a closed list has none.
    #[error("a closed list has no next update, which its JSON form must have")]
    Closed,
}

/// The list as JSON.
///
/// # Errors
///
/// [`LoteError::Closed`].
pub fn to_json(list: &TrustedList) -> Result<Value, LoteError> {
    let mut lote = object([("ListAndSchemeInformation", Some(scheme(&list.scheme)?))]);
    put(&mut lote, "TrustedEntitiesList", some_of(&list.providers, provider));
    Ok(json!({ "LoTE": lote }))
}

fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map<String, Value> {
    let present = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    present.collect()
}

fn put(object: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        object.insert(name.to_owned(), value);
    }
}

/// An array; nothing when it would be empty, which the schema forbids.
fn some_of<T>(values: &[T], write: impl Fn(&T) -> Value) -> Option<Value> {
    (!values.is_empty()).then(|| values.iter().map(write).collect())
}

fn text(entry: &Entry<Text>) -> Value {
    json!({ "lang": entry.language.as_str(), "value": entry.value.as_str() })
}

fn page(entry: &Entry<Uri>) -> Value {
    json!({ "lang": entry.language.as_str(), "uriValue": entry.value.as_str() })
}

fn uri(uri: &Uri) -> Value {
    Value::from(uri.as_str())
}

fn scheme(scheme: &SchemeInformation) -> Result<Value, LoteError> {
    let NextUpdate::By(next) = scheme.next_update else { return Err(LoteError::Closed) };
    let (postal, electronic) = addresses(&scheme.operator_address);
    let operator = json!({
        "SchemeOperatorPostalAddress": postal,
        "SchemeOperatorElectronicAddress": electronic,
    });
    let territory = scheme.territory.as_str();
    Ok(Value::Object(object([
        ("LoTEVersionIdentifier", Some(VERSION.into())),
        ("LoTESequenceNumber", Some(scheme.sequence_number.into())),
        ("LoTEType", Some(uri(&scheme.list_type))),
        ("SchemeOperatorName", some_of(scheme.operator_name.entries(), text)),
        ("SchemeOperatorAddress", Some(operator)),
        ("SchemeName", some_of(scheme.scheme_name.entries(), text)),
        ("SchemeInformationURI", some_of(scheme.information.entries(), page)),
        ("StatusDeterminationApproach", Some(uri(&scheme.status_determination))),
        ("SchemeTypeCommunityRules", some_of(scheme.community_rules.entries(), page)),
        ("SchemeTerritory", (!territory.is_empty()).then(|| territory.into())),
        ("PolicyOrLegalNotice", notice(&scheme.notice)),
        ("HistoricalInformationPeriod", Some(scheme.history_period.into())),
        ("PointersToOtherLoTE", some_of(&scheme.pointers, pointer)),
        ("ListIssueDateTime", Some(scheme.issue.to_string().into())),
        ("NextUpdate", Some(next.to_string().into())),
        ("DistributionPoints", some_of(&scheme.distribution_points, uri)),
        ("SchemeExtensions", some_of(&scheme.extensions, extension)),
    ])))
}

/// Postal and electronic addresses.
fn addresses(address: &Address) -> (Value, Value) {
    let postal = address.postal().iter().map(|postal| {
        let text = |text: &Text| Some(Value::from(text.as_str()));
        Value::Object(object([
            ("lang", Some(postal.language.as_str().into())),
            ("StreetAddress", text(&postal.street)),
            ("Locality", text(&postal.locality)),
            ("StateOrProvince", postal.state_or_province.as_ref().and_then(text)),
            ("PostalCode", postal.postal_code.as_ref().and_then(text)),
            ("Country", Some(postal.country.as_str().into())),
        ]))
    });
    (postal.collect(), address.electronic().entries().iter().map(page).collect())
}

/// The schema gives a legal notice no language; each text is an item.
fn notice(notice: &Notice) -> Option<Value> {
    match notice {
        Notice::Policy(pages) => {
            some_of(pages.entries(), |entry| json!({ "LoTEPolicy": page(entry) }))
        }
        Notice::Legal(texts) => {
            some_of(texts.entries(), |entry| json!({ "LoTELegalNotice": entry.value.as_str() }))
        }
    }
}

fn pointer(pointer: &Pointer) -> Value {
    use PointerInformation as P;
    let mut qualifier = Map::new();
    for information in &pointer.information {
        let (name, value) = match information {
            P::ListType(kind) => ("LoTEType", Some(uri(kind))),
            P::OperatorName(names) => ("SchemeOperatorName", some_of(names.entries(), text)),
            P::CommunityRules(pages) => {
                ("SchemeTypeCommunityRules", some_of(pages.entries(), page))
            }
            P::Territory(territory) => ("SchemeTerritory", Some(territory.as_str().into())),
            P::MimeType(kind) => ("MimeType", Some(kind.as_str().into())),
            // The schema closes the qualifier; these have no place in it.
            P::Text(_) | P::MutualRecognition(_) | P::Other(_) => continue,
        };
        put(&mut qualifier, name, value);
    }
    json!({
        "LoTELocation": pointer.location.as_str(),
        "ServiceDigitalIdentities": pointer.identities.iter().map(identity).collect::<Value>(),
        "LoTEQualifiers": [qualifier],
    })
}

fn identity(identity: &Identity) -> Value {
    let (mut certificates, mut names, mut identifiers, mut others) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for id in identity.ids() {
        match id {
            DigitalId::Certificate(found) => certificates.push(found.der().to_vec()),
            DigitalId::Unreadable(bytes) => certificates.push(bytes.clone()),
            DigitalId::SubjectName(name) => names.push(name.clone()),
            DigitalId::KeyIdentifier(identifier) => identifiers.push(identifier.clone()),
            DigitalId::KeyValue(fragment) | DigitalId::Other(fragment) => {
                others.push(fragment.xml().to_owned());
            }
        }
    }
    let base64 = |bytes: &Vec<u8>| Value::from(STANDARD.encode(bytes));
    Value::Object(object([
        ("X509Certificates", some_of(&certificates, |der| json!({ "val": base64(der) }))),
        ("X509SubjectNames", some_of(&names, |name| name.as_str().into())),
        ("X509SKIs", some_of(&identifiers, base64)),
        ("OtherIds", some_of(&others, |other| other.as_str().into())),
    ]))
}

fn provider(provider: &Provider) -> Value {
    let (postal, electronic) = addresses(&provider.address);
    let information = object([
        ("TEName", some_of(provider.name.entries(), text)),
        ("TETradeName", some_of(provider.trade_names.entries(), text)),
        (
            "TEAddress",
            Some(json!({ "TEPostalAddress": postal, "TEElectronicAddress": electronic })),
        ),
        ("TEInformationURI", some_of(provider.information.entries(), page)),
        ("TEInformationExtensions", some_of(&provider.extensions, extension)),
    ]);
    json!({
        "TrustedEntityInformation": information,
        "TrustedEntityServices": provider.services.iter().map(service).collect::<Value>(),
    })
}

fn service(service: &Service) -> Value {
    let pages = |pages: &Option<crate::model::Pages>| {
        pages.as_ref().and_then(|pages| some_of(pages.entries(), page))
    };
    let points = some_of(&service.supply_points, |point| {
        Value::Object(object([
            ("ServiceType", point.kind.as_ref().map(uri)),
            ("uriValue", Some(uri(&point.address))),
        ]))
    });
    let information = object([
        ("ServiceTypeIdentifier", Some(uri(&service.service_type))),
        ("ServiceName", some_of(service.name.entries(), text)),
        ("ServiceDigitalIdentity", Some(identity(&service.identity))),
        ("ServiceStatus", Some(uri(&service.status))),
        ("StatusStartingTime", Some(service.status_start.to_string().into())),
        ("SchemeServiceDefinitionURI", pages(&service.scheme_definition)),
        ("ServiceSupplyPoints", points),
        ("ServiceDefinitionURI", pages(&service.provider_definition)),
        ("ServiceInformationExtensions", some_of(&service.extensions, extension)),
    ]);
    Value::Object(object([
        ("ServiceInformation", Some(Value::Object(information))),
        ("ServiceHistory", some_of(&service.history, past_state)),
    ]))
}

fn past_state(state: &PastState) -> Value {
    Value::Object(object([
        ("ServiceTypeIdentifier", Some(uri(&state.service_type))),
        ("ServiceName", some_of(state.name.entries(), text)),
        ("ServiceDigitalIdentity", Some(identity(&state.identity))),
        ("ServiceStatus", Some(uri(&state.status))),
        ("StatusStartingTime", Some(state.status_start.to_string().into())),
        ("ServiceInformationExtensions", some_of(&state.extensions, extension)),
    ]))
}

fn extension(extension: &Extension) -> Value {
    let (name, value) = match &extension.content {
        ExtensionContent::AdditionalServiceInformation { page: entry, value, other } => {
            let information = object([
                ("URI", Some(page(entry))),
                ("InformationValue", value.as_ref().map(|value| value.as_str().into())),
                ("OtherInformation", other.as_ref().map(|other| other.xml().into())),
            ]);
            ("AdditionalServiceInformation", Value::Object(information))
        }
        ExtensionContent::ExpiredCertsRevocationInfo(since) => {
            ("ExpiredCertsRevocationInfo", since.to_string().into())
        }
        ExtensionContent::Qualifications(entries) => {
            let write = |one: &crate::model::Qualification| {
                json!({
                    "Qualifiers": one.qualifiers.iter().map(uri).collect::<Value>(),
                    "CriteriaList": criteria_list(&one.criteria),
                })
            };
            ("Qualifications", entries.iter().map(write).collect())
        }
        ExtensionContent::TakenOverBy(takeover) => {
            let others = some_of(&takeover.other, |other| other.xml().into());
            let takeover = object([
                ("URI", Some(page(&takeover.page))),
                ("TEName", some_of(takeover.provider.entries(), text)),
                ("SchemeOperatorName", some_of(takeover.operator.entries(), text)),
                ("SchemeTerritory", Some(takeover.territory.as_str().into())),
                ("OtherQualifier", others),
            ]);
            ("TakenOverBy", Value::Object(takeover))
        }
        ExtensionContent::Unknown(fragment) => ("XML", fragment.xml().into()),
    };
    Value::Object(object([("Critical", Some(extension.critical.into())), (name, Some(value))]))
}

fn criteria_list(list: &CriteriaList) -> Value {
    Value::Object(object([
        ("assert", list.assertion.map(|assertion| assertion.as_str().into())),
        ("Criteria", some_of(&list.criteria, criterion)),
        ("Description", list.description.as_deref().map(Value::from)),
    ]))
}

fn criterion(criterion: &Criterion) -> Value {
    let ids = |ids: &[ObjectId]| ids.iter().map(|id| Value::from(id.dotted())).collect::<Value>();
    match criterion {
        Criterion::KeyUsage(bits) => {
            let bits = bits.iter().map(|bit| (bit.usage.as_str().to_owned(), bit.value.into()));
            json!({ "KeyUsage": bits.collect::<Map<_, _>>() })
        }
        Criterion::PolicySet(policies) => json!({ "PolicySet": ids(policies) }),
        Criterion::List(list) => json!({ "CriteriaList": criteria_list(list) }),
        Criterion::ExtendedKeyUsage(purposes) => json!({ "ExtendedKeyUsage": ids(purposes) }),
        Criterion::SubjectAttributes(kinds) => json!({ "CertSubjectDNAttribute": ids(kinds) }),
        Criterion::QcStatements(statements) => {
            let ids = statements.iter().map(|one| one.id.dotted());
            json!({ "QcStatementSet": ids.collect::<Vec<_>>() })
        }
        Criterion::Unknown(fragment) => json!({ "XML": fragment.xml() }),
    }
}

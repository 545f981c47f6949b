//! Rules on the extensions (DOMAIN 12.3 to 12.7): which, in what order, and what they say.
//!
//! Fixed values are stated here as octets, on purpose apart from the writer of the profiles.

use const_oid::ObjectIdentifier;
use tenkoku_domain::certificate::Profile;
use tenkoku_domain::identifier::OrganizationIdentifier;

use super::{Case, Rule, demand};
use crate::asn1::read;
use crate::asn1::tag;
use crate::oid;
use crate::policy::etsi_policy;
use crate::profile::{Content, Repository};
use crate::qc::{Accreditation, Claim, Device};
use crate::uri::HttpUri;

/// The rules of this page.
pub(super) fn rules<'a>() -> Vec<Rule<Case<'a>>> {
    vec![
        Rule { name: "extension-set", clause: "DOMAIN 12.3", check: extension_set },
        Rule { name: "criticality", clause: "DOMAIN 12.3", check: criticality },
        Rule { name: "fixed-values", clause: "DOMAIN 12.8", check: fixed_values },
        Rule { name: "subject-key-identifier", clause: "RFC 5280, 4.2.1.2", check: subject_key },
        Rule {
            name: "authority-key-identifier",
            clause: "RFC 5280, 4.2.1.1",
            check: authority_key,
        },
        Rule { name: "policies", clause: "DOMAIN 12.3", check: policies },
        Rule { name: "alternative-name", clause: "DOMAIN 12.3", check: alternative_name },
        Rule { name: "information-access", clause: "DOMAIN 12.3", check: information_access },
        Rule { name: "crl-distribution", clause: "DOMAIN 12.3", check: crl_distribution },
        Rule { name: "qc-statements", clause: "DOMAIN 12.6", check: qc_statements },
        Rule { name: "claim-level", clause: "DOMAIN 12.3", check: claim_level },
    ]
}

const KEY_USAGE_NON_REPUDIATION: &[u8] = &[0x03, 0x02, 0x06, 0x40];
const KEY_USAGE_DIGITAL_SIGNATURE: &[u8] = &[0x03, 0x02, 0x07, 0x80];
const KEY_USAGE_AUTHORITY: &[u8] = &[0x03, 0x02, 0x01, 0x06];
const CONSTRAINTS_END_ENTITY: &[u8] = &[0x30, 0x00];
const CONSTRAINTS_ROOT: &[u8] = &[0x30, 0x03, 0x01, 0x01, 0xFF];
const CONSTRAINTS_ISSUING: &[u8] = &[0x30, 0x06, 0x01, 0x01, 0xFF, 0x02, 0x01, 0x00];
const PURPOSE_DOCUMENT_SIGNING: &[u8] =
    &[0x30, 0x0A, 0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x24];
const PURPOSE_OCSP_SIGNING: &[u8] =
    &[0x30, 0x0A, 0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x09];
const PURPOSE_TSL_SIGNING: &[u8] = &[0x30, 0x08, 0x06, 0x06, 0x04, 0x00, 0x91, 0x37, 0x03, 0x00];
const NULL: &[u8] = &[0x05, 0x00];

/// One QCStatement each, as the table of DOMAIN 12.6 gives them.
const STATEMENT_SEMANTICS: &[u8] = &[
    0x30, 0x15, 0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x0B, 0x02, 0x30, 0x09, 0x06, 0x07,
    0x04, 0x00, 0x8B, 0xEC, 0x49, 0x01, 0x02,
];
const STATEMENT_COMPLIANCE: &[u8] = &[0x30, 0x08, 0x06, 0x06, 0x04, 0x00, 0x8E, 0x46, 0x01, 0x01];
const STATEMENT_DEVICE: &[u8] = &[0x30, 0x08, 0x06, 0x06, 0x04, 0x00, 0x8E, 0x46, 0x01, 0x04];
const STATEMENT_TYPE: &[u8] = &[
    0x30, 0x13, 0x06, 0x06, 0x04, 0x00, 0x8E, 0x46, 0x01, 0x06, 0x30, 0x09, 0x06, 0x07, 0x04, 0x00,
    0x8E, 0x46, 0x01, 0x06, 0x02,
];

/// The extensions of the order's profile, in order.
fn demanded(case: &Case<'_>) -> Vec<ObjectIdentifier> {
    const SERVICE: [ObjectIdentifier; 4] = [
        oid::AUTHORITY_KEY_IDENTIFIER,
        oid::SUBJECT_KEY_IDENTIFIER,
        oid::KEY_USAGE,
        oid::EXT_KEY_USAGE,
    ];
    const ROOT: [ObjectIdentifier; 3] =
        [oid::BASIC_CONSTRAINTS, oid::KEY_USAGE, oid::SUBJECT_KEY_IDENTIFIER];
    const REPOSITORY: [ObjectIdentifier; 2] =
        [oid::AUTHORITY_INFO_ACCESS, oid::CRL_DISTRIBUTION_POINTS];
    const POLICIES: [ObjectIdentifier; 1] = [oid::CERTIFICATE_POLICIES];
    match &case.order.content {
        Content::Root => ROOT.to_vec(),
        Content::Issuing { .. } => {
            [&ROOT[..], &[oid::AUTHORITY_KEY_IDENTIFIER], &POLICIES, &REPOSITORY].concat()
        }
        Content::Seal { latin, claim, .. } => {
            let name = latin.as_ref().map(|_| oid::SUBJECT_ALT_NAME);
            let stated = has_semantics(case) || *claim != Claim::None;
            let statements = stated.then_some(oid::QC_STATEMENTS);
            let (name, statements) = (name.as_slice(), statements.as_slice());
            [&SERVICE[..], &POLICIES, name, &REPOSITORY, statements].concat()
        }
        Content::OcspSigner => [&SERVICE[..], &[oid::OCSP_NOCHECK]].concat(),
        Content::ListSigner { .. } => {
            [&SERVICE[..], &[oid::BASIC_CONSTRAINTS], &POLICIES, &REPOSITORY].concat()
        }
    }
}

fn has_semantics(case: &Case<'_>) -> bool {
    let text = case.certificate.subject().first(oid::ORGANISATION_IDENTIFIER).unwrap_or_default();
    OrganizationIdentifier::parse(text).is_ok_and(|identifier| identifier.has_semantics())
}

/// Exactly these, in this order; so also none twice and none outside the profile.
fn extension_set(case: &Case<'_>) -> Result<(), String> {
    let found: Vec<ObjectIdentifier> =
        case.certificate.extensions().iter().map(|e| e.oid).collect();
    demand(found == demanded(case), "the extensions are not those of the profile, in its order")
}

/// keyUsage and basicConstraints are critical, nothing else is.
fn criticality(case: &Case<'_>) -> Result<(), String> {
    for extension in case.certificate.extensions() {
        let demanded = [oid::KEY_USAGE, oid::BASIC_CONSTRAINTS].contains(&extension.oid);
        demand(
            extension.critical == demanded,
            format!("{} has the wrong criticality", extension.oid),
        )?;
    }
    Ok(())
}

/// keyUsage, extKeyUsage, basicConstraints and ocsp-nocheck, octet for octet.
fn fixed_values(case: &Case<'_>) -> Result<(), String> {
    let (usage, purpose, constraints, nocheck) = match case.order.content.profile() {
        Profile::Root => (KEY_USAGE_AUTHORITY, None, Some(CONSTRAINTS_ROOT), None),
        Profile::Issuing => (KEY_USAGE_AUTHORITY, None, Some(CONSTRAINTS_ISSUING), None),
        Profile::Seal1 | Profile::Seal2 | Profile::Seal3 => {
            (KEY_USAGE_NON_REPUDIATION, Some(PURPOSE_DOCUMENT_SIGNING), None, None)
        }
        Profile::OcspSigner => {
            (KEY_USAGE_DIGITAL_SIGNATURE, Some(PURPOSE_OCSP_SIGNING), None, Some(NULL))
        }
        Profile::ListSigner => (
            KEY_USAGE_NON_REPUDIATION,
            Some(PURPOSE_TSL_SIGNING),
            Some(CONSTRAINTS_END_ENTITY),
            None,
        ),
    };
    for (oid, demanded) in [
        (oid::KEY_USAGE, Some(usage)),
        (oid::EXT_KEY_USAGE, purpose),
        (oid::BASIC_CONSTRAINTS, constraints),
        (oid::OCSP_NOCHECK, nocheck),
    ] {
        let found = case.certificate.extension(oid);
        demand(found == demanded, format!("{oid} does not have the value of the profile"))?;
    }
    Ok(())
}

fn subject_key(case: &Case<'_>) -> Result<(), String> {
    let found = case.certificate.subject_key_identifier();
    demand(
        found == Some(&case.order.key.key_identifier()[..]),
        "the identifier is not that of the certified key",
    )
}

/// keyIdentifier alone, equal to the issuer's subjectKeyIdentifier; a root has none.
fn authority_key(case: &Case<'_>) -> Result<(), String> {
    let found = case.certificate.extension(oid::AUTHORITY_KEY_IDENTIFIER);
    let identifier = case.order.issuer.key.key_identifier();
    let demanded = [&[0x30, 0x16, 0x80, 0x14][..], &identifier].concat();
    match case.order.content.profile() {
        Profile::Root => demand(found.is_none(), "a root carries an authority key identifier"),
        Profile::Issuing
        | Profile::Seal1
        | Profile::Seal2
        | Profile::Seal3
        | Profile::OcspSigner
        | Profile::ListSigner => {
            demand(found == Some(&demanded), "the identifier is not that of the issuer's key")
        }
    }
}

/// The operator's policy and that of EN 319 411-1 for the level, and no other.
fn policies(case: &Case<'_>) -> Result<(), String> {
    let demanded = match &case.order.content {
        Content::Root | Content::OcspSigner => Vec::new(),
        Content::Issuing { level, arc, .. } | Content::Seal { level, arc, .. } => {
            vec![arc.level(*level), etsi_policy(*level)]
        }
        Content::ListSigner { arc, .. } => vec![arc.list_signing()],
    };
    demand(case.certificate.policies() == demanded, "the policies are not those of the level")
}

/// The ordered Latin name as the only alternative name.
fn alternative_name(case: &Case<'_>) -> Result<(), String> {
    let latin = match &case.order.content {
        Content::Seal { latin, .. } => latin.as_ref(),
        Content::Root
        | Content::Issuing { .. }
        | Content::OcspSigner
        | Content::ListSigner { .. } => None,
    };
    let found = case.certificate.extension(oid::SUBJECT_ALT_NAME);
    let only = found.is_none_or(|value| count(value) == Some(1));
    let name = case.certificate.alternative_directory_name();
    demand(
        only && name.as_ref() == latin && found.is_some() == latin.is_some(),
        "the alternative name is not the ordered Latin name alone",
    )
}

/// How many values a SEQUENCE holds.
fn count(sequence: &[u8]) -> Option<usize> {
    let mut reader = read::sequence(sequence).ok()?;
    let mut number = 0;
    while !reader.is_empty() {
        reader.any().ok()?;
        number += 1;
    }
    Some(number)
}

/// The issuer's repository and OCSP service of the order.
fn addresses<'a>(case: &Case<'a>) -> (Option<&'a Repository>, Option<&'a HttpUri>) {
    match &case.order.content {
        Content::Root | Content::OcspSigner => (None, None),
        Content::Issuing { repository, .. } | Content::ListSigner { repository, .. } => {
            (Some(repository), None)
        }
        Content::Seal { repository, ocsp, .. } => (Some(repository), Some(ocsp)),
    }
}

/// The ordered addresses, which are plain http, and no others.
fn information_access(case: &Case<'_>) -> Result<(), String> {
    let (repository, ocsp) = addresses(case);
    let certificate = repository.map(|r| &r.certificate);
    let value = case.certificate.extension(oid::AUTHORITY_INFO_ACCESS);
    let number = usize::from(certificate.is_some()) + usize::from(ocsp.is_some());
    demand(value.map_or(Some(0), count) == Some(number), "there are other access methods")?;
    for (method, demanded) in [(oid::CA_ISSUERS, certificate), (oid::OCSP, ocsp)] {
        same_addresses(&case.certificate.access_addresses(method), demanded)?;
    }
    Ok(())
}

fn crl_distribution(case: &Case<'_>) -> Result<(), String> {
    let value = case.certificate.extension(oid::CRL_DISTRIBUTION_POINTS);
    let crl = addresses(case).0.map(|r| &r.crl);
    let number = usize::from(crl.is_some());
    demand(value.map_or(Some(0), count) == Some(number), "there are other distribution points")?;
    same_addresses(&case.certificate.crl_addresses(), crl)
}

fn same_addresses(found: &[String], demanded: Option<&HttpUri>) -> Result<(), String> {
    for address in found {
        HttpUri::parse(address).map_err(|e| e.to_string())?;
    }
    let demanded: Vec<&str> = demanded.map(HttpUri::as_str).into_iter().collect();
    demand(found == demanded, format!("{found:?} is not {demanded:?}"))
}

/// The set is complete, in order, each statement once; semantics last.
fn qc_statements(case: &Case<'_>) -> Result<(), String> {
    let claim = match &case.order.content {
        Content::Seal { claim, .. } => claim,
        Content::Root
        | Content::Issuing { .. }
        | Content::OcspSigner
        | Content::ListSigner { .. } => &Claim::None,
    };
    let is_seal = matches!(case.order.content, Content::Seal { .. });
    let mut demanded = match claim {
        Claim::None => Vec::new(),
        Claim::Accredited(accreditation) => accredited(accreditation),
    };
    if is_seal && has_semantics(case) {
        demanded.extend_from_slice(STATEMENT_SEMANTICS);
    }
    let found = match case.certificate.extension(oid::QC_STATEMENTS) {
        Some(value) => content(value).ok_or("the statements are not one SEQUENCE")?,
        None => &[],
    };
    demand(found == demanded, "the statements are not those of the claim")
}

fn content(sequence: &[u8]) -> Option<&[u8]> {
    let mut outer = read::Reader::new(sequence);
    let content = outer.content(tag::SEQUENCE).ok()?;
    outer.finish().ok().map(|()| content)
}

/// The statements of an accredited authority, without semantics (DOMAIN 12.7).
fn accredited(accreditation: &Accreditation) -> Vec<u8> {
    let mut octets = STATEMENT_COMPLIANCE.to_vec();
    if accreditation.device() == Device::Certified {
        octets.extend_from_slice(STATEMENT_DEVICE);
    }
    octets.extend_from_slice(STATEMENT_TYPE);
    octets.extend(disclosures(accreditation));
    octets.extend([0x30, 0x0E, 0x06, 0x06, 0x04, 0x00, 0x8E, 0x46, 0x01, 0x07]);
    octets.extend([0x30, 0x04, 0x13, 0x02]);
    octets.extend(accreditation.country().bytes());
    octets
}

/// QcPDS: the OID and one pair of address and language for each disclosure.
fn disclosures(accreditation: &Accreditation) -> Vec<u8> {
    let pairs: Vec<u8> = accreditation
        .disclosures()
        .iter()
        .flat_map(|d| {
            let address = framed(tag::IA5_STRING, d.address.as_str().as_bytes());
            let language = framed(tag::PRINTABLE_STRING, d.language.as_bytes());
            framed(tag::SEQUENCE, &[address, language].concat())
        })
        .collect();
    let statement = [&[0x06, 0x06, 0x04, 0x00, 0x8E, 0x46, 0x01, 0x05], &framed(0x30, &pairs)[..]];
    framed(tag::SEQUENCE, &statement.concat())
}

fn framed(identifier: u8, content: &[u8]) -> Vec<u8> {
    crate::asn1::write::tlv(identifier, content)
}

/// Only level 3 may claim anything; no ETSI statement without QcCompliance is possible (PR-3),
/// because the set is compared as a whole.
fn claim_level(case: &Case<'_>) -> Result<(), String> {
    match &case.order.content {
        Content::Seal { claim: Claim::Accredited(_), .. } => {
            demand(case.order.content.profile() == Profile::Seal3, "a claim below level 3")
        }
        Content::Seal { claim: Claim::None, .. }
        | Content::Root
        | Content::Issuing { .. }
        | Content::OcspSigner
        | Content::ListSigner { .. } => Ok(()),
    }
}

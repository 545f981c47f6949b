//! Rules on the extensions (DOMAIN 12.3 to 12.7): which, in what order, and what they say.
//!
//! Fixed values are stated here as octets, on purpose apart from the writer of the profiles.

use const_oid::ObjectIdentifier;
use tenkoku_domain::certificate::Profile;
use tenkoku_domain::level::Level;

use super::seal::has_semantics;
use super::{Case, Rule, demand};
use crate::asn1::read;
use crate::oid;
use crate::policy::etsi_policy;
use crate::profile::{Content, Repository, Service};
use crate::qc::{Claim, Device};
use crate::seal::{Extras, KeyUsageSetting, Term};
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
        Rule { name: "name-constraints", clause: "RFC 5280, 4.2.1.10", check: name_constraints },
        Rule { name: "name-scope", clause: "DOMAIN 12.4", check: name_scope },
    ]
}

const KEY_USAGE_NON_REPUDIATION: &[u8] = &[0x03, 0x02, 0x06, 0x40];
const KEY_USAGE_BOTH: &[u8] = &[0x03, 0x02, 0x06, 0xC0];
const KEY_USAGE_DIGITAL_SIGNATURE: &[u8] = &[0x03, 0x02, 0x07, 0x80];
const KEY_USAGE_AUTHORITY: &[u8] = &[0x03, 0x02, 0x01, 0x06];
const CONSTRAINTS_END_ENTITY: &[u8] = &[0x30, 0x00];
const CONSTRAINTS_ROOT: &[u8] = &[0x30, 0x03, 0x01, 0x01, 0xFF];
const CONSTRAINTS_ISSUING: &[u8] = &[0x30, 0x06, 0x01, 0x01, 0xFF, 0x02, 0x01, 0x00];
const CONSTRAINTS_POLICY: &[u8] = &[0x30, 0x06, 0x01, 0x01, 0xFF, 0x02, 0x01, 0x01];
const PURPOSE_TIME_STAMPING: &[u8] =
    &[0x30, 0x0A, 0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];
const PURPOSE_CLIENT: &[u8] =
    &[0x30, 0x0A, 0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];
const PURPOSE_DOCUMENT_SIGNING: &[u8] =
    &[0x30, 0x0A, 0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x24];
const PURPOSE_OCSP_SIGNING: &[u8] =
    &[0x30, 0x0A, 0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x09];
const PURPOSE_TSL_SIGNING: &[u8] = &[0x30, 0x08, 0x06, 0x06, 0x04, 0x00, 0x91, 0x37, 0x03, 0x00];
const NULL: &[u8] = &[0x05, 0x00];

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
    const AUTHORITY: [ObjectIdentifier; 1] = [oid::AUTHORITY_KEY_IDENTIFIER];
    match &case.order.content {
        Content::Root => ROOT.to_vec(),
        Content::Policy { .. }
        | Content::Cross { .. }
        | Content::Issuing { .. }
        | Content::ServiceAuthority { .. } => {
            [&ROOT[..], &AUTHORITY, &POLICIES, &REPOSITORY].concat()
        }
        Content::Dedicated { .. } => {
            [&ROOT[..], &AUTHORITY, &POLICIES, &[oid::NAME_CONSTRAINTS], &REPOSITORY].concat()
        }
        Content::Seal { latin, claim, extras, .. } => {
            let name = latin.as_ref().map(|_| oid::SUBJECT_ALT_NAME);
            let stated = has_semantics(case) || *claim != Claim::None;
            let (status, no_status): (&[_], _) = match extras.term {
                Term::Regular => (&REPOSITORY, None),
                Term::Short => (&[oid::AUTHORITY_INFO_ACCESS], Some(oid::NO_REV_AVAIL)),
            };
            let last = [
                stated.then_some(oid::QC_STATEMENTS),
                extras.lei.as_ref().map(|_| oid::LEI),
                extras.logotype.as_ref().map(|_| oid::LOGOTYPE),
                extras.twin.map(|_| oid::RELATED_CERTIFICATE),
                no_status,
            ];
            let last: Vec<ObjectIdentifier> = last.into_iter().flatten().collect();
            [&SERVICE[..], &POLICIES, name.as_slice(), status, &last].concat()
        }
        Content::OcspSigner => [&SERVICE[..], &[oid::OCSP_NOCHECK]].concat(),
        Content::ListSigner { .. } => {
            [&SERVICE[..], &[oid::BASIC_CONSTRAINTS], &POLICIES, &REPOSITORY].concat()
        }
        Content::TimeStamping { .. } => [&SERVICE[..], &POLICIES, &REPOSITORY].concat(),
        Content::Administrator { .. } => {
            [&SERVICE[..], &POLICIES, &[oid::SUBJECT_ALT_NAME], &REPOSITORY].concat()
        }
        Content::AuditSigner { .. } => {
            let [aki, ski, usage, _] = SERVICE;
            [&[aki, ski, usage][..], &POLICIES, &REPOSITORY].concat()
        }
    }
}

/// Exactly these, in this order; so also none twice and none outside the profile.
fn extension_set(case: &Case<'_>) -> Result<(), String> {
    let found: Vec<ObjectIdentifier> =
        case.certificate.extensions().iter().map(|e| e.oid).collect();
    demand(found == demanded(case), "the extensions are not those of the profile, in its order")
}

/// keyUsage, basicConstraints, nameConstraints and the purpose of a time-stamping unit are
/// critical, nothing else is.
fn criticality(case: &Case<'_>) -> Result<(), String> {
    let stamps = case.order.content.profile() == Profile::TimeStamping;
    for extension in case.certificate.extensions() {
        let demanded = [oid::KEY_USAGE, oid::BASIC_CONSTRAINTS, oid::NAME_CONSTRAINTS]
            .contains(&extension.oid)
            || (stamps && extension.oid == oid::EXT_KEY_USAGE);
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
        Profile::Root | Profile::Cross => (KEY_USAGE_AUTHORITY, None, Some(CONSTRAINTS_ROOT), None),
        Profile::Policy => (KEY_USAGE_AUTHORITY, None, Some(CONSTRAINTS_POLICY), None),
        Profile::Issuing
        | Profile::Dedicated
        | Profile::TimeStampingAuthority
        | Profile::InternalAuthority => {
            (KEY_USAGE_AUTHORITY, None, Some(CONSTRAINTS_ISSUING), None)
        }
        Profile::Seal1
        | Profile::Seal2
        | Profile::Seal3
        | Profile::Seal1Short
        | Profile::Seal2Short
        | Profile::Seal3Short => (seal_usage(case), Some(PURPOSE_DOCUMENT_SIGNING), None, None),
        Profile::OcspSigner => {
            (KEY_USAGE_DIGITAL_SIGNATURE, Some(PURPOSE_OCSP_SIGNING), None, Some(NULL))
        }
        Profile::ListSigner => (
            KEY_USAGE_NON_REPUDIATION,
            Some(PURPOSE_TSL_SIGNING),
            Some(CONSTRAINTS_END_ENTITY),
            None,
        ),
        Profile::TimeStamping => {
            (KEY_USAGE_DIGITAL_SIGNATURE, Some(PURPOSE_TIME_STAMPING), None, None)
        }
        Profile::Administrator => (KEY_USAGE_DIGITAL_SIGNATURE, Some(PURPOSE_CLIENT), None, None),
        Profile::AuditSigner => (KEY_USAGE_DIGITAL_SIGNATURE, None, None, None),
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

/// Setting A, or B where it was ordered.
const fn seal_usage(case: &Case<'_>) -> &'static [u8] {
    match &case.order.content {
        Content::Seal { extras: Extras { usage: KeyUsageSetting::B, .. }, .. } => KEY_USAGE_BOTH,
        Content::Seal { extras: Extras { usage: KeyUsageSetting::A, .. }, .. }
        | Content::Root
        | Content::Policy { .. }
        | Content::Cross { .. }
        | Content::Issuing { .. }
        | Content::Dedicated { .. }
        | Content::ServiceAuthority { .. }
        | Content::OcspSigner
        | Content::ListSigner { .. }
        | Content::TimeStamping { .. }
        | Content::Administrator { .. }
        | Content::AuditSigner { .. } => KEY_USAGE_NON_REPUDIATION,
    }
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
    if case.order.content.profile() == Profile::Root {
        return demand(found.is_none(), "a root carries an authority key identifier");
    }
    demand(found == Some(&demanded), "the identifier is not that of the issuer's key")
}

/// The operator's policy and that of EN 319 411-1 for the level, and no other.
fn policies(case: &Case<'_>) -> Result<(), String> {
    let demanded = match &case.order.content {
        Content::Root | Content::OcspSigner => Vec::new(),
        Content::Policy { .. } | Content::Cross { .. } => vec![oid::ANY_POLICY],
        Content::Issuing { level, arc, .. } | Content::Dedicated { level, arc, .. } => {
            vec![arc.level(*level), etsi_policy(*level)]
        }
        Content::Seal { level, arc, claim, .. } => vec![arc.level(*level), etsi(*level, claim)],
        Content::ServiceAuthority { service: Service::Internal, arc, .. } => {
            vec![arc.administration(), arc.audit_signing()]
        }
        Content::ServiceAuthority { service: Service::TimeStamping, arc, .. }
        | Content::TimeStamping { arc, .. } => vec![arc.time_stamping()],
        Content::Administrator { arc, .. } => vec![arc.administration()],
        Content::AuditSigner { arc, .. } => vec![arc.audit_signing()],
        Content::ListSigner { arc, .. } => vec![arc.list_signing()],
    };
    demand(case.certificate.policies() == demanded, "the policies are not those of the level")
}

/// The second policy of a seal: that of the level, or of the claim of EU qualification.
fn etsi(level: Level, claim: &Claim) -> ObjectIdentifier {
    match claim {
        Claim::None | Claim::Accredited(_) => etsi_policy(level),
        Claim::EuQualified(qualification) => match qualification.device() {
            Device::Unstated => oid::QCP_LEGAL,
            Device::Certified => oid::QCP_LEGAL_DEVICE,
        },
    }
}

/// The ordered Latin name, or the ordered account, as the only alternative name.
fn alternative_name(case: &Case<'_>) -> Result<(), String> {
    let (latin, account) = match &case.order.content {
        Content::Seal { latin, .. } => (latin.as_ref(), None),
        Content::Administrator { account, .. } => (None, Some(account.as_str())),
        Content::Root
        | Content::Policy { .. }
        | Content::Cross { .. }
        | Content::Issuing { .. }
        | Content::Dedicated { .. }
        | Content::ServiceAuthority { .. }
        | Content::OcspSigner
        | Content::ListSigner { .. }
        | Content::TimeStamping { .. }
        | Content::AuditSigner { .. } => (None, None),
    };
    let number = usize::from(latin.is_some()) + usize::from(account.is_some());
    let found = case.certificate.extension(oid::SUBJECT_ALT_NAME);
    let only = found.map_or(Some(0), count) == Some(number);
    let name = case.certificate.alternative_directory_name();
    let addresses = case.certificate.alternative_addresses();
    let accounts: Vec<&str> = account.into_iter().collect();
    demand(
        only && name.as_ref() == latin && addresses == accounts,
        "the alternative name is not the ordered one alone",
    )
}

/// The constraints permit the ordered subtrees and exclude nothing.
fn name_constraints(case: &Case<'_>) -> Result<(), String> {
    let demanded = match &case.order.content {
        Content::Dedicated { scope, .. } => Some(scope),
        Content::Root
        | Content::Policy { .. }
        | Content::Cross { .. }
        | Content::Issuing { .. }
        | Content::ServiceAuthority { .. }
        | Content::Seal { .. }
        | Content::OcspSigner
        | Content::ListSigner { .. }
        | Content::TimeStamping { .. }
        | Content::Administrator { .. }
        | Content::AuditSigner { .. } => None,
    };
    demand(
        case.certificate.name_scope().as_ref() == demanded
            && demanded.is_none_or(|scope| !scope.permitted().is_empty()),
        "the constraints are not the ordered subtrees",
    )
}

/// Subject and Latin form lie in the names that the issuer may certify.
fn name_scope(case: &Case<'_>) -> Result<(), String> {
    let Some(scope) = &case.order.issuer.scope else { return Ok(()) };
    let latin = case.certificate.alternative_directory_name();
    let outside = [Some(case.certificate.subject()), latin.as_ref()]
        .into_iter()
        .flatten()
        .find(|name| !scope.permits(name));
    let found = outside.map(|name| format!("the issuer may not certify {name}"));
    demand(found.is_none(), found.unwrap_or_default())
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
        Content::Policy { repository }
        | Content::Cross { repository, .. }
        | Content::Issuing { repository, .. }
        | Content::Dedicated { repository, .. }
        | Content::ServiceAuthority { repository, .. }
        | Content::ListSigner { repository, .. }
        | Content::TimeStamping { repository, .. }
        | Content::Administrator { repository, .. }
        | Content::AuditSigner { repository, .. } => (Some(repository), None),
        Content::Seal { repository, ocsp, extras, .. } => {
            (Some(repository), (extras.term == Term::Regular).then_some(ocsp))
        }
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
    let short = [Profile::Seal1Short, Profile::Seal2Short, Profile::Seal3Short]
        .contains(&case.order.content.profile());
    // The shard that its serial number falls into, where there are several.
    let crl = addresses(case).0.filter(|_| !short).and_then(|r| r.crl.of(&case.order.serial));
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

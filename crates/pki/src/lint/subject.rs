//! Rules on the subject and its Latin form (DOMAIN 12.2, 12.4, ID-1, ID-2).

use const_oid::ObjectIdentifier;
use tenkoku_domain::certificate::Profile;
use tenkoku_domain::identifier::OrganizationIdentifier;
use tenkoku_domain::name::{NAME_MAX_CHARS, comparable, plain_text};

use super::{Case, Rule, demand};
use crate::name::{Attribute, DistinguishedName, StringType};
use crate::oid;

/// The rules of this page.
pub(super) fn rules<'a>() -> Vec<Rule<Case<'a>>> {
    vec![
        Rule { name: "subject-ordered", clause: "DOMAIN I-9", check: subject_ordered },
        Rule { name: "subject-order", clause: "DOMAIN 12.2", check: subject_order },
        Rule { name: "subject-issuer", clause: "DOMAIN 12.4", check: subject_issuer },
        Rule { name: "subject-rdn", clause: "DOMAIN 12.2", check: subject_rdn },
        Rule { name: "subject-type", clause: "DOMAIN 12.2", check: subject_type },
        Rule { name: "subject-length", clause: "DOMAIN 12.2", check: subject_length },
        Rule { name: "subject-text", clause: "DOMAIN 4.4", check: subject_text },
        Rule { name: "identifier-form", clause: "DOMAIN 4.1", check: identifier_form },
        Rule { name: "identifier-country", clause: "DOMAIN ID-1", check: identifier_country },
        Rule { name: "identifier-name", clause: "DOMAIN ID-2", check: identifier_name },
    ]
}

/// The attributes of the grammar in their order, and which of them must be there.
const SEAL: &[(ObjectIdentifier, Presence)] = &[
    (oid::COUNTRY, Presence::Must),
    (oid::STATE, Presence::May),
    (oid::LOCALITY, Presence::May),
    (oid::ORGANISATION, Presence::Must),
    (oid::ORGANISATION_IDENTIFIER, Presence::Must),
    (oid::UNIT, Presence::May),
    (oid::SERIAL_NUMBER, Presence::Must),
    (oid::COMMON_NAME, Presence::Must),
];
const AUTHORITY: &[(ObjectIdentifier, Presence)] = &[
    (oid::COUNTRY, Presence::Must),
    (oid::ORGANISATION, Presence::Must),
    (oid::ORGANISATION_IDENTIFIER, Presence::Must),
    (oid::COMMON_NAME, Presence::Must),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Must,
    May,
}

/// The subject and, where there is one, its Latin form.
fn names(case: &Case<'_>) -> Vec<DistinguishedName> {
    let latin = case.certificate.alternative_directory_name();
    [Some(case.certificate.subject().clone()), latin].into_iter().flatten().collect()
}

/// Checks each attribute of each name.
fn each(case: &Case<'_>, check: impl Fn(&Attribute) -> Result<(), String>) -> Result<(), String> {
    names(case).iter().flat_map(DistinguishedName::attributes).try_for_each(check)
}

fn subject_ordered(case: &Case<'_>) -> Result<(), String> {
    demand(*case.certificate.subject() == case.order.subject, "the subject is not the ordered one")
}

/// Order, duplicates, and presence.
fn subject_order(case: &Case<'_>) -> Result<(), String> {
    let grammar = match case.order.content.profile() {
        Profile::Seal1
        | Profile::Seal2
        | Profile::Seal3
        | Profile::Seal1Short
        | Profile::Seal2Short
        | Profile::Seal3Short => SEAL,
        Profile::Root
        | Profile::Policy
        | Profile::Cross
        | Profile::Issuing
        | Profile::Dedicated
        | Profile::TimeStampingAuthority
        | Profile::InternalAuthority
        | Profile::OcspSigner
        | Profile::ListSigner
        | Profile::TimeStamping
        | Profile::Administrator
        | Profile::AuditSigner => AUTHORITY,
    };
    for name in names(case) {
        let mut found = name.attributes().iter().map(|a| a.oid).peekable();
        for (oid, presence) in grammar {
            let here = found.next_if_eq(oid).is_some();
            demand(here || *presence == Presence::May, format!("{oid} is missing or misplaced"))?;
        }
        let surplus = found.next().map(|oid| format!("{oid} does not belong here"));
        demand(surplus.is_none(), surplus.unwrap_or_default())?;
    }
    Ok(())
}

/// Only a root has its issuer's name; generations differ in theirs (RO-4).
fn subject_issuer(case: &Case<'_>) -> Result<(), String> {
    let same = case.certificate.subject() == case.certificate.issuer();
    let root = case.order.content.profile() == Profile::Root;
    demand(same == root, "the subject's name and the issuer's do not fit the profile")
}

/// One attribute per RDN.
fn subject_rdn(case: &Case<'_>) -> Result<(), String> {
    for name in names(case) {
        let alone = name.attributes().iter().enumerate().all(|(place, a)| a.rdn == place);
        demand(alone, "two attributes share one RDN")?;
    }
    Ok(())
}

fn subject_type(case: &Case<'_>) -> Result<(), String> {
    each(case, |attribute| {
        let demanded = match attribute.oid {
            oid::COUNTRY | oid::SERIAL_NUMBER => StringType::Printable,
            _ => StringType::Utf8,
        };
        demand(attribute.string_type == demanded, format!("{} has a wrong type", attribute.label()))
    })
}

/// Characters, not octets.
fn subject_length(case: &Case<'_>) -> Result<(), String> {
    each(case, |attribute| {
        let length = attribute.text.chars().count();
        let fits = match attribute.oid {
            oid::COUNTRY => length == 2,
            _ => (1..=NAME_MAX_CHARS).contains(&length),
        };
        demand(fits, format!("{} has {length} characters", attribute.label()))
    })
}

/// NFC, no control, private-use or direction-changing characters.
fn subject_text(case: &Case<'_>) -> Result<(), String> {
    each(case, |attribute| {
        let clean = plain_text(&attribute.text).is_ok_and(|text| text == attribute.text);
        demand(clean, format!("{} has characters that are refused", attribute.label()))
    })
}

fn identifier_form(case: &Case<'_>) -> Result<(), String> {
    names(case).iter().try_for_each(|name| identifier(name).map(|_| ()))
}

fn identifier(name: &DistinguishedName) -> Result<OrganizationIdentifier, String> {
    let text = name.first(oid::ORGANISATION_IDENTIFIER).unwrap_or_default();
    OrganizationIdentifier::parse(text).map_err(|e| e.to_string())
}

fn identifier_country(case: &Case<'_>) -> Result<(), String> {
    names(case).iter().try_for_each(|name| {
        // A malformed identifier is the finding of the rule above.
        let Ok(identifier) = identifier(name) else { return Ok(()) };
        identifier
            .check_country(name.first(oid::COUNTRY).unwrap_or_default())
            .map_err(|e| e.to_string())
    })
}

fn identifier_name(case: &Case<'_>) -> Result<(), String> {
    names(case).iter().try_for_each(|name| {
        let same = name.first(oid::ORGANISATION_IDENTIFIER).map(comparable)
            == name.first(oid::ORGANISATION).map(comparable);
        demand(!same, "organizationIdentifier and organizationName are equal")
    })
}

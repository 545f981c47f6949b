//! Every rule of the lint with a draft that it, by name, does not let through.

use std::collections::BTreeSet;

use const_oid::ObjectIdentifier;
use tenkoku_domain::certificate::Validity;
use tenkoku_domain::identifier::OrganizationIdentifier;
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::level::Level;
use tenkoku_domain::subject::SealSubject;

use super::*;
use crate::asn1::{tag, write};
use crate::name::DistinguishedName;
use crate::oid;
use crate::profile::{self, Content};
use crate::signed::ThrowawayError;
use crate::specimens::{
    TestKey, TestThrowaway, at, every_order, issuing, ocsp_order, operator, public, root_order,
    seal_order, serial,
};
use crate::tbs::Parts;

mod authorities;
mod seals;

fn seal() -> Order {
    seal_order(Level::One, "seal")
}

/// The rules that find something in a body.
fn findings(parts: &Parts, order: &Order, signer: &dyn ThrowawaySigner) -> BTreeSet<&'static str> {
    match lint(parts.draft(), order, signer) {
        Ok(_) => BTreeSet::new(),
        Err(failed) => failed.findings.iter().map(|finding| finding.rule).collect(),
    }
}

fn check(rule: &str, order: &Order, change: impl FnOnce(&mut Parts)) {
    let mut parts = profile::parts(order);
    change(&mut parts);
    let found = findings(&parts, order, &TestThrowaway::new());
    assert!(found.contains(rule), "{rule} found nothing; found were {found:?}");
}

/// A body that follows its order; the order itself is what is wrong.
fn check_order(rule: &str, change: impl FnOnce(&mut Order)) {
    let mut order = seal();
    change(&mut order);
    check(rule, &order, |_| {});
}

#[test]
fn what_is_ordered_by_the_profiles_passes() {
    for (name, order, _) in every_order() {
        let found = findings(&profile::parts(&order), &order, &TestThrowaway::new());
        assert_eq!(found, BTreeSet::new(), "{name}");
    }
}

#[test]
fn version_serial_and_algorithm() {
    check("version", &seal(), |parts| parts.version = write::context(0, &write::unsigned(&[1])));
    check("serial-form", &seal(), |parts| parts.serial = write::unsigned(&[0x7F; 7]));
    check("serial-ordered", &seal(), |parts| {
        parts.serial = write::unsigned(serial(0x11).octets());
    });
    check("algorithms-equal", &seal(), |parts| {
        parts.algorithm = SignatureAlgorithm::EcdsaSha256.identifier();
    });
    check("algorithms-equal", &seal(), |parts| {
        let with_null = [write::oid(&oid::ECDSA_SHA384), write::null()];
        parts.algorithm = write::sequence(&with_null);
    });
    check("issuer-name", &seal(), |parts| parts.issuer = operator("Another").der().to_vec());
}

#[test]
fn serials_that_are_no_serials() {
    check("serial-form", &seal(), |parts| {
        parts.serial = write::tlv(tag::INTEGER, &[&[0x7F], &[1; 20][..]].concat());
    });
    let mut order = seal();
    order.serial = serial(0x52);
    check("serial-form", &order, |parts| {
        parts.serial = write::tlv(tag::INTEGER, &[0x80, 1, 2, 3, 4, 5, 6, 7, 8]);
    });
    check("serial-form", &order, |parts| parts.serial = write::unsigned(&[]));
}

/// A throw-away signer that does one thing wrong.
enum Wrong {
    Key(&'static str),
    Message,
    Nothing,
}

impl ThrowawaySigner for Wrong {
    fn sign_throwaway(
        &self,
        _: KeyAlgorithm,
        _: SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Throwaway, ThrowawayError> {
        let (key, message) = match self {
            Self::Key(name) => (*name, message),
            Self::Message => ("throwaway", &b"another body"[..]),
            Self::Nothing => return Err(ThrowawayError("no entropy".to_owned())),
        };
        let key = TestKey::load(key);
        Ok(Throwaway { spki: key.public().spki_der().to_vec(), signature: key.sign(message) })
    }
}

#[test]
fn the_throw_away_signature_must_be_real_and_of_nobody_s_key() {
    let order = seal_order(Level::Three, "seal-p384");
    for signer in [
        Wrong::Key("seal"),
        Wrong::Key("issuing"),
        Wrong::Key("seal-p384"),
        Wrong::Message,
        Wrong::Nothing,
    ] {
        let found = findings(&profile::parts(&order), &order, &signer);
        assert!(found.contains("throwaway-signature"), "{found:?}");
    }
}

fn days(from: &str, days: i64) -> Validity {
    Validity::days(at(from), days)
}

#[test]
fn validity() {
    check("validity-form", &seal(), |parts| {
        let Validity { not_before, not_after } = seal().validity;
        let dates = [write::generalized_time(not_before), write::time(not_after)];
        parts.validity = write::sequence(&dates);
    });
    check("validity-ordered", &seal(), |parts| {
        let Validity { not_before, not_after } = days("2026-11-03T00:00:00Z", 90);
        parts.validity = write::sequence(&[write::time(not_before), write::time(not_after)]);
    });
    check_order("validity-length", |order| order.validity = days("2026-11-03T00:00:00Z", 1096));
    check_order("validity-length", |order| {
        order.validity.not_after = order.validity.not_before.plus_seconds(-1);
    });
    check_order("validity-length", |order| {
        order.validity.not_after = order.validity.not_after.plus_seconds(1);
    });
    check_order("validity-issuer", |order| order.validity = days("2036-10-01T00:00:00Z", 300));
    check_order("validity-issuer", |order| order.validity = days("2026-10-01T00:00:00Z", 300));
}

#[test]
fn an_authority_of_2050_is_written_with_generalized_time_and_passes() {
    let mut order = root_order();
    order.validity = days("2040-01-01T00:00:00Z", 7300);
    order.issuer.validity = order.validity;
    let found = findings(&profile::parts(&order), &order, &TestThrowaway::new());
    assert_eq!(found, BTreeSet::new());
    check("validity-ordered", &order, |parts| {
        // UTCTime cannot say 2059: it says 1959.
        let utc = write::tlv(tag::UTC_TIME, b"591226235959Z");
        let Validity { not_before, .. } = order.validity;
        parts.validity = write::sequence(&[write::time(not_before), utc]);
    });
}

#[test]
fn keys() {
    check("key-ordered", &seal(), |parts| parts.spki = public("list").spki_der().to_vec());
    for (level, key) in [(Level::Two, "seal-rsa2048"), (Level::Three, "seal-p521")] {
        check("key-type", &seal_order(level, key), |_| {});
    }
    let mut root = root_order();
    root.key = public("seal");
    check("key-type", &root, |_| {});
    check_order("key-own", |order| order.key = order.issuer.key.clone());
    root.key = public("issuing");
    check("key-own", &root, |_| {});
}

/// A name of the given attributes, each in its RDN.
fn dn(values: &[(ObjectIdentifier, Vec<u8>)]) -> DistinguishedName {
    let rdns: Vec<Vec<u8>> =
        values.iter().map(|(oid, value)| write::set_of_one(&pair(oid, value))).collect();
    DistinguishedName::parse(&write::sequence(&rdns)).unwrap()
}

fn pair(oid: &ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    write::sequence(&[write::oid(oid).as_slice(), value])
}

fn attributes() -> Vec<(ObjectIdentifier, Vec<u8>)> {
    vec![
        (oid::COUNTRY, write::printable("JP")),
        (oid::ORGANISATION, write::utf8("株式会社サンプル")),
        (oid::ORGANISATION_IDENTIFIER, write::utf8("NTRJP-5010401067252")),
        (oid::SERIAL_NUMBER, write::printable("HQ/01")),
        (oid::COMMON_NAME, write::utf8("株式会社サンプル 電子印")),
    ]
}

/// Orders a subject with one change, so that only its form can be found.
fn check_subject(rule: &str, change: impl FnOnce(&mut Vec<(ObjectIdentifier, Vec<u8>)>)) {
    let mut values = attributes();
    change(&mut values);
    check_order(rule, |order| order.subject = dn(&values));
}

#[test]
fn subjects() {
    check("subject-ordered", &seal(), |parts| parts.subject = dn(&attributes()).der().to_vec());
    check_subject("subject-order", |values| values.swap(1, 2));
    check_subject("subject-order", |values| values.swap(3, 4));
    check_subject("subject-order", |values| drop(values.remove(3)));
    check_subject("subject-order", |values| values.insert(2, values[1].clone()));
    check_subject("subject-order", |values| {
        let given_name = ObjectIdentifier::new_unwrap("2.5.4.42");
        values.push((given_name, write::utf8("花子")));
    });
    check_subject("subject-type", |values| values[1].1 = write::printable("Sample"));
    check_subject("subject-type", |values| values[3].1 = write::utf8("HQ/01"));
    check_subject("subject-type", |values| values[0].1 = write::utf8("JP"));
    check_subject("subject-length", |values| values[1].1 = write::utf8(&"あ".repeat(65)));
    check_subject("subject-length", |values| values[1].1 = write::utf8(""));
    check_subject("subject-length", |values| values[0].1 = write::printable("JPN"));
    check_subject("subject-text", |values| values[1].1 = write::utf8("Sample\nCo."));
    check_subject("subject-text", |values| values[1].1 = write::utf8("か\u{3099}く"));
    check_subject("subject-text", |values| values[4].1 = write::utf8("a\u{202E}b"));
}

#[test]
fn two_attributes_in_one_rdn() {
    let mut rdns: Vec<Vec<u8>> =
        attributes().iter().map(|(oid, value)| write::set_of_one(&pair(oid, value))).collect();
    let both = [pair(&oid::COUNTRY, &write::printable("JP")), rdns[1][2..].to_vec()].concat();
    rdns.splice(0..2, [write::set_of_one(&both)]);
    let name = DistinguishedName::parse(&write::sequence(&rdns)).unwrap();
    check_order("subject-rdn", |order| order.subject = name);
}

#[test]
fn identifiers() {
    let identifier = |text: &'static str| {
        move |values: &mut Vec<(ObjectIdentifier, Vec<u8>)>| values[2].1 = write::utf8(text)
    };
    check_subject("identifier-form", identifier("NTRJP-6010401067252"));
    check_subject("identifier-form", identifier("5010401067252"));
    check_subject("identifier-country", identifier("VATDE-123456789"));
    check_subject("identifier-name", |values| {
        values[1].1 = write::utf8("ntrjp-5010401067252");
    });
}

#[test]
fn the_latin_form_obeys_the_same_rules() {
    check_order("subject-type", |order| {
        let mut values = attributes();
        values[1].1 = write::printable("Sample");
        if let Content::Seal { latin, .. } = &mut order.content {
            *latin = Some(dn(&values));
        }
    });
}

/// Puts an extension in the place of the one of the same type.
fn replace(parts: &mut Parts, oid: &ObjectIdentifier, critical: bool, value: &[u8]) {
    let marker = write::oid(oid);
    let truth: &[u8] = if critical { &[1, 1, 0xFF] } else { &[] };
    let extension = write::sequence(&[marker.as_slice(), truth, &write::octets(value)]);
    let place = parts
        .extensions
        .iter()
        .position(|e| e.windows(marker.len()).take(6).any(|part| part == marker))
        .unwrap();
    parts.extensions[place] = extension;
}

fn check_value(rule: &str, oid: &ObjectIdentifier, critical: bool, value: &[u8]) {
    check(rule, &seal(), |parts| replace(parts, oid, critical, value));
}

#[test]
fn extensions_and_their_order() {
    check("extension-set", &seal(), |parts| parts.extensions.swap(0, 1));
    check("extension-set", &seal(), |parts| drop(parts.extensions.pop()));
    check("extension-set", &seal(), |parts| {
        let again = parts.extensions[1].clone();
        parts.extensions.push(again);
    });
    check("extension-set", &seal(), |parts| {
        let constraints = pair(&oid::BASIC_CONSTRAINTS, &write::octets(&[0x30, 0]));
        parts.extensions.push(constraints);
    });
    check("extension-set", &ocsp_order(), |parts| {
        let sealing = profile::parts(&seal()).extensions;
        parts.extensions.extend(sealing.into_iter().skip(6).take(2));
    });
    check_value("criticality", &oid::KEY_USAGE, false, &[3, 2, 6, 0x40]);
    check_value("criticality", &oid::CERTIFICATE_POLICIES, true, &[0x30, 0]);
}

#[test]
fn fixed_values() {
    // digitalSignature and nonRepudiation; keyCertSign; nonRepudiation with surplus bits.
    for usage in [[3, 2, 6, 0xC0], [3, 2, 2, 0x04], [3, 2, 0, 0x40]] {
        check_value("fixed-values", &oid::KEY_USAGE, true, &usage);
    }
    let any = write::sequence(&[write::oid(&ObjectIdentifier::new_unwrap("2.5.29.37.0"))]);
    check_value("fixed-values", &oid::EXT_KEY_USAGE, false, &any);
    check("fixed-values", &ocsp_order(), |parts| {
        replace(parts, &oid::OCSP_NOCHECK, false, &[0x30, 0]);
    });
    for order in [root_order(), crate::specimens::issuing_order(Level::One)] {
        check("fixed-values", &order, |parts| {
            replace(parts, &oid::BASIC_CONSTRAINTS, true, &[0x30, 0]);
        });
    }
    check("fixed-values", &crate::specimens::list_order(), |parts| {
        replace(parts, &oid::BASIC_CONSTRAINTS, true, &[0x30, 3, 1, 1, 0xFF]);
    });
}

#[test]
fn key_identifiers() {
    let other = public("list").key_identifier();
    let ski = write::octets(&other);
    check_value("subject-key-identifier", &oid::SUBJECT_KEY_IDENTIFIER, false, &ski);
    let aki = write::sequence(&[write::tlv(tag::primitive(0), &other)]);
    check_value("authority-key-identifier", &oid::AUTHORITY_KEY_IDENTIFIER, false, &aki);
    let own = write::tlv(tag::primitive(0), &seal().issuer.key.key_identifier());
    let serial = write::tlv(tag::primitive(2), &[1]);
    let aki = write::sequence(&[own, serial]);
    check_value("authority-key-identifier", &oid::AUTHORITY_KEY_IDENTIFIER, false, &aki);
    check("authority-key-identifier", &root_order(), |parts| {
        let aki = profile::parts(&seal()).extensions.swap_remove(0);
        parts.extensions.push(aki);
    });
}

#[test]
fn policies_of_another_level_or_more_of_them() {
    let of = |level| {
        let order = seal_order(level, "seal");
        profile::parts(&order).extensions.swap_remove(4)
    };
    check("policies", &seal(), |parts| parts.extensions[4] = of(Level::Three));
    let any = ObjectIdentifier::new_unwrap("2.5.29.32.0");
    let any = write::sequence(&[write::sequence(&[write::oid(&any)])]);
    check_value("policies", &oid::CERTIFICATE_POLICIES, false, &any);
    check("policies", &crate::specimens::issuing_order(Level::Two), |parts| {
        replace(parts, &oid::CERTIFICATE_POLICIES, false, &any);
    });
}

#[test]
fn alternative_names() {
    let other = write::context(4, dn(&attributes()).der());
    let one = write::sequence(&[&other]);
    check_value("alternative-name", &oid::SUBJECT_ALT_NAME, false, &one);
    let Content::Seal { latin: Some(latin), .. } = seal().content else { panic!("no Latin name") };
    let mail = write::tlv(tag::primitive(1), b"seal@sample.example");
    let two = write::sequence(&[write::context(4, latin.der()), mail]);
    check_value("alternative-name", &oid::SUBJECT_ALT_NAME, false, &two);
    check("alternative-name", &seal(), |parts| drop(parts.extensions.remove(5)));
}

fn uri(address: &str) -> Vec<u8> {
    write::tlv(tag::primitive(6), address.as_bytes())
}

#[test]
fn addresses() {
    let access = |issuers: &str, ocsp: &str| {
        write::sequence(&[pair(&oid::CA_ISSUERS, &uri(issuers)), pair(&oid::OCSP, &uri(ocsp))])
    };
    let (issuers, ocsp) =
        ("http://pki.example.jp/ca/seal-l1-g1.cer", "http://pki.example.jp/ocsp/seal-l1-g1");
    let aia = &oid::AUTHORITY_INFO_ACCESS;
    check_value("information-access", aia, false, &access("https://pki.example.jp/", ocsp));
    check_value("information-access", aia, false, &access(issuers, "http://other.example.jp/"));
    let one = write::sequence(&[pair(&oid::CA_ISSUERS, &uri(issuers))]);
    check_value("information-access", aia, false, &one);
    let twice = [pair(&oid::CA_ISSUERS, &uri(issuers)), pair(&oid::CA_ISSUERS, &uri(issuers))];
    check_value("information-access", aia, false, &write::sequence(&twice));

    let point = |address: &str| {
        let name = write::context(0, &uri(address));
        write::sequence(&[write::context(0, &name)])
    };
    let crl = "http://pki.example.jp/crl/seal-l1-g1.crl";
    let points = |points: &[Vec<u8>]| write::sequence(points);
    let cdp = &oid::CRL_DISTRIBUTION_POINTS;
    check_value("crl-distribution", cdp, false, &points(&[point("ldap://pki.example.jp/")]));
    check_value("crl-distribution", cdp, false, &points(&[point(crl), point(crl)]));
    check_value("crl-distribution", cdp, false, &points(&[]));
}

#[test]
fn statements() {
    let qc = &oid::QC_STATEMENTS;
    let compliance = write::sequence(&[write::oid(&oid::QC_COMPLIANCE)]);
    check_value("qc-statements", qc, false, &write::sequence(&[compliance]));
    check_value("qc-statements", qc, false, &[0x30, 0]);
    check_value("qc-statements", qc, false, &[4, 0]);
}

#[test]
fn what_is_not_a_certificate_is_not_linted_further() {
    check("decodable", &seal(), |parts| parts.spki.clear());
    check("other-reader", &seal(), |parts| {
        // A BIT STRING whose unused bits are counted as nine, inside the key.
        parts.spki = write::sequence(&[pair(&oid::EC_PUBLIC_KEY, &[]), vec![3, 2, 9, 0]]);
    });
    check("decodable", &seal(), |parts| parts.validity = write::sequence::<&[u8]>(&[]));
    check("decodable", &seal(), |parts| parts.extensions[0].truncate(3));
    let odd = Draft::from_der([profile::draft(&seal()).der(), &[0]].concat());
    let failed = lint(odd, &seal(), &TestThrowaway::new()).unwrap_err();
    assert_eq!(failed.findings[0].rule, "decodable");
}

#[test]
fn no_rule_is_without_a_draft_that_it_refuses() {
    let pages = [
        include_str!("tests.rs"),
        include_str!("tests/authorities.rs"),
        include_str!("tests/seals.rs"),
    ]
    .concat();
    for rule in rules() {
        let name = format!("\"{}\"", rule.name);
        assert!(pages.contains(&name), "{} has no test", rule.name);
    }
}

#[test]
fn a_foreign_or_damaged_signature_completes_nothing() {
    let order = seal();
    let linted = lint(profile::draft(&order), &order, &TestThrowaway::new()).unwrap();
    let foreign = TestKey::load("root").sign(linted.tbs_der());
    assert_eq!(linted.clone().assemble(&foreign), Err(AssembleError::Signature));
    assert_eq!(linted.clone().assemble(&[]), Err(AssembleError::Signature));
    let own = TestKey::load("issuing").sign(linted.tbs_der());
    assert!(linted.assemble(&own).is_ok());
}

#[test]
fn a_refusal_names_the_rules() {
    let mut order = seal();
    order.validity = days("2026-11-03T00:00:00Z", 1096);
    let failed = lint(profile::draft(&order), &order, &TestThrowaway::new()).unwrap_err();
    let refusal = failed.refusal();
    assert_eq!(refusal.code, RefusalCode::LintFailed);
    assert!(refusal.facts["findings"].contains("validity-length (DOMAIN 12.1)"));
    assert_eq!(issuing(Level::One), order.issuer);
}

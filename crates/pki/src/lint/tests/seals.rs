//! What the lint says on seals that are not as DOMAIN 12.2, 12.3, 12.6 and 12.7 want them.

use tenkoku_domain::accreditation::ClaimKind;

use super::*;
use crate::qc::Device;
use crate::seal::KeyUsageSetting;
use crate::specimens::{
    claiming_order, lei, logotype, of_subject, organisation_seal, rich_order, short_order, twin,
    with_extras, witness_seal,
};
use crate::uri::HttpsUri;

/// A body of an order, one of whose extensions has another value.
fn check_replaced(rule: &str, order: &Order, oid: &ObjectIdentifier, value: &[u8]) {
    check(rule, order, |parts| replace(parts, oid, false, value));
}

/// An extension of an order, whole.
fn extension(order: &Order, oid: &ObjectIdentifier) -> Vec<u8> {
    let marker = write::oid(oid);
    let all = profile::parts(order).extensions;
    all.into_iter().find(|e| e.windows(marker.len()).take(6).any(|part| part == marker)).unwrap()
}

#[test]
fn the_three_forms_of_seals_have_their_own_subjects() {
    let wrong =
        |subject: &SealSubject| check("seal-form", &of_subject(Level::Two, subject), |_| {});
    for number in ["BR-0002/01", "HQ/1", "HQ/00", "HQ", "01"] {
        wrong(&SealSubject { serial_number: number.to_owned(), ..organisation_seal() });
    }
    for number in ["HQ/01", "br/01", "BR-0002", "BR-0002/x1"] {
        wrong(&SealSubject { serial_number: number.to_owned(), ..crate::specimens::branch_seal() });
    }
    wrong(&SealSubject { serial_number: "HQ/01".to_owned(), ..witness_seal() });
    wrong(&SealSubject { locality: organisation_seal().locality, ..witness_seal() });
    // The Latin form of another instance, and of another form.
    let mut order = seal();
    if let Content::Seal { latin, .. } = &mut order.content {
        *latin = Some(dn(&attributes()));
    }
    check("seal-form", &order, |_| {});
}

#[test]
fn a_witness_seal_at_level_3_is_found() {
    check("witness-level", &of_subject(Level::Three, &witness_seal()), |_| {});
}

#[test]
fn key_usage_is_that_of_the_setting_ordered() {
    let a = with_extras(Level::Two, |_| {});
    let b = with_extras(Level::Two, |extras| extras.usage = KeyUsageSetting::B);
    for (order, usage) in [(&a, [3, 2, 6, 0xC0]), (&b, [3, 2, 6, 0x40]), (&b, [3, 2, 7, 0x80])] {
        check("fixed-values", order, |parts| replace(parts, &oid::KEY_USAGE, true, &usage));
    }
    let high = with_extras(Level::Three, |extras| extras.usage = KeyUsageSetting::B);
    check("usage-level", &high, |_| {});
}

#[test]
fn ml_dsa_keys_have_no_key_usage_but_those_of_rfc_9881() {
    let order = seal_order(Level::Three, "seal-mldsa65");
    // keyEncipherment; keyAgreement beside nonRepudiation.
    for usage in [[3, 2, 5, 0x20], [3, 2, 3, 0x48]] {
        check("fixed-values", &order, |parts| replace(parts, &oid::KEY_USAGE, true, &usage));
    }
}

#[test]
fn the_policies_are_those_of_the_claim() {
    let plain = claiming_order(ClaimKind::EuQualified, Device::Unstated);
    let device = claiming_order(ClaimKind::EuQualified, Device::Certified);
    let none = seal_order(Level::Three, "seal-p384");
    let policies = |order: &Order| extension(order, &oid::CERTIFICATE_POLICIES);
    for (order, other) in [(&plain, &device), (&device, &plain), (&plain, &none), (&none, &plain)] {
        check("policies", order, |parts| parts.extensions[4] = policies(other));
    }
}

#[test]
fn the_statements_are_those_of_the_claim_and_no_fewer() {
    let kinds = [ClaimKind::Accredited, ClaimKind::EuQualified];
    let orders = kinds.map(|kind| claiming_order(kind, Device::Certified));
    let bare = kinds.map(|kind| claiming_order(kind, Device::Unstated));
    let none = seal_order(Level::Three, "seal-p384");
    let [accredited, qualified] = &orders;
    // A claim without its statements, with the other claim's, with or without a device.
    for (order, other) in [
        (accredited, &none),
        (accredited, qualified),
        (qualified, accredited),
        (qualified, &bare[1]),
        (&bare[0], accredited),
        (&none, accredited),
    ] {
        let statements = extension(other, &oid::QC_STATEMENTS);
        check("qc-statements", order, |parts| {
            let last = parts.extensions.len() - 1;
            parts.extensions[last] = statements;
        });
    }
    let mut low = claiming_order(ClaimKind::Accredited, Device::Unstated);
    if let Content::Seal { level, .. } = &mut low.content {
        *level = Level::Two;
    }
    check("claim-level", &low, |_| {});
}

/// The QCStatements extension value of these statements.
fn statements_of(statements: &[Vec<u8>]) -> Vec<u8> {
    write::sequence(statements)
}

#[test]
fn pr_3_finds_an_etsi_statement_without_qc_compliance() {
    let order = claiming_order(ClaimKind::Accredited, Device::Certified);
    for statement in [oid::QC_SSCD, oid::QC_TYPE, oid::QC_PDS, oid::QC_LEGISLATION] {
        let alone = statements_of(&[write::sequence(&[write::oid(&statement)])]);
        check_replaced("statement-compliance", &order, &oid::QC_STATEMENTS, &alone);
        check_replaced("statement-compliance", &seal(), &oid::QC_STATEMENTS, &alone);
    }
}

#[test]
fn disclosure_statements_lie_at_https_addresses() {
    let order = claiming_order(ClaimKind::Accredited, Device::Certified);
    let pair = |address: &str| write::sequence(&[write::ia5(address), write::printable("en")]);
    for address in ["http://pds.example.jp/en.pdf", "ftp://pds.example.jp/", ""] {
        let list = write::sequence(&[pair(address)]);
        let statement = write::sequence(&[write::oid(&oid::QC_PDS), list]);
        let wrong = statements_of(&[statement]);
        check_replaced("disclosure-address", &order, &oid::QC_STATEMENTS, &wrong);
    }
}

#[test]
fn the_lei_is_the_ordered_one_and_right() {
    let order = rich_order();
    for wrong in [
        write::printable("353800ABCDEFGHIJKL56"),
        write::printable("5299000J2N45DDNE4Y29"),
        write::utf8("5299000J2N45DDNE4Y28"),
        write::printable("5299000J2N45DDNE4Y2"),
    ] {
        check_replaced("lei", &order, &oid::LEI, &wrong);
    }
    // Ordered for a subject whose identifier is another LEI.
    let mut subject = organisation_seal();
    subject.identifier = OrganizationIdentifier::parse("LEIXG-353800ABCDEFGHIJKL56").unwrap();
    let mut other = of_subject(Level::Two, &subject);
    if let Content::Seal { extras, .. } = &mut other.content {
        extras.lei = Some(lei());
    }
    check("lei", &other, |_| {});
    check("extension-set", &seal(), |parts| parts.extensions.push(extension(&order, &oid::LEI)));
}

#[test]
fn the_hash_of_the_logotype_is_that_of_the_stored_imprint() {
    let with = |change: fn(&mut crate::seal::Logotype)| {
        let order = with_extras(Level::Three, |extras| {
            let mut picture = logotype();
            change(&mut picture);
            extras.logotype = Some(picture);
        });
        extension(&order, &oid::LOGOTYPE)
    };
    let place = |order: &Order| profile::parts(order).extensions.len() - 2;
    let order = rich_order();
    for wrong in [
        with(|picture| picture.octets.push(b' ')),
        with(|picture| picture.address = HttpsUri::parse("https://other.example.jp/").unwrap()),
        with(|picture| picture.picture = crate::seal::ImprintType::Png),
    ] {
        check("logotype", &order, |parts| parts.extensions[place(&order)] = wrong);
    }
    check_replaced("logotype", &order, &oid::LOGOTYPE, &[0x30, 0]);
    // The stored imprint changed after the decision: the writer would hash the new one.
    let written = profile::parts(&order);
    let mut changed = rich_order();
    if let Content::Seal { extras, .. } = &mut changed.content {
        extras.logotype.as_mut().unwrap().octets = b"<svg/>".to_vec();
    }
    assert!(findings(&written, &changed, &TestThrowaway::new()).contains("logotype"));
}

#[test]
fn a_twin_is_the_ordered_certificate_and_not_for_level_1() {
    let order = rich_order();
    let mut other = order.clone();
    if let Content::Seal { extras, .. } = &mut other.content {
        extras.twin = Some(twin("seal-1"));
    }
    let place = profile::parts(&order).extensions.len() - 1;
    let foreign = extension(&other, &oid::RELATED_CERTIFICATE);
    check("twin", &order, |parts| parts.extensions[place] = foreign);
    let low = with_extras(Level::One, |extras| {
        extras.twin = Some(twin("seal-2"));
    });
    check("twin", &low, |_| {});
}

#[test]
fn no_rev_avail_excludes_every_address_for_revocation_information() {
    let short = short_order(Level::One);
    let regular = seal();
    check("no-rev-avail", &short, |parts| {
        let at = parts.extensions.len() - 2;
        parts.extensions.insert(at, extension(&regular, &oid::CRL_DISTRIBUTION_POINTS));
    });
    check("no-rev-avail", &short, |parts| {
        let access = extension(&regular, &oid::AUTHORITY_INFO_ACCESS);
        parts.extensions[6] = access;
    });
    check("no-rev-avail", &short, |parts| drop(parts.extensions.pop()));
    check("no-rev-avail", &regular, |parts| {
        parts.extensions.push(extension(&short, &oid::NO_REV_AVAIL));
    });
    check_replaced("no-rev-avail", &short, &oid::NO_REV_AVAIL, &[0x30, 0]);
    check("criticality", &short, |parts| {
        replace(parts, &oid::NO_REV_AVAIL, true, &[5, 0]);
    });
}

#[test]
fn i_8_a_short_lived_seal_lives_a_day_and_no_second_longer() {
    for level in Level::ALL {
        let mut order = short_order(level);
        order.validity.not_after = order.validity.not_after.plus_seconds(1);
        check("validity-length", &order, |_| {});
    }
}

#[test]
fn identifiers_that_common_libraries_cannot_hold_are_found() {
    // 2.25.1 as a policy, and a number over 2^32 as the type of a statement.
    let uuid = write::tlv(tag::OID, &[105, 1]);
    let policies = write::sequence(&[write::sequence(&[uuid])]);
    check_replaced("identifiers-decodable", &seal(), &oid::CERTIFICATE_POLICIES, &policies);
    let large = write::tlv(tag::OID, &[0x2B, 0x90, 0x80, 0x80, 0x80, 0x00]);
    let statements = statements_of(&[write::sequence(&[large])]);
    check_replaced("identifiers-decodable", &seal(), &oid::QC_STATEMENTS, &statements);
}

#[test]
fn i_4_a_serial_number_of_fewer_than_64_bits_or_more_than_20_octets_is_found() {
    let mut order = seal();
    order.serial = tenkoku_domain::certificate::Serial::parse("7FFFFFFFFFFFFF").unwrap();
    check("serial-form", &order, |_| {});
    check("serial-form", &seal(), |parts| {
        parts.serial = write::tlv(tag::INTEGER, &[&[0x7F], &[1; 20][..]].concat());
    });
}

#[test]
fn id_1_a_country_that_is_not_the_identifier_s_is_found() {
    check_subject("identifier-country", |values| {
        values[2].1 = write::utf8("VATDE-123456789");
    });
}

#[test]
fn id_2_a_name_that_equals_the_identifier_is_found() {
    check_subject("identifier-name", |values| {
        values[1].1 = write::utf8("NtrJP-5010401067252");
    });
}

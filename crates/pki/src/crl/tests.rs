//! Every rule of the CRL lint with a draft that it refuses, and the reader's limits.

use std::collections::BTreeSet;

use tenkoku_domain::level::Level;

use super::lint::rule_names;
use super::*;
use crate::signed::AssembleError;
use crate::specimens::{TestKey, at, crl_order, entries, issuing, operator, public, serial};

fn check(rule: &str, order: &CrlOrder<'_>, change: impl FnOnce(&mut Parts)) {
    let mut parts = parts(order);
    change(&mut parts);
    let found: BTreeSet<&str> = match lint(parts.draft(), order) {
        Ok(_) => BTreeSet::new(),
        Err(failed) => failed.findings.iter().map(|finding| finding.rule).collect(),
    };
    assert!(found.contains(rule), "{rule} found nothing; found were {found:?}");
}

fn with_order(rule: &str, change: impl FnOnce(&mut CrlOrder<'_>)) {
    let (issuer, entries) = (issuing(Level::One), entries());
    let mut order = crl_order(&issuer, &entries);
    change(&mut order);
    check(rule, &order, |_| {});
}

fn with_parts(rule: &str, change: impl FnOnce(&mut Parts)) {
    let (issuer, entries) = (issuing(Level::One), entries());
    check(rule, &crl_order(&issuer, &entries), change);
}

#[test]
fn fields_that_are_not_as_ordered() {
    with_parts("version", |parts| parts.version = write::unsigned(&[0]));
    with_parts("algorithm", |parts| {
        parts.algorithm = SignatureAlgorithm::RsaSha256.identifier();
    });
    with_parts("issuer-name", |parts| parts.issuer = operator("Another").der().to_vec());
    with_parts("dates-ordered", |parts| {
        parts.this_update = write::time(at("2026-11-29T00:00:00Z"));
    });
    with_parts("dates-form", |parts| {
        parts.next_update = write::generalized_time(at("2026-12-03T00:00:00Z"));
    });
    with_order("next-update", |order| order.next_update = order.this_update);
    with_order("number-rising", |order| order.previous = Some(order.number));
    with_order("number-rising", |order| order.number = 0);
    with_parts("decodable", |parts| parts.extensions.push(vec![5]));
}

#[test]
fn extensions_that_are_not_as_ordered() {
    with_parts("extensions", |parts| parts.extensions.swap(0, 1));
    with_parts("extensions", |parts| drop(parts.extensions.pop()));
    with_parts("extensions", |parts| {
        let other = write::tlv(tag::primitive(0), &public("list").key_identifier());
        parts.extensions[0] = plain(&oid::AUTHORITY_KEY_IDENTIFIER, &write::sequence(&[other]));
    });
    with_parts("extensions", |parts| {
        let number = write::octets(&write::unsigned(&[7]));
        let critical = [write::oid(&oid::CRL_NUMBER), vec![1, 1, 0xFF], number];
        parts.extensions[1] = write::sequence(&critical);
    });
}

#[test]
fn entries_that_are_not_as_ordered() {
    with_parts("entries-ordered", |parts| {
        parts.revoked = write::sequence(&[&entries()[0], &entries()[1]]);
    });
    let issuer = issuing(Level::One);
    check("entries-present", &crl_order(&issuer, &[]), |parts| parts.revoked = vec![0x30, 0]);
    let bare = EncodedEntry(write::sequence(&[
        write::unsigned(&[5; 9]),
        write::time(at("2026-11-10T00:00:00Z")),
    ]));
    check("entries-readable", &crl_order(&issuer, &[bare]), |_| {});
    let unspecified = EncodedEntry(write::sequence(&[
        write::unsigned(&[5; 9]),
        write::time(at("2026-11-10T00:00:00Z")),
        write::sequence(&[plain(&oid::CRL_REASON, &[0x0A, 1, 0])]),
    ]));
    check("entries-readable", &crl_order(&issuer, &[unspecified]), |_| {});
    let twice = [entries()[0].clone(), entries()[1].clone(), entries()[0].clone()];
    check("entries-once", &crl_order(&issuer, &twice), |_| {});
    let future = Entry {
        serial: serial(0x70),
        at: at("2026-11-30T00:00:01Z"),
        reason: ReasonCode::Superseded,
        invalid_since: None,
    };
    check("entries-past", &crl_order(&issuer, &[future.encode()]), |_| {});
}

#[test]
fn no_rule_is_without_a_draft_that_it_refuses() {
    let page = include_str!("tests.rs");
    for rule in rule_names() {
        assert!(page.contains(&format!("\"{rule}\"")), "{rule} has no test");
    }
}

#[test]
fn a_list_of_an_ended_authority_reaches_the_end_of_time() {
    let (issuer, entries) = (issuing(Level::One), entries());
    let mut order = crl_order(&issuer, &entries);
    order.next_update = at("9999-12-31T23:59:59Z");
    let linted = lint(draft(&order), &order).unwrap();
    let signature = TestKey::load("issuing").sign_linted(&linted);
    let list = Crl::parse(&linted.assemble(&signature).unwrap()).unwrap();
    assert_eq!(list.next_update(), order.next_update);
    assert_eq!(list.verify(&public("root")).is_err(), list.verify(&issuer.key).is_ok());
}

#[test]
fn entries_come_back_as_they_were_given() {
    let (issuer, entries) = (issuing(Level::One), entries());
    let order = crl_order(&issuer, &entries);
    let list = Crl::parse(&crate::specimens::crl(&order, "issuing")).unwrap();
    let read: Vec<CrlEntry> = list.entries().map(Result::unwrap).collect();
    let again: Vec<EncodedEntry> = read
        .into_iter()
        .map(|CrlEntry { serial, at, reason, invalid_since }| {
            Entry { serial, at, reason: reason.unwrap(), invalid_since }.encode()
        })
        .collect();
    assert_eq!(again, entries);
    assert_eq!(*list.issuer(), issuer.name);
}

#[test]
fn another_signature_completes_nothing() {
    let (issuer, entries) = (issuing(Level::One), entries());
    let order = crl_order(&issuer, &entries);
    let linted = lint(draft(&order), &order).unwrap();
    let foreign = TestKey::load("root").sign(draft(&order).der());
    assert_eq!(linted.assemble(&foreign), Err(AssembleError::Signature));
}

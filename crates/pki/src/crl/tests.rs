//! Every rule of the CRL lint with a draft that it refuses, and the reader's limits.

use std::collections::BTreeSet;

use tenkoku_domain::level::Level;

use super::lint::rule_names;
use super::*;
use crate::signed::AssembleError;
use crate::specimens::{
    TestKey, at, changes, crl_order, delta_order, entries, entry, issuing, operator, public,
    serial, shard_address,
};

fn check(rule: &str, order: &CrlOrder<'_>, change: impl FnOnce(&mut Parts<'_>)) {
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

fn with_parts(rule: &str, change: impl FnOnce(&mut Parts<'_>)) {
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
fn shards_and_deltas_that_are_not_as_ordered() {
    let (address, other) = (shard_address(3), shard_address(4));
    with_order("delta-base", |order| order.kind = CrlKind::Delta { base: order.number });
    with_order("delta-base", |order| order.kind = CrlKind::Delta { base: 0 });
    let (issuer, entries) = (issuing(Level::One), entries());
    let plain_order = crl_order(&issuer, &entries);
    let point = extensions_of(&CrlOrder { shard: Some(&address), ..plain_order.clone() });
    // A part that says it is the whole, the whole that says it is a part, a mark nobody must heed.
    let sharded = CrlOrder { shard: Some(&address), ..plain_order.clone() };
    check("shard", &sharded, |parts| drop(parts.extensions.remove(2)));
    check("shard", &plain_order, |parts| parts.extensions.insert(2, point[2].clone()));
    check("shard", &sharded, |parts| {
        let value = [write::context(0, &full_name(&address))];
        parts.extensions[2] = plain(&oid::ISSUING_DISTRIBUTION_POINT, &write::sequence(&value));
    });
    let elsewhere = extensions_of(&CrlOrder { shard: Some(&other), ..plain_order.clone() });
    check("extensions", &sharded, |parts| parts.extensions[2] = elsewhere[2].clone());
    let pointing = CrlKind::Complete { freshest: Some(&address) };
    let freshest = extensions_of(&CrlOrder { kind: pointing, ..plain_order });
    let changes = changes();
    check("freshest", &delta_order(&issuer, &changes), |parts| {
        parts.extensions.insert(3, freshest[2].clone());
    });
}

fn extensions_of(order: &CrlOrder<'_>) -> Vec<Vec<u8>> {
    parts(order).extensions
}

#[test]
fn entries_that_are_not_as_ordered() {
    let all = entries();
    let issuer = issuing(Level::One);
    let fewer = [entry(0x70, ReasonCode::Superseded, None)].iter().collect::<EntryList>();
    check("entries-ordered", &crl_order(&issuer, &all), |parts| {
        parts.revoked = Some(fewer.der().to_vec().into());
    });
    check("entries-present", &crl_order(&issuer, &EntryList::new()), |parts| {
        parts.revoked = Some(Vec::new().into());
    });
    let bare =
        write::sequence(&[write::unsigned(&[5; 9]), write::time(at("2026-11-10T00:00:00Z"))]);
    check("entries-readable", &crl_order(&issuer, &EntryList::from_der(bare, 1)), |_| {});
    let unspecified = write::sequence(&[
        write::unsigned(&[5; 9]),
        write::time(at("2026-11-10T00:00:00Z")),
        write::sequence(&[plain(&oid::CRL_REASON, &[0x0A, 1, 0])]),
    ]);
    check("entries-readable", &crl_order(&issuer, &EntryList::from_der(unspecified, 1)), |_| {});
    let miscounted = EntryList::from_der(all.der().to_vec(), 2);
    check("entries-readable", &crl_order(&issuer, &miscounted), |_| {});
    let twice = EntryList::from_der([all.der(), fewer.der()].concat(), 4);
    check("entries-once", &crl_order(&issuer, &twice), |_| {});
    let future =
        Entry { at: at("2026-11-30T00:00:01Z"), ..entry(0x70, ReasonCode::Superseded, None) };
    check("entries-past", &crl_order(&issuer, &[future].iter().collect()), |_| {});
    let changes = changes();
    let complete =
        CrlOrder { kind: CrlKind::Complete { freshest: None }, ..delta_order(&issuer, &changes) };
    check("removed-in-delta", &complete, |_| {});
}

#[test]
fn serial_numbers_that_end_alike_are_not_taken_for_one() {
    let like = |first: u8| Entry {
        serial: Serial::from_octets(&[&[first; 8][..], &[7; 8]].concat()).unwrap(),
        ..entry(0x70, ReasonCode::Superseded, None)
    };
    let issuer = issuing(Level::One);
    let apart: EntryList = [like(1), like(2)].iter().collect();
    assert!(lint(draft(&crl_order(&issuer, &apart)), &crl_order(&issuer, &apart)).is_ok());
    let same: EntryList = [like(1), like(2), like(1)].iter().collect();
    check("entries-once", &crl_order(&issuer, &same), |_| {});
}

#[test]
fn an_entry_that_is_taken_out_leaves_the_others_as_they_were() {
    let mut list = entries();
    assert!(list.contains(&serial(0x71)));
    assert!(list.remove(&serial(0x71)));
    assert!(!list.remove(&serial(0x71)));
    let left = [
        entry(0x70, ReasonCode::KeyCompromise, Some(at("2026-11-09T00:00:00Z"))),
        entry(0x72, ReasonCode::CessationOfOperation, None),
    ];
    assert_eq!(list, left.iter().collect());
}

#[test]
fn a_delta_says_what_it_is_a_delta_to() {
    let (issuer, changes) = (issuing(Level::One), changes());
    let delta = Crl::parse(&crate::specimens::crl(&delta_order(&issuer, &changes), "issuing"));
    let delta = delta.unwrap();
    assert_eq!((delta.number(), delta.base(), delta.shard()), (Some(9), Some(7), None));
    let reasons: Vec<_> = delta.entries().map(|entry| entry.unwrap().reason).collect();
    assert_eq!(reasons, [Some(ReasonCode::RemoveFromCrl), Some(ReasonCode::Superseded)]);
}

#[test]
fn a_shard_names_the_address_of_its_certificates() {
    let (issuer, entries, address) = (issuing(Level::One), entries(), shard_address(3));
    let order = CrlOrder { shard: Some(&address), ..crl_order(&issuer, &entries) };
    let list = Crl::parse(&crate::specimens::crl(&order, "issuing")).unwrap();
    assert_eq!(list.shard().as_deref(), Some(address.as_str()));
    assert_eq!(list.base(), None);
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
    let again: Vec<Entry> = read
        .into_iter()
        .map(|CrlEntry { serial, at, reason, invalid_since }| Entry {
            serial,
            at,
            reason: reason.unwrap(),
            invalid_since,
        })
        .collect();
    assert_eq!(again.iter().collect::<EntryList>(), entries);
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

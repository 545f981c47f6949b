//! What changed between two lists, and what may change.

use std::fs;

use tenkoku_tsl::diff::{Change, Field, Place, What, changes};
use tenkoku_tsl::model::{Identity, Multilingual, NextUpdate, TrustedList};
use tenkoku_tsl::rules::succession;
use tenkoku_tsl::verify::verify;

use crate::sample::{self, Role, Signer, at, shared, text, uri, with_past};

/// The sample as the next sequence, two days later.
fn next() -> TrustedList {
    let mut list = sample::list();
    list.scheme.sequence_number += 1;
    list.scheme.issue = at("2026-11-24T00:00:00Z");
    list
}

/// The sample's next sequence, changed further; what is told beyond number and issue.
fn told(change: impl FnOnce(&mut TrustedList)) -> Vec<Change> {
    let before = sample::list();
    let mut after = TrustedList { providers: before.providers.clone(), ..next() };
    change(&mut after);
    let mut told = changes(&before, &after);
    let always = |change: &Change| {
        matches!(change.what, What::Field { field: Field::SequenceNumber | Field::Issue, .. })
    };
    assert_eq!(told.iter().filter(|change| always(change)).count(), 2);
    told.retain(|change| !always(change));
    told
}

fn second_service() -> Place {
    Place::Service {
        provider: "Example Seal CA K.K.".to_owned(),
        service: "e-seal certificates level 2".to_owned(),
    }
}

#[test]
fn a_reissue_changes_number_and_dates_alone() {
    assert_eq!(told(|_| {}), []);
    let list = sample::list();
    assert_eq!(changes(&list, &list), []);
}

#[test]
fn a_status_change_is_told_with_its_history() {
    let withdrawn = "https://tl.example.jp/TrstSvc/Svcstatus/withdrawn";
    let told = told(|list| {
        let service = &mut list.providers[0].services[1];
        let granted = with_past(service.clone(), "2026-11-20T00:00:00Z");
        service.history.insert(0, granted.history.last().unwrap().clone());
        service.history[0].status = service.status.clone();
        service.status = uri(withdrawn);
        service.status_start = at("2026-11-24T00:00:00Z");
    });
    let [status, history] = told.as_slice() else { panic!("{told:#?}") };
    assert_eq!((&status.place, status.what.code()), (&second_service(), "status"));
    let expected = What::Status {
        from: "https://tl.example.jp/TrstSvc/Svcstatus/granted".to_owned(),
        to: withdrawn.to_owned(),
        since: at("2026-11-24T00:00:00Z"),
    };
    assert_eq!(status.what, expected);
    assert!(matches!(&history.what, What::Field { field: Field::History, from, to }
        if to.lines().count() == from.lines().count() + 1));
}

#[test]
fn what_comes_and_goes_is_told() {
    let added = told(|list| {
        let signer = Signer::new(
            tenkoku_tsl::algorithm::SignatureAlgorithm::EcdsaP384Sha384,
            Role::Authority,
            "Example Seal CA K.K.",
        );
        let mut service = list.providers[0].services[0].clone();
        service.identity = Identity::of(signer.certificate);
        service.name = Multilingual::english(text("New service"));
        list.providers[0].services.push(service);
    });
    assert!(
        matches!(added.as_slice(), [Change { place: Place::Service { service, .. }, what: What::Added }]
        if service == "New service"),
        "{added:#?}"
    );
    let removed = told(|list| list.providers.clear());
    let whats: Vec<_> = removed.iter().map(|change| change.what.code()).collect();
    assert_eq!(whats, ["removed"; 4]);
    let renamed =
        told(|list| list.providers[0].name = Multilingual::english(text("Example New Name")));
    assert!(
        matches!(renamed.as_slice(), [Change { place: Place::Provider(name), what: What::Field { field: Field::Name, .. } }]
        if name == "Example New Name"),
        "{renamed:#?}"
    );
    let closed = told(|list| list.scheme.next_update = NextUpdate::Closed);
    assert!(
        matches!(closed.as_slice(), [Change { place: Place::Scheme, what: What::Field { field: Field::NextUpdate, to, .. } }]
        if to.is_empty())
    );
}

#[test]
fn the_codes_of_fields_are_all_different() {
    let mut codes: Vec<_> = Field::ALL.iter().map(|field| field.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), Field::ALL.len());
}

#[test]
fn two_belgian_lists_differ_by_what_belgium_changed() {
    let read = |path: &str| {
        shared(&format!("trust-list/lists/national/{path}"))
            .map(|path| verify(&fs::read(path).unwrap()).unwrap().into_list())
    };
    let (Some(before), Some(after)) = (read("BE-sn74-v5.xml"), read("BE-sn75-v5.xml")) else {
        return;
    };
    let told = changes(&before, &after);
    let statuses = told.iter().filter(|change| change.what.code() == "status").count();
    let added = told.iter().filter(|change| change.what == What::Added).count();
    let removed = told.iter().filter(|change| change.what == What::Removed).count();
    // No. 75 has 108 services as no. 74 has, and two more past states.
    assert_eq!((statuses, added, removed), (2, 0, 0), "{told:#?}");
    // In this copy states begin some seconds later or earlier than before, which is not allowed.
    let clauses: Vec<_> = succession(&after, &before).iter().map(|found| found.clause).collect();
    let count = |clause: &str| clauses.iter().filter(|found| **found == clause).count();
    assert_eq!((count("5.5.5"), count("5.5.10"), clauses.len()), (10, 8, 18));
    assert!(!succession(&before, &after).is_empty());
}

/// Breaks the sample's next sequence and expects the rule of succession that names it.
fn broken(clause: &str, words: &str, spoil: impl FnOnce(&mut TrustedList)) {
    let mut list = next();
    let before = sample::list();
    list.providers.clone_from(&before.providers);
    spoil(&mut list);
    let found = succession(&list, &before);
    assert!(
        found.iter().any(|f| f.clause == clause && f.sentence().contains(words)),
        "{words}: {found:#?}"
    );
}

#[test]
fn what_may_not_change_is_named() {
    let mut good = next();
    let before = sample::list();
    good.providers.clone_from(&before.providers);
    assert_eq!(succession(&good, &before), []);
    broken("5.3.2", "must be higher than 3", |list| list.scheme.sequence_number = 3);
    broken("5.3.14", "issued after", |list| list.scheme.issue = before.scheme.issue);
    broken("5.3.3, 5.3.10", "stay what they were", |list| {
        list.scheme.list_type = uri("https://tl.example.jp/type");
    });
    broken("5.4.6, 5.5.10", "no longer listed", |list| {
        list.providers[0].services.remove(0);
    });
    broken("5.5.10", "is lost", |list| list.providers[0].services[1].history.clear());
    broken("5.5.5", "before the list that was in force", |list| {
        let service = &mut list.providers[0].services[0];
        service.status = uri("https://tl.example.jp/TrstSvc/Svcstatus/withdrawn");
        service.status_start = at("2026-11-21T00:00:00Z");
    });
    broken("5.5.5", "after the list is issued", |list| {
        list.providers[0].services[0].status_start = at("2026-11-25T00:00:00Z");
    });
}

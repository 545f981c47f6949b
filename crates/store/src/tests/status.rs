//! What status services ask, and the lists they publish.

use std::sync::{Arc, Mutex};

use tenkoku_domain::access::Scope;
use tenkoku_domain::audit::{Event, IssuedCrl, ListEvent, SignedCrl, StatusEvent};
use tenkoku_domain::certificate::{Certificate, CertificateState};
use tenkoku_domain::id::ListDraftId;
use tenkoku_domain::key::KeyState;
use tenkoku_domain::policy::draft::Verdict;
use tenkoku_domain::revocation::Cause;
use tenkoku_domain::seed::Seed;
use tenkoku_domain::trusted_list::draft::{ListDraft, ListDraftState};
use tenkoku_domain::trusted_list::{PublishedList, Standing};

use super::harness::at_once;
use super::samples::{self as s, NOW};
use super::{World, both};
use crate::{
    RevokedEntry, StatusChange, StatusListener, StatusLoad, StatusSource, StoreError, Told,
};

both! {
    a_status_follows_the_certificate
    a_revocation_is_final_and_orders_a_refresh
    revisions_rise_with_every_change
    revisions_rise_without_gaps_in_parallel
    changes_are_read_in_the_order_of_their_commits
    a_listener_knows_before_the_writer_goes_on
    the_log_says_what_the_certificates_say
    a_sign_of_life_is_kept_for_copies
    logs_by_authority_become_one_log_and_back
    load_adds_up_by_the_hour
    crls_read_back
    a_seed_is_as_if_it_had_been_issued
    octets_of_any_length_come_back_in_parts
    crl_numbers_are_taken_once_and_for_good
    lists_read_back
    a_draft_of_a_list_reads_back_with_what_was_done_to_it
    a_scheme_has_one_open_draft
    what_a_list_says_of_a_key_is_what_the_newest_says
}

fn pending(world: &World, number: u64) -> Certificate {
    let branch = s::branch(0, 1);
    world.record(&s::applied(&branch, number)).unwrap();
    let pending = s::certificate(&s::application(&branch, number), number);
    world.store.write(|tx| tx.insert_pending(&pending)).unwrap();
    pending
}

pub(super) fn issued(world: &World, number: u64) -> Certificate {
    let certificate = s::signed(&pending(world, number));
    world.record(&[Event::CertificateIssued { certificate: certificate.clone() }]).unwrap();
    certificate
}

pub(super) fn revoked(certificate: &Certificate, cause: Cause) -> Event {
    Event::CertificateRevoked {
        certificate: certificate.clone(),
        revocation: s::revocation(cause),
        comment: String::new(),
    }
}

fn a_status_follows_the_certificate(world: World) {
    world.record(&s::registry()).unwrap();
    let status = |number| world.read(|tx| tx.status_of(&s::authority_id(2), &s::serial(number)));
    let certificate = s::signed(&pending(&world, 1));
    assert_eq!(status(1), None);
    world.record(&[Event::CertificateIssued { certificate: certificate.clone() }]).unwrap();
    assert_eq!(status(1), Some(CertificateState::Active));
    world.record(&[revoked(&certificate, Cause::KeyExposed)]).unwrap();
    let revocation = s::revocation(Cause::KeyExposed);
    assert_eq!(status(1), Some(CertificateState::Revoked(revocation)));
    assert_eq!(status(2), None);
    assert_eq!(world.read(|tx| tx.status_of(&s::authority_id(0), &s::serial(1))), None);
}

fn a_revocation_is_final_and_orders_a_refresh(world: World) {
    world.record(&s::registry()).unwrap();
    let (first, second) = (issued(&world, 1), issued(&world, 2));
    world.record(&[revoked(&first, Cause::KeyExposed)]).unwrap();
    world.record(&[revoked(&second, Cause::Replaced)]).unwrap();
    let again = world.record(&[revoked(&first, Cause::Replaced)]);
    assert!(matches!(again, Err(StoreError::Conflict { what: "certificate state" })), "{again:?}");
    let states = [&first, &second].map(|c| world.read(|tx| tx.load_key(&c.key)).state);
    assert_eq!(states, [KeyState::Compromised, KeyState::DestructionDue]);
    let entries = world.read(|tx| tx.revoked_entries(&s::authority_id(2)));
    let expected = [(1, Cause::KeyExposed), (2, Cause::Replaced)]
        .map(|(n, cause)| RevokedEntry { serial: s::serial(n), revocation: s::revocation(cause) });
    assert_eq!(entries, expected);
    let job = world.store.write(|tx| tx.claim_job(NOW)).unwrap().unwrap();
    assert_eq!(
        (job.kind.as_str(), job.object.as_str()),
        ("refresh-status", s::authority_id(2).as_str())
    );
    assert_eq!(world.read(|tx| tx.count_jobs()), 1);
    let loaded = world.read(|tx| tx.load_certificate(&Scope::Platform, &first.id));
    assert_eq!(loaded.state, CertificateState::Revoked(s::revocation(Cause::KeyExposed)));
    assert_eq!(loaded.der, first.der);
}

fn revisions_rise_with_every_change(world: World) {
    world.record(&s::registry()).unwrap();
    let revision = || world.read(|tx| tx.status_revision());
    assert_eq!(revision(), 0);
    let certificate = issued(&world, 1);
    assert_eq!(revision(), 1);
    world.record(&[revoked(&certificate, Cause::Replaced)]).unwrap();
    assert_eq!(revision(), 2);
    let lost = pending(&world, 2);
    let revocation = s::revocation(Cause::OfficeClosed);
    world.record(&[Event::CertificateNotAccepted { certificate: lost, revocation }]).unwrap();
    assert_eq!(revision(), 3);
    assert_eq!(world.read(|tx| tx.revocation_revision(&s::authority_id(0))), 0);
    assert_eq!(world.read(|tx| tx.revoked_entries(&s::authority_id(2))).len(), 2);
    assert_eq!(logged(&world), [(1, "good"), (2, "revoked"), (3, "revoked")].map(row));
}

fn row((rev, status): (i64, &str)) -> (i64, String) {
    (rev, status.to_owned())
}

fn logged(world: &World) -> Vec<(i64, String)> {
    use crate::schema::status_log;
    use diesel::prelude::*;
    world.read(|tx| {
        let all = status_log::table.order(status_log::rev);
        Ok(all.select((status_log::rev, status_log::status)).load(tx.conn)?)
    })
}

fn revisions_rise_without_gaps_in_parallel(world: World) {
    world.record(&s::registry()).unwrap();
    let all: Vec<_> = (1..=6).map(|number| issued(&world, number)).collect();
    let revocations = at_once(6, |n| world.record(&[revoked(&all[n], Cause::Replaced)]));
    assert!(revocations.iter().all(Result::is_ok), "{revocations:?}");
    let revisions: Vec<_> = logged(&world).into_iter().map(|(rev, _)| rev).collect();
    assert_eq!(revisions, (1..=12).collect::<Vec<_>>());
    assert_eq!(world.read(|tx| tx.count_jobs()), 1);
    world.walk().unwrap();
}

fn changes_are_read_in_the_order_of_their_commits(world: World) {
    world.record(&s::registry()).unwrap();
    let all: Vec<_> = (1..=5).map(|number| issued(&world, number)).collect();
    world
        .record(&[revoked(&all[0], Cause::KeyExposed), revoked(&all[4], Cause::Replaced)])
        .unwrap();
    let (mut after, mut told) = (0, Vec::new());
    loop {
        let page = world.read(|tx| tx.status_changes(after, 3));
        assert!(page.len() <= 3);
        let Some(last) = page.last() else { break };
        after = last.rev;
        told.extend(page);
    }
    assert_eq!(after, world.read(|tx| tx.status_revision()));
    let revisions: Vec<_> = told.iter().map(|change| change.rev).collect();
    assert_eq!(revisions, (1..=7).collect::<Vec<_>>());
    let serials: Vec<_> = told.iter().map(|change| change.serial.clone()).collect();
    assert_eq!(serials, [1, 2, 3, 4, 5, 1, 5].map(s::serial));
    assert!(told.iter().all(|change| change.authority == s::authority_id(2) && change.at == NOW));
    assert_eq!(told[5].told, Told::Revoked(s::revocation(Cause::KeyExposed)));
    assert_eq!(told[0].told, Told::Issued);
}

/// Keeps what it is told and how much of it could be read at that moment.
struct Ear {
    store: crate::Store,
    heard: Mutex<Vec<(i64, bool)>>,
}

impl StatusListener for Ear {
    fn committed(&self, changes: &[StatusChange]) {
        let mut heard = self.heard.lock().unwrap();
        for change in changes {
            let read = self.store.read(|tx| tx.status_changes(change.rev - 1, 1)).unwrap();
            heard.push((change.rev, read.first() == Some(change)));
        }
    }
}

fn a_listener_knows_before_the_writer_goes_on(world: World) {
    let ear = Arc::new(Ear { store: world.store.clone(), heard: Mutex::default() });
    let listener: Arc<dyn StatusListener> = Arc::<Ear>::clone(&ear);
    world.store.tell_status(Arc::downgrade(&listener));
    world.record(&s::registry()).unwrap();
    let mut bell = world.store.status_bell().unwrap();
    let certificate = issued(&world, 1);
    assert_eq!(*ear.heard.lock().unwrap(), [(1, true)]);
    world.record(&[revoked(&certificate, Cause::Replaced)]).unwrap();
    assert_eq!(*ear.heard.lock().unwrap(), [(1, true), (2, true)]);
    // What is not kept is not told.
    world.record(&[revoked(&certificate, Cause::Replaced)]).unwrap_err();
    assert_eq!(ear.heard.lock().unwrap().len(), 2);
    if let Some(bell) = &mut bell {
        assert!(bell.rang().unwrap());
        assert!(!bell.rang().unwrap());
    }
    assert_eq!(bell.is_some(), !world.store.is_sqlite());
}

fn the_log_says_what_the_certificates_say(world: World) {
    world.record(&s::registry()).unwrap();
    let held = issued(&world, 1);
    let (kept, lost) = (issued(&world, 2), pending(&world, 3));
    let revocation = s::revocation(Cause::Suspended);
    world.record(&[revoked(&held, Cause::KeyExposed)]).unwrap();
    world
        .record(&[Event::CertificateNotAccepted { certificate: lost.clone(), revocation }])
        .unwrap();
    let never = pending(&world, 4);
    let changes = world.read(|tx| tx.status_changes(0, 100));
    let newest = |serial| changes.iter().rev().find(|change| change.serial == serial);
    for certificate in [held, kept, lost, never] {
        let state = world.read(|tx| tx.status_of(&certificate.authority, &certificate.serial));
        let told = newest(certificate.serial).map(|change| change.told.revocation().cloned());
        assert_eq!(told, state.map(|state| state.revocation().cloned()));
    }
}

fn a_sign_of_life_is_kept_for_copies(world: World) {
    use crate::schema::status_beats;
    use diesel::prelude::*;
    world.store.write(|tx| tx.beat_status(NOW)).unwrap();
    world.store.write(|tx| tx.beat_status(NOW.plus_seconds(1))).unwrap();
    // The original needs none: it holds everything.
    assert_eq!(world.read(|tx| tx.status_source()), StatusSource::Original);
    let beats = world.read(|tx| Ok(status_beats::table.load::<(String, i64)>(tx.conn)?));
    assert_eq!(beats, [("node-1".to_owned(), NOW.plus_seconds(1).millis())]);
}

fn logs_by_authority_become_one_log_and_back(world: World) {
    const DOWN: &str =
        include_str!("../../../../migrations/2026-11-29-0000040_status_log/down.sql");
    const UP: &str = include_str!("../../../../migrations/2026-11-29-0000040_status_log/up.sql");
    world.record(&s::registry()).unwrap();
    let all: Vec<_> = (1..=3).map(|number| issued(&world, number)).collect();
    let revocation = tenkoku_domain::revocation::Revocation {
        invalid_since: Some(NOW.plus_seconds(-60)),
        ..s::revocation(Cause::KeyExposed)
    };
    let comment = String::new();
    let certificate = all[1].clone();
    world.record(&[Event::CertificateRevoked { certificate, revocation, comment }]).unwrap();
    let before = world.read(|tx| tx.status_changes(0, 100));
    world.tamper(DOWN);
    world.tamper(UP);
    assert_eq!(world.read(|tx| tx.status_changes(0, 100)), before);
    world.record(&[revoked(&all[0], Cause::Replaced)]).unwrap();
    assert_eq!(world.read(|tx| tx.status_revision()), 5);
}

fn a_seed_is_as_if_it_had_been_issued(world: World) {
    world.record(&s::registry()).unwrap();
    issued(&world, 1);
    let seed = Seed { policy: s::policy().digest().unwrap(), ..s::seed() };
    let event = Event::Status(StatusEvent::Seeded { seed: Box::new(seed.clone()) });
    world.record(std::slice::from_ref(&event)).unwrap();
    for row in &seed.rows {
        let revoked = row.revocation.clone().map(CertificateState::Revoked);
        let expected = revoked.unwrap_or(CertificateState::Active);
        let status = world.read(|tx| tx.status_of(&seed.authority, &row.serial));
        assert_eq!(status, Some(expected));
        let loaded = world.read(|tx| tx.load_certificate(&Scope::Platform, &row.id));
        assert_eq!((loaded.serial, loaded.der, loaded.seal), (row.serial.clone(), None, None));
    }
    let revisions: Vec<_> = logged(&world).into_iter().map(|(rev, _)| rev).collect();
    assert_eq!(revisions, (1..=7).collect::<Vec<_>>());
    assert_eq!(world.read(|tx| tx.revoked_entries(&seed.authority)).len(), 2);
    let again = world.record(&[event]);
    assert!(matches!(again, Err(StoreError::Conflict { .. })), "{again:?}");
    world.walk().unwrap();
}

fn load_adds_up_by_the_hour(world: World) {
    let hour = tenkoku_domain::time::Timestamp::parse("2026-11-22T18:00:00Z").unwrap();
    let load = |answers| StatusLoad { answers, signed: 2, failed: 1 };
    for (minute, answers) in [(0, 10), (59, 5), (60, 7)] {
        let at = hour.plus_seconds(minute * 60);
        world.store.write(|tx| tx.add_status_load(at, load(answers))).unwrap();
    }
    let first = StatusLoad { answers: 15, signed: 4, failed: 2 };
    let second = (hour.plus_seconds(3600), load(7));
    assert_eq!(world.read(|tx| tx.list_status_load(hour)), [(hour, first), second]);
    assert_eq!(world.read(|tx| tx.list_status_load(hour.plus_seconds(1))), [second]);
    let later = hour.plus_days(32);
    world.store.write(|tx| tx.add_status_load(later, load(1))).unwrap();
    assert_eq!(world.read(|tx| tx.list_status_load(hour)), [(later, load(1))]);
}

fn crls_read_back(world: World) {
    world.record(&s::registry()).unwrap();
    assert_eq!(world.read(|tx| tx.latest_crl(&s::authority_id(2))), None);
    world.record(&[1, 2].map(|number| Event::CrlIssued { crl: s::crl(number) })).unwrap();
    let latest = world.read(|tx| tx.latest_crl(&s::authority_id(2))).unwrap();
    assert_eq!(latest, s::crl(2).head);
    assert_eq!(world.read(|tx| tx.load_crl(&latest)), Some(s::crl(2).der));
    // The octets of the one before are gone; what it was stays.
    assert_eq!(world.read(|tx| tx.load_crl(&s::crl(1).head)), None);
    assert_eq!(world.read(|tx| tx.list_crls(&s::authority_id(2), 9)).len(), 2);
    let again = world.record(&[Event::CrlIssued { crl: s::crl(1) }]);
    assert!(matches!(again, Err(StoreError::Conflict { what: "crl number" })), "{again:?}");
}

fn octets_of_any_length_come_back_in_parts(world: World) {
    world.record(&s::registry()).unwrap();
    for (number, octets) in (1..).zip([0, 1, (1 << 20) - 1, 1 << 20, (1 << 21) + 7]) {
        let der: Vec<u8> = (0..octets).map(|n: u32| n.to_le_bytes()[0]).collect();
        let head = IssuedCrl { octets: i64::from(octets), ..s::crl(number).head };
        let crl = SignedCrl { head: head.clone(), der: der.clone() };
        world.record(&[Event::CrlIssued { crl }]).unwrap();
        assert_eq!(world.read(|tx| tx.load_crl(&head)), Some(der));
    }
}

fn crl_numbers_are_taken_once_and_for_good(world: World) {
    world.record(&s::registry()).unwrap();
    let taken = at_once(6, |_| {
        world.store.write(|tx| tx.reserve_crl_number(&s::authority_id(2))).unwrap_or_default()
    });
    let mut taken: Vec<i64> = taken.into_iter().filter(|number| *number > 0).collect();
    let count = taken.len();
    taken.sort_unstable();
    taken.dedup();
    assert!(count >= 5 && taken.len() == count, "{taken:?}");
    let other = world.store.write(|tx| tx.reserve_crl_number(&s::authority_id(1))).unwrap();
    assert_eq!(other, 1);
}

fn published(list: PublishedList) -> Event {
    Event::ListPublished { list, services: Vec::new() }
}

fn lists_read_back(world: World) {
    world.record(&s::registry()).unwrap();
    let lists = [("sample", 1), ("other", 1), ("sample", 2)].map(|(c, n)| s::published(c, n));
    world.record(&lists.clone().map(published)).unwrap();
    let [first, _, second] = lists;
    assert_eq!(world.read(|tx| tx.latest_list("sample")), Some(second.clone()));
    assert_eq!(world.read(|tx| tx.find_list("sample", 1)), Some(first.clone()));
    assert_eq!(world.read(|tx| tx.find_list("sample", 3)), None);
    assert_eq!(world.read(|tx| tx.list_sequences("sample")), [second.clone(), first]);
    assert_eq!(world.read(|tx| tx.list_schemes()), ["other", "sample"]);
    let again = world.record(&[published(second)]);
    assert!(matches!(again, Err(StoreError::Conflict { what: "list sequence" })), "{again:?}");
}

fn a_draft_of_a_list_reads_back_with_what_was_done_to_it(world: World) {
    world.record(&s::registry()).unwrap();
    let opened = s::list_draft(ListDraftState::Editing, Vec::new());
    let edited = ListDraft { edits: vec![s::list_edit()], ..opened.clone() };
    let submitted =
        ListDraft { state: ListDraftState::Submitted, submitted_at: Some(NOW), ..edited.clone() };
    let decision = s::decision("other", Verdict::Approved);
    let decided = ListDraft { decisions: vec![decision.clone()], ..submitted.clone() };
    let list = |event| Event::List(event);
    let boxed = |draft: &ListDraft| Box::new(draft.clone());
    world
        .record(&[
            list(ListEvent::Opened { draft: boxed(&opened) }),
            list(ListEvent::Edited { draft: boxed(&edited), edit: s::list_edit() }),
            list(ListEvent::Submitted { draft: boxed(&submitted) }),
            list(ListEvent::Decided { draft: boxed(&decided), decision }),
        ])
        .unwrap();
    assert_eq!(world.read(|tx| tx.load_list_draft(&opened.id)), decided);
    assert_eq!(world.read(|tx| tx.open_list_draft(&opened.scheme)), Some(decided.clone()));
    assert_eq!(world.read(|tx| tx.list_list_drafts(None, 5)).items, std::slice::from_ref(&decided));
    // A change makes void what was decided about the former revision.
    let again = ListDraft {
        state: ListDraftState::Editing,
        submitted_at: None,
        edits: vec![s::list_edit(), s::list_edit()],
        decisions: Vec::new(),
        ..decided.clone()
    };
    let event = ListEvent::Edited { draft: boxed(&again), edit: s::list_edit() };
    world.record(&[list(event)]).unwrap();
    assert_eq!(world.read(|tx| tx.load_list_draft(&opened.id)), again);
    // What is published comes out of a draft that was agreed to, and of no other.
    let first = PublishedList { draft: Some(opened.id.clone()), ..s::published("sample", 1) };
    let early = world.record(&[published(first.clone())]);
    assert!(matches!(early, Err(StoreError::Conflict { .. })), "{early:?}");
    let approved = ListDraft { state: ListDraftState::Approved, ..again };
    let event = ListEvent::Submitted { draft: boxed(&approved) };
    world.record(&[list(event), published(first.clone())]).unwrap();
    let state = world.read(|tx| tx.load_list_draft(&opened.id)).state;
    assert_eq!(state, ListDraftState::Published);
    assert_eq!(world.read(|tx| tx.open_list_draft(&opened.scheme)), None);
    assert_eq!(world.read(|tx| tx.latest_list("sample")), Some(first));
}

fn a_scheme_has_one_open_draft(world: World) {
    world.record(&s::registry()).unwrap();
    let first = s::list_draft(ListDraftState::Editing, Vec::new());
    let id = ListDraftId::parse("tld_01J00000000000000000000002").unwrap();
    let second = ListDraft { id, ..first.clone() };
    let open =
        |draft: &ListDraft| Event::List(ListEvent::Opened { draft: Box::new(draft.clone()) });
    world.record(&[open(&first)]).unwrap();
    let refused = world.record(&[open(&second)]);
    let what = "open draft of the list";
    assert!(matches!(refused, Err(StoreError::Conflict { what: found }) if found == what));
    let given_up = ListDraft { state: ListDraftState::Abandoned, ..first };
    let event = ListEvent::Abandoned { draft: Box::new(given_up) };
    world.record(&[Event::List(event), open(&second)]).unwrap();
}

fn what_a_list_says_of_a_key_is_what_the_newest_says(world: World) {
    world.record(&s::registry()).unwrap();
    let said = [Standing::Running, Standing::Ended].map(s::listed_service);
    for (number, service) in (1..).zip(&said) {
        let list = s::published("sample", number);
        let event = Event::ListPublished { list, services: vec![service.clone()] };
        world.record(&[event]).unwrap();
        let found = world.read(|tx| tx.services_of_key(&service.fingerprint));
        assert_eq!(found, std::slice::from_ref(service));
    }
}

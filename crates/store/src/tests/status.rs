//! What status services ask, and the lists they publish.

use tenkoku_domain::access::Scope;
use tenkoku_domain::audit::Event;
use tenkoku_domain::certificate::{Certificate, CertificateState};
use tenkoku_domain::key::KeyState;
use tenkoku_domain::revocation::Cause;

use super::harness::at_once;
use super::samples::{self as s, NOW};
use super::{World, both};
use crate::{RevokedEntry, StoreError};

both! {
    a_status_follows_the_certificate
    a_revocation_is_final_and_orders_a_refresh
    revisions_rise_with_every_change
    revisions_rise_without_gaps_in_parallel
    crls_read_back
    lists_read_back
}

fn pending(world: &World, number: u64) -> Certificate {
    let branch = s::branch(0, 1);
    world.record(&s::applied(&branch, number)).unwrap();
    let pending = s::certificate(&s::application(&branch, number), number);
    world.store.write(|tx| tx.insert_pending(&pending)).unwrap();
    pending
}

fn issued(world: &World, number: u64) -> Certificate {
    let certificate = s::signed(&pending(world, number));
    world.record(&[Event::CertificateIssued { certificate: certificate.clone() }]).unwrap();
    certificate
}

fn revoked(certificate: &Certificate, cause: Cause) -> Event {
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
    let revision = || world.read(|tx| tx.status_revision(&s::authority_id(2)));
    assert_eq!(revision(), 0);
    let certificate = issued(&world, 1);
    assert_eq!(revision(), 1);
    world.record(&[revoked(&certificate, Cause::Replaced)]).unwrap();
    assert_eq!(revision(), 2);
    let lost = pending(&world, 2);
    let revocation = s::revocation(Cause::OfficeClosed);
    world.record(&[Event::CertificateNotAccepted { certificate: lost, revocation }]).unwrap();
    assert_eq!(revision(), 3);
    assert_eq!(world.read(|tx| tx.status_revision(&s::authority_id(0))), 0);
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

fn crls_read_back(world: World) {
    world.record(&s::registry()).unwrap();
    assert_eq!(world.read(|tx| tx.latest_crl(&s::authority_id(2))), None);
    world.record(&[1, 2].map(|number| Event::CrlIssued { crl: s::crl(number) })).unwrap();
    assert_eq!(world.read(|tx| tx.latest_crl(&s::authority_id(2))), Some(s::crl(2)));
    let again = world.record(&[Event::CrlIssued { crl: s::crl(1) }]);
    assert!(matches!(again, Err(StoreError::Conflict { what: "crl number" })), "{again:?}");
}

fn lists_read_back(world: World) {
    world.record(&s::registry()).unwrap();
    let lists = [("sample", 1), ("other", 1), ("sample", 2)].map(|(c, n)| s::published(c, n));
    world.record(&lists.clone().map(|list| Event::ListPublished { list })).unwrap();
    let [first, _, second] = lists;
    assert_eq!(world.read(|tx| tx.latest_list("sample")), Some(second.clone()));
    assert_eq!(world.read(|tx| tx.find_list("sample", 1)), Some(first.clone()));
    assert_eq!(world.read(|tx| tx.find_list("sample", 3)), None);
    assert_eq!(world.read(|tx| tx.list_sequences("sample")), [second.clone(), first]);
    assert_eq!(world.read(|tx| tx.list_schemes()), ["other", "sample"]);
    let again = world.record(&[Event::ListPublished { list: second }]);
    assert!(matches!(again, Err(StoreError::Conflict { what: "list sequence" })), "{again:?}");
}

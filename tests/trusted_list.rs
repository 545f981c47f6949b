//! Stories of the trusted list: its sequences, what each says and since when, and what strangers'
//! programs say about it.

use std::process::Command;

use tenkoku_domain::authority::AuthorityKind;
use tenkoku_domain::level::Level;
use tenkoku_domain::trusted_list::PublishedList;
use tenkoku_publisher::publish::{PublishError, publish_list, renew_lists};
use tenkoku_publisher::signers::find_signers;
use tenkoku_store::StoreError;
use tenkoku_testkit::servers::program;
use tenkoku_testkit::tools::{Outcome, check_trust_list, checkout, run, shared};
use tenkoku_testkit::world::{World, at_once};
use tenkoku_tsl::certificate::Certificate;
use tenkoku_tsl::model::{NextUpdate, Service};
use tenkoku_tsl::verify::{VerifiedList, verify};

use crate::support::codes;

fn live(world: &World) -> PublishedList {
    world.read(|tx| tx.latest_list("jp-2021")).expect("a list")
}

fn publish(world: &World) -> PublishedList {
    publish_list(&world.env, &world.permit()).expect("a list")
}

fn renew(world: &World) -> Option<PublishedList> {
    renew_lists(&world.env, &world.permit()).expect("a list, or none needed").pop()
}

/// Verifies a list and that this platform's list signer signed it.
fn read(world: &World, list: &PublishedList) -> VerifiedList {
    let verified = verify(&list.xml).expect("a list whose signature holds");
    let signers = find_signers(&world.env, &list.scheme).expect("the store answers");
    let der = signers.expect("a list signer").signing.der.expect("its certificate");
    let signer = Certificate::from_der(&der).expect("its certificate");
    verified.require_signer(&[signer]).expect("signed by the list signer");
    verified
}

fn services(verified: &VerifiedList) -> Vec<Service> {
    verified.list().services().map(|(_, service)| service.clone()).collect()
}

fn der(service: &Service) -> Vec<u8> {
    service.identity.certificate().expect("a certificate").der().to_vec()
}

#[test]
fn the_first_list_names_every_issuing_authority() {
    World::on_each_database(|world| {
        let list = live(world);
        assert_eq!(list.sequence, 1);
        let verified = read(world, &list);
        let scheme = &verified.list().scheme;
        assert_eq!((scheme.sequence_number, scheme.issue), (1, list.issued_at));
        assert_eq!(scheme.next_update, NextUpdate::By(list.issued_at.plus_days(180)));
        let expected: Vec<_> = Level::ALL
            .map(|level| world.authority(&format!("seal-l{level}-g1")).certificate.expect("DER"))
            .into();
        let named: Vec<_> = services(&verified).iter().map(der).collect();
        assert_eq!(named, expected);
        for service in services(&verified) {
            assert_eq!(service.status.as_str(), "http://seal.example.jp/lists/jp-2021#granted");
            assert_eq!(service.status_start, list.issued_at);
        }
    });
}

#[test]
fn a_reissue_rises_and_keeps_since_when_everything_holds() {
    World::on_each_database(|world| {
        let first = live(world);
        world.clock.advance_days(40);
        let (second, told) = world.told(|| publish(world));
        assert_eq!(codes(&told), ["list.signed", "list.signed", "list.published"]);
        assert_eq!((second.sequence, second.issued_at), (2, world.now().floor()));
        let [before, after] = [&first, &second].map(|list| read(world, list));
        assert_eq!(services(&before), services(&after));
        // Twice in one second: another instant all the same.
        let third = publish(world);
        assert_eq!((third.sequence, third.issued_at), (3, second.issued_at.plus_seconds(1)));
        let sequences = world.read(|tx| tx.list_sequences("jp-2021"));
        assert_eq!(sequences, [third, second, first]);
    });
}

#[test]
fn a_list_is_renewed_when_its_end_is_near() {
    World::on_each_database(|world| {
        assert_eq!(renew(world), None);
        let due = live(world).next_update.expect("a date").plus_days(-60);
        world.clock.set(due.plus_seconds(-1));
        assert_eq!(renew(world), None);
        world.clock.set(due);
        assert_eq!(renew(world).expect("a new list").sequence, 2);
        assert_eq!(renew(world), None);
    });
}

#[test]
fn without_key_store_the_former_list_stays() {
    World::on_each_database(|world| {
        let before = live(world);
        world.keys.fail();
        let failed = publish_list(&world.env, &world.permit());
        assert!(matches!(failed, Err(PublishError::Keys(_))), "{failed:?}");
        world.keys.recover();
        assert_eq!(live(world), before);
        assert_eq!(publish(world).sequence, 2);
    });
}

#[test]
fn two_who_publish_at_once_never_share_a_sequence() {
    World::on_each_database(|world| {
        let results = at_once(3, |_| publish_list(&world.env, &world.permit()));
        let mut sequences = Vec::new();
        for result in results {
            match result {
                Ok(list) => sequences.push(list.sequence),
                Err(PublishError::Store(StoreError::Conflict { .. })) => {}
                Err(other) => panic!("{other}"),
            }
        }
        sequences.sort_unstable();
        let expected: Vec<i64> = (2..).take(sequences.len()).collect();
        assert!(!sequences.is_empty());
        assert_eq!(sequences, expected);
    });
}

#[test]
fn strangers_programs_accept_each_sequence_after_the_other() {
    World::on_each_database(|world| {
        if !world.env.store.is_sqlite() {
            return;
        }
        let first = live(world);
        world.clock.advance_days(3);
        world.create_authority("seal-l1-g2", AuthorityKind::Issuing(Level::One), 2);
        let second = publish(world);
        let folder = tempfile::tempdir().expect("a folder");
        let place = |name: &str| folder.path().join(name);
        for (name, list) in [("first.xml", &first), ("second.xml", &second)] {
            std::fs::write(place(name), &list.xml).expect("a file");
        }
        std::fs::write(place("second.sha2"), second.digest.to_string()).expect("a file");
        let Some(mut judge) = check_trust_list() else { return };
        judge.args(["--strict", "--now", "issue", "--previous"]).arg(place("first.xml"));
        judge.arg("--sha2").arg(place("second.sha2")).arg(place("second.xml"));
        let said = run(&mut judge);
        said.success();
        let said = said.said();
        assert!(!said.lines().any(|line| line.starts_with("FAIL")), "{said}");
    });
}

/// `tenkoku trustlist` on files, without an installation.
fn trustlist(words: &[&str]) -> Outcome {
    run(Command::new(program()).args(["--lang", "en", "trustlist"]).args(words))
}

fn stored(name: &str) -> String {
    checkout().join("tests/data/tsl").join(name).display().to_string()
}

fn checking<'a>(list: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["verify", list, "--at", "2026-12-01T00:00:00Z"], more].concat()
}

#[test]
fn the_command_line_confirms_refuses_or_leaves_open() {
    let (list, signer) = (stored("example.xml"), stored("example-signer.der"));
    let confirmed = trustlist(&checking(&list, &["--signer", &signer]));
    assert!(confirmed.success().contains("current"), "{}", confirmed.said());
    let open = trustlist(&checking(&list, &[]));
    open.exited(3);
    assert!(open.stdout.contains("holds") && open.stderr.contains("list-signer-unknown"));
    let late = ["verify", &list, "--signer", &signer, "--at", "2027-06-01T00:00:00Z"];
    let late = trustlist(&late);
    late.exited(3);
    assert!(late.stderr.contains("due by 2027-05-19T00:00:00Z"), "{}", late.stderr);
    let stranger = stored("hostile/signer.der");
    let refused = trustlist(&checking(&list, &["--signer", &stranger]));
    refused.exited(1);
    assert!(refused.stderr.contains("not expected to sign it"), "{}", refused.stderr);
    let damaged = trustlist(&["verify", &stored("hostile/changed-status.xml")]);
    damaged.exited(1);
    assert!(damaged.stderr.contains("changed after signing"), "{}", damaged.stderr);
    let json =
        trustlist(&[&["--format", "json"], &checking(&list, &["--signer", &signer])[..]].concat());
    let json: serde_json::Value = serde_json::from_str(json.success()).expect("JSON");
    assert_eq!(json["schema"], "tenkoku.list-verified/1");
    assert_eq!(
        (&json["signer_expected"], &json["freshness"]),
        (&"given".into(), &"current".into())
    );
    assert_eq!((&json["sequence"], &json["services"]), (&1.into(), &1.into()));
}

#[test]
fn the_command_line_takes_the_signer_from_a_list_of_lists() {
    let Some(shared) = shared() else { return };
    let file = |path: &str| shared.join("trust-list/lists").join(path).display().to_string();
    let lotl = file("eu-lotl/eu-lotl-sn388-v6.xml");
    let verify = |list: &str| {
        let list = file(list);
        trustlist(&["verify", &list, "--lotl", &lotl, "--at", "2026-06-01T00:00:00Z"])
    };
    assert!(verify("national/BE-sn81-v6.xml").success().contains("pointed"));
    let other = verify("national/FI-sample-v6-resigned.xml");
    other.exited(1);
    assert!(other.stderr.contains("not expected"), "{}", other.stderr);
}

#[test]
fn the_command_line_shows_a_list_and_says_what_changed() {
    let (list, draft) = (stored("example.xml"), stored("unknown-extension.xml"));
    let shown = trustlist(&["show", &list]);
    assert!(shown.success().contains("e-seal certificates level 2, CA 0"), "{}", shown.stdout);
    let json = trustlist(&["--format", "json", "show", &draft]);
    let json: serde_json::Value = serde_json::from_str(json.success()).expect("JSON");
    assert_eq!(json["signature"], "none");
    assert_eq!(json["providers"][0]["registration"], "NTRJP-7000000000000");
    let same = trustlist(&["diff", &list, &list]);
    assert!(same.success().starts_with("Both lists say the same"), "{}", same.stdout);
    let changed = trustlist(&["diff", &list, &draft]);
    let text = changed.success();
    assert!(text.contains("the extensions changed from"), "{text}");
    assert!(text.contains("Not allowed: The sequence number 1 must be higher"), "{text}");
    let json = trustlist(&["--format", "json", "diff", &list, &draft]);
    let json: serde_json::Value = serde_json::from_str(json.success()).expect("JSON");
    assert_eq!(json["changes"][0]["field"], "extensions");
    assert_eq!(json["broken_rules"][0]["clause"], "5.3.2");
}

//! Stories of lists: shards, deltas, numbers that rise whatever happens, many at once.

use std::fs;
use std::process::Stdio;
use std::time::Instant;

use tenkoku_ca::authority::create_authority;
use tenkoku_ca::bulk::{BulkError, BulkOrder, approve_bulk, ask_bulk, turn_bulk, work_bulk};
use tenkoku_ca::demo::{SeedOrder, seed};
use tenkoku_ca::suspend::{HoldOrder, release_certificate};
use tenkoku_domain::access::{Principal, Role};
use tenkoku_domain::audit::{BulkStep, CrlList};
use tenkoku_domain::authority::{AuthorityKind, AuthorityOrder, ShardCount};
use tenkoku_domain::bulk::{BulkRevocation, BulkSelection, BulkState};
use tenkoku_domain::certificate::{Certificate, Serial};
use tenkoku_domain::level::Level;
use tenkoku_domain::refusal::RefusalCode;
use tenkoku_domain::revocation::{Cause, ReasonCode};
use tenkoku_domain::suspension::HoldCause;
use tenkoku_pki::crl::Crl;
use tenkoku_pki::ocsp::AnswerStatus;
use tenkoku_pki::pem;
use tenkoku_responder::crl::{CrlError, Lists, current_crl, current_list, issue_crl};
use tenkoku_testkit::servers::Installation;
use tenkoku_testkit::tools::openssl;
use tenkoku_testkit::world::{World, at_once, authority_code};

use crate::policies::person;
use crate::revocation::entry;
use crate::suspension::suspend;

const CODE: &str = "seal-l1-g1";

/// Fills an authority with serial numbers; gives the revoked ones.
fn seeded(world: &World, issued: usize, revoked: usize) -> Vec<Serial> {
    let order = SeedOrder { authority: authority_code(CODE), issued, revoked };
    let mut found = Vec::new();
    let written = seed::<tenkoku_ca::authority::AuthorityError>(
        &world.env,
        &world.permit(),
        &order,
        |rows| {
            let gone = rows.iter().filter(|row| row.revocation.is_some());
            found.extend(gone.map(|row| row.serial.clone()));
            Ok(())
        },
    );
    written.expect("a seed");
    found
}

fn list(world: &World, code: &str, which: CrlList) -> Crl {
    let found = current_list(&world.env, &authority_code(code), |_| which).expect("a list");
    let list = Crl::parse(&found.der).expect("a list that reads");
    let authority = world.authority(code);
    let issuer = world.certificate_of(&authority).public_key().expect("a key");
    assert_eq!(list.verify(&issuer), Ok(()));
    list
}

#[test]
fn a_seed_is_told_by_ocsp_and_crl_alike() {
    World::on_each_database(|world| {
        let revoked = seeded(world, 300, 40);
        assert_eq!(revoked.len(), 40);
        world.run_jobs();
        let crl = world.crl(CODE);
        let listed: Vec<Serial> =
            crl.entries().map(|entry| entry.expect("an entry").serial).collect();
        assert_eq!(listed, revoked);
        let told = world.told_after(0);
        let seeds: Vec<_> = told.iter().filter(|r| r["code"] == "sys.demo-seeded").collect();
        assert_eq!(seeds.len(), 1);
        assert_eq!(seeds[0]["detail"]["issued"], 300);
    });
}

#[test]
fn a_certificate_is_looked_up_in_the_shard_of_its_serial_number() {
    World::on_each_database(|world| {
        let order = AuthorityOrder {
            crl_shards: ShardCount::new(4).expect("a count"),
            ..world.authority_order("seal-l1-g2", AuthorityKind::Issuing(Level::One), 2)
        };
        let made = create_authority(&world.env, &world.permit(), &order).expect("an authority");
        assert_eq!(world.authority("seal-l1-g2").crl_shards, order.crl_shards);
        world.renew_signers();
        let branch = world.osaka();
        let seals: Vec<Certificate> = (0..3).map(|_| world.seal(&branch, Level::One)).collect();
        for seal in &seals {
            assert_eq!(seal.authority, made.id);
            let which = order.crl_shards.list_of(&seal.serial);
            let address = world.env.settings.public_address.crl_of(&made.code, which);
            let der = seal.der.clone().expect("a certificate");
            let parsed = tenkoku_pki::cert::Certificate::parse(&der).expect("a certificate");
            assert_eq!(parsed.crl_addresses(), std::slice::from_ref(&address));
            let before = list(world, "seal-l1-g2", which);
            assert_eq!(before.shard(), Some(address));
            check_openssl(world, seal, which, true);
            world.clock.advance_seconds(5);
            world.revoke(seal, Cause::Replaced).expect("a revocation");
            let after = list(world, "seal-l1-g2", which);
            assert!(entry(&after, seal).is_some());
            assert!(after.number() > before.number());
            check_openssl(world, seal, which, false);
            for other in order.crl_shards.lists().into_iter().filter(|other| *other != which) {
                assert_eq!(entry(&list(world, "seal-l1-g2", other), seal), None);
            }
        }
    });
}

/// What openssl makes of a certificate with the list of its shard.
fn check_openssl(world: &World, seal: &Certificate, which: CrlList, good: bool) {
    let folder = tempfile::TempDir::new().expect("a folder");
    let file = |name: &str| folder.path().join(name).display().to_string();
    let authority = world.authority("seal-l1-g2");
    let write = |name: &str, label: &str, der: &[u8]| {
        fs::write(folder.path().join(name), pem::encode(label, der)).expect("a file");
    };
    let der_of = |code: &str| world.authority(code).certificate.expect("a certificate");
    write("root.pem", "CERTIFICATE", &der_of("root-g1"));
    write("ca.pem", "CERTIFICATE", &der_of(authority.code.as_str()));
    write("leaf.pem", "CERTIFICATE", seal.der.as_deref().expect("a certificate"));
    let crl = current_list(&world.env, &authority.code, |_| which).expect("a list");
    write("list.pem", "X509 CRL", &crl.der);
    let at = world.now().seconds().to_string();
    let (root, ca, crl, leaf) =
        (file("root.pem"), file("ca.pem"), file("list.pem"), file("leaf.pem"));
    let told = openssl([
        "verify",
        "-attime",
        &at,
        "-crl_check",
        "-extended_crl",
        "-CAfile",
        &root,
        "-untrusted",
        &ca,
        "-CRLfile",
        &crl,
        &leaf,
    ]);
    let said = told.said();
    if good {
        assert!(said.contains("OK"), "{said}");
    } else {
        assert!(said.contains("certificate revoked"), "{said}");
    }
}

#[test]
fn a_delta_tells_what_changed_and_that_a_hold_was_lifted() {
    World::on_each_database(|world| {
        seeded(world, 1_200, 1_100);
        let osaka = world.osaka();
        let (first, second) = (world.seal(&osaka, Level::One), world.seal(&osaka, Level::One));
        let base = list(world, CODE, CrlList::Full);
        assert_eq!(base.entries().count(), 1_100);
        world.clock.advance_seconds(60);
        world.revoke(&first, Cause::Replaced).expect("a revocation");
        suspend(world, &second, HoldCause::UnclearFacts).expect("a hold");
        let full = list(world, CODE, CrlList::Full);
        let delta = list(world, CODE, CrlList::Delta);
        assert_eq!((delta.number(), delta.base()), (full.number(), Some(1)));
        let reason = |list: &Crl, seal| entry(list, seal).and_then(|entry| entry.reason);
        assert_eq!(reason(&delta, &first), Some(ReasonCode::Superseded));
        assert_eq!(reason(&delta, &second), Some(ReasonCode::CertificateHold));
        world.clock.advance_seconds(60);
        let hold = HoldOrder {
            authority: second.authority.clone(),
            serial: second.serial.clone(),
            comment: String::new(),
        };
        release_certificate(&world.env, &world.permit(), &hold).expect("a release");
        let (full, delta) = (list(world, CODE, CrlList::Full), list(world, CODE, CrlList::Delta));
        assert_eq!(entry(&full, &second), None);
        assert_eq!(reason(&delta, &second), Some(ReasonCode::RemoveFromCrl));
        assert_eq!(full.entries().count(), 1_101);
        // A day later the delta tells what changed since yesterday's list.
        world.clock.advance_days(1);
        world.clock.advance_seconds(60);
        let later = list(world, CODE, CrlList::Delta);
        assert!(later.base() > Some(1), "{:?}", later.base());
        assert_eq!(entry(&later, &first), None);
    });
}

#[test]
fn numbers_rise_when_several_publish_at_once() {
    World::on_each_database(|world| {
        seeded(world, 60, 20);
        let issued = at_once(4, |_| {
            let lists = Lists::default();
            let once = |_| {
                let made = lists.issue_all(
                    &world.env,
                    &world.permit(),
                    &authority_code(CODE),
                    &mut |_, _, _| {},
                );
                made.map(|all| all.iter().map(|crl| crl.number).collect::<Vec<_>>())
            };
            (0..5).map(once).filter_map(Result::ok).flatten().collect::<Vec<_>>()
        });
        assert!(issued.iter().map(Vec::len).sum::<usize>() >= 8, "{issued:?}");
        // That no number stands twice and none falls, the invariants check.
        let mut last = issued.iter().flatten().copied().max();
        for _ in 0..3 {
            let next =
                issue_crl(&world.env, &world.permit(), &authority_code(CODE)).expect("a list");
            assert!(Some(next.number) > last);
            last = Some(next.number);
        }
    });
}

#[test]
fn a_list_that_was_never_signed_leaves_a_gap_and_the_one_before_is_given() {
    World::on_each_database(|world| {
        let before = world.crl(CODE);
        let certificate = world.seal(&world.osaka(), Level::One);
        world.revoke(&certificate, Cause::Replaced).expect("a revocation");
        world.keys.fail();
        let failed = issue_crl(&world.env, &world.permit(), &authority_code(CODE));
        assert!(matches!(failed, Err(CrlError::Keys(_))), "{failed:?}");
        let given = current_crl(&world.env, &authority_code(CODE)).expect("the one before");
        assert_eq!(u64::try_from(given.number).ok(), before.number());
        world.keys.recover();
        let after = world.crl(CODE);
        assert!(after.number() > before.number().map(|number| number + 1));
        assert!(entry(&after, &certificate).is_some());
    });
}

#[test]
fn no_list_is_older_than_the_one_before_whatever_the_clock_does() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::One);
        let begin = world.now();
        world.clock.advance_days(2);
        world.revoke(&certificate, Cause::Replaced).expect("a revocation");
        let ahead = world.crl(CODE);
        assert!(entry(&ahead, &certificate).is_some());
        world.clock.set(begin);
        let back = issue_crl(&world.env, &world.permit(), &authority_code(CODE)).expect("a list");
        assert!(back.this_update >= ahead.this_update());
        assert!(u64::try_from(back.number).ok() > ahead.number());
        assert!(back.next_update > back.this_update);
        // What the revocation left to do is due again.
        world.clock.advance_days(3);
    });
}

fn everything_of(world: &World) -> BulkOrder {
    let authority = world.authority(CODE);
    BulkOrder {
        selection: BulkSelection { authority: Some(authority.id), ..BulkSelection::default() },
        cause: Cause::OfficeClosed,
        due: None,
        comment: "一斉失効".to_owned(),
    }
}

fn approved(world: &World, order: &BulkOrder) -> BulkRevocation {
    let people = [("asker", "山田 一"), ("one", "佐藤 二"), ("two", "鈴木 三")];
    let [asker, one, two] = people.map(|(login, name)| person(world, login, name));
    let leave = |who: &Principal| who.permit(world.now()).expect("a permit");
    let bulk = ask_bulk(&world.env, &leave(&asker), order).expect("a request");
    let digest = bulk.digest().expect("a digest");
    let own = approve_bulk(&world.env, &leave(&asker), &bulk.id, &digest);
    assert!(matches!(own, Err(BulkError::Refused(r)) if r.code == RefusalCode::SelfApproval));
    let first = approve_bulk(&world.env, &leave(&one), &bulk.id, &digest).expect("an approval");
    assert_eq!(first.state, BulkState::Asked);
    approve_bulk(&world.env, &leave(&two), &bulk.id, &digest).expect("an approval")
}

fn work(world: &World, bulk: &BulkRevocation) -> BulkRevocation {
    work_bulk(&world.env, &world.permit(), &bulk.id).expect("a slice")
}

/// The jobs that wait, the bulk revocation's own put aside.
fn drop_bulk_job(world: &World) {
    world.change_directly("DELETE FROM jobs WHERE kind = 'bulk-revocation'");
}

#[test]
fn rv_4_many_are_revoked_in_slices_each_with_its_record_and_told_in_one_list() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let seal = world.seal(&osaka, Level::One);
        let spared = world.seal(&osaka, Level::Two);
        seeded(world, 250, 20);
        world.run_jobs();
        let before = world.crl(CODE).number();
        let bulk = approved(world, &everything_of(world));
        drop_bulk_job(world);
        assert_eq!((bulk.state, bulk.matched), (BulkState::Approved, 231));
        let position = world.position();
        let first = work(world, &bulk);
        assert_eq!((first.revoked, first.state), (100, BulkState::Approved));
        // It waits where somebody says so, and goes on from there.
        let turn = |step| turn_bulk(&world.env, &world.permit(), &bulk.id, step).expect("a turn");
        turn(BulkStep::Paused);
        assert_eq!(work(world, &bulk).revoked, 100);
        world.run_jobs();
        turn(BulkStep::Resumed);
        drop_bulk_job(world);
        assert_eq!(work(world, &bulk).revoked, 200);
        assert_eq!(work(world, &bulk).revoked, 231);
        assert_eq!(work(world, &bulk).state, BulkState::Done);
        assert_eq!(work(world, &bulk).state, BulkState::Done);
        let told = world.told_after(position);
        let revoked = told.iter().filter(|r| r["code"] == "cert.revoked").count();
        assert_eq!(revoked, 231);
        assert!(
            told.iter()
                .filter(|r| r["code"] == "cert.revoked")
                .all(|r| r["detail"]["bulk"] == bulk.id.as_str())
        );
        assert!(matches!(world.status(&seal), AnswerStatus::Revoked { .. }));
        assert_eq!(world.status(&spared), AnswerStatus::Good);
        world.run_jobs();
        let after = world.crl(CODE);
        assert_eq!(after.entries().count(), 251);
        assert!(entry(&after, &seal).is_some());
        // One list where it paused, one at its end.
        assert_eq!(after.number(), before.map(|number| number + 2));
    });
}

#[test]
fn rv_5_a_revocation_waits_for_its_time() {
    World::on_each_database(|world| {
        let seal = world.seal(&world.osaka(), Level::One);
        let due = world.now().plus_days(3);
        let order = BulkOrder { due: Some(due), ..everything_of(world) };
        let exposed = BulkOrder { cause: Cause::KeyExposed, ..order.clone() };
        let refused = ask_bulk(&world.env, &world.permit(), &exposed);
        assert!(matches!(refused, Err(BulkError::Refused(r)) if r.rule == "RV-5"));
        let bulk = approved(world, &order);
        assert_eq!(work(world, &bulk).revoked, 0);
        assert_eq!(world.status(&seal), AnswerStatus::Good);
        let job = || world.write(|tx| tx.claim_job(world.now())).expect("the queue");
        while let Some(early) = job() {
            assert_ne!(early.kind, "bulk-revocation");
            world.write(|tx| tx.finish_job(early.id)).expect("the queue");
        }
        world.clock.set(due);
        let job = job().expect("its time has come");
        assert_eq!((job.kind.as_str(), job.object.as_str()), ("bulk-revocation", bulk.id.as_str()));
        world.write(|tx| tx.finish_job(job.id)).expect("the queue");
        assert_eq!(work(world, &bulk).revoked, 1);
        assert_eq!(work(world, &bulk).state, BulkState::Done);
        assert!(matches!(world.status(&seal), AnswerStatus::Revoked { .. }));
        world.run_jobs();
    });
}

#[test]
fn rv_4_only_who_may_revoke_everywhere_revokes_in_bulk() {
    World::on_each_database(|world| {
        let seal = world.seal(&world.osaka(), Level::One);
        let organisation = world.read(|tx| {
            let id = &seal.seal.as_ref().expect("a seal").organisation;
            tx.load_organisation(&tenkoku_domain::access::Scope::Platform, id)
        });
        let theirs = world.officer_of(&organisation, Role::OrganisationAdministrator);
        let permit = theirs.permit(world.now()).expect("a permit");
        let refused = ask_bulk(&world.env, &permit, &everything_of(world));
        assert!(
            matches!(refused, Err(BulkError::Refused(r)) if r.code == RefusalCode::NotAuthorised)
        );
        let all = BulkOrder { selection: BulkSelection::default(), ..everything_of(world) };
        let refused = ask_bulk(&world.env, &world.permit(), &all);
        assert!(matches!(refused, Err(BulkError::Refused(r)) if r.rule == "RV-4"));
    });
}

/// The number of the present list of an installation.
fn number(installation: &Installation) -> i64 {
    installation.json(["crl", "show", CODE])["number"].as_i64().expect("a number")
}

#[test]
fn kill_9_of_a_publisher_leaves_the_list_before_whole() {
    let installation = Installation::evaluation();
    let file = installation.path().join("serials.txt").display().to_string();
    let seed = ["demo", "seed", "--issued", "3000", "--revoked", "3000", "--authority", CODE];
    installation.tenkoku(seed.into_iter().chain(["--out", &file])).success();
    assert_eq!(fs::read_to_string(&file).expect("serial numbers").lines().count(), 3000);
    #[expect(clippy::disallowed_methods, reason = "how long a real program takes")]
    let begun = Instant::now();
    installation.tenkoku(["crl", "issue", CODE]).success();
    let whole = begun.elapsed();
    let mut newest = number(&installation);
    // Killed at every stage of the way, later and later.
    for stage in 1..=16_u32 {
        let mut publisher = installation
            .command(["crl", "issue", CODE])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a publisher");
        std::thread::park_timeout(whole * stage / 16);
        // One that was done before is no failure.
        let _ = publisher.kill();
        publisher.wait().expect("its end");
        let present = number(&installation);
        assert!(present >= newest, "{present} after {newest}");
        newest = present;
        let list = installation.tenkoku(["crl", "export", CODE]);
        let list = Crl::parse(list.success().as_bytes()).expect("a whole list");
        assert_eq!(u64::try_from(present).ok(), list.number());
        assert_eq!(list.entries().flatten().count(), 3000);
    }
    installation.tenkoku(["crl", "issue", CODE]).success();
    assert!(number(&installation) > newest);
}

//! Stories of the audit trail: what happened is there, what did not is not, and nobody changes it
//! unseen.

use tenkoku_domain::access::Scope;
use tenkoku_domain::audit::{ChainBreak, ChainFault, Event};
use tenkoku_domain::branch::{Branch, BranchCode};
use tenkoku_domain::id::BranchId;
use tenkoku_domain::level::Level;
use tenkoku_domain::revocation::Cause;
use tenkoku_store::{StoreError, Tx};
use tenkoku_testkit::world::{OURS, World, at_once};

use crate::support::codes;

#[test]
fn the_main_job_is_told_step_by_step() {
    World::on_each_database(|world| {
        let (certificate, told) = world.told(|| world.seal(&world.osaka(), Level::Two));
        let expected = [
            "org.created",
            "branch.created",
            "branch.created",
            "app.submitted",
            "key.pop-verified",
            "key.claimed",
            "app.ready",
            "cert.issued",
        ];
        assert_eq!(codes(&told), expected);
        let organisation = certificate.seal.as_ref().expect("a seal").organisation.as_str();
        for record in &told {
            assert_eq!(record["organisation"], organisation);
            assert_eq!(record["outcome"], "ok");
            assert_eq!(record["actor"]["id"], "shell");
        }
        assert_eq!(told[7]["policy"], certificate.policy.to_string());
        assert_eq!(told[7]["detail"]["serial"], certificate.serial.to_string());
    });
}

#[test]
fn an_installation_is_told_from_its_first_record() {
    World::on_each_database(|world| {
        let told = world.told_after(0);
        let codes = codes(&told);
        assert_eq!(codes[..2], ["sys.migration", "policy.activated"]);
        let count = |code: &str| codes.iter().filter(|one| **one == code).count();
        assert_eq!(count("ca.activated"), 4);
        assert_eq!(count("ocsp.signer-rotated"), 3);
        assert_eq!(count("crl.issued"), 4);
        assert_eq!(count("list.published"), 1);
        // Four authorities, three OCSP signers, two signers of lists and one of documents.
        assert_eq!(count("cert.issued"), 10);
        assert_eq!(count("key.generated"), 10);
    });
}

#[test]
fn i_12_a_later_step_that_fails_leaves_neither_change_nor_record() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let before = (world.position(), branches(world, &osaka));
        let new = Branch {
            id: BranchId::new(world.now(), &*world.env.entropy),
            code: BranchCode::parse("BR-0099").expect("a code"),
            ..osaka.clone()
        };
        let (origin, now) = (world.shell().origin(), world.now());
        let twice = world.write(|tx| {
            tx.record(&origin, now, &Event::BranchCreated { branch: new.clone() })?;
            let taken = BranchId::new(now, &*world.env.entropy);
            let branch = Branch { id: taken, ..new.clone() };
            tx.record(&origin, now, &Event::BranchCreated { branch })
        });
        assert!(matches!(twice, Err(StoreError::Conflict { .. })), "{twice:?}");
        assert_eq!((world.position(), branches(world, &osaka)), before);
        let given_up = world.write(|tx| {
            tx.record(&origin, now, &Event::BranchCreated { branch: new.clone() })?;
            Err::<(), _>(StoreError::Busy)
        });
        assert!(given_up.is_err());
        assert_eq!((world.position(), branches(world, &osaka)), before);
    });
}

fn branches(world: &World, of: &Branch) -> i64 {
    world.read(|tx| tx.count_branches(&Scope::Platform, &of.organisation))
}

/// On SQLite another process that is the last to close the file takes the log away: it must see
/// that this one still has it open, however many connections were opened since.
#[test]
fn a_process_that_comes_and_goes_takes_nothing_with_it() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        for name in ["神戸支店", "京都支店", "奈良支店"] {
            at_once(4, |_| branches(world, &osaka));
            world.change_directly(&format!(
                "UPDATE branches SET name = '{name}' WHERE kind = 'branch'"
            ));
            let load = |tx: &mut Tx<'_>| tx.load_branch(&Scope::Platform, &osaka.id);
            assert_eq!(world.read(load).name.as_str(), name);
            assert_eq!(world.write(load).expect("a branch").name.as_str(), name);
            world.seal(&osaka, Level::One);
        }
    });
}

#[test]
fn the_trail_names_nobody() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::One);
        world.revoke(&certificate, Cause::Replaced).expect("a revocation");
        for record in world.records_after(0) {
            for word in ["見本 花子", "hanako", "@", OURS[1]] {
                assert!(!record.record.contains(word), "{} says {word}", record.record);
            }
        }
    });
}

#[test]
fn scenario_10_a_deleted_record_is_named() {
    check_tampered(
        |_| "DELETE FROM audit_events WHERE seq = 7".to_owned(),
        |_| (7, ChainFault::Missing),
    );
}

#[test]
fn a_changed_record_is_named() {
    check_tampered(
        |_| {
            "UPDATE audit_events SET record = replace(record, 'shell', 'shelf') WHERE seq = 5"
                .into()
        },
        |_| (5, ChainFault::Altered),
    );
}

#[test]
fn two_records_that_changed_places_are_named() {
    check_tampered(
        |_| {
            "UPDATE audit_events SET seq = -4 WHERE seq = 4; \
             UPDATE audit_events SET seq = 4 WHERE seq = 5; \
             UPDATE audit_events SET seq = 5 WHERE seq = -4"
                .into()
        },
        |_| (4, ChainFault::Misplaced),
    );
}

#[test]
fn an_end_that_was_cut_off_is_named() {
    check_tampered(
        |last| format!("DELETE FROM audit_events WHERE seq > {}", last - 2),
        |last| (last - 1, ChainFault::Missing),
    );
}

#[test]
fn an_end_that_was_cut_off_together_with_its_head_is_named() {
    check_tampered(
        |last| {
            format!(
                "DELETE FROM audit_events WHERE seq > {0}; UPDATE audit_heads SET seq = {0}",
                last - 2
            )
        },
        |last| (last - 2, ChainFault::Altered),
    );
}

/// Somebody with the database's password changes the trail; both the change and what must be found
/// are told the last position.
fn check_tampered(change: impl Fn(i64) -> String, expected: impl Fn(i64) -> (i64, ChainFault)) {
    World::on_each_database(|world| {
        let last = world.position();
        assert_eq!(world.walk(), Ok(last));
        world.tamper(&change(last));
        let (seq, fault) = expected(last);
        assert_eq!(world.walk(), Err(ChainBreak { seq, fault }));
    });
}

//! Stories of keys that end in the platform's own key store: the intent before, the report after,
//! and what a power cut in between leaves.

use tenkoku_ca::destroy::decide_evidence;
use tenkoku_ca::destroy::in_store::{destroy_in_store, settle_destructions};
use tenkoku_ca::destroy::open::open_proofs;
use tenkoku_ca::life::LifeError;
use tenkoku_ca::platform_key::make_platform_key;
use tenkoku_ca::rotate::retire_certificate;
use tenkoku_domain::certificate::Certificate;
use tenkoku_domain::destruction::{Decision, Evidence, EvidenceState};
use tenkoku_domain::key::{KeyAlgorithm, KeyState};
use tenkoku_domain::level::Level;
use tenkoku_domain::policy::DestructionClass;
use tenkoku_domain::refusal::RefusalCode;
use tenkoku_keys::{Destruction, KeyError, KeyStore as _};
use tenkoku_testkit::world::World;

use crate::support::{check_refused, codes};

/// A seal whose key is in the platform's own key store and seals no more.
fn retired(world: &World) -> Certificate {
    let applied = world.open(&world.osaka(), Level::One, None).expect("an application");
    let id = &applied.application.id;
    let ready = make_platform_key(&world.env, &world.permit(), id, KeyAlgorithm::P256);
    let certificate = world.issue(&ready.expect("a key")).expect("a certificate");
    let name = (&certificate.authority, &certificate.serial);
    retire_certificate(&world.env, &world.permit(), name).expect("a retirement");
    certificate
}

fn destroy(world: &World, certificate: &Certificate) -> Result<Evidence, LifeError> {
    destroy_in_store(&world.env, &world.permit(), &certificate.key, "高橋 花")
}

fn settle(world: &World) -> usize {
    settle_destructions(&world.env, &world.permit()).expect("a settlement")
}

fn is_kept(world: &World, certificate: &Certificate) -> bool {
    world.keys.list().expect("a list").contains(&certificate.key)
}

/// The report that evidence rests on, read from its attachment.
fn report(world: &World, evidence: &Evidence) -> Destruction {
    let digest = evidence.report.expect("a report");
    let (_, content) = world.read(|tx| tx.find_attachment(&digest)).expect("an attachment");
    serde_json::from_slice(&content).expect("a report of the key store")
}

fn accept(world: &World, evidence: &Evidence) -> EvidenceState {
    let permit = world.registration_officer("審査 一").permit(world);
    decide_evidence(&world.env, &permit, &evidence.id, (Decision::Accept, "complete"))
        .expect("a decision")
}

#[test]
fn a_key_in_the_platform_s_store_is_destroyed_before_a_witness() {
    World::on_each_database(|world| {
        let certificate = retired(world);
        assert!(is_kept(world, &certificate));
        let (handed, told) = world.told(|| destroy(world, &certificate));
        let handed = handed.expect("evidence");
        assert_eq!(codes(&told), ["key.destruction-evidence", "key.destruction-evidence"]);
        assert_eq!(told[0]["detail"]["begun"], true);
        assert!(!is_kept(world, &certificate));
        assert_eq!(handed.class, DestructionClass::D1);
        assert!(report(world, &handed).is_complete());
        assert_eq!(accept(world, &handed), EvidenceState::Accepted);
        let key = world.read(|tx| tx.load_key(&certificate.key));
        assert_eq!(key.state, KeyState::Destroyed);
        assert!(open_proofs(&world.env, &world.permit()).expect("a list").is_empty());
        world.clock.advance_days(1);
        assert_eq!(settle(world), 0);
    });
}

#[test]
fn what_cannot_be_evidence_is_refused_before_the_key_is_gone() {
    World::on_each_database(|world| {
        let certificate = retired(world);
        let alone = || destroy_in_store(&world.env, &world.permit(), &certificate.key, "shell");
        let expected = (RefusalCode::DualControl, "DE-2");
        check_refused(world, alone, expected, "key.evidence-refused");
        assert!(is_kept(world, &certificate));
        let theirs = world.seal(
            &world.find_branch(&world.organisation(tenkoku_testkit::world::THEIRS), "HQ"),
            Level::One,
        );
        let elsewhere = || destroy(world, &theirs);
        let expected = (RefusalCode::EvidenceInsufficient, "11");
        check_refused(world, elsewhere, expected, "key.evidence-refused");
    });
}

#[test]
fn a_power_cut_before_the_deletion_leaves_the_key_and_the_order_may_be_given_again() {
    World::on_each_database(|world| {
        let certificate = retired(world);
        world.keys.fail_before_destroying();
        let cut = destroy(world, &certificate).expect_err("the power fails");
        assert!(matches!(cut, LifeError::Keys(KeyError::Unreachable { .. })), "{cut:?}");
        world.keys.recover();
        let again = (RefusalCode::StateConflict, "11");
        check_refused(world, || destroy(world, &certificate), again, "key.evidence-refused");
        assert_eq!(settle(world), 0, "another process may still be at it");
        world.clock.advance_seconds(60);
        let (settled, told) = world.told(|| settle(world));
        assert_eq!((settled, codes(&told)), (1, vec!["key.destruction-evidence"]));
        assert_eq!(
            (&told[0]["outcome"], &told[0]["detail"]["begun"]),
            (&"failed".into(), &false.into(),)
        );
        assert!(is_kept(world, &certificate));
        assert_eq!(settle(world), 0);
        destroy(world, &certificate).expect("evidence");
    });
}

#[test]
fn a_power_cut_after_the_deletion_is_completed_by_a_search() {
    World::on_each_database(|world| {
        let certificate = retired(world);
        world.keys.fail_after_destroying();
        destroy(world, &certificate).expect_err("the power fails");
        world.keys.recover();
        assert!(!is_kept(world, &certificate));
        world.clock.advance_seconds(60);
        assert_eq!(settle(world), 1);
        assert_eq!(settle(world), 0);
        let handed = world.read(|tx| tx.evidence_of_key(&certificate.key));
        let [(evidence, EvidenceState::Handed)] = handed.as_slice() else {
            panic!("one proof that waits, not {handed:?}")
        };
        assert!(report(world, evidence).is_complete());
        assert_eq!(accept(world, evidence), EvidenceState::Accepted);
    });
}

//! Stories of a key that is known already (DOMAIN 8): in any encoding, from any side, for ever.

use tenkoku_ca::apply::{ApplyError, ApplyOrder, apply_for_seal};
use tenkoku_domain::access::Role;
use tenkoku_domain::audit::Event;
use tenkoku_domain::branch::Branch;
use tenkoku_domain::id::KeyId;
use tenkoku_domain::key::{Key, KeyAlgorithm, KeyHolder, KeyRole, KeyState, OriginClass};
use tenkoku_domain::level::Level;
use tenkoku_domain::refusal::RefusalCode;
use tenkoku_domain::revocation::Cause;
use tenkoku_store::StoreError;
use tenkoku_testkit::fixtures::ApplicantKey;
use tenkoku_testkit::world::{OURS, THEIRS, World, at_once};

use crate::support::{check_not_applied, check_refused, codes, refusal};

const DUPLICATE: (RefusalCode, &str) = (RefusalCode::KeyDuplicate, "KM-6");

/// Two branches of one organisation.
fn two_branches(world: &World) -> [Branch; 2] {
    let organisation = world.organisation(OURS);
    [["BR-0002", "大阪支店", "Osaka Branch"], ["BR-0003", "神戸支店", "Kobe Branch"]]
        .map(|branch| world.branch(&organisation, branch))
}

fn p256() -> ApplicantKey {
    ApplicantKey::make(KeyAlgorithm::P256)
}

#[test]
fn a_branch_may_not_use_a_sibling_s_key() {
    World::on_each_database(|world| {
        let [osaka, kobe] = two_branches(world);
        let key = p256();
        world.seal_with(&osaka, Level::Two, &key);
        for level in Level::ALL {
            let refused =
                check_not_applied(world, (&kobe, level), key.request(), DUPLICATE, "key.duplicate");
            assert_eq!(refused.facts["holder"], "branch");
            assert_eq!(refused.facts["code"], "BR-0002");
        }
    });
}

#[test]
fn of_two_branches_with_one_key_at_once_one_gets_it() {
    World::on_each_database(|world| {
        for _ in 0..3 {
            check_race(world);
        }
    });
}

/// One round of the race, in branches of its own.
fn check_race(world: &World) {
    let organisation = world.read(|tx| {
        let scope = tenkoku_domain::access::Scope::Platform;
        tx.find_organisation_by_identifier(&scope, OURS[0])
    });
    let organisation = organisation.unwrap_or_else(|| world.organisation(OURS));
    let round = world.position();
    let branches = [0, 1].map(|side| {
        let code = format!("R-{round}-{side}");
        world.branch(&organisation, [&code, &format!("支店{code}"), "Race Branch"])
    });
    let request = p256().request();
    let (results, told) =
        world.told(|| at_once(2, |side| world.apply(&branches[side], Level::One, request.clone())));
    let (taken, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!((taken.len(), refused.len()), (1, 1));
    for result in refused {
        assert_eq!(refusal(result).code, RefusalCode::KeyDuplicate);
    }
    assert_eq!(codes(&told), ["key.claimed", "app.ready", "key.duplicate"]);
}

#[test]
fn a_key_is_known_in_every_encoding_ten_years_later() {
    World::on_each_database(|world| {
        let [osaka, kobe] = two_branches(world);
        let key = p256();
        let certificate = world.seal_with(&osaka, Level::One, &key);
        world.revoke(&certificate, Cause::Replaced).expect("a revocation");
        world.clock.advance_days(3640);
        let place = (&kobe, Level::One);
        for request in [key.request_compressed(), key.mirrored().request()] {
            check_not_applied(world, place, request, DUPLICATE, "key.duplicate");
        }
    });
}

/// The platform takes no key that is labelled for RSASSA-PSS at all, so it does not come to the
/// question of whose it is; the answer of DOMAIN 8.1 would be `key-duplicate`.
#[test]
fn a_known_rsa_key_labelled_for_pss_is_refused_for_its_label() {
    World::on_each_database(|world| {
        let [osaka, kobe] = two_branches(world);
        let key = ApplicantKey::make(KeyAlgorithm::Rsa3072);
        world.seal_with(&osaka, Level::One, &key);
        let request = key.request_labelled_pss();
        let label = (RefusalCode::KeyAlgorithm, "KM-1");
        check_not_applied(world, (&kobe, Level::One), request, label, "key.presented");
    });
}

#[test]
fn the_platform_s_own_keys_seal_nothing() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        for role in [KeyRole::Authority, KeyRole::OcspSigner, KeyRole::ListSigner] {
            let key = p256();
            claim_for_the_platform(world, role, &key);
            let place = (&osaka, Level::One);
            let refused =
                check_not_applied(world, place, key.request(), DUPLICATE, "key.duplicate");
            assert_eq!(refused.facts.len(), 1);
            assert_eq!(refused.facts["holder"], "other");
        }
    });
}

/// Claims a key as one of the platform's; its real ones sign no request.
fn claim_for_the_platform(world: &World, role: KeyRole, key: &ApplicantKey) {
    let public = key.public();
    let key = Key {
        id: KeyId::new(world.now(), &*world.env.entropy),
        role,
        holder: KeyHolder::Authority(world.authority("seal-l1-g1").id),
        algorithm: public.algorithm(),
        fingerprint: public.fingerprint(),
        public_key: public.spki_der().to_vec(),
        origin: OriginClass::K0,
        state: KeyState::Generated,
        created_at: world.now(),
    };
    let event = Event::KeyGenerated { key };
    world.write(|tx| tx.record(&world.shell().origin(), world.now(), &event)).expect("a claim");
}

#[test]
fn the_same_request_again_is_the_same_application() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let key = p256();
        let first = world.apply(&osaka, Level::One, key.request()).expect("an application");
        let (again, told) = world.told(|| world.apply(&osaka, Level::One, key.request()));
        assert_eq!(again.expect("the same application"), first);
        assert_eq!(told, Vec::<serde_json::Value>::new());
        // Another level is another application, and the key belongs to the first.
        let other = (&osaka, Level::Two);
        let refused = check_not_applied(world, other, key.request(), DUPLICATE, "key.duplicate");
        assert_eq!(refused.facts["holder"], "own-branch");
        // Once issued it is used up.
        world.issue(&first).expect("a certificate");
        let same = (&osaka, Level::One);
        let refused = check_not_applied(world, same, key.request(), DUPLICATE, "key.duplicate");
        assert_eq!(refused.facts["holder"], "own-branch");
        assert_eq!(refused.facts["instance"], "1");
    });
}

#[test]
fn the_same_request_from_many_sides_at_once_is_one_application() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let request = p256().request();
        let taken = at_once(4, |_| world.apply(&osaka, Level::One, request.clone()));
        let ids: Vec<_> = taken.into_iter().map(|a| a.expect("an application").id).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    });
}

/// Numbers of instances are drawn under a constraint: on PostgreSQL the slower one of two may be
/// told to come again, which loses nothing.
#[test]
fn keys_handed_in_for_one_branch_at_once_get_instances_of_their_own() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let taken = at_once(3, |_| world.apply(&osaka, Level::One, p256().request()));
        let mut numbers = Vec::new();
        for result in taken {
            match result {
                Ok(application) => numbers.push(application.instance_number),
                Err(ApplyError::Store(StoreError::Busy)) => {}
                Err(other) => panic!("{other}"),
            }
        }
        numbers.sort_unstable();
        let expected: Vec<i32> = (1..).take(numbers.len()).collect();
        assert!(!numbers.is_empty());
        assert_eq!(numbers, expected);
    });
}

#[test]
fn a_stranger_does_not_learn_who_holds_a_key() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let theirs = world.organisation(THEIRS);
        let branch = world.branch(&theirs, ["BR-0001", "堺支店", "Sakai Branch"]);
        let key = p256();
        world.seal_with(&osaka, Level::One, &key);
        let officer = world.officer_of(&theirs, Role::OrganisationAdministrator);
        let permit = officer.permit(world.now()).expect("a permit");
        let apply = |branch: &Branch| {
            let order = ApplyOrder {
                branch: branch.id.clone(),
                level: Level::One,
                validity_days: None,
                request: key.request(),
            };
            apply_for_seal(&world.env, &permit, &order)
        };
        let refused = check_refused(world, || apply(&branch), DUPLICATE, "key.duplicate");
        let facts: Vec<_> = refused.facts.into_iter().collect();
        assert_eq!(facts, [("holder".to_owned(), "other".to_owned())]);
        // And a branch of others does not exist.
        let unseen = apply(&osaka).expect_err("it does not exist");
        assert!(matches!(unseen, ApplyError::Store(StoreError::NotFound { .. })), "{unseen:?}");
    });
}

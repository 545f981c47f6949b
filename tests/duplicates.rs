//! Stories of a key that is known already (DOMAIN 8): in any encoding, from any side, for ever.

use tenkoku_ca::apply::{Applied, ApplyError, ApplyOrder, apply_for_seal};
use tenkoku_ca::prove::{Proof, prove_possession};
use tenkoku_domain::access::{Role, Scope};
use tenkoku_domain::application::{ApplicationState, Wishes};
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

use crate::support::{
    check_incident, check_not_applied, check_not_proven, check_refused, codes, refusal,
};

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
fn km_6_a_branch_may_not_use_a_sibling_s_key() {
    World::on_each_database(|world| {
        let [osaka, kobe] = two_branches(world);
        let key = p256();
        world.seal_with(&osaka, Level::Two, &key);
        let told = |refused: tenkoku_domain::refusal::Refusal| {
            assert_eq!(refused.facts["holder"], "branch");
            assert_eq!(refused.facts["code"], "BR-0002");
        };
        for level in Level::ALL {
            let place = (&kobe, level);
            told(check_not_applied(world, place, key.request(), DUPLICATE, "key.duplicate"));
        }
        told(check_incident(world, (&kobe, Level::One), |challenge| key.proof(challenge)));
        // The open incident covers the next hit too.
        let applied = world.open(&kobe, Level::Two, None).expect("an application");
        let proof = key.proof(&applied.challenge.text);
        let (result, again) = world.told(|| world.prove(&applied, proof));
        told(refusal(result));
        assert_eq!(codes(&again), ["key.duplicate", "app.rejected"]);
    });
}

#[test]
fn scenario_1_of_two_branches_with_one_key_at_once_one_gets_it() {
    World::on_each_database(|world| {
        for _ in 0..3 {
            check_race(world);
        }
    });
}

/// One round of the race, in branches of its own.
fn check_race(world: &World) {
    let organisation =
        world.read(|tx| tx.find_organisation_by_identifier(&Scope::Platform, OURS[0]));
    let organisation = organisation.unwrap_or_else(|| world.organisation(OURS));
    let round = world.position();
    let branches = [0, 1].map(|side| {
        let code = format!("R-{round}-{side}");
        world.branch(&organisation, [&code, &format!("支店{code}"), "Race Branch"])
    });
    let key = p256();
    // Both attach the same request, and both answer their own challenge.
    let applied = at_once(2, |side| world.open(&branches[side], Level::One, Some(key.request())));
    let applied: Vec<_> = applied.into_iter().map(|a| a.expect("an application")).collect();
    let (results, told) = world.told(|| {
        at_once(2, |side| world.prove(&applied[side], key.proof(&applied[side].challenge.text)))
    });
    let states = |state| {
        let load = |one: &Applied| {
            let id = one.application.id.clone();
            world.read(|tx| tx.load_application(&Scope::Platform, &id)).state == state
        };
        applied.iter().filter(|one| load(one)).count()
    };
    assert_eq!((states(ApplicationState::Ready), states(ApplicationState::Rejected)), (1, 1));
    let (ready, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!((ready.len(), refused.len()), (1, 1));
    for result in refused {
        assert_eq!(refusal(result).code, RefusalCode::KeyDuplicate);
    }
    let expected = [
        "key.pop-verified",
        "key.claimed",
        "app.ready",
        "key.duplicate",
        "app.rejected",
        "key.copy-suspected",
    ];
    assert_eq!(codes(&told), expected);
    // One incident, and both custodians are to be told.
    let whom = told[5]["detail"]["told"].to_string();
    for branch in &branches {
        assert!(whom.contains(&format!("custodian/{}", branch.id)), "{whom}");
    }
    for application in ready {
        world.issue(&application.expect("an application")).expect("a certificate");
    }
}

#[test]
fn scenario_2_a_key_is_known_in_every_encoding_under_every_authority_ten_years_later() {
    World::on_each_database(|world| {
        let [osaka, kobe] = two_branches(world);
        let key = p256();
        let rsa = ApplicantKey::make(KeyAlgorithm::Rsa3072);
        let certificate = world.seal_with(&osaka, Level::One, &key);
        world.revoke(&certificate, Cause::Replaced).expect("a revocation");
        world.seal_with(&osaka, Level::One, &rsa);
        world.clock.advance_days(3640);
        // Each level is another authority.
        for level in Level::ALL {
            let place = (&kobe, level);
            for request in
                [key.request_compressed(), key.mirrored().request(), rsa.request_labelled_pss()]
            {
                check_not_applied(world, place, request, DUPLICATE, "key.duplicate");
            }
        }
        let place = (&kobe, Level::Two);
        check_incident(world, place, |challenge| key.proof_compressed(challenge));
        let applied = world.open(&kobe, Level::Three, None).expect("an application");
        let mirrored = key.mirrored().proof(&applied.challenge.text);
        assert_eq!(refusal(world.prove(&applied, mirrored)).code, RefusalCode::KeyDuplicate);
        // A key under a label that is not accepted is known, but its signature is not judged.
        let labelled = |challenge: &str| rsa.proof_labelled_pss(challenge);
        check_not_proven(world, place, labelled, DUPLICATE, "key.duplicate");
    });
}

#[test]
fn i_2_the_platform_s_own_keys_seal_nothing() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        for role in [KeyRole::Authority, KeyRole::OcspSigner, KeyRole::ListSigner] {
            let key = p256();
            claim_for_the_platform(world, role, &key);
            let place = (&osaka, Level::One);
            let early = check_not_applied(world, place, key.request(), DUPLICATE, "key.duplicate");
            let late = check_incident(world, place, |challenge| key.proof(challenge));
            for refused in [early, late] {
                assert_eq!(refused.facts.len(), 1);
                assert_eq!(refused.facts["holder"], "other");
            }
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
fn the_same_proof_again_is_the_same_application() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let key = p256();
        let applied = world.open(&osaka, Level::One, None).expect("an application");
        let proof = key.proof(&applied.challenge.text);
        let first = world.prove(&applied, proof.clone()).expect("possession");
        let (again, told) = world.told(|| world.prove(&applied, proof));
        assert_eq!(again.expect("the same application"), first);
        assert_eq!(told, Vec::<serde_json::Value>::new());
        // Another application of the same branch is another instance, with a key of its own.
        for level in [Level::One, Level::Two] {
            let place = (&osaka, level);
            let proof = |challenge: &str| key.proof(challenge);
            let refused = check_not_proven(world, place, proof, DUPLICATE, "key.duplicate");
            assert_eq!(refused.facts["holder"], "own-branch");
            assert_eq!(refused.facts["instance"], "1");
        }
        world.issue(&first).expect("a certificate");
    });
}

#[test]
fn the_same_proof_from_many_sides_at_once_is_one_application() {
    World::on_each_database(|world| {
        let applied = world.open(&world.osaka(), Level::One, None).expect("an application");
        let proof = p256().proof(&applied.challenge.text);
        let (shown, told) = world.told(|| at_once(4, |_| world.prove(&applied, proof.clone())));
        for application in shown {
            assert_eq!(application.expect("possession").id, applied.application.id);
        }
        assert_eq!(codes(&told), ["key.pop-verified", "key.claimed", "app.ready"]);
    });
}

#[test]
fn applications_of_one_branch_at_once_get_instances_of_their_own() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let taken = at_once(3, |_| world.apply(&osaka, Level::One, &p256()));
        let mut numbers: Vec<i32> =
            taken.into_iter().map(|taken| taken.expect("possession").instance_number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2, 3]);
    });
}

#[test]
fn km_6_a_stranger_does_not_learn_who_holds_a_key() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let theirs = world.organisation(THEIRS);
        let branch = world.branch(&theirs, ["BR-0001", "堺支店", "Sakai Branch"]);
        let key = p256();
        world.seal_with(&osaka, Level::One, &key);
        let officer = world.officer_of(&theirs, Role::OrganisationAdministrator);
        let permit = officer.permit(world.now()).expect("a permit");
        let apply = |branch: &Branch, request| {
            let (branch, level) = (branch.id.clone(), Level::One);
            let order = ApplyOrder {
                branch,
                level,
                validity_days: None,
                request,
                instance: None,
                wishes: Wishes::default(),
            };
            apply_for_seal(&world.env, &permit, &order)
        };
        let attach = || apply(&branch, Some(key.request()));
        let early = check_refused(world, attach, DUPLICATE, "key.duplicate");
        let applied = apply(&branch, None).expect("an application");
        let proof = Proof::Request(key.proof(&applied.challenge.text));
        let id = &applied.application.id;
        let late = refusal(prove_possession(&world.env, &permit, id, &proof));
        for refused in [early, late] {
            let facts: Vec<_> = refused.facts.into_iter().collect();
            assert_eq!(facts, [("holder".to_owned(), "other".to_owned())]);
        }
        // And a branch of others does not exist.
        let unseen = apply(&osaka, None).expect_err("it does not exist");
        assert!(matches!(unseen, ApplyError::Store(StoreError::NotFound { .. })), "{unseen:?}");
    });
}

//! Stories of possession (DOMAIN 8.4, 9): a key is certified only after it signed this
//! application's challenge, in time and once.

use std::fs;

use tenkoku_ca::apply::{Applied, ApplyOrder, apply_for_seal};
use tenkoku_ca::incident::{CloseOrder, close_incident};
use tenkoku_ca::lapse::lapse_applications;
use tenkoku_ca::platform_key::make_platform_key;
use tenkoku_ca::prove::{Proof, prove_possession, request_challenge};
use tenkoku_domain::access::Scope;
use tenkoku_domain::application::{ApplicationState, Wishes};
use tenkoku_domain::branch::Branch;
use tenkoku_domain::certificate::CertificateState;
use tenkoku_domain::incident::{IncidentDecision, IncidentKind, IncidentState};
use tenkoku_domain::key::{BlockList, BlockedKey, KeyAlgorithm, OriginClass};
use tenkoku_domain::level::Level;
use tenkoku_domain::refusal::RefusalCode;
use tenkoku_domain::revocation::Cause;
use tenkoku_testkit::fixtures::ApplicantKey;
use tenkoku_testkit::tools::openssl;
use tenkoku_testkit::world::{THEIRS, World, at_once};

use crate::support::{check_incident, check_not_proven, check_refused, codes, refusal};

const NOT_SHOWN: (RefusalCode, &str) = (RefusalCode::PossessionNotShown, "KM-7");

fn p256() -> ApplicantKey {
    ApplicantKey::make(KeyAlgorithm::P256)
}

fn open(world: &World, branch: &Branch) -> Applied {
    world.open(branch, Level::One, None).expect("an application")
}

fn problem(world: &World, applied: &Applied, proof: Vec<u8>) -> String {
    let prove = || world.prove(applied, proof);
    check_refused(world, prove, NOT_SHOWN, "key.pop-failed").facts["problem"].clone()
}

#[test]
fn km_7_refuses_a_stale_a_missing_and_another_application_s_challenge() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let key = p256();
        let [first, second] = [0, 1].map(|_| open(world, &osaka));
        assert_ne!(first.challenge.text, second.challenge.text);
        assert_eq!(problem(world, &first, key.request()), "challenge-missing");
        let theirs = key.proof(&second.challenge.text);
        assert_eq!(problem(world, &first, theirs), "challenge-other");
        world.clock.advance_seconds(3600);
        let late = key.proof(&first.challenge.text);
        assert_eq!(problem(world, &first, late.clone()), "challenge-stale");
        // A new one on request; the old one is never accepted again.
        let permit = world.permit();
        let id = &first.application.id;
        let fresh = request_challenge(&world.env, &permit, id).expect("a challenge");
        assert_eq!(problem(world, &first, late), "challenge-other");
        world.prove(&first, key.proof(&fresh.text)).expect("possession");
        // What is fresh is not replaced.
        world.clock.advance_seconds(-3600);
        let same = request_challenge(&world.env, &permit, &second.application.id);
        assert_eq!(same.expect("a challenge"), second.challenge);
    });
}

#[test]
fn km_7_takes_a_challenge_once() {
    World::on_each_database(|world| {
        let applied = open(world, &world.osaka());
        let proof = p256().proof(&applied.challenge.text);
        let ready = world.prove(&applied, proof).expect("possession");
        let other = p256().proof(&applied.challenge.text);
        let refused = refusal(world.prove(&applied, other));
        assert_eq!(refused.code, RefusalCode::StateConflict);
        assert_eq!(world.read(|tx| tx.load_application(&Scope::Platform, &ready.id)), ready);
    });
}

#[test]
fn km_7_wants_the_key_of_the_request_that_was_attached() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let key = p256();
        let attached = world.open(&osaka, Level::One, Some(key.request()));
        let applied = attached.expect("an application");
        let other = p256().proof(&applied.challenge.text);
        assert_eq!(problem(world, &applied, other), "other-key");
        world.prove(&applied, key.proof(&applied.challenge.text)).expect("possession");
    });
}

#[test]
fn ab_11_another_s_public_key_with_an_old_request_blocks_nobody() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let theirs = world.organisation(THEIRS);
        let sakai = world.branch(&theirs, ["BR-0001", "堺支店", "Sakai Branch"]);
        let key = p256();
        // Somebody who once got this request from its holder.
        let old = key.request();
        let thief = world.open(&sakai, Level::One, Some(old.clone())).expect("an application");
        assert_eq!(problem(world, &thief, old), "challenge-missing");
        let certificate = world.seal_with(&osaka, Level::One, &key);
        // The holder is not harmed afterwards either.
        let again = open(world, &sakai);
        assert_eq!(problem(world, &again, key.request()), "challenge-missing");
        assert_eq!(world.read(|tx| tx.count_open_incidents()), 0);
        let now = world.read(|tx| tx.load_certificate(&Scope::Platform, &certificate.id));
        assert_eq!(now.state, CertificateState::Active);
    });
}

#[test]
fn km_6_a_stranger_with_the_same_private_key_puts_the_seal_on_hold() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let theirs = world.organisation(THEIRS);
        let sakai = world.branch(&theirs, ["BR-0001", "堺支店", "Sakai Branch"]);
        let key = p256();
        let certificate = world.seal_with(&osaka, Level::One, &key);
        let applied = open(world, &sakai);
        let proof = key.proof(&applied.challenge.text);
        let (result, told) = world.told(|| world.prove(&applied, proof));
        assert_eq!(refusal(result).code, RefusalCode::KeyDuplicate);
        let expected = ["key.duplicate", "app.rejected", "key.copy-suspected", "cert.suspended"];
        assert_eq!(codes(&told), expected);
        let held = world.read(|tx| tx.load_certificate(&Scope::Platform, &certificate.id));
        assert!(matches!(held.state, CertificateState::Suspended(_)), "{:?}", held.state);
        let open = Some(IncidentState::Open);
        let page = world.read(|tx| tx.list_incidents(open, None, 10));
        let [incident] = page.items.as_slice() else { panic!("{page:?}") };
        assert_eq!(incident.kind, IncidentKind::ForeignKey);
        assert_eq!(incident.certificates, [certificate.id]);
        let order = CloseOrder {
            incident: incident.id.clone(),
            decision: IncidentDecision::NoCopy,
            reason: "one token, found in both offices".to_owned(),
        };
        let closed = close_incident(&world.env, &world.permit(), &order).expect("a decision");
        assert_eq!(closed.state(), IncidentState::Closed);
        let back = world.read(|tx| tx.load_certificate(&Scope::Platform, &held.id));
        assert_eq!(back.state, CertificateState::Active);
        let again = || close_incident(&world.env, &world.permit(), &order);
        let conflict = (RefusalCode::StateConflict, "8.3");
        check_refused(world, again, conflict, "key.copy-suspected");
        assert_eq!(world.read(|tx| tx.count_open_incidents()), 0);
    });
}

#[test]
fn km_5_a_key_decided_to_be_exposed_is_revoked_and_comes_back_to_nothing() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let theirs = world.organisation(THEIRS);
        let sakai = world.branch(&theirs, ["BR-0001", "堺支店", "Sakai Branch"]);
        let key = p256();
        let certificate = world.seal_with(&osaka, Level::One, &key);
        let applied = open(world, &sakai);
        refusal(world.prove(&applied, key.proof(&applied.challenge.text)));
        let open_now = |world: &World| {
            world.read(|tx| tx.list_incidents(Some(IncidentState::Open), None, 10)).items
        };
        let decide = |reason: &str| {
            let order = CloseOrder {
                incident: open_now(world)[0].id.clone(),
                decision: IncidentDecision::KeyExposed,
                reason: reason.to_owned(),
            };
            close_incident(&world.env, &world.permit(), &order)
        };
        let unsaid = (RefusalCode::NameInvalid, "4.4");
        check_refused(world, || decide(" "), unsaid, "key.copy-suspected");
        let (_, told) = world.told(|| decide("the disk was sold").expect("a decision"));
        assert_eq!(codes(&told), ["key.copy-suspected", "cert.revoked"]);
        let now = world.read(|tx| tx.load_certificate(&Scope::Platform, &certificate.id));
        let CertificateState::Revoked(revocation) = now.state else { panic!("{:?}", now.state) };
        assert_eq!(revocation.cause, Cause::KeyExposed);
        // Whoever brings it back, its holder too, meets the block.
        for branch in [&osaka, &sakai] {
            let early = world.open(branch, Level::One, Some(key.request()));
            assert_eq!(refusal(early).code, RefusalCode::KeyBlocked);
        }
        let applied = open(world, &osaka);
        let proof = key.proof(&applied.challenge.text);
        let (result, told) = world.told(|| world.prove(&applied, proof));
        let refused = refusal(result);
        assert_eq!((refused.code, refused.rule.as_str()), (RefusalCode::KeyBlocked, "KM-5"));
        assert_eq!(codes(&told), ["key.blocked", "app.rejected", "key.copy-suspected"]);
        assert_eq!(open_now(world)[0].kind, IncidentKind::BlockedKey);
    });
}

#[test]
fn km_5_possession_of_a_blocked_key_ends_what_rests_on_it() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let key = p256();
        let certificate = world.seal_with(&osaka, Level::One, &key);
        let blocked = BlockedKey {
            fingerprint: key.public().fingerprint(),
            list: BlockList::Published,
            reason: "published".to_owned(),
            since: world.now(),
        };
        assert!(world.write(|tx| tx.block_key(&blocked)).expect("the store answers"));
        // Handed in without possession it harms nobody (AB-11).
        let early = world.open(&osaka, Level::One, Some(key.request()));
        assert_eq!(refusal(early).code, RefusalCode::KeyBlocked);
        let state =
            || world.read(|tx| tx.load_certificate(&Scope::Platform, &certificate.id)).state;
        assert_eq!(state(), CertificateState::Active);
        let applied = open(world, &osaka);
        let proof = key.proof(&applied.challenge.text);
        let (result, told) = world.told(|| world.prove(&applied, proof));
        assert_eq!(refusal(result).code, RefusalCode::KeyBlocked);
        let expected = ["key.blocked", "app.rejected", "key.copy-suspected", "cert.revoked"];
        assert_eq!(codes(&told), expected);
        assert!(matches!(state(), CertificateState::Revoked(_)), "{:?}", state());
    });
}

#[test]
fn km_7_a_detached_signature_of_openssl_shows_possession() {
    World::on_each_database(|world| {
        let applied = open(world, &world.osaka());
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let [key, certificate, text, signature] = ["k", "c", "t", "s"].map(path);
        let new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        let into = ["-subj", "/CN=seal", "-keyout", &key, "-out", &certificate];
        openssl(["req", "-x509"].iter().chain(&new).chain(&into)).success();
        fs::write(&text, &applied.challenge.text).expect("a file");
        let by = ["cms", "-sign", "-signer", &certificate, "-inkey", &key];
        let of = ["-in", &text, "-outform", "PEM", "-out", &signature];
        openssl(by.iter().chain(&of)).success();
        let proof = Proof::Cms(fs::read(&signature).expect("a signature"));
        let id = &applied.application.id;
        let ready = prove_possession(&world.env, &world.permit(), id, &proof);
        world.issue(&ready.expect("possession")).expect("a certificate");
        // Over another application's challenge it shows nothing.
        let other = open(world, &world.find_branch(&organisation(world), "HQ"));
        let id = &other.application.id;
        let prove = || prove_possession(&world.env, &world.permit(), id, &proof);
        check_refused(world, prove, NOT_SHOWN, "key.pop-failed");
    });
}

fn organisation(world: &World) -> tenkoku_domain::organisation::Organisation {
    let ours = tenkoku_testkit::world::OURS[0];
    let found = world.read(|tx| tx.find_organisation_by_identifier(&Scope::Platform, ours));
    found.expect("our organisation")
}

#[test]
fn i_11_the_platform_keeps_software_keys_of_level_1_only() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let make = |applied: &Applied| {
            let id = &applied.application.id;
            make_platform_key(&world.env, &world.permit(), id, KeyAlgorithm::P256)
        };
        let ready = make(&open(world, &osaka)).expect("a key of the platform");
        let certificate = world.issue(&ready).expect("a certificate");
        let key = world.read(|tx| tx.load_key(&certificate.key));
        assert_eq!(key.origin, OriginClass::K1);
        for level in [Level::Two, Level::Three] {
            let applied = world.open(&osaka, level, None).expect("an application");
            let refused = (RefusalCode::OriginInsufficient, "I-11");
            check_refused(world, || make(&applied), refused, "key.ordered");
        }
    });
}

#[test]
fn km_11_the_earlier_key_of_an_instance_is_not_its_successor() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let key = p256();
        let certificate = world.seal_with(&osaka, Level::Two, &key);
        let order = |request| ApplyOrder {
            branch: osaka.id.clone(),
            level: Level::Two,
            validity_days: None,
            request,
            instance: Some(certificate.seal.as_ref().expect("a seal").instance.clone()),
            wishes: Wishes::default(),
        };
        let apply = |request| apply_for_seal(&world.env, &world.permit(), &order(request));
        let reuse = (RefusalCode::KeyReuse, "KM-11");
        check_refused(world, || apply(Some(key.request())), reuse, "key.duplicate");
        world.clock.advance_days(705);
        world.renew_signers();
        let applied = apply(None).expect("the window is open");
        assert_eq!(applied.application.instance_number, 1);
        let proof = key.proof(&applied.challenge.text);
        check_refused(world, || world.prove(&applied, proof), reuse, "key.duplicate");
        world.prove(&applied, p256().proof(&applied.challenge.text)).expect("possession");
    });
}

#[test]
fn ab_10_km_14_of_many_at_once_no_more_are_issued_than_there_is_room_for() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let waiting: Vec<_> = (0..4)
            .map(|_| world.apply(&osaka, Level::One, &p256()).expect("an application"))
            .collect();
        (0..18).for_each(|_| drop(world.seal(&osaka, Level::One)));
        let results = at_once(waiting.len(), |number| world.issue(&waiting[number]));
        let (issued, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!((issued.len(), refused.len()), (2, 2));
        for result in refused {
            assert_eq!(refusal(result).code, RefusalCode::InstancesExceeded);
        }
    });
}

#[test]
fn applications_without_progress_lapse_and_keep_their_claim() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let key = p256();
        let waiting = open(world, &osaka);
        let ready = world.apply(&osaka, Level::One, &key).expect("an application");
        let lapse = || lapse_applications(&world.env, &world.permit()).expect("the store");
        let state = |id| world.read(|tx| tx.load_application(&Scope::Platform, id)).state;
        assert_eq!(lapse(), 0);
        world.clock.advance_days(10);
        let (ended, told) = world.told(lapse);
        assert_eq!((ended, codes(&told)), (1, vec!["app.lapsed"]));
        assert_eq!(state(&waiting.application.id), ApplicationState::Lapsed);
        assert_eq!(state(&ready.id), ApplicationState::Ready);
        world.clock.advance_days(20);
        assert_eq!((lapse(), lapse()), (1, 0));
        assert_eq!(state(&ready.id), ApplicationState::Lapsed);
        let duplicate = (RefusalCode::KeyDuplicate, "KM-6");
        let place = (&osaka, Level::One);
        check_not_proven(world, place, |text| key.proof(text), duplicate, "key.duplicate");
        let theirs = world.organisation(THEIRS);
        let sakai = world.branch(&theirs, ["BR-0001", "堺支店", "Sakai Branch"]);
        check_incident(world, (&sakai, Level::One), |text| key.proof(text));
    });
}

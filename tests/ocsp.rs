//! Stories of status: what responders answer, who signs the answers, and how CRLs follow on each
//! other.

use std::sync::Arc;

use tenkoku_ca::signer::renew_ocsp_signers;
use tenkoku_domain::authority::AuthorityKind;
use tenkoku_domain::certificate::{Certificate, Profile, Serial};
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::level::Level;
use tenkoku_domain::revocation::Cause;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::ocsp::{
    Answer, AnswerStatus, HashAlgorithm, MALFORMED_REQUEST, MAX_REQUESTS, TRY_LATER, UNAUTHORIZED,
    encode_request,
};
use tenkoku_ports::Env;
use tenkoku_ports::settings::{Settings, StatusSettings, Unissued};
use tenkoku_responder::crl::{CrlError, current_crl};
use tenkoku_responder::figures::Count;
use tenkoku_responder::responder::Responder;
use tenkoku_store::StoreError;
use tenkoku_testkit::world::{World, at_once, authority_code};

const CODE: &str = "seal-l1-g1";

fn id_of(world: &World, certificate: &Certificate) -> Vec<u8> {
    world.cert_id(&certificate.authority, &certificate.serial, HashAlgorithm::Sha256)
}

fn ask(world: &World, ids: &[Vec<u8>], nonce: Option<&[u8]>) -> Answer {
    let answer = Answer::parse(&world.ask(CODE, &encode_request(ids, nonce))).expect("an answer");
    world.check_answer(&world.authority(CODE), &answer);
    answer
}

#[test]
fn a_certificate_may_be_named_under_any_hash() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::One);
        for hash in HashAlgorithm::ALL {
            let id = world.cert_id(&certificate.authority, &certificate.serial, hash);
            let answer = ask(world, std::slice::from_ref(&id), None);
            let [single] = answer.singles() else { panic!("one answer") };
            assert_eq!((&single.cert_id, single.status), (&id, AnswerStatus::Good));
            let now = world.now().floor();
            assert_eq!(answer.produced_at(), now);
            assert_eq!(single.this_update, now);
            assert_eq!(single.next_update, Some(now.plus_days(1)));
        }
    });
}

#[test]
fn a_nonce_comes_back_and_none_comes_unasked() {
    World::on_each_database(|world| {
        let ids = [id_of(world, &world.seal(&world.osaka(), Level::One))];
        for nonce in [&[7][..], &[0xAB; 32], &[0; 128]] {
            assert_eq!(ask(world, &ids, Some(nonce)).nonce(), Some(nonce));
        }
        assert_eq!(ask(world, &ids, None).nonce(), None);
        for nonce in [&[][..], &[1; 129]] {
            let question = encode_request(&ids, Some(nonce));
            assert_eq!(world.ask(CODE, &question), MALFORMED_REQUEST, "{} octets", nonce.len());
        }
    });
}

#[test]
fn nothing_is_said_about_what_the_authority_did_not_issue() {
    World::on_each_database(|world| {
        let branch = world.osaka();
        let [ours, other] = [Level::One, Level::Two].map(|level| world.seal(&branch, level));
        let unknown = Serial::parse("40FFEE").expect("a serial number");
        let ids = [
            // A serial number that was never used; that of another authority under our name; and
            // a certificate of another authority.
            world.cert_id(&ours.authority, &unknown, HashAlgorithm::Sha256),
            world.cert_id(&ours.authority, &other.serial, HashAlgorithm::Sha1),
            id_of(world, &other),
        ];
        for id in ids {
            let alone = encode_request(std::slice::from_ref(&id), None);
            assert_eq!(world.ask(CODE, &alone), UNAUTHORIZED);
            let beside = encode_request(&[id_of(world, &ours), id], None);
            assert_eq!(world.ask(CODE, &beside), UNAUTHORIZED);
        }
        let question = encode_request(&[id_of(world, &ours)], None);
        assert_eq!(world.ask("no-such-authority", &question), UNAUTHORIZED);
    });
}

#[test]
fn several_certificates_are_answered_in_their_order() {
    World::on_each_database(|world| {
        let branch = world.osaka();
        let seals: Vec<_> = (0..MAX_REQUESTS).map(|_| world.seal(&branch, Level::One)).collect();
        world.revoke(&seals[1], Cause::KeyExposed).expect("a revocation");
        let mut ids: Vec<_> = seals.iter().map(|seal| id_of(world, seal)).collect();
        let answer = ask(world, &ids, Some(&[1; 32]));
        let answered: Vec<_> = answer.singles().iter().map(|s| s.cert_id.clone()).collect();
        assert_eq!(answered, ids);
        for (place, single) in answer.singles().iter().enumerate() {
            assert_eq!(single.status == AnswerStatus::Good, place != 1);
        }
        ids.push(ids[0].clone());
        assert_eq!(world.ask(CODE, &encode_request(&ids, None)), MALFORMED_REQUEST);
    });
}

#[test]
fn what_is_no_request_is_called_malformed() {
    World::on_each_database(|world| {
        let question =
            encode_request(&[id_of(world, &world.seal(&world.osaka(), Level::One))], None);
        let cut = (0..question.len()).map(|length| question[..length].to_vec());
        let longer = [question.clone(), vec![0]].concat();
        let strange =
            [b"GET / HTTP/1.1".to_vec(), vec![0x30, 0x80, 0, 0], vec![0xFF; 5000], longer];
        for request in cut.chain(strange) {
            assert_eq!(world.ask(CODE, &request), MALFORMED_REQUEST, "{}", hex::encode(&request));
        }
    });
}

#[test]
fn signers_follow_on_each_other_without_a_gap() {
    World::on_each_database(|world| {
        let seal = world.seal(&world.osaka(), Level::One);
        let ids = [id_of(world, &seal)];
        world.clock.advance_days(13);
        assert_eq!(world.renew_signers(), 0);
        world.clock.advance_days(1);
        let former = ask(world, &ids, None);
        assert_eq!(world.renew_signers(), 3);
        assert_eq!(world.renew_signers(), 0);
        let present = ask(world, &ids, None);
        let [old, new] = [&former, &present].map(|answer| answer.certificates()[0].clone());
        assert_ne!(old.public_key(), new.public_key());
        assert_eq!(new.validity().not_before, world.now().floor());
        // The old signer's certificate outlives the last answer it signed.
        let last = former.singles()[0].next_update.expect("an end");
        assert!(old.validity().not_after > last);
        world.clock.advance_days(1);
        ask(world, &ids, None);
    });
}

#[test]
fn without_a_valid_signer_clients_are_told_to_come_later() {
    World::on_each_database(|world| {
        let seal = world.seal(&world.osaka(), Level::One);
        let question = encode_request(&[id_of(world, &seal)], None);
        world.keys.fail();
        assert_eq!(world.ask(CODE, &question), TRY_LATER);
        world.keys.recover();
        world.clock.advance_days(30);
        assert_eq!(world.ask(CODE, &question), TRY_LATER);
        assert_eq!(world.renew_signers(), 3);
        assert_eq!(world.status(&seal), AnswerStatus::Good);
    });
}

/// A responder of its own beside the world's, with other settings.
fn responder_with(world: &World, status: StatusSettings) -> Arc<Responder> {
    let settings = Arc::new(Settings { status, ..(*world.env.settings).clone() });
    let responder = Responder::open(Env { settings, ..world.env.clone() });
    responder.expect("a responder")
}

/// What a responder says as a server does: from memory, without looking into the log.
fn known(world: &World, responder: &Responder, ids: &[Vec<u8>], nonce: Option<&[u8]>) -> Answer {
    let der = responder.answer_as_known(CODE, &encode_request(ids, nonce));
    let answer = Answer::parse(&der).unwrap_or_else(|_| panic!("no answer: {}", hex::encode(der)));
    world.check_answer(&world.authority(CODE), &answer);
    answer
}

#[test]
fn a_serial_number_never_issued_is_told_as_revoked_where_the_operator_wants_it() {
    World::on_each_database(|world| {
        let ours = world.seal(&world.osaka(), Level::One);
        let status = StatusSettings { unissued: Unissued::Revoked, ..StatusSettings::default() };
        let responder = responder_with(world, status);
        let never = Serial::parse("40FFEE").expect("a serial number");
        let id = world.cert_id(&ours.authority, &never, HashAlgorithm::Sha256);
        for nonce in [None, Some(&[9; 16][..])] {
            let answer = known(world, &responder, &[id_of(world, &ours), id.clone()], nonce);
            let statuses: Vec<_> = answer.singles().iter().map(|single| single.status).collect();
            let hold = AnswerStatus::Revoked { at: Timestamp::EPOCH, reason: Some(6) };
            assert_eq!(statuses, [AnswerStatus::Good, hold]);
            assert_eq!(
                known(world, &responder, std::slice::from_ref(&id), nonce).singles()[0].status,
                hold
            );
        }
        // The moment it is issued it is good; nothing was kept about it before.
        assert_eq!(responder.standing().kept, 0);
    });
}

#[test]
fn a_revocation_is_told_before_it_is_acknowledged() {
    World::on_each_database(|world| {
        let seal = world.seal(&world.osaka(), Level::One);
        let responder = responder_with(world, StatusSettings::default());
        for hash in HashAlgorithm::ALL {
            let id = [world.cert_id(&seal.authority, &seal.serial, hash)];
            let answer = known(world, &responder, &id, None);
            assert_eq!(answer.singles()[0].status, AnswerStatus::Good);
        }
        assert_eq!(responder.standing().kept, 4);
        world.clock.advance_seconds(5);
        world.revoke(&seal, Cause::KeyExposed).expect("a revocation");
        for hash in HashAlgorithm::ALL {
            let id = [world.cert_id(&seal.authority, &seal.serial, hash)];
            for nonce in [None, Some(&[3; 8][..])] {
                let answer = known(world, &responder, &id, nonce);
                let told = answer.singles()[0].status;
                assert!(matches!(told, AnswerStatus::Revoked { reason: Some(1), .. }), "{told:?}");
            }
        }
    });
}

#[test]
fn an_answer_is_kept_until_half_its_time_is_gone() {
    World::on_each_database(|world| {
        let ids = [id_of(world, &world.seal(&world.osaka(), Level::One))];
        let first = ask(world, &ids, None);
        world.clock.advance_seconds(12 * 3600 - 1);
        assert_eq!(ask(world, &ids, None), first);
        // With a nonce it is always a new one.
        let asked = ask(world, &ids, Some(&[1; 16]));
        assert_eq!(asked.produced_at(), world.now().floor());
        world.clock.advance_seconds(1);
        let second = ask(world, &ids, None);
        assert_eq!(second.produced_at(), world.now().floor());
        // While the key store is away the present one is given to its end.
        world.keys.fail();
        world.clock.advance_seconds(23 * 3600);
        assert_eq!(ask(world, &ids, None), second);
        world.clock.advance_seconds(3600);
        assert_eq!(world.ask(CODE, &encode_request(&ids, None)), TRY_LATER);
        world.keys.recover();
        assert_eq!(ask(world, &ids, None).produced_at(), world.now().floor());
    });
}

#[test]
fn no_answer_knows_more_than_the_last_look_into_the_log() {
    World::on_each_database(|world| {
        let ids = [id_of(world, &world.seal(&world.osaka(), Level::One))];
        let status = StatusSettings { freshness_seconds: 60, ..StatusSettings::default() };
        let responder = responder_with(world, status);
        let looked = world.now().floor();
        world.clock.advance_seconds(60);
        let question = encode_request(&ids, Some(&[5; 8]));
        for answer in
            [known(world, &responder, &ids, None), known(world, &responder, &ids, Some(&[5; 8]))]
        {
            assert_eq!(answer.singles()[0].this_update, looked);
            assert_eq!(answer.produced_at(), world.now().floor());
        }
        world.clock.advance_seconds(1);
        // Too old: neither what is kept nor anything new.
        for question in [&question, &encode_request(&ids, None)] {
            assert_eq!(responder.answer_as_known(CODE, question), TRY_LATER);
        }
        assert!(!responder.standing().is_fresh);
        responder.follow().expect("a look into the log");
        let answer = known(world, &responder, &ids, Some(&[5; 8]));
        assert_eq!(answer.singles()[0].this_update, world.now().floor());
    });
}

#[test]
fn a_clock_that_jumps_gives_no_answer_of_the_future() {
    World::on_each_database(|world| {
        let ids = [id_of(world, &world.seal(&world.osaka(), Level::One))];
        let responder = responder_with(world, StatusSettings::default());
        world.clock.advance_days(3);
        responder.follow().expect("a look into the log");
        let future = known(world, &responder, &ids, None);
        world.clock.advance_days(-2);
        // Until the log was looked into by the clock as it is now, nothing is known for sure.
        assert_eq!(responder.answer_as_known(CODE, &encode_request(&ids, None)), TRY_LATER);
        responder.follow().expect("a look into the log");
        let present = known(world, &responder, &ids, None);
        assert!(present.singles()[0].this_update < future.singles()[0].this_update);
        assert_eq!(present.singles()[0].this_update, world.now().floor());
    });
}

#[test]
fn past_the_budget_an_answer_comes_without_the_nonce() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let ids = [(); 2].map(|()| id_of(world, &world.seal(&osaka, Level::One)));
        let status = StatusSettings { live_per_second: 2, ..StatusSettings::default() };
        let responder = responder_with(world, status);
        let one = &ids[..1];
        let nonces: Vec<_> = (0..4)
            .map(|_| known(world, &responder, one, Some(&[7; 32])).nonce().is_some())
            .collect();
        assert_eq!(nonces, [true, true, false, false]);
        // Several at once are signed for the one who asks, or not now.
        assert_eq!(responder.answer_as_known(CODE, &encode_request(&ids, None)), TRY_LATER);
        world.clock.advance_seconds(1);
        responder.follow().expect("a look into the log");
        assert_eq!(known(world, &responder, &ids, None).singles().len(), 2);
        assert!(known(world, &responder, one, Some(&[7; 32])).nonce().is_some());
        assert!(known(world, &responder, one, Some(&[7; 32])).nonce().is_none());
    });
}

#[test]
fn authorities_made_later_are_answered_for() {
    World::on_each_database(|world| {
        let responder = responder_with(world, StatusSettings::default());
        world.create_authority("seal-l1-g2", AuthorityKind::Issuing(Level::One), 2);
        assert_eq!(world.renew_signers(), 1);
        let authority = world.authority("seal-l1-g2");
        let signer = world
            .read(|tx| tx.current_signer(&authority.id, Profile::OcspSigner, world.now()))
            .expect("a signer");
        let id = world.cert_id(&authority.id, &signer.serial, HashAlgorithm::Sha256);
        let der = responder.answer_as_known("seal-l1-g2", &encode_request(&[id], None));
        let answer = Answer::parse(&der).expect("an answer");
        world.check_answer(&authority, &answer);
        assert_eq!(answer.singles()[0].status, AnswerStatus::Good);
    });
}

#[test]
fn a_signer_has_the_key_that_the_operator_chose() {
    World::on_each_database(|world| {
        let ids = [id_of(world, &world.seal(&world.osaka(), Level::One))];
        world.clock.advance_days(14);
        let status =
            StatusSettings { signer_key: KeyAlgorithm::Rsa2048, ..StatusSettings::default() };
        let settings = Arc::new(Settings { status, ..(*world.env.settings).clone() });
        let env = Env { settings, ..world.env.clone() };
        let permit = world.env.system("test").permit(world.now()).expect("a permit");
        assert_eq!(renew_ocsp_signers(&env, &permit).expect("signers"), 3);
        let answer = ask(world, &ids, Some(&[1; 16]));
        let signer = answer.certificates()[0].public_key().expect("a key");
        assert_eq!(signer.algorithm(), KeyAlgorithm::Rsa2048);
    });
}

#[test]
fn signers_change_under_load_without_an_answer_that_fails() {
    World::on_each_database(|world| {
        let seal = world.seal(&world.osaka(), Level::One);
        let ids = [id_of(world, &seal)];
        let responder = responder_with(world, StatusSettings::default());
        world.clock.advance_days(14);
        responder.follow().expect("a look into the log");
        let signers = at_once(4, |number| {
            if number == 0 {
                assert_eq!(world.renew_signers(), 3);
                return Vec::new();
            }
            let nonce = (number == 1).then_some(&[7; 16][..]);
            // Every one is verified, signer and all.
            let asked = || known(world, &responder, &ids, nonce).certificates()[0].clone();
            (0..60).map(|_| asked().der().to_vec()).collect()
        });
        let now = known(world, &responder, &ids, Some(&[1; 8])).certificates()[0].der().to_vec();
        let all: std::collections::BTreeSet<_> =
            signers.into_iter().flatten().chain([now]).collect();
        assert_eq!(all.len(), 2, "the former signer and the present one");
    });
}

#[test]
fn many_who_ask_at_once_get_one_answer() {
    World::on_each_database(|world| {
        let ids = [id_of(world, &world.seal(&world.osaka(), Level::One))];
        let responder = responder_with(world, StatusSettings::default());
        let answers = at_once(8, |_| known(world, &responder, &ids, None));
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
        assert_eq!(responder.figures().get(Count::Signed), 1);
        assert_eq!(responder.figures().get(Count::Good), 8);
    });
}

#[test]
fn a_crl_is_issued_anew_before_it_is_needed() {
    World::on_each_database(|world| {
        check_crl_days(world, CODE, 3);
        check_crl_days(world, "root-g1", 180);
    });
}

/// A list serves for one day and says that it holds for `good` days (DOMAIN 13).
fn check_crl_days(world: &World, code: &str, good: i64) {
    let first = world.crl(code);
    assert_eq!(first.next_update(), first.this_update().plus_days(good));
    world.clock.set(first.this_update().plus_days(1).plus_seconds(-1));
    assert_eq!(world.crl(code), first);
    world.clock.advance_seconds(1);
    let second = world.crl(code);
    assert_eq!(second.this_update(), world.now().floor());
    assert_eq!(second.number(), first.number().map(|number| number + 1));
}

#[test]
fn a_stale_crl_asked_for_at_once_is_issued_without_a_gap_in_its_numbers() {
    World::on_each_database(|world| {
        let before = world.crl(CODE).number().expect("a number");
        world.clock.advance_days(1);
        let numbers = at_once(4, |_| world.crl(CODE).number().expect("a number"));
        let last = world.crl(CODE).number().expect("a number");
        assert!(numbers.iter().all(|number| (before + 1..=last).contains(number)), "{numbers:?}");
    });
}

#[test]
fn the_present_crl_serves_while_the_key_store_is_away() {
    World::on_each_database(|world| {
        let present = world.crl(CODE);
        world.keys.fail();
        world.clock.advance_days(2);
        assert_eq!(world.crl(CODE), present);
        world.clock.advance_days(1);
        let gone = current_crl(&world.env, &authority_code(CODE)).expect_err("it is expired");
        assert!(matches!(gone, CrlError::Keys(_)), "{gone:?}");
        world.keys.recover();
        assert!(world.crl(CODE).number() > present.number());
    });
}

#[test]
fn a_list_of_nobody_does_not_exist() {
    World::on_each_database(|world| {
        let none = current_crl(&world.env, &authority_code("nobody")).expect_err("no authority");
        assert!(matches!(none, CrlError::Store(StoreError::NotFound { .. })), "{none:?}");
    });
}

#[test]
fn an_expired_certificate_stays_on_the_crl() {
    World::on_each_database(|world| {
        let seal = world.seal(&world.osaka(), Level::One);
        world.revoke(&seal, Cause::Replaced).expect("a revocation");
        world.clock.set(seal.validity.not_after.plus_days(30));
        let crl = world.crl(CODE);
        let listed = crl.entries().any(|entry| entry.is_ok_and(|e| e.serial == seal.serial));
        assert!(listed);
        let since = world.authority(CODE).validity.not_before;
        assert_eq!(crl.expired_since(), Some(since));
    });
}

//! Stories of a key's life after its certificate: retired in time and not revoked, destroyed with
//! evidence, missed, lost, seen again.

use std::sync::Arc;

use tenkoku_ca::acknowledge::{acknowledge, ask_challenge};
use tenkoku_ca::container::{
    ContainerOrder, Reported, place_key, register_container, report_usage, verify_container,
};
use tenkoku_ca::destroy::{
    EvidenceOrder, SeenAs, Signed, decide_evidence, declare_lost, destruction_note,
    hand_in_evidence, report_seal_seen, statement,
};
use tenkoku_ca::issue::issue_certificate;
use tenkoku_ca::life::{LifeError, export_key};
use tenkoku_ca::nightly::run_nightly;
use tenkoku_ca::prove::Proof;
use tenkoku_ca::rotate::{branch_keys, check_successor, may_seal, retire_certificate};
use tenkoku_domain::access::{DecideEvidence, Permit, Role, Scope};
use tenkoku_domain::branch::Branch;
use tenkoku_domain::certificate::{Certificate, CertificateState};
use tenkoku_domain::container::{BackupCopy, Container, ContainerKind, PRIMARY};
use tenkoku_domain::destruction::{
    CopyLine, Decision, Evidence, EvidenceState, Method, SignerRole,
};
use tenkoku_domain::key::{KeyAlgorithm, KeyState};
use tenkoku_domain::level::Level;
use tenkoku_domain::policy::DestructionClass;
use tenkoku_domain::refusal::RefusalCode;
use tenkoku_domain::revocation::{Cause, ReasonCode};
use tenkoku_domain::rotation::RotationKind;
use tenkoku_pki::ocsp::AnswerStatus;
use tenkoku_ports::settings::{Acknowledgement, Settings};
use tenkoku_testkit::fixtures::ApplicantKey;
use tenkoku_testkit::world::World;

use crate::revocation::entry;
use crate::support::{check_refused, codes};
use crate::suspension::suspend;

fn nightly(world: &World) {
    run_nightly(&world.env, &world.permit()).expect("a nightly run");
}

fn key_state(world: &World, certificate: &Certificate) -> KeyState {
    world.read(|tx| tx.load_key(&certificate.key)).state
}

fn state(world: &World, certificate: &Certificate) -> CertificateState {
    world.read(|tx| tx.load_certificate(&Scope::Platform, &certificate.id)).state
}

fn retire(world: &World, certificate: &Certificate) {
    let name = (&certificate.authority, &certificate.serial);
    retire_certificate(&world.env, &world.permit(), name).expect("a retirement");
}

/// A token of a branch with one backup, checked and with a key in it.
fn token(world: &World, branch: &Branch, serial: &str) -> Result<Container, LifeError> {
    let order = ContainerOrder {
        organisation: branch.organisation.clone(),
        branch: None,
        kind: ContainerKind::Token,
        model: "Sample Token".to_owned(),
        serial: serial.to_owned(),
        firmware: "1.0".to_owned(),
        certification: String::new(),
        partition: String::new(),
        custodian: ("見本 太郎".to_owned(), "taro@sample.example".to_owned()),
        location: "Osaka".to_owned(),
        inventory: vec![BackupCopy { label: "safe".to_owned(), location: "Tokyo".to_owned() }],
    };
    let registered = register_container(&world.env, &world.permit(), &order)?;
    verify_container(&world.env, &world.permit(), &registered.id, b"photograph")
}

fn line(copy: &str, world: &World) -> CopyLine {
    CopyLine { copy: copy.to_owned(), method: Some(Method::Zeroise), at: Some(world.now()) }
}

/// Evidence of class D4 for a key in the token `SN-1`, without signatures.
fn evidence(world: &World, certificate: &Certificate) -> EvidenceOrder {
    EvidenceOrder {
        key: certificate.key.clone(),
        class: DestructionClass::D4,
        lines: vec![line(PRIMARY, world), line("safe", world)],
        serials: vec!["SN-1".to_owned()],
        attachments: vec![("image/png".to_owned(), b"a picture".to_vec())],
        signatures: Vec::new(),
        last_act: None,
    }
}

/// Lets people sign evidence, each with a key of their own.
fn signed(
    world: &World,
    order: EvidenceOrder,
    people: &[(&str, SignerRole, &ApplicantKey)],
) -> EvidenceOrder {
    let key = world.read(|tx| tx.load_key(&order.key));
    let text = statement(&key.fingerprint, &order).expect("a statement");
    let sign = |(name, role, key): &(&str, SignerRole, &ApplicantKey)| Signed {
        name: (*name).to_owned(),
        role: *role,
        public_key: key.public().spki_der().to_vec(),
        signature: key.sign_text(text.as_bytes()),
    };
    EvidenceOrder { signatures: people.iter().map(sign).collect(), ..order }
}

fn p256() -> ApplicantKey {
    ApplicantKey::make(KeyAlgorithm::P256)
}

fn officer(world: &World, name: &str) -> Permit<DecideEvidence> {
    world.registration_officer(name).permit(world)
}

/// A retired certificate whose key is in the token `SN-1`.
fn retired(world: &World, level: Level) -> (Certificate, ApplicantKey, Branch) {
    let branch = world.osaka();
    let key = p256();
    let certificate = world.seal_with(&branch, level, &key);
    let container = token(world, &branch, "SN-1").expect("a token");
    place_key(&world.env, &world.permit(), &certificate.key, &container.id).expect("a place");
    retire(world, &certificate);
    (certificate, key, branch)
}

fn hand_in(world: &World, order: &EvidenceOrder) -> Result<Evidence, LifeError> {
    hand_in_evidence(&world.env, &world.permit(), order)
}

#[test]
fn ro_1_a_key_retires_at_the_end_of_sealing_and_is_not_revoked() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::Three);
        world.clock.advance_days(365);
        let ((), told) = world.told(|| nightly(world));
        assert_eq!(codes(&told), ["cert.rotation-opened"]);
        world.clock.advance_days(30);
        let ((), told) = world.told(|| nightly(world));
        assert!(codes(&told).starts_with(&["cert.rotation-late", "cert.retired"]), "{told:?}");
        world.renew_signers();
        assert_eq!(state(world, &certificate), CertificateState::Retired);
        assert_eq!(world.status(&certificate), AnswerStatus::Good);
        let (_, told) = world.told(|| (nightly(world), nightly(world)));
        assert!(!codes(&told).contains(&"cert.retired"), "{told:?}");
    });
}

#[test]
fn scenario_5_evidence_that_is_missing_on_its_day_revokes_the_old_certificate_alone() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let old = world.seal(&osaka, Level::Two);
        world.clock.advance_days(10);
        let new = world.seal(&osaka, Level::Two);
        retire(world, &old);
        world.clock.advance_days(29);
        nightly(world);
        assert_eq!(state(world, &old), CertificateState::Retired);
        world.clock.advance_days(1);
        nightly(world);
        world.renew_signers();
        let told = world.status(&old);
        let superseded = Some(ReasonCode::Superseded.number());
        assert_eq!(told, AnswerStatus::Revoked { at: world.now().floor(), reason: superseded });
        assert_eq!(world.status(&new), AnswerStatus::Good);
        let life = world.read(|tx| tx.load_key_life(&old.key));
        assert_eq!(life.not_evidenced_at, Some(world.now()));
        let ((), told) = world.told(|| nightly(world));
        assert_eq!(told, Vec::<serde_json::Value>::new());
    });
}

#[test]
fn km_17_evidence_in_time_keeps_the_certificate_good() {
    World::on_each_database(|world| {
        let (certificate, _, _) = retired(world, Level::Two);
        let custodian = p256();
        let order = evidence(world, &certificate);
        let order = signed(world, order, &[("Taro", SignerRole::Custodian, &custodian)]);
        let handed = hand_in(world, &order).expect("evidence");
        let accept = (Decision::Accept, "complete");
        let decided = decide_evidence(&world.env, &officer(world, "ra-1"), &handed.id, accept);
        assert_eq!(decided.expect("a decision"), EvidenceState::Accepted);
        assert_eq!(key_state(world, &certificate), KeyState::Destroyed);
        world.clock.advance_days(40);
        nightly(world);
        world.renew_signers();
        assert_eq!(world.status(&certificate), AnswerStatus::Good);
    });
}

#[test]
fn de_1_an_open_line_leaves_the_key_due() {
    World::on_each_database(|world| {
        let (certificate, _, _) = retired(world, Level::Two);
        let mut order = evidence(world, &certificate);
        order.lines.truncate(1);
        let order = signed(world, order, &[("Taro", SignerRole::Custodian, &p256())]);
        let expected = (RefusalCode::EvidenceIncomplete, "DE-1");
        check_refused(world, || hand_in(world, &order), expected, "key.evidence-refused");
        assert_eq!(key_state(world, &certificate), KeyState::Retiring);
    });
}

#[test]
fn de_2_and_de_3_neither_the_key_itself_nor_a_last_act_is_evidence() {
    World::on_each_database(|world| {
        let (certificate, own, _) = retired(world, Level::Two);
        let plain = evidence(world, &certificate);
        let order = signed(world, plain.clone(), &[("Taro", SignerRole::Custodian, &own)]);
        let expected = (RefusalCode::EvidenceInsufficient, "DE-2");
        check_refused(world, || hand_in(world, &order), expected, "key.evidence-refused");
        let order = EvidenceOrder { last_act: Some(own.sign_text(b"the last act")), ..plain };
        let expected = (RefusalCode::EvidenceInsufficient, "DE-3");
        check_refused(world, || hand_in(world, &order), expected, "key.evidence-refused");
    });
}

#[test]
fn de_2_at_level_3_the_custodian_is_never_alone() {
    World::on_each_database(|world| {
        let (certificate, _, _) = retired(world, Level::Three);
        let low = signed(
            world,
            evidence(world, &certificate),
            &[("Taro", SignerRole::Custodian, &p256())],
        );
        let expected = (RefusalCode::EvidenceInsufficient, "KM-17");
        check_refused(world, || hand_in(world, &low), expected, "key.evidence-refused");
        let order = EvidenceOrder { class: DestructionClass::D3, ..evidence(world, &certificate) };
        let alone = signed(world, order, &[("Taro", SignerRole::Custodian, &p256())]);
        let expected = (RefusalCode::DualControl, "DE-2");
        check_refused(world, || hand_in(world, &alone), expected, "key.evidence-refused");
    });
}

#[test]
fn de_4_officers_of_another_organisation_decide_and_two_of_them_at_level_3() {
    World::on_each_database(|world| {
        let (certificate, _, branch) = retired(world, Level::Three);
        let order = EvidenceOrder { class: DestructionClass::D3, ..evidence(world, &certificate) };
        let people =
            [("Taro", SignerRole::Custodian, &p256()), ("Jiro", SignerRole::Witness, &p256())];
        let handed = hand_in(world, &signed(world, order, &people)).expect("evidence");
        let owner = world.read(|tx| tx.load_organisation(&Scope::Platform, &branch.organisation));
        let own = world.officer_of(&owner, Role::RegistrationOfficer);
        let own = own.permit(world.now()).expect("a permit");
        let accept = (Decision::Accept, "complete");
        let decide = |permit: &Permit<DecideEvidence>| {
            decide_evidence(&world.env, permit, &handed.id, accept)
        };
        let expected = (RefusalCode::SelfApproval, "DE-4");
        check_refused(world, || decide(&own), expected, "key.evidence-refused");
        let first = officer(world, "ra-1");
        assert_eq!(decide(&first).expect("a decision"), EvidenceState::Handed);
        let again = (RefusalCode::DualControl, "I-6");
        check_refused(world, || decide(&first), again, "key.evidence-refused");
        let other_account = officer(world, "ra-1");
        check_refused(world, || decide(&other_account), again, "key.evidence-refused");
        let second = decide(&officer(world, "ra-2")).expect("a decision");
        assert_eq!(second, EvidenceState::Accepted);
        assert_eq!(key_state(world, &certificate), KeyState::Destroyed);
    });
}

#[test]
fn scenario_6_de_5_de_6_a_seal_by_a_destroyed_key_revokes_from_the_day_of_destruction() {
    World::on_each_database(|world| {
        let (certificate, _, _) = retired(world, Level::Two);
        let key = world.read(|tx| tx.load_key(&certificate.key));
        assert_eq!(destruction_note(&world.env, &key.fingerprint).expect("an answer"), None);
        let order = evidence(world, &certificate);
        let order = signed(world, order, &[("Taro", SignerRole::Custodian, &p256())]);
        let handed = hand_in(world, &order).expect("evidence");
        let accept = (Decision::Accept, "complete");
        decide_evidence(&world.env, &officer(world, "ra-1"), &handed.id, accept)
            .expect("a decision");
        let destroyed = world.now().floor();
        // DE-6: fingerprint, class, date, no names.
        let note = destruction_note(&world.env, &key.fingerprint).expect("an answer");
        let note = note.expect("a note");
        assert_eq!((note.class, note.date), (DestructionClass::D4, destroyed.to_date()));
        world.clock.advance_days(5);
        let name = (&certificate.authority, &certificate.serial);
        let seen = |at| report_seal_seen(&world.env, &world.permit(), name, at).expect("a report");
        assert_eq!(seen(destroyed.plus_days(-1)), SeenAs::Fine);
        let (result, told) = world.told(|| seen(destroyed.plus_days(1)));
        assert_eq!(result, SeenAs::AfterDestruction);
        assert_eq!(codes(&told), ["key.seen-after-destruction", "cert.revoked"]);
        let listed = entry(&world.crl("seal-l2-g1"), &certificate).expect("an entry");
        assert_eq!(listed.reason, Some(ReasonCode::KeyCompromise));
        assert_eq!(listed.invalid_since, Some(destroyed));
        assert_eq!(key_state(world, &certificate), KeyState::Destroyed);
    });
}

#[test]
fn km_13_a_key_seals_only_while_it_is_active_and_in_its_period() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let other = world.seal(&osaka, Level::Three);
        let certificate = world.seal(&osaka, Level::Three);
        let name = (&certificate.authority, &certificate.serial);
        let ask = || may_seal(&world.env, &world.permit(), name);
        ask().expect("it may seal");
        let expected = (RefusalCode::SealingNotAllowed, "KM-13");
        suspend(world, &certificate, tenkoku_domain::suspension::HoldCause::UnclearFacts)
            .expect("a hold");
        check_refused(world, ask, expected, "key.activated");
        let name = (&other.authority, &other.serial);
        world.clock.advance_days(395);
        let late = || may_seal(&world.env, &world.permit(), name);
        check_refused(world, late, expected, "key.activated");
    });
}

#[test]
fn km_15_and_i_1_a_device_has_one_organisation_and_a_key_one_device() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let certificate = world.seal(&osaka, Level::Two);
        let first = token(world, &osaka, "SN-1").expect("a token");
        let second = token(world, &osaka, "SN-2").expect("a token");
        let place = |id| place_key(&world.env, &world.permit(), &certificate.key, id);
        place(&first.id).expect("a place");
        let moved = (RefusalCode::StateConflict, "I-1");
        check_refused(world, || place(&second.id), moved, "key.presented");
        let theirs = world.organisation(tenkoku_testkit::world::THEIRS);
        let branch = world.find_branch(&theirs, "HQ");
        let shared = (RefusalCode::ContainerShared, "KM-15");
        check_refused(world, || token(world, &branch, "SN-1"), shared, "container.registered");
    });
}

#[test]
fn km_18_no_key_is_exported() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::One);
        let export = || export_key(&world.env, &world.permit(), &certificate.key);
        let expected = (RefusalCode::ExportForbidden, "KM-18");
        check_refused(world, export, expected, "key.export-refused");
    });
}

#[test]
fn ro_2_a_successor_waits_for_its_window_unless_the_predecessor_was_stopped() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::Three);
        let instance = certificate.seal.clone().expect("a seal").instance;
        let ask = || world.read(|tx| check_successor(tx, &instance, world.now()));
        assert_eq!(ask().expect_err("too early").rule, "RO-2");
        suspend(world, &certificate, tenkoku_domain::suspension::HoldCause::EmergencyRotation)
            .expect("a hold");
        assert_eq!(ask(), Ok(RotationKind::Emergency));
    });
}

#[test]
fn ro_3_a_custodian_sees_age_dates_and_what_is_missing() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        world.seal(&osaka, Level::Three);
        world.clock.advance_days(100);
        let keys = branch_keys(&world.env, &world.permit(), &osaka.id).expect("keys");
        let [key] = keys.as_slice() else { panic!("one key, not {keys:?}") };
        assert_eq!(key.age_days, 100);
        assert_eq!(key.days_left(world.now())[..4], [235, 265, 295, 325]);
        assert_eq!(key.missing, ["container"]);
    });
}

#[test]
fn a_new_key_of_level_3_acknowledges_before_it_is_told_as_good() {
    World::on_each_database(|world| {
        let settings =
            Settings { acknowledgement: Acknowledgement::Needed, ..(*world.env.settings).clone() };
        let env = tenkoku_ports::Env { settings: Arc::new(settings), ..world.env.clone() };
        let osaka = world.osaka();
        let key = p256();
        let issue = |key: &ApplicantKey| {
            let application = world.apply(&osaka, Level::Three, key).expect("an application");
            issue_certificate(&env, &world.permit(), &application.id).expect("a certificate")
        };
        let certificate = issue(&key);
        let hold = Some(ReasonCode::CertificateHold.number());
        let at = world.now().floor();
        assert_eq!(world.status(&certificate), AnswerStatus::Revoked { at, reason: hold });
        assert!(entry(&world.crl("seal-l3-g1"), &certificate).is_some());
        let name = (&certificate.authority, &certificate.serial);
        let challenge = ask_challenge(&env, &world.permit(), name).expect("a challenge");
        let expected = (RefusalCode::PossessionNotShown, "6.4");
        for wrong in [p256().proof(&challenge.text), key.proof("acknowledge")] {
            let wrong = Proof::Request(wrong);
            let act = || acknowledge(&env, &world.permit(), name, &wrong);
            check_refused(world, act, expected, "cert.acknowledged");
        }
        let answer = Proof::Request(key.proof(&challenge.text));
        acknowledge(&env, &world.permit(), name, &answer).expect("an acknowledgement");
        assert_eq!(world.status(&certificate), AnswerStatus::Good);
        assert_eq!(entry(&world.crl("seal-l3-g1"), &certificate), None);
        let forgotten = issue(&p256());
        world.clock.advance_days(14);
        nightly(world);
        world.renew_signers();
        let reason = Some(Cause::OfficeClosed.reason().number());
        assert_eq!(world.status(&forgotten), AnswerStatus::Revoked { at, reason });
    });
}

#[test]
fn a_counter_that_goes_backwards_puts_level_3_on_hold() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::Three);
        let report = |uses| {
            report_usage(&world.env, &world.permit(), &certificate.key, (uses, "SN-1"))
                .expect("a report")
        };
        assert_eq!(report(10), Reported::Fine);
        assert_eq!(report(9), Reported::CopySuspected("counter-backwards"));
        assert!(matches!(state(world, &certificate), CertificateState::Suspended(_)));
    });
}

#[test]
fn a_lost_key_is_revoked_and_never_evidenced() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::Two);
        declare_lost(&world.env, &world.permit(), &certificate.key, "stolen").expect("a loss");
        assert_eq!(key_state(world, &certificate), KeyState::Lost);
        assert!(matches!(state(world, &certificate), CertificateState::Revoked(_)));
    });
}

//! Stories of origin (DOMAIN 9): where a key was made is shown before it is certified, by its
//! device, by its custodian, or not at all.

use std::sync::Arc;

use tenkoku_ca::acknowledge::{acknowledge, ask_challenge};
use tenkoku_ca::apply::Applied;
use tenkoku_ca::authority::AuthorityError;
use tenkoku_ca::ceremony::{Attendance, Deeds, run_ceremony};
use tenkoku_ca::container::{ContainerOrder, register_container, verify_container};
use tenkoku_ca::issue::issue_certificate;
use tenkoku_ca::origin::Exhibits;
use tenkoku_ca::prove::{Proof, ProveError, prove_with_origin};
use tenkoku_ca::vendor_root::{add_vendor_root, decide_vendor_root, end_vendor_root};
use tenkoku_domain::access::{Principal, Role, Scope};
use tenkoku_domain::application::{Application, ApplicationState};
use tenkoku_domain::audit::Event;
use tenkoku_domain::authority::AuthorityCode;
use tenkoku_domain::branch::Branch;
use tenkoku_domain::ceremony::record::{CeremonyRecord, Output};
use tenkoku_domain::ceremony::script::WrittenTick;
use tenkoku_domain::ceremony::template::{OfflineIssuer, Wish, script};
use tenkoku_domain::ceremony::{
    Ceremony, CeremonyKind, CeremonyRole, Consent, Participant, Step, StepAct, Subject,
};
use tenkoku_domain::certificate::CertificateState;
use tenkoku_domain::container::{Container, ContainerKind, ContainerState};
use tenkoku_domain::id::CeremonyId;
use tenkoku_domain::key::{KeyAlgorithm, OriginClass};
use tenkoku_domain::level::Level;
use tenkoku_domain::name::Name;
use tenkoku_domain::organisation::Language;
use tenkoku_domain::origin::{EvidenceFormat, Statement};
use tenkoku_domain::policy::draft::Verdict;
use tenkoku_domain::policy::{Installation, KeyPolicy};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::vendor_root::VendorRootState;
use tenkoku_ports::Env;
use tenkoku_ports::settings::{Acknowledgement, Settings};
use tenkoku_testkit::device::{Device, EXPORTABLE, SIGNS, Says};
use tenkoku_testkit::fixtures::ApplicantKey;
use tenkoku_testkit::servers::Installation as Installed;
use tenkoku_testkit::world::{THEIRS, World};

use crate::support::{check_refused, codes, refusal};

const INVALID: (RefusalCode, &str) = (RefusalCode::AttestationInvalid, "KM-9");
const VENDOR: &str = "yubico-hsm";

fn p256() -> ApplicantKey {
    ApplicantKey::make(KeyAlgorithm::P256)
}

/// An evaluation that asks for the origins of production.
fn strict(world: &World) {
    let mut policy = KeyPolicy::initial(Installation::Evaluation);
    let origins = KeyPolicy::initial(Installation::Production).origin;
    "2026.12".clone_into(&mut policy.version);
    policy.origin = origins;
    world.clock.advance_seconds(1);
    let event = Event::InstallationMade { policy: Box::new(policy) };
    world.write(|tx| tx.record(&world.shell().origin(), world.now(), &event)).expect("a policy");
}

/// A device of a vendor that the policy lists, registered and verified for a branch.
fn device(world: &World, branch: &Branch, serial: u32) -> (Device, Container) {
    let device = Device::new(serial, world.now());
    let added = add_vendor_root(&world.env, &world.permit(), VENDOR, device.root().as_bytes());
    assert_eq!(added.expect("a root").state, VendorRootState::Trusted);
    let container = container(world, branch, &device.serial());
    (device, container)
}

pub(crate) fn container(world: &World, branch: &Branch, serial: &str) -> Container {
    let order = ContainerOrder {
        organisation: branch.organisation.clone(),
        branch: Some(branch.id.clone()),
        kind: ContainerKind::Hsm,
        model: "Test HSM 2".to_owned(),
        serial: serial.to_owned(),
        firmware: "2.4.1".to_owned(),
        certification: "FIPS 140-3 level 3".to_owned(),
        partition: String::new(),
        custodian: ("見本 太郎".to_owned(), "taro@sample.example".to_owned()),
        location: "大阪".to_owned(),
        inventory: Vec::new(),
    };
    let made = register_container(&world.env, &world.permit(), &order).expect("a container");
    let seen = verify_container(&world.env, &world.permit(), &made.id, b"photograph");
    seen.expect("a verified container")
}

fn open(world: &World, branch: &Branch, level: Level) -> Applied {
    world.open(branch, level, None).expect("an application")
}

pub(crate) fn prove(
    world: &World,
    applied: &Applied,
    key: &ApplicantKey,
    exhibits: Exhibits,
) -> Result<Application, ProveError> {
    let proof = Proof::Request(key.proof(&applied.challenge.text));
    prove_with_origin(&world.env, &world.permit(), &applied.application.id, &proof, exhibits)
}

pub(crate) fn attested(attestation: Vec<u8>) -> Exhibits {
    Exhibits { attestations: vec![attestation], ..Exhibits::default() }
}

pub(crate) fn statement(applied: &Applied, key: &ApplicantKey, container: &Container) -> Statement {
    Statement {
        application: applied.application.id.clone(),
        challenge: applied.challenge.text.clone(),
        fingerprint: key.public().fingerprint(),
        container: container.id.clone(),
        model: container.model.clone(),
        serial: container.serial.clone(),
        custodian: container.custodian.name.clone(),
        generated: "2026-11-21".to_owned(),
    }
}

pub(crate) fn signed(statement: &Statement, key: &ApplicantKey) -> Vec<u8> {
    let signature = key.sign_text(statement.text().expect("a text").as_bytes());
    statement.signed(&signature).expect("a file").into_bytes()
}

#[test]
fn km_8_an_origin_below_the_level_is_refused_and_a_device_s_word_suffices() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        strict(world);
        let (device, container) = device(world, &osaka, 7_550_140);
        let key = p256();
        let applied = open(world, &osaka, Level::Three);
        let below = (RefusalCode::OriginInsufficient, "KM-8");
        let bare = || prove(world, &applied, &key, Exhibits::default());
        let refused = check_refused(world, bare, below, "key.presented");
        assert_eq!(refused.facts["origin"], "K0");
        assert_eq!(refused.facts["needed"], "K2");
        // A declaration is not enough either at level 3.
        let told = signed(&statement(&applied, &key, &container), &key);
        let told = Exhibits { statement: Some(told), ..Exhibits::default() };
        let declared = || prove(world, &applied, &key, told);
        assert_eq!(check_refused(world, declared, below, "key.presented").facts["origin"], "K1");
        let evidence = device.attest(&key.public(), device.honest());
        let (ready, told) =
            world.told(|| prove(world, &applied, &key, attested(evidence)).expect("a proof"));
        let expected = ["key.pop-verified", "key.claimed", "key.attestation-verified", "app.ready"];
        assert_eq!(codes(&told), expected);
        assert_eq!(told[2]["detail"]["device"], "7550140");
        let key = world.read(|tx| tx.load_key(&ready.key.clone().expect("a key").id));
        assert_eq!(key.origin, OriginClass::K3);
        let kept = world.read(|tx| tx.origin_of_key(&key.id));
        let [kept] = kept.as_slice() else { panic!("{kept:?}") };
        assert_eq!((kept.format, kept.class), (EvidenceFormat::YubiHsm, OriginClass::K3));
        assert_eq!(kept.vendor.as_deref(), Some(VENDOR));
        assert_eq!(kept.object.as_deref(), Some("0x0003"));
        assert_eq!(kept.container.as_ref(), Some(&container.id));
        // I-1: on issue the key is placed in its container, for life.
        let (certificate, told) = world.told(|| world.issue(&ready).expect("a certificate"));
        assert_eq!(codes(&told)[0], "key.presented");
        let life = world.read(|tx| tx.load_key_life(&certificate.key));
        assert_eq!(life.container.as_ref(), Some(&container.id));
        let now = world.read(|tx| tx.load_container(&Scope::Platform, &container.id));
        assert_eq!(now.state, ContainerState::InUse);
    });
}

/// The problem that KM-9 is refused with; nothing is issued.
fn invalid(world: &World, applied: &Applied, key: &ApplicantKey, exhibits: Exhibits) -> Refusal {
    let act = || prove(world, applied, key, exhibits);
    let refused = check_refused(world, act, INVALID, "key.attestation-failed");
    let id = &applied.application.id;
    let now = world.read(|tx| tx.load_application(&Scope::Platform, id));
    assert_eq!((now.state, &now.key), (ApplicationState::KeyProof, &None));
    refused
}

#[test]
fn km_9_scenario_4_a_key_imported_into_a_token_is_never_issued() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        strict(world);
        let (device, _) = device(world, &osaka, 7_550_140);
        let key = p256();
        let applied = open(world, &osaka, Level::Three);
        let problem = |says: Says| {
            let exhibits = attested(device.attest(&key.public(), says));
            invalid(world, &applied, &key, exhibits).facts["problem"].clone()
        };
        let honest = device.honest();
        assert_eq!(problem(Says { origin: 2, ..honest }), "imported");
        assert_eq!(problem(Says { origin: 0x11, ..honest }), "imported");
        assert_eq!(problem(Says { capabilities: SIGNS | EXPORTABLE, ..honest }), "exportable");
        let old = world.now().plus_days(-31);
        assert_eq!(problem(Says { from: old, ..honest }), "too-old");
        let other = attested(device.attest(&p256().public(), honest));
        assert_eq!(invalid(world, &applied, &key, other).facts["problem"], "attests-other-key");
        let mut damaged = device.attest(&key.public(), honest);
        damaged.truncate(damaged.len() / 2);
        let damaged = attested(damaged);
        assert_eq!(invalid(world, &applied, &key, damaged).facts["problem"], "attestation-damaged");
        refusal(world.issue(&applied.application));
        // The same key, honestly attested, is taken: nothing was claimed by what was refused.
        let exhibits = attested(device.attest(&key.public(), honest));
        prove(world, &applied, &key, exhibits).expect("a proof");
    });
}

#[test]
fn km_9_refuses_unknown_roots_and_devices_that_are_not_registered() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        strict(world);
        let (ours, container) = device(world, &osaka, 7_550_140);
        let key = p256();
        let applied = open(world, &osaka, Level::Three);
        let problem = |exhibits| invalid(world, &applied, &key, exhibits).facts["problem"].clone();
        // Another vendor under the same names; then one that the policy does not list.
        let stranger = Device::new(7_550_140, world.now());
        let evidence = stranger.attest(&key.public(), stranger.honest());
        assert_eq!(problem(attested(evidence.clone())), "chain-signature");
        let added =
            add_vendor_root(&world.env, &world.permit(), "stranger", stranger.root().as_bytes());
        added.expect("a root");
        assert_eq!(problem(attested(evidence)), "chain-signature");
        // A device of the vendor that nobody registered, and one of another organisation.
        let other = self::container(world, &osaka, "0000000009");
        let named = Exhibits {
            container: Some(other.id),
            ..attested(ours.attest(&key.public(), ours.honest()))
        };
        assert_eq!(problem(named), "other-device");
        let theirs = world.organisation(THEIRS);
        let sakai = world.branch(&theirs, ["BR-0001", "堺支店", "Sakai Branch"]);
        let foreign = open(world, &sakai, Level::Three);
        let evidence = attested(ours.attest(&key.public(), ours.honest()));
        let refused = invalid(world, &foreign, &key, evidence);
        assert_eq!(refused.facts["problem"], "device-unregistered");
        let named = Exhibits { container: Some(container.id), ..Exhibits::default() };
        let refused = invalid(world, &foreign, &key, named);
        assert_eq!(refused.facts["problem"], "device-unregistered");
        // What an ended root attested is no longer believed.
        let ended = end_vendor_root(&world.env, &world.permit(), VENDOR).expect("its end");
        assert_eq!(ended.state, VendorRootState::Ended);
        let evidence = attested(ours.attest(&key.public(), ours.honest()));
        assert_eq!(problem(evidence), "unknown-root");
    });
}

#[test]
fn km_9_takes_the_attestation_that_a_request_carries() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        strict(world);
        let (device, _) = device(world, &osaka, 7_550_140);
        let key = p256();
        let applied = open(world, &osaka, Level::Three);
        let answer = |says| {
            let bundle = device.bundle(&key.public(), says);
            world.prove(&applied, key.proof_attested(&applied.challenge.text, &bundle))
        };
        let imported = Says { origin: 2, ..device.honest() };
        check_refused(world, || answer(imported), INVALID, "key.attestation-failed");
        let ready = answer(device.honest()).expect("a proof");
        let key = world.read(|tx| tx.load_key(&ready.key.expect("a key").id));
        assert_eq!(key.origin, OriginClass::K3);
    });
}

#[test]
fn km_8_a_custodian_s_statement_suffices_at_level_2() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        strict(world);
        let container = container(world, &osaka, "SN-77");
        let key = p256();
        let applied = open(world, &osaka, Level::Two);
        let told = |file| Exhibits { statement: Some(file), ..Exhibits::default() };
        let own = statement(&applied, &key, &container);
        let problem = |file| invalid(world, &applied, &key, told(file)).facts["problem"].clone();
        assert_eq!(problem(signed(&own, &p256())), "statement-signature");
        let earlier = Statement { challenge: "earlier".to_owned(), ..own.clone() };
        assert_eq!(problem(signed(&earlier, &key)), "statement-challenge");
        let elsewhere = Statement { serial: "SN-78".to_owned(), ..own.clone() };
        assert_eq!(problem(signed(&elsewhere, &key)), "other-device");
        let ready = prove(world, &applied, &key, told(signed(&own, &key))).expect("a proof");
        let known = world.read(|tx| tx.load_key(&ready.key.clone().expect("a key").id));
        assert_eq!(known.origin, OriginClass::K1);
        let certificate = world.issue(&ready).expect("a certificate");
        let life = world.read(|tx| tx.load_key_life(&certificate.key));
        assert_eq!(life.container, Some(container.id));
    });
}

#[test]
fn a_format_that_nothing_can_verify_is_kept_and_counts_as_a_declaration() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        strict(world);
        let key = p256();
        let applied = open(world, &osaka, Level::Two);
        let json = attested(br#"{"key":"projects/sample"}"#.to_vec());
        let ready = prove(world, &applied, &key, json).expect("a proof");
        let known = world.read(|tx| tx.load_key(&ready.key.expect("a key").id));
        assert_eq!(known.origin, OriginClass::K1);
        let kept = world.read(|tx| tx.origin_of_key(&known.id));
        assert_eq!(kept[0].format, EvidenceFormat::Json);
        assert_eq!(kept[0].content, br#"{"key":"projects/sample"}"#);
    });
}

#[test]
fn km_15_a_level_3_key_goes_into_no_container_of_another_branch() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        strict(world);
        let (device, container) = device(world, &osaka, 7_550_140);
        let organisation =
            world.read(|tx| tx.load_organisation(&Scope::Platform, &osaka.organisation));
        let nagoya = world.branch(&organisation, ["BR-0003", "名古屋支店", "Nagoya Branch"]);
        let key = p256();
        let applied = open(world, &nagoya, Level::Three);
        let evidence = attested(device.attest(&key.public(), device.honest()));
        let act = || prove(world, &applied, &key, evidence);
        let shared = (RefusalCode::ContainerShared, "KM-15");
        let refused = check_refused(world, act, shared, "key.presented");
        assert_eq!(refused.facts["device"], container.serial);
    });
}

/// An officer of authorities with an account.
fn officer(world: &World, name: &str) -> Principal {
    world.somebody(name, &[Role::CaOfficer], &Scope::Platform).principal
}

#[test]
fn i_6_a_vendor_root_needs_two_others_in_production() {
    World::on_each_database_of(Installation::Production, |world| {
        let device = Device::new(1, world.now());
        let root = device.root();
        let [first, second, third] =
            ["Ono Aya", "Kato Ken", "Mori Yui"].map(|name| officer(world, name));
        let permit = |who: &Principal| who.permit(world.now()).expect("a permit");
        let added = add_vendor_root(&world.env, &permit(&first), "vendor", root.as_bytes());
        assert_eq!(added.expect("a root").state, VendorRootState::Proposed);
        let yes = |who: &Principal| {
            decide_vendor_root(&world.env, &permit(who), "vendor", (Verdict::Approved, ""))
        };
        let own = (RefusalCode::SelfApproval, "17");
        check_refused(world, || yes(&first), own, "vendor-root.changed");
        assert_eq!(yes(&second).expect("an approval").state, VendorRootState::Proposed);
        let twice = (RefusalCode::DualControl, "I-6");
        check_refused(world, || yes(&second), twice, "vendor-root.changed");
        let (trusted, told) = world.told(|| yes(&third).expect("an approval"));
        assert_eq!(trusted.state, VendorRootState::Trusted);
        assert_eq!(codes(&told), ["vendor-root.changed"]);
        // The code names this root for ever, and what is no root is none.
        let taken = (RefusalCode::StateConflict, "17");
        let again = || add_vendor_root(&world.env, &permit(&first), "vendor", root.as_bytes());
        check_refused(world, again, taken, "vendor-root.changed");
        let text = || add_vendor_root(&world.env, &permit(&first), "other", b"text");
        check_refused(world, text, INVALID, "vendor-root.changed");
    });
}

#[test]
fn a_level_3_key_is_attested_issued_held_and_acknowledged() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        strict(world);
        let settings =
            Settings { acknowledgement: Acknowledgement::Needed, ..(*world.env.settings).clone() };
        let env = Env { settings: Arc::new(settings), ..world.env.clone() };
        let (device, _) = device(world, &osaka, 7_550_140);
        let key = p256();
        let applied = open(world, &osaka, Level::Three);
        let evidence = attested(device.attest(&key.public(), device.honest()));
        let ready = prove(world, &applied, &key, evidence).expect("a proof");
        let issued = issue_certificate(&env, &world.permit(), &ready.id);
        let certificate = issued.expect("a certificate");
        assert!(matches!(certificate.state, CertificateState::Held(_)));
        let name = (&certificate.authority, &certificate.serial);
        let asked = ask_challenge(&env, &world.permit(), name).expect("a challenge");
        let answer = Proof::Request(key.proof(&asked.text));
        let active = acknowledge(&env, &world.permit(), name, &answer);
        assert_eq!(active.expect("an acknowledgement").state, CertificateState::Active);
    });
}

#[test]
fn km_8_production_wants_the_origin_before_anything_is_ready() {
    World::on_each_database_of(Installation::Production, |world| {
        let osaka = world.osaka();
        // Levels 2 and 3 wait for proofing first; level 1 asks for possession only, and refuses
        // false evidence all the same.
        let waiting = open(world, &osaka, Level::Three).application;
        assert_eq!(waiting.state, ApplicationState::Proofing);
        let applied = open(world, &osaka, Level::One);
        let key = p256();
        let device = Device::new(1, world.now());
        let evidence = attested(device.attest(&key.public(), device.honest()));
        let refused = invalid(world, &applied, &key, evidence);
        assert_eq!(refused.facts["problem"], "unknown-root");
    });
}

#[test]
fn the_command_line_takes_a_level_2_key_from_its_container_to_its_certificate() {
    let installation = Installed::with_sample();
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name).display().to_string();
    let [key, csr, seen, told, root] =
        ["branch.key", "proof.csr", "photograph", "statement.json", "root.pem"].map(file);
    std::fs::write(&seen, "a photograph").expect("a file");
    let now = tenkoku_testkit::world::BEGIN;
    std::fs::write(&root, Device::new(7, now).root()).expect("a file");
    let added = installation.json(["vendor-root", "add", "sample-vendor", "--certificate", &root]);
    assert_eq!(added["state"], "trusted");
    let org = "NTRJP-8000000990001";
    let of = ["container", "register", "--org", org, "--branch", "BR-0001", "--kind", "token"];
    let what = ["--model", "Sample Token", "--serial", "SN-1", "--location", "safe"];
    let who = ["--custodian-name", "見本 花子", "--custodian-email", "hanako@sample.example"];
    let words = of.iter().chain(&what).chain(&who).copied();
    let container = installation.json(words)["id"].as_str().expect("an id").to_owned();
    let checked = installation.json(["container", "verify", &container, "--evidence", &seen]);
    assert_eq!(checked["state"], "verified");
    let applied = installation.json(["apply", "--branch", "BR-0001", "--org", org, "--level", "2"]);
    let id = applied["id"].as_str().expect("an id");
    let request = ["application", "request", id, "--key", &key, "--out", &csr];
    installation.tenkoku(request).success();
    let state = ["application", "statement", id, "--container", &container];
    let made = ["--generated", "2026-11-22", "--key", &key, "--out", &told];
    installation.tenkoku(state.iter().chain(&made).copied()).success();
    // A statement that was touched is refused.
    let text = std::fs::read_to_string(&told).expect("the statement");
    let forged = file("forged.json");
    std::fs::write(&forged, text.replace("2026-11-22", "2026-11-21")).expect("a file");
    let prove = |statement: &str| {
        let of = ["application", "prove", id, "--csr", &csr, "--statement", statement];
        installation.tenkoku(of)
    };
    let refused = prove(&forged);
    assert!(refused.exited(1).is_empty());
    assert!(refused.said().contains("attestation-invalid"), "{}", refused.said());
    prove(&told).success();
    let issued = installation.json(["issue", id]);
    assert!(issued["serial"].is_string(), "{issued}");
    let shown = installation.json(["container", "show", &container]);
    assert_eq!(shown["state"], "in-use");
    let retired = installation.tenkoku(["container", "retire", &container]);
    assert!(retired.exited(1).is_empty(), "a container with a live key stays");
}

#[test]
fn the_command_line_makes_a_key_before_witnesses() {
    let installation = Installed::with_sample();
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name).display().to_string();
    let [key, csr, seen, script, ticks] =
        ["branch.key", "proof.csr", "photograph", "key.toml", "ticks.toml"].map(file);
    std::fs::write(&seen, "a photograph").expect("a file");
    let org = "NTRJP-8000000990001";
    let of = ["container", "register", "--org", org, "--branch", "BR-0001", "--kind", "token"];
    let what = ["--model", "Sample Token", "--serial", "SN-1", "--location", "safe"];
    let who = ["--custodian-name", "見本 花子", "--custodian-email", "hanako@sample.example"];
    let words = of.iter().chain(&what).chain(&who).copied();
    let container = installation.json(words)["id"].as_str().expect("an id").to_owned();
    installation.json(["container", "verify", &container, "--evidence", &seen]);
    let applied = installation.json(["apply", "--branch", "BR-0001", "--org", org, "--level", "3"]);
    let id = applied["id"].as_str().expect("an id");
    let new = ["ceremony", "new", "--kind", "key-generation-witnessed"];
    let about = ["--application", id, "--container", &container, "--leader", "Sato Megumi"];
    let alone = installation.tenkoku(new.iter().chain(&about).copied());
    assert!(alone.exited(5).is_empty());
    assert!(alone.said().contains("dual-control"), "{}", alone.said());
    let with = ["--auditor", "Tanaka Minoru"];
    let text = installation.tenkoku(new.iter().chain(&about).chain(&with).copied());
    let text = text.success().to_owned();
    std::fs::write(&script, &text).expect("a file");
    let tick = |step: usize, (role, person): (&str, &str)| {
        format!("[[ticks]]\nstep = {step}\nrole = \"{role}\"\nperson = \"{person}\"\n")
    };
    let people = [("leader", "Sato Megumi"), ("auditor", "Tanaka Minoru")];
    let steps = 1..=text.matches("[[steps]]").count();
    let all: String = steps.flat_map(|step| people.map(|who| tick(step, who))).collect();
    std::fs::write(&ticks, all).expect("a file");
    let request = ["application", "request", id, "--key", &key, "--out", &csr];
    installation.tenkoku(request).success();
    installation.tenkoku(["ceremony", "check", &script]).success();
    let run = ["ceremony", "run", &script, "--ticks", &ticks];
    let without = installation.tenkoku(run);
    assert!(without.exited(2).is_empty());
    assert!(without.said().contains("--csr"), "{}", without.said());
    let held = installation.json(run.iter().chain(&["--csr", &csr]).copied());
    let ceremony = held["record"]["ceremony"]["id"].as_str().expect("an id");
    let prove = ["application", "prove", id, "--csr", &csr, "--ceremony", ceremony];
    let ready = installation.json(prove);
    assert_eq!(ready["state"], "ready");
    let issued = installation.json(["issue", id]);
    let shown = installation.json(["key", "show", issued["key"].as_str().expect("a key")]);
    assert_eq!(shown["origin"], "K4", "{shown}");
}

/// A ceremony at which the key of an application is made in a container.
fn witnessed(
    world: &World,
    (applied, container): (&Applied, &Container),
    roles: &[(CeremonyRole, &str)],
) -> Ceremony {
    let participant = |(role, name): &(CeremonyRole, &str)| Participant {
        role: *role,
        person: Name::parse(name).expect("a name"),
    };
    script(Wish {
        id: CeremonyId::new(world.now(), &*world.env.entropy),
        kind: CeremonyKind::WitnessedKey,
        subject: Subject::SealKey {
            application: applied.application.id.clone(),
            container: container.id.clone(),
        },
        language: Language::Ja,
        installation: world.env.settings.installation,
        roles: roles.iter().map(participant).collect(),
        recording: None,
        offline_issuer: OfflineIssuer::Here,
    })
}

/// Everybody ticks everything, but who is named here does not sign.
struct Room {
    ceremony: Ceremony,
    absent: Option<&'static str>,
}

impl Attendance for Room {
    fn before(&mut self, step: &Step) -> Result<Vec<WrittenTick>, AuthorityError> {
        let comes = |one: &&Participant| {
            step.act != StepAct::Sign || Some(one.person.as_str()) != self.absent
        };
        let tick = |one: &Participant| WrittenTick {
            step: step.number,
            role: one.role,
            person: one.person.clone(),
            deviation: None,
        };
        Ok(self.ceremony.roles.iter().filter(comes).map(tick).collect())
    }

    fn after(&mut self, _: &Step, _: &[Output]) -> Result<Vec<WrittenTick>, AuthorityError> {
        Ok(Vec::new())
    }
}

/// The request that the custodian hands over; nothing else is done at such a ceremony.
struct Handed(Vec<u8>);

impl Deeds for Handed {
    fn first_crl(&self, _: &AuthorityCode) -> Result<Vec<Output>, AuthorityError> {
        panic!("no authority is made")
    }

    fn last_crl(&self, _: &AuthorityCode) -> Result<Vec<Output>, AuthorityError> {
        panic!("no authority ends")
    }

    fn answer(&self, _: &Consent) -> Result<Vec<Output>, AuthorityError> {
        panic!("no bundle is answered")
    }

    fn request(&self) -> Result<Vec<u8>, AuthorityError> {
        Ok(self.0.clone())
    }
}

fn hold(
    world: &World,
    ceremony: &Ceremony,
    absent: Option<&'static str>,
    request: Vec<u8>,
) -> Result<CeremonyRecord, AuthorityError> {
    let mut room = Room { ceremony: ceremony.clone(), absent };
    run_ceremony(&world.env, &world.permit(), ceremony.clone(), &mut room, &Handed(request))
}

fn not_held(held: Result<CeremonyRecord, AuthorityError>) -> Refusal {
    match held {
        Err(AuthorityError::Refused(refusal)) => refusal,
        other => panic!("{other:?} is no refusal"),
    }
}

const TWO: [(CeremonyRole, &str); 2] =
    [(CeremonyRole::Leader, "佐藤 恵"), (CeremonyRole::Officer, "鈴木 一郎")];

#[test]
fn km_8_a_key_that_was_made_before_witnesses_is_as_good_as_an_attested_one() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        strict(world);
        let container = container(world, &osaka, "SN-77");
        let key = p256();
        let applied = open(world, &osaka, Level::Three);
        let request = key.proof(&applied.challenge.text);
        let ceremony = witnessed(world, (&applied, &container), &TWO);
        let told = |id: &CeremonyId| Exhibits { ceremony: Some(id.clone()), ..Exhibits::default() };
        let problem = |key: &ApplicantKey, id: &CeremonyId| {
            invalid(world, &applied, key, told(id)).facts["problem"].clone()
        };
        // Nobody held it yet; then one of the two does not sign, and it stays open.
        assert_eq!(problem(&key, &ceremony.id), "ceremony-unknown");
        let refused = not_held(hold(world, &ceremony, Some("鈴木 一郎"), request.clone()));
        assert_eq!((refused.code, refused.rule.as_str()), (RefusalCode::DualControl, "KM-19"));
        assert_eq!(refused.facts["problem"], "unsigned");
        assert_eq!(problem(&key, &ceremony.id), "ceremony-open");
        let record = hold(world, &ceremony, None, request).expect("a record");
        let fingerprint = key.public().fingerprint().to_string();
        assert_eq!(record.output(StepAct::WitnessKey, "key-fingerprint"), Some(&*fingerprint));
        assert_eq!(record.output(StepAct::WitnessKey, "device"), Some("SN-77"));
        // Another key than the one that everybody saw, and another application.
        assert_eq!(problem(&p256(), &ceremony.id), "attests-other-key");
        let organisation =
            world.read(|tx| tx.load_organisation(&Scope::Platform, &osaka.organisation));
        let nagoya = world.branch(&organisation, ["BR-0003", "名古屋支店", "Nagoya Branch"]);
        let other = open(world, &nagoya, Level::Three);
        let refused = invalid(world, &other, &p256(), told(&ceremony.id));
        assert_eq!(refused.facts["problem"], "ceremony-unknown");

        let ready = prove(world, &applied, &key, told(&ceremony.id)).expect("a proof");
        let known = world.read(|tx| tx.load_key(&ready.key.clone().expect("a key").id));
        assert_eq!(known.origin, OriginClass::K4);
        let kept = world.read(|tx| tx.origin_of_key(&known.id));
        let [evidence] = kept.as_slice() else { panic!("{kept:?}") };
        assert_eq!(evidence.format, EvidenceFormat::Ceremony);
        assert_eq!(evidence.object.as_deref(), Some(ceremony.id.as_str()));
        assert_eq!(evidence.digest, record.digest().expect("a digest"));
        let certificate = world.issue(&ready).expect("a certificate");
        let life = world.read(|tx| tx.load_key_life(&certificate.key));
        assert_eq!(life.container, Some(container.id));
    });
}

#[test]
fn km_19_a_key_is_witnessed_by_two_of_the_platform_or_by_one_and_its_auditor() {
    World::on_each_database_of(Installation::Production, |world| {
        let osaka = world.osaka();
        let container = container(world, &osaka, "SN-77");
        let key = p256();
        let applied = open(world, &osaka, Level::One);
        let request = key.proof(&applied.challenge.text);
        let about = (&applied, &container);
        world.somebody("佐藤 恵", &[Role::CaOfficer], &Scope::Platform);
        world.somebody("田中 実", &[Role::Auditor], &Scope::Platform);
        let scope = Scope::organisation(osaka.organisation.clone());
        world.somebody("鈴木 一郎", &[Role::OrganisationAdministrator], &scope);
        let problem = |roles: &[(CeremonyRole, &str)]| {
            let refused = not_held(hold(world, &witnessed(world, about, roles), None, Vec::new()));
            assert_eq!((refused.code, refused.rule.as_str()), (RefusalCode::DualControl, "KM-19"));
            refused.facts["problem"].clone()
        };
        let leader = (CeremonyRole::Leader, "佐藤 恵");
        let auditor = (CeremonyRole::Auditor, "田中 実");
        // One person, or one and a witness, saw nothing together.
        assert_eq!(problem(&[leader]), "persons");
        assert_eq!(problem(&[leader, (CeremonyRole::Witness, "高橋 花")]), "persons");
        // The organisation's own people, and an auditor whom nobody approved, do not count.
        assert_eq!(problem(&TWO), "not-of-platform");
        assert_eq!(problem(&[leader, (CeremonyRole::Auditor, "高橋 花")]), "not-of-platform");
        assert_eq!(problem(&[(CeremonyRole::Leader, "田中 実"), leader]), "not-of-platform");
        // A request over another challenge shows nothing.
        let stale = hold(world, &witnessed(world, about, &[leader, auditor]), None, key.proof("x"));
        assert_eq!(not_held(stale).code, RefusalCode::PossessionNotShown);
        let ceremony = witnessed(world, about, &[leader, auditor]);
        let record = hold(world, &ceremony, None, request).expect("a record");
        assert!(record.closed_at.is_some());
        let told = Exhibits { ceremony: Some(ceremony.id), ..Exhibits::default() };
        let ready = prove(world, &applied, &key, told).expect("a proof");
        let known = world.read(|tx| tx.load_key(&ready.key.expect("a key").id));
        assert_eq!(known.origin, OriginClass::K4);
    });
}

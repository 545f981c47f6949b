//! Acts on keys and holds, proofs of destruction and incidents, through the console.

use tenkoku_ca::destroy::package::Package;
use tenkoku_ca::destroy::{EvidenceOrder, Signed, statement};
use tenkoku_ca::nightly::{Counts, NIGHTLY, RunWatch, watch_runs};
use tenkoku_ca::signer::renew_ocsp_signers;
use tenkoku_domain::access::Role;
use tenkoku_domain::certificate::{Certificate, CertificateState};
use tenkoku_domain::container::PRIMARY;
use tenkoku_domain::destruction::{CopyLine, EvidenceState, Method, SignerRole};
use tenkoku_domain::key::{KeyAlgorithm, KeyState};
use tenkoku_domain::level::Level;
use tenkoku_domain::policy::DestructionClass;
use tenkoku_testkit::fixtures::ApplicantKey;
use tenkoku_testkit::world::THEIRS;

use super::*;

fn state(world: &World, certificate: &Certificate) -> CertificateState {
    world.read(|tx| tx.load_certificate(&Scope::Platform, &certificate.id)).state
}

fn key_state(world: &World, certificate: &Certificate) -> KeyState {
    world.read(|tx| tx.load_key(&certificate.key)).state
}

/// A proof of class D4, signed by the custodian and packed as the command line packs it.
fn package(world: &World, certificate: &Certificate) -> String {
    let taro = ApplicantKey::make(KeyAlgorithm::P256);
    let order = EvidenceOrder {
        key: certificate.key.clone(),
        class: DestructionClass::D4,
        lines: vec![CopyLine {
            copy: PRIMARY.to_owned(),
            method: Some(Method::Zeroise),
            at: Some(world.now()),
        }],
        serials: Vec::new(),
        attachments: Vec::new(),
        signatures: Vec::new(),
        last_act: None,
    };
    let key = world.read(|tx| tx.load_key(&certificate.key));
    let text = statement(&key.fingerprint, &order).unwrap();
    let signed = Signed {
        name: "見本 太郎".to_owned(),
        role: SignerRole::Custodian,
        public_key: taro.public().spki_der().to_vec(),
        signature: taro.sign_text(text.as_bytes()),
    };
    let order = EvidenceOrder { signatures: vec![signed], ..order };
    serde_json::to_string(&Package::from(order)).unwrap()
}

#[test]
fn a_custodian_ends_sealing_and_hands_in_proof_and_an_officer_accepts_it() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let osaka = world.osaka();
        let certificate = world.seal(&osaka, Level::Two);
        let custodian = house.person_within(&[Role::Custodian], &Scope::branch(osaka.id.clone()));
        let key = format!("/console/keys/{}", certificate.key);
        custodian.get("/console/keys/destruction").check(200, "id=\"empty\"");
        custodian.get(&key).check(200, &format!("{key}/retire"));
        custodian.get(&format!("{key}/retire")).check(200, "never seals again");
        let (done, records) = told(world, || custodian.submit(&format!("{key}/retire"), &[]));
        done.check_leads_to(&key);
        assert_eq!(records, ["cert.retired ok"]);
        // A second click changes nothing.
        let (again, records) = told(world, || custodian.submit(&format!("{key}/retire"), &[]));
        again.check_leads_to(&key);
        assert_eq!(records, Vec::<String>::new());
        let open = custodian.get("/console/keys/destruction");
        open.check(200, &format!("{key}/evidence"));

        let form = format!("{key}/evidence");
        custodian.get(&form).check(200, "evidence.json");
        custodian.submit(&form, &[("package", "{}")]).check(422, "cannot be read");
        let packed = package(world, &certificate);
        let handed = custodian.submit(&form, &[("package", &packed)]);
        assert_eq!(handed.status.as_u16(), 303, "{}", handed.body);
        let proof = handed.location.clone();
        custodian.get(&proof).check(200, "Waits for a decision");

        let officer = house.person(&[Role::RegistrationOfficer]);
        officer.get("/console").check(200, "1 proof of destruction waits");
        officer.get("/console/keys/destruction").check(200, &proof);
        let entries = [("decision", "accept"), ("reason", "")];
        officer.submit(&proof, &entries).check(422, "Say why");
        let entries = [("decision", "accept"), ("reason", "all there")];
        officer.submit(&proof, &entries).check_leads_to(&proof);
        officer.get(&proof).check(200, "Accepted");
        assert_eq!(key_state(world, &certificate), KeyState::Destroyed);
        let evidence = world.read(|tx| tx.evidence_of_key(&certificate.key));
        assert_eq!(evidence.first().map(|(_, state)| *state), Some(EvidenceState::Accepted));
        officer.get("/console/keys/destruction").check(200, "id=\"empty\"");
    });
}

#[test]
fn what_a_stranger_asks_of_a_key_or_a_proof_is_not_there() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let certificate = world.seal(&world.osaka(), Level::Two);
        let theirs = world.organisation(THEIRS);
        let stranger = house
            .person_within(&[Role::OrganisationAdministrator], &Scope::organisation(theirs.id));
        let key = format!("/console/keys/{}", certificate.key);
        let certificate_page = format!("/console/certificates/{}", certificate.serial);
        for path in [
            format!("{key}/retire"),
            format!("{key}/lost"),
            format!("{key}/evidence"),
            format!("{certificate_page}/suspend"),
            "/console/incidents".to_owned(),
        ] {
            assert_eq!(stranger.get(&path).status.as_u16(), 404, "{path}");
        }
        stranger.submit(&format!("{key}/lost"), &[]).check(404, "");
        assert_eq!(state(world, &certificate), CertificateState::Active);
    });
}

#[test]
fn a_certificate_is_put_on_hold_with_a_reason_and_released() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let certificate = world.seal(&world.osaka(), Level::Two);
        let officer = house.person(&[Role::RegistrationOfficer]);
        let page = format!("/console/certificates/{}", certificate.serial);
        officer.get(&page).check(200, &format!("{page}/suspend"));
        officer.get(&format!("{page}/suspend")).check(200, "30 days");
        officer.submit(&format!("{page}/suspend"), &[]).check(422, "Choose why");
        let entries = [("by", "unclear-facts"), ("reason", "asked by telephone")];
        let (done, records) = told(world, || officer.submit(&format!("{page}/suspend"), &entries));
        done.check_leads_to(&page);
        assert_eq!(records, ["cert.suspended ok"]);
        officer.get(&format!("{page}/suspend")).check_leads_to(&page);
        officer.get(&format!("{page}/extend")).check(200, "once only");
        officer.submit(&format!("{page}/release"), &[]).check_leads_to(&page);
        assert_eq!(state(world, &certificate), CertificateState::Active);
        world.run_jobs();
    });
}

#[test]
fn an_incident_is_shown_and_decided() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let key = ApplicantKey::make(KeyAlgorithm::P256);
        let certificate = world.seal_with(&world.osaka(), Level::Two, &key);
        let theirs = world.find_branch(&world.organisation(THEIRS), "HQ");
        let applied = world.open(&theirs, Level::Two, None).unwrap();
        world.prove(&applied, key.proof(&applied.challenge.text)).unwrap_err();
        let officer = house.person(&[Role::RegistrationOfficer]);
        officer.get("/console").check(200, "1 incident waits");
        let list = officer.get("/console/incidents?state=open");
        let incident = list.between("<th scope=\"row\"><a href=\"", "\"").to_owned();
        officer.get(&incident).check(200, "Two strangers, one key");
        let entries = [("decision", "mistake"), ("reason", "wrong file")];
        officer.submit(&incident, &entries).check_leads_to(&incident);
        officer.get(&incident).check(200, "wrong file");
        assert_eq!(state(world, &certificate), CertificateState::Active);
        officer.get("/console/incidents?state=open").check(200, "id=\"empty\"");
        world.run_jobs();
    });
}

#[test]
fn km_10_an_incident_over_the_platform_s_own_device_is_shown() {
    World::on_each_database(|world| {
        let house = House::of(world);
        world.clock.advance_days(15);
        world.keys.make_loose();
        renew_ocsp_signers(&world.env, &world.permit()).unwrap_err();
        world.keys.recover();
        renew_ocsp_signers(&world.env, &world.permit()).unwrap();
        let officer = house.person(&[Role::RegistrationOfficer]);
        officer.get("/console").check(200, "3 incidents wait");
        let list = officer.get("/console/incidents?state=open");
        list.check(200, "could have left its device");
        let incident = list.between("<th scope=\"row\"><a href=\"", "\"").to_owned();
        officer.get(&incident).check(200, "The key was destroyed before it signed anything");
        let entries = [("decision", "mistake"), ("reason", "the template of the device is mended")];
        officer.submit(&incident, &entries).check_leads_to(&incident);
        let (ja, place) =
            (Browser { language: "ja", ..house.person(&[Role::CaOfficer]) }, &incident);
        ja.get(place).check(200, "装置の外へ出せたかもしれない");
        world.run_jobs();
    });
}

#[test]
fn a_nightly_run_that_did_not_happen_is_noticed_and_shown() {
    World::on_each_database(|world| {
        let house = House::of(world);
        // A session does not outlast the hours between.
        let home = |expected: &str| {
            house.person(&[Role::PlatformAdministrator]).get("/console").check(200, expected);
        };
        let ran = |outcome: &str| {
            let now = world.now();
            world.write(|tx| tx.begin_job_run(NIGHTLY, now)).unwrap();
            world.write(|tx| tx.end_job_run((NIGHTLY, now), outcome, &Counts::new(), now)).unwrap();
        };
        let watched = || world.read(|tx| watch_runs(tx, world.now()));
        assert_eq!(watched(), RunWatch::Fine { at: None });
        // A new installation that never ran it.
        world.clock.advance_seconds(3 * 3600);
        assert_eq!(watched(), RunWatch::Missed { last: None });
        home("Missed");
        let first = world.now();
        ran("done");
        assert!(matches!(watched(), RunWatch::Fine { at: Some(_) }));
        home("Running");
        world.clock.advance_seconds(3600);
        ran("failed");
        assert!(matches!(watched(), RunWatch::Failed { .. }));
        // Failing for long is as good as not running, and one that never ended is no run.
        world.clock.advance_seconds(2 * 3600);
        world.write(|tx| tx.begin_job_run(NIGHTLY, world.now())).unwrap();
        assert!(
            matches!(watched(), RunWatch::Missed { last: Some(at) } if at.floor() == first.floor())
        );
        home("Missed");
    });
}

//! Acts with authorities, ceremonies and the emergency through the console.

use tenkoku_domain::access::Role;
use tenkoku_domain::authority::AuthorityState;
use tenkoku_domain::level::Level;

use super::*;

const OFFICER: &[Role] = &[Role::CaOfficer];

fn state(world: &World, code: &str) -> AuthorityState {
    world.authority(code).state
}

#[test]
fn ro_4_an_authority_is_renewed_by_the_built_in_ceremony_once() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let officer = house.person(OFFICER);
        let path = "/console/authorities/seal-l2-g1/renew";
        officer.get("/console/authorities/seal-l2-g1").check(200, &format!("href=\"{path}\""));
        officer.get(path).check(200, "built-in ceremony");
        let done = officer.submit(path, &[]);
        assert!(done.location.starts_with("/console/ceremonies/crm_"), "{}", done.body);
        let page = officer.get(&done.location);
        page.check(200, "an evaluation installation");
        page.check(200, "Everything went as written");
        officer.get(&format!("{}/record.json", done.location)).check(200, "key-fingerprint");
        officer.get(&format!("{}/ceremony.toml", done.location)).check(200, "rollover");
        assert_eq!(state(world, "seal-l2-g1"), AuthorityState::Retiring);
        assert_eq!(state(world, "seal-l2-g2"), AuthorityState::Active);
        officer.submit(path, &[]).check_leads_to("/console/authorities/seal-l2-g1");
        officer.get("/console/authorities").check(200, "edge--next");
        officer.get("/console/ceremonies").check(200, "rollover: seal-l2-g1");
    });
}

#[test]
fn an_authority_is_put_on_hold_with_a_reason_and_resumed() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let officer = house.person(OFFICER);
        let path = "/console/authorities/seal-l1-g1/suspend";
        officer.submit(path, &[]).check(422, "Enter why it is put on hold");
        let here = "/console/authorities/seal-l1-g1";
        officer.submit(path, &[("reason", "audit finding")]).check_leads_to(here);
        assert_eq!(state(world, "seal-l1-g1"), AuthorityState::Suspended);
        let resumed = officer.submit(&format!("{here}/resume"), &[]);
        assert!(resumed.location.starts_with("/console/ceremonies/"), "{}", resumed.body);
        assert_eq!(state(world, "seal-l1-g1"), AuthorityState::Active);
    });
}

#[test]
fn an_authority_with_living_certificates_does_not_end() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let officer = house.person(OFFICER);
        world.seal(&world.osaka(), Level::One);
        officer.submit("/console/authorities/seal-l1-g1/retire", &[]);
        officer.get("/console/authorities/seal-l1-g1/end").check(200, "It cannot end yet");
        officer.submit("/console/authorities/seal-l1-g1/end", &[]).check(409, "state-conflict");
        assert_eq!(state(world, "seal-l1-g1"), AuthorityState::Retiring);
    });
}

#[test]
fn km_19_production_leads_to_the_ceremony_instead() {
    World::on_each_database_of(Installation::Production, |world| {
        let house = House::of(world);
        let officer = house.person(OFFICER);
        let path = "/console/authorities/seal-l1-g1/renew";
        officer.get(path).check(200, "kind=rollover");
        officer.submit(path, &[]).check(403, "dual-control");
        assert_eq!(state(world, "seal-l1-g1"), AuthorityState::Active);
        let form = [("kind", "rollover"), ("authority", "seal-l1-g1"), ("leader", "佐藤 恵")];
        officer.submit("/console/ceremonies/new", &form).check(403, "dual-control");
        let more = [("officer", "鈴木 一郎"), ("witness", "高橋 花"), ("auditor", "田中 実")];
        let form: Vec<_> = form.into_iter().chain(more).collect();
        let file = officer.submit("/console/ceremonies/new", &form);
        file.check(200, "rollover");
        let checked = officer.submit("/console/ceremonies/check", &[("file", &file.body)]);
        checked.check(200, "The file can be read");
    });
}

#[test]
fn a_ceremony_file_is_told_what_is_wrong_with_its_line() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let officer = house.person(OFFICER);
        let told = officer.submit("/console/ceremonies/check", &[("file", "[ceremony]\nidd = 1")]);
        told.check(422, "Line 2");
        let import = officer.submit("/console/ceremonies/import", &[("bundle", "nothing")]);
        import.check(422, "This is not an answer bundle");
    });
}

#[test]
fn an_emergency_is_rehearsed_without_changing_anything() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let officer = house.person(OFFICER);
        world.seal(&world.osaka(), Level::One);
        let plan = "/console/authorities/emergency?authority=seal-l1-g1";
        officer.get(plan).check(200, "was not rehearsed yet");
        let (done, records) = told(world, || {
            let form = [("authority", "seal-l1-g1")];
            officer.submit("/console/authorities/emergency/rehearse", &form)
        });
        done.check_leads_to(&format!("{plan}#rehearsals"));
        assert_eq!(records, ["ceremony.closed ok"]);
        assert_eq!(state(world, "seal-l1-g1"), AuthorityState::Active);
        assert!(!officer.get(plan).body.contains("was not rehearsed yet"));
    });
}

#[test]
fn i_6_a_compromise_is_declared_by_two_persons_only() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let officer = house.person(OFFICER);
        let certificate = world.seal(&world.osaka(), Level::One);
        let mut second = house.browser();
        let secret = enrol(&mut second, &house.link("ryo", OFFICER).path());
        world.clock.advance_seconds(31);
        let path = "/console/authorities/emergency/declare";
        let code = code_of(&secret, world);
        let form = |typed: &'static str, login: &'static str, password: &'static str| {
            vec![
                ("authority", "seal-l1-g1"),
                ("typed", typed),
                ("login", login),
                ("password", password),
                ("second_code", code.as_str()),
            ]
        };
        officer.submit(path, &form("seal", "ryo", PASSWORD)).check(422, "exactly as it stands");
        let alone = officer.submit(path, &form("seal-l1-g1", "ryo", "another one"));
        alone.check(422, "second person does not fit");
        assert_eq!(state(world, "seal-l1-g1"), AuthorityState::Active);
        let done = officer.submit(path, &form("seal-l1-g1", "ryo", PASSWORD));
        done.check_leads_to("/console/authorities/emergency?authority=seal-l1-g1");
        assert_eq!(state(world, "seal-l1-g1"), AuthorityState::Retiring);
        let revoked = format!("/console/certificates/{}", certificate.serial);
        officer.get(&revoked).check(200, "was revoked on");
    });
}

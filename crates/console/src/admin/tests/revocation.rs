//! Issuing and revoking through the console.

use tenkoku_domain::access::Role;
use tenkoku_domain::certificate::Certificate;
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::level::Level;
use tenkoku_pki::ocsp::AnswerStatus;
use tenkoku_testkit::fixtures::ApplicantKey;

use super::*;

const OFFICER: &[Role] = &[Role::RegistrationOfficer];

fn address(certificate: &Certificate) -> String {
    format!("/console/certificates/{}", certificate.serial)
}

#[test]
fn a_certificate_is_revoked_in_four_steps_and_seen_from_outside() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let certificate = world.seal(&world.osaka(), Level::Two);
        let officer = house.person(OFFICER);
        let found = officer.get(&format!("/console/search?q={}", certificate.serial));
        found.check_leads_to(&address(&certificate));
        let page = officer.get(&address(&certificate));
        page.check(200, "may seal until");
        let form = page.between("id=\"revoke\" href=\"", "\"").to_owned();
        officer.get(&form).check(200, "Key lost, stolen or exposed");

        let path = format!("{}/revoke", address(&certificate));
        let entries =
            [("authority", "seal-l2-g1"), ("cause", "office-closed"), ("comment", "閉店")];
        let box_shown = officer.submit(&path, &entries);
        box_shown.check(200, "From this moment");
        box_shown.check(200, "cannot seal any more");
        let path = format!("{}/revocation", address(&certificate));
        let result = format!("{}/revoked?authority=seal-l2-g1", address(&certificate));
        let (done, records) = told(world, || officer.submit(&path, &entries));
        done.check_leads_to(&result);
        assert_eq!(records, ["cert.revoked ok"]);
        // The list is made beside the request, within a second.
        officer.get(&result).check(200, "id=\"tick-crl\" data-state=\"warn\"");
        world.crl("seal-l2-g1");
        let page = officer.get(&result);
        for tick in ["tick-recorded", "tick-ocsp", "tick-crl"] {
            page.check(200, &format!("id=\"{tick}\" data-state=\"ok\""));
        }
        assert!(matches!(world.status(&certificate), AnswerStatus::Revoked { .. }));

        // A second click, and a second look, change nothing.
        let (again, records) = told(world, || officer.submit(&path, &entries));
        again.check_leads_to(&result);
        assert_eq!(records, Vec::<String>::new());
        officer.get(&form).check_leads_to(&result);
        let page = officer.get(&address(&certificate));
        page.check(200, "was revoked on");
        assert!(!page.body.contains("id=\"revoke\""));
        world.run_jobs();
    });
}

#[test]
fn a_stale_second_factor_is_asked_for_before_anything_is_revoked() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let certificate = world.seal(&world.osaka(), Level::One);
        let mut officer = house.browser();
        let secret = enrol(&mut officer, &house.link("megumi", OFFICER).path());
        world.clock.advance_seconds(301);
        let entries = [("cause", "key-exposed"), ("since", "2020-01-01T09:00"), ("comment", "")];
        let shown = officer.submit(&format!("{}/revoke", address(&certificate)), &entries);
        shown.check(200, "id=\"code\"");
        let path = format!("{}/revocation", address(&certificate));
        officer.submit(&path, &entries).check(422, "Enter the one-time code");
        let wrong: Vec<_> = entries.iter().copied().chain([("code", "000000")]).collect();
        officer.submit(&path, &wrong).check(422, "The code does not fit");
        assert_eq!(world.status(&certificate), AnswerStatus::Good);
        let code = code_of(&secret, world);
        let right: Vec<_> = entries.iter().copied().chain([("code", code.as_str())]).collect();
        assert_eq!(officer.submit(&path, &right).status.as_u16(), 303);
        let now = officer.get(&address(&certificate));
        now.check(200, "2020-01-01 09:00 JST");
        world.run_jobs();
    });
}

#[test]
fn a_form_says_what_is_to_be_corrected_and_keeps_the_entries() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let certificate = world.seal(&world.osaka(), Level::One);
        let officer = house.person(OFFICER);
        let path = format!("{}/revoke", address(&certificate));
        let entries = [("cause", ""), ("since", "soon"), ("comment", "<b>why</b>")];
        let wrong = officer.submit(&path, &entries);
        wrong.check(422, "<title>Error: Revoke the certificate");
        wrong.check(422, "There are 2 things to correct");
        wrong.check(422, "href=\"#cause\"");
        wrong.check(422, "aria-invalid=\"true\"");
        wrong.check(422, "value=\"soon\"");
        assert!(!wrong.body.contains("<b>why</b>"));
        let entries = [("cause", "key-exposed"), ("since", "2999-01-01T00:00"), ("comment", "")];
        officer.submit(&path, &entries).check(422, "lies in the future");
        assert_eq!(world.status(&certificate), AnswerStatus::Good);
    });
}

#[test]
fn who_may_not_revoke_is_not_offered_it() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let certificate = world.seal(&world.osaka(), Level::One);
        let auditor = house.person(&[Role::Auditor]);
        let page = auditor.get(&address(&certificate));
        page.check(200, "View only");
        assert!(!page.body.contains("id=\"revoke\""));
        let path = format!("{}/revocation", address(&certificate));
        auditor.submit(&path, &[("cause", "key-exposed")]).check(403, "not-authorised");
        assert_eq!(world.status(&certificate), AnswerStatus::Good);
    });
}

#[test]
fn a_ready_application_is_issued_once_however_often_it_is_clicked() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let key = ApplicantKey::make(KeyAlgorithm::P256);
        let application = world.apply(&world.osaka(), Level::Two, &key).unwrap();
        let officer = house.person(OFFICER);
        officer.get("/console").check(200, "1 application is ready to be issued");
        let page = officer.get(&format!("/console/applications/{}", application.id));
        page.check(200, "id=\"issue\"");
        let path = format!("/console/applications/{}/issue", application.id);
        let first = officer.submit(&path, &[]);
        assert_eq!(first.status.as_u16(), 303, "{}", first.body);
        officer.get(&first.location).check(200, "may seal until");
        officer.submit(&path, &[]).check_leads_to(&first.location);
        let page = officer.get(&format!("/console/applications/{}", application.id));
        page.check(200, "The certificate was issued");
        house.person(&[Role::Auditor]).submit(&path, &[]).check(403, "not-authorised");
        assert!(officer.get("/console").body.contains("Nothing waits for you"));
    });
}

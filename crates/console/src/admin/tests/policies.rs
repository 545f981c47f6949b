//! Policies in the console: drafted by one, approved by two others, tried on a key.

use tenkoku_domain::level::Level;
use tenkoku_domain::policy::Installation;

use super::*;

/// A document that may follow the first one, and begins in a while.
fn text() -> String {
    Installation::Evaluation
        .policy_text()
        .replace("version = \"2026.11\"", "version = \"2035.1\"")
        .replace("effective_from = 2026-11-01", "effective_from = 2035-01-01")
        .replace("open_days = 30", "open_days = 40")
}

/// Somebody of that name, who counts as a person.
fn named<'a>(house: &'a House<'a>, name: &str, role: Role) -> Browser<'a> {
    let browser = house.person(&[role]);
    let world = house.world;
    let login = name.replace(' ', "");
    let link = issue_enrolment(
        &world.env,
        &world.permit(),
        &NewAdministrator {
            login,
            display_name: name.to_owned(),
            email: None,
            holder: Holder::ByName,
            language: Language::En,
            roles: grants(&[role], &Scope::Platform, world),
        },
    );
    let mut named = Browser { cookie: None, ..browser };
    enrol(&mut named, &link.unwrap().path());
    named
}

#[test]
fn km_22_a_draft_is_approved_by_two_others_and_never_by_its_author() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let author = named(&house, "aoki", Role::CaOfficer);
        author.get("/console/policies/draft").check(200, "open_days = 30");
        let made = author.submit("/console/policies/draft", &[("text", &text())]);
        let path = made.location.clone();
        made.check_leads_to(&path);
        author.submit("/console/policies/draft", &[("text", &text())]).check_leads_to(&path);
        author.get(&path).check(200, "0 of 2");
        assert!(!author.get(&path).body.contains("id=\"approve\""));

        let one = named(&house, "baba", Role::PolicyApprover);
        one.get(&path).check(200, "id=\"approve\"");
        one.get(&path).check(200, "Changed:");
        one.submit(&path, &[]).check(422, "Choose whether");
        one.submit(&path, &[("verdict", "rejected")]).check(422, "Say why");
        one.submit(&path, &[("verdict", "approved")]).check_leads_to(&path);
        one.submit(&path, &[("verdict", "approved")]).check_leads_to(&path);
        let seen = one.get(&path);
        seen.check(200, "1 of 2");
        assert!(!seen.body.contains("id=\"approve\""), "nobody approves twice");

        let two = named(&house, "chiba", Role::PolicyApprover);
        two.submit(&path, &[("verdict", "approved")]).check_leads_to(&path);
        two.get(&path).check(200, "2 of 2");
        two.get(&format!("{path}?trial=all")).check(200, "refuse none");
        two.get("/console/policies").check(200, "Approved, waits for its day");
    });
}

#[test]
fn every_mistake_of_a_draft_is_told_with_its_line_and_the_text_stays() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let author = house.person(&[Role::CaOfficer]);
        let wrong = text().replace("lead_days", "leed_days");
        let seen = author.submit("/console/policies/draft", &[("text", &wrong)]);
        seen.check(422, "leed_days = 60");
        seen.check(422, "lead_days");
        seen.check(422, "to correct");
    });
}

#[test]
fn the_test_bench_says_what_each_rule_says() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let auditor = house.person(&[Role::Auditor]);
        let bench = "/console/policies/test";
        auditor.submit(bench, &[("specimen", "hello")]).check(422, "Paste the whole text");
        let serial = world.seal(&world.osaka(), Level::Two).serial;
        let pem = auditor.get(&format!("/console/certificates/{serial}/certificate.pem")).body;
        let seen = auditor.submit(bench, &[("level", "2"), ("specimen", &pem)]);
        seen.check(200, "KM-1");
        seen.check(200, "key-duplicate");
    });
}

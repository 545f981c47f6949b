//! One-time links, passwords, codes, sessions.

use tenkoku_domain::access::Role;

use super::*;

const ADMIN: &[Role] = &[Role::PlatformAdministrator];

#[test]
fn a_newcomer_enrols_signs_out_and_signs_in_again() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let link = house.link("megumi", ADMIN);
        assert_eq!(link.expires_at, world.now().plus_seconds(30 * 60), "nobody can sign in yet");
        let mut browser = house.browser();
        let (secret, records) = told(world, || enrol(&mut browser, &link.path()));
        assert_eq!(
            records,
            ["auth.code-used ok", "auth.factor-added ok", "auth.factor-added ok", "auth.login ok"]
        );
        browser.get("/console").check(200, "Needs your attention");

        browser.submit("/console/sign-out", &[]).check_leads_to("/console/sign-in?done=signed-out");
        browser.get("/console").check_leads_to("/console/sign-in");

        // The code of the enrolment is used up; the next one is good.
        let code = code_of(&secret, world);
        let form = [("login", "megumi"), ("password", PASSWORD), ("code", code.as_str())];
        browser.post("/console/sign-in", &form).check(422, "do not fit together");
        world.clock.advance_seconds(30);
        let code = code_of(&secret, world);
        let form = [
            ("login", " Megumi "),
            ("password", PASSWORD),
            ("code", code.as_str()),
            ("return", "/console/people"),
        ];
        let done = browser.post("/console/sign-in", &form);
        done.check_leads_to("/console/people");
        browser.keep(&done);
        browser.get("/console/people").check(200, "megumi");
        assert_eq!(house.link("ryo", ADMIN).expires_at, world.now().plus_days(14));
    });
}

#[test]
fn ab_14_a_link_works_once_for_a_time_and_for_five_attempts() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let mut browser = house.browser();

        let link = house.link("megumi", ADMIN);
        enrol(&mut browser, &link.path());
        house.browser().get(&link.path()).check(410, "no longer good");

        let link = house.link("ryo", ADMIN);
        world.clock.advance_seconds(14 * 86_400);
        house.browser().get(&link.path()).check(410, "no longer good");

        let link = house.link("ken", ADMIN);
        for attempt in 0..5 {
            let page = house.browser().get(&link.path());
            let sealed = page.between("name=\"sealed\" value=\"", "\"").to_owned();
            let form = [("password", PASSWORD), ("sealed", sealed.as_str()), ("code", "000000")];
            let wrong = house.browser().post(&link.path(), &form);
            wrong.check(422, "The code does not fit");
            assert!(wrong.body.contains("<title>Error: "), "attempt {attempt}");
        }
        house.browser().get(&link.path()).check(410, "no longer good");
        house.browser().get("/console/enrol/nobody-made-this").check(410, "no longer good");
    });
}

#[test]
fn a_weak_password_costs_no_attempt_and_is_never_shown_again() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let link = house.link("megumi", ADMIN);
        for (password, text) in [
            ("zqx", "Use 12 characters or more"),
            ("password1234", "Many people use this password"),
            ("it is megumi again", "Leave your sign-in name out"),
        ] {
            let page = house.browser().get(&link.path());
            let sealed = page.between("name=\"sealed\" value=\"", "\"").to_owned();
            let form = [("password", password), ("sealed", sealed.as_str()), ("code", "000000")];
            let wrong = house.browser().post(&link.path(), &form);
            wrong.check(422, text);
            assert!(!wrong.body.contains(password), "{password}");
        }
        let forged = [("password", PASSWORD), ("sealed", "AAAA"), ("code", "000000")];
        house.browser().post(&link.path(), &forged).check(403, "form");
        enrol(&mut house.browser(), &link.path());
    });
}

#[test]
fn enrolling_anew_replaces_the_factors_and_ends_the_sessions() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let (mut before, mut after) = (house.browser(), house.browser());
        let first = house.link("megumi", ADMIN);
        let old = enrol(&mut before, &first.path());
        world.clock.advance_seconds(60);
        let second = house.link("megumi", ADMIN);
        assert_eq!(first.account.id, second.account.id);
        enrol(&mut after, &second.path());
        before.get("/console").check_leads_to("/console/sign-in");
        after.get("/console").check(200, "Home");
        world.clock.advance_seconds(60);
        let code = code_of(&old, world);
        let form = [("login", "megumi"), ("password", PASSWORD), ("code", code.as_str())];
        before.post("/console/sign-in", &form).check(422, "do not fit together");
    });
}

#[test]
fn wrong_attempts_look_alike_and_close_the_door_for_their_own_source_only() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let mut holder = house.browser();
        let secret = enrol(&mut holder, &house.link("megumi", ADMIN).path());
        world.clock.advance_seconds(60);

        let attacker = Browser { address: "203.0.113.9:1", ..house.browser() };
        let try_as = |login: &str, password: &str| {
            let form = [("login", login), ("password", password), ("code", "000000")];
            attacker.post("/console/sign-in", &form)
        };
        let (unknown, records) = told(world, || try_as("nobody", PASSWORD));
        assert_eq!(records, ["auth.login refused"]);
        let (wrong, records) = told(world, || try_as("megumi", "not the password at all"));
        assert_eq!(records, ["auth.login refused"]);
        assert_eq!(unknown.body.replace("nobody", "megumi"), wrong.body);
        assert_eq!(unknown.status, wrong.status);

        for _ in 0..3 {
            try_as("megumi", "not the password at all").check(422, "do not fit");
        }
        let (_, records) = told(world, || try_as("megumi", "not the password at all"));
        assert_eq!(records, ["auth.login refused", "auth.locked ok"]);
        try_as("megumi", PASSWORD).check(429, "closed for a while");

        let code = code_of(&secret, world);
        let form = [("login", "megumi"), ("password", PASSWORD), ("code", code.as_str())];
        holder.post("/console/sign-in", &form).check_leads_to("/console");
    });
}

#[test]
fn a_session_ends_by_idleness_by_age_and_by_the_server() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let idle = house.person(ADMIN);
        idle.get("/console").check(200, "Home");
        world.clock.advance_seconds(29 * 60);
        idle.get("/console").check(200, "Home");
        world.clock.advance_seconds(31 * 60);
        idle.get("/console").check_leads_to("/console/sign-in");

        let old = house.person(ADMIN);
        for _ in 0..23 {
            world.clock.advance_seconds(29 * 60);
            old.get("/console").check(200, "Home");
        }
        world.clock.advance_seconds(54 * 60 - 24 * 60);
        old.get("/console").check_leads_to("/console/sign-in");

        let unknown = Browser { cookie: Some("A".repeat(43)), ..house.browser() };
        unknown.get("/console").check_leads_to("/console/sign-in");
        unknown
            .get("/console/certificates?q=a%20b")
            .check_leads_to("/console/sign-in?return=%2Fconsole%2Fcertificates%3Fq%3Da%2520b");
    });
}

#[test]
fn people_end_their_own_sessions_and_nobody_else_s() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let (mut here, mut there) = (house.browser(), house.browser());
        let secret = enrol(&mut here, &house.link("megumi", ADMIN).path());
        world.clock.advance_seconds(30);
        let code = code_of(&secret, world);
        let form = [("login", "megumi"), ("password", PASSWORD), ("code", code.as_str())];
        let done = there.post("/console/sign-in", &form);
        there.keep(&done);
        let page = there.get("/console/me");
        let end = page.between("action=\"/console/me/sessions/", "\"").to_owned();
        let end = format!("/console/me/sessions/{end}");
        house.person(ADMIN).submit(&end, &[]).check(404, "");
        here.get("/console").check(200, "Home");
        there.submit(&end, &[]).check_leads_to("/console/me");
        here.get("/console").check_leads_to("/console/sign-in");
        there.get("/console").check(200, "Home");
    });
}

#[test]
fn a_second_factor_is_asked_for_again_after_five_minutes() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let mut browser = house.browser();
        let secret = enrol(&mut browser, &house.link("megumi", ADMIN).path());
        browser.get("/console/confirm?return=/console/people").check_leads_to("/console/people");
        world.clock.advance_seconds(301);
        browser.get("/console/confirm?return=/console/people").check(200, "second factor again");
        let form = [("code", "000000"), ("return", "/console/people")];
        let (seen, records) = told(world, || browser.submit("/console/confirm", &form));
        seen.check(422, "The code does not fit");
        assert_eq!(records, ["auth.step-up refused"]);
        let code = code_of(&secret, world);
        let form = [("code", code.as_str()), ("return", "https://evil.example/")];
        let (seen, records) = told(world, || browser.submit("/console/confirm", &form));
        seen.check_leads_to("/console");
        assert_eq!(records, ["auth.step-up ok"]);
        browser.get("/console/confirm").check_leads_to("/console");
    });
}

#[test]
fn the_start_of_a_passkey_sign_in_tells_nothing_about_a_name() {
    World::on_each_database(|world| {
        let house = House::of(world);
        enrol(&mut house.browser(), &house.link("megumi", ADMIN).path());
        let browser = Browser { accept: "application/json", ..house.browser() };
        let start = |login: &str| {
            let body = serde_json::json!({ "login": login });
            let request = TestRequest::post().uri("/console/sign-in/passkey/start").set_json(body);
            let seen = browser.send(request);
            seen.check(200, "allowCredentials");
            let answer: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
            answer["options"]["publicKey"]["allowCredentials"].clone()
        };
        assert_eq!(start("nobody"), start("nobody"), "asking twice tells nothing either");
        assert_ne!(start("nobody"), start("megumi"));
        assert_eq!(start("megumi").as_array().unwrap().len(), 1);
    });
}

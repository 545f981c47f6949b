//! Every page, in both languages, with names that mean harm.

use actix_web::http::Method;
use tenkoku_ca::vendor_root::add_vendor_root;
use tenkoku_domain::access::Role;
use tenkoku_domain::branch::Branch;
use tenkoku_domain::certificate::Certificate;
use tenkoku_domain::level::Level;
use tenkoku_domain::revocation::Cause;
use tenkoku_testkit::device::Device;
use tenkoku_testkit::world::OURS;

use super::*;

/// Everybody's view at once.
const EVERYTHING: &[Role] = &[
    Role::PlatformAdministrator,
    Role::CaOfficer,
    Role::RegistrationOfficer,
    Role::ValidationOperator,
    Role::OrganisationAdministrator,
];

/// Names that try to become markup, in letters that registers contain.
const HOSTILE: [&str; 3] =
    ["BR-0666", "<script>alert(1)</script>髙﨑邉", "<img src=x onerror=alert(1)>"];

struct Furnished {
    branch: Branch,
    certificate: Certificate,
    revoked: Certificate,
}

fn furnish(world: &World) -> Furnished {
    let organisation = world.organisation(OURS);
    let branch = world.branch(&organisation, HOSTILE);
    let certificate = world.seal(&branch, Level::Two);
    let revoked = world.seal(&branch, Level::One);
    world.revoke(&revoked, Cause::OfficeClosed).unwrap();
    world.run_jobs();
    let device = Device::new(7, world.now());
    let root = device.root();
    add_vendor_root(&world.env, &world.permit(), "sample-vendor", root.as_bytes()).unwrap();
    Furnished { branch, certificate, revoked }
}

fn paths(world: &World, furnished: &Furnished) -> Vec<String> {
    let Furnished { branch, certificate, revoked } = furnished;
    let application = &certificate.seal.as_ref().unwrap().application;
    let fixed = [
        "/console",
        "/console/organisations",
        "/console/organisations?q=nothing",
        "/console/certificates",
        "/console/certificates?q=nothing&state=active",
        "/console/applications",
        "/console/applications?state=ready",
        "/console/authorities",
        "/console/authorities/root-g1",
        "/console/authorities/seal-l2-g1",
        "/console/authorities/seal-l2-g1/renew",
        "/console/authorities/seal-l2-g1/suspend",
        "/console/authorities/seal-l2-g1/retire",
        "/console/authorities/emergency",
        "/console/authorities/emergency?authority=root-g1",
        "/console/ceremonies",
        "/console/ceremonies/new",
        "/console/lists",
        "/console/keys",
        "/console/keys?q=nothing",
        "/console/keys/destruction",
        "/console/incidents",
        "/console/incidents?state=open",
        "/console/policies",
        "/console/policies/draft",
        "/console/policies/test",
        "/console/vendor-roots",
        "/console/vendor-roots/sample-vendor",
        "/console/audit",
        "/console/audit?about=branch/nothing",
        "/console/audit/1",
        "/console/people",
        "/console/me",
        "/console/search?q=nothing",
    ];
    let own = [
        format!("/console/organisations/{}", branch.organisation),
        format!("/console/organisations/{}/services", branch.organisation),
        format!("/console/organisations/{}/batches", branch.organisation),
        format!("/console/organisations/{}?q=nothing", branch.organisation),
        format!("/console/organisations/{}/branches/{}", branch.organisation, branch.id),
        format!("/console/certificates/{}", certificate.serial),
        format!("/console/certificates/{}", revoked.serial),
        format!("/console/certificates/{}/revoke", certificate.serial),
        format!("/console/certificates/{}/revoked", revoked.serial),
        format!("/console/applications/{application}"),
        format!("/console/keys/{}", certificate.key),
        format!("/console/keys/{}", revoked.key),
        format!("/console/keys/{}/emergency", certificate.key),
        format!("/console/keys/{}/retire", certificate.key),
        format!("/console/keys/{}/lost", certificate.key),
        format!("/console/keys/{}/evidence", certificate.key),
        format!("/console/certificates/{}/suspend", certificate.serial),
        format!("/console/audit/{}", world.position()),
        "/console/search?q=script".to_owned(),
    ];
    fixed.into_iter().map(str::to_owned).chain(own).collect()
}

/// What no page may contain.
fn check_markup(path: &str, body: &str) {
    for wrong in ["<script>alert", "<img src=x", " style=", "onclick=", ">admin.", "\"admin."] {
        assert!(!body.contains(wrong), "{path} contains {wrong}: {body}");
    }
    for left in ["{n}", "{name}", "{holder}", "{date}", "{until}"] {
        assert!(!body.contains(left), "{path} leaves {left}");
    }
    for tag in ["section", "form", "table", "div", "ul", "dl", "svg", "main", "fieldset"] {
        let opened =
            body.matches(&format!("<{tag}>")).count() + body.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, body.matches(&format!("</{tag}>")).count(), "{path}: {tag}");
    }
    assert_eq!(body.matches("<h1>").count(), 1, "{path} has one heading");
}

#[test]
fn a_page_is_asked_for_without_its_body() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let admin = house.person(&[Role::PlatformAdministrator]);
        for path in ["/console", "/console/people", "/console/me", "/console/sign-in"] {
            let whole = admin.get(path);
            let head = admin.send(TestRequest::default().method(Method::HEAD).uri(path));
            assert_eq!((whole.status, head.status), (StatusCode::OK, StatusCode::OK), "{path}");
        }
        let nobody = house.browser();
        let head = nobody.send(TestRequest::default().method(Method::HEAD).uri("/console/people"));
        assert_eq!(head.status, StatusCode::SEE_OTHER);
    });
}

#[test]
fn a_role_and_an_account_are_ended_and_the_language_is_set() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let admin = house.person(&[Role::PlatformAdministrator]);
        let roles = [Role::RegistrationOfficer, Role::ValidationOperator];
        let officer = world.somebody("審査 一", &roles, &Scope::Platform);
        let theirs = house.person_as(&officer);
        let path = format!("/console/people/{}", officer.account.id);
        admin.get("/console/people").check(200, &path);
        admin.get(&path).check(200, "Registration officer");
        admin.submit(&path, &[("act", "role-0")]).check_leads_to(&path);
        assert!(!admin.get(&path).body.contains("Registration officer"));
        theirs.get("/console/organisations/new").check(403, "not-authorised");
        theirs.get("/console").check(200, "");
        admin.submit(&path, &[("act", "role-7")]).check(404, "not-found");
        theirs.submit("/console/me/language", &[("language", "fr")]).check(404, "not-found");
        let set = theirs.submit("/console/me/language", &[("language", "en")]);
        set.check_leads_to("/console/language/en?return=/console/me");
        let language = world.read(|tx| tx.load_account(&officer.account.id)).language;
        assert_eq!(language, Language::En);
        admin.submit(&path, &[("act", "disable")]).check_leads_to(&path);
        admin.get(&path).check(200, "Disabled");
        assert_eq!(theirs.get("/console").status, StatusCode::SEE_OTHER, "the session is over");
    });
}

#[test]
fn every_page_is_whole_in_both_languages_and_runs_nothing_of_a_name() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let furnished = furnish(world);
        let everybody = house.person(EVERYTHING);
        for language in ["ja", "en"] {
            let browser = Browser { language, cookie: everybody.cookie.clone(), ..house.browser() };
            for path in paths(world, &furnished) {
                let page = browser.get(&path);
                if page.status.as_u16() == 303 {
                    continue;
                }
                page.check(200, &format!("<html lang=\"{language}\">"));
                check_markup(&path, &page.body);
            }
            let fresh = Browser { language, ..house.browser() };
            for path in ["/console/sign-in".to_owned(), house.link("ken", &[]).path()] {
                let page = fresh.get(&path);
                page.check(200, &format!("<html lang=\"{language}\">"));
                check_markup(&path, &page.body);
            }
        }
    });
}

#[test]
fn home_tells_what_is_and_not_what_should_be() {
    World::on_each_database(|world| {
        let house = House::of(world);
        furnish(world);
        let officer = house.person(EVERYTHING);
        let home = officer.get("/console");
        home.check(200, "All public services are running");
        home.check(200, "Sequence 1");
        home.check(200, "Intact");
        // A month without the scheduled work: signers and lists have run out, and Home says so.
        world.clock.advance_seconds(31 * 86_400);
        let officer = house.person(EVERYTHING);
        officer.get("/console").check(200, "not running");
        officer.get("/console/authorities/seal-l2-g1").check(200, "No signer is valid now");
    });
}

#[test]
fn the_trail_is_verified_on_demand() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let auditor = house.person(&[Role::Auditor]);
        auditor.get("/console/audit").check(200, "Not verified yet");
        auditor.submit("/console/audit/verify", &[]).check_leads_to("/console/audit");
        auditor.get("/console/audit").check(200, "Intact");
        auditor.get("/console/audit/999999").check(404, "not-found");
    });
}

#[test]
fn the_list_is_published_again_and_names_its_services() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let operator = house.person(&[Role::ValidationOperator]);
        operator.get("/console/lists").check(200, "granted");
        world.clock.advance_seconds(60);
        operator.submit("/console/lists/publish", &[]).check_leads_to("/console/lists");
        operator.get("/console/lists").check(200, "<dd>2</dd>");
        let auditor = house.person(&[Role::Auditor]).get("/console/lists");
        assert!(!auditor.body.contains("id=\"publish\""));
    });
}

#[test]
fn downloads_are_the_certificate_and_its_chain() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let certificate = world.seal(&world.osaka(), Level::Two);
        let auditor = house.person(&[Role::Auditor]);
        let file = |name: &str| {
            auditor.get(&format!("/console/certificates/{}/{name}", certificate.serial))
        };
        assert_eq!(file("certificate.pem").body.matches("BEGIN CERTIFICATE").count(), 1);
        assert_eq!(file("chain.pem").body.matches("BEGIN CERTIFICATE").count(), 3);
        file("certificate.cer").check(200, "");
        file("private.key").check(404, "not-found");
    });
}

#[test]
fn an_administrator_invites_somebody_who_then_enrols() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let admin = house.person(&[Role::PlatformAdministrator]);
        let wrong = admin.submit("/console/people", &[("login", "Not A Login"), ("role", "king")]);
        wrong.check(422, "There are 3 things to correct");
        wrong.check(422, "value=\"Not A Login\"");
        let form = [
            ("login", "ryo"),
            ("display_name", "見本 亮"),
            ("language", "ja"),
            ("role", "registration-officer"),
        ];
        let (made, records) = told(world, || admin.submit("/console/people", &form));
        // The person, then the account.
        assert_eq!(records, ["account.created ok", "account.created ok", "auth.code-issued ok"]);
        let path = made.between("<code class=\"mono\">http://localhost:8081", "<").to_owned();
        let mut ryo = house.browser();
        enrol(&mut ryo, &path);
        ryo.get("/console/applications").check(200, "見本 亮");
        let people = admin.get("/console/people");
        assert!(!people.body.contains(&path), "a link is shown once");
    });
}

#[test]
fn an_imprint_is_drawn_from_the_names_and_a_missing_character_is_named() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let person = house.person(EVERYTHING);
        let organisation = world.organisation(OURS);
        let branch = world.branch(&organisation, ["BR-0001", "札幌支店", "Sapporo"]);
        let certificate = world.seal(&branch, Level::Two);
        let application = &certificate.seal.as_ref().unwrap().application;
        let pages = [
            format!("/console/organisations/{}/branches/{}", organisation.id, branch.id),
            format!("/console/certificates/{}", certificate.serial),
            format!("/console/applications/{application}"),
        ];
        for path in &pages {
            let page = person.get(path);
            page.check(200, "Imprint that reads 株式会社サンプル札幌支店之印");
            page.check(200, "<li>株式会社</li>");
            page.check(200, "Only the look on the page");
            assert!(page.between("class=\"imprint-text\" d=\"", "\"").starts_with('M'));
        }
        let odd = world.branch(&organisation, ["BR-0002", "𠮷野𠀋支店", "Yoshino"]);
        let path = format!("/console/organisations/{}/branches/{}", organisation.id, odd.id);
        person.get(&path).check(200, "no picture of the character “𠮷”");
    });
}

#[test]
fn home_lists_what_is_left_to_do_until_all_of_it_is_done() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let person = house.person(EVERYTHING);
        let steps = |text: &str| {
            let home = person.get("/console");
            home.check(200, "What is left to do");
            home.check(200, text);
        };
        steps("tenkoku org import");
        world.organisation(OURS);
        let home = person.get("/console");
        assert!(!home.body.contains("tenkoku org import"), "{}", home.body);
        home.check(200, "tenkoku backup tenkoku.backup");
        assert!(!home.body.contains("tenkoku mail test"), "letters have a way");
        let officer = house.person(&[Role::RegistrationOfficer]).get("/console");
        assert!(!officer.body.contains("What is left to do"), "it is not for an officer");
    });
}

#[test]
fn the_chain_of_trust_of_a_corporation_is_drawn_with_its_exceptions() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let person = house.person(EVERYTHING);
        let organisation = world.organisation(OURS);
        let path = format!("/console/organisations/{}", organisation.id);
        assert!(!person.get(&path).body.contains("h-chain"), "nothing was certified");
        for number in 1..=9 {
            let (code, name) = (format!("BR-000{number}"), format!("第{number}支店"));
            let branch = world.branch(&organisation, [&code, &name, &format!("No {number}")]);
            if number >= 8 {
                let certificate = world.seal(&branch, Level::Two);
                if number == 9 {
                    world.revoke(&certificate, Cause::OfficeClosed).unwrap();
                }
            }
        }
        let page = person.get(&path);
        let list = page.between("As a list, from left to right", "</ol>");
        let said: Vec<&str> = list.split("<li>").skip(1).collect();
        assert_eq!(said.len(), 11, "{list}");
        assert!(said[0].contains("Root CA") || said[0].contains("root"), "{list}");
        assert!(said[3].starts_with("No 9: Revoked"), "the exception comes first: {list}");
        assert!(said[10].starts_with("3 more branches"), "{list}");
        page.check(200, "edge edge--bad");
    });
}

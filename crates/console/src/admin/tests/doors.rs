//! Every door × nobody, wrong role, right role (AB-9); form tokens; strangers.

use tenkoku_domain::access::{Permission, Role, Scope};
use tenkoku_domain::level::Level;
use tenkoku_testkit::world::{OURS, THEIRS};

use super::super::{Access, ROUTES, Route};
use super::*;

/// A path with its parameters filled in by things that do not exist.
fn filled(route: &Route) -> String {
    route
        .path
        .replace("{id}", "org_00000000000000000000000000")
        .replace("{branch}", "brn_00000000000000000000000000")
        .replace("{person}", "per_00000000000000000000000000")
        .replace("{serial}", "7F00A1B2C3D4E5F6")
        .replace("{file}", "certificate.pem")
        .replace("{code}", "no-such-g1")
        .replace("{act}", "renew")
        .replace("{seq}", "999999")
        .replace("{digest}", &"0".repeat(64))
        .replace("{secret}", "no-such-link")
        .replace("{language}", "en")
}

fn knock(browser: &Browser<'_>, route: &Route) -> Seen {
    match route.method {
        "get" => browser.get(&filled(route)),
        _ => browser.submit(&filled(route), &[]),
    }
}

/// Every role that lacks a permission; nobody lacks what everybody has.
fn without(permission: Permission) -> Vec<Role> {
    let lacking = |role: &&Role| !role.permissions().contains(&permission);
    Role::ALL.iter().filter(lacking).copied().collect()
}

fn with(permission: Permission) -> Role {
    *Role::ALL.iter().find(|role| role.permissions().contains(&permission)).unwrap()
}

#[test]
fn every_door_asks_for_its_permission() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let nobody = house.browser();
        for route in ROUTES {
            let Access::Needs(permission) = route.access else { continue };
            let refused = knock(&nobody, route);
            assert_eq!(refused.status.as_u16(), 303, "{route:?}");
            assert!(refused.location.starts_with("/console/sign-in"), "{route:?}");
            let script = Browser { accept: "application/json", ..house.browser() };
            assert_eq!(knock(&script, route).status.as_u16(), 401, "{route:?}");

            let wrong = house.person(&without(permission));
            let (refused, records) = told(world, || knock(&wrong, route));
            refused.check(403, "not-authorised");
            assert_eq!(records, ["access.denied refused"], "{route:?}");

            let right = house.person(&[with(permission)]);
            let answer = knock(&right, route);
            assert!(!answer.body.contains("not-authorised"), "{route:?}: {}", answer.body);
            assert!(!answer.status.is_server_error(), "{route:?}: {}", answer.body);
        }
    });
}

#[test]
fn a_role_that_has_ended_opens_no_door() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let none = house.person(&[]);
        none.get("/console").check(403, "not-authorised");
        none.get("/console/me").check(403, "not-authorised");
    });
}

#[test]
fn what_is_not_in_the_table_does_not_exist() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let admin = house.person(&[Role::PlatformAdministrator]);
        admin.get("/console/settings").check(404, "not-found");
        admin.submit("/console/certificates", &[]).check(404, "");
        house.browser().get("/").check_leads_to("/console");
    });
}

#[test]
fn a_changing_form_needs_the_token_of_its_session() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let (ours, theirs) =
            (house.person(&[Role::PlatformAdministrator]), house.person(&[Role::Auditor]));
        for route in ROUTES.iter().filter(|route| route.method == "post") {
            let Access::Needs(_) = route.access else { continue };
            let position = world.position();
            ours.post(&filled(route), &[]).check(403, "form-expired");
            ours.post(&filled(route), &[("csrf", &theirs.csrf)]).check(403, "form-expired");
            let foreign = TestRequest::post()
                .uri(&filled(route))
                .insert_header(("sec-fetch-site", "cross-site"))
                .set_form([("csrf", ours.csrf.as_str())]);
            ours.send(foreign).check(403, "form-expired");
            let foreign = TestRequest::post()
                .uri(&filled(route))
                .insert_header(("origin", "https://evil.example"))
                .set_form([("csrf", ours.csrf.as_str())]);
            ours.send(foreign).check(403, "form-expired");
            assert_eq!(world.position(), position, "{route:?} changed something");
        }
        ours.get("/console").check(200, "Home");
        let foreign = TestRequest::post()
            .uri("/console/sign-in")
            .insert_header(("sec-fetch-site", "cross-site"))
            .set_form([("login", "megumi")]);
        house.browser().send(foreign).check(403, "form-expired");
    });
}

#[test]
fn what_a_stranger_may_not_see_does_not_exist() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let branch = world.osaka();
        let certificate = world.seal(&branch, Level::Two);
        let other = world.organisation(THEIRS);
        let application = certificate.seal.as_ref().unwrap().application.clone();
        let scope = Scope::organisation(other.id.clone());
        let stranger = house.person_within(&[Role::OrganisationAdministrator], &scope);
        let own = Scope::organisation(branch.organisation.clone());
        let holder = house.person_within(&[Role::OrganisationAdministrator], &own);
        let serial = &certificate.serial;
        for path in [
            format!("/console/organisations/{}", branch.organisation),
            format!("/console/organisations/{}/branches/{}", branch.organisation, branch.id),
            format!("/console/certificates/{serial}"),
            format!("/console/certificates/{serial}/chain.pem"),
            format!("/console/certificates/{serial}/revoke"),
            format!("/console/applications/{application}"),
            format!("/console/keys/{}", certificate.key),
        ] {
            stranger.get(&path).check(404, "not-found");
            assert_eq!(holder.get(&path).status.as_u16(), 200, "{path}");
        }
        let revoke = format!("/console/certificates/{serial}/revocation");
        stranger.submit(&revoke, &[("cause", "key-exposed")]).check(404, "not-found");
        // A branch may not be reached below another organisation's address.
        let mixed = format!("/console/organisations/{}/branches/{}", other.id, branch.id);
        house.person(&[Role::CaOfficer]).get(&mixed).check(404, "not-found");
        for path in ["/console/authorities", "/console/lists", "/console/policies"] {
            holder.get(path).check(404, "not-found");
        }
        let found = stranger.get(&format!("/console/search?q={serial}"));
        found.check(200, "Nothing matches");
        assert!(!stranger.get("/console/organisations").body.contains(OURS[2]));
    });
}

#[test]
fn the_menu_holds_what_the_role_may_use() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let check = |roles: &[Role], present: &[&str], absent: &[&str], view_only: bool| {
            let page = house.person(roles).get("/console/certificates");
            for (paths, expected) in [(present, true), (absent, false)] {
                for path in paths {
                    let item = format!("<li><a href=\"{path}\"");
                    assert_eq!(page.body.contains(&item), expected, "{roles:?} {path}");
                }
            }
            assert_eq!(page.body.contains("View only"), view_only, "{roles:?}");
        };
        check(
            &[Role::Auditor],
            &["/console/audit", "/console/authorities"],
            &["/console/people"],
            true,
        );
        check(
            &[Role::RegistrationOfficer],
            &["/console/applications"],
            &["/console/audit", "/console/people"],
            false,
        );
        check(&[Role::PlatformAdministrator], &["/console/people", "/console/audit"], &[], false);
    });
}

#[test]
fn an_administrator_gives_a_token_that_is_shown_once_and_ends_it() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let ours = world.organisation(OURS);
        let scope = Scope::organisation(ours.id.clone());
        let administrator = house.person_within(&[Role::OrganisationAdministrator], &scope);
        let path = format!("/console/organisations/{}/services", ours.id);
        administrator.get(&path).check(200, "There is no service account yet");
        let create = [("act", "create"), ("login", "core"), ("name", "Core banking")];
        administrator.submit(&path, &create).check(200, "Core banking");
        administrator.submit(&path, &create).check(422, "Core banking");
        let account = world.read(|tx| tx.find_account_by_login("core")).unwrap();
        let give = [
            ("act", "token"),
            ("account", account.id.as_str()),
            ("label", "renewal"),
            ("days", "30"),
            ("apply", "on"),
        ];
        let given = administrator.submit(&path, &give);
        given.check(200, "tenkoku_");
        assert!(!administrator.get(&path).body.contains("tenkoku_"), "it is shown once");
        let [token] = world.read(|tx| tx.tokens_of(&account.id)).try_into().unwrap();
        assert_eq!(token.permissions, [Permission::Apply].into());
        administrator.submit(&path, &give[..4]).check(422, "allows at least one thing");
        let end = [("act", "end-token"), ("token", token.id.as_str())];
        administrator.submit(&path, &end).check(200, "Ended");
        let other = world.organisation(THEIRS);
        let theirs = format!("/console/organisations/{}/services", other.id);
        administrator.get(&theirs).check(404, "not-found");
        administrator.submit(&theirs, &create).check(404, "not-found");
        let end = [("act", "end"), ("account", account.id.as_str())];
        administrator.submit(&path, &end).check(200, "Ended");
        // A service account never signs in, whatever session somebody made for it.
        let robot = house.person_within(&[Role::ServiceAccount], &scope);
        robot.get("/console/me").check(403, "not-authorised");
    });
}

#[test]
fn a_list_is_handed_in_watched_paused_and_let_go_on() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let ours = world.organisation(OURS);
        let scope = Scope::organisation(ours.id.clone());
        let branch = world.find_branch(&ours, "HQ");
        let operator = house.person_within(&[Role::Delegate], &scope);
        let path = format!("/console/organisations/{}/batches", ours.id);
        operator.get(&path).check(200, "Hand in a list");
        let wrong = [("branches", "HQ\nNOWHERE\n"), ("level", "1")];
        operator.submit(&path, &wrong).check(422, "Line 2: ");
        operator
            .submit(&path, &[("branches", ""), ("level", "1")])
            .check(422, "no list of branch offices");
        let handed_in = operator.submit(&path, &[("branches", "HQ\n"), ("level", "1")]);
        assert_eq!(handed_in.status, 303, "{}", handed_in.body);
        let [batch] = world.read(|tx| tx.list_batches(&scope, &ours.id, 9)).try_into().unwrap();
        let list = format!("/console/batches/{}", batch.id);
        operator.get(&list).check(200, "0 of 1 issued");
        operator.get(&format!("{list}/progress")).check(200, "0 of 1 issued");
        operator.get(&path).check(200, batch.id.as_str());
        assert_eq!(operator.submit(&list, &[("step", "pause")]).status, 303);
        operator.get(&list).check(200, "Paused");
        operator.get(&format!("{list}/progress")).check(286, "Paused");
        operator.submit(&list, &[("step", "pause")]).check(422, "#h-rows");
        assert_eq!(operator.submit(&list, &[("step", "resume")]).status, 303);
        operator.submit(&list, &[("step", "retry"), ("line", "7")]).check(404, "not-found");
        let permit = world.permit();
        let turn = tenkoku_ca::batch::work_batch(&world.env, &permit, &batch.id, 0).unwrap();
        assert_eq!(turn.progress.applied, 1);
        operator.get(&list).check(200, "/console/applications/");
        let other = world.organisation(THEIRS);
        let theirs = Scope::organisation(other.id);
        let stranger = house.person_within(&[Role::Delegate], &theirs);
        stranger.get(&list).check(404, "not-found");
        stranger.get(&format!("{list}/progress")).check(404, "not-found");
        stranger.submit(&list, &[("step", "cancel")]).check(404, "not-found");
        stranger.get(&path).check(404, "not-found");
        assert_eq!(branch.organisation, ours.id);
    });
}

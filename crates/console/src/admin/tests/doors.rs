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

//! Who may come in where, asked of the real program over HTTP: nobody, people with the wrong role
//! and with the right one, forms from elsewhere, and the manners of every answer (UX 14, AB-9).
//!
//! Not in here: strangers from another organisation, whom the console's own tests send.

pub(crate) mod guest;

use tenkoku_console::admin::{Access, ROUTES, Route};
use tenkoku_console::api::document::placeholders;
use tenkoku_console::api::{BASE, OPERATIONS, Operation};
use tenkoku_domain::access::Role;
use tenkoku_testkit::servers::Installation;

use self::guest::{Answer, Guest};
use crate::browser::branch::Seal;
use crate::browser::{PUBLIC_PAGES, installation_with};

/// Headers of every page (UX 14).
const HEADERS: [(&str, &str); 4] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
    ),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("cross-origin-opener-policy", "same-origin"),
];

/// Where somebody would like our readers to be sent.
const ELSEWHERE: [&str; 6] = [
    "https://evil.example/",
    "//evil.example/",
    "/%5Cevil.example",
    "%5C%5Cevil.example",
    "javascript:alert(1)",
    "/%0D%0ALocation:%20https://evil.example",
];

#[track_caller]
fn check_manners(answer: &Answer, what: &str) {
    for (name, value) in HEADERS {
        assert_eq!(answer.header(name), value, "{name} of {what}");
    }
    if what.contains("/console") {
        assert_eq!(answer.header("cache-control"), "no-store", "{what}");
    }
}

/// The paths of the console, with things that are there where there are any.
fn path(route: &Route, seal: &Seal) -> String {
    route
        .path
        .replace("/applications/{id}", &format!("/applications/{}", seal.application))
        .replace("{id}", "org_00000000000000000000000000")
        .replace("{branch}", "brn_00000000000000000000000000")
        .replace("{person}", "per_00000000000000000000000000")
        .replace("{serial}", &seal.serial)
        .replace("{file}", "certificate.pem")
        .replace("{code}", "seal-l1-g1")
        .replace("{act}", "renew")
        .replace("{draft}", "tld_00000000000000000000000000")
        .replace("{part}", "scheme")
        .replace("{list}", "eu")
        .replace("{proposal}", "prp_00000000000000000000000000")
        .replace("{seq}", "1")
        .replace("{secret}", "0000000000000000000000000000000000000000000")
        .replace("{language}", "en")
}

/// Whether an answer says that one may not come in.
fn is_refused(answer: &Answer) -> bool {
    answer.status == 403 && answer.body.contains("\"not-authorised\"")
}

#[test]
fn ab_9_nobody_comes_in_and_a_role_opens_its_own_doors_only() {
    let (installation, [seal]) = installation_with(["BR-0101"]);
    let _server = installation.serve();
    nobody_comes_in(&installation, &seal);
    nobody_calls_the_api(&installation);
    forms_from_elsewhere_are_refused(&installation, &seal);
    for role in [Role::Auditor, Role::ValidationOperator, Role::RegistrationOfficer] {
        let guest = Guest::enrol(&installation, role.word());
        for route in ROUTES.iter().filter(|route| route.method == "get") {
            let Access::Needs(permission) = route.access else { continue };
            let answer = guest.get(&path(route, &seal));
            check_manners(&answer, route.path);
            assert!(answer.status < 500, "{route:?}: {}", answer.body);
            let may = role.permissions().contains(&permission);
            assert_eq!(is_refused(&answer), !may, "{role:?} {route:?}: {}", answer.body);
        }
        for operation in OPERATIONS.iter().filter(|one| one.method == "get") {
            let answer = guest.get(&called(operation));
            check_manners(&answer, operation.path);
            assert!(answer.status < 500, "{operation:?}: {}", answer.body);
            let may = role.permissions().contains(&operation.permission);
            assert_eq!(is_refused(&answer), !may, "{role:?} {operation:?}: {}", answer.body);
        }
        for route in ROUTES.iter().filter(|route| route.method == "post") {
            let Access::Needs(permission) = route.access else { continue };
            if !role.permissions().contains(&permission) {
                assert!(is_refused(&guest.submit(&path(route, &seal), "")), "{role:?} {route:?}");
            }
        }
    }
    seal.is_answered_as(&installation, "good");
}

/// Without a session nothing is shown, with a made-up one neither.
fn nobody_comes_in(installation: &Installation, seal: &Seal) {
    let nobody = Guest::nobody(installation);
    let impostor = nobody.clone().with_cookie(&format!("tenkoku_session={}", "A".repeat(43)));
    for route in ROUTES {
        let Access::Needs(_) = route.access else { continue };
        for guest in [&nobody, &impostor] {
            let answer = guest.knock(route.method, &path(route, seal));
            assert_eq!(answer.status, 401, "{route:?}: {}", answer.body);
            assert!(answer.body.contains("\"not-signed-in\""), "{route:?}: {}", answer.body);
            check_manners(&answer, route.path);
        }
        let reader = nobody.clone().reading_pages();
        let answer = reader.knock(route.method, &path(route, seal));
        assert_eq!(answer.status, 303, "{route:?}");
        assert!(answer.header("location").starts_with("/console/sign-in"), "{route:?}");
        check_manners(&answer, route.path);
    }
}

/// The address of an operation, with things that are not there.
fn called(operation: &Operation) -> String {
    let nothing = "nothing-00000000000000000000000000";
    let path = placeholders(operation.path).fold(operation.path.to_owned(), |path, name| {
        let value = if name == "seq" { "999999" } else { nothing };
        path.replace(&format!("{{{name}}}"), value)
    });
    format!("{BASE}{path}")
}

/// Without a token or a session nobody learns anything from the API.
fn nobody_calls_the_api(installation: &Installation) {
    let nobody = Guest::nobody(installation);
    let impostor = nobody.clone().with_cookie(&format!("tenkoku_session={}", "A".repeat(43)));
    for operation in OPERATIONS {
        for guest in [&nobody, &impostor] {
            let answer = guest.knock(operation.method, &called(operation));
            assert_eq!(answer.status, 401, "{operation:?}: {}", answer.body);
            assert!(answer.body.contains("\"token-refused\""), "{operation:?}: {}", answer.body);
            check_manners(&answer, operation.path);
        }
    }
}

/// A form without the token of the session changes nothing, whoever is signed in.
fn forms_from_elsewhere_are_refused(installation: &Installation, seal: &Seal) {
    let guest =
        Guest::enrol(installation, "platform-administrator,ca-officer,registration-officer");
    assert!(guest.set_cookie.contains("; HttpOnly; SameSite=Strict; Path=/"), "{guest:?}");
    for route in ROUTES.iter().filter(|route| route.method == "post") {
        let Access::Needs(_) = route.access else { continue };
        for form in ["", "csrf=", "csrf=0000000000000000000000000000000000000000000"] {
            let answer = guest.post(&path(route, seal), form);
            assert_eq!(answer.status, 403, "{route:?}: {}", answer.body);
            assert!(answer.body.contains("\"form-expired\""), "{route:?}: {}", answer.body);
        }
    }
    assert_eq!(guest.get("/console").status, 200, "still signed in");
}

#[test]
fn what_is_not_there_tells_nothing_and_nobody_is_sent_elsewhere() {
    let installation = Installation::evaluation();
    let _server = installation.serve();
    let guest = Guest::enrol(&installation, "auditor");
    for path in [
        "/console/nowhere",
        "/console/organisations/org_00000000000000000000000000",
        "/console/certificates/7F00A1B2C3D4E5F6",
        "/console/audit/999999999999999999999999",
        "/console/..%2f..%2fetc%2fpasswd",
        "/console/enrol/0000000000000000000000000000000000000000000",
        "/assets/..%2fCargo.toml",
    ] {
        let answer = guest.get(path);
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.status);
        check_manners(&answer, path);
        for secret in ["src/", ".rs", "SELECT", "panicked", "tenkoku-"] {
            assert!(!answer.body.contains(secret), "{path} tells {secret}: {}", answer.body);
        }
    }
    for elsewhere in ELSEWHERE {
        for guest in [Guest::nobody(&installation), Guest::nobody_in_public(&installation)] {
            let answer = guest.get(&guest.language_switch(elsewhere));
            assert_eq!(answer.header("location"), "/", "{elsewhere}");
        }
        let reader = Guest::nobody(&installation).reading_pages();
        let page = reader.get(&format!("/console/sign-in?return={elsewhere}"));
        assert!(!page.body.contains("name=\"return\" value=\"http"), "{}", page.body);
        assert!(page.body.contains("name=\"return\" value=\"/console\""), "{}", page.body);
    }
}

#[test]
fn public_addresses_are_read_only() {
    let installation = Installation::evaluation();
    let _server = installation.serve();
    let reader = Guest::nobody_in_public(&installation).reading_pages();
    let files = [
        "/crl/seal-l1-g1.crl",
        "/crl/root-g1.crl",
        "/ca/seal-l3-g1.cer",
        "/tl/jp-2021.xml",
        "/tl/jp-2021.sha2",
        "/tl/jp-2021.json",
        "/tl/jp-2021.html",
        "/tl/jp-2021/1.xml",
        "/tl/jp-2021/1.sha2",
        "/tl/jp-2021/1.json",
        "/tl/jp-2021/1.html",
        "/tl/jp-2021/signers.pem",
        "/repository/root-g1.pem",
        "/lists/jp-2021/1",
        "/lists/jp-2021/1.xml",
        "/lists/jp-2021/1.json",
    ];
    let pages = PUBLIC_PAGES.iter().filter(|path| **path != "/nowhere").copied();
    for path in pages.chain(files) {
        let answer = reader.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        let head = reader.knock("head", path);
        assert_eq!((head.status, head.body.as_str()), (200, ""), "HEAD {path}");
        assert_eq!(head.header("content-type"), answer.header("content-type"), "HEAD {path}");
        // A certificate that is looked for is handed in with a form; nothing is changed by it.
        let asks = path.starts_with("/lists/search");
        let methods = ["post", "put", "delete", "patch", "options"];
        for method in methods.into_iter().filter(|method| !(asks && *method == "post")) {
            let refused = reader.knock(method, path);
            assert_eq!(refused.status, 405, "{method} {path}: {}", refused.body);
        }
        if answer.header("content-type").starts_with("text/html") {
            check_manners(&answer, path);
        }
    }
    let asked = reader.knock("post", "/lists/search");
    assert_eq!(asked.status, 200, "a form without a certificate is explained: {}", asked.body);
    check_manners(&asked, "/lists/search");
    assert_eq!(reader.get("/nowhere").status, 404);
    check_manners(&reader.get("/nowhere"), "/nowhere");
    assert_eq!(reader.knock("put", "/ocsp/seal-l1-g1").status, 405);
}

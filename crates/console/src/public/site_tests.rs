//! Tests of the public pages over a real installation: every address, in both languages.

use actix_web::App;
use actix_web::http::StatusCode;
use actix_web::middleware::Compress;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use tenkoku_domain::branch::Branch;
use tenkoku_domain::certificate::Certificate;
use tenkoku_domain::level::Level;
use tenkoku_domain::organisation::Language;
use tenkoku_domain::policy::Installation;
use tenkoku_domain::revocation::Cause;
use tenkoku_testkit::world::{OURS, World};

use super::*;

/// What a page may weigh with its stylesheet and script, compressed (UX 14).
const BUDGET_OCTETS: usize = 40_000;

/// An answer as a reader sees it.
struct Seen {
    status: StatusCode,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Seen {
    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

/// Asks a site over this installation.
fn ask(world: &World, path: &str, headers: &[(&str, &str)]) -> Seen {
    let site = Site {
        operator_en: "Fictional Authority".to_owned(),
        operator_ja: "架空認証局".to_owned(),
        installation: Installation::Evaluation,
        language: Language::Ja,
        address: world.env.settings.public_address.as_str().to_owned(),
    };
    actix_web::rt::System::new().block_on(async {
        let app = App::new()
            .app_data(Data::new(world.env.clone()))
            .app_data(Data::new(site))
            .wrap(Compress::default())
            .configure(configure);
        let app = init_service(app).await;
        let request = TestRequest::get().uri(path);
        let request =
            headers.iter().fold(request, |request, header| request.insert_header(*header));
        let answer = call_service(&app, request.to_request()).await;
        let status = answer.status();
        let headers = answer
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        Seen { status, headers, body: read_body(answer).await.to_vec() }
    })
}

fn page(world: &World, path: &str, language: &str) -> Seen {
    ask(world, path, &[("accept", "text/html"), ("accept-language", language)])
}

/// A branch with a seal of level 2, and the list published.
fn furnished(world: &World) -> (Branch, Certificate) {
    let branch = world.osaka();
    let certificate = world.seal(&branch, Level::Two);
    (branch, certificate)
}

fn paths(certificate: &Certificate) -> Vec<String> {
    let fixed = [
        "/",
        "/status",
        "/repository",
        "/lists",
        "/lists/jp",
        "/lists/jp/1",
        "/lists/jp/1?q=seal&on=2026-11-22&status=granted",
        "/lists/jp/1/providers/1",
        "/lists/jp/1/providers/1/services/1?on=2026-11-22",
        "/lists/search?q=seal",
        "/find",
        "/find?q=nothing+at+all",
        "/developers",
        "/policies",
        "/accessibility",
        "/privacy",
        "/errors",
        "/errors/key-duplicate",
    ];
    let mut paths: Vec<String> = fixed.iter().map(ToString::to_string).collect();
    paths.push(format!("/find?q={}", certificate.serial));
    paths.push(format!("/find/organisation/{}", OURS[0]));
    paths.push(format!("/find/certificate/seal-l2-g1/{}", certificate.serial));
    paths
}

#[test]
fn every_page_is_shown_in_both_languages_within_its_weight() {
    World::on_each_database(|world| {
        let (_, certificate) = furnished(world);
        let scheme = world.env.settings.scheme.code.clone();
        let assets = [assets::style(), assets::script()];
        let zipped = [("accept", "text/html"), ("accept-encoding", "gzip")];
        let weight: usize = assets.iter().map(|path| ask(world, path, &zipped).body.len()).sum();
        for path in paths(&certificate) {
            let path = path.replace("/lists/jp", &format!("/lists/{scheme}"));
            for language in ["ja", "en"] {
                let seen = page(world, &path, language);
                assert_eq!(seen.status, StatusCode::OK, "{path}");
                assert!(seen.text().contains(&format!("<html lang=\"{language}\">")), "{path}");
                assert_eq!(seen.header("content-language"), language);
                assert!(seen.header("content-security-policy").starts_with("default-src 'none'"));
                assert_eq!(seen.header("x-content-type-options"), "nosniff");
            }
            let octets = ask(world, &path, &zipped).body.len() + weight;
            assert!(octets <= BUDGET_OCTETS, "{path} weighs {octets}");
        }
    });
}

/// Hands in the form with a certificate, as a browser does.
fn hand_in(world: &World, certificate: &str, day: &str) -> String {
    let part = |name: &str, value: &str| {
        format!("--mark\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body = [part("certificate", certificate), part("file", ""), part("on", day)].concat();
    actix_web::rt::System::new().block_on(async {
        let env = Data::new(world.env.clone());
        let app = init_service(App::new().app_data(env).configure(configure)).await;
        let request = TestRequest::post()
            .uri("/lists/search")
            .insert_header(("content-type", "multipart/form-data; boundary=mark"))
            .insert_header(("accept", "text/html"))
            .insert_header(("accept-language", "en"))
            .set_payload(body + "--mark--\r\n");
        let answer = call_service(&app, request.to_request()).await;
        assert_eq!(answer.status(), StatusCode::OK);
        String::from_utf8(read_body(answer).await.to_vec()).unwrap()
    })
}

#[test]
fn ab_15_what_is_typed_comes_back_as_text() {
    World::on_each_database(|world| {
        furnished(world);
        let typed = "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E%3Cimg%20src%3Dx%20onerror%3Dy%3E";
        let paths = [
            format!("/find?q={typed}"),
            format!("/find/organisation/{typed}"),
            format!("/find/certificate/seal-l2-g1/{typed}"),
            format!("/errors/{typed}"),
            format!("/lists/jp-2021/1?q={typed}&on={typed}&status={typed}"),
            format!("/lists/jp-2021/1/providers/1/services/1?on={typed}"),
            format!("/lists/search?q={typed}"),
            format!("/status?q={typed}"),
            format!("/revoke/{typed}/{typed}"),
        ];
        for path in &paths {
            for language in ["ja", "en"] {
                let seen = page(world, path, language);
                let text = seen.text();
                for live in ["<script>alert", "<img src=x"] {
                    assert!(!text.contains(live), "{path}: {text}");
                }
                let policy = seen.header("content-security-policy");
                assert!(text.is_empty() || policy.starts_with("default-src 'none'"), "{path}");
                assert!(!policy.contains("unsafe"), "{path}: {policy}");
            }
        }
        let repeated = page(world, &paths[0], "en").text();
        assert!(repeated.contains("&#60;script&#62;alert(1)"), "{repeated}");
        let answered = hand_in(world, "<script>alert(1)</script>", "<img src=x onerror=y>");
        assert!(!answered.contains("<script>alert") && !answered.contains("<img src=x"));
    });
}

#[test]
fn a_certificate_leads_to_the_listed_service_that_issued_it() {
    World::on_each_database(|world| {
        let (_, certificate) = furnished(world);
        let pem = |der: &[u8]| tenkoku_pki::pem::encode("CERTIFICATE", der);
        let seal = pem(certificate.der.as_deref().unwrap());
        let issued = "The listed service issued the certificate";
        let found = hand_in(world, &seal, "");
        assert!(
            found.contains(issued) && found.contains("/lists/jp-2021/1/providers/1/"),
            "{found}"
        );
        // Before the list began nothing was listed.
        let before = hand_in(world, &seal, "2020-01-01");
        assert!(!before.contains(issued) && before.contains("not listed"), "{before}");
        let authority = world.certificate_of(&world.authority("seal-l2-g1"));
        let itself = hand_in(world, &pem(authority.der()), "");
        assert!(itself.contains("The certificate itself is listed"), "{itself}");
        let root = world.certificate_of(&world.authority("root-g1"));
        assert!(hand_in(world, &pem(root.der()), "").contains("not listed"));
        // A certificate that only uses the issuer's name is nobody's.
        let mut forged = certificate.der.clone().unwrap();
        *forged.last_mut().unwrap() ^= 1;
        let forged = hand_in(world, &pem(&forged), "");
        assert!(!forged.contains(issued) && forged.contains("not listed"), "{forged}");
        for nonsense in ["", "-----BEGIN CERTIFICATE-----", "<script>"] {
            let explained = hand_in(world, nonsense, "");
            assert!(explained.contains("That is no certificate that can be read"), "{explained}");
        }
        assert!(hand_in(world, &seal, "yesterday").contains("Write the day like"));
    });
}

#[test]
fn a_service_is_shown_with_its_history_and_its_status_on_a_day() {
    World::on_each_database(|world| {
        furnished(world);
        let service = "/lists/jp-2021/1/providers/1/services/1";
        let text = page(world, service, "en").text();
        assert!(text.contains("<svg class=\"chart\"") && text.contains("<desc id="), "{text}");
        assert!(text.contains("granted since 2026-11-23"), "the picture says it too: {text}");
        let on = |day: &str| page(world, &format!("{service}?on={day}"), "en").text();
        assert!(on("2026-11-23").contains("Monday 23 November 2026 (Japan time) the status was"));
        assert!(on("2026-11-01").contains("was not listed yet"));
        assert!(on("November").contains("Write the day like"));
        let filtered = |query: &str| {
            page(world, &format!("/lists/jp-2021/1?{query}"), "en").text().contains(service)
        };
        assert!(filtered("q=seal") && filtered("status=granted") && filtered("on=2026-11-23"));
        assert!(!filtered("q=nobody") && !filtered("status=withdrawn"));
        assert!(!filtered("on=2026-11-01"));
        for nowhere in ["0/services/1", "1/services/0", "1/services/99", "9/services/1"] {
            let path = format!("/lists/jp-2021/1/providers/{nowhere}");
            assert_eq!(page(world, &path, "en").status, StatusCode::NOT_FOUND, "{path}");
        }
        let first = page(world, "/lists/jp-2021/1/changes", "en");
        assert_eq!(first.status, StatusCode::NOT_FOUND, "there is nothing before the first");
    });
}

#[test]
fn a_seal_is_found_by_every_name_it_has() {
    World::on_each_database(|world| {
        let (_, certificate) = furnished(world);
        let serial = certificate.serial.to_string();
        let link = format!("/find/certificate/seal-l2-g1/{serial}");
        let lower = serial.to_lowercase();
        assert!(page(world, &format!("/find?q={lower}"), "en").text().contains(&link));
        let number = OURS[0].trim_start_matches("NTRJP-");
        let organisation = format!("/find/organisation/{}", OURS[0]);
        for q in [OURS[0], number, "Sample"] {
            let found = page(world, &format!("/find?q={q}"), "en").text();
            assert!(found.contains(&organisation), "{q}");
        }
        assert!(page(world, &organisation, "ja").text().contains(&link));
    });
}

#[test]
fn a_revocation_is_told_and_nobody_s_name_is() {
    World::on_each_database(|world| {
        let (branch, certificate) = furnished(world);
        let path = format!("/find/certificate/seal-l2-g1/{}", certificate.serial);
        let before = page(world, &path, "ja").text();
        assert!(before.contains("押印できます"), "{before}");
        world.revoke(&certificate, Cause::OfficeClosed).unwrap();
        let after = page(world, &path, "ja").text();
        assert!(after.contains("事業所の閉鎖") && after.contains("失効"));
        let custodian = branch.custodian.unwrap();
        for path in paths(&certificate) {
            let text = page(world, &path, "ja").text();
            assert!(!text.contains(&custodian.name) && !text.contains(&custodian.email), "{path}");
        }
    });
}

#[test]
fn files_are_given_as_they_are_and_strangers_get_a_page() {
    World::on_each_database(|world| {
        let (_, certificate) = furnished(world);
        let pem = ask(world, "/repository/root-g1.pem", &[]);
        assert!(pem.text().starts_with("-----BEGIN CERTIFICATE-----"));
        let path = format!("/find/certificate/seal-l2-g1/{}.pem", certificate.serial);
        let parsed = tenkoku_pki::cert::Certificate::parse(&ask(world, &path, &[]).body).unwrap();
        assert_eq!(Some(parsed.der()), certificate.der.as_deref());
        for path in ["/repository/none.pem", "/lists/none", "/find/certificate/root-g1/4A", "/x"] {
            let seen = page(world, path, "en");
            assert_eq!(seen.status, StatusCode::NOT_FOUND, "{path}");
            assert!(seen.text().contains("There is nothing here"), "{path}");
        }
        let document = ask(world, "/x", &[("accept", "application/json")]);
        assert_eq!(document.header("content-type"), "application/problem+json");
        assert!(document.text().contains("\"reference\""));
    });
}

#[test]
fn the_choice_of_language_is_kept_and_stays_on_the_site() {
    World::on_each_database(|world| {
        let seen = ask(world, "/language/en?return=%2Flists%3Fa%3Db", &[]);
        assert_eq!(seen.status, StatusCode::SEE_OTHER);
        assert_eq!(seen.header("location"), "/lists?a=b");
        assert!(seen.header("set-cookie").starts_with("lang=en;"));
        let away = ask(world, "/language/en?return=%2F%2Fevil.example", &[]);
        assert_eq!(away.header("location"), "/");
        let chosen = ask(world, "/", &[("cookie", "lang=en"), ("accept-language", "ja")]);
        assert!(chosen.text().contains("<html lang=\"en\">"));
    });
}

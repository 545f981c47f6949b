//! Tests of the console over a real installation: signing in, doors, pages, revocation.

mod authorities;
mod certificates;
mod doors;
mod life;
mod lists;
mod pages;
mod policies;
mod recording;
mod revocation;
mod signing_in;

use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::App;
use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::web::Data;
use tenkoku_domain::access::{Role, RoleGrant, Scope};
use tenkoku_domain::organisation::Language;
use tenkoku_domain::policy::Installation;
use tenkoku_testkit::people::Somebody;
use tenkoku_testkit::world::World;
use totp_rs::{Builder, Secret};
use url::Url;

use crate::layout::Site;
use crate::session::cookie::NAME;
use crate::session::enrol::{EnrolmentLink, Holder, NewAdministrator, issue_enrolment};
use crate::session::open::Opened;
use crate::session::sign_in::PASSWORD_AND_CODE;
use crate::session::{Callers, Console, ConsoleSettings};

/// The password of everybody in these tests.
const PASSWORD: &str = "a quiet morning by the river";

/// A console over an installation.
struct House<'a> {
    world: &'a World,
    console: Data<Console>,
    /// How many people came so far.
    people: AtomicUsize,
}

/// An answer as a browser sees it.
struct Seen {
    status: StatusCode,
    location: String,
    cookie: Option<String>,
    body: String,
}

impl Seen {
    /// What stands between two texts.
    fn between(&self, before: &str, after: &str) -> &str {
        let (_, rest) = self.body.split_once(before).unwrap_or_else(|| {
            panic!("no {before:?} in an answer of {}: {}", self.status, self.body)
        });
        rest.split_once(after).unwrap().0
    }

    fn check(&self, status: u16, text: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        assert!(self.body.contains(text), "no {text:?} in {}", self.body);
    }

    fn check_leads_to(&self, location: &str) {
        assert_eq!(
            (self.status.as_u16(), self.location.as_str()),
            (303, location),
            "{}",
            self.body
        );
    }
}

/// A browser with what it remembers.
struct Browser<'a> {
    house: &'a House<'a>,
    cookie: Option<String>,
    csrf: String,
    language: &'static str,
    address: &'static str,
    accept: &'static str,
}

impl<'a> House<'a> {
    fn of(world: &'a World) -> Self {
        let console = Console::open(ConsoleSettings {
            address: Url::parse("http://localhost:8081").unwrap(),
            secret_key: [9; 32],
            callers: Callers::Direct,
            tls: None,
        });
        Self { world, console: Data::new(console.unwrap()), people: AtomicUsize::new(0) }
    }

    fn browser(&'a self) -> Browser<'a> {
        Browser {
            house: self,
            cookie: None,
            csrf: String::new(),
            language: "en",
            address: "192.0.2.7:40000",
            accept: "text/html",
        }
    }

    /// Somebody who is signed in, with roles over the whole platform.
    fn person(&'a self, roles: &[Role]) -> Browser<'a> {
        self.person_within(roles, &Scope::Platform)
    }

    fn person_within(&'a self, roles: &[Role], scope: &Scope) -> Browser<'a> {
        // Every call is another person: one person counts once, whatever the account (I-6).
        let name = format!("見本 恵{}", self.people.fetch_add(1, Ordering::Relaxed));
        self.person_as(&self.world.somebody(&name, roles, scope))
    }

    /// Somebody of the story, signed in.
    fn person_as(&'a self, who: &Somebody) -> Browser<'a> {
        let (world, now) = (self.world, self.world.now());
        let opened = Opened::new(&world.env, &who.account.id, PASSWORD_AND_CODE, now);
        let origin = world.shell().origin();
        world.write(|tx| opened.record(tx, &origin)).unwrap();
        Browser {
            cookie: Some(opened.secret.expose().to_owned()),
            csrf: opened.session.csrf,
            ..self.browser()
        }
    }

    fn link(&self, login: &str, roles: &[Role]) -> EnrolmentLink {
        let order = NewAdministrator {
            login: login.to_owned(),
            display_name: "見本 恵".to_owned(),
            email: None,
            holder: Holder::ByName,
            language: Language::Ja,
            roles: grants(roles, &Scope::Platform, self.world),
        };
        issue_enrolment(&self.world.env, &self.world.permit(), &order).unwrap()
    }
}

fn grants(roles: &[Role], scope: &Scope, world: &World) -> Vec<RoleGrant> {
    let until = world.now().plus_days(365);
    roles.iter().map(|role| RoleGrant { role: *role, scope: scope.clone(), until }).collect()
}

fn site() -> Site {
    Site {
        operator_en: "Fictional Authority".to_owned(),
        operator_ja: "架空認証局".to_owned(),
        installation: Installation::Evaluation,
        language: Language::Ja,
        address: "http://127.0.0.1:8080".to_owned(),
    }
}

impl Browser<'_> {
    fn send(&self, request: TestRequest) -> Seen {
        let env = self.house.world.env.clone();
        let console = self.house.console.clone();
        let mut request = request
            .peer_addr(self.address.parse().unwrap())
            .insert_header(("host", "localhost:8081"))
            .insert_header(("accept", self.accept))
            .insert_header(("accept-language", self.language))
            .cookie(Cookie::new(crate::text::language::COOKIE, self.language));
        if let Some(cookie) = &self.cookie {
            request = request.cookie(Cookie::new(NAME, cookie.clone()));
        }
        actix_web::rt::System::new().block_on(async {
            let app = App::new()
                .app_data(Data::new(env))
                .app_data(console)
                .app_data(Data::new(site()))
                .configure(super::configure);
            let answer = call_service(&init_service(app).await, request.to_request()).await;
            let header = |name: &str| {
                let value = answer.headers().get(name).map(|value| value.to_str().unwrap());
                value.unwrap_or_default().to_owned()
            };
            let cookies: Vec<(String, String)> = answer
                .response()
                .cookies()
                .map(|cookie| (cookie.name().to_owned(), cookie.value().to_owned()))
                .collect();
            Seen {
                status: answer.status(),
                location: header("location"),
                cookie: cookies.into_iter().find(|(name, _)| name == NAME).map(|(_, value)| value),
                body: String::from_utf8_lossy(&read_body(answer).await).into_owned(),
            }
        })
    }

    fn get(&self, path: &str) -> Seen {
        self.send(TestRequest::get().uri(path))
    }

    fn post(&self, path: &str, fields: &[(&str, &str)]) -> Seen {
        self.send(TestRequest::post().uri(path).set_form(fields))
    }

    /// Sends a form of a page, with the token that the page carried.
    fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Seen {
        let fields: Vec<_> = fields.iter().copied().chain([("csrf", self.csrf.as_str())]).collect();
        self.post(path, &fields)
    }

    /// Sends a form of a page with files, as browsers do.
    fn upload(&self, path: &str, fields: &[(&str, &str)], files: &[(&str, &[u8])]) -> Seen {
        let mut body = Vec::new();
        for (name, value) in fields.iter().copied().chain([("csrf", self.csrf.as_str())]) {
            let part = format!(
                "--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
            body.extend_from_slice(part.as_bytes());
        }
        for (name, content) in files {
            let head = format!(
                "--x\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"f\"\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--x--\r\n");
        let kind = ("content-type", "multipart/form-data; boundary=x");
        self.send(TestRequest::post().uri(path).insert_header(kind).set_payload(body))
    }

    /// Keeps the cookie of an answer and the token of the page that it leads to.
    fn keep(&mut self, seen: &Seen) {
        self.cookie.clone_from(&seen.cookie);
        self.csrf = self.get("/console/me").between("name=\"csrf\" value=\"", "\"").to_owned();
    }
}

/// The code that an app shows for the secret on a page.
fn code_of(secret: &str, world: &World) -> String {
    let bare = secret.replace(' ', "");
    let secret = Secret::try_from_base32(bare).unwrap();
    let seconds = u64::try_from(world.now().seconds()).unwrap();
    Builder::new().with_secret(secret).build().unwrap().generate(seconds).to_string()
}

/// Enrols with a password; gives the secret of the app.
fn enrol(browser: &mut Browser<'_>, path: &str) -> String {
    let page = browser.get(path);
    let secret = page.between("id=\"totp-secret\">", "<").to_owned();
    let sealed = page.between("name=\"sealed\" value=\"", "\"").to_owned();
    let code = code_of(&secret, browser.house.world);
    let done = browser.post(path, &[("password", PASSWORD), ("sealed", &sealed), ("code", &code)]);
    done.check_leads_to("/console");
    browser.keep(&done);
    secret
}

/// The codes of the audit records that an act left behind, with their outcome.
fn told<T>(world: &World, act: impl FnOnce() -> T) -> (T, Vec<String>) {
    let (done, records) = world.told(act);
    let line = |record: &serde_json::Value| {
        let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
        format!("{} {}", text("code"), text("outcome"))
    };
    (done, records.iter().map(line).collect())
}

#[test]
fn secrets_of_links_are_left_out_of_logs() {
    let check = |path: &str, expected: &str| assert_eq!(super::loggable_path(path), expected);
    check("/console/enrol/abc", "/console/enrol/…");
    check("/console/enrol/abc/passkey/start", "/console/enrol/…/passkey/start");
    check("/console/me", "/console/me");
}

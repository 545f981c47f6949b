//! Somebody who talks HTTP with the program: signed in or not, by hand, following nothing.

use std::time::Duration;

use tenkoku_testkit::servers::Installation;
use ureq::Agent;
use ureq::http::{HeaderMap, Request};

use crate::browser::code::CodeGenerator;
use crate::browser::invite;

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    /// Body, as text.
    pub(crate) body: String,
    headers: HeaderMap,
}

impl Answer {
    /// A header; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// What stands between two texts of the body.
    #[track_caller]
    fn between(&self, before: &str, after: &str) -> String {
        let rest = self.body.split_once(before).map(|(_, rest)| rest);
        let found = rest.and_then(|rest| rest.split_once(after));
        found.unwrap_or_else(|| panic!("no {before} in {self:?}")).0.to_owned()
    }
}

/// Somebody at one of the doors.
#[derive(Clone, Debug)]
pub(crate) struct Guest {
    /// How the session's cookie was set.
    pub(crate) set_cookie: String,
    accept: &'static str,
    language: &'static str,
    cookie: String,
    base: String,
    csrf: String,
}

impl Guest {
    /// Nobody that the console knows.
    pub(crate) fn nobody(installation: &Installation) -> Self {
        Self {
            accept: "application/json",
            language: "ja",
            cookie: String::new(),
            set_cookie: String::new(),
            base: installation.console(),
            csrf: String::new(),
        }
    }

    /// A reader of public pages.
    pub(crate) fn nobody_in_public(installation: &Installation) -> Self {
        Self { base: installation.public(), ..Self::nobody(installation) }
    }

    /// The same with a browser, which asks for pages.
    pub(crate) fn reading_pages(self) -> Self {
        Self { accept: "text/html", ..self }
    }

    /// The same with a cookie.
    pub(crate) fn with_cookie(self, cookie: &str) -> Self {
        Self { cookie: cookie.to_owned(), ..self }
    }

    /// Somebody with these roles over the whole platform, who enrolled a moment ago.
    pub(crate) fn enrol(installation: &Installation, roles: &str) -> Self {
        let login = roles.split(',').next().expect("a role");
        Self::enrol_as(installation, login, &["--role", roles])
    }

    /// Somebody by this name, invited with these words, who enrolled a moment ago.
    pub(crate) fn enrol_as(installation: &Installation, login: &str, more: &[&str]) -> Self {
        let link = invite(installation, login, more);
        let nobody = Self::nobody(installation);
        let page = nobody.get(&link);
        let mut generator = CodeGenerator::new(&page.between("id=\"totp-secret\">", "<"));
        let sealed = page.between("name=\"sealed\" value=\"", "\"");
        let password = "seven+calm+herons+stand+in+shallow+water";
        let form = format!("password={password}&sealed={sealed}&code={}", generator.code());
        let done = nobody.post(&link, &form);
        assert_eq!(done.header("location"), "/console", "{done:?}");
        let set_cookie = done.header("set-cookie").to_owned();
        let cookie = set_cookie.split(';').next().expect("a cookie").to_owned();
        let guest = Self { set_cookie, cookie, ..nobody };
        let csrf = guest.get("/console/me").between("name=\"csrf\" value=\"", "\"");
        Self { csrf, ..guest }
    }

    /// The headers with which a script of this person calls the API.
    pub(crate) fn headers(&self) -> [String; 2] {
        [format!("Cookie:{}", self.cookie), format!("X-CSRF-Token:{}", self.csrf)]
    }

    /// The address that switches the language and then goes on to `target`.
    pub(crate) fn language_switch(&self, target: &str) -> String {
        let inside = self.base.contains("localhost");
        format!("{}/language/en?return={target}", if inside { "/console" } else { "" })
    }

    /// Gets an address.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.knock("get", path)
    }

    /// Sends a form as it is.
    pub(crate) fn post(&self, path: &str, form: &str) -> Answer {
        self.send("post", path, form)
    }

    /// Sends a form of a page, with the token that the page carries.
    pub(crate) fn submit(&self, path: &str, form: &str) -> Answer {
        self.send("post", path, &format!("csrf={}&{form}", self.csrf))
    }

    /// Asks by any method, without a body.
    pub(crate) fn knock(&self, method: &str, path: &str) -> Answer {
        self.send(method, path, "")
    }

    fn send(&self, method: &str, path: &str, form: &str) -> Answer {
        let method = method.to_uppercase();
        let request = Request::builder()
            .method(method.as_str())
            .uri(format!("{}{path}", self.base))
            .header("accept", self.accept)
            .header("accept-language", self.language)
            .header("cookie", &self.cookie)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned())
            .expect("a request");
        let mut answer = agent().run(request).unwrap_or_else(|e| panic!("{method} {path}: {e}"));
        let body = answer.body_mut().read_to_vec().expect("a body");
        Answer {
            status: answer.status().as_u16(),
            body: String::from_utf8_lossy(&body).into_owned(),
            headers: answer.headers().clone(),
        }
    }
}

/// A client that follows no redirection and takes every method with and without a body.
fn agent() -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .allow_non_standard_methods(true)
        .timeout_global(Some(Duration::from_secs(30)));
    config.build().new_agent()
}

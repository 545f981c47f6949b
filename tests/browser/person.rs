//! A person at the browser: signs in, looks things up, revokes; counts the clicks.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tenkoku_testkit::servers::Installation;
use tenkoku_testkit::webdriver::{Browser, By};

use super::branch::Seal;
use super::code::CodeGenerator;
use super::page::check_page;

/// A password that nobody else has.
const PASSWORD: &str = "seven calm herons stand in shallow water";

/// A person with a browser of their own.
pub(super) struct Person {
    /// The browser.
    pub(super) browser: Browser,
    /// The language the person asks for.
    pub(super) language: &'static str,
    console: String,
    public: String,
    clicks: Cell<u32>,
    generator: RefCell<CodeGenerator>,
}

impl Person {
    /// Sits down at a browser that asks for pages in `language`.
    pub(super) fn arrive(installation: &Installation, language: &'static str) -> Self {
        Self {
            browser: Browser::open(language),
            language,
            console: installation.console(),
            public: installation.public(),
            clicks: Cell::new(0),
            generator: RefCell::default(),
        }
    }

    /// Opens a page of the console, which must be as pages are.
    pub(super) fn open(&self, path: &str) {
        self.browser.go(&format!("{}{path}", self.console));
        check_page(self);
    }

    /// Opens a public page, which must be as pages are.
    pub(super) fn open_public(&self, path: &str) {
        self.browser.go(&format!("{}{path}", self.public));
        check_page(self);
    }

    /// Clicks something that leads to another page.
    pub(super) fn follow(&self, css: &str) {
        self.click(css);
        check_page(self);
    }

    /// Clicks something on this page.
    pub(super) fn click(&self, css: &str) {
        self.browser.find(By::Css(css)).click();
        self.clicks.set(self.clicks.get() + 1);
    }

    /// Types into a field, instead of what is there.
    pub(super) fn fill(&self, name: &str, text: &str) {
        let field = self.browser.find(By::Css(&format!("[name='{name}']")));
        field.clear();
        field.type_text(text);
    }

    /// Chooses a file: a click that opens the choice.
    pub(super) fn choose(&self, name: &str, file: &Path) {
        let field = self.browser.find(By::Css(&format!("input[type='file'][name='{name}']")));
        field.type_text(file.to_str().expect("a path in Unicode"));
        self.clicks.set(self.clicks.get() + 1);
    }

    /// Presses the key that goes on to the next control until it is the one that is meant, then the
    /// key that uses it. No mouse.
    pub(super) fn press_at(&self, css: &str, key: &str) {
        const TAB: &str = "\u{e004}";
        let is_there = format!("return document.activeElement.matches({css:?});");
        for _ in 0..120 {
            if self.browser.run_script(&is_there) == Value::Bool(true) {
                self.browser.focused().type_text(key);
                return;
            }
            self.browser.focused().type_text(TAB);
        }
        panic!("{}: the keyboard never comes to {css}", self.browser.address());
    }

    /// Types a one-time code where the page asks for one.
    pub(super) fn fills_code(&self) {
        if self.shows("[name='code']") {
            self.fill("code", &self.code());
        }
    }

    /// Looks again until the page shows a text at a place; the work behind it takes its time.
    #[expect(clippy::disallowed_methods, reason = "the program under test goes by the wall clock")]
    pub(super) fn waits_for(&self, css: &str, text: &str) {
        for _ in 0..2400 {
            if self.text(css).contains(text) {
                return;
            }
            thread::sleep(Duration::from_millis(250));
            self.browser.reload();
        }
        panic!("{}: no «{text}» in {}", self.browser.address(), self.text(css));
    }

    /// What the page shows at a place.
    pub(super) fn text(&self, css: &str) -> String {
        self.browser.find(By::Css(css)).text()
    }

    /// Whether there is such a thing on the page.
    pub(super) fn shows(&self, css: &str) -> bool {
        !self.browser.find_all(By::Css(css)).is_empty()
    }

    /// What lies on the page at all.
    #[track_caller]
    pub(super) fn sees(&self, text: &str) {
        let shown = self.text("body");
        assert!(shown.contains(text), "{}: no «{text}» in\n{shown}", self.browser.address());
    }

    /// The clicks since the last call.
    pub(super) fn clicks(&self) -> u32 {
        self.clicks.take()
    }

    /// The next one-time code.
    pub(super) fn code(&self) -> String {
        self.generator.borrow_mut().code()
    }

    /// Opens a one-time link, and takes a password and a code generator: the first code is wrong.
    pub(super) fn enrol_with_a_code_generator(&self, link: &str) {
        self.open(link);
        *self.generator.borrow_mut() = CodeGenerator::new(&self.text("#totp-secret"));
        self.fill("password", PASSWORD);
        self.fill("code", "000000");
        self.follow("#enrol-password");
        assert!(!self.text(".errsum").is_empty());
        self.fill("password", PASSWORD);
        self.fill("code", &self.code());
        self.follow("#enrol-password");
        self.is_at("/console");
    }

    /// Signs in with the password and a code.
    pub(super) fn sign_in(&self, login: &str, password: &str, code: &str) {
        self.open("/console/sign-in");
        self.fill("login", login);
        self.fill("password", password);
        self.fill("code", code);
        self.follow("#sign-in");
    }

    /// Signs in as somebody who knows the password and has the generator.
    pub(super) fn sign_in_rightly(&self, login: &str) {
        self.sign_in(login, PASSWORD, &self.code());
        self.is_at("/console");
    }

    /// Signs out, after which nothing opens any more.
    pub(super) fn sign_out(&self) {
        self.follow(".signout button");
        self.open("/console/organisations");
        self.is_at("/console/sign-in?return=%2Fconsole%2Forganisations");
    }

    /// Looks for something with the search box, by typing alone.
    pub(super) fn search(&self, text: &str) {
        let field = self.browser.find(By::Css("#q"));
        field.clear();
        field.type_text(&format!("{text}\u{e007}"));
        check_page(self);
    }

    /// From the organisations to the page of a branch's certificate.
    pub(super) fn find_certificate(&self, organisation: &str, seal: &Seal) {
        self.follow("nav a[href='/console/organisations']");
        self.browser.find(By::Link(organisation)).click();
        check_page(self);
        self.browser.find(By::Css("#filter")).type_text(seal.branch);
        self.follow("main form[role=search] button");
        self.follow("tbody th a");
        self.sees(seal.branch);
        self.follow(&format!("a[href*='{}']", seal.serial));
        self.is_at(&format!("/console/certificates/{}", seal.serial));
    }

    /// From a certificate's page to the page that says it is revoked.
    pub(super) fn revoke(&self, seal: &Seal, cause: &str) {
        self.is_at(&format!("/console/certificates/{}", seal.serial));
        self.follow("#revoke");
        self.click(&format!("input[value='{cause}']"));
        self.follow("#continue");
        assert!(!self.text("#consequence").is_empty());
        self.follow("#revoke-now");
        for tick in ["#tick-recorded", "#tick-ocsp", "#tick-crl"] {
            let state = || self.browser.find(By::Css(tick)).attribute("data-state");
            // The list is made beside the request, within a second.
            for _ in 0..100 {
                if state().as_deref() == Some("ok") {
                    break;
                }
                self.browser.reload();
            }
            assert_eq!(state().as_deref(), Some("ok"), "{}", self.text(tick));
        }
    }

    /// The path of the page shown, in the console.
    pub(super) fn place(&self) -> String {
        let address = self.browser.address();
        address.strip_prefix(&self.console).expect("a page of the console").to_owned()
    }

    /// The page shown lies at this path, whatever its query.
    #[track_caller]
    pub(super) fn is_at(&self, path: &str) {
        let address = self.browser.address();
        let shown = address.strip_prefix(&self.console).unwrap_or(&address);
        assert!(shown == path || shown.split('?').next() == Some(path), "{shown} is not {path}");
    }
}

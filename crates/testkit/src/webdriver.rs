//! A headless Chromium, driven through chromedriver: enough of WebDriver to use pages as a person
//! does, with the answers a test needs (texts, pictures, what the browser complained about).
//!
//! Every call blocks; waiting for an element is left to the browser's implicit wait, so nothing
//! here sleeps. Not in here: which pages there are.

use std::cell::Cell;
use std::io::{BufRead as _, BufReader};
use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::Agent;

/// The key under which WebDriver names an element (W3C WebDriver 2, 12.1).
const ELEMENT_KEY: &str = "element-6066-11e4-a52e-4f735466cecf";

/// What Chromium is started with: no window, no sandbox (tests may run as root), and no talk with
/// any host but ours.
const SWITCHES: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
];

/// How an element is found.
#[derive(Clone, Copy, Debug)]
pub enum By<'a> {
    /// By CSS selector.
    Css(&'a str),
    /// By `XPath` expression.
    XPath(&'a str),
    /// A link by its whole text.
    Link(&'a str),
}

impl By<'_> {
    fn to_json(self) -> Value {
        let (using, value) = match self {
            By::Css(value) => ("css selector", value),
            By::XPath(value) => ("xpath", value),
            By::Link(value) => ("link text", value),
        };
        json!({ "using": using, "value": value })
    }
}

/// A browser of its own: fresh profile, no cookies, gone when dropped.
#[derive(Debug)]
pub struct Browser {
    wire: Wire,
    scripted: Cell<bool>,
    _driver: Driver,
    _profile: TempDir,
}

impl Browser {
    /// Opens a browser whose pages are asked for in `language` (`ja`, `en`).
    ///
    /// # Panics
    /// When chromedriver or Chromium is missing or does not start.
    pub fn open(language: &str) -> Self {
        let profile = TempDir::new().expect("a temporary folder for the browser's profile");
        let driver = Driver::start();
        let wire = Wire::new(&driver, &capabilities(language, &profile));
        wire.post("/timeouts", &json!({ "implicit": 5_000, "pageLoad": 30_000 }));
        Self { wire, scripted: Cell::new(true), _driver: driver, _profile: profile }
    }

    /// Goes to an address and waits until the page is loaded.
    pub fn go(&self, address: &str) {
        self.wire.post("/url", &json!({ "url": address }));
    }

    /// Loads the page again.
    pub fn reload(&self) {
        self.wire.post("/refresh", &json!({}));
    }

    /// The address of the page shown.
    pub fn address(&self) -> String {
        text(self.wire.get("/url"))
    }

    /// The title of the page shown.
    pub fn title(&self) -> String {
        text(self.wire.get("/title"))
    }

    /// The page as the browser holds it now.
    pub fn source(&self) -> String {
        text(self.wire.get("/source"))
    }

    /// The first element that matches; waits five seconds for one.
    ///
    /// # Panics
    /// When there is none.
    pub fn find(&self, by: By<'_>) -> Element<'_> {
        self.element(&self.wire.post("/element", &by.to_json()))
    }

    /// The element that has the focus, where the keyboard's keys go.
    pub fn focused(&self) -> Element<'_> {
        self.element(&self.wire.get("/element/active"))
    }

    /// Every element that matches; waits five seconds for a first one.
    pub fn find_all(&self, by: By<'_>) -> Vec<Element<'_>> {
        let found = self.wire.post("/elements", &by.to_json());
        list(found).iter().map(|one| self.element(one)).collect()
    }

    /// Runs a script in the page and hands back what it returns, or what its promise brings.
    pub fn run_script(&self, script: &str) -> Value {
        self.wire.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Makes the page `width` by `height` CSS pixels large, as small as a telephone if need be.
    pub fn set_viewport(&self, width: u32, height: u32) {
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// A picture (PNG) of what the window shows.
    pub fn screenshot(&self) -> Vec<u8> {
        decode(&self.wire.get("/screenshot"))
    }

    /// A picture (PNG) of the whole page, however long it is.
    pub fn screenshot_whole(&self) -> Vec<u8> {
        let picture =
            self.devtools("Page.captureScreenshot", &json!({ "captureBeyondViewport": true }));
        decode(&picture["data"])
    }

    /// The cookies of the page shown, as WebDriver lists them.
    pub fn cookies(&self) -> Vec<Value> {
        list(self.wire.get("/cookie"))
    }

    /// Forgets every cookie.
    pub fn delete_cookies(&self) {
        self.wire.delete("/cookie");
    }

    /// What the browser complained about since the last call: script errors, broken links and
    /// everything the content security policy forbade.
    pub fn complaints(&self) -> Vec<String> {
        let entries = list(self.wire.post("/se/log", &json!({ "type": "browser" })));
        entries.into_iter().map(|entry| text(entry["message"].clone())).collect()
    }

    /// Plugs in a virtual authenticator that makes passkeys without asking anybody.
    pub fn add_authenticator(&self) {
        let authenticator = json!({
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": true,
            "hasUserVerification": true,
            "isUserConsenting": true,
            "isUserVerified": true,
        });
        self.wire.post("/webauthn/authenticator", &authenticator);
    }

    /// Shows every further page as a browser without script does.
    pub fn disable_script(&self) {
        self.scripted.set(false);
        self.devtools("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    }

    /// Whether the scripts of pages run.
    pub fn runs_script(&self) -> bool {
        self.scripted.get()
    }

    fn devtools(&self, command: &str, params: &Value) -> Value {
        self.wire.post("/goog/cdp/execute", &json!({ "cmd": command, "params": params }))
    }

    fn element(&self, reply: &Value) -> Element<'_> {
        Element { wire: &self.wire, id: text(reply[ELEMENT_KEY].clone()) }
    }
}

impl Drop for Browser {
    /// Closes the window; chromedriver goes after it.
    fn drop(&mut self) {
        self.wire.close();
    }
}

/// Chromedriver, in a process group of its own with the browsers it starts.
#[derive(Debug)]
struct Driver {
    child: Child,
    port: u16,
    // Chromedriver would stop on a closed pipe.
    _output: BufReader<ChildStdout>,
}

impl Driver {
    fn start() -> Self {
        let mut child = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("chromedriver is missing: type  scripts/setup-tests");
        let mut output = BufReader::new(child.stdout.take().expect("the pipe asked for above"));
        let port = read_port(&mut output);
        Self { child, port, _output: output }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.child.wait();
    }
}

/// An element of the page shown.
#[derive(Debug)]
pub struct Element<'a> {
    wire: &'a Wire,
    id: String,
}

impl Element<'_> {
    /// Clicks it.
    pub fn click(&self) {
        self.post("click", &json!({}));
    }

    /// Types into it, after what is there already.
    pub fn type_text(&self, text: &str) {
        self.post("value", &json!({ "text": text }));
    }

    /// Empties it.
    pub fn clear(&self) {
        self.post("clear", &json!({}));
    }

    /// The text a person sees in it.
    pub fn text(&self) -> String {
        text(self.wire.get(&self.path("text")))
    }

    /// One of its attributes, where it has it.
    pub fn attribute(&self, name: &str) -> Option<String> {
        let value = self.wire.get(&self.path(&format!("attribute/{name}")));
        value.as_str().map(str::to_owned)
    }

    /// Whether a person sees it.
    pub fn is_displayed(&self) -> bool {
        self.wire.get(&self.path("displayed")).as_bool().unwrap_or_default()
    }

    /// A picture (PNG) of it alone.
    pub fn screenshot(&self) -> Vec<u8> {
        decode(&self.wire.get(&self.path("screenshot")))
    }

    fn post(&self, action: &str, body: &Value) {
        self.wire.post(&self.path(action), body);
    }

    fn path(&self, action: &str) -> String {
        format!("/element/{}/{action}", self.id)
    }
}

/// The session with chromedriver.
#[derive(Debug)]
struct Wire {
    agent: Agent,
    session: String,
}

impl Wire {
    fn new(driver: &Driver, capabilities: &Value) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_mins(1)))
            .build()
            .new_agent();
        let session = format!("http://{}:{}/session", Ipv4Addr::LOCALHOST, driver.port);
        let mut wire = Self { agent, session };
        let opened = wire.post("", capabilities);
        wire.session = format!("{}/{}", wire.session, text(opened["sessionId"].clone()));
        wire
    }

    fn get(&self, path: &str) -> Value {
        answer(path, self.agent.get(self.url(path)).call())
    }

    fn delete(&self, path: &str) -> Value {
        answer(path, self.agent.delete(self.url(path)).call())
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.agent.post(self.url(path)).header("Content-Type", "application/json");
        answer(path, request.send(body.to_string()))
    }

    fn close(&self) {
        let _ = self.agent.delete(&self.session).call();
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.session)
    }
}

/// The value chromedriver answered with. What it refused ends the test, with its own words.
fn answer(path: &str, reply: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Value {
    let mut reply = reply.unwrap_or_else(|e| panic!("chromedriver {path}: {e}"));
    let config = reply.body_mut().with_config().limit(100 << 20);
    let body = config.read_to_string().expect("chromedriver answers in UTF-8");
    let mut body: Value = serde_json::from_str(&body).expect("chromedriver answers in JSON");
    assert!(reply.status().is_success(), "chromedriver {path}: {}", body["value"]["message"]);
    body["value"].take()
}

fn capabilities(language: &str, profile: &TempDir) -> Value {
    let mut switches = SWITCHES.map(str::to_owned).to_vec();
    switches.push(format!("--user-data-dir={}", profile.path().display()));
    switches.push(format!("--lang={language}"));
    json!({ "capabilities": { "alwaysMatch": {
        "browserName": "chrome",
        "goog:loggingPrefs": { "browser": "ALL" },
        "goog:chromeOptions": {
            "args": switches,
            "prefs": { "intl.accept_languages": language },
        },
    } } })
}

/// Chromedriver picks a free port and says which.
fn read_port(output: &mut BufReader<ChildStdout>) -> u16 {
    let mut lines = output.lines().map_while(Result::ok);
    let port = lines.find_map(|line| {
        let (_, port) = line.split_once("started successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    });
    port.expect("chromedriver tells its port before it ends")
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            panic!("chromedriver answered {value} where a text was due")
        }
    }
}

fn list(value: Value) -> Vec<Value> {
    serde_json::from_value(value).expect("chromedriver answers with a list")
}

fn decode(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("a picture in base64");
    STANDARD.decode(text).expect("a picture in base64")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "data:text/html;charset=utf-8,<!doctype html><title>Desk</title><h1>見本</h1>\
        <label>Name <input id=n></label><button onclick=\"document.title=n.value\">Go</button>\
        <script>console.error('a complaint')</script>";

    #[test]
    fn a_page_is_used_as_a_person_does() {
        let browser = Browser::open("ja");
        browser.set_viewport(360, 640);
        browser.go(PAGE);
        assert_eq!(browser.find(By::Css("h1")).text(), "見本");
        browser.find(By::Css("input")).type_text("Osaka");
        browser.find(By::XPath("//button[.='Go']")).click();
        assert_eq!(browser.title(), "Osaka");
        assert_eq!(browser.run_script("return navigator.language"), "ja");
        assert_eq!(browser.run_script("return window.innerWidth"), 360);
        assert!(browser.screenshot_whole().starts_with(b"\x89PNG"));
        assert!(browser.complaints().iter().any(|line| line.contains("a complaint")));
        assert!(browser.find(By::Css("button")).is_displayed());
        assert_eq!(browser.find(By::Css("input")).attribute("id").as_deref(), Some("n"));
    }
}

//! TLS of the console itself, with `openssl` and `curl` on the other side.

mod authority;
mod people;

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tenkoku_testkit::servers::{Installation, get};
use tenkoku_testkit::tools::{Outcome, run};

use self::authority::{CONSOLE, Leaf, TestAuthority};
use crate::cli::{fails, word};

/// How often a change in another process is looked for.
const LOOKS: u32 = 600;

/// Adds lines to a section of the configuration, which may be there without any in force.
fn configure(installation: &Installation, section: &str, lines: &str) {
    let file = installation.path().join("tenkoku.toml");
    let text = fs::read_to_string(&file).expect("the configuration");
    let head = format!("\n[{section}]\n");
    assert!(text.contains(&head), "no section {section}");
    fs::write(file, text.replacen(&head, &format!("{head}{lines}"), 1)).expect("written");
}

/// Takes what [`configure`] added away again.
fn unconfigure(installation: &Installation, section: &str, lines: &str) {
    let file = installation.path().join("tenkoku.toml");
    let text = fs::read_to_string(&file).expect("the configuration");
    let head = format!("\n[{section}]\n");
    let plain = text.replacen(&format!("{head}{lines}"), &head, 1);
    assert_ne!(plain, text);
    fs::write(file, plain).expect("written");
}

fn files(certificate: &Path, key: &Path) -> String {
    format!("certificate_file = {:?}\nkey_file = {:?}\n", word(certificate), word(key))
}

fn console_leaf(name: &str, days: i32) -> Leaf<'_> {
    Leaf { name, extensions: CONSOLE, days }
}

/// An evaluation whose console speaks TLS.
fn installation(authority: &TestAuthority, more: &str) -> Installation {
    let installation = Installation::evaluation();
    let [pem, key] = authority.certify(&console_leaf("console", 30));
    let mut lines = files(&pem, &key);
    lines.write_str(more).expect("a string");
    configure(&installation, "tls", &lines);
    installation
}

fn curl(authority: &TestAuthority, installation: &Installation, words: &[&str]) -> Outcome {
    let (path, more) = words.split_first().expect("a path");
    let address = format!("https://localhost:{}{path}", installation.console_port());
    let mut command = Command::new("curl");
    command.args(["-sS", "-m", "60", "--cacert", word(&authority.path("ca.pem"))]).args(more);
    run(command.arg(address))
}

/// The fingerprint of the certificate that the console shows to a new connection.
fn shown(installation: &Installation) -> String {
    let client = format!(
        "openssl s_client -connect localhost:{} </dev/null 2>/dev/null | openssl x509 -noout \
         -fingerprint -sha256",
        installation.console_port()
    );
    run(Command::new("sh").args(["-c", &client])).success().to_owned()
}

#[test]
fn the_console_speaks_tls_and_browsers_are_told_to_come_by_it() {
    let authority = TestAuthority::new("Console CA");
    let installation = installation(&authority, "");
    let server = installation.serve();
    let page = curl(&authority, &installation, &["/console/sign-in", "-i"]);
    let page = page.success().to_lowercase();
    assert!(page.contains("http/1.1 200"), "{page}");
    assert!(page.contains("strict-transport-security: max-age=31536000"), "{page}");
    let public = get(&format!("{}/", installation.public()));
    assert_eq!(public.status, 200, "the public pages go on in plain HTTP");
    let plain = format!("http://localhost:{}/console/sign-in", installation.console_port());
    let plain = run(Command::new("curl").args(["-sS", "-m", "60", &plain]));
    assert_ne!(plain.code, Some(0), "nothing is said in the clear");
    let old = curl(&authority, &installation, &["/console", "--tls-max", "1.1"]);
    assert_ne!(old.code, Some(0), "TLS 1.1 is not spoken");
    let older = ["/console/sign-in", "--tls-max", "1.2"];
    curl(&authority, &installation, &older).success();
    let metrics = get(&format!("{}/metrics", installation.operations())).text();
    assert!(metrics.contains("\ntenkoku_tls_certificate_seconds 2"), "{metrics}");
    let ready = get(&format!("{}/readyz", installation.operations())).text();
    assert!(ready.contains("\"tls certificate\""), "{ready}");
    assert!(server.log().contains(&format!("https://localhost:{}", installation.console_port())));
}

#[test]
fn where_only_tls_1_3_is_wanted_nothing_older_is_spoken() {
    let authority = TestAuthority::new("Console CA");
    let installation = installation(&authority, "least = \"1.3\"\n");
    let _server = installation.serve();
    curl(&authority, &installation, &["/console/sign-in"]).success();
    let older = curl(&authority, &installation, &["/console/sign-in", "--tls-max", "1.2"]);
    assert_ne!(older.code, Some(0));
}

/// A connection that stays open.
struct Held(Child);

impl Held {
    fn open(authority: &TestAuthority, installation: &Installation) -> Self {
        let to = format!("localhost:{}", installation.console_port());
        let ca = authority.path("ca.pem");
        let words = ["s_client", "-quiet", "-verify_return_error", "-connect", &to];
        let child = Command::new("openssl")
            .args(words)
            .args(["-CAfile", word(&ca)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        Self(child.expect("openssl"))
    }

    /// Asks for the front door, and gives the first line of the answer, which has no body.
    fn ask(&mut self) -> String {
        let input = self.0.stdin.as_mut().expect("its input");
        input.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sent");
        let mut lines = BufReader::new(self.0.stdout.as_mut().expect("its output")).lines();
        let first = lines.next().expect("an answer").expect("a line");
        let end = lines.map_while(Result::ok).find(|line| line.is_empty());
        assert!(end.is_some(), "the answer ends");
        first
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_new_certificate_is_taken_at_a_hangup_and_no_connection_drops() {
    let authority = TestAuthority::new("Console CA");
    let installation = installation(&authority, "");
    let server = installation.serve();
    let mut held = Held::open(&authority, &installation);
    assert!(held.ask().contains("303"));
    let before = shown(&installation);
    let [pem, key] = ["console.pem", "console.key"].map(|file| authority.path(file));

    let [next, next_key] = authority.certify(&console_leaf("next", 30));
    fs::copy(&next, &pem).expect("half of it");
    server.hang_up();
    let told = (0..LOOKS).any(|_| {
        server.log().contains("stays as it was") || {
            let _ = shown(&installation);
            false
        }
    });
    assert!(told, "a certificate without its key is told\n{}", server.log());
    assert_eq!(shown(&installation), before, "and the old pair goes on");

    fs::copy(&next_key, &key).expect("the other half");
    server.hang_up();
    assert!((0..LOOKS).any(|_| shown(&installation) != before), "{}", server.log());
    assert!(held.ask().contains("303"), "the connection of before goes on");
    curl(&authority, &installation, &["/console/sign-in"]).success();
    assert!(!server.log().contains("PRIVATE KEY"));
}

#[test]
fn a_certificate_that_ends_soon_is_told_and_one_that_ended_is_wrong() {
    let authority = TestAuthority::new("Console CA");
    let installation = installation(&authority, "");
    let [pem, key] = ["console.pem", "console.key"].map(|file| authority.path(file));
    for (days, mark, code) in [(30, "✔ tls", 0), (9, "! tls", 0), (-1, "✘ tls", 1)] {
        let [next, next_key] = authority.certify(&console_leaf("next", days));
        fs::copy(next, &pem).expect("the certificate");
        fs::copy(next_key, &key).expect("its key");
        let doctor = installation.tenkoku(["doctor"]);
        assert!(doctor.exited(code).contains(mark), "{}", doctor.said());
    }
    let server = installation.serve();
    let ready = get(&format!("{}/readyz", installation.operations()));
    assert_eq!(ready.status, 503, "{}", ready.text());
    let public = get(&format!("{}/", installation.public()));
    assert_eq!(public.status, 200, "status and pages go on: {}", server.log());
}

#[test]
fn files_that_do_not_fit_are_told_in_three_parts_and_nothing_starts() {
    let authority = TestAuthority::new("Console CA");
    let installation = Installation::evaluation();
    let [pem, key] = authority.certify(&console_leaf("console", 30));
    let [_, other_key] = authority.certify(&console_leaf("other", 30));
    let elsewhere =
        Leaf { name: "elsewhere", extensions: "subjectAltName=DNS:elsewhere.example\n", days: 30 };
    let [elsewhere, elsewhere_key] = authority.certify(&elsewhere);
    let open = authority.path("open.key");
    fs::copy(&key, &open).expect("a copy");
    fs::set_permissions(&open, Permissions::from_mode(0o644)).expect("its mode");
    let missing = authority.path("missing.pem");
    let ca = authority.path("ca.pem");
    let fine = files(&pem, &key);
    let asks = format!("client_ca_files = [{:?}]\n", word(&ca));
    let cases = [
        (files(&pem, &other_key), "tls-unfit"),
        (files(&key, &key), "tls-unfit"),
        (files(&pem, &pem), "tls-unfit"),
        (files(&elsewhere, &elsewhere_key), "tls-unfit"),
        (files(&pem, &open), "key-store-exposed"),
        (files(&pem, &missing), "input-missing"),
        (format!("{fine}client_ca_files = [{:?}]\n", word(&key)), "tls-unfit"),
        (format!("{fine}{asks}client_crl_files = [{:?}]\n", word(&ca)), "tls-unfit"),
        (format!("{fine}least = \"1.1\"\n"), "config-malformed"),
        (format!("certificate_file = {:?}\n", word(&pem)), "config-malformed"),
        (asks.clone(), "config-malformed"),
    ];
    for (lines, code) in &cases {
        configure(&installation, "tls", lines);
        for words in [&["config", "check"][..], &["serve"]] {
            fails(&installation, words, 1, code);
        }
        unconfigure(&installation, "tls", lines);
    }
    for (console, tls) in [
        ("address = \"http://localhost:8081\"\n", fine.clone()),
        ("behind_proxy = true\n", format!("{fine}{asks}")),
    ] {
        configure(&installation, "console", console);
        configure(&installation, "tls", &tls);
        fails(&installation, &["serve"], 1, "config-malformed");
        unconfigure(&installation, "console", console);
        unconfigure(&installation, "tls", &tls);
    }
    configure(&installation, "tls", &fine);
    assert!(installation.tenkoku(["config", "check"]).success().contains("https://localhost"));
}

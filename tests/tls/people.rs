//! People sign in with certificates, over real TLS, on both databases.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;
use tenkoku_testkit::postgres::Database;
use tenkoku_testkit::servers::Installation;
use tenkoku_testkit::tools::{Outcome, run};

use super::authority::{CONSOLE, Leaf, PERSON, TestAuthority};
use super::{configure, files};
use crate::cli::word;

/// The password of everybody here.
const PASSWORD: &str = "a quiet morning by the river";

/// A browser: what it shows, and what it remembers.
struct Browser<'a> {
    installation: &'a Installation,
    ca: PathBuf,
    certificate: Option<[PathBuf; 2]>,
    memory: TempDir,
}

impl<'a> Browser<'a> {
    fn with(
        installation: &'a Installation,
        console: &TestAuthority,
        certificate: Option<&[PathBuf; 2]>,
    ) -> Self {
        let certificate = certificate.cloned();
        let memory = TempDir::new().expect("a folder");
        Self { installation, ca: console.path("ca.pem"), certificate, memory }
    }

    /// Asks for a page and gives its head and its body.
    fn ask(&self, path: &str, form: &[(&str, &str)], more: &[&str]) -> Outcome {
        let mut command = Command::new("curl");
        let jar = self.memory.path().join("cookies");
        command.args(["-sS", "-i", "-m", "60", "-H", "Accept: text/html", "-H"]);
        command.args(["Accept-Language: en", "--cacert", word(&self.ca)]);
        command.args(["-b", word(&jar), "-c", word(&jar)]);
        if let Some([certificate, key]) = &self.certificate {
            command.args(["--cert", word(certificate), "--key", word(key)]);
        }
        for (name, value) in form {
            command.args(["--data-urlencode", &format!("{name}={value}")]);
        }
        let address = format!("https://localhost:{}{path}", self.installation.console_port());
        let outcome = run(command.args(more).arg(address));
        outcome.success();
        outcome
    }

    #[track_caller]
    fn see(&self, path: &str, expected: &str) -> String {
        let page = self.ask(path, &[], &[]).stdout;
        assert!(page.contains(expected), "no {expected:?} in {page}");
        page
    }

    /// Tries to sign in with the certificate in place of a code; gives the answer.
    fn sign_in(&self, login: &str, more: &[&str]) -> String {
        let form = [("login", login), ("password", PASSWORD), ("code", "")];
        self.ask("/console/sign-in", &form, more).stdout
    }

    #[track_caller]
    fn is_refused(&self, login: &str, why: &str) {
        let answer = self.sign_in(login, &[]);
        assert!(answer.starts_with("HTTP/1.1 422") && answer.contains(why), "{answer}");
    }

    #[track_caller]
    fn is_let_in(&self, login: &str) {
        let answer = self.sign_in(login, &[]);
        assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
        let cookie = answer.lines().find(|line| line.to_lowercase().starts_with("set-cookie"));
        assert!(cookie.expect("a cookie").contains("; Secure"), "{answer}");
        self.see("/console/me", "password and certificate");
    }
}

/// What stands between two texts.
fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before:?} in {text}"));
    rest.split_once(after).expect("its end").0
}

fn on_each_database(story: impl Fn(Installation)) {
    story(Installation::evaluation());
    let database = Database::create();
    story(Installation::empty_on(&database.url()).set_up());
}

#[test]
fn people_sign_in_with_a_certificate_of_an_authority_that_is_named_and_with_no_other() {
    on_each_database(|installation| {
        let (console, people, others) = (
            TestAuthority::new("Console CA"),
            TestAuthority::new("People CA"),
            TestAuthority::new("Other CA"),
        );
        let leaf = |name, days| Leaf { name, extensions: PERSON, days };
        let kaede = people.certify(&leaf("kaede", 20));
        let gone = people.certify(&leaf("gone", 20));
        let old = people.certify(&leaf("old", -1));
        let nobody = people.certify(&leaf("nobody", 20));
        let server = Leaf { name: "server", extensions: "extendedKeyUsage=serverAuth\n", days: 20 };
        let server = people.certify(&server);
        let stranger = others.certify(&leaf("kaede", 20));
        let [pem, key] = console.certify(&Leaf { name: "console", extensions: CONSOLE, days: 30 });
        let first_list = people.list();
        let asks = format!(
            "{}client_ca_files = [{:?}]\nclient_crl_files = [{:?}]\n",
            files(&pem, &key),
            word(&people.path("ca.pem")),
            word(&first_list),
        );
        configure(&installation, "tls", &asks);
        let serving = installation.serve();
        let browser = |certificate| Browser::with(&installation, &console, certificate);
        let base = format!("https://localhost:{}", installation.console_port());
        let invite = |login: &str| {
            let words = ["user", "invite", login, "--name", login, "--language", "en"];
            let link = installation.json(words)["link"].as_str().expect("a link").to_owned();
            link.strip_prefix(&base).expect("a link to the console").to_owned()
        };

        // By the one-time link.
        let with_kaede = browser(Some(&kaede));
        let path = invite("kaede");
        let page = with_kaede.see(&path, "CN=kaede of People CA");
        let sealed = between(&page, "name=\"sealed\" value=\"", "\"").to_owned();
        let form = [("password", PASSWORD), ("code", ""), ("sealed", sealed.as_str())];
        let enrolled = with_kaede.ask(&path, &form, &[]).stdout;
        assert!(enrolled.starts_with("HTTP/1.1 303"), "{enrolled}");
        with_kaede.see("/console/me", "CN=kaede of People CA");
        browser(Some(&kaede)).is_let_in("kaede");

        // Nobody else, and no header stands in.
        browser(None).is_refused("kaede", "do not fit together");
        browser(Some(&nobody)).is_refused("kaede", "do not fit together");
        browser(Some(&old)).is_refused("kaede", "it has expired");
        browser(Some(&server)).is_refused("kaede", "not made for signing in");
        browser(Some(&stranger)).is_refused("kaede", "its authority is not known here");
        let pem_line =
            std::fs::read_to_string(&kaede[0]).expect("the certificate").replace('\n', " ");
        let names =
            ["X-SSL-Client-Cert", "X-Client-Cert", "X-Forwarded-Client-Cert", "Client-Cert"];
        let headers: Vec<String> = names
            .iter()
            .map(|name| format!("{name}: {pem_line}"))
            .chain(["X-SSL-Client-Verify: SUCCESS".to_owned()])
            .collect();
        let forged: Vec<&str> = headers.iter().flat_map(|header| ["-H", header]).collect();
        let answer = browser(None).sign_in("kaede", &forged);
        assert!(answer.starts_with("HTTP/1.1 422"), "{answer}");

        // By the holder, who is signed in: one more, and away with it again.
        let with_gone = browser(Some(&gone));
        let jar = "cookies";
        std::fs::copy(with_kaede.memory.path().join(jar), with_gone.memory.path().join(jar))
            .expect("the same session");
        let page = with_gone.see("/console/me", "CN=gone of People CA");
        let csrf = between(&page, "name=\"csrf\" value=\"", "\"").to_owned();
        let added = with_gone.ask("/console/me/certificates", &[("csrf", csrf.as_str())], &[]);
        assert!(added.stdout.starts_with("HTTP/1.1 303"), "{}", added.stdout);
        browser(Some(&gone)).is_let_in("kaede");
        let held = installation.json(["user", "certificate", "kaede"]);
        assert_eq!(held["certificates"].as_array().map(Vec::len), Some(2));

        // Revoked: the list is read again.
        people.revoke("gone");
        people.list();
        serving.hang_up();
        let refused = (0..super::LOOKS)
            .map(|_| browser(Some(&gone)).sign_in("kaede", &[]))
            .find(|answer| answer.starts_with("HTTP/1.1 422"))
            .expect("the list is read");
        assert!(refused.contains("revoked or on hold"), "{refused}");
        browser(Some(&kaede)).is_let_in("kaede");

        // By the operator, at the machine; the last way in stays.
        let fingerprint = held["certificates"][1]["fingerprint"].as_str().expect("a digest");
        installation.tenkoku(["user", "certificate", "kaede", "--end", fingerprint]).success();
        let last = held["certificates"][0]["fingerprint"].as_str().expect("a digest");
        let kept = installation.tenkoku(["user", "certificate", "kaede", "--end", last]);
        assert_eq!(kept.code, Some(1), "{}", kept.said());
        invite("ryo");
        let add = |file: &PathBuf| {
            installation.tenkoku(["user", "certificate", "ryo", "--add", word(file)]).code
        };
        assert_eq!(add(&stranger[0]), Some(1));
        assert_eq!(add(&kaede[0]), Some(1), "it is of another account");
        assert_eq!(add(&nobody[0]), Some(0));
        installation.tenkoku(["audit", "verify"]).success();
    });
}

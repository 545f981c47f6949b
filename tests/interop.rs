//! Strangers judge the whole installation: everything that it serves is fetched and handed to
//! linters, to Java, and to the checker of trusted lists.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tenkoku_testkit::servers::{Installation, get};
use tenkoku_testkit::tools::{check_trust_list, lint_pki, openssl, run};

use crate::cli::{P256, issue, make_request, populate, word};

/// A served installation with a certificate of every level, one of them revoked, and all that it
/// serves in files.
struct Served {
    installation: Installation,
    certificates: Vec<PathBuf>,
}

const LEVELS: [&str; 3] = ["1", "2", "3"];

/// The base of the addresses in certificates and lists: linters want a name that can be public. The
/// server listens on the loopback all the same.
const ADDRESS: &str = "http://pki.example.jp";

impl Served {
    fn new() -> Self {
        let installation = Installation::empty();
        let words = ["init", "--evaluation", "--public-address", ADDRESS];
        installation.tenkoku(words).success();
        let installation = populate(installation);
        let certificates: Vec<_> = LEVELS
            .iter()
            .zip(["BR-0001", "BR-0002", "BR-0003"])
            .map(|(level, branch)| {
                let request = make_request(installation.path(), branch, &P256);
                issue(&installation, branch, level, &request)
            })
            .collect();
        let reason = ["--reason", "key-exposed", "--yes"];
        let words = ["revoke", word(&certificates[0])].into_iter().chain(reason);
        installation.tenkoku(words).success();
        let all = Self { installation, certificates };
        let server = all.installation.serve();
        all.fetch();
        server.terminate();
        all
    }

    fn file(&self, name: &str) -> PathBuf {
        self.installation.path().join("served").join(name)
    }

    fn keep(&self, path: &str, name: &str) {
        let reply = get(&format!("{}/{path}", self.installation.public()));
        assert_eq!(reply.status, 200, "{path}");
        fs::write(self.file(name), reply.body).expect("a file");
    }

    fn fetch(&self) {
        fs::create_dir(self.installation.path().join("served")).expect("a folder");
        for code in ["root-g1", "seal-l1-g1", "seal-l2-g1", "seal-l3-g1"] {
            self.keep(&format!("ca/{code}.cer"), &format!("{code}.cer"));
            self.keep(&format!("crl/{code}.crl"), &format!("{code}.crl"));
        }
        for kind in ["xml", "sha2"] {
            self.keep(&format!("tl/jp-2021.{kind}"), &format!("list.{kind}"));
        }
        for (level, certificate) in LEVELS.iter().zip(&self.certificates) {
            self.ask(level, certificate);
        }
    }

    /// Keeps the OCSP answer about a certificate.
    fn ask(&self, level: &str, certificate: &Path) {
        let issuer = self.installation.path().join(format!("certificates/seal-l{level}-g1.pem"));
        let address = format!("{}/ocsp/seal-l{level}-g1", self.installation.public());
        let answer = self.file(&format!("answer-{level}.der"));
        let about = ["-issuer", word(&issuer), "-cert", word(certificate), "-url", &address];
        let words = ["ocsp"].into_iter().chain(about);
        openssl(words.chain(["-noverify", "-respout", word(&answer)])).success();
    }

    fn lint(&self, issuer: &str, files: &[PathBuf]) {
        let Some(mut judge) = lint_pki() else { return };
        let outcome = run(judge.arg("--issuer").arg(self.file(issuer)).args(files));
        let verdict = outcome.success().lines().last().unwrap_or_default();
        assert!(verdict.contains(" 0 FATAL, 0 ERROR, 0 WARNING"), "{}", outcome.stdout);
    }
}

#[test]
fn strangers_find_nothing_wrong_in_what_is_served() {
    let served = Served::new();
    let authorities = ["root-g1.cer", "seal-l1-g1.cer", "seal-l2-g1.cer", "seal-l3-g1.cer"];
    let mut of_root: Vec<_> = authorities.iter().map(|name| served.file(name)).collect();
    of_root.push(served.file("root-g1.crl"));
    served.lint("root-g1.cer", &of_root);
    for (level, certificate) in LEVELS.iter().zip(&served.certificates) {
        let crl = served.file(&format!("seal-l{level}-g1.crl"));
        let answer = served.file(&format!("answer-{level}.der"));
        served.lint(&format!("seal-l{level}-g1.cer"), &[certificate.clone(), crl, answer]);
    }
    served.java_reads_the_certificates();
    served.check_trust_list_is_content();
}

impl Served {
    /// Java's own reader, where Java is there.
    fn java_reads_the_certificates(&self) {
        let there = Command::new("sh").args(["-c", "command -v keytool"]).output();
        if !there.is_ok_and(|found| found.status.success()) {
            return;
        }
        for (level, certificate) in LEVELS.iter().zip(&self.certificates) {
            let file = ["-printcert", "-file", word(certificate)];
            let outcome = run(Command::new("keytool").args(file));
            assert!(
                outcome.success().contains("株式会社見本銀行"),
                "level {level}\n{}",
                outcome.stdout
            );
        }
    }

    fn check_trust_list_is_content(&self) {
        let Some(mut judge) = check_trust_list() else { return };
        let url = format!("{ADDRESS}/tl/jp-2021.xml");
        run(judge
            .args(["--strict", "--quiet", "--url", &url, "--sha2"])
            .arg(self.file("list.sha2"))
            .arg(self.file("list.xml")))
        .success();
    }
}

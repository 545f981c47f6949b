//! Path validation from outside: the shared suite runs the built program, and openssl agrees with
//! it where both are asked.
//!
//! All of PKITS and the hostile bags are tests of `pki::path` itself.

use std::process::Command;

use tenkoku_testkit::servers::program;
use tenkoku_testkit::tools::{Outcome, openssl, run, shared};

use crate::cli::word;

#[test]
fn every_case_of_the_shared_suite_comes_out_as_expected() {
    let Some(shared) = shared() else { return };
    let folder = shared.join("path-validation");
    let suite = folder.join("pkits");
    let words = [word(&suite), "--", word(&program()), "path", "check"].map(str::to_owned);
    run(Command::new("python3").arg(folder.join("run.py")).args(words)).success();
}

/// A key, a certificate of it and, by the extensions, of whom.
fn make(folder: &std::path::Path, name: &str, issuer: Option<&str>, extensions: &[&str]) {
    let file =
        |name: &str, ending: &str| folder.join(format!("{name}.{ending}")).display().to_string();
    let (key, certificate) = (file(name, "key"), file(name, "pem"));
    let subject = format!("/CN={name}");
    let mut words = vec!["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    words.extend([
        "-nodes",
        "-days",
        "9",
        "-subj",
        &subject,
        "-keyout",
        &key,
        "-out",
        &certificate,
    ]);
    words.extend(["-addext", "subjectKeyIdentifier=hash"]);
    for extension in extensions {
        words.extend(["-addext", extension]);
    }
    let signer = issuer.map(|issuer| (file(issuer, "pem"), file(issuer, "key")));
    if let Some((certificate, key)) = &signer {
        words.extend(["-CA", certificate, "-CAkey", key]);
    }
    openssl(words).success();
}

fn tenkoku(folder: &std::path::Path, words: &[&str]) -> Outcome {
    run(Command::new(program())
        .current_dir(folder)
        .args(["--lang", "en", "path", "check"])
        .args(words))
}

const CA: &str = "basicConstraints=critical,CA:TRUE";
const USER: &str = "basicConstraints=critical,CA:FALSE";

#[test]
fn openssl_and_we_agree_on_what_openssl_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path();
    make(place, "Root", None, &[CA]);
    make(
        place,
        "Issuing",
        Some("Root"),
        &[CA, "nameConstraints=critical,permitted;DNS:example.jp"],
    );
    make(place, "Good", Some("Issuing"), &[USER, "subjectAltName=DNS:www.example.jp"]);
    make(place, "Outside", Some("Issuing"), &[USER, "subjectAltName=DNS:www.example.com"]);
    make(place, "Below", Some("Good"), &[USER]);
    let file = |name: &str| place.join(format!("{name}.pem")).display().to_string();
    for (leaf, expected) in
        [("Good", ""), ("Outside", "path-name-constraints"), ("Below", "path-not-authority")]
    {
        let (root, issuing, good, leaf) = (file("Root"), file("Issuing"), file("Good"), file(leaf));
        let ours = ["--anchor", &root, "--intermediate", &issuing, "--intermediate", &good];
        let ours = [&ours[..], &["--no-revocation", &leaf]].concat();
        let theirs =
            ["verify", "-CAfile", &root, "-untrusted", &issuing, "-untrusted", &good, &leaf];
        let (ours, theirs) = (tenkoku(place, &ours), openssl(theirs));
        if expected.is_empty() {
            ours.success();
            theirs.success();
        } else {
            ours.exited(1);
            theirs.exited(2);
            assert!(ours.said().contains(expected), "{}", ours.said());
        }
    }
}

#[test]
fn the_command_tells_not_valid_from_not_understood() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path();
    make(place, "Root", None, &[CA]);
    make(place, "Leaf", Some("Root"), &[USER]);
    std::fs::write(place.join("odd.pem"), "nothing of the kind").expect("a file");
    let check = |words: &[&str], code: i32| tenkoku(place, words).exited(code).to_owned();
    let anchored = ["--anchor", "Root.pem"];
    let with = |words: &[&'static str]| [&anchored[..], words].concat();
    assert!(check(&with(&["--no-revocation", "Leaf.pem"]), 0).contains("CN=Root → CN=Leaf"));
    check(&with(&["Leaf.pem"]), 1);
    check(&with(&["--no-revocation", "odd.pem"]), 1);
    check(&with(&["--no-revocation", "--intermediate", "odd.pem", "Leaf.pem"]), 0);
    check(&with(&["--no-revocation", "--at", "2001-01-01T00:00:00Z", "Leaf.pem"]), 1);
    check(&with(&["--at", "yesterday", "Leaf.pem"]), 2);
    check(&with(&["--policy", "any", "Leaf.pem"]), 2);
    check(&with(&["absent.pem"]), 2);
    check(&["Leaf.pem"], 2);
}

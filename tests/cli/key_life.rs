//! The commands for the life of a key, as a custodian and an officer type them.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tenkoku_testkit::servers::Installation;
use tenkoku_testkit::tools::openssl;

use super::{BANK, P256, issue, make_request, small_installation, word};

/// An evaluation with one seal; gives the installation, the certificate's file and the key's id.
fn sealed(level: &str) -> (Installation, std::path::PathBuf, String) {
    let installation = small_installation();
    let request = make_request(installation.path(), "seal", &P256);
    let certificate = issue(&installation, "HQ", level, &request);
    let shown = installation.json(["certificate", "show", word(&certificate)]);
    let key = shown["key"].as_str().expect("a key").to_owned();
    (installation, certificate, key)
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_else(|| panic!("{member} in {value}"))
}

/// Runs a command that is refused; gives the code.
fn refused(installation: &Installation, words: &[&str]) -> String {
    let outcome = installation.tenkoku([words, &["--format", "json"]].concat());
    assert_eq!(outcome.code, Some(1), "{}", outcome.said());
    let error: Value = serde_json::from_str(&outcome.stderr).expect("an error as JSON");
    text(&error, "code").to_owned()
}

#[test]
fn a_key_is_shown_checked_rotated_and_never_exported() {
    let (installation, certificate, key) = sealed("2");
    let listed = installation.json(["key", "list", "--branch", "HQ", "--org", BANK]);
    assert_eq!(listed["keys"][0]["id"], key.as_str());
    let shown = installation.json(["key", "show", &key]);
    assert_eq!((&shown["state"], &shown["age_days"]), (&"bound".into(), &0.into()));
    let left = shown["days_left"]["sealing_ends"].as_i64().expect("days");
    assert!((729..=730).contains(&left), "{left} whole days are left");
    installation.tenkoku(["key", "check", &key]).success();
    assert_eq!(refused(&installation, &["key", "export", &key]), "export-forbidden");
    // Too early, unless the present certificate is stopped first.
    let next = installation.path().join("next.key");
    let rotate = ["key", "rotate", &key, "--key", word(&next)];
    assert_eq!(refused(&installation, &rotate), "state-conflict");
    let emergency = [&rotate[..], &["--emergency", "--yes"]].concat();
    let ready = installation.json(emergency);
    assert_eq!(ready["state"], "ready");
    let issued = installation.json(["issue", text(&ready, "id")]);
    assert_eq!(issued["state"], "active");
    assert_eq!(refused(&installation, &["key", "check", &key]), "sealing-not-allowed");
    let free = installation.json(["release", word(&certificate), "--comment", "found"]);
    assert_eq!(free["state"], "active");
    installation.tenkoku(["key", "check", &key]).success();
}

#[test]
fn a_dangerous_command_asks_first_and_without_an_answer_does_nothing() {
    let (installation, certificate, key) = sealed("1");
    for words in [
        vec!["key", "retire", &key],
        vec!["key", "lost", &key, "--comment", "stolen"],
        vec!["suspend", word(&certificate), "--reason", "unclear-facts"],
    ] {
        let outcome = installation.tenkoku(words);
        assert_eq!(outcome.code, Some(2), "{}", outcome.said());
    }
    let shown = installation.json(["key", "show", &key]);
    assert_eq!(
        (&shown["state"], &shown["certificate"]["state"]),
        (&"bound".into(), &"active".into(),)
    );
}

/// Writes an evidence file of class D4 beside the installation, and signs it with a fresh key.
fn evidence(installation: &Installation, key: &str) -> std::path::PathBuf {
    let folder = installation.path();
    let file = folder.join("evidence.toml");
    let at = installation.json(["key", "show", key]);
    let document = format!(
        "key = \"{key}\"\nclass = \"D4\"\n\n[[copies]]\ncopy = \"primary\"\n\
         method = \"zeroise\"\nat = \"{}\"\n\n[[signatures]]\nname = \"見本 太郎\"\n\
         role = \"custodian\"\nkey = \"taro.pub\"\nsignature = \"taro.sig\"\n",
        text(&at["dates"], "activated")
    );
    fs::write(&file, document).expect("a file");
    let [private, public, statement, signature] =
        ["taro.key", "taro.pub", "statement.json", "taro.sig"].map(|name| folder.join(name));
    openssl(["genpkey", "-quiet", "-out", word(&private)].iter().chain(&P256)).success();
    openssl(["pkey", "-in", word(&private), "-pubout", "-out", word(&public)]).success();
    installation
        .tenkoku(["key", "evidence", "text", word(&file), "--out", word(&statement)])
        .success();
    let sign = ["dgst", "-sha256", "-sign", word(&private), "-out", word(&signature)];
    openssl(sign.into_iter().chain([word(&statement)])).success();
    file
}

#[test]
fn evidence_signed_with_openssl_is_handed_in_and_decided_by_somebody_else() {
    let (installation, _, key) = sealed("2");
    installation.tenkoku(["key", "retire", &key, "--yes"]).success();
    let open = installation.json(["key", "list", "--awaiting-proof"]);
    assert_eq!(open["keys"][0]["key"], key.as_str());
    let file = evidence(&installation, &key);
    let packed = installation.path().join("evidence.json");
    installation
        .tenkoku(["key", "evidence", "pack", word(&file), "--out", word(&packed)])
        .success();
    let handed = installation.json(["key", "evidence", "hand-in", word(&packed)]);
    assert_eq!((&handed["state"], &handed["class"]), (&"handed".into(), &"D4".into()));
    let id = text(&handed, "id");
    // The shell handed it in, so the shell does not decide (DE-4).
    let decide = ["key", "evidence", "decide", id, "--decision", "accept", "--reason", "all there"];
    let outcome = installation.tenkoku(decide);
    assert_eq!(outcome.code, Some(5), "{}", outcome.said());
    assert_eq!(installation.json(["key", "evidence", "show", id])["state"], "handed");
    let nothing = installation.tenkoku(["key", "proof", &key]);
    assert_eq!(nothing.code, Some(4), "{}", nothing.said());
    check_broken(&installation, &file);
}

/// A signature over another text, and a file that says something unknown, are told in words.
fn check_broken(installation: &Installation, file: &Path) {
    let document = fs::read_to_string(file).expect("the file");
    fs::write(file, document.replace("zeroise", "delete")).expect("a file");
    let hand_in = ["key", "evidence", "hand-in", word(file)];
    assert_eq!(refused(installation, &hand_in), "evidence-insufficient");
    fs::write(file, format!("colour = 1\n{document}")).expect("a file");
    assert_eq!(refused(installation, &hand_in), "evidence-malformed");
}

#[test]
fn a_key_in_the_platform_s_store_is_destroyed_by_one_command() {
    let installation = small_installation();
    let words = ["issue", "--org", BANK, "--branch", "HQ", "--level", "1", "--hsm"];
    let issued = installation.json(words);
    let key = text(&issued, "key");
    let destroy = ["key", "destroy", key, "--witness", "Takahashi Hana", "--yes"];
    assert_eq!(refused(&installation, &destroy), "state-conflict");
    installation.tenkoku(["key", "retire", key, "--yes"]).success();
    let handed = installation.json(destroy);
    assert_eq!((&handed["class"], &handed["state"]), (&"D1".into(), &"handed".into()));
    assert_eq!(refused(&installation, &destroy), "evidence-insufficient");
}

#[test]
fn ten_instances_are_ordered_and_issued_with_two_commands() {
    let installation = small_installation();
    let keys = installation.path().join("keys-of-servers");
    let add = ["instance", "add", "--org", BANK, "--branch", "HQ", "--level", "2"];
    let more = ["--count", "3", "--keys", word(&keys)];
    let ordered = installation.json(add.into_iter().chain(more));
    let applications = ordered["applications"].as_array().expect("applications");
    assert!(applications.iter().all(|one| one["state"] == "ready"));
    assert_eq!(fs::read_dir(&keys).expect("a folder").count(), 3);
    let issued = installation.json(["issue", "--all-ready"]);
    assert_eq!(issued["certificates"].as_array().map(Vec::len), Some(3));
    let many = add.into_iter().chain(["--count", "18"]).collect::<Vec<_>>();
    assert_eq!(refused(&installation, &many), "instances-exceeded");
}

#[test]
fn runs_of_the_nightly_checks_are_listed_and_a_missing_one_is_told() {
    let installation = Installation::evaluation();
    let listed = installation.json(["job", "list"]);
    assert_eq!((&listed["ok"], &listed["runs"]), (&true.into(), &Value::Array(Vec::new())));
    let server = installation.serve();
    let mut runs = 0;
    for _ in 0..100 {
        let listed = installation.json(["job", "list"]);
        runs = listed["runs"]
            .as_array()
            .map_or(0, |runs| runs.iter().filter(|run| run["outcome"] == "done").count());
        if runs > 0 {
            break;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(200));
    }
    assert_eq!(runs, 1);
    assert_eq!(server.terminate(), Some(0));
    let shown = installation.json(["job", "show"]);
    assert_eq!((&shown["kind"], &shown["outcome"]), (&"nightly".into(), &"done".into()));
    let checks = installation.json(["doctor"]);
    let named = checks["checks"].as_array().expect("checks").iter();
    assert!(named.into_iter().any(|check| check["name"] == "nightly run" && check["ok"] == true));
}

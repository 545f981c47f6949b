//! Bad input at the command line: a clear error in three parts, the exit code of its kind, and an
//! installation that is as it was.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tenkoku_testkit::servers::Installation;
use tenkoku_testkit::tools::{self, run};

use super::{
    BANK, P256, apply, fails, is_english, issue, kept_request, make_request, records,
    small_installation, unchanged, word,
};

/// How often `fails` runs a command.
const RUNS: u64 = 3;

/// A command that is refused by a rule: exit code 1 and one record a run.
fn refused(installation: &Installation, words: &[&str], code: &str) {
    unchanged(installation, RUNS, || fails(installation, words, 1, code));
}

/// A command that finds nothing to refuse by a rule: nothing is recorded.
fn silent(installation: &Installation, words: &[&str], exit: i32, code: &str) {
    unchanged(installation, 0, || fails(installation, words, exit, code));
}

fn application(branch: &'static str, csr: &Path) -> Vec<String> {
    let words = ["apply", "--org", BANK, "--branch", branch, "--level", "1", "--csr", word(csr)];
    words.map(str::to_owned).to_vec()
}

fn refused_request(installation: &Installation, csr: &Path, code: &str) {
    let words = application("BR-0001", csr);
    refused(installation, &words.iter().map(String::as_str).collect::<Vec<_>>(), code);
}

fn file(installation: &Installation, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let file = installation.path().join(name);
    fs::write(&file, text).expect("a file");
    file
}

#[test]
fn requests_that_are_damaged_or_something_else_are_refused() {
    let installation = small_installation();
    let whole = fs::read_to_string(kept_request("p256.pem")).expect("a request");
    let cut = file(&installation, "cut.csr", &whole[..whole.len() / 2]);
    let label = whole.replace("CERTIFICATE REQUEST", "CERTIFICATE");
    let label = file(&installation, "label.csr", label);
    let garbage = file(&installation, "garbage.csr", [0x30, 0x82, 0x01, 0x00, 0xFF, 0x17, 0x03]);
    for csr in [cut, label, garbage] {
        refused_request(&installation, &csr, "possession-not-shown");
    }
    let hostile = tools::data("pki/hostile");
    for name in ["nul-octets.der", "larger-than-64-kib.pem", "private-key-instead.pem"] {
        refused_request(&installation, &hostile.join(name), "possession-not-shown");
    }
}

#[test]
fn every_hostile_file_is_refused_without_harm() {
    let installation = small_installation();
    let folder = fs::read_dir(tools::data("pki/hostile")).expect("the folder");
    let files: Vec<_> = folder.map(|entry| entry.expect("an entry").path()).collect();
    let before = records(&installation);
    for csr in &files {
        let words = application("BR-0001", csr);
        let outcome = installation.tenkoku(words.iter().map(String::as_str));
        assert_eq!(outcome.exited(1), "");
        assert!(outcome.stderr.starts_with("error["), "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
    }
    let refusals = u64::try_from(files.len()).expect("a few files");
    assert_eq!(records(&installation), before + refusals);
}

#[test]
fn weak_keys_and_weak_digests_are_refused() {
    let installation = small_installation();
    let check = |name: &str, code: &str| {
        refused_request(&installation, &kept_request(name), code);
    };
    check("weak-sha1.pem", "hash-not-allowed");
    check("weak-sha1-ec.pem", "hash-not-allowed");
    check("weak-rsa1024.pem", "key-algorithm");
    check("weak-rsa2046.pem", "key-parameters");
    check("ed25519.pem", "key-algorithm");
}

#[test]
fn a_key_serves_one_branch_only() {
    let installation = small_installation();
    let csr = make_request(installation.path(), "key", &P256);
    let first = apply(&installation, "BR-0002", "1", &csr);
    refused_request(&installation, &csr, "key-duplicate");
    installation.tenkoku(["issue", &first]).success();
    refused_request(&installation, &csr, "key-duplicate");
    refused(&installation, &["issue", &first], "state-conflict");
}

#[test]
fn a_revocation_is_final() {
    let installation = small_installation();
    let csr = make_request(installation.path(), "key", &P256);
    let certificate = issue(&installation, "BR-0001", "1", &csr);
    let words = ["revoke", word(&certificate), "--reason", "office-closed", "--yes"];
    installation.tenkoku(words).success();
    refused(&installation, &words, "revocation-final");
}

#[test]
fn bad_rows_are_told_by_line_and_nothing_of_the_file_is_recorded() {
    let installation = small_installation();
    let branches = "code,name,custodian_name,custodian_email\n\
                    ZZ-1,甲支店,山田 花,a@b.example\n\
                    ZZ-1,乙支店,山田 花,a@b.example\n\
                    ZZ-2,,山田 花,a@b.example\n\
                    ZZ-3,丙支店,,\n";
    let branches = file(&installation, "bad.csv", branches);
    let words = ["branch", "import", "--org", BANK, word(&branches)];
    refused(&installation, &words, "csv-row");
    check_rows(&installation, &words, &[(3, "code"), (4, "name"), (5, "custodian_email")]);
    let organisations = "identifier,legal_name,country\n\
                         NTRJP-5000000990004,株式会社甲,JP\n\
                         NTRJP-8000000990002,株式会社乙,JP\n\
                         NTRJP-8000000990001,株式会社丙,JP\n";
    let organisations = file(&installation, "orgs.csv", organisations);
    let words = ["org", "import", word(&organisations)];
    refused(&installation, &words, "csv-row");
    check_rows(&installation, &words, &[(2, "identifier"), (3, "identifier"), (4, "identifier")]);
}

fn check_rows(installation: &Installation, words: &[&str], expected: &[(u64, &str)]) {
    for language in ["en", "ja"] {
        let told = installation.tenkoku(words.iter().copied().chain(["--lang", language])).stderr;
        for (line, column) in expected {
            let row = format!("line {line}, {column}: [");
            let row = told.lines().find(|told| told.contains(&row)).expect(&told);
            assert_eq!(is_english(row), language == "en", "{row}");
        }
    }
    let json = run(installation.command(words.iter().copied()).args(["--format", "json"]));
    let told: Value = serde_json::from_str(&json.stderr).expect("JSON");
    let rows = told["rows"].as_array().expect("rows");
    let rows: Vec<_> =
        rows.iter().map(|row| (row["line"].as_u64(), row["column"].as_str())).collect();
    let expected: Vec<_> =
        expected.iter().map(|(line, column)| (Some(*line), Some(*column))).collect();
    assert_eq!(rows, expected);
}

#[test]
fn a_file_that_is_no_table_is_refused_as_a_whole() {
    let installation = small_installation();
    let files: [(&str, &[u8]); 5] = [
        ("empty.csv", b""),
        ("header.csv", b"code,name,custodian_name,custodian_email\n"),
        ("column.csv", b"code,nme,custodian_name,custodian_email\nZZ-1,a,b,c@d.example\n"),
        ("fields.csv", b"code,name,custodian_name,custodian_email\nZZ-1,a\n"),
        ("octets.csv", b"code,name,custodian_name,custodian_email\nZZ-1,\xFF,b,c@d.example\n"),
    ];
    for (name, text) in files {
        let csv = file(&installation, name, text);
        let words = ["branch", "import", "--org", BANK, word(&csv)];
        silent(&installation, &words, 1, "csv-malformed");
    }
}

#[test]
fn what_is_not_there_and_what_is_not_understood_have_exit_codes_of_their_own() {
    let installation = small_installation();
    let nothing: [&[&str]; 7] = [
        &["certificate", "show", "ABCDEF"],
        &["ca", "show", "nowhere"],
        &["org", "show", "1234567890123"],
        &["branch", "show", "ZZ-9", "--org", BANK],
        &["application", "show", "app_01M82CEH9WXBXE2KPC6NRT6WK0"],
        &["issue", "app_01M82CEH9WXBXE2KPC6NRT6WK0"],
        &["audit", "show", "999999"],
    ];
    for words in nothing {
        silent(&installation, words, 4, "not-found");
    }
    let absent = installation.path().join("absent");
    silent(&installation, &["org", "import", word(&absent)], 1, "input-missing");
    let words = ["revoke", "4F00", "--reason", "bored", "--yes"];
    silent(&installation, &words, 2, "word-unknown");
    silent(&installation, &["application", "list", "--state", "lost"], 2, "word-unknown");
    let usage: [&[&str]; 4] =
        [&["frobnicate"], &["ca", "frobnicate"], &["serve", "--no-such-flag"], &["revoke"]];
    for words in usage {
        let outcome = installation.tenkoku(words.iter().copied());
        assert_eq!(outcome.exited(2), "");
        assert!(outcome.stderr.contains("Usage: tenkoku"), "{}", outcome.stderr);
    }
}

#[test]
fn every_code_that_is_shown_can_be_explained() {
    let installation = Installation::empty();
    for code in ["key-duplicate", "possession-not-shown", "csv-row", "config-unknown-key"] {
        let en = installation.tenkoku(["explain", code, "--lang", "en"]);
        let ja = installation.tenkoku(["explain", code, "--lang", "ja"]);
        assert!(is_english(en.success()) && !is_english(ja.success()));
        let json = installation.json(["explain", code]);
        assert_eq!(json["code"], code);
    }
    fails(&installation, &["explain", "no-such-code"], 4, "not-found");
}

/// A record changed behind the program's back is named by its number, in words.
#[test]
fn a_broken_audit_trail_is_told_by_its_record() {
    let installation = small_installation();
    let database = installation.path().join("tenkoku.db");
    let change = "UPDATE audit_events SET record = replace(record, 'ok', 'no') WHERE seq = 7";
    let mut sqlite3 = std::process::Command::new("sqlite3");
    run(sqlite3.arg(&database).arg(change)).success();
    fails(&installation, &["audit", "verify"], 1, "audit-broken");
    let told = installation.command(["audit", "verify", "--lang", "en"]).output().expect("output");
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.contains("Record 7 of the audit trail does not hold: it was changed."), "{told}");
}

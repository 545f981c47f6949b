//! The program as people and scripts meet it: the real binary in a folder of its own, with
//! `openssl`, `xmllint` and `xmlsec1` as the other side.
//!
//! In here what the stories share: requests as `openssl` makes them, and what must hold after a
//! command that did not do its work.

mod backup;
mod http;
mod key_life;
mod lists;
mod offline;
mod postgres;
mod refusals;
mod secrets;
mod settings;
mod story;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tenkoku_testkit::servers::Installation;
use tenkoku_testkit::tools::{self, Outcome, openssl, run};

/// The corporate number of the sample's bank.
pub(crate) const BANK: &str = "8000000990001";

/// What `openssl genpkey` is told for a key on P-256.
pub(crate) const P256: [&str; 4] = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];

/// A path as a word of a command line.
pub(crate) fn word(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// A new key and a request with it, as `openssl` makes them: `NAME.key` and `NAME.csr`.
pub(crate) fn make_request(folder: &Path, name: &str, key: &[&str]) -> PathBuf {
    let [key_file, request] = ["key", "csr"].map(|kind| folder.join(format!("{name}.{kind}")));
    openssl(["genpkey", "-quiet", "-out", word(&key_file)].iter().chain(key)).success();
    let subject = format!("/CN={name}");
    openssl(["req", "-new", "-key", word(&key_file), "-subj", &subject, "-out", word(&request)])
        .success();
    request
}

/// A request of the files kept for tests.
pub(crate) fn kept_request(name: &str) -> PathBuf {
    tools::data("pki/requests").join(name)
}

/// Applies for a branch of the bank with a request attached, and shows possession of its key with
/// `openssl`; gives the application's id.
pub(crate) fn apply(installation: &Installation, branch: &str, level: &str, csr: &Path) -> String {
    let words = ["apply", "--org", BANK, "--branch", branch, "--level", level, "--csr", word(csr)];
    let application = installation.json(words);
    assert_eq!(application["state"], "key-proof");
    let id = application["id"].as_str().expect("an id").to_owned();
    let [config, proof] = ["cnf", "proof"].map(|kind| csr.with_extension(kind));
    let challenge = ["application", "challenge", &id, "--openssl", word(&config)];
    installation.tenkoku(challenge).success();
    let key = csr.with_extension("key");
    let new = ["req", "-new", "-key", word(&key), "-config", word(&config), "-out", word(&proof)];
    openssl(new).success();
    let shown = installation.json(["application", "prove", &id, "--csr", word(&proof)]);
    assert_eq!((&shown["id"], &shown["state"]), (&id.as_str().into(), &"ready".into()));
    fs::remove_file(config).expect("the configuration");
    fs::remove_file(proof).expect("the proof");
    id
}

/// Applies, shows possession and issues in one step, with the key beside the request; the
/// certificate goes to `out`.
pub(crate) fn issue(installation: &Installation, branch: &str, level: &str, csr: &Path) -> PathBuf {
    let out = csr.with_extension("pem");
    let key = csr.with_extension("key");
    let (key, file) = (word(&key), word(&out));
    let target = ["issue", "--org", BANK, "--branch", branch, "--level", level];
    let words = target.into_iter().chain(["--key", key, "--out", file]);
    installation.tenkoku(words).success();
    out
}

/// An evaluation installation with the sample's organisations and three branches of the bank.
pub(crate) fn small_installation() -> Installation {
    populate(Installation::evaluation())
}

/// Records the sample's organisations and its bank's first three branches.
pub(crate) fn populate(installation: Installation) -> Installation {
    let organisations = tools::data("sample/organisations.csv");
    installation.tenkoku(["org", "import", word(&organisations)]).success();
    let sample = fs::read_to_string(tools::data("sample/branches.csv")).expect("the sample");
    let few = installation.path().join("few.csv");
    fs::write(&few, sample.lines().take(4).collect::<Vec<_>>().join("\n")).expect("a file");
    installation.tenkoku(["branch", "import", word(&few)]).success();
    fs::remove_file(few).expect("the file");
    installation
}

/// What must not change when a command fails: the files, and how many records of each kind there
/// are. Every change of a record is in the audit trail, so its length tells of all others.
#[derive(Debug, PartialEq, Eq)]
struct Picture {
    files: BTreeMap<PathBuf, Vec<u8>>,
    counts: Vec<usize>,
}

fn picture(installation: &Installation) -> (Picture, u64) {
    let list = |words: &[&str], member: &str| {
        let value = installation.json(words.iter().copied());
        value[member].as_array().expect("a list").clone()
    };
    let organisations = list(&["org", "list"], "organisations");
    let mut counts = vec![
        organisations.len(),
        list(&["application", "list"], "applications").len(),
        list(&["certificate", "list", "--limit", "1000"], "certificates").len(),
    ];
    let branches =
        organisations.iter().filter_map(|organisation| organisation["branches"].as_u64());
    counts.extend(branches.map(|count| usize::try_from(count).expect("a small number")));
    (Picture { files: files(installation.path()), counts }, records(installation))
}

/// How many records the audit trail has; it must be intact.
pub(crate) fn records(installation: &Installation) -> u64 {
    let verified = installation.json(["audit", "verify"]);
    assert_eq!(verified["intact"], true);
    verified["records"].as_u64().expect("a number")
}

/// Every file below a folder with what is in it, without the database and the server's log.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() {
            found.append(&mut files(&path));
        } else if !name.to_string_lossy().contains(".db") && name != "serve.log" {
            found.insert(path.clone(), fs::read(&path).expect("a readable file"));
        }
    }
    found
}

/// Does something that must leave the installation as it was, but for so many new records in the
/// audit trail, all of them refusals.
fn unchanged(installation: &Installation, refusals: u64, act: impl FnOnce()) {
    let (before, length) = picture(installation);
    act();
    let (after, new_length) = picture(installation);
    assert_eq!(before, after);
    assert_eq!(new_length, length + refusals, "records in the audit trail");
    let newest = refusals.to_string();
    let listed = match refusals {
        0 => return,
        _ => installation.json(["audit", "list", "--limit", &newest]),
    };
    for record in listed["records"].as_array().expect("records") {
        assert_eq!(record["outcome"], "refused", "{record}");
    }
}

/// Runs a command that must fail with this exit code and error code, for people in both languages
/// and for machines.
pub(crate) fn fails(installation: &Installation, words: &[&str], exit: i32, code: &str) {
    let said = |more: &[&str]| {
        let outcome = run(installation.command(words.iter().copied()).args(more));
        assert_eq!(outcome.exited(exit), "", "nothing on standard output");
        outcome
    };
    three_parts(&said(&["--lang", "en"]), code, is_english);
    three_parts(&said(&["--lang", "ja"]), code, |text| !is_english(text));
    let json = said(&["--format", "json", "--lang", "en", "--quiet"]);
    let told: Value = serde_json::from_str(&json.stderr).expect(&json.stderr);
    assert_eq!((&told["schema"], &told["code"]), (&"tenkoku.error/1".into(), &code.into()));
    for member in ["title", "detail", "why", "help", "reference"] {
        let text = told[member].as_str().unwrap_or_default();
        assert!(!text.is_empty() && !text.contains('{'), "{member}: {}", json.stderr);
    }
}

/// Whether a text has no kana; names in it may be Japanese.
fn is_english(text: &str) -> bool {
    !text.chars().any(|c| ('\u{3040}'..'\u{30ff}').contains(&c))
}

/// What happened, why, what to do, the code and a reference number (UX 11).
fn three_parts(outcome: &Outcome, code: &str, is_in_language: impl Fn(&str) -> bool) {
    let text = &outcome.stderr;
    let after = |start: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(start));
        line.unwrap_or_else(|| panic!("no line {start:?} in\n{text}")).trim().to_owned()
    };
    let what = after(&format!("error[{code}]:"));
    assert!(!what.is_empty() && !what.contains('{'), "{text}");
    for part in [after("   = why:"), after("   = help:")] {
        assert!(!part.is_empty() && is_in_language(&part), "{text}");
    }
    let more = after("   = more:");
    assert!(more.starts_with(&format!("tenkoku explain {code} ")), "{text}");
    let reference = more.rsplit(' ').next().unwrap_or_default();
    assert!(reference.len() >= 4 && reference.chars().all(|c| c.is_ascii_alphanumeric()));
}

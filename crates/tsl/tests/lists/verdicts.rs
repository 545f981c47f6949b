//! Our verdict beside those of libxmlsec1, signxml and pyHanko, on every good and damaged list.
//!
//! Where we accept, all of them must; where one of them accepts what we refuse, the table says why.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tenkoku_tsl::verify::verify;

use crate::sample::{data, shared, skip};

/// Lists that we refuse although another implementation verifies their signature, and why we are
/// right to.
const EXPLAINED: &[(&str, &str)] = &[
    ("certificate-swapped", "libxmlsec1 knows no XAdES: the signed properties name another signer"),
    ("certificate-twice", "5.7.1 wants the signer's certificate alone in KeyInfo"),
    ("comment-in-certificate", "comments are not signed, and readers differ at them"),
    ("comment-in-value", "comments are not signed, and readers differ at them"),
    ("doctype", "libxmlsec1 reads document types; a list has none (6.1)"),
    ("doctype-external", "libxmlsec1 reads document types; a list has none (6.1)"),
    ("encoding-latin-1", "pyHanko drops the declaration; a list is in UTF-8 (B.0)"),
    ("foreign-object", "the signature carries an object that nobody signed"),
    (
        "signature-inside",
        "a second signature hides in the list, and readers differ in which they take",
    ),
    (
        "target-elsewhere",
        "the qualifying properties are about another signature (EN 319 132-1, 4.3.1)",
    ),
    ("utf-16", "a list is in UTF-8 (B.0)"),
    ("wrapped-by-id", "the signed list hides in an extension of a forged one"),
    ("wrapped-honest", "the reference is to an Id, which invites wrapping"),
    ("wrapped-with-signature", "the signed list hides in an extension of a forged one"),
    (
        "FI-v5-with-v6-supply-point-type",
        "the signature holds; the list breaks the schema of version 5",
    ),
    (
        "FI-v6-old-SigningCertificate",
        "version 6 forbids the old SigningCertificate and chains in KeyInfo",
    ),
    ("PE-sn25-v3-legacy", "version 3 is not read, and it is signed over SHA-1"),
    ("gematik-v3-brainpool", "version 3 is not read"),
];

/// The Python that has the judges; `check-trust-list` makes it where the caller says, else with the
/// build.
fn python() -> Option<PathBuf> {
    let tool = shared("tools/check-trust-list")?;
    let cache = std::env::var_os("CHECK_TRUST_LIST_CACHE").map_or_else(
        || Path::new(env!("CARGO_TARGET_TMPDIR")).join("check-trust-list"),
        PathBuf::from,
    );
    let made = Command::new(tool).arg("--help").env("CHECK_TRUST_LIST_CACHE", &cache).output();
    assert!(made.unwrap().status.success());
    let python = cache.join("venv/bin/python");
    if python.exists() {
        return Some(python);
    }
    skip("the judges of signatures");
    None
}

fn lists(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "xml"))
        .collect();
    files.sort();
    files
}

#[test]
fn our_verdict_is_that_of_three_others_or_the_difference_is_explained() {
    let (Some(python), Some(real)) = (python(), shared("trust-list/lists")) else { return };
    let mut files = lists(&data().join("hostile"));
    files.push(data().join("example.xml"));
    for group in ["eu-lotl", "national", "third-country", "negative"] {
        files.extend(lists(&real.join(group)));
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/verdicts.py");
    let output = Command::new(python).arg(script).args(&files).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let verdicts: Vec<Value> =
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(verdicts.len(), files.len(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut unexplained = Vec::new();
    let mut explained: BTreeMap<&str, &str> = EXPLAINED.iter().copied().collect();
    let mut accepted = 0;
    for (file, theirs) in files.iter().zip(&verdicts) {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let judges = ["libxmlsec1", "signxml", "pyhanko"];
        let theirs: Vec<bool> = judges.iter().map(|judge| theirs[judge].is_null()).collect();
        let ours = verify(&fs::read(file).unwrap());
        accepted += usize::from(ours.is_ok());
        let differs = theirs.iter().any(|theirs| *theirs != ours.is_ok());
        let known = explained.remove(name).is_some();
        if differs != known || (differs && ours.is_ok()) {
            unexplained.push(format!("{name}: ours {:?}, theirs {theirs:?}", ours.err()));
        }
    }
    assert!(unexplained.is_empty(), "{unexplained:#?}");
    assert!(explained.is_empty(), "explained but not among the files: {explained:?}");
    // The hostile base, the example, and every real list of version 5 and 6.
    assert_eq!(accepted, 19);
}

//! Tests of the catalogues: both languages say the same things, in three parts, in plain words.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tenkoku_domain::refusal::{Refusal, RefusalCode};

use super::explain::{Explanation, PROBLEM_CODES, explain, refusal};
use super::*;

const LANGUAGES: [Language; 2] = [Language::Ja, Language::En];

/// Tables whose keys are chosen by codes and facts at run time.
const BY_CODE: [&str; 3] = ["fact.", "problem.", "refusal."];

#[test]
fn both_catalogues_are_read_and_have_the_same_keys() {
    assert!(include_str!("../../../../web/text/ja.toml").parse::<toml::Table>().is_ok());
    assert!(include_str!("../../../../web/text/en.toml").parse::<toml::Table>().is_ok());
    let keys = |catalogue: &Catalogue| catalogue.keys().cloned().collect::<BTreeSet<_>>();
    let (ja, en) = (keys(&JA), keys(&EN));
    assert_eq!(ja.difference(&en).collect::<Vec<_>>(), Vec::<&String>::new(), "only in ja");
    assert_eq!(en.difference(&ja).collect::<Vec<_>>(), Vec::<&String>::new(), "only in en");
    assert!(JA.len() > 300);
}

#[test]
fn both_catalogues_have_the_same_placeholders() {
    for (key, text) in JA.iter() {
        let names = |text| placeholders(text).collect::<BTreeSet<_>>();
        assert_eq!(names(text), names(&EN[key]), "{key}");
    }
}

/// Every file below a folder that ends in one of the endings.
fn files(folder: &Path, endings: &[&str], into: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            files(&path, endings, into);
        } else if endings.iter().any(|end| path.to_string_lossy().ends_with(end)) {
            into.push(path);
        }
    }
}

/// The keys that code and templates use: whole ones, and those that are beginnings.
fn used() -> (BTreeSet<String>, BTreeSet<String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut paths = Vec::new();
    files(&root.join("templates"), &[".html", ".txt"], &mut paths);
    files(&root.join("crates/console/src"), &[".rs"], &mut paths);
    files(&root.join("crates/server/src"), &[".rs"], &mut paths);
    let (mut whole, mut beginnings) = (BTreeSet::new(), BTreeSet::new());
    for path in paths.iter().filter(|path| !path.ends_with("text/tests.rs")) {
        let text = std::fs::read_to_string(path).unwrap();
        // A key that is written out, and the beginning of one that is put together.
        for literal in text.split('"') {
            match literal.split_once('{') {
                None if EN.contains_key(literal) => whole.insert(literal.to_owned()),
                Some((start, _)) if start.contains('.') && start.ends_with('.') => {
                    EN.keys().any(|key| key.starts_with(start))
                        && beginnings.insert(start.to_owned())
                }
                None | Some(_) => false,
            };
        }
        for (call, forms) in [
            ("t", None),
            ("say", None),
            ("count", Some(())),
            ("count_of", Some(())),
            ("word", None),
            ("list", None),
        ] {
            for rest in text.split(&format!(".{call}(\"")).skip(1) {
                let key = rest.split('"').next().unwrap_or_default().to_owned();
                match (call, forms) {
                    ("word" | "list", _) => beginnings.insert(format!("{key}.")),
                    (_, Some(())) => {
                        whole.insert(format!("{key}.one"));
                        whole.insert(format!("{key}.other"))
                    }
                    (_, None) => whole.insert(key),
                };
            }
            // The same with the key on the next line, as rustfmt breaks long calls.
            for rest in text.split(&format!(".{call}(\n")).skip(1) {
                if let Some(rest) = rest.trim_start().strip_prefix('"') {
                    whole.insert(rest.split('"').next().unwrap_or_default().to_owned());
                }
            }
        }
    }
    (whole, beginnings)
}

#[test]
fn every_key_in_use_has_words() {
    let (whole, beginnings) = used();
    let missing: Vec<_> = whole.iter().filter(|key| !EN.contains_key(*key)).collect();
    assert_eq!(missing, Vec::<&String>::new());
    let empty: Vec<_> = beginnings
        .iter()
        .filter(|start| !EN.keys().any(|key| key.starts_with(start.as_str())))
        .collect();
    assert_eq!(empty, Vec::<&String>::new());
}

#[test]
fn every_word_in_the_catalogues_is_in_use() {
    let (whole, beginnings) = used();
    let by_code = |key: &str| BY_CODE.iter().any(|start| key.starts_with(start));
    let by_word = |key: &str| beginnings.iter().any(|start| key.starts_with(start.as_str()));
    let unused: Vec<_> =
        EN.keys().filter(|key| !whole.contains(*key) && !by_code(key) && !by_word(key)).collect();
    assert_eq!(unused, Vec::<&String>::new());
}

#[test]
fn every_code_is_explained_in_three_parts_in_both_languages() {
    let refusals = RefusalCode::ALL.iter().map(|code| code.word());
    for code in refusals.chain(PROBLEM_CODES) {
        for language in LANGUAGES {
            let Explanation { title, what, why, remedy } = explain(language, code).unwrap();
            for part in [title, what, why, remedy] {
                assert!(!part.is_empty() && !part.contains(['{', '}']), "{code}: {part:?}");
            }
        }
    }
    assert_eq!(explain(Language::Ja, "no-such-code"), None);
}

#[test]
fn every_explanation_belongs_to_a_code() {
    let codes: BTreeSet<&str> =
        RefusalCode::ALL.iter().map(|code| code.word()).chain(PROBLEM_CODES).collect();
    for key in EN.keys() {
        let mut parts = key.split('.');
        if matches!(parts.next(), Some("refusal" | "problem")) {
            assert!(parts.next().is_some_and(|code| codes.contains(code)), "{key}");
        }
    }
}

/// Words that the glossary and the rules for errors forbid (UX 10 and 11).
const FORBIDDEN_EN: [&str; 12] = [
    "invalid input",
    "unknown error",
    "failed",
    "went wrong",
    "permission denied",
    "subscriber",
    "end entity",
    "proxy",
    "whitelist",
    "renewal",
    "oops",
    "illegal",
];
const FORBIDDEN_JA: [&str; 6] =
    ["電子署名", "電子印鑑", "書類", "不正な入力", "不明なエラー", "失敗しました"];

#[test]
fn no_text_uses_a_forbidden_word_or_an_exclamation_mark() {
    let check = |catalogue: &Catalogue, forbidden: &[&str]| {
        for (key, text) in catalogue {
            let low = text.to_lowercase();
            for word in forbidden {
                assert!(!low.contains(word), "{key} says {word:?}");
            }
            assert!(!text.contains(['!', '!']), "{key} shouts");
        }
    };
    check(&EN, &FORBIDDEN_EN);
    check(&JA, &FORBIDDEN_JA);
}

#[test]
fn sentences_of_errors_are_short() {
    for (key, text) in JA.iter().filter(|(key, _)| BY_CODE.iter().any(|t| key.starts_with(t))) {
        for sentence in text.split_inclusive('。') {
            assert!(sentence.chars().count() <= 60, "{key}: {sentence}");
        }
        for sentence in EN[key].split(". ") {
            assert!(sentence.split_whitespace().count() <= 20, "{key}: {sentence}");
        }
    }
}

fn check(language: Language, refused: &Refusal, expected: &str) {
    assert_eq!(refusal(language, refused).what, expected);
}

#[test]
fn a_refusal_names_the_branch_only_when_the_reader_may_know_it() {
    let ours = Refusal::new(RefusalCode::KeyDuplicate, "KM-6")
        .with("holder", "branch")
        .with("branch", "横浜支店");
    let theirs = Refusal::new(RefusalCode::KeyDuplicate, "KM-6").with("holder", "other");
    check(Language::Ja, &ours, "この鍵は、横浜支店ですでに使われています。");
    check(Language::En, &ours, "This key is already in use by the branch 横浜支店.");
    check(Language::Ja, &theirs, "この鍵は、別の持ち主がすでに使っています。");
    check(Language::En, &theirs, "This key is already in use by another holder.");
}

#[test]
fn facts_that_are_words_of_the_platform_are_translated_or_left_out() {
    let long = Refusal::new(RefusalCode::NameInvalid, "4.4")
        .with("problem", "too-long")
        .with("length", 70)
        .with("limit", 64);
    let odd = Refusal::new(RefusalCode::KeyParameters, "KM-2").with("problem", "some inner words");
    check(Language::Ja, &long, "この名称や言葉は使えません。70文字あります(64文字まで)。");
    check(Language::En, &odd, "The key has unusual parameters.");
}

#[test]
fn what_is_filled_in_is_never_read_for_placeholders() {
    let name = "{identifier} {problem} {0}";
    let refused = Refusal::new(RefusalCode::IdentifierInvalid, "4.1")
        .with("identifier", name)
        .with("problem", "check-digit");
    let told = refusal(Language::En, &refused).what;
    assert!(told.contains(&format!("“{name}”")), "{told}");
}

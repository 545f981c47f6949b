//! The three parts of every error: what happened, why it matters, what to do (UX 11).
//!
//! Pages, `application/problem+json` and the command line say the same words. Deliberately not
//! here: how they are laid out.

use std::collections::BTreeMap;

use tenkoku_domain::organisation::Language;
use tenkoku_domain::refusal::{Refusal, RefusalCode};

use super::{Said, Words, placeholders};

/// Codes of problems that are no refusals: malformed input, missing things, faults of the platform.
/// A code never changes its meaning.
pub const PROBLEM_CODES: [&str; 88] = [
    "address-malformed",
    "audit-broken",
    "busy",
    "check-not-held",
    "code-void",
    "config-malformed",
    "config-missing",
    "config-unknown-key",
    "conflict",
    "csv-malformed",
    "csv-row",
    "database-corrupt",
    "database-empty",
    "backup-exists",
    "backup-unknown",
    "backup-passphrase",
    "backup-damaged",
    "restore-not-empty",
    "database-newer",
    "database-not-migrated",
    "database-unreachable",
    "evidence-malformed",
    "flag-missing",
    "form-expired",
    "form-malformed",
    "hsm-final-try",
    "hsm-full",
    "hsm-module",
    "hsm-pin-locked",
    "hsm-pin-missing",
    "hsm-token-absent",
    "hsm-wrong-pin",
    "idempotency-mismatch",
    "input-missing",
    "internal",
    "key-store-exposed",
    "key-store-locked",
    "key-store-unavailable",
    "key-unusable",
    "list-broken",
    "list-not-fetched",
    "list-refresh-running",
    "list-refused",
    "list-signer-unknown",
    "list-stale",
    "list-not-delivered",
    "list-troubled",
    "mail-not-sent",
    "mail-password-missing",
    "method-not-allowed",
    "not-acceptable",
    "not-found",
    "not-ready",
    "not-signed-in",
    "pack-refused",
    "passphrase-missing",
    "path-algorithm",
    "path-critical-extension",
    "path-expired",
    "path-key-usage",
    "path-name-constraints",
    "path-no-anchor",
    "path-no-issuer",
    "path-not-authority",
    "path-not-yet-valid",
    "path-path-length",
    "path-policy",
    "path-revocation-unknown",
    "path-revoked",
    "path-signature",
    "path-too-complex",
    "path-unreadable",
    "person-needed",
    "policy-malformed",
    "port-in-use",
    "precondition-failed",
    "request-malformed",
    "request-repeated",
    "sign-in-refused",
    "step-up-needed",
    "certificate-not-taken",
    "last-way-in",
    "tls-unfit",
    "token-refused",
    "too-large",
    "too-many-attempts",
    "unsupported-media",
    "word-unknown",
];

/// Names of facts that hold words of the platform, not of a person; they are shown only translated.
const INTERNAL: [&str; 8] =
    ["because", "demand", "detail", "holder", "part", "permission", "problem", "state"];

/// What a person is told about an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// A short headline.
    pub title: String,
    /// What happened.
    pub what: String,
    /// Why it matters, or why it is so.
    pub why: String,
    /// What to do now.
    pub remedy: String,
}

/// What a code means, with nothing filled in; `None` for a code that does not exist.
pub fn explain(language: Language, code: &str) -> Option<Explanation> {
    problem(language, code, &BTreeMap::new())
}

/// What a refusal means, filled with its facts.
pub fn refusal(language: Language, refusal: &Refusal) -> Explanation {
    let code = refusal.code.word();
    problem(language, code, &refusal.facts).unwrap_or_else(|| Explanation {
        title: code.to_owned(),
        what: refusal.to_string(),
        why: String::new(),
        remedy: String::new(),
    })
}

/// What a refusal or another problem means, filled with facts; `None` for an unknown code.
pub fn problem(
    language: Language,
    code: &str,
    facts: &BTreeMap<String, String>,
) -> Option<Explanation> {
    let words = Words::of(language);
    let table = if RefusalCode::from_word(code).is_some() { "refusal" } else { "problem" };
    let part = |name: &str| words.find(&format!("{table}.{code}.{name}"));
    let facts = worded(words, facts);
    Some(Explanation {
        title: part("title")?.to_owned(),
        what: fitting(words, &format!("{table}.{code}.what"), &facts),
        why: part("why")?.to_owned(),
        remedy: part("do")?.to_owned(),
    })
}

/// The facts in the words of the language. A fact that is a word of the platform (a state, a
/// problem, a permission) has its text under `fact.<name>.<word>`; such a fact without a text is
/// left out, so that no internal word reaches a reader.
fn worded(words: Words, facts: &BTreeMap<String, String>) -> BTreeMap<&str, String> {
    let plain: BTreeMap<&str, String> = facts
        .iter()
        .filter(|(name, _)| !INTERNAL.contains(&name.as_str()))
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    let mut worded = plain.clone();
    for (name, value) in facts {
        match words.find(&format!("fact.{name}.{value}")) {
            Some(text) if is_known(text, &plain) => {
                worded.insert(name, filled(text, &plain));
            }
            Some(_) | None => {}
        }
    }
    worded
}

/// The first text of a list whose placeholders are all known. The last has none.
fn fitting(words: Words, key: &str, facts: &BTreeMap<&str, String>) -> String {
    let mut texts = words.list(key).into_iter();
    texts.find(|text| is_known(text, facts)).map(|text| filled(text, facts)).unwrap_or_default()
}

fn is_known(text: &str, facts: &BTreeMap<&str, String>) -> bool {
    placeholders(text).all(|name| facts.contains_key(name))
}

fn filled(text: &str, facts: &BTreeMap<&str, String>) -> String {
    let said = Said::of(text);
    facts.iter().fold(said, |said, (name, value)| said.with(name, value)).text()
}

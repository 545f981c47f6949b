//! Names and addresses, wherever they stand (TS 119 612, 5.1.2 to 5.1.5, 5.3.5, E.1, E.2).
//!
//! Constructors refuse what no list may say; lists of others come here as they were found, so every
//! value is asked again.
//! Deliberately not here: which elements must be there.

use super::{Finding, Rule, Spot};
use crate::diff::Field;
use crate::model::{Address, Entry, Language, ModelError, Multilingual, Names, Pages, Text, Uri};

/// A value that its constructor would refuse.
pub(super) fn check_value(
    spot: Spot<'_>,
    clause: &'static str,
    checked: Result<(), ModelError>,
    findings: &mut Vec<Finding>,
) {
    if let Err(error) = checked {
        let (rule, values) = Rule::of(&error);
        findings.push(spot.finding(rule, clause, values));
    }
}

/// A multilingual value has English, and every language is one.
fn check_languages<T>(spot: Spot<'_>, values: &Multilingual<T>, findings: &mut Vec<Finding>) {
    for entry in values.entries() {
        check_value(spot, "5.1.4", entry.language.check(), findings);
    }
    if values.in_english().is_none() {
        findings.push(spot.finding(Rule::EnglishMissing, "5.1.4", []));
    }
}

/// Texts in several languages.
pub(super) fn check_texts(spot: Spot<'_>, texts: &Names, findings: &mut Vec<Finding>) {
    check_languages(spot, texts, findings);
    check_entries(spot, texts.entries(), findings);
}

/// Texts, each with a language, of which none need be English.
pub(super) fn check_entries(spot: Spot<'_>, entries: &[Entry<Text>], findings: &mut Vec<Finding>) {
    for entry in entries {
        check_value(spot, "5.1.4, E.2", entry.value.check(), findings);
    }
}

/// Addresses in several languages.
pub(super) fn check_pages(spot: Spot<'_>, pages: &Pages, findings: &mut Vec<Finding>) {
    check_languages(spot, pages, findings);
    for entry in pages.entries() {
        check_value(spot, "5.1.2", entry.value.check(), findings);
    }
}

/// Addresses that are pages for people.
pub(super) fn check_web(
    spot: Spot<'_>,
    clause: &'static str,
    pages: &Pages,
    findings: &mut Vec<Finding>,
) {
    for entry in pages.entries().iter().filter(|entry| !entry.value.is_web()) {
        findings.push(spot.finding(Rule::NoWebPage, clause, [entry.value.to_string()]));
    }
}

/// Each language once.
pub(super) fn check_once(spot: Spot<'_>, names: &Names, findings: &mut Vec<Finding>) {
    let entries = names.entries();
    for (position, entry) in entries.iter().enumerate() {
        if entries.iter().take(position).any(|other| other.language == entry.language) {
            let language = entry.language.to_string();
            findings.push(spot.finding(Rule::LanguageTwice, "5.1.4", [language]));
        }
    }
}

/// A name says each language once, and what is not Latin has its transliteration.
pub(super) fn check_names(spot: Spot<'_>, names: &Names, findings: &mut Vec<Finding>) {
    check_texts(spot, names, findings);
    check_once(spot, names, findings);
    let entries = names.entries();
    for entry in entries {
        let language = entry.language.to_string();
        let latin = entry.language.in_latin();
        let native = !entry.language.is_latin() && entry.value.as_str().chars().any(is_not_latin);
        if native && !entries.iter().any(|other| other.language == latin) {
            let values = [language.clone(), latin.to_string()];
            findings.push(spot.finding(Rule::LatinMissing, "5.1.4, E.1", values));
        }
        if entry.language.is_latin() && entry.value.as_str().chars().any(is_not_latin) {
            findings.push(spot.finding(Rule::NotLatin, "E.1", [language]));
        }
    }
}

/// Letters of scripts other than Latin: Greek to Georgian, kana, ideographs, Hangul, wide forms.
fn is_not_latin(character: char) -> bool {
    matches!(character,
        '\u{370}'..='\u{1dff}' | '\u{1f00}'..='\u{1fff}' | '\u{2e80}'..='\u{a71f}'
        | '\u{a800}'..='\u{ab2f}' | '\u{ab70}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}'
        | '\u{fb13}'..='\u{ffef}' | '\u{10000}'..='\u{1d3ff}' | '\u{20000}'..='\u{3ffff}')
}

/// An address names an e-mail and a web address, and nothing but those and telephones.
pub(super) fn check_address(
    spot: Spot<'_>,
    clause: &'static str,
    address: &Address,
    findings: &mut Vec<Finding>,
) {
    let spot = spot.field(Field::Address);
    check_pages(spot, address.electronic(), findings);
    check_postal(spot, clause, address, findings);
    let mut uris = address.electronic().entries().iter().map(|entry| &entry.value);
    if !uris.clone().any(Uri::is_mail) {
        findings.push(spot.finding(Rule::MailMissing, clause, []));
    }
    if !uris.clone().any(Uri::is_web) {
        findings.push(spot.finding(Rule::WebMissing, clause, []));
    }
    if let Some(odd) = uris.find(|uri| !uri.is_mail() && !uri.is_web() && !uri.is_telephone()) {
        findings.push(spot.finding(Rule::OddAddress, clause, [odd.to_string()]));
    }
}

/// One postal address is in English, and every part is a text.
fn check_postal(
    spot: Spot<'_>,
    clause: &'static str,
    address: &Address,
    findings: &mut Vec<Finding>,
) {
    if !address.postal().iter().any(|postal| postal.language == Language::english()) {
        findings.push(spot.finding(Rule::EnglishMissing, clause, []));
    }
    for postal in address.postal() {
        check_value(spot, "5.1.4", postal.language.check(), findings);
        check_value(spot, "5.1.5", postal.country.check(), findings);
        let parts = [Some(&postal.street), Some(&postal.locality)];
        let further = [postal.state_or_province.as_ref(), postal.postal_code.as_ref()];
        for part in parts.into_iter().chain(further).flatten() {
            check_value(spot, clause, part.check(), findings);
        }
    }
}

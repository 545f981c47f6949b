//! Names and addresses, wherever they stand (TS 119 612, 5.1.2 to 5.1.5, 5.3.5, E.1, E.2).
//!
//! Constructors refuse what no list may say; lists of others come here as they were found, so every
//! value is asked again.
//! Deliberately not here: which elements must be there.

use super::Finding;
use crate::model::{Address, Entry, ModelError, Multilingual, Names, Pages, Text, Uri};

/// A value that its constructor would refuse.
pub(super) fn check_value(
    what: &str,
    clause: &'static str,
    checked: Result<(), ModelError>,
    findings: &mut Vec<Finding>,
) {
    if let Err(error) = checked {
        findings.push(Finding::refused(clause, format!("{what} cannot stand in a list: {error}.")));
    }
}

/// A multilingual value has English, and every language is one.
fn check_languages<T>(what: &str, values: &Multilingual<T>, findings: &mut Vec<Finding>) {
    for entry in values.entries() {
        check_value(what, "5.1.4", entry.language.check(), findings);
    }
    if values.in_english().is_none() {
        findings.push(Finding::refused("5.1.4", format!("{what} must be given in English.")));
    }
}

/// Texts in several languages.
pub(super) fn check_texts(what: &str, texts: &Names, findings: &mut Vec<Finding>) {
    check_languages(what, texts, findings);
    check_entries(what, texts.entries(), findings);
}

/// Texts, each with a language, of which none need be English.
pub(super) fn check_entries(what: &str, entries: &[Entry<Text>], findings: &mut Vec<Finding>) {
    for entry in entries {
        check_value(what, "5.1.4, E.2", entry.value.check(), findings);
    }
}

/// Addresses in several languages.
pub(super) fn check_pages(what: &str, pages: &Pages, findings: &mut Vec<Finding>) {
    check_languages(what, pages, findings);
    for entry in pages.entries() {
        check_value(what, "5.1.2", entry.value.check(), findings);
    }
}

/// A name says each language once, and what is not Latin has its transliteration.
pub(super) fn check_names(what: &str, names: &Names, findings: &mut Vec<Finding>) {
    check_texts(what, names, findings);
    let entries = names.entries();
    for (position, entry) in entries.iter().enumerate() {
        if entries.iter().take(position).any(|other| other.language == entry.language) {
            let sentence = format!("{what} is given more than once in {}.", entry.language);
            findings.push(Finding::refused("5.1.4", sentence));
        }
        let latin = entry.language.in_latin();
        let native = !entry.language.is_latin() && entry.value.as_str().chars().any(is_not_latin);
        if native && !entries.iter().any(|other| other.language == latin) {
            let sentence = format!(
                "{what} in {} needs a second value in Latin letters, {latin}.",
                entry.language
            );
            findings.push(Finding::refused("5.1.4, E.1", sentence));
        }
        if entry.language.is_latin() && entry.value.as_str().chars().any(is_not_latin) {
            let sentence = format!("{what} in {} has other than Latin letters.", entry.language);
            findings.push(Finding::refused("E.1", sentence));
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
    what: &str,
    clause: &'static str,
    address: &Address,
    findings: &mut Vec<Finding>,
) {
    check_pages(&format!("An electronic address of {what}"), address.electronic(), findings);
    check_postal(what, clause, address, findings);
    let mut uris = address.electronic().entries().iter().map(|entry| &entry.value);
    if !uris.clone().any(Uri::is_mail) {
        let sentence = format!("{what} needs an e-mail address, written mailto:name@host.");
        findings.push(Finding::refused(clause, sentence));
    }
    if !uris.clone().any(Uri::is_web) {
        let sentence = format!("{what} needs the address of a web page.");
        findings.push(Finding::refused(clause, sentence));
    }
    if let Some(odd) = uris.find(|uri| !uri.is_mail() && !uri.is_web() && !uri.is_telephone()) {
        let sentence = format!("{what} has {odd}, which is no e-mail, web or telephone address.");
        findings.push(Finding::refused(clause, sentence));
    }
}

/// One postal address is in English, and every part is a text.
fn check_postal(what: &str, clause: &'static str, address: &Address, findings: &mut Vec<Finding>) {
    let place = format!("The postal address of {what}");
    let english = crate::model::Language::english();
    if !address.postal().iter().any(|postal| postal.language == english) {
        findings.push(Finding::refused(clause, format!("{place} must be given in English.")));
    }
    for postal in address.postal() {
        check_value(&place, "5.1.4", postal.language.check(), findings);
        check_value(&place, "5.1.5", postal.country.check(), findings);
        let parts = [Some(&postal.street), Some(&postal.locality)];
        let further = [postal.state_or_province.as_ref(), postal.postal_code.as_ref()];
        for part in parts.into_iter().chain(further).flatten() {
            check_value(&place, clause, part.check(), findings);
        }
    }
}

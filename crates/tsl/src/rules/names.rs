//! Names and addresses, wherever they stand (TS 119 612, 5.1.4, 5.3.5, E.1).
//!
//! Deliberately not here: characters and the English value, which the types take care of.

use super::Finding;
use crate::model::{Address, Names, Uri};

/// A name says each language once, and what is not Latin has its transliteration.
pub(super) fn check_names(what: &str, names: &Names, findings: &mut Vec<Finding>) {
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

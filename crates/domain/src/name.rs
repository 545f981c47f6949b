//! Names that go into certificates, and the rules of DOMAIN 4.4 that keep them honest.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use crate::refusal::{Refusal, RefusalCode};

/// Upper bound of O, OU and CN in characters (RFC 5280, appendix A: ub-organization-name and its
/// siblings).
pub const NAME_MAX_CHARS: usize = 64;

/// A name as registered: NFC, without control, private-use or direction-changing characters, not
/// empty, at most 64 characters. Full-width Latin letters and digits are kept as registered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    /// Checks and normalises a name. A longer name is refused, never cut (DOMAIN 4.4).
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let name = plain_text(text)?;
        let chars = name.chars().count();
        if chars > NAME_MAX_CHARS {
            return Err(refused("too-long").with("length", chars).with("limit", NAME_MAX_CHARS));
        }
        Ok(Self(name))
    }

    /// Checks a name that is entered anew: beyond what every name keeps to, no word of it mixes
    /// letters that look alike (AB-12).
    pub fn enter(text: &str) -> Result<Self, Refusal> {
        let name = Self::parse(text)?;
        if mixes_scripts(&name.0) {
            return Err(refused("look-alike").with("name", &name));
        }
        Ok(name)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What two names are compared by: NFKC and case folding.
    pub fn comparable(&self) -> String {
        comparable(&self.0)
    }

    /// Whether every character is of the Latin script, a digit, a space or common punctuation.
    pub fn is_latin(&self) -> bool {
        self.0.chars().all(|c| c.is_ascii() || ('\u{00C0}'..='\u{024F}').contains(&c) || c == '’')
    }
}

/// Text that may be shown and stored: trimmed, NFC, not empty, without control, private-use,
/// direction-changing, invisible or unassigned-plane characters.
pub fn plain_text(text: &str) -> Result<String, Refusal> {
    let text: String = text.trim().nfc().collect();
    if text.is_empty() {
        return Err(refused("empty"));
    }
    match text.chars().find(|c| is_forbidden(*c)) {
        Some(c) => Err(refused("character").with("character", format!("U+{:04X}", u32::from(c)))),
        None => Ok(text),
    }
}

/// What two texts are compared by: NFKC and case folding (DOMAIN 4.4).
pub fn comparable(text: &str) -> String {
    let folded: String = text.nfkc().flat_map(char::to_lowercase).collect();
    folded.nfkc().collect()
}

/// Whether Latin letters stand in one word with Cyrillic or Greek ones, which look like them.
fn mixes_scripts(text: &str) -> bool {
    let latin = |c: char| c.is_ascii_alphabetic() || ('\u{C0}'..='\u{24F}').contains(&c);
    let alike = |c: char| matches!(c, '\u{370}'..='\u{3FF}' | '\u{400}'..='\u{52F}');
    text.split(|c: char| !c.is_alphabetic())
        .any(|word| word.chars().any(latin) && word.chars().any(alike))
}

fn refused(problem: &str) -> Refusal {
    Refusal::new(RefusalCode::NameInvalid, "4.4").with("problem", problem)
}

fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFF}' | '\u{AD}'
            | '\u{E000}'..='\u{F8FF}' | '\u{E0000}'..='\u{E0FFF}'
            | '\u{F0000}'..='\u{10FFFF}')
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Name {
    type Error = Refusal;
    fn try_from(text: String) -> Result<Self, Refusal> {
        Self::parse(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> String {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        let got = Name::parse(text);
        let got = got.as_ref().map(Name::as_str).map_err(|r| r.facts["problem"].as_str());
        assert_eq!(got, expected, "{text:?}");
    }

    #[test]
    fn names_are_kept_as_registered_in_nfc() {
        check("株式会社サンプル", Ok("株式会社サンプル"));
        check(" ABC商事 ", Ok("ABC商事"));
        check("か\u{3099}く", Ok("がく"));
        check("髙﨑邉", Ok("髙﨑邉"));
    }

    #[test]
    fn ab_12_tricks_are_refused() {
        check("Sample\nCo.", Err("character"));
        check("Sample\u{202E}oC", Err("character"));
        check("\u{E000}商会", Err("character"));
        check("zero\u{200B}width", Err("character"));
        check("", Err("empty"));
        check(&"あ".repeat(65), Err("too-long"));
    }

    #[test]
    fn ab_12_letters_that_look_alike_are_not_mixed() {
        for bad in ["S\u{0430}mple Co.", "Samp\u{03BF} Co."] {
            assert_eq!(Name::enter(bad).unwrap_err().facts["problem"], "look-alike", "{bad}");
        }
        for good in ["Sample Co.", "Газпром", "Δ Sample", "ABC商事", "株式会社サンプル"]
        {
            assert!(Name::enter(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn lookalikes_compare_equal() {
        let wide = Name::parse("ABC商事").unwrap();
        assert_eq!(wide.comparable(), Name::parse("abc商事").unwrap().comparable());
    }
}

//! Texts and addresses in several languages (TS 119 612, 5.1.4, E.1 and E.2).
//!
//! Deliberately not here: whether a name has its Latin transliteration; `rules` asks for it.

use std::fmt;

use super::{ModelError, Uri};

/// A language tag: `en`, `ja`, or with a script, `ja-Latn`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Language(String);

impl Language {
    /// English, which every multilingual value has.
    pub fn english() -> Self {
        Self("en".to_owned())
    }

    /// Japanese in its own script.
    pub fn japanese() -> Self {
        Self("ja".to_owned())
    }

    /// Japanese in Latin letters.
    pub fn japanese_in_latin() -> Self {
        Self("ja-Latn".to_owned())
    }

    /// Reads a tag: a language of two or three lower-case letters, perhaps a script (RFC 5646).
    ///
    /// # Errors
    ///
    /// [`ModelError::Language`] for anything else.
    pub fn new(tag: &str) -> Result<Self, ModelError> {
        let tag = Self(tag.to_owned());
        tag.check().map(|()| tag)
    }

    /// The tag that somebody's list gives; empty when it gives none.
    pub(crate) fn as_found(tag: &str) -> Self {
        Self(tag.to_owned())
    }

    /// Whether [`Language::new`] would take it.
    pub(crate) fn check(&self) -> Result<(), ModelError> {
        let tag = self.0.as_str();
        let (language, script) = tag.split_once('-').unwrap_or((tag, "Latn"));
        let language_fits = matches!(language.len(), 2 | 3)
            && language.bytes().all(|letter| letter.is_ascii_lowercase());
        let mut letters = script.bytes();
        let script_fits = script.len() == 4
            && letters.next().is_some_and(|letter| letter.is_ascii_uppercase())
            && letters.all(|letter| letter.is_ascii_lowercase());
        if language_fits && script_fits {
            Ok(())
        } else {
            Err(ModelError::Language(tag.to_owned()))
        }
    }

    /// The tag as `xml:lang` has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the tag asks for Latin letters by name.
    pub fn is_latin(&self) -> bool {
        self.0.ends_with("-Latn")
    }

    /// The tag of the same language in Latin letters.
    #[must_use]
    pub fn in_latin(&self) -> Self {
        let language = self.0.split('-').next().unwrap_or_default();
        Self(format!("{language}-Latn"))
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that may stand in a multilingual field (E.2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(String);

impl Text {
    /// Takes a text.
    ///
    /// # Errors
    ///
    /// Refuses an empty text, space at its ends, control, private-use and tag characters, byte-order
    /// marks and mark-up.
    pub fn new(text: &str) -> Result<Self, ModelError> {
        let text = Self(text.to_owned());
        text.check().map(|()| text)
    }

    /// The text that somebody's list gives.
    pub(crate) fn as_found(text: String) -> Self {
        Self(text)
    }

    /// Whether [`Text::new`] would take it.
    pub(crate) fn check(&self) -> Result<(), ModelError> {
        let text = self.0.as_str();
        if text.is_empty() || text.trim() != text {
            return Err(ModelError::Blank(text.to_owned()));
        }
        if let Some(character) = text.chars().find(|character| is_forbidden(*character)) {
            return Err(ModelError::ForbiddenCharacter(u32::from(character)));
        }
        if has_mark_up(text) {
            return Err(ModelError::MarkUp(text.to_owned()));
        }
        Ok(())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// E.2: no control, private-use or tag characters; and what XML could not carry at all.
fn is_forbidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
            | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{e007f}'
            | '\u{f0000}'..='\u{10ffff}')
}

/// Whether the text holds something like `<b>`, `</b>`, `<br/>` or `<!-- -->`.
fn has_mark_up(text: &str) -> bool {
    text.split('<').skip(1).any(|rest| {
        let opens = |c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?');
        rest.starts_with(opens) && rest.contains('>')
    })
}

/// A value and its language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<T> {
    /// The language of the value.
    pub language: Language,
    /// The value.
    pub value: T,
}

/// A value in several languages, English among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Multilingual<T>(Vec<Entry<T>>);

/// Names or notices in several languages.
pub type Names = Multilingual<Text>;
/// Addresses of pages or mailboxes in several languages.
pub type Pages = Multilingual<Uri>;

impl<T> Multilingual<T> {
    /// Takes the values in the order in which they are to be published.
    ///
    /// # Errors
    ///
    /// [`ModelError::EnglishMissing`] when none is in English.
    pub fn new(entries: Vec<Entry<T>>) -> Result<Self, ModelError> {
        if entries.iter().any(|entry| entry.language == Language::english()) {
            Ok(Self(entries))
        } else {
            Err(ModelError::EnglishMissing)
        }
    }

    /// The values that somebody's list gives, which may be none.
    pub(crate) fn as_found(entries: Vec<Entry<T>>) -> Self {
        Self(entries)
    }

    /// The value in English alone.
    pub fn english(value: T) -> Self {
        Self(vec![Entry { language: Language::english(), value }])
    }

    /// The same with one more value.
    #[must_use]
    pub fn and(mut self, language: Language, value: T) -> Self {
        self.0.push(Entry { language, value });
        self
    }

    /// The values in their order.
    pub fn entries(&self) -> &[Entry<T>] {
        &self.0
    }

    /// The first value in English.
    pub fn in_english(&self) -> Option<&T> {
        let english = Language::english();
        self.0.iter().find(|entry| entry.language == english).map(|entry| &entry.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(), ModelError>) {
        assert_eq!(Text::new(text).map(drop), expected, "{text:?}");
    }

    #[test]
    fn texts_of_any_script_are_taken() {
        for text in ["Example", "例示eシール認定制度", "Reiji Un'ei", "a < b & c > d", "🙂"]
        {
            check(text, Ok(()));
        }
    }

    #[test]
    fn what_e_2_forbids_is_refused() {
        check("", Err(ModelError::Blank(String::new())));
        check(" a", Err(ModelError::Blank(" a".to_owned())));
        check("a\tb", Err(ModelError::ForbiddenCharacter(9)));
        check("a\nb", Err(ModelError::ForbiddenCharacter(10)));
        check("a\u{85}b", Err(ModelError::ForbiddenCharacter(0x85)));
        check("a\u{feff}b", Err(ModelError::ForbiddenCharacter(0xfeff)));
        check("a\u{e000}b", Err(ModelError::ForbiddenCharacter(0xe000)));
        check("a\u{e0041}b", Err(ModelError::ForbiddenCharacter(0xe0041)));
        check("a\u{10fffd}b", Err(ModelError::ForbiddenCharacter(0x0010_fffd)));
        check("<b>a</b>", Err(ModelError::MarkUp("<b>a</b>".to_owned())));
        check("a<br/>b", Err(ModelError::MarkUp("a<br/>b".to_owned())));
    }

    #[test]
    fn language_tags_are_lower_case_with_an_optional_script() {
        for tag in ["en", "ja", "ja-Latn", "gsw"] {
            assert_eq!(Language::new(tag).unwrap().as_str(), tag);
        }
        for tag in ["", "EN", "e", "ja_Latn", "ja-latn", "ja-JP", "english", "ja-"] {
            assert!(Language::new(tag).is_err(), "{tag}");
        }
        assert_eq!(Language::japanese().in_latin(), Language::japanese_in_latin());
    }

    #[test]
    fn a_multilingual_value_needs_english() {
        let japanese = Entry { language: Language::japanese(), value: Text::new("例").unwrap() };
        let refused = Multilingual::new(vec![japanese]);
        assert_eq!(refused, Err(ModelError::EnglishMissing));
    }
}

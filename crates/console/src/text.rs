//! The words of pages, messages and letters, in Japanese and English.
//!
//! Every text lives in `web/text/{ja,en}.toml` under a key named by its meaning. Deliberately not
//! here: markup, and the choice of what to say.

pub mod explain;
pub mod language;
pub mod list;
pub mod policy;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use tenkoku_domain::organisation::Language;

use crate::format;

/// A catalogue: texts by key. Tables of the file are joined with dots; the items of an array are
/// numbered from 0.
type Catalogue = BTreeMap<String, String>;

static JA: LazyLock<Catalogue> = LazyLock::new(|| read(include_str!("../../../web/text/ja.toml")));
static EN: LazyLock<Catalogue> = LazyLock::new(|| read(include_str!("../../../web/text/en.toml")));

/// Reads a catalogue. A file that is no TOML gives an empty one; a test reads both files.
fn read(file: &str) -> Catalogue {
    let mut catalogue = Catalogue::new();
    match file.parse::<toml::Table>() {
        Ok(table) => flatten(&mut catalogue, "", toml::Value::Table(table)),
        Err(error) => tracing::error!(%error, "a catalogue of texts cannot be read"),
    }
    catalogue
}

fn flatten(into: &mut Catalogue, key: &str, value: toml::Value) {
    let below = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
    match value {
        toml::Value::String(text) => {
            into.insert(key.to_owned(), text);
        }
        toml::Value::Table(table) => {
            table.into_iter().for_each(|(name, value)| flatten(into, &below(&name), value));
        }
        toml::Value::Array(items) => {
            let numbered = items.into_iter().enumerate();
            numbered.for_each(|(n, value)| flatten(into, &below(&n.to_string()), value));
        }
        toml::Value::Integer(_)
        | toml::Value::Float(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_) => {}
    }
}

/// The words of one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words(Language);

impl Words {
    /// The words of a language.
    pub const fn of(language: Language) -> Self {
        Self(language)
    }

    /// The language.
    pub const fn language(self) -> Language {
        self.0
    }

    /// The language tag for `lang` attributes: `ja` or `en`.
    pub const fn tag(self) -> &'static str {
        self.0.word()
    }

    /// The words of the other language.
    #[must_use]
    pub const fn other(self) -> Self {
        match self.0 {
            Language::Ja => Self(Language::En),
            Language::En => Self(Language::Ja),
        }
    }

    /// The text under a key; `None` when there is none.
    pub fn find(self, key: &str) -> Option<&'static str> {
        self.catalogue().get(key).map(String::as_str)
    }

    /// The text under a key. A missing key shows as itself; a test makes sure that none is.
    pub fn t(self, key: &str) -> &str {
        self.find(key).unwrap_or(key)
    }

    /// The text under a key, with its `{placeholders}` still to be filled.
    pub fn say(self, key: &str) -> Said {
        Said::of(self.t(key))
    }

    /// The text for a number of things: `key.one` or `key.other`, with `{n}` filled.
    pub fn count(self, key: &str, n: i64) -> Said {
        let form = if n == 1 { "one" } else { "other" };
        self.say(&format!("{key}.{form}")).with("n", format::number(n))
    }

    /// The same for a count in memory.
    pub fn count_of(self, key: &str, n: usize) -> Said {
        self.count(key, i64::try_from(n).unwrap_or(i64::MAX))
    }

    /// The text for a stored word, under `key.word`; the word itself when there is none.
    pub fn word<'a>(self, key: &str, word: &'a str) -> &'a str {
        self.find(&format!("{key}.{word}")).unwrap_or(word)
    }

    /// The texts of a list, in order.
    pub fn list(self, key: &str) -> Vec<&'static str> {
        (0..).map_while(|n| self.find(&format!("{key}.{n}"))).collect()
    }

    fn catalogue(self) -> &'static Catalogue {
        match self.0 {
            Language::Ja => &JA,
            Language::En => &EN,
        }
    }
}

/// A text whose placeholders are being filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said(String);

impl Said {
    /// A text with its placeholders.
    pub(crate) fn of(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Fills the placeholder `{name}`. What is filled in is never read for placeholders itself,
    /// because braces in it are told apart.
    #[must_use]
    pub fn with(self, name: &str, value: impl fmt::Display) -> Self {
        let value = value.to_string().replace('{', OPEN);
        Self(self.0.replace(&format!("{{{name}}}"), &value))
    }

    /// The finished text.
    pub fn text(&self) -> String {
        self.0.replace(OPEN, "{")
    }
}

/// Stands for a brace in filled-in text until the text is finished: a noncharacter, which no name
/// may contain.
const OPEN: &str = "\u{FDD0}";

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// The names of the placeholders in a text.
pub fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
}

#[cfg(test)]
mod tests;

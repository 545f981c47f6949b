//! Reads a policy document strictly, and goes on after a mistake, so that all of them are told at
//! once: each with its line and the nearest known key.
//!
//! What values may stand beside each other is not asked here; see [`super::rules`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::{DocumentError, DocumentProblem};
use super::sections::Document;
use super::words::{
    CopySuspicion, Curve, Day, Delivery, DestructionClass, EdwardsCurve, FactorScan, HitEffect,
    HsmBackup, LateRotation, MissingEvidence, MlDsaSet, PartyTypeExport, PossessionMethod,
    SameKeyRenewal, Sharing, SignatureHash, UniquenessScope,
};
use crate::key::OriginClass;
use crate::time::Timestamp;

/// The largest number that a document may hold: keeps all arithmetic with days and hours in range.
const LARGEST: i64 = 1_000_000;

/// Keys that may be zero.
const ZERO: [&str; 2] = ["cooling_off_hours", "witness"];

/// Endings of keys that name a unit.
const UNITS: [(&str, &str); 8] = [
    ("_milliseconds", "milliseconds"),
    ("_ms", "milliseconds"),
    ("_seconds", "seconds"),
    ("_minutes", "minutes"),
    ("_hours", "hours"),
    ("_days", "days"),
    ("_months", "months"),
    ("_years", "years"),
];

/// A place in the document.
pub(super) struct Spot<'d> {
    path: String,
    line: usize,
    value: &'d DeValue<'d>,
}

/// The reading of one document.
pub(super) struct Reader<'d> {
    text: &'d str,
    /// What is wrong with it.
    pub(super) errors: Vec<DocumentError>,
    /// On which line each key stands.
    pub(super) lines: BTreeMap<String, usize>,
}

/// A type that a key of the document may have.
pub(super) trait Field: Sized {
    /// What stands for a key that is left out; `None` where the key must be there.
    fn absent() -> Option<Self> {
        None
    }

    /// Adds the paths of the keys below, or the path itself.
    fn keys(path: &str, known: &mut Vec<String>) {
        known.push(path.to_owned());
    }

    /// Reads a value; what is wrong goes to the reader.
    fn read(reader: &mut Reader<'_>, spot: &Spot<'_>) -> Option<Self>;

    /// The value as TOML; `None` where the key is left out.
    fn written(&self) -> Option<String>;
}

/// A table with known keys.
pub(super) trait Section {
    /// Its keys and values as TOML, in the order of DOMAIN 7.
    fn entries(&self) -> Vec<(&'static str, String)>;
}

/// A path and a key below it.
pub(super) fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Every key that a document may have, as a path.
pub(super) fn known_keys() -> Vec<String> {
    let mut known = Vec::new();
    Document::keys("", &mut known);
    known
}

/// The unit that the name of a key gives, or the section it stands in.
fn unit(path: &str) -> Option<&'static str> {
    let section = path.split('.').next().unwrap_or_default();
    if matches!(section, "validity" | "sealing_period") {
        return Some("days");
    }
    let held = |ending: &str| path.ends_with(ending) || path.contains(&format!("{ending}_"));
    UNITS.into_iter().find(|(ending, _)| held(ending)).map(|(_, unit)| unit)
}

/// The name of a key without its unit.
fn stem(key: &str) -> &str {
    UNITS.into_iter().find_map(|(ending, _)| key.strip_suffix(ending)).unwrap_or(key)
}

impl<'d> Reader<'d> {
    /// Reads the whole text.
    pub(super) fn read(text: &'d str) -> (Option<Document>, Self) {
        let mut reader = Self { text, errors: Vec::new(), lines: BTreeMap::new() };
        let (table, wrong) = DeTable::parse_recoverable(text);
        for error in &wrong {
            let line = reader.line(error.span().map_or(0, |span| span.start));
            let problem = DocumentProblem::Syntax { told: error.message().replace('\n', " ") };
            reader.report(line, "", problem, None);
        }
        if !wrong.is_empty() {
            return (None, reader);
        }
        let value = DeValue::Table(table.into_inner());
        let line = text.lines().count().max(1);
        let document =
            Document::read(&mut reader, &Spot { path: String::new(), line, value: &value });
        reader.errors.sort_by(|one, other| (one.line, &one.key).cmp(&(other.line, &other.key)));
        (document, reader)
    }

    fn line(&self, offset: usize) -> usize {
        self.text.get(..offset).unwrap_or(self.text).matches('\n').count() + 1
    }

    /// Notes a mistake.
    pub(super) fn report(
        &mut self,
        line: usize,
        key: &str,
        problem: DocumentProblem,
        nearest: Option<String>,
    ) {
        self.errors.push(DocumentError { line, key: key.to_owned(), problem, nearest });
    }

    fn wrong(&mut self, spot: &Spot<'_>, problem: DocumentProblem) {
        self.report(spot.line, &spot.path, problem, None);
    }

    fn wrong_type(&mut self, spot: &Spot<'_>, expected: &'static str) {
        let found = spot.value.type_str();
        self.wrong(spot, DocumentProblem::WrongType { expected, found });
    }

    /// A table; keys that are not in the list are mistakes.
    pub(super) fn table<'t>(&mut self, spot: &Spot<'t>, keys: &[&str]) -> Option<&'t DeTable<'t>> {
        let DeValue::Table(table) = spot.value else {
            self.wrong_type(spot, "table");
            return None;
        };
        for key in table.keys().filter(|key| !keys.contains(&key.get_ref().as_ref())) {
            self.unknown(&spot.path, key.get_ref(), self.line(key.span().start), keys);
        }
        Some(table)
    }

    fn unknown(&mut self, path: &str, key: &str, line: usize, siblings: &[&str]) {
        let full = joined(path, key);
        let other_unit = siblings
            .iter()
            .map(|known| joined(path, known))
            .find(|known| stem(known) == stem(&full))
            .and_then(|known| unit(&known).map(|unit| (known, unit)));
        if let Some((known, unit)) = other_unit {
            self.report(line, &full, DocumentProblem::WrongUnit { unit }, Some(known));
            return;
        }
        let nearest = nearest(path, key, siblings);
        self.report(line, &full, DocumentProblem::UnknownKey, Some(nearest));
    }

    /// One key of a table.
    pub(super) fn key<T: Field>(
        &mut self,
        above: &Spot<'_>,
        table: &DeTable<'_>,
        key: &str,
    ) -> Option<T> {
        let path = joined(&above.path, key);
        let Some((name, value)) = table.get_key_value(key) else {
            let absent = T::absent();
            if absent.is_none() {
                self.report(above.line, &path, DocumentProblem::MissingKey, None);
            }
            return absent;
        };
        let line = self.line(name.span().start);
        self.lines.insert(path.clone(), line);
        T::read(self, &Spot { path, line, value: value.get_ref() })
    }
}

/// The known key that is written most like this one: of the same section if one is near, else of
/// the whole document.
fn nearest(path: &str, key: &str, siblings: &[&str]) -> String {
    let distance = |known: &str| strsim::damerau_levenshtein(known, key);
    let sibling = siblings.iter().min_by_key(|known| distance(known));
    if let Some(sibling) = sibling.filter(|known| distance(known) <= 3) {
        return joined(path, sibling);
    }
    let last = |known: &str| distance(known.rsplit('.').next().unwrap_or_default());
    let known = known_keys();
    let anywhere = known.iter().min_by_key(|known| last(known));
    match (anywhere, sibling) {
        (Some(known), Some(sibling)) if last(known) < distance(sibling) => known.clone(),
        (_, Some(sibling)) => joined(path, sibling),
        (known, None) => known.cloned().unwrap_or_default(),
    }
}

impl Field for i64 {
    fn read(reader: &mut Reader<'_>, spot: &Spot<'_>) -> Option<Self> {
        let DeValue::Integer(number) = spot.value else {
            match (unit(&spot.path), spot.value) {
                (Some(unit), DeValue::String(_) | DeValue::Float(_)) => {
                    reader.wrong(spot, DocumentProblem::WrongUnit { unit });
                }
                _ => reader.wrong_type(spot, "integer"),
            }
            return None;
        };
        let least = i64::from(!ZERO.iter().any(|key| spot.path.ends_with(key)));
        let read = Self::from_str_radix(number.as_str(), number.radix()).ok();
        let found = read.filter(|number| (least..=LARGEST).contains(number));
        if found.is_none() {
            let found = number.to_string();
            reader.wrong(spot, DocumentProblem::OutOfRange { least, most: LARGEST, found });
        }
        found
    }

    fn written(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Field for bool {
    fn read(reader: &mut Reader<'_>, spot: &Spot<'_>) -> Option<Self> {
        let found = spot.value.as_bool();
        if found.is_none() {
            reader.wrong_type(spot, "boolean");
        }
        found
    }

    fn written(&self) -> Option<String> {
        Some(self.to_string())
    }
}

/// Names of documents, lists, vendors, models, authorities: printable, without line breaks.
impl Field for String {
    fn read(reader: &mut Reader<'_>, spot: &Spot<'_>) -> Option<Self> {
        let Some(text) = spot.value.as_str() else {
            reader.wrong_type(spot, "string");
            return None;
        };
        let plain = |c: char| {
            !c.is_control()
                && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
        };
        if text.is_empty() || text.trim() != text || text.len() > 100 || !text.chars().all(plain) {
            let told = format!("{text:?}");
            reader.wrong(spot, DocumentProblem::Unreadable { expected: "name", found: told });
            return None;
        }
        Some(text.to_owned())
    }

    fn written(&self) -> Option<String> {
        Some(toml::Value::String(self.clone()).to_string())
    }
}

/// An instant with its time zone; kept in UTC.
impl Field for Timestamp {
    fn read(reader: &mut Reader<'_>, spot: &Spot<'_>) -> Option<Self> {
        let DeValue::Datetime(found) = spot.value else {
            reader.wrong_type(spot, "instant");
            return None;
        };
        let read = Self::parse(&found.to_string());
        if read.is_none() {
            let found = found.to_string();
            reader.wrong(spot, DocumentProblem::Unreadable { expected: "instant", found });
        }
        read
    }

    fn written(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Field for Day {
    fn read(reader: &mut Reader<'_>, spot: &Spot<'_>) -> Option<Self> {
        let DeValue::Datetime(found) = spot.value else {
            reader.wrong_type(spot, "day");
            return None;
        };
        let read = Self::parse(&found.to_string()).ok();
        if read.is_none() {
            let found = found.to_string();
            reader.wrong(spot, DocumentProblem::Unreadable { expected: "day", found });
        }
        read
    }

    fn written(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Field for Sharing {
    fn read(reader: &mut Reader<'_>, spot: &Spot<'_>) -> Option<Self> {
        let Some(text) = spot.value.as_str() else {
            reader.wrong_type(spot, "string");
            return None;
        };
        let read = Self::parse(text).ok();
        if read.is_none() {
            let found = text.to_owned();
            reader.wrong(spot, DocumentProblem::Unreadable { expected: "sharing", found });
        }
        read
    }

    fn written(&self) -> Option<String> {
        toml::Value::String(self.to_string()).to_string().into()
    }
}

impl<T: Field> Field for Option<T> {
    fn absent() -> Option<Self> {
        Some(None)
    }

    fn read(reader: &mut Reader<'_>, spot: &Spot<'_>) -> Option<Self> {
        T::read(reader, spot).map(Some)
    }

    fn written(&self) -> Option<String> {
        self.as_ref().and_then(Field::written)
    }
}

/// A list in which nothing stands twice.
impl<T: Field> Field for Vec<T> {
    fn read(reader: &mut Reader<'_>, spot: &Spot<'_>) -> Option<Self> {
        let DeValue::Array(items) = spot.value else {
            reader.wrong_type(spot, "list");
            return None;
        };
        let mut seen = BTreeSet::new();
        let read = items.iter().map(|item: &Spanned<DeValue<'_>>| {
            let line = reader.line(item.span().start);
            let value = item.get_ref();
            let value = T::read(reader, &Spot { path: spot.path.clone(), line, value })?;
            let written = value.written().unwrap_or_default();
            if !seen.insert(written.clone()) {
                reader.report(line, &spot.path, DocumentProblem::Repeated { found: written }, None);
            }
            Some(value)
        });
        // Every item is read before the first bad one ends the list.
        read.collect::<Vec<_>>().into_iter().collect()
    }

    fn written(&self) -> Option<String> {
        let items: Vec<_> = self.iter().filter_map(Field::written).collect();
        Some(format!("[{}]", items.join(", ")))
    }
}

fn read_word<T: Copy + fmt::Display>(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    all: &[T],
    from: fn(&str) -> Option<T>,
) -> Option<T> {
    let Some(text) = spot.value.as_str() else {
        reader.wrong_type(spot, "string");
        return None;
    };
    let read = from(text);
    if read.is_none() {
        let known: Vec<_> = all.iter().map(|word| format!("\"{word}\"")).collect();
        let (found, known) = (text.to_owned(), known.join(", "));
        reader.wrong(spot, DocumentProblem::UnknownWord { found, known });
    }
    read
}

macro_rules! word_fields {
    ($($word:ident)*) => {$(
        impl Field for $word {
            fn read(reader: &mut Reader<'_>, spot: &Spot<'_>) -> Option<Self> {
                read_word(reader, spot, Self::ALL, Self::from_word)
            }

            fn written(&self) -> Option<String> {
                Some(format!("\"{}\"", self.word()))
            }
        }
    )*};
}

word_fields! {
    CopySuspicion Curve Delivery DestructionClass EdwardsCurve FactorScan HitEffect HsmBackup
    LateRotation MissingEvidence MlDsaSet OriginClass PartyTypeExport PossessionMethod
    SameKeyRenewal SignatureHash UniquenessScope
}

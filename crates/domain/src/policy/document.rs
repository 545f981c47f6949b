//! The text of a policy document: read strictly, with every mistake told at once.

use std::fmt;

use super::Installation;
use super::KeyPolicy;
use super::reader::Reader;
use super::rules::{self, Rule};

/// What is wrong with a key of a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentProblem {
    /// The text is not TOML.
    #[error("not TOML: {told}")]
    Syntax {
        /// What the reader of TOML says.
        told: String,
    },
    /// The key is not known.
    #[error("unknown key")]
    UnknownKey,
    /// The key must be there and is not.
    #[error("this key is missing")]
    MissingKey,
    /// The value is of another kind.
    #[error("a value of kind {expected} belongs here, not {found}")]
    WrongType {
        /// What belongs here.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// The value or the key is in another unit.
    #[error("this is a whole number of {unit}, without quotes and without a unit of its own")]
    WrongUnit {
        /// The unit.
        unit: &'static str,
    },
    /// The word is not one of those known here.
    #[error("{found:?} is not known here; known are {known}")]
    UnknownWord {
        /// What is there.
        found: String,
        /// What may be there.
        known: String,
    },
    /// The number is out of range.
    #[error("{found} is not between {least} and {most}")]
    OutOfRange {
        /// The least.
        least: i64,
        /// The most.
        most: i64,
        /// What is there.
        found: String,
    },
    /// The value is of the right type and means nothing.
    #[error("{found} cannot be read as {expected}")]
    Unreadable {
        /// What belongs here: `name`, `day`, `instant` (in UTC, with `Z`), `sharing` (`2 of 3`).
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// The value stands in the list twice.
    #[error("{found} stands in this list twice")]
    Repeated {
        /// What is there.
        found: String,
    },
    /// The value contradicts a rule, or another value.
    #[error("{rule} ({limit})")]
    Contradiction {
        /// Which rule.
        rule: Rule,
        /// The limit, or the other key.
        limit: String,
    },
}

/// A mistake in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentError {
    /// The line, from 1. Of a missing key: the line of the section it belongs into.
    pub line: usize,
    /// The path of the key; empty where the text is not TOML.
    pub key: String,
    /// What is wrong.
    pub problem: DocumentProblem,
    /// The known key that is written most like an unknown one.
    pub nearest: Option<String>,
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if !self.key.is_empty() {
            write!(f, ", {}", self.key)?;
        }
        write!(f, ": {}", self.problem)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; the nearest known key is {nearest}"),
            None => Ok(()),
        }
    }
}

impl DocumentProblem {
    /// The stable code, for the catalogue of texts.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "syntax",
            Self::UnknownKey => "unknown-key",
            Self::MissingKey => "missing-key",
            Self::WrongType { .. } => "wrong-type",
            Self::WrongUnit { .. } => "wrong-unit",
            Self::UnknownWord { .. } => "unknown-word",
            Self::OutOfRange { .. } => "out-of-range",
            Self::Unreadable { .. } => "unreadable",
            Self::Repeated { .. } => "repeated",
            Self::Contradiction { .. } => "contradiction",
        }
    }
}

/// Reads a document for an installation. Every mistake is told at once, in the order of lines.
///
/// # Errors
/// Unknown, missing and repeated keys, values of a wrong type or unit, and rules that contradict
/// each other, DOMAIN, or what the installation is for.
pub fn parse(text: &str, installation: Installation) -> Result<KeyPolicy, Vec<DocumentError>> {
    let (document, mut reader) = Reader::read(text);
    let Some(policy) = document.filter(|_| reader.errors.is_empty()).map(KeyPolicy::from) else {
        return Err(reader.errors);
    };
    for broken in rules::broken(&policy, installation) {
        let line = line_of(&reader, &broken.key);
        let problem = DocumentProblem::Contradiction { rule: broken.rule, limit: broken.limit };
        reader.report(line, &broken.key, problem, None);
    }
    if reader.errors.is_empty() {
        return Ok(policy);
    }
    reader.errors.sort_by(|one, other| (one.line, &one.key).cmp(&(other.line, &other.key)));
    Err(reader.errors)
}

/// The line of a key, or of the nearest section above it.
fn line_of(reader: &Reader<'_>, key: &str) -> usize {
    let mut path = key;
    loop {
        if let Some(line) = reader.lines.get(path) {
            return *line;
        }
        match path.rsplit_once('.') {
            Some((above, _)) => path = above,
            None => return 1,
        }
    }
}

/// The document as TOML, without comments. Reading it gives the same document.
pub fn write(policy: &KeyPolicy) -> String {
    policy.document().to_toml()
}

#[cfg(test)]
mod tests;

//! Reading columns back into nouns: what does not read is named with its table, row and column.

use tenkoku_domain::canonical::Digest;
use tenkoku_domain::level::Level;
use tenkoku_domain::name::Name;
use tenkoku_domain::time::Timestamp;

use crate::error::StoreError;

/// The row that is being read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    what: &'static str,
    id: &'a str,
}

impl<'a> Place<'a> {
    /// A row of `what`, recognised by `id`.
    pub(crate) const fn new(what: &'static str, id: &'a str) -> Self {
        Self { what, id }
    }

    /// A value that must be there.
    pub(crate) fn some<T>(self, column: &'static str, value: Option<T>) -> Result<T, StoreError> {
        value.ok_or_else(|| StoreError::Corrupt { what: self.what, id: self.id.to_owned(), column })
    }

    /// A value that must parse.
    pub(crate) fn ok<T, E>(
        self,
        column: &'static str,
        value: Result<T, E>,
    ) -> Result<T, StoreError> {
        self.some(column, value.ok())
    }

    /// A digest in hexadecimal.
    pub(crate) fn digest(self, column: &'static str, text: &str) -> Result<Digest, StoreError> {
        self.ok(column, Digest::parse(text))
    }

    /// A level's number.
    pub(crate) fn level(self, column: &'static str, number: i16) -> Result<Level, StoreError> {
        let level = u8::try_from(number).ok().and_then(|number| Level::try_from(number).ok());
        self.some(column, level)
    }

    /// A name that may be absent.
    pub(crate) fn name(
        self,
        column: &'static str,
        text: Option<String>,
    ) -> Result<Option<Name>, StoreError> {
        text.map(|text| self.ok(column, Name::parse(&text))).transpose()
    }
}

/// The column of a level.
pub(crate) fn level_number(level: Level) -> i16 {
    i16::from(level.number())
}

/// The instant of a column.
pub(crate) fn instant(millis: Option<i64>) -> Option<Timestamp> {
    millis.map(Timestamp::from_millis)
}

/// The column of an instant.
pub(crate) fn millis(instant: Option<Timestamp>) -> Option<i64> {
    instant.map(Timestamp::millis)
}

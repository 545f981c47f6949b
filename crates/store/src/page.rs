//! Keyed pages: each page names where the next one begins, so no row is seen twice or missed.

use crate::error::StoreError;

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// What to pass as `after` for the next page; `None` at the end.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page of at most `limit` of `rows`, which were asked for with one row more.
    pub(crate) fn of(mut rows: Vec<T>, limit: i64, key: impl Fn(&T) -> String) -> Self {
        let most = usize::try_from(limit).unwrap_or(0);
        let more = rows.len() > most;
        rows.truncate(most);
        let next = rows.last().filter(|_| more).map(key);
        Self { items: rows, next }
    }

    /// The same page with other items.
    pub(crate) fn try_map<U>(
        self,
        read: impl FnMut(T) -> Result<U, StoreError>,
    ) -> Result<Page<U>, StoreError> {
        let items = self.items.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Page { items, next: self.next })
    }
}

/// The pattern of LIKE that finds `text` anywhere; `\` escapes.
pub(crate) fn containing(text: &str) -> String {
    format!("%{}%", escaped(text))
}

/// The pattern of LIKE that finds `text` at the beginning; `\` escapes.
pub(crate) fn beginning(text: &str) -> String {
    format!("{}%", escaped(text))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

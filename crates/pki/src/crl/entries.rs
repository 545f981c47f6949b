//! Entries of a list as they are kept: encoded once, one after the other.

use tenkoku_domain::certificate::Serial;

use super::Entry;
use super::read::{RawEntries, RawEntry};

/// Entries that were encoded, in the order in which they stand in a list. A million take what they
/// take in the list: about 50 MB.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryList {
    der: Vec<u8>,
    count: usize,
}

impl EntryList {
    /// No entries.
    pub const fn new() -> Self {
        Self { der: Vec::new(), count: 0 }
    }

    /// How many.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The octets, one entry after the other.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Adds an entry at the end.
    pub fn push(&mut self, entry: &Entry) {
        let encoded = entry.encode();
        if self.der.capacity() - self.der.len() < encoded.len() {
            // A sixteenth more instead of twice as much: a long list must not take its size twice.
            self.der.reserve_exact((self.der.len() / 16).max(4096).max(encoded.len()));
        }
        self.der.extend_from_slice(&encoded);
        self.count += 1;
    }

    /// Takes the entry of a serial number out; whether there was one. The whole list is searched.
    pub fn remove(&mut self, serial: &Serial) -> bool {
        let Some((from, to)) = self.find(serial) else { return false };
        self.der.drain(from..to);
        self.count -= 1;
        true
    }

    /// Whether a serial number has an entry. The whole list is searched.
    pub fn contains(&self, serial: &Serial) -> bool {
        self.find(serial).is_some()
    }

    /// Where the entry of a serial number begins and ends.
    fn find(&self, serial: &Serial) -> Option<(usize, usize)> {
        let mut from = 0;
        for entry in RawEntries::new(&self.der) {
            let RawEntry { serial: found, length, .. } = entry.ok()?;
            if found == serial.octets() {
                return Some((from, from + length));
            }
            from += length;
        }
        None
    }
}

impl<'a> FromIterator<&'a Entry> for EntryList {
    fn from_iter<I: IntoIterator<Item = &'a Entry>>(entries: I) -> Self {
        let mut list = Self::new();
        entries.into_iter().for_each(|entry| list.push(entry));
        list
    }
}

#[cfg(test)]
impl EntryList {
    /// Octets that nothing here would write, for tests of the lint.
    pub(super) fn from_der(der: Vec<u8>, count: usize) -> Self {
        Self { der, count }
    }
}

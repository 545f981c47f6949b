//! Trusted lists as published by the platform, and their drafts.
//!
//! Deliberately not here: what a list says; the format crate knows.

pub mod delivery;
pub mod draft;

use serde::{Deserialize, Serialize};

use crate::canonical::Digest;
use crate::id::{KeyId, ListDraftId};
use crate::key::{Fingerprint, words};
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

/// The code of a scheme, as in `/tl/{scheme}.xml`: lower-case letters, digits and hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SchemeCode(String);

impl SchemeCode {
    /// Reads a code of 1 to 32 lower-case letters, digits and inner hyphens.
    ///
    /// # Errors
    /// The code is longer, empty, or has another character.
    pub fn parse(code: &str) -> Result<Self, Refusal> {
        let fits = (1..=32).contains(&code.len())
            && code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !code.starts_with('-')
            && !code.ends_with('-');
        if fits {
            return Ok(Self(code.to_owned()));
        }
        Err(Refusal::new(RefusalCode::NameInvalid, "4.4")
            .with("problem", "scheme-code")
            .with("scheme", code))
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for SchemeCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for SchemeCode {
    type Error = String;
    fn try_from(code: String) -> Result<Self, String> {
        Self::parse(&code).map_err(|_| format!("not the code of a scheme: {code:?}"))
    }
}

impl From<SchemeCode> for String {
    fn from(code: SchemeCode) -> Self {
        code.0
    }
}

/// A signed list that was, or is, live at its address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedList {
    /// Code of the scheme, as in `/tl/{scheme}.xml`.
    pub scheme: String,
    /// TSLSequenceNumber: 1 at the first release, higher at each (TS 119 612, 5.3.2).
    pub sequence: i64,
    /// ListIssueDateTime.
    pub issued_at: Timestamp,
    /// NextUpdate; `None` for a closed list, which no other follows (TS 119 612, 5.3.15).
    pub next_update: Option<Timestamp>,
    /// The key that signed it.
    pub signer: KeyId,
    /// SHA-256 of the served octets.
    pub digest: Digest,
    /// The digest of what the list says, its number and dates aside: a reissue says the same.
    pub content: Digest,
    /// The draft it was made of; `None` for a first list and for a reissue.
    pub draft: Option<ListDraftId>,
    /// The served octets.
    #[serde(skip)]
    pub xml: Vec<u8>,
    /// The same list in JSON, signed (TS 119 602, JAdES compact); a closed list has none, nor have
    /// those of earlier releases.
    #[serde(skip)]
    pub json: Option<String>,
}

words! {
    /// What a list says of a service, as far as the platform must know it without reading the list.
    /// Stored: add, never change one.
    Standing {
        /// It is vouched for.
        Running = "running",
        /// It is listed as ended: withdrawn, deprecated, expired.
        Ended = "ended",
    }
}

/// A service of a published list, by its key: what the authority's side asks about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedService {
    /// The scheme.
    pub scheme: String,
    /// The key.
    pub fingerprint: Fingerprint,
    /// The service's name in English.
    pub name: String,
    /// ServiceStatus.
    pub status: String,
    /// Since when.
    pub since: Timestamp,
    /// Whether the list vouches for it.
    pub standing: Standing,
    /// The sequence that says so.
    pub sequence: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_s_code_can_stand_in_an_address() {
        for code in ["jp-2021", "eu", "lotl"] {
            assert_eq!(SchemeCode::parse(code).unwrap().as_str(), code);
        }
        for code in ["", "JP", "a/b", "-a", "a-", "a b", "..", &"a".repeat(33)] {
            assert!(SchemeCode::parse(code).is_err(), "{code}");
        }
    }
}

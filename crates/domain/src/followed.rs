//! Trusted lists of others: whom to believe, what was fetched and kept, and what is wrong with a list
//! now (TS 119 612, TS 119 615).
//!
//! A list that turns bad stays what it was when it was last good, and says so: nothing here takes
//! trust away by itself. Deliberately not here: XML, signatures, the web.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::canonical::Digest;
use crate::exchange::Octets;
use crate::id::SnapshotId;
use crate::key::words;
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

/// The job that looks at the lists of others.
pub const REFRESH_JOB: &str = "refresh-lists";
/// The longest address of a list.
const LONGEST_ADDRESS: usize = 2000;
/// The longest explanation of a fault that is kept, in characters.
const LONGEST_DETAIL: usize = 500;

/// What a list of others is called here: lower-case letters, digits and hyphens, at most 40 of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ListCode(String);

impl ListCode {
    /// Reads a code.
    ///
    /// # Errors
    /// Other characters, a hyphen at the beginning, or too many.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let fine = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fine && !text.is_empty() && text.len() <= 40 && !text.starts_with('-') {
            return Ok(Self(text.to_owned()));
        }
        Err(Refusal::new(RefusalCode::NameInvalid, "3").with("problem", "code").with("code", text))
    }

    /// The code of a list that this one, a list of lists, points at: `eu` leads to `eu-it`, and to
    /// `eu-it-2` where several lists are of one territory.
    ///
    /// # Errors
    /// The code would be too long.
    pub fn of_territory(&self, territory: &str, number: usize) -> Result<Self, Refusal> {
        let territory = territory.to_ascii_lowercase();
        match number {
            0 | 1 => Self::parse(&format!("{self}-{territory}")),
            more => Self::parse(&format!("{self}-{territory}-{more}")),
        }
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ListCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ListCode {
    type Error = Refusal;
    fn try_from(text: String) -> Result<Self, Refusal> {
        Self::parse(&text)
    }
}

impl From<ListCode> for String {
    fn from(code: ListCode) -> String {
        code.0
    }
}

/// What the belief in a list rests on. Stored as JSON: add variants, never change one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "by", deny_unknown_fields)]
pub enum ListTrust {
    /// A list of lists, believed back to a publication in an official journal, by which a person
    /// compared the certificates (TS 119 615, 4.1).
    Journal {
        /// The address of the publication, as the list of lists writes it.
        address: String,
        /// The certificates published there, DER.
        certificates: Vec<Octets>,
    },
    /// One list, signed by one of these.
    Signers {
        /// Certificates, DER.
        certificates: Vec<Octets>,
    },
}

impl ListTrust {
    /// The certificates that belief rests on, DER.
    pub fn anchors(&self) -> &[Octets] {
        match self {
            Self::Journal { certificates, .. } | Self::Signers { certificates } => certificates,
        }
    }
}

/// A list, or list of lists, that people decided to believe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListSource {
    /// What it is called here.
    pub code: ListCode,
    /// Where it was when it was taken on; [`FollowedList::location`] says where it is.
    pub location: String,
    /// Why it is believed.
    pub trust: ListTrust,
    /// Since when.
    pub trusted_at: Timestamp,
    /// Since when no more.
    pub ended_at: Option<Timestamp>,
}

/// Whether a list may be taken on from an address.
///
/// # Errors
/// It is no address of the web, or too long.
pub fn check_location(address: &str) -> Result<(), Refusal> {
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    let plain = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'<' && b != b'>';
    match rest {
        Some(rest)
            if !rest.is_empty()
                && address.len() <= LONGEST_ADDRESS
                && address.bytes().all(plain) =>
        {
            Ok(())
        }
        Some(_) | None => Err(Refusal::new(RefusalCode::NameInvalid, "TS 119 612, 6.1")
            .with("problem", "list-address")
            .with("address", address)),
    }
}

words! {
    /// What is wrong with a list of others. Stored: add, never change one.
    ListProblem {
        /// No server answers, or not with a document.
        Unreachable = "unreachable",
        /// The address, or one it redirects to, must not be fetched from.
        Forbidden = "forbidden",
        /// The document is larger than any list.
        TooLarge = "too-large",
        /// The document did not come in time.
        TooSlow = "too-slow",
        /// It is no list, or its signature does not hold.
        Refused = "refused",
        /// Somebody signed it who is not announced.
        Signer = "signer",
        /// A pivot is missing or broken.
        Pivot = "pivot",
        /// It does not lead back to the journal.
        Journal = "journal",
        /// It names a newer publication in the journal, which a person must look at.
        NewJournal = "new-journal",
        /// It is of another territory than the pointer says.
        Territory = "territory",
        /// Its next update has passed.
        Stale = "stale",
        /// It is closed: no other will follow.
        Closed = "closed",
        /// Its sequence number is lower than that of the list that was there before.
        Older = "older",
        /// Another list has the sequence number of the one that was there before.
        Replaced = "replaced",
        /// The digest that lies beside it is of something else.
        Digest = "digest",
    }
}

/// What is wrong with a list, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListFault {
    /// What.
    pub problem: ListProblem,
    /// What was found, for specialists; of other people's making.
    pub detail: String,
    /// Since when.
    pub since: Timestamp,
}

impl ListFault {
    /// A fault found now. What others wrote is cut and kept to one line.
    pub fn new(problem: ListProblem, detail: impl fmt::Display, since: Timestamp) -> Self {
        let plain = |c: char| if c.is_control() { ' ' } else { c };
        let detail = detail.to_string().chars().take(LONGEST_DETAIL).map(plain).collect();
        Self { problem, detail, since }
    }
}

/// A list that is looked at again and again, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowedList {
    /// What it is called here.
    pub code: ListCode,
    /// The source it comes from: itself, or the list of lists that points at it.
    pub source: ListCode,
    /// Where it is.
    pub location: String,
    /// The territory that the pointer names; nothing for a source.
    pub territory: Option<String>,
    /// What is in force: the last list that was good.
    pub snapshot: Option<SnapshotId>,
    /// `ETag` of what is in force.
    pub etag: Option<String>,
    /// `Last-Modified` of what is in force.
    pub last_modified: Option<String>,
    /// The last look.
    pub checked_at: Option<Timestamp>,
    /// The last look that found what is in force.
    pub confirmed_at: Option<Timestamp>,
    /// What is wrong.
    pub fault: Option<ListFault>,
    /// Since when no pointer leads to it, or its source is not believed any more.
    pub dropped_at: Option<Timestamp>,
}

impl FollowedList {
    /// A list that was not looked at yet.
    pub fn new(
        code: ListCode,
        source: ListCode,
        location: String,
        territory: Option<String>,
    ) -> Self {
        Self {
            code,
            source,
            location,
            territory,
            snapshot: None,
            etag: None,
            last_modified: None,
            checked_at: None,
            confirmed_at: None,
            fault: None,
            dropped_at: None,
        }
    }

    /// Whether it is the list that people decided to believe, not one that it points at.
    pub fn is_source(&self) -> bool {
        self.code == self.source
    }
}

/// A list as it was fetched and found good. Never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotHead {
    /// Identifier, by which findings cite it.
    pub id: SnapshotId,
    /// The list.
    pub list: ListCode,
    /// Where it was fetched.
    pub address: String,
    /// TSLSequenceNumber.
    pub sequence: i64,
    /// ListIssueDateTime.
    pub issued_at: Timestamp,
    /// NextUpdate; nothing for a closed list.
    pub next_update: Option<Timestamp>,
    /// SHA-256 of the certificate that signed it.
    pub signer: Digest,
    /// SHA-256 of its octets.
    pub digest: Digest,
    /// When it was fetched.
    pub taken_at: Timestamp,
}

/// A snapshot with its octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// What it is.
    pub head: SnapshotHead,
    /// The document.
    pub xml: Vec<u8>,
}

impl std::ops::Deref for Snapshot {
    type Target = SnapshotHead;
    fn deref(&self) -> &SnapshotHead {
        &self.head
    }
}

/// How a list that was fetched stands to the one in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Succession {
    /// It is the same.
    Same,
    /// It takes its place.
    Next,
}

/// Whether a list that was fetched may take the place of the one in force: sequence numbers only
/// rise, and each is used once (TS 119 612, 5.3.2).
///
/// # Errors
/// [`ListProblem::Older`], [`ListProblem::Replaced`].
pub fn succession(
    in_force: Option<&SnapshotHead>,
    sequence: i64,
    digest: &Digest,
) -> Result<Succession, ListProblem> {
    match in_force {
        Some(before) if before.digest == *digest => Ok(Succession::Same),
        Some(before) if sequence < before.sequence => Err(ListProblem::Older),
        Some(before) if sequence == before.sequence => Err(ListProblem::Replaced),
        Some(_) | None => Ok(Succession::Next),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Entropy;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_371_000);

    struct Zero;
    impl Entropy for Zero {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn in_force() -> SnapshotHead {
        SnapshotHead {
            id: SnapshotId::new(NOW, &Zero),
            list: ListCode::parse("eu-it").unwrap(),
            address: "https://example.it/tl.xml".to_owned(),
            sequence: 7,
            issued_at: NOW,
            next_update: None,
            signer: Digest::of(b"signer"),
            digest: Digest::of(b"list"),
            taken_at: NOW,
        }
    }

    #[track_caller]
    fn check(sequence: i64, octets: &[u8], expected: Result<Succession, ListProblem>) {
        assert_eq!(succession(Some(&in_force()), sequence, &Digest::of(octets)), expected);
    }

    #[test]
    fn sequence_numbers_rise_and_each_is_used_once() {
        check(7, b"list", Ok(Succession::Same));
        check(8, b"next", Ok(Succession::Next));
        check(7, b"another", Err(ListProblem::Replaced));
        check(6, b"former", Err(ListProblem::Older));
        assert_eq!(succession(None, 1, &Digest::of(b"first")), Ok(Succession::Next));
    }

    #[test]
    fn a_list_that_is_pointed_at_is_named_by_territory() {
        let eu = ListCode::parse("eu").unwrap();
        let named = |number| eu.of_territory("IT", number).unwrap().to_string();
        assert_eq!([named(1), named(2)], ["eu-it", "eu-it-2"]);
        assert!(eu.of_territory("../..", 1).is_err());
        assert!(ListCode::parse("EU").is_err());
    }

    #[test]
    fn a_list_is_taken_from_the_web_only() {
        assert!(check_location("https://example.org/tl.xml").is_ok());
        for address in ["ftp://example.org/", "https://", "https://a b/", "file:///tl.xml", ""] {
            assert!(check_location(address).is_err(), "{address}");
        }
    }

    #[test]
    fn what_others_wrote_is_kept_short_and_on_one_line() {
        let fault = ListFault::new(ListProblem::Refused, "a\nb".repeat(1000), NOW);
        assert_eq!(fault.detail.chars().count(), LONGEST_DETAIL);
        assert!(!fault.detail.contains('\n'));
    }
}

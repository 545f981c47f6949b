//! Where a key was made, and what was left of it when it was destroyed.
//!
//! These are facts that a store reads from its container; what they are worth as evidence is
//! decided by the domain. Deliberately not here: who ordered it and when, which the caller knows.

use std::fmt;

use serde::{Deserialize, Serialize};
use tenkoku_domain::id::KeyId;
use tenkoku_domain::key::OriginClass;

/// In files or in hardware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// Keys in protected files.
    Software,
    /// Keys in a device that they cannot leave.
    Hardware,
}

/// The container that holds a key. Stored. Add variants, never change one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Container {
    /// A folder of protected files.
    Files {
        /// The folder.
        place: String,
    },
    /// A token behind a PKCS #11 module.
    Token {
        /// The token's own label.
        label: String,
        /// The serial number that the token gives itself.
        serial: String,
        /// Maker and model of the token.
        model: String,
        /// Maker, name and version of the module that reached it.
        library: String,
    },
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files { place } => f.write_str(place),
            Self::Token { label, serial, .. } => write!(f, "{label} ({serial})"),
        }
    }
}

/// Where a key was made and how far that is shown (DOMAIN 9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// K2 when the container's own attributes show it; K1 for files, where only the platform says
    /// so.
    pub class: OriginClass,
    /// Where the key is.
    pub container: Container,
    /// The container's name for the key: a file name, or CKA_ID in hexadecimal.
    pub object: String,
}

/// What a search for the objects of one key found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// Private keys.
    pub private: usize,
    /// Public keys.
    pub public: usize,
    /// Secret keys and data objects of the same name: what a wrapped copy would be kept in. In
    /// files, leftovers of the key's file.
    pub wrapped: usize,
}

impl Search {
    /// Whether nothing was found.
    pub const fn is_empty(&self) -> bool {
        self.private == 0 && self.public == 0 && self.wrapped == 0
    }
}

/// What a store finds of a key now, and where: recorded before the key is destroyed, so that a power
/// cut in between leaves what it was and where it was. Stored as an attachment of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// The key.
    pub id: KeyId,
    /// Where it is: for a token with its serial, and the identity of the library.
    pub container: Container,
    /// The container's name for it.
    pub object: String,
    /// What was found.
    pub found: Search,
}

impl Sighting {
    /// The report of a destruction that a later search of the same container completes.
    pub fn followed_by(self, after: Search) -> Destruction {
        let Self { id, container, object, found: before } = self;
        Destruction { id, container, object, before, after }
    }
}

/// What a store reports of a key that it destroyed (D1 of DOMAIN 11). Stored in evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destruction {
    /// The key.
    pub id: KeyId,
    /// Where it was: for a token with its serial, and the identity of the library.
    pub container: Container,
    /// The container's name for it.
    pub object: String,
    /// What was found before.
    pub before: Search,
    /// What was found after.
    pub after: Search,
}

impl Destruction {
    /// Whether the private key was there before, and nothing is there after.
    pub const fn is_complete(&self) -> bool {
        self.before.private > 0 && self.after.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use tenkoku_domain::id::Entropy;
    use tenkoku_domain::time::Timestamp;

    use super::*;

    struct Zero;
    impl Entropy for Zero {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn report(before: Search, after: Search) -> Destruction {
        Destruction {
            id: KeyId::new(Timestamp::EPOCH, &Zero),
            container: Container::Files { place: "keys".to_owned() },
            object: "1".to_owned(),
            before,
            after,
        }
    }

    #[test]
    fn a_destruction_is_complete_when_something_was_there_and_nothing_is_left() {
        let pair = Search { private: 1, public: 1, wrapped: 0 };
        let none = Search::default();
        assert!(report(pair, none).is_complete());
        assert!(!report(none, none).is_complete());
        assert!(!report(pair, Search { wrapped: 1, ..none }).is_complete());
        assert!(!report(pair, Search { public: 1, ..none }).is_complete());
    }

    #[test]
    fn a_report_reads_back_from_json() {
        let report = report(Search { private: 1, public: 1, wrapped: 0 }, Search::default());
        let json = serde_json::to_string(&report).unwrap();
        assert!(json.contains(r#""container":{"kind":"files","place":"keys"}"#), "{json}");
        assert_eq!(serde_json::from_str::<Destruction>(&json).unwrap(), report);
    }
}

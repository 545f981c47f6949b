//! Persons, and the offices they hold in organisations: representatives and delegates (DOMAIN 2, 3).
//!
//! A person is counted once, whatever number of accounts and offices that person has (I-6). What an
//! account may do on the platform is not here: that is its roles.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::canonical::Digest;
use crate::id::{BranchId, DelegateId, OrganisationId, PersonId, RepresentativeId};
use crate::name::{Name, comparable, plain_text};
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

/// Days for which the grants of a representative who left wait for the successor's word (DG-6).
pub const REVIEW_DAYS: i64 = 30;

/// A person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Identifier.
    pub id: PersonId,
    /// Name.
    pub name: Name,
    /// E-mail address; empty where none is known.
    pub contact: String,
    /// When the person was recorded.
    pub created_at: Timestamp,
}

impl Person {
    /// What two spellings of one name have in common: without case, space, width, punctuation.
    pub fn key(&self) -> String {
        name_key(self.name.as_str())
    }

    /// Checks an e-mail address; an empty text is one that is not known.
    pub fn parse_contact(text: &str) -> Result<String, Refusal> {
        let text = text.trim();
        let fits = text.len() <= 254
            && text.bytes().all(|b| b.is_ascii_graphic())
            && text.split_once('@').is_some_and(|(local, domain)| {
                !local.is_empty() && domain.contains('.') && !domain.contains('@')
            });
        if text.is_empty() || fits {
            return Ok(text.to_owned());
        }
        Err(Refusal::new(RefusalCode::NameInvalid, "3")
            .with("problem", "contact")
            .with("name", text))
    }
}

/// What two spellings of a person's name have in common.
pub fn name_key(name: &str) -> String {
    comparable(name).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Who counts in an approval (I-6).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Party {
    /// Whoever is at the machine's own command line, and every part of the platform: together one
    /// person, so that the shell alone never suffices.
    Shell,
    /// A person of the register.
    Person(PersonId),
}

impl Party {
    const SHELL: &'static str = "shell";

    /// Reads what [`fmt::Display`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        if text == Self::SHELL {
            return Some(Self::Shell);
        }
        PersonId::parse(text).ok().map(Self::Person)
    }

    /// The person, where it is one.
    pub const fn person(&self) -> Option<&PersonId> {
        match self {
            Self::Shell => None,
            Self::Person(id) => Some(id),
        }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shell => f.write_str(Self::SHELL),
            Self::Person(id) => id.fmt(f),
        }
    }
}

/// Why a text names nobody who counts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no person")]
pub struct PartyError(String);

impl TryFrom<String> for Party {
    type Error = PartyError;
    fn try_from(text: String) -> Result<Self, PartyError> {
        Self::parse(&text).ok_or(PartyError(text))
    }
}

impl From<Party> for String {
    fn from(party: Party) -> Self {
        party.to_string()
    }
}

/// A person with legal authority for an organisation, from and until a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Representative {
    /// Identifier.
    pub id: RepresentativeId,
    /// The organisation.
    pub organisation: OrganisationId,
    /// The person.
    pub person: PersonId,
    /// In which capacity, as the register says it: `代表取締役`.
    pub capacity: Name,
    /// The digest of the register's evidence that the capacity is current.
    pub evidence: Digest,
    /// The first instant.
    pub from: Timestamp,
    /// The last instant, once it is known.
    pub until: Option<Timestamp>,
}

impl Representative {
    /// Whether the capacity is held at an instant.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }
}

/// A person whom an organisation may give a part of its authority: everywhere or at one branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegate {
    /// Identifier.
    pub id: DelegateId,
    /// The organisation.
    pub organisation: OrganisationId,
    /// The person.
    pub person: PersonId,
    /// The only branch, or none for the whole organisation.
    pub branch: Option<BranchId>,
    /// The first instant.
    pub from: Timestamp,
    /// The last instant.
    pub until: Timestamp,
}

impl Delegate {
    /// Whether the office is held at an instant.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }
}

/// Checks a person's name.
pub fn parse_name(text: &str) -> Result<Name, Refusal> {
    Name::parse(&plain_text(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Entropy;

    struct Zero;
    impl Entropy for Zero {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    #[test]
    fn who_counts_reads_back() {
        let person = Party::Person(PersonId::new(Timestamp::EPOCH, &Zero));
        for party in [Party::Shell, person] {
            assert_eq!(Party::parse(&party.to_string()), Some(party));
        }
        assert_eq!(Party::parse("person:hanako"), None);
    }

    #[test]
    fn i_6_one_name_in_several_spellings_is_one_name() {
        for other in ["山田　一", "山田一", "山田・一"] {
            assert_eq!(name_key("山田 一"), name_key(other), "{other}");
        }
        assert_eq!(name_key("Hanako Rei"), name_key("ｈａｎａｋｏ　ＲＥＩ"));
        assert_ne!(name_key("山田 一"), name_key("山田 二"));
    }

    #[test]
    fn an_office_begins_and_ends() {
        let at = Timestamp::from_seconds;
        let mut held = Representative {
            id: RepresentativeId::new(Timestamp::EPOCH, &Zero),
            organisation: OrganisationId::new(Timestamp::EPOCH, &Zero),
            person: PersonId::new(Timestamp::EPOCH, &Zero),
            capacity: Name::parse("代表取締役").unwrap(),
            evidence: Digest([0; 32]),
            from: at(10),
            until: None,
        };
        assert!(!held.holds(at(9)));
        assert!(held.holds(at(1000)));
        held.until = Some(at(20));
        assert!(held.holds(at(19)));
        assert!(!held.holds(at(20)));
    }

    #[test]
    fn a_contact_is_an_address_or_not_known() {
        for good in ["", " hanako@branch.example "] {
            assert!(Person::parse_contact(good).is_ok(), "{good}");
        }
        for bad in ["a", "a@b", "@b.example", "a@b@c.example", "あ@b.example", "a b@c.example"] {
            assert!(Person::parse_contact(bad).is_err(), "{bad}");
        }
    }
}

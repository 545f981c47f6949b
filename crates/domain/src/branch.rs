//! Branch offices: every unit that seals under its own name and with its own key.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{BranchId, OrganisationId};
use crate::key::words;
use crate::name::{Name, plain_text};
use crate::organisation::Address;
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

/// A branch's code: `[A-Z0-9][A-Z0-9-]{0,23}`, unique in its organisation for ever.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BranchCode(String);

impl BranchCode {
    /// Reads a code.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let first =
            text.bytes().next().is_some_and(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        let rest = text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-');
        if first && rest && text.len() <= 24 {
            return Ok(Self(text.to_owned()));
        }
        Err(Refusal::new(RefusalCode::NameInvalid, "3").with("problem", "code").with("code", text))
    }

    /// The code of the head office: `HQ`.
    pub fn head_office() -> Self {
        Self("HQ".to_owned())
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BranchCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for BranchCode {
    type Error = Refusal;
    fn try_from(text: String) -> Result<Self, Refusal> {
        Self::parse(&text)
    }
}

impl From<BranchCode> for String {
    fn from(code: BranchCode) -> String {
        code.0
    }
}

words! {
    /// State of a branch office (DOMAIN 6.2).
    BranchState {
        /// Entered, not confirmed.
        Planned = "planned",
        /// Working.
        Open = "open",
        /// Instances suspended.
        Paused = "paused",
        /// Ending.
        Closing = "closing",
        /// Ended.
        Closed = "closed",
    }
}

words! {
    /// Kind of a branch office.
    BranchKind {
        /// The head office; its seal is the organisation's (no OU in the subject).
        HeadOffice = "head-office",
        /// Any unit below.
        Branch = "branch",
    }
}

/// The person who answers for the branch's key containers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Custodian {
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: String,
}

impl Custodian {
    /// Checks a custodian's name and address.
    pub fn parse(name: &str, email: &str) -> Result<Self, Refusal> {
        let wrong =
            || Refusal::new(RefusalCode::CustodianMissing, "KM-16").with("email", email.trim());
        let name = plain_text(name).map_err(|_| wrong())?;
        let email = email.trim();
        let (local, domain) = email.split_once('@').ok_or_else(wrong)?;
        let plain = email.bytes().all(|b| b.is_ascii_graphic()) && email.len() <= 254;
        let dotted = domain.contains('.') && !domain.contains('@') && !local.is_empty();
        if !plain || !dotted {
            return Err(wrong());
        }
        Ok(Self { name, email: email.to_owned() })
    }
}

/// A branch office.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    /// Identifier of the record.
    pub id: BranchId,
    /// The organisation it belongs to.
    pub organisation: OrganisationId,
    /// Its code.
    pub code: BranchCode,
    /// Kind.
    pub kind: BranchKind,
    /// Name as registered.
    pub name: Name,
    /// Name in Latin script, where one is recorded.
    pub latin_name: Option<Name>,
    /// The custodian; without one nothing is issued (KM-16).
    pub custodian: Option<Custodian>,
    /// Address.
    pub address: Address,
    /// State.
    pub state: BranchState,
    /// When it was opened on the platform.
    pub opened_at: Timestamp,
}

impl BranchState {
    /// Whether one transition of DOMAIN 6.2 leads from here to there.
    pub const fn leads_to(self, to: Self) -> bool {
        matches!(
            (self, to),
            (Self::Planned | Self::Paused, Self::Open)
                | (Self::Open, Self::Paused)
                | (Self::Open | Self::Paused, Self::Closing)
                | (Self::Closing, Self::Closed)
        )
    }
}

impl Branch {
    /// The branch in another state; a transition that DOMAIN 6.2 does not list is refused.
    pub fn moved(&self, to: BranchState) -> Result<Self, Refusal> {
        if self.state.leads_to(to) {
            return Ok(Self { state: to, ..self.clone() });
        }
        Err(Refusal::new(RefusalCode::StateConflict, "6.2")
            .with("branch", &self.code)
            .with("state", self.state)
            .with("to", to))
    }

    /// Whether the branch may apply now: open, and with a custodian (KM-16).
    pub fn may_apply(&self) -> Result<(), Refusal> {
        match self.state {
            BranchState::Open => {}
            BranchState::Planned
            | BranchState::Paused
            | BranchState::Closing
            | BranchState::Closed => {
                return Err(Refusal::new(RefusalCode::BranchClosed, "6.2")
                    .with("branch", &self.code)
                    .with("state", self.state));
            }
        }
        match self.custodian {
            Some(_) => Ok(()),
            None => {
                Err(Refusal::new(RefusalCode::CustodianMissing, "KM-16").with("branch", &self.code))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_follow_their_pattern() {
        for good in ["BR-0002", "HQ", "0", "ABCDEFGHIJKLMNOPQRSTUVWX"] {
            assert!(BranchCode::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-A", "br-1", "A_B", "ABCDEFGHIJKLMNOPQRSTUVWXY", "支店"] {
            assert!(BranchCode::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_branch_goes_the_ways_of_domain_6_2_and_no_other() {
        use BranchState as S;
        let ways = [
            (S::Planned, S::Open),
            (S::Open, S::Paused),
            (S::Paused, S::Open),
            (S::Open, S::Closing),
            (S::Paused, S::Closing),
            (S::Closing, S::Closed),
        ];
        for from in S::ALL {
            for to in S::ALL {
                assert_eq!(from.leads_to(*to), ways.contains(&(*from, *to)), "{from} {to}");
            }
        }
    }

    #[test]
    fn a_custodian_has_a_name_and_an_address() {
        assert!(Custodian::parse("例 花子", "hanako@branch.example").is_ok());
        for (name, email) in [
            ("", "a@b.example"),
            ("A", "a"),
            ("A", "a@b"),
            ("A", "@b.example"),
            ("A", "あ@b.example"),
        ] {
            assert!(Custodian::parse(name, email).is_err(), "{name} {email}");
        }
    }
}

//! Roots of vendors of key devices, against which attestations are verified: proposed by one
//! officer, trusted and ended by two others (DOMAIN 9, 17).

use crate::access::Actor;
use crate::canonical::Digest;
use crate::key::words;
use crate::policy::Installation;
use crate::policy::draft::{APPROVAL_DAYS, Verdict};
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

/// Persons other than the author who must agree (DOMAIN 17).
const APPROVALS: usize = 2;

words! {
    /// State of a vendor root. Stored: add, never change one.
    VendorRootState {
        /// Waits for approvals; nothing is verified with it yet.
        Proposed = "proposed",
        /// Attestations are verified with it.
        Trusted = "trusted",
        /// Its end waits for approvals; nothing is verified with it any more.
        Ending = "ending",
        /// Ended.
        Ended = "ended",
        /// One person rejected it.
        Rejected = "rejected",
    }
}

/// What one person decided about the change that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VendorRootDecision {
    /// The person, who counts once (I-6).
    pub person: String,
    /// How.
    pub verdict: Verdict,
    /// When.
    pub at: Timestamp,
    /// Why; empty only for an approval.
    pub reason: String,
    /// Who acted, and what the account proved itself with.
    pub actor: Actor,
}

/// A vendor's root, with the change that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VendorRoot {
    /// The name under which a policy lists it, for ever: `[a-z0-9-]`, at most 40.
    pub code: String,
    /// Its certificate, DER.
    pub certificate: Vec<u8>,
    /// The digest of the certificate: what approvers compare.
    pub digest: Digest,
    /// State.
    pub state: VendorRootState,
    /// The person who asked for the change that waits, or waited last.
    pub author: String,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// What was decided about it, oldest first.
    pub decisions: Vec<VendorRootDecision>,
}

/// Reads a code.
pub fn parse_code(text: &str) -> Result<String, Refusal> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !text.is_empty() && text.len() <= 40 && text.bytes().all(plain) {
        return Ok(text.to_owned());
    }
    Err(Refusal::new(RefusalCode::NameInvalid, "17").with("problem", "code").with("code", text))
}

impl VendorRoot {
    /// A root that is proposed; trusted at once in an evaluation, where one person does everything.
    pub fn propose(
        (code, certificate): (String, Vec<u8>),
        author: String,
        installation: Installation,
        now: Timestamp,
    ) -> Self {
        let state = match installation {
            Installation::Evaluation => VendorRootState::Trusted,
            Installation::Production => VendorRootState::Proposed,
        };
        let (digest, decisions) = (Digest::of(&certificate), Vec::new());
        Self { code, certificate, digest, state, author, asked_at: now, decisions }
    }

    /// Asks for its end. From now on nothing is verified with it, until a rejection takes that back.
    pub fn ask_end(
        &self,
        author: String,
        installation: Installation,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        if self.state != VendorRootState::Trusted {
            return Err(self.conflict());
        }
        let state = match installation {
            Installation::Evaluation => VendorRootState::Ended,
            Installation::Production => VendorRootState::Ending,
        };
        Ok(Self { state, author, asked_at: now, decisions: Vec::new(), ..self.clone() })
    }

    /// One person's decision. Two approvals by others than the author carry the change out, one
    /// rejection ends it.
    pub fn decide(&self, decision: VendorRootDecision) -> Result<Self, Refusal> {
        use VendorRootState::{Ended, Ending, Proposed, Rejected, Trusted};
        let (done, undone) = match self.state {
            Proposed => (Trusted, Rejected),
            Ending => (Ended, Trusted),
            Trusted | Ended | Rejected => return Err(self.conflict()),
        };
        if self.expires_at() < decision.at {
            return Err(
                Refusal::new(RefusalCode::ApprovalExpired, "17").with("until", self.expires_at())
            );
        }
        if decision.person == self.author {
            return Err(Refusal::new(RefusalCode::SelfApproval, "17").with("root", &self.code));
        }
        if self.decisions.iter().any(|one| one.person == decision.person) {
            return Err(Refusal::new(RefusalCode::DualControl, "I-6").with("root", &self.code));
        }
        let mut decisions = self.decisions.clone();
        decisions.push(decision.clone());
        let state = match decision.verdict {
            Verdict::Rejected => undone,
            Verdict::Approved if decisions.len() >= APPROVALS => done,
            Verdict::Approved => self.state,
        };
        Ok(Self { state, decisions, ..self.clone() })
    }

    /// Persons who must still agree to the change that waits.
    pub fn approvals_open(&self) -> usize {
        match self.state {
            VendorRootState::Proposed | VendorRootState::Ending => {
                APPROVALS.saturating_sub(self.decisions.len())
            }
            VendorRootState::Trusted | VendorRootState::Ended | VendorRootState::Rejected => 0,
        }
    }

    /// Until when the change that waits may be decided.
    pub const fn expires_at(&self) -> Timestamp {
        self.asked_at.plus_days(APPROVAL_DAYS)
    }

    fn conflict(&self) -> Refusal {
        Refusal::new(RefusalCode::StateConflict, "17")
            .with("root", &self.code)
            .with("state", self.state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_371_000);

    fn by(person: &str, verdict: Verdict) -> VendorRootDecision {
        VendorRootDecision {
            person: person.to_owned(),
            verdict,
            at: NOW,
            reason: String::new(),
            actor: Actor::system("test"),
        }
    }

    fn proposed(installation: Installation) -> VendorRoot {
        let what = ("vendor-1".to_owned(), vec![0x30, 0]);
        VendorRoot::propose(what, "author".to_owned(), installation, NOW)
    }

    #[test]
    fn i_6_two_others_than_the_author_bring_a_root_in_and_end_it() {
        let root = proposed(Installation::Production);
        let yes = |root: &VendorRoot, person: &str| root.decide(by(person, Verdict::Approved));
        let code = |result: Result<VendorRoot, Refusal>| result.unwrap_err().code;
        assert_eq!(code(yes(&root, "author")), RefusalCode::SelfApproval);
        let one = yes(&root, "second").unwrap();
        assert_eq!((one.state, one.approvals_open()), (VendorRootState::Proposed, 1));
        assert_eq!(code(yes(&one, "second")), RefusalCode::DualControl);
        let trusted = yes(&one, "third").unwrap();
        assert_eq!(trusted.state, VendorRootState::Trusted);
        assert_eq!(code(yes(&trusted, "fourth")), RefusalCode::StateConflict);
        let end = trusted.ask_end("second".to_owned(), Installation::Production, NOW).unwrap();
        assert_eq!(end.state, VendorRootState::Ending);
        assert_eq!(code(yes(&end, "second")), RefusalCode::SelfApproval);
        let back = end.decide(by("third", Verdict::Rejected)).unwrap();
        assert_eq!(back.state, VendorRootState::Trusted);
        let ended = yes(&yes(&end, "author").unwrap(), "third").unwrap();
        assert_eq!(ended.state, VendorRootState::Ended);
    }

    #[test]
    fn an_evaluation_needs_one_person_and_approvals_expire() {
        assert_eq!(proposed(Installation::Evaluation).state, VendorRootState::Trusted);
        let late = VendorRootDecision { at: NOW.plus_days(15), ..by("second", Verdict::Approved) };
        let refused = proposed(Installation::Production).decide(late).unwrap_err();
        assert_eq!(refused.code, RefusalCode::ApprovalExpired);
        assert!(parse_code("yubico-hsm").is_ok());
        for text in ["", "Yubico", "a b", &"a".repeat(41)] {
            assert!(parse_code(text).is_err(), "{text}");
        }
    }
}

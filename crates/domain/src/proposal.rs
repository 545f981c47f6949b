//! Acts that one person proposes and others agree to before anything is done (DOMAIN 17).
//!
//! An act is known by the digest of its canonical JSON, so nobody agrees to something that was
//! changed. What carries an act out is the use cases' matter; policy documents have a life of their
//! own in [`crate::policy::draft`].

use serde::{Deserialize, Serialize};

use crate::accreditation::AccreditationRecord;
use crate::ballot::Ballot;
use crate::canonical::{CanonicalError, Digest, canonical};
use crate::exchange::Octets;
use crate::feed::FeedAuthority;
use crate::followed::{ListCode, ListTrust};
use crate::id::{AccreditationId, OrganisationId, ProposalId};
use crate::key::{Fingerprint, words};
use crate::policy::Installation;
use crate::policy::draft::PolicyDecision;
use crate::refusal::{Refusal, RefusalCode};
use crate::revocation::Cause;
use crate::time::Timestamp;

/// What is proposed. Stored as JSON: add variants, never change one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "act", deny_unknown_fields)]
pub enum ProposedAct {
    /// A key shall never be accepted again, and what is live of it be revoked (KM-5).
    BlockKey {
        /// The key.
        fingerprint: Fingerprint,
    },
    /// The known-key feed of another authority shall be taken (DOMAIN 8.5).
    TrustFeed {
        /// Its name.
        authority: FeedAuthority,
        /// The key that must sign, SubjectPublicKeyInfo.
        public_key: Octets,
    },
    /// The known-key feed of another authority shall be taken no more.
    EndFeed {
        /// Its name.
        authority: FeedAuthority,
    },
    /// An accreditation shall be recorded, so that certificates may claim it (PR-2).
    RecordClaim {
        /// What was decided outside.
        record: Box<AccreditationRecord>,
    },
    /// An accreditation has ended before its time.
    EndClaim {
        /// Which one.
        accreditation: AccreditationId,
    },
    /// An organisation shall end: everything it holds is revoked (DOMAIN 6.1).
    CloseOrganisation {
        /// The organisation.
        organisation: OrganisationId,
        /// `office-closed` or `name-changed`.
        cause: Cause,
    },
    /// Evidence of destruction that will never come is done without, so that an organisation can be
    /// closed (DOMAIN 6.1).
    WaiveEvidence {
        /// The organisation.
        organisation: OrganisationId,
    },
    /// A trusted list of others shall be believed, and what it points at (TS 119 615).
    TrustList {
        /// What it shall be called.
        code: ListCode,
        /// Where it is.
        location: String,
        /// Why it may be believed.
        trust: ListTrust,
    },
    /// A trusted list of others shall be believed no more.
    EndList {
        /// Its code.
        code: ListCode,
    },
    /// The anchors of a list of others shall be others, such as those of a newer publication.
    TakeAnchors {
        /// Its code.
        code: ListCode,
        /// What belief shall rest on.
        trust: ListTrust,
    },
}

impl ProposedAct {
    /// The word of the act, for people and catalogues.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::BlockKey { .. } => "block-key",
            Self::TrustFeed { .. } => "trust-feed",
            Self::EndFeed { .. } => "end-feed",
            Self::RecordClaim { .. } => "record-claim",
            Self::EndClaim { .. } => "end-claim",
            Self::CloseOrganisation { .. } => "close-organisation",
            Self::WaiveEvidence { .. } => "waive-evidence",
            Self::TrustList { .. } => "trust-list",
            Self::EndList { .. } => "end-list",
            Self::TakeAnchors { .. } => "take-anchors",
        }
    }

    /// How many persons other than the author must agree (DOMAIN 17). An evaluation is held by one
    /// person.
    pub const fn approvals_needed(&self, installation: Installation) -> usize {
        match (installation, self) {
            (Installation::Evaluation, _) => 0,
            // A trusted issuer, or whose lists are believed: two others than the author.
            (
                Installation::Production,
                Self::TrustFeed { .. }
                | Self::EndFeed { .. }
                | Self::TrustList { .. }
                | Self::EndList { .. }
                | Self::TakeAnchors { .. },
            ) => 2,
            (
                Installation::Production,
                Self::BlockKey { .. }
                | Self::RecordClaim { .. }
                | Self::EndClaim { .. }
                | Self::CloseOrganisation { .. }
                | Self::WaiveEvidence { .. },
            ) => 1,
        }
    }
}

words! {
    /// State of a proposal. Stored: add, never change one.
    ProposalState {
        /// Waits for agreement.
        Open = "open",
        /// Agreed to, and done.
        Done = "done",
        /// One person rejected it.
        Rejected = "rejected",
    }
}

/// A proposal with everything that was decided about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Identifier.
    pub id: ProposalId,
    /// What shall be done.
    pub act: ProposedAct,
    /// The digest of the act and the reason, which is what others see and agree to.
    pub digest: Digest,
    /// Why, in the words of its author.
    pub reason: String,
    /// The person who proposed it.
    pub author: String,
    /// When.
    pub proposed_at: Timestamp,
    /// State.
    pub state: ProposalState,
    /// What was decided, oldest first.
    pub decisions: Vec<PolicyDecision>,
}

/// The digest of an act with its reason.
pub fn digest(act: &ProposedAct, reason: &str) -> Result<Digest, CanonicalError> {
    let text = canonical(&serde_json::json!({ "v": 1, "act": act, "reason": reason }))?;
    Ok(Digest::of(text.as_bytes()))
}

impl Proposal {
    /// Until when it may be agreed to.
    pub const fn expires_at(&self) -> Timestamp {
        self.ballot(&[]).expires_at()
    }

    /// Whether a person who was shown `digest` may decide about it now.
    ///
    /// # Errors
    /// It is decided or expired already, it is the person's own, the person decided before (I-6),
    /// or something else was shown (AB-13).
    pub fn may_be_decided(
        &self,
        person: &str,
        shown: &Digest,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if self.state != ProposalState::Open {
            return Err(Refusal::new(RefusalCode::StateConflict, "17")
                .with("proposal", &self.id)
                .with("state", self.state));
        }
        self.ballot(&[&self.author])
            .may_decide(person, shown, now)
            .map_err(|refusal| refusal.with("proposal", &self.id))
    }

    /// Whether enough others agreed.
    pub fn is_agreed(&self, installation: Installation) -> bool {
        self.ballot(&[]).agreed() >= self.act.approvals_needed(installation)
    }

    const fn ballot<'b>(&'b self, authors: &'b [&'b str]) -> Ballot<'b> {
        let (digest, since, decisions) = (&self.digest, self.proposed_at, &self.decisions);
        Ballot { authors, digest, since, decisions: decisions.as_slice() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Actor;
    use crate::id::Entropy;
    use crate::policy::draft::Verdict;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_371_000);

    struct Zero;
    impl Entropy for Zero {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn proposal() -> Proposal {
        let act = ProposedAct::BlockKey { fingerprint: Fingerprint(Digest::of(b"key")) };
        Proposal {
            id: ProposalId::new(NOW, &Zero),
            digest: digest(&act, "found").unwrap(),
            act,
            reason: "found".to_owned(),
            author: "author".to_owned(),
            proposed_at: NOW,
            state: ProposalState::Open,
            decisions: Vec::new(),
        }
    }

    fn agreed(person: &str) -> PolicyDecision {
        PolicyDecision {
            person: person.to_owned(),
            verdict: Verdict::Approved,
            at: NOW,
            reason: String::new(),
            actor: Actor::system("test"),
        }
    }

    fn check(proposal: &Proposal, person: &str, now: Timestamp, expected: RefusalCode) {
        let refused = proposal.may_be_decided(person, &proposal.digest, now).unwrap_err();
        assert_eq!(refused.code, expected);
    }

    #[test]
    fn i_6_a_proposal_is_decided_by_others_each_once_and_within_its_days() {
        let mut proposal = proposal();
        let shown = proposal.digest;
        assert!(proposal.may_be_decided("other", &shown, NOW).is_ok());
        check(&proposal, "author", NOW, RefusalCode::SelfApproval);
        check(&proposal, "other", NOW.plus_days(15), RefusalCode::ApprovalExpired);
        proposal.decisions.push(agreed("other"));
        check(&proposal, "other", NOW, RefusalCode::DualControl);
        proposal.state = ProposalState::Done;
        check(&proposal, "third", NOW, RefusalCode::StateConflict);
    }

    #[test]
    fn ab_13_what_was_shown_otherwise_is_not_agreed_to() {
        let proposal = proposal();
        let other = digest(&proposal.act, "another reason").unwrap();
        let refused = proposal.may_be_decided("other", &other, NOW).unwrap_err();
        assert_eq!((refused.code, refused.rule.as_str()), (RefusalCode::PolicyChanged, "I-9"));
    }

    #[test]
    fn whose_lists_are_believed_is_agreed_to_by_two_others() {
        let code = ListCode::parse("eu").unwrap();
        let trust = ListTrust::Signers { certificates: Vec::new() };
        let location = "https://lists.example/tl.xml".to_owned();
        for act in [
            ProposedAct::TrustList { code: code.clone(), location, trust: trust.clone() },
            ProposedAct::TakeAnchors { code: code.clone(), trust },
            ProposedAct::EndList { code },
        ] {
            let mut proposal = Proposal { act, ..proposal() };
            proposal.decisions.push(agreed("other"));
            assert!(!proposal.is_agreed(Installation::Production));
            proposal.decisions.push(agreed("third"));
            assert!(proposal.is_agreed(Installation::Production));
            // Stored as JSON: what was proposed reads back.
            let stored = serde_json::to_string(&proposal.act).unwrap();
            assert_eq!(serde_json::from_str::<ProposedAct>(&stored).unwrap(), proposal.act);
        }
    }

    #[test]
    fn production_needs_another_person_and_an_evaluation_none() {
        let mut proposal = proposal();
        assert!(proposal.is_agreed(Installation::Evaluation));
        assert!(!proposal.is_agreed(Installation::Production));
        proposal.decisions.push(agreed("other"));
        assert!(proposal.is_agreed(Installation::Production));
    }
}

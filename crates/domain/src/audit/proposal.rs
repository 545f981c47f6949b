//! Acts that wait for other persons: proposed, agreed to, rejected (DOMAIN 17).

use serde_json::json;

use super::{AuditCode, Facts, Outcome, facts};
use crate::policy::draft::{PolicyDecision, Verdict};
use crate::proposal::{Proposal, ProposedAct};

/// Acts that wait for other persons: proposed, agreed to, rejected (DOMAIN 17). What is done in the
/// end has an event of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProposalEvent {
    /// Something was proposed.
    Proposed {
        /// The proposal.
        proposal: Proposal,
    },
    /// A person agreed or rejected.
    Decided {
        /// The proposal as it is now.
        proposal: Proposal,
        /// What was decided.
        decision: PolicyDecision,
    },
}

impl ProposedAct {
    /// The code under which everything about the act is recorded.
    pub const fn audit_code(&self) -> AuditCode {
        match self {
            Self::BlockKey { .. } => AuditCode::KeyBlocked,
            Self::TrustFeed { .. } | Self::EndFeed { .. } => AuditCode::TrustedIssuerChanged,
            Self::RecordClaim { .. } => AuditCode::ClaimRecorded,
            Self::EndClaim { .. } => AuditCode::ClaimEnded,
            Self::CloseOrganisation { .. } | Self::WaiveEvidence { .. } => AuditCode::OrgChanged,
            Self::TrustList { .. } | Self::EndList { .. } | Self::TakeAnchors { .. } => {
                AuditCode::ValAnchorChanged
            }
        }
    }
}

impl ProposalEvent {
    /// What the record says beyond who, when and where from.
    pub(super) fn facts(&self) -> Facts {
        match self {
            Self::Proposed { proposal } => {
                let mut facts = about(proposal);
                facts.detail.insert("step".to_owned(), json!("proposed"));
                facts.detail.insert("comment".to_owned(), json!(proposal.reason));
                facts
            }
            Self::Decided { proposal, decision } => {
                let mut facts = about(proposal);
                facts.detail.insert("step".to_owned(), json!(decision.verdict));
                facts.detail.insert("state".to_owned(), json!(proposal.state));
                let outcome = match decision.verdict {
                    Verdict::Approved => Outcome::Ok,
                    Verdict::Rejected => Outcome::Refused,
                };
                Facts { outcome, ..facts }
            }
        }
    }
}

fn about(proposal: &Proposal) -> Facts {
    let detail = json!({ "act": proposal.act.word(), "digest": proposal.digest });
    facts(proposal.act.audit_code(), "proposal", &proposal.id, detail)
}

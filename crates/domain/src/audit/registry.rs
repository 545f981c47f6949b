//! The states of organisations and branch offices (DOMAIN 6.1, 6.2).

use serde_json::json;

use super::{AuditCode, Facts, Proofing, facts};
use crate::branch::{Branch, BranchState};
use crate::identifier::Lei;
use crate::organisation::{Organisation, OrganisationState};

/// The states of organisations and branch offices (DOMAIN 6.1, 6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistryEvent {
    /// An organisation moved to another state.
    OrganisationMoved {
        /// The organisation as it is now.
        organisation: Organisation,
        /// The state it was in.
        from: OrganisationState,
        /// Why, in the words of whoever ordered it.
        comment: String,
    },
    /// A branch office moved to another state.
    BranchMoved {
        /// The branch as it is now.
        branch: Branch,
        /// The state it was in.
        from: BranchState,
        /// Why, in the words of whoever ordered it.
        comment: String,
    },
    /// The LEI of an organisation was looked up.
    LeiProofed {
        /// The organisation.
        organisation: Organisation,
        /// Its LEI.
        lei: Lei,
        /// How, and on what evidence.
        proofing: Proofing,
    },
}

impl RegistryEvent {
    /// What the record says beyond who, when and where from.
    pub(super) fn facts(&self) -> Facts {
        match self {
            Self::OrganisationMoved { organisation, from, comment } => {
                let code = match organisation.state {
                    OrganisationState::Restricted => AuditCode::OrgRestricted,
                    OrganisationState::Closed => AuditCode::OrgClosed,
                    OrganisationState::Draft
                    | OrganisationState::Proofing
                    | OrganisationState::Active
                    | OrganisationState::Closing
                    | OrganisationState::Rejected => AuditCode::OrgChanged,
                };
                let detail = json!({ "from": from, "to": organisation.state, "comment": comment });
                facts(code, "organisation", &organisation.id, detail).of(&organisation.id)
            }
            Self::BranchMoved { branch, from, comment } => {
                let code = match branch.state {
                    BranchState::Paused => AuditCode::BranchPaused,
                    BranchState::Closed => AuditCode::BranchClosed,
                    BranchState::Planned | BranchState::Open | BranchState::Closing => {
                        AuditCode::BranchChanged
                    }
                };
                let detail = json!({ "from": from, "to": branch.state, "comment": comment });
                facts(code, "branch", &branch.id, detail).of(&branch.organisation)
            }
            Self::LeiProofed { organisation, lei, proofing } => {
                let detail = json!({ "lei": lei, "proofing": proofing });
                facts(AuditCode::OrgProofed, "organisation", &organisation.id, detail)
                    .of(&organisation.id)
            }
        }
    }
}

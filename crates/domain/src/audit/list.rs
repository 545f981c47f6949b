//! The way of a trusted list: drafted, agreed to, signed; and the alarm when none could be issued.

use serde_json::json;

use super::{AuditCode, Facts, Outcome, facts};
use crate::canonical::Digest;
use crate::id::KeyId;
use crate::policy::draft::{PolicyDecision, Verdict};
use crate::time::Timestamp;
use crate::trusted_list::SchemeCode;
use crate::trusted_list::draft::{DraftEdit, ListDraft};

/// The way of a trusted list. What is published in the end has an event of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListEvent {
    /// A draft was opened.
    Opened {
        /// The draft.
        draft: Box<ListDraft>,
    },
    /// A draft was changed; what others decided about it is void.
    Edited {
        /// The draft as it is now.
        draft: Box<ListDraft>,
        /// The change.
        edit: DraftEdit,
    },
    /// A draft was put forward.
    Submitted {
        /// The draft as it is now.
        draft: Box<ListDraft>,
    },
    /// A person agreed, or sent the draft back.
    Decided {
        /// The draft as it is now.
        draft: Box<ListDraft>,
        /// What was decided.
        decision: PolicyDecision,
    },
    /// A draft was given up.
    Abandoned {
        /// The draft as it is now.
        draft: Box<ListDraft>,
    },
    /// A list is about to be signed; recorded before the key moves.
    Signing {
        /// The scheme.
        scheme: SchemeCode,
        /// The sequence number.
        sequence: i64,
        /// The digest of the octets that the key signs.
        body: Digest,
        /// The key.
        signer: KeyId,
    },
    /// The next list is due and could not be issued: a person must act.
    Overdue {
        /// The scheme.
        scheme: SchemeCode,
        /// The sequence that is live.
        sequence: i64,
        /// Its NextUpdate.
        next_update: Timestamp,
        /// What stood in the way.
        cause: String,
    },
}

impl ListEvent {
    /// What the record says beyond who, when and where from.
    pub(super) fn facts(&self) -> Facts {
        match self {
            Self::Opened { draft } => about(AuditCode::ListDrafted, draft, "opened"),
            Self::Edited { draft, edit } => {
                let mut facts = about(AuditCode::ListDrafted, draft, "edited");
                facts.detail.insert("edit".to_owned(), json!(edit.edit));
                facts
            }
            Self::Submitted { draft } => about(AuditCode::ListDrafted, draft, "submitted"),
            Self::Abandoned { draft } => about(AuditCode::ListDrafted, draft, "abandoned"),
            Self::Decided { draft, decision } => {
                let mut facts = about(AuditCode::ListApproved, draft, decision.verdict.word());
                facts.detail.insert("state".to_owned(), json!(draft.state));
                facts.detail.insert("comment".to_owned(), json!(decision.reason));
                let outcome = match decision.verdict {
                    Verdict::Approved => Outcome::Ok,
                    Verdict::Rejected => Outcome::Refused,
                };
                Facts { outcome, ..facts }
            }
            Self::Signing { scheme, sequence, body, signer } => facts(
                AuditCode::ListSigned,
                "list",
                scheme,
                json!({ "sequence": sequence, "body": body, "signer": signer }),
            ),
            Self::Overdue { scheme, sequence, next_update, cause } => {
                let detail = json!({
                    "sequence": sequence,
                    "next_update": next_update.to_string(),
                    "cause": cause,
                });
                let facts = facts(AuditCode::ListNextUpdateNear, "list", scheme, detail);
                Facts { outcome: Outcome::Failed, ..facts }
            }
        }
    }
}

fn about(code: AuditCode, draft: &ListDraft, step: &str) -> Facts {
    let detail = json!({ "scheme": draft.scheme, "content": draft.content, "step": step });
    facts(code, "list-draft", &draft.id, detail)
}

//! What became of letters (DOMAIN 19). Records name no mailbox and carry no server's words.

use serde_json::{Value, json};

use super::{AuditCode, Facts, Outcome, facts};
use crate::id::UserId;
use crate::notice::{EmailAddress, MailProblem, Notice};
use crate::time::Timestamp;

/// What became of a letter.
#[derive(Clone, Debug, PartialEq)]
pub enum NoticeEvent {
    /// The mail server took it.
    Sent {
        /// The notice as it was before.
        notice: Box<Notice>,
    },
    /// It did not leave. Recorded at the first try that failed, and when it is given up.
    Failed {
        /// The notice as it was before.
        notice: Box<Notice>,
        /// What happened.
        problem: MailProblem,
        /// What the operator may want to know; stays out of the record.
        explanation: String,
        /// When it is tried again; nothing when it was given up.
        next_at: Option<Timestamp>,
    },
    /// The recipient said that it was read.
    Acknowledged {
        /// The notice as it was before.
        notice: Box<Notice>,
    },
    /// Where an account's holder is written to was set.
    MailboxSet {
        /// Whose.
        user: UserId,
        /// The address; stays out of the record.
        email: EmailAddress,
    },
}

impl NoticeEvent {
    /// What the record says beyond who, when and where from.
    pub(super) fn facts(&self) -> Facts {
        match self {
            Self::Sent { notice } => about(AuditCode::NoticeSent, notice, json!({})),
            Self::Failed { notice, problem, next_at, .. } => {
                let more = json!({ "problem": problem, "given_up": next_at.is_none() });
                let facts = about(AuditCode::NoticeFailed, notice, more);
                Facts { outcome: Outcome::Failed, ..facts }
            }
            Self::Acknowledged { notice } => {
                about(AuditCode::NoticeAcknowledged, notice, json!({}))
            }
            Self::MailboxSet { user, .. } => {
                facts(AuditCode::AccountChanged, "user", user, json!({ "changed": "email" }))
            }
        }
    }
}

fn about(code: AuditCode, notice: &Notice, more: Value) -> Facts {
    let matter = &notice.matter;
    let mut detail = json!({
        "kind": matter.kind,
        "about": matter.object,
        "step": notice.step.to_string(),
    });
    if let (Value::Object(all), Value::Object(more)) = (&mut detail, more) {
        all.extend(more);
    }
    let facts = facts(code, "notice", notice.number, detail);
    Facts { organisation: matter.organisation.clone(), ..facts }
}

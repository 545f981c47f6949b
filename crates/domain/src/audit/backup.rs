//! Backups of the installation: made, rehearsed, restored (DOMAIN 17, 18). Records name no file of
//! the operator's machines.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::delegation::put_request;
use super::{AuditCode, Facts, facts};
use crate::approval::ApprovalRequest;
use crate::canonical::Digest;
use crate::time::Timestamp;

/// What a backup is told by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupSummary {
    /// The instant whose state it holds.
    #[serde(with = "crate::time::text")]
    pub made_at: Timestamp,
    /// The SHA-256 digest of the encrypted file.
    pub digest: Digest,
    /// Rows of the database in it.
    pub rows: u64,
    /// Other files in it: configuration and wrapped keys.
    pub files: u64,
}

/// What became of a backup.
#[derive(Clone, Debug, PartialEq)]
pub enum BackupEvent {
    /// It was written.
    Made {
        /// Which.
        backup: BackupSummary,
    },
    /// It was restored into a scratch place and held.
    Rehearsed {
        /// Which.
        backup: BackupSummary,
    },
    /// This installation was restored from it.
    Restored {
        /// Which.
        backup: BackupSummary,
        /// The request for its acceptance; nothing in an evaluation.
        request: Option<Box<ApprovalRequest>>,
    },
}

impl BackupEvent {
    /// What the record says beyond who, when and where from.
    pub(super) fn facts(&self, node: &str) -> Facts {
        match self {
            Self::Made { backup } => {
                facts(AuditCode::SysBackupMade, "node", node, json!({ "backup": backup }))
            }
            Self::Rehearsed { backup } => {
                let detail = json!({ "test": "restore", "backup": backup });
                facts(AuditCode::SysSelftest, "node", node, detail)
            }
            Self::Restored { backup, request } => {
                let detail = json!({ "backup": backup });
                let mut facts = facts(AuditCode::SysBackupRestored, "node", node, detail);
                put_request(&mut facts, request.as_deref());
                facts
            }
        }
    }
}

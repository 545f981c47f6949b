//! What happens to status as a whole: many certificates at once.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{AuditCode, Facts, Outcome, certificate_facts, facts};
use crate::bulk::BulkRevocation;
use crate::canonical::Digest;
use crate::certificate::{Certificate, Serial};
use crate::id::{AuthorityId, BulkId};
use crate::key::words;
use crate::revocation::Revocation;
use crate::seed::Seed;

words! {
    /// What became of a bulk revocation.
    BulkStep {
        /// It was asked for.
        Asked = "asked",
        /// Somebody approved it.
        Approved = "approved",
        /// Somebody rejected it.
        Rejected = "rejected",
        /// It was taken back before it began.
        Cancelled = "cancelled",
        /// It waits.
        Paused = "paused",
        /// It goes on.
        Resumed = "resumed",
        /// Every certificate was dealt with.
        Done = "done",
    }
}

words! {
    /// A service that tells status.
    StatusService {
        /// OCSP answers.
        Ocsp = "ocsp",
        /// Revocation lists.
        Crl = "crl",
    }
}

/// What happens to status as a whole: many certificates at once.
#[derive(Clone, Debug, PartialEq)]
pub enum StatusEvent {
    /// An evaluation was filled with serial numbers for tests under load.
    Seeded {
        /// What was written.
        seed: Box<Seed>,
    },
    /// A revocation of many certificates went a step further (RV-4).
    Bulk {
        /// It as it is now.
        bulk: Box<BulkRevocation>,
        /// The step.
        step: BulkStep,
    },
    /// One certificate of many was revoked. Its list is issued when all are.
    BulkRevoked {
        /// The certificate as it was before.
        certificate: Box<Certificate>,
        /// The decision.
        revocation: Revocation,
        /// The bulk revocation.
        bulk: BulkId,
    },
    /// A service tells something else than what is recorded, for longer than it may (DOMAIN 13).
    Inconsistent {
        /// The authority.
        authority: AuthorityId,
        /// The service.
        service: StatusService,
        /// One of the certificates of which it does.
        first: Serial,
        /// How many there are, up to a thousand.
        differing: usize,
    },
}

impl StatusEvent {
    /// What the record says beyond who, when and where from.
    pub(super) fn facts(&self) -> Facts {
        match self {
            Self::Seeded { seed } => {
                let mut serials = Sha256::new();
                seed.rows.iter().for_each(|row| serials.update(row.serial.octets()));
                let revoked = seed.rows.iter().filter(|row| row.revocation.is_some()).count();
                let detail = json!({
                    "issued": seed.rows.len(),
                    "revoked": revoked,
                    "key": seed.key,
                    "serials": Digest(serials.finalize().into()),
                });
                facts(AuditCode::SysDemoSeeded, "authority", &seed.authority, detail)
                    .under(seed.policy)
            }
            Self::Bulk { bulk, step } => {
                let mut detail = json!({
                    "step": step,
                    "cause": bulk.cause,
                    "selection": bulk.selection,
                    "matched": bulk.matched,
                    "approvals": bulk.approvals.len(),
                    "revoked": bulk.revoked,
                    "skipped": bulk.skipped,
                    "comment": bulk.comment,
                });
                if let (Value::Object(members), Some(due)) = (&mut detail, bulk.due) {
                    members.insert("due".to_owned(), json!(due.to_string()));
                }
                facts(AuditCode::CertRevocationRequested, "bulk-revocation", &bulk.id, detail)
            }
            Self::BulkRevoked { certificate, revocation, bulk } => certificate_facts(
                AuditCode::CertRevoked,
                certificate,
                json!({
                    "cause": revocation.cause,
                    "reason_code": revocation.cause.reason().number(),
                    "revoked_at": revocation.at.to_string(),
                    "bulk": bulk,
                }),
            ),
            Self::Inconsistent { authority, service, first, differing } => {
                let detail = json!({ "service": service, "serial": first, "differing": differing });
                let facts = facts(AuditCode::StatusInconsistent, "authority", authority, detail);
                Facts { outcome: Outcome::Failed, ..facts }
            }
        }
    }
}

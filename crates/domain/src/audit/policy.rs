//! The life of policy documents: drafted, approved, in force, superseded (DOMAIN 7).

use serde_json::{Value, json};

use super::{AuditCode, Facts, Outcome, facts};
use crate::accreditation::Accreditation;
use crate::canonical::Digest;
use crate::policy::KeyPolicy;
use crate::policy::draft::{PolicyDecision, PolicyDraft, Verdict};
use crate::vendor_root::{VendorRoot, VendorRootDecision, VendorRootState};

/// The life of policy documents: drafted, approved, in force, superseded (DOMAIN 7).
#[derive(Clone, Debug, PartialEq)]
pub enum PolicyEvent {
    /// A document was handed in.
    Drafted {
        /// The draft.
        draft: Box<PolicyDraft>,
    },
    /// The author handed in the same version anew; approvals of the former text are void.
    Replaced {
        /// The former draft.
        digest: Digest,
        /// The draft in its place.
        by: Digest,
    },
    /// A person approved or rejected a draft.
    Decided {
        /// The draft that was shown.
        digest: Digest,
        /// What was decided.
        decision: PolicyDecision,
        /// Whether it was the last approval needed.
        complete: bool,
    },
    /// A document came into force.
    Activated {
        /// The document.
        policy: Box<KeyPolicy>,
        /// Its digest.
        digest: Digest,
    },
    /// A document was superseded by the next.
    Superseded {
        /// The former document.
        digest: Digest,
        /// The document in its place.
        by: Digest,
    },
    /// A vendor root was proposed, or its end asked for.
    VendorRootAsked {
        /// The root as it is now.
        root: VendorRoot,
    },
    /// One person decided about what was asked.
    VendorRootDecided {
        /// The root as it is now.
        root: VendorRoot,
        /// What was decided.
        decision: VendorRootDecision,
    },
    /// An accreditation was recorded: certificates may claim it from now on (PR-2).
    ClaimRecorded {
        /// The accreditation.
        accreditation: Box<Accreditation>,
    },
    /// An accreditation ended before its time: nothing new claims it.
    ClaimEnded {
        /// The accreditation.
        accreditation: Box<Accreditation>,
    },
}

impl PolicyEvent {
    /// What the record says beyond who, when and where from.
    pub(super) fn facts(&self) -> Facts {
        match self {
            Self::Drafted { draft } => about(
                AuditCode::PolicyDrafted,
                draft.digest,
                json!({
                    "id": draft.policy.id,
                    "version": draft.policy.version,
                    "effective_from": draft.policy.effective_from.to_string(),
                }),
            ),
            Self::Replaced { digest, by } => {
                about(AuditCode::PolicySuperseded, *digest, json!({ "draft": true, "by": by }))
            }
            Self::Decided { digest, decision, complete } => {
                let detail = json!({
                    "verdict": decision.verdict,
                    "complete": complete,
                });
                let facts = about(AuditCode::PolicyApproved, *digest, detail);
                let outcome = match decision.verdict {
                    Verdict::Approved => Outcome::Ok,
                    Verdict::Rejected => Outcome::Refused,
                };
                Facts { outcome, ..facts }
            }
            Self::Activated { policy, digest } => {
                let detail = json!({ "id": policy.id, "version": policy.version });
                about(AuditCode::PolicyActivated, *digest, detail).under(*digest)
            }
            Self::Superseded { digest, by } => {
                about(AuditCode::PolicySuperseded, *digest, json!({ "by": by })).under(*by)
            }
            Self::VendorRootAsked { root } => root_facts(root, json!({})),
            Self::VendorRootDecided { root, decision } => {
                let facts = root_facts(root, json!({ "verdict": decision.verdict }));
                let outcome = match decision.verdict {
                    Verdict::Approved => Outcome::Ok,
                    Verdict::Rejected => Outcome::Refused,
                };
                Facts { outcome, ..facts }
            }
            Self::ClaimRecorded { accreditation } => {
                claim_facts(AuditCode::ClaimRecorded, accreditation)
            }
            Self::ClaimEnded { accreditation } => claim_facts(AuditCode::ClaimEnded, accreditation),
        }
    }
}

fn root_facts(root: &VendorRoot, more: Value) -> Facts {
    let waits = matches!(root.state, VendorRootState::Proposed | VendorRootState::Ending);
    let mut detail = json!({ "digest": root.digest, "state": root.state, "complete": !waits });
    if let (Value::Object(all), Value::Object(more)) = (&mut detail, more) {
        all.extend(more);
    }
    facts(AuditCode::VendorRootChanged, "vendor-root", &root.code, detail)
}

fn claim_facts(code: AuditCode, accreditation: &Accreditation) -> Facts {
    let record = &accreditation.record;
    let detail = json!({
        "authority": record.authority,
        "claim": record.claim,
        "profiles": record.profiles,
        "country": record.country,
        "until": record.validity.not_after.to_string(),
        "reference": record.reference,
    });
    facts(code, "accreditation", &accreditation.id, detail)
}

fn about(code: AuditCode, digest: Digest, detail: Value) -> Facts {
    facts(code, "policy", digest, detail)
}

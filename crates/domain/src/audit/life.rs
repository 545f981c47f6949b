//! The life of containers, instances and keys: rotation, retirement, destruction (DOMAIN 10, 11).

use serde_json::json;

use super::{AuditCode, Facts, certificate_facts};
use crate::certificate::Certificate;
use crate::suspension::Suspension;

/// The life of containers, instances and keys: rotation, retirement, destruction (DOMAIN 10, 11).
#[derive(Clone, Debug, PartialEq)]
pub enum LifeEvent {
    /// A certificate was put on hold.
    Suspended {
        /// The certificate as it was before.
        certificate: Certificate,
        /// The hold.
        suspension: Suspension,
        /// The requester's words.
        comment: String,
    },
    /// The one extension of a hold was asked for, or granted.
    SuspensionExtended {
        /// The certificate.
        certificate: Certificate,
        /// The hold as it is now.
        suspension: Suspension,
    },
    /// A hold was lifted.
    Released {
        /// The certificate as it was before.
        certificate: Certificate,
        /// The officer's words.
        comment: String,
    },
}

impl LifeEvent {
    /// What the record says beyond who, when and where from.
    pub(super) fn facts(&self) -> Facts {
        match self {
            Self::Suspended { certificate, suspension, comment } => {
                let more = json!({
                    "because": suspension.because,
                    "until": suspension.until.to_string(),
                    "comment": comment,
                });
                certificate_facts(AuditCode::CertSuspended, certificate, more)
            }
            Self::SuspensionExtended { certificate, suspension } => {
                let more = json!({
                    "until": suspension.until.to_string(),
                    "asked_by": suspension.extension_asked_by,
                    "extended": suspension.extended_at.is_some(),
                });
                certificate_facts(AuditCode::CertSuspended, certificate, more)
            }
            Self::Released { certificate, comment } => {
                let more = json!({ "comment": comment });
                certificate_facts(AuditCode::CertReleased, certificate, more)
            }
        }
    }
}

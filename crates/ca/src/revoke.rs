//! Revokes a certificate: the decision, the change of status and the audit record in one
//! transaction; the new CRL follows from the job that the same transaction leaves.

use tenkoku_domain::access::{Permit, Revoke};
use tenkoku_domain::audit::{AuditCode, Event, ObjectRef};
use tenkoku_domain::certificate::{Certificate, CertificateState, Serial};
use tenkoku_domain::grant::GrantAction;
use tenkoku_domain::id::AuthorityId;
use tenkoku_domain::name::plain_text;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::revocation::{self, Cause, RevocationOrder};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::{Attempt, Env};
use tenkoku_store::StoreError;

use crate::progress::seal_within_grant;

/// What is to be revoked, and why. A certificate is named by authority and serial (AB-1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokeOrder {
    /// The issuing authority.
    pub authority: AuthorityId,
    /// The serial number.
    pub serial: Serial,
    /// Why.
    pub cause: Cause,
    /// Since when the key must be taken as exposed.
    pub invalid_since: Option<Timestamp>,
    /// The requester's words; may be empty, at most 500 characters.
    pub comment: String,
}

/// Why a certificate was not revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    /// A rule refuses it; the refusal is in the audit trail.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store did not answer, or holds no such certificate within the permit's scope.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Longest comment, in characters.
const COMMENT_MAX_CHARS: usize = 500;

/// Revokes a certificate and gives it back as it is now.
pub fn revoke_certificate(
    env: &Env,
    permit: &Permit<Revoke>,
    order: &RevokeOrder,
) -> Result<Certificate, RevokeError> {
    let now = env.clock.now();
    let decided = env.store.write(|tx| {
        let found = tx
            .find_certificate(permit.scope(), &order.authority, &order.serial)?
            .ok_or(StoreError::NotFound { what: "certificate" })?;
        let certificate = tx.lock_certificate(permit.scope(), &found.id)?;
        let comment = match checked_comment(&order.comment) {
            Ok(comment) => comment,
            Err(refusal) => return Ok(Err((certificate, refusal))),
        };
        let actor = &permit.origin().actor;
        let action = GrantAction::Revoke;
        if let Err(refusal) = seal_within_grant(env, tx, actor, &certificate, action, now)? {
            return Ok(Err((certificate, refusal)));
        }
        let decision = RevocationOrder {
            cause: order.cause,
            invalid_since: order.invalid_since,
            comment: comment.clone(),
        };
        match revocation::revoke(&certificate, &decision, now) {
            Ok(revocation) => {
                let event = Event::CertificateRevoked {
                    certificate: certificate.clone(),
                    revocation: revocation.clone(),
                    comment: comment.clone(),
                };
                tx.record(permit.origin(), now, &event)?;
                Ok(Ok(Certificate { state: CertificateState::Revoked(revocation), ..certificate }))
            }
            Err(refusal) => Ok::<_, RevokeError>(Err((certificate, refusal))),
        }
    })?;
    decided.or_else(|(certificate, refusal)| {
        let attempt = Attempt {
            code: AuditCode::CertRevocationRefused,
            object: ObjectRef::new("certificate", &certificate.id),
            organisation: certificate.seal.as_ref().map(|seal| seal.organisation.clone()),
            policy: Some(certificate.policy),
        };
        Err(env.refuse(permit.origin(), now, attempt, refusal)?.into())
    })
}

pub(crate) fn checked_comment(comment: &str) -> Result<String, Refusal> {
    if comment.trim().is_empty() {
        return Ok(String::new());
    }
    let one_line = comment.replace(['\r', '\n', '\t'], " ");
    let comment = plain_text(&one_line)?;
    if comment.chars().count() > COMMENT_MAX_CHARS {
        return Err(Refusal::new(RefusalCode::NameInvalid, "4.4")
            .with("problem", "too-long")
            .with("length", comment.chars().count())
            .with("limit", COMMENT_MAX_CHARS));
    }
    Ok(comment)
}

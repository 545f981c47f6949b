//! Tokens of service accounts, certificates that people sign in with, accounts that end (DOMAIN 2),
//! and evidence that is given out.

use serde_json::json;

use super::{AuditCode, Facts, facts};
use crate::access::RoleGrant;
use crate::account::ClientCertificate;
use crate::canonical::Digest;
use crate::id::{CertificateId, OrganisationId, UserId};
use crate::organisation::Language;
use crate::service_account::{ServiceToken, TokenProof};

/// Tokens of service accounts, certificates that people sign in with, accounts that end (DOMAIN 2),
/// and evidence that is given out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessEvent {
    /// A token was given to a service account.
    TokenIssued {
        /// The token.
        token: ServiceToken,
        /// Whose system it is.
        organisation: OrganisationId,
    },
    /// A token was ended before its time.
    TokenRevoked {
        /// The token with its end.
        token: ServiceToken,
        /// Whose system it is.
        organisation: OrganisationId,
    },
    /// An evidence pack is about to be signed.
    EvidencePacked {
        /// The certificate that it is about.
        certificate: CertificateId,
        /// Whose.
        organisation: OrganisationId,
        /// The digest of what is signed.
        manifest: Digest,
    },
    /// A certificate was bound to an account, which signs in with it from now on.
    CertificateBound {
        /// Whose.
        user: UserId,
        /// The certificate.
        certificate: ClientCertificate,
    },
    /// An account does not sign in with a certificate any more.
    CertificateEnded {
        /// Whose.
        user: UserId,
        /// SHA-256 of the certificate.
        fingerprint: Digest,
    },
    /// An account was ended for ever.
    AccountDisabled {
        /// Whose.
        user: UserId,
        /// Whose system it is; nobody's for a person's account.
        organisation: Option<OrganisationId>,
    },
    /// A role ended before its time.
    RoleEnded {
        /// Whose.
        user: UserId,
        /// Which, with its end.
        grant: RoleGrant,
    },
    /// The language of somebody's pages and letters was set.
    LanguageSet {
        /// Whose.
        user: UserId,
        /// The language.
        language: Language,
    },
}

impl AccessEvent {
    /// What the record says beyond who, when and where from.
    pub(super) fn facts(&self) -> Facts {
        match self {
            Self::TokenIssued { token, organisation } => {
                token_facts(AuditCode::TokenIssued, token).of(organisation)
            }
            Self::TokenRevoked { token, organisation } => {
                token_facts(AuditCode::TokenRevoked, token).of(organisation)
            }
            Self::EvidencePacked { certificate, organisation, manifest } => facts(
                AuditCode::LogExport,
                "certificate",
                certificate,
                json!({ "manifest": manifest }),
            )
            .of(organisation),
            Self::CertificateBound { user, certificate } => facts(
                AuditCode::AuthFactorAdded,
                "user",
                user,
                json!({
                    "factor": "certificate",
                    "fingerprint": certificate.fingerprint,
                    "subject": certificate.subject,
                    "until": certificate.not_after.to_string(),
                }),
            ),
            Self::CertificateEnded { user, fingerprint } => facts(
                AuditCode::AuthFactorRemoved,
                "user",
                user,
                json!({ "factor": "certificate", "fingerprint": fingerprint }),
            ),
            Self::AccountDisabled { user, organisation } => {
                let facts = facts(AuditCode::AccountDisabled, "user", user, json!({}));
                match organisation {
                    Some(organisation) => facts.of(organisation),
                    None => facts,
                }
            }
            Self::RoleEnded { user, grant } => {
                facts(AuditCode::RoleEnded, "user", user, json!({ "grant": grant }))
            }
            Self::LanguageSet { user, language } => {
                let detail = json!({ "changed": "language", "language": language });
                facts(AuditCode::AccountChanged, "user", user, detail)
            }
        }
    }
}

fn token_facts(code: AuditCode, token: &ServiceToken) -> Facts {
    let key = match &token.proof {
        TokenProof::Secret(_) => None,
        TokenProof::Key(key) => Some(key.fingerprint),
    };
    let detail = json!({
        "user": token.user,
        "proof": token.proof.word(),
        "key": key,
        "permissions": token.permissions,
        "until": token.until.to_string(),
    });
    facts(code, "token", &token.id, detail)
}

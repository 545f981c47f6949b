//! Tokens of service accounts, certificates that accounts sign in with, and accounts that end.

use tenkoku_domain::audit::AccessEvent;
use tenkoku_domain::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;

impl Tx<'_> {
    /// The rows of the objects that an event is about.
    pub(super) fn apply_access(
        &mut self,
        at: Timestamp,
        event: &AccessEvent,
    ) -> Result<(), StoreError> {
        match event {
            AccessEvent::TokenIssued { token, .. } => self.insert_token(token),
            AccessEvent::TokenRevoked { token, .. } => self.end_token(token),
            // What was given out is not kept; its digest is in the record.
            AccessEvent::EvidencePacked { .. } => Ok(()),
            AccessEvent::CertificateBound { user, certificate } => {
                self.insert_client_certificate(user, certificate)
            }
            AccessEvent::CertificateEnded { user, fingerprint } => {
                self.end_client_certificate(user, fingerprint, at)
            }
            AccessEvent::AccountDisabled { user, .. } => self.disable_account(user, at),
            AccessEvent::RoleEnded { user, grant } => self.end_role(user, grant),
            AccessEvent::LanguageSet { user, language } => self.set_language(user, *language),
        }
    }
}

//! The life of authorities: generations, cross-certificates, ceremonies (DOMAIN 6.7, 10).

use tenkoku_domain::access::Origin;
use tenkoku_domain::audit::{AuthorityEvent, Compromise, ReceivedRoot};
use tenkoku_domain::key::KeyState;
use tenkoku_domain::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;

impl Tx<'_> {
    /// The rows of the objects that an event is about.
    pub(super) fn apply_authority(
        &mut self,
        _origin: &Origin,
        at: Timestamp,
        event: &AuthorityEvent,
    ) -> Result<(), StoreError> {
        match event {
            AuthorityEvent::Planned { plan } => self.insert_plan(plan),
            AuthorityEvent::Certified { authority } => self.certify_authority(authority),
            AuthorityEvent::RootReceived { root } => self.receive_root(root),
            AuthorityEvent::Suspended { authority, .. }
            | AuthorityEvent::Resumed { authority }
            | AuthorityEvent::Retired { authority }
            | AuthorityEvent::Ended { authority } => self.set_authority_state(authority),
            AuthorityEvent::KeyDestroyed { authority, .. } => {
                self.set_key_state(&authority.key, KeyState::Destroyed)
            }
            AuthorityEvent::CeremonyOpened { record } => self.open_ceremony(record),
            AuthorityEvent::CeremonyStep { ceremony, step } => self.add_step(ceremony, step),
            AuthorityEvent::CeremonyClosed { record } => self.close_ceremony(record),
            AuthorityEvent::Exchanged { exchange } => self.insert_exchange(exchange),
            AuthorityEvent::EmergencyRehearsed { authority, document, .. } => {
                self.insert_rehearsal(authority, at, document)
            }
            AuthorityEvent::Compromised { compromise } => self.compromise_authority(compromise),
            AuthorityEvent::CrlReceived { crl } => self.insert_crl(crl),
            AuthorityEvent::CertificateReceived { certificate } => {
                self.insert_received(certificate)
            }
            AuthorityEvent::KeyReceived { key } => self.insert_key(key),
            AuthorityEvent::Renewed { .. }
            | AuthorityEvent::CrossCertified { .. }
            | AuthorityEvent::CeremonyDeviated { .. } => Ok(()),
        }
    }

    /// What an event sets off: its place among the changes of status, and jobs.
    pub(super) fn follow_authority(
        &mut self,
        at: Timestamp,
        event: &AuthorityEvent,
    ) -> Result<(), StoreError> {
        match event {
            AuthorityEvent::RootReceived { root } => {
                self.log_status(&root.certificate, None, at);
                Ok(())
            }
            AuthorityEvent::CertificateReceived { certificate } => {
                self.log_status(certificate, None, at);
                Ok(())
            }
            AuthorityEvent::Compromised { compromise } => {
                for certificate in &compromise.certificates {
                    self.log_status(certificate, Some(&compromise.revocation), at);
                    self.queue_job("refresh-status", certificate.authority.as_str(), at)?;
                }
                Ok(())
            }
            AuthorityEvent::Planned { .. }
            | AuthorityEvent::Certified { .. }
            | AuthorityEvent::Suspended { .. }
            | AuthorityEvent::Resumed { .. }
            | AuthorityEvent::Renewed { .. }
            | AuthorityEvent::CrossCertified { .. }
            | AuthorityEvent::Retired { .. }
            | AuthorityEvent::KeyDestroyed { .. }
            | AuthorityEvent::KeyReceived { .. }
            | AuthorityEvent::Ended { .. }
            | AuthorityEvent::CeremonyOpened { .. }
            | AuthorityEvent::CeremonyStep { .. }
            | AuthorityEvent::CeremonyDeviated { .. }
            | AuthorityEvent::CeremonyClosed { .. }
            | AuthorityEvent::Exchanged { .. }
            | AuthorityEvent::EmergencyRehearsed { .. }
            | AuthorityEvent::CrlReceived { .. } => Ok(()),
        }
    }

    fn receive_root(&mut self, root: &ReceivedRoot) -> Result<(), StoreError> {
        self.insert_key(&root.key)?;
        self.insert_authority(&root.authority)?;
        self.insert_received(&root.certificate)
    }

    fn compromise_authority(&mut self, compromise: &Compromise) -> Result<(), StoreError> {
        self.set_authority_state(&compromise.authority)?;
        for certificate in &compromise.certificates {
            self.revoke_certificate(certificate, &compromise.revocation)?;
        }
        self.set_key_state(&compromise.authority.key, KeyState::Compromised)
    }
}

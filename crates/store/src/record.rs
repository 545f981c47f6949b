//! The one door for changes of state: an event goes into the tables and into the audit chain.

mod access;
mod authority;
mod delegation;
mod followed;
mod identity;
mod life;
mod list;
mod policy;
mod proposal;
mod status;

use tenkoku_domain::access::Origin;
use tenkoku_domain::audit::{Event, SignedCrl};
use tenkoku_domain::certificate::{ACKNOWLEDGEMENT_DAYS, CertificateState};
use tenkoku_domain::notice::caused_by;
use tenkoku_domain::time::Timestamp;

use crate::error::StoreError;
use crate::ledger::{Entry, Recorded};
use crate::tx::Tx;

/// What is kept of an event until the end of its transaction: not the octets of a list, which may be
/// fifty million and of which nothing more is made.
fn noted(event: &Event) -> Event {
    if let Event::CrlIssued { crl } = event {
        return Event::CrlIssued { crl: SignedCrl { head: crl.head.clone(), der: Vec::new() } };
    }
    event.clone()
}

impl Tx<'_> {
    /// Applies an event to the tables, and appends it to this node's audit chain in the same
    /// transaction (I-12): at its end, or as soon as something that follows from it is read.
    ///
    /// Locks are taken in this order: rows of the objects, the end of the chain, counters.
    pub fn record(
        &mut self,
        origin: &Origin,
        at: Timestamp,
        event: &Event,
    ) -> Result<(), StoreError> {
        self.change(|tx| {
            tx.apply(origin, at, event)?;
            let letters = tx.addressed(&caused_by(event, at), at)?;
            let (origin, event) = (origin.clone(), noted(event));
            tx.ledger.note(Entry::Event(Box::new(Recorded { origin, at, event, letters })));
            // Who only reads learns at once that nothing can be recorded.
            if tx.writes() { Ok(()) } else { tx.settle() }
        })
    }

    /// The rows of the objects that an event is about.
    fn apply(&mut self, origin: &Origin, at: Timestamp, event: &Event) -> Result<(), StoreError> {
        match event {
            Event::NodeStarted { .. }
            | Event::NodeStopped
            | Event::SchemaMigrated { .. }
            | Event::ClockCompared { .. }
            | Event::OcspSignerRotated { .. }
            | Event::FactorAdded { .. }
            | Event::AccountLocked { .. }
            | Event::Refused { .. } => Ok(()),
            Event::InstallationMade { policy } => self.insert_policy(policy, at),
            Event::KeyGenerated { key } | Event::KeyClaimed { key, .. } => self.insert_key(key),
            Event::AuthorityPlanned { authority } => self.insert_authority(authority),
            Event::AuthorityCertified { authority } => self.certify_authority(authority),
            Event::OrganisationCreated { organisation, proofing } => {
                self.insert_organisation(organisation)?;
                self.insert_first_proofing(&organisation.id, proofing, &origin.actor, at)
            }
            Event::BranchCreated { branch } => self.insert_branch(branch),
            Event::CertificateIssued { certificate } => {
                self.complete_certificate(certificate)?;
                match certificate.state {
                    CertificateState::Issued | CertificateState::Held(_) => {
                        let due = at.plus_days(ACKNOWLEDGEMENT_DAYS);
                        self.insert_acknowledgement(certificate, due)
                    }
                    CertificateState::Pending
                    | CertificateState::Active
                    | CertificateState::Suspended(_)
                    | CertificateState::Retired
                    | CertificateState::Revoked(_) => Ok(()),
                }
            }
            Event::CertificateNotAccepted { certificate, revocation } => {
                self.withdraw_certificate(certificate, revocation)
            }
            Event::CertificateRevoked { certificate, revocation, .. } => {
                self.revoke_certificate(certificate, revocation)?;
                self.end_suspensions(&certificate.id, at)
            }
            Event::CrlIssued { crl } => self.insert_crl(crl),
            Event::ListPublished { list, services } => self.apply_publication(list, services),
            Event::AccountCreated { account } => self.insert_account(account),
            Event::RoleGranted { user, grant } => self.insert_role(user, grant),
            Event::CodeIssued { code } => self.insert_code(code, at),
            Event::CodeUsed { code } => self.use_code(code, at),
            Event::LoggedIn { session } => self.insert_session(session),
            Event::SteppedUp { session } => self.step_up_session(session),
            Event::SessionEnded { session } => self.end_session(session, at),
            Event::Policy(event) => self.apply_policy(origin, at, event),
            Event::Identity(event) => self.apply_identity(origin, at, event),
            Event::Delegation(event) => self.apply_delegation(at, event),
            Event::Life(event) => self.apply_life(origin, at, event),
            Event::Authority(event) => self.apply_authority(origin, at, event),
            Event::Status(event) => self.apply_status(at, event),
            Event::Backup(event) => self.apply_backup(event),
            Event::Notice(event) => self.apply_notice(at, event),
            Event::Proposal(event) => self.apply_proposal(event),
            Event::List(event) => self.apply_list(event),
            Event::Registry(event) => self.apply_registry(at, event),
            Event::Followed(event) => self.apply_followed(at, event),
            Event::Access(event) => self.apply_access(at, event),
        }
    }

    /// What an event sets off: its place among the changes of status, and jobs.
    pub(crate) fn follow(&mut self, at: Timestamp, event: &Event) -> Result<(), StoreError> {
        match event {
            Event::CertificateIssued { certificate } => {
                // Told as on hold where its key must acknowledge it first.
                let hold = certificate.state.revocation();
                self.log_status(certificate, hold, at);
                match hold {
                    Some(_) => self.queue_job("refresh-status", certificate.authority.as_str(), at),
                    None => Ok(()),
                }
            }
            Event::CertificateNotAccepted { certificate, revocation }
            | Event::CertificateRevoked { certificate, revocation, .. } => {
                self.log_status(certificate, Some(revocation), at);
                self.queue_job("refresh-status", certificate.authority.as_str(), at)
            }
            Event::Life(event) => self.follow_life(at, event),
            Event::Authority(event) => self.follow_authority(at, event),
            Event::Status(event) => self.follow_status(at, event),
            Event::Delegation(event) => self.follow_delegation(at, event),
            Event::Identity(_)
            | Event::NodeStarted { .. }
            | Event::NodeStopped
            | Event::InstallationMade { .. }
            | Event::SchemaMigrated { .. }
            | Event::ClockCompared { .. }
            | Event::KeyGenerated { .. }
            | Event::AuthorityPlanned { .. }
            | Event::AuthorityCertified { .. }
            | Event::OrganisationCreated { .. }
            | Event::BranchCreated { .. }
            | Event::KeyClaimed { .. }
            | Event::CrlIssued { .. }
            | Event::OcspSignerRotated { .. }
            | Event::ListPublished { .. }
            | Event::AccountCreated { .. }
            | Event::RoleGranted { .. }
            | Event::CodeIssued { .. }
            | Event::CodeUsed { .. }
            | Event::FactorAdded { .. }
            | Event::LoggedIn { .. }
            | Event::SteppedUp { .. }
            | Event::SessionEnded { .. }
            | Event::AccountLocked { .. }
            | Event::Policy(_)
            | Event::Backup(_)
            | Event::Notice(_)
            | Event::Proposal(_)
            | Event::List(_)
            | Event::Registry(_)
            | Event::Followed(_)
            | Event::Access(_)
            | Event::Refused { .. } => Ok(()),
        }
    }
}

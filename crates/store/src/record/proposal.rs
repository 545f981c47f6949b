//! Acts that wait for other persons, backups, and the states of organisations and branch offices.

use tenkoku_domain::audit::{BackupEvent, ProposalEvent, RegistryEvent};
use tenkoku_domain::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;

impl Tx<'_> {
    /// The rows of the objects that an event is about.
    pub(super) fn apply_proposal(&mut self, event: &ProposalEvent) -> Result<(), StoreError> {
        match event {
            ProposalEvent::Proposed { proposal } => self.insert_proposal(proposal),
            ProposalEvent::Decided { proposal, decision } => {
                self.decide_proposal(proposal, decision)
            }
        }
    }

    /// The rows of the objects that an event is about.
    pub(super) fn apply_backup(&mut self, event: &BackupEvent) -> Result<(), StoreError> {
        match event {
            BackupEvent::Made { .. } | BackupEvent::Rehearsed { .. } => Ok(()),
            BackupEvent::Restored { request, .. } => self.open_request(request.as_deref()),
        }
    }

    /// The rows of the objects that an event is about.
    pub(super) fn apply_registry(
        &mut self,
        at: Timestamp,
        event: &RegistryEvent,
    ) -> Result<(), StoreError> {
        match event {
            RegistryEvent::OrganisationMoved { organisation, from, .. } => {
                self.move_organisation(organisation, *from)
            }
            RegistryEvent::BranchMoved { branch, from, .. } => self.move_branch(branch, *from),
            RegistryEvent::LeiProofed { organisation, lei, .. } => {
                self.keep_lei(&organisation.id, lei, at)
            }
        }
    }
}

//! People and their offices, proofing, grants and approvals (DOMAIN 15 to 17).

use tenkoku_domain::application::{Application, ApplicationState};
use tenkoku_domain::approval::ApprovalRequest;
use tenkoku_domain::audit::DelegationEvent;
use tenkoku_domain::batch::BatchState;
use tenkoku_domain::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;

impl Tx<'_> {
    /// The rows of the objects that an event is about.
    pub(super) fn apply_delegation(
        &mut self,
        at: Timestamp,
        event: &DelegationEvent,
    ) -> Result<(), StoreError> {
        use DelegationEvent as E;
        match event {
            E::PersonRecorded { person } => self.insert_person(person),
            E::RepresentativeRecorded { representative } => {
                self.insert_representative(representative)
            }
            E::RepresentativeEnded { representative } => self.end_representative(representative),
            E::DelegateAdded { delegate } => self.insert_delegate(delegate),
            E::DelegateRemoved { delegate } => self.end_delegate(delegate),
            E::Proofed { record } => self.insert_proofing(record),
            E::IssuerProposed { issuer, request } => {
                self.insert_issuer(issuer)?;
                self.open_request(request.as_deref())
            }
            E::IssuerMoved { issuer, from } => self.move_issuer(&issuer.id, *from, issuer.state),
            E::GrantDrafted { grant } => self.insert_grant(grant),
            E::GrantMoved { grant, from, request } => {
                self.move_grant(*from, grant)?;
                self.open_request(request.as_deref())
            }
            E::GrantReviewed { grant } => self.move_grant(grant.state, grant),
            // What is used of a grant is counted from the applications and certificates under it.
            E::QuotaReserved { .. } | E::QuotaReleased { .. } => Ok(()),
            E::CustodianWanted { container, grant, due, .. } => {
                self.insert_custodian_task(container, grant, (at, *due))
            }
            E::CustodianMissing { container, .. } => self.close_custodian_tasks(container, at),
            E::ApplicationMoved { application, to, request } => {
                let now = Application { state: *to, changed_at: at, ..application.clone() };
                self.move_application(application.state, &now)?;
                self.open_request(request.as_deref())
            }
            E::ApplicationChanged { application, from, voided } => {
                self.move_application(*from, application)?;
                voided.as_ref().map_or(Ok(()), |id| self.void_approval_request(id))
            }
            E::ApplicationWithdrawn { application, voided } => {
                self.end_application(application, ApplicationState::Withdrawn, at)?;
                voided.as_ref().map_or(Ok(()), |id| self.void_approval_request(id))
            }
            E::ApplicationDeclined { application, .. } => {
                self.end_application(application, ApplicationState::Rejected, at)
            }
            E::BatchLoaded { batch, rows, request } => {
                self.insert_batch(batch, rows)?;
                self.open_request(request.as_deref())
            }
            E::BatchMoved { batch, from } => self.move_batch(*from, batch),
            E::RoleAsked { request, .. } | E::ReleaseAsked { request, .. } => {
                self.open_request(Some(request))
            }
            E::Decided { request, decision } => self.insert_approval(request, decision),
        }
    }

    /// A batch that may go on is worked on.
    pub(super) fn follow_delegation(
        &mut self,
        at: Timestamp,
        event: &DelegationEvent,
    ) -> Result<(), StoreError> {
        let (DelegationEvent::BatchLoaded { batch, .. }
        | DelegationEvent::BatchMoved { batch, .. }) = event
        else {
            return Ok(());
        };
        if batch.state == BatchState::Approved {
            self.queue_job("batch-applications", batch.id.as_str(), at)?;
        }
        Ok(())
    }

    pub(super) fn open_request(
        &mut self,
        request: Option<&ApprovalRequest>,
    ) -> Result<(), StoreError> {
        request.map_or(Ok(()), |request| self.insert_approval_request(request))
    }
}

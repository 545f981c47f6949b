//! Trusted lists on their way, and published.

use tenkoku_domain::audit::ListEvent;
use tenkoku_domain::trusted_list::draft::{ListDraft, ListDraftState};
use tenkoku_domain::trusted_list::{ListedService, PublishedList};

use crate::error::StoreError;
use crate::tx::Tx;

impl Tx<'_> {
    /// The rows of the objects that an event is about.
    pub(super) fn apply_list(&mut self, event: &ListEvent) -> Result<(), StoreError> {
        match event {
            ListEvent::Opened { draft } => self.insert_list_draft(draft),
            ListEvent::Edited { draft, edit } => {
                self.update_list_draft(draft)?;
                self.insert_list_edit(draft, edit)
            }
            ListEvent::Submitted { draft } | ListEvent::Abandoned { draft } => {
                self.update_list_draft(draft)
            }
            ListEvent::Decided { draft, decision } => {
                self.update_list_draft(draft)?;
                self.insert_list_decision(draft, decision)
            }
            ListEvent::Signing { .. } | ListEvent::Overdue { .. } => Ok(()),
        }
    }

    /// A list with what it says of each key; the draft it was made of is published with it.
    pub(super) fn apply_publication(
        &mut self,
        list: &PublishedList,
        services: &[ListedService],
    ) -> Result<(), StoreError> {
        self.insert_list(list)?;
        services.iter().try_for_each(|service| self.keep_listed_service(service))?;
        let Some(id) = &list.draft else { return Ok(()) };
        let draft = self.lock_list_draft(id)?;
        if draft.state != ListDraftState::Approved {
            return Err(StoreError::Conflict { what: "draft of the list" });
        }
        self.update_list_draft(&ListDraft { state: ListDraftState::Published, ..draft })
    }
}

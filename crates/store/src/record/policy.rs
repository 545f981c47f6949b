//! The life of policy documents: drafted, approved, in force, superseded (DOMAIN 7).

use tenkoku_domain::access::Origin;
use tenkoku_domain::audit::PolicyEvent;
use tenkoku_domain::policy::draft::{DraftState, Verdict};
use tenkoku_domain::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;

impl Tx<'_> {
    /// The rows of the objects that an event is about.
    pub(super) fn apply_policy(
        &mut self,
        _origin: &Origin,
        at: Timestamp,
        event: &PolicyEvent,
    ) -> Result<(), StoreError> {
        use DraftState as S;
        match event {
            PolicyEvent::Drafted { draft } => self.insert_draft(draft),
            PolicyEvent::Replaced { digest, .. } => {
                self.move_draft(digest, &[S::Drafted], S::Replaced)
            }
            PolicyEvent::Decided { digest, decision, complete } => {
                self.insert_decision(digest, decision)?;
                match decision.verdict {
                    Verdict::Approved if *complete => {
                        self.move_draft(digest, &[S::Drafted], S::Approved)
                    }
                    Verdict::Approved => self.move_draft(digest, &[S::Drafted], S::Drafted),
                    Verdict::Rejected => self.move_draft(digest, &[S::Drafted], S::Rejected),
                }
            }
            PolicyEvent::Activated { policy, digest } => {
                self.move_draft(digest, &[S::Approved], S::InForce)?;
                self.insert_policy(policy, at)
            }
            PolicyEvent::VendorRootAsked { root } => self.ask_vendor_root(root),
            PolicyEvent::VendorRootDecided { root, decision } => {
                self.decide_vendor_root(root, decision)
            }
            PolicyEvent::ClaimRecorded { accreditation } => {
                self.insert_accreditation(accreditation)
            }
            PolicyEvent::ClaimEnded { accreditation } => self.end_accreditation(accreditation),
            // The policy that an installation started from was never a draft.
            PolicyEvent::Superseded { digest, .. } => self.supersede_draft(digest),
        }
    }
}

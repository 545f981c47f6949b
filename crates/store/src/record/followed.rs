//! Trusted lists of others.

use tenkoku_domain::audit::FollowedEvent;
use tenkoku_domain::followed::FollowedList;
use tenkoku_domain::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;

impl Tx<'_> {
    /// The rows of the objects that an event is about.
    pub(super) fn apply_followed(
        &mut self,
        at: Timestamp,
        event: &FollowedEvent,
    ) -> Result<(), StoreError> {
        match event {
            FollowedEvent::SourceTrusted { source } => {
                self.insert_list_source(source)?;
                self.put_followed(&FollowedList::new(
                    source.code.clone(),
                    source.code.clone(),
                    source.location.clone(),
                    None,
                ))
            }
            FollowedEvent::SourceEnded { source } => {
                self.end_list_source(source)?;
                self.drop_followed_of(&source.code, at)
            }
            FollowedEvent::AnchorsTaken { source } => self.set_list_trust(source),
            FollowedEvent::Step { list, snapshot, .. } => {
                if let Some(snapshot) = snapshot {
                    self.insert_snapshot(snapshot)?;
                }
                self.put_followed(list)
            }
            FollowedEvent::PivotKept { source, address, xml } => {
                self.insert_pivot(source, address, xml, at)
            }
        }
    }
}

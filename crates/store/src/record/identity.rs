//! The identity of keys: challenges, proofs, known-key feeds, incidents (DOMAIN 8, 9).

use tenkoku_domain::access::Origin;
use tenkoku_domain::application::ApplicationState;
use tenkoku_domain::audit::IdentityEvent;
use tenkoku_domain::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;

impl Tx<'_> {
    /// The rows of the objects that an event is about.
    pub(super) fn apply_identity(
        &mut self,
        _origin: &Origin,
        at: Timestamp,
        event: &IdentityEvent,
    ) -> Result<(), StoreError> {
        match event {
            IdentityEvent::ApplicationOpened { application, challenge } => {
                self.claim_instance(application)?;
                self.insert_application(application)?;
                self.insert_challenge(challenge)
            }
            IdentityEvent::ChallengeIssued { challenge, .. } => self.insert_challenge(challenge),
            IdentityEvent::PossessionShown { challenge, .. } => self.use_challenge(challenge, at),
            IdentityEvent::OriginShown { evidence, .. } => self.insert_key_evidence(evidence),
            IdentityEvent::KeyMade { key, evidence } => {
                self.insert_key(key)?;
                self.insert_key_evidence(evidence)
            }
            IdentityEvent::ApplicationReady { application } => {
                self.complete_application(application)
            }
            IdentityEvent::ApplicationRejected { application, .. } => {
                self.end_application(application, ApplicationState::Rejected, at)
            }
            IdentityEvent::ApplicationLapsed { application } => {
                self.end_application(application, ApplicationState::Lapsed, at)
            }
            IdentityEvent::IncidentOpened { incident } => self.insert_incident(incident),
            IdentityEvent::IncidentClosed { incident } => {
                self.close_incident(incident)?;
                self.block_decided(incident, at)
            }
            IdentityEvent::KeyBlocked { blocked } => self.block_key(blocked).map(drop),
            IdentityEvent::FeedTrusted { source } => self.trust_feed(source),
            IdentityEvent::FeedEnded { source } => self.end_feed(source),
            IdentityEvent::FeedImported { feed, .. } => self.take_feed(feed),
            IdentityEvent::FeedExported { authority, sequence, digest, keys } => {
                self.insert_feed_export(authority, (*sequence, digest, *keys), at)
            }
        }
    }
}

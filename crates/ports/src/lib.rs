//! What a use case may reach: the store, the keys, the clock, the entropy, and the settings.
//!
//! Nothing else. A use case that needs more needs a new port here.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod settings;

use std::sync::Arc;

use tenkoku_domain::access::{Origin, Principal};
use tenkoku_domain::audit::{AuditCode, Event, ObjectRef};
use tenkoku_domain::authority::AuthorityCode;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::{Entropy, OrganisationId, RequestId};
use tenkoku_domain::refusal::Refusal;
use tenkoku_domain::time::{Clock, Timestamp};
use tenkoku_keys::KeyStore;
use tenkoku_store::{Store, StoreError};

use crate::settings::Settings;

/// What a use case may reach.
#[derive(Clone)]
pub struct Env {
    /// The database.
    pub store: Store,
    /// The keys.
    pub keys: Arc<dyn KeyStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness for serial numbers, identifiers and secrets.
    pub entropy: Arc<dyn Entropy>,
    /// What the operator decided.
    pub settings: Arc<Settings>,
    /// The nodes that answer beside this one.
    pub nodes: Arc<dyn StatusNodes>,
}

/// The nodes that answer OCSP beside this one, asked as relying parties ask.
pub trait StatusNodes: Send + Sync {
    /// What each of them, by its name, answers to a request at the address of an authority;
    /// nothing where it does not answer. Waits for two seconds at most.
    fn ask(&self, authority: &AuthorityCode, request: &[u8]) -> Vec<(String, Option<Vec<u8>>)>;
}

/// There are none.
#[derive(Clone, Copy, Debug)]
pub struct NoOtherNodes;

impl StatusNodes for NoOtherNodes {
    fn ask(&self, _: &AuthorityCode, _: &[u8]) -> Vec<(String, Option<Vec<u8>>)> {
        Vec::new()
    }
}

/// What was tried when a rule refused it.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The code of the act.
    pub code: AuditCode,
    /// On what.
    pub object: ObjectRef,
    /// Whose.
    pub organisation: Option<OrganisationId>,
    /// The policy it was decided under.
    pub policy: Option<Digest>,
}

impl Env {
    /// The platform itself as the one who acts: a job, the command line, the first-run setup.
    pub fn system(&self, name: &str) -> Principal {
        Principal::system(name, RequestId::new(self.clock.now(), &*self.entropy))
    }

    /// Writes a refusal to the audit trail (I-12) and hands it back.
    ///
    /// The refused act's own transaction was rolled back, so the record gets one of its own.
    pub fn refuse(
        &self,
        origin: &Origin,
        at: Timestamp,
        attempt: Attempt,
        refusal: Refusal,
    ) -> Result<Refusal, StoreError> {
        let Attempt { code, object, organisation, policy } = attempt;
        let event = Event::Refused { code, object, organisation, policy, refusal: refusal.clone() };
        self.store.write(|tx| tx.record(origin, at, &event))?;
        Ok(refusal)
    }
}

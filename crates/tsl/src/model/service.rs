//! Trust services and their past states (TS 119 612, 5.5 and 5.6).
//!
//! Deliberately not here: what extensions say.

use super::{Extension, Identity, ModelError, Names, Pages, Uri};
use tenkoku_domain::time::Timestamp;

/// A service as it is now, and as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// What the service does (5.5.1).
    pub service_type: Uri,
    /// Its name (5.5.2).
    pub name: Names,
    /// Its key (5.5.3).
    pub identity: Identity,
    /// Its status (5.5.4).
    pub status: Uri,
    /// Since when it has this status, cut to the second (5.5.5).
    pub status_start: Timestamp,
    /// The operator's page on the service (5.5.6).
    pub scheme_definition: Option<Pages>,
    /// Where the service is reached (5.5.7).
    pub supply_points: Vec<SupplyPoint>,
    /// The provider's page on the service (5.5.8).
    pub provider_definition: Option<Pages>,
    /// What else is said about the service (5.5.9).
    pub extensions: Vec<Extension>,
    /// Former states, the newest first (5.5.10).
    pub history: Vec<PastState>,
}

/// A state that the service had before (5.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastState {
    /// What the service did (5.6.1).
    pub service_type: Uri,
    /// Its name then (5.6.2).
    pub name: Names,
    /// Its key, without certificate (5.6.3).
    pub identity: Identity,
    /// Its status then (5.6.4).
    pub status: Uri,
    /// When that status began, cut to the second (5.6.5).
    pub status_start: Timestamp,
    /// What else was said about it (5.6.6).
    pub extensions: Vec<Extension>,
}

/// An address of the service (5.5.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupplyPoint {
    /// What is found there, such as `…/Svctype/Certstatus/OCSP` (list version 6).
    pub kind: Option<Uri>,
    /// The address.
    pub address: Uri,
}

/// A state, present or past, as whoever asks about an instant sees it.
#[derive(Clone, Copy, Debug)]
pub struct State<'s> {
    /// What the service did.
    pub service_type: &'s Uri,
    /// Its name then.
    pub name: &'s Names,
    /// Its status then.
    pub status: &'s Uri,
    /// When that status began.
    pub since: Timestamp,
    /// What else was said about it.
    pub extensions: &'s [Extension],
}

impl Service {
    /// Gives the service another status; the one that it had moves to the top of the history, with
    /// everything that was said about it (G.3).
    ///
    /// # Errors
    ///
    /// [`ModelError::StatusStart`] unless `since` is later than the present status began, by whole
    /// seconds; [`ModelError::StatusUnchanged`] for the status that it has.
    pub fn change_status(&mut self, status: Uri, since: Timestamp) -> Result<(), ModelError> {
        if status == self.status {
            return Err(ModelError::StatusUnchanged(status.to_string()));
        }
        self.begin_state(since)?;
        self.status = status;
        Ok(())
    }

    /// Begins a new state with the same status, because something else is about to be said that
    /// counts from an instant on: what was said before moves to the top of the history.
    ///
    /// # Errors
    ///
    /// [`ModelError::StatusStart`] unless `since` is later than the present state began, by whole
    /// seconds.
    pub fn begin_state(&mut self, since: Timestamp) -> Result<(), ModelError> {
        if since.seconds() <= self.status_start.seconds() {
            return Err(ModelError::StatusStart(self.status_start));
        }
        let past = PastState {
            service_type: self.service_type.clone(),
            name: self.name.clone(),
            identity: self.identity.to_past(),
            status: self.status.clone(),
            status_start: std::mem::replace(&mut self.status_start, since.floor()),
            extensions: self.extensions.clone(),
        };
        self.history.insert(0, past);
        Ok(())
    }

    /// Its states, the present one first, then the history in the list's order.
    pub fn states(&self) -> impl Iterator<Item = State<'_>> {
        let present = State {
            service_type: &self.service_type,
            name: &self.name,
            status: &self.status,
            since: self.status_start,
            extensions: &self.extensions,
        };
        std::iter::once(present).chain(self.history.iter().map(|past| State {
            service_type: &past.service_type,
            name: &past.name,
            status: &past.status,
            since: past.status_start,
            extensions: &past.extensions,
        }))
    }
}

//! The identity of keys: challenges, proofs, known-key feeds, incidents (DOMAIN 8, 9).

use super::Facts;

/// The identity of keys: challenges, proofs, known-key feeds, incidents (DOMAIN 8, 9).
#[derive(Clone, Debug, PartialEq)]
pub enum IdentityEvent {}

impl IdentityEvent {
    /// What the record says beyond who, when and where from.
    pub(super) fn facts(&self) -> Facts {
        match *self {}
    }
}

//! The life of policy documents: drafted, approved, in force, superseded (DOMAIN 7).

use super::Facts;

/// The life of policy documents: drafted, approved, in force, superseded (DOMAIN 7).
#[derive(Clone, Debug, PartialEq)]
pub enum PolicyEvent {}

impl PolicyEvent {
    /// What the record says beyond who, when and where from.
    pub(super) fn facts(&self) -> Facts {
        match *self {}
    }
}

//! The life of authorities: generations, cross-certificates, ceremonies (DOMAIN 6.7, 10).

use super::Facts;

/// The life of authorities: generations, cross-certificates, ceremonies (DOMAIN 6.7, 10).
#[derive(Clone, Debug, PartialEq)]
pub enum AuthorityEvent {}

impl AuthorityEvent {
    /// What the record says beyond who, when and where from.
    pub(super) fn facts(&self) -> Facts {
        match *self {}
    }
}

//! The life of containers, instances and keys: rotation, retirement, destruction (DOMAIN 10, 11).

use super::Facts;

/// The life of containers, instances and keys: rotation, retirement, destruction (DOMAIN 10, 11).
#[derive(Clone, Debug, PartialEq)]
pub enum LifeEvent {}

impl LifeEvent {
    /// What the record says beyond who, when and where from.
    pub(super) fn facts(&self) -> Facts {
        match *self {}
    }
}

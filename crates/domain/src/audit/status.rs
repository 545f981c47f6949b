//! What happens to status as a whole: many certificates at once.

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{AuditCode, Facts, facts};
use crate::canonical::Digest;
use crate::seed::Seed;

/// What happens to status as a whole: many certificates at once.
#[derive(Clone, Debug, PartialEq)]
pub enum StatusEvent {
    /// An evaluation was filled with serial numbers for tests under load.
    Seeded {
        /// What was written.
        seed: Box<Seed>,
    },
}

impl StatusEvent {
    /// What the record says beyond who, when and where from.
    pub(super) fn facts(&self) -> Facts {
        match self {
            Self::Seeded { seed } => {
                let mut serials = Sha256::new();
                seed.rows.iter().for_each(|row| serials.update(row.serial.octets()));
                let revoked = seed.rows.iter().filter(|row| row.revocation.is_some()).count();
                let detail = json!({
                    "issued": seed.rows.len(),
                    "revoked": revoked,
                    "key": seed.key,
                    "serials": Digest(serials.finalize().into()),
                });
                facts(AuditCode::SysDemoSeeded, "authority", &seed.authority, detail)
                    .under(seed.policy)
            }
        }
    }
}

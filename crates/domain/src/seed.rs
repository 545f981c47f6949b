//! Serial numbers without certificates, for tests of an evaluation under load.
//!
//! A seed fills the store as if an authority had issued many seals: each has its row, its place in
//! the status log and its answer. There is nothing to export: no body was signed, and the one key
//! they name has no private half.

use crate::canonical::Digest;
use crate::certificate::{Profile, Serial, Validity};
use crate::id::{AuthorityId, CertificateId, KeyId};
use crate::policy::Installation;
use crate::refusal::{Refusal, RefusalCode};
use crate::revocation::Revocation;

/// One serial number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeedRow {
    /// Identifier of the record.
    pub id: CertificateId,
    /// The serial number, 16 octets.
    pub serial: Serial,
    /// Its revocation; `None` for one in use.
    pub revocation: Option<Revocation>,
}

/// Serial numbers that are written together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    /// The authority.
    pub authority: AuthorityId,
    /// The profile of its seals.
    pub profile: Profile,
    /// The key that all of them name.
    pub key: KeyId,
    /// The digest of the policy in force.
    pub policy: Digest,
    /// Validity of all.
    pub validity: Validity,
    /// Common name of all.
    pub common_name: String,
    /// The serial numbers.
    pub rows: Vec<SeedRow>,
}

/// Only an evaluation is seeded.
pub fn check_seeding(installation: Installation) -> Result<(), Refusal> {
    match installation {
        Installation::Evaluation => Ok(()),
        Installation::Production => {
            Err(Refusal::new(RefusalCode::StateConflict, "12.1").with("state", installation))
        }
    }
}

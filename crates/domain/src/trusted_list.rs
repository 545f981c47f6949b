//! Trusted lists as published by the platform.

use serde::{Deserialize, Serialize};

use crate::canonical::Digest;
use crate::id::KeyId;
use crate::time::Timestamp;

/// A signed list that was, or is, live at its address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedList {
    /// Code of the scheme, as in `/tl/{scheme}.xml`.
    pub scheme: String,
    /// TSLSequenceNumber: 1 at the first release, higher at each (TS 119 612, 5.3.2).
    pub sequence: i64,
    /// ListIssueDateTime.
    pub issued_at: Timestamp,
    /// NextUpdate.
    pub next_update: Timestamp,
    /// The key that signed it.
    pub signer: KeyId,
    /// SHA-256 of the served octets.
    pub digest: Digest,
    /// What the list says about authorities, for telling whether it must be issued anew.
    pub content: Digest,
    /// The served octets.
    #[serde(skip)]
    pub xml: Vec<u8>,
}

//! What the public addresses of a list were found to serve, fetched as anybody fetches it (TS 119
//! 612, 6.1).
//!
//! Deliberately not here: fetching, and what is live.

use crate::key::words;
use crate::time::Timestamp;

words! {
    /// What is wrong at an address. Stored: add, never change one.
    DeliveryProblem {
        /// Nothing can be fetched from it.
        Unreachable = "unreachable",
        /// It still serves a former sequence.
        Former = "former",
        /// It serves something else.
        Other = "other",
        /// It serves the list under another media type.
        MediaType = "media-type",
    }
}

/// What is wrong at an address, with what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryFault {
    /// What.
    pub problem: DeliveryProblem,
    /// What was found, for specialists.
    pub detail: String,
}

/// What an address was found to serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The address.
    pub address: String,
    /// The scheme.
    pub scheme: String,
    /// The sequence that was live then.
    pub live: i64,
    /// The sequence that was found there, if it can be told.
    pub sequence: Option<i64>,
    /// The `ETag` that came with it.
    pub etag: Option<String>,
    /// When it was fetched last.
    pub checked_at: Timestamp,
    /// When it last served the sequence that was live then.
    pub served_at: Option<Timestamp>,
    /// What is wrong.
    pub fault: Option<DeliveryFault>,
}

//! Use cases over status: OCSP answers and CRLs, and the addresses where relying parties get them.
//!
//! Status is read from the store and signed on demand. Deliberately not here: decisions about
//! status, and the making of signers, which are the authority's.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod answer;
pub mod crl;
pub mod http;

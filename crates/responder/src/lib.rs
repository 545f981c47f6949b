//! Use cases over status: OCSP answers and CRLs, and the addresses where relying parties get them.
//!
//! The responder follows the status log and answers from memory; CRLs are made from the store.
//! Deliberately not here: decisions about status, and the making of signers, which are the
//! authority's; threads and timers, which are the server's.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod answer;
mod budget;
mod cache;
pub mod consistency;
pub mod crl;
pub mod figures;
pub mod gate;
pub mod http;
pub mod index;
mod issuer;
pub mod responder;

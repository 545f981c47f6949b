//! Trusted lists of ETSI TS 119 612 as values, as XML and as signed documents.
//!
//! A [`model::TrustedList`] goes through [`rules::lint`], [`sign::prepare`] and
//! [`sign::PreparedList::finish`]; [`verify::verify`] reads a signed list back, and reads only what
//! was signed. [`follow`] leads from an official journal to the lists that may be believed, [`index`]
//! from a certificate to its service, [`diff`] says what changed, [`lote`] writes the same list in
//! JSON. Deliberately not in this crate: IO, clocks, randomness, keys, and the decision whom
//! to trust.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod algorithm;
pub mod c14n;
pub mod certificate;
pub mod diff;
pub mod follow;
pub mod index;
pub mod lote;
pub mod model;
pub mod rules;
pub mod sign;
pub mod verify;
pub mod write;
pub mod xml;

mod markup;
mod ns;

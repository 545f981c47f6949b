//! Use cases around the trusted lists of others: fetching what people decided to believe, keeping
//! what was good, saying what is wrong, and finding what is listed for a certificate (TS 119 615);
//! and whether the addresses of the own lists serve them ([`delivery`]).
//!
//! What was good stays in force until something better is there; what is wrong is recorded and told
//! ([`refresh`]). Everything that rests on a list cites the snapshot it was read from ([`library`]).
//! Deliberately not here: whom to believe, which people decide in the crate `ca`; and path
//! validation.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod beside;
pub mod delivery;
mod judge;
pub mod library;
pub mod refresh;

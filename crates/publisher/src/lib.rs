//! Use cases over the trusted list: compose it from the authorities, sign it, publish it, and the
//! addresses where readers get it.
//!
//! Deliberately not here: the making of the list's signer, which is the authority's, and the
//! editing of lists by people.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod compose;
pub mod discovery;
pub mod http;
pub mod publish;

//! Use cases over trusted lists: draft them, check them, have others agree, sign and publish them;
//! keep the platform's own list beside its authorities; and the addresses where readers get lists.
//!
//! Deliberately not here: the making of the list's signers, which is the authority's.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod check;
mod compose;
pub mod discovery;
pub mod draft;
mod edit;
pub mod form;
pub mod http;
pub mod link;
pub mod publish;
mod seal;
pub mod shape;
pub mod signers;

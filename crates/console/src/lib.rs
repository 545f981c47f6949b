//! Pages and JSON for people: the console, and the public pages.
//!
//! A handler parses, calls one use case, renders. Deliberately not in this crate: rules, SQL, keys.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod admin;
pub mod api;
pub mod assets;
pub mod evidence_pack;
pub mod fields;
pub mod format;
pub mod granted;
pub mod imprint;
pub mod layout;
pub mod letter;
pub mod problem;
pub mod public;
pub mod session;
pub mod text;

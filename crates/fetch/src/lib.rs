//! Documents from the web, fetched so that nobody can turn the fetching against the installation.
//!
//! Addresses come from documents that others wrote. So every one is looked at before anything is
//! sent: `http` and `https` only, no user, no address that is not public; names are resolved here,
//! and the connection goes to exactly the addresses that were looked at, at every redirect anew
//! (DNS rebinding). Size, time and redirects are bounded.
//! Deliberately not in this crate: what the documents mean, and whether they are to be believed: TLS
//! protects the way, signatures the content.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod guard;
mod web;

pub use guard::{Allowed, is_public};
pub use web::{Document, FetchError, Fetched, Limits, Validators, Web, WebSettings};

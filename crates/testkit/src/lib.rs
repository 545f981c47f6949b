//! What the tests are built from: an installation inside the process, the real program in a folder
//! of its own, a browser, a database server, and other people's programs as judges.
//!
//! For tests only; nothing that is shipped depends on it.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a test ends where something is not as it must be"
)]

pub mod clock;
pub mod device;
pub mod entropy;
pub mod fixtures;
pub mod invariants;
pub mod keys;
pub mod mail_server;
pub mod people;
pub mod postgres;
pub mod servers;
pub mod time_server;
pub mod tools;
pub mod web_server;
pub mod webdriver;
pub mod world;

//! The database: SQLite inside the process, or PostgreSQL, behind one schema.
//!
//! [`Store::read`] and [`Store::write`] hand out a [`Tx`], one transaction. Changes of state go in
//! through [`Tx::record`], which updates the tables and appends to the audit chain together
//! (DOMAIN I-12). What lies outside a scope does not exist for whoever asks.
//!
//! Deliberately not in this crate: decisions (domain), when to do what (use cases), and any other
//! IO. Rows stay inside; this is the only crate that names diesel.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

// Linked so that its `bundled` feature holds: SQLite comes with the program.
use libsqlite3_sys as _;

mod column;
mod connection;
mod error;
mod group;
mod ledger;
mod location;
mod page;
mod pool;
mod record;
mod schema;
mod scope;
mod setup;
mod store;
mod tx;
mod vendor_roots;

mod accounts;
mod accreditations;
mod api_answers;
mod applications;
mod approvals;
mod archive;
mod audit;
mod authorities;
mod batches;
mod blocked_keys;
mod branches;
mod bulks;
mod ceremonies;
mod certificates;
mod challenges;
mod client_certificates;
mod clock_checks;
mod codes;
mod containers;
mod counters;
mod crls;
mod deliveries;
mod discoveries;
mod evidence;
mod exchanges;
mod feeds;
mod figures;
mod followed;
mod grants;
mod imprints;
mod incidents;
mod instances;
mod issuers;
mod jobs;
mod key_evidence;
mod keys;
mod list_drafts;
mod lists;
mod lives;
mod notices;
mod offices;
mod organisations;
mod passkeys;
mod persons;
mod policies;
mod policy_drafts;
mod proofings;
mod proposals;
mod roles;
mod runs;
mod seeds;
mod service_tokens;
mod sessions;
mod status;
mod status_load;
mod suspensions;
mod tasks;

pub use api_answers::{KnownAnswer, KnownRequest};
pub use applications::ApplicationFilter;
pub use archive::{Column, ColumnKind, Filler, Table};
pub use branches::{BranchFilter, BranchSummary};
pub use certificates::CertificateFilter;
pub use discoveries::Discovery;
pub use error::StoreError;
pub use figures::RegistryFigures;
pub use grants::CustodianTask;
pub use jobs::{Job, Lane};
pub use lives::{Acknowledgement, KeyLife};
pub use notices::{Addressed, LetterFigures};
pub use organisations::OrganisationSummary;
pub use page::Page;
pub use policies::EffectivePolicy;
pub use runs::JobRun;
pub use setup::SchemaState;
pub use status::{RevokedEntry, StatusBell, StatusChange, StatusListener, StatusSource, Told};
pub use status_load::StatusLoad;
pub use store::Store;
pub use tx::Tx;

#[cfg(test)]
mod tests;

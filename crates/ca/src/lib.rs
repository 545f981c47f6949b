//! Use cases over certificates and keys: record organisations and branches, apply, issue, revoke,
//! create authorities and their service signers, settle what a power cut left behind.
//!
//! Each loads, asks the domain to decide, and records. Deliberately not here: status answers,
//! lists, pages. What a use case starts elsewhere travels as a job row of the same transaction.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod account;
pub mod acknowledge;
pub mod act;
pub mod apply;
pub mod approval;
pub mod authority;
pub mod batch;
mod block;
pub mod bulk;
pub mod ceremony;
mod claim;
pub mod clock;
pub mod closing;
pub mod container;
pub mod demo;
pub mod destroy;
pub mod emergency;
pub mod evidence_pack;
pub mod exchange;
pub mod feed;
mod followed;
pub mod grant;
pub mod identify;
pub mod import;
pub mod incident;
pub mod instance;
pub mod issue;
pub mod issuer;
mod known;
pub mod lapse;
pub mod letters;
pub mod life;
pub mod nightly;
pub mod notices;
pub mod office;
pub mod origin;
pub mod platform_key;
pub mod policy;
pub mod progress;
pub mod proofing;
pub mod proposal;
pub mod prove;
pub mod restore;
pub mod revoke;
pub mod revoke_by_key;
pub mod role;
pub mod rotate;
pub mod seal_key;
pub mod service;
pub mod service_account;
pub mod settle;
pub mod signer;
mod signing;
pub mod suspend;
pub mod vendor_root;
pub mod weak;
pub mod weak_scan;
mod wishes;

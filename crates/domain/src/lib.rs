//! The nouns of e-seals and the rules that bind them.
//!
//! A rule here takes what is known and the instant, and returns an event or a reason why not.
//! Deliberately not in this crate: IO, async, clocks, randomness, logging, DER, XML and SQL.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod access;
pub mod account;
pub mod accreditation;
pub mod application;
pub mod approval;
pub mod audit;
pub mod authority;
pub mod ballot;
pub mod batch;
pub mod branch;
pub mod bulk;
pub mod canonical;
pub mod ceremony;
pub mod certificate;
pub mod challenge;
pub mod clock;
pub mod container;
pub mod destruction;
pub mod evidence_pack;
pub mod exchange;
pub mod feed;
pub mod followed;
pub mod grant;
pub mod id;
pub mod identifier;
pub mod incident;
pub mod issuer;
pub mod key;
pub mod level;
pub mod name;
pub mod notice;
pub mod organisation;
pub mod origin;
pub mod person;
pub mod policy;
pub mod proofing;
pub mod proposal;
pub mod refusal;
pub mod revocation;
pub mod rotation;
pub mod scheme;
pub mod seed;
pub mod service_account;
pub mod subject;
pub mod suspension;
pub mod task;
pub mod time;
pub mod trusted_list;
pub mod vendor_root;

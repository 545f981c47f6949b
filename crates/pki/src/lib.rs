//! X.509 certificates, requests, CRLs and OCSP messages as bytes: bytes in, bytes out.
//!
//! Parsing returns a value that cannot be wrong, and only what a lint let through can be signed:
//! [`lint::Linted`], [`crl::LintedCrl`] and [`ocsp::LintedAnswer`]. Bodies are written by our own
//! small DER writer and read back by another implementation before they count as linted.
//! Deliberately not in this crate: IO, clocks, randomness, private keys, and the
//! decision whether something should be issued at all.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod archive;
pub mod asn1;
pub mod attestation;
pub mod bundle;
pub mod cert;
pub mod cms;
pub mod crl;
pub mod csr;
pub mod jws;
pub mod key;
pub mod lint;
pub mod name;
pub mod ocsp;
pub mod oid;
pub mod path;
pub mod pem;
pub mod policy;
pub mod profile;
pub mod qc;
pub mod scope;
pub mod seal;
pub mod signature;
pub mod signed;
pub mod tbs;
pub mod uri;
pub mod weak;

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod interop;
#[cfg(test)]
mod specimens;

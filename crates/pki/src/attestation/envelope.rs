//! The `id-aa-attestation` attribute of a request (draft-ietf-lamps-csr-attestation): evidence that
//! travels in the request itself, and so under the signature of the key it is about.
//!
//! ```text
//! AttestationBundle    ::= SEQUENCE { attestations SEQUENCE SIZE (1..MAX) OF AttestationStatement,
//!                                     certs SEQUENCE SIZE (1..MAX) OF LimitedCertChoices OPTIONAL }
//! AttestationStatement ::= SEQUENCE { type OBJECT IDENTIFIER, stmt ANY }
//! ```
//!
//! The type names a format for whoever knows it. Formats are recognised by their content here, as
//! in files, because no type is registered for those that devices have today.

use crate::asn1::read::sequence;
use crate::asn1::{DerError, tag};

/// What is in the envelope: statements first, then certificates.
pub(super) fn open(bundle: &[u8]) -> Result<Vec<&[u8]>, DerError> {
    let mut bundle = sequence(bundle)?;
    let mut statements = bundle.enter(tag::SEQUENCE)?;
    let certificates = bundle.enter_optional(tag::SEQUENCE)?;
    bundle.finish()?;
    let mut found = Vec::new();
    while !statements.is_empty() {
        let mut statement = statements.enter(tag::SEQUENCE)?;
        statement.oid()?;
        let value = statement.any()?;
        statement.finish()?;
        // What is not ASN.1 by itself is wrapped.
        found.push(if value.tag == tag::OCTET_STRING { value.content } else { value.whole });
    }
    if found.is_empty() {
        return Err(DerError::Value("the bundle holds no statement"));
    }
    if let Some(mut certificates) = certificates {
        while !certificates.is_empty() {
            found.push(certificates.any()?.whole);
        }
    }
    Ok(found)
}

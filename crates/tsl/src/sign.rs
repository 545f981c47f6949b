//! Signs a list: XAdES-B-B, enveloped (TS 119 612, 5.7 and Annex B; EN 319 132-1).
//!
//! The document is built as text, that text is read again as strangers will read it, and the
//! digests are made over what was read. The key is elsewhere: [`PreparedList`] hands out the bytes
//! to be signed and takes the signature back.
//! Deliberately not in this module: keys, and the choice of the signer.

use thiserror::Error;

use crate::algorithm::SignatureAlgorithm;
use crate::certificate::Certificate;
use crate::rules::{Broken, LintedList, Weight, signer_findings};
use crate::verify::{Refusal, SignedDocument, verify};
use crate::write;
use tenkoku_domain::time::Timestamp;

mod ecdsa;
mod markup;

use markup::{Digests, Signing};

/// Why a list cannot be signed.
#[derive(Debug, Error)]
pub enum SignError {
    /// The certificate may not sign this list (5.7.1).
    #[error("the signing certificate is not fit for this list")]
    Signer(#[source] Broken),
    /// The algorithm is not made for the certificate's key.
    #[error("the signature algorithm does not fit the key of the signing certificate")]
    Algorithm,
    /// The key did not return a signature of the agreed form.
    #[error("the signature is not of the form that its algorithm makes")]
    SignatureForm,
    /// A closed list has no form in JSON.
    #[error("a closed list has no form in JSON")]
    ClosedInJson,
    /// The finished list in JSON does not verify.
    #[error("the signed list in JSON would not be accepted by its readers")]
    UnacceptableJson(#[from] crate::lote::LoteRefusal),
    /// What was written cannot be read again, or the finished list does not verify.
    #[error("the signed list would not be accepted by its readers")]
    Unacceptable(#[from] Refusal),
}

/// A list that only lacks its signature value.
#[derive(Debug)]
#[must_use]
pub struct PreparedList {
    list: LintedList,
    signing: Signing,
    digests: Digests,
    to_be_signed: Vec<u8>,
}

/// Prepares a list for its signature.
///
/// `at` becomes the signing time, cut to the second.
///
/// # Errors
///
/// [`SignError::Signer`] when the certificate breaks 5.7.1, [`SignError::Algorithm`] when its key
/// is of another kind.
pub fn prepare(
    list: LintedList,
    signer: Certificate,
    algorithm: SignatureAlgorithm,
    at: Timestamp,
) -> Result<PreparedList, SignError> {
    check_signer(&list, &signer, at)?;
    if !algorithm.fits(signer.key()) {
        return Err(SignError::Algorithm);
    }
    let signing = Signing { signer, algorithm, at: at.floor() };
    // The digests are about parts that do not hold the digests, so one reading gives them.
    let draft = read(&list, &signing, &Digests::default(), &[])?;
    let digests = Digests::of(&signing, &draft);
    let complete = read(&list, &signing, &digests, &[])?;
    let to_be_signed = complete.signature.info_bytes;
    Ok(PreparedList { list, signing, digests, to_be_signed })
}

impl PreparedList {
    /// The exact bytes that the signer's key signs: the canonical `ds:SignedInfo`.
    pub fn to_be_signed(&self) -> &[u8] {
        &self.to_be_signed
    }

    /// The algorithm that the key must use; it hashes the bytes itself.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.signing.algorithm
    }

    /// The certificate whose key must sign.
    pub fn signer(&self) -> &Certificate {
        &self.signing.signer
    }

    /// The list that is being signed.
    pub fn list(&self) -> &LintedList {
        &self.list
    }

    /// Puts the signature in and verifies the finished document before handing it out.
    ///
    /// `signature` is what key stores return: DER `ECDSA-Sig-Value` for ECDSA (RFC 3279, 2.2.3),
    /// the plain value for RSA.
    ///
    /// # Errors
    ///
    /// [`SignError::SignatureForm`] for anything else; [`SignError::Unacceptable`] when the
    /// signature is not by the signer's key or the document does not verify.
    pub fn finish(self, signature: &[u8]) -> Result<Vec<u8>, SignError> {
        let value = signature_value(self.signing.algorithm, signature)?;
        let document = write(&self.list, &self.signing, &self.digests, &value);
        verify(&document)?;
        Ok(document)
    }
}

/// The value as XML and JSON signatures write it: for ECDSA r and s concatenated.
pub(crate) fn signature_value(
    algorithm: SignatureAlgorithm,
    signature: &[u8],
) -> Result<Vec<u8>, SignError> {
    match algorithm.coordinate_bytes() {
        Some(size) => ecdsa::concatenate(signature, size).ok_or(SignError::SignatureForm),
        None => Ok(signature.to_vec()),
    }
}

pub(crate) fn check_signer(
    list: &LintedList,
    signer: &Certificate,
    at: Timestamp,
) -> Result<(), SignError> {
    let mut findings = signer_findings(list.list(), signer, at);
    findings.retain(|finding| finding.weight() == Weight::Refused);
    if findings.is_empty() { Ok(()) } else { Err(SignError::Signer(Broken(findings))) }
}

fn write(list: &LintedList, signing: &Signing, digests: &Digests, value: &[u8]) -> Vec<u8> {
    write::document(list.list(), &signing.markup(digests, value)).into_bytes()
}

fn read(
    list: &LintedList,
    signing: &Signing,
    digests: &Digests,
    value: &[u8],
) -> Result<SignedDocument, SignError> {
    Ok(SignedDocument::read(&write(list, signing, digests, value))?)
}

//! Reads a signed list: who signed it, when, and what exactly was signed.
//!
//! The list is read from the very tokens that went into the digest, so nothing that was not signed
//! can be taken for signed. The signature says who signed; whether that signer may is asked with
//! [`VerifiedList::require_signer`] (direct trust, TS 119 612, A.2).
//! Versions 5 and 6 are read.
//! Deliberately not in this module: paths, revocation, `NextUpdate` against a clock.

use std::sync::Arc;

use thiserror::Error;

use crate::algorithm::ForeignAlgorithm;
use crate::certificate::{Certificate, CertificateError};
use crate::model::{Fragment, Recognition, TrustedList};
use crate::xml::XmlError;
use tenkoku_domain::time::Timestamp;

mod check;
mod content;
mod cursor;
mod document;
mod signature;

pub(crate) use document::SignedDocument;

/// Why a signed list is refused.
#[derive(Debug, Error)]
pub enum Refusal {
    /// The document is not XML that is read here.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// The document is XML but no trusted list, or one without a needed element.
    #[error("the document is not a trusted list: {0}")]
    NotAList(String),
    /// A list version that is not read here; 5 and 6 are.
    #[error("the list is of version \"{0}\", and only 5 and 6 are read")]
    Version(String),
    /// An extension that nobody here understands and that must not be ignored (B.0).
    #[error("the list carries the critical extension \"{0}\", which is not understood here")]
    CriticalExtension(String),
    /// There is no signature below the root.
    #[error("the list is not signed")]
    NoSignature,
    /// There are two or more signatures below the root.
    #[error("the list carries several signatures")]
    SeveralSignatures,
    /// A list or a signature is hidden inside the list: signature wrapping.
    #[error("the list hides another {0} inside itself")]
    Wrapped(String),
    /// Something follows the signature.
    #[error("the signature is not the last child of the list")]
    NotLast,
    /// A comment divides a value; readers that stop at comments would see another value.
    #[error("a comment divides the value of {0}")]
    CommentInValue(String),
    /// The signature lacks a part or has one too many.
    #[error("the signature is not made as XAdES prescribes: {0}")]
    Shape(&'static str),
    /// A reference leads out of the document.
    #[error("the signature refers to something outside the document: \"{0}\"")]
    ExternalReference(String),
    /// A reference leads to a part of the document other than the signed properties.
    #[error("the signature covers only a part of the document: \"{0}\"")]
    PartialReference(String),
    /// A transform other than those prescribed, such as XSLT or XPath.
    #[error("the signature asks for the transform \"{0}\"")]
    Transform(String),
    /// A canonical form other than exclusive canonicalisation without comments.
    #[error("the signature asks for the canonical form \"{0}\"")]
    Canonicalisation(String),
    /// A digest algorithm that is unknown or too weak.
    #[error("the signature uses the digest algorithm \"{0}\"")]
    DigestAlgorithm(String),
    /// A signature algorithm that is unknown, too weak, or needs a shared secret.
    #[error("the signature uses the algorithm \"{0}\"")]
    SignatureAlgorithm(String),
    /// Not exactly one certificate in `KeyInfo` (5.7.1).
    #[error("the signature carries {0} certificates instead of one")]
    CertificateCount(usize),
    /// The certificate in `KeyInfo` cannot be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// No `SigningCertificateV2`, or the deprecated `SigningCertificate`.
    #[error("the signed properties do not name the signing certificate as version 6 prescribes")]
    CertificateReference,
    /// `SigningCertificateV2` is about another certificate than `KeyInfo`.
    #[error("the signed properties name another certificate than the signature carries")]
    OtherCertificate,
    /// The list, or the signed properties, were changed after signing.
    #[error("the digest of {0} differs: it was changed after signing")]
    Digest(&'static str),
    /// The signer's RSA key has less than 2048 bits (TS 119 312).
    #[error("the signer's key is too short")]
    WeakKey,
    /// The signature value was not made by the certificate's key.
    #[error("the signature was not made with the key of its certificate")]
    Signature,
    /// The signer is not among those expected.
    #[error("the list is signed by \"{0}\", who is not expected to sign it")]
    UnexpectedSigner(String),
}

/// A list whose signature holds, and what was signed.
#[derive(Clone, Debug)]
pub struct VerifiedList {
    signer: Certificate,
    signing_time: Timestamp,
    algorithm: ForeignAlgorithm,
    version: u32,
    list: Arc<TrustedList>,
}

impl VerifiedList {
    /// The certificate whose key made the signature.
    pub fn signer(&self) -> &Certificate {
        &self.signer
    }

    /// When the signer says that the list was signed.
    pub fn signing_time(&self) -> Timestamp {
        self.signing_time
    }

    /// How the list was signed.
    pub fn algorithm(&self) -> ForeignAlgorithm {
        self.algorithm
    }

    /// The list version: 5 or 6.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// What was signed.
    pub fn list(&self) -> &TrustedList {
        &self.list
    }

    /// What was signed, to be kept.
    pub fn into_list(self) -> TrustedList {
        Arc::unwrap_or_clone(self.list)
    }

    /// What was signed, shared with whoever keeps it too.
    pub fn shared_list(&self) -> Arc<TrustedList> {
        Arc::clone(&self.list)
    }

    /// Asks that one of the expected certificates signed the list, byte for byte (A.2).
    ///
    /// # Errors
    ///
    /// [`Refusal::UnexpectedSigner`] otherwise.
    pub fn require_signer(&self, expected: &[Certificate]) -> Result<(), Refusal> {
        if expected.contains(&self.signer) {
            Ok(())
        } else {
            Err(Refusal::UnexpectedSigner(self.signer.subject()))
        }
    }
}

/// Verifies the signature of a list and reads what it covers.
///
/// # Errors
///
/// The [`Refusal`] that names what is wrong; nothing of a refused list is handed out.
pub fn verify(bytes: &[u8]) -> Result<VerifiedList, Refusal> {
    check::check(SignedDocument::read(bytes)?)
}

/// Reads a list that is not signed, such as a draft that is still being written.
///
/// Nobody answers for what it says: this is for comparing and showing, never for trusting.
///
/// # Errors
///
/// The [`Refusal`] that names what is wrong; a list that is signed is refused here too.
pub fn read_unsigned(bytes: &[u8]) -> Result<TrustedList, Refusal> {
    SignedDocument::read_unsigned(bytes)
}

/// Reads the Commission's `MutualRecognitionAgreementInformation` where it stands alone.
///
/// # Errors
///
/// The [`Refusal`] that names what is wrong: it is no XML, hides a list or a signature, or is not made
/// as the schema prescribes.
pub fn read_recognition(bytes: &[u8]) -> Result<Recognition, Refusal> {
    let fragment = fragment(bytes)?;
    content::recognition(&fragment).ok_or_else(|| {
        Refusal::NotAList("it is no agreement as its schema prescribes it".to_owned())
    })
}

fn fragment(bytes: &[u8]) -> Result<Fragment, Refusal> {
    let mut cursor = cursor::Cursor::new(bytes)?;
    let root = cursor.child()?.ok_or_else(|| Refusal::NotAList("it is empty".to_owned()))?;
    let fragment = cursor.fragment(&root)?;
    cursor.finish()?;
    Ok(fragment)
}

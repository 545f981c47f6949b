//! Files that people hand in as evidence: believed by their octets, never by their names.

use actix_web::web::Bytes;
use tenkoku_ca::act::EvidenceFile;
use tenkoku_ca::issuer::SignedFile;
use tenkoku_pki::pem;

use crate::fields::{Fields, media_type};
use crate::layout::FieldError;
use crate::text::Words;

/// Kinds of evidence that a browser offers first.
pub(super) const EVIDENCE: &str = ".pdf,.png,.jpg,.jpeg,.json,.txt";
/// Kinds of a signature.
pub(super) const SIGNATURES: &str = ".p7s,.pem,.der,.cms";
/// Kinds of a certificate.
pub(super) const CERTIFICATES: &str = ".pem,.cer,.crt,.der";
/// Kinds of a revocation list.
pub(super) const REVOCATION_LISTS: &str = ".crl,.pem,.der";
/// Kinds of a table.
pub(super) const TABLES: &str = ".csv,.json,.txt";

fn of(content: &Bytes) -> EvidenceFile {
    EvidenceFile { media_type: media_type(content).to_owned(), content: content.to_vec() }
}

fn missing(w: Words, name: &str) -> FieldError {
    FieldError { field: name.to_owned(), text: w.t("admin.upload.missing").to_owned() }
}

/// The file under a name.
pub(super) fn file(w: Words, fields: &Fields, name: &str) -> Result<Bytes, FieldError> {
    fields.files(name).pop().ok_or_else(|| missing(w, name))
}

/// The evidence under a name: one file.
pub(super) fn evidence(w: Words, fields: &Fields, name: &str) -> Result<EvidenceFile, FieldError> {
    file(w, fields, name).map(|content| of(&content))
}

/// The evidence under a name: at least one file.
pub(super) fn all_evidence(
    w: Words,
    fields: &Fields,
    name: &str,
) -> Result<Vec<EvidenceFile>, FieldError> {
    let files: Vec<_> = fields.files(name).iter().map(of).collect();
    if files.is_empty() { Err(missing(w, name)) } else { Ok(files) }
}

fn decoded(
    w: Words,
    fields: &Fields,
    (name, label): (&str, &'static str),
) -> Result<Vec<Vec<u8>>, FieldError> {
    let wrong =
        |_| FieldError { field: name.to_owned(), text: w.t("admin.upload.unreadable").to_owned() };
    fields.files(name).iter().map(|file| pem::decode(file, &[label]).map_err(wrong)).collect()
}

/// A signature with what its path needs: the fields `signature`, `intermediate`, `crl`.
pub(super) fn signed(w: Words, fields: &Fields) -> Result<SignedFile, FieldError> {
    Ok(SignedFile {
        signature: file(w, fields, "signature")?.to_vec(),
        intermediates: decoded(w, fields, ("intermediate", "CERTIFICATE"))?,
        crls: decoded(w, fields, ("crl", "X509 CRL"))?,
    })
}

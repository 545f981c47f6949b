//! A signed list taken apart: its content, its signature, and the canonical forms of what counts.
//!
//! Deliberately not here: judging the parts; `check` does that.

use super::Refusal;
use super::content;
use super::cursor::Cursor;
use super::signature::{self, SignatureParts};
use crate::algorithm::ListDigests;
use crate::model::TrustedList;
use crate::ns;

/// The parts of a signed list.
pub(crate) struct SignedDocument {
    /// `TSLVersionIdentifier`: 5 or 6.
    pub(crate) version: u32,
    /// What the list says.
    pub(crate) list: TrustedList,
    /// The signature's parts as they are written.
    pub(crate) signature: SignatureParts,
    /// The digests of the canonical form of the list without its signature.
    pub(crate) digests: ListDigests,
}

impl SignedDocument {
    /// Takes a document apart.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut cursor = open(bytes)?;
        let mut content = content::Builder::default();
        let mut signature = None;
        while let Some(child) = cursor.child()? {
            if child.name.is(ns::DS, "Signature") {
                if signature.is_some() {
                    return Err(Refusal::SeveralSignatures);
                }
                signature = Some(signature::read(&mut cursor, &child)?);
            } else if signature.is_some() {
                return Err(Refusal::NotLast);
            } else {
                content.take(&mut cursor, &child)?;
            }
        }
        let digests = cursor.finish()?;
        let signature = signature.ok_or(Refusal::NoSignature)?;
        let (version, list) = content.finish()?;
        Ok(Self { version, list, signature, digests })
    }

    /// Reads a document that has no signature.
    pub(crate) fn read_unsigned(bytes: &[u8]) -> Result<TrustedList, Refusal> {
        let mut cursor = open(bytes)?;
        let mut content = content::Builder::default();
        while let Some(child) = cursor.child()? {
            content.take(&mut cursor, &child)?;
        }
        cursor.finish()?;
        Ok(content.finish()?.1)
    }
}

/// Opens a document and its root, which must be that of a list.
fn open(bytes: &[u8]) -> Result<Cursor<'_>, Refusal> {
    let mut cursor = Cursor::new(bytes)?;
    let root = cursor.child()?.ok_or_else(|| Refusal::NotAList("it is empty".to_owned()))?;
    if !root.name.is(ns::TSL, "TrustServiceStatusList") {
        let name = root.name.local;
        return Err(Refusal::NotAList(format!("its root is {name}")));
    }
    match root.attribute("TSLTag") {
        Some(ns::TSL_TAG) => {}
        Some(other) => return Err(Refusal::NotAList(format!("its TSLTag is {other}"))),
        None => return Err(Refusal::NotAList("it has no TSLTag".to_owned())),
    }
    Ok(cursor)
}

//! A signed list taken apart: its content, its signature, and the canonical forms of what counts.
//!
//! Deliberately not here: judging the parts; `check` does that.

use super::Refusal;
use super::content::{self, ListContent};
use super::cursor::Cursor;
use super::signature::{self, SignatureParts};
use crate::ns;

/// The parts of a signed list.
pub(crate) struct SignedDocument {
    /// What the list says.
    pub(crate) content: ListContent,
    /// The signature's parts as they are written.
    pub(crate) signature: SignatureParts,
    /// The canonical form of the list without its signature.
    pub(crate) list: Vec<u8>,
}

impl SignedDocument {
    /// Takes a document apart.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut cursor = Cursor::new(bytes)?;
        let root = cursor.child()?.ok_or_else(|| Refusal::NotAList("it is empty".to_owned()))?;
        if !root.name.is(ns::TSL, "TrustServiceStatusList")
            || root.attribute("TSLTag") != Some(ns::TSL_TAG)
        {
            let name = root.name.local;
            return Err(Refusal::NotAList(format!("its root is {name}")));
        }
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
        let list = cursor.finish()?;
        let signature = signature.ok_or(Refusal::NoSignature)?;
        Ok(Self { content: content.finish()?, signature, list })
    }
}

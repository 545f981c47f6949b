//! Canonical XML: the one byte form over which digests are made.
//!
//! Exclusive XML Canonicalization 1.0 and Canonical XML 1.0, both without comments, over a whole
//! document, over a document without its enveloped signature, or over one element.
//! Deliberately not here: canonicalisation with comments, prefix lists, Canonical XML 1.1.

use crate::ns;
use crate::xml::{Reader, Token, XmlError};

mod canonicaliser;

pub(crate) use canonicaliser::Canonicaliser;

/// Which canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Exclusive XML Canonicalization 1.0: repeats the namespaces that are visibly used.
    Exclusive,
    /// Canonical XML 1.0: repeats every namespace in scope, and `xml:` attributes from above.
    Inclusive,
}

/// How much of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent<'i> {
    /// All of it.
    Document,
    /// All of it but the `ds:Signature` that is a child of the root (XMLDSIG, 6.6.4).
    WithoutSignature,
    /// The element that carries this Id.
    Element(&'i str),
}

/// The canonical form of a document or a part of it; empty when no element has the Id asked for.
///
/// # Errors
///
/// Whatever [`XmlError`] names; two signatures below the root are `Malformed` here.
pub fn canonicalise(bytes: &[u8], method: Method, extent: Extent) -> Result<Vec<u8>, XmlError> {
    let mut reader = Reader::new(bytes)?;
    let text = match extent {
        Extent::Document => document(&mut reader, method),
        Extent::WithoutSignature => without_signature(&mut reader, method),
        Extent::Element(id) => element(&mut reader, method, id),
    }?;
    Ok(text.into_bytes())
}

fn document(reader: &mut Reader, method: Method) -> Result<String, XmlError> {
    let mut form = Canonicaliser::document(method);
    while let Some(token) = reader.next()? {
        form.push(&token);
    }
    Ok(form.finish())
}

fn without_signature(reader: &mut Reader, method: Method) -> Result<String, XmlError> {
    let mut form = Canonicaliser::document(method);
    let mut found = false;
    while let Some(token) = reader.next()? {
        if !is_enveloped_signature(&token, reader.depth()) {
            form.push(&token);
            continue;
        }
        if found {
            return Err(XmlError::Malformed("two signatures below the root"));
        }
        found = true;
        while reader.depth() > 1 && reader.next()?.is_some() {}
    }
    Ok(form.finish())
}

/// Whether this start tag, read at this depth, opens a signature that is a child of the root.
pub(crate) fn is_enveloped_signature(token: &Token, depth: usize) -> bool {
    matches!(token, Token::Start(element) if depth == 2 && element.name.is(ns::DS, "Signature"))
}

fn element(reader: &mut Reader, method: Method, id: &str) -> Result<String, XmlError> {
    let mut form: Option<Canonicaliser> = None;
    while let Some(token) = reader.next()? {
        if let (Token::Start(element), None) = (&token, &form)
            && element.attribute("Id") == Some(id)
        {
            form = Some(Canonicaliser::element(method, reader.context()));
        }
        if let Some(form) = form.as_mut() {
            form.push(&token);
        }
    }
    Ok(form.map(Canonicaliser::finish).unwrap_or_default())
}

#[cfg(test)]
mod tests;

//! Judges the parts of a signed list (TS 119 612, 5.7 and Annex B; EN 319 132-1, table 2).
//!
//! Deliberately not here: reading them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::document::SignedDocument;
use super::signature::{DigestParts, Properties, Reference, SignatureParts};
use super::{Refusal, VerifiedList};
use crate::algorithm::{DigestAlgorithm, SignatureAlgorithm};
use crate::certificate::Certificate;
use crate::ns;
use tenkoku_domain::time::Timestamp;

pub(super) fn check(document: SignedDocument) -> Result<VerifiedList, Refusal> {
    let SignedDocument { content, signature, list } = document;
    let info = &signature.info;
    if info.canonicalisation != ns::EXCLUSIVE {
        return Err(Refusal::Canonicalisation(info.canonicalisation.clone()));
    }
    let algorithm = SignatureAlgorithm::from_uri(&info.algorithm)
        .ok_or_else(|| Refusal::SignatureAlgorithm(info.algorithm.clone()))?;
    let (to_list, to_properties) = references(&signature)?;
    let signer = signer(&signature)?;
    check_properties(&signature, to_list)?;
    check_certificate(&signature.properties, &signer)?;
    if !digest_fits(&to_list.digest, &list)? {
        return Err(Refusal::Digest("the list"));
    }
    if !digest_fits(&to_properties.digest, &signature.properties_bytes)? {
        return Err(Refusal::Digest("the signed properties"));
    }
    let value = decode(&signature.value).ok_or(Refusal::Signature)?;
    if !algorithm.verifies(&signer, &signature.info_bytes, &value) {
        return Err(Refusal::Signature);
    }
    let signing_time = Timestamp::parse(&signature.properties.signing_time)
        .ok_or(Refusal::Shape("SigningTime must be written YYYY-MM-DDThh:mm:ssZ"))?;
    Ok(VerifiedList { signer, signing_time, algorithm, content })
}

/// The reference to the list and the one to the signed properties; there must be no other.
fn references(signature: &SignatureParts) -> Result<(&Reference, &Reference), Refusal> {
    let mut to_list = None;
    let mut to_properties = None;
    let properties = signature.properties.id.as_deref();
    for reference in &signature.info.references {
        let uri = reference.uri.as_deref();
        let place = match uri {
            Some("") => &mut to_list,
            Some(uri) if is_properties(reference, uri, properties) => &mut to_properties,
            Some(uri) if uri.starts_with('#') => {
                return Err(Refusal::PartialReference(uri.to_owned()));
            }
            Some(uri) => return Err(Refusal::ExternalReference(uri.to_owned())),
            None => return Err(Refusal::Shape("a reference without an address")),
        };
        check_transforms(reference, uri == Some(""))?;
        if place.replace(reference).is_some() {
            return Err(Refusal::Shape("two references to the same"));
        }
    }
    let to_list = to_list.ok_or(Refusal::Shape("no reference to the list"))?;
    let to_properties =
        to_properties.ok_or(Refusal::Shape("no reference to the signed properties"))?;
    Ok((to_list, to_properties))
}

fn is_properties(reference: &Reference, uri: &str, properties: Option<&str>) -> bool {
    reference.kind.as_deref() == Some(ns::SIGNED_PROPERTIES)
        && properties.is_some()
        && uri.strip_prefix('#') == properties
}

/// The list: enveloped signature, then exclusive form. The properties: exclusive form, or none.
fn check_transforms(reference: &Reference, is_list: bool) -> Result<(), Refusal> {
    let names: Vec<&str> = reference.transforms.iter().map(String::as_str).collect();
    let fits = if is_list {
        names == [ns::ENVELOPED, ns::EXCLUSIVE]
    } else {
        names.is_empty() || names == [ns::EXCLUSIVE]
    };
    if fits {
        return Ok(());
    }
    let known = |name: &&str| *name == ns::ENVELOPED || *name == ns::EXCLUSIVE;
    let odd = names.iter().find(|name| !known(name)).copied();
    match odd {
        Some(name) => Err(Refusal::Transform(name.to_owned())),
        None => Err(Refusal::Shape("the transforms of a reference are not those prescribed")),
    }
}

fn signer(signature: &SignatureParts) -> Result<Certificate, Refusal> {
    match signature.certificates.as_slice() {
        [one] => {
            let der = decode(one).ok_or(Refusal::Shape("the certificate is not in base64"))?;
            Ok(Certificate::from_der(&der)?)
        }
        several => Err(Refusal::CertificateCount(several.len())),
    }
}

fn check_properties(signature: &SignatureParts, to_list: &Reference) -> Result<(), Refusal> {
    let points_at = |pointer: Option<&str>, id: Option<&str>| {
        id.is_some() && pointer.and_then(|pointer| pointer.strip_prefix('#')) == id
    };
    let properties = &signature.properties;
    if !points_at(properties.target.as_deref(), signature.id.as_deref()) {
        return Err(Refusal::Shape("QualifyingProperties is about another signature"));
    }
    let described = properties
        .formats
        .iter()
        .any(|(object, kind)| points_at(Some(object), to_list.id.as_deref()) && !kind.is_empty());
    if described { Ok(()) } else { Err(Refusal::Shape("no DataObjectFormat describes the list")) }
}

fn check_certificate(properties: &Properties, signer: &Certificate) -> Result<(), Refusal> {
    let [digest] = properties.certificates.as_slice() else {
        return Err(Refusal::CertificateReference);
    };
    if properties.has_old_reference {
        return Err(Refusal::CertificateReference);
    }
    if digest_fits(digest, signer.der())? { Ok(()) } else { Err(Refusal::OtherCertificate) }
}

fn digest_fits(digest: &DigestParts, bytes: &[u8]) -> Result<bool, Refusal> {
    let algorithm = DigestAlgorithm::from_uri(&digest.method)
        .ok_or_else(|| Refusal::DigestAlgorithm(digest.method.clone()))?;
    Ok(decode(&digest.value).is_some_and(|expected| expected == algorithm.digest(bytes)))
}

/// Base64 with white space in it (XML Schema, base64Binary).
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let compact: String = text.split_whitespace().collect();
    STANDARD.decode(compact).ok()
}

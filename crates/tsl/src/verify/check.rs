//! Judges the parts of a signed list (TS 119 612, 5.7 and Annex B; EN 319 132-1, table 2).
//!
//! Deliberately not here: reading them.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::document::SignedDocument;
use super::signature::{DigestParts, Properties, Reference, SignatureParts};
use super::{Refusal, VerifiedList};
use crate::algorithm::{DigestAlgorithm, ForeignAlgorithm, SHA1_URI, sha1};
use crate::certificate::{Certificate, KeyKind};
use crate::ns;
use tenkoku_domain::time::Timestamp;

/// The shortest RSA modulus that anybody's list may be signed with, in bits (TS 119 312).
const SMALLEST_RSA: usize = 2048;

pub(super) fn check(document: SignedDocument) -> Result<VerifiedList, Refusal> {
    let SignedDocument { version, list, signature, digests } = document;
    let info = &signature.info;
    if info.canonicalisation != ns::EXCLUSIVE {
        return Err(Refusal::Canonicalisation(info.canonicalisation.clone()));
    }
    let algorithm = ForeignAlgorithm::from_uri(&info.algorithm)
        .ok_or_else(|| Refusal::SignatureAlgorithm(info.algorithm.clone()))?;
    let (to_list, to_properties) = references(&signature)?;
    let signer = signer(&signature)?;
    check_properties(&signature, to_list, version)?;
    check_certificate(&signature.properties, &signer, version)?;
    let method = method(&to_list.digest)?;
    let expected = decode(&to_list.digest.value);
    if expected.is_none() || expected.as_deref() != digests.by(method) {
        return Err(Refusal::Digest("the list"));
    }
    if !digest_fits(&to_properties.digest, &signature.properties_bytes)? {
        return Err(Refusal::Digest("the signed properties"));
    }
    if matches!(signer.key(), KeyKind::Rsa { bits } if bits < SMALLEST_RSA) {
        return Err(Refusal::WeakKey);
    }
    let value = decode(&signature.value).ok_or(Refusal::Signature)?;
    if !algorithm.verifies(&signer, &signature.info_bytes, &value) {
        return Err(Refusal::Signature);
    }
    let signing_time = Timestamp::parse(&signature.properties.signing_time)
        .ok_or(Refusal::Shape("SigningTime must be written YYYY-MM-DDThh:mm:ssZ"))?;
    Ok(VerifiedList { signer, signing_time, algorithm, version, list: Arc::new(list) })
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

fn check_properties(
    signature: &SignatureParts,
    to_list: &Reference,
    version: u32,
) -> Result<(), Refusal> {
    let points_at = |pointer: Option<&str>, id: Option<&str>| {
        id.is_some() && pointer.and_then(|pointer| pointer.strip_prefix('#')) == id
    };
    let properties = &signature.properties;
    if !points_at(properties.target.as_deref(), signature.id.as_deref()) {
        return Err(Refusal::Shape("QualifyingProperties is about another signature"));
    }
    if version > 5 && properties.has_old_form {
        return Err(Refusal::Shape("a signed property has a form that version 6 forbids"));
    }
    let described = properties
        .formats
        .iter()
        .any(|(object, kind)| points_at(Some(object), to_list.id.as_deref()) && !kind.is_empty());
    if described { Ok(()) } else { Err(Refusal::Shape("no DataObjectFormat describes the list")) }
}

/// Version 6 names the signer by `SigningCertificateV2` alone; version 5 by either form.
fn check_certificate(
    properties: &Properties,
    signer: &Certificate,
    version: u32,
) -> Result<(), Refusal> {
    let Properties { certificates, old_certificates, .. } = properties;
    let digest = match (certificates.as_slice(), old_certificates.as_slice()) {
        ([digest], []) => digest,
        ([], [digest]) if version == 5 => {
            // The signer is compared byte for byte with those expected, so SHA-1 lets nobody in.
            if digest.method == SHA1_URI {
                let same = decode(&digest.value).is_some_and(|value| value == sha1(signer.der()));
                return if same { Ok(()) } else { Err(Refusal::OtherCertificate) };
            }
            digest
        }
        _ => return Err(Refusal::CertificateReference),
    };
    if digest_fits(digest, signer.der())? { Ok(()) } else { Err(Refusal::OtherCertificate) }
}

fn method(digest: &DigestParts) -> Result<DigestAlgorithm, Refusal> {
    DigestAlgorithm::from_uri(&digest.method)
        .ok_or_else(|| Refusal::DigestAlgorithm(digest.method.clone()))
}

fn digest_fits(digest: &DigestParts, bytes: &[u8]) -> Result<bool, Refusal> {
    let algorithm = method(digest)?;
    Ok(decode(&digest.value).is_some_and(|expected| expected == algorithm.digest(bytes)))
}

/// Base64 with white space in it (XML Schema, base64Binary).
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    if !text.bytes().any(|byte| byte.is_ascii_whitespace()) {
        return STANDARD.decode(text).ok();
    }
    let compact: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(compact).ok()
}

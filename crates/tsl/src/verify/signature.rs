//! The parts of a `ds:Signature` with its XAdES properties, as they are written.
//!
//! Every part that counts must be there once; other parts are passed over unread, because they are
//! not signed. Deliberately not here: whether the parts are acceptable.

use super::Refusal;
use super::cursor::Cursor;
use crate::c14n::Method;
use crate::ns;
use crate::xml::Element;

/// A signature's parts.
#[derive(Default)]
pub(crate) struct SignatureParts {
    pub(crate) id: Option<String>,
    pub(crate) info: SignedInfo,
    /// The canonical form of `SignedInfo`: the bytes that are signed.
    pub(crate) info_bytes: Vec<u8>,
    /// `SignatureValue` in base64.
    pub(crate) value: String,
    /// The certificates in `KeyInfo`, in base64.
    pub(crate) certificates: Vec<String>,
    pub(crate) properties: Properties,
    /// The canonical form of `SignedProperties`.
    pub(crate) properties_bytes: Vec<u8>,
}

/// `ds:SignedInfo`.
#[derive(Default)]
pub(crate) struct SignedInfo {
    pub(crate) canonicalisation: String,
    pub(crate) algorithm: String,
    pub(crate) references: Vec<Reference>,
}

/// `ds:Reference`.
#[derive(Default)]
pub(crate) struct Reference {
    pub(crate) id: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) uri: Option<String>,
    pub(crate) transforms: Vec<String>,
    pub(crate) digest: DigestParts,
}

/// A digest method and a digest in base64.
#[derive(Default)]
pub(crate) struct DigestParts {
    pub(crate) method: String,
    pub(crate) value: String,
}

/// `xades:QualifyingProperties` and what is signed of it.
#[derive(Default)]
pub(crate) struct Properties {
    pub(crate) target: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) signing_time: String,
    /// The digests of `SigningCertificateV2`, one for each certificate it names.
    pub(crate) certificates: Vec<DigestParts>,
    /// The digests of the deprecated `SigningCertificate`, which lists of version 5 have.
    pub(crate) old_certificates: Vec<DigestParts>,
    /// Whether `SignerRole` or `SignatureProductionPlace` is there in its deprecated form.
    pub(crate) has_old_form: bool,
    /// `ObjectReference` and `MimeType` of every `DataObjectFormat`.
    pub(crate) formats: Vec<(String, String)>,
}

/// Reads the signature whose start tag was just read.
pub(super) fn read(cursor: &mut Cursor, element: &Element) -> Result<SignatureParts, Refusal> {
    let mut parts = SignatureParts { id: owned(element, "Id"), ..SignatureParts::default() };
    let mut order = Vec::new();
    while let Some(child) = cursor.child()? {
        order.push(local(&child));
        match local(&child) {
            "SignedInfo" => {
                cursor.capture(Method::Exclusive, &child);
                parts.info = signed_info(cursor)?;
                parts.info_bytes = cursor.captured();
            }
            "SignatureValue" => parts.value = cursor.text()?.into_owned(),
            "KeyInfo" => parts.certificates = key_info(cursor)?,
            "Object" => object(cursor, &mut parts)?,
            _ => return Err(Refusal::Shape("an unknown element in the signature")),
        }
    }
    if order == ["SignedInfo", "SignatureValue", "KeyInfo", "Object"] {
        Ok(parts)
    } else {
        Err(Refusal::Shape("SignedInfo, SignatureValue, KeyInfo and Object must be there once"))
    }
}

/// The name of an element of XML Signature; empty for any other.
fn local<'a>(element: &Element<'a>) -> &'a str {
    if &*element.name.namespace == ns::DS { element.name.local } else { "" }
}

fn owned(element: &Element, attribute: &str) -> Option<String> {
    element.attribute(attribute).map(str::to_owned)
}

fn algorithm(cursor: &mut Cursor, element: &Element) -> Result<String, Refusal> {
    if cursor.child()?.is_some() {
        return Err(Refusal::Shape("an algorithm with parameters"));
    }
    owned(element, "Algorithm").ok_or(Refusal::Shape("an algorithm without a name"))
}

fn signed_info(cursor: &mut Cursor) -> Result<SignedInfo, Refusal> {
    let mut info = SignedInfo::default();
    let mut order = Vec::new();
    while let Some(child) = cursor.child()? {
        order.push(local(&child));
        match local(&child) {
            "CanonicalizationMethod" => info.canonicalisation = algorithm(cursor, &child)?,
            "SignatureMethod" => info.algorithm = signature_method(cursor, &child)?,
            "Reference" => info.references.push(reference(cursor, &child)?),
            _ => return Err(Refusal::Shape("an unknown element in SignedInfo")),
        }
    }
    match order.as_slice() {
        ["CanonicalizationMethod", "SignatureMethod", references @ ..]
            if references.iter().all(|name| *name == "Reference") =>
        {
            Ok(info)
        }
        _ => Err(Refusal::Shape("the parts of SignedInfo are not in their order")),
    }
}

/// `HMACOutputLength` is the one parameter a signature method may have, and HMAC is refused.
fn signature_method(cursor: &mut Cursor, element: &Element) -> Result<String, Refusal> {
    let name = owned(element, "Algorithm").unwrap_or_default();
    match cursor.child()? {
        Some(_) => Err(Refusal::SignatureAlgorithm(name)),
        None => Ok(name),
    }
}

fn reference(cursor: &mut Cursor, element: &Element) -> Result<Reference, Refusal> {
    let mut reference = Reference {
        id: owned(element, "Id"),
        kind: owned(element, "Type"),
        uri: owned(element, "URI"),
        ..Reference::default()
    };
    let mut order = Vec::new();
    while let Some(child) = cursor.child()? {
        order.push(local(&child));
        match local(&child) {
            "Transforms" => reference.transforms = transforms(cursor)?,
            "DigestMethod" => reference.digest.method = algorithm(cursor, &child)?,
            "DigestValue" => reference.digest.value = cursor.text()?.into_owned(),
            _ => return Err(Refusal::Shape("an unknown element in a reference")),
        }
    }
    match order.as_slice() {
        ["Transforms", "DigestMethod", "DigestValue"] | ["DigestMethod", "DigestValue"] => {
            Ok(reference)
        }
        _ => Err(Refusal::Shape("the parts of a reference are not in their order")),
    }
}

/// A transform with parameters, such as a style sheet or an expression, is refused by its name.
fn transforms(cursor: &mut Cursor) -> Result<Vec<String>, Refusal> {
    let mut names = Vec::new();
    while let Some(child) = cursor.child()? {
        let name = owned(&child, "Algorithm").unwrap_or_default();
        if !child.name.is(ns::DS, "Transform") || cursor.child()?.is_some() {
            return Err(Refusal::Transform(name));
        }
        names.push(name);
    }
    Ok(names)
}

fn key_info(cursor: &mut Cursor) -> Result<Vec<String>, Refusal> {
    let mut certificates = Vec::new();
    while let Some(child) = cursor.child()? {
        if !child.name.is(ns::DS, "X509Data") {
            cursor.skip()?;
            continue;
        }
        while let Some(datum) = cursor.child()? {
            if datum.name.is(ns::DS, "X509Certificate") {
                certificates.push(cursor.text()?.into_owned());
            } else {
                cursor.skip()?;
            }
        }
    }
    Ok(certificates)
}

fn object(cursor: &mut Cursor, parts: &mut SignatureParts) -> Result<(), Refusal> {
    const SHAPE: Refusal = Refusal::Shape("Object must hold one QualifyingProperties");
    let qualifying = cursor.child()?.ok_or(SHAPE)?;
    if !qualifying.name.is(ns::XADES, "QualifyingProperties") {
        return Err(SHAPE);
    }
    parts.properties.target = owned(&qualifying, "Target");
    let signed = cursor.child()?.filter(|child| child.name.is(ns::XADES, "SignedProperties"));
    let signed = signed.ok_or(Refusal::Shape("there are no signed properties"))?;
    parts.properties.id = owned(&signed, "Id");
    cursor.capture(properties_method(&parts.info), &signed);
    signed_properties(cursor, &mut parts.properties)?;
    parts.properties_bytes = cursor.captured();
    // What follows the signed properties is not signed; it is passed over unread.
    while let Some(child) = cursor.child()? {
        if !child.name.is(ns::XADES, "UnsignedProperties") {
            return Err(Refusal::Shape("QualifyingProperties holds a second part"));
        }
        cursor.skip()?;
    }
    if cursor.child()?.is_some() { Err(SHAPE) } else { Ok(()) }
}

/// XMLDSIG, 4.4.3.2: without a transform, Canonical XML 1.0 makes the bytes.
fn properties_method(info: &SignedInfo) -> Method {
    let about_properties =
        |reference: &&Reference| reference.kind.as_deref() == Some(ns::SIGNED_PROPERTIES);
    match info.references.iter().find(about_properties) {
        Some(reference) if reference.transforms.is_empty() => Method::Inclusive,
        Some(_) | None => Method::Exclusive,
    }
}

fn signed_properties(cursor: &mut Cursor, properties: &mut Properties) -> Result<(), Refusal> {
    while let Some(group) = cursor.child()? {
        let about_signature = group.name.is(ns::XADES, "SignedSignatureProperties");
        let about_data = group.name.is(ns::XADES, "SignedDataObjectProperties");
        if !(about_signature || about_data) {
            return Err(Refusal::Shape("an unknown group of signed properties"));
        }
        while let Some(property) = cursor.child()? {
            match (&*property.name.namespace, property.name.local) {
                (ns::XADES, "SigningTime") if about_signature => {
                    properties.signing_time = cursor.text()?.into_owned();
                }
                (ns::XADES, "SigningCertificateV2") if about_signature => {
                    signing_certificates(cursor, &mut properties.certificates)?;
                }
                (ns::XADES, "SigningCertificate") if about_signature => {
                    signing_certificates(cursor, &mut properties.old_certificates)?;
                }
                (ns::XADES, "SignerRole" | "SignatureProductionPlace") if about_signature => {
                    properties.has_old_form = true;
                    cursor.skip()?;
                }
                (ns::XADES, "DataObjectFormat") if about_data => {
                    let object = owned(&property, "ObjectReference").unwrap_or_default();
                    properties.formats.push((object, mime_type(cursor)?));
                }
                _ => cursor.skip()?,
            }
        }
    }
    Ok(())
}

fn signing_certificates(
    cursor: &mut Cursor,
    digests: &mut Vec<DigestParts>,
) -> Result<(), Refusal> {
    while let Some(_certificate) = cursor.child()? {
        while let Some(child) = cursor.child()? {
            if child.name.is(ns::XADES, "CertDigest") {
                digests.push(certificate_digest(cursor)?);
            } else {
                cursor.skip()?;
            }
        }
    }
    Ok(())
}

fn certificate_digest(cursor: &mut Cursor) -> Result<DigestParts, Refusal> {
    let mut digest = DigestParts::default();
    while let Some(child) = cursor.child()? {
        match (&*child.name.namespace, child.name.local) {
            (ns::DS, "DigestMethod") => digest.method = algorithm(cursor, &child)?,
            (ns::DS, "DigestValue") => digest.value = cursor.text()?.into_owned(),
            _ => return Err(Refusal::CertificateReference),
        }
    }
    Ok(digest)
}

fn mime_type(cursor: &mut Cursor) -> Result<String, Refusal> {
    let mut kind = String::new();
    while let Some(child) = cursor.child()? {
        if child.name.is(ns::XADES, "MimeType") {
            kind = cursor.text()?.into_owned();
        } else {
            cursor.skip()?;
        }
    }
    Ok(kind)
}

//! The text of the `ds:Signature` of a list (Annex B; EN 319 132-1, table 2, level B-B).
//!
//! Deliberately not here: anything unsigned, and certificates other than the signer's.

use crate::algorithm::{DigestAlgorithm, SignatureAlgorithm};
use crate::certificate::Certificate;
use crate::markup::Markup;
use crate::ns;
use crate::verify::SignedDocument;
use tenkoku_domain::time::Timestamp;

/// Ids inside the signature; the root's Id ends in `-TL`, so they cannot meet.
const SIGNATURE: &str = "list-signature";
const REFERENCE: &str = "list-reference";
const PROPERTIES: &str = "signed-properties";
/// What the signed list is (EN 319 132-1, 5.2.4).
const MIME_TYPE: &str = "text/xml";

/// Who signs, how and when.
#[derive(Debug)]
pub(super) struct Signing {
    pub(super) signer: Certificate,
    pub(super) algorithm: SignatureAlgorithm,
    pub(super) at: Timestamp,
}

/// The two digests that are signed; empty in a draft.
#[derive(Debug, Default)]
pub(super) struct Digests {
    list: Vec<u8>,
    properties: Vec<u8>,
}

impl Digests {
    /// The digests of what was read.
    pub(super) fn of(signing: &Signing, document: &SignedDocument) -> Self {
        let digest = signing.algorithm.digest();
        Self {
            list: document.digests.by(digest).map(<[u8]>::to_vec).unwrap_or_default(),
            properties: digest.digest(&document.signature.properties_bytes),
        }
    }
}

impl Signing {
    /// The signature element with these digests and this value.
    pub(super) fn markup(&self, digests: &Digests, value: &[u8]) -> String {
        let mut xml = Markup::default();
        let attributes = [("xmlns:ds", ns::DS), ("Id", SIGNATURE)];
        xml.element("ds:Signature", &attributes, |xml| {
            xml.group("ds:SignedInfo", |xml| self.signed_info(xml, digests));
            xml.base64("ds:SignatureValue", value);
            xml.group("ds:KeyInfo", |xml| {
                xml.group("ds:X509Data", |xml| {
                    xml.base64("ds:X509Certificate", self.signer.der());
                });
            });
            xml.group("ds:Object", |xml| self.qualifying_properties(xml));
        });
        xml.finish()
    }

    fn signed_info(&self, xml: &mut Markup, digests: &Digests) {
        algorithm(xml, "ds:CanonicalizationMethod", ns::EXCLUSIVE);
        algorithm(xml, "ds:SignatureMethod", self.algorithm.uri());
        xml.element("ds:Reference", &[("Id", REFERENCE), ("URI", "")], |xml| {
            self.reference(xml, &[ns::ENVELOPED, ns::EXCLUSIVE], &digests.list);
        });
        let uri = format!("#{PROPERTIES}");
        let attributes = [("Type", ns::SIGNED_PROPERTIES), ("URI", uri.as_str())];
        xml.element("ds:Reference", &attributes, |xml| {
            self.reference(xml, &[ns::EXCLUSIVE], &digests.properties);
        });
    }

    fn reference(&self, xml: &mut Markup, transforms: &[&str], value: &[u8]) {
        xml.group("ds:Transforms", |xml| {
            for name in transforms {
                algorithm(xml, "ds:Transform", name);
            }
        });
        digest(xml, self.algorithm.digest(), value);
    }

    fn qualifying_properties(&self, xml: &mut Markup) {
        let target = format!("#{SIGNATURE}");
        let attributes = [("xmlns:xades", ns::XADES), ("Target", target.as_str())];
        xml.element("xades:QualifyingProperties", &attributes, |xml| {
            xml.element("xades:SignedProperties", &[("Id", PROPERTIES)], |xml| {
                xml.group("xades:SignedSignatureProperties", |xml| self.about_signature(xml));
                xml.group("xades:SignedDataObjectProperties", about_list);
            });
        });
    }

    fn about_signature(&self, xml: &mut Markup) {
        xml.text("xades:SigningTime", &[], &self.at.to_string());
        xml.group("xades:SigningCertificateV2", |xml| {
            xml.group("xades:Cert", |xml| {
                xml.group("xades:CertDigest", |xml| {
                    let method = self.algorithm.digest();
                    digest(xml, method, &method.digest(self.signer.der()));
                });
            });
        });
    }
}

fn about_list(xml: &mut Markup) {
    let reference = format!("#{REFERENCE}");
    xml.element("xades:DataObjectFormat", &[("ObjectReference", &reference)], |xml| {
        xml.text("xades:MimeType", &[], MIME_TYPE);
    });
}

fn digest(xml: &mut Markup, method: DigestAlgorithm, value: &[u8]) {
    algorithm(xml, "ds:DigestMethod", method.uri());
    xml.base64("ds:DigestValue", value);
}

fn algorithm(xml: &mut Markup, name: &str, uri: &str) {
    xml.element(name, &[("Algorithm", uri)], |_| {});
}

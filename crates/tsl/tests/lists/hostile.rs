//! Hostile lists, each refused for its own reason.
//!
//! The files are described in `tests/data/tsl/hostile/SOURCE.md`.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use tenkoku_tsl::verify::{Refusal as R, verify};
use tenkoku_tsl::xml::{MAX_BYTES, XmlError as X};

use crate::sample::{data, is_installed};

/// A file and whether a refusal is the one it must get.
type Case = (&'static str, fn(&R) -> bool);

macro_rules! cases {
    ($($file:literal => $pattern:pat $(if $guard:expr)?,)*) => {
        &[$(($file, |refusal| matches!(refusal, $pattern $(if $guard)?))),*]
    };
}

const CASES: &[Case] = cases! {
    "algorithm-ecdsa-sha1" => R::SignatureAlgorithm(name) if name.ends_with("ecdsa-sha1"),
    "algorithm-hmac" => R::SignatureAlgorithm(name) if name.ends_with("hmac-sha256"),
    "algorithm-hmac-truncated" => R::SignatureAlgorithm(name) if name.ends_with("hmac-sha1"),
    "algorithm-rsa-sha1" => R::SignatureAlgorithm(name) if name.ends_with("rsa-sha1"),
    "canonicalisation-with-comments" => R::Canonicalisation(name) if name.ends_with("Comments"),
    "certificate-garbage" => R::Certificate(_),
    "certificate-none" => R::CertificateCount(0),
    "certificate-reference-none" => R::CertificateReference,
    "certificate-reference-old" => R::CertificateReference,
    "certificate-swapped" => R::OtherCertificate,
    "certificate-twice" => R::CertificateCount(2),
    "changed-signing-time" => R::Digest("the signed properties"),
    "changed-status" => R::Digest("the list"),
    "comment-in-certificate" => R::CommentInValue(name) if name == "X509Certificate",
    "comment-in-value" => R::CommentInValue(name) if name == "ServiceStatus",
    "control-character" => R::Xml(X::Character(2)),
    "digest-sha1" => R::DigestAlgorithm(name) if name.ends_with("sha1"),
    "doctype" => R::Xml(X::DocumentType),
    "doctype-external" => R::Xml(X::DocumentType),
    "duplicate-attribute" => R::Xml(X::DuplicateAttribute(name)) if name == "type",
    "duplicate-id" => R::Xml(X::DuplicateId(id)) if id == "JP-TL",
    "encoding-latin-1" => R::Xml(X::Encoding),
    "entity-expansion" => R::Xml(X::DocumentType),
    "entity-external" => R::Xml(X::DocumentType),
    "entity-unknown" => R::Xml(X::Entity(name)) if name == "nbsp",
    "foreign-object" => R::Shape(_),
    "forged-digest" => R::Signature,
    "format-missing" => R::Shape(_),
    "no-tag" => R::NotAList(_),
    "not-a-list" => R::NotAList(_),
    "not-well-formed" => R::Xml(X::Syntax(_)),
    "properties-not-referenced" => R::Shape(_),
    "reference-external" => R::ExternalReference(uri) if uri.starts_with("http:"),
    "reference-file" => R::ExternalReference(uri) if uri.starts_with("file:"),
    "reference-missing" => R::Shape(_),
    "reference-to-root-id" => R::PartialReference(uri) if uri == "#JP-TL",
    "reference-twice" => R::Shape(_),
    "reference-xpointer" => R::PartialReference(uri) if uri.contains("xpointer"),
    "signature-inside" => R::Wrapped(name) if name == "Signature",
    "signature-not-last" => R::NotLast,
    "target-elsewhere" => R::Shape(_),
    "too-deep" => R::Xml(X::TooDeep),
    "transform-base64" => R::Transform(name) if name.ends_with("base64"),
    "transform-order" => R::Shape(_),
    "transform-prefix-list" => R::Transform(name) if name.ends_with("xml-exc-c14n#"),
    "transform-xpath" => R::Transform(name) if name.contains("xpath"),
    "transform-xslt" => R::Transform(name) if name.contains("xslt"),
    "two-roots" => R::Xml(X::Malformed(_)),
    "two-signatures" => R::SeveralSignatures,
    "unsigned" => R::NoSignature,
    "utf-16" => R::Xml(X::Encoding),
    "wrapped-by-id" => R::Wrapped(name) if name == "TrustServiceStatusList",
    "wrapped-honest" => R::PartialReference(uri) if uri == "#JP-TL",
    "wrapped-with-signature" => R::Wrapped(name) if name == "TrustServiceStatusList",
};

fn check(name: &str, is_expected: fn(&R) -> bool) {
    let document = fs::read(data().join(format!("hostile/{name}.xml"))).unwrap();
    match verify(&document) {
        Ok(_) => panic!("{name} was accepted"),
        Err(refusal) => assert!(is_expected(&refusal), "{name}: {refusal:?}"),
    }
}

#[test]
fn every_hostile_list_is_refused_for_its_own_reason() {
    for (name, is_expected) in CASES {
        check(name, *is_expected);
    }
}

#[test]
fn every_stored_file_is_tried() {
    let stored: BTreeSet<String> = fs::read_dir(data().join("hostile"))
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            name.strip_suffix(".xml").map(str::to_owned)
        })
        .filter(|name| name != "good")
        .collect();
    let tried: BTreeSet<String> = CASES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(stored, tried);
}

#[test]
fn the_list_they_were_made_from_is_good() {
    let good = fs::read(data().join("hostile/good.xml")).unwrap();
    assert_eq!(verify(&good).unwrap().list().services().count(), 3);
}

#[test]
fn an_oversized_list_is_refused_before_it_is_read() {
    let mut document = fs::read(data().join("hostile/good.xml")).unwrap();
    document.resize(MAX_BYTES + 1, b' ');
    assert!(matches!(verify(&document), Err(R::Xml(X::TooLarge))));
}

/// What makes these lists dangerous: a verifier that follows the standard of signatures alone is
/// content with them.
#[test]
fn xmlsec1_accepts_the_wrapped_lists_that_we_refuse() {
    if !is_installed("xmlsec1") {
        return;
    }
    let folder = data().join("hostile");
    for name in ["wrapped-by-id", "wrapped-with-signature", "comment-in-value"] {
        let output = Command::new("xmlsec1")
            .args(["--verify", "--verification-time", "2026-11-22 00:00:05"])
            .args(["--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties"])
            .args(["--id-attr:Id", "http://uri.etsi.org/02231/v2#:TrustServiceStatusList"])
            .arg("--trusted-der")
            .arg(folder.join("signer.der"))
            .arg("--trusted-der")
            .arg(folder.join("attacker.der"))
            .arg(folder.join(format!("{name}.xml")))
            .output()
            .unwrap();
        assert!(output.status.success(), "{name}");
    }
}

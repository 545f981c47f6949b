//! Tests of requests: files made by openssl, and what each kind of damage is called.

use std::fs;

use tenkoku_domain::key::KeyAlgorithm;

use super::*;
use crate::specimens::{data, public};

fn file(name: &str) -> Vec<u8> {
    fs::read(data("requests").join(name)).unwrap()
}

fn der(name: &str) -> Vec<u8> {
    pem::decode(&file(name), LABELS).unwrap()
}

fn check(input: &[u8], problem: &str, code: RefusalCode) {
    let error = Request::parse(input).unwrap_err();
    assert_eq!((error.problem(), error.refusal().code), (problem, code), "{error}");
}

fn unshown(input: &[u8], problem: &str) {
    check(input, problem, RefusalCode::PossessionNotShown);
}

#[test]
fn requests_of_openssl_are_read() {
    for (name, algorithm, signature) in [
        ("p256.pem", KeyAlgorithm::P256, SignatureAlgorithm::EcdsaSha256),
        ("compressed.pem", KeyAlgorithm::P256, SignatureAlgorithm::EcdsaSha256),
        ("p384.pem", KeyAlgorithm::P384, SignatureAlgorithm::EcdsaSha384),
        ("p521.pem", KeyAlgorithm::P521, SignatureAlgorithm::EcdsaSha512),
        ("rsa3072.pem", KeyAlgorithm::Rsa3072, SignatureAlgorithm::RsaSha256),
        ("rsa3072-sha512.pem", KeyAlgorithm::Rsa3072, SignatureAlgorithm::RsaSha512),
        ("pss.pem", KeyAlgorithm::Rsa3072, SignatureAlgorithm::PssSha256),
    ] {
        let request = Request::parse(&file(name)).unwrap();
        assert_eq!(request.key().algorithm(), algorithm, "{name}");
        assert_eq!(request.signature_algorithm(), signature, "{name}");
        assert_eq!(request.subject().subject_line(), "C=JP, O=Sample Co., Ltd., CN=ignored");
        assert_eq!(request.challenge(), None);
        assert_eq!(Request::parse(request.der()), Ok(request));
    }
}

#[test]
fn a_compressed_point_is_the_same_key() {
    let request = Request::parse(&file("compressed.pem")).unwrap();
    assert_ne!(request.key().spki_der(), public("seal").spki_der());
    assert_eq!(request.key().fingerprint(), public("seal").fingerprint());
}

#[test]
fn the_challenge_and_a_subject_in_script_are_read() {
    let request = Request::parse(&file("challenge.pem")).unwrap();
    assert_eq!(request.challenge(), Some("tenkoku-challenge-0001"));
    assert_eq!(request.subject().subject_line(), "C=JP, O=株式会社サンプル, CN=大阪支店");
}

#[test]
fn keys_outside_the_rules_are_refused_by_their_rule() {
    for (name, code) in [
        ("weak-rsa1024.pem", RefusalCode::KeyAlgorithm),
        ("weak-rsa2040.pem", RefusalCode::KeyAlgorithm),
        ("weak-rsa2046.pem", RefusalCode::KeyParameters),
        ("weak-exponent.pem", RefusalCode::KeyParameters),
        ("explicit.pem", RefusalCode::KeyParameters),
        ("pss-label.pem", RefusalCode::KeyAlgorithm),
        ("curve-k1.pem", RefusalCode::KeyAlgorithm),
        ("ed25519.pem", RefusalCode::KeyAlgorithm),
    ] {
        check(&file(name), "key", code);
    }
}

#[test]
fn old_hashes_show_nothing() {
    for name in ["weak-sha1.pem", "weak-sha1-ec.pem", "weak-md5.pem"] {
        check(&file(name), "weak-hash", RefusalCode::HashNotAllowed);
    }
}

#[test]
fn damage_is_called_by_its_name() {
    let pem = file("p256.pem");
    let text = String::from_utf8(pem.clone()).unwrap();
    let der = der("p256.pem");
    unshown(&pem[..pem.len() - 40], "truncated");
    unshown(&der[..der.len() - 1], "truncated");
    unshown(&[der.as_slice(), &[0]].concat(), "trailing-data");
    unshown(&text.replace("CERTIFICATE REQUEST", "CERTIFICATE").into_bytes(), "wrong-label");
    unshown(&text.replace("CERTIFICATE REQUEST", "PRIVATE KEY").into_bytes(), "wrong-label");
    unshown(text.repeat(2).as_bytes(), "several-blocks");
    unshown(&text.replacen('M', "*", 1).into_bytes(), "damaged");
    unshown(b"", "empty");
    unshown(b"hello", "neither-pem-nor-der");
    unshown(&[0xFF, 0xFE], "neither-pem-nor-der");
    unshown(&[0x30, 0x00], "truncated");
    unshown(&[0x30, 0x03, 0x02, 0x01, 0x00], "not-a-request");
    unshown(&vec![b' '; MAX_OCTETS + 1], "too-large");
}

#[test]
fn a_request_that_was_changed_shows_nothing() {
    let mut changed = der("p256.pem");
    let place = changed.windows(7).position(|part| part == b"ignored").unwrap();
    changed[place] = b'I';
    unshown(&changed, "signature");
    // The key of one request under the signature of another.
    let mut signature = der("p256.pem");
    let last = signature.len() - 1;
    signature[last] ^= 1;
    unshown(&signature, "signature");
}

#[test]
fn the_version_must_be_the_first() {
    let mut odd = der("p256.pem");
    let place = odd.windows(3).position(|part| part == [2, 1, 0]).unwrap();
    odd[place + 2] = 1;
    unshown(&odd, "not-a-request");
}

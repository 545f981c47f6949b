//! From a list to a signed document and back.

use aws_lc_rs::signature::{
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tenkoku_tsl::algorithm::{DigestAlgorithm, ForeignAlgorithm, SignatureAlgorithm as Algorithm};
use tenkoku_tsl::sign::{SignError, prepare};
use tenkoku_tsl::verify::{Refusal, verify};
use tenkoku_tsl::{rules, write};

use crate::sample::{self, OPERATOR, Role, SIGNED, Signer, at};

fn check(algorithm: Algorithm) {
    let signer = Signer::of_list(algorithm);
    let document = signer.publish(sample::list());
    let verified = verify(&document).unwrap();
    assert_eq!(verified.signer(), &signer.certificate);
    assert_eq!(verified.algorithm(), ForeignAlgorithm::Ours(algorithm));
    assert_eq!(verified.signing_time(), at(SIGNED));
    assert!(verified.require_signer(&[signer.certificate]).is_ok());
}

#[test]
fn every_algorithm_signs_a_list_that_verifies() {
    check(Algorithm::EcdsaP256Sha256);
    check(Algorithm::EcdsaP384Sha384);
    check(Algorithm::RsaSha256);
    check(Algorithm::RsaSha512);
}

/// The list signed by `signer`, whose signature is then made anew with another RSA algorithm: the
/// digests do not cover it, so method and value are all that changes.
fn signed_with(signer: &Signer, uri: &str, padding: &'static dyn RsaEncoding) -> Vec<u8> {
    let ours = Algorithm::RsaSha512.uri();
    let linted = rules::lint(sample::list()).unwrap();
    let certificate = signer.certificate.clone();
    let prepared = prepare(linted, certificate, Algorithm::RsaSha512, at(SIGNED)).unwrap();
    let covered = String::from_utf8(prepared.to_be_signed().to_vec()).unwrap();
    let first = signer.sign(prepared.to_be_signed());
    let document = String::from_utf8(prepared.finish(&first).unwrap()).unwrap();
    let value = signer.sign_with(padding, covered.replace(ours, uri).as_bytes());
    let encode = |value: &[u8]| STANDARD.encode(value);
    document.replace(ours, uri).replace(&encode(&first), &encode(&value)).into_bytes()
}

#[test]
fn what_others_sign_with_is_verified_too() {
    let signer = Signer::of_list(Algorithm::RsaSha512);
    let cases: [(ForeignAlgorithm, &'static dyn RsaEncoding); 4] = [
        (ForeignAlgorithm::RsaSha384, &RSA_PKCS1_SHA384),
        (ForeignAlgorithm::RsaPss(DigestAlgorithm::Sha256), &RSA_PSS_SHA256),
        (ForeignAlgorithm::RsaPss(DigestAlgorithm::Sha384), &RSA_PSS_SHA384),
        (ForeignAlgorithm::RsaPss(DigestAlgorithm::Sha512), &RSA_PSS_SHA512),
    ];
    for (algorithm, padding) in cases {
        let document = signed_with(&signer, algorithm.uri(), padding);
        assert_eq!(verify(&document).unwrap().algorithm(), algorithm);
        // The same value under another name is another algorithm's, and does not hold.
        let other = signed_with(&signer, algorithm.uri(), &RSA_PKCS1_SHA256);
        assert!(matches!(verify(&other), Err(Refusal::Signature)), "{algorithm:?}");
    }
}

#[test]
fn what_is_read_back_is_what_was_written() {
    let list = sample::list();
    let document = Signer::of_list(Algorithm::EcdsaP384Sha384).publish(list.clone());
    let verified = verify(&document).unwrap();
    assert_eq!(verified.version(), 6);
    assert_eq!(verified.list(), &list);
}

#[test]
fn every_changed_byte_is_noticed() {
    let signer = Signer::of_list(Algorithm::EcdsaP256Sha256);
    let document = signer.publish(sample::list());
    // A prime step visits every region of the document in reasonable time.
    for position in (0..document.len()).step_by(101) {
        let mut changed = document.clone();
        let byte = &mut changed[position];
        *byte = if *byte == b'a' { b'b' } else { b'a' };
        assert!(verify(&changed).is_err(), "byte {position}");
    }
}

#[test]
fn a_list_that_was_cut_off_is_refused() {
    let document = Signer::of_list(Algorithm::EcdsaP256Sha256).publish(sample::list());
    for length in (0..document.len()).step_by(97) {
        assert!(verify(&document[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn another_signer_is_not_accepted() {
    let document = Signer::of_list(Algorithm::EcdsaP256Sha256).publish(sample::list());
    let other = Signer::of_list(Algorithm::EcdsaP256Sha256).certificate;
    let refused = verify(&document).unwrap().require_signer(&[other]);
    assert!(matches!(refused, Err(Refusal::UnexpectedSigner(name)) if name.contains(OPERATOR)));
}

#[test]
fn an_unsigned_list_is_refused_as_unsigned() {
    let document = write::to_xml(&sample::list());
    assert!(matches!(verify(document.as_bytes()), Err(Refusal::NoSignature)));
}

#[test]
fn a_signature_by_another_key_never_leaves() {
    let signer = Signer::of_list(Algorithm::EcdsaP384Sha384);
    let other = Signer::of_list(Algorithm::EcdsaP384Sha384);
    let prepare_list = || {
        let linted = rules::lint(sample::list()).unwrap();
        prepare(linted, signer.certificate.clone(), Algorithm::EcdsaP384Sha384, at(SIGNED)).unwrap()
    };
    let prepared = prepare_list();
    let value = other.sign(prepared.to_be_signed());
    let refused = prepared.finish(&value);
    assert!(matches!(refused, Err(SignError::Unacceptable(Refusal::Signature))));
    let raw = prepare_list().finish(&[7; 96]);
    assert!(matches!(raw, Err(SignError::SignatureForm)));
}

#[test]
fn the_algorithm_must_fit_the_key() {
    let signer = Signer::of_list(Algorithm::EcdsaP256Sha256);
    let linted = rules::lint(sample::list()).unwrap();
    let refused = prepare(linted, signer.certificate, Algorithm::RsaSha512, at(SIGNED));
    assert!(matches!(refused, Err(SignError::Algorithm)));
}

#[test]
fn a_certificate_that_breaks_5_7_1_may_not_sign() {
    let algorithm = Algorithm::EcdsaP384Sha384;
    let sentences = |signer: &Signer, time: &str| {
        let linted = rules::lint(sample::list()).unwrap();
        match prepare(linted, signer.certificate.clone(), algorithm, at(time)) {
            Err(SignError::Signer(broken)) => {
                broken.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
            }
            other => panic!("{other:?}"),
        }
    };
    let stranger = Signer::new(algorithm, Role::ListSigner, "Example Stranger");
    assert!(sentences(&stranger, SIGNED).contains("must be a name of the scheme operator"));
    let authority = sentences(&Signer::new(algorithm, Role::Authority, OPERATOR), SIGNED);
    assert!(authority.contains("key usage") && authority.contains("not an authority's"));
    let late = sentences(&Signer::of_list(algorithm), "2032-06-01T00:00:00Z");
    assert!(late.contains("not valid at the signing time"));
}

//! Tests of keys: the vectors of DOMAIN 22 in every encoding, and what KM-1, KM-2, KM-4 refuse.

use tenkoku_domain::refusal::RefusalCode;

use super::*;
use crate::specimens::{TestKey, public};

const GENERATOR_X: &str = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
const GENERATOR_Y: &str = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
/// p − y: the generator's mirror image, private key n − 1.
const MIRRORED_Y: &str = "b01cbd1c01e58065711814b583f061e9d431cca994cea1313449bf97c840ae0a";
const P256_FINGERPRINT: &str = "d18f006b1501e3a537f6b5331460c49f7752a3d9e778faa357051ebc524c5dd5";

fn ec_spki(curve: &ObjectIdentifier, point: &[u8]) -> Vec<u8> {
    let identifier = write::sequence(&[write::oid(&oid::EC_PUBLIC_KEY), write::oid(curve)]);
    write::sequence(&[identifier, write::bits(point)])
}

fn p256(first: &str, x: &str, y: &str) -> Vec<u8> {
    ec_spki(&oid::P256, &hex::decode(format!("{first}{x}{y}")).unwrap())
}

fn rsa_spki(identifier: &[u8], modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let key = write::sequence(&[write::unsigned(modulus), write::unsigned(exponent)]);
    write::sequence(&[identifier, &write::bits(&key)])
}

fn plain_rsa(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    rsa_spki(&with_null(&oid::RSA_ENCRYPTION), modulus, exponent)
}

fn fingerprint(spki: &[u8]) -> String {
    PresentedKey::parse(spki).unwrap().fingerprint().to_string()
}

fn check(spki: &[u8], expected: Result<KeyAlgorithm, RefusalCode>) {
    let got = PublicKey::parse(spki).map(|key| key.algorithm()).map_err(|e| e.refusal().code);
    assert_eq!(got, expected, "{}", hex::encode(spki));
}

/// An odd modulus of `bits` bits; nobody knows its factors, and nobody asks here.
fn modulus(bits: usize) -> Vec<u8> {
    let mut octets = vec![0xFF; bits.div_ceil(8)];
    octets[0] = 0xFF >> (octets.len() * 8 - bits);
    octets
}

#[test]
fn one_private_key_has_one_fingerprint_in_every_encoding() {
    assert_eq!(fingerprint(&p256("04", GENERATOR_X, GENERATOR_Y)), P256_FINGERPRINT);
    assert_eq!(fingerprint(&p256("03", GENERATOR_X, "")), P256_FINGERPRINT);
    assert_eq!(fingerprint(&p256("02", GENERATOR_X, "")), P256_FINGERPRINT);
    assert_eq!(fingerprint(&p256("04", GENERATOR_X, MIRRORED_Y)), P256_FINGERPRINT);
}

#[test]
fn rsa_has_one_fingerprint_for_any_exponent_and_label() {
    let toy = "9dad952a1dc29b4c44ef1179f8e70d2c48701b1a8f4b65825a80a0eaf58af482";
    assert_eq!(fingerprint(&plain_rsa(&[0x0C, 0xA1], &[17])), toy);
    assert_eq!(fingerprint(&plain_rsa(&[0x0C, 0xA1], EXPONENT)), toy);
    let pss = SignatureAlgorithm::PssSha256.identifier();
    assert_eq!(fingerprint(&rsa_spki(&pss, &[0x0C, 0xA1], &[3])), toy);
    let bare = write::sequence(&[write::oid(&oid::RSASSA_PSS)]);
    assert_eq!(fingerprint(&rsa_spki(&bare, &[0x0C, 0xA1], &[3])), toy);
}

#[test]
fn a_key_that_is_not_accepted_still_has_its_fingerprint() {
    let identifier = write::sequence(&[write::oid(&oid::ED25519)]);
    let key = hex::decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    let spki = write::sequence(&[identifier, write::bits(&key.unwrap())]);
    assert_eq!(
        fingerprint(&spki),
        "fef4a06f3fd2b4b2cedf75903eae9f27ca945aa1d18568d1429d79d8082d1544"
    );
    check(&spki, Err(RefusalCode::KeyAlgorithm));
}

#[test]
fn points_on_named_curves_are_accepted() {
    check(&p256("04", GENERATOR_X, GENERATOR_Y), Ok(KeyAlgorithm::P256));
    check(&p256("03", GENERATOR_X, ""), Ok(KeyAlgorithm::P256));
    check(&p256("04", GENERATOR_X, MIRRORED_Y), Ok(KeyAlgorithm::P256));
    for (name, algorithm) in [
        ("seal", KeyAlgorithm::P256),
        ("root", KeyAlgorithm::P384),
        ("seal-p521", KeyAlgorithm::P521),
        ("seal-rsa2048", KeyAlgorithm::Rsa2048),
        ("seal-rsa", KeyAlgorithm::Rsa3072),
    ] {
        check(public(name).spki_der(), Ok(algorithm));
    }
}

#[test]
fn points_that_are_no_keys_are_refused() {
    let refused = Err(RefusalCode::KeyParameters);
    // At infinity.
    check(&p256("00", "", ""), refused);
    check(&p256("", "", ""), refused);
    // Off the curve.
    check(&p256("04", GENERATOR_X, GENERATOR_X), refused);
    check(&p256("04", &"00".repeat(32), &"00".repeat(32)), refused);
    // Coordinates out of range.
    let p = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
    check(&p256("02", p, ""), refused);
    check(&p256("04", p, GENERATOR_Y), refused);
    check(&p256("04", &"ff".repeat(32), &"ff".repeat(32)), refused);
    // Hybrid, of the wrong length, of another curve's length.
    check(&p256("07", GENERATOR_X, GENERATOR_Y), refused);
    check(&p256("04", GENERATOR_X, &GENERATOR_Y[2..]), refused);
    check(&ec_spki(&oid::P384, public("seal").bits()), refused);
}

#[test]
fn a_coordinate_out_of_range_is_not_reduced() {
    // x = p + 5 stands for x = 5, where the curve has a point; y is the root of 5³ − 15 + b.
    let x = "ffffffff00000001000000000000000000000001000000000000000000000004";
    check(&p256("02", x, ""), Err(RefusalCode::KeyParameters));
    let five = format!("{:064x}", 5);
    check(&p256("02", &five, ""), Ok(KeyAlgorithm::P256));
}

#[test]
fn curves_must_be_named_and_known() {
    let point = hex::decode(format!("04{GENERATOR_X}{GENERATOR_Y}")).unwrap();
    let spki = |parameters: &[u8]| {
        let identifier = write::sequence(&[write::oid(&oid::EC_PUBLIC_KEY).as_slice(), parameters]);
        write::sequence(&[identifier, write::bits(&point)])
    };
    check(&spki(&write::sequence(&[write::unsigned(&[1])])), Err(RefusalCode::KeyParameters));
    check(&spki(&write::null()), Err(RefusalCode::KeyParameters));
    check(&spki(&[]), Err(RefusalCode::KeyParameters));
    let secp256k1 = ObjectIdentifier::new_unwrap("1.3.132.0.10");
    check(&ec_spki(&secp256k1, &point), Err(RefusalCode::KeyAlgorithm));
}

#[test]
fn rsa_must_have_a_listed_size_and_the_one_exponent() {
    check(&plain_rsa(&modulus(2048), EXPONENT), Ok(KeyAlgorithm::Rsa2048));
    check(&plain_rsa(&modulus(3072), EXPONENT), Ok(KeyAlgorithm::Rsa3072));
    check(&plain_rsa(&modulus(4096), EXPONENT), Ok(KeyAlgorithm::Rsa4096));
    check(&plain_rsa(&modulus(1024), EXPONENT), Err(RefusalCode::KeyAlgorithm));
    check(&plain_rsa(&modulus(8192), EXPONENT), Err(RefusalCode::KeyAlgorithm));
    check(&plain_rsa(&[], EXPONENT), Err(RefusalCode::KeyAlgorithm));
    check(&plain_rsa(&modulus(2047), EXPONENT), Err(RefusalCode::KeyParameters));
    check(&plain_rsa(&modulus(2041), EXPONENT), Err(RefusalCode::KeyParameters));
    check(&plain_rsa(&modulus(2048), &[3]), Err(RefusalCode::KeyParameters));
    check(&plain_rsa(&modulus(2048), &[1, 0, 1, 0]), Err(RefusalCode::KeyParameters));
    let mut even = modulus(2048);
    even[255] = 0xFE;
    check(&plain_rsa(&even, EXPONENT), Err(RefusalCode::KeyParameters));
}

#[test]
fn rsa_under_another_label_or_without_null_is_refused() {
    let pss = SignatureAlgorithm::PssSha256.identifier();
    let n = modulus(2048);
    check(&rsa_spki(&pss, &n, EXPONENT), Err(RefusalCode::KeyAlgorithm));
    let bare = write::sequence(&[write::oid(&oid::RSA_ENCRYPTION)]);
    check(&rsa_spki(&bare, &n, EXPONENT), Err(RefusalCode::KeyParameters));
}

#[test]
fn anything_around_the_key_is_refused() {
    let good = p256("04", GENERATOR_X, GENERATOR_Y);
    check(&[good.as_slice(), &[0]].concat(), Err(RefusalCode::KeyParameters));
    check(&good[..good.len() - 1], Err(RefusalCode::KeyParameters));
    check(&[], Err(RefusalCode::KeyParameters));
    // 1.2.840.10040.4.1 is DSA.
    let dsa = ObjectIdentifier::new_unwrap("1.2.840.10040.4.1");
    let spki = write::sequence(&[write::sequence(&[write::oid(&dsa)]), write::bits(&[0])]);
    check(&spki, Err(RefusalCode::KeyAlgorithm));
}

#[test]
fn signatures_verify_with_their_own_key_algorithm_and_message_only() {
    for name in ["seal", "root", "seal-p521", "seal-rsa", "seal-mldsa65", "seal-mldsa87"] {
        let key = TestKey::load(name);
        let public = key.public();
        let algorithm = SignatureAlgorithm::of_issuer(public.algorithm());
        let signature = key.sign(b"message");
        assert_eq!(public.verify(algorithm, b"message", &signature), Ok(()));
        assert_eq!(public.verify(algorithm, b"massage", &signature), Err(SignatureError));
        for other in SignatureAlgorithm::ALL.into_iter().filter(|other| *other != algorithm) {
            assert_eq!(public.verify(other, b"message", &signature), Err(SignatureError));
        }
    }
}

fn ml_dsa_spki(identifier: &[u8], bits: &[u8]) -> Vec<u8> {
    write::sequence(&[identifier, &write::bits(bits)])
}

fn bare(algorithm: &ObjectIdentifier) -> Vec<u8> {
    write::sequence(&[write::oid(algorithm)])
}

#[test]
fn ml_dsa_keys_have_absent_parameters_and_their_own_length() {
    let key = public("seal-mldsa65");
    let (spki, bits) = (key.spki_der(), key.bits());
    assert_eq!(hex::encode(&spki[4..17]), "300b0609608648016503040312");
    check(spki, Ok(KeyAlgorithm::MlDsa65));
    check(public("seal-mldsa87").spki_der(), Ok(KeyAlgorithm::MlDsa87));
    let with_parameters = ml_dsa_spki(&with_null(&oid::ML_DSA_65), bits);
    check(&with_parameters, Err(RefusalCode::KeyParameters));
    let wrong_length = ml_dsa_spki(&bare(&oid::ML_DSA_87), bits);
    check(&wrong_length, Err(RefusalCode::KeyParameters));
    check(&ml_dsa_spki(&bare(&oid::ML_DSA_65), &bits[1..]), Err(RefusalCode::KeyParameters));
}

#[test]
fn km_1_refuses_ml_dsa_44_and_keys_for_pre_hashed_signatures() {
    let small = ml_dsa_spki(&bare(&oid::ML_DSA_44), &[7; 1312]);
    check(&small, Err(RefusalCode::KeyAlgorithm));
    let key = public("seal-mldsa87");
    for pre_hash in [oid::HASH_ML_DSA_44, oid::HASH_ML_DSA_65, oid::HASH_ML_DSA_87] {
        let spki = ml_dsa_spki(&bare(&pre_hash), key.bits());
        check(&spki, Err(RefusalCode::KeyAlgorithm));
    }
}

#[test]
fn the_fingerprint_of_ml_dsa_is_over_its_set_and_the_encoded_key() {
    let by_hand = |set: &str, bits: &[u8]| {
        let material = [b"seal-key-v1\0", set.as_bytes(), b"\0", bits].concat();
        hex::encode(digest::digest(&digest::SHA256, &material))
    };
    for (name, set) in [("seal-mldsa65", "ml-dsa-65"), ("seal-mldsa87", "ml-dsa-87")] {
        let key = public(name);
        assert_eq!(key.fingerprint().to_string(), by_hand(set, key.bits()));
    }
    let small = ml_dsa_spki(&bare(&oid::ML_DSA_44), &[7; 1312]);
    assert_eq!(fingerprint(&small), by_hand("ml-dsa-44", &[7; 1312]));
}

#[test]
fn the_key_identifier_is_method_1() {
    // SHA-1 of the uncompressed generator, as `openssl dgst -sha1` gives it.
    let key = PublicKey::parse(&p256("04", GENERATOR_X, GENERATOR_Y)).unwrap();
    assert_eq!(hex::encode(key.key_identifier()), "b467a3999eb5efa671de0032f08a9c9e5efda0e1");
}

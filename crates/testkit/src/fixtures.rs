//! Keys of applicants and their certification requests, in every encoding that one key has.

use aws_lc_rs::encoding::{AsBigEndian as _, EcPrivateKeyBin};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _, ML_DSA_65_SIGNING, ML_DSA_87_SIGNING,
    PqdsaKeyPair, RSA_PKCS1_SHA256,
};
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_pki::key::PublicKey;
use tenkoku_pki::signature::SignatureAlgorithm;

use crate::tools::data;

/// The order and the field prime of P-256 (SP 800-186, 3.2.1.3).
const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const P256_PRIME: &str = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";

/// An applicant's private key.
#[derive(Debug)]
pub struct ApplicantKey {
    algorithm: KeyAlgorithm,
    private: Private,
}

#[derive(Debug)]
enum Private {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    MlDsa(PqdsaKeyPair),
}

impl ApplicantKey {
    /// A key: fresh on a curve or of ML-DSA, the one key of `tests/data/pki/keys` for each size of RSA.
    ///
    /// # Panics
    /// When the library refuses.
    pub fn make(algorithm: KeyAlgorithm) -> Self {
        let private = match algorithm {
            KeyAlgorithm::P256 | KeyAlgorithm::P384 | KeyAlgorithm::P521 => Private::Ec(
                EcdsaKeyPair::generate(curve(algorithm)).expect("a key pair on a curve"),
            ),
            KeyAlgorithm::Rsa2048 => Private::Rsa(kept("seal-rsa2048")),
            KeyAlgorithm::Rsa3072 => Private::Rsa(kept("seal-rsa")),
            KeyAlgorithm::Rsa4096 => Private::Rsa(kept("seal-rsa4096")),
            KeyAlgorithm::MlDsa65 | KeyAlgorithm::MlDsa87 => {
                let set = if algorithm == KeyAlgorithm::MlDsa65 {
                    &ML_DSA_65_SIGNING
                } else {
                    &ML_DSA_87_SIGNING
                };
                Private::MlDsa(PqdsaKeyPair::generate(set).expect("an ML-DSA key pair"))
            }
        };
        Self { algorithm, private }
    }

    /// A fresh RSA key of 3072 bits; making one takes a while.
    ///
    /// # Panics
    /// When the library refuses.
    pub fn make_rsa() -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa3072).expect("a key pair");
        Self { algorithm: KeyAlgorithm::Rsa3072, private: Private::Rsa(pair) }
    }

    /// The key of a scalar on P-256 and its point.
    fn of_scalar(scalar: &[u8], point: &[u8]) -> Self {
        let algorithm = KeyAlgorithm::P256;
        let pair = EcdsaKeyPair::from_private_key_and_public_key(curve(algorithm), scalar, point);
        Self { algorithm, private: Private::Ec(pair.expect("a key pair on P-256")) }
    }

    /// The key n − d, whose point has the same x (P-256): another encoding of the same secret.
    ///
    /// # Panics
    /// For a key that is not on P-256.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        let Private::Ec(pair) = &self.private else { panic!("only points are mirrored") };
        assert_eq!(self.algorithm, KeyAlgorithm::P256, "only P-256 is mirrored here");
        let scalar: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().expect("the scalar");
        let (x, y) = self.bits()[1..].split_at(32);
        let point = [&[4], x, &minus(P256_PRIME, y)].concat();
        Self::of_scalar(&minus(P256_ORDER, scalar.as_ref()), &point)
    }

    /// The content of the BIT STRING: an RSAPublicKey or an uncompressed point.
    fn bits(&self) -> &[u8] {
        match &self.private {
            Private::Ec(pair) => pair.public_key().as_ref(),
            Private::Rsa(pair) => pair.public_key().as_ref(),
            Private::MlDsa(pair) => pair.public_key().as_ref(),
        }
    }

    /// The public half.
    ///
    /// # Panics
    /// When the key is none that the platform takes.
    pub fn public(&self) -> PublicKey {
        PublicKey::from_raw(self.algorithm, self.bits()).expect("a public key")
    }

    /// A request for this key, DER, that asks for no particular subject and answers no challenge.
    pub fn request(&self) -> Vec<u8> {
        self.request_for(&[])
    }

    /// A request that asks for a subject of UTF-8 attributes, each an object identifier in DER
    /// without its header, and a text.
    pub fn request_for(&self, subject: &[(&[u8], &str)]) -> Vec<u8> {
        self.request_with(self.public().spki_der(), subject, None)
    }

    /// A request that writes the point compressed (SEC 1, 2.3.3).
    ///
    /// # Panics
    /// For a key that is no point.
    pub fn request_compressed(&self) -> Vec<u8> {
        self.request_with(&self.compressed(), &[], None)
    }

    /// A request that labels an RSA key as one for RSASSA-PSS (RFC 4055, 1.2).
    pub fn request_labelled_pss(&self) -> Vec<u8> {
        self.request_with(&self.labelled_pss(), &[], None)
    }

    /// A request that answers a challenge: it shows possession.
    pub fn proof(&self, challenge: &str) -> Vec<u8> {
        self.proof_for(&[], challenge)
    }

    /// A request that answers a challenge and asks for a subject.
    pub fn proof_for(&self, subject: &[(&[u8], &str)], challenge: &str) -> Vec<u8> {
        self.request_with(self.public().spki_der(), subject, Some(challenge))
    }

    /// A request that answers a challenge and writes the point compressed.
    ///
    /// # Panics
    /// For a key that is no point.
    pub fn proof_compressed(&self, challenge: &str) -> Vec<u8> {
        self.request_with(&self.compressed(), &[], Some(challenge))
    }

    /// A request that answers a challenge and labels an RSA key as one for RSASSA-PSS.
    pub fn proof_labelled_pss(&self, challenge: &str) -> Vec<u8> {
        self.request_with(&self.labelled_pss(), &[], Some(challenge))
    }

    /// A request that answers a challenge and carries an AttestationBundle (`id-aa-attestation`).
    pub fn proof_attested(&self, challenge: &str, bundle: &[u8]) -> Vec<u8> {
        let kind = tenkoku_pki::oid::ATTESTATION;
        let bundle = sequence(&[&tlv(0x06, kind.as_bytes()), &tlv(0x31, bundle)]);
        self.request_asking(self.public().spki_der(), &[], Some(challenge), &bundle)
    }

    fn compressed(&self) -> Vec<u8> {
        let bits = self.bits();
        assert_eq!(bits[0], 4, "only points are compressed");
        let half = (bits.len() - 1) / 2;
        let sign = 2 + (bits[bits.len() - 1] & 1);
        let point = [&[sign], &bits[1..=half]].concat();
        let spki = PublicKey::from_raw(self.algorithm, &point).expect("a compressed point");
        spki.spki_der().to_vec()
    }

    fn labelled_pss(&self) -> Vec<u8> {
        let identifier = SignatureAlgorithm::PssSha256.identifier();
        sequence(&[&identifier, &bit_string(self.bits())])
    }

    /// CertificationRequest (RFC 2986, 4.2), signed as the key's family is; the challenge is a
    /// challengePassword (RFC 2985, 5.4.1).
    fn request_with(
        &self,
        spki: &[u8],
        subject: &[(&[u8], &str)],
        challenge: Option<&str>,
    ) -> Vec<u8> {
        self.request_asking(spki, subject, challenge, &[])
    }

    /// The same with another attribute.
    fn request_asking(
        &self,
        spki: &[u8],
        subject: &[(&[u8], &str)],
        challenge: Option<&str>,
        more: &[u8],
    ) -> Vec<u8> {
        let attributes: Vec<Vec<u8>> = subject
            .iter()
            .map(|(oid, text)| {
                let pair = sequence(&[&tlv(0x06, oid), &tlv(0x0C, text.as_bytes())]);
                tlv(0x31, &pair)
            })
            .collect();
        let name = tlv(0x30, &attributes.concat());
        let password = tenkoku_pki::oid::CHALLENGE_PASSWORD;
        let asked = challenge.map(|text| {
            let values = tlv(0x31, &tlv(0x0C, text.as_bytes()));
            sequence(&[&tlv(0x06, password.as_bytes()), &values])
        });
        let asked = tlv(0xA0, &[&asked.unwrap_or_default(), more].concat());
        let info = sequence(&[&tlv(0x02, &[0]), &name, spki, &asked]);
        let (algorithm, signature) = self.sign(&info);
        sequence(&[&info, &algorithm.identifier(), &bit_string(&signature)])
    }

    /// A signature over a text, as certificates use the key: for evidence and acknowledgements.
    pub fn sign_text(&self, text: &[u8]) -> Vec<u8> {
        self.sign(text).1
    }

    fn sign(&self, message: &[u8]) -> (SignatureAlgorithm, Vec<u8>) {
        let random = SystemRandom::new();
        match &self.private {
            Private::Ec(pair) => {
                let signature = pair.sign(&random, message).expect("a signature");
                (SignatureAlgorithm::of_issuer(self.algorithm), signature.as_ref().to_vec())
            }
            Private::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .expect("a signature");
                (SignatureAlgorithm::RsaSha256, signature)
            }
            Private::MlDsa(pair) => {
                let mut signature = vec![0; pair.algorithm().signature_len()];
                let length = pair.sign(message, &mut signature).expect("a signature");
                signature.truncate(length);
                (SignatureAlgorithm::of_issuer(self.algorithm), signature)
            }
        }
    }
}

fn curve(algorithm: KeyAlgorithm) -> &'static EcdsaSigningAlgorithm {
    match algorithm {
        KeyAlgorithm::P256 => &ECDSA_P256_SHA256_ASN1_SIGNING,
        KeyAlgorithm::P384 => &ECDSA_P384_SHA384_ASN1_SIGNING,
        KeyAlgorithm::P521 => &ECDSA_P521_SHA512_ASN1_SIGNING,
        KeyAlgorithm::Rsa2048
        | KeyAlgorithm::Rsa3072
        | KeyAlgorithm::Rsa4096
        | KeyAlgorithm::MlDsa65
        | KeyAlgorithm::MlDsa87 => {
            panic!("{algorithm} is no curve")
        }
    }
}

fn kept(name: &str) -> RsaKeyPair {
    let file = data(&format!("pki/keys/{name}.p8"));
    let text = std::fs::read(&file).expect("a kept key");
    RsaKeyPair::from_pkcs8(&text).expect("a kept RSA key in DER")
}

/// The difference of two numbers of 32 octets, the first in hexadecimal and the larger one.
fn minus(from: &str, what: &[u8]) -> Vec<u8> {
    let mut digits = hex::decode(from).expect("hexadecimal");
    let mut borrow = 0_u8;
    for (digit, less) in digits.iter_mut().zip(what).rev() {
        let (first, under) = digit.overflowing_sub(*less);
        let (second, again) = first.overflowing_sub(borrow);
        (*digit, borrow) = (second, u8::from(under || again));
    }
    digits
}

pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let octets = length.to_be_bytes();
    let significant: Vec<u8> = octets.iter().copied().skip_while(|b| *b == 0).collect();
    let count = u8::try_from(significant.len()).expect("a length of at most 8 octets");
    let header = match significant.as_slice() {
        [] => vec![tag, 0],
        [short] if *short < 0x80 => vec![tag, *short],
        long => [&[tag, 0x80 | count], long].concat(),
    };
    [&header, content].concat()
}

pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

pub(crate) fn bit_string(bits: &[u8]) -> Vec<u8> {
    tlv(0x03, &[&[0], bits].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenkoku_pki::csr::Request;

    fn check(algorithm: KeyAlgorithm) {
        let key = ApplicantKey::make(algorithm);
        let request = Request::parse(&key.request()).expect("a request");
        assert_eq!(request.key(), &key.public());
    }

    #[test]
    fn requests_are_read_by_the_platform() {
        for algorithm in [
            KeyAlgorithm::P256,
            KeyAlgorithm::P384,
            KeyAlgorithm::P521,
            KeyAlgorithm::Rsa2048,
            KeyAlgorithm::Rsa3072,
        ] {
            check(algorithm);
        }
    }

    #[test]
    fn every_encoding_of_a_key_has_its_fingerprint() {
        let key = ApplicantKey::make(KeyAlgorithm::P256);
        let compressed = Request::parse(&key.request_compressed()).expect("a request");
        assert_ne!(compressed.key(), &key.public());
        assert_eq!(compressed.key().fingerprint(), key.public().fingerprint());
        let mirrored = Request::parse(&key.mirrored().request()).expect("a request");
        assert_ne!(mirrored.key(), &key.public());
        assert_eq!(mirrored.key().fingerprint(), key.public().fingerprint());
    }
}

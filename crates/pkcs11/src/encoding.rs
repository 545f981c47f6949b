//! Encodings at the border of a token: curves, points, moduli, DigestInfo and ECDSA values.
//!
//! Pure. A token takes hashes and gives `r || s`; X.509 wants DER of both.

use aws_lc_rs::digest;
use der::asn1::{ObjectIdentifier, OctetStringRef, UintRef};
use der::{Decode as _, Encode as _, Sequence};
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_pki::oid;
use tenkoku_pki::signature::SignatureAlgorithm;

/// A curve that keys are made on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    const ALL: [Self; 3] = [Self::P256, Self::P384, Self::P521];

    /// The curve's name, which CKA_EC_PARAMS holds as DER (RFC 5480, 2.1.1).
    pub(crate) const fn name(self) -> ObjectIdentifier {
        match self {
            Self::P256 => oid::P256,
            Self::P384 => oid::P384,
            Self::P521 => oid::P521,
        }
    }

    const fn algorithm(self) -> KeyAlgorithm {
        match self {
            Self::P256 => KeyAlgorithm::P256,
            Self::P384 => KeyAlgorithm::P384,
            Self::P521 => KeyAlgorithm::P521,
        }
    }
}

/// The point of CKA_EC_POINT with its algorithm. It stands in an OCTET STRING; some tokens leave
/// that away. `None` for a curve that is not made here.
pub(crate) fn ec_point(parameters: &[u8], point: &[u8]) -> Option<(KeyAlgorithm, Vec<u8>)> {
    let name = ObjectIdentifier::from_der(parameters).ok()?;
    let curve = Curve::ALL.into_iter().find(|curve| curve.name() == name)?;
    let bare = <&OctetStringRef>::from_der(point).map_or(point, OctetStringRef::as_bytes);
    Some((curve.algorithm(), bare.to_vec()))
}

/// Two whole numbers: RSAPublicKey (RFC 8017, A.1.1) and ECDSA-Sig-Value (RFC 3279, 2.2.3).
#[derive(Sequence)]
struct Numbers<'a> {
    first: UintRef<'a>,
    second: UintRef<'a>,
}

/// A SEQUENCE of two numbers that are given big-endian; `None` when they are too long.
fn numbers(first: &[u8], second: &[u8]) -> Option<Vec<u8>> {
    let (first, second) = (UintRef::new(first).ok()?, UintRef::new(second).ok()?);
    Numbers { first, second }.to_der().ok()
}

/// RSAPublicKey with its size, which is taken from the modulus; `None` for a size not made here.
pub(crate) fn rsa_public(modulus: &[u8], exponent: &[u8]) -> Option<(KeyAlgorithm, Vec<u8>)> {
    let algorithm = match UintRef::new(modulus).ok()?.as_bytes().len() {
        256 => KeyAlgorithm::Rsa2048,
        384 => KeyAlgorithm::Rsa3072,
        512 => KeyAlgorithm::Rsa4096,
        _ => return None,
    };
    Some((algorithm, numbers(modulus, exponent)?))
}

/// ECDSA-Sig-Value, DER, of `r || s`; `None` for an odd number of octets.
pub(crate) fn ecdsa_value(raw: &[u8]) -> Option<Vec<u8>> {
    if raw.is_empty() || !raw.len().is_multiple_of(2) {
        return None;
    }
    let (r, s) = raw.split_at(raw.len() / 2);
    numbers(r, s)
}

/// DigestInfo up to the hash (RFC 8017, 9.2, note 1).
const SHA256_INFO: &[u8] = &[
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];
const SHA384_INFO: &[u8] = &[
    0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05,
    0x00, 0x04, 0x30,
];
const SHA512_INFO: &[u8] = &[
    0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05,
    0x00, 0x04, 0x40,
];

/// How a token signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// CKM_ECDSA over the hash; gives `r || s`.
    Ecdsa,
    /// CKM_RSA_PKCS over DigestInfo.
    Rsa,
}

/// How a token makes this signature, and over what: the hash comes first, here. `None` when a key
/// of this type does not sign so.
pub(crate) fn to_be_signed(
    key: KeyAlgorithm,
    signature: SignatureAlgorithm,
    message: &[u8],
) -> Option<(Scheme, Vec<u8>)> {
    use SignatureAlgorithm as S;
    let is_rsa =
        matches!(key, KeyAlgorithm::Rsa2048 | KeyAlgorithm::Rsa3072 | KeyAlgorithm::Rsa4096);
    let (info, function) = match signature {
        S::RsaSha256 if is_rsa => (SHA256_INFO, &digest::SHA256),
        S::RsaSha384 if is_rsa => (SHA384_INFO, &digest::SHA384),
        S::RsaSha512 if is_rsa => (SHA512_INFO, &digest::SHA512),
        S::EcdsaSha256 if key == KeyAlgorithm::P256 => (&[][..], &digest::SHA256),
        S::EcdsaSha384 if key == KeyAlgorithm::P384 => (&[][..], &digest::SHA384),
        S::EcdsaSha512 if key == KeyAlgorithm::P521 => (&[][..], &digest::SHA512),
        S::RsaSha256
        | S::RsaSha384
        | S::RsaSha512
        | S::EcdsaSha256
        | S::EcdsaSha384
        | S::EcdsaSha512
        | S::PssSha256
        | S::PssSha384
        | S::PssSha512
        | S::MlDsa65
        | S::MlDsa87 => return None,
    };
    let scheme = if is_rsa { Scheme::Rsa } else { Scheme::Ecdsa };
    Some((scheme, [info, digest::digest(function, message).as_ref()].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_without_needless_zeros_and_never_negative() {
        assert_eq!(
            ecdsa_value(&[0, 1, 0x80, 0]).unwrap(),
            hex::decode("30080201010203008000").unwrap()
        );
        assert_eq!(ecdsa_value(&[1, 2, 3]), None);
        assert_eq!(ecdsa_value(&[]), None);
    }

    #[test]
    fn a_point_is_read_with_and_without_its_octet_string() {
        let curve = Curve::P256.name().to_der().unwrap();
        let bare = [&[4][..], &[7; 64]].concat();
        let wrapped = [&[4, 65][..], &bare].concat();
        let expected = Some((KeyAlgorithm::P256, bare.clone()));
        assert_eq!(ec_point(&curve, &wrapped), expected);
        assert_eq!(ec_point(&curve, &bare), expected);
        assert_eq!(ec_point(&[6, 1, 42], &bare), None);
    }

    #[test]
    fn only_the_signatures_of_a_key_are_prepared() {
        let made = |key, signature| {
            to_be_signed(key, signature, b"abc").map(|(scheme, octets)| (scheme, octets.len()))
        };
        assert_eq!(
            made(KeyAlgorithm::P384, SignatureAlgorithm::EcdsaSha384),
            Some((Scheme::Ecdsa, 48))
        );
        assert_eq!(
            made(KeyAlgorithm::Rsa2048, SignatureAlgorithm::RsaSha512),
            Some((Scheme::Rsa, 19 + 64))
        );
        assert_eq!(made(KeyAlgorithm::P384, SignatureAlgorithm::EcdsaSha256), None);
        assert_eq!(made(KeyAlgorithm::P256, SignatureAlgorithm::RsaSha256), None);
        assert_eq!(made(KeyAlgorithm::Rsa2048, SignatureAlgorithm::PssSha256), None);
    }
}

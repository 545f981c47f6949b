//! From DER to the form that XML Signature uses: r and s, each as long as the field (RFC 4050).
//!
//! Deliberately not here: whether the signature is good.

use der::asn1::UintRef;
use der::{Decode, Sequence};

/// `ECDSA-Sig-Value` (RFC 3279, 2.2.3).
#[derive(Sequence)]
struct EcdsaSigValue<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

/// r and s of a DER signature, each padded to `size` bytes; `None` if it is none or too long.
pub(super) fn concatenate(signature: &[u8], size: usize) -> Option<Vec<u8>> {
    let EcdsaSigValue { r, s } = EcdsaSigValue::from_der(signature).ok()?;
    let mut value = Vec::with_capacity(size * 2);
    for number in [r.as_bytes(), s.as_bytes()] {
        let padding = size.checked_sub(number.len())?;
        value.extend(std::iter::repeat_n(0, padding));
        value.extend_from_slice(number);
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(der: &[u8], expected: Option<&[u8]>) {
        assert_eq!(concatenate(der, 4).as_deref(), expected, "{der:x?}");
    }

    #[test]
    fn short_and_long_numbers_are_brought_to_length() {
        check(&[0x30, 6, 2, 1, 1, 2, 1, 2], Some(&[0, 0, 0, 1, 0, 0, 0, 2]));
        let long = [0x30, 12, 2, 5, 0, 0xff, 1, 2, 3, 2, 3, 0, 0x80, 4];
        check(&long, Some(&[0xff, 1, 2, 3, 0, 0, 0x80, 4]));
    }

    #[test]
    fn what_is_no_signature_of_this_size_is_refused() {
        check(&[], None);
        check(&[0; 8], None);
        check(&[0x30, 6, 2, 1, 1, 2, 1, 2, 0], None);
        check(&[0x30, 10, 2, 5, 1, 1, 1, 1, 1, 2, 1, 2], None);
        check(&[0x30, 6, 2, 1, 0xff, 2, 1, 2], None);
    }
}

//! Writing DER values. Every function returns one complete value: tag, length, content.

use const_oid::ObjectIdentifier;
use tenkoku_domain::time::{Civil, Timestamp};

use super::tag;

/// The first second of 2050, from which dates are GeneralizedTime (RFC 5280, 4.1.2.5).
const YEAR_2050: Timestamp = Timestamp::from_seconds(2_524_608_000);

/// One value with the given identifier octet.
pub(crate) fn tlv(identifier: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 6);
    push_tlv(&mut out, identifier, content);
    out
}

/// Appends one value.
pub(crate) fn push_tlv(out: &mut Vec<u8>, identifier: u8, content: &[u8]) {
    push_header(out, identifier, content.len());
    out.extend_from_slice(content);
}

/// Appends the beginning of a value whose content of `length` octets follows.
pub(crate) fn push_header(out: &mut Vec<u8>, identifier: u8, length: usize) {
    out.push(identifier);
    push_length(out, length);
}

/// Definite length in the fewest octets (X.690, 10.1).
fn push_length(out: &mut Vec<u8>, length: usize) {
    if let Ok(short @ 0..=0x7F) = u8::try_from(length) {
        out.push(short);
        return;
    }
    let octets = length.to_be_bytes();
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let octets = octets.get(zeros..).unwrap_or_default();
    out.push(0x80 | u8::try_from(octets.len()).unwrap_or(0x7F));
    out.extend_from_slice(octets);
}

/// A SEQUENCE of values already encoded.
pub(crate) fn sequence<T: AsRef<[u8]>>(parts: &[T]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.as_ref().len()).sum();
    let mut out = Vec::with_capacity(length + 6);
    push_header(&mut out, tag::SEQUENCE, length);
    for part in parts {
        out.extend_from_slice(part.as_ref());
    }
    out
}

/// A SET of one value, so that no order is needed.
pub(crate) fn set_of_one(value: &[u8]) -> Vec<u8> {
    tlv(tag::SET, value)
}

/// `[n] EXPLICIT`, or `[n] IMPLICIT` around the content of a constructed value.
pub(crate) fn context(n: u8, content: &[u8]) -> Vec<u8> {
    tlv(tag::context(n), content)
}

/// Values one after the other.
pub(crate) fn concat<T: AsRef<[u8]>>(parts: &[T]) -> Vec<u8> {
    let mut out = Vec::with_capacity(parts.iter().map(|part| part.as_ref().len()).sum());
    for part in parts {
        out.extend_from_slice(part.as_ref());
    }
    out
}

/// An object identifier.
pub(crate) fn oid(oid: &ObjectIdentifier) -> Vec<u8> {
    tlv(tag::OID, oid.as_bytes())
}

/// A non-negative INTEGER from its magnitude, big-endian.
pub(crate) fn unsigned(magnitude: &[u8]) -> Vec<u8> {
    let mut content: Vec<u8> = magnitude.iter().copied().skip_while(|b| *b == 0).collect();
    if content.first().is_none_or(|b| *b >= 0x80) {
        content.insert(0, 0);
    }
    tlv(tag::INTEGER, &content)
}

/// An OCTET STRING.
pub(crate) fn octets(content: &[u8]) -> Vec<u8> {
    tlv(tag::OCTET_STRING, content)
}

/// A BIT STRING of whole octets.
pub(crate) fn bits(content: &[u8]) -> Vec<u8> {
    tlv(tag::BIT_STRING, &[&[0], content].concat())
}

/// NULL.
pub(crate) fn null() -> Vec<u8> {
    tlv(tag::NULL, &[])
}

/// A UTF8String.
pub(crate) fn utf8(text: &str) -> Vec<u8> {
    tlv(tag::UTF8_STRING, text.as_bytes())
}

/// A PrintableString; the caller's type has checked the characters.
pub(crate) fn printable(text: &str) -> Vec<u8> {
    tlv(tag::PRINTABLE_STRING, text.as_bytes())
}

/// An IA5String; the caller's type has checked the characters.
pub(crate) fn ia5(text: &str) -> Vec<u8> {
    tlv(tag::IA5_STRING, text.as_bytes())
}

/// Time of a certificate or CRL: UTCTime through 2049, GeneralizedTime after (RFC 5280, 4.1.2.5).
pub(crate) fn time(at: Timestamp) -> Vec<u8> {
    if at < YEAR_2050 { dated(tag::UTC_TIME, at, 2) } else { generalized_time(at) }
}

/// GeneralizedTime in whole seconds, without a fraction (RFC 5280, 4.1.2.5.2).
pub(crate) fn generalized_time(at: Timestamp) -> Vec<u8> {
    dated(tag::GENERALIZED_TIME, at, 4)
}

/// A time with the last so many digits of its year. An OCSP answer holds up to five, so no general
/// formatting here.
fn dated(identifier: u8, at: Timestamp, year_digits: u32) -> Vec<u8> {
    let Civil { year, month, day, hour, minute, second, .. } = at.civil();
    let parts = [(month, 2), (day, 2), (hour, 2), (minute, 2), (second, 2)];
    let mut text = Vec::with_capacity(15);
    for (value, digits) in std::iter::once((year, year_digits)).chain(parts) {
        for place in (0..digits).rev() {
            let digit = value / 10_i64.pow(place) % 10;
            text.push(b'0' + u8::try_from(digit).unwrap_or_default());
        }
    }
    text.push(b'Z');
    tlv(identifier, &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &[u8], expected: &str) {
        assert_eq!(hex::encode(value), expected);
    }

    #[test]
    fn lengths_take_the_fewest_octets() {
        check(tlv(4, &[0; 127]).get(..2).unwrap(), "047f");
        check(tlv(4, &[0; 128]).get(..3).unwrap(), "048180");
        check(tlv(4, &[0; 256]).get(..4).unwrap(), "04820100");
    }

    #[test]
    fn integers_are_minimal_and_positive() {
        check(&unsigned(&[]), "020100");
        check(&unsigned(&[0, 0, 1]), "020101");
        check(&unsigned(&[0x80]), "02020080");
    }

    #[test]
    fn dates_change_their_type_in_2050() {
        let last = Timestamp::parse("2049-12-31T23:59:59Z").unwrap();
        check(&time(last), "170d3439313233313233353935395a");
        check(&time(last.plus_seconds(1)), "180f32303530303130313030303030305a");
    }
}

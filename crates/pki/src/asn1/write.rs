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

/// Appends a value whose content `fill` appends: values within values, in one buffer.
pub(crate) fn nest(out: &mut Vec<u8>, identifier: u8, fill: impl FnOnce(&mut Vec<u8>)) {
    out.push(identifier);
    let start = out.len();
    fill(out);
    let mut length = Vec::with_capacity(9);
    push_length(&mut length, out.len() - start);
    out.splice(start..start, length);
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
fn dated(identifier: u8, at: Timestamp, year_digits: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(17);
    push_dated(&mut out, identifier, at, year_digits);
    out
}

/// Appends a GeneralizedTime.
pub(crate) fn push_generalized_time(out: &mut Vec<u8>, at: Timestamp) {
    push_dated(out, tag::GENERALIZED_TIME, at, 4);
}

fn push_dated(out: &mut Vec<u8>, identifier: u8, at: Timestamp, year_digits: usize) {
    let Civil { year, month, day, hour, minute, second, .. } = at.civil();
    push_header(out, identifier, year_digits + 11);
    let year = [year / 100, year % 100];
    let year = year.get(2 - year_digits / 2..).unwrap_or_default();
    for value in year.iter().copied().chain([month, day, hour, minute, second]) {
        let value = u8::try_from(value).unwrap_or_default();
        out.extend_from_slice(&[b'0' + value / 10, b'0' + value % 10]);
    }
    out.push(b'Z');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_nest_in_one_buffer() {
        for length in [0, 127, 128, 300, 70_000] {
            let content = vec![7; length];
            let mut out = vec![1];
            nest(&mut out, tag::SEQUENCE, |out| {
                nest(out, tag::OCTET_STRING, |out| out.extend_from_slice(&content));
                out.push(9);
            });
            let expected = sequence(&[octets(&content), vec![9]]);
            assert_eq!(out.split_at(1), ([1].as_slice(), expected.as_slice()), "{length}");
        }
    }

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

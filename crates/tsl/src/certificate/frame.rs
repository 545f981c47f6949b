//! Where the parts of a certificate lie (RFC 5280, 4.1).
//!
//! A walk over tags and lengths that takes lengths of any definite form, because listed certificates
//! have them. Deliberately not here: what the parts say.

use std::ops::Range;

const SEQUENCE: u8 = 0x30;
const OCTETS: u8 = 0x04;
const BITS: u8 = 0x03;
const OBJECT: u8 = 0x06;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;

/// The places of what is looked at; names and key with their tag, the others without.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) issuer: Range<usize>,
    pub(super) validity: Range<usize>,
    pub(super) subject: Range<usize>,
    pub(super) key: Range<usize>,
    pub(super) key_bits: Range<usize>,
    /// The content of the `SEQUENCE OF Extension`.
    pub(super) extensions: Option<Range<usize>>,
}

/// One value: its tag, where it begins, where its content lies.
struct Value {
    tag: u8,
    whole: Range<usize>,
    content: Range<usize>,
}

/// Reads the value that begins at `at` and ends at or before `end`.
fn value(bytes: &[u8], at: usize, end: usize) -> Option<Value> {
    let tag = *bytes.get(at)?;
    let first = usize::from(*bytes.get(at.checked_add(1)?)?);
    let (length, start) = if first < 0x80 {
        (first, at.checked_add(2)?)
    } else {
        let count = first & 0x7f;
        if !(1..=4).contains(&count) {
            return None;
        }
        let start = at.checked_add(2)?.checked_add(count)?;
        let digits = bytes.get(at.checked_add(2)?..start)?;
        (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), start)
    };
    let stop = start.checked_add(length)?;
    (stop <= end && stop <= bytes.len()).then_some(Value {
        tag,
        whole: at..stop,
        content: start..stop,
    })
}

/// Reads a value of this tag.
fn tagged(bytes: &[u8], at: usize, end: usize, tag: u8) -> Option<Value> {
    value(bytes, at, end).filter(|value| value.tag == tag)
}

impl Frame {
    /// The frame of exactly one certificate.
    pub(super) fn of(der: &[u8]) -> Option<Self> {
        let certificate = tagged(der, 0, der.len(), SEQUENCE)?;
        if certificate.whole.end != der.len() {
            return None;
        }
        let body = tagged(der, certificate.content.start, certificate.content.end, SEQUENCE)?;
        let end = body.content.end;
        // Algorithm and signature follow the body; without them it is no certificate.
        let algorithm = tagged(der, end, certificate.content.end, SEQUENCE)?;
        tagged(der, algorithm.whole.end, certificate.content.end, BITS)?;
        let first = value(der, body.content.start, end)?;
        let serial = if first.tag == VERSION { value(der, first.whole.end, end)? } else { first };
        let algorithm = tagged(der, serial.whole.end, end, SEQUENCE)?;
        let issuer = tagged(der, algorithm.whole.end, end, SEQUENCE)?;
        let validity = tagged(der, issuer.whole.end, end, SEQUENCE)?;
        let subject = tagged(der, validity.whole.end, end, SEQUENCE)?;
        let key = tagged(der, subject.whole.end, end, SEQUENCE)?;
        let kind = tagged(der, key.content.start, key.content.end, SEQUENCE)?;
        let bits = tagged(der, kind.whole.end, key.content.end, BITS)?;
        let mut at = key.whole.end;
        let mut extensions = None;
        while at < end {
            let part = value(der, at, end)?;
            if part.tag == EXTENSIONS {
                let list = tagged(der, part.content.start, part.content.end, SEQUENCE)?;
                extensions = Some(list.content);
            }
            at = part.whole.end;
        }
        Some(Self {
            issuer: issuer.whole,
            validity: validity.whole,
            subject: subject.whole,
            key: key.whole,
            // The first byte of a BIT STRING counts unused bits; a key has none.
            key_bits: bits.content.start.checked_add(1)?.min(bits.content.end)..bits.content.end,
            extensions,
        })
    }
}

/// The value of the extension with this object identifier.
pub(super) fn extension<'b>(extensions: &'b [u8], oid: &[u8]) -> Option<&'b [u8]> {
    let mut at = 0;
    while at < extensions.len() {
        let entry = tagged(extensions, at, extensions.len(), SEQUENCE)?;
        let name = tagged(extensions, entry.content.start, entry.content.end, OBJECT)?;
        let mut next = value(extensions, name.whole.end, entry.content.end)?;
        if next.tag != OCTETS {
            // `critical` comes first.
            next = value(extensions, next.whole.end, entry.content.end)?;
        }
        if next.tag == OCTETS && extensions.get(name.content)? == oid {
            return extensions.get(next.content);
        }
        at = entry.whole.end;
    }
    None
}

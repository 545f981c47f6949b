//! Reading DER, strictly and without copying: definite, shortest lengths, low tags, nothing left
//! over. What a value means is the caller's matter.

use const_oid::ObjectIdentifier;
use tenkoku_domain::time::{Civil, Timestamp};

use super::tag;

/// Why octets are not the DER that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DerError {
    /// The octets end inside a value.
    #[error("the data ends in the middle of a value")]
    Truncated,
    /// A length that is indefinite, too large, or not written in the fewest octets.
    #[error("a length is not written as DER demands")]
    Length,
    /// Another type than expected.
    #[error("a value of type 0x{found:02X} stands where type 0x{expected:02X} belongs")]
    Tag {
        /// The identifier octet that belongs here.
        expected: u8,
        /// The identifier octet that is there.
        found: u8,
    },
    /// Octets after the end.
    #[error("there is data after the end")]
    Trailing,
    /// A value of the right type with content that is not allowed.
    #[error("{0}")]
    Value(&'static str),
}

/// One value: its identifier octet, its content, and all its octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    pub(crate) whole: &'a [u8],
}

/// Reads one value after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads from the start of `input`.
    pub(crate) const fn new(input: &'a [u8]) -> Self {
        Self { rest: input }
    }

    /// Whether everything was read.
    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Refuses octets that were not read.
    pub(crate) const fn finish(self) -> Result<(), DerError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DerError::Trailing) }
    }

    /// The next value, whatever it is.
    pub(crate) fn any(&mut self) -> Result<Element<'a>, DerError> {
        let (&tag, after_tag) = self.rest.split_first().ok_or(DerError::Truncated)?;
        if tag & 0x1F == 0x1F {
            return Err(DerError::Value("a tag above 30 is not known here"));
        }
        let (length, after_length) = split_length(after_tag)?;
        let header = self.rest.len() - after_length.len();
        let content = after_length.get(..length).ok_or(DerError::Truncated)?;
        let (whole, rest) =
            self.rest.split_at_checked(header + length).ok_or(DerError::Truncated)?;
        self.rest = rest;
        Ok(Element { tag, content, whole })
    }

    /// The next value, which must be of this type.
    pub(crate) fn element(&mut self, expected: u8) -> Result<Element<'a>, DerError> {
        let element = self.any()?;
        if element.tag == expected {
            Ok(element)
        } else {
            Err(DerError::Tag { expected, found: element.tag })
        }
    }

    /// The content of the next value, which must be of this type.
    pub(crate) fn content(&mut self, expected: u8) -> Result<&'a [u8], DerError> {
        Ok(self.element(expected)?.content)
    }

    /// A reader of the content of the next value, which must be of this type.
    pub(crate) fn enter(&mut self, expected: u8) -> Result<Reader<'a>, DerError> {
        Ok(Reader::new(self.content(expected)?))
    }

    /// A reader of the content of the next value if it is of this type.
    pub(crate) fn enter_optional(&mut self, expected: u8) -> Result<Option<Reader<'a>>, DerError> {
        if self.next_is(expected) { self.enter(expected).map(Some) } else { Ok(None) }
    }

    /// The identifier octet of the next value.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Whether the next value is of this type.
    pub(crate) fn next_is(&self, expected: u8) -> bool {
        self.peek() == Some(expected)
    }

    /// An object identifier.
    pub(crate) fn oid(&mut self) -> Result<ObjectIdentifier, DerError> {
        let content = self.content(tag::OID)?;
        ObjectIdentifier::from_bytes(content)
            .map_err(|_| DerError::Value("an object identifier cannot be decoded"))
    }

    /// The content of an INTEGER, in the fewest octets.
    pub(crate) fn integer(&mut self) -> Result<&'a [u8], DerError> {
        minimal(self.content(tag::INTEGER)?)
    }

    /// The magnitude of an INTEGER that is not negative, without leading zero.
    pub(crate) fn unsigned(&mut self) -> Result<&'a [u8], DerError> {
        match self.integer()? {
            [0x80..=0xFF, ..] | [] => Err(DerError::Value("a number is negative")),
            [0, magnitude @ ..] | magnitude => Ok(magnitude),
        }
    }

    /// A BOOLEAN that DER writes only where it is true, the default being false.
    pub(crate) fn default_false(&mut self) -> Result<bool, DerError> {
        if !self.next_is(tag::BOOLEAN) {
            return Ok(false);
        }
        match self.content(tag::BOOLEAN)? {
            [0xFF] => Ok(true),
            _ => Err(DerError::Value("a BOOLEAN is not written as DER demands")),
        }
    }

    /// A BIT STRING of whole octets.
    pub(crate) fn whole_bits(&mut self) -> Result<&'a [u8], DerError> {
        match self.content(tag::BIT_STRING)?.split_first() {
            Some((0, bits)) => Ok(bits),
            Some(_) | None => Err(DerError::Value("a BIT STRING does not hold whole octets")),
        }
    }

    /// A GeneralizedTime in whole seconds, UTC.
    pub(crate) fn generalized_time(&mut self) -> Result<Timestamp, DerError> {
        date(self.content(tag::GENERALIZED_TIME)?)
    }

    /// UTCTime or GeneralizedTime in whole seconds, UTC (RFC 5280, 4.1.2.5).
    pub(crate) fn time(&mut self) -> Result<Timestamp, DerError> {
        if !self.next_is(tag::UTC_TIME) {
            return self.generalized_time();
        }
        let digits = self.content(tag::UTC_TIME)?;
        let century: &[u8] = if digits.first() >= Some(&b'5') { b"19" } else { b"20" };
        let mut whole = [0; 15];
        let (first, rest) = whole.split_at_mut(2);
        first.copy_from_slice(century);
        let place = rest.get_mut(..digits.len()).ok_or(DerError::Length)?;
        place.copy_from_slice(digits);
        date(whole.get(..2 + digits.len()).ok_or(DerError::Length)?)
    }
}

/// Reads exactly one SEQUENCE that fills `input`, and enters it.
pub(crate) fn sequence(input: &[u8]) -> Result<Reader<'_>, DerError> {
    let mut outer = Reader::new(input);
    let inner = outer.enter(tag::SEQUENCE)?;
    outer.finish()?;
    Ok(inner)
}

/// Definite length, at most four octets, in the fewest octets (X.690, 10.1).
fn split_length(input: &[u8]) -> Result<(usize, &[u8]), DerError> {
    let (&first, rest) = input.split_first().ok_or(DerError::Truncated)?;
    if first < 0x80 {
        return Ok((usize::from(first), rest));
    }
    let count = usize::from(first & 0x7F);
    if count == 0 || count > 4 {
        return Err(DerError::Length);
    }
    let (octets, rest) = rest.split_at_checked(count).ok_or(DerError::Truncated)?;
    let length = octets.iter().fold(0_usize, |sum, b| (sum << 8) | usize::from(*b));
    let shortest = length >= 0x80 && octets.first() != Some(&0);
    if shortest { Ok((length, rest)) } else { Err(DerError::Length) }
}

/// Refuses an INTEGER that is empty or has a superfluous first octet (X.690, 8.3.2).
fn minimal(content: &[u8]) -> Result<&[u8], DerError> {
    match content {
        [] | [0, 0..=0x7F, ..] | [0xFF, 0x80..=0xFF, ..] => {
            Err(DerError::Value("a number is not written in the fewest octets"))
        }
        _ => Ok(content),
    }
}

/// `YYYYMMDDhhmmssZ`.
fn date(text: &[u8]) -> Result<Timestamp, DerError> {
    const WRONG: DerError = DerError::Value("a date is not written as YYYYMMDDhhmmssZ");
    let (digits, end) = text.split_at_checked(14).ok_or(WRONG)?;
    if end != b"Z" || !digits.iter().all(u8::is_ascii_digit) {
        return Err(WRONG);
    }
    let number = |from: usize, to: usize| {
        digits.get(from..to).unwrap_or(&[]).iter().fold(0, |n, d| n * 10 + i64::from(d - b'0'))
    };
    Timestamp::from_civil(Civil {
        year: number(0, 4),
        month: number(4, 6),
        day: number(6, 8),
        hour: number(8, 10),
        minute: number(10, 12),
        second: number(12, 14),
        millisecond: 0,
    })
    .ok_or(DerError::Value("a date does not exist"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &[u8], expected: Result<&[u8], DerError>) {
        let mut reader = Reader::new(input);
        let got = reader.any().and_then(|e| reader.finish().map(|()| e.content));
        assert_eq!(got, expected, "{}", hex::encode(input));
    }

    #[test]
    fn only_der_is_read() {
        check(&[4, 1, 7], Ok(&[7]));
        check(&[4, 2, 7], Err(DerError::Truncated));
        check(&[4], Err(DerError::Truncated));
        check(&[4, 0x81, 1, 7], Err(DerError::Length));
        check(&[4, 0x80, 0, 0], Err(DerError::Length));
        check(&[4, 0x85, 0, 0, 0, 0, 1, 7], Err(DerError::Length));
        check(&[4, 1, 7, 0], Err(DerError::Trailing));
        check(&[0x1F, 0x81, 0], Err(DerError::Value("a tag above 30 is not known here")));
    }

    #[test]
    fn numbers_are_minimal() {
        let unsigned = |input: &'static [u8]| Reader::new(input).unsigned();
        assert_eq!(unsigned(&[2, 1, 0]), Ok(&[][..]));
        assert_eq!(unsigned(&[2, 2, 0, 0x80]), Ok(&[0x80][..]));
        assert!(unsigned(&[2, 2, 0, 1]).is_err());
        assert!(unsigned(&[2, 1, 0x80]).is_err());
        assert!(unsigned(&[2, 0]).is_err());
    }

    #[test]
    fn times_without_seconds_or_with_a_fraction_are_refused() {
        let time = |tag: u8, text: &str| {
            let mut value = vec![tag, u8::try_from(text.len()).unwrap()];
            value.extend(text.bytes());
            Reader::new(&value).time().ok().map(|t| t.to_string())
        };
        assert_eq!(time(tag::UTC_TIME, "261122181000Z").as_deref(), Some("2026-11-22T18:10:00Z"));
        assert_eq!(time(tag::UTC_TIME, "991231235959Z").as_deref(), Some("1999-12-31T23:59:59Z"));
        assert_eq!(
            time(tag::GENERALIZED_TIME, "99991231235959Z").as_deref(),
            Some("9999-12-31T23:59:59Z")
        );
        assert_eq!(time(tag::UTC_TIME, "2611221810Z"), None);
        assert_eq!(time(tag::UTC_TIME, "261122181000+0900"), None);
        assert_eq!(time(tag::GENERALIZED_TIME, "20261122181000.5Z"), None);
        assert_eq!(time(tag::GENERALIZED_TIME, "20260230000000Z"), None);
    }
}

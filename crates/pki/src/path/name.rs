//! Distinguished names as RFC 5280, 7.1 compares them: by their text, whatever the string type,
//! without regard to case and to the amount of white space.
//!
//! Deliberately not here: the names of our own profiles, which [`crate::name`] writes and reads
//! octet by octet.

use const_oid::ObjectIdentifier;
use unicode_normalization::UnicodeNormalization as _;

use crate::asn1::read::{Element, Reader};
use crate::asn1::{DerError, tag};
use crate::oid;

const NUMERIC_STRING: u8 = 0x12;
const TELETEX_STRING: u8 = 0x14;
const VISIBLE_STRING: u8 = 0x1A;
const UNIVERSAL_STRING: u8 = 0x1C;

/// emailAddress of PKCS #9, which RFC 5280, 4.1.2.6 still knows.
const EMAIL_ADDRESS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.1");

/// A distinguished name made comparable: two names are equal exactly if RFC 5280, 7.1 says so.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DistinguishedName {
    parts: Vec<RelativeName>,
}

/// One relative distinguished name, its attributes in an order of their own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RelativeName(Vec<Attribute>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Attribute {
    kind: ObjectIdentifier,
    value: Value,
}

/// What is compared: the text if there is one, else the octets with their type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Value {
    Text(String),
    Octets(u8, Vec<u8>),
}

impl DistinguishedName {
    /// Reads a Name.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DerError> {
        let mut names = reader.enter(tag::SEQUENCE)?;
        let mut parts = Vec::new();
        while !names.is_empty() {
            parts.push(RelativeName::of_set(names.content(tag::SET)?)?);
        }
        Ok(Self { parts })
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Whether the name lies in the subtree below `base`, `base` itself included (4.2.1.10).
    pub(crate) fn is_within(&self, base: &Self) -> bool {
        self.parts.starts_with(&base.parts)
    }

    /// This name with one more part below it.
    pub(crate) fn below(&self, part: &RelativeName) -> Self {
        let parts = self.parts.iter().chain([part]).cloned().collect();
        Self { parts }
    }

    /// The texts of an attribute, made comparable.
    pub(crate) fn texts(&self, kind: ObjectIdentifier) -> Vec<String> {
        let all = self.parts.iter().flat_map(|part| &part.0);
        all.filter(|attribute| attribute.kind == kind)
            .filter_map(|attribute| match &attribute.value {
                Value::Text(text) => Some(text.clone()),
                Value::Octets(..) => None,
            })
            .collect()
    }

    /// The mail addresses among the attributes, as written but for the case (4.1.2.6).
    pub(crate) fn mail_addresses(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().flat_map(|part| &part.0).filter_map(|attribute| match &attribute.value {
            Value::Text(text) if attribute.kind == EMAIL_ADDRESS => Some(text.as_str()),
            Value::Text(_) | Value::Octets(..) => None,
        })
    }
}

impl RelativeName {
    /// Reads the content of a SET of attributes.
    pub(crate) fn of_set(content: &[u8]) -> Result<Self, DerError> {
        let mut attributes = Vec::new();
        each_attribute(content, |kind, value| {
            attributes.push(Attribute { kind, value: Value::of(&value) });
        })?;
        if attributes.is_empty() {
            return Err(DerError::Value("a part of a name is empty"));
        }
        attributes.sort();
        Ok(Self(attributes))
    }
}

impl Value {
    fn of(element: &Element<'_>) -> Self {
        match text(element) {
            Some(text) => Self::Text(prepared(&text)),
            None => Self::Octets(element.tag, element.content.to_vec()),
        }
    }
}

/// RFC 4518 in short: compatibility form, lower case, single spaces, none at the ends.
pub(super) fn prepared(text: &str) -> String {
    let folded = text.nfkc().collect::<String>().to_lowercase();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text of a string type, `None` for another type or for octets that are no such text.
fn text(element: &Element<'_>) -> Option<String> {
    let octets = element.content;
    match element.tag {
        tag::UTF8_STRING
        | tag::PRINTABLE_STRING
        | tag::IA5_STRING
        | NUMERIC_STRING
        | VISIBLE_STRING => String::from_utf8(octets.to_vec()).ok(),
        TELETEX_STRING => Some(octets.iter().copied().map(char::from).collect()),
        tag::BMP_STRING => {
            let units =
                exact(octets, 2)?.map(|pair| pair.iter().fold(0, |n, b| n << 8 | u32::from(*b)));
            let units: Option<Vec<u16>> = units.map(|unit| u16::try_from(unit).ok()).collect();
            String::from_utf16(&units?).ok()
        }
        UNIVERSAL_STRING => exact(octets, 4)?
            .map(|four| char::from_u32(four.iter().fold(0, |n, b| n << 8 | u32::from(*b))))
            .collect(),
        _ => None,
    }
}

fn exact(octets: &[u8], size: usize) -> Option<impl Iterator<Item = &[u8]>> {
    octets.len().is_multiple_of(size).then(|| octets.chunks(size))
}

/// Calls `take` with each AttributeTypeAndValue in the content of a SET.
fn each_attribute<'a>(
    content: &'a [u8],
    mut take: impl FnMut(ObjectIdentifier, Element<'a>),
) -> Result<(), DerError> {
    let mut set = Reader::new(content);
    while !set.is_empty() {
        let mut attribute = set.enter(tag::SEQUENCE)?;
        let kind = attribute.oid()?;
        take(kind, attribute.any()?);
        attribute.finish()?;
    }
    Ok(())
}

/// A Name for people, `CN=…, O=…, C=…`: the most particular part first.
pub(crate) fn line(name: &[u8]) -> String {
    let mut parts = Vec::new();
    if collect_line(name, &mut parts).is_err() || parts.is_empty() {
        return "-".to_owned();
    }
    parts.reverse();
    parts.join(", ")
}

fn collect_line(name: &[u8], parts: &mut Vec<String>) -> Result<(), DerError> {
    let mut names = Reader::new(name).enter(tag::SEQUENCE)?;
    while !names.is_empty() {
        each_attribute(names.content(tag::SET)?, |kind, value| {
            let shown = text(&value).unwrap_or_else(|| format!("#{}", hex::encode(value.whole)));
            let printable: String = shown.chars().filter(|c| !c.is_control()).collect();
            parts.push(format!("{}={printable}", short(&kind)));
        })?;
    }
    Ok(())
}

fn short(kind: &ObjectIdentifier) -> String {
    let known = [
        (oid::COMMON_NAME, "CN"),
        (oid::ORGANISATION, "O"),
        (oid::UNIT, "OU"),
        (oid::COUNTRY, "C"),
        (oid::STATE, "ST"),
        (oid::LOCALITY, "L"),
        (oid::SERIAL_NUMBER, "serialNumber"),
        (oid::ORGANISATION_IDENTIFIER, "organizationIdentifier"),
    ];
    let found = known.iter().find(|(known, _)| known == kind);
    found.map_or_else(|| kind.to_string(), |(_, name)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::write;

    fn name(parts: &[(u8, &[u8])]) -> DistinguishedName {
        let parts: Vec<_> = parts
            .iter()
            .map(|(tag, octets)| {
                let value = write::tlv(*tag, octets);
                let attribute = write::sequence(&[write::oid(&oid::COMMON_NAME), value]);
                write::set_of_one(&attribute)
            })
            .collect();
        DistinguishedName::read(&mut Reader::new(&write::sequence(&parts))).unwrap()
    }

    fn check(one: (u8, &[u8]), other: (u8, &[u8]), equal: bool) {
        assert_eq!(name(&[one]) == name(&[other]), equal, "{one:?} {other:?}");
    }

    #[test]
    fn names_are_compared_by_their_text_rfc_5280_7_1() {
        check((tag::PRINTABLE_STRING, b"Good CA"), (tag::UTF8_STRING, b"  gOOD \t ca "), true);
        check((tag::PRINTABLE_STRING, b"Good CA"), (tag::UTF8_STRING, b"GoodCA"), false);
        check((tag::BMP_STRING, b"\0A\0b"), (tag::UTF8_STRING, b"ab"), true);
        check((UNIVERSAL_STRING, b"\0\0\0A"), (tag::UTF8_STRING, b"a"), true);
        check((TELETEX_STRING, &[0xE9]), (tag::UTF8_STRING, "É".as_bytes()), true);
        // Wrong lengths and wrong UTF-8 are octets, equal only to themselves.
        check((tag::BMP_STRING, b"\0A\0"), (tag::BMP_STRING, b"\0a\0"), false);
        check((tag::UTF8_STRING, &[0xFF]), (TELETEX_STRING, &[0xFF]), false);
    }

    #[test]
    fn a_subtree_holds_its_base_and_what_is_below() {
        let [a, b]: [(u8, &[u8]); 2] = [(tag::UTF8_STRING, b"a"), (tag::UTF8_STRING, b"b")];
        assert!(name(&[a, b]).is_within(&name(&[a])));
        assert!(name(&[a]).is_within(&name(&[a])));
        assert!(name(&[a]).is_within(&name(&[])));
        assert!(!name(&[a]).is_within(&name(&[a, b])));
        assert!(!name(&[b, a]).is_within(&name(&[a])));
    }

    #[test]
    fn a_part_without_attributes_is_no_part() {
        assert!(RelativeName::of_set(&[]).is_err());
    }
}

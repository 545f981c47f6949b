//! The small print of XML 1.0: characters, names, attribute lists, line ends.
//!
//! quick-xml splits a document into tags and text but leaves these checks to its user.
//! Deliberately not here: namespaces.

use std::borrow::Cow;

use memchr::memchr;
use quick_xml::XmlVersion;
use quick_xml::escape::EscapeError;
use quick_xml::events::attributes::Attribute;
use quick_xml::name::QName;

use super::{MAX_ATTRIBUTES, Token, XmlError};

/// White space as XML knows it (XML 1.0, 2.3).
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

/// Refuses a character that XML forbids even as a reference (XML 1.0, 2.2).
pub(super) fn check_character(character: char) -> Result<(), XmlError> {
    match character {
        '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}' => Ok(()),
        _ => Err(XmlError::Character(u32::from(character))),
    }
}

pub(super) fn check_characters(text: &str) -> Result<(), XmlError> {
    // Of what a `str` can hold, XML forbids most control characters and U+FFFE and U+FFFF, whose
    // first byte is 0xEF. Only a text that may hold one is looked at character by character.
    let suspicious = |byte: u8| (byte < 0x20 && !is_space(byte)) || byte == 0xef;
    if text.bytes().fold(false, |found, byte| found | suspicious(byte)) {
        return text.chars().try_for_each(check_character);
    }
    Ok(())
}

/// Line ends become a line feed (XML 1.0, 2.11).
pub(super) fn normalise_line_ends(text: Cow<'_, str>) -> Cow<'_, str> {
    if memchr(b'\r', text.as_bytes()).is_some() {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        text
    }
}

/// Whether `name` is a name without a colon (Namespaces in XML 1.0, NCName).
pub(super) fn is_simple_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(starts_name) && characters.all(continues_name)
}

fn starts_name(character: char) -> bool {
    matches!(character,
        'A'..='Z' | 'a'..='z' | '_'
        | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}'
        | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}'
        | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

fn continues_name(character: char) -> bool {
    starts_name(character)
        || matches!(character,
            '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

/// Splits what follows a tag's name into names and normalised values (XML 1.0, 3.1 and 3.3.3).
pub(super) fn split_attributes(source: &str) -> Result<Vec<(&str, Cow<'_, str>)>, XmlError> {
    let mut attributes = Vec::new();
    let mut rest = source;
    loop {
        let trimmed = rest.trim_start_matches(space);
        if trimmed.is_empty() {
            return Ok(attributes);
        }
        if trimmed.len() == rest.len() {
            return Err(XmlError::Malformed("no space before an attribute"));
        }
        if attributes.len() >= MAX_ATTRIBUTES {
            return Err(XmlError::TooManyAttributes);
        }
        let (name, raw, after) =
            split_attribute(trimmed).ok_or(XmlError::Malformed("an incomplete attribute"))?;
        attributes.push((name, normalise_value(name, raw)?));
        rest = after;
    }
}

/// `name = "value" rest` as its three parts.
fn split_attribute(source: &str) -> Option<(&str, &str, &str)> {
    let (name, after) = source.split_once('=')?;
    let after = after.trim_start_matches(space);
    let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let (value, rest) = after.strip_prefix(quote)?.split_once(quote)?;
    Some((name.trim_end_matches(space), value, rest))
}

fn normalise_value<'a>(name: &'a str, raw: &'a str) -> Result<Cow<'a, str>, XmlError> {
    if raw.contains('<') {
        return Err(XmlError::Malformed("\"<\" in an attribute value"));
    }
    let attribute = Attribute { key: QName(name), value: Cow::Borrowed(raw) };
    let value = match attribute.normalized_value(XmlVersion::Explicit1_0) {
        Ok(value) => value,
        Err(quick_xml::Error::Escape(EscapeError::UnrecognizedEntity(_, entity))) => {
            return Err(XmlError::Entity(entity));
        }
        Err(error) => return Err(XmlError::Syntax(error)),
    };
    check_characters(&value)?;
    Ok(value)
}

/// A processing instruction's target and data (XML 1.0, 2.6).
pub(super) fn instruction(content: Cow<'_, str>) -> Result<Token<'_>, XmlError> {
    let (target, data) = match content.split_once(space) {
        Some((target, data)) => (target, data.trim_start_matches(space)),
        None => (&*content, ""),
    };
    if !is_simple_name(target) || target.eq_ignore_ascii_case("xml") {
        return Err(XmlError::Malformed("a processing instruction without a proper target"));
    }
    let data = normalise_line_ends(Cow::Borrowed(data)).into_owned();
    Ok(Token::Instruction { target: Cow::Owned(target.to_owned()), data: Cow::Owned(data) })
}

/// Accepts an XML declaration of version 1.0 in UTF-8 only; `content` begins with `xml`.
pub(super) fn check_declaration(content: &str) -> Result<(), XmlError> {
    let attributes = split_attributes(content.strip_prefix("xml").unwrap_or(content))?;
    let mut versions = 0;
    for (name, value) in &attributes {
        match (*name, &**value) {
            ("version", "1.0") => versions += 1,
            ("encoding", encoding) if encoding.eq_ignore_ascii_case("utf-8") => {}
            ("standalone", "yes" | "no") => {}
            _ => return Err(XmlError::Encoding),
        }
    }
    if versions == 1 { Ok(()) } else { Err(XmlError::Encoding) }
}

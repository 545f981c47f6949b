//! The simple values of which a list consists (TS 119 612, 5.1).
//!
//! Deliberately not here: where they stand.

use tenkoku_domain::time::Timestamp;

use super::super::Refusal;
use super::super::cursor::Cursor;
use crate::model::{Entry, Language, Multilingual, Names, Pages, Text, Uri};
use crate::ns;
use crate::xml::Element;

/// The name of an element of the list's own namespace; empty for any other.
pub(super) fn local<'a>(element: &Element<'a>) -> &'a str {
    local_in(element, ns::TSL)
}

/// The name of an element of this namespace; empty for any other.
pub(super) fn local_in<'a>(element: &Element<'a>, namespace: &str) -> &'a str {
    if &*element.name.namespace == namespace { element.name.local } else { "" }
}

pub(super) fn missing(what: &str) -> Refusal {
    Refusal::NotAList(format!("{what} is missing or unreadable"))
}

pub(super) fn unexpected(element: &Element) -> Refusal {
    Refusal::NotAList(format!("unexpected element {}", element.name.local))
}

/// Fills a place that may be filled once.
pub(super) fn once<T>(slot: &mut Option<T>, child: &Element, value: T) -> Result<(), Refusal> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Refusal::NotAList(format!("{} occurs twice", child.name.local))),
    }
}

/// Reads every child of the current element; all must have this name.
pub(super) fn each<'a, T>(
    cursor: &mut Cursor<'a>,
    name: &str,
    mut read: impl FnMut(&mut Cursor<'a>, &Element<'a>) -> Result<T, Refusal>,
) -> Result<Vec<T>, Refusal> {
    let mut values = Vec::new();
    while let Some(child) = cursor.child()? {
        if local(&child) != name {
            return Err(unexpected(&child));
        }
        values.push(read(cursor, &child)?);
    }
    Ok(values)
}

/// `xml:lang` of an element.
pub(super) fn language(element: &Element) -> Language {
    Language::as_found(element.language().unwrap_or_default())
}

pub(super) fn text(cursor: &mut Cursor) -> Result<Text, Refusal> {
    Ok(Text::as_found(cursor.text()?.into_owned()))
}

pub(super) fn uri(cursor: &mut Cursor) -> Result<Uri, Refusal> {
    Ok(Uri::as_found(cursor.text()?.into_owned()))
}

pub(super) fn text_entry(cursor: &mut Cursor, child: &Element) -> Result<Entry<Text>, Refusal> {
    Ok(Entry { language: language(child), value: text(cursor)? })
}

pub(super) fn uri_entry(cursor: &mut Cursor, child: &Element) -> Result<Entry<Uri>, Refusal> {
    Ok(Entry { language: language(child), value: uri(cursor)? })
}

/// The `Name`s of the current element.
pub(super) fn names(cursor: &mut Cursor) -> Result<Names, Refusal> {
    each(cursor, "Name", text_entry).map(Multilingual::as_found)
}

/// The `URI`s of the current element.
pub(super) fn pages(cursor: &mut Cursor) -> Result<Pages, Refusal> {
    each(cursor, "URI", uri_entry).map(Multilingual::as_found)
}

/// The current element as an instant: `YYYY-MM-DDThh:mm:ssZ`, and, because lists have it, with a
/// fraction or an offset (XML Schema, dateTime). Lists know whole seconds; a fraction is cut off.
pub(super) fn instant(cursor: &mut Cursor, name: &str) -> Result<Timestamp, Refusal> {
    let text = cursor.text()?;
    parse_instant(&text).map(Timestamp::floor).ok_or_else(|| missing(name))
}

fn parse_instant(text: &str) -> Option<Timestamp> {
    if let Some(plain) = Timestamp::parse(text) {
        return Some(plain);
    }
    let (clock, offset) = match text.strip_suffix('Z') {
        Some(clock) => (clock, 0),
        None => offset(text)?,
    };
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let millis: String = fraction.chars().chain("000".chars()).take(3).collect();
    let local = Timestamp::parse(&format!("{whole}.{millis}Z"))?;
    Some(local.plus_seconds(-offset))
}

/// Splits `…+02:00` into the clock and the seconds that it is ahead of UTC.
fn offset(text: &str) -> Option<(&str, i64)> {
    let (clock, zone) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let (sign, zone) = zone.split_at_checked(1)?;
    let (hours, minutes) = zone.split_once(':')?;
    let number = |digits: &str, limit: i64| {
        let plain = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
        plain.then(|| digits.parse::<i64>().ok()).flatten().filter(|value| *value <= limit)
    };
    let seconds = number(hours, 14)? * 3600 + number(minutes, 59)? * 60;
    match sign {
        "+" => Some((clock, seconds)),
        "-" => Some((clock, -seconds)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        let found = parse_instant(text).map(Timestamp::to_rfc3339_millis);
        assert_eq!(found.as_deref(), expected, "{text}");
    }

    #[test]
    fn instants_are_read_in_every_form_that_lists_have() {
        check("2026-11-20T00:00:05Z", Some("2026-11-20T00:00:05.000Z"));
        check("2019-12-31T11:30:00.12Z", Some("2019-12-31T11:30:00.120Z"));
        check("2022-05-31T16:55:14.123456Z", Some("2022-05-31T16:55:14.123Z"));
        check("2022-06-01T01:30:00.000+02:00", Some("2022-05-31T23:30:00.000Z"));
        check("2022-05-31T20:00:00-05:30", Some("2022-06-01T01:30:00.000Z"));
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in [
            "",
            "2026-11-20",
            "2026-11-20T00:00:05",
            "2026-02-30T00:00:00Z",
            "2026-11-20T00:00:05.Z",
            "2026-11-20T00:00:05+0200",
            "2026-11-20T00:00:05+15:00",
            "2026-11-20T00:00:05é02:00",
        ] {
            check(text, None);
        }
    }
}

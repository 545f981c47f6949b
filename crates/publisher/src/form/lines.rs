//! Values as lines: `en: Example`, `en: Street | Town | State | Code | JP`, PEM.

use std::fmt::Display;

use tenkoku_pki::pem;
use tenkoku_tsl::certificate::Certificate;
use tenkoku_tsl::model::{
    Address, Country, Entry, Language, ModelError, Multilingual, Names, Pages, PostalAddress,
    Recognition, RegistrationIdentifier, Territory, Text, TradeNames, Uri,
};
use tenkoku_tsl::rules::Rule;
use tenkoku_tsl::verify::read_recognition;

use super::{Mistake, Read};

const CERTIFICATE: &str = "CERTIFICATE";

#[expect(clippy::needless_pass_by_value, reason = "this is what map_err hands over")]
pub(super) fn of(error: ModelError) -> Mistake {
    Rule::of(&error)
}

/// A line that is not written as it must be.
pub(super) fn form(line: &str, wanted: &str) -> Mistake {
    (Rule::LineForm, vec![line.trim().to_owned(), wanted.to_owned()])
}

fn filled(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// Exactly one line.
pub(super) fn one(text: &str) -> Read<&str> {
    let mut lines = filled(text);
    match (lines.next(), lines.next()) {
        (Some(line), None) => Ok(line),
        (Some(_), Some(more)) => Err(form(more, "one line")),
        (None, _) => Err((Rule::Missing, Vec::new())),
    }
}

pub(super) fn text(value: &str) -> Read<Text> {
    Text::new(value).map_err(of)
}

pub(super) fn uri(value: &str) -> Read<Uri> {
    Uri::new(one(value)?).map_err(of)
}

pub(super) fn uris(value: &str) -> Read<Vec<Uri>> {
    filled(value).map(|line| Uri::new(line).map_err(of)).collect()
}

pub(super) fn territory(value: &str) -> Read<Territory> {
    Territory::new(one(value)?).map_err(of)
}

/// One element as XML: what two schemes agreed on, which no form describes.
pub(super) fn agreement(value: &str) -> Read<Recognition> {
    read_recognition(value.as_bytes()).map_err(|_| {
        let first = value.lines().next().unwrap_or_default();
        form(first, "<mra:MutualRecognitionAgreementInformation>…")
    })
}

/// `en: Example`.
pub(super) fn entry<T>(line: &str, read: impl Fn(&str) -> Result<T, ModelError>) -> Read<Entry<T>> {
    let (language, value) = line.split_once(':').ok_or_else(|| form(line, "en: …"))?;
    let language = Language::new(language.trim()).map_err(of)?;
    Ok(Entry { language, value: read(value.trim()).map_err(of)? })
}

fn multilingual<T>(
    text: &str,
    read: impl Fn(&str) -> Result<T, ModelError>,
) -> Read<Multilingual<T>> {
    let entries = filled(text).map(|line| entry(line, &read)).collect::<Result<_, _>>()?;
    Multilingual::new(entries).map_err(of)
}

pub(super) fn names(text: &str) -> Read<Names> {
    multilingual(text, Text::new)
}

pub(super) fn pages(text: &str) -> Read<Pages> {
    multilingual(text, Uri::new)
}

/// The registration identifier first, then names with their languages.
pub(super) fn trade_names(text: &str) -> Read<TradeNames> {
    let mut lines = filled(text);
    let first = lines.next().ok_or((Rule::Missing, Vec::new()))?;
    let registration = RegistrationIdentifier::new(first).map_err(of)?;
    let further = lines.map(|line| entry(line, Text::new)).collect::<Result<_, _>>()?;
    Ok(TradeNames::new(&registration, further))
}

/// `en: Street | Town | State | Code | JP`; state and code may be empty.
pub(super) fn postal(text: &str) -> Read<Vec<PostalAddress>> {
    filled(text)
        .map(|line| {
            let wrong = || form(line, "en: STREET | TOWN | STATE | CODE | COUNTRY");
            let (language, rest) = line.split_once(':').ok_or_else(wrong)?;
            let parts: Vec<&str> = rest.split('|').map(str::trim).collect();
            let [street, locality, state, code, country] = parts.as_slice() else {
                return Err(wrong());
            };
            let given = |part: &str| {
                Some(part).filter(|part| !part.is_empty()).map(Text::new).transpose().map_err(of)
            };
            Ok(PostalAddress {
                language: Language::new(language.trim()).map_err(of)?,
                street: Text::new(street).map_err(of)?,
                locality: Text::new(locality).map_err(of)?,
                state_or_province: given(state)?,
                postal_code: given(code)?,
                country: Country::new(country).map_err(of)?,
            })
        })
        .collect()
}

/// Any number of PEM blocks.
pub(super) fn certificates(text: &str) -> Read<Vec<Certificate>> {
    let wrong = || (Rule::CertificateUnreadable, Vec::new());
    let blocks = pem::decode_several(text, &[CERTIFICATE]).map_err(|_| wrong())?;
    blocks.iter().map(|der| Certificate::from_der(der).map_err(|_| wrong())).collect()
}

/// One value to a line.
pub(super) fn each<T: Display>(values: impl Iterator<Item = T>) -> String {
    values.map(|value| value.to_string()).collect::<Vec<_>>().join("\n")
}

pub(super) fn show_entries<'e, T: Display + 'e>(
    entries: impl IntoIterator<Item = &'e Entry<T>>,
) -> String {
    each(entries.into_iter().map(|entry| format!("{}: {}", entry.language, entry.value)))
}

pub(super) fn show_postal(address: &Address) -> String {
    each(address.postal().iter().map(|postal| {
        let part = |part: &Option<Text>| part.as_ref().map(ToString::to_string).unwrap_or_default();
        format!(
            "{}: {} | {} | {} | {} | {}",
            postal.language,
            postal.street,
            postal.locality,
            part(&postal.state_or_province),
            part(&postal.postal_code),
            postal.country.as_str()
        )
    }))
}

pub(super) fn show_certificates<'c>(certificates: impl Iterator<Item = &'c Certificate>) -> String {
    certificates.map(|one| pem::encode(CERTIFICATE, one.der())).collect()
}

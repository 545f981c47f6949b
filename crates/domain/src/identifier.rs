//! organizationIdentifier (OID 2.5.4.97) and its check digits (DOMAIN 4, EN 319 412-1, 5.1.4).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::refusal::{Refusal, RefusalCode};

/// Kind of an organisation's identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentifierType {
    /// National register; in Japan the corporate number.
    Ntr,
    /// Tax number.
    Vat,
    /// Legal entity identifier (ISO 17442).
    Lei,
    /// Payment authorisation number.
    Psd,
    /// Government body.
    Gov,
    /// International organisation.
    Int,
    /// A national scheme registered by the operator: two letters and a colon.
    National([u8; 2]),
}

/// An organisation's identifier as it stands in certificates: `NTRJP-5010401067252`.
///
/// A value of this type has been checked: syntax, country and, where there is one, check digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrganizationIdentifier {
    kind: IdentifierType,
    country: [u8; 2],
    text: String,
}

impl OrganizationIdentifier {
    /// Reads and checks an identifier.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let (kind, rest) = split_type(text).ok_or_else(|| refused(text, "syntax"))?;
        let country = country(rest).ok_or_else(|| refused(text, "country"))?;
        let reference = match rest.get(2..) {
            Some("") => None,
            Some(tail) => Some(tail.strip_prefix('-').ok_or_else(|| refused(text, "syntax"))?),
            None => return Err(refused(text, "syntax")),
        };
        check_reference(kind, country, reference).map_err(|problem| refused(text, problem))?;
        Ok(Self { kind, country, text: text.to_owned() })
    }

    /// The identifier of a Japanese corporate number of 13 digits.
    pub fn of_corporate_number(number: &str) -> Result<Self, Refusal> {
        Self::parse(&format!("NTRJP-{number}"))
    }

    /// The kind.
    pub const fn kind(&self) -> IdentifierType {
        self.kind
    }

    /// The two-letter country; `XG` for LEI and international organisations.
    pub fn country(&self) -> String {
        self.country.iter().map(|b| char::from(*b)).collect()
    }

    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What follows the first hyphen; empty for government and international bodies.
    pub fn reference(&self) -> &str {
        self.text.split_once('-').map_or("", |(_, reference)| reference)
    }

    /// The legal entity identifier that it is, where it is one.
    pub fn lei(&self) -> Option<Lei> {
        match self.kind {
            IdentifierType::Lei => Lei::parse(self.reference()).ok(),
            IdentifierType::Ntr
            | IdentifierType::Vat
            | IdentifierType::Psd
            | IdentifierType::Gov
            | IdentifierType::Int
            | IdentifierType::National(_) => None,
        }
    }

    /// Whether the subject must carry the legal-person semantics statement (DOMAIN 12.6).
    pub const fn has_semantics(&self) -> bool {
        match self.kind {
            IdentifierType::Ntr
            | IdentifierType::Vat
            | IdentifierType::Lei
            | IdentifierType::Psd
            | IdentifierType::National(_) => true,
            IdentifierType::Gov | IdentifierType::Int => false,
        }
    }

    /// ID-1: the country equals the subject's countryName, except for LEI and INT.
    pub fn check_country(&self, subject: &str) -> Result<(), Refusal> {
        let free = matches!(self.kind, IdentifierType::Lei | IdentifierType::Int);
        let own = self.country();
        let same =
            own == subject || (own == "EL" && subject == "GR") || (own == "XI" && subject == "GB");
        if free || same {
            return Ok(());
        }
        Err(Refusal::new(RefusalCode::IdentifierMismatch, "ID-1")
            .with("identifier", &self.text)
            .with("country", subject))
    }
}

/// A legal entity identifier (ISO 17442): 20 characters with its check digits right (DOMAIN 4.3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Lei(String);

impl Lei {
    /// Reads and checks the 20 characters.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        check_lei(text).map_err(|problem| refused(text, problem))?;
        Ok(Self(text.to_owned()))
    }

    /// The 20 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Lei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Lei {
    type Error = Refusal;
    fn try_from(text: String) -> Result<Self, Refusal> {
        Self::parse(&text)
    }
}

impl From<Lei> for String {
    fn from(lei: Lei) -> String {
        lei.0
    }
}

fn refused(text: &str, problem: &str) -> Refusal {
    Refusal::new(RefusalCode::IdentifierInvalid, "4.1")
        .with("identifier", text)
        .with("problem", problem)
}

fn split_type(text: &str) -> Option<(IdentifierType, &str)> {
    let bytes = text.as_bytes();
    if bytes.get(2) == Some(&b':') {
        let letters: [u8; 2] = bytes.get(..2)?.try_into().ok()?;
        let upper = letters.iter().all(u8::is_ascii_uppercase);
        return upper.then(|| Some((IdentifierType::National(letters), text.get(3..)?))).flatten();
    }
    let kind = match text.get(..3)? {
        "NTR" => IdentifierType::Ntr,
        "VAT" => IdentifierType::Vat,
        "LEI" => IdentifierType::Lei,
        "PSD" => IdentifierType::Psd,
        "GOV" => IdentifierType::Gov,
        "INT" => IdentifierType::Int,
        _ => return None,
    };
    Some((kind, text.get(3..)?))
}

fn country(rest: &str) -> Option<[u8; 2]> {
    let letters: [u8; 2] = rest.as_bytes().get(..2)?.try_into().ok()?;
    letters.iter().all(u8::is_ascii_uppercase).then_some(letters)
}

fn check_reference(
    kind: IdentifierType,
    country: [u8; 2],
    reference: Option<&str>,
) -> Result<(), &'static str> {
    let printable =
        |r: &str| !r.is_empty() && r.len() <= 50 && r.bytes().all(|b| b.is_ascii_graphic());
    match (kind, reference) {
        (IdentifierType::Gov | IdentifierType::Int, None) => Ok(()),
        (IdentifierType::Lei, Some(lei)) if country == *b"XG" => check_lei(lei),
        (IdentifierType::Lei, _) => Err("country"),
        (IdentifierType::Ntr, Some(number)) if country == *b"JP" => check_corporate_number(number),
        (
            IdentifierType::Ntr | IdentifierType::Vat | IdentifierType::National(_),
            Some(reference),
        ) if printable(reference) => Ok(()),
        (IdentifierType::Psd, Some(reference)) if printable(reference) => check_psd(reference),
        (
            IdentifierType::Ntr
            | IdentifierType::Vat
            | IdentifierType::Psd
            | IdentifierType::Gov
            | IdentifierType::Int
            | IdentifierType::National(_),
            _,
        ) => Err("reference"),
    }
}

/// TS 119 495, 5.2.1: the authority's code of two to eight capital letters, a hyphen, the number.
fn check_psd(reference: &str) -> Result<(), &'static str> {
    let (authority, number) = reference.split_once('-').ok_or("reference")?;
    let code =
        (2..=8).contains(&authority.len()) && authority.bytes().all(|b| b.is_ascii_uppercase());
    if code && !number.is_empty() { Ok(()) } else { Err("reference") }
}

/// A national scheme of identifiers that the operator registered: `TD:JP`, with what its references
/// look like (DOMAIN 4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NationalScheme {
    letters: [u8; 2],
    country: [u8; 2],
    mask: String,
}

impl NationalScheme {
    /// Reads `TD:JP` and the mask of its references, in which `9` stands for a digit, `A` for a
    /// capital letter, `X` for either, and anything else for itself. `None` where one is no such
    /// thing.
    pub fn parse(prefix: &str, mask: &str) -> Option<Self> {
        let (letters, country) = prefix.split_once(':')?;
        let two = |text: &str| -> Option<[u8; 2]> {
            let letters: [u8; 2] = text.as_bytes().try_into().ok()?;
            letters.iter().all(u8::is_ascii_uppercase).then_some(letters)
        };
        let plain =
            !mask.is_empty() && mask.len() <= 50 && mask.bytes().all(|b| b.is_ascii_graphic());
        let (letters, country) = (two(letters)?, two(country)?);
        plain.then(|| Self { letters, country, mask: mask.to_owned() })
    }

    fn fits(&self, reference: &str) -> bool {
        let fits = |(mask, given): (u8, u8)| match mask {
            b'9' => given.is_ascii_digit(),
            b'A' => given.is_ascii_uppercase(),
            b'X' => given.is_ascii_digit() || given.is_ascii_uppercase(),
            other => other == given,
        };
        reference.len() == self.mask.len() && self.mask.bytes().zip(reference.bytes()).all(fits)
    }
}

/// DOMAIN 4.1: an identifier of a national scheme is one that the operator registered, and looks
/// like one of it. Every other kind passes.
pub fn check_national(
    identifier: &OrganizationIdentifier,
    schemes: &[NationalScheme],
) -> Result<(), Refusal> {
    let IdentifierType::National(letters) = identifier.kind else { return Ok(()) };
    let scheme = schemes
        .iter()
        .find(|one| one.letters == letters && one.country == identifier.country)
        .ok_or_else(|| refused(identifier.as_str(), "type"))?;
    if scheme.fits(identifier.reference()) {
        return Ok(());
    }
    Err(refused(identifier.as_str(), "reference"))
}

/// DOMAIN 4.2: 13 digits, the first is `9 − (Σ digit × weight mod 9)`.
fn check_corporate_number(number: &str) -> Result<(), &'static str> {
    let digits: Vec<u32> = number.chars().filter_map(|c| c.to_digit(10)).collect();
    let Some((check, base)) = digits.split_first().filter(|_| number.len() == 13) else {
        return Err("length");
    };
    if base.len() != 12 {
        return Err("length");
    }
    let sum: u32 = base.iter().rev().zip([1, 2].into_iter().cycle()).map(|(d, w)| d * w).sum();
    if *check == 9 - sum % 9 { Ok(()) } else { Err("check-digit") }
}

/// DOMAIN 4.3: 18 letters or digits and two digits; as a decimal number it leaves 1 by 97.
fn check_lei(lei: &str) -> Result<(), &'static str> {
    let shape = lei.len() == 20
        && lei.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && lei.bytes().skip(18).all(|b| b.is_ascii_digit());
    if !shape {
        return Err("length");
    }
    let rest = lei.chars().filter_map(|c| c.to_digit(36)).fold(0, |rest: u32, value| {
        (if value < 10 { rest * 10 + value } else { rest * 100 + value }) % 97
    });
    if rest == 1 { Ok(()) } else { Err("check-digit") }
}

impl fmt::Display for OrganizationIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for OrganizationIdentifier {
    type Error = Refusal;
    fn try_from(text: String) -> Result<Self, Refusal> {
        Self::parse(&text)
    }
}

impl From<OrganizationIdentifier> for String {
    fn from(identifier: OrganizationIdentifier) -> String {
        identifier.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(), &str>) {
        let got = OrganizationIdentifier::parse(text);
        let got = got.as_ref().map(|_| ()).map_err(|refusal| refusal.facts["problem"].as_str());
        assert_eq!(got, expected, "{text}");
    }

    #[test]
    fn corporate_numbers_of_domain_22() {
        for number in [
            "7123456789012",
            "4011001098993",
            "7000012050002",
            "8000012010038",
            "5010401067252",
            "1180301018771",
        ] {
            check(&format!("NTRJP-{number}"), Ok(()));
        }
        check("NTRJP-0010401067252", Err("check-digit"));
        check("NTRJP-6010401067252", Err("check-digit"));
        check("NTRJP-501040106725", Err("length"));
        check("NTRJP-50104010672521", Err("length"));
        check("NTRJP-５０１０４０１０６７２５２", Err("length"));
    }

    #[test]
    fn legal_entity_identifiers_of_domain_22() {
        check("LEIXG-5299000J2N45DDNE4Y28", Ok(()));
        check("LEIXG-353800ABCDEFGHIJKL56", Ok(()));
        check("LEIXG-5299000J2N45DDNE4Y29", Err("check-digit"));
        let lei = OrganizationIdentifier::parse("LEIXG-5299000J2N45DDNE4Y28").unwrap().lei();
        assert_eq!(lei, Lei::parse("5299000J2N45DDNE4Y28").ok());
        assert!(Lei::parse("5299000J2N45DDNE4Y29").is_err());
        check("LEIXG-5299000j2N45DDNE4Y28", Err("length"));
        check("LEIJP-5299000J2N45DDNE4Y28", Err("country"));
    }

    #[test]
    fn the_other_kinds_follow_their_syntax() {
        check("VATDE-123456789", Ok(()));
        check("PSDGB-FCA-123456", Ok(()));
        check("GOVJP", Ok(()));
        check("INTXG", Ok(()));
        check("TD:JP-987654321", Ok(()));
        check("GOVJP-1", Err("reference"));
        check("VATDE", Err("reference"));
        check("XYZJP-1", Err("syntax"));
        check("NTR", Err("country"));
        check("td:JP-1", Err("syntax"));
    }

    #[test]
    fn payment_numbers_name_their_authority() {
        check("PSDPL-KNF-1234567890", Ok(()));
        for bad in ["PSDGB-123456", "PSDGB-F-1", "PSDGB-fca-1", "PSDGB-ABCDEFGHI-1", "PSDGB-FCA-"] {
            check(bad, Err("reference"));
        }
    }

    #[test]
    fn id_1_greece_and_northern_ireland_have_tax_numbers_of_their_own() {
        let of = |text: &str| OrganizationIdentifier::parse(text).unwrap();
        assert!(of("VATEL-123456789").check_country("GR").is_ok());
        assert!(of("VATXI-123456789").check_country("GB").is_ok());
        let refused = of("VATDE-123456789").check_country("GR").unwrap_err();
        assert_eq!(
            (refused.code, refused.rule.as_str()),
            (RefusalCode::IdentifierMismatch, "ID-1")
        );
    }

    #[test]
    fn national_schemes_are_those_that_the_operator_registered() {
        let schemes = [NationalScheme::parse("TD:JP", "999999999").unwrap()];
        let found = |text: &str| {
            let identifier = OrganizationIdentifier::parse(text).unwrap();
            check_national(&identifier, &schemes).err().map(|r| r.facts["problem"].clone())
        };
        assert_eq!(found("TD:JP-987654321"), None);
        assert_eq!(found("TD:JP-98765432").as_deref(), Some("reference"));
        assert_eq!(found("TD:JP-98765432A").as_deref(), Some("reference"));
        assert_eq!(found("TD:DE-987654321").as_deref(), Some("type"));
        assert_eq!(found("XX:JP-987654321").as_deref(), Some("type"));
        assert_eq!(found("NTRJP-5010401067252"), None);
        assert!(NationalScheme::parse("TD:JP", "AA-99X").unwrap().fits("BR-01Z"));
        for (prefix, mask) in [("T:JP", "9"), ("TD-JP", "9"), ("TD:JP", ""), ("td:JP", "9")] {
            assert!(NationalScheme::parse(prefix, mask).is_none(), "{prefix} {mask}");
        }
    }

    #[test]
    fn the_country_must_be_the_subject_s() {
        let identifier = OrganizationIdentifier::parse("NTRJP-5010401067252").unwrap();
        assert!(identifier.check_country("JP").is_ok());
        assert!(identifier.check_country("DE").is_err());
        let lei = OrganizationIdentifier::parse("LEIXG-5299000J2N45DDNE4Y28").unwrap();
        assert!(lei.check_country("JP").is_ok());
    }
}

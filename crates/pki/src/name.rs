//! Distinguished names: written in the grammar of DOMAIN 12.2 and 12.4, read from anybody.
//!
//! A name keeps its octets, so that an issuer's name is copied and compared byte for byte.

use std::fmt;

use const_oid::ObjectIdentifier;
use tenkoku_domain::authority::AuthorityName;
use tenkoku_domain::identifier::OrganizationIdentifier;
use tenkoku_domain::name::Name;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::subject::SealSubject;

use crate::asn1::read::{self, Reader};
use crate::asn1::{DerError, tag, write};
use crate::oid;

/// Longest serialNumber (RFC 5280, appendix A: ub-serial-number).
const SERIAL_NUMBER_MAX: usize = 64;

/// How the text of an attribute is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StringType {
    /// UTF8String.
    Utf8,
    /// PrintableString.
    Printable,
    /// IA5String.
    Ia5,
    /// BMPString: UTF-16 without surrogates.
    Bmp,
    /// Anything else, by its identifier octet; the text is then the content in hexadecimal.
    Other(u8),
}

/// One attribute of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Which RDN it stands in, from 0. Two attributes of one RDN have the same number.
    pub rdn: usize,
    /// Its type.
    pub oid: ObjectIdentifier,
    /// How its text is encoded.
    pub string_type: StringType,
    /// Its text.
    pub text: String,
}

impl Attribute {
    /// The short name of the type as DOMAIN writes it, or the dotted identifier.
    pub fn label(&self) -> String {
        let known = match self.oid {
            oid::COUNTRY => "C",
            oid::STATE => "ST",
            oid::LOCALITY => "L",
            oid::ORGANISATION => "O",
            oid::ORGANISATION_IDENTIFIER => "organizationIdentifier",
            oid::UNIT => "OU",
            oid::SERIAL_NUMBER => "serialNumber",
            oid::COMMON_NAME => "CN",
            _ => return self.oid.to_string(),
        };
        known.to_owned()
    }
}

/// A distinguished name: its octets and what they say.
#[derive(Clone, Debug)]
pub struct DistinguishedName {
    der: Vec<u8>,
    attributes: Vec<Attribute>,
}

/// Names are equal when their octets are (RFC 5280, 4.1.2.4, without any folding).
impl PartialEq for DistinguishedName {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for DistinguishedName {}

impl DistinguishedName {
    /// The subject of a seal certificate, in script (DOMAIN 12.2).
    pub fn of_seal(subject: &SealSubject) -> Result<Self, Refusal> {
        let names = Names {
            region: subject.region.as_ref(),
            locality: subject.locality.as_ref(),
            organisation: subject.organisation.as_str(),
            unit: subject.unit.as_ref().map(Name::as_str),
            common_name: subject.common_name.as_str(),
        };
        seal(subject, &names)
    }

    /// The same in Latin script, for subjectAltName; `None` where no Latin form is recorded. A region
    /// or city that is recorded in another script only is left out.
    pub fn of_seal_latin(subject: &SealSubject) -> Result<Option<Self>, Refusal> {
        let Some(latin) = &subject.latin else { return Ok(None) };
        let names = Names {
            region: subject.region.as_ref().filter(|name| name.is_latin()),
            locality: subject.locality.as_ref().filter(|name| name.is_latin()),
            organisation: latin.organisation.as_str(),
            unit: latin.unit.as_ref().map(Name::as_str),
            common_name: latin.common_name.as_str(),
        };
        seal(subject, &names).map(Some)
    }

    /// The subject of an authority or of one of its services: C, O, organizationIdentifier, CN
    /// (DOMAIN 12.4).
    pub fn of_authority(name: &AuthorityName) -> Result<Self, Refusal> {
        name.identifier.check_country(&name.country)?;
        from_values(vec![
            (oid::COUNTRY, country(&name.country)?),
            (oid::ORGANISATION, write::utf8(name.organisation.as_str())),
            (oid::ORGANISATION_IDENTIFIER, write::utf8(name.identifier.as_str())),
            (oid::COMMON_NAME, write::utf8(name.common_name.as_str())),
        ])
    }

    /// The part that all names of an organisation begin with: C, O, organizationIdentifier.
    pub fn subtree(
        country_code: &str,
        organisation: &Name,
        identifier: &OrganizationIdentifier,
    ) -> Result<Self, Refusal> {
        identifier.check_country(country_code)?;
        from_values(vec![
            (oid::COUNTRY, country(country_code)?),
            (oid::ORGANISATION, write::utf8(organisation.as_str())),
            (oid::ORGANISATION_IDENTIFIER, write::utf8(identifier.as_str())),
        ])
    }

    /// Reads a Name (RFC 5280, 4.1.2.4), DER, with nothing after it.
    pub fn parse(der: &[u8]) -> Result<Self, DerError> {
        let mut rdns = read::sequence(der)?;
        let mut attributes = Vec::new();
        let mut rdn = 0;
        while !rdns.is_empty() {
            let mut set = rdns.enter(tag::SET)?;
            if set.is_empty() {
                return Err(DerError::Value("a part of a name is empty"));
            }
            while !set.is_empty() {
                attributes.push(attribute(rdn, &mut set)?);
            }
            rdn += 1;
        }
        Ok(Self { der: der.to_vec(), attributes })
    }

    /// The octets.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The attributes in order.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// The text of the first attribute of a type.
    pub fn first(&self, oid: ObjectIdentifier) -> Option<&str> {
        self.attributes.iter().find(|a| a.oid == oid).map(|a| a.text.as_str())
    }

    /// One line for people: `C=JP, O=…, CN=…`. Control and direction-changing characters of foreign
    /// names are shown as U+FFFD (AB-12). Not for comparison: values are not escaped.
    pub fn subject_line(&self) -> String {
        let parts: Vec<String> = self
            .attributes
            .iter()
            .map(|a| format!("{}={}", a.label(), a.text.replace(is_unprintable, "\u{FFFD}")))
            .collect();
        parts.join(", ")
    }
}

impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.subject_line())
    }
}

fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

/// The three names that differ between the script and the Latin form.
struct Names<'a> {
    region: Option<&'a Name>,
    locality: Option<&'a Name>,
    organisation: &'a str,
    unit: Option<&'a str>,
    common_name: &'a str,
}

fn seal(subject: &SealSubject, names: &Names<'_>) -> Result<DistinguishedName, Refusal> {
    subject.identifier.check_country(&subject.country)?;
    let text = |value: &str| write::utf8(value);
    let mut values = vec![(oid::COUNTRY, country(&subject.country)?)];
    values.extend(names.region.map(|name| (oid::STATE, text(name.as_str()))));
    values.extend(names.locality.map(|name| (oid::LOCALITY, text(name.as_str()))));
    values.push((oid::ORGANISATION, text(names.organisation)));
    values.push((oid::ORGANISATION_IDENTIFIER, text(subject.identifier.as_str())));
    values.extend(names.unit.map(|unit| (oid::UNIT, text(unit))));
    values.push((oid::SERIAL_NUMBER, serial_number(&subject.serial_number)?));
    values.push((oid::COMMON_NAME, text(names.common_name)));
    from_values(values)
}

/// Each attribute alone in its RDN, in the order given.
fn from_values(values: Vec<(ObjectIdentifier, Vec<u8>)>) -> Result<DistinguishedName, Refusal> {
    let rdns: Vec<Vec<u8>> = values
        .iter()
        .map(|(oid, value)| {
            let attribute = write::sequence(&[write::oid(oid).as_slice(), value]);
            write::set_of_one(&attribute)
        })
        .collect();
    DistinguishedName::parse(&write::sequence(&rdns)).map_err(|e| refused(&e.to_string()))
}

fn country(text: &str) -> Result<Vec<u8>, Refusal> {
    let fine = text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase());
    if fine { Ok(write::printable(text)) } else { Err(refused("country").with("country", text)) }
}

fn serial_number(text: &str) -> Result<Vec<u8>, Refusal> {
    if is_printable(text) && (1..=SERIAL_NUMBER_MAX).contains(&text.len()) {
        Ok(write::printable(text))
    } else {
        Err(refused("serial-number").with("serial-number", text))
    }
}

fn refused(problem: &str) -> Refusal {
    Refusal::new(RefusalCode::NameInvalid, "12.2").with("problem", problem)
}

/// The characters of PrintableString (X.680, 41.4).
pub(crate) fn is_printable(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&b))
}

fn attribute(rdn: usize, set: &mut Reader<'_>) -> Result<Attribute, DerError> {
    let mut pair = set.enter(tag::SEQUENCE)?;
    let oid = pair.oid()?;
    let value = pair.any()?;
    pair.finish()?;
    let (string_type, text) = text_of(value.tag, value.content)?;
    Ok(Attribute { rdn, oid, string_type, text })
}

pub(crate) fn text_of(identifier: u8, content: &[u8]) -> Result<(StringType, String), DerError> {
    const WRONG: DerError = DerError::Value("a text is not in the character set of its type");
    let utf8 = || std::str::from_utf8(content).map(str::to_owned).map_err(|_| WRONG);
    Ok(match identifier {
        tag::UTF8_STRING => (StringType::Utf8, utf8()?),
        tag::PRINTABLE_STRING => {
            let text = utf8()?;
            let fine = is_printable(&text).then_some(text).ok_or(WRONG)?;
            (StringType::Printable, fine)
        }
        tag::IA5_STRING => (StringType::Ia5, utf8()?.is_ascii().then(utf8).ok_or(WRONG)??),
        tag::BMP_STRING => (StringType::Bmp, bmp(content).ok_or(WRONG)?),
        other => (StringType::Other(other), format!("#{}", hex::encode(content))),
    })
}

fn bmp(content: &[u8]) -> Option<String> {
    let (pairs, rest) = content.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
    if rest.is_empty() { String::from_utf16(&units).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use tenkoku_domain::subject::LatinSubject;

    use super::StringType::{Printable, Utf8};
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn branch_seal() -> SealSubject {
        SealSubject {
            country: "JP".to_owned(),
            region: None,
            locality: None,
            organisation: name("株式会社サンプル"),
            identifier: OrganizationIdentifier::parse("NTRJP-5010401067252").unwrap(),
            unit: Some(name("大阪支店")),
            serial_number: "BR-0002/01".to_owned(),
            common_name: name("株式会社サンプル 大阪支店 電子印"),
            latin: Some(LatinSubject {
                organisation: name("Sample Co., Ltd."),
                unit: Some(name("Osaka Branch")),
                common_name: name("Sample Co., Ltd. Osaka Branch e-Seal"),
            }),
        }
    }

    fn check(name: &DistinguishedName, expected: &str) {
        assert_eq!(name.subject_line(), expected);
    }

    #[test]
    fn the_subject_of_a_branch_seal_is_the_vector_of_domain_22() {
        check(
            &DistinguishedName::of_seal(&branch_seal()).unwrap(),
            "C=JP, O=株式会社サンプル, organizationIdentifier=NTRJP-5010401067252, OU=大阪支店, \
             serialNumber=BR-0002/01, CN=株式会社サンプル 大阪支店 電子印",
        );
        check(
            &DistinguishedName::of_seal_latin(&branch_seal()).unwrap().unwrap(),
            "C=JP, O=Sample Co., Ltd., organizationIdentifier=NTRJP-5010401067252, \
             OU=Osaka Branch, serialNumber=BR-0002/01, CN=Sample Co., Ltd. Osaka Branch e-Seal",
        );
    }

    #[test]
    fn string_types_and_rdns_are_those_of_domain_12_2() {
        let subject = DistinguishedName::of_seal(&branch_seal()).unwrap();
        let types: Vec<StringType> = subject.attributes().iter().map(|a| a.string_type).collect();
        assert_eq!(types, [Printable, Utf8, Utf8, Utf8, Printable, Utf8]);
        let rdns: Vec<usize> = subject.attributes().iter().map(|a| a.rdn).collect();
        assert_eq!(rdns, [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_subject_that_breaks_the_rules_is_refused() {
        let refused = |change: fn(&mut SealSubject)| {
            let mut subject = branch_seal();
            change(&mut subject);
            DistinguishedName::of_seal(&subject).unwrap_err().code
        };
        assert_eq!(refused(|s| s.country = "DE".to_owned()), RefusalCode::IdentifierMismatch);
        assert_eq!(refused(|s| s.serial_number = "支店".to_owned()), RefusalCode::NameInvalid);
        assert_eq!(refused(|s| s.serial_number = String::new()), RefusalCode::NameInvalid);
    }

    #[test]
    fn foreign_names_are_read_and_shown_without_tricks() {
        // CN as BMPString "A", U+202E, "B".
        let value = write::tlv(tag::BMP_STRING, &[0, 0x41, 0x20, 0x2E, 0, 0x42]);
        let pair = write::sequence(&[write::oid(&oid::COMMON_NAME), value]);
        let der = write::sequence(&[write::set_of_one(&pair)]);
        check(&DistinguishedName::parse(&der).unwrap(), "CN=A\u{FFFD}B");
        assert!(DistinguishedName::parse(&der[..der.len() - 1]).is_err());
    }
}

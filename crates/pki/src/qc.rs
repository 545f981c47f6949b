//! The statements of qcStatements (DOMAIN 12.6) and the claims that need them (DOMAIN 12.7).
//!
//! A claim is made of an accreditation record that backs it (PR-2), and of nothing else.

use tenkoku_domain::accreditation::{Backed, ClaimKind, DisclosureStatement};
use tenkoku_domain::key::OriginClass;

use crate::asn1::write;
use crate::oid;
use crate::uri::{HttpsUri, UriError};

/// Whether the key is in a certified device (QcSSCD).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// The key's container is certified for it, and the origin is K2 or K3.
    Certified,
    /// Nothing is said about the device.
    Unstated,
}

impl Device {
    /// What may be said of a key: QcSSCD only with origin K2 or K3 and a container certified for it
    /// (DOMAIN 12.6), which the text of its certification shows.
    pub const fn of(origin: OriginClass, certification: Option<&str>) -> Self {
        match (origin, certification) {
            (OriginClass::K2 | OriginClass::K3, Some(_)) => Self::Certified,
            (OriginClass::K0 | OriginClass::K1 | OriginClass::K4, _)
            | (OriginClass::K2 | OriginClass::K3, None) => Self::Unstated,
        }
    }
}

/// Where a disclosure statement lies, and its language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosure {
    /// Address of the document.
    pub address: HttpsUri,
    /// ISO 639-1, lower case.
    pub language: String,
}

/// What an accredited authority states (DOMAIN 12.7, `claim = "accredited"`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accreditation {
    device: Device,
    country: String,
    disclosures: Vec<Disclosure>,
}

/// Why an accreditation cannot be stated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccreditationError {
    /// Not two upper-case letters.
    #[error("{0:?} is not a country of two capital letters")]
    Country(String),
    /// Not two lower-case letters.
    #[error("{0:?} is not a language of two small letters")]
    Language(String),
    /// Two statements in one language.
    #[error("there are two disclosure statements in the language {0:?}")]
    Twice(String),
    /// No statement in English.
    #[error("a disclosure statement in English is missing")]
    NoEnglish,
    /// A statement that does not lie at an https address.
    #[error(transparent)]
    Address(#[from] UriError),
}

/// What an authority qualified in the European Union states (DOMAIN 12.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qualification {
    pub(crate) device: Device,
    disclosures: Vec<Disclosure>,
}

impl Qualification {
    /// What is said about the device.
    pub const fn device(&self) -> Device {
        self.device
    }

    /// The disclosure statements.
    pub fn disclosures(&self) -> &[Disclosure] {
        &self.disclosures
    }
}

fn two_letters(text: &str, fits: fn(&u8) -> bool) -> bool {
    text.len() == 2 && text.bytes().all(|b| fits(&b))
}

/// English present, one statement per language, lower-case codes.
fn check_disclosures(disclosures: &[Disclosure]) -> Result<(), AccreditationError> {
    for (place, Disclosure { language, .. }) in disclosures.iter().enumerate() {
        if !two_letters(language, u8::is_ascii_lowercase) {
            return Err(AccreditationError::Language(language.clone()));
        }
        if disclosures.iter().take(place).any(|earlier| earlier.language == *language) {
            return Err(AccreditationError::Twice(language.clone()));
        }
    }
    let english = disclosures.iter().any(|d| d.language == "en");
    if english { Ok(()) } else { Err(AccreditationError::NoEnglish) }
}

impl Accreditation {
    /// Checks the parts: English present, one statement per language, lower-case codes.
    pub(crate) fn new(
        device: Device,
        country: &str,
        disclosures: Vec<Disclosure>,
    ) -> Result<Self, AccreditationError> {
        if !two_letters(country, u8::is_ascii_uppercase) {
            return Err(AccreditationError::Country(country.to_owned()));
        }
        check_disclosures(&disclosures)?;
        Ok(Self { device, country: country.to_owned(), disclosures })
    }

    /// What is said about the device.
    pub const fn device(&self) -> Device {
        self.device
    }

    /// The accrediting country.
    pub fn country(&self) -> &str {
        &self.country
    }

    /// The disclosure statements.
    pub fn disclosures(&self) -> &[Disclosure] {
        &self.disclosures
    }
}

/// What a seal certificate claims about its standing (DOMAIN 12.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Nothing: semantics only.
    None,
    /// Accredited in a country.
    Accredited(Accreditation),
    /// Qualified under the regulation of the European Union.
    EuQualified(Qualification),
}

impl Claim {
    /// The claim that a record backs.
    pub fn of(backed: Backed<'_>, device: Device) -> Result<Self, AccreditationError> {
        let Backed::By(backed) = backed else { return Ok(Self::None) };
        let record = backed.record();
        let mut disclosures = Vec::new();
        for DisclosureStatement { address, language } in &record.disclosures {
            let address = HttpsUri::parse(address)?;
            disclosures.push(Disclosure { address, language: language.clone() });
        }
        match record.claim {
            ClaimKind::None => Ok(Self::None),
            ClaimKind::Accredited => {
                Accreditation::new(device, &record.country, disclosures).map(Self::Accredited)
            }
            ClaimKind::EuQualified => {
                check_disclosures(&disclosures)?;
                Ok(Self::EuQualified(Qualification { device, disclosures }))
            }
        }
    }
}

/// Whether the subject's identifier has the legal-person semantics of EN 319 412-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Semantics {
    /// It is of type NTR, VAT, LEI, PSD or a two-letter scheme.
    LegalPerson,
    /// It is of another type.
    Unstated,
}

/// The value of the qcStatements extension; `None` when there is nothing to state.
pub fn statements(claim: &Claim, semantics: Semantics) -> Option<Vec<u8>> {
    let mut statements = match claim {
        Claim::None => Vec::new(),
        Claim::Accredited(accreditation) => {
            let country = write::sequence(&[write::printable(&accreditation.country)]);
            let mut list = common(accreditation.device, &accreditation.disclosures);
            list.push(write::sequence(&[write::oid(&oid::QC_LEGISLATION), country]));
            list
        }
        // Never with a country: that would say "outside the European Union" (EN 319 412-5, 4.2.4).
        Claim::EuQualified(qualification) => {
            common(qualification.device, &qualification.disclosures)
        }
    };
    match semantics {
        Semantics::LegalPerson => {
            let identifier = write::sequence(&[write::oid(&oid::SEMANTICS_LEGAL)]);
            statements.push(write::sequence(&[write::oid(&oid::QC_SYNTAX_V2), identifier]));
        }
        Semantics::Unstated => {}
    }
    (!statements.is_empty()).then(|| write::sequence(&statements))
}

/// EN 319 412-5: QcCompliance, QcSSCD if true, QcType, QcPDS.
fn common(device: Device, disclosures: &[Disclosure]) -> Vec<Vec<u8>> {
    let qc_type = write::sequence(&[write::oid(&oid::QC_TYPE_ESEAL)]);
    let disclosures: Vec<Vec<u8>> = disclosures
        .iter()
        .map(|d| write::sequence(&[write::ia5(d.address.as_str()), write::printable(&d.language)]))
        .collect();
    let mut statements = vec![write::sequence(&[write::oid(&oid::QC_COMPLIANCE)])];
    match device {
        Device::Certified => statements.push(write::sequence(&[write::oid(&oid::QC_SSCD)])),
        Device::Unstated => {}
    }
    statements.extend([
        write::sequence(&[write::oid(&oid::QC_TYPE), qc_type]),
        write::sequence(&[write::oid(&oid::QC_PDS), write::sequence(&disclosures)]),
    ]);
    statements
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(claim: &Claim, expected: &str) {
        assert_eq!(statements(claim, Semantics::LegalPerson).map(hex::encode).unwrap(), expected);
    }

    fn disclosure(file: &str, language: &str) -> Disclosure {
        let address = HttpsUri::parse(&format!("https://pds.example.jp/{file}")).unwrap();
        Disclosure { address, language: language.to_owned() }
    }

    #[test]
    fn values_are_the_vectors_of_domain_22() {
        check(&Claim::None, "3017301506082b06010505070b023009060704008bec490102");
        let disclosures = vec![disclosure("eseal-en.pdf", "en"), disclosure("eseal-ja.pdf", "ja")];
        let accreditation = Accreditation::new(Device::Certified, "JP", disclosures).unwrap();
        check(
            &Claim::Accredited(accreditation),
            "3081b23008060604008e4601013008060604008e4601043013060604008e4601063009060704008e4601\
             06023060060604008e46010530563029162368747470733a2f2f7064732e6578616d706c652e6a702f65\
             7365616c2d656e2e7064661302656e3029162368747470733a2f2f7064732e6578616d706c652e6a702f\
             657365616c2d6a612e70646613026a61300e060604008e460107300413024a50301506082b0601050507\
             0b023009060704008bec490102",
        );
    }

    #[test]
    fn nothing_to_state_is_no_extension() {
        assert_eq!(statements(&Claim::None, Semantics::Unstated), None);
    }

    #[test]
    fn an_accreditation_has_one_disclosure_per_language_and_one_in_english() {
        let refused = |country, disclosures| {
            Accreditation::new(Device::Unstated, country, disclosures).unwrap_err()
        };
        let (en, ja) = (disclosure("en", "en"), disclosure("ja", "ja"));
        assert_eq!(refused("jp", vec![en.clone()]), AccreditationError::Country("jp".to_owned()));
        assert_eq!(refused("JP", vec![ja]), AccreditationError::NoEnglish);
        assert_eq!(refused("JP", vec![en.clone(), en]), AccreditationError::Twice("en".to_owned()));
        assert_eq!(
            refused("JP", vec![disclosure("en", "EN")]),
            AccreditationError::Language("EN".to_owned())
        );
    }
}

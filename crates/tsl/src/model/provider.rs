//! Trust service providers (TS 119 612, 5.4).
//!
//! Deliberately not here: what their services are.

use std::fmt;

use super::{Address, Entry, Extension, Language, ModelError, Names, Pages, Service, Text};

/// A provider and its services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Name in the official register (5.4.1).
    pub name: Names,
    /// Registration identifier and further names (5.4.2).
    pub trade_names: TradeNames,
    /// Where the provider is reached (5.4.3).
    pub address: Address,
    /// Policies, terms, customer care (5.4.4).
    pub information: Pages,
    /// What else is said about the provider (5.4.5).
    pub extensions: Vec<Extension>,
    /// The services, ended ones included (5.4.6).
    pub services: Vec<Service>,
}

/// `TSPTradeName`: the registration identifier first, then other names (5.4.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TradeNames(Vec<Entry<Text>>);

impl TradeNames {
    /// The number under which a register knows the provider, and other names under which the
    /// provider is known or its certificates speak of it.
    pub fn new(registration: &RegistrationIdentifier, further: Vec<Entry<Text>>) -> Self {
        let value = Text::as_found(registration.as_str().to_owned());
        let mut entries = vec![Entry { language: Language::english(), value }];
        entries.extend(further);
        Self(entries)
    }

    /// The names that somebody's list gives, which may be none.
    pub(crate) fn as_found(entries: Vec<Entry<Text>>) -> Self {
        Self(entries)
    }

    /// All of them in their order.
    pub fn entries(&self) -> &[Entry<Text>] {
        &self.0
    }

    /// The first name that is a registration identifier.
    pub fn registration(&self) -> Option<RegistrationIdentifier> {
        self.0.iter().find_map(|entry| RegistrationIdentifier::new(entry.value.as_str()).ok())
    }

    /// The names that are no registration identifier.
    pub fn further(&self) -> impl Iterator<Item = &Entry<Text>> {
        self.0.iter().filter(|entry| RegistrationIdentifier::new(entry.value.as_str()).is_err())
    }
}

/// A registration identifier: kind, country, number, such as `NTRJP-7010001008844` (5.4.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RegistrationIdentifier(String);

impl RegistrationIdentifier {
    /// Reads an identifier.
    ///
    /// # Errors
    ///
    /// [`ModelError::RegistrationIdentifier`] unless it is `VAT`, `NTR`, `PAS`, `IDC`, `PNO` or
    /// `TIN`, two upper-case letters, a hyphen and a number without space or odd characters.
    pub fn new(identifier: &str) -> Result<Self, ModelError> {
        let wrong = || ModelError::RegistrationIdentifier(identifier.to_owned());
        let (head, number) = identifier.split_once('-').ok_or_else(wrong)?;
        let (kind, country) = head.split_at_checked(3).ok_or_else(wrong)?;
        let fits = matches!(kind, "VAT" | "NTR" | "PAS" | "IDC" | "PNO" | "TIN")
            && country.len() == 2
            && country.bytes().all(|letter| letter.is_ascii_uppercase())
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>&\"'".contains(&byte));
        if fits { Ok(Self(identifier.to_owned())) } else { Err(wrong()) }
    }

    /// The identifier as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RegistrationIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registration_identifier_has_kind_country_and_number() {
        for identifier in ["NTRJP-7010001008844", "VATBE-0949383342", "PNOJP-1-2"] {
            assert_eq!(RegistrationIdentifier::new(identifier).unwrap().as_str(), identifier);
        }
        for identifier in
            ["", "NTRJP", "NTRJP-", "XXXJP-1", "NTRjp-1", "NTR-1", "NTRJP-1 2", "例JP-1"]
        {
            assert!(RegistrationIdentifier::new(identifier).is_err(), "{identifier}");
        }
    }
}

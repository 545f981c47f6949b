//! Postal and electronic addresses (TS 119 612, 5.3.5 and 5.4.3).
//!
//! Deliberately not here: whether an e-mail and a web address are given; `rules` asks for them.

use super::{Country, Language, ModelError, Pages, Text};

/// A postal address in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostalAddress {
    /// The language it is written in.
    pub language: Language,
    /// Street, building, room; parts are divided by `;`.
    pub street: Text,
    /// Town or ward.
    pub locality: Text,
    /// State, province or prefecture.
    pub state_or_province: Option<Text>,
    /// Postal code.
    pub postal_code: Option<Text>,
    /// Country.
    pub country: Country,
}

/// Where an organisation is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    postal: Vec<PostalAddress>,
    electronic: Pages,
}

impl Address {
    /// Joins the postal addresses with the electronic ones (`mailto:`, web pages, `tel:`).
    ///
    /// # Errors
    ///
    /// [`ModelError::EnglishMissing`] when no postal address is in English.
    pub fn new(postal: Vec<PostalAddress>, electronic: Pages) -> Result<Self, ModelError> {
        let english = Language::english();
        if postal.iter().any(|address| address.language == english) {
            Ok(Self { postal, electronic })
        } else {
            Err(ModelError::EnglishMissing)
        }
    }

    /// The addresses that somebody's list gives.
    pub(crate) fn as_found(postal: Vec<PostalAddress>, electronic: Pages) -> Self {
        Self { postal, electronic }
    }

    /// The postal addresses.
    pub fn postal(&self) -> &[PostalAddress] {
        &self.postal
    }

    /// The electronic addresses.
    pub fn electronic(&self) -> &Pages {
        &self.electronic
    }
}

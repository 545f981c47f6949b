//! Country and territory codes (TS 119 612, 5.1.5).
//!
//! Deliberately not here: the list of all countries; the shape and the two exceptions are checked.

use std::fmt;

use super::ModelError;

/// A country in an address: two upper-case letters, `EL` for Greece, `UK` for the United Kingdom.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Country(String);

impl Country {
    /// Reads a country code.
    ///
    /// # Errors
    ///
    /// [`ModelError::Place`] for anything but two upper-case letters, and for `GR` and `GB`.
    pub fn new(code: &str) -> Result<Self, ModelError> {
        let code = Self(code.to_owned());
        code.check().map(|()| code)
    }

    /// The code that somebody's list gives.
    pub(crate) fn as_found(code: String) -> Self {
        Self(code)
    }

    /// Whether [`Country::new`] would take it.
    pub(crate) fn check(&self) -> Result<(), ModelError> {
        let code = self.0.as_str();
        if code.len() == 2 && is_code(code) {
            Ok(())
        } else {
            Err(ModelError::Place(code.to_owned()))
        }
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The territory of a scheme: a country or a region such as `EU` or `ASEAN` (5.3.10).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Territory(String);

impl Territory {
    /// Reads a territory code.
    ///
    /// # Errors
    ///
    /// [`ModelError::Place`] for anything but 2 to 8 upper-case letters, and for `GR` and `GB`.
    pub fn new(code: &str) -> Result<Self, ModelError> {
        let code = Self(code.to_owned());
        code.check().map(|()| code)
    }

    /// The code that somebody's list gives.
    pub(crate) fn as_found(code: String) -> Self {
        Self(code)
    }

    /// Whether [`Territory::new`] would take it.
    pub(crate) fn check(&self) -> Result<(), ModelError> {
        let code = self.0.as_str();
        if (2..=8).contains(&code.len()) && is_code(code) {
            Ok(())
        } else {
            Err(ModelError::Place(code.to_owned()))
        }
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a certificate's `C=` names this territory; ISO 3166-1 writes `GR` and `GB`.
    pub fn is_country(&self, iso: &str) -> bool {
        match self.0.as_str() {
            "EL" => matches!(iso, "EL" | "GR"),
            "UK" => matches!(iso, "UK" | "GB"),
            code => code == iso,
        }
    }
}

impl fmt::Display for Territory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_code(code: &str) -> bool {
    code.bytes().all(|letter| letter.is_ascii_uppercase()) && !matches!(code, "GR" | "GB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_upper_case_and_greece_and_britain_have_their_own() {
        for code in ["JP", "EL", "UK", "EU"] {
            assert!(Country::new(code).is_ok() && Territory::new(code).is_ok(), "{code}");
        }
        assert!(Territory::new("ASEAN").is_ok() && Country::new("ASEAN").is_err());
        for code in ["", "J", "jp", "GR", "GB", "J1"] {
            assert!(Country::new(code).is_err() && Territory::new(code).is_err(), "{code}");
        }
        assert!(Territory::new("EL").unwrap().is_country("GR"));
        assert!(!Territory::new("JP").unwrap().is_country("GR"));
    }
}

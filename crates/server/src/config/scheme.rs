//! `[scheme]`: the scheme whose trusted list is published.

use serde::{Deserialize, Serialize};

use tenkoku_domain::identifier::NationalScheme;
use tenkoku_domain::name::plain_text;
use tenkoku_ports::settings::Scheme;

use super::ConfigProblem;

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SchemeToml {
    code: String,
    territory: String,
    name_en: String,
    name_ja: String,
    name_latn: String,
}

/// `[[identifier_scheme]]`: a national scheme of identifiers that is taken.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IdentifierToml {
    prefix: String,
    mask: String,
}

impl IdentifierToml {
    pub(super) fn checked(&self) -> Result<NationalScheme, ConfigProblem> {
        NationalScheme::parse(&self.prefix, &self.mask).ok_or_else(|| {
            let must = "must be written TD:JP, with a mask such as 999999999 (9 a digit, A a letter, \
                        X either)";
            ConfigProblem::value("identifier_scheme", must)
        })
    }
}

impl SchemeToml {
    pub(super) fn checked(&self) -> Result<Scheme, ConfigProblem> {
        let code =
            self.code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !code || self.code.is_empty() {
            return Err(ConfigProblem::value(
                "scheme.code",
                "must be lower-case letters, digits and hyphens",
            ));
        }
        if self.territory.len() != 2 || !self.territory.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(ConfigProblem::value("scheme.territory", "must be two capital letters"));
        }
        let text = |key: &'static str, text: &str| {
            plain_text(text).map_err(|refusal| ConfigProblem::value(key, refusal))
        };
        Ok(Scheme {
            code: self.code.clone(),
            territory: self.territory.clone(),
            name_en: text("scheme.name_en", &self.name_en)?,
            name_ja: text("scheme.name_ja", &self.name_ja)?,
            name_latn: text("scheme.name_latn", &self.name_latn)?,
        })
    }
}

//! `[operator]`: who operates the authorities and the list.

use serde::{Deserialize, Serialize};

use tenkoku_domain::identifier::OrganizationIdentifier;
use tenkoku_domain::name::{Name, plain_text};
use tenkoku_domain::organisation::Language;
use tenkoku_domain::refusal::Refusal;
use tenkoku_ports::settings::Operator;

use super::ConfigProblem;

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OperatorToml {
    name: String,
    name_ja: String,
    name_latn: String,
    identifier: String,
    country: String,
    street: String,
    locality: String,
    postal_code: String,
    email: String,
    website: String,
    #[serde(default = "japanese")]
    language: String,
}

fn japanese() -> String {
    "ja".to_owned()
}

impl OperatorToml {
    pub(super) fn checked(&self) -> Result<Operator, ConfigProblem> {
        let on = |key: &'static str| move |refusal: Refusal| ConfigProblem::value(key, refusal);
        let identifier =
            OrganizationIdentifier::parse(&self.identifier).map_err(on("operator.identifier"))?;
        identifier.check_country(&self.country).map_err(on("operator.country"))?;
        let email = self.email.trim();
        if !email.contains('@') {
            return Err(ConfigProblem::value("operator.email", "must be an e-mail address"));
        }
        if !self.website.starts_with("https://") && !self.website.starts_with("http://") {
            return Err(ConfigProblem::value("operator.website", "must begin with https://"));
        }
        Ok(Operator {
            name: Name::parse(&self.name).map_err(on("operator.name"))?,
            name_ja: Name::parse(&self.name_ja).map_err(on("operator.name_ja"))?,
            name_latn: Name::parse(&self.name_latn).map_err(on("operator.name_latn"))?,
            identifier,
            country: self.country.clone(),
            street: plain_text(&self.street).map_err(on("operator.street"))?,
            locality: plain_text(&self.locality).map_err(on("operator.locality"))?,
            postal_code: plain_text(&self.postal_code).map_err(on("operator.postal_code"))?,
            email: email.to_owned(),
            website: self.website.clone(),
            language: Language::from_word(&self.language).ok_or_else(|| {
                ConfigProblem::value("operator.language", "must be \"ja\" or \"en\"")
            })?,
        })
    }
}

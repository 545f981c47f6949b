//! Organisations: the subjects of seals.

use serde::{Deserialize, Serialize};

use crate::id::OrganisationId;
use crate::identifier::OrganizationIdentifier;
use crate::key::words;
use crate::name::{Name, plain_text};
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

words! {
    /// State of an organisation (DOMAIN 6.1).
    OrganisationState {
        /// Being entered.
        Draft = "draft",
        /// Being proofed.
        Proofing = "proofing",
        /// May apply.
        Active = "active",
        /// No new applications; existing seals stay.
        Restricted = "restricted",
        /// Ending.
        Closing = "closing",
        /// Ended.
        Closed = "closed",
        /// Refused.
        Rejected = "rejected",
    }
}

impl OrganisationState {
    /// Whether one transition of DOMAIN 6.1 leads from here to there.
    pub const fn leads_to(self, to: Self) -> bool {
        matches!(
            (self, to),
            (Self::Draft, Self::Proofing)
                | (Self::Proofing | Self::Restricted, Self::Active)
                | (Self::Proofing, Self::Rejected)
                | (Self::Active, Self::Restricted)
                | (Self::Active | Self::Restricted, Self::Closing)
                | (Self::Closing, Self::Closed)
        )
    }
}

words! {
    /// The language in which an organisation is written to.
    Language {
        /// Japanese.
        Ja = "ja",
        /// English.
        En = "en",
    }
}

/// A postal address as registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Two-letter country code (ISO 3166-1).
    pub country: String,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Prefecture or state.
    pub region: Option<Name>,
    /// City.
    pub locality: Option<Name>,
    /// The rest.
    pub street: Option<String>,
}

impl Address {
    /// Checks an address: a two-letter upper-case country and plain text.
    pub fn parse(
        country: &str,
        postal_code: &str,
        region: &str,
        locality: &str,
        street: &str,
    ) -> Result<Self, Refusal> {
        let upper = country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
        if !upper {
            return Err(Refusal::new(RefusalCode::NameInvalid, "12.2")
                .with("problem", "country")
                .with("country", country));
        }
        let text = |text: &str| {
            if text.trim().is_empty() { Ok(None) } else { plain_text(text).map(Some) }
        };
        let name = |text: &str| {
            if text.trim().is_empty() { Ok(None) } else { Name::parse(text).map(Some) }
        };
        Ok(Self {
            country: country.to_owned(),
            postal_code: text(postal_code)?,
            region: name(region)?,
            locality: name(locality)?,
            street: text(street)?,
        })
    }
}

/// A legal person or another body with a verifiable identifier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    /// Identifier of the record.
    pub id: OrganisationId,
    /// Primary identifier; unique on the platform (ID-4).
    pub identifier: OrganizationIdentifier,
    /// Legal name exactly as registered.
    pub legal_name: Name,
    /// Reading of the legal name, where there is one.
    pub kana: Option<Name>,
    /// Legal name in Latin script, where one is recorded.
    pub latin_name: Option<Name>,
    /// Registered address.
    pub address: Address,
    /// Language of letters.
    pub language: Language,
    /// State.
    pub state: OrganisationState,
    /// When it was recorded.
    pub created_at: Timestamp,
}

impl Organisation {
    /// Checks what must hold between the parts: ID-1 and ID-2.
    pub fn check(self) -> Result<Self, Refusal> {
        self.identifier.check_country(&self.address.country)?;
        let same = self.identifier.as_str().to_lowercase() == self.legal_name.comparable();
        if same {
            return Err(Refusal::new(RefusalCode::IdentifierMismatch, "ID-2")
                .with("identifier", &self.identifier));
        }
        if let Some(latin) = self.latin_name.as_ref().filter(|name| !name.is_latin()) {
            return Err(Refusal::new(RefusalCode::NameInvalid, "12.2")
                .with("problem", "not-latin")
                .with("name", latin));
        }
        Ok(self)
    }

    /// The organisation in another state; a transition that DOMAIN 6.1 does not list is refused.
    pub fn moved(&self, to: OrganisationState) -> Result<Self, Refusal> {
        if self.state.leads_to(to) {
            return Ok(Self { state: to, ..self.clone() });
        }
        Err(Refusal::new(RefusalCode::StateConflict, "6.1")
            .with("organisation", &self.identifier)
            .with("state", self.state)
            .with("to", to))
    }

    /// Whether it may apply for credentials now.
    pub fn may_apply(&self) -> Result<(), Refusal> {
        match self.state {
            OrganisationState::Active => Ok(()),
            OrganisationState::Draft
            | OrganisationState::Proofing
            | OrganisationState::Restricted
            | OrganisationState::Closing
            | OrganisationState::Closed
            | OrganisationState::Rejected => {
                Err(Refusal::new(RefusalCode::OrganisationRestricted, "6.1")
                    .with("state", self.state))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::OrganisationState as S;

    #[test]
    fn an_organisation_goes_the_ways_of_domain_6_1_and_no_other() {
        let ways = [
            (S::Draft, S::Proofing),
            (S::Proofing, S::Active),
            (S::Proofing, S::Rejected),
            (S::Active, S::Restricted),
            (S::Restricted, S::Active),
            (S::Active, S::Closing),
            (S::Restricted, S::Closing),
            (S::Closing, S::Closed),
        ];
        for from in S::ALL {
            for to in S::ALL {
                assert_eq!(from.leads_to(*to), ways.contains(&(*from, *to)), "{from} {to}");
            }
        }
    }
}

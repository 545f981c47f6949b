//! Accreditation records, and the claims they back (DOMAIN 12.7, LV-1, PR-2).
//!
//! A claim in a certificate is a legal statement. Only [`back`] gives a [`Backed`], and the formats
//! make claims from nothing else. Not here: how the statements are encoded.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::certificate::{Profile, Validity};
use crate::id::{AccreditationId, AuthorityId};
use crate::key::words;
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

words! {
    #[derive(Default)]
    /// What a seal certificate claims about its standing (DOMAIN 12.7).
    ClaimKind {
        /// Nothing.
        #[default]
        None = "none",
        /// Accredited in a country.
        Accredited = "accredited",
        /// Qualified under the regulation of the European Union.
        EuQualified = "eu-qualified",
    }
}

/// Where a disclosure statement lies, and its language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisclosureStatement {
    /// https address of the document.
    pub address: String,
    /// ISO 639-1, lower case.
    pub language: String,
}

/// What an authority was accredited for, by whom, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccreditationRecord {
    /// The authority.
    pub authority: AuthorityId,
    /// The claim that it backs.
    pub claim: ClaimKind,
    /// The profiles that it covers.
    pub profiles: Vec<Profile>,
    /// Two-letter country that accredits.
    pub country: String,
    /// The disclosure statements that certificates point at.
    pub disclosures: Vec<DisclosureStatement>,
    /// When it holds, both ends included.
    pub validity: Validity,
    /// The decision it rests on, for people.
    pub reference: String,
}

/// An accreditation as it is on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accreditation {
    /// Identifier.
    pub id: AccreditationId,
    /// What was decided.
    pub record: AccreditationRecord,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// When it was ended before its time.
    pub ended_at: Option<Timestamp>,
}

impl AccreditationRecord {
    /// Checks the form of a record before anybody agrees to it: something is claimed, for seals of
    /// level 3, in a country of two capital letters, with statements at https addresses, one per
    /// language and one in English, for a time that ends after it begins.
    pub fn check(&self) -> Result<(), Refusal> {
        let wrong = |problem: &str| {
            Err(Refusal::new(RefusalCode::ClaimNotBacked, "PR-2").with("problem", problem))
        };
        let letters =
            |text: &str, fits: fn(&u8) -> bool| text.len() == 2 && text.bytes().all(|b| fits(&b));
        let level_3 = |profile: &Profile| matches!(profile, Profile::Seal3 | Profile::Seal3Short);
        if self.claim == ClaimKind::None {
            return wrong("claims-nothing");
        }
        if self.profiles.is_empty() || !self.profiles.iter().all(level_3) {
            return wrong("profile");
        }
        if !letters(&self.country, u8::is_ascii_uppercase) {
            return wrong("country");
        }
        let languages: BTreeSet<&str> =
            self.disclosures.iter().map(|one| one.language.as_str()).collect();
        let proper = self.disclosures.iter().all(|one| {
            letters(&one.language, u8::is_ascii_lowercase) && one.address.starts_with("https://")
        });
        if !proper || languages.len() != self.disclosures.len() || !languages.contains("en") {
            return wrong("disclosures");
        }
        if self.validity.not_after <= self.validity.not_before {
            return wrong("validity");
        }
        if self.reference.trim().is_empty() {
            return wrong("reference");
        }
        Ok(())
    }
}

/// A claim with the record that backs it. Only [`back`] makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backed<'a> {
    /// Nothing is claimed.
    Nothing,
    /// A record was found.
    By(BackedBy<'a>),
}

/// The record behind a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackedBy<'a>(&'a AccreditationRecord);

impl<'a> BackedBy<'a> {
    /// The record.
    pub const fn record(self) -> &'a AccreditationRecord {
        self.0
    }
}

/// PR-2: a claim other than none needs an accreditation record for the authority, covering the
/// profile, valid at issue.
pub fn back<'a>(
    claim: ClaimKind,
    records: &'a [AccreditationRecord],
    authority: &AuthorityId,
    profile: Profile,
    now: Timestamp,
) -> Result<Backed<'a>, Refusal> {
    match claim {
        ClaimKind::None => Ok(Backed::Nothing),
        ClaimKind::Accredited | ClaimKind::EuQualified => records
            .iter()
            .find(|record| {
                record.claim == claim
                    && record.authority == *authority
                    && record.profiles.contains(&profile)
                    && record.validity.contains(now)
            })
            .map(|record| Backed::By(BackedBy(record)))
            .ok_or_else(|| {
                Refusal::new(RefusalCode::ClaimNotBacked, "PR-2")
                    .with("claim", claim)
                    .with("profile", profile)
            }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Entropy;

    struct Numbered(u8);
    impl Entropy for Numbered {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    fn authority(number: u8) -> AuthorityId {
        AuthorityId::new(Timestamp::EPOCH, &Numbered(number))
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn record() -> AccreditationRecord {
        AccreditationRecord {
            authority: authority(1),
            claim: ClaimKind::Accredited,
            profiles: vec![Profile::Seal3],
            country: "JP".to_owned(),
            disclosures: Vec::new(),
            validity: Validity::days(at("2026-11-01T00:00:00Z"), 365),
            reference: "JP-1".to_owned(),
        }
    }

    #[test]
    fn a_record_has_a_form() {
        let english = DisclosureStatement {
            address: "https://a.example/en".to_owned(),
            language: "en".to_owned(),
        };
        let good = AccreditationRecord { disclosures: vec![english], ..record() };
        assert_eq!(good.check(), Ok(()));
        let bad = [
            AccreditationRecord { claim: ClaimKind::None, ..good.clone() },
            AccreditationRecord { profiles: vec![Profile::Seal1], ..good.clone() },
            AccreditationRecord { country: "jp".to_owned(), ..good.clone() },
            AccreditationRecord { disclosures: Vec::new(), ..good.clone() },
            AccreditationRecord { reference: " ".to_owned(), ..good },
        ];
        for record in bad {
            assert_eq!(record.check().unwrap_err().rule, "PR-2", "{record:?}");
        }
    }

    fn check(claim: ClaimKind, number: u8, profile: Profile, now: &str, expected: bool) {
        let records = [record()];
        let backed = back(claim, &records, &authority(number), profile, at(now));
        let refused = backed.as_ref().err().map(|refusal| (refusal.code, refusal.rule.clone()));
        let pr_2 = Some((RefusalCode::ClaimNotBacked, "PR-2".to_owned()));
        assert_eq!(refused, if expected { None } else { pr_2 });
    }

    #[test]
    fn pr_2_refuses_a_claim_without_a_record_for_authority_profile_and_day() {
        let day = "2026-12-01T00:00:00Z";
        check(ClaimKind::Accredited, 1, Profile::Seal3, day, true);
        check(ClaimKind::None, 2, Profile::Seal1, "2020-01-01T00:00:00Z", true);
        check(ClaimKind::EuQualified, 1, Profile::Seal3, day, false);
        check(ClaimKind::Accredited, 2, Profile::Seal3, day, false);
        check(ClaimKind::Accredited, 1, Profile::Seal3Short, day, false);
        check(ClaimKind::Accredited, 1, Profile::Seal3, "2026-10-31T23:59:59Z", false);
        check(ClaimKind::Accredited, 1, Profile::Seal3, "2027-11-01T00:00:00Z", false);
    }
}

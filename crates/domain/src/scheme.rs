//! Scheme files: what a level is called somewhere, on what legal basis, and what may be printed
//! only with a record of accreditation (DOMAIN 5, LV-1).
//!
//! Deliberately not here: the list of a scheme, and how accreditations are recorded.

use serde::Deserialize;

use crate::accreditation::{AccreditationRecord, Backed, ClaimKind, back};
use crate::certificate::Profile;
use crate::id::AuthorityId;
use crate::level::Level;
use crate::proofing::SourceCap;
use crate::time::Timestamp;

/// A scheme as its file says it. Unknown keys are refused.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemeFile {
    /// Code: `jp-2024`.
    pub code: String,
    /// Two-letter country, or `EU`.
    pub country: String,
    /// Whether a credential that is derived from another certificate ends with it.
    cap_to_source: bool,
    /// Its name.
    pub name: Bilingual,
    /// What it rests on.
    pub legal_basis: Bilingual,
    level1: LevelEntry,
    level2: LevelEntry,
    level3: LevelEntry,
}

/// A text in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bilingual {
    /// Japanese.
    pub ja: String,
    /// English.
    pub en: String,
}

/// What a level is called.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct LevelEntry {
    label: String,
    ja: String,
    en: String,
    with: Option<ClaimedEntry>,
}

/// What a level is called when a claim is backed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimedEntry {
    claim: ClaimKind,
    label: String,
    ja: String,
    en: String,
}

/// What may be printed about a seal under a scheme, now. Only [`SchemeFile::printed`] makes one
/// (LV-1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// The label.
    pub label: String,
    /// In words.
    pub words: Bilingual,
}

/// Why a scheme file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum SchemeError {
    /// It is no such file.
    #[error(transparent)]
    Toml(#[from] toml::de::Error),
    /// Its code or country is no such thing.
    #[error("{0} must be {1}")]
    Value(&'static str, &'static str),
}

impl SchemeFile {
    /// The files that come with the program.
    const SHIPPED: [&'static str; 3] = [
        include_str!("scheme/jp-2021.toml"),
        include_str!("scheme/jp-2024.toml"),
        include_str!("scheme/eidas.toml"),
    ];

    /// Reads a file, strictly.
    pub fn parse(text: &str) -> Result<Self, SchemeError> {
        let file: Self = toml::from_str(text)?;
        let code =
            file.code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if file.code.is_empty() || !code {
            return Err(SchemeError::Value("code", "lower-case letters, digits and hyphens"));
        }
        if file.country.len() != 2 || !file.country.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(SchemeError::Value("country", "two capital letters"));
        }
        Ok(file)
    }

    /// The schemes that come with the program.
    pub fn shipped() -> Result<Vec<Self>, SchemeError> {
        Self::SHIPPED.into_iter().map(Self::parse).collect()
    }

    /// Whether derived credentials end with their source.
    pub const fn source_cap(&self) -> SourceCap {
        if self.cap_to_source { SourceCap::Capped } else { SourceCap::Grace }
    }

    /// LV-1: what may be printed about a seal of a level by an authority at an instant. A claim is
    /// in it only where a record of accreditation backs it then.
    pub fn printed(
        &self,
        level: Level,
        authority: &AuthorityId,
        records: &[AccreditationRecord],
        now: Timestamp,
    ) -> Printed {
        let entry = match level {
            Level::One => &self.level1,
            Level::Two => &self.level2,
            Level::Three => &self.level3,
        };
        let claimed = entry.with.as_ref().filter(|with| {
            let backed = back(with.claim, records, authority, Profile::seal(level), now);
            matches!(backed, Ok(Backed::By(_)))
        });
        let (label, ja, en) = match claimed {
            Some(with) => (&with.label, &with.ja, &with.en),
            None => (&entry.label, &entry.ja, &entry.en),
        };
        Printed { label: label.clone(), words: Bilingual { ja: ja.clone(), en: en.clone() } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::Validity;
    use crate::id::Entropy;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_371_000);

    struct Zero;
    impl Entropy for Zero {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn record(claim: ClaimKind) -> AccreditationRecord {
        AccreditationRecord {
            authority: AuthorityId::new(NOW, &Zero),
            claim,
            profiles: vec![Profile::Seal3],
            country: "JP".to_owned(),
            disclosures: Vec::new(),
            validity: Validity::days(NOW, 365),
            reference: "1".to_owned(),
        }
    }

    fn check(code: &str, labels: [&str; 3], claim: ClaimKind, with: &str) {
        let all = SchemeFile::shipped().unwrap();
        let scheme = all.into_iter().find(|one| one.code == code).unwrap();
        let authority = AuthorityId::new(NOW, &Zero);
        for (level, label) in Level::ALL.into_iter().zip(labels) {
            assert_eq!(scheme.printed(level, &authority, &[], NOW).label, label, "{code} {level}");
        }
        let records = [record(claim)];
        let three = |at| scheme.printed(Level::Three, &authority, &records, at).label;
        assert_eq!(three(NOW), with, "{code}");
        // A day after the accreditation ended the claim is not printed any more.
        assert_eq!(three(NOW.plus_days(366)), labels[2], "{code}");
        let two = scheme.printed(Level::Two, &authority, &records, NOW).label;
        assert_eq!(two, labels[1], "{code}");
    }

    #[test]
    fn lv_1_no_claim_is_printed_without_a_valid_record() {
        check("jp-2021", ["L1", "L2", "L3"], ClaimKind::Accredited, "L3");
        check("jp-2024", ["L1", "L1", "L1"], ClaimKind::Accredited, "L2");
        check("jp-2024", ["L1", "L1", "L1"], ClaimKind::EuQualified, "L1");
        check("eidas", ["seal", "advanced", "advanced"], ClaimKind::EuQualified, "qualified");
        check("eidas", ["seal", "advanced", "advanced"], ClaimKind::Accredited, "advanced");
    }

    #[test]
    fn a_scheme_file_is_read_strictly() {
        let [text, ..] = SchemeFile::SHIPPED;
        assert!(SchemeFile::parse(text).is_ok());
        for (from, to) in [
            ("country = \"JP\"", "country = \"Japan\""),
            ("code = \"jp-2021\"", "code = \"JP 2021\""),
            ("[level3]", "[level3]\nqualified = true"),
            ("cap_to_source = false", ""),
        ] {
            let changed = text.replace(from, to);
            assert_ne!(changed, text);
            assert!(SchemeFile::parse(&changed).is_err(), "{to}");
        }
    }
}

//! Proof of where a key was made (DOMAIN 9): evidence as it is kept with the key, and the
//! custodian's statement.
//!
//! Deliberately not here: the reading and verifying of what devices say, which is `pki`'s, and the
//! demands of a level, which are the policy's.

use serde::Deserialize;
use serde_json::json;

use crate::canonical::{CanonicalError, Digest, canonical};
use crate::container::Container;
use crate::id::{ApplicationId, ContainerId, KeyEvidenceId, KeyId};
use crate::key::{Fingerprint, OriginClass, words};
use crate::name::comparable;
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

words! {
    /// The form of evidence of a key's origin. Stored: add, never change one.
    EvidenceFormat {
        /// Attestation certificates of the YubiHSM 2.
        YubiHsm = "yubihsm-x509",
        /// Certificates of a device that nothing here can verify.
        Certificate = "x509",
        /// A key confirmation in CMS.
        Cms = "cms",
        /// A statement in JSON, of a cloud or network device.
        Json = "json",
        /// Anything else.
        Unknown = "unknown",
        /// The custodian's signed statement.
        Statement = "custodian-statement",
        /// What the platform's own key store reported when it made the key.
        Platform = "platform",
        /// The record of a ceremony at which the key was made.
        Ceremony = "ceremony",
    }
}

/// Evidence of where a key was made, as it was handed in, with what it came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyEvidence {
    /// Identifier.
    pub id: KeyEvidenceId,
    /// The key.
    pub key: KeyId,
    /// Its form.
    pub format: EvidenceFormat,
    /// The class that it shows.
    pub class: OriginClass,
    /// Code of the vendor's root, where a device attested the key.
    pub vendor: Option<String>,
    /// Serial number of the device, where the evidence names one.
    pub serial: Option<String>,
    /// The device's name for the key, where the evidence names one.
    pub object: Option<String>,
    /// The registered container.
    pub container: Option<ContainerId>,
    /// The octets that were handed in.
    pub content: Vec<u8>,
    /// Their digest.
    pub digest: Digest,
    /// When it was taken.
    pub at: Timestamp,
}

/// The version of the statement's text.
const VERSION: u64 = 1;

/// The custodian's statement that a key was made in a container and not copied (K1).
///
/// It names the application's challenge, so it is made for this application, and while the challenge
/// is fresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The application.
    pub application: ApplicationId,
    /// Its current challenge.
    pub challenge: String,
    /// The key.
    pub fingerprint: Fingerprint,
    /// The container.
    pub container: ContainerId,
    /// Model of the device.
    pub model: String,
    /// Serial number of the device.
    pub serial: String,
    /// Who answers for the container.
    pub custodian: String,
    /// The day on which the key was made: `2026-11-22`.
    pub generated: String,
}

/// A statement as it is handed in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    v: u64,
    application: ApplicationId,
    challenge: String,
    fingerprint: Fingerprint,
    container: ContainerId,
    model: String,
    serial: String,
    custodian: String,
    generated: String,
    not_copied: bool,
    signature: String,
}

fn wrong(problem: &str) -> Refusal {
    Refusal::new(RefusalCode::AttestationInvalid, "KM-9").with("problem", problem)
}

impl Statement {
    /// What is signed: canonical JSON (RFC 8785), UTF-8, without a line end.
    pub fn text(&self) -> Result<String, CanonicalError> {
        canonical(&json!({
            "v": VERSION,
            "application": self.application,
            "challenge": self.challenge,
            "fingerprint": self.fingerprint,
            "container": self.container,
            "model": self.model,
            "serial": self.serial,
            "custodian": self.custodian,
            "generated": self.generated,
            "not_copied": true,
        }))
    }

    /// The file that is handed in: the members of the text, and `signature` in hexadecimal.
    pub fn signed(&self, signature: &[u8]) -> Result<String, CanonicalError> {
        let text = self.text()?;
        let open = text.strip_suffix('}').unwrap_or(&text);
        Ok(format!("{open},\"signature\":\"{}\"}}\n", hex::encode(signature)))
    }

    /// Reads a file; gives the statement and the signature, not verified.
    pub fn read(file: &[u8]) -> Result<(Self, Vec<u8>), Refusal> {
        let written: Written =
            serde_json::from_slice(file).map_err(|_| wrong("statement-damaged"))?;
        if written.v != VERSION {
            return Err(wrong("statement-damaged"));
        }
        if !written.not_copied {
            return Err(wrong("statement-copied"));
        }
        let signature = hex::decode(&written.signature).map_err(|_| wrong("statement-damaged"))?;
        let statement = Self {
            application: written.application,
            challenge: written.challenge,
            fingerprint: written.fingerprint,
            container: written.container,
            model: written.model,
            serial: written.serial,
            custodian: written.custodian,
            generated: written.generated,
        };
        Ok((statement, signature))
    }

    /// The refusal of a signature that does not hold.
    pub fn unsigned() -> Refusal {
        wrong("statement-signature")
    }

    /// Whether it says what is registered, about this key, for this application, now.
    pub fn check(
        &self,
        (application, challenge): (&ApplicationId, &str),
        fingerprint: &Fingerprint,
        container: &Container,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if self.application != *application || self.challenge != challenge {
            return Err(wrong("statement-challenge"));
        }
        if self.fingerprint != *fingerprint {
            return Err(wrong("attests-other-key"));
        }
        if self.container != container.id
            || comparable(&self.model) != comparable(&container.model)
            || !container.is_device(&self.serial)
        {
            return Err(wrong("other-device"));
        }
        if comparable(&self.custodian) != comparable(&container.custodian.name) {
            return Err(wrong("statement-custodian"));
        }
        match Timestamp::parse(&format!("{}T00:00:00Z", self.generated)) {
            Some(day) if day <= now => Ok(()),
            Some(_) | None => Err(wrong("statement-date")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::branch::Custodian;
    use crate::container::{ContainerKind, ContainerState};
    use crate::id::{Entropy, OrganisationId};

    struct Zero;
    impl Entropy for Zero {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    const NOW: Timestamp = Timestamp::from_seconds(1_795_371_000);

    fn container() -> Container {
        Container {
            id: ContainerId::new(NOW, &Zero),
            organisation: OrganisationId::new(NOW, &Zero),
            branch: None,
            kind: ContainerKind::Token,
            model: "Model 7".to_owned(),
            serial: "00123456".to_owned(),
            firmware: String::new(),
            certification: String::new(),
            partition: String::new(),
            custodian: Custodian::parse("見本 花子", "hanako@sample.example").unwrap(),
            location: "safe".to_owned(),
            inventory: Vec::new(),
            state: ContainerState::Verified,
            registered_at: NOW,
        }
    }

    fn statement() -> Statement {
        Statement {
            application: ApplicationId::new(NOW, &Zero),
            challenge: "fresh".to_owned(),
            fingerprint: Fingerprint(Digest([1; 32])),
            container: container().id,
            model: "model 7".to_owned(),
            serial: "123456".to_owned(),
            custodian: "見本 花子".to_owned(),
            generated: "2026-11-20".to_owned(),
        }
    }

    fn check(change: impl FnOnce(&mut Statement), expected: Option<&str>) {
        let mut told = statement();
        change(&mut told);
        let file = told.signed(&[0xAB]).unwrap();
        let (read, signature) = Statement::read(file.as_bytes()).unwrap();
        assert_eq!((&read, signature.as_slice()), (&told, &[0xAB][..]));
        let own = statement();
        let about = (&own.application, own.challenge.as_str());
        let refused = read.check(about, &own.fingerprint, &container(), NOW).err();
        if let Some(refused) = &refused {
            assert_eq!((refused.code, &*refused.rule), (RefusalCode::AttestationInvalid, "KM-9"));
        }
        assert_eq!(refused.map(|refused| refused.facts["problem"].clone()).as_deref(), expected);
    }

    #[test]
    fn km_9_a_custodian_s_statement_says_what_is_registered() {
        check(|_| {}, None);
        check(|s| s.challenge = "old".to_owned(), Some("statement-challenge"));
        check(|s| s.fingerprint = Fingerprint(Digest([2; 32])), Some("attests-other-key"));
        check(|s| s.serial = "123457".to_owned(), Some("other-device"));
        check(|s| s.model = "Model 8".to_owned(), Some("other-device"));
        check(|s| s.custodian = "見本 太郎".to_owned(), Some("statement-custodian"));
        check(|s| s.generated = "2026-11-24".to_owned(), Some("statement-date"));
        check(|s| s.generated = "yesterday".to_owned(), Some("statement-date"));
    }

    #[test]
    fn a_statement_is_canonical_and_admits_no_copy() {
        let text = statement().text().unwrap();
        assert!(text.starts_with(r#"{"application":"app_"#), "{text}");
        assert!(text.contains(r#""not_copied":true"#), "{text}");
        let file = statement().signed(&[1]).unwrap();
        let problem =
            |file: &str| Statement::read(file.as_bytes()).unwrap_err().facts["problem"].clone();
        assert_eq!(problem(&file.replace("true", "false")), "statement-copied");
        assert_eq!(problem(&file.replace("\"v\":1", "\"v\":2")), "statement-damaged");
        assert_eq!(problem("{}"), "statement-damaged");
    }
}

//! Key ceremonies: who must be there, what is done in which order, and what is written down
//! (DOMAIN 7 `[ceremony]`, KM-19).
//!
//! A ceremony is one file that people read, print and sign ([`script`]); its record holds what was
//! done ([`record`]). Deliberately not here: the keys, and the terminal that asks.

pub mod record;
pub mod script;
pub mod template;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::authority::{AuthorityCode, AuthorityKind, ShardCount};
use crate::canonical::{CanonicalError, Digest};
use crate::id::{ApplicationId, CeremonyId, ContainerId};
use crate::key::{KeyAlgorithm, words};
use crate::name::{Name, comparable};
use crate::organisation::Language;
use crate::policy::{Installation, KeyPolicy};
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

words! {
    /// What a ceremony is held for.
    CeremonyKind {
        /// A root gets its first key.
        RootGeneration = "root-generation",
        /// A policy or issuing authority gets its first key.
        IssuingGeneration = "issuing-generation",
        /// An authority gets its next generation (RO-4).
        Rollover = "rollover",
        /// One root certifies another.
        CrossCertify = "cross-certify",
        /// The key of an offline root answers a request.
        OfflineSign = "offline-sign",
        /// The key of an authority is destroyed, and the authority ends.
        Destruction = "destruction",
        /// A suspended authority issues again.
        Activation = "activation",
        /// The key of a seal is made before witnesses, in its holder's container (K4 of DOMAIN 9).
        WitnessedKey = "key-generation-witnessed",
    }
}

words! {
    /// What a person is at a ceremony.
    CeremonyRole {
        /// Leads, reads each step aloud; one of the persons.
        Leader = "leader",
        /// Acts with a share in the key; one of the persons.
        Officer = "officer",
        /// Watches, and ticks what was seen.
        Witness = "witness",
        /// Watches for the auditor.
        Auditor = "auditor",
    }
}

words! {
    /// What the program does at a step; most steps are done by hand.
    StepAct {
        /// The persons named are there.
        RollCall = "roll-call",
        /// The version of the program and the policy are read aloud.
        CheckSoftware = "check-software",
        /// A key is made.
        GenerateKey = "generate-key",
        /// A certificate is signed.
        Certify = "certify",
        /// The authority begins to issue.
        Activate = "activate",
        /// The first CRL is signed.
        IssueCrl = "issue-crl",
        /// Cross-certificates are signed.
        CrossCertify = "cross-certify",
        /// The former generation stops issuing.
        RetireFormer = "retire-former",
        /// A request bundle is answered.
        AnswerRequest = "answer-request",
        /// The last CRL is signed.
        LastCrl = "last-crl",
        /// The key is destroyed.
        DestroyKey = "destroy-key",
        /// The key of a seal is made in its container, and the request that shows it is read.
        WitnessKey = "witness-key",
        /// Something done by hand: media put away, seals noted.
        ByHand = "by-hand",
        /// Everybody named signs what was recorded.
        Sign = "sign",
        /// The record is closed.
        Close = "close",
    }
}

/// Somebody who takes part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// As what.
    pub role: CeremonyRole,
    /// The person's name.
    pub person: Name,
}

/// One step of the script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its number, from 1.
    pub number: i32,
    /// What is done, in words.
    pub instruction: String,
    /// What everybody should see.
    pub expect: String,
    /// Who does it.
    pub who: CeremonyRole,
    /// What the program does.
    pub act: StepAct,
}

/// What a ceremony is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A new authority.
    Create(Box<NewAuthority>),
    /// The next generation of an authority.
    Rollover {
        /// The present generation.
        authority: AuthorityCode,
        /// Whether the two generations certify each other.
        cross: CrossWish,
    },
    /// A certificate for one root by another.
    Cross {
        /// The root that is certified.
        certified: AuthorityCode,
        /// The root that signs.
        by: AuthorityCode,
    },
    /// One authority: its key signs offline, is destroyed, or is activated.
    Authority {
        /// Which one.
        authority: AuthorityCode,
    },
    /// The key of a seal, made in a container before witnesses.
    SealKey {
        /// The application that waits for the key.
        application: ApplicationId,
        /// The registered container.
        container: ContainerId,
    },
}

words! {
    /// Whether two generations of a root certify each other.
    CrossWish {
        /// In both directions.
        Both = "both",
        /// Not at all.
        None = "none",
    }
}

/// A new authority as the file describes it; the organisation is looked up when it is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAuthority {
    /// Short name in addresses.
    pub code: AuthorityCode,
    /// Kind and level.
    pub kind: AuthorityKind,
    /// Generation.
    pub generation: i32,
    /// Common name.
    pub name: Name,
    /// Algorithm of the key.
    pub algorithm: KeyAlgorithm,
    /// Validity in days.
    pub days: Option<i64>,
    /// The issuing authority.
    pub issuer: Option<AuthorityCode>,
    /// The identifier of the one organisation that it serves.
    pub organisation: Option<String>,
    /// Into how many lists its CRL is cut.
    #[serde(default, skip_serializing_if = "ShardCount::is_one")]
    pub crl_shards: ShardCount,
}

/// A ceremony as its file describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ceremony {
    /// Identifier.
    pub id: CeremonyId,
    /// What it is held for.
    pub kind: CeremonyKind,
    /// A headline.
    pub title: String,
    /// The language of the steps.
    pub language: Language,
    /// For which kind of installation.
    pub installation: Installation,
    /// Where the recording will be kept, if there is one.
    pub recording: Option<String>,
    /// Who takes part.
    pub roles: Vec<Participant>,
    /// What it is about.
    pub subject: Subject,
    /// What is done.
    pub steps: Vec<Step>,
}

/// Who must be there, as `[ceremony]` of the policy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// Persons with a share in the act: leader and officers.
    pub persons: i64,
    /// Witnesses besides.
    pub witnesses: i64,
    /// Whether an auditor or a recording must be there too.
    pub auditor_or_recording: bool,
}

/// The three kinds of act with an authority's key that the policy tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CeremonyRules {
    /// Making a key.
    pub generation: Presence,
    /// Using or activating a key.
    pub activation: Presence,
    /// Destroying a key.
    pub destruction: Presence,
}

impl CeremonyRules {
    /// The defaults of DOMAIN 7.
    pub const DEFAULT: Self = Self {
        generation: Presence { persons: 2, witnesses: 1, auditor_or_recording: true },
        activation: Presence { persons: 2, witnesses: 0, auditor_or_recording: false },
        destruction: Presence { persons: 2, witnesses: 1, auditor_or_recording: false },
    };

    /// What `[ceremony]` of a policy says.
    pub fn of_policy(policy: &KeyPolicy) -> Self {
        let of = |rule: &crate::policy::Presence| Presence {
            persons: rule.persons,
            witnesses: rule.witnesses(),
            auditor_or_recording: rule.is_observed(),
        };
        Self {
            generation: of(&policy.ceremony.authority_key_generation),
            activation: of(&policy.ceremony.authority_key_activation),
            destruction: of(&policy.ceremony.authority_key_destruction),
        }
    }

    /// What a kind of ceremony needs.
    pub const fn of(&self, kind: CeremonyKind) -> Presence {
        match kind {
            CeremonyKind::RootGeneration
            | CeremonyKind::IssuingGeneration
            | CeremonyKind::Rollover => self.generation,
            CeremonyKind::CrossCertify | CeremonyKind::OfflineSign | CeremonyKind::Activation => {
                self.activation
            }
            CeremonyKind::Destruction => self.destruction,
            CeremonyKind::WitnessedKey => WITNESSED,
        }
    }
}

/// DOMAIN 9, K4: two persons of the platform. An auditor may stand for one of them.
const WITNESSED: Presence = Presence { persons: 2, witnesses: 0, auditor_or_recording: false };

/// One tick: a person says that a step was done, or was seen to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// The step.
    pub step: i32,
    /// As what.
    pub role: CeremonyRole,
    /// Who.
    pub person: Name,
    /// When.
    pub at: Timestamp,
}

/// Something that went otherwise than the script says; the reason is mandatory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deviation {
    /// At which step.
    pub step: i32,
    /// What and why.
    pub reason: String,
}

/// Leave to act with the key of an authority: the persons that KM-19 demands are there. Only
/// [`Ceremony::consent`] and [`Consent::evaluation`] make one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Consent {
    ceremony: Option<CeremonyId>,
}

impl Consent {
    /// In an evaluation installation one person may do everything (KM-19).
    pub fn evaluation(installation: Installation) -> Result<Self, Refusal> {
        match installation {
            Installation::Evaluation => Ok(Self { ceremony: None }),
            Installation::Production => Err(refused("ceremony")),
        }
    }

    /// The ceremony that it was given at.
    pub const fn ceremony(&self) -> Option<&CeremonyId> {
        self.ceremony.as_ref()
    }
}

fn refused(problem: &str) -> Refusal {
    Refusal::new(RefusalCode::DualControl, "KM-19").with("problem", problem)
}

impl Ceremony {
    /// KM-19: enough persons are named, and nobody in two roles (I-6).
    ///
    /// A ceremony of an evaluation installation may be held by one person; its record says so.
    pub fn check_persons(&self, rules: &CeremonyRules) -> Result<(), Refusal> {
        let mut seen = BTreeSet::new();
        for participant in &self.roles {
            if !seen.insert(comparable(participant.person.as_str())) {
                return Err(refused("two-roles").with("person", &participant.person));
            }
        }
        let count = |roles: &[CeremonyRole]| {
            i64::try_from(self.roles.iter().filter(|p| roles.contains(&p.role)).count())
                .unwrap_or(i64::MAX)
        };
        let needed = rules.of(self.kind);
        let enough = |problem, found: i64, needed: i64| {
            if found >= needed {
                return Ok(());
            }
            Err(refused(problem).with("found", found).with("needed", needed))
        };
        let persons = count(&[CeremonyRole::Leader, CeremonyRole::Officer]);
        if self.kind == CeremonyKind::WitnessedKey {
            // What several people saw is no evidence at all if one person saw it.
            enough("persons", persons, 1)?;
            return enough("persons", persons + count(&[CeremonyRole::Auditor]), needed.persons);
        }
        if self.installation == Installation::Evaluation {
            return Ok(());
        }
        enough("persons", persons, needed.persons)?;
        enough("witnesses", count(&[CeremonyRole::Witness]), needed.witnesses)?;
        let watched = count(&[CeremonyRole::Auditor]) > 0
            || self.recording.as_ref().is_some_and(|text| !text.trim().is_empty());
        if needed.auditor_or_recording && !watched {
            return Err(refused("auditor"));
        }
        Ok(())
    }

    /// KM-19: everybody named answered the roll call, and so the key may move.
    pub fn consent(&self, rules: &CeremonyRules, ticks: &[Tick]) -> Result<Consent, Refusal> {
        self.check_persons(rules)?;
        let call = self.steps.iter().find(|s| s.act == StepAct::RollCall).map_or(0, |s| s.number);
        match self.missing(call, ticks) {
            Some(participant) => Err(refused("absent").with("person", &participant.person)),
            None => Ok(Consent { ceremony: Some(self.id.clone()) }),
        }
    }

    /// Whoever is named and did not tick a step that everybody ticks.
    fn missing(&self, step: i32, ticks: &[Tick]) -> Option<&Participant> {
        let ticked = |one: &&Participant| ticks.iter().any(|t| t.step == step && is_of(t, one));
        self.roles.iter().find(|one| !ticked(one))
    }

    /// The step was ticked by whoever does it, and by every witness; the signing by everybody.
    pub fn check_ticks(&self, step: &Step, ticks: &[Tick]) -> Result<(), Refusal> {
        let ticked = |role: CeremonyRole| {
            let mut of_role = self.roles.iter().filter(|p| p.role == role).peekable();
            let named = of_role.peek().is_some();
            let all = of_role.all(|p| ticks.iter().any(|t| t.step == step.number && is_of(t, p)));
            (named, all)
        };
        let missing =
            |role: CeremonyRole| refused("tick").with("step", step.number).with("role", role);
        if !matches!(ticked(step.who), (true, true)) {
            return Err(missing(step.who));
        }
        if let (true, false) = ticked(CeremonyRole::Witness) {
            return Err(missing(CeremonyRole::Witness));
        }
        match self.missing(step.number, ticks).filter(|_| step.act == StepAct::Sign) {
            Some(participant) => Err(refused("unsigned").with("person", &participant.person)),
            None => Ok(()),
        }
    }

    /// The digest of what the file says.
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        Digest::of_json(&serde_json::json!(self))
    }
}

/// Whether a tick is that of a participant.
fn is_of(tick: &Tick, participant: &Participant) -> bool {
    tick.role == participant.role
        && comparable(tick.person.as_str()) == comparable(participant.person.as_str())
}

#[cfg(test)]
mod tests;

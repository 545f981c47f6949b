//! The record of a ceremony: every step with its ticks, what came out of it, and what deviated
//! (UX 4.2). Its digest goes into the audit trail.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Ceremony, CeremonyRole, Deviation, Step, StepAct, Subject, Tick};
use crate::canonical::{CanonicalError, Digest};
use crate::id::{ApplicationId, ContainerId};
use crate::key::Fingerprint;
use crate::name::comparable;
use crate::policy::Installation;
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

/// The name of the output that tells which key was made.
pub const KEY_FINGERPRINT: &str = "key-fingerprint";

fn wrong(problem: &str) -> Refusal {
    Refusal::new(RefusalCode::AttestationInvalid, "KM-9").with("problem", problem)
}

/// Something that came out of a step: a fingerprint, a serial number, a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// What it is: `key-fingerprint`, `certificate-sha256`, `software` …
    pub name: String,
    /// The value, to be read aloud.
    pub value: String,
}

impl Output {
    /// An output.
    pub fn new(name: &str, value: impl ToString) -> Self {
        Self { name: name.to_owned(), value: value.to_string() }
    }
}

/// A step that was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Its number.
    pub number: i32,
    /// When it was done.
    pub at: Timestamp,
    /// Who ticked it.
    pub ticks: Vec<Tick>,
    /// What came out of it.
    pub outputs: Vec<Output>,
    /// What went otherwise.
    pub deviation: Option<Deviation>,
}

/// How far a ceremony is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CeremonyRecord {
    /// The file.
    pub ceremony: Ceremony,
    /// The digest of what the file says.
    pub script: Digest,
    /// The program's version.
    pub software: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// The steps done so far, in order.
    pub steps: Vec<StepRecord>,
    /// When it was closed; `None` while it is held.
    pub closed_at: Option<Timestamp>,
}

impl CeremonyRecord {
    /// A ceremony that begins now.
    pub fn open(
        ceremony: Ceremony,
        software: &str,
        now: Timestamp,
    ) -> Result<Self, CanonicalError> {
        Ok(Self {
            script: ceremony.digest()?,
            ceremony,
            software: software.to_owned(),
            opened_at: now,
            steps: Vec::new(),
            closed_at: None,
        })
    }

    /// The next step; `None` when all are done.
    pub fn next_step(&self) -> Option<&Step> {
        self.ceremony.steps.get(self.steps.len())
    }

    /// Every tick so far.
    pub fn ticks(&self) -> Vec<Tick> {
        self.steps.iter().flat_map(|step| step.ticks.iter().cloned()).collect()
    }

    /// What came out of the step of an act, under a name.
    pub fn output(&self, act: StepAct, name: &str) -> Option<&str> {
        let step = self.ceremony.steps.iter().find(|step| step.act == act)?;
        let done = self.steps.iter().find(|done| done.number == step.number)?;
        done.outputs.iter().find(|one| one.name == name).map(|one| one.value.as_str())
    }

    /// What the record shows of the origin of a seal's key: the key and its container were seen by
    /// everybody who signed, which is two persons of the platform, or one and an auditor
    /// (DOMAIN 9, K4).
    pub fn check_witnessed(
        &self,
        application: &ApplicationId,
        key: &Fingerprint,
    ) -> Result<&ContainerId, Refusal> {
        let container = match &self.ceremony.subject {
            Subject::SealKey { application: about, container } if about == application => container,
            Subject::SealKey { .. }
            | Subject::Create(_)
            | Subject::Rollover { .. }
            | Subject::Cross { .. }
            | Subject::Authority { .. } => return Err(Self::unknown()),
        };
        if self.closed_at.is_none() {
            return Err(wrong("ceremony-open"));
        }
        if self.output(StepAct::WitnessKey, KEY_FINGERPRINT) != Some(&key.to_string()) {
            return Err(wrong("attests-other-key"));
        }
        let sign = self.ceremony.steps.iter().find(|step| step.act == StepAct::Sign);
        let signed: BTreeSet<_> = self
            .ticks()
            .into_iter()
            .filter(|tick| sign.is_some_and(|step| step.number == tick.step))
            .filter(|tick| tick.role != CeremonyRole::Witness)
            .map(|tick| comparable(tick.person.as_str()))
            .collect();
        if signed.len() < 2 {
            return Err(wrong("ceremony-unsigned"));
        }
        Ok(container)
    }

    /// The refusal of a record that is not there, or is about something else.
    pub fn unknown() -> Refusal {
        wrong("ceremony-unknown")
    }

    /// Whether it was held to try things out.
    pub fn is_evaluation(&self) -> bool {
        self.ceremony.installation == Installation::Evaluation
    }

    /// The digest of the record as it is now.
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        Digest::of_json(&serde_json::json!(self))
    }
}

//! The record of a ceremony: every step with its ticks, what came out of it, and what deviated
//! (UX 4.2). Its digest goes into the audit trail.

use serde::{Deserialize, Serialize};

use super::{Ceremony, Deviation, Step, Tick};
use crate::canonical::{CanonicalError, Digest};
use crate::policy::Installation;
use crate::time::Timestamp;

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

    /// Whether it was held to try things out.
    pub fn is_evaluation(&self) -> bool {
        self.ceremony.installation == Installation::Evaluation
    }

    /// The digest of the record as it is now.
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        Digest::of_json(&serde_json::json!(self))
    }
}

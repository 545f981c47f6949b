//! Suspension: a certificate on hold, for how long, and how the hold ends (DOMAIN 6.4, 14).

use serde::{Deserialize, Serialize};

use crate::certificate::{Certificate, CertificateState, Profile};
use crate::id::CertificateId;
use crate::key::words;
use crate::refusal::{Refusal, RefusalCode};
use crate::revocation::{Cause, Revocation};
use crate::time::Timestamp;

words! {
    /// Why a certificate is put on hold.
    HoldCause {
        /// The facts are unclear.
        UnclearFacts = "unclear-facts",
        /// A copy of the key is suspected.
        CopySuspected = "copy-suspected",
        /// Another holder came with the same key.
        DuplicateKey = "duplicate-key",
        /// The custodian left, or the grant ended.
        CustodianGone = "custodian-gone",
        /// The device failed and a successor is on its way (RO-2).
        EmergencyRotation = "emergency-rotation",
        /// Its branch office pauses.
        BranchPaused = "branch-paused",
    }
}

impl HoldCause {
    /// Whether somebody suspected something: whoever did never decides that it was nothing
    /// (DOMAIN 17).
    pub const fn is_suspicion(self) -> bool {
        match self {
            Self::UnclearFacts | Self::CopySuspected | Self::DuplicateKey => true,
            Self::CustodianGone | Self::EmergencyRotation | Self::BranchPaused => false,
        }
    }

    /// The cause of the revocation when the hold is made final.
    pub const fn when_final(self) -> Cause {
        match self {
            Self::CopySuspected | Self::DuplicateKey => Cause::KeyExposed,
            Self::EmergencyRotation => Cause::Replaced,
            Self::UnclearFacts | Self::CustodianGone => Cause::RightWithdrawn,
            Self::BranchPaused => Cause::OfficeClosed,
        }
    }
}

/// A certificate on hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    /// Which certificate.
    pub certificate: CertificateId,
    /// Since when; the revocation date when it is made final (RV-1).
    pub from: Timestamp,
    /// The limit: from here on it is lifted by nobody.
    pub until: Timestamp,
    /// Why.
    pub because: HoldCause,
    /// Who ordered it.
    pub by: String,
    /// The officer who asked for the one extension.
    pub extension_asked_by: Option<String>,
    /// When the extension was granted by a second officer.
    pub extended_at: Option<Timestamp>,
    /// When it was lifted or made final.
    pub ended_at: Option<Timestamp>,
}

/// RV-1: how many days a suspension may last.
pub const fn limit_days(profile: Profile) -> i64 {
    if matches!(profile, Profile::Seal3) { 14 } else { 30 }
}

fn conflict(certificate: &Certificate) -> Refusal {
    Refusal::new(RefusalCode::StateConflict, "6.4")
        .with("serial", &certificate.serial)
        .with("state", certificate.state.word())
}

/// Decides a suspension. Only an active certificate of a seal is put on hold; a second order for
/// one that is on hold is refused, as any transition that is not listed.
pub fn suspend(
    certificate: &Certificate,
    because: HoldCause,
    by: &str,
    now: Timestamp,
) -> Result<Suspension, Refusal> {
    if certificate.seal.is_none() {
        return Err(
            Refusal::new(RefusalCode::DualControl, "KM-19").with("serial", &certificate.serial)
        );
    }
    match &certificate.state {
        CertificateState::Active if !certificate.is_expired(now) => {}
        CertificateState::Revoked(earlier) => {
            return Err(Refusal::new(RefusalCode::RevocationFinal, "RV-2")
                .with("serial", &certificate.serial)
                .with("date", earlier.at));
        }
        CertificateState::Active
        | CertificateState::Pending
        | CertificateState::Issued
        | CertificateState::Held(_)
        | CertificateState::Suspended(_)
        | CertificateState::Retired => return Err(conflict(certificate)),
    }
    let from = now.floor();
    Ok(Suspension {
        certificate: certificate.id.clone(),
        from,
        until: from.plus_days(limit_days(certificate.profile)),
        because,
        by: by.to_owned(),
        extension_asked_by: None,
        extended_at: None,
        ended_at: None,
    })
}

impl Suspension {
    /// What relying parties are told while it lasts.
    pub const fn told(&self) -> Revocation {
        Revocation { cause: Cause::Suspended, at: self.from, invalid_since: None }
    }

    /// RV-1: it may be lifted only before its limit.
    pub fn release(&self, certificate: &Certificate, now: Timestamp) -> Result<(), Refusal> {
        if !matches!(certificate.state, CertificateState::Suspended(_)) {
            return Err(conflict(certificate));
        }
        self.within_limit(certificate, now)
    }

    fn within_limit(&self, certificate: &Certificate, now: Timestamp) -> Result<(), Refusal> {
        if now < self.until {
            return Ok(());
        }
        Err(Refusal::new(RefusalCode::SuspensionLimit, "RV-1")
            .with("serial", &certificate.serial)
            .with("until", self.until))
    }

    /// RV-1: extended once, by two officers. The first call is the question, the second, by another
    /// person, the answer.
    pub fn extend(
        &self,
        certificate: &Certificate,
        officer: &str,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        if self.ended_at.is_some() {
            return Err(conflict(certificate));
        }
        self.within_limit(certificate, now)?;
        if self.extended_at.is_some() {
            return Err(Refusal::new(RefusalCode::SuspensionLimit, "RV-1")
                .with("serial", &certificate.serial)
                .with("until", self.until));
        }
        match &self.extension_asked_by {
            None => Ok(Self { extension_asked_by: Some(officer.to_owned()), ..self.clone() }),
            Some(first) if first == officer => {
                Err(Refusal::new(RefusalCode::DualControl, "RV-1")
                    .with("serial", &certificate.serial))
            }
            Some(_) => Ok(Self {
                until: self.until.plus_days(limit_days(certificate.profile)),
                extended_at: Some(now),
                ..self.clone()
            }),
        }
    }

    /// The revocation that a hold becomes: dated from its beginning (RV-1).
    pub fn made_final(&self) -> Revocation {
        let cause = self.because.when_final();
        let invalid_since = (cause == Cause::KeyExposed).then_some(self.from);
        Revocation { cause, at: self.from, invalid_since }
    }
}

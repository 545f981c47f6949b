//! Who may decide about something that others put forward, and whether enough agreed (DOMAIN 17).
//!
//! Deliberately not here: what is decided about, and what follows from it.

use crate::canonical::Digest;
use crate::policy::draft::{APPROVAL_DAYS, PolicyDecision, Verdict};
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

/// What is put to others.
#[derive(Clone, Copy, Debug)]
pub struct Ballot<'b> {
    /// The persons who wrote it, who do not decide about it.
    pub authors: &'b [&'b str],
    /// What others see and agree to.
    pub digest: &'b Digest,
    /// Since when they are asked.
    pub since: Timestamp,
    /// What was decided so far.
    pub decisions: &'b [PolicyDecision],
}

impl Ballot<'_> {
    /// Until when it may be decided.
    pub const fn expires_at(&self) -> Timestamp {
        self.since.plus_days(APPROVAL_DAYS)
    }

    /// Whether a person who was shown `digest` may decide about it now.
    ///
    /// # Errors
    /// The time is over, it is the person's own, the person decided before (I-6), or something else
    /// was shown (AB-13).
    pub fn may_decide(&self, person: &str, shown: &Digest, now: Timestamp) -> Result<(), Refusal> {
        if self.expires_at() < now {
            return Err(
                Refusal::new(RefusalCode::ApprovalExpired, "17").with("until", self.expires_at())
            );
        }
        if self.authors.contains(&person) {
            return Err(Refusal::new(RefusalCode::SelfApproval, "17"));
        }
        if self.decisions.iter().any(|decision| decision.person == person) {
            return Err(Refusal::new(RefusalCode::DualControl, "I-6"));
        }
        if self.digest != shown {
            return Err(Refusal::new(RefusalCode::PolicyChanged, "I-9"));
        }
        Ok(())
    }

    /// How many agreed; each person decides once.
    pub fn agreed(&self) -> usize {
        self.decisions.iter().filter(|one| one.verdict == Verdict::Approved).count()
    }
}

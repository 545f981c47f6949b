//! Rotation: the days of a key's life, when a successor may come, and whether a key may seal
//! (DOMAIN 10, KM-13).

use serde::{Deserialize, Serialize};

use crate::certificate::{Certificate, CertificateState};
use crate::key::{Key, KeyState, words};
use crate::level::Level;
use crate::policy::KeyPolicy;
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

/// What the policy says about the days of a key, for one level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Days a key may seal, from activation.
    pub sealing_days: i64,
    /// Days before the end of sealing at which people are told.
    pub lead_days: i64,
    /// Days before the end of sealing from which a successor may be issued.
    pub open_days: i64,
    /// Longest overlap of a predecessor with its active successor, in days.
    pub overlap_days_max: i64,
    /// Days after the end of sealing until evidence of destruction is due.
    pub due_days: i64,
}

impl Rules {
    /// What a policy says about a level.
    pub fn of(policy: &KeyPolicy, level: Level) -> Self {
        Self {
            sealing_days: policy.level(level).sealing_days,
            lead_days: policy.rotation.lead_days,
            open_days: policy.rotation.open_days,
            overlap_days_max: policy.rotation.overlap_days_max,
            due_days: policy.destruction.due_days_after_retiring,
        }
    }
}

/// The dates of one key (DOMAIN 10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    /// It began to seal.
    pub activated: Timestamp,
    /// People are told that the end is near.
    pub lead: Timestamp,
    /// A successor may be issued from here.
    pub opens: Timestamp,
    /// Sealing ends: the key may seal before this instant only.
    pub sealing_ends: Timestamp,
    /// Evidence of destruction is due.
    pub destruction_due: Timestamp,
    /// The certificate's last second; until then it stays good.
    pub expires: Timestamp,
}

/// The dates of a key activated at `activated` whose certificate ends at `expires`. Where the
/// certificate was issued with an end of sealing of its own, that end counts, so that a change of
/// the policy moves no date that was promised.
pub fn timeline(
    rules: &Rules,
    activated: Timestamp,
    sealing_not_after: Option<Timestamp>,
    expires: Timestamp,
) -> Timeline {
    let by_policy = activated.floor().plus_days(rules.sealing_days);
    let sealing_ends = sealing_not_after.unwrap_or(by_policy).min(expires);
    Timeline {
        activated: activated.floor(),
        lead: sealing_ends.plus_days(-rules.lead_days),
        opens: sealing_ends.plus_days(-rules.open_days),
        sealing_ends,
        destruction_due: sealing_ends.plus_days(rules.due_days),
        expires,
    }
}

words! {
    /// How a rotation is asked for.
    RotationKind {
        /// In its time: within the open window.
        Planned = "planned",
        /// Compromise, device fault, algorithm break (RO-2).
        Emergency = "emergency",
    }
}

/// RO-2: a successor may be ordered from the open window on. Before it, only after the predecessor
/// was suspended or revoked.
pub fn may_succeed(
    predecessor: &Certificate,
    timeline: &Timeline,
    now: Timestamp,
) -> Result<RotationKind, Refusal> {
    match &predecessor.state {
        CertificateState::Suspended(_) | CertificateState::Revoked(_) => {
            return Ok(RotationKind::Emergency);
        }
        CertificateState::Active | CertificateState::Retired => {}
        CertificateState::Pending | CertificateState::Issued | CertificateState::Held(_) => {
            return Err(not_ready(predecessor));
        }
    }
    if now >= timeline.opens {
        return Ok(RotationKind::Planned);
    }
    Err(Refusal::new(RefusalCode::StateConflict, "RO-2")
        .with("serial", &predecessor.serial)
        .with("opens", timeline.opens))
}

/// I-3: nothing succeeds a certificate that is not in use yet.
pub fn not_ready(predecessor: &Certificate) -> Refusal {
    Refusal::new(RefusalCode::StateConflict, "I-3")
        .with("serial", &predecessor.serial)
        .with("state", predecessor.state.word())
}

/// I-3: an instance has one credential in use, and during the overlap one successor beside it.
/// `occupying` are the certificates of the instance that occupy it now.
pub fn has_room(occupying: &[Certificate]) -> Result<(), Refusal> {
    match occupying {
        [] | [_] => Ok(()),
        [first, ..] => Err(Refusal::new(RefusalCode::StateConflict, "I-3")
            .with("serial", &first.serial)
            .with("state", first.state.word())),
    }
}

/// KM-13: whether the key may seal now. Whoever seals asks this first, each time.
pub fn may_seal(certificate: &Certificate, key: &Key, now: Timestamp) -> Result<(), Refusal> {
    let refused = |state: &str| {
        Refusal::new(RefusalCode::SealingNotAllowed, "KM-13")
            .with("serial", &certificate.serial)
            .with("state", state)
    };
    if certificate.key != key.id || key.state != KeyState::Bound {
        return Err(refused(key.state.word()));
    }
    if certificate.state != CertificateState::Active {
        return Err(refused(certificate.state.word()));
    }
    if certificate.is_expired(now) {
        return Err(refused("expired"));
    }
    match certificate.sealing_not_after {
        Some(end) if now >= end => Err(refused("sealing-ended").with("since", end)),
        Some(_) | None => Ok(()),
    }
}

/// Whether a predecessor is to be retired now: its successor is active and the overlap is over, or
/// its sealing period ended (RO-1: retired, not revoked).
pub fn is_to_retire(
    timeline: &Timeline,
    rules: &Rules,
    successor_active_since: Option<Timestamp>,
    now: Timestamp,
) -> bool {
    let overlapped =
        successor_active_since.is_some_and(|since| since.plus_days(rules.overlap_days_max) <= now);
    overlapped || timeline.sealing_ends <= now
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Installation;

    const DAY_0: Timestamp = Timestamp::from_seconds(1_795_371_000);

    fn level3() -> (Rules, Timeline) {
        let rules = Rules::of(&KeyPolicy::initial(Installation::Production), Level::Three);
        (rules, timeline(&rules, DAY_0, None, DAY_0.plus_days(825)))
    }

    #[test]
    fn ro_1_the_days_of_level_3_are_those_of_domain_10() {
        let (_, dates) = level3();
        let days = [dates.lead, dates.opens, dates.sealing_ends, dates.destruction_due]
            .map(|date| DAY_0.days_until(date));
        assert_eq!(days, [335, 365, 395, 425]);
        assert_eq!(DAY_0.days_until(dates.expires), 825);
    }

    #[test]
    fn ro_1_a_predecessor_retires_after_the_overlap_or_at_the_end_of_sealing() {
        let (rules, dates) = level3();
        let retires = |since, day| is_to_retire(&dates, &rules, since, DAY_0.plus_days(day));
        assert!(!retires(None, 394));
        assert!(retires(None, 395));
        let since = Some(DAY_0.plus_days(360));
        assert!(!retires(since, 389));
        assert!(retires(since, 390));
    }

    #[test]
    fn an_end_of_sealing_that_was_promised_is_not_moved() {
        let (rules, _) = level3();
        let promised = DAY_0.plus_days(200);
        let dates = timeline(&rules, DAY_0, Some(promised), DAY_0.plus_days(825));
        assert_eq!((dates.sealing_ends, dates.opens), (promised, DAY_0.plus_days(170)));
    }
}

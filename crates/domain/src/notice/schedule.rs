//! The steps of notices and when they are due; how often a letter is tried.

use std::fmt;

use super::NoticeKind;
use crate::time::Timestamp;

/// A step of a notice. A recipient is told once per step. Stored as a word: add, never change one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// It happened at this instant; may happen again at another.
    At(Timestamp),
    /// It began; happens once.
    Begun,
    /// So many days before the date; 0 is the day itself.
    Before(u16),
    /// So many days after it began, or overdue for the so-manieth day.
    After(u16),
}

impl Step {
    /// Reads the stored word.
    pub fn from_word(word: &str) -> Option<Self> {
        let (name, number) = word.split_once('-').unwrap_or((word, ""));
        match (name, number) {
            ("begun", "") => Some(Self::Begun),
            ("at", millis) => Some(Self::At(Timestamp::from_millis(millis.parse().ok()?))),
            ("before", days) => Some(Self::Before(days.parse().ok()?)),
            ("after", days) => Some(Self::After(days.parse().ok()?)),
            _ => None,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(at) => write!(f, "at-{}", at.millis()),
            Self::Begun => f.write_str("begun"),
            Self::Before(days) => write!(f, "before-{days}"),
            Self::After(days) => write!(f, "after-{days}"),
        }
    }
}

/// The time between the beginning of something and its date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// When it began: issued, retired, submitted.
    pub since: Timestamp,
    /// The date: it ends, or is due.
    pub date: Timestamp,
}

/// Days after its date until which an end is still told, when nobody could be told before.
const TOLD_LATE_DAYS: i64 = 30;

/// Steps in days before an end (DOMAIN 19), longest first.
const ENDS: &[u16] = &[90, 60, 30, 14, 7, 1, 0];
const DESTRUCTION: &[u16] = &[14, 7, 1];
const GRANT: &[u16] = &[60, 30, 7];
const SERVICE: &[u16] = &[30, 14, 7, 3, 1];
/// Reminders, in days after the beginning.
const REMINDERS: &[u16] = &[3, 7];

/// The step that is due now: the latest that has come. Those before it are passed over, also when
/// nobody was told of them. `None` while none has come, for what is told at once by an event, and
/// for what ended long ago.
///
/// A step before the beginning does not exist: what lives for five days has none of seven.
pub fn step_due(kind: NoticeKind, term: Term, now: Timestamp) -> Option<Step> {
    match kind {
        NoticeKind::SealingEnds | NoticeKind::CertificateEnds => before(ENDS, term, now),
        NoticeKind::GrantEnds => before(GRANT, term, now),
        NoticeKind::CrlEnds
        | NoticeKind::OcspSignerEnds
        | NoticeKind::ListEnds
        | NoticeKind::AuthorityEnds => before(SERVICE, term, now),
        NoticeKind::DestructionDue => {
            let overdue = (term.date <= now).then(|| term.date.days_until(now).saturating_add(1));
            overdue
                .map(|days| Step::After(u16::try_from(days).unwrap_or(u16::MAX)))
                .or_else(|| before(DESTRUCTION, term, now))
                .or_else(|| begun(term, now))
        }
        NoticeKind::ApplicationWaiting => {
            let passed = |days: &u16| term.since.plus_days(i64::from(*days)) <= now;
            let last = REMINDERS.iter().copied().filter(passed).max();
            last.map(Step::After).or_else(|| begun(term, now))
        }
        NoticeKind::ProofingFailed
        | NoticeKind::RegisterMismatch
        | NoticeKind::DuplicateKey
        | NoticeKind::CopySuspected
        | NoticeKind::CertificateRevoked
        | NoticeKind::CertificateSuspended
        | NoticeKind::CertificateReleased
        | NoticeKind::ListTroubled => None,
    }
}

fn begun(term: Term, now: Timestamp) -> Option<Step> {
    (term.since <= now).then_some(Step::Begun)
}

fn before(steps: &[u16], term: Term, now: Timestamp) -> Option<Step> {
    if now >= term.date.plus_days(TOLD_LATE_DAYS) {
        return None;
    }
    let has_come = |days: &u16| {
        let from = match days {
            // On the day: from its first second, so that it is told before the end.
            0 => first_second(term.date),
            days => term.date.plus_days(-i64::from(*days)),
        };
        from > term.since && from <= now
    };
    steps.iter().copied().filter(has_come).min().map(Step::Before)
}

/// Days are those of Japan, as letters and pages write them.
const JAPAN_SECONDS: i64 = 9 * 3_600;

fn first_second(at: Timestamp) -> Timestamp {
    let midnight = Timestamp::EPOCH.plus_seconds(-JAPAN_SECONDS);
    midnight.plus_days(midnight.days_until(at))
}

/// Seconds until the next try after each failed one: quickly at first, then once a day.
const PAUSES: [i64; 11] =
    [60, 300, 900, 3_600, 4 * 3_600, 8 * 3_600, 12 * 3_600, 86_400, 86_400, 86_400, 86_400];

/// The try after which a letter is given up: about five days after the first.
pub const LAST_ATTEMPT: i32 = 12;

/// Days after which a letter that never left tells nothing any more: mail was set up too late.
const STALE_DAYS: i64 = 30;

/// Whether a letter has waited for so long that it is not sent any more.
pub fn is_stale(due_at: Timestamp, now: Timestamp) -> bool {
    due_at.plus_days(STALE_DAYS) <= now
}

/// When a letter is tried again after so many failed tries; `None` when it is given up.
pub fn try_again(attempts: i32, now: Timestamp) -> Option<Timestamp> {
    let place = usize::try_from(attempts.checked_sub(1)?).ok()?;
    PAUSES.get(place).map(|seconds| now.plus_seconds(*seconds))
}

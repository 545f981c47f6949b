//! What the responder counts: plain numbers in memory, read by the metrics and by a job that keeps
//! them. Nothing here is about a person or an organisation.

use std::sync::atomic::{AtomicU64, Ordering};

/// What is counted, one name for each number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Answers: the certificate is good.
    Good,
    /// Answers: the certificate is revoked or on hold.
    Revoked,
    /// Answers: not issued here, or asked at the wrong address.
    Unauthorized,
    /// Answers: the request could not be read.
    Malformed,
    /// Answers: come back later.
    TryLater,
    /// Answers about several certificates.
    Several,
    /// Answers that were kept from before.
    Kept,
    /// Signatures for answers that are kept.
    Signed,
    /// Signatures for one request alone.
    Live,
    /// Requests with a nonce that got an answer without one, because the budget was used up.
    NonceLeft,
    /// Signatures that did not come: the key store failed or was away.
    Failed,
    /// Requests that were refused because too many signatures were waiting.
    Crowded,
    /// Requests that were refused because their address had asked too much.
    Limited,
}

impl Count {
    /// Everything that is counted, with its name in the metrics.
    pub const ALL: [(Self, &'static str); 13] = [
        (Self::Good, "good"),
        (Self::Revoked, "revoked"),
        (Self::Unauthorized, "unauthorized"),
        (Self::Malformed, "malformed"),
        (Self::TryLater, "try_later"),
        (Self::Several, "several"),
        (Self::Kept, "kept"),
        (Self::Signed, "signed"),
        (Self::Live, "live"),
        (Self::NonceLeft, "nonce_left"),
        (Self::Failed, "failed"),
        (Self::Crowded, "crowded"),
        (Self::Limited, "limited"),
    ];

    /// Whether it counts answers, each answer being counted under one of these.
    pub const fn is_answer(self) -> bool {
        match self {
            Self::Good
            | Self::Revoked
            | Self::Unauthorized
            | Self::Malformed
            | Self::TryLater
            | Self::Several => true,
            Self::Kept
            | Self::Signed
            | Self::Live
            | Self::NonceLeft
            | Self::Failed
            | Self::Crowded
            | Self::Limited => false,
        }
    }
}

/// How long something takes. No instant of the day: the injected clock may stand still or jump.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "a duration, which no rule depends on")]
    pub(crate) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    pub(crate) fn micros(self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// Upper ends of the classes of durations, in microseconds; one class more is above all.
pub const DURATION_CLASSES: [u64; 12] =
    [10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 20_000, 100_000, 1_000_000];

/// The numbers.
#[derive(Debug, Default)]
pub struct Figures {
    counts: [AtomicU64; Count::ALL.len()],
    durations: [AtomicU64; DURATION_CLASSES.len() + 1],
    /// All durations together, in microseconds.
    duration_sum: AtomicU64,
}

impl Figures {
    fn cell(&self, count: Count) -> Option<&AtomicU64> {
        let place = Count::ALL.iter().position(|(known, _)| *known == count)?;
        self.counts.get(place)
    }

    /// Counts one.
    pub(crate) fn add(&self, count: Count) {
        if let Some(cell) = self.cell(count) {
            cell.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Notes how long a request took from its last octet to its answer.
    pub(crate) fn took(&self, micros: u64) {
        let class = DURATION_CLASSES.iter().take_while(|end| micros > **end).count();
        if let Some(cell) = self.durations.get(class) {
            cell.fetch_add(1, Ordering::Relaxed);
        }
        self.duration_sum.fetch_add(micros, Ordering::Relaxed);
    }

    /// One number.
    pub fn get(&self, count: Count) -> u64 {
        self.cell(count).map_or(0, |cell| cell.load(Ordering::Relaxed))
    }

    /// All answers given.
    pub fn answers(&self) -> u64 {
        Count::ALL.iter().filter(|(count, _)| count.is_answer()).map(|(c, _)| self.get(*c)).sum()
    }

    /// How many requests fell into each class of [`DURATION_CLASSES`] and above, and their sum in
    /// microseconds.
    pub fn durations(&self) -> (Vec<u64>, u64) {
        let all = self.durations.iter().map(|cell| cell.load(Ordering::Relaxed)).collect();
        (all, self.duration_sum.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_has_a_number_of_its_own() {
        let figures = Figures::default();
        for (times, (count, _)) in (1_u64..).zip(Count::ALL) {
            (0..times).for_each(|_| figures.add(count));
        }
        for (times, (count, name)) in (1_u64..).zip(Count::ALL) {
            assert_eq!(figures.get(count), times, "{name}");
        }
        assert_eq!(figures.answers(), 21);
    }

    #[test]
    fn durations_fall_into_their_class() {
        let figures = Figures::default();
        for micros in [10, 11, 1_000_000, 1_000_001] {
            figures.took(micros);
        }
        let (classes, sum) = figures.durations();
        assert_eq!((classes[0], classes[1], classes[11], classes[12]), (1, 1, 1, 1));
        assert_eq!(sum, 2_000_022);
    }
}

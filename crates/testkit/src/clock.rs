//! A clock that stands still until a test moves it, and counts who looks at it.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use tenkoku_domain::time::{Clock, Timestamp};

/// A clock that tests set.
#[derive(Debug)]
pub struct TestClock {
    millis: AtomicI64,
    readings: AtomicUsize,
}

impl TestClock {
    /// A clock that stands at an instant.
    pub const fn at(instant: Timestamp) -> Self {
        Self { millis: AtomicI64::new(instant.millis()), readings: AtomicUsize::new(0) }
    }

    /// Sets the clock.
    pub fn set(&self, instant: Timestamp) {
        self.millis.store(instant.millis(), Ordering::SeqCst);
    }

    /// Moves the clock on by seconds.
    pub fn advance_seconds(&self, seconds: i64) {
        self.set(self.present().plus_seconds(seconds));
    }

    /// Moves the clock on by days.
    pub fn advance_days(&self, days: i64) {
        self.set(self.present().plus_days(days));
    }

    /// The present instant, without counting as a reading.
    pub fn present(&self) -> Timestamp {
        Timestamp::from_millis(self.millis.load(Ordering::SeqCst))
    }

    /// How often the clock was read while `act` ran.
    pub fn readings_of<T>(&self, act: impl FnOnce() -> T) -> (usize, T) {
        let before = self.readings.load(Ordering::SeqCst);
        let done = act();
        (self.readings.load(Ordering::SeqCst) - before, done)
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.readings.fetch_add(1, Ordering::SeqCst);
        self.present()
    }
}

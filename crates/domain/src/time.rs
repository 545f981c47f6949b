//! Instants and the clock through which they are read.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Milliseconds in a day.
const DAY_MILLIS: i64 = 86_400_000;

/// An instant in UTC, in whole milliseconds since 1970-01-01T00:00:00Z.
///
/// Audit records show the milliseconds (`2026-11-22T00:00:05.120Z`); certificates, status answers
/// and trusted lists are cut to whole seconds where they are encoded, with [`Timestamp::floor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// A date and a time of day in UTC, as people write them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// Year of the Gregorian calendar.
    pub year: i64,
    /// Month, 1 to 12.
    pub month: i64,
    /// Day of the month, 1 to 31.
    pub day: i64,
    /// Hour, 0 to 23.
    pub hour: i64,
    /// Minute, 0 to 59.
    pub minute: i64,
    /// Second, 0 to 59.
    pub second: i64,
    /// Millisecond, 0 to 999.
    pub millisecond: i64,
}

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// The instant that lies `millis` milliseconds after the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The instant that lies `seconds` seconds after the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The same instant cut to the whole second.
    #[must_use]
    pub const fn floor(self) -> Self {
        Self::from_seconds(self.seconds())
    }

    /// The first instant of the day (UTC).
    #[must_use]
    pub const fn day(self) -> Self {
        Self(self.0 - self.0.rem_euclid(86_400_000))
    }

    /// `days` days later (earlier when negative).
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        Self(self.0.saturating_add(days.saturating_mul(DAY_MILLIS)))
    }

    /// `seconds` seconds later (earlier when negative).
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// Whole days from `self` to `later`, rounded down; negative when `later` is earlier.
    pub const fn days_until(self, later: Self) -> i64 {
        later.0.saturating_sub(self.0).div_euclid(DAY_MILLIS)
    }

    /// The instant of a civil date and time, or `None` when there is no such date.
    pub fn from_civil(civil: Civil) -> Option<Self> {
        let Civil { year, month, day, hour, minute, second, millisecond } = civil;
        let in_range = (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && (0..24).contains(&hour)
            && (0..60).contains(&minute)
            && (0..60).contains(&second)
            && (0..1000).contains(&millisecond)
            && (0..=9999).contains(&year);
        if !in_range {
            return None;
        }
        // Days from the civil date; years begin in March so that the leap day is the last.
        let shifted = if month <= 2 { year - 1 } else { year };
        let era = shifted.div_euclid(400);
        let year_of_era = shifted.rem_euclid(400);
        let month_index = (month + 9) % 12;
        let day_of_year = (153 * month_index + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let days = era * 146_097 + day_of_era - 719_468;
        let millis = days * DAY_MILLIS + ((hour * 60 + minute) * 60 + second) * 1000 + millisecond;
        let instant = Self(millis);
        // 31 April and 29 February of a common year come back as another date.
        (instant.civil() == civil).then_some(instant)
    }

    /// The civil date and time of this instant.
    pub fn civil(self) -> Civil {
        let days = self.0.div_euclid(DAY_MILLIS);
        let rest = self.0.rem_euclid(DAY_MILLIS);
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_index + 2) / 5 + 1;
        let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Civil {
            year,
            month,
            day,
            hour: rest / 3_600_000,
            minute: rest / 60_000 % 60,
            second: rest / 1000 % 60,
            millisecond: rest % 1000,
        }
    }

    /// Reads `YYYY-MM-DDThh:mm:ssZ` or `YYYY-MM-DDThh:mm:ss.mmmZ` (RFC 3339, UTC only).
    pub fn parse(text: &str) -> Option<Self> {
        let body = text.strip_suffix('Z')?;
        let (date, time) = body.split_once('T')?;
        let (clock, fraction) = time.split_once('.').unwrap_or((time, "000"));
        let mut ymd = date.split('-');
        let mut hms = clock.split(':');
        let mut next = |digits: usize, from_date: bool| {
            let part = if from_date { ymd.next()? } else { hms.next()? };
            (part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()))
                .then(|| part.parse().ok())
                .flatten()
        };
        let civil = Civil {
            year: next(4, true)?,
            month: next(2, true)?,
            day: next(2, true)?,
            hour: next(2, false)?,
            minute: next(2, false)?,
            second: next(2, false)?,
            millisecond: (fraction.len() == 3).then(|| fraction.parse().ok()).flatten()?,
        };
        (ymd.next().is_none() && hms.next().is_none()).then(|| Self::from_civil(civil)).flatten()
    }

    /// `YYYY-MM-DDThh:mm:ss.mmmZ`, as audit records write it.
    pub fn to_rfc3339_millis(self) -> String {
        let c = self.civil();
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            c.year, c.month, c.day, c.hour, c.minute, c.second, c.millisecond
        )
    }

    /// `YYYY-MM-DD`.
    pub fn to_date(self) -> String {
        let c = self.civil();
        format!("{:04}-{:02}-{:02}", c.year, c.month, c.day)
    }
}

/// `YYYY-MM-DDThh:mm:ssZ`: RFC 3339 without fraction, as TS 119 612, clause 5.1.3 wants it.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = self.civil();
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            c.year, c.month, c.day, c.hour, c.minute, c.second
        )
    }
}

/// Where a use case reads the time, once per act. Only the server owns the wall clock.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// An [`Timestamp`] in a document for people: RFC 3339 text in whole seconds, in place of a number.
/// For `#[serde(with = …)]`.
pub mod text {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::Timestamp;

    /// Writes the text.
    pub fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(at)
    }

    /// Reads the text.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        Timestamp::parse(&text).ok_or_else(|| D::Error::custom(format!("{text:?} is no instant")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, seconds: i64) {
        let instant = Timestamp::parse(text).unwrap();
        assert_eq!(instant.seconds(), seconds);
        assert_eq!(instant.to_string(), text);
    }

    #[test]
    fn instants_are_written_and_read_back() {
        check("1970-01-01T00:00:00Z", 0);
        check("2026-11-22T18:10:00Z", 1_795_371_000);
        check("2000-02-29T23:59:59Z", 951_868_799);
        check("2100-03-01T00:00:00Z", 4_107_542_400);
        check("9999-12-31T23:59:59Z", 253_402_300_799);
    }

    #[test]
    fn dates_that_do_not_exist_are_refused() {
        for text in [
            "2026-02-29T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00+09:00",
            "2026-1-01T00:00:00Z",
            "",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn milliseconds_are_kept_for_the_audit_and_cut_for_the_formats() {
        let instant = Timestamp::parse("2026-11-22T00:00:05.120Z").unwrap();
        assert_eq!(instant.to_rfc3339_millis(), "2026-11-22T00:00:05.120Z");
        assert_eq!(instant.floor().to_rfc3339_millis(), "2026-11-22T00:00:05.000Z");
    }
}

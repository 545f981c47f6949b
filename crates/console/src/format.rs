//! Dates, numbers and fingerprints as people read them (UX 9).
//!
//! Times are told in Japan Standard Time and say so. Deliberately not here: words of whole
//! sentences, and any rule about time.

use tenkoku_domain::organisation::Language;
use tenkoku_domain::time::{Civil, Timestamp};

use crate::text::Words;

/// Seconds that Japan Standard Time is ahead of UTC; it has no summer time.
const JST_SECONDS: i64 = 9 * 3600;

/// The names of the days of a week in both languages, from Sunday.
const DAYS: [(&str, &str); 7] = [
    ("日", "Sunday"),
    ("月", "Monday"),
    ("火", "Tuesday"),
    ("水", "Wednesday"),
    ("木", "Thursday"),
    ("金", "Friday"),
    ("土", "Saturday"),
];

/// The names of the months in English, from January.
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn local(at: Timestamp) -> Civil {
    at.plus_seconds(JST_SECONDS).civil()
}

fn place<T: Copy>(names: &[T], index: i64) -> Option<T> {
    usize::try_from(index).ok().and_then(|index| names.get(index)).copied()
}

/// A date in tables: `2026-05-12`.
pub fn date(at: Timestamp) -> String {
    at.plus_seconds(JST_SECONDS).to_date()
}

/// A date and time in tables: `2026-05-12 14:03 JST`.
pub fn date_time(at: Timestamp) -> String {
    let civil = local(at);
    format!("{} {:02}:{:02} JST", date(at), civil.hour, civil.minute)
}

/// The last second of a day that somebody wrote as `2026-05-12`, in Japan.
pub fn end_of_day(text: &str) -> Option<Timestamp> {
    let day = Timestamp::parse(&format!("{text}T00:00:00Z"))?;
    Some(day.plus_days(1).plus_seconds(-JST_SECONDS - 1))
}

/// A date in sentences: `2026年5月12日(火)`, `Tuesday 12 May 2026`.
pub fn long_date(words: Words, at: Timestamp) -> String {
    let Civil { year, month, day, .. } = local(at);
    let days = at.plus_seconds(JST_SECONDS).seconds().div_euclid(86_400);
    let (ja, en) = place(&DAYS, (days + 4).rem_euclid(7)).unwrap_or_default();
    match words.language() {
        Language::Ja => format!("{year}年{month}月{day}日({ja})"),
        Language::En => {
            let month = place(&MONTHS, month - 1).unwrap_or_default();
            format!("{en} {day} {month} {year}")
        }
    }
}

/// A date and time in sentences: `2026年5月12日(火) 14:03 日本時間`, `Tuesday 12 May 2026, 14:03 JST`.
pub fn long_date_time(words: Words, at: Timestamp) -> String {
    let Civil { hour, minute, .. } = local(at);
    let day = long_date(words, at);
    match words.language() {
        Language::Ja => format!("{day} {hour:02}:{minute:02} 日本時間"),
        Language::En => format!("{day}, {hour:02}:{minute:02} JST"),
    }
}

/// How long until an instant, in its largest unit: `5日`, `3 hours`; `None` when it has passed.
pub fn until(words: Words, now: Timestamp, then: Timestamp) -> Option<String> {
    let seconds = then.seconds().checked_sub(now.seconds()).filter(|left| *left >= 0)?;
    let told = match seconds {
        172_800.. => words.count("time.days", seconds / 86_400),
        7_200.. => words.count("time.hours", seconds / 3600),
        _ => words.count("time.minutes", seconds / 60),
    };
    Some(told.text())
}

/// A whole number with its thousands grouped: `1,204,556`.
pub fn number(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let groups = digits.len().div_ceil(3);
    let head = digits.len().saturating_sub(3 * groups.saturating_sub(1));
    let mut text = String::from(if n < 0 { "-" } else { "" });
    for (i, digit) in digits.chars().enumerate() {
        if i >= head && (i - head).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size: `812 bytes`, `3.4 KB`, `12.0 MB` (powers of 1,000).
pub fn size(words: Words, bytes: usize) -> String {
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    match bytes {
        ..=999 => words.count("size.bytes", bytes).text(),
        1_000..=999_999 => format!("{}.{} KB", number(bytes / 1_000), bytes / 100 % 10),
        _ => format!("{}.{} MB", number(bytes / 1_000_000), bytes / 100_000 % 10),
    }
}

/// A fingerprint or serial number in groups of four: `7F3K 09AB …`.
pub fn grouped(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let groups: Vec<String> = chars.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const JA: Words = Words::of(Language::Ja);
    const EN: Words = Words::of(Language::En);

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn check(got: impl Into<String>, expected: &str) {
        assert_eq!(got.into(), expected);
    }

    #[test]
    fn dates_are_told_in_japan_standard_time() {
        let midnight = at("2026-05-11T15:00:00Z");
        check(date(midnight), "2026-05-12");
        check(date_time(midnight), "2026-05-12 00:00 JST");
        check(long_date(JA, midnight), "2026年5月12日(火)");
        check(long_date(EN, midnight), "Tuesday 12 May 2026");
        check(long_date_time(JA, at("2026-11-22T01:24:59Z")), "2026年11月22日(日) 10:24 日本時間");
        check(long_date_time(EN, at("2026-11-22T01:24:59Z")), "Sunday 22 November 2026, 10:24 JST");
    }

    #[test]
    fn numbers_are_grouped() {
        for (n, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (-1_204_556, "-1,204,556")] {
            check(number(n), text);
        }
        check(size(EN, 1), "1 byte");
        check(size(EN, 812), "812 bytes");
        check(size(EN, 3_456), "3.4 KB");
        check(size(JA, 1_234_567_890), "1,234.5 MB");
    }

    #[test]
    fn a_time_left_is_told_in_its_largest_unit() {
        let now = at("2026-11-22T00:00:00Z");
        check(until(EN, now, now.plus_days(5)).unwrap(), "5 days");
        check(until(EN, now, now.plus_seconds(3 * 3600 + 59)).unwrap(), "3 hours");
        check(until(JA, now, now.plus_seconds(61)).unwrap(), "1分");
        assert_eq!(until(JA, now, now.plus_seconds(-1)), None);
    }

    #[test]
    fn fingerprints_stand_in_groups_of_four() {
        check(grouped("0123456789"), "0123 4567 89");
        check(grouped(""), "");
    }
}

//! Whether the clock can be trusted (DOMAIN KM-20): certificates, status answers and the audit
//! trail all rest on it.
//!
//! How a time server is asked is not here.

use serde::{Deserialize, Serialize};

use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

/// One comparison of this node's clock with a time server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockCheck {
    /// The server that was asked.
    pub source: String,
    /// The server's time less ours, in milliseconds.
    pub offset_millis: i64,
    /// When, by our clock.
    pub at: Timestamp,
}

/// What the key-management policy demands of the clock (`[clock]` of DOMAIN 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockLimits {
    /// The greatest offset, in milliseconds.
    pub max_offset_millis: i64,
    /// The oldest comparison, in hours.
    pub sync_check_hours: i64,
}

impl ClockLimits {
    /// KM-20: the last comparison is recent and found the clock right. A clock that was never
    /// compared, or compared in what is now the future, is not trusted.
    pub fn check(self, last: Option<&ClockCheck>, now: Timestamp) -> Result<(), Refusal> {
        let untrusted = || {
            Refusal::new(RefusalCode::ClockUntrusted, "KM-20")
                .with("most", self.max_offset_millis)
                .with("hours", self.sync_check_hours)
        };
        let Some(last) = last else { return Err(untrusted().with("problem", "unchecked")) };
        let oldest = now.plus_seconds(-self.sync_check_hours.saturating_mul(3600));
        let newest = now.plus_seconds(self.max_offset_millis / 1000 + 1);
        if last.at < oldest || last.at > newest {
            return Err(untrusted().with("problem", "old").with("at", last.at));
        }
        if last.offset_millis.saturating_abs() > self.max_offset_millis {
            let off = untrusted().with("problem", "off").with("offset", last.offset_millis);
            return Err(off.with("source", &last.source));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_371_000);
    const LIMITS: ClockLimits = ClockLimits { max_offset_millis: 1000, sync_check_hours: 24 };

    fn check(offset_millis: i64, at: Timestamp, problem: Option<&str>) {
        let last = ClockCheck { source: "time.example".to_owned(), offset_millis, at };
        let refused = LIMITS.check(Some(&last), NOW).err();
        assert!(refused.as_ref().is_none_or(|refused| refused.code == RefusalCode::ClockUntrusted));
        let found = refused.and_then(|refused| refused.facts.get("problem").cloned());
        assert_eq!(found.as_deref(), problem);
    }

    #[test]
    fn km_20_trusts_a_clock_that_was_right_a_day_ago_at_most() {
        check(1000, NOW, None);
        check(-1000, NOW.plus_seconds(-86_400), None);
        check(0, NOW.plus_seconds(-86_401), Some("old"));
        check(0, NOW.plus_seconds(3), Some("old"));
    }

    #[test]
    fn km_20_refuses_a_clock_that_is_off_or_was_never_compared() {
        check(2000, NOW, Some("off"));
        check(-1001, NOW, Some("off"));
        let refused = LIMITS.check(None, NOW).unwrap_err();
        assert_eq!(refused.code, RefusalCode::ClockUntrusted);
    }
}

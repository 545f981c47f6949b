//! Figures for the first page: how many of what lie within a scope.

use diesel::prelude::*;
use tenkoku_domain::access::Scope;
use tenkoku_domain::time::{Civil, Timestamp};

use crate::connection::AnyBackend;
use crate::error::StoreError;
use crate::organisations::visible;
use crate::schema::{branches, certificates, organisations};
use crate::scope::{reach, within};
use crate::tx::Tx;

/// What lies within a scope, counted. Certificates are those of seals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegistryFigures {
    /// Organisations.
    pub organisations: i64,
    /// Branch offices.
    pub branches: i64,
    /// Certificates that are issued or active and within their validity.
    pub certificates_valid: i64,
    /// Those of them whose validity ends within 30 days.
    pub certificates_expiring_30d: i64,
    /// Certificates on hold, not expired.
    pub certificates_suspended: i64,
    /// Certificates revoked, expired or not.
    pub certificates_revoked: i64,
    /// For this month and the eleven after it (`YYYY-MM`, UTC): how many valid ones end in it.
    pub expiries: Vec<(String, i64)>,
}

/// Issued and in use.
const GOOD: [&str; 2] = ["issued", "active"];
/// No end.
const EVER: i64 = i64::MAX;

impl Tx<'_> {
    /// The figures of what lies within the scope.
    pub fn registry_figures(
        &mut self,
        scope: &Scope,
        now: Timestamp,
    ) -> Result<RegistryFigures, StoreError> {
        let from = now.floor().millis();
        let soon = now.plus_days(30).millis();
        Ok(RegistryFigures {
            organisations: visible!(scope).count().get_result(self.conn)?,
            branches: self.count_all_branches(scope)?,
            certificates_valid: self.count_ending(scope, &GOOD, from, EVER)?,
            certificates_expiring_30d: self.count_ending(scope, &GOOD, from, soon)?,
            certificates_suspended: self.count_ending(scope, &["suspended"], from, EVER)?,
            certificates_revoked: self.count_ending(scope, &["revoked"], 0, EVER)?,
            expiries: self.count_expiries(scope, now)?,
        })
    }

    fn count_all_branches(&mut self, scope: &Scope) -> Result<i64, StoreError> {
        let all = branches::table.into_boxed::<AnyBackend>();
        let query = within!(all, scope, branches::organisation_id, branches::id);
        Ok(query.count().get_result(self.conn)?)
    }

    /// Certificates in one of some states whose validity ends from `from` until before `until`
    /// (milliseconds).
    fn count_ending(
        &mut self,
        scope: &Scope,
        states: &[&str],
        from: i64,
        until: i64,
    ) -> Result<i64, StoreError> {
        let all = certificates::table
            .filter(certificates::application_id.is_not_null())
            .filter(certificates::state.eq_any(states))
            .filter(certificates::not_after.ge(from).and(certificates::not_after.lt(until)))
            .into_boxed::<AnyBackend>();
        let query = within!(all, scope, certificates::organisation_id, certificates::branch_id);
        Ok(query.count().get_result(self.conn)?)
    }

    fn count_expiries(
        &mut self,
        scope: &Scope,
        now: Timestamp,
    ) -> Result<Vec<(String, i64)>, StoreError> {
        (0..12)
            .map(|ahead| {
                let from = month_start(now, ahead);
                let until = month_start(now, ahead + 1);
                let name: String = from.to_date().chars().take(7).collect();
                let from = from.max(now.floor());
                let count = self.count_ending(scope, &GOOD, from.millis(), until.millis())?;
                Ok((name, count))
            })
            .collect()
    }
}

/// The first instant of the month that lies `ahead` months after the month of `now`.
fn month_start(now: Timestamp, ahead: i64) -> Timestamp {
    let civil = now.civil();
    let months = civil.year * 12 + (civil.month - 1) + ahead;
    let first = Civil {
        year: months.div_euclid(12),
        month: months.rem_euclid(12) + 1,
        day: 1,
        hour: 0,
        minute: 0,
        second: 0,
        millisecond: 0,
    };
    Timestamp::from_civil(first).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(now: &str, ahead: i64, expected: &str) {
        let now = Timestamp::parse(now).unwrap();
        assert_eq!(month_start(now, ahead).to_string(), expected);
    }

    #[test]
    fn months_are_counted_over_the_end_of_the_year() {
        check("2026-11-22T18:10:00Z", 0, "2026-11-01T00:00:00Z");
        check("2026-11-22T18:10:00Z", 1, "2026-12-01T00:00:00Z");
        check("2026-11-22T18:10:00Z", 2, "2027-01-01T00:00:00Z");
        check("2026-12-31T23:59:59Z", 12, "2027-12-01T00:00:00Z");
    }
}

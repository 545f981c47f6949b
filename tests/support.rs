//! What several stories say: that something was refused, by which rule, and that the audit trail
//! tells the same.

use std::fmt::Debug;

use serde_json::Value;
use tenkoku_ca::apply::ApplyError;
use tenkoku_ca::issue::IssueError;
use tenkoku_ca::revoke::RevokeError;
use tenkoku_ca::suspend::SuspendError;
use tenkoku_domain::branch::Branch;
use tenkoku_domain::level::Level;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_testkit::world::World;

/// The error of a use case that may be a refusal.
pub(crate) trait MaybeRefusal: Debug {
    fn into_refusal(self) -> Option<Refusal>;
}

macro_rules! maybe_refusal {
    ($($error:ident)*) => {$(
        impl MaybeRefusal for $error {
            fn into_refusal(self) -> Option<Refusal> {
                if let Self::Refused(refusal) = self { Some(refusal) } else { None }
            }
        }
    )*};
}
maybe_refusal! { ApplyError IssueError RevokeError SuspendError }

/// The refusal that something came to.
#[track_caller]
pub(crate) fn refusal<T: Debug, E: MaybeRefusal>(result: Result<T, E>) -> Refusal {
    let error = result.expect_err("it must be refused");
    let said = format!("{error:?}");
    error.into_refusal().unwrap_or_else(|| panic!("no refusal: {said}"))
}

/// Runs an act that must be refused by a rule; the audit trail gets one record, which tells of the
/// refusal under the code of the act.
#[track_caller]
pub(crate) fn check_refused<T: Debug, E: MaybeRefusal>(
    world: &World,
    act: impl FnOnce() -> Result<T, E>,
    (code, rule): (RefusalCode, &str),
    audited_as: &str,
) -> Refusal {
    let (result, told) = world.told(act);
    let refusal = refusal(result);
    assert_eq!((refusal.code, refusal.rule.as_str()), (code, rule), "{refusal}");
    let [record] = told.as_slice() else { panic!("one record, not {told:#?}") };
    assert_eq!(record["outcome"], "refused");
    assert_eq!(record["code"], audited_as);
    assert_eq!(record["reason"], code.word());
    assert_eq!(record["detail"]["rule"], rule);
    refusal
}

/// Hands in a request that must be refused by a rule.
#[track_caller]
pub(crate) fn check_not_applied(
    world: &World,
    (branch, level): (&Branch, Level),
    request: Vec<u8>,
    expected: (RefusalCode, &str),
    audited_as: &str,
) -> Refusal {
    check_refused(world, || world.apply(branch, level, request), expected, audited_as)
}

/// The codes of records, in order.
pub(crate) fn codes(told: &[Value]) -> Vec<&str> {
    told.iter().map(|record| record["code"].as_str().expect("a code")).collect()
}

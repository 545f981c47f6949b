//! What several stories say: that something was refused, by which rule, and that the audit trail
//! tells the same.

use std::fmt::Debug;

use serde_json::Value;
use tenkoku_ca::act::ActError;
use tenkoku_ca::apply::ApplyError;
use tenkoku_ca::closing::ClosingError;
use tenkoku_ca::feed::FeedError;
use tenkoku_ca::incident::CloseError;
use tenkoku_ca::issue::IssueError;
use tenkoku_ca::life::LifeError;
use tenkoku_ca::proposal::ProposalError;
use tenkoku_ca::prove::ProveError;
use tenkoku_ca::revoke::RevokeError;
use tenkoku_ca::suspend::SuspendError;
use tenkoku_domain::branch::Branch;
use tenkoku_domain::level::Level;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_publisher::draft::DraftError;
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
maybe_refusal! {
    ActError ApplyError CloseError ClosingError DraftError FeedError IssueError LifeError ProposalError ProveError RevokeError
    SuspendError
}

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

/// Attaches a request to an application; a rule must refuse it early.
#[track_caller]
pub(crate) fn check_not_applied(
    world: &World,
    (branch, level): (&Branch, Level),
    request: Vec<u8>,
    expected: (RefusalCode, &str),
    audited_as: &str,
) -> Refusal {
    check_refused(world, || world.open(branch, level, Some(request)), expected, audited_as)
}

/// Answers an application's challenge with what a rule must refuse. Nothing else is recorded.
#[track_caller]
pub(crate) fn check_not_proven(
    world: &World,
    (branch, level): (&Branch, Level),
    proof: impl Fn(&str) -> Vec<u8>,
    expected: (RefusalCode, &str),
    audited_as: &str,
) -> Refusal {
    let applied = world.open(branch, level, None).expect("an application");
    let proof = proof(&applied.challenge.text);
    check_refused(world, || world.prove(&applied, proof), expected, audited_as)
}

/// Answers an application's challenge with the key of somebody else: the application ends and
/// there is an incident.
#[track_caller]
pub(crate) fn check_incident(
    world: &World,
    (branch, level): (&Branch, Level),
    proof: impl Fn(&str) -> Vec<u8>,
) -> Refusal {
    let applied = world.open(branch, level, None).expect("an application");
    let proof = proof(&applied.challenge.text);
    let (result, told) = world.told(|| world.prove(&applied, proof));
    let refusal = refusal(result);
    assert_eq!((refusal.code, refusal.rule.as_str()), (RefusalCode::KeyDuplicate, "KM-6"));
    assert_eq!(codes(&told), ["key.duplicate", "app.rejected", "key.copy-suspected"]);
    refusal
}

/// The codes of records, in order.
pub(crate) fn codes(told: &[Value]) -> Vec<&str> {
    told.iter().map(|record| record["code"].as_str().expect("a code")).collect()
}

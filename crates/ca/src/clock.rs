//! The clock and what it stops (DOMAIN KM-20): nothing is issued while it cannot be trusted;
//! revocation, CRLs and OCSP go on, because silence would harm relying parties more.

use tenkoku_domain::access::{OperateAuthority, Permit};
use tenkoku_domain::audit::Event;
use tenkoku_domain::clock::{ClockCheck, ClockLimits};
use tenkoku_domain::policy::KeyPolicy;
use tenkoku_domain::refusal::Refusal;
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_ports::settings::ClockWatch;
use tenkoku_store::{StoreError, Tx};

const fn limits(policy: &KeyPolicy) -> ClockLimits {
    ClockLimits {
        max_offset_millis: policy.clock.max_offset_ms,
        sync_check_hours: policy.clock.sync_check_hours,
    }
}

/// Keeps a comparison of this node's clock and tells whether the clock is trusted with it. The
/// audit trail is told when trust is lost or comes back.
pub fn compare_clock(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    check: &ClockCheck,
) -> Result<Result<(), Refusal>, StoreError> {
    let now = env.clock.now();
    env.store.write(|tx| {
        let limits = limits(&tx.current_policy(now)?);
        let before = tx.find_clock_check()?;
        let trusted = limits.check(Some(check), now);
        if limits.check(before.as_ref(), now).is_ok() != trusted.is_ok() {
            let event = Event::ClockCompared { check: check.clone(), trusted: trusted.is_ok() };
            tx.record(permit.origin(), now, &event)?;
        }
        tx.keep_clock_check(check)?;
        Ok(trusted)
    })
}

/// Whether this node's clock is trusted now. An evaluation without time servers takes it as it is.
pub fn clock_trust(env: &Env) -> Result<Result<(), Refusal>, StoreError> {
    let now = env.clock.now();
    env.store.read(|tx| {
        let policy = tx.current_policy(now)?;
        check_clock(env, tx, &policy, now)
    })
}

/// KM-20, asked before anything is issued.
pub(crate) fn check_clock(
    env: &Env,
    tx: &mut Tx<'_>,
    policy: &KeyPolicy,
    now: Timestamp,
) -> Result<Result<(), Refusal>, StoreError> {
    match env.settings.clock {
        ClockWatch::Unwatched => Ok(Ok(())),
        ClockWatch::Watched { .. } => {
            Ok(limits(policy).check(tx.find_clock_check()?.as_ref(), now))
        }
    }
}

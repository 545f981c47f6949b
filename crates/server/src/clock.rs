//! The wall clock: the only place that reads it, and has it compared with time servers.

use std::time::{SystemTime, UNIX_EPOCH};

use tenkoku_ca::clock::{clock_trust, compare_clock};
use tenkoku_domain::clock::ClockCheck;
use tenkoku_domain::time::{Clock, Timestamp};
use tenkoku_ports::Env;
use tenkoku_ports::settings::ClockWatch;

use crate::failure::Failure;
use crate::{sntp, wire};

/// A comparison younger than this is good enough for a command, in seconds.
const FRESH_SECONDS: i64 = 600;

/// The machine's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WallClock;

impl Clock for WallClock {
    #[expect(clippy::disallowed_methods, reason = "this is the injected clock's one source")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Compares the clock with the first time server that answers (KM-20). That none answers is told
/// in the log; the comparison before then ages until it is too old.
pub(crate) fn compare(env: &Env) -> Result<(), Failure> {
    let ClockWatch::Watched { servers } = &env.settings.clock else { return Ok(()) };
    let Some(check) = servers.iter().find_map(|server| ask(server, env)) else {
        tracing::error!("no time server answers; nothing is issued once the last answer is old");
        return Ok(());
    };
    let permit = wire::shell().permit(env.clock.now())?;
    if let Err(refusal) = compare_clock(env, &permit, &check)? {
        tracing::error!(
            offset_ms = check.offset_millis,
            server = %check.source,
            %refusal,
            "the clock cannot be trusted: nothing is issued; revocation, CRLs and OCSP go on"
        );
    }
    Ok(())
}

/// The same before a command that issues, unless somebody compared a few minutes ago.
pub(crate) fn compare_if_old(env: &Env) -> Result<(), Failure> {
    let last = env.store.read(|tx| tx.find_clock_check())?;
    let fresh = last.is_some_and(|last| last.at.plus_seconds(FRESH_SECONDS) > env.clock.now());
    if fresh && clock_trust(env)?.is_ok() { Ok(()) } else { compare(env) }
}

fn ask(server: &str, env: &Env) -> Option<ClockCheck> {
    let asked = sntp::compare(server, &*env.clock);
    asked.inspect_err(|error| tracing::warn!(%error, "a time server told nothing")).ok()
}

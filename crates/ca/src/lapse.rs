//! Ends applications that made no progress: ten days while the key is awaited, thirty otherwise
//! (DOMAIN 6.3). What they claimed stays claimed.

use tenkoku_domain::access::{Apply, Permit, Scope};
use tenkoku_domain::application::{Application, ApplicationState, KEY_PROOF_DAYS, PROGRESS_DAYS};
use tenkoku_domain::audit::{Event, IdentityEvent};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use crate::progress::release_quota;

/// How many are ended in one run; the next run goes on.
const AT_ONCE: i64 = 500;

/// The states that wait, and for how many days.
const WAITING: [(ApplicationState, i64); 6] = [
    (ApplicationState::KeyProof, KEY_PROOF_DAYS),
    (ApplicationState::Draft, PROGRESS_DAYS),
    (ApplicationState::Submitted, PROGRESS_DAYS),
    (ApplicationState::Proofing, PROGRESS_DAYS),
    (ApplicationState::Approval, PROGRESS_DAYS),
    (ApplicationState::Ready, PROGRESS_DAYS),
];

/// Ends the applications that lapsed; gives their number. Running it twice ends nothing twice.
pub fn lapse_applications(env: &Env, permit: &Permit<Apply>) -> Result<usize, StoreError> {
    let now = env.clock.now();
    let mut ended = 0;
    for (state, days) in WAITING {
        let since = now.plus_days(-days);
        let idle = env.store.read(|tx| tx.list_idle_applications(state, since, AT_ONCE))?;
        for application in idle {
            ended += env.store.write(|tx| lapse(tx, permit, &application, now))?;
        }
    }
    Ok(ended)
}

/// Ends one that is still idle and not being issued.
fn lapse(
    tx: &mut Tx<'_>,
    permit: &Permit<Apply>,
    found: &Application,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let application = tx.lock_application(&Scope::Platform, &found.id)?;
    let being_issued = tx
        .list_pending()?
        .into_iter()
        .any(|certificate| certificate.seal.is_some_and(|seal| seal.application == application.id));
    let over = application.lapses_at().is_some_and(|end| end <= now);
    if being_issued || !over {
        return Ok(0);
    }
    let lapsed = IdentityEvent::ApplicationLapsed { application: application.clone() };
    tx.record(permit.origin(), now, &Event::Identity(lapsed))?;
    release_quota(tx, permit.origin(), &application, now)?;
    Ok(1)
}

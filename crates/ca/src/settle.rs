//! Settles what a power cut left behind: a certificate that was recorded but whose signature never
//! came back counts as issued, so it is withdrawn and told to relying parties.

use tenkoku_domain::access::{OperateAuthority, Permit};
use tenkoku_domain::audit::Event;
use tenkoku_domain::revocation::{Cause, Revocation};
use tenkoku_ports::Env;
use tenkoku_store::StoreError;

/// How long a signature may take before its certificate counts as lost, in seconds. Another
/// process may be signing at this moment.
const SIGNING_SECONDS: i64 = 10;

/// Withdraws every certificate whose signing did not complete; gives their number.
///
/// Its application becomes ready again and is issued under a new serial number; a serial number is
/// never used twice.
pub fn settle_pending(env: &Env, permit: &Permit<OperateAuthority>) -> Result<usize, StoreError> {
    let now = env.clock.now();
    let late = |created_at: tenkoku_domain::time::Timestamp| {
        created_at.plus_seconds(SIGNING_SECONDS) <= now
    };
    env.store.write(|tx| {
        let mut settled = 0;
        for certificate in tx.list_pending()? {
            if !late(certificate.created_at) {
                continue;
            }
            let revocation =
                Revocation { cause: Cause::OfficeClosed, at: now.floor(), invalid_since: None };
            let event = Event::CertificateNotAccepted { certificate, revocation };
            tx.record(permit.origin(), now, &event)?;
            settled += 1;
        }
        Ok(settled)
    })
}

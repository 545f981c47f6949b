//! The later life of authorities: hold, resumption, retirement, end (DOMAIN 6.7).

use tenkoku_domain::access::{OperateAuthority, Permit};
use tenkoku_domain::audit::{AuditCode, AuthorityEvent, Event};
use tenkoku_domain::authority::{Authority, AuthorityAct, AuthorityCode};
use tenkoku_domain::ceremony::Consent;
use tenkoku_domain::key::Key;
use tenkoku_domain::name::plain_text;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::trusted_list::Standing;
use tenkoku_keys::KeyError;
use tenkoku_ports::Env;
use tenkoku_store::Tx;

use super::{AuthorityError, load, recorded};

/// Puts an authority on hold: it issues nothing, its CRLs and OCSP answers go on.
pub fn suspend_authority(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    code: &AuthorityCode,
    reason: &str,
) -> Result<Authority, AuthorityError> {
    recorded(env, permit, code, AuditCode::CaSuspended, || {
        let reason = plain_text(reason)?;
        step(env, permit, code, AuthorityAct::Suspend, |authority| AuthorityEvent::Suspended {
            authority,
            reason,
        })
    })
}

/// Lifts a hold: the key is activated again, so a ceremony gives its consent (KM-19).
pub fn resume_authority(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    code: &AuthorityCode,
    _consent: &Consent,
) -> Result<Authority, AuthorityError> {
    recorded(env, permit, code, AuditCode::CaActivated, || {
        step(env, permit, code, AuthorityAct::Resume, |authority| AuthorityEvent::Resumed {
            authority,
        })
    })
}

/// Stops an authority from issuing for good; its CRLs and OCSP answers go on (RO-4).
pub fn retire_authority(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    code: &AuthorityCode,
) -> Result<Authority, AuthorityError> {
    recorded(env, permit, code, AuditCode::CaRetiring, || {
        step(env, permit, code, AuthorityAct::Retire, |authority| AuthorityEvent::Retired {
            authority,
        })
    })
}

fn step(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    code: &AuthorityCode,
    act: AuthorityAct,
    event: impl FnOnce(Authority) -> AuthorityEvent,
) -> Result<Authority, AuthorityError> {
    let now = env.clock.now();
    let found = load(env, permit, code)?;
    env.store.write(|tx| {
        let changed = tx.lock_authority(&found.id)?.after(act)?;
        tx.record(permit.origin(), now, &Event::Authority(event(changed.clone())))?;
        Ok(changed)
    })
}

/// Makes the last CRL of an authority, good until the end of time (DOMAIN 13). CRLs are the status
/// service's; whoever ends an authority brings it.
pub type LastCrl<'a> = &'a dyn Fn(&AuthorityCode) -> Result<(), AuthorityError>;

/// Ends an authority: everything it issued is expired or revoked, the last CRL is issued, the key is
/// destroyed.
///
/// Cut short after the key was destroyed, the same call goes on: what is gone counts as destroyed.
pub fn end_authority(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    code: &AuthorityCode,
    consent: &Consent,
    last_crl: LastCrl<'_>,
) -> Result<Authority, AuthorityError> {
    recorded(env, permit, code, AuditCode::CaEnded, || end(env, permit, code, consent, last_crl))
}

/// The key of a service that a trusted list vouches for does not go unnoticed: the list says first
/// that the service is withdrawn.
fn is_not_vouched_for(tx: &mut Tx<'_>, key: &Key) -> Result<(), AuthorityError> {
    let listed = tx.services_of_key(&key.fingerprint)?;
    match listed.iter().find(|service| service.standing == Standing::Running) {
        None => Ok(()),
        Some(service) => Err(Refusal::new(RefusalCode::StateConflict, "5.5.4")
            .with("list", &service.scheme)
            .with("service", &service.name)
            .into()),
    }
}

fn end(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    code: &AuthorityCode,
    _consent: &Consent,
    last_crl: LastCrl<'_>,
) -> Result<Authority, AuthorityError> {
    let now = env.clock.now();
    let found = load(env, permit, code)?;
    found.check_online()?;
    let key = env.store.read(|tx| tx.load_key(&found.key))?;
    let open = env.store.read(|tx| tx.open_certificates(&found.id, &found.key, now))?;
    // Asked before the last CRL is signed: it cannot be taken back.
    found.end(open.values().sum(), Some(tenkoku_domain::authority::NEVER))?;
    env.store.read(|tx| is_not_vouched_for(tx, &key))?;
    last_crl(code)?;
    let crl = env.store.read(|tx| tx.latest_crl(&found.id))?.map(|crl| crl.next_update);
    found.end(open.values().sum(), crl)?;
    match env.keys.destroy(&found.key) {
        Ok(_) | Err(KeyError::NotFound(_)) => {}
        Err(other) => return Err(other.into()),
    }
    env.store.write(|tx| {
        let ended = tx.lock_authority(&found.id)?.after(AuthorityAct::End)?;
        let destroyed =
            AuthorityEvent::KeyDestroyed { authority: ended.clone(), fingerprint: key.fingerprint };
        tx.record(permit.origin(), now, &Event::Authority(destroyed))?;
        let event = AuthorityEvent::Ended { authority: ended.clone() };
        tx.record(permit.origin(), now, &Event::Authority(event))?;
        Ok(ended)
    })
}

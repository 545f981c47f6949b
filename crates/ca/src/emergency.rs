//! The emergency of a compromised authority (DOMAIN 14, UX 4.13): the plan with its counts, the
//! rehearsal that changes nothing, and the real run by two persons.

use std::collections::BTreeMap;

use serde::Serialize;
use tenkoku_domain::access::{OperateAuthority, Permit};
use tenkoku_domain::audit::{AuditCode, AuthorityEvent, Compromise, Event};
use tenkoku_domain::authority::{Authority, AuthorityAct, AuthorityCode, AuthorityState};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::AuthorityId;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::revocation::{Cause, Revocation};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::StoreError;

use crate::authority::{AuthorityError, load, recorded};

/// Certificates that are revoked in one transaction.
const BATCH: i64 = 200;

/// One authority of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Affected {
    /// Its code.
    pub code: AuthorityCode,
    /// Its state now.
    pub state: AuthorityState,
    /// Certificates of its own key that its issuers will revoke, cross-certificates included.
    pub own_certificates: usize,
    /// Certificates that it issued and that will be revoked, by profile.
    pub issued: BTreeMap<String, i64>,
}

/// What would be done, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EmergencyPlan {
    /// The authority whose key was exposed.
    pub authority: AuthorityCode,
    /// It and every authority below it, in the order in which they stop issuing.
    pub affected: Vec<Affected>,
    /// All certificates that will be revoked.
    pub certificates: i64,
    /// The CRLs that will be issued: of the authorities above and of those affected.
    pub lists: Vec<AuthorityCode>,
    /// Whether the key of a root is concerned: its certificate leaves the trusted list.
    pub root: bool,
}

/// What would be done if the key of an authority were exposed.
pub fn plan_emergency(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    code: &AuthorityCode,
) -> Result<EmergencyPlan, AuthorityError> {
    let now = env.clock.now();
    let found = load(env, permit, code)?;
    let all = env.store.read(|tx| tx.list_authorities())?;
    let below = subtree(&all, &found);
    let mut affected = Vec::new();
    for authority in &below {
        affected.push(count(env, authority, now)?);
    }
    let own: usize = affected.iter().map(|a| a.own_certificates).sum();
    let issued: i64 = affected.iter().flat_map(|a| a.issued.values()).sum();
    let above = all.iter().filter(|a| Some(&a.id) == found.issuer.as_ref());
    Ok(EmergencyPlan {
        authority: code.clone(),
        certificates: issued.saturating_add(i64::try_from(own).unwrap_or(i64::MAX)),
        lists: above.chain(below.iter().copied()).map(|a| a.code.clone()).collect(),
        root: found.issuer.is_none(),
        affected,
    })
}

/// The authority and everything below it.
fn subtree<'a>(all: &'a [Authority], of: &Authority) -> Vec<&'a Authority> {
    let mut found: Vec<&Authority> = all.iter().filter(|a| a.id == of.id).collect();
    let mut parents: Vec<&AuthorityId> = vec![&of.id];
    for _ in all {
        let next: Vec<&Authority> = all
            .iter()
            .filter(|a| a.issuer.as_ref().is_some_and(|issuer| parents.contains(&issuer)))
            .filter(|a| found.iter().all(|known| known.id != a.id))
            .collect();
        if next.is_empty() {
            break;
        }
        parents = next.iter().map(|a| &a.id).collect();
        found.extend(next);
    }
    found
}

fn count(env: &Env, authority: &Authority, now: Timestamp) -> Result<Affected, AuthorityError> {
    let own = own_certificates(env, authority, now)?;
    let mut issued =
        env.store.read(|tx| tx.open_certificates(&authority.id, &authority.key, now))?;
    // Certificates of authorities are counted where their keys are.
    issued.retain(|profile, _| !is_authority(profile));
    Ok(Affected {
        code: authority.code.clone(),
        state: authority.state,
        own_certificates: own.len(),
        issued,
    })
}

fn is_authority(profile: &str) -> bool {
    use tenkoku_domain::certificate::Profile;
    [Profile::Root, Profile::Policy, Profile::Cross, Profile::Issuing, Profile::Dedicated]
        .iter()
        .any(|known| known.word() == profile)
}

/// The living certificates over an authority's key that somebody else signed.
fn own_certificates(
    env: &Env,
    authority: &Authority,
    now: Timestamp,
) -> Result<Vec<tenkoku_domain::certificate::Certificate>, AuthorityError> {
    let all = env.store.read(|tx| tx.certificates_of_key(&authority.key))?;
    let foreign = |c: &tenkoku_domain::certificate::Certificate| c.authority != authority.id;
    Ok(all.into_iter().filter(|c| c.is_live(now) && foreign(c)).collect())
}

/// Rehearses: writes down what would be done, and changes nothing else.
pub fn rehearse_emergency(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    code: &AuthorityCode,
) -> Result<EmergencyPlan, AuthorityError> {
    let now = env.clock.now();
    let plan = plan_emergency(env, permit, code)?;
    let authority = load(env, permit, code)?;
    let value = serde_json::json!(plan);
    let event = AuthorityEvent::EmergencyRehearsed {
        authority: authority.id,
        certificates: plan.certificates,
        plan: Digest::of_json(&value)?,
        document: value.to_string(),
    };
    env.store.write(|tx| tx.record(permit.origin(), now, &Event::Authority(event)))?;
    Ok(plan)
}

/// Declares the key of an authority compromised (cACompromise). Two different persons are needed
/// (DOMAIN 14, I-6). Gives the number of revoked certificates.
///
/// Every authority concerned stops issuing first; what was cut short is finished by calling again.
pub fn declare_compromise(
    env: &Env,
    first: &Permit<OperateAuthority>,
    second: &Permit<OperateAuthority>,
    code: &AuthorityCode,
) -> Result<i64, AuthorityError> {
    recorded(env, first, code, AuditCode::CertRevoked, || {
        if first.origin().actor.id == second.origin().actor.id {
            return Err(Refusal::new(RefusalCode::DualControl, "14")
                .with("problem", "second-person")
                .into());
        }
        let now = env.clock.now();
        let found = load(env, first, code)?;
        let confirmed = load(env, second, code)?.id;
        debug_assert_eq!(confirmed, found.id, "one code names one authority");
        let all = env.store.read(|tx| tx.list_authorities())?;
        let affected = subtree(&all, &found);
        let revocation =
            Revocation { cause: Cause::AuthorityCompromised, at: now.floor(), invalid_since: None };
        let mut revoked = 0;
        for authority in &affected {
            revoked += stop(env, first, second, authority, &revocation)?;
        }
        for authority in &affected {
            revoked += revoke_issued(env, first, authority, &revocation)?;
        }
        Ok(revoked)
    })
}

/// Stops one authority and revokes the certificates over its key.
fn stop(
    env: &Env,
    first: &Permit<OperateAuthority>,
    second: &Permit<OperateAuthority>,
    authority: &Authority,
    revocation: &Revocation,
) -> Result<i64, AuthorityError> {
    let now = env.clock.now();
    let certificates = own_certificates(env, authority, now)?;
    let count = i64::try_from(certificates.len()).unwrap_or(i64::MAX);
    env.store.write(|tx| {
        let locked = tx.lock_authority(&authority.id)?;
        let stopped = match locked.state {
            AuthorityState::Active | AuthorityState::Suspended => {
                locked.after(AuthorityAct::Retire)?
            }
            AuthorityState::Planned
            | AuthorityState::Ceremony
            | AuthorityState::Certified
            | AuthorityState::Retiring
            | AuthorityState::Ended => locked,
        };
        let compromise = Compromise {
            authority: stopped,
            certificates,
            revocation: revocation.clone(),
            confirmed_by: second.origin().actor.id.clone(),
        };
        let event = AuthorityEvent::Compromised { compromise: Box::new(compromise) };
        tx.record(first.origin(), now, &Event::Authority(event))?;
        Ok::<_, AuthorityError>(())
    })?;
    Ok(count)
}

/// Revokes what an authority issued: one event a certificate (RV-4).
fn revoke_issued(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    authority: &Authority,
    revocation: &Revocation,
) -> Result<i64, AuthorityError> {
    let now = env.clock.now();
    let mut total = 0;
    loop {
        let open = env.store.write(|tx| {
            let open = tx.list_open(&authority.id, &authority.key, now, BATCH)?;
            for certificate in &open {
                let event = Event::CertificateRevoked {
                    certificate: certificate.clone(),
                    revocation: revocation.clone(),
                    comment: String::new(),
                };
                tx.record(permit.origin(), now, &event)?;
            }
            Ok::<_, StoreError>(open.len())
        })?;
        if open == 0 {
            return Ok(total);
        }
        total += i64::try_from(open).unwrap_or(i64::MAX);
    }
}

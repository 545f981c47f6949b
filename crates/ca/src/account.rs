//! Accounts of people after they were made: ended for ever, roles ended before their time, the
//! language of pages and letters.
//!
//! Nobody ends an own account or role: there is always somebody left who can invite another.

use tenkoku_domain::access::{ManageAccounts, Origin, OwnAccount, Permit, RoleGrant};
use tenkoku_domain::account::Account;
use tenkoku_domain::audit::{AccessEvent, AuditCode, Event, ObjectRef};
use tenkoku_domain::id::UserId;
use tenkoku_domain::organisation::Language;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use crate::act::{ActError, told};

/// The account of a person that somebody else may change. A service account is not one.
fn of_another(tx: &mut Tx<'_>, origin: &Origin, id: &UserId) -> Result<Account, ActError> {
    let account = tx.load_account(id)?;
    if account.is_service() {
        return Err(StoreError::NotFound { what: "account" }.into());
    }
    if account.disabled_at.is_some() {
        return Err(conflict("ended").into());
    }
    if account.id.as_str() == origin.actor.id {
        return Err(Refusal::new(RefusalCode::SelfApproval, "2").into());
    }
    Ok(account)
}

fn conflict(state: &str) -> Refusal {
    Refusal::new(RefusalCode::StateConflict, "2").with("state", state)
}

/// Ends an account for ever. Its sessions are over with it, and its holder needs another one.
pub fn disable_account(
    env: &Env,
    permit: &Permit<ManageAccounts>,
    id: &UserId,
) -> Result<Account, ActError> {
    let now = env.clock.now();
    let origin = permit.origin();
    let done = env.store.write(|tx| {
        let account = of_another(tx, origin, id)?;
        let event = AccessEvent::AccountDisabled { user: id.clone(), organisation: None };
        tx.record(origin, now, &Event::Access(event))?;
        Ok(Account { disabled_at: Some(now), ..account })
    });
    told(env, origin, (AuditCode::AccountDisabled, ObjectRef::new("user", id)), None, done)
}

/// Ends a role that an account holds, now: that of `held`, wherever its end was.
pub fn end_role(
    env: &Env,
    permit: &Permit<ManageAccounts>,
    id: &UserId,
    held: &RoleGrant,
) -> Result<RoleGrant, ActError> {
    let now = env.clock.now();
    let origin = permit.origin();
    let done = env.store.write(|tx| {
        let account = of_another(tx, origin, id)?;
        let found = account
            .roles
            .into_iter()
            .find(|one| one.role == held.role && one.scope == held.scope && one.until > now);
        let found = found.ok_or(StoreError::NotFound { what: "role" })?;
        let grant = RoleGrant { until: now, ..found };
        let event = AccessEvent::RoleEnded { user: id.clone(), grant: grant.clone() };
        tx.record(origin, now, &Event::Access(event))?;
        Ok(grant)
    });
    told(env, origin, (AuditCode::RoleEnded, ObjectRef::new("user", id)), None, done)
}

/// Sets the language of one's own pages and letters.
pub fn set_language(
    env: &Env,
    permit: &Permit<OwnAccount>,
    language: Language,
) -> Result<(), ActError> {
    let now = env.clock.now();
    let origin = permit.origin();
    let id =
        UserId::parse(&origin.actor.id).map_err(|_| StoreError::NotFound { what: "account" })?;
    let event = AccessEvent::LanguageSet { user: id.clone(), language };
    let done = env.store.write(|tx| {
        tx.record(origin, now, &Event::Access(event))?;
        Ok(())
    });
    told(env, origin, (AuditCode::AccountChanged, ObjectRef::new("user", &id)), None, done)
}

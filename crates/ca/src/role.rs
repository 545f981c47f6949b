//! Gives roles: the separation of DOMAIN 2 over everything a person holds, and a second
//! administrator for those with power over issuance (DOMAIN 17).

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;
use tenkoku_domain::access::{ManageAccounts, Origin, Permit, RoleGrant, check_separation};
use tenkoku_domain::account::Account;
use tenkoku_domain::approval::{Approvable, ApprovalRequest, ApprovalState, Step, needs};
use tenkoku_domain::audit::{AuditCode, DelegationEvent, Event, ObjectRef};
use tenkoku_domain::id::{ApprovalId, UserId};
use tenkoku_domain::person::Party;
use tenkoku_domain::policy::Installation;
use tenkoku_domain::refusal::Refusal;
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use crate::act::{ActError, told};
use crate::approval::{Opening, Ruling, open, rule};
use crate::issuer::EVERYWHERE;
use crate::office::record;

/// The kind of a request that is about a role.
pub const ROLE: &str = "role";

/// What was shown about a role that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AskedRole {
    /// For whom.
    pub user: UserId,
    /// Which.
    pub grant: RoleGrant,
}

impl AskedRole {
    /// What a request about a role is about.
    pub fn of(request: &ApprovalRequest) -> Option<Self> {
        serde_json::from_value(request.shown.clone()).ok()
    }
}

/// Whether there is anybody yet who could approve a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Administrators {
    /// Nobody can sign in: this is the first administrator, named at the machine itself.
    None,
    /// Somebody can.
    Some,
}

/// Whether a role must wait for the approval of another administrator.
pub fn must_wait(env: &Env, grant: &RoleGrant, others: Administrators) -> bool {
    env.settings.installation == Installation::Production
        && grant.role.has_power_over_issuance()
        && others == Administrators::Some
}

/// DOMAIN 2: whether the person behind an account may hold a role beside everything that person
/// holds. In an evaluation one person may do everything.
pub fn check_role(
    env: &Env,
    held: &[RoleGrant],
    grant: &RoleGrant,
    now: Timestamp,
) -> Result<(), Refusal> {
    match env.settings.installation {
        Installation::Evaluation => Ok(()),
        Installation::Production => check_separation(held, grant, now),
    }
}

/// Every role that a person holds, over all accounts.
pub fn roles_of_person(tx: &mut Tx<'_>, account: &Account) -> Result<Vec<RoleGrant>, StoreError> {
    let accounts = tx.accounts_of_person(&account.person)?;
    Ok(accounts.into_iter().flat_map(|one| one.roles).collect())
}

/// Asks for the approval of a role that must wait. Gives nothing where the same is asked already.
pub fn ask_role(
    env: &Env,
    tx: &mut Tx<'_>,
    origin: &Origin,
    account: &Account,
    grant: &RoleGrant,
    now: Timestamp,
) -> Result<Option<ApprovalRequest>, ActError> {
    for request in tx.open_approval_requests(ROLE)? {
        let same = AskedRole::of(&request).is_some_and(|asked| {
            asked.user == account.id
                && asked.grant.role == grant.role
                && asked.grant.scope == grant.scope
        });
        if same && request.expires_at() >= now {
            return Ok(None);
        }
    }
    let asker = tx.party(&origin.actor)?;
    let opening = Opening {
        object: ObjectRef::new(ROLE, &account.id),
        organisation: None,
        shown: json!({ "user": account.id, "grant": grant }),
        askers: BTreeSet::from([asker, Party::Person(account.person.clone())]),
        needs: needs(Approvable::PowerfulRole),
    };
    let request = open(&*env.entropy, opening, now)?;
    let event = DelegationEvent::RoleAsked {
        request: Box::new(request.clone()),
        user: account.id.clone(),
        grant: grant.clone(),
    };
    record(tx, origin, now, event)?;
    Ok(Some(request))
}

/// Another administrator's decision about a role. With the approval the role is given.
pub fn decide_role(
    env: &Env,
    permit: &Permit<ManageAccounts>,
    id: &ApprovalId,
    ruling: &Ruling,
) -> Result<ApprovalRequest, ActError> {
    let now = env.clock.now();
    let origin = permit.origin();
    let done = env.store.write(|tx| {
        let request = tx.load_approval_request(&EVERYWHERE, id)?;
        let none = StoreError::NotFound { what: "approval request" };
        let Some(asked) = AskedRole::of(&request).filter(|_| request.object.kind == ROLE) else {
            return Err(none.into());
        };
        let request = rule(tx, origin, request, (Step::Officer, false), ruling, now)?;
        if request.state == ApprovalState::Approved {
            let account = tx.load_account(&asked.user)?;
            let held = roles_of_person(tx, &account)?;
            check_role(env, &held, &asked.grant, now)?;
            let event = Event::RoleGranted { user: asked.user, grant: asked.grant };
            tx.record(origin, now, &event)?;
        }
        Ok(request)
    });
    told(env, origin, (AuditCode::RoleGranted, ObjectRef::new("approval", id)), None, done)
}

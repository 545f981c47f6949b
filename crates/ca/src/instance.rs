//! Orders several instances of a seal at once (DOMAIN 10.2): under one order, each with its own
//! application and its own key. Ten servers need ten instances; no key is ever copied.

use tenkoku_domain::access::{Apply, Permission, Permit};
use tenkoku_domain::application::Wishes;
use tenkoku_domain::audit::{AuditCode, Event, LifeEvent};
use tenkoku_domain::grant::GrantAction;
use tenkoku_domain::id::{BranchId, OrderId};
use tenkoku_domain::level::Level;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::Tx;

use crate::apply::{Applied, ApplyError, ApplyOrder, Taken, recorded, submit};
use crate::policy::policy_of_level;
use crate::progress::{Deed, within_grant};

/// How many instances are wanted, and of which seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstancesOrder {
    /// The branch office.
    pub branch: BranchId,
    /// The level of the seal.
    pub level: Level,
    /// Validity in days; the policy's maximum where none is asked for.
    pub validity_days: Option<i64>,
    /// How many; at least one.
    pub count: u16,
}

/// What an order led to: as many applications as instances, in the order of their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ordered {
    /// The order.
    pub order: OrderId,
    /// The applications, each with the challenge that its own key must sign.
    pub applied: Vec<Applied>,
}

/// Takes an order of several instances, as a whole or not at all.
pub fn order_instances(
    env: &Env,
    permit: &Permit<Apply>,
    order: &InstancesOrder,
) -> Result<Ordered, ApplyError> {
    let now = env.clock.now();
    recorded(env, permit, &order.branch, |tx| take(env, tx, permit, order, now))
}

fn take(
    env: &Env,
    tx: &mut Tx<'_>,
    permit: &Permit<Apply>,
    order: &InstancesOrder,
    now: Timestamp,
) -> Result<Ordered, Taken> {
    let branch = tx.lock_branch(permit.scope(), &order.branch)?;
    let deed = Deed {
        permission: Permission::Apply,
        action: GrantAction::ManageInstances,
        organisation: &branch.organisation,
        seal: Some((&branch.id, order.level)),
    };
    within_grant(env, tx, &permit.origin().actor, &deed, now)??;
    check_room(tx, order, now)?;
    let one = ApplyOrder {
        branch: order.branch.clone(),
        level: order.level,
        validity_days: order.validity_days,
        request: None,
        instance: None,
        wishes: Wishes::default(),
    };
    let applied = (0..order.count).map(|_| submit(env, tx, permit, (&one, None), now));
    let applied = applied.collect::<Result<Vec<Applied>, Taken>>()?;
    let id = OrderId::new(now, &*env.entropy);
    let event = LifeEvent::InstancesOrdered {
        order: id.clone(),
        organisation: branch.organisation,
        branch: branch.id,
        applications: applied.iter().map(|one| one.application.id.clone()).collect(),
    };
    tx.record(permit.origin(), now, &Event::Life(event))?;
    Ok(Ordered { order: id, applied })
}

/// KM-14: the seal has room for all of them.
fn check_room(tx: &mut Tx<'_>, order: &InstancesOrder, now: Timestamp) -> Result<(), Taken> {
    let code = AuditCode::KeyOrdered;
    let Some(others) = order.count.checked_sub(1) else {
        let refusal = Refusal::new(RefusalCode::InstancesExceeded, "10.2");
        let refusal = refusal.with("live", 0).with("most", 0).with("wanted", 0);
        return Err(Taken::Refused { code, refusal });
    };
    let policy = policy_of_level(tx, order.level, now)?;
    let live = tx.count_live_instances(&order.branch, order.level, now)?;
    policy.check_instances(live.saturating_add(i64::from(others))).map_err(|refusal| {
        let refusal = refusal.with("live", live).with("wanted", order.count);
        Taken::Refused { code, refusal }
    })
}

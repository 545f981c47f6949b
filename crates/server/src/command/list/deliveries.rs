//! `tenkoku trustlist delivery`: what the public addresses of the own lists serve, as anybody gets it.

use serde_json::{Value, json};
use tenkoku_domain::trusted_list::delivery::Delivery;
use tenkoku_reader::delivery::{Which, check_deliveries};
use tenkoku_store::StoreError;

use crate::config::Config;
use crate::failure::{Failure, exit};
use crate::output::Output;
use crate::wire;

pub(super) fn show(config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let begun = env.clock.now();
    check_deliveries(&env, &permit, &wire::webs(config)?.own, Which::All)?;
    let found = env.store.read(|tx| {
        let mut all = Vec::new();
        for scheme in tx.list_schemes()? {
            all.extend(tx.list_deliveries(&scheme)?);
        }
        Ok::<_, StoreError>(all)
    })?;
    // An address that no list names any more was not looked at.
    let found: Vec<Delivery> = found.into_iter().filter(|one| one.checked_at >= begun).collect();
    let value = json!({ "addresses": found.iter().map(delivery_json).collect::<Value>() });
    output.result("list-delivery", value, || found.iter().map(delivery_line).collect());
    let wrong = found.iter().filter(|one| one.fault.is_some());
    let wrong: Vec<_> = wrong.map(|one| one.address.clone()).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let failure = Failure::problem("list-not-delivered", exit::UNCONFIRMED);
    Err(failure.with("addresses", wrong.join(", ")))
}

fn delivery_json(found: &Delivery) -> Value {
    json!({
        "address": found.address,
        "scheme": found.scheme,
        "live": found.live,
        "sequence": found.sequence,
        "etag": found.etag,
        "checked_at": found.checked_at.to_string(),
        "served_at": found.served_at.map(|at| at.to_string()),
        "problem": found.fault.as_ref().map(|fault| fault.problem),
        "detail": found.fault.as_ref().map(|fault| &fault.detail),
    })
}

fn delivery_line(found: &Delivery) -> String {
    let state = match &found.fault {
        None => format!("sequence {}", found.live),
        Some(fault) => format!("{}: {}", fault.problem, fault.detail),
    };
    format!("{}  {state}\n", found.address)
}

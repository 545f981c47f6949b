//! The queue: every order is carried out, by one worker at a time.

use std::collections::BTreeSet;

use tenkoku_domain::time::Timestamp;

use super::harness::at_once;
use super::samples::NOW;
use super::{World, both};
use crate::{Job, StoreError};

both! {
    a_job_is_claimed_when_it_is_due
    an_abandoned_job_is_claimed_again
    an_order_while_the_job_runs_is_not_lost
    a_second_order_joins_the_first
    parallel_workers_claim_every_job_once
    parallel_orders_make_one_row
}

fn order(world: &World, object: &str, at: Timestamp) {
    world.store.write(|tx| tx.enqueue_job("refresh-status", object, at)).unwrap();
}

fn claim(world: &World, now: Timestamp) -> Option<Job> {
    world.store.write(|tx| tx.claim_job(now)).unwrap()
}

fn finish(world: &World, job: &Job) {
    world.store.write(|tx| tx.finish_job(job.id)).unwrap();
}

fn count(world: &World) -> i64 {
    world.read(|tx| tx.count_jobs())
}

fn a_job_is_claimed_when_it_is_due(world: World) {
    order(&world, "later", NOW.plus_seconds(5));
    order(&world, "now", NOW);
    let job = claim(&world, NOW).unwrap();
    assert_eq!(
        (job.kind.as_str(), job.object.as_str(), job.attempts),
        ("refresh-status", "now", 1)
    );
    assert_eq!(claim(&world, NOW), None);
    finish(&world, &job);
    assert_eq!(claim(&world, NOW.plus_seconds(5)).unwrap().object, "later");
    assert_eq!(count(&world), 1);
}

fn an_abandoned_job_is_claimed_again(world: World) {
    order(&world, "a", NOW);
    let job = claim(&world, NOW).unwrap();
    assert_eq!(claim(&world, NOW.plus_seconds(59)), None);
    let again = claim(&world, NOW.plus_seconds(60)).unwrap();
    assert_eq!((again.id, again.attempts), (job.id, 2));
    let later = NOW.plus_seconds(300);
    world.store.write(|tx| tx.postpone_job(again.id, later)).unwrap();
    assert_eq!(claim(&world, NOW.plus_seconds(299)), None);
    assert_eq!(claim(&world, later).unwrap().attempts, 3);
}

fn an_order_while_the_job_runs_is_not_lost(world: World) {
    order(&world, "a", NOW);
    let first = claim(&world, NOW).unwrap();
    order(&world, "a", NOW);
    finish(&world, &first);
    let second = claim(&world, NOW).unwrap();
    assert_eq!(second.attempts, 1);
    finish(&world, &second);
    assert_eq!(count(&world), 0);
}

fn a_second_order_joins_the_first(world: World) {
    order(&world, "a", NOW.plus_seconds(10));
    order(&world, "a", NOW.plus_seconds(20));
    assert_eq!(claim(&world, NOW.plus_seconds(9)), None);
    order(&world, "a", NOW);
    assert_eq!(count(&world), 1);
    assert!(claim(&world, NOW).is_some());
}

fn parallel_workers_claim_every_job_once(world: World) {
    (0..12).for_each(|number| order(&world, &number.to_string(), NOW));
    let claimed = at_once(6, |_| -> Vec<String> {
        std::iter::from_fn(|| claim(&world, NOW)).map(|job| job.object).collect()
    });
    let all: Vec<String> = claimed.into_iter().flatten().collect();
    assert_eq!(all.len(), 12);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 12);
}

fn parallel_orders_make_one_row(world: World) {
    let ordered: Vec<Result<(), StoreError>> =
        at_once(6, |_| world.store.write(|tx| tx.enqueue_job("refresh-status", "a", NOW)));
    assert!(ordered.iter().all(Result::is_ok), "{ordered:?}");
    assert_eq!(count(&world), 1);
}

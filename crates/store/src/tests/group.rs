//! Writers that share a commit: one commit for all, each can be taken back alone, none goes on
//! before what it saw is kept.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tenkoku_domain::access::Scope;
use tenkoku_domain::audit::{Event, StoredRecord};
use tenkoku_domain::revocation::Cause;

use super::samples::{self as s, NOW};
use super::status::{issued, revoked};
use super::{World, both};
use crate::{StatusChange, StatusListener, StoreError, Tx};

both! {
    those_who_meet_share_one_commit
    one_who_fails_takes_nothing_from_the_others
    what_was_written_early_and_taken_back_is_written_again
    a_panic_loses_the_transaction_for_all_who_are_in_it
    what_cannot_be_committed_is_kept_for_nobody
}

fn started(number: usize) -> Event {
    Event::NodeStarted { version: number.to_string() }
}

fn note(tx: &mut Tx<'_>, number: usize) -> Result<(), StoreError> {
    tx.record(&s::origin(), NOW, &started(number))
}

/// What one of several writers does.
type Act<'a> = dyn Fn(&mut Tx<'_>) -> Result<(), StoreError> + Sync + 'a;

/// Runs `acts` in one shared transaction, in some order: the first holds it until all others wait.
fn together(world: &World, acts: &[&Act<'_>]) -> Vec<std::thread::Result<Result<(), StoreError>>> {
    let begun = std::sync::Barrier::new(2);
    let store = &world.store;
    std::thread::scope(|scope| {
        let first = scope.spawn(|| {
            world.store.write(|tx| {
                begun.wait();
                while world.store.waiting() < acts.len() {
                    std::thread::yield_now();
                }
                note(tx, 0)
            })
        });
        begun.wait();
        let others: Vec<_> = acts.iter().map(|act| scope.spawn(move || store.write(act))).collect();
        std::iter::once(first).chain(others).map(std::thread::ScopedJoinHandle::join).collect()
    })
}

fn outcomes(all: Vec<std::thread::Result<Result<(), StoreError>>>) -> Vec<&'static str> {
    let word = |one: std::thread::Result<Result<(), StoreError>>| match one {
        Ok(Ok(())) => "kept",
        Ok(Err(StoreError::Busy)) => "busy",
        Ok(Err(StoreError::Abandoned)) => "abandoned",
        Ok(Err(StoreError::Database(_))) => "database",
        Ok(Err(_)) => "other",
        Err(_) => "panic",
    };
    all.into_iter().map(word).collect()
}

/// What the audit trail says, without the record of the migration.
fn versions(world: &World) -> Vec<String> {
    let read = |record: StoredRecord| {
        let value: serde_json::Value = serde_json::from_str(&record.record).unwrap();
        value["detail"]["version"].as_str().map(str::to_owned)
    };
    let all = world.read(|tx| tx.audit_after(1, 100));
    let mut all: Vec<_> = all.into_iter().filter_map(read).collect();
    all.sort();
    all
}

#[derive(Default)]
struct Heard {
    times: AtomicUsize,
    changes: Mutex<Vec<i64>>,
}

impl StatusListener for Heard {
    fn committed(&self, changes: &[StatusChange]) {
        self.times.fetch_add(1, Ordering::SeqCst);
        self.changes.lock().unwrap().extend(changes.iter().map(|change| change.rev));
    }
}

fn those_who_meet_share_one_commit(world: World) {
    world.record(&s::registry()).unwrap();
    let all: Vec<_> = (1..=3).map(|number| issued(&world, number)).collect();
    let heard = Arc::new(Heard::default());
    let listener: Arc<dyn StatusListener> = Arc::<Heard>::clone(&heard);
    world.store.tell_status(Arc::downgrade(&listener));
    let revoke = |number: usize| {
        let event = revoked(&all[number], Cause::Replaced);
        move |tx: &mut Tx<'_>| tx.record(&s::origin(), NOW, &event)
    };
    let acts = [revoke(0), revoke(1), revoke(2)];
    let done = together(&world, &[&acts[0], &acts[1], &acts[2]]);
    assert_eq!(outcomes(done), ["kept"; 4]);
    // They are told of together, because they were committed together, in the order of the log.
    assert_eq!(heard.times.load(Ordering::SeqCst), 1);
    assert_eq!(*heard.changes.lock().unwrap(), [4, 5, 6]);
    world.walk().unwrap();
}

fn one_who_fails_takes_nothing_from_the_others(world: World) {
    let refused = |tx: &mut Tx<'_>| note(tx, 1).and(Err(StoreError::Busy));
    let swallowed = |tx: &mut Tx<'_>| {
        note(tx, 2)?;
        tx.record(&s::origin(), NOW, &s::organisation_created(0))?;
        // The second one fails and nobody looks.
        let again = tx.record(&s::origin(), NOW, &s::organisation_created(0));
        assert!(matches!(again, Err(StoreError::Conflict { .. })), "{again:?}");
        Ok(())
    };
    let fine = |tx: &mut Tx<'_>| note(tx, 3);
    let done = together(&world, &[&refused, &swallowed, &fine]);
    assert_eq!(outcomes(done), ["kept", "busy", "abandoned", "kept"]);
    assert_eq!(versions(&world), ["0", "3"]);
    assert_eq!(world.walk(), Ok(3));
}

fn what_was_written_early_and_taken_back_is_written_again(world: World) {
    // Whoever reads the trail writes what is noted, also that of those before; then it fails.
    let reads = |tx: &mut Tx<'_>| {
        note(tx, 1)?;
        tx.enqueue_job("refresh-status", "ca", NOW)?;
        let (last, _) = tx.audit_head()?.expect("a trail");
        assert!(last >= 3, "{last}");
        assert_eq!(tx.count_jobs()?, 1);
        Err(StoreError::Busy)
    };
    let fine = |tx: &mut Tx<'_>| note(tx, 2);
    let done = together(&world, &[&reads, &fine, &reads]);
    assert_eq!(outcomes(done), ["kept", "busy", "kept", "busy"]);
    assert_eq!(versions(&world), ["0", "2"]);
    assert_eq!(world.read(|tx| tx.count_jobs()), 0);
    assert_eq!(world.walk(), Ok(3));
}

fn a_panic_loses_the_transaction_for_all_who_are_in_it(world: World) {
    let panics = |_: &mut Tx<'_>| -> Result<(), StoreError> { panic!("as if by a mistake") };
    let done = together(&world, &[&panics]);
    assert_eq!(outcomes(done), ["abandoned", "panic"]);
    assert_eq!(versions(&world), Vec::<String>::new());
    world.record(&[started(7)]).unwrap();
    assert_eq!(versions(&world), ["7"]);
    assert_eq!(world.walk(), Ok(2));
}

fn what_cannot_be_committed_is_kept_for_nobody(world: World) {
    // The place of the next record is taken, so the trail cannot be written at the end.
    world.tamper(
        "INSERT INTO audit_events (chain, seq, code, object_kind, object_id, record, prev, hash) \
         SELECT chain, seq + 1, code, object_kind, object_id, record, prev, hash FROM audit_events",
    );
    let fine = |tx: &mut Tx<'_>| tx.record(&s::origin(), NOW, &s::organisation_created(0));
    let done = together(&world, &[&fine]);
    assert!(done.iter().all(|one| matches!(one, Ok(Err(_)))), "{done:?}");
    let page = world.read(|tx| tx.list_organisations(&Scope::Platform, "", None, 10));
    assert!(page.items.is_empty());
}

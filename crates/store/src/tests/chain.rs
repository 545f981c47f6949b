//! The audit chain: unbroken under parallel writers, and it names what was tampered with.

use tenkoku_domain::access::Scope;
use tenkoku_domain::audit::{AuditCode, ChainBreak, ChainFault, Event, ObjectRef};
use tenkoku_domain::refusal::{Refusal, RefusalCode};

use super::harness::at_once;
use super::samples::{self as s, NOW};
use super::{World, both};
use crate::{Store, StoreError};

both! {
    parallel_writers_keep_one_unbroken_chain
    nodes_keep_chains_of_their_own
    a_roll_back_leaves_nothing
    a_swallowed_failure_keeps_nothing
    a_panic_leaves_nothing
    a_deleted_record_is_named
    a_deleted_last_record_is_named
    a_changed_record_is_named
    records_are_read_in_both_directions
    nothing_is_written_while_reading
}

fn started(number: usize) -> Event {
    Event::NodeStarted { version: number.to_string() }
}

fn parallel_writers_keep_one_unbroken_chain(world: World) {
    at_once(6, |writer| {
        for number in 0..8 {
            world.record(&[started(writer), started(number)]).unwrap();
        }
    });
    assert_eq!(world.walk(), Ok(1 + 6 * 8 * 2));
}

fn nodes_keep_chains_of_their_own(world: World) {
    world.record(&[Event::NodeStopped]).unwrap();
    let url = world.url();
    let other = World { store: Store::open(&url, "node-2").unwrap(), ..world };
    (0..3).for_each(|number| other.record(&[started(number)]).unwrap());
    assert_eq!(other.walk(), Ok(3));
    let first = World { store: Store::open(&url, "node-1").unwrap(), ..other };
    assert_eq!(first.walk(), Ok(2));
}

fn a_roll_back_leaves_nothing(world: World) {
    let head = world.read(|tx| tx.audit_head());
    let given_up: Result<(), StoreError> = world.store.write(|tx| {
        tx.record(&s::origin(), NOW, &s::organisation_created(0))?;
        tx.enqueue_job("refresh-status", "ca", NOW)?;
        Err(StoreError::Busy)
    });
    assert!(matches!(given_up, Err(StoreError::Busy)));
    assert_eq!(world.read(|tx| tx.audit_head()), head);
    assert_eq!(world.read(|tx| tx.count_jobs()), 0);
    let page = world.read(|tx| tx.list_organisations(&Scope::Platform, "", None, 10));
    assert!(page.items.is_empty());
}

fn a_swallowed_failure_keeps_nothing(world: World) {
    world.record(&[s::organisation_created(0)]).unwrap();
    let swallowed: Result<(), StoreError> = world.store.write(|tx| {
        tx.record(&s::origin(), NOW, &s::organisation_created(1))?;
        let again = tx.record(&s::origin(), NOW, &s::organisation_created(0));
        assert!(matches!(again, Err(StoreError::Conflict { .. })), "{again:?}");
        Ok(())
    });
    assert!(matches!(swallowed, Err(StoreError::Abandoned)), "{swallowed:?}");
    let page = world.read(|tx| tx.list_organisations(&Scope::Platform, "", None, 10));
    assert_eq!(page.items.len(), 1);
    assert_eq!(world.walk(), Ok(2));
}

fn a_panic_leaves_nothing(world: World) {
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _: Result<(), StoreError> = world.store.write(|tx| {
            tx.record(&s::origin(), NOW, &s::organisation_created(0))?;
            panic!("as if the program had a mistake");
        });
    }));
    assert!(panicked.is_err());
    world.record(&[s::organisation_created(0)]).unwrap();
    assert_eq!(world.walk(), Ok(2));
}

fn three_records(world: &World) {
    (0..3).for_each(|number| world.record(&[started(number)]).unwrap());
    assert_eq!(world.walk(), Ok(4));
}

fn a_deleted_record_is_named(world: World) {
    three_records(&world);
    world.tamper("DELETE FROM audit_events WHERE seq = 2");
    assert_eq!(world.walk(), Err(ChainBreak { seq: 2, fault: ChainFault::Missing }));
}

fn a_deleted_last_record_is_named(world: World) {
    three_records(&world);
    world.tamper("DELETE FROM audit_events WHERE seq = 4");
    assert_eq!(world.walk(), Err(ChainBreak { seq: 4, fault: ChainFault::Missing }));
}

fn a_changed_record_is_named(world: World) {
    three_records(&world);
    world.tamper("UPDATE audit_events SET record = replace(record, 'ok', 'no') WHERE seq = 3");
    assert_eq!(world.walk(), Err(ChainBreak { seq: 3, fault: ChainFault::Altered }));
}

fn records_are_read_in_both_directions(world: World) {
    world.record(&s::registry()).unwrap();
    let object = ObjectRef::new("branch", s::branch(0, 1).id);
    let refused = Event::Refused {
        code: AuditCode::KeyDuplicate,
        object: object.clone(),
        organisation: Some(s::organisation_id(0)),
        policy: None,
        refusal: Refusal::new(RefusalCode::KeyDuplicate, "KM-6"),
    };
    world.record(&[refused]).unwrap();
    let (last, _) = world.read(|tx| tx.audit_head()).unwrap();
    let seqs = |scope: &Scope, before, object: Option<&ObjectRef>, limit| {
        let records = world.read(|tx| tx.audit_before(scope, before, object, limit));
        records.into_iter().map(|record| record.seq).collect::<Vec<_>>()
    };
    assert_eq!(seqs(&Scope::Platform, None, None, 2), [last, last - 1]);
    assert_eq!(seqs(&Scope::Platform, Some(last), None, 2), [last - 1, last - 2]);
    assert_eq!(seqs(&Scope::Platform, None, Some(&object), 9), [last, last - 3]);
    let ours = Scope::organisation(s::organisation_id(0));
    assert_eq!(seqs(&ours, None, None, 9), [last, last - 2, last - 3, last - 5]);
    assert!(seqs(&Scope::branch(s::branch_id(1)), None, None, 9).is_empty());
    let after = world.read(|tx| tx.audit_after(last - 2, 9));
    assert_eq!(after.iter().map(|record| record.seq).collect::<Vec<_>>(), [last - 1, last]);
}

fn nothing_is_written_while_reading(world: World) {
    let written = world.store.read(|tx| tx.record(&s::origin(), NOW, &Event::NodeStopped));
    assert!(matches!(written, Err(StoreError::Database(_))), "{written:?}");
    assert_eq!(world.walk(), Ok(1));
}

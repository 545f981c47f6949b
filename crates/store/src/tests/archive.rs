//! What a backup takes out and puts back.

use std::collections::BTreeSet;

use serde_json::Value;
use tempfile::TempDir;
use tenkoku_domain::audit::Event;
use tenkoku_testkit::postgres::Database;

use super::samples::{self as s, NOW};
use super::{World, both};
use crate::{Store, StoreError, Table};

both! {
    rows_read_back_from_either_engine_into_either
    a_database_that_is_not_empty_takes_nothing
    rows_of_a_later_program_are_refused
    rows_that_break_a_reference_are_refused_whole
}

type Rows = BTreeSet<(String, String)>;

/// Every row, with its table; numbers and texts as JSON writes them.
fn dumped(store: &Store) -> Vec<(Table, String)> {
    let mut rows = Vec::new();
    let kept = store.dump(|table, row| {
        rows.push((table.clone(), row.to_owned()));
        Ok::<_, StoreError>(())
    });
    kept.unwrap();
    rows
}

fn comparable(rows: &[(Table, String)]) -> Rows {
    let one = |(table, row): &(Table, String)| {
        let row: Value = serde_json::from_str(row).unwrap();
        (table.name.clone(), row.to_string().to_lowercase())
    };
    rows.iter().map(one).collect()
}

fn full(world: &World) -> Vec<(Table, String)> {
    world.record(&s::registry()).unwrap();
    world.record(&s::applied(&s::branch(0, 1), 1)).unwrap();
    let list = s::published("sample", 1);
    world.record(&[Event::ListPublished { list, services: Vec::new() }]).unwrap();
    dumped(&world.store)
}

fn fill(
    store: &Store,
    versions: &BTreeSet<String>,
    rows: &[(Table, String)],
) -> Result<(), StoreError> {
    store.fill(
        versions,
        (&s::origin(), NOW),
        |filler| rows.iter().try_for_each(|(table, row)| filler.take(table, row)),
        |_, ()| Ok(()),
    )
}

fn rows_read_back_from_either_engine_into_either(world: World) {
    let rows = full(&world);
    let versions = world.store.versions().unwrap();
    assert!(rows.len() > 20, "{} rows", rows.len());
    let (folder, server) = (TempDir::new().unwrap(), Database::create());
    let file = format!("sqlite:{}", folder.path().join("copy.db").display());
    for url in [file, server.url()] {
        let copy = Store::open(&url, "node-1").unwrap();
        fill(&copy, &versions, &rows).unwrap();
        assert_eq!(comparable(&dumped(&copy)), comparable(&rows));
        let head = copy.read(|tx| tx.audit_head()).unwrap();
        assert_eq!(head, world.read(|tx| tx.audit_head()));
    }
}

fn a_database_that_is_not_empty_takes_nothing(world: World) {
    let rows = full(&world);
    let versions = world.store.versions().unwrap();
    let refused = fill(&world.store, &versions, &rows);
    assert!(matches!(refused, Err(StoreError::Conflict { what: "database" })), "{refused:?}");
}

fn rows_of_a_later_program_are_refused(world: World) {
    let mut versions = world.store.versions().unwrap();
    world.store.revert_all().unwrap();
    versions.insert("99999999999999".to_owned());
    let refused = fill(&world.store, &versions, &[]);
    assert!(matches!(refused, Err(StoreError::Newer { .. })), "{refused:?}");
}

fn rows_that_break_a_reference_are_refused_whole(world: World) {
    let rows = full(&world);
    let versions = world.store.versions().unwrap();
    let some: Vec<_> =
        rows.into_iter().filter(|(table, _)| table.name != "organisations").collect();
    let (folder, server) = (TempDir::new().unwrap(), Database::create());
    let file = format!("sqlite:{}", folder.path().join("copy.db").display());
    for url in [file, server.url()] {
        let copy = Store::open(&url, "node-1").unwrap();
        assert!(fill(&copy, &versions, &some).is_err(), "branches of no organisation");
        let state = copy.schema_state().unwrap();
        assert_eq!(state, crate::SchemaState::Empty, "nothing of it was kept");
    }
}

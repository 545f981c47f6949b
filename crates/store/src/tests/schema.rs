//! Migrations, and databases of other versions.

use tenkoku_domain::audit::Event;

use super::samples::{self as s, NOW};
use super::{World, both};
use crate::{SchemaState, Store, StoreError};

both! {
    migrations_run_up_down_and_up
    migrating_twice_changes_nothing
    a_newer_database_is_refused_with_both_versions_named
    an_empty_database_is_not_read
    two_nodes_migrate_at_once
}

fn migrations_run_up_down_and_up(world: World) {
    assert_eq!(world.store.schema_state().unwrap(), SchemaState::Current);
    world.store.revert_all().unwrap();
    assert_eq!(world.store.schema_state().unwrap(), SchemaState::Empty);
    world.store.migrate(&s::origin(), NOW).unwrap();
    assert_eq!(world.store.schema_state().unwrap(), SchemaState::Current);
    world.record(&[Event::NodeStopped]).unwrap();
    assert_eq!(world.walk(), Ok(2));
}

fn migrating_twice_changes_nothing(world: World) {
    let head = world.read(|tx| tx.audit_head());
    world.store.migrate(&s::origin(), NOW).unwrap();
    assert_eq!(world.read(|tx| tx.audit_head()), head);
}

fn a_newer_database_is_refused_with_both_versions_named(world: World) {
    world.tamper("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000001')");
    let store = Store::open(&world.url(), "node-1").unwrap();
    let found = "29991231000001".to_owned();
    let known = last_migration();
    let newer = SchemaState::Newer { found: found.clone(), known: known.clone() };
    assert_eq!(store.schema_state().unwrap(), newer);
    let refusals = [
        store.read(|tx| tx.list_authorities()).unwrap_err(),
        store.write(|tx| tx.list_authorities()).unwrap_err(),
        store.migrate(&s::origin(), NOW).unwrap_err(),
    ];
    for refusal in refusals {
        let text = refusal.to_string();
        assert!(matches!(refusal, StoreError::Newer { .. }), "{text}");
        assert!(text.contains(&found) && text.contains(&known), "{text}");
    }
}

/// The version of the last folder under `migrations/`.
fn last_migration() -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let last = names.map(|name| name.into_string().unwrap()).max().unwrap();
    last.split('_').next().unwrap().replace('-', "")
}

fn an_empty_database_is_not_read(world: World) {
    world.store.revert_all().unwrap();
    let refused = world.store.read(|tx| tx.list_authorities()).unwrap_err();
    assert!(matches!(refused, StoreError::NotMigrated), "{refused}");
}

fn two_nodes_migrate_at_once(world: World) {
    world.store.revert_all().unwrap();
    let url = world.url();
    let migrated = super::harness::at_once(4, |number| {
        Store::open(&url, &format!("node-{number}"))?.migrate(&s::origin(), NOW)
    });
    assert!(migrated.iter().all(Result::is_ok), "{migrated:?}");
    assert_eq!(world.store.schema_state().unwrap(), SchemaState::Current);
}

//! Opening what is no database, or not ours: a distinct reason each, and never a password.

use std::fs;

use tempfile::TempDir;
use tenkoku_testkit::postgres::{self, Database};

use crate::{Store, StoreError};

fn check(url: &str, expected: impl Fn(&StoreError) -> bool) {
    let refused = Store::open(url, "node-1").map(drop).unwrap_err();
    let text = format!("{refused} {refused:?}");
    assert!(expected(&refused), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
}

#[test]
fn a_missing_folder_is_named() {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite:{}/no/such/test.db", folder.path().display());
    check(
        &url,
        |error| matches!(error, StoreError::NoFolder { folder } if folder.ends_with("/no/such")),
    );
}

#[test]
fn a_file_that_is_no_database_is_named_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("letter.txt");
    fs::write(&path, "Dear reader, this is a letter and not a database.").unwrap();
    check(path.to_str().unwrap(), |error| matches!(error, StoreError::NotADatabase { .. }));
    check(folder.path().to_str().unwrap(), |error| {
        matches!(error, StoreError::NotADatabase { .. })
    });
    assert!(fs::read_to_string(&path).unwrap().starts_with("Dear reader"));
}

#[test]
fn a_damaged_database_is_an_error() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("torn.db");
    fs::write(&path, b"SQLite format 3\0and then nothing that makes sense").unwrap();
    let opened = Store::open(path.to_str().unwrap(), "node-1");
    let refused = opened.and_then(|store| store.schema_state()).unwrap_err();
    assert!(matches!(refused, StoreError::NotADatabase { .. }), "{refused}");
}

#[test]
fn a_new_database_file_is_its_owner_s_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("new.db");
    Store::open(path.to_str().unwrap(), "node-1").unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_server_that_is_not_there_is_unreachable() {
    check(
        "postgres://ann:s3cret@127.0.0.1:1/seal",
        |error| matches!(error, StoreError::Unreachable { database, .. } if database == "postgres://127.0.0.1:1/seal"),
    );
    check("postgres://ann:s3cret@127.0.0.1:port/seal", |error| {
        matches!(error, StoreError::Unreachable { .. })
    });
}

#[test]
fn a_wrong_password_is_a_refused_sign_in() {
    let database = Database::create();
    let server = postgres::server();
    let url = if server.is_private() {
        let url = database.url().replace("user=postgres", "user=locked");
        format!("{url}&password=s3cret")
    } else {
        let url = database.url();
        let (scheme, rest) = url.split_once("://").unwrap();
        let (user, host) = rest.rsplit_once('@').unwrap();
        let user = user.split_once(':').map_or(user, |(user, _)| user);
        format!("{scheme}://{user}:s3cret@{host}")
    };
    check(&url, |error| matches!(error, StoreError::SignIn { .. }));
}

#[test]
fn a_missing_database_is_unreachable() {
    let url = postgres::server().url("tenkoku_no_such_database");
    check(&url, |error| matches!(error, StoreError::Unreachable { .. }));
}

#[test]
fn another_kind_of_address_is_refused() {
    check("mysql://ann:s3cret@db.example/seal", |error| {
        matches!(error, StoreError::Address { .. })
    });
}

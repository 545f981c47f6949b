//! A backup made while the installation serves, rehearsed, restored, and refused where it is not
//! what it says.

use std::fs;
use std::path::{Path, PathBuf};

use tenkoku_testkit::postgres::Database;
use tenkoku_testkit::servers::{Installation, get};
use tenkoku_testkit::tools::{Outcome, run};

use super::{P256, fails, issue, make_request, records, small_installation, word};

/// An installation with one certificate, and a backup of it that was made while it served.
fn backed_up() -> (Installation, PathBuf) {
    let installation = small_installation();
    let request = make_request(installation.path(), "branch", &P256);
    issue(&installation, "BR-0001", "2", &request);
    let file = installation.path().join("copy.backup");
    let server = installation.serve();
    let made = installation.json(["backup", word(&file)]);
    assert_eq!(server.terminate(), Some(0));
    assert!(made["rows"].as_u64().is_some_and(|rows| rows > 50), "{made}");
    (installation, file)
}

/// Restores into another installation with the passphrase of the first.
fn restore(from: &Installation, file: &Path, to: &Installation) -> Outcome {
    let mut command = to.command(["restore", word(file)]);
    command.env("TENKOKU_PASSPHRASE_FILE", from.path().join("passphrase"));
    run(&mut command)
}

fn certificates(installation: &Installation) -> serde_json::Value {
    installation.json(["certificate", "list", "--limit", "1000"])["certificates"].clone()
}

/// The restored installation is the one that was backed up, and goes on.
fn check_restored(from: &Installation, to: &Installation) {
    assert_eq!(certificates(from), certificates(to));
    let trail = to.json(["audit", "list"]).to_string();
    assert!(trail.contains("sys.backup-restored"), "{trail}");
    assert!(records(to) > 10, "the trail is intact");
    let request = make_request(to.path(), "another", &P256);
    issue(to, "BR-0002", "2", &request);
    let server = to.serve();
    assert_eq!(get(&format!("{}/crl/seal-l2-g1.crl", to.public())).status, 200);
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn a_backup_made_while_serving_is_rehearsed_and_restored() {
    let (installation, file) = backed_up();
    let whole = fs::read(&file).expect("the backup");
    let clear = String::from_utf8_lossy(&whole).into_owned();
    assert!(!clear.contains("BR-0001"), "what stands in it is encrypted");
    let before = records(&installation);
    let checked = installation.json(["restore", "--check", word(&file)]);
    assert!(checked["keys_opened"].as_u64().is_some_and(|keys| keys > 4), "{checked}");
    assert_eq!(records(&installation), before + 1, "the rehearsal is recorded");
    let left = fs::read_dir(installation.path()).expect("the folder");
    let left = left.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    assert!(!left.into_iter().any(|name| name.starts_with("restore-check")));

    let copy = Installation::empty();
    restore(&installation, &file, &copy).success();
    check_restored(&installation, &copy);
    let again = restore(&installation, &file, &copy);
    again.exited(1);
    assert!(again.said().contains("restore-not-empty"));
}

#[test]
fn a_backup_of_sqlite_is_restored_into_postgresql() {
    let (installation, file) = backed_up();
    let database = Database::create();
    let copy = Installation::empty_on(&database.url());
    restore(&installation, &file, &copy).success();
    check_restored(&installation, &copy);
    assert!(!copy.path().join("tenkoku.db").exists());
}

#[test]
fn a_backup_that_is_not_what_it_says_restores_nothing() {
    let (installation, file) = backed_up();
    fails(&installation, &["backup", word(&file)], 1, "backup-exists");
    let whole = fs::read(&file).expect("the backup");
    let variant = |name: &str, octets: &[u8]| {
        let path = installation.path().join(name);
        fs::write(&path, octets).expect("a file");
        path
    };
    let cut = variant("cut", &whole[..whole.len() - 1]);
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    let changed = variant("changed", &changed);
    let text = variant("text", b"a letter\n");
    let other = variant("other-passphrase", b"another passphrase\n");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(&other, mode).expect("its mode");
    for (path, code) in
        [(&cut, "backup-damaged"), (&changed, "backup-damaged"), (&text, "backup-unknown")]
    {
        let copy = Installation::empty();
        let refused = restore(&installation, path, &copy);
        refused.exited(1);
        assert!(refused.said().contains(code), "{path:?}: {}", refused.said());
        let left = fs::read_dir(copy.path()).expect("the folder").count();
        assert_eq!(left, 0, "{path:?} left something behind");
    }
    let words = ["restore", "--check", word(&file), "--encrypted-with", word(&other)];
    fails(&installation, &words, 1, "backup-passphrase");
}

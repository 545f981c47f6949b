//! Setting up, and settings that are wrong: told by name, nothing changed.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use tenkoku_testkit::servers::Installation;
use tenkoku_testkit::tools::run;

use super::{fails, files, is_english, records, small_installation, three_parts, unchanged, word};

fn in_folder(installation: &Installation) -> usize {
    fs::read_dir(installation.path()).expect("the folder").count()
}

#[test]
fn a_second_init_changes_nothing() {
    let installation = small_installation();
    unchanged(&installation, 0, || {
        let again = installation.tenkoku(["init", "--evaluation"]);
        assert!(again.success().contains("evaluation"));
    });
}

#[test]
fn a_production_installation_needs_an_arc_of_its_own() {
    let installation = Installation::empty();
    fails(&installation, &["init"], 2, "config-malformed");
    let documentation = ["init", "--policy-arc", "1.3.6.1.4.1.32473.1"];
    fails(&installation, &documentation, 1, "config-malformed");
    fails(&installation, &["init", "--policy-arc", "no-arc"], 1, "config-malformed");
    let nowhere = ["init", "--evaluation", "--database", "oracle://db.example/x"];
    fails(&installation, &nowhere, 1, "database-unreachable");
    let own = ["init", "--policy-arc", "1.3.6.1.4.1.99999.1"];
    fails(&installation, &own, 2, "config-malformed");
    let at = [&own[..], &["--public-address", "http://seal.example.jp"]].concat();
    fails(&installation, &at, 2, "config-malformed");
    let elsewhere = TempDir::new().expect("a folder for the passphrase");
    let passphrase = elsewhere.path().join("passphrase");
    let file = passphrase.to_string_lossy();
    let whole = [&at[..], &["--passphrase-file", &file]].concat();
    fails(&installation, &whole, 1, "input-missing");
    assert_eq!(in_folder(&installation), 0, "nothing was made");
    fs::write(&passphrase, "a passphrase of the test\n").expect("the passphrase");
    fs::set_permissions(&passphrase, Permissions::from_mode(0o600)).expect("its mode");
    installation.tenkoku(whole).success();
    let root = ["ca", "create", "--kind", "root", "--code", "root-g1", "--name", "Root G1"];
    fails(&installation, &root, 1, "config-malformed");
    let listed = installation.json(["ca", "list"]);
    assert_eq!(listed["authorities"].as_array().map(Vec::len), Some(0));
    fails(&installation, &["init", "--evaluation"], 1, "config-malformed");
}

#[test]
fn without_an_installation_every_command_says_how_to_make_one() {
    let installation = Installation::empty();
    for words in [&["ca", "list"][..], &["audit", "verify"], &["serve"], &["config", "check"]] {
        fails(&installation, words, 1, "config-missing");
    }
    assert_eq!(in_folder(&installation), 0);
}

/// Spoils an installation, sees commands fail, repairs it, and finds it as it was.
fn spoilt(
    installation: &Installation,
    spoil: impl FnOnce(),
    commands: &[&[&str]],
    code: &str,
    repair: impl FnOnce(),
) {
    unchanged(installation, 0, || {
        spoil();
        let before = files(installation.path());
        for words in commands {
            fails(installation, words, 1, code);
        }
        assert_eq!(before, files(installation.path()));
        repair();
    });
}

const NEEDS_KEYS: &[&[&str]] =
    &[&["crl", "issue", "seal-l1-g1"], &["serve"], &["init", "--evaluation"]];

#[test]
fn a_configuration_with_a_mistake_is_told_by_key_and_line() {
    let installation = Installation::evaluation();
    let file = installation.path().join("tenkoku.toml");
    let good = fs::read_to_string(&file).expect("the configuration");
    let commands: &[&[&str]] = &[&["config", "check"], &["serve"], &["crl", "issue", "seal-l1-g1"]];
    let check = |from: &str, to: &str, code: &str, told: &[&str]| {
        assert!(good.contains(from));
        let bad = || fs::write(&file, good.replace(from, to)).expect("a file");
        let repair = || fs::write(&file, &good).expect("a file");
        spoilt(&installation, bad, commands, code, || {
            let said = installation.tenkoku(["config", "check"]).stderr;
            assert!(told.iter().all(|part| said.contains(part)), "{said}");
            repair();
        });
    };
    let line = good.lines().position(|line| line.starts_with("territory")).expect("the key") + 1;
    let place = format!("tenkoku.toml:{line}");
    check("territory =", "teritory =", "config-unknown-key", &["teritory", "territory", &place]);
    check("territory = \"JP\"", "territory = 81", "config-malformed", &[&format!("line {line}")]);
    check("[scheme]", "[scheme", "config-malformed", &["line"]);
}

#[test]
fn a_database_of_a_newer_version_is_left_alone() {
    let installation = Installation::evaluation();
    let database = installation.path().join("tenkoku.db");
    let whole = fs::read(&database).expect("the database");
    let commands: &[&[&str]] = &[
        &["ca", "list"],
        &["serve"],
        &["db", "migrate"],
        &["init", "--evaluation"],
        &["crl", "issue", "seal-l1-g1"],
    ];
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')";
    let spoil = || sqlite(&database, newer);
    let repair = || {
        sqlite(
            &database,
            "DELETE FROM __diesel_schema_migrations WHERE version = '29990101000000'",
        );
    };
    spoilt(&installation, spoil, commands, "database-newer", repair);
    let spoil = || fs::write(&database, [0; 4096]).expect("a file");
    let repair = || fs::write(&database, &whole).expect("a file");
    spoilt(&installation, spoil, commands, "database-unreachable", repair);
}

/// Runs one statement on an SQLite database, past the program.
fn sqlite(database: &Path, statement: &str) {
    let program = "import sqlite3, sys\n\
                   with sqlite3.connect(sys.argv[1]) as database: database.execute(sys.argv[2])\n\
                   database.close()";
    run(Command::new("python3").args(["-c", program, word(database), statement])).success();
}

#[test]
fn the_key_store_opens_with_its_own_passphrase_only() {
    let installation = Installation::evaluation();
    let file = installation.path().join("passphrase");
    let good = fs::read(&file).expect("the passphrase");
    let private = |text: &[u8]| {
        fs::write(&file, text).expect("a file");
        fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("a mode");
    };
    let repair = || private(&good);
    let wrong = || private(b"not the passphrase\n");
    spoilt(&installation, wrong, NEEDS_KEYS, "key-store-locked", repair);
    let open = || fs::set_permissions(&file, Permissions::from_mode(0o644)).expect("a mode");
    spoilt(&installation, open, NEEDS_KEYS, "key-store-exposed", repair);
    let missing = || fs::remove_file(&file).expect("the passphrase");
    spoilt(&installation, missing, &NEEDS_KEYS[..2], "passphrase-missing", repair);
}

#[test]
fn a_second_server_says_that_the_address_is_in_use() {
    let installation = Installation::evaluation();
    let public = installation.public();
    let address = public.strip_prefix("http://").expect("an address");
    let _taken = TcpListener::bind(address).expect("the public address");
    let before = records(&installation);
    for (language, expected) in [("en", true), ("ja", false)] {
        let outcome = installation.tenkoku(["serve", "--lang", language]);
        assert_eq!(outcome.code, Some(1), "{}", outcome.said());
        three_parts(&outcome, "port-in-use", |text| is_english(text) == expected);
        assert!(outcome.stderr.contains(address), "{}", outcome.stderr);
    }
    assert_eq!(records(&installation), before);
}

#[test]
fn the_settings_in_force_are_shown_with_where_they_come_from_and_without_secrets() {
    let installation = Installation::empty().set_up();
    let shown = |words: &[&str]| {
        let mut command = installation.command(["config", "show"]);
        command.args(words).env("TENKOKU_LOG_LEVEL", "warn");
        command.env("TENKOKU_MAIL_PASSWORD", "the password of the post");
        command.env("TENKOKU_DATABASE_URL", "postgres://me:the-secret@db.example/t");
        run(&mut command)
    };
    let json: serde_json::Value =
        serde_json::from_str(shown(&["--format", "json"]).success()).expect("JSON");
    let of = |key: &str| {
        let all = json["settings"].as_array().expect("a list");
        let found = all.iter().find(|one| one["key"] == key).expect("the key");
        [&found["value"], &found["from"], &found["variable"]].map(ToString::to_string).join(" ")
    };
    assert_eq!(of("log.level"), "\"warn\" \"environment\" \"TENKOKU_LOG_LEVEL\"");
    assert_eq!(of("log.format"), "\"auto\" \"file\" null");
    assert_eq!(of("status.freshness_seconds"), "\"300\" \"default\" null");
    assert_eq!(of("tls.certificate_file"), "null \"default\" null");
    assert!(of("database.url").starts_with("\"postgres://me:***@db.example/t\""));
    assert!(of("mail.password_file").starts_with("\"***\""));
    for (language, words) in [("en", "not set  (default)"), ("ja", "設定なし")] {
        let text = shown(&["--lang", language]);
        assert!(text.success().contains(words), "{}", text.said());
        assert!(!text.said().contains("secret") && !text.said().contains("of the post"));
    }
}

//! The Debian package: built as `make release` does, installed with `dpkg` into a folder of its own,
//! and used from there.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use tenkoku_testkit::servers::{Installation, program};
use tenkoku_testkit::tools::{checkout, run};

use super::cli::word;

fn lines(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_debian_package_installs_and_what_it_brings_works() {
    let folder = TempDir::new().expect("a folder");
    let out = folder.path().join("out");
    let mut package = Command::new(checkout().join("scripts/package"));
    package.args(["--program", word(&program()), "--out", word(&out)]);
    let package = run(&mut package).success().trim().to_owned();

    let root = folder.path().join("root");
    for part in ["var/lib/dpkg/updates", "var/lib/dpkg/info", "etc"] {
        fs::create_dir_all(root.join(part)).expect("a folder");
    }
    fs::write(root.join("var/lib/dpkg/status"), "").expect("a file");
    let install = || {
        let mut dpkg = Command::new("dpkg");
        // The packages it depends on are this machine's, not the folder's.
        dpkg.args(["--force-not-root", "--force-script-chrootless", "--force-depends"]);
        dpkg.arg(format!("--root={}", root.display())).args(["--install", &package]);
        run(&mut dpkg).success();
    };
    install();
    assert!(lines(&root.join("etc/passwd")).contains("tenkoku:"), "the account is made");

    let installed = root.join("usr/bin/tenkoku");
    let version = run(Command::new(&installed).arg("--version"));
    assert_eq!(version.success(), run(Command::new(program()).arg("--version")).success());
    let page = root.join("usr/share/man/man1/tenkoku-revoke.1.gz");
    let shown = run(Command::new("zcat").arg(&page)).success().to_owned();
    assert!(shown.contains("SYNOPSIS") && shown.contains("reason"), "{shown}");
    let completion = root.join("usr/share/bash-completion/completions/tenkoku");
    let told = format!("source {} && complete -p tenkoku", completion.display());
    assert!(run(Command::new("bash").args(["-c", &told])).success().contains("_tenkoku"));
    let documents = root.join("usr/share/doc/tenkoku");
    for file in ["OPERATIONS.md", "copyright", "changelog.gz", "examples/fleet"] {
        assert!(documents.join(file).exists(), "{file}");
    }

    // The units name what the package brings.
    for unit in ["tenkoku.service", "tenkoku-status.service"] {
        let text = lines(&root.join("usr/lib/systemd/system").join(unit));
        assert!(text.contains("ExecStart=/usr/bin/tenkoku serve"), "{unit}");
        assert!(text.contains("User=tenkoku"), "{unit}");
    }

    // An installation that is there outlives an upgrade and a removal.
    let kept = root.join("var/lib/tenkoku/tenkoku.toml");
    fs::create_dir_all(kept.parent().expect("a folder")).expect("the data folder");
    fs::write(&kept, "kept").expect("a file");
    install();
    let mut remove = Command::new("dpkg");
    remove.args(["--force-not-root", "--force-script-chrootless"]);
    remove.arg(format!("--root={}", root.display())).args(["--purge", "tenkoku"]);
    run(&mut remove).success();
    assert!(!installed.exists() && kept.exists());
}

#[test]
fn every_command_has_a_manual_page_and_every_shell_a_completion() {
    let installation = Installation::empty();
    let folder = installation.path().join("man");
    let written = installation.json(["man", word(&folder)]);
    assert!(written["pages"].as_u64().is_some_and(|pages| pages > 100), "{written}");
    let top = lines(&folder.join("tenkoku.1"));
    for command in ["backup", "restore", "revoke", "serve"] {
        assert!(top.contains(&format!("tenkoku\\-{command}(1)")), "{command} in {top}");
        assert!(folder.join(format!("tenkoku-{command}.1")).is_file(), "{command}");
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = installation.tenkoku(["completion", shell]).success().to_owned();
        assert!(text.contains("tenkoku") && text.contains("revoke"), "{shell}");
    }
}

//! A trusted list from its draft to the files that a server gives out, at the command line, with a
//! stranger's program as the judge of what was served.

use std::fs;

use serde_json::Value;
use tenkoku_testkit::servers::{Installation, Reply, get};
use tenkoku_testkit::tools::{check_trust_list, run};

use super::word;

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}"))
}

fn served(installation: &Installation, path: &str) -> Reply {
    let reply = get(&format!("{}{path}", installation.public()));
    assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    reply
}

#[test]
fn a_draft_becomes_the_files_that_readers_fetch() {
    let installation = Installation::evaluation();
    let server = installation.serve();
    let draft = installation.json(["list", "draft"]);
    let id = text(&draft, "id");
    installation.tenkoku(["list", "draft"]).exited(1);
    let contact = "electronic-address=en: mailto:tl@seal.example.jp\nen: https://seal.example.jp";
    let said = installation.tenkoku(["list", "edit", id, "scheme"]);
    assert!(said.success().contains("operator-name"), "{}", said.stdout);
    let wrong = installation.tenkoku(["list", "edit", id, "scheme", "territory=GB"]);
    assert!(wrong.exited(1).is_empty() && wrong.stderr.contains("5.1.5"), "{}", wrong.stderr);
    installation.tenkoku(["list", "edit", id, "scheme", contact]).success();
    let withdrawn = format!("{}/lists/jp-2021#withdrawn", "http://seal.example.jp");
    let status = ["list", "status", id, "service-1-1", &withdrawn, "--reason", "audit"];
    let legal = ["--legal-ja", "規程第5条", "--legal-en", "Rules, article 5"];
    installation.tenkoku([&status[..], &legal].concat()).success();
    let checked = installation.json(["list", "check", id]);
    assert_eq!((&checked["sound"], &checked["sequence"]), (&true.into(), &2.into()));
    assert_eq!(checked["effects"].as_array().map(Vec::len), Some(1), "{checked}");
    let japanese = installation.tenkoku(["--lang", "ja", "list", "check", id]);
    assert!(japanese.success().contains("のサービス"), "{}", japanese.stdout);
    let exported = installation.tenkoku(["list", "export", id]);
    assert!(exported.success().contains("<TrustServiceStatusList"));
    let digest = text(&checked, "digest").to_owned();
    installation.tenkoku(["list", "approve", id, "--digest", &digest]).exited(1);
    installation.tenkoku(["list", "submit", id]).success();
    let published = installation.json(["list", "approve", id, "--digest", &digest]);
    assert_eq!(published["sequence"], 2);
    let signers = installation.json(["list", "signers"]);
    assert_eq!(signers["signers"].as_array().map(Vec::len), Some(2));
    installation.tenkoku(["list", "hand-over"]).exited(1);

    let folder = tempfile::tempdir().expect("a folder");
    let place = |name: &str| folder.path().join(name);
    for (path, name) in [
        ("/tl/jp-2021.xml", "list.xml"),
        ("/tl/jp-2021.sha2", "list.sha2"),
        ("/tl/jp-2021.html", "list.html"),
        ("/tl/jp-2021/1.xml", "before.xml"),
    ] {
        fs::write(place(name), served(&installation, path).body).expect("a file");
    }
    assert_eq!(
        served(&installation, "/tl/jp-2021/2.xml").body,
        fs::read(place("list.xml")).expect("a file")
    );
    let json = served(&installation, "/tl/jp-2021.json");
    tenkoku_tsl::lote::verify(&json.text()).expect("a list in JSON");
    let pem = served(&installation, "/tl/jp-2021/signers.pem").text();
    assert_eq!(pem.matches("BEGIN CERTIFICATE").count(), 2);
    let Some(mut judge) = check_trust_list() else { return };
    let address = format!("{}/tl/jp-2021.xml", installation.public());
    judge.args(["--strict", "--now", "issue", "--url", &address]);
    judge.args(["--sha2", word(&place("list.sha2")), "--html", word(&place("list.html"))]);
    judge.args(["--previous", word(&place("before.xml")), word(&place("list.xml"))]);
    let said = run(&mut judge);
    assert!(!said.success().lines().any(|line| line.starts_with("FAIL")), "{}", said.stdout);
    drop(server);
}

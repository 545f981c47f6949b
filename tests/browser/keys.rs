//! The pages for the life of keys in a real browser: nothing sticks out, nothing is refused by the
//! security policy, in both languages; and their click budgets.

use std::fs;

use serde_json::Value;
use tenkoku_testkit::servers::Installation;
use tenkoku_testkit::tools::openssl;
use tenkoku_testkit::webdriver::By;

use super::branch::BANK;
use super::person::Person;
use super::{installation_with, invite};

/// Another organisation of the sample.
pub(super) const TRADER: &str = "7000000990002";

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_else(|| panic!("{member} in {value}")).to_owned()
}

fn path(installation: &Installation, name: &str) -> String {
    installation.path().join(name).to_string_lossy().into_owned()
}

/// Hands in a proof of class D4 for a retired key; gives its number.
pub(super) fn hand_in(installation: &Installation, key: &str) -> String {
    let shown = installation.json(["key", "show", key]);
    let document = format!(
        "key = \"{key}\"\nclass = \"D4\"\nserials = [\"SN-2026-000000000000000001\"]\n\
         [[copies]]\ncopy = \"primary\"\nmethod = \"zeroise\"\nat = \"{}\"\n\
         [[signatures]]\nname = \"石垣 一葉\"\nrole = \"custodian\"\nkey = \"c.pub\"\n\
         signature = \"c.sig\"\n",
        text(&shown["dates"], "activated"),
    );
    let [file, private, public, statement, signature] =
        ["evidence.toml", "c.key", "c.pub", "c.json", "c.sig"].map(|name| path(installation, name));
    fs::write(&file, document).expect("a file");
    let curve = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
    openssl(["genpkey", "-quiet", "-out", &private].iter().chain(&curve)).success();
    openssl(["pkey", "-in", &private, "-pubout", "-out", &public]).success();
    installation.tenkoku(["key", "evidence", "text", &file, "--out", &statement]).success();
    openssl(["dgst", "-sha256", "-sign", &private, "-out", &signature, &statement]).success();
    text(&installation.json(["key", "evidence", "hand-in", &file]), "id")
}

#[test]
fn pages_of_keys_hold_the_rules_of_pages_in_both_languages() {
    let (installation, [live, retired, waiting]) =
        installation_with(["BR-0101", "BR-0481", "BR-0786"]);
    let key_of = |serial: &str| text(&installation.json(["certificate", "show", serial]), "key");
    let [live_key, retired_key, waiting_key] =
        [&live, &retired, &waiting].map(|seal| key_of(&seal.serial));
    for key in [&retired_key, &waiting_key] {
        installation.tenkoku(["key", "retire", key, "--yes"]).success();
    }
    let proof = hand_in(&installation, &waiting_key);
    // Somebody else shows possession of the live key.
    let stolen = path(&installation, "BR-0101.key");
    let again = ["issue", "--org", TRADER, "--branch", "HQ", "--level", "1", "--key", &stolen];
    installation.tenkoku(again).exited(1);
    let incidents = installation.json(["incident", "list"]);
    let incident = text(&incidents["incidents"][0], "id");
    let _server = installation.serve();
    for language in ["en", "ja"] {
        let officer = Person::arrive(&installation, language);
        let name = format!("officer-{language}");
        officer.enrol_with_a_code_generator(&invite(
            &installation,
            &name,
            &["--language", language],
        ));
        for page in [
            "/console/keys".to_owned(),
            format!("/console/keys/{retired_key}"),
            "/console/keys/destruction".to_owned(),
            format!("/console/keys/destruction/{proof}"),
            "/console/incidents".to_owned(),
            format!("/console/incidents/{incident}"),
            format!("/console/certificates/{}", live.serial),
            format!("/console/certificates/{}/release", live.serial),
            "/console/authorities".to_owned(),
            "/console/authorities/seal-l2-g1".to_owned(),
            "/console/ceremonies".to_owned(),
            "/console/ceremonies/new".to_owned(),
            "/console/authorities/emergency".to_owned(),
            "/console/policies".to_owned(),
        ] {
            officer.open(&page);
        }
        let within = ["--role", "organisation-administrator", "--org", BANK];
        let holder = Person::arrive(&installation, language);
        let more = [&within[..], &["--language", language]].concat();
        holder.enrol_with_a_code_generator(&invite(
            &installation,
            &format!("holder-{language}"),
            &more,
        ));
        for page in [
            format!("/console/keys/{live_key}"),
            format!("/console/keys/{live_key}/lost"),
            format!("/console/keys/{retired_key}/evidence"),
            "/console/keys/destruction".to_owned(),
        ] {
            holder.open(&page);
        }
    }
    decide(&installation, &proof);
}

/// A proof is accepted from Home with four clicks: the task, the proof, the choice, the button.
fn decide(installation: &Installation, proof: &str) {
    let officer = Person::arrive(installation, "en");
    officer.enrol_with_a_code_generator(&invite(installation, "decider", &["--language", "en"]));
    officer.open("/console");
    officer.clicks();
    officer.follow("main a[href='/console/keys/destruction']");
    officer.follow(&format!("table a.btn[href$='{proof}']"));
    officer.click("input[value='accept']");
    officer.fill("reason", "all there");
    officer.follow("#do-it");
    assert_eq!(officer.clicks(), 4);
    assert!(officer.browser.find_all(By::Css("#decide")).is_empty(), "it is decided");
    officer.sees("Accepted");
}

#[test]
fn a_proof_and_the_custodian_s_statement_are_handed_in_as_files() {
    let installation = Installation::with_sample();
    let file = |name: &str| path(&installation, name);
    let [key, request, told, forged, picture] =
        ["branch.key", "proof.csr", "statement.json", "forged.json", "statement.png"].map(file);
    fs::write(&picture, b"\x89PNG\r\n\x1a\n").expect("a file");
    let of = ["container", "register", "--org", BANK, "--branch", "BR-0101", "--kind", "token"];
    let what = ["--model", "Sample Token", "--serial", "SN-1", "--location", "safe"];
    let who = ["--custodian-name", "石垣 一葉", "--custodian-email", "kazuha@bank.example"];
    let container = installation.json(of.iter().chain(&what).chain(&who).copied());
    let container = text(&container, "id");
    installation.json(["container", "verify", &container, "--evidence", &picture]);
    let words = ["apply", "--branch", "BR-0101", "--org", BANK, "--level", "2"];
    let id = text(&installation.json(words), "id");
    let words = ["application", "request", &id, "--key", &key, "--out", &request];
    installation.tenkoku(words).success();
    let about = ["application", "statement", &id, "--container", &container, "--key", &key];
    let made = ["--generated", "2026-11-22", "--out", &told];
    installation.tenkoku(about.iter().chain(&made).copied()).success();
    let honest = fs::read_to_string(&told).expect("the statement");
    fs::write(&forged, honest.replace("2026-11-22", "2026-11-21")).expect("a file");
    let _server = installation.serve();
    let custodian = Person::arrive(&installation, "en");
    let within = ["--role", "organisation-administrator", "--org", BANK, "--language", "en"];
    custodian.enrol_with_a_code_generator(&invite(&installation, "custodian", &within));
    let address = format!("/console/applications/{id}");
    let hand_in = |statement: &str| {
        custodian.open(&address);
        if !custodian.browser.find(By::Css("#statement")).is_displayed() {
            custodian.click("#origin summary");
        }
        custodian.browser.find(By::Css("#proof_file")).type_text(&request);
        custodian.browser.find(By::Css("#statement")).type_text(statement);
        custodian.follow("#prove");
    };
    // A picture that is called a statement, nothing at all, and a statement that was touched.
    hand_in(&picture);
    assert!(custodian.text(".errsum").contains("none of the kinds"), "{}", custodian.text("main"));
    custodian.open(&address);
    custodian.follow("#prove");
    assert!(custodian.text(".errsum").contains("choose its file"), "{}", custodian.text("main"));
    hand_in(&forged);
    custodian.sees("attestation-invalid");
    assert_eq!(installation.json(["application", "show", &id])["state"], "key-proof");
    hand_in(&told);
    custodian.is_at(&address);
    custodian.sees("The custodian's signed statement");
    custodian.sees("declared by the custodian");
    assert_eq!(installation.json(["application", "show", &id])["state"], "ready");
}

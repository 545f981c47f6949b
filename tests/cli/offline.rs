//! An offline root (UX 4.2) with the real program in two installations: asked, answered, imported by
//! bundles; wrong codes, replays, other roots and tampered bundles are refused; after a rollover the
//! roots certify each other through the bundles.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tenkoku_testkit::servers::Installation;
use tenkoku_testkit::tools::{Outcome, openssl};

use super::{P256, issue, make_request, populate, word};

/// The persons of every ceremony, with their roles.
const PERSONS: [(&str, &str); 4] = [
    ("leader", "Sato Megumi"),
    ("officer", "Suzuki Ichiro"),
    ("witness", "Takahashi Hana"),
    ("auditor", "Tanaka Minoru"),
];

/// An installation without authorities, whose certificates name an address that both sides share.
fn side() -> Installation {
    let installation = Installation::empty();
    let address = ["--public-address", "http://pki.example.jp"];
    let words = ["init", "--evaluation", "--offline-root"].into_iter().chain(address);
    installation.tenkoku(words).success();
    installation
}

/// Writes the file of a ceremony and the ticks of everybody on every step.
fn ceremony(side: &Installation, words: &[&str]) -> [PathBuf; 2] {
    let mut all = vec!["ceremony", "new"];
    let flags = PERSONS.map(|(role, name)| [format!("--{role}"), name.to_owned()]);
    all.extend(words);
    all.extend(flags.iter().flatten().map(String::as_str));
    let text = side.tenkoku(all).success().to_owned();
    let [file, ticks] = ["ceremony.toml", "ticks.toml"].map(|name| side.path().join(name));
    let steps = text.matches("[[steps]]").count();
    let tick = |step: usize, (role, person): (&str, &str)| {
        format!("[[ticks]]\nstep = {step}\nrole = \"{role}\"\nperson = \"{person}\"\n")
    };
    let everybody = (1..=steps).flat_map(|step| PERSONS.map(|person| tick(step, person)));
    fs::write(&ticks, everybody.collect::<String>()).expect("a file");
    fs::write(&file, text).expect("a file");
    [file, ticks]
}

/// Holds a ceremony.
fn hold(side: &Installation, words: &[&str]) {
    let [file, ticks] = ceremony(side, words);
    side.tenkoku(["ceremony", "run", word(&file), "--ticks", word(&ticks)]).success();
}

/// A bundle on the medium, with its code.
struct Bundle {
    file: PathBuf,
    code: String,
}

fn ask(online: &Installation, name: &str, root: &str, cross: Option<&str>) -> Bundle {
    let file = online.path().join(format!("{name}-request.json"));
    let mut words = vec!["ceremony", "request", "--root", root, "--out", word(&file)];
    words.extend(cross.iter().flat_map(|other| ["--cross", other]));
    let code = online.json(words)["code"].as_str().expect("a code").to_owned();
    Bundle { file, code }
}

/// The offline side tries to answer.
fn try_answer(offline: &Installation, root: &str, request: &Bundle, out: &Path) -> Outcome {
    let [file, ticks] = ceremony(offline, &["--kind", "offline-sign", "--authority", root]);
    let words = ["ceremony", "answer", word(&request.file), "--code", &request.code];
    let with = ["--ceremony", word(&file), "--ticks", word(&ticks), "--out", word(out)];
    offline.tenkoku(words.into_iter().chain(with).chain(["--format", "json"]))
}

fn answer(offline: &Installation, root: &str, request: &Bundle) -> Bundle {
    let file = request.file.with_extension("answer");
    let outcome = try_answer(offline, root, request, &file);
    let record: Value = serde_json::from_str(outcome.success()).expect("JSON");
    let steps = record["record"]["steps"].as_array().expect("steps").clone();
    let outputs =
        steps.iter().flat_map(|step| step["outputs"].as_array().cloned().unwrap_or_default());
    let code = outputs.into_iter().find(|output| output["name"] == "answer-code");
    let code = code.expect("the code of the answer")["value"].as_str().expect("a code").to_owned();
    Bundle { file, code }
}

fn import(online: &Installation, answer: &Bundle) -> Value {
    online.json(["ceremony", "import", word(&answer.file), "--code", &answer.code])
}

/// What is refused leaves the other side as it was; the code of the refusal stands in the message.
#[track_caller]
fn check_refused(outcome: &Outcome, code: &str) {
    outcome.exited(1);
    assert!(outcome.said().contains(&format!("\"{code}\"")), "{}", outcome.said());
}

fn try_import(online: &Installation, file: &Path, code: &str) -> Outcome {
    online.tenkoku(["ceremony", "import", word(file), "--code", code, "--format", "json"])
}

fn root(offline: &Installation) {
    let name = "Sample Root CA G1";
    hold(offline, &["--kind", "root-generation", "--code", "root-g1", "--name", name]);
}

#[test]
fn an_offline_root_is_asked_and_answers_by_bundles() {
    let (offline, online) = (side(), side());
    root(&offline);
    let request = ask(&online, "first", "root-g1", None);
    // A code that was misheard, and a request that was changed on its way.
    let wrong = Bundle { file: request.file.clone(), code: "0000-0000-0000-0000".to_owned() };
    let nowhere = offline.path().join("nowhere.json");
    check_refused(&try_answer(&offline, "root-g1", &wrong, &nowhere), "identifier-mismatch");
    let text = fs::read_to_string(&request.file).expect("a bundle");
    let changed = Bundle { file: online.path().join("changed.json"), code: request.code.clone() };
    fs::write(&changed.file, text.replace("root-g1", "root-g9")).expect("a file");
    check_refused(&try_answer(&offline, "root-g1", &changed, &nowhere), "identifier-mismatch");
    assert!(!nowhere.exists(), "nothing was answered");

    let answered = answer(&offline, "root-g1", &request);
    check_refused(&try_answer(&offline, "root-g1", &request, &nowhere), "state-conflict");
    check_refused(&try_import(&online, &answered.file, &wrong.code), "identifier-mismatch");
    let text = fs::read_to_string(&answered.file).expect("a bundle");
    let place = text.find("\"signature\":\"").expect("a signature") + 40;
    let flipped = if text.as_bytes()[place] == b'0' { "1" } else { "0" };
    let tampered = format!("{}{flipped}{}", &text[..place], &text[place + 1..]);
    fs::write(&changed.file, tampered).expect("a file");
    check_refused(&try_import(&online, &changed.file, &answered.code), "identifier-mismatch");
    assert_eq!(import(&online, &answered)["root"], "root-g1");
    check_refused(&try_import(&online, &answered.file, &answered.code), "state-conflict");

    // An issuing authority below it: its key is made online, its certificate comes by a bundle.
    issuing(&online, 1);
    let request = ask(&online, "issuing", "root-g1", None);
    another_root_is_not_believed(&online, &request);
    let imported = import(&online, &answer(&offline, "root-g1", &request));
    assert_eq!(imported["authorities"], serde_json::json!(["seal-l1-g1"]));
    assert_eq!(imported["list_signer"], true);
    seals_verify(populate(online), &offline);
}

/// An issuing authority whose certificate an offline root will sign.
fn issuing(online: &Installation, level: u8) {
    let (level, code) = (level.to_string(), format!("seal-l{level}-g1"));
    let name = format!("Sample E-Seal Issuing CA L{level} G1");
    let what = ["--kind", "issuing-generation", "--code", &code, "--level", &level];
    let words: Vec<_> = what.into_iter().chain(["--issuer", "root-g1", "--name", &name]).collect();
    hold(online, &words);
}

/// A root of the same name in a third installation answers in vain.
fn another_root_is_not_believed(online: &Installation, request: &Bundle) {
    let third = side();
    root(&third);
    let out = third.path().join("answer.json");
    let outcome = try_answer(&third, "root-g1", request, &out);
    if outcome.said().contains("\"identifier-mismatch\"") {
        // It does not know who sealed the request, or finds that the CRL wished for is not its own.
        outcome.exited(1);
        return;
    }
    let record: Value = serde_json::from_str(outcome.success()).expect("JSON");
    let text = record.to_string();
    let code = text.split("\"answer-code\",\"value\":\"").nth(1).expect("a code");
    let code = code.split('"').next().expect("a code");
    check_refused(&try_import(online, &out, code), "identifier-mismatch");
}

/// What is issued below the offline root verifies up to it.
fn seals_verify(online: Installation, offline: &Installation) {
    let request = make_request(online.path(), "BR-0001", &P256);
    let certificate = issue(&online, "BR-0001", "1", &request);
    let root = offline.path().join("root.pem");
    fs::write(&root, offline.tenkoku(["ca", "export", "root-g1"]).success()).expect("a file");
    let issuing = online.path().join("issuing.pem");
    fs::write(&issuing, online.tenkoku(["ca", "export", "seal-l1-g1"]).success()).expect("a file");
    let chain = ["-CAfile", word(&root), "-untrusted", word(&issuing), word(&certificate)];
    openssl(["verify", "-x509_strict"].into_iter().chain(chain)).success();
}

#[test]
fn ro_4_offline_roots_of_two_generations_certify_each_other_through_bundles() {
    let (offline, online) = (side(), side());
    root(&offline);
    import(&online, &answer(&offline, "root-g1", &ask(&online, "first", "root-g1", None)));
    hold(&offline, &["--kind", "rollover", "--authority", "root-g1", "--cross"]);
    import(&online, &answer(&offline, "root-g2", &ask(&online, "second", "root-g2", None)));
    for (name, by, certified) in [("old", "root-g2", "root-g1"), ("new", "root-g1", "root-g2")] {
        let request = ask(&online, name, by, Some(certified));
        let imported = import(&online, &answer(&offline, by, &request));
        assert_eq!(imported["cross_certificates"], 1, "{certified} by {by}");
    }
    let listed = online.json(["ca", "list"]);
    let codes: Vec<_> = listed["authorities"]
        .as_array()
        .expect("authorities")
        .iter()
        .map(|one| one["code"].as_str().expect("a code").to_owned())
        .collect();
    assert!(codes.contains(&"root-g1".to_owned()) && codes.contains(&"root-g2".to_owned()));
}

#[test]
fn ceremonies_make_the_authorities_of_services_too() {
    let side = Installation::empty();
    side.tenkoku(["init", "--evaluation"]).success();
    for (service, name) in
        [("tsa", "Sample TSA Issuing CA G1"), ("internal", "Sample Internal CA G1")]
    {
        let code = format!("{service}-g1");
        let of = ["--kind", "issuing-generation", "--service", service, "--issuer", "root-g1"];
        let what = ["--code", &code, "--name", name];
        hold(&side, &[&of[..], &what].concat());
        let shown = side.json(["ca", "show", &code]);
        assert_eq!(
            (&shown["kind"], &shown["state"]),
            (&service.into(), &"active".into()),
            "{shown}"
        );
    }
    let both =
        ["ceremony", "new", "--kind", "issuing-generation", "--service", "tsa", "--level", "1"];
    let refused = side.tenkoku(both.into_iter().chain(["--leader", "Sato Megumi"]));
    assert!(refused.exited(2).is_empty());
    let unknown = ["ceremony", "new", "--kind", "issuing-generation", "--service", "tsb"];
    let people = ["--leader", "Sato Megumi", "--code", "x-g1", "--name", "X CA G1"];
    let refused = side.tenkoku(unknown.into_iter().chain(people));
    assert!(refused.said().contains("tsa"), "{}", refused.said());
}

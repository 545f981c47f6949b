//! A production installation whose root is kept offline, in another data folder: everything through
//! the program, with bundles that go to and fro (UX 4.2, KM-19).

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tenkoku_testkit::servers::Installation;
use tenkoku_testkit::tools::openssl;

/// The persons whom KM-19 demands.
const PERSONS: [(&str, &str); 4] = [
    ("leader", "Sato Megumi"),
    ("officer", "Suzuki Ichiro"),
    ("witness", "Takahashi Hana"),
    ("auditor", "Tanaka Minoru"),
];

/// Two installations of one operator, on one address.
struct Pair {
    online: Installation,
    offline: Installation,
}

impl Pair {
    fn make() -> Self {
        let pair = Self { online: Installation::empty(), offline: Installation::empty() };
        for (installation, flag) in [(&pair.online, None), (&pair.offline, Some("--offline-root"))]
        {
            let secret = installation.path().join("secret");
            fs::write(&secret, "a passphrase of the tests\n").expect("a file");
            let mut mode = std::process::Command::new("chmod");
            assert!(mode.arg("600").arg(&secret).status().expect("chmod").success());
            let secret = secret.display().to_string();
            let words = [
                "init",
                "--policy-arc",
                "1.3.6.1.4.1.99999.1",
                "--public-address",
                "http://seal.sample.example",
                "--passphrase-file",
                &secret,
            ];
            installation.tenkoku(words.into_iter().chain(flag)).success();
            let file = installation.path().join("tenkoku.toml");
            let text = fs::read_to_string(&file).expect("the configuration");
            let own = text
                .replace("name = \"Sample Trust Services\"", "name = \"Story Trust Services\"")
                .lines()
                .map(|line| match line.strip_prefix("identifier = ") {
                    Some(_) => "identifier = \"NTRJP-5010401067252\"".to_owned(),
                    None => line.to_owned(),
                })
                .collect::<Vec<_>>()
                .join("\n");
            fs::write(&file, own).expect("the configuration");
        }
        pair
    }
}

/// A file of the installation's folder.
fn path(installation: &Installation, name: &str) -> String {
    installation.path().join(name).display().to_string()
}

/// Makes the file of a ceremony.
fn script(installation: &Installation, name: &str, words: &[&str]) -> String {
    let flags: Vec<String> = PERSONS.iter().map(|(role, _)| format!("--{role}")).collect();
    let persons = flags.iter().zip(PERSONS).flat_map(|(flag, (_, person))| [flag.as_str(), person]);
    let all = ["ceremony", "new"].into_iter().chain(words.iter().copied()).chain(persons);
    let text = installation.tenkoku(all).success().to_owned();
    let file = path(installation, name);
    fs::write(&file, text).expect("a file");
    file
}

/// Ticks by everybody for every step, but for those whom `without` names.
fn ticks(installation: &Installation, without: Option<&str>) -> String {
    let mut text = String::new();
    for step in 1..=12 {
        for (role, person) in PERSONS.iter().filter(|(role, _)| Some(*role) != without) {
            text.push_str(&format!(
                "[[ticks]]\nstep = {step}\nrole = \"{role}\"\nperson = \"{person}\"\n"
            ));
        }
    }
    let file = path(installation, without.unwrap_or("everybody"));
    fs::write(&file, text).expect("a file");
    file
}

fn hold(installation: &Installation, file: &str) -> Value {
    let ticks = ticks(installation, None);
    installation.json(["ceremony", "run", file, "--ticks", &ticks])
}

/// Asks, answers in a ceremony, and gives the file of the answer with its code.
fn exchange(pair: &Pair, name: &str) -> (PathBuf, String) {
    let request = path(&pair.online, &format!("{name}.request"));
    let asked = pair.online.json(["ceremony", "request", "--root", "root-g1", "--out", &request]);
    let code = asked["code"].as_str().expect("a code").to_owned();
    let sign = script(
        &pair.offline,
        &format!("{name}.toml"),
        &["--kind", "offline-sign", "--authority", "root-g1"],
    );
    let (out, ticks) = (path(&pair.offline, &format!("{name}.answer")), ticks(&pair.offline, None));
    let words = ["ceremony", "answer", &request, "--ceremony", &sign, "--ticks", &ticks];
    let record = pair.offline.json(words.into_iter().chain(["--code", &code, "--out", &out]));
    let outputs = record["record"]["steps"].as_array().expect("steps").iter();
    let answer = outputs
        .flat_map(|step| step["outputs"].as_array().expect("outputs"))
        .find(|output| output["name"] == "answer-code")
        .expect("the answer's code");
    (PathBuf::from(out), answer["value"].as_str().expect("a code").to_owned())
}

fn import<'a>(pair: &'a Pair, file: &'a str, code: &'a str) -> [&'a str; 5] {
    let _ = pair;
    ["ceremony", "import", file, "--code", code]
}

#[test]
fn km_19_an_offline_root_signs_through_bundles_that_people_compared() {
    let pair = Pair::make();
    let generation =
        ["--kind", "root-generation", "--code", "root-g1", "--name", "Story Root CA G1"];
    let root = script(&pair.offline, "root.toml", &generation);
    pair.offline.tenkoku(["ceremony", "check", &root]).success();
    // KM-19: without the witness nothing moves.
    let absent = ticks(&pair.offline, Some("witness"));
    let refused = pair.offline.tenkoku(["ceremony", "run", &root, "--ticks", &absent]);
    refused.exited(5);
    assert!(refused.said().contains("dual-control"), "{}", refused.said());
    hold(&pair.offline, &root);

    // The root becomes known online by its certificate and its CRL; its key does not.
    let (answer, code) = exchange(&pair, "first");
    let file = answer.display().to_string();
    let wrong = pair.online.tenkoku(import(&pair, &file, "0000-0000-0000-0000"));
    wrong.exited(1);
    assert!(wrong.said().contains("identifier-mismatch"), "{}", wrong.said());
    let text = fs::read_to_string(&answer).expect("the answer");
    let altered = path(&pair.online, "altered.answer");
    fs::write(&altered, text.replacen("\"v\":1", "\"v\":1,\"w\":1", 1)).expect("a file");
    pair.online.tenkoku(import(&pair, &altered, &code)).exited(1);
    let imported = pair.online.json(import(&pair, &file, &code));
    assert_eq!((imported["root"].as_str(), imported["crl"].as_i64()), (Some("root-g1"), Some(1)));
    let replayed = pair.online.tenkoku(import(&pair, &file, &code));
    replayed.exited(1);
    assert!(replayed.said().contains("state-conflict"), "{}", replayed.said());

    // An issuing authority: its key is made online, its certificate comes with the second answer.
    let issuing = [
        "--kind",
        "issuing-generation",
        "--code",
        "seal-l1-g1",
        "--level",
        "1",
        "--name",
        "Story E-Seal Issuing CA L1 G1",
        "--issuer",
        "root-g1",
    ];
    let issuing = script(&pair.online, "issuing.toml", &issuing);
    hold(&pair.online, &issuing);
    assert_eq!(pair.online.json(["ca", "show", "seal-l1-g1"])["state"], "ceremony");
    let (answer, code) = exchange(&pair, "second");
    let file = answer.display().to_string();
    let imported = pair.online.json(import(&pair, &file, &code));
    assert_eq!(imported["authorities"][0], "seal-l1-g1");
    assert_eq!(imported["list_signer"], true);
    let shown = pair.online.json(["ca", "show", "seal-l1-g1"]);
    assert_eq!(shown["state"], "active");
    let [root, issuing] = ["root-g1", "seal-l1-g1"]
        .map(|code| path(&pair.online, &format!("certificates/{code}.pem")));
    openssl(["verify", "-CAfile", &root, &issuing]).success();
    assert_eq!(pair.online.json(["ca", "show", "root-g1"])["custody"], "offline");
    let again = ["ca", "create", "--kind", "root", "--code", "x", "--name", "X G1"];
    let alone = pair.online.tenkoku(again);
    alone.exited(5);
    assert!(alone.said().contains("dual-control"), "{}", alone.said());
}

//! `kill -9` at any moment: the real program is killed while it issues, again and again, and what it
//! leaves behind is looked at from outside.
//!
//! The moments are drawn from a seed. A kill hits between two commits, during one, before the first
//! certificate or after some; where it hit is counted by what is left behind, not foreseen.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_testkit::fixtures::ApplicantKey;
use tenkoku_testkit::postgres::Database;
use tenkoku_testkit::servers::Installation;
use tenkoku_testkit::tools::openssl;

use crate::cli::{BANK, records, word};

/// A small generator of pseudo-random numbers (xorshift), so that a run can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// An installation with applications that are ready, and what was released from it.
struct Scene {
    installation: Installation,
    /// Where `tenkoku issue --all-ready` writes certificates: released is what lies here.
    released: PathBuf,
}

impl Scene {
    fn new(installation: Installation, branches: usize) -> Self {
        let scene = Self { released: installation.path().join("released"), installation };
        scene.record_branches(branches);
        fs::create_dir(&scene.released).expect("a folder");
        for number in 0..branches {
            let name = format!("K-{number:03}");
            scene.apply(&name);
        }
        scene
    }

    /// An application of a branch that is ready.
    fn apply(&self, branch: &str) {
        let words = ["apply", "--org", BANK, "--branch", branch, "--level", "1"];
        let applied = self.installation.json(words);
        let text = |member: &str| applied[member].as_str().expect("a text").to_owned();
        let proof = self.installation.path().join("proof.der");
        let key = ApplicantKey::make(KeyAlgorithm::P256);
        fs::write(&proof, key.proof(&text("challenge"))).expect("a file");
        let prove = ["application", "prove", &text("id"), "--csr", word(&proof)];
        self.installation.tenkoku(prove).success();
    }

    fn record_branches(&self, branches: usize) {
        let organisations = tenkoku_testkit::tools::data("sample/organisations.csv");
        self.installation.tenkoku(["org", "import", word(&organisations)]).success();
        let row = |number| format!("K-{number:03},第{number}支店,山田 花,k@k.example\n");
        let rows: String = (0..branches).map(row).collect();
        let table = format!("code,name,custodian_name,custodian_email\n{rows}");
        let file = self.installation.path().join("branches.csv");
        fs::write(&file, table).expect("a file");
        let words = ["branch", "import", "--org", BANK, word(&file)];
        self.installation.tenkoku(words).success();
    }

    /// Starts issuing everything that is ready and kills it at a moment the dice choose; whether it
    /// was still at it.
    fn kill_issuance(&self, dice: &mut Dice) -> bool {
        let words = ["issue", "--all-ready", "--out", word(&self.released)];
        let log = File::create(self.installation.path().join("issue.log")).expect("a file");
        let mut child = self
            .installation
            .command(words)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        let before = self.released().len();
        // Half of the kills wait for the first certificate, so that they hit the issuing itself.
        if dice.below(2) == 0 {
            wait_until(|| {
                let ended = child.try_wait().expect("the program can be looked at").is_some();
                ended || self.released().len() > before
            });
            pause(dice.below(40));
        } else {
            pause(dice.below(250));
        }
        let interrupted = child.try_wait().expect("the program can be looked at").is_none();
        child.kill().expect("the program can be killed");
        child.wait().expect("the program ends");
        interrupted
    }

    /// Starts the server, kills it a moment later.
    fn kill_server(&self, dice: &mut Dice) {
        let server = self.installation.serve();
        pause(dice.below(100));
        server.kill();
    }

    fn released(&self) -> BTreeSet<PathBuf> {
        let entries = fs::read_dir(&self.released).expect("the folder");
        let files = entries.map(|entry| entry.expect("an entry").path());
        files.filter(|file| file.extension().is_some_and(|kind| kind == "pem")).collect()
    }

    fn list(&self, words: &[&str], member: &str) -> Vec<Value> {
        let value = self.installation.json(words.iter().copied());
        value[member].as_array().expect("a list").clone()
    }

    fn ready(&self) -> usize {
        self.list(&["application", "list", "--state", "ready"], "applications").len()
    }

    /// Every certificate that was ever recorded, withdrawn ones too, by serial number.
    fn recorded(&self) -> BTreeMap<String, Value> {
        let all = self.list(&["certificate", "list", "--limit", "100000"], "certificates");
        let count = all.len();
        let by_serial: BTreeMap<_, _> =
            all.into_iter().map(|c| (text(&c["serial"]).to_owned(), c)).collect();
        assert_eq!(by_serial.len(), count, "a serial number twice");
        by_serial
    }

    /// Released is what lies in the folder: it is recorded, in force, and the same octets.
    fn nothing_released_is_lost(&self) {
        let recorded = self.recorded();
        for file in self.released() {
            let serial = file.file_stem().expect("a name").to_string_lossy().into_owned();
            let certificate = recorded.get(&serial).unwrap_or_else(|| panic!("{serial} is lost"));
            assert_eq!(certificate["state"], "active", "{certificate}");
            let digest = openssl(["x509", "-in", word(&file), "-noout", "-fingerprint", "-sha256"]);
            let digest = digest.success().trim().replace(':', "").to_lowercase();
            let digest = digest.rsplit('=').next().expect("a digest");
            assert_eq!(text(&certificate["sha256"]), digest, "{serial}");
        }
    }

    /// Issues until nothing is ready and nothing half-made is left.
    fn finish(&self) {
        let words = ["issue", "--all-ready", "--quiet", "--out", word(&self.released)];
        wait_until(|| {
            let outcome = self.installation.tenkoku(words);
            assert!(matches!(outcome.code, Some(0 | 1)), "{}", outcome.said());
            self.ready() == 0
        });
    }

    /// What must hold in the end: one certificate in force for each application, and the rest, whose
    /// signing a kill cut short, withdrawn and told to relying parties. Gives the number of those.
    fn settled(&self, applications: usize) -> usize {
        let recorded = self.recorded();
        let mut in_force = BTreeSet::new();
        let mut withdrawn = BTreeSet::new();
        for (serial, certificate) in &recorded {
            match text(&certificate["state"]) {
                "active" => assert!(in_force.insert(text(&certificate["application"]))),
                "revoked" => assert!(withdrawn.insert(serial.clone())),
                other => panic!("{serial} is {other}"),
            }
        }
        assert_eq!(in_force.len(), applications);
        assert_eq!(self.listed(), withdrawn);
        withdrawn.len()
    }

    /// The serial numbers on the present CRL.
    fn listed(&self) -> BTreeSet<String> {
        let file = self.installation.path().join("list.pem");
        let pem = self.installation.tenkoku(["crl", "export", "seal-l1-g1"]);
        fs::write(&file, pem.success()).expect("a file");
        let told = openssl(["crl", "-in", word(&file), "-noout", "-text"]);
        let lines = told.success().lines();
        lines
            .filter_map(|line| line.trim().strip_prefix("Serial Number: ").map(str::to_owned))
            .collect()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Another process has nothing to wait on but time.
fn pause(milliseconds: u64) {
    thread::park_timeout(Duration::from_millis(milliseconds));
}

fn wait_until(mut done: impl FnMut() -> bool) {
    let waited = (0..6_000).any(|_| {
        let done = done();
        (!done).then(|| pause(5));
        done
    });
    assert!(waited, "it took too long");
}

/// A message about how a run went, for whoever reads the log of the tests.
#[expect(clippy::print_stderr, reason = "how many kills hit is worth knowing, not worth failing")]
fn report(database: &str, kills: usize, hits: usize, withdrawn: usize) {
    eprintln!(
        "{database}: {kills} kills, {hits} while issuing, {withdrawn} certificates withdrawn"
    );
}

/// Kills so often, with a look at the audit trail now and then; in the end everything is issued,
/// nothing released is lost and nothing half-made is left.
fn check(database: &str, scene: &Scene, applications: usize, kills: usize, seed: u64) {
    let mut dice = Dice(seed);
    let mut hits = 0;
    for kill in 0..kills {
        if kill % 10 == 9 {
            scene.kill_server(&mut dice);
        } else if scene.kill_issuance(&mut dice) {
            hits += 1;
        }
        if kill % 5 == 4 {
            records(&scene.installation);
        }
    }
    scene.finish();
    scene.nothing_released_is_lost();
    let withdrawn = scene.settled(applications);
    records(&scene.installation);
    report(database, kills, hits, withdrawn);
    assert!(hits * 2 > kills, "the kills came too late: {hits} of {kills} hit");
}

#[test]
fn kill_9_during_issuance_loses_nothing_on_sqlite() {
    let scene = Scene::new(Installation::evaluation(), 160);
    check("SQLite", &scene, 160, 60, 0x7E11_0C0D);
}

#[test]
fn kill_9_during_issuance_loses_nothing_on_postgresql() {
    let database = Database::create();
    let scene = Scene::new(Installation::empty_on(&database.url()).set_up(), 50);
    check("PostgreSQL", &scene, 50, 15, 0x0DD5_EA15);
}

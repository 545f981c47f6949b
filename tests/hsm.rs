//! An installation whose keys live in a key device, played with SoftHSM: from the first test of the
//! device to a certificate that openssl believes, and through the loss of the device.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use tenkoku_testkit::servers::{Installation, get};
use tenkoku_testkit::tools::{Outcome, data, openssl, run};

const MODULES: [&str; 2] = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so"];

/// SoftHSM with one token, and an installation beside it.
struct Device {
    folder: TempDir,
    installation: Installation,
}

impl Device {
    fn new() -> Self {
        let folder = TempDir::new().expect("a folder for the device");
        let device = Self { folder, installation: Installation::empty() };
        fs::create_dir(device.tokens()).expect("a folder for its tokens");
        let settings = format!("directories.tokendir = {}\n", device.tokens().display());
        fs::write(device.file("softhsm2.conf"), settings).expect("its settings");
        fs::write(device.file("pin"), "2468-test\n").expect("its PIN");
        fs::set_permissions(device.file("pin"), Permissions::from_mode(0o600)).expect("a mode");
        let label = ["--init-token", "--free", "--label", "tenkoku"];
        let pins = ["--so-pin", "1357-test", "--pin", "2468-test"];
        let mut set_up = Command::new("softhsm2-util");
        run(device.place(set_up.args(label).args(pins))).success();
        device
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn tokens(&self) -> PathBuf {
        self.file("tokens")
    }

    fn place<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("SOFTHSM2_CONF", self.file("softhsm2.conf"))
    }

    fn tenkoku(&self, words: &[&str]) -> Outcome {
        run(self.place(&mut self.installation.command(words.iter().copied())))
    }

    fn json(&self, words: &[&str]) -> Value {
        let outcome = self.tenkoku(&[words, &["--format", "json"]].concat());
        serde_json::from_str(outcome.success()).expect("JSON on standard output")
    }

    /// Issues a certificate to a fresh key; gives its file.
    /// An installation whose keys are in the device, with the sample's organisations.
    fn set_up(&self) {
        let pin = self.file("pin");
        let of = ["--hsm-module", module(), "--hsm-token", "tenkoku", "--hsm-pin-file", word(&pin)];
        self.tenkoku(&[&["init", "--evaluation"][..], &of].concat()).success();
        assert!(!self.installation.path().join("keys").exists(), "no key lies in a file");
        self.tenkoku(&["config", "check"]).success();
        for (noun, file) in [("org", "organisations.csv"), ("branch", "branches.csv")] {
            self.tenkoku(&[noun, "import", word(&data("sample").join(file))]).success();
        }
    }

    /// How many keys the device holds, as `doctor` counts them.
    fn keys_held(&self) -> String {
        let checked = self.tenkoku(&["doctor", "--format", "json"]);
        let checks: Value = serde_json::from_str(&checked.stdout).expect("JSON");
        let all = checks["checks"].as_array().expect("checks");
        let keys = all.iter().find(|check| check["name"] == "keys").expect("the keys");
        keys["found"].as_str().expect("a number of keys").to_owned()
    }

    fn issue(&self, branch: &str) -> (PathBuf, Outcome) {
        let key = self.file(&format!("{branch}.key"));
        let out = self.file(&format!("{branch}.pem"));
        let of = ["issue", "--branch", branch, "--org", ORGANISATION, "--level", "1"];
        let files = ["--key", word(&key), "--out", word(&out)];
        let outcome = self.tenkoku(&[&of[..], &files].concat());
        (out, outcome)
    }
}

const ORGANISATION: &str = "NTRJP-8000000990001";

fn word(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

fn module() -> &'static str {
    let found = MODULES.into_iter().find(|module| Path::new(module).exists());
    found.expect("the tests need SoftHSM: scripts/setup-tests installs it")
}

#[test]
fn km_10_an_installation_with_a_key_device_issues_and_outlives_its_loss() {
    let device = Device::new();
    tried_out(&device, &device.file("pin"));
    device.set_up();
    let (certificate, issued) = device.issue("BR-0001");
    issued.success();

    let mut serve = device.installation.command(["serve"]);
    let server = device.installation.start(device.place(&mut serve));
    believed(&device, &certificate);
    where_the_keys_lie(&device);
    let ready = || get(&format!("{}/readyz", device.installation.operations()));
    assert_eq!(ready().status, 200, "{}", ready().text());

    let away = device.file("away");
    fs::rename(device.tokens(), &away).expect("the device is taken away");
    assert_eq!(ready().status, 503);
    assert!(ready().text().contains("no token tenkoku"), "{}", ready().text());
    let crl = get(&format!("{}/crl/seal-l1-g1.crl", device.installation.public()));
    assert_eq!(crl.status, 200);
    let (_, refused) = device.issue("BR-0002");
    assert!(refused.exited(1).is_empty());
    assert!(refused.said().contains("hsm-token-absent"), "{}", refused.said());

    fs::rename(&away, device.tokens()).expect("the device is back");
    assert_eq!(ready().status, 200, "{}", ready().text());
    believed(&device, &certificate);
    assert_eq!(server.terminate(), Some(0));
}

/// K2: of the keys of authorities and their signers, the token and the object in it are kept.
fn where_the_keys_lie(device: &Device) {
    let shown = device.json(&["ca", "show", "seal-l1-g1"]);
    let keys = shown["keys"].as_array().expect("keys");
    let roles: Vec<_> = keys.iter().map(|key| key["role"].as_str().expect("a role")).collect();
    assert!(roles.starts_with(&["authority", "ocsp-signer"]), "{roles:?}");
    for key in keys {
        assert_eq!(key["origin"], "K2", "{key}");
        let evidence = key["evidence"].as_array().expect("evidence");
        let [one] = evidence.as_slice() else { panic!("{key}") };
        assert_eq!((&one["format"], &one["class"]), (&"platform".into(), &"K2".into()), "{one}");
        assert_eq!(one["device"].as_str().expect("a serial number").len(), 16, "{one}");
        // CKA_ID is the name of the key.
        let id = key["id"].as_str().expect("an id");
        assert_eq!(one["object"], hex::encode(id), "{one}");
    }
    let told = device.tenkoku(&["ca", "show", "root-g1"]);
    assert!(told.success().contains("lies in"), "{}", told.stdout);
}

#[test]
fn a_key_of_level_3_is_made_in_the_device_and_destroyed_there_before_a_witness() {
    let device = Device::new();
    device.set_up();
    let before = device.keys_held();
    let of = ["issue", "--branch", "BR-0001", "--org", ORGANISATION, "--level", "3", "--hsm"];
    let issued = device.json(&of);
    let key = issued["key"].as_str().expect("a key");
    assert_eq!(device.json(&["key", "show", key])["origin"], "K2");
    assert_ne!(device.keys_held(), before);
    device.tenkoku(&["key", "retire", key, "--yes"]).success();
    let destroy = ["key", "destroy", key, "--witness", "Takahashi Hana", "--yes"];
    let handed = device.json(&destroy);
    assert_eq!((&handed["class"], &handed["state"]), (&"D1".into(), &"handed".into()), "{handed}");
    assert!(handed["report"].is_string(), "{handed}");
    assert_eq!(device.keys_held(), before);
    let again = device.tenkoku(&destroy);
    assert!(again.said().contains("evidence-insufficient"), "{}", again.said());
}

/// Before there is an installation, the device is listed and tried.
fn tried_out(device: &Device, pin: &Path) {
    let listed = device.json(&["hsm", "list", "--module", module()]);
    assert_eq!(listed["modules"][0]["tokens"][0]["token"]["label"], "tenkoku", "{listed}");
    let test = ["hsm", "test", "--module", module(), "--token", "tenkoku", "--pin-file", word(pin)];
    let tested = device.json(&[&test[..], &["--lang", "ja"]].concat());
    let steps = tested["steps"].as_array().expect("steps");
    assert_eq!(steps.len(), 5, "{tested}");
    assert_eq!(steps[1]["origin"]["class"], "K2");
    assert_eq!(steps[4]["destruction"]["after"]["private"], 0);
    assert!(steps[2]["text"].as_str().is_some_and(|text| text.contains("署名")), "{tested}");
    let said = device.tenkoku(&test);
    assert!(said.said().contains("the signature verifies"), "{}", said.said());
    fs::write(device.file("wrong"), "0000-wrong").expect("a wrong PIN");
    fs::set_permissions(device.file("wrong"), Permissions::from_mode(0o600)).expect("a mode");
    let wrong = device.file("wrong");
    let with_wrong = [&test[..6], &["--pin-file", word(&wrong)]].concat();
    assert!(device.tenkoku(&with_wrong).said().contains("hsm-wrong-pin"));
}

/// openssl asks the responder about the certificate and believes the answer.
fn believed(device: &Device, certificate: &Path) {
    let file = |name: &str| device.installation.path().join("certificates").join(name);
    let (root, issuer) = (file("root-g1.pem"), file("seal-l1-g1.pem"));
    let address = format!("{}/ocsp/seal-l1-g1", device.installation.public());
    let about = ["ocsp", "-issuer", word(&issuer), "-cert", word(certificate)];
    let trust = ["-CAfile", word(&root), "-url", &address];
    let answer = openssl(about.iter().chain(&trust));
    assert!(answer.success().contains(": good"), "{}", answer.said());
    assert!(answer.said().contains("Response verify OK"), "{}", answer.said());
}

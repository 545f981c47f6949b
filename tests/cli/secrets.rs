//! Secrets stay where they belong: the passphrase in its file, keys wrapped in the key store.

use std::fs;
use std::path::{Path, PathBuf};

use tenkoku_testkit::servers::{Installation, get};
use tenkoku_testkit::tools::Outcome;

use super::{BANK, P256, apply, make_request, populate, word};

/// How a private key looks in the clear: PKCS #8 with an EC or RSA key, as DER, base64 of it, or a
/// PEM label.
fn clear_keys() -> Vec<Vec<u8>> {
    let id_ec = [0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06];
    let version = [0x02, 0x01, 0x00];
    let p384 = [0x30, 0x10, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06];
    let rsa = [0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01];
    let mut found: Vec<Vec<u8>> =
        [&id_ec[..], &p384, &rsa].iter().map(|id| [&version[..], id].concat()).collect();
    found.push(b"PRIVATE KEY".to_vec());
    // The base64 of `30 81 .. 02 01 00 30` as PKCS #8 of the curves begins.
    found.extend([b"MIGHAgEAMBMG".to_vec(), b"MIG2AgEAMBAG".to_vec()]);
    found
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] }).collect()
}

#[test]
fn ab_5_no_secret_is_printed_logged_or_stored_in_the_clear() {
    let installation = Installation::empty();
    let outside = Installation::empty();
    let mut said: Vec<Outcome> = vec![installation.tenkoku(["init", "--evaluation"])];
    let installation = populate(installation);
    let server = installation.serve();
    let request = make_request(outside.path(), "branch", &P256);
    let application = apply(&installation, "BR-0001", "1", &request);
    let certificate = outside.path().join("branch.pem");
    let again = ["apply", "--org", BANK, "--branch", "BR-0002", "--csr", word(&request)];
    let commands: [&[&str]; 9] = [
        &["issue", &application, "--out", word(&certificate)],
        &again,
        &["revoke", word(&certificate), "--reason", "key-exposed", "--yes"],
        &["trustlist", "publish"],
        &["config", "show"],
        &["doctor"],
        &["audit", "list", "--limit", "500", "--format", "json"],
        &["ca", "list"],
        &["init", "--evaluation"],
    ];
    said.extend(commands.iter().map(|words| installation.tenkoku(words.iter().copied())));
    get(&format!("{}/metrics", installation.operations()));
    let log = server.log();
    server.terminate();
    let passphrase_file = installation.path().join("passphrase");
    let passphrase = fs::read(&passphrase_file).expect("the passphrase");
    let passphrase = passphrase.trim_ascii();
    assert!(passphrase.len() >= 40, "256 random bits");
    let mut secrets = clear_keys();
    secrets.push(passphrase.to_vec());
    let spoken = said.iter().map(Outcome::said).chain([log]).map(String::into_bytes);
    let stored = below(installation.path()).into_iter().filter(|file| *file != passphrase_file);
    let stored = stored.map(|file| fs::read(file).expect("a file"));
    for text in spoken.chain(stored) {
        for secret in &secrets {
            let secret_text = String::from_utf8_lossy(secret);
            assert!(!holds(&text, secret), "{secret_text} in {}", String::from_utf8_lossy(&text));
        }
    }
    // The branch's own key never came near the installation, and looks as this test expects.
    let own = fs::read(outside.path().join("branch.key")).expect("the branch's key");
    assert!(holds(&own, b"PRIVATE KEY") && holds(&own, b"MIGHAgEAMBMG"));
}

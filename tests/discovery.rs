//! Stories of public discovery (RO-5) and of the public note of destruction (DE-6), as strangers
//! meet them: over HTTP, verified with another implementation.

use std::fs;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tenkoku_domain::access::Scope;
use tenkoku_domain::level::Level;
use tenkoku_domain::revocation::Cause;
use tenkoku_publisher::discovery::{Place, discover};
use tenkoku_testkit::servers::{Installation, get};
use tenkoku_testkit::tools::{openssl, run};
use tenkoku_testkit::world::{OURS, World};

use crate::cli::{P256, issue, make_request, small_installation, word};

/// Verifies a document with Python's `cryptography` and prints what it says; the signer's
/// certificate goes to a file.
const VERIFY: &str = r"
import base64, json, sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
text = lambda s: base64.urlsafe_b64decode(s + '=' * (-len(s) % 4))
jws = json.load(open(sys.argv[1]))
header = json.loads(text(jws['protected']))
assert header['alg'] == 'ES256', header
for number, der in enumerate(header['x5c']):
    certificate = x509.load_der_x509_certificate(base64.b64decode(der))
    with open(f'{sys.argv[2]}{number}.pem', 'wb') as f:
        f.write(certificate.public_bytes(serialization.Encoding.PEM))
signer = x509.load_der_x509_certificate(base64.b64decode(header['x5c'][0]))
raw = text(jws['signature']); half = len(raw) // 2
der = utils.encode_dss_signature(*(int.from_bytes(n, 'big') for n in (raw[:half], raw[half:])))
signed = (jws['protected'] + '.' + jws['payload']).encode()
signer.public_key().verify(der, signed, ec.ECDSA(hashes.SHA256()))
print(text(jws['payload']).decode())
";

fn payload(document: &str) -> Value {
    let jws: Value = serde_json::from_str(document).expect("a document");
    let payload = jws["payload"].as_str().expect("a payload");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON")
}

fn verified(installation: &Installation, document: &[u8]) -> Value {
    let folder = installation.path();
    let [script, file] = ["verify.py", "discovery.json"].map(|name| folder.join(name));
    fs::write(&script, VERIFY).expect("a script");
    fs::write(&file, document).expect("a file");
    let stem = folder.join("chain-");
    let words = [word(&script), word(&file), word(&stem)];
    let said = run(Command::new("python3").args(words)).success().to_owned();
    let [signer, issuing, root] = [0, 1, 2].map(|n| folder.join(format!("chain-{n}.pem")));
    let chain = ["verify", "-x509_strict", "-CAfile", word(&root), "-untrusted", word(&issuing)];
    openssl(chain.into_iter().chain([word(&signer)])).success();
    serde_json::from_str(&said).expect("JSON")
}

#[test]
fn ro_5_a_signed_document_lists_credentials_and_strangers_verify_it() {
    let installation = small_installation();
    let request = make_request(installation.path(), "seal", &P256);
    let certificate = issue(&installation, "BR-0001", "2", &request);
    let shown = installation.json(["certificate", "show", word(&certificate)]);
    let _server = installation.serve();
    let organisation = format!("{}/discovery/NTRJP-8000000990001.json", installation.public());
    let fetched = get(&organisation);
    assert_eq!((fetched.status, &*fetched.content_type), (200, "application/jose+json"));
    let said = verified(&installation, &fetched.body);
    let [one] = said["credentials"].as_array().expect("credentials").as_slice() else {
        panic!("one credential, not {said}")
    };
    assert_eq!((&one["serial"], &one["state"]), (&shown["serial"], &"live".into()));
    assert_eq!((&one["branch"], &one["instance"]), (&"BR-0001".into(), &1.into()));
    // The same document is given again while nothing changes.
    assert_eq!(get(&organisation).body, fetched.body);
    installation
        .tenkoku(["key", "retire", shown["key"].as_str().expect("a key"), "--yes"])
        .success();
    let branch = organisation.replace(".json", "/BR-0001.json");
    let said = verified(&installation, &get(&branch).body);
    assert_eq!(said["credentials"][0]["state"], "retired");
    assert!(said["credentials"][0]["retired_at"].is_string(), "{said}");
    let text = said.to_string();
    for name in ["石垣 一葉", "seal-0001@mihon-bank.example", "custodian"] {
        assert!(!text.contains(name), "{name} in {text}");
    }
    for nowhere in ["NTRJP-0000000000000.json", "NTRJP-8000000990001/NOWHERE.json", "%00.json"] {
        let address = format!("{}/discovery/{nowhere}", installation.public());
        assert_eq!(get(&address).status, 404, "{nowhere}");
    }
}

#[test]
fn ro_5_a_document_is_signed_anew_when_something_changed_and_when_half_its_day_is_over() {
    World::on_each_database(|world| {
        let osaka = world.osaka();
        let place = Place { organisation: OURS[0].to_owned(), branch: None };
        let ask = || discover(&world.env, &place).expect("an answer").expect("a document");
        let empty = ask();
        assert_eq!(payload(&empty.document)["credentials"], Value::Array(Vec::new()));
        let certificate = world.seal(&osaka, Level::One);
        let first = ask();
        world.clock.advance_seconds(43_199);
        assert_eq!(ask(), first);
        world.clock.advance_seconds(1);
        let renewed = ask();
        assert_eq!(renewed.content, first.content);
        assert_ne!(renewed.document, first.document);
        world.revoke(&certificate, Cause::KeyExposed).expect("a revocation");
        let said = payload(&ask().document);
        assert_eq!(said["credentials"][0]["state"], "revoked");
        assert_eq!(said["credentials"][0]["reason"], "keyCompromise");
        let life = world.read(|tx| tx.load_certificate(&Scope::Platform, &certificate.id));
        assert!(life.state.revocation().is_some());
        let nobody = Place { branch: Some("NOWHERE".to_owned()), ..place.clone() };
        assert_eq!(discover(&world.env, &nobody).expect("an answer"), None);
    });
}

#[test]
fn de_6_a_key_that_is_not_destroyed_has_no_note_and_the_page_offers_the_search() {
    let installation = Installation::evaluation();
    let _server = installation.serve();
    for path in [format!("destruction/{}", "0".repeat(64)), "destruction/nonsense".to_owned()] {
        let page = get(&format!("{}/{path}", installation.public()));
        assert_eq!(page.status, 404, "{path}");
        let json = get(&format!("{}/{path}.json", installation.public()));
        assert_eq!(json.status, 404, "{path}");
    }
}

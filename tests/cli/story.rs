//! The second terminal of the README: from an empty folder to a branch's certificate that
//! strangers accept, and to its revocation.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tenkoku_testkit::servers::{Installation, get};
use tenkoku_testkit::tools::{Outcome, openssl, xmllint, xmlsec1};

use super::{BANK, P256, apply, issue, make_request, small_installation, word};

/// What a stranger holds: files fetched from public addresses, and the root by other means.
struct Stranger {
    folder: PathBuf,
    public: String,
}

impl Stranger {
    fn new(installation: &Installation) -> Self {
        let stranger =
            Self { folder: installation.path().join("stranger"), public: installation.public() };
        fs::create_dir(&stranger.folder).expect("a folder");
        for authority in ["root-g1", "seal-l1-g1", "seal-l2-g1", "seal-l3-g1"] {
            let fetched = get(&stranger.address(&format!("ca/{authority}.cer")));
            assert_eq!((fetched.status, &*fetched.content_type), (200, "application/pkix-cert"));
            let der = stranger.keep(&format!("{authority}.cer"), &fetched.body);
            let pem = stranger.file(&format!("{authority}.pem"));
            openssl(["x509", "-inform", "DER", "-in", word(&der), "-out", word(&pem)]).success();
        }
        stranger
    }

    fn address(&self, path: &str) -> String {
        format!("{}/{path}", self.public)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn keep(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let file = self.file(name);
        fs::write(&file, bytes).expect("a file");
        file
    }

    fn verify(&self, certificate: &Path, level: &str) {
        let issuer = self.file(&format!("seal-l{level}-g1.pem"));
        let root = self.file("root-g1.pem");
        let chain = ["-CAfile", word(&root), "-untrusted", word(&issuer)];
        let words = ["verify", "-x509_strict", "-policy_check"].into_iter().chain(chain);
        openssl(words.chain([word(certificate)])).success();
        let crl = get(&self.address(&format!("crl/seal-l{level}-g1.crl")));
        assert_eq!((crl.status, &*crl.content_type), (200, "application/pkix-crl"));
    }

    /// What `openssl ocsp` says of a certificate; the answer must verify against the root.
    fn ocsp(&self, certificate: &Path, level: &str, more: &[&str]) -> String {
        let issuer = self.file(&format!("seal-l{level}-g1.pem"));
        let root = self.file("root-g1.pem");
        let words = ["ocsp"].iter().chain(more.iter().filter(|word| word.starts_with("-sha")));
        let rest = more.iter().filter(|word| !word.starts_with("-sha"));
        let about = ["-issuer", word(&issuer), "-cert", word(certificate)];
        let trust = ["-CAfile", word(&root), "-verify_other", word(&issuer)];
        let words: Vec<&str> = words.chain(&about).chain(&trust).chain(rest).copied().collect();
        // What another process did is known to the server a quarter of a second later.
        let ask = || openssl(words.iter().copied());
        let unheard = |outcome: &Outcome| outcome.said().contains("unauthorized");
        let outcome = (0..50).map(|_| ask()).find(|one| !unheard(one)).unwrap_or_else(ask);
        outcome.success();
        assert!(outcome.said().contains("Response verify OK"), "{}", outcome.said());
        let said = outcome.said();
        let nonce = more.contains(&"-nonce");
        assert!(!nonce || !said.contains("no nonce in response"), "{said}");
        let name = format!("{}: ", word(certificate));
        let status = said.lines().find_map(|line| line.strip_prefix(&name)).expect(&said);
        status.to_owned()
    }

    fn ocsp_by_post(&self, certificate: &Path, level: &str, digest: &str) -> String {
        let address = self.address(&format!("ocsp/seal-l{level}-g1"));
        self.ocsp(certificate, level, &[digest, "-nonce", "-url", &address])
    }

    /// As a cache would fetch it: the request in the address, its base64 percent-encoded or not.
    fn ocsp_by_get(&self, certificate: &Path, level: &str, encode: fn(&str) -> String) -> String {
        let (request, answer) = (self.file("request.der"), self.file("answer.der"));
        let issuer = self.file(&format!("seal-l{level}-g1.pem"));
        let about = ["-issuer", word(&issuer), "-cert", word(certificate)];
        let to = ["-no_nonce", "-reqout", word(&request)];
        openssl(["ocsp"].iter().chain(&about).chain(&to)).success();
        let base64 = openssl(["base64", "-A", "-in", word(&request)]).success().to_owned();
        let fetched =
            get(&self.address(&format!("ocsp/seal-l{level}-g1/{}", encode(base64.trim()))));
        assert_eq!((fetched.status, &*fetched.content_type), (200, "application/ocsp-response"));
        fs::write(&answer, fetched.body).expect("a file");
        self.ocsp(certificate, level, &["-respin", word(&answer)])
    }

    /// The serial numbers that the CRL of a level lists; its signature must verify.
    fn listed(&self, level: &str) -> Vec<String> {
        let fetched = get(&self.address(&format!("crl/seal-l{level}-g1.crl")));
        let file = self.keep("latest.crl", &fetched.body);
        let issuer = self.file(&format!("seal-l{level}-g1.pem"));
        let words = ["crl", "-inform", "DER", "-in", word(&file), "-CAfile", word(&issuer)];
        let outcome = openssl(words.iter().chain(&["-noout", "-text"]));
        assert!(outcome.said().contains("verify OK"), "{}", outcome.said());
        let serials = outcome.success().lines();
        serials
            .filter_map(|line| line.trim().strip_prefix("Serial Number: "))
            .map(str::to_owned)
            .collect()
    }
}

fn percent_encoded(base64: &str) -> String {
    base64.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

#[test]
fn a_branch_s_certificate_is_accepted_by_strangers_and_then_revoked() {
    let installation = Installation::with_sample();
    let server = installation.serve();
    let stranger = Stranger::new(&installation);
    let p384 = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"];
    let rsa = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"];
    let keys: [(&str, &str, &[&str]); 3] =
        [("BR-0101", "1", &P256), ("BR-0481", "2", &p384), ("BR-0786", "3", &rsa)];
    for (branch, level, key) in keys {
        let request = make_request(&stranger.folder, branch, key);
        let application = apply(&installation, branch, level, &request);
        let certificate = request.with_extension("pem");
        installation.tenkoku(["issue", &application, "--out", word(&certificate)]).success();
        stranger.verify(&certificate, level);
        check_both_ways(&installation, &stranger, &certificate, level);
    }
    assert_eq!(server.terminate(), Some(0));
}

/// Good, then revoked, by every way of asking.
fn check_both_ways(
    installation: &Installation,
    stranger: &Stranger,
    certificate: &Path,
    level: &str,
) {
    let ask = || {
        vec![
            stranger.ocsp_by_post(certificate, level, "-sha1"),
            stranger.ocsp_by_post(certificate, level, "-sha256"),
            stranger.ocsp_by_get(certificate, level, str::to_owned),
            stranger.ocsp_by_get(certificate, level, percent_encoded),
        ]
    };
    assert_eq!(ask(), vec!["good"; 4]);
    assert_eq!(stranger.listed(level), Vec::<String>::new());
    let shown = installation.json(["certificate", "show", word(certificate)]);
    let revoked =
        installation.json(["revoke", word(certificate), "--reason", "key-exposed", "--yes"]);
    assert_eq!(revoked["state"], "revoked");
    assert_eq!(revoked["revocation"]["reason"], "keyCompromise");
    assert_eq!(ask(), vec!["revoked"; 4]);
    assert_eq!(stranger.listed(level), [shown["serial"].as_str().expect("a serial number")]);
    let asked = installation.json(["ocsp", "query", word(certificate)]);
    assert_eq!((&asked["status"], &asked["reason_code"]), (&"revoked".into(), &1.into()));
}

#[test]
fn the_trusted_list_is_accepted_by_xmllint_and_xmlsec1() {
    let installation = Installation::evaluation();
    let _server = installation.serve();
    let stranger = Stranger::new(&installation);
    let list = get(&stranger.address("tl/jp-2021.xml"));
    assert_eq!((list.status, &*list.content_type), (200, "application/vnd.etsi.tsl+xml"));
    let file = stranger.keep("list.xml", &list.body);
    xmllint(["--noout", "--nonet", word(&file)]).success();
    let root = stranger.file("root-g1.pem");
    let ids = ["--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties"];
    let words = ["--verify"].into_iter().chain(ids);
    xmlsec1(words.chain(["--trusted-pem", word(&root), word(&file)])).success();
    let digest = get(&stranger.address("tl/jp-2021.sha2"));
    let theirs = openssl(["dgst", "-sha256", "-r", word(&file)]).success().to_owned();
    assert_eq!(theirs.split(' ').next(), Some(digest.text().as_str()));
    // The list names every issuing service by its certificate.
    for level in ["1", "2", "3"] {
        let der = stranger.file(&format!("seal-l{level}-g1.cer"));
        let base64 = openssl(["base64", "-A", "-in", word(&der)]).success().to_owned();
        assert!(list.text().contains(base64.trim()), "level {level} is not on the list");
    }
    // Nobody said who is expected to sign it, so its signature is left open.
    let outcome = installation.tenkoku(["trustlist", "verify", word(&file), "--format", "json"]);
    outcome.exited(3);
    let verified: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!((&verified["services"], &verified["sequence"]), (&3.into(), &1.into()));
}

#[test]
fn what_was_made_is_listed_for_machines() {
    let installation = Installation::evaluation();
    let _server = installation.serve();
    let listed = installation.json(["ca", "list"]);
    assert_eq!(listed["schema"], "tenkoku.ca-list/1");
    let authorities = listed["authorities"].as_array().expect("authorities");
    let kinds: Vec<_> = authorities.iter().map(|a| (&a["kind"], &a["level"])).collect();
    let (root, issuing) = (Value::from("root"), Value::from("issuing"));
    let levels = [Value::Null, 1.into(), 2.into(), 3.into()];
    let [none, one, two, three] = &levels;
    assert_eq!(kinds, [(&root, none), (&issuing, one), (&issuing, two), (&issuing, three)]);
    for authority in authorities {
        assert!(authority["id"].as_str().is_some_and(|id| id.starts_with("ca_")));
        check_authority(authority);
    }
}

/// The certificate file is the certificate, and every address answers.
fn check_authority(authority: &Value) {
    let file = authority["certificate_file"].as_str().expect("a file");
    let serial = openssl(["x509", "-in", file, "-noout", "-serial"]).success().to_owned();
    assert_eq!(
        serial.trim(),
        format!("serial={}", authority["serial"].as_str().expect("a serial"))
    );
    let address = |name: &str| authority["addresses"][name].as_str();
    for name in ["certificate", "crl"] {
        assert_eq!(get(address(name).expect("an address")).status, 200, "{authority}");
    }
    let is_issuing = authority["kind"] == "issuing";
    assert_eq!(address("ocsp").is_some(), is_issuing);
    if let Some(ocsp) = address("ocsp") {
        assert_eq!(get(&format!("{ocsp}/AAAA")).content_type, "application/ocsp-response");
    }
}

#[test]
fn a_certificate_is_issued_from_a_request_in_one_step_and_goes_where_it_is_told() {
    let installation = small_installation();
    let request = make_request(installation.path(), "one", &P256);
    let file = issue(&installation, "BR-0001", "1", &request);
    let shown = installation.json(["certificate", "show", word(&file)]);
    let serial = shown["serial"].as_str().expect("a serial number");
    let exported = installation.tenkoku(["certificate", "export", serial]);
    assert_eq!(exported.success(), fs::read_to_string(&file).expect("the certificate"));
    let request = make_request(installation.path(), "two", &P256);
    let key = request.with_extension("key");
    let target = ["issue", "--org", BANK, "--branch", "BR-0002", "--key", word(&key)];
    let printed = installation.tenkoku(target);
    assert!(printed.success().starts_with("-----BEGIN CERTIFICATE-----"), "{}", printed.stdout);
    // The key is spent: its application is issued, and it belongs to that branch.
    let third =
        apply(&installation, "BR-0003", "1", &make_request(installation.path(), "three", &P256));
    let folder = installation.path().join("issued");
    let all = installation.json(["issue", "--all-ready", "--out", word(&folder)]);
    let issued = all["certificates"].as_array().expect("certificates");
    assert_eq!(issued.iter().map(|c| &c["application"]).collect::<Vec<_>>(), [&Value::from(third)]);
    let serial = issued[0]["serial"].as_str().expect("a serial number");
    let exported = installation.tenkoku(["certificate", "export", serial]);
    let written = fs::read_to_string(folder.join(format!("{serial}.pem"))).expect("a certificate");
    assert_eq!(exported.success(), written);
}

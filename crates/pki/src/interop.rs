//! Golden files, and the judgement of other implementations on them: openssl and lint-pki.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use tenkoku_domain::certificate::Profile;
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::level::Level;
use tenkoku_domain::revocation::ReasonCode;

use crate::cert::Certificate;
use crate::crl::{Crl, CrlKind, CrlOrder, EntryList};
use crate::lint::lint;
use crate::ocsp::{Answer, AnswerSigner, AnswerStatus, HashAlgorithm, Status};
use crate::path::{Budget, PolicyDemands, Question, Reason, Revocation, Verdict, validate};
use crate::profile::{Content, CrlPlaces, Order, draft};
use crate::specimens::{
    AT, TestKey, TestThrowaway, answer, answer_order, at, cert_id, certificate, changes, crl,
    crl_order, data, delta_order, entries, every_order, golden, issue, issuing, public, root_order,
    seal_order, serial, shard_address, single,
};
use crate::uri::HttpUri;

mod types;

/// The answer of the golden file `answer.ocsp`: every status, both common hashes, a nonce.
fn fresh_answer() -> Vec<u8> {
    let signer = AnswerSigner::new(certificate("ocsp-signer"), public("ocsp"));
    let reason = ReasonCode::KeyCompromise;
    let revoked = Status::Revoked { at: at("2026-11-10T09:30:00Z"), reason };
    let singles = [
        single(cert_id(HashAlgorithm::Sha256, 0x51), Status::Good),
        single(cert_id(HashAlgorithm::Sha1, 0x70), revoked),
        single(cert_id(HashAlgorithm::Sha256, 0x7F), Status::NeverIssued),
    ];
    answer(&answer_order(&signer, &singles, Some(&[0xAB; 32])))
}

fn golden_answer() -> Vec<u8> {
    golden("answer.ocsp", fresh_answer)
}

fn golden_crl() -> Vec<u8> {
    golden("issuing-1.crl", || crl(&crl_order(&issuing(Level::One), &entries()), "issuing"))
}

fn golden_root_crl() -> Vec<u8> {
    golden("root.crl", || {
        let issuer = root_order().issuer;
        crl(&crl_order(&issuer, &EntryList::new()), "root")
    })
}

fn golden_delta() -> Vec<u8> {
    golden("issuing-1.delta.crl", || crl(&delta_order(&issuing(Level::One), &changes()), "issuing"))
}

/// The shard in which the specimen's certificates are.
fn golden_shard() -> Vec<u8> {
    golden("issuing-1-3.crl", || {
        let (issuer, address) = (issuing(Level::One), shard_address(3));
        crl(&CrlOrder { shard: Some(&address), ..crl_order(&issuer, &entries()) }, "issuing")
    })
}

#[test]
fn every_profile_is_written_octet_for_octet_as_its_golden_file() {
    for (name, order, _) in every_order() {
        let certificate = certificate(name);
        assert_eq!(hex::encode(draft(&order).der()), hex::encode(certificate.tbs()), "{name}");
        let linted = lint(draft(&order), &order, &TestThrowaway::new());
        let again = linted.unwrap().assemble(certificate.signature()).unwrap();
        assert_eq!(again, certificate.der(), "{name}");
    }
}

#[test]
fn lists_are_written_octet_for_octet_as_their_golden_files() {
    let (level, root, entries) = (issuing(Level::One), root_order().issuer, entries());
    let (changes, none, address) = (changes(), EntryList::new(), shard_address(3));
    let whole = crl_order(&level, &entries);
    let shard = CrlOrder { shard: Some(&address), ..whole.clone() };
    for (file, order) in [
        (golden_crl(), whole),
        (golden_root_crl(), crl_order(&root, &none)),
        (golden_delta(), delta_order(&level, &changes)),
        (golden_shard(), shard),
    ] {
        let tbs = crate::crl::draft(&order);
        assert!(file.windows(tbs.der().len()).any(|part| part == tbs.der()));
        let list = Crl::parse(&file).unwrap();
        assert_eq!(list.verify(&order.issuer.key), Ok(()));
        assert_eq!(list.number(), Some(order.number));
        assert_eq!(list.expired_since(), order.expired_since);
    }
    let list = Crl::parse(&golden_crl()).unwrap();
    assert_eq!(list.entries().collect::<Result<Vec<_>, _>>().unwrap().len(), 3);
}

#[test]
fn an_answer_says_what_was_ordered() {
    let answer = Answer::parse(&golden_answer()).unwrap();
    assert_eq!(answer.verify(&public("ocsp")), Ok(()));
    assert!(answer.verify(&public("seal")).is_err());
    assert_eq!(answer.nonce(), Some(&[0xAB; 32][..]));
    assert_eq!(answer.certificates(), [certificate("ocsp-signer")]);
    let statuses: Vec<AnswerStatus> = answer.singles().iter().map(|s| s.status).collect();
    let revoked = |date, reason| AnswerStatus::Revoked { at: at(date), reason: Some(reason) };
    assert_eq!(
        statuses,
        [
            AnswerStatus::Good,
            revoked("2026-11-10T09:30:00Z", 1),
            revoked("1970-01-01T00:00:00Z", 6),
        ]
    );
}

/// The specimens that issue others.
const AUTHORITIES: [&str; 11] = [
    "root",
    "root-2",
    "policy",
    "issuing-1",
    "issuing-2",
    "issuing-3",
    "issuing-dedicated",
    "issuing-tsa",
    "issuing-internal",
    "root-mldsa",
    "issuing-mldsa",
];

/// What the linter says of setting B.
const MIXED: &str = "etsi.en_319_412_2.nat-4.3.2-1.mixed_key_usage_setting";

/// What a linter that does not know RFC 9608 says on a certificate with noRevAvail.
const NO_STATUS: [&str; 3] = [
    "eseal.no_revocation_source",
    "etsi.en_319_412_2.gen-4.3.11-2.crldp_extension_missing",
    "etsi.en_319_412_2.gen-4.4.1-8.ocsp_aia_access_method_absent",
];

/// A folder with the specimens in it, certificates as PEM and DER.
struct Bench(PathBuf);

impl Bench {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("tenkoku-pki-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let bench = Self(folder);
        for (name, ..) in every_order() {
            let certificate = certificate(name);
            bench.write(&format!("{name}.pem"), certificate.to_pem().as_bytes());
            bench.write(&format!("{name}.cer"), certificate.der());
        }
        let chain: String = AUTHORITIES.iter().map(|name| certificate(name).to_pem()).collect();
        bench.write("chain.pem", chain.as_bytes());
        bench.write("issuing-1.crl", &golden_crl());
        bench.write("root.crl", &golden_root_crl());
        bench.write("issuing-1.delta.crl", &golden_delta());
        bench.write("issuing-1-3.crl", &golden_shard());
        bench.write("answer.ocsp", &golden_answer());
        bench
    }

    fn write(&self, file: &str, octets: &[u8]) {
        fs::write(self.0.join(file), octets).unwrap();
    }

    /// Runs a program in the folder; `None` when the machine does not have it.
    fn run(&self, program: &str, arguments: &[&str]) -> Option<Output> {
        let cache = std::env::temp_dir().join("tenkoku-lint-pki");
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.0).env("LINT_PKI_CACHE", cache);
        command.output().ok()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

#[expect(clippy::print_stdout, reason = "a test that did not judge anything must say so")]
fn skipped(why: &str) {
    println!("skipped: {why}");
}

fn said(output: &Output) -> String {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}

/// Whether the certified key or the issuer's is of ML-DSA.
fn is_ml_dsa(order: &Order) -> bool {
    let ml_dsa = [KeyAlgorithm::MlDsa65, KeyAlgorithm::MlDsa87];
    [&order.key, &order.issuer.key].iter().any(|key| ml_dsa.contains(&key.algorithm()))
}

/// From version 3.5 on.
fn openssl_knows_ml_dsa(bench: &Bench) -> bool {
    let list = bench.run("openssl", &["list", "-public-key-algorithms"]);
    list.is_some_and(|output| said(&output).to_uppercase().contains("ML-DSA"))
}

/// Runs openssl and demands success and these words.
fn openssl(bench: &Bench, arguments: &[&str], words: &[&str]) {
    let Some(output) = bench.run("openssl", arguments) else {
        skipped("openssl absent");
        return;
    };
    let text = said(&output);
    assert!(output.status.success(), "{arguments:?}: {text}");
    for word in words {
        assert!(text.contains(word), "{arguments:?} does not say {word:?}: {text}");
    }
}

#[test]
fn openssl_accepts_every_certificate_in_its_chain() {
    let bench = Bench::new("verify");
    let epoch = at(AT).seconds().to_string();
    for (name, order, _) in every_order() {
        if is_ml_dsa(&order) && !openssl_knows_ml_dsa(&bench) {
            skipped("this openssl does not know ML-DSA");
            continue;
        }
        let file = format!("{name}.pem");
        let arguments =
            ["verify", "-attime", &epoch, "-x509_strict", "-CAfile", "chain.pem", &file];
        openssl(&bench, &arguments, &["OK"]);
    }
}

#[test]
fn openssl_reads_a_seal_as_domain_12_writes_it() {
    let bench = Bench::new("text");
    let arguments =
        ["x509", "-in", "seal-1.pem", "-noout", "-text", "-nameopt", "utf8,sep_comma_plus_space"];
    openssl(
        &bench,
        &arguments,
        &[
            "C=JP, O=株式会社サンプル, organizationIdentifier=NTRJP-5010401067252, OU=大阪支店, \
             serialNumber=BR-0002/01, CN=株式会社サンプル 大阪支店 電子印",
            "Non Repudiation",
            "1.3.6.1.5.5.7.3.36",
            "Policy: 1.3.6.1.4.1.32473.1.1.1",
            "Policy: 0.4.0.2042.1.3",
            "Sample Co., Ltd. Osaka Branch e-Seal",
            "OCSP - URI:http://pki.example.jp/ocsp/seal-l1-g1",
            "CA Issuers - URI:http://pki.example.jp/ca/seal-l1-g1.cer",
            "URI:http://pki.example.jp/crl/seal-l1-g1.crl",
            "ecdsa-with-SHA384",
        ],
    );
}

#[test]
fn openssl_reads_the_lists() {
    let bench = Bench::new("crl");
    let read = |file, ca, words: &[&str]| {
        let arguments = ["crl", "-inform", "DER", "-in", file, "-CAfile", ca, "-noout", "-text"];
        openssl(&bench, &arguments, &[&["verify OK"], words].concat());
    };
    read("issuing-1.crl", "issuing-1.pem", &["Key Compromise", "Invalidity Date", "Hold"]);
    read("root.crl", "root.pem", &["No Revoked Certificates"]);
    let delta = ["X509v3 Delta CRL Indicator: critical", "Remove From CRL"];
    read("issuing-1.delta.crl", "issuing-1.pem", &delta);
    let point = ["X509v3 Issuing Distribution Point: critical", "seal-l1-g1-3.crl"];
    read("issuing-1-3.crl", "issuing-1.pem", &point);
}

/// A seal with another serial number, looked up in a shard where one is named.
fn seal_in(first: u8, shard: Option<u32>) -> Vec<u8> {
    let mut order = seal_order(Level::One, "seal");
    order.serial = serial(first);
    if let (Content::Seal { repository, .. }, Some(number)) = (&mut order.content, shard) {
        repository.crl = CrlPlaces::whole(shard_address(number));
    }
    issue(&order, "issuing")
}

/// Stories that run at once have a folder each.
static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// What our own path validation and openssl make of a seal with these lists of its issuer.
fn check_status(seal: &[u8], lists: &[Vec<u8>], expected: &str) {
    let mut all = lists.to_vec();
    all.push(golden_root_crl());
    let verdict = validate(&Question {
        anchors: &[certificate("root").der().to_vec()],
        intermediates: &[certificate("issuing-1").der().to_vec()],
        crls: &all,
        leaf: seal,
        at: at("2026-11-30T12:00:00Z"),
        policies: &PolicyDemands::default(),
        revocation: Revocation::Required,
        budget: Budget::default(),
    });
    let ours = match verdict {
        Verdict::Valid(_) => "good",
        Verdict::Invalid(fault) if fault.reason == Reason::Revoked => "revoked",
        Verdict::Invalid(_) => "unknown",
    };
    assert_eq!(ours, expected, "ours");
    let bench = Bench::new(&format!("status-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
    let pem: String = all.iter().map(|der| crate::pem::encode("X509 CRL", der)).collect();
    bench.write("lists.pem", pem.as_bytes());
    bench.write("leaf.pem", crate::pem::encode("CERTIFICATE", seal).as_bytes());
    let epoch = at("2026-11-30T12:00:00Z").seconds().to_string();
    let how = ["verify", "-attime", &epoch, "-crl_check", "-extended_crl", "-use_deltas"];
    let files = ["-CRLfile", "lists.pem", "-CAfile", "chain.pem", "leaf.pem"];
    let Some(output) = bench.run("openssl", &[&how[..], &files].concat()) else {
        return skipped("openssl absent");
    };
    let told = said(&output);
    let theirs = match (output.status.success(), told.contains("certificate revoked")) {
        (true, _) => "good",
        (false, true) => "revoked",
        (false, false) => "unknown",
    };
    assert_eq!(theirs, expected, "openssl: {told}");
}

#[test]
fn a_delta_brings_the_list_of_everything_up_to_date() {
    let (issuer, entries) = (issuing(Level::One), entries());
    let delta_address = HttpUri::parse("http://pki.example.jp/crl/seal-l1-g1.delta.crl").unwrap();
    let kind = CrlKind::Complete { freshest: Some(&delta_address) };
    let base = crl(&CrlOrder { kind, ..crl_order(&issuer, &entries) }, "issuing");
    let delta = golden_delta();
    // Revoked after the list of everything.
    check_status(&seal_in(0x51, None), std::slice::from_ref(&base), "good");
    check_status(&seal_in(0x51, None), &[base.clone(), delta.clone()], "revoked");
    // A hold that was lifted after it.
    check_status(&seal_in(0x71, None), std::slice::from_ref(&base), "revoked");
    check_status(&seal_in(0x71, None), &[base.clone(), delta.clone()], "good");
    // A delta alone says nothing.
    check_status(&seal_in(0x51, None), &[delta], "unknown");
}

#[test]
fn a_shard_tells_of_its_own_certificates_only() {
    let (issuer, entries) = (issuing(Level::One), entries());
    let address = shard_address(4);
    let other = CrlOrder { shard: Some(&address), ..crl_order(&issuer, &entries) };
    let (ours, other) = (golden_shard(), crl(&other, "issuing"));
    check_status(&seal_in(0x51, Some(3)), std::slice::from_ref(&ours), "good");
    check_status(&seal_in(0x72, Some(3)), std::slice::from_ref(&ours), "revoked");
    check_status(&seal_in(0x51, Some(3)), std::slice::from_ref(&other), "unknown");
    check_status(&seal_in(0x51, Some(3)), &[other, ours.clone()], "good");
    // Nor is a part taken for the whole.
    check_status(&seal_in(0x51, None), &[ours], "unknown");
}

#[test]
fn openssl_accepts_the_answer() {
    let bench = Bench::new("ocsp");
    let epoch = at(AT).seconds().to_string();
    let seal = ["ocsp", "-issuer", "issuing-1.pem", "-sha256", "-cert", "seal-1.pem", "-no_nonce"];
    let answer = ["-respin", "answer.ocsp", "-CAfile", "root.pem", "-verify_other"];
    // openssl holds the dates of an answer against the wall clock; a hundred years of grace.
    let chain = ["chain.pem", "-attime", &epoch, "-validity_period", "3153600000"];
    openssl(
        &bench,
        &[&seal[..], &answer, &chain].concat(),
        &["Response verify OK", "seal-1.pem: good"],
    );
    openssl(
        &bench,
        &["ocsp", "-respin", "answer.ocsp", "-noverify", "-text"],
        &["Cert Status: revoked", "keyCompromise", "certificateHold", "Archive Cutoff"],
    );
}

/// `lint-pki` beside the checkout, where there is one.
fn lint_pki() -> Option<String> {
    let tool = data("../../../../shared/tools/lint-pki");
    if !tool.exists() {
        skipped("../shared absent");
        return None;
    }
    Some(path(&tool))
}

/// Has the tool judge files, each kind with the options it needs; gives the number of files. Beside
/// them it sees `more` objects that lie in one of the files.
fn judge(bench: &Bench, tool: &str, files: &[&str], more: usize) -> usize {
    let issuers: Vec<String> = AUTHORITIES.iter().map(|name| format!("{name}.cer")).collect();
    let mut common = vec!["--at", AT];
    common.extend(issuers.iter().flat_map(|issuer| ["--issuer", issuer.as_str()]));
    let judged = |options: &[&str], files: &[&str], more: usize| {
        if files.is_empty() {
            return 0;
        }
        let output = bench.run(tool, &[&common[..], options, files].concat()).unwrap();
        let text = said(&output);
        assert!(output.status.success(), "{text}");
        let verdict = text.contains("0 FATAL, 0 ERROR, 0 WARNING");
        let objects = format!("in {} objects", files.len() + more);
        assert!(verdict && text.contains(&objects), "{text}");
        files.len()
    };
    let is_internal = |file: &&&str| file.starts_with("admin") || file.starts_with("audit");
    let is_short =
        |file: &&&str| ["seal-1s", "seal-2s", "seal-3s"].contains(&file.get(..7).unwrap_or(""));
    let choose = |chosen: &dyn Fn(&&&str) -> bool| -> Vec<&str> {
        files.iter().filter(|file| chosen(file)).copied().collect()
    };
    // What is neither seal nor CA nor known to it by its purpose must be said to be no seal.
    let internal = judged(&["--profile", "none"], &choose(&is_internal), 0);
    // EN 319 412-2 as the linter has it does not know RFC 9608, which takes the place of a CRL and
    // an OCSP service: three findings, each of which says just that.
    let ignored: Vec<&str> = NO_STATUS.iter().flat_map(|code| ["--ignore", code]).collect();
    let short = judged(&ignored, &choose(&is_short), 0);
    // DOMAIN 12.3 allows setting B at levels 1 and 2; EN 319 412-2 merely advises against it.
    let is_mixed = |file: &&&str| **file == "seal-setting-b.cer";
    let mixed = judged(&["--ignore", MIXED], &choose(&is_mixed), 0);
    let rest = |file: &&&str| !is_internal(file) && !is_short(file) && !is_mixed(file);
    internal + short + mixed + judged(&[], &choose(&rest), more)
}

#[test]
fn lint_pki_has_nothing_to_say_on_one_specimen_of_everything() {
    let Some(tool) = lint_pki() else { return };
    let bench = Bench::new("lint");
    let files: Vec<String> = every_order().iter().map(|(name, ..)| format!("{name}.cer")).collect();
    let mut files: Vec<&str> = files.iter().map(String::as_str).collect();
    files.extend(["issuing-1.crl", "root.crl", "issuing-1.delta.crl", "issuing-1-3.crl"]);
    files.push("answer.ocsp");
    // The answer brings the certificate of its signer along.
    assert_eq!(judge(&bench, &tool, &files, 1), files.len());
}

#[test]
fn an_authority_with_an_rsa_key_signs_with_sha_384_and_null() {
    let mut order = root_order();
    order.key = public("root-rsa");
    order.issuer.key = public("root-rsa");
    let linted = lint(draft(&order), &order, &TestThrowaway::new()).unwrap();
    let signature = TestKey::load("root-rsa").sign_linted(&linted);
    let certificate = Certificate::parse(&linted.assemble(&signature).unwrap()).unwrap();
    let bench = Bench::new("rsa");
    bench.write("rsa.pem", certificate.to_pem().as_bytes());
    let epoch = at(AT).seconds().to_string();
    let arguments = ["verify", "-attime", &epoch, "-x509_strict", "-check_ss_sig"];
    openssl(&bench, &[&arguments[..], &["-CAfile", "rsa.pem", "rsa.pem"]].concat(), &["OK"]);
    let text = ["x509", "-in", "rsa.pem", "-noout", "-text"];
    openssl(&bench, &text, &["sha384WithRSAEncryption", "4096 bit"]);
}

fn path(path: &Path) -> String {
    fs::canonicalize(path).unwrap().to_string_lossy().into_owned()
}

#[test]
fn what_is_read_for_pages_is_what_was_ordered() {
    for (name, order, _) in every_order() {
        let certificate = certificate(name);
        assert_eq!(certificate.serial(), Ok(order.serial.clone()));
        assert_eq!(*certificate.subject(), order.subject);
        assert_eq!(certificate.validity(), order.validity);
        assert_eq!(certificate.public_key(), Ok(order.key.clone()));
        assert_eq!(Certificate::parse(certificate.to_pem().as_bytes()), Ok(certificate));
    }
}

//! Other implementations judge our lists.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tenkoku_domain::time::Timestamp;
use tenkoku_tsl::algorithm::SignatureAlgorithm as Algorithm;
use tenkoku_tsl::c14n::{Extent, Method, canonicalise};
use tenkoku_tsl::model::{NextUpdate, TrustedList};
use tenkoku_tsl::rules::succession;
use tenkoku_tsl::write::sha2;

use crate::sample::{self, OPERATOR, Role, Signer, data, is_installed, shared};

/// A signed list on disk, beside its signer's certificate and its `.sha2`.
struct Published {
    folder: PathBuf,
}

impl Published {
    fn new(name: &str, algorithm: Algorithm, list: TrustedList) -> Self {
        Self::by(name, &Signer::of_list(algorithm), list)
    }

    fn by(name: &str, signer: &Signer, list: TrustedList) -> Self {
        Self::at(name, signer, list, sample::at(sample::SIGNED))
    }

    fn at(name: &str, signer: &Signer, list: TrustedList, time: Timestamp) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).unwrap();
        let document = signer.publish_at(list, time);
        fs::write(folder.join("list.xml"), &document).unwrap();
        fs::write(folder.join("list.sha2"), sha2(&document)).unwrap();
        fs::write(folder.join("signer.der"), signer.certificate.der()).unwrap();
        Self { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// A list after the end of all services.
fn closed() -> TrustedList {
    let mut list = sample::list();
    list.scheme.next_update = NextUpdate::Closed;
    for service in list.providers.iter_mut().flat_map(|provider| &mut provider.services) {
        service.status = sample::uri("https://tl.example.jp/TrstSvc/Svcstatus/withdrawn");
    }
    list
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{said}\n{complained}");
}

/// `check-trust-list` keeps its environment where the caller says, else with the build.
fn check_trust_list(tool: &Path, published: &Published) {
    run(&mut judged(tool, published));
}

/// The same, beside the list that was in force before.
fn check_successor(tool: &Path, published: &Published, before: &Published) {
    run(judged(tool, published).arg("--previous").arg(before.file("list.xml")));
}

fn judged(tool: &Path, published: &Published) -> Command {
    let mut command = Command::new(tool);
    if std::env::var_os("CHECK_TRUST_LIST_CACHE").is_none() {
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("check-trust-list");
        command.env("CHECK_TRUST_LIST_CACHE", cache);
    }
    command.args(["--strict", "--quiet", "--now", "issue", "--sha2"]);
    command.arg(published.file("list.sha2")).arg("--signer").arg(published.file("signer.der"));
    command.args(["--url", "https://tl.example.jp/tl/jp.xml"]).arg(published.file("list.xml"));
    command
}

fn xmlsec1(published: &Published) {
    run(Command::new("xmlsec1")
        .args(["--verify", "--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties"])
        .args(["--verification-time", "2026-11-22 00:00:05", "--trusted-der"])
        .arg(published.file("signer.der"))
        .arg(published.file("list.xml")));
}

#[test]
fn xmlsec1_verifies_our_signatures() {
    if !is_installed("xmlsec1") {
        return;
    }
    xmlsec1(&Published::new("xmlsec-p256", Algorithm::EcdsaP256Sha256, sample::list()));
    xmlsec1(&Published::new("xmlsec-p384", Algorithm::EcdsaP384Sha384, sample::list()));
    xmlsec1(&Published::new("xmlsec-rsa", Algorithm::RsaSha512, sample::list()));
}

#[test]
fn the_judge_of_trusted_lists_finds_nothing_wrong() {
    let Some(tool) = shared("tools/check-trust-list") else {
        return;
    };
    check_trust_list(&tool, &Published::new("p384", Algorithm::EcdsaP384Sha384, sample::list()));
    check_trust_list(&tool, &Published::new("rsa", Algorithm::RsaSha512, sample::list()));
    check_trust_list(&tool, &Published::new("closed", Algorithm::EcdsaP256Sha256, closed()));
}

#[test]
fn lists_of_every_shape_satisfy_the_judge() {
    let Some(tool) = shared("tools/check-trust-list") else {
        return;
    };
    let algorithm = Algorithm::EcdsaP384Sha384;
    let estonian = Signer::of_country("EE", algorithm, Role::ListSigner, OPERATOR);
    check_trust_list(&tool, &Published::by("european", &estonian, sample::european()));
    let union = Signer::of_country("EU", algorithm, Role::ListSigner, OPERATOR);
    check_trust_list(&tool, &Published::by("lotl", &union, sample::list_of_lists("EU")));
}

#[test]
fn ten_status_changes_and_a_new_signer_satisfy_the_judge() {
    let Some(tool) = shared("tools/check-trust-list") else {
        return;
    };
    let algorithm = Algorithm::EcdsaP256Sha256;
    let (first, second) = (Signer::of_list(algorithm), Signer::of_list(algorithm));
    let mut list = sample::list();
    let mut before = Published::by("change-0", &first, list.clone());
    for change in 1..=10 {
        let status = if change % 2 == 1 { "withdrawn" } else { "granted" };
        let status = sample::uri(&format!("https://tl.example.jp/TrstSvc/Svcstatus/{status}"));
        list.scheme.sequence_number += 1;
        list.scheme.issue = list.scheme.issue.plus_days(1);
        let since = list.scheme.issue;
        let former = TrustedList { scheme: list.scheme.clone(), providers: list.providers.clone() };
        list.providers[0].services[0].change_status(status, since).unwrap();
        let mut before_list = former;
        before_list.scheme.sequence_number -= 1;
        before_list.scheme.issue = since.plus_days(-1);
        assert_eq!(succession(&list, &before_list), []);
        // The sixth list is signed by the next of two announced keys.
        let signer = if change < 6 { &first } else { &second };
        let published =
            Published::at(&format!("change-{change}"), signer, list.clone(), since.plus_seconds(5));
        // The judge runs for seconds; the first, the rollover and the last show what there is.
        if matches!(change, 1 | 6 | 10) {
            check_successor(&tool, &published, &before);
        }
        before = published;
    }
    assert_eq!(list.providers[0].services[0].history.len(), 10);
}

#[test]
fn xmllint_makes_the_same_canonical_forms() {
    if !is_installed("xmllint") {
        return;
    }
    let published = Published::new("c14n", Algorithm::EcdsaP384Sha384, sample::list());
    let mut files = vec![published.file("list.xml"), data().join("example.xml")];
    let cases = fs::read_dir(data().join("c14n")).unwrap().map(|entry| entry.unwrap().path());
    files.extend(cases.filter(|path| path.extension().is_some_and(|kind| kind == "xml")));
    // The tool keeps comments, so the case with comments is left out.
    files.retain(|path| !path.ends_with("comments.xml"));
    for file in files {
        let document = fs::read(&file).unwrap();
        for (option, method) in [("--exc-c14n", Method::Exclusive), ("--c14n", Method::Inclusive)] {
            let theirs = Command::new("xmllint").arg(option).arg(&file).output().unwrap();
            let ours = canonicalise(&document, method, Extent::Document).unwrap();
            assert!(theirs.stdout == ours, "{option} {}", file.display());
        }
    }
}

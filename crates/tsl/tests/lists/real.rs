//! Lists that others made and signed.

use std::fs;
use std::process::Command;

use tenkoku_tsl::c14n::{Extent, Method, canonicalise};
use tenkoku_tsl::certificate::Certificate;
use tenkoku_tsl::verify::{Refusal, VerifiedList, verify};

use crate::sample::{at, data, is_installed, shared};

/// Verifies a list of the folder beside the repository; `None` when that folder is absent.
fn read(path: &str) -> Option<Result<VerifiedList, Refusal>> {
    shared(&format!("trust-list/{path}")).map(|path| verify(&fs::read(path).unwrap()))
}

#[test]
fn the_stored_example_verifies_and_is_read() {
    let signer = Certificate::from_der(&fs::read(data().join("example-signer.der")).unwrap());
    let list = verify(&fs::read(data().join("example.xml")).unwrap()).unwrap();
    assert_eq!(list.signing_time(), at("2026-11-20T00:00:05Z"));
    let list = list.require_signer(&[signer.unwrap()]).unwrap();
    let content = list.content();
    assert_eq!(content.scheme_names[1].value, "JP:例示eシール認定制度");
    assert_eq!(content.services.len(), 1);
    assert_eq!(content.services[0].names[0].value, "e-seal certificates level 2, CA 0");
}

#[test]
fn national_lists_of_version_6_verify() {
    for (path, territory, sequence) in [
        ("lists/national/BE-sn81-v6.xml", "BE", 81),
        ("lists/national/FI-sample-v6-resigned.xml", "FI", 49),
        ("lists/eu-lotl/eu-lotl-sn388-v6.xml", "EU", 388),
    ] {
        let Some(list) = read(path) else { return };
        let list = list.unwrap();
        let content = list.content();
        assert_eq!((content.territory.as_str(), content.sequence_number), (territory, sequence));
        assert_eq!(content.services.is_empty(), territory == "EU");
    }
}

#[test]
fn lists_that_are_broken_on_purpose_are_refused() {
    let folder = "lists/negative";
    let Some(unsigned) = read(&format!("{folder}/CZ-no-signature.xml")) else { return };
    assert!(matches!(unsigned, Err(Refusal::NoSignature)));
    let old = read(&format!("{folder}/FI-v6-old-SigningCertificate.xml")).unwrap();
    assert!(matches!(old, Err(Refusal::CertificateCount(2))), "{old:?}");
    let broken = read(&format!("{folder}/eu-lotl-sn248-broken-signature.xml")).unwrap();
    assert!(broken.is_err());
}

#[test]
fn xmllint_makes_the_same_canonical_form_of_every_real_list() {
    let Some(folder) = shared("trust-list/lists") else { return };
    if !is_installed("xmllint") {
        return;
    }
    for group in ["eu-lotl", "national", "negative", "third-country"] {
        for entry in fs::read_dir(folder.join(group)).unwrap() {
            let file = entry.unwrap().path();
            let ours = canonicalise(&fs::read(&file).unwrap(), Method::Exclusive, Extent::Document);
            let mut xmllint = Command::new("xmllint");
            let theirs = xmllint.args(["--huge", "--exc-c14n"]).arg(&file).output().unwrap();
            // The tool keeps comments, but none of these lists has any.
            let same = ours.is_ok_and(|form| form == theirs.stdout);
            assert!(same, "{}", file.display());
        }
    }
}

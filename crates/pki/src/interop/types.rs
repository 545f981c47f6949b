//! One specimen of every profile under every type of key it allows, and what openssl, lint-pki and
//! Python's `cryptography` say on them. They are made afresh for each run.

use std::collections::BTreeSet;

use super::*;
use crate::lint::allowed_keys;
use crate::specimens::{issue, operator};

/// The kept key of a type.
const fn kept(algorithm: KeyAlgorithm) -> &'static str {
    match algorithm {
        KeyAlgorithm::Rsa2048 => "seal-rsa2048",
        KeyAlgorithm::Rsa3072 => "seal-rsa",
        KeyAlgorithm::Rsa4096 => "seal-rsa4096",
        KeyAlgorithm::P256 => "seal",
        KeyAlgorithm::P384 => "seal-p384",
        KeyAlgorithm::P521 => "seal-p521",
        KeyAlgorithm::MlDsa65 => "seal-mldsa65",
        KeyAlgorithm::MlDsa87 => "seal-mldsa87",
    }
}

/// A specimen: the name of its file, whether ML-DSA is in it, the certificate.
struct Specimen {
    name: String,
    ml_dsa: bool,
    certificate: Certificate,
}

fn specimens() -> Vec<Specimen> {
    let mut seen = BTreeSet::new();
    let mut made = Vec::new();
    for (_, order, signer) in every_order() {
        let profile = order.content.profile();
        if !seen.insert(profile.word()) {
            continue;
        }
        for algorithm in allowed_keys(profile) {
            let key = public(kept(*algorithm));
            let (order, signer) = if order.key == order.issuer.key {
                // A name of its own: judges look for an issuer by name.
                let subject = operator(&format!("Tenkoku Evaluation {algorithm} Root CA G1"));
                let Order { serial, validity, .. } = order.clone();
                (Order::root(serial, validity, subject, key), kept(*algorithm))
            } else {
                (Order { key, ..order.clone() }, signer)
            };
            made.push(Specimen {
                name: format!("{profile}~{algorithm}"),
                ml_dsa: is_ml_dsa(&order),
                certificate: Certificate::parse(&issue(&order, signer)).unwrap(),
            });
        }
    }
    assert_eq!(seen.len(), Profile::ALL.len(), "a profile has no specimen");
    made
}

/// A folder with the specimens beside the golden files.
fn bench(name: &str, specimens: &[Specimen]) -> Bench {
    let bench = Bench::new(name);
    for specimen in specimens {
        bench.write(&format!("{}.pem", specimen.name), specimen.certificate.to_pem().as_bytes());
        bench.write(&format!("{}.cer", specimen.name), specimen.certificate.der());
    }
    bench
}

#[test]
fn openssl_reads_and_verifies_every_profile_under_every_type_of_key() {
    let specimens = specimens();
    let bench = bench("types", &specimens);
    let epoch = at(AT).seconds().to_string();
    let ml_dsa = openssl_knows_ml_dsa(&bench);
    for Specimen { name, ml_dsa: has_ml_dsa, .. } in &specimens {
        let file = format!("{name}.pem");
        openssl(
            &bench,
            &["x509", "-in", &file, "-noout", "-text"],
            &["X509v3 Key Usage: critical"],
        );
        if *has_ml_dsa && !ml_dsa {
            continue;
        }
        let anchors = if name.starts_with("root~") { &file } else { "chain.pem" };
        let arguments = ["verify", "-attime", &epoch, "-x509_strict", "-CAfile", anchors, &file];
        openssl(&bench, &arguments, &["OK"]);
    }
}

#[test]
fn lint_pki_has_nothing_to_say_on_every_profile_under_every_type_of_key() {
    let Some(tool) = lint_pki() else { return };
    let specimens = specimens();
    let bench = bench("lint-types", &specimens);
    let files: Vec<String> = specimens.iter().map(|s| format!("{}.cer", s.name)).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    assert_eq!(judge(&bench, &tool, &files, 0), files.len());
}

/// Python's `cryptography` brings an openssl of its own, which knows ML-DSA.
#[test]
fn python_reads_and_verifies_every_profile_under_every_type_of_key() {
    let Some(python) = python() else { return };
    let specimens = specimens();
    let bench = bench("python", &specimens);
    let script = path(&data("../../linters/verify_certificates.py"));
    let mut arguments = vec![script.as_str(), "."];
    let files: Vec<String> = specimens.iter().map(|s| format!("{}.cer", s.name)).collect();
    arguments.extend(files.iter().map(String::as_str));
    let golden: Vec<String> = every_order().iter().map(|(n, ..)| format!("{n}.cer")).collect();
    arguments.extend(golden.iter().map(String::as_str));
    let output = bench.run(&python, &arguments).unwrap();
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    let number = files.len() + golden.len();
    assert!(text.contains(&format!("{number} certificates verified")), "{text}");
}

/// A signature that was changed is not verified by the judge either.
#[test]
fn python_refuses_an_ml_dsa_signature_that_was_changed() {
    let Some(python) = python() else { return };
    let bench = Bench::new("python-changed");
    let mut der = certificate("seal-mldsa").der().to_vec();
    let last = der.len() - 1;
    der[last] ^= 1;
    bench.write("changed.cer", &der);
    let script = path(&data("../../linters/verify_certificates.py"));
    let output = bench.run(&python, &[&script, ".", "changed.cer"]).unwrap();
    assert!(!output.status.success());
    assert!(said(&output).contains("InvalidSignature"), "{}", said(&output));
}

/// The interpreter of the linters' environment, which `scripts/setup-tests` makes.
#[expect(clippy::disallowed_methods, reason = "scripts/cache.sh tells by the environment")]
fn python() -> Option<String> {
    let folder = |name: &str, below: &str| {
        let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
        Some(Path::new(&value).join(below))
    };
    let cache = folder("TENKOKU_TEST_CACHE", "")
        .or_else(|| folder("XDG_CACHE_HOME", "tenkoku"))
        .or_else(|| folder("HOME", ".cache/tenkoku"))?;
    let python = cache.join("linters/bin/python");
    if !python.exists() {
        skipped("the environment of the linters is absent: type scripts/setup-tests");
        return None;
    }
    Some(python.to_string_lossy().into_owned())
}

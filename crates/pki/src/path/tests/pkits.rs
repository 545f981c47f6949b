//! NIST's PKITS, whole, with the parameters of its document.
//!
//! Every question gets all certificates and all lists of the suite at once, as from the directory
//! that the document assumes: so every case also shows that nothing else in the bag misleads.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::super::*;
use crate::pem;

/// The material, by file name.
static FILES: LazyLock<BTreeMap<String, Vec<u8>>> = LazyLock::new(|| {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/pkits");
    let text = std::fs::read_to_string(folder.join("pkits.pem")).unwrap();
    let mut files = BTreeMap::new();
    let mut name = String::new();
    let mut block = String::new();
    for line in text.lines() {
        if block.is_empty() && !line.starts_with("-----BEGIN") {
            line.clone_into(&mut name);
            continue;
        }
        block.push_str(line);
        block.push('\n');
        if line.starts_with("-----END") {
            let der = pem::decode(block.as_bytes(), &["CERTIFICATE", "X509 CRL"]).unwrap();
            files.insert(name.clone(), der);
            block.clear();
        }
    }
    files
});

fn of_kind(ending: &str) -> Vec<Vec<u8>> {
    FILES.iter().filter(|(name, _)| name.ends_with(ending)).map(|(_, der)| der.clone()).collect()
}

static CERTIFICATES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| of_kind("Cert.crt"));
static LISTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| of_kind(".crl"));

/// The policies of the suite, NIST-test-policy-n.
fn policy(n: u32) -> ObjectIdentifier {
    ObjectIdentifier::new(&format!("2.16.840.1.101.3.2.1.48.{n}")).unwrap()
}

fn judged(leaf: &str, policies: &PolicyDemands) -> Verdict {
    let leaf = &FILES[&format!("{leaf}EE.crt")];
    validate(&Question {
        anchors: &[FILES["TrustAnchorRootCertificate.crt"].clone()],
        intermediates: &CERTIFICATES,
        crls: &LISTS,
        leaf,
        at: Timestamp::parse("2011-04-15T00:00:00Z").unwrap(),
        policies,
        revocation: Revocation::Required,
        budget: Budget::default(),
    })
}

fn reason(verdict: &Verdict) -> Option<Reason> {
    match verdict {
        Verdict::Valid(_) => None,
        Verdict::Invalid(fault) => Some(fault.reason),
    }
}

/// What a case of the document demands beside the default settings.
#[derive(Clone, Copy)]
enum Demand {
    Explicit,
    NoMapping,
    NoAnyPolicy,
}
use Demand::{Explicit, NoAnyPolicy, NoMapping};

fn check(number: &str, leaf: &str, acceptable: &[u32], demands: &[Demand], expected: bool) {
    let mut policies = PolicyDemands {
        acceptable: acceptable.iter().map(|n| policy(*n)).collect(),
        ..PolicyDemands::default()
    };
    for demand in demands {
        match demand {
            Explicit => policies.require_explicit = true,
            NoMapping => policies.inhibit_mapping = true,
            NoAnyPolicy => policies.inhibit_any = true,
        }
    }
    let got = reason(&judged(leaf, &policies));
    assert_eq!(got.is_none(), expected, "{number} {leaf} {acceptable:?}: {got:?}");
}

/// The reason for which every other case named `Invalid…` must fail.
fn expected_reason(leaf: &str) -> &'static [Reason] {
    let table: [(&[&str], &[Reason]); 14] = [
        (&["CASignatureTest2", "EESignatureTest3"], &[Reason::Signature]),
        (&["DSASignature"], &[Reason::Algorithm]),
        (&["notBeforeDate"], &[Reason::NotYetValid]),
        (&["notAfterDate"], &[Reason::Expired]),
        (&["NameChaining"], &[Reason::NoIssuer]),
        (&["RevokedCA", "RevokedEE", "NegativeSerial", "LongSerial"], &[Reason::Revoked]),
        (&["MissingbasicConstraints", "cAFalse", "CRLSigningKeyTest8"], &[Reason::NotAuthority]),
        (&["pathLenConstraint"], &[Reason::PathLength]),
        (&["keyCertSignFalse"], &[Reason::KeyUsage]),
        (
            &["icyMapping", "requireExplicit", "inhibit", "MappingFromany", "MappingToany"],
            &[Reason::Policy],
        ),
        (&["nameConstraints"], &[Reason::NameConstraints]),
        (&["CriticalCertificateExtension"], &[Reason::Extension]),
        (
            &["MissingCRL", "cRLSignFalse", "OldCRL", "UnknownCRL", "BadCRL", "WrongCRL"],
            &[Reason::RevocationUnknown],
        ),
        (&[""], &[Reason::RevocationUnknown, Reason::Revoked]),
    ];
    let found = table.iter().find(|(words, _)| words.iter().any(|word| leaf.contains(word)));
    found.unwrap().1
}

#[test]
fn every_case_with_default_settings_comes_out_as_its_name_says() {
    let (mut count, mut wrong) = (0, Vec::new());
    for leaf in FILES.keys().filter_map(|name| name.strip_suffix("EE.crt")) {
        let got = reason(&judged(leaf, &PolicyDemands::default()));
        let agrees = match got {
            // DSA is refused on purpose.
            Some(Reason::Algorithm) if leaf.starts_with("ValidDSA") => true,
            Some(got) if leaf.starts_with("Invalid") => expected_reason(leaf).contains(&got),
            got if leaf.starts_with("Valid") => got.is_none(),
            None if leaf.starts_with("Invalid") => false,
            _ => continue,
        };
        count += 1;
        if !agrees {
            wrong.push((leaf, got));
        }
    }
    assert_eq!(wrong, []);
    assert_eq!(count, 203);
}

#[test]
fn certificate_policies_4_8() {
    let same = "AllCertificatesSamePoliciesTest10";
    check("4.8.2/1", "AllCertificatesNoPoliciesTest2", &[], &[], true);
    check("4.8.2/2", "AllCertificatesNoPoliciesTest2", &[], &[Explicit], false);
    check("4.8.3/1", "DifferentPoliciesTest3", &[], &[], true);
    check("4.8.3/2", "DifferentPoliciesTest3", &[], &[Explicit], false);
    check("4.8.3/3", "DifferentPoliciesTest3", &[1, 2], &[Explicit], false);
    for (number, test) in [("4.8.4", 4), ("4.8.5", 5), ("4.8.7", 7), ("4.8.8", 8), ("4.8.9", 9)] {
        check(number, &format!("DifferentPoliciesTest{test}"), &[], &[], false);
    }
    check("4.8.6/1", "OverlappingPoliciesTest6", &[], &[], true);
    check("4.8.6/2", "OverlappingPoliciesTest6", &[1], &[], true);
    check("4.8.6/3", "OverlappingPoliciesTest6", &[2], &[], false);
    check("4.8.10/1", same, &[], &[], true);
    check("4.8.10/2", same, &[1], &[], true);
    check("4.8.10/3", same, &[2], &[], true);
    check("4.8.11/1", "AllCertificatesanyPolicyTest11", &[], &[], true);
    check("4.8.11/2", "AllCertificatesanyPolicyTest11", &[1], &[], true);
    check("4.8.12", "DifferentPoliciesTest12", &[], &[], false);
    for n in 1..=3 {
        check("4.8.13", "AllCertificatesSamePoliciesTest13", &[n], &[], true);
    }
    check("4.8.14/1", "AnyPolicyTest14", &[1], &[], true);
    check("4.8.14/2", "AnyPolicyTest14", &[2], &[], false);
    for test in 15..=19 {
        check("4.8.15 to 19", &format!("UserNoticeQualifierTest{test}"), &[], &[], true);
    }
    check("4.8.20", "CPSPointerQualifierTest20", &[1], &[Explicit], true);
}

#[test]
fn all_certificates_with_the_same_policy_4_8_1() {
    let leaf = "ValidCertificatePathTest1";
    check("4.8.1/1", leaf, &[], &[Explicit], true);
    check("4.8.1/2", leaf, &[1], &[Explicit], true);
    check("4.8.1/3", leaf, &[2], &[Explicit], false);
    check("4.8.1/4", leaf, &[1, 2], &[Explicit], true);
}

#[test]
fn policy_mapping_4_10() {
    let leaf = |n: u32| format!("ValidPolicyMappingTest{n}");
    check("4.10.1/1", &leaf(1), &[1], &[], true);
    check("4.10.1/2", &leaf(1), &[2], &[], false);
    check("4.10.1/3", &leaf(1), &[], &[NoMapping], false);
    check("4.10.2/2", "InvalidPolicyMappingTest2", &[], &[NoMapping], false);
    check("4.10.3/1", &leaf(3), &[1], &[], false);
    check("4.10.3/2", &leaf(3), &[2], &[], true);
    check("4.10.5/1", &leaf(5), &[1], &[], true);
    check("4.10.5/2", &leaf(5), &[6], &[], false);
    check("4.10.6/1", &leaf(6), &[1], &[], true);
    check("4.10.6/2", &leaf(6), &[6], &[], false);
    check("4.10.12/1", &leaf(12), &[1], &[], true);
    check("4.10.12/2", &leaf(12), &[2], &[], true);
}

#[test]
fn inhibit_any_policy_4_12_3() {
    check("4.12.3/1", "inhibitAnyPolicyTest3", &[], &[], true);
    check("4.12.3/2", "inhibitAnyPolicyTest3", &[], &[NoAnyPolicy], false);
}

#[test]
fn the_policies_of_the_path_are_told() {
    let told = |leaf: &str| match judged(leaf, &PolicyDemands::default()) {
        Verdict::Valid(path) => path.policies,
        Verdict::Invalid(fault) => panic!("{leaf}: {fault:?}"),
    };
    let these =
        |numbers: &[u32]| ValidPolicies::These(numbers.iter().map(|n| policy(*n)).collect());
    assert_eq!(told("ValidCertificatePathTest1"), these(&[1]));
    assert_eq!(told("AllCertificatesSamePoliciesTest10"), these(&[1, 2]));
    assert_eq!(told("AllCertificatesanyPolicyTest11"), ValidPolicies::Any);
    assert_eq!(told("DifferentPoliciesTest3"), these(&[]));
}

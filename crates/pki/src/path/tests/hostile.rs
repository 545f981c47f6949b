//! Bags made to mislead or to exhaust: the answer is right or, at the worst, that the path is too
//! complex, and it comes within the budget.

use super::super::*;
use super::specimens::*;

fn judged(anchor: &[u8], bag: &[Vec<u8>], leaf: &[u8], policies: &PolicyDemands) -> Option<Reason> {
    let verdict = validate(&Question {
        anchors: &[anchor.to_vec()],
        intermediates: bag,
        crls: &[],
        leaf,
        at: AT,
        policies,
        revocation: Revocation::Ignored,
        budget: Budget::default(),
    });
    match verdict {
        Verdict::Valid(_) => None,
        Verdict::Invalid(fault) => Some(fault.reason),
    }
}

fn check(anchor: &[u8], bag: &[Vec<u8>], leaf: &[u8], expected: Option<Reason>) {
    assert_eq!(judged(anchor, bag, leaf, &PolicyDemands::default()), expected);
}

fn root() -> Party {
    party("Root", 1)
}

fn anchor() -> Vec<u8> {
    certificate(&root(), &root(), 1, &authority())
}

fn authorities(count: u32) -> Vec<Party> {
    (0..count).map(|n| party(&format!("CA {n}"), 100 + n)).collect()
}

/// Every authority certifies every other.
fn mesh(parties: &[Party]) -> Vec<Vec<u8>> {
    let pairs = parties.iter().flat_map(|a| parties.iter().map(move |b| (a, b)));
    pairs
        .filter(|(a, b)| a.name != b.name)
        .map(|(a, b)| certificate(a, b, 9, &authority()))
        .collect()
}

fn explicit() -> PolicyDemands {
    PolicyDemands { require_explicit: true, ..PolicyDemands::default() }
}

#[test]
fn a_ring_that_no_anchor_certified_leads_nowhere() {
    let parties = authorities(16);
    let leaf = certificate(&parties[0], &party("Leaf", 3), 7, &[]);
    check(&anchor(), &mesh(&parties), &leaf, Some(Reason::NoAnchor));
}

#[test]
fn a_mesh_is_left_by_the_shortest_way() {
    let parties = authorities(16);
    let mut bag = mesh(&parties);
    let leaf = certificate(&parties[0], &party("Leaf", 3), 7, &[]);
    bag.push(certificate(&root(), &parties[15], 8, &authority()));
    check(&anchor(), &bag, &leaf, None);
    // No way satisfies the demand, and there are too many to try them all.
    assert_eq!(judged(&anchor(), &bag, &leaf, &explicit()), Some(Reason::TooComplex));
}

#[test]
fn a_forged_way_into_a_mesh_is_none() {
    let parties = authorities(16);
    let mut bag = mesh(&parties);
    let leaf = certificate(&parties[0], &party("Leaf", 3), 7, &[]);
    bag.push(certificate(&party("Root", 2), &parties[15], 8, &authority()));
    check(&anchor(), &bag, &leaf, Some(Reason::Signature));
}

#[test]
fn hundreds_of_certificates_of_the_same_name_and_key_do_not_hide_the_good_one() {
    let ca = party("CA", 2);
    let past = AT.plus_days(-1);
    let mut bag: Vec<_> =
        (0..400).map(|n| certificate_until(&root(), &ca, n, &authority(), past)).collect();
    let leaf = certificate(&ca, &party("Leaf", 3), 7, &[]);
    check(&anchor(), &bag, &leaf, Some(Reason::Expired));
    bag.push(certificate(&root(), &ca, 500, &authority()));
    check(&anchor(), &bag, &leaf, None);
}

#[test]
fn thousands_of_keys_of_the_same_name_are_too_many() {
    let leaf = certificate(&party("CA", 9), &party("Leaf", 3), 7, &[]);
    let named = |count: u32| -> Vec<_> {
        (0..count).map(|n| certificate(&root(), &party("CA", 1000 + n), 5, &authority())).collect()
    };
    check(&anchor(), &named(50), &leaf, Some(Reason::Signature));
    let small = Budget { signatures: 40, ..Budget::default() };
    let verdict = validate(&Question {
        anchors: &[anchor()],
        intermediates: &named(50),
        crls: &[],
        leaf: &leaf,
        at: AT,
        policies: &PolicyDemands::default(),
        revocation: Revocation::Ignored,
        budget: small,
    });
    assert!(matches!(verdict, Verdict::Invalid(fault) if fault.reason == Reason::TooComplex));
}

fn oid(n: u32) -> ObjectIdentifier {
    ObjectIdentifier::new(&format!("1.2.3.{n}")).unwrap()
}

#[test]
fn mappings_of_every_policy_to_every_policy_stay_small() {
    let all: Vec<_> = (0..20).map(oid).collect();
    let pairs: Vec<_> = all.iter().flat_map(|a| all.iter().map(move |b| (*a, *b))).collect();
    let parties = authorities(30);
    let mut extensions = authority();
    extensions.extend([policies(&all), mappings(&pairs)]);
    let mut bag = vec![certificate(&root(), &parties[0], 2, &extensions)];
    for pair in parties.windows(2) {
        bag.push(certificate(&pair[0], &pair[1], 2, &extensions));
    }
    let last = parties.last().unwrap();
    let leaf = certificate(last, &party("Leaf", 3), 7, &[policies(&all)]);
    assert_eq!(judged(&anchor(), &bag, &leaf, &explicit()), None);
}

#[test]
fn names_times_constraints_are_counted() {
    let names: Vec<_> = (0..1100).map(|n| format!("h{n}.example")).collect();
    let mut extensions = authority();
    extensions.push(excluded(&names[..1000]));
    let ca = party("CA", 2);
    let bag = [certificate(&root(), &ca, 2, &extensions)];
    let leaf = |names: &[String]| certificate(&ca, &party("Leaf", 3), 7, &[hosts(names)]);
    check(&anchor(), &bag, &leaf(&names[1000..1100]), None);
    check(&anchor(), &bag, &leaf(&names[999..1001]), Some(Reason::NameConstraints));
    check(&anchor(), &bag, &leaf(&names), Some(Reason::TooComplex));
}

#[test]
fn what_the_anchor_s_certificate_restricts_is_kept() {
    let leaf = certificate(&root(), &party("Leaf", 3), 7, &[hosts(&["a.example".to_owned()])]);
    check(&anchor(), &[], &leaf, None);
    let mut limited = authority();
    limited.push(excluded(&["example".to_owned()]));
    let limited = certificate(&root(), &root(), 1, &limited);
    check(&limited, &[], &leaf, Some(Reason::NameConstraints));
    // The validity of the anchor is not looked at.
    let past = certificate_until(&root(), &root(), 1, &authority(), AT.plus_days(-1));
    check(&past, &[], &leaf, None);
    // A certificate that signs nothing is no issuer, even if it is trusted.
    let user = certificate(&root(), &root(), 1, &list_signer());
    check(&user, &[], &leaf, Some(Reason::KeyUsage));
    // Trusted for itself, it is valid as long as it is.
    check(&user, &[], &user, None);
}

#[test]
fn no_octet_of_a_valid_certificate_can_be_changed() {
    let ca = party("CA", 2);
    let bag = [certificate(&root(), &ca, 2, &authority())];
    let leaf = certificate(&ca, &party("Leaf", 3), 7, &[hosts(&["a.example".to_owned()])]);
    check(&anchor(), &bag, &leaf, None);
    for place in 0..leaf.len() {
        for bit in [1, 0x20, 0x80] {
            let mut changed = leaf.clone();
            changed[place] ^= bit;
            let got = judged(&anchor(), &bag, &changed, &PolicyDemands::default());
            assert!(got.is_some(), "octet {place} bit {bit}");
        }
        check(&anchor(), &bag, &leaf[..place], Some(Reason::Unreadable));
    }
}

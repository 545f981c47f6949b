//! Revocation beyond PKITS: reasons over several lists, indirect lists, deltas, relative names,
//! signers of lists.

use super::super::*;
use super::specimens::*;

/// A root, an authority under it, and a leaf with these extensions and serial number 7.
struct Scene {
    root: Party,
    leaf: Vec<u8>,
    others: Vec<Vec<u8>>,
    lists: Vec<Vec<u8>>,
}

impl Scene {
    fn new(extensions: &[Vec<u8>]) -> Self {
        let (root, ca) = (party("Root", 1), party("CA", 2));
        let leaf = certificate(&ca, &party("Leaf", 3), 7, extensions);
        let others = vec![certificate(&root, &ca, 2, &authority())];
        let lists = vec![list(&root, 1, &[], &[])];
        Self { root, leaf, others, lists }
    }

    fn with(mut self, list: Vec<u8>) -> Self {
        self.lists.push(list);
        self
    }

    fn and(mut self, certificate: Vec<u8>) -> Self {
        self.others.push(certificate);
        self
    }

    fn check(&self, expected: Option<Reason>) {
        let anchor = certificate(&self.root, &self.root, 1, &authority());
        let verdict = validate(&Question {
            anchors: &[anchor],
            intermediates: &self.others,
            crls: &self.lists,
            leaf: &self.leaf,
            at: AT,
            policies: &PolicyDemands::default(),
            revocation: Revocation::Required,
            budget: Budget::default(),
        });
        let got = match verdict {
            Verdict::Valid(_) => None,
            Verdict::Invalid(fault) => Some(fault.reason),
        };
        assert_eq!(got, expected);
    }
}

const UNKNOWN: Option<Reason> = Some(Reason::RevocationUnknown);
const REVOKED: Option<Reason> = Some(Reason::Revoked);

fn ca() -> Party {
    party("CA", 2)
}

#[test]
fn without_a_list_nothing_is_known() {
    Scene::new(&[]).check(UNKNOWN);
    Scene::new(&[]).with(list(&ca(), 1, &[], &[])).check(None);
    Scene::new(&[]).with(list(&ca(), 1, &[entry(7, &[])], &[])).check(REVOKED);
    Scene::new(&[]).with(list(&ca(), 1, &[entry(8, &[])], &[])).check(None);
    Scene::new(&[]).with(list_until(&ca(), 1, &[], &[], AT.plus_days(-1))).check(UNKNOWN);
    // Somebody else with the same name.
    Scene::new(&[]).with(list(&party("CA", 9), 1, &[], &[])).check(UNKNOWN);
}

#[test]
fn the_newest_list_counts() {
    let (old, new) = (list(&ca(), 1, &[entry(7, &[because(6)])], &[]), list(&ca(), 2, &[], &[]));
    Scene::new(&[]).with(old.clone()).with(new.clone()).check(None);
    Scene::new(&[]).with(new).with(old).check(None);
    let (old, new) = (list(&ca(), 1, &[], &[]), list(&ca(), 2, &[entry(7, &[])], &[]));
    Scene::new(&[]).with(old).with(new).check(REVOKED);
}

#[test]
fn a_list_is_mute_when_something_critical_in_it_is_not_understood() {
    let odd = |critical| extension(ObjectIdentifier::new_unwrap("1.2.3.4"), critical, &[5, 0]);
    Scene::new(&[]).with(list(&ca(), 1, &[], &[odd(false)])).check(None);
    Scene::new(&[]).with(list(&ca(), 1, &[], &[odd(true)])).check(UNKNOWN);
    Scene::new(&[]).with(list(&ca(), 1, &[entry(8, &[odd(false)])], &[])).check(None);
    Scene::new(&[]).with(list(&ca(), 1, &[entry(8, &[odd(true)])], &[])).check(UNKNOWN);
}

#[test]
fn every_reason_must_be_covered_by_some_list() {
    // keyCompromise (1) and cACompromise (2) apart from the rest.
    let compromise = |entries: &[Vec<u8>]| list(&ca(), 1, entries, &[scope(&[reasons(3, 0x60)])]);
    let rest = |entries: &[Vec<u8>]| list(&ca(), 2, entries, &[scope(&[other_reasons(3)])]);
    let scene = || Scene::new(&[]);
    scene().with(compromise(&[])).check(UNKNOWN);
    scene().with(rest(&[])).check(UNKNOWN);
    scene().with(compromise(&[])).with(rest(&[])).check(None);
    scene().with(compromise(&[entry(7, &[because(1)])])).with(rest(&[])).check(REVOKED);
    scene().with(compromise(&[])).with(rest(&[entry(7, &[because(4)])])).check(REVOKED);
}

#[test]
fn the_reasons_of_a_point_limit_what_its_list_tells() {
    let name = || full(&party("Point", 0).dn());
    let named = |number| list(&ca(), number, &[], &[scope(&[name()])]);
    Scene::new(&[points(&[vec![name()]])]).with(named(1)).check(None);
    let partial = points(&[vec![name(), reasons(1, 0x60)]]);
    Scene::new(std::slice::from_ref(&partial)).with(named(1)).check(UNKNOWN);
    Scene::new(&[partial]).with(named(1)).with(list(&ca(), 2, &[], &[])).check(None);
    let both = points(&[vec![name(), reasons(1, 0x60)], vec![name(), other_reasons(1)]]);
    Scene::new(&[both]).with(named(1)).check(None);
}

#[test]
fn a_point_finds_its_list_by_a_relative_name() {
    let whole = write_name(&["CA", "Point"]);
    let list_with = |name: Vec<u8>| list(&ca(), 1, &[], &[scope(&[name])]);
    let scene = || Scene::new(&[points(&[vec![relative("Point")]])]);
    scene().with(list_with(relative("POINT "))).check(None);
    scene().with(list_with(full(&whole))).check(None);
    scene().with(list_with(relative("Other"))).check(UNKNOWN);
    Scene::new(&[points(&[vec![full(&whole)]])]).with(list_with(relative("Point"))).check(None);
    // Relative to the issuer of the list, which is another.
    let signer = party("Signer", 5);
    let point = points(&[vec![relative("Point"), crl_issuer(&signer)]]);
    let scope = scope(&[full(&write_name(&["Signer", "Point"])), indirect()]);
    Scene::new(&[point])
        .and(certificate(&party("Root", 1), &signer, 5, &list_signer()))
        .with(list(&signer, 1, &[], &[scope]))
        .check(None);
}

fn write_name(parts: &[&str]) -> Vec<u8> {
    let parts: Vec<_> = parts.iter().map(|part| attribute(part)).collect();
    crate::asn1::write::sequence(&parts)
}

#[test]
fn an_indirect_list_tells_of_the_issuers_it_names() {
    let (root, signer) = (party("Root", 1), party("Signer", 5));
    let certified = certificate(&root, &signer, 5, &list_signer());
    let point = || points(&[vec![crl_issuer(&signer)]]);
    let of = |entries: &[Vec<u8>]| list(&signer, 1, entries, &[scope(&[indirect()])]);
    let scene = || Scene::new(&[point()]).and(certified.clone());
    scene().with(of(&[])).check(None);
    scene().with(of(&[entry(7, &[of_issuer(&ca())])])).check(REVOKED);
    // Serial number 7 of the signer itself, and of another.
    scene().with(of(&[entry(7, &[])])).check(None);
    scene().with(of(&[entry(7, &[of_issuer(&root)])])).check(None);
    // The issuer holds until another is named.
    scene().with(of(&[entry(1, &[of_issuer(&ca())]), entry(7, &[])])).check(REVOKED);
    let back = [entry(1, &[of_issuer(&ca())]), entry(2, &[of_issuer(&root)]), entry(7, &[])];
    scene().with(of(&back)).check(None);
    // Not declared indirect; not named by the certificate; a signer nobody certified.
    scene().with(list(&signer, 1, &[], &[])).check(UNKNOWN);
    Scene::new(&[]).and(certified.clone()).with(of(&[])).check(UNKNOWN);
    Scene::new(&[point()]).with(of(&[])).check(UNKNOWN);
    // A direct list that speaks of other issuers is not to be understood.
    let odd = list(&ca(), 1, &[entry(7, &[of_issuer(&root)])], &[]);
    Scene::new(&[]).with(odd).check(UNKNOWN);
}

#[test]
fn a_signer_of_lists_must_be_good_itself() {
    let (root, signer) = (party("Root", 1), party("CA", 6));
    let scene = |extensions: &[Vec<u8>]| {
        Scene::new(&[]).and(certificate(&root, &signer, 6, extensions)).with(list(
            &signer,
            1,
            &[],
            &[],
        ))
    };
    scene(&list_signer()).check(None);
    scene(&[extension(crate::oid::KEY_USAGE, true, &[3, 2, 7, 0x80])]).check(UNKNOWN);
    let revoked = list(&root, 2, &[entry(6, &[])], &[]);
    scene(&list_signer()).with(revoked).check(UNKNOWN);
    // Its certificate is issued by the authority, so that only its own list tells of it.
    Scene::new(&[])
        .and(certificate(&ca(), &signer, 6, &list_signer()))
        .with(list(&signer, 1, &[], &[]))
        .check(UNKNOWN);
    // Two signers that vouch for each other.
    let (one, two) = (party("CA", 6), party("CA", 7));
    Scene::new(&[])
        .and(certificate(&ca(), &one, 6, &list_signer()))
        .and(certificate(&ca(), &two, 8, &list_signer()))
        .with(list(&one, 1, &[], &[]))
        .with(list(&two, 2, &[], &[]))
        .check(UNKNOWN);
}

#[test]
fn deltas_bring_a_list_up_to_date() {
    let base = |number, entries: &[Vec<u8>]| list(&ca(), number, entries, &[]);
    let delta = |number, of, entries: &[Vec<u8>]| list(&ca(), number, entries, &[delta_of(of)]);
    let hold = [entry(7, &[because(6)])];
    let remove = [entry(7, &[because(8)])];
    let scene = || Scene::new(&[]);
    scene().with(delta(2, 1, &[])).check(UNKNOWN);
    scene().with(base(1, &[])).with(delta(2, 1, &[entry(7, &[])])).check(REVOKED);
    scene().with(base(1, &hold)).with(delta(2, 1, &remove)).check(None);
    scene().with(base(1, &hold)).with(delta(2, 1, &[])).check(REVOKED);
    scene().with(base(1, &hold)).with(delta(2, 1, &remove)).with(delta(3, 1, &hold)).check(REVOKED);
    // A delta of a later base, of another scope, of another signer, or older than the list.
    scene().with(base(1, &hold)).with(delta(3, 2, &remove)).check(REVOKED);
    let scoped = list(&ca(), 2, &remove, &[delta_of(1), scope(&[reasons(3, 0x60)])]);
    scene().with(base(1, &hold)).with(scoped).check(REVOKED);
    let forged = list(&party("CA", 9), 2, &remove, &[delta_of(1)]);
    scene().with(base(1, &hold)).with(forged).check(REVOKED);
    scene().with(base(3, &hold)).with(delta(2, 1, &remove)).check(REVOKED);
}

#[test]
fn a_list_of_users_says_nothing_of_authorities() {
    let users = |issuer: &Party| list(issuer, 2, &[], &[scope(&[vec![0x81, 1, 0xFF]])]);
    let authorities = |issuer: &Party| list(issuer, 2, &[], &[scope(&[vec![0x82, 1, 0xFF]])]);
    Scene::new(&[]).with(users(&ca())).check(None);
    Scene::new(&[]).with(authorities(&ca())).check(UNKNOWN);
    let mut scene = Scene::new(&[]).with(users(&ca()));
    scene.lists[0] = users(&scene.root);
    scene.check(UNKNOWN);
    scene.lists[0] = authorities(&scene.root);
    scene.check(None);
}

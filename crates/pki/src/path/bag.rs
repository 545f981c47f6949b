//! The certificates and lists of a question, sorted for the search: who bears which name and key.

use std::collections::{HashMap, HashSet};

use super::Question;
use super::certificate::Foreign;
use super::list::List;
use super::name::DistinguishedName;

/// A certificate in the bag.
#[derive(Debug)]
pub(crate) struct Held {
    /// Its number, apart for anchors and other certificates.
    pub(crate) id: usize,
    /// The number of its subject: name and key.
    pub(crate) holder: usize,
    pub(crate) certificate: Foreign,
}

/// A name together with a key: what signs, whatever certificate says so. Any number of certificates
/// for the same name and key are one holder, so that they cannot multiply the work.
#[derive(Debug)]
pub(crate) struct Holder {
    pub(crate) id: usize,
    /// SubjectPublicKeyInfo, DER.
    pub(crate) key: Vec<u8>,
    /// The certificates, by number.
    pub(crate) certificates: Vec<usize>,
    /// The anchors, by number.
    pub(crate) anchors: Vec<usize>,
    /// The key identifiers its certificates give it.
    marks: Vec<Vec<u8>>,
}

impl Holder {
    /// Whether a key identifier speaks for this holder.
    pub(crate) fn bears(&self, mark: Option<&Vec<u8>>) -> bool {
        mark.is_some_and(|mark| self.marks.contains(mark))
    }
}

/// A list in the bag.
#[derive(Debug)]
pub(crate) struct HeldList {
    pub(crate) id: usize,
    pub(crate) list: List,
}

/// All there is.
#[derive(Debug)]
pub(crate) struct Bag {
    leaf: Held,
    others: Vec<Held>,
    anchors: Vec<Held>,
    holders: Vec<Holder>,
    by_name: HashMap<DistinguishedName, Vec<usize>>,
    lists: Vec<HeldList>,
}

impl Bag {
    pub(crate) fn new(question: &Question<'_>, leaf: Foreign) -> Self {
        let mut people = People::default();
        let mut seen = HashSet::from([leaf.der.clone()]);
        let leaf = people.hold(0, leaf, Role::Subject);
        let mut others = Vec::new();
        for der in question.intermediates {
            if seen.insert(der.clone())
                && let Ok(certificate) = Foreign::read(der)
            {
                others.push(people.hold(others.len() + 1, certificate, Role::Subject));
            }
        }
        let mut anchors = Vec::new();
        for certificate in question.anchors.iter().filter_map(|der| Foreign::read(der).ok()) {
            anchors.push(people.hold(anchors.len(), certificate, Role::Anchor));
        }
        let People { holders, by_name, .. } = people;
        Self { leaf, others, anchors, holders, by_name, lists: sorted(question.crls) }
    }

    pub(crate) fn leaf(&self) -> &Held {
        &self.leaf
    }

    pub(crate) fn certificate(&self, id: usize) -> Option<&Held> {
        match id.checked_sub(1) {
            None => Some(&self.leaf),
            Some(index) => self.others.get(index),
        }
    }

    pub(crate) fn anchors(&self) -> &[Held] {
        &self.anchors
    }

    pub(crate) fn anchor(&self, id: usize) -> Option<&Held> {
        self.anchors.get(id)
    }

    pub(crate) fn holder(&self, id: usize) -> Option<&Holder> {
        self.holders.get(id)
    }

    /// The certificates of a holder.
    pub(crate) fn certificates_of(&self, holder: usize) -> impl Iterator<Item = &Held> {
        let ids = self.holder(holder).map_or(&[][..], |holder| &holder.certificates);
        ids.iter().filter_map(|id| self.certificate(*id))
    }

    /// Everyone of this name, those first whom the key identifier points to.
    pub(crate) fn named(&self, name: &DistinguishedName, mark: Option<&Vec<u8>>) -> Vec<&Holder> {
        let ids = self.by_name.get(name).map_or(&[][..], Vec::as_slice);
        let mut found: Vec<_> = ids.iter().filter_map(|id| self.holders.get(*id)).collect();
        found.sort_by_key(|holder| !holder.bears(mark));
        found
    }

    /// The lists, newest first.
    pub(crate) fn lists(&self) -> &[HeldList] {
        &self.lists
    }
}

/// The readable lists, newest first, by date and then by number.
fn sorted(crls: &[Vec<u8>]) -> Vec<HeldList> {
    let mut lists: Vec<List> = crls.iter().filter_map(|der| List::read(der).ok()).collect();
    lists.sort_by(|a, b| {
        let number =
            |list: &List| list.number.as_ref().map(|number| (number.len(), number.clone()));
        (b.this_update, number(b)).cmp(&(a.this_update, number(a)))
    });
    lists.into_iter().enumerate().map(|(id, list)| HeldList { id, list }).collect()
}

#[derive(Clone, Copy)]
enum Role {
    Anchor,
    Subject,
}

#[derive(Default)]
struct People {
    holders: Vec<Holder>,
    by_name: HashMap<DistinguishedName, Vec<usize>>,
    by_key: HashMap<(DistinguishedName, Vec<u8>), usize>,
}

impl People {
    fn hold(&mut self, id: usize, certificate: Foreign, role: Role) -> Held {
        let holder = self.holder_of(&certificate);
        if let Some(known) = self.holders.get_mut(holder) {
            match role {
                Role::Anchor => known.anchors.push(id),
                Role::Subject => known.certificates.push(id),
            }
            known.marks.extend(certificate.extensions.subject_key.clone());
        }
        Held { id, holder, certificate }
    }

    fn holder_of(&mut self, certificate: &Foreign) -> usize {
        let place = (certificate.subject.clone(), certificate.key.clone());
        if let Some(known) = self.by_key.get(&place) {
            return *known;
        }
        let id = self.holders.len();
        self.holders.push(Holder {
            id,
            key: certificate.key.clone(),
            certificates: Vec::new(),
            anchors: Vec::new(),
            marks: Vec::new(),
        });
        self.by_name.entry(certificate.subject.clone()).or_default().push(id);
        self.by_key.insert(place, id);
        id
    }
}

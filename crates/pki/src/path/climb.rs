//! Building paths from the target up to an anchor, depth first, the nearest anchor first.
//!
//! Before the first step the part of the bag from which the target can be reached is surveyed:
//! every signature once, and how far each holder is from an anchor. What leads nowhere is never
//! tried; rings are no trap, because a path passes each holder once.

use std::collections::{HashMap, HashSet, VecDeque};

use super::bag::Held;
use super::search::{Halt, Quest, Search, Signer};
use super::walk::issuer_fault;
use super::{Fault, Reason, ValidPath};

/// The longest path in certificates. The standard knows no limit; no path of this world comes near.
const LONGEST: usize = 100;

/// One search.
#[derive(Debug)]
pub(crate) struct Climb<'s, 'q> {
    search: &'s mut Search<'q>,
    quest: Quest<'q>,
    /// The certificates of each holder that may stand in a path, nearest to an anchor first.
    parents: HashMap<usize, Vec<&'q Held>>,
    /// The target first.
    path: Vec<&'q Held>,
    passed: Vec<usize>,
    best: Option<Fault>,
}

impl<'s, 'q> Climb<'s, 'q> {
    /// Surveys the bag.
    pub(crate) fn new(search: &'s mut Search<'q>, quest: Quest<'q>) -> Result<Self, Halt> {
        let path = vec![quest.target];
        let parents = HashMap::new();
        let mut climb = Self { search, quest, parents, path, passed: Vec::new(), best: None };
        climb.survey()?;
        Ok(climb)
    }

    /// Tries the paths; the fault is that of the path that got furthest.
    pub(crate) fn run(mut self) -> Result<ValidPath, Halt> {
        match self.climb()? {
            Some(path) => Ok(path),
            None => Err(Halt::Fault(self.best.take().unwrap_or_else(|| {
                Fault::new(Reason::NoAnchor, &self.quest.target.certificate.line)
            }))),
        }
    }

    fn note(&mut self, fault: Fault) {
        if self.best.as_ref().is_none_or(|best| best.reason < fault.reason) {
            self.best = Some(fault);
        }
    }

    fn survey(&mut self) -> Result<(), Halt> {
        let bag = self.search.bag;
        let mut signed: Vec<(&'q Held, usize)> = Vec::new();
        let mut queue = VecDeque::from([self.quest.target]);
        let mut reached = HashSet::new();
        while let Some(held) = queue.pop_front() {
            self.search.step(1)?;
            match self.search.signer(held)? {
                Signer::Known(holder) => {
                    signed.push((held, holder));
                    if reached.insert(holder) {
                        queue.extend(bag.certificates_of(holder));
                    }
                }
                Signer::Nobody(reason) => self.note(Fault::new(reason, &held.certificate.line)),
            }
        }
        let distances = self.distances(&signed);
        self.sort(&signed, &distances);
        Ok(())
    }

    /// How many certificates lie between an anchor and each holder.
    fn distances(&self, signed: &[(&'q Held, usize)]) -> HashMap<usize, usize> {
        let mut below: HashMap<usize, Vec<usize>> = HashMap::new();
        for (held, signer) in signed {
            below.entry(*signer).or_default().push(held.holder);
        }
        let anchors = self.search.bag.anchors().iter();
        let anchors = anchors.filter(|held| self.quest.anchor.is_none_or(|id| id == held.id));
        let mut queue: VecDeque<(usize, usize)> = anchors.map(|held| (held.holder, 0)).collect();
        let mut distances = HashMap::new();
        while let Some((holder, distance)) = queue.pop_front() {
            if distances.contains_key(&holder) {
                continue;
            }
            distances.insert(holder, distance);
            queue.extend(below.get(&holder).into_iter().flatten().map(|id| (*id, distance + 1)));
        }
        distances
    }

    /// Keeps the certificates that may stand in a path and from which an anchor can be reached.
    fn sort(&mut self, signed: &[(&'q Held, usize)], distances: &HashMap<usize, usize>) {
        let mut near: Vec<_> = signed
            .iter()
            .filter_map(|(held, signer)| Some((*distances.get(signer)?, *held)))
            .collect();
        near.sort_by_key(|(distance, held)| (*distance, held.id));
        for (_, held) in near.into_iter().filter(|(_, held)| held.id != self.quest.target.id) {
            match issuer_fault(held, self.search.question.at) {
                Some(fault) => self.note(fault),
                None => self.parents.entry(held.holder).or_default().push(held),
            }
        }
    }

    fn climb(&mut self) -> Result<Option<ValidPath>, Halt> {
        let Some(top) = self.path.last() else { return Ok(None) };
        let Signer::Known(holder) = self.search.signer(top)? else { return Ok(None) };
        if let Some(found) = self.try_anchors(holder)? {
            return Ok(Some(found));
        }
        if self.path.len() >= LONGEST || self.passed.contains(&holder) {
            return Ok(None);
        }
        self.passed.push(holder);
        let parents = self.parents.get(&holder).cloned().unwrap_or_default();
        for parent in parents {
            self.search.step(1)?;
            self.path.push(parent);
            let found = self.climb()?;
            self.path.pop();
            if found.is_some() {
                return Ok(found);
            }
        }
        self.passed.pop();
        Ok(None)
    }

    /// Judges the path from each anchor of this holder.
    fn try_anchors(&mut self, holder: usize) -> Result<Option<ValidPath>, Halt> {
        let bag = self.search.bag;
        let ids = bag.holder(holder).map_or(&[][..], |holder| &holder.anchors);
        let ids = ids.iter().filter(|id| self.quest.anchor.is_none_or(|only| only == **id));
        for anchor in ids.filter_map(|id| bag.anchor(*id)).collect::<Vec<_>>() {
            match self.search.walk(anchor, &self.path, &self.quest) {
                Ok(found) => return Ok(Some(found)),
                Err(halt @ (Halt::Spent | Halt::Final(_))) => return Err(halt),
                Err(Halt::Fault(fault)) => self.note(fault),
            }
        }
        Ok(None)
    }
}

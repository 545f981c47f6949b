//! Looks at every list that is believed, and at those they point at.
//!
//! A look ends in one of three ways: what is in force is confirmed; a newer list takes its place as
//! a new snapshot; or something is wrong, which is recorded and told once, while what was in force
//! stays. Looks may run twice. No transaction is open while anything is fetched.

use std::collections::BTreeMap;

use tenkoku_domain::access::{Origin, Permit, PublishList};
use tenkoku_domain::audit::{Event, FollowedEvent, FollowedStep};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::followed::{
    FollowedList, ListCode, ListFault, ListProblem, ListSource, ListTrust, Snapshot, SnapshotHead,
    Succession, check_location, succession,
};
use tenkoku_domain::id::SnapshotId;
use tenkoku_domain::time::Timestamp;
use tenkoku_fetch::{Document, Fetched, Validators, Web};
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};
use tenkoku_tsl::model::{NextUpdate, Pointer, TrustedList};
use tenkoku_tsl::verify::{VerifiedList, verify};

use crate::beside;
use crate::judge::{Ground, Judged, Trouble, judge_pointed};

/// Why lists could not be looked at. What is wrong with one list is no error, but a record.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What came of the looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// Lists that were looked at.
    pub looked: usize,
    /// Lists that were taken anew.
    pub taken: usize,
    /// Lists with which something is wrong.
    pub troubled: usize,
}

impl Refreshed {
    /// The counts by name, for the record of the run.
    pub fn counts(self) -> BTreeMap<String, usize> {
        let named = [("looked", self.looked), ("taken", self.taken), ("troubled", self.troubled)];
        named.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
    }
}

/// Looks at every list that is believed and not ended, and at the lists they point at.
///
/// # Errors
/// [`RefreshError`] when the store fails; a list that fails is recorded and does not stop the others.
pub fn refresh_lists(
    env: &Env,
    permit: &Permit<PublishList>,
    web: &Web,
) -> Result<Refreshed, RefreshError> {
    let sources = env.store.read(|tx| tx.list_list_sources())?;
    let mut run = Run { env, origin: permit.origin(), web, done: Refreshed::default() };
    for source in sources.iter().filter(|source| source.ended_at.is_none()) {
        run.source(source)?;
    }
    Ok(run.done)
}

/// One round of looks.
struct Run<'r> {
    env: &'r Env,
    origin: &'r Origin,
    web: &'r Web,
    done: Refreshed,
}

/// What a look brought, before it is compared with what is in force.
struct Look {
    copy: Copy,
    judged: Judged,
}

/// A document as it is at its address.
struct Copy {
    octets: Vec<u8>,
    validators: Validators,
    /// Whether the server sent it, and did not merely say that nothing changed.
    sent: bool,
}

/// A former list of lists on the way to the journal.
struct Pivot {
    octets: Vec<u8>,
    new: bool,
}

impl Run<'_> {
    fn source(&mut self, source: &ListSource) -> Result<(), RefreshError> {
        let found = self.env.store.read(|tx| tx.find_followed(&source.code))?;
        let Some(list) = found else { return Ok(()) };
        let look = match Ground::of(&source.trust) {
            Ok(ground) => self.look_at_source(&list, &ground)?,
            Err(trouble) => Err(trouble),
        };
        let moved = look.as_ref().ok().and_then(|look| look.judged.location.clone());
        let Some(in_force) = self.settle(list, look)? else { return Ok(()) };
        self.follow_move(&source.code, moved)?;
        if matches!(source.trust, ListTrust::Journal { .. }) {
            self.pointers(&source.code, &in_force)?;
        }
        Ok(())
    }

    fn look_at_source(
        &self,
        list: &FollowedList,
        ground: &Ground,
    ) -> Result<Result<Look, Trouble>, StoreError> {
        let copy = match self.fetch(list)? {
            Ok(fetched) => fetched,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let needed = match ground.pivots(&copy.octets) {
            Ok(needed) => needed,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let pivots = match self.pivots(&list.code, needed)? {
            Ok(pivots) => pivots,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let kept = |address: &str| pivots.get(address).map(|pivot| pivot.octets.as_slice());
        let judged = ground.judge(&copy.octets, kept, self.env.clock.now());
        if judged.is_ok() {
            self.keep_pivots(&list.code, pivots)?;
        }
        Ok(judged.map(|judged| Look { copy, judged }))
    }

    /// The document, from the web or, when it did not change, as it was kept.
    fn fetch(&self, list: &FollowedList) -> Result<Result<Copy, Trouble>, StoreError> {
        // With a list in trouble nothing is taken for known: the document itself is looked at.
        let known = match (&list.fault, &list.snapshot) {
            (None, Some(_)) => {
                Validators { etag: list.etag.clone(), last_modified: list.last_modified.clone() }
            }
            _ => Validators::default(),
        };
        match (self.web.fetch(&list.location, &known), &list.snapshot) {
            (Ok(Fetched::Document(Document { octets, validators, .. })), _) => {
                Ok(Ok(Copy { octets, validators, sent: true }))
            }
            (Ok(Fetched::Unchanged), Some(snapshot)) => {
                let snapshot = self.env.store.read(|tx| tx.load_snapshot(snapshot))?;
                Ok(Ok(Copy { octets: snapshot.xml, validators: known, sent: false }))
            }
            (Ok(Fetched::Unchanged), None) => Ok(Err(Trouble::new(
                ListProblem::Unreachable,
                "the server says that nothing changed, and nothing was known",
            ))),
            (Err(error), _) => Ok(Err(error.into())),
        }
    }

    /// The pivots at these addresses, from the store or the web.
    fn pivots(
        &self,
        source: &ListCode,
        needed: Vec<String>,
    ) -> Result<Result<BTreeMap<String, Pivot>, Trouble>, StoreError> {
        let mut all = BTreeMap::new();
        for address in needed {
            let kept = self.env.store.read(|tx| tx.find_pivot(source, &address))?;
            let pivot = match kept {
                Some(octets) => Pivot { octets, new: false },
                None => match self.fetch_pivot(&address) {
                    Ok(octets) => Pivot { octets, new: true },
                    Err(trouble) => return Ok(Err(trouble)),
                },
            };
            all.insert(address, pivot);
        }
        Ok(Ok(all))
    }

    /// Pivots never change, so each is fetched once; it is kept when the chain it is part of held, so
    /// that nobody leaves a false one behind.
    fn keep_pivots(
        &self,
        source: &ListCode,
        pivots: BTreeMap<String, Pivot>,
    ) -> Result<(), StoreError> {
        for (address, pivot) in pivots.into_iter().filter(|(_, pivot)| pivot.new) {
            let (source, xml) = (source.clone(), pivot.octets);
            self.record(FollowedEvent::PivotKept { source, address, xml })?;
        }
        Ok(())
    }

    fn fetch_pivot(&self, address: &str) -> Result<Vec<u8>, Trouble> {
        let broken = |why: String| {
            Trouble::new(ListProblem::Pivot, format!("the pivot {address} is not there: {why}"))
        };
        let fetched = self.web.fetch(address, &Validators::default());
        match fetched.map_err(|error| broken(error.to_string()))? {
            Fetched::Document(document) => Ok(document.octets),
            Fetched::Unchanged => Err(broken("the server sends nothing".to_owned())),
        }
    }

    /// Records what a look brought, and gives the list that is in force then.
    fn settle(
        &mut self,
        list: FollowedList,
        look: Result<Look, Trouble>,
    ) -> Result<Option<TrustedList>, RefreshError> {
        self.done.looked += 1;
        let now = self.env.clock.now();
        let in_force = match &list.snapshot {
            None => None,
            Some(id) => self.env.store.read(|tx| tx.find_snapshot_head(id))?,
        };
        let outcome = look.and_then(|look| {
            let sequence = sequence(&look.judged.verified);
            let digest = Digest::of(&look.copy.octets);
            let next = succession(in_force.as_ref(), sequence, &digest).map_err(|problem| {
                let before = in_force.as_ref().map_or(0, |before| before.sequence);
                let found = format!("sequence {sequence} was found, {before} is in force");
                Trouble::new(problem, found)
            })?;
            Ok((look, next, digest))
        });
        match outcome {
            Err(trouble) => {
                self.done.troubled += 1;
                self.trouble(list, trouble, now)?;
                self.kept(in_force.as_ref())
            }
            Ok((look, next, digest)) => {
                let Look { copy: Copy { octets, validators, sent }, judged } = look;
                let beside = || if sent { self.beside(&list, &digest) } else { None };
                let warning = judged.warning.or_else(beside);
                let mut list = list;
                list.checked_at = Some(now);
                list.confirmed_at = Some(now);
                list.etag = validators.etag;
                list.last_modified = validators.last_modified;
                let snapshot = (next == Succession::Next)
                    .then(|| self.snapshot(&list, &judged.verified, (octets, digest), now));
                if let Some(snapshot) = snapshot {
                    self.done.taken += 1;
                    list.snapshot = Some(snapshot.head.id.clone());
                    let cleared = FollowedList { fault: None, ..list.clone() };
                    self.step(cleared, FollowedStep::Taken, Some(snapshot))?;
                }
                match warning {
                    Some(warning) => {
                        self.done.troubled += 1;
                        self.trouble(list, warning, now)?;
                    }
                    None => self.clear(list)?,
                }
                Ok(Some(judged.verified.into_list()))
            }
        }
    }

    /// Compares the digest that lies beside a list with the list, where there is one. It proves
    /// nothing, so the list counts all the same.
    fn beside(&self, list: &FollowedList, digest: &Digest) -> Option<Trouble> {
        let address = beside::address(&list.location)?;
        let Ok(Fetched::Document(found)) = self.web.fetch(&address, &Validators::default()) else {
            return None;
        };
        let said = beside::read(&found.octets).filter(|said| said != digest)?;
        let detail = format!("{address} says {said}, the list has {digest}");
        Some(Trouble::new(ListProblem::Digest, detail))
    }

    /// What was in force before, read again from its snapshot.
    fn kept(&self, in_force: Option<&SnapshotHead>) -> Result<Option<TrustedList>, RefreshError> {
        let Some(head) = in_force else { return Ok(None) };
        let snapshot = self.env.store.read(|tx| tx.load_snapshot(&head.id))?;
        Ok(verify(&snapshot.xml).ok().map(VerifiedList::into_list))
    }

    fn snapshot(
        &self,
        list: &FollowedList,
        verified: &VerifiedList,
        (xml, digest): (Vec<u8>, Digest),
        now: Timestamp,
    ) -> Snapshot {
        let scheme = &verified.list().scheme;
        let head = SnapshotHead {
            id: SnapshotId::new(now, &*self.env.entropy),
            list: list.code.clone(),
            address: list.location.clone(),
            sequence: sequence(verified),
            issued_at: scheme.issue,
            next_update: match scheme.next_update {
                NextUpdate::By(at) => Some(at),
                NextUpdate::Closed => None,
            },
            signer: Digest::of(verified.signer().der()),
            digest,
            taken_at: now,
        };
        Snapshot { head, xml }
    }

    /// Something is wrong. The same that was wrong before is not told again.
    fn trouble(
        &self,
        mut list: FollowedList,
        trouble: Trouble,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        list.checked_at = Some(now);
        let since = match &list.fault {
            Some(before) if before.problem == trouble.problem => Some(before.since),
            Some(_) | None => None,
        };
        let known = since.is_some();
        list.fault = Some(ListFault::new(trouble.problem, trouble.detail, since.unwrap_or(now)));
        if known {
            return self.note(&list);
        }
        self.step(list, FollowedStep::Troubled, None)
    }

    /// Nothing is wrong.
    fn clear(&self, mut list: FollowedList) -> Result<(), StoreError> {
        if list.fault.take().is_some() {
            return self.step(list, FollowedStep::Recovered, None);
        }
        self.note(&list)
    }

    /// A look that changed nothing.
    fn note(&self, list: &FollowedList) -> Result<(), StoreError> {
        self.env.store.write(|tx| if still_counts(tx, list)? { tx.note_look(list) } else { Ok(()) })
    }

    /// A list of lists that is good says where it is; the next look goes there (TS 119 615, 4.1).
    fn follow_move(&self, code: &ListCode, said: Option<String>) -> Result<(), StoreError> {
        let Some(location) = said.filter(|location| check_location(location).is_ok()) else {
            return Ok(());
        };
        let list = self.env.store.read(|tx| tx.find_followed(code))?;
        match list {
            Some(list) if list.location != location => {
                let moved = FollowedList { location, etag: None, last_modified: None, ..list };
                self.step(moved, FollowedStep::Moved, None)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The lists that a list of lists points at: each is looked at, new ones are announced, and those
    /// that are pointed at no more are dropped.
    fn pointers(&mut self, source: &ListCode, lists: &TrustedList) -> Result<(), RefreshError> {
        let mut known: BTreeMap<ListCode, FollowedList> = self
            .env
            .store
            .read(|tx| tx.list_followed())?
            .into_iter()
            .filter(|list| list.source == *source && !list.is_source())
            .map(|list| (list.code.clone(), list))
            .collect();
        for (code, territory, pointer) in announced(source, lists) {
            let location = pointer.location.to_string();
            let list = match known.remove(&code) {
                Some(list) if list.dropped_at.is_none() && list.location == location => list,
                Some(list) => {
                    let list = FollowedList {
                        location,
                        territory: Some(territory),
                        etag: None,
                        last_modified: None,
                        dropped_at: None,
                        ..list
                    };
                    self.step(list.clone(), FollowedStep::Moved, None)?;
                    list
                }
                None => {
                    let list = FollowedList::new(code, source.clone(), location, Some(territory));
                    self.step(list.clone(), FollowedStep::Announced, None)?;
                    list
                }
            };
            let look = self.fetch(&list)?.and_then(|copy| {
                let judged = judge_pointed(&copy.octets, pointer, self.env.clock.now())?;
                Ok(Look { copy, judged })
            });
            self.settle(list, look)?;
        }
        for list in known.into_values().filter(|list| list.dropped_at.is_none()) {
            let dropped = FollowedList { dropped_at: Some(self.env.clock.now()), ..list };
            self.step(dropped, FollowedStep::Dropped, None)?;
        }
        Ok(())
    }

    fn step(
        &self,
        list: FollowedList,
        step: FollowedStep,
        snapshot: Option<Snapshot>,
    ) -> Result<(), StoreError> {
        let now = self.env.clock.now();
        let snapshot = snapshot.map(Box::new);
        self.env.store.write(|tx| {
            if still_counts(tx, &list)? {
                let list = Box::new(list);
                let event = Event::Followed(FollowedEvent::Step { list, step, snapshot });
                tx.record(self.origin, now, &event)?;
            }
            Ok(())
        })
    }

    fn record(&self, event: FollowedEvent) -> Result<(), StoreError> {
        let now = self.env.clock.now();
        self.env.store.write(|tx| tx.record(self.origin, now, &Event::Followed(event)))?;
        Ok(())
    }
}

/// Whether people still believe the source of a list; they may have ended it while it was fetched.
fn still_counts(tx: &mut Tx<'_>, list: &FollowedList) -> Result<bool, StoreError> {
    tx.lock_followed(&list.source)?;
    let source = tx.find_list_source(&list.source)?;
    Ok(source.is_some_and(|source| source.ended_at.is_none()))
}

/// The lists that a list of lists points at for machines, by the codes they get here. What points at
/// the list itself or at no territory is none of them.
fn announced<'l>(
    source: &ListCode,
    lists: &'l TrustedList,
) -> Vec<(ListCode, String, &'l Pointer)> {
    let own = &lists.scheme;
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut all = Vec::new();
    for pointer in own.pointers.iter().filter(|pointer| pointer.is_for_machines()) {
        let Some(territory) = pointer.territory().map(ToString::to_string) else { continue };
        let itself =
            territory == own.territory.as_str() && pointer.list_type() == Some(&own.list_type);
        if itself {
            continue;
        }
        let number = numbers.entry(territory.clone()).or_default();
        *number += 1;
        if let Ok(code) = source.of_territory(&territory, *number) {
            all.push((code, territory, pointer));
        }
    }
    all
}

fn sequence(verified: &VerifiedList) -> i64 {
    i64::try_from(verified.list().scheme.sequence_number).unwrap_or(i64::MAX)
}

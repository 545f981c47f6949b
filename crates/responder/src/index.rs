//! The status of every certificate of one authority, in memory: exact, and about 17 octets for each.
//!
//! A sorted segment holds almost everything: 16 octets of serial number and one of state, found
//! through buckets of 64. What changed since the segment was made lies in a small map beside it and
//! is merged into a new segment when it has grown. When and why a certificate was revoked is kept
//! for revoked ones only. Deliberately not here: where changes come from, and who reads them.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use tenkoku_domain::revocation::ReasonCode;
use tenkoku_domain::time::Timestamp;

/// Serial numbers in one bucket, on average.
const BUCKET: usize = 64;
/// Most buckets of one segment.
const MOST_BUCKETS: usize = 1 << 16;
/// Changes that are kept beside the segment at least before both are merged.
const LEAST_BESIDE: usize = 4096;

/// A serial number as the index compares it: at most 20 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SerialKey {
    high: u32,
    low: u128,
}

impl SerialKey {
    /// From the octets of a positive number, leading zeros allowed. `None` for zero, for a negative
    /// number in the content of an INTEGER, and for more than 20 octets (RFC 5280, 4.1.2.2).
    pub fn of(octets: &[u8]) -> Option<Self> {
        if octets.len() > 20 {
            return None;
        }
        let (high, low) = octets.split_at(octets.len().saturating_sub(16));
        let high = high.iter().fold(0_u32, |sum, octet| (sum << 8) | u32::from(*octet));
        let low = low.iter().fold(0_u128, |sum, octet| (sum << 8) | u128::from(*octet));
        (high != 0 || low != 0).then_some(Self { high, low })
    }

    /// The octets of the number, without leading zeros.
    pub(crate) fn octets(self) -> Vec<u8> {
        let all = [&self.high.to_be_bytes()[..], &self.low.to_be_bytes()[..]].concat();
        all.into_iter().skip_while(|octet| *octet == 0).collect()
    }

    /// A number that spreads serial numbers evenly. Who may choose serial numbers can foresee it.
    pub(crate) fn spread(self, salt: u32) -> usize {
        let folded = (self.low ^ (self.low >> 64)) & u128::from(u64::MAX);
        let mixed = (folded ^ u128::from(salt)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        usize::try_from(mixed & u128::from(u32::MAX)).unwrap_or_default()
    }
}

/// What is known about a certificate that was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Neither revoked nor on hold.
    Good,
    /// Revoked or on hold.
    Revoked {
        /// The reason.
        reason: ReasonCode,
        /// The revocation date.
        at: Timestamp,
    },
}

/// The octet of a state: 0 for good, else the place of the reason, from 1.
fn octet_of(reason: ReasonCode) -> u8 {
    let place = ReasonCode::ALL.iter().position(|known| *known == reason).unwrap_or_default();
    u8::try_from(place + 1).unwrap_or(u8::MAX)
}

fn reason_of(octet: u8) -> Option<ReasonCode> {
    ReasonCode::ALL.get(usize::from(octet).checked_sub(1)?).copied()
}

/// Everything up to some change, sorted and packed.
#[derive(Debug, Default)]
struct Segment {
    serials: Vec<u128>,
    states: Vec<u8>,
    /// Where each bucket begins; one more at the end.
    buckets: Vec<u32>,
    /// The places of the revoked, rising, and when they were revoked, in milliseconds.
    revoked: Vec<u32>,
    revoked_at: Vec<i64>,
    /// Serial numbers of more than 16 octets, which this platform does not make.
    long: BTreeMap<SerialKey, Known>,
}

impl Segment {
    fn with_capacity(serials: usize, revoked: usize) -> Self {
        Self {
            serials: Vec::with_capacity(serials),
            states: Vec::with_capacity(serials),
            revoked: Vec::with_capacity(revoked),
            revoked_at: Vec::with_capacity(revoked),
            ..Self::default()
        }
    }

    fn len(&self) -> usize {
        self.serials.len() + self.long.len()
    }

    /// The bucket of a serial number: its upper half, scaled to what this segment spans.
    fn bucket(&self, serial: u128, buckets: usize) -> usize {
        let (Some(first), Some(last)) = (self.serials.first(), self.serials.last()) else {
            return 0;
        };
        let (first, last, at) = (first >> 64, last >> 64, serial >> 64);
        let scaled = at.saturating_sub(first) * u128::try_from(buckets).unwrap_or(1);
        let bucket = scaled / (last - first + 1);
        usize::try_from(bucket).unwrap_or(usize::MAX).min(buckets.saturating_sub(1))
    }

    fn find(&self, serial: u128) -> Option<usize> {
        let count = self.buckets.len().checked_sub(1)?;
        let bucket = self.bucket(serial, count);
        let begin = usize::try_from(*self.buckets.get(bucket)?).ok()?;
        let end = usize::try_from(*self.buckets.get(bucket + 1)?).ok()?;
        self.serials.get(begin..end)?.binary_search(&serial).ok().map(|place| begin + place)
    }

    fn get(&self, serial: SerialKey) -> Option<Known> {
        if serial.high != 0 {
            return self.long.get(&serial).copied();
        }
        self.known(self.find(serial.low)?)
    }

    fn known(&self, place: usize) -> Option<Known> {
        let Some(reason) = reason_of(*self.states.get(place)?) else { return Some(Known::Good) };
        let place = u32::try_from(place).ok()?;
        let at = *self.revoked_at.get(self.revoked.binary_search(&place).ok()?)?;
        Some(Known::Revoked { reason, at: Timestamp::from_millis(at) })
    }

    fn push(&mut self, serial: u128, known: Known) {
        let place = u32::try_from(self.serials.len()).unwrap_or(u32::MAX);
        self.serials.push(serial);
        match known {
            Known::Good => self.states.push(0),
            Known::Revoked { reason, at } => {
                self.states.push(octet_of(reason));
                self.revoked.push(place);
                self.revoked_at.push(at.millis());
            }
        }
    }

    /// Notes where the buckets begin, once everything is there.
    fn close(mut self) -> Self {
        let count = (self.serials.len() / BUCKET).clamp(1, MOST_BUCKETS);
        let mut buckets = Vec::with_capacity(count + 1);
        for (place, serial) in self.serials.iter().enumerate() {
            let bucket = self.bucket(*serial, count);
            while buckets.len() <= bucket {
                buckets.push(u32::try_from(place).unwrap_or(u32::MAX));
            }
        }
        let end = u32::try_from(self.serials.len()).unwrap_or(u32::MAX);
        buckets.resize(count + 1, end);
        self.buckets = buckets;
        self
    }

    /// A new segment with changes put in; `changes` is sorted, each serial number once.
    fn merged(&self, changes: impl Iterator<Item = (SerialKey, Known)>, count: usize) -> Self {
        let mut new =
            Self::with_capacity(self.serials.len() + count, self.revoked.len() + count.min(64));
        new.long.clone_from(&self.long);
        let mut place = 0;
        for (serial, known) in changes {
            if serial.high != 0 {
                new.long.insert(serial, known);
                continue;
            }
            place = self.copy_until(place, Some(serial.low), &mut new);
            if self.serials.get(place) == Some(&serial.low) {
                place += 1;
            }
            new.push(serial.low, known);
        }
        self.copy_until(place, None, &mut new);
        new.serials.shrink_to_fit();
        new.states.shrink_to_fit();
        new.revoked.shrink_to_fit();
        new.revoked_at.shrink_to_fit();
        new.close()
    }

    /// Copies what lies before a serial number, or all the rest, from a place on; gives the place
    /// reached.
    fn copy_until(&self, from: usize, serial: Option<u128>, new: &mut Self) -> usize {
        let rest = self.serials.get(from..).unwrap_or_default();
        let count = serial.map_or(rest.len(), |end| rest.partition_point(|known| *known < end));
        let to = from + count;
        let place = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
        let first = self.revoked.partition_point(|revoked| *revoked < place(from));
        let last = self.revoked.partition_point(|revoked| *revoked < place(to));
        let moved = |revoked: &u32| revoked - place(from) + place(new.serials.len());
        new.revoked.extend(self.revoked.get(first..last).unwrap_or_default().iter().map(moved));
        new.revoked_at.extend_from_slice(self.revoked_at.get(first..last).unwrap_or_default());
        new.serials.extend_from_slice(self.serials.get(from..to).unwrap_or_default());
        new.states.extend_from_slice(self.states.get(from..to).unwrap_or_default());
        to
    }

    fn octets(&self) -> usize {
        self.serials.capacity() * 16
            + self.states.capacity()
            + self.buckets.capacity() * 4
            + self.revoked.capacity() * 4
            + self.revoked_at.capacity() * 8
            + self.long.len() * 64
    }
}

/// A segment and what changed since it was made.
#[derive(Debug, Default)]
struct Parts {
    segment: Arc<Segment>,
    beside: BTreeMap<SerialKey, Known>,
}

/// The status of every certificate of one authority.
///
/// Readers never wait for more than the insertion of one page of changes or the exchange of a
/// pointer: a new segment is made aside, then put in place of both the old one and the changes
/// beside it. A lock that is held for nanoseconds is enough here, because answers in the cache are
/// given without looking into the index at all. Writers are the caller's matter: one at a time.
#[derive(Debug, Default)]
pub struct StatusIndex {
    parts: RwLock<Parts>,
}

impl StatusIndex {
    /// What is known about a serial number; `None` when it was never issued.
    pub fn get(&self, serial: SerialKey) -> Option<Known> {
        let parts = self.parts.read().unwrap_or_else(PoisonError::into_inner);
        parts.beside.get(&serial).copied().or_else(|| parts.segment.get(serial))
    }

    /// Puts changes in, the later of two for one serial number being the one that counts. Readers
    /// see all of them or none.
    pub fn apply(&self, changes: impl IntoIterator<Item = (SerialKey, Known)>) {
        let changes: BTreeMap<SerialKey, Known> = changes.into_iter().collect();
        let (segment, beside) = {
            let parts = self.parts.read().unwrap_or_else(PoisonError::into_inner);
            (Arc::clone(&parts.segment), parts.beside.len())
        };
        let most = LEAST_BESIDE.max(segment.len() / BUCKET);
        if beside + changes.len() < most {
            let mut parts = self.parts.write().unwrap_or_else(PoisonError::into_inner);
            parts.beside.extend(changes);
            return;
        }
        let mut all = {
            let parts = self.parts.read().unwrap_or_else(PoisonError::into_inner);
            parts.beside.clone()
        };
        all.extend(changes);
        let count = all.len();
        let merged = Arc::new(segment.merged(all.into_iter(), count));
        let mut parts = self.parts.write().unwrap_or_else(PoisonError::into_inner);
        *parts = Parts { segment: merged, beside: BTreeMap::new() };
    }

    /// How many certificates are known. Those that changed since the segment was made may be counted
    /// twice.
    pub fn len(&self) -> usize {
        let parts = self.parts.read().unwrap_or_else(PoisonError::into_inner);
        let new = parts.beside.keys().filter(|serial| parts.segment.get(**serial).is_none());
        parts.segment.len() + new.count()
    }

    /// Everything that is known at this moment, to be ticked off.
    pub(crate) fn roll(&self) -> Roll {
        let parts = self.parts.read().unwrap_or_else(PoisonError::into_inner);
        let segment = Arc::clone(&parts.segment);
        let beside = parts.beside.keys().filter(|serial| segment.get(**serial).is_none());
        let others = segment.long.keys().chain(beside).copied().collect();
        let ticked = vec![false; segment.serials.len()];
        Roll { segment, ticked, others }
    }

    /// Whether nothing was ever issued.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The memory that the index takes, in octets.
    pub fn octets(&self) -> usize {
        let parts = self.parts.read().unwrap_or_else(PoisonError::into_inner);
        parts.segment.octets() + parts.beside.len() * 64
    }
}

/// The serial numbers of an index as it was at one moment, and which of them nobody named yet: an
/// octet for each.
#[derive(Debug)]
pub(crate) struct Roll {
    segment: Arc<Segment>,
    ticked: Vec<bool>,
    /// Those that do not lie in order in the segment.
    others: HashSet<SerialKey>,
}

impl Roll {
    /// Names a serial number.
    pub(crate) fn tick(&mut self, serial: SerialKey) {
        if self.others.remove(&serial) || serial.high != 0 {
            return;
        }
        let place = self.segment.find(serial.low);
        if let Some(ticked) = place.and_then(|place| self.ticked.get_mut(place)) {
            *ticked = true;
        }
    }

    /// What nobody named.
    pub(crate) fn rest(&self) -> impl Iterator<Item = SerialKey> {
        let ordered = self.segment.serials.iter().zip(&self.ticked).filter(|(_, ticked)| !**ticked);
        let ordered = ordered.map(|(low, _)| SerialKey { high: 0, low: *low });
        ordered.chain(self.others.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(number: u128) -> SerialKey {
        SerialKey::of(&number.to_be_bytes()).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn serial_numbers_are_compared_as_numbers() {
        assert_eq!(SerialKey::of(&[0, 0, 5]), SerialKey::of(&[5]));
        assert_eq!(SerialKey::of(&[]), None);
        assert_eq!(SerialKey::of(&[0; 20]), None);
        assert_eq!(SerialKey::of(&[1; 21]), None);
        assert!(SerialKey::of(&[1; 17]) > SerialKey::of(&[0xFF; 16]));
        assert_ne!(SerialKey::of(&[1; 20]), SerialKey::of(&[1; 16]));
    }

    /// Numbers near each other, spread over the whole range, and longer than 16 octets.
    fn serials() -> impl Strategy<Value = SerialKey> {
        prop_oneof![
            (1_u128..400).prop_map(key),
            (0_u128..400).prop_map(|n| key((1 << 126) | (n << 115) | n)),
            (1_u8..9).prop_map(|n| SerialKey::of(&[n; 20]).unwrap()),
            Just(key(u128::MAX)),
        ]
    }

    fn knowns() -> impl Strategy<Value = Known> {
        prop_oneof![
            Just(Known::Good),
            (prop::sample::select(&ReasonCode::ALL[..]), 0_i64..5)
                .prop_map(|(reason, second)| Known::Revoked { reason, at: at(second) }),
        ]
    }

    /// Everything that the index says of some serial numbers is what a plain map says.
    fn check(index: &StatusIndex, model: &BTreeMap<SerialKey, Known>, asked: &[SerialKey]) {
        for serial in asked.iter().chain(model.keys()) {
            assert_eq!(index.get(*serial), model.get(serial).copied(), "{serial:?}");
        }
        assert_eq!(index.len(), model.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_index_says_what_a_plain_map_says(
            pages in prop::collection::vec(
                prop::collection::vec((serials(), knowns()), 0..200), 1..6),
            asked in prop::collection::vec(serials(), 20),
            merge in any::<bool>(),
        ) {
            let (index, mut model) = (StatusIndex::default(), BTreeMap::new());
            for page in pages {
                model.extend(page.clone());
                index.apply(page);
                if merge {
                    merge_all(&index);
                }
                check(&index, &model, &asked);
            }
            merge_all(&index);
            check(&index, &model, &asked);
        }
    }

    #[test]
    fn what_nobody_names_is_left_on_the_roll() {
        let index = StatusIndex::default();
        let long = SerialKey::of(&[9; 20]).unwrap();
        let (merged, beside) = ([key(5), key(6), long], [key(6), key(7)]);
        index.apply(merged.map(|serial| (serial, Known::Good)));
        merge_all(&index);
        index.apply(beside.map(|serial| (serial, Known::Good)));
        let mut roll = index.roll();
        let rest = |roll: &Roll| roll.rest().collect::<HashSet<_>>();
        assert_eq!(rest(&roll), HashSet::from([key(5), key(6), key(7), long]));
        for (serial, left) in [(key(6), 3), (key(1), 3), (long, 2), (key(7), 1), (key(5), 0)] {
            roll.tick(serial);
            assert_eq!(rest(&roll).len(), left, "{serial:?}");
        }
    }

    /// Makes a new segment however little lies beside the old one.
    fn merge_all(index: &StatusIndex) {
        let mut parts = index.parts.write().unwrap();
        let beside = std::mem::take(&mut parts.beside);
        let count = beside.len();
        parts.segment = Arc::new(parts.segment.merged(beside.into_iter(), count));
    }

    /// Serial numbers as the platform makes them, from a small generator.
    fn many(count: u64) -> impl Iterator<Item = SerialKey> {
        let step = |n: u64| n.wrapping_mul(6_364_136_223_846_793_005).rotate_left(29) ^ n;
        (1..=count).map(move |n| {
            let wide = (u128::from(step(n)) << 64) | u128::from(step(n ^ 0xA5A5));
            key((wide >> 2) | (1 << 126))
        })
    }

    #[test]
    fn a_certificate_takes_17_octets() {
        let index = StatusIndex::default();
        for page in 0..10 {
            index.apply(many(200_000).skip(page * 20_000).take(20_000).map(|s| (s, Known::Good)));
        }
        assert_eq!(index.len(), 200_000);
        let each = index.octets() * 100 / index.len();
        assert!(each <= 17_20, "{each} hundredths of an octet");
        let revoked = Known::Revoked { reason: ReasonCode::KeyCompromise, at: at(7) };
        index.apply(many(200_000).step_by(10).map(|serial| (serial, revoked)));
        let each = index.octets() * 100 / index.len();
        assert!(each <= 19_00, "{each} hundredths of an octet with one in ten revoked");
        for (place, serial) in many(200_000).enumerate() {
            let expected = if place % 10 == 0 { revoked } else { Known::Good };
            assert_eq!(index.get(serial), Some(expected));
        }
        assert!(many(200_100).skip(200_000).all(|serial| index.get(serial).is_none()));
    }

    #[test]
    fn readers_see_a_page_of_changes_whole_or_not_at_all() {
        let index = StatusIndex::default();
        let revoked = Known::Revoked { reason: ReasonCode::Superseded, at: at(1) };
        let all: Vec<_> = many(6_000).collect();
        index.apply(all.iter().map(|serial| (*serial, Known::Good)));
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for round in 0..60 {
                    let known = if round % 2 == 0 { revoked } else { Known::Good };
                    index.apply(all.iter().map(|serial| (*serial, known)));
                }
            });
            while !writer.is_finished() {
                // What was issued is known at every moment.
                assert!(all.iter().step_by(97).all(|serial| index.get(*serial).is_some()));
            }
        });
    }
}

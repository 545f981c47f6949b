//! Signed answers that are given to many, bounded by their octets.
//!
//! Two generations stand for "used lately": what is used moves to the young one; when the young one
//! is full the old one goes and they change places. Deliberately not here: when an answer is too
//! old, and what makes it wrong.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::ocsp::HashAlgorithm;

use crate::index::{Known, SerialKey};

/// Parts of the cache, each with a lock of its own.
const SHARDS: usize = 64;
/// What an answer takes beside its octets: its key, its tag, its place in the map.
const OVERHEAD: usize = 320;
/// When making a newer answer is tried again after it did not succeed, in seconds.
const RETRY_SECONDS: i64 = 10;

/// Which answer: everything that its CertID is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AnswerKey {
    /// The authority, by its number in this process.
    pub(crate) issuer: u32,
    /// The serial number.
    pub(crate) serial: SerialKey,
    /// The hash algorithm of the CertID.
    pub(crate) algorithm: HashAlgorithm,
    /// Whether its parameters are NULL rather than absent.
    pub(crate) null: bool,
}

impl AnswerKey {
    fn shard(self) -> usize {
        self.serial.spread(self.issuer) % SHARDS
    }
}

/// A signed answer without a nonce, to be given to many.
#[derive(Debug)]
pub(crate) struct Kept {
    /// The OCSPResponse, DER.
    pub(crate) der: Bytes,
    /// The entity tag: SHA-256 of the response in hexadecimal, in quotes (RFC 9919, 5).
    pub(crate) etag: Bytes,
    /// What it says.
    pub(crate) known: Known,
    /// When this was known to be so.
    pub(crate) this_update: Timestamp,
    /// Until when it may be given.
    pub(crate) next_update: Timestamp,
    /// From when on a newer one is made before it is needed.
    pub(crate) refresh_at: Timestamp,
    /// The number of the signer that made it.
    pub(crate) signer: u64,
    /// When somebody may next try to make a newer one, in milliseconds.
    pub(crate) try_at: AtomicI64,
}

impl Kept {
    /// Whether a client takes it: it is neither over nor of the future, as after a clock was set
    /// back.
    pub(crate) fn serves(&self, now: Timestamp) -> bool {
        self.this_update <= now && now < self.next_update
    }

    /// Whether the caller is the one to make a newer one now: one tries, and another after a while
    /// if that did not succeed.
    pub(crate) fn claim_refresh(&self, now: Timestamp) -> bool {
        let next = now.plus_seconds(RETRY_SECONDS).millis();
        let claimed = self.try_at.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |at| {
            (at <= now.millis() || at > next).then_some(next)
        });
        claimed.is_ok()
    }

    fn octets(&self) -> usize {
        self.der.len() + OVERHEAD
    }
}

#[derive(Debug, Default)]
struct Shard {
    young: HashMap<AnswerKey, Arc<Kept>>,
    old: HashMap<AnswerKey, Arc<Kept>>,
    young_octets: usize,
    old_octets: usize,
}

impl Shard {
    fn put(&mut self, key: AnswerKey, kept: Arc<Kept>, most: usize) {
        let octets = kept.octets();
        if octets > most {
            return;
        }
        if self.young_octets + octets > most {
            self.old = std::mem::take(&mut self.young);
            self.old_octets = std::mem::take(&mut self.young_octets);
        }
        if let Some(former) = self.old.remove(&key) {
            self.old_octets -= former.octets();
        }
        if let Some(former) = self.young.insert(key, kept) {
            self.young_octets -= former.octets();
        }
        self.young_octets += octets;
    }

    fn forget(&mut self, unwanted: impl Fn(&AnswerKey) -> bool) {
        for (map, octets) in
            [(&mut self.young, &mut self.young_octets), (&mut self.old, &mut self.old_octets)]
        {
            map.retain(|key, kept| {
                let goes = unwanted(key);
                if goes {
                    *octets -= kept.octets();
                }
                !goes
            });
        }
    }

    fn remove(&mut self, key: AnswerKey) {
        if let Some(former) = self.young.remove(&key) {
            self.young_octets -= former.octets();
        }
        if let Some(former) = self.old.remove(&key) {
            self.old_octets -= former.octets();
        }
    }
}

/// The answers.
#[derive(Debug)]
pub(crate) struct AnswerCache {
    shards: Vec<Mutex<Shard>>,
    /// Most octets of one generation of one shard.
    most: usize,
}

impl AnswerCache {
    /// A cache of at most so many octets.
    pub(crate) fn new(octets: usize) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, most: octets / SHARDS / 2 }
    }

    fn shard(&self, shard: usize) -> Option<MutexGuard<'_, Shard>> {
        Some(self.shards.get(shard)?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The answer, if there is one.
    pub(crate) fn get(&self, key: AnswerKey) -> Option<Arc<Kept>> {
        let mut shard = self.shard(key.shard())?;
        if let Some(kept) = shard.young.get(&key) {
            return Some(Arc::clone(kept));
        }
        let kept = shard.old.remove(&key)?;
        shard.old_octets -= kept.octets();
        shard.put(key, Arc::clone(&kept), self.most);
        Some(kept)
    }

    /// Keeps an answer, unless `is_right` says meanwhile that it is not. Asked under the lock under
    /// which [`Self::forget`] works, so a wrong answer is either not kept or forgotten.
    pub(crate) fn put(
        &self,
        key: AnswerKey,
        kept: Arc<Kept>,
        is_right: impl FnOnce() -> bool,
    ) -> bool {
        let Some(mut shard) = self.shard(key.shard()) else { return false };
        let right = is_right();
        if right {
            shard.put(key, kept, self.most);
        }
        right
    }

    /// Forgets every answer about a certificate.
    pub(crate) fn forget(&self, issuer: u32, serial: SerialKey) {
        for algorithm in HashAlgorithm::ALL {
            for null in [false, true] {
                let key = AnswerKey { issuer, serial, algorithm, null };
                if let Some(mut shard) = self.shard(key.shard()) {
                    shard.remove(key);
                }
            }
        }
    }

    /// Forgets every answer of an authority.
    pub(crate) fn forget_issuer(&self, issuer: u32) {
        for shard in 0..SHARDS {
            if let Some(mut shard) = self.shard(shard) {
                shard.forget(|key| key.issuer == issuer);
            }
        }
    }

    /// How many answers are kept, and their octets.
    pub(crate) fn size(&self) -> (usize, usize) {
        (0..SHARDS).filter_map(|shard| self.shard(shard)).fold((0, 0), |(count, octets), shard| {
            let more = shard.young.len() + shard.old.len();
            (count + more, octets + shard.young_octets + shard.old_octets)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(issuer: u32, number: u32) -> AnswerKey {
        let serial = SerialKey::of(&(number + 1).to_be_bytes()).unwrap();
        AnswerKey { issuer, serial, algorithm: HashAlgorithm::Sha256, null: true }
    }

    fn kept(octets: usize) -> Arc<Kept> {
        Arc::new(Kept {
            der: Bytes::from(vec![0; octets]),
            etag: Bytes::new(),
            known: Known::Good,
            this_update: Timestamp::EPOCH,
            next_update: Timestamp::from_seconds(10),
            refresh_at: Timestamp::from_seconds(5),
            signer: 0,
            try_at: AtomicI64::new(0),
        })
    }

    #[test]
    fn the_cache_stays_within_its_bound_and_keeps_what_is_used() {
        let bound = 4 << 20;
        let cache = AnswerCache::new(bound);
        for number in 0..20_000 {
            assert!(cache.put(key(1, number), kept(900), || true));
            assert!(cache.get(key(1, 0)).is_some(), "what is always used stays: {number}");
            let (count, octets) = cache.size();
            assert!(octets <= bound, "{octets}");
            assert_eq!(octets, count * (900 + OVERHEAD));
        }
        assert!(cache.get(key(1, 19_999)).is_some());
        assert!(cache.get(key(1, 1)).is_none(), "what is never used goes");
        // One that is larger than its share is not kept at all.
        assert!(cache.put(key(1, 20_000), kept(bound), || true));
        assert!(cache.get(key(1, 20_000)).is_none());
    }

    #[test]
    fn what_changed_is_forgotten_under_every_name() {
        let cache = AnswerCache::new(1 << 20);
        for algorithm in HashAlgorithm::ALL {
            for null in [true, false] {
                for issuer in [1, 2] {
                    cache.put(AnswerKey { algorithm, null, ..key(issuer, 7) }, kept(10), || true);
                }
            }
        }
        assert_eq!(cache.size().0, 16);
        cache.forget(1, key(1, 7).serial);
        assert_eq!(cache.size().0, 8);
        cache.forget_issuer(2);
        assert_eq!(cache.size(), (0, 0));
        assert!(!cache.put(key(1, 7), kept(10), || false));
        assert!(cache.get(key(1, 7)).is_none());
    }

    #[test]
    fn one_at_a_time_makes_an_answer_anew() {
        let kept = kept(10);
        let now = Timestamp::from_seconds(100);
        assert!(kept.claim_refresh(now));
        assert!(!kept.claim_refresh(now.plus_seconds(9)));
        assert!(kept.claim_refresh(now.plus_seconds(10)));
        // Also after a clock was set back.
        assert!(kept.claim_refresh(now.plus_seconds(-1000)));
    }

    #[test]
    fn an_answer_of_the_future_is_given_to_nobody() {
        let kept = kept(10);
        assert!(kept.serves(Timestamp::EPOCH));
        assert!(!kept.serves(Timestamp::from_seconds(-1)));
        assert!(!kept.serves(Timestamp::from_seconds(10)));
    }
}

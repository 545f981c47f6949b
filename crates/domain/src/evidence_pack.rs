//! Evidence packs: everything about one credential in one signed archive (DOMAIN 18). Here is the
//! manifest that is signed, and the proof that a record belongs to the audit chain.
//!
//! The records of others are not shown: over the hashes of all records up to the head stands a tree
//! (RFC 9162, 2.1) whose root is signed, and a record comes with its path to the root. How files are
//! put into an archive, and who signs, is not here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::audit::chain_hash;
use crate::canonical::Digest;

/// The version of the manifest.
pub const VERSION: u64 = 1;

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`VERSION`].
    pub v: u64,
    /// `evidence-pack`.
    pub kind: String,
    /// When it was made (RFC 3339, UTC).
    pub made_at: String,
    /// The platform that made it: its public address.
    pub platform: String,
    /// The code of the issuing authority.
    pub authority: String,
    /// The serial number of the certificate.
    pub serial: String,
    /// Every file but the manifest, with its SHA-256.
    pub files: BTreeMap<String, Digest>,
    /// The audit chain as it was then.
    pub chain: ChainHead,
}

/// The end of the audit chain, and the root over all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainHead {
    /// How many records it had.
    pub size: u64,
    /// The hash of the last.
    pub head: Digest,
    /// The root of the tree over the hashes of all.
    pub root: Digest,
}

/// A record with the proof that it belongs to the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvenRecord {
    /// Its position, from 1.
    pub seq: u64,
    /// The record as it is hashed.
    pub record: String,
    /// The hash of the record before.
    pub prev: Digest,
    /// Its path to the root, from the leaf up.
    pub path: Vec<Digest>,
}

impl ProvenRecord {
    /// Whether it is the record of its position in a chain.
    pub fn belongs_to(&self, chain: &ChainHead) -> bool {
        let says: Option<u64> = serde_json::from_str::<serde_json::Value>(&self.record)
            .ok()
            .and_then(|record| record.get("seq")?.as_u64());
        let Some(index) = self.seq.checked_sub(1).filter(|index| *index < chain.size) else {
            return false;
        };
        let leaf = leaf(&chain_hash(&self.prev, &self.record));
        says == Some(self.seq) && climb(index, chain.size, leaf, &self.path) == Some(chain.root)
    }
}

fn leaf(hash: &Digest) -> Digest {
    hashed(&[&[0x00], &hash.0])
}

fn node(left: &Digest, right: &Digest) -> Digest {
    hashed(&[&[0x01], &left.0, &right.0])
}

fn hashed(parts: &[&[u8]]) -> Digest {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    Digest(hasher.finalize().into())
}

/// The tree over the hashes of a chain, level by level from the leaves.
#[derive(Clone, Debug)]
pub struct ChainTree {
    levels: Vec<Vec<Digest>>,
}

impl ChainTree {
    /// The tree over hashes in the order of the chain; `None` over none.
    pub fn over(hashes: &[Digest]) -> Option<Self> {
        let mut levels = vec![hashes.iter().map(leaf).collect::<Vec<_>>()];
        while levels.last()?.len() > 1 {
            let next = levels.last()?.chunks(2).map(|pair| match pair {
                [left, right] => node(left, right),
                // The last of an odd number goes up as it is (RFC 9162, 2.1.1).
                [one, ..] => *one,
                [] => hashed(&[]),
            });
            levels.push(next.collect());
        }
        if hashes.is_empty() { None } else { Some(Self { levels }) }
    }

    /// The root.
    pub fn root(&self) -> Option<Digest> {
        self.levels.last()?.first().copied()
    }

    /// The path of a record, by its position from 1, from the leaf up.
    pub fn path(&self, seq: u64) -> Option<Vec<Digest>> {
        let mut index = usize::try_from(seq.checked_sub(1)?).ok()?;
        self.levels.first()?.get(index)?;
        let mut path = Vec::new();
        for level in &self.levels {
            let sibling =
                if index % 2 == 0 { index.checked_add(1)? } else { index.checked_sub(1)? };
            path.extend(level.get(sibling).copied());
            index /= 2;
        }
        Some(path)
    }
}

/// The root that a path leads to (RFC 9162, 2.1.3.2); `None` for a path of another length.
fn climb(index: u64, size: u64, leaf: Digest, path: &[Digest]) -> Option<Digest> {
    let (mut place, mut last, mut root) = (index, size.checked_sub(1)?, leaf);
    for sibling in path {
        if last == 0 {
            return None;
        }
        if place % 2 == 1 || place == last {
            root = node(sibling, &root);
            while place % 2 == 0 && place != 0 {
                place /= 2;
                last /= 2;
            }
        } else {
            root = node(&root, sibling);
        }
        place /= 2;
        last /= 2;
    }
    (last == 0).then_some(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(count: u64) -> Vec<Digest> {
        let mut prev = Digest([0; 32]);
        let next = |seq| {
            prev = chain_hash(&prev, &record(seq));
            prev
        };
        (1..=count).map(next).collect()
    }

    fn record(seq: u64) -> String {
        format!("{{\"code\":\"sys.start\",\"seq\":{seq}}}")
    }

    fn proven(all: &[Digest], tree: &ChainTree, seq: u64) -> ProvenRecord {
        let place = usize::try_from(seq).unwrap();
        let prev = if seq == 1 { Digest([0; 32]) } else { all[place - 2] };
        ProvenRecord { seq, record: record(seq), prev, path: tree.path(seq).unwrap() }
    }

    #[test]
    fn every_record_of_a_chain_of_any_length_is_proven_and_no_other() {
        for size in 1..=33 {
            let all = hashes(size);
            let tree = ChainTree::over(&all).unwrap();
            let chain = ChainHead { size, head: *all.last().unwrap(), root: tree.root().unwrap() };
            for seq in 1..=size {
                let one = proven(&all, &tree, seq);
                assert!(one.belongs_to(&chain), "{seq} of {size}");
                let changed = ProvenRecord { record: record(seq + 1), ..one.clone() };
                assert!(!changed.belongs_to(&chain));
                let moved = ProvenRecord { seq: seq + 1, ..one.clone() };
                assert!(!moved.belongs_to(&chain));
                let half = one.path[..one.path.len() / 2].to_vec();
                let shorter = ProvenRecord { path: half, ..one.clone() };
                assert_eq!(shorter.belongs_to(&chain), one.path.is_empty(), "{seq} of {size}");
                let longer = ProvenRecord { path: [&one.path[..], &[chain.root]].concat(), ..one };
                assert!(!longer.belongs_to(&chain));
            }
            assert_eq!(tree.path(0), None);
            assert_eq!(tree.path(size + 1), None);
        }
        assert!(ChainTree::over(&[]).is_none());
    }
}

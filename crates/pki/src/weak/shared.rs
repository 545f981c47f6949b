//! Factors that RSA moduli share: batch GCD over many of them (KM-3, the nightly scan).
//!
//! Bernstein's method with a scaled remainder tree. Upwards, every node gets the product `P` of
//! the moduli below it, and the root also `D`, the sum of `P/n` over all moduli `n`; because
//! `D = P/n (mod n)`, the greatest common divisor of `n` and `D` is what `n` shares with the
//! others. Downwards, a node holds the fractional part of `D/P` with a few bits to spare, and a
//! child's is the parent's times the other child's product: no division below the root (D. J.
//! Bernstein, How to find smooth parts of integers, and Scaled remainder trees, 2004).
//!
//! Deliberately not here: where the moduli come from and what is done about a finding.

use dashu_int::UBig;
use dashu_int::ops::{BitTest as _, Gcd as _};

/// Bits kept beyond a node's own, so that rounding never reaches the integer part at a leaf: each
/// level at most doubles the error and adds one, so 64 bits last for far over 40 levels.
const SPARE: usize = 64;

/// A modulus that shares a factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// Its place in the input.
    pub index: usize,
    /// What it has in common with the others, big-endian: one prime, or the whole modulus where
    /// both primes are shared or the modulus is there twice.
    pub factor: Vec<u8>,
}

/// Levels from the moduli up to their product; `None` in `D`'s place would be an empty input.
struct Tree {
    levels: Vec<Vec<UBig>>,
    sum: UBig,
}

/// Finds every modulus (big-endian) that shares a factor with another one of the slice. A modulus
/// below two is passed over. Needs memory of about twenty-five times the input's size.
pub fn shared_factors<M: AsRef<[u8]>>(moduli: &[M]) -> Vec<Shared> {
    let numbers = moduli.iter().map(|modulus| UBig::from_be_bytes(modulus.as_ref()));
    let (places, leaves): (Vec<_>, Vec<_>) =
        numbers.enumerate().filter(|(_, number)| *number > UBig::ONE).unzip();
    let Some(tree) = ascend(leaves.clone()) else { return Vec::new() };
    let pairs = places.into_iter().zip(leaves.iter().zip(descend(tree)));
    pairs
        .filter_map(|(index, (number, rest))| {
            let factor = number.gcd(&rest);
            (factor != UBig::ONE).then(|| Shared { index, factor: factor.to_be_bytes().to_vec() })
        })
        .collect()
}

fn ascend(leaves: Vec<UBig>) -> Option<Tree> {
    let mut sums = vec![UBig::ONE; leaves.len()];
    let mut level = leaves;
    let mut levels = Vec::new();
    while level.len() > 1 {
        sums = level.chunks(2).zip(sums.chunks(2)).map(|(p, d)| sum_above(p, d)).collect();
        let above = level.chunks(2).map(product_above).collect();
        levels.push(std::mem::replace(&mut level, above));
    }
    levels.push(level);
    Some(Tree { levels, sum: sums.pop()? })
}

fn product_above(children: &[UBig]) -> UBig {
    children.iter().fold(UBig::ONE, |product, child| product * child)
}

/// `D` of a node: `D₁·P₂ + D₂·P₁`.
fn sum_above(products: &[UBig], sums: &[UBig]) -> UBig {
    match (products, sums) {
        ([p1, p2], [d1, d2]) => d1 * p2 + d2 * p1,
        (_, [only, ..]) => only.clone(),
        (_, []) => UBig::ZERO,
    }
}

/// `D mod n` for every leaf `n`, in order.
fn descend(tree: Tree) -> Vec<UBig> {
    let Tree { mut levels, sum } = tree;
    let Some(root) = levels.pop().and_then(|mut level| level.pop()) else { return Vec::new() };
    let scale = root.bit_len() + SPARE;
    let mut parents = vec![Node { bits: root.bit_len(), fraction: fraction(sum, &root, scale) }];
    drop(root);
    let mut leaves = None;
    while let Some(level) = levels.pop() {
        parents = level.chunks(2).zip(parents).flat_map(|(pair, up)| up.divide(pair)).collect();
        leaves = levels.is_empty().then_some(level);
    }
    match leaves {
        Some(leaves) => parents.iter().zip(&leaves).map(|(node, n)| node.remainder(n)).collect(),
        // One modulus alone shares nothing: D = 1.
        None => vec![UBig::ONE],
    }
}

/// The fractional part of `sum / product`, times `2^scale`, rounded down.
fn fraction(sum: UBig, product: &UBig, scale: usize) -> UBig {
    ((sum % product) << scale) / product
}

/// A node on the way down.
struct Node {
    /// Bits of its product.
    bits: usize,
    /// The fractional part of `D/P`, times 2 to the power of `bits + SPARE`.
    fraction: UBig,
}

impl Node {
    /// The nodes of the children with these products.
    fn divide(self, pair: &[UBig]) -> Vec<Self> {
        match pair {
            [left, right] => vec![self.child(left, right), self.child(right, left)],
            _ => vec![self],
        }
    }

    fn child(&self, product: &UBig, other: &UBig) -> Self {
        let mut fraction = &self.fraction * other;
        fraction.clear_high_bits(self.bits + SPARE);
        let bits = product.bit_len();
        Self { bits, fraction: fraction >> (self.bits - bits) }
    }

    /// `D mod n` at a leaf: the fraction times `n`, rounded to the nearest integer.
    fn remainder(&self, n: &UBig) -> UBig {
        let half = UBig::ONE << (self.bits + SPARE - 1);
        (&self.fraction * n + half) >> (self.bits + SPARE)
    }
}

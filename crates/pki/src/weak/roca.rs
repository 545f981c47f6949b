//! The ROCA pattern (CVE-2017-15361).
//!
//! The library concerned makes primes `k·M + (65537^a mod M)` with `M` a product of the first
//! primes, so a modulus is a power of 65537 modulo `M` as well (Nemec, Sys, Svenda, Klinec,
//! Matyas: The Return of Coppersmith's Attack, CCS 2017). Whether there is such an exponent is a
//! discrete logarithm in a group of very smooth order: it is taken modulo each prime and the
//! answers must fit together. A modulus from elsewhere passes with a probability below 2⁻¹⁵⁰.

use dashu_int::UBig;

use super::factor::primes_below;

/// The generator of the group.
const GENERATOR: u32 = 65537;

/// `M` has the first 39 primes for keys of 512 bits and more for longer ones.
const PRIMES_BELOW: u32 = 168;

/// Whether the modulus is a power of 65537 modulo the product of the first 39 primes.
pub(super) fn has_pattern(modulus: &UBig) -> bool {
    let mut logarithms: Vec<(u32, u32)> = Vec::new();
    for prime in primes_below(PRIMES_BELOW) {
        let residue = u32::try_from(modulus % u64::from(prime)).unwrap_or_default();
        match logarithm(residue, prime) {
            Some(found) => logarithms.push(found),
            None => return false,
        }
    }
    fits_together(&logarithms)
}

/// The exponent `x` with `65537^x = residue (mod prime)`, and the order that `x` is known modulo.
fn logarithm(residue: u32, prime: u32) -> Option<(u32, u32)> {
    let step = GENERATOR % prime;
    let powers = || {
        std::iter::successors(Some(1 % prime), move |power| {
            let next = power * step % prime;
            (next != 1).then_some(next)
        })
    };
    let order = u32::try_from(powers().count()).ok()?;
    let exponent = u32::try_from(powers().position(|power| power == residue)?).ok()?;
    Some((exponent, order))
}

/// Congruences `x = a (mod m)` have a common solution exactly when every two of them have one.
fn fits_together(congruences: &[(u32, u32)]) -> bool {
    congruences.iter().all(|(a, m)| {
        congruences.iter().all(|(b, n)| {
            let common = gcd(*m, *n);
            a % common == b % common
        })
    })
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

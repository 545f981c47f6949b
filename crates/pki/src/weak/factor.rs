//! Factors that a patient beginner finds: small primes, and primes next to each other.

use dashu_int::UBig;
use dashu_int::ops::SquareRoot as _;

/// The least bound of DOMAIN 7.1, KM-3.
const SMALL_BELOW: u32 = 752;

/// The least number of rounds of DOMAIN 7.
const ROUNDS: u32 = 100;

/// The smallest prime below `bound` (at least 752) that divides the number. Zero and the numbers
/// below two have none that matters here, and a prime does not count as a factor of itself.
pub(super) fn small(number: &UBig, bound: u32) -> Option<u32> {
    primes_below(bound.max(SMALL_BELOW))
        .find(|prime| *number != UBig::from(*prime) && number % u64::from(*prime) == 0)
}

/// Primes in rising order, by trial division; the bounds are a few hundred.
pub(super) fn primes_below(bound: u32) -> impl Iterator<Item = u32> {
    (2..bound).filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0))
}

/// Fermat's method: with `a` counting up from the square root of the number, `a² − number` is a
/// square `b²` as soon as the factors are `a − b` and `a + b`. At least 100 rounds are run.
pub(super) fn close(number: &UBig, rounds: u32) -> bool {
    let root = number.sqrt();
    let a = if &root * &root == *number { root } else { root + 1u8 };
    let mut rest = &a * &a - number;
    // From a² to (a + 1)² it is 2a + 1, and two more with each step.
    let mut step = a * 2u8 + 1u8;
    for _ in 0..rounds.max(ROUNDS) {
        if is_square(&rest) {
            return true;
        }
        rest += &step;
        step += 2u8;
    }
    false
}

/// Squares end in one of 44 of the 256 possible octets; only those are worth a root.
fn is_square(number: &UBig) -> bool {
    let ending = number % 256u16;
    (0..256u32).any(|x| x * x % 256 == u32::from(ending)) && {
        let root = number.sqrt();
        &root * &root == *number
    }
}

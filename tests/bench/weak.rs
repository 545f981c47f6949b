//! Measures the nightly search for factors that RSA moduli share (KM-3): batch GCD.
//!
//! `bench weak [COUNT [BITS]]`, 100,000 moduli of 2048 bits by default. Prints the time and the
//! process's peak memory, and judges nothing. The moduli are arbitrary odd numbers, nearly all of
//! which share a small factor: the search takes the same steps for those as for products of two primes.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement takes the time and tells people"
)]

use std::time::Instant;

use tenkoku_pki::weak::shared::shared_factors;

pub(super) fn run(words: &[String]) {
    let mut numbers = words.iter().filter_map(|text| text.parse::<usize>().ok());
    let count = numbers.next().unwrap_or(100_000);
    let bits = numbers.next().unwrap_or(2048);
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut word = || {
        // Xorshift: any numbers will do, and the same ones in every run.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state | 1
    };
    let modulus = |_| (0..bits / 64).flat_map(|_| word().to_be_bytes()).collect();
    let moduli: Vec<Vec<u8>> = (0..count).map(modulus).collect();
    let start = Instant::now();
    let found = shared_factors(&moduli).len();
    println!("shared factors: {count} moduli of {bits} bits in {:.1?}", start.elapsed());
    println!("  {found} of these arbitrary numbers share a factor, nearly all a small one");
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status.lines().filter(|line| line.starts_with("VmHWM")) {
        println!("  peak memory {}", line.trim_start_matches("VmHWM:").trim());
    }
}

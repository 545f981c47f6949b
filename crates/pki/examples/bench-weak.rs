//! Measures the search for shared factors: batch GCD over random moduli with one planted pair.
//!
//! `bench-weak [COUNT [BITS]]`, 100,000 moduli of 2048 bits by default. Prints the time and the
//! process's peak memory, and judges nothing. The moduli are random odd numbers: the search does
//! not care whether they have two prime factors, and most numbers share small ones.

use std::time::Instant;

use aws_lc_rs::rand;
use tenkoku_pki::weak::shared::shared_factors;

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|text| text.parse::<usize>().ok());
    let count = numbers.next().unwrap_or(100_000);
    let bits = numbers.next().unwrap_or(2048);
    let mut moduli = vec![vec![0u8; bits / 8]; count];
    for modulus in &mut moduli {
        rand::fill(modulus).expect("the system gives randomness");
        modulus[0] |= 0x80;
    }
    let start = Instant::now();
    let found = shared_factors(&moduli).len();
    println!("shared factors: {count} moduli of {bits} bits in {:.1?}", start.elapsed());
    println!("  {found} of these random numbers share a factor (nearly all share a small one)");
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status.lines().filter(|line| line.starts_with("VmHWM")) {
        println!("  peak memory {}", line.trim_start_matches("VmHWM:").trim());
    }
}

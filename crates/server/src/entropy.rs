//! The system's random generator: the only place that reads it.

use tenkoku_domain::id::Entropy;

/// The generator of the operating system, through the cryptographic library.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        if aws_lc_rs::rand::fill(bytes).is_err() {
            // A machine without randomness must not make a key or a serial number.
            std::process::abort();
        }
    }
}

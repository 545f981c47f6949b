//! The lists that ship with the program: moduli of Debian's broken generator, and fingerprints of
//! private keys that anybody can download. README.md beside the lists says where they come from,
//! what they cover and how to make them again.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use aws_lc_rs::digest;
use tenkoku_domain::key::Fingerprint;

/// Names of the lists of CVE-2008-0166 that a policy may ask for, by the size of the modulus.
pub const DEBIAN_LISTS: &[&str] = &["debian-2048", "debian-4096"];

/// Names of the lists of published keys that a policy may ask for.
pub const PUBLISHED_LISTS: &[&str] = &["published-test-keys"];

/// Octets of an entry in a Debian list. Six keep a list of all 294,912 keys of one size below two
/// megabytes, and hit an innocent key once in a thousand million.
const ENTRY: usize = 6;

const DEBIAN_2048: &[u8] = include_bytes!("debian-2048.bin");
const DEBIAN_4096: &[u8] = include_bytes!("debian-4096.bin");

/// One line for each key: the fingerprint (DOMAIN 8.1) in hexadecimal, a space, where it is from.
const PUBLISHED: &str = include_str!("published.txt");

static PUBLISHED_SET: LazyLock<BTreeSet<&'static str>> =
    LazyLock::new(|| lines().map(|(print, _)| print).collect());

/// Fingerprints and sources of the list of published keys.
pub(super) fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = PUBLISHED.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(' '))
}

/// Whether the private key behind this fingerprint is on the list `published-test-keys` (KM-5).
pub fn is_published(fingerprint: &Fingerprint) -> bool {
    PUBLISHED_SET.contains(fingerprint.to_string().as_str())
}

/// Whether one of the named lists holds the modulus. An entry is the end of the one in Debian's
/// own `openssl-blacklist`: the last six octets of SHA-1 over the text `Modulus=`, the modulus in
/// upper-case hexadecimal, and a line feed. Entries are sorted and stand one after another.
pub(super) fn is_debian(modulus: &[u8], names: &[String]) -> bool {
    let text = format!("Modulus={}\n", hex::encode_upper(modulus));
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    let Some(entry) = hash.as_ref().last_chunk::<ENTRY>() else { return false };
    let asked = |name: &str| names.iter().any(|asked| asked == name);
    let holds = |list: &[u8]| list.as_chunks::<ENTRY>().0.binary_search(entry).is_ok();
    asked("debian-2048") && holds(DEBIAN_2048) || asked("debian-4096") && holds(DEBIAN_4096)
}

#[cfg(test)]
pub(super) fn debian_is_sorted() -> bool {
    [DEBIAN_2048, DEBIAN_4096].iter().all(|list| {
        let (entries, rest) = list.as_chunks::<ENTRY>();
        rest.is_empty() && entries.is_sorted_by(|a, b| a < b)
    })
}

//! Keys that are well-formed and worth nothing: KM-3 (weak RSA moduli) and KM-5 (private keys that
//! were published).
//!
//! [`check`] decides about one key alone and is asked wherever a key is met. A factor shared with
//! another modulus only shows among many ([`shared`]). What an operator blocked is a table, and
//! deliberately not looked up here; nor are KM-1, KM-2 and KM-4, which [`crate::key`] decides.

mod factor;
mod listed;
mod roca;
pub mod shared;

use std::fmt;

use dashu_int::UBig;
use tenkoku_domain::refusal::{Refusal, RefusalCode};

pub use listed::{DEBIAN_LISTS, PUBLISHED_LISTS, is_published};

use crate::key::PresentedKey;

/// What the section `[weak_keys]` of the policy asks for (DOMAIN 7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeakKeyRules {
    /// Every prime below this is tried as a factor: 752. A lower number counts as 752.
    pub small_factor_below: u32,
    /// Rounds of Fermat's method. Fewer than 100 count as 100.
    pub fermat_rounds: u32,
    /// Whether the ROCA pattern (CVE-2017-15361) is looked for.
    pub roca: bool,
    /// Names out of [`DEBIAN_LISTS`].
    pub debian_lists: Vec<String>,
    /// Names out of [`PUBLISHED_LISTS`].
    pub published_lists: Vec<String>,
}

impl Default for WeakKeyRules {
    /// The values of DOMAIN 7.
    fn default() -> Self {
        Self {
            small_factor_below: 752,
            fermat_rounds: 110,
            roca: true,
            debian_lists: DEBIAN_LISTS.iter().map(|name| (*name).to_owned()).collect(),
            published_lists: PUBLISHED_LISTS.iter().map(|name| (*name).to_owned()).collect(),
        }
    }
}

/// How an RSA modulus gives its factors away (KM-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// This prime divides it.
    SmallFactor(u32),
    /// Its factors lie so close together that Fermat's method finds them.
    CloseFactors,
    /// It was made by the library of CVE-2017-15361 (ROCA).
    Roca,
    /// It was made by the generator of CVE-2008-0166 (Debian's OpenSSL of 2006 to 2008).
    Debian,
    /// It shares a factor with another modulus that is known.
    SharedFactor,
}

impl Weakness {
    /// The word in audit records and in the facts of a refusal.
    pub const fn word(self) -> &'static str {
        match self {
            Self::SmallFactor(_) => "small-factor",
            Self::CloseFactors => "close-factors",
            Self::Roca => "roca",
            Self::Debian => "debian",
            Self::SharedFactor => "shared-factor",
        }
    }

    /// The refusal of DOMAIN 7.1 for this.
    pub fn refusal(self) -> Refusal {
        Refusal::new(RefusalCode::KeyWeak, "KM-3").with("problem", self)
    }
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// KM-3 and KM-5, as far as one key shows them by itself: a published private key is refused as
/// `key-blocked`, a weak RSA modulus as `key-weak`. To be asked at attach, key-proof and issue.
pub fn check(key: &PresentedKey, rules: &WeakKeyRules) -> Result<(), Refusal> {
    if !rules.published_lists.is_empty() && is_published(&key.fingerprint()) {
        return Err(Refusal::new(RefusalCode::KeyBlocked, "KM-5").with("list", "published"));
    }
    match key.rsa_modulus().and_then(|modulus| weakness(modulus, rules)) {
        Some(weakness) => Err(weakness.refusal()),
        None => Ok(()),
    }
}

/// The first way found in which an RSA modulus (big-endian) gives its factors away. The cheap
/// questions come first.
pub fn weakness(modulus: &[u8], rules: &WeakKeyRules) -> Option<Weakness> {
    let number = UBig::from_be_bytes(modulus);
    if let Some(prime) = factor::small(&number, rules.small_factor_below) {
        return Some(Weakness::SmallFactor(prime));
    }
    if listed::is_debian(modulus, &rules.debian_lists) {
        return Some(Weakness::Debian);
    }
    if rules.roca && roca::has_pattern(&number) {
        return Some(Weakness::Roca);
    }
    factor::close(&number, rules.fermat_rounds).then_some(Weakness::CloseFactors)
}

#[cfg(test)]
mod tests;

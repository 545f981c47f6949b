//! Passwords: which are taken, and how they are kept (argon2id, PHC string).
//!
//! Length counts, composition does not; there is no forced change.

use std::sync::{Mutex, PoisonError};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tenkoku_domain::id::Entropy;
use tenkoku_domain::name::comparable;
use unicode_normalization::UnicodeNormalization as _;

/// Fewest characters of a password.
pub const MIN_CHARS: usize = 12;
/// Most characters of a password: enough for a sentence, too few to keep the hash busy.
pub const MAX_CHARS: usize = 128;

/// Passwords of 12 and more characters that attackers try first, one per line, lower case.
const COMMON: &str = include_str!("common-passwords.txt");

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordProblem {
    /// Fewer than 12 characters.
    #[error("the password has fewer than {MIN_CHARS} characters")]
    TooShort,
    /// More than 128 characters.
    #[error("the password has more than {MAX_CHARS} characters")]
    TooLong,
    /// It contains the sign-in name.
    #[error("the password contains the sign-in name")]
    ContainsLogin,
    /// It is among those that attackers try first.
    #[error("the password is among those that attackers try first")]
    Common,
    /// It repeats one or two characters.
    #[error("the password repeats one or two characters")]
    Repeated,
}

impl PasswordProblem {
    /// The key of its words in the catalogue.
    pub const fn word(self) -> &'static str {
        match self {
            Self::TooShort => "too-short",
            Self::TooLong => "too-long",
            Self::ContainsLogin => "contains-login",
            Self::Common => "common",
            Self::Repeated => "repeated",
        }
    }
}

/// A hash could not be made or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the password could not be hashed")]
pub struct HashError;

/// Checks the rules for a new password.
pub fn check(password: &str, login: &str) -> Result<(), PasswordProblem> {
    let chars = password.chars().count();
    let compared = comparable(password);
    if chars < MIN_CHARS {
        return Err(PasswordProblem::TooShort);
    }
    if chars > MAX_CHARS {
        return Err(PasswordProblem::TooLong);
    }
    if compared.contains(&login.to_lowercase()) {
        return Err(PasswordProblem::ContainsLogin);
    }
    let mut distinct: Vec<char> = compared.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < 3 {
        return Err(PasswordProblem::Repeated);
    }
    let bare: String = compared.chars().filter(|c| !c.is_whitespace()).collect();
    if COMMON.lines().any(|common| common == compared || common == bare) {
        return Err(PasswordProblem::Common);
    }
    Ok(())
}

/// Hashes a password with argon2id (m = 19 MiB, t = 2, p = 1) and 16 octets of salt.
pub fn hash(entropy: &dyn Entropy, password: &str) -> Result<String, HashError> {
    let mut salt = [0; 16];
    entropy.fill(&mut salt);
    let hash = hasher()?
        .hash_password_with_salt(normal(password).as_bytes(), &salt)
        .map_err(|_| HashError)?;
    Ok(hash.to_string())
}

/// Whose turn it is to have a password hashed.
static TURN: Mutex<()> = Mutex::new(());

/// Whether the password is the one behind the hash. Without a hash (an unknown account, one
/// without a password) the same work is done against a hash that nothing fits.
pub fn verify(password: &str, hash: Option<&str>) -> bool {
    let text = normal(password);
    // One at a time: each takes 19 MiB, and OCSP is answered by the same process.
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = hash.and_then(|hash| PasswordHash::new(hash).ok());
    let fits = |hash: &PasswordHash| {
        hasher().is_ok_and(|hasher| hasher.verify_password(text.as_bytes(), hash).is_ok())
    };
    if let Some(hash) = known {
        return fits(&hash);
    }
    // The work is what matters; the answer is no, whatever the hash says.
    std::hint::black_box(PasswordHash::new(NOBODY).is_ok_and(|hash| fits(&hash)));
    false
}

/// A hash with the parameters of [`hash`] whose password nobody knows.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$dGVua29rdS1ub2JvZHkhIQ$\
                      AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

fn hasher() -> Result<Argon2<'static>, HashError> {
    let params = Params::new(19_456, 2, 1, None).map_err(|_| HashError)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The same password from another keyboard: NFKC (RFC 8265 prefers NFC; NFKC also meets full-width
/// digits, which Japanese input methods type).
fn normal(password: &str) -> String {
    password.nfkc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;
    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(9);
        }
    }

    fn expect(password: &str, expected: Result<(), PasswordProblem>) {
        assert_eq!(check(password, "megumi"), expected, "{password}");
    }

    #[test]
    fn length_counts_and_guesses_are_refused() {
        expect("short", Err(PasswordProblem::TooShort));
        expect("eleven chrs", Err(PasswordProblem::TooShort));
        expect("twelve chars", Ok(()));
        expect("あさがおのはなをみる朝のこと", Ok(()));
        expect(&"ab1".repeat(50), Err(PasswordProblem::TooLong));
        expect("my name is Megumi", Err(PasswordProblem::ContainsLogin));
        expect("password1234", Err(PasswordProblem::Common));
        expect("PassWord 1234", Err(PasswordProblem::Common));
        expect("abababababab", Err(PasswordProblem::Repeated));
    }

    #[test]
    fn a_password_is_kept_as_argon2id_and_found_again() {
        let hash = hash(&Fixed, "correct horse battery").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify("correct horse battery", Some(&hash)));
        assert!(verify("correct horse battery", Some(&hash)));
        assert!(!verify("Correct horse battery", Some(&hash)));
        assert!(!verify("anything", None));
        assert!(!verify("anything", Some("not a hash")));
    }

    #[test]
    fn nobody_s_hash_costs_the_same_work() {
        let hash = PasswordHash::new(NOBODY).unwrap();
        let real = hash_params(&super::hash(&Fixed, "correct horse battery").unwrap());
        assert_eq!(hash_params(NOBODY), real);
        assert!(hash.hash.is_some());
    }

    fn hash_params(hash: &str) -> String {
        hash.split('$').take(4).collect::<Vec<_>>().join("$")
    }
}

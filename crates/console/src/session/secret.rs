//! Secrets that people carry in links and cookies, and the keys that seal what rests with them.
//!
//! A secret has 256 bits and is written in base64url; the store knows only its SHA-256. Not here:
//! passwords and one-time codes, which people choose or type.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::Entropy;

/// A secret of 256 bits, written in base64url without padding (43 characters).
pub struct Secret(String);

impl Secret {
    /// A new secret.
    pub fn random(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// A new secret for a system that calls the API. What it begins with tells whoever finds it
    /// where it must not be what it is.
    pub fn for_api(entropy: &dyn Entropy) -> Self {
        let Self(random) = Self::random(entropy);
        Self(format!("tenkoku_{random}"))
    }

    /// The secret as it stands in a link, a cookie or a form.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What the store keeps of it.
    pub fn digest(&self) -> Digest {
        digest_of(&self.0)
    }
}

/// The digest under which a secret that came in is looked up.
pub fn digest_of(secret: &str) -> Digest {
    Digest::of(secret.as_bytes())
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Whether two texts are the same, in a time that does not tell where they differ.
pub fn same(left: &str, right: &str) -> bool {
    left.as_bytes().ct_eq(right.as_bytes()).into()
}

/// Why something sealed could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what was sealed by the console does not open with its key")]
pub struct SealError;

/// The console's own key: seals one-time-code secrets, and derives what must look random.
#[derive(Clone)]
pub struct ConsoleKey([u8; 32]);

impl fmt::Debug for ConsoleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConsoleKey(…)")
    }
}

/// The format of sealed octets: this number, 12 octets of nonce, AES-256-GCM text and tag.
const SEALED_VERSION: u8 = 1;
const NONCE_LENGTH: usize = 12;

impl ConsoleKey {
    /// The key as the server derived it.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// 32 octets that depend on the key and the label only (HKDF-SHA-256, RFC 5869).
    pub fn derive(&self, label: &str) -> [u8; 32] {
        let mut out = [0; 32];
        let prk = Salt::new(HKDF_SHA256, b"tenkoku-console-v1").extract(&self.0);
        // 32 octets are one block of SHA-256, so neither step can refuse.
        if let Ok(okm) = prk.expand(&[label.as_bytes()], HKDF_SHA256) {
            let filled = okm.fill(&mut out);
            debug_assert!(filled.is_ok(), "one block of HKDF");
        }
        out
    }

    fn cipher(&self) -> Result<LessSafeKey, SealError> {
        let key = UnboundKey::new(&AES_256_GCM, &self.derive("seal")).map_err(|_| SealError)?;
        Ok(LessSafeKey::new(key))
    }

    /// Seals octets for one purpose and owner: what `context` names.
    pub fn seal(
        &self,
        entropy: &dyn Entropy,
        context: &str,
        plain: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_LENGTH];
        entropy.fill(&mut nonce);
        let mut text = plain.to_vec();
        self.cipher()?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(context.as_bytes()),
                &mut text,
            )
            .map_err(|_| SealError)?;
        Ok([&[SEALED_VERSION][..], &nonce, &text].concat())
    }

    /// Opens what [`ConsoleKey::seal`] sealed in the same context.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (version, rest) = sealed.split_first().ok_or(SealError)?;
        let (nonce, text) = rest.split_at_checked(NONCE_LENGTH).ok_or(SealError)?;
        if *version != SEALED_VERSION {
            return Err(SealError);
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError)?;
        let mut text = text.to_vec();
        let plain = self
            .cipher()?
            .open_in_place(nonce, Aad::from(context.as_bytes()), &mut text)
            .map_err(|_| SealError)?;
        Ok(plain.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn a_secret_has_43_characters_and_never_shows_in_a_log() {
        let secret = Secret::random(&Fixed(0xFF));
        assert_eq!(secret.expose().len(), 43);
        assert_eq!(secret.digest(), digest_of(secret.expose()));
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }

    #[test]
    fn what_is_sealed_opens_in_its_own_context_only() {
        let key = ConsoleKey::new([7; 32]);
        let sealed = key.seal(&Fixed(1), "totp:usr_1", b"twenty octets").unwrap();
        assert_eq!(key.open("totp:usr_1", &sealed).unwrap(), b"twenty octets");
        assert_eq!(key.open("totp:usr_2", &sealed), Err(SealError));
        assert_eq!(ConsoleKey::new([8; 32]).open("totp:usr_1", &sealed), Err(SealError));
        for cut in 0..sealed.len() {
            assert_eq!(key.open("totp:usr_1", &sealed[..cut]), Err(SealError));
        }
    }

    #[test]
    fn derived_octets_differ_by_label() {
        let key = ConsoleKey::new([7; 32]);
        assert_ne!(key.derive("a"), key.derive("b"));
        assert_ne!(key.derive("a"), [0; 32]);
    }
}

//! The encrypted stream: pieces of 64 KiB, each sealed with AES-256-GCM under a key that Argon2id
//! (RFC 9106) makes of a passphrase and a fresh salt. The nonce of a piece is its number and whether
//! it is the last, so that pieces cannot be moved, dropped or cut off (the STREAM construction of
//! Hoang, Reyhanitabar, Rogaway and Vizár, 2015). The first line of the file is authenticated with
//! every piece. The first piece is empty: it tells a wrong passphrase from damage.

use std::io::{self, Read, Write};

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::Entropy;

use super::BackupError;

/// Octets of a piece before it is sealed.
const PIECE: usize = 64 * 1024;
/// Octets that GCM appends.
const TAG: usize = 16;
/// Octets of a salt.
const SALT: usize = 16;
/// What a file may ask for at most, so that a hostile one cannot eat the machine.
const MOST_MEMORY_KIB: u32 = 1024 * 1024;
const MOST_PASSES: u32 = 16;
const MOST_LANES: u32 = 4;

/// How the key comes from the passphrase. Stored in the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Derivation {
    function: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    /// Hexadecimal.
    salt: String,
}

impl Derivation {
    /// For a new file: a copy leaves the machine, so a guess costs more than at the key store.
    pub(super) fn fresh(entropy: &dyn Entropy) -> Self {
        let mut salt = [0; SALT];
        entropy.fill(&mut salt);
        Self {
            function: "argon2id".to_owned(),
            memory_kib: 64 * 1024,
            passes: 3,
            lanes: 1,
            salt: hex::encode(salt),
        }
    }

    /// The key for this file.
    pub(super) fn key(&self, passphrase: &SecretString) -> Result<LessSafeKey, BackupError> {
        let sane = self.function == "argon2id"
            && self.memory_kib <= MOST_MEMORY_KIB
            && self.passes <= MOST_PASSES
            && self.lanes <= MOST_LANES;
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).ok();
        let salt = hex::decode(&self.salt).ok().filter(|salt| salt.len() == SALT);
        let (Some(params), Some(salt), true) = (params, salt, sane) else {
            return Err(BackupError::NotABackup);
        };
        let mut key = zeroize::Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose_secret().as_bytes(), &salt, &mut *key)
            .map_err(|_| BackupError::Passphrase)?;
        let key = UnboundKey::new(&AES_256_GCM, &*key).map_err(|_| BackupError::Passphrase)?;
        Ok(LessSafeKey::new(key))
    }
}

/// The place of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Inner,
    Last,
}

fn nonce(number: u64, place: Place) -> Nonce {
    let mut octets = [0; 12];
    let (head, rest) = octets.split_at_mut(8);
    head.copy_from_slice(&number.to_be_bytes());
    if let (Place::Last, Some(mark)) = (place, rest.last_mut()) {
        *mark = 1;
    }
    Nonce::assume_unique_for_key(octets)
}

/// Seals what is written. [`Sealing::finish`] must be called: without the last piece the file is
/// damaged.
pub(super) struct Sealing<W> {
    out: W,
    key: LessSafeKey,
    header: Digest,
    number: u64,
    piece: Vec<u8>,
}

impl<W: Write> Sealing<W> {
    pub(super) fn new(out: W, key: LessSafeKey, header: Digest) -> io::Result<Self> {
        let piece = Vec::with_capacity(PIECE + TAG);
        let mut sealing = Self { out, key, header, number: 0, piece };
        sealing.seal(Place::Inner)?;
        Ok(sealing)
    }

    fn seal(&mut self, place: Place) -> io::Result<()> {
        let aad = Aad::from(self.header.0);
        self.key
            .seal_in_place_append_tag(nonce(self.number, place), aad, &mut self.piece)
            .map_err(|_| io::Error::other("a piece could not be sealed"))?;
        self.out.write_all(&self.piece)?;
        self.piece.clear();
        self.number += 1;
        Ok(())
    }

    /// Seals the last piece and gives the inner writer back.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.seal(Place::Last)?;
        self.out.flush()?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        // A full piece waits for more: it could be the last.
        if self.piece.len() == PIECE && !octets.is_empty() {
            self.seal(Place::Inner)?;
        }
        let (taken, _) = octets.split_at(octets.len().min(PIECE - self.piece.len()));
        self.piece.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens what [`Sealing`] sealed. Nothing of a piece is handed out before it is authenticated.
pub(super) struct Opening<R> {
    from: R,
    key: LessSafeKey,
    header: Digest,
    number: u64,
    /// Sealed octets that were read ahead: a piece is the last where none follow.
    ahead: Vec<u8>,
    clear: Vec<u8>,
    at: usize,
    done: bool,
}

impl<R: Read> Opening<R> {
    /// The first piece is opened at once: a wrong passphrase is told here.
    pub(super) fn new(from: R, key: LessSafeKey, header: Digest) -> Result<Self, BackupError> {
        let (ahead, clear) = (Vec::new(), Vec::new());
        let mut opening = Self { from, key, header, number: 0, ahead, clear, at: 0, done: false };
        let mut first = Vec::new();
        opening.from.by_ref().take(u64::try_from(TAG).unwrap_or(0)).read_to_end(&mut first)?;
        let opened = opening.unseal(first, Place::Inner);
        opened.map_err(|_| BackupError::Passphrase)?;
        Ok(opening)
    }

    /// Reads ahead until a whole piece and one octet of the next are there, or the file ends.
    fn read_ahead(&mut self) -> io::Result<()> {
        let wanted = PIECE + TAG + 1 - self.ahead.len();
        let wanted = u64::try_from(wanted).unwrap_or(0);
        self.from.by_ref().take(wanted).read_to_end(&mut self.ahead)?;
        Ok(())
    }

    /// Opens the piece that was read ahead.
    fn open(&mut self) -> io::Result<()> {
        let place = if self.ahead.len() > PIECE + TAG { Place::Inner } else { Place::Last };
        let rest = self.ahead.split_off(self.ahead.len().min(PIECE + TAG));
        let sealed = std::mem::replace(&mut self.ahead, rest);
        self.unseal(sealed, place)?;
        self.done = place == Place::Last;
        Ok(())
    }

    fn unseal(&mut self, mut sealed: Vec<u8>, place: Place) -> io::Result<()> {
        let aad = Aad::from(self.header.0);
        let clear = self
            .key
            .open_in_place(nonce(self.number, place), aad, &mut sealed)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a piece does not open"))?;
        let length = clear.len();
        sealed.truncate(length);
        self.clear = sealed;
        self.at = 0;
        self.number += 1;
        Ok(())
    }
}

impl<R: Read> Read for Opening<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.clear.len() && !self.done {
            self.read_ahead()?;
            self.open()?;
        }
        let mut left = self.clear.get(self.at..).unwrap_or_default();
        let read = left.read(buffer)?;
        self.at += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    fn cheap() -> Derivation {
        Derivation { memory_kib: 64, passes: 1, ..Derivation::fresh(&SystemEntropy) }
    }

    fn sealed(clear: &[u8], derivation: &Derivation) -> Vec<u8> {
        let key = derivation.key(&SecretString::from("a")).unwrap();
        let mut sealing = Sealing::new(Vec::new(), key, Digest::of(b"header")).unwrap();
        sealing.write_all(clear).unwrap();
        sealing.finish().unwrap()
    }

    fn opened(sealed: &[u8], derivation: &Derivation, word: &str) -> Result<Vec<u8>, BackupError> {
        let key = derivation.key(&SecretString::from(word)).unwrap();
        let mut opening = Opening::new(sealed, key, Digest::of(b"header"))?;
        let mut clear = Vec::new();
        opening.read_to_end(&mut clear)?;
        Ok(clear)
    }

    #[test]
    fn what_was_sealed_opens_whatever_its_length() {
        let derivation = cheap();
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 7] {
            let clear: Vec<u8> = (0..=250).cycle().take(length).collect();
            let file = sealed(&clear, &derivation);
            assert_eq!(opened(&file, &derivation, "a").unwrap(), clear, "{length} octets");
        }
    }

    #[test]
    fn another_passphrase_opens_nothing() {
        let derivation = cheap();
        let file = sealed(b"secret", &derivation);
        let refused = opened(&file, &derivation, "b");
        assert!(matches!(refused, Err(BackupError::Passphrase)), "{refused:?}");
    }

    #[test]
    fn pieces_that_were_cut_moved_or_changed_are_found() {
        let derivation = cheap();
        let clear = vec![7; 3 * PIECE];
        let file = sealed(&clear, &derivation);
        let (first, whole) = (TAG, PIECE + TAG);
        let cut = &file[..first + 2 * whole];
        assert!(opened(cut, &derivation, "a").is_err(), "the last piece is missing");
        let (one, two) = (first + whole, first + 2 * whole);
        let moved = [&file[..first], &file[one..two], &file[first..one], &file[two..]].concat();
        assert!(opened(&moved, &derivation, "a").is_err(), "two pieces changed places");
        let mut changed = file.clone();
        changed[whole + 5] ^= 1;
        assert!(opened(&changed, &derivation, "a").is_err(), "an octet was changed");
        let longer = [&file[..], b"x"].concat();
        assert!(opened(&longer, &derivation, "a").is_err(), "an octet was appended");
    }

    #[test]
    fn a_file_that_asks_for_too_much_memory_is_refused() {
        let greedy = Derivation { memory_kib: 8 * 1024 * 1024, ..cheap() };
        let refused = greedy.key(&SecretString::from("a"));
        assert!(matches!(refused, Err(BackupError::NotABackup)));
    }
}

//! Archives of files: ZIP (APPNOTE 6.3.10) in one form only, so that there is one way to read it.
//!
//! Files are stored as they are, in the order of their names, without dates, extra fields, comments,
//! or anything before, between or after them. An archive is read by writing what was read again:
//! whatever does not give the same octets is refused. So two programs never see two contents.

use std::collections::BTreeMap;

/// Octets of an archive at most.
pub const LIMIT_OCTETS: usize = 256 * 1024 * 1024;

/// Files at most.
const FILES_MAX: usize = 4096;

const LOCAL: u32 = 0x0403_4B50;
const CENTRAL: u32 = 0x0201_4B50;
const END: u32 = 0x0605_4B50;
/// Version 2.0, which every reader knows.
const VERSION: u16 = 20;
/// Names are UTF-8 (4.4.4, bit 11).
const UTF_8: u16 = 1 << 11;
/// 1 January 1980, the first day that the format knows.
const DAY: u16 = (1 << 5) | 1;
/// Octets of a local header without the name.
const LOCAL_OCTETS: usize = 30;

/// Files by their names.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Why octets are no archive of this form, or files cannot be put into one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// Too many octets or files.
    #[error("the archive is too large")]
    TooLarge,
    /// A name that would leave the folder it is unpacked into, or is written in another way.
    #[error("a file of the archive has a name that is not taken")]
    Name,
    /// Something else than the one form.
    #[error("this is no archive of the one form that is read here, or it was changed")]
    Form,
}

/// Whether a name stays below the folder it is unpacked into, on every system: parts of letters,
/// digits, `.`, `-`, `_`, none of which begins with a dot.
fn is_plain(name: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b))
    };
    name.len() <= 255 && name.split('/').all(part)
}

/// CRC-32 (4.4.7).
fn crc(content: &[u8]) -> u32 {
    !content.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            let carry = if sum & 1 == 1 { 0xEDB8_8320 } else { 0 };
            (sum >> 1) ^ carry
        })
    })
}

fn put16(out: &mut Vec<u8>, numbers: &[u16]) {
    out.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
}

fn put32(out: &mut Vec<u8>, numbers: &[u32]) {
    out.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
}

/// Writes files as an archive.
pub fn write(files: &Files) -> Result<Vec<u8>, ArchiveError> {
    let count = u16::try_from(files.len()).map_err(|_| ArchiveError::TooLarge)?;
    let octets: usize = files.values().map(Vec::len).sum();
    if files.len() > FILES_MAX || octets > LIMIT_OCTETS {
        return Err(ArchiveError::TooLarge);
    }
    let long = |length: usize| u32::try_from(length).map_err(|_| ArchiveError::TooLarge);
    let (mut out, mut central) = (Vec::new(), Vec::new());
    for (name, content) in files {
        if !is_plain(name) {
            return Err(ArchiveError::Name);
        }
        let name_length = u16::try_from(name.len()).map_err(|_| ArchiveError::Name)?;
        let (sum, size, offset) = (crc(content), long(content.len())?, long(out.len())?);
        put32(&mut out, &[LOCAL]);
        put16(&mut out, &[VERSION, UTF_8, 0, 0, DAY]);
        put32(&mut out, &[sum, size, size]);
        put16(&mut out, &[name_length, 0]);
        out.extend(name.as_bytes());
        out.extend(content);
        put32(&mut central, &[CENTRAL]);
        put16(&mut central, &[VERSION, VERSION, UTF_8, 0, 0, DAY]);
        put32(&mut central, &[sum, size, size]);
        put16(&mut central, &[name_length, 0, 0, 0, 0]);
        put32(&mut central, &[0, offset]);
        central.extend(name.as_bytes());
    }
    let (size, offset) = (long(central.len())?, long(out.len())?);
    out.extend(central);
    put32(&mut out, &[END]);
    put16(&mut out, &[0, 0, count, count]);
    put32(&mut out, &[size, offset]);
    put16(&mut out, &[0]);
    Ok(out)
}

fn number(octets: &[u8], at: usize, length: usize) -> Result<usize, ArchiveError> {
    let end = at.checked_add(length).ok_or(ArchiveError::Form)?;
    let bytes = octets.get(at..end).ok_or(ArchiveError::Form)?;
    Ok(bytes.iter().rev().fold(0, |sum, byte| (sum << 8) | usize::from(*byte)))
}

/// Reads the files of an archive.
pub fn read(octets: &[u8]) -> Result<Files, ArchiveError> {
    if octets.len() > LIMIT_OCTETS {
        return Err(ArchiveError::TooLarge);
    }
    let local = usize::try_from(LOCAL).map_err(|_| ArchiveError::Form)?;
    let (mut files, mut at) = (Files::new(), 0);
    while number(octets, at, 4)? == local {
        let (size, name) = (number(octets, at + 18, 4)?, number(octets, at + 26, 2)?);
        let start = at.checked_add(LOCAL_OCTETS).ok_or(ArchiveError::Form)?;
        let middle = start.checked_add(name).ok_or(ArchiveError::Form)?;
        let end = middle.checked_add(size).ok_or(ArchiveError::Form)?;
        let name = octets.get(start..middle).ok_or(ArchiveError::Form)?;
        let content = octets.get(middle..end).ok_or(ArchiveError::Form)?;
        let name = std::str::from_utf8(name).map_err(|_| ArchiveError::Name)?;
        if !is_plain(name) {
            return Err(ArchiveError::Name);
        }
        if files.len() >= FILES_MAX || files.insert(name.to_owned(), content.to_vec()).is_some() {
            return Err(ArchiveError::Form);
        }
        at = end;
    }
    if write(&files)? == octets { Ok(files) } else { Err(ArchiveError::Form) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Files {
        Files::from([
            ("a/one.json".to_owned(), b"{}".to_vec()),
            ("a/two.txt".to_owned(), Vec::new()),
            ("b.pem".to_owned(), vec![0; 1000]),
        ])
    }

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let octets = write(&sample()).unwrap();
        assert_eq!(read(&octets), Ok(sample()));
        for place in 0..octets.len() {
            let mut changed = octets.clone();
            changed[place] ^= 1;
            assert_ne!(read(&changed), Ok(sample()), "octet {place}");
            assert_ne!(read(&octets[..place]), Ok(sample()), "cut at {place}");
        }
        for more in [&b"x"[..], &octets[..]] {
            assert!(read(&[&octets, more].concat()).is_err(), "something after it");
            assert!(read(&[more, &octets].concat()).is_err(), "something before it");
        }
    }

    #[test]
    fn a_name_stays_in_its_folder() {
        for bad in
            ["../x", "/x", "a//b", "a/../b", "", ".x", "a\\b", "C:x", "a/", "x\0", "é", "a b"]
        {
            let files = Files::from([(bad.to_owned(), Vec::new())]);
            assert_eq!(write(&files), Err(ArchiveError::Name), "{bad:?}");
        }
    }

    #[test]
    fn the_sum_is_that_of_everybody() {
        assert_eq!(crc(b"123456789"), 0xCBF4_3926);
    }
}

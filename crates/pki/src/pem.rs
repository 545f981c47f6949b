//! PEM text (RFC 7468): one block in, one block out.
//!
//! The reader says precisely what is wrong, because people paste PEM by hand.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Characters of a line of the body (RFC 7468, 2).
const LINE: usize = 64;

/// Why a text is not the PEM block that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// Nothing at all.
    #[error("the file is empty")]
    Empty,
    /// Neither PEM nor DER.
    #[error("this is neither PEM (-----BEGIN …) nor DER")]
    Neither,
    /// The last line is missing.
    #[error("the text is cut off: the last line -----END {0}----- is missing")]
    Truncated(String),
    /// The block says that it is something else.
    #[error("this is a {found}, not a {expected}")]
    Label {
        /// The label that was expected.
        expected: &'static str,
        /// The label of the block.
        found: String,
    },
    /// More than one block.
    #[error("there is more than one block; exactly one is expected")]
    Several,
    /// The body is not base64.
    #[error("the text between the first and the last line is damaged")]
    Base64,
}

/// The DER of `input`, which is DER itself or one PEM block under one of `labels`. Text around the
/// block is skipped.
pub fn decode(input: &[u8], labels: &[&'static str]) -> Result<Vec<u8>, PemError> {
    if input.first() == Some(&0x30) {
        return Ok(input.to_vec());
    }
    let text = std::str::from_utf8(input).map_err(|_| PemError::Neither)?;
    if text.trim().is_empty() {
        return Err(PemError::Empty);
    }
    let (label, body, rest) = split_block(text)?;
    if !labels.contains(&label) {
        let expected = labels.first().copied().unwrap_or_default();
        return Err(PemError::Label { expected, found: label.to_owned() });
    }
    if rest.contains("-----BEGIN ") {
        return Err(PemError::Several);
    }
    let body: Vec<u8> = body.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    STANDARD.decode(body).map_err(|_| PemError::Base64)
}

/// The DER of every PEM block of a text; all are under one of `labels`. Text around the blocks is
/// skipped; a text without a block holds nothing, if it is blank.
pub fn decode_several(text: &str, labels: &[&'static str]) -> Result<Vec<Vec<u8>>, PemError> {
    let mut blocks = text.split("-----BEGIN ");
    let before = blocks.next().unwrap_or_default();
    let found: Vec<_> = blocks
        .map(|block| decode(format!("-----BEGIN {block}").as_bytes(), labels))
        .collect::<Result<_, _>>()?;
    if found.is_empty() && !before.trim().is_empty() { Err(PemError::Neither) } else { Ok(found) }
}

/// Label, body and what follows.
fn split_block(text: &str) -> Result<(&str, &str, &str), PemError> {
    let (_, after) = text.split_once("-----BEGIN ").ok_or(PemError::Neither)?;
    let cut = |label: &str| PemError::Truncated(label.trim().to_owned());
    let (label, after) = after
        .split_once("-----")
        .filter(|(label, _)| !label.contains('\n'))
        .ok_or_else(|| cut(after.lines().next().unwrap_or_default()))?;
    let end = format!("-----END {label}-----");
    match after.split_once(end.as_str()) {
        Some((body, rest)) => Ok((label, body, rest)),
        None => Err(cut(label)),
    }
}

/// One block with lines of 64 characters.
pub fn encode(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let mut lines = vec![format!("-----BEGIN {label}-----")];
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(LINE).unwrap_or((rest, ""));
        lines.push(line.to_owned());
        rest = after;
    }
    lines.push(format!("-----END {label}-----\n"));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&[u8], PemError>) {
        let got = decode(text.as_bytes(), &["THING", "OLD THING"]);
        assert_eq!(got, expected.map(<[u8]>::to_vec), "{text}");
    }

    #[test]
    fn a_block_is_read_and_what_is_wrong_is_said() {
        check("-----BEGIN THING-----\nMAA=\n-----END THING-----\n", Ok(&[0x30, 0]));
        check(
            "text\r\n-----BEGIN OLD THING-----\r\nMA\r\nA=\r\n-----END OLD THING-----",
            Ok(&[0x30, 0]),
        );
        check("", Err(PemError::Empty));
        check(" \n", Err(PemError::Empty));
        check("hello", Err(PemError::Neither));
        check("-----BEGIN THING-----\nMAA=\n", Err(PemError::Truncated("THING".to_owned())));
        check("-----BEGIN THI", Err(PemError::Truncated("THI".to_owned())));
        check("-----BEGIN THING-----\nM*A=\n-----END THING-----\n", Err(PemError::Base64));
        check("-----BEGIN THING-----\nMAA\n-----END THING-----\n", Err(PemError::Base64));
        let two = "-----BEGIN THING-----\nMAA=\n-----END THING-----\n".repeat(2);
        check(&two, Err(PemError::Several));
        let key = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
        let found = "PRIVATE KEY".to_owned();
        check(key, Err(PemError::Label { expected: "THING", found }));
    }

    #[test]
    fn several_blocks_are_read_and_none_may_be_damaged() {
        let several = |text: &str| decode_several(text, &["THING"]);
        let one = "-----BEGIN THING-----\nMAA=\n-----END THING-----\n";
        assert_eq!(several(" \n"), Ok(Vec::new()));
        assert_eq!(several(&format!("text\n{one}more\n{one}")), Ok(vec![vec![0x30, 0]; 2]));
        assert_eq!(several("MAA="), Err(PemError::Neither));
        let cut = Err(PemError::Truncated("THING".to_owned()));
        assert_eq!(several(&format!("{one}-----BEGIN THING-----\nMAA=")), cut);
    }

    #[test]
    fn what_is_written_reads_back() {
        for length in [0, 1, 47, 48, 49, 96, 1000] {
            let der = vec![0x30; length];
            let text = encode("THING", &der);
            assert!(text.lines().all(|line| line.len() <= LINE));
            assert_eq!(decode(text.as_bytes(), &["THING"]), Ok(der));
        }
    }
}

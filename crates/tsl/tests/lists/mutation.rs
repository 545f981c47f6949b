//! Kept documents, damaged in a fixed way: the same properties as the fuzz targets, in every run.
//!
//! No panic; a canonical form is its own canonical form; a signed list that still verifies after
//! damage says what it said before; what is read unsigned can be written and then reads the same.

use std::fs;
use std::path::{Path, PathBuf};

use tenkoku_tsl::c14n::{Extent, Method, canonicalise};
use tenkoku_tsl::rules::findings;
use tenkoku_tsl::verify::{read_unsigned, verify};
use tenkoku_tsl::write::to_xml;

use crate::sample::data;

/// How often each document is damaged.
const ROUNDS: usize = 400;

/// Xorshift: any numbers will do, and the same ones in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }
}

/// What damage puts in: the pieces on which readers of XML stumble.
const PIECES: &[&str] = &[
    "<",
    ">",
    "&",
    "&amp;",
    "&#x0;",
    "&#13;",
    "]]>",
    "<![CDATA[",
    "<!--",
    "-->",
    "<?x?>",
    "\"",
    "'",
    "xmlns=\"\"",
    " xmlns:a=\"urn:a\"",
    " Id=\"p1\"",
    "\r\n",
    "\t",
    "\u{feff}",
    "\u{1f512}",
    "</",
    "/>",
    "<!DOCTYPE x>",
    " xml:lang=\"en\"",
    "\0",
];

/// One to four changes: a piece put in, a stretch taken out, moved or doubled, a byte changed.
fn damaged(document: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = document.to_vec();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len());
        let end = (at + 1 + numbers.below(60)).min(bytes.len());
        match numbers.below(5) {
            0 => {
                let piece = PIECES[numbers.below(PIECES.len())].bytes();
                bytes.splice(at..at, piece);
            }
            1 => drop(bytes.drain(at..end)),
            2 => {
                let stretch = bytes[at..end].to_vec();
                let to = numbers.below(bytes.len());
                bytes.splice(to..to, stretch);
            }
            3 if at < bytes.len() => bytes[at] = b'!' + u8::try_from(numbers.below(90)).unwrap(),
            _ => {
                let (one, other) = (numbers.below(bytes.len()), numbers.below(bytes.len()));
                if one < bytes.len() && other < bytes.len() {
                    bytes.swap(one, other);
                }
            }
        }
    }
    bytes
}

fn corpus(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn a_damaged_document_has_a_stable_canonical_form_or_none() {
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    let mut formed = 0;
    for file in corpus("list_canonical") {
        let document = fs::read(&file).unwrap();
        for round in 0..ROUNDS {
            let document = damaged(&document, &mut numbers);
            for method in [Method::Exclusive, Method::Inclusive] {
                let Ok(form) = canonicalise(&document, method, Extent::Document) else { continue };
                let again = canonicalise(&form, method, Extent::Document);
                assert!(again.is_ok_and(|again| again == form), "{} {round}", file.display());
                formed += 1;
            }
        }
    }
    assert!(formed > 200, "only {formed} damaged documents were still XML");
}

#[test]
fn a_damaged_list_says_what_was_signed_or_is_refused() {
    let mut numbers = Numbers(0x2545_F491_4F6C_DD1D);
    let signed = [data().join("example.xml"), data().join("hostile/good.xml")];
    let mut refused = 0;
    for file in signed {
        let document = fs::read(file).unwrap();
        let original = verify(&document).unwrap();
        for _ in 0..ROUNDS {
            match verify(&damaged(&document, &mut numbers)) {
                Ok(read) => {
                    assert_eq!(read.list(), original.list());
                    assert_eq!(read.signer(), original.signer());
                    assert_eq!(read.signing_time(), original.signing_time());
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > ROUNDS, "only {refused} were refused");
}

#[test]
fn a_damaged_draft_that_is_read_can_be_written() {
    let mut numbers = Numbers(0x1234_5678_9ABC_DEF1);
    let mut read = 0;
    for file in corpus("list_reader") {
        let document = fs::read(&file).unwrap();
        for round in 0..ROUNDS {
            let Ok(list) = read_unsigned(&damaged(&document, &mut numbers)) else { continue };
            read += 1;
            drop(findings(&list));
            let again = read_unsigned(to_xml(&list).as_bytes());
            let again = again.unwrap_or_else(|why| panic!("{} {round}: {why}", file.display()));
            assert!(again == list, "{} {round}", file.display());
        }
    }
    assert!(read > 15, "only {read} damaged drafts were read");
}

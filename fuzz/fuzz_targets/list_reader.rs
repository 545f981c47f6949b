//! Any octets as a trusted list: no panic; what is read can be written, and then reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tenkoku_tsl::diff::changes;
use tenkoku_tsl::rules::findings;
use tenkoku_tsl::verify::{read_unsigned, verify};
use tenkoku_tsl::write::to_xml;

fuzz_target!(|input: &[u8]| {
    drop(verify(input));
    let Ok(list) = read_unsigned(input) else { return };
    drop(findings(&list));
    let again = read_unsigned(to_xml(&list).as_bytes()).expect("what was read can be written");
    assert!(changes(&list, &again).is_empty());
    assert!(list == again);
});

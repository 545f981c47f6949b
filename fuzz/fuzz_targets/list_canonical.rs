//! Any octets through the canonicaliser: no panic, and a canonical form is its own canonical form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tenkoku_tsl::c14n::{Extent, Method, canonicalise};

fuzz_target!(|input: &[u8]| {
    for method in [Method::Exclusive, Method::Inclusive] {
        let Ok(form) = canonicalise(input, method, Extent::Document) else { return };
        let again = canonicalise(&form, method, Extent::Document).expect("a canonical form is XML");
        assert!(form == again);
        drop(canonicalise(input, method, Extent::WithoutSignature));
        drop(canonicalise(input, method, Extent::Element("p1")));
    }
});

//! Any octets as an OCSP request: no panic, and what is accepted is what it says it is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tenkoku_pki::ocsp::{MAX_REQUESTS, Request, encode_request};

fuzz_target!(|input: &[u8]| {
    let Ok(request) = Request::parse(input) else { return };
    assert!((1..=MAX_REQUESTS).contains(&request.cert_ids().len()));
    assert!(request.nonce().is_none_or(|nonce| (1..=128).contains(&nonce.len())));
    // Written anew from what was read, it reads the same.
    let ids: Vec<Vec<u8>> = request.cert_ids().iter().map(|id| id.der().to_vec()).collect();
    let again = encode_request(&ids, request.nonce());
    let reread = Request::parse(&again).expect("what was read can be written");
    assert_eq!(reread.cert_ids(), request.cert_ids());
    assert_eq!(reread.nonce(), request.nonce());
});

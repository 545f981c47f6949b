//! Any octets through every reader of DER: no panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tenkoku_pki::cert::Certificate;
use tenkoku_pki::crl::Crl;
use tenkoku_pki::key::PresentedKey;
use tenkoku_pki::name::DistinguishedName;
use tenkoku_pki::ocsp::Answer;

fuzz_target!(|input: &[u8]| {
    drop(Answer::parse(input));
    drop(Certificate::parse(input).map(|certificate| certificate.public_key()));
    drop(Crl::parse(input).map(|crl| crl.entries().count()));
    drop(PresentedKey::parse(input).map(|key| key.accept()));
    drop(DistinguishedName::parse(input).map(|name| name.subject_line()));
    drop(tenkoku_pki::csr::Request::parse(input));
});

//! Hostile input: arbitrary octets, damaged good files, and the folder of files that once hurt
//! somebody. No parser may panic, and none may take a damaged file for a good one.

use std::fs;

use proptest::prelude::*;

use crate::cert::Certificate;
use crate::crl::Crl;
use crate::csr;
use crate::key::PresentedKey;
use crate::name::DistinguishedName;
use crate::ocsp::{self, Answer, HashAlgorithm};
use crate::signature::SignatureAlgorithm;
use crate::specimens::{cert_id, data};

/// Gives the octets to every parser and asks what it read for everything it can say.
fn read_all(input: &[u8]) {
    drop(csr::Request::parse(input));
    drop(PresentedKey::parse(input).map(|key| (key.fingerprint(), key.accept())));
    drop(DistinguishedName::parse(input).map(|name| name.subject_line()));
    drop(SignatureAlgorithm::parse(input));
    drop(ocsp::Request::parse(input).map(|request| request.cert_ids()[0].serial()));
    drop(Answer::parse(input).map(|answer| answer.nonce().map(<[u8]>::to_vec)));
    drop(Crl::parse(input).map(|crl| (crl.number(), crl.expired_since(), crl.entries().count())));
    if let Ok(certificate) = Certificate::parse(input) {
        let _ = certificate.public_key();
        let _ = (certificate.policies(), certificate.crl_addresses());
        let _ = certificate.access_addresses(crate::oid::OCSP);
        let _ = (certificate.subject_key_identifier(), certificate.authority_key_identifier());
        let _ = (certificate.alternative_directory_name(), certificate.serial());
    }
}

/// Good files of every kind.
fn good() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = ["golden", "requests"]
        .iter()
        .flat_map(|folder| fs::read_dir(data(folder)).unwrap())
        .map(|file| fs::read(file.unwrap().path()).unwrap())
        .collect();
    let ids = [cert_id(HashAlgorithm::Sha1, 1), cert_id(HashAlgorithm::Sha256, 2)];
    all.push(ocsp::encode_request(&ids, Some(&[7; 32])));
    all
}

proptest! {
    #[test]
    fn arbitrary_octets_do_no_harm(input in prop::collection::vec(any::<u8>(), 0..400)) {
        read_all(&input);
    }

    #[test]
    fn damaged_files_do_no_harm(
        file in prop::sample::select(good()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        end in any::<prop::sample::Index>(),
    ) {
        let mut input = file;
        for (place, octet) in damage {
            let place = place.index(input.len());
            input[place] = octet;
        }
        read_all(&input);
        input.truncate(end.index(input.len()));
        read_all(&input);
    }

    #[test]
    fn a_request_changed_in_one_octet_is_refused(
        place in any::<prop::sample::Index>(),
        change in 1..=255_u8,
    ) {
        let pem = fs::read(data("requests").join("p256.pem")).unwrap();
        let mut der = csr::Request::parse(&pem).unwrap().der().to_vec();
        let place = place.index(der.len());
        der[place] ^= change;
        prop_assert!(csr::Request::parse(&der).is_err());
    }
}

#[test]
fn every_hostile_file_is_refused_by_every_parser() {
    let mut number = 0;
    for file in fs::read_dir(data("hostile")).unwrap() {
        let path = file.unwrap().path();
        let input = fs::read(&path).unwrap();
        read_all(&input);
        let refused = csr::Request::parse(&input).is_err()
            && ocsp::Request::parse(&input).is_err()
            && Certificate::parse(&input).is_err()
            && Crl::parse(&input).is_err()
            && Answer::parse(&input).is_err();
        assert!(refused, "{}", path.display());
        number += 1;
    }
    assert!(number >= 12, "only {number} hostile files were found");
}

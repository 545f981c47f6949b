//! Requests good and hostile, and every rule of the answer lint with a draft that it refuses.

use std::collections::BTreeSet;

use tenkoku_domain::level::Level;
use tenkoku_domain::revocation::ReasonCode;

use super::lint::rule_names;
use super::*;
use crate::asn1::DerError;
use crate::signed::AssembleError;
use crate::specimens::{
    TestKey, answer, answer_order, at, cert_id, certificate, issuing, public, serial, single,
};

fn ask(nonce: Option<&[u8]>) -> Vec<u8> {
    encode_request(&[cert_id(HashAlgorithm::Sha256, 0x51)], nonce)
}

fn check_request(der: &[u8], expected: Result<(usize, Option<&[u8]>), RequestError>) {
    let got = Request::parse(der).map(|request| (request.cert_ids().len(), request.nonce()));
    assert_eq!(got, expected, "{}", hex::encode(der));
}

#[test]
fn requests_are_read() {
    check_request(&ask(None), Ok((1, None)));
    check_request(&ask(Some(&[7])), Ok((1, Some(&[7]))));
    check_request(&ask(Some(&[7; 128])), Ok((1, Some(&[7; 128]))));
    let ids: Vec<Vec<u8>> = (1..=8).map(|n| cert_id(HashAlgorithm::Sha512, n)).collect();
    check_request(&encode_request(&ids, None), Ok((8, None)));
}

#[test]
fn a_certificate_is_found_under_every_hash_of_its_issuer() {
    let (issuer, other) = (issuing(Level::One), issuing(Level::Two));
    for algorithm in HashAlgorithm::ALL {
        let der = encode_request(&[cert_id(algorithm, 0x51)], None);
        let request = Request::parse(&der).unwrap();
        let asked = request.cert_ids()[0];
        assert_eq!(asked.serial(), Some(serial(0x51)));
        assert_eq!(asked.der(), cert_id(algorithm, 0x51));
        assert!(asked.is_of(&IssuerHashes::of(algorithm, &issuer.name, &issuer.key)));
        assert!(!asked.is_of(&IssuerHashes::of(algorithm, &other.name, &other.key)));
        assert!(!asked.is_of(&IssuerHashes::of(algorithm, &issuer.name, &public("root"))));
    }
}

/// A request around one CertID given by its parts.
fn asking(algorithm: &[u8], name: &[u8], key: &[u8], number: &[u8]) -> Vec<u8> {
    let id = [algorithm, &write::octets(name), &write::octets(key), number];
    encode_request(&[write::sequence(&id)], None)
}

#[test]
fn odd_ways_to_name_a_certificate() {
    let number = write::unsigned(&[5; 16]);
    let bare = write::sequence(&[write::oid(&oid::SHA1)]);
    check_request(&asking(&bare, &[1; 20], &[2; 20], &number), Ok((1, None)));
    let sha1 = with_null(&oid::SHA1);
    check_request(&asking(&sha1, &[1; 32], &[2; 20], &number), Err(RequestError::HashLength));
    check_request(&asking(&sha1, &[1; 20], &[], &number), Err(RequestError::HashLength));
    // An unknown hash is well-formed; nobody is known under it.
    let md5 = with_null(&const_oid::ObjectIdentifier::new_unwrap("1.2.840.113549.2.5"));
    let der = asking(&md5, &[1; 16], &[2; 16], &number);
    assert_eq!(Request::parse(&der).unwrap().cert_ids()[0].algorithm(), None);
    // A number no certificate can have is well-formed; it was never issued.
    for number in [write::unsigned(&[0x7F; 21]), vec![2, 1, 0xFF], vec![2, 1, 0]] {
        let der = asking(&sha1, &[1; 20], &[2; 20], &number);
        assert_eq!(Request::parse(&der).unwrap().cert_ids()[0].serial(), None);
    }
    let long_way = [2, 2, 0, 1];
    let error = DerError::Value("a number is not written in the fewest octets");
    check_request(&asking(&sha1, &[1; 20], &[2; 20], &long_way), Err(error.into()));
}

/// A request with these extensions, each given as OID, criticality and value.
fn extended(extensions: &[(&const_oid::ObjectIdentifier, bool, &[u8])]) -> Vec<u8> {
    let list: Vec<Vec<u8>> = extensions
        .iter()
        .map(|(oid, critical, value)| {
            let truth: &[u8] = if *critical { &[1, 1, 0xFF] } else { &[] };
            write::sequence(&[write::oid(oid).as_slice(), truth, &write::octets(value)])
        })
        .collect();
    let ids = write::sequence(&[write::sequence(&[cert_id(HashAlgorithm::Sha1, 1)])]);
    let wrapped = write::context(2, &write::sequence(&list));
    write::sequence(&[write::sequence(&[ids, wrapped])])
}

#[test]
fn extensions_of_requests() {
    let other = &const_oid::ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.4");
    let nonce = write::octets(&[7; 16]);
    check_request(&extended(&[(other, false, &[5, 0])]), Ok((1, None)));
    check_request(&extended(&[(other, true, &[5, 0])]), Err(RequestError::Critical));
    check_request(&extended(&[(&oid::OCSP_NONCE, true, &nonce)]), Ok((1, Some(&[7; 16]))));
    let twice: (&_, _, &[u8]) = (&oid::OCSP_NONCE, false, &nonce);
    check_request(&extended(&[twice, twice]), Err(RequestError::Nonce));
    for wrong in [write::octets(&[]), write::octets(&[7; 129]), vec![7; 16], Vec::new()] {
        check_request(&extended(&[(&oid::OCSP_NONCE, false, &wrong)]), Err(RequestError::Nonce));
    }
    let trailing = [nonce.as_slice(), &[0]].concat();
    check_request(&extended(&[(&oid::OCSP_NONCE, false, &trailing)]), Err(RequestError::Nonce));
    let empty = DerError::Value("a list of extensions is empty");
    check_request(&extended(&[]), Err(empty.into()));
}

#[test]
fn requests_out_of_bounds_are_refused() {
    let good = ask(None);
    check_request(&[], Err(DerError::Truncated.into()));
    check_request(&[good.as_slice(), &[0]].concat(), Err(DerError::Trailing.into()));
    check_request(&good[..good.len() - 1], Err(DerError::Truncated.into()));
    check_request(&encode_request(&[], None), Err(RequestError::Count));
    let ids: Vec<Vec<u8>> = (1..=9).map(|n| cert_id(HashAlgorithm::Sha1, n)).collect();
    check_request(&encode_request(&ids, None), Err(RequestError::Count));
    check_request(&[0x30; MAX_REQUEST_OCTETS + 1], Err(RequestError::TooLarge));
    // The same in BER: an indefinite length, and version 1 written out although it is the default.
    let mut indefinite = good.clone();
    indefinite[1] = 0x80;
    check_request(&indefinite, Err(DerError::Length.into()));
}

#[test]
fn a_requestor_s_name_and_signature_are_ignored() {
    let ids = write::sequence(&[write::sequence(&[cert_id(HashAlgorithm::Sha1, 1)])]);
    let name = write::context(1, &write::context(4, issuing(Level::One).name.der()));
    let signature = write::context(0, &write::sequence(&[write::bits(&[1, 2, 3])]));
    let der = write::sequence(&[write::sequence(&[name, ids]), signature]);
    check_request(&der, Ok((1, None)));
}

/// What an answer is ordered from.
struct Desk {
    signer: AnswerSigner,
    singles: Vec<Single>,
}

impl Desk {
    fn new() -> Self {
        let (at, reason) = (at("2026-11-10T09:30:00Z"), ReasonCode::KeyCompromise);
        let singles = vec![
            single(cert_id(HashAlgorithm::Sha256, 0x51), Status::Good),
            single(cert_id(HashAlgorithm::Sha1, 0x70), Status::Revoked { at, reason }),
            single(cert_id(HashAlgorithm::Sha1, 0x71), Status::Unknown),
            single(cert_id(HashAlgorithm::Sha1, 0x72), Status::NeverIssued),
        ];
        Self { signer: AnswerSigner::new(certificate("ocsp-signer"), public("ocsp")), singles }
    }

    fn order(&self) -> AnswerOrder<'_> {
        answer_order(&self.signer, &self.singles, Some(&[7; 32]))
    }
}

fn check(rule: &str, order: &AnswerOrder<'_>, draft: AnswerDraft) {
    let found: BTreeSet<&str> = match lint(draft, order) {
        Ok(_) => BTreeSet::new(),
        Err(failed) => failed.findings.iter().map(|finding| finding.rule).collect(),
    };
    assert!(found.contains(rule), "{rule} found nothing; found were {found:?}");
}

/// The draft of another order than the one that was given.
fn with_order(rule: &str, change: impl FnOnce(&mut AnswerOrder<'_>)) {
    let desk = Desk::new();
    let mut other = desk.order();
    change(&mut other);
    check(rule, &desk.order(), draft(&other));
}

fn with_desk(rule: &str, change: impl FnOnce(&mut Desk)) {
    let mut desk = Desk::new();
    change(&mut desk);
    check(rule, &desk.order(), draft(&desk.order()));
}

/// A draft of other single answers than the ordered ones.
fn with_singles(rule: &str, change: impl FnOnce(&mut Vec<Single>)) {
    let (desk, mut other) = (Desk::new(), Desk::new());
    change(&mut other.singles);
    check(rule, &desk.order(), draft(&other.order()));
}

#[test]
fn the_signer_must_be_the_one_that_is_named() {
    let stranger = AnswerSigner::new(certificate("ocsp-signer"), public("seal"));
    let desk = Desk::new();
    let foreign = AnswerOrder { signer: &stranger, ..desk.order() };
    check("responder", &desk.order(), draft(&foreign));
    // Named by its name.
    let by_key = draft(&desk.order());
    let mut parts = crate::asn1::read::sequence(by_key.der()).unwrap();
    let mut fields = vec![write::context(1, issuing(Level::One).name.der())];
    parts.any().unwrap();
    while !parts.is_empty() {
        fields.push(parts.any().unwrap().whole.to_vec());
    }
    check("decodable", &desk.order(), AnswerDraft::from_der(write::sequence(&fields)));
    with_desk("signer-key", |desk| desk.signer = stranger.clone());
    with_desk("signer-purpose", |desk| {
        desk.signer = AnswerSigner::new(certificate("seal-1"), public("ocsp"));
    });
    let desk = Desk::new();
    let mut late = desk.order();
    late.produced_at = at("2026-12-20T00:00:00Z");
    check("signer-validity", &late, draft(&late));
}

#[test]
fn single_answers_must_be_the_ordered_ones() {
    with_order("produced-at", |order| order.produced_at = at("2026-11-30T12:00:01Z"));
    with_singles("count", |singles| drop(singles.pop()));
    with_desk("count", |desk| desk.singles.clear());
    with_singles("cert-ids", |singles| singles.swap(0, 1));
    with_singles("cert-ids", |singles| singles[0].cert_id = cert_id(HashAlgorithm::Sha1, 0x51));
    with_singles("statuses", |singles| singles[1].status = Status::Good);
    with_singles("statuses", |singles| singles[3].status = Status::Unknown);
    with_singles("dates", |singles| singles[0].next_update = at("2026-12-02T00:00:00Z"));
    with_singles("dates", |singles| singles[0].this_update = at("2026-11-30T11:00:00Z"));
    with_singles("archive-cutoff", |singles| singles[0].archive_cutoff = None);
}

#[test]
fn dates_must_not_contradict_each_other() {
    with_desk("dates-order", |desk| desk.singles[0].next_update = desk.singles[0].this_update);
    with_desk("dates-order", |desk| desk.singles[0].this_update = at("2026-11-30T12:00:01Z"));
    with_desk("dates-order", |desk| {
        let (at, reason) = (at("2026-11-30T12:00:01Z"), ReasonCode::Superseded);
        desk.singles[0].status = Status::Revoked { at, reason };
    });
}

#[test]
fn extensions_must_be_the_ordered_ones() {
    with_order("extensions", |order| order.nonce = None);
    with_order("extensions", |order| order.nonce = Some(&[8; 32]));
    // Without extended-revoke, although a certificate was never issued.
    with_singles("extensions", |singles| singles[3].status = Status::Unknown);
    let desk = Desk::new();
    let mut order = desk.order();
    for nonce in [&[][..], &[7; 129]] {
        order.nonce = Some(nonce);
        check("nonce-length", &order, draft(&order));
    }
}

#[test]
fn no_rule_is_without_a_draft_that_it_refuses() {
    let page = include_str!("tests.rs");
    for rule in rule_names() {
        assert!(page.contains(&format!("\"{rule}\"")), "{rule} has no test");
    }
}

#[test]
fn an_answer_without_nonce_and_of_issued_certificates_has_no_extensions() {
    let desk = Desk::new();
    let order = answer_order(&desk.signer, &desk.singles[..2], None);
    let read = Answer::parse(&answer(&order)).unwrap();
    assert_eq!(read.extensions(), []);
    assert_eq!(read.singles()[0].cert_id, desk.singles[0].cert_id);
    assert_eq!(read.produced_at(), order.produced_at);
    assert_eq!(read.responder(), desk.signer.key().key_identifier());
    assert_eq!(read.verify(desk.signer.key()), Ok(()));
}

#[test]
fn another_signature_completes_nothing() {
    let desk = Desk::new();
    let linted = lint(draft(&desk.order()), &desk.order()).unwrap();
    let foreign = TestKey::load("list").sign(draft(&desk.order()).der());
    assert_eq!(linted.assemble(&foreign), Err(AssembleError::Signature));
}

#[test]
fn refusals_have_their_numbers() {
    for (der, status) in
        [(MALFORMED_REQUEST, 1), (INTERNAL_ERROR, 2), (TRY_LATER, 3), (UNAUTHORIZED, 6)]
    {
        assert_eq!(Answer::parse(der), Err(AnswerError::Unsuccessful(status)));
    }
}

/// Damages octets in a way that a small generator decides.
fn damaged(original: &[u8], dice: &mut impl FnMut() -> usize) -> Vec<u8> {
    let mut octets = original.to_vec();
    for _ in 0..=dice() % 4 {
        if octets.is_empty() {
            return octets;
        }
        let place = dice() % octets.len();
        match dice() % 6 {
            0 => octets[place] = u8::try_from(dice() % 256).unwrap(),
            1 => octets[place] ^= 1 << (dice() % 8),
            2 => drop(octets.remove(place)),
            3 => octets.insert(place, u8::try_from(dice() % 256).unwrap()),
            4 => octets.truncate(place),
            _ => {
                let end = place + dice() % (octets.len() - place + 1);
                let piece = octets[place..end].to_vec();
                let to = dice() % (octets.len() + 1);
                octets.splice(to..to, piece);
            }
        }
    }
    octets
}

/// What the fuzz target of the same name asks, over the kept corpus: always the same damage.
#[test]
fn kept_requests_with_damage_are_read_as_what_they_say_or_refused() {
    let corpus = format!("{}/../../fuzz/corpus/ocsp_request", env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> =
        std::fs::read_dir(corpus).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let corpus: Vec<_> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut dice = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap()
    };
    let (mut read, mut refused) = (0, 0);
    for round in 0..60_000 {
        let octets = damaged(&corpus[round % corpus.len()], &mut dice);
        let Ok(request) = Request::parse(&octets) else {
            refused += 1;
            continue;
        };
        read += 1;
        assert!((1..=MAX_REQUESTS).contains(&request.cert_ids().len()));
        assert!(request.nonce().is_none_or(|nonce| (1..=128).contains(&nonce.len())));
        let ids: Vec<Vec<u8>> = request.cert_ids().iter().map(|id| id.der().to_vec()).collect();
        let again = encode_request(&ids, request.nonce());
        let reread = Request::parse(&again).unwrap();
        assert_eq!((reread.cert_ids(), reread.nonce()), (request.cert_ids(), request.nonce()));
    }
    assert!(read > 1_000 && refused > 10_000, "{read} read, {refused} refused");
}

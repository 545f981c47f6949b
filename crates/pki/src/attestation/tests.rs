//! Devices of a vendor that these tests make: a root, an intermediate, a device, and what it says.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

use super::*;
use crate::asn1::write;

const AT: Timestamp = Timestamp::from_seconds(1_795_305_600);
/// A SubjectPublicKeyInfo on P-256: the generator.
const SEAL: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

fn ed25519() -> Vec<u8> {
    write::sequence(&[write::oid(&oid::ED25519)])
}

fn spki(seed: u8) -> Vec<u8> {
    write::sequence(&[ed25519(), write::bits(pair(seed).public_key().as_ref())])
}

fn extension(kind: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let mut parts = vec![write::oid(&ObjectIdentifier::new_unwrap(kind))];
    if critical {
        parts.push(write::tlv(tag::BOOLEAN, &[0xFF]));
    }
    parts.push(write::octets(value));
    write::sequence(&parts)
}

fn authority() -> Vec<Vec<u8>> {
    let basic = write::sequence(&[write::tlv(tag::BOOLEAN, &[0xFF])]);
    vec![extension("2.5.29.19", true, &basic), extension("2.5.29.15", true, &[3, 2, 2, 0x04])]
}

/// A certificate of somebody by somebody.
#[derive(Clone)]
struct Paper {
    issuer: (&'static str, u8),
    subject: &'static str,
    key: Vec<u8>,
    from: Timestamp,
    until: Timestamp,
    extensions: Vec<Vec<u8>>,
}

impl Paper {
    fn signed(&self) -> Vec<u8> {
        let name = |text: &str| {
            let pair = write::sequence(&[write::oid(&oid::COMMON_NAME), write::utf8(text)]);
            write::sequence(&[write::set_of_one(&pair)])
        };
        let mut parts = vec![
            write::context(0, &write::unsigned(&[2])),
            write::unsigned(&[7]),
            ed25519(),
            name(self.issuer.0),
            write::sequence(&[write::time(self.from), write::time(self.until)]),
            name(self.subject),
            self.key.clone(),
        ];
        if !self.extensions.is_empty() {
            parts.push(write::context(3, &write::sequence(&self.extensions)));
        }
        let body = write::sequence(&parts);
        let signature = pair(self.issuer.1).sign(&body);
        write::sequence(&[body, ed25519(), write::bits(signature.as_ref())])
    }
}

fn root() -> Paper {
    Paper {
        issuer: ("Vendor Root", 1),
        subject: "Vendor Root",
        key: spki(1),
        from: AT.plus_days(-900),
        until: AT.plus_days(9000),
        extensions: authority(),
    }
}

fn intermediate() -> Paper {
    Paper { subject: "Vendor CA", key: spki(2), ..root() }
}

/// The device's own certificate says nothing of authorities.
fn device() -> Paper {
    let extensions = vec![said(1, &write::octets(&[2, 4, 1])), said(2, &write::unsigned(&SERIAL))];
    Paper {
        issuer: ("Vendor CA", 2),
        subject: "Vendor HSM (7550140)",
        key: spki(3),
        extensions,
        ..root()
    }
}

const SERIAL: [u8; 3] = [0x73, 0x34, 0xBC];

fn said(number: u8, value: &[u8]) -> Vec<u8> {
    extension(&format!("1.3.6.1.4.1.41482.4.{number}"), false, value)
}

/// What the device says of a key that it made: extensions by their number.
fn sayings(origin: u8, capabilities: u64) -> Vec<Vec<u8>> {
    vec![
        said(1, &write::octets(&[2, 4, 1])),
        said(2, &write::unsigned(&SERIAL)),
        said(3, &write::bits(&[origin])),
        said(4, &write::bits(&[0, 1])),
        said(5, &write::bits(&capabilities.to_be_bytes())),
        said(6, &write::unsigned(&[3])),
        said(9, &write::utf8("seal")),
    ]
}

/// sign-ecdsa.
const SIGNS: u64 = 1 << 7;

fn leaf() -> Paper {
    Paper {
        issuer: ("Vendor HSM (7550140)", 3),
        subject: "YubiHSM Attestation id:0x0003",
        key: hex::decode(SEAL).unwrap(),
        from: AT.plus_days(-1),
        until: AT.plus_days(9000),
        extensions: sayings(1, SIGNS),
    }
}

fn demand(files: &[Vec<u8>]) -> Result<Finding, Fault> {
    let key = PresentedKey::parse(&hex::decode(SEAL).unwrap()).unwrap().fingerprint();
    let trusted = root().signed();
    let roots = [VendorRoot { code: "vendor", certificate: &trusted }];
    let demands = Demands { roots: &roots, key: &key, at: AT, max_age_days: 30 };
    Evidence::read(files, None)?.examine(&demands)
}

fn chain(leaf: &Paper, device: &Paper) -> Vec<Vec<u8>> {
    vec![leaf.signed(), device.signed(), intermediate().signed()]
}

fn check(leaf: &Paper, expected: Fault) {
    assert_eq!(demand(&chain(leaf, &device())), Err(expected));
}

#[test]
fn km_9_a_device_attests_a_key_that_it_made() {
    let Ok(Finding::Attested(attested)) = demand(&chain(&leaf(), &device())) else {
        panic!("{:?}", demand(&chain(&leaf(), &device())))
    };
    let Attested { vendor, serial, object, firmware, at } = attested;
    assert_eq!(
        (&*vendor, &*serial, &*object, &*firmware),
        ("vendor", "7550140", "0x0003", "2.4.1")
    );
    assert_eq!(at, Some(AT.plus_days(-1)));
    // In any order, as PEM in one file, and with the root enclosed.
    let all = [intermediate(), root(), leaf(), device()];
    let text: String = all.iter().map(|one| pem::encode("CERTIFICATE", &one.signed())).collect();
    assert!(matches!(demand(&[text.into_bytes()]), Ok(Finding::Attested(_))));
    // A device that copies the dates of its own certificate gives its evidence no age.
    let copied = Paper { from: device().from, until: device().until, ..leaf() };
    let Ok(Finding::Attested(undated)) = demand(&chain(&copied, &device())) else { panic!() };
    assert_eq!(undated.at, None);
}

#[test]
fn km_9_refuses_a_key_that_was_imported_or_can_leave() {
    let says = |origin, capabilities| Paper { extensions: sayings(origin, capabilities), ..leaf() };
    for origin in [0x00, 0x02, 0x10, 0x11, 0x12] {
        check(&says(origin, SIGNS), Fault::Imported);
    }
    check(&says(1, SIGNS | 1 << 0x10), Fault::Exportable);
    for missing in [1, 2, 4] {
        let mut extensions = sayings(1, SIGNS);
        extensions.remove(missing);
        check(&Paper { extensions, ..leaf() }, Fault::Incomplete);
    }
}

#[test]
fn km_9_refuses_another_key_another_device_and_old_statements() {
    check(&Paper { key: spki(9), ..leaf() }, Fault::OtherKey);
    let mut extensions = sayings(1, SIGNS);
    extensions[1] = said(2, &write::unsigned(&[1]));
    check(&Paper { extensions, ..leaf() }, Fault::OtherDevice);
    check(&Paper { from: AT.plus_days(-31), ..leaf() }, Fault::TooOld);
    check(&Paper { from: AT.plus_days(1), ..leaf() }, Fault::ChainNotYet);
    check(&Paper { until: AT.plus_days(-1), ..leaf() }, Fault::ChainExpired);
    let mut extensions = sayings(1, SIGNS);
    extensions.push(extension("1.2.3.4", true, &write::null()));
    check(&Paper { extensions, ..leaf() }, Fault::ChainExtension);
}

#[test]
fn km_9_refuses_a_chain_to_no_root_of_the_policy() {
    // Somebody else's chain under the same names.
    let stranger = |paper: Paper, issuer: u8, key: u8| Paper {
        issuer: (paper.issuer.0, issuer),
        key: spki(key),
        ..paper
    };
    let fake = [
        Paper { issuer: (leaf().issuer.0, 13), ..leaf() },
        stranger(device(), 12, 13),
        stranger(intermediate(), 11, 12),
        stranger(root(), 11, 11),
    ];
    let fake: Vec<_> = fake.iter().map(Paper::signed).collect();
    assert_eq!(demand(&fake), Err(Fault::ChainSignature));
    assert_eq!(demand(&[leaf().signed(), device().signed()]), Err(Fault::UnknownRoot));
    let expired = Paper { until: AT.plus_days(-1), ..intermediate() };
    let files = [leaf().signed(), device().signed(), expired.signed()];
    assert_eq!(demand(&files), Err(Fault::ChainExpired));
    let powerless = Paper { extensions: Vec::new(), ..intermediate() };
    let files = [leaf().signed(), device().signed(), powerless.signed()];
    assert_eq!(demand(&files), Err(Fault::ChainAuthority));
}

#[test]
fn km_9_refuses_an_expired_root_of_the_policy() {
    let old = Paper { until: AT.plus_days(-1), ..root() }.signed();
    let key = PresentedKey::parse(&hex::decode(SEAL).unwrap()).unwrap().fingerprint();
    let roots = [VendorRoot { code: "vendor", certificate: &old }];
    let demands = Demands { roots: &roots, key: &key, at: AT, max_age_days: 30 };
    let evidence = Evidence::read(&chain(&leaf(), &device()), None).unwrap();
    assert_eq!(evidence.examine(&demands), Err(Fault::ChainExpired));
}

#[test]
fn km_9_a_key_that_signs_loose_data_attests_nothing() {
    // A key in a real device, attested by it, that its owner lets sign a forged statement.
    let accomplice = Paper { key: spki(5), subject: "Accomplice", ..leaf() };
    let forged = Paper { issuer: ("Accomplice", 5), ..leaf() };
    let mut files = chain(&accomplice, &device());
    files.push(forged.signed());
    assert_eq!(demand(&files), Err(Fault::ChainAuthority));
    let denied = write::sequence::<&[u8]>(&[]);
    let mut own = device();
    own.extensions.push(extension("2.5.29.19", true, &denied));
    assert_eq!(demand(&chain(&leaf(), &own)), Err(Fault::ChainAuthority));
}

#[test]
fn km_9_refuses_damaged_evidence_and_leaves_unknown_formats_unverified() {
    let whole = leaf().signed();
    for cut in [1, 10, whole.len() / 2, whole.len() - 1] {
        assert_eq!(demand(&[whole[..cut].to_vec()]), Err(Fault::Damaged), "{cut}");
    }
    // No octet can be changed without notice.
    for place in 0..whole.len() {
        let mut changed = whole.clone();
        changed[place] ^= 1;
        let found = demand(&[changed, device().signed(), intermediate().signed()]);
        assert!(!matches!(found, Ok(Finding::Attested(_))), "{place}: {found:?}");
    }
    let check = |file: &[u8], format| {
        assert_eq!(demand(&[file.to_vec()]), Ok(Finding::Unverified(format)));
    };
    check(b"{\"attestation\": 1}", Format::Json);
    check(b"some text", Format::Unknown);
    check(&write::sequence(&[write::oid(&oid::CMS_SIGNED_DATA)]), Format::Cms);
    check(&root().signed(), Format::Certificate);
    assert_eq!(demand(&[vec![b' '; MAX_OCTETS + 1]]), Err(Fault::TooLarge));
    assert_eq!(demand(&vec![root().signed(); MAX_CERTIFICATES + 1]), Err(Fault::TooLarge));
    assert!(Evidence::read(&[], None).unwrap().is_empty());
}

#[test]
fn the_envelope_carries_statements_and_certificates() {
    let kind = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.41482.4");
    let statement = |value: Vec<u8>| write::sequence(&[write::oid(&kind), value]);
    let bundle = |statements: &[Vec<u8>], certificates: &[Vec<u8>]| {
        write::sequence(&[write::sequence(statements), write::sequence(certificates)])
    };
    let [first, second, third] = [leaf(), device(), intermediate()].map(|one| one.signed());
    let rest = [second.clone(), third.clone()];
    let as_is = bundle(&[statement(first.clone())], &rest);
    assert_eq!(envelope::open(&as_is).unwrap(), [&*first, &*second, &*third]);
    let wrapped = bundle(&[statement(write::octets(b"{}"))], &rest);
    assert_eq!(envelope::open(&wrapped).unwrap()[0], b"{}");
    assert!(envelope::open(&bundle(&[], &rest)).is_err());
    assert!(envelope::open(&as_is[..as_is.len() - 1]).is_err());
    let trailing = write::sequence(&[write::sequence(&[write::sequence(&[
        write::oid(&kind),
        write::null(),
        write::null(),
    ])])]);
    assert!(envelope::open(&trailing).is_err());
}

#[test]
fn only_a_root_is_taken_as_a_root() {
    let pem = pem::encode("CERTIFICATE", &root().signed());
    assert_eq!(root_certificate(pem.as_bytes()), Ok(root().signed()));
    assert_eq!(root_certificate(&intermediate().signed()), Err(Fault::ChainAuthority));
    let forged = Paper { issuer: ("Vendor Root", 2), ..root() };
    assert_eq!(root_certificate(&forged.signed()), Err(Fault::ChainSignature));
    assert_eq!(root_certificate(b"text"), Err(Fault::Damaged));
}

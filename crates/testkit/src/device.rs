//! A vendor of key devices and one device, made by a test: what a YubiHSM 2 says of its keys, and
//! what a dishonest one might.

use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::key::PublicKey;
use tenkoku_pki::pem;
use tenkoku_pki::signature::SignatureAlgorithm;

use crate::fixtures::{ApplicantKey, bit_string, sequence, tlv};

/// The arc of the YubiHSM 2, encoded: 1.3.6.1.4.1.41482.4.
const ARC: [u8; 10] = [0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0xC4, 0x0A, 0x04, 0x00];
/// sign-ecdsa.
pub const SIGNS: u64 = 1 << 7;
/// exportable-under-wrap.
pub const EXPORTABLE: u64 = 1 << 16;

/// A vendor, and one device of it.
#[derive(Debug)]
pub struct Device {
    root: ApplicantKey,
    attester: ApplicantKey,
    serial: u32,
    now: Timestamp,
}

/// What the device says of a key.
#[derive(Clone, Copy, Debug)]
pub struct Says {
    /// 1 made in it, 2 imported, 16 unwrapped.
    pub origin: u8,
    /// The 64 capabilities.
    pub capabilities: u64,
    /// Since when the statement holds.
    pub from: Timestamp,
}

impl Device {
    /// A device with a serial number, and its vendor.
    pub fn new(serial: u32, now: Timestamp) -> Self {
        let [root, attester] = [0, 1].map(|_| ApplicantKey::make(KeyAlgorithm::P256));
        Self { root, attester, serial, now }
    }

    /// The serial number, as it is written on it.
    pub fn serial(&self) -> String {
        format!("{:010}", self.serial)
    }

    /// The certificate of the vendor's root, PEM.
    pub fn root(&self) -> String {
        let basic = extension(&[0x55, 0x1D, 0x13], true, &sequence(&[&tlv(0x01, &[0xFF])]));
        let der = self.certificate(
            (&self.root, "Test Vendor Root"),
            ("Test Vendor Root", &self.root.public()),
            self.now.plus_days(-900),
            &[basic],
        );
        pem::encode("CERTIFICATE", &der)
    }

    /// What the device attests of a key that it made a day ago and does not let go.
    pub fn honest(&self) -> Says {
        Says { origin: 1, capabilities: SIGNS, from: self.now.plus_days(-1) }
    }

    /// The statement about a key and the device's certificate, PEM.
    pub fn attest(&self, key: &PublicKey, says: Says) -> Vec<u8> {
        let [statement, device] = self.chain(key, says);
        let blocks = [statement, device].map(|der| pem::encode("CERTIFICATE", &der));
        blocks.concat().into_bytes()
    }

    /// The same as the value of an `id-aa-attestation` attribute.
    pub fn bundle(&self, key: &PublicKey, says: Says) -> Vec<u8> {
        let [statement, device] = self.chain(key, says);
        let kind = tlv(0x06, ARC.split_last().expect("an arc").1);
        let statements = sequence(&[&sequence(&[&kind, &statement])]);
        sequence(&[&statements, &sequence(&[&device])])
    }

    fn chain(&self, key: &PublicKey, says: Says) -> [Vec<u8>; 2] {
        let number = |value: u32| tlv(0x02, &[&[0], value.to_be_bytes().as_slice()].concat());
        let serial = minimal(&number(self.serial));
        let device = self.certificate(
            (&self.root, "Test Vendor Root"),
            ("Test Vendor HSM", &self.attester.public()),
            self.now.plus_days(-800),
            &[said(1, &tlv(0x04, &[2, 4, 1])), said(2, &serial)],
        );
        let statement = self.certificate(
            (&self.attester, "Test Vendor HSM"),
            ("YubiHSM Attestation id:0x0003", key),
            says.from,
            &[
                said(1, &tlv(0x04, &[2, 4, 1])),
                said(2, &serial),
                said(3, &bit_string(&[says.origin])),
                said(4, &bit_string(&[0, 1])),
                said(5, &bit_string(&says.capabilities.to_be_bytes())),
                said(6, &tlv(0x02, &[3])),
                said(9, &tlv(0x0C, b"seal")),
            ],
        );
        [statement, device]
    }

    fn certificate(
        &self,
        (issuer, issuer_name): (&ApplicantKey, &str),
        (name, key): (&str, &PublicKey),
        from: Timestamp,
        extensions: &[Vec<u8>],
    ) -> Vec<u8> {
        let named = |text: &str| {
            let pair = sequence(&[&tlv(0x06, &[0x55, 0x04, 0x03]), &tlv(0x0C, text.as_bytes())]);
            sequence(&[&tlv(0x31, &pair)])
        };
        let date = |at: Timestamp| {
            let digits = at.floor().to_string().replace(['-', ':', 'T'], "");
            tlv(0x18, digits.as_bytes())
        };
        let algorithm = SignatureAlgorithm::of_issuer(issuer.public().algorithm()).identifier();
        let body = sequence(&[
            &tlv(0xA0, &tlv(0x02, &[2])),
            &tlv(0x02, &[7]),
            &algorithm,
            &named(issuer_name),
            &sequence(&[&date(from), &date(self.now.plus_days(9000))]),
            &named(name),
            key.spki_der(),
            &tlv(0xA3, &tlv(0x30, &extensions.concat())),
        ]);
        let signature = bit_string(&issuer.sign_text(&body));
        sequence(&[&body, &algorithm, &signature])
    }
}

fn said(number: u8, value: &[u8]) -> Vec<u8> {
    let mut kind = ARC;
    kind[9] = number;
    extension(&kind, false, value)
}

fn extension(kind: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let flag = if critical { tlv(0x01, &[0xFF]) } else { Vec::new() };
    sequence(&[&tlv(0x06, kind), &flag, &tlv(0x04, value)])
}

/// An INTEGER in the fewest octets.
fn minimal(integer: &[u8]) -> Vec<u8> {
    let mut content = &integer[2..];
    while content.len() > 1 && content[0] == 0 && content[1] < 0x80 {
        content = &content[1..];
    }
    tlv(0x02, content)
}

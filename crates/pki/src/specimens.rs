//! Specimens for the tests: fixed keys, one order of every profile, and the golden files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self as lc, EcdsaKeyPair, KeyPair as _, PqdsaKeyPair, RsaKeyPair};
use tenkoku_domain::authority::AuthorityName;
use tenkoku_domain::certificate::{Serial, Validity};
use tenkoku_domain::identifier::OrganizationIdentifier;
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::level::Level;
use tenkoku_domain::name::Name;
use tenkoku_domain::revocation::ReasonCode;
use tenkoku_domain::subject::{LatinSubject, SealSubject};
use tenkoku_domain::time::Timestamp;

use crate::cert::Certificate;
use crate::crl::{self, CrlKind, CrlOrder, Entry, EntryList};
use crate::key::PublicKey;
use crate::lint::lint;
use crate::name::DistinguishedName;
use crate::ocsp::{self, AnswerOrder, AnswerSigner, HashAlgorithm, IssuerHashes, Single, Status};
use crate::policy::PolicyArc;
use crate::profile::{Content, CrlPlaces, Issuer, Order, Repository, draft};
use crate::qc::Claim;
use crate::seal::Extras;
use crate::signature::SignatureAlgorithm;
use crate::signed::{Signable, Throwaway, ThrowawayError, ThrowawaySigner};
use crate::uri::HttpUri;

pub(crate) mod authorities;
pub(crate) mod seals;

pub(crate) use self::authorities::*;
pub(crate) use self::seals::*;

/// When the specimens are judged.
pub(crate) const AT: &str = "2026-12-01T00:00:00Z";

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// The folder of the test data.
pub(crate) fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/pki").join(path)
}

/// A key pair from `tests/data/pki/keys`.
pub(crate) enum TestKey {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    MlDsa(PqdsaKeyPair),
}

impl TestKey {
    pub(crate) fn load(name: &str) -> Self {
        let pkcs8 = fs::read(data("keys").join(format!("{name}.p8"))).unwrap();
        for algorithm in [
            &lc::ECDSA_P256_SHA256_ASN1_SIGNING,
            &lc::ECDSA_P384_SHA384_ASN1_SIGNING,
            &lc::ECDSA_P521_SHA512_ASN1_SIGNING,
        ] {
            if let Ok(pair) = EcdsaKeyPair::from_pkcs8(algorithm, &pkcs8) {
                return Self::Ec(pair);
            }
        }
        for set in [&lc::ML_DSA_65_SIGNING, &lc::ML_DSA_87_SIGNING] {
            if let Ok(pair) = PqdsaKeyPair::from_pkcs8(set, &pkcs8) {
                return Self::MlDsa(pair);
            }
        }
        Self::Rsa(RsaKeyPair::from_pkcs8(&pkcs8).unwrap())
    }

    pub(crate) fn public(&self) -> PublicKey {
        let bits = match self {
            Self::Ec(pair) => pair.public_key().as_ref(),
            Self::Rsa(pair) => pair.public_key().as_ref(),
            Self::MlDsa(pair) => pair.public_key().as_ref(),
        };
        KeyAlgorithm::ALL.into_iter().find_map(|kind| PublicKey::from_raw(kind, bits).ok()).unwrap()
    }

    /// Signs with the algorithm that a platform key of this type uses.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Ec(pair) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let algorithm = SignatureAlgorithm::of_issuer(self.public().algorithm());
                let padding = if algorithm == SignatureAlgorithm::RsaSha384 {
                    &lc::RSA_PKCS1_SHA384
                } else {
                    &lc::RSA_PKCS1_SHA256
                };
                pair.sign(padding, &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            }
            Self::MlDsa(pair) => {
                let mut signature = vec![0; pair.algorithm().signature_len()];
                let length = pair.sign(message, &mut signature).unwrap();
                signature.truncate(length);
                signature
            }
        }
    }

    pub(crate) fn sign_linted(&self, linted: &impl Signable) -> Vec<u8> {
        assert_eq!(linted.signer(), &self.public());
        self.sign(linted.to_be_signed())
    }
}

/// A throw-away signer with a fixed key for each type of issuer.
pub(crate) struct TestThrowaway;

impl TestThrowaway {
    pub(crate) const fn new() -> Self {
        Self
    }
}

impl ThrowawaySigner for TestThrowaway {
    fn sign_throwaway(
        &self,
        key: KeyAlgorithm,
        _: SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Throwaway, ThrowawayError> {
        let key = TestKey::load(match key {
            KeyAlgorithm::P384 => "throwaway",
            KeyAlgorithm::Rsa4096 => "throwaway-rsa",
            KeyAlgorithm::MlDsa65 => "throwaway-mldsa65",
            KeyAlgorithm::MlDsa87 => "throwaway-mldsa87",
            KeyAlgorithm::P256
            | KeyAlgorithm::P521
            | KeyAlgorithm::Rsa2048
            | KeyAlgorithm::Rsa3072 => return Err(ThrowawayError(format!("no {key} is kept"))),
        });
        Ok(Throwaway { spki: key.public().spki_der().to_vec(), signature: key.sign(message) })
    }
}

pub(crate) fn public(name: &str) -> PublicKey {
    TestKey::load(name).public()
}

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(crate) fn serial(first: u8) -> Serial {
    Serial::from_integer(&[&[first], &[0xA5; 15][..]].concat()).unwrap()
}

fn uri(path: &str) -> HttpUri {
    HttpUri::parse(&format!("http://pki.example.jp/{path}")).unwrap()
}

pub(crate) fn repository(code: &str) -> Repository {
    Repository {
        certificate: uri(&format!("ca/{code}.cer")),
        crl: CrlPlaces::whole(uri(&format!("crl/{code}.crl"))),
    }
}

pub(crate) fn arc() -> PolicyArc {
    PolicyArc::parse("1.3.6.1.4.1.32473.1").unwrap()
}

/// The operator's name with a common name of its own.
pub(crate) fn operator(common_name: &str) -> DistinguishedName {
    DistinguishedName::of_authority(&operator_name(common_name)).unwrap()
}

pub(crate) fn operator_name(common_name: &str) -> AuthorityName {
    AuthorityName {
        country: "JP".to_owned(),
        organisation: name("架空電子印株式会社"),
        identifier: OrganizationIdentifier::parse("NTRJP-7123456789012").unwrap(),
        common_name: name(common_name),
    }
}

/// The subject of DOMAIN 22.
pub(crate) fn branch_seal() -> SealSubject {
    SealSubject {
        country: "JP".to_owned(),
        region: None,
        locality: None,
        organisation: name("株式会社サンプル"),
        identifier: OrganizationIdentifier::parse("NTRJP-5010401067252").unwrap(),
        unit: Some(name("大阪支店")),
        serial_number: "BR-0002/01".to_owned(),
        common_name: name("株式会社サンプル 大阪支店 電子印"),
        latin: Some(LatinSubject {
            organisation: name("Sample Co., Ltd."),
            unit: Some(name("Osaka Branch")),
            common_name: name("Sample Co., Ltd. Osaka Branch e-Seal"),
        }),
    }
}

pub(crate) fn root_order() -> Order {
    let validity = Validity::days(at("2026-11-01T00:00:00Z"), 7300);
    let subject = operator("Tenkoku Evaluation Root CA G1");
    Order::root(serial(0x41), validity, subject, public("root"))
}

fn under_root(subject: &str, key: &str, first: u8, days: i64, content: Content) -> Order {
    Order {
        serial: serial(first),
        validity: Validity::days(at("2026-11-02T00:00:00Z"), days),
        subject: operator(subject),
        key: public(key),
        issuer: root_order().issuer,
        content,
    }
}

pub(crate) fn issuing_order(level: Level) -> Order {
    let subject = format!("Tenkoku Evaluation E-Seal Issuing CA L{level} G1");
    let content = Content::Issuing { level, arc: arc(), repository: repository("root-g1") };
    under_root(&subject, "issuing", 0x42, 3650, content)
}

pub(crate) fn list_order() -> Order {
    let content = Content::ListSigner { arc: arc(), repository: repository("root-g1") };
    under_root("Tenkoku Evaluation Trusted List Signer 1", "list", 0x43, 730, content)
}

/// The issuing authority of a level as an issuer.
pub(crate) fn issuing(level: Level) -> Issuer {
    let order = issuing_order(level);
    Issuer { name: order.subject, key: order.key, validity: order.validity, scope: None }
}

pub(crate) fn seal_order(level: Level, key: &str) -> Order {
    let code = format!("seal-l{level}-g1");
    let days = if level == Level::One { 1095 } else { 825 };
    Order {
        serial: serial(0x50 + level.number()),
        validity: Validity::days(at("2026-11-03T00:00:00Z"), days),
        subject: DistinguishedName::of_seal(&branch_seal()).unwrap(),
        key: public(key),
        issuer: issuing(level),
        content: Content::Seal {
            level,
            latin: DistinguishedName::of_seal_latin(&branch_seal()).unwrap(),
            claim: Claim::None,
            arc: arc(),
            repository: repository(&code),
            ocsp: uri(&format!("ocsp/{code}")),
            extras: Extras::default(),
        },
    }
}

pub(crate) fn ocsp_order() -> Order {
    Order {
        serial: serial(0x61),
        validity: Validity::days(at("2026-11-20T00:00:00Z"), 30),
        subject: operator("Tenkoku Evaluation OCSP L1 1"),
        key: public("ocsp"),
        issuer: issuing(Level::One),
        content: Content::OcspSigner,
    }
}

/// One order of every profile, by the name of its golden file, and the key that signs it.
pub(crate) fn every_order() -> Vec<(&'static str, Order, &'static str)> {
    static MADE: OnceLock<Vec<(&'static str, Order, &'static str)>> = OnceLock::new();
    MADE.get_or_init(make_every_order).clone()
}

fn make_every_order() -> Vec<(&'static str, Order, &'static str)> {
    let mut orders = vec![
        ("root", root_order(), "root"),
        ("issuing-1", issuing_order(Level::One), "root"),
        ("issuing-2", issuing_order(Level::Two), "root"),
        ("issuing-3", issuing_order(Level::Three), "root"),
        ("seal-1", seal_order(Level::One, "seal"), "issuing"),
        ("seal-2", seal_order(Level::Two, "seal-rsa"), "issuing"),
        ("seal-3", seal_order(Level::Three, "seal-p384"), "issuing"),
        ("ocsp-signer", ocsp_order(), "issuing"),
        ("list-signer", list_order(), "root"),
    ];
    orders.extend(authorities::orders());
    orders.extend(seals::orders());
    orders
}

/// Lints, signs and assembles an order.
pub(crate) fn issue(order: &Order, signer: &str) -> Vec<u8> {
    let linted = lint(draft(order), order, &TestThrowaway::new()).unwrap();
    let signature = TestKey::load(signer).sign_linted(&linted);
    linted.assemble(&signature).unwrap()
}

/// A golden file; its absence is a failure that says where a fresh one was put.
pub(crate) fn golden(file: &str, fresh: impl FnOnce() -> Vec<u8>) -> Vec<u8> {
    fs::read(data("golden").join(file)).unwrap_or_else(|_| {
        let offer = std::env::temp_dir().join("tenkoku-golden");
        fs::create_dir_all(&offer).unwrap();
        fs::write(offer.join(file), fresh()).unwrap();
        panic!("{file} is missing in tests/data/pki/golden; a fresh one is in {}", offer.display())
    })
}

/// A golden certificate.
pub(crate) fn certificate(file: &str) -> Certificate {
    let (_, order, signer) = every_order().into_iter().find(|(name, ..)| *name == file).unwrap();
    let der = golden(&format!("{file}.cer"), || issue(&order, signer));
    Certificate::parse(&der).unwrap()
}

pub(crate) fn entry(first: u8, reason: ReasonCode, invalid_since: Option<Timestamp>) -> Entry {
    Entry { serial: serial(first), at: at("2026-11-10T09:30:00Z"), reason, invalid_since }
}

pub(crate) fn entries() -> EntryList {
    let all = [
        entry(0x70, ReasonCode::KeyCompromise, Some(at("2026-11-09T00:00:00Z"))),
        entry(0x71, ReasonCode::CertificateHold, None),
        entry(0x72, ReasonCode::CessationOfOperation, None),
    ];
    all.iter().collect()
}

/// What changed since the list of [`entries`]: a hold was lifted, another certificate revoked.
pub(crate) fn changes() -> EntryList {
    let at = at("2026-11-30T06:00:00Z");
    let all = [
        Entry::removed(serial(0x71), at),
        Entry { at, ..entry(0x51, ReasonCode::Superseded, None) },
    ];
    all.iter().collect()
}

pub(crate) fn crl_order<'a>(issuer: &'a Issuer, entries: &'a EntryList) -> CrlOrder<'a> {
    CrlOrder {
        issuer,
        number: 7,
        previous: Some(6),
        this_update: at("2026-11-30T00:00:00Z"),
        next_update: at("2026-12-03T00:00:00Z"),
        expired_since: Some(at("2026-11-01T00:00:00Z")),
        kind: CrlKind::Complete { freshest: None },
        shard: None,
        entries,
    }
}

/// The delta to the list of [`crl_order`].
pub(crate) fn delta_order<'a>(issuer: &'a Issuer, changes: &'a EntryList) -> CrlOrder<'a> {
    CrlOrder {
        number: 9,
        previous: Some(8),
        this_update: at("2026-11-30T06:00:00Z"),
        kind: CrlKind::Delta { base: 7 },
        ..crl_order(issuer, changes)
    }
}

/// The address of a shard of the issuing authority of level 1.
pub(crate) fn shard_address(number: u32) -> HttpUri {
    uri(&format!("crl/seal-l1-g1-{number}.crl"))
}

pub(crate) fn crl(order: &CrlOrder<'_>, signer: &str) -> Vec<u8> {
    let linted = crl::lint(crl::draft(order), order).unwrap();
    let signature = TestKey::load(signer).sign_linted(&linted);
    linted.assemble(&signature).unwrap()
}

pub(crate) fn cert_id(algorithm: HashAlgorithm, first: u8) -> Vec<u8> {
    let issuer = issuing(Level::One);
    IssuerHashes::of(algorithm, &issuer.name, &issuer.key).cert_id(&serial(first))
}

pub(crate) fn single(cert_id: Vec<u8>, status: Status) -> Single {
    Single {
        cert_id,
        status,
        this_update: at("2026-11-30T12:00:00Z"),
        next_update: at("2026-12-01T12:00:00Z"),
        archive_cutoff: Some(at("2026-11-01T00:00:00Z")),
    }
}

pub(crate) fn answer_order<'a>(
    signer: &'a AnswerSigner,
    singles: &'a [Single],
    nonce: Option<&'a [u8]>,
) -> AnswerOrder<'a> {
    let produced_at = at("2026-11-30T12:00:00Z");
    AnswerOrder { signer, produced_at, singles, nonce }
}

pub(crate) fn answer(order: &AnswerOrder<'_>) -> Vec<u8> {
    let linted = ocsp::lint(ocsp::draft(order), order).unwrap();
    let signature = TestKey::load("ocsp").sign_linted(&linted);
    linted.assemble(&signature).unwrap()
}

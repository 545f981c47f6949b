//! Specimens of seals: every form of subject, everything a seal may carry, every claim, the short
//! life, and each under ML-DSA.

use tenkoku_domain::accreditation::{AccreditationRecord, ClaimKind, DisclosureStatement, back};
use tenkoku_domain::certificate::Profile;
use tenkoku_domain::id::{AuthorityId, Entropy};
use tenkoku_domain::identifier::Lei;
use tenkoku_domain::subject::WITNESS_UNIT;

use super::*;
use crate::qc::Device;
use crate::seal::{ImprintType, KeyUsageSetting, Logotype, Term, Twin};
use crate::uri::HttpsUri;

/// The imprint of DOMAIN 22.
pub(crate) const IMPRINT: &[u8] = b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>";

pub(crate) fn logotype() -> Logotype {
    let address = "https://repo.example.jp/imprint/5010401067252/BR-0002.svg";
    let address = HttpsUri::parse(address).unwrap();
    Logotype { picture: ImprintType::Svg, octets: IMPRINT.to_vec(), address }
}

pub(crate) fn lei() -> Lei {
    Lei::parse("5299000J2N45DDNE4Y28").unwrap()
}

/// The organisation's own seal, with its place.
pub(crate) fn organisation_seal() -> SealSubject {
    let mut seal = branch_seal();
    seal.region = Some(name("大阪府"));
    seal.locality = Some(name("大阪市"));
    seal.unit = None;
    seal.serial_number = "HQ/01".to_owned();
    seal.common_name = name("株式会社サンプル 電子印");
    let (organisation, common_name) = (name("Sample Co., Ltd."), name("Sample Co., Ltd. e-Seal"));
    seal.latin = Some(LatinSubject { organisation, unit: None, common_name });
    seal
}

/// The service's own seal, for sealing on instruction.
pub(crate) fn witness_seal() -> SealSubject {
    let mut seal = branch_seal();
    seal.unit = Some(name(WITNESS_UNIT));
    seal.serial_number = "01".to_owned();
    seal.common_name = name("株式会社サンプル 立会人型電子印");
    seal.latin = None;
    seal
}

/// A seal with another subject.
pub(crate) fn of_subject(level: Level, subject: &SealSubject) -> Order {
    let mut order = seal_order(level, "seal");
    order.subject = DistinguishedName::of_seal(subject).unwrap();
    if let Content::Seal { latin, .. } = &mut order.content {
        *latin = DistinguishedName::of_seal_latin(subject).unwrap();
    }
    order
}

/// A seal with something more.
pub(crate) fn with_extras(level: Level, change: impl FnOnce(&mut Extras)) -> Order {
    let mut order = seal_order(level, "seal");
    if let Content::Seal { extras, .. } = &mut order.content {
        change(extras);
    }
    order
}

pub(crate) fn short_order(level: Level) -> Order {
    let mut order = with_extras(level, |extras| extras.term = Term::Short);
    order.validity = Validity::days(at("2026-11-30T12:00:00Z"), 1);
    order
}

struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

/// The claim that a record of the specimens' authority backs.
pub(crate) fn claim(kind: ClaimKind, device: Device) -> Claim {
    let disclosure = |language: &str| DisclosureStatement {
        address: format!("https://pds.example.jp/eseal-{language}.pdf"),
        language: language.to_owned(),
    };
    let authority = AuthorityId::new(at(AT), &Fixed);
    let record = AccreditationRecord {
        authority: authority.clone(),
        claim: kind,
        profiles: vec![Profile::Seal3],
        country: "JP".to_owned(),
        disclosures: vec![disclosure("en"), disclosure("ja")],
        validity: Validity::days(at("2026-11-01T00:00:00Z"), 365),
        reference: "specimen".to_owned(),
    };
    let records = [record];
    let backed = back(kind, &records, &authority, Profile::Seal3, at(AT)).unwrap();
    Claim::of(backed, device).unwrap()
}

pub(crate) fn claiming_order(kind: ClaimKind, device: Device) -> Order {
    let mut order = seal_order(Level::Three, "seal-p384");
    if let Content::Seal { claim: own, .. } = &mut order.content {
        *own = claim(kind, device);
    }
    order
}

/// Everything that a seal may carry.
pub(crate) fn rich_order() -> Order {
    with_extras(Level::Three, |extras| {
        extras.lei = Some(lei());
        extras.logotype = Some(logotype());
        extras.twin = Some(twin("seal-2"));
    })
}

/// A golden file as a twin. It is read as it is: making it anew would go round in a circle.
pub(crate) fn twin(file: &str) -> Twin {
    let der = fs::read(data("golden").join(format!("{file}.cer"))).unwrap();
    Twin::of(&Certificate::parse(&der).unwrap())
}

/// A chain of ML-DSA alone: the root of a third generation, its issuing authority, a seal.
pub(crate) fn ml_dsa_root_order() -> Order {
    let validity = Validity::days(at("2026-11-10T00:00:00Z"), 7300);
    let subject = operator("Tenkoku Evaluation Root CA G3");
    Order::root(serial(0x4B), validity, subject, public("root-mldsa87"))
}

pub(crate) fn ml_dsa_issuing_order() -> Order {
    Order {
        serial: serial(0x4C),
        validity: Validity::days(at("2026-11-11T00:00:00Z"), 3650),
        subject: operator("Tenkoku Evaluation E-Seal Issuing CA L3 G3"),
        key: public("issuing-mldsa65"),
        issuer: ml_dsa_root_order().issuer,
        ..issuing_order(Level::Three)
    }
}

pub(crate) fn ml_dsa_seal_order() -> Order {
    Order {
        validity: Validity::days(at("2026-11-12T00:00:00Z"), 825),
        issuer: issuer_of(&ml_dsa_issuing_order()),
        ..seal_order(Level::Three, "seal-mldsa65")
    }
}

/// The orders of this page, by the names of their golden files, and the keys that sign them.
pub(super) fn orders() -> Vec<(&'static str, Order, &'static str)> {
    let issued = |first: u8, order: Order| Order { serial: serial(first), ..order };
    let setting_b = with_extras(Level::Two, |extras| extras.usage = KeyUsageSetting::B);
    let accredited = claiming_order(ClaimKind::Accredited, Device::Certified);
    let qualified = claiming_order(ClaimKind::EuQualified, Device::Unstated);
    let in_device = claiming_order(ClaimKind::EuQualified, Device::Certified);
    let own = of_subject(Level::Two, &organisation_seal());
    let witness = of_subject(Level::Two, &witness_seal());
    vec![
        ("seal-organisation", issued(0x21, own), "issuing"),
        ("seal-witness", issued(0x22, witness), "issuing"),
        ("seal-setting-b", issued(0x23, setting_b), "issuing"),
        ("seal-rich", issued(0x24, rich_order()), "issuing"),
        ("seal-1s", issued(0x25, short_order(Level::One)), "issuing"),
        ("seal-2s", issued(0x26, short_order(Level::Two)), "issuing"),
        ("seal-3s", issued(0x27, short_order(Level::Three)), "issuing"),
        ("seal-accredited", issued(0x28, accredited), "issuing"),
        ("seal-qualified", issued(0x29, qualified), "issuing"),
        ("seal-qualified-device", issued(0x2A, in_device), "issuing"),
        ("root-mldsa", ml_dsa_root_order(), "root-mldsa87"),
        ("issuing-mldsa", ml_dsa_issuing_order(), "root-mldsa87"),
        ("seal-mldsa", issued(0x2B, ml_dsa_seal_order()), "issuing-mldsa65"),
    ]
}

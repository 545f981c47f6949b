//! A realistic Japanese list of three services, and people who can sign it.

use std::path::PathBuf;
use std::process::Command;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, EcdsaKeyPair, RsaEncoding, RsaKeyPair};
use aws_lc_rs::{digest, rsa};
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair,
    KeyUsagePurpose, PublicKeyData, date_time_ymd,
};
use tenkoku_domain::time::Timestamp;
use tenkoku_tsl::algorithm::SignatureAlgorithm;
use tenkoku_tsl::certificate::Certificate;
use tenkoku_tsl::model::{
    Address, Country, Entry, Extension, ExtensionContent, Identity, Language, Multilingual, Names,
    NextUpdate, Notice, Pages, PastState, Pointer, PointerInformation, PostalAddress, Provider,
    RegistrationIdentifier, SchemeInformation, Service, SupplyPoint, Territory, Text, TradeNames,
    TrustedList, Uri,
};
use tenkoku_tsl::{rules, sign};

pub(crate) const ISSUE: &str = "2026-11-22T00:00:00Z";
pub(crate) const SIGNED: &str = "2026-11-22T00:00:05Z";
pub(crate) const OPERATOR: &str = "Example e-seal Supervisory Office";

/// The folder of stored test data.
pub(crate) fn data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/tsl")
}

/// The folder beside the repository, when it is there.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(path);
    if path.exists() {
        return Some(path);
    }
    skip("../shared");
    None
}

/// Says that a test did nothing, and why.
#[expect(clippy::print_stderr, reason = "whoever runs the tests must see what was not tried")]
pub(crate) fn skip(what: &str) {
    eprintln!("skipped: {what} absent");
}

/// Whether a program of this machine can be asked for its opinion.
pub(crate) fn is_installed(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok();
    if !found {
        skip(tool);
    }
    found
}

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub(crate) fn uri(text: &str) -> Uri {
    Uri::new(text).unwrap()
}

pub(crate) fn text(text: &str) -> Text {
    Text::new(text).unwrap()
}

pub(crate) fn page(text: &str) -> Pages {
    Multilingual::english(uri(text))
}

pub(crate) fn names(english: &str, japanese: &str, latin: &str) -> Names {
    Multilingual::english(text(english))
        .and(Language::japanese(), text(japanese))
        .and(Language::japanese_in_latin(), text(latin))
}

/// A key and a certificate for it.
pub(crate) struct Signer {
    pub(crate) certificate: Certificate,
    pkcs8: Vec<u8>,
    algorithm: SignatureAlgorithm,
}

/// Whose certificate it is to be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    ListSigner,
    Authority,
}

impl Signer {
    pub(crate) fn new(algorithm: SignatureAlgorithm, role: Role, organisation: &str) -> Self {
        Self::of_country("JP", algorithm, role, organisation)
    }

    pub(crate) fn of_country(
        country: &str,
        algorithm: SignatureAlgorithm,
        role: Role,
        organisation: &str,
    ) -> Self {
        let key = match algorithm {
            SignatureAlgorithm::EcdsaP256Sha256 => {
                KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap()
            }
            SignatureAlgorithm::EcdsaP384Sha384 => {
                KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap()
            }
            SignatureAlgorithm::RsaSha256 | SignatureAlgorithm::RsaSha512 => {
                let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa3072).unwrap();
                let pkcs8 = AsDer::<Pkcs8V1Der>::as_der(&pair).unwrap();
                KeyPair::try_from(pkcs8.as_ref()).unwrap()
            }
        };
        let certificate = params(country, role, organisation, &key).self_signed(&key).unwrap();
        let certificate = Certificate::from_der(certificate.der()).unwrap();
        Self { certificate, pkcs8: key.serialize_der(), algorithm }
    }

    pub(crate) fn of_list(algorithm: SignatureAlgorithm) -> Self {
        Self::new(algorithm, Role::ListSigner, OPERATOR)
    }

    /// Signs as a key store does: DER for ECDSA, the plain value for RSA.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        let ecdsa = |kind| {
            let pair = EcdsaKeyPair::from_pkcs8(kind, &self.pkcs8).unwrap();
            pair.sign(&random, message).unwrap().as_ref().to_vec()
        };
        let rsa = |kind| self.sign_with(kind, message);
        match self.algorithm {
            SignatureAlgorithm::EcdsaP256Sha256 => {
                ecdsa(&signature::ECDSA_P256_SHA256_ASN1_SIGNING)
            }
            SignatureAlgorithm::EcdsaP384Sha384 => {
                ecdsa(&signature::ECDSA_P384_SHA384_ASN1_SIGNING)
            }
            SignatureAlgorithm::RsaSha256 => rsa(&signature::RSA_PKCS1_SHA256),
            SignatureAlgorithm::RsaSha512 => rsa(&signature::RSA_PKCS1_SHA512),
        }
    }

    /// Signs with an RSA key and this padding.
    pub(crate) fn sign_with(&self, padding: &'static dyn RsaEncoding, message: &[u8]) -> Vec<u8> {
        let pair = RsaKeyPair::from_pkcs8(&self.pkcs8).unwrap();
        let mut value = vec![0; pair.public_modulus_len()];
        pair.sign(padding, &SystemRandom::new(), message, &mut value).unwrap();
        value
    }

    /// The list, signed.
    pub(crate) fn publish(&self, list: TrustedList) -> Vec<u8> {
        self.publish_at(list, at(SIGNED))
    }

    /// The list, signed at a time.
    pub(crate) fn publish_at(&self, list: TrustedList, time: Timestamp) -> Vec<u8> {
        let linted = rules::lint(list).unwrap();
        let prepared =
            sign::prepare(linted, self.certificate.clone(), self.algorithm, time).unwrap();
        let value = self.sign(prepared.to_be_signed());
        prepared.finish(&value).unwrap()
    }
}

fn params(country: &str, role: Role, organisation: &str, key: &KeyPair) -> CertificateParams {
    let mut params = CertificateParams::default();
    let identifier = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, key.der_bytes());
    params.key_identifier_method = KeyIdMethod::PreSpecified(identifier.as_ref().to_vec());
    params.distinguished_name.push(DnType::CountryName, country);
    params.distinguished_name.push(DnType::OrganizationName, organisation);
    params.distinguished_name.push(DnType::CommonName, "Evaluation key 1");
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2031, 12, 31);
    match role {
        Role::ListSigner => {
            params.is_ca = IsCa::ExplicitNoCa;
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            params.extended_key_usages =
                vec![ExtendedKeyUsagePurpose::Other(vec![0, 4, 0, 2231, 3, 0])];
        }
        Role::Authority => {
            params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        }
    }
    params
}

pub(crate) fn address(host: &str) -> Address {
    let postal = PostalAddress {
        language: Language::english(),
        street: text("1-1 Example-cho;Example Building 3F"),
        locality: text("Chiyoda-ku"),
        state_or_province: Some(text("Tokyo")),
        postal_code: Some(text("100-0000")),
        country: Country::new("JP").unwrap(),
    };
    let electronic = page(&format!("mailto:office@{host}"))
        .and(Language::english(), uri(&format!("https://{host}/contact")))
        .and(Language::english(), uri("tel:+81-3-0000-0000"));
    Address::new(vec![postal], electronic).unwrap()
}

fn scheme() -> SchemeInformation {
    SchemeInformation {
        sequence_number: 3,
        list_type: uri("http://uri.etsi.org/TrstSvc/TrustedList/TSLType/JPlist"),
        operator_name: names(OPERATOR, "例示eシール監督室", "Reiji e-shiiru Kantokushitsu"),
        operator_address: address("tl.example.jp"),
        scheme_name: names(
            "JP:Example e-seal certification scheme",
            "JP:例示eシール認定制度 & \"監督\"",
            "JP:Reiji e-shiiru nintei seido & \"kantoku\"",
        ),
        information: page("https://tl.example.jp/scheme/info.en.html")
            .and(Language::japanese(), uri("https://tl.example.jp/scheme/info.ja.html")),
        status_determination: uri(
            "http://uri.etsi.org/TrstSvc/TrustedList/StatusDetn/JPdetermination",
        ),
        community_rules: page("http://uri.etsi.org/TrstSvc/TrustedList/schemerules/JP"),
        territory: Territory::new("JP").unwrap(),
        notice: Notice::Legal(
            Multilingual::english(text("Evaluation list without legal effect."))
                .and(Language::japanese(), text("法的効力のない評価用リストです。")),
        ),
        history_period: SchemeInformation::HISTORY_FOR_EVER,
        pointers: Vec::new(),
        issue: at(ISSUE),
        next_update: NextUpdate::By(at("2027-05-20T00:00:00Z")),
        distribution_points: vec![uri("https://tl.example.jp/tl/jp.xml")],
        extensions: Vec::new(),
    }
}

fn service(level: u8, provider: &str) -> Service {
    let authority = Signer::new(SignatureAlgorithm::EcdsaP384Sha384, Role::Authority, provider);
    Service {
        service_type: uri(&format!("https://tl.example.jp/TrstSvc/Svctype/eSeal/Level{level}")),
        name: names(
            &format!("e-seal certificates level {level}"),
            &format!("eシール用証明書 レベル{level}"),
            &format!("e-shiiru-yo shomeisho reberu {level}"),
        ),
        identity: Identity::of(authority.certificate),
        status: uri("https://tl.example.jp/TrstSvc/Svcstatus/granted"),
        status_start: at("2026-11-20T00:00:00Z"),
        scheme_definition: Some(page("https://tl.example.jp/scheme/levels.en.html")),
        supply_points: vec![
            SupplyPoint {
                kind: Some(uri("http://uri.etsi.org/TrstSvc/Svctype/Certstatus/OCSP")),
                address: uri(&format!("http://pki.example.jp/ocsp/seal-l{level}-g1")),
            },
            SupplyPoint { kind: None, address: uri("https://ca.example.jp/apply?a=1&b=2") },
        ],
        provider_definition: None,
        extensions: vec![
            Extension::information(uri(
                "http://uri.etsi.org/TrstSvc/TrustedList/SvcInfoExt/ForeSeals",
            )),
            Extension::new(ExtensionContent::ExpiredCertsRevocationInfo(at(
                "2026-11-20T00:00:00Z",
            ))),
        ],
        history: Vec::new(),
    }
}

/// The service with a state that ended before the present one began.
pub(crate) fn with_past(mut service: Service, start: &str) -> Service {
    service.history.push(PastState {
        service_type: service.service_type.clone(),
        name: service.name.clone(),
        identity: service.identity.to_past(),
        status: uri("https://tl.example.jp/TrstSvc/Svcstatus/withdrawn"),
        status_start: at(start),
        extensions: Vec::new(),
    });
    service
}

/// One provider, three services, one of them with a history.
pub(crate) fn list() -> TrustedList {
    let name = "Example Seal CA K.K.";
    let provider = Provider {
        name: names(name, "例示シール認証株式会社", "Reiji Shiiru Ninsho K.K."),
        trade_names: TradeNames::new(
            &RegistrationIdentifier::new("NTRJP-7000000000000").unwrap(),
            vec![Entry { language: Language::english(), value: text("Example Seal") }],
        ),
        address: address("ca.example.jp"),
        information: page("https://ca.example.jp/cps"),
        extensions: Vec::new(),
        services: vec![
            service(1, name),
            with_past(with_past(service(2, name), "2026-10-01T00:00:00Z"), "2026-09-01T00:00:00Z"),
            service(3, name),
        ],
    };
    TrustedList { scheme: scheme(), providers: vec![provider] }
}

/// A pointer to the list of a territory, with two signers.
pub(crate) fn pointer(territory: &str) -> Pointer {
    let etsi = |path: &str| uri(&format!("http://uri.etsi.org/TrstSvc/TrustedList/{path}"));
    let (kind, rules) = match territory {
        "EU" => ("EUlistofthelists".to_owned(), "EUlistofthelists".to_owned()),
        other => (format!("{other}list"), other.to_owned()),
    };
    let algorithm = SignatureAlgorithm::EcdsaP384Sha384;
    let signer =
        || Signer::of_country(territory, algorithm, Role::ListSigner, OPERATOR).certificate;
    Pointer {
        identities: vec![Identity::of(signer()), Identity::of(signer())],
        location: uri(&format!("https://tl.example.org/{territory}.xml")),
        information: vec![
            PointerInformation::ListType(etsi(&format!("TSLType/{kind}"))),
            PointerInformation::Territory(Territory::new(territory).unwrap()),
            PointerInformation::MimeType(text("application/vnd.etsi.tsl+xml")),
            PointerInformation::OperatorName(Multilingual::english(text("Example operator"))),
            PointerInformation::CommunityRules(Multilingual::english(etsi(&format!(
                "schemerules/{rules}"
            )))),
        ],
    }
}

/// A list as a member state publishes it.
pub(crate) fn european() -> TrustedList {
    let etsi = |path: &str| uri(&format!("http://uri.etsi.org/TrstSvc/TrustedList/{path}"));
    let mut list = list();
    let scheme = &mut list.scheme;
    scheme.list_type = etsi("TSLType/EUgeneric");
    scheme.territory = Territory::new("EE").unwrap();
    scheme.scheme_name = Multilingual::english(text("EE:Example trusted list"));
    scheme.status_determination = etsi("StatusDetn/EUappropriate");
    scheme.community_rules = Multilingual::english(etsi("schemerules/EUcommon"))
        .and(Language::english(), etsi("schemerules/EE"));
    scheme.pointers = vec![pointer("EU")];
    for service in &mut list.providers[0].services {
        service.service_type = uri("http://uri.etsi.org/TrstSvc/Svctype/CA/QC");
        service.status = etsi("Svcstatus/granted");
        for state in &mut service.history {
            state.service_type = service.service_type.clone();
            state.status = etsi("Svcstatus/withdrawn");
        }
    }
    list
}

/// A list of lists of a territory.
pub(crate) fn list_of_lists(territory: &str) -> TrustedList {
    let etsi = |path: &str| uri(&format!("http://uri.etsi.org/TrstSvc/TrustedList/{path}"));
    let lists = format!("{territory}listofthelists");
    let mut list = TrustedList { providers: Vec::new(), ..list() };
    list.scheme.list_type = etsi(&format!("TSLType/{lists}"));
    list.scheme.status_determination = etsi(&format!("StatusDetn/{lists}"));
    let rules = if territory == "EU" { lists.as_str() } else { territory };
    list.scheme.community_rules = Multilingual::english(etsi(&format!("schemerules/{rules}")));
    list.scheme.territory = Territory::new(territory).unwrap();
    list.scheme.scheme_name = Multilingual::english(text(&format!("{territory}:Lists of lists")));
    list.scheme.pointers = vec![pointer(territory), pointer("EE")];
    list
}

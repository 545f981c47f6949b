//! One specimen of each kind of body, made for a key.
//!
//! They are small and complete: each passes the checks of its format, and comes from nobody.

use std::error::Error;
use std::iter;

use tenkoku_domain::authority::AuthorityName;
use tenkoku_domain::certificate::{Serial, Validity};
use tenkoku_domain::identifier::OrganizationIdentifier;
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::name::Name;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::cert::Certificate;
use tenkoku_pki::crl::{CrlKind, CrlOrder, EntryList, LintedCrl};
use tenkoku_pki::key::PublicKey;
use tenkoku_pki::lint::{Linted, lint};
use tenkoku_pki::name::DistinguishedName;
use tenkoku_pki::ocsp::{
    AnswerOrder, AnswerSigner, HashAlgorithm, IssuerHashes, LintedAnswer, Single, Status,
};
use tenkoku_pki::policy::PolicyArc;
use tenkoku_pki::profile::{Content, CrlPlaces, Issuer, Order, Repository, draft};
use tenkoku_pki::signed::ThrowawaySigner;
use tenkoku_pki::uri::HttpUri;
use tenkoku_pki::{crl, ocsp};
use tenkoku_tsl::algorithm::SignatureAlgorithm as ListAlgorithm;
use tenkoku_tsl::certificate::Certificate as ListSigner;
use tenkoku_tsl::lote::{self, PreparedLote};
use tenkoku_tsl::model::{
    Address, Country, Language, Names, NextUpdate, Notice, Pages, PostalAddress, SchemeInformation,
    Territory, Text, TrustedList, Uri,
};
use tenkoku_tsl::rules::LintedList;
use tenkoku_tsl::sign::{PreparedList, prepare};

/// When everything here happens.
const NOW: Timestamp = Timestamp::from_seconds(1_795_371_000);
const OPERATOR: &str = "Sample Co., Ltd.";

/// Says that a specimen could not be made, which is a fault of the contract and not of the store.
fn none<E: Error>(what: &'static str) -> impl FnOnce(E) -> String {
    move |err| {
        let causes = iter::successors(err.source(), |cause| (*cause).source());
        let words: Vec<String> = causes.map(ToString::to_string).collect();
        format!("there is no specimen of {what}: {err} ({})", words.join(": "))
    }
}

/// An authority with this key.
fn issuer(key: &PublicKey) -> Result<Issuer, String> {
    let validity = Validity::days(NOW, 20);
    Ok(Issuer { name: name("Contract CA G1")?, key: key.clone(), validity, scope: None })
}

fn name(common_name: &str) -> Result<DistinguishedName, String> {
    let text = |text| Name::parse(text).map_err(none("a name"));
    let identifier = OrganizationIdentifier::parse("NTRJP-5010401067252");
    let name = AuthorityName {
        country: "JP".to_owned(),
        organisation: text(OPERATOR)?,
        identifier: identifier.map_err(none("a name"))?,
        common_name: text(common_name)?,
    };
    DistinguishedName::of_authority(&name).map_err(none("a name"))
}

/// The certificate of a signer of OCSP answers, to be signed by `issuer_key`.
pub(super) fn ocsp_signer(
    key: &PublicKey,
    issuer_key: &PublicKey,
    throwaway: &dyn ThrowawaySigner,
) -> Result<Linted, String> {
    certificate(key, issuer_key, Content::OcspSigner, throwaway)
}

/// The certificate of a signer of lists, to be signed by `issuer_key`.
pub(super) fn list_signer(
    key: &PublicKey,
    issuer_key: &PublicKey,
    throwaway: &dyn ThrowawaySigner,
) -> Result<Linted, String> {
    let address = |text| HttpUri::parse(text).map_err(none("an address"));
    let content = Content::ListSigner {
        arc: PolicyArc::parse("1.3.6.1.4.1.32473.1").map_err(none("a policy"))?,
        repository: Repository {
            certificate: address("http://pki.example/ca/contract.cer")?,
            crl: CrlPlaces::whole(address("http://pki.example/crl/contract.crl")?),
        },
    };
    certificate(key, issuer_key, content, throwaway)
}

fn certificate(
    key: &PublicKey,
    issuer_key: &PublicKey,
    content: Content,
    throwaway: &dyn ThrowawaySigner,
) -> Result<Linted, String> {
    let order = Order {
        serial: serial()?,
        validity: Validity::days(NOW, 10),
        subject: name("Contract Signer")?,
        key: key.clone(),
        issuer: issuer(issuer_key)?,
        content,
    };
    lint(draft(&order), &order, throwaway).map_err(none("a certificate"))
}

fn serial() -> Result<Serial, String> {
    Serial::parse("4A11D0B6E3F0571C9C7A2B6D18E4F503").map_err(none("a serial number"))
}

/// An empty revocation list.
pub(crate) fn crl(issuer_key: &PublicKey) -> Result<LintedCrl, String> {
    let issuer = issuer(issuer_key)?;
    let order = CrlOrder {
        issuer: &issuer,
        number: 1,
        previous: None,
        this_update: NOW,
        next_update: NOW.plus_days(3),
        expired_since: None,
        kind: CrlKind::Complete { freshest: None },
        shard: None,
        entries: &EntryList::new(),
    };
    crl::lint(crl::draft(&order), &order).map_err(none("a CRL"))
}

/// Who answers with this certificate, DER, and its key.
pub(super) fn answer_signer(certificate: &[u8], key: &PublicKey) -> Result<AnswerSigner, String> {
    let certificate = Certificate::parse(certificate).map_err(none("an OCSP signer"))?;
    Ok(AnswerSigner::new(certificate, key.clone()))
}

/// What is answered about one of the signer's certificates.
pub(super) fn single(signer: &AnswerSigner) -> Result<Single, String> {
    let issuer = signer.certificate().issuer();
    let hashes = IssuerHashes::of(HashAlgorithm::Sha256, issuer, signer.key());
    Ok(Single {
        cert_id: hashes.cert_id(&serial()?),
        status: Status::Good,
        this_update: NOW,
        next_update: NOW.plus_days(1),
        archive_cutoff: None,
    })
}

/// An answer by a signer.
pub(super) fn answer<'a>(
    signer: &'a AnswerSigner,
    singles: &'a [Single],
) -> Result<LintedAnswer<'a>, String> {
    let order = AnswerOrder { signer, produced_at: NOW, singles, nonce: None };
    ocsp::lint(ocsp::draft(&order), &order).map_err(none("an OCSP answer"))
}

/// How a key of this algorithm signs lists; `None` where it may not (TS 119 312).
pub(super) const fn list_algorithm(key: KeyAlgorithm) -> Option<ListAlgorithm> {
    match key {
        KeyAlgorithm::P256 => Some(ListAlgorithm::EcdsaP256Sha256),
        KeyAlgorithm::P384 => Some(ListAlgorithm::EcdsaP384Sha384),
        KeyAlgorithm::Rsa3072 | KeyAlgorithm::Rsa4096 => Some(ListAlgorithm::RsaSha512),
        KeyAlgorithm::Rsa2048
        | KeyAlgorithm::P521
        | KeyAlgorithm::MlDsa65
        | KeyAlgorithm::MlDsa87 => None,
    }
}

/// A list without providers, to be signed by the holder of this certificate, DER.
pub(super) fn list(signer: &[u8], algorithm: ListAlgorithm) -> Result<PreparedList, String> {
    let signer = ListSigner::from_der(signer).map_err(none("a list signer"))?;
    prepare(linted()?, signer, algorithm, NOW).map_err(none("a list"))
}

/// The same list in JSON.
pub(super) fn list_in_json(
    signer: &[u8],
    algorithm: ListAlgorithm,
) -> Result<PreparedLote, String> {
    let signer = ListSigner::from_der(signer).map_err(none("a list signer"))?;
    lote::prepare(&linted()?, signer, algorithm, NOW).map_err(none("a list in JSON"))
}

fn linted() -> Result<LintedList, String> {
    let list = TrustedList { scheme: scheme()?, providers: Vec::new() };
    tenkoku_tsl::rules::lint(list).map_err(none("a list"))
}

fn scheme() -> Result<SchemeInformation, String> {
    let uri = |text| Uri::new(text).map_err(none("an address"));
    let names = |words| Text::new(words).map(Names::english).map_err(none("a text"));
    Ok(SchemeInformation {
        sequence_number: 1,
        list_type: uri("https://list.example/type")?,
        operator_name: names(OPERATOR)?,
        operator_address: address()?,
        scheme_name: names("JP:Contract")?,
        information: Pages::english(uri("https://list.example/")?),
        status_determination: uri("https://list.example/determination")?,
        community_rules: Pages::english(uri("https://list.example/rules")?),
        territory: Territory::new("JP").map_err(none("a territory"))?,
        notice: Notice::Legal(names("For the contract of key stores only.")?),
        history_period: SchemeInformation::HISTORY_FOR_EVER,
        pointers: Vec::new(),
        issue: NOW,
        next_update: NextUpdate::By(NOW.plus_days(30)),
        distribution_points: vec![uri("https://list.example/list.xml")?],
        extensions: Vec::new(),
    })
}

fn address() -> Result<Address, String> {
    let text = |words| Text::new(words).map_err(none("an address"));
    let uri = |text| Uri::new(text).map_err(none("an address"));
    let postal = PostalAddress {
        language: Language::english(),
        street: text("1-1 Sample")?,
        locality: text("Osaka")?,
        state_or_province: None,
        postal_code: None,
        country: Country::new("JP").map_err(none("a country"))?,
    };
    let electronic = Pages::english(uri("mailto:list@list.example")?)
        .and(Language::english(), uri("https://list.example/contact")?);
    Address::new(vec![postal], electronic).map_err(none("an address"))
}

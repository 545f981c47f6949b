//! From a certificate to its service: state at a date, qualifiers, level, takeover.

use rcgen::{CertificateParams, CustomExtension, DnType, Issuer, KeyPair, KeyUsagePurpose};
use tenkoku_domain::level::Level;
use tenkoku_tsl::certificate::Certificate;
use tenkoku_tsl::index::{
    Answer, HistoryFault, Index, Levels, Link, Qualifiers, Standing, state_at,
};
use tenkoku_tsl::model::{
    Assertion, CriteriaList, Criterion, Entry, Extension, ExtensionContent, Identity, Language,
    Multilingual, ObjectId, QcStatement, QcStatementInfo, Qualification, TakenOverBy, Territory,
    TrustedList, Usage, UsageBit,
};

use crate::sample::{self, at, names, uri, with_past};

const BASE: &str = "http://uri.etsi.org/TrstSvc/TrustedList/SvcInfoExt/";
const LEVEL: &str = "https://tl.example.jp/TrstSvc/Svctype/eSeal/Level";

/// An authority that can issue, unlike those of the sample.
struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let der = params.self_signed(&key).unwrap();
        let certificate = Certificate::from_der(der.der()).unwrap();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    /// A seal certificate with this key usage and the policy 1.2.3.4.
    fn issue(&self, usages: Vec<KeyUsagePurpose>) -> Certificate {
        self.issue_with(usages, None)
    }

    /// A seal certificate whose qcStatements have this content.
    fn issue_stating(&self, content: &[u8]) -> Certificate {
        let oid = [1, 3, 6, 1, 5, 5, 7, 1, 3];
        let statements = CustomExtension::from_oid_content(&oid, content.to_vec());
        self.issue_with(Vec::new(), Some(statements))
    }

    fn issue_with(
        &self,
        usages: Vec<KeyUsagePurpose>,
        extension: Option<CustomExtension>,
    ) -> Certificate {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::OrganizationName, "Example Holder");
        params.use_authority_key_identifier_extension = true;
        params.key_usages = usages;
        // certificatePolicies { 1.2.3.4 }
        let policies = vec![0x30, 7, 0x30, 5, 6, 3, 0x2a, 3, 4];
        let policies = CustomExtension::from_oid_content(&[2, 5, 29, 32], policies);
        params.custom_extensions.push(policies);
        params.custom_extensions.extend(extension);
        let der = params.signed_by(&key, &self.issuer).unwrap();
        Certificate::from_der(der.der()).unwrap()
    }
}

/// The sample list, whose second service, of level 2 and with two past states, is this authority.
fn list_with(authority: &Authority) -> TrustedList {
    let mut list = sample::list();
    list.providers[0].services[1].identity = Identity::of(authority.certificate.clone());
    list
}

fn one(answer: Answer<'_>) -> Standing<'_> {
    let Answer::Listed(mut standings) = answer else { panic!("{answer:?}") };
    assert_eq!(standings.len(), 1, "{standings:?}");
    standings.remove(0)
}

fn policy(id: &str) -> ObjectId {
    ObjectId { identifier: id.to_owned(), qualifier: None, description: None, references: None }
}

fn criteria(assertion: Assertion, criteria: Vec<Criterion>) -> CriteriaList {
    CriteriaList { assertion: Some(assertion), criteria, description: None }
}

#[test]
fn a_certificate_leads_to_its_service_and_to_what_it_was_at_a_date() {
    let authority = Authority::new("Example Seal CA");
    let seal = authority.issue(vec![KeyUsagePurpose::ContentCommitment]);
    let index = Index::new(vec![list_with(&authority)]);
    let levels =
        Levels((1..=3).map(|n| (uri(&format!("{LEVEL}{n}")), Level::ALL[n - 1])).collect());
    let status = |time: &str| {
        let standing = one(index.standing(&seal, at(time), |_| true));
        assert_eq!(standing.link, Link::Issuer);
        assert_eq!(standing.level(&levels), Some(Level::Two));
        standing.state.status.as_str().rsplit('/').next().unwrap().to_owned()
    };
    assert_eq!(status("2026-11-22T00:00:00Z"), "granted");
    assert_eq!(status("2026-11-20T00:00:00Z"), "granted");
    assert_eq!(status("2026-11-19T23:59:59Z"), "withdrawn");
    assert_eq!(status("2026-09-01T00:00:00Z"), "withdrawn");
    let before = index.standing(&seal, at("2026-08-31T23:59:59Z"), |_| true);
    assert!(matches!(before, Answer::Unlisted));
    let now = at("2026-11-22T00:00:00Z");
    let standing = one(index.standing(&seal, now, |_| true));
    assert!(standing.is_for_seals() && standing.takeover().is_none());
    assert!(matches!(index.standing(&seal, now, |_| false), Answer::Unlisted));
    let itself = one(index.standing(&authority.certificate, now, |_| true));
    assert_eq!(itself.link, Link::Listed);
    let stranger = Authority::new("Example Stranger").certificate;
    assert!(matches!(index.standing(&stranger, now, |_| true), Answer::Unlisted));
    // The same name with another key is another authority.
    let namesake = Authority::new("Example Seal CA").issue(Vec::new());
    assert!(matches!(index.standing(&namesake, now, |_| true), Answer::Unlisted));
}

#[test]
fn a_history_that_contradicts_itself_gives_no_answer() {
    let authority = Authority::new("Example Seal CA");
    let seal = authority.issue(Vec::new());
    let mut list = list_with(&authority);
    let service = list.providers[0].services[1].clone();
    let twice = with_past(service.clone(), "2026-09-01T00:00:00Z");
    assert_eq!(
        state_at(&twice, at("2026-11-22T00:00:00Z")).unwrap_err(),
        HistoryFault::SameInstant(at("2026-09-01T00:00:00Z"))
    );
    let unordered = with_past(service, "2026-10-15T00:00:00Z");
    list.providers[0].services[1] = unordered;
    let index = Index::new(vec![list]);
    let answer = index.standing(&seal, at("2026-11-22T00:00:00Z"), |_| true);
    assert!(matches!(answer, Answer::Broken(_, HistoryFault::OutOfOrder)), "{answer:?}");
}

#[test]
fn entries_that_contradict_each_other_give_no_answer() {
    let authority = Authority::new("Example Seal CA");
    let seal = authority.issue(Vec::new());
    let (first, mut second) = (list_with(&authority), list_with(&authority));
    let now = at("2026-11-22T00:00:00Z");
    let both = Index::new(vec![first.clone(), second.clone()]);
    assert!(
        matches!(both.standing(&seal, now, |_| true), Answer::Listed(found) if found.len() == 2)
    );
    second.providers[0].services[1].status =
        uri("https://tl.example.jp/TrstSvc/Svcstatus/withdrawn");
    let index = Index::new(vec![first, second]);
    assert!(
        matches!(index.standing(&seal, now, |_| true), Answer::Conflict(found) if found.len() == 2)
    );
}

#[test]
fn what_a_certificate_states_of_itself_is_a_criterion_too() {
    let authority = Authority::new("Example Seal CA");
    let mut list = list_with(&authority);
    let statement = |id: &str, says| QcStatement { id: policy(id), says };
    let seal = || QcStatementInfo::Type(policy("urn:oid:0.4.0.1862.1.6.2"));
    let country = |code: &str| Some(QcStatementInfo::Legislation(code.to_owned()));
    let cases = [
        ("a", vec![statement("0.4.0.1862.1.1", None)], true),
        ("b", vec![statement("urn:oid:0.4.0.1862.1.6", Some(seal()))], true),
        ("c", vec![statement("0.4.0.1862.1.7", country("JP"))], true),
        ("d", vec![statement("0.4.0.1862.1.7", country("ZZ"))], false),
        ("e", vec![statement("0.4.0.1862.1.4", None)], false),
        ("f", vec![statement("0.4.0.1862.1.1", None), statement("0.4.0.1862.1.4", None)], false),
    ];
    let qualifications = cases.iter().map(|(name, statements, _)| Qualification {
        qualifiers: vec![uri(&format!("{BASE}{name}"))],
        criteria: criteria(Assertion::All, vec![Criterion::QcStatements(statements.clone())]),
    });
    let qualifications = ExtensionContent::Qualifications(qualifications.collect());
    list.providers[0].services[1].extensions = vec![Extension::new(qualifications)];
    let index = Index::new(vec![list]);
    let standing = |seal: &Certificate| {
        let standing = one(index.standing(seal, at("2026-11-22T00:00:00Z"), |_| true));
        let word = |uri: &&tenkoku_tsl::model::Uri| uri.as_str().replace(BASE, "");
        let Qualifiers { met, unknown } = &standing.qualifiers;
        (met.iter().map(word).collect::<Vec<_>>(), unknown.iter().map(word).collect::<Vec<_>>())
    };
    let met = cases.iter().filter(|(.., met)| *met).map(|(name, ..)| (*name).to_owned());
    let met: Vec<_> = met.collect();
    // QcCompliance; QcType { eseal }; QcCClegislation { "JP" } (EN 319 412-5).
    let stated = b"\x30\x2f\x30\x08\x06\x06\x04\x00\x8e\x46\x01\x01\x30\x13\x06\x06\x04\x00\x8e\x46\
        \x01\x06\x30\x09\x06\x07\x04\x00\x8e\x46\x01\x06\x02\x30\x0e\x06\x06\x04\x00\x8e\x46\x01\x07\
        \x30\x04\x13\x02JP";
    let with = |content: &[u8]| authority.issue_stating(content);
    assert_eq!(standing(&with(stated)), (met, Vec::new()));
    assert_eq!(standing(&authority.issue(Vec::new())), (Vec::new(), Vec::new()));
    // Statements that cannot be read are not guessed.
    let all: Vec<_> = cases.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(standing(&with(b"\x30\x01\x00")), (Vec::new(), all));
}

#[test]
fn qualifiers_follow_the_criteria_and_ignorance_is_not_guessed_away() {
    let authority = Authority::new("Example Seal CA");
    let seal = authority.issue(vec![KeyUsagePurpose::ContentCommitment]);
    let bits = |pairs: &[(Usage, bool)]| {
        Criterion::KeyUsage(
            pairs.iter().map(|(usage, value)| UsageBit { usage: *usage, value: *value }).collect(),
        )
    };
    let commitment = || bits(&[(Usage::NonRepudiation, true), (Usage::DigitalSignature, false)]);
    let unknown = || {
        // What nobody understands comes out of a list only.
        let text = include_str!("../../../../tests/data/tsl/unknown-criterion.xml");
        let read = tenkoku_tsl::verify::read_unsigned(text.as_bytes()).unwrap();
        let (_, service) = read.services().next().unwrap();
        let found = service.extensions.iter().find_map(|e| e.as_qualifications().first());
        found.unwrap().criteria.criteria[0].clone()
    };
    let cases = [
        (
            criteria(
                Assertion::All,
                vec![commitment(), Criterion::PolicySet(vec![policy("urn:oid:1.2.3.4")])],
            ),
            Some(true),
        ),
        (
            criteria(
                Assertion::All,
                vec![Criterion::PolicySet(vec![policy("1.2.3.4"), policy("1.2.3.5")])],
            ),
            Some(false),
        ),
        (
            criteria(Assertion::AtLeastOne, vec![bits(&[(Usage::CrlSign, true)]), commitment()]),
            Some(true),
        ),
        (criteria(Assertion::None, vec![bits(&[(Usage::CrlSign, true)])]), Some(true)),
        (criteria(Assertion::None, vec![commitment()]), Some(false)),
        (
            criteria(
                Assertion::All,
                vec![Criterion::List(criteria(Assertion::None, vec![commitment()]))],
            ),
            Some(false),
        ),
        (
            criteria(Assertion::All, vec![Criterion::SubjectAttributes(vec![policy("2.5.4.10")])]),
            Some(true),
        ),
        (
            criteria(
                Assertion::All,
                vec![Criterion::ExtendedKeyUsage(vec![policy("1.3.6.1.5.5.7.3.1")])],
            ),
            Some(false),
        ),
        (criteria(Assertion::All, vec![unknown(), commitment()]), None),
        (criteria(Assertion::AtLeastOne, vec![unknown(), commitment()]), Some(true)),
        (criteria(Assertion::None, vec![unknown()]), None),
        (CriteriaList { assertion: None, ..criteria(Assertion::All, vec![commitment()]) }, None),
    ];
    for (number, (criteria, expected)) in cases.into_iter().enumerate() {
        let mut list = list_with(&authority);
        let qualifier = uri(&format!("{BASE}QCForESeal"));
        let qualification = Qualification { qualifiers: vec![qualifier.clone()], criteria };
        list.providers[0].services[1]
            .extensions
            .push(Extension::new(ExtensionContent::Qualifications(vec![qualification])));
        let index = Index::new(vec![list]);
        let standing = one(index.standing(&seal, at("2026-11-22T00:00:00Z"), |_| true));
        let (met, unknown) = (&standing.qualifiers.met, &standing.qualifiers.unknown);
        let found = match (met.as_slice(), unknown.as_slice()) {
            ([one], []) if **one == qualifier => Some(true),
            ([], []) => Some(false),
            ([], [one]) if **one == qualifier => None,
            other => panic!("{other:?}"),
        };
        assert_eq!(found, expected, "case {number}");
    }
}

#[test]
fn a_takeover_is_told() {
    let authority = Authority::new("Example Seal CA");
    let seal = authority.issue(Vec::new());
    let mut list = list_with(&authority);
    let takeover = TakenOverBy {
        page: Entry { language: Language::english(), value: uri("https://tl.example.jp/takeover") },
        provider: names("Example Other K.K.", "例示その他株式会社", "Reiji Sonota K.K."),
        operator: Multilingual::english(sample::text("Example operator")),
        territory: Territory::new("JP").unwrap(),
        other: Vec::new(),
    };
    list.providers[0].services[1].extensions.push(Extension {
        critical: true,
        content: ExtensionContent::TakenOverBy(takeover.clone()),
    });
    let index = Index::new(vec![list]);
    let standing = one(index.standing(&seal, at("2026-11-22T00:00:00Z"), |_| true));
    assert_eq!(standing.takeover(), Some(&takeover));
}

//! Broken drafts, each named by the pre-check in a sentence.

use tenkoku_tsl::model::{
    Address, Assertion, CriteriaList, Criterion, Entry, Extension, ExtensionContent, Identity,
    Language, Multilingual, NextUpdate, Notice, Pointer, PointerInformation, Provider,
    Qualification, SchemeInformation, Service, Territory, TrustedList, Usage, UsageBit,
};
use tenkoku_tsl::rules::{Weight, findings, lint};

use crate::sample::{self, at, page, text, uri, with_past};

const BASE: &str = "http://uri.etsi.org/TrstSvc/TrustedList/";
const SERVICE: &str = "http://uri.etsi.org/TrstSvc/Svctype/";

/// Breaks the sample list and expects exactly one finding with this clause and words.
fn check(clause: &str, words: &str, spoil: impl FnOnce(&mut TrustedList)) {
    let mut list = sample::list();
    spoil(&mut list);
    let found = findings(&list);
    let shown: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 1, "{shown:#?}");
    assert_eq!(found[0].clause, clause, "{shown:?}");
    assert!(found[0].sentence().contains(words), "{shown:?}");
    assert!(found[0].sentence().starts_with(char::is_uppercase), "{shown:?}");
    assert_eq!(lint(list).is_err(), found[0].weight() == Weight::Refused);
}

fn check_scheme(clause: &str, words: &str, spoil: impl FnOnce(&mut SchemeInformation)) {
    check(clause, words, |list| spoil(&mut list.scheme));
}

fn check_provider(clause: &str, words: &str, spoil: impl FnOnce(&mut Provider)) {
    check(clause, words, |list| spoil(&mut list.providers[0]));
}

fn check_service(clause: &str, words: &str, spoil: impl FnOnce(&mut Service)) {
    check_provider(clause, words, |provider| spoil(&mut provider.services[0]));
}

#[test]
fn the_sample_is_as_the_standard_wants_it() {
    assert_eq!(findings(&sample::list()), []);
    assert!(lint(sample::list()).unwrap().advice().is_empty());
}

#[test]
fn schemes_are_checked() {
    check_scheme("5.3.2", "begins at 1", |s| s.sequence_number = 0);
    let wrong_type = uri(&format!("{BASE}TSLType/USlist"));
    check_scheme("5.3.3", "TSLType/JPlist", |s| s.list_type = wrong_type);
    let wrong_approach = uri(&format!("{BASE}StatusDetn/EUappropriate"));
    check_scheme("5.3.8", "JPdetermination", |s| s.status_determination = wrong_approach);
    let wrong_rules = page(&format!("{BASE}schemerules/US"));
    check_scheme("5.3.9", "schemerules/JP", |s| s.community_rules = wrong_rules);
    check_scheme("5.3.6", "must be “JP:”", |s| {
        s.scheme_name = Multilingual::english(text("Example scheme"));
    });
    check_scheme("5.3.7", "no web page", |s| s.information = page("urn:example:info"));
    check_scheme("5.3.11", "no web page", |s| s.notice = Notice::Policy(page("urn:example:law")));
    check_scheme("5.1.4", "more than once in en", |s| {
        let notice = Multilingual::english(text("One."));
        s.notice = Notice::Legal(notice.and(Language::english(), text("Two.")));
    });
}

#[test]
fn names_are_checked() {
    check_scheme("5.1.4, E.1", "ja-Latn", |s| {
        s.operator_name =
            Multilingual::english(text("Example")).and(Language::japanese(), text("例示"));
    });
    check_scheme("5.1.4", "more than once in en", |s| {
        s.operator_name =
            Multilingual::english(text("Example")).and(Language::english(), text("Other"));
    });
    check_scheme("E.1", "other than Latin", |s| {
        s.operator_name =
            Multilingual::english(text("Example")).and(Language::japanese_in_latin(), text("例示"));
    });
}

#[test]
fn addresses_are_checked() {
    let with = |addresses: &[&str]| {
        let entry = |a: &&str| Entry { language: Language::english(), value: uri(a) };
        let electronic = Multilingual::new(addresses.iter().map(entry).collect()).unwrap();
        Address::new(sample::address("example.jp").postal().to_vec(), electronic).unwrap()
    };
    let no_mail = with(&["https://example.jp"]);
    check_scheme("5.3.5", "mailto:", |s| s.operator_address = no_mail.clone());
    check_provider("5.4.3", "mailto:", |p| p.address = no_mail);
    let no_web = with(&["mailto:a@example.jp"]);
    check_provider("5.4.3", "web page", |p| p.address = no_web);
    let odd = with(&["mailto:a@example.jp", "https://example.jp", "ftp://example.jp"]);
    check_provider("5.4.3", "ftp://example.jp", |p| p.address = odd);
}

#[test]
fn dates_are_checked() {
    let by = |time: &str| NextUpdate::By(at(time));
    check_scheme("5.3.15", "after the issue", |s| s.next_update = by("2026-11-22T00:00:00Z"));
    check_scheme("5.3.15", "six months", |s| s.next_update = by("2027-05-22T00:00:01Z"));
    check_scheme("5.3.15", "3 are running", |s| s.next_update = NextUpdate::Closed);
    check_service("5.5.5", "after the list is issued", |s| {
        s.status_start = at("2026-11-22T00:00:01Z");
    });
}

#[test]
fn distribution_points_are_checked() {
    for address in ["https://example.jp/list", "https://example.jp/l.xml?a", "urn:a:l.xml"] {
        check_scheme("5.3.16, 6.1", "ends in .xml", |s| s.distribution_points = vec![uri(address)]);
    }
}

#[test]
fn providers_and_services_are_checked() {
    check_provider("5.4.4", "no web page", |p| p.information = page("urn:example:cps"));
    check_provider("5.4.6", "at least one", |p| p.services.clear());
    check_service("5.5.1", "no registered service type", |s| {
        s.service_type = uri(&format!("{SERVICE}CA/Seal"));
        s.extensions.pop();
    });
    check_service("5.5.3", "without a key", |s| {
        s.service_type = uri(&format!("{SERVICE}RA/nothavingPKIid"));
        s.extensions.pop();
    });
    check_service("5.5.4", "no registered status", |s| {
        s.status = uri("http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/fine");
    });
    check_service("5.5.8", "provider's definition", |s| {
        s.service_type = uri(&format!("{SERVICE}NationalRootCA-QC"));
    });
    check_provider("5.5.3", "same key and type", |p| {
        let again = p.services[0].clone();
        p.services.push(again);
    });
}

#[test]
fn a_certificate_made_out_to_another_name_is_only_advised_against() {
    check("5.5.3", "list it as a trade name", |list| {
        let provider = &mut list.providers[0];
        provider.name = Multilingual::english(text("Example Other K.K."));
        provider.services.truncate(1);
    });
}

#[test]
fn extensions_are_checked() {
    let information =
        |value: &str| Extension::information(uri(&format!("{BASE}SvcInfoExt/{value}")));
    check_service("5.5.9", "the same in two", |s| s.extensions.push(information("ForeSeals")));
    check_service("5.5.9.1", "does not issue certificates", |s| {
        s.service_type = uri("http://uri.etsi.org/TrstSvc/Svctype/TSA");
    });
    check_service("5.5.9.4", "signatures, seals or sites", |s| {
        s.service_type = uri(&format!("{SERVICE}CA/PKC"));
        s.extensions.remove(0);
    });
    check_service("D.4", "only CA/QC", |s| s.extensions.push(information("RootCA-QC")));
    check_service("5.5.1.2", "not for signatures", |s| {
        s.service_type = uri("http://uri.etsi.org/TrstSvc/Svctype/CA/PKC/CertsforOtherTypesOfTS");
        s.extensions.pop();
    });
}

fn criteria(assertion: Option<Assertion>) -> CriteriaList {
    let bit = UsageBit { usage: Usage::NonRepudiation, value: true };
    let criteria = vec![Criterion::KeyUsage(vec![bit])];
    CriteriaList { assertion, criteria, description: None }
}

fn qualification(qualifiers: &[&str], criteria: CriteriaList) -> Extension {
    let qualifiers = qualifiers.iter().map(|name| uri(&format!("{BASE}SvcInfoExt/{name}")));
    let qualification = Qualification { qualifiers: qualifiers.collect(), criteria };
    Extension::new(ExtensionContent::Qualifications(vec![qualification]))
}

#[test]
fn qualifications_are_checked() {
    let all = || criteria(Some(Assertion::All));
    let qualified = |extension: Extension| {
        move |service: &mut Service| {
            service.service_type = uri(&format!("{SERVICE}CA/QC"));
            service.extensions.push(extension);
        }
    };
    let mut good = sample::list();
    qualified(qualification(&["QCForESeal"], all()))(&mut good.providers[0].services[0]);
    assert_eq!(findings(&good), []);
    check_service("5.5.9.2", "only CA/QC", |s| {
        s.service_type = uri(&format!("{SERVICE}CA/PKC"));
        s.extensions.push(qualification(&["QCForESeal"], all()));
    });
    check_service("5.5.9.2.1", "no qualifier", qualified(qualification(&[], all())));
    let unknown = qualified(qualification(&["QCForTea"], all()));
    check_service("5.5.9.2.3", "no registered qualifier", unknown);
    let vague = qualified(qualification(&["QCForESeal"], criteria(None)));
    check_service("5.5.9.2.2", "says not how many", vague);
    let nested = CriteriaList {
        criteria: vec![Criterion::List(criteria(None))],
        ..criteria(Some(Assertion::All))
    };
    let vague = qualified(qualification(&["QCForESeal"], nested));
    check_service("5.5.9.2.2", "lacks its criteria", vague);
}

#[test]
fn what_must_not_be_critical_is_named() {
    check_service("5.5.9.1", "must not be critical", |s| s.extensions[1].critical = true);
    let unknown = {
        let text = include_str!("../../../../tests/data/tsl/unknown-extension.xml");
        let read = tenkoku_tsl::verify::read_unsigned(text.as_bytes()).unwrap();
        let (_, service) = read.services().next().unwrap();
        service.extensions.last().unwrap().clone()
    };
    assert!(matches!(unknown.content, ExtensionContent::Unknown(_)));
    let mut list = sample::list();
    list.providers[0].services[0].extensions.push(unknown.clone());
    assert_eq!(findings(&list), []);
    let critical = Extension { critical: true, ..unknown };
    check_service("B.0", "readers do not understand", |s| s.extensions.push(critical.clone()));
    check_provider("5.4.5", "critical extension", |p| p.extensions.push(critical.clone()));
    check_scheme("5.3.17", "critical extension", |s| s.extensions.push(critical));
}

#[test]
fn pointers_are_checked() {
    let with = |spoil: fn(&mut Pointer)| {
        move |scheme: &mut SchemeInformation| {
            let mut pointer = sample::pointer("EU");
            spoil(&mut pointer);
            scheme.pointers.push(pointer);
        }
    };
    let mut good = sample::list();
    good.scheme.pointers.push(sample::pointer("EU"));
    assert_eq!(findings(&good), []);
    check_scheme("5.3.13", "who signs that list", with(|p| p.identities.clear()));
    check_scheme(
        "A.2",
        "two signers",
        with(|p| {
            p.identities.pop();
        }),
    );
    check_scheme(
        "5.3.13",
        "MimeType once, and gives it 0 times",
        with(|p| {
            p.information.retain(|i| !matches!(i, PointerInformation::MimeType(_)));
        }),
    );
    check_scheme(
        "5.3.13",
        "SchemeTerritory once, and gives it 2 times",
        with(|p| {
            let territory = Territory::new("EU").unwrap();
            p.information.push(PointerInformation::Territory(territory));
        }),
    );
}

#[test]
fn identities_are_checked() {
    check_service("5.5.3", "no certificate that can be read", |s| {
        s.identity = s.identity.to_past();
        s.history.clear();
    });
    check_provider("5.6.3", "carries a certificate", |p| {
        let identity = p.services[1].identity.clone();
        p.services[1].history[0].identity = identity;
    });
    check_provider("5.6.3", "lacks the key identifier", |p| {
        p.services[1].history[0].identity = Identity::default();
    });
}

#[test]
fn european_lists_have_their_own_rules() {
    let check = |clause: &str, words: &str, spoil: fn(&mut TrustedList)| {
        let mut list = sample::european();
        assert_eq!(findings(&list), []);
        spoil(&mut list);
        let found = findings(&list);
        let named = found.iter().any(|f| f.clause == clause && f.sentence().contains(words));
        assert!(named, "{words}: {found:#?}");
    };
    check("5.3.13", "points at the list of lists", |list| list.scheme.pointers.clear());
    check("5.3.8", "EUappropriate", |list| {
        list.scheme.status_determination = uri("https://tl.example.jp/approach");
    });
    check("5.3.9", "schemerules/EUcommon", |list| {
        list.scheme.community_rules = page(&format!("{BASE}schemerules/EE"));
    });
    check("5.5.4", "is no status for the type", |list| {
        list.providers[0].services[0].status =
            uri(&format!("{BASE}Svcstatus/recognisedatnationallevel"));
    });
    assert_eq!(findings(&sample::list_of_lists("JP")), []);
    let mut lists = sample::list_of_lists("EU");
    assert_eq!(findings(&lists), []);
    lists.providers = sample::list().providers;
    assert!(findings(&lists).iter().any(|f| f.sentence().contains("no providers of its own")));
}

#[test]
fn what_others_may_write_is_not_ours_to_sign() {
    check_scheme("5.3.12", "65535", |s| s.history_period = 3653);
    // A list read from others may hold what no constructor takes.
    let text = include_str!("../../../../tests/data/tsl/careless.xml");
    let read = tenkoku_tsl::verify::read_unsigned(text.as_bytes()).unwrap();
    let found = findings(&read);
    for (clause, words) in [
        ("5.1.4", "must be given in English"),
        ("5.1.4", "is not a language tag"),
        ("5.1.4, E.2", "contains the character U+000A"),
        ("5.1.2", "is not an absolute address"),
        ("5.1.5", "is not a code of clause 5.1.5"),
        ("5.4.2", "needs a registration identifier"),
        ("5.5.3", "key identifier"),
    ] {
        let named = found.iter().any(|f| f.clause == clause && f.sentence().contains(words));
        assert!(named, "{clause} {words}: {found:#?}");
    }
}

#[test]
fn histories_are_checked() {
    let past = |service: &mut Service, start: &str| {
        *service = with_past(service.clone(), start);
    };
    check_service("5.5.10", "begin at 2026-11-20T00:00:00Z", |s| past(s, "2026-11-20T00:00:00Z"));
    check_service("5.5.10", "begin at", |s| {
        // The same second counts as the same instant: lists know no fractions.
        s.status_start = at("2026-11-20T00:00:00.500Z");
        past(s, "2026-11-20T00:00:00Z");
    });
    check_service("5.5.10", "newest to oldest", |s| {
        past(s, "2026-10-01T00:00:00Z");
        past(s, "2026-10-02T00:00:00Z");
    });
    check_provider("5.6.3", "another key", |p| {
        let identity = p.services[2].identity.to_past();
        past(&mut p.services[0], "2026-10-01T00:00:00Z");
        p.services[0].history[0].identity = identity;
    });
    check_service("5.6.1", "another service type", |s| {
        past(s, "2026-10-01T00:00:00Z");
        s.history[0].service_type = uri("https://tl.example.jp/TrstSvc/Svctype/eSeal/Old");
    });
}

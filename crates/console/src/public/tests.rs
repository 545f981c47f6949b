//! Tests of the public pages: every page renders every sample in both languages.
//!
//! Names are hostile on purpose: markup, right-to-left text, emoji, 200 characters.

use actix_web::test::TestRequest;
use tenkoku_domain::organisation::Language;

use super::certificate::{CertificatePage, CertificateView};
use super::developers::{Addresses, DevelopersPage};
use super::find::{
    BranchView, CertificateLine, FindPage, Found, OrganisationPage, OrganisationView,
};
use super::home::HomePage;
use super::lists::changes::ChangesPage;
use super::lists::search::{CertificateFinding, Hit, Listed, SearchPage};
use super::lists::service::{
    Cited, History, IdentityView, OnDay, ProviderDetail, ProviderPage, ServiceDetail, ServicePage,
    Statement, Stretch,
};
use super::lists::{
    Choice, FilterView, ListLine, ListPage, ListView, ListsPage, MissingLine, Phrase, ProviderView,
    SequenceLine, ServiceView, SnapshotView, Tag, TroubleView,
};
use super::policies::{LevelView, PoliciesPage};
use super::repository::{AuthorityView, CrlView, RepositoryPage};
use super::status::{Facts, StatusPage};
use super::*;
use crate::layout::{Chip, Crumb, Tone};

const HTML: &str = "<script>alert('株式会社')</script>\" onload=\"x";
const RTL: &str = "\u{202E}מסמך حتم 🏢 髙﨑邉 ハンカク";

fn long() -> String {
    "青葉銀行札幌支店".repeat(25)
}

fn frame(w: Words, title: &str) -> PublicFrame {
    let request = TestRequest::get().uri("/find?q=%3Cscript%3E").to_http_request();
    PublicFrame::new(&Site::default(), w, &request, title)
}

fn chip(label: &str) -> Chip {
    Chip::new(Tone::Warn, label)
}

fn phrase(text: &str) -> Phrase {
    let tag = |lang: &str| Tag { lang: lang.to_owned(), text: text.to_owned() };
    Phrase { main: tag("en"), others: vec![tag("ja"), tag("ja-Latn")] }
}

fn line(name: &str) -> CertificateLine {
    CertificateLine {
        href: "/find/certificate/seal-l2-g1/4A".to_owned(),
        name: name.to_owned(),
        serial: "4A00112233445566778899AABBCCDDEE".to_owned(),
        until: "2028-08-15".to_owned(),
        state: chip(name),
    }
}

fn branch(name: &str) -> BranchView {
    BranchView {
        organisation: name.to_owned(),
        code: "SAPPORO".to_owned(),
        name: name.to_owned(),
        latin_name: Some(name.to_owned()),
        certificate: Some(line(name)),
    }
}

fn organisation(name: &str) -> OrganisationView {
    OrganisationView {
        identifier: "NTRJP-1234567890123".to_owned(),
        name: name.to_owned(),
        latin_name: Some(name.to_owned()),
        branches: "1,200".to_owned(),
    }
}

fn certificate(name: &str) -> CertificateView {
    let text = || name.to_owned();
    CertificateView {
        organisation: text(),
        organisation_latin: Some(text()),
        identifier: "NTRJP-1234567890123".to_owned(),
        branch: text(),
        branch_latin: Some(text()),
        branch_code: "SAPPORO".to_owned(),
        state: chip(name),
        sentence: text(),
        level: text(),
        serial: "4A00".to_owned(),
        from: "2026-05-12 00:00 JST".to_owned(),
        to: "2028-08-15 00:00 JST".to_owned(),
        sealing_until: Some("2027-06-12 00:00 JST".to_owned()),
        issuer: text(),
        issuer_code: "seal-l2-g1".to_owned(),
        root: Some(text()),
        sha256: "00".repeat(32),
        ocsp: "http://seal.example.jp/ocsp/seal-l2-g1".to_owned(),
        crl: "http://seal.example.jp/crl/seal-l2-g1.crl".to_owned(),
        scheme: Some("jp".to_owned()),
    }
}

fn authority(name: &str) -> AuthorityView {
    AuthorityView {
        code: "root-g1".to_owned(),
        name: name.to_owned(),
        kind: name.to_owned(),
        state: chip(name),
        from: "2026-11-22".to_owned(),
        to: "2046-11-17".to_owned(),
        algorithm: "P-384".to_owned(),
        sha256: "00".repeat(32),
        certificate: "http://seal.example.jp/ca/root-g1.cer".to_owned(),
        ocsp: Some("http://seal.example.jp/ocsp/root-g1".to_owned()),
        crosses: vec!["http://seal.sample.example/ca/root-g2/by/root-g1.cer".to_owned()],
        crl_address: "http://seal.example.jp/crl/root-g1.crl".to_owned(),
        crl: Some(CrlView {
            number: 8112,
            issued: "2026-11-22 10:24 JST".to_owned(),
            next: "2026-11-25 10:24 JST".to_owned(),
            entries: "1,204".to_owned(),
            size: "48.2 KB".to_owned(),
            state: chip(name),
        }),
    }
}

fn service(name: &str) -> ServiceView {
    ServiceView {
        href: "/lists/jp/42/providers/1/services/1".to_owned(),
        name: phrase(name),
        kind: name.to_owned(),
        status: chip(name),
        since: "2026-11-22".to_owned(),
        sha256: vec!["00".repeat(32)],
    }
}

fn trouble(name: &str) -> TroubleView {
    TroubleView {
        chip: chip(name),
        sentence: name.to_owned(),
        since: "2026-11-22 10:24 JST".to_owned(),
        detail: name.to_owned(),
    }
}

fn filter(name: &str) -> FilterView {
    let choice = || Choice { value: name.to_owned(), label: name.to_owned(), selected: true };
    FilterView {
        q: name.to_owned(),
        on: name.to_owned(),
        kinds: vec![choice()],
        statuses: vec![choice()],
        used: true,
        wrong_day: true,
        shown: 3,
    }
}

fn cited() -> Cited {
    let snapshot = Some("snp_00000000000000000000000001".to_owned());
    Cited { sequence: 42, digest: "00".repeat(32), snapshot }
}

fn history(name: &str) -> History {
    let stretch = |x, until: Option<&str>| Stretch {
        x,
        width: 280,
        class: "f-ok",
        status: chip(name),
        kind: name.to_owned(),
        from: "2026-11-22".to_owned(),
        until: until.map(str::to_owned),
    };
    History {
        stretches: vec![stretch(0, Some("2026-11-23")), stretch(280, None)],
        mark: Some(300),
        said: name.to_owned(),
        broken: false,
    }
}

/// The pages of lists beyond the table and the list.
fn list_pages(w: Words, name: &str) -> Vec<(&'static str, String)> {
    let text = || name.to_owned();
    let f = || frame(w, name);
    let crumbs = || vec![Crumb::link(name, "/lists"), Crumb::here(name)];
    let broken = History { broken: true, ..history(name) };
    let provider = ProviderPage {
        w,
        frame: f(),
        crumbs: crumbs(),
        cited: cited(),
        p: ProviderDetail {
            name: phrase(name),
            registration: Some(text()),
            address: vec![text()],
            pages: vec![text()],
            services: vec![(service(name), history(name)), (service(name), broken)],
        },
    };
    let on = OnDay { day: text(), wrong: true, answer: Some(text()), chip: Some(chip(name)) };
    let identity =
        IdentityView {
            subject: text(), sha256: "00".repeat(32), period: "2026 – 2036".to_owned()
        };
    let one = ServicePage {
        w,
        frame: f(),
        crumbs: crumbs(),
        cited: cited(),
        s: ServiceDetail {
            name: phrase(name),
            provider: phrase(name),
            kind: text(),
            kind_uri: text(),
            status: chip(name),
            status_uri: text(),
            since: text(),
            history: history(name),
            on,
            identities: vec![identity],
            statements: vec![Statement { what: text(), value: text() }],
        },
    };
    let sentences = vec![text(), text()];
    let changes = ChangesPage {
        w,
        frame: f(),
        crumbs: crumbs(),
        cited: cited(),
        before: 41,
        sentences,
        left: 7,
    };
    let listed = Listed {
        list: phrase(name),
        provider: phrase(name),
        service: service(name),
        status: chip(name),
        since: text(),
        link: chip(name),
        qualifiers: vec![text()],
        taken_over_by: Some(text()),
        sequence: 42,
        snapshot: Some(text()),
        digest: "00".repeat(32),
        trouble: Some(text()),
    };
    let finding = CertificateFinding {
        subject: text(),
        day: text(),
        headline: chip(name),
        sentence: text(),
        listed: vec![listed],
    };
    let hit = Hit { list: text(), provider: phrase(name), service: service(name) };
    let search = SearchPage {
        w,
        frame: f(),
        q: text(),
        on: text(),
        searched: true,
        hits: vec![hit],
        more: true,
        finding: Some(finding),
        wrong: Some(text()),
    };
    vec![
        ("provider", provider.render().unwrap()),
        ("service", one.render().unwrap()),
        ("list-changes", changes.render().unwrap()),
        ("lists-search", search.render().unwrap()),
    ]
}

fn list(name: &str) -> ListView {
    ListView {
        line: list_line(name),
        full_name: Some(phrase(name)),
        operator: phrase(name),
        digest: "00".repeat(32),
        size: "12.0 KB".to_owned(),
        signer: name.to_owned(),
        signer_sha256: "00".repeat(32),
        providers: vec![
            ProviderView {
                href: "/lists/jp/42/providers/1".to_owned(),
                name: phrase(name),
                registration: Some(name.to_owned()),
                services: vec![service(name), service(name), service(name)],
                count: 3,
            },
            ProviderView {
                href: "/lists/jp/42/providers/2".to_owned(),
                name: phrase(name),
                registration: None,
                services: Vec::new(),
                count: 300,
            },
        ],
        snapshot: Some(SnapshotView {
            id: name.to_owned(),
            taken: name.to_owned(),
            confirmed: name.to_owned(),
        }),
    }
}

fn list_line(name: &str) -> ListLine {
    ListLine {
        scheme: "jp".to_owned(),
        territory: "JP".to_owned(),
        name: phrase(name),
        sequence: 42,
        issued: "2026-11-22 10:24 JST".to_owned(),
        next: "2027-05-21 10:24 JST".to_owned(),
        providers: 1,
        services: 3,
        freshness: chip(name),
        signature: chip(name),
        trouble: Some(trouble(name)),
    }
}

/// Every public page as it looks with this name everywhere.
fn pages(w: Words, name: &str) -> Vec<(&'static str, String)> {
    let now = Timestamp::from_seconds(1_800_000_000);
    let facts =
        Facts { now, answering: (3, 2), crl: None, list: Some((42, Some(now.plus_days(3)))) };
    let (headline, lines) = (facts.headline(w), facts.lines(w));
    let f = || frame(w, name);
    let crumbs = vec![Crumb::link(name, "/find"), Crumb::here(name)];
    let found = Found {
        certificates: vec![line(name)],
        organisations: vec![organisation(name)],
        branches: vec![branch(name)],
    };
    let text = || name.to_owned();
    let at = Addresses {
        base: "http://seal.example.jp".to_owned(),
        root: "root-g1".to_owned(),
        issuing: "seal-l1-g1".to_owned(),
        ocsp: "http://seal.example.jp/ocsp/seal-l1-g1".to_owned(),
        crl: "http://seal.example.jp/crl/seal-l1-g1.crl".to_owned(),
        list: "http://seal.example.jp/tl/jp.xml".to_owned(),
        scheme: "jp".to_owned(),
    };
    let level = |number| LevelView {
        number,
        name: text(),
        oid: "1.3.6.1.4.1.32473.1.1.1".to_owned(),
        sentences: vec![text(), text()],
    };
    let home = HomePage { w, frame: f(), headline, lines: lines.clone() };
    let status = StatusPage { w, frame: f(), headline, lines, now: text() };
    let repository = RepositoryPage {
        w,
        frame: f(),
        authorities: vec![authority(name), authority(name)],
        lists: vec!["http://seal.example.jp/tl/jp.xml".to_owned()],
    };
    let missing = MissingLine {
        code: text(),
        territory: text(),
        location: text(),
        trouble: Some(trouble(name)),
    };
    let lists = ListsPage { w, frame: f(), lists: vec![list_line(name)], missing: vec![missing] };
    let one = ListPage {
        w,
        frame: f(),
        list: list(name),
        sequences: vec![SequenceLine { sequence: 42, issued: text() }],
        latest: false,
        address: "http://seal.example.jp/tl/jp.xml".to_owned(),
        filter: filter(name),
        before: Some(41),
    };
    let find = FindPage { w, frame: f(), q: text(), searched: true, found };
    let nothing = FindPage { w, frame: f(), q: text(), searched: true, found: Found::default() };
    let organisation = OrganisationPage {
        w,
        frame: f(),
        crumbs: crumbs.clone(),
        organisation: organisation(name),
        q: text(),
        branches: (0..50).map(|_| branch(name)).collect(),
        next: Some("/find/organisation/NTRJP-1?after=SAPPORO".to_owned()),
    };
    let certificate = CertificatePage { w, frame: f(), crumbs, c: certificate(name) };
    let policies = PoliciesPage {
        w,
        frame: f(),
        id: text(),
        version: text(),
        digest: "00".repeat(32),
        levels: vec![level(1), level(2), level(3)],
        common: vec![text()],
        list_oid: "1.3.6.1.4.1.32473.1.2.1".to_owned(),
    };
    let code = errors::codes(w).first().map(|(code, _)| *code).unwrap();
    let explanation = crate::text::explain::explain(w.language(), code).unwrap();
    let error = errors::ErrorPage { w, frame: f(), code: text(), explanation };
    let all = errors::ErrorsPage { w, frame: f(), codes: errors::codes(w) };
    vec![
        ("home", home.render().unwrap()),
        ("status", status.render().unwrap()),
        ("repository", repository.render().unwrap()),
        ("lists", lists.render().unwrap()),
        ("list", one.render().unwrap()),
        ("find", find.render().unwrap()),
        ("find-nothing", nothing.render().unwrap()),
        ("organisation", organisation.render().unwrap()),
        ("certificate", certificate.render().unwrap()),
        ("developers", DevelopersPage { w, frame: f(), at: Some(at) }.render().unwrap()),
        ("developers-none", DevelopersPage { w, frame: f(), at: None }.render().unwrap()),
        ("policies", policies.render().unwrap()),
        ("accessibility", statements::accessibility(w, f()).render().unwrap()),
        ("privacy", statements::privacy(w, f()).render().unwrap()),
        ("error", error.render().unwrap()),
        ("errors", all.render().unwrap()),
    ]
    .into_iter()
    .chain(list_pages(w, name))
    .collect()
}

fn each(check: impl Fn(&str, Words, &str)) {
    for language in [Language::Ja, Language::En] {
        let w = Words::of(language);
        for name in [HTML, RTL, &long()] {
            for (page, html) in pages(w, name) {
                check(page, w, &html);
            }
        }
    }
}

#[test]
fn nothing_that_is_filled_in_becomes_markup() {
    each(|page, _, html| {
        assert!(!html.contains("<script>alert"), "{page}");
        assert!(!html.contains("\" onload=\"x"), "{page}");
    });
}

#[test]
fn every_page_keeps_the_rules_of_the_security_policy() {
    each(|page, _, html| {
        assert!(!html.contains(" style="), "{page} has an inline style");
        assert!(!html.contains("<style"), "{page} has a style element");
        assert!(!html.contains(" onclick="), "{page} has an inline handler");
        assert_eq!(html.matches("<script").count(), 1, "{page} has one script");
    });
}

#[test]
fn every_page_says_its_language_and_that_it_is_a_test_environment() {
    each(|page, w, html| {
        assert!(html.contains(&format!("<html lang=\"{}\">", w.tag())), "{page}");
        assert!(html.contains(w.t("layout.evaluation")), "{page}");
        assert!(html.contains(w.other().t("language.name")), "{page}");
        assert_eq!(html.matches("<h1").count(), 1, "{page} has one main heading");
        assert_eq!(html.matches("<main").count(), 1, "{page}");
        assert!(!html.contains("‹"), "{page}");
    });
}

#[test]
fn every_table_has_a_caption_and_headed_columns() {
    each(|page, _, html| {
        let tables = html.matches("<table").count();
        assert_eq!(tables, html.matches("<caption").count(), "{page}");
        assert!(tables == 0 || html.contains("scope=\"col\""), "{page}");
        assert_eq!(html.matches("<th>").count(), 0, "{page} has a heading without scope");
    });
}

#[test]
fn every_element_id_is_used_once_in_a_page() {
    each(|page, _, html| {
        let ids: Vec<&str> =
            html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let unique: std::collections::BTreeSet<_> = ids.iter().collect();
        // The two authorities of the sample have one code.
        let twice = if page == "repository" { 2 } else { 0 };
        assert_eq!(ids.len() - unique.len(), twice, "{page}: {ids:?}");
    });
}

#[test]
fn the_names_of_a_list_stand_in_its_page_as_they_are() {
    for language in [Language::Ja, Language::En] {
        let html = pages(Words::of(language), "Fictional Seal CA G1");
        let (_, page) = html.iter().find(|(page, _)| *page == "list").unwrap();
        assert!(page.matches("Fictional Seal CA G1").count() >= 8);
        assert!(page.contains("lang=\"ja-Latn\""));
        assert!(page.contains("id=\"granted\"") && page.contains("id=\"level-3\""));
    }
}

//! A trusted list on its way, in a real browser: in both languages, with script and without, and the
//! clicks of whoever publishes it.

use serde_json::Value;
use tenkoku_testkit::servers::Installation;
use tenkoku_testkit::webdriver::By;

use super::invite;
use super::person::Person;
use crate::lists_of_others::{JOURNAL, Lists, NEWER_JOURNAL};

/// A service that is an address.
const PROOFING: &str = "https://seal.example.jp/services/proofing";

/// Clicks from Home until the list is published, for whoever agrees last (UX 3).
const CLICKS_TO_PUBLISH: u32 = 3;

fn sequence(installation: &Installation) -> Value {
    installation.json(["trustlist", "show"])["lists"][0]["sequence"].clone()
}

/// Somebody who works on lists, signed in.
fn arrive(installation: &Installation, language: &'static str, login: &str) -> Person {
    let person = Person::arrive(installation, language);
    take_a_seat(installation, &person, login);
    person
}

fn take_a_seat(installation: &Installation, person: &Person, login: &str) {
    let more = ["--role", "validation-operator", "--language", person.language];
    person.enrol_with_a_code_generator(&invite(installation, login, &more));
}

#[test]
fn a_list_is_changed_in_one_language_and_published_in_the_other() {
    let installation = Installation::evaluation();
    let _server = installation.serve();
    for (language, other, turn) in [("ja", "en", 1), ("en", "ja", 2)] {
        let editor = arrive(&installation, language, &format!("editor-{turn}"));
        editor.open("/console/lists");
        editor.follow("#open-draft");
        editor.follow(".parts a[href$='/scheme']");
        let contact = format!(
            "en: mailto:tl@seal.example.jp\nen: https://seal.example.jp\nen: tel:+81-3-0000-000{turn}"
        );
        editor.fill("electronic-address", &contact);
        editor.follow("#save");
        editor.follow("#submit-draft");
        let publisher = arrive(&installation, other, &format!("publisher-{turn}"));
        publisher.open("/console");
        publisher.clicks();
        publisher.follow("main a[href*='/console/lists/drafts/']");
        publisher.fill("reason", "ok");
        publisher.follow("#approve");
        assert!(publisher.clicks() <= CLICKS_TO_PUBLISH);
        assert_eq!(sequence(&installation), turn + 1);
        publisher.open_public("/tl/jp-2021.html");
        publisher.sees(&format!("tel:+81-3-0000-000{turn}"));
        publisher.open("/console/lists");
    }
}

#[test]
fn without_script_a_list_is_drafted_looked_at_and_published() {
    let installation = Installation::evaluation();
    let _server = installation.serve();
    let person = Person::arrive(&installation, "en");
    person.browser.disable_script();
    take_a_seat(&installation, &person, "editor");
    person.open("/console/lists");
    person.follow("#open-draft");
    let draft = person.place();
    // What is wrong is said at its field, and what was written stays.
    person.open(&format!("{draft}/provider-2"));
    person.fill("name", "en: Minato Trust Co., Ltd.");
    person.fill("trade-names", "XX-1");
    person.fill("postal-address", "en: 1-1 Kaigan | Minato-ku | Tokyo | 105-0022 | JP");
    person.fill(
        "electronic-address",
        "en: mailto:tl@minato.example.jp\nen: https://minato.example.jp",
    );
    person.fill("information", "en: https://minato.example.jp/cps");
    person.follow("#save");
    assert!(!person.text("#trade-names-error").is_empty());
    person.fill("trade-names", "NTRJP-7010001008844");
    person.follow("#save");
    person.is_at(&draft);
    assert!(person.shows("#checks [data-state='bad']"), "a provider without a service");
    // A service without a key.
    person.open(&format!("{draft}/service-2-1"));
    person.fill("name", "en: Identity proofing");
    person.fill("service-type", "http://uri.etsi.org/TrstSvc/Svctype/IdV/nothavingPKIid");
    person.fill("identifier", PROOFING);
    person.fill("status", "http://seal.example.jp/lists/jp-2021#granted");
    person.follow("#save");
    person.is_at(&draft);
    assert!(!person.shows("#checks [data-state='bad']"), "{}", person.text("#checks"));
    // A published service gets another status.
    person.open(&format!("{draft}/service-1-1"));
    person.click("input[name='status'][value$='#withdrawn']");
    for (name, text) in
        [("reason", "audit"), ("legal_ja", "規程 第12条"), ("legal_en", "Article 12")]
    {
        person.fill(name, text);
    }
    person.follow("#set-status");
    // What readers will get is looked at before anybody agrees.
    person.follow("#preview");
    person.sees(PROOFING);
    person.sees("#withdrawn");
    person.open(&draft);
    person.follow("#submit-draft");
    person.fill("reason", "ok");
    person.follow("#approve");
    assert_eq!(sequence(&installation), 2);
    person.open_public("/tl/jp-2021.html");
    person.sees(PROOFING);
    person.open_public("/lists/jp-2021/2/providers/1/services/1");
    assert!(person.shows("svg"), "the picture of the history");
}

#[test]
fn lists_of_others_are_believed_and_a_newer_journal_is_taken_over() {
    let installation = Installation::evaluation();
    let lists = Lists::followed_by(&installation);
    let _server = installation.serve();
    let roles = ["--role", "ca-officer,validation-operator", "--language", "ja"];
    let officer = Person::arrive(&installation, "ja");
    officer.enrol_with_a_code_generator(&invite(&installation, "officer", &roles));
    officer.open("/console/lists");
    officer.follow("#others");
    let pem = |der: &[u8]| tenkoku_pki::pem::encode("CERTIFICATE", der);
    officer.fill("list", "EU");
    officer.fill("location", &lists.web.address("/lotl.xml"));
    officer.fill("journal", JOURNAL);
    officer.fill("certificates", &pem(lists.first.certificate.der()));
    officer.fill("reason", "照合した");
    officer.follow("#add-source");
    assert!(!officer.text("#list-error").is_empty());
    officer.fill("list", "eu");
    officer.follow("#add-source");
    officer.is_at("/console/lists/others");
    look(&installation, "good");
    officer.open("/console/lists/others/eu-ee");
    assert!(officer.shows("main .chip--ok"));
    officer.sees("https://localhost:");
    // A newer publication in the journal waits for a person, who takes its certificates over.
    lists.name_newer_journal(3);
    look(&installation, "new-journal");
    officer.open("/console/lists/others/eu");
    assert!(officer.shows("main .chip--warn"));
    let journal = officer.browser.find(By::Css("#journal"));
    assert_eq!(journal.attribute("value").as_deref(), Some(NEWER_JOURNAL));
    officer.fill("reason", "照合した");
    officer.follow("#take-anchors");
    assert!(!officer.text("#certificates-error").is_empty());
    officer.fill("certificates", &pem(lists.second.certificate.der()));
    officer.follow("#take-anchors");
    look(&installation, "good");
    officer.open("/console/lists/others/eu");
    assert!(officer.shows("main .chip--ok"));
    let reader = arrive(&installation, "en", "reader");
    reader.open("/console/lists/others");
    reader.follow("#look-now");
    assert!(!reader.shows("#add-source"), "whom to believe is not the operator's to decide");
    reader.open("/console/lists/others/eu");
    reader.open("/console/lists");
    reader.follow("#delivery");
    reader.sees("/tl/jp-2021.xml");
    reader.open_public("/lists/eu-ee");
}

/// Looks at the list of lists until it stands like this: the program itself looks too.
fn look(installation: &Installation, expected: &str) {
    for _ in 0..100 {
        // Another look may be under way, and one that finds something wrong ends otherwise.
        let _ = installation.tenkoku(["trustlist", "refresh"]);
        let told = installation.json(["trustlist", "source", "list"]);
        let list = &told["lists"][0];
        let good = list["problem"].is_null() && list["snapshot"].is_string();
        if list["problem"] == expected || (expected == "good" && good) {
            return;
        }
    }
    panic!("{}", installation.json(["trustlist", "source", "list"]));
}

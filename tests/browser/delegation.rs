//! A delegation is set up in the browser: a delegate is named, a grant is drafted, in both languages,
//! with script and without (UX 4.4).

use std::fs;

use tenkoku_testkit::servers::Installation;

use super::invite;
use super::person::Person;
use crate::cli::{BANK, word};

/// Clicks from the organisation's delegation to the draft: set up, draft.
const CLICKS_TO_DRAFT: u32 = 2;

/// The bank with a representative; gives the address of its delegation.
pub(super) fn represented(installation: &Installation) -> String {
    let extract = installation.path().join("extract.pdf");
    fs::write(&extract, b"%PDF-1.7 an extract of the register").expect("a file");
    let words = ["person", "represent", "--org", BANK, "--name", "見本 一郎"];
    let more = ["--capacity", "代表取締役", "--evidence", word(&extract)];
    installation.tenkoku(words.into_iter().chain(more)).success();
    let bank = installation.json(["org", "show", BANK]);
    let id = bank["id"].as_str().expect("an id");
    format!("/console/organisations/{id}/delegation")
}

fn set_up(language: &'static str, script: bool) {
    let installation = Installation::with_sample();
    let _server = installation.serve();
    let delegation = represented(&installation);
    let officer = Person::arrive(&installation, language);
    officer.enrol_with_a_code_generator(&invite(&installation, "kaede", &["--language", language]));
    if !script {
        officer.browser.disable_script();
    }
    officer.open(&delegation);
    assert!(!officer.shows("#set-up"), "there is nobody to delegate to");
    officer.follow("#add-delegate");
    officer.fill("name", "");
    officer.follow("#name-delegate");
    assert!(!officer.text(".errsum").is_empty(), "a delegate has a name");
    officer.fill("name", "見本 二郎");
    officer.follow("#name-delegate");
    officer.sees("見本 二郎");
    let words =
        ["user", "invite", "jiro", "--name", "見本 二郎", "--role", "delegate", "--org", BANK];
    installation.tenkoku(words).success();

    officer.open(&delegation);
    officer.clicks();
    officer.follow("#set-up");
    officer.follow("#draft");
    assert!(officer.clicks() <= CLICKS_TO_DRAFT);
    let sentence = officer.text("#sentence");
    assert!(sentence.contains("見本 一郎") || sentence.contains("代表取締役"), "{sentence}");
    assert!(sentence.contains("見本 二郎"), "{sentence}");

    officer.open(&delegation);
    officer.follow("#set-up");
    officer.click("#level-1");
    officer.click("#reach-some");
    officer.fill("live", "0");
    officer.follow("#draft");
    for field in ["live", "level-1", "branches"] {
        assert!(
            officer.shows(&format!(".errsum a[href='#{field}']")),
            "{field} is not complained of"
        );
    }
}

#[test]
fn a_delegation_is_set_up_in_japanese() {
    set_up("ja", true);
}

#[test]
fn a_delegation_is_set_up_in_english_without_script() {
    set_up("en", false);
}
